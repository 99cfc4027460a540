/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Syncobjs, binary and timeline.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "drm-calls.h"

/* SYNC[:POINT]; point 0 is a binary syncobj */
static struct sync *sync_point(struct call *c, int arg, uint64_t *point)
{
    char *colon = strchr(c->argv[arg], ':');

    *point = 0;
    if (colon) {
        *colon = '\0';
        if (!line_number(colon + 1, point)) {
            call_usage(c);
            return NULL;
        }
    }
    return name_sync(c, c->argv[arg]);
}

int cmd_syncobj(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    struct sync *sync = file ? name_new_sync(c, c->argv[2]) : NULL;
    struct drm_syncobj_create create = { 0 };

    if (!sync) {
        return c->error;
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_SYNCOBJ_CREATE, &create)) {
        name_drop(sync);
        return call_fail(c, errno, "SYNCOBJ_CREATE");
    }
    sync->file = file;
    sync->handle = create.handle;
    call_add(c, "handle=%u", sync->handle);
    return 0;
}

int cmd_syncobj_wait(struct call *c)
{
    uint64_t point, timeout;
    struct sync *sync = sync_point(c, 1, &point);
    struct drm_syncobj_timeline_wait timeline = { 0 };
    struct drm_syncobj_wait binary = { 0 };
    int ret, available = -1;

    if (!sync || !call_number(c, 2, UINT64_MAX, &timeout) ||
        (c->argc > 3 && !call_choice(c, 3, "available", &available))) {
        return c->error;
    }
    if (point || available >= 0) {
        timeline.handles = (uintptr_t)&sync->handle;
        timeline.points = (uintptr_t)&point;
        timeline.count_handles = 1;
        timeline.timeout_nsec = drm_deadline(timeout);
        timeline.flags = available >= 0
                         ? DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE
                         : DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT;
        ret = sys_ioctl(sync->file->fd, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT,
                        &timeline);
    } else {
        binary.handles = (uintptr_t)&sync->handle;
        binary.count_handles = 1;
        binary.timeout_nsec = drm_deadline(timeout);
        binary.flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT;
        ret = sys_ioctl(sync->file->fd, DRM_IOCTL_SYNCOBJ_WAIT, &binary);
    }
    return ret ? call_fail(c, errno, "not signalled") : 0;
}

int cmd_syncobj_eventfd(struct call *c)
{
    uint64_t point;
    struct sync *sync = sync_point(c, 1, &point);
    struct drm_syncobj_eventfd args = { 0 };
    int available = -1;
    struct fd *fd;

    if (!sync ||
        (c->argc > 3 && !call_choice(c, 3, "available", &available))) {
        return c->error;
    }
    fd = name_new_fd(c, c->argv[2]);
    if (!fd) {
        return c->error;
    }
    fd->fd = eventfd(0, EFD_CLOEXEC);
    if (fd->fd < 0) {
        name_drop(fd);
        return call_fail(c, errno, "eventfd");
    }
    args.handle = sync->handle;
    args.point = point;
    args.fd = fd->fd;
    if (available >= 0) {
        args.flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE;
    }
    if (sys_ioctl(sync->file->fd, DRM_IOCTL_SYNCOBJ_EVENTFD, &args)) {
        call_fail(c, errno, "SYNCOBJ_EVENTFD");
        close(fd->fd);
        name_drop(fd);
    }
    return c->error;
}

int cmd_syncobj_signal(struct call *c)
{
    uint64_t point;
    struct sync *sync = sync_point(c, 1, &point);
    struct drm_syncobj_timeline_array timeline = { .count_handles = 1 };
    struct drm_syncobj_array binary = { .count_handles = 1 };
    int ret;

    if (!sync) {
        return c->error;
    }
    if (point) {
        timeline.handles = (uintptr_t)&sync->handle;
        timeline.points = (uintptr_t)&point;
        ret = sys_ioctl(sync->file->fd, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL,
                        &timeline);
    } else {
        binary.handles = (uintptr_t)&sync->handle;
        ret = sys_ioctl(sync->file->fd, DRM_IOCTL_SYNCOBJ_SIGNAL, &binary);
    }
    return ret ? call_fail(c, errno, "SYNCOBJ_SIGNAL") : 0;
}

