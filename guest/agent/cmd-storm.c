/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that make random calls on the same DRM files at the same time.
 *
 * They guess handles and framebuffers, and take fds from slots that all of
 * them share, so that one closes what another one is about to use.  Nobody
 * looks at what comes of a call: afterwards the host looks at what is left.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "drm-calls.h"
#include <drm/drm_fourcc.h>
#include "sw-sync.h"

#define COUNT_MAX   1000000
#define THREADS_MAX 16
#define FILES_MAX   8
#define HANDLES_MAX 1000
#define SYNCS       4
/* Slots: dma-bufs, fences and syncobjs, DRM files, framebuffers of a file */
#define BUFS        8
#define FENCES      8
#define FDS         (BUFS + FENCES)
#define OPENED      3
#define FBS         4
/* A frame is so wide and high, and a BO has a frame or a page. */
#define SIDE        64
#define FRAME_SIZE  (SIDE * SIDE * 4)
#define PAGE_SIZE   4096
#define JOB_BYTES   256
/* Fences of the timeline come by themselves, after so long. */
#define TICK_NS     500000

struct storm_file {
    struct file file;
    uint32_t crtc, connector;   /* 0: not shown on */
    atomic_uint fbs[FBS];
};

struct storm {
    struct storm_file files[FILES_MAX];
    unsigned int file_count;
    atomic_int fds[FDS];
    atomic_int opened[OPENED];
    int timeline;
    atomic_uint now;            /* of the timeline */
    int zeros;
    atomic_uint running;
    uint64_t count;
    /* Handles are guessed from 1 on; one above that is closed at once. */
    uint64_t handles;
};

struct thread {
    pthread_t id;
    struct storm *storm;
    uint64_t random;
    void *map;                  /* the last one stays for a while */
    size_t map_size;
    uint64_t ok;
};

static uint32_t rnd(struct thread *t, uint32_t limit)
{
    uint64_t x = t->random += 0x9e3779b97f4a7c15ull;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return (uint32_t)(x >> 32) % limit;
}

static struct storm_file *any_file(struct thread *t)
{
    return &t->storm->files[rnd(t, t->storm->file_count)];
}

static uint32_t any_handle(struct thread *t)
{
    return 1 + rnd(t, t->storm->handles);
}

static uint32_t any_sync(struct thread *t)
{
    return 1 + rnd(t, SYNCS);
}

/* A slot of the kind that is wanted, and sometimes one of the other */
static atomic_int *any_slot(struct thread *t, bool fence)
{
    if (!rnd(t, 16)) {
        fence = !fence;
    }
    return &t->storm->fds[fence ? BUFS + rnd(t, FENCES) : rnd(t, BUFS)];
}

static int any_buf(struct thread *t)
{
    return *any_slot(t, false);
}

static int any_fence(struct thread *t)
{
    return *any_slot(t, true);
}

/* What was there is closed: each fd has one that takes it out. */
static int keep_fd(atomic_int *slot, int fd)
{
    int old = atomic_exchange(slot, fd);

    if (old >= 0) {
        close(old);
    }
    return 0;
}

