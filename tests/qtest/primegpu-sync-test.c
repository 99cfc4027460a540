/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: synchronisation of two GPUs on one buffer.  The first GPU's gate
 * is closed, so its job cannot be done; whoever does not wait for it is seen.
 */
#include "qemu/osdep.h"
#include "primegpu-sync.h"

/* Play @round for every pair, with either GPU first. */
static void pg_sync_play(PGGuest *g, void (*round)(PGSync *s))
{
    for (unsigned p = 0; p < ARRAY_SIZE(pg_sync_pairs); p++) {
        for (unsigned i = 0; i < 2; i++) {
            PGSync s = {
                .g = g,
                .pair = &pg_sync_pairs[p],
                .importer_first = i,
            };

            round(&s);
        }
    }
}

static void pg_sync_case(void (*round)(PGSync *s))
{
    PGGuest *g = pg_sync_start();

    pg_sync_play(g, round);
    pg_finish(g);
}

/* Two jobs: all but two reads must be in order, and two reads need not. */
static void pg_round_implicit(PGSync *s)
{
    for (PGAccess first = PG_READ; first <= PG_WRITE; first++) {
        for (PGAccess second = PG_READ; second <= PG_WRITE; second++) {
            bool waits = first == PG_WRITE || second == PG_WRITE;

            pg_sync_begin(s);
            pg_sync_first(s, first, "");
            pg_sync_job(s, 2, second, "out=x");
            if (waits) {
                pg_sync_assert_held(s, "the second GPU's job");
                pg_err(s->g, "ETIME", "fence-wait x 5");
                pg_sync_open(s);
            }
            pg_assert_u64(s->g, "status of the second job's fence",
                          pg_u64(s->g, pg_do(s->g, "fence-wait x %u",
                                             PG_SOON_MS), "status"), 1);
            if (waits) {
                pg_assert_after(s->g, s->key[1], s->key[2]);
            } else {
                pg_sync_open(s);
            }
            pg_do(s->g, "bo-wait b1 write %u", PG_SOON_MS);
            pg_close_fd(s->g, "x");
            if (first == PG_READ) {
                /* The first job's copy was made before the second wrote. */
                pg_assert_u64(s->g, "contents of o1", pg_bo_sum(s->g, "o1"),
                              pg_sum_words(PG_SYNC_SIZE, PG_SYNC_BEFORE, 0,
                                           PG_SYNC_BEFORE));
            }
            pg_sync_assert_bytes(s, first, second);
            pg_sync_end(s);
        }
    }
}

static void pg_test_implicit(const void *data)
{
    pg_sync_case(pg_round_implicit);
}

/*
 * A job of two operations, of which one reads and one writes the shared buffer,
 * in whatever order: it is a job that writes, for those before and after it.
 */
#define PG_SIZE_TEXT stringify(PG_SYNC_SIZE)
#define PG_FILL "fill b1 0 " PG_SIZE_TEXT " " stringify(PG_SYNC_FIRST)
#define PG_COPY "copy o1 0 b1 0 " PG_SIZE_TEXT

static const char *const pg_two_operations[] = {
    PG_FILL " more; " PG_COPY " out=w",
    PG_COPY " more; " PG_FILL " out=w",
};

static void pg_round_operations(PGSync *s)
{
    PGGuest *g = s->g;

    for (unsigned i = 0; i < ARRAY_SIZE(pg_two_operations); i++) {
        uint32_t copied = i ? PG_SYNC_BEFORE : PG_SYNC_FIRST;

        for (PGAccess second = PG_READ; second <= PG_WRITE; second++) {
            pg_sync_begin(s);
            pg_do_lines(g, pg_two_operations[i]);
            pg_await_events(g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT, s->key[1],
                            1);
            pg_sync_job(s, 2, second, "out=x");
            pg_sync_assert_held(s, "the second GPU's job");
            pg_assert_u64(g, "readiness of the dma-buf",
                          pg_u64(g, pg_do(g, "poll d in 0"), "ready"), 0);
            pg_sync_open(s);
            pg_do(g, "fence-wait x %u", PG_SOON_MS);
            pg_assert_after(g, s->key[1], s->key[2]);
            pg_assert_u64(g, "what was copied", pg_bo_sum(g, "o1"),
                          pg_sum_words(PG_SYNC_SIZE, copied, 0, copied));
            pg_do(g, "close-fd w");
            pg_do(g, "close-fd x");
            pg_sync_end(s);
        }
    }
}

