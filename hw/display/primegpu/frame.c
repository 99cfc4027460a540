/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu frames
 *
 * Brings BOs and composition together: finds the rows of framebuffers in host
 * memory, in place, and takes the rows of the frame where they are wanted.  A
 * row is copied only where pages cut it.
 */
#include "qemu/osdep.h"
#include <zlib.h>
#include "qemu/rcu.h"
#include "device.h"
#include "compose.h"
#include "output.h"
#include "frame.h"
#include "trace.h"

/* A row of a framebuffer that is as wide as can be, in any format */
#define PRIMEGPU_FRAME_SOURCE_BYTES (PRIMEGPU_FB_SIZE_MAX * 4)

/* How rows of one memory plane are found */
typedef struct PrimeGPUFrameSource {
    PrimeGPUMemWindow window;
    uint8_t row[PRIMEGPU_FRAME_SOURCE_BYTES];   /* put together here */
} PrimeGPUFrameSource;

/* Not migrated: holds nothing that outlives a frame, but for the stages */
struct PrimeGPUFrame {
    PrimeGPUCompose *compose;
    PrimeGPUComposePlane plane[PRIMEGPU_PLANE_MAX];
    PrimeGPUFrameSource source[PRIMEGPU_PLANE_MAX][PRIMEGPU_PLANE_KEYS];
    PrimeGPUColor color;        /* the stages were made from these */
    PrimeGPUColorStages *stages;
    uint32_t row[PRIMEGPU_MODE_SIZE_MAX];
};

static PrimeGPUFrame *primegpu_frame_get(PrimeGPUOutput *o)
{
    if (!o->frame_work) {
        o->frame_work = g_new0(PrimeGPUFrame, 1);
        o->frame_work->compose = primegpu_compose_new();
    }
    return o->frame_work;
}

void primegpu_frame_finalize(PrimeGPUOutput *o)
{
    if (o->frame_work) {
        primegpu_compose_free(o->frame_work->compose);
        primegpu_color_free(o->frame_work->stages);
        g_clear_pointer(&o->frame_work, g_free);
    }
}

/* Put a row together that is in more than one piece. */
static const uint8_t *primegpu_frame_gather(PrimeGPUState *s,
                                            PrimeGPUBuffer *bo,
                                            PrimeGPUFrameSource *source,
                                            uint64_t offset, uint32_t length)
{
    PrimeGPUMemSpan span;
    uint32_t done;

    g_assert(length <= sizeof(source->row));
    for (done = 0; done < length; done += span.length) {
        if (!primegpu_bo_map(s, bo, &source->window, offset + done,
                             length - done, false, &span)) {
            return NULL;
        }
        memcpy(source->row + done, span.host, span.length);
    }
    return source->row;
}

/* The rectangle lies in the BO: that was checked when it was committed. */
static const uint8_t *primegpu_frame_row(void *opaque, unsigned plane,
                                         unsigned memory, uint32_t y,
                                         uint32_t first, uint32_t length)
{
    PrimeGPUOutput *o = opaque;
    const PrimeGPUPlane *p = &o->plane[plane];
    PrimeGPUFrameSource *source = &o->frame_work->source[plane][memory];
    uint64_t offset = p->offset[memory] + (uint64_t)y * p->stride[memory] +
                      first;
    const uint8_t *row = NULL;
    PrimeGPUMemSpan span;

    if (primegpu_bo_map(o->s, p->bo[memory], &source->window, offset, length,
                        false, &span)) {
        row = span.host;
        if (span.length < length) {
            row = primegpu_frame_gather(o->s, p->bo[memory], source, offset,
                                        length);
        }
    }
    if (!row) {
        o->counters.scan_faults++;
        trace_primegpu_err_frame_row(o->s->name, o->index, p->key[memory],
                                     offset);
    }
    return row;
}

static uint32_t primegpu_frame_planes(PrimeGPUOutput *o)
{
    PrimeGPUFrame *f = o->frame_work;
    uint32_t planes = 0;
    unsigned i, m;

    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        const PrimeGPUPlane *p = &o->plane[i];

        if (!p->key[0]) {
            continue;
        }
        planes |= 1u << i;
        f->plane[i] = (PrimeGPUComposePlane) {
            .format = primegpu_format_find(p->format),
            .src_x = p->src_x, .src_y = p->src_y,
            .src_w = p->src_w, .src_h = p->src_h,
            .dst_x = p->dst_x, .dst_y = p->dst_y,
            .dst_w = p->dst_w, .dst_h = p->dst_h,
            .alpha = p->alpha, .zpos = p->zpos, .blend = p->blend,
            .encoding = p->encoding, .range = p->range,
            .rotation = p->rotation,
        };
        for (m = 0; m < PRIMEGPU_PLANE_KEYS; m++) {
            primegpu_mem_window_init(&f->source[i][m].window);
        }
    }
    return planes;
}

