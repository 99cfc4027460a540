/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GEM handles and PRIME.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drm-calls.h"

static const uint32_t placements[] = {
    PRIMEGPU_PLACE_PAGES,
    PRIMEGPU_PLACE_VRAM,
    PRIMEGPU_PLACE_PAGES | PRIMEGPU_PLACE_VRAM,
};
#define PLACEMENTS "pages|vram|any"

/* The key is read back from the driver; drivers of others have none. */
static void bo_describe(struct call *c, struct bo *bo)
{
    struct drm_primegpu_gem_info info;

    call_add(c, "handle=%u", bo->handle);
    if (!drm_info(bo->file, bo->handle, &info)) {
        call_add(c, " key=0x%llx", (unsigned long long)info.key);
        bo->size = info.size;
    }
    call_add(c, " size=%llu", (unsigned long long)bo->size);
}

/* A new BO's name, in a file that is an argument too */
static struct bo *bo_new(struct call *c, int file_arg, int bo_arg)
{
    struct file *file = name_file(c, c->argv[file_arg]);
    struct bo *bo = file ? name_new_bo(c, c->argv[bo_arg]) : NULL;

    if (bo) {
        bo->file = file;
    }
    return bo;
}

static int bo_fail(struct call *c, struct bo *bo, int error, const char *what)
{
    name_drop(bo);
    return call_fail(c, -error, "%s", what);
}

int cmd_create(struct call *c)
{
    uint64_t size;
    int choice = -1, error;
    struct bo *bo;

    if (!call_number(c, 3, UINT64_MAX, &size) ||
        (c->argc > 4 && !call_choice(c, 4, PLACEMENTS, &choice))) {
        return c->error;
    }
    bo = bo_new(c, 1, 2);
    if (!bo) {
        return c->error;
    }
    error = drm_create(bo->file, size, choice < 0 ? 0 : placements[choice],
                       bo);
    if (error) {
        return bo_fail(c, bo, error, "create");
    }
    bo_describe(c, bo);
    return 0;
}

int cmd_dumb(struct call *c)
{
    struct drm_mode_create_dumb dumb = { 0 };
    uint64_t width, height, bpp;
    struct bo *bo;

    if (!call_number(c, 3, UINT32_MAX, &width) ||
        !call_number(c, 4, UINT32_MAX, &height) ||
        !call_number(c, 5, UINT32_MAX, &bpp)) {
        return c->error;
    }
    bo = bo_new(c, 1, 2);
    if (!bo) {
        return c->error;
    }
    dumb.width = width;
    dumb.height = height;
    dumb.bpp = bpp;
    if (sys_ioctl(bo->file->fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb)) {
        return bo_fail(c, bo, -errno, "MODE_CREATE_DUMB");
    }
    bo->handle = dumb.handle;
    bo->size = dumb.size;
    bo_describe(c, bo);
    call_add(c, " pitch=%u", dumb.pitch);
    return 0;
}

int cmd_info(struct call *c)
{
    struct bo *bo = name_bo(c, c->argv[1]);
    struct drm_primegpu_gem_info info;
    int error;

    if (!bo) {
        return c->error;
    }
    call_add(c, "handle=%u", bo->handle);
    if (!bo->file->primegpu) {
        call_add(c, " size=%llu", (unsigned long long)bo->size);
        return 0;
    }
    error = drm_info(bo->file, bo->handle, &info);
    if (error) {
        return call_fail(c, -error, "GEM_INFO");
    }
    call_add(c, " size=%llu key=0x%llx placement=%s imported=%u",
             (unsigned long long)info.size, (unsigned long long)info.key,
             info.placement == PRIMEGPU_PLACE_VRAM ? "vram" :
             info.placement == PRIMEGPU_PLACE_PAGES ? "pages" : "none",
             info.imported);
    return 0;
}

int cmd_close(struct call *c)
{
    struct bo *bo = name_bo(c, c->argv[1]);
    uint32_t handle;
    int error, fd;

    if (!bo) {
        return c->error;
    }
    fd = bo->file->fd;
    handle = bo->handle;
    name_drop(bo);
    error = drm_close(fd, handle);
    return error ? call_fail(c, -error, "GEM_CLOSE of handle %u", handle) : 0;
}

