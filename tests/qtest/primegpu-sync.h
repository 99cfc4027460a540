/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two GPUs, a buffer that they share, and a gate that holds the first one's
 * job back.
 */
#ifndef PRIMEGPU_SYNC_H
#define PRIMEGPU_SYNC_H

#include "primegpu-guest-look.h"

#define PG_SYNC_SIZE 16384

/* Words that a BO is filled with, before and by the first and second job */
#define PG_SYNC_BEFORE 0x0b0b0b0b
#define PG_SYNC_FIRST  0x01010101
#define PG_SYNC_SECOND 0x02020202

typedef struct PGSyncPair {
    const char *name;
    const char *exporter;       /* GPU */
    const char *importer;
} PGSyncPair;

/*
 * The GPU that has the first job is 1, the other is 2.  Each has a file (f1,
 * f2), a handle to the shared buffer (b1, b2), and a buffer of its own (o1,
 * o2).  The dma-buf's fd is d.
 */
typedef struct PGSync {
    PGGuest *g;
    const PGSyncPair *pair;
    bool importer_first;
    uint64_t key[3];            /* of b1 and b2 */
    const char *gate[3];        /* ids of the devices */
} PGSync;

/* What a job does with the shared buffer */
typedef enum PGAccess { PG_READ, PG_WRITE } PGAccess;

extern const PGSyncPair pg_sync_pairs[2];
extern const char *const pg_access_names[];

/* A guest in which no job counts as a hang */
PGGuest *pg_sync_start(void);
/* Make the buffers, fill them, and close the gate of GPU 1. */
void pg_sync_begin(PGSync *s);
/*
 * Send a job to GPU @n.  It fills the second half of the shared buffer (the
 * first job: all of it), or copies it to the GPU's own.
 */
void pg_sync_job(PGSync *s, unsigned n, PGAccess access, const char *options);
/* As pg_sync_job() for GPU 1, and wait until the device has fetched it. */
void pg_sync_first(PGSync *s, PGAccess access, const char *options);
/* Give everything in the guest time to go on, and assert that GPU 2 did not. */
void pg_sync_assert_held(PGSync *s, const char *what);
/* Open the gate. */
void pg_sync_open(PGSync *s);
/* The bytes are what these two jobs, in this order, make. */
void pg_sync_assert_bytes(PGSync *s, PGAccess first, PGAccess second);
/* Close everything: nothing is left, and nothing was violated. */
void pg_sync_end(PGSync *s);

/* Add the cases about explicit fences. */
void pg_sync_add_explicit(void);

#endif /* PRIMEGPU_SYNC_H */
