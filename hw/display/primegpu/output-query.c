/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu outputs: the view from outside
 */
#include "qemu/osdep.h"
#include "format.h"
#include "output-internal.h"

static PrimeGPUPlaneInfo *primegpu_output_query_plane(
    const PrimeGPUPlane *plane, uint32_t index)
{
    const PrimeGPUFormat *format = primegpu_format_find(plane->format);
    PrimeGPUPlaneInfo *info = g_new0(PrimeGPUPlaneInfo, 1);
    uint64List **tail = &info->keys;
    unsigned i;

    info->index = index;
    for (i = 0; i < format->planes; i++) {
        QAPI_LIST_APPEND(tail, plane->key[i]);
    }
    info->format = g_strdup(format->name);
    info->width = plane->width;
    info->height = plane->height;
    info->x = plane->dst_x;
    info->y = plane->dst_y;
    info->w = plane->dst_w;
    info->h = plane->dst_h;
    info->seqno = plane->seqno;
    return info;
}

static PrimeGPUOutputInfo *primegpu_output_query_one(PrimeGPUOutput *o)
{
    PrimeGPUOutputInfo *info = g_new0(PrimeGPUOutputInfo, 1);
    PrimeGPUPlaneInfoList **tail = &info->planes;
    uint32_t i;

    primegpu_output_sync(o);
    info->index = o->index;
    info->connected = o->connected;
    info->xres = o->xres;
    info->yres = o->yres;
    info->refresh_rate = o->refresh_rate;
    info->has_route = primegpu_output_find(o->s, o->route);
    info->route = info->has_route ? o->route : 0;
    info->on = o->frame_ns;
    info->width = o->mode.hdisplay;
    info->height = o->mode.vdisplay;
    info->frame_ns = o->frame_ns;
    info->vblank_count = primegpu_output_vblank_count(o);
    info->flip_seq = o->flip_seq;
    info->pending = o->pending.any;
    info->vblank_irq = o->irq_enable & PRIMEGPU_OUTPUT_IRQ_VBLANK;
    info->crc_on = o->control & PRIMEGPU_OUTPUT_CONTROL_CRC;
    info->crc = o->crc;
    info->crc_frame = o->crc_frame;
    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        if (o->plane[i].key[0]) {
            QAPI_LIST_APPEND(tail,
                             primegpu_output_query_plane(&o->plane[i], i));
        }
    }
    info->counters = g_memdup2(&o->counters, sizeof(o->counters));
    return info;
}

PrimeGPUOutputInfoList *primegpu_output_query(PrimeGPUState *s)
{
    PrimeGPUOutputInfoList *list = NULL, **tail = &list;
    uint32_t i;

    for (i = 0; i < s->conf.max_outputs; i++) {
        QAPI_LIST_APPEND(tail, primegpu_output_query_one(&s->outputs[i]));
    }
    return list;
}
