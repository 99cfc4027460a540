/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Framebuffers, and as much of mode setting as is needed to show one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "drm-calls.h"

#define FORMAT_DEFAULT  "XR24"
#define FORMAT_PLANAR   "NV12"
#define IDS_MAX         16
#define MODES_MAX       64
#define FLIP_LIMIT_MS   2000

/* A file and the id of a framebuffer, arguments 1 and 2 */
static struct file *fb_args(struct call *c, uint32_t *id)
{
    struct file *file = name_file(c, c->argv[1]);
    uint64_t number;

    if (!file || !call_number(c, 2, UINT32_MAX, &number)) {
        return NULL;
    }
    *id = number;
    return file;
}

/* NV12 has its second plane right after the first, in the same BO. */
int cmd_addfb(struct call *c)
{
    struct bo *bo = name_bo(c, c->argv[1]);
    const char *format = c->argc > 5 ? c->argv[5] : FORMAT_DEFAULT;
    struct drm_mode_fb_cmd2 fb = { 0 };
    uint64_t width, height, pitch;

    if (!bo || !call_number(c, 2, UINT32_MAX, &width) ||
        !call_number(c, 3, UINT32_MAX, &height) ||
        !call_number(c, 4, UINT32_MAX, &pitch)) {
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
    if (!strcmp(format, FORMAT_PLANAR)) {
        fb.handles[1] = bo->handle;
        fb.pitches[1] = pitch;
        fb.offsets[1] = pitch * height;
    }
    if (sys_ioctl(bo->file->fd, DRM_IOCTL_MODE_ADDFB2, &fb)) {
        return call_fail(c, errno, "MODE_ADDFB2");
    }
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

/* The handle that the framebuffer's first plane has got in this file */
static int bo_of_fb(struct call *c, struct file *file, uint32_t handle)
{
    struct drm_primegpu_gem_info info;
    struct bo *bo = name_new_bo(c, c->argv[3]);

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
    return bo_of_fb(c, file, fb.handle);
}

int cmd_getfb2(struct call *c)
{
    struct drm_mode_fb_cmd2 fb = { 0 };
    struct file *file = fb_args(c, &fb.fb_id);

    if (!file) {
        return c->error;
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_GETFB2, &fb)) {
        return call_fail(c, errno, "MODE_GETFB2 of %u", fb.fb_id);
    }
    return bo_of_fb(c, file, fb.handles[0]);
}

/* The first CRTC and the first connector, which is all that tests have */
struct pipe_ids {
    uint32_t crtcs[IDS_MAX];
    uint32_t connectors[IDS_MAX];
};

static int find_pipe(int fd, struct pipe_ids *ids)
{
    struct drm_mode_card_res res = {
        .crtc_id_ptr = (uintptr_t)ids->crtcs,
        .count_crtcs = IDS_MAX,
        .connector_id_ptr = (uintptr_t)ids->connectors,
        .count_connectors = IDS_MAX,
    };

    if (sys_ioctl(fd, DRM_IOCTL_MODE_GETRESOURCES, &res)) {
        return -errno;
    }
    return res.count_crtcs && res.count_connectors ? 0 : -ENODEV;
}

/* The mode that the connector has first; the kernel is made to look anew. */
static int first_mode(int fd, uint32_t connector, struct drm_mode_modeinfo *mode)
{
    static struct drm_mode_modeinfo modes[MODES_MAX];
    struct drm_mode_get_connector args = { .connector_id = connector };

    if (sys_ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &args)) {
        return -errno;
    }
    if (!args.count_modes || args.count_modes > MODES_MAX) {
        return -ENODEV;
    }
    args = (struct drm_mode_get_connector) {
        .connector_id = connector,
        .modes_ptr = (uintptr_t)modes,
        .count_modes = args.count_modes,
    };
    if (sys_ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &args)) {
        return -errno;
    }
    *mode = modes[0];
    return 0;
}

int cmd_setcrtc(struct call *c)
{
    struct drm_mode_crtc crtc = { 0 };
    struct file *file = name_file(c, c->argv[1]);
    struct pipe_ids ids = { { 0 } };
    uint64_t number = 0;
    int error;

    if (!file || (strcmp(c->argv[2], "off") &&
                  !call_number(c, 2, UINT32_MAX, &number))) {
        return c->error;
    }
    error = find_pipe(file->fd, &ids);
    if (!error && number) {
        error = first_mode(file->fd, ids.connectors[0], &crtc.mode);
    }
    if (error) {
        return call_fail(c, -error, "no CRTC, connector or mode");
    }
    crtc.crtc_id = ids.crtcs[0];
    if (number) {
        crtc.fb_id = number;
        crtc.set_connectors_ptr = (uintptr_t)ids.connectors;
        crtc.count_connectors = 1;
        crtc.mode_valid = 1;
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_SETCRTC, &crtc)) {
        return call_fail(c, errno, "MODE_SETCRTC");
    }
    call_add(c, "mode=%ux%u", crtc.mode.hdisplay, crtc.mode.vdisplay);
    return 0;
}

int cmd_flip(struct call *c)
{
    struct drm_mode_crtc_page_flip args = {
        .flags = DRM_MODE_PAGE_FLIP_EVENT,
    };
    struct file *file = fb_args(c, &args.fb_id);
    struct pipe_ids ids = { { 0 } };
    struct pollfd ready = { .events = POLLIN };
    char events[256];
    int error;

    if (!file) {
        return c->error;
    }
    error = find_pipe(file->fd, &ids);
    if (error) {
        return call_fail(c, -error, "no CRTC");
    }
    args.crtc_id = ids.crtcs[0];
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_PAGE_FLIP, &args)) {
        return call_fail(c, errno, "MODE_PAGE_FLIP to %u", args.fb_id);
    }
    ready.fd = file->fd;
    if (poll(&ready, 1, FLIP_LIMIT_MS) <= 0) {
        return call_fail(c, ETIME, "the flip did not happen");
    }
    if (read(file->fd, events, sizeof(events)) < 0) {
        return call_fail(c, errno, "the flip's event");
    }
    return 0;
}
