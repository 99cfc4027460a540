/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Report: which BOs and steps are shown, and where.
 *
 * What a violation or the reason names comes first, then what is still alive,
 * then the newest.  Steps are shown around those, and the last ones.
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
        return "host";
    }
    if (line[0] != 'p' || !g_ascii_isdigit(line[1])) {
        return "p1";
    }
    end = strchrnul(line, ' ');
    *rest = *end ? end + 1 : end;
    worker = g_strndup(line, MIN(end - line, 4));
    return g_intern_string(worker);
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

static PGReportLane *pg_report_find(GPtrArray *lanes, uint64_t key)
{
    for (unsigned i = 0; key && i < lanes->len; i++) {
        PGReportLane *lane = g_ptr_array_index(lanes, i);

        if (lane->key == key) {
            return lane;
        }
    }
    return NULL;
}

PGReportLane *pg_report_lane(const PGReportLayout *l, uint64_t key)
{
    return pg_report_find(l->lanes, key);
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
    double x = 0;

    l->columns = g_array_new(FALSE, TRUE, sizeof(PGReportColumn));
    for (unsigned step = 0; step <= last; step++) {
        PGReportColumn c = { .first = step, .last = step };

        while (!want[step] && step < last && !want[step + 1]) {
            c.last = ++step;
        }
        l->steps_left_out += want[c.first] ? 0 : c.last - c.first + 1;
        g_array_append_val(l->columns, c);
    }
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

static void pg_report_choose_lanes(PGReportLayout *l)
{
    l->lanes = pg_report_all_lanes(l->r);
    pg_report_rank(l->r, l->lanes);
    g_ptr_array_sort(l->lanes, pg_report_by_rank);
    if (l->lanes->len > PG_REPORT_LANES) {
        l->lanes_left_out = l->lanes->len - PG_REPORT_LANES;
        g_ptr_array_set_size(l->lanes, PG_REPORT_LANES);
    }
    g_ptr_array_sort(l->lanes, pg_report_by_key);
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

PGReportLayout *pg_report_layout(const PGReport *r)
{
    PGReportLayout *l = g_new0(PGReportLayout, 1);

    l->r = r;
    pg_report_choose_lanes(l);
    pg_report_make_columns(l);
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
