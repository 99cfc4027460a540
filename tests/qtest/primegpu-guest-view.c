/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest rig: the device's view, and what is asserted of it.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"
#include "primegpu-guest-priv.h"

/* Events that are fetched with one query */
#define PG_EVENTS_CHUNK 1024

static uint64_t pg_get_u64(const QDict *d, const char *name)
{
    QNum *num = qobject_to(QNum, qdict_get(d, name));
    uint64_t value = 0;

    return num && qnum_get_try_uint(num, &value) ? value : 0;
}

static PGBo pg_parse_bo(const QDict *d)
{
    PGBo bo = {
        .device = g_intern_string(qdict_get_str(d, "device")),
        .key = pg_get_u64(d, "key"),
        .size = pg_get_u64(d, "size"),
        .imported = qdict_get_bool(d, "imported"),
        .foreign = qdict_get_bool(d, "foreign"),
        .exporter = pg_get_u64(d, "exporter"),
        .jobs = pg_get_u64(d, "jobs"),
        .created_step = pg_get_u64(d, "created-step"),
        .location = qapi_enum_parse(&PrimeGPULocation_lookup,
                                    qdict_get_str(d, "location"), -1, NULL),
        .attached = pg_get_u64(d, "attached"),
    };
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(d, "clients"), e) {
        bo.handles += pg_get_u64(qobject_to(QDict, qlist_entry_obj(e)),
                                 "handles");
    }
    return bo;
}

GArray *pg_bos(PGGuest *g, const char *device)
{
    GArray *bos = g_array_new(FALSE, FALSE, sizeof(PGBo));
    QDict *rsp = pg_query(g, "{ 'execute': 'query-primegpu-bos' }");
    const QListEntry *e;

    if (!qdict_haskey(rsp, "return")) {
        pg_fail(g, "query-primegpu-bos failed");
    }
    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        PGBo bo = pg_parse_bo(qobject_to(QDict, qlist_entry_obj(e)));

        if (!device || g_str_equal(device, bo.device)) {
            g_array_append_val(bos, bo);
        }
    }
    qobject_unref(rsp);
    return bos;
}

unsigned pg_bo_count(PGGuest *g, const char *device)
{
    g_autoptr(GArray) bos = pg_bos(g, device);

    return bos->len;
}

bool pg_is_alive(PGGuest *g, uint64_t key)
{
    g_autoptr(GArray) bos = pg_bos(g, NULL);

    for (unsigned i = 0; i < bos->len; i++) {
        if (g_array_index(bos, PGBo, i).key == key) {
            return true;
        }
    }
    return false;
}

char **pg_devices(PGGuest *g)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    QDict *rsp = pg_query(g, "{ 'execute': 'query-primegpu' }");
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        const QDict *d = qobject_to(QDict, qlist_entry_obj(e));

        g_ptr_array_add(names, g_strdup(qdict_get_str(d, "device")));
    }
    g_ptr_array_add(names, NULL);
    qobject_unref(rsp);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

static PGEvent pg_parse_event(const QDict *d)
{
    return (PGEvent) {
        .serial = pg_get_u64(d, "serial"),
        .kind = qapi_enum_parse(&PrimeGPULedgerEventKind_lookup,
                                qdict_get_str(d, "kind"), -1, NULL),
        .device = g_intern_string(qdict_get_str(d, "device")),
        .key = pg_get_u64(d, "key"),
        .step = pg_get_u64(d, "step"),
        .size = pg_get_u64(d, "size"),
        .other = pg_get_u64(d, "other"),
    };
}

/* Returns whether there are more. */
static bool pg_fetch_events(PGGuest *g)
{
    QDict *rsp = pg_query(g, "{ 'execute': 'query-primegpu-events',"
                           "  'arguments': { 'since': %" PRIu64 ","
                           "                 'max': %u } }",
                           g->next_serial, PG_EVENTS_CHUNK);
    QDict *ret = qdict_get_qdict(rsp, "return");
    const QListEntry *e;
    uint64_t next;

    if (!ret || pg_get_u64(ret, "lost")) {
        pg_fail(g, "the ledger's events from %" PRIu64 " on are lost",
                g->next_serial);
    }
    QLIST_FOREACH_ENTRY(qdict_get_qlist(ret, "events"), e) {
        PGEvent event = pg_parse_event(qobject_to(QDict, qlist_entry_obj(e)));

        g_array_append_val(g->events, event);
        g->next_serial = event.serial + 1;
    }
    next = pg_get_u64(ret, "next");
    qobject_unref(rsp);
    return g->next_serial < next;
}

