/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu commits: when they are latched, and what is shown until then.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu.h"
#include "qobject/qnum.h"

#define WIDTH   64
#define HEIGHT  32
#define SIZE    (WIDTH * HEIGHT * sizeof(uint32_t))

#define STATUS_IDLE     (PRIMEGPU_OUTPUT_CONNECTED | PRIMEGPU_OUTPUT_ON)
#define STATUS_PENDING  (STATUS_IDLE | PRIMEGPU_OUTPUT_PENDING)
#define EVENTS          (PRIMEGPU_OUTPUT_IRQ_FLIP | PRIMEGPU_OUTPUT_IRQ_VBLANK)

/* Frames that each of three outputs shows in a row */
#define FRAMES          1000

static void flip(QPrimeGPU *g, uint32_t output, uint64_t key)
{
    qprimegpu_assert_status(qprimegpu_flip(g, output, key, WIDTH, HEIGHT),
                            PRIMEGPU_ST_OK);
}

/* The keys of the planes that are on, joined by blanks; g_free() it. */
static char *planes(QPrimeGPU *g, uint32_t output)
{
    QDict *info = qprimegpu_query_output(g->qts, 1, output);
    GString *text = g_string_new(NULL);
    const QListEntry *entry;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "planes"), entry) {
        QDict *plane = qobject_to(QDict, qlist_entry_obj(entry));
        QObject *key = qlist_peek(qdict_get_qlist(plane, "keys"));

        g_string_append_printf(text, "%s%" PRId64 ":%" PRIx64,
                               text->len ? " " : "",
                               qdict_get_int(plane, "index"),
                               qnum_get_uint(qobject_to(QNum, key)));
    }
    qobject_unref(info);
    return g_string_free(text, false);
}

static void assert_planes(QPrimeGPU *g, uint32_t output, uint64_t key0,
                          uint64_t key1)
{
    g_autofree char *text = planes(g, output);
    g_autofree char *first = key0 ? g_strdup_printf("0:%" PRIx64, key0)
                                  : g_strdup("");
    g_autofree char *second = key1 ? g_strdup_printf("1:%" PRIx64, key1)
                                   : g_strdup("");
    g_autofree char *both = g_strdup_printf("%s%s%s", first,
                                            key0 && key1 ? " " : "", second);

    g_assert_cmpstr(text, ==, both);
}

/* A commit waits for the vertical blank, and for no other one. */
static void test_latch(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame, addr, keys[2], seqno;
    uint32_t i;

    qprimegpu_start(g);
    keys[0] = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    keys[1] = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    frame = qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    for (i = 0; i < 4; i++) {
        flip(g, 0, keys[i % 2]);
        seqno = g->ctrl.seqno;
        g_assert_cmphex(qprimegpu_output_status(g, 0), ==, STATUS_PENDING);
        qtest_clock_step(g->qts, frame - 1);
        g_assert_cmphex(qprimegpu_output_status(g, 0), ==, STATUS_PENDING);
        g_assert_cmpuint(qprimegpu_flip_seq(g, 0), !=, seqno);
        g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==, 0);
        assert_planes(g, 0, i ? keys[(i - 1) % 2] : 0, 0);
        qtest_clock_step(g->qts, 1);
        g_assert_cmphex(qprimegpu_output_status(g, 0), ==, STATUS_IDLE);
        g_assert_cmpuint(qprimegpu_flip_seq(g, 0), ==, seqno);
        g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==, EVENTS);
        assert_planes(g, 0, keys[i % 2], 0);
        g_assert_cmpuint(qprimegpu_output_counter(g->qts, 1, 0, "flips"), ==,
                         i + 1);
    }
    qtest_clock_step(g->qts, frame);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==,
                    PRIMEGPU_OUTPUT_IRQ_VBLANK);
}

