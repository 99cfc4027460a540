/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: several handles to one object in one file.  Each has its own
 * entry in the file's cache of dma-bufs; when one is closed, imports must
 * return one that is open, and the BO goes with the last.
 */
#include "qemu/osdep.h"
#include "primegpu-guest.h"

#define PG_SIZE 65536

static const char *const pg_gpus[] = { "integrated", "discrete" };
static const char *const pg_others[] = { "discrete", "integrated" };

static const uint64_t pg_end;   /* of a table's keys */

/* Settle, and the step before must have left exactly these BOs. */
#define PG_LEAVES(g, ...)                       \
    do {                                        \
        pg_settle(g);                           \
        pg_assert_table(g, __VA_ARGS__);        \
    } while (0)

/* Which of the handles are exported before one is closed */
typedef struct PGHandleCase {
    unsigned gpu;
    bool export_first;
    bool export_second;
    bool second_first;          /* export the second one before the first */
    bool close_second;
} PGHandleCase;

/* A BO with two handles, h1 and h2, in file f; returns its key */
static uint64_t pg_two_handles(PGGuest *g, const char *gpu)
{
    uint64_t key, name;

    /* A render node has no names. */
    pg_do(g, "open f %s card", gpu);
    key = pg_create(g, "f", "h1", PG_SIZE);
    name = pg_u64(g, pg_do(g, "flink h1"), "name");
    pg_do(g, "gem-open f %" PRIu64 " h2", name);
    return key;
}

static void pg_assert_handle(PGGuest *g, const PGReply *r, uint64_t key,
                             uint64_t handle)
{
    g_autofree char *has_key = pg_str(r, "key");

    if (!has_key) {
        pg_fail(g, "the import returned a dead handle: %s", r->text);
    }
    if (pg_u64(g, r, "key") != key) {
        pg_fail(g, "the import returned BO %s, and not 0x%" PRIx64, has_key,
                key);
    }
    if (handle && pg_u64(g, r, "handle") != handle) {
        pg_fail(g, "the import returned handle %" PRIu64 ", and not %" PRIu64,
                pg_u64(g, r, "handle"), handle);
    }
}

static uint64_t pg_handle(PGGuest *g, const char *bo)
{
    return pg_u64(g, pg_do(g, "info %s", bo), "handle");
}

static void pg_export_some(PGGuest *g, const PGHandleCase *c)
{
    const char *first = c->second_first ? "h2" : "h1";
    const char *second = c->second_first ? "h1" : "h2";

    if (c->second_first ? c->export_second : c->export_first) {
        pg_do(g, "export %s d", first);
        if (c->export_first && c->export_second) {
            pg_do(g, "export %s d2", second);
            pg_close_fd(g, "d2");
        }
    } else {
        pg_do(g, "export %s d", second);
    }
}

static void pg_test_close_one(const void *data)
{
    const PGHandleCase *c = data;
    const char *closed = c->close_second ? "h2" : "h1";
    const char *left = c->close_second ? "h1" : "h2";
    bool left_known = c->close_second ? c->export_first : c->export_second;
    PGGuest *g = pg_start(NULL);
    uint64_t key = pg_two_handles(g, pg_gpus[c->gpu]);
    uint64_t handle = pg_handle(g, left), other;
    const PGReply *r;

    pg_export_some(g, c);
    pg_close(g, closed);
    PG_LEAVES(g, key, pg_end);
    /* What the other one allows is allowed. */
    pg_do(g, "mmap %s m", left);
    pg_do(g, "munmap m");

    /* A handle that was never exported is not in the cache. */
    r = pg_do(g, "import f d back");
    pg_assert_handle(g, r, key, left_known ? handle : 0);
    if (!left_known) {
        pg_close(g, "back");
        PG_LEAVES(g, key, pg_end);
    }
    /* The number of the closed one is used again, for another BO. */
    other = pg_create(g, "f", "other", PG_SIZE);
    r = pg_do(g, "import f d back2");
    pg_assert_handle(g, r, key, left_known ? handle : 0);
    if (!left_known) {
        pg_close(g, "back2");
    }
    pg_do(g, "fill %s 0 4096 0x11111111 wait", left);
    pg_close(g, left);
    PG_LEAVES(g, key, other, pg_end);
    pg_close_fd(g, "d");
    PG_LEAVES(g, other, pg_end);
    pg_close(g, "other");
    PG_LEAVES(g, pg_end);
    pg_close_file(g, "f");
    pg_stop(g);
}

