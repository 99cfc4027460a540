/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lifetime tests: every legal order of letting go, and the model of who keeps
 * what.
 */
#include "qemu/osdep.h"
#include "primegpu-lifetime.h"

const char *const pg_keeper_names[PG_KEEP_COUNT] = {
    [PG_KEEP_EXPORTER_HANDLE] = "exporter-handle",
    [PG_KEEP_IMPORTER_HANDLE] = "importer-handle",
    [PG_KEEP_FD] = "fd",
    [PG_KEEP_MAP] = "map",
    [PG_KEEP_JOB] = "job",
    [PG_KEEP_EXPORTER_FILE] = "exporter-file",
    [PG_KEEP_IMPORTER_FILE] = "importer-file",
};

/*
 * A handle lives until it is closed or its file is; a file lives until it is
 * closed and no map of it is left.  The importer's BO is kept by its handle
 * and by a job that names it.  The dma-buf is kept by its fd, by a map of it,
 * by the importer's BO, and by the entry that each handle to it has in its
 * file.  The exporter's BO is kept by its handle, by the dma-buf, and by a map
 * of the DRM file.
 */
PGAlive pg_order_alive(const PGOrder *order, unsigned done)
{
    bool has[PG_KEEP_COUNT];
    bool exporter_file, exporter_handle, importer_handle, dma_buf;
    PGAlive alive;

    memset(has, true, sizeof(has));
    for (unsigned i = 0; i < done; i++) {
        has[order->steps[i]] = false;
    }
    exporter_file = has[PG_KEEP_EXPORTER_FILE] ||
                    (order->map_by_file && has[PG_KEEP_MAP]);
    exporter_handle = has[PG_KEEP_EXPORTER_HANDLE] && exporter_file;
    importer_handle = has[PG_KEEP_IMPORTER_HANDLE] &&
                      has[PG_KEEP_IMPORTER_FILE];

    alive.importer = importer_handle || has[PG_KEEP_JOB];
    dma_buf = has[PG_KEEP_FD] || (!order->map_by_file && has[PG_KEEP_MAP]) ||
              alive.importer || exporter_handle;
    alive.exporter = dma_buf || (order->map_by_file && has[PG_KEEP_MAP]);
    return alive;
}

char *pg_order_name(const PGOrder *order)
{
    GString *s = g_string_new(order->map_by_file ? "(map of the DRM file)"
                                                 : "(map of the dma-buf)");

    for (unsigned i = 0; i < order->n; i++) {
        g_string_append_printf(s, "%s %s", i ? "," : "",
                               pg_keeper_names[order->steps[i]]);
    }
    return g_string_free(s, FALSE);
}

typedef struct PGOrders {
    PGOrder order;
    bool in_order[PG_KEEP_COUNT];   /* is let go of at all */
    bool used[PG_KEEP_COUNT];
    unsigned wanted;
    PGOrderFn *fn;
    void *opaque;
} PGOrders;

/* A handle can't be closed when its file is gone. */
static bool pg_order_is_legal(const PGOrders *o, PGKeeper k)
{
    if (o->used[k] || !o->in_order[k]) {
        return false;
    }
    if (k == PG_KEEP_EXPORTER_FILE) {
        return o->used[PG_KEEP_EXPORTER_HANDLE] ||
               !o->in_order[PG_KEEP_EXPORTER_HANDLE];
    }
    if (k == PG_KEEP_IMPORTER_FILE) {
        return o->used[PG_KEEP_IMPORTER_HANDLE] ||
               !o->in_order[PG_KEEP_IMPORTER_HANDLE];
    }
    return true;
}

static void pg_order_extend(PGOrders *o)
{
    if (o->order.n == o->wanted) {
        o->fn(&o->order, o->opaque);
        return;
    }
    for (PGKeeper k = 0; k < PG_KEEP_COUNT; k++) {
        if (pg_order_is_legal(o, k)) {
            o->used[k] = true;
            o->order.steps[o->order.n++] = k;
            pg_order_extend(o);
            o->order.n--;
            o->used[k] = false;
        }
    }
}

static void pg_orders_from(PGOrders *o, PGKeeper first)
{
    if (pg_order_is_legal(o, first)) {
        o->used[first] = true;
        o->order.steps[o->order.n++] = first;
        pg_order_extend(o);
    }
}

/*
 * With and without closing each handle before its file.  A map of the DRM
 * file keeps the file, which matters where the file is to close the handle.
 */
void pg_orders_foreach(PGKeeper first, PGOrderFn *fn, void *opaque)
{
    for (unsigned family = 0; family < 8; family++) {
        bool closes_exporter = !(family & 1);
        bool closes_importer = !(family & 2);
        bool map_by_file = family & 4;
        PGOrders o = {
            .order.map_by_file = map_by_file,
            .wanted = PG_KEEP_COUNT - !closes_exporter - !closes_importer,
            .fn = fn,
            .opaque = opaque,
        };

        if (map_by_file && closes_exporter) {
            continue;
        }
        memset(o.in_order, true, sizeof(o.in_order));
        o.in_order[PG_KEEP_EXPORTER_HANDLE] = closes_exporter;
        o.in_order[PG_KEEP_IMPORTER_HANDLE] = closes_importer;
        pg_orders_from(&o, first);
    }
}
