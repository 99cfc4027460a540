/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seed's scenario, for the test and for the demo.
 */
#ifndef PRIMEGPU_SEED_H
#define PRIMEGPU_SEED_H

#include "primegpu-guest.h"

#define PG_SEED_STEPS 6
#define PG_SEED_LATER 50

/* The exporter's file is fe and its BO e1, the importer's are fi and i1. */
typedef struct PGSeed {
    const char *exporter;       /* GPU */
    const char *importer;
    const char *variant;        /* of the kernel; NULL: as it is */
} PGSeed;

typedef struct PGSeedStep {
    const char *line;           /* for the agent */
    const char *words;          /* with the GPU's name in front */
    bool by_importer;
    bool has_exporter_bo;       /* is alive after the step */
    bool has_importer_bo;
} PGSeedStep;

extern const PGSeedStep pg_seed_steps[PG_SEED_STEPS];

/* Open both DRM files. */
void pg_seed_open(PGGuest *g, const PGSeed *seed);
/*
 * What comes later: in rounds, each with a fresh exporting file but the first,
 * the scenario again, and then that file imports dma-bufs that have nothing to
 * do with it, @n in all, each of which must make a BO of its own.  Returns how
 * many did not; @why is the first one's reason, to be freed.
 */
unsigned pg_seed_import_later(PGGuest *g, const PGSeed *seed, unsigned n,
                              char **why);

#endif /* PRIMEGPU_SEED_H */
