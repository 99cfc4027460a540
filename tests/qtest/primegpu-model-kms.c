/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, reference model: what the outputs show.  A plane keeps the
 * framebuffer that it shows, whoever made it and whoever is master, until it
 * shows something else; also while the output is inactive or has no mode.
 *
 * A commit that waits has released what it replaced when the call returns.  A
 * flip's worker does that after the event: settling waits for it.  A flip to
 * what a gate's job will write keeps both framebuffers until the gate opens.
 */
#include "primegpu-model.h"

bool pgm_kms_shows(const PGModel *m, PGMDevice dev, const PGMFb *fb)
{
    for (unsigned i = 0; i < PGM_PLANES; i++) {
        if (m->outputs[dev].planes[i] == fb) {
            return true;
        }
    }
    return m->outputs[dev].old == fb;
}

bool pgm_kms_shows_root(const PGModel *m, PGMDevice dev, const PGMObj *root)
{
    for (unsigned i = 0; i < PGM_PLANES; i++) {
        const PGMFb *fb = m->outputs[dev].planes[i];

        if (fb && pgm_root(fb->obj) == root) {
            return true;
        }
    }
    return m->outputs[dev].old && pgm_root(m->outputs[dev].old->obj) == root;
}

bool pgm_kms_flips_to(const PGModel *m, const PGMObj *root)
{
    for (unsigned dev = 0; dev < PGM_DEVICES; dev++) {
        const PGMOutput *o = &m->outputs[dev];
        const PGMFb *fb = o->held ? o->planes[PGM_PRIMARY] : NULL;

        if (fb && pgm_root(fb->obj) == root) {
            return true;
        }
    }
    return false;
}

void pgm_kms_remove(PGModel *m, PGMDevice dev, const PGMFb *fb)
{
    for (unsigned i = 0; i < PGM_PLANES; i++) {
        if (m->outputs[dev].planes[i] == fb) {
            m->outputs[dev].planes[i] = NULL;
        }
    }
}

/* A commit waits for the writers of what its planes show from then on. */
static bool pgm_fb_waits(PGModel *m, const PGMFb *fb)
{
    return fb && pgm_root_blocked(m, pgm_root(fb->obj), true);
}

bool pgm_kms_waits(PGModel *m, PGMDevice dev)
{
    for (unsigned i = 0; i < PGM_PLANES; i++) {
        if (pgm_fb_waits(m, m->outputs[dev].planes[i])) {
            return true;
        }
    }
    return false;
}

/* Its bytes went with the GPU that exported them: what comes of it is open. */
static bool pgm_fb_gone(const PGMFb *fb)
{
    return fb && pgm_root(fb->obj)->gone;
}

/*
 * A plane that is turned on or off takes all of them into the commit, as their
 * order is made anew; vkms always does so.  Commits come one after the other.
 */
static bool pgm_commit_waits(PGModel *m, PGMDevice dev, PGMPlane plane,
                             const PGMFb *fb)
{
    const PGMOutput *o = &m->outputs[dev];
    bool all = dev == PGM_VKMS || !fb || !o->planes[plane];

    if (o->held || pgm_fb_gone(fb) || pgm_fb_waits(m, fb)) {
        return true;
    }
    for (unsigned i = 0; all && i < PGM_PLANES; i++) {
        if (i != plane && pgm_fb_waits(m, o->planes[i])) {
            return true;
        }
    }
    return false;
}

/* Let a plane show something else, or nothing. */
static void pgm_plane_set(PGModel *m, PGMDevice dev, PGMPlane plane, PGMFb *fb)
{
    PGMFb *old = m->outputs[dev].planes[plane];

    m->outputs[dev].planes[plane] = fb;
    if (fb) {
        /* It may be moved, to be pinned. */
        pgm_root(fb->obj)->where = PGM_PLACE_DEFAULT;
    }
    if (old) {
        pgm_fb_unused(m, dev, old);
    }
}

const PGMOutput *pgm_kms_due(const PGModel *m)
{
    for (unsigned dev = 0; dev < PGM_DEVICES; dev++) {
        if (m->outputs[dev].event && !m->outputs[dev].held) {
            return &m->outputs[dev];
        }
    }
    return NULL;
}

void pgm_kms_gate_open(PGModel *m)
{
    for (unsigned dev = 0; dev < PGM_DEVICES; dev++) {
        PGMOutput *o = &m->outputs[dev];
        PGMFb *old = o->old;

        o->held = false;
        o->old = NULL;
        if (old) {
            pgm_fb_unused(m, dev, old);
        }
    }
}

/*
 * To remove what is shown waits for the flip to it.  A flip that nothing waits
 * for ends nobody knows when.
 */
bool pgm_kms_may_close(PGModel *m, const PGMFile *f)
{
    const PGMOutput *o = &m->outputs[f->dev];

    if (f->gone) {
        return true;
    }
    if (o->event == f) {
        return !o->held && o->planes[PGM_PRIMARY]->file == f;
    }
    return !pgm_any_gate(m) || !pgm_kms_waits(m, f->dev);
}

