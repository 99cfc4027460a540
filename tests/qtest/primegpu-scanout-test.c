/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu scanout between two GPUs: races at the latch, imports that are
 * shown in place, and an exporter that goes.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci_regs.h"
#include "libqtest.h"
#include "primegpu-pair.h"

#define WIDTH   64
#define HEIGHT  32
#define STRIDE  (WIDTH * 4)
#define SIZE    (WIDTH * HEIGHT * 4)

typedef struct Shared {
    PrimeGPUPair p;
    QPrimeGPU *shows;           /* the discrete GPU */
    QPrimeGPU *draws;
    uint64_t exporter;          /* of the one that draws */
    uint64_t importer;
    uint64_t addr;
    uint64_t frame;
} Shared;

/* One draws in pages, the other one shows them; both engines stand still. */
static void start(Shared *s)
{
    primegpu_pair_start(&s->p);
    s->shows = &s->p.discrete;
    s->draws = &s->p.integrated;
    s->exporter = qprimegpu_new_fb(s->draws, WIDTH, HEIGHT, &s->addr);
    s->importer = qprimegpu_new_import(s->shows, SIZE, s->exporter);
    qprimegpu_assert_status(
        qprimegpu_attach(s->shows, s->importer, s->addr, SIZE),
        PRIMEGPU_ST_OK);
    s->frame = qprimegpu_set_mode(s->shows, 0, WIDTH, HEIGHT);
    qprimegpu_set_gate(s->p.qts, "integrated0", true);
    qprimegpu_set_gate(s->p.qts, "discrete0", true);
}

static void quit(Shared *s)
{
    primegpu_pair_quit(&s->p);
}

static uint64_t fill(QPrimeGPU *g, uint64_t key, uint64_t offset,
                     uint64_t size)
{
    struct primegpu_job_op op = qprimegpu_op_fill(key, offset, size, 0x77);

    return qprimegpu_submit(g, &op, 1);
}

static void flip(Shared *s)
{
    qprimegpu_assert_status(qprimegpu_flip(s->shows, 0, s->importer, WIDTH,
                                           HEIGHT), PRIMEGPU_ST_OK);
}

/* Flip, and let the vertical blank come. */
static void latch(Shared *s)
{
    flip(s);
    qtest_clock_step(s->p.qts, s->frame);
    g_assert_cmpuint(qprimegpu_flip_seq(s->shows, 0), ==,
                     s->shows->ctrl.seqno);
}

static uint64_t races(Shared *s)
{
    g_assert_cmpuint(qprimegpu_violations(s->p.qts), ==,
                     qprimegpu_violations_of(s->p.qts, "scanout-race"));
    return qprimegpu_violations(s->p.qts);
}

/* The job of the other GPU was there first, and is not done at the latch. */
static void test_race(void)
{
    Shared s;

    start(&s);
    fill(s.draws, s.exporter, SIZE - 1, 1);
    flip(&s);
    /* Nothing has been shown yet. */
    qtest_clock_step(s.p.qts, s.frame - 1);
    g_assert_cmpuint(races(&s), ==, 0);
    qtest_clock_step(s.p.qts, 1);
    qprimegpu_assert_violation(s.p.qts, "scanout-race", s.importer,
                               s.exporter);
    g_assert_cmpuint(races(&s), ==, 1);
    g_assert_cmpuint(qprimegpu_violation_number(s.p.qts, "seqno"), ==,
                     s.shows->ctrl.seqno);
    g_assert_cmpuint(qprimegpu_violation_number(s.p.qts, "other-seqno"), ==,
                     s.draws->engine.seqno);
    g_assert_cmpuint(qprimegpu_violation_number(s.p.qts, "offset"), ==,
                     SIZE - 1);
    /* It is still shown, and that is told once. */
    qtest_clock_step(s.p.qts, 3 * s.frame);
    g_assert_cmpuint(races(&s), ==, 1);
    quit(&s);
}

/* A GPU's own ring does not order what it shows. */
static void test_own_job(void)
{
    Shared s;

    start(&s);
    fill(s.shows, s.importer, 0, 1);
    latch(&s);
    qprimegpu_assert_violation(s.p.qts, "scanout-race", s.importer,
                               s.importer);
    g_assert_cmpuint(races(&s), ==, 1);
    quit(&s);
}

