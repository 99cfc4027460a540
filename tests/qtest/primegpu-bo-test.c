/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu buffer objects: keys, clients, pages, VRAM, destruction.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu.h"

#define PAGE        PRIMEGPU_PAGE_SIZE
#define SIZE        (4 * PAGE)

static void test_life(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, addr;
    QDict *bo;

    qprimegpu_start(g);
    qprimegpu_writel(g, PRIMEGPU_REG_MARKER, 3);
    key = qprimegpu_new_bo_pages(g, SIZE, &addr);
    bo = qprimegpu_query_bo(g->qts, key);
    g_assert(bo);
    g_assert_cmpint(qdict_get_int(bo, "size"), ==, SIZE);
    g_assert_cmpint(qdict_get_int(bo, "attached"), ==, SIZE);
    g_assert_cmpint(qdict_get_int(bo, "created-step"), ==, 3);
    g_assert_cmpstr(qdict_get_str(bo, "location"), ==, "pages");
    g_assert_false(qdict_get_bool(bo, "imported"));
    g_assert_false(qdict_haskey(bo, "exporter"));
    g_assert_true(qlist_empty(qdict_get_qlist(bo, "clients")));
    qobject_unref(bo);

    qprimegpu_free_bo(g, key);
    g_assert_cmpuint(qprimegpu_bo_count(g->qts), ==, 0);
    g_assert_cmpuint(qprimegpu_violations(g->qts), ==, 0);
}

static void test_keys(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, last;

    qprimegpu_start(g);
    key = qprimegpu_key_next(g);
    last = key | PRIMEGPU_KEY_SERIAL;
    qprimegpu_assert_status(qprimegpu_create(g, key - 1, PAGE, 0, 0),
                            PRIMEGPU_ST_INVALID_KEY);
    qprimegpu_assert_status(
        qprimegpu_create(g, key ^ PRIMEGPU_KEY_DEVICE, PAGE, 0, 0),
        PRIMEGPU_ST_INVALID_KEY);
    qprimegpu_assert_status(qprimegpu_create(g, key, PAGE, 0, 0),
                            PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_create(g, key, PAGE, 0, 0),
                            PRIMEGPU_ST_INVALID_KEY);
    qprimegpu_assert_status(qprimegpu_destroy(g, key), PRIMEGPU_ST_OK);
    /* Not even when the first one is gone */
    qprimegpu_assert_status(qprimegpu_create(g, key, PAGE, 0, 0),
                            PRIMEGPU_ST_INVALID_KEY);
    /* Keys may skip; the last one is the last. */
    qprimegpu_assert_status(qprimegpu_create(g, last, PAGE, 0, 0),
                            PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_create(g, key + 1, PAGE, 0, 0),
                            PRIMEGPU_ST_INVALID_KEY);
    g_assert_cmpuint(qprimegpu_bo_count(g->qts), ==, 1);
}

static void test_sizes(void *obj, void *data, QGuestAllocator *alloc)
{
    static const uint64_t bad[] = { 0, 1, PAGE - 1, PAGE + 1, UINT64_MAX };
    QPrimeGPU *g = obj;
    uint64_t bytes_max, key;
    unsigned int i;

    qprimegpu_start(g);
    bytes_max = qprimegpu_readq(g, PRIMEGPU_REG_BYTES_MAX_LO);
    key = qprimegpu_key_next(g);
    for (i = 0; i < ARRAY_SIZE(bad); i++) {
        qprimegpu_assert_status(qprimegpu_create(g, key, bad[i], 0, 0),
                                PRIMEGPU_ST_INVALID_FIELD);
    }
    qprimegpu_assert_status(
        qprimegpu_create(g, key, UINT64_MAX - PAGE + 1, 0, 0),
        PRIMEGPU_ST_LIMIT);
    qprimegpu_assert_status(qprimegpu_create(g, key, bytes_max + PAGE, 0, 0),
                            PRIMEGPU_ST_LIMIT);
    qprimegpu_assert_status(qprimegpu_create(g, key, bytes_max, 0, 0),
                            PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_create(g, key + 1, PAGE, 0, 0),
                            PRIMEGPU_ST_LIMIT);
    qprimegpu_assert_status(qprimegpu_destroy(g, key), PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_create(g, key + 1, PAGE, 0, 0),
                            PRIMEGPU_ST_OK);
}