/* FLIP_SEQ has 64 bits, and its halves belong together. */
static void test_seqno(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame, addr, key;
    uint32_t low, high;

    qprimegpu_start(g);
    key = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    frame = qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    g->ctrl.seqno = 0x1fffffffeull;
    flip(g, 0, key);
    qtest_clock_step(g->qts, frame);
    low = qprimegpu_output_readl(g, 0, PRIMEGPU_OUTPUT_REG_FLIP_SEQ_LO);
    flip(g, 0, key);
    qtest_clock_step(g->qts, frame);
    high = qprimegpu_output_readl(g, 0, PRIMEGPU_OUTPUT_REG_FLIP_SEQ_HI);
    g_assert_cmphex((uint64_t)high << 32 | low, ==, 0x1ffffffffull);
    g_assert_cmphex(qprimegpu_flip_seq(g, 0), ==, 0x200000000ull);
}

static void test_async(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame, addr, first, second;
    struct primegpu_plane plane;

    qprimegpu_start(g);
    first = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    second = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    frame = qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    plane = qprimegpu_plane(0, first, WIDTH, HEIGHT);
    qprimegpu_assert_status(qprimegpu_commit(g, 0, &plane, 1,
                                             PRIMEGPU_COMMIT_ASYNC),
                            PRIMEGPU_ST_OK);
    g_assert_cmphex(qprimegpu_output_status(g, 0), ==, STATUS_IDLE);
    g_assert_cmpuint(qprimegpu_flip_seq(g, 0), ==, g->ctrl.seqno);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==,
                    PRIMEGPU_OUTPUT_IRQ_FLIP);
    assert_planes(g, 0, first, 0);
    /* One that waits is latched with it. */
    flip(g, 0, second);
    plane = qprimegpu_plane(1, first, WIDTH, HEIGHT);
    qprimegpu_assert_status(qprimegpu_commit(g, 0, &plane, 1,
                                             PRIMEGPU_COMMIT_ASYNC),
                            PRIMEGPU_ST_OK);
    assert_planes(g, 0, second, first);
    g_assert_cmpuint(qprimegpu_flip_seq(g, 0), ==, g->ctrl.seqno);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==,
                    PRIMEGPU_OUTPUT_IRQ_FLIP);
    qtest_clock_step(g->qts, frame);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==,
                    PRIMEGPU_OUTPUT_IRQ_VBLANK);
}

/* What is not named stays; what is named twice is the later one. */
static void test_merge(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame, addr, first, second, third;
    struct primegpu_plane plane;

    qprimegpu_start(g);
    first = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    second = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    third = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    frame = qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    flip(g, 0, first);
    plane = qprimegpu_plane(1, second, WIDTH, HEIGHT);
    qprimegpu_assert_status(qprimegpu_commit(g, 0, &plane, 1, 0),
                            PRIMEGPU_ST_OK);
    flip(g, 0, third);
    /* The first one will never be seen. */
    g_assert_cmpuint(qprimegpu_shown(g->qts, first), ==, 0);
    qprimegpu_free_bo(g, first);
    assert_planes(g, 0, 0, 0);
    qtest_clock_step(g->qts, frame);
    assert_planes(g, 0, third, second);
    g_assert_cmpuint(qprimegpu_flip_seq(g, 0), ==,
                     g->ctrl.seqno - 2 /* detach and destroy */);
    g_assert_cmpuint(qprimegpu_output_counter(g->qts, 1, 0, "flips"), ==, 1);
    g_assert_cmpuint(qprimegpu_output_counter(g->qts, 1, 0, "commits"), ==, 3);
    /* A commit of nothing is latched too. */
    qprimegpu_assert_status(qprimegpu_commit(g, 0, NULL, 0, 0),
                            PRIMEGPU_ST_OK);
    qtest_clock_step(g->qts, frame);
    g_assert_cmpuint(qprimegpu_flip_seq(g, 0), ==, g->ctrl.seqno);
    assert_planes(g, 0, third, second);
    /* Off; of such a plane nothing but its index counts. */
    plane = qprimegpu_plane(1, second, WIDTH, HEIGHT);
    plane.key[0] = 0;
    plane.format = 0;
    qprimegpu_assert_status(qprimegpu_commit(g, 0, &plane, 1, 0),
                            PRIMEGPU_ST_OK);
    assert_planes(g, 0, third, second);
    qtest_clock_step(g->qts, frame);
    assert_planes(g, 0, third, 0);
}

