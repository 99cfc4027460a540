/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Report: what is known.  Owns the lists; takes what the queries return.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"
#include "qobject/qstring.h"
#include "primegpu-rig-report.h"

static void pg_report_clear_step(gpointer data)
{
    PGReportStep *step = data;

    g_free(step->line);
    g_free(step->reply);
}

static void pg_report_clear_trace(gpointer data)
{
    PGReportTrace *t = data;

    g_free(t->task);
    g_free(t->time);
    g_free(t->name);
    g_string_free(t->stack, TRUE);
}

PGReport *pg_report_new(const char *title, const char *reason)
{
    PGReport *r = g_new0(PGReport, 1);

    r->title = g_strdup(title);
    r->reason = g_strdup(reason);
    r->steps = g_array_new(FALSE, TRUE, sizeof(PGReportStep));
    g_array_set_clear_func(r->steps, pg_report_clear_step);
    r->devices = g_ptr_array_new();
    r->events = g_array_new(FALSE, TRUE, sizeof(PGReportEvent));
    r->violations = g_array_new(FALSE, TRUE, sizeof(PGReportViolation));
    r->traces = g_array_new(FALSE, TRUE, sizeof(PGReportTrace));
    g_array_set_clear_func(r->traces, pg_report_clear_trace);
    r->alive = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    return r;
}

void pg_report_free(PGReport *r)
{
    g_free(r->title);
    g_free(r->reason);
    g_free(r->note);
    g_array_unref(r->steps);
    g_ptr_array_unref(r->devices);
    g_array_unref(r->events);
    g_array_unref(r->violations);
    g_array_unref(r->traces);
    g_array_unref(r->alive);
    g_free(r);
}

void pg_report_add_step(PGReport *r, const char *line, const char *reply,
                        bool failed, unsigned until)
{
    PGReportStep step = { g_strdup(line), g_strdup(reply), failed, until };

    g_array_append_val(r->steps, step);
}

void pg_report_add_device(PGReport *r, const char *device)
{
    gpointer name = (gpointer)g_intern_string(device);

    if (!g_ptr_array_find(r->devices, name, NULL)) {
        g_ptr_array_add(r->devices, name);
    }
}

static uint64_t pg_report_u64(const QDict *d, const char *name)
{
    QNum *num = qobject_to(QNum, qdict_get(d, name));
    uint64_t value = 0;

    return num && qnum_get_try_uint(num, &value) ? value : 0;
}

static const char *pg_report_str(const QDict *d, const char *name)
{
    return g_intern_string(qdict_get_try_str(d, name));
}

static void pg_report_add_event(PGReport *r, const QDict *d)
{
    PGReportEvent e = {
        .serial = pg_report_u64(d, "serial"),
        .kind = pg_report_str(d, "kind") ?: "",
        .device = pg_report_str(d, "device") ?: "",
        .key = pg_report_u64(d, "key"),
        .step = pg_report_u64(d, "step"),
        .ns = pg_report_u64(d, "ns"),
        .size = pg_report_u64(d, "size"),
        .other = pg_report_u64(d, "other"),
        .has_other = qdict_haskey(d, "other"),
        .seqno = pg_report_u64(d, "seqno"),
        .status = pg_report_str(d, "status"),
        .violation = pg_report_str(d, "violation"),
        .fault = pg_report_str(d, "fault"),
        .trace = -1,
    };

    if (g_str_equal(e.kind, "submit") || g_str_equal(e.kind, "complete")) {
        e.seqno = e.seqno ?: e.other;
    }
    pg_report_add_device(r, e.device);
    g_array_append_val(r->events, e);
}

void pg_report_add_events(PGReport *r, const QDict *events)
{
    const QListEntry *entry;

    r->lost = MAX(r->lost, pg_report_u64(events, "lost"));
    QLIST_FOREACH_ENTRY(qdict_get_qlist(events, "events"), entry) {
        pg_report_add_event(r, qobject_to(QDict, qlist_entry_obj(entry)));
    }
}

void pg_report_add_violations(PGReport *r, const QDict *violations)
{
    const QListEntry *entry;

    r->violations_total = pg_report_u64(violations, "total");
    QLIST_FOREACH_ENTRY(qdict_get_qlist(violations, "violations"), entry) {
        const QDict *d = qobject_to(QDict, qlist_entry_obj(entry));
        PGReportViolation v = {
            .kind = pg_report_str(d, "kind") ?: "",
            .device = pg_report_str(d, "device") ?: "",
            .key = pg_report_u64(d, "key"),
            .other = pg_report_u64(d, "other"),
            .seqno = pg_report_u64(d, "seqno"),
            .other_seqno = pg_report_u64(d, "other-seqno"),
            .serial = pg_report_u64(d, "serial"),
            .count = pg_report_u64(d, "count"),
            .step = pg_report_u64(d, "step"),
            .ns = pg_report_u64(d, "ns"),
            .trace = -1,
        };

        g_array_append_val(r->violations, v);
    }
}

