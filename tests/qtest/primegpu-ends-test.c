/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: ends of life.  Whatever goes first, all the rest is let go of
 * later, nothing is left then, and the machine can go on.
 */
#include "qemu/osdep.h"
#include "primegpu-ends.h"

/* What keeps the exporter's module, beside its device's driver being bound */
static const struct {
    const char *name;
    const char *line;           /* which lets go of it */
} pg_users[] = {
    { "import", "close i" },
    { "file", "close-file fe" },
    { "map", "munmap m" },
    { "dma-buf", "close-fd d" },
};

static void pg_test_rmmod(const void *data)
{
    const PGEndsPair *pair = data;
    g_autofree char *module = g_strdup_printf("primegpu_%s", pair->exporter);
    PGGuest *g = pg_start(NULL);

    /* Each of the users as the last one */
    for (unsigned last = 0; last < ARRAY_SIZE(pg_users); last++) {
        unsigned users = pg_module_users(g, module);

        pg_restart_script(g);
        pg_open(g, "fe", pair->exporter);
        pg_open(g, "fi", pair->importer);
        pg_create(g, "fe", "e", PG_ENDS_SIZE);
        pg_export(g, "e", "d");
        pg_import(g, "fi", "d", "i");
        pg_do(g, "mmap-fd d m %u", PG_ENDS_SIZE);
        pg_do(g, "checksum m");
        for (unsigned i = 1; i <= ARRAY_SIZE(pg_users); i++) {
            unsigned user = (last + i) % ARRAY_SIZE(pg_users);

            pg_err(g, "EAGAIN", "rmmod %s", module);
            pg_do(g, "%s", pg_users[user].line);
        }
        pg_assert_nothing_left(g, pg_users[last].line);
        pg_assert_u64(g, "users of the module", pg_module_users(g, module),
                      users);
        pg_close_file(g, "fi");
        pg_do(g, "rmmod %s", module);
        pg_do(g, "insmod");
        pg_ends_works(g, pair);
    }
    pg_finish(g);
}

/*
 * Fences have no device that tells of them.  Whatever makes some, and fails or
 * not: when all is closed, the modules can go, and their caches are empty.
 */
static void pg_test_unload(const void *data)
{
    static const char *const lines[] = {
        "open fe integrated", "open fi discrete", "create fe e 65536",
        "create fi o 65536", "export e d", "import fi d i",
        "syncobj fe k", "syncobj fe k2", "syncobj fi k3",
        "syncobj-export k k",                   /* no fence yet */
        "syncobj-export k u sync-file", "syncobj-export k u",
        "syncobj-import fi u k4", "syncobj-import fi d k5",
        "syncobj-wait k 1", "syncobj-wait k:2 1", "syncobj-wait k4 1",
        "fill e 0 4096 1 insync=k2", "fill e 0 4096 1 insync=k:9",
        "fill e 0 4096 1 outsync=k outsync=k2:1 out=a wait",
        "fill i 0 4096 1 out=b outsync=k3:3 outsync=k3:4",
        "fill e 65536 4096 1 out=no", "fill e 0 4096 1 in=d out=no",
        "copy o 0 i 0 65536 in=a in=b explicit out=c insync=k4",
        "merge-sync a b ab", "merge-sync ab c abc", "merge-sync ab d no",
        "export-sync d read r", "export-sync d rw w", "import-sync d write abc",
        "import-sync d rw d", "import-sync d read r", "syncobj-signal k3:9",
        "syncobj-signal k2:5", "syncobj-signal k", "syncobj-wait k3:4 10000",
        "fence-wait abc 10000", "poll w in 10000", "poll d out 10000",
        "syncobj-transfer k:7 k2", "syncobj-transfer k k2:3",
        "syncobj-transfer k2:1 k:99", "syncobj-query k", "syncobj-query k2",
        "syncobj-load k a", "syncobj-load k abc", "syncobj-load k d",
        "syncobj-transfer k:3 k", "syncobj-reset k", "syncobj-query k",
        "syncobj-export k2 v sync-file", "syncobj-destroy k2",
        "syncobj-destroy k4", "import fe abc no", "import fi u no",
        "flink e", "mmap-fd d m 131072", "mmap-fd d m 65536 private",
        "mmap-fd abc m 4096", "mmap i m", "sync-start d rw", "checksum m",
        "bo-wait i write 10000",
    };
    PGGuest *g = pg_start(NULL);

    for (unsigned i = 0; i < 3; i++) {
        pg_do(g, "spawn p2");
        for (unsigned l = 0; l < ARRAY_SIZE(lines); l++) {
            pg_call(g, "p2 %s", lines[l]);
        }
        pg_do(g, i ? "kill p2" : "p2 exit");
        pg_do(g, "settle %u", PG_SOON_MS);
        pg_assert_nothing_left(g, "the process ended");
    }
    pg_assert_no_violations(g);
    pg_unload_all(g);
    pg_do(g, "insmod");
    pg_ends_works(g, data);
    pg_finish(g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    pg_ends_add_unplug();
    pg_ends_add_process();
    pg_ends_add_limits();
    pg_ends_add_suspend();
    for (unsigned i = 0; i < ARRAY_SIZE(pg_ends_pairs); i++) {
        g_autofree char *path =
            g_strconcat("ends/rmmod/", pg_ends_pairs[i].name, NULL);

        pg_add_case(path, pg_test_rmmod, &pg_ends_pairs[i]);
    }
    pg_add_case("ends/unload", pg_test_unload, &pg_ends_pairs[0]);
    return g_test_run();
}
