/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu races: jobs of two GPUs on the same bytes.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "primegpu-pair.h"

#define PAGE        PRIMEGPU_PAGE_SIZE
#define SIZE        (4 * PAGE)

/* Rectangles: rows of it are this far apart */
#define STRIDE      64
#define ROWS        16

/* Rows of a rectangle that costs more comparisons than a doorbell has */
#define MANY_ROWS   70000

typedef struct Shared {
    PrimeGPUPair p;
    uint64_t exporter;          /* of the integrated GPU */
    uint64_t importer;          /* of the discrete one */
    uint64_t addr;
} Shared;

/* One buffer of both GPUs; jobs of the integrated one stay in its queue. */
static void start(Shared *s, uint64_t size)
{
    primegpu_pair_start(&s->p);
    s->exporter = qprimegpu_new_bo_pages(&s->p.integrated, size, &s->addr);
    s->importer = qprimegpu_new_import(&s->p.discrete, size, s->exporter);
    qprimegpu_assert_status(
        qprimegpu_attach(&s->p.discrete, s->importer, s->addr, size),
        PRIMEGPU_ST_OK);
    qprimegpu_set_gate(s->p.qts, "integrated0", true);
}

static void quit(Shared *s)
{
    primegpu_pair_quit(&s->p);
}

static uint64_t submit(QPrimeGPU *g, struct primegpu_job_op op)
{
    return qprimegpu_submit(g, &op, 1);
}

static uint64_t races(Shared *s)
{
    g_assert_cmpuint(qprimegpu_violations(s->p.qts), ==,
                     qprimegpu_violations_of(s->p.qts, "race"));
    return qprimegpu_violations(s->p.qts);
}

static void test_write_write(void)
{
    Shared s;
    g_autofree char *text = NULL;

    start(&s, SIZE);
    submit(&s.p.integrated, qprimegpu_op_fill(s.exporter, 0, PAGE, 1));
    submit(&s.p.integrated, qprimegpu_op_fill(s.exporter, PAGE, PAGE, 1));
    submit(&s.p.discrete, qprimegpu_op_fill(s.importer, 2 * PAGE - 1, 1, 2));
    qprimegpu_assert_violation(s.p.qts, "race", s.importer, s.exporter);
    g_assert_cmpuint(races(&s), ==, 1);
    g_assert_cmpuint(qprimegpu_violation_number(s.p.qts, "seqno"), ==, 1);
    g_assert_cmpuint(qprimegpu_violation_number(s.p.qts, "other-seqno"), ==,
                     2);
    g_assert_cmpuint(qprimegpu_violation_number(s.p.qts, "offset"), ==,
                     2 * PAGE - 1);
    text = qtest_hmp(s.p.qts, "info primegpu");
    g_assert_nonnull(strstr(text, "job 1 and integrated0's 2"));
    /* The byte behind is nobody's. */
    submit(&s.p.discrete, qprimegpu_op_fill(s.importer, 2 * PAGE, PAGE, 2));
    g_assert_cmpuint(races(&s), ==, 1);
    quit(&s);
}

/* A job that waited for the other's number is none; nor are two readers. */
static void test_ordered(void)
{
    Shared s;
    uint64_t entry, copy[2], addr;
    QPrimeGPU *gpus[2];
    unsigned int i;

    start(&s, SIZE);
    gpus[0] = &s.p.integrated;
    gpus[1] = &s.p.discrete;
    qprimegpu_set_gate(s.p.qts, "integrated0", false);
    entry = submit(gpus[0], qprimegpu_op_fill(s.exporter, 0, SIZE, 1));
    qprimegpu_assert_status(qprimegpu_wait(gpus[0], entry), PRIMEGPU_ST_OK);
    qprimegpu_set_gate(s.p.qts, "integrated0", true);
    qprimegpu_set_gate(s.p.qts, "discrete0", true);
    for (i = 0; i < ARRAY_SIZE(gpus); i++) {
        copy[i] = qprimegpu_new_bo_pages(gpus[i], SIZE, &addr);
        submit(gpus[i], qprimegpu_op_copy(copy[i], 0, i ? s.importer
                                                        : s.exporter, 0,
                                          SIZE));
    }
    g_assert_cmpuint(races(&s), ==, 0);
    /* The same ring keeps the order by itself. */
    submit(gpus[1], qprimegpu_op_fill(copy[1], 0, SIZE, 3));
    g_assert_cmpuint(races(&s), ==, 0);
    submit(gpus[1], qprimegpu_op_fill(s.importer, 0, SIZE, 3));
    g_assert_cmpuint(races(&s), ==, 1);
    quit(&s);
}

