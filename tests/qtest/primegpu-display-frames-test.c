/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: many frames on three outputs at once, drawn by the other GPU.
 * Each frame is a colour that is its number; the CRCs of all frames that the
 * device has composed tell which ones were shown, and the guest's events when
 * it was told so.  None may be torn, lost, early or out of order.
 */
#include "qemu/osdep.h"
#include "primegpu-display.h"
#include "hw/display/primegpu/primegpu_agent.h"

#define PG_OUTPUTS  3
#define PG_FRAMES   700
#define PG_WIDTH    160
#define PG_HEIGHT   120
#define PG_MODE     "160x120@120"

typedef struct PGFramesCase {
    const char *name;
    const PGDisplayPair *pair;
    unsigned frames;
    const char *globals;        /* properties of the devices */
    const char *options;        /* of play */
} PGFramesCase;

/* A line of the agent's log */
typedef struct PGLog {
    uint32_t number;            /* of the frame flipped to */
    uint32_t sequence;          /* of the vertical blank */
    uint32_t crc;
} PGLog;

/* One thread, one guest in a process */
static GArray *pg_flips[PG_OUTPUTS];
static GArray *pg_crcs[PG_OUTPUTS];

static void pg_take_log(const char *line)
{
    unsigned output;
    PGLog log = { 0 };

    if (sscanf(line, "| flip %u %u %u", &output, &log.number,
               &log.sequence) == 3 && output < PG_OUTPUTS) {
        g_array_append_val(pg_flips[output], log);
    } else if (sscanf(line, "| crc %u %u 0x%x", &output, &log.sequence,
                      &log.crc) == 3 && output < PG_OUTPUTS) {
        g_array_append_val(pg_crcs[output], log);
    }
}

static PGLog pg_log(const GArray *logs, unsigned i)
{
    return g_array_index(logs, PGLog, i);
}

/* Every flip was told once, in order, and of a later vertical blank. */
static void pg_check_flips(PGGuest *g, const PGFramesCase *c, unsigned output)
{
    const GArray *flips = pg_flips[output];

    pg_assert_u64(g, "flips that the guest was told of", flips->len, c->frames);
    for (unsigned i = 0; i < flips->len; i++) {
        PGLog log = pg_log(flips, i);

        pg_assert_u64(g, "frame of an event", log.number, i);
        if (i && log.sequence <= pg_log(flips, i - 1).sequence) {
            pg_fail(g, "output %u: frames %u and %u have vertical blanks %u "
                    "and %u", output, i - 1, i,
                    pg_log(flips, i - 1).sequence, log.sequence);
        }
    }
}

static uint32_t pg_frame_crc(unsigned output, unsigned number)
{
    return pg_color_crc(PG_WIDTH, PG_HEIGHT,
                        primegpu_agent_frame(output, number));
}

/*
 * A frame is shown from the vertical blank that the guest is told of, or from
 * an earlier one when the guest was too busy to be told at once, but never
 * before the guest has heard of the frame before it.  A busy guest may miss
 * CRCs, but not all of a frame: the next flip comes after an event that it has
 * heard.
 */
static void pg_check_crcs(PGGuest *g, const PGFramesCase *c, unsigned output)
{
    const GArray *crcs = pg_crcs[output], *flips = pg_flips[output];
    unsigned told = 0, seen = 0, now = UINT_MAX;
    uint32_t want = 0, next = pg_frame_crc(output, 0);

    for (unsigned i = 0; i < crcs->len; i++) {
        PGLog log = pg_log(crcs, i);

        while (told < flips->len &&
               pg_log(flips, told).sequence <= log.sequence) {
            told++;
        }
        if (now + 1 < told || (now + 1 == told && log.crc == next)) {
            /* The next one: told of already, or about to be */
            now++;
            seen++;
            want = next;
            next = pg_frame_crc(output, now + 1);
        }
        if (now != UINT_MAX && log.crc != want) {
            pg_fail(g, "output %u: at vertical blank %u frame %u should be "
                    "shown, but what is shown is %s", output, log.sequence,
                    now, log.crc == next ? "the one after it" :
                    now && log.crc == pg_frame_crc(output, now - 1)
                    ? "the one before it" : "no frame at all");
        }
    }
    pg_assert_u64(g, "frames that were shown", seen, c->frames);
}

