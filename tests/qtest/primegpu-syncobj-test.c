/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: syncobjs, and those who wait for one.  A syncobj gets its fence
 * while they wait, is destroyed while they wait, or has a point that is already
 * signalled.
 */
#include "qemu/osdep.h"
#include "primegpu-guest.h"

/* Waiters get so long to go on too early, and have to go on within the other */
#define PG_HELD_MS 100
#define PG_SOON_MS 10000

/* The GPU of the syncobj, and the other */
typedef struct PGCase {
    const char *gpu, *other;
} PGCase;

/*
 * A syncobj that has no fence yet, and how it gets one: who waits for that goes
 * on then, who waits for the fence's end does not.
 */
typedef struct PGSubmit {
    const char *sync;
    const char *submit;
} PGSubmit;

static const PGSubmit pg_submits[] = {
    { "a", "syncobj-load a s" },
    { "a:1", "syncobj-transfer a:1 y" },
    { "a:1", "syncobj-transfer a:3 y" },
    { "a", "fill c 0 4096 1 explicit in=s outsync=a" },
    { "a:1", "fill c 0 4096 1 explicit in=s outsync=a:1" },
    { "a:2", "fill c 0 4096 1 explicit in=s outsync=a:4" },
};

static void pg_submit_round(PGGuest *g, const PGSubmit *submit)
{
    unsigned available, event, ended;

    pg_do(g, "syncobj f a");
    pg_do(g, "syncobj-eventfd %s e available", submit->sync);
    for (unsigned n = 2; n <= 4; n++) {
        pg_do(g, "fork p%u", n);
    }
    available = pg_send(g, "p2 syncobj-wait %s 60000 available", submit->sync);
    ended = pg_send(g, "p3 syncobj-wait %s 60000", submit->sync);
    event = pg_send(g, "p4 poll e in 60000");
    if (pg_wait(g, available, PG_HELD_MS) || pg_wait(g, event, 0) ||
        pg_wait(g, ended, 0)) {
        pg_fail(g, "did not wait for a fence: %s", submit->sync);
    }
    pg_do(g, "%s", submit->submit);
    if (!pg_wait(g, available, PG_SOON_MS) || !pg_wait(g, event, PG_SOON_MS)) {
        pg_fail(g, "waits for a fence that is there: %s", submit->submit);
    }
    pg_expect_ok(g, available);
    pg_expect_ok(g, event);
    if (pg_wait(g, ended, PG_HELD_MS)) {
        pg_fail(g, "did not wait for the fence's end: %s", submit->submit);
    }
    pg_do(g, "sw-inc w 1");
    if (!pg_wait(g, ended, PG_SOON_MS)) {
        pg_fail(g, "waits for a fence that has ended: %s", submit->submit);
    }
    pg_expect_ok(g, ended);
    for (unsigned n = 2; n <= 4; n++) {
        pg_do(g, "kill p%u", n);
    }
}

static void pg_test_submit(const void *data)
{
    const PGCase *c = data;
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open f %s", c->gpu);
    pg_do(g, "create f c 4096");
    pg_do(g, "sw-sync w");
    for (unsigned i = 0; i < ARRAY_SIZE(pg_submits); i++) {
        pg_do(g, "sw-fence w %u s", i + 1);
        pg_do(g, "syncobj f y");
        pg_do(g, "syncobj-load y s");
        pg_submit_round(g, &pg_submits[i]);
        pg_do(g, "close-fd s");
        pg_do(g, "close-fd e");
        pg_do(g, "syncobj-destroy y");
        pg_do(g, "syncobj-destroy a");
    }
    pg_stop(g);
}

/*
 * A syncobj that goes while a call waits for its fence.  The call waits on, as
 * the syncobj may have another handle, in another file.
 */
static const char *const pg_last_waits[] = {
    "syncobj-wait k 60000", "syncobj-wait k:1 60000",
    "syncobj-wait k 60000 available", "syncobj-wait k:1 60000 available",
    "poll e in 60000", "poll a in 60000",
    "syncobj-transfer y k submit", "syncobj-transfer y k:1 submit",
};

typedef struct PGAwaited {
    unsigned tags[ARRAY_SIZE(pg_last_waits)];
    int64_t sent_us;            /* before the first of them */
} PGAwaited;

/*
 * DRM core waits for a fence to be submitted for 5 s at the most
 * (DRM_SYNCOBJ_WAIT_FOR_SUBMIT_TIMEOUT in drm_syncobj.c), which is all that a
 * transfer waits for.  A slow guest may have got no further by then.
 */
static bool pg_has_given_up(PGGuest *g, const PGAwaited *a, unsigned i)
{
    return g_get_monotonic_time() - a->sent_us >= 5 * G_USEC_PER_SEC &&
           g_str_has_prefix(pg_last_waits[i], "syncobj-transfer ") &&
           !g_strcmp0(pg_recv(g, a->tags[i])->error, "ETIME");
}