static void primegpu_frame_colors(PrimeGPUOutput *o)
{
    PrimeGPUFrame *f = o->frame_work;

    if (memcmp(&f->color, &o->color, sizeof(f->color))) {
        f->color = o->color;
        primegpu_color_free(f->stages);
        f->stages = primegpu_color_prepare(&f->color);
    }
}

PrimeGPUCompose *primegpu_frame_begin(PrimeGPUOutput *o)
{
    PrimeGPUFrame *f = primegpu_frame_get(o);
    uint32_t planes = primegpu_frame_planes(o);

    primegpu_frame_colors(o);
    primegpu_compose_begin(f->compose, o->mode.hdisplay, o->mode.vdisplay,
                           f->plane, planes, f->stages, primegpu_frame_row, o);
    return f->compose;
}

/* From words of the host to the bytes of XRGB8888 */
static void primegpu_frame_to_le(uint32_t *row, uint32_t count)
{
    uint32_t i;

    for (i = 0; HOST_BIG_ENDIAN && i < count; i++) {
        row[i] = cpu_to_le32(row[i]);
    }
}

uint32_t primegpu_frame_crc(PrimeGPUOutput *o)
{
    uint32_t width = o->mode.hdisplay;
    uint32_t crc = crc32(0, NULL, 0);
    PrimeGPUCompose *compose;
    uint32_t y;

    RCU_READ_LOCK_GUARD();

    compose = primegpu_frame_begin(o);
    for (y = 0; y < o->mode.vdisplay; y++) {
        uint32_t *row = o->frame_work->row;

        primegpu_compose_row(compose, y, 0, width, row);
        primegpu_frame_to_le(row, width);
        crc = crc32(crc, (uint8_t *)row, width * sizeof(*row));
    }
    o->counters.frames++;
    o->counters.frame_bytes += (uint64_t)width * y * sizeof(uint32_t);
    trace_primegpu_frame_crc(o->s->name, o->index, crc);
    return crc;
}

static void primegpu_frame_convert(uint32_t *row, uint32_t count,
                                   uint32_t format)
{
    bool bgr = format == PRIMEGPU_FORMAT_XBGR8888 ||
               format == PRIMEGPU_FORMAT_ABGR8888;
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (bgr) {
            row[i] = bswap32(row[i]) >> 8;
        }
        row[i] |= 0xff000000u;
    }
    primegpu_frame_to_le(row, count);
}

/* Returns false when DMA did not reach all of them. */
static bool primegpu_frame_put(PrimeGPUState *s, PrimeGPUBuffer *bo,
                               PrimeGPUMemWindow *window, uint64_t offset,
                               const uint8_t *bytes, uint32_t length)
{
    PrimeGPUMemSpan span;
    uint32_t done;

    for (done = 0; done < length; done += span.length) {
        if (!primegpu_bo_map(s, bo, window, offset + done, length - done, true,
                             &span)) {
            return false;
        }
        memcpy(span.host, bytes + done, span.length);
        primegpu_mem_written(s, window, &span, span.length);
    }
    return true;
}

void primegpu_frame_write_back(PrimeGPUOutput *o, const PrimeGPUWriteBack *wb)
{
    uint32_t width = o->mode.hdisplay;
    PrimeGPUMemWindow window;
    PrimeGPUCompose *compose;
    uint32_t y;

    RCU_READ_LOCK_GUARD();

    primegpu_mem_window_init(&window);
    compose = primegpu_frame_begin(o);
    for (y = 0; y < o->mode.vdisplay; y++) {
        uint64_t offset = wb->offset + (uint64_t)y * wb->stride;
        uint32_t *row = o->frame_work->row;

        primegpu_compose_row(compose, y, 0, width, row);
        primegpu_frame_convert(row, width, wb->format);
        if (!primegpu_frame_put(o->s, wb->bo, &window, offset, (uint8_t *)row,
                                width * sizeof(*row))) {
            o->counters.scan_faults++;
            trace_primegpu_err_frame_write_back(o->s->name, o->index, wb->key,
                                                offset);
        }
    }
    primegpu_mem_flush(o->s, &window);
    o->counters.writebacks++;
    o->counters.frame_bytes += (uint64_t)width * y * sizeof(uint32_t);
    trace_primegpu_frame_write_back(o->s->name, o->index, wb->key);
}
