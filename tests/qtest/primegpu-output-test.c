/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu outputs: modes, the time of vertical blanks, interrupts, resets.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu.h"

#define WIDTH   64
#define HEIGHT  32

#define STATUS_OFF      PRIMEGPU_OUTPUT_CONNECTED
#define STATUS_IDLE     (PRIMEGPU_OUTPUT_CONNECTED | PRIMEGPU_OUTPUT_ON)

static uint32_t scan_line(QPrimeGPU *g, uint32_t output)
{
    uint32_t scanpos = qprimegpu_output_readl(g, output,
                                              PRIMEGPU_OUTPUT_REG_SCANPOS);

    return (scanpos & PRIMEGPU_SCANPOS_LINE) / (PRIMEGPU_SCANPOS_PIXEL + 1);
}

static uint32_t scan_pixel(QPrimeGPU *g, uint32_t output)
{
    return qprimegpu_output_readl(g, output, PRIMEGPU_OUTPUT_REG_SCANPOS) &
           PRIMEGPU_SCANPOS_PIXEL;
}

/* Vertical blanks come at T0 + k frames, to the nanosecond. */
static void test_time(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame, start;
    uint32_t k;

    qprimegpu_start(g);
    qtest_clock_step(g->qts, 12345);
    frame = qprimegpu_set_mode(g, 1, WIDTH, HEIGHT);
    start = qprimegpu_clock(g);
    g_assert_cmphex(qprimegpu_output_status(g, 1), ==, STATUS_IDLE);
    g_assert_cmphex(qprimegpu_output_status(g, 0), ==, STATUS_OFF);
    g_assert_cmpuint(qprimegpu_vblank_time(g, 1), ==, start);
    for (k = 1; k < 5; k++) {
        qtest_clock_step(g->qts, frame - 1);
        g_assert_cmpuint(qprimegpu_vblank_count(g, 1), ==, k - 1);
        g_assert_cmphex(qprimegpu_output_take_irqs(g, 1), ==, 0);
        qtest_clock_step(g->qts, 1);
        g_assert_cmpuint(qprimegpu_vblank_count(g, 1), ==, k);
        g_assert_cmpuint(qprimegpu_vblank_time(g, 1), ==, start + k * frame);
        g_assert_cmphex(qprimegpu_output_take_irqs(g, 1), ==,
                        PRIMEGPU_OUTPUT_IRQ_VBLANK);
        g_assert_cmpuint(qprimegpu_vblank_count(g, 0), ==, 0);
    }
    qtest_clock_step(g->qts, 1000 * frame + frame / 2);
    g_assert_cmpuint(qprimegpu_vblank_count(g, 1), ==, 1004);
    g_assert_cmpuint(qprimegpu_vblank_time(g, 1), ==, start + 1004 * frame);
}

/* A new mode counts on from its own T0; none counts nothing. */
static void test_mode_change(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame;

    qprimegpu_start(g);
    frame = qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    qtest_clock_step(g->qts, 7 * frame + frame / 3);
    frame = qprimegpu_set_mode(g, 0, 3 * WIDTH, HEIGHT);
    g_assert_cmpuint(qprimegpu_vblank_count(g, 0), ==, 7);
    g_assert_cmpuint(qprimegpu_vblank_time(g, 0), ==, qprimegpu_clock(g));
    g_assert_cmpuint(scan_line(g, 0), ==, HEIGHT);
    qtest_clock_step(g->qts, frame - 1);
    g_assert_cmpuint(qprimegpu_vblank_count(g, 0), ==, 7);
    qtest_clock_step(g->qts, 1);
    g_assert_cmpuint(qprimegpu_vblank_count(g, 0), ==, 8);
    qprimegpu_set_mode_off(g, 0);
    g_assert_cmphex(qprimegpu_output_status(g, 0), ==, STATUS_OFF);
    qtest_clock_step(g->qts, 10 * frame);
    g_assert_cmpuint(qprimegpu_vblank_count(g, 0), ==, 8);
    g_assert_cmpuint(qprimegpu_vblank_time(g, 0), ==, 0);
    g_assert_cmpuint(scan_line(g, 0), ==, 0);
    g_assert_cmpuint(scan_pixel(g, 0), ==, 0);
    qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    g_assert_cmpuint(qprimegpu_vblank_count(g, 0), ==, 8);
}