/* 0 or -errno */
static int call(int fd, unsigned long request, void *arg)
{
    return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

/* One that nobody would guess is closed at once. */
static int keep_handle(struct thread *t, int file, uint32_t handle)
{
    return handle <= t->storm->handles ? 0 : drm_close(file, handle);
}

/* BOs and dma-bufs */

static int op_create(struct thread *t)
{
    struct storm_file *f = any_file(t);
    struct bo bo = { .file = &f->file };
    uint32_t placement = f->file.primegpu ? rnd(t, 4) : 0;
    int error = drm_create(&f->file, rnd(t, 3) ? FRAME_SIZE : PAGE_SIZE,
                           placement, &bo);

    return error ? error : keep_handle(t, f->file.fd, bo.handle);
}

static int op_close(struct thread *t)
{
    return drm_close(any_file(t)->file.fd, any_handle(t));
}

static int op_export(struct thread *t)
{
    uint32_t flags = DRM_CLOEXEC | (rnd(t, 4) ? DRM_RDWR : 0);
    int fd, error = drm_export(any_file(t)->file.fd, any_handle(t), flags,
                               &fd);

    return error ? error : keep_fd(any_slot(t, false), fd);
}

static int import(struct thread *t, int file, int fd)
{
    uint32_t handle;
    int error = drm_import(file, fd, &handle);

    return error ? error : keep_handle(t, file, handle);
}

static int op_import(struct thread *t)
{
    return import(t, any_file(t)->file.fd, any_buf(t));
}

static int op_close_fd(struct thread *t)
{
    return keep_fd(any_slot(t, rnd(t, 2)), -1);
}

static int op_dup(struct thread *t)
{
    bool fence = rnd(t, 2);
    int fd = fcntl(*any_slot(t, fence), F_DUPFD_CLOEXEC, 0);

    return fd < 0 ? -errno : keep_fd(any_slot(t, fence), fd);
}

/* The kernel touches it, so that a page that has gone is an error only. */
static int touch(struct thread *t, void *p, size_t size)
{
    if (p == MAP_FAILED) {
        return -errno;
    }
    if (t->map) {
        munmap(t->map, t->map_size);
    }
    t->map = p;
    t->map_size = size;
    return read(t->storm->zeros, p, size) < 0 ? -errno : 0;
}

static int op_mmap(struct thread *t)
{
    struct storm_file *f = any_file(t);
    struct bo bo = { .file = &f->file, .handle = any_handle(t) };
    size_t size = rnd(t, 2) ? FRAME_SIZE : PAGE_SIZE;
    uint64_t offset;
    int error = drm_map_offset(&bo, &offset);

    return error ? error : touch(t, mmap(NULL, size, PROT_READ | PROT_WRITE,
                                         MAP_SHARED, f->file.fd, offset),
                                 size);
}

static int op_mmap_fd(struct thread *t)
{
    size_t size = rnd(t, 2) ? FRAME_SIZE : PAGE_SIZE;

    return touch(t, mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
                         any_buf(t), 0), size);
}

static int op_touch(struct thread *t)
{
    return t->map && read(t->storm->zeros, t->map, t->map_size) < 0 ? -errno
                                                                    : 0;
}

static int op_cpu_access(struct thread *t)
{
    struct dma_buf_sync sync = {
        .flags = DMA_BUF_SYNC_START |
                 (rnd(t, 2) ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_RW),
    };
    int fd = any_buf(t);
    int error = call(fd, DMA_BUF_IOCTL_SYNC, &sync);

    sync.flags |= DMA_BUF_SYNC_END;
    call(fd, DMA_BUF_IOCTL_SYNC, &sync);
    return error;
}

static int op_set_name(struct thread *t)
{
    static const char *const names[] = { "", "storm", "a longer name" };

    return call(any_buf(t), DMA_BUF_SET_NAME, (void *)names[rnd(t, 3)]);
}

static int op_poll(struct thread *t)
{
    struct pollfd pfds[] = {
        { any_buf(t), rnd(t, 2) ? POLLIN : POLLOUT, 0 },
        { any_fence(t), POLLIN, 0 },
    };

    return poll(pfds, ARRAY_SIZE(pfds), rnd(t, 2)) < 0 ? -errno : 0;
}

static int op_flink(struct thread *t)
{
    struct storm_file *f = any_file(t);
    struct drm_gem_flink flink = { .handle = any_handle(t) };
    struct drm_gem_open open = { 0 };
    int error = call(f->file.fd, DRM_IOCTL_GEM_FLINK, &flink);

    /* Names are guessed as well: others' are as low. */
    open.name = error ? 1 + rnd(t, t->storm->handles) : flink.name;
    f = any_file(t);
    error = call(f->file.fd, DRM_IOCTL_GEM_OPEN, &open);
    return error ? error : keep_handle(t, f->file.fd, open.handle);
}

static int op_place(struct thread *t)
{
    struct drm_primegpu_gem_place place = {
        .handle = any_handle(t),
        .placement = 1 + rnd(t, 3),
    };

    return call(any_file(t)->file.fd, DRM_IOCTL_PRIMEGPU_GEM_PLACE, &place);
}

/* Files */

