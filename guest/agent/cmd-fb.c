/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Framebuffers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gpu.h"
#include "kms.h"

#define FORMAT_DEFAULT  "XR24"
#define PLANES_MAX      4

/* Formats of more than one plane: the others' share of pitch and height */
static const struct {
    const char *format;
    unsigned int planes;
    unsigned int pitch_div;
    unsigned int height_div;
} planar[] = {
    { "NV12", 2, 1, 2 },
    { "NV21", 2, 1, 2 },
    { "YU12", 3, 2, 2 },
};

/* A file and a framebuffer, arguments 1 and 2 */
static struct file *fb_args(struct call *c, uint32_t *id)
{
    struct file *file = name_file(c, c->argv[1]);

    return file && kms_fb_arg(c, file->fd, c->argv[2], id) ? file : NULL;
}

/*
 * BO[,BO]...: planes that have no BO of their own are in the last one, each
 * after the one before.
 */
static struct bo *fb_bos(struct call *c, struct bo **bos, unsigned int *count)
{
    char *word, *rest = c->argv[1];

    for (*count = 0; (word = strsep(&rest, ",")); (*count)++) {
        if (*count == PLANES_MAX) {
            call_fail(c, E2BIG, "at most %d BOs", PLANES_MAX);
            return NULL;
        }
        bos[*count] = name_bo(c, word);
        if (!bos[*count]) {
            return NULL;
        }
    }
    return bos[0];
}

static void add_planes(struct drm_mode_fb_cmd2 *fb, const char *format,
                       struct bo **bos, unsigned int count)
{
    uint32_t height = fb->height;
    unsigned int i, k;

    for (i = 0; i < ARRAY_SIZE(planar); i++) {
        if (strcmp(format, planar[i].format)) {
            continue;
        }
        for (k = 1; k < planar[i].planes; k++) {
            fb->pitches[k] = fb->pitches[0] / planar[i].pitch_div;
            if (k < count) {
                fb->handles[k] = bos[k]->handle;
            } else {
                fb->handles[k] = fb->handles[k - 1];
                fb->offsets[k] = fb->offsets[k - 1] +
                                 fb->pitches[k - 1] * height;
            }
            height = (fb->height + 1) / planar[i].height_div;
        }
    }
}

int cmd_addfb(struct call *c)
{
    struct bo *bos[PLANES_MAX];
    unsigned int count;
    struct bo *bo = fb_bos(c, bos, &count);
    const char *format = c->argc > 5 ? c->argv[5] : FORMAT_DEFAULT;
    struct drm_mode_fb_cmd2 fb = { 0 };
    uint64_t width, height, pitch, offset = 0;

    if (!bo || !call_number(c, 2, UINT32_MAX, &width) ||
        !call_number(c, 3, UINT32_MAX, &height) ||
        !call_number(c, 4, UINT32_MAX, &pitch) ||
        (c->argc > 6 && !call_number(c, 6, UINT32_MAX, &offset))) {
        return c->error;
    }
    if (strlen(format) != sizeof(fb.pixel_format)) {
        return call_usage(c);
    }
    fb.width = width;
    fb.height = height;
    memcpy(&fb.pixel_format, format, sizeof(fb.pixel_format));
    fb.handles[0] = bo->handle;
    fb.pitches[0] = pitch;
    fb.offsets[0] = offset;
    add_planes(&fb, format, bos, count);
    if (sys_ioctl(bo->file->fd, DRM_IOCTL_MODE_ADDFB2, &fb)) {
        return call_fail(c, errno, "MODE_ADDFB2");
    }
    kms_fb_add(bo->file->fd, &(struct kms_fb) {
        fb.fb_id, bo->handle, width, height,
    });
    call_add(c, "fb=%u", fb.fb_id);
    return 0;
}

int cmd_rmfb(struct call *c)
{
    uint32_t id;
    struct file *file = fb_args(c, &id);

    if (!file) {
        return c->error;
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_RMFB, &id)) {
        return call_fail(c, errno, "MODE_RMFB of %u", id);
    }
    return 0;
}

int cmd_closefb(struct call *c)
{
    struct drm_mode_closefb args = { 0 };
    struct file *file = fb_args(c, &args.fb_id);

    if (!file) {
        return c->error;
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_CLOSEFB, &args)) {
        return call_fail(c, errno, "MODE_CLOSEFB of %u", args.fb_id);
    }
    return 0;
}

