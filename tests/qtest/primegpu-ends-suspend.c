/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: the machine sleeps and wakes while buffers are exported,
 * imported, mapped and in jobs.  What is in VRAM goes to pages before the
 * devices sleep; every byte and every handle is there when they have woken.
 */
#include "qemu/osdep.h"
#include "primegpu-ends.h"
#include "primegpu-sleep.h"

/* So long a job is under way when the machine is told to sleep, in ns */
#define PG_LATE_NS  (200 * 1000 * 1000)

typedef struct PGSleepCase {
    const PGEndsPair *pair;
    bool dynamic;
} PGSleepCase;

typedef struct PGSleep {
    PGGuest *g;
    const PGSleepCase *c;
    uint64_t e, i, v, o;        /* keys */
    uint32_t word;              /* that all bytes of e are made of */
} PGSleep;

/* A job of the exporter that is late, and one of the importer that waits */
static void pg_sleep_start_jobs(PGSleep *s)
{
    const char *device = pg_ends_id(s->c->pair->exporter);

    qtest_qmp_assert_success(pg_qts(s->g), "{ 'execute': 'primegpu-inject',"
                             "  'arguments': { 'device': %s,"
                             "    'fault': 'delay', 'at': 1, 'ns': %d } }",
                             device, PG_LATE_NS);
    pg_do(s->g, "fill e 0 %u %u", PG_ENDS_SIZE, ++s->word);
    pg_do(s->g, "copy o 0 i 0 %u", PG_ENDS_SIZE);
}

static void pg_sleep_begin(PGSleep *s)
{
    const PGEndsPair *pair = s->c->pair;
    PGGuest *g = s->g;

    pg_open(g, "fe", pair->exporter);
    pg_open(g, "fi", pair->importer);
    pg_open(g, "fd", "discrete");
    s->e = pg_create(g, "fe", "e", PG_ENDS_SIZE);
    s->o = pg_create(g, "fi", "o", PG_ENDS_SIZE);
    s->v = pg_create(g, "fd", "v", PG_ENDS_SIZE);
    pg_do(g, "fill e 0 %u %u wait", PG_ENDS_SIZE, s->word);
    pg_do(g, "place v vram");
    pg_do(g, "fill v 0 %u 0x76767676 wait", PG_ENDS_SIZE);
    pg_export(g, "e", "d");
    s->i = pg_import(g, "fi", "d", "i");
    pg_do(g, "fill i 0 %u %u wait", PG_ENDS_SIZE, s->word);
    pg_do(g, "mmap e me");
    pg_do(g, "mmap i mi");
    pg_do(g, "mmap-fd d md %u", PG_ENDS_SIZE);
    pg_do(g, "mmap v mv");
}

static void pg_sleep_check_bytes(PGSleep *s)
{
    static const char *const maps[] = { "me", "mi", "md" };
    uint64_t want = pg_sum_words(PG_ENDS_SIZE, s->word, PG_ENDS_SIZE, 0);
    PGGuest *g = s->g;

    for (unsigned i = 0; i < ARRAY_SIZE(maps); i++) {
        pg_assert_u64(g, maps[i], pg_checksum(g, maps[i]), want);
    }
    pg_assert_u64(g, "what a job copied before the sleep", pg_bo_sum(g, "o"),
                  want);
    pg_assert_u64(g, "what was in VRAM", pg_checksum(g, "mv"),
                  pg_sum_words(PG_ENDS_SIZE, 0x76767676, PG_ENDS_SIZE, 0));
}

