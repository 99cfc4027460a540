/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, generator: names and numbers of an op whose kind is chosen.  Most
 * fit what there is.
 */
#include "primegpu-model-gen.h"
#include "hw/display/primegpu/primegpu_agent.h"

/* How often, in percent, an op takes any name and not one that fits */
#define PGM_WILD 4

uint64_t pgm_random(PGMGen *r)
{
    return primegpu_agent_pattern_word(++r->drawn, r->seed);
}

unsigned pgm_below(PGMGen *r, unsigned n)
{
    return pgm_random(r) % n;
}

bool pgm_percent(PGMGen *r, unsigned n)
{
    return pgm_below(r, 100) < n;
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

PGMUsed pgm_used(const PGModel *m, unsigned worker)
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
        used.fences |= (uint32_t)!!w->fds[i].fence << i;
        used.syncobjs |= (uint32_t)!!w->fds[i].syncobj << i;
    }
    for (unsigned i = 0; i < PGM_MAPS; i++) {
        used.maps |= (uint32_t)w->maps[i].used << i;
    }
    for (unsigned i = 0; i < PGM_SYNCS; i++) {
        used.syncs |= (uint32_t)w->syncs[i].used << i;
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

/* Which fds an op is for, or none */
static uint32_t pgm_fds_for(PGMKind kind, const PGMUsed *used)
{
    switch (kind) {
    case PGM_FENCE_WAIT:
    case PGM_SYNCOBJ_LOAD:
    case PGM_MERGE_SYNC:
        return used->fences;
    case PGM_SYNCOBJ_IMPORT:
        return used->syncobjs;
    default:
        return used->fds & ~used->fences & ~used->syncobjs;
    }
}

/* Ops that give a name to a new fd, or may */
static bool pgm_is_new_fd(PGMKind kind)
{
    return kind == PGM_EXPORT || kind == PGM_SYNCOBJ_EXPORT ||
           kind == PGM_FILL || kind == PGM_COPY;
}

static bool pgm_is_new_sync(PGMKind kind)
{
    return kind == PGM_SYNCOBJ || kind == PGM_SYNCOBJ_IMPORT;
}

static bool pgm_is_kms(PGMKind kind)
{
    return kind == PGM_SHOW || kind == PGM_HIDE || kind == PGM_POWER ||
           kind == PGM_FLIP || kind == PGM_MASTER || kind == PGM_RMFB ||
           kind == PGM_GETFB || kind == PGM_CURSOR_SET ||
           kind == PGM_CURSOR_MOVE;
}

/* Those of a worker's files that can have framebuffers, first the masters */
static uint32_t pgm_kms_files(const PGModel *m, unsigned worker)
{
    const PGMWorker *w = &m->workers[worker];
    uint32_t cards = 0, masters = 0;

    for (unsigned i = 0; i < PGM_FILES; i++) {
        const PGMFile *f = w->files[i];

        if (f && !f->render && f->dev != PGM_VGEM) {
            cards |= 1u << i;
            masters |= (uint32_t)(m->outputs[f->dev].master == f) << i;
        }
    }
    return masters ?: cards;
}

/* Those BOs of a worker that are of such files */
static uint32_t pgm_kms_bos(const PGModel *m, unsigned worker)
{
    uint32_t files = pgm_kms_files(m, worker), bos = 0;

    for (unsigned i = 0; i < PGM_BOS; i++) {
        const PGMBoName *bo = &m->workers[worker].bos[i];

        bos |= (uint32_t)(bo->used && files & (1u << bo->file)) << i;
    }
    return bos;
}

static void pgm_prefer(PGMGen *r, uint32_t *used, uint32_t better)
{
    if (better && pgm_percent(r, 75)) {
        *used = better;
    }
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
    if (pgm_is_kms(op->kind)) {
        pgm_prefer(r, &used.files, pgm_kms_files(r->m, op->worker));
    }
    op->file = pgm_pick(r, PGM_FILES, used.files, op->kind != PGM_OPEN);
    if (shared && pgm_percent(r, pgm_any_gate(r->m) ? 75 : 25)) {
        used.bos = shared;
    }
    if (op->kind == PGM_ADDFB || op->kind == PGM_CURSOR_SET) {
        pgm_prefer(r, &used.bos, pgm_kms_bos(r->m, op->worker));
    }
    op->bo = pgm_pick(r, PGM_BOS, used.bos, true);
    if (op->kind != PGM_CLOSE_FD && !pgm_is_new_fd(op->kind)) {
        pgm_prefer(r, &used.fds, pgm_fds_for(op->kind, &used));
    }
    op->fd = pgm_pick(r, PGM_FDS, used.fds, !pgm_is_new_fd(op->kind));
    op->fd2 = pgm_pick(r, PGM_FDS, used.fences, true);
    op->sync = pgm_pick(r, PGM_SYNCS, used.syncs, !pgm_is_new_sync(op->kind));
    op->map = pgm_pick(r, PGM_MAPS, used.maps,
                       op->kind != PGM_MMAP && op->kind != PGM_MMAP_FD);
    switch (op->kind) {
    case PGM_COPY:
        op->to = pgm_pick(r, PGM_BOS, used.bos, true);
        break;
    case PGM_DUP:
    case PGM_EXPORT_SYNC:
    case PGM_MERGE_SYNC:
        op->to = pgm_pick(r, PGM_FDS, pgm_used(r->m, op->worker).fds, false);
        break;
    case PGM_SYNCOBJ_TRANSFER:
        op->to = pgm_pick(r, PGM_SYNCS, used.syncs, true);
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
    uint32_t size = w->bos[op->bo].used ? w->bos[op->bo].size : 0;

    if (op->kind == PGM_COPY && w->bos[op->to].used) {
        size = MIN(size, w->bos[op->to].size);
    }
    return size ?: PGM_PAGE;
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

/* Of ops on fences and syncobjs, and on names of dma-bufs */
static void pgm_pick_fence_numbers(PGMGen *r, PGMOp *op)
{
    switch (op->kind) {
    case PGM_EXPORT_SYNC:
    case PGM_IMPORT_SYNC:
        op->mode = pgm_below(r, 2);
        break;
    case PGM_SET_NAME:
        op->value = pgm_below(r, 100);
        break;
    case PGM_SYNCOBJ_EXPORT:
        op->mode = pgm_below(r, 2);
        break;
    case PGM_SYNCOBJ_SIGNAL:
    case PGM_SYNCOBJ_TRANSFER:
        op->value = pgm_percent(r, 60) ? 0 : ++r->seeds;
        break;
    case PGM_SYNCOBJ_WAIT:
        op->value = pgm_percent(r, 60) ? 0 : pgm_below(r, r->seeds + 2);
        op->wait = pgm_percent(r, 30);
        break;
    case PGM_FENCE_WAIT:
        op->wait = pgm_percent(r, 30);
        break;
    default:
        break;
    }
}

static void pgm_pick_kms_numbers(PGMGen *r, PGMOp *op)
{
    const PGMWorker *w = &r->m->workers[op->worker];

    switch (op->kind) {
    case PGM_ADDFB:
        op->length = pgm_percent(r, 90) ? pgm_size_of_bo(r, op)
                                        : pgm_pick_size(r);
        break;
    case PGM_RMFB:
    case PGM_GETFB:
        op->value = pgm_pick_fb(r, w->files[op->file]);
        op->mode = pgm_below(r, 2);
        break;
    case PGM_SHOW:
        op->value = pgm_pick_fb(r, w->files[op->file]);
        /* fall through */
    case PGM_HIDE:
        op->mode = pgm_percent(r, 50) ? PGM_PRIMARY : pgm_below(r, PGM_PLANES);
        break;
    case PGM_FLIP:
        op->value = pgm_pick_fb(r, w->files[op->file]);
        op->mode = pgm_below(r, 2);
        break;
    case PGM_POWER:
        op->mode = pgm_percent(r, 60);
        break;
    case PGM_MASTER:
        op->mode = pgm_percent(r, 60);
        break;
    case PGM_CURSOR_SET:
        op->mode = pgm_percent(r, 75);
        op->file = op->mode && w->bos[op->bo].used ? w->bos[op->bo].file
                                                   : op->file;
        break;
    case PGM_CURSOR_MOVE:
        op->offset = pgm_below(r, PGM_SCREEN);
        op->offset2 = pgm_below(r, PGM_SCREEN);
        break;
    default:
        break;
    }
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
        op->mode = (pgm_percent(r, 10) ? PGM_OUT_FD : 0) |
                   (pgm_percent(r, 20) ? PGM_OUT_SYNCOBJ : 0);
        break;
    case PGM_PLACE:
        op->mode = 1 + pgm_below(r, 3);
        break;
    case PGM_GEM_OPEN:
        op->value = pgm_pick_flink(r, w->files[op->file]);
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
        if (pgm_is_kms(op->kind) || op->kind == PGM_ADDFB) {
            pgm_pick_kms_numbers(r, op);
        } else {
            pgm_pick_fence_numbers(r, op);
        }
        break;
    }
}

static void pgm_pick_device(PGMGen *r, PGMOp *op)
{
    op->device = pgm_below(r, 6) ? pgm_below(r, 2)
                                 : PGM_VGEM + pgm_below(r, 2);
    switch (op->kind) {
    case PGM_OPEN:
        op->mode = pgm_is_gpu(op->device) ? pgm_percent(r, 50)
                   : op->device == PGM_VKMS && pgm_percent(r, PGM_WILD);
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

void pgm_pick_op(PGMGen *r, PGMOp *op)
{
    pgm_pick_names(r, op);
    pgm_pick_numbers(r, op);
    pgm_pick_device(r, op);
}
