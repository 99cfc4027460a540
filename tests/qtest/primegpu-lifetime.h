/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lifetime tests: what keeps a shared buffer alive, and a model of it.
 */
#ifndef PRIMEGPU_LIFETIME_H
#define PRIMEGPU_LIFETIME_H

#include "primegpu-guest.h"

/* What may keep a buffer, each let go once */
typedef enum PGKeeper {
    PG_KEEP_EXPORTER_HANDLE,
    PG_KEEP_IMPORTER_HANDLE,
    PG_KEEP_FD,
    PG_KEEP_MAP,
    PG_KEEP_JOB,
    PG_KEEP_EXPORTER_FILE,
    PG_KEEP_IMPORTER_FILE,
    PG_KEEP_COUNT,
} PGKeeper;

extern const char *const pg_keeper_names[PG_KEEP_COUNT];

/*
 * One order of letting go.  A handle that is not in it goes with its file.
 */
typedef struct PGOrder {
    bool map_by_file;           /* the map is of the exporter's DRM file */
    unsigned n;
    PGKeeper steps[PG_KEEP_COUNT];
} PGOrder;

/* What must be alive in the devices */
typedef struct PGAlive {
    bool exporter;
    bool importer;
} PGAlive;

/* The model: after the first @done steps of the order */
PGAlive pg_order_alive(const PGOrder *order, unsigned done);
char *pg_order_name(const PGOrder *order);

typedef void PGOrderFn(const PGOrder *order, void *opaque);
/* Call @fn for each legal order that lets go of @first first. */
void pg_orders_foreach(PGKeeper first, PGOrderFn *fn, void *opaque);

#endif /* PRIMEGPU_LIFETIME_H */
