/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu outputs in a saved state: a mode goes on, a commit that waits is
 * latched in the other QEMU, routes stay, and streams that lie.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu-frame.h"
#include "primegpu-pair.h"
#include "primegpu-saved.h"

#define WIDTH   64
#define HEIGHT  32
#define SIZE    (WIDTH * HEIGHT * 4)

/* Of the commit that waits: easily found in a stream */
#define SEQNO   0x5eeb1234deadbeefull
/* Bytes that are lied about: a few before it, and the planes behind it */
#define BEFORE  60
#define BEHIND  700
#define STRIDE  5
/* In a stream, before the version and the value of a route */
#define ROUTE       "primegpu/output/route"

typedef struct Saved {
    PrimeGPUPair pair;
    QPrimeGPU *g;               /* the one that shows */
    char *path;
    uint64_t shown;
    uint64_t waiting;           /* an import */
    uint64_t writeback;
    uint64_t addr;
    uint64_t frame;
    uint64_t vblank;            /* when the last one was */
    uint32_t count;
    uint64_t clock;
} Saved;

/* A mode with a plane, half a frame after a vertical blank; a commit waits. */
static void save(Saved *s)
{
    struct primegpu_cmd_commit commit;
    struct primegpu_plane plane;
    uint64_t addr, key;

    primegpu_pair_start(&s->pair);
    s->g = &s->pair.discrete;
    s->shown = qprimegpu_new_fb(s->g, WIDTH, HEIGHT, &addr);
    s->writeback = qprimegpu_new_fb(s->g, WIDTH, HEIGHT, &s->addr);
    qprimegpu_memset(s->g, s->addr, 0, SIZE);
    key = qprimegpu_new_fb(&s->pair.integrated, WIDTH, HEIGHT, &addr);
    qprimegpu_memset(s->g, addr, 0xff, SIZE);
    s->waiting = qprimegpu_new_import(s->g, SIZE, key);
    qprimegpu_attach(s->g, s->waiting, addr, SIZE);
    qtest_clock_step(s->pair.qts, 12345);
    s->frame = qprimegpu_set_mode(s->g, 0, WIDTH, HEIGHT);
    qprimegpu_output_writel(s->g, 0, PRIMEGPU_OUTPUT_REG_IRQ_ENABLE,
                            PRIMEGPU_OUTPUT_IRQ_FLIP);
    qprimegpu_flip(s->g, 0, s->shown, WIDTH, HEIGHT);
    qtest_clock_step(s->pair.qts, 2 * s->frame);
    qprimegpu_output_take_irqs(s->g, 0);
    s->vblank = qprimegpu_vblank_time(s->g, 0);
    s->count = qprimegpu_vblank_count(s->g, 0);
    qtest_clock_step(s->pair.qts, s->frame / 2);
    plane = qprimegpu_plane(0, s->waiting, WIDTH, HEIGHT);
    commit = qprimegpu_commit_cmd(s->g, 0, &plane, 1, NULL);
    commit.hdr.flags = cpu_to_le16(PRIMEGPU_COMMIT_WRITEBACK);
    commit.wb_key = cpu_to_le64(s->writeback);
    commit.wb_stride = cpu_to_le32(WIDTH * sizeof(uint32_t));
    commit.wb_format = cpu_to_le32(PRIMEGPU_FORMAT_XRGB8888);
    s->g->ctrl.seqno = SEQNO - 1;
    qprimegpu_assert_status(qprimegpu_ctrl(s->g, &commit), PRIMEGPU_ST_OK);
    qtest_qmp_assert_success(s->pair.qts, "{ 'execute': 'primegpu-set-output',"
                             " 'arguments': { 'device': 'discrete0',"
                             " 'output': 0, 'connected': true,"
                             " 'width': 333, 'height': 222 } }");
    qprimegpu_output_writel(s->g, 0, PRIMEGPU_OUTPUT_REG_ROUTE,
                            PRIMEGPU_OUTPUT_ROUTE_NONE);
    s->clock = qprimegpu_clock(s->g);
    s->path = primegpu_saved_new(&s->pair);
}

/* The clock of a qtest is not saved: it begins at 0 again. */
static void restore(Saved *s)
{
    primegpu_saved_restore(&s->pair, s->path);
    g_assert_cmpuint(qprimegpu_clock(s->g), ==, 0);
    qtest_clock_step(s->pair.qts, s->clock);
}

static void saved_free(Saved *s)
{
    primegpu_saved_free(s->path);
    primegpu_pair_quit(&s->pair);
}

