/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, reference model: sync_files and syncobjs.  A fence is the jobs
 * that it waits for, as they were when it was made; it keeps nothing that the
 * devices know, but its state tells whether it is the right one.
 *
 * Nobody knows whether a job that no gate holds is done, so a short wait is
 * for fences that are done for certain, or not done for certain.
 */
#include "primegpu-model.h"

struct PGMFence {
    GArray *jobs;               /* their numbers */
    /* PGMPoint: of a timeline, up to it; a syncobj that gets it is one, too */
    GArray *chain;
    /* Made before a GPU was unbound: its name may have gone with that. */
    bool nameless;
};

typedef struct PGMPoint {
    uint64_t point;
    PGMFence *fence;            /* of this point and all before it */
} PGMPoint;

/* Binary with a fence, or a timeline with points, or nothing yet */
struct PGMSyncobj {
    PGMFence *fence;
    GArray *points;             /* PGMPoint, rising */
};

void pgm_fence_free(gpointer data)
{
    PGMFence *fence = data;

    g_array_unref(fence->jobs);
    g_clear_pointer(&fence->chain, g_array_unref);
    g_free(fence);
}

void pgm_syncobj_free(gpointer data)
{
    PGMSyncobj *sync = data;

    g_array_unref(sync->points);
    g_free(sync);
}

/* Signalled, as long as nothing is added */
PGMFence *pgm_fence_new(PGModel *m)
{
    PGMFence *fence = g_new0(PGMFence, 1);

    fence->jobs = g_array_new(FALSE, FALSE, sizeof(unsigned));
    g_ptr_array_add(m->fences, fence);
    return fence;
}

void pgm_fence_add_job(PGMFence *fence, unsigned id)
{
    g_array_append_val(fence->jobs, id);
}

static PGMFence *pgm_fence_merge(PGModel *m, const PGMFence *a,
                                 const PGMFence *b)
{
    PGMFence *both = pgm_fence_new(m);

    both->nameless = a->nameless || (b && b->nameless);
    g_array_append_vals(both->jobs, a->jobs->data, a->jobs->len);
    if (b) {
        g_array_append_vals(both->jobs, b->jobs->data, b->jobs->len);
    }
    return both;
}

void pgm_fences_lose_names(PGModel *m)
{
    for (unsigned i = 0; i < m->fences->len; i++) {
        PGMFence *fence = g_ptr_array_index(m->fences, i);

        fence->nameless = true;
    }
}

bool pgm_fence_has(const PGMFence *fence, unsigned id)
{
    for (unsigned i = 0; i < fence->jobs->len; i++) {
        if (g_array_index(fence->jobs, unsigned, i) == id) {
            return true;
        }
    }
    return false;
}

/* A wait for a fence, or for one that has still to come; NULL: for none */
static bool pgm_wait(PGModel *m, const PGMOp *op, PGMExpect *x,
                     const PGMFence *fence)
{
    PGMFenceState state = fence ? pgm_fence_state(m, fence) : PGM_FENCE_HELD;

    if (op->wait) {
        if (state == PGM_FENCE_HELD) {
            return false;
        }
        pgm_fence_done(m, fence);
    } else if (state == PGM_FENCE_HELD) {
        x->error = "ETIME";
    } else if (state == PGM_FENCE_OPEN) {
        return false;
    }
    return true;
}

/* sync_files */

static bool pgm_export_sync(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMWorker *w = &m->workers[op->worker];
    PGMFdName *fd = &w->fds[op->fd];

    if (!fd->used) {
        x->error = "ESRCH";
    } else if (w->fds[op->to].used) {
        x->error = "EEXIST";
    } else if (!fd->dmabuf) {
        x->error = "ENOTTY";
    } else {
        w->fds[op->to] = (PGMFdName) {
            .used = true,
            .fence = pgm_fence_of_root(m, fd->dmabuf->obj, op->mode),
        };
    }
    return true;
}

static bool pgm_merge_sync(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMWorker *w = &m->workers[op->worker];
    PGMFdName *a = &w->fds[op->fd], *b = &w->fds[op->fd2];

    if (!a->used || !b->used) {
        x->error = "ESRCH";
    } else if (w->fds[op->to].used) {
        x->error = "EEXIST";
    } else if (a->syncobj) {
        return false;
    } else if (!a->fence) {
        x->error = "ENOTTY";
    } else if (!b->fence) {
        x->error = "ENOENT";
    } else {
        w->fds[op->to] = (PGMFdName) {
            .used = true, .fence = pgm_fence_merge(m, a->fence, b->fence),
        };
    }
    return true;
}

