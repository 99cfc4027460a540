/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu buffer objects: where their bytes are
 *
 * Owns the pages and the VRAM ranges of BOs: attach, detach, place, and the
 * way from an offset in a BO to memory.
 */
#include "qemu/osdep.h"
#include "qemu/xxhash.h"
#include "device.h"
#include "trace.h"

PrimeGPULocation primegpu_bo_location(const PrimeGPUBuffer *bo)
{
    if (bo->placed) {
        return PRIME_GPU_LOCATION_VRAM;
    }
    if (bo->attached == bo->size) {
        return PRIME_GPU_LOCATION_PAGES;
    }
    return PRIME_GPU_LOCATION_NONE;
}

bool primegpu_bo_same_bytes(const PrimeGPUBuffer *a, const PrimeGPUBuffer *b)
{
    uint64_t root_a = a->exporter_key ? a->exporter_key : a->key;
    uint64_t root_b = b->exporter_key ? b->exporter_key : b->key;

    return root_a == root_b;
}

static bool primegpu_bo_grow(PrimeGPUBuffer *bo, uint32_t count)
{
    int32_t room = MAX(bo->segment_room, 1);
    PrimeGPUSegment *segments;

    while (room - bo->segment_count < (int32_t)count) {
        room *= 2;
    }
    if (room > bo->segment_room) {
        segments = g_try_renew(PrimeGPUSegment, bo->segments, room);
        if (!segments) {
            return false;
        }
        bo->segments = segments;
        bo->segment_room = room;
    }
    return true;
}

/* There is room for one more. */
static void primegpu_bo_append(PrimeGPUBuffer *bo, uint64_t addr,
                               uint64_t length)
{
    PrimeGPUSegment *segment = bo->segments + bo->segment_count;

    if (bo->segment_count &&
        segment[-1].addr + segment[-1].length == addr) {
        segment[-1].length += length;
    } else {
        segment->offset = bo->attached;
        segment->addr = addr;
        segment->length = length;
        bo->segment_count++;
    }
    bo->attached += length;
}

static uint32_t primegpu_bo_check_list(PrimeGPUState *s,
                                       const PrimeGPUBuffer *bo,
                                       const PrimeGPUSegment *list,
                                       uint32_t count)
{
    uint64_t left = bo->size - bo->attached;
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (!list[i].length ||
            !QEMU_IS_ALIGNED(list[i].addr | list[i].length,
                             PRIMEGPU_PAGE_SIZE)) {
            return PRIMEGPU_ST_INVALID_FIELD;
        }
        if (list[i].length > left) {
            return PRIMEGPU_ST_RANGE;
        }
        left -= list[i].length;
    }
    for (i = 0; i < count; i++) {
        if (!primegpu_mem_walk(s, list[i].addr, list[i].length, NULL, NULL)) {
            return PRIMEGPU_ST_DMA;
        }
    }
    return PRIMEGPU_ST_OK;
}

static void primegpu_bo_tell_span(PrimeGPUState *s,
                                  const PrimeGPUMemSpan *span, void *opaque)
{
    const PrimeGPUBuffer *bo = opaque;

    primegpu_ledger_attach_range(&s->ledger, bo->key, span->mr,
                                 span->mr_offset, span->length);
}

uint32_t primegpu_bo_attach(PrimeGPUState *s, uint64_t key, uint64_t offset,
                            const PrimeGPUSegment *list, uint32_t count)
{
    PrimeGPUBuffer *bo = primegpu_bo_named(s, key);
    uint32_t status;
    uint32_t i;

    if (!bo) {
        return PRIMEGPU_ST_UNKNOWN_BO;
    }
    if (bo->attached == bo->size) {
        return PRIMEGPU_ST_ATTACHED;
    }
    if (offset != bo->attached) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    status = primegpu_bo_check_list(s, bo, list, count);
    if (status != PRIMEGPU_ST_OK) {
        return status;
    }
    status = primegpu_inject_command(s, PRIME_GPU_FAULT_ATTACH, key);
    if (status != PRIMEGPU_ST_OK) {
        return status;
    }
    if (!primegpu_bo_grow(bo, count)) {
        return PRIMEGPU_ST_NO_MEMORY;
    }
    for (i = 0; i < count; i++) {
        primegpu_bo_append(bo, list[i].addr, list[i].length);
        primegpu_mem_walk(s, list[i].addr, list[i].length,
                          primegpu_bo_tell_span, bo);
    }
    trace_primegpu_bo_attach(s->name, key, bo->attached, bo->size);
    if (bo->attached == bo->size) {
        s->counters.attached++;
        primegpu_ledger_attached(&s->ledger, key);
    }
    return PRIMEGPU_ST_OK;
}

