/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: the ways in which a buffer comes to be shared, and the processes
 * that share it.
 */
#include "qemu/osdep.h"
#include "primegpu-seed.h"

#define PG_SIZE "65536"

static const PGSeed pg_directions[] = {
    { "integrated", "discrete" },
    { "discrete", "integrated" },
};

static const char *const pg_direction_names[] = {
    "integrated-exports", "discrete-exports",
};

static const uint64_t pg_end;   /* of a table's keys */

/* Settle, and the step before must have left exactly these BOs, no more. */
#define PG_LEAVES(g, ...)                       \
    do {                                        \
        pg_settle(g);                           \
        pg_assert_table(g, __VA_ARGS__);        \
    } while (0)

static PGGuest *pg_share_start(const PGSeed *seed)
{
    PGMachine m = { 0 };
    PGGuest *g;

    if (seed->variant) {
        pg_machine_variant(&m, seed->variant);
    }
    g = pg_start(&m);
    pg_seed_open(g, seed);
    return g;
}

static void pg_assert_same(PGGuest *g, const char *what, uint64_t a,
                           uint64_t b)
{
    if (a != b) {
        pg_fail(g, "%s: 0x%" PRIx64 " is not 0x%" PRIx64 ", at: %s", what, a,
                b, pg_step_line(g, pg_step(g)));
    }
}

static void pg_assert_differ(PGGuest *g, const char *what, uint64_t a,
                             uint64_t b)
{
    if (a == b) {
        pg_fail(g, "%s: both are 0x%" PRIx64 ", at: %s", what, a,
                pg_step_line(g, pg_step(g)));
    }
}

static uint64_t pg_export_inode(PGGuest *g, const char *bo, const char *fd)
{
    return pg_u64(g, pg_do(g, "export %s %s", bo, fd), "inode");
}

