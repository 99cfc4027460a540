/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, generator: situations that chance alone brings about too seldom.
 * A plan is a few ops that lead to one; random ops go on from there.  An op
 * that does not fit any more is an error, or left out, like any other.
 */
#include "primegpu-model.h"

typedef struct PGMPlan {
    GArray *ops;
    const PGModel *m;
    unsigned worker;
    uint32_t files, bos, fds, syncs; /* names that the plan has taken */
} PGMPlan;

static void pgm_plan_add(PGMPlan *p, PGMOp op)
{
    op.worker = p->worker;
    g_array_append_val(p->ops, op);
}

/* A name that is free, or the last one: then the plan fails, and harms not. */
static unsigned pgm_plan_name(uint32_t *taken, unsigned n)
{
    unsigned name = 0;

    while (name < n - 1 && (*taken & (1u << name))) {
        name++;
    }
    *taken |= 1u << name;
    return name;
}

/* A file of the GPU, opened if there is none; card: that may use flink */
static unsigned pgm_plan_file(PGMPlan *p, PGMDevice dev, bool card)
{
    const PGMWorker *w = &p->m->workers[p->worker];
    PGMOp open = { .kind = PGM_OPEN, .device = dev, .mode = !card };
    PGMOp close = { .kind = PGM_CLOSE_FILE };

    for (unsigned i = 0; i < PGM_FILES; i++) {
        const PGMFile *f = w->files[i];

        if (f && f->dev == dev && !(card && f->render)) {
            p->files |= 1u << i;
            return i;
        }
    }
    open.file = pgm_plan_name(&p->files, PGM_FILES);
    if (w->files[open.file]) {
        close.file = open.file;
        pgm_plan_add(p, close);
    }
    pgm_plan_add(p, open);
    return open.file;
}

static unsigned pgm_plan_create(PGMPlan *p, unsigned file)
{
    PGMOp op = {
        .kind = PGM_CREATE, .file = file, .length = PGM_PAGE,
        .to = pgm_plan_name(&p->bos, PGM_BOS),
    };

    pgm_plan_add(p, op);
    return op.to;
}

static unsigned pgm_plan_export(PGMPlan *p, unsigned bo)
{
    PGMOp op = {
        .kind = PGM_EXPORT, .bo = bo, .fd = pgm_plan_name(&p->fds, PGM_FDS),
    };

    pgm_plan_add(p, op);
    return op.fd;
}

static unsigned pgm_plan_import(PGMPlan *p, unsigned file, unsigned fd)
{
    PGMOp op = {
        .kind = PGM_IMPORT, .file = file, .fd = fd,
        .to = pgm_plan_name(&p->bos, PGM_BOS),
    };

    pgm_plan_add(p, op);
    return op.to;
}

static void pgm_plan_fill(PGMPlan *p, unsigned bo, uint32_t value)
{
    PGMOp op = {
        .kind = PGM_FILL, .bo = bo, .length = PGM_PAGE, .value = value,
    };

    pgm_plan_add(p, op);
}

/* Both GPUs have jobs on the same bytes, and a gate holds the first. */
static void pgm_plan_gate(PGMPlan *p, uint64_t random)
{
    PGMDevice exporter = random & 1, gate = random >> 1 & 1;
    unsigned fe = pgm_plan_file(p, exporter, false);
    unsigned fi = pgm_plan_file(p, !exporter, false);
    unsigned bos[PGM_DEVICES];
    PGMOp settle = { .kind = PGM_SETTLE, .wait = true };
    PGMOp op = { .kind = PGM_GATE, .device = gate, .mode = true };

    bos[exporter] = pgm_plan_create(p, fe);
    bos[!exporter] = pgm_plan_import(p, fi, pgm_plan_export(p, bos[exporter]));
    pgm_plan_add(p, settle);
    pgm_plan_add(p, op);
    pgm_plan_fill(p, bos[gate], random >> 8);
    pgm_plan_fill(p, bos[!gate], random >> 16);
}

/* Two handles of a file to one object, both exported, one closed */
static void pgm_plan_alias(PGMPlan *p, uint64_t random)
{
    PGMDevice dev = random & 1;
    unsigned file = pgm_plan_file(p, dev, true);
    unsigned bo = pgm_plan_create(p, file), alias;
    PGMOp flink = { .kind = PGM_FLINK, .bo = bo };
    PGMOp open = { .kind = PGM_GEM_OPEN, .file = file, .value = 1 };
    PGMOp close = { .kind = PGM_CLOSE };

    /* The number that the flink will give */
    while (open.value < PGM_FLINKS - 1 && p->m->flinks[dev][open.value]) {
        open.value++;
    }
    pgm_plan_add(p, flink);
    open.to = alias = pgm_plan_name(&p->bos, PGM_BOS);
    pgm_plan_add(p, open);
    pgm_plan_export(p, random & 2 ? bo : alias);
    pgm_plan_export(p, random & 2 ? alias : bo);
    close.bo = random & 4 ? bo : alias;
    pgm_plan_add(p, close);
}

