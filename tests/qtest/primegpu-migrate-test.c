/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu saved state: save and restore with live shared BOs and queued jobs,
 * and streams that lie.
 */
#include "qemu/osdep.h"
#include "libqtest.h"
#include "primegpu-pair.h"
#include "primegpu-saved.h"

#define PAGE        PRIMEGPU_PAGE_SIZE
#define SIZE        (4 * PAGE)
#define STEP        42

/* Where the exporter lies in VRAM */
#define VRAM_OFFSET (8 * PAGE)

/* Bytes of a section that one bad stream after the other changes */
#define LIES        400
#define LIE_STRIDE  9

typedef struct Saved {
    PrimeGPUPair pair;
    char *path;
    uint64_t exporter;          /* of the integrated GPU */
    uint64_t importer;          /* of the discrete one, queued job on it */
    uint64_t peer_exporter;     /* in VRAM */
    uint64_t peer_importer;     /* integrated, through the BAR */
    uint64_t foreign;
    uint64_t addr;
    uint64_t entry;             /* of the queued job */
    uint64_t history_next;
} Saved;

static void make_bos(Saved *s)
{
    QPrimeGPU *integrated = &s->pair.integrated;
    QPrimeGPU *discrete = &s->pair.discrete;
    struct primegpu_job_op op;

    qprimegpu_writel(integrated, PRIMEGPU_REG_MARKER, STEP);
    s->exporter = qprimegpu_new_bo_pages(integrated, SIZE, &s->addr);
    qprimegpu_open(integrated, s->exporter, QPRIMEGPU_CLIENT);
    qprimegpu_open(integrated, s->exporter, QPRIMEGPU_CLIENT);
    s->importer = qprimegpu_new_import(discrete, SIZE, s->exporter);
    qprimegpu_attach(discrete, s->importer, s->addr, SIZE);
    s->peer_exporter = qprimegpu_new_bo(discrete, SIZE);
    qprimegpu_place(discrete, s->peer_exporter, PRIMEGPU_LOCATION_VRAM,
                    VRAM_OFFSET);
    s->peer_importer = qprimegpu_new_import(integrated, SIZE,
                                            s->peer_exporter);
    qprimegpu_assert_status(
        qprimegpu_attach(integrated, s->peer_importer,
                         discrete->vram.addr + VRAM_OFFSET, SIZE),
        PRIMEGPU_ST_OK);
    s->foreign = qprimegpu_new_import(integrated, SIZE, 0);
    /* One violation for the history */
    qprimegpu_destroy(integrated, s->exporter);
    qprimegpu_memset(integrated, s->addr, 0x10, SIZE);
    qprimegpu_set_gate(s->pair.qts, "discrete0", true);
    qprimegpu_inject(s->pair.qts, "discrete0", "create", 1, 1);
    op = qprimegpu_op_fill(s->importer, PAGE, PAGE, 0x20);
    s->entry = qprimegpu_submit(discrete, &op, 1);
}

static void save(Saved *s)
{
    primegpu_pair_start(&s->pair);
    make_bos(s);
    s->history_next = qprimegpu_history_next(s->pair.qts);
    s->path = primegpu_saved_new(&s->pair);
}

static void saved_free(Saved *s)
{
    primegpu_saved_free(s->path);
    primegpu_pair_quit(&s->pair);
}

static void restore(Saved *s)
{
    primegpu_saved_restore(&s->pair, s->path);
}