int cmd_syncobj_export(struct call *c)
{
    struct sync *sync = name_sync(c, c->argv[1]);
    struct drm_syncobj_handle args = { .fd = -1 };
    int choice = -1;
    struct fd *fd;

    if (!sync || (c->argc > 3 && !call_choice(c, 3, "sync-file", &choice))) {
        return c->error;
    }
    fd = name_new_fd(c, c->argv[2]);
    if (!fd) {
        return c->error;
    }
    args.handle = sync->handle;
    if (choice >= 0) {
        args.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE;
    }
    if (sys_ioctl(sync->file->fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args)) {
        name_drop(fd);
        return call_fail(c, errno, "SYNCOBJ_HANDLE_TO_FD");
    }
    fd->fd = args.fd;
    return 0;
}

int cmd_syncobj_import(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    struct fd *fd = file ? name_fd(c, c->argv[2]) : NULL;
    struct sync *sync = fd ? name_new_sync(c, c->argv[3]) : NULL;
    struct drm_syncobj_handle args = { 0 };

    if (!sync) {
        return c->error;
    }
    args.fd = fd->fd;
    if (sys_ioctl(file->fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args)) {
        name_drop(sync);
        return call_fail(c, errno, "SYNCOBJ_FD_TO_HANDLE");
    }
    sync->file = file;
    sync->handle = args.handle;
    call_add(c, "handle=%u", sync->handle);
    return 0;
}

int cmd_syncobj_reset(struct call *c)
{
    struct sync *sync = name_sync(c, c->argv[1]);
    struct drm_syncobj_array args = { .count_handles = 1 };

    if (!sync) {
        return c->error;
    }
    args.handles = (uintptr_t)&sync->handle;
    if (sys_ioctl(sync->file->fd, DRM_IOCTL_SYNCOBJ_RESET, &args)) {
        return call_fail(c, errno, "SYNCOBJ_RESET");
    }
    return 0;
}

int cmd_syncobj_query(struct call *c)
{
    struct sync *sync = name_sync(c, c->argv[1]);
    struct drm_syncobj_timeline_array args = { .count_handles = 1 };
    uint64_t points[2] = { 0 };
    int i;

    if (!sync) {
        return c->error;
    }
    args.handles = (uintptr_t)&sync->handle;
    for (i = 0; i < 2; i++) {
        args.points = (uintptr_t)&points[i];
        args.flags = i ? DRM_SYNCOBJ_QUERY_FLAGS_LAST_SUBMITTED : 0;
        if (sys_ioctl(sync->file->fd, DRM_IOCTL_SYNCOBJ_QUERY, &args)) {
            return call_fail(c, errno, "SYNCOBJ_QUERY");
        }
    }
    call_add(c, "signalled=%llu submitted=%llu", (unsigned long long)points[0],
             (unsigned long long)points[1]);
    return 0;
}

int cmd_syncobj_transfer(struct call *c)
{
    uint64_t dst_point, src_point = 0;
    struct sync *dst = sync_point(c, 1, &dst_point);
    struct sync *src = dst ? sync_point(c, 2, &src_point) : NULL;
    struct drm_syncobj_transfer args = { 0 };
    int submit = -1;

    if (!src || (c->argc > 3 && !call_choice(c, 3, "submit", &submit))) {
        return c->error;
    }
    if (submit >= 0) {
        args.flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT;
    }
    args.dst_handle = dst->handle;
    args.dst_point = dst_point;
    args.src_handle = src->handle;
    args.src_point = src_point;
    if (sys_ioctl(dst->file->fd, DRM_IOCTL_SYNCOBJ_TRANSFER, &args)) {
        return call_fail(c, errno, "SYNCOBJ_TRANSFER");
    }
    return 0;
}

/* The fence of a sync_file, into a syncobj that is there */
int cmd_syncobj_load(struct call *c)
{
    struct sync *sync = name_sync(c, c->argv[1]);
    struct fd *fd = sync ? name_fd(c, c->argv[2]) : NULL;
    struct drm_syncobj_handle args = {
        .flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE,
    };

    if (!fd) {
        return c->error;
    }
    args.handle = sync->handle;
    args.fd = fd->fd;
    if (sys_ioctl(sync->file->fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args)) {
        return call_fail(c, errno, "SYNCOBJ_FD_TO_HANDLE");
    }
    return 0;
}

int cmd_syncobj_destroy(struct call *c)
{
    struct sync *sync = name_sync(c, c->argv[1]);
    struct drm_syncobj_destroy args = { 0 };
    int fd;

    if (!sync) {
        return c->error;
    }
    fd = sync->file->fd;
    args.handle = sync->handle;
    name_drop(sync);
    if (sys_ioctl(fd, DRM_IOCTL_SYNCOBJ_DESTROY, &args)) {
        return call_fail(c, errno, "SYNCOBJ_DESTROY");
    }
    return 0;
}