static uint32_t primegpu_bo_refuse_busy(PrimeGPUState *s, PrimeGPUBuffer *bo)
{
    trace_primegpu_err_bo_detach_busy(s->name, bo->key, bo->jobs, bo->shown);
    primegpu_ledger_violation(&s->ledger, PRIME_GPU_VIOLATION_KIND_DETACH_BUSY,
                              bo->key, 0);
    return PRIMEGPU_ST_BUSY;
}

uint32_t primegpu_bo_detach(PrimeGPUState *s, uint64_t key)
{
    PrimeGPUBuffer *bo = primegpu_bo_named(s, key);

    if (!bo) {
        return PRIMEGPU_ST_UNKNOWN_BO;
    }
    if (!bo->attached) {
        return PRIMEGPU_ST_NOT_ATTACHED;
    }
    if (primegpu_bo_is_busy(bo) &&
        primegpu_bo_location(bo) == PRIME_GPU_LOCATION_PAGES) {
        return primegpu_bo_refuse_busy(s, bo);
    }
    g_clear_pointer(&bo->segments, g_free);
    bo->segment_count = 0;
    bo->segment_room = 0;
    bo->segment_hint = 0;
    bo->attached = 0;
    s->counters.detached++;
    trace_primegpu_bo_detach(s->name, key);
    primegpu_ledger_detach(&s->ledger, key);
    return PRIMEGPU_ST_OK;
}

void primegpu_bo_unplace(PrimeGPUState *s, PrimeGPUBuffer *bo)
{
    if (bo->placed) {
        interval_tree_remove(&bo->vram_node, &s->bos.vram);
        s->bos.vram_used -= bo->size;
        bo->placed = false;
        bo->vram_offset = 0;
    }
}

/* Whether another BO has a byte of [offset, +size) */
static bool primegpu_bo_vram_taken(PrimeGPUState *s, const PrimeGPUBuffer *bo,
                                   uint64_t offset)
{
    uint64_t last = offset + bo->size - 1;
    IntervalTreeNode *node;

    node = interval_tree_iter_first(&s->bos.vram, offset, last);
    if (node && node == &bo->vram_node) {
        node = interval_tree_iter_next(node, offset, last);
    }
    return node;
}

static void primegpu_bo_take_vram(PrimeGPUState *s, PrimeGPUBuffer *bo,
                                  uint64_t offset)
{
    bo->placed = true;
    bo->vram_offset = offset;
    bo->vram_node.start = offset;
    bo->vram_node.last = offset + bo->size - 1;
    interval_tree_insert(&bo->vram_node, &s->bos.vram);
    s->bos.vram_used += bo->size;
}

static bool primegpu_bo_fits_vram(PrimeGPUState *s, const PrimeGPUBuffer *bo,
                                  uint64_t offset)
{
    return offset <= s->conf.vram_size &&
           bo->size <= s->conf.vram_size - offset;
}

uint32_t primegpu_bo_place_pages(PrimeGPUState *s, uint64_t key)
{
    PrimeGPUBuffer *bo = primegpu_bo_named(s, key);

    if (!bo) {
        return PRIMEGPU_ST_UNKNOWN_BO;
    }
    if (primegpu_bo_is_busy(bo) && bo->placed) {
        return primegpu_bo_refuse_busy(s, bo);
    }
    primegpu_bo_unplace(s, bo);
    trace_primegpu_bo_place_pages(s->name, key);
    primegpu_ledger_place(&s->ledger, key, PRIME_GPU_LOCATION_PAGES, 0, NULL);
    return PRIMEGPU_ST_OK;
}

