/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Report: the guest's tracepoints, and which event of the ledger each belongs
 * to.  Both sides are joined by key and kind of command, and jobs by their
 * sequence numbers.  Either side may lack its beginning, so commands are
 * counted from the end.
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "primegpu-rig-report.h"
#include "hw/display/primegpu/primegpu_abi.h"

/*
 *      agent-p1-31      [000] .....     1.609439: primegpu_cmd: device=1 ...
 *  => drm_gem_close_ioctl
 */
#define PG_REPORT_TRACE_LINE \
    "^\\s*(\\S.*-\\d+)\\s+\\[\\d+\\]\\s+\\S+\\s+([0-9.]+): (\\S+): (.*)$"

static uint64_t pg_report_field(char **words, const char *name)
{
    size_t len = strlen(name);
    uint64_t value;

    for (unsigned i = 0; words[i]; i++) {
        if (!strncmp(words[i], name, len) && words[i][len] == '=' &&
            qemu_strtou64(words[i] + len + 1, NULL, 0, &value) == 0) {
            return value;
        }
    }
    return 0;
}

static void pg_report_trace_fields(PGReportTrace *t, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    t->device = pg_report_field(words, "device");
    t->seqno = pg_report_field(words, "seqno");
    t->opcode = pg_report_field(words, "opcode");
    t->key = pg_report_field(words, "key");
    t->client = pg_report_field(words, "client");
}

void pg_report_add_trace(PGReport *r, const char *line)
{
    static GRegex *regex;
    g_autoptr(GMatchInfo) match = NULL;
    g_autofree char *valid = g_utf8_make_valid(line, -1);
    g_autofree char *fields = NULL;
    PGReportTrace t = { 0 };

    if (!regex) {
        regex = g_regex_new(PG_REPORT_TRACE_LINE, G_REGEX_OPTIMIZE, 0, NULL);
    }
    if (!g_regex_match(regex, valid, 0, &match)) {
        const char *caller = strstr(valid, "=> ");

        if (caller && r->traces->len) {
            PGReportTrace *last = &g_array_index(r->traces, PGReportTrace,
                                                 r->traces->len - 1);

            g_string_append_printf(last->stack, "%s\n", caller + 3);
        }
        return;
    }
    t.name = g_match_info_fetch(match, 3);
    if (!g_str_has_prefix(t.name, "primegpu_")) {
        g_free(t.name);
        return;
    }
    t.task = g_match_info_fetch(match, 1);
    t.time = g_match_info_fetch(match, 2);
    t.stack = g_string_new(NULL);
    fields = g_match_info_fetch(match, 4);
    pg_report_trace_fields(&t, fields);
    g_array_append_val(r->traces, t);
}

#define PG_REPORT_OPCODE_(name, value) { value, #name },
static const struct {
    unsigned opcode;
    const char *name;
} pg_report_opcodes[] = {
    PRIMEGPU_CTRL_OPCODES(PG_REPORT_OPCODE_)
    PRIMEGPU_ENGINE_OPCODES(PG_REPORT_OPCODE_)
};

const char *pg_report_opcode(const PGReportTrace *t)
{
    if (g_str_has_prefix(t->name, "primegpu_job")) {
        return "JOB";
    }
    for (unsigned i = 0; i < ARRAY_SIZE(pg_report_opcodes); i++) {
        if (pg_report_opcodes[i].opcode == t->opcode) {
            return pg_report_opcodes[i].name;
        }
    }
    return "command";
}

static const struct {
    const char *kind;
    unsigned opcode;
} pg_report_kinds[] = {
    { "create",  PRIMEGPU_OP_BO_CREATE },
    { "open",    PRIMEGPU_OP_BO_OPEN },
    { "close",   PRIMEGPU_OP_BO_CLOSE },
    { "attach",  PRIMEGPU_OP_BO_ATTACH },
    { "detach",  PRIMEGPU_OP_BO_DETACH },
    { "place",   PRIMEGPU_OP_BO_PLACE },
    { "release", PRIMEGPU_OP_BO_DESTROY },
};

static unsigned pg_report_kind_opcode(const char *kind)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pg_report_kinds); i++) {
        if (g_str_equal(pg_report_kinds[i].kind, kind)) {
            return pg_report_kinds[i].opcode;
        }
    }
    return 0;
}

static bool pg_report_is_error(const PGReportTrace *t)
{
    return g_str_equal(t->name, "primegpu_cmd_err");
}

