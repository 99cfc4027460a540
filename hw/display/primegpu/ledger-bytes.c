/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu ledger: which bytes belong to which BO.
 *
 * Owns an interval tree for each memory region that has such bytes, keyed by
 * the offset in the region: the address after IOMMU translation, so that two
 * devices behind a vIOMMU meet on one page.  It never looks at the bytes.
 */
#include "qemu/osdep.h"
#include "system/dma.h"
#include "ledger-internal.h"

/*
 * How many ranges on the same bytes one new or lost range is compared with.
 * Far above what buffer sharing makes, and low enough that a guest which
 * attaches one page to all its BOs cannot make the ledger quadratic.
 */
#define PRIMEGPU_LEDGER_COMPARE_MAX 64

void primegpu_ledger_bytes_init(PrimeGPULedger *ledger)
{
    ledger->regions = g_hash_table_new(NULL, NULL);
}

static PrimeGPULedgerRegion *primegpu_ledger_bytes_region(MemoryRegion *mr)
{
    PrimeGPULedgerRegion *region;

    region = g_hash_table_lookup(primegpu_ledger.regions, mr);
    if (!region) {
        region = g_new0(PrimeGPULedgerRegion, 1);
        region->mr = mr;
        memory_region_ref(mr);
        g_hash_table_insert(primegpu_ledger.regions, mr, region);
    }
    return region;
}

static PrimeGPULedgerRange *primegpu_ledger_bytes_first(
    PrimeGPULedgerRegion *region, uint64_t start, uint64_t last)
{
    IntervalTreeNode *node;

    node = interval_tree_iter_first(&region->ranges, start, last);
    return node ? container_of(node, PrimeGPULedgerRange, node) : NULL;
}

static PrimeGPULedgerRange *primegpu_ledger_bytes_next(
    PrimeGPULedgerRange *range, uint64_t start, uint64_t last)
{
    IntervalTreeNode *node;

    node = interval_tree_iter_next(&range->node, start, last);
    return node ? container_of(node, PrimeGPULedgerRange, node) : NULL;
}

/* Look for BOs with these bytes and no link to @bo. */
static void primegpu_ledger_bytes_check(PrimeGPULedgerBO *bo,
                                        PrimeGPULedgerRegion *region,
                                        uint64_t start, uint64_t last)
{
    PrimeGPULedgerRange *range;
    unsigned int left = PRIMEGPU_LEDGER_COMPARE_MAX;

    if (bo->dev->restoring) {
        return;
    }
    for (range = primegpu_ledger_bytes_first(region, start, last);
         range && left;
         range = primegpu_ledger_bytes_next(range, start, last), left--) {
        /* One violation for a run of pieces on the same other BO. */
        if (range->bo->root != bo->root && range->bo->key != bo->overlaps) {
            bo->overlaps = range->bo->key;
            primegpu_ledger_violation(bo->dev,
                                      PRIME_GPU_VIOLATION_KIND_OVERLAP,
                                      bo->key, range->bo->key);
        }
    }
}

/* The importers that still have bytes which @range's BO is about to lose. */
static void primegpu_ledger_bytes_check_lost(const PrimeGPULedgerRange *range)
{
    const PrimeGPUViolationKind kind =
        PRIME_GPU_VIOLATION_KIND_EXPORTER_DETACHED;
    PrimeGPULedgerBO *bo = range->bo;
    uint64_t start = range->node.start;
    uint64_t last = range->node.last;
    PrimeGPULedgerRange *other;
    unsigned int left = PRIMEGPU_LEDGER_COMPARE_MAX;

    if (QLIST_EMPTY(&bo->imports) || bo->dev->restoring) {
        return;
    }
    for (other = primegpu_ledger_bytes_first(range->region, start, last);
         other && left;
         other = primegpu_ledger_bytes_next(other, start, last), left--) {
        if (other->bo->exporter == bo && other->bo->key != bo->overlaps) {
            bo->overlaps = other->bo->key;
            primegpu_ledger_violation(bo->dev, kind, bo->key, other->bo->key);
        }
    }
}

static void primegpu_ledger_bytes_get(PrimeGPULedgerRange *range,
                                      PrimeGPULedgerBO *bo,
                                      PrimeGPULedgerRegion *region,
                                      uint64_t start, uint64_t last)
{
    range->bo = bo;
    range->region = region;
    range->node.start = start;
    range->node.last = last;
    interval_tree_insert(&range->node, &region->ranges);
}

void primegpu_ledger_bytes_put(PrimeGPULedgerRange *range)
{
    PrimeGPULedgerRegion *region = range->region;

    if (!region) {
        return;
    }
    interval_tree_remove(&range->node, &region->ranges);
    range->region = NULL;
    if (interval_tree_is_empty(&region->ranges)) {
        g_hash_table_remove(primegpu_ledger.regions, region->mr);
        memory_region_unref(region->mr);
        g_free(region);
    }
}

void primegpu_ledger_bytes_put_pages(PrimeGPULedgerBO *bo)
{
    PrimeGPULedgerRange *range, *tmp;

    QTAILQ_FOREACH_SAFE(range, &bo->pages, next, tmp) {
        QTAILQ_REMOVE(&bo->pages, range, next);
        primegpu_ledger_bytes_put(range);
        g_free(range);
    }
    bo->attached = 0;
}

