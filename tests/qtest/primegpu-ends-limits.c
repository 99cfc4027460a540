/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: devices that have no room left, and an engine that hangs.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "primegpu-ends.h"

#define PG_BO_MAX 4
#define PG_BYTES_MAX (1 * MiB)
#define PG_VRAM (2 * MiB)

#define PG_BOTH(option) \
    "-global primegpu-integrated." option " -global primegpu-discrete." option

static void pg_close_many(PGGuest *g, const char *name, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        pg_do(g, "close %s%u", name, i);
    }
}

/* Each GPU full, to the last BO, and refused imports in both ways */
static void pg_bo_max_round(PGGuest *g, const PGEndsPair *pair)
{
    pg_restart_script(g);
    pg_open(g, "fe", pair->exporter);
    pg_open(g, "fi", pair->importer);
    for (unsigned i = 0; i < PG_BO_MAX; i++) {
        pg_do(g, "create fe e%u 4096", i);
        pg_do(g, "create fi i%u 4096", i);
    }
    pg_err(g, "ENOSPC", "create fe no 4096");
    pg_err(g, "ENOSPC", "create fi no 4096");
    pg_export(g, "e0", "d");
    pg_err(g, "ENOSPC", "import fi d no");
    pg_err(g, "ENOSPC", "import fi d no");
    pg_close(g, "i0");
    pg_do(g, "import fi d i0");
    pg_do(g, "fill i0 0 4096 1 wait");
    pg_err(g, "ENOSPC", "create fi no 4096");
    pg_close(g, "e0");
    pg_err(g, "ENOSPC", "create fe no 4096");
    pg_close_many(g, "i", PG_BO_MAX);
    pg_close_fd(g, "d");
    pg_settle(g);
    pg_do(g, "create fe e0 4096");
    pg_close_many(g, "e", PG_BO_MAX);
    pg_assert_nothing_left(g, "all was closed");
    pg_close_file(g, "fe");
    pg_close_file(g, "fi");
}

static void pg_test_bo_max(const void *data)
{
    const PGMachine m = {
        .extra = PG_BOTH("bo-max=" stringify(PG_BO_MAX)),
    };
    PGGuest *g = pg_start(&m);

    for (unsigned i = 0; i < 3; i++) {
        pg_bo_max_round(g, &pg_ends_pairs[0]);
        pg_bo_max_round(g, &pg_ends_pairs[1]);
    }
    pg_finish(g);
}

static void pg_bytes_max_round(PGGuest *g, const PGEndsPair *pair)
{
    pg_restart_script(g);
    pg_open(g, "fe", pair->exporter);
    pg_open(g, "fi", pair->importer);
    pg_err(g, "ENOSPC", "create fe no %" PRIu64, (uint64_t)PG_BYTES_MAX + 1);
    pg_err(g, "ENOSPC", "create fe no 0xfffffffffffff000");
    pg_do(g, "create fe e %" PRIu64, (uint64_t)PG_BYTES_MAX);
    pg_err(g, "ENOSPC", "create fe no 4096");
    pg_do(g, "create fi i 4096");
    pg_export(g, "e", "d");
    pg_err(g, "ENOSPC", "import fi d no");
    pg_close(g, "i");
    pg_do(g, "import fi d i");
    pg_do(g, "fill i 0 65536 1 wait");
    pg_err(g, "ENOSPC", "create fi no 4096");
    pg_close(g, "e");
    pg_close(g, "i");
    pg_close_fd(g, "d");
    pg_assert_nothing_left(g, "all was closed");
    pg_close_file(g, "fe");
    pg_close_file(g, "fi");
}

static void pg_test_bytes_max(const void *data)
{
    const PGMachine m = { .extra = PG_BOTH("bytes-max=1M") };
    PGGuest *g = pg_start(&m);

    for (unsigned i = 0; i < 3; i++) {
        pg_bytes_max_round(g, &pg_ends_pairs[0]);
        pg_bytes_max_round(g, &pg_ends_pairs[1]);
    }
    pg_finish(g);
}

