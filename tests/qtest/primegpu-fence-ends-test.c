/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: how a fence ends, and all that waits for it.  A fence is
 * signalled, or its timeline, its maker or its job goes away; whoever waits is
 * held until then and not longer, by whatever way it got hold of the fence, and
 * is told how it ended.
 */
#include "qemu/osdep.h"
#include "primegpu-guest-look.h"

#define PG_SIZE 4096

/* Waiters get so long to go on too early, and have to go on within the other */
#define PG_HELD_MS 100
#define PG_SOON_MS 10000
/* vgem itself ends a fence after 10 s. */
#define PG_VGEM_SOON_MS 5000

/* A fence, the sync_file s in p1, that is not signalled */
typedef struct PGEnding {
    const char *name;
    const char *make;           /* p2 may have to do with it */
    const char *end;            /* NULL: the gate opens */
    const char *early;          /* as if it were the end, and must not be */
    int status;
} PGEnding;

#define PG_TIMELINE "p2 sw-sync w; p2 sw-fence w 1 s; p2 send s p1 s; " \
                    "p2 close-fd s"
#define PG_BLOCKED  "sw-sync w; sw-fence w 1 q; send q p2 q; close-fd q; " \
                    "p2 open g $G; p2 create g c 4096; " \
                    "p2 fill c 0 4096 1 wait; " \
                    "p2 fill c 0 4096 1 explicit in=q out=s; p2 close-fd q; " \
                    "p2 send s p1 s; p2 close-fd s"

static const PGEnding pg_endings[] = {
    { "signalled", PG_TIMELINE, "p2 sw-inc w 1", NULL, 1 },
    { "timeline-closed", PG_TIMELINE, "p2 close-fd w", NULL, -ENOENT },
    { "maker-killed", PG_TIMELINE, "kill p2", NULL, -ENOENT },
    { "second-point", "p2 sw-sync w; p2 sw-fence w 2 s; p2 send s p1 s; "
      "p2 close-fd s", "p2 sw-inc w 1", "p2 sw-inc w 1", 1 },
    { "job-done", "fill c 0 4096 1 explicit out=s", NULL, NULL, 1 },
    { "job-that-waits", PG_BLOCKED, "sw-inc w 1", NULL, 1 },
    /* A job that will never run is not done before what it waits for is. */
    { "job-of-killed", PG_BLOCKED, "sw-inc w 1", "kill p2", -ESRCH },
};

/* Worker @worker waits with this line.  x is a fence that ends after s. */
typedef struct PGWaiter {
    unsigned worker;
    const char *line;
    bool tells;                 /* how the fence ended */
    bool needs_other;
} PGWaiter;

static const PGWaiter pg_waiters[] = {
    { 3, "fence-wait s 60000", true, false },
    { 4, "fence-wait same 60000", true, false },
    { 5, "poll d in 60000", false, false },
    { 6, "poll d out 60000", false, false },
    { 7, "syncobj-wait y 60000", false, false },
    { 8, "syncobj-wait z:3 60000", false, false },
    { 9, "poll e in 60000", false, false },
    { 10, "fence-wait j 60000", false, false },
    { 11, "fence-wait m 60000", true, true },
    { 12, "bo-wait h write 60000", false, false },
};

static const char *const pg_before[] = {
    /* The fence by other ways: a second sync_file of it, asked about before */
    "syncobj f y", "syncobj-load y s", "syncobj-export y same sync-file",
    "syncobj f z", "syncobj-transfer z:3 y", "syncobj-eventfd z:3 e",
    "create f b 4096", "export b d", "import i d h", "import-sync d write s",
    "create f t 4096", "fill t 0 4096 1 explicit in=s out=j",
    "sw-sync v", "sw-fence v 1 x", "merge-sync s x m", "merge-sync x s n",
};

static void pg_lines(PGGuest *g, const char *text, const char *gpu)
{
    g_autoptr(GString) lines = g_string_new(text);

    g_string_replace(lines, "$G", gpu, 0);
    pg_do_lines(g, lines->str);
}

static int pg_status(PGGuest *g, const PGReply *r)
{
    return (int64_t)pg_u64(g, r, "status");
}

static void pg_assert_status(PGGuest *g, const char *what, int status,
                             int wanted)
{
    if (status != wanted) {
        pg_fail(g, "status of %s: %d is not %d", what, status, wanted);
    }
}

/* None of them has come back: those that need x as well if @other. */
static void pg_assert_held(PGGuest *g, const unsigned *tags, bool other)
{
    unsigned ms = PG_HELD_MS;

    for (unsigned i = 0; i < ARRAY_SIZE(pg_waiters); i++) {
        if (other && !pg_waiters[i].needs_other) {
            continue;
        }
        if (pg_wait(g, tags[i], ms)) {
            pg_fail(g, "did not wait for the fence: %s", pg_waiters[i].line);
        }
        ms = 0;
    }
}