/* A frame begins with its vertical blank, at the line vdisplay. */
static void test_scanpos(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    struct primegpu_cmd_mode mode = qprimegpu_mode(0, WIDTH, HEIGHT);
    uint32_t vtotal = le16_to_cpu(mode.vtotal);
    uint32_t htotal = le16_to_cpu(mode.htotal);
    uint64_t line, frame;

    qprimegpu_start(g);
    /* A pixel is 2 us: nothing is rounded. */
    mode.clock = cpu_to_le32(500);
    line = htotal * 2000ull;
    frame = line * vtotal;
    g_assert_cmpuint(qprimegpu_mode_ns(&mode), ==, frame);
    qprimegpu_assert_status(qprimegpu_ctrl(g, &mode), PRIMEGPU_ST_OK);
    g_assert_cmpuint(scan_line(g, 0), ==, HEIGHT);
    g_assert_cmpuint(scan_pixel(g, 0), ==, 0);
    qtest_clock_step(g->qts, line - 1);
    g_assert_cmpuint(scan_line(g, 0), ==, HEIGHT);
    g_assert_cmpuint(scan_pixel(g, 0), ==, htotal - 1);
    qtest_clock_step(g->qts, 1);
    g_assert_cmpuint(scan_line(g, 0), ==, HEIGHT + 1);
    qtest_clock_step(g->qts, line * (vtotal - HEIGHT - 1) - 1);
    g_assert_cmpuint(scan_line(g, 0), ==, vtotal - 1);
    qtest_clock_step(g->qts, 1);
    g_assert_cmpuint(scan_line(g, 0), ==, 0);
    g_assert_cmpuint(scan_pixel(g, 0), ==, 0);
    qtest_clock_step(g->qts, line * HEIGHT - 1);
    g_assert_cmpuint(scan_line(g, 0), ==, HEIGHT - 1);
    g_assert_cmpuint(scan_pixel(g, 0), ==, htotal - 1);
    g_assert_cmpuint(qprimegpu_vblank_count(g, 0), ==, 0);
    qtest_clock_step(g->qts, 1);
    g_assert_cmpuint(scan_line(g, 0), ==, HEIGHT);
    g_assert_cmpuint(qprimegpu_vblank_count(g, 0), ==, 1);
}

typedef struct ModeCase {
    const char *name;
    uint32_t clock;
    uint16_t hdisplay;
    uint16_t htotal;
    uint16_t vdisplay;
    uint16_t vtotal;
    bool good;
} ModeCase;

static const ModeCase mode_cases[] = {
    { "smallest", 1, 1, 10, 1, 100, true },
    { "biggest", 100000, 4096, 5000, 4096, 5000, true },
    { "a millisecond", 10000, 1, 100, 1, 100, true },
    { "a bit less", 10001, 1, 100, 1, 100, false },
    { "a second", 1, 1, 10, 1, 100, true },
    { "more than a second", 1, 1, 77, 1, 13, false },
    { "off", 0, 0, 0, 0, 0, true },
    { "off, with a width", 0, 1, 0, 0, 0, false },
    { "off, with a total", 0, 0, 100, 0, 0, false },
    { "off, with a height", 0, 0, 0, 1, 0, false },
    { "off, with a vtotal", 0, 0, 0, 0, 100, false },
    { "no width", 1000, 0, 100, 10, 100, false },
    { "no height", 1000, 10, 100, 0, 100, false },
    { "too wide", 100000, 4097, 5000, 4096, 5000, false },
    { "too high", 100000, 4096, 5000, 4097, 5000, false },
    { "no horizontal blank", 1000, 100, 100, 10, 100, false },
    { "no vertical blank", 1000, 10, 100, 100, 100, false },
    { "highest", UINT32_MAX, UINT16_MAX, UINT16_MAX, UINT16_MAX, UINT16_MAX,
      false },
    { "high clock", 4294000000, 4096, UINT16_MAX, 4096, UINT16_MAX, true },
    { "too high a clock", UINT32_MAX, 4096, UINT16_MAX, 4096, UINT16_MAX,
      false },
    { "longest", 1, 4096, UINT16_MAX, 4096, UINT16_MAX, false },
};

