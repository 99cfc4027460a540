/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mode setting without atomic commits, as older clients do it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "kms.h"

#define FLIP_LIMIT_MS   10000
#define GAMMA_MAX       4096

/* The output that a last argument names, or the first one */
static struct kms_output *output_arg(struct call *c, struct file *file, int arg,
                                     struct kms **kms)
{
    *kms = kms_get(c, file);
    if (!*kms) {
        return NULL;
    }
    return c->argc > arg ? kms_output(c, *kms, arg) : &(*kms)->outputs[0];
}

int cmd_setcrtc(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    struct drm_mode_crtc crtc = { 0 };
    struct kms_output *output, *connected;
    uint32_t fb;
    struct kms *kms;
    int error;

    if (!file || !kms_fb_arg(c, file->fd, c->argv[2], &fb)) {
        return c->error;
    }
    output = output_arg(c, file, 3, &kms);
    connected = output && c->argc > 5 ? kms_output(c, kms, 5) : output;
    if (!connected) {
        return c->error;
    }
    crtc.crtc_id = output->crtc.id;
    if (fb) {
        error = kms_find_mode(file->fd, connected->connector.id,
                              c->argc > 4 ? c->argv[4] : "preferred",
                              &crtc.mode);
        if (error) {
            return call_fail(c, -error, "the output has no such mode");
        }
        crtc.fb_id = fb;
        crtc.set_connectors_ptr = (uintptr_t)&connected->connector.id;
        crtc.count_connectors = 1;
        crtc.mode_valid = 1;
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_SETCRTC, &crtc)) {
        return call_fail(c, errno, "MODE_SETCRTC");
    }
    call_add(c, "mode=%ux%u", crtc.mode.hdisplay, crtc.mode.vdisplay);
    return 0;
}

static bool flip_options(struct call *c, uint32_t *flags, bool *wait)
{
    int arg, option;

    for (arg = 4; arg < c->argc; arg++) {
        if (!call_choice(c, arg, "async|nowait", &option)) {
            return false;
        }
        if (option) {
            *wait = false;
        } else {
            *flags |= DRM_MODE_PAGE_FLIP_ASYNC;
        }
    }
    return true;
}

int cmd_flip(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    struct drm_mode_crtc_page_flip args = {
        .flags = DRM_MODE_PAGE_FLIP_EVENT,
    };
    struct kms_output *output;
    union kms_event event;
    struct kms *kms;
    bool wait = true;
    int error;

    if (!file || !kms_fb_arg(c, file->fd, c->argv[2], &args.fb_id) ||
        !flip_options(c, &args.flags, &wait)) {
        return c->error;
    }
    output = output_arg(c, file, 3, &kms);
    if (!output) {
        return c->error;
    }
    args.crtc_id = output->crtc.id;
    args.user_data = args.fb_id;
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_PAGE_FLIP, &args)) {
        return call_fail(c, errno, "MODE_PAGE_FLIP to %u", args.fb_id);
    }
    if (!wait) {
        return 0;
    }
    error = kms_read_event(file->fd, FLIP_LIMIT_MS, &event);
    if (error) {
        return call_fail(c, -error, "the flip did not happen");
    }
    kms_add_event(c, kms, &event);
    return 0;
}

/* All of the framebuffer, unscaled, or off */
int cmd_setplane(struct call *c)
{
    struct file *file;
    struct kms *kms;
    struct kms_output *output = kms_args(c, &file, &kms);
    struct kms_plane *plane = output ? kms_plane(kms, output, c->argv[3])
                                     : NULL;
    struct drm_mode_set_plane args = { 0 };
    const struct kms_fb *fb;
    uint64_t x = 0, y = 0;

    if (!output || !kms_fb_arg(c, file->fd, c->argv[4], &args.fb_id)) {
        return c->error;
    }
    if (!plane) {
        return call_fail(c, ENODEV, "the output has no '%.40s'", c->argv[3]);
    }
    if (c->argc > 5 && (!call_number(c, 5, INT32_MAX, &x) ||
                        !call_number(c, 6, INT32_MAX, &y))) {
        return c->error;
    }
    fb = kms_fb(file->fd, args.fb_id);
    args.plane_id = plane->object.id;
    args.crtc_id = args.fb_id ? output->crtc.id : 0;
    if (fb) {
        args.crtc_x = x;
        args.crtc_y = y;
        args.crtc_w = fb->width;
        args.crtc_h = fb->height;
        args.src_w = fb->width << 16;
        args.src_h = fb->height << 16;
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_SETPLANE, &args)) {
        return call_fail(c, errno, "MODE_SETPLANE");
    }
    return 0;
}

