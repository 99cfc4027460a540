/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu registers: PCI identity, reset values, access rules.
 */
#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/primegpu.h"
#include "hw/pci/pci_ids.h"
#include "hw/pci/pci_regs.h"

#define ALL_ONES    0xffffffffu

enum access { RO, RW, W1C };

static const struct {
    const char *name;
    enum primegpu_reg reg;
    enum access access;
    uint32_t reset;
} registers[] = {
#define REGISTER(name, offset, access, reset) \
    { #name, PRIMEGPU_REG_##name, access, reset },
    PRIMEGPU_REGISTERS(REGISTER)
#undef REGISTER
};

static const struct {
    const char *name;
    enum primegpu_output_reg reg;
    enum { OUT_RO, OUT_RW, OUT_W1C } access;
    uint32_t reset;
} output_registers[] = {
#define REGISTER(name, offset, access, reset) \
    { #name, PRIMEGPU_OUTPUT_REG_##name, OUT_##access, reset },
    PRIMEGPU_OUTPUT_REGISTERS(REGISTER)
#undef REGISTER
};

static void test_identity(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QDict *info;
    uint64_t key;

    g_assert_cmphex(qpci_config_readw(&g->dev, PCI_VENDOR_ID), ==,
                    PRIMEGPU_PCI_VENDOR_ID);
    g_assert_cmphex(qpci_config_readw(&g->dev, PCI_CLASS_DEVICE), ==,
                    PCI_CLASS_DISPLAY_OTHER);
    g_assert_cmphex(qpci_config_readb(&g->dev, PCI_REVISION_ID), ==,
                    PRIMEGPU_PCI_REVISION);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_ID), ==,
                    PRIMEGPU_ID_VALUE);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_VERSION) &
                    PRIMEGPU_VERSION_MAJOR, ==, 0);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_VERSION) &
                    PRIMEGPU_VERSION_MINOR, ==, 2);

    key = qprimegpu_key_next(g);
    g_assert_cmphex(key & PRIMEGPU_KEY_SERIAL, ==, 1);
    info = qprimegpu_query(g->qts, qprimegpu_readl(g, PRIMEGPU_REG_DEVICE_ID));
    g_assert_cmphex(key & PRIMEGPU_KEY_DEVICE, ==,
                    qdict_get_int(info, "device-id") *
                    (PRIMEGPU_KEY_SERIAL + 1));
    g_assert_cmpstr(qdict_get_str(info, "device"), ==, "primegpu0");
    g_assert_cmpstr(qdict_get_str(info, "model"), ==,
                    g->discrete ? "discrete" : "integrated");
    g_assert_cmpuint(qprimegpu_readl(g, PRIMEGPU_REG_BO_MAX), ==,
                     qdict_get_int(info, "bos-max"));
    g_assert_cmpuint(qprimegpu_readq(g, PRIMEGPU_REG_BYTES_MAX_LO), ==,
                     qdict_get_int(info, "bytes-max"));
    qobject_unref(info);
}

static void test_model(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint32_t caps = qprimegpu_readl(g, PRIMEGPU_REG_CAPS);

    g_assert_cmphex(caps & PRIMEGPU_CAPS_VRAM, ==,
                    g->discrete ? PRIMEGPU_CAPS_VRAM : 0);
    g_assert_cmphex(caps & PRIMEGPU_CAPS_DISPLAY, ==, PRIMEGPU_CAPS_DISPLAY);
    g_assert_cmpuint(qprimegpu_readl(g, PRIMEGPU_REG_OUTPUTS), ==,
                     QPRIMEGPU_OUTPUTS);
    g_assert_cmpuint(qprimegpu_readq(g, PRIMEGPU_REG_VRAM_SIZE_LO), ==,
                     g->discrete ? QPRIMEGPU_VRAM_SIZE : 0);
    /* The VRAM BAR is there for the discrete one only, prefetchable. */
    g_assert_cmphex(qpci_config_readl(&g->dev, PCI_BASE_ADDRESS_2) &
                    ~PCI_BASE_ADDRESS_MEM_MASK, ==,
                    g->discrete ? PCI_BASE_ADDRESS_MEM_TYPE_64 |
                                  PCI_BASE_ADDRESS_MEM_PREFETCH : 0);
}

static void test_bar_size(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint32_t old = qpci_config_readl(&g->dev, PCI_BASE_ADDRESS_0);
    uint32_t mask;

    qpci_config_writel(&g->dev, PCI_BASE_ADDRESS_0, ALL_ONES);
    mask = qpci_config_readl(&g->dev, PCI_BASE_ADDRESS_0) &
           PCI_BASE_ADDRESS_MEM_MASK;
    g_assert_cmphex(~mask + 1, ==, PRIMEGPU_BAR_REGS_SIZE);
    qpci_config_writel(&g->dev, PCI_BASE_ADDRESS_0, old);
    g_assert_cmphex(old & (uint32_t)~PCI_BASE_ADDRESS_MEM_MASK, ==,
                    PCI_BASE_ADDRESS_MEM_TYPE_64);
}