static int bo_of_fb(struct call *c, struct file *file, uint32_t handle,
                    const char *name)
{
    struct drm_primegpu_gem_info info;
    struct bo *bo = name_new_bo(c, name);

    if (!bo) {
        drm_close(file->fd, handle);
        return c->error;
    }
    bo->file = file;
    bo->handle = handle;
    call_add(c, "handle=%u", handle);
    if (!drm_info(file, handle, &info)) {
        bo->size = info.size;
        call_add(c, " key=0x%llx size=%llu", (unsigned long long)info.key,
                 (unsigned long long)bo->size);
    }
    return 0;
}

int cmd_getfb(struct call *c)
{
    struct drm_mode_fb_cmd fb = { 0 };
    struct file *file = fb_args(c, &fb.fb_id);

    if (!file) {
        return c->error;
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_GETFB, &fb)) {
        return call_fail(c, errno, "MODE_GETFB of %u", fb.fb_id);
    }
    return bo_of_fb(c, file, fb.handle, c->argv[3]);
}

/* Planes in one BO have one handle; handles without a name are closed. */
int cmd_getfb2(struct call *c)
{
    struct drm_mode_fb_cmd2 fb = { 0 };
    struct file *file = fb_args(c, &fb.fb_id);
    char *word, *rest = c->argv[3];
    unsigned int i, k;

    if (!file) {
        return c->error;
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_GETFB2, &fb)) {
        return call_fail(c, errno, "MODE_GETFB2 of %u", fb.fb_id);
    }
    for (i = 0; i < PLANES_MAX && fb.handles[i]; i++) {
        for (k = 0; fb.handles[k] != fb.handles[i]; k++) {
            continue;
        }
        if (k < i) {
            continue;
        }
        word = c->error ? NULL : strsep(&rest, ",");
        if (word) {
            call_add(c, i ? " " : "");
            bo_of_fb(c, file, fb.handles[i], word);
        } else {
            drm_close(file->fd, fb.handles[i]);
        }
    }
    return c->error;
}

/* Rectangles of the framebuffer that have changed; none: all of it */
#define CLIPS_MAX   6

int cmd_dirtyfb(struct call *c)
{
    struct drm_mode_fb_dirty_cmd args = { 0 };
    struct file *file = fb_args(c, &args.fb_id);
    struct drm_clip_rect clips[CLIPS_MAX];
    uint64_t edge[4];
    int arg, i;

    if (!file) {
        return c->error;
    }
    if ((c->argc - 3) % 4 || c->argc > 3 + 4 * CLIPS_MAX) {
        return call_usage(c);
    }
    for (arg = 3; arg < c->argc; arg += 4) {
        for (i = 0; i < 4; i++) {
            if (!call_number(c, arg + i, UINT16_MAX, &edge[i])) {
                return c->error;
            }
        }
        clips[args.num_clips++] = (struct drm_clip_rect) {
            edge[0], edge[1], edge[2], edge[3],
        };
    }
    args.clips_ptr = args.num_clips ? (uintptr_t)clips : 0;
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_DIRTYFB, &args)) {
        return call_fail(c, errno, "MODE_DIRTYFB");
    }
    return 0;
}

/* Is there a framebuffer of this id?  As debugfs tells; or -errno */
static int fb_exists(const struct gpu *gpu, uint32_t id)
{
    static char text[64 * 1024];
    char path[64], start[32];
    int n;

    snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%d/framebuffer",
             gpu->card);
    snprintf(start, sizeof(start), "framebuffer[%u]:", id);
    n = sys_read_text(path, text, sizeof(text));
    return n < 0 ? n : !!strstr(text, start);
}

int cmd_await_rmfb(struct call *c)
{
    static const struct timespec pause = { .tv_nsec = 1000000 };
    uint64_t id, timeout, end;
    struct gpu gpu;
    int exists;

    if (!call_gpu(c, 1, &gpu) || !call_number(c, 2, UINT32_MAX, &id) ||
        !call_number(c, 3, INT_MAX, &timeout)) {
        return c->error;
    }
    end = sys_now_ns() + timeout * 1000000;
    while ((exists = fb_exists(&gpu, id)) > 0) {
        if (sys_now_ns() > end) {
            return call_fail(c, ETIME, "it is still there");
        }
        nanosleep(&pause, NULL);
    }
    return exists < 0 ? call_fail(c, -exists, "debugfs") : 0;
}
