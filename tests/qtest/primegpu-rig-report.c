/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Report: gather what a guest and its devices know, for a failing case and
 * for the rig's command, which replays a script with the guest's tracepoints
 * on.  A case that fails must not fail here again: whatever does not answer
 * is left out.
 */
#include "qemu/osdep.h"
#include "qobject/qlist.h"
#include "primegpu-guest-priv.h"
#include "primegpu-rig.h"
#include "primegpu-rig-report.h"

#define PG_TRACE_ON_MS   2000
#define PG_TRACE_LIST_MS 5000
#define PG_EVENTS_CHUNK  1024

/* Where the command wants its page, whatever happens */
static const char *pg_report_out;
static const char *pg_report_title;

void pg_report_sent(PGGuest *g, unsigned tag)
{
    PGAnswer *a = &g_array_index(g->answers, PGAnswer, g->answers->len - 1);

    a->tag = tag;
}

void pg_report_new_step(PGGuest *g)
{
    PGAnswer a = { 0 };

    g_array_append_val(g->answers, a);
}

/* Tags rise with the steps; a gate has none, so it is skipped backwards. */
void pg_report_answered(PGGuest *g, unsigned tag, const char *reply)
{
    unsigned low = 0, high = g->answers->len;

    while (low < high) {
        unsigned mid = (low + high) / 2, at = mid;
        PGAnswer *a;

        while (at > low && !g_array_index(g->answers, PGAnswer, at).tag) {
            at--;
        }
        a = &g_array_index(g->answers, PGAnswer, at);
        if (a->tag == tag) {
            g_free(a->reply);
            a->reply = g_strdup(reply);
            a->until = g->answers->len;
            return;
        }
        if (a->tag < tag) {
            low = mid + 1;
        } else {
            high = at;
        }
    }
}

static void pg_report_gather_steps(PGReport *r, const PGGuest *g)
{
    for (unsigned i = 0; i < g->step_lines->len; i++) {
        const PGAnswer *a = &g_array_index(g->answers, PGAnswer, i);

        pg_report_add_step(r, g_ptr_array_index(g->step_lines, i), a->reply,
                           a->reply && g_str_has_prefix(a->reply, "err "),
                           a->until);
    }
}

static QDict *pg_report_query_events(PGGuest *g, uint64_t since)
{
    return pg_query(g, "{ 'execute': 'query-primegpu-events',"
                     "  'arguments': { 'since': %" PRIu64 ", 'max': %u } }",
                     since, PG_EVENTS_CHUNK);
}

static void pg_report_gather_events(PGReport *r, PGGuest *g)
{
    QDict *rsp = pg_report_query_events(g, INT64_MAX);
    QDict *ret = qdict_get_qdict(rsp, "return");
    uint64_t next = ret ? qdict_get_try_int(ret, "next", 1) : 1;
    uint64_t since = next > PG_REPORT_EVENTS ? next - PG_REPORT_EVENTS : 1;

    qobject_unref(rsp);
    for (uint64_t at = since; at < next; at += PG_EVENTS_CHUNK) {
        rsp = pg_report_query_events(g, at);
        ret = qdict_get_qdict(rsp, "return");
        if (ret) {
            pg_report_add_events(r, ret);
        }
        qobject_unref(rsp);
    }
    r->lost = since - 1;
}

static QList *pg_report_list(const QDict *rsp)
{
    return qobject_to(QList, qdict_get(rsp, "return"));
}

static void pg_report_gather_devices(PGReport *r, PGGuest *g)
{
    QDict *rsp = pg_query(g, "{ 'execute': 'query-primegpu' }");
    const QListEntry *e;

    for (e = pg_report_list(rsp) ? qlist_first(pg_report_list(rsp)) : NULL; e;
         e = qlist_next(e)) {
        pg_report_add_device(r, qdict_get_str(qobject_to(QDict,
                                qlist_entry_obj(e)), "device"));
    }
    qobject_unref(rsp);
}

static void pg_report_gather_bos(PGReport *r, PGGuest *g)
{
    QDict *rsp = pg_query(g, "{ 'execute': 'query-primegpu-bos' }");
    const QListEntry *e;

    for (e = pg_report_list(rsp) ? qlist_first(pg_report_list(rsp)) : NULL; e;
         e = qlist_next(e)) {
        pg_report_add_bo(r, qobject_to(QDict, qlist_entry_obj(e)));
    }
    qobject_unref(rsp);
}

static void pg_report_gather_violations(PGReport *r, PGGuest *g)
{
    QDict *rsp = pg_query(g, "{ 'execute': 'query-primegpu-violations' }");
    QDict *ret = qdict_get_qdict(rsp, "return");

    if (ret) {
        pg_report_add_violations(r, ret);
    }
    qobject_unref(rsp);
}

/* What was asked before QEMU went; times were not kept. */
static void pg_report_gather_known(PGReport *r, const PGGuest *g)
{
    for (unsigned i = 0; i < g->events->len; i++) {
        const PGEvent *known = &g_array_index(g->events, PGEvent, i);
        PGReportEvent e = {
            .serial = known->serial,
            .kind = PrimeGPULedgerEventKind_str(known->kind),
            .device = known->device,
            .key = known->key,
            .step = known->step,
            .size = known->size,
            .other = known->other,
            .has_other = known->other != 0,
            .trace = -1,
        };

        if (known->kind == PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT ||
            known->kind == PRIME_GPU_LEDGER_EVENT_KIND_COMPLETE) {
            e.seqno = e.other;
        }
        pg_report_add_device(r, e.device);
        g_array_append_val(r->events, e);
    }
}

