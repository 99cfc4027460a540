/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu outputs: the checks of a commit
 *
 * All that the guest says about planes, colours and write-back is judged
 * here, also what a saved state says.  It keeps nothing.
 */
#include "qemu/osdep.h"
#include "blit.h"
#include "format.h"
#include "output-check.h"

/* 16.16, as coordinates of the source are */
#define PRIMEGPU_PLANE_FRACTION     16
#define PRIMEGPU_WRITEBACK_CPP      4

#define PRIMEGPU_ROTATE_ALL \
    (PRIMEGPU_ROTATE_0 | PRIMEGPU_ROTATE_90 | PRIMEGPU_ROTATE_180 | \
     PRIMEGPU_ROTATE_270)
#define PRIMEGPU_REFLECT_ALL        (PRIMEGPU_REFLECT_X | PRIMEGPU_REFLECT_Y)
#define PRIMEGPU_COLOR_ALL \
    (PRIMEGPU_COLOR_DEGAMMA | PRIMEGPU_COLOR_CTM | PRIMEGPU_COLOR_GAMMA)

static bool primegpu_output_is_side(uint32_t side, uint32_t max,
                                    uint32_t multiple)
{
    return side && side <= max && side % multiple == 0;
}

static bool primegpu_output_fb_is_valid(const PrimeGPUPlane *plane,
                                        const PrimeGPUFormat *format)
{
    unsigned i;

    if (!primegpu_output_is_side(plane->width, PRIMEGPU_FB_SIZE_MAX,
                                 format->hsub) ||
        !primegpu_output_is_side(plane->height, PRIMEGPU_FB_SIZE_MAX,
                                 format->vsub)) {
        return false;
    }
    for (i = 0; i < PRIMEGPU_PLANE_KEYS; i++) {
        if (i >= format->planes) {
            if (plane->key[i] || plane->offset[i] || plane->stride[i]) {
                return false;
            }
        } else if (!plane->key[i] ||
                   plane->offset[i] % format->plane[i].bytes ||
                   plane->stride[i] % format->plane[i].bytes ||
                   plane->stride[i] <
                       primegpu_format_row_bytes(format, i, plane->width)) {
            return false;
        }
    }
    return true;
}

static bool primegpu_output_is_within(uint32_t start, uint32_t length,
                                      uint32_t size)
{
    return length && (uint64_t)start + length <=
                     (uint64_t)size << PRIMEGPU_PLANE_FRACTION;
}

static bool primegpu_output_is_place(int32_t start, uint32_t length)
{
    return start >= PRIMEGPU_DST_MIN && start <= PRIMEGPU_DST_MAX &&
           length && length <= PRIMEGPU_MODE_SIZE_MAX;
}

static bool primegpu_output_rects_are_valid(const PrimeGPUPlane *plane)
{
    return primegpu_output_is_within(plane->src_x, plane->src_w,
                                     plane->width) &&
           primegpu_output_is_within(plane->src_y, plane->src_h,
                                     plane->height) &&
           primegpu_output_is_place(plane->dst_x, plane->dst_w) &&
           primegpu_output_is_place(plane->dst_y, plane->dst_h);
}

static bool primegpu_output_damage_is_valid(const PrimeGPUPlane *plane)
{
    const PrimeGPUDamage *damage = &plane->damage;

    if (!damage->x1 && !damage->y1 && !damage->x2 && !damage->y2) {
        return true;
    }
    return damage->x1 < damage->x2 && damage->x2 <= plane->width &&
           damage->y1 < damage->y2 && damage->y2 <= plane->height;
}

bool primegpu_output_plane_is_valid(const PrimeGPUPlane *plane)
{
    const PrimeGPUFormat *format = primegpu_format_find(plane->format);

    return format && primegpu_output_fb_is_valid(plane, format) &&
           primegpu_output_rects_are_valid(plane) &&
           primegpu_output_damage_is_valid(plane) &&
           plane->blend <= PRIMEGPU_BLEND_COVERAGE &&
           plane->encoding <= PRIMEGPU_ENCODING_BT2020 &&
           plane->range <= PRIMEGPU_RANGE_FULL &&
           is_power_of_2(plane->rotation & PRIMEGPU_ROTATE_ALL) &&
           !(plane->rotation & ~(PRIMEGPU_ROTATE_ALL | PRIMEGPU_REFLECT_ALL));
}

bool primegpu_output_color_is_valid(const PrimeGPUColor *color)
{
    return !(color->flags & ~PRIMEGPU_COLOR_ALL);
}

