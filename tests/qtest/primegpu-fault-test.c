/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: every fault that a device can be made to have, at every place of
 * a scenario.  A call that meets it fails with its error, or none fails; and
 * whatever was made before is let go of.
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "primegpu-ends.h"

/*
 * A job that is not done by then is taken for a hang; a lost interrupt is
 * found then, when on a busy host the job may still be on its way.
 */
#define PG_HANG_MS 300
#define PG_LOST_MS 1000

/* More places than the scenario has for one fault */
#define PG_PLACES 64

typedef struct PGFault {
    const char *name;
    const char *fault;          /* of primegpu-inject */
    const char *status;         /* NULL: the default */
    const char *errors;         /* that calls may end with; NULL: none may */
    bool fails_jobs;            /* a job may end with an error */
    unsigned ns;
    unsigned timeout_ms;        /* of jobs; 0: none */
} PGFault;

static const PGFault pg_faults[] = {
    { "create", "create", NULL, "ENOMEM" },
    { "create-limit", "create", "limit", "ENOSPC" },
    /* A page that cannot be had is a signal for who touches it. */
    { "attach", "attach", NULL, "EFAULT" },
    { "attach-no-memory", "attach", "no-memory", "ENOMEM EFAULT" },
    { "interrupt", "interrupt", NULL, NULL, false, 0, PG_LOST_MS },
    { "delay", "delay", NULL, NULL, false, 20 * 1000 * 1000 },
    { "job", "job", NULL, NULL, true },
    { "hang", "hang", NULL, NULL, true, 0, PG_HANG_MS },
};

typedef struct PGFaultCase {
    const PGFault *fault;
    const PGEndsPair *pair;
    bool importer;              /* is the device that has it */
} PGFaultCase;

/* Uses of everything that a BO can be made of */
static const char *const pg_scenario[] = {
    "create fe e 65536", "create fe oe 65536", "create fi oi 65536",
    "fill e 0 65536 1 wait", "mmap e me", "checksum me",
    "copy oe 0 e 0 65536 out=a", "fence-wait a 20000",
    "export e d", "import fi d i", "fill i 0 4096 2 out=b insync=k",
    "copy oi 0 i 0 65536 out=c", "fence-wait c 20000",
    "import fj d j", "fill j 0 4096 3 wait", "mmap i mi", "checksum mi",
    "fill e 0 4096 4", "fill i 0 8192 5", "fill j 0 4096 6", "fill e 0 64 7",
    "evict discrete", "fill i 0 4096 8 wait", "fill e 0 4096 9 out=x",
    "fence-wait x 20000", "place e pages", "fill j 0 4096 10 wait",
    "export e d2", "export i d3", "import fe d3 e2",
    "fill e2 0 4096 11", "close e",
    "create fe v 65536", "mmap v mv", "write mv 0 64 1", "export v dv",
    "import fi dv iv", "mmap-fd dv mdv 65536", "checksum mdv",
    "close v", "fill iv 0 65536 12 wait", "bo-wait iv write 20000",
};

static const char *const pg_scenario_end[] = {
    "close-fd dv", "close iv", "munmap mv", "munmap mdv", "close v",
    "close j", "close-fd d", "close e", "close-fd d2", "munmap me", "close i",
    "close-fd d3", "close e2", "munmap mi", "close oe", "close oi",
    "close-fd a", "close-fd b", "close-fd c", "close-fd x",
    "syncobj-destroy k", NULL,
};

static void pg_fault_arm(PGGuest *g, const char *device, const PGFault *fault,
                         unsigned at)
{
    QDict *args = qdict_new();

    qdict_put_str(args, "device", device);
    qdict_put_str(args, "fault", fault->fault);
    qdict_put_int(args, "at", at);
    if (fault->status) {
        qdict_put_str(args, "status", fault->status);
    }
    if (fault->ns) {
        qdict_put_int(args, "ns", fault->ns);
    }
    qtest_qmp_assert_success(pg_qts(g), "{ 'execute': 'primegpu-inject',"
                             "  'arguments': %p }", args);
}

static bool pg_fault_has_come(PGGuest *g)
{
    QDict *rsp = qtest_qmp(pg_qts(g), "{ 'execute': 'query-primegpu-faults' }");
    bool come = false;
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        come |= qdict_get_int(qobject_to(QDict, qlist_entry_obj(e)),
                              "fired") != 0;
    }
    qobject_unref(rsp);
    return come;
}

