/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu against a hostile guest: random registers, commands and jobs.
 *
 * Each case has a fixed seed, so a failure can be run again.  What is checked
 * is that QEMU lives, that its view of the device stays consistent, and that
 * the device works after a reset.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu.h"

#define PAGE        PRIMEGPU_PAGE_SIZE
#define ROUNDS      600
#define STEP_NS     100000

/* Pages that bad scatter lists name, and BOs that commands name */
#define PAGES       8
#define KEYS        16

static const uint64_t edges[] = {
    0, 1, PAGE - 1, PAGE, PAGE + 1, PAGES * PAGE,
    INT32_MAX, UINT32_MAX, UINT32_MAX + 1ull, UINT32_MAX - PAGE + 1,
    INT64_MAX, UINT64_MAX, UINT64_MAX - PAGE + 1, 1ull << 63,
};

static uint64_t pick_edge(GRand *rand)
{
    return edges[g_rand_int_range(rand, 0, ARRAY_SIZE(edges))];
}

/* Mostly a key that may be alive */
static uint64_t pick_key(GRand *rand, uint64_t first)
{
    if (g_rand_int_range(rand, 0, 8) == 0) {
        return pick_edge(rand);
    }
    return first + g_rand_int_range(rand, 0, KEYS);
}

static uint64_t pick_address(GRand *rand, QPrimeGPU *g, uint64_t pages)
{
    switch (g_rand_int_range(rand, 0, 6)) {
    case 0:
        return pick_edge(rand);
    case 1:
        return g->regs.addr;
    case 2:
        return g->ctrl.base;
    default:
        return pages + g_rand_int_range(rand, 0, PAGES) * PAGE;
    }
}

/* The device answers, and its sums are those of its BOs. */
static void check_alive(QPrimeGPU *g)
{
    QDict *info = qprimegpu_query(g->qts,
                                  qprimegpu_readl(g,
                                                  PRIMEGPU_REG_DEVICE_ID));
    QList *list = qprimegpu_query_bos(g->qts);
    QListEntry *entry;
    uint64_t bytes = 0;

    QLIST_FOREACH_ENTRY(list, entry) {
        QDict *bo = qobject_to(QDict, qlist_entry_obj(entry));

        bytes += qdict_get_int(bo, "size");
        g_assert_cmpint(qdict_get_int(bo, "attached"), <=,
                        qdict_get_int(bo, "size"));
    }
    g_assert_cmpint(qdict_get_int(info, "bos"), ==, qlist_size(list));
    g_assert_cmpint(qdict_get_int(info, "bytes"), ==, bytes);
    g_assert_cmpint(qdict_get_int(info, "bos"), <=,
                    qdict_get_int(info, "bos-max"));
    g_assert_cmpint(qdict_get_int(info, "vram-used"), <=,
                    qdict_get_int(info, "vram-size"));
    qobject_unref(list);
    qobject_unref(info);
}

static void check_recovers(QPrimeGPU *g)
{
    uint64_t key, addr;

    check_alive(g);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    qprimegpu_start(g);
    g_assert_cmpuint(qprimegpu_bo_count(g->qts), ==, 0);
    key = qprimegpu_new_bo_pages(g, PAGE, &addr);
    qprimegpu_assert_status(
        qprimegpu_run(g, qprimegpu_op_fill(key, 0, PAGE, 0x3c)),
        PRIMEGPU_ST_OK);
    g_assert(qprimegpu_is_filled(g, addr, 0x3c, PAGE));
}

static void test_registers(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    GRand *rand = g_rand_new_with_seed(1);
    unsigned int i;

    qprimegpu_start(g);
    for (i = 0; i < ROUNDS; i++) {
        uint64_t offset = g_rand_int_range(rand, 0, PRIMEGPU_BAR_REGS_SIZE);

        /* The marker and CONTROL by chance, the others mostly */
        if (i % 2) {
            offset = g_rand_int_range(rand, 0,
                                      PRIMEGPU_REG_ENGINE_WB_HI + 1);
        }
        offset &= ~(uint64_t)(sizeof(uint32_t) - 1);
        qpci_io_writel(&g->dev, g->regs, offset,
                       i % 3 ? g_rand_int(rand) : pick_edge(rand));
        qpci_io_readl(&g->dev, g->regs, offset);
        qtest_clock_step(g->qts, STEP_NS);
    }
    check_recovers(g);
    g_rand_free(rand);
}