uint32_t primegpu_bo_place_vram(PrimeGPUState *s, uint64_t key,
                                uint64_t vram_offset)
{
    PrimeGPUBuffer *bo = primegpu_bo_named(s, key);

    if (!bo) {
        return PRIMEGPU_ST_UNKNOWN_BO;
    }
    if (!QEMU_IS_ALIGNED(vram_offset, PRIMEGPU_PAGE_SIZE)) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    if (!primegpu_bo_fits_vram(s, bo, vram_offset)) {
        return PRIMEGPU_ST_RANGE;
    }
    if (primegpu_bo_is_busy(bo)) {
        return primegpu_bo_refuse_busy(s, bo);
    }
    if (primegpu_bo_vram_taken(s, bo, vram_offset)) {
        trace_primegpu_err_bo_place_overlap(s->name, key, vram_offset);
        return PRIMEGPU_ST_OVERLAP;
    }
    primegpu_bo_unplace(s, bo);
    primegpu_bo_take_vram(s, bo, vram_offset);
    trace_primegpu_bo_place_vram(s->name, key, vram_offset);
    primegpu_ledger_place(&s->ledger, key, PRIME_GPU_LOCATION_VRAM,
                          vram_offset, &s->mem.vram);
    return PRIMEGPU_ST_OK;
}

static bool primegpu_bo_segment_has(const PrimeGPUBuffer *bo, int32_t i,
                                    uint64_t offset)
{
    return i < bo->segment_count && offset >= bo->segments[i].offset &&
           offset - bo->segments[i].offset < bo->segments[i].length;
}

