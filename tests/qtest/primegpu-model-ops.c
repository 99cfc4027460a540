/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, reference model: what each op does to the names of its worker,
 * to files and handles, and the error that the agent or the kernel gives.
 */
#include "primegpu-model.h"

PGMObj *pgm_bo(PGModel *m, const PGMOp *op, uint8_t name, PGMFile **f,
               PGMExpect *x, const char *gone)
{
    PGMWorker *w = &m->workers[op->worker];
    PGMBoName *bo = &w->bos[name];
    PGMObj *obj;

    *f = NULL;
    if (!bo->used) {
        x->error = "ESRCH";
        return NULL;
    }
    *f = w->files[bo->file];
    obj = pgm_lookup(*f, bo->handle);
    if (!obj) {
        x->error = gone;
    }
    return obj;
}

/* The file of an op that names a new BO; NULL and an error if there is none */
static PGMFile *pgm_new_bo_file(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMWorker *w = &m->workers[op->worker];
    PGMFile *f = w->files[op->file];

    if (!f) {
        x->error = "ESRCH";
    } else if (w->bos[op->to].used) {
        x->error = "EEXIST";
    }
    return x->error ? NULL : f;
}

static void pgm_name_bo(PGModel *m, const PGMOp *op, PGMExpect *x,
                        uint32_t handle, PGMObj *obj)
{
    m->workers[op->worker].bos[op->to] = (PGMBoName) {
        .used = true, .file = op->file, .handle = handle, .size = obj->size,
    };
    x->handle = handle;
    x->obj = obj;
}

bool pgm_fault_comes(PGModel *m, PGMDevice dev, PGMFault fault)
{
    if (m->fault[dev] != fault) {
        return false;
    }
    m->fault[dev] = PGM_FAULT_NONE;
    return true;
}

static bool pgm_file_full(const PGMFile *f)
{
    for (unsigned h = 1; h < PGM_HANDLES; h++) {
        if (!f->handles[h].obj) {
            return false;
        }
    }
    return true;
}

bool pgm_name_handle(PGModel *m, const PGMOp *op, PGMExpect *x, PGMFile *f,
                     PGMObj *obj)
{
    if (pgm_file_full(f)) {
        return false;
    }
    pgm_name_bo(m, op, x, pgm_handle_create(f, obj), obj);
    return true;
}

static bool pgm_open(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMWorker *w = &m->workers[op->worker];

    if (m->unbound[op->device] || (op->device == PGM_VKMS && op->mode)) {
        /* vkms has no node for rendering. */
        x->error = "ENODEV";
    } else if (w->files[op->file]) {
        x->error = "EEXIST";
    } else {
        w->files[op->file] = pgm_file_new(m, op->device, op->mode);
    }
    return true;
}

static bool pgm_create(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFile *f = pgm_new_bo_file(m, op, x);
    bool dumb = op->kind == PGM_DUMB;
    PGMObj *obj;

    if (!f) {
        return true;
    }
    if (dumb && f->render) {
        x->error = "EACCES";
    } else if (!dumb && !pgm_is_gpu(f->dev) && op->mode) {
        x->error = "EOPNOTSUPP";
    } else if (!dumb && f->dev == PGM_INTEGRATED &&
               op->mode > PGM_PLACE_PAGES) {
        x->error = "EINVAL";
    } else if (pgm_file_full(f)) {
        return false;
    } else if (pgm_fault_comes(m, f->dev, PGM_FAULT_CREATE)) {
        x->error = "ENOMEM";
    } else {
        obj = pgm_obj_new(m, f->dev, op->length);
        pgm_name_bo(m, op, x, pgm_handle_create(f, obj), obj);
        pgm_obj_put(m, obj);
        x->birth = true;
    }
    return true;
}

static bool pgm_info(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFile *f;
    PGMObj *obj = pgm_bo(m, op, op->bo, &f, x, "ENOENT");

    if (f && !pgm_is_gpu(f->dev)) {
        return false;
    }
    if (obj) {
        x->obj = obj;
        x->handle = m->workers[op->worker].bos[op->bo].handle;
    }
    return true;
}

static bool pgm_close(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMWorker *w = &m->workers[op->worker];
    PGMBoName *bo = &w->bos[op->bo];
    PGMFile *f;
    PGMObj *obj = pgm_bo(m, op, op->bo, &f, x, "EINVAL");

    if (f && f->gone) {
        /* The handle stays until the file is closed. */
        x->error = "ENODEV";
    } else if (obj) {
        pgm_handle_delete(m, f, bo->handle);
    }
    bo->used = false;
    return true;
}