static int op_open(struct thread *t)
{
    char path[32];
    int fd;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", any_file(t)->file.fd);
    fd = open(path, O_RDWR | O_CLOEXEC);
    return fd < 0 ? -errno : keep_fd(&t->storm->opened[rnd(t, OPENED)], fd);
}

static int op_import_opened(struct thread *t)
{
    return import(t, t->storm->opened[rnd(t, OPENED)], any_buf(t));
}

static int op_close_opened(struct thread *t)
{
    return keep_fd(&t->storm->opened[rnd(t, OPENED)], -1);
}

/* Jobs and fences */

static int op_submit(struct thread *t)
{
    struct storm_file *f = any_file(t);
    struct drm_primegpu_sync in = { .handle = any_sync(t) };
    struct drm_primegpu_sync out = {
        .handle = any_sync(t),
        .point = rnd(t, 2) ? atomic_fetch_add(&t->storm->now, 0) : 0,
    };
    struct drm_primegpu_submit submit = {
        .flags = (rnd(t, 2) ? PRIMEGPU_SUBMIT_FENCE_FD_OUT : 0) |
                 (rnd(t, 4) ? 0 : PRIMEGPU_SUBMIT_FENCE_FD_IN),
        .in_syncs = (uintptr_t)&in,
        .in_sync_count = !rnd(t, 4),
        .out_syncs = (uintptr_t)&out,
        .out_sync_count = !rnd(t, 2),
        .in_fence_fd = any_fence(t),
    };
    struct drm_primegpu_op op = {
        .kind = rnd(t, 2) ? PRIMEGPU_OP_KIND_FILL : PRIMEGPU_OP_KIND_COPY,
        .dst_handle = any_handle(t),
        .src_handle = any_handle(t),
        .src_offset = PAGE_SIZE - JOB_BYTES,
        .dst_stride = JOB_BYTES,
        .src_stride = JOB_BYTES,
        .width = JOB_BYTES / 4,
        .height = 1,
        .cpp = 4,
    };
    int error;

    if (op.kind == PRIMEGPU_OP_KIND_FILL) {
        op.src_handle = 0;
        op.src_stride = 0;
        op.src_offset = 0;
    }
    error = drm_submit(&f->file, &submit, &op);
    if (!error && submit.flags & PRIMEGPU_SUBMIT_FENCE_FD_OUT) {
        keep_fd(any_slot(t, true), submit.out_fence_fd);
    }
    return error;
}

static int op_sw_fence(struct thread *t)
{
    struct sw_sync_create_fence args = {
        .value = atomic_load(&t->storm->now) + 1 + rnd(t, 3),
        .name = "storm",
    };
    int error = call(t->storm->timeline, SW_SYNC_CREATE_FENCE, &args);

    return error ? error : keep_fd(any_slot(t, true), args.fence);
}

static int op_merge(struct thread *t)
{
    struct sync_merge_data args = { .name = "storm", .fd2 = any_fence(t) };
    int error = call(any_fence(t), SYNC_IOC_MERGE, &args);

    return error ? error : keep_fd(any_slot(t, true), args.fence);
}

static int op_export_sync(struct thread *t)
{
    struct dma_buf_export_sync_file args = {
        .flags = rnd(t, 2) ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_RW,
    };
    int error = call(any_buf(t), DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &args);

    return error ? error : keep_fd(any_slot(t, true), args.fd);
}

static int op_import_sync(struct thread *t)
{
    struct dma_buf_import_sync_file args = {
        .flags = rnd(t, 2) ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_WRITE,
        .fd = any_fence(t),
    };

    return call(any_buf(t), DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &args);
}