static void check_bo(Saved *s)
{
    QDict *bo = qprimegpu_query_bo(s->pair.qts, s->exporter);
    QDict *client;

    g_assert_nonnull(bo);
    g_assert_cmpint(qdict_get_int(bo, "attached"), ==, SIZE);
    g_assert_cmpint(qdict_get_int(bo, "created-step"), ==, STEP);
    client = qobject_to(QDict, qlist_peek(qdict_get_qlist(bo, "clients")));
    g_assert_cmpint(qdict_get_int(client, "client"), ==, QPRIMEGPU_CLIENT);
    g_assert_cmpint(qdict_get_int(client, "handles"), ==, 2);
    qobject_unref(bo);
    bo = qprimegpu_query_bo(s->pair.qts, s->importer);
    g_assert_cmpint(qdict_get_int(bo, "exporter"), ==, s->exporter);
    g_assert_cmpint(qdict_get_int(bo, "jobs"), ==, 1);
    qobject_unref(bo);
    bo = qprimegpu_query_bo(s->pair.qts, s->peer_exporter);
    g_assert_cmpstr(qdict_get_str(bo, "location"), ==, "vram");
    g_assert_cmpint(qdict_get_int(bo, "vram-offset"), ==, VRAM_OFFSET);
    qobject_unref(bo);
    bo = qprimegpu_query_bo(s->pair.qts, s->foreign);
    g_assert_true(qdict_get_bool(bo, "foreign"));
    qobject_unref(bo);
}

static void test_state(void)
{
    Saved s = { };

    save(&s);
    restore(&s);
    g_assert_cmpuint(qprimegpu_bo_count(s.pair.qts), ==, 5);
    check_bo(&s);
    g_assert_cmphex(qprimegpu_readl(&s.pair.discrete, PRIMEGPU_REG_MARKER),
                    ==, STEP);
    g_assert_cmphex(qprimegpu_readl(&s.pair.discrete, PRIMEGPU_REG_CONTROL),
                    ==, PRIMEGPU_CONTROL_ENABLE);
    g_assert_cmphex(qprimegpu_key_next(&s.pair.integrated), ==,
                    s.foreign + 1);

    /* Restoring added nothing to the history, and lost nothing of it. */
    g_assert_cmpuint(qprimegpu_history_next(s.pair.qts), ==, s.history_next);
    g_assert_cmpuint(qprimegpu_violations(s.pair.qts), ==, 1);
    qprimegpu_assert_violation(s.pair.qts, "destroy-open", s.exporter, 0);
    saved_free(&s);
}

static void test_sharing(void)
{
    Saved s = { };
    uint64_t other;

    save(&s);
    restore(&s);
    g_assert_cmpint(qprimegpu_shared(s.pair.qts, s.exporter, s.importer), ==,
                    SIZE);
    g_assert_cmpint(qprimegpu_shared(s.pair.qts, s.peer_exporter,
                                     s.peer_importer), ==, SIZE);
    /* The ledger watches the bytes as before. */
    other = qprimegpu_new_bo(&s.pair.integrated, PAGE);
    qprimegpu_attach(&s.pair.integrated, other, s.addr, PAGE);
    g_assert_cmpuint(qprimegpu_violations_of(s.pair.qts, "overlap"), >=, 1);
    qprimegpu_place(&s.pair.discrete, s.peer_exporter,
                    PRIMEGPU_LOCATION_PAGES, 0);
    qprimegpu_assert_violation(s.pair.qts, "exporter-detached",
                               s.peer_exporter, s.peer_importer);
    saved_free(&s);
}

