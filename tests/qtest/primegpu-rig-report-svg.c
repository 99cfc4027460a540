/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Report: the picture around the lanes: steps and calls on top, devices and
 * their gates, arrows from exporters to importers, violations.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "primegpu-rig-report.h"

static const PGReportStep *pg_report_step(const PGReport *r, unsigned step)
{
    return step && step <= r->steps->len
           ? &g_array_index(r->steps, PGReportStep, step - 1) : NULL;
}

static double pg_report_worker_y(const PGReportLayout *l, const char *worker)
{
    for (unsigned i = 0; i < l->workers->len; i++) {
        if (g_ptr_array_index(l->workers, i) == worker) {
            return PG_REPORT_HEAD_H + i * PG_REPORT_WORKER_H;
        }
    }
    return PG_REPORT_HEAD_H;
}

static void pg_report_words(GString *s, const char *class, double x, double y,
                            const char *text, size_t length, size_t most)
{
    g_autofree char *cut = g_strndup(text, MIN(length, most));

    g_string_append_printf(s, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">",
                           class, x, y);
    pg_report_text(s, cut);
    if (length > most) {
        g_string_append(s, "…");
    }
    g_string_append(s, "</text>");
}

/* The box of a call, in the row of its worker, until its reply came */
static void pg_report_call(const PGReportLayout *l, const PGReportColumn *c,
                           GString *s)
{
    const PGReportStep *step = pg_report_step(l->r, c->first);
    const char *rest, *worker = pg_report_worker(step->line, &rest);
    size_t command = strcspn(rest, " ");
    double y = pg_report_worker_y(l, worker) + 4, x1 = c->x + c->width - 3;
    bool is_host = g_str_equal(worker, "host");
    const char *class = is_host ? "call host" : !step->reply ? "call open-end"
                        : step->failed ? "call failed" : "call";

    if (!is_host && !step->reply) {
        x1 = l->width - PG_REPORT_TAIL_W;
    } else if (step->until > c->last) {
        x1 = pg_report_column(l, step->until)->x + 8;
    }
    g_string_append_printf(s, "<g><title>step %u\n", c->first);
    pg_report_text(s, step->line);
    g_string_append_c(s, '\n');
    pg_report_text(s, step->reply ?: is_host ? "" : "no reply");
    g_string_append_printf(s, "</title><rect class=\"%s\" x=\"%.1f\" "
                           "y=\"%.1f\" width=\"%.1f\" height=\"38\" "
                           "rx=\"4\"/>", class, c->x + 3, y, x1 - c->x - 3);
    pg_report_words(s, "command", c->x + 8, y + 12, rest, command, 24);
    rest += command + (rest[command] == ' ');
    pg_report_words(s, "args", c->x + 8, y + 23, rest, strlen(rest),
                    PG_REPORT_ARGS);
    if (step->reply && !is_host) {
        const char *reply = step->reply + (step->failed ? strlen("err ") : 0);

        pg_report_words(s, step->failed ? "reply bad" : "reply", c->x + 8,
                        y + 34, reply, strcspn(reply, " "), 16);
    }
    g_string_append(s, "</g>\n");
}

static bool pg_report_is_bad(const PGReport *r, unsigned step)
{
    for (unsigned i = 0; i < r->violations->len; i++) {
        if (g_array_index(r->violations, PGReportViolation, i).step == step) {
            return true;
        }
    }
    return false;
}