void pgm_kms_opened(PGModel *m, PGMFile *f)
{
    PGMOutput *o = &m->outputs[f->dev];

    if (!f->render && !o->master) {
        o->master = f;
    }
}

void pgm_kms_closed(PGModel *m, PGMFile *f)
{
    PGMOutput *o = &m->outputs[f->dev];

    if (o->master == f) {
        o->master = NULL;
    }
    if (o->event == f) {
        o->event = NULL;
        m->flipped = true;
    }
}

bool pgm_kms_unbind(PGModel *m, PGMDevice dev)
{
    PGMOutput *o = &m->outputs[dev];

    /* What others show of it, they may have to turn off. */
    for (unsigned other = 0; other < PGM_DEVICES; other++) {
        for (unsigned i = 0; other != dev && i < PGM_PLANES; i++) {
            const PGMFb *fb = m->outputs[other].planes[i];

            if (fb && pgm_root(fb->obj)->dev == dev) {
                return false;
            }
        }
    }
    for (unsigned i = 0; i < PGM_PLANES; i++) {
        pgm_plane_set(m, dev, i, NULL);
    }
    *o = (PGMOutput) { 0 };
    return true;
}

/* The file of an op; *known is false if it has no outputs. */
static PGMFile *pgm_kms_file(PGModel *m, const PGMOp *op, PGMExpect *x,
                             bool *known)
{
    PGMFile *f = m->workers[op->worker].files[op->file];

    *known = !f || m->learned.output[f->dev];
    if (!f) {
        x->error = "ESRCH";
    } else if (f->render) {
        x->error = "EACCES";
    }
    return x->error ? NULL : f;
}

/* The framebuffer that an op names, whose line has its number */
static PGMFb *pgm_kms_fb(PGModel *m, const PGMOp *op, PGMExpect *x,
                         const PGMFile *f)
{
    x->op.value += m->learned.fb_base[f->dev][f->bind];
    return pgm_fb(m, f, op->value);
}

static bool pgm_show(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    bool known;
    PGMFile *f = pgm_kms_file(m, op, x, &known);
    PGMFb *fb = NULL;

    if (!f) {
        return known;
    }
    if (op->kind == PGM_SHOW) {
        fb = pgm_kms_fb(m, op, x, f);
    }
    if (f->dev == PGM_VKMS && op->mode == PGM_OVERLAY) {
        x->error = "EINVAL";
    } else if (m->outputs[f->dev].master != f) {
        x->error = "EACCES";
    } else if (op->kind == PGM_SHOW && !fb) {
        x->error = "EINVAL";
    } else if (pgm_commit_waits(m, f->dev, op->mode, fb)) {
        return false;
    } else {
        pgm_plane_set(m, f->dev, op->mode, fb);
    }
    return known;
}

static bool pgm_power(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    bool known;
    PGMFile *f = pgm_kms_file(m, op, x, &known);
    PGMOutput *o = f ? &m->outputs[f->dev] : NULL;

    if (!f) {
        return known;
    }
    if (o->master != f) {
        x->error = "EACCES";
    } else if (op->mode && !o->mode) {
        x->error = "EINVAL";
    } else if (pgm_kms_waits(m, f->dev)) {
        return false;
    } else {
        o->active = op->mode;
    }
    return known;
}

/* A flip that a gate holds must not have to move the buffer first. */
static bool pgm_flip_is_held(PGModel *m, const PGMFb *fb)
{
    const PGMObj *root = pgm_root(fb->obj);

    return (root->dev != PGM_DISCRETE || root->placed) &&
           pgm_root_blocked(m, root, false);
}

static bool pgm_flip_to(PGModel *m, const PGMOp *op, PGMFile *f, PGMFb *fb)
{
    PGMOutput *o = &m->outputs[f->dev];
    bool wait = !op->mode;

    if (!pgm_commit_waits(m, f->dev, PGM_PRIMARY, fb)) {
        pgm_plane_set(m, f->dev, PGM_PRIMARY, fb);
        o->event = wait ? NULL : f;
        m->flipped = true;
        return true;
    }
    if (wait || !pgm_flip_is_held(m, fb)) {
        return false;
    }
    o->held = true;
    o->event = f;
    o->old = o->planes[PGM_PRIMARY];
    o->planes[PGM_PRIMARY] = fb;
    pgm_root(fb->obj)->where = PGM_PLACE_DEFAULT;
    return true;
}

/*
 * Nothing that is settled waits for the worker of vkms, but it can be seen when
 * that has let go of a framebuffer that nobody else has.
 */
static bool pgm_flip_vkms(PGModel *m, const PGMOp *op, PGMFile *f, PGMFb *fb)
{
    PGMOutput *o = &m->outputs[PGM_VKMS];
    PGMFb *old = o->planes[PGM_PRIMARY];

    if (old->file || old == fb || old == o->planes[PGM_CURSOR] ||
        pgm_commit_waits(m, PGM_VKMS, PGM_PRIMARY, fb)) {
        return false;
    }
    o->late = true;
    o->late_fb = old - m->fbs[PGM_VKMS][0];
    return pgm_flip_to(m, op, f, fb);
}

