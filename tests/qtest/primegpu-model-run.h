/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test: what the files that play a sequence share.
 */
#ifndef PRIMEGPU_MODEL_RUN_H
#define PRIMEGPU_MODEL_RUN_H

#include "primegpu-model.h"
#include "primegpu-guest-look.h"

/* A step that was sent */
typedef struct PGMSent {
    PGMExpect x;
    unsigned tag;               /* 0: the rig itself did it */
} PGMSent;

typedef struct PGMDrive {
    PGGuest *g;
    PGModel *m;
    PGMReport *report;
    unsigned base;              /* steps of the guest before step 1 */
    unsigned worker;            /* of the batch */
    PGMSent waiting;            /* its reply is to come when a gate opens */
    GArray *steps;              /* PGMSent; not yet checked, oldest first */
    unsigned answered;          /* of them */
    unsigned event;             /* the next of the devices' events */
    GHashTable *keys;           /* BO key to PGMObj */
    GArray *submits;            /* keys that jobs of this step named */
} PGMDrive;

/* Compare what the devices saw of the oldest steps, which are answered. */
void pgm_check_events(PGMDrive *d, unsigned steps);

#endif /* PRIMEGPU_MODEL_RUN_H */