const GArray *pg_events(PGGuest *g)
{
    while (pg_fetch_events(g)) {
        /* next chunk */
    }
    return g->events;
}

unsigned pg_release_step(const PGGuest *g, uint64_t key)
{
    for (unsigned i = g->events->len; i-- > 0;) {
        const PGEvent *e = &g_array_index(g->events, PGEvent, i);

        if (e->key == key && e->kind == PRIME_GPU_LEDGER_EVENT_KIND_RELEASE) {
            return e->step;
        }
    }
    return 0;
}

uint64_t pg_violations(PGGuest *g)
{
    QDict *rsp = pg_query(g, "{ 'execute': 'query-primegpu-violations' }");
    QDict *ret = qdict_get_qdict(rsp, "return");
    uint64_t total = ret ? pg_get_u64(ret, "total") : 0;

    if (!ret) {
        pg_fail(g, "query-primegpu-violations failed");
    }
    qobject_unref(rsp);
    return total;
}

void pg_print_bos(PGGuest *g, GString *s)
{
    g_autoptr(GArray) bos = pg_bos(g, NULL);

    for (unsigned i = 0; i < bos->len; i++) {
        const PGBo *bo = &g_array_index(bos, PGBo, i);

        g_string_append_printf(s, "%-12s 0x%" PRIx64 " %" PRIu64 " KiB, "
                               "%u handles, %u jobs, made in step %u",
                               bo->device, bo->key, bo->size / KiB,
                               bo->handles, bo->jobs, bo->created_step);
        if (bo->exporter) {
            g_string_append_printf(s, ", import of 0x%" PRIx64, bo->exporter);
        } else if (bo->foreign) {
            g_string_append(s, ", import of a foreign dma-buf");
        }
        g_string_append_c(s, '\n');
    }
    if (!bos->len) {
        g_string_append(s, "no BOs\n");
    }
}

void pg_print_event(const PGEvent *e, GString *s)
{
    g_string_append_printf(s, "%6" PRIu64 "  step %-4u %-12s %-9s 0x%" PRIx64,
                           e->serial, e->step, e->device,
                           PrimeGPULedgerEventKind_str(e->kind), e->key);
    if (e->size) {
        g_string_append_printf(s, " %" PRIu64 " KiB", e->size / KiB);
    }
    if (e->other) {
        g_string_append_printf(s, " (0x%" PRIx64 ")", e->other);
    }
    g_string_append_c(s, '\n');
}

void pg_print_events(PGGuest *g, uint64_t since, GString *s)
{
    const GArray *events = pg_events(g);

    for (unsigned i = 0; i < events->len; i++) {
        const PGEvent *e = &g_array_index(events, PGEvent, i);

        if (e->serial >= since) {
            pg_print_event(e, s);
        }
    }
}

void pg_print_violations(PGGuest *g, GString *s)
{
    QDict *rsp = pg_query(g, "{ 'execute': 'query-primegpu-violations' }");
    QDict *ret = qdict_get_qdict(rsp, "return");
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(ret, "violations"), e) {
        const QDict *d = qobject_to(QDict, qlist_entry_obj(e));
        unsigned step = pg_get_u64(d, "step");

        g_string_append_printf(s, "%s on %s: 0x%" PRIx64 " (other: 0x%" PRIx64
                               "), %" PRIu64 " times, step %u: %s\n",
                               qdict_get_str(d, "kind"),
                               qdict_get_str(d, "device"),
                               pg_get_u64(d, "key"), pg_get_u64(d, "other"),
                               pg_get_u64(d, "count"), step,
                               pg_step_line(g, step));
    }
    g_string_append_printf(s, "%" PRIu64 " violations\n",
                           pg_get_u64(ret, "total"));
    qobject_unref(rsp);
}

void pg_print_sharing(PGGuest *g, GString *s)
{
    QDict *rsp = pg_query(g, "{ 'execute': 'query-primegpu-sharing' }");
    QList *pairs = qdict_get_qlist(qdict_get_qdict(rsp, "return"), "pairs");
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(pairs, e) {
        const QDict *d = qobject_to(QDict, qlist_entry_obj(e));

        g_string_append_printf(s, "0x%" PRIx64 " imports 0x%" PRIx64
                               ", %" PRIu64 " KiB in common\n",
                               pg_get_u64(d, "importer"),
                               pg_get_u64(d, "exporter"),
                               pg_get_u64(d, "bytes") / KiB);
    }
    if (qlist_empty(pairs)) {
        g_string_append(s, "nothing is shared\n");
    }
    qobject_unref(rsp);
}

