/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu saved state: save and restore with live shared BOs and queued jobs,
 * and streams that lie.
 */
#include "qemu/osdep.h"
#include "libqtest.h"
#include "primegpu-pair.h"

#define PAGE        PRIMEGPU_PAGE_SIZE
#define SIZE        (4 * PAGE)
#define STEP        42

/* Where the exporter lies in VRAM */
#define VRAM_OFFSET (8 * PAGE)

/* Limit on waiting for a migration: polls, and the time between them */
#define POLLS       2000
#define POLL_US     5000

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

/* "completed" or "failed", or NULL when it takes too long */
static const char *wait_for_migration(QTestState *qts)
{
    static const char *const ends[] = { "completed", "failed" };
    unsigned int i, e;

    for (i = 0; i < POLLS; i++) {
        QDict *answer = qtest_qmp_assert_success_ref(
            qts, "{ 'execute': 'query-migrate' }");
        const char *status = qdict_get_try_str(answer, "status");
        const char *end = NULL;

        for (e = 0; status && e < ARRAY_SIZE(ends); e++) {
            if (g_str_equal(status, ends[e])) {
                end = ends[e];
            }
        }
        qobject_unref(answer);
        if (end) {
            return end;
        }
        g_usleep(POLL_US);
    }
    return NULL;
}

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
    int fd = g_file_open_tmp("primegpu-migrate-XXXXXX", &s->path, NULL);
    g_autofree char *uri = NULL;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    primegpu_pair_start(&s->pair);
    make_bos(s);
    s->history_next = qprimegpu_history_next(s->pair.qts);
    uri = g_strdup_printf("file:%s", s->path);
    qtest_qmp_assert_success(s->pair.qts, "{ 'execute': 'migrate',"
                             " 'arguments': { 'uri': %s } }", uri);
    g_assert_cmpstr(wait_for_migration(s->pair.qts), ==, "completed");
}

/* A second QEMU like the first; returns how its loading ended. */
static const char *load(Saved *s, QTestState **qts, const char *path)
{
    g_autofree char *options = primegpu_pair_options("-incoming defer");
    g_autofree char *uri = g_strdup_printf("file:%s", path);

    *qts = qtest_init(options);
    qtest_qmp_assert_success(*qts, "{ 'execute': 'migrate-incoming',"
                             " 'arguments': { 'uri': %s,"
                             " 'exit-on-error': false } }", uri);
    return wait_for_migration(*qts);
}

static void saved_free(Saved *s)
{
    unlink(s->path);
    g_free(s->path);
    primegpu_pair_quit(&s->pair);
}

static void restore(Saved *s)
{
    QTestState *source = s->pair.qts;
    QTestState *target;

    g_assert_cmpstr(load(s, &target, s->path), ==, "completed");
    /* The source has stopped; its guest goes on in the target. */
    qtest_quit(source);
    primegpu_pair_moved_to(&s->pair, target);
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

/* The place behind the first @name in the stream */
static size_t find_section(const char *stream, size_t length,
                           const char *name)
{
    const char *found = memmem(stream, length, name, strlen(name));

    g_assert_nonnull(found);
    return found - stream + strlen(name);
}

/* Load the stream with one byte changed; QEMU must say so or live with it. */
static bool load_lie(Saved *s, char *stream, size_t length, size_t place)
{
    g_autofree char *path = g_strdup_printf("%s.lie", s->path);
    const char *end;
    QTestState *qts;

    stream[place] ^= 0xff;
    g_assert_true(g_file_set_contents(path, stream, length, NULL));
    stream[place] ^= 0xff;
    end = load(s, &qts, path);
    g_assert_nonnull(end);
    /* It answers, and what it has can be asked for and taken down. */
    qprimegpu_bo_count(qts);
    qprimegpu_violations(qts);
    qtest_quit(qts);
    unlink(path);
    return g_str_equal(end, "failed");
}

static void check_lies(const char *name)
{
    Saved s = { };
    g_autofree char *stream = NULL;
    size_t length, start, i;
    unsigned int refused = 0;

    save(&s);
    g_assert_true(g_file_get_contents(s.path, &stream, &length, NULL));
    start = find_section(stream, length, name);
    for (i = 0; i < LIES; i += LIE_STRIDE) {
        refused += load_lie(&s, stream, length, start + i);
    }
    g_test_message("%u refused", refused);
    g_assert_cmpuint(refused, >, 0);
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
    Saved s = { };
    g_autofree char *stream = NULL;
    g_autofree char *path = NULL;
    QTestState *qts;
    size_t length;

    save(&s);
    path = g_strdup_printf("%s.lie", s.path);
    g_assert_true(g_file_get_contents(s.path, &stream, &length, NULL));
    length = find_section(stream, length, "primegpu-ledger") + PAGE / 64;
    g_assert_true(g_file_set_contents(path, stream, length, NULL));
    g_assert_cmpstr(load(&s, &qts, path), ==, "failed");
    qtest_quit(qts);
    unlink(path);
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