/* A mode latches what waits, and then turns all planes off. */
static void test_mode(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame, addr, key, seqno;

    qprimegpu_start(g);
    key = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    frame = qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    flip(g, 0, key);
    seqno = g->ctrl.seqno;
    qtest_clock_step(g->qts, frame / 2);
    qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    g_assert_cmphex(qprimegpu_output_status(g, 0), ==, STATUS_IDLE);
    g_assert_cmpuint(qprimegpu_flip_seq(g, 0), ==, seqno);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==,
                    PRIMEGPU_OUTPUT_IRQ_FLIP);
    assert_planes(g, 0, 0, 0);
    g_assert_cmpuint(qprimegpu_shown(g->qts, key), ==, 0);
    /* It would have been latched here. */
    qtest_clock_step(g->qts, frame);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==,
                    PRIMEGPU_OUTPUT_IRQ_VBLANK);
    /* Without a mode nothing waits. */
    qprimegpu_set_mode_off(g, 0);
    flip(g, 0, key);
    g_assert_cmphex(qprimegpu_output_status(g, 0), ==,
                    PRIMEGPU_OUTPUT_CONNECTED);
    g_assert_cmpuint(qprimegpu_flip_seq(g, 0), ==, g->ctrl.seqno);
    assert_planes(g, 0, key, 0);
    qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    qprimegpu_free_bo(g, key);
    g_assert_cmpuint(qprimegpu_violations(g->qts), ==, 0);
}

static void assert_busy(QPrimeGPU *g, uint64_t key)
{
    uint64_t count = qprimegpu_violations(g->qts);

    qprimegpu_assert_status(qprimegpu_detach(g, key), PRIMEGPU_ST_BUSY);
    qprimegpu_assert_violation(g->qts, "detach-busy", key, 0);
    qprimegpu_assert_status(qprimegpu_destroy(g, key), PRIMEGPU_ST_BUSY);
    qprimegpu_assert_violation(g->qts, "destroy-busy", key, 0);
    count += 2;
    if (g->discrete) {
        qprimegpu_assert_status(
            qprimegpu_place(g, key, PRIMEGPU_LOCATION_VRAM, 0),
            PRIMEGPU_ST_BUSY);
        count++;
    }
    g_assert_cmpuint(qprimegpu_violations(g->qts), ==, count);
}

/* A BO is shown from the commit on, until another one is latched. */
static void test_shown(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame, addr, first, second;

    qprimegpu_start(g);
    first = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    second = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    frame = qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    qprimegpu_set_mode(g, 1, WIDTH, HEIGHT);
    flip(g, 0, first);
    assert_busy(g, first);
    qtest_clock_step(g->qts, frame);
    assert_busy(g, first);
    flip(g, 0, second);
    qtest_clock_step(g->qts, frame - 1);
    g_assert_cmpuint(qprimegpu_shown(g->qts, first), ==, 1);
    g_assert_cmpuint(qprimegpu_shown(g->qts, second), ==, 1);
    assert_busy(g, first);
    assert_busy(g, second);
    qtest_clock_step(g->qts, 1);
    g_assert_cmpuint(qprimegpu_shown(g->qts, first), ==, 0);
    qprimegpu_free_bo(g, first);
    /* In two places */
    flip(g, 1, second);
    g_assert_cmpuint(qprimegpu_shown(g->qts, second), ==, 2);
    qprimegpu_set_mode_off(g, 0);
    assert_busy(g, second);
    qprimegpu_set_mode_off(g, 1);
    qprimegpu_free_bo(g, second);
}

