/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: static and dynamic sharing, with and without peer-to-peer, from
 * each kind of GPU, while the exporter's VRAM is emptied.
 */
#include "qemu/osdep.h"
#include "primegpu-dynamic.h"

#define PG_CONFIG "primegpu-two-discrete.cfg"

static const PGRoute pg_routes[] = {
    { "integrated-to-discrete", "integrated", "discrete" },
    { "discrete-to-integrated", "discrete", "integrated" },
    { "discrete-to-discrete", "discrete", "discrete1" },
};

static const PGMode pg_modes[] = {
    { "static", false, false },
    { "static-p2p", false, true },
    { "dynamic", true, false },
    { "dynamic-p2p", true, true },
};

typedef enum PGEvict {
    PG_EVICT_BEFORE,            /* the export */
    PG_EVICT_DURING,            /* a job of the importer */
    PG_EVICT_AFTER,             /* one */
    PG_EVICT_COUNT,
} PGEvict;

static const char *const pg_evict_names[] = {
    [PG_EVICT_BEFORE] = "evict-before",
    [PG_EVICT_DURING] = "evict-during",
    [PG_EVICT_AFTER] = "evict-after",
};

typedef struct PGCell {
    const PGRoute *route;
    const PGMode *mode;
    PGEvict evict;
} PGCell;

/* Why dma-buf has no such cell; NULL: it has */
static const char *pg_cell_excluded(const PGCell *c)
{
    if (!c->mode->dynamic && c->mode->p2p) {
        return "excluded by dma-buf: a static importer gets pages";
    }
    if (c->mode->p2p && !pg_route_has_vram(c->route)) {
        return "excluded by dma-buf: the exporter has nothing but pages";
    }
    return NULL;
}

static void pg_cell_play(PGShare *s, PGEvict evict)
{
    pg_share_begin(s);
    if (evict == PG_EVICT_BEFORE) {
        pg_share_evict(s);
    }
    pg_share_import(s);
    pg_share_importer_job(s);
    if (evict == PG_EVICT_DURING) {
        pg_share_evict_busy(s);
    } else if (evict == PG_EVICT_AFTER) {
        pg_share_evict(s);
    }
    pg_share_importer_job(s);
    pg_share_exporter_job(s);
    pg_share_importer_job(s);
    pg_share_exporter_job(s);
    if (evict == PG_EVICT_DURING) {
        /* The importer's bytes are not mapped before that job. */
        pg_share_evict_busy(s);
        pg_share_evict_busy(s);
    } else if (evict == PG_EVICT_AFTER) {
        pg_share_evict(s);
        pg_share_evict(s);
    }
    pg_share_importer_job(s);
    pg_share_importer_job(s);
}

/* All orders of closing but one end with an fd, then with either handle. */
static void pg_test_cell(const void *data)
{
    const PGCell *c = data;
    const PGMachine m = { .config = PG_CONFIG };
    const char *excluded = pg_cell_excluded(c);
    PGGuest *g;

    if (excluded) {
        pg_skip("%s", excluded);
    }
    g = pg_start(&m);
    pg_set_job_timeout(g, 0);
    pg_mode_set(g, c->mode);
    for (unsigned order = 0; order < 3; order++) {
        PGShare s = { .g = g, .route = c->route, .mode = *c->mode };

        pg_cell_play(&s, c->evict);
        pg_share_end(&s, order);
    }
    pg_finish(g);
}

/* Without a switch, the distance of the two is what refuses peer-to-peer. */
static void pg_test_no_switch(const void *data)
{
    const PGMachine m = { .config = "primegpu-pair-noswitch.cfg" };
    PGGuest *g = pg_start(&m);

    pg_set_job_timeout(g, 0);
    pg_mode_set(g, &pg_modes[3]);
    for (PGEvict evict = 0; evict < PG_EVICT_COUNT; evict++) {
        PGShare s = { .g = g, .route = &pg_routes[1], .mode = pg_modes[2] };

        pg_cell_play(&s, evict);
        pg_share_end(&s, evict);
    }
    pg_finish(g);
}

