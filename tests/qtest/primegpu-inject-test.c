/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu faults on purpose: each of them, when it comes, and what forgets it.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu.h"

#define SIZE        PRIMEGPU_PAGE_SIZE
#define DEVICE      "primegpu0"

/* More than a device takes */
#define FAULTS_MAX  32

/* What "delay" is without a number */
#define DELAY_NS    100000000
/* Longer than any job takes that is not held */
#define LONG_NS     10000000000

static uint32_t create(QPrimeGPU *g)
{
    return qprimegpu_create(g, qprimegpu_key_next(g), SIZE, 0, 0);
}

static void test_create(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key;

    qprimegpu_start(g);
    qprimegpu_inject(g->qts, DEVICE, "create", 2, 2);
    qprimegpu_assert_status(create(g), PRIMEGPU_ST_OK);
    key = qprimegpu_key_next(g);
    qprimegpu_assert_status(create(g), PRIMEGPU_ST_NO_MEMORY);
    g_assert_cmphex(qprimegpu_key_next(g), ==, key);
    g_assert_cmpuint(qprimegpu_faults_fired(g->qts), ==, 1);
    qprimegpu_assert_status(create(g), PRIMEGPU_ST_NO_MEMORY);
    qprimegpu_assert_status(create(g), PRIMEGPU_ST_OK);
    g_assert_cmpuint(qprimegpu_faults_fired(g->qts), ==, 2);
    g_assert_cmpuint(qprimegpu_bo_count(g->qts), ==, 2);

    /* A command that is wrong anyhow is no chance. */
    qtest_qmp_assert_success(g->qts, "{ 'execute': 'primegpu-inject',"
                             " 'arguments': { 'device': %s,"
                             " 'fault': 'create', 'status': 'limit' } }",
                             DEVICE);
    qprimegpu_assert_status(qprimegpu_create(g, key, SIZE, 0, 0),
                            PRIMEGPU_ST_INVALID_KEY);
    qprimegpu_assert_status(create(g), PRIMEGPU_ST_LIMIT);
    g_assert_cmpuint(qprimegpu_violations(g->qts), ==, 0);
}

static void test_attach(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, addr;
    g_autofree char *history = NULL;

    qprimegpu_start(g);
    key = qprimegpu_new_bo(g, SIZE);
    addr = qprimegpu_alloc_pages(g, 1);
    qprimegpu_inject(g->qts, DEVICE, "attach", 1, 1);
    qprimegpu_assert_status(qprimegpu_attach(g, key, addr, SIZE),
                            PRIMEGPU_ST_DMA);
    qprimegpu_assert_status(qprimegpu_detach(g, key),
                            PRIMEGPU_ST_NOT_ATTACHED);
    qprimegpu_assert_status(qprimegpu_attach(g, key, addr, SIZE),
                            PRIMEGPU_ST_OK);
    history = qprimegpu_history(g->qts, 1);
    g_assert_cmpstr(history, ==, "create fault attach");
}

static uint64_t submit_fill(QPrimeGPU *g, uint64_t key, uint8_t value)
{
    struct primegpu_job_op op = qprimegpu_op_fill(key, 0, SIZE, value);

    return qprimegpu_submit(g, &op, 1);
}

static void test_job(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, addr, first, second;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, SIZE, &addr);
    qprimegpu_memset(g, addr, 0, SIZE);
    qprimegpu_inject(g->qts, DEVICE, "job", 2, 1);
    first = submit_fill(g, key, 1);
    second = submit_fill(g, key, 2);
    qprimegpu_assert_status(qprimegpu_wait(g, second), PRIMEGPU_ST_DMA);
    qprimegpu_assert_status(qprimegpu_entry_status(g, first), PRIMEGPU_ST_OK);
    g_assert_true(qprimegpu_is_filled(g, addr, 1, SIZE));
    g_assert_cmpuint(qprimegpu_written_back(g), ==, g->engine.seqno);
    qprimegpu_assert_status(qprimegpu_run(g, qprimegpu_op_fill(key, 0, SIZE,
                                                               3)),
                            PRIMEGPU_ST_OK);
}

