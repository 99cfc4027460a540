/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libqos driver for the primegpu devices: outputs, modes and commits.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "../libqtest.h"
#include "primegpu.h"

/* What blanking adds to a mode */
#define QPRIMEGPU_HBLANK        16
#define QPRIMEGPU_VBLANK        8

#define QPRIMEGPU_NS_PER_MS     1000000ull

uint32_t qprimegpu_output_readl(QPrimeGPU *g, uint32_t output,
                                enum primegpu_output_reg reg)
{
    return qpci_io_readl(&g->dev, g->regs, PRIMEGPU_OUTPUT(output) + reg);
}

void qprimegpu_output_writel(QPrimeGPU *g, uint32_t output,
                             enum primegpu_output_reg reg, uint32_t value)
{
    qpci_io_writel(&g->dev, g->regs, PRIMEGPU_OUTPUT(output) + reg, value);
}

uint64_t qprimegpu_output_readq(QPrimeGPU *g, uint32_t output,
                                enum primegpu_output_reg lo)
{
    uint64_t low = qprimegpu_output_readl(g, output, lo);
    uint64_t high = qprimegpu_output_readl(g, output, lo + sizeof(uint32_t));

    return high << 32 | low;
}

uint32_t qprimegpu_output_status(QPrimeGPU *g, uint32_t output)
{
    return qprimegpu_output_readl(g, output, PRIMEGPU_OUTPUT_REG_STATUS);
}

uint32_t qprimegpu_vblank_count(QPrimeGPU *g, uint32_t output)
{
    return qprimegpu_output_readl(g, output, PRIMEGPU_OUTPUT_REG_VBLANK_COUNT);
}

uint64_t qprimegpu_vblank_time(QPrimeGPU *g, uint32_t output)
{
    return qprimegpu_output_readq(g, output,
                                  PRIMEGPU_OUTPUT_REG_VBLANK_TIME_LO);
}

uint64_t qprimegpu_flip_seq(QPrimeGPU *g, uint32_t output)
{
    return qprimegpu_output_readq(g, output, PRIMEGPU_OUTPUT_REG_FLIP_SEQ_LO);
}

uint64_t qprimegpu_clock(QPrimeGPU *g)
{
    return qprimegpu_readq(g, PRIMEGPU_REG_CLOCK_LO);
}

uint32_t qprimegpu_output_take_irqs(QPrimeGPU *g, uint32_t output)
{
    uint32_t bits = qprimegpu_output_readl(g, output,
                                           PRIMEGPU_OUTPUT_REG_IRQ_STATUS);

    qprimegpu_output_writel(g, output, PRIMEGPU_OUTPUT_REG_IRQ_STATUS, bits);
    return bits;
}

struct primegpu_cmd_mode qprimegpu_mode(uint32_t output, uint32_t width,
                                        uint32_t height)
{
    uint32_t htotal = width + QPRIMEGPU_HBLANK;
    uint32_t vtotal = height + QPRIMEGPU_VBLANK;

    return (struct primegpu_cmd_mode) {
        .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_MODE),
        .output = cpu_to_le32(output),
        .clock = cpu_to_le32(htotal * vtotal * QPRIMEGPU_RATE / 1000),
        .hdisplay = cpu_to_le16(width),
        .htotal = cpu_to_le16(htotal),
        .vdisplay = cpu_to_le16(height),
        .vtotal = cpu_to_le16(vtotal),
    };
}

uint64_t qprimegpu_mode_ns(const struct primegpu_cmd_mode *mode)
{
    return (uint64_t)le16_to_cpu(mode->htotal) * le16_to_cpu(mode->vtotal) *
           QPRIMEGPU_NS_PER_MS / le32_to_cpu(mode->clock);
}

uint64_t qprimegpu_set_mode(QPrimeGPU *g, uint32_t output, uint32_t width,
                            uint32_t height)
{
    struct primegpu_cmd_mode mode = qprimegpu_mode(output, width, height);

    qprimegpu_assert_status(qprimegpu_ctrl(g, &mode), PRIMEGPU_ST_OK);
    return qprimegpu_mode_ns(&mode);
}

void qprimegpu_set_mode_off(QPrimeGPU *g, uint32_t output)
{
    struct primegpu_cmd_mode mode = {
        .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_MODE),
        .output = cpu_to_le32(output),
    };

    qprimegpu_assert_status(qprimegpu_ctrl(g, &mode), PRIMEGPU_ST_OK);
}