/* Jobs wait for it from now on, as if it were a writer: not for a gate. */
static bool pgm_import_sync(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMWorker *w = &m->workers[op->worker];
    PGMFdName *to = &w->fds[op->fd], *fd = &w->fds[op->fd2];

    if (!to->used || !fd->used) {
        x->error = "ESRCH";
    } else if (to->syncobj) {
        return false;
    } else if (!to->dmabuf) {
        x->error = "ENOTTY";
    } else if (!fd->fence) {
        x->error = "EINVAL";
    } else if (pgm_any_gate(m) &&
               pgm_fence_state(m, fd->fence) != PGM_FENCE_DONE) {
        return false;
    } else {
        PGMObj *root = to->dmabuf->obj;

        root->imported = pgm_fence_merge(m, fd->fence, root->imported);
    }
    return true;
}

static bool pgm_fence_wait(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFdName *fd = &m->workers[op->worker].fds[op->fd];

    if (!fd->used) {
        x->error = "ESRCH";
        return true;
    }
    /* It is asked how it has ended, and its name comes with that. */
    return fd->fence && !fd->fence->nameless && pgm_wait(m, op, x, fd->fence);
}

static bool pgm_set_name(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFdName *fd = &m->workers[op->worker].fds[op->fd];

    if (!fd->used) {
        x->error = "ESRCH";
    } else if (fd->syncobj) {
        return false;
    } else if (!fd->dmabuf) {
        x->error = "ENOTTY";
    }
    return true;
}

/* syncobjs */

PGMSyncobj *pgm_syncobj(const PGMWorker *w, unsigned name)
{
    const PGMSyncName *s = &w->syncs[name];

    return s->used ? w->files[s->file]->syncobjs[s->handle] : NULL;
}

void pgm_syncobj_set(PGMSyncobj *sync, PGMFence *fence)
{
    const GArray *chain = fence ? fence->chain : NULL;

    g_array_set_size(sync->points, 0);
    if (chain) {
        g_array_append_vals(sync->points, chain->data, chain->len);
    }
    sync->fence = chain ? NULL : fence;
}

static const PGMPoint *pgm_last(const PGMSyncobj *sync)
{
    return sync->points->len ? &g_array_index(sync->points, PGMPoint,
                                              sync->points->len - 1) : NULL;
}

/* Point 0 is what the syncobj has now; NULL: it has nothing, or not yet. */
static PGMFence *pgm_syncobj_fence(const PGMSyncobj *sync, uint64_t point)
{
    const PGMPoint *last = pgm_last(sync);

    if (!point) {
        return last ? last->fence : sync->fence;
    }
    for (unsigned i = 0; i < sync->points->len; i++) {
        const PGMPoint *p = &g_array_index(sync->points, PGMPoint, i);

        if (p->point >= point) {
            return p->fence;
        }
    }
    return NULL;
}

/* Points rise, and a syncobj is one thing or the other. */
static bool pgm_point_fits(const PGMSyncobj *sync, uint64_t point)
{
    const PGMPoint *last = pgm_last(sync);

    return point ? !sync->fence && (!last || point > last->point) : !last;
}

static void pgm_syncobj_put_fence(PGModel *m, PGMSyncobj *sync,
                                  uint64_t point, PGMFence *fence)
{
    const PGMPoint *last = pgm_last(sync);
    PGMPoint p = { point };

    if (!point) {
        pgm_syncobj_set(sync, fence);
        return;
    }
    p.fence = pgm_fence_merge(m, fence, last ? last->fence : NULL);
    g_array_append_val(sync->points, p);
    p.fence->chain = g_array_copy(sync->points);
}

/* A new handle in a file, and its name; the lowest that is free */
static bool pgm_name_sync(PGModel *m, const PGMOp *op, PGMExpect *x, PGMFile *f,
                          PGMSyncobj *sync)
{
    unsigned handle = 1;

    while (handle < PGM_SYNCOBJS && f->syncobjs[handle]) {
        handle++;
    }
    if (handle == PGM_SYNCOBJS) {
        return false;
    }
    if (!sync) {
        sync = g_new0(PGMSyncobj, 1);
        sync->points = g_array_new(FALSE, FALSE, sizeof(PGMPoint));
        g_ptr_array_add(m->syncobjs, sync);
    }
    f->syncobjs[handle] = sync;
    m->workers[op->worker].syncs[op->sync] = (PGMSyncName) {
        .used = true, .file = op->file, .handle = handle,
    };
    x->sync_handle = handle;
    return true;
}

static bool pgm_syncobj_new(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMWorker *w = &m->workers[op->worker];
    PGMFile *f = w->files[op->file];
    bool import = op->kind == PGM_SYNCOBJ_IMPORT;
    const PGMFdName *fd = &w->fds[op->fd];

    if (!f || (import && !fd->used)) {
        x->error = "ESRCH";
    } else if (w->syncs[op->sync].used) {
        x->error = "EEXIST";
    } else if (!pgm_is_gpu(f->dev)) {
        x->error = "EOPNOTSUPP";
    } else if (import && !fd->syncobj) {
        x->error = "EINVAL";
    } else {
        return pgm_name_sync(m, op, x, f, import ? fd->syncobj : NULL);
    }
    return true;
}

