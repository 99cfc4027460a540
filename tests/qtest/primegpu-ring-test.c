/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu rings: fetch, wrap, batches, bad entries and bad rings.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu.h"

#define STEP_NS     1000
#define STEPS       1000

/* An address with nothing behind it */
#define HOLE        0xd0000000ull

static void test_status(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    struct primegpu_cmd_bo_create sent = {
        .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_BO_CREATE),
        .size = cpu_to_le64(PRIMEGPU_PAGE_SIZE),
    };
    struct primegpu_cmd_bo_create seen;
    uint64_t entry;

    qprimegpu_start(g);
    sent.key = cpu_to_le64(qprimegpu_key_next(g));
    entry = qprimegpu_ring_put(g, &g->ctrl, &sent);
    g_assert_cmpuint(qprimegpu_readl(g, PRIMEGPU_REG_CTRL_HEAD), ==, 0);
    qprimegpu_ctrl_kick(g);
    g_assert_cmpuint(qprimegpu_readl(g, PRIMEGPU_REG_CTRL_HEAD), ==, 1);

    /* The device wrote the status and nothing else. */
    qtest_memread(g->qts, entry, &seen, sizeof(seen));
    qprimegpu_assert_status(le32_to_cpu(seen.hdr.status), PRIMEGPU_ST_OK);
    sent.hdr.status = seen.hdr.status;
    sent.hdr.seqno = cpu_to_le64(g->ctrl.seqno);
    g_assert_cmpmem(&sent, sizeof(sent), &seen, sizeof(seen));
}

static void test_wrap(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint32_t slots = 1u << QPRIMEGPU_CTRL_ORDER;
    uint32_t i;

    qprimegpu_start(g);
    for (i = 0; i < 2 * slots + 1; i++) {
        qprimegpu_new_bo(g, PRIMEGPU_PAGE_SIZE);
    }
    g_assert_cmpuint(qprimegpu_bo_count(g->qts), ==, 2 * slots + 1);
    g_assert_cmpuint(qprimegpu_readl(g, PRIMEGPU_REG_CTRL_HEAD), ==, 1);
}

static uint64_t put_create(QPrimeGPU *g, uint64_t key)
{
    struct primegpu_cmd_bo_create create = {
        .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_BO_CREATE),
        .key = cpu_to_le64(key),
        .size = cpu_to_le64(PRIMEGPU_PAGE_SIZE),
    };

    return qprimegpu_ring_put(g, &g->ctrl, &create);
}

/* More commands than one doorbell runs: the rest follow by themselves. */
static void test_batch(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint32_t count = 2 * PRIMEGPU_CTRL_BATCH_MAX + 1;
    uint64_t key, last = 0;
    uint32_t i;

    qprimegpu_start(g);
    key = qprimegpu_key_next(g);
    for (i = 0; i < count; i++) {
        last = put_create(g, key + i);
    }
    /* What a doorbell leaves over waits for the machine to run. */
    qtest_qmp_assert_success(g->qts, "{ 'execute': 'stop' }");
    qprimegpu_ctrl_kick(g);
    g_assert_cmpuint(qprimegpu_readl(g, PRIMEGPU_REG_CTRL_HEAD), ==,
                     PRIMEGPU_CTRL_BATCH_MAX);
    g_assert_cmpuint(qprimegpu_bo_count(g->qts), ==, PRIMEGPU_CTRL_BATCH_MAX);
    qtest_qmp_assert_success(g->qts, "{ 'execute': 'cont' }");
    for (i = 0; i < STEPS && !qprimegpu_entry_status(g, last); i++) {
        qtest_clock_step(g->qts, STEP_NS);
    }
    qprimegpu_assert_status(qprimegpu_entry_status(g, last), PRIMEGPU_ST_OK);
    g_assert_cmpuint(qprimegpu_bo_count(g->qts), ==, count);
}

static void check_order(QPrimeGPU *g, uint32_t order, bool good)
{
    QPrimeGPURing ring = { .order = good ? order : PRIMEGPU_RING_ORDER_MAX };
    size_t size = PRIMEGPU_RING_ENTRY_SIZE << ring.order;
    uint64_t entry;

    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    ring.base = guest_alloc(g->alloc, size);
    qtest_memset(g->qts, ring.base, 0, size);
    g->ctrl = ring;
    qprimegpu_writeq(g, PRIMEGPU_REG_CTRL_BASE_LO, ring.base);
    qprimegpu_writel(g, PRIMEGPU_REG_CTRL_ORDER, order);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_ENABLE);
    entry = put_create(g, qprimegpu_key_next(g));
    qprimegpu_ctrl_kick(g);
    if (good) {
        qprimegpu_assert_status(qprimegpu_entry_status(g, entry),
                                PRIMEGPU_ST_OK);
        g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_STATUS) &
                        PRIMEGPU_STATUS_CTRL_FAULT, ==, 0);
    } else {
        qprimegpu_assert_status(qprimegpu_entry_status(g, entry),
                                PRIMEGPU_ST_NONE);
        g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_STATUS) &
                        PRIMEGPU_STATUS_CTRL_FAULT, ==,
                        PRIMEGPU_STATUS_CTRL_FAULT);
        g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_IRQ_STATUS) &
                        PRIMEGPU_IRQ_FAULT, ==, PRIMEGPU_IRQ_FAULT);
    }
    guest_free(g->alloc, ring.base);
}

static void test_order(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;

    check_order(g, PRIMEGPU_RING_ORDER_MIN, true);
    check_order(g, PRIMEGPU_RING_ORDER_MAX, true);
    check_order(g, PRIMEGPU_RING_ORDER_MIN - 1, false);
    check_order(g, PRIMEGPU_RING_ORDER_MAX + 1, false);
    check_order(g, UINT32_MAX, false);
}

