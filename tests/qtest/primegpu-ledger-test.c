/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu ledger: sharing, the violations of lifetime, history, marker.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/libqos-pc.h"
#include "libqos/pci-pc.h"
#include "primegpu-pair.h"

#define PAGE        PRIMEGPU_PAGE_SIZE
#define SIZE        (4 * PAGE)

/* More BOs on one page than the ledger compares a new one with */
#define CROWD       100
#define COMPARED    64

/* So many of the newest are kept. */
#define EVENTS_KEPT     65536
#define VIOLATIONS_KEPT 1024

/* The GPU on the machine with hotplug */
#define HOTPLUG_SLOT    4

static void test_share(void)
{
    PrimeGPUPair p;
    uint64_t exporter, importer, addr;
    QDict *bo;

    primegpu_pair_start(&p);
    exporter = qprimegpu_new_bo_pages(&p.integrated, SIZE, &addr);
    importer = qprimegpu_new_import(&p.discrete, SIZE, exporter);
    g_assert_cmpint(qprimegpu_shared(p.qts, exporter, importer), ==, 0);
    qprimegpu_assert_status(
        qprimegpu_attach(&p.discrete, importer, addr, SIZE), PRIMEGPU_ST_OK);
    g_assert_cmpint(qprimegpu_shared(p.qts, exporter, importer), ==, SIZE);
    bo = qprimegpu_query_bo(p.qts, importer);
    g_assert_true(qdict_get_bool(bo, "imported"));
    g_assert_false(qdict_get_bool(bo, "foreign"));
    g_assert_cmpint(qdict_get_int(bo, "exporter"), ==, exporter);
    qobject_unref(bo);

    qprimegpu_free_bo(&p.discrete, importer);
    g_assert_cmpint(qprimegpu_shared(p.qts, exporter, importer), ==, -1);
    qprimegpu_free_bo(&p.integrated, exporter);
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 0);
    primegpu_pair_quit(&p);
}

/* Pieces: bytes in common are counted exactly, whatever the pieces are. */
static void test_share_pieces(void)
{
    PrimeGPUPair p;
    struct primegpu_sg sg[2];
    uint64_t exporter, importer, addr;

    primegpu_pair_start(&p);
    addr = qprimegpu_alloc_pages(&p.integrated, 5);
    exporter = qprimegpu_new_bo(&p.integrated, SIZE);
    sg[0].addr = cpu_to_le64(addr);
    sg[0].length = cpu_to_le64(2 * PAGE);
    sg[1].addr = cpu_to_le64(addr + 3 * PAGE);
    sg[1].length = cpu_to_le64(2 * PAGE);
    qprimegpu_attach_sg(&p.integrated, exporter, 0, sg, 2);
    importer = qprimegpu_new_import(&p.discrete, SIZE, exporter);
    /* Pages 1 to 4: page 2 is nobody's. */
    qprimegpu_attach(&p.discrete, importer, addr + PAGE, SIZE);
    g_assert_cmpint(qprimegpu_shared(p.qts, exporter, importer), ==, 3 * PAGE);
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 0);
    primegpu_pair_quit(&p);
}

