/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: frames that one GPU draws and the other shows, as they are seen
 * from outside: by the device's CRC, and on QEMU's console.
 */
#include "qemu/osdep.h"
#include "primegpu-display.h"
#include "hw/display/primegpu/primegpu_agent.h"

static PGShow pg_show(const void *data, bool on)
{
    PGShow s = { 0 };

    pg_show_begin(&s, pg_start(NULL), data, on);
    return s;
}

/* CRC and console must agree with the picture. */
static void pg_assert_shown(PGShow *s, const char *what, const PGPicture *p)
{
    const char *id = s->pair->show_id;
    g_autoptr(PGPicture) seen = pg_screendump(s->g, id, 0);
    uint32_t crc = pg_u64(s->g, pg_do(s->g, "crc s 0"), "crc");
    PGOutput o = pg_output(s->g, id, 0);

    pg_assert_picture(s->g, what, seen, p);
    pg_assert_u64(s->g, "CRC that the device computed", o.crc,
                  pg_picture_crc(p));
    pg_assert_u64(s->g, "CRC that the guest was told", crc, o.crc);
    pg_assert_u64(s->g, "pages that scan-out could not read",
                  o.counters.scan_faults, 0);
}

static void pg_test_cross(const void *data)
{
    PGShow s = pg_show(data, true);
    g_autoptr(PGPicture) p = pg_picture_new(s.width, s.height);
    uint64_t copied;

    pg_draw_test_card(s.g, "d1", p);
    copied = pg_bytes_copied(s.g);
    pg_do(s.g, "atomic s 0 fb=s1 wait");
    pg_show_assert(&s, "after the flip", 1);
    pg_assert_shown(&s, "the frame that the other GPU drew", p);
    pg_assert_u64(s.g, "bytes copied for a flip of an imported frame",
                  pg_bytes_copied(s.g) - copied, 0);
    pg_show_end(&s);
    pg_finish(s.g);
}

/* Drawn by the GPU that shows, into the buffer of the other */
static void pg_test_reverse(const void *data)
{
    PGShow s = pg_show(data, true);
    g_autoptr(PGPicture) p = pg_picture_new(s.width, s.height);

    pg_draw_test_card(s.g, "s1", p);
    pg_do(s.g, "atomic s 0 fb=s1 wait");
    pg_assert_shown(&s, "the frame in the other GPU's buffer", p);
    pg_show_end(&s);
    pg_finish(s.g);
}

static void pg_test_own(const void *data)
{
    PGShow s = pg_show(data, false);
    g_autoptr(PGPicture) p = pg_picture_new(s.width, s.height);

    pg_create(s.g, "s", "own", PG_SHOW_SIZE);
    pg_do(s.g, "addfb own %u %u %u", s.width, s.height, s.width * 4);
    pg_draw_test_card(s.g, "own", p);
    pg_do(s.g, "atomic s 0 mode=%ux%u fb=own", s.width, s.height);
    pg_assert_shown(&s, "the GPU's own frame", p);
    /* The console follows what is drawn without a flip. */
    pg_draw(s.g, "own", p, 40, 50, 60, 70, 0x123456);
    pg_do(s.g, "bo-wait own write %u", PG_SOON_MS);
    pg_do(s.g, "dirtyfb s own 40 50 100 120");
    pg_assert_shown(&s, "the part that was drawn anew", p);
    pg_show_end(&s);
    pg_finish(s.g);
}

