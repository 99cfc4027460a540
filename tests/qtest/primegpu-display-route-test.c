/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: a connector shows the frames of any CRTC of its GPU, and of no
 * other: what the other GPU drew, as the CRC of the CRTC has it, is what a
 * person sees there.
 */
#include "qemu/osdep.h"
#include "primegpu-display.h"

#define PG_MODE     "320x240@200"
#define PG_OUTPUTS  2
#define PG_NOWHERE  PG_SHOW_FRAMES

/* The frames of a PGShow, each with a picture of its own */
typedef struct PGRouted {
    PGShow show;
    PGPicture *p[PG_SHOW_FRAMES];
} PGRouted;

static void pg_routed_begin(PGRouted *r, const PGDisplayPair *pair)
{
    PGGuest *g = pg_start(&pg_two_outputs);

    pg_show_begin(&r->show, g, pair, false);
    for (unsigned i = 0; i < PG_SHOW_FRAMES; i++) {
        g_autofree char *bo = g_strdup_printf("d%u", i);

        r->p[i] = pg_picture_new(PG_SHOW_WIDTH, PG_SHOW_HEIGHT);
        pg_draw_test_card(g, bo, r->p[i]);
        pg_draw(g, bo, r->p[i], 100, 80, 32, 24, 0x308020 << i);
        pg_do(g, "bo-wait %s write %u", bo, PG_SOON_MS);
    }
}

static void pg_routed_end(PGRouted *r)
{
    pg_show_end(&r->show);
    for (unsigned i = 0; i < PG_SHOW_FRAMES; i++) {
        pg_picture_free(r->p[i]);
    }
    pg_finish(r->show.g);
}

/* What is seen at a connector: this frame, which that CRTC shows, or nothing */
static void pg_assert_seen(PGRouted *r, const char *what, unsigned connector,
                           unsigned crtc, unsigned frame)
{
    PGGuest *g = r->show.g;
    const char *id = r->show.pair->show_id;
    PGOutput o = pg_output(g, id, connector);
    g_autofree char *text = g_strdup_printf("connector %u, %s", connector,
                                            what);
    g_autoptr(PGPicture) seen = NULL;

    if (frame == PG_NOWHERE) {
        pg_assert_u64(g, text, o.route, UINT32_MAX);
        return;
    }
    pg_assert_u64(g, text, o.route, crtc);
    o = pg_output(g, id, crtc);
    pg_assert_u64(g, text, o.key, r->show.show_key[frame]);
    pg_assert_u64(g, "CRC of the CRTC",
                  pg_u64(g, pg_do(g, "crc s %u", crtc), "crc"),
                  pg_picture_crc(r->p[frame]));
    seen = pg_screendump(g, id, connector);
    pg_assert_picture(g, text, seen, r->p[frame]);
}

/* Each connector on the CRTC of the other, frames that flip there, and back */
static void pg_test_crossed(const void *data)
{
    PGRouted r = { 0 };
    PGGuest *g;

    pg_routed_begin(&r, data);
    g = r.show.g;
    for (unsigned round = 0; round < 2; round++) {
        pg_do(g, "atomic s 0 connector=1 mode=" PG_MODE " fb=s0 "
              "output=1 connector=0 mode=" PG_MODE " fb=s1");
        pg_assert_seen(&r, "crossed", 1, 0, 0);
        pg_assert_seen(&r, "crossed", 0, 1, 1);
        pg_do(g, "atomic s 0 fb=s1 output=1 fb=s0 wait");
        pg_assert_seen(&r, "after a flip", 1, 0, 1);
        pg_assert_seen(&r, "after a flip", 0, 1, 0);
        pg_do(g, "atomic s 0 mode=" PG_MODE " output=1 mode=" PG_MODE);
        pg_assert_seen(&r, "not crossed any more", 0, 0, 1);
        pg_assert_seen(&r, "not crossed any more", 1, 1, 0);
    }
    pg_routed_end(&r);
}

/* One connector on a CRTC that is not its own; nothing is seen at the other. */
static void pg_test_alone(const void *data)
{
    PGRouted r = { 0 };
    PGGuest *g;

    pg_routed_begin(&r, data);
    g = r.show.g;
    pg_assert_seen(&r, "before anything is shown", 0, 0, PG_NOWHERE);
    pg_assert_seen(&r, "before anything is shown", 1, 1, PG_NOWHERE);
    for (unsigned crtc = 0; crtc < PG_OUTPUTS; crtc++) {
        unsigned connector = !crtc;

        pg_do(g, "atomic s %u connector=%u mode=" PG_MODE " fb=s1", crtc,
              connector);
        pg_assert_seen(&r, "the only one", connector, crtc, 1);
        pg_assert_seen(&r, "not on", crtc, crtc, PG_NOWHERE);
        /* It sleeps, and shows it again, elsewhere than its CRTC would. */
        pg_do(g, "atomic s %u crtc active=0 modeset", crtc);
        pg_assert_seen(&r, "asleep", connector, crtc, PG_NOWHERE);
        pg_do(g, "atomic s %u crtc active=1 modeset", crtc);
        pg_assert_seen(&r, "awake", connector, crtc, 1);
        pg_assert_seen(&r, "still not on", crtc, crtc, PG_NOWHERE);
        pg_do(g, "atomic s %u connector=%u mode=off fb=off", crtc, connector);
        pg_assert_seen(&r, "off again", connector, crtc, PG_NOWHERE);
    }
    pg_routed_end(&r);
}

