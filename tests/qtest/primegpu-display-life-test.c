/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: lifetimes of what is shown.  A framebuffer keeps its BO when all
 * handles are closed, scan-out keeps the framebuffer, and both end when they
 * should, whoever goes first: file, process, driver or GPU.
 */
#include "qemu/osdep.h"
#include "primegpu-display.h"

static const uint64_t pg_end;   /* of a table's keys */

#define PG_CURSOR_SIZE      64
/* How many must come in time, and of how many */
#define PG_CURSORS_LATE     5
#define PG_CURSORS_MAX      50
/* To unbind a driver within a second */
#define PG_TRIES            20

#define PG_LEAVES(g, ...)                       \
    do {                                        \
        pg_settle(g);                           \
        pg_assert_table(g, __VA_ARGS__);        \
    } while (0)

static PGShow pg_show(const void *data)
{
    PGShow s = { 0 };

    pg_show_begin(&s, pg_start(NULL), data, true);
    return s;
}

/* No handle, and then no entry in the list: it stays until the next flip. */
static void pg_test_keeps(const void *data)
{
    PGShow s = pg_show(data);

    pg_close(s.g, "s0");
    pg_close(s.g, "d0");
    PG_LEAVES(s.g, s.draw_key[0], s.draw_key[1], s.show_key[0], s.show_key[1],
              pg_end);
    pg_do(s.g, "closefb s %u", s.fb[0]);
    PG_LEAVES(s.g, s.draw_key[0], s.draw_key[1], s.show_key[0], s.show_key[1],
              pg_end);
    pg_do(s.g, "atomic s 0 fb=%u src=0,0,%u,%u dst=0,0,%u,%u wait", s.fb[1],
          s.width, s.height, s.width, s.height);
    PG_LEAVES(s.g, s.draw_key[1], s.show_key[1], pg_end);
    pg_close(s.g, "d1");
    pg_close(s.g, "s1");
    PG_LEAVES(s.g, s.draw_key[1], s.show_key[1], pg_end);
    pg_show_assert(&s, "without handles", 1);
    pg_do(s.g, "rmfb s %u", s.fb[1]);
    PG_LEAVES(s.g, pg_end);
    pg_show_end(&s);
    pg_finish(s.g);
}

/* Not shown: RMFB is the last step. */
static void pg_test_rmfb(const void *data)
{
    PGShow s = pg_show(data);

    pg_close(s.g, "s1");
    pg_close(s.g, "d1");
    PG_LEAVES(s.g, s.draw_key[0], s.draw_key[1], s.show_key[0], s.show_key[1],
              pg_end);
    pg_do(s.g, "rmfb s %u", s.fb[1]);
    PG_LEAVES(s.g, s.draw_key[0], s.show_key[0], pg_end);
    pg_show_end(&s);
    pg_finish(s.g);
}

/* A display that sleeps shows nothing and keeps all; the plane that goes off */
static void pg_test_off(const void *data)
{
    PGShow s = pg_show(data);

    pg_close(s.g, "s0");
    pg_close(s.g, "d0");
    pg_do(s.g, "closefb s %u", s.fb[0]);
    pg_do(s.g, "dpms s 0 off");
    PG_LEAVES(s.g, s.draw_key[0], s.draw_key[1], s.show_key[0], s.show_key[1],
              pg_end);
    pg_assert_u64(s.g, "mode of a display that sleeps",
                  pg_output(s.g, s.pair->show_id, 0).on, false);
    pg_do(s.g, "dpms s 0 on");
    pg_show_assert(&s, "after the display has slept", 0);
    pg_do(s.g, "atomic s 0 mode=off fb=off");
    PG_LEAVES(s.g, s.draw_key[1], s.show_key[1], pg_end);
    pg_show_end(&s);
    pg_finish(s.g);
}

/*
 * Cursors that come while a flip waits for the vertical blank: they do not
 * wait, and each stays until the next one is shown.
 */
