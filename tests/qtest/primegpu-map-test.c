/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: mappings.  One keeps its BO alive, with the bytes that are in
 * it, whatever else goes.
 */
#include "qemu/osdep.h"
#include "primegpu-guest-look.h"

#define PG_SIZE 65536
#define PG_TIMES 4

/* What is mapped, and by what */
typedef struct PGMapCase {
    const char *name;
    const char *gpu;            /* that made the BO */
    const char *place;
    const char *importer;       /* that maps it; NULL: the maker */
    bool by_fd;
} PGMapCase;

static const PGMapCase pg_maps[] = {
    { "integrated-file", "integrated", "pages", NULL, false },
    { "integrated-fd", "integrated", "pages", NULL, true },
    { "discrete-pages-file", "discrete", "pages", NULL, false },
    { "discrete-pages-fd", "discrete", "pages", NULL, true },
    { "discrete-vram-file", "discrete", "vram", NULL, false },
    { "discrete-vram-fd", "discrete", "vram", NULL, true },
    { "imported-by-discrete", "integrated", "pages", "discrete", false },
    { "imported-by-integrated", "discrete", "any", "integrated", false },
};

static const uint64_t pg_end;   /* of a table's keys */

typedef struct PGMapped {
    PGGuest *g;
    const PGMapCase *c;
    uint64_t key;
    uint64_t import;            /* 0: none */
} PGMapped;

/* A BO in file f, its dma-buf d, and what is to be mapped: b */
static PGMapped pg_map_start(const void *data)
{
    PGMapped m = { .c = data, .g = pg_start(NULL) };
    const PGReply *r;

    pg_open(m.g, "f", m.c->gpu);
    r = pg_do(m.g, "create f %s %u %s", m.c->importer ? "e" : "b", PG_SIZE,
              m.c->place);
    m.key = pg_u64(m.g, r, "key");
    pg_do(m.g, "place %s %s", m.c->importer ? "e" : "b", m.c->place);
    if (m.c->importer || m.c->by_fd) {
        pg_export(m.g, m.c->importer ? "e" : "b", "d");
    }
    if (m.c->importer) {
        pg_open(m.g, "o", m.c->importer);
        m.import = pg_import(m.g, "o", "d", "b");
        pg_close_fd(m.g, "d");
        pg_close(m.g, "e");
    }
    return m;
}

static const PGReply *pg_map(const PGMapped *m, const char *map,
                             const char *how)
{
    return m->c->by_fd ? pg_call(m->g, "mmap-fd d %s %u %s", map, PG_SIZE, how)
                       : pg_call(m->g, "mmap b %s %s", map, how);
}

static void pg_map_ok(const PGMapped *m, const char *map)
{
    const PGReply *r = pg_map(m, map, "");

    if (!r->ok) {
        pg_fail(m->g, "mmap failed: %s %s", r->error, r->text);
    }
}

/* Exactly the BOs of this case are alive, or none. */
static void pg_map_leaves(const PGMapped *m, bool alive)
{
    pg_settle(m->g);
    if (!alive) {
        pg_assert_table(m->g, pg_end);
    } else if (m->import) {
        pg_assert_table(m->g, m->key, m->import, pg_end);
    } else {
        pg_assert_table(m->g, m->key, pg_end);
    }
}

/*
 * What a mapping of an import keeps is the driver's business: the exporter's
 * BO at least.
 */
static void pg_map_keeps(const PGMapped *m)
{
    pg_settle(m->g);
    pg_assert_alive(m->g, m->key);
    if (!m->import) {
        pg_assert_table(m->g, m->key, pg_end);
    }
}

static void pg_map_check(const PGMapped *m, const char *map, uint64_t sum)
{
    uint64_t now = pg_checksum(m->g, map);

    if (now != sum) {
        pg_fail(m->g, "contents of %s: 0x%" PRIx64 " is not 0x%" PRIx64, map,
                now, sum);
    }
}

/* New BOs must not get the bytes that are still mapped. */
static void pg_map_disturb(const PGMapped *m)
{
    for (unsigned i = 0; i < 4; i++) {
        pg_do(m->g, "create f n%u %u %s", i, PG_SIZE, m->c->place);
        pg_do(m->g, "fill n%u 0 %u 0x%x wait", i, PG_SIZE, 0x0d0d0d00 + i);
    }
    for (unsigned i = 0; i < 4; i++) {
        pg_do(m->g, "close n%u", i);
    }
}

static void pg_test_last(const void *data)
{
    PGMapped m = pg_map_start(data);
    PGGuest *g = m.g;
    uint64_t sum;

    pg_map_ok(&m, "m");
    sum = pg_u64(g, pg_do(g, "write m 0 %u 3", PG_SIZE), "checksum");
    if (m.c->by_fd) {
        pg_close_fd(g, "d");
    }
    pg_close(g, "b");
    pg_map_keeps(&m);
    pg_map_disturb(&m);
    pg_map_check(&m, "m", sum);
    pg_map_keeps(&m);
    pg_do(g, "munmap m");
    pg_map_leaves(&m, false);
    pg_stop(g);
}

/* The same when no handle was open any more when it was mapped */
static void pg_test_without_handle(const void *data)
{
    PGMapped m = pg_map_start(data);
    PGGuest *g = m.g;
    uint64_t sum;

    if (!m.c->by_fd) {
        pg_export(g, "b", "d");
    }
    pg_close(g, "b");
    pg_do(g, "mmap-fd d m %u", PG_SIZE);
    sum = pg_u64(g, pg_do(g, "write m 0 %u 4", PG_SIZE), "checksum");
    pg_settle(g);
    pg_assert_alive(g, m.key);
    pg_close_fd(g, "d");
    pg_settle(g);
    pg_assert_alive(g, m.key);
    pg_map_disturb(&m);
    pg_map_check(&m, "m", sum);
    pg_do(g, "munmap m");
    pg_map_leaves(&m, false);
    pg_stop(g);
}