static void check_mode(QPrimeGPU *g, const ModeCase *c)
{
    struct primegpu_cmd_mode mode = {
        .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_MODE),
        .output = cpu_to_le32(1),
        .clock = cpu_to_le32(c->clock),
        .hdisplay = cpu_to_le16(c->hdisplay),
        .htotal = cpu_to_le16(c->htotal),
        .vdisplay = cpu_to_le16(c->vdisplay),
        .vtotal = cpu_to_le16(c->vtotal),
    };
    uint64_t start;
    QDict *info;

    g_test_message("%s", c->name);
    qprimegpu_set_mode(g, 1, WIDTH, HEIGHT);
    start = qprimegpu_vblank_time(g, 1);
    qtest_clock_step(g->qts, 1000);
    qprimegpu_assert_status(qprimegpu_ctrl(g, &mode),
                            c->good ? PRIMEGPU_ST_OK
                                    : PRIMEGPU_ST_INVALID_FIELD);
    info = qprimegpu_query_output(g->qts, 1, 1);
    g_assert_cmpint(qdict_get_int(info, "width"), ==,
                    c->good ? c->hdisplay : WIDTH);
    g_assert_cmpint(qdict_get_int(info, "height"), ==,
                    c->good ? c->vdisplay : HEIGHT);
    qobject_unref(info);
    if (!c->good) {
        /* The mode that was there goes on. */
        g_assert_cmpuint(qprimegpu_vblank_time(g, 1), ==, start);
    }
}

static void test_mode_fields(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    struct primegpu_cmd_mode mode = qprimegpu_mode(QPRIMEGPU_OUTPUTS, WIDTH,
                                                   HEIGHT);
    unsigned int i;

    qprimegpu_start(g);
    for (i = 0; i < ARRAY_SIZE(mode_cases); i++) {
        check_mode(g, &mode_cases[i]);
    }
    qprimegpu_assert_status(qprimegpu_ctrl(g, &mode),
                            PRIMEGPU_ST_UNSUPPORTED);
    mode.output = cpu_to_le32(UINT32_MAX);
    qprimegpu_assert_status(qprimegpu_ctrl(g, &mode),
                            PRIMEGPU_ST_UNSUPPORTED);
    mode.output = 0;
    for (i = 0; i < ARRAY_SIZE(mode.rsvd20); i++) {
        mode.rsvd20[i] = cpu_to_le64(1ull << 63);
        qprimegpu_assert_status(qprimegpu_ctrl(g, &mode),
                                PRIMEGPU_ST_INVALID_FIELD);
        mode.rsvd20[i] = 0;
    }
    mode.hdr.flags = cpu_to_le16(1);
    qprimegpu_assert_status(qprimegpu_ctrl(g, &mode),
                            PRIMEGPU_ST_INVALID_FIELD);
    mode.hdr.flags = 0;
    qprimegpu_assert_status(qprimegpu_ctrl(g, &mode), PRIMEGPU_ST_OK);
}

static uint32_t device_irqs(QPrimeGPU *g)
{
    uint32_t bits = qprimegpu_readl(g, PRIMEGPU_REG_IRQ_STATUS);

    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_STATUS, bits);
    return bits & PRIMEGPU_IRQ_DISPLAY;
}

static void enable_irqs(QPrimeGPU *g, uint32_t output, uint32_t bits)
{
    qprimegpu_output_writel(g, output, PRIMEGPU_OUTPUT_REG_IRQ_ENABLE, bits);
}

static void assert_vblank_irq(QPrimeGPU *g, uint32_t output, bool on)
{
    QDict *info = qprimegpu_query_output(g->qts, 1, output);

    g_assert_cmpint(qdict_get_bool(info, "vblank-irq"), ==, on);
    qobject_unref(info);
}

