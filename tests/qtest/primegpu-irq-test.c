/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu interrupts: status and enable bits, MSI-X vectors.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu.h"
#include "hw/pci/pci_regs.h"

/* What vector N writes to its word of guest memory */
#define MESSAGE(vector) (0x1000u + (vector))

#define HOLE            0xd0000000ull

static uint64_t message_address(QPrimeGPU *g, uint64_t base, unsigned int v)
{
    return base + v * sizeof(uint32_t);
}

static uint64_t setup_msix(QPrimeGPU *g)
{
    uint64_t base = guest_alloc(g->alloc,
                                PRIMEGPU_VECTOR_COUNT * sizeof(uint32_t));
    unsigned int v;

    qpci_msix_enable(&g->dev);
    g_assert_cmpuint(qpci_msix_table_size(&g->dev), ==,
                     PRIMEGPU_VECTOR_COUNT);
    for (v = 0; v < PRIMEGPU_VECTOR_COUNT; v++) {
        uint64_t entry = g->dev.msix_table_off + v * PCI_MSIX_ENTRY_SIZE;
        uint64_t addr = message_address(g, base, v);

        qtest_memset(g->qts, addr, 0, sizeof(uint32_t));
        qpci_io_writel(&g->dev, g->dev.msix_table_bar,
                       entry + PCI_MSIX_ENTRY_LOWER_ADDR, addr);
        qpci_io_writel(&g->dev, g->dev.msix_table_bar,
                       entry + PCI_MSIX_ENTRY_UPPER_ADDR, addr >> 32);
        qpci_io_writel(&g->dev, g->dev.msix_table_bar,
                       entry + PCI_MSIX_ENTRY_DATA, MESSAGE(v));
        qpci_io_writel(&g->dev, g->dev.msix_table_bar,
                       entry + PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
    }
    return base;
}

/* Whether the vector's message came since the last time */
static bool got_message(QPrimeGPU *g, uint64_t base, unsigned int vector)
{
    uint64_t addr = message_address(g, base, vector);
    uint32_t message;

    qtest_memread(g->qts, addr, &message, sizeof(message));
    qtest_memset(g->qts, addr, 0, sizeof(message));
    if (message) {
        g_assert_cmphex(le32_to_cpu(message), ==, MESSAGE(vector));
    }
    return message;
}

static void check_no_message(QPrimeGPU *g, uint64_t base)
{
    unsigned int v;

    for (v = 0; v < PRIMEGPU_VECTOR_COUNT; v++) {
        g_assert_false(got_message(g, base, v));
    }
}

static void test_control(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t base = setup_msix(g);

    qprimegpu_start(g);
    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_ENABLE, PRIMEGPU_IRQ_CTRL_DONE);
    qprimegpu_new_bo(g, PRIMEGPU_PAGE_SIZE);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_IRQ_STATUS), ==,
                    PRIMEGPU_IRQ_CTRL_DONE);
    g_assert_true(got_message(g, base, PRIMEGPU_VECTOR_CONTROL));
    check_no_message(g, base);
    /* One message until the bit is cleared */
    qprimegpu_new_bo(g, PRIMEGPU_PAGE_SIZE);
    check_no_message(g, base);
    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_STATUS, PRIMEGPU_IRQ_CTRL_DONE);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_IRQ_STATUS), ==, 0);
    check_no_message(g, base);
    qprimegpu_new_bo(g, PRIMEGPU_PAGE_SIZE);
    g_assert_true(got_message(g, base, PRIMEGPU_VECTOR_CONTROL));
}

static void test_engine(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t base = setup_msix(g);
    uint64_t key, addr;

    qprimegpu_start(g);
    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_ENABLE, PRIMEGPU_IRQ_ENGINE_DONE);
    key = qprimegpu_new_bo_pages(g, PRIMEGPU_PAGE_SIZE, &addr);
    check_no_message(g, base);
    qprimegpu_run(g, qprimegpu_op_fill(key, 0, PRIMEGPU_PAGE_SIZE, 1));
    g_assert_true(got_message(g, base, PRIMEGPU_VECTOR_ENGINE));
    check_no_message(g, base);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_IRQ_STATUS) &
                    PRIMEGPU_IRQ_ENGINE_DONE, ==, PRIMEGPU_IRQ_ENGINE_DONE);
    /* A job that fails is done as well. */
    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_STATUS, PRIMEGPU_IRQ_ENGINE_DONE);
    qprimegpu_run(g, qprimegpu_op_fill(0, 0, PRIMEGPU_PAGE_SIZE, 1));
    g_assert_true(got_message(g, base, PRIMEGPU_VECTOR_ENGINE));
}

