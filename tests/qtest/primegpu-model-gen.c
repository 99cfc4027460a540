/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, generator.  It asks the model what exists, so that most ops find
 * what they name, and some do not.  Few names, small files and low handle
 * numbers: numbers are used again at once, and aliases are everywhere.
 *
 * Each sequence leaves out some kinds of ops and prefers others (swarm
 * testing): what hides behind a frequent op comes out where that op is rare.
 */
#include "primegpu-model-gen.h"

/* No more objects than this at a time, so that names meet again */
#define PGM_CROWD 12

/* One of so many ops tried is the first of a plan. */
#define PGM_PLAN_EVERY 200

static void pgm_weigh(PGMGen *r)
{
    static const unsigned workers[] = { 1, 1, 2, 2, 3, PGM_WORKERS - 1 };
    static const PGMKind always[] = {
        PGM_OPEN, PGM_CREATE, PGM_CLOSE, PGM_EXPORT, PGM_IMPORT, PGM_CLOSE_FD,
        PGM_SETTLE,
    };

    for (unsigned k = 0; k < PGM_KINDS; k++) {
        static const unsigned factors[] = { 0, 1, 2, 2, 2, 4, 8 };
        unsigned factor = factors[pgm_below(r, ARRAY_SIZE(factors))];

        r->weights[k] = pgm_kinds[k].weight * factor;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(always); i++) {
        PGMKind k = always[i];

        r->weights[k] = pgm_kinds[k].weight * (1 + pgm_below(r, 3));
    }
    if (r->weights[PGM_GATE]) {
        r->weights[PGM_FILL] += pgm_kinds[PGM_FILL].weight;
        r->weights[PGM_COPY] += pgm_kinds[PGM_COPY].weight;
    }
    for (unsigned k = 0; k < PGM_KINDS; k++) {
        r->total += r->weights[k];
    }
    r->workers = workers[pgm_below(r, ARRAY_SIZE(workers))];
}

static PGMKind pgm_pick_kind(PGMGen *r)
{
    unsigned n = pgm_below(r, r->total);
    unsigned k = 0;

    while (n >= r->weights[k]) {
        n -= r->weights[k++];
    }
    return k;
}

/* Worker by worker for a while: a batch holds the ops of one of them. */
static unsigned pgm_pick_focus(PGMGen *r)
{
    PGMUsed used = pgm_used(r->m, 1);

    /* One that waits cannot act. */
    used.workers &= ~(1u << r->m->mover);
    if (!r->stay-- || !(used.workers & (1u << r->focus))) {
        r->stay = pgm_below(r, 40);
        do {
            r->focus = 1 + pgm_below(r, r->workers);
        } while (!(used.workers & (1u << r->focus)));
    }
    return r->focus;
}

static unsigned pgm_crowd(const PGModel *m)
{
    unsigned n = 0;

    for (unsigned i = 0; i < m->objs->len; i++) {
        n += !((PGMObj *)g_ptr_array_index(m->objs, i))->dead;
    }
    return n;
}

static bool pgm_is_shared(const PGModel *m)
{
    for (unsigned i = 0; i < m->objs->len; i++) {
        const PGMObj *obj = g_ptr_array_index(m->objs, i);

        if (!obj->dead && obj->import && pgm_is_gpu(obj->dev)) {
            return true;
        }
    }
    return false;
}

/*
 * Behind a gate there should be jobs, on shared bytes, before it opens again;
 * and too many BOs are one too few closed.
 */
static PGMKind pgm_bend_kind(PGMGen *r, PGMKind kind)
{
    if (r->m->flipped) {
        return PGM_SETTLE;
    }
    if (pgm_any_gate(r->m)) {
        if (pgm_percent(r, 50)) {
            return pgm_percent(r, 10) ? PGM_GATE :
                   pgm_percent(r, 50) ? PGM_COPY : PGM_FILL;
        }
        kind = kind == PGM_GATE ? PGM_IMPORT : kind;
    } else if (r->gate_next) {
        r->gate_next = false;
        return PGM_GATE;
    } else if (kind == PGM_GATE) {
        r->gate_next = pgm_is_shared(r->m);
        return r->gate_next ? PGM_SETTLE : PGM_IMPORT;
    }
    /* Without a GPU little happens: bind it soon. */
    if ((r->m->unbound[PGM_INTEGRATED] || r->m->unbound[PGM_DISCRETE]) &&
        pgm_percent(r, 10)) {
        return PGM_BIND;
    }
    if (kind == PGM_BIND) {
        return PGM_OPEN;
    }
    if ((kind == PGM_CREATE || kind == PGM_DUMB) &&
        pgm_crowd(r->m) >= PGM_CROWD) {
        return PGM_CLOSE;
    }
    return kind;
}

/* What has to come before all else after a flip */
static bool pgm_make_await(PGMGen *r, PGMOp *op)
{
    *op = (PGMOp) { .kind = PGM_AWAIT_RMFB, .worker = 1 };
    return pgm_kms_late(r->m);
}