static void test_clients(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QDict *bo, *client;
    QList *clients;
    uint64_t key;

    qprimegpu_start(g);
    key = qprimegpu_new_bo(g, PAGE);
    qprimegpu_assert_status(qprimegpu_open(g, key, PRIMEGPU_CLIENT_KERNEL),
                            PRIMEGPU_ST_INVALID_FIELD);
    qprimegpu_assert_status(qprimegpu_close(g, key, QPRIMEGPU_CLIENT),
                            PRIMEGPU_ST_NOT_OPEN);
    qprimegpu_assert_status(qprimegpu_open(g, key, QPRIMEGPU_CLIENT),
                            PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_open(g, key, QPRIMEGPU_CLIENT),
                            PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_open(g, key, UINT32_MAX),
                            PRIMEGPU_ST_OK);
    bo = qprimegpu_query_bo(g->qts, key);
    clients = qdict_get_qlist(bo, "clients");
    g_assert_cmpuint(qlist_size(clients), ==, 2);
    client = qobject_to(QDict, qlist_peek(clients));
    g_assert_cmpint(qdict_get_int(client, "client"), ==, QPRIMEGPU_CLIENT);
    g_assert_cmpint(qdict_get_int(client, "handles"), ==, 2);
    qobject_unref(bo);

    qprimegpu_assert_status(qprimegpu_destroy(g, key),
                            PRIMEGPU_ST_STILL_OPEN);
    qprimegpu_assert_violation(g->qts, "destroy-open", key, 0);
    qprimegpu_assert_status(qprimegpu_close(g, key, UINT32_MAX),
                            PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_close(g, key, UINT32_MAX),
                            PRIMEGPU_ST_NOT_OPEN);
    qprimegpu_assert_status(qprimegpu_close(g, key, QPRIMEGPU_CLIENT),
                            PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_destroy(g, key),
                            PRIMEGPU_ST_STILL_OPEN);
    qprimegpu_assert_status(qprimegpu_close(g, key, QPRIMEGPU_CLIENT),
                            PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_destroy(g, key), PRIMEGPU_ST_OK);
}

static void test_attach(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t addr, key;
    struct primegpu_sg sg[2];
    QDict *bo;

    qprimegpu_start(g);
    addr = qprimegpu_alloc_pages(g, 5);
    key = qprimegpu_new_bo(g, SIZE);
    sg[0].addr = cpu_to_le64(addr + 2 * PAGE);
    sg[0].length = cpu_to_le64(PAGE);
    sg[1].addr = cpu_to_le64(addr);
    sg[1].length = cpu_to_le64(2 * PAGE);
    qprimegpu_assert_status(qprimegpu_attach_sg(g, key, PAGE, sg, 2),
                            PRIMEGPU_ST_INVALID_FIELD);
    qprimegpu_assert_status(qprimegpu_attach_sg(g, key, 0, sg, 0),
                            PRIMEGPU_ST_INVALID_FIELD);
    qprimegpu_assert_status(qprimegpu_attach_sg(g, key, 0, sg, 2),
                            PRIMEGPU_ST_OK);
    bo = qprimegpu_query_bo(g->qts, key);
    g_assert_cmpint(qdict_get_int(bo, "attached"), ==, 3 * PAGE);
    g_assert_cmpstr(qdict_get_str(bo, "location"), ==, "none");
    qobject_unref(bo);

    /* One page is missing: two are too many. */
    sg[0].addr = cpu_to_le64(addr + 3 * PAGE);
    sg[0].length = cpu_to_le64(2 * PAGE);
    qprimegpu_assert_status(qprimegpu_attach_sg(g, key, 3 * PAGE, sg, 1),
                            PRIMEGPU_ST_RANGE);
    sg[0].length = cpu_to_le64(PAGE);
    qprimegpu_assert_status(qprimegpu_attach_sg(g, key, 3 * PAGE, sg, 1),
                            PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_attach_sg(g, key, SIZE, sg, 1),
                            PRIMEGPU_ST_ATTACHED);
    qprimegpu_assert_status(qprimegpu_detach(g, key), PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_detach(g, key),
                            PRIMEGPU_ST_NOT_ATTACHED);
    qprimegpu_assert_status(qprimegpu_attach(g, key, addr, SIZE),
                            PRIMEGPU_ST_OK);
}