static bool pgm_export_op(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMWorker *w = &m->workers[op->worker];
    PGMFile *f;
    PGMObj *obj = pgm_bo(m, op, op->bo, &f, x, "ENOENT");

    if (f && w->fds[op->fd].used) {
        x->error = "EEXIST";
    } else if (obj) {
        w->fds[op->fd] = (PGMFdName) {
            .used = true,
            .dmabuf = pgm_export(m, f, w->bos[op->bo].handle, op->mode),
        };
    }
    return true;
}

/*
 * The memory manager of the discrete GPU waits for jobs when it moves a buffer
 * of its own for an attachment.  What it takes in stays where it is.
 */
static bool pgm_import_waits(PGModel *m, const PGMFile *f, const PGMObj *obj)
{
    return f->dev != obj->dev && obj->dev == PGM_DISCRETE &&
           pgm_root_blocked(m, obj, true);
}

/*
 * A static importer wants pages.  A buffer that a GPU shows may be in VRAM, and
 * cannot leave it; what others show has pages.
 */
static bool pgm_import_busy(PGModel *m, const PGMFile *f, const PGMObj *obj)
{
    bool is_dynamic = f->dev == PGM_INTEGRATED && m->learned.dynamic;

    return f->dev != obj->dev && obj->dev == PGM_DISCRETE && !is_dynamic &&
           (pgm_kms_shows_root(m, PGM_INTEGRATED, obj) ||
            pgm_kms_shows_root(m, PGM_DISCRETE, obj));
}

/*
 * Which of several handles to one dma-buf the kernel finds depends on
 * addresses.
 */
static bool pgm_import_op(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMWorker *w = &m->workers[op->worker];
    PGMFdName *fd = &w->fds[op->fd];
    PGMFile *f;
    uint32_t handle;
    unsigned n;

    if (!fd->used) {
        x->error = "ESRCH";
        return true;
    }
    f = pgm_new_bo_file(m, op, x);
    if (!f) {
        return true;
    }
    if (!fd->dmabuf) {
        x->error = "EINVAL";
        return true;
    }
    n = pgm_find_cached(f, fd->dmabuf, &handle);
    if (n > 1) {
        return false;
    }
    if (!n) {
        if (pgm_file_full(f) || pgm_import_waits(m, f, fd->dmabuf->obj) ||
            pgm_import_busy(m, f, fd->dmabuf->obj)) {
            return false;
        }
        if (f->dev != fd->dmabuf->obj->dev &&
            pgm_fault_comes(m, f->dev, PGM_FAULT_CREATE)) {
            /* It was attached by then. */
            fd->dmabuf->was_import = true;
            pgm_move_lost(fd->dmabuf->obj);
            x->error = "ENOMEM";
            return true;
        }
        handle = pgm_import(m, f, fd->dmabuf, &x->birth);
    }
    pgm_name_bo(m, op, x, handle, f->handles[handle].obj);
    return true;
}

static bool pgm_flink_op(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFile *f;
    PGMObj *obj = pgm_bo(m, op, op->bo, &f, x, "ENOENT");

    if (f && f->render) {
        x->error = "EACCES";
    } else if (obj) {
        x->flink = pgm_flink(m, obj);
        g_assert(x->flink);
    }
    return true;
}

static bool pgm_gem_open(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFile *f = pgm_new_bo_file(m, op, x);
    PGMObj *obj;

    if (!f) {
        return true;
    }
    obj = op->value < PGM_FLINKS ? m->flinks[f->dev][op->value] : NULL;
    if (f->render) {
        x->error = "EACCES";
    } else if (!obj) {
        x->error = "ENOENT";
    } else {
        return pgm_name_handle(m, op, x, f, obj);
    }
    return true;
}

static bool pgm_munmap(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMMapName *map = &m->workers[op->worker].maps[op->map];

    if (!map->used) {
        x->error = "ESRCH";
        return true;
    }
    return pgm_steps_process(m, op, x);
}