/* Make the last range longer if the new piece continues it. */
static bool primegpu_ledger_bytes_append(PrimeGPULedgerBO *bo,
                                         PrimeGPULedgerRegion *region,
                                         uint64_t start, uint64_t last)
{
    PrimeGPULedgerRange *tail = QTAILQ_LAST(&bo->pages);

    if (!tail || tail->region != region || tail->node.last + 1 != start) {
        return false;
    }
    interval_tree_remove(&tail->node, &region->ranges);
    tail->node.last = last;
    interval_tree_insert(&tail->node, &region->ranges);
    return true;
}

void primegpu_ledger_attach_range(PrimeGPULedgerDevice *dev, uint64_t key,
                                  MemoryRegion *mr, uint64_t mr_offset,
                                  uint64_t size)
{
    PrimeGPULedgerBO *bo = primegpu_ledger_find_bo(key);
    uint64_t last = mr_offset + size - 1;
    PrimeGPULedgerRegion *region;
    PrimeGPULedgerRange *range;

    if (!bo || bo->dev != dev || !size) {
        return;
    }
    g_assert(last >= mr_offset);
    region = primegpu_ledger_bytes_region(mr);
    primegpu_ledger_bytes_check(bo, region, mr_offset, last);
    bo->attached += size;
    if (primegpu_ledger_bytes_append(bo, region, mr_offset, last)) {
        return;
    }
    range = g_new0(PrimeGPULedgerRange, 1);
    primegpu_ledger_bytes_get(range, bo, region, mr_offset, last);
    QTAILQ_INSERT_TAIL(&bo->pages, range, next);
}

void primegpu_ledger_attached(PrimeGPULedgerDevice *dev, uint64_t key)
{
    PrimeGPULedgerBO *bo = primegpu_ledger_find_bo(key);

    if (bo && bo->dev == dev) {
        primegpu_ledger_log(bo, PRIME_GPU_LEDGER_EVENT_KIND_ATTACH);
    }
}

void primegpu_ledger_move(PrimeGPULedgerDevice *dev, uint64_t key)
{
    PrimeGPULedgerBO *bo = primegpu_ledger_find_bo(key);

    if (bo && bo->dev == dev) {
        primegpu_ledger_bytes_put_pages(bo);
    }
}

void primegpu_ledger_detach(PrimeGPULedgerDevice *dev, uint64_t key)
{
    PrimeGPULedgerBO *bo = primegpu_ledger_find_bo(key);
    PrimeGPULedgerRange *range;

    if (!bo || bo->dev != dev) {
        return;
    }
    QTAILQ_FOREACH(range, &bo->pages, next) {
        primegpu_ledger_bytes_check_lost(range);
    }
    bo->overlaps = 0;
    primegpu_ledger_bytes_put_pages(bo);
    primegpu_ledger_log(bo, PRIME_GPU_LEDGER_EVENT_KIND_DETACH);
}

void primegpu_ledger_place(PrimeGPULedgerDevice *dev, uint64_t key,
                           PrimeGPULocation location, uint64_t vram_offset,
                           MemoryRegion *vram)
{
    PrimeGPULedgerBO *bo = primegpu_ledger_find_bo(key);
    bool in_vram = location == PRIME_GPU_LOCATION_VRAM;

    if (!bo || bo->dev != dev) {
        return;
    }
    bo->overlaps = 0;
    if (bo->vram.region) {
        primegpu_ledger_bytes_check_lost(&bo->vram);
        primegpu_ledger_bytes_put(&bo->vram);
    }
    if (in_vram) {
        uint64_t last = vram_offset + bo->size - 1;
        PrimeGPULedgerRegion *region = primegpu_ledger_bytes_region(vram);

        primegpu_ledger_bytes_check(bo, region, vram_offset, last);
        primegpu_ledger_bytes_get(&bo->vram, bo, region, vram_offset, last);
        primegpu_ledger_log_other(bo, PRIME_GPU_LEDGER_EVENT_KIND_PLACE,
                                  vram_offset);
    } else {
        primegpu_ledger_log(bo, PRIME_GPU_LEDGER_EVENT_KIND_PLACE);
    }
    bo->overlaps = 0;
}

/* Bytes of [@start, @last] of the region that belong to @bo as well. */
static uint64_t primegpu_ledger_bytes_in(PrimeGPULedgerRegion *region,
                                         const PrimeGPULedgerBO *bo,
                                         uint64_t start, uint64_t last,
                                         uint32_t *budget)
{
    PrimeGPULedgerRange *range;
    uint64_t common = 0;

    for (range = primegpu_ledger_bytes_first(region, start, last);
         range && *budget;
         range = primegpu_ledger_bytes_next(range, start, last), --*budget) {
        if (range->bo == bo) {
            common += MIN(range->node.last, last) -
                      MAX(range->node.start, start) + 1;
        }
    }
    return common;
}

uint64_t primegpu_ledger_bytes_common(const PrimeGPULedgerBO *importer,
                                      uint32_t *budget)
{
    const PrimeGPULedgerBO *exporter = importer->exporter;
    const PrimeGPULedgerRange *range;
    uint64_t common = 0;

    QTAILQ_FOREACH(range, &importer->pages, next) {
        common += primegpu_ledger_bytes_in(range->region, exporter,
                                           range->node.start, range->node.last,
                                           budget);
    }
    if (importer->vram.region) {
        range = &importer->vram;
        common += primegpu_ledger_bytes_in(range->region, exporter,
                                           range->node.start, range->node.last,
                                           budget);
    }
    return common;
}
