/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu engine: fill and copy, rectangles, overlap, placements, latency,
 * gate, and jobs that are wrong.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu.h"

#define PAGE        PRIMEGPU_PAGE_SIZE
#define SIZE        (4 * PAGE)

/* More than any job takes */
#define LONG_NS     (1000 * QPRIMEGPU_LATENCY_NS)

static void test_fill(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, addr;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, SIZE, &addr);
    qprimegpu_memset(g, addr, 0x11, SIZE);
    qprimegpu_assert_status(
        qprimegpu_run(g, qprimegpu_op_fill(key, 1, SIZE - 2, 0x22)),
        PRIMEGPU_ST_OK);
    g_assert(qprimegpu_is_filled(g, addr, 0x11, 1));
    g_assert(qprimegpu_is_filled(g, addr + 1, 0x22, SIZE - 2));
    g_assert(qprimegpu_is_filled(g, addr + SIZE - 1, 0x11, 1));
    g_assert_cmpuint(qprimegpu_written_back(g), ==, g->engine.seqno);
    g_assert_cmpuint(qprimegpu_readq(g, PRIMEGPU_REG_ENGINE_SEQ_LO), ==,
                     g->engine.seqno);
}

static void test_fill_values(void *obj, void *data, QGuestAllocator *alloc)
{
    static const uint32_t cpps[] = { 1, 2, 4 };
    QPrimeGPU *g = obj;
    uint32_t value = 0x04030201;
    uint64_t key, addr;
    unsigned int i;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, PAGE, &addr);
    for (i = 0; i < ARRAY_SIZE(cpps); i++) {
        struct primegpu_job_op op = qprimegpu_op_fill(key, 0, PAGE, 0);
        uint32_t width = PAGE / cpps[i];
        uint8_t bytes[2 * sizeof(value)];
        unsigned int b;

        op.value = cpu_to_le32(value);
        op.cpp = cpu_to_le32(cpps[i]);
        op.width = cpu_to_le32(width);
        qprimegpu_assert_status(qprimegpu_run(g, op), PRIMEGPU_ST_OK);
        qtest_memread(g->qts, addr + PAGE - sizeof(bytes), bytes,
                      sizeof(bytes));
        for (b = 0; b < sizeof(bytes); b++) {
            g_assert_cmpuint(bytes[b], ==, b % cpps[i] + 1);
        }
    }
}

static void test_rectangle(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    struct primegpu_job_op op;
    uint64_t key, addr, x, y, stride = 256;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, PAGE, &addr);
    qprimegpu_memset(g, addr, 0, PAGE);
    op = qprimegpu_op_fill(key, stride + 4, 0, 0);
    op.value = cpu_to_le32(0x77777777);
    op.cpp = cpu_to_le32(4);
    op.width = cpu_to_le32(3);
    op.height = cpu_to_le32(5);
    op.dst_stride = cpu_to_le32(stride);
    qprimegpu_assert_status(qprimegpu_run(g, op), PRIMEGPU_ST_OK);
    for (y = 0; y < PAGE / stride; y++) {
        for (x = 0; x < stride; x += 4) {
            bool in = y >= 1 && y < 6 && x >= 4 && x < 16;

            g_assert(qprimegpu_is_filled(g, addr + y * stride + x,
                                         in ? 0x77 : 0, 4));
        }
    }
}

static void fill_ramp(QPrimeGPU *g, uint64_t addr, uint64_t size)
{
    g_autofree uint8_t *bytes = g_malloc(size);
    uint64_t i;

    for (i = 0; i < size; i++) {
        bytes[i] = i ^ (i >> 8);
    }
    qtest_memwrite(g->qts, addr, bytes, size);
}

