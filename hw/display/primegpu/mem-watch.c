/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu memory: VRAM that is looked at from outside of its device
 *
 * Owns what is known of changes in VRAM.
 */
#include "qemu/osdep.h"
#include "device.h"

/*
 * QEMU reads and clears its log of dirty pages in such pieces, whatever it is
 * asked for.
 */
#define PRIMEGPU_MEM_LOG_PIECE  (BITS_PER_LONG * PRIMEGPU_PAGE_SIZE)

PrimeGPUState *primegpu_mem_vram_owner(const PrimeGPUMemSpan *span)
{
    Object *owner = memory_region_owner(span->mr);
    PrimeGPUState *s;

    if (!owner || !object_dynamic_cast(owner, TYPE_PRIMEGPU)) {
        return NULL;
    }
    s = PRIMEGPU(owner);
    return span->mr == &s->mem.vram && s->mem.vram_host ? s : NULL;
}

uint64_t primegpu_mem_watch_sync(PrimeGPUState *owner, uint64_t offset,
                                 uint64_t length)
{
    PrimeGPUMem *mem = &owner->mem;
    uint64_t end = MIN(QEMU_ALIGN_UP(offset + length, PRIMEGPU_MEM_LOG_PIECE),
                       owner->conf.vram_size);
    g_autofree DirtyBitmapSnapshot *snapshot = NULL;
    uint64_t page;

    if (!mem->changed) {
        mem->changed = g_new0(uint64_t,
                              owner->conf.vram_size / PRIMEGPU_PAGE_SIZE);
    }
    offset = QEMU_ALIGN_DOWN(offset, PRIMEGPU_MEM_LOG_PIECE);
    snapshot = memory_region_snapshot_and_clear_dirty(&mem->vram, offset,
                                                      end - offset,
                                                      DIRTY_MEMORY_VGA);
    mem->generation++;
    for (page = offset; page < end; page += PRIMEGPU_PAGE_SIZE) {
        if (memory_region_snapshot_get_dirty(&mem->vram, snapshot, page,
                                             PRIMEGPU_PAGE_SIZE)) {
            mem->changed[page / PRIMEGPU_PAGE_SIZE] = mem->generation;
        }
    }
    return mem->generation;
}

bool primegpu_mem_watch_changed(PrimeGPUState *owner, uint64_t offset,
                                uint64_t length, uint64_t generation)
{
    uint64_t last = (offset + length - 1) / PRIMEGPU_PAGE_SIZE;
    uint64_t page;

    for (page = offset / PRIMEGPU_PAGE_SIZE; page <= last; page++) {
        if (owner->mem.changed[page] > generation) {
            return true;
        }
    }
    return false;
}
