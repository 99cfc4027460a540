/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loops that are measured from inside, so that no protocol is in the figure.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "admin.h"
#include "drm-calls.h"
#include "primegpu_abi.h"

#define ROUNDS_MAX  100000000

enum use { USE_NONE = -1, USE_TOUCH, USE_ATTACH, USE_JOB };

/* One byte of each page, by the CPU */
static int use_touch(const struct bo *bo)
{
    uint64_t offset;
    size_t i;
    char *p, byte = 1;
    int error = drm_map_offset(bo, &offset);

    if (error) {
        return error;
    }
    p = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED,
             bo->file->fd, offset);
    if (p == MAP_FAILED) {
        return -errno;
    }
    for (i = 0; i < bo->size && !error; i += PRIMEGPU_PAGE_SIZE) {
        error = guard_copy(p + i, &byte, 1) ? 0 : -EFAULT;
    }
    munmap(p, bo->size);
    return error;
}

static int use_attach(const struct bo *bo)
{
    struct drm_primegpu_gem_place place = {
        .handle = bo->handle,
        .placement = PRIMEGPU_PLACE_PAGES,
    };

    return sys_ioctl(bo->file->fd, DRM_IOCTL_PRIMEGPU_GEM_PLACE, &place) ?
           -errno : 0;
}

/* A fill of four bytes, waited for */
static int use_job(const struct bo *bo)
{
    struct drm_primegpu_submit submit = {
        .flags = PRIMEGPU_SUBMIT_FENCE_FD_OUT,
    };
    struct drm_primegpu_op op = {
        .kind = PRIMEGPU_OP_KIND_FILL,
        .dst_handle = bo->handle,
        .width = 1,
        .height = 1,
        .cpp = 4,
    };
    struct pollfd pfd = { .events = POLLIN };
    int error = drm_submit(bo->file, &submit, &op, 1);

    if (!error) {
        pfd.fd = submit.out_fence_fd;
        error = poll(&pfd, 1, -1) < 0 ? -errno : 0;
        close(pfd.fd);
    }
    return error;
}

static int round_create(struct file *file, uint64_t size, enum use use)
{
    static int (*const uses[])(const struct bo *bo) = {
        use_touch, use_attach, use_job,
    };
    struct bo bo = { .file = file };
    int error = drm_create(file, size, 0, &bo);
    int close_error;

    if (error) {
        return error;
    }
    if (use != USE_NONE) {
        error = uses[use](&bo);
    }
    close_error = drm_close(file->fd, bo.handle);
    return error ? error : close_error;
}

int cmd_bench_create(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    uint64_t size, count, i, start;
    int use = USE_NONE, error = 0;

    if (!file || !call_number(c, 2, UINT64_MAX, &size) ||
        !call_number(c, 3, ROUNDS_MAX, &count) ||
        (c->argc > 4 && !call_choice(c, 4, "touch|attach|job", &use))) {
        return c->error;
    }
    start = sys_now_ns();
    for (i = 0; i < count && !error; i++) {
        error = round_create(file, size, use);
    }
    if (error) {
        return call_fail(c, -error, "in round %llu", (unsigned long long)i);
    }
    call_add(c, "ns=%llu", (unsigned long long)(sys_now_ns() - start));
    return 0;
}

/* Each step is tried on the way out too; the first error counts. */
static int round_share(struct file *from, struct file *to, uint64_t size)
{
    struct bo bo = { .file = from };
    uint32_t handle;
    int prime, error, ret;

    ret = drm_create(from, size, 0, &bo);
    if (ret) {
        return ret;
    }
    ret = drm_export(from->fd, bo.handle, DRM_CLOEXEC | DRM_RDWR, &prime);
    if (!ret) {
        ret = drm_import(to->fd, prime, &handle);
        close(prime);
        if (!ret) {
            ret = drm_close(to->fd, handle);
        }
    }
    error = drm_close(from->fd, bo.handle);
    return ret ? ret : error;
}

int cmd_bench_share(struct call *c)
{
    struct file *from = name_file(c, c->argv[1]);
    struct file *to = from ? name_file(c, c->argv[2]) : NULL;
    uint64_t size, count, i, start, settle;
    int error = 0;

    if (!to || !call_number(c, 3, UINT64_MAX, &size) ||
        !call_number(c, 4, ROUNDS_MAX, &count)) {
        return c->error;
    }
    start = sys_now_ns();
    for (i = 0; i < count && !error; i++) {
        error = round_share(from, to, size);
    }
    if (error) {
        return call_fail(c, -error, "in round %llu", (unsigned long long)i);
    }
    settle = sys_now_ns();
    if (admin_settle(c, ADMIN_SETTLE_MS) < 0) {
        return c->error;
    }
    call_add(c, "ns=%llu settle-ns=%llu",
             (unsigned long long)(sys_now_ns() - start),
             (unsigned long long)(sys_now_ns() - settle));
    return 0;
}
