/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu behind intel-iommu: each GPU has bus addresses of its own.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "libqtest.h"
#include "hw/i386/intel_iommu_internal.h"
#include "primegpu-pair.h"

#define PAGE        PRIMEGPU_PAGE_SIZE
#define SIZE        (4 * PAGE)
#define PAGES       (SIZE / PAGE)

/* Legacy mode, three levels: 39 bits */
#define LEVEL_BITS  9
#define CONTEXT_AW_39BIT    1
#define LEAF        (VTD_SL_R | VTD_SL_W)

/* All guest memory has its own address; the windows are in the second GiB. */
#define BIG_PAGE    (2 * MiB)
#define BIG_PAGES   64
#define WINDOW      (1 * GiB)
/* Where one page lies in the window of each GPU */
#define INTEGRATED_IOVA (WINDOW + 16 * PAGE)
#define DISCRETE_IOVA   (WINDOW + 32 * PAGE)

typedef struct Iommu {
    PrimeGPUPair p;
    uint64_t integrated;        /* tables of the window */
    uint64_t discrete;
} Iommu;

static uint64_t new_table(Iommu *m)
{
    uint64_t addr = guest_alloc(&m->p.alloc, PAGE);

    qtest_memset(m->p.qts, addr, 0, PAGE);
    return addr;
}

static void set_entry(Iommu *m, uint64_t table, uint64_t index, uint64_t value)
{
    qtest_writeq(m->p.qts, table + index * sizeof(uint64_t), value);
}

/* Returns the table of the first 2 MiB of the device's window. */
static uint64_t add_device(Iommu *m, uint64_t context, QPrimeGPU *g,
                           unsigned int domain)
{
    uint64_t top = new_table(m);
    uint64_t identity = new_table(m);
    uint64_t middle = new_table(m);
    uint64_t window = new_table(m);
    unsigned int i;

    for (i = 0; i < BIG_PAGES; i++) {
        set_entry(m, identity, i, i * BIG_PAGE | VTD_PT_PAGE_SIZE_MASK | LEAF);
    }
    set_entry(m, top, 0, identity | LEAF);
    set_entry(m, top, 1, middle | LEAF);
    set_entry(m, middle, 0, window | LEAF);
    set_entry(m, context, g->dev.devfn * 2, top | VTD_CONTEXT_ENTRY_P);
    set_entry(m, context, g->dev.devfn * 2 + 1,
              domain << 8 | CONTEXT_AW_39BIT);
    return window;
}

static void write_register(Iommu *m, uint32_t reg, uint64_t value)
{
    qtest_writeq(m->p.qts, Q35_HOST_BRIDGE_IOMMU_ADDR + reg, value);
}

static void command(Iommu *m, uint32_t bit)
{
    qtest_writel(m->p.qts, Q35_HOST_BRIDGE_IOMMU_ADDR + DMAR_GCMD_REG, bit);
    g_assert_cmphex(qtest_readl(m->p.qts, Q35_HOST_BRIDGE_IOMMU_ADDR +
                                DMAR_GSTS_REG) & bit, ==, bit);
}

static void flush(Iommu *m)
{
    write_register(m, DMAR_IOTLB_REG, VTD_TLB_IVT | VTD_TLB_GLOBAL_FLUSH);
}

static void start(Iommu *m)
{
    uint64_t root, context;

    primegpu_pair_boot(&m->p, "-device intel-iommu");
    root = new_table(m);
    context = new_table(m);
    set_entry(m, root, 0, context | VTD_ROOT_ENTRY_P);
    m->integrated = add_device(m, context, &m->p.integrated, 1);
    m->discrete = add_device(m, context, &m->p.discrete, 2);
    write_register(m, DMAR_RTADDR_REG, root);
    command(m, VTD_GCMD_SRTP);
    command(m, VTD_GCMD_TE);
    qprimegpu_map(&m->p.integrated);
    qprimegpu_map(&m->p.discrete);
    qprimegpu_start(&m->p.integrated);
    qprimegpu_start(&m->p.discrete);
}

