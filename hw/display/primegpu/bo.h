/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu buffer objects: the table of BOs by key, with their clients, pages
 * and VRAM range.  Section 4 of the hardware specification.
 */
#ifndef HW_DISPLAY_PRIMEGPU_BO_H
#define HW_DISPLAY_PRIMEGPU_BO_H

#include "qemu/interval-tree.h"

/* Limits of properties, so that a loaded BO can be checked on its own */
#define PRIMEGPU_BO_MAX_LIMIT       (16 * MiB)
#define PRIMEGPU_BYTES_MAX_LIMIT    (64 * GiB)
/* Handles are kept by (BO, client): this many for each BO on the average */
#define PRIMEGPU_BO_CLIENTS_PER_BO  4

/* Bytes of a BO that lie together on the bus */
typedef struct PrimeGPUSegment {
    uint64_t offset;            /* first byte in the BO; derived */
    uint64_t addr;
    uint64_t length;
} PrimeGPUSegment;

typedef struct PrimeGPUHandles {
    uint32_t client;
    uint32_t count;
} PrimeGPUHandles;

typedef struct PrimeGPUBuffer {
    /* migrated */
    uint64_t key;
    uint64_t size;
    uint64_t exporter_key;      /* 0: not an import, or a foreign one */
    bool imported;
    bool placed;                /* has a VRAM range */
    uint64_t vram_offset;
    uint32_t created_step;
    int64_t created_ns;
    int32_t segment_count;
    PrimeGPUSegment *segments;  /* by offset, without gaps */
    int32_t client_count;
    PrimeGPUHandles *clients;   /* by client */

    /* derived */
    uint64_t attached;          /* bytes of all segments */
    int32_t segment_room;
    int32_t segment_hint;       /* the one that was used last */
    uint32_t jobs;              /* jobs queued or running that name it */
    uint32_t shown;             /* places in outputs that name it */
    uint64_t job_mark;          /* the last job that counted it */
    uint32_t layout;            /* hash of where the ledger thinks it lies */
    IntervalTreeNode vram_node;
} PrimeGPUBuffer;

/* Private to the block, except for the queries. */
typedef struct PrimeGPUBOTable {
    /* migrated */
    GTree *tree;                /* key -> PrimeGPUBuffer */
    uint64_t last_serial;

    /* derived */
    IntervalTreeRoot vram;
    uint64_t bytes;
    uint64_t vram_used;
    uint64_t client_count;
} PrimeGPUBOTable;

void primegpu_bo_init(PrimeGPUState *s);
void primegpu_bo_finalize(PrimeGPUState *s);
/* Drop all BOs; the ledger is told when @tell. */
void primegpu_bo_drop_all(PrimeGPUState *s, bool tell);
PrimeGPUBuffer *primegpu_bo_find(PrimeGPUState *s, uint64_t key);
uint64_t primegpu_bo_next_key(PrimeGPUState *s);

/* The commands; each returns a status and changes nothing on an error. */
uint32_t primegpu_bo_create(PrimeGPUState *s, uint64_t key, uint64_t size,
                            bool imported, uint64_t exporter_key);
uint32_t primegpu_bo_open(PrimeGPUState *s, uint64_t key, uint32_t client);
uint32_t primegpu_bo_close(PrimeGPUState *s, uint64_t key, uint32_t client);
uint32_t primegpu_bo_attach(PrimeGPUState *s, uint64_t key, uint64_t offset,
                            const PrimeGPUSegment *list, uint32_t count);
uint32_t primegpu_bo_detach(PrimeGPUState *s, uint64_t key);
uint32_t primegpu_bo_place_pages(PrimeGPUState *s, uint64_t key);
uint32_t primegpu_bo_place_vram(PrimeGPUState *s, uint64_t key,
                                uint64_t vram_offset);
uint32_t primegpu_bo_destroy(PrimeGPUState *s, uint64_t key);

/* Give the VRAM range back, if the BO has one. */
void primegpu_bo_unplace(PrimeGPUState *s, PrimeGPUBuffer *bo);
/* The BO that a command names; complains when there is none. */
PrimeGPUBuffer *primegpu_bo_named(PrimeGPUState *s, uint64_t key);

/* Whether a job or an output uses its bytes */
bool primegpu_bo_is_busy(const PrimeGPUBuffer *bo);

/* What jobs need */
PrimeGPULocation primegpu_bo_location(const PrimeGPUBuffer *bo);
bool primegpu_bo_is_open(const PrimeGPUBuffer *bo, uint32_t client);
/* Whether equal offsets of the two are the same bytes */
bool primegpu_bo_same_bytes(const PrimeGPUBuffer *a, const PrimeGPUBuffer *b);
/*
 * Find up to @length bytes at @offset of a BO that has a location; the range
 * was checked.  Returns false when DMA does not reach them.
 */
bool primegpu_bo_map(PrimeGPUState *s, PrimeGPUBuffer *bo,
                     PrimeGPUMemWindow *window, uint64_t offset,
                     uint64_t length, bool is_write, PrimeGPUMemSpan *span);

/*
 * Behind an IOMMU the pages may have moved since they were attached: tell the
 * ledger where they are now.
 */
void primegpu_bo_refresh(PrimeGPUState *s, PrimeGPUBuffer *bo);

/* After load: check the table and work out what is derived. */
bool primegpu_bo_table_loaded(PrimeGPUState *s);
/* Tell the ledger, which has forgotten them, about the BOs; then the bytes */
bool primegpu_bo_restore(PrimeGPUState *s);
void primegpu_bo_restore_bytes(PrimeGPUState *s);

#endif /* HW_DISPLAY_PRIMEGPU_BO_H */
