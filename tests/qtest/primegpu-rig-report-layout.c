/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Report: which steps are shown, and where everything is.
 *
 * Steps are shown around violations and where something happened to a BO that
 * is shown, and the last ones.
 */
#include "qemu/osdep.h"
#include "primegpu-rig-report.h"

/* Widths of a column, in pixels */
#define PG_REPORT_CHAR_W   6.1
#define PG_REPORT_COL_MIN  54
#define PG_REPORT_COL_MAX  300
#define PG_REPORT_EVENT_W  12
#define PG_REPORT_GAP_W    54
/* Job bars that lie below each other in a lane; more overlap. */
#define PG_REPORT_ROWS_MAX 4

static PGReportEvent *pg_report_event(const PGReport *r, unsigned i)
{
    return &g_array_index(r->events, PGReportEvent, i);
}

static const PGReportStep *pg_report_step(const PGReport *r, unsigned step)
{
    return step && step <= r->steps->len
           ? &g_array_index(r->steps, PGReportStep, step - 1) : NULL;
}

const char *pg_report_worker(const char *line, const char **rest)
{
    g_autofree char *worker = NULL;
    const char *end;

    *rest = line;
    if (line[0] == ':') {
        return g_intern_static_string("host");
    }
    if (line[0] != 'p' || !g_ascii_isdigit(line[1])) {
        return g_intern_static_string("p1");
    }
    end = strchrnul(line, ' ');
    *rest = *end ? end + 1 : end;
    worker = g_strndup(line, MIN(end - line, 4));
    return g_intern_string(worker);
}

PGReportLane *pg_report_lane(const PGReportLayout *l, uint64_t key)
{
    return pg_report_find(l->lanes, key);
}

static unsigned pg_report_last_step(const PGReport *r)
{
    unsigned last = r->steps->len;

    for (unsigned i = 0; i < r->events->len; i++) {
        last = MAX(last, pg_report_event(r, i)->step);
    }
    return last;
}

static void pg_report_want(uint8_t *want, unsigned last, unsigned step,
                           unsigned *left)
{
    if (*left && step <= last && !want[step]) {
        want[step] = 1;
        (*left)--;
    }
}

/* One byte for each step, step 0 included: shown or not */
static uint8_t *pg_report_choose_steps(const PGReportLayout *l, unsigned last)
{
    const PGReport *r = l->r;
    unsigned left = PG_REPORT_STEPS;
    uint8_t *want = g_malloc0(last + 1);

    for (unsigned i = 0; i < 12 && i <= last; i++) {
        pg_report_want(want, last, last - i, &left);
    }
    for (unsigned i = 0; i < r->violations->len && left > 8; i++) {
        unsigned step = g_array_index(r->violations, PGReportViolation,
                                      i).step;

        pg_report_want(want, last, step, &left);
        pg_report_want(want, last, step - (step > 0), &left);
    }
    /* What happened to the BOs that matter, the newest first */
    for (int rank = 5; rank > 0; rank--) {
        for (unsigned i = r->events->len; i-- > 0;) {
            const PGReportEvent *e = pg_report_event(r, i);
            PGReportLane *lane = pg_report_lane(l, e->key);

            if (lane && lane->rank == rank) {
                pg_report_want(want, last, e->step, &left);
            }
        }
    }
    for (unsigned step = last + 1; left && step-- > 0;) {
        pg_report_want(want, last, step, &left);
    }
    return want;
}

static double pg_report_column_width(const PGReport *r,
                                     const PGReportColumn *c)
{
    const PGReportStep *s = pg_report_step(r, c->first);
    double width = c->events * PG_REPORT_EVENT_W;

    if (c->last > c->first) {
        return PG_REPORT_GAP_W;
    }
    if (s) {
        const char *rest;
        size_t command, args;

        pg_report_worker(s->line, &rest);
        command = strcspn(rest, " ");
        args = strlen(rest + command);
        args = MIN(args, PG_REPORT_ARGS);
        width = MAX(width, MAX(command, args) * PG_REPORT_CHAR_W + 16);
    }
    return CLAMP(width, PG_REPORT_COL_MIN, PG_REPORT_COL_MAX);
}

/* Events of BOs that are shown, and of whole devices, take room. */
static bool pg_report_takes_room(const PGReportLayout *l,
                                 const PGReportEvent *e)
{
    return e->key && pg_report_lane(l, e->key);
}

static void pg_report_place_events(PGReportLayout *l)
{
    const PGReport *r = l->r;
    g_autofree unsigned *seen = g_new0(unsigned, l->columns->len);

    l->event_x = g_new0(double, r->events->len);
    for (unsigned i = 0; i < r->events->len; i++) {
        const PGReportEvent *e = pg_report_event(r, i);
        const PGReportColumn *c = pg_report_column(l, e->step);
        unsigned index = c - (PGReportColumn *)l->columns->data;
        double part;

        seen[index] += pg_report_takes_room(l, e);
        part = (seen[index] - 0.5) / MAX(c->events, 1);
        l->event_x[i] = c->x + 5 + MAX(part, 0) * (c->width - 10);
    }
}

static void pg_report_make_columns(PGReportLayout *l)
{
    const PGReport *r = l->r;
    unsigned last = pg_report_last_step(r);
    g_autofree uint8_t *want = pg_report_choose_steps(l, last);

    l->columns = g_array_new(FALSE, TRUE, sizeof(PGReportColumn));
    for (unsigned step = 0; step <= last; step++) {
        PGReportColumn c = { .first = step, .last = step };

        while (!want[step] && step < last && !want[step + 1]) {
            c.last = ++step;
        }
        l->steps_left_out += want[c.first] ? 0
                             : c.last - MAX(c.first, 1) + 1;
        g_array_append_val(l->columns, c);
    }
}