/*
 * Two jobs of one file, of which one reads and one writes: the later fence of a
 * file stands for the earlier one, and must not be less.
 */
static void pg_round_both(PGSync *s)
{
    static const PGAccess orders[][2] = {
        { PG_WRITE, PG_READ }, { PG_READ, PG_WRITE },
    };
    PGGuest *g = s->g;

    for (unsigned i = 0; i < ARRAY_SIZE(orders); i++) {
        pg_sync_begin(s);
        pg_sync_first(s, orders[i][0], "");
        pg_sync_job(s, 1, orders[i][1], "");
        pg_sync_job(s, 2, PG_READ, "out=x");
        pg_settle(g);
        pg_assert_u64(g, "jobs of the second GPU, while those of the first are "
                      "not done",
                      pg_count_events(g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT,
                                      s->key[2]), 0);
        pg_assert_u64(g, "readiness of the dma-buf",
                      pg_u64(g, pg_do(g, "poll d in 0"), "ready"), 0);
        pg_err(g, "ETIME", "bo-wait b2 read 0");
        pg_sync_open(s);
        pg_do(g, "fence-wait x %u", PG_SOON_MS);
        pg_do(g, "bo-wait b1 write %u", PG_SOON_MS);
        pg_assert_u64(g, "what the second GPU has read", pg_bo_sum(g, "o2"),
                      pg_sum_words(PG_SYNC_SIZE, PG_SYNC_FIRST, 0,
                                   PG_SYNC_FIRST));
        pg_close_fd(g, "x");
        pg_sync_end(s);
    }
}

static void pg_test_operations(const void *data)
{
    pg_sync_case(pg_round_operations);
}

static void pg_test_both(const void *data)
{
    pg_sync_case(pg_round_both);
}

/*
 * From the first GPU to the second and back, with both gates closed: opening
 * the second one's changes nothing.
 */
static void pg_round_chain(PGSync *s)
{
    PGGuest *g = s->g;
    uint64_t z;

    pg_sync_begin(s);
    pg_do(g, "export o2 d2");
    pg_do(g, "import f1 d2 b3");
    pg_do(g, "create f1 z %u", PG_SYNC_SIZE);
    z = pg_u64(g, pg_do(g, "info z"), "key");
    pg_gate(g, s->gate[2], true);
    pg_sync_first(s, PG_WRITE, "");
    pg_sync_job(s, 2, PG_READ, "");
    pg_do(g, "copy z 0 b3 0 %u out=x", PG_SYNC_SIZE);
    pg_sync_assert_held(s, "the second of three jobs");
    pg_gate(g, s->gate[2], false);
    pg_sync_assert_held(s, "the second of three jobs");
    pg_gate(g, s->gate[2], true);
    pg_sync_open(s);
    pg_await_events(g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT, s->key[2], 1);
    pg_settle(g);
    pg_assert_u64(g, "jobs that read the third buffer",
                  pg_count_events(g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT, z), 0);
    pg_gate(g, s->gate[2], false);
    pg_do(g, "fence-wait x %u", PG_SOON_MS);
    pg_assert_after(g, s->key[1], s->key[2]);
    pg_assert_after(g, s->key[2], z);
    pg_assert_u64(g, "contents of the third buffer", pg_bo_sum(g, "z"),
                  pg_sum_words(PG_SYNC_SIZE, PG_SYNC_FIRST, 0, PG_SYNC_FIRST));
    pg_do(g, "close b3");
    pg_do(g, "close z");
    pg_do(g, "close-fd d2");
    pg_do(g, "close-fd x");
    pg_sync_end(s);
}

static void pg_test_chain(const void *data)
{
    pg_sync_case(pg_round_chain);
}

/* GEM_WAIT through both handles, and poll of the dma-buf, while a job waits */
static void pg_round_ready(PGSync *s)
{
    static const struct {
        const char *poll, *wait;
        PGAccess access;
    } views[] = { { "in", "read", PG_READ }, { "out", "write", PG_WRITE } };
    PGGuest *g = s->g;

    for (PGAccess first = PG_READ; first <= PG_WRITE; first++) {
        pg_sync_begin(s);
        pg_sync_first(s, first, "");
        for (unsigned i = 0; i < ARRAY_SIZE(views); i++) {
            bool ready = first == PG_READ && views[i].access == PG_READ;

            pg_assert_u64(g, "readiness of the dma-buf",
                          pg_u64(g, pg_do(g, "poll d %s 0", views[i].poll),
                                 "ready"), ready);
            for (unsigned n = 1; n <= 2; n++) {
                if (ready) {
                    pg_do(g, "bo-wait b%u %s 0", n, views[i].wait);
                } else {
                    pg_err(g, "ETIME", "bo-wait b%u %s 0", n, views[i].wait);
                    pg_err(g, "ETIME", "bo-wait b%u %s 5", n, views[i].wait);
                }
            }
        }
        pg_sync_open(s);
        for (unsigned i = 0; i < ARRAY_SIZE(views); i++) {
            pg_do(g, "bo-wait b1 %s %u", views[i].wait, PG_SOON_MS);
            pg_do(g, "bo-wait b2 %s 0", views[i].wait);
            pg_assert_u64(g, "readiness of the dma-buf",
                          pg_u64(g, pg_do(g, "poll d %s 0", views[i].poll),
                                 "ready"), 1);
        }
        pg_sync_end(s);
    }
}