static void put_random_command(QPrimeGPU *g, GRand *rand, uint64_t first,
                               uint64_t pages)
{
    uint64_t words[PRIMEGPU_RING_ENTRY_SIZE / sizeof(uint64_t)] = { };
    struct primegpu_cmd_hdr hdr = { };
    struct primegpu_sg sg = {
        .addr = cpu_to_le64(pick_address(rand, g, pages)),
        .length = cpu_to_le64(g_rand_int_range(rand, 0, 3) * PAGE),
    };

    hdr.opcode = cpu_to_le16(g_rand_int_range(rand, 0,
                                              PRIMEGPU_OP_BO_DESTROY + 2));
    hdr.flags = cpu_to_le16(g_rand_int_range(rand, 0, 3));
    memcpy(words, &hdr, sizeof(hdr));
    words[2] = cpu_to_le64(pick_key(rand, first));
    words[3] = cpu_to_le64(g_rand_int_range(rand, 0, 3) ?
                           g_rand_int_range(rand, 0, 3) * PAGE :
                           pick_edge(rand));
    words[4] = cpu_to_le64(g_rand_int_range(rand, 0, 3) ? g->scratch :
                           pick_key(rand, first));
    words[5] = cpu_to_le64(g_rand_int_range(rand, 0, 3));
    if (g_rand_int_range(rand, 0, 8) == 0) {
        words[g_rand_int_range(rand, 2, ARRAY_SIZE(words))] =
            cpu_to_le64(pick_edge(rand));
    }
    qtest_memwrite(g->qts, g->scratch, &sg, sizeof(sg));
    qprimegpu_ring_put(g, &g->ctrl, words);
    qprimegpu_ctrl_kick(g);
}

static void test_commands(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    GRand *rand = g_rand_new_with_seed(2);
    uint64_t pages, first;
    unsigned int i;

    qprimegpu_start(g);
    pages = qprimegpu_alloc_pages(g, PAGES);
    for (i = 0; i < ROUNDS; i++) {
        first = qprimegpu_key_next(g) - KEYS / 2;
        put_random_command(g, rand, first, pages);
        if (i % 64 == 0) {
            check_alive(g);
        }
    }
    check_recovers(g);
    g_rand_free(rand);
}

static struct primegpu_job_op random_op(GRand *rand, uint64_t first)
{
    struct primegpu_job_op op = {
        .opcode = cpu_to_le16(g_rand_int_range(rand, 0, 4)),
        .value = cpu_to_le32(g_rand_int(rand)),
        .dst_key = cpu_to_le64(first + g_rand_int_range(rand, 0, 4)),
        .dst_offset = cpu_to_le64(g_rand_int_range(rand, 0, PAGE)),
        .width = cpu_to_le32(g_rand_int_range(rand, 0, 64)),
        .height = cpu_to_le32(g_rand_int_range(rand, 0, 64)),
        .dst_stride = cpu_to_le32(g_rand_int_range(rand, 0, 256)),
        .cpp = cpu_to_le32(1u << g_rand_int_range(rand, 0, 5)),
    };

    if (le16_to_cpu(op.opcode) == PRIMEGPU_JOB_OP_COPY) {
        op.src_key = cpu_to_le64(first + g_rand_int_range(rand, 0, 4));
        op.src_offset = cpu_to_le64(g_rand_int_range(rand, 0, PAGE));
        op.src_stride = cpu_to_le32(g_rand_int_range(rand, 0, 256));
    }
    if (g_rand_int_range(rand, 0, 2)) {
        op.dst_offset = cpu_to_le64(pick_edge(rand));
    }
    if (g_rand_int_range(rand, 0, 4) == 0) {
        op.dst_stride = cpu_to_le32(pick_edge(rand));
        op.width = cpu_to_le32(pick_edge(rand));
        op.height = cpu_to_le32(pick_edge(rand));
    }
    return op;
}

/* Jobs on BOs with guards around their pages: nothing outside changes. */
static void test_jobs(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    GRand *rand = g_rand_new_with_seed(3);
    uint64_t pages, first = 0;
    unsigned int i;

    qprimegpu_start(g);
    pages = qprimegpu_alloc_pages(g, 7);
    qprimegpu_memset(g, pages, 0x99, 7 * PAGE);
    for (i = 0; i < 3; i++) {
        uint64_t key = qprimegpu_new_bo(g, PAGE);

        first = first ?: key;
        qprimegpu_attach(g, key, pages + (2 * i + 1) * PAGE, PAGE);
    }
    for (i = 0; i < ROUNDS; i++) {
        struct primegpu_job_op ops[2] = {
            random_op(rand, first), random_op(rand, first),
        };
        uint64_t entry = qprimegpu_submit(g, ops, ARRAY_SIZE(ops));

        g_assert_cmpuint(qprimegpu_wait(g, entry), !=, PRIMEGPU_ST_NONE);
    }
    for (i = 0; i < 4; i++) {
        g_assert(qprimegpu_is_filled(g, pages + 2 * i * PAGE, 0x99, PAGE));
    }
    check_recovers(g);
    g_rand_free(rand);
}