static void test_import_refused(void)
{
    PrimeGPUPair p;
    uint64_t exporter, importer, key;

    primegpu_pair_start(&p);
    exporter = qprimegpu_new_bo(&p.integrated, SIZE);
    importer = qprimegpu_new_import(&p.discrete, SIZE, exporter);
    key = qprimegpu_key_next(&p.discrete);
    qprimegpu_assert_status(
        qprimegpu_create(&p.discrete, key, SIZE, PRIMEGPU_BO_CREATE_IMPORT,
                         exporter + 1), PRIMEGPU_ST_EXPORTER);
    qprimegpu_assert_status(
        qprimegpu_create(&p.discrete, key, SIZE + PAGE,
                         PRIMEGPU_BO_CREATE_IMPORT, exporter),
        PRIMEGPU_ST_EXPORTER);
    /* An import is never exported again: its exporter is. */
    qprimegpu_assert_status(
        qprimegpu_create(&p.discrete, key, SIZE, PRIMEGPU_BO_CREATE_IMPORT,
                         importer), PRIMEGPU_ST_EXPORTER);
    qprimegpu_assert_status(
        qprimegpu_create(&p.discrete, key, SIZE, PRIMEGPU_BO_CREATE_IMPORT,
                         key), PRIMEGPU_ST_EXPORTER);
    qprimegpu_assert_status(qprimegpu_create(&p.discrete, key, SIZE, 0,
                                             exporter),
                            PRIMEGPU_ST_INVALID_FIELD);
    g_assert_cmpuint(qprimegpu_bo_count(p.qts), ==, 2);
    primegpu_pair_quit(&p);
}

static void test_overlap(void)
{
    PrimeGPUPair p;
    uint64_t first, second, addr, all;

    primegpu_pair_start(&p);
    all = qprimegpu_alloc_pages(&p.integrated, 6);
    addr = all + PAGE;
    first = qprimegpu_new_bo(&p.integrated, SIZE);
    qprimegpu_attach(&p.integrated, first, addr, SIZE);

    /* The page before it and the page behind it are free. */
    second = qprimegpu_new_bo(&p.discrete, PAGE);
    qprimegpu_attach(&p.discrete, second, addr - PAGE, PAGE);
    qprimegpu_detach(&p.discrete, second);
    qprimegpu_attach(&p.discrete, second, addr + SIZE, PAGE);
    qprimegpu_detach(&p.discrete, second);
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 0);

    qprimegpu_attach(&p.discrete, second, addr, PAGE);
    qprimegpu_assert_violation(p.qts, "overlap", second, first);
    qprimegpu_detach(&p.discrete, second);
    qprimegpu_attach(&p.discrete, second, addr + SIZE - PAGE, PAGE);
    g_assert_cmpuint(qprimegpu_violations_of(p.qts, "overlap"), ==, 2);
    qprimegpu_detach(&p.discrete, second);

    /* A BO that gave its pages back is out of the way. */
    qprimegpu_detach(&p.integrated, first);
    qprimegpu_attach(&p.discrete, second, addr, PAGE);
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 2);
    primegpu_pair_quit(&p);
}

/* Imports of buffers that are no primegpu's */
static void test_foreign(void)
{
    PrimeGPUPair p;
    uint64_t first, second, own, addr;
    QDict *bo;

    primegpu_pair_start(&p);
    addr = qprimegpu_alloc_pages(&p.integrated, 4);
    first = qprimegpu_new_import(&p.integrated, SIZE, 0);
    second = qprimegpu_new_import(&p.discrete, SIZE, 0);
    qprimegpu_attach(&p.integrated, first, addr, SIZE);
    qprimegpu_attach(&p.discrete, second, addr, SIZE);
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 0);
    bo = qprimegpu_query_bo(p.qts, second);
    g_assert_true(qdict_get_bool(bo, "foreign"));
    g_assert_false(qdict_haskey(bo, "exporter"));
    qobject_unref(bo);

    own = qprimegpu_new_bo(&p.integrated, SIZE);
    qprimegpu_detach(&p.discrete, second);
    qprimegpu_attach(&p.integrated, own, addr, SIZE);
    qprimegpu_assert_violation(p.qts, "overlap", own, first);
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 1);
    primegpu_pair_quit(&p);
}