static void test_copy(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    g_autofree uint8_t *want = g_malloc(SIZE);
    g_autofree uint8_t *got = g_malloc(SIZE);
    uint64_t src, src_addr, dst, dst_addr;

    qprimegpu_start(g);
    src = qprimegpu_new_bo_pages(g, SIZE, &src_addr);
    dst = qprimegpu_new_bo_pages(g, SIZE, &dst_addr);
    fill_ramp(g, src_addr, SIZE);
    qprimegpu_memset(g, dst_addr, 0xee, SIZE);
    qprimegpu_assert_status(
        qprimegpu_run(g, qprimegpu_op_copy(dst, 0, src, 100, SIZE - 100)),
        PRIMEGPU_ST_OK);
    qtest_memread(g->qts, src_addr, want, SIZE);
    qtest_memread(g->qts, dst_addr, got, SIZE);
    g_assert_cmpmem(got, SIZE - 100, want + 100, SIZE - 100);
    g_assert_cmphex(got[SIZE - 100], ==, 0xee);
}

/* A copy onto itself, up and down: as if through another buffer */
static void check_overlap(QPrimeGPU *g, uint64_t from, uint64_t to)
{
    g_autofree uint8_t *want = g_malloc(SIZE);
    g_autofree uint8_t *got = g_malloc(SIZE);
    uint64_t key, addr, size = SIZE - MAX(from, to);

    key = qprimegpu_new_bo_pages(g, SIZE, &addr);
    fill_ramp(g, addr, SIZE);
    qtest_memread(g->qts, addr, want, SIZE);
    memmove(want + to, want + from, size);
    qprimegpu_assert_status(
        qprimegpu_run(g, qprimegpu_op_copy(key, to, key, from, size)),
        PRIMEGPU_ST_OK);
    qtest_memread(g->qts, addr, got, SIZE);
    g_assert_cmpmem(got, SIZE, want, SIZE);
}

static void test_overlap(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;

    qprimegpu_start(g);
    check_overlap(g, 0, 1);
    check_overlap(g, 1, 0);
    check_overlap(g, 0, PAGE + 3);
    check_overlap(g, PAGE + 3, 0);
}

static void test_overlap_rows(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint32_t stride = 64, width = 40, height = 30, cpp = 1;
    g_autofree uint8_t *want = g_malloc(PAGE);
    g_autofree uint8_t *got = g_malloc(PAGE);
    g_autofree uint8_t *old = g_malloc(PAGE);
    struct primegpu_job_op op;
    uint64_t key, addr, row, from = 0, to = 2 * stride + 5;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, PAGE, &addr);
    fill_ramp(g, addr, PAGE);
    qtest_memread(g->qts, addr, old, PAGE);
    memcpy(want, old, PAGE);
    for (row = 0; row < height; row++) {
        memcpy(want + to + row * stride, old + from + row * stride, width);
    }
    op = qprimegpu_op_copy(key, to, key, from, width);
    op.cpp = cpu_to_le32(cpp);
    op.height = cpu_to_le32(height);
    op.dst_stride = cpu_to_le32(stride);
    op.src_stride = cpu_to_le32(stride);
    qprimegpu_assert_status(qprimegpu_run(g, op), PRIMEGPU_ST_OK);
    qtest_memread(g->qts, addr, got, PAGE);
    g_assert_cmpmem(got, PAGE, want, PAGE);
}

static void test_placements(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t pages, addr, vram, offset = SIZE;

    qprimegpu_start(g);
    pages = qprimegpu_new_bo_pages(g, SIZE, &addr);
    vram = qprimegpu_new_bo(g, SIZE);
    qprimegpu_place(g, vram, PRIMEGPU_LOCATION_VRAM, offset);
    qprimegpu_memset(g, addr, 0x31, SIZE);
    qprimegpu_assert_status(
        qprimegpu_run(g, qprimegpu_op_copy(vram, 0, pages, 0, SIZE)),
        PRIMEGPU_ST_OK);
    g_assert(qprimegpu_is_filled(g, g->vram.addr + offset, 0x31, SIZE));
    qprimegpu_memset(g, g->vram.addr + offset, 0x32, SIZE);
    qprimegpu_assert_status(
        qprimegpu_run(g, qprimegpu_op_copy(pages, 0, vram, 0, SIZE)),
        PRIMEGPU_ST_OK);
    g_assert(qprimegpu_is_filled(g, addr, 0x32, SIZE));
    /* The BO that has pages and VRAM uses its VRAM until it is placed. */
    qprimegpu_place(g, pages, PRIMEGPU_LOCATION_VRAM, 0);
    qprimegpu_run(g, qprimegpu_op_fill(pages, 0, SIZE, 0x33));
    g_assert(qprimegpu_is_filled(g, g->vram.addr, 0x33, SIZE));
    g_assert(qprimegpu_is_filled(g, addr, 0x32, SIZE));
    qprimegpu_place(g, pages, PRIMEGPU_LOCATION_PAGES, 0);
    qprimegpu_run(g, qprimegpu_op_fill(pages, 0, SIZE, 0x34));
    g_assert(qprimegpu_is_filled(g, addr, 0x34, SIZE));
}

