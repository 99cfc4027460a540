/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, reference model: GEM objects, handles, dma-bufs and what keeps
 * what, as DRM core does it since each file's PRIME entry keeps its dma-buf.
 *
 * Who holds references:
 *   object    its handles (one for all), its dma-buf's file, mappings, jobs,
 *             framebuffers
 *   dma-buf   fds, mappings, the object while it has handles or framebuffers,
 *             each file's entry for a handle, each object that imports it
 *   DRM file  names in processes, mappings made through it
 */
#include "primegpu-model.h"

static void pgm_obj_free(gpointer data)
{
    PGMObj *obj = data;

    g_free(obj->bytes);
    g_free(obj);
}

PGModel *pgm_new(const PGMLearned *learned)
{
    PGModel *m = g_new0(PGModel, 1);

    m->learned = *learned;
    for (unsigned dev = 0; dev < PGM_DEVICES; dev++) {
        m->outputs[dev].mode = m->outputs[dev].active = learned->output[dev];
    }
    m->objs = g_ptr_array_new_with_free_func(pgm_obj_free);
    m->files = g_ptr_array_new_with_free_func(g_free);
    m->dmabufs = g_ptr_array_new_with_free_func(g_free);
    m->fences = g_ptr_array_new_with_free_func(pgm_fence_free);
    m->syncobjs = g_ptr_array_new_with_free_func(pgm_syncobj_free);
    m->jobs = g_array_new(FALSE, TRUE, sizeof(PGMJob));
    m->workers[1].exists = true;
    return m;
}

void pgm_free(PGModel *m)
{
    g_ptr_array_unref(m->objs);
    g_ptr_array_unref(m->files);
    g_ptr_array_unref(m->dmabufs);
    g_ptr_array_unref(m->fences);
    g_ptr_array_unref(m->syncobjs);
    g_array_unref(m->jobs);
    g_free(m);
}

PGMObj *pgm_root(PGMObj *obj)
{
    return obj->import ? obj->import->obj : obj;
}

/* With one reference, the caller's */
static PGMObj *pgm_obj_add(PGModel *m, PGMDevice dev, uint32_t size)
{
    PGMObj *obj = g_new0(PGMObj, 1);

    obj->id = m->objs->len;
    obj->dev = dev;
    obj->size = size;
    obj->refs = 1;
    obj->born = m->step;
    g_ptr_array_add(m->objs, obj);
    return obj;
}

PGMObj *pgm_obj_new(PGModel *m, PGMDevice dev, uint32_t size)
{
    PGMObj *obj = pgm_obj_add(m, dev, size);

    /* The drivers give out zeros only. */
    obj->bytes = g_malloc0(size);
    return obj;
}

void pgm_obj_get(PGMObj *obj)
{
    g_assert(obj->refs);
    obj->refs++;
}

void pgm_obj_put(PGModel *m, PGMObj *obj)
{
    g_assert(obj->refs);
    if (--obj->refs) {
        return;
    }
    g_assert(!obj->handles && !obj->dmabuf && !obj->flink);
    obj->dead = m->step;
    if (obj->import) {
        obj->import->imports--;
        obj->import->was_import = true;
        pgm_move_lost(obj->import->obj);
        pgm_dmabuf_put(m, obj->import);
    }
}

void pgm_dmabuf_get(PGMDmabuf *d)
{
    g_assert(d->refs);
    d->refs++;
}

void pgm_dmabuf_put(PGModel *m, PGMDmabuf *d)
{
    g_assert(d->refs);
    if (--d->refs == 0) {
        g_assert(!d->imports);
        pgm_obj_put(m, d->obj);
    }
}

PGMFile *pgm_file_new(PGModel *m, PGMDevice dev, bool render)
{
    PGMFile *f = g_new0(PGMFile, 1);

    f->refs = 1;
    f->dev = dev;
    f->bind = m->binds[dev];
    f->render = render;
    g_ptr_array_add(m->files, f);
    pgm_kms_opened(m, f);
    return f;
}

void pgm_file_put(PGModel *m, PGMFile *f)
{
    g_assert(f->refs);
    if (--f->refs) {
        return;
    }
    pgm_fbs_of_file(m, f);
    pgm_kms_closed(m, f);
    for (uint32_t h = 1; h < PGM_HANDLES; h++) {
        pgm_handle_delete(m, f, h);
    }
}