/* Everything that can be asked, as it came, for the failure folder */
void pg_view_json(PGGuest *g, GString *s)
{
    static const char *const queries[] = {
        "query-primegpu", "query-primegpu-bos", "query-primegpu-sharing",
        "query-primegpu-violations", "query-primegpu-events",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(queries); i++) {
        QDict *rsp = pg_query(g, "{ 'execute': %s }", queries[i]);
        g_autoptr(GString) json = qobject_to_json_pretty(QOBJECT(rsp), true);

        g_string_append_printf(s, "# %s\n%s\n", queries[i], json->str);
        qobject_unref(rsp);
    }
}

void pg_assert_alive(PGGuest *g, uint64_t key)
{
    if (!pg_is_alive(g, key)) {
        unsigned step;

        pg_events(g);
        step = pg_release_step(g, key);
        pg_fail(g, "released too early: BO 0x%" PRIx64 ", in step %u (%s)",
                key, step, pg_step_line(g, step));
    }
}

void pg_assert_released(PGGuest *g, uint64_t key, unsigned step)
{
    unsigned released;

    pg_events(g);
    released = pg_release_step(g, key);
    if (!released) {
        pg_fail(g, "not released: BO 0x%" PRIx64 ", due in step %u (%s)", key,
                step, pg_step_line(g, step));
    }
    if (released != step) {
        pg_fail(g, "released too %s: BO 0x%" PRIx64 ", in step %u (%s) and not "
                "in step %u (%s)", released < step ? "early" : "late", key,
                released, pg_step_line(g, released), step,
                pg_step_line(g, step));
    }
}

void pg_assert_table_is(PGGuest *g, const uint64_t *keys, unsigned n)
{
    g_autoptr(GArray) bos = pg_bos(g, NULL);
    unsigned step = pg_step(g);

    for (unsigned i = 0; i < n; i++) {
        bool found = false;

        for (unsigned j = 0; j < bos->len; j++) {
            PGBo *bo = &g_array_index(bos, PGBo, j);

            if (bo->key == keys[i]) {
                found = true;
                bo->key = 0;
            }
        }
        if (!found) {
            pg_assert_alive(g, keys[i]);
        }
    }
    for (unsigned j = 0; j < bos->len; j++) {
        const PGBo *bo = &g_array_index(bos, PGBo, j);

        if (bo->key) {
            pg_fail(g, "not released: BO 0x%" PRIx64 " of %s, %" PRIu64
                    " KiB, made in step %u, is alive after step %u (%s)",
                    bo->key, bo->device, bo->size / KiB, bo->created_step,
                    step, pg_step_line(g, step));
        }
    }
}

void pg_assert_table(PGGuest *g, ...)
{
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    va_list ap;
    uint64_t key;

    va_start(ap, g);
    while ((key = va_arg(ap, uint64_t))) {
        g_array_append_val(keys, key);
    }
    va_end(ap);
    pg_assert_table_is(g, (const uint64_t *)keys->data, keys->len);
}

static uint64_t pg_scanout_races(PGGuest *g)
{
    QDict *rsp = pg_query(g, "{ 'execute': 'query-primegpu-violations' }");
    QDict *ret = qdict_get_qdict(rsp, "return");
    uint64_t races = 0;
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(ret, "violations"), e) {
        const QDict *d = qobject_to(QDict, qlist_entry_obj(e));

        if (g_str_equal(qdict_get_str(d, "kind"), "scanout-race")) {
            races += pg_get_u64(d, "count");
        }
    }
    qobject_unref(rsp);
    return races;
}

void pg_assert_no_violations(PGGuest *g)
{
    g_autoptr(GString) s = g_string_new(NULL);
    uint64_t allowed = g->machine.draws_shown ? pg_scanout_races(g) : 0;

    if (pg_violations(g) > allowed) {
        pg_print_violations(g, s);
        pg_fail(g, "the device saw a violation: %.*s",
                (int)strcspn(s->str, "\n"), s->str);
    }
}