static void test_hang(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, addr, first, second;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, SIZE, &addr);
    qprimegpu_memset(g, addr, 0, SIZE);
    qprimegpu_inject(g->qts, DEVICE, "hang", 1, 1);
    first = submit_fill(g, key, 1);
    second = submit_fill(g, key, 2);
    qtest_clock_step(g->qts, LONG_NS);
    qprimegpu_assert_status(qprimegpu_entry_status(g, first),
                            PRIMEGPU_ST_NONE);
    qprimegpu_assert_status(qprimegpu_entry_status(g, second),
                            PRIMEGPU_ST_NONE);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL,
                     PRIMEGPU_CONTROL_ENABLE | PRIMEGPU_CONTROL_ENGINE_RESET);
    qprimegpu_assert_status(qprimegpu_entry_status(g, first),
                            PRIMEGPU_ST_CANCELLED);
    qprimegpu_assert_status(qprimegpu_run(g, qprimegpu_op_fill(key, 0, SIZE,
                                                               3)),
                            PRIMEGPU_ST_OK);

    /* Without a reset, when the host lets go */
    qprimegpu_inject(g->qts, DEVICE, "hang", 1, 1);
    first = submit_fill(g, key, 4);
    qtest_clock_step(g->qts, LONG_NS);
    g_assert_true(qprimegpu_is_filled(g, addr, 3, SIZE));
    qtest_qmp_assert_success(g->qts, "{ 'execute': 'primegpu-inject-clear' }");
    qprimegpu_assert_status(qprimegpu_wait(g, first), PRIMEGPU_ST_OK);
    g_assert_true(qprimegpu_is_filled(g, addr, 4, SIZE));
}

static void test_delay(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, addr, entry;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, SIZE, &addr);
    qprimegpu_memset(g, addr, 0, SIZE);
    qprimegpu_inject(g->qts, DEVICE, "delay", 1, 1);
    entry = submit_fill(g, key, 1);
    qtest_clock_step(g->qts, QPRIMEGPU_LATENCY_NS + DELAY_NS - 1);
    qprimegpu_assert_status(qprimegpu_entry_status(g, entry),
                            PRIMEGPU_ST_NONE);
    g_assert_true(qprimegpu_is_filled(g, addr, 0, SIZE));
    qtest_clock_step(g->qts, 1);
    qprimegpu_assert_status(qprimegpu_entry_status(g, entry), PRIMEGPU_ST_OK);
    g_assert_true(qprimegpu_is_filled(g, addr, 1, SIZE));
    /* Only that one */
    entry = submit_fill(g, key, 2);
    qtest_clock_step(g->qts, QPRIMEGPU_LATENCY_NS);
    qprimegpu_assert_status(qprimegpu_entry_status(g, entry), PRIMEGPU_ST_OK);
}

static uint64_t interrupts(QPrimeGPU *g)
{
    QDict *info = qprimegpu_query(g->qts, 1);
    uint64_t count = qdict_get_int(qdict_get_qdict(info, "counters"),
                                   "interrupts");

    qobject_unref(info);
    return count;
}

static void test_interrupt(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, addr;

    qpci_msix_enable(&g->dev);
    qprimegpu_start(g);
    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_ENABLE, PRIMEGPU_IRQ_ALL);
    qprimegpu_inject(g->qts, DEVICE, "interrupt", 1, 1);
    /* Those of the control ring are no chance. */
    key = qprimegpu_new_bo_pages(g, SIZE, &addr);
    g_assert_cmpuint(interrupts(g), ==, 1);
    g_assert_cmpuint(qprimegpu_faults_fired(g->qts), ==, 0);

    qprimegpu_assert_status(qprimegpu_run(g, qprimegpu_op_fill(key, 0, SIZE,
                                                               1)),
                            PRIMEGPU_ST_OK);
    g_assert_cmpuint(interrupts(g), ==, 1);
    g_assert_cmpuint(qprimegpu_faults_fired(g->qts), ==, 1);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_IRQ_STATUS) &
                    PRIMEGPU_IRQ_ENGINE_DONE, ==, PRIMEGPU_IRQ_ENGINE_DONE);
    qprimegpu_writel(g, PRIMEGPU_REG_IRQ_STATUS, PRIMEGPU_IRQ_ALL);
    qprimegpu_run(g, qprimegpu_op_fill(key, 0, SIZE, 2));
    g_assert_cmpuint(interrupts(g), ==, 2);
}