static void pg_test_ready(const void *data)
{
    pg_sync_case(pg_round_ready);
}

/*
 * What another process does through the dma-buf, and how it is held back: with
 * a first job that reads, or one that writes.
 */
static const struct {
    const char *line;
    bool held_by_read;
} pg_blockers[] = {
    { "p2 poll d in 60000", false },
    { "p2 poll d out 60000", true },
    { "p2 sync-start d read", false },
    { "p2 sync-start d write", true },
    { "p2 sync-start d rw", true },
};

static void pg_sync_check_cpu(PGSync *s, const char *line, PGAccess first)
{
    uint32_t word = first == PG_WRITE ? PG_SYNC_FIRST : PG_SYNC_BEFORE;
    PGGuest *g = s->g;

    if (!strstr(line, "sync-start")) {
        return;
    }
    pg_do(g, "p2 mmap-fd d m %u", PG_SYNC_SIZE);
    pg_assert_u64(g, "contents after SYNC_START",
                  pg_u64(g, pg_do(g, "p2 checksum m"), "checksum"),
                  pg_sum_words(PG_SYNC_SIZE, word, 0, word));
    pg_do(g, "p2 munmap m");
    pg_do(g, "p2 sync-end %s", line + strlen("p2 sync-start "));
}

static void pg_round_blocked(PGSync *s)
{
    PGGuest *g = s->g;

    for (unsigned i = 0; i < ARRAY_SIZE(pg_blockers); i++) {
        for (PGAccess first = PG_READ; first <= PG_WRITE; first++) {
            bool held = first == PG_WRITE || pg_blockers[i].held_by_read;
            unsigned tag;

            pg_sync_begin(s);
            pg_do(g, "send d p2 d");
            pg_sync_first(s, first, "");
            tag = pg_send(g, "%s", pg_blockers[i].line);
            if (held) {
                pg_settle(g);
                if (pg_wait(g, tag, 10)) {
                    pg_fail(g, "did not wait for a job that is to %s: %s",
                            pg_access_names[first], pg_blockers[i].line);
                }
                pg_sync_open(s);
            }
            pg_expect_ok(g, tag);
            if (!held) {
                pg_sync_open(s);
                pg_do(g, "bo-wait b1 write %u", PG_SOON_MS);
            }
            pg_sync_check_cpu(s, pg_blockers[i].line, first);
            pg_do(g, "p2 close-fd d");
            pg_sync_end(s);
        }
    }
}

static void pg_test_blocked(const void *data)
{
    PGGuest *g = pg_sync_start();

    pg_do(g, "spawn p2");
    pg_sync_play(g, pg_round_blocked);
    pg_finish(g);
}

/*
 * A poll that has given up still waits for the fence: the dma-buf that it
 * looked at may be closed meanwhile, by all, but not freed under it.
 */
static void pg_round_poll_close(PGSync *s)
{
    static const char *const lines[] = {
        "close-fd d", "close b1", "close b2", "close o1", "close o2",
        "close-file f1", "close-file f2",
    };
    PGGuest *g = s->g;

    for (PGAccess first = PG_READ; first <= PG_WRITE; first++) {
        pg_sync_begin(s);
        pg_do(g, "dup d d2");
        pg_sync_first(s, first, "");
        pg_do(g, "poll d out 5");
        pg_do(g, "poll d in 0");
        pg_do(g, "poll d2 out 0");
        pg_do(g, "close-fd d2");
        for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
            pg_do(g, "%s", lines[i]);
            pg_assert_alive(g, s->key[1]);
        }
        pg_settle(g);
        pg_assert_alive(g, s->key[1]);
        pg_sync_open(s);
        pg_await_events(g, PRIME_GPU_LEDGER_EVENT_KIND_COMPLETE, s->key[1], 1);
        pg_do(g, "settle %u", PG_SOON_MS);
        pg_assert_nothing_left(g, "the job was done");
        pg_assert_no_violations(g);
    }
}