PGMObj *pgm_lookup(PGMFile *f, uint32_t handle)
{
    return handle < PGM_HANDLES ? f->handles[handle].obj : NULL;
}

/* The kernel gives the lowest number that is free. */
uint32_t pgm_handle_create(PGMFile *f, PGMObj *obj)
{
    for (uint32_t h = 1; h < PGM_HANDLES; h++) {
        if (!f->handles[h].obj) {
            f->handles[h].obj = obj;
            if (obj->handles++ == 0 && !obj->fbs) {
                pgm_obj_get(obj);
            }
            return h;
        }
    }
    return 0;
}

void pgm_handles_dropped(PGModel *m, PGMObj *obj)
{
    PGMDmabuf *d = obj->dmabuf;

    if (obj->handles || obj->fbs) {
        return;
    }
    if (obj->flink) {
        m->flinks[obj->dev][obj->flink] = NULL;
        obj->flink = 0;
    }
    obj->dmabuf = NULL;
    if (d) {
        pgm_dmabuf_put(m, d);
    }
    pgm_obj_put(m, obj);
}

bool pgm_handle_delete(PGModel *m, PGMFile *f, uint32_t handle)
{
    PGMObj *obj = pgm_lookup(f, handle);
    PGMDmabuf *cached;

    if (!obj) {
        return false;
    }
    cached = f->handles[handle].cached;
    f->handles[handle] = (PGMHandle) { 0 };
    if (cached) {
        pgm_dmabuf_put(m, cached);
    }
    obj->handles--;
    pgm_handles_dropped(m, obj);
    return true;
}

static void pgm_cache(PGMFile *f, uint32_t handle, PGMDmabuf *d)
{
    pgm_dmabuf_get(d);
    f->handles[handle].cached = d;
}

static PGMDmabuf *pgm_dmabuf_new(PGModel *m, PGMObj *obj, bool read_only)
{
    PGMDmabuf *d = g_new0(PGMDmabuf, 1);

    d->refs = 1;
    d->obj = obj;
    d->read_only = read_only;
    pgm_obj_get(obj);
    g_ptr_array_add(m->dmabufs, d);
    return d;
}

/* A dma-buf with a reference for the caller's fd; the handle is good. */
PGMDmabuf *pgm_export(PGModel *m, PGMFile *f, uint32_t handle, bool read_only)
{
    PGMObj *obj = f->handles[handle].obj;
    PGMDmabuf *d = f->handles[handle].cached;

    if (d) {
        pgm_dmabuf_get(d);
        return d;
    }
    if (obj->import || obj->dmabuf) {
        d = obj->import ?: obj->dmabuf;
        pgm_dmabuf_get(d);
    } else {
        d = pgm_dmabuf_new(m, obj, read_only);
        pgm_dmabuf_get(d);
        obj->dmabuf = d;
    }
    pgm_cache(f, handle, d);
    return d;
}

unsigned pgm_find_cached(PGMFile *f, PGMDmabuf *d, uint32_t *handle)
{
    unsigned n = 0;

    for (uint32_t h = 1; h < PGM_HANDLES; h++) {
        if (f->handles[h].cached == d) {
            *handle = h;
            n++;
        }
    }
    return n;
}

uint32_t pgm_import(PGModel *m, PGMFile *f, PGMDmabuf *d, bool *birth)
{
    PGMObj *obj = d->obj;
    uint32_t handle;

    *birth = obj->dev != f->dev;
    if (*birth) {
        obj = pgm_obj_add(m, f->dev, obj->size);
        obj->import = d;
        pgm_move_lost(d->obj);
        d->imports++;
        pgm_dmabuf_get(d);
    } else {
        pgm_obj_get(obj);
    }
    if (!obj->dmabuf) {
        obj->dmabuf = d;
        pgm_dmabuf_get(d);
    }
    handle = pgm_handle_create(f, obj);
    g_assert(handle);
    pgm_obj_put(m, obj);
    pgm_cache(f, handle, d);
    return handle;
}

unsigned pgm_flink(PGModel *m, PGMObj *obj)
{
    for (unsigned n = 1; n < PGM_FLINKS && !obj->flink; n++) {
        if (!m->flinks[obj->dev][n]) {
            m->flinks[obj->dev][n] = obj;
            obj->flink = n;
        }
    }
    return obj->flink;
}