/* The page at @iova of a window, and those behind it, are those at @addr. */
static void map(Iommu *m, uint64_t window, uint64_t iova, uint64_t addr,
                unsigned int pages)
{
    unsigned int i;

    for (i = 0; i < pages; i++) {
        set_entry(m, window, (iova - WINDOW) / PAGE + i,
                  (addr + i * PAGE) | LEAF);
    }
    flush(m);
}

static uint64_t submit_fill(QPrimeGPU *g, uint64_t key, uint8_t value)
{
    struct primegpu_job_op op = qprimegpu_op_fill(key, 0, SIZE, value);

    return qprimegpu_submit(g, &op, 1);
}

/* Two addresses, one page */
static void test_same_page(void)
{
    Iommu m;
    QTestState *qts;
    uint64_t exporter, importer, stranger, addr;

    start(&m);
    qts = m.p.qts;
    addr = qprimegpu_alloc_pages(&m.p.integrated, PAGES);
    map(&m, m.integrated, INTEGRATED_IOVA, addr, PAGES);
    map(&m, m.discrete, DISCRETE_IOVA, addr, PAGES);
    exporter = qprimegpu_new_bo(&m.p.integrated, SIZE);
    qprimegpu_assert_status(qprimegpu_attach(&m.p.integrated, exporter,
                                             INTEGRATED_IOVA, SIZE),
                            PRIMEGPU_ST_OK);
    importer = qprimegpu_new_import(&m.p.discrete, SIZE, exporter);
    qprimegpu_assert_status(qprimegpu_attach(&m.p.discrete, importer,
                                             DISCRETE_IOVA, SIZE),
                            PRIMEGPU_ST_OK);
    g_assert_cmpint(qprimegpu_shared(qts, exporter, importer), ==, SIZE);
    qprimegpu_assert_status(
        qprimegpu_run(&m.p.discrete, qprimegpu_op_fill(importer, 0, SIZE, 7)),
        PRIMEGPU_ST_OK);
    g_assert_true(qprimegpu_is_filled(&m.p.integrated, addr, 7, SIZE));
    g_assert_cmpuint(qprimegpu_violations(qts), ==, 0);

    qprimegpu_set_gate(qts, "integrated0", true);
    submit_fill(&m.p.integrated, exporter, 1);
    submit_fill(&m.p.discrete, importer, 2);
    qprimegpu_assert_violation(qts, "race", importer, exporter);

    stranger = qprimegpu_new_bo(&m.p.discrete, SIZE);
    qprimegpu_attach(&m.p.discrete, stranger, DISCRETE_IOVA, SIZE);
    qprimegpu_assert_violation(qts, "overlap", stranger, exporter);
    primegpu_pair_quit(&m.p);
}

/* One address, two pages */
static void test_same_address(void)
{
    Iommu m;
    uint64_t first, second, addr;

    start(&m);
    addr = qprimegpu_alloc_pages(&m.p.integrated, 2 * PAGES);
    map(&m, m.integrated, INTEGRATED_IOVA, addr, PAGES);
    map(&m, m.discrete, INTEGRATED_IOVA, addr + SIZE, PAGES);
    first = qprimegpu_new_bo(&m.p.integrated, SIZE);
    second = qprimegpu_new_bo(&m.p.discrete, SIZE);
    qprimegpu_attach(&m.p.integrated, first, INTEGRATED_IOVA, SIZE);
    qprimegpu_attach(&m.p.discrete, second, INTEGRATED_IOVA, SIZE);
    qprimegpu_run(&m.p.integrated, qprimegpu_op_fill(first, 0, SIZE, 1));
    qprimegpu_run(&m.p.discrete, qprimegpu_op_fill(second, 0, SIZE, 2));
    g_assert_true(qprimegpu_is_filled(&m.p.integrated, addr, 1, SIZE));
    g_assert_true(qprimegpu_is_filled(&m.p.integrated, addr + SIZE, 2, SIZE));
    g_assert_cmpuint(qprimegpu_violations(m.p.qts), ==, 0);
    primegpu_pair_quit(&m.p);
}