/* A good plane of a random format with a few bytes that are not */
static struct primegpu_plane random_plane(GRand *rand, uint64_t first)
{
    static const uint32_t formats[] = {
        PRIMEGPU_FORMAT_ARGB8888, PRIMEGPU_FORMAT_ARGB2101010,
        PRIMEGPU_FORMAT_RGB565, PRIMEGPU_FORMAT_ARGB1555,
        PRIMEGPU_FORMAT_UYVY, PRIMEGPU_FORMAT_NV21, PRIMEGPU_FORMAT_YUV420,
    };
    uint64_t key = first + g_rand_int_range(rand, 0, 3);
    struct primegpu_plane plane = qprimegpu_plane(
        g_rand_int_range(rand, 0, PRIMEGPU_PLANE_MAX), key, 16, 8);
    uint8_t *bytes = (uint8_t *)&plane;
    int changes = g_rand_int_range(rand, -2, 3);

    if (g_rand_int_range(rand, 0, 2)) {
        plane.format = cpu_to_le32(
            formats[g_rand_int_range(rand, 0, ARRAY_SIZE(formats))]);
        plane.key[1] = cpu_to_le64(g_rand_int_range(rand, 0, 2) ? key : 0);
        plane.key[2] = cpu_to_le64(g_rand_int_range(rand, 0, 2) ? key : 0);
        plane.stride[1] = plane.key[1] ? plane.stride[0] : 0;
        plane.stride[2] = plane.key[2] ? plane.stride[0] : 0;
    }
    plane.rotation = 1 << g_rand_int_range(rand, 0, 4);
    plane.dst_x = cpu_to_le32(g_rand_int_range(rand, -40, 40));
    plane.dst_y = cpu_to_le32(g_rand_int_range(rand, -40, 40));
    for (; changes > 0; changes--) {
        uint64_t edge = cpu_to_le64(pick_edge(rand));
        unsigned int place = g_rand_int_range(rand, 0, sizeof(plane) /
                                              sizeof(uint32_t));

        if (g_rand_int_range(rand, 0, 2)) {
            bytes[g_rand_int_range(rand, 0, sizeof(plane))] =
                g_rand_int(rand);
        } else {
            memcpy(bytes + place * sizeof(uint32_t), &edge, sizeof(uint32_t));
        }
    }
    return plane;
}

static void put_random_commit(QPrimeGPU *g, GRand *rand, uint64_t first)
{
    struct primegpu_plane planes[PRIMEGPU_PLANE_MAX];
    struct primegpu_color color = {
        .flags = cpu_to_le32(g_rand_int_range(rand, 0, 8)),
    };
    uint32_t count = g_rand_int_range(rand, 0, PRIMEGPU_PLANE_MAX);
    struct primegpu_cmd_commit commit;
    unsigned int i;

    color.ctm[g_rand_int_range(rand, 0, ARRAY_SIZE(color.ctm))] =
        cpu_to_le64(pick_edge(rand));
    for (i = 0; i < count; i++) {
        planes[i] = random_plane(rand, first);
    }
    commit = qprimegpu_commit_cmd(g, g_rand_int_range(rand, 0, 2), planes,
                                  count, &color);
    if (g_rand_int_range(rand, 0, 2)) {
        commit.hdr.flags = 0;
        commit.color_addr = 0;
    }
    if (g_rand_int_range(rand, 0, 4) == 0) {
        commit.hdr.flags |= cpu_to_le16(PRIMEGPU_COMMIT_WRITEBACK);
        commit.wb_key = cpu_to_le64(first);
        commit.wb_stride = cpu_to_le32(g_rand_int_range(rand, 0, 64) * 4);
        commit.wb_format = cpu_to_le32(PRIMEGPU_FORMAT_XRGB8888);
    }
    if (g_rand_int_range(rand, 0, 4) == 0) {
        commit.hdr.flags |= cpu_to_le16(PRIMEGPU_COMMIT_ASYNC);
    }
    qprimegpu_ctrl(g, &commit);
}

