/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DRM calls that several commands make.
 */
#include <errno.h>
#include <stdint.h>

#include "drm-calls.h"

/* A dumb buffer for drivers without GEM_CREATE is this wide */
#define DUMB_WIDTH  1024u
#define DUMB_BPP    32u
#define DUMB_ROW    (DUMB_WIDTH * DUMB_BPP / 8)

static int create_dumb(const struct file *file, uint64_t size, struct bo *bo)
{
    uint64_t rows = size / DUMB_ROW + !!(size % DUMB_ROW);
    struct drm_mode_create_dumb dumb = {
        .width = DUMB_WIDTH,
        .height = rows,
        .bpp = DUMB_BPP,
    };

    if (rows > UINT32_MAX) {
        return -EINVAL;
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb)) {
        return -errno;
    }
    bo->handle = dumb.handle;
    bo->size = dumb.size;
    return 0;
}

int drm_create(const struct file *file, uint64_t size, uint32_t placement,
               struct bo *bo)
{
    struct drm_primegpu_gem_create create = {
        .size = size,
        .placement = placement,
    };

    if (!file->primegpu) {
        return placement ? -EOPNOTSUPP : create_dumb(file, size, bo);
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_PRIMEGPU_GEM_CREATE, &create)) {
        return -errno;
    }
    bo->handle = create.handle;
    bo->size = create.size;
    return 0;
}

int drm_close(int fd, uint32_t handle)
{
    struct drm_gem_close close = { .handle = handle };

    return sys_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &close) ? -errno : 0;
}

int drm_export(int fd, uint32_t handle, uint32_t flags, int *prime)
{
    struct drm_prime_handle args = { .handle = handle, .flags = flags };

    if (sys_ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args)) {
        return -errno;
    }
    *prime = args.fd;
    return 0;
}

int drm_import(int fd, int prime, uint32_t *handle)
{
    struct drm_prime_handle args = { .fd = prime };

    if (sys_ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args)) {
        return -errno;
    }
    *handle = args.handle;
    return 0;
}

int drm_map_offset(const struct bo *bo, uint64_t *offset)
{
    struct drm_primegpu_gem_mmap mmap = { .handle = bo->handle };
    struct drm_mode_map_dumb dumb = { .handle = bo->handle };

    if (bo->file->primegpu) {
        if (sys_ioctl(bo->file->fd, DRM_IOCTL_PRIMEGPU_GEM_MMAP, &mmap)) {
            return -errno;
        }
        *offset = mmap.offset;
        return 0;
    }
    if (sys_ioctl(bo->file->fd, DRM_IOCTL_MODE_MAP_DUMB, &dumb)) {
        return -errno;
    }
    *offset = dumb.offset;
    return 0;
}

int drm_info(const struct file *file, uint32_t handle,
             struct drm_primegpu_gem_info *info)
{
    *info = (struct drm_primegpu_gem_info) { .handle = handle };
    if (!file->primegpu) {
        return -ENOTTY;
    }
    return sys_ioctl(file->fd, DRM_IOCTL_PRIMEGPU_GEM_INFO, info) ? -errno : 0;
}

int drm_submit(const struct file *file, struct drm_primegpu_submit *submit,
               const struct drm_primegpu_op *ops, uint32_t count)
{
    submit->ops = (uintptr_t)ops;
    submit->op_count = count;
    return sys_ioctl(file->fd, DRM_IOCTL_PRIMEGPU_SUBMIT, submit) ? -errno : 0;
}

int64_t drm_deadline(uint64_t timeout_ms)
{
    uint64_t now = sys_now_ns();

    if (timeout_ms > (INT64_MAX - now) / 1000000) {
        return INT64_MAX;
    }
    return now + timeout_ms * 1000000;
}