/* Both connectors on one CRTC, of which one goes */
static void pg_test_both(const void *data)
{
    PGRouted r = { 0 };
    PGGuest *g;

    pg_routed_begin(&r, data);
    g = r.show.g;
    pg_do(g, "atomic s 1 mode=" PG_MODE " fb=s0 connector=0");
    pg_assert_seen(&r, "both on the second CRTC", 0, 1, 0);
    pg_assert_seen(&r, "both on the second CRTC", 1, 1, 0);
    pg_do(g, "atomic s 1 fb=s1 wait");
    pg_assert_seen(&r, "after a flip", 0, 1, 1);
    pg_assert_seen(&r, "after a flip", 1, 1, 1);
    pg_do(g, "atomic s 1 connector crtc_id=0 modeset");
    pg_assert_seen(&r, "the own one has gone", 0, 1, 1);
    pg_assert_seen(&r, "the own one has gone", 1, 1, PG_NOWHERE);
    pg_routed_end(&r);
}

/* An older client takes a connector from another CRTC, which goes off. */
static void pg_test_stealing(const void *data)
{
    PGRouted r = { 0 };
    PGGuest *g;

    pg_routed_begin(&r, data);
    g = r.show.g;
    for (unsigned thief = 0; thief < PG_OUTPUTS; thief++) {
        unsigned victim = !thief;

        pg_do(g, "setcrtc s s0 %u " PG_MODE, thief);
        pg_do(g, "setcrtc s s1 %u " PG_MODE, victim);
        pg_assert_seen(&r, "before", thief, thief, 0);
        pg_assert_seen(&r, "before", victim, victim, 1);
        pg_do(g, "setcrtc s s0 %u " PG_MODE " %u", thief, victim);
        pg_assert_seen(&r, "stolen", victim, thief, 0);
        pg_assert_seen(&r, "dropped by the thief", thief, thief, PG_NOWHERE);
        pg_assert_u64(g, "the CRTC without its connector is on",
                      pg_output(g, r.show.pair->show_id, victim).on, false);
    }
    pg_routed_end(&r);
}

/* The frame and both BOs go with the connector on which it was shown. */
static void pg_test_release(const void *data)
{
    PGRouted r = { 0 };
    PGGuest *g;

    pg_routed_begin(&r, data);
    g = r.show.g;
    pg_do(g, "atomic s 0 connector=1 mode=" PG_MODE " fb=s0");
    pg_do(g, "closefb s %u", r.show.fb[0]);
    pg_close(g, "s0");
    pg_close(g, "d0");
    pg_settle(g);
    pg_assert_alive(g, r.show.draw_key[0]);
    pg_assert_seen(&r, "without handles", 1, 0, 0);
    /* The CRTC has another connector now, and shows the same. */
    pg_do(g, "atomic s 0 mode=" PG_MODE " output=1 mode=off");
    pg_assert_seen(&r, "on the other connector", 0, 0, 0);
    pg_assert_seen(&r, "on the other connector", 1, 0, PG_NOWHERE);
    pg_settle(g);
    pg_assert_alive(g, r.show.draw_key[0]);
    pg_do(g, "atomic s 0 mode=off fb=off");
    pg_settle(g);
    pg_assert_released(g, r.show.show_key[0], pg_step(g));
    pg_assert_released(g, r.show.draw_key[0], pg_step(g));
    pg_routed_end(&r);
}

/* Of the connector of the second output, as "kms" lists it */
static unsigned pg_connector_id;

static void pg_read_connector(const char *line)
{
    const char *id = strstr(line, "connector=");

    if (strstr(line, "output 1 ") && id) {
        pg_connector_id = g_ascii_strtoull(id + strlen("connector="), NULL, 10);
    }
}

/* A lessee has the CRTC of one output and the connector of the other. */
static void pg_test_lease(const void *data)
{
    PGRouted r = { 0 };
    PGGuest *g;

    pg_routed_begin(&r, data);
    g = r.show.g;
    pg_on_text(g, pg_read_connector);
    pg_do(g, "kms s");
    pg_on_text(g, NULL);
    pg_do(g, "lease s 0 l crtc primary %u", pg_connector_id);
    pg_do(g, "atomic l 0 mode=" PG_MODE " fb=%u src=0,0,%u,%u dst=0,0,%u,%u",
          r.show.fb[0], PG_SHOW_WIDTH, PG_SHOW_HEIGHT, PG_SHOW_WIDTH,
          PG_SHOW_HEIGHT);
    pg_assert_seen(&r, "leased", 1, 0, 0);
    pg_assert_seen(&r, "not leased", 0, 0, PG_NOWHERE);
    pg_close_file(g, "l");
    pg_routed_end(&r);
}

static const PGDisplayTest pg_tests[] = {
    { "crossed", pg_test_crossed },
    { "alone", pg_test_alone },
    { "both", pg_test_both },
    { "stealing", pg_test_stealing },
    { "release", pg_test_release },
    { "lease", pg_test_lease },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    pg_add_display_tests("display-route", pg_tests, ARRAY_SIZE(pg_tests));
    return g_test_run();
}
