/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu memory: the only block that maps guest memory or VRAM.
 *
 * A bus address may mean guest RAM or a peer's VRAM; a register BAR, the
 * device's own VRAM BAR, ROM and holes are refused.  Addresses are translated
 * anew for each use, so an IOMMU is obeyed at the time of the access.
 */
#ifndef HW_DISPLAY_PRIMEGPU_MEM_H
#define HW_DISPLAY_PRIMEGPU_MEM_H

/* Private to the block; not migrated (the VRAM migrates as RAM). */
typedef struct PrimeGPUMem {
    MemoryRegion vram;
    uint8_t *vram_host;
    /*
     * For each page of VRAM, the generation in which it was found changed;
     * QEMU's log of dirty pages forgets when it is read, and there may be
     * more than one reader.
     */
    uint64_t *changed;
    uint64_t generation;
} PrimeGPUMem;

/* Bytes that lie together in one memory region */
typedef struct PrimeGPUMemSpan {
    MemoryRegion *mr;
    uint64_t mr_offset;
    uint8_t *host;
    uint64_t length;
} PrimeGPUMemSpan;

/* Writes that wait to be told to QEMU: one by one they would cost too much. */
#define PRIMEGPU_MEM_WRITES     64

/*
 * The translation that was used last.  Lives on the stack of its user, inside
 * one RCU critical section and one hold of the BQL.
 */
typedef struct PrimeGPUMemWindow {
    uint64_t start;
    uint64_t size;
    MemoryRegion *mr;
    uint64_t mr_offset;
    uint8_t *host;
    unsigned write_count;
    PrimeGPUMemSpan writes[PRIMEGPU_MEM_WRITES];
} PrimeGPUMemWindow;

typedef void PrimeGPUMemSpanFunc(PrimeGPUState *s, const PrimeGPUMemSpan *span,
                                 void *opaque);

/* Limits of the property */
#define PRIMEGPU_VRAM_MIN           (1 * MiB)
#define PRIMEGPU_VRAM_LIMIT         (16 * GiB)

bool primegpu_mem_init(PrimeGPUState *s, Error **errp);
void primegpu_mem_finalize(PrimeGPUState *s);

bool primegpu_mem_read(PrimeGPUState *s, uint64_t addr, void *buf,
                       uint64_t length);
bool primegpu_mem_write(PrimeGPUState *s, uint64_t addr, const void *buf,
                        uint64_t length);

void primegpu_mem_window_init(PrimeGPUMemWindow *window);
/*
 * Find the host memory of up to @length bytes at bus address @addr; the span
 * may be shorter, and is never empty.  One window serves one direction only.
 */
bool primegpu_mem_map(PrimeGPUState *s, PrimeGPUMemWindow *window,
                      uint64_t addr, uint64_t length, bool is_write,
                      PrimeGPUMemSpan *span);
/* The same for VRAM; the caller has checked the range. */
void primegpu_mem_map_vram(PrimeGPUState *s, uint64_t offset, uint64_t length,
                           PrimeGPUMemSpan *span);
/* The first @length bytes of the span were written. */
void primegpu_mem_written(PrimeGPUState *s, PrimeGPUMemWindow *window,
                          const PrimeGPUMemSpan *span, uint64_t length);
/* Needed after the last write through a window */
void primegpu_mem_flush(PrimeGPUState *s, PrimeGPUMemWindow *window);

/* The device to whose VRAM the span belongs, this one or a peer; or NULL */
PrimeGPUState *primegpu_mem_vram_owner(const PrimeGPUMemSpan *span);
/*
 * Look for changes of a range of VRAM, whoever made them.  Returns the
 * generation for which to ask the next time.
 */
uint64_t primegpu_mem_watch_sync(PrimeGPUState *owner, uint64_t offset,
                                 uint64_t length);
/* Whether a page of a range that was synced has changed since then */
bool primegpu_mem_watch_changed(PrimeGPUState *owner, uint64_t offset,
                                uint64_t length, uint64_t generation);

/* Whether the meaning of a bus address may change while it is in use */
bool primegpu_mem_has_iommu(PrimeGPUState *s);
/*
 * Call @func, unless it is NULL, for each span of a bus range.  Returns false
 * at the first byte that may not be written by DMA.
 */
bool primegpu_mem_walk(PrimeGPUState *s, uint64_t addr, uint64_t length,
                       PrimeGPUMemSpanFunc *func, void *opaque);

#endif /* HW_DISPLAY_PRIMEGPU_MEM_H */
