/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: threads of two processes make random calls at once, on two
 * processors and on the same files.  What each call gives is not known; when
 * all files are closed nothing may be left, in the guest or in the devices.
 *
 * PRIMEGPU_STORM_SEED    other calls: added to each case's seed
 */
#include "qemu/osdep.h"
#include "primegpu-guest.h"

#define PG_COUNT    2500        /* calls of a thread */
#define PG_THREADS  3           /* of a process */

/* Time for all of it; a machine without KVM is slow, and may be busy. */
#define PG_LIMIT_MS 300000

typedef struct PGStorm {
    const char *name;
    const char *files[3];
    unsigned handles;           /* few: threads meet at each of them */
} PGStorm;

static const PGStorm pg_storms[] = {
    { "integrated-discrete", { "integrated", "discrete" }, 10 },
    { "discrete-integrated-vgem", { "discrete", "integrated", "vgem" }, 10 },
    { "integrated-vkms", { "integrated", "vkms" }, 10 },
    { "discrete-vkms", { "discrete", "vkms" }, 10 },
    { "integrated-integrated", { "integrated", "integrated" }, 10 },
    { "discrete-discrete", { "discrete", "discrete" }, 10 },
    { "integrated-few", { "integrated" }, 2 },
    { "discrete-few", { "discrete" }, 2 },
};

static uint64_t pg_storm_seed(const PGStorm *storm, unsigned worker)
{
    const char *more = g_getenv("PRIMEGPU_STORM_SEED");

    return 2 * (storm - pg_storms +
                (more ? g_ascii_strtoull(more, NULL, 0) : 0)) + worker;
}

static void pg_test_storm(const void *data)
{
    const PGStorm *storm = data;
    const PGMachine machine = { .extra = "-smp 2", .draws_shown = true };
    PGGuest *g = pg_start(&machine);
    g_autoptr(GString) files = g_string_new(NULL);
    unsigned tags[2];

    for (unsigned i = 0; i < ARRAY_SIZE(storm->files) && storm->files[i]; i++) {
        pg_do(g, "open f%u %s card", i, storm->files[i]);
        g_string_append_printf(files, " f%u", i);
    }
    pg_do(g, "fork p2");
    for (unsigned i = 0; i < ARRAY_SIZE(tags); i++) {
        tags[i] = pg_send(g, "p%u storm %" PRIu64 " %u %u %u%s", i + 1,
                          pg_storm_seed(storm, i), PG_COUNT, PG_THREADS,
                          storm->handles, files->str);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(tags); i++) {
        const PGReply *r;

        if (!pg_wait(g, tags[i], PG_LIMIT_MS * pg_slow())) {
            pg_show_tasks(g);
            pg_fail(g, "no end of the storm in p%u within %u s", i + 1,
                    PG_LIMIT_MS / 1000 * pg_slow());
        }
        r = pg_expect_ok(g, tags[i]);
        g_test_message("p%u: %" PRIu64 " of %u calls were right", i + 1,
                       pg_u64(g, r, "ok"), PG_COUNT * PG_THREADS);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(storm->files) && storm->files[i]; i++) {
        pg_do(g, "p1 close-file f%u", i);
        pg_do(g, "p2 close-file f%u", i);
    }
    pg_settle(g);
    pg_assert_table(g, 0);
    pg_stop(g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_storms); i++) {
        g_autofree char *path = g_strconcat("storm/", pg_storms[i].name, NULL);

        pg_add_case(path, pg_test_storm, &pg_storms[i]);
    }
    return g_test_run();
}
