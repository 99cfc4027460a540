/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, reference model: fds, and DRM files, on their way from name to
 * name and from process to process.
 */
#include "primegpu-model.h"

static bool pgm_close_fd(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFdName *fd = &m->workers[op->worker].fds[op->fd];
    PGMDmabuf *d = fd->dmabuf;

    if (!fd->used) {
        x->error = "ESRCH";
        return true;
    }
    *fd = (PGMFdName) { 0 };
    if (d) {
        pgm_dmabuf_put(m, d);
    }
    return true;
}

/* Give the fd to a name of the same worker or of another. */
static void pgm_copy_fd(const PGMFdName *fd, PGMFdName *to)
{
    if (fd->dmabuf) {
        pgm_dmabuf_get(fd->dmabuf);
    }
    *to = *fd;
}

static bool pgm_dup(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMWorker *w = &m->workers[op->worker];

    if (!w->fds[op->fd].used) {
        x->error = "ESRCH";
    } else if (w->fds[op->to].used) {
        x->error = "EEXIST";
    } else {
        pgm_copy_fd(&w->fds[op->fd], &w->fds[op->to]);
    }
    return true;
}

static bool pgm_send(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMWorker *w = &m->workers[op->worker], *to = &m->workers[op->other];

    if (op->other == op->worker) {
        return false;
    }
    if (op->kind == PGM_SEND && !w->fds[op->fd].used) {
        x->error = "ESRCH";
    } else if (op->kind == PGM_SEND_FILE && !w->files[op->file]) {
        x->error = "ESRCH";
    } else if (!to->exists) {
        x->error = "ESRCH";
    } else if (op->kind == PGM_SEND) {
        if (to->fds[op->to].used) {
            x->error = "EEXIST";
        } else {
            pgm_copy_fd(&w->fds[op->fd], &to->fds[op->to]);
        }
    } else if (to->files[op->to]) {
        x->error = "EEXIST";
    } else {
        to->files[op->to] = w->files[op->file];
        to->files[op->to]->refs++;
    }
    return true;
}

bool pgm_steps_fd(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    switch (op->kind) {
    case PGM_CLOSE_FD:
        return pgm_close_fd(m, op, x);
    case PGM_DUP:
        return pgm_dup(m, op, x);
    default:
        return pgm_send(m, op, x);
    }
}
