/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu outputs: commits
 *
 * Owns what an output shows and what waits for its latch.  A commit is checked
 * as a whole before anything of it is taken over.  Every BO that is named here
 * is counted in the BO itself, so that its bytes stay where they are.
 */
#include "qemu/osdep.h"
#include "output-internal.h"
#include "console.h"
#include "frame.h"
#include "output-check.h"
#include "race.h"
#include "trace.h"

void primegpu_output_show(PrimeGPUBuffer *bo)
{
    if (bo) {
        bo->shown++;
    }
}

static void primegpu_output_hide(PrimeGPUBuffer *bo)
{
    if (bo) {
        g_assert(bo->shown);
        bo->shown--;
    }
}

void primegpu_output_show_plane(const PrimeGPUPlane *plane)
{
    int i;

    for (i = 0; i < PRIMEGPU_PLANE_KEYS; i++) {
        primegpu_output_show(plane->bo[i]);
    }
}

static void primegpu_output_hide_plane(const PrimeGPUPlane *plane)
{
    int i;

    for (i = 0; i < PRIMEGPU_PLANE_KEYS; i++) {
        primegpu_output_hide(plane->bo[i]);
    }
}

void primegpu_output_drop_pending(PrimeGPUOutput *o)
{
    PrimeGPUPending *pending = &o->pending;
    int i;

    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        if (pending->planes & (1u << i)) {
            primegpu_output_hide_plane(&pending->plane[i]);
        }
    }
    primegpu_output_hide(pending->writeback.bo);
    memset(pending, 0, sizeof(*pending));
}

void primegpu_output_hide_all(PrimeGPUOutput *o)
{
    int i;

    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        primegpu_output_hide_plane(&o->plane[i]);
    }
    memset(o->plane, 0, sizeof(o->plane));
    memset(&o->color, 0, sizeof(o->color));
}

static void primegpu_output_latch_plane(PrimeGPUOutput *o, unsigned index)
{
    const PrimeGPUPlane *plane = &o->pending.plane[index];

    trace_primegpu_output_latch_plane(o->s->name, o->index, index,
                                      plane->key[0], plane->seqno);
    primegpu_race_check_plane(o->s, plane);
    primegpu_output_hide_plane(&o->plane[index]);
    o->plane[index] = *plane;
}

static uint32_t primegpu_output_write_back(PrimeGPUOutput *o)
{
    PrimeGPUWriteBack *writeback = &o->pending.writeback;

    if (!writeback->key) {
        return 0;
    }
    primegpu_frame_write_back(o, writeback);
    o->s->frame_written = true;
    primegpu_output_hide(writeback->bo);
    memset(writeback, 0, sizeof(*writeback));
    return PRIMEGPU_OUTPUT_IRQ_WRITEBACK;
}

bool primegpu_output_take_written(PrimeGPUState *s)
{
    bool written = s->frame_written;

    s->frame_written = false;
    return written;
}

uint32_t primegpu_output_latch(PrimeGPUOutput *o)
{
    PrimeGPUPending *pending = &o->pending;
    uint32_t planes = pending->planes;
    bool color = pending->has_color;
    unsigned i;

    if (!pending->any) {
        return 0;
    }
    trace_primegpu_output_latch(o->s->name, o->index, pending->seqno);
    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        if (planes & (1u << i)) {
            primegpu_output_latch_plane(o, i);
        }
    }
    if (color) {
        o->color = pending->color;
    }
    o->flip_seq = pending->seqno;
    o->counters.flips++;
    pending->any = false;
    pending->has_color = false;
    pending->planes = 0;
    primegpu_console_latch(o, planes, color);
    return PRIMEGPU_OUTPUT_IRQ_FLIP | primegpu_output_write_back(o);
}

