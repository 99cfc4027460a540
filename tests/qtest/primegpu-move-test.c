/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: a BO is moved while a job on it is held behind the gate.  The
 * move must wait for the job, whether that reads the BO or writes it, and
 * whether user space orders it or not; and who maps the BO, for the move.
 */
#include "qemu/osdep.h"
#include "primegpu-guest-look.h"

#define PG_SIZE     65536
/* So long nothing may happen */
#define PG_QUIET_MS 100

typedef struct PGMove {
    const char *name;
    const char *from;
    const char *line;           /* asked by somebody else than p1 */
    bool reads;                 /* the held job does, or else writes */
} PGMove;

static const PGMove pg_moves[] = {
    { "place/reader", "vram", "p2 place b pages", true },
    { "place/writer", "vram", "p2 place b pages", false },
    { "evict/reader", "vram", "evict discrete", true },
    { "evict/writer", "vram", "evict discrete", false },
    { "to-vram/reader", "pages", "p2 place b vram", true },
    { "to-vram/writer", "pages", "p2 place b vram", false },
};

typedef struct PGMoveCase {
    const PGMove *move;
    const char *options;        /* of the job */
} PGMoveCase;

static uint64_t pg_move_bo(PGGuest *g, const char *bo, const char *place,
                           unsigned seed)
{
    const PGReply *r;

    pg_do(g, "create f %s %u %s", bo, PG_SIZE, place);
    pg_do(g, "place %s %s", bo, place);
    pg_do(g, "mmap %s m%s", bo, bo);
    r = pg_do(g, "write m%s 0 %u %u", bo, PG_SIZE, seed);
    return pg_u64(g, r, "checksum");
}

static void pg_assert_sum(PGGuest *g, const char *map, uint64_t wanted)
{
    uint64_t sum = pg_checksum(g, map);

    if (sum != wanted) {
        pg_fail(g, "contents of %s: 0x%" PRIx64 " is not 0x%" PRIx64, map, sum,
                wanted);
    }
}

static void pg_test_move(const void *data)
{
    const PGMoveCase *c = data;
    const PGMove *m = c->move;
    PGGuest *g = pg_start(NULL);
    uint64_t sum_b, sum_o;
    unsigned move, touch;

    /* A job behind a closed gate is no hang. */
    pg_do(g, "set /sys/module/primegpu_core/parameters/job_timeout_ms 0");
    pg_open(g, "f", "discrete");
    sum_b = pg_move_bo(g, "b", m->from, 1);
    sum_o = pg_move_bo(g, "o", "pages", 2);
    pg_do(g, "fork p2");
    pg_do(g, "fork p3");

    pg_gate(g, "discrete0", true);
    pg_do(g, "copy %s 0 %s 0 %u %s", m->reads ? "o" : "b",
          m->reads ? "b" : "o", PG_SIZE, c->options);
    move = pg_send(g, "%s", m->line);
    if (pg_wait(g, move, PG_QUIET_MS)) {
        pg_fail(g, "the move did not wait for the job: %s", m->line);
    }
    pg_assert_no_violations(g);
    touch = pg_send(g, "p3 checksum mb");
    if (pg_wait(g, touch, PG_QUIET_MS)) {
        pg_fail(g, "the CPU did not wait for the move: %s", m->line);
    }
    pg_gate(g, "discrete0", false);
    pg_expect_ok(g, move);
    pg_expect_ok(g, touch);

    pg_do(g, "fence-wait x 20000");
    pg_assert_sum(g, "mb", m->reads ? sum_b : sum_o);
    pg_assert_sum(g, "mo", m->reads ? sum_b : sum_o);
    pg_do(g, "kill p2");
    pg_do(g, "kill p3");
    pg_do(g, "munmap mb");
    pg_do(g, "munmap mo");
    pg_close_file(g, "f");
    pg_settle(g);
    pg_assert_table(g, (uint64_t)0);
    pg_stop(g);
}

/*
 * A BO that was exported, and is no more, is moved: a map keeps it.  What was
 * the dma-buf may be anything by then, so there are some rounds.
 */
static void pg_test_exported(const void *data)
{
    PGGuest *g = pg_start(NULL);

    pg_open(g, "f", "discrete");
    pg_open(g, "i", "integrated");
    for (unsigned round = 0; round < 8; round++) {
        uint64_t sum = pg_move_bo(g, "b", "vram", round);

        pg_do(g, "export b d");
        if (round % 2) {
            pg_do(g, "import i d c");
            pg_do(g, "fill c 0 4 0 wait");
            pg_do(g, "close c");
            sum = pg_checksum(g, "mb");
        }
        pg_do(g, "close-fd d");
        pg_do(g, "close b");
        pg_do(g, "evict discrete");
        pg_assert_sum(g, "mb", sum);
        pg_do(g, "munmap mb");
    }
    pg_assert_nothing_left(g, "all was closed");
    pg_stop(g);
}

int main(int argc, char **argv)
{
    static const char *const options[] = { "out=x", "out=x explicit" };
    static PGMoveCase cases[ARRAY_SIZE(pg_moves)][ARRAY_SIZE(options)];

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_moves); i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(options); k++) {
            g_autofree char *path = g_strconcat("move/", pg_moves[i].name,
                                                k ? "-explicit" : "", NULL);

            cases[i][k] = (PGMoveCase) { &pg_moves[i], options[k] };
            pg_add_case(path, pg_test_move, &cases[i][k]);
        }
    }
    pg_add_case("move/exported", pg_test_exported, NULL);
    return g_test_run();
}
