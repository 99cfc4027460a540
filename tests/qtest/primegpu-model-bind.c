/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, reference model: a GPU is unbound and bound again.  Its BOs go
 * from the device at once.  What the guest had of them stays until it is let
 * go of, and keeps what is another's; nothing else can be done with it.
 */
#include "primegpu-model.h"

static bool pgm_unbind(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMDevice dev = op->device;

    if (m->unbound[dev]) {
        x->error = "ENOENT";
        return true;
    }
    if (pgm_any_gate(m) || m->jobs->len || m->binds[dev] == PGM_BINDS - 1 ||
        !pgm_kms_unbind(m, dev)) {
        return false;
    }
    m->unbound[dev] = true;
    m->fault[dev] = PGM_FAULT_NONE;
    for (unsigned i = 0; i < m->files->len; i++) {
        PGMFile *f = g_ptr_array_index(m->files, i);

        f->gone |= f->dev == dev;
    }
    for (unsigned i = 0; i < m->objs->len; i++) {
        PGMObj *obj = g_ptr_array_index(m->objs, i);

        if (obj->dev == dev && !obj->dead && !obj->gone) {
            obj->gone = m->step;
            obj->flink = 0;
        }
    }
    memset(m->flinks[dev], 0, sizeof(m->flinks[dev]));
    pgm_fences_lose_names(m);
    return true;
}

static bool pgm_bind(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    if (m->unbound[op->device]) {
        m->unbound[op->device] = false;
        m->binds[op->device]++;
    } else {
        x->error = "EBUSY";
    }
    return true;
}

bool pgm_steps_bind(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    if (!pgm_is_gpu(op->device)) {
        return false;
    }
    return op->kind == PGM_UNBIND ? pgm_unbind(m, op, x) : pgm_bind(m, op, x);
}

static bool pgm_file_gone(const PGMFile *f)
{
    return f && f->gone;
}

/* Of a BO whose bytes are gone, only what does not touch them can be known. */
static bool pgm_bo_gone(PGModel *m, const PGMOp *op, uint8_t name)
{
    const PGMWorker *w = &m->workers[op->worker];
    const PGMBoName *bo = &w->bos[name];
    PGMObj *obj;

    if (!bo->used) {
        return false;
    }
    if (w->files[bo->file]->gone) {
        return op->kind != PGM_CLOSE;
    }
    obj = pgm_lookup(w->files[bo->file], bo->handle);
    return obj && pgm_root(obj)->gone && op->kind != PGM_CLOSE &&
           op->kind != PGM_INFO && op->kind != PGM_EXPORT &&
           op->kind != PGM_FLINK;
}

static bool pgm_fd_gone(PGModel *m, const PGMOp *op)
{
    const PGMDmabuf *d = m->workers[op->worker].fds[op->fd].dmabuf;

    return d && d->obj->gone;
}

bool pgm_is_gone(PGModel *m, const PGMOp *op)
{
    const PGMWorker *w = &m->workers[op->worker];

    switch (op->kind) {
    case PGM_SYNCOBJ:
    case PGM_SYNCOBJ_IMPORT:
        return pgm_file_gone(w->files[op->file]);
    case PGM_SYNCOBJ_DESTROY:
    case PGM_SYNCOBJ_SIGNAL:
    case PGM_SYNCOBJ_RESET:
    case PGM_SYNCOBJ_WAIT:
    case PGM_SYNCOBJ_EXPORT:
    case PGM_SYNCOBJ_LOAD:
    case PGM_SYNCOBJ_TRANSFER:
    case PGM_SYNCOBJ_QUERY:
        return w->syncs[op->sync].used &&
               w->files[w->syncs[op->sync].file]->gone;
    case PGM_IMPORT:
        return pgm_file_gone(w->files[op->file]) || pgm_fd_gone(m, op);
    case PGM_CREATE:
    case PGM_DUMB:
    case PGM_GEM_OPEN:
    case PGM_RMFB:
    case PGM_GETFB:
    case PGM_SHOW:
    case PGM_HIDE:
    case PGM_POWER:
    case PGM_FLIP:
    case PGM_EVENT:
    case PGM_MASTER:
    case PGM_CURSOR_MOVE:
    case PGM_SEND_FILE:
        return pgm_file_gone(w->files[op->file]);
    case PGM_CURSOR_SET:
        return pgm_file_gone(w->files[op->file]) ||
               (op->mode && pgm_bo_gone(m, op, op->bo));
    case PGM_COPY:
        return pgm_bo_gone(m, op, op->bo) || pgm_bo_gone(m, op, op->to);
    case PGM_INFO:
    case PGM_CLOSE:
    case PGM_EXPORT:
    case PGM_FLINK:
    case PGM_PLACE:
    case PGM_BO_WAIT:
    case PGM_FILL:
    case PGM_MMAP:
    case PGM_ADDFB:
        return pgm_bo_gone(m, op, op->bo);
    case PGM_EXPORT_SYNC:
    case PGM_IMPORT_SYNC:
    case PGM_SYNC:
    case PGM_MMAP_FD:
        return pgm_fd_gone(m, op);
    case PGM_WRITE:
    case PGM_CHECKSUM:
        return w->maps[op->map].used && w->maps[op->map].obj->gone;
    case PGM_GATE:
    case PGM_INJECT:
        return m->unbound[op->device];
    default:
        return false;
    }
}