/* What is done by the latch, comes after the commit, or is not shown */
static void test_no_race(void)
{
    Shared s;
    struct primegpu_plane plane;
    struct primegpu_job_op copy;
    uint64_t entry, other, addr;

    start(&s);
    other = qprimegpu_new_bo_pages(s.draws, SIZE, &addr);
    entry = fill(s.draws, s.exporter, 0, SIZE);
    flip(&s);
    qprimegpu_set_gate(s.p.qts, "integrated0", false);
    qprimegpu_assert_status(qprimegpu_wait(s.draws, entry), PRIMEGPU_ST_OK);
    g_assert_cmphex(qprimegpu_output_status(s.shows, 0) &
                    PRIMEGPU_OUTPUT_PENDING, ==, PRIMEGPU_OUTPUT_PENDING);
    qprimegpu_set_gate(s.p.qts, "integrated0", true);
    qtest_clock_step(s.p.qts, s.frame);
    g_assert_cmpuint(races(&s), ==, 0);
    /* A client that draws where it shows is its own business. */
    fill(s.draws, other, 0, SIZE);
    flip(&s);
    fill(s.draws, s.exporter, 0, SIZE);
    qtest_clock_step(s.p.qts, s.frame);
    g_assert_cmpuint(races(&s), ==, 0);
    qprimegpu_set_gate(s.p.qts, "integrated0", false);
    qtest_clock_step(s.p.qts, s.frame);
    qprimegpu_set_gate(s.p.qts, "integrated0", true);
    /* A reader, and a writer of something else */
    copy = qprimegpu_op_copy(other, 0, s.exporter, 0, SIZE);
    qprimegpu_submit(s.draws, &copy, 1);
    latch(&s);
    g_assert_cmpuint(races(&s), ==, 0);
    /* Beside what is read: the right half, then a row below */
    fill(s.draws, s.exporter, STRIDE / 2, STRIDE / 2);
    fill(s.draws, s.exporter, HEIGHT / 2 * STRIDE, STRIDE);
    plane = qprimegpu_plane(0, s.importer, WIDTH, HEIGHT);
    plane.src_w = cpu_to_le32(WIDTH / 2 << 16);
    plane.src_h = cpu_to_le32(HEIGHT / 2 << 16);
    qprimegpu_commit(s.shows, 0, &plane, 1, 0);
    qtest_clock_step(s.p.qts, s.frame);
    g_assert_cmpuint(races(&s), ==, 0);
    /* A part of one more pixel, and of one more row */
    plane.src_w = cpu_to_le32((WIDTH / 2 << 16) + 1);
    qprimegpu_commit(s.shows, 0, &plane, 1, 0);
    qtest_clock_step(s.p.qts, s.frame);
    g_assert_cmpuint(races(&s), ==, 1);
    plane.src_w = cpu_to_le32(WIDTH / 2 << 16);
    plane.src_h = cpu_to_le32((HEIGHT / 2 << 16) + 1);
    qprimegpu_commit(s.shows, 0, &plane, 1, 0);
    qtest_clock_step(s.p.qts, s.frame);
    g_assert_cmpuint(races(&s), ==, 2);
    quit(&s);
}

/* What user space orders is counted, and is no violation. */
static void test_explicit(void)
{
    Shared s;
    struct primegpu_plane plane;
    struct primegpu_job_op op;

    start(&s);
    fill(s.draws, s.exporter, 0, SIZE);
    plane = qprimegpu_plane(0, s.importer, WIDTH, HEIGHT);
    qprimegpu_commit(s.shows, 0, &plane, 1, PRIMEGPU_COMMIT_EXPLICIT_SYNC);
    qtest_clock_step(s.p.qts, s.frame);
    g_assert_cmpuint(races(&s), ==, 0);
    g_assert_cmpuint(qprimegpu_violations_number(s.p.qts, "client-races"), ==,
                     1);
    latch(&s);
    g_assert_cmpuint(races(&s), ==, 1);
    /* Let that job go, and have one that is flagged itself. */
    qprimegpu_set_gate(s.p.qts, "integrated0", false);
    qtest_clock_step(s.p.qts, s.frame);
    qprimegpu_set_gate(s.p.qts, "integrated0", true);
    op = qprimegpu_op_fill(s.exporter, 0, SIZE, 1);
    qprimegpu_submit_flags(s.draws, &op, 1, PRIMEGPU_CLIENT_KERNEL,
                           PRIMEGPU_JOB_EXPLICIT_SYNC);
    latch(&s);
    g_assert_cmpuint(races(&s), ==, 1);
    g_assert_cmpuint(qprimegpu_violations_number(s.p.qts, "client-races"), ==,
                     2);
    quit(&s);
}