static void pg_test_cursors(const void *data)
{
    PGShow s = pg_show(data);
    unsigned late = 0;

    /* A frame takes longer than a step. */
    pg_do(s.g, "atomic s 0 mode=%ux%u@5 fb=s0", s.width, s.height);
    for (unsigned i = 0; i < PG_CURSORS_MAX && late < PG_CURSORS_LATE; i++) {
        pg_create(s.g, "s", "c", PG_CURSOR_SIZE * PG_CURSOR_SIZE * 4);
        pg_do(s.g, "atomic s 0 fb=s%u nonblock event", (i + 1) % 2);
        pg_do(s.g, "cursor s 0 c %u %u", PG_CURSOR_SIZE, PG_CURSOR_SIZE);
        late += pg_output(s.g, s.pair->show_id, 0).pending;
        pg_close(s.g, "c");
        pg_do(s.g, "event s %u", PG_SOON_MS);
    }
    pg_assert_u64(s.g, "cursors set before the flip they came with", late,
                  PG_CURSORS_LATE);
    pg_do(s.g, "cursor s 0 off");
    pg_do(s.g, "vblank s 0 2");
    PG_LEAVES(s.g, s.draw_key[0], s.draw_key[1], s.show_key[0], s.show_key[1],
              pg_end);
    pg_show_end(&s);
    pg_finish(s.g);
}

static void pg_test_file_close(const void *data)
{
    PGShow s = pg_show(data);

    pg_close_file(s.g, "d");
    PG_LEAVES(s.g, s.draw_key[0], s.draw_key[1], s.show_key[0], s.show_key[1],
              pg_end);
    pg_show_assert(&s, "after the file that drew was closed", 0);
    pg_close_file(s.g, "s");
    PG_LEAVES(s.g, pg_end);
    pg_assert_u64(s.g, "plane after the file was closed",
                  pg_output(s.g, s.pair->show_id, 0).key, 0);
    pg_finish(s.g);
}

/* A process ends while what it has is shown, and a flip waits for a job. */
static void pg_test_killed(const void *data)
{
    const PGDisplayPair *pair = data;
    PGGuest *g = pg_start(NULL);
    unsigned tag;

    pg_set_job_timeout(g, 0);
    pg_do(g, "spawn p2");
    pg_do(g, "p2 open d %s", pair->draw);
    pg_do(g, "p2 open s %s card", pair->show);
    for (unsigned i = 0; i < 2; i++) {
        pg_do(g, "p2 create d d%u %u", i, PG_SHOW_SIZE);
        pg_do(g, "p2 export d%u x%u", i, i);
        pg_do(g, "p2 import s x%u s%u", i, i);
        pg_do(g, "p2 addfb s%u %u %u %u", i, PG_SHOW_WIDTH, PG_SHOW_HEIGHT,
              PG_SHOW_WIDTH * 4);
    }
    pg_do(g, "p2 atomic s 0 mode=%ux%u fb=s0", PG_SHOW_WIDTH, PG_SHOW_HEIGHT);
    pg_gate(g, pair->draw_id, true);
    pg_do(g, "p2 fill d1 0 %u 0x123456", PG_SHOW_SIZE);
    pg_do(g, "p2 atomic s 0 fb=s1 nonblock event");
    tag = pg_send(g, "kill p2");
    pg_settle(g);
    pg_gate(g, pair->draw_id, false);
    pg_expect_ok(g, tag);
    pg_assert_nothing_left(g, "the process was killed");
    pg_finish(g);
}

/*
 * The framebuffer of an older client's cursor is of no file: it is shown until
 * somebody turns it off, or the driver goes.
 */
static void pg_test_cursor_stays(const void *data)
{
    const PGDisplayPair *pair = data;
    PGGuest *g = pg_start(NULL);

    for (unsigned unbind = 0; unbind < 2; unbind++) {
        PGShow s = { 0 };
        uint64_t drawn, shown;

        pg_show_begin(&s, g, pair, true);
        drawn = pg_create(g, "d", "c", 64 * 64 * 4);
        pg_export(g, "c", "x");
        shown = pg_import(g, "s", "x", "cs");
        pg_close_fd(g, "x");
        pg_do(g, "cursor s 0 cs 64 64");
        pg_close_file(g, "s");
        pg_close_file(g, "d");
        PG_LEAVES(g, drawn, shown, pg_end);
        if (unbind) {
            pg_do(g, "p0 unbind %s", pair->show);
        } else {
            pg_do(g, "open s %s card", pair->show);
            pg_do(g, "cursor s 0 off");
        }
        PG_LEAVES(g, pg_end);
        pg_assert_nothing_left(g, "the cursor was turned off");
        pg_assert_no_violations(g);
        if (unbind) {
            pg_do(g, "p0 bind %s", pair->show);
        } else {
            pg_close_file(g, "s");
        }
    }
    pg_finish(g);
}

