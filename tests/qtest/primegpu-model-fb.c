/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, reference model: framebuffers.  One keeps its BO, and counts as
 * a handle of no file: export and flink name live as long.  Its number is the
 * lowest that is free; the driver's own objects have those below the first.
 */
#include "primegpu-model.h"

static PGMFb *pgm_fb(PGModel *m, PGMFile *f, unsigned slot)
{
    PGMFb *fb = slot < PGM_FBS ? &m->fbs[f->dev][f->bind][slot] : NULL;

    return fb && fb->obj ? fb : NULL;
}

static void pgm_fb_drop(PGModel *m, PGMFb *fb)
{
    PGMObj *obj = fb->obj;

    *fb = (PGMFb) { 0 };
    obj->fbs--;
    pgm_handles_dropped(m, obj);
    pgm_obj_put(m, obj);
}

static bool pgm_addfb(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFile *f;
    PGMObj *obj = pgm_bo(m, op, op->bo, &f, x, "ENOENT");
    PGMFb *fbs = f ? m->fbs[f->dev][f->bind] : NULL;
    unsigned slot = 0;

    if (f && !m->fb_base[f->dev]) {
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
    while (slot < PGM_FBS && fbs[slot].obj) {
        slot++;
    }
    if (slot == PGM_FBS) {
        return false;
    }
    fbs[slot] = (PGMFb) { f, obj };
    obj->fbs++;
    pgm_obj_get(obj);
    x->fb = m->fb_base[f->dev] + slot;
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
        x->op.value += m->fb_base[f->dev];
    }
    return f;
}

static bool pgm_rmfb(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFile *f = pgm_fb_file(m, op, x);
    PGMFb *fb;

    if (f && !m->fb_base[f->dev]) {
        return false;
    }
    if (!x->error) {
        fb = pgm_fb(m, f, op->value);
        if (fb->file != f) {
            x->error = "ENOENT";
        } else {
            pgm_fb_drop(m, fb);
        }
    }
    return true;
}

/* A new handle, whoever made the framebuffer: the agent is root. */
static bool pgm_getfb(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFile *f = pgm_fb_file(m, op, x);

    if (f && !m->fb_base[f->dev]) {
        return false;
    }
    if (x->error) {
        return true;
    }
    if (m->workers[op->worker].bos[op->to].used) {
        x->error = "EEXIST";
        return true;
    }
    return pgm_name_handle(m, op, x, f, pgm_fb(m, f, op->value)->obj);
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
            pgm_fb_drop(m, &fbs[slot]);
        }
    }
}
