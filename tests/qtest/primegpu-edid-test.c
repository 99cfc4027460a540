/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu displays: EDID, hot-plug, and a preferred mode that changes.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu.h"

#define BLOCK           128
#define EXTENSIONS      126     /* byte of the first block */
#define DETAILED        54      /* the first detailed timing */

static void read_edid(QPrimeGPU *g, uint32_t output,
                      uint8_t edid[PRIMEGPU_EDID_SIZE])
{
    uint32_t i;

    for (i = 0; i < PRIMEGPU_EDID_SIZE; i += sizeof(uint32_t)) {
        stl_le_p(edid + i, qpci_io_readl(&g->dev, g->regs,
                                         PRIMEGPU_EDID(output) + i));
    }
}

static bool is_zero(const uint8_t *bytes, uint32_t count)
{
    uint8_t all = 0;

    while (count--) {
        all |= *bytes++;
    }
    return !all;
}

static uint32_t detailed_width(const uint8_t *edid)
{
    return edid[DETAILED + 2] | (edid[DETAILED + 4] & 0xf0) << 4;
}

static uint32_t detailed_height(const uint8_t *edid)
{
    return edid[DETAILED + 5] | (edid[DETAILED + 7] & 0xf0) << 4;
}

/* Sums of all blocks, header, preferred mode, and nothing behind it */
static void check_edid(QPrimeGPU *g, uint32_t output, uint32_t width,
                       uint32_t height)
{
    static const uint8_t header[] = { 0, 255, 255, 255, 255, 255, 255, 0 };
    uint8_t edid[PRIMEGPU_EDID_SIZE];
    uint32_t blocks, b, i;

    read_edid(g, output, edid);
    g_assert_cmpmem(edid, sizeof(header), header, sizeof(header));
    blocks = 1 + edid[EXTENSIONS];
    g_assert_cmpuint(blocks * BLOCK, <=, PRIMEGPU_EDID_SIZE);
    for (b = 0; b < blocks; b++) {
        uint8_t sum = 0;

        for (i = 0; i < BLOCK; i++) {
            sum += edid[b * BLOCK + i];
        }
        g_assert_cmpuint(sum, ==, 0);
    }
    g_assert_true(is_zero(edid + blocks * BLOCK,
                          PRIMEGPU_EDID_SIZE - blocks * BLOCK));
    g_assert_cmpuint(detailed_width(edid), ==, width);
    g_assert_cmpuint(detailed_height(edid), ==, height);
}

/* A number that is 0 is left out. */
static void set_output(QPrimeGPU *g, bool connected, uint32_t width,
                       uint32_t height, uint32_t refresh_rate)
{
    QDict *arguments = qdict_new();

    qdict_put_str(arguments, "device", "primegpu0");
    qdict_put_int(arguments, "output", 1);
    qdict_put_bool(arguments, "connected", connected);
    if (width) {
        qdict_put_int(arguments, "width", width);
        qdict_put_int(arguments, "height", height);
    }
    if (refresh_rate) {
        qdict_put_int(arguments, "refresh-rate", refresh_rate);
    }
    qtest_qmp_assert_success(g->qts, "{ 'execute': 'primegpu-set-output',"
                             " 'arguments': %p }", arguments);
}

static void test_edid(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint8_t edid[QPRIMEGPU_OUTPUTS][PRIMEGPU_EDID_SIZE];
    uint32_t n;

    for (n = 0; n < QPRIMEGPU_OUTPUTS; n++) {
        g_assert_cmphex(qprimegpu_output_status(g, n), ==,
                        PRIMEGPU_OUTPUT_CONNECTED);
        check_edid(g, n, 1280, 800);
        read_edid(g, n, edid[n]);
        /* No two displays are the same one. */
        g_assert_true(!n || memcmp(edid[n], edid[n - 1], BLOCK));
    }
    /* It cannot be written. */
    qpci_io_writel(&g->dev, g->regs, PRIMEGPU_EDID(0), 0x12345678);
    check_edid(g, 0, 1280, 800);
}

static void test_hotplug(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint8_t edid[PRIMEGPU_EDID_SIZE];

    qprimegpu_start(g);
    qprimegpu_output_writel(g, 1, PRIMEGPU_OUTPUT_REG_IRQ_ENABLE,
                            PRIMEGPU_OUTPUT_IRQ_HOTPLUG);
    set_output(g, false, 0, 0, 0);
    g_assert_cmphex(qprimegpu_output_status(g, 1), ==, 0);
    g_assert_cmphex(qprimegpu_output_status(g, 0), ==,
                    PRIMEGPU_OUTPUT_CONNECTED);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 1), ==,
                    PRIMEGPU_OUTPUT_IRQ_HOTPLUG);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==, 0);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_IRQ_STATUS) &
                    PRIMEGPU_IRQ_DISPLAY, ==, PRIMEGPU_IRQ_DISPLAY);
    read_edid(g, 1, edid);
    g_assert_true(is_zero(edid, sizeof(edid)));
    check_edid(g, 0, 1280, 800);
    /* No change, no event */
    set_output(g, false, 0, 0, 0);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 1), ==, 0);
    set_output(g, true, 0, 0, 0);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 1), ==,
                    PRIMEGPU_OUTPUT_IRQ_HOTPLUG);
    check_edid(g, 1, 1280, 800);
}

/* The user's size; an output that is on goes on as it is. */
static void test_resize(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QDict *info;

    qprimegpu_start(g);
    qprimegpu_set_mode(g, 1, 64, 32);
    set_output(g, true, 1024, 768, 0);
    check_edid(g, 1, 1024, 768);
    check_edid(g, 0, 1280, 800);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 1), ==,
                    PRIMEGPU_OUTPUT_IRQ_HOTPLUG);
    g_assert_cmphex(qprimegpu_output_status(g, 1), ==,
                    PRIMEGPU_OUTPUT_CONNECTED | PRIMEGPU_OUTPUT_ON);
    set_output(g, true, 1024, 768, 0);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 1), ==, 0);
    set_output(g, true, 0, 0, 50000);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 1), ==,
                    PRIMEGPU_OUTPUT_IRQ_HOTPLUG);
    info = qprimegpu_query_output(g->qts, 1, 1);
    g_assert_cmpint(qdict_get_int(info, "refresh-rate"), ==, 50000);
    g_assert_cmpint(qdict_get_int(info, "xres"), ==, 1024);
    qobject_unref(info);
    /* The biggest: the first timing has no room for it, an extension has. */
    set_output(g, true, 4096, 4096, 0);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 1), ==,
                    PRIMEGPU_OUTPUT_IRQ_HOTPLUG);
    set_output(g, true, 1, 1, 0);
    /* A reset does not move what is plugged in. */
    set_output(g, true, 800, 600, 0);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    check_edid(g, 1, 800, 600);
}

static void register_tests(void)
{
    qprimegpu_add_test("edid/edid", test_edid);
    qprimegpu_add_test("edid/hotplug", test_hotplug);
    qprimegpu_add_test("edid/resize", test_resize);
}

libqos_init(register_tests);