static void test_pending(void)
{
    Saved s = { };
    QDict *info;
    uint64_t left;

    save(&s);
    restore(&s);
    g_assert_cmphex(qprimegpu_output_status(s.g, 0), ==,
                    PRIMEGPU_OUTPUT_CONNECTED | PRIMEGPU_OUTPUT_ON |
                    PRIMEGPU_OUTPUT_PENDING);
    g_assert_cmpuint(qprimegpu_vblank_count(s.g, 0), ==, s.count);
    g_assert_cmpuint(qprimegpu_vblank_time(s.g, 0), ==, s.vblank);
    g_assert_cmphex(qprimegpu_output_take_irqs(s.g, 0), ==,
                    PRIMEGPU_OUTPUT_IRQ_HOTPLUG);
    info = qprimegpu_query_output(s.pair.qts, 2, 0);
    g_assert_cmpint(qdict_get_int(info, "xres"), ==, 333);
    g_assert_cmpint(qdict_get_int(info, "yres"), ==, 222);
    qobject_unref(info);
    g_assert_cmpuint(qprimegpu_shown(s.pair.qts, s.shown), ==, 1);
    g_assert_cmpuint(qprimegpu_shown(s.pair.qts, s.waiting), ==, 1);
    g_assert_cmpuint(qprimegpu_shown(s.pair.qts, s.writeback), ==, 1);
    qprimegpu_assert_status(qprimegpu_detach(s.g, s.waiting),
                            PRIMEGPU_ST_BUSY);
    /* The vertical blank is when it would have been. */
    left = s.vblank + s.frame - qprimegpu_clock(s.g);
    g_assert_cmpuint(left, ==, s.frame - s.frame / 2);
    qtest_clock_step(s.pair.qts, left - 1);
    g_assert_cmpuint(qprimegpu_flip_seq(s.g, 0), !=, SEQNO);
    g_assert(qprimegpu_is_filled(s.g, s.addr, 0, SIZE));
    qtest_clock_step(s.pair.qts, 1);
    g_assert_cmphex(qprimegpu_flip_seq(s.g, 0), ==, SEQNO);
    g_assert_cmphex(qprimegpu_output_take_irqs(s.g, 0), ==,
                    PRIMEGPU_OUTPUT_IRQ_FLIP | PRIMEGPU_OUTPUT_IRQ_VBLANK |
                    PRIMEGPU_OUTPUT_IRQ_WRITEBACK);
    g_assert(qprimegpu_is_filled(s.g, s.addr, 0xff, SIZE));
    g_assert_cmpuint(qprimegpu_vblank_count(s.g, 0), ==, s.count + 1);
    /* And all of it can be let go of. */
    qprimegpu_free_bo(s.g, s.shown);
    qprimegpu_free_bo(s.g, s.writeback);
    qprimegpu_set_mode_off(s.g, 0);
    qprimegpu_free_bo(s.g, s.waiting);
    g_assert_cmpuint(qprimegpu_violations_of(s.pair.qts, "detach-busy"), ==,
                     1);
    g_assert_cmpuint(qprimegpu_violations(s.pair.qts), ==, 1);
    saved_free(&s);
}

/* A job that was there before the commit is so after loading, too. */
static void test_race(void)
{
    Saved s = { };
    struct primegpu_job_op op;
    uint64_t before, after, addr;

    primegpu_pair_start(&s.pair);
    s.g = &s.pair.discrete;
    qprimegpu_set_gate(s.pair.qts, "discrete0", true);
    before = qprimegpu_new_fb(s.g, WIDTH, HEIGHT, &addr);
    after = qprimegpu_new_fb(s.g, WIDTH, HEIGHT, &addr);
    s.frame = qprimegpu_set_mode(s.g, 0, WIDTH, HEIGHT);
    op = qprimegpu_op_fill(before, 0, 1, 0);
    qprimegpu_submit(s.g, &op, 1);
    qprimegpu_flip(s.g, 0, after, WIDTH, HEIGHT);
    op = qprimegpu_op_fill(after, 0, 1, 0);
    qprimegpu_submit(s.g, &op, 1);
    qtest_clock_step(s.pair.qts, s.frame / 2);
    s.clock = qprimegpu_clock(s.g);
    s.path = primegpu_saved_new(&s.pair);
    restore(&s);
    qtest_clock_step(s.pair.qts, s.frame);
    g_assert_cmpuint(qprimegpu_violations(s.pair.qts), ==, 0);
    qprimegpu_flip(s.g, 0, before, WIDTH, HEIGHT);
    qtest_clock_step(s.pair.qts, s.frame);
    qprimegpu_assert_violation(s.pair.qts, "scanout-race", before, before);
    saved_free(&s);
}