static void pgm_plan_wait(PGMPlan *p, unsigned bo, uint32_t value)
{
    PGMOp op = {
        .kind = PGM_FILL, .bo = bo, .length = PGM_PAGE, .value = value,
        .wait = true,
    };

    pgm_plan_add(p, op);
}

/* Framebuffer numbers that the next ones get */
static void pgm_plan_fbs(const PGModel *m, PGMDevice dev, unsigned *fbs,
                         unsigned n)
{
    for (unsigned slot = 0, i = 0; i < n; slot++) {
        if (slot == PGM_FBS || !m->fbs[dev][m->binds[dev]][slot].obj) {
            fbs[i++] = slot;
        }
    }
}

/* A flip to what a job behind a gate will draw; the old one has no names. */
static void pgm_plan_flip(PGMPlan *p, uint64_t random)
{
    PGMDevice dev = random & 1;
    unsigned file = pgm_plan_file(p, dev, true);
    unsigned bos[2] = { pgm_plan_create(p, file), pgm_plan_create(p, file) };
    unsigned fbs[2];
    PGMOp addfb = { .kind = PGM_ADDFB, .length = PGM_PAGE };
    PGMOp show = { .kind = PGM_SHOW, .file = file };
    PGMOp settle = { .kind = PGM_SETTLE, .wait = true };
    PGMOp gate = { .kind = PGM_GATE, .device = dev, .mode = true };
    PGMOp flip = { .kind = PGM_FLIP, .file = file, .mode = true };
    PGMOp remove = { .kind = PGM_RMFB, .file = file, .mode = random >> 1 & 1 };
    PGMOp close = { .kind = PGM_CLOSE, .bo = bos[0] };

    pgm_plan_fbs(p->m, dev, fbs, 2);
    for (unsigned i = 0; i < 2; i++) {
        addfb.bo = bos[i];
        pgm_plan_add(p, addfb);
    }
    show.value = fbs[0];
    pgm_plan_add(p, show);
    pgm_plan_wait(p, bos[1], random >> 8);
    pgm_plan_add(p, settle);
    pgm_plan_add(p, gate);
    pgm_plan_fill(p, bos[1], random >> 16);
    flip.value = fbs[1];
    pgm_plan_add(p, flip);
    remove.value = fbs[0];
    pgm_plan_add(p, remove);
    pgm_plan_add(p, close);
}

/* The same without a gate, of vkms */
static void pgm_plan_vkms(PGMPlan *p, uint64_t random)
{
    unsigned file = pgm_plan_file(p, PGM_VKMS, true);
    unsigned fbs[2];
    PGMOp addfb = { .kind = PGM_ADDFB, .length = PGM_PAGE };
    PGMOp show = { .kind = PGM_SHOW, .file = file };
    PGMOp flip = { .kind = PGM_FLIP, .file = file, .mode = random & 1 };
    PGMOp remove = { .kind = PGM_RMFB, .file = file, .mode = true };

    pgm_plan_fbs(p->m, PGM_VKMS, fbs, 2);
    for (unsigned i = 0; i < 2; i++) {
        addfb.bo = pgm_plan_create(p, file);
        pgm_plan_add(p, addfb);
    }
    show.value = remove.value = fbs[0];
    pgm_plan_add(p, show);
    /* Nothing but the plane keeps it. */
    pgm_plan_add(p, remove);
    flip.value = fbs[1];
    pgm_plan_add(p, flip);
}

