/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: what is shown while the machine or the display sleeps, or while
 * nobody has plugged the display in.  The frame is there again afterwards, as
 * it was; its BO is there all the time, and goes when it should.
 */
#include "qemu/osdep.h"
#include "primegpu-display.h"
#include "primegpu-sleep.h"

static PGScreen pg_power_begin(PGGuest *g, const PGDisplayPair *pair,
                               const char *worker)
{
    PGScreen s = { .g = g, .pair = pair, .worker = worker };

    pg_restart_script(g);
    pg_forget(g);
    pg_screen_begin(&s);
    for (unsigned i = 0; i < PG_SCREEN_CURSOR; i++) {
        pg_screen_do(&s, "fill d%u 0 %u 0x%x wait", i, PG_SHOW_SIZE,
                     0x112233 * (i + 1));
    }
    pg_screen_do(&s, "fill d%u 0 %u 0xff445566 wait", PG_SCREEN_CURSOR,
                 PG_CURSOR_SIZE * PG_CURSOR_SIZE * 4);
    pg_screen_do(&s, "atomic s 0 mode=320x240 fb=s0 cursor fb=s%u at=30,40",
                 PG_SCREEN_CURSOR);
    return s;
}

/* The second frame that is shown after the call is what it shows for good. */
static uint32_t pg_power_crc(PGScreen *s)
{
    return pg_u64(s->g, pg_screen_do(s, "crc s 0 2"), "crc");
}

static void pg_power_assert_alive(PGScreen *s)
{
    pg_settle(s->g);
    for (unsigned i = 0; i < PG_SCREEN_FRAMES; i++) {
        pg_assert_alive(s->g, s->draw_key[i]);
    }
}

static void pg_power_assert_same(PGScreen *s, const char *what, uint32_t crc,
                                 unsigned frame)
{
    g_autofree char *text = g_strdup_printf("CRC, %s", what);

    pg_power_assert_alive(s);
    pg_assert_u64(s->g, text, pg_power_crc(s), crc);
    if (s->pair->show_id) {
        PGOutput o = pg_output(s->g, s->pair->show_id, 0);

        pg_assert_u64(s->g, what, o.keys[0], s->show_key[frame]);
        pg_assert_u64(s->g, what, o.keys[2], s->show_key[PG_SCREEN_CURSOR]);
        pg_assert_u64(s->g, "pages that scan-out could not read",
                      o.counters.scan_faults, 0);
    }
    pg_assert_no_violations(s->g);
}

static void pg_power_end(PGScreen *s)
{
    pg_screen_do(s, "close-file s");
    pg_screen_do(s, "close-file d");
    pg_assert_nothing_left(s->g, "both files were closed");
    pg_assert_no_violations(s->g);
}

/* The GPU that draws shows a frame of its own, from VRAM if it has some. */
static uint32_t pg_sleep_own(PGScreen *s)
{
    PGGuest *g = s->g;

    pg_do(g, "open o %s card", s->pair->draw);
    pg_do(g, "create o own %u", PG_SHOW_SIZE);
    pg_call(g, "place own vram");
    pg_do(g, "fill own 0 %u 0x778899 wait", PG_SHOW_SIZE);
    pg_do(g, "addfb own %u %u %u", PG_SHOW_WIDTH, PG_SHOW_HEIGHT,
          PG_SHOW_WIDTH * 4);
    pg_do(g, "atomic o 0 mode=320x240 fb=own");
    return pg_u64(g, pg_do(g, "crc o 0 2"), "crc");
}

static void pg_test_suspend(const void *data)
{
    PGGuest *g = pg_start(NULL);
    uint32_t crc, own;
    PGScreen s;

    pg_sleep_needs_kernel(g);
    s = pg_power_begin(g, data, "p1");
    crc = pg_power_crc(&s);
    own = pg_sleep_own(&s);
    pg_assert_u64(g, "CRC of a frame of one colour", own,
                  pg_color_crc(PG_SHOW_WIDTH, PG_SHOW_HEIGHT, 0x778899));
    for (unsigned i = 0; i < PG_SLEEP_LEVELS; i++) {
        /* With events and a flip that have yet to come */
        pg_do(g, "queue-vblank s 0 100000 1");
        pg_do(g, "atomic s 0 fb=s0 nonblock out=f");
        pg_sleep(g, pg_sleep_levels[i]);
        pg_do(g, "fence-wait f %u", PG_SOON_MS);
        pg_do(g, "close-fd f");
        pg_power_assert_same(&s, "after the machine has slept", crc, 0);
        pg_assert_u64(g, "CRC of the GPU that draws",
                      pg_u64(g, pg_do(g, "crc o 0 2"), "crc"), own);
        /* It can be drawn, and flipped to, as before. */
        pg_do(g, "fill d1 0 %u %u", PG_SHOW_SIZE, i);
        pg_do(g, "atomic s 0 fb=s1");
        pg_do(g, "atomic s 0 fb=s0");
    }
    /* A display that is off stays off. */
    pg_do(g, "dpms s 0 off");
    pg_sleep(g, pg_sleep_levels[0]);
    if (s.pair->show_id) {
        pg_assert_u64(g, "display that was off before the machine has slept",
                      pg_output(g, s.pair->show_id, 0).on, false);
    }
    pg_power_assert_alive(&s);
    pg_do(g, "dpms s 0 on");
    pg_power_assert_same(&s, "after both have slept", crc, 0);
    pg_close_file(g, "o");
    pg_power_end(&s);
    pg_finish(g);
}