static void expect_bad(QPrimeGPU *g, struct primegpu_job_op op,
                       uint32_t status)
{
    qprimegpu_assert_status(qprimegpu_run(g, op), status);
}

static void test_ranges(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    struct primegpu_job_op op;
    uint64_t key, other, addr, other_addr;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, SIZE, &addr);
    other = qprimegpu_new_bo_pages(g, SIZE, &other_addr);
    qprimegpu_memset(g, addr, 0, SIZE);
    expect_bad(g, qprimegpu_op_fill(key, 0, SIZE, 1), PRIMEGPU_ST_OK);
    expect_bad(g, qprimegpu_op_fill(key, 0, SIZE + 1, 2), PRIMEGPU_ST_RANGE);
    expect_bad(g, qprimegpu_op_fill(key, 1, SIZE, 2), PRIMEGPU_ST_RANGE);
    expect_bad(g, qprimegpu_op_fill(key, SIZE, 1, 2), PRIMEGPU_ST_RANGE);
    expect_bad(g, qprimegpu_op_fill(key, UINT64_MAX, 2, 2),
               PRIMEGPU_ST_RANGE);
    expect_bad(g, qprimegpu_op_copy(other, 0, key, 1, SIZE),
               PRIMEGPU_ST_RANGE);
    expect_bad(g, qprimegpu_op_copy(other, 1, key, 0, SIZE),
               PRIMEGPU_ST_RANGE);
    /* Products of three 32-bit numbers near 2^64 */
    op = qprimegpu_op_fill(key, 0, 1, 2);
    op.width = op.height = op.dst_stride = cpu_to_le32(UINT32_MAX);
    op.cpp = cpu_to_le32(1);
    expect_bad(g, op, PRIMEGPU_ST_RANGE);
    op = qprimegpu_op_fill(key, 0, 1, 2);
    op.height = cpu_to_le32(2);
    op.dst_stride = cpu_to_le32(SIZE - 1);
    expect_bad(g, op, PRIMEGPU_ST_OK);
    op.dst_stride = cpu_to_le32(SIZE);
    expect_bad(g, op, PRIMEGPU_ST_RANGE);
    g_assert(qprimegpu_is_filled(g, addr + 1, 1, SIZE - 2));
}

static void test_fields(void *obj, void *data, QGuestAllocator *alloc)
{
    static const uint32_t cpps[] = { 0, 3, 5, 16, UINT32_MAX };
    QPrimeGPU *g = obj;
    struct primegpu_job_op op;
    uint64_t key, addr;
    unsigned int i;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, SIZE, &addr);
    for (i = 0; i < ARRAY_SIZE(cpps); i++) {
        op = qprimegpu_op_fill(key, 0, 1, 2);
        op.cpp = cpu_to_le32(cpps[i]);
        expect_bad(g, op, PRIMEGPU_ST_INVALID_FIELD);
    }
    op = qprimegpu_op_fill(key, 0, 16, 2);
    op.cpp = cpu_to_le32(8);
    op.width = cpu_to_le32(2);
    expect_bad(g, op, PRIMEGPU_ST_INVALID_FIELD);
    op = qprimegpu_op_copy(key, 0, key, 64, 16);
    op.cpp = cpu_to_le32(8);
    op.width = cpu_to_le32(2);
    expect_bad(g, op, PRIMEGPU_ST_OK);
    op = qprimegpu_op_fill(key, 0, 1, 2);
    op.opcode = cpu_to_le16(PRIMEGPU_JOB_OP_COPY + 1);
    expect_bad(g, op, PRIMEGPU_ST_INVALID_OPCODE);
    op = qprimegpu_op_fill(key, 0, 1, 2);
    op.rsvd3c = cpu_to_le32(1);
    expect_bad(g, op, PRIMEGPU_ST_INVALID_FIELD);
    op = qprimegpu_op_fill(key, 0, 1, 2);
    op.src_key = cpu_to_le64(key);
    expect_bad(g, op, PRIMEGPU_ST_INVALID_FIELD);
}

