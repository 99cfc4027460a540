/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File descriptors: dma-bufs, sync_files.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <unistd.h>

#include "names.h"

#define ACCESS "read|write|rw"

static const uint32_t accesses[] = {
    DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_RW,
};

int cmd_close_fd(struct call *c)
{
    struct fd *fd = name_fd(c, c->argv[1]);
    int number, ret;

    if (!fd) {
        return c->error;
    }
    number = fd->fd;
    name_drop(fd);
    fault_on();
    ret = close(number);
    fault_off();
    return ret ? call_fail(c, errno, "close") : 0;
}

int cmd_dup(struct call *c)
{
    struct fd *fd = name_fd(c, c->argv[1]);
    struct fd *copy = fd ? name_new_fd(c, c->argv[2]) : NULL;

    if (!copy) {
        return c->error;
    }
    copy->fd = fcntl(fd->fd, F_DUPFD_CLOEXEC, 0);
    if (copy->fd < 0) {
        name_drop(copy);
        return call_fail(c, errno, "dup");
    }
    return 0;
}

/* Fds of this process, but for the one that counts them */
static unsigned int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned int n = 0;
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        n += entry->d_name[0] != '.';
    }
    if (dir) {
        closedir(dir);
    }
    return n ? n - 1 : 0;
}

int cmd_names(struct call *c)
{
    call_add(c, "files=%u bos=%u fds=%u maps=%u syncobjs=%u open=%u",
             name_count(KIND_FILE), name_count(KIND_BO), name_count(KIND_FD),
             name_count(KIND_MAP), name_count(KIND_SYNC), count_fds());
    return 0;
}

/* Wait until the fd is ready or has an error: 1, 0 at the timeout, -errno */
static int wait_fd(int fd, short events, uint64_t timeout_ms)
{
    struct pollfd pfd = { .fd = fd, .events = events };
    int n;

    fault_on();
    n = poll(&pfd, 1, timeout_ms);
    fault_off();
    return n < 0 ? -errno : n;
}

int cmd_poll(struct call *c)
{
    struct fd *fd = name_fd(c, c->argv[1]);
    uint64_t timeout;
    int out, ready;

    if (!fd || !call_choice(c, 2, "in|out", &out) ||
        !call_number(c, 3, INT_MAX, &timeout)) {
        return c->error;
    }
    ready = wait_fd(fd->fd, out ? POLLOUT : POLLIN, timeout);
    if (ready < 0) {
        return call_fail(c, -ready, "poll");
    }
    call_add(c, "ready=%d", ready);
    return 0;
}

int cmd_fence_wait(struct call *c)
{
    struct fd *fd = name_fd(c, c->argv[1]);
    struct sync_file_info info = { 0 };
    uint64_t timeout;
    int ready;

    if (!fd || !call_number(c, 2, INT_MAX, &timeout)) {
        return c->error;
    }
    ready = wait_fd(fd->fd, POLLIN, timeout);
    if (ready < 0) {
        return call_fail(c, -ready, "poll");
    }
    if (sys_ioctl(fd->fd, SYNC_IOC_FILE_INFO, &info)) {
        return call_fail(c, errno, "SYNC_IOC_FILE_INFO");
    }
    if (!ready) {
        return call_fail(c, ETIME, "not signalled");
    }
    call_add(c, "status=%d", info.status);
    return 0;
}

/* Nothing is waited for: poll would ask the fence to tell when it is done. */
int cmd_fence_info(struct call *c)
{
    struct fd *fd = name_fd(c, c->argv[1]);
    struct sync_file_info info = { 0 };

    if (!fd) {
        return c->error;
    }
    if (sys_ioctl(fd->fd, SYNC_IOC_FILE_INFO, &info)) {
        return call_fail(c, errno, "SYNC_IOC_FILE_INFO");
    }
    call_add(c, "status=%d", info.status);
    return 0;
}

static int cpu_sync(struct call *c, uint64_t flag)
{
    struct fd *fd = name_fd(c, c->argv[1]);
    struct dma_buf_sync sync = { 0 };
    int choice;

    if (!fd || !call_choice(c, 2, ACCESS, &choice)) {
        return c->error;
    }
    sync.flags = flag | accesses[choice];
    if (sys_ioctl(fd->fd, DMA_BUF_IOCTL_SYNC, &sync)) {
        return call_fail(c, errno, "DMA_BUF_IOCTL_SYNC");
    }
    return 0;
}

int cmd_sync_start(struct call *c)
{
    return cpu_sync(c, DMA_BUF_SYNC_START);
}

int cmd_sync_end(struct call *c)
{
    return cpu_sync(c, DMA_BUF_SYNC_END);
}

int cmd_export_sync(struct call *c)
{
    struct fd *fd = name_fd(c, c->argv[1]);
    struct dma_buf_export_sync_file args = { .fd = -1 };
    struct fd *fence;
    int choice;

    if (!fd || !call_choice(c, 2, ACCESS, &choice)) {
        return c->error;
    }
    fence = name_new_fd(c, c->argv[3]);
    if (!fence) {
        return c->error;
    }
    args.flags = accesses[choice];
    if (sys_ioctl(fd->fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &args)) {
        name_drop(fence);
        return call_fail(c, errno, "DMA_BUF_IOCTL_EXPORT_SYNC_FILE");
    }
    fence->fd = args.fd;
    return 0;
}

int cmd_import_sync(struct call *c)
{
    struct fd *fd = name_fd(c, c->argv[1]);
    struct fd *fence = fd ? name_fd(c, c->argv[3]) : NULL;
    struct dma_buf_import_sync_file args = { 0 };
    int choice;

    if (!fence || !call_choice(c, 2, ACCESS, &choice)) {
        return c->error;
    }
    args.flags = accesses[choice];
    args.fd = fence->fd;
    if (sys_ioctl(fd->fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &args)) {
        return call_fail(c, errno, "DMA_BUF_IOCTL_IMPORT_SYNC_FILE");
    }
    return 0;
}
