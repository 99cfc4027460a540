/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: a GPU that goes away while its buffers are exported, imported,
 * mapped and in jobs; everything is closed, before or after it is back.
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "primegpu-ends.h"

typedef struct PGUnplugCase {
    const PGEndsPair *pair;
    bool importer;              /* is what goes */
    bool unbind;                /* the driver, not the device */
} PGUnplugCase;

/* Jobs that are there when it goes */
typedef enum PGUnplugJobs {
    PG_JOBS_NONE,
    PG_JOBS_VICTIM,             /* its own, which its gate holds */
    PG_JOBS_OTHER,              /* the other GPU's, which its gate holds */
    PG_JOBS_QUEUED,             /* its own, and the other's waits for that */
    PG_JOBS_COUNT,
} PGUnplugJobs;

typedef struct PGUnplug {
    PGGuest *g;
    const PGUnplugCase *c;
    PGUnplugJobs jobs;
    bool back_first;            /* it is back before all is closed */
    const char *victim, *other; /* GPUs */
    const char *victim_bo, *other_bo;
    uint64_t victim_key, other_key;
    uint64_t victim_offset;     /* where its file maps its BO */
} PGUnplug;

static void pg_unplug_share(PGUnplug *u)
{
    const PGEndsPair *pair = u->c->pair;
    PGGuest *g = u->g;
    uint64_t e, i, e_offset, i_offset;

    pg_restart_script(g);
    pg_open(g, "fe", pair->exporter);
    pg_open(g, "fi", pair->importer);
    e = pg_create(g, "fe", "e", PG_ENDS_SIZE);
    pg_do(g, "fill e 0 %u 0x11111111 wait", PG_ENDS_SIZE);
    pg_export(g, "e", "d");
    i = pg_import(g, "fi", "d", "i");
    pg_do(g, "fill i 0 4096 0x22222222 wait");
    e_offset = pg_u64(g, pg_do(g, "mmap e me"), "offset");
    i_offset = pg_u64(g, pg_do(g, "mmap i mi"), "offset");
    pg_do(g, "mmap-fd d md %u", PG_ENDS_SIZE);
    pg_do(g, "write md 8192 4096 1");
    pg_do(g, "checksum me");

    u->victim = u->c->importer ? pair->importer : pair->exporter;
    u->other = u->c->importer ? pair->exporter : pair->importer;
    u->victim_bo = u->c->importer ? "i" : "e";
    u->other_bo = u->c->importer ? "e" : "i";
    u->victim_key = u->c->importer ? i : e;
    u->other_key = u->c->importer ? e : i;
    u->victim_offset = u->c->importer ? i_offset : e_offset;
    pg_forget(g);
}

static void pg_unplug_job(PGUnplug *u, const char *bo, uint64_t key,
                          const char *out, bool fetched)
{
    pg_do(u->g, "fill %s 0 4096 0x33333333 out=%s", bo, out);
    if (fetched) {
        pg_await_events(u->g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT, key, 1);
    }
}

static void pg_unplug_start_jobs(PGUnplug *u)
{
    switch (u->jobs) {
    case PG_JOBS_VICTIM:
    case PG_JOBS_QUEUED:
        pg_gate(u->g, pg_ends_id(u->victim), true);
        pg_unplug_job(u, u->victim_bo, u->victim_key, "x", true);
        if (u->jobs == PG_JOBS_QUEUED) {
            pg_unplug_job(u, u->other_bo, u->other_key, "y", false);
        }
        break;
    case PG_JOBS_OTHER:
        pg_gate(u->g, pg_ends_id(u->other), true);
        pg_unplug_job(u, u->other_bo, u->other_key, "y", true);
        break;
    default:
        break;
    }
}

static void pg_unplug_await(PGUnplug *u)
{
    int64_t until = g_get_monotonic_time() + PG_SOON_MS * INT64_C(1000);
    const char *id = pg_ends_id(u->victim);

    for (;;) {
        g_auto(GStrv) ids = pg_devices(u->g);

        if (!g_strv_contains((const char *const *)ids, id)) {
            return;
        }
        if (g_get_monotonic_time() > until) {
            pg_fail(u->g, "%s was not unplugged within %u ms", id, PG_SOON_MS);
        }
        g_usleep(2000);
    }
}

/* A job that holds the bytes may hold the removal, too, until it is done. */
static void pg_unplug_remove(PGUnplug *u)
{
    PGGuest *g = u->g;
    unsigned tag = 0;

    if (u->c->unbind) {
        tag = pg_send(g, "p0 unbind %s", u->victim);
    } else {
        qtest_qmp_assert_success(pg_qts(g), "{ 'execute': 'device_del',"
                                 "  'arguments': { 'id': %s } }",
                                 pg_ends_id(u->victim));
    }
    if (u->jobs == PG_JOBS_OTHER) {
        /* It meets a device that is about to go. */
        pg_do(g, "settle");
        pg_assert_alive(g, u->other_key);
        pg_gate(g, pg_ends_id(u->other), false);
    }
    if (u->c->unbind) {
        pg_expect_ok(g, tag);
    } else {
        pg_unplug_await(u);
    }
}