/* One handle has one dma-buf, however often it is exported. */
static void pg_test_double_export(const void *data)
{
    PGGuest *g = pg_share_start(data);
    uint64_t e = pg_create(g, "fe", "e", 65536);
    uint64_t inode = pg_export_inode(g, "e", "d1");
    uint64_t i;

    pg_assert_same(g, "inode", pg_export_inode(g, "e", "d2"), inode);
    pg_close_fd(g, "d1");
    PG_LEAVES(g, e, pg_end);
    i = pg_import(g, "fi", "d2", "i");
    pg_close_fd(g, "d2");
    PG_LEAVES(g, e, i, pg_end);
    pg_close(g, "e");
    PG_LEAVES(g, e, i, pg_end);
    pg_close(g, "i");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

static void pg_test_export_after_close_fd(const void *data)
{
    PGGuest *g = pg_share_start(data);
    uint64_t e = pg_create(g, "fe", "e", 65536);
    uint64_t inode = pg_export_inode(g, "e", "d1");

    pg_close_fd(g, "d1");
    PG_LEAVES(g, e, pg_end);
    pg_assert_same(g, "inode", pg_export_inode(g, "e", "d2"), inode);
    pg_close(g, "e");
    PG_LEAVES(g, e, pg_end);
    pg_close_fd(g, "d2");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* A file that imports a dma-buf twice gets one handle: one close ends it. */
static void pg_test_double_import(const void *data)
{
    PGGuest *g = pg_share_start(data);
    uint64_t e = pg_create(g, "fe", "e", 65536);
    const PGReply *first, *second;
    uint64_t i;

    pg_export(g, "e", "d");
    first = pg_do(g, "import fi d i1");
    second = pg_do(g, "import fi d i2");
    i = pg_u64(g, first, "key");
    pg_assert_same(g, "handle", pg_u64(g, second, "handle"),
                   pg_u64(g, first, "handle"));
    pg_assert_same(g, "key", pg_u64(g, second, "key"), i);
    PG_LEAVES(g, e, i, pg_end);
    pg_close(g, "i1");
    PG_LEAVES(g, e, pg_end);
    pg_err(g, "EINVAL", "close i2");
    pg_close(g, "e");
    PG_LEAVES(g, e, pg_end);
    pg_close_fd(g, "d");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* Each of them on its own: neither lets go of the other's. */
static void pg_test_import_in_two_files(const void *data)
{
    const PGSeed *seed = data;
    PGGuest *g = pg_share_start(seed);
    uint64_t e = pg_create(g, "fe", "e", 65536);
    uint64_t i1, i2;

    pg_open(g, "fi2", seed->importer);
    pg_export(g, "e", "d");
    i1 = pg_import(g, "fi", "d", "i1");
    i2 = pg_import(g, "fi2", "d", "i2");
    pg_assert_differ(g, "key", i1, i2);
    pg_close_fd(g, "d");
    pg_close(g, "e");
    PG_LEAVES(g, e, i1, i2, pg_end);
    pg_close_file(g, "fi");
    PG_LEAVES(g, e, i2, pg_end);
    pg_close(g, "i2");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* An importer that exports gives the first dma-buf again. */
static void pg_test_re_export(const void *data)
{
    PGGuest *g = pg_share_start(data);
    uint64_t e = pg_create(g, "fe", "e", 65536);
    uint64_t inode = pg_export_inode(g, "e", "d");
    uint64_t i = pg_import(g, "fi", "d", "i");

    pg_assert_same(g, "inode", pg_export_inode(g, "i", "again"), inode);
    pg_close_fd(g, "d");
    pg_close(g, "i");
    PG_LEAVES(g, e, pg_end);
    pg_close(g, "e");
    PG_LEAVES(g, e, pg_end);
    i = pg_import(g, "fi", "again", "i");
    PG_LEAVES(g, e, i, pg_end);
    pg_close_fd(g, "again");
    pg_close(g, "i");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* The exporter's own dma-buf, in its file: the same handle */
static void pg_test_self_import(const void *data)
{
    PGGuest *g = pg_share_start(data);
    const PGReply *made = pg_do(g, "create fe e " PG_SIZE);
    uint64_t e = pg_u64(g, made, "key");
    const PGReply *self;

    pg_export(g, "e", "d");
    self = pg_do(g, "import fe d self");
    pg_assert_same(g, "handle", pg_u64(g, self, "handle"),
                   pg_u64(g, made, "handle"));
    pg_assert_same(g, "key", pg_u64(g, self, "key"), e);
    PG_LEAVES(g, e, pg_end);
    pg_close(g, "self");
    PG_LEAVES(g, e, pg_end);
    pg_close_fd(g, "d");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* In another file of the same device: the same BO, with a handle more */
static void pg_test_self_import_other_file(const void *data)
{
    const PGSeed *seed = data;
    PGGuest *g = pg_share_start(seed);
    uint64_t e = pg_create(g, "fe", "e", 65536);

    pg_open(g, "fe2", seed->exporter);
    pg_export(g, "e", "d");
    pg_assert_same(g, "key", pg_import(g, "fe2", "d", "e2"), e);
    pg_close_fd(g, "d");
    pg_close(g, "e");
    PG_LEAVES(g, e, pg_end);
    pg_close(g, "e2");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* Close it, import what was exported of it: a new handle to the same BO */
static void pg_test_import_after_close(const void *data)
{
    PGGuest *g = pg_share_start(data);
    uint64_t e = pg_create(g, "fe", "e", 65536);
    uint64_t other;

    pg_export(g, "e", "d");
    pg_close(g, "e");
    PG_LEAVES(g, e, pg_end);
    other = pg_create(g, "fe", "other", 65536);
    pg_assert_same(g, "key", pg_import(g, "fe", "d", "back"), e);
    PG_LEAVES(g, e, other, pg_end);
    pg_close(g, "other");
    PG_LEAVES(g, e, pg_end);
    pg_close_fd(g, "d");
    pg_close(g, "back");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* Two handles to one BO: the BO has one dma-buf, each handle its entry. */
static void pg_test_flink(const void *data)
{
    const PGSeed *seed = data;
    PGGuest *g = pg_start(NULL);
    uint64_t e, name, inode;

    pg_do(g, "open fe %s card", seed->exporter);
    e = pg_create(g, "fe", "h1", 65536);
    name = pg_u64(g, pg_do(g, "flink h1"), "name");
    pg_do(g, "gem-open fe %" PRIu64 " h2", name);
    inode = pg_export_inode(g, "h1", "d1");
    pg_assert_same(g, "inode", pg_export_inode(g, "h2", "d2"), inode);
    pg_close(g, "h2");
    PG_LEAVES(g, e, pg_end);
    /* The other handle is one that lets the file map the BO. */
    pg_do(g, "mmap h1 m");
    pg_do(g, "munmap m");
    pg_assert_same(g, "key", pg_import(g, "fe", "d1", "h3"), e);
    pg_close_fd(g, "d1");
    pg_close_fd(g, "d2");
    pg_close(g, "h1");
    pg_settle(g);
    pg_close_file(g, "fe");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* vgem has no device that tells: the import is shown as foreign. */
static void pg_test_import_from_vgem(const void *data)
{
    const PGSeed *seed = data;
    PGGuest *g = pg_start(NULL);
    g_autoptr(GArray) bos = NULL;
    uint64_t i;

    pg_open(g, "fv", "vgem");
    pg_open(g, "fi", seed->importer);
    pg_do(g, "create fv v " PG_SIZE);
    pg_export(g, "v", "d");
    i = pg_import(g, "fi", "d", "i");
    PG_LEAVES(g, i, pg_end);
    bos = pg_bos(g, NULL);
    if (!g_array_index(bos, PGBo, 0).foreign) {
        pg_fail(g, "the import of vgem's buffer is not shown as foreign");
    }
    pg_close_fd(g, "d");
    pg_close(g, "v");
    PG_LEAVES(g, i, pg_end);
    pg_close(g, "i");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

static void pg_test_export_to_vgem(const void *data)
{
    const PGSeed *seed = data;
    PGGuest *g = pg_start(NULL);
    uint64_t e;

    pg_open(g, "fe", seed->exporter);
    pg_open(g, "fv", "vgem");
    e = pg_create(g, "fe", "e", 65536);
    pg_export(g, "e", "d");
    pg_do(g, "import fv d v");
    pg_close_fd(g, "d");
    pg_close(g, "e");
    PG_LEAVES(g, e, pg_end);
    pg_close(g, "v");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* An fd that another process has keeps the buffer when its maker has gone. */
static void pg_test_other_process(const void *data)
{
    const PGSeed *seed = data;
    PGGuest *g = pg_start(NULL);
    uint64_t e, i;

    pg_do(g, "spawn p2");
    pg_do(g, "spawn p3");
    pg_do(g, "p2 open fe %s", seed->exporter);
    e = pg_u64(g, pg_do(g, "p2 create fe e " PG_SIZE), "key");
    pg_do(g, "p2 export e d");
    pg_do(g, "p2 send d p3 d");
    pg_do(g, "p2 close-fd d");
    pg_do(g, "kill p2");
    PG_LEAVES(g, e, pg_end);
    pg_do(g, "p3 open fi %s", seed->importer);
    i = pg_u64(g, pg_do(g, "p3 import fi d i"), "key");
    pg_do(g, "p3 close-fd d");
    PG_LEAVES(g, e, i, pg_end);
    pg_do(g, "kill p3");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* A forked process has the same open files: the last one closes the handles */
static void pg_test_fork(const void *data)
{
    PGGuest *g = pg_share_start(data);
    uint64_t e = pg_create(g, "fe", "e", 65536);
    uint64_t i;

    pg_export(g, "e", "d");
    i = pg_import(g, "fi", "d", "i");
    pg_do(g, "fork p2");
    pg_close_fd(g, "d");
    pg_close_file(g, "fe");
    pg_close_file(g, "fi");
    PG_LEAVES(g, e, i, pg_end);
    pg_do(g, "kill p2");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* Kill the process of the seed's scenario after each of its steps. */
static void pg_test_killed(const void *data)
{
    const PGSeed *seed = data;
    PGGuest *g = pg_start(NULL);

    for (unsigned last = 0; last <= PG_SEED_STEPS; last++) {
        pg_restart_script(g);
        pg_do(g, "spawn p2");
        pg_do(g, "p2 open fe %s", seed->exporter);
        pg_do(g, "p2 open fi %s", seed->importer);
        for (unsigned i = 0; i < last; i++) {
            pg_do(g, "p2 %s", pg_seed_steps[i].line);
        }
        pg_do(g, "kill p2");
        PG_LEAVES(g, pg_end);
    }
    pg_stop(g);
}

/* Kill it while another process has the fd: the buffer stays. */
static void pg_test_killed_shared(const void *data)
{
    const PGSeed *seed = data;
    PGGuest *g = pg_start(NULL);

    for (unsigned last = 2; last < PG_SEED_STEPS; last++) {
        uint64_t e = 0;

        pg_restart_script(g);
        pg_do(g, "spawn p2");
        pg_do(g, "p2 open fe %s", seed->exporter);
        pg_do(g, "p2 open fi %s", seed->importer);
        for (unsigned i = 0; i < last; i++) {
            const PGReply *r = pg_do(g, "p2 %s", pg_seed_steps[i].line);

            if (i == 0) {
                e = pg_u64(g, r, "key");
            } else if (i == 1) {
                pg_do(g, "p2 send d1 p1 kept");
            }
        }
        pg_do(g, "kill p2");
        PG_LEAVES(g, e, pg_end);
        pg_close_fd(g, "kept");
        PG_LEAVES(g, pg_end);
    }
    pg_stop(g);
}

/* What one GPU or the processor writes, the other GPU must read. */
static void pg_test_contents(const void *data)
{
    const PGSeed *seed = data;
    PGGuest *g = pg_share_start(seed);
    uint64_t sum, filled;

    pg_create(g, "fe", "e", 65536);
    pg_do(g, "mmap e me");
    sum = pg_u64(g, pg_do(g, "write me 0 " PG_SIZE " 7"), "checksum");
    pg_export(g, "e", "d");
    pg_import(g, "fi", "d", "i");

    pg_create(g, "fi", "o", 65536);
    pg_do(g, "copy o 0 i 0 " PG_SIZE " wait");
    pg_do(g, "mmap o mo");
    pg_assert_same(g, "contents", pg_checksum(g, "mo"), sum);

    pg_do(g, "fill i 4096 8192 0x12345678 wait");
    filled = pg_checksum(g, "me");
    pg_assert_differ(g, "contents", filled, sum);
    pg_create(g, "fe", "o2", 65536);
    pg_do(g, "copy o2 0 e 0 " PG_SIZE " wait");
    pg_do(g, "mmap o2 mo2");
    pg_assert_same(g, "contents", pg_checksum(g, "mo2"), filled);
    pg_do(g, "mmap-fd d md " PG_SIZE);
    pg_assert_same(g, "contents", pg_checksum(g, "md"), filled);
    pg_stop(g);
}

static const struct {
    const char *name;
    PGCaseFn fn;
} pg_tests[] = {
    { "double-export", pg_test_double_export },
    { "export-after-close-fd", pg_test_export_after_close_fd },
    { "double-import", pg_test_double_import },
    { "import-in-two-files", pg_test_import_in_two_files },
    { "re-export", pg_test_re_export },
    { "self-import", pg_test_self_import },
    { "self-import-other-file", pg_test_self_import_other_file },
    { "import-after-close", pg_test_import_after_close },
    { "flink", pg_test_flink },
    { "import-from-vgem", pg_test_import_from_vgem },
    { "export-to-vgem", pg_test_export_to_vgem },
    { "other-process", pg_test_other_process },
    { "fork", pg_test_fork },
    { "killed", pg_test_killed },
    { "killed-shared", pg_test_killed_shared },
    { "contents", pg_test_contents },
};

/* Kernel variants, and the test that has to notice each of them */
typedef struct PGVariantCase {
    PGSeed seed;
    const char *name;
    PGCaseFn fn;
    const char *reasons[3];     /* ends with NULL */
} PGVariantCase;

static const PGVariantCase pg_variants[] = {
    {
        { "integrated", "discrete", "stale-handle" },
        "import-after-close", pg_test_import_after_close,
        { "key:", "not released:" },
    },
    {
        { "integrated", "discrete", "entry-keeps-dmabuf" },
        "double-export", pg_test_double_export, { "not released:" },
    },
};

static void pg_test_variant(const void *data)
{
    const PGVariantCase *v = data;

    pg_run_red(v->name, v->fn, &v->seed, v->reasons);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_variants); i++) {
        g_autofree char *path =
            g_strconcat("variant/", pg_variants[i].seed.variant, NULL);

        pg_add_case(path, pg_test_variant, &pg_variants[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(pg_tests); i++) {
        for (unsigned d = 0; d < ARRAY_SIZE(pg_directions); d++) {
            g_autofree char *path =
                g_strdup_printf("share/%s/%s", pg_tests[i].name,
                                pg_direction_names[d]);

            pg_add_case(path, pg_tests[i].fn, &pg_directions[d]);
        }
    }
    return g_test_run();
}
