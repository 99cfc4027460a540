/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Report: the tables below the picture: violations with all that is known of
 * them, BOs, steps.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "primegpu-rig-report.h"

static const struct {
    const char *kind;
    const char *words;
} pg_report_rules[] = {
    { "overlap", "Two BOs have bytes in common and neither is an import of "
      "the other: somebody gave pages back that somebody else still uses." },
    { "exporter-gone", "The exporter's BO was destroyed while an import of it "
      "lives." },
    { "exporter-detached", "The exporter's BO lost its pages while an import "
      "of it has them attached." },
    { "not-attached", "A job touched bytes of a BO that has none there." },
    { "unknown-bo", "A command or job named a BO that does not exist." },
    { "destroy-open", "A BO was to be destroyed while a client has it open." },
    { "destroy-busy", "A BO was to be destroyed while a job names it." },
    { "detach-busy", "A BO was to lose its bytes while a job names it." },
    { "not-open", "A job named a BO that is not open in its client." },
    { "left-behind", "A BO was still attached when its device went away." },
    { "race", "A job was fetched while a job of another GPU on the same bytes "
      "was not complete, and one of them writes: nobody waited for the "
      "fence." },
};

static const char *pg_report_rule(const char *kind)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pg_report_rules); i++) {
        if (g_str_equal(pg_report_rules[i].kind, kind)) {
            return pg_report_rules[i].words;
        }
    }
    return "A rule was broken.";
}

static void pg_report_bo_link(const PGReportLayout *l, uint64_t key,
                              GString *s)
{
    const PGReportLane *lane = pg_report_lane(l, key);
    g_autofree char *text = pg_report_key(key);

    if (lane) {
        g_string_append_printf(s, "<a href=\"#bo-%" PRIx64 "\">", key);
        if (lane->name) {
            pg_report_printf(s, "%s · ", lane->name);
        }
    }
    pg_report_printf(s, "BO %s", text);
    g_string_append(s, lane ? "</a>" : "");
    pg_report_printf(s, " (0x%" PRIx64 ")", key);
}

static void pg_report_step_text(const PGReport *r, unsigned step, GString *s)
{
    pg_report_printf(s, "step %u", step);
    if (step && step <= r->steps->len) {
        const char *line = g_array_index(r->steps, PGReportStep,
                                         step - 1).line;
        const char *rest, *worker = pg_report_worker(line, &rest);

        pg_report_printf(s, ", %s%s: ", g_str_equal(worker, "host")
                         ? "" : "process ", worker);
        g_string_append(s, "<code>");
        pg_report_text(s, rest);
        g_string_append(s, "</code>");
    } else {
        g_string_append(s, ", before any call");
    }
}

/* The task of the guest that made a command, and its way through the kernel */
static void pg_report_caller(const PGReport *r, int trace, GString *s)
{
    const PGReportTrace *t;

    if (trace < 0) {
        g_string_append(s, "<p class=\"dim\">not among the guest's "
                        "tracepoints</p>");
        return;
    }
    t = &g_array_index(r->traces, PGReportTrace, trace);
    g_string_append(s, "<p><b>");
    pg_report_text(s, t->task);
    g_string_append(s, "</b> ");
    pg_report_printf(s, "%s of device %u, sequence number %" PRIu64 ", at %s s",
                     pg_report_opcode(t), t->device, t->seqno, t->time);
    g_string_append(s, "</p>");
    if (t->stack->len) {
        g_string_append(s, "<pre>");
        pg_report_text(s, t->stack->str);
        g_string_append(s, "</pre>");
    }
}

static void pg_report_history(const PGReportLayout *l, uint64_t key,
                              GString *s)
{
    const PGReport *r = l->r;

    g_string_append(s, "<details><summary>history of ");
    pg_report_bo_link(l, key, s);
    g_string_append(s, "</summary><pre>");
    for (unsigned i = 0; i < r->events->len; i++) {
        const PGReportEvent *e = &g_array_index(r->events, PGReportEvent, i);
        g_autofree char *text = NULL;

        if (e->key != key) {
            continue;
        }
        text = pg_report_event_text(e);
        pg_report_printf(s, "%6" PRIu64 "  step %-4u %-9s %s", e->serial,
                         e->step, e->kind, text);
        if (e->trace >= 0) {
            pg_report_printf(s, "  [%s]", g_array_index(r->traces,
                             PGReportTrace, e->trace).task);
        }
        g_string_append_c(s, '\n');
    }
    g_string_append(s, "</pre></details>");
}

