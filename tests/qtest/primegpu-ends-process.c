/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: processes that end at any point, while they are blocked, or with
 * a fork that goes on; fds that cannot be made, and fds on their way through a
 * socket that is closed.
 */
#include "qemu/osdep.h"
#include "primegpu-ends.h"

#define PG_SIZE "65536"

/* What a process does; it may end after each line. */
static const char *const pg_life[] = {
    "open fe %s", "open fi %s",
    "create fe e " PG_SIZE, "mmap e me", "write me 0 4096 1",
    "fill e 0 4096 7", "export e d", "import fi d i", "fill i 0 8192 8",
    "mmap i mi", "mmap-fd d md " PG_SIZE, "checksum mi", "write md 0 64 2",
    "export i d2", "import fe d2 e2", "dup d d3",
    "socketpair out in", "flight d in", "close-fd d", "flight d2 in",
    "export-sync d3 rw s", "syncobj fe k", "fill e 0 4096 1 outsync=k out=t",
    "syncobj-export k u", "import-sync d3 write t", "close e", "close-fd d3",
    "sync-start d2 rw", "land out d4", "munmap md", "close i",
};

#define PG_LIFE_EXPORTER 2      /* lines after which there is a BO */

static const char *const pg_deaths[] = { "kill p2", "p2 exit", "p2 exec" };

static uint64_t pg_live(PGGuest *g, const PGEndsPair *pair, unsigned lines)
{
    uint64_t key = 0;

    pg_restart_script(g);
    pg_do(g, "spawn p2");
    pg_do(g, "p2 open fe %s", pair->exporter);
    pg_do(g, "p2 open fi %s", pair->importer);
    for (unsigned i = 2; i < lines; i++) {
        const PGReply *r = pg_do(g, "p2 %s", pg_life[i]);

        if (i == PG_LIFE_EXPORTER) {
            key = pg_u64(g, r, "key");
        }
    }
    return key;
}

/* Each process alone, then with a forked one that goes last */
static void pg_test_death(const void *data)
{
    const PGEndsPair *pair = data;
    PGGuest *g = pg_start(NULL);

    for (unsigned lines = 2; lines <= ARRAY_SIZE(pg_life); lines++) {
        for (unsigned i = 0; i < ARRAY_SIZE(pg_deaths); i++) {
            bool forked = (lines + i) & 1;
            uint64_t key = pg_live(g, pair, lines);

            if (forked) {
                pg_do(g, "p2 fork p3");
            }
            pg_do(g, "%s", pg_deaths[i]);
            if (forked) {
                pg_settle(g);
                if (key) {
                    pg_assert_alive(g, key);
                }
                pg_do(g, "kill p3");
            }
            pg_do(g, "settle %u", PG_SOON_MS);
            pg_assert_nothing_left(g, pg_step_line(g, pg_step(g) - 1));
        }
    }
    pg_finish(g);
}

/* Calls in which a process waits, while the exporter's gate is closed */
static const char *const pg_waits[] = {
    "poll d out 60000", "poll d in 60000", "sync-start d rw",
    "fence-wait x 60000", "bo-wait e write 60000", "bo-wait i read 60000",
    "copy oe 0 e 0 4096 wait", "fill i 0 4096 9 wait",
    "syncobj-wait k 60000", "syncobj-wait k:3 60000", "poll s in 60000",
};

