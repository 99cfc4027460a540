/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, reference model: framebuffers.  One keeps its BO, and counts as
 * a handle of no file: export and flink name live as long.  It is kept by its
 * file's list and by the planes that show it.  Its number is the lowest that is
 * free; the driver's own objects and a mode have those below the first.
 */
#include "primegpu-model.h"

PGMFb *pgm_fb(PGModel *m, const PGMFile *f, unsigned slot)
{
    PGMFb *fb = slot < PGM_FBS ? &m->fbs[f->dev][f->bind][slot] : NULL;

    return fb && fb->obj ? fb : NULL;
}

void pgm_fb_unused(PGModel *m, PGMDevice dev, PGMFb *fb)
{
    PGMObj *obj = fb->obj;

    if (fb->file || pgm_kms_shows(m, dev, fb)) {
        return;
    }
    *fb = (PGMFb) { 0 };
    obj->fbs--;
    pgm_handles_dropped(m, obj);
    pgm_obj_put(m, obj);
}

static unsigned pgm_fb_base(const PGModel *m, const PGMFile *f)
{
    return m->learned.fb_base[f->dev][f->bind];
}

unsigned pgm_fb_slot(const PGModel *m, const PGMFile *f)
{
    unsigned slot = 0;

    if (!pgm_fb_base(m, f)) {
        return PGM_FBS;
    }
    while (slot < PGM_FBS && m->fbs[f->dev][f->bind][slot].obj) {
        slot++;
    }
    return slot;
}

PGMFb *pgm_fb_new(PGModel *m, PGMFile *f, unsigned slot, PGMObj *obj,
                  bool cursor)
{
    PGMFb *fb = &m->fbs[f->dev][f->bind][slot];

    *fb = (PGMFb) { cursor ? NULL : f, obj, cursor };
    obj->fbs++;
    pgm_obj_get(obj);
    return fb;
}

static bool pgm_addfb(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFile *f;
    PGMObj *obj = pgm_bo(m, op, op->bo, &f, x, "ENOENT");
    unsigned slot;

    if (f && !pgm_fb_base(m, f)) {
        return false;
    }
    if (f && f->render) {
        x->error = "EACCES";
    } else if (obj && op->length > obj->size) {
        x->error = "EINVAL";
    }
    if (x->error) {
        return true;
    }
    slot = pgm_fb_slot(m, f);
    if (slot == PGM_FBS) {
        return false;
    }
    pgm_fb_new(m, f, slot, obj, false);
    x->fb = pgm_fb_base(m, f) + slot;
    return true;
}

/* The file of an op that names a framebuffer by its number */
static PGMFile *pgm_fb_file(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFile *f = m->workers[op->worker].files[op->file];

    if (!f) {
        x->error = "ESRCH";
    } else if (f->render) {
        x->error = "EACCES";
    } else if (!pgm_fb(m, f, op->value)) {
        x->error = "ENOENT";
    }
    if (f) {
        x->op.value += pgm_fb_base(m, f);
    }
    return f;
}

/* RMFB turns the planes off that show it, CLOSEFB leaves them. */
static bool pgm_rmfb(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFile *f = pgm_fb_file(m, op, x);
    bool keeps = op->mode;
    PGMFb *fb;

    if (f && !pgm_fb_base(m, f)) {
        return false;
    }
    if (x->error) {
        return true;
    }
    fb = pgm_fb(m, f, op->value);
    if (fb->file != f) {
        x->error = "ENOENT";
        return true;
    }
    if (!keeps && pgm_kms_shows(m, f->dev, fb)) {
        if (pgm_kms_waits(m, f->dev)) {
            return false;
        }
        pgm_kms_remove(m, f->dev, fb);
    }
    fb->file = NULL;
    pgm_fb_unused(m, f->dev, fb);
    return true;
}

/* A new handle, whoever made the framebuffer: the agent is root. */
static bool pgm_getfb(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFile *f = pgm_fb_file(m, op, x);

    if (f && !pgm_fb_base(m, f)) {
        return false;
    }
    if (x->error) {
        return true;
    }
    if (m->workers[op->worker].bos[op->to].used) {
        x->error = "EEXIST";
        return true;
    }
    if (!pgm_name_handle(m, op, x, f, pgm_fb(m, f, op->value)->obj)) {
        return false;
    }
    if (!pgm_is_gpu(f->dev)) {
        /* The agent cannot ask for its size. */
        m->workers[op->worker].bos[op->to].size = 0;
    }
    return true;
}

bool pgm_steps_fb(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    switch (op->kind) {
    case PGM_ADDFB:
        return pgm_addfb(m, op, x);
    case PGM_GETFB:
        return pgm_getfb(m, op, x);
    default:
        return pgm_rmfb(m, op, x);
    }
}

void pgm_fbs_of_file(PGModel *m, PGMFile *f)
{
    PGMFb *fbs = m->fbs[f->dev][f->bind];

    for (unsigned slot = 0; slot < PGM_FBS; slot++) {
        if (fbs[slot].file == f) {
            pgm_kms_remove(m, f->dev, &fbs[slot]);
            fbs[slot].file = NULL;
            pgm_fb_unused(m, f->dev, &fbs[slot]);
        }
    }
}