static void pg_works(PGGuest *g, const PGDisplayPair *pair)
{
    PGShow s = { 0 };

    pg_show_begin(&s, g, pair, true);
    pg_do(g, "atomic s 0 fb=s1 wait");
    pg_show_assert(&s, "after a flip", 1);
    pg_show_end(&s);
}

/* The driver goes, of the GPU that shows or of the one that drew. */
static void pg_unbind(const void *data, bool show)
{
    PGShow s = pg_show(data);
    const char *gpu = show ? s.pair->show : s.pair->draw;

    pg_create(s.g, "s", "own", PG_SHOW_SIZE);
    pg_do(s.g, "addfb own %u %u %u", s.width, s.height, s.width * 4);
    pg_do(s.g, "atomic s 0 overlay fb=own src=0,0,32,32 dst=8,8,32,32 wait");
    pg_do(s.g, "p0 unbind %s", gpu);
    pg_assert_u64(s.g, "BO that is shown after the driver has gone",
                  pg_output(s.g, s.pair->show_id, 0).key,
                  show ? 0 : s.show_key[0]);
    pg_show_end(&s);
    pg_do(s.g, "p0 bind %s", gpu);
    pg_works(s.g, s.pair);
    pg_finish(s.g);
}

static void pg_test_unbind_show(const void *data)
{
    pg_unbind(data, true);
}

static void pg_test_unbind_draw(const void *data)
{
    pg_unbind(data, false);
}

/*
 * The driver goes of the GPU in whose VRAM the frame is, and it is not shown
 * any more; a flip that replaces it is done at once.  Did it wait until then?
 */
static bool pg_unbind_vram(PGGuest *g, const PGDisplayPair *pair, bool flips)
{
    PGShow s = { 0 };
    PGOutput before, after;
    uint64_t own;

    pg_show_begin(&s, g, pair, false);
    own = pg_create(g, "s", "own", PG_SHOW_SIZE);
    pg_do(g, "addfb own %u %u %u", s.width, s.height, s.width * 4);
    pg_do(g, "fill d0 0 %u 0x123456 wait", PG_SHOW_SIZE);
    /* A frame takes a second. */
    pg_do(g, "atomic s 0 mode=%ux%u@1 fb=s0", s.width, s.height);
    pg_assert_u64(g, "the frame is in VRAM",
                  pg_look_bo(g, s.draw_key[0]).location,
                  PRIME_GPU_LOCATION_VRAM);
    if (flips) {
        pg_do(g, "atomic s 0 fb=own nonblock event");
    }
    before = pg_output(g, pair->show_id, 0);
    pg_do(g, "p0 unbind %s", pair->draw);
    after = pg_output(g, pair->show_id, 0);
    pg_assert_u64(g, "BO that is shown after the driver has gone", after.key,
                  flips ? own : 0);
    pg_assert_no_violations(g);
    if (flips) {
        pg_do(g, "event s %u", PG_SOON_MS);
    }
    pg_show_end(&s);
    pg_do(g, "p0 bind %s", pair->draw);
    return before.pending && after.vblank_count == before.vblank_count;
}

static void pg_test_unbind_vram(const void *data)
{
    const PGDisplayPair *pair = data;
    PGGuest *g = pg_start(NULL);
    unsigned tries = 0;

    pg_set_param(g, "primegpu_integrated", "dynamic", 1);
    pg_unbind_vram(g, pair, false);
    while (!pg_unbind_vram(g, pair, true)) {
        if (++tries == PG_TRIES) {
            pg_fail(g, "the driver never went while the flip waited");
        }
    }
    pg_works(g, pair);
    pg_finish(g);
}

/*
 * What is shown is all that keeps an import, and with it the exporter's BO: the
 * hardware lets go of the bytes first, though a worker frees them.
 */