static void pg_test_blocked(const void *data)
{
    const PGEndsPair *pair = data;
    const char *id = pg_ends_id(pair->exporter);
    PGGuest *g = pg_start(NULL);

    pg_set_job_timeout(g, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_waits); i++) {
        uint64_t key = pg_live(g, pair, 8);
        unsigned tag;

        pg_do(g, "p2 create fe oe 4096");
        pg_do(g, "p2 syncobj fe k");
        pg_do(g, "p2 bo-wait e write %u", PG_SOON_MS);
        pg_forget(g);
        pg_gate(g, id, true);
        pg_do(g, "p2 fill e 0 4096 1 out=x");
        pg_do(g, "p2 export-sync d rw s");
        pg_await_events(g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT, key, 1);
        tag = pg_send(g, "p2 %s", pg_waits[i]);
        pg_settle(g);
        if (pg_wait(g, tag, 5)) {
            pg_fail(g, "did not wait for the job: %s", pg_waits[i]);
        }
        pg_do(g, "kill p2");
        pg_recv(g, tag);
        pg_settle(g);
        pg_assert_alive(g, key);
        pg_gate(g, id, false);
        pg_await_events(g, PRIME_GPU_LEDGER_EVENT_KIND_COMPLETE, key, 1);
        pg_do(g, "settle %u", PG_SOON_MS);
        pg_assert_nothing_left(g, "the job was done");
    }
    pg_finish(g);
}

/* Calls that make an fd, or two, and what closes them again */
static const struct {
    const char *line;
    const char *let_go;
    unsigned fds;
} pg_makers[] = {
    { "export e d9", "close-fd d9", 1 },
    { "export e d9 ro", "close-fd d9", 1 },
    { "export i d9", "close-fd d9", 1 },
    { "export fresh d9", "close-fd d9", 1 },
    { "export-sync d rw s9", "close-fd s9", 1 },
    { "syncobj-export k s9", "close-fd s9", 1 },
    { "syncobj-export k s9 sync-file", "close-fd s9", 1 },
    { "fill e 0 4096 1 out=s9", "close-fd s9", 1 },
    { "merge-sync s s s9", "close-fd s9", 1 },
    { "dup d d9", "close-fd d9", 1 },
    { "sw-fence w 1 s9", "close-fd s9", 1 },
    /* These open a device first, and make memory that has an fd. */
    { "heap d9 4096", "close-fd d9", 2 },
    { "udmabuf d9 4096", "close-fd d9", 3 },
    { "socketpair a9 b9", "close-fd a9", 2 },
};

/* Calls that need no fd, so they work without */
static const char *const pg_needs_none[] = {
    "import fi d i9", "close i9", "import-sync d write s", "mmap-fd d m9 65536",
    "munmap m9", "mmap i m9", "munmap m9", "sync-start d rw", "sync-end d rw",
    "flight d in", "syncobj fe k9", "syncobj-destroy k9",
};

static void pg_limit_setup(PGGuest *g, const PGEndsPair *pair)
{
    pg_restart_script(g);
    pg_open(g, "fe", pair->exporter);
    pg_open(g, "fi", pair->importer);
    pg_create(g, "fe", "e", PG_ENDS_SIZE);
    pg_create(g, "fe", "fresh", PG_ENDS_SIZE);
    pg_export(g, "e", "d");
    pg_do(g, "syncobj fe k");
    pg_do(g, "fill e 0 4096 1 out=s outsync=k wait");
    pg_do(g, "socketpair out in");
    pg_do(g, "sw-sync w");
}

static void pg_test_limit(const void *data)
{
    static const char *const rest[] = {
        "close-fd b9", "close-fd d", "close-fd s", "close-fd in",
        "close-fd out", "close-fd w", NULL,
    };
    const PGEndsPair *pair = data;
    PGGuest *g = pg_start(NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(pg_makers); i++) {
        pg_limit_setup(g, pair);
        pg_import(g, "fi", "d", "i");
        for (unsigned fds = 0; fds < pg_makers[i].fds; fds++) {
            pg_do(g, "limit-fds %u", fds);
            pg_err(g, "EMFILE", "%s", pg_makers[i].line);
            pg_err(g, "EMFILE", "%s", pg_makers[i].line);
            pg_do(g, "limit-fds off");
        }
        if (i & 1) {
            /* What failed must not have kept it. */
            pg_do(g, "limit-fds %u", pg_makers[i].fds);
            pg_do(g, "%s", pg_makers[i].line);
            pg_do(g, "%s", pg_makers[i].let_go);
            pg_do(g, "limit-fds off");
        }
        pg_do(g, "close i");
        pg_do(g, "close e");
        pg_do(g, "close fresh");
        pg_ends_drop(g, rest);
        pg_do(g, "settle %u", PG_SOON_MS);
        pg_assert_nothing_left(g, pg_makers[i].line);
        pg_close_file(g, "fe");
        pg_close_file(g, "fi");
    }
    pg_limit_setup(g, pair);
    pg_do(g, "limit-fds 0");
    for (unsigned i = 0; i < ARRAY_SIZE(pg_needs_none); i++) {
        if (i == 5) {
            pg_do(g, "import fi d i");
        }
        pg_do(g, "%s", pg_needs_none[i]);
    }
    pg_do(g, "limit-fds off");
    pg_ends_drop(g, rest);
    pg_close_file(g, "fe");
    pg_close_file(g, "fi");
    pg_assert_nothing_left(g, "all was closed");
    pg_finish(g);
}

