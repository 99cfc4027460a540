/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the bytes of a shared buffer are, by what dma-buf promises: a model,
 * and the check that the devices agree with it.
 */
#ifndef PRIMEGPU_DYNAMIC_H
#define PRIMEGPU_DYNAMIC_H

#include "primegpu-guest-look.h"

#define PG_DYNAMIC_SIZE 65536

typedef struct PGRoute {
    const char *name;
    const char *exporter;       /* GPU */
    const char *importer;
} PGRoute;

/* How exporter and importer treat each other */
typedef struct PGMode {
    const char *name;
    bool dynamic;
    bool p2p;
} PGMode;

typedef struct PGShare {
    PGGuest *g;
    const PGRoute *route;
    PGMode mode;                /* as it is in effect */
    uint64_t exporter, importer; /* keys */
    uint32_t word;              /* that all bytes are made of */
    /* The model */
    bool vram;                  /* the bytes are in the exporter's VRAM */
    bool imported;
    bool mapped;                /* the importer has them */
} PGShare;

bool pg_route_has_vram(const PGRoute *route);
/* Make GPUs export and import in this way from now on. */
void pg_mode_set(PGGuest *g, const PGMode *mode);

/* Each step asserts where the bytes are after it. */
void pg_share_begin(PGShare *s);
void pg_share_import(PGShare *s);
/* A job of a GPU on its handle, writes them anew; what it held is checked. */
void pg_share_exporter_job(PGShare *s);
void pg_share_importer_job(PGShare *s);
/* Empty the exporter's VRAM. */
void pg_share_evict(PGShare *s);
/* The same, begun while a job of the importer is held by its gate */
void pg_share_evict_busy(PGShare *s);
/* GEM_PLACE of the exporter's handle */
void pg_share_place(PGShare *s, bool vram);
/* Close all in an order by @order, with nothing left. */
void pg_share_end(PGShare *s, unsigned order);

#endif /* PRIMEGPU_DYNAMIC_H */