/* A second plane that the first GPU drew over one of the other's own */
static void pg_test_planes(const void *data)
{
    PGShow s = pg_show(data, true);
    g_autoptr(PGPicture) p = pg_picture_new(s.width, s.height);
    g_autoptr(PGPicture) over = pg_picture_new(s.width, s.height);

    pg_draw_test_card(s.g, "d0", p);
    pg_draw_test_card(s.g, "d1", over);
    pg_do(s.g, "atomic s 0 fb=s0 overlay fb=s1 src=8,16,64,32 "
          "dst=100,120,64,32 wait");
    for (unsigned y = 0; y < 32; y++) {
        for (unsigned x = 0; x < 64; x++) {
            p->pixels[(120 + y) * s.width + 100 + x] =
                over->pixels[(16 + y) * s.width + 8 + x];
        }
    }
    pg_assert_shown(&s, "an overlay", p);
    pg_do(s.g, "atomic s 0 overlay fb=off wait");
    pg_draw_test_card(s.g, "d0", p);
    pg_do(s.g, "bo-wait d0 write %u", PG_SOON_MS);
    pg_assert_shown(&s, "without the overlay", p);
    /* Doubled, and partly outside */
    pg_do(s.g, "atomic s 0 overlay fb=s1 src=8,16,64,32 "
          "dst=-10,200,128,64 wait");
    for (unsigned y = 0; y < s.height - 200; y++) {
        for (unsigned x = 10; x < 128; x++) {
            p->pixels[(200 + y) * s.width + x - 10] =
                over->pixels[(16 + y / 2) * s.width + 8 + x / 2];
        }
    }
    pg_assert_shown(&s, "an overlay of twice the size", p);
    pg_show_end(&s);
    pg_finish(s.g);
}

static void pg_test_cursor(const void *data)
{
    PGShow s = pg_show(data, true);
    g_autoptr(PGPicture) p = pg_picture_new(s.width, s.height);
    g_autoptr(PGPicture) with = pg_picture_new(s.width, s.height);

    pg_draw_test_card(s.g, "d0", p);
    pg_do(s.g, "bo-wait d0 write %u", PG_SOON_MS);
    pg_create(s.g, "d", "c", 64 * 64 * 4);
    pg_do(s.g, "fill c 0 %u 0xff336699 wait", 64 * 64 * 4);
    pg_export(s.g, "c", "x");
    pg_import(s.g, "s", "x", "cs");
    pg_close_fd(s.g, "x");
    pg_do(s.g, "cursor s 0 cs 64 64");
    pg_do(s.g, "cursor-move s 0 30 40");
    pg_do(s.g, "vblank s 0 2");
    memcpy(with->pixels, p->pixels, (size_t)s.width * s.height * 4);
    pg_picture_fill(with, 30, 40, 64, 64, 0x336699);
    pg_assert_shown(&s, "a cursor that the other GPU drew", with);
    pg_do(s.g, "cursor-move s 0 200 100");
    pg_do(s.g, "vblank s 0 2");
    memcpy(with->pixels, p->pixels, (size_t)s.width * s.height * 4);
    pg_picture_fill(with, 200, 100, 64, 64, 0x336699);
    pg_assert_shown(&s, "the cursor that has moved", with);
    pg_do(s.g, "cursor s 0 off");
    pg_do(s.g, "vblank s 0 2");
    pg_assert_shown(&s, "without the cursor", p);
    pg_show_end(&s);
    pg_finish(s.g);
}

static void pg_test_gamma(const void *data)
{
    PGShow s = pg_show(data, true);
    g_autoptr(PGPicture) p = pg_picture_new(s.width, s.height);
    unsigned blob;

    pg_draw_test_card(s.g, "d0", p);
    pg_do(s.g, "bo-wait d0 write %u", PG_SOON_MS);
    blob = pg_u64(s.g, pg_do(s.g, "blob-lut s invert"), "blob");
    pg_do(s.g, "atomic s 0 crtc GAMMA_LUT=%u wait", blob);
    for (size_t i = 0; i < (size_t)s.width * s.height; i++) {
        p->pixels[i] ^= 0xffffff;
    }
    pg_assert_shown(&s, "inverted", p);
    /* The table of older clients is the same property. */
    pg_do(s.g, "gamma s 0 linear");
    pg_do(s.g, "vblank s 0 2");
    for (size_t i = 0; i < (size_t)s.width * s.height; i++) {
        p->pixels[i] ^= 0xffffff;
    }
    pg_assert_shown(&s, "with a linear table", p);
    pg_show_end(&s);
    pg_finish(s.g);
}

