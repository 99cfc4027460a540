/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls of a storm: jobs, fences and syncobjs.
 */
#define _GNU_SOURCE
#include <linux/dma-buf.h>
#include <linux/sync_file.h>

#include "storm.h"
#include "sw-sync.h"

#define JOB_BYTES   256

static int op_submit(struct storm_thread *t)
{
    struct storm_file *f = any_file(t);
    struct drm_primegpu_sync in = { .handle = any_sync(t) };
    struct drm_primegpu_sync out = {
        .handle = any_sync(t),
        .point = rnd(t, 2) ? atomic_load(&t->storm->now) : 0,
    };
    struct drm_primegpu_submit submit = {
        .flags = (rnd(t, 2) ? PRIMEGPU_SUBMIT_FENCE_FD_OUT : 0) |
                 (rnd(t, 4) ? 0 : PRIMEGPU_SUBMIT_FENCE_FD_IN),
        .in_syncs = (uintptr_t)&in,
        .in_sync_count = !rnd(t, 4),
        .out_syncs = (uintptr_t)&out,
        .out_sync_count = !rnd(t, 2),
        .in_fence_fd = any_fence(t),
    };
    struct drm_primegpu_op op = {
        .kind = rnd(t, 2) ? PRIMEGPU_OP_KIND_FILL : PRIMEGPU_OP_KIND_COPY,
        .dst_handle = any_handle(t),
        .src_handle = any_handle(t),
        .src_offset = STORM_PAGE_SIZE - JOB_BYTES,
        .dst_stride = JOB_BYTES,
        .src_stride = JOB_BYTES,
        .width = JOB_BYTES / 4,
        .height = 1,
        .cpp = 4,
    };
    int error;

    if (op.kind == PRIMEGPU_OP_KIND_FILL) {
        op.src_handle = 0;
        op.src_stride = 0;
        op.src_offset = 0;
    }
    error = drm_submit(&f->file, &submit, &op, 1);
    if (!error && submit.flags & PRIMEGPU_SUBMIT_FENCE_FD_OUT) {
        keep_fd(any_slot(t, true), submit.out_fence_fd);
    }
    return error;
}

static int op_sw_fence(struct storm_thread *t)
{
    struct sw_sync_create_fence args = {
        .value = atomic_load(&t->storm->now) + 1 + rnd(t, 3),
        .name = "storm",
    };
    int error = try(t->storm->timeline, SW_SYNC_CREATE_FENCE, &args);

    return error ? error : keep_fd(any_slot(t, true), args.fence);
}

static int op_merge(struct storm_thread *t)
{
    struct sync_merge_data args = { .name = "storm", .fd2 = any_fence(t) };
    int error = try(any_fence(t), SYNC_IOC_MERGE, &args);

    return error ? error : keep_fd(any_slot(t, true), args.fence);
}

static int op_export_sync(struct storm_thread *t)
{
    struct dma_buf_export_sync_file args = {
        .flags = rnd(t, 2) ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_RW,
    };
    int error = try(any_buf(t), DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &args);

    return error ? error : keep_fd(any_slot(t, true), args.fd);
}

static int op_import_sync(struct storm_thread *t)
{
    struct dma_buf_import_sync_file args = {
        .flags = rnd(t, 2) ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_WRITE,
        .fd = any_fence(t),
    };

    return try(any_buf(t), DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &args);
}

static int op_sync_create(struct storm_thread *t)
{
    struct drm_syncobj_create args = {
        .flags = rnd(t, 2) ? DRM_SYNCOBJ_CREATE_SIGNALED : 0,
    };
    int fd = any_file(t)->file.fd;
    int error = try(fd, DRM_IOCTL_SYNCOBJ_CREATE, &args);
    struct drm_syncobj_destroy destroy = { .handle = args.handle };

    return error || args.handle <= STORM_SYNCS
           ? error : try(fd, DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
}

static int op_sync_destroy(struct storm_thread *t)
{
    struct drm_syncobj_destroy args = { .handle = any_sync(t) };

    return try(any_file(t)->file.fd, DRM_IOCTL_SYNCOBJ_DESTROY, &args);
}

static int op_sync_export(struct storm_thread *t)
{
    struct drm_syncobj_handle args = {
        .handle = any_sync(t),
        .flags = rnd(t, 2) ? DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE
                           : 0,
    };
    int error = try(any_file(t)->file.fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD,
                     &args);

    return error ? error : keep_fd(any_slot(t, true), args.fd);
}

static int op_sync_import(struct storm_thread *t)
{
    struct drm_syncobj_handle args = {
        .handle = any_sync(t),
        .fd = any_fence(t),
        .flags = rnd(t, 2) ? DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE
                           : 0,
    };
    int fd = any_file(t)->file.fd;
    int error = try(fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args);
    struct drm_syncobj_destroy destroy = { .handle = args.handle };

    return error || args.handle <= STORM_SYNCS
           ? error : try(fd, DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
}

static int op_sync_transfer(struct storm_thread *t)
{
    struct drm_syncobj_transfer args = {
        .src_handle = any_sync(t),
        .dst_handle = any_sync(t),
        .dst_point = rnd(t, 2) ? atomic_load(&t->storm->now) : 0,
    };

    return try(any_file(t)->file.fd, DRM_IOCTL_SYNCOBJ_TRANSFER, &args);
}

static int op_sync_wait(struct storm_thread *t)
{
    uint32_t handles[] = { any_sync(t), any_sync(t) };
    struct drm_syncobj_wait args = {
        .handles = (uintptr_t)handles,
        .count_handles = 1 + rnd(t, 2),
        .timeout_nsec = drm_deadline(rnd(t, 2)),
        .flags = rnd(t, 4),
    };

    return try(any_file(t)->file.fd, DRM_IOCTL_SYNCOBJ_WAIT, &args);
}

static int op_sync_array(struct storm_thread *t)
{
    uint32_t handle = any_sync(t);
    struct drm_syncobj_array args = {
        .handles = (uintptr_t)&handle,
        .count_handles = 1,
    };

    return try(any_file(t)->file.fd, rnd(t, 2) ? DRM_IOCTL_SYNCOBJ_SIGNAL
                                                : DRM_IOCTL_SYNCOBJ_RESET,
                &args);
}

const struct storm_op storm_sync_ops[] = {
    { op_submit, 10 },
    { op_sw_fence, 2 },
    { op_merge, 2 },
    { op_export_sync, 2 },
    { op_import_sync, 2 },
    { op_sync_create, 2 },
    { op_sync_destroy, 1 },
    { op_sync_export, 2 },
    { op_sync_import, 2 },
    { op_sync_transfer, 1 },
    { op_sync_wait, 1 },
    { op_sync_array, 1 },
    { NULL, 0 },
};
