/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu ledger: what its parts and the queries share.  No block of the
 * device includes this.
 *
 * Everything here is guarded by the BQL.
 */
#ifndef HW_DISPLAY_PRIMEGPU_LEDGER_INTERNAL_H
#define HW_DISPLAY_PRIMEGPU_LEDGER_INTERNAL_H

#include "qemu/interval-tree.h"
#include "ledger.h"

/* Serial number n is kept at index (n - 1) % SIZE. */
#define PRIMEGPU_LEDGER_EVENTS_SIZE     65536
#define PRIMEGPU_LEDGER_VIOLATIONS_SIZE 1024

/* The bytes of one memory region that belong to BOs. */
typedef struct PrimeGPULedgerRegion {
    MemoryRegion *mr;           /* referenced */
    IntervalTreeRoot ranges;
} PrimeGPULedgerRegion;

typedef struct PrimeGPULedgerRange {
    IntervalTreeNode node;
    PrimeGPULedgerRegion *region;   /* NULL when not in use */
    PrimeGPULedgerBO *bo;
    QTAILQ_ENTRY(PrimeGPULedgerRange) next;
} PrimeGPULedgerRange;

typedef QLIST_HEAD(PrimeGPULedgerImports, PrimeGPULedgerBO)
    PrimeGPULedgerImports;

struct PrimeGPULedgerBO {
    uint64_t key;
    uint64_t size;
    uint64_t exporter_key;      /* 0: none, or a foreign one */
    /*
     * BOs with the same root may have bytes in common: an exporter's key in
     * its own record and in its imports'; 0 in every foreign import, as the
     * ledger cannot tell foreign buffers apart.
     */
    uint64_t root;
    bool imported;
    uint32_t peers;             /* imports of it on other devices */
    PrimeGPULedgerDevice *dev;
    PrimeGPULedgerBO *exporter; /* NULL when there is none alive */
    PrimeGPULedgerImports imports;
    QLIST_ENTRY(PrimeGPULedgerBO) import_next;
    QTAILQ_ENTRY(PrimeGPULedgerBO) next;

    uint64_t attached;          /* bytes in pages */
    QTAILQ_HEAD(, PrimeGPULedgerRange) pages;
    PrimeGPULedgerRange vram;
    uint64_t overlaps;          /* the BO last found on the same bytes */
};

/* One line of the history. */
typedef struct PrimeGPULedgerRecord {
    uint8_t kind;               /* PrimeGPULedgerEventKind */
    uint8_t has;                /* PRIMEGPU_LEDGER_HAS_... */
    uint8_t detail;             /* a status, a violation's kind or a fault */
    uint16_t device;
    uint32_t step;
    int64_t ns;
    uint64_t key;
    uint64_t size;              /* or the other job, or the start */
    uint64_t other;
    uint64_t seqno;
} PrimeGPULedgerRecord;

/* What a record has; SIZE, OTHER_SEQNO and START exclude one another. */
#define PRIMEGPU_LEDGER_HAS_SIZE        0x01
#define PRIMEGPU_LEDGER_HAS_OTHER       0x02
#define PRIMEGPU_LEDGER_HAS_SEQNO       0x04
#define PRIMEGPU_LEDGER_HAS_OTHER_SEQNO 0x08
#define PRIMEGPU_LEDGER_HAS_START       0x10

typedef struct PrimeGPULedgerOffence {
    uint8_t kind;               /* PrimeGPUViolationKind */
    uint16_t device;
    uint32_t step;
    int64_t ns;
    uint64_t key;
    uint64_t other;             /* 0 when there is none */
    uint64_t seqno;             /* these three for a race only */
    uint64_t other_seqno;
    uint64_t offset;
    uint64_t serial;
    uint64_t count;
} PrimeGPULedgerOffence;

/* Migrated, once for the machine, except for the switches. */
typedef struct PrimeGPULedgerLog {
    uint32_t step;
    uint64_t next;              /* serial of the next event */
    uint32_t event_slots;       /* of events, for migration */
    PrimeGPULedgerRecord *events;
    uint64_t offences_next;     /* serial of the next new offence */
    uint64_t violations;        /* all of them, repeats included */
    uint64_t client_races;
    uint64_t races_unchecked;
    uint32_t offence_slots;
    PrimeGPULedgerOffence *offences;
    bool send_release;
    bool send_violation;
} PrimeGPULedgerLog;

typedef struct PrimeGPULedger {
    /* derived: devices add themselves and restore their BOs */
    GSList *devices;            /* PrimeGPULedgerDevice, by id */
    GHashTable *names;          /* id -> name, removed devices included */
    GHashTable *bos;            /* key -> PrimeGPULedgerBO */
    GHashTable *regions;        /* MemoryRegion -> PrimeGPULedgerRegion */
    PrimeGPULedgerImports unlinked; /* restored before their exporter */
    uint32_t foreign;           /* imports of all devices */

    /* migrated, once for the machine */
    uint32_t next_id;
    PrimeGPULedgerLog log;
} PrimeGPULedger;

extern PrimeGPULedger primegpu_ledger;

PrimeGPULedgerBO *primegpu_ledger_find_bo(uint64_t key);

/* Bytes */
void primegpu_ledger_bytes_init(PrimeGPULedger *ledger);
void primegpu_ledger_bytes_put(PrimeGPULedgerRange *range);
void primegpu_ledger_bytes_put_pages(PrimeGPULedgerBO *bo);
/* Bytes that @importer and its exporter have in common; looks at *@budget. */
uint64_t primegpu_ledger_bytes_common(const PrimeGPULedgerBO *importer,
                                      uint32_t *budget);

/* Log */
void primegpu_ledger_log_init(PrimeGPULedgerLog *log);
void primegpu_ledger_log(const PrimeGPULedgerBO *bo,
                         PrimeGPULedgerEventKind kind);
void primegpu_ledger_log_other(const PrimeGPULedgerBO *bo,
                               PrimeGPULedgerEventKind kind, uint64_t other);
PrimeGPULedgerEvents *primegpu_ledger_log_events(uint64_t since, uint32_t max);
PrimeGPUViolations *primegpu_ledger_log_violations(void);
/* Whether a loaded record can be told */
bool primegpu_ledger_log_is_valid(const PrimeGPULedgerRecord *record);
/* Name of a device, a removed one included; the caller frees it. */
char *primegpu_ledger_device_name(uint16_t id);

/* Migration */
void primegpu_ledger_vmstate_register(void);
void primegpu_ledger_vmstate_unregister(void);

#endif /* HW_DISPLAY_PRIMEGPU_LEDGER_INTERNAL_H */