/* A reader that did not wait for the writer, in either direction */
static void test_read(void)
{
    Shared s;
    uint64_t copy, addr;

    start(&s, SIZE);
    copy = qprimegpu_new_bo_pages(&s.p.discrete, SIZE, &addr);
    submit(&s.p.integrated, qprimegpu_op_fill(s.exporter, 0, SIZE, 1));
    submit(&s.p.discrete, qprimegpu_op_copy(copy, 0, s.importer, 0, SIZE));
    qprimegpu_assert_violation(s.p.qts, "race", s.importer, s.exporter);
    g_assert_cmpuint(races(&s), ==, 1);
    quit(&s);

    start(&s, SIZE);
    qprimegpu_set_gate(s.p.qts, "discrete0", true);
    copy = qprimegpu_new_bo_pages(&s.p.discrete, SIZE, &addr);
    submit(&s.p.discrete, qprimegpu_op_copy(copy, 0, s.importer, 0, SIZE));
    submit(&s.p.integrated, qprimegpu_op_fill(s.exporter, 0, SIZE, 1));
    qprimegpu_assert_violation(s.p.qts, "race", s.exporter, s.importer);
    g_assert_cmpuint(races(&s), ==, 1);
    quit(&s);
}

/* A job that was queued before the BO was shared is seen as well. */
static void test_shared_late(void)
{
    Shared s;
    uint64_t key, import, addr;

    start(&s, SIZE);
    key = qprimegpu_new_bo_pages(&s.p.integrated, SIZE, &addr);
    submit(&s.p.integrated, qprimegpu_op_fill(key, 0, SIZE, 1));
    import = qprimegpu_new_import(&s.p.discrete, SIZE, key);
    qprimegpu_attach(&s.p.discrete, import, addr, SIZE);
    submit(&s.p.discrete, qprimegpu_op_fill(import, 0, SIZE, 2));
    qprimegpu_assert_violation(s.p.qts, "race", import, key);
    quit(&s);
}

static struct primegpu_job_op rect(uint64_t key, uint64_t offset,
                                   uint32_t width, uint32_t height,
                                   uint32_t stride)
{
    struct primegpu_job_op op = qprimegpu_op_fill(key, offset, width, 7);

    op.dst_stride = cpu_to_le32(stride);
    op.height = cpu_to_le32(height);
    return op;
}

/* Exact: neighbours in one BO, row by row, never meet. */
static void test_rectangles(void)
{
    Shared s;

    start(&s, SIZE);
    submit(&s.p.integrated, rect(s.exporter, 16, 16, ROWS, STRIDE));
    /* To its left, to its right, above, below; the last byte of all rows */
    submit(&s.p.discrete, rect(s.importer, 0, 16, ROWS, STRIDE));
    submit(&s.p.discrete, rect(s.importer, 32, 32, ROWS, STRIDE));
    submit(&s.p.discrete, rect(s.importer, 0, 16, 1, STRIDE));
    submit(&s.p.discrete, rect(s.importer, 16 + ROWS * STRIDE, 16, ROWS,
                               STRIDE));
    submit(&s.p.discrete, rect(s.importer, STRIDE - 1, 1, ROWS, STRIDE));
    /* Another stride: bytes 96 to 111 and 672 to 687 lie between rows. */
    submit(&s.p.discrete, rect(s.importer, 96, 16, 2, 576));
    g_assert_cmpuint(races(&s), ==, 0);

    /* The last byte of the last row alone */
    submit(&s.p.discrete,
           rect(s.importer, 16 + (ROWS - 1) * STRIDE + 15, 1, 1, 0));
    g_assert_cmpuint(races(&s), ==, 1);
    g_assert_cmpuint(qprimegpu_violation_number(s.p.qts, "offset"), ==,
                     16 + (ROWS - 1) * STRIDE + 15);
    /* The second row of another stride; in a new step it has its own entry. */
    qprimegpu_writel(&s.p.discrete, PRIMEGPU_REG_MARKER, 1);
    submit(&s.p.discrete, rect(s.importer, 96, 16, 2, 560));
    g_assert_cmpuint(races(&s), ==, 2);
    g_assert_cmpuint(qprimegpu_violation_number(s.p.qts, "offset"), ==, 656);
    quit(&s);
}

/* Where the pages are decides, not the offset in the BO. */
static void test_pages(void)
{
    PrimeGPUPair p;
    struct primegpu_sg sg[2];
    uint64_t exporter, importer, addr;

    primegpu_pair_start(&p);
    exporter = qprimegpu_new_bo_pages(&p.integrated, 2 * PAGE, &addr);
    importer = qprimegpu_new_import(&p.discrete, 2 * PAGE, exporter);
    sg[0].addr = cpu_to_le64(addr + PAGE);
    sg[1].addr = cpu_to_le64(addr);
    sg[0].length = sg[1].length = cpu_to_le64(PAGE);
    qprimegpu_attach_sg(&p.discrete, importer, 0, sg, 2);
    qprimegpu_set_gate(p.qts, "integrated0", true);
    submit(&p.integrated, qprimegpu_op_fill(exporter, 0, PAGE, 1));
    submit(&p.discrete, qprimegpu_op_fill(importer, 0, PAGE, 1));
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 0);
    submit(&p.discrete, qprimegpu_op_fill(importer, PAGE, PAGE, 1));
    qprimegpu_assert_violation(p.qts, "race", importer, exporter);
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 1);
    primegpu_pair_quit(&p);
}