/* A command that the device refused has no event but a violation's. */
static bool pg_report_refused(const PGReport *r, unsigned index)
{
    const PGReportTrace *t = &g_array_index(r->traces, PGReportTrace, index);

    for (unsigned i = index + 1; i < r->traces->len; i++) {
        const PGReportTrace *next = &g_array_index(r->traces, PGReportTrace,
                                                   i);

        if (next->device == t->device && next->seqno == t->seqno &&
            pg_report_is_error(next)) {
            return true;
        }
        if (next->device == t->device && next->seqno > t->seqno &&
            g_str_equal(next->name, "primegpu_cmd")) {
            return false;
        }
    }
    return false;
}

static bool pg_report_matches(const PGReport *r, const PGReportEvent *e,
                              unsigned opcode, unsigned index)
{
    const PGReportTrace *t = &g_array_index(r->traces, PGReportTrace, index);

    if (opcode) {
        return t->opcode == opcode && t->key == e->key &&
               g_str_equal(t->name, "primegpu_cmd") &&
               !pg_report_refused(r, index);
    }
    if (!e->seqno || t->seqno != e->seqno || t->device != e->key >> 48) {
        return false;
    }
    return g_str_equal(t->name, g_str_equal(e->kind, "submit")
                                ? "primegpu_job_submit"
                                : "primegpu_job_complete");
}

/*
 * Events of one BO are in the order of the commands, so each search begins
 * before the last that was found for this key: with both lists going
 * backwards, a key's events take its commands one by one.
 */
static void pg_report_join_events(PGReport *r)
{
    g_autoptr(GHashTable) below =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, NULL);

    for (unsigned i = r->events->len; i-- > 0;) {
        PGReportEvent *e = &g_array_index(r->events, PGReportEvent, i);
        unsigned opcode = pg_report_kind_opcode(e->kind);
        unsigned from = r->traces->len;

        if (!opcode && !g_str_equal(e->kind, "submit") &&
            !g_str_equal(e->kind, "complete")) {
            continue;
        }
        if (opcode && g_hash_table_contains(below, &e->key)) {
            from = GPOINTER_TO_UINT(g_hash_table_lookup(below, &e->key));
        }
        for (unsigned t = from; t-- > 0;) {
            if (pg_report_matches(r, e, opcode, t)) {
                e->trace = t;
                if (opcode) {
                    g_hash_table_insert(below, &e->key, GUINT_TO_POINTER(t));
                }
                break;
            }
        }
    }
}

static int pg_report_near(const PGReport *r, unsigned event, int direction)
{
    for (int i = event; i >= 0 && i < (int)r->events->len; i += direction) {
        const PGReportEvent *e = &g_array_index(r->events, PGReportEvent, i);

        if (e->trace >= 0) {
            return e->trace;
        }
    }
    return -1;
}

/* How well a tracepoint between two events explains a violation */
static int pg_report_score(const PGReportViolation *v, const PGReportTrace *t)
{
    bool is_job = g_str_equal(t->name, "primegpu_job_submit");

    if (is_job && v->seqno && t->seqno == v->seqno &&
        t->device == v->key >> 48) {
        return 5;
    }
    if (pg_report_is_error(t) && t->key == v->key) {
        return 4;
    }
    if (t->key && (t->key == v->key || t->key == v->other)) {
        return t->opcode == PRIMEGPU_OP_BO_OPEN ||
               t->opcode == PRIMEGPU_OP_BO_CLOSE ? 1 : 3;
    }
    return is_job && t->device == v->key >> 48 ? 2 : 0;
}

static int pg_report_event_index(const PGReport *r, const PGReportViolation *v)
{
    for (unsigned i = 0; i < r->events->len; i++) {
        const PGReportEvent *e = &g_array_index(r->events, PGReportEvent, i);

        if (v->serial ? e->serial == v->serial
                      : g_str_equal(e->kind, "violation") &&
                        e->key == v->key && e->step == v->step &&
                        e->ns == v->ns) {
            return i;
        }
    }
    return -1;
}

/* The command is between those of the events before and after it. */
static void pg_report_joblamed(PGReport *r, PGReportViolation *v)
{
    int event = pg_report_event_index(r, v);
    int best = 0, first, last;

    if (event < 0 || !r->traces->len) {
        return;
    }
    first = MAX(pg_report_near(r, event, -1), 0);
    last = pg_report_near(r, event, 1);
    last = last < 0 ? (int)r->traces->len - 1 : last;
    for (int i = first; i <= last; i++) {
        int score = pg_report_score(v, &g_array_index(r->traces,
                                                      PGReportTrace, i));

        if (score && score >= best) {
            best = score;
            v->trace = i;
        }
    }
    if (v->trace >= 0) {
        g_array_index(r->events, PGReportEvent, event).trace = v->trace;
    }
}

void pg_report_join(PGReport *r)
{
    pg_report_join_events(r);
    for (unsigned i = 0; i < r->violations->len; i++) {
        pg_report_joblamed(r, &g_array_index(r->violations,
                                                   PGReportViolation, i));
    }
}