static void test_exporter_gone(void)
{
    PrimeGPUPair p;
    uint64_t exporter, importer, again, addr;

    primegpu_pair_start(&p);
    exporter = qprimegpu_new_bo_pages(&p.discrete, SIZE, &addr);
    importer = qprimegpu_new_import(&p.integrated, SIZE, exporter);
    qprimegpu_attach(&p.integrated, importer, addr, SIZE);
    qprimegpu_assert_status(qprimegpu_destroy(&p.discrete, exporter),
                            PRIMEGPU_ST_OK);
    qprimegpu_assert_violation(p.qts, "exporter-gone", exporter, importer);
    g_assert_cmpint(qprimegpu_shared(p.qts, exporter, importer), ==, -1);

    /* Its pages are used again while the import still has them. */
    again = qprimegpu_new_bo(&p.discrete, SIZE);
    qprimegpu_attach(&p.discrete, again, addr, SIZE);
    qprimegpu_assert_violation(p.qts, "overlap", again, importer);
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 2);
    primegpu_pair_quit(&p);
}

static void test_exporter_detached(void)
{
    PrimeGPUPair p;
    uint64_t exporter, importer, idle, addr;

    primegpu_pair_start(&p);
    exporter = qprimegpu_new_bo_pages(&p.integrated, SIZE, &addr);
    importer = qprimegpu_new_import(&p.discrete, SIZE, exporter);
    idle = qprimegpu_new_import(&p.discrete, SIZE, exporter);
    /* An import without pages loses nothing. */
    qprimegpu_detach(&p.integrated, exporter);
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 0);
    qprimegpu_attach(&p.integrated, exporter, addr, SIZE);
    qprimegpu_attach(&p.discrete, importer, addr, SIZE);
    qprimegpu_detach(&p.integrated, exporter);
    qprimegpu_assert_violation(p.qts, "exporter-detached", exporter, importer);
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 1);
    qprimegpu_destroy(&p.discrete, idle);
    primegpu_pair_quit(&p);
}

/* Peer to peer: the importer reads the exporter's VRAM through its BAR. */
static void test_peer(void)
{
    PrimeGPUPair p;
    uint64_t exporter, importer, other, offset = 2 * PAGE;

    primegpu_pair_start(&p);
    exporter = qprimegpu_new_bo(&p.discrete, SIZE);
    qprimegpu_place(&p.discrete, exporter, PRIMEGPU_LOCATION_VRAM, offset);
    importer = qprimegpu_new_import(&p.integrated, SIZE, exporter);
    qprimegpu_assert_status(
        qprimegpu_attach(&p.integrated, importer,
                         p.discrete.vram.addr + offset, SIZE),
        PRIMEGPU_ST_OK);
    g_assert_cmpint(qprimegpu_shared(p.qts, exporter, importer), ==, SIZE);
    qprimegpu_assert_status(
        qprimegpu_run(&p.integrated,
                      qprimegpu_op_fill(importer, 0, SIZE, 0x66)),
        PRIMEGPU_ST_OK);
    g_assert(qprimegpu_is_filled(&p.discrete, p.discrete.vram.addr + offset,
                                 0x66, SIZE));
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 0);

    /* It moves away while the import is there; somebody else moves in. */
    qprimegpu_place(&p.discrete, exporter, PRIMEGPU_LOCATION_PAGES, 0);
    qprimegpu_assert_violation(p.qts, "exporter-detached", exporter, importer);
    other = qprimegpu_new_bo(&p.discrete, PAGE);
    qprimegpu_place(&p.discrete, other, PRIMEGPU_LOCATION_VRAM,
                    offset + SIZE - PAGE);
    qprimegpu_assert_violation(p.qts, "overlap", other, importer);
    primegpu_pair_quit(&p);
}

/* A register BAR of the peer is no target either. */
static void test_peer_registers(void)
{
    PrimeGPUPair p;
    uint64_t key;

    primegpu_pair_start(&p);
    key = qprimegpu_new_bo(&p.integrated, PAGE);
    qprimegpu_assert_status(
        qprimegpu_attach(&p.integrated, key, p.discrete.regs.addr, PAGE),
        PRIMEGPU_ST_DMA);
    key = qprimegpu_new_bo(&p.integrated, 2 * PAGE);
    /* The last page of VRAM and the one behind it */
    qprimegpu_assert_status(
        qprimegpu_attach(&p.integrated, key, p.discrete.vram.addr +
                         QPRIMEGPU_VRAM_SIZE - PAGE, 2 * PAGE),
        PRIMEGPU_ST_DMA);
    primegpu_pair_quit(&p);
}

