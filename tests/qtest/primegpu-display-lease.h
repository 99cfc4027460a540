/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lessor and its lessee, and frames that they show.
 */
#ifndef PRIMEGPU_DISPLAY_LEASE_H
#define PRIMEGPU_DISPLAY_LEASE_H

#include "primegpu-display.h"

/* A frame that file d of a worker draws for another file there */
typedef struct PGFrame {
    uint64_t drawn;
    uint64_t shown;             /* 0: the shower has no keys */
    unsigned fb;
} PGFrame;

/* A frame of worker @worker: file d draws it, @file has it as @bo */
PGFrame pg_frame(PGGuest *g, const PGDisplayPair *pair, const char *worker,
                 const char *file, const char *bo);
void pg_frame_assert(PGGuest *g, const PGFrame *f, bool alive);

/* File s of a lessor, file l of a lessee; both may be in one worker. */
typedef struct PGLease {
    PGGuest *g;
    const PGDisplayPair *pair;
    const char *lessor;         /* worker */
    const char *lessee;
    unsigned output;            /* that is leased */
    unsigned id;
    PGFrame own;                /* on output 0, where another is leased */
    PGFrame frame;              /* of the lessee */
    bool ended;                 /* revoked, or the lessor has gone */
} PGLease;

/* Has the lessor another output than the one that it leases? */
bool pg_lease_has_two(const PGLease *l);
/* The lease is made, and lent to the other worker. */
void pg_lease_begin(PGLease *l);
/* The lessee shows its frame, which is shown still. */
void pg_lease_show(PGLease *l);
void pg_lease_assert_on(PGLease *l, const char *what);
/* What the lessee's file in a worker has, and may see and do */
void pg_lease_assert(const PGLease *l, const char *worker, const char *file,
                     bool ended);
/* The master leases the same again, to file k, as its lessee of this number. */
void pg_lease_again(const PGLease *l, const char *master, unsigned id);
/* The lessor has gone, and its lease with it: another master may lease. */
void pg_lease_by_next(const PGLease *l);
/* All files are closed, and nothing is left. */
void pg_lease_end(PGLease *l, const char *what);

#endif /* PRIMEGPU_DISPLAY_LEASE_H */
