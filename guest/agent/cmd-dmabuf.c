/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dma-bufs as such: their names, and those of exporters that are no GPU.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "names.h"

int cmd_set_name(struct call *c)
{
    struct fd *fd = name_fd(c, c->argv[1]);

    if (!fd) {
        return c->error;
    }
    if (sys_ioctl(fd->fd, DMA_BUF_SET_NAME_B, c->argv[2])) {
        return call_fail(c, errno, "DMA_BUF_SET_NAME");
    }
    return 0;
}

/* A device that makes dma-bufs; create() returns an fd, or -1 with errno. */
static int make(struct call *c, const char *path,
                int (*create)(int device, uint64_t size))
{
    struct fd *fd;
    uint64_t size;
    int device;

    if (!call_number(c, 2, SIZE_MAX, &size)) {
        return c->error;
    }
    fd = name_new_fd(c, c->argv[1]);
    if (!fd) {
        return c->error;
    }
    device = open(path, O_RDWR | O_CLOEXEC);
    fd->fd = device < 0 ? -1 : create(device, size);
    if (fd->fd < 0) {
        call_fail(c, errno, "%s", path);
        name_drop(fd);
    }
    if (device >= 0) {
        close(device);
    }
    return c->error;
}

static int make_udmabuf(int device, uint64_t size)
{
    struct udmabuf_create args = { .flags = UDMABUF_FLAGS_CLOEXEC };
    int memfd = memfd_create("udmabuf", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    int fd = -1, error;

    if (memfd < 0) {
        return -1;
    }
    if (!ftruncate(memfd, size) && !fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK)) {
        args.memfd = memfd;
        args.size = size;
        fd = sys_ioctl_number(device, UDMABUF_CREATE, &args);
    }
    error = errno;
    close(memfd);
    errno = error;
    return fd;
}

int cmd_udmabuf(struct call *c)
{
    return make(c, "/dev/udmabuf", make_udmabuf);
}

static int make_heap(int device, uint64_t size)
{
    struct dma_heap_allocation_data args = {
        .len = size,
        .fd_flags = O_RDWR | O_CLOEXEC,
    };

    return sys_ioctl(device, DMA_HEAP_IOCTL_ALLOC, &args) ? -1 : (int)args.fd;
}

int cmd_heap(struct call *c)
{
    return make(c, "/dev/dma_heap/system", make_heap);
}
