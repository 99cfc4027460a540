/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends of life: of a device, a process, a module, and what is left after.
 */
#ifndef PRIMEGPU_ENDS_H
#define PRIMEGPU_ENDS_H

#include "primegpu-guest-look.h"

#define PG_ENDS_SIZE 65536

typedef struct PGEndsPair {
    const char *name;
    const char *exporter;       /* GPU */
    const char *importer;
} PGEndsPair;

extern const PGEndsPair pg_ends_pairs[2];

/* The id of a GPU in the usual machine */
const char *pg_ends_id(const char *gpu);
/*
 * Share a buffer in new files and close all, with contents checked: nothing is
 * left, and nothing was violated.
 */
void pg_ends_works(PGGuest *g, const PGEndsPair *pair);
/* Let go of names in worker p1 whether they are there or not. */
void pg_ends_drop(PGGuest *g, const char *const *lines);

/* Unplug, or unbind, a GPU that is in use. */
void pg_ends_add_unplug(void);
/* Processes that end, and fds that cannot be made or are on their way */
void pg_ends_add_process(void);
/* Limits of the devices, and a hang */
void pg_ends_add_limits(void);
/* Sleep of the whole machine */
void pg_ends_add_suspend(void);

#endif /* PRIMEGPU_ENDS_H */