static QDict *query_events(QTestState *qts, uint64_t since, uint32_t max)
{
    return qtest_qmp_assert_success_ref(
        qts, "{ 'execute': 'query-primegpu-events',"
        " 'arguments': { 'since': %" PRIu64 ", 'max': %u } }", since, max);
}

/* The seed's steps, as the device sees them */
static void test_history(void)
{
    PrimeGPUPair p;
    g_autofree char *history = NULL;
    QDict *answer, *event;
    QList *list;
    uint64_t exporter, importer, addr, next;

    primegpu_pair_start(&p);
    qprimegpu_writel(&p.discrete, PRIMEGPU_REG_MARKER, 1);
    g_assert_cmphex(qprimegpu_readl(&p.integrated, PRIMEGPU_REG_MARKER), ==,
                    1);
    exporter = qprimegpu_new_bo_pages(&p.integrated, SIZE, &addr);
    qprimegpu_open(&p.integrated, exporter, QPRIMEGPU_CLIENT);
    qprimegpu_writel(&p.integrated, PRIMEGPU_REG_MARKER, 2);
    importer = qprimegpu_new_import(&p.discrete, SIZE, exporter);
    qprimegpu_attach(&p.discrete, importer, addr, SIZE);
    qprimegpu_run(&p.discrete, qprimegpu_op_fill(importer, 0, SIZE, 1));
    qprimegpu_free_bo(&p.discrete, importer);
    qprimegpu_close(&p.integrated, exporter, QPRIMEGPU_CLIENT);
    qprimegpu_free_bo(&p.integrated, exporter);
    history = qprimegpu_history(p.qts, 1);
    g_assert_cmpstr(history, ==, "marker create attach open "
                    "marker create attach submit complete detach release "
                    "close detach release");

    next = qprimegpu_history_next(p.qts);
    g_assert_cmpuint(next, ==, 15);
    answer = query_events(p.qts, 6, 1);
    list = qdict_get_qlist(answer, "events");
    g_assert_cmpuint(qlist_size(list), ==, 1);
    event = qobject_to(QDict, qlist_peek(list));
    g_assert_cmpint(qdict_get_int(event, "serial"), ==, 6);
    g_assert_cmpint(qdict_get_int(event, "step"), ==, 2);
    g_assert_cmpint(qdict_get_int(event, "key"), ==, importer);
    g_assert_cmpint(qdict_get_int(event, "other"), ==, exporter);
    g_assert_cmpint(qdict_get_int(event, "size"), ==, SIZE);
    g_assert_cmpstr(qdict_get_str(event, "device"), ==, "discrete0");
    g_assert_cmpint(qdict_get_int(answer, "lost"), ==, 0);
    qobject_unref(answer);
    answer = query_events(p.qts, next, 1);
    g_assert_true(qlist_empty(qdict_get_qlist(answer, "events")));
    qobject_unref(answer);
    primegpu_pair_quit(&p);
}

/* The same again in one step is counted; in the next step it is new. */
static void test_repeats(void)
{
    PrimeGPUPair p;
    QDict *answer, *violation;
    QList *list;
    uint64_t key;

    primegpu_pair_start(&p);
    key = qprimegpu_key_next(&p.integrated);
    qprimegpu_destroy(&p.integrated, key);
    qprimegpu_destroy(&p.integrated, key);
    qprimegpu_writel(&p.integrated, PRIMEGPU_REG_MARKER, 9);
    qprimegpu_destroy(&p.integrated, key);
    answer = qtest_qmp_assert_success_ref(
        p.qts, "{ 'execute': 'query-primegpu-violations' }");
    g_assert_cmpint(qdict_get_int(answer, "total"), ==, 3);
    list = qdict_get_qlist(answer, "violations");
    g_assert_cmpuint(qlist_size(list), ==, 2);
    violation = qobject_to(QDict, qlist_peek(list));
    g_assert_cmpint(qdict_get_int(violation, "count"), ==, 2);
    g_assert_cmpint(qdict_get_int(violation, "step"), ==, 0);
    qobject_unref(answer);
    primegpu_pair_quit(&p);
}