/* The device's bit rises with each enabled bit of an output that rises. */
static void test_irq(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame, addr, key;

    qprimegpu_start(g);
    key = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    frame = qprimegpu_set_mode(g, 2, WIDTH, HEIGHT);
    device_irqs(g);
    qtest_clock_step(g->qts, frame);
    g_assert_cmphex(device_irqs(g), ==, 0);
    assert_vblank_irq(g, 2, false);
    /* A bit that is set already, and is enabled now */
    enable_irqs(g, 2, PRIMEGPU_OUTPUT_IRQ_VBLANK);
    assert_vblank_irq(g, 2, true);
    g_assert_cmphex(device_irqs(g), ==, PRIMEGPU_IRQ_DISPLAY);
    /* It has not been cleared: nothing rises. */
    qtest_clock_step(g->qts, frame);
    g_assert_cmphex(device_irqs(g), ==, 0);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 2), ==,
                    PRIMEGPU_OUTPUT_IRQ_VBLANK);
    qtest_clock_step(g->qts, frame - 1);
    g_assert_cmphex(device_irqs(g), ==, 0);
    qtest_clock_step(g->qts, 1);
    g_assert_cmphex(device_irqs(g), ==, PRIMEGPU_IRQ_DISPLAY);
    qprimegpu_output_take_irqs(g, 2);
    /* Only the latch counts now. */
    enable_irqs(g, 2, PRIMEGPU_OUTPUT_IRQ_FLIP);
    qtest_clock_step(g->qts, frame);
    g_assert_cmphex(device_irqs(g), ==, 0);
    qprimegpu_flip(g, 2, key, WIDTH, HEIGHT);
    qtest_clock_step(g->qts, frame);
    g_assert_cmphex(device_irqs(g), ==, PRIMEGPU_IRQ_DISPLAY);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 2), ==,
                    PRIMEGPU_OUTPUT_IRQ_FLIP | PRIMEGPU_OUTPUT_IRQ_VBLANK);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 1), ==, 0);
}

/* Whether the next thing that happens in the machine is the vertical blank */
static bool is_awaited(QPrimeGPU *g, uint32_t output, uint64_t frame)
{
    uint64_t next = qprimegpu_vblank_time(g, output) + frame;

    /* Leave other timers behind. */
    qtest_clock_step(g->qts, next - qprimegpu_clock(g) - 1);
    return qtest_clock_step_next(g->qts) == next;
}

/* Time is spent only on outputs for which somebody waits. */
static void test_awaited(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame, addr, key;

    qprimegpu_start(g);
    key = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    frame = qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    g_assert_false(is_awaited(g, 0, frame));
    enable_irqs(g, 0, PRIMEGPU_OUTPUT_IRQ_VBLANK);
    g_assert_true(is_awaited(g, 0, frame));
    g_assert_true(is_awaited(g, 0, frame));
    enable_irqs(g, 0, PRIMEGPU_OUTPUT_IRQ_FLIP);
    g_assert_false(is_awaited(g, 0, frame));
    qprimegpu_flip(g, 0, key, WIDTH, HEIGHT);
    g_assert_true(is_awaited(g, 0, frame));
    g_assert_false(is_awaited(g, 0, frame));
    qprimegpu_output_writel(g, 0, PRIMEGPU_OUTPUT_REG_CONTROL,
                            PRIMEGPU_OUTPUT_CONTROL_CRC);
    g_assert_true(is_awaited(g, 0, frame));
    qprimegpu_output_writel(g, 0, PRIMEGPU_OUTPUT_REG_CONTROL, 0);
    g_assert_false(is_awaited(g, 0, frame));
    g_assert_cmpuint(qprimegpu_output_counter(g->qts, 1, 0, "late"), ==, 0);
}