/* What is not where a BO is read from may change. */
static void test_shown_vram(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame, addr, key;

    qprimegpu_start(g);
    key = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    qprimegpu_assert_status(
        qprimegpu_place(g, key, PRIMEGPU_LOCATION_VRAM, SIZE), PRIMEGPU_ST_OK);
    frame = qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    flip(g, 0, key);
    qtest_clock_step(g->qts, frame);
    qprimegpu_assert_status(qprimegpu_place(g, key, PRIMEGPU_LOCATION_PAGES,
                                            0), PRIMEGPU_ST_BUSY);
    qprimegpu_assert_status(
        qprimegpu_place(g, key, PRIMEGPU_LOCATION_VRAM, 0), PRIMEGPU_ST_BUSY);
    qprimegpu_assert_violation(g->qts, "detach-busy", key, 0);
    qprimegpu_assert_status(qprimegpu_detach(g, key), PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_destroy(g, key), PRIMEGPU_ST_BUSY);
    qprimegpu_set_mode_off(g, 0);
    qprimegpu_assert_status(qprimegpu_destroy(g, key), PRIMEGPU_ST_OK);
}

/* The BO of a write-back is needed until the latch. */
static void test_writeback(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame, addr, wb_addr, key, wb;
    struct primegpu_plane plane;
    struct primegpu_cmd_commit commit;

    qprimegpu_start(g);
    key = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    wb = qprimegpu_new_fb(g, WIDTH, HEIGHT, &wb_addr);
    qprimegpu_memset(g, addr, 0xff, SIZE);
    qprimegpu_memset(g, wb_addr, 0, SIZE);
    frame = qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    plane = qprimegpu_plane(0, key, WIDTH, HEIGHT);
    commit = qprimegpu_commit_cmd(g, 0, &plane, 1, NULL);
    commit.hdr.flags = cpu_to_le16(PRIMEGPU_COMMIT_WRITEBACK);
    commit.wb_key = cpu_to_le64(wb);
    commit.wb_stride = cpu_to_le32(WIDTH * sizeof(uint32_t));
    commit.wb_format = cpu_to_le32(PRIMEGPU_FORMAT_XRGB8888);
    qprimegpu_assert_status(qprimegpu_ctrl(g, &commit), PRIMEGPU_ST_OK);
    g_assert_cmpuint(qprimegpu_shown(g->qts, wb), ==, 1);
    assert_busy(g, wb);
    /* Only one may wait. */
    qprimegpu_assert_status(qprimegpu_ctrl(g, &commit), PRIMEGPU_ST_LIMIT);
    qtest_clock_step(g->qts, frame - 1);
    g_assert(qprimegpu_is_filled(g, wb_addr, 0, SIZE));
    qtest_clock_step(g->qts, 1);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==,
                    EVENTS | PRIMEGPU_OUTPUT_IRQ_WRITEBACK);
    g_assert(qprimegpu_is_filled(g, wb_addr, 0xff, SIZE));
    g_assert_cmpuint(qprimegpu_shown(g->qts, wb), ==, 0);
    qprimegpu_free_bo(g, wb);
    qtest_clock_step(g->qts, frame);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==,
                    PRIMEGPU_OUTPUT_IRQ_VBLANK);
    g_assert_cmpuint(qprimegpu_output_counter(g->qts, 1, 0, "writebacks"), ==,
                     1);
}

/* One output of three that flip without a pause, each at its own rate */
typedef struct Stream {
    uint64_t keys[2];
    uint64_t addr[2];
    uint64_t frame;
    uint32_t number;            /* of the frame that is latched next */
    uint32_t crc[2];            /* of the two buffers */
} Stream;

static uint32_t stream_crc(QPrimeGPU *g, uint32_t output, uint32_t number)
{
    g_assert_cmpuint(qprimegpu_output_readl(g, output,
                                            PRIMEGPU_OUTPUT_REG_CRC_FRAME),
                     ==, number);
    return qprimegpu_output_readl(g, output, PRIMEGPU_OUTPUT_REG_CRC);
}

static void stream_start(QPrimeGPU *g, Stream *s, uint32_t output)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(s->keys); i++) {
        s->keys[i] = qprimegpu_new_fb(g, WIDTH, HEIGHT, &s->addr[i]);
        qprimegpu_memset(g, s->addr[i], 0x10 * (output + 1) + i, SIZE);
    }
    s->frame = qprimegpu_set_mode(g, output, WIDTH, HEIGHT + output);
    qprimegpu_output_writel(g, output, PRIMEGPU_OUTPUT_REG_CONTROL,
                            PRIMEGPU_OUTPUT_CONTROL_CRC);
    flip(g, output, s->keys[1]);
    s->number = 1;
}

