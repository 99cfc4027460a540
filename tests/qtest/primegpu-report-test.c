/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the report: the page of a history made by hand, hostile text, a
 * long history, and the page of a guest.  Each page must be well-formed and
 * show every BO, violation and step that it says it shows.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "primegpu-rig-report.h"

/* An exporter, its importer, a race of two jobs, and an exporter gone early */
static const char pg_events_text[] =
    "{ 'next': 14, 'lost': 0, 'events': ["
    "{'serial':1,'kind':'create','device':'integrated0',"
    " 'key':281474976710657,'step':3,'ns':1000,'size':65536},"
    "{'serial':2,'kind':'open','device':'integrated0',"
    " 'key':281474976710657,'step':3,'ns':1001,'other':1},"
    "{'serial':3,'kind':'attach','device':'integrated0',"
    " 'key':281474976710657,'step':4,'ns':2000},"
    "{'serial':4,'kind':'create','device':'discrete0',"
    " 'key':562949953421313,'step':5,'ns':3000,'size':65536,"
    " 'other':281474976710657},"
    "{'serial':5,'kind':'open','device':'discrete0',"
    " 'key':562949953421313,'step':5,'ns':3001,'other':1},"
    "{'serial':6,'kind':'attach','device':'discrete0',"
    " 'key':562949953421313,'step':5,'ns':3002},"
    "{'serial':7,'kind':'submit','device':'integrated0',"
    " 'key':281474976710657,'step':6,'ns':4000,'other':7,'seqno':7},"
    "{'serial':8,'kind':'submit','device':'discrete0',"
    " 'key':562949953421313,'step':7,'ns':5000,'other':9,'seqno':9},"
    "{'serial':9,'kind':'violation','device':'discrete0',"
    " 'key':562949953421313,'step':7,'ns':5000,'other':281474976710657,"
    " 'violation':'race'},"
    "{'serial':10,'kind':'complete','device':'integrated0',"
    " 'key':281474976710657,'step':7,'ns':6000,'other':7,'seqno':7,"
    " 'status':'ok'},"
    "{'serial':11,'kind':'close','device':'integrated0',"
    " 'key':281474976710657,'step':8,'ns':7000,'other':1},"
    "{'serial':12,'kind':'violation','device':'integrated0',"
    " 'key':281474976710657,'step':8,'ns':7001,'other':562949953421313,"
    " 'violation':'exporter-gone'},"
    "{'serial':13,'kind':'release','device':'integrated0',"
    " 'key':281474976710657,'step':8,'ns':7002,'size':65536} ] }";

static const char pg_violations_text[] =
    "{ 'total': 2, 'violations': ["
    "{'kind':'race','device':'discrete0','key':562949953421313,"
    " 'other':281474976710657,'seqno':9,'other-seqno':7,'serial':9,"
    " 'step':7,'ns':5000,'count':1},"
    "{'kind':'exporter-gone','device':'integrated0',"
    " 'key':281474976710657,'other':562949953421313,'serial':12,"
    " 'step':8,'ns':7001,'count':1} ] }";

static const char *const pg_lines[] = {
    "open fe integrated", "open fi discrete", "create fe e 65536",
    "export e d", "p1 import fi d i", "fill e 0 4096 1",
    "p2 fill i 0 4096 2", "p3 close e",
};

static const char pg_trace_text[] =
    "        agent-p2-40      [000] .....     1.000000: primegpu_job_submit: "
    "device=2 seqno=9 client=1 op_count=1\n"
    "        agent-p2-40      [000] .....     1.000001: <stack trace>\n"
    " => primegpu_engine_run\n"
    " => drm_sched_run_job_work\n"
    "        agent-p3-41      [000] .....     1.100000: primegpu_cmd: "
    "device=1 seqno=5 opcode=0x3 key=0x1000000000001 client=1\n"
    "        agent-p3-41      [000] .....     1.100001: <stack trace>\n"
    " => drm_gem_close_ioctl\n"
    "        agent-p3-41      [000] .....     1.200000: primegpu_cmd: "
    "device=1 seqno=6 opcode=0x7 key=0x1000000000001 client=0\n"
    "        agent-p3-41      [000] .....     1.200001: <stack trace>\n"
    " => primegpu_cmd_bo_destroy\n"
    " => drm_gem_object_free\n";