static void test_fault(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t base = setup_msix(g);

    qprimegpu_setup_rings(g);
    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_ENABLE, PRIMEGPU_IRQ_FAULT);
    qprimegpu_writeq(g, PRIMEGPU_REG_CTRL_BASE_LO, HOLE);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_ENABLE);
    qprimegpu_writel(g, PRIMEGPU_REG_CTRL_TAIL, 1);
    g_assert_true(got_message(g, base, PRIMEGPU_VECTOR_CONTROL));
    check_no_message(g, base);
}

/*
 * A handler clears the device's bit, then those of the outputs: one message for
 * each bit of an output that comes after that, and none is lost before it.
 */
static void test_display(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t base = setup_msix(g);
    uint64_t frame;

    qprimegpu_start(g);
    frame = qprimegpu_set_mode(g, 0, 64, 32);
    qprimegpu_set_mode(g, 1, 64, 32);
    qprimegpu_output_writel(g, 0, PRIMEGPU_OUTPUT_REG_IRQ_ENABLE,
                            PRIMEGPU_OUTPUT_IRQ_VBLANK);
    qprimegpu_output_writel(g, 1, PRIMEGPU_OUTPUT_REG_IRQ_ENABLE,
                            PRIMEGPU_OUTPUT_IRQ_FLIP);
    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_ENABLE, PRIMEGPU_IRQ_DISPLAY);
    qtest_clock_step(g->qts, frame - 1);
    check_no_message(g, base);
    qtest_clock_step(g->qts, 1);
    g_assert_true(got_message(g, base, PRIMEGPU_VECTOR_DISPLAY));
    check_no_message(g, base);
    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_STATUS, PRIMEGPU_IRQ_DISPLAY);
    /* It comes before the handler has looked at the outputs. */
    qprimegpu_commit(g, 1, NULL, 0, PRIMEGPU_COMMIT_ASYNC);
    g_assert_true(got_message(g, base, PRIMEGPU_VECTOR_DISPLAY));
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==,
                    PRIMEGPU_OUTPUT_IRQ_VBLANK);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 1), ==,
                    PRIMEGPU_OUTPUT_IRQ_FLIP | PRIMEGPU_OUTPUT_IRQ_VBLANK);
    /* The device's bit is still set: the handler runs once more. */
    qtest_clock_step(g->qts, frame);
    check_no_message(g, base);
    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_STATUS, PRIMEGPU_IRQ_DISPLAY);
    qprimegpu_output_take_irqs(g, 0);
    qtest_clock_step(g->qts, frame);
    g_assert_true(got_message(g, base, PRIMEGPU_VECTOR_DISPLAY));
}

/* A bit that is not enabled stays silent, and speaks when it is enabled. */
static void test_enable(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t base = setup_msix(g);

    qprimegpu_start(g);
    qprimegpu_new_bo(g, PRIMEGPU_PAGE_SIZE);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_IRQ_STATUS), ==,
                    PRIMEGPU_IRQ_CTRL_DONE);
    check_no_message(g, base);
    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_ENABLE, PRIMEGPU_IRQ_ENGINE_DONE);
    check_no_message(g, base);
    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_ENABLE, PRIMEGPU_IRQ_CTRL_DONE);
    g_assert_true(got_message(g, base, PRIMEGPU_VECTOR_CONTROL));
    /* Writing zeroes clears nothing. */
    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_STATUS, ~PRIMEGPU_IRQ_CTRL_DONE);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_IRQ_STATUS), ==,
                    PRIMEGPU_IRQ_CTRL_DONE);
}

static void register_tests(void)
{
    qprimegpu_add_test("irq/control", test_control);
    qprimegpu_add_test("irq/engine", test_engine);
    qprimegpu_add_test("irq/fault", test_fault);
    qprimegpu_add_test("irq/display", test_display);
    qprimegpu_add_test("irq/enable", test_enable);
}

libqos_init(register_tests);