static void put_random_mode(QPrimeGPU *g, GRand *rand)
{
    struct primegpu_cmd_mode mode = qprimegpu_mode(
        g_rand_int_range(rand, 0, 2), g_rand_int_range(rand, 0, 64),
        g_rand_int_range(rand, 0, 64));
    uint8_t *bytes = (uint8_t *)&mode;

    if (g_rand_int_range(rand, 0, 2)) {
        bytes[g_rand_int_range(rand, offsetof(struct primegpu_cmd_mode,
                                              clock),
                               offsetof(struct primegpu_cmd_mode, rsvd20))] =
            g_rand_int(rand);
    }
    qprimegpu_ctrl(g, &mode);
}

/*
 * Random modes and commits, all frames composed.  BOs have guards around their
 * pages, and one of them is written to: nothing outside changes.
 */
static void test_commits(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    GRand *rand = g_rand_new_with_seed(4);
    uint64_t pages, first = 0, latched = 0;
    unsigned int i;

    qprimegpu_start(g);
    pages = qprimegpu_alloc_pages(g, 7);
    qprimegpu_memset(g, pages, 0x99, 7 * PAGE);
    for (i = 0; i < 3; i++) {
        uint64_t key = qprimegpu_new_bo(g, PAGE);

        first = first ?: key;
        qprimegpu_attach(g, key, pages + (2 * i + 1) * PAGE, PAGE);
    }
    qprimegpu_set_mode(g, 0, 16, 8);
    for (i = 0; i < ROUNDS; i++) {
        qprimegpu_output_writel(g, i % 2, PRIMEGPU_OUTPUT_REG_CONTROL,
                                PRIMEGPU_OUTPUT_CONTROL_CRC);
        if (i % 16 == 15) {
            put_random_mode(g, rand);
        }
        put_random_commit(g, rand, first);
        qprimegpu_detach(g, first + g_rand_int_range(rand, 0, 3));
        qprimegpu_attach(g, first, pages + PAGE, PAGE);
        qtest_clock_step(g->qts, 10 * 1000 * 1000);
    }
    latched = qprimegpu_output_counter(g->qts, 1, 0, "flips");
    g_test_message("%" PRIu64 " latched", latched);
    g_assert_cmpuint(latched, >, ROUNDS / 32);
    for (i = 0; i < 4; i++) {
        g_assert(qprimegpu_is_filled(g, pages + 2 * i * PAGE, 0x99, PAGE));
    }
    check_recovers(g);
    g_rand_free(rand);
}

/* Operations that change after the doorbell: the job runs what was there. */
static void test_changed_ops(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    struct primegpu_cmd_job job = {
        .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_JOB),
        .op_count = cpu_to_le32(1),
    };
    struct primegpu_job_op op;
    uint64_t key, addr, ops, entry;

    qprimegpu_start(g);
    key = qprimegpu_new_bo_pages(g, PAGE, &addr);
    ops = qprimegpu_alloc_pages(g, 1);
    op = qprimegpu_op_fill(key, 0, PAGE, 0x51);
    qtest_memwrite(g->qts, ops, &op, sizeof(op));
    qprimegpu_set_gate(g->qts, "primegpu0", true);
    job.ops_addr = cpu_to_le64(ops);
    entry = qprimegpu_ring_put(g, &g->engine, &job);
    qprimegpu_engine_kick(g);
    qtest_clock_step(g->qts, STEP_NS);
    op = qprimegpu_op_fill(key, 0, UINT32_MAX, 0x52);
    qtest_memwrite(g->qts, ops, &op, sizeof(op));
    qprimegpu_set_gate(g->qts, "primegpu0", false);
    qprimegpu_assert_status(qprimegpu_wait(g, entry), PRIMEGPU_ST_OK);
    g_assert(qprimegpu_is_filled(g, addr, 0x51, PAGE));
}

/* The status of a command goes where its ring is, and nowhere else. */
static void test_ring_in_vram(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;

    qprimegpu_setup_rings(g);
    qprimegpu_writeq(g, PRIMEGPU_REG_CTRL_BASE_LO, g->vram.addr);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_ENABLE);
    qprimegpu_writel(g, PRIMEGPU_REG_CTRL_TAIL, 1);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_STATUS), ==,
                    PRIMEGPU_STATUS_CTRL_FAULT);
    g_assert(qprimegpu_is_filled(g, g->vram.addr, 0, PAGE));
    check_recovers(g);
}

static void register_tests(void)
{
    qprimegpu_add_test("hostile/registers", test_registers);
    qprimegpu_add_test("hostile/commands", test_commands);
    qprimegpu_add_test("hostile/jobs", test_jobs);
    qprimegpu_add_test("hostile/commits", test_commits);
    qprimegpu_add_test("hostile/changed-ops", test_changed_ops);
    qprimegpu_add_vram_test("hostile/ring-in-vram", test_ring_in_vram);
}

libqos_init(register_tests);