static void pg_test_unbind_last(const void *data)
{
    PGShow s = pg_show(data);

    pg_do(s.g, "closefb s %u", s.fb[0]);
    pg_do(s.g, "rmfb s %u", s.fb[1]);
    for (unsigned i = 0; i < PG_SHOW_FRAMES; i++) {
        g_autofree char *drawn = g_strdup_printf("d%u", i);
        g_autofree char *shown = g_strdup_printf("s%u", i);

        pg_close(s.g, drawn);
        pg_close(s.g, shown);
    }
    PG_LEAVES(s.g, s.draw_key[0], s.show_key[0], pg_end);
    pg_do(s.g, "p0 unbind %s", s.pair->show);
    PG_LEAVES(s.g, pg_end);
    pg_do(s.g, "p0 bind %s", s.pair->show);
    pg_close_file(s.g, "d");
    pg_close_file(s.g, "s");
    pg_works(s.g, s.pair);
    pg_finish(s.g);
}

static void pg_unplug(const void *data, bool show)
{
    PGShow s = pg_show(data);
    const char *id = show ? s.pair->show_id : s.pair->draw_id;
    int64_t until = g_get_monotonic_time() + PG_SOON_MS * INT64_C(1000);
    bool there = true;

    qtest_qmp_assert_success(pg_qts(s.g), "{ 'execute': 'device_del',"
                             "  'arguments': { 'id': %s } }", id);
    while (there) {
        g_auto(GStrv) ids = pg_devices(s.g);

        there = g_strv_contains((const char *const *)ids, id);
        if (there && g_get_monotonic_time() > until) {
            pg_fail(s.g, "%s was not unplugged within %u ms", id, PG_SOON_MS);
        }
        g_usleep(2000);
    }
    pg_show_end(&s);
    pg_finish(s.g);
}

static void pg_test_unplug_show(const void *data)
{
    pg_unplug(data, true);
}

static void pg_test_unplug_draw(const void *data)
{
    pg_unplug(data, false);
}

/*
 * What uses VRAM for a display keeps it there; when the use ends the BO can be
 * moved and evicted, as before.
 */
static const struct {
    const char *begin, *end;
} pg_uses[] = {
    { "atomic s 0 fb=o wait", "atomic s 0 fb=b wait" },
    { "flip s o", "flip s b" },
    { "flip s o 0 async", "flip s b 0 async" },
    { "setcrtc s o 0 320x240", "setcrtc s b 0 320x240" },
    { "atomic s 0 overlay fb=o wait", "atomic s 0 overlay fb=off wait" },
    { "setplane s 0 overlay o", "setplane s 0 overlay off" },
    { "atomic s 0 cursor fb=o wait", "atomic s 0 cursor fb=off wait" },
    { "cursor s 0 o 64 64", "cursor s 0 off" },
    { "cursor s 0 o 64 64", "atomic s 0 cursor fb=off wait" },
    { "atomic s 0 mode=off fb=off; atomic s 0 mode=320x240 fb=o",
      "atomic s 0 mode=off fb=off; atomic s 0 mode=320x240 fb=b" },
    /* It has ended when the fence is done. */
    { NULL, "atomic s 0 fb=b writeback wb=o wb-out=w wait; fence-wait w 10000; "
      "close-fd w; atomic s 0 fb=b wait" },
    { NULL, "atomic s 0 fb=o test" },
};

static void pg_move(PGGuest *g, const char *move, const char *wanted,
                    const char *when)
{
    g_autofree char *where = NULL;

    pg_do(g, "%s", move);
    where = pg_str(pg_do(g, "info o"), "placement");
    if (g_strcmp0(where, wanted)) {
        pg_fail(g, "it is in %s and not in %s: %s, after: %s", where, wanted,
                move, when);
    }
}

/* BO @name in VRAM, with contents */
static void pg_create_in_vram(PGGuest *g, const char *name, unsigned width,
                              unsigned height)
{
    pg_do(g, "create s %s %u vram", name, width * height * 4);
    pg_do(g, "fill %s 0 %u 1 wait", name, width * height * 4);
}