/* A plane that another commit replaces before the latch was never shown. */
static void test_replaced(void)
{
    Shared s;
    uint64_t other, addr;

    start(&s);
    other = qprimegpu_new_fb(s.shows, WIDTH, HEIGHT, &addr);
    fill(s.draws, s.exporter, 0, SIZE);
    flip(&s);
    qprimegpu_flip(s.shows, 0, other, WIDTH, HEIGHT);
    qtest_clock_step(s.p.qts, s.frame);
    g_assert_cmpuint(races(&s), ==, 0);
    quit(&s);
}

static uint32_t take_crc(Shared *s)
{
    qtest_clock_step(s->p.qts, s->frame);
    qprimegpu_output_readl(s->shows, 0, PRIMEGPU_OUTPUT_REG_CRC_FRAME);
    return qprimegpu_output_readl(s->shows, 0, PRIMEGPU_OUTPUT_REG_CRC);
}

static uint64_t copied(Shared *s)
{
    QDict *info = qprimegpu_query(s->p.qts, 2);
    uint64_t bytes = qdict_get_int(qdict_get_qdict(info, "counters"),
                                   "bytes-copied");

    qobject_unref(info);
    return bytes;
}

/* Bytes of the exporter are seen at once, and none of them are copied. */
static void test_in_place(void)
{
    Shared s;
    uint32_t grey, white;

    start(&s);
    qprimegpu_memset(s.draws, s.addr, 0x80, SIZE);
    qprimegpu_output_writel(s.shows, 0, PRIMEGPU_OUTPUT_REG_CONTROL,
                            PRIMEGPU_OUTPUT_CONTROL_CRC);
    latch(&s);
    grey = take_crc(&s);
    g_assert_cmphex(take_crc(&s), ==, grey);
    qprimegpu_memset(s.draws, s.addr, 0xff, SIZE);
    white = take_crc(&s);
    g_assert_cmphex(white, !=, grey);
    qprimegpu_memset(s.draws, s.addr, 0x80, SIZE);
    g_assert_cmphex(take_crc(&s), ==, grey);
    g_assert_cmpuint(copied(&s), ==, 0);
    quit(&s);
}

/* The GPU that has the bytes goes: what is left of the frame is black. */
static void test_exporter_gone(void)
{
    Shared s;
    uint64_t peer, import;
    uint32_t black, grey;

    start(&s);
    s.shows = &s.p.integrated;
    s.draws = &s.p.discrete;
    peer = qprimegpu_new_bo(s.draws, SIZE);
    qprimegpu_place(s.draws, peer, PRIMEGPU_LOCATION_VRAM, 0);
    qprimegpu_memset(s.draws, s.draws->vram.addr, 0x80, SIZE);
    import = qprimegpu_new_import(s.shows, SIZE, peer);
    qprimegpu_assert_status(
        qprimegpu_attach(s.shows, import, s.draws->vram.addr, SIZE),
        PRIMEGPU_ST_OK);
    qprimegpu_set_mode(s.shows, 0, WIDTH, HEIGHT);
    qprimegpu_output_writel(s.shows, 0, PRIMEGPU_OUTPUT_REG_CONTROL,
                            PRIMEGPU_OUTPUT_CONTROL_CRC);
    black = take_crc(&s);
    s.importer = import;
    latch(&s);
    grey = take_crc(&s);
    g_assert_cmphex(grey, !=, black);
    /* Its BAR is not decoded any more. */
    qpci_config_writew(&s.draws->dev, PCI_COMMAND, 0);
    g_assert_cmphex(take_crc(&s), ==, black);
    g_assert_cmpuint(qprimegpu_output_counter(s.p.qts, 1, 0, "scan-faults"),
                     >, 0);
    qpci_device_enable(&s.draws->dev);
    g_assert_cmphex(take_crc(&s), ==, grey);
    quit(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("primegpu/scanout/race", test_race);
    qtest_add_func("primegpu/scanout/own-job", test_own_job);
    qtest_add_func("primegpu/scanout/no-race", test_no_race);
    qtest_add_func("primegpu/scanout/explicit", test_explicit);
    qtest_add_func("primegpu/scanout/replaced", test_replaced);
    qtest_add_func("primegpu/scanout/in-place", test_in_place);
    qtest_add_func("primegpu/scanout/exporter-gone", test_exporter_gone);
    return g_test_run();
}
