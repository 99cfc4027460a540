/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu outputs: modes, the time of vertical blanks, latches.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu.h"

#define WIDTH   64
#define HEIGHT  32

#define STATUS_IDLE     (PRIMEGPU_OUTPUT_CONNECTED | PRIMEGPU_OUTPUT_ON)
#define STATUS_PENDING  (STATUS_IDLE | PRIMEGPU_OUTPUT_PENDING)

static uint32_t output_status(QPrimeGPU *g, uint32_t output)
{
    return qprimegpu_output_readl(g, output, PRIMEGPU_OUTPUT_REG_STATUS);
}

static uint32_t vblank_count(QPrimeGPU *g, uint32_t output)
{
    return qprimegpu_output_readl(g, output, PRIMEGPU_OUTPUT_REG_VBLANK_COUNT);
}

static uint64_t vblank_time(QPrimeGPU *g, uint32_t output)
{
    return qprimegpu_output_readq(g, output,
                                  PRIMEGPU_OUTPUT_REG_VBLANK_TIME_LO);
}

static uint64_t flip_seq(QPrimeGPU *g, uint32_t output)
{
    return qprimegpu_output_readq(g, output, PRIMEGPU_OUTPUT_REG_FLIP_SEQ_LO);
}

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

static uint64_t device_clock(QPrimeGPU *g)
{
    return qprimegpu_readq(g, PRIMEGPU_REG_CLOCK_LO);
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
    start = device_clock(g);
    g_assert_cmphex(output_status(g, 1), ==, STATUS_IDLE);
    g_assert_cmphex(output_status(g, 0), ==, PRIMEGPU_OUTPUT_CONNECTED);
    g_assert_cmpuint(vblank_time(g, 1), ==, start);
    for (k = 1; k < 5; k++) {
        qtest_clock_step(g->qts, frame - 1);
        g_assert_cmpuint(vblank_count(g, 1), ==, k - 1);
        g_assert_cmphex(qprimegpu_output_take_irqs(g, 1), ==, 0);
        qtest_clock_step(g->qts, 1);
        g_assert_cmpuint(vblank_count(g, 1), ==, k);
        g_assert_cmpuint(vblank_time(g, 1), ==, start + k * frame);
        g_assert_cmphex(qprimegpu_output_take_irqs(g, 1), ==,
                        PRIMEGPU_OUTPUT_IRQ_VBLANK);
        g_assert_cmpuint(vblank_count(g, 0), ==, 0);
    }
    qtest_clock_step(g->qts, 1000 * frame + frame / 2);
    g_assert_cmpuint(vblank_count(g, 1), ==, 1004);
    g_assert_cmpuint(vblank_time(g, 1), ==, start + 1004 * frame);
    /* A new mode does not set the count back. */
    frame = qprimegpu_set_mode(g, 1, 2 * WIDTH, HEIGHT);
    g_assert_cmpuint(vblank_count(g, 1), ==, 1004);
    g_assert_cmpuint(vblank_time(g, 1), ==, device_clock(g));
    qtest_clock_step(g->qts, frame);
    g_assert_cmpuint(vblank_count(g, 1), ==, 1005);
    qprimegpu_set_mode_off(g, 1);
    g_assert_cmphex(output_status(g, 1), ==, PRIMEGPU_OUTPUT_CONNECTED);
    qtest_clock_step(g->qts, 10 * frame);
    g_assert_cmpuint(vblank_count(g, 1), ==, 1005);
    g_assert_cmpuint(vblank_time(g, 1), ==, 0);
    g_assert_cmpuint(scan_line(g, 1), ==, 0);
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
    g_assert_cmpuint(vblank_count(g, 0), ==, 0);
    qtest_clock_step(g->qts, 1);
    g_assert_cmpuint(scan_line(g, 0), ==, HEIGHT);
    g_assert_cmpuint(vblank_count(g, 0), ==, 1);
}

/* A commit waits for the vertical blank, and for no other one. */
static void test_latch(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t frame, addr, key, seqno;
    uint32_t i;

    qprimegpu_start(g);
    key = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    frame = qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    for (i = 1; i < 4; i++) {
        qprimegpu_assert_status(qprimegpu_flip(g, 0, key, WIDTH, HEIGHT),
                                PRIMEGPU_ST_OK);
        seqno = g->ctrl.seqno;
        g_assert_cmphex(output_status(g, 0), ==, STATUS_PENDING);
        qtest_clock_step(g->qts, frame - 1);
        g_assert_cmphex(output_status(g, 0), ==, STATUS_PENDING);
        g_assert_cmpuint(flip_seq(g, 0), !=, seqno);
        g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==, 0);
        qtest_clock_step(g->qts, 1);
        g_assert_cmphex(output_status(g, 0), ==, STATUS_IDLE);
        g_assert_cmpuint(flip_seq(g, 0), ==, seqno);
        g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==,
                        PRIMEGPU_OUTPUT_IRQ_FLIP | PRIMEGPU_OUTPUT_IRQ_VBLANK);
        g_assert_cmpuint(qprimegpu_output_counter(g->qts, 1, 0, "flips"), ==,
                         i);
    }
    g_assert_cmpuint(qprimegpu_output_counter(g->qts, 1, 0, "late"), ==, 0);
}

static void register_tests(void)
{
    qprimegpu_add_test("output-time", test_time);
    qprimegpu_add_test("output-scanpos", test_scanpos);
    qprimegpu_add_test("output-latch", test_latch);
}

libqos_init(register_tests);
