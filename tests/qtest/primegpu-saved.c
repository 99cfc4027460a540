/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pair of primegpus that is saved to a file and goes on in another QEMU, and
 * files that lie.
 */
#include "qemu/osdep.h"
#include "libqtest.h"
#include "primegpu-saved.h"

/* Limit on waiting for a migration: polls, and the time between them */
#define POLLS       2000
#define POLL_US     5000

const char *primegpu_saved_wait(QTestState *qts)
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

char *primegpu_saved_new(PrimeGPUPair *pair)
{
    g_autofree char *uri = NULL;
    char *path;
    int fd = g_file_open_tmp("primegpu-migrate-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    uri = g_strdup_printf("file:%s", path);
    qtest_qmp_assert_success(pair->qts, "{ 'execute': 'migrate',"
                             " 'arguments': { 'uri': %s } }", uri);
    g_assert_cmpstr(primegpu_saved_wait(pair->qts), ==, "completed");
    return path;
}

void primegpu_saved_free(char *path)
{
    unlink(path);
    g_free(path);
}

/* A second QEMU like the first; returns how its loading ended. */
static const char *load(const char *path, const char *extra,
                        QTestState **qts)
{
    g_autofree char *all = g_strdup_printf("-incoming defer %s", extra);
    g_autofree char *options = primegpu_pair_options(all);
    g_autofree char *uri = g_strdup_printf("file:%s", path);

    *qts = qtest_init(options);
    qtest_qmp_assert_success(*qts, "{ 'execute': 'migrate-incoming',"
                             " 'arguments': { 'uri': %s,"
                             " 'exit-on-error': false } }", uri);
    return primegpu_saved_wait(*qts);
}

void primegpu_saved_restore(PrimeGPUPair *pair, const char *path)
{
    QTestState *source = pair->qts;
    QTestState *target;

    g_assert_cmpstr(load(path, pair->extra, &target), ==, "completed");
    /* The source has stopped; its guest goes on in the target. */
    qtest_quit(source);
    primegpu_pair_moved_to(pair, target);
}

static void read_file(const char *path, char **stream, size_t *length)
{
    g_assert_true(g_file_get_contents(path, stream, length, NULL));
}

size_t primegpu_saved_find(const char *path, const void *bytes, size_t length)
{
    g_autofree char *stream = NULL;
    size_t total;
    const char *found;

    read_file(path, &stream, &total);
    found = memmem(stream, total, bytes, length);
    g_assert_nonnull(found);
    return found - stream;
}

static bool load_bytes(const char *path, const char *stream, size_t length)
{
    g_autofree char *lie = g_strdup_printf("%s.lie", path);
    const char *end;
    QTestState *qts;

    g_assert_true(g_file_set_contents(lie, stream, length, NULL));
    end = load(lie, "", &qts);
    g_assert_nonnull(end);
    /* It answers, and what it has can be asked for and taken down. */
    qprimegpu_bo_count(qts);
    qprimegpu_violations(qts);
    qtest_qmp_assert_success(qts, "{ 'execute': 'query-primegpu' }");
    qtest_quit(qts);
    unlink(lie);
    return g_str_equal(end, "failed");
}

unsigned int primegpu_saved_lie(const char *path, size_t start, size_t end,
                                size_t stride)
{
    g_autofree char *stream = NULL;
    unsigned int refused = 0;
    size_t length, i;

    read_file(path, &stream, &length);
    g_assert_cmpuint(end, <=, length);
    for (i = start; i < end; i += stride) {
        stream[i] ^= 0xff;
        refused += load_bytes(path, stream, length);
        stream[i] ^= 0xff;
    }
    g_test_message("%u refused", refused);
    return refused;
}

bool primegpu_saved_cut(const char *path, size_t length)
{
    g_autofree char *stream = NULL;
    size_t total;

    read_file(path, &stream, &total);
    g_assert_cmpuint(length, <, total);
    return load_bytes(path, stream, length);
}