static void pg_test_movable(const void *data)
{
    static const char *const moves[] = { "place o pages", "evict discrete" };
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open s discrete card");
    for (const char *const *bo = (const char *const []) { "b", "o", NULL };
         *bo; bo++) {
        pg_create_in_vram(g, *bo, PG_SHOW_WIDTH, PG_SHOW_HEIGHT);
        pg_do(g, "addfb %s %u %u %u", *bo, PG_SHOW_WIDTH, PG_SHOW_HEIGHT,
              PG_SHOW_WIDTH * 4);
    }
    pg_do(g, "atomic s 0 mode=320x240 fb=b");
    for (unsigned i = 0; i < ARRAY_SIZE(pg_uses); i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(moves); k++) {
            if (pg_uses[i].begin) {
                pg_do_lines(g, pg_uses[i].begin);
                pg_move(g, moves[k], "vram", pg_uses[i].begin);
            }
            pg_do_lines(g, pg_uses[i].end);
            pg_move(g, moves[k], "pages", pg_uses[i].end);
            pg_move(g, "place o vram", "vram", pg_uses[i].end);
        }
    }
    pg_close_file(g, "s");
    pg_assert_nothing_left(g, "the file was closed");
    pg_finish(g);
}

/*
 * A cursor that another one replaces while a flip waits for the vertical blank
 * is shown until then, and stays in VRAM.
 */
static void pg_test_cursor_in_vram(const void *data)
{
    PGGuest *g = pg_start(NULL);
    unsigned late = 0;

    pg_do(g, "open s discrete card");
    pg_create_in_vram(g, "b", PG_SHOW_WIDTH, PG_SHOW_HEIGHT);
    pg_do(g, "addfb b %u %u %u", PG_SHOW_WIDTH, PG_SHOW_HEIGHT,
          PG_SHOW_WIDTH * 4);
    pg_create_in_vram(g, "o", PG_CURSOR_SIZE, PG_CURSOR_SIZE);
    pg_create_in_vram(g, "p", PG_CURSOR_SIZE, PG_CURSOR_SIZE);
    /* A frame takes longer than a step. */
    pg_do(g, "atomic s 0 mode=%ux%u@5 fb=b", PG_SHOW_WIDTH, PG_SHOW_HEIGHT);
    for (unsigned i = 0; i < PG_CURSORS_MAX && late < PG_CURSORS_LATE; i++) {
        g_autofree char *where = NULL;
        PGOutput before, after;

        pg_do(g, "cursor s 0 o %u %u", PG_CURSOR_SIZE, PG_CURSOR_SIZE);
        pg_do(g, "vblank s 0 2");
        pg_do(g, "atomic s 0 fb=b nonblock event");
        before = pg_output(g, "discrete0", 0);
        pg_do(g, "cursor s 0 p %u %u", PG_CURSOR_SIZE, PG_CURSOR_SIZE);
        pg_do(g, "place o pages");
        where = pg_str(pg_do(g, "info o"), "placement");
        after = pg_output(g, "discrete0", 0);
        if (before.pending && after.vblank_count == before.vblank_count) {
            late++;
            if (g_strcmp0(where, "vram")) {
                pg_fail(g, "the cursor is in %s while it is shown", where);
            }
        }
        pg_do(g, "event s %u", PG_SOON_MS);
        pg_settle(g);
        pg_move(g, "place o pages", "pages", "the flip");
        pg_move(g, "place o vram", "vram", "the flip");
    }
    pg_assert_u64(g, "cursors set before the flip they came with", late,
                  PG_CURSORS_LATE);
    pg_do(g, "atomic s 0 mode=off fb=off cursor fb=off");
    pg_close_file(g, "s");
    pg_assert_nothing_left(g, "the file was closed");
    pg_finish(g);
}

static const PGDisplayTest pg_tests[] = {
    { "keeps", pg_test_keeps },
    { "rmfb", pg_test_rmfb },
    { "off", pg_test_off },
    { "cursors", pg_test_cursors },
    { "file-close", pg_test_file_close },
    { "killed", pg_test_killed },
    { "cursor-stays", pg_test_cursor_stays },
    { "unbind-show", pg_test_unbind_show },
    { "unbind-draw", pg_test_unbind_draw },
    { "unbind-last", pg_test_unbind_last },
    { "unplug-show", pg_test_unplug_show },
    { "unplug-draw", pg_test_unplug_draw },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    pg_add_display_tests("display-life", pg_tests, ARRAY_SIZE(pg_tests));
    pg_add_case("display-life/unbind-vram/discrete-to-integrated",
                pg_test_unbind_vram, &pg_display_pairs[0]);
    pg_add_case("display-life/movable", pg_test_movable, NULL);
    pg_add_case("display-life/cursor-in-vram", pg_test_cursor_in_vram, NULL);
    return g_test_run();
}