int cmd_cursor(struct call *c)
{
    struct file *file;
    struct kms *kms;
    struct kms_output *output = kms_args(c, &file, &kms);
    bool off = !strcmp(c->argv[3], "off");
    struct bo *bo = output && !off ? name_bo(c, c->argv[3]) : NULL;
    struct drm_mode_cursor2 args = { .flags = DRM_MODE_CURSOR_BO };
    uint64_t width = 0, height = 0, hot[2] = { 0, 0 };

    if (!output || (!bo && !off)) {
        return c->error;
    }
    if (bo && (!call_number(c, 4, UINT32_MAX, &width) ||
               !call_number(c, 5, UINT32_MAX, &height))) {
        return c->error;
    }
    if (c->argc > 6 && (!call_number(c, 6, INT32_MAX, &hot[0]) ||
                        !call_number(c, 7, INT32_MAX, &hot[1]))) {
        return c->error;
    }
    args.crtc_id = output->crtc.id;
    args.handle = bo ? bo->handle : 0;
    args.width = width;
    args.height = height;
    args.hot_x = hot[0];
    args.hot_y = hot[1];
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_CURSOR2, &args)) {
        return call_fail(c, errno, "MODE_CURSOR2");
    }
    return 0;
}

int cmd_cursor_move(struct call *c)
{
    struct file *file;
    struct kms *kms;
    struct kms_output *output = kms_args(c, &file, &kms);
    struct drm_mode_cursor args = { .flags = DRM_MODE_CURSOR_MOVE };
    uint64_t x, y;

    if (!output || !call_number(c, 3, INT32_MAX, &x) ||
        !call_number(c, 4, INT32_MAX, &y)) {
        return c->error;
    }
    args.crtc_id = output->crtc.id;
    args.x = x;
    args.y = y;
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_CURSOR, &args)) {
        return call_fail(c, errno, "MODE_CURSOR");
    }
    return 0;
}

int cmd_dpms(struct call *c)
{
    static const uint64_t values[] = { DRM_MODE_DPMS_ON, DRM_MODE_DPMS_OFF };
    struct drm_mode_connector_set_property args = { 0 };
    const struct kms_prop *prop;
    struct file *file;
    struct kms *kms;
    struct kms_output *output = kms_args(c, &file, &kms);
    int choice;

    if (!output || !call_choice(c, 3, "on|off", &choice)) {
        return c->error;
    }
    prop = kms_prop(kms, &output->connector, "DPMS");
    args.connector_id = output->connector.id;
    args.prop_id = prop ? prop->id : 0;
    args.value = values[choice];
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_SETPROPERTY, &args)) {
        return call_fail(c, errno, "MODE_SETPROPERTY of DPMS");
    }
    return 0;
}

/* The legacy table: linear, invert or zero */
int cmd_gamma(struct call *c)
{
    static uint16_t ramp[GAMMA_MAX];
    struct file *file;
    struct kms *kms;
    struct kms_output *output = kms_args(c, &file, &kms);
    struct drm_mode_crtc crtc = { 0 };
    struct drm_mode_crtc_lut lut = { 0 };
    uint32_t i, value;
    int kind;

    if (!output || !call_choice(c, 3, "linear|invert|zero", &kind)) {
        return c->error;
    }
    crtc.crtc_id = output->crtc.id;
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_GETCRTC, &crtc)) {
        return call_fail(c, errno, "MODE_GETCRTC");
    }
    if (crtc.gamma_size < 2 || crtc.gamma_size > GAMMA_MAX) {
        return call_fail(c, ENOSYS, "the output has no gamma");
    }
    for (i = 0; i < crtc.gamma_size; i++) {
        value = i * UINT16_MAX / (crtc.gamma_size - 1);
        ramp[i] = kind == 0 ? value : kind == 1 ? UINT16_MAX - value : 0;
    }
    lut.crtc_id = crtc.crtc_id;
    lut.gamma_size = crtc.gamma_size;
    lut.red = lut.green = lut.blue = (uintptr_t)ramp;
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_SETGAMMA, &lut)) {
        return call_fail(c, errno, "MODE_SETGAMMA");
    }
    call_add(c, "size=%u", crtc.gamma_size);
    return 0;
}
