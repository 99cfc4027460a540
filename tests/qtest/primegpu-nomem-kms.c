/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: mode setting that runs out of memory: commits of all that a
 * display has, older calls, events, fences, write-back, leases, framebuffers
 * of several BOs.  What a commit leaves to a worker does not count.
 */
#include "qemu/osdep.h"
#include "primegpu-nomem.h"
#include "primegpu-sleep.h"

/* Fast, as each try that works waits for the vertical blank */
#define PG_MODE "mode=320x240@200"

/* Two frames and a cursor of $E, for file c of $I */
static const PGWalk pg_walk_imports[] = {
    { "open f $E", .keep = true },
    { "open c $I card", .keep = true },
    { "create f b0 307200", .keep = true },
    { "export b0 x0", .keep = true },
    { "import c x0 h0", .keep = true },
    { "addfb h0 320 240 1280", .keep = true },
    { "create f b1 307200", .keep = true },
    { "export b1 x1", .keep = true },
    { "import c x1 h1", .keep = true },
    { "addfb h1 320 240 1280", .keep = true },
    { "create f b2 16384", .keep = true },
    { "export b2 x2", .keep = true },
    { "import c x2 h2", .keep = true },
    { "addfb h2 64 64 256 AR24", .keep = true },
    { NULL }
};

/*
 * The same of $I itself: it maps what it shows for the CPU, and the kernel
 * warns when an exporter cannot do that.
 */
static const PGWalk pg_walk_dumb[] = {
    { "open c $I card", .keep = true },
    { "dumb c h0 320 240 32", .keep = true },
    { "addfb h0 320 240 1280", .keep = true },
    { "dumb c h1 320 240 32", .keep = true },
    { "addfb h1 320 240 1280", .keep = true },
    { "dumb c h2 64 64 32", .keep = true },
    { "addfb h2 64 64 256 AR24", .keep = true },
    { NULL }
};

static const PGWalk pg_walk_commit[] = {
    { "atomic c 0 " PG_MODE " fb=h0", "atomic c 0 mode=off fb=off",
      .keep = true },
    { "atomic c 0 fb=h1 wait" },
    { "atomic c 0 fb=h0 cursor fb=h2 at=4,4 wait",
      "atomic c 0 cursor fb=off wait" },
    { "atomic c 0 cursor fb=h2 at=4,4 test" },
    { "blob-lut c invert", "blob-free c $1", .take = "blob", .keep = true },
    { "atomic c 0 crtc GAMMA_LUT=$1 wait", "atomic c 0 crtc GAMMA_LUT=0 wait" },
    { "blob-clips c 0,0,8,8 9,9,12,12", "blob-free c $1", .take = "blob" },
    { "atomic c 0 mode=off fb=off", "atomic c 0 " PG_MODE " fb=h0" },
    { NULL }
};

static const PGWalk pg_walk_planes[] = {
    { "atomic c 0 " PG_MODE " fb=h0", .keep = true },
    { "atomic c 0 fb=h1 overlay fb=h0 src=0,0,32,32 dst=8,8,32,32 zpos=2 "
      "cursor fb=h2 at=4,4 wait", "atomic c 0 overlay fb=off cursor fb=off" },
    { "atomic c 0 fb=h0 async", NULL, "atomic c 0 fb=h1" },
    { "blob-ctm c 1 0 0 0 1 0 0 0 1", "blob-free c $1", .take = "blob",
      .keep = true },
    { "atomic c 0 crtc CTM=$1 wait", "atomic c 0 crtc CTM=0 wait" },
    { "atomic c 0 fb=h0 writeback wb=h1 wb-out=w wait",
      "fence-wait w 10000; close-fd w" },
    { "atomic c 0 fb=h0 writeback wb=h1 wb-out=w out=o nonblock event",
      "fence-wait w 10000; close-fd w; close-fd o; event c 10000" },
    { NULL }
};

static const PGWalk pg_walk_legacy[] = {
    { "setcrtc c h0 0 320x240@200", "setcrtc c off 0", .keep = true },
    { "flip c h1 0", NULL, "flip c h0 0" },
    { "setplane c 0 cursor h2 9 9", "setplane c 0 cursor off" },
    { "cursor c 0 h2 64 64", "cursor c 0 off", .keep = true },
    { "cursor-move c 0 8 8" },
    { "cursor c 0 off", "cursor c 0 h2 64 64" },
    { "gamma c 0 invert" },
    { "dpms c 0 off", "dpms c 0 on" },
    { "dpms c 0 on", .before = "dpms c 0 off" },
    { "dirtyfb c h0 0 0 8 8", .fails = true },  /* that vkms does not have */
    { "modes c 0" },
    { "kms c" },
    { "props c 0 crtc" },
    { "rmfb c $1", .before = "addfb h1 320 240 1280", .take = "fb" },
    { NULL }
};

/*
 * A fence that is pending, of a timeline that is closed at the end.  A flip
 * that was refused is not tried again: then its event would be left.
 */
#define PG_PENDING "sw-sync wq; sw-fence wq 1 q"

