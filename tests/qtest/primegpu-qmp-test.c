/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu QMP and HMP: answers, errors, switches, events.
 */
#include "qemu/osdep.h"
#include "libqtest.h"
#include "primegpu-pair.h"

#define SIZE    PRIMEGPU_PAGE_SIZE

static void assert_empty_list(QTestState *qts, const char *command)
{
    QDict *response = qtest_qmp(qts, "{ 'execute': %s }", command);

    g_assert_true(qlist_empty(qdict_get_qlist(response, "return")));
    qobject_unref(response);
}

/* A machine that has none */
static void test_none(void)
{
    QTestState *qts = qtest_init("-machine q35 -nodefaults");
    g_autofree char *text = NULL;

    assert_empty_list(qts, "query-primegpu");
    assert_empty_list(qts, "query-primegpu-bos");
    g_assert_cmpuint(qprimegpu_violations(qts), ==, 0);
    g_assert_cmpuint(qprimegpu_history_next(qts), ==, 1);
    g_assert_cmpint(qprimegpu_shared(qts, 1, 2), ==, -1);
    text = qtest_hmp(qts, "info primegpu");
    g_assert_nonnull(strstr(text, "No primegpu"));
    qtest_quit(qts);
}

static void assert_not_found(QTestState *qts, QDict *response)
{
    QDict *error;

    g_assert_true(qdict_haskey(response, "error"));
    error = qdict_get_qdict(response, "error");
    g_assert_cmpstr(qdict_get_str(error, "class"), ==, "DeviceNotFound");
    g_assert_nonnull(strstr(qdict_get_str(error, "desc"), "'nobody'"));
    qobject_unref(response);
}

static void test_errors(void)
{
    PrimeGPUPair p;

    primegpu_pair_start(&p);
    assert_not_found(p.qts, qtest_qmp(
        p.qts, "{ 'execute': 'query-primegpu-bos',"
        " 'arguments': { 'device': 'nobody' } }"));
    assert_not_found(p.qts, qtest_qmp(
        p.qts, "{ 'execute': 'primegpu-gate',"
        " 'arguments': { 'device': 'nobody', 'closed': true } }"));
    primegpu_pair_quit(&p);
}

static void assert_output_error(QTestState *qts, uint32_t output,
                                const char *name, int64_t value,
                                const char *sentence)
{
    QDict *arguments = qdict_new();
    QDict *response;

    qdict_put_str(arguments, "device", "discrete0");
    qdict_put_int(arguments, "output", output);
    qdict_put_bool(arguments, "connected", true);
    qdict_put_int(arguments, name, value);
    response = qtest_qmp(qts, "{ 'execute': 'primegpu-set-output',"
                         " 'arguments': %p }", arguments);
    g_assert_true(qdict_haskey(response, "error"));
    g_assert_nonnull(strstr(qdict_get_str(qdict_get_qdict(response, "error"),
                                          "desc"), sentence));
    qobject_unref(response);
}

static void test_set_output_errors(void)
{
    PrimeGPUPair p;
    QDict *info;

    primegpu_pair_start(&p);
    assert_not_found(p.qts, qtest_qmp(
        p.qts, "{ 'execute': 'primegpu-set-output', 'arguments':"
        " { 'device': 'nobody', 'output': 0, 'connected': true } }"));
    assert_output_error(p.qts, 1, "width", 800, "'discrete0' has no output 1");
    assert_output_error(p.qts, UINT32_MAX, "width", 800, "has no output");
    assert_output_error(p.qts, 0, "width", 0,
                        "'width' must be between 1 and 4096");
    assert_output_error(p.qts, 0, "width", 4097,
                        "'width' must be between 1 and 4096");
    assert_output_error(p.qts, 0, "height", 4097,
                        "'height' must be between 1 and 4096");
    assert_output_error(p.qts, 0, "refresh-rate", 999,
                        "'refresh-rate' must be between 1000 and 500000");
    info = qprimegpu_query_output(p.qts, 2, 0);
    g_assert_cmpint(qdict_get_int(info, "xres"), ==, 1280);
    g_assert_cmpint(qdict_get_int(info, "yres"), ==, 800);
    qobject_unref(info);
    primegpu_pair_quit(&p);
}

