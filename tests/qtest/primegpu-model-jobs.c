/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, reference model: jobs, what orders them, and the bytes.
 *
 * Jobs on the same bytes run in the order of submission, so a job's effect is
 * put into the bytes at once; until somebody has waited, the processor must
 * not look.  Jobs that no gate holds may be done at any time: they keep nothing
 * for certain, and a settled step waits for them.  Jobs that a closed gate
 * holds, or that wait for one of those, are not done for certain, and keep
 * their BOs until the gate opens.
 */
#include "primegpu-model.h"

bool pgm_any_gate(const PGModel *m)
{
    return m->gate[PGM_INTEGRATED] || m->gate[PGM_DISCRETE];
}

/* Does a job use the bytes of @root; write: does it write them? */
static bool pgm_job_uses(const PGMJob *j, const PGMObj *root, bool write)
{
    return pgm_root(j->dst) == root ||
           (!write && j->src && pgm_root(j->src) == root);
}

/* Would a reader, or a writer, of these bytes wait for a gate? */
bool pgm_root_blocked(PGModel *m, const PGMObj *root, bool write)
{
    for (unsigned i = 0; i < m->jobs->len; i++) {
        const PGMJob *j = &g_array_index(m->jobs, PGMJob, i);

        if (j->blocked && pgm_job_uses(j, root, !write)) {
            return true;
        }
    }
    return false;
}

/* Is there a job on these bytes that has not got to its hardware? */
static bool pgm_root_waits(PGModel *m, const PGMObj *root, bool write)
{
    for (unsigned i = 0; i < m->jobs->len; i++) {
        const PGMJob *j = &g_array_index(m->jobs, PGMJob, i);

        if (j->waits && pgm_job_uses(j, root, !write)) {
            return true;
        }
    }
    return false;
}

bool pgm_job_blocked(PGModel *m, PGMFile *f, PGMObj *dst, PGMObj *src)
{
    return m->gate[f->dev] || f->waits ||
           pgm_root_blocked(m, pgm_root(dst), true) ||
           (src && pgm_root_blocked(m, pgm_root(src), false));
}

/* Count a job in, or out, of what uses the bytes. */
static void pgm_job_count(PGMJob *j, int n)
{
    pgm_root(j->dst)->writers += n;
    if (j->src) {
        pgm_root(j->src)->readers += n;
    }
}

unsigned pgm_job_add(PGModel *m, PGMFile *f, PGMObj *dst, PGMObj *src,
                     bool blocked)
{
    PGMJob j = {
        .id = ++m->job_ids,
        .file = f, .dev = f->dev, .dst = dst, .src = src, .blocked = blocked,
        /* Jobs of a file run in order. */
        .waits = blocked && (!m->gate[f->dev] || f->waits ||
                             pgm_root_waits(m, pgm_root(dst), true) ||
                             (src && pgm_root_waits(m, pgm_root(src), false))),
    };

    pgm_job_count(&j, 1);
    f->jobs++;
    f->late_jobs++;
    if (blocked) {
        pgm_obj_get(dst);
        if (src) {
            pgm_obj_get(src);
        }
        f->waits |= j.waits;
    }
    g_array_append_val(m->jobs, j);
    return j.id;
}

static void pgm_job_remove(PGModel *m, unsigned i)
{
    PGMJob *j = &g_array_index(m->jobs, PGMJob, i);

    pgm_job_count(j, -1);
    if (j->file) {
        j->file->jobs--;
        j->file->late_jobs -= !j->on_hardware;
    }
    g_array_remove_index(m->jobs, i);
}

/* Somebody has waited for the writers of these bytes, or all their users. */
void pgm_job_done(PGModel *m, PGMObj *root, bool readers)
{
    for (unsigned i = m->jobs->len; i-- > 0;) {
        PGMJob *j = &g_array_index(m->jobs, PGMJob, i);

        if (!j->blocked && pgm_job_uses(j, root, !readers)) {
            pgm_job_remove(m, i);
        }
    }
}

