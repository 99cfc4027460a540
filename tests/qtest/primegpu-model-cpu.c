/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test, reference model: what the processor does, through mappings of
 * handles and of dma-bufs.  It must not look at bytes that a job may write.
 */
#include "primegpu-model.h"
#include "hw/display/primegpu/primegpu_agent.h"

static PGMMapName *pgm_map_slot(PGModel *m, const PGMOp *op)
{
    return &m->workers[op->worker].maps[op->map];
}

static bool pgm_mmap(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMMapName map = { .used = true, .mode = op->mode };
    PGMFile *f;
    PGMObj *obj = pgm_bo(m, op, op->bo, &f, x, "ENOENT");
    const PGMBoName *name = &m->workers[op->worker].bos[op->bo];

    if (!obj) {
        return true;
    }
    map.size = name->size;
    map.obj = pgm_root(obj);
    if (!pgm_is_gpu(f->dev) && obj->import) {
        x->error = "EINVAL";
    } else if (pgm_map_slot(m, op)->used) {
        x->error = "EEXIST";
    } else if (!name->size || name->size > obj->size ||
               op->mode == PGM_MAP_PRIVATE) {
        x->error = "EINVAL";
    } else {
        pgm_obj_get(map.obj);
        if (obj->import) {
            map.dmabuf = obj->import;
            pgm_dmabuf_get(map.dmabuf);
        } else {
            map.file = f;
            f->refs++;
        }
        *pgm_map_slot(m, op) = map;
    }
    return true;
}

static bool pgm_mmap_fd(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFdName *fd = &m->workers[op->worker].fds[op->fd];
    PGMMapName map = {
        .used = true, .mode = op->mode, .size = op->length,
    };

    if (!fd->used) {
        x->error = "ESRCH";
    } else if (pgm_map_slot(m, op)->used) {
        x->error = "EEXIST";
    } else if (!fd->dmabuf) {
        /* A sync_file can't be written, nor mapped. */
        x->error = op->mode == PGM_MAP_RW ? "EACCES" : "ENODEV";
    } else if (fd->dmabuf->read_only && op->mode == PGM_MAP_RW) {
        x->error = "EACCES";
    } else if (op->mode == PGM_MAP_PRIVATE ||
               op->length > fd->dmabuf->obj->size) {
        x->error = "EINVAL";
    } else {
        map.obj = fd->dmabuf->obj;
        map.dmabuf = fd->dmabuf;
        pgm_obj_get(map.obj);
        pgm_dmabuf_get(map.dmabuf);
        *pgm_map_slot(m, op) = map;
    }
    return true;
}

static bool pgm_access(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMMapName *map = pgm_map_slot(m, op);
    bool write = op->kind == PGM_WRITE;
    PGMObj *root = map->obj;

    if (!map->used) {
        x->error = "ESRCH";
        return true;
    }
    if (op->offset > map->size || op->length > map->size - op->offset) {
        x->error = "ERANGE";
        return true;
    }
    if (write && map->mode == PGM_MAP_RO && op->length) {
        x->error = "EFAULT";
        return true;
    }
    if (root->writers || (write && root->readers)) {
        return false;
    }
    if (write) {
        primegpu_agent_pattern(root->bytes + op->offset, op->offset,
                               op->length, op->value);
        root->unknown &= op->offset || op->length != root->size;
    }
    x->has_checksum = write || !root->unknown;
    x->checksum = primegpu_agent_checksum(PRIMEGPU_AGENT_CHECKSUM_INIT,
                                          root->bytes + op->offset,
                                          op->length);
    return true;
}

static bool pgm_sync(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    PGMFdName *fd = &m->workers[op->worker].fds[op->fd];

    if (!fd->used) {
        x->error = "ESRCH";
    } else if (!fd->dmabuf) {
        x->error = "ENOTTY";
    } else if (op->mode != PGM_SYNC_END) {
        if (pgm_root_blocked(m, fd->dmabuf->obj, op->mode == PGM_SYNC_RW)) {
            return false;
        }
        pgm_job_done(m, fd->dmabuf->obj, op->mode == PGM_SYNC_RW);
    }
    return true;
}

bool pgm_steps_cpu(PGModel *m, const PGMOp *op, PGMExpect *x)
{
    switch (op->kind) {
    case PGM_MMAP:
        return pgm_mmap(m, op, x);
    case PGM_MMAP_FD:
        return pgm_mmap_fd(m, op, x);
    case PGM_SYNC:
        return pgm_sync(m, op, x);
    default:
        return pgm_access(m, op, x);
    }
}