/* What an output tells of itself while it shows something */
static void test_outputs(void)
{
    PrimeGPUPair p;
    QDict *info, *plane;
    g_autofree char *text = NULL;
    uint64_t key, addr, frame;

    primegpu_pair_start(&p);
    key = qprimegpu_new_fb(&p.discrete, 64, 32, &addr);
    frame = qprimegpu_set_mode(&p.discrete, 0, 64, 32);
    qprimegpu_flip(&p.discrete, 0, key, 64, 32);
    info = qprimegpu_query_output(p.qts, 2, 0);
    g_assert_true(qdict_get_bool(info, "on"));
    g_assert_true(qdict_get_bool(info, "pending"));
    g_assert_cmpint(qdict_get_int(info, "frame-ns"), ==, frame);
    g_assert_true(qlist_empty(qdict_get_qlist(info, "planes")));
    qobject_unref(info);
    qtest_clock_step(p.qts, 3 * frame);
    info = qprimegpu_query_output(p.qts, 2, 0);
    g_assert_false(qdict_get_bool(info, "pending"));
    g_assert_cmpint(qdict_get_int(info, "vblank-count"), ==, 3);
    g_assert_cmpint(qdict_get_int(info, "flip-seq"), ==,
                    p.discrete.ctrl.seqno);
    plane = qobject_to(QDict, qlist_peek(qdict_get_qlist(info, "planes")));
    g_assert_cmpint(qdict_get_int(plane, "index"), ==, 0);
    g_assert_cmpstr(qdict_get_str(plane, "format"), ==, "XRGB8888");
    g_assert_cmpint(qdict_get_int(plane, "w"), ==, 64);
    g_assert_cmpint(qdict_get_int(plane, "seqno"), ==, p.discrete.ctrl.seqno);
    qobject_unref(info);
    text = qtest_hmp(p.qts, "info primegpu");
    g_test_message("%s", text);
    g_assert_nonnull(strstr(text, "64x32"));
    g_assert_nonnull(strstr(text, "(XRGB8888)"));
    g_assert_nonnull(strstr(text, "off"));
    g_assert_nonnull(strstr(text, "yes     0     64x32"));
    qprimegpu_output_writel(&p.discrete, 0, PRIMEGPU_OUTPUT_REG_ROUTE,
                            PRIMEGPU_OUTPUT_ROUTE_NONE);
    g_free(text);
    text = qtest_hmp(p.qts, "info primegpu");
    g_assert_nonnull(strstr(text, "yes     -     64x32"));
    primegpu_pair_quit(&p);
}

static void test_devices(void)
{
    PrimeGPUPair p;
    QDict *response, *info;
    QList *list;
    uint64_t key;

    primegpu_pair_start(&p);
    response = qtest_qmp(p.qts, "{ 'execute': 'query-primegpu' }");
    list = qdict_get_qlist(response, "return");
    g_assert_cmpuint(qlist_size(list), ==, 2);
    info = qobject_to(QDict, qlist_peek(list));
    g_assert_cmpstr(qdict_get_str(info, "device"), ==, "integrated0");
    g_assert_cmpint(qdict_get_int(info, "device-id"), ==, 1);
    g_assert_true(qdict_get_bool(info, "enabled"));
    qobject_unref(response);

    qprimegpu_new_bo(&p.integrated, SIZE);
    key = qprimegpu_new_bo(&p.discrete, SIZE);
    response = qtest_qmp(p.qts, "{ 'execute': 'query-primegpu-bos',"
                         " 'arguments': { 'device': 'discrete0' } }");
    list = qdict_get_qlist(response, "return");
    g_assert_cmpuint(qlist_size(list), ==, 1);
    info = qobject_to(QDict, qlist_peek(list));
    g_assert_cmpint(qdict_get_int(info, "key"), ==, key);
    qobject_unref(response);
    primegpu_pair_quit(&p);
}