/* A query from @since: so many lost, and the first that is there */
static void assert_history(QTestState *qts, uint64_t since, uint64_t lost,
                           uint64_t serial, uint32_t marker)
{
    QDict *answer = query_events(qts, since, 1);
    QDict *event = qobject_to(QDict, qlist_peek(qdict_get_qlist(answer,
                                                                "events")));

    g_assert_cmpuint(qdict_get_int(answer, "lost"), ==, lost);
    g_assert_cmpuint(qdict_get_int(event, "serial"), ==, serial);
    g_assert_cmpstr(qdict_get_str(event, "kind"), ==, "marker");
    g_assert_cmpuint(qdict_get_int(event, "other"), ==, marker);
    g_assert_cmpuint(qdict_get_int(event, "step"), ==, marker);
    qobject_unref(answer);
}

/* The oldest events make room, and a reader is told how many it missed. */
static void test_history_wrap(void)
{
    PrimeGPUPair p;
    uint32_t marker;
    uint64_t first;

    primegpu_pair_start(&p);
    first = qprimegpu_history_next(p.qts);
    g_assert_cmpuint(first, ==, 1);
    for (marker = 1; marker <= EVENTS_KEPT; marker++) {
        qprimegpu_writel(&p.integrated, PRIMEGPU_REG_MARKER, marker);
    }
    assert_history(p.qts, 1, 0, 1, 1);
    assert_history(p.qts, EVENTS_KEPT, 0, EVENTS_KEPT, EVENTS_KEPT);

    qprimegpu_writel(&p.discrete, PRIMEGPU_REG_MARKER, marker++);
    assert_history(p.qts, 1, 1, 2, 2);
    assert_history(p.qts, 2, 0, 2, 2);
    for (; marker <= EVENTS_KEPT + 11; marker++) {
        qprimegpu_writel(&p.integrated, PRIMEGPU_REG_MARKER, marker);
    }
    assert_history(p.qts, 0, 11, 12, 12);
    assert_history(p.qts, 5, 7, 12, 12);
    assert_history(p.qts, 12, 0, 12, 12);
    assert_history(p.qts, marker - 1, 0, marker - 1, marker - 1);
    g_assert_cmpuint(qprimegpu_history_next(p.qts), ==, marker);
    primegpu_pair_quit(&p);
}

/* All violations are counted, the newest are listed. */
static void test_violations_wrap(void)
{
    PrimeGPUPair p;
    QDict *answer, *violation;
    QList *list;
    uint64_t key;
    uint32_t marker;

    primegpu_pair_start(&p);
    key = qprimegpu_key_next(&p.integrated);
    for (marker = 1; marker <= VIOLATIONS_KEPT + 3; marker++) {
        qprimegpu_writel(&p.integrated, PRIMEGPU_REG_MARKER, marker);
        qprimegpu_destroy(&p.integrated, key);
    }
    answer = qtest_qmp_assert_success_ref(
        p.qts, "{ 'execute': 'query-primegpu-violations' }");
    g_assert_cmpint(qdict_get_int(answer, "total"), ==, VIOLATIONS_KEPT + 3);
    list = qdict_get_qlist(answer, "violations");
    g_assert_cmpuint(qlist_size(list), ==, VIOLATIONS_KEPT);
    violation = qobject_to(QDict, qlist_peek(list));
    g_assert_cmpint(qdict_get_int(violation, "step"), ==, 4);
    violation = qobject_to(QDict, QTAILQ_LAST(&list->head)->value);
    g_assert_cmpint(qdict_get_int(violation, "step"), ==, VIOLATIONS_KEPT + 3);
    qobject_unref(answer);
    primegpu_pair_quit(&p);
}