static void pg_sleep_check(PGSleep *s)
{
    PGGuest *g = s->g;

    pg_settle(g);
    pg_assert_table(g, s->e, s->i, s->v, s->o, UINT64_C(0));
    pg_assert_no_violations(g);
    if (pg_look_bo(g, s->v).location != PRIME_GPU_LOCATION_PAGES) {
        pg_fail(g, "the BO was in VRAM, and is not in pages now");
    }
    pg_sleep_check_bytes(s);

    /* Both GPUs write it again, and one gets its VRAM back. */
    pg_do(g, "place v vram");
    pg_do(g, "copy v 0 v 0 4096 wait");
    s->word++;
    pg_do(g, "fill i 0 %u %u", PG_ENDS_SIZE, s->word);
    pg_do(g, "copy o 0 i 0 %u wait", PG_ENDS_SIZE);
    pg_do(g, "fill e 0 4096 %u wait", s->word);
    pg_sleep_check_bytes(s);
}

static void pg_sleep_end(PGSleep *s)
{
    static const char *const lines[] = {
        "munmap me", "munmap mi", "munmap md", "munmap mv", "close-fd d",
        "close e", "close i", "close v", "close o", "close-file fe",
        "close-file fi", "close-file fd", NULL,
    };

    pg_ends_drop(s->g, lines);
    pg_assert_nothing_left(s->g, "all was closed");
    pg_ends_works(s->g, s->c->pair);
    pg_finish(s->g);
}

static void pg_test_sleep(const void *data)
{
    const PGSleepCase *c = data;
    PGSleep s = { .g = pg_start(NULL), .c = c, .word = 0x61616161 };

    pg_sleep_needs_kernel(s.g);
    pg_set_param(s.g, "primegpu_integrated", "dynamic", c->dynamic);
    pg_set_param(s.g, "primegpu_discrete", "dynamic", c->dynamic);
    pg_sleep_begin(&s);
    for (unsigned i = 0; i < PG_SLEEP_LEVELS; i++) {
        pg_sleep_start_jobs(&s);
        pg_sleep(s.g, pg_sleep_levels[i]);
        pg_sleep_check(&s);
    }
    pg_sleep_end(&s);
}

/* Neither with a job that does not end, nor without the devices' power */
static void pg_test_refused(const void *data)
{
    const PGSleepCase *c = data;
    PGSleep s = { .g = pg_start(NULL), .c = c, .word = 0x61616161 };
    PGGuest *g = s.g;

    pg_sleep_needs_kernel(g);
    pg_set_job_timeout(g, 0);
    pg_sleep_begin(&s);
    pg_do(g, "copy o 0 i 0 %u wait", PG_ENDS_SIZE);
    pg_gate(g, pg_ends_id(c->pair->importer), true);
    pg_do(g, "fill i 0 %u %u", PG_ENDS_SIZE, s.word);
    pg_err(g, "EBUSY", "set " PG_POWER "state freeze");
    pg_gate(g, pg_ends_id(c->pair->importer), false);
    pg_do(g, "bo-wait i write %u", PG_SOON_MS);
    pg_sleep_check_bytes(&s);

    if (pg_call(g, "set " PG_POWER "mem_sleep deep")->ok) {
        pg_err(g, "EOPNOTSUPP", "set " PG_POWER "state mem");
        pg_sleep_check_bytes(&s);
    }
    pg_assert_u64(g, "times the guest slept", pg_sleep_count(g, "success"), 0);
    pg_sleep_end(&s);
}

void pg_ends_add_suspend(void)
{
    for (unsigned i = 0; i < 4; i++) {
        PGSleepCase *c = g_new(PGSleepCase, 1);
        g_autofree char *path = NULL;
        g_autofree char *refused = NULL;

        *c = (PGSleepCase) {
            .pair = &pg_ends_pairs[i / 2], .dynamic = i & 1,
        };
        path = g_strdup_printf("ends/suspend/%s/%s", c->pair->name,
                               c->dynamic ? "dynamic" : "static");
        pg_add_case(path, pg_test_sleep, c);
        if (c->dynamic) {
            refused = g_strdup_printf("ends/suspend/%s/refused",
                                      c->pair->name);
            pg_add_case(refused, pg_test_refused, c);
        }
    }
}