static bool primegpu_output_same_geometry(const PrimeGPUPlane *a,
                                          const PrimeGPUPlane *b)
{
    return a->key[0] && b->key[0] && a->format == b->format &&
           a->width == b->width && a->height == b->height &&
           a->src_x == b->src_x && a->src_y == b->src_y &&
           a->src_w == b->src_w && a->src_h == b->src_h &&
           a->dst_x == b->dst_x && a->dst_y == b->dst_y &&
           a->dst_w == b->dst_w && a->dst_h == b->dst_h &&
           a->alpha == b->alpha && a->zpos == b->zpos &&
           a->blend == b->blend && a->encoding == b->encoding &&
           a->range == b->range && a->rotation == b->rotation;
}

static PrimeGPUDamage primegpu_output_unite(const PrimeGPUDamage *a,
                                            const PrimeGPUDamage *b)
{
    if (!a->x2) {
        return *b;
    }
    if (!b->x2) {
        return *a;
    }
    return (PrimeGPUDamage) {
        .x1 = MIN(a->x1, b->x1),
        .y1 = MIN(a->y1, b->y1),
        .x2 = MAX(a->x2, b->x2),
        .y2 = MAX(a->y2, b->y2),
    };
}

/* @plane comes after what was there before it, pending or not. */
static void primegpu_output_follow(PrimeGPUPlane *plane,
                                   const PrimeGPUPlane *before,
                                   bool is_pending)
{
    if (!primegpu_output_same_geometry(plane, before)) {
        plane->moved = true;
        plane->damage = (PrimeGPUDamage) {
            .x2 = plane->width,
            .y2 = plane->height,
        };
    } else if (is_pending) {
        plane->moved = before->moved;
        plane->damage = primegpu_output_unite(&plane->damage,
                                              &before->damage);
    }
}

static void primegpu_output_take_plane(PrimeGPUOutput *o, unsigned index,
                                       PrimeGPUPlane *plane)
{
    PrimeGPUPending *pending = &o->pending;
    PrimeGPUPlane *place = &pending->plane[index];
    bool is_pending = pending->planes & (1u << index);

    primegpu_output_follow(plane, is_pending ? place : &o->plane[index],
                           is_pending);
    primegpu_output_show_plane(plane);
    if (is_pending) {
        primegpu_output_hide_plane(place);
    }
    *place = *plane;
    pending->planes |= 1u << index;
}

static void primegpu_output_take(PrimeGPUOutput *o, PrimeGPUCommit *commit)
{
    PrimeGPUPending *pending = &o->pending;
    uint64_t fetched = primegpu_engine_fetched();
    uint32_t i;

    for (i = 0; i < commit->plane_count; i++) {
        PrimeGPUPlane *plane = &commit->plane[i];

        plane->seqno = commit->seqno;
        plane->fetched = fetched;
        plane->explicit_sync = commit->flags & PRIMEGPU_COMMIT_EXPLICIT_SYNC;
        primegpu_output_take_plane(o, commit->index[i], plane);
    }
    if (commit->flags & PRIMEGPU_COMMIT_COLOR) {
        pending->color = commit->color;
        pending->has_color = true;
    }
    if (commit->flags & PRIMEGPU_COMMIT_WRITEBACK) {
        pending->writeback = commit->writeback;
        primegpu_output_show(pending->writeback.bo);
    }
    pending->seqno = commit->seqno;
    pending->any = true;
    o->counters.commits++;
}

uint32_t primegpu_output_commit(PrimeGPUState *s, uint32_t index,
                                PrimeGPUCommit *commit)
{
    PrimeGPUOutput *o = primegpu_output_find(s, index);
    uint32_t status;

    if (!o) {
        return PRIMEGPU_ST_UNSUPPORTED;
    }
    /* What is due is latched without this one. */
    primegpu_output_sync(o);
    status = primegpu_output_check_commit(o, commit);
    if (status != PRIMEGPU_ST_OK) {
        return status;
    }
    trace_primegpu_output_commit(s->name, index, commit->seqno,
                                 commit->plane_count, commit->flags);
    primegpu_output_take(o, commit);
    if (!o->frame_ns || (commit->flags & PRIMEGPU_COMMIT_ASYNC)) {
        primegpu_output_raise(o, primegpu_output_latch(o));
    }
    primegpu_output_arm(o);
    return PRIMEGPU_ST_OK;
}