/* One of the two is static: the bytes are in pages, as if both were. */
static void pg_test_mixed(const void *data)
{
    static const PGMode mixed = { "mixed", false, true };
    static const char *const dynamic[] = {
        "primegpu_discrete", "primegpu_integrated",
    };
    PGGuest *g = pg_start(NULL);

    pg_set_job_timeout(g, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(dynamic); i++) {
        pg_mode_set(g, &mixed);
        pg_set_param(g, dynamic[i], "dynamic", 1);
        for (PGEvict evict = 0; evict < PG_EVICT_COUNT; evict++) {
            PGShare s = { .g = g, .route = &pg_routes[1], .mode = mixed };

            pg_cell_play(&s, evict);
            pg_share_end(&s, evict);
        }
    }
    pg_finish(g);
}

/* The exporter asks for a place while it is shared, and gets it if it may. */
static void pg_test_place(const void *data)
{
    const PGRoute *route = data;
    const PGMachine m = { .config = PG_CONFIG };
    PGGuest *g = pg_start(&m);

    pg_mode_set(g, &pg_modes[3]);
    for (unsigned order = 0; order < 3; order++) {
        PGShare s = { .g = g, .route = route, .mode = pg_modes[3] };

        pg_share_begin(&s);
        pg_share_import(&s);
        pg_share_importer_job(&s);
        pg_share_place(&s, false);
        pg_share_importer_job(&s);
        pg_share_place(&s, true);
        pg_share_importer_job(&s);
        pg_share_exporter_job(&s);
        pg_share_end(&s, order);
    }
    pg_mode_set(g, &pg_modes[0]);
    for (unsigned order = 0; order < 3; order++) {
        PGShare s = { .g = g, .route = route, .mode = pg_modes[0] };

        pg_share_begin(&s);
        pg_share_import(&s);
        pg_err(g, "EBUSY", "place e vram");
        pg_share_importer_job(&s);
        pg_share_place(&s, false);
        pg_share_exporter_job(&s);
        pg_share_end(&s, order);
    }
    pg_finish(g);
}

/* The importer uses VRAM in place, and that goes with the exporter's driver. */
static void pg_test_unbound(const void *data)
{
    const PGRoute *route = data;
    const PGMachine m = { .config = PG_CONFIG };
    PGShare s = { .g = pg_start(&m), .route = route, .mode = pg_modes[3] };
    PGGuest *g = s.g;

    pg_mode_set(g, &s.mode);
    pg_share_begin(&s);
    pg_share_import(&s);
    pg_share_importer_job(&s);
    pg_settle(g);
    pg_do(g, "unbind %s", route->exporter);
    pg_forget(g);
    if (pg_call(g, "copy oi 0 i 0 4096 wait")->ok ||
        pg_call(g, "fill i 0 4096 1 wait")->ok) {
        pg_fail(g, "a job has used VRAM of a GPU that has no driver");
    }
    pg_assert_u64(g, "jobs of the importer",
                  pg_count_events(g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT,
                                  s.importer), 0);
    pg_do(g, "kill p1");
    pg_stop(g);
}

static void pg_add_cells(void)
{
    const unsigned modes = ARRAY_SIZE(pg_modes);
    const unsigned n = ARRAY_SIZE(pg_routes) * modes * PG_EVICT_COUNT;

    for (unsigned i = 0; i < n; i++) {
        PGCell *c = g_new(PGCell, 1);
        g_autofree char *path = NULL;

        *c = (PGCell) {
            .route = &pg_routes[i / PG_EVICT_COUNT / modes],
            .mode = &pg_modes[i / PG_EVICT_COUNT % modes],
            .evict = i % PG_EVICT_COUNT,
        };
        path = g_strdup_printf("dynamic/%s/%s/%s", c->route->name,
                               c->mode->name, pg_evict_names[c->evict]);
        pg_add_case(path, pg_test_cell, c);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    pg_add_cells();
    pg_add_case("dynamic/no-switch", pg_test_no_switch, NULL);
    pg_add_case("dynamic/mixed", pg_test_mixed, NULL);
    pg_add_case("dynamic/place/discrete-to-integrated", pg_test_place,
                &pg_routes[1]);
    pg_add_case("dynamic/place/discrete-to-discrete", pg_test_place,
                &pg_routes[2]);
    pg_add_case("dynamic/unbound/discrete-to-integrated", pg_test_unbound,
                &pg_routes[1]);
    pg_add_case("dynamic/unbound/discrete-to-discrete", pg_test_unbound,
                &pg_routes[2]);
    return g_test_run();
}
