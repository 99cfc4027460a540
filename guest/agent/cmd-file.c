/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DRM files: open, close, pass to another worker.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gpu.h"
#include "kms.h"

/* Ask the file for its driver */
static int file_identify(struct call *c, struct file *file)
{
    struct drm_version version = {
        .name = file->driver,
        .name_len = sizeof(file->driver) - 1,
    };

    if (sys_ioctl(file->fd, DRM_IOCTL_VERSION, &version)) {
        return call_fail(c, errno, "DRM_IOCTL_VERSION");
    }
    file->primegpu = !strncmp(file->driver, "primegpu", strlen("primegpu"));
    return 0;
}

static void file_describe(struct call *c, const struct file *file)
{
    struct drm_primegpu_getparam param = {
        .param = PRIMEGPU_PARAM_CLIENT_ID,
    };

    call_add(c, " driver=%s", file->driver);
    if (file->primegpu &&
        !sys_ioctl(file->fd, DRM_IOCTL_PRIMEGPU_GETPARAM, &param)) {
        call_add(c, " client=%llu", (unsigned long long)param.value);
    }
}

int cmd_open(struct call *c)
{
    struct gpu gpu;
    struct file *file;
    char path[64];
    int node = -1;

    if (c->argc > 3 && !call_choice(c, 3, "render|card", &node)) {
        return c->error;
    }
    if (!call_gpu(c, 2, &gpu)) {
        return c->error;
    }
    if (node < 0) {
        node = gpu.primegpu ? 0 : 1;
    }
    snprintf(path, sizeof(path), "/dev/dri/%s%d", node ? "card" : "renderD",
             node ? gpu.card : gpu.render);
    if ((node ? gpu.card : gpu.render) < 0) {
        return call_fail(c, ENODEV, "%s has no %s node", c->argv[2],
                         node ? "card" : "render");
    }
    file = name_new_file(c, c->argv[1]);
    if (!file) {
        return c->error;
    }
    fault_on();
    file->fd = open(path, O_RDWR | O_CLOEXEC);
    fault_off();
    if (file->fd < 0) {
        name_drop(file);
        return call_fail(c, errno, "%s", path);
    }
    if (file_identify(c, file)) {
        close(file->fd);
        name_drop(file);
        return c->error;
    }
    call_add(c, "node=%s", path);
    file_describe(c, file);
    return 0;
}

int cmd_close_file(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    int fd, ret;

    if (!file) {
        return c->error;
    }
    fd = file->fd;
    kms_fb_forget(fd);
    kms_free(file->kms);
    name_drop_of_file(file);
    name_drop(file);
    fault_on();
    ret = close(fd);
    fault_off();
    return ret ? call_fail(c, errno, "close") : 0;
}

/* Hand an fd to main, which sees to it that pM takes it and answers */
static int pass(struct call *c, const char *kind, int fd)
{
    char text[80];

    if (line_worker(c->argv[2]) < 0) {
        return call_usage(c);
    }
    if (!line_name_ok(c->argv[3])) {
        return call_fail(c, EINVAL, "'%.40s' is no name", c->argv[3]);
    }
    snprintf(text, sizeof(text), "%s %s %s", c->argv[2], kind, c->argv[3]);
    worker_send(PACKET_SEND, text, fd);
    c->deferred = true;
    return 0;
}

int cmd_send(struct call *c)
{
    struct fd *fd = name_fd(c, c->argv[1]);

    return fd ? pass(c, "fd", fd->fd) : c->error;
}

int cmd_send_file(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);

    return file ? pass(c, "file", file->fd) : c->error;
}

/* The receiving ends; the worker closes an fd that is not taken */
int cmd_recv_fd(struct call *c)
{
    struct fd *fd;

    if (c->fd < 0) {
        return call_fail(c, EINVAL, "send is the command for this");
    }
    fd = name_new_fd(c, c->argv[1]);
    if (!fd) {
        return c->error;
    }
    fd->fd = c->fd;
    c->fd = -1;
    return 0;
}

int cmd_recv_file(struct call *c)
{
    struct file *file;

    if (c->fd < 0) {
        return call_fail(c, EINVAL, "send-file is the command for this");
    }
    file = name_new_file(c, c->argv[1]);
    if (!file) {
        return c->error;
    }
    file->fd = c->fd;
    if (file_identify(c, file)) {
        name_drop(file);
        return c->error;
    }
    c->fd = -1;
    file_describe(c, file);
    return 0;
}

/* A DRM file as an fd: what is done with fds can be done with it, too. */
int cmd_file_fd(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    struct fd *fd = file ? name_new_fd(c, c->argv[2]) : NULL;

    if (!fd) {
        return c->error;
    }
    fd->fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    if (fd->fd < 0) {
        name_drop(fd);
        return call_fail(c, errno, "dup");
    }
    return 0;
}

int cmd_fd_file(struct call *c)
{
    struct fd *fd = name_fd(c, c->argv[1]);
    struct file *file = fd ? name_new_file(c, c->argv[2]) : NULL;

    if (!file) {
        return c->error;
    }
    file->fd = fcntl(fd->fd, F_DUPFD_CLOEXEC, 0);
    if (file->fd < 0) {
        name_drop(file);
        return call_fail(c, errno, "dup");
    }
    if (file_identify(c, file)) {
        close(file->fd);
        name_drop(file);
        return c->error;
    }
    file_describe(c, file);
    return 0;
}
