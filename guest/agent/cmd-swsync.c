/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fences that nothing but a counter of the agent signals: timelines of the
 * kernel's sw_sync.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "names.h"
#include "sw-sync.h"

int cmd_sw_sync(struct call *c)
{
    struct fd *fd = name_new_fd(c, c->argv[1]);

    if (!fd) {
        return c->error;
    }
    fd->fd = open(SW_SYNC, O_RDWR | O_CLOEXEC);
    if (fd->fd < 0) {
        name_drop(fd);
        return call_fail(c, errno, SW_SYNC);
    }
    return 0;
}

int cmd_sw_fence(struct call *c)
{
    struct fd *timeline = name_fd(c, c->argv[1]);
    struct sw_sync_create_fence args = { .fence = -1 };
    uint64_t value;
    struct fd *fd;

    if (!timeline || !call_number(c, 2, UINT32_MAX, &value)) {
        return c->error;
    }
    fd = name_new_fd(c, c->argv[3]);
    if (!fd) {
        return c->error;
    }
    args.value = value;
    snprintf(args.name, sizeof(args.name), "%u", args.value);
    if (sys_ioctl(timeline->fd, SW_SYNC_CREATE_FENCE, &args)) {
        name_drop(fd);
        return call_fail(c, errno, "SW_SYNC_IOC_CREATE_FENCE");
    }
    fd->fd = args.fence;
    return 0;
}

int cmd_sw_inc(struct call *c)
{
    struct fd *timeline = name_fd(c, c->argv[1]);
    uint64_t by;
    uint32_t arg;

    if (!timeline || !call_number(c, 2, INT32_MAX, &by)) {
        return c->error;
    }
    arg = by;
    if (sys_ioctl(timeline->fd, SW_SYNC_INC, &arg)) {
        return call_fail(c, errno, "SW_SYNC_IOC_INC");
    }
    return 0;
}
