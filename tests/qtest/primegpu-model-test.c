/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: random sequences against the reference model.
 *
 * primegpu-model-test [--seed=N]
 *
 * PRIMEGPU_MODEL_SEED    play this seed only (as --seed), or start with it
 * PRIMEGPU_MODEL_OPS     ops of a sequence
 * PRIMEGPU_MODEL_TIME    60s, 60m or 2h: play one seed after the other for so
 *                        long
 * PRIMEGPU_MODEL_GUESTS  so many of them at a time
 * PRIMEGPU_MODEL_SHRINK  seconds that may go into making a failure small
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include <sys/wait.h>
#include "qemu/atomic.h"
#include "qemu/cutils.h"
#include "primegpu-model.h"
#include "primegpu-guest.h"

#define PGM_CASES           8
#define PGM_OPS_DEFAULT     1000
#define PGM_OPS_SOAK        3000
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

/* Seconds, or minutes or hours where the text says so */
static int64_t pgm_env_time(const char *name)
{
    const char *text = g_getenv(name) ?: "0", *unit;
    static const struct {
        const char *unit;
        unsigned seconds;
    } units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 } };
    uint64_t value;

    for (unsigned i = 0; i < ARRAY_SIZE(units); i++) {
        if (qemu_strtou64(text, &unit, 0, &value) == 0 &&
            g_str_equal(unit, units[i].unit)) {
            return value * units[i].seconds;
        }
    }
    g_printerr("%s: '%s' is no time like 60s, 60m or 2h\n", name, text);
    exit(2);
}

/* Zeros that a process shares with those it forks */
static void *pgm_shared(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    g_assert(p != MAP_FAILED);
    return p;
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

/* What one of the players of a soak has come to */
typedef struct PGMPlayer {
    PGMReport report;
    uint64_t seeds, ops, kinds[PGM_KINDS];
    PGOutcome outcome;
} PGMPlayer;

typedef struct PGMSoak {
    uint64_t seed;
    unsigned n;                 /* ops of a sequence */
    int64_t until;
    unsigned count;             /* of players */
    PGMPlayer *players;         /* in memory that they share */
} PGMSoak;

static bool pgm_soak_goes_on(const PGMSoak *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (qatomic_read(&s->players[i].outcome) != PG_PASS) {
            return false;
        }
    }
    return g_get_monotonic_time() < s->until;
}

/* In a process of its own: every seed that is its turn */
static void pgm_soak_play(const PGMSoak *s, unsigned number)
{
    PGMPlayer *p = &s->players[number];

    pgm_report = &p->report;
    for (uint64_t i = number; pgm_soak_goes_on(s); i += s->count) {
        PGOutcome outcome;

        if (!pgm_play_seed(s->seed + i, s->n, &outcome)) {
            qatomic_set(&p->outcome, outcome);
            break;
        }
        p->seeds++;
        p->ops += pgm_report->ops;
        for (unsigned k = 0; k < PGM_KINDS; k++) {
            p->kinds[k] += pgm_report->kinds[k];
        }
    }
    fflush(NULL);
    _exit(0);
}

static void pgm_soak_run(const PGMSoak *s)
{
    g_autofree pid_t *pids = g_new(pid_t, s->count);
    int status;

    fflush(NULL);
    for (unsigned i = 0; i < s->count; i++) {
        pids[i] = fork();
        g_assert_cmpint(pids[i], >=, 0);
        if (pids[i] == 0) {
            pgm_soak_play(s, i);
        }
    }
    for (unsigned i = 0; i < s->count; i++) {
        waitpid(pids[i], &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) ||
            s->players[i].outcome == PG_FAIL) {
            g_test_fail();
        } else if (s->players[i].outcome == PG_SKIP) {
            g_test_skip("no guest can be started");
        }
    }
}

static void pgm_soak_tell(const PGMSoak *s, int64_t us)
{
    uint64_t ops = 0, seeds = 0;
    g_autoptr(GString) kinds = g_string_new(NULL);

    for (unsigned i = 0; i < s->count; i++) {
        seeds += s->players[i].seeds;
        ops += s->players[i].ops;
    }
    for (unsigned k = 0; k < PGM_KINDS; k++) {
        uint64_t n = 0;

        for (unsigned i = 0; i < s->count; i++) {
            n += s->players[i].kinds[k];
        }
        g_string_append_printf(kinds, " %s=%" PRIu64, pgm_kinds[k].name, n);
    }
    g_test_message("%" PRIu64 " seeds, %" PRIu64 " ops, %.0f ops/s in %u "
                   "guests;%s", seeds, ops, ops * 1e6 / MAX(us, 1), s->count,
                   kinds->str);
}

/* As many guests side by side as there are processors */
static void pgm_test_soak(gconstpointer data)
{
    int64_t start = g_get_monotonic_time();
    PGMSoak s = {
        .seed = pgm_env("PRIMEGPU_MODEL_SEED", g_get_real_time()),
        .n = pgm_env("PRIMEGPU_MODEL_OPS", PGM_OPS_SOAK),
        .until = start + pgm_env_time("PRIMEGPU_MODEL_TIME") * G_USEC_PER_SEC,
        .count = pgm_env("PRIMEGPU_MODEL_GUESTS", g_get_num_processors()),
    };

    s.players = pgm_shared(s.count * sizeof(*s.players));
    g_test_message("first seed %" PRIu64, s.seed);
    pgm_soak_run(&s);
    pgm_soak_tell(&s, g_get_monotonic_time() - start);
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
    pgm_report = pgm_shared(sizeof(*pgm_report));
    if (pgm_env_time("PRIMEGPU_MODEL_TIME")) {
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
