/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: every call of a client runs out of memory at every place.
 */
#include "qemu/osdep.h"
#include "primegpu-nomem.h"

#define PG_SIZE "65536"

/*
 * Linux 6.12 pins all pages of a memfd, and then notes one after the other: what
 * it has no memory to note stays pinned (udmabuf_pin_folios()).
 */
#define PG_PINNED .leaks = "func:shmem_alloc_folio"

static const PGWalk pg_walk_share[] = {
    { "open f $E", "close-file f", .keep = true },
    { "open c $E card", "close-file c", .keep = true },
    { "open f2 $E", "close-file f2", .keep = true },
    { "open i $I", "close-file i", .keep = true },
    { "create c x " PG_SIZE, "close x", .keep = true },
    { "create f b " PG_SIZE, "close b", .keep = true },
    { "create i t " PG_SIZE, "close t", .keep = true },
    { "info b" },
    { "place b pages" },
    { "fill b 0 " PG_SIZE " 1 wait" },
    { "mmap b m", "munmap m", .keep = true },
    { "write m 0 " PG_SIZE " 7" },
    { "read m 0 64" },
    { "checksum m" },
    { "peek m 0 64", .fails = true },
    { "export b d", "close-fd d" },
    { "export b ro ro", "close-fd ro" },
    { "export b d", "close-fd d", .keep = true },
    { "set-name d name" },
    { "udmabuf u " PG_SIZE, "close-fd u", .keep = true, PG_PINNED },
    { "import i u ui", "close ui" },
    { "import f u ui", "close ui" },
    { "heap p " PG_SIZE, "close-fd p", .keep = true },
    { "import i p pi", "close pi" },
    { "import f p pi", "close pi" },
    { "dup d d2", "close-fd d2" },
    { "close-fd d2", .before = "dup d d2" },
    { "import f2 d e", "close e" },
    { "import i d h", "close h" },
    { "import i d h", "close h", .keep = true },
    { "export h again", "close-fd again" },
    { "mmap h n", "munmap n" },
    { "mmap-fd d n " PG_SIZE, "munmap n" },
    { "munmap n", .before = "mmap-fd d n " PG_SIZE },
    { "munmap n", .before = "mmap b n" },
    { "fill h 0 " PG_SIZE " 2 wait" },
    { "fill-rect h 0 256 16 16 4 3 wait" },
    { "copy t 0 h 0 " PG_SIZE " wait" },
    { "copy-rect t 0 256 h 0 256 16 16 4 wait" },
    { "bo-wait h write 1000" },
    { "bo-wait b read 1000" },
    { "sync-start d rw" },
    { "sync-end d rw" },
    { "poll d in 100" },
    { "poll d out 100" },
    { "flink x", .take = "name" },
    { "gem-open c $1 y", "close y" },
    { "close y", .before = "gem-open c $1 y" },
    { "close h", .keep = true },
    { "close z", .before = "import i d z" },
    { "close-file g", .before = "open g $I" },
    { NULL }
};

/*
 * What a first call leaves with an object, the next one finds: so each comes
 * with an object of its own.
 */
#define PG_NEW "create f z " PG_SIZE
#define PG_END "close z"
#define PG_NEW_FD PG_NEW "; export z zd"
#define PG_END_FD "close-fd zd; " PG_END
#define PG_NEW_IMPORT PG_NEW_FD "; import i zd zi"
#define PG_END_IMPORT "close zi; " PG_END_FD

static const PGWalk pg_walk_first[] = {
    { "open f $E", .keep = true },
    { "open c $E card", .keep = true },
    { "open i $I", .keep = true },
    { "export z zd", "close-fd zd", PG_NEW, PG_END },
    { "export z zd ro", "close-fd zd", PG_NEW, PG_END },
    { "mmap z zm", "munmap zm", PG_NEW, PG_END },
    { "fill z 0 " PG_SIZE " 1 wait", NULL, PG_NEW, PG_END, .maps = true },
    { "place z pages", NULL, PG_NEW, PG_END, .maps = true },
    { "flink z", "gem-open c $1 y; close y", "create c z " PG_SIZE, PG_END,
      .take = "name" },
    { "mmap-fd zd zm " PG_SIZE, "munmap zm", PG_NEW_FD, PG_END_FD },
    { "sync-start zd rw", "sync-end zd rw", PG_NEW_FD, PG_END_FD },
    { "set-name zd name", NULL, PG_NEW_FD, PG_END_FD },
    { "export-sync zd rw zs", "close-fd zs", PG_NEW_FD, PG_END_FD },
    { "import i zd zi", "close zi", PG_NEW_FD, PG_END_FD },
    { "mmap zi zm", "munmap zm", PG_NEW_IMPORT, PG_END_IMPORT },
    { "fill zi 0 " PG_SIZE " 2 wait", NULL, PG_NEW_IMPORT, PG_END_IMPORT },
    { "export zi zr", "close-fd zr", PG_NEW_IMPORT, PG_END_IMPORT },
    { NULL }
};

