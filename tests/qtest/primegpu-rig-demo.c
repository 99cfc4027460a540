/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The demo: the seed's scenario with the device's view beside each call, on
 * the kernel as it is, where nothing may be wrong, and on two kernels with a
 * lifetime bug put back, where the rig must see it.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "primegpu-rig.h"
#include "primegpu-seed.h"

typedef struct PGDemoKernel {
    PGSeed seed;
    const char *title;
    /* What must be seen of it; nothing else may be wrong. */
    bool leaks;                 /* until the files are closed */
    bool mixes_up;              /* later imports */
} PGDemoKernel;

static const PGDemoKernel pg_demo_kernels[] = {
    {
        { "integrated", "discrete", NULL },
        "the kernel as it is", false, false,
    },
    {
        { "integrated", "discrete", "stale-export-entry" },
        "kernel variant stale-export-entry: the handle's entry keeps no "
        "reference", false, true,
    },
    {
        { "integrated", "discrete", "leak-until-file-close" },
        "kernel variant leak-until-file-close: the entry goes with the file, "
        "not with the handle", true, false,
    },
};

typedef struct PGDemoRun {
    PGGuest *g;
    uint64_t since;             /* serial of the first event not yet shown */
    bool late;                  /* a BO was not released at its step */
    bool early;
} PGDemoRun;

static char *pg_demo_released(PGDemoRun *run)
{
    const GArray *events = pg_events(run->g);
    GString *s = g_string_new(NULL);

    for (unsigned i = 0; i < events->len; i++) {
        const PGEvent *e = &g_array_index(events, PGEvent, i);

        if (e->serial < run->since) {
            continue;
        }
        run->since = e->serial + 1;
        if (e->kind == PRIME_GPU_LEDGER_EVENT_KIND_RELEASE) {
            g_string_append_printf(s, "%s%s 0x%" PRIx64 " (%" PRIu64 " KiB)",
                                   s->len ? ", " : "", e->device, e->key,
                                   e->size / KiB);
        }
    }
    return g_string_free(s, !s->len) ?: g_strdup("-");
}

static void pg_demo_row(PGDemoRun *run, const char *step, const char *call)
{
    g_autofree char *released = pg_demo_released(run);

    printf("%7.3f  %-5s %-38s %10u %8u  %s\n",
           pg_elapsed_us(run->g) / 1e6, step, call,
           pg_bo_count(run->g, PG_INTEGRATED), pg_bo_count(run->g, PG_DISCRETE),
           released);
}

static void pg_demo_step(PGDemoRun *run, const PGSeed *seed, unsigned i)
{
    const PGSeedStep *step = &pg_seed_steps[i];
    const char *gpu = step->by_importer ? seed->importer : seed->exporter;
    g_autofree char *call = g_strdup_printf("%s %s", gpu, step->words);
    g_autofree char *number = g_strdup_printf("%u", i + 1);
    unsigned alive, expected = step->has_exporter_bo + step->has_importer_bo;

    pg_do(run->g, "%s", step->line);
    pg_settle(run->g);
    pg_demo_row(run, number, call);
    alive = pg_bo_count(run->g, NULL);
    run->late |= alive > expected;
    run->early |= alive < expected;
}

/* Returns NULL, or what was not as it must be on this kernel. */
static const char *pg_demo_judge(const PGDemoKernel *k, const PGDemoRun *run,
                                 unsigned wrong)
{
    if (run->early) {
        return "a buffer was released too early";
    }
    if (run->late && !k->leaks) {
        return "a buffer was not released when its last handle was closed";
    }
    if (!run->late && k->leaks) {
        return "the fault did not show: all was released at handle close";
    }
    if (wrong && !k->mixes_up) {
        return "a later import got the wrong buffer";
    }
    if (!wrong && k->mixes_up) {
        return "the fault did not show: each later import got its buffer";
    }
    return NULL;
}

static unsigned pg_demo_later(PGDemoRun *run, const PGSeed *seed)
{
    g_autofree char *why = NULL;
    unsigned wrong = pg_seed_import_later(run->g, seed, PG_SEED_LATER, &why);

    pg_events(run->g);
    run->since = UINT64_MAX;
    printf("%7.3f  later integrated imports %u other buffers: %u got the "
           "right one\n", pg_elapsed_us(run->g) / 1e6, PG_SEED_LATER,
           PG_SEED_LATER - wrong);
    if (why) {
        printf("         the first wrong one: %s\n", why);
    }
    return wrong;
}

static void pg_demo_case(const void *data)
{
    const PGDemoKernel *k = data;
    PGMachine m = { .tolerate = k->seed.variant != NULL };
    PGDemoRun run = { .since = 1 };
    const char *fault;
    unsigned wrong = 0;

    if (k->seed.variant) {
        pg_machine_variant(&m, k->seed.variant);
    }
    run.g = pg_start(&m);
    pg_seed_open(run.g, &k->seed);
    printf("\n%s\n\n%7s  %-5s %-38s %10s %8s  %s\n", k->title, "time/s",
           "step", "call", "integrated", "discrete", "released");
    for (unsigned i = 0; i < PG_SEED_STEPS; i++) {
        pg_demo_step(&run, &k->seed, i);
    }
    if (run.late) {
        pg_close_file(run.g, "fi");
        pg_close_file(run.g, "fe");
        pg_settle(run.g);
        pg_demo_row(&run, "then", "both DRM files are closed");
    } else {
        wrong = pg_demo_later(&run, &k->seed);
    }
    fault = pg_demo_judge(k, &run, wrong);
    printf("%17s%s\n", "", fault ? fault : k->seed.variant
           ? "the fault shows" : "all as it must be");
    if (fault) {
        pg_fail(run.g, "%s: %s", k->title, fault);
    }
    if (!k->seed.variant) {
        pg_stop(run.g);
    }
}

int primegpu_rig_demo(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pg_demo_kernels); i++) {
        const PGDemoKernel *k = &pg_demo_kernels[i];
        g_autofree char *name =
            g_strdup_printf("demo/%s", k->seed.variant ?: "kernel-as-it-is");
        PGResult result;

        pg_run_case(name, pg_demo_case, k, &result);
        if (result.outcome != PG_PASS) {
            fprintf(stderr, "\n%s\n", result.reason);
            printf("\nverdict: FAIL (%.*s)\n",
                   (int)strcspn(result.reason, "\n"), result.reason);
            return 1;
        }
    }
    printf("\nverdict: PASS\n");
    return 0;
}