static void test_reset_values(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(registers); i++) {
        if (registers[i].reset || registers[i].access != RO) {
            g_test_message("%s", registers[i].name);
            g_assert_cmphex(qprimegpu_readl(g, registers[i].reg), ==,
                            registers[i].reset);
        }
    }
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_STATUS), ==, 0);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_CTRL_HEAD), ==, 0);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_ENGINE_HEAD), ==, 0);
    g_assert_cmphex(qprimegpu_readq(g, PRIMEGPU_REG_ENGINE_SEQ_LO), ==, 0);
}

static void test_read_only(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(registers); i++) {
        if (registers[i].access == RO) {
            uint32_t before = qprimegpu_readl(g, registers[i].reg);

            g_test_message("%s", registers[i].name);
            qprimegpu_writel(g, registers[i].reg, ~before);
            g_assert_cmphex(qprimegpu_readl(g, registers[i].reg), ==, before);
        }
    }
}

static void check_pair(QPrimeGPU *g, enum primegpu_reg lo)
{
    uint64_t value = 0x123456789000ull;

    qprimegpu_writeq(g, lo, value);
    g_assert_cmphex(qprimegpu_readq(g, lo), ==, value);
    qprimegpu_writel(g, lo, 0);
    g_assert_cmphex(qprimegpu_readq(g, lo), ==, value & ~(uint64_t)ALL_ONES);
    qprimegpu_writeq(g, lo, 0);
    g_assert_cmphex(qprimegpu_readq(g, lo), ==, 0);
}

static void test_read_write(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;

    check_pair(g, PRIMEGPU_REG_CTRL_BASE_LO);
    check_pair(g, PRIMEGPU_REG_ENGINE_BASE_LO);
    check_pair(g, PRIMEGPU_REG_ENGINE_WB_LO);
    qprimegpu_writel(g, PRIMEGPU_REG_CTRL_ORDER, PRIMEGPU_RING_ORDER_MAX);
    g_assert_cmpuint(qprimegpu_readl(g, PRIMEGPU_REG_CTRL_ORDER), ==,
                     PRIMEGPU_RING_ORDER_MAX);
    qprimegpu_writel(g, PRIMEGPU_REG_ENGINE_ORDER, PRIMEGPU_RING_ORDER_MIN);
    g_assert_cmpuint(qprimegpu_readl(g, PRIMEGPU_REG_ENGINE_ORDER), ==,
                     PRIMEGPU_RING_ORDER_MIN);
    /* Bits that mean nothing do not stay. */
    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_ENABLE, ALL_ONES);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_IRQ_ENABLE), ==,
                    PRIMEGPU_IRQ_ALL);
    qprimegpu_writel(g, PRIMEGPU_REG_MARKER, ALL_ONES);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_MARKER), ==, ALL_ONES);
}

static void test_control(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;

    qprimegpu_start(g);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_CONTROL), ==,
                    PRIMEGPU_CONTROL_ENABLE);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL,
                     PRIMEGPU_CONTROL_ENABLE | PRIMEGPU_CONTROL_ENGINE_RESET);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_CONTROL), ==,
                    PRIMEGPU_CONTROL_ENABLE);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_CONTROL), ==, 0);
}

static void test_outputs(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint32_t n;
    unsigned int i;

    for (n = 0; n < QPRIMEGPU_OUTPUTS; n++) {
        for (i = 0; i < ARRAY_SIZE(output_registers); i++) {
            enum primegpu_output_reg reg = output_registers[i].reg;
            uint32_t reset = output_registers[i].reset;

            g_test_message("%u %s", n, output_registers[i].name);
            if (reg == PRIMEGPU_OUTPUT_REG_STATUS) {
                reset = PRIMEGPU_OUTPUT_CONNECTED;
            } else if (reg == PRIMEGPU_OUTPUT_REG_ROUTE) {
                reset = n;
            }
            g_assert_cmphex(qprimegpu_output_readl(g, n, reg), ==, reset);
            if (output_registers[i].access == OUT_RO) {
                qprimegpu_output_writel(g, n, reg, ALL_ONES);
                g_assert_cmphex(qprimegpu_output_readl(g, n, reg), ==, reset);
            }
        }
        qprimegpu_output_writel(g, n, PRIMEGPU_OUTPUT_REG_IRQ_ENABLE,
                                ALL_ONES);
        g_assert_cmphex(qprimegpu_output_readl(
                            g, n, PRIMEGPU_OUTPUT_REG_IRQ_ENABLE), ==,
                        PRIMEGPU_OUTPUT_IRQ_ALL);
        qprimegpu_output_writel(g, n, PRIMEGPU_OUTPUT_REG_CONTROL, ALL_ONES);
        g_assert_cmphex(qprimegpu_output_readl(
                            g, n, PRIMEGPU_OUTPUT_REG_CONTROL), ==,
                        PRIMEGPU_OUTPUT_CONTROL_CRC);
    }
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    for (i = 0; i < ARRAY_SIZE(output_registers); i++) {
        g_assert_cmphex(qprimegpu_output_readl(g, 0, output_registers[i].reg),
                        ==, output_registers[i].reset |
                        (output_registers[i].reg ==
                         PRIMEGPU_OUTPUT_REG_STATUS
                         ? PRIMEGPU_OUTPUT_CONNECTED : 0));
    }
}

