/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu consoles: what may have changed
 *
 * Commits say what they change.  What is written without one is found by the
 * log of changes where a plane lies in VRAM; elsewhere nobody tells, and each
 * row has to be looked at.
 */
#include "qemu/osdep.h"
#include "device.h"
#include "console-internal.h"

bool primegpu_console_box_empty(const PrimeGPUConsoleBox *box)
{
    return box->x1 >= box->x2 || box->y1 >= box->y2;
}

void primegpu_console_box_add(PrimeGPUConsoleBox *box,
                              PrimeGPUConsoleBox more)
{
    if (primegpu_console_box_empty(&more)) {
        return;
    }
    if (primegpu_console_box_empty(box)) {
        *box = more;
        return;
    }
    box->x1 = MIN(box->x1, more.x1);
    box->y1 = MIN(box->y1, more.y1);
    box->x2 = MAX(box->x2, more.x2);
    box->y2 = MAX(box->y2, more.y2);
}

void primegpu_console_damage_all(PrimeGPUConsole *c)
{
    if (c->pipe) {
        c->damage = (PrimeGPUConsoleBox) {
            .x2 = c->pipe->mode.hdisplay,
            .y2 = c->pipe->mode.vdisplay,
        };
    }
}

static PrimeGPUConsoleBox primegpu_console_clip(PrimeGPUConsole *c, int64_t x1,
                                                int64_t y1, int64_t x2,
                                                int64_t y2)
{
    int64_t width = c->pipe->mode.hdisplay;
    int64_t height = c->pipe->mode.vdisplay;

    return (PrimeGPUConsoleBox) {
        .x1 = MIN(MAX(x1, 0), width), .y1 = MIN(MAX(y1, 0), height),
        .x2 = MIN(MAX(x2, 0), width), .y2 = MIN(MAX(y2, 0), height),
    };
}

static void primegpu_console_damage_place(PrimeGPUConsole *c,
                                          const PrimeGPUPlane *p)
{
    if (p->key[0]) {
        primegpu_console_box_add(&c->damage, primegpu_console_clip(
            c, p->dst_x, p->dst_y, (int64_t)p->dst_x + p->dst_w,
            (int64_t)p->dst_y + p->dst_h));
    }
}

void primegpu_console_damage_plane(PrimeGPUConsole *c,
                                   const PrimeGPUPlane *old,
                                   const PrimeGPUPlane *p)
{
    const PrimeGPUDamage *d = &p->damage;

    if (p->moved) {
        primegpu_console_damage_place(c, old);
        primegpu_console_damage_place(c, p);
    } else if (d->x1 >= d->x2 || d->y1 >= d->y2) {
        return;
    } else if (p->rotation == PRIMEGPU_ROTATE_0 &&
               p->src_w == (uint64_t)p->dst_w << 16 &&
               p->src_h == (uint64_t)p->dst_h << 16) {
        int64_t dx = (int64_t)p->dst_x - (p->src_x >> 16);
        int64_t dy = (int64_t)p->dst_y - (p->src_y >> 16);

        /* A fraction of a pixel may move it by one. */
        primegpu_console_box_add(&c->damage, primegpu_console_clip(
            c, d->x1 + dx - 1, d->y1 + dy - 1, d->x2 + dx, d->y2 + dy));
    } else {
        primegpu_console_damage_place(c, p);
    }
}

/* Bytes from the first to the last of rows of a memory plane */
static uint64_t primegpu_console_extent(const PrimeGPUPlane *p, unsigned m,
                                        uint32_t rows)
{
    const PrimeGPUFormat *format = primegpu_format_find(p->format);

    return (uint64_t)(rows - 1) * p->stride[m] +
           primegpu_format_row_bytes(format, m, p->width);
}

/* Bytes of a whole memory plane */
static uint64_t primegpu_console_size(const PrimeGPUPlane *p, unsigned m)
{
    const PrimeGPUFormat *format = primegpu_format_find(p->format);

    return primegpu_console_extent(
        p, m, primegpu_format_rows(format, m, p->height));
}

static void primegpu_console_find_source(PrimeGPUConsole *c, unsigned i,
                                         unsigned m)
{
    const PrimeGPUPlane *p = &c->pipe->plane[i];
    PrimeGPUConsoleSource *source = &c->source[i][m];
    uint64_t length = primegpu_console_size(p, m);
    PrimeGPUState *owner = NULL;
    PrimeGPUMemWindow window;
    PrimeGPUMemSpan span;

    primegpu_mem_window_init(&window);
    if (primegpu_bo_map(c->o->s, p->bo[m], &window, p->offset[m], length,
                        false, &span) && span.length == length) {
        owner = primegpu_mem_vram_owner(&span);
        source->vram_offset = span.mr_offset;
    }
    /* Another device may have come where one was that is gone. */
    if (source->owner != owner ||
        (owner && source->owner_id != owner->ledger.id)) {
        source->owner = owner;
        source->owner_id = owner ? owner->ledger.id : 0;
        source->seen = 0;
    }
}

void primegpu_console_find_sources(PrimeGPUConsole *c)
{
    unsigned i, m;

    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        for (m = 0; m < PRIMEGPU_PLANE_KEYS; m++) {
            if (c->pipe->plane[i].key[m]) {
                primegpu_console_find_source(c, i, m);
            } else {
                c->source[i][m].owner = NULL;
            }
        }
    }
}

void primegpu_console_sync_sources(PrimeGPUConsole *c)
{
    unsigned i, m;

    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        const PrimeGPUPlane *p = &c->pipe->plane[i];

        for (m = 0; m < PRIMEGPU_PLANE_KEYS; m++) {
            PrimeGPUConsoleSource *source = &c->source[i][m];

            if (source->owner) {
                source->found = primegpu_mem_watch_sync(
                    source->owner, source->vram_offset,
                    primegpu_console_size(p, m));
            }
        }
    }
}

void primegpu_console_seen_sources(PrimeGPUConsole *c)
{
    unsigned i, m;

    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        for (m = 0; m < PRIMEGPU_PLANE_KEYS; m++) {
            c->source[i][m].seen = c->source[i][m].found;
        }
    }
}

/* Whether rows of a plane may have changed since they were looked at */
static bool primegpu_console_rows_changed(PrimeGPUConsole *c, unsigned i,
                                          uint32_t first, uint32_t end)
{
    const PrimeGPUPlane *p = &c->pipe->plane[i];
    const PrimeGPUFormat *format = primegpu_format_find(p->format);
    unsigned m;

    for (m = 0; m < format->planes; m++) {
        const PrimeGPUConsoleSource *source = &c->source[i][m];
        uint32_t row = first / format->plane[m].vsub;
        uint32_t rows = primegpu_format_rows(format, m, end) - row;

        if (!source->owner ||
            primegpu_mem_watch_changed(source->owner, source->vram_offset +
                                       (uint64_t)row * p->stride[m],
                                       primegpu_console_extent(p, m, rows),
                                       source->seen)) {
            return true;
        }
    }
    return false;
}

bool primegpu_console_row_changed(PrimeGPUConsole *c,
                                  PrimeGPUCompose *compose, uint32_t y)
{
    uint32_t first, end;
    unsigned i;

    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        if (primegpu_compose_source_rows(compose, i, y, &first, &end) &&
            primegpu_console_rows_changed(c, i, first, end)) {
            return true;
        }
    }
    return false;
}