/* More shared buffers than VRAM holds: they take turns, and keep their bytes */
static void pg_test_vram(const void *data)
{
    const PGMachine m = { .extra = "-global primegpu-discrete.vram-size=2M" };
    const unsigned size = PG_VRAM / 4, n = 7;
    PGGuest *g = pg_start(&m);

    pg_open(g, "fe", "discrete");
    pg_open(g, "fi", "integrated");
    pg_err(g, "ENOSPC", "create fe no %" PRIu64 " vram",
           (uint64_t)PG_VRAM + 4096);
    for (unsigned i = 0; i < n; i++) {
        pg_do(g, "create fe e%u %u", i, size);
        pg_do(g, "fill e%u 0 %u %u wait", i, size, i + 1);
        pg_do(g, "export e%u d%u", i, i);
        pg_do(g, "import fi d%u i%u", i, i);
        pg_do(g, "close-fd d%u", i);
        pg_do(g, "create fi o%u %u", i, size);
    }
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < n; i++) {
            g_autofree char *copy = g_strdup_printf("o%u", i);

            pg_do(g, "copy o%u 0 i%u 0 %u wait", i, i, size);
            pg_assert_u64(g, "contents of the copy", pg_bo_sum(g, copy),
                          pg_sum_words(size, i + 1, size, 0));
            pg_do(g, "fill e%u 0 4096 %u", i, i + 1);
        }
    }
    pg_close_many(g, "o", n);
    pg_close_many(g, "e", n);
    pg_close_many(g, "i", n);
    pg_do(g, "settle %u", PG_SOON_MS);
    pg_assert_nothing_left(g, "all was closed");

    /* Buffers that jobs may find nowhere else push each other out. */
    for (unsigned i = 0; i < 2 * n; i++) {
        if (i < n) {
            pg_do(g, "create fe e%u %u vram", i, size);
        }
        pg_do(g, "fill e%u 0 %u %u wait", i % n, size, i);
    }
    pg_close_many(g, "e", n);
    pg_assert_nothing_left(g, "all was closed");
    pg_close_file(g, "fe");
    pg_close_file(g, "fi");
    pg_finish(g);
}

typedef struct PGHang {
    PGGuest *g;
    const PGEndsPair *pair;
    bool importer;              /* is the GPU that hangs */
    bool closed;                /* everything, while it hangs */
} PGHang;

static void pg_hang_check(PGHang *h)
{
    int64_t status = pg_u64(h->g, pg_do(h->g, "fence-wait x %u", PG_SOON_MS),
                            "status");

    if (status >= 0) {
        pg_fail(h->g, "the job that was cancelled has status %" PRId64,
                status);
    }
    pg_do(h->g, "fence-wait y %u", PG_SOON_MS);
    if (!h->closed) {
        /* What was cancelled has written nothing, the other has. */
        pg_assert_u64(h->g, "contents", pg_bo_sum(h->g, "e"),
                      pg_sum_words(PG_ENDS_SIZE, 0x44444444, 8192,
                                   0x11111111));
    }
}