static void pg_unplug_check_fence(PGUnplug *u, const char *fd, bool cancelled)
{
    int64_t status = pg_u64(u->g, pg_do(u->g, "fence-wait %s %u", fd,
                                        PG_SOON_MS), "status");

    if (cancelled && status >= 0) {
        pg_fail(u->g, "the job of a GPU that went away has status %" PRId64,
                status);
    }
}

/* Its files are good for nothing but to be closed. */
static void pg_unplug_check_gone(PGUnplug *u)
{
    static const char *const tries[] = {
        "import fo d again", "fill i 0 4096 1 wait", "fill e 0 4096 1 wait",
        "export e again", "export i again2", "poll d out 0",
        "sync-start d rw", "sync-end d rw", "bo-wait e write 0",
        "checksum me", "checksum mi", "checksum md", "write md 0 4096 9",
    };
    const char *file = u->c->importer ? "fi" : "fe";
    PGGuest *g = u->g;

    pg_err(g, "ENODEV", "create %s late %u", file, PG_ENDS_SIZE);
    pg_err(g, "ENODEV", "fill %s 0 4096 1 wait", u->victim_bo);
    pg_err(g, "ENODEV", "export %s late", u->victim_bo);
    pg_do(g, "file-fd %s late", file);
    pg_err(g, "ENODEV", "mmap-fd late ml %u at=%" PRIu64, PG_ENDS_SIZE,
           u->victim_offset);
    pg_do(g, "close-fd late");
    pg_open(g, "fo", u->other);
    for (unsigned i = 0; i < ARRAY_SIZE(tries); i++) {
        /* Done or refused, as the driver likes */
        pg_call(g, "%s", tries[i]);
    }
}

static void pg_unplug_let_go(PGUnplug *u)
{
    static const char *const lines[] = {
        "close-fd x", "close-fd d", "munmap me", "close-file fe",
        "close-fd again", "munmap mi", "close-file fo", "close-fd again2",
        "close-file fi", "close-fd y", "munmap md", NULL,
    };

    pg_ends_drop(u->g, lines);
}

static void pg_unplug_back(PGUnplug *u)
{
    bool discrete = g_str_equal(u->victim, "discrete");
    int64_t until = g_get_monotonic_time() + PG_SOON_MS * INT64_C(1000);
    PGGuest *g = u->g;

    if (u->c->unbind) {
        pg_do(g, "bind %s", u->victim);
        pg_gate(g, pg_ends_id(u->victim), false);
        return;
    }
    qtest_qmp_assert_success(pg_qts(g), "{ 'execute': 'device_add',"
                             "  'arguments': { 'driver': %s, 'id': %s,"
                             "                 'bus': %s } }",
                             discrete ? "primegpu-discrete"
                                      : "primegpu-integrated",
                             pg_ends_id(u->victim),
                             discrete ? "primegpu-down1" : "primegpu-down0");
    while (!pg_call(g, "open probe %s", u->victim)->ok) {
        if (g_get_monotonic_time() > until) {
            pg_fail(g, "%s did not come back within %u ms", u->victim,
                    PG_SOON_MS);
        }
        g_usleep(5000);
    }
    pg_close_file(g, "probe");
}

static void pg_unplug_round(PGUnplug *u)
{
    PGGuest *g = u->g;

    pg_unplug_share(u);
    pg_unplug_start_jobs(u);
    pg_unplug_remove(u);
    if (u->jobs == PG_JOBS_VICTIM || u->jobs == PG_JOBS_QUEUED) {
        pg_unplug_check_fence(u, "x", true);
    }
    if (u->jobs == PG_JOBS_OTHER || u->jobs == PG_JOBS_QUEUED) {
        pg_unplug_check_fence(u, "y", false);
    }
    pg_settle(g);
    pg_assert_table(g, u->other_key, UINT64_C(0));
    pg_unplug_check_gone(u);
    if (u->back_first) {
        pg_unplug_back(u);
    }
    pg_unplug_let_go(u);
    pg_assert_nothing_left(g, "all was closed");
    if (!u->back_first) {
        pg_unplug_back(u);
    }
    pg_ends_works(g, u->c->pair);
}

/* All that DRM says of a device names it, so that must be there. */
#define PG_SAY_ALL "set /sys/module/drm/parameters/debug 0x3ff"

static void pg_test_unplug(const void *data)
{
    const PGUnplugCase *c = data;
    PGGuest *g = pg_start(NULL);

    pg_set_job_timeout(g, 0);
    pg_do(g, PG_SAY_ALL);
    for (unsigned jobs = 0; jobs < PG_JOBS_COUNT; jobs++) {
        for (unsigned back_first = 0; back_first < 2; back_first++) {
            PGUnplug u = {
                .g = g, .c = c, .jobs = jobs, .back_first = back_first,
            };

            pg_unplug_round(&u);
        }
    }
    pg_finish(g);
}

void pg_ends_add_unplug(void)
{
    for (unsigned i = 0; i < 8; i++) {
        PGUnplugCase *c = g_new(PGUnplugCase, 1);
        g_autofree char *path = NULL;

        *c = (PGUnplugCase) {
            .pair = &pg_ends_pairs[i / 4],
            .importer = i & 1,
            .unbind = i & 2,
        };
        path = g_strdup_printf("ends/%s/%s/%s",
                               c->unbind ? "unbind" : "unplug", c->pair->name,
                               c->importer ? "importer" : "exporter");
        pg_add_case(path, pg_test_unplug, c);
    }
}