static bool pg_report_has_create(const PGReport *r, uint64_t key)
{
    for (unsigned i = 0; i < r->events->len; i++) {
        const PGReportEvent *e = &g_array_index(r->events, PGReportEvent, i);

        if (e->key == key && g_str_equal(e->kind, "create")) {
            return true;
        }
    }
    return false;
}

static bool pg_report_has_event(const PGReport *r, uint64_t key)
{
    for (unsigned i = 0; i < r->events->len; i++) {
        if (g_array_index(r->events, PGReportEvent, i).key == key) {
            return true;
        }
    }
    return false;
}

/*
 * A BO that is older than all events gets its history back from what it is
 * now: that it was left over is what the page is often about.
 */
void pg_report_add_bo(PGReport *r, const QDict *bo)
{
    const char *location = pg_report_str(bo, "location");
    PGReportEvent e = {
        .kind = "create",
        .device = pg_report_str(bo, "device") ?: "",
        .key = pg_report_u64(bo, "key"),
        .step = pg_report_u64(bo, "created-step"),
        .ns = pg_report_u64(bo, "created-ns"),
        .size = pg_report_u64(bo, "size"),
        .other = pg_report_u64(bo, "exporter"),
        .has_other = qdict_get_try_bool(bo, "imported", false),
        .trace = -1,
    };

    g_array_append_val(r->alive, e.key);
    pg_report_add_device(r, e.device);
    if (pg_report_has_create(r, e.key)) {
        return;
    }
    if (!pg_report_has_event(r, e.key)) {
        PGReportEvent now = {
            .device = e.device, .key = e.key, .step = e.step, .ns = e.ns,
            .trace = -1,
        };

        now.kind = "open";
        if (!qlist_empty(qdict_get_qlist(bo, "clients"))) {
            g_array_prepend_val(r->events, now);
        }
        now.kind = g_strcmp0(location, "vram") ? "attach" : "place";
        now.has_other = true;
        if (g_strcmp0(location, "none")) {
            g_array_prepend_val(r->events, now);
        }
    }
    g_array_prepend_val(r->events, e);
}

char *pg_report_key(uint64_t key)
{
    return g_strdup_printf("%u:%" PRIx64, (unsigned)(key >> 48),
                           key & (UINT64_MAX >> 16));
}

/* What the number of an event means, by its kind */
static const struct {
    const char *kind;
    const char *text;
    bool is_hex;
} pg_report_other[] = {
    { "create",      "imported from BO", true },
    { "open",        "by client",        false },
    { "close",       "by client",        false },
    { "place",       "in VRAM at",       true },
    { "violation",   "with BO",          true },
    { "client-race", "with BO",          true },
};

static void pg_report_other_text(const PGReportEvent *e, GString *s)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pg_report_other); i++) {
        if (e->has_other && g_str_equal(e->kind, pg_report_other[i].kind)) {
            g_string_append_printf(s, " %s ", pg_report_other[i].text);
            g_string_append_printf(s, pg_report_other[i].is_hex
                                   ? "0x%" PRIx64 : "%" PRIu64, e->other);
        }
    }
}

char *pg_report_event_text(const PGReportEvent *e)
{
    GString *s = g_string_new(e->violation);

    if (e->size) {
        g_string_append_printf(s, " %" PRIu64 " KiB,", e->size / KiB);
    }
    pg_report_other_text(e, s);
    if (!e->has_other && g_str_equal(e->kind, "place")) {
        g_string_append(s, " in pages");
    }
    if (e->seqno) {
        g_string_append_printf(s, " job %" PRIu64, e->seqno);
    }
    if (e->status) {
        g_string_append_printf(s, " status %s", e->status);
    }
    if (e->fault) {
        g_string_append_printf(s, " %s", e->fault);
    }
    g_strstrip(s->str);
    s->len = strlen(s->str);
    if (g_str_has_suffix(s->str, ",")) {
        g_string_truncate(s, s->len - 1);
    }
    return g_string_free(s, FALSE);
}

/* Characters that move or reverse what stands beside them */
static bool pg_report_hides(gunichar c)
{
    return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c >= 0xfff0;
}

void pg_report_text(GString *s, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text ?: "", -1);

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        switch (c) {
        case '&':
            g_string_append(s, "&amp;");
            break;
        case '<':
            g_string_append(s, "&lt;");
            break;
        case '>':
            g_string_append(s, "&gt;");
            break;
        case '"':
            g_string_append(s, "&quot;");
            break;
        case '\'':
            g_string_append(s, "&#39;");
            break;
        default:
            g_string_append_unichar(s, pg_report_hides(c) ? 0xb7 : c);
        }
    }
}

void pg_report_printf(GString *s, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    pg_report_text(s, text);
}
