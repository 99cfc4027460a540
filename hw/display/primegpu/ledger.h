/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu ledger: the machine-wide record of every BO, of who shares bytes
 * with whom, and of every violation of the rules of buffer lifetime.
 *
 * The ledger watches: blocks tell it what they did, it never changes what
 * they do.  It is shared by all primegpu devices of a machine and guarded by
 * the BQL.
 */
#ifndef HW_DISPLAY_PRIMEGPU_LEDGER_H
#define HW_DISPLAY_PRIMEGPU_LEDGER_H

#include "qapi/qapi-types-primegpu.h"
#include "qemu/queue.h"

typedef struct PrimeGPULedgerBO PrimeGPULedgerBO;

/* What a device tells about itself; lives in the device, filled in by it. */
typedef struct PrimeGPULedgerDevice {
    uint16_t id;                /* upper 16 bits of its keys, from 1 */
    const char *name;           /* qdev id or QOM path */
    void *opaque;               /* the device, for the queries */

    /* Private to the ledger; zero before the device is added. */
    QTAILQ_HEAD(, PrimeGPULedgerBO) bos;    /* in the order of creation */
    uint32_t foreign;           /* imports whose exporter is no primegpu */
    bool id_loaded;
    bool restoring;
} PrimeGPULedgerDevice;

/*
 * A device is realized: give it an id never used before on this machine.
 * Returns false and sets @errp when there are no ids left.
 */
bool primegpu_ledger_add_device(PrimeGPULedgerDevice *dev, Error **errp);
/*
 * A device is unrealized.  BOs that it still has are dropped; the ones that
 * still have bytes are recorded as left behind.
 */
void primegpu_ledger_remove_device(PrimeGPULedgerDevice *dev);
/*
 * After load: take the id that was saved.  Returns false when it is 0 or
 * another device has loaded the same; a device that has it by the order of
 * realize gets this one's old id instead.
 */
bool primegpu_ledger_set_device_id(PrimeGPULedgerDevice *dev, uint16_t id);
/*
 * After load: record the BOs of one device anew.  restore_begin forgets its
 * records without a trace; until restore_end, open, submit, attach_range,
 * attached and place of this device write no history and check no rule.
 * restore adds a BO that exists already; its exporter need not be there yet,
 * but must be when the first device calls restore_end.  Bytes can be told as
 * late as the machine's start, when every device's BARs are loaded.  Returns
 * false when there is a BO with this key.
 */
void primegpu_ledger_restore_begin(PrimeGPULedgerDevice *dev);
bool primegpu_ledger_restore(PrimeGPULedgerDevice *dev, uint64_t key,
                             uint64_t size, bool imported, uint64_t exporter);
void primegpu_ledger_restore_end(PrimeGPULedgerDevice *dev);
PrimeGPULedgerDevice *primegpu_ledger_find_device(const char *name);
/* All devices, GSList of PrimeGPULedgerDevice sorted by id; do not free. */
GSList *primegpu_ledger_devices(void);

void primegpu_ledger_set_marker(PrimeGPULedgerDevice *dev, uint32_t step);
uint32_t primegpu_ledger_marker(void);

/*
 * BO life.  @key's upper bits name the device.  An import's exporter is
 * looked up by its key in the whole machine; returns false when @exporter is
 * not 0 and no such BO is alive, its size differs, or it is an import itself
 * (DRM core exports the original dma-buf again, never an import of it).
 * Nothing is recorded then.
 */
bool primegpu_ledger_create(PrimeGPULedgerDevice *dev, uint64_t key,
                            uint64_t size, bool imported, uint64_t exporter);
void primegpu_ledger_open(PrimeGPULedgerDevice *dev, uint64_t key,
                          uint32_t client);
void primegpu_ledger_close(PrimeGPULedgerDevice *dev, uint64_t key,
                           uint32_t client);
/*
 * Bytes [mr_offset, +size) of @mr (after IOMMU translation) now belong to the
 * BO's pages; the ledger holds a reference to @mr.  Called once for each
 * piece; attached says that it was the last one.
 */
void primegpu_ledger_attach_range(PrimeGPULedgerDevice *dev, uint64_t key,
                                  MemoryRegion *mr, uint64_t mr_offset,
                                  uint64_t size);
/* The pages are elsewhere now; attach_range tells where. */
void primegpu_ledger_move(PrimeGPULedgerDevice *dev, uint64_t key);
void primegpu_ledger_attached(PrimeGPULedgerDevice *dev, uint64_t key);
void primegpu_ledger_detach(PrimeGPULedgerDevice *dev, uint64_t key);
/*
 * Jobs use the BO's pages and it has no VRAM; or it has [vram_offset, +its
 * size) of @vram, which the ledger then watches as it does pages.
 */
void primegpu_ledger_place(PrimeGPULedgerDevice *dev, uint64_t key,
                           PrimeGPULocation location, uint64_t vram_offset,
                           MemoryRegion *vram);
void primegpu_ledger_release(PrimeGPULedgerDevice *dev, uint64_t key);
void primegpu_ledger_drop(PrimeGPULedgerDevice *dev, uint64_t key);

/*
 * A job that names the BO was fetched; is complete, or was cancelled.  @key is
 * 0 for a job that names none.
 */
void primegpu_ledger_submit(PrimeGPULedgerDevice *dev, uint64_t key,
                            uint64_t seqno);
void primegpu_ledger_complete(PrimeGPULedgerDevice *dev, uint64_t key,
                              uint64_t seqno, int64_t start_ns,
                              uint32_t status);

/* Whether BOs of other devices may have bytes in common with this one */
bool primegpu_ledger_is_shared(PrimeGPULedgerDevice *dev, uint64_t key);
/*
 * A job that was just fetched and the job of another device that is not
 * complete meet at byte @offset of @key, which is a byte of @other as well; or
 * what a commit shows, and a job.
 */
typedef struct PrimeGPULedgerRace {
    uint64_t key;
    uint64_t seqno;
    uint64_t other;
    uint64_t other_seqno;
    uint64_t offset;
    bool client;                /* user space orders one of the two */
    bool scanout;               /* seqno is a commit's */
} PrimeGPULedgerRace;

void primegpu_ledger_race(PrimeGPULedgerDevice *dev,
                          const PrimeGPULedgerRace *race);
/* A job was not compared with all that it should be compared with. */
void primegpu_ledger_race_unchecked(void);

/* Something happened to the device as a whole. */
void primegpu_ledger_event(PrimeGPULedgerDevice *dev,
                           PrimeGPULedgerEventKind kind);
/* A fault that was injected has come; @key and @seqno are 0 for none. */
void primegpu_ledger_fault(PrimeGPULedgerDevice *dev, PrimeGPUFault fault,
                           uint64_t key, uint64_t seqno);

/* A block refused something that breaks a rule.  @other may be 0. */
void primegpu_ledger_violation(PrimeGPULedgerDevice *dev,
                               PrimeGPUViolationKind kind, uint64_t key,
                               uint64_t other);

#endif /* HW_DISPLAY_PRIMEGPU_LEDGER_H */