static QDict *pg_parse(const char *text)
{
    QDict *d = qobject_to(QDict, qobject_from_json(text, &error_abort));

    g_assert_nonnull(d);
    return d;
}

static PGReport *pg_make_report(void)
{
    PGReport *r = pg_report_new("by hand", NULL);
    QDict *events = pg_parse(pg_events_text);
    QDict *violations = pg_parse(pg_violations_text);
    g_auto(GStrv) traces = g_strsplit(pg_trace_text, "\n", -1);

    for (unsigned i = 0; i < ARRAY_SIZE(pg_lines); i++) {
        const char *reply = i == 2 ? "ok handle=1 key=0x1000000000001"
                            : i == 4 ? "ok handle=1 key=0x2000000000001"
                            : "ok";

        pg_report_add_step(r, pg_lines[i], reply, false, i + 1);
    }
    pg_report_add_device(r, "integrated0");
    pg_report_add_device(r, "discrete0");
    pg_report_add_events(r, events);
    pg_report_add_violations(r, violations);
    for (unsigned i = 0; traces[i]; i++) {
        pg_report_add_trace(r, traces[i]);
    }
    pg_report_join(r);
    qobject_unref(events);
    qobject_unref(violations);
    return r;
}

/* Ids of the elements, and the names of the elements that may do things */
typedef struct PGSeen {
    GHashTable *ids;
    GString *links;
    unsigned active;
} PGSeen;

static void pg_start_element(GMarkupParseContext *context, const char *name,
                             const char **keys, const char **values,
                             gpointer opaque, GError **err)
{
    static const char *const active[] = {
        "script", "iframe", "object", "embed", "link", "img", "image", NULL,
    };
    PGSeen *seen = opaque;

    seen->active += g_strv_contains(active, name);
    for (unsigned i = 0; keys[i]; i++) {
        seen->active += g_str_has_prefix(keys[i], "on");
        if (g_str_equal(keys[i], "id")) {
            g_assert_true(g_hash_table_add(seen->ids, g_strdup(values[i])));
        } else if (g_str_equal(keys[i], "href")) {
            g_assert_cmpint(values[i][0], ==, '#');
            g_string_append_printf(seen->links, "%s\n", values[i] + 1);
        }
    }
}

/* Well-formed, quiet, and no link that leads nowhere; returns the ids. */
static GHashTable *pg_check_page(const GString *page)
{
    static const GMarkupParser parser = { .start_element = pg_start_element };
    PGSeen seen = {
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        g_string_new(NULL), 0,
    };
    GMarkupParseContext *context =
        g_markup_parse_context_new(&parser, 0, &seen, NULL);
    g_auto(GStrv) links = NULL;
    GError *err = NULL;

    g_markup_parse_context_parse(context, page->str, page->len, &err);
    g_assert_no_error(err);
    g_markup_parse_context_end_parse(context, &err);
    g_assert_no_error(err);
    g_markup_parse_context_free(context);
    g_assert_cmpuint(seen.active, ==, 0);
    links = g_strsplit(g_strchomp(seen.links->str), "\n", -1);
    for (unsigned i = 0; links[i] && *links[i]; i++) {
        if (!g_hash_table_contains(seen.ids, links[i])) {
            g_error("a link leads nowhere: #%s", links[i]);
        }
    }
    g_string_free(seen.links, TRUE);
    return seen.ids;
}

static void pg_assert_id(GHashTable *ids, const char *fmt, uint64_t number)
{
    g_autofree char *id = NULL;

    id = g_str_equal(fmt, "step") || g_str_equal(fmt, "violation")
         ? g_strdup_printf("%s-%" PRIu64, fmt, number)
         : g_strdup_printf("%s-%" PRIx64, fmt, number);
    if (!g_hash_table_contains(ids, id)) {
        g_error("not in the page: %s", id);
    }
}

static unsigned pg_count(const GString *page, const char *text)
{
    const char *p = page->str;
    unsigned n = 0;

    while ((p = strstr(p, text))) {
        p += strlen(text);
        n++;
    }
    return n;
}

