/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, reference model: buffers that move, and the call that waits for
 * a gate to move one.
 */
#include "primegpu-model.h"

void pgm_move_lost(PGMObj *root)
{
    root->placed = false;
    root->where = PGM_PLACE_DEFAULT;
}

void pgm_move_done(PGModel *m)
{
    PGMObj *obj = m->moved;

    m->mover = 0;
    m->moved = NULL;
    if (obj) {
        pgm_obj_put(m, obj);
    }
}

/* What is shown, by whomever, is pinned. */
static bool pgm_shown(const PGModel *m, const PGMObj *root)
{
    for (unsigned dev = 0; dev < PGM_DEVICES; dev++) {
        if (pgm_kms_shows_root(m, dev, root)) {
            return true;
        }
    }
    return false;
}

/* Only the discrete GPU moves anything, and waits for jobs then. */
bool pgm_moves(PGModel *m, const PGMObj *obj)
{
    return obj->dev == PGM_DISCRETE && !obj->import && !pgm_shown(m, obj);
}

/*
 * A call that has to move a buffer waits until the gate opens, with the buffer
 * locked, and keeps it.  Only where it is known that it has to be moved.
 */
static bool pgm_move_waits(PGModel *m, const PGMOp *op, PGMExpect *x,
                           PGMObj *obj)
{
    bool attached = obj->dmabuf &&
                    (obj->dmabuf->imports || obj->dmabuf->was_import);

    /* The rig itself needs p1. */
    if (m->mover || op->worker == 1 || attached ||
        op->mode == PGM_PLACE_ANY || obj->where == PGM_PLACE_DEFAULT ||
        obj->where == op->mode) {
        return false;
    }
    m->mover = op->worker;
    m->moved = obj;
    pgm_obj_get(obj);
    obj->placed = false;
    obj->where = op->mode;
    x->waits = true;
    return true;
}

static bool pgm_place(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFile *f;
    PGMObj *obj = pgm_bo(m, op, op->bo, &f, x, "ENOENT");

    if (f && !pgm_is_gpu(f->dev)) {
        return false;
    }
    if (f && f->dev == PGM_INTEGRATED && op->mode != PGM_PLACE_PAGES) {
        x->error = "EINVAL";
    } else if (obj && obj->import) {
        x->error = "EINVAL";
    } else if (obj && pgm_moves(m, obj) && pgm_root_blocked(m, obj, true)) {
        return pgm_move_waits(m, op, x, obj);
    } else if (obj && obj->dev == PGM_DISCRETE && op->mode == PGM_PLACE_VRAM) {
        if (pgm_shown(m, obj)) {
            x->error = "EBUSY";
        } else if (obj->dmabuf &&
                   (obj->dmabuf->imports || obj->dmabuf->was_import)) {
            /* Static attachments pin it, even one that is about to go. */
            x->maybe = "EBUSY";
        }
    }
    if (obj) {
        obj->placed = false;
    }
    if (obj && !x->error) {
        obj->where = x->maybe || op->mode == PGM_PLACE_ANY ? PGM_PLACE_DEFAULT
                                                           : op->mode;
    }
    return true;
}

static bool pgm_evict(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    if (m->unbound[op->device]) {
        x->error = "ENODEV";
        return true;
    }
    /* It would wait for jobs on what is in VRAM. */
    for (unsigned i = 0; pgm_any_gate(m) && i < m->objs->len; i++) {
        const PGMObj *obj = g_ptr_array_index(m->objs, i);

        if (op->device == PGM_DISCRETE && pgm_moves(m, obj) &&
            pgm_root_blocked(m, obj, true)) {
            return false;
        }
    }
    for (unsigned i = 0; i < m->objs->len; i++) {
        pgm_move_lost(g_ptr_array_index(m->objs, i));
    }
    return true;
}

bool pgm_steps_move(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    return op->kind == PGM_PLACE ? pgm_place(m, op, x) : pgm_evict(m, op, x);
}

static bool pgm_bo_is_moved(PGModel *m, const PGMOp *op, uint8_t name)
{
    const PGMWorker *w = &m->workers[op->worker];
    PGMObj *obj = w->bos[name].used ? pgm_lookup(w->files[w->bos[name].file],
                                                 w->bos[name].handle) : NULL;

    return obj && pgm_root(obj) == m->moved;
}

static bool pgm_fd_is_moved(PGModel *m, const PGMOp *op)
{
    const PGMFdName *fd = &m->workers[op->worker].fds[op->fd];

    return fd->dmabuf && fd->dmabuf->obj == m->moved;
}

/* Names may go, and what has nothing to do with the buffer may be done. */
bool pgm_meets_mover(PGModel *m, const PGMOp *op)
{
    const PGMWorker *w = &m->workers[op->worker];

    if (!m->mover) {
        return false;
    }
    if (op->kind == PGM_GATE) {
        return false;
    }
    if (op->worker == m->mover) {
        return true;
    }
    switch (op->kind) {
    case PGM_OPEN:
    case PGM_CREATE:
    case PGM_DUMB:
    case PGM_CLOSE:
    case PGM_CLOSE_FD:
    case PGM_DUP:
    case PGM_SYNCOBJ:
    case PGM_SYNCOBJ_DESTROY:
        return false;
    case PGM_SEND:
        return op->other == m->mover;
    case PGM_INFO:
    case PGM_EXPORT:
    case PGM_FLINK:
    case PGM_FILL:
    case PGM_MMAP:
        return pgm_bo_is_moved(m, op, op->bo);
    case PGM_COPY:
        return pgm_bo_is_moved(m, op, op->bo) ||
               pgm_bo_is_moved(m, op, op->to);
    case PGM_IMPORT:
    case PGM_MMAP_FD:
    case PGM_EXPORT_SYNC:
        return pgm_fd_is_moved(m, op);
    case PGM_WRITE:
    case PGM_CHECKSUM:
    case PGM_MUNMAP:
        return w->maps[op->map].used && w->maps[op->map].obj == m->moved;
    default:
        return true;
    }
}
