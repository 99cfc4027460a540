/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libqos driver for the primegpu devices: the view from outside.
 */
#include "qemu/osdep.h"
#include "../libqtest.h"
#include "qobject/qnum.h"
#include "primegpu.h"

static QDict *qprimegpu_qmp_dict(QTestState *qts, const char *command)
{
    return qtest_qmp_assert_success_ref(qts, "{ 'execute': %s }", command);
}

/* A uint64 member: QEMU's own getter stops at INT64_MAX. */
static uint64_t qprimegpu_get_uint(const QDict *dict, const char *name)
{
    return qnum_get_uint(qobject_to(QNum, qdict_get(dict, name)));
}

static QList *qprimegpu_qmp_list(QTestState *qts, const char *command)
{
    QDict *response = qtest_qmp(qts, "{ 'execute': %s }", command);
    QList *list;

    g_assert(qdict_haskey(response, "return"));
    list = qobject_ref(qdict_get_qlist(response, "return"));
    qobject_unref(response);
    return list;
}

/* The entry of a list of dicts with this number; NULL when there is none */
static QDict *qprimegpu_find(QList *list, const char *name, uint64_t value)
{
    QListEntry *entry;

    QLIST_FOREACH_ENTRY(list, entry) {
        QDict *dict = qobject_to(QDict, qlist_entry_obj(entry));

        if (qprimegpu_get_uint(dict, name) == value) {
            return qobject_ref(dict);
        }
    }
    return NULL;
}

QDict *qprimegpu_query(QTestState *qts, uint16_t device_id)
{
    QList *list = qprimegpu_qmp_list(qts, "query-primegpu");
    QDict *info = qprimegpu_find(list, "device-id", device_id);

    g_assert(info);
    qobject_unref(list);
    return info;
}

QList *qprimegpu_query_bos(QTestState *qts)
{
    return qprimegpu_qmp_list(qts, "query-primegpu-bos");
}

QDict *qprimegpu_query_bo(QTestState *qts, uint64_t key)
{
    QList *list = qprimegpu_query_bos(qts);
    QDict *bo = qprimegpu_find(list, "key", key);

    qobject_unref(list);
    return bo;
}

uint64_t qprimegpu_bo_count(QTestState *qts)
{
    QList *list = qprimegpu_query_bos(qts);
    uint64_t count = qlist_size(list);

    qobject_unref(list);
    return count;
}

uint64_t qprimegpu_violations(QTestState *qts)
{
    QDict *answer = qprimegpu_qmp_dict(qts, "query-primegpu-violations");
    uint64_t total = qprimegpu_get_uint(answer, "total");

    qobject_unref(answer);
    return total;
}

uint64_t qprimegpu_violations_of(QTestState *qts, const char *kind)
{
    QDict *answer = qprimegpu_qmp_dict(qts, "query-primegpu-violations");
    QList *list = qdict_get_qlist(answer, "violations");
    QListEntry *entry;
    uint64_t count = 0;

    QLIST_FOREACH_ENTRY(list, entry) {
        QDict *dict = qobject_to(QDict, qlist_entry_obj(entry));

        if (g_str_equal(qdict_get_str(dict, "kind"), kind)) {
            count += qprimegpu_get_uint(dict, "count");
        }
    }
    qobject_unref(answer);
    return count;
}

uint64_t qprimegpu_violations_number(QTestState *qts, const char *name)
{
    QDict *answer = qprimegpu_qmp_dict(qts, "query-primegpu-violations");
    uint64_t number = qprimegpu_get_uint(answer, name);

    qobject_unref(answer);
    return number;
}

uint64_t qprimegpu_violation_number(QTestState *qts, const char *name)
{
    QDict *answer = qprimegpu_qmp_dict(qts, "query-primegpu-violations");
    QList *list = qdict_get_qlist(answer, "violations");
    uint64_t number;

    g_assert(!qlist_empty(list));
    number = qprimegpu_get_uint(
        qobject_to(QDict, qlist_entry_obj(QTAILQ_LAST(&list->head))), name);
    qobject_unref(answer);
    return number;
}

void qprimegpu_inject(QTestState *qts, const char *device, const char *fault,
                      uint32_t at, uint32_t count)
{
    qtest_qmp_assert_success(qts, "{ 'execute': 'primegpu-inject',"
                             " 'arguments': { 'device': %s, 'fault': %s,"
                             " 'at': %u, 'count': %u } }", device, fault, at,
                             count);
}

uint64_t qprimegpu_faults_fired(QTestState *qts)
{
    QList *list = qprimegpu_qmp_list(qts, "query-primegpu-faults");
    QListEntry *entry;
    uint64_t fired = 0;

    QLIST_FOREACH_ENTRY(list, entry) {
        fired += qprimegpu_get_uint(qobject_to(QDict, qlist_entry_obj(entry)),
                                    "fired");
    }
    qobject_unref(list);
    return fired;
}

void qprimegpu_assert_violation(QTestState *qts, const char *kind,
                                uint64_t key, uint64_t other)
{
    QDict *answer = qprimegpu_qmp_dict(qts, "query-primegpu-violations");
    QList *list = qdict_get_qlist(answer, "violations");
    QDict *newest;

    g_assert(!qlist_empty(list));
    newest = qobject_to(QDict, qlist_entry_obj(
                            QTAILQ_LAST(&list->head)));
    g_assert_cmpstr(qdict_get_str(newest, "kind"), ==, kind);
    g_assert_cmphex(qprimegpu_get_uint(newest, "key"), ==, key);
    g_assert(qdict_haskey(newest, "other") == (other != 0));
    if (other) {
        g_assert_cmphex(qprimegpu_get_uint(newest, "other"), ==, other);
    }
    qobject_unref(answer);
}

int64_t qprimegpu_shared(QTestState *qts, uint64_t exporter, uint64_t importer)
{
    QDict *answer = qprimegpu_qmp_dict(qts, "query-primegpu-sharing");
    QDict *pair = qprimegpu_find(qdict_get_qlist(answer, "pairs"), "importer",
                                 importer);
    int64_t bytes = -1;

    if (pair) {
        g_assert_cmphex(qprimegpu_get_uint(pair, "exporter"), ==, exporter);
        bytes = qprimegpu_get_uint(pair, "bytes");
        qobject_unref(pair);
    }
    qobject_unref(answer);
    return bytes;
}

void qprimegpu_set_gate(QTestState *qts, const char *device, bool closed)
{
    qtest_qmp_assert_success(qts, "{ 'execute': 'primegpu-gate',"
                             " 'arguments': { 'device': %s, 'closed': %i } }",
                             device, closed);
}

uint64_t qprimegpu_history_next(QTestState *qts)
{
    QDict *answer = qprimegpu_qmp_dict(qts, "query-primegpu-events");
    uint64_t next = qprimegpu_get_uint(answer, "next");

    qobject_unref(answer);
    return next;
}

char *qprimegpu_history(QTestState *qts, uint64_t since)
{
    QDict *answer = qtest_qmp_assert_success_ref(
        qts, "{ 'execute': 'query-primegpu-events',"
        " 'arguments': { 'since': %" PRIu64 " } }", since);
    QList *list = qdict_get_qlist(answer, "events");
    GString *kinds = g_string_new(NULL);
    QListEntry *entry;

    QLIST_FOREACH_ENTRY(list, entry) {
        QDict *event = qobject_to(QDict, qlist_entry_obj(entry));

        g_string_append_printf(kinds, "%s%s", kinds->len ? " " : "",
                               qdict_get_str(event, "kind"));
    }
    qobject_unref(answer);
    return g_string_free(kinds, false);
}