bool primegpu_output_writeback_is_valid(const PrimeGPUMode *mode,
                                        const PrimeGPUWriteBack *writeback)
{
    switch (writeback->format) {
    case PRIMEGPU_FORMAT_XRGB8888:
    case PRIMEGPU_FORMAT_ARGB8888:
    case PRIMEGPU_FORMAT_XBGR8888:
    case PRIMEGPU_FORMAT_ABGR8888:
        break;
    default:
        return false;
    }
    return mode->clock && writeback->key &&
           writeback->offset % PRIMEGPU_WRITEBACK_CPP == 0 &&
           writeback->stride % PRIMEGPU_WRITEBACK_CPP == 0 &&
           writeback->stride / PRIMEGPU_WRITEBACK_CPP >= mode->hdisplay;
}

/* The one check of rows against a BO that is shown or written */
static uint32_t primegpu_output_find_bo(PrimeGPUState *s, uint64_t key,
                                        const PrimeGPUBlitRows *rows,
                                        PrimeGPUBuffer **pbo)
{
    PrimeGPUBuffer *bo = primegpu_bo_named(s, key);
    uint64_t end;

    if (!bo) {
        return PRIMEGPU_ST_UNKNOWN_BO;
    }
    if (primegpu_bo_location(bo) == PRIME_GPU_LOCATION_NONE) {
        return PRIMEGPU_ST_NOT_ATTACHED;
    }
    if (!primegpu_blit_extent(rows->start, rows->row_bytes, rows->height,
                              rows->stride, &end) || end > bo->size) {
        return PRIMEGPU_ST_RANGE;
    }
    *pbo = bo;
    return PRIMEGPU_ST_OK;
}

uint32_t primegpu_output_find_plane_bos(PrimeGPUState *s, PrimeGPUPlane *plane)
{
    const PrimeGPUFormat *format = primegpu_format_find(plane->format);
    uint32_t status = PRIMEGPU_ST_OK;
    unsigned i;

    for (i = 0; i < format->planes && status == PRIMEGPU_ST_OK; i++) {
        PrimeGPUBlitRows rows = {
            .start = plane->offset[i],
            .row_bytes = primegpu_format_row_bytes(format, i, plane->width),
            .stride = plane->stride[i],
            .height = primegpu_format_rows(format, i, plane->height),
        };

        status = primegpu_output_find_bo(s, plane->key[i], &rows,
                                         &plane->bo[i]);
    }
    return status;
}

uint32_t primegpu_output_find_writeback_bo(PrimeGPUOutput *o,
                                           PrimeGPUWriteBack *writeback)
{
    PrimeGPUBlitRows rows = {
        .start = writeback->offset,
        .row_bytes = (uint64_t)o->mode.hdisplay * PRIMEGPU_WRITEBACK_CPP,
        .stride = writeback->stride,
        .height = o->mode.vdisplay,
    };

    return primegpu_output_find_bo(o->s, writeback->key, &rows,
                                   &writeback->bo);
}

/* All fields of a commit, without the BOs */
static bool primegpu_output_commit_is_valid(const PrimeGPUOutput *o,
                                            const PrimeGPUCommit *commit)
{
    uint32_t seen = 0;
    uint32_t i;

    for (i = 0; i < commit->plane_count; i++) {
        const PrimeGPUPlane *plane = &commit->plane[i];
        uint32_t bit;

        if (commit->index[i] >= PRIMEGPU_PLANE_MAX) {
            return false;
        }
        bit = 1u << commit->index[i];
        if ((seen & bit) ||
            (plane->key[0] && !primegpu_output_plane_is_valid(plane))) {
            return false;
        }
        seen |= bit;
    }
    if ((commit->flags & PRIMEGPU_COMMIT_COLOR) &&
        !primegpu_output_color_is_valid(&commit->color)) {
        return false;
    }
    return !(commit->flags & PRIMEGPU_COMMIT_WRITEBACK) ||
           primegpu_output_writeback_is_valid(&o->mode, &commit->writeback);
}

uint32_t primegpu_output_check_commit(PrimeGPUOutput *o,
                                      PrimeGPUCommit *commit)
{
    uint32_t i;

    if (!primegpu_output_commit_is_valid(o, commit)) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    for (i = 0; i < commit->plane_count; i++) {
        PrimeGPUPlane *plane = &commit->plane[i];
        uint32_t status = PRIMEGPU_ST_OK;

        if (plane->key[0]) {
            status = primegpu_output_find_plane_bos(o->s, plane);
        }
        if (status != PRIMEGPU_ST_OK) {
            return status;
        }
    }
    if (!(commit->flags & PRIMEGPU_COMMIT_WRITEBACK)) {
        return PRIMEGPU_ST_OK;
    }
    if (o->pending.writeback.key) {
        return PRIMEGPU_ST_LIMIT;
    }
    return primegpu_output_find_writeback_bo(o, &commit->writeback);
}