static bool pgm_syncobj_destroy(PGModel *m, const PGMOp *op)
{
    PGMWorker *w = &m->workers[op->worker];
    PGMSyncName *s = &w->syncs[op->sync];

    w->files[s->file]->syncobjs[s->handle] = NULL;
    s->used = false;
    return true;
}

static bool pgm_syncobj_export(PGModel *m, const PGMOp *op, PGMExpect *x,
                               PGMSyncobj *sync)
{
    PGMFdName *fd = &m->workers[op->worker].fds[op->fd];
    bool file = op->mode;

    if (fd->used) {
        x->error = "EEXIST";
    } else if (file && !pgm_syncobj_fence(sync, 0)) {
        x->error = "EINVAL";
    } else {
        *fd = (PGMFdName) {
            .used = true, .syncobj = file ? NULL : sync,
            .fence = file ? pgm_syncobj_fence(sync, 0) : NULL,
        };
    }
    return true;
}

static bool pgm_syncobj_load(PGModel *m, const PGMOp *op, PGMExpect *x,
                             PGMSyncobj *sync)
{
    const PGMFdName *fd = &m->workers[op->worker].fds[op->fd];

    if (!fd->used) {
        x->error = "ESRCH";
    } else if (!fd->fence) {
        x->error = "EINVAL";
    } else {
        pgm_syncobj_set(sync, fd->fence);
    }
    return true;
}

static bool pgm_syncobj_transfer(PGModel *m, const PGMOp *op, PGMExpect *x,
                                 PGMSyncobj *dst)
{
    PGMWorker *w = &m->workers[op->worker];
    PGMSyncobj *src = pgm_syncobj(w, op->to);
    PGMFence *fence = src ? pgm_syncobj_fence(src, 0) : NULL;

    if (!w->syncs[op->to].used) {
        x->error = "ESRCH";
    } else if (!src || w->syncs[op->sync].file != w->syncs[op->to].file) {
        return false;
    } else if (!fence) {
        x->error = "EINVAL";
    } else if (!pgm_point_fits(dst, op->value)) {
        return false;
    } else {
        pgm_syncobj_put_fence(m, dst, op->value, fence);
    }
    return true;
}

static bool pgm_syncobj_query(PGModel *m, PGMExpect *x, const PGMSyncobj *sync)
{
    const PGMPoint *last = pgm_last(sync);

    x->has_submitted = true;
    x->submitted = last ? last->point : 0;
    x->signalled = !last ||
                   pgm_fence_state(m, last->fence) == PGM_FENCE_DONE;
    return true;
}

static bool pgm_steps_syncobj(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMSyncobj *sync = pgm_syncobj(&m->workers[op->worker], op->sync);

    if (!m->workers[op->worker].syncs[op->sync].used) {
        x->error = "ESRCH";
        return true;
    }
    if (!sync) {
        /* Another process has destroyed it. */
        return false;
    }
    switch (op->kind) {
    case PGM_SYNCOBJ_DESTROY:
        return pgm_syncobj_destroy(m, op);
    case PGM_SYNCOBJ_SIGNAL:
        if (!pgm_point_fits(sync, op->value)) {
            return false;
        }
        pgm_syncobj_put_fence(m, sync, op->value, pgm_fence_new(m));
        return true;
    case PGM_SYNCOBJ_RESET:
        pgm_syncobj_set(sync, NULL);
        return true;
    case PGM_SYNCOBJ_WAIT:
        return pgm_wait(m, op, x, pgm_syncobj_fence(sync, op->value));
    case PGM_SYNCOBJ_EXPORT:
        return pgm_syncobj_export(m, op, x, sync);
    case PGM_SYNCOBJ_LOAD:
        return pgm_syncobj_load(m, op, x, sync);
    case PGM_SYNCOBJ_TRANSFER:
        return pgm_syncobj_transfer(m, op, x, sync);
    default:
        return pgm_syncobj_query(m, x, sync);
    }
}

bool pgm_steps_sync(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    switch (op->kind) {
    case PGM_EXPORT_SYNC:
        return pgm_export_sync(m, op, x);
    case PGM_MERGE_SYNC:
        return pgm_merge_sync(m, op, x);
    case PGM_IMPORT_SYNC:
        return pgm_import_sync(m, op, x);
    case PGM_FENCE_WAIT:
        return pgm_fence_wait(m, op, x);
    case PGM_SET_NAME:
        return pgm_set_name(m, op, x);
    case PGM_SYNCOBJ:
    case PGM_SYNCOBJ_IMPORT:
        return pgm_syncobj_new(m, op, x);
    default:
        return pgm_steps_syncobj(m, op, x);
    }
}