static void pg_test_by_hand(const void *data)
{
    g_autoptr(PGReport) r = pg_make_report();
    g_autoptr(GString) page = pg_report_page(r);
    g_autoptr(GHashTable) ids = pg_check_page(page);
    static const uint64_t keys[] = { 0x1000000000001, 0x2000000000001 };

    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        pg_assert_id(ids, "bo", keys[i]);
        pg_assert_id(ids, "lane", keys[i]);
    }
    for (unsigned i = 1; i <= ARRAY_SIZE(pg_lines); i++) {
        pg_assert_id(ids, "step", i);
    }
    pg_assert_id(ids, "violation", 1);
    pg_assert_id(ids, "violation", 2);
    g_assert_nonnull(strstr(page->str, "class=\"arrow\""));
    g_assert_nonnull(strstr(page->str, "released in step 8"));
    /* A row for each process: p1 is the one that lines without a name mean */
    g_assert_cmpuint(pg_count(page, ">process p"), ==, 3);
    /* The scripts' names of the BOs */
    g_assert_nonnull(strstr(page->str, "e · BO 1:1"));
    g_assert_nonnull(strstr(page->str, "i · BO 2:1"));
}

/* Each violation knows the task that did it, and how. */
static void pg_test_join(const void *data)
{
    g_autoptr(PGReport) r = pg_make_report();
    static const char *const tasks[] = { "agent-p2-40", "agent-p3-41" };
    static const char *const callers[] = {
        "drm_sched_run_job_work", "drm_gem_object_free",
    };

    g_assert_cmpuint(r->traces->len, ==, 3);
    for (unsigned i = 0; i < r->violations->len; i++) {
        const PGReportViolation *v = &g_array_index(r->violations,
                                                    PGReportViolation, i);
        const PGReportTrace *t;

        g_assert_cmpint(v->trace, >=, 0);
        t = &g_array_index(r->traces, PGReportTrace, v->trace);
        g_assert_cmpstr(t->task, ==, tasks[i]);
        g_assert_nonnull(strstr(t->stack->str, callers[i]));
    }
}

static void pg_test_hostile(const void *data)
{
    g_autoptr(PGReport) r = pg_make_report();
    g_autoptr(GString) page = NULL;

    pg_report_add_step(r, "create \"><script>alert(1)</script> '&amp; x",
                       "ok key=<img src=x onerror=y> \xff\xfe \x1b[2J "
                       "\xe2\x80\xae reversed", false, 9);
    pg_report_add_trace(r, "  <b>-1  [000] .....  1.0: primegpu_cmd: "
                        "device=1 seqno=6 opcode=0x7 key=0x1000000000001");
    g_free(r->title);
    r->title = g_strdup("</title><script>");
    r->reason = g_strdup("]]> <!-- & \"'");
    page = pg_report_page(r);
    g_hash_table_unref(pg_check_page(page));
    g_assert_null(strstr(page->str, "<script"));
    g_assert_null(strstr(page->str, "<img"));
    g_assert_null(strchr(page->str, '\x1b'));
    g_assert_null(strstr(page->str, "\xe2\x80\xae"));
}

/* QEMU is dead, so all that is known is what was sent; and not even that */
static void pg_test_little(const void *data)
{
    g_autoptr(PGReport) r = pg_report_new("little", "QEMU ended");
    g_autoptr(GString) page = pg_report_page(r);
    g_autoptr(GHashTable) ids = NULL;

    g_hash_table_unref(pg_check_page(page));
    g_string_free(g_steal_pointer(&page), TRUE);
    pg_report_add_step(r, "p16", NULL, false, 0);
    pg_report_add_step(r, "", NULL, false, 0);
    pg_report_join(r);
    page = pg_report_page(r);
    ids = pg_check_page(page);
    pg_assert_id(ids, "step", 2);
    g_assert_nonnull(strstr(page->str, "no reply"));
}

/* Alive and older than all events: it is there all the same. */
static void pg_test_old(const void *data)
{
    g_autoptr(PGReport) r = pg_make_report();
    QDict *bo = pg_parse("{'device': 'discrete0', 'key': 562949953421400,"
                         " 'size': 4096, 'imported': false, 'foreign': false,"
                         " 'location': 'vram', 'attached': 0,"
                         " 'clients': [ {'client': 1, 'handles': 1} ],"
                         " 'jobs': 0, 'created-step': 2, 'created-ns': 5 }");
    g_autoptr(GString) page = NULL;
    g_autoptr(GHashTable) ids = NULL;

    pg_report_add_bo(r, bo);
    qobject_unref(bo);
    pg_report_join(r);
    page = pg_report_page(r);
    ids = pg_check_page(page);
    pg_assert_id(ids, "lane", UINT64_C(562949953421400));
    g_assert_nonnull(strstr(page->str, "1 BO is still alive"));
    g_assert_nonnull(strstr(page->str, "class=\"vram\" x="));
}

