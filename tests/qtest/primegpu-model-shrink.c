/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test: makes a failing sequence small (delta debugging).  Each attempt
 * plays in a fresh guest; parts are taken out as long as what is left fails,
 * for whatever reason, first big ones and then single ops.
 */
#include "primegpu-model.h"
#include "primegpu-guest.h"

typedef struct PGMShrink {
    PGMRun run;                 /* that fails */
    char *reason;
    unsigned last;              /* of its ops, when it failed */
    int64_t until;
} PGMShrink;

static bool pgm_out_of_time(const PGMShrink *s)
{
    return g_get_monotonic_time() > s->until;
}

/* Takes ops over, if they fail. */
static bool pgm_try(PGMShrink *s, GArray *ops)
{
    PGMRun run = { s->run.name, ops, s->run.report, s->run.dynamic };
    PGResult result;

    if (pgm_out_of_time(s)) {
        return false;
    }
    memset(run.report, 0, sizeof(*run.report));
    pg_run_case(run.name, pgm_run, &run, &result);
    if (result.outcome != PG_FAIL) {
        return false;
    }
    /* What comes after the failure is not needed for it. */
    g_array_set_size(ops, MIN(ops->len, run.report->last + 1));
    g_array_unref(s->run.ops);
    s->run.ops = g_array_ref(ops);
    g_free(s->reason);
    s->reason = g_strdup(result.reason);
    s->last = run.report->last;
    return true;
}

static GArray *pgm_without(const GArray *ops, unsigned start, unsigned n)
{
    GArray *left = g_array_new(FALSE, TRUE, sizeof(PGMOp));

    for (unsigned i = 0; i < ops->len; i++) {
        if (i < start || i >= start + n) {
            g_array_append_val(left, g_array_index(ops, PGMOp, i));
        }
    }
    return left;
}

/* From the end: the later ops need the earlier ones. */
static bool pgm_remove_parts(PGMShrink *s, unsigned part)
{
    unsigned end = s->run.ops->len;
    bool smaller = false;

    while (end && !pgm_out_of_time(s)) {
        unsigned n = MIN(part, end);
        g_autoptr(GArray) left = pgm_without(s->run.ops, end - n, n);

        end -= n;
        if (pgm_try(s, left)) {
            smaller = true;
            end = MIN(end, s->run.ops->len);
        }
    }
    return smaller;
}

/* Without what is not played at all and, by choice, without errors */
static GArray *pgm_drop_idle(const PGMShrink *s, bool errors)
{
    const GArray *ops = s->run.ops;
    GArray *kept = g_array_new(FALSE, TRUE, sizeof(PGMOp));
    PGModel *m = pgm_new(&s->run.report->learned);

    for (unsigned i = 0; i < ops->len; i++) {
        PGMExpect x;

        const PGMOp *op = &g_array_index(ops, PGMOp, i);

        if (pgm_step(m, op, &x) && !(errors && x.error)) {
            g_array_append_val(kept, *op);
        }
        pgm_expect_clear(&x);
    }
    pgm_free(m);
    return kept;
}

static void pgm_try_idle(PGMShrink *s, bool errors)
{
    g_autoptr(GArray) kept = pgm_drop_idle(s, errors);

    pgm_try(s, kept);
}

/* All ops of a kind, or of a worker, at once */
static void pgm_remove_groups(PGMShrink *s)
{
    for (unsigned group = 0; group < PGM_KINDS + PGM_WORKERS; group++) {
        g_autoptr(GArray) left = g_array_new(FALSE, TRUE, sizeof(PGMOp));

        for (unsigned i = 0; i < s->run.ops->len; i++) {
            const PGMOp *op = &g_array_index(s->run.ops, PGMOp, i);

            if (op->kind != group && op->worker + PGM_KINDS != group) {
                g_array_append_val(left, *op);
            }
        }
        if (left->len < s->run.ops->len) {
            pgm_try(s, left);
        }
    }
}

GArray *pgm_shrink(const PGMRun *run, unsigned seconds, char **reason)
{
    PGMShrink s = {
        .run = { run->name, g_array_copy(run->ops), run->report,
                 run->dynamic },
        .last = run->report->last,
        .until = g_get_monotonic_time() + seconds * G_USEC_PER_SEC,
    };
    unsigned part;

    g_array_set_size(s.run.ops, MIN(s.run.ops->len, run->report->last + 1));
    pgm_try_idle(&s, false);
    pgm_try_idle(&s, true);
    pgm_remove_parts(&s, MAX(s.run.ops->len / 4, 1));
    pgm_remove_groups(&s);
    for (part = s.run.ops->len / 4; part > 1; part /= 2) {
        pgm_remove_parts(&s, part);
    }
    while (pgm_remove_parts(&s, 1)) {
        /* what was needed may not be needed any more */
    }
    pgm_try_idle(&s, false);
    /* Not that of the last attempt, which may have passed */
    run->report->last = s.last;
    *reason = s.reason;
    return s.run.ops;
}
