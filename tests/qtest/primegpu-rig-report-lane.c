/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Report: the lane of one BO: a bar for its life, a strip below it for where
 * its bytes are, and bars for its jobs.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "primegpu-rig-report.h"

#define PG_BAR_Y    8
#define PG_BAR_H    14
#define PG_PLACE_Y  23
#define PG_PLACE_H  5
#define PG_JOBS_Y   32
#define PG_JOB_BAR  9

typedef struct PGReportPen {
    const PGReportLayout *l;
    const PGReportLane *lane;
    GString *s;
    /* What the BO is now, and since where */
    unsigned handles;
    unsigned jobs;
    bool made;
    bool is_new;
    bool attached;
    bool in_vram;
    PGReportState state;
    PGReportPlace place;
    double state_x;
    double place_x;
} PGReportPen;

static const char *const pg_report_state_class[] = {
    NULL, "open", "kept", "busy",
};

static const char *const pg_report_state_text[] = {
    NULL, "open: a process has a handle",
    "kept: no handle, only references (a dma-buf, an import, the kernel)",
    "busy: a job that names it is in flight",
};

static const char *const pg_report_place_class[] = {
    NULL, "pages", "vram", "peer",
};

static const char *const pg_report_place_text[] = {
    NULL, "bytes in guest pages", "bytes in the device's VRAM",
    "bytes in the exporter's VRAM (peer-to-peer)",
};

static void pg_report_bar(PGReportPen *pen, const char *class, double x0,
                          double x1, double y, double height)
{
    g_string_append_printf(pen->s, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" "
                           "width=\"%.1f\" height=\"%.1f\"><title>", class,
                           x0, pen->lane->y + y, MAX(x1 - x0, 1.5), height);
}

static void pg_report_bar_end(PGReportPen *pen, double x0, double x1,
                              const char *text)
{
    pg_report_printf(pen->s, "BO 0x%" PRIx64 " %s", pen->lane->key, text);
    g_string_append(pen->s, "</title></rect>\n");
}

/* Where the exporter's bytes were at event @index */
static bool pg_report_exporter_in_vram(const PGReportPen *pen, unsigned index)
{
    const GArray *events = pen->l->r->events;
    bool in_vram = false;

    for (unsigned i = 0; i < index; i++) {
        const PGReportEvent *e = &g_array_index(events, PGReportEvent, i);

        if (e->key == pen->lane->exporter && g_str_equal(e->kind, "place")) {
            in_vram = e->has_other;
        }
    }
    return in_vram;
}

/* A new BO has its handle soon: that is not worth a colour of its own. */
static PGReportState pg_report_state(const PGReportPen *pen)
{
    return !pen->made ? PG_REPORT_NONE : pen->jobs ? PG_REPORT_BUSY
           : pen->handles || pen->is_new ? PG_REPORT_OPEN : PG_REPORT_KEPT;
}

static bool pg_report_opened_in(const PGReportPen *pen, unsigned step)
{
    for (unsigned i = 0; i < pen->lane->events->len; i++) {
        const PGReportEvent *e =
            &g_array_index(pen->l->r->events, PGReportEvent,
                           g_array_index(pen->lane->events, unsigned, i));

        if (e->step == step && g_str_equal(e->kind, "open")) {
            return true;
        }
    }
    return false;
}

static void pg_report_set_state(PGReportPen *pen, PGReportState state,
                                double x)
{
    if (state == pen->state) {
        return;
    }
    if (pen->state != PG_REPORT_NONE) {
        pg_report_bar(pen, pg_report_state_class[pen->state], pen->state_x, x,
                      PG_BAR_Y, PG_BAR_H);
        pg_report_bar_end(pen, pen->state_x, x,
                          pg_report_state_text[pen->state]);
    }
    pen->state = state;
    pen->state_x = x;
}

static void pg_report_set_place(PGReportPen *pen, PGReportPlace place,
                                double x)
{
    if (place == pen->place) {
        return;
    }
    if (pen->place != PG_REPORT_NOWHERE) {
        pg_report_bar(pen, pg_report_place_class[pen->place], pen->place_x, x,
                      PG_PLACE_Y, PG_PLACE_H);
        pg_report_bar_end(pen, pen->place_x, x,
                          pg_report_place_text[pen->place]);
    }
    pen->place = place;
    pen->place_x = x;
}