/* More violations than a page shows, each in a step of its own */
static void pg_test_many(const void *data)
{
    g_autoptr(PGReport) r = pg_make_report();
    g_autoptr(GString) page = NULL;

    for (unsigned i = 0; i < 200; i++) {
        PGReportViolation v = {
            .kind = "race", .device = "discrete0", .step = 9 + 3 * i,
            .key = 0x2000000000001, .other = 0x3000000000001, .trace = -1,
        };

        g_array_append_val(r->violations, v);
        for (unsigned j = 0; j < 3; j++) {
            pg_report_add_step(r, "fill i 0 4096 1", "ok", false, 9 + 3 * i);
        }
    }
    r->violations_total = r->violations->len;
    page = pg_report_page(r);
    g_hash_table_unref(pg_check_page(page));
    g_assert_nonnull(strstr(page->str, "The first 50"));
}

/* Thousands of steps and BOs: the page stays small and tells what it lacks. */
static void pg_test_long(const void *data)
{
    g_autoptr(PGReport) r = pg_make_report();
    g_autoptr(GString) page = NULL;
    g_autoptr(GHashTable) ids = NULL;

    for (unsigned i = 0; i < 5000; i++) {
        PGReportEvent e = {
            .serial = 100 + i, .kind = "create", .device = "integrated0",
            .key = UINT64_C(0x1000000010000) + i, .step = 9 + i, .ns = 10000,
            .size = 4096, .trace = -1,
        };

        e.device = g_intern_string(e.device);
        g_array_append_val(r->events, e);
        e.kind = "release";
        g_array_append_val(r->events, e);
        pg_report_add_step(r, "create f b 4096", "ok", false, 9 + i);
    }
    page = pg_report_page(r);
    ids = pg_check_page(page);
    g_assert_cmpuint(page->len, <, 1024 * 1024);
    g_assert_nonnull(strstr(page->str, "Left out: "));
    pg_assert_id(ids, "violation", 2);
    pg_assert_id(ids, "lane", 0x1000000000001);
    pg_assert_id(ids, "step", 8);
    pg_assert_id(ids, "step", 5008);
}

/* A share between two guests' files, as the devices and the guest tell it */
static void pg_test_guest(const void *data)
{
    static const char *const lines[] = {
        "open fe integrated", "open fi discrete", "create fe e 65536",
        "export e d", "import fi d i", "fill i 0 4096 7 wait", "close-fd d",
        "close i", "close e",
    };
    PGMachine m = { 0 };
    PGGuest *g = pg_start(&m);
    g_autoptr(PGReport) r = NULL;
    g_autoptr(GString) page = NULL;
    g_autoptr(GHashTable) ids = NULL;
    unsigned traced = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
        pg_do(g, "%s", lines[i]);
    }
    pg_settle(g);
    r = pg_report_gather(g, "a share", NULL);
    page = pg_report_page(r);
    ids = pg_check_page(page);
    for (unsigned i = 0; i < r->events->len; i++) {
        const PGReportEvent *e = &g_array_index(r->events, PGReportEvent, i);

        if (e->key) {
            pg_assert_id(ids, "bo", e->key);
            traced += e->trace >= 0;
        }
    }
    for (unsigned i = 1; i <= ARRAY_SIZE(lines); i++) {
        pg_assert_id(ids, "step", i);
    }
    if (!strstr(page->str, "e · BO") || !strstr(page->str, "i · BO")) {
        pg_fail(g, "the page lacks the names of the BOs");
    }
    if (traced < 10) {
        pg_fail(g, "only %u events are joined with the guest's tracepoints, "
                "of which there are %u", traced, r->traces->len);
    }
    pg_stop(g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    pg_add_func("report/by-hand", pg_test_by_hand, NULL);
    pg_add_func("report/join", pg_test_join, NULL);
    pg_add_func("report/hostile", pg_test_hostile, NULL);
    pg_add_func("report/little", pg_test_little, NULL);
    pg_add_func("report/old", pg_test_old, NULL);
    pg_add_func("report/many", pg_test_many, NULL);
    pg_add_func("report/long", pg_test_long, NULL);
    pg_add_case("report/guest", pg_test_guest, NULL);
    return g_test_run();
}
