/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: a display's file, process or driver ends while something is
 * outstanding: events that nobody reads, or that have yet to come, planes,
 * blobs, fences, a write-back, CRCs, a commit that waits.  Whatever it is, and
 * however it ends, all is released, and in that step.
 */
#include "qemu/osdep.h"
#include "primegpu-display.h"

/* What holds a commit back, and is let go when the end has begun */
typedef enum PGHeld {
    PG_HELD_NOT,
    PG_HELD_FENCE,              /* q, of a timeline of p1 */
    PG_HELD_JOB,                /* of the GPU that draws */
} PGHeld;

typedef struct PGOutstanding {
    const char *name;
    PGHeld held;
    const char *const *lines;   /* of p2, once the first frame is shown */
    bool ours;                  /* vkms is left out */
} PGOutstanding;

#define PG_LINES(...) (const char *const[]) { __VA_ARGS__, NULL }
/* PG_SHOW_SIZE */
#define PG_SIZE_TEXT "307200"
/* A frame takes 250 ms. */
#define PG_SLOW_MODE "320x240@4"
/* A call that has not come back after this time waits for what is held. */
#define PG_BLOCKED_MS 200

/* A line that begins with ? may be refused: not all showers have all. */
static const PGOutstanding pg_outstanding[] = {
    { "nothing", PG_HELD_NOT, PG_LINES("names") },
    { "events-unread", PG_HELD_NOT, PG_LINES(
        "queue-vblank s 0 1 1", "queue-sequence s 0 1 2",
        "atomic s 0 fb=s1 nonblock event user=3", "queue-vblank s 0 1 4",
        "vblank s 0 3") },
    { "events-pending", PG_HELD_NOT, PG_LINES(
        "queue-vblank s 0 100000 1", "queue-sequence s 0 100000 2",
        "queue-vblank s 0 1 3", "queue-sequence s 0 200000 4") },
    { "flip-pending", PG_HELD_NOT, PG_LINES(
        "atomic s 0 mode=" PG_SLOW_MODE " fb=s0",
        "queue-vblank s 0 1 1", "atomic s 0 fb=s1 nonblock event out=o") },
    { "planes", PG_HELD_NOT, PG_LINES(
        "?atomic s 0 fb=s0 overlay fb=s1 src=0,0,32,32 dst=8,8,32,32 wait",
        "atomic s 0 fb=s1 cursor fb=s2 at=20,20 wait", "gamma s 0 invert",
        "blob-lut s zero", "blob-ctm s 1 0 0 0 1 0 0 0 1",
        "blob-clips s 0,0,8,8 8,8,16,16", "setplane s 0 cursor s2 40 40") },
    { "fences", PG_HELD_NOT, PG_LINES(
        "fill d1 0 " PG_SIZE_TEXT " 7 explicit out=f",
        "atomic s 0 fb=s1 in=f out=o event",
        "fill d0 0 " PG_SIZE_TEXT " 8",
        "atomic s 0 fb=s0 nonblock out=o2") },
    /*
     * vkms loses a write-back when the next commit is there before it is
     * written, and keeps its framebuffer.  The lock of a fence is its
     * connector's, which goes with the device: a fence that was waited for is
     * closed before.
     */
    { "write-back", PG_HELD_NOT, PG_LINES(
        "atomic s 0 mode=" PG_SLOW_MODE " fb=s0",
        "atomic s 0 fb=s0 connector CRTC_ID=0 writeback wb=s1 wb-out=w",
        "fence-wait w 10000", "close-fd w",
        "atomic s 0 fb=s0 writeback wb=s1 wb-out=w2 nonblock event"),
      .ours = true },
    { "crc", PG_HELD_NOT, PG_LINES(
        "crc-open s 0 c", "vblank s 0 2", "atomic s 0 fb=s1 nonblock event") },
    { "asleep", PG_HELD_NOT, PG_LINES(
        "atomic s 0 fb=s1 cursor fb=s2 at=20,20 wait", "dpms s 0 off",
        "atomic s 0 crtc ACTIVE=1 modeset", "atomic s 0 crtc ACTIVE=0 modeset",
        "?flip s s0 0 nowait", "?queue-vblank s 0 1 1",
        "setplane s 0 cursor s2 40 40", "atomic s 0 fb=s0") },
    { "held-by-fence", PG_HELD_FENCE, PG_LINES(
        "queue-vblank s 0 100000 1",
        "atomic s 0 fb=s1 nonblock event out=o in=q") },
    { "held-by-job", PG_HELD_JOB, PG_LINES(
        "queue-sequence s 0 100000 1",
        "fill d1 0 " PG_SIZE_TEXT " 9",
        "atomic s 0 fb=s1 nonblock event out=o") },
};