static void pg_assert_all_held(PGGuest *g, const PGAwaited *a)
{
    unsigned ms = PG_HELD_MS;

    for (unsigned i = 0; i < ARRAY_SIZE(a->tags); i++) {
        if (pg_wait(g, a->tags[i], ms) && !pg_has_given_up(g, a, i)) {
            pg_fail(g, "did not wait for the fence: %s", pg_last_waits[i]);
        }
        ms = 0;
    }
}

static void pg_assert_all_end(PGGuest *g, const PGAwaited *a)
{
    for (unsigned i = 0; i < ARRAY_SIZE(a->tags); i++) {
        if (!pg_wait(g, a->tags[i], PG_SOON_MS)) {
            pg_fail(g, "still waits: %s", pg_last_waits[i]);
        }
        if (!pg_has_given_up(g, a, i)) {
            pg_expect_ok(g, a->tags[i]);
        }
    }
}

static void pg_destroy_awaited(PGGuest *g, bool shared)
{
    PGAwaited a;

    pg_do(g, "syncobj f k");
    pg_do(g, "syncobj f y");
    pg_do(g, "syncobj-eventfd k:1 e");
    pg_do(g, "syncobj-eventfd k:1 a available");
    if (shared) {
        pg_do(g, "syncobj-export k d");
        pg_do(g, "syncobj-import i d h");
        pg_do(g, "close-fd d");
    }
    for (unsigned i = 0; i < ARRAY_SIZE(a.tags); i++) {
        pg_do(g, "fork p%u", i + 2);
    }
    a.sent_us = g_get_monotonic_time();
    for (unsigned i = 0; i < ARRAY_SIZE(a.tags); i++) {
        a.tags[i] = pg_send(g, "p%u %s", i + 2, pg_last_waits[i]);
    }
    pg_assert_all_held(g, &a);
    pg_do(g, "syncobj-destroy k");
    /* Another one in its place */
    pg_do(g, "syncobj f k");
    pg_do(g, "syncobj-signal k:2");
    pg_assert_all_held(g, &a);
    if (shared) {
        pg_do(g, "syncobj-signal h:1");
        pg_assert_all_end(g, &a);
        pg_do(g, "syncobj-destroy h");
    }
    for (unsigned i = 0; i < ARRAY_SIZE(a.tags); i++) {
        pg_do(g, "kill p%u", i + 2);
    }
    pg_do(g, "close-fd e");
    pg_do(g, "close-fd a");
    pg_do(g, "syncobj-destroy k");
    pg_do(g, "syncobj-destroy y");
}

static void pg_test_destroyed(const void *data)
{
    const PGCase *c = data;
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open f %s", c->gpu);
    pg_do(g, "open i %s", c->other);
    pg_destroy_awaited(g, true);
    pg_destroy_awaited(g, false);
    pg_stop(g);
}

/* A point that is signalled is as good as before when others come after it. */
static void pg_test_passed(const void *data)
{
    const PGCase *c = data;
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open f %s", c->gpu);
    pg_do(g, "create f c 4096");
    pg_do(g, "sw-sync w");
    pg_do(g, "sw-fence w 2 s");
    pg_do(g, "syncobj f y");
    pg_do(g, "syncobj-load y s");
    pg_do(g, "syncobj f a");
    pg_do(g, "syncobj-signal a:2");
    pg_do(g, "syncobj-transfer a:5 y");
    for (unsigned point = 1; point <= 2; point++) {
        pg_do(g, "syncobj-wait a:%u 0", point);
        pg_do(g, "syncobj f k");
        pg_do(g, "syncobj-load k s");
        pg_do(g, "syncobj-transfer k a:%u", point);
        pg_do(g, "syncobj-wait k 0");
        pg_do(g, "syncobj-export k x sync-file");
        if (pg_u64(g, pg_do(g, "fence-info x"), "status") != 1) {
            pg_fail(g, "the fence of point %u, which is signalled, is not",
                    point);
        }
        pg_do(g, "fill c 0 4096 1 explicit insync=a:%u wait", point);
        pg_do(g, "close-fd x");
        pg_do(g, "syncobj-destroy k");
    }
    pg_err(g, "ETIME", "syncobj-wait a:3 0");
    pg_do(g, "sw-inc w 2");
    pg_do(g, "syncobj-wait a:5 %u", PG_SOON_MS);
    pg_stop(g);
}

int main(int argc, char **argv)
{
    static const PGCase cases[] = {
        { "integrated", "discrete" },
        { "discrete", "integrated" },
    };
    static const struct {
        const char *name;
        PGCaseFn fn;
    } tests[] = {
        { "submit", pg_test_submit },
        { "destroyed", pg_test_destroyed },
        { "passed", pg_test_passed },
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned k = 0; k < ARRAY_SIZE(cases); k++) {
        for (unsigned i = 0; i < ARRAY_SIZE(tests); i++) {
            g_autofree char *path = g_strdup_printf(
                "syncobj/%s/%s", tests[i].name, cases[k].gpu);

            pg_add_case(path, tests[i].fn, &cases[k]);
        }
    }
    return g_test_run();
}
