/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: random sequences against the reference model.
 *
 * primegpu-model-test [--seed=N]
 *
 * PRIMEGPU_MODEL_SEED    play this seed only (as --seed), or start with it
 * PRIMEGPU_MODEL_OPS     ops of a sequence
 * PRIMEGPU_MODEL_TIME    seconds: play one seed after the other for so long
 * PRIMEGPU_MODEL_SHRINK  seconds that may go into making a failure small
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "qemu/cutils.h"
#include "primegpu-model.h"
#include "primegpu-guest.h"

#define PGM_CASES           8
#define PGM_OPS_DEFAULT     1000
#define PGM_SHRINK_DEFAULT  120

static PGMReport *pgm_report;

static uint64_t pgm_env(const char *name, uint64_t value)
{
    const char *text = g_getenv(name);

    if (text && *text && qemu_strtou64(text, NULL, 0, &value) < 0) {
        g_printerr("%s: '%s' is no number\n", name, text);
        exit(2);
    }
    return value;
}

static void pgm_save_script(const char *name, const char *text)
{
    const char *failures = g_getenv("PRIMEGPU_FAILURES");
    g_autofree char *file = NULL;
    g_autofree char *path = NULL;

    if (!failures) {
        return;
    }
    file = g_strdup_printf("%s.script", name);
    g_strdelimit(file, "/", '-');
    path = g_build_filename(failures, file, NULL);
    if (g_file_set_contents(path, text, -1, NULL)) {
        g_test_message("replay it: make run SCRIPT=%s; picture: "
                       "make report SCRIPT=%s", path, path);
    }
}

/* The rig's own reason is of the run as it was: a small one says it better. */
static void pgm_explain(const PGMRun *run, const PGResult *result,
                        uint64_t seed)
{
    unsigned seconds = pgm_env("PRIMEGPU_MODEL_SHRINK", PGM_SHRINK_DEFAULT);
    g_autofree char *failures = g_strdup(g_getenv("PRIMEGPU_FAILURES"));
    g_autofree char *script = NULL;
    g_autofree char *reason = NULL;
    g_autoptr(GArray) ops = NULL;
    PGMRun small = *run;
    unsigned lines;

    g_test_message("seed %" PRIu64 ", op %u of %u: %s", seed,
                   run->report->last + 1, run->ops->len, result->reason);
    g_unsetenv("PRIMEGPU_FAILURES");
    ops = pgm_shrink(run, seconds, &reason);
    if (failures) {
        g_setenv("PRIMEGPU_FAILURES", failures, true);
    }
    /* Whatever is left at the end is what is wrong then. */
    if (run->report->last >= ops->len) {
        pgm_epilogue(ops);
    }
    small.ops = ops;
    script = pgm_script(&small, &lines);
    g_test_message("%s", reason ?: "it does not fail again");
    g_test_message("%u lines are enough:", lines);
    g_test_message("%s", script);
    pgm_save_script(run->name, script);
}

/* Returns whether the sequence went as the model says. */
static bool pgm_play_seed(uint64_t seed, unsigned n, PGOutcome *outcome)
{
    g_autofree char *name = g_strdup_printf("model/seed-%" PRIu64, seed);
    g_autoptr(GArray) ops = pgm_generate(seed, n);
    PGMRun run = { name, ops, pgm_report, pgm_seed_dynamic(seed) };
    PGResult result;

    memset(pgm_report, 0, sizeof(*pgm_report));
    pg_run_case(name, pgm_run, &run, &result);
    *outcome = result.outcome;
    if (result.outcome == PG_SKIP) {
        g_test_skip(result.reason);
    } else if (result.outcome == PG_FAIL) {
        pgm_explain(&run, &result, seed);
        g_test_fail();
    }
    return result.outcome == PG_PASS;
}

static void pgm_test_seed(gconstpointer data)
{
    uint64_t seed = GPOINTER_TO_SIZE(data);
    PGOutcome outcome;

    if (pgm_play_seed(seed, pgm_env("PRIMEGPU_MODEL_OPS", PGM_OPS_DEFAULT),
                      &outcome)) {
        g_test_message("%u ops, %u of them errors, %u events, %.0f ops/s",
                       pgm_report->ops, pgm_report->errors,
                       pgm_report->events,
                       pgm_report->ops * 1e6 / MAX(pgm_report->us, 1));
    }
}

static void pgm_test_soak(gconstpointer data)
{
    unsigned n = pgm_env("PRIMEGPU_MODEL_OPS", PGM_OPS_DEFAULT);
    int64_t seconds = pgm_env("PRIMEGPU_MODEL_TIME", 0);
    uint64_t seed = pgm_env("PRIMEGPU_MODEL_SEED", g_get_real_time());
    int64_t until = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    uint64_t ops = 0, us = 0, seeds = 0, kinds[PGM_KINDS] = { 0 };
    g_autoptr(GString) s = g_string_new(NULL);
    PGOutcome outcome;

    g_test_message("first seed %" PRIu64, seed);
    while (g_get_monotonic_time() < until &&
           pgm_play_seed(seed + seeds, n, &outcome)) {
        seeds++;
        ops += pgm_report->ops;
        us += pgm_report->us;
        for (unsigned k = 0; k < PGM_KINDS; k++) {
            kinds[k] += pgm_report->kinds[k];
        }
    }
    for (unsigned k = 0; k < PGM_KINDS; k++) {
        g_string_append_printf(s, " %s=%" PRIu64, pgm_kinds[k].name, kinds[k]);
    }
    g_test_message("%" PRIu64 " seeds, %" PRIu64 " ops, %.0f ops/s;%s", seeds,
                   ops, ops * 1e6 / MAX(us, 1), s->str);
}

/* Takes --seed away: GLib has an option of that name for itself. */
static void pgm_take_seed(int *argc, char **argv)
{
    int n = 1;

    for (int i = 1; i < *argc; i++) {
        if (g_str_has_prefix(argv[i], "--seed=")) {
            g_setenv("PRIMEGPU_MODEL_SEED", argv[i] + strlen("--seed="), true);
        } else {
            argv[n++] = argv[i];
        }
    }
    argv[n] = NULL;
    *argc = n;
}

int main(int argc, char **argv)
{
    uint64_t only;

    pgm_take_seed(&argc, argv);
    g_test_init(&argc, &argv, NULL);
    only = pgm_env("PRIMEGPU_MODEL_SEED", 0);
    pgm_report = mmap(NULL, sizeof(*pgm_report), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert(pgm_report != MAP_FAILED);
    if (pgm_env("PRIMEGPU_MODEL_TIME", 0)) {
        pg_add_func("model/soak", pgm_test_soak, NULL);
        return g_test_run();
    }
    for (uint64_t seed = only ?: 1; seed <= (only ?: PGM_CASES); seed++) {
        g_autofree char *path =
            g_strdup_printf("model/seed-%" PRIu64, seed);

        pg_add_func(path, pgm_test_seed, GSIZE_TO_POINTER(seed));
    }
    return g_test_run();
}