static void pg_hang_round(PGHang *h)
{
    static const char *const all[] = {
        "close i", "close e", "close-fd d", "munmap m", NULL,
    };
    const char *mine = h->importer ? "i" : "e";
    const char *other = h->importer ? "e" : "i";
    const char *id = pg_ends_id(h->importer ? h->pair->importer
                                            : h->pair->exporter);
    PGGuest *g = h->g;
    uint64_t e, i;

    pg_restart_script(g);
    pg_open(g, "fe", h->pair->exporter);
    pg_open(g, "fi", h->pair->importer);
    e = pg_create(g, "fe", "e", PG_ENDS_SIZE);
    pg_do(g, "fill e 0 %u 0x11111111 wait", PG_ENDS_SIZE);
    pg_export(g, "e", "d");
    i = pg_import(g, "fi", "d", "i");
    pg_do(g, "mmap-fd d m %u", PG_ENDS_SIZE);
    /* Everything has to be closed before the hang is found. */
    pg_set_job_timeout(g, h->closed ? 3000 : 300);
    pg_forget(g);
    pg_gate(g, id, true);
    pg_do(g, "fill %s 0 %u 0x22222222 out=x", mine, PG_ENDS_SIZE);
    pg_do(g, "fill %s 0 4096 0x33333333", mine);
    pg_do(g, "fill %s 0 8192 0x44444444 out=y", other);
    pg_await_events(g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT,
                    h->importer ? i : e, 1);
    if (h->closed) {
        pg_ends_drop(g, all);
        pg_assert_alive(g, e);
    }
    pg_hang_check(h);
    pg_gate(g, id, false);
    pg_set_job_timeout(g, 0);
    pg_ends_drop(g, all);
    pg_close_fd(g, "x");
    pg_close_fd(g, "y");
    pg_do(g, "settle %u", PG_SOON_MS);
    pg_assert_nothing_left(g, "all was closed");
    pg_close_file(g, "fe");
    pg_close_file(g, "fi");
    pg_ends_works(g, h->pair);
}

static void pg_test_hang(const void *data)
{
    PGHang h = { .g = pg_start(NULL), .pair = data };

    for (unsigned i = 0; i < 4; i++) {
        h.importer = i & 1;
        h.closed = i & 2;
        pg_hang_round(&h);
    }
    pg_finish(h.g);
}

/* The hardware has two jobs: the first is done, and the second hangs. */
static void pg_test_hang_next(const void *data)
{
    const PGEndsPair *pair = data;
    const char *id = pg_ends_id(pair->exporter);
    PGGuest *g = pg_start(NULL);
    uint64_t e;

    pg_open(g, "fe", pair->exporter);
    e = pg_create(g, "fe", "e", PG_ENDS_SIZE);
    pg_do(g, "fill e 0 %u 0x11111111 wait", PG_ENDS_SIZE);
    pg_set_job_timeout(g, 300);
    pg_forget(g);
    pg_gate(g, id, true);
    qtest_qmp_assert_success(pg_qts(g), "{ 'execute': 'primegpu-inject',"
                             "  'arguments': { 'device': %s,"
                             "    'fault': 'hang', 'at': 2 } }", id);
    pg_do(g, "fill e 0 4096 0x22222222 out=x");
    pg_do(g, "fill e 0 %u 0x33333333 out=y", PG_ENDS_SIZE);
    pg_await_events(g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT, e, 2);
    pg_gate(g, id, false);
    pg_assert_u64(g, "status of the first job",
                  pg_u64(g, pg_do(g, "fence-wait x %u", PG_SOON_MS), "status"),
                  1);
    if ((int64_t)pg_u64(g, pg_do(g, "fence-wait y %u", PG_SOON_MS),
                        "status") >= 0) {
        pg_fail(g, "the job that hangs was not cancelled");
    }
    pg_assert_u64(g, "contents", pg_bo_sum(g, "e"),
                  pg_sum_words(PG_ENDS_SIZE, 0x22222222, 4096, 0x11111111));
    pg_set_job_timeout(g, 0);
    pg_do_lines(g, "close e; close-fd x; close-fd y; close-file fe");
    pg_ends_works(g, pair);
    pg_finish(g);
}

void pg_ends_add_limits(void)
{
    pg_add_case("ends/limit/bo-max", pg_test_bo_max, NULL);
    pg_add_case("ends/limit/bytes-max", pg_test_bytes_max, NULL);
    pg_add_case("ends/limit/vram", pg_test_vram, NULL);
    for (unsigned p = 0; p < ARRAY_SIZE(pg_ends_pairs); p++) {
        g_autofree char *path =
            g_strconcat("ends/hang/", pg_ends_pairs[p].name, NULL);
        g_autofree char *next =
            g_strconcat("ends/hang-next/", pg_ends_pairs[p].name, NULL);

        pg_add_case(path, pg_test_hang, &pg_ends_pairs[p]);
        pg_add_case(next, pg_test_hang_next, &pg_ends_pairs[p]);
    }
}