/* The frame before is complete; the next one goes to the other buffer. */
static void stream_next(QPrimeGPU *g, Stream *s, uint32_t output)
{
    uint32_t which = s->number % 2;
    uint32_t crc = stream_crc(g, output, s->number);

    if (s->number <= 2) {
        s->crc[which] = crc;
    }
    g_assert_cmphex(crc, ==, s->crc[which]);
    g_assert_cmphex(s->crc[0], !=, s->crc[1]);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, output), ==,
                    EVENTS | PRIMEGPU_OUTPUT_IRQ_CRC);
    s->number++;
    flip(g, output, s->keys[s->number % 2]);
}

/* None lost, early, late or of another output */
static void test_many(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    Stream streams[QPRIMEGPU_OUTPUTS] = { };
    uint32_t done = 0, n;

    qprimegpu_start(g);
    for (n = 0; n < QPRIMEGPU_OUTPUTS; n++) {
        stream_start(g, &streams[n], n);
    }
    while (done < QPRIMEGPU_OUTPUTS * FRAMES) {
        qtest_clock_step_next(g->qts);
        for (n = 0; n < QPRIMEGPU_OUTPUTS; n++) {
            if (qprimegpu_vblank_count(g, n) == streams[n].number) {
                stream_next(g, &streams[n], n);
                done++;
            }
        }
    }
    for (n = 0; n < QPRIMEGPU_OUTPUTS; n++) {
        uint64_t flips = qprimegpu_output_counter(g->qts, 1, n, "flips");

        g_assert_cmpuint(flips, >=, FRAMES / 2);
        g_assert_cmpuint(flips, ==, qprimegpu_vblank_count(g, n));
        g_assert_cmpuint(qprimegpu_output_counter(g->qts, 1, n, "frames"), ==,
                         flips);
        g_assert_cmpuint(qprimegpu_output_counter(g->qts, 1, n, "late"), ==,
                         0);
    }
}

/* A GPU goes while it shows, with a commit that waits and a CRC to come. */
static void test_unplug(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QTestState *qts = g->qts;
    uint64_t frame, addr, key;
    QDict *response;

    qprimegpu_start(g);
    key = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    frame = qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    qprimegpu_output_writel(g, 0, PRIMEGPU_OUTPUT_REG_IRQ_ENABLE,
                            PRIMEGPU_OUTPUT_IRQ_ALL);
    qprimegpu_output_writel(g, 0, PRIMEGPU_OUTPUT_REG_CONTROL,
                            PRIMEGPU_OUTPUT_CONTROL_CRC);
    flip(g, 0, key);
    qtest_clock_step(qts, frame);
    flip(g, 0, key);
    qpci_unplug_acpi_device_test(qts, "primegpu0",
                                 g->dev.devfn >> 3);
    qtest_clock_step(qts, 3 * frame);
    response = qtest_qmp(qts, "{ 'execute': 'query-primegpu' }");
    g_assert_true(qlist_empty(qdict_get_qlist(response, "return")));
    qobject_unref(response);
    /* What it had is left behind. */
    qprimegpu_assert_violation(qts, "left-behind", key, 0);
}

static void register_tests(void)
{
    qprimegpu_add_test("flip/latch", test_latch);
    qprimegpu_add_test("flip/seqno", test_seqno);
    qprimegpu_add_test("flip/async", test_async);
    qprimegpu_add_test("flip/merge", test_merge);
    qprimegpu_add_test("flip/mode", test_mode);
    qprimegpu_add_test("flip/shown", test_shown);
    qprimegpu_add_vram_test("flip/shown-vram", test_shown_vram);
    qprimegpu_add_test("flip/writeback", test_writeback);
    qprimegpu_add_test("flip/unplug", test_unplug);
    qprimegpu_add_test("flip/many", test_many);
}

libqos_init(register_tests);
