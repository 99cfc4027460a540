/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls of a storm: BOs, dma-bufs, mappings and files.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storm.h"

static int op_create(struct storm_thread *t)
{
    struct storm_file *f = any_file(t);
    struct bo bo = { .file = &f->file };
    uint32_t placement = f->file.primegpu ? rnd(t, 4) : 0;
    uint64_t size = rnd(t, 3) ? STORM_FRAME_SIZE : STORM_PAGE_SIZE;
    int error = drm_create(&f->file, size, placement, &bo);

    return error ? error : keep_handle(t, f->file.fd, bo.handle);
}

static int op_close(struct storm_thread *t)
{
    return drm_close(any_file(t)->file.fd, any_handle(t));
}

static int op_export(struct storm_thread *t)
{
    uint32_t flags = DRM_CLOEXEC | (rnd(t, 4) ? DRM_RDWR : 0);
    int fd, error = drm_export(any_file(t)->file.fd, any_handle(t), flags,
                               &fd);

    return error ? error : keep_fd(any_slot(t, false), fd);
}

static int import(struct storm_thread *t, int file, int fd)
{
    uint32_t handle;
    int error = drm_import(file, fd, &handle);

    return error ? error : keep_handle(t, file, handle);
}

static int op_import(struct storm_thread *t)
{
    return import(t, any_file(t)->file.fd, any_buf(t));
}

static int op_close_fd(struct storm_thread *t)
{
    return keep_fd(any_slot(t, rnd(t, 2)), -1);
}

static int op_dup(struct storm_thread *t)
{
    bool fence = rnd(t, 2);
    int fd = fcntl(*any_slot(t, fence), F_DUPFD_CLOEXEC, 0);

    return fd < 0 ? -errno : keep_fd(any_slot(t, fence), fd);
}

/* The kernel touches it, so that a page that has gone is an error only. */
static int touch(struct storm_thread *t, void *p, size_t size)
{
    if (p == MAP_FAILED) {
        return -errno;
    }
    if (t->map) {
        munmap(t->map, t->map_size);
    }
    t->map = p;
    t->map_size = size;
    return read(t->storm->zeros, p, size) < 0 ? -errno : 0;
}

static int op_mmap(struct storm_thread *t)
{
    struct storm_file *f = any_file(t);
    struct bo bo = { .file = &f->file, .handle = any_handle(t) };
    size_t size = rnd(t, 2) ? STORM_FRAME_SIZE : STORM_PAGE_SIZE;
    uint64_t offset;
    int error = drm_map_offset(&bo, &offset);

    return error ? error : touch(t, mmap(NULL, size, PROT_READ | PROT_WRITE,
                                         MAP_SHARED, f->file.fd, offset),
                                 size);
}

static int op_mmap_fd(struct storm_thread *t)
{
    size_t size = rnd(t, 2) ? STORM_FRAME_SIZE : STORM_PAGE_SIZE;

    return touch(t, mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
                         any_buf(t), 0), size);
}

static int op_touch(struct storm_thread *t)
{
    return t->map && read(t->storm->zeros, t->map, t->map_size) < 0 ? -errno
                                                                    : 0;
}

static int op_cpu_access(struct storm_thread *t)
{
    struct dma_buf_sync sync = {
        .flags = DMA_BUF_SYNC_START |
                 (rnd(t, 2) ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_RW),
    };
    int fd = any_buf(t);
    int error = try(fd, DMA_BUF_IOCTL_SYNC, &sync);

    sync.flags |= DMA_BUF_SYNC_END;
    try(fd, DMA_BUF_IOCTL_SYNC, &sync);
    return error;
}

static int op_set_name(struct storm_thread *t)
{
    static const char *const names[] = { "", "storm", "a longer name" };

    return try(any_buf(t), DMA_BUF_SET_NAME, (void *)names[rnd(t, 3)]);
}

static int op_poll(struct storm_thread *t)
{
    struct pollfd pfds[] = {
        { any_buf(t), rnd(t, 2) ? POLLIN : POLLOUT, 0 },
        { any_fence(t), POLLIN, 0 },
    };

    return poll(pfds, ARRAY_SIZE(pfds), rnd(t, 2)) < 0 ? -errno : 0;
}

static int op_flink(struct storm_thread *t)
{
    struct storm_file *f = any_file(t);
    struct drm_gem_flink flink = { .handle = any_handle(t) };
    struct drm_gem_open open = { 0 };
    int error = try(f->file.fd, DRM_IOCTL_GEM_FLINK, &flink);

    /* Names are guessed as well: others' are as low. */
    open.name = error ? 1 + rnd(t, t->storm->handles) : flink.name;
    f = any_file(t);
    error = try(f->file.fd, DRM_IOCTL_GEM_OPEN, &open);
    return error ? error : keep_handle(t, f->file.fd, open.handle);
}

static int op_place(struct storm_thread *t)
{
    struct drm_primegpu_gem_place place = {
        .handle = any_handle(t),
        .placement = 1 + rnd(t, 3),
    };

    return try(any_file(t)->file.fd, DRM_IOCTL_PRIMEGPU_GEM_PLACE, &place);
}

static atomic_int *any_opened(struct storm_thread *t)
{
    return &t->storm->opened[rnd(t, STORM_OPENED)];
}

static int op_open(struct storm_thread *t)
{
    char path[32];
    int fd;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", any_file(t)->file.fd);
    fd = open(path, O_RDWR | O_CLOEXEC);
    return fd < 0 ? -errno : keep_fd(any_opened(t), fd);
}

static int op_import_opened(struct storm_thread *t)
{
    return import(t, *any_opened(t), any_buf(t));
}

static int op_close_opened(struct storm_thread *t)
{
    return keep_fd(any_opened(t), -1);
}

const struct storm_op storm_bo_ops[] = {
    { op_create, 12 },
    { op_close, 10 },
    { op_export, 12 },
    { op_import, 14 },
    { op_close_fd, 8 },
    { op_dup, 2 },
    { op_mmap, 3 },
    { op_mmap_fd, 3 },
    { op_touch, 2 },
    { op_cpu_access, 2 },
    { op_set_name, 1 },
    { op_poll, 2 },
    { op_flink, 2 },
    { op_place, 3 },
    { op_open, 1 },
    { op_import_opened, 4 },
    { op_close_opened, 1 },
    { NULL, 0 },
};