static void test_sg_max(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    struct primegpu_sg sg[PRIMEGPU_SG_MAX];
    struct primegpu_cmd_bo_attach lie = {
        .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_BO_ATTACH),
        .sg_count = cpu_to_le32(PRIMEGPU_SG_MAX + 1),
    };
    uint64_t addr, key;
    unsigned int i;

    qprimegpu_start(g);
    addr = qprimegpu_alloc_pages(g, PRIMEGPU_SG_MAX);
    key = qprimegpu_new_bo(g, PRIMEGPU_SG_MAX * PAGE);
    /* Backwards, so that no two entries can be made one */
    for (i = 0; i < PRIMEGPU_SG_MAX; i++) {
        sg[i].addr = cpu_to_le64(addr + (PRIMEGPU_SG_MAX - 1 - i) * PAGE);
        sg[i].length = cpu_to_le64(PAGE);
    }
    lie.key = cpu_to_le64(key);
    lie.sg_addr = cpu_to_le64(g->scratch);
    qprimegpu_assert_status(qprimegpu_ctrl(g, &lie),
                            PRIMEGPU_ST_INVALID_FIELD);
    qprimegpu_assert_status(qprimegpu_attach_sg(g, key, 0, sg,
                                                PRIMEGPU_SG_MAX),
                            PRIMEGPU_ST_OK);
    qprimegpu_free_bo(g, key);
}

static void test_unknown(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, addr;

    qprimegpu_start(g);
    addr = qprimegpu_alloc_pages(g, 1);
    key = qprimegpu_key_next(g);
    qprimegpu_assert_status(qprimegpu_open(g, key, QPRIMEGPU_CLIENT),
                            PRIMEGPU_ST_UNKNOWN_BO);
    qprimegpu_assert_status(qprimegpu_close(g, key, QPRIMEGPU_CLIENT),
                            PRIMEGPU_ST_UNKNOWN_BO);
    qprimegpu_assert_status(qprimegpu_attach(g, key, addr, PAGE),
                            PRIMEGPU_ST_UNKNOWN_BO);
    qprimegpu_assert_status(qprimegpu_detach(g, key), PRIMEGPU_ST_UNKNOWN_BO);
    qprimegpu_assert_status(qprimegpu_destroy(g, key),
                            PRIMEGPU_ST_UNKNOWN_BO);
    qprimegpu_assert_violation(g->qts, "unknown-bo", key, 0);
    g_assert_cmpuint(qprimegpu_violations_of(g->qts, "unknown-bo"), ==, 5);
}

