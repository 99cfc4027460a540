/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: calls whose answer cannot be written, as the arguments are where
 * the kernel can read only.
 */
#include "qemu/osdep.h"
#include "primegpu-guest.h"

/* These have done nothing when they find that out. */
static const char *const pg_unanswered[] = {
    "sw-fence w 3 x", "merge-sync s q x", "export-sync d rw x",
    "export-sync d read x", "heap x 4096", "fence-info s", "fence-wait s 0",
};

/* DRM has done what it was told by then, and that goes with the file. */
static const char *const pg_unanswered_drm[] = {
    "create f x 4096", "export b x", "export c x", "import i d x", "info b",
    "syncobj f x", "syncobj-export y x", "syncobj-export y x sync-file",
    "syncobj-import i k x", "syncobj-query y", "syncobj-wait y 0",
    "syncobj-eventfd y x", "fill b 0 4096 1", "fill b 0 4096 1 out=x",
    "fill b 0 4096 1 explicit in=s outsync=y",
    "mmap b x", "flink b", "gem-open f $N x", "addfb c 32 32 128",
    "getfb f $F x", "getfb2 f $F x", "blob-lut f linear", "lease f 0 x",
    "atomic f 0 mode=320x240 fb=b", "atomic f 0 fb=b nonblock event out=x",
    "dumb f x 64 64 32",
};

static uint64_t pg_fds_open(PGGuest *g)
{
    return pg_u64(g, pg_do(g, "names"), "open");
}

static void pg_unanswer(PGGuest *g, const char *line)
{
    g_autofree char *error = NULL;

    error = pg_str(pg_do(g, "unwritable %s", line), "error");
    if (!error || !g_str_equal(error, "EFAULT")) {
        pg_fail(g, "was to fail with EFAULT, and gave %s: %s",
                error ?: "no error", line);
    }
}

static void pg_test_unanswered(const void *data)
{
    PGGuest *g = pg_start(NULL);
    uint64_t fds, fb, name;

    pg_do(g, "open f %s card", (const char *)data);
    pg_do(g, "open i vgem");
    pg_do(g, "create f b 307200");
    pg_do(g, "create f c 4096");
    name = pg_u64(g, pg_do(g, "flink b"), "name");
    fb = pg_u64(g, pg_do(g, "addfb b 320 240 1280"), "fb");
    pg_do(g, "export b d");
    pg_do(g, "syncobj f y");
    pg_do(g, "syncobj-signal y");
    pg_do(g, "syncobj-export y k");
    pg_do(g, "sw-sync w");
    pg_do(g, "sw-fence w 1 s");
    pg_do(g, "sw-fence w 2 q");
    fds = pg_fds_open(g);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_unanswered); i++) {
        pg_unanswer(g, pg_unanswered[i]);
        pg_assert_u64(g, pg_unanswered[i], pg_fds_open(g), fds);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(pg_unanswered_drm); i++) {
        g_autoptr(GString) line = g_string_new(pg_unanswered_drm[i]);
        g_autofree char *n = g_strdup_printf("%" PRIu64, name);
        g_autofree char *f = g_strdup_printf("%" PRIu64, fb);

        g_string_replace(line, "$N", n, 0);
        g_string_replace(line, "$F", f, 0);
        pg_unanswer(g, line->str);
    }
    /* Closing it waits for its jobs. */
    pg_do(g, "sw-inc w 1");
    pg_close_file(g, "f");
    pg_close_file(g, "i");
    pg_stop(g);
}

int main(int argc, char **argv)
{
    static const char *const gpus[] = { "integrated", "discrete" };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(gpus); i++) {
        g_autofree char *path = g_strconcat("wrong/unanswered/", gpus[i], NULL);

        pg_add_case(path, pg_test_unanswered, gpus[i]);
    }
    return g_test_run();
}