struct primegpu_plane qprimegpu_plane(uint32_t index, uint64_t key,
                                      uint32_t width, uint32_t height)
{
    struct primegpu_plane plane = { .index = index };

    if (!key) {
        return plane;
    }
    plane.key[0] = cpu_to_le64(key);
    plane.stride[0] = cpu_to_le32(width * sizeof(uint32_t));
    plane.format = cpu_to_le32(PRIMEGPU_FORMAT_XRGB8888);
    plane.width = cpu_to_le32(width);
    plane.height = cpu_to_le32(height);
    plane.src_w = cpu_to_le32(width << 16);
    plane.src_h = cpu_to_le32(height << 16);
    plane.dst_w = cpu_to_le32(width);
    plane.dst_h = cpu_to_le32(height);
    plane.damage_x2 = cpu_to_le32(width);
    plane.damage_y2 = cpu_to_le32(height);
    plane.alpha = cpu_to_le16(UINT16_MAX);
    plane.rotation = PRIMEGPU_ROTATE_0;
    return plane;
}

/* The planes of each output, then the colours */
static uint64_t qprimegpu_tables(QPrimeGPU *g, uint32_t output)
{
    uint64_t room = ROUND_UP(PRIMEGPU_PLANE_MAX *
                             sizeof(struct primegpu_plane) +
                             sizeof(struct primegpu_color), PRIMEGPU_PAGE_SIZE);

    if (!g->tables) {
        g->tables = guest_alloc(g->alloc, room * PRIMEGPU_OUTPUT_MAX);
    }
    return g->tables + (output % PRIMEGPU_OUTPUT_MAX) * room;
}

struct primegpu_cmd_commit qprimegpu_commit_cmd(
    QPrimeGPU *g, uint32_t output, const struct primegpu_plane *planes,
    uint32_t count, const struct primegpu_color *color)
{
    uint64_t addr = qprimegpu_tables(g, output);
    uint64_t color_addr = addr + PRIMEGPU_PLANE_MAX * sizeof(*planes);
    struct primegpu_cmd_commit commit = {
        .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_COMMIT),
        .output = cpu_to_le32(output),
        .plane_count = cpu_to_le32(count),
        .planes_addr = cpu_to_le64(addr),
    };

    qtest_memwrite(g->qts, addr, planes,
                   MIN(count, PRIMEGPU_PLANE_MAX) * sizeof(*planes));
    if (color) {
        commit.hdr.flags = cpu_to_le16(PRIMEGPU_COMMIT_COLOR);
        commit.color_addr = cpu_to_le64(color_addr);
        qtest_memwrite(g->qts, color_addr, color, sizeof(*color));
    }
    return commit;
}

uint32_t qprimegpu_commit(QPrimeGPU *g, uint32_t output,
                          const struct primegpu_plane *planes, uint32_t count,
                          uint16_t flags)
{
    struct primegpu_cmd_commit commit =
        qprimegpu_commit_cmd(g, output, planes, count, NULL);

    commit.hdr.flags = cpu_to_le16(flags);
    return qprimegpu_ctrl(g, &commit);
}

uint32_t qprimegpu_flip(QPrimeGPU *g, uint32_t output, uint64_t key,
                        uint32_t width, uint32_t height)
{
    struct primegpu_plane plane = qprimegpu_plane(0, key, width, height);

    return qprimegpu_commit(g, output, &plane, 1, 0);
}

uint64_t qprimegpu_new_fb(QPrimeGPU *g, uint32_t width, uint32_t height,
                          uint64_t *addr)
{
    uint64_t size = ROUND_UP((uint64_t)width * height * sizeof(uint32_t),
                             PRIMEGPU_PAGE_SIZE);

    return qprimegpu_new_bo_pages(g, size, addr);
}

uint32_t qprimegpu_shown(QTestState *qts, uint64_t key)
{
    QDict *bo = qprimegpu_query_bo(qts, key);
    uint32_t shown;

    g_assert_nonnull(bo);
    shown = qdict_get_int(bo, "shown");
    qobject_unref(bo);
    return shown;
}

QDict *qprimegpu_query_output(QTestState *qts, uint16_t device_id,
                              uint32_t output)
{
    QDict *info = qprimegpu_query(qts, device_id);
    const QListEntry *entry;
    QDict *found = NULL;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "outputs"), entry) {
        QDict *one = qobject_to(QDict, qlist_entry_obj(entry));

        if (qdict_get_int(one, "index") == output) {
            found = qobject_ref(one);
        }
    }
    qobject_unref(info);
    g_assert_nonnull(found);
    return found;
}

uint64_t qprimegpu_output_counter(QTestState *qts, uint16_t device_id,
                                  uint32_t output, const char *name)
{
    QDict *info = qprimegpu_query_output(qts, device_id, output);
    uint64_t value = qdict_get_int(qdict_get_qdict(info, "counters"), name);

    qobject_unref(info);
    return value;
}
