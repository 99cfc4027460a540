/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls of a storm: frames.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <unistd.h>

#include "storm.h"
#include <drm/drm_fourcc.h>

static int op_addfb(struct storm_thread *t)
{
    struct storm_file *f = any_file(t);
    struct drm_mode_fb_cmd2 fb = {
        .width = STORM_SIDE,
        .height = STORM_SIDE,
        .pixel_format = DRM_FORMAT_XRGB8888,
        .handles = { any_handle(t) },
        .pitches = { STORM_SIDE * 4 },
    };
    uint32_t old;
    int error = try(f->file.fd, DRM_IOCTL_MODE_ADDFB2, &fb);

    if (!error) {
        old = atomic_exchange(&f->fbs[rnd(t, STORM_FBS)], fb.fb_id);
        error = old ? try(f->file.fd, DRM_IOCTL_MODE_RMFB, &old) : 0;
    }
    return error;
}

static int op_rmfb(struct storm_thread *t)
{
    struct storm_file *f = any_file(t);
    uint32_t fb = atomic_exchange(&f->fbs[rnd(t, STORM_FBS)], 0);

    return try(f->file.fd, DRM_IOCTL_MODE_RMFB, &fb);
}

static int op_getfb(struct storm_thread *t)
{
    struct storm_file *f = any_file(t);
    struct drm_mode_fb_cmd fb = { .fb_id = f->fbs[rnd(t, STORM_FBS)] };
    int error = try(f->file.fd, DRM_IOCTL_MODE_GETFB, &fb);

    return error ? error : keep_handle(t, f->file.fd, fb.handle);
}

static int op_show(struct storm_thread *t)
{
    struct storm_file *f = any_file(t);
    struct drm_mode_crtc crtc = {
        .set_connectors_ptr = (uintptr_t)&f->connector,
        .count_connectors = 1,
        .crtc_id = f->crtc,
        .fb_id = f->fbs[rnd(t, STORM_FBS)],
        .mode_valid = 1,
        .mode = {
            .name = "storm",
            .clock = 1000,
            .hdisplay = STORM_SIDE,
            .hsync_start = STORM_SIDE + 8,
            .hsync_end = STORM_SIDE + 16,
            .htotal = STORM_SIDE + 32,
            .vdisplay = STORM_SIDE,
            .vsync_start = STORM_SIDE + 2,
            .vsync_end = STORM_SIDE + 4,
            .vtotal = STORM_SIDE + 6,
        },
    };

    if (!rnd(t, 4)) {
        crtc.count_connectors = crtc.fb_id = crtc.mode_valid = 0;
    }
    return f->crtc ? try(f->file.fd, DRM_IOCTL_MODE_SETCRTC, &crtc) : -ENODEV;
}

static int op_flip(struct storm_thread *t)
{
    struct storm_file *f = any_file(t);
    struct drm_mode_crtc_page_flip flip = {
        .crtc_id = f->crtc,
        .fb_id = f->fbs[rnd(t, STORM_FBS)],
        .flags = rnd(t, 2) ? DRM_MODE_PAGE_FLIP_EVENT : 0,
    };

    return f->crtc ? try(f->file.fd, DRM_IOCTL_MODE_PAGE_FLIP, &flip)
                   : -ENODEV;
}

static int op_cursor(struct storm_thread *t)
{
    struct storm_file *f = any_file(t);
    struct drm_mode_cursor cursor = {
        .flags = 1 + rnd(t, 3),
        .crtc_id = f->crtc,
        .x = rnd(t, STORM_SIDE),
        .y = rnd(t, STORM_SIDE),
        .width = STORM_SIDE,
        .height = STORM_SIDE,
        .handle = rnd(t, t->storm->handles + 1),
    };

    return f->crtc ? try(f->file.fd, DRM_IOCTL_MODE_CURSOR, &cursor)
                   : -ENODEV;
}

static int op_events(struct storm_thread *t)
{
    char events[256];

    return read(any_file(t)->file.fd, events, sizeof(events)) < 0 ? -errno : 0;
}

const struct storm_op storm_kms_ops[] = {
    { op_addfb, 4 },
    { op_rmfb, 2 },
    { op_getfb, 2 },
    { op_show, 1 },
    { op_flip, 3 },
    { op_cursor, 1 },
    { op_events, 1 },
    { NULL, 0 },
};

/* The first CRTC and connector, of a file that has some to itself */
void storm_find_output(struct storm_file *f)
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
        !try(f->file.fd, DRM_IOCTL_MODE_GETRESOURCES, &res) &&
        res.count_crtcs && res.count_connectors) {
        f->crtc = crtcs[0];
        f->connector = connectors[0];
    }
}

/* A cursor's framebuffer belongs to no file: it stays until it is hidden. */
static void hide_cursor(const struct storm_file *f)
{
    struct drm_mode_cursor cursor = {
        .flags = DRM_MODE_CURSOR_BO,
        .crtc_id = f->crtc,
    };

    if (f->crtc) {
        try(f->file.fd, DRM_IOCTL_MODE_CURSOR, &cursor);
    }
}

void storm_hide(struct storm_file *f)
{
    unsigned int i;

    hide_cursor(f);
    for (i = 0; i < STORM_FBS; i++) {
        uint32_t fb = f->fbs[i];

        try(f->file.fd, DRM_IOCTL_MODE_RMFB, &fb);
    }
}
