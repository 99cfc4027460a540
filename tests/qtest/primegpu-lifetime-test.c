/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: a shared buffer in every legal order of letting go of what keeps
 * it.  Each order starts from an empty table and ends with one; at each step
 * the model says what must be alive.
 */
#include "qemu/osdep.h"
#include "primegpu-lifetime.h"

typedef struct PGDirection {
    const char *name;
    const char *exporter;       /* GPU */
    const char *importer;
    const char *gate;           /* device that runs the job */
    const char *variant;
} PGDirection;

static const PGDirection pg_directions[] = {
    { "integrated-exports", "integrated", "discrete", "discrete0" },
    { "discrete-exports", "discrete", "integrated", "integrated0" },
};

typedef struct PGOrderCase {
    const PGDirection *direction;
    PGKeeper first;
} PGOrderCase;

typedef struct PGOrderRun {
    PGGuest *g;
    const PGDirection *direction;
    unsigned count;
    GArray *tags;               /* of calls not yet received */
    uint64_t exporter, importer; /* keys */
} PGOrderRun;

static const char *const pg_let_go[PG_KEEP_COUNT] = {
    [PG_KEEP_EXPORTER_HANDLE] = "close e",
    [PG_KEEP_IMPORTER_HANDLE] = "close i",
    [PG_KEEP_FD] = "close-fd d",
    [PG_KEEP_MAP] = "munmap m",
    [PG_KEEP_JOB] = NULL,       /* the gate opens */
    [PG_KEEP_EXPORTER_FILE] = "close-file fe",
    [PG_KEEP_IMPORTER_FILE] = "close-file fi",
};

static void pg_order_send(PGOrderRun *run, const char *line)
{
    unsigned tag = pg_send(run->g, "%s", line);

    g_array_append_val(run->tags, tag);
}

static void pg_order_settle(PGOrderRun *run)
{
    unsigned tag = pg_settle_send(run->g);

    g_array_append_val(run->tags, tag);
}

static void pg_order_receive(PGOrderRun *run)
{
    for (unsigned i = 0; i < run->tags->len; i++) {
        pg_expect_ok(run->g, g_array_index(run->tags, unsigned, i));
    }
    g_array_set_size(run->tags, 0);
}

static void pg_order_setup(PGOrderRun *run, const PGOrder *order)
{
    PGGuest *g = run->g;
    const PGReply *r;
    unsigned create, import;

    pg_forget(g);
    pg_restart_script(g);
    pg_gate(g, run->direction->gate, true);
    create = pg_send(g, "open fe %s", run->direction->exporter);
    g_array_append_val(run->tags, create);
    create = pg_send(g, "open fi %s", run->direction->importer);
    g_array_append_val(run->tags, create);
    create = pg_send(g, "create fe e 65536");
    pg_order_send(run, "export e d");
    import = pg_send(g, "import fi d i");
    pg_order_send(run, order->map_by_file ? "mmap e m"
                                          : "mmap-fd d m 65536");
    pg_order_send(run, "write m 0 64 1");
    pg_order_send(run, "fill i 0 4096 0x5a5a5a5a");
    r = pg_expect_ok(g, create);
    run->exporter = pg_u64(g, r, "key");
    r = pg_expect_ok(g, import);
    run->importer = pg_u64(g, r, "key");
    pg_order_receive(run);
}

static void pg_order_check(PGOrderRun *run, const PGOrder *order,
                           const char *whose, uint64_t key, unsigned due)
{
    unsigned released = pg_release_step(run->g, key);
    g_autofree char *name = NULL;

    if (released == due) {
        return;
    }
    name = pg_order_name(order);
    if (!released) {
        pg_fail(run->g, "not released: the %s's BO, due at: %s; order %s",
                whose, pg_step_line(run->g, due), name);
    }
    pg_fail(run->g, "released too %s: the %s's BO, at: %s, due at: %s; "
            "order %s", released < due ? "early" : "late", whose,
            pg_step_line(run->g, released), pg_step_line(run->g, due), name);
}

/* The settle that follows a step where a release is due belongs to it. */
static void pg_order_play(const PGOrder *order, void *opaque)
{
    PGOrderRun *run = opaque;
    unsigned exporter_due = 0, importer_due = 0;

    pg_order_setup(run, order);
    for (unsigned i = 0; i < order->n; i++) {
        PGAlive before = pg_order_alive(order, i);
        PGAlive after = pg_order_alive(order, i + 1);

        if (order->steps[i] == PG_KEEP_JOB) {
            pg_gate(run->g, run->direction->gate, false);
        } else {
            pg_order_send(run, pg_let_go[order->steps[i]]);
        }
        if (before.importer && !after.importer) {
            importer_due = pg_step(run->g);
        }
        if (before.exporter && !after.exporter) {
            exporter_due = pg_step(run->g);
        }
        if (before.importer != after.importer ||
            before.exporter != after.exporter) {
            pg_order_settle(run);
        }
    }
    pg_order_receive(run);
    pg_events(run->g);
    pg_order_check(run, order, "importer", run->importer, importer_due);
    pg_order_check(run, order, "exporter", run->exporter, exporter_due);
    pg_assert_table(run->g, (uint64_t)0);
    run->count++;
}

static PGGuest *pg_lifetime_start(const PGDirection *direction)
{
    PGMachine m = { 0 };
    PGGuest *g;

    if (direction->variant) {
        pg_machine_variant(&m, direction->variant);
    }
    g = pg_start(&m);
    /* A job behind a closed gate is no hang. */
    pg_do(g, "set /sys/module/primegpu_core/parameters/job_timeout_ms 0");
    return g;
}

static void pg_test_orders(const void *data)
{
    const PGOrderCase *c = data;
    PGOrderRun run = {
        .g = pg_lifetime_start(c->direction),
        .direction = c->direction,
        .tags = g_array_new(FALSE, FALSE, sizeof(unsigned)),
    };

    pg_orders_foreach(c->first, pg_order_play, &run);
    g_test_message("%u orders in %.1f s", run.count,
                   pg_elapsed_us(run.g) / 1e6);
    if (!run.count) {
        pg_fail(run.g, "no order was played");
    }
    pg_stop(run.g);
}

static void pg_add_orders(const PGDirection *direction)
{
    for (PGKeeper k = 0; k < PG_KEEP_COUNT; k++) {
        g_autofree char *path =
            g_strdup_printf("lifetime/orders/%s/%s-first", direction->name,
                            pg_keeper_names[k]);
        PGOrderCase *c = g_new(PGOrderCase, 1);

        *c = (PGOrderCase) { direction, k };
        pg_add_case(path, pg_test_orders, c);
    }
}

/* The first order that closes the handle of a file that stays open is red. */
static void pg_test_leak_red(const void *data)
{
    static const char *const reasons[] = {
        "not released:", "released too late:", NULL,
    };

    pg_run_red("lifetime/orders", pg_test_orders, data, reasons);
}

static const PGDirection pg_leaking = {
    "integrated-exports", "integrated", "discrete", "discrete0",
    "leak-until-file-close",
};

static const PGOrderCase pg_leak_case = {
    &pg_leaking, PG_KEEP_EXPORTER_HANDLE,
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_directions); i++) {
        pg_add_orders(&pg_directions[i]);
    }
    pg_add_case("variant/orders/leak-until-file-close", pg_test_leak_red,
                &pg_leak_case);
    return g_test_run();
}