static bool pg_fault_allows(const PGFault *fault, const char *error)
{
    g_auto(GStrv) errors = g_strsplit(fault->errors ?: "", " ", -1);

    return g_strv_contains((const char *const *)errors, error);
}

/*
 * Once a call has failed, those that need what it should have made fail in
 * the agent.
 */
static unsigned pg_fault_scenario(PGGuest *g, const PGFaultCase *c)
{
    unsigned failed = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(pg_scenario); i++) {
        const PGReply *r = pg_call(g, "%s", pg_scenario[i]);

        if (!r->ok && !pg_fault_allows(c->fault, r->error) &&
            !(failed && g_str_equal(r->error, "ESRCH"))) {
            pg_fail(g, "fault %s made this fail with %s (%s): %s",
                    c->fault->name, r->error, r->text, pg_scenario[i]);
        }
        failed += !r->ok;
        if (r->ok && g_str_has_prefix(pg_scenario[i], "fence-wait") &&
            !c->fault->fails_jobs) {
            pg_assert_u64(g, "status of a job's fence",
                          pg_u64(g, r, "status"), 1);
        }
    }
    return failed;
}

/* Returns whether the scenario came to the fault. */
static bool pg_fault_round(PGGuest *g, const PGFaultCase *c, unsigned at)
{
    const char *gpu = c->importer ? c->pair->importer : c->pair->exporter;
    unsigned failed;
    bool come;

    pg_restart_script(g);
    pg_forget(g);
    pg_open(g, "fe", c->pair->exporter);
    pg_open(g, "fi", c->pair->importer);
    pg_open(g, "fj", c->pair->importer);
    pg_do(g, "syncobj fi k");
    pg_do(g, "syncobj-signal k");
    pg_fault_arm(g, pg_ends_id(gpu), c->fault, at);
    failed = pg_fault_scenario(g, c);
    come = pg_fault_has_come(g);
    if (come && !failed && c->fault->errors) {
        pg_fail(g, "fault %s came, and no call has failed", c->fault->name);
    }
    pg_ends_drop(g, pg_scenario_end);
    pg_do(g, "settle %u", PG_SOON_MS);
    pg_assert_nothing_left(g, "all handles were closed");
    pg_close_file(g, "fe");
    pg_close_file(g, "fi");
    pg_close_file(g, "fj");
    qtest_qmp_assert_success(pg_qts(g),
                             "{ 'execute': 'primegpu-inject-clear' }");
    if (!come || at % 3 == 1) {
        pg_ends_works(g, c->pair);
    }
    return come;
}

/* At each place in turn; returns how many there are. */
static unsigned pg_fault_places(PGGuest *g, const PGFaultCase *c)
{
    unsigned at = 1;

    while (pg_fault_round(g, c, at)) {
        if (++at == PG_PLACES) {
            pg_fail(g, "the scenario has no end");
        }
    }
    if (at == 1) {
        pg_fail(g, "the fault did not come at all");
    }
    return at - 1;
}

static void pg_test_fault(const void *data)
{
    const PGFaultCase *c = data;
    PGGuest *g = pg_start(NULL);
    unsigned places;

    /* How a hang, and a lost interrupt, come to their end */
    pg_set_job_timeout(g, c->fault->timeout_ms);
    places = pg_fault_places(g, c);
    if (c->fault->errors && !c->fault->status) {
        /* By the helpers for static sharing, too */
        pg_set_param(g, "primegpu_discrete", "dynamic", 0);
        places += pg_fault_places(g, c);
    }
    g_test_message("fault %s came at %u places", c->fault->name, places);
    pg_finish(g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_faults); i++) {
        for (unsigned d = 0; d < 4; d++) {
            PGFaultCase *c = g_new(PGFaultCase, 1);
            g_autofree char *path = NULL;

            *c = (PGFaultCase) {
                .fault = &pg_faults[i],
                .pair = &pg_ends_pairs[d / 2],
                .importer = d % 2,
            };
            path = g_strdup_printf("fault/%s/%s/%s", c->fault->name,
                                   c->pair->name,
                                   c->importer ? "importer" : "exporter");
            pg_add_case(path, pg_test_fault, c);
        }
    }
    return g_test_run();
}