int cmd_export(struct call *c)
{
    struct bo *bo = name_bo(c, c->argv[1]);
    struct stat st = { 0 };
    int choice = -1, error;
    struct fd *fd;

    if (!bo || (c->argc > 3 && !call_choice(c, 3, "ro", &choice))) {
        return c->error;
    }
    fd = name_new_fd(c, c->argv[2]);
    if (!fd) {
        return c->error;
    }
    error = drm_export(bo->file->fd, bo->handle,
                       DRM_CLOEXEC | (choice < 0 ? DRM_RDWR : 0), &fd->fd);
    if (error) {
        name_drop(fd);
        return call_fail(c, -error, "PRIME_HANDLE_TO_FD of handle %u",
                         bo->handle);
    }
    fstat(fd->fd, &st);
    call_add(c, "inode=%llu", (unsigned long long)st.st_ino);
    return 0;
}

int cmd_import(struct call *c)
{
    struct fd *fd = name_fd(c, c->argv[2]);
    struct bo *bo = fd ? bo_new(c, 1, 3) : NULL;
    off_t size;
    int error;

    if (!bo) {
        return c->error;
    }
    error = drm_import(bo->file->fd, fd->fd, &bo->handle);
    if (error) {
        return bo_fail(c, bo, error, "PRIME_FD_TO_HANDLE");
    }
    size = lseek(fd->fd, 0, SEEK_END);
    bo->size = size > 0 ? size : 0;
    bo_describe(c, bo);
    return 0;
}

int cmd_flink(struct call *c)
{
    struct bo *bo = name_bo(c, c->argv[1]);
    struct drm_gem_flink flink = { 0 };

    if (!bo) {
        return c->error;
    }
    flink.handle = bo->handle;
    if (sys_ioctl(bo->file->fd, DRM_IOCTL_GEM_FLINK, &flink)) {
        return call_fail(c, errno, "GEM_FLINK");
    }
    call_add(c, "name=%u", flink.name);
    return 0;
}

int cmd_gem_open(struct call *c)
{
    struct drm_gem_open args = { 0 };
    uint64_t number;
    struct bo *bo;

    if (!call_number(c, 2, UINT32_MAX, &number)) {
        return c->error;
    }
    bo = bo_new(c, 1, 3);
    if (!bo) {
        return c->error;
    }
    args.name = number;
    if (sys_ioctl(bo->file->fd, DRM_IOCTL_GEM_OPEN, &args)) {
        return bo_fail(c, bo, -errno, "GEM_OPEN");
    }
    bo->handle = args.handle;
    bo->size = args.size;
    bo_describe(c, bo);
    return 0;
}

int cmd_place(struct call *c)
{
    struct bo *bo = name_bo(c, c->argv[1]);
    struct drm_primegpu_gem_place place = { 0 };
    int choice;

    if (!bo || !call_choice(c, 2, PLACEMENTS, &choice)) {
        return c->error;
    }
    place.handle = bo->handle;
    place.placement = placements[choice];
    if (sys_ioctl(bo->file->fd, DRM_IOCTL_PRIMEGPU_GEM_PLACE, &place)) {
        return call_fail(c, errno, "GEM_PLACE");
    }
    return 0;
}

int cmd_bo_wait(struct call *c)
{
    struct bo *bo = name_bo(c, c->argv[1]);
    struct drm_primegpu_gem_wait wait = { 0 };
    uint64_t timeout;
    int write;

    if (!bo || !call_choice(c, 2, "read|write", &write) ||
        !call_number(c, 3, UINT64_MAX, &timeout)) {
        return c->error;
    }
    wait.handle = bo->handle;
    wait.flags = write ? PRIMEGPU_WAIT_WRITE : 0;
    wait.timeout_ns = drm_deadline(timeout);
    if (sys_ioctl(bo->file->fd, DRM_IOCTL_PRIMEGPU_GEM_WAIT, &wait)) {
        return call_fail(c, errno, "GEM_WAIT");
    }
    return 0;
}