/* A fence of its own, which is signalled afterwards */
#define PG_PENDING "sw-sync wq; sw-fence wq 1 q"
#define PG_SIGNAL "sw-inc wq 1; close-fd q; close-fd wq; settle 1000"

/* Another one, of its own context: a job that waits for both has a list. */
#define PG_SECOND "sw-sync wr; sw-fence wr 1 r"
#define PG_SIGNAL_BOTH "sw-inc wr 1; close-fd r; close-fd wr; " PG_SIGNAL

static const PGWalk pg_walk_sync[] = {
    { "open f $E", .keep = true },
    { "open i $I", .keep = true },
    { "create f b " PG_SIZE, .keep = true },
    { "create f b2 " PG_SIZE, .keep = true },
    { "create i t " PG_SIZE, .keep = true },
    { "export b d", .keep = true },
    { "import i d h", .keep = true },
    { "fill t 0 " PG_SIZE " 1 out=x", "close-fd x" },
    { "copy t 0 h 0 " PG_SIZE " explicit out=x", "close-fd x" },
    { "sw-sync w", "close-fd w", .keep = true },
    { "sw-sync w2", .keep = true },
    { "sw-fence w 1 s", "close-fd s", .keep = true },
    { "sw-fence w 2 s2", .keep = true },
    { "sw-fence w2 1 s3", .keep = true },
    { "merge-sync s s3 s4", "close-fd s4", .keep = true },
    { "merge-sync s4 s2 s5", "close-fd s5" },
    { "fill b 0 " PG_SIZE " 1 explicit in=q", .before = PG_PENDING,
      .after = PG_SIGNAL },
    { "copy t 0 h 0 " PG_SIZE,
      .before = PG_PENDING "; import-sync d write q", .after = PG_SIGNAL },
    { "fill b 0 " PG_SIZE " 1 out=x", "close-fd x",
      .before = PG_PENDING "; import-sync d read q", .after = PG_SIGNAL },
    { "fill b 0 " PG_SIZE " 1 insync=y", .before = PG_PENDING "; " PG_SECOND
      "; import-sync d read q; import-sync d read r; syncobj f y; "
      "syncobj-signal y", .after = "syncobj-destroy y; " PG_SIGNAL_BOTH },
    { "fill b 0 " PG_SIZE " 1 explicit in=q insync=y", .before = PG_PENDING "; "
      PG_SECOND "; syncobj f y; syncobj-load y r",
      .after = "syncobj-destroy y; " PG_SIGNAL_BOTH },
    { "import-sync d write q", .before = PG_PENDING, .after = PG_SIGNAL },
    { "import-sync d read s3", .keep = true },
    { "import-sync d write s4", .keep = true },
    { "import-sync d read s2", .keep = true },
    { "import-sync d read s4" },
    { "import-sync d write s2" },
    { "export-sync d write s6", "close-fd s6", .keep = true },
    { "export-sync d read s7", "close-fd s7" },
    { "fence-wait s 0", .fails = true },
    { "poll d in 0" },
    { "poll d out 0" },
    { "poll s6 in 0" },
    { "syncobj f y", "syncobj-destroy y", .keep = true },
    { "syncobj f z", "syncobj-destroy z", .keep = true },
    { "syncobj-signal y" },
    { "syncobj-signal z:1", .keep = true },
    { "syncobj-signal v:1", .before = "syncobj f v",
      .after = "syncobj-destroy v" },
    { "syncobj-load y s6" },
    { "syncobj-transfer z:2 y", .keep = true },
    { "syncobj-transfer z:3 y", .keep = true },
    { "syncobj-transfer v:7 z:2", .before = "syncobj f v",
      .after = "syncobj-destroy v" },
    { "syncobj-transfer v z:2", .before = "syncobj f v",
      .after = "syncobj-destroy v" },
    { "syncobj-query z" },
    { "syncobj-wait z:2 0", .fails = true },
    { "syncobj-wait z:9 0", .fails = true },
    { "syncobj-wait z:9 0 available", .fails = true },
    { "syncobj-eventfd v:2 j", "close-fd j", .before = "syncobj f v",
      .after = "syncobj-destroy v" },
    { "syncobj-eventfd v:2 j available", "close-fd j", .before = "syncobj f v",
      .after = "syncobj-destroy v" },
    { "syncobj-export y k", "close-fd k", .keep = true },
    { "syncobj-export y l sync-file", "close-fd l" },
    { "syncobj-import f k v", "syncobj-destroy v" },
    { "fill b2 0 " PG_SIZE " 4 insync=z:1 outsync=v:5", .before = "syncobj f v",
      .after = "syncobj-destroy v" },
    { "fill b2 0 " PG_SIZE " 4 outsync=v", .before = "syncobj f v",
      .after = "syncobj-destroy v" },
    { "syncobj-reset y" },
    { "syncobj-destroy v", .before = "syncobj f v" },
    { "sw-inc w 9", .keep = true },
    { "sw-inc w2 9", .keep = true },
    { NULL }
};