static void pg_test_poll_close(const void *data)
{
    pg_sync_case(pg_round_poll_close);
}

/* The CPU writes between start and end, through every mapping there is. */
static void pg_round_cpu(PGSync *s)
{
    static const char *const maps[] = {
        "mmap b1 m", "mmap b2 m", "mmap-fd d m " stringify(PG_SYNC_SIZE),
    };
    PGGuest *g = s->g;

    for (unsigned i = 0; i < ARRAY_SIZE(maps); i++) {
        uint64_t sum;

        pg_sync_begin(s);
        pg_sync_open(s);
        pg_do(g, "%s", maps[i]);
        pg_do(g, "sync-start d rw");
        sum = pg_u64(g, pg_do(g, "write m 0 %u %u", PG_SYNC_SIZE, 100 + i),
                     "checksum");
        pg_do(g, "sync-end d rw");
        for (unsigned n = 1; n <= 2; n++) {
            pg_sync_job(s, n, PG_READ, "wait");
        }
        pg_assert_u64(g, "what GPU 1 reads", pg_bo_sum(g, "o1"), sum);
        pg_assert_u64(g, "what GPU 2 reads", pg_bo_sum(g, "o2"), sum);
        pg_sync_job(s, 1, PG_WRITE, "");
        pg_sync_job(s, 2, PG_WRITE, "");
        pg_do(g, "sync-start d read");
        pg_assert_u64(g, "what the CPU reads", pg_checksum(g, "m"),
                      pg_sum_words(PG_SYNC_SIZE, PG_SYNC_FIRST,
                                   PG_SYNC_SIZE / 2, PG_SYNC_SECOND));
        pg_do(g, "sync-end d read");
        /* The map is the last to go. */
        for (unsigned n = 1; n <= 2; n++) {
            pg_do(g, "close b%u", n);
            pg_do(g, "close o%u", n);
        }
        pg_do(g, "close-fd d");
        pg_settle(g);
        pg_assert_alive(g, s->key[s->importer_first ? 2 : 1]);
        pg_do(g, "checksum m");
        pg_do(g, "munmap m");
        pg_assert_nothing_left(g, "munmap");
        pg_close_file(g, "f1");
        pg_close_file(g, "f2");
    }
}

static void pg_test_cpu(const void *data)
{
    pg_sync_case(pg_round_cpu);
}

/*
 * A fence of somebody else's keeps the memory under TTM, and not the handle:
 * whoever signals it may be at work on the bytes until then.
 */
static void pg_test_outlived(const void *data)
{
    static const char *const usages[] = { "read", "write" };
    static const char *const places[] = { "pages", "vram" };
    PGGuest *g = pg_start(NULL);

    pg_open(g, "f", "discrete");
    for (unsigned i = 0; i < 4; i++) {
        uint64_t key = pg_u64(g, pg_do(g, "create f b %u %s", PG_SYNC_SIZE,
                                       places[i / 2]), "key");

        pg_do(g, "fill b 0 %u 1 wait", PG_SYNC_SIZE);
        pg_export(g, "b", "d");
        pg_do(g, "sw-sync w");
        pg_do(g, "sw-fence w 1 q");
        pg_do(g, "import-sync d %s q", usages[i % 2]);
        pg_close_fd(g, "d");
        pg_close(g, "b");
        pg_settle(g);
        pg_assert_alive(g, key);
        pg_do(g, "sw-inc w 1");
        pg_settle(g);
        pg_assert_released(g, key, pg_step(g));
        pg_close_fd(g, "q");
        pg_close_fd(g, "w");
    }
    pg_close_file(g, "f");
    pg_finish(g);
}

/* How a job comes to wait for a fence */
typedef struct PGWay {
    const char *line;           /* before the job, with the fence's name */
    const char *option;         /* of the job, likewise */
} PGWay;

static const PGWay pg_ways[] = {
    { NULL, "in=%s" },
    { "syncobj-load y %s", "insync=y" },
    { "import-sync dt write %s", NULL },
    { "import-sync db write %s", NULL },
};

static char *pg_way_text(const char *format, const char *fence)
{
    g_auto(GStrv) parts = g_strsplit(format ?: "", "%s", -1);

    return g_strjoinv(fence, parts);
}