static int op_sync_create(struct thread *t)
{
    struct drm_syncobj_create args = {
        .flags = rnd(t, 2) ? DRM_SYNCOBJ_CREATE_SIGNALED : 0,
    };
    int fd = any_file(t)->file.fd;
    int error = call(fd, DRM_IOCTL_SYNCOBJ_CREATE, &args);
    struct drm_syncobj_destroy destroy = { .handle = args.handle };

    return error || args.handle <= SYNCS
           ? error : call(fd, DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
}

static int op_sync_destroy(struct thread *t)
{
    struct drm_syncobj_destroy args = { .handle = any_sync(t) };

    return call(any_file(t)->file.fd, DRM_IOCTL_SYNCOBJ_DESTROY, &args);
}

static int op_sync_export(struct thread *t)
{
    struct drm_syncobj_handle args = {
        .handle = any_sync(t),
        .flags = rnd(t, 2) ? DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE
                           : 0,
    };
    int error = call(any_file(t)->file.fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD,
                     &args);

    return error ? error : keep_fd(any_slot(t, true), args.fd);
}

static int op_sync_import(struct thread *t)
{
    struct drm_syncobj_handle args = {
        .handle = any_sync(t),
        .fd = any_fence(t),
        .flags = rnd(t, 2) ? DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE
                           : 0,
    };
    int fd = any_file(t)->file.fd;
    int error = call(fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args);
    struct drm_syncobj_destroy destroy = { .handle = args.handle };

    return error || args.handle <= SYNCS
           ? error : call(fd, DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
}

static int op_sync_transfer(struct thread *t)
{
    struct drm_syncobj_transfer args = {
        .src_handle = any_sync(t),
        .dst_handle = any_sync(t),
        .dst_point = rnd(t, 2) ? atomic_load(&t->storm->now) : 0,
    };

    return call(any_file(t)->file.fd, DRM_IOCTL_SYNCOBJ_TRANSFER, &args);
}

static int op_sync_wait(struct thread *t)
{
    uint32_t handles[] = { any_sync(t), any_sync(t) };
    struct drm_syncobj_wait args = {
        .handles = (uintptr_t)handles,
        .count_handles = 1 + rnd(t, 2),
        .timeout_nsec = drm_deadline(rnd(t, 2)),
        .flags = rnd(t, 4),
    };

    return call(any_file(t)->file.fd, DRM_IOCTL_SYNCOBJ_WAIT, &args);
}

static int op_sync_array(struct thread *t)
{
    uint32_t handle = any_sync(t);
    struct drm_syncobj_array args = {
        .handles = (uintptr_t)&handle,
        .count_handles = 1,
    };

    return call(any_file(t)->file.fd, rnd(t, 2) ? DRM_IOCTL_SYNCOBJ_SIGNAL
                                                : DRM_IOCTL_SYNCOBJ_RESET,
                &args);
}

/* Frames */

static int op_addfb(struct thread *t)
{
    struct storm_file *f = any_file(t);
    struct drm_mode_fb_cmd2 fb = {
        .width = SIDE,
        .height = SIDE,
        .pixel_format = DRM_FORMAT_XRGB8888,
        .handles = { any_handle(t) },
        .pitches = { SIDE * 4 },
    };
    uint32_t old;
    int error = call(f->file.fd, DRM_IOCTL_MODE_ADDFB2, &fb);

    if (!error) {
        old = atomic_exchange(&f->fbs[rnd(t, FBS)], fb.fb_id);
        error = old ? call(f->file.fd, DRM_IOCTL_MODE_RMFB, &old) : 0;
    }
    return error;
}

static int op_rmfb(struct thread *t)
{
    struct storm_file *f = any_file(t);
    uint32_t fb = atomic_exchange(&f->fbs[rnd(t, FBS)], 0);

    return call(f->file.fd, DRM_IOCTL_MODE_RMFB, &fb);
}

static int op_getfb(struct thread *t)
{
    struct storm_file *f = any_file(t);
    struct drm_mode_fb_cmd fb = { .fb_id = f->fbs[rnd(t, FBS)] };
    int error = call(f->file.fd, DRM_IOCTL_MODE_GETFB, &fb);

    return error ? error : keep_handle(t, f->file.fd, fb.handle);
}

static int op_show(struct thread *t)
{
    struct storm_file *f = any_file(t);
    struct drm_mode_crtc crtc = {
        .set_connectors_ptr = (uintptr_t)&f->connector,
        .count_connectors = 1,
        .crtc_id = f->crtc,
        .fb_id = f->fbs[rnd(t, FBS)],
        .mode_valid = 1,
        .mode = {
            .name = "storm",
            .clock = 1000,
            .hdisplay = SIDE, .hsync_start = SIDE + 8, .hsync_end = SIDE + 16,
            .htotal = SIDE + 32,
            .vdisplay = SIDE, .vsync_start = SIDE + 2, .vsync_end = SIDE + 4,
            .vtotal = SIDE + 6,
        },
    };

    if (!rnd(t, 4)) {
        crtc.count_connectors = crtc.fb_id = crtc.mode_valid = 0;
    }
    return f->crtc ? call(f->file.fd, DRM_IOCTL_MODE_SETCRTC, &crtc) : -ENODEV;
}

static int op_flip(struct thread *t)
{
    struct storm_file *f = any_file(t);
    struct drm_mode_crtc_page_flip flip = {
        .crtc_id = f->crtc,
        .fb_id = f->fbs[rnd(t, FBS)],
        .flags = rnd(t, 2) ? DRM_MODE_PAGE_FLIP_EVENT : 0,
    };

    return f->crtc ? call(f->file.fd, DRM_IOCTL_MODE_PAGE_FLIP, &flip)
                   : -ENODEV;
}

static int op_cursor(struct thread *t)
{
    struct storm_file *f = any_file(t);
    struct drm_mode_cursor cursor = {
        .flags = 1 + rnd(t, 3),
        .crtc_id = f->crtc,
        .x = rnd(t, SIDE),
        .y = rnd(t, SIDE),
        .width = SIDE,
        .height = SIDE,
        .handle = rnd(t, t->storm->handles + 1),
    };

    return f->crtc ? call(f->file.fd, DRM_IOCTL_MODE_CURSOR, &cursor)
                   : -ENODEV;
}

static int op_events(struct thread *t)
{
    struct storm_file *f = any_file(t);
    struct pollfd pfd = { f->file.fd, POLLIN, 0 };
    char events[256];

    return poll(&pfd, 1, 0) > 0 && read(f->file.fd, events,
                                        sizeof(events)) < 0 ? -errno : 0;
}

static const struct {
    int (*run)(struct thread *t);
    unsigned int weight;
} ops[] = {
    { op_create, 12 }, { op_close, 10 }, { op_export, 12 }, { op_import, 14 },
    { op_close_fd, 8 }, { op_dup, 2 }, { op_mmap, 3 }, { op_mmap_fd, 3 },
    { op_touch, 2 }, { op_cpu_access, 2 }, { op_set_name, 1 }, { op_poll, 2 },
    { op_flink, 2 }, { op_place, 3 }, { op_open, 1 }, { op_import_opened, 4 },
    { op_close_opened, 1 }, { op_submit, 10 }, { op_sw_fence, 2 },
    { op_merge, 2 }, { op_export_sync, 2 }, { op_import_sync, 2 },
    { op_sync_create, 2 }, { op_sync_destroy, 1 }, { op_sync_export, 2 },
    { op_sync_import, 2 }, { op_sync_transfer, 1 }, { op_sync_wait, 1 },
    { op_sync_array, 1 }, { op_addfb, 4 }, { op_rmfb, 2 }, { op_getfb, 2 },
    { op_show, 1 }, { op_flip, 3 }, { op_cursor, 1 }, { op_events, 1 },
};

static void *run_thread(void *data)
{
    struct thread *t = data;
    unsigned int total = 0;
    uint64_t i;

    for (i = 0; i < ARRAY_SIZE(ops); i++) {
        total += ops[i].weight;
    }
    for (i = 0; i < t->storm->count; i++) {
        unsigned int at = rnd(t, total), op = 0;

        while (at >= ops[op].weight) {
            at -= ops[op++].weight;
        }
        t->ok += !ops[op].run(t);
    }
    if (t->map) {
        munmap(t->map, t->map_size);
    }
    atomic_fetch_sub(&t->storm->running, 1);
    return NULL;
}

/* Signal the fences as time goes on, or threads would wait for each other. */
static void tick(struct storm *s)
{
    static const struct timespec pause = { .tv_nsec = TICK_NS };
    uint32_t one = 1;

    atomic_fetch_add(&s->now, 1);
    call(s->timeline, SW_SYNC_INC, &one);
    nanosleep(&pause, NULL);
}

/* The first CRTC and connector, of a file that has some to itself */
static void find_output(struct storm_file *f)
{
    uint32_t crtcs[8], connectors[8];
    struct drm_mode_card_res res = {
        .crtc_id_ptr = (uintptr_t)crtcs,
        .connector_id_ptr = (uintptr_t)connectors,
        .count_crtcs = ARRAY_SIZE(crtcs),
        .count_connectors = ARRAY_SIZE(connectors),
    };

    /* vkms can't compose frames that go while it does (Linux 6.12). */
    if (f->file.primegpu &&
        !call(f->file.fd, DRM_IOCTL_MODE_GETRESOURCES, &res) &&
        res.count_crtcs && res.count_connectors) {
        f->crtc = crtcs[0];
        f->connector = connectors[0];
    }
}

static int storm_begin(struct call *c, struct storm *s)
{
    int i;

    for (i = 5; i < c->argc; i++) {
        struct file *file = name_file(c, c->argv[i]);

        if (!file) {
            return c->error;
        }
        if (s->file_count == FILES_MAX) {
            return call_usage(c);
        }
        s->files[s->file_count].file = *file;
        find_output(&s->files[s->file_count++]);
    }
    for (i = 0; i < FDS; i++) {
        s->fds[i] = -1;
    }
    for (i = 0; i < OPENED; i++) {
        s->opened[i] = -1;
    }
    s->zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    s->timeline = open(SW_SYNC, O_RDWR | O_CLOEXEC);
    return s->zeros < 0 || s->timeline < 0
           ? call_fail(c, errno, "/dev/zero and %s", SW_SYNC) : 0;
}

/* A cursor's framebuffer belongs to no file: it stays until it is hidden. */
static void hide_cursor(const struct storm_file *f)
{
    struct drm_mode_cursor cursor = {
        .flags = DRM_MODE_CURSOR_BO,
        .crtc_id = f->crtc,
    };

    if (f->crtc) {
        call(f->file.fd, DRM_IOCTL_MODE_CURSOR, &cursor);
    }
}

/* The slots, and the framebuffers; handles stay with the files. */
static void storm_end(struct storm *s)
{
    unsigned int i, k;

    close(s->timeline);
    close(s->zeros);
    for (i = 0; i < FDS; i++) {
        keep_fd(&s->fds[i], -1);
    }
    for (i = 0; i < OPENED; i++) {
        keep_fd(&s->opened[i], -1);
    }
    for (i = 0; i < s->file_count; i++) {
        hide_cursor(&s->files[i]);
        for (k = 0; k < FBS; k++) {
            uint32_t fb = s->files[i].fbs[k];

            call(s->files[i].file.fd, DRM_IOCTL_MODE_RMFB, &fb);
        }
    }
}

int cmd_storm(struct call *c)
{
    static struct thread threads[THREADS_MAX];
    static struct storm s;
    uint64_t seed, number, i, ok = 0;

    memset(&s, 0, sizeof(s));
    if (!call_number(c, 1, UINT64_MAX, &seed) ||
        !call_number(c, 2, COUNT_MAX, &s.count) ||
        !call_number(c, 3, THREADS_MAX, &number) ||
        !call_number(c, 4, HANDLES_MAX, &s.handles)) {
        return c->error;
    }
    if (!s.handles) {
        return call_usage(c);
    }
    if (storm_begin(c, &s)) {
        return c->error;
    }
    s.running = number;
    for (i = 0; i < number; i++) {
        threads[i] = (struct thread) {
            .storm = &s,
            .random = seed * THREADS_MAX + i,
        };
        if (pthread_create(&threads[i].id, NULL, run_thread, &threads[i])) {
            /* The others have begun, and the worker ends with them. */
            return call_fail(c, EAGAIN, "thread %llu", (unsigned long long)i);
        }
    }
    while (s.running) {
        tick(&s);
    }
    for (i = 0; i < number; i++) {
        pthread_join(threads[i].id, NULL);
        ok += threads[i].ok;
    }
    storm_end(&s);
    call_add(c, "ok=%llu", (unsigned long long)ok);
    return 0;
}