/* VRAM cannot be emptied: the machine stays awake, and shows what it did. */
static void pg_test_suspend_fails(const void *data)
{
    PGGuest *g = pg_start(NULL);
    uint32_t crc;
    PGScreen s;

    pg_sleep_needs_kernel(g);
    s = pg_power_begin(g, data, "p1");
    crc = pg_power_crc(&s);
    pg_do(g, "open v discrete");
    pg_do(g, "create v vb %u vram", PG_SHOW_SIZE);
    pg_do(g, "fill vb 0 %u 0x5a5a5a5a wait", PG_SHOW_SIZE);
    for (unsigned i = 0; i < 2; i++) {
        pg_do(g, "queue-vblank s 0 100000 1");
        qtest_qmp_assert_success(pg_qts(g), "{ 'execute': 'primegpu-inject',"
                                 "  'arguments': { 'device': 'discrete0',"
                                 "    'fault': 'attach', 'count': 100 } }");
        pg_err(g, "EFAULT", "set " PG_POWER "state freeze");
        qtest_qmp_assert_success(pg_qts(g),
                                 "{ 'execute': 'primegpu-inject-clear' }");
        pg_power_assert_same(&s, "after a sleep that was given up", crc, 0);
        pg_assert_u64(g, "contents of VRAM", pg_bo_sum(g, "vb"),
                      pg_sum_words(PG_SHOW_SIZE, 0x5a5a5a5a, PG_SHOW_SIZE, 0));
        pg_do(g, "atomic s 0 fb=s1 wait");
        pg_do(g, "atomic s 0 fb=s0 wait");
        pg_do(g, "place vb vram");
    }
    pg_sleep(g, pg_sleep_levels[0]);
    pg_power_assert_same(&s, "after the machine has slept", crc, 0);
    pg_close_file(g, "v");
    pg_power_end(&s);
    pg_finish(g);
}

static void pg_test_dpms(const void *data)
{
    static const char *const sleeps[][2] = {
        { "dpms s 0 off", "dpms s 0 on" },
        { "atomic s 0 crtc ACTIVE=0 modeset",
          "atomic s 0 crtc ACTIVE=1 modeset" },
        { "dpms s 0 off", "atomic s 0 crtc ACTIVE=1 modeset" },
    };
    PGGuest *g = pg_start(NULL);
    PGScreen s = pg_power_begin(g, data, "p1");
    uint32_t crc[2];

    for (unsigned i = 0; i < 2; i++) {
        pg_do(g, "atomic s 0 fb=s%u wait", !i);
        crc[!i] = pg_power_crc(&s);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(sleeps); i++) {
        pg_do(g, "%s", sleeps[i][0]);
        pg_power_assert_alive(&s);
        pg_err(g, "EINVAL", "flip s s1 0 nowait");
        pg_do(g, "%s", sleeps[i][1]);
        pg_power_assert_same(&s, "after the display has slept", crc[0], 0);
        /* Another frame, chosen while it sleeps */
        pg_do(g, "%s", sleeps[i][0]);
        pg_do(g, "atomic s 0 fb=s1");
        pg_power_assert_alive(&s);
        pg_do(g, "%s", sleeps[i][1]);
        pg_power_assert_same(&s, "with a frame chosen meanwhile", crc[1], 1);
        pg_do(g, "atomic s 0 fb=s0");
    }
    pg_power_end(&s);
    pg_finish(g);
}

/* The display is pulled; the frame stays until somebody does something. */
static void pg_pulled_round(PGGuest *g, const PGDisplayPair *pair,
                            const char *end)
{
    bool unbind = g_str_has_prefix(end, "unbind");
    PGScreen s;
    uint32_t crc;
    unsigned step;

    pg_do(g, "spawn p2");
    s = pg_power_begin(g, pair, "p2");
    crc = pg_power_crc(&s);
    pg_do(g, "uevents u");
    pg_set_display(g, pair->show_id, 0, 0, 0);
    pg_do(g, "uevent u %u SUBSYSTEM=drm HOTPLUG=1", PG_SOON_MS);
    pg_do(g, "close-fd u");
    pg_assert_u64(g, "modes of a display that was pulled",
                  pg_u64(g, pg_do(g, "p2 modes s 0"), "modes"), 0);
    pg_power_assert_same(&s, "without a display", crc, 0);
    pg_do(g, "p2 atomic s 0 fb=s1 wait");
    pg_power_assert_alive(&s);
    if (unbind) {
        pg_do(g, "unbind %s", pair->show);
    } else {
        pg_do(g, "%s", end);
    }
    step = pg_step(g);
    pg_settle(g);
    pg_screen_assert_shown_gone(&s, step, step);
    pg_call(g, "kill p2");
    pg_assert_nothing_left(g, end);
    pg_set_display(g, pair->show_id, 0, 1024, 768);
    if (unbind) {
        pg_do(g, "bind %s", pair->show);
    }
    pg_do(g, "blank");
}

static void pg_test_pulled(const void *data)
{
    static const char *const ends[] = {
        "p2 close-file s", "kill p2", "p2 exit", "unbind",
    };
    PGGuest *g = pg_start(NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
        pg_pulled_round(g, data, ends[i]);
    }
    pg_finish(g);
}

static const PGDisplayTest pg_tests[] = {
    { "pulled", pg_test_pulled },
};

static const PGDisplayTest pg_shower_tests[] = {
    { "suspend", pg_test_suspend },
    { "suspend-fails", pg_test_suspend_fails },
    { "dpms", pg_test_dpms },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    pg_add_display_tests("display-power", pg_tests, ARRAY_SIZE(pg_tests));
    pg_add_shower_tests("display-power", pg_shower_tests,
                        ARRAY_SIZE(pg_shower_tests));
    return g_test_run();
}