static void test_lies(void)
{
    Saved s = { };
    uint64_t seqno = cpu_to_be64(SEQNO);
    size_t place;

    save(&s);
    /* The migration's numbers are big-endian. */
    place = primegpu_saved_find(s.path, &seqno, sizeof(seqno));
    g_assert_cmpuint(primegpu_saved_lie(s.path, place - BEFORE, place + BEHIND,
                                        STRIDE), >, 0);
    g_assert_true(primegpu_saved_cut(s.path, place));
    place = primegpu_saved_find(s.path, ROUTE, strlen(ROUTE));
    g_assert_cmpuint(primegpu_saved_lie(s.path, place - 2,
                                        place + strlen(ROUTE), STRIDE), >, 0);
    /* No byte of the value can be another one. */
    place += strlen(ROUTE) + sizeof(uint32_t);
    g_assert_cmpuint(primegpu_saved_lie(s.path, place,
                                        place + sizeof(uint32_t), 1), ==,
                     sizeof(uint32_t));
    saved_free(&s);
}

static void check_head(Saved *s, uint32_t head, uint32_t byte)
{
    g_autofree uint32_t *got = NULL;
    uint32_t width, height, i;

    got = qprimegpu_screendump(s->pair.qts, "discrete0", head, &width,
                               &height);
    g_assert_cmpuint(width, ==, WIDTH);
    g_assert_cmpuint(height, ==, HEIGHT);
    for (i = 0; i < width * height; i++) {
        g_assert_cmphex(got[i], ==, byte * 0x010101);
    }
}

/* Connectors show what they did: another's pipe, none, their own. */
static void test_routes(void)
{
    static const uint32_t routes[] = { 1, PRIMEGPU_OUTPUT_ROUTE_NONE, 2, 2 };
    Saved s = { };
    uint64_t addr, key;
    uint32_t n;

    primegpu_pair_boot(&s.pair, "-global primegpu-discrete.max-outputs=4");
    s.g = &s.pair.discrete;
    qprimegpu_map(s.g);
    qprimegpu_start(s.g);
    for (n = 0; n < ARRAY_SIZE(routes); n++) {
        key = qprimegpu_new_fb(s.g, WIDTH, HEIGHT, &addr);
        qprimegpu_memset(s.g, addr, 0x11 * (n + 1), SIZE);
        s.frame = qprimegpu_set_mode(s.g, n, WIDTH, HEIGHT);
        qprimegpu_flip(s.g, n, key, WIDTH, HEIGHT);
        qprimegpu_output_writel(s.g, n, PRIMEGPU_OUTPUT_REG_ROUTE, routes[n]);
    }
    qtest_clock_step(s.pair.qts, s.frame);
    s.clock = qprimegpu_clock(s.g);
    s.path = primegpu_saved_new(&s.pair);
    restore(&s);
    for (n = 0; n < ARRAY_SIZE(routes); n++) {
        g_assert_cmphex(qprimegpu_output_readl(s.g, n,
                                               PRIMEGPU_OUTPUT_REG_ROUTE), ==,
                        routes[n]);
        if (routes[n] != PRIMEGPU_OUTPUT_ROUTE_NONE) {
            check_head(&s, n, 0x11 * (routes[n] + 1));
        }
    }
    g_assert_cmpuint(qprimegpu_output_counter(s.pair.qts, 2, 1,
                                              "console-frames"), ==, 0);
    saved_free(&s);
}

/* Another number of outputs is another machine. */
static void test_outputs(void)
{
    Saved s = { };
    g_autofree char *uri = NULL;
    g_autofree char *options = NULL;
    QTestState *qts;
    QDict *answer;

    save(&s);
    options = primegpu_pair_options("-incoming defer -global "
                                    "primegpu-discrete.max-outputs=2");
    uri = g_strdup_printf("file:%s", s.path);
    qts = qtest_init(options);
    answer = qtest_qmp(qts, "{ 'execute': 'migrate-incoming', 'arguments':"
                       " { 'uri': %s, 'exit-on-error': false } }", uri);
    qobject_unref(answer);
    g_assert_cmpstr(primegpu_saved_wait(qts), ==, "failed");
    qtest_quit(qts);
    saved_free(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("primegpu/migrate-output/pending", test_pending);
    qtest_add_func("primegpu/migrate-output/race", test_race);
    qtest_add_func("primegpu/migrate-output/routes", test_routes);
    qtest_add_func("primegpu/migrate-output/outputs", test_outputs);
    qtest_add_func("primegpu/migrate-output/lies", test_lies);
    return g_test_run();
}