/* What is shown goes back to a buffer of the GPU that drew it. */
static void pg_test_writeback(const void *data)
{
    PGShow s = pg_show(data, true);
    g_autoptr(PGPicture) p = pg_picture_new(s.width, s.height);
    PGOutput before, after;
    uint64_t sum;

    pg_draw_test_card(s.g, "d0", p);
    /* The fourth byte is not shown, and is 0xff when it is written back. */
    pg_do(s.g, "fill d1 0 %u 0 wait", PG_SHOW_SIZE);
    before = pg_output(s.g, s.pair->show_id, 0);
    pg_do(s.g, "atomic s 0 fb=s0 writeback wb=s1 wb-out=w wait");
    pg_assert_u64(s.g, "status of the write-back's fence",
                  pg_u64(s.g, pg_do(s.g, "fence-wait w %u", PG_SOON_MS),
                         "status"), 1);
    after = pg_output(s.g, s.pair->show_id, 0);
    pg_assert_u64(s.g, "write-backs",
                  after.counters.writebacks - before.counters.writebacks, 1);
    for (size_t i = 0; i < (size_t)s.width * s.height; i++) {
        p->pixels[i] |= 0xff000000;
    }
    sum = primegpu_agent_checksum(PRIMEGPU_AGENT_CHECKSUM_INIT, p->pixels,
                                  PG_SHOW_SIZE);
    pg_assert_u64(s.g, "contents of the frame written back",
                  pg_bo_sum(s.g, "d1"), sum);
    pg_close_fd(s.g, "w");
    pg_show_end(&s);
    pg_finish(s.g);
}

/* A display that is pulled, and one of another size, from outside */
static void pg_test_hotplug(const void *data)
{
    PGShow s = pg_show(data, true);
    const char *id = s.pair->show_id;
    const PGReply *r;

    pg_do(s.g, "uevents u");
    pg_set_display(s.g, id, 0, 0, 0);
    pg_do(s.g, "uevent u %u SUBSYSTEM=drm HOTPLUG=1", PG_SOON_MS);
    r = pg_do(s.g, "modes s 0");
    pg_assert_u64(s.g, "connected", pg_u64(s.g, r, "connected"), 0);
    pg_assert_u64(s.g, "modes", pg_u64(s.g, r, "modes"), 0);
    pg_set_display(s.g, id, 0, 1360, 768);
    pg_do(s.g, "uevent u %u SUBSYSTEM=drm HOTPLUG=1", PG_SOON_MS);
    r = pg_do(s.g, "modes s 0");
    pg_assert_u64(s.g, "connected", pg_u64(s.g, r, "connected"), 1);
    pg_assert_u64(s.g, "width", pg_u64(s.g, r, "width"), 1360);
    pg_assert_u64(s.g, "height", pg_u64(s.g, r, "height"), 768);
    pg_close_fd(s.g, "u");
    pg_show_end(&s);
    pg_finish(s.g);
}

/* Nobody looks: nothing is read for the console, and nothing for a CRC. */
static void pg_test_unseen(const void *data)
{
    PGShow s = pg_show(data, true);
    PGOutput before = pg_output(s.g, s.pair->show_id, 0), after;
    uint64_t copied = pg_bytes_copied(s.g);

    for (unsigned i = 1; i <= 20; i++) {
        pg_do(s.g, "atomic s 0 fb=s%u wait", i % PG_SHOW_FRAMES);
    }
    after = pg_output(s.g, s.pair->show_id, 0);
    pg_assert_u64(s.g, "flips", after.counters.flips - before.counters.flips,
                  20);
    pg_assert_u64(s.g, "bytes read for the console",
                  after.counters.console_bytes, before.counters.console_bytes);
    pg_assert_u64(s.g, "bytes read for CRCs", after.counters.frame_bytes,
                  before.counters.frame_bytes);
    pg_assert_u64(s.g, "bytes copied", pg_bytes_copied(s.g), copied);
    pg_show_end(&s);
    pg_finish(s.g);
}