PGMFenceState pgm_fence_state(const PGModel *m, const PGMFence *fence)
{
    PGMFenceState state = PGM_FENCE_DONE;

    for (unsigned i = 0; i < m->jobs->len; i++) {
        const PGMJob *j = &g_array_index(m->jobs, PGMJob, i);

        if (pgm_fence_has(fence, j->id)) {
            if (j->blocked) {
                return PGM_FENCE_HELD;
            }
            state = PGM_FENCE_OPEN;
        }
    }
    return state;
}

void pgm_fence_done(PGModel *m, const PGMFence *fence)
{
    for (unsigned i = m->jobs->len; i-- > 0;) {
        if (pgm_fence_has(fence, g_array_index(m->jobs, PGMJob, i).id)) {
            pgm_job_remove(m, i);
        }
    }
}

PGMFence *pgm_fence_of_root(PGModel *m, const PGMObj *root, bool read)
{
    PGMFence *fence = pgm_fence_new(m);

    for (unsigned i = 0; i < m->jobs->len; i++) {
        const PGMJob *j = &g_array_index(m->jobs, PGMJob, i);

        if (pgm_job_uses(j, root, read) ||
            (root->imported && pgm_fence_has(root->imported, j->id))) {
            pgm_fence_add_job(fence, j->id);
        }
    }
    return fence;
}

/* A closed gate holds what has got to the hardware by now. */
static void pgm_jobs_reach_hardware(PGModel *m)
{
    for (unsigned i = 0; i < m->jobs->len; i++) {
        PGMJob *j = &g_array_index(m->jobs, PGMJob, i);

        if (!j->on_hardware && m->gate[j->dev] && !j->waits) {
            j->on_hardware = true;
            if (j->file) {
                j->file->late_jobs--;
            }
        }
    }
}

void pgm_gate_open(PGModel *m, PGMDevice dev)
{
    m->gate[dev] = false;
    pgm_kms_gate_open(m);
    for (unsigned i = 0; i < m->files->len; i++) {
        ((PGMFile *)g_ptr_array_index(m->files, i))->waits = false;
    }
    for (unsigned i = 0; i < m->jobs->len; i++) {
        PGMJob *j = &g_array_index(m->jobs, PGMJob, i);

        if (j->blocked) {
            j->blocked = j->waits = false;
            pgm_obj_put(m, j->dst);
            if (j->src) {
                pgm_obj_put(m, j->src);
            }
        }
    }
    pgm_move_done(m);
}

/* The file's last user goes; jobs that wait are cancelled if it was killed. */
void pgm_file_lost(PGModel *m, PGMFile *f, bool killed)
{
    for (unsigned i = 0; i < m->jobs->len; i++) {
        PGMJob *j = &g_array_index(m->jobs, PGMJob, i);

        if (j->file != f) {
            continue;
        }
        if (killed && !j->on_hardware) {
            pgm_root(j->dst)->unknown = true;
            j->dst->lost_jobs = true;
            if (j->src) {
                j->src->lost_jobs = true;
            }
        }
        j->file = NULL;
    }
    f->jobs = f->late_jobs = 0;
}

static void pgm_fill(PGMObj *root, const PGMOp *op)
{
    uint8_t word[4] = {
        op->value, op->value >> 8, op->value >> 16, op->value >> 24,
    };

    for (uint32_t i = 0; i < op->length; i++) {
        root->bytes[op->offset + i] = word[i % 4];
    }
}

static void pgm_bytes_of_job(const PGMOp *op, PGMObj *dst, PGMObj *src)
{
    PGMObj *to = pgm_root(dst);
    PGMObj *from = src ? pgm_root(src) : NULL;

    if (!op->offset && op->length == to->size) {
        to->unknown = false;
    }
    if (!from) {
        pgm_fill(to, op);
        return;
    }
    memmove(to->bytes + op->offset, from->bytes + op->offset2, op->length);
    to->unknown |= from->unknown;
}

