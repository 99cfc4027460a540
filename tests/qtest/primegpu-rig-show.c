/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The demo of the display: engine jobs of one GPU draw a picture that moves,
 * the other one shows it, and what comes out at QEMU's console is compared with
 * what was drawn.
 */
#include "qemu/osdep.h"
#include "primegpu-rig.h"
#include "primegpu-rig-font.h"
#include "primegpu-display.h"

#define PG_WIDTH    640
#define PG_HEIGHT   480
#define PG_FRAMES   60
#define PG_BAR      48          /* height of the bar that moves */
#define PG_SKY      0x1d3557
#define PG_INK      0xf1faee

typedef struct PGShowDemo {
    const PGDisplayPair *pair;
    const char *out;            /* a PPM */
    PGShow show;
    PGPicture *pictures[PG_SHOW_FRAMES];
} PGShowDemo;

/* A run of equal columns is one job. */
static void pg_demo_glyph(PGShowDemo *d, unsigned i, char letter, unsigned x,
                          unsigned y, unsigned scale)
{
    g_autofree char *bo = g_strdup_printf("d%u", i);

    for (unsigned row = 0; row < PG_GLYPH_HEIGHT; row++) {
        uint8_t bits = pg_glyph_row(letter, row);

        for (unsigned col = 0; col < PG_GLYPH_WIDTH;) {
            unsigned run = 0;

            while (col + run < PG_GLYPH_WIDTH &&
                   bits & 0x10 >> (col + run)) {
                run++;
            }
            if (run) {
                pg_draw(d->show.g, bo, d->pictures[i], x + col * scale,
                        y + row * scale, run * scale, scale, PG_INK);
            }
            col += run + !run;
        }
    }
}

static void pg_demo_text(PGShowDemo *d, unsigned i, const char *text,
                         unsigned y, unsigned scale)
{
    unsigned step = (PG_GLYPH_WIDTH + 1) * scale;
    unsigned x = (PG_WIDTH - strlen(text) * step + scale) / 2;

    for (; *text; text++, x += step) {
        pg_demo_glyph(d, i, *text, x, y, scale);
    }
}

/* What stays from frame to frame */
static void pg_demo_background(PGShowDemo *d, unsigned i)
{
    static const uint32_t fields[] = {
        0xe63946, 0xf4a261, 0xe9c46a, 0x2a9d8f, 0x457b9d, 0x6d597a,
    };
    g_autofree char *bo = g_strdup_printf("d%u", i);
    g_autofree char *drawn = g_ascii_strup(d->pair->draw, -1);
    g_autofree char *shown = g_ascii_strup(d->pair->show, -1);
    g_autofree char *by = g_strdup_printf("DRAWN BY %s", drawn);
    g_autofree char *on = g_strdup_printf("SHOWN BY %s", shown);
    unsigned width = PG_WIDTH / ARRAY_SIZE(fields) + 1;

    pg_draw(d->show.g, bo, d->pictures[i], 0, 0, PG_WIDTH, PG_HEIGHT, PG_SKY);
    for (unsigned k = 0; k < ARRAY_SIZE(fields); k++) {
        unsigned x = k * width;

        pg_draw(d->show.g, bo, d->pictures[i], x, 0, MIN(width, PG_WIDTH - x),
                120, fields[k]);
    }
    pg_demo_text(d, i, by, 170, 4);
    pg_demo_text(d, i, on, 220, 4);
}

/* Bars that move, and the number of the frame */
static void pg_demo_frame(PGShowDemo *d, unsigned frame)
{
    static const uint32_t bars[] = { 0xe63946, 0xe9c46a, 0x2a9d8f };
    unsigned i = frame % PG_SHOW_FRAMES;
    g_autofree char *bo = g_strdup_printf("d%u", i);
    g_autofree char *text = g_strdup_printf("FRAME %u", frame);

    pg_draw(d->show.g, bo, d->pictures[i], 0, 290, PG_WIDTH, 190, PG_SKY);
    for (unsigned k = 0; k < ARRAY_SIZE(bars); k++) {
        unsigned length = 160, room = PG_WIDTH - length;
        unsigned at = (frame * (7 + 4 * k) + 200 * k) % (2 * room);

        pg_draw(d->show.g, bo, d->pictures[i], at < room ? at : 2 * room - at,
                340 + k * (PG_BAR - 4), length, PG_BAR - 12, bars[k]);
    }
    if (frame == PG_FRAMES) {
        pg_demo_text(d, i, text, 290, 4);
    }
}