/* How an fd in flight is lost: lines, the last of which releases it */
static const char *const pg_flights[][6] = {
    { "p2 close-fd in", "p2 close-fd out" },
    { "p2 close-fd out" },
    { "p2 land out d", "p2 close-fd d" },
    { "kill p2" },
    { "p2 exit" },
    { "p2 exec" },
    /* The socket through another one */
    { "p2 socketpair out2 in2", "p2 flight out in2", "p2 close-fd out",
      "p2 close-fd in2", "p2 close-fd out2" },
    /* In its own queue: nothing but the kernel's collector gets at it. */
    { "p2 flight out in", "p2 close-fd in", "p2 close-fd out" },
    { "p2 socketpair out2 in2", "p2 flight out in2", "p2 flight out2 in",
      "p2 close-fd in", "p2 close-fd in2", "kill p2" },
};

/* The collector runs when a socket is closed: those of a worker are. */
static void pg_await_release(PGGuest *g, uint64_t key)
{
    int64_t until = g_get_monotonic_time() + PG_SOON_MS * INT64_C(1000);

    do {
        pg_settle(g);
        if (!pg_is_alive(g, key)) {
            return;
        }
        pg_do(g, "spawn p3");
        pg_do(g, "kill p3");
    } while (g_get_monotonic_time() < until);
    pg_fail(g, "not released: BO 0x%" PRIx64 ", due at: %s", key,
            pg_step_line(g, pg_step(g)));
}

static void pg_test_flight(const void *data)
{
    const PGEndsPair *pair = data;
    PGGuest *g = pg_start(NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(pg_flights); i++) {
        const char *const *lines = pg_flights[i];
        uint64_t key = pg_live(g, pair, 9);
        unsigned due;

        pg_do(g, "p2 socketpair out in");
        pg_do(g, "p2 flight d in");
        pg_do(g, "p2 close-fd d");
        pg_do(g, "p2 close i");
        pg_do(g, "p2 close e");
        pg_do(g, "p2 munmap me");
        for (; lines[0]; lines++) {
            pg_do(g, "settle %u", PG_SOON_MS);
            pg_assert_table(g, key, UINT64_C(0));
            pg_do(g, "%s", lines[0]);
        }
        due = pg_step(g);
        pg_await_release(g, key);
        pg_assert_nothing_left(g, pg_step_line(g, due));
        pg_call(g, "kill p2");
    }
    pg_finish(g);
}

void pg_ends_add_process(void)
{
    static const struct {
        const char *name;
        PGCaseFn fn;
    } tests[] = {
        { "process", pg_test_death },
        { "blocked", pg_test_blocked },
        { "fd-limit", pg_test_limit },
        { "flight", pg_test_flight },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(tests); i++) {
        for (unsigned p = 0; p < ARRAY_SIZE(pg_ends_pairs); p++) {
            g_autofree char *path =
                g_strdup_printf("ends/%s/%s", tests[i].name,
                                pg_ends_pairs[p].name);

            pg_add_case(path, tests[i].fn, &pg_ends_pairs[p]);
        }
    }
}