static bool pgm_fits(const PGMObj *obj, uint32_t offset, uint32_t length)
{
    return offset <= obj->size && length <= obj->size - offset;
}

/* Would a job have to wait in its call, to move a buffer that is busy? */
static bool pgm_job_moves(PGModel *m, PGMFile *f, const PGMObj *obj)
{
    return f->dev == PGM_DISCRETE && !obj->import && !obj->placed &&
           pgm_root_blocked(m, obj, true);
}

/* What pins it, shown or about to be detached, lets the next job move it. */
static void pgm_job_operand(PGModel *m, PGMObj *obj)
{
    obj->jobs++;
    obj->placed = pgm_moves(m, obj) &&
                  (!obj->dmabuf || !obj->dmabuf->was_import);
}

/* Can the job's fence go where it is to go? Else the op is left out. */
static bool pgm_job_out_fits(const PGModel *m, const PGMOp *op)
{
    const PGMWorker *w = &m->workers[op->worker];

    if (op->mode & PGM_OUT_FD && w->fds[op->fd].used) {
        return false;
    }
    return !(op->mode & PGM_OUT_SYNCOBJ) ||
           (w->bos[op->bo].used && pgm_syncobj(w, op->sync) &&
            w->syncs[op->sync].file == w->bos[op->bo].file);
}

static void pgm_job_out(PGModel *m, const PGMOp *op, unsigned id)
{
    PGMWorker *w = &m->workers[op->worker];
    PGMFence *fence;

    if (!op->mode) {
        return;
    }
    fence = pgm_fence_new(m);
    pgm_fence_add_job(fence, id);
    if (op->mode & PGM_OUT_FD) {
        w->fds[op->fd] = (PGMFdName) { .used = true, .fence = fence };
    }
    if (op->mode & PGM_OUT_SYNCOBJ) {
        pgm_syncobj_set(pgm_syncobj(w, op->sync), fence);
    }
}

/* Fill or copy */
static bool pgm_job(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFile *f, *f2;
    PGMObj *dst, *src = NULL;
    bool copy = op->kind == PGM_COPY;
    bool blocked;

    if (!pgm_job_out_fits(m, op)) {
        return false;
    }
    dst = pgm_bo(m, op, op->bo, &f, x, "ENOENT");
    if (copy && (dst || f)) {
        const PGMBoName *bos = m->workers[op->worker].bos;

        if (!bos[op->to].used) {
            x->error = "ESRCH";
        } else if (bos[op->to].file != bos[op->bo].file) {
            return false;
        } else if (dst && !pgm_fits(dst, op->offset, op->length)) {
            x->error = "EINVAL";
        } else if (dst) {
            src = pgm_bo(m, op, op->to, &f2, x, "ENOENT");
        }
    }
    if (f && !pgm_is_gpu(f->dev)) {
        return false;
    }
    if (x->error) {
        return true;
    }
    if (!pgm_fits(dst, op->offset, op->length) ||
        (src && !pgm_fits(src, op->offset2, op->length))) {
        x->error = "EINVAL";
        return true;
    }
    if (pgm_kms_flips_to(m, pgm_root(dst))) {
        return false;
    }
    blocked = pgm_job_blocked(m, f, dst, src);
    if ((op->wait && (blocked || pgm_any_gate(m))) ||
        pgm_job_moves(m, f, dst) || (src && pgm_job_moves(m, f, src))) {
        return false;
    }
    /* Which of several jobs is fetched first is not known. */
    if (m->fault[f->dev] == PGM_FAULT_JOB && (blocked || m->jobs->len)) {
        return false;
    }
    x->other_jobs = m->jobs->len;
    if (!pgm_fault_comes(m, f->dev, PGM_FAULT_JOB)) {
        pgm_bytes_of_job(op, dst, src);
    }
    pgm_fault_comes(m, f->dev, PGM_FAULT_DELAY);
    pgm_job_operand(m, dst);
    if (src && src != dst) {
        pgm_job_operand(m, src);
    }
    pgm_job_out(m, op, pgm_job_add(m, f, dst, src, blocked));
    if (op->wait) {
        x->dst = dst;
        x->src = src;
        if (src) {
            pgm_job_done(m, pgm_root(src), false);
        }
        pgm_job_done(m, pgm_root(dst), true);
    }
    return true;
}