static void test_wrong_bo(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, addr, next;
    struct primegpu_job_op op;

    qprimegpu_start(g);
    key = qprimegpu_new_bo(g, PAGE);
    next = qprimegpu_key_next(g);
    op = qprimegpu_op_fill(key, 0, PAGE, 1);
    expect_bad(g, op, PRIMEGPU_ST_NOT_ATTACHED);
    qprimegpu_assert_violation(g->qts, "not-attached", key, 0);
    expect_bad(g, qprimegpu_op_fill(next, 0, PAGE, 1),
               PRIMEGPU_ST_UNKNOWN_BO);
    qprimegpu_assert_violation(g->qts, "unknown-bo", next, 0);

    addr = qprimegpu_alloc_pages(g, 1);
    qprimegpu_attach(g, key, addr, PAGE);
    qprimegpu_assert_status(
        qprimegpu_wait(g, qprimegpu_submit_client(g, &op, 1,
                                                  QPRIMEGPU_CLIENT)),
        PRIMEGPU_ST_NOT_OPEN);
    qprimegpu_assert_violation(g->qts, "not-open", key, 0);
    qprimegpu_open(g, key, QPRIMEGPU_CLIENT);
    qprimegpu_assert_status(
        qprimegpu_wait(g, qprimegpu_submit_client(g, &op, 1,
                                                  QPRIMEGPU_CLIENT)),
        PRIMEGPU_ST_OK);
    qprimegpu_assert_status(
        qprimegpu_wait(g, qprimegpu_submit_client(g, &op, 1,
                                                  QPRIMEGPU_CLIENT + 1)),
        PRIMEGPU_ST_NOT_OPEN);
    g_assert_cmpuint(qprimegpu_violations(g->qts), ==, 4);
}

static uint32_t run_op_count(QPrimeGPU *g, uint64_t ops, uint32_t count)
{
    struct primegpu_cmd_job job = {
        .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_JOB),
        .ops_addr = cpu_to_le64(ops),
        .op_count = cpu_to_le32(count),
    };
    uint64_t entry = qprimegpu_ring_put(g, &g->engine, &job);

    qprimegpu_engine_kick(g);
    return qprimegpu_wait(g, entry);
}

static void test_op_counts(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint32_t count = PRIMEGPU_JOB_OPS_MAX + 1;
    g_autofree struct primegpu_job_op *list =
        g_new0(struct primegpu_job_op, count);
    uint64_t key, addr, ops;
    uint32_t i;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, PAGE, &addr);
    qprimegpu_memset(g, addr, 0, PAGE);
    for (i = 0; i < count; i++) {
        list[i] = qprimegpu_op_fill(key, i, 1, 9);
    }
    ops = guest_alloc(alloc, count * sizeof(*list));
    qtest_memwrite(g->qts, ops, list, count * sizeof(*list));
    qprimegpu_assert_status(run_op_count(g, ops, count),
                            PRIMEGPU_ST_INVALID_FIELD);
    g_assert(qprimegpu_is_filled(g, addr, 0, PAGE));
    qprimegpu_assert_status(run_op_count(g, ops, PRIMEGPU_JOB_OPS_MAX),
                            PRIMEGPU_ST_OK);
    g_assert(qprimegpu_is_filled(g, addr, 9, PRIMEGPU_JOB_OPS_MAX));
    /* No operation at all is a job that only completes. */
    qprimegpu_assert_status(run_op_count(g, ops, 0), PRIMEGPU_ST_OK);
}