static QList *query_faults(QPrimeGPU *g)
{
    QDict *response = qtest_qmp(g->qts,
                                "{ 'execute': 'query-primegpu-faults' }");
    QList *list = qobject_ref(qdict_get_qlist(response, "return"));

    qobject_unref(response);
    return list;
}

static uint64_t armed(QPrimeGPU *g)
{
    QList *list = query_faults(g);
    uint64_t count = qlist_size(list);

    qobject_unref(list);
    return count;
}

static void test_forget(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    g_autofree char *text = NULL;
    QList *list;
    QDict *fault;

    qprimegpu_start(g);
    qprimegpu_inject(g->qts, DEVICE, "create", 1, 1);
    qtest_qmp_assert_success(g->qts, "{ 'execute': 'primegpu-inject',"
                             " 'arguments': { 'device': %s, 'at': 3,"
                             " 'fault': 'attach', 'keep': true } }", DEVICE);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    list = query_faults(g);
    g_assert_cmpuint(qlist_size(list), ==, 1);
    fault = qobject_to(QDict, qlist_peek(list));
    g_assert_cmpstr(qdict_get_str(fault, "fault"), ==, "attach");
    g_assert_cmpstr(qdict_get_str(fault, "status"), ==, "dma");
    text = qtest_hmp(g->qts, "info primegpu");
    g_assert_nonnull(strstr(text, "attach              3"));
    g_assert_cmpint(qdict_get_int(fault, "at"), ==, 3);
    g_assert_cmpint(qdict_get_int(fault, "fired"), ==, 0);
    qobject_unref(list);
    qprimegpu_start(g);
    qprimegpu_assert_status(create(g), PRIMEGPU_ST_OK);

    qtest_system_reset(g->qts);
    g_assert_cmpuint(armed(g), ==, 0);
}

static void assert_refused(QPrimeGPU *g, const char *fault, const char *name,
                           uint64_t value)
{
    QDict *response = qtest_qmp(g->qts, "{ 'execute': 'primegpu-inject',"
                                " 'arguments': { 'device': %s, 'fault': %s,"
                                " %s: %" PRIu64 " } }", DEVICE, fault, name,
                                value);

    g_assert_true(qdict_haskey(response, "error"));
    qobject_unref(response);
}

static void test_limits(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    unsigned int i;

    qprimegpu_start(g);
    assert_refused(g, "create", "at", 0);
    assert_refused(g, "create", "count", 0);
    assert_refused(g, "create", "ns", 1);
    assert_refused(g, "delay", "ns", UINT64_C(60000000001));
    g_assert_cmpuint(armed(g), ==, 0);
    for (i = 0; i < FAULTS_MAX; i++) {
        qprimegpu_inject(g->qts, DEVICE, "create", i + 1, 1);
    }
    assert_refused(g, "create", "at", 1);
    /* One that has come makes room. */
    qprimegpu_assert_status(create(g), PRIMEGPU_ST_NO_MEMORY);
    qprimegpu_inject(g->qts, DEVICE, "attach", 1, 1);
    g_assert_cmpuint(armed(g), ==, FAULTS_MAX);
}

static void register_tests(void)
{
    qprimegpu_add_test("inject/create", test_create);
    qprimegpu_add_test("inject/attach", test_attach);
    qprimegpu_add_test("inject/job", test_job);
    qprimegpu_add_test("inject/hang", test_hang);
    qprimegpu_add_test("inject/delay", test_delay);
    qprimegpu_add_test("inject/interrupt", test_interrupt);
    qprimegpu_add_test("inject/forget", test_forget);
    qprimegpu_add_test("inject/limits", test_limits);
}

libqos_init(register_tests);