/* The other GPU imports; then the file with two handles is closed. */
static void pg_test_close_file(const void *data)
{
    const PGHandleCase *c = data;
    PGGuest *g = pg_start(NULL);
    uint64_t key = pg_two_handles(g, pg_gpus[c->gpu]);
    uint64_t import;

    pg_open(g, "o", pg_others[c->gpu]);
    pg_export_some(g, c);
    import = pg_import(g, "o", "d", "i");
    pg_close_fd(g, "d");
    pg_close_file(g, "f");
    PG_LEAVES(g, key, import, pg_end);
    pg_close(g, "i");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* The two handles of an import, made by its flink name */
static void pg_test_imported(const void *data)
{
    const PGHandleCase *c = data;
    PGGuest *g = pg_start(NULL);
    uint64_t key, import, name;
    const PGReply *r;

    pg_do(g, "open f %s card", pg_gpus[c->gpu]);
    pg_open(g, "o", pg_others[c->gpu]);
    key = pg_create(g, "o", "e", PG_SIZE);
    pg_export(g, "e", "d");
    import = pg_import(g, "f", "d", "h1");
    name = pg_u64(g, pg_do(g, "flink h1"), "name");
    pg_do(g, "gem-open f %" PRIu64 " h2", name);
    if (c->export_second) {
        pg_do(g, "export h2 d2");
        pg_close_fd(g, "d2");
    }
    pg_close(g, c->close_second ? "h2" : "h1");
    PG_LEAVES(g, key, import, pg_end);
    r = pg_do(g, "import f d back");
    /* The first one is in the cache, the second one if it was exported. */
    if (c->close_second || c->export_second) {
        pg_assert_handle(g, r, import, 0);
    }
    pg_close_file(g, "f");
    PG_LEAVES(g, key, pg_end);
    pg_close_fd(g, "d");
    pg_close(g, "e");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

static void pg_handle_add(const char *what, PGCaseFn fn, PGHandleCase c)
{
    g_autofree char *path =
        g_strdup_printf("handle/%s/%s/export-%s/close-%s", what,
                        pg_gpus[c.gpu],
                        c.export_first && c.export_second
                        ? (c.second_first ? "both-second-first" : "both")
                        : c.export_first ? "first" : "second",
                        c.close_second ? "second" : "first");
    PGHandleCase *copy = g_memdup2(&c, sizeof(c));

    pg_add_case(path, fn, copy);
}

int main(int argc, char **argv)
{
    static const PGHandleCase exports[] = {
        { .export_first = true },
        { .export_second = true, .second_first = true },
        { .export_first = true, .export_second = true },
        { .export_first = true, .export_second = true, .second_first = true },
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned gpu = 0; gpu < ARRAY_SIZE(pg_gpus); gpu++) {
        for (unsigned i = 0; i < ARRAY_SIZE(exports); i++) {
            PGHandleCase c = exports[i];

            c.gpu = gpu;
            pg_handle_add("close-file", pg_test_close_file, c);
            for (unsigned k = 0; k < 2; k++) {
                c.close_second = k;
                pg_handle_add("close-one", pg_test_close_one, c);
                if (i < 2) {
                    pg_handle_add("imported", pg_test_imported, c);
                }
            }
        }
    }
    return g_test_run();
}
