/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buffers that one file draws and another shows.
 */
#include <errno.h>
#include <unistd.h>

#include "kms.h"

int kms_buffer_make(const struct file *show, struct file *draw, uint32_t width,
                    uint32_t height, struct kms_buffer *b)
{
    struct drm_mode_fb_cmd2 fb = {
        .width = width,
        .height = height,
        .pixel_format = PRIMEGPU_AGENT_FRAME_FORMAT,
        .pitches = { width * 4 },
    };
    int prime, error;

    b->drawn.file = draw;
    error = drm_create(draw, (uint64_t)width * height * 4, 0, &b->drawn);
    if (error) {
        return error;
    }
    fb.handles[0] = b->drawn.handle;
    if (show != draw) {
        error = drm_export(draw->fd, b->drawn.handle, DRM_CLOEXEC | DRM_RDWR,
                           &prime);
        if (error) {
            return error;
        }
        error = drm_import(show->fd, prime, &b->shown);
        close(prime);
        if (error) {
            return error;
        }
        fb.handles[0] = b->shown;
    }
    if (sys_ioctl(show->fd, DRM_IOCTL_MODE_ADDFB2, &fb)) {
        return -errno;
    }
    b->fb = fb.fb_id;
    return 0;
}

void kms_buffer_drop(const struct file *show, struct kms_buffer *b)
{
    if (b->fb) {
        sys_ioctl(show->fd, DRM_IOCTL_MODE_RMFB, &b->fb);
    }
    if (b->shown) {
        drm_close(show->fd, b->shown);
    }
    if (b->drawn.handle) {
        drm_close(b->drawn.file->fd, b->drawn.handle);
    }
}

int kms_buffer_fill(const struct kms_buffer *b, uint32_t pixels, uint32_t value)
{
    struct drm_primegpu_submit submit = { 0 };
    struct drm_primegpu_op op = {
        .kind = PRIMEGPU_OP_KIND_FILL,
        .dst_handle = b->drawn.handle,
        .width = pixels,
        .height = 1,
        .cpp = 4,
        .value = value,
    };

    return drm_submit(b->drawn.file, &submit, &op, 1);
}