/* Ops that each kind of thing has in a file of its own */
static bool pgm_apply(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    switch (op->kind) {
    case PGM_OPEN: return pgm_open(m, op, x);
    case PGM_CREATE:
    case PGM_DUMB: return pgm_create(m, op, x);
    case PGM_INFO: return pgm_info(m, op, x);
    case PGM_CLOSE: return pgm_close(m, op, x);
    case PGM_EXPORT: return pgm_export_op(m, op, x);
    case PGM_IMPORT: return pgm_import_op(m, op, x);
    case PGM_FLINK: return pgm_flink_op(m, op, x);
    case PGM_GEM_OPEN: return pgm_gem_open(m, op, x);
    case PGM_PLACE:
    case PGM_EVICT: return pgm_steps_move(m, op, x);
    case PGM_CLOSE_FD:
    case PGM_DUP:
    case PGM_SEND:
    case PGM_SEND_FILE: return pgm_steps_fd(m, op, x);
    case PGM_EXPORT_SYNC:
    case PGM_MERGE_SYNC:
    case PGM_IMPORT_SYNC:
    case PGM_FENCE_WAIT:
    case PGM_SET_NAME:
    case PGM_SYNCOBJ:
    case PGM_SYNCOBJ_DESTROY:
    case PGM_SYNCOBJ_SIGNAL:
    case PGM_SYNCOBJ_RESET:
    case PGM_SYNCOBJ_WAIT:
    case PGM_SYNCOBJ_EXPORT:
    case PGM_SYNCOBJ_IMPORT:
    case PGM_SYNCOBJ_LOAD:
    case PGM_SYNCOBJ_TRANSFER:
    case PGM_SYNCOBJ_QUERY: return pgm_steps_sync(m, op, x);
    case PGM_MUNMAP: return pgm_munmap(m, op, x);
    case PGM_CLOSE_FILE:
    case PGM_SPAWN:
    case PGM_FORK:
    case PGM_KILL:
    case PGM_EXIT: return pgm_steps_process(m, op, x);
    case PGM_MMAP:
    case PGM_MMAP_FD:
    case PGM_WRITE:
    case PGM_CHECKSUM:
    case PGM_SYNC: return pgm_steps_cpu(m, op, x);
    case PGM_ADDFB:
    case PGM_RMFB:
    case PGM_GETFB: return pgm_steps_fb(m, op, x);
    case PGM_SHOW:
    case PGM_HIDE:
    case PGM_POWER:
    case PGM_FLIP:
    case PGM_EVENT:
    case PGM_MASTER:
    case PGM_CURSOR_SET:
    case PGM_CURSOR_MOVE:
    case PGM_AWAIT_RMFB: return pgm_steps_kms(m, op, x);
    case PGM_UNBIND:
    case PGM_BIND: return pgm_steps_bind(m, op, x);
    default: return pgm_steps_job(m, op, x);
    }
}

/* These run in the agent itself, or in the rig. */
static bool pgm_needs_worker(PGMKind kind)
{
    return kind != PGM_SPAWN && kind != PGM_KILL && kind != PGM_GATE &&
           kind != PGM_INJECT && kind != PGM_UNBIND && kind != PGM_BIND;
}

/*
 * What a flip has replaced goes when a worker gets to it: first its event, then
 * the worker is waited for.
 */
static bool pgm_is_barred(const PGModel *m, PGMKind kind)
{
    bool ends = kind == PGM_CLOSE_FILE || kind == PGM_KILL || kind == PGM_EXIT;

    if (pgm_kms_due(m)) {
        return kind != PGM_EVENT &&
               !(ends && pgm_kms_due(m) != &m->outputs[PGM_VKMS]);
    }
    if (pgm_kms_late(m)) {
        return kind != PGM_AWAIT_RMFB;
    }
    return m->flipped && kind != PGM_SETTLE && kind != PGM_GATE && !ends;
}

bool pgm_step(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    *x = (PGMExpect) { .op = *op };
    if (pgm_is_barred(m, op->kind) || pgm_meets_mover(m, op)) {
        return false;
    }
    m->step++;
    if (pgm_needs_worker(op->kind) && !m->workers[op->worker].exists) {
        m->step--;
        return false;
    }
    if (pgm_is_gone(m, op) || !pgm_apply(m, op, x)) {
        m->step--;
        return false;
    }
    x->step = m->step;
    return true;
}

void pgm_expect_clear(PGMExpect *x)
{
    if (x->alive) {
        g_array_unref(x->alive);
        x->alive = NULL;
    }
}
