/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model of what fences wait for.
 *
 * All fences come from timelines that the test moves on itself, so what waits
 * for a fence waits for a point of some timelines, and a set of fences is the
 * highest point of each.
 */
#ifndef PRIMEGPU_FENCES_H
#define PRIMEGPU_FENCES_H

#include "primegpu-guest-look.h"

#define PG_TIMELINES    4
#define PG_FENCES       8
#define PG_BUFFERS      2
#define PG_SYNCOBJS     3
#define PG_POINTS       64
#define PG_EVENTS       4

/* Signalled when each timeline has come so far */
typedef struct PGSet {
    unsigned at[PG_TIMELINES];
} PGSet;

typedef struct PGFence {
    bool used;
    bool points;                /* it is a timeline's, and has its points */
    PGSet set;
} PGFence;

typedef struct PGBuffer {
    PGSet readers;
    PGSet writers;
} PGBuffer;

/*
 * Of a binary one, count is 0; a point waits for those before it, too.  One
 * that got its fence from a timeline has that one's points, as many as are
 * left: it is only asked for all of it.
 */
typedef struct PGSyncobj {
    bool has;
    bool points;
    PGSet binary;
    unsigned count;
    uint64_t point[PG_POINTS];
    PGSet upto[PG_POINTS];
} PGSyncobj;

/* An eventfd */
typedef struct PGWatch {
    bool used;
    unsigned syncobj;
    uint64_t point;
    bool available;             /* it is not to wait for the fence itself */
    bool taken;                 /* the fence has come */
    PGSet set;
} PGWatch;

typedef struct PGModel {
    PGGuest *g;
    GRand *rand;
    unsigned now[PG_TIMELINES];
    unsigned last[PG_TIMELINES];
    PGFence fence[PG_FENCES];
    PGBuffer buffer[PG_BUFFERS];
    PGSyncobj syncobj[PG_SYNCOBJS];
    PGWatch watch[PG_EVENTS];
    PGSet jobs;                 /* what the latest job waits for */
    GArray *asked;              /* calls whose replies are yet to be seen */
} PGModel;

void pg_fences_init(PGModel *m, PGGuest *g, unsigned seed);
void pg_fences_fini(PGModel *m);

/* A random number below @n */
unsigned pg_any(PGModel *m, unsigned n);

PGSet pg_set_union(PGSet a, PGSet b);
/* What a writer of the buffer waits for */
PGSet pg_set_of(const PGBuffer *b);
bool pg_set_signalled(const PGModel *m, const PGSet *set);
/* What a wait for the point waits for; false if it has not come yet. */
bool pg_set_find(const PGSyncobj *k, uint64_t point, PGSet *set);

/* Send a call that has to end like this: ok, an errno's name, or NAME=VALUE. */
void pg_ask(PGModel *m, const char *want, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);
/* Look at the replies of all that was asked. */
void pg_look_asked(PGModel *m);

/* Ask for what can be seen of one, or of one of each kind. */
void pg_fences_see_fence(PGModel *m, unsigned f);
void pg_fences_see_buffer(PGModel *m, unsigned b);
void pg_fences_see_watch(PGModel *m, unsigned e);
void pg_fences_see_some(PGModel *m);

#endif /* PRIMEGPU_FENCES_H */