static void pg_demo_save(PGGuest *g, const PGPicture *p, const char *path)
{
    size_t n = (size_t)p->width * p->height;
    g_autoptr(GString) s = g_string_sized_new(3 * n + 32);
    g_autoptr(GError) err = NULL;

    g_string_printf(s, "P6\n%u %u\n255\n", p->width, p->height);
    for (size_t i = 0; i < n; i++) {
        g_string_append_c(s, p->pixels[i] >> 16);
        g_string_append_c(s, p->pixels[i] >> 8);
        g_string_append_c(s, p->pixels[i]);
    }
    if (!g_file_set_contents(path, s->str, s->len, &err)) {
        pg_fail(g, "%s", err->message);
    }
}

static void pg_demo_verdict(PGShowDemo *d, uint64_t copied)
{
    PGGuest *g = d->show.g;
    unsigned i = PG_FRAMES % PG_SHOW_FRAMES;
    const PGPicture *p = d->pictures[i];
    const char *id = d->pair->show_id;
    uint32_t told = pg_u64(g, pg_do(g, "crc s 0"), "crc");
    uint32_t crc = pg_output(g, id, 0).crc;
    g_autoptr(PGPicture) seen = pg_screendump(g, id, 0);

    printf("%u frames of %u x %u, drawn by jobs of %s, shown by %s\n",
           PG_FRAMES, PG_WIDTH, PG_HEIGHT, d->pair->draw_id, id);
    printf("  buffer that is shown       0x%" PRIx64 ", an import of 0x%"
           PRIx64 "\n", pg_output(g, id, 0).key, d->show.draw_key[i]);
    printf("  CRC of the frame           device 0x%08x, guest 0x%08x, as drawn "
           "0x%08x\n", crc, told, pg_picture_crc(p));
    printf("  bytes copied               %" PRIu64 "\n",
           pg_bytes_copied(g) - copied);
    pg_demo_save(g, seen, d->out);
    pg_show_assert(&d->show, "at the end", i);
    pg_assert_u64(g, "CRC that the device computed", crc, pg_picture_crc(p));
    pg_assert_u64(g, "CRC that the guest was told", told, crc);
    pg_assert_picture(g, "the console", seen, p);
    pg_assert_u64(g, "bytes copied", pg_bytes_copied(g) - copied, 0);
    printf("  pixels of the console      %u, all as drawn\n",
           seen->width * seen->height);
}

static void pg_demo_show_case(const void *data)
{
    PGShowDemo d = *(const PGShowDemo *)data;
    PGGuest *g = pg_start(NULL);
    uint64_t copied;

    d.show.width = PG_WIDTH;
    d.show.height = PG_HEIGHT;
    pg_show_begin(&d.show, g, d.pair, true);
    copied = pg_bytes_copied(g);
    for (unsigned i = 0; i < PG_SHOW_FRAMES; i++) {
        d.pictures[i] = pg_picture_new(PG_WIDTH, PG_HEIGHT);
        pg_demo_background(&d, i);
    }
    for (unsigned frame = 1; frame <= PG_FRAMES; frame++) {
        pg_demo_frame(&d, frame);
        pg_do(g, "atomic s 0 fb=s%u wait", frame % PG_SHOW_FRAMES);
    }
    pg_demo_verdict(&d, copied);
    pg_show_end(&d.show);
    for (unsigned i = 0; i < PG_SHOW_FRAMES; i++) {
        pg_picture_free(d.pictures[i]);
    }
    pg_stop(g);
}

int primegpu_rig_demo_display(const char *out)
{
    PGShowDemo d = { .pair = &pg_display_pairs[0], .out = out };
    PGResult result;

    pg_run_case("demo-display", pg_demo_show_case, &d, &result);
    if (result.outcome != PG_PASS) {
        fprintf(stderr, "\n%s\n", result.reason);
        printf("verdict: FAIL\n");
        return 1;
    }
    printf("verdict: PASS\n");
    return 0;
}