static void pg_report_violation_row(const PGReportLayout *l, unsigned i,
                                    GString *s)
{
    const PGReportViolation *v = &g_array_index(l->r->violations,
                                                PGReportViolation, i);

    g_string_append_printf(s, "<tr class=\"bad\" id=\"violation-%u\">"
                           "<td class=\"num\">%u</td><td><b>", i + 1, i + 1);
    pg_report_text(s, v->kind);
    g_string_append(s, "</b><p>");
    pg_report_text(s, pg_report_rule(v->kind));
    g_string_append(s, "</p>");
    if (v->count > 1) {
        pg_report_printf(s, "%" PRIu64 " times in a row", v->count);
    }
    g_string_append(s, "</td><td>");
    pg_report_bo_link(l, v->key, s);
    if (v->other) {
        g_string_append(s, "<br/>and ");
        pg_report_bo_link(l, v->other, s);
    }
    if (v->seqno) {
        pg_report_printf(s, ", jobs %" PRIu64 " and %" PRIu64, v->seqno,
                         v->other_seqno);
    }
    pg_report_history(l, v->key, s);
    if (v->other) {
        pg_report_history(l, v->other, s);
    }
    g_string_append(s, "</td><td>");
    if (pg_report_has_row(l, v->step)) {
        g_string_append_printf(s, "<a href=\"#step-%u\">", v->step);
        pg_report_step_text(l->r, v->step, s);
        g_string_append(s, "</a>");
    } else {
        pg_report_step_text(l->r, v->step, s);
    }
    g_string_append(s, "<br/>seen by ");
    pg_report_text(s, v->device);
    pg_report_printf(s, " at %" PRIu64 " ns", v->ns);
    g_string_append(s, "</td><td class=\"code\">");
    pg_report_caller(l->r, v->trace, s);
    g_string_append(s, "</td></tr>\n");
}

static void pg_report_violations(const PGReportLayout *l, GString *s)
{
    unsigned n = MIN(l->r->violations->len, PG_REPORT_VIOLATIONS);

    if (!n) {
        return;
    }
    g_string_append(s, "<h2>Violations</h2>\n<table><tr><th>#</th>"
                    "<th>rule</th><th>BOs</th><th>when</th>"
                    "<th>who, in the guest's kernel</th></tr>\n");
    for (unsigned i = 0; i < n; i++) {
        pg_report_violation_row(l, i, s);
    }
    g_string_append(s, "</table>\n");
    if (l->r->violations_total > n) {
        pg_report_printf(s, "The first %u that are kept, of %" PRIu64 ".", n,
                         l->r->violations_total);
    }
}

static void pg_report_bo_row(const PGReportLayout *l,
                             const PGReportLane *lane, GString *s)
{
    const PGReportEvent *last =
        &g_array_index(l->r->events, PGReportEvent,
                       g_array_index(lane->events, unsigned,
                                     lane->events->len - 1));

    g_string_append_printf(s, "<tr id=\"bo-%" PRIx64 "\"%s><td class=\"key\">"
                           "<a href=\"#lane-%" PRIx64 "\">", lane->key,
                           lane->blamed ? " class=\"bad\"" : "",
                           lane->key);
    pg_report_printf(s, "0x%" PRIx64, lane->key);
    g_string_append(s, "</a></td><td>");
    pg_report_text(s, lane->name ?: "");
    g_string_append(s, "</td><td>");
    pg_report_text(s, lane->device);
    g_string_append(s, "</td><td class=\"num\">");
    pg_report_printf(s, "%" PRIu64 " KiB", lane->size / KiB);
    g_string_append(s, "</td><td>");
    if (lane->exporter) {
        pg_report_bo_link(l, lane->exporter, s);
    } else {
        g_string_append(s, lane->imported ? "a foreign dma-buf" : "");
    }
    g_string_append(s, "</td><td>");
    pg_report_step_text(l->r, lane->made, s);
    g_string_append(s, "</td><td>");
    if (lane->gone) {
        pg_report_step_text(l->r, lane->released, s);
        g_string_append(s, lane->dropped ? " (dropped by a reset)" : "");
        if (last->trace >= 0) {
            pg_report_printf(s, ", by %s", g_array_index(l->r->traces,
                             PGReportTrace, last->trace).task);
        }
    } else {
        g_string_append(s, "<b>still alive</b>");
    }
    pg_report_history(l, lane->key, s);
    g_string_append(s, "</td></tr>\n");
}