static const PGWalk pg_walk_events[] = {
    { "atomic c 0 " PG_MODE " fb=h0", .keep = true },
    { "queue-vblank c 0 1 5", "event c 10000" },
    { "queue-sequence c 0 1 6", "event c 10000" },
    { "vblank c 0 1" },
    { "sequence c 0" },
    { "flip c h1 0 nowait", "event c 10000", "vblank c 0 2", "names" },
    { "event c 10000", .before = "queue-vblank c 0 1 7", .after = "names" },
    { "atomic c 0 fb=h0 nonblock event out=o", "event c 10000; close-fd o",
      "vblank c 0 2", "names" },
    { "atomic c 0 fb=h1 in=q nonblock event out=o",
      "sw-inc wq 1; event c 10000; close-fd o",
      PG_PENDING "; vblank c 0 2", "close-fd q; close-fd wq" },
    { "crc-open c 0 k", "close-fd k" },
    { NULL }
};

static const PGWalk pg_walk_clients[] = {
    { "atomic c 0 " PG_MODE " fb=h0", .keep = true },
    { "open m $I card", "close-file m" },
    { "lease c 0 l", "close-file l" },
    { "lease c 0 l crtc connector primary", "close-file l" },
    { "leased c" },
    { "lessees c" },
    { "revoke c $1", .before = "lease c 0 l", .after = "close-file l",
      .take = "lessee" },
    { "close-file l", .before = "lease c 0 l" },
    { "magic m", .before = "open m $I card", .after = "close-file m" },
    { "auth c 77", .fails = true },
    { "master c drop", "master c set" },
    { "master c set", .before = "master c drop" },
    { "addfb h0 320 240 1280", "closefb c $1", .take = "fb" },
    { NULL }
};

/*
 * Two fences that writers have left in one BO; they stay there until others
 * come.  With one in each BO of a framebuffer the kernel would lose a fence.
 */
#define PG_WRITERS PG_PENDING "; sw-sync wr; sw-fence wr 1 r; " \
    "import-sync x0 write q; import-sync x0 write r"

static const PGWalk pg_walk_planar[] = {
    { "addfb h0,h1 320 240 320 NV12", "rmfb c $1", .take = "fb",
      .keep = true },
    { "getfb2 c $1 p,q", "close p; close q" },
    { "getfb2 c $1 p", "close p" },
    { "atomic c 0 " PG_MODE " fb=$1", "atomic c 0 mode=off fb=off",
      .keep = true },
    { "atomic c 0 fb=$1 nonblock event",
      "sw-inc wq 1; sw-inc wr 1; event c 10000", PG_WRITERS,
      "sw-inc wq 1; sw-inc wr 1; close-fd q; close-fd r; close-fd wq; "
      "close-fd wr; vblank c 0 2; fill b0 0 4096 1 wait; settle 1000" },
    { "addfb h0 320 240 320 NV12", "rmfb c $1", .take = "fb", .keep = true },
    { "getfb2 c $1 p", "close p" },
    { "addfb h0,h0,h1 320 240 320 YU12", "rmfb c $1", .take = "fb",
      .keep = true },
    { "getfb2 c $1 p,q", "close p; close q" },
    /* Each of two BOs that are new gets its memory when it is shown. */
    { "atomic c 0 " PG_MODE " fb=$1",
      .before = "create c n0 307200; create c n1 307200; "
                "addfb n0,n1 320 240 320 NV12",
      .after = "atomic c 0 mode=off fb=off; rmfb c $1; close n0; close n1",
      .take = "fb", .maps = true },
    { NULL }
};

/* A machine that could not sleep shows what it did; waking needs memory. */
static const PGWalk pg_walk_sleep[] = {
    { "set " PG_POWER "pm_test devices", .keep = true },
    { "open d $E card", .keep = true },
    { "create d e0 307200", .keep = true },
    { "addfb e0 320 240 1280", .keep = true },
    { "atomic d 0 " PG_MODE " fb=e0", .keep = true },
    { "atomic c 0 " PG_MODE " fb=h1", .keep = true },
    { "set " PG_POWER "state freeze", .after = "vblank c 0 1; vblank d 0 1",
      .begins = true },
    { NULL }
};

static const struct {
    const char *name;
    const PGWalk *walks;
    bool vkms;                  /* has all that it takes */
    void (*needs)(PGGuest *g);
} pg_kms_scenes[] = {
    { "commit", pg_walk_commit, true },
    { "planes", pg_walk_planes },
    { "legacy", pg_walk_legacy, true },
    { "events", pg_walk_events, true },
    { "clients", pg_walk_clients, true },
    { "planar", pg_walk_planar },
    { "sleep", pg_walk_sleep, .needs = pg_sleep_needs_kernel },
};

static const PGScene pg_kms_showers[] = {
    { "integrated-to-discrete", NULL, "integrated", "discrete", NULL,
      pg_walk_imports },
    { "discrete-to-integrated", NULL, "discrete", "integrated", NULL,
      pg_walk_imports },
    { "vkms", NULL, NULL, "vkms", NULL, pg_walk_dumb },
};

void pg_nomem_add_kms(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pg_kms_scenes); i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(pg_kms_showers); k++) {
            g_autofree char *path =
                g_strdup_printf("nomem/kms-%s/%s", pg_kms_scenes[i].name,
                                pg_kms_showers[k].name);
            PGScene *scene = g_new(PGScene, 1);

            *scene = pg_kms_showers[k];
            scene->walks = pg_kms_scenes[i].walks;
            scene->needs = pg_kms_scenes[i].needs;
            if (pg_kms_scenes[i].vkms || scene->exporter) {
                pg_add_case(path, pg_nomem_test_scene, scene);
            }
        }
    }
}