/* One page in many BOs costs a bounded number of comparisons. */
static void test_crowd(void)
{
    PrimeGPUPair p;
    uint64_t own, addr;
    unsigned int i;

    primegpu_pair_start(&p);
    addr = qprimegpu_alloc_pages(&p.integrated, 1);
    for (i = 0; i < CROWD; i++) {
        uint64_t key = qprimegpu_new_import(&p.discrete, PAGE, 0);

        qprimegpu_attach(&p.discrete, key, addr, PAGE);
    }
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 0);
    own = qprimegpu_new_bo(&p.integrated, PAGE);
    qprimegpu_attach(&p.integrated, own, addr, PAGE);
    g_assert_cmpuint(qprimegpu_violations_of(p.qts, "overlap"), ==, COMPARED);
    primegpu_pair_quit(&p);
}

/* Unplugged: what is still attached is left behind, what is not is dropped. */
static void test_left_behind(void)
{
    g_autofree char *history = NULL;
    QOSState *qs = qtest_pc_boot("-machine pc -nodefaults "
                                 "-device primegpu-discrete,id=gpu0,addr=%x,%s",
                                 HOTPLUG_SLOT, QPRIMEGPU_VRAM_OPT);
    QPrimeGPU g = { };
    uint64_t attached, addr, since;

    qprimegpu_init(&g, qs->pcibus, QPCI_DEVFN(HOTPLUG_SLOT, 0), &qs->alloc);
    qprimegpu_map(&g);
    qprimegpu_start(&g);
    attached = qprimegpu_new_bo_pages(&g, SIZE, &addr);
    qprimegpu_new_bo(&g, SIZE);
    since = qprimegpu_history_next(qs->qts);
    qpci_unplug_acpi_device_test(qs->qts, "gpu0", HOTPLUG_SLOT);
    qprimegpu_assert_violation(qs->qts, "left-behind", attached, 0);
    g_assert_cmpuint(qprimegpu_violations(qs->qts), ==, 1);
    history = qprimegpu_history(qs->qts, since);
    g_assert_cmpstr(history, ==, "violation drop drop");
    g_assert_cmpuint(qprimegpu_bo_count(qs->qts), ==, 0);

    /* The next one gets keys that were never used. */
    qtest_qmp_device_add(qs->qts, "primegpu-discrete", "gpu1",
                         "{ 'addr': %s, 'vram-size': %d }",
                         stringify(HOTPLUG_SLOT), QPRIMEGPU_VRAM_SIZE);
    qobject_unref(qprimegpu_query(qs->qts, 2));
    qtest_shutdown(qs);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("primegpu/ledger/share", test_share);
    qtest_add_func("primegpu/ledger/share-pieces", test_share_pieces);
    qtest_add_func("primegpu/ledger/import-refused", test_import_refused);
    qtest_add_func("primegpu/ledger/overlap", test_overlap);
    qtest_add_func("primegpu/ledger/foreign", test_foreign);
    qtest_add_func("primegpu/ledger/exporter-gone", test_exporter_gone);
    qtest_add_func("primegpu/ledger/exporter-detached",
                   test_exporter_detached);
    qtest_add_func("primegpu/ledger/peer", test_peer);
    qtest_add_func("primegpu/ledger/peer-registers", test_peer_registers);
    qtest_add_func("primegpu/ledger/history", test_history);
    qtest_add_func("primegpu/ledger/history-wrap", test_history_wrap);
    qtest_add_func("primegpu/ledger/repeats", test_repeats);
    qtest_add_func("primegpu/ledger/violations-wrap", test_violations_wrap);
    qtest_add_func("primegpu/ledger/crowd", test_crowd);
    qtest_add_func("primegpu/ledger/left-behind", test_left_behind);
    return g_test_run();
}