static void pg_report_head(const PGReportLayout *l, GString *s)
{
    double bottom = l->height - PG_REPORT_FOOT_H;

    for (unsigned i = 0; i < l->columns->len; i++) {
        const PGReportColumn *c = &g_array_index(l->columns, PGReportColumn,
                                                 i);

        if (c->last > c->first) {
            g_string_append_printf(s, "<rect class=\"gap\" x=\"%.1f\" y=\"0\" "
                                   "width=\"%.1f\" height=\"%.1f\"><title>"
                                   "steps %u to %u are left out</title></rect>"
                                   "<text class=\"gap-text\" x=\"%.1f\" "
                                   "y=\"17\">%u steps</text>\n", c->x,
                                   c->width, bottom, MAX(c->first, 1), c->last,
                                   c->x + c->width / 2,
                                   c->last - MAX(c->first, 1) + 1);
            continue;
        }
        g_string_append_printf(s, "<rect class=\"%s\" x=\"%.1f\" y=\"0\" "
                               "width=\"%.1f\" height=\"%.1f\"/>",
                               pg_report_is_bad(l->r, c->first) ? "bad-step"
                               : i % 2 ? "odd" : "even", c->x, c->width,
                               bottom);
        if (pg_report_has_row(l, c->first)) {
            g_string_append_printf(s, "<a href=\"#step-%u\"><text "
                                   "class=\"step\" x=\"%.1f\" y=\"17\">%u"
                                   "</text></a>\n", c->first,
                                   c->x + c->width / 2, c->first);
        }
    }
}

static void pg_report_calls(const PGReportLayout *l, GString *s)
{
    for (unsigned i = 0; i < l->columns->len; i++) {
        const PGReportColumn *c = &g_array_index(l->columns, PGReportColumn,
                                                 i);

        if (pg_report_has_row(l, c->first)) {
            pg_report_call(l, c, s);
        }
    }
}

/* From the top of a device's header to the bottom of its last lane */
static void pg_report_device_span(const PGReportLayout *l, unsigned device,
                                  double *y0, double *y1)
{
    double y = PG_REPORT_HEAD_H + PG_REPORT_WORKER_H * l->workers->len;

    for (unsigned d = 0; d <= device; d++) {
        *y0 = y;
        y += PG_REPORT_DEVICE_H;
        for (unsigned i = 0; i < l->lanes->len; i++) {
            const PGReportLane *lane = g_ptr_array_index(l->lanes, i);

            if (lane->device == g_ptr_array_index(l->r->devices, d)) {
                y += lane->height;
            }
        }
        *y1 = y;
    }
}

static void pg_report_gate_bar(const PGReportLayout *l, unsigned device,
                               double x0, double x1, GString *s)
{
    double y0, y1;

    pg_report_device_span(l, device, &y0, &y1);
    g_string_append_printf(s, "<rect class=\"gate\" x=\"%.1f\" y=\"%.1f\" "
                           "width=\"%.1f\" height=\"%.1f\"><title>the gate of "
                           "this device is closed: no job completes</title>"
                           "</rect><text class=\"gate-text\" x=\"%.1f\" "
                           "y=\"%.1f\">gate closed</text>\n", x0, y0,
                           MAX(x1 - x0, 2), y1 - y0, x0 + 4, y0 + 17);
}

/*
 * Is the gate closed or opened here?  Newer devices tell; else the script's
 * own lines do.  Returns 1, 0, or -1 for neither.
 */
static int pg_report_gate_event(const PGReportEvent *e, const char *device)
{
    if (e->device != device) {
        return -1;
    }
    return g_str_equal(e->kind, "gate-close") ? 1
           : g_str_equal(e->kind, "gate-open") ? 0 : -1;
}

static bool pg_report_gates_by_event(const PGReportLayout *l, unsigned device,
                                     GString *s)
{
    const GArray *events = l->r->events;
    bool any = false;
    double from = -1;

    for (unsigned i = 0; i < events->len; i++) {
        int closed = pg_report_gate_event(
            &g_array_index(events, PGReportEvent, i),
            g_ptr_array_index(l->r->devices, device));

        any |= closed >= 0;
        if (closed == 1 && from < 0) {
            from = l->event_x[i];
        } else if (closed == 0 && from >= 0) {
            pg_report_gate_bar(l, device, from, l->event_x[i], s);
            from = -1;
        }
    }
    if (from >= 0) {
        pg_report_gate_bar(l, device, from, l->width - PG_REPORT_TAIL_W, s);
    }
    return any;
}

