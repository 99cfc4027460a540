/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: when a frame is shown.  A flip waits for the job that draws the
 * frame, on whichever GPU it is; the gate of that GPU, or its latency, proves
 * it.  Many frames on three outputs are all shown, in order and whole.
 */
#include "qemu/osdep.h"
#include "primegpu-display.h"
#include "hw/display/primegpu/primegpu_agent.h"

#define PG_DRAWN 0x00c0ffee

static PGShow pg_show(const void *data)
{
    PGShow s = { 0 };

    pg_show_begin(&s, pg_start(NULL), data, true);
    pg_set_job_timeout(s.g, 0);
    pg_do(s.g, "fill d0 0 %u 0 wait", PG_SHOW_SIZE);
    pg_do(s.g, "fill d1 0 %u 0 wait", PG_SHOW_SIZE);
    return s;
}

/* Three frames pass, and the first picture stays. */
static void pg_assert_waits(PGShow *s, const PGOutput *before)
{
    PGOutput o;

    pg_do(s->g, "vblank s 0 3");
    pg_settle(s->g);
    o = pg_output(s->g, s->pair->show_id, 0);
    pg_assert_u64(s->g, "flips while the job is held", o.counters.flips,
                  before->counters.flips);
    pg_assert_u64(s->g, "BO that is shown while the job is held", o.key,
                  before->key);
}

static void pg_assert_drawn(PGShow *s, uint32_t color)
{
    uint32_t crc = pg_u64(s->g, pg_do(s->g, "crc s 0"), "crc");

    pg_assert_u64(s->g, "CRC of the frame", crc,
                  pg_color_crc(s->width, s->height, color));
}

/* @job draws frame 1 and @flip shows it; the GPU that draws is held. */
static void pg_held_flip(PGShow *s, const char *job, const char *flip)
{
    PGOutput before = pg_output(s->g, s->pair->show_id, 0);

    pg_gate(s->g, s->pair->draw_id, true);
    pg_do(s->g, "fill d1 0 %u 0x%x %s", PG_SHOW_SIZE, PG_DRAWN, job);
    pg_do(s->g, "atomic s 0 fb=s1 nonblock event user=77 %s", flip);
    pg_assert_waits(s, &before);
    pg_err(s->g, "ETIME", "event s 0");
    pg_gate(s->g, s->pair->draw_id, false);
    pg_assert_u64(s->g, "user data of the flip's event",
                  pg_u64(s->g, pg_do(s->g, "event s %u", PG_SOON_MS), "user"),
                  77);
    pg_show_assert(s, "after the gate was opened", 1);
    pg_assert_drawn(s, PG_DRAWN);
    pg_assert_no_violations(s->g);
}

static void pg_test_implicit(const void *data)
{
    PGShow s = pg_show(data);

    pg_held_flip(&s, "", "");
    pg_show_end(&s);
    pg_finish(s.g);
}

/* The job leaves no implicit fence: IN_FENCE_FD alone orders the two. */
static void pg_test_in_fence(const void *data)
{
    PGShow s = pg_show(data);

    pg_held_flip(&s, "explicit out=f", "in=f");
    pg_close_fd(s.g, "f");
    pg_show_end(&s);
    pg_finish(s.g);
}

/* The fence of the flip is done when the frame is shown, and a job waits. */
static void pg_test_out_fence(const void *data)
{
    PGShow s = pg_show(data);
    PGOutput before = pg_output(s.g, s.pair->show_id, 0);

    pg_gate(s.g, s.pair->draw_id, true);
    pg_do(s.g, "fill d1 0 %u 0x%x", PG_SHOW_SIZE, PG_DRAWN);
    pg_do(s.g, "atomic s 0 fb=s1 nonblock event out=o");
    pg_assert_waits(&s, &before);
    pg_err(s.g, "ETIME", "fence-wait o 5");
    pg_gate(s.g, s.pair->draw_id, false);
    pg_assert_u64(s.g, "status of the flip's fence",
                  pg_u64(s.g, pg_do(s.g, "fence-wait o %u", PG_SOON_MS),
                         "status"), 1);
    pg_show_assert(&s, "after its fence was done", 1);
    pg_do(s.g, "event s %u", PG_SOON_MS);
    pg_close_fd(s.g, "o");
    /* The frame that went off the screen is drawn when the next one is on. */
    pg_do(s.g, "atomic s 0 fb=s0 nonblock event out=o");
    pg_do(s.g, "fill d1 0 %u 0 explicit in=o wait", PG_SHOW_SIZE);
    pg_show_assert(&s, "after a job that waited for the flip", 0);
    pg_do(s.g, "event s %u", PG_SOON_MS);
    pg_close_fd(s.g, "o");
    pg_show_end(&s);
    pg_finish(s.g);
}