static void pg_way_begin(PGGuest *g, const PGWay *way, const char *fence,
                         GString *job)
{
    g_autofree char *line = pg_way_text(way->line, fence);
    g_autofree char *option = pg_way_text(way->option, fence);

    if (*line) {
        pg_do(g, "%s", line);
    }
    g_string_append_printf(job, " %s", option);
}

/*
 * A job that waits for two points of one timeline, and comes to know of them in
 * two ways: only the later one lets it run, whichever it has met first.
 */
static void pg_two_fences(PGGuest *g, const PGWay *early, const PGWay *late)
{
    g_autoptr(GString) job = g_string_new("copy t 0 b 0 4096 out=o");
    uint64_t key = pg_create(g, "f", "t", 4096);

    pg_create(g, "f", "b", 4096);
    pg_export(g, "t", "dt");
    pg_export(g, "b", "db");
    /* A BO that has its place does not have to wait for it. */
    pg_do(g, "copy t 0 b 0 4096 wait");
    pg_forget(g);
    pg_do(g, "syncobj f y");
    pg_do(g, "sw-sync w");
    pg_do(g, "sw-fence w 1 s1");
    pg_do(g, "sw-fence w 2 s2");
    pg_way_begin(g, early, "s1", job);
    pg_way_begin(g, late, "s2", job);
    pg_do(g, "%s", job->str);
    pg_err(g, "ETIME", "fence-wait o 0");
    pg_do(g, "sw-inc w 1");
    pg_err(g, "ETIME", "fence-wait o 5");
    pg_assert_u64(g, "jobs that did not wait for the second fence",
                  pg_count_events(g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT, key),
                  0);
    pg_do(g, "sw-inc w 1");
    pg_do(g, "fence-wait o %u", PG_SOON_MS);
    for (const char *const *fd = (const char *const []) {
             "o", "s1", "s2", "w", "dt", "db", NULL }; *fd; fd++) {
        pg_close_fd(g, *fd);
    }
    pg_do(g, "syncobj-destroy y");
    pg_close(g, "b");
    pg_close(g, "t");
    pg_settle(g);
    pg_assert_released(g, key, pg_step(g));
}

static void pg_test_two_fences(const void *data)
{
    static const char *const gpus[] = { "integrated", "discrete" };
    PGGuest *g = pg_start(NULL);

    for (unsigned n = 0; n < ARRAY_SIZE(gpus); n++) {
        pg_open(g, "f", gpus[n]);
        for (unsigned i = 0; i < ARRAY_SIZE(pg_ways); i++) {
            for (unsigned k = 0; k < ARRAY_SIZE(pg_ways); k++) {
                if (i != k) {
                    pg_two_fences(g, &pg_ways[i], &pg_ways[k]);
                }
            }
        }
        pg_close_file(g, "f");
    }
    pg_finish(g);
}

/*
 * VRAM is cleared for a BO that is idle only: the first job of one whose
 * dma-buf has a fence that does not come is refused, after TTM's 15 s.
 */
static void pg_test_fresh(const void *data)
{
    PGGuest *g = pg_start(NULL);

    pg_open(g, "f", "discrete");
    pg_do(g, "create f b 4096 vram");
    pg_export(g, "b", "d");
    pg_do(g, "sw-sync w");
    pg_do(g, "sw-fence w 1 q");
    pg_do(g, "import-sync d write q");
    pg_err(g, "EBUSY", "fill b 0 4096 5");
    pg_do(g, "sw-inc w 1");
    pg_do(g, "fill b 0 4096 5 wait");
    pg_assert_u64(g, "contents", pg_bo_sum(g, "b"),
                  pg_sum_words(4096, 5, 0, 5));
    pg_do(g, "kill p1");
    pg_finish(g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    pg_add_case("sync/implicit", pg_test_implicit, NULL);
    pg_add_case("sync/operations", pg_test_operations, NULL);
    pg_add_case("sync/both", pg_test_both, NULL);
    pg_add_case("sync/chain", pg_test_chain, NULL);
    pg_add_case("sync/ready", pg_test_ready, NULL);
    pg_add_case("sync/blocked", pg_test_blocked, NULL);
    pg_add_case("sync/poll-close", pg_test_poll_close, NULL);
    pg_add_case("sync/cpu", pg_test_cpu, NULL);
    pg_add_case("sync/outlived", pg_test_outlived, NULL);
    pg_add_case("sync/two-fences", pg_test_two_fences, NULL);
    pg_add_case("sync/fresh", pg_test_fresh, NULL);
    pg_sync_add_explicit();
    return g_test_run();
}