static void pg_report_gates(const PGReportLayout *l, unsigned device,
                            GString *s)
{
    const char *name = g_ptr_array_index(l->r->devices, device);
    g_autofree char *on = g_strdup_printf(":gate %s on", name);
    g_autofree char *off = g_strdup_printf(":gate %s off", name);
    double from = -1;

    if (pg_report_gates_by_event(l, device, s)) {
        return;
    }
    for (unsigned step = 1; step <= l->r->steps->len; step++) {
        const char *line = pg_report_step(l->r, step)->line;
        const PGReportColumn *c = pg_report_column(l, step);

        if (from < 0 && g_str_equal(line, on)) {
            from = c->x + c->width / 2;
        } else if (from >= 0 && g_str_equal(line, off)) {
            pg_report_gate_bar(l, device, from, c->x + c->width / 2, s);
            from = -1;
        }
    }
    if (from >= 0) {
        pg_report_gate_bar(l, device, from, l->width - PG_REPORT_TAIL_W, s);
    }
}

/* Resets and injected faults, which belong to a whole device */
static void pg_report_flags(const PGReportLayout *l, unsigned device,
                            double y, GString *s)
{
    static const char *const kinds[] = {
        "engine-reset", "device-reset", "fault", NULL,
    };
    const GArray *events = l->r->events;

    for (unsigned i = 0; i < events->len; i++) {
        const PGReportEvent *e = &g_array_index(events, PGReportEvent, i);

        if (e->device == g_ptr_array_index(l->r->devices, device) &&
            g_strv_contains(kinds, e->kind)) {
            g_string_append_printf(s, "<path class=\"flag\" d=\"M%.1f %.1f"
                                   "h10l-5 9z\"/><text class=\"flag-text\" "
                                   "x=\"%.1f\" y=\"%.1f\">",
                                   l->event_x[i] - 5, y + 8,
                                   l->event_x[i] + 8, y + 17);
            pg_report_printf(s, "%s %s", e->kind, e->fault ?: "");
            g_string_append(s, "</text>\n");
        }
    }
}

static void pg_report_devices(const PGReportLayout *l, GString *s)
{
    for (unsigned d = 0; d < l->r->devices->len; d++) {
        double y0, y1;

        pg_report_device_span(l, d, &y0, &y1);
        g_string_append_printf(s, "<rect class=\"device\" x=\"0\" y=\"%.1f\" "
                               "width=\"%.1f\" height=\"%d\"/>\n", y0,
                               l->width, PG_REPORT_DEVICE_H);
        pg_report_gates(l, d, s);
        pg_report_flags(l, d, y0, s);
    }
    for (unsigned i = 0; i < l->lanes->len; i++) {
        const PGReportLane *lane = g_ptr_array_index(l->lanes, i);

        g_string_append_printf(s, "<path class=\"rule\" d=\"M0 %.1fh%.1f\"/>",
                               lane->y + lane->height, l->width);
    }
}

/* From the exporter's bar to the importer's, where the import is made */
static void pg_report_arrows(const PGReportLayout *l, GString *s)
{
    for (unsigned i = 0; i < l->lanes->len; i++) {
        const PGReportLane *to = g_ptr_array_index(l->lanes, i);
        const PGReportLane *from = pg_report_lane(l, to->exporter);
        unsigned first = g_array_index(to->events, unsigned, 0);
        double x = l->event_x[first], y0, y1;
        bool down;

        if (!to->exporter || !from || from->y < 0) {
            continue;
        }
        down = to->y > from->y;
        y0 = from->y + (down ? 22 : 8);
        y1 = to->y + (down ? 7 : 23);
        g_string_append_printf(s, "<path class=\"arrow\" marker-end=\"url("
                               "#head)\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f "
                               "%.1f %.1f\"><title>", x - 8, y0, x - 8,
                               (y0 + y1) / 2, x, (y0 + y1) / 2, x, y1);
        pg_report_printf(s, "BO 0x%" PRIx64 " is an import of BO 0x%" PRIx64,
                         to->key, to->exporter);
        g_string_append(s, "</title></path>\n");
    }
}

