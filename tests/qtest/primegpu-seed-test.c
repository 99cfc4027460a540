/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test of the seed's scenario, in both directions: each BO is released
 * when its last handle is closed and not when the file is, and each later
 * import gets the right buffer.  Both halves have to go red on the kernel
 * variant that breaks them.
 */
#include "qemu/osdep.h"
#include "primegpu-seed.h"

static const PGSeed pg_seeds[] = {
    { "integrated", "discrete" },
    { "discrete", "integrated" },
};

static const char *const pg_seed_names[] = {
    "integrated-exports", "discrete-exports",
};

static PGGuest *pg_seed_start(const PGSeed *seed)
{
    PGMachine m = { 0 };

    if (seed->variant) {
        pg_machine_variant(&m, seed->variant);
    }
    return pg_start(&m);
}

static void pg_seed_assert_step(PGGuest *g, const PGSeedStep *step,
                                uint64_t exporter, uint64_t importer)
{
    uint64_t keys[2];
    unsigned n = 0;

    if (step->has_exporter_bo) {
        pg_assert_alive(g, exporter);
        keys[n++] = exporter;
    }
    if (step->has_importer_bo) {
        pg_assert_alive(g, importer);
        keys[n++] = importer;
    }
    pg_settle(g);
    pg_assert_table_is(g, keys, n);
}

/* Returns with both files open and all handles closed. */
static void pg_seed_play(PGGuest *g, const PGSeed *seed)
{
    uint64_t exporter = 0, importer = 0;

    pg_seed_open(g, seed);
    for (unsigned i = 0; i < PG_SEED_STEPS; i++) {
        const PGSeedStep *step = &pg_seed_steps[i];
        const PGReply *r = pg_do(g, "%s", step->line);

        if (i == 0) {
            exporter = pg_u64(g, r, "key");
        } else if (step->has_importer_bo && !importer) {
            importer = pg_u64(g, r, "key");
        }
        pg_seed_assert_step(g, step, exporter, importer);
        if (importer && !step->has_importer_bo && step->has_exporter_bo) {
            pg_assert_released(g, importer, pg_step(g));
        }
    }
    pg_assert_released(g, exporter, pg_step(g));
}

static void pg_test_release(const void *data)
{
    PGGuest *g = pg_seed_start(data);

    pg_seed_play(g, data);
    pg_close_file(g, "fi");
    pg_close_file(g, "fe");
    pg_settle(g);
    pg_assert_table(g, (uint64_t)0);
    pg_stop(g);
}

static void pg_test_later_imports(const void *data)
{
    PGGuest *g = pg_seed_start(data);
    g_autofree char *why = NULL;
    unsigned wrong;

    pg_seed_play(g, data);
    wrong = pg_seed_import_later(g, data, PG_SEED_LATER, &why);
    if (wrong) {
        pg_fail(g, "wrong buffer: %u of %u later imports; the first: %s",
                wrong, PG_SEED_LATER, why);
    }
    pg_assert_table(g, (uint64_t)0);
    pg_stop(g);
}

/* The list of the file must not grow: the scenario again and again in it */
static void pg_test_again(const void *data)
{
    const PGSeed *seed = data;
    PGGuest *g = pg_seed_start(seed);

    pg_seed_open(g, seed);
    for (unsigned round = 0; round < 50; round++) {
        uint64_t exporter = 0, importer = 0;

        for (unsigned i = 0; i < PG_SEED_STEPS; i++) {
            const PGReply *r = pg_do(g, "%s", pg_seed_steps[i].line);

            if (i == 0) {
                exporter = pg_u64(g, r, "key");
            } else if (pg_seed_steps[i].has_importer_bo && !importer) {
                importer = pg_u64(g, r, "key");
            }
        }
        pg_settle(g);
        pg_assert_released(g, exporter, pg_step(g));
        if (!pg_release_step(g, importer)) {
            pg_fail(g, "not released: BO 0x%" PRIx64 " of the importer",
                    importer);
        }
        pg_assert_table(g, (uint64_t)0);
        pg_forget(g);
    }
    pg_stop(g);
}

static const PGSeed pg_seed_stale = {
    "integrated", "discrete", "stale-export-entry",
};

static const PGSeed pg_seed_leak = {
    "integrated", "discrete", "leak-until-file-close",
};

static void pg_test_stale_red(const void *data)
{
    static const char *const reasons[] = { "wrong buffer:", NULL };

    pg_run_red("seed/later-imports/integrated-exports", pg_test_later_imports,
               data, reasons);
}

static void pg_test_leak_red(const void *data)
{
    static const char *const reasons[] = { "not released:", NULL };

    pg_run_red("seed/release/integrated-exports", pg_test_release, data,
               reasons);
}

static void pg_seed_add(const char *what, PGCaseFn fn)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pg_seeds); i++) {
        g_autofree char *path =
            g_strdup_printf("seed/%s/%s", what, pg_seed_names[i]);

        pg_add_case(path, fn, &pg_seeds[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    pg_seed_add("release", pg_test_release);
    pg_seed_add("later-imports", pg_test_later_imports);
    pg_seed_add("again", pg_test_again);
    pg_add_case("variant/stale-export-entry", pg_test_stale_red,
                &pg_seed_stale);
    pg_add_case("variant/leak-until-file-close", pg_test_leak_red,
                &pg_seed_leak);
    return g_test_run();
}
