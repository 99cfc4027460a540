/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, reference model: processes, and what goes with the last user of
 * a DRM file.
 */
#include "primegpu-model.h"

/* Let go of a file; killed: its user gets no time to wait for jobs. */
static void pgm_file_leave(PGModel *m, PGMFile *f, bool killed)
{
    if (f->refs == 1) {
        pgm_file_lost(m, f, killed);
    }
    pgm_file_put(m, f);
}

static void pgm_map_drop(PGModel *m, PGMMapName *map, bool killed)
{
    PGMMapName old = *map;

    *map = (PGMMapName) { 0 };
    pgm_obj_put(m, old.obj);
    if (old.dmabuf) {
        pgm_dmabuf_put(m, old.dmabuf);
    }
    if (old.file) {
        pgm_file_leave(m, old.file, killed);
    }
}

static void pgm_file_drop(PGModel *m, PGMWorker *w, unsigned name, bool killed)
{
    PGMFile *f = w->files[name];

    for (unsigned i = 0; i < PGM_BOS; i++) {
        if (w->bos[i].used && w->bos[i].file == name) {
            w->bos[i].used = false;
        }
    }
    for (unsigned i = 0; i < PGM_SYNCS; i++) {
        if (w->syncs[i].used && w->syncs[i].file == name) {
            w->syncs[i].used = false;
        }
    }
    w->files[name] = NULL;
    pgm_file_leave(m, f, killed);
}

static void pgm_worker_end(PGModel *m, unsigned n, bool killed)
{
    PGMWorker *w = &m->workers[n];

    for (unsigned i = 0; i < PGM_MAPS; i++) {
        if (w->maps[i].used) {
            pgm_map_drop(m, &w->maps[i], killed);
        }
    }
    for (unsigned i = 0; i < PGM_FDS; i++) {
        if (w->fds[i].dmabuf) {
            pgm_dmabuf_put(m, w->fds[i].dmabuf);
        }
    }
    for (unsigned i = 0; i < PGM_FILES; i++) {
        if (w->files[i]) {
            pgm_file_drop(m, w, i, killed);
        }
    }
    memset(w, 0, sizeof(*w));
    /* The agent starts p1 afresh. */
    w->exists = n == 1;
}

/*
 * The last close of a file waits for jobs that are not on the hardware, for a
 * time, and then cancels them: not to be done behind a gate.
 */
static bool pgm_file_may_go(PGModel *m, const PGMFile *f)
{
    return !f || (pgm_kms_may_close(m, f) &&
                  (!pgm_any_gate(m) || !f->late_jobs));
}

static bool pgm_worker_may_go(PGModel *m, const PGMWorker *w)
{
    for (unsigned i = 0; i < PGM_FILES; i++) {
        if (!pgm_file_may_go(m, w->files[i])) {
            return false;
        }
    }
    for (unsigned i = 0; i < PGM_MAPS; i++) {
        if (w->maps[i].used && !pgm_file_may_go(m, w->maps[i].file)) {
            return false;
        }
    }
    return true;
}

static bool pgm_close_file(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMWorker *w = &m->workers[op->worker];

    if (!w->files[op->file]) {
        x->error = "ESRCH";
        return true;
    }
    if (!pgm_file_may_go(m, w->files[op->file])) {
        return false;
    }
    pgm_file_drop(m, w, op->file, false);
    return true;
}

static bool pgm_unmap(PGModel *m, const PGMOp *op)
{
    PGMMapName *map = &m->workers[op->worker].maps[op->map];

    if (!pgm_file_may_go(m, map->file)) {
        return false;
    }
    pgm_map_drop(m, map, false);
    return true;
}

static bool pgm_spawn(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMWorker *w = &m->workers[op->other];

    if (w->exists) {
        x->error = "EEXIST";
    }
    w->exists = true;
    return true;
}

static bool pgm_fork(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    const PGMWorker *w = &m->workers[op->worker];
    PGMWorker *child = &m->workers[op->other];

    if (child->exists) {
        x->error = "EEXIST";
        return true;
    }
    *child = *w;
    for (unsigned i = 0; i < PGM_FILES; i++) {
        if (w->files[i]) {
            w->files[i]->refs++;
        }
    }
    for (unsigned i = 0; i < PGM_FDS; i++) {
        if (w->fds[i].dmabuf) {
            pgm_dmabuf_get(w->fds[i].dmabuf);
        }
    }
    for (unsigned i = 0; i < PGM_MAPS; i++) {
        if (w->maps[i].used) {
            pgm_obj_get(w->maps[i].obj);
            if (w->maps[i].dmabuf) {
                pgm_dmabuf_get(w->maps[i].dmabuf);
            } else {
                w->maps[i].file->refs++;
            }
        }
    }
    return true;
}

static bool pgm_end(PGModel *m, const PGMOp *op, unsigned n, bool killed,
                    PGMExpect *x)
{
    if (!m->workers[n].exists) {
        x->error = "ESRCH";
        return !op->mode;
    }
    if (!pgm_worker_may_go(m, &m->workers[n])) {
        return false;
    }
    pgm_worker_end(m, n, killed);
    return true;
}

bool pgm_steps_process(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    switch (op->kind) {
    case PGM_CLOSE_FILE:
        return pgm_close_file(m, op, x);
    case PGM_MUNMAP:
        return pgm_unmap(m, op);
    case PGM_SPAWN:
        return pgm_spawn(m, op, x);
    case PGM_FORK:
        return pgm_fork(m, op, x);
    case PGM_KILL:
        return pgm_end(m, op, op->other, true, x);
    default:
        return pgm_end(m, op, op->worker, false, x);
    }
}