static double pg_report_violation_x(const PGReportLayout *l,
                                    const PGReportViolation *v)
{
    const PGReportColumn *c = pg_report_column(l, v->step);

    for (unsigned i = 0; i < l->r->events->len; i++) {
        const PGReportEvent *e = &g_array_index(l->r->events, PGReportEvent,
                                                i);

        if (v->serial ? e->serial == v->serial
                      : g_str_equal(e->kind, "violation") &&
                        e->key == v->key && e->ns == v->ns) {
            return l->event_x[i];
        }
    }
    return c->x + c->width / 2;
}

static void pg_report_marks(const PGReportLayout *l, GString *s)
{
    const GArray *violations = l->r->violations;

    for (unsigned i = 0; i < MIN(violations->len, PG_REPORT_VIOLATIONS); i++) {
        const PGReportViolation *v = &g_array_index(violations,
                                                    PGReportViolation, i);
        const PGReportLane *a = pg_report_lane(l, v->key);
        const PGReportLane *b = pg_report_lane(l, v->other);
        double x = pg_report_violation_x(l, v);
        double y = (a && a->y >= 0 ? a->y : PG_REPORT_HEAD_H) + 15;

        if (a && b && a != b) {
            g_string_append_printf(s, "<path class=\"between\" d=\"M%.1f %.1f"
                                   "V%.1f\"/><circle class=\"mark\" cx=\"%.1f\""
                                   " cy=\"%.1f\" r=\"4\"/>", x, y, b->y + 15,
                                   x, b->y + 15);
        }
        g_string_append_printf(s, "<a href=\"#violation-%u\"><path "
                               "class=\"mark\" d=\"M%.1f %.1fl11 20h-22z\">"
                               "<title>", i + 1, x, y - 13);
        pg_report_printf(s, "violation %u: %s in step %u", i + 1, v->kind,
                         v->step);
        g_string_append_printf(s, "</title></path><text class=\"mark-text\" "
                               "x=\"%.1f\" y=\"%.1f\">%u</text>"
                               "<text class=\"mark-kind\" x=\"%.1f\" "
                               "y=\"%.1f\">", x, y + 4, i + 1, x + 13, y - 7);
        pg_report_text(s, v->kind);
        g_string_append(s, "</text></a>\n");
    }
}

/* The second axis: virtual time at the first event of each step */
static void pg_report_times(const PGReportLayout *l, GString *s)
{
    const GArray *events = l->r->events;
    const PGReportColumn *seen = NULL;
    uint64_t start = 0;
    double free_x = 0;

    for (unsigned i = 0; i < events->len; i++) {
        const PGReportEvent *e = &g_array_index(events, PGReportEvent, i);
        const PGReportColumn *c = pg_report_column(l, e->step);

        start = start ?: e->ns;
        if (c == seen || c->last > c->first || !e->step || c->x < free_x) {
            continue;
        }
        seen = c;
        free_x = c->x + 74;
        g_string_append_printf(s, "<text class=\"time\" x=\"%.1f\" y=\"%.1f\">"
                               "+%.2f ms<title>%" PRIu64 " ns of virtual time "
                               "at its first event</title></text>\n", c->x + 4,
                               l->height - 9, (e->ns - start) / 1e6, e->ns);
    }
}

void pg_report_svg(const PGReportLayout *l, GString *s)
{
    g_string_append_printf(s, "<svg class=\"chart\" "
                           "xmlns=\"http://www.w3.org/2000/svg\" "
                           "width=\"%.0f\" height=\"%.0f\"><defs>"
                           "<marker id=\"head\" markerWidth=\"7\" "
                           "markerHeight=\"7\" refX=\"5\" refY=\"3.5\" "
                           "orient=\"auto\"><path class=\"head\" "
                           "d=\"M0 0l7 3.5l-7 3.5z\"/></marker>"
                           "<pattern id=\"hatch\" width=\"7\" height=\"7\" "
                           "patternTransform=\"rotate(45)\" "
                           "patternUnits=\"userSpaceOnUse\"><path "
                           "class=\"hatch\" d=\"M0 0v7\"/></pattern>"
                           "</defs>\n", l->width, l->height);
    pg_report_head(l, s);
    pg_report_devices(l, s);
    pg_report_calls(l, s);
    for (unsigned i = 0; i < l->lanes->len; i++) {
        const PGReportLane *lane = g_ptr_array_index(l->lanes, i);

        if (lane->y >= 0) {
            pg_report_lane_svg(l, lane, s);
        }
    }
    pg_report_arrows(l, s);
    pg_report_marks(l, s);
    pg_report_times(l, s);
    g_string_append(s, "</svg>\n");
}