static void test_release_event(void)
{
    PrimeGPUPair p;
    QDict *message, *event;
    uint64_t silent, key;

    primegpu_pair_start(&p);
    silent = qprimegpu_new_bo(&p.integrated, SIZE);
    key = qprimegpu_new_bo(&p.integrated, SIZE);
    /* Off at the start: the first event that comes is the second BO's. */
    qprimegpu_destroy(&p.integrated, silent);
    qtest_qmp_assert_success(p.qts, "{ 'execute': 'primegpu-set-events',"
                             " 'arguments': { 'release': true } }");
    qprimegpu_writel(&p.integrated, PRIMEGPU_REG_MARKER, 5);
    qprimegpu_destroy(&p.integrated, key);
    message = qtest_qmp_eventwait_ref(p.qts, "PRIMEGPU_RELEASE");
    event = qdict_get_qdict(qdict_get_qdict(message, "data"), "event");
    g_assert_cmpint(qdict_get_int(event, "key"), ==, key);
    g_assert_cmpint(qdict_get_int(event, "step"), ==, 5);
    g_assert_cmpint(qdict_get_int(event, "size"), ==, SIZE);
    g_assert_cmpstr(qdict_get_str(event, "kind"), ==, "release");
    g_assert_cmpstr(qdict_get_str(event, "device"), ==, "integrated0");
    qobject_unref(message);
    primegpu_pair_quit(&p);
}

static void test_violation_event(void)
{
    PrimeGPUPair p;
    QDict *message, *violation;
    uint64_t key;

    primegpu_pair_start(&p);
    key = qprimegpu_key_next(&p.discrete);
    qprimegpu_destroy(&p.discrete, key);
    qtest_qmp_assert_success(p.qts, "{ 'execute': 'primegpu-set-events',"
                             " 'arguments': { 'violation': true } }");
    qprimegpu_destroy(&p.discrete, key + 1);
    message = qtest_qmp_eventwait_ref(p.qts, "PRIMEGPU_VIOLATION");
    violation = qdict_get_qdict(qdict_get_qdict(message, "data"),
                                "violation");
    g_assert_cmpint(qdict_get_int(violation, "key"), ==, key + 1);
    g_assert_cmpstr(qdict_get_str(violation, "kind"), ==, "unknown-bo");
    g_assert_cmpint(qdict_get_int(violation, "count"), ==, 1);
    qobject_unref(message);
    primegpu_pair_quit(&p);
}

/* Everything that the tables show, once */
static void test_hmp(void)
{
    PrimeGPUPair p;
    g_autofree char *text = NULL;
    g_autofree char *pair = NULL;
    uint64_t exporter, importer, addr;

    primegpu_pair_start(&p);
    exporter = qprimegpu_new_bo_pages(&p.integrated, SIZE, &addr);
    qprimegpu_open(&p.integrated, exporter, QPRIMEGPU_CLIENT);
    qprimegpu_open(&p.integrated, exporter, QPRIMEGPU_CLIENT);
    importer = qprimegpu_new_import(&p.discrete, SIZE, exporter);
    qprimegpu_attach(&p.discrete, importer, addr, SIZE);
    qprimegpu_new_import(&p.discrete, SIZE, 0);
    qprimegpu_destroy(&p.integrated, exporter);
    text = qtest_hmp(p.qts, "info primegpu");
    g_test_message("%s", text);
    pair = g_strdup_printf("0x%-16" PRIx64 " 0x%-16" PRIx64 " %12u", exporter,
                           importer, SIZE);
    g_assert_nonnull(strstr(text, pair));
    g_assert_nonnull(strstr(text, "discrete0"));
    g_assert_nonnull(strstr(text, "foreign"));
    g_assert_nonnull(strstr(text, "7(x2)"));
    g_assert_nonnull(strstr(text, "violations: 1"));
    g_assert_nonnull(strstr(text, "destroy-open"));
    primegpu_pair_quit(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("primegpu/qmp/none", test_none);
    qtest_add_func("primegpu/qmp/errors", test_errors);
    qtest_add_func("primegpu/qmp/set-output-errors", test_set_output_errors);
    qtest_add_func("primegpu/qmp/outputs", test_outputs);
    qtest_add_func("primegpu/qmp/devices", test_devices);
    qtest_add_func("primegpu/qmp/release-event", test_release_event);
    qtest_add_func("primegpu/qmp/violation-event", test_violation_event);
    qtest_add_func("primegpu/qmp/hmp", test_hmp);
    return g_test_run();
}