static void pg_report_apply(PGReportPen *pen, const PGReportEvent *e,
                            unsigned index)
{
    const char *kind = e->kind;
    PGReportPlace place = pen->place;

    if (g_str_equal(kind, "create")) {
        pen->made = true;
        pen->is_new = pg_report_opened_in(pen, e->step);
    } else if (g_str_equal(kind, "open")) {
        pen->is_new = false;
        pen->handles++;
    } else if (g_str_equal(kind, "close")) {
        pen->handles -= pen->handles > 0;
    } else if (g_str_equal(kind, "submit")) {
        pen->jobs++;
    } else if (g_str_equal(kind, "complete")) {
        pen->jobs -= pen->jobs > 0;
    } else if (g_str_equal(kind, "attach")) {
        pen->attached = true;
        place = pen->lane->imported && pg_report_exporter_in_vram(pen, index)
                ? PG_REPORT_PEER : PG_REPORT_PAGES;
    } else if (g_str_equal(kind, "detach")) {
        pen->attached = false;
        place = PG_REPORT_NOWHERE;
    } else if (g_str_equal(kind, "place")) {
        pen->in_vram = e->has_other;
    } else if (g_str_equal(kind, "release") || g_str_equal(kind, "drop")) {
        pen->made = pen->attached = pen->in_vram = false;
        place = PG_REPORT_NOWHERE;
    }
    if (pen->in_vram) {
        place = PG_REPORT_VRAM;
    } else if (place == PG_REPORT_VRAM) {
        place = pen->attached ? PG_REPORT_PAGES : PG_REPORT_NOWHERE;
    }
    pg_report_set_state(pen, pg_report_state(pen), pen->l->event_x[index]);
    pg_report_set_place(pen, place, pen->l->event_x[index]);
}

/* A tick with the event's text at its place */
static void pg_report_tick(PGReportPen *pen, const PGReportEvent *e, double x)
{
    g_autofree char *text = pg_report_event_text(e);
    bool is_end = g_str_equal(e->kind, "complete");
    double y = is_end || g_str_equal(e->kind, "submit") ? PG_JOBS_Y - 2
                                                        : PG_BAR_Y;

    if (g_str_equal(e->kind, "violation")) {
        return;
    }
    g_string_append_printf(pen->s, "<path class=\"tick\" d=\"M%.1f %.1fv%d\">"
                           "<title>", x, pen->lane->y + y,
                           y == PG_BAR_Y ? PG_BAR_H : PG_JOB_BAR + 2);
    pg_report_printf(pen->s, "%s of BO 0x%" PRIx64 ": %s\nstep %u, event %"
                     PRIu64 ", %" PRIu64 " ns", e->kind, e->key, text, e->step,
                     e->serial, e->ns);
    g_string_append(pen->s, "</title></path>\n");
}

/* The job that @submit begins: to its completion, or to the end */
static void pg_report_job(PGReportPen *pen, unsigned from, unsigned row)
{
    const GArray *events = pen->l->r->events;
    unsigned index = g_array_index(pen->lane->events, unsigned, from);
    const PGReportEvent *e = &g_array_index(events, PGReportEvent, index);
    double x0 = pen->l->event_x[index], x1 = pen->l->width - PG_REPORT_TAIL_W;
    const char *class = "job held", *status = "not complete";
    double y = PG_JOBS_Y + row * PG_REPORT_JOB_H;
    uint64_t ns = 0;

    for (unsigned i = from + 1; i < pen->lane->events->len; i++) {
        unsigned other = g_array_index(pen->lane->events, unsigned, i);
        const PGReportEvent *end = &g_array_index(events, PGReportEvent,
                                                  other);

        if (end->seqno == e->seqno && g_str_equal(end->kind, "complete")) {
            x1 = pen->l->event_x[other];
            status = end->status ?: "ok";
            class = g_str_equal(status, "ok") ? "job" : "job failed";
            ns = end->ns - e->ns;
            break;
        }
    }
    pg_report_bar(pen, class, x0, x1, y, PG_JOB_BAR);
    pg_report_printf(pen->s, "Job %" PRIu64 " of %s, fetched in step %u: %s, "
                     "after %" PRIu64 " ns", e->seqno, e->device, e->step,
                     status, ns);
    g_string_append(pen->s, "</title></rect>\n");
    if (x1 - x0 > 14) {
        g_string_append_printf(pen->s, "<text class=\"seqno\" x=\"%.1f\" "
                               "y=\"%.1f\">%" PRIu64 "</text>", x0 + 3,
                               pen->lane->y + y + PG_JOB_BAR - 1.5, e->seqno);
    }
    /* The fence: its sequence number is written back. */
    if (x1 < pen->l->width - PG_REPORT_TAIL_W) {
        g_string_append_printf(pen->s, "<path class=\"fence\" d=\"M%.1f %.1f"
                               "l4 4.5l-4 4.5l-4 -4.5z\"><title>fence %" PRIu64
                               " is signalled</title></path>\n", x1,
                               pen->lane->y + y, e->seqno);
    }
}

