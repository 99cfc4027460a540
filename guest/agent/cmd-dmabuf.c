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
                int (*create)(int device, uint64_t size, const void *how),
                const void *how)
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
    fd->fd = device < 0 ? -1 : create(device, size, how);
    if (fd->fd < 0) {
        call_fail(c, errno, "%s", path);
        name_drop(fd);
    }
    if (device >= 0) {
        close(device);
    }
    return c->error;
}

/* Of each of its two halves, with a list of them; else of the first only */
static const struct udmabuf_kind {
    const char *name;
    bool list;
    int seals[2];
} udmabuf_kinds[] = {
    { "one", false, { F_SEAL_SHRINK } },
    { "unsealed", false, { 0 } },
    { "write-sealed", false, { F_SEAL_SHRINK | F_SEAL_WRITE } },
    { "future-sealed", false, { F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE } },
    { "two", true, { F_SEAL_SHRINK, F_SEAL_SHRINK } },
    { "second-unsealed", true, { F_SEAL_SHRINK, 0 } },
};

/* -1 with errno */
static int make_memfd(uint64_t size, int seals)
{
    int memfd = memfd_create("udmabuf", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    int error;

    if (memfd >= 0 && (ftruncate(memfd, size) ||
                       (seals && fcntl(memfd, F_ADD_SEALS, seals)))) {
        error = errno;
        close(memfd);
        errno = error;
        return -1;
    }
    return memfd;
}

static int make_udmabuf(int device, uint64_t size, const void *how)
{
    const struct udmabuf_kind *kind = how;
    struct {
        struct udmabuf_create_list head;
        struct udmabuf_create_item items[2];
    } list = { { UDMABUF_FLAGS_CLOEXEC, kind->list ? 2 : 1 } };
    struct udmabuf_create one = { .flags = UDMABUF_FLAGS_CLOEXEC };
    int fd = -1, error;
    size_t i;

    for (i = 0; i < list.head.count; i++) {
        list.items[i].size = size / list.head.count;
        list.items[i].memfd = make_memfd(list.items[i].size, kind->seals[i]);
        if ((int)list.items[i].memfd < 0) {
            break;
        }
    }
    if (i == list.head.count) {
        one.memfd = list.items[0].memfd;
        one.size = size;
        fd = kind->list ? sys_ioctl_number(device, UDMABUF_CREATE_LIST, &list)
                        : sys_ioctl_number(device, UDMABUF_CREATE, &one);
    }
    error = errno;
    while (i--) {
        close(list.items[i].memfd);
    }
    errno = error;
    return fd;
}

int cmd_udmabuf(struct call *c)
{
    const char *name = c->argc > 3 ? c->argv[3] : udmabuf_kinds[0].name;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(udmabuf_kinds); i++) {
        if (!strcmp(name, udmabuf_kinds[i].name)) {
            return make(c, "/dev/udmabuf", make_udmabuf, &udmabuf_kinds[i]);
        }
    }
    return call_usage(c);
}

static int make_heap(int device, uint64_t size, const void *how)
{
    struct dma_heap_allocation_data args = {
        .len = size,
        .fd_flags = O_RDWR | O_CLOEXEC,
    };

    return sys_ioctl(device, DMA_HEAP_IOCTL_ALLOC, &args) ? -1 : (int)args.fd;
}

int cmd_heap(struct call *c)
{
    return make(c, "/dev/dma_heap/system", make_heap, NULL);
}