/* TTM has no pages of its own, and asks for them when it moves something. */
#define PG_NO_POOL "; set /proc/sys/vm/drop_caches 2"

/* There is VRAM for one of the two large ones. */
static const PGWalk pg_walk_evict[] = {
    { "open f discrete", .keep = true },
    { "open i integrated", .keep = true },
    { "create f a 1048576 any", .keep = true },
    { "create f b 1048576 any", .keep = true },
    { "create f v 524288 vram", "close v", .keep = true },
    /* No power of two: it is got in parts, the last of which can fail. */
    { "fill o 0 28672 1 wait", .before = "create f o 28672 pages",
      .after = "close o", .maps = true },
    { "fill a 0 1048576 1 wait", .keep = true },
    { "mmap a m", "munmap m", .keep = true },
    { "checksum m" },
    { "fill b 0 1048576 2 wait", NULL, "fill a 0 1048576 1 wait" PG_NO_POOL,
      .maps = true },
    { "place b vram", NULL, "place b pages", .maps = true },
    { "place b pages", .maps = true },
    { "checksum m", NULL, "fill b 0 1048576 2 wait" },
    { "export a d", .keep = true },
    { "import i d h", .keep = true },
    { "fill h 0 1048576 3 wait", NULL, "fill a 0 1048576 1 wait",
      .maps = true },
    { "fill b 0 1048576 2 wait", NULL, "fill a 0 1048576 1 wait",
      .maps = true },
    { "copy b 0 a 0 1048576 wait", .maps = true },
    { NULL }
};

/* Exporters that are no GPU; what a first call leaves, the next one finds. */
static const PGWalk pg_walk_others[] = {
    { "open f $I", .keep = true },
    { "udmabuf u 16384", "close-fd u", PG_PINNED },
    { "heap p 16384", "close-fd p" },
    { "sync-start u rw", "sync-end u rw", "udmabuf u 16384", "close-fd u" },
    { "sync-start p rw", "sync-end p rw", "heap p 16384", "close-fd p" },
    { "mmap-fd u m 16384", "munmap m", "udmabuf u 16384", "close-fd u" },
    { "mmap-fd p m 16384", "munmap m", "heap p 16384", "close-fd p" },
    { "import f u h", "close h", "udmabuf u 16384", "close-fd u" },
    { "import f p h", "close h", "heap p 16384", "close-fd p" },
    { "fill h 0 16384 1 wait", NULL, "udmabuf u 16384; import f u h",
      "close h; close-fd u" },
    { "sync-start u rw", "sync-end u rw", "udmabuf u 16384; import f u h; "
      "fill h 0 16384 1 wait", "close h; close-fd u" },
    { NULL }
};

static const PGWalk pg_walk_fb[] = {
    { "open f $E", .keep = true },
    { "open c $I card", "close-file c", .keep = true },
    { "create f b 3145728", .keep = true },
    { "export b d", .keep = true },
    { "dumb c q 1024 768 32", "close q", .keep = true },
    { "import c d h", "close h", .keep = true },
    { "addfb q 1024 768 4096", "rmfb c $1", .take = "fb", .keep = true },
    { "getfb c $1 p", "close p" },
    { "getfb2 c $1 p", "close p" },
    { "setcrtc c $1", "setcrtc c off", .keep = true },
    { "addfb h 1024 768 4096", "rmfb c $1", .take = "fb", .keep = true },
    { "flip c $1" },
    { "setcrtc c off" },
    { "closefb c $1", .before = "addfb h 1024 768 4096", .take = "fb" },
    { NULL }
};

static const PGScene pg_scenes[] = {
    { "share/integrated-to-discrete", NULL, "integrated", "discrete",
      pg_walk_share },
    { "share/discrete-to-integrated", NULL, "discrete", "integrated",
      pg_walk_share },
    { "first/integrated-to-discrete", NULL, "integrated", "discrete",
      pg_walk_first },
    { "first/discrete-to-integrated", NULL, "discrete", "integrated",
      pg_walk_first },
    { "sync/integrated-to-discrete", NULL, "integrated", "discrete",
      pg_walk_sync },
    { "sync/discrete-to-integrated", NULL, "discrete", "integrated",
      pg_walk_sync },
    { "evict", "-global primegpu-discrete.vram-size=2M", NULL, NULL,
      pg_walk_evict },
    { "others/integrated", NULL, NULL, "integrated", pg_walk_others },
    { "others/discrete", NULL, NULL, "discrete", pg_walk_others },
    { "fb/integrated-to-vkms", NULL, "integrated", "vkms", pg_walk_fb },
    { "fb/discrete-to-vkms", NULL, "discrete", "vkms", pg_walk_fb },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_scenes); i++) {
        g_autofree char *path =
            g_strconcat("nomem/", pg_scenes[i].name, NULL);

        pg_add_case(path, pg_nomem_test_scene, &pg_scenes[i]);
    }
    pg_nomem_add_kms();
    return g_test_run();
}
