/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu resets: of the engine, of the device, of the machine.
 */
#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/primegpu.h"

#define SIZE    PRIMEGPU_PAGE_SIZE

static uint64_t queue_behind_gate(QPrimeGPU *g, uint64_t key)
{
    struct primegpu_job_op op = qprimegpu_op_fill(key, 0, SIZE, 0x44);

    qprimegpu_set_gate(g->qts, "primegpu0", true);
    return qprimegpu_submit(g, &op, 1);
}

static void test_engine(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, addr, entry;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, SIZE, &addr);
    qprimegpu_run(g, qprimegpu_op_fill(key, 0, SIZE, 0x11));
    entry = queue_behind_gate(g, key);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL,
                     PRIMEGPU_CONTROL_ENABLE | PRIMEGPU_CONTROL_ENGINE_RESET);
    qprimegpu_assert_status(qprimegpu_entry_status(g, entry),
                            PRIMEGPU_ST_CANCELLED);
    g_assert(qprimegpu_is_filled(g, addr, 0x11, SIZE));
    g_assert_cmpuint(qprimegpu_readl(g, PRIMEGPU_REG_ENGINE_HEAD), ==,
                     g->engine.tail);
    g_assert_cmpuint(qprimegpu_readl(g, PRIMEGPU_REG_ENGINE_TAIL), ==,
                     g->engine.tail);
    g_assert_cmpuint(qprimegpu_readq(g, PRIMEGPU_REG_ENGINE_BASE_LO), ==,
                     g->engine.base);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_STATUS), ==, 0);

    /* The BO is there and no longer busy; the engine works. */
    qprimegpu_set_gate(g->qts, "primegpu0", false);
    qprimegpu_assert_status(
        qprimegpu_run(g, qprimegpu_op_fill(key, 0, SIZE, 0x22)),
        PRIMEGPU_ST_OK);
    g_assert(qprimegpu_is_filled(g, addr, 0x22, SIZE));
    g_assert_cmpuint(qprimegpu_written_back(g), ==, g->engine.seqno);
    qprimegpu_free_bo(g, key);
    g_assert_cmpuint(qprimegpu_violations(g->qts), ==, 0);
}

static void check_empty(QPrimeGPU *g, uint64_t dropped)
{
    QDict *info, *counters;

    info = qprimegpu_query(g->qts, qprimegpu_readl(g, PRIMEGPU_REG_DEVICE_ID));
    counters = qdict_get_qdict(info, "counters");
    g_assert_cmpint(qdict_get_int(info, "bos"), ==, 0);
    g_assert_cmpint(qdict_get_int(info, "bytes"), ==, 0);
    g_assert_cmpint(qdict_get_int(info, "jobs"), ==, 0);
    g_assert_cmpint(qdict_get_int(info, "vram-used"), ==, 0);
    g_assert_false(qdict_get_bool(info, "enabled"));
    g_assert_cmpint(qdict_get_int(counters, "dropped"), ==, dropped);
    g_assert_cmpint(qdict_get_int(counters, "released"), ==, 0);
    qobject_unref(info);
    g_assert_cmpuint(qprimegpu_violations(g->qts), ==, 0);
}

static void test_device(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    g_autofree char *history = NULL;
    uint64_t key, addr, next, since;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, SIZE, &addr);
    qprimegpu_open(g, key, QPRIMEGPU_CLIENT);
    next = qprimegpu_new_bo(g, SIZE);
    if (g->discrete) {
        qprimegpu_place(g, next, PRIMEGPU_LOCATION_VRAM, 0);
    }
    queue_behind_gate(g, key);
    next = qprimegpu_key_next(g);
    since = qprimegpu_history_next(g->qts);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    check_empty(g, 2);
    history = qprimegpu_history(g->qts, since);
    g_assert_cmpstr(history, ==, "device-reset complete drop drop");
    g_assert_cmphex(qprimegpu_readq(g, PRIMEGPU_REG_CTRL_BASE_LO), ==, 0);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_IRQ_STATUS), ==, 0);
    /* Keys go on where they were: none is used twice. */
    g_assert_cmphex(qprimegpu_key_next(g), ==, next);
    qprimegpu_set_gate(g->qts, "primegpu0", false);
    qprimegpu_start(g);
    g_assert_cmphex(qprimegpu_new_bo(g, SIZE), ==, next);
}

static void test_machine(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, addr;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, SIZE, &addr);
    queue_behind_gate(g, key);
    qtest_system_reset(g->qts);
    qprimegpu_map(g);
    check_empty(g, 1);
    qprimegpu_set_gate(g->qts, "primegpu0", false);
    qprimegpu_start(g);
    qprimegpu_new_bo(g, SIZE);
}

static void register_tests(void)
{
    qprimegpu_add_test("reset/engine", test_engine);
    qprimegpu_add_test("reset/device", test_device);
    qprimegpu_add_test("reset/machine", test_machine);
}

libqos_init(register_tests);
