/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu commands of the display
 *
 * Decodes MODE and COMMIT with its tables, each copied once.  What the values
 * mean, and whether they are good, is for the outputs to say; reserved fields
 * are checked here, as nobody else sees them.
 */
#include "qemu/osdep.h"
#include "cmd.h"

uint32_t primegpu_cmd_mode(PrimeGPUState *s, const PrimeGPUEntry *entry)
{
    const struct primegpu_cmd_mode *cmd = &entry->mode;
    PrimeGPUMode mode = {
        .clock = le32_to_cpu(cmd->clock),
        .hdisplay = le16_to_cpu(cmd->hdisplay),
        .htotal = le16_to_cpu(cmd->htotal),
        .vdisplay = le16_to_cpu(cmd->vdisplay),
        .vtotal = le16_to_cpu(cmd->vtotal),
    };

    if (!primegpu_cmd_is_zero(cmd->rsvd20, ARRAY_SIZE(cmd->rsvd20))) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    return primegpu_output_set_mode(s, le32_to_cpu(cmd->output), &mode);
}

static void primegpu_cmd_decode_fb(const struct primegpu_plane *wire,
                                   PrimeGPUPlane *plane)
{
    int i;

    for (i = 0; i < PRIMEGPU_PLANE_KEYS; i++) {
        plane->key[i] = le64_to_cpu(wire->key[i]);
        plane->offset[i] = le32_to_cpu(wire->offset[i]);
        plane->stride[i] = le32_to_cpu(wire->stride[i]);
    }
    plane->format = le32_to_cpu(wire->format);
    plane->width = le32_to_cpu(wire->width);
    plane->height = le32_to_cpu(wire->height);
    plane->damage.x1 = le32_to_cpu(wire->damage_x1);
    plane->damage.y1 = le32_to_cpu(wire->damage_y1);
    plane->damage.x2 = le32_to_cpu(wire->damage_x2);
    plane->damage.y2 = le32_to_cpu(wire->damage_y2);
}

static bool primegpu_cmd_decode_plane(const struct primegpu_plane *wire,
                                      PrimeGPUPlane *plane)
{
    /* Of a plane that is off only the index counts. */
    if (!wire->key[0]) {
        return true;
    }
    primegpu_cmd_decode_fb(wire, plane);
    plane->src_x = le32_to_cpu(wire->src_x);
    plane->src_y = le32_to_cpu(wire->src_y);
    plane->src_w = le32_to_cpu(wire->src_w);
    plane->src_h = le32_to_cpu(wire->src_h);
    plane->dst_x = (int32_t)le32_to_cpu(wire->dst_x);
    plane->dst_y = (int32_t)le32_to_cpu(wire->dst_y);
    plane->dst_w = le32_to_cpu(wire->dst_w);
    plane->dst_h = le32_to_cpu(wire->dst_h);
    plane->alpha = le16_to_cpu(wire->alpha);
    plane->zpos = wire->zpos;
    plane->blend = wire->blend;
    plane->encoding = wire->encoding;
    plane->range = wire->range;
    plane->rotation = wire->rotation;
    return !wire->rsvd74 && !wire->rsvd78;
}

static uint32_t primegpu_cmd_read_planes(PrimeGPUState *s,
                                         const struct primegpu_cmd_commit *cmd,
                                         PrimeGPUCommit *commit)
{
    struct primegpu_plane wire[PRIMEGPU_PLANE_MAX];
    uint64_t addr = le64_to_cpu(cmd->planes_addr);
    uint32_t count = le32_to_cpu(cmd->plane_count);
    uint32_t i;

    if (count > PRIMEGPU_PLANE_MAX ||
        !QEMU_IS_ALIGNED(addr, sizeof(uint64_t))) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    if (!primegpu_mem_read(s, addr, wire, count * sizeof(wire[0]))) {
        return PRIMEGPU_ST_DMA;
    }
    for (i = 0; i < count; i++) {
        commit->index[i] = wire[i].index;
        if (!primegpu_cmd_decode_plane(&wire[i], &commit->plane[i])) {
            return PRIMEGPU_ST_INVALID_FIELD;
        }
    }
    commit->plane_count = count;
    return PRIMEGPU_ST_OK;
}

static bool primegpu_cmd_decode_lut(const struct primegpu_lut *wire,
                                    uint16_t (*lut)[PRIMEGPU_LUT_SIZE])
{
    uint16_t rsvd = 0;
    int i;

    for (i = 0; i < PRIMEGPU_LUT_SIZE; i++) {
        lut[0][i] = le16_to_cpu(wire[i].red);
        lut[1][i] = le16_to_cpu(wire[i].green);
        lut[2][i] = le16_to_cpu(wire[i].blue);
        rsvd |= wire[i].rsvd6;
    }
    return !rsvd;
}

static uint32_t primegpu_cmd_read_color(PrimeGPUState *s,
                                        const struct primegpu_cmd_commit *cmd,
                                        PrimeGPUColor *color)
{
    struct primegpu_color wire;
    uint64_t addr = le64_to_cpu(cmd->color_addr);
    int i;

    if (!QEMU_IS_ALIGNED(addr, sizeof(uint64_t))) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    if (!primegpu_mem_read(s, addr, &wire, sizeof(wire))) {
        return PRIMEGPU_ST_DMA;
    }
    color->flags = le32_to_cpu(wire.flags);
    for (i = 0; i < ARRAY_SIZE(color->ctm); i++) {
        color->ctm[i] = le64_to_cpu(wire.ctm[i]);
    }
    if (!primegpu_cmd_decode_lut(wire.degamma, color->degamma) ||
        !primegpu_cmd_decode_lut(wire.gamma, color->gamma) || wire.rsvd4) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    return PRIMEGPU_ST_OK;
}

/* What a flag would give a meaning to is zero without it. */
static bool primegpu_cmd_commit_is_clean(const struct primegpu_cmd_commit *cmd)
{
    uint16_t flags = le16_to_cpu(cmd->hdr.flags);

    return !cmd->rsvd3c &&
           ((flags & PRIMEGPU_COMMIT_COLOR) || !cmd->color_addr) &&
           ((flags & PRIMEGPU_COMMIT_WRITEBACK) ||
            (!cmd->wb_key && !cmd->wb_offset && !cmd->wb_stride &&
             !cmd->wb_format));
}

uint32_t primegpu_cmd_commit(PrimeGPUState *s, const PrimeGPUEntry *entry)
{
    const struct primegpu_cmd_commit *cmd = &entry->commit;
    uint32_t output = le32_to_cpu(cmd->output);
    PrimeGPUCommit commit = {
        .seqno = le64_to_cpu(cmd->hdr.seqno),
        .flags = le16_to_cpu(cmd->hdr.flags),
        .writeback = {
            .key = le64_to_cpu(cmd->wb_key),
            .offset = le32_to_cpu(cmd->wb_offset),
            .stride = le32_to_cpu(cmd->wb_stride),
            .format = le32_to_cpu(cmd->wb_format),
        },
    };
    uint32_t status;

    if (!primegpu_cmd_commit_is_clean(cmd)) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    status = primegpu_cmd_read_planes(s, cmd, &commit);
    if (status == PRIMEGPU_ST_OK && (commit.flags & PRIMEGPU_COMMIT_COLOR)) {
        status = primegpu_cmd_read_color(s, cmd, &commit.color);
    }
    if (status != PRIMEGPU_ST_OK) {
        return status;
    }
    return primegpu_output_commit(s, output, &commit);
}