static void pg_report_label(const PGReportLane *lane, GString *s)
{
    g_autofree char *key = pg_report_key(lane->key);

    g_string_append_printf(s, "<a href=\"#bo-%" PRIx64 "\"><text class=\"%s\" "
                           "x=\"22\" y=\"%.1f\">", lane->key,
                           lane->blamed ? "bo bad" : "bo",
                           lane->y + 19);
    if (lane->name) {
        pg_report_text(s, lane->name);
        g_string_append(s, " · ");
    }
    pg_report_printf(s, "BO %s", key);
    g_string_append_printf(s, "<title>BO 0x%" PRIx64 "</title></text></a>"
                           "<text class=\"note\" x=\"22\" y=\"%.1f\">%" PRIu64
                           " KiB", lane->key, lane->y + 33, lane->size / KiB);
    if (lane->exporter) {
        g_autofree char *exporter = pg_report_key(lane->exporter);

        pg_report_printf(s, ", import of %s", exporter);
    } else if (lane->imported) {
        g_string_append(s, ", import of a foreign dma-buf");
    }
    g_string_append_printf(s, "</text><path class=\"rule\" d=\"M0 %.1fh%d\"/>"
                           "\n", lane->y + lane->height, PG_REPORT_LABEL_W);
}

void pg_report_labels_svg(const PGReportLayout *l, GString *s)
{
    g_string_append_printf(s, "<svg class=\"labels\" "
                           "xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
                           "height=\"%.0f\"><text class=\"note\" x=\"10\" "
                           "y=\"17\">step</text>\n", PG_REPORT_LABEL_W,
                           l->height);
    for (unsigned i = 0; i < l->workers->len; i++) {
        const char *worker = g_ptr_array_index(l->workers, i);
        double y = PG_REPORT_HEAD_H + i * PG_REPORT_WORKER_H;
        bool is_host = g_str_equal(worker, "host");

        g_string_append_printf(s, "<text class=\"worker\" x=\"10\" y=\"%.1f\">",
                               y + 20);
        pg_report_printf(s, "%s%s", is_host ? "" : "process ", is_host
                         ? "the rig itself" : worker);
        g_string_append_printf(s, "</text><text class=\"note\" x=\"10\" "
                               "y=\"%.1f\">%s</text>\n", y + 33, is_host
                               ? "what it does to the devices"
                               : "its calls and replies");
    }
    for (unsigned d = 0; d < l->r->devices->len; d++) {
        double y0, y1;

        pg_report_device_span(l, d, &y0, &y1);
        g_string_append_printf(s, "<rect class=\"device\" x=\"0\" y=\"%.1f\" "
                               "width=\"%d\" height=\"%d\"/><text "
                               "class=\"device-name\" x=\"10\" y=\"%.1f\">",
                               y0, PG_REPORT_LABEL_W, PG_REPORT_DEVICE_H,
                               y0 + 17);
        pg_report_text(s, g_ptr_array_index(l->r->devices, d));
        g_string_append(s, "</text>\n");
    }
    for (unsigned i = 0; i < l->lanes->len; i++) {
        const PGReportLane *lane = g_ptr_array_index(l->lanes, i);

        if (lane->y >= 0) {
            pg_report_label(lane, s);
        }
    }
    g_string_append_printf(s, "<text class=\"note\" x=\"10\" y=\"%.1f\">"
                           "virtual time</text></svg>\n", l->height - 9);
}