/* A fence of two, one of which a gate holds, in a sync_file and a syncobj */
static void pgm_plan_merge(PGMPlan *p, uint64_t random)
{
    PGMDevice dev = random & 1;
    bool held_first = random >> 1 & 1;
    unsigned file = pgm_plan_file(p, dev, false);
    unsigned bo = pgm_plan_create(p, file);
    PGMOp sync = {
        .kind = PGM_SYNCOBJ, .file = file,
        .sync = pgm_plan_name(&p->syncs, PGM_SYNCS),
    };
    PGMOp fill = {
        .kind = PGM_FILL, .bo = bo, .length = PGM_PAGE, .mode = PGM_OUT_FD,
        .wait = true,
    };
    PGMOp settle = { .kind = PGM_SETTLE, .wait = true };
    PGMOp gate = { .kind = PGM_GATE, .device = dev, .mode = true };
    PGMOp merge = { .kind = PGM_MERGE_SYNC }, wait = { .kind = PGM_FENCE_WAIT };
    PGMOp load = { .kind = PGM_SYNCOBJ_LOAD, .sync = sync.sync };
    PGMOp sync_wait = { .kind = PGM_SYNCOBJ_WAIT, .sync = sync.sync };

    pgm_plan_add(p, sync);
    fill.fd = pgm_plan_name(&p->fds, PGM_FDS);
    pgm_plan_add(p, fill);
    pgm_plan_add(p, settle);
    pgm_plan_add(p, gate);
    merge.fd = merge.fd2 = fill.fd;
    fill.wait = false;
    fill.fd = pgm_plan_name(&p->fds, PGM_FDS);
    pgm_plan_add(p, fill);
    if (held_first) {
        merge.fd = fill.fd;
    } else {
        merge.fd2 = fill.fd;
    }
    wait.fd = load.fd = merge.to = pgm_plan_name(&p->fds, PGM_FDS);
    pgm_plan_add(p, merge);
    pgm_plan_add(p, wait);
    pgm_plan_add(p, load);
    pgm_plan_add(p, sync_wait);
}

static void pgm_plan_place(PGMPlan *p, unsigned bo, PGMPlacement where)
{
    PGMOp op = { .kind = PGM_PLACE, .bo = bo, .mode = where };

    pgm_plan_add(p, op);
}

/*
 * A process waits for a job, to move its buffer, and another one that has the
 * same file closes the handle.
 */
static void pgm_plan_move(PGMPlan *p, uint64_t random)
{
    PGMPlacement from = random & 1 ? PGM_PLACE_VRAM : PGM_PLACE_PAGES;
    PGMPlacement to = random & 1 ? PGM_PLACE_PAGES : PGM_PLACE_VRAM;
    unsigned bo = pgm_plan_create(p, pgm_plan_file(p, PGM_DISCRETE, false));
    unsigned other = p->worker == PGM_WORKERS - 1 ? 2 : p->worker + 1;
    PGMOp fork = { .kind = PGM_FORK, .other = other };
    PGMOp settle = { .kind = PGM_SETTLE, .wait = true };
    PGMOp gate = { .kind = PGM_GATE, .device = PGM_DISCRETE, .mode = true };
    PGMOp close = { .kind = PGM_CLOSE, .worker = other, .bo = bo };

    pgm_plan_place(p, bo, from);
    pgm_plan_add(p, fork);
    pgm_plan_add(p, settle);
    pgm_plan_add(p, gate);
    pgm_plan_fill(p, bo, random >> 8);
    pgm_plan_place(p, bo, to);
    if (random & 2 && !p->m->workers[other].exists) {
        g_array_append_val(p->ops, close);
    }
}

/* One that is not p1, which the rig needs; it may have to be made. */
static unsigned pgm_plan_worker(GArray *ops, const PGModel *m, unsigned worker)
{
    PGMOp spawn = { .kind = PGM_SPAWN, .worker = 1, .other = 2 };

    if (worker != 1) {
        return worker;
    }
    if (!m->workers[2].exists) {
        g_array_append_val(ops, spawn);
    }
    return 2;
}

GArray *pgm_plan(const PGModel *m, unsigned worker, uint64_t random)
{
    unsigned which = (random >> 56) % 6;
    PGMPlan p = {
        .ops = g_array_new(FALSE, TRUE, sizeof(PGMOp)), .m = m,
        .worker = worker,
    };
    const PGMWorker *w;

    if (which == 4) {
        p.worker = pgm_plan_worker(p.ops, m, worker);
    }
    w = &m->workers[p.worker];
    for (unsigned i = 0; i < PGM_FILES; i++) {
        p.files |= (uint32_t)!!w->files[i] << i;
    }
    for (unsigned i = 0; i < PGM_BOS; i++) {
        p.bos |= (uint32_t)w->bos[i].used << i;
    }
    for (unsigned i = 0; i < PGM_FDS; i++) {
        p.fds |= (uint32_t)w->fds[i].used << i;
    }
    for (unsigned i = 0; i < PGM_SYNCS; i++) {
        p.syncs |= (uint32_t)w->syncs[i].used << i;
    }
    switch (which) {
    case 0:
        pgm_plan_gate(&p, random);
        break;
    case 1:
        pgm_plan_flip(&p, random);
        break;
    case 2:
        pgm_plan_merge(&p, random);
        break;
    case 3:
        pgm_plan_alias(&p, random);
        break;
    case 4:
        pgm_plan_move(&p, random);
        break;
    default:
        pgm_plan_vkms(&p, random);
        break;
    }
    return p.ops;
}
