/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of a DRM file, and the CRCs of frames.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kms.h"

#define DEBUGFS_DRI "/sys/kernel/debug/dri"

int kms_read_event(int fd, int timeout_ms, union kms_event *event)
{
    struct pollfd pfd = { .fd = fd, .events = POLLIN };
    int ready;
    ssize_t n;

    do {
        ready = poll(&pfd, 1, timeout_ms);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0) {
        return ready ? -errno : -ETIME;
    }
    /* All events have this size, so there is room for one. */
    n = read(fd, event, sizeof(*event));
    if (n < 0) {
        return -errno;
    }
    return n == sizeof(*event) ? 0 : -EIO;
}

static int crtc_index(const struct kms *kms, uint32_t id)
{
    unsigned int i;

    for (i = 0; i < kms->output_count; i++) {
        if (kms->outputs[i].crtc.id == id) {
            return i;
        }
    }
    return -1;
}

void kms_add_event(struct call *c, const struct kms *kms,
                   const union kms_event *event)
{
    const struct drm_event_vblank *vblank = &event->vblank;

    if (event->base.type == DRM_EVENT_CRTC_SEQUENCE) {
        call_add(c, "type=sequence user=%llu sequence=%llu ns=%lld",
                 (unsigned long long)event->sequence.user_data,
                 (unsigned long long)event->sequence.sequence,
                 (long long)event->sequence.time_ns);
        return;
    }
    call_add(c, "type=%s output=%d user=%llu sequence=%u ns=%llu",
             event->base.type == DRM_EVENT_FLIP_COMPLETE ? "flip" : "vblank",
             crtc_index(kms, vblank->crtc_id),
             (unsigned long long)vblank->user_data, vblank->sequence,
             vblank->tv_sec * 1000000000ull + vblank->tv_usec * 1000ull);
}

int kms_crc_open(int fd, unsigned int index)
{
    char path[128];
    struct stat st;

    if (fstat(fd, &st)) {
        return -errno;
    }
    /* The source is "auto" until somebody chooses another. */
    snprintf(path, sizeof(path), DEBUGFS_DRI "/%u/crtc-%u/crc/data",
             minor(st.st_rdev), index);
    fault_on();
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    fault_off();
    return fd < 0 ? -errno : fd;
}

int kms_crc_read(int crc_fd, uint32_t *frame, uint32_t *crc)
{
    char line[128];
    ssize_t n = read(crc_fd, line, sizeof(line) - 1);

    if (n < 0) {
        return -errno;
    }
    line[n] = '\0';
    /* A frame that the driver has no number for is XXXXXXXXXX. */
    *frame = 0;
    if (sscanf(line, "0x%x 0x%x", frame, crc) == 2 ||
        sscanf(line, "%*s 0x%x", crc) == 1) {
        return 0;
    }
    return -EIO;
}