/* An asynchronous flip does not wait for a vertical blank. */
static void pg_test_async(const void *data)
{
    PGShow s = pg_show(data);
    PGOutput before, after;
    unsigned flips = 100;

    /* A frame of this mode takes 200 ms. */
    pg_do(s.g, "atomic s 0 mode=%ux%u@5 fb=s0", s.width, s.height);
    before = pg_output(s.g, s.pair->show_id, 0);
    for (unsigned i = 1; i <= flips; i++) {
        pg_do(s.g, "flip s s%u 0 async", i % PG_SHOW_FRAMES);
        pg_show_assert(&s, "after an asynchronous flip", i % PG_SHOW_FRAMES);
    }
    after = pg_output(s.g, s.pair->show_id, 0);
    pg_assert_u64(s.g, "flips", after.counters.flips - before.counters.flips,
                  flips);
    if (after.vblank_count - before.vblank_count >= flips) {
        pg_fail(s.g, "%u asynchronous flips took %u frames", flips,
                after.vblank_count - before.vblank_count);
    }
    pg_show_end(&s);
    pg_finish(s.g);
}

/* The other GPU's job is fetched after the flip: it is the client's to wait. */
static void pg_test_busy(const void *data)
{
    PGShow s = pg_show(data);

    pg_gate(s.g, s.pair->draw_id, true);
    pg_do(s.g, "fill d1 0 %u 0x%x", PG_SHOW_SIZE, PG_DRAWN);
    pg_do(s.g, "atomic s 0 fb=s1 nonblock event");
    /*
     * One flip may wait for each output.  A file may have some 100 events on
     * their way: one that was refused is not among them.
     */
    for (unsigned i = 0; i < 70; i++) {
        pg_err(s.g, "EBUSY", "atomic s 0 fb=s0 nonblock event");
        pg_err(s.g, "EBUSY", "flip s s0 0 nowait");
    }
    pg_gate(s.g, s.pair->draw_id, false);
    pg_do(s.g, "event s %u", PG_SOON_MS);
    pg_err(s.g, "ETIME", "event s 0");
    pg_do(s.g, "atomic s 0 fb=s0 nonblock event");
    pg_do(s.g, "event s %u", PG_SOON_MS);
    pg_do(s.g, "atomic s 0 fb=s1");
    pg_assert_drawn(&s, PG_DRAWN);
    pg_show_end(&s);
    pg_finish(s.g);
}

/* A call that shows what a job of the other GPU has yet to draw */
typedef struct PGShows {
    const char *call;
    const char *drawn;          /* by that job */
    const char *shown;
    unsigned plane;
} PGShows;

static const PGShows pg_shows[] = {
    { "cursor s 0 k1 64 64", "kd1", "k1", 2 },
    { "setplane s 0 cursor k1 40 40", "kd1", "k1", 2 },
    { "setplane s 0 overlay s1", "d1", "s1", 1 },
    { "setplane s 0 primary s1", "d1", "s1", 0 },
    { "setcrtc s s1 0 320x240", "d1", "s1", 0 },
    { "flip s s1", "d1", "s1", 0 },
    { "flip s s1 0 async", "d1", "s1", 0 },
    { "setplane s 0 overlay y", "dy", "y", 1 },
    { "setplane s 0 overlay y", "duv", "y", 1 },
};

static uint64_t pg_shown_key(PGShow *s, unsigned plane)
{
    return pg_output(s->g, s->pair->show_id, 0).keys[plane];
}