static void pg_assert_over(PGGuest *g, const unsigned *tags, bool other,
                           int status)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pg_waiters); i++) {
        const PGWaiter *w = &pg_waiters[i];
        const PGReply *r;

        if (w->needs_other != other) {
            continue;
        }
        if (!pg_wait(g, tags[i], PG_SOON_MS)) {
            pg_fail(g, "still waits for the fence that has ended: %s", w->line);
        }
        r = pg_expect_ok(g, tags[i]);
        if (w->tells) {
            pg_assert_status(g, w->line, pg_status(g, r), status);
        }
    }
}

typedef struct PGCase {
    const PGEnding *ending;
    const char *gpu, *other;
    const char *gate;           /* id of the first */
} PGCase;

static void pg_begin(PGGuest *g, const PGCase *c, unsigned *tags)
{
    pg_do(g, "open f %s", c->gpu);
    pg_do(g, "open i %s", c->other);
    pg_do(g, "create f c 4096");
    pg_do(g, "spawn p2");
    if (!c->ending->end) {
        pg_gate(g, c->gate, true);
    }
    pg_lines(g, c->ending->make, c->gpu);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_before); i++) {
        pg_do(g, "%s", pg_before[i]);
    }
    pg_err(g, "ETIME", "fence-wait s 0");
    for (unsigned i = 0; i < ARRAY_SIZE(pg_waiters); i++) {
        pg_do(g, "fork p%u", pg_waiters[i].worker);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(pg_waiters); i++) {
        tags[i] = pg_send(g, "p%u %s", pg_waiters[i].worker,
                          pg_waiters[i].line);
    }
}

static void pg_test_ending(const void *data)
{
    const PGCase *c = data;
    const PGEnding *ending = c->ending;
    PGGuest *g = pg_start(NULL);
    unsigned tags[ARRAY_SIZE(pg_waiters)];

    pg_set_job_timeout(g, 0);
    pg_begin(g, c, tags);
    pg_assert_held(g, tags, false);
    if (ending->early) {
        pg_do(g, "%s", ending->early);
        pg_assert_held(g, tags, false);
    }
    pg_assert_status(g, "s", pg_status(g, pg_do(g, "fence-info s")), 0);
    if (ending->end) {
        pg_do(g, "%s", ending->end);
    } else {
        pg_gate(g, c->gate, false);
    }
    pg_assert_over(g, tags, false, ending->status);
    pg_assert_held(g, tags, true);
    pg_assert_status(g, "n", pg_status(g, pg_do(g, "fence-info n")), 0);
    pg_do(g, "sw-inc v 1");
    pg_assert_over(g, tags, true, ending->status);
    /* Nobody has waited for this one, so nobody was told of an error. */
    if (!pg_status(g, pg_do(g, "fence-info n"))) {
        pg_fail(g, "a merged fence that nobody waits for is not signalled");
    }
    pg_stop(g);
}

/* A file that is closed waits for its jobs, and for what they wait for. */
static void pg_test_closed(const void *data)
{
    const PGCase *c = data;
    PGGuest *g = pg_start(NULL);
    unsigned tag;

    pg_do(g, "spawn p2");
    pg_lines(g, PG_BLOCKED, c->gpu);
    pg_do(g, "p2 close c");
    tag = pg_send(g, "p2 close-file g");
    if (pg_wait(g, tag, PG_HELD_MS)) {
        pg_fail(g, "did not wait for a job of the file");
    }
    pg_do(g, "sw-inc w 1");
    pg_expect_ok(g, tag);
    pg_do(g, "fence-wait s %u", PG_SOON_MS);
    pg_assert_status(g, "s", pg_status(g, pg_do(g, "fence-info s")), 1);
    pg_stop(g);
}

/* A handle is closed: the first of its BO's jobs that ends is not the last. */
static void pg_test_handle_closed(const void *data)
{
    const PGCase *c = data;
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open f %s", c->gpu);
    pg_do(g, "create f c %u", PG_SIZE);
    pg_do(g, "fill c 0 4096 1 wait");
    pg_do(g, "sw-sync w");
    pg_do(g, "sw-sync v");
    pg_do(g, "sw-fence w 1 q");
    pg_do(g, "sw-fence v 1 r");
    pg_do(g, "fill c 0 4096 2 explicit in=q out=s");
    pg_do(g, "fill c 0 4096 3 explicit in=r out=t");
    pg_do(g, "close c");
    pg_do(g, "sw-inc w 1");
    pg_do(g, "fence-wait s %u", PG_SOON_MS);
    pg_settle(g);
    pg_do(g, "sw-inc v 1");
    pg_do(g, "fence-wait t %u", PG_SOON_MS);
    pg_assert_status(g, "t", pg_status(g, pg_do(g, "fence-info t")), 1);
    pg_settle(g);
    pg_assert_table(g, (uint64_t)0);
    pg_stop(g);
}