/* A ring where there is no memory: a fault, until the device is reset. */
static void test_hole(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;

    qprimegpu_start(g);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    qprimegpu_setup_rings(g);
    qprimegpu_writeq(g, PRIMEGPU_REG_CTRL_BASE_LO, HOLE);
    qprimegpu_writeq(g, PRIMEGPU_REG_ENGINE_BASE_LO, HOLE);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_ENABLE);
    qprimegpu_writel(g, PRIMEGPU_REG_CTRL_TAIL, 1);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_STATUS), ==,
                    PRIMEGPU_STATUS_CTRL_FAULT);
    qprimegpu_writel(g, PRIMEGPU_REG_ENGINE_TAIL, 1);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_STATUS), ==,
                    PRIMEGPU_STATUS_CTRL_FAULT | PRIMEGPU_STATUS_ENGINE_FAULT);

    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_STATUS), ==, 0);
    qprimegpu_start(g);
    qprimegpu_new_bo(g, PRIMEGPU_PAGE_SIZE);
}

static void test_disabled(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t entry;

    qprimegpu_setup_rings(g);
    entry = put_create(g, qprimegpu_key_next(g));
    qprimegpu_ctrl_kick(g);
    qprimegpu_assert_status(qprimegpu_entry_status(g, entry),
                            PRIMEGPU_ST_NONE);
    g_assert_cmpuint(qprimegpu_readl(g, PRIMEGPU_REG_CTRL_HEAD), ==, 0);
}

static void test_opcodes(void *obj, void *data, QGuestAllocator *alloc)
{
    static const uint16_t bad[] = {
        PRIMEGPU_OP_BO_CREATE - 1, PRIMEGPU_OP_BO_DESTROY + 1,
        PRIMEGPU_OP_JOB, UINT16_MAX,
        /* The low byte alone would be BO_CREATE. */
        PRIMEGPU_OP_BO_CREATE + UINT8_MAX + 1,
    };
    QPrimeGPU *g = obj;
    struct primegpu_cmd_bo command = { };
    uint64_t entry;
    unsigned int i;

    qprimegpu_start(g);
    for (i = 0; i < ARRAY_SIZE(bad); i++) {
        command.hdr.opcode = cpu_to_le16(bad[i]);
        qprimegpu_assert_status(qprimegpu_ctrl(g, &command),
                                PRIMEGPU_ST_INVALID_OPCODE);
    }
    command.hdr.opcode = cpu_to_le16(PRIMEGPU_OP_BO_DESTROY);
    entry = qprimegpu_ring_put(g, &g->engine, &command);
    qprimegpu_engine_kick(g);
    qprimegpu_assert_status(qprimegpu_wait(g, entry),
                            PRIMEGPU_ST_INVALID_OPCODE);
    /* The rings go on. */
    qprimegpu_new_bo(g, PRIMEGPU_PAGE_SIZE);
}

static void test_reserved(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key;
    unsigned int i;

    qprimegpu_start(g);
    key = qprimegpu_key_next(g);
    for (i = 0; i < ARRAY_SIZE(((struct primegpu_cmd_bo *)0)->rsvd18); i++) {
        struct primegpu_cmd_bo command = {
            .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_BO_DETACH),
            .key = cpu_to_le64(key),
        };

        command.rsvd18[i] = cpu_to_le64(1);
        qprimegpu_assert_status(qprimegpu_ctrl(g, &command),
                                PRIMEGPU_ST_INVALID_FIELD);
    }
    /* A flag that CREATE does not know, and one that others do not */
    qprimegpu_assert_status(
        qprimegpu_create(g, key, PRIMEGPU_PAGE_SIZE,
                         PRIMEGPU_BO_CREATE_IMPORT << 1, 0),
        PRIMEGPU_ST_INVALID_FIELD);
    g_assert_cmpuint(qprimegpu_bo_count(g->qts), ==, 0);
    g_assert_cmpuint(qprimegpu_violations(g->qts), ==, 0);
}

static void check_tail(QPrimeGPU *g, uint32_t tail)
{
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    qprimegpu_start(g);
    put_create(g, qprimegpu_key_next(g));
    qprimegpu_writel(g, PRIMEGPU_REG_CTRL_TAIL, tail);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_STATUS), ==,
                    PRIMEGPU_STATUS_CTRL_FAULT);
    qprimegpu_writel(g, PRIMEGPU_REG_ENGINE_TAIL, tail);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_STATUS), ==,
                    PRIMEGPU_STATUS_CTRL_FAULT | PRIMEGPU_STATUS_ENGINE_FAULT);
    g_assert_cmpuint(qprimegpu_bo_count(g->qts), ==, 0);
}

/* A tail that is no index of the ring is a fault, and nothing is fetched. */
static void test_tail_lies(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;

    check_tail(g, 1u << QPRIMEGPU_CTRL_ORDER);
    check_tail(g, UINT32_MAX);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    qprimegpu_start(g);
    qprimegpu_new_bo(g, PRIMEGPU_PAGE_SIZE);
}

static void register_tests(void)
{
    qprimegpu_add_test("ring/status", test_status);
    qprimegpu_add_test("ring/wrap", test_wrap);
    qprimegpu_add_test("ring/batch", test_batch);
    qprimegpu_add_test("ring/order", test_order);
    qprimegpu_add_test("ring/hole", test_hole);
    qprimegpu_add_test("ring/disabled", test_disabled);
    qprimegpu_add_test("ring/opcodes", test_opcodes);
    qprimegpu_add_test("ring/reserved", test_reserved);
    qprimegpu_add_test("ring/tail-lies", test_tail_lies);
}

libqos_init(register_tests);