/* CRC and CRC_FRAME belong together. */
static void test_crc_frame(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame, addr, key;
    uint32_t crc, number;

    qprimegpu_start(g);
    key = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    qprimegpu_memset(g, addr, 0x11, WIDTH * HEIGHT * sizeof(uint32_t));
    frame = qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    qprimegpu_flip(g, 0, key, WIDTH, HEIGHT);
    qprimegpu_output_writel(g, 0, PRIMEGPU_OUTPUT_REG_CONTROL,
                            PRIMEGPU_OUTPUT_CONTROL_CRC);
    qtest_clock_step(g->qts, frame);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==,
                    PRIMEGPU_OUTPUT_IRQ_VBLANK | PRIMEGPU_OUTPUT_IRQ_FLIP |
                    PRIMEGPU_OUTPUT_IRQ_CRC);
    number = qprimegpu_output_readl(g, 0, PRIMEGPU_OUTPUT_REG_CRC_FRAME);
    g_assert_cmpuint(number, ==, 1);
    crc = qprimegpu_output_readl(g, 0, PRIMEGPU_OUTPUT_REG_CRC);
    qprimegpu_memset(g, addr, 0x22, WIDTH * HEIGHT * sizeof(uint32_t));
    qtest_clock_step(g->qts, frame);
    g_assert_cmphex(qprimegpu_output_readl(g, 0, PRIMEGPU_OUTPUT_REG_CRC), ==,
                    crc);
    number = qprimegpu_output_readl(g, 0, PRIMEGPU_OUTPUT_REG_CRC_FRAME);
    g_assert_cmpuint(number, ==, 2);
    g_assert_cmphex(qprimegpu_output_readl(g, 0, PRIMEGPU_OUTPUT_REG_CRC), !=,
                    crc);
    qprimegpu_output_writel(g, 0, PRIMEGPU_OUTPUT_REG_CONTROL, 0);
    qprimegpu_output_take_irqs(g, 0);
    qtest_clock_step(g->qts, frame);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==,
                    PRIMEGPU_OUTPUT_IRQ_VBLANK);
    g_assert_cmpuint(qprimegpu_output_counter(g->qts, 1, 0, "frames"), ==, 2);
}

/* A reset of the device turns all off; a reset of its engine nothing. */
static void test_reset(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame, addr, key;

    qprimegpu_start(g);
    key = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    frame = qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    enable_irqs(g, 0, PRIMEGPU_OUTPUT_IRQ_ALL);
    qprimegpu_flip(g, 0, key, WIDTH, HEIGHT);
    qtest_clock_step(g->qts, frame);
    qprimegpu_flip(g, 0, key, WIDTH, HEIGHT);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL,
                     PRIMEGPU_CONTROL_ENABLE | PRIMEGPU_CONTROL_ENGINE_RESET);
    g_assert_cmphex(qprimegpu_output_status(g, 0), ==,
                    STATUS_IDLE | PRIMEGPU_OUTPUT_PENDING);
    /* The rings are off, and what is shown stays. */
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, 0);
    qtest_clock_step(g->qts, frame);
    g_assert_cmphex(qprimegpu_output_status(g, 0), ==, STATUS_IDLE);
    g_assert_cmpuint(qprimegpu_shown(g->qts, key), ==, 1);
    g_assert_cmpuint(qprimegpu_vblank_count(g, 0), ==, 2);
    qprimegpu_start(g);
    qprimegpu_flip(g, 0, key, WIDTH, HEIGHT);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    g_assert_cmpuint(qprimegpu_bo_count(g->qts), ==, 0);
    g_assert_cmphex(qprimegpu_output_status(g, 0), ==, STATUS_OFF);
    g_assert_cmpuint(qprimegpu_vblank_count(g, 0), ==, 0);
    g_assert_cmpuint(qprimegpu_flip_seq(g, 0), ==, 0);
    qtest_clock_step(g->qts, 3 * frame);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==, 0);
    /* And it works again. */
    qprimegpu_start(g);
    key = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    qprimegpu_flip(g, 0, key, WIDTH, HEIGHT);
    qtest_clock_step(g->qts, frame);
    g_assert_cmpuint(qprimegpu_flip_seq(g, 0), ==, g->ctrl.seqno);
    g_assert_cmpuint(qprimegpu_violations(g->qts), ==, 0);
}

static void register_tests(void)
{
    qprimegpu_add_test("output/time", test_time);
    qprimegpu_add_test("output/mode-change", test_mode_change);
    qprimegpu_add_test("output/scanpos", test_scanpos);
    qprimegpu_add_test("output/mode-fields", test_mode_fields);
    qprimegpu_add_test("output/irq", test_irq);
    qprimegpu_add_test("output/awaited", test_awaited);
    qprimegpu_add_test("output/crc-frame", test_crc_frame);
    qprimegpu_add_test("output/reset", test_reset);
}

libqos_init(register_tests);