/* In VRAM, through the peer's BAR */
static void test_peer(void)
{
    PrimeGPUPair p;
    uint64_t exporter, importer;

    primegpu_pair_start(&p);
    exporter = qprimegpu_new_bo(&p.discrete, SIZE);
    qprimegpu_place(&p.discrete, exporter, PRIMEGPU_LOCATION_VRAM, SIZE);
    importer = qprimegpu_new_import(&p.integrated, SIZE, exporter);
    qprimegpu_attach(&p.integrated, importer, p.discrete.vram.addr + SIZE,
                     SIZE);
    qprimegpu_set_gate(p.qts, "discrete0", true);
    submit(&p.discrete, qprimegpu_op_fill(exporter, 0, PAGE, 1));
    submit(&p.integrated, qprimegpu_op_fill(importer, PAGE, PAGE, 1));
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 0);
    submit(&p.integrated, qprimegpu_op_fill(importer, 0, PAGE, 1));
    qprimegpu_assert_violation(p.qts, "race", importer, exporter);
    primegpu_pair_quit(&p);
}

/* Two imports of a buffer that is no primegpu's */
static void test_foreign(void)
{
    PrimeGPUPair p;
    uint64_t first, second, addr;

    primegpu_pair_start(&p);
    addr = qprimegpu_alloc_pages(&p.integrated, SIZE / PAGE);
    first = qprimegpu_new_import(&p.integrated, SIZE, 0);
    qprimegpu_attach(&p.integrated, first, addr, SIZE);
    second = qprimegpu_new_import(&p.discrete, SIZE, 0);
    qprimegpu_attach(&p.discrete, second, addr, SIZE);
    qprimegpu_set_gate(p.qts, "integrated0", true);
    submit(&p.integrated, qprimegpu_op_fill(first, 0, SIZE, 1));
    submit(&p.discrete, qprimegpu_op_fill(second, 0, SIZE, 1));
    qprimegpu_assert_violation(p.qts, "race", second, first);
    primegpu_pair_quit(&p);
}

/* User space orders one of the two: told, but no violation */
static void test_explicit(void)
{
    Shared s;
    struct primegpu_job_op op;
    g_autofree char *history = NULL;
    uint64_t since;

    start(&s, SIZE);
    submit(&s.p.integrated, qprimegpu_op_fill(s.exporter, 0, SIZE, 1));
    since = qprimegpu_history_next(s.p.qts);
    op = qprimegpu_op_fill(s.importer, 0, SIZE, 1);
    qprimegpu_submit_flags(&s.p.discrete, &op, 1, PRIMEGPU_CLIENT_KERNEL,
                           PRIMEGPU_JOB_EXPLICIT_SYNC);
    g_assert_cmpuint(races(&s), ==, 0);
    g_assert_cmpuint(qprimegpu_violations_number(s.p.qts, "client-races"), ==,
                     1);
    history = qprimegpu_history(s.p.qts, since);
    g_assert_cmpstr(history, ==, "submit client-race");
    quit(&s);
}

/* What is too much to compare is said, and comes to an end. */
static void test_budget(void)
{
    Shared s;
    uint64_t size = QEMU_ALIGN_UP(MANY_ROWS * 2, PAGE);

    start(&s, size);
    submit(&s.p.integrated, rect(s.exporter, 0, 1, MANY_ROWS, 2));
    submit(&s.p.discrete, rect(s.importer, 1, 1, MANY_ROWS, 2));
    g_assert_cmpuint(races(&s), ==, 0);
    g_assert_cmpuint(qprimegpu_violations_number(s.p.qts, "races-unchecked"),
                     ==, 1);
    /* The next doorbell has a budget of its own. */
    submit(&s.p.discrete, rect(s.importer, 0, 1, 1, 0));
    g_assert_cmpuint(races(&s), ==, 1);
    g_assert_cmpuint(qprimegpu_violations_number(s.p.qts, "races-unchecked"),
                     ==, 1);
    quit(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("primegpu/race/write-write", test_write_write);
    qtest_add_func("primegpu/race/ordered", test_ordered);
    qtest_add_func("primegpu/race/read", test_read);
    qtest_add_func("primegpu/race/shared-late", test_shared_late);
    qtest_add_func("primegpu/race/rectangles", test_rectangles);
    qtest_add_func("primegpu/race/pages", test_pages);
    qtest_add_func("primegpu/race/peer", test_peer);
    qtest_add_func("primegpu/race/foreign", test_foreign);
    qtest_add_func("primegpu/race/explicit", test_explicit);
    qtest_add_func("primegpu/race/budget", test_budget);
    return g_test_run();
}