static void pg_report_jobs(PGReportPen *pen)
{
    const GArray *events = pen->l->r->events;
    unsigned now = 0;

    for (unsigned i = 0; i < pen->lane->events->len; i++) {
        unsigned index = g_array_index(pen->lane->events, unsigned, i);
        const PGReportEvent *e = &g_array_index(events, PGReportEvent, index);

        if (g_str_equal(e->kind, "submit")) {
            pg_report_job(pen, i, MIN(now, pen->lane->rows - 1));
            now++;
        } else if (g_str_equal(e->kind, "complete")) {
            now -= now > 0;
        }
    }
}

static void pg_report_end(PGReportPen *pen)
{
    double x = pen->l->width - PG_REPORT_TAIL_W, y = pen->lane->y + PG_BAR_Y;
    unsigned last = g_array_index(pen->lane->events, unsigned,
                                  pen->lane->events->len - 1);

    pg_report_set_state(pen, PG_REPORT_NONE, x);
    pg_report_set_place(pen, PG_REPORT_NOWHERE, x);
    if (!pen->lane->gone) {
        g_string_append_printf(pen->s, "<path class=\"alive\" d=\"M%.1f %.1f"
                               "l9 7l-9 7z\"><title>still alive at the end"
                               "</title></path><text class=\"end\" x=\"%.1f\""
                               " y=\"%.1f\">alive</text>", x, y, x + 11,
                               y + 11);
        return;
    }
    x = pen->l->event_x[last];
    g_string_append_printf(pen->s, "<path class=\"released\" d=\"M%.1f %.1f"
                           "v18\"/><text class=\"end\" x=\"%.1f\" y=\"%.1f\">"
                           "%s in step %u</text>\n", x, y - 2, x + 5, y + 11,
                           pen->lane->dropped ? "dropped" : "released",
                           pen->lane->released);
}

void pg_report_lane_svg(const PGReportLayout *l, const PGReportLane *lane,
                        GString *s)
{
    PGReportPen pen = { .l = l, .lane = lane, .s = s };
    unsigned first = g_array_index(lane->events, unsigned, 0);

    /* Older than what is known: take it as open from the left edge on. */
    if (!g_str_equal(g_array_index(l->r->events, PGReportEvent, first).kind,
                     "create")) {
        pen.made = true;
        pen.handles = 1;
        pg_report_set_state(&pen, PG_REPORT_OPEN, 0);
    }
    g_string_append_printf(s, "<g id=\"lane-%" PRIx64 "\">\n", lane->key);
    for (unsigned i = 0; i < lane->events->len; i++) {
        unsigned index = g_array_index(lane->events, unsigned, i);

        pg_report_apply(&pen, &g_array_index(l->r->events, PGReportEvent,
                                             index), index);
    }
    pg_report_end(&pen);
    for (unsigned i = 0; i < lane->events->len; i++) {
        unsigned index = g_array_index(lane->events, unsigned, i);

        pg_report_tick(&pen, &g_array_index(l->r->events, PGReportEvent,
                                            index), l->event_x[index]);
    }
    pg_report_jobs(&pen);
    g_string_append(s, "</g>\n");
}