static void test_place(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, other, end = QPRIMEGPU_VRAM_SIZE - SIZE;
    QDict *bo;

    qprimegpu_start(g);
    key = qprimegpu_new_bo(g, SIZE);
    other = qprimegpu_new_bo(g, PAGE);
    if (!g->discrete) {
        qprimegpu_assert_status(qprimegpu_place(g, key,
                                                PRIMEGPU_LOCATION_VRAM, 0),
                                PRIMEGPU_ST_UNSUPPORTED);
        return;
    }
    qprimegpu_assert_status(qprimegpu_place(g, key, PRIMEGPU_LOCATION_VRAM,
                                            end + PAGE), PRIMEGPU_ST_RANGE);
    qprimegpu_assert_status(qprimegpu_place(g, key, PRIMEGPU_LOCATION_VRAM,
                                            UINT64_MAX - PAGE + 1),
                            PRIMEGPU_ST_RANGE);
    qprimegpu_assert_status(qprimegpu_place(g, key, PRIMEGPU_LOCATION_VRAM,
                                            1), PRIMEGPU_ST_INVALID_FIELD);
    qprimegpu_assert_status(qprimegpu_place(g, key,
                                            PRIMEGPU_LOCATION_VRAM + 1, 0),
                            PRIMEGPU_ST_INVALID_FIELD);
    qprimegpu_assert_status(qprimegpu_place(g, key, PRIMEGPU_LOCATION_VRAM,
                                            end), PRIMEGPU_ST_OK);
    bo = qprimegpu_query_bo(g->qts, key);
    g_assert_cmpstr(qdict_get_str(bo, "location"), ==, "vram");
    g_assert_cmpint(qdict_get_int(bo, "vram-offset"), ==, end);
    qobject_unref(bo);
    /* The last page of it is taken; the one before it is not. */
    qprimegpu_assert_status(qprimegpu_place(g, other, PRIMEGPU_LOCATION_VRAM,
                                            end + SIZE - PAGE),
                            PRIMEGPU_ST_OVERLAP);
    qprimegpu_assert_status(qprimegpu_place(g, other, PRIMEGPU_LOCATION_VRAM,
                                            end - PAGE), PRIMEGPU_ST_OK);
    /* A move may overlap the place that the BO has now. */
    qprimegpu_assert_status(qprimegpu_place(g, other, PRIMEGPU_LOCATION_PAGES,
                                            0), PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_place(g, key, PRIMEGPU_LOCATION_VRAM,
                                            end - PAGE), PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_destroy(g, key), PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_place(g, other, PRIMEGPU_LOCATION_VRAM,
                                            end), PRIMEGPU_ST_OK);
}

static void test_counters(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, addr;
    QDict *info, *counters;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, SIZE, &addr);
    qprimegpu_open(g, key, QPRIMEGPU_CLIENT);
    info = qprimegpu_query(g->qts, qprimegpu_readl(g, PRIMEGPU_REG_DEVICE_ID));
    g_assert_cmpint(qdict_get_int(info, "bos"), ==, 1);
    g_assert_cmpint(qdict_get_int(info, "bytes"), ==, SIZE);
    qobject_unref(info);
    qprimegpu_destroy(g, key);
    qprimegpu_close(g, key, QPRIMEGPU_CLIENT);
    qprimegpu_free_bo(g, key);

    info = qprimegpu_query(g->qts, qprimegpu_readl(g, PRIMEGPU_REG_DEVICE_ID));
    counters = qdict_get_qdict(info, "counters");
    g_assert_cmpint(qdict_get_int(info, "bos"), ==, 0);
    g_assert_cmpint(qdict_get_int(info, "bytes"), ==, 0);
    g_assert_cmpint(qdict_get_int(counters, "created"), ==, 1);
    g_assert_cmpint(qdict_get_int(counters, "released"), ==, 1);
    g_assert_cmpint(qdict_get_int(counters, "opened"), ==, 1);
    g_assert_cmpint(qdict_get_int(counters, "closed"), ==, 1);
    g_assert_cmpint(qdict_get_int(counters, "attached"), ==, 1);
    g_assert_cmpint(qdict_get_int(counters, "detached"), ==, 1);
    g_assert_cmpint(qdict_get_int(counters, "commands"), ==, 7);
    g_assert_cmpint(qdict_get_int(counters, "command-errors"), ==, 1);
    g_assert_cmpint(qdict_get_int(counters, "doorbells"), ==, 7);
    qobject_unref(info);
}

static void register_tests(void)
{
    qprimegpu_add_test("bo/life", test_life);
    qprimegpu_add_test("bo/keys", test_keys);
    qprimegpu_add_test("bo/sizes", test_sizes);
    qprimegpu_add_test("bo/clients", test_clients);
    qprimegpu_add_test("bo/attach", test_attach);
    qprimegpu_add_test("bo/sg-max", test_sg_max);
    qprimegpu_add_test("bo/unknown", test_unknown);
    qprimegpu_add_test("bo/place", test_place);
    qprimegpu_add_test("bo/counters", test_counters);
}

libqos_init(register_tests);