/* Jobs complete in the order of the ring, and not before their time. */
static void test_latency(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    struct primegpu_job_op op;
    uint64_t key, addr, first, second;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, PAGE, &addr);
    op = qprimegpu_op_fill(key, 0, PAGE, 1);
    first = qprimegpu_submit(g, &op, 1);
    second = qprimegpu_submit(g, &op, 1);
    qtest_clock_step(g->qts, QPRIMEGPU_LATENCY_NS - 1);
    qprimegpu_assert_status(qprimegpu_entry_status(g, first),
                            PRIMEGPU_ST_NONE);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_STATUS), ==,
                    PRIMEGPU_STATUS_ENGINE_BUSY);
    g_assert_cmpuint(qprimegpu_written_back(g), ==, 0);
    qtest_clock_step(g->qts, 1);
    qprimegpu_assert_status(qprimegpu_entry_status(g, first), PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_entry_status(g, second),
                            PRIMEGPU_ST_NONE);
    g_assert_cmpuint(qprimegpu_written_back(g), ==, g->engine.seqno - 1);
    qprimegpu_assert_status(qprimegpu_wait(g, second), PRIMEGPU_ST_OK);
    g_assert_cmpuint(qprimegpu_written_back(g), ==, g->engine.seqno);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_STATUS), ==, 0);
}

static void test_gate(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    struct primegpu_job_op op;
    uint64_t key, addr, entry;
    QDict *info, *bo;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, PAGE, &addr);
    op = qprimegpu_op_fill(key, 0, PAGE, 1);
    qprimegpu_set_gate(g->qts, "primegpu0", true);
    entry = qprimegpu_submit(g, &op, 1);
    qtest_clock_step(g->qts, LONG_NS);
    qprimegpu_assert_status(qprimegpu_entry_status(g, entry),
                            PRIMEGPU_ST_NONE);
    info = qprimegpu_query(g->qts, qprimegpu_readl(g, PRIMEGPU_REG_DEVICE_ID));
    g_assert_true(qdict_get_bool(info, "gate-closed"));
    g_assert_cmpint(qdict_get_int(info, "jobs"), ==, 1);
    qobject_unref(info);
    bo = qprimegpu_query_bo(g->qts, key);
    g_assert_cmpint(qdict_get_int(bo, "jobs"), ==, 1);
    qobject_unref(bo);

    /* A BO that a job names stays as it is. */
    qprimegpu_assert_status(qprimegpu_detach(g, key), PRIMEGPU_ST_BUSY);
    qprimegpu_assert_violation(g->qts, "detach-busy", key, 0);
    qprimegpu_assert_status(qprimegpu_destroy(g, key), PRIMEGPU_ST_BUSY);
    qprimegpu_assert_violation(g->qts, "destroy-busy", key, 0);
    qprimegpu_set_gate(g->qts, "primegpu0", false);
    qprimegpu_assert_status(qprimegpu_wait(g, entry), PRIMEGPU_ST_OK);

    /* A gate that closes when the job has started holds it, too. */
    entry = qprimegpu_submit(g, &op, 1);
    qtest_clock_step(g->qts, QPRIMEGPU_LATENCY_NS / 2);
    qprimegpu_set_gate(g->qts, "primegpu0", true);
    qtest_clock_step(g->qts, LONG_NS);
    qprimegpu_assert_status(qprimegpu_entry_status(g, entry),
                            PRIMEGPU_ST_NONE);
    qprimegpu_set_gate(g->qts, "primegpu0", false);
    qprimegpu_assert_status(qprimegpu_wait(g, entry), PRIMEGPU_ST_OK);
    qprimegpu_free_bo(g, key);
}

static void register_tests(void)
{
    qprimegpu_add_test("engine/fill", test_fill);
    qprimegpu_add_test("engine/fill-values", test_fill_values);
    qprimegpu_add_test("engine/rectangle", test_rectangle);
    qprimegpu_add_test("engine/copy", test_copy);
    qprimegpu_add_test("engine/overlap", test_overlap);
    qprimegpu_add_test("engine/overlap-rows", test_overlap_rows);
    qprimegpu_add_vram_test("engine/placements", test_placements);
    qprimegpu_add_test("engine/ranges", test_ranges);
    qprimegpu_add_test("engine/fields", test_fields);
    qprimegpu_add_test("engine/wrong-bo", test_wrong_bo);
    qprimegpu_add_test("engine/op-counts", test_op_counts);
    qprimegpu_add_test("engine/latency", test_latency);
    qprimegpu_add_test("engine/gate", test_gate);
}

libqos_init(register_tests);