static void pg_test_frames(const void *data)
{
    const PGFramesCase *c = data;
    g_autofree char *extra =
        g_strdup_printf("-global primegpu-integrated.max-outputs=%u "
                        "-global primegpu-discrete.max-outputs=%u %s",
                        PG_OUTPUTS, PG_OUTPUTS, c->globals);
    PGMachine m = { .extra = extra };
    PGOutput before[PG_OUTPUTS];
    PGGuest *g = pg_start(&m);
    unsigned tag;

    pg_open(g, "d", c->pair->draw);
    pg_do(g, "open s %s card", c->pair->show);
    pg_create(g, "s", "b", PG_WIDTH * PG_HEIGHT * 4);
    pg_do(g, "fill b 0 %u 0xffffff wait", PG_WIDTH * PG_HEIGHT * 4);
    pg_do(g, "addfb b %u %u %u", PG_WIDTH, PG_HEIGHT, PG_WIDTH * 4);
    for (unsigned i = 0; i < PG_OUTPUTS; i++) {
        pg_flips[i] = g_array_new(FALSE, FALSE, sizeof(PGLog));
        pg_crcs[i] = g_array_new(FALSE, FALSE, sizeof(PGLog));
        pg_do(g, "atomic s %u mode=" PG_MODE " fb=b", i);
        before[i] = pg_output(g, c->pair->show_id, i);
    }
    pg_on_text(g, pg_take_log);
    tag = pg_send(g, "play s d 0,1,2 %u %u %u crc %s", PG_WIDTH, PG_HEIGHT,
                  c->frames, c->options);
    /* This takes longer than a call may, so look in between. */
    while (!pg_wait(g, tag, PG_CALL_LIMIT_S * 1000)) {
        PGOutput o = pg_output(g, c->pair->show_id, 0);

        if (o.counters.flips == before[0].counters.flips) {
            pg_fail(g, "no flip within %u s", PG_CALL_LIMIT_S);
        }
    }
    pg_expect_ok(g, tag);
    for (unsigned i = 0; i < PG_OUTPUTS; i++) {
        PGOutput o = pg_output(g, c->pair->show_id, i);

        pg_check_flips(g, c, i);
        pg_check_crcs(g, c, i);
        if (o.counters.flips - before[i].counters.flips < c->frames) {
            pg_fail(g, "output %u latched %" PRIu64 " commits", i,
                    o.counters.flips - before[i].counters.flips);
        }
    }
    pg_assert_u64(g, "bytes copied", pg_bytes_copied(g), 0);
    pg_close_file(g, "s");
    pg_close_file(g, "d");
    pg_assert_nothing_left(g, "both files are closed");
    pg_finish(g);
}

static const PGFramesCase pg_cases[] = {
    { "discrete-to-integrated", &pg_display_pairs[0], PG_FRAMES, "", "" },
    { "integrated-to-discrete", &pg_display_pairs[1], PG_FRAMES, "", "" },
    /* A job takes longer than a frame. */
    { "slow-discrete", &pg_display_pairs[0], PG_FRAMES / 7,
      "-global primegpu-discrete.engine-latency-ns=10000000", "" },
    { "slow-integrated", &pg_display_pairs[1], PG_FRAMES / 7,
      "-global primegpu-integrated.engine-latency-ns=10000000", "" },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_cases); i++) {
        g_autofree char *path =
            g_strdup_printf("display-frames/%s", pg_cases[i].name);

        pg_add_case(path, pg_test_frames, &pg_cases[i]);
    }
    return g_test_run();
}