/* No old call is an exception: a cursor, a plane, a mode, a flip. */
static void pg_test_calls(const void *data)
{
    PGShow s = pg_show(data);
    PGGuest *g = s.g;

    for (unsigned i = 0; i < 2; i++) {
        pg_do(g, "create d kd%u 16384", i);
        pg_do(g, "fill kd%u 0 16384 0xff00ff00 wait", i);
        pg_do(g, "export kd%u x", i);
        pg_do(g, "import s x k%u", i);
        pg_close_fd(g, "x");
        pg_do(g, "addfb k%u 64 64 256 AR24", i);
    }
    for (unsigned i = 0; i < 2; i++) {
        const char *bo = i ? "uv" : "y";

        pg_do(g, "create d d%s 4096", bo);
        pg_do(g, "fill d%s 0 4096 0x80808080 wait", bo);
        pg_do(g, "export d%s x", bo);
        pg_do(g, "import s x %s", bo);
        pg_close_fd(g, "x");
    }
    pg_do(g, "addfb y,uv 64 64 64 NV12");
    pg_do(g, "fork p2");
    for (unsigned i = 0; i < ARRAY_SIZE(pg_shows); i++) {
        const PGShows *c = &pg_shows[i];
        uint64_t key = pg_u64(g, pg_do(g, "info %s", c->shown), "key");
        unsigned tag;

        pg_do(g, "atomic s 0 fb=s0 overlay fb=off wait");
        pg_do(g, "cursor s 0 k0 64 64");
        pg_gate(g, s.pair->draw_id, true);
        pg_do(g, "fill %s 0 4096 0xff0000ff", c->drawn);
        tag = pg_send(g, "p2 %s", c->call);
        pg_do(g, "vblank s 0 3");
        pg_settle(g);
        if (pg_shown_key(&s, c->plane) == key) {
            pg_fail(g, "shown before it was drawn: %s", c->call);
        }
        pg_gate(g, s.pair->draw_id, false);
        pg_expect_ok(g, tag);
        pg_do(g, "vblank s 0 2");
        pg_assert_u64(g, c->call, pg_shown_key(&s, c->plane), key);
        pg_assert_no_violations(g);
    }
    pg_do(g, "kill p2");
    /* The framebuffer of a cursor is in no file's list. */
    pg_do(g, "cursor s 0 off");
    pg_show_end(&s);
    pg_finish(g);
}

/* A frame is written to a buffer when the other GPU's job on it is done. */
static void pg_test_writeback(const void *data)
{
    static const char *const jobs[] = {
        "fill d1 0 4096 1", "copy t 0 d1 0 4096",
    };
    PGShow s = pg_show(data);
    PGGuest *g = s.g;

    pg_do(g, "create d t 4096");
    /* Attaching is a mode set: nobody can wait for a vertical blank in it. */
    pg_do(g, "atomic s 0 fb=s0 writeback wb=s1 wb-out=w");
    pg_do(g, "fence-wait w %u", PG_SOON_MS);
    pg_close_fd(g, "w");
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        pg_gate(g, s.pair->draw_id, true);
        pg_do(g, "%s", jobs[i]);
        pg_do(g, "atomic s 0 fb=s0 writeback wb=s1 wb-out=w nonblock");
        pg_do(g, "vblank s 0 3");
        pg_settle(g);
        pg_err(g, "ETIME", "fence-wait w 0");
        pg_gate(g, s.pair->draw_id, false);
        pg_do(g, "fence-wait w %u", PG_SOON_MS);
        pg_close_fd(g, "w");
        pg_assert_no_violations(g);
    }
    pg_show_end(&s);
    pg_finish(g);
}

static const PGDisplayTest pg_tests[] = {
    { "implicit", pg_test_implicit },
    { "in-fence", pg_test_in_fence },
    { "out-fence", pg_test_out_fence },
    { "async", pg_test_async },
    { "busy", pg_test_busy },
    { "calls", pg_test_calls },
    { "writeback", pg_test_writeback },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    pg_add_display_tests("display-sync", pg_tests, ARRAY_SIZE(pg_tests));
    return g_test_run();
}