/* An event is read, mostly, by a process that has the file. */
static bool pgm_make_event(PGMGen *r, PGMOp *op)
{
    const PGMOutput *o = pgm_kms_due(r->m);

    for (unsigned i = 1; o && i < PGM_WORKERS; i++) {
        for (unsigned k = 0; k < PGM_FILES; k++) {
            if (r->m->workers[i].files[k] == o->event) {
                *op = (PGMOp) {
                    .kind = pgm_percent(r, 75) ? PGM_EVENT : PGM_CLOSE_FILE,
                    .worker = i, .file = k,
                };
                return true;
            }
        }
    }
    return false;
}

static void pgm_make_op(PGMGen *r, PGMOp *op)
{
    if (pgm_make_event(r, op) || pgm_make_await(r, op)) {
        return;
    }
    if (r->plan && r->planned < r->plan->len) {
        *op = g_array_index(r->plan, PGMOp, r->planned++);
        return;
    }
    *op = (PGMOp) { .worker = pgm_pick_focus(r) };
    if (!pgm_any_gate(r->m) && pgm_below(r, PGM_PLAN_EVERY) == 0) {
        g_clear_pointer(&r->plan, g_array_unref);
        r->plan = pgm_plan(r->m, op->worker, pgm_random(r));
        r->planned = 0;
    }
    op->kind = pgm_bend_kind(r, pgm_pick_kind(r));
    pgm_pick_op(r, op);
}

/*
 * Not every error, and few of those that the agent itself gives.  But for a
 * close, which drops the name, the model is as it was after an error.
 */
static bool pgm_is_wanted(PGMGen *r, const PGMExpect *x)
{
    bool agent = x->error && (g_str_equal(x->error, "ESRCH") ||
                              g_str_equal(x->error, "EEXIST"));

    return !x->error || (x->op.kind == PGM_CLOSE && !agent) ||
           pgm_percent(r, agent ? 2 : 25);
}

bool pgm_seed_dynamic(uint64_t seed)
{
    return seed & 1;
}

/* What a run learns; for numbers any will do, as they are in no op. */
static PGMLearned pgm_imagine(uint64_t seed)
{
    PGMLearned learned = { .dynamic = pgm_seed_dynamic(seed) };

    for (unsigned dev = 0; dev < PGM_DEVICES; dev++) {
        learned.output[dev] = dev != PGM_VGEM;
        for (unsigned bind = 0; bind < PGM_BINDS; bind++) {
            learned.fb_base[dev][bind] = dev != PGM_VGEM;
        }
    }
    return learned;
}

GArray *pgm_generate(uint64_t seed, unsigned n)
{
    PGMLearned learned = pgm_imagine(seed);
    GArray *ops = g_array_new(FALSE, TRUE, sizeof(PGMOp));
    PGMGen r = { .seed = seed * 0x2545f4914f6cdd1dull + 1, .focus = 1 };
    unsigned tries = 0;

    r.m = pgm_new(&learned);
    pgm_weigh(&r);
    while (ops->len < n && tries++ < 64 * n) {
        PGMExpect x;
        PGMOp op;

        pgm_make_op(&r, &op);
        if (pgm_step(r.m, &op, &x)) {
            if (pgm_is_wanted(&r, &x)) {
                g_array_append_val(ops, op);
            } else {
                r.m->step--;
            }
        }
        pgm_expect_clear(&x);
    }
    g_clear_pointer(&r.plan, g_array_unref);
    pgm_free(r.m);
    return ops;
}

/* What is shown and in no file's list any more stays for the next master. */
static void pgm_epilogue_hide(GArray *ops)
{
    for (unsigned dev = 0; dev < PGM_DEVICES; dev++) {
        PGMOp open = { .kind = PGM_OPEN, .worker = 1, .device = dev };
        PGMOp close = { .kind = PGM_CLOSE_FILE, .worker = 1 };

        g_array_append_val(ops, open);
        for (unsigned i = 0; i < PGM_PLANES; i++) {
            PGMOp hide = { .kind = PGM_HIDE, .worker = 1, .mode = i };

            g_array_append_val(ops, hide);
        }
        g_array_append_val(ops, close);
    }
}

/* What was flipped last; there may be more when the gates are open. */
static void pgm_epilogue_events(GArray *ops)
{
    PGMOp await = { .kind = PGM_AWAIT_RMFB, .worker = 1 };

    for (unsigned i = 0; i < (PGM_WORKERS - 1) * PGM_FILES; i++) {
        PGMOp event = {
            .kind = PGM_EVENT, .worker = 1 + i / PGM_FILES,
            .file = i % PGM_FILES,
        };

        g_array_append_val(ops, event);
    }
    g_array_append_val(ops, await);
}

void pgm_epilogue(GArray *ops)
{
    PGMOp settle = {
        .kind = PGM_SETTLE, .worker = 1, .wait = true, .mode = 1,
    };

    pgm_epilogue_events(ops);
    for (unsigned dev = PGM_INTEGRATED; dev <= PGM_DISCRETE; dev++) {
        PGMOp gate = { .kind = PGM_GATE, .device = dev };

        g_array_append_val(ops, gate);
    }
    pgm_epilogue_events(ops);
    for (unsigned n = PGM_WORKERS; n-- > 1;) {
        PGMOp kill = { .kind = PGM_KILL, .other = n, .mode = 1 };

        g_array_append_val(ops, settle);
        g_array_append_val(ops, kill);
        g_array_append_val(ops, settle);
    }
    pgm_epilogue_hide(ops);
    g_array_append_val(ops, settle);
}
