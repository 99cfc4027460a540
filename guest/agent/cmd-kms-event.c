/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vertical blanks, and events that a file has asked for: it may end before they
 * come, or before it has read them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "kms.h"

#define NO_ADDRESS  4096    /* nothing is mapped there */

int cmd_event(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    struct kms *kms = file ? kms_get(c, file) : NULL;
    union kms_event event;
    uint64_t timeout;
    int error;

    if (!kms || !call_number(c, 2, INT32_MAX, &timeout)) {
        return c->error;
    }
    error = kms_read_event(file->fd, timeout, &event);
    if (error) {
        return call_fail(c, -error, "no event");
    }
    kms_add_event(c, kms, &event);
    return 0;
}

/* Wait for so many vertical blanks; 0 tells the number of the last one. */
int cmd_vblank(struct call *c)
{
    struct file *file;
    struct kms *kms;
    struct kms_output *output = kms_args(c, &file, &kms);
    union drm_wait_vblank args = {
        .request.type = _DRM_VBLANK_RELATIVE,
    };
    uint64_t count = 1;

    if (!output || (c->argc > 3 && !call_number(c, 3, UINT32_MAX, &count))) {
        return c->error;
    }
    args.request.type |=
        kms_index(kms, output) << _DRM_VBLANK_HIGH_CRTC_SHIFT;
    args.request.sequence = count;
    if (sys_ioctl(file->fd, DRM_IOCTL_WAIT_VBLANK, &args)) {
        return call_fail(c, errno, "WAIT_VBLANK");
    }
    call_add(c, "sequence=%u ns=%llu", args.reply.sequence,
             args.reply.tval_sec * 1000000000ull +
             args.reply.tval_usec * 1000ull);
    return 0;
}

int cmd_sequence(struct call *c)
{
    struct file *file;
    struct kms *kms;
    struct kms_output *output = kms_args(c, &file, &kms);
    struct drm_crtc_get_sequence args = { 0 };

    if (!output) {
        return c->error;
    }
    args.crtc_id = output->crtc.id;
    if (sys_ioctl(file->fd, DRM_IOCTL_CRTC_GET_SEQUENCE, &args)) {
        return call_fail(c, errno, "CRTC_GET_SEQUENCE");
    }
    call_add(c, "active=%u sequence=%llu ns=%lld", args.active,
             (unsigned long long)args.sequence, (long long)args.sequence_ns);
    return 0;
}

/* Arguments 3 and 4 of what asks for an event: when, and what it is to have */
static bool event_args(struct call *c, uint64_t *after, uint64_t *user)
{
    *user = 0;
    return call_number(c, 3, UINT32_MAX, after) &&
           (c->argc < 5 || call_number(c, 4, UINT32_MAX, user));
}

int cmd_queue_vblank(struct call *c)
{
    struct file *file;
    struct kms *kms;
    struct kms_output *output = kms_args(c, &file, &kms);
    union drm_wait_vblank args = {
        .request.type = _DRM_VBLANK_RELATIVE | _DRM_VBLANK_EVENT,
    };
    uint64_t after, user;

    if (!output || !event_args(c, &after, &user)) {
        return c->error;
    }
    args.request.type |=
        kms_index(kms, output) << _DRM_VBLANK_HIGH_CRTC_SHIFT;
    args.request.sequence = after;
    args.request.signal = user;
    if (sys_ioctl(file->fd, DRM_IOCTL_WAIT_VBLANK, &args)) {
        return call_fail(c, errno, "WAIT_VBLANK");
    }
    return 0;
}

int cmd_queue_sequence(struct call *c)
{
    struct file *file;
    struct kms *kms;
    struct kms_output *output = kms_args(c, &file, &kms);
    struct drm_crtc_queue_sequence args = {
        .flags = DRM_CRTC_SEQUENCE_RELATIVE,
    };
    uint64_t after, user;

    if (!output || !event_args(c, &after, &user)) {
        return c->error;
    }
    args.crtc_id = output->crtc.id;
    args.sequence = after;
    args.user_data = user;
    if (sys_ioctl(file->fd, DRM_IOCTL_CRTC_QUEUE_SEQUENCE, &args)) {
        return call_fail(c, errno, "CRTC_QUEUE_SEQUENCE");
    }
    return 0;
}

/* An event that cannot be read is there for the next who reads. */
int cmd_misread(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    struct drm_event event;
    struct pollfd pfd = { .events = POLLIN };
    int how;
    ssize_t n;

    if (!file || !call_choice(c, 2, "short|nowhere", &how)) {
        return c->error;
    }
    pfd.fd = file->fd;
    if (poll(&pfd, 1, 0) != 1) {
        return call_fail(c, ENODATA, "no event");
    }
    fault_on();
    n = how ? read(file->fd, (void *)NO_ADDRESS, NO_ADDRESS)
            : read(file->fd, &event, sizeof(event));
    fault_off();
    if (n < 0) {
        return call_fail(c, errno, "read");
    }
    call_add(c, "bytes=%zd", n);
    return 0;
}