static void test_queued_job(void)
{
    Saved s = { };

    save(&s);
    restore(&s);
    g_assert_cmphex(qprimegpu_readl(&s.pair.discrete, PRIMEGPU_REG_STATUS),
                    ==, PRIMEGPU_STATUS_ENGINE_BUSY);
    qprimegpu_assert_status(qprimegpu_entry_status(&s.pair.discrete, s.entry),
                            PRIMEGPU_ST_NONE);
    g_assert(qprimegpu_is_filled(&s.pair.discrete, s.addr, 0x10, SIZE));
    qprimegpu_assert_status(qprimegpu_detach(&s.pair.discrete, s.importer),
                            PRIMEGPU_ST_BUSY);
    qprimegpu_set_gate(s.pair.qts, "discrete0", false);
    qprimegpu_assert_status(qprimegpu_wait(&s.pair.discrete, s.entry),
                            PRIMEGPU_ST_OK);
    g_assert(qprimegpu_is_filled(&s.pair.discrete, s.addr, 0x10, PAGE));
    g_assert(qprimegpu_is_filled(&s.pair.discrete, s.addr + PAGE, 0x20,
                                 PAGE));
    g_assert_cmpuint(qprimegpu_written_back(&s.pair.discrete), ==,
                     s.pair.discrete.engine.seqno);

    /* And everything can be let go of. */
    qprimegpu_free_bo(&s.pair.discrete, s.importer);
    qprimegpu_close(&s.pair.integrated, s.exporter, QPRIMEGPU_CLIENT);
    qprimegpu_close(&s.pair.integrated, s.exporter, QPRIMEGPU_CLIENT);
    qprimegpu_free_bo(&s.pair.integrated, s.exporter);
    g_assert_cmpuint(qprimegpu_bo_count(s.pair.qts), ==, 3);
    saved_free(&s);
}

/* Jobs that were queued before are compared with those that come after. */
static void test_race(void)
{
    Saved s = { };

    save(&s);
    restore(&s);
    qprimegpu_run(&s.pair.integrated, qprimegpu_op_fill(s.exporter, 0, PAGE,
                                                        1));
    g_assert_cmpuint(qprimegpu_violations_of(s.pair.qts, "race"), ==, 0);
    qprimegpu_run(&s.pair.integrated, qprimegpu_op_fill(s.exporter, PAGE, 1,
                                                        1));
    qprimegpu_assert_violation(s.pair.qts, "race", s.exporter, s.importer);
    saved_free(&s);
}

static void test_faults(void)
{
    Saved s = { };
    uint64_t key;

    save(&s);
    restore(&s);
    key = qprimegpu_key_next(&s.pair.discrete);
    g_assert_cmpuint(qprimegpu_faults_fired(s.pair.qts), ==, 0);
    qprimegpu_assert_status(
        qprimegpu_create(&s.pair.discrete, key, SIZE, 0, 0),
        PRIMEGPU_ST_NO_MEMORY);
    g_assert_cmpuint(qprimegpu_faults_fired(s.pair.qts), ==, 1);
    qprimegpu_assert_status(
        qprimegpu_create(&s.pair.discrete, key, SIZE, 0, 0), PRIMEGPU_ST_OK);
    saved_free(&s);
}

static void check_lies(const char *name)
{
    Saved s = { };
    size_t start;

    save(&s);
    start = primegpu_saved_find(s.path, name, strlen(name)) + strlen(name);
    g_assert_cmpuint(primegpu_saved_lie(s.path, start, start + LIES,
                                        LIE_STRIDE), >, 0);
    saved_free(&s);
}

static void test_ledger_lies(void)
{
    check_lies("primegpu-ledger");
}

static void test_integrated_lies(void)
{
    check_lies("0000:00:04.0/primegpu");
}

static void test_discrete_lies(void)
{
    check_lies("0000:00:05.0/primegpu");
}

static void test_truncated(void)
{
    static const char name[] = "primegpu-ledger";
    Saved s = { };

    save(&s);
    g_assert_true(primegpu_saved_cut(
        s.path, primegpu_saved_find(s.path, name, strlen(name)) + PAGE / 64));
    saved_free(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("primegpu/migrate/state", test_state);
    qtest_add_func("primegpu/migrate/sharing", test_sharing);
    qtest_add_func("primegpu/migrate/queued-job", test_queued_job);
    qtest_add_func("primegpu/migrate/race", test_race);
    qtest_add_func("primegpu/migrate/faults", test_faults);
    qtest_add_func("primegpu/migrate/truncated", test_truncated);
    qtest_add_func("primegpu/migrate/ledger-lies", test_ledger_lies);
    qtest_add_func("primegpu/migrate/integrated-lies", test_integrated_lies);
    qtest_add_func("primegpu/migrate/discrete-lies", test_discrete_lies);
    return g_test_run();
}