static void pg_report_place_columns(PGReportLayout *l)
{
    const PGReport *r = l->r;
    double x = 0;

    for (unsigned i = 0; i < r->events->len; i++) {
        const PGReportEvent *e = pg_report_event(r, i);
        PGReportColumn *c = (PGReportColumn *)pg_report_column(l, e->step);

        c->events += pg_report_takes_room(l, e);
    }
    for (unsigned i = 0; i < l->columns->len; i++) {
        PGReportColumn *c = &g_array_index(l->columns, PGReportColumn, i);

        c->x = x;
        /* What was there before any call is mostly nothing. */
        c->width = c->last || c->events ? pg_report_column_width(r, c) : 14;
        x += c->width;
    }
    l->width = x + PG_REPORT_TAIL_W;
}

const PGReportColumn *pg_report_column(const PGReportLayout *l, unsigned step)
{
    unsigned low = 0, high = l->columns->len - 1;

    while (low < high) {
        unsigned mid = (low + high) / 2;

        if (g_array_index(l->columns, PGReportColumn, mid).last < step) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return &g_array_index(l->columns, PGReportColumn, low);
}

bool pg_report_has_row(const PGReportLayout *l, unsigned step)
{
    const PGReportColumn *c = pg_report_column(l, step);

    return step && step <= l->r->steps->len && c->first == c->last;
}

/* The rig itself is below the guest's processes. */
static gint pg_report_by_name(gconstpointer a, gconstpointer b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    int host = (*x == 'h') - (*y == 'h');

    return host ? host : (int)strlen(x) - (int)strlen(y) ?: strcmp(x, y);
}

static void pg_report_choose_workers(PGReportLayout *l)
{
    const PGReport *r = l->r;

    l->workers = g_ptr_array_new();
    for (unsigned i = 0; i < l->columns->len; i++) {
        const PGReportColumn *c = &g_array_index(l->columns, PGReportColumn,
                                                 i);
        const PGReportStep *s = pg_report_step(r, c->first);
        const char *rest;
        gpointer worker;

        if (!s || c->last > c->first) {
            continue;
        }
        worker = (gpointer)pg_report_worker(s->line, &rest);
        if (!g_ptr_array_find(l->workers, worker, NULL)) {
            g_ptr_array_add(l->workers, worker);
        }
    }
    g_ptr_array_sort(l->workers, pg_report_by_name);
}

/* Jobs of a lane that are in flight together, at the most */
static unsigned pg_report_count_rows(const PGReport *r,
                                     const PGReportLane *lane)
{
    unsigned now = 0, most = 1;

    for (unsigned i = 0; i < lane->events->len; i++) {
        const PGReportEvent *e =
            pg_report_event(r, g_array_index(lane->events, unsigned, i));

        now += g_str_equal(e->kind, "submit");
        now -= now && g_str_equal(e->kind, "complete");
        most = MAX(most, now);
    }
    return MIN(most, PG_REPORT_ROWS_MAX);
}

static void pg_report_place_lanes(PGReportLayout *l)
{
    double y = PG_REPORT_HEAD_H + PG_REPORT_WORKER_H * l->workers->len;

    for (unsigned d = 0; d < l->r->devices->len; d++) {
        y += PG_REPORT_DEVICE_H;
        for (unsigned i = 0; i < l->lanes->len; i++) {
            PGReportLane *lane = g_ptr_array_index(l->lanes, i);

            if (lane->device == g_ptr_array_index(l->r->devices, d)) {
                lane->rows = pg_report_count_rows(l->r, lane);
                lane->y = y;
                lane->height = PG_REPORT_LANE_H +
                               (lane->rows - 1) * PG_REPORT_JOB_H;
                y += lane->height;
            }
        }
    }
    l->height = y + PG_REPORT_FOOT_H;
}

/* A BO whose whole life is in one column of steps that are left out */
static bool pg_report_is_hidden(const PGReportLayout *l,
                                const PGReportLane *lane)
{
    unsigned first = g_array_index(lane->events, unsigned, 0);
    const PGReportColumn *from =
        pg_report_column(l, pg_report_event(l->r, first)->step);

    return lane->rank < 2 && lane->gone && from->last > from->first &&
           pg_report_column(l, lane->released) == from;
}

static void pg_report_drop_hidden(PGReportLayout *l)
{
    for (unsigned i = l->lanes->len; i-- > 0;) {
        if (pg_report_is_hidden(l, g_ptr_array_index(l->lanes, i))) {
            g_ptr_array_remove_index(l->lanes, i);
            l->lanes_left_out++;
        }
    }
}

PGReportLayout *pg_report_layout(const PGReport *r)
{
    PGReportLayout *l = g_new0(PGReportLayout, 1);

    l->r = r;
    l->lanes = pg_report_choose_lanes(r, &l->lanes_left_out);
    pg_report_make_columns(l);
    pg_report_drop_hidden(l);
    pg_report_place_columns(l);
    pg_report_place_events(l);
    pg_report_choose_workers(l);
    pg_report_place_lanes(l);
    return l;
}

void pg_report_layout_free(PGReportLayout *l)
{
    g_ptr_array_unref(l->lanes);
    g_ptr_array_unref(l->workers);
    g_array_unref(l->columns);
    g_free(l->event_x);
    g_free(l);
}