/*
 * Jobs of two files are told at once that their fence has ended.  One has
 * another fence to wait for, the first or the second of its list, and is not in
 * the other one's way.
 */
static void pg_test_overtaken(const void *data)
{
    static const char *const fences[][2] = { { "q", "r" }, { "r", "q" } };
    const PGCase *c = data;
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open f %s", c->gpu);
    pg_do(g, "open g %s", c->gpu);
    pg_do(g, "create f a %u", PG_SIZE);
    pg_do(g, "create g b %u", PG_SIZE);
    pg_do(g, "fill a 0 4096 1 wait");
    pg_do(g, "fill b 0 4096 1 wait");
    for (unsigned i = 0; i < ARRAY_SIZE(fences); i++) {
        pg_do(g, "sw-sync w");
        pg_do(g, "sw-fence w 1 q");
        /* Of one timeline, only the later fence would be waited for. */
        pg_do(g, "sw-sync v");
        pg_do(g, "sw-fence v 1 r");
        pg_do(g, "syncobj f y");
        pg_do(g, "syncobj-load y %s", fences[i][1]);
        pg_do(g, "fill a 0 4096 2 explicit in=%s insync=y out=both",
              fences[i][0]);
        pg_do(g, "fill b 0 4096 2 explicit in=q out=one");
        pg_err(g, "ETIME", "fence-wait one 5");
        pg_do(g, "sw-inc w 1");
        pg_do(g, "fence-wait one %u", PG_SOON_MS);
        pg_err(g, "ETIME", "fence-wait both 5");
        pg_do(g, "sw-inc v 1");
        pg_do(g, "fence-wait both %u", PG_SOON_MS);
        for (const char *const *fd = (const char *const []) {
                 "w", "v", "q", "r", "one", "both", NULL }; *fd; fd++) {
            pg_close_fd(g, *fd);
        }
        pg_do(g, "syncobj-destroy y");
    }
    pg_stop(g);
}

/* Of two fences of one timeline a job waits for the later, in either order. */
static void pg_test_one_timeline(const void *data)
{
    static const char *const fences[][2] = { { "q", "r" }, { "r", "q" } };
    const PGCase *c = data;
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open f %s", c->gpu);
    pg_do(g, "create f c %u", PG_SIZE);
    for (unsigned i = 0; i < ARRAY_SIZE(fences); i++) {
        pg_do_lines(g, "sw-sync w; sw-fence w 1 q; sw-fence w 2 r; "
                    "syncobj f y");
        pg_do(g, "syncobj-load y %s", fences[i][1]);
        pg_do(g, "fill c 0 4096 1 explicit in=%s insync=y out=s", fences[i][0]);
        pg_do(g, "sw-inc w 1");
        pg_err(g, "ETIME", "fence-wait s 5");
        pg_do(g, "sw-inc w 1");
        pg_do(g, "fence-wait s %u", PG_SOON_MS);
        pg_do_lines(g, "close-fd w; close-fd q; close-fd r; close-fd s; "
                    "syncobj-destroy y");
    }
    pg_stop(g);
}

/*
 * A fence of a BO of vgem's, whose owner has no hardware: it is signalled when
 * the client says so or is gone.
 */
typedef struct PGVgemCase {
    const char *gpu;
    const char *name;
    const char *end;            /* $F is the fence */
} PGVgemCase;

static const PGVgemCase pg_vgem_ends[] = {
    { NULL, "vgem-signalled", "p2 vgem-signal v $F" },
    { NULL, "vgem-closed", "p2 close-file v" },
    { NULL, "vgem-killed", "kill p2" },
};

/* What waits for a fence that reads, and for one that writes */
static const char *const pg_vgem_waits[][4] = {
    { "poll d out 60000", "bo-wait h write 60000", "fence-wait j 60000" },
    { "poll d in 60000", "bo-wait h read 60000", "fence-wait j 60000",
      "fence-wait s 60000" },
};