/* CLOCK is the machine's virtual clock; its halves belong together. */
static void test_clock(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t start = qprimegpu_readq(g, PRIMEGPU_REG_CLOCK_LO);
    uint32_t low, high;

    qtest_clock_step(g->qts, 12345);
    g_assert_cmpuint(qprimegpu_readq(g, PRIMEGPU_REG_CLOCK_LO), ==,
                     start + 12345);
    qtest_clock_step(g->qts, UINT32_MAX - (start + 12345));
    low = qprimegpu_readl(g, PRIMEGPU_REG_CLOCK_LO);
    qtest_clock_step(g->qts, 1);
    high = qprimegpu_readl(g, PRIMEGPU_REG_CLOCK_HI);
    g_assert_cmphex((uint64_t)high << 32 | low, ==, UINT32_MAX);
    g_assert_cmphex(qprimegpu_readq(g, PRIMEGPU_REG_CLOCK_LO), ==,
                    UINT32_MAX + 1ull);
}

/* Offsets with no register: behind the last one and in the reserved blocks */
static void test_holes(void *obj, void *data, QGuestAllocator *alloc)
{
    static const uint64_t holes[] = {
        PRIMEGPU_REG_MARKER + sizeof(uint32_t),
        PRIMEGPU_REG_ENGINE_WB_HI + sizeof(uint32_t),
        PRIMEGPU_REG_CLOCK_HI + sizeof(uint32_t),
        PRIMEGPU_OUTPUT(0) - sizeof(uint32_t),
        PRIMEGPU_OUTPUT(0) + PRIMEGPU_OUTPUT_REG_ROUTE + sizeof(uint32_t),
        PRIMEGPU_OUTPUT(QPRIMEGPU_OUTPUTS) +
            PRIMEGPU_OUTPUT_REG_IRQ_ENABLE,
        PRIMEGPU_EDID(QPRIMEGPU_OUTPUTS),
        PRIMEGPU_EDID(0) - sizeof(uint32_t),
        PRIMEGPU_BAR_REGS_SIZE - sizeof(uint32_t),
    };
    QPrimeGPU *g = obj;
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(holes); i++) {
        qpci_io_writel(&g->dev, g->regs, holes[i], ALL_ONES);
        g_assert_cmphex(qpci_io_readl(&g->dev, g->regs, holes[i]), ==, 0);
    }
}

/* Registers are 32 bits wide: other accesses do not change them. */
static void test_access_size(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint32_t marker = 0x01020304;

    qprimegpu_writel(g, PRIMEGPU_REG_MARKER, marker);
    qpci_io_writeb(&g->dev, g->regs, PRIMEGPU_REG_MARKER, 0xff);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_MARKER), ==, marker);
    qpci_io_writew(&g->dev, g->regs, PRIMEGPU_REG_MARKER, 0xffff);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_MARKER), ==, marker);
}

static void register_tests(void)
{
    qprimegpu_add_test("regs/identity", test_identity);
    qprimegpu_add_test("regs/model", test_model);
    qprimegpu_add_test("regs/bar-size", test_bar_size);
    qprimegpu_add_test("regs/reset-values", test_reset_values);
    qprimegpu_add_test("regs/read-only", test_read_only);
    qprimegpu_add_test("regs/read-write", test_read_write);
    qprimegpu_add_test("regs/control", test_control);
    qprimegpu_add_test("regs/outputs", test_outputs);
    qprimegpu_add_test("regs/clock", test_clock);
    qprimegpu_add_test("regs/holes", test_holes);
    qprimegpu_add_test("regs/access-size", test_access_size);
}

libqos_init(register_tests);