static const PrimeGPUSegment *primegpu_bo_segment(PrimeGPUBuffer *bo,
                                                  uint64_t offset)
{
    int32_t low = 0;
    int32_t high = bo->segment_count;

    /* Most of the time it is the one after the last one. */
    if (primegpu_bo_segment_has(bo, bo->segment_hint, offset)) {
        return &bo->segments[bo->segment_hint];
    }
    if (primegpu_bo_segment_has(bo, bo->segment_hint + 1, offset)) {
        return &bo->segments[++bo->segment_hint];
    }
    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;

        if (bo->segments[middle].offset <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    bo->segment_hint = low;
    return &bo->segments[low];
}

bool primegpu_bo_map(PrimeGPUState *s, PrimeGPUBuffer *bo,
                     PrimeGPUMemWindow *window, uint64_t offset,
                     uint64_t length, bool is_write, PrimeGPUMemSpan *span)
{
    const PrimeGPUSegment *segment;
    uint64_t skip;

    g_assert(offset < bo->size && length <= bo->size - offset);
    if (bo->placed) {
        primegpu_mem_map_vram(s, bo->vram_offset + offset, length, span);
        return true;
    }
    segment = primegpu_bo_segment(bo, offset);
    skip = offset - segment->offset;
    return primegpu_mem_map(s, window, segment->addr + skip,
                            MIN(length, segment->length - skip), is_write,
                            span);
}

static void primegpu_bo_hash_span(PrimeGPUState *s,
                                  const PrimeGPUMemSpan *span, void *opaque)
{
    uint32_t *hash = opaque;

    *hash = qemu_xxhash6((uintptr_t)span->mr, span->mr_offset, *hash,
                         span->length / PRIMEGPU_PAGE_SIZE);
}

static bool primegpu_bo_walk(PrimeGPUState *s, PrimeGPUBuffer *bo,
                             PrimeGPUMemSpanFunc *func, void *opaque)
{
    int32_t i;

    for (i = 0; i < bo->segment_count; i++) {
        if (!primegpu_mem_walk(s, bo->segments[i].addr, bo->segments[i].length,
                               func, opaque)) {
            return false;
        }
    }
    return true;
}

void primegpu_bo_refresh(PrimeGPUState *s, PrimeGPUBuffer *bo)
{
    uint32_t layout = 0;

    /* The job will find out itself what cannot be reached any more. */
    if (!primegpu_bo_walk(s, bo, primegpu_bo_hash_span, &layout) ||
        layout == bo->layout) {
        return;
    }
    bo->layout = layout;
    primegpu_ledger_move(&s->ledger, bo->key);
    primegpu_bo_walk(s, bo, primegpu_bo_tell_span, bo);
}

static bool primegpu_bo_loaded(PrimeGPUState *s, PrimeGPUBuffer *bo)
{
    int32_t i;

    bo->attached = 0;
    bo->segment_room = bo->segment_count;
    for (i = 0; i < bo->segment_count; i++) {
        PrimeGPUSegment *segment = &bo->segments[i];

        if (!segment->length ||
            !QEMU_IS_ALIGNED(segment->addr | segment->length,
                             PRIMEGPU_PAGE_SIZE) ||
            segment->length > bo->size - bo->attached) {
            return false;
        }
        segment->offset = bo->attached;
        bo->attached += segment->length;
    }
    if (bo->placed) {
        if (!QEMU_IS_ALIGNED(bo->vram_offset, PRIMEGPU_PAGE_SIZE) ||
            !primegpu_bo_fits_vram(s, bo, bo->vram_offset) ||
            primegpu_bo_vram_taken(s, bo, bo->vram_offset)) {
            bo->placed = false;
            return false;
        }
        primegpu_bo_take_vram(s, bo, bo->vram_offset);
    }
    return true;
}

typedef struct PrimeGPUBOWalk {
    PrimeGPUState *s;
    bool ok;
} PrimeGPUBOWalk;

/* The BO alone was checked when it was loaded; here the table is. */
static gboolean primegpu_bo_load_one(gpointer key, gpointer value,
                                     gpointer opaque)
{
    PrimeGPUBOWalk *walk = opaque;
    PrimeGPUState *s = walk->s;
    PrimeGPUBuffer *bo = value;

    walk->ok = bo->key == (uintptr_t)key &&
               (bo->key & PRIMEGPU_KEY_DEVICE) ==
                   s->ledger.id * (PRIMEGPU_KEY_SERIAL + 1) &&
               (bo->key & PRIMEGPU_KEY_SERIAL) <= s->bos.last_serial &&
               bo->size <= s->conf.bytes_max - s->bos.bytes &&
               primegpu_bo_loaded(s, bo);
    if (walk->ok) {
        s->bos.bytes += bo->size;
        s->bos.client_count += bo->client_count;
    }
    return !walk->ok;
}

bool primegpu_bo_table_loaded(PrimeGPUState *s)
{
    PrimeGPUBOWalk walk = { .s = s, .ok = true };

    if (g_tree_nnodes(s->bos.tree) > s->conf.bo_max ||
        s->bos.last_serial > PRIMEGPU_KEY_SERIAL) {
        return false;
    }
    g_tree_foreach(s->bos.tree, primegpu_bo_load_one, &walk);
    return walk.ok && s->bos.client_count <=
           (uint64_t)s->conf.bo_max * PRIMEGPU_BO_CLIENTS_PER_BO;
}

static gboolean primegpu_bo_restore_one(gpointer key, gpointer value,
                                        gpointer opaque)
{
    PrimeGPUBOWalk *walk = opaque;
    PrimeGPUBuffer *bo = value;

    walk->ok = primegpu_ledger_restore(&walk->s->ledger, bo->key, bo->size,
                                       bo->imported, bo->exporter_key);
    return !walk->ok;
}

bool primegpu_bo_restore(PrimeGPUState *s)
{
    PrimeGPUBOWalk walk = { .s = s, .ok = true };

    g_tree_foreach(s->bos.tree, primegpu_bo_restore_one, &walk);
    return walk.ok;
}

static gboolean primegpu_bo_restore_one_bytes(gpointer key, gpointer value,
                                              gpointer opaque)
{
    PrimeGPUState *s = opaque;
    PrimeGPUBuffer *bo = value;

    primegpu_bo_walk(s, bo, primegpu_bo_tell_span, bo);
    if (bo->attached == bo->size) {
        primegpu_ledger_attached(&s->ledger, bo->key);
    }
    if (bo->placed) {
        primegpu_ledger_place(&s->ledger, bo->key, PRIME_GPU_LOCATION_VRAM,
                              bo->vram_offset, &s->mem.vram);
    }
    return false;
}

void primegpu_bo_restore_bytes(PrimeGPUState *s)
{
    g_tree_foreach(s->bos.tree, primegpu_bo_restore_one_bytes, s);
}