static bool pgm_flip(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    bool known;
    PGMFile *f = pgm_kms_file(m, op, x, &known);
    const PGMOutput *o = f ? &m->outputs[f->dev] : NULL;
    PGMFb *fb;

    if (!f) {
        return known;
    }
    fb = pgm_kms_fb(m, op, x, f);
    if (o->master != f) {
        x->error = "EACCES";
    } else if (!o->planes[PGM_PRIMARY]) {
        x->error = "EBUSY";
    } else if (!fb) {
        x->error = "ENOENT";
    } else if (o->planes[PGM_PRIMARY]->cursor != fb->cursor || !o->active) {
        x->error = "EINVAL";
    } else if (o->held) {
        x->error = "EBUSY";
    } else if (f->dev == PGM_VKMS ? !pgm_flip_vkms(m, op, f, fb)
                                  : !pgm_flip_to(m, op, f, fb)) {
        return false;
    }
    return known;
}

static bool pgm_event(PGModel *m, const PGMOp *op)
{
    const PGMFile *f = m->workers[op->worker].files[op->file];
    PGMOutput *o = f ? &m->outputs[f->dev] : NULL;

    if (!f || o->event != f || o->held) {
        return false;
    }
    o->event = NULL;
    m->flipped = true;
    return true;
}

/*
 * The old way to set a cursor: the framebuffer is in no file's list, and goes
 * when another one, or none, is shown.
 */
static bool pgm_cursor(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    const PGMBoName *bo = &m->workers[op->worker].bos[op->bo];
    bool known;
    PGMFile *f = pgm_kms_file(m, op, x, &known);
    PGMFb fb = { NULL };
    unsigned slot;

    if (!f) {
        return known;
    }
    if (op->mode && !bo->used) {
        x->error = "ESRCH";
    } else if (f->dev == PGM_VKMS || (op->mode && bo->file != op->file)) {
        return false;
    } else if (m->outputs[f->dev].master != f) {
        x->error = "EACCES";
    } else if (op->mode) {
        fb.obj = pgm_lookup(f, bo->handle);
        x->error = fb.obj ? NULL : "ENOENT";
    }
    if (x->error) {
        return known;
    }
    slot = pgm_fb_slot(m, f);
    if ((fb.obj && slot == PGM_FBS) ||
        pgm_commit_waits(m, f->dev, PGM_CURSOR, fb.obj ? &fb : NULL)) {
        return false;
    }
    pgm_plane_set(m, f->dev, PGM_CURSOR,
                  fb.obj ? pgm_fb_new(m, f, slot, fb.obj, true) : NULL);
    return known;
}

/* A move waits for no job: whoever draws what it shows has to. */
static bool pgm_cursor_move(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    bool known;
    PGMFile *f = pgm_kms_file(m, op, x, &known);
    PGMOutput *o = f ? &m->outputs[f->dev] : NULL;
    const PGMFb *fb = o ? o->planes[PGM_CURSOR] : NULL;

    if (!f) {
        return known;
    }
    if (f->dev == PGM_VKMS) {
        return false;
    }
    if (o->master != f) {
        x->error = "EACCES";
    } else if (pgm_commit_waits(m, f->dev, PGM_CURSOR, fb) ||
               (fb && pgm_root(fb->obj)->writers)) {
        return false;
    }
    return known;
}

bool pgm_kms_late(const PGModel *m)
{
    return m->outputs[PGM_VKMS].late;
}

static bool pgm_await_rmfb(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMOutput *o = &m->outputs[PGM_VKMS];

    if (!o->late) {
        return false;
    }
    x->op.device = PGM_VKMS;
    x->op.value = m->learned.fb_base[PGM_VKMS][0] + o->late_fb;
    o->late = false;
    return true;
}

/* The mode tells whether to become one, or to stop being one. */
static bool pgm_master(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    bool known;
    PGMFile *f = pgm_kms_file(m, op, x, &known);
    PGMOutput *o = f ? &m->outputs[f->dev] : NULL;

    if (!f) {
        return known;
    }
    if (!op->mode) {
        if (o->master != f) {
            x->error = "EINVAL";
        } else {
            o->master = NULL;
        }
    } else if (o->master && o->master != f) {
        x->error = "EBUSY";
    } else {
        o->master = f;
    }
    return known;
}

bool pgm_steps_kms(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    switch (op->kind) {
    case PGM_POWER:
        return pgm_power(m, op, x);
    case PGM_FLIP:
        return pgm_flip(m, op, x);
    case PGM_EVENT:
        return pgm_event(m, op);
    case PGM_MASTER:
        return pgm_master(m, op, x);
    case PGM_AWAIT_RMFB:
        return pgm_await_rmfb(m, op, x);
    case PGM_CURSOR_SET:
        return pgm_cursor(m, op, x);
    case PGM_CURSOR_MOVE:
        return pgm_cursor_move(m, op, x);
    default:
        return pgm_show(m, op, x);
    }
}
