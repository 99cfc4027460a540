/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that run out of memory at every place.
 *
 * A call is made again and again, and the first, the second, the third ...
 * allocation that it makes fails, until there are no more.  Whether it fails
 * or copes, nothing may stay allocated, in the guest's kernel or in the device;
 * and then it works.
 */
#ifndef PRIMEGPU_NOMEM_H
#define PRIMEGPU_NOMEM_H

#include "primegpu-guest-look.h"

/*
 * A call, and calls that belong to it, with ; between them.  $E and $I are the
 * exporter and the importer, $1 is the number that the latest call with @take
 * returned under that name.
 */
typedef struct PGWalk {
    const char *line;
    const char *undo;           /* of a call that worked */
    const char *before;         /* what each try needs first */
    const char *after;          /* the end of that, whether it worked or not */
    const char *take;
    /* What comes later needs it; without a way to undo it, it is just done. */
    bool keep;
    bool fails;                 /* it may, as it does not wait */
    /* It maps a range in the kernel, which warns if two places of that fail. */
    bool maps;
    /*
     * One place at a time, up to the first try that works: Linux 6.12 takes
     * for granted that there is memory for what comes after it.
     */
    bool begins;
    const char *leaks;          /* that the kernel as it is does not free */
} PGWalk;

typedef struct PGScene {
    const char *name;
    const char *extra;          /* options of the machine */
    const char *exporter;
    const char *importer;
    const PGWalk *walks;
    const PGWalk *first;        /* what comes before them, or NULL */
    void (*needs)(PGGuest *g);  /* skips the case, or NULL */
} PGScene;

/* A case whose data is a PGScene */
void pg_nomem_test_scene(const void *data);

/* Scenes of displays */
void pg_nomem_add_kms(void);

#endif /* PRIMEGPU_NOMEM_H */