/* The IOMMU gives an address another page: the next job sees that. */
static void test_moved(void)
{
    Iommu m;
    QTestState *qts;
    uint64_t exporter, importer, stranger, addr, entry;

    start(&m);
    qts = m.p.qts;
    addr = qprimegpu_alloc_pages(&m.p.integrated, 2 * PAGES);
    qprimegpu_memset(&m.p.integrated, addr, 0, 2 * SIZE);
    map(&m, m.integrated, INTEGRATED_IOVA, addr, PAGES);
    map(&m, m.discrete, DISCRETE_IOVA, addr, PAGES);
    exporter = qprimegpu_new_bo(&m.p.integrated, SIZE);
    qprimegpu_attach(&m.p.integrated, exporter, INTEGRATED_IOVA, SIZE);
    importer = qprimegpu_new_import(&m.p.discrete, SIZE, exporter);
    qprimegpu_attach(&m.p.discrete, importer, DISCRETE_IOVA, SIZE);

    map(&m, m.discrete, DISCRETE_IOVA, addr + SIZE, PAGES);
    qprimegpu_set_gate(qts, "integrated0", true);
    submit_fill(&m.p.integrated, exporter, 1);
    entry = submit_fill(&m.p.discrete, importer, 2);
    g_assert_cmpuint(qprimegpu_violations(qts), ==, 0);
    g_assert_cmpint(qprimegpu_shared(qts, exporter, importer), ==, 0);
    qprimegpu_assert_status(qprimegpu_wait(&m.p.discrete, entry),
                            PRIMEGPU_ST_OK);
    g_assert_true(qprimegpu_is_filled(&m.p.integrated, addr, 0, SIZE));
    g_assert_true(qprimegpu_is_filled(&m.p.integrated, addr + SIZE, 2, SIZE));

    /* Its new pages are a stranger's. */
    stranger = qprimegpu_new_bo(&m.p.integrated, SIZE);
    qprimegpu_attach(&m.p.integrated, stranger, addr + SIZE, SIZE);
    qprimegpu_assert_violation(qts, "overlap", stranger, importer);

    map(&m, m.discrete, DISCRETE_IOVA, addr, PAGES);
    submit_fill(&m.p.discrete, importer, 3);
    qprimegpu_assert_violation(qts, "race", importer, exporter);
    g_assert_cmpint(qprimegpu_shared(qts, exporter, importer), ==, SIZE);
    primegpu_pair_quit(&m.p);
}

/* What the IOMMU does not map cannot be reached, when it is used. */
static void test_unmapped(void)
{
    Iommu m;
    uint64_t key, addr;

    start(&m);
    addr = qprimegpu_alloc_pages(&m.p.discrete, PAGES);
    key = qprimegpu_new_bo(&m.p.discrete, SIZE);
    qprimegpu_assert_status(
        qprimegpu_attach(&m.p.discrete, key, DISCRETE_IOVA, SIZE),
        PRIMEGPU_ST_DMA);
    map(&m, m.discrete, DISCRETE_IOVA, addr, PAGES);
    qprimegpu_assert_status(
        qprimegpu_attach(&m.p.discrete, key, DISCRETE_IOVA, SIZE),
        PRIMEGPU_ST_OK);
    set_entry(&m, m.discrete, (DISCRETE_IOVA - WINDOW) / PAGE + PAGES - 1, 0);
    flush(&m);
    qprimegpu_memset(&m.p.discrete, addr, 0, SIZE);
    qprimegpu_assert_status(
        qprimegpu_run(&m.p.discrete, qprimegpu_op_fill(key, 0, SIZE, 5)),
        PRIMEGPU_ST_DMA);
    g_assert_true(qprimegpu_is_filled(&m.p.discrete, addr + SIZE - PAGE, 0,
                                      PAGE));
    primegpu_pair_quit(&m.p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("primegpu/iommu/same-page", test_same_page);
    qtest_add_func("primegpu/iommu/same-address", test_same_address);
    qtest_add_func("primegpu/iommu/moved", test_moved);
    qtest_add_func("primegpu/iommu/unmapped", test_unmapped);
    return g_test_run();
}