/* Each mapping is one more that keeps it, in this process or in another. */
static void pg_test_many(const void *data)
{
    PGMapped m = pg_map_start(data);
    PGGuest *g = m.g;

    for (unsigned i = 0; i < PG_TIMES; i++) {
        g_autofree char *map = g_strdup_printf("m%u", i);

        pg_map_ok(&m, map);
        pg_do(g, "write m%u 0 64 %u", i, i);
    }
    pg_do(g, "fork p2");
    if (m.c->by_fd) {
        pg_close_fd(g, "d");
    }
    pg_close(g, "b");
    pg_close_file(g, m.import ? "o" : "f");
    for (unsigned i = 0; i < PG_TIMES; i++) {
        pg_map_keeps(&m);
        pg_do(g, "munmap m%u", i);
    }
    pg_map_keeps(&m);
    pg_do(g, "kill p2");
    pg_map_leaves(&m, false);
    pg_stop(g);
}

static void pg_test_and_unmap(const void *data)
{
    PGMapped m = pg_map_start(data);
    PGGuest *g = m.g;

    for (unsigned i = 0; i < PG_TIMES; i++) {
        pg_map_ok(&m, "m");
        pg_do(g, "write m 0 64 %u", i);
        pg_do(g, "munmap m");
    }
    pg_map_leaves(&m, true);
    pg_close(g, "b");
    if (m.c->by_fd) {
        pg_map_leaves(&m, true);
        pg_close_fd(g, "d");
    }
    pg_map_leaves(&m, false);
    pg_stop(g);
}

static const struct {
    const char *name;
    PGCaseFn fn;
} pg_tests[] = {
    { "last", pg_test_last },
    { "without-handle", pg_test_without_handle },
    { "many", pg_test_many },
    { "and-unmap", pg_test_and_unmap },
};

/*
 * A mapping of VRAM does not reach it any more when its GPU has gone, whether
 * it was touched before or not; other VRAM is there when it comes back.
 */
static void pg_test_unbound(const void *data)
{
    PGMapped m = pg_map_start(data);
    PGGuest *g = m.g;
    uint64_t zeros = pg_sum_words(PG_SIZE, 0, PG_SIZE, 0);

    pg_map_ok(&m, "m");
    pg_map_ok(&m, "n");
    pg_do(g, "fill b 0 %u 0x5a5a5a5a wait", PG_SIZE);
    pg_map_check(&m, "m", pg_sum_words(PG_SIZE, 0x5a5a5a5a, PG_SIZE, 0));
    pg_do(g, "p0 unbind discrete");
    pg_map_check(&m, "m", zeros);
    pg_map_check(&m, "n", zeros);
    pg_do(g, "p0 bind discrete");
    pg_open(g, "f2", "discrete");
    pg_do(g, "create f2 c %u vram", PG_SIZE);
    pg_do(g, "fill c 0 %u 0x77777777 wait", PG_SIZE);
    pg_do(g, "write m 0 %u 9", PG_SIZE);
    pg_do(g, "write n 0 %u 9", PG_SIZE);
    pg_assert_u64(g, "VRAM that is not mapped", pg_bo_sum(g, "c"),
                  pg_sum_words(PG_SIZE, 0x77777777, PG_SIZE, 0));
    pg_stop(g);
}

/* A mapping goes with its BO, wherever that is moved. */
static void pg_test_moved(const void *data)
{
    static const char *const places[] = { "vram", "pages", "vram", "pages" };
    PGMapped m = pg_map_start(data);
    PGGuest *g = m.g;

    pg_map_ok(&m, "m");
    pg_do(g, "write m 0 %u 1", PG_SIZE);
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        uint32_t word = 0x01010101 * (i + 1);
        uint64_t sum;

        pg_do(g, "place b %s", places[i]);
        pg_do(g, "fill b 0 %u %u wait", PG_SIZE, word);
        pg_map_check(&m, "m", pg_sum_words(PG_SIZE, word, PG_SIZE, 0));
        sum = pg_u64(g, pg_do(g, "write m 0 %u %u", PG_SIZE, i), "checksum");
        pg_assert_u64(g, "what a job reads", pg_bo_sum(g, "b"), sum);
    }
    pg_do(g, "munmap m");
    pg_map_leaves(&m, true);
    pg_stop(g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_tests); i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(pg_maps); k++) {
            g_autofree char *path =
                g_strdup_printf("map/%s/%s", pg_tests[i].name,
                                pg_maps[k].name);

            pg_add_case(path, pg_tests[i].fn, &pg_maps[k]);
        }
    }
    for (unsigned k = 0; k < ARRAY_SIZE(pg_maps); k++) {
        const PGMapCase *c = &pg_maps[k];

        if (!c->importer && g_str_equal(c->gpu, "discrete")) {
            g_autofree char *path = g_strconcat("map/moved/", c->name, NULL);

            pg_add_case(path, pg_test_moved, c);
        }
        if (!c->importer && g_str_equal(c->place, "vram")) {
            g_autofree char *path = g_strconcat("map/unbound/", c->name, NULL);

            pg_add_case(path, pg_test_unbound, c);
        }
    }
    return g_test_run();
}
