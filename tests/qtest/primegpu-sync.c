/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two GPUs and a shared buffer, for the tests of synchronisation.
 */
#include "qemu/osdep.h"
#include "primegpu-sync.h"

const PGSyncPair pg_sync_pairs[2] = {
    { "integrated-exports", "integrated", "discrete" },
    { "discrete-exports", "discrete", "integrated" },
};

const char *const pg_access_names[] = {
    [PG_READ] = "read",
    [PG_WRITE] = "write",
};

PGGuest *pg_sync_start(void)
{
    PGGuest *g = pg_start(NULL);

    pg_set_job_timeout(g, 0);
    return g;
}

/* The ids of the usual machine's devices are its GPUs with a 0. */
static const char *pg_sync_gate(const char *gpu)
{
    g_autofree char *id = g_strconcat(gpu, "0", NULL);

    return g_intern_string(id);
}

void pg_sync_begin(PGSync *s)
{
    unsigned exporter = s->importer_first ? 2 : 1;
    unsigned importer = 3 - exporter;
    PGGuest *g = s->g;

    pg_restart_script(g);
    s->gate[exporter] = pg_sync_gate(s->pair->exporter);
    s->gate[importer] = pg_sync_gate(s->pair->importer);
    pg_do(g, "open f%u %s", exporter, s->pair->exporter);
    pg_do(g, "open f%u %s", importer, s->pair->importer);
    for (unsigned n = 1; n <= 2; n++) {
        pg_do(g, "create f%u o%u %u", n, n, PG_SYNC_SIZE);
        pg_do(g, "fill o%u 0 %u %u wait", n, PG_SYNC_SIZE, PG_SYNC_BEFORE);
    }
    s->key[exporter] =
        pg_u64(g, pg_do(g, "create f%u b%u %u", exporter, exporter,
                        PG_SYNC_SIZE), "key");
    pg_do(g, "fill b%u 0 %u %u wait", exporter, PG_SYNC_SIZE, PG_SYNC_BEFORE);
    pg_do(g, "export b%u d", exporter);
    s->key[importer] =
        pg_u64(g, pg_do(g, "import f%u d b%u", importer, importer), "key");
    /* Jobs are counted from here on. */
    pg_forget(g);
    pg_gate(g, s->gate[1], true);
}

void pg_sync_job(PGSync *s, unsigned n, PGAccess access, const char *options)
{
    unsigned at = n == 1 ? 0 : PG_SYNC_SIZE / 2;

    if (access == PG_WRITE) {
        pg_do(s->g, "fill b%u %u %u %u %s", n, at, PG_SYNC_SIZE - at,
              n == 1 ? PG_SYNC_FIRST : PG_SYNC_SECOND, options);
    } else {
        pg_do(s->g, "copy o%u 0 b%u 0 %u %s", n, n, PG_SYNC_SIZE, options);
    }
}

void pg_sync_first(PGSync *s, PGAccess access, const char *options)
{
    unsigned before = pg_count_events(s->g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT,
                                      s->key[1]);

    pg_sync_job(s, 1, access, options);
    pg_await_events(s->g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT, s->key[1],
                    before + 1);
}

void pg_sync_assert_held(PGSync *s, const char *what)
{
    unsigned busy;

    /* Some ticks, in which all of the guest's workers run */
    pg_settle(s->g);
    busy = pg_count_events(s->g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT,
                           s->key[1]) -
           pg_count_events(s->g, PRIME_GPU_LEDGER_EVENT_KIND_COMPLETE,
                           s->key[1]);
    pg_assert_u64(s->g, "jobs of the first GPU that the gate holds", busy, 1);
    if (pg_count_events(s->g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT,
                        s->key[2])) {
        pg_fail(s->g, "started too early: %s, while the first GPU's job is "
                "not done; last call: %s", what,
                pg_step_line(s->g, pg_step(s->g)));
    }
}

void pg_sync_open(PGSync *s)
{
    pg_gate(s->g, s->gate[1], false);
}

static void pg_sync_assert_sum(PGSync *s, const char *bo, uint32_t first,
                               uint32_t second)
{
    g_autofree char *what = g_strdup_printf("contents of %s", bo);

    pg_assert_u64(s->g, what, pg_bo_sum(s->g, bo),
                  pg_sum_words(PG_SYNC_SIZE, first, PG_SYNC_SIZE / 2, second));
}

void pg_sync_assert_bytes(PGSync *s, PGAccess first, PGAccess second)
{
    uint32_t low = first == PG_WRITE ? PG_SYNC_FIRST : PG_SYNC_BEFORE;
    uint32_t high = second == PG_WRITE ? PG_SYNC_SECOND : low;

    pg_sync_assert_sum(s, "b1", low, high);
    pg_sync_assert_sum(s, "b2", low, high);
    pg_sync_assert_sum(s, "o1", PG_SYNC_BEFORE, PG_SYNC_BEFORE);
    if (second == PG_READ) {
        pg_sync_assert_sum(s, "o2", low, low);
    }
    pg_do(s->g, "mmap-fd d md %u", PG_SYNC_SIZE);
    pg_assert_u64(s->g, "contents through the dma-buf",
                  pg_checksum(s->g, "md"),
                  pg_sum_words(PG_SYNC_SIZE, low, PG_SYNC_SIZE / 2, high));
    pg_do(s->g, "munmap md");
}

void pg_sync_end(PGSync *s)
{
    static const char *const lines[] = {
        "close-fd d", "close b1", "close b2", "close o1", "close o2",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
        pg_do(s->g, "%s", lines[i]);
    }
    pg_assert_nothing_left(s->g, "all handles were closed");
    pg_close_file(s->g, "f1");
    pg_close_file(s->g, "f2");
    pg_assert_no_violations(s->g);
}