static void pg_vgem_round(PGGuest *g, const PGVgemCase *c, bool write)
{
    unsigned tags[G_N_ELEMENTS(pg_vgem_waits[0])], count = 0, ms = PG_HELD_MS;
    g_autoptr(GString) end = g_string_new(c->end);
    g_autofree char *fence = NULL;

    pg_do_lines(g, "spawn p2; p2 open v vgem; p2 create v q 4096; "
                "p2 export q d; p2 send d p1 d; import i d h");
    fence = pg_str(pg_do(g, "p2 vgem-attach q %s", write ? "write" : "read"),
                   "fence");
    g_string_replace(end, "$F", fence, 0);
    if (!write) {
        /* Others may read. */
        pg_do(g, "bo-wait h read 0");
        pg_do(g, "copy t 0 h 0 4096 wait");
    }
    pg_do(g, "export-sync d read s");
    pg_do(g, "fill h 0 4096 1 out=j");
    for (; count < ARRAY_SIZE(tags) && pg_vgem_waits[write][count]; count++) {
        pg_do(g, "fork p%u", count + 3);
        tags[count] = pg_send(g, "p%u %s", count + 3,
                              pg_vgem_waits[write][count]);
    }
    for (unsigned i = 0; i < count; i++, ms = 0) {
        if (pg_wait(g, tags[i], ms)) {
            pg_fail(g, "did not wait for the fence: %s",
                    pg_vgem_waits[write][i]);
        }
    }
    pg_do(g, "%s", end->str);
    for (unsigned i = 0; i < count; i++) {
        if (!pg_wait(g, tags[i], PG_VGEM_SOON_MS)) {
            pg_fail(g, "still waits for the fence that has ended: %s",
                    pg_vgem_waits[write][i]);
        }
        pg_expect_ok(g, tags[i]);
        pg_do(g, "kill p%u", i + 3);
    }
    pg_assert_status(g, "s", pg_status(g, pg_do(g, "fence-info s")), 1);
    /* It may be gone. */
    pg_call(g, "kill p2");
    pg_do_lines(g, "close h; close-fd d; close-fd s; close-fd j");
}

static void pg_test_vgem(const void *data)
{
    const PGVgemCase *c = data;
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open i %s", c->gpu);
    pg_do(g, "create i t 4096");
    pg_vgem_round(g, c, false);
    pg_vgem_round(g, c, true);
    pg_stop(g);
}

/*
 * What TTM has to destroy waits for the fences of its dma-buf, and so that
 * dma-buf stays, though the importer has been unbound by then.
 */
static void pg_test_unbound(const void *data)
{
    PGGuest *g = pg_start(NULL);
    g_autofree char *fence = NULL;
    uint64_t e;

    pg_open(g, "f", "integrated");
    pg_open(g, "o", "discrete");
    e = pg_create(g, "f", "e", 4096);
    pg_export(g, "e", "d");
    pg_import(g, "o", "d", "i");
    /* The device is gone with its last file, and waits for the fence, too. */
    pg_do_lines(g, "open o2 discrete; open v vgem; import v d q");
    fence = pg_str(pg_do(g, "vgem-attach q write"), "fence");
    pg_do_lines(g, "unbind discrete; close-file o; close q; close e; "
                "close-fd d");
    pg_settle(g);
    pg_assert_table(g, e, (uint64_t)0);
    pg_do(g, "vgem-signal v %s", fence);
    pg_await_events(g, PRIME_GPU_LEDGER_EVENT_KIND_RELEASE, e, 1);
    pg_stop(g);
}

int main(int argc, char **argv)
{
    static const char *const gpus[] = { "integrated", "discrete" };
    static const char *const gates[] = { "integrated0", "discrete0" };
    static const struct {
        const char *name;
        PGCaseFn fn;
    } others[] = {
        { "closed", pg_test_closed },
        { "handle-closed", pg_test_handle_closed },
        { "overtaken", pg_test_overtaken },
        { "one-timeline", pg_test_one_timeline },
    };
    static PGCase cases[ARRAY_SIZE(gpus)][ARRAY_SIZE(pg_endings)];
    static PGVgemCase vgem_cases[ARRAY_SIZE(gpus)][ARRAY_SIZE(pg_vgem_ends)];

    g_test_init(&argc, &argv, NULL);
    for (unsigned k = 0; k < ARRAY_SIZE(gpus); k++) {
        for (unsigned i = 0; i < ARRAY_SIZE(pg_endings); i++) {
            g_autofree char *path = g_strdup_printf(
                "fence-ends/%s/%s", pg_endings[i].name, gpus[k]);

            cases[k][i] = (PGCase) {
                &pg_endings[i], gpus[k], gpus[!k], gates[k]
            };
            pg_add_case(path, pg_test_ending, &cases[k][i]);
        }
        for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
            g_autofree char *path = g_strdup_printf(
                "fence-ends/%s/%s", others[i].name, gpus[k]);

            pg_add_case(path, others[i].fn, &cases[k][0]);
        }
        for (unsigned i = 0; i < ARRAY_SIZE(pg_vgem_ends); i++) {
            g_autofree char *path = g_strdup_printf(
                "fence-ends/%s/%s", pg_vgem_ends[i].name, gpus[k]);

            vgem_cases[k][i] = pg_vgem_ends[i];
            vgem_cases[k][i].gpu = gpus[k];
            pg_add_case(path, pg_test_vgem, &vgem_cases[k][i]);
        }
    }
    pg_add_case("fence-ends/unbound", pg_test_unbound, NULL);
    return g_test_run();
}