/*
 * What has waited for vertical blanks does so no more, and the driver has them
 * interrupt nobody: the output is on all the time.
 */
static void pg_test_quiet(const void *data)
{
    static const char *const calls[] = {
        "vblank s 0 2", "queue-vblank s 0 1 1; event s $T",
        "queue-sequence s 0 1 2; event s $T", "atomic s 0 fb=s1 wait",
        /* Who waits is told when the output goes off. */
        "queue-vblank s 0 600 3; dpms s 0 off; event s $T; dpms s 0 on",
        "queue-sequence s 0 600 4; dpms s 0 off; event s $T; dpms s 0 on",
        "atomic s 0 fb=s0 nonblock event out=o; event s $T; close-fd o",
        "atomic s 0 fb=s1 async nonblock event; event s $T",
        "flip s s0", "flip s s1 0 async",
        "create s k 16384; addfb k 64 64 256; cursor s 0 k 64 64",
        "cursor-move s 0 9 9", "setplane s 0 cursor k 40 40", "cursor s 0 off",
        "gamma s 0 invert", "gamma s 0 linear",
        "crc-open s 0 c; vblank s 0 2; close-fd c",
        "atomic s 0 fb=s0 writeback wb=s1 wb-out=w; fence-wait w $T; "
        "close-fd w",
        "dpms s 0 off; dpms s 0 on", "dirtyfb s s0",
    };
    static const char *const refused[] = {
        "atomic s 0 fb=s1 src=0,0,9999,9999 nonblock event",
        "atomic s 0 fb=s1 event test", "flip s 99999 0 nowait",
    };
    PGShow s = pg_show(data, true);
    g_autofree char *soon = g_strdup_printf("%u", PG_SOON_MS);

    for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
        g_autoptr(GString) lines = g_string_new(calls[i]);

        g_string_replace(lines, "$T", soon, 0);
        pg_do_lines(s.g, lines->str);
        pg_assert_no_vblank_irq(s.g, calls[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
        if (pg_call(s.g, "%s", refused[i])->ok) {
            pg_fail(s.g, "it was not refused: %s", refused[i]);
        }
        pg_assert_no_vblank_irq(s.g, refused[i]);
    }
    pg_show_end(&s);
    pg_finish(s.g);
}

/* A commit that turns an output off is done when the last frame has ended. */
static void pg_test_last_frame(const void *data)
{
    PGShow s = pg_show(data, true);

    for (unsigned i = 0; i < 2; i++) {
        PGOutput before, after;

        pg_do(s.g, "atomic s 0 mode=%ux%u@4 fb=s0", s.width, s.height);
        pg_do(s.g, "vblank s 0 1");
        before = pg_output(s.g, s.pair->show_id, 0);
        if (i) {
            pg_do(s.g, "atomic s 0 mode=off fb=off nonblock event");
            pg_do(s.g, "event s %u", PG_SOON_MS);
        } else {
            pg_do(s.g, "atomic s 0 mode=off fb=off");
        }
        after = pg_output(s.g, s.pair->show_id, 0);
        pg_assert_u64(s.g, "the output is on", after.on, false);
        if (after.vblank_count == before.vblank_count) {
            pg_fail(s.g, "the last frame was cut short");
        }
    }
    pg_show_end(&s);
    pg_finish(s.g);
}

static const PGDisplayTest pg_tests[] = {
    { "cross", pg_test_cross },
    { "reverse", pg_test_reverse },
    { "own", pg_test_own },
    { "planes", pg_test_planes },
    { "cursor", pg_test_cursor },
    { "gamma", pg_test_gamma },
    { "writeback", pg_test_writeback },
    { "hotplug", pg_test_hotplug },
    { "unseen", pg_test_unseen },
    { "quiet", pg_test_quiet },
    { "last-frame", pg_test_last_frame },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    pg_add_display_tests("display", pg_tests, ARRAY_SIZE(pg_tests));
    return g_test_run();
}