static void pg_report_bos(const PGReportLayout *l, GString *s)
{
    g_string_append(s, "<h2>Buffer objects</h2>\n<table><tr><th>key</th>"
                    "<th>name</th><th>device</th><th>size</th>"
                    "<th>import of</th><th>made in</th>"
                    "<th>released in</th></tr>\n");
    for (unsigned i = 0; i < l->lanes->len; i++) {
        pg_report_bo_row(l, g_ptr_array_index(l->lanes, i), s);
    }
    g_string_append(s, "</table>\n");
}

static void pg_report_step_events(const PGReport *r, unsigned step, GString *s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < r->events->len; i++) {
        const PGReportEvent *e = &g_array_index(r->events, PGReportEvent, i);
        g_autofree char *key = NULL;

        if (e->step != step || g_str_equal(e->kind, "marker") || n++ > 24) {
            continue;
        }
        key = e->key ? pg_report_key(e->key) : g_strdup(e->device);
        g_string_append(s, n > 1 ? ", " : "");
        g_string_append(s, g_str_equal(e->kind, "violation")
                        ? "<span class=\"bad\">" : "<span>");
        pg_report_printf(s, "%s %s", e->kind, key);
        g_string_append(s, "</span>");
    }
    if (n > 25) {
        pg_report_printf(s, ", and %u more", n - 25);
    }
}

static void pg_report_step_row(const PGReport *r, unsigned step, GString *s)
{
    const PGReportStep *st = &g_array_index(r->steps, PGReportStep, step - 1);
    const char *rest, *worker = pg_report_worker(st->line, &rest);

    g_string_append_printf(s, "<tr id=\"step-%u\"%s><td class=\"num\">%u</td>"
                           "<td>", step, st->failed ? " class=\"bad\"" : "",
                           step);
    pg_report_text(s, worker);
    g_string_append(s, "</td><td class=\"code\">");
    pg_report_text(s, rest);
    g_string_append(s, "</td><td class=\"code\">");
    if (st->reply) {
        pg_report_text(s, st->reply);
        if (st->until > step) {
            pg_report_printf(s, " (came in step %u)", st->until);
        }
    } else if (!g_str_equal(worker, "host")) {
        g_string_append(s, "<b>no reply</b>");
    }
    g_string_append(s, "</td><td>");
    pg_report_step_events(r, step, s);
    g_string_append(s, "</td></tr>\n");
}

static void pg_report_steps(const PGReportLayout *l, GString *s)
{
    g_string_append(s, "<h2>Steps</h2>\n<table><tr><th>step</th>"
                    "<th>process</th><th>call</th><th>reply</th>"
                    "<th>what the devices saw</th></tr>\n");
    for (unsigned i = 0; i < l->columns->len; i++) {
        const PGReportColumn *c = &g_array_index(l->columns, PGReportColumn,
                                                 i);

        if (c->last > c->first) {
            g_string_append_printf(s, "<tr><td class=\"num\">…</td>"
                                   "<td colspan=\"4\" class=\"dim\">steps %u "
                                   "to %u are left out</td></tr>\n", c->first,
                                   c->last);
        } else if (pg_report_has_row(l, c->first)) {
            pg_report_step_row(l->r, c->first, s);
        }
    }
    g_string_append(s, "</table>\n");
}

void pg_report_tables(const PGReportLayout *l, GString *s)
{
    pg_report_violations(l, s);
    pg_report_bos(l, s);
    pg_report_steps(l, s);
}
