/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, generator.  It asks the model what exists, so that most ops find
 * what they name, and some do not.  Few names, small files and low handle
 * numbers: numbers are used again at once, and aliases are everywhere.
 *
 * Each sequence leaves out some kinds of ops and prefers others (swarm
 * testing): what hides behind a frequent op comes out where that op is rare.
 */
#include "primegpu-model.h"

/* How often, in percent, an op takes any name and not one that fits */
#define PGM_WILD 4

/* No more objects than this at a time, so that names meet again */
#define PGM_CROWD 12

/* One of so many ops tried is the first of a plan. */
#define PGM_PLAN_EVERY 300

typedef struct PGMGen {
    uint64_t state;
    PGModel *m;
    unsigned weights[PGM_KINDS];
    unsigned total;
    unsigned workers;
    unsigned focus;             /* the worker that acts */
    unsigned stay;              /* ops until another one does */
    unsigned seeds;
    bool gate_next;             /* all jobs are done now: close a gate */
    GArray *plan;               /* ops to come first; may be NULL */
    unsigned planned;           /* of them, that have come */
} PGMGen;

static uint64_t pgm_random(PGMGen *r)
{
    uint64_t x = r->state += 0x9e3779b97f4a7c15ull;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

static unsigned pgm_below(PGMGen *r, unsigned n)
{
    return pgm_random(r) % n;
}

static bool pgm_percent(PGMGen *r, unsigned n)
{
    return pgm_below(r, 100) < n;
}

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

/* One of the names that are used, or are not; any if there is none */
static unsigned pgm_pick(PGMGen *r, unsigned n, uint32_t used, bool want)
{
    unsigned fit[32], fits = 0;

    for (unsigned i = 0; i < n; i++) {
        if (!!(used & (1u << i)) == want) {
            fit[fits++] = i;
        }
    }
    if (!fits || pgm_percent(r, PGM_WILD)) {
        return pgm_below(r, n);
    }
    return fit[pgm_below(r, fits)];
}

typedef struct PGMUsed {
    uint32_t files, bos, fds, maps, workers;
} PGMUsed;

static PGMUsed pgm_used(const PGModel *m, unsigned worker)
{
    const PGMWorker *w = &m->workers[worker];
    PGMUsed used = { 0 };

    for (unsigned i = 0; i < PGM_FILES; i++) {
        used.files |= (uint32_t)!!w->files[i] << i;
    }
    for (unsigned i = 0; i < PGM_BOS; i++) {
        used.bos |= (uint32_t)w->bos[i].used << i;
    }
    for (unsigned i = 0; i < PGM_FDS; i++) {
        used.fds |= (uint32_t)w->fds[i].used << i;
    }
    for (unsigned i = 0; i < PGM_MAPS; i++) {
        used.maps |= (uint32_t)w->maps[i].used << i;
    }
    for (unsigned i = 1; i < PGM_WORKERS; i++) {
        used.workers |= (uint32_t)m->workers[i].exists << i;
    }
    return used;
}

static unsigned pgm_pick_worker(PGMGen *r, const PGMUsed *used, bool want)
{
    unsigned n = pgm_pick(r, r->workers + 1, used->workers, want);

    return n ?: 1;
}

/* Those BOs of a worker whose bytes both GPUs have, first those with jobs */
static uint32_t pgm_shared_bos(const PGModel *m, unsigned worker)
{
    const PGMWorker *w = &m->workers[worker];
    uint32_t shared = 0, busy = 0;

    for (unsigned i = 0; i < PGM_BOS; i++) {
        PGMObj *obj = w->bos[i].used ?
                      pgm_lookup(w->files[w->bos[i].file], w->bos[i].handle) :
                      NULL;

        if (obj && (obj->import || (obj->dmabuf && obj->dmabuf->imports))) {
            shared |= 1u << i;
            busy |= (uint32_t)!!pgm_root(obj)->writers << i;
        }
    }
    return busy ?: shared;
}

static void pgm_pick_names(PGMGen *r, PGMOp *op)
{
    PGMUsed used = pgm_used(r->m, op->worker);
    uint32_t shared = pgm_shared_bos(r->m, op->worker);
    PGMUsed theirs;

    op->other = pgm_pick_worker(r, &used, op->kind == PGM_SEND ||
                                op->kind == PGM_SEND_FILE ||
                                op->kind == PGM_KILL);
    theirs = pgm_used(r->m, op->other);
    op->file = pgm_pick(r, PGM_FILES, used.files, op->kind != PGM_OPEN);
    if (shared && pgm_percent(r, pgm_any_gate(r->m) ? 75 : 25)) {
        used.bos = shared;
    }
    op->bo = pgm_pick(r, PGM_BOS, used.bos, true);
    op->fd = pgm_pick(r, PGM_FDS, used.fds, op->kind != PGM_EXPORT);
    op->map = pgm_pick(r, PGM_MAPS, used.maps,
                       op->kind != PGM_MMAP && op->kind != PGM_MMAP_FD);
    switch (op->kind) {
    case PGM_COPY:
        op->to = pgm_pick(r, PGM_BOS, used.bos, true);
        break;
    case PGM_DUP:
    case PGM_EXPORT_SYNC:
        op->to = pgm_pick(r, PGM_FDS, used.fds, false);
        break;
    case PGM_SEND:
        op->to = pgm_pick(r, PGM_FDS, theirs.fds, false);
        break;
    case PGM_SEND_FILE:
        op->to = pgm_pick(r, PGM_FILES, theirs.files, false);
        break;
    default:
        op->to = pgm_pick(r, PGM_BOS, pgm_used(r->m, op->worker).bos, false);
        break;
    }
}

static uint32_t pgm_pick_size(PGMGen *r)
{
    static const uint32_t pages[] = { 1, 1, 1, 1, 2, 2, 3, 16 };

    return pages[pgm_below(r, ARRAY_SIZE(pages))] * PGM_PAGE;
}

/* A range in a buffer of so many bytes, often all of it, seldom too long */
static void pgm_pick_range(PGMGen *r, PGMOp *op, uint32_t size)
{
    op->length = size;
    if (pgm_percent(r, 50)) {
        op->offset = pgm_below(r, size / 8) * 8;
        op->length = (1 + pgm_below(r, (size - op->offset) / 8)) * 8;
        op->offset2 = pgm_below(r, (size - op->length) / 8 + 1) * 8;
    }
    if (pgm_percent(r, 3)) {
        op->offset2 = op->offset += size;
    }
}

static uint32_t pgm_size_of_bo(const PGMGen *r, const PGMOp *op)
{
    const PGMWorker *w = &r->m->workers[op->worker];
    uint32_t size = w->bos[op->bo].used ? w->bos[op->bo].size : PGM_PAGE;

    if (op->kind == PGM_COPY && w->bos[op->to].used) {
        size = MIN(size, w->bos[op->to].size);
    }
    return size;
}

static unsigned pgm_pick_flink(PGMGen *r, const PGMFile *f)
{
    uint32_t used = 0;

    for (unsigned n = 1; f && n < 8; n++) {
        used |= (uint32_t)!!r->m->flinks[f->dev][n] << n;
    }
    return pgm_pick(r, 8, used, true);
}

static unsigned pgm_pick_fb(PGMGen *r, const PGMFile *f)
{
    uint32_t used = 0;

    for (unsigned n = 0; f && n < PGM_FBS; n++) {
        used |= (uint32_t)!!r->m->fbs[f->dev][f->bind][n].obj << n;
    }
    return pgm_pick(r, PGM_FBS, used, true);
}

static void pgm_pick_numbers(PGMGen *r, PGMOp *op)
{
    const PGMWorker *w = &r->m->workers[op->worker];

    switch (op->kind) {
    case PGM_CREATE:
    case PGM_DUMB:
        op->length = pgm_pick_size(r);
        op->mode = w->files[op->file] &&
                   w->files[op->file]->dev == PGM_DISCRETE ? pgm_below(r, 4) :
                   pgm_percent(r, PGM_WILD) ? pgm_below(r, 4) : 0;
        break;
    case PGM_MMAP:
        op->mode = pgm_percent(r, 75) ? PGM_MAP_RW : pgm_below(r, 3);
        break;
    case PGM_MMAP_FD:
        op->mode = pgm_percent(r, 75) ? PGM_MAP_RW : pgm_below(r, 3);
        op->length = w->fds[op->fd].dmabuf && !pgm_percent(r, PGM_WILD) ?
                     w->fds[op->fd].dmabuf->obj->size : pgm_pick_size(r);
        break;
    case PGM_WRITE:
    case PGM_CHECKSUM:
        pgm_pick_range(r, op, w->maps[op->map].used ? w->maps[op->map].size :
                       PGM_PAGE);
        op->value = ++r->seeds;
        break;
    case PGM_FILL:
    case PGM_COPY:
        pgm_pick_range(r, op, pgm_size_of_bo(r, op));
        op->value = pgm_random(r);
        op->wait = !pgm_any_gate(r->m) && pgm_percent(r, 60);
        break;
    case PGM_PLACE:
        op->mode = 1 + pgm_below(r, 3);
        break;
    case PGM_GEM_OPEN:
        op->value = pgm_pick_flink(r, w->files[op->file]);
        break;
    case PGM_ADDFB:
        op->length = pgm_percent(r, 90) ? pgm_size_of_bo(r, op)
                                        : pgm_pick_size(r);
        break;
    case PGM_RMFB:
    case PGM_GETFB:
        op->value = pgm_pick_fb(r, w->files[op->file]);
        op->mode = pgm_below(r, 2);
        break;
    case PGM_EXPORT:
        op->mode = pgm_percent(r, 5);
        break;
    case PGM_SYNC:
        op->mode = pgm_below(r, 3);
        break;
    case PGM_BO_WAIT:
        op->mode = pgm_below(r, 2);
        /* fall through */
    case PGM_SETTLE:
        op->wait = !pgm_any_gate(r->m);
        break;
    default:
        break;
    }
}

static void pgm_pick_device(PGMGen *r, PGMOp *op)
{
    op->device = pgm_below(r, 8) ? pgm_below(r, 2) : PGM_VGEM;
    switch (op->kind) {
    case PGM_OPEN:
        op->mode = op->device != PGM_VGEM && pgm_percent(r, 60);
        break;
    case PGM_EVICT:
        op->device = pgm_percent(r, 90) ? PGM_DISCRETE : PGM_INTEGRATED;
        break;
    case PGM_GATE:
        op->mode = !pgm_any_gate(r->m);
        op->device = r->m->gate[PGM_DISCRETE] ? PGM_DISCRETE :
                     r->m->gate[PGM_INTEGRATED] ? PGM_INTEGRATED :
                     pgm_below(r, 2);
        break;
    case PGM_UNBIND:
    case PGM_BIND:
        op->device = r->m->unbound[PGM_DISCRETE] ? PGM_DISCRETE :
                     r->m->unbound[PGM_INTEGRATED] ? PGM_INTEGRATED :
                     pgm_below(r, 2);
        break;
    case PGM_INJECT:
        op->device = pgm_below(r, 2);
        op->mode = PGM_FAULT_CREATE + pgm_below(r, 3);
        break;
    default:
        break;
    }
}

/* Worker by worker for a while: a batch holds the ops of one of them. */
static unsigned pgm_pick_focus(PGMGen *r)
{
    PGMUsed used = pgm_used(r->m, 1);

    if (!r->stay-- || !r->m->workers[r->focus].exists) {
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

        if (!obj->dead && obj->import && obj->dev != PGM_VGEM) {
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

static void pgm_make_op(PGMGen *r, PGMOp *op)
{
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
    pgm_pick_names(r, op);
    pgm_pick_numbers(r, op);
    pgm_pick_device(r, op);
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

GArray *pgm_generate(uint64_t seed, unsigned n)
{
    GArray *ops = g_array_new(FALSE, TRUE, sizeof(PGMOp));
    PGMGen r = { .state = seed * 0x2545f4914f6cdd1dull + 1, .focus = 1 };
    unsigned tries = 0;

    r.m = pgm_new();
    /* Any number will do: it is in no op. */
    r.m->fb_base[PGM_INTEGRATED] = r.m->fb_base[PGM_DISCRETE] = 1;
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

void pgm_epilogue(GArray *ops)
{
    for (unsigned dev = PGM_INTEGRATED; dev <= PGM_DISCRETE; dev++) {
        PGMOp gate = { .kind = PGM_GATE, .device = dev };

        g_array_append_val(ops, gate);
    }
    for (unsigned n = PGM_WORKERS; n-- > 1;) {
        PGMOp settle = {
            .kind = PGM_SETTLE, .worker = 1, .wait = true, .mode = 1,
        };
        PGMOp kill = { .kind = PGM_KILL, .other = n, .mode = 1 };

        g_array_append_val(ops, settle);
        g_array_append_val(ops, kill);
        g_array_append_val(ops, settle);
    }
}
