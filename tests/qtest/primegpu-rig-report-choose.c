/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Report: the lanes of the BOs, and which of them are shown: what a violation
 * or the reason names comes first, then what is still alive, then the newest.
 */
#include "qemu/osdep.h"
#include "primegpu-rig-report.h"

static PGReportEvent *pg_report_event(const PGReport *r, unsigned i)
{
    return &g_array_index(r->events, PGReportEvent, i);
}

static const PGReportStep *pg_report_step(const PGReport *r, unsigned step)
{
    return step && step <= r->steps->len
           ? &g_array_index(r->steps, PGReportStep, step - 1) : NULL;
}

/* The word of a line that names the BO which its reply has the key of */
static const struct {
    const char *command;
    unsigned word;
} pg_report_makers[] = {
    { "create", 2 }, { "dumb", 2 }, { "import", 3 }, { "gem-open", 3 },
    { "getfb", 3 }, { "getfb2", 3 },
};

static char *pg_report_bo_name(const PGReport *r, unsigned step, uint64_t key)
{
    g_autofree char *hex = g_strdup_printf("key=0x%" PRIx64, key);
    const PGReportStep *s = pg_report_step(r, step);
    g_auto(GStrv) words = NULL;
    const char *rest, *worker, *found;

    found = s && s->reply ? strstr(s->reply, hex) : NULL;
    if (!found || g_ascii_isxdigit(found[strlen(hex)])) {
        return NULL;
    }
    worker = pg_report_worker(s->line, &rest);
    words = g_strsplit(rest, " ", -1);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_report_makers); i++) {
        if (g_str_equal(words[0], pg_report_makers[i].command) &&
            g_strv_length(words) > pg_report_makers[i].word) {
            const char *name = words[pg_report_makers[i].word];

            return g_str_equal(worker, "p1")
                   ? g_strdup(name) : g_strdup_printf("%s %s", worker, name);
        }
    }
    return NULL;
}

static void pg_report_lane_free(gpointer data)
{
    PGReportLane *lane = data;

    g_free(lane->name);
    g_array_unref(lane->events);
    g_free(lane);
}

static void pg_report_lane_event(const PGReport *r, PGReportLane *lane,
                                 unsigned index)
{
    const PGReportEvent *e = pg_report_event(r, index);

    g_array_append_val(lane->events, index);
    if (g_str_equal(e->kind, "create")) {
        lane->made = e->step;
        lane->imported = e->has_other;
        lane->exporter = e->other;
        lane->name = pg_report_bo_name(r, e->step, e->key);
    } else if (g_str_equal(e->kind, "release") ||
               g_str_equal(e->kind, "drop")) {
        lane->gone = true;
        lane->released = e->step;
        lane->dropped = g_str_equal(e->kind, "drop");
    }
    lane->size = e->size ?: lane->size;
}

static GPtrArray *pg_report_all_lanes(const PGReport *r)
{
    GPtrArray *lanes = g_ptr_array_new_with_free_func(pg_report_lane_free);
    g_autoptr(GHashTable) by_key = g_hash_table_new(g_int64_hash,
                                                    g_int64_equal);

    for (unsigned i = 0; i < r->events->len; i++) {
        PGReportEvent *e = pg_report_event(r, i);
        PGReportLane *lane = g_hash_table_lookup(by_key, &e->key);

        if (!e->key) {
            continue;
        }
        if (!lane) {
            lane = g_new0(PGReportLane, 1);
            lane->key = e->key;
            lane->device = e->device;
            lane->y = -1;
            lane->rows = 1;
            lane->events = g_array_new(FALSE, FALSE, sizeof(unsigned));
            g_ptr_array_add(lanes, lane);
            g_hash_table_insert(by_key, &e->key, lane);
        }
        pg_report_lane_event(r, lane, i);
    }
    return lanes;
}

PGReportLane *pg_report_find(GPtrArray *lanes, uint64_t key)
{
    for (unsigned i = 0; key && i < lanes->len; i++) {
        PGReportLane *lane = g_ptr_array_index(lanes, i);

        if (lane->key == key) {
            return lane;
        }
    }
    return NULL;
}

static void pg_report_raise(PGReportLane *lane, int rank)
{
    if (lane) {
        lane->rank = MAX(lane->rank, rank);
    }
}

static void pg_report_rank(const PGReport *r, GPtrArray *lanes)
{
    for (unsigned i = 0; i < r->violations->len; i++) {
        const PGReportViolation *v =
            &g_array_index(r->violations, PGReportViolation, i);
        PGReportLane *both[] = {
            pg_report_find(lanes, v->key), pg_report_find(lanes, v->other),
        };

        for (unsigned j = 0; j < ARRAY_SIZE(both); j++) {
            if (both[j]) {
                both[j]->blamed = true;
                both[j]->rank = 5;
            }
        }
    }
    for (unsigned i = 0; i < lanes->len; i++) {
        PGReportLane *lane = g_ptr_array_index(lanes, i);
        g_autofree char *hex = g_strdup_printf("0x%" PRIx64, lane->key);

        if (r->reason && strstr(r->reason, hex)) {
            pg_report_raise(lane, 4);
            lane->blamed = true;
        }
        if (!lane->gone) {
            pg_report_raise(lane, 2);
        }
    }
    /* Who shares with one of those */
    for (unsigned i = 0; i < lanes->len; i++) {
        PGReportLane *lane = g_ptr_array_index(lanes, i);
        PGReportLane *exporter = pg_report_find(lanes, lane->exporter);

        if (exporter) {
            pg_report_raise(exporter, lane->rank - 1);
            pg_report_raise(lane, exporter->rank - 1);
        }
    }
}

static gint pg_report_by_rank(gconstpointer a, gconstpointer b)
{
    const PGReportLane *x = *(PGReportLane *const *)a;
    const PGReportLane *y = *(PGReportLane *const *)b;
    unsigned x_new = g_array_index(x->events, unsigned, x->events->len - 1);
    unsigned y_new = g_array_index(y->events, unsigned, y->events->len - 1);

    if (x->rank != y->rank) {
        return y->rank - x->rank;
    }
    return (x_new < y_new) - (x_new > y_new);
}

static gint pg_report_by_key(gconstpointer a, gconstpointer b)
{
    const PGReportLane *x = *(PGReportLane *const *)a;
    const PGReportLane *y = *(PGReportLane *const *)b;

    return (x->key > y->key) - (x->key < y->key);
}

GPtrArray *pg_report_choose_lanes(const PGReport *r, unsigned *left_out)
{
    GPtrArray *lanes = pg_report_all_lanes(r);

    pg_report_rank(r, lanes);
    g_ptr_array_sort(lanes, pg_report_by_rank);
    if (lanes->len > PG_REPORT_LANES) {
        *left_out = lanes->len - PG_REPORT_LANES;
        g_ptr_array_set_size(lanes, PG_REPORT_LANES);
    }
    g_ptr_array_sort(lanes, pg_report_by_key);
    return lanes;
}
