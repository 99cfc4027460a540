/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu memory: what DMA may reach and what it may not.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "libqtest.h"
#include "libqos/primegpu.h"

#define PAGE        PRIMEGPU_PAGE_SIZE

/* RAM of the machine that the graph starts, and an address with nothing */
#define RAM_SIZE    (128 * MiB)
#define HOLE        0xd0000000ull

static uint32_t try_attach(QPrimeGPU *g, uint64_t addr, uint64_t size)
{
    uint64_t key = qprimegpu_new_bo(g, size);
    uint32_t status = qprimegpu_attach(g, key, addr, size);

    qprimegpu_assert_status(qprimegpu_destroy(g, key), PRIMEGPU_ST_OK);
    return status;
}

static void test_ram(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;

    qprimegpu_start(g);
    qprimegpu_assert_status(try_attach(g, 0, PAGE), PRIMEGPU_ST_OK);
    qprimegpu_assert_status(try_attach(g, RAM_SIZE - PAGE, PAGE),
                            PRIMEGPU_ST_OK);
    qprimegpu_assert_status(try_attach(g, RAM_SIZE - PAGE, 2 * PAGE),
                            PRIMEGPU_ST_DMA);
    qprimegpu_assert_status(try_attach(g, RAM_SIZE, PAGE), PRIMEGPU_ST_DMA);
    qprimegpu_assert_status(try_attach(g, HOLE, PAGE), PRIMEGPU_ST_DMA);
    qprimegpu_assert_status(try_attach(g, 1ull << 63, PAGE), PRIMEGPU_ST_DMA);
    qprimegpu_assert_status(try_attach(g, UINT64_MAX - PAGE + 1, PAGE),
                            PRIMEGPU_ST_DMA);
}

/* The end of the last entry is past 2^64. */
static void test_wrap(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;

    qprimegpu_start(g);
    qprimegpu_assert_status(try_attach(g, UINT64_MAX - PAGE + 1, 2 * PAGE),
                            PRIMEGPU_ST_DMA);
}

static void test_unaligned(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t addr, key;

    qprimegpu_start(g);
    addr = qprimegpu_alloc_pages(g, 2);
    key = qprimegpu_new_bo(g, PAGE);
    qprimegpu_assert_status(qprimegpu_attach(g, key, addr + 1, PAGE),
                            PRIMEGPU_ST_INVALID_FIELD);
    qprimegpu_assert_status(qprimegpu_attach(g, key, addr, PAGE - 1),
                            PRIMEGPU_ST_INVALID_FIELD);
    qprimegpu_assert_status(qprimegpu_attach(g, key, addr, 0),
                            PRIMEGPU_ST_INVALID_FIELD);
}

static void test_own_bars(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;

    qprimegpu_start(g);
    qprimegpu_assert_status(try_attach(g, g->regs.addr, PAGE),
                            PRIMEGPU_ST_DMA);
    if (g->discrete) {
        qprimegpu_assert_status(try_attach(g, g->vram.addr, PAGE),
                                PRIMEGPU_ST_DMA);
        qprimegpu_assert_status(
            try_attach(g, g->vram.addr + QPRIMEGPU_VRAM_SIZE - PAGE, PAGE),
            PRIMEGPU_ST_DMA);
    }
}

/* A list that is bad at its end leaves nothing behind. */
static void test_bad_tail(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    struct primegpu_sg sg[2];
    uint64_t addr, key;
    QDict *bo;

    qprimegpu_start(g);
    addr = qprimegpu_alloc_pages(g, 1);
    key = qprimegpu_new_bo(g, 2 * PAGE);
    sg[0].addr = cpu_to_le64(addr);
    sg[0].length = cpu_to_le64(PAGE);
    sg[1].addr = cpu_to_le64(HOLE);
    sg[1].length = cpu_to_le64(PAGE);
    qprimegpu_assert_status(qprimegpu_attach_sg(g, key, 0, sg, 2),
                            PRIMEGPU_ST_DMA);
    bo = qprimegpu_query_bo(g->qts, key);
    g_assert_cmpint(qdict_get_int(bo, "attached"), ==, 0);
    qobject_unref(bo);
}

static void test_list_address(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    struct primegpu_cmd_bo_attach command = {
        .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_BO_ATTACH),
        .sg_count = cpu_to_le32(1),
    };
    const uint64_t bad[] = { HOLE, g->regs.addr,
                             UINT64_MAX - sizeof(uint64_t) + 1 };
    unsigned int i;

    qprimegpu_start(g);
    command.key = cpu_to_le64(qprimegpu_new_bo(g, PAGE));
    for (i = 0; i < ARRAY_SIZE(bad); i++) {
        command.sg_addr = cpu_to_le64(bad[i]);
        qprimegpu_assert_status(qprimegpu_ctrl(g, &command), PRIMEGPU_ST_DMA);
    }
}

/* The guest and jobs see the same VRAM. */
static void test_vram_bar(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint64_t key, end = QPRIMEGPU_VRAM_SIZE - PAGE;

    qprimegpu_start(g);
    key = qprimegpu_new_bo(g, PAGE);
    qprimegpu_place(g, key, PRIMEGPU_LOCATION_VRAM, end);
    qprimegpu_assert_status(
        qprimegpu_run(g, qprimegpu_op_fill(key, 0, PAGE, 0x5a)),
        PRIMEGPU_ST_OK);
    g_assert(qprimegpu_is_filled(g, g->vram.addr + end, 0x5a, PAGE));
    g_assert(qprimegpu_is_filled(g, g->vram.addr + end - PAGE, 0, PAGE));
}

static void register_tests(void)
{
    qprimegpu_add_test("mem/ram", test_ram);
    qprimegpu_add_test("mem/wrap", test_wrap);
    qprimegpu_add_test("mem/unaligned", test_unaligned);
    qprimegpu_add_test("mem/own-bars", test_own_bars);
    qprimegpu_add_test("mem/bad-tail", test_bad_tail);
    qprimegpu_add_test("mem/list-address", test_list_address);
    qprimegpu_add_vram_test("mem/vram-bar", test_vram_bar);
}

libqos_init(register_tests);