static bool pg_report_guest_runs(PGGuest *g)
{
    QDict *rsp, *ret;
    bool runs;

    if (g->dead) {
        return false;
    }
    rsp = pg_query(g, "{ 'execute': 'query-status' }");
    ret = qdict_get_qdict(rsp, "return");
    runs = ret && qdict_get_try_bool(ret, "running", false);
    qobject_unref(rsp);
    return runs;
}

static GString *pg_trace_text;

static void pg_trace_line(const char *line)
{
    g_string_append_printf(pg_trace_text, "%s\n", line + (line[0] == '|'));
}

char *pg_report_guest_trace(PGGuest *g)
{
    PGTextFn *before = g->text;
    GString *text;
    bool done;

    if (!pg_has_primegpu(&g->machine) || !pg_report_guest_runs(g)) {
        return NULL;
    }
    pg_trace_text = g_string_new(NULL);
    pg_on_text(g, pg_trace_line);
    done = pg_wait(g, pg_agent_send(g, "p0 trace list"),
                   PG_TRACE_LIST_MS * pg_slow());
    pg_on_text(g, before);
    text = g_steal_pointer(&pg_trace_text);
    return g_string_free(text, !done && !text->len);
}

void pg_report_trace_on(PGGuest *g, bool stacks)
{
    unsigned tag;

    if (pg_has_primegpu(&g->machine)) {
        tag = pg_agent_send(g, stacks ? "p0 trace stacks" : "p0 trace on");
        if (pg_wait(g, tag, PG_TRACE_ON_MS * pg_slow())) {
            g_hash_table_remove(g->replies, GUINT_TO_POINTER(tag));
        }
    }
}

static void pg_report_add_traces(PGReport *r, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (unsigned i = 0; lines[i]; i++) {
        pg_report_add_trace(r, lines[i]);
    }
}

static PGReport *pg_report_gather_all(PGGuest *g, const char *title,
                                      const char *reason, const char *trace)
{
    PGReport *r = pg_report_new(title, reason);

    pg_report_gather_steps(r, g);
    if (g->dead || !pg_has_primegpu(&g->machine)) {
        pg_report_gather_known(r, g);
        r->note = g_strdup("What the devices saw after the test last asked "
                           "them: QEMU does not answer any more.");
    } else {
        pg_report_gather_devices(r, g);
        pg_report_gather_events(r, g);
        pg_report_gather_bos(r, g);
        pg_report_gather_violations(r, g);
        pg_report_add_traces(r, trace ?: "");
        if (!r->traces->len) {
            r->note = g_strdup("The guest's tracepoints: none were recorded, "
                               "or the guest does not answer.");
        }
    }
    pg_report_join(r);
    return r;
}

PGReport *pg_report_gather(PGGuest *g, const char *title, const char *reason)
{
    g_autofree char *trace = pg_report_guest_trace(g);

    return pg_report_gather_all(g, title, reason, trace);
}

static bool pg_report_save(const PGReport *r, const char *path)
{
    g_autoptr(GString) page = pg_report_page(r);
    g_autoptr(GError) err = NULL;

    if (!g_file_set_contents(path, page->str, page->len, &err)) {
        fprintf(stderr, "primegpu: %s\n", err->message);
        return false;
    }
    return true;
}

void pg_report_folder(PGGuest *g, const char *dir, const char *name,
                      const char *reason)
{
    g_autofree char *trace = pg_report_guest_trace(g);
    g_autoptr(PGReport) r =
        pg_report_gather_all(g, pg_report_title ?: name, reason, trace);

    if (dir) {
        g_autofree char *page = g_build_filename(dir, "report.html", NULL);
        g_autofree char *path = g_build_filename(dir, "guest-trace.txt", NULL);

        pg_report_save(r, page);
        if (trace && *trace) {
            g_file_set_contents(path, trace, -1, NULL);
        }
    }
    if (pg_report_out) {
        pg_report_save(r, pg_report_out);
    }
}

static void pg_report_begin(PGGuest *g)
{
    pg_report_trace_on(g, true);
}

static void pg_report_end(PGGuest *g)
{
    g_autoptr(PGReport) r = pg_report_gather(g, pg_report_title, NULL);

    if (pg_report_save(r, pg_report_out)) {
        printf("\n%u BOs alive at the end, %" PRIu64 " violations.  The "
               "report: %s\n", r->alive->len, r->violations_total,
               pg_report_out);
    }
    pg_machine_quit(g);
}

int primegpu_rig_report(const char *path, const char *out)
{
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *title = g_strconcat("primegpu: ", base, NULL);
    g_autofree char *beside = g_strconcat(path, ".html", NULL);
    int status;

    pg_report_title = title;
    pg_report_out = out ?: beside;
    status = primegpu_rig_replay(path, true, pg_report_begin, pg_report_end);
    pg_report_title = pg_report_out = NULL;
    return status;
}
