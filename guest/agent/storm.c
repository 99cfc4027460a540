/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the threads of a storm take and leave.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "storm.h"

uint32_t rnd(struct storm_thread *t, uint32_t limit)
{
    return (uint32_t)(primegpu_agent_pattern_word(t->seed, t->drawn++) >> 32) %
           limit;
}

struct storm_file *any_file(struct storm_thread *t)
{
    return &t->storm->files[rnd(t, t->storm->file_count)];
}

uint32_t any_handle(struct storm_thread *t)
{
    return 1 + rnd(t, t->storm->handles);
}

uint32_t any_sync(struct storm_thread *t)
{
    return 1 + rnd(t, STORM_SYNCS);
}

atomic_int *any_slot(struct storm_thread *t, bool fence)
{
    if (!rnd(t, 16)) {
        fence = !fence;
    }
    return &t->storm->fds[fence ? STORM_BUFS + rnd(t, STORM_FENCES)
                                : rnd(t, STORM_BUFS)];
}

int any_buf(struct storm_thread *t)
{
    return *any_slot(t, false);
}

int any_fence(struct storm_thread *t)
{
    return *any_slot(t, true);
}

int keep_fd(atomic_int *slot, int fd)
{
    int old = atomic_exchange(slot, fd);

    if (old >= 0) {
        close(old);
    }
    return 0;
}

int try(int fd, unsigned long request, void *arg)
{
    return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

int keep_handle(struct storm_thread *t, int file, uint32_t handle)
{
    return handle <= t->storm->handles ? 0 : drm_close(file, handle);
}