static const PGOutstanding pg_interrupted = {
    "interrupted", PG_HELD_FENCE, PG_LINES("names")
};

/*
 * The end, with what is left to be closed, and ; between the lines.  After the
 * line with * the BOs of the display are gone, after that with + those of the
 * GPU that draws.
 */
typedef struct PGEnd {
    const char *name;
    const char *lines;          /* $D and $S are the GPUs */
    const char *unbound;        /* of them */
} PGEnd;

static const PGEnd pg_ends[] = {
    { "close-show", "*p2 close-file s; +p2 close-file d" },
    { "close-draw", "p2 close-file d; *+p2 close-file s" },
    { "kill", "*+kill p2" },
    { "exit", "*+p2 exit" },
    { "fork", "p2 fork p3; kill p2; *p3 close-file s; +kill p3" },
    { "unbind-show", "*p0 unbind $S; p2 close-file s; +p2 close-file d", "$S" },
    { "unbind-draw", "+p0 unbind $D; p2 close-file d; *p2 close-file s", "$D" },
};

/*
 * Calls on files whose device may be gone: done or refused.  DRM keeps no
 * reference for an open file of CRCs, so that has to be closed first.
 */
static const char *const pg_late_calls[] = {
    "close-fd c",
    "event s 0", "atomic s 0 fb=s0", "atomic s 0 mode=off fb=off",
    "flip s s1 0 nowait", "queue-vblank s 0 1 9", "queue-sequence s 0 1 9",
    "addfb s0 64 64 256", "cursor s 0 s2 64 64", "cursor s 0 off",
    "gamma s 0 linear", "blob-lut s linear", "lease s 0 l", "master s drop",
    "master s set", "modes s 0", "dpms s 0 off", "crc-open s 0 c2", "rmfb s s1",
    "export s0 y", "fill d1 0 4096 1", "dirtyfb s s0",
};

typedef struct PGCase {
    const PGOutstanding *what;
    const PGDisplayPair *pair;
} PGCase;

typedef struct PGRound {
    PGScreen s;
    const PGOutstanding *what;
    const PGEnd *end;
    bool held;                  /* still */
    unsigned shown[2];          /* steps in which they may go */
    unsigned drawn[2];
} PGRound;

static char *pg_round_text(const PGRound *r, const char *text)
{
    g_auto(GStrv) a = g_strsplit(text, "$S", -1);
    g_autofree char *shown = g_strjoinv(r->s.pair->show, a);
    g_auto(GStrv) b = g_strsplit(shown, "$D", -1);

    return g_strjoinv(r->s.pair->draw, b);
}

static void pg_round_begin(PGRound *r)
{
    PGGuest *g = r->s.g;

    pg_restart_script(g);
    pg_forget(g);
    pg_do(g, "spawn p2");
    pg_screen_begin(&r->s);
    pg_screen_do(&r->s, "atomic s 0 mode=%ux%u fb=s0", PG_SHOW_WIDTH,
                 PG_SHOW_HEIGHT);
    if (r->what->held == PG_HELD_FENCE) {
        pg_do(g, "sw-sync t");
        pg_do(g, "sw-fence t 1 q");
        pg_do(g, "send q p2 q");
        pg_do(g, "close-fd q");
    } else if (r->what->held == PG_HELD_JOB) {
        pg_gate(g, r->s.pair->draw_id, true);
    }
    r->held = r->what->held != PG_HELD_NOT;
    for (unsigned i = 0; r->what->lines[i]; i++) {
        const char *line = r->what->lines[i];

        if (line[0] == '?') {
            pg_call(g, "p2 %s", line + 1);
        } else {
            pg_screen_do(&r->s, "%s", line);
        }
    }
}

static void pg_round_let_go(PGRound *r)
{
    if (r->held && r->what->held == PG_HELD_FENCE) {
        pg_do(r->s.g, "sw-inc t 1");
    } else if (r->held) {
        pg_gate(r->s.g, r->s.pair->draw_id, false);
    }
    r->held = false;
}

