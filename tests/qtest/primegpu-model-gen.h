/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test: what the files of the generator share.
 */
#ifndef PRIMEGPU_MODEL_GEN_H
#define PRIMEGPU_MODEL_GEN_H

#include "primegpu-model.h"

typedef struct PGMGen {
    uint64_t seed, drawn;
    PGModel *m;
    unsigned weights[PGM_KINDS];
    unsigned total;
    unsigned workers;
    unsigned focus;             /* the worker that acts */
    unsigned stay;              /* ops until another one does */
    unsigned seeds;
    bool gate_next;             /* all jobs are done now: close a gate */
    GArray *plan;               /* ops to come first; may be NULL */
    unsigned planned;           /* of them, that have come */
} PGMGen;

/* Names that are used in a worker, or workers that exist: a bit each */
typedef struct PGMUsed {
    uint32_t files, bos, fds, maps, syncs, workers;
    uint32_t fences, syncobjs;  /* of the fds: sync_files, and those */
} PGMUsed;

uint64_t pgm_random(PGMGen *r);
unsigned pgm_below(PGMGen *r, unsigned n);
bool pgm_percent(PGMGen *r, unsigned n);
PGMUsed pgm_used(const PGModel *m, unsigned worker);
/* Fill in the rest of an op that has its kind and worker. */
void pgm_pick_op(PGMGen *r, PGMOp *op);

#endif /* PRIMEGPU_MODEL_GEN_H */