static bool pgm_bo_wait(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFile *f;
    PGMObj *obj = pgm_bo(m, op, op->bo, &f, x, "ENOENT");

    if (f && !pgm_is_gpu(f->dev)) {
        return false;
    }
    if (!obj) {
        return true;
    }
    if (!op->wait) {
        /* A short wait, and only where it is known what comes of it */
        if (pgm_root_blocked(m, pgm_root(obj), op->mode)) {
            x->error = "ETIME";
            return true;
        }
        return !pgm_root(obj)->writers && !pgm_root(obj)->readers &&
               (!pgm_root(obj)->imported ||
                pgm_fence_state(m, pgm_root(obj)->imported) ==
                PGM_FENCE_DONE);
    }
    if (pgm_root_blocked(m, pgm_root(obj), op->mode)) {
        return false;
    }
    pgm_job_done(m, pgm_root(obj), op->mode);
    return true;
}

static bool pgm_gate(PGModel *m, const PGMOp *op)
{
    if (!pgm_is_gpu(op->device) || m->gate[op->device] == op->mode) {
        return false;
    }
    if (op->mode) {
        /* One gate at a time, and no jobs of which nobody knows */
        if (pgm_any_gate(m) || m->jobs->len) {
            return false;
        }
        m->gate[op->device] = true;
    } else {
        pgm_gate_open(m, op->device);
    }
    return true;
}

static bool pgm_inject(PGModel *m, const PGMOp *op)
{
    if (!pgm_is_gpu(op->device) || m->fault[op->device]) {
        return false;
    }
    /* It might come to a job that has not been fetched yet. */
    if (op->mode == PGM_FAULT_JOB && m->jobs->len) {
        return false;
    }
    m->fault[op->device] = op->mode;
    return true;
}

static void pgm_snapshot(PGModel *m, PGMExpect *x)
{
    x->alive = g_array_new(FALSE, FALSE, sizeof(PGMAlive));
    for (unsigned i = 0; i < m->objs->len; i++) {
        PGMObj *obj = g_ptr_array_index(m->objs, i);
        PGMAlive alive = { obj, obj->handles, obj->jobs };

        if (!obj->dead && !obj->gone && pgm_is_gpu(obj->dev)) {
            g_array_append_val(x->alive, alive);
        }
    }
}

/* With a long time for jobs, or with none */
static bool pgm_settle(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    if (op->mode && m->settled == m->step - 1) {
        return false;
    } else if (!op->wait) {
        pgm_jobs_reach_hardware(m);
    } else if (pgm_any_gate(m) && m->jobs->len) {
        return false;
    }
    while (op->wait && m->jobs->len) {
        pgm_job_remove(m, m->jobs->len - 1);
    }
    x->settled = !m->jobs->len;
    m->settled = m->step;
    m->flipped = false;
    pgm_snapshot(m, x);
    for (unsigned i = 0; x->settled && i < m->dmabufs->len; i++) {
        ((PGMDmabuf *)g_ptr_array_index(m->dmabufs, i))->was_import = false;
    }
    return true;
}

bool pgm_steps_job(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    switch (op->kind) {
    case PGM_FILL:
    case PGM_COPY:
        return pgm_job(m, op, x);
    case PGM_BO_WAIT:
        return pgm_bo_wait(m, op, x);
    case PGM_GATE:
        return pgm_gate(m, op);
    case PGM_INJECT:
        return pgm_inject(m, op);
    default:
        return pgm_settle(m, op, x);
    }
}