static void pg_round_line(PGRound *r, const char *text)
{
    const char *line = text + strspn(text, "*+");
    PGGuest *g = r->s.g;
    unsigned tag = pg_send(g, "%s", line);
    unsigned steps[2] = { pg_step(g) };

    /* A line that does not come back waits for what is held. */
    if (r->held && !pg_wait(g, tag, PG_BLOCKED_MS)) {
        pg_settle(g);
        pg_round_let_go(r);
    }
    pg_expect_ok(g, tag);
    pg_settle(g);
    steps[1] = pg_step(g);
    if (memchr(text, '*', line - text)) {
        memcpy(r->shown, steps, sizeof(steps));
    }
    if (memchr(text, '+', line - text)) {
        memcpy(r->drawn, steps, sizeof(steps));
    }
}

static void pg_round_end(PGRound *r)
{
    g_autofree char *text = pg_round_text(r, r->end->lines);
    g_auto(GStrv) lines = g_strsplit(text, "; ", -1);
    PGGuest *g = r->s.g;

    for (unsigned i = 0; lines[i]; i++) {
        pg_round_line(r, lines[i]);
        for (unsigned k = 0; !i && r->end->unbound && !r->held &&
             k < ARRAY_SIZE(pg_late_calls); k++) {
            pg_call(g, "p2 %s", pg_late_calls[k]);
        }
    }
    pg_round_let_go(r);
    pg_screen_assert_shown_gone(&r->s, r->shown[0], r->shown[1]);
    pg_screen_assert_drawn_gone(&r->s, r->drawn[0], r->drawn[1]);
    pg_call(g, "kill p2");
    pg_assert_nothing_left(g, text);
    pg_assert_no_violations(g);
    pg_call(g, "close-fd t");
    if (r->end->unbound) {
        g_autofree char *gpu = pg_round_text(r, r->end->unbound);

        pg_do(g, "bind %s", gpu);
    }
    /* Connectors stay as they were set. */
    pg_do(g, "blank");
}

static void pg_test_outstanding(const void *data)
{
    const PGCase *c = data;
    PGGuest *g = pg_start(NULL);

    pg_set_job_timeout(g, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_ends); i++) {
        PGRound r = {
            .s = { .g = g, .pair = c->pair, .worker = "p2" },
            .what = c->what,
            .end = &pg_ends[i],
        };

        /* The driver of vkms is not bound to a device. */
        if (c->pair->show_id || !r.end->unbound ||
            g_str_equal(r.end->unbound, "$D")) {
            pg_round_begin(&r);
            pg_round_end(&r);
        }
    }
    pg_finish(g);
}

/* A commit whose call waits for a fence is given up with its process. */
static void pg_test_interrupted(const void *data)
{
    PGGuest *g = pg_start(NULL);
    PGRound r = {
        .s = { .g = g, .pair = data, .worker = "p2" },
        .what = &pg_interrupted,
    };
    unsigned tag;

    pg_round_begin(&r);
    tag = pg_send(g, "p2 atomic s 0 fb=s1 in=q");
    if (pg_wait(g, tag, PG_BLOCKED_MS)) {
        pg_fail(g, "the commit did not wait for the fence");
    }
    pg_do(g, "kill p2");
    pg_assert_nothing_left(g, "the process was killed");
    pg_do(g, "sw-inc t 1");
    pg_assert_no_violations(g);
    pg_do(g, "blank");
    pg_finish(g);
}

static void pg_add_case_of(const PGOutstanding *what, const PGDisplayPair *pair)
{
    g_autofree char *path =
        g_strdup_printf("display-ends/%s/%s", what->name, pair->name);
    PGCase *c = g_new(PGCase, 1);

    *c = (PGCase) { .what = what, .pair = pair };
    pg_add_case(path, pg_test_outstanding, c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned k = 0; k < ARRAY_SIZE(pg_display_showers); k++) {
        g_autofree char *path = g_strconcat("display-ends/interrupted/",
                                            pg_display_showers[k].name, NULL);

        pg_add_case(path, pg_test_interrupted, &pg_display_showers[k]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(pg_outstanding); i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(pg_display_showers); k++) {
            if (pg_display_showers[k].show_id || !pg_outstanding[i].ours) {
                pg_add_case_of(&pg_outstanding[i], &pg_display_showers[k]);
            }
        }
    }
    return g_test_run();
}
