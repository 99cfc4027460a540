/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many frames in one go: one GPU draws them, another shows them, on several
 * outputs at once.  A frame is one colour, its number, so that whoever sees a
 * frame from outside knows which one it is.
 *
 * What has happened is kept in a log, in the order in which it was heard: the
 * events of flips, and CRCs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kms.h"

#define BUFFERS         3
#define LOG_MAX         200000
#define EVENT_LIMIT_MS  20000
#define FRAMES_MAX      1000000

struct lane {
    struct kms_output *output;
    struct kms_buffer buffers[BUFFERS];
    int crc_fd;                 /* -1: none */
    uint32_t next;              /* frame to be queued */
    uint32_t done;              /* frames whose event has come */
};

struct entry {
    bool crc;
    uint8_t output;
    uint32_t number;            /* of the frame that was flipped to */
    uint32_t sequence;          /* of the vertical blank */
    uint64_t value;             /* time of a flip, or the CRC */
};

struct play {
    struct call *c;
    struct file *show;
    struct file *draw;
    struct kms *kms;
    uint32_t frames;
    uint32_t width;
    uint32_t height;
    bool crc;
    bool async;
    unsigned int lane_count;
    struct lane lanes[KMS_OUTPUTS_MAX];
    struct entry *log;
    uint32_t log_count;
};

static void log_add(struct play *p, struct entry entry)
{
    if (p->log_count < LOG_MAX) {
        p->log[p->log_count++] = entry;
    }
}

/* The job and the flip are ordered by the kernel's implicit fences alone. */
static int draw_frame(struct play *p, struct lane *lane, struct kms_buffer *b)
{
    return kms_buffer_fill(b, p->width * p->height,
                           primegpu_agent_frame(kms_index(p->kms, lane->output),
                                                lane->next));
}

static int flip_frame(struct play *p, struct lane *lane, struct kms_buffer *b)
{
    struct drm_mode_crtc_page_flip args = {
        .crtc_id = lane->output->crtc.id,
        .fb_id = b->fb,
        .flags = DRM_MODE_PAGE_FLIP_EVENT |
                 (p->async ? DRM_MODE_PAGE_FLIP_ASYNC : 0),
        .user_data = (uint64_t)(lane - p->lanes) << 32 | lane->next,
    };

    return sys_ioctl(p->show->fd, DRM_IOCTL_MODE_PAGE_FLIP, &args) ? -errno : 0;
}

static int queue_frame(struct play *p, struct lane *lane)
{
    struct kms_buffer *b = &lane->buffers[lane->next % BUFFERS];
    int error = draw_frame(p, lane, b);

    if (!error) {
        error = flip_frame(p, lane, b);
    }
    if (!error) {
        lane->next++;
    }
    return error;
}

static int hear_event(struct play *p)
{
    union kms_event event;
    struct lane *lane;
    uint64_t number;
    int error = kms_read_event(p->show->fd, 0, &event);

    if (error || event.base.type != DRM_EVENT_FLIP_COMPLETE) {
        return error;
    }
    number = event.vblank.user_data;
    if (number >> 32 >= p->lane_count) {
        return -EPROTO;
    }
    lane = &p->lanes[number >> 32];
    log_add(p, (struct entry) {
        .output = kms_index(p->kms, lane->output),
        .number = number,
        .sequence = event.vblank.sequence,
        .value = event.vblank.tv_sec * 1000000000ull +
                 event.vblank.tv_usec * 1000ull,
    });
    if ((uint32_t)number != lane->done) {
        return -EPROTO;
    }
    lane->done++;
    return lane->next < p->frames ? queue_frame(p, lane) : 0;
}

static int hear_crcs(struct play *p, struct lane *lane)
{
    struct entry entry = {
        .crc = true,
        .output = kms_index(p->kms, lane->output),
    };
    uint32_t crc;
    int error;

    while (!(error = kms_crc_read(lane->crc_fd, &entry.sequence, &crc))) {
        entry.value = crc;
        log_add(p, entry);
    }
    return error == -EAGAIN ? 0 : error;
}

static bool all_done(const struct play *p)
{
    unsigned int i;

    for (i = 0; i < p->lane_count; i++) {
        if (p->lanes[i].done < p->frames) {
            return false;
        }
    }
    return true;
}

static int play_frames(struct play *p)
{
    struct pollfd fds[1 + KMS_OUTPUTS_MAX];
    unsigned int i;
    int error = 0;

    for (i = 0; i < p->lane_count && !error; i++) {
        error = queue_frame(p, &p->lanes[i]);
    }
    while (!error && !all_done(p)) {
        fds[0] = (struct pollfd) { .fd = p->show->fd, .events = POLLIN };
        for (i = 0; i < p->lane_count; i++) {
            fds[1 + i] = (struct pollfd) {
                .fd = p->lanes[i].crc_fd, .events = POLLIN,
            };
        }
        if (poll(fds, 1 + p->lane_count, EVENT_LIMIT_MS) <= 0) {
            return -ETIME;
        }
        /* CRCs first: that of a frame is there before the next flip. */
        for (i = 0; i < p->lane_count && !error; i++) {
            error = fds[1 + i].revents ? hear_crcs(p, &p->lanes[i]) : 0;
        }
        if (!error && fds[0].revents) {
            error = hear_event(p);
        }
    }
    return error;
}

/* The CRC of the last frame comes with the vertical blank after its event. */
static int last_crcs(struct play *p)
{
    unsigned int i;
    int error = 0;

    for (i = 0; p->crc && i < p->lane_count && !error; i++) {
        union drm_wait_vblank args = {
            .request.type = _DRM_VBLANK_RELATIVE |
                kms_index(p->kms, p->lanes[i].output) <<
                _DRM_VBLANK_HIGH_CRTC_SHIFT,
            .request.sequence = 2,
        };

        if (sys_ioctl(p->show->fd, DRM_IOCTL_WAIT_VBLANK, &args)) {
            return -errno;
        }
        error = hear_crcs(p, &p->lanes[i]);
    }
    return error;
}

static int begin(struct play *p)
{
    unsigned int i, k;
    int error = 0;

    for (i = 0; i < p->lane_count && !error; i++) {
        struct lane *lane = &p->lanes[i];

        lane->crc_fd = -1;
        for (k = 0; k < BUFFERS && !error; k++) {
            error = kms_buffer_make(p->show, p->draw, p->width, p->height,
                                    &lane->buffers[k]);
        }
        if (!error && p->crc) {
            lane->crc_fd = kms_crc_open(p->show->fd,
                                        kms_index(p->kms, lane->output));
            error = lane->crc_fd < 0 ? lane->crc_fd : 0;
        }
    }
    return error;
}

static void end(struct play *p)
{
    unsigned int i, k;

    for (i = 0; i < p->lane_count; i++) {
        if (p->lanes[i].crc_fd >= 0) {
            close(p->lanes[i].crc_fd);
        }
        for (k = 0; k < BUFFERS; k++) {
            kms_buffer_drop(p->show, &p->lanes[i].buffers[k]);
        }
    }
}

static void tell_log(struct play *p)
{
    char text[96];
    uint32_t i;

    for (i = 0; i < p->log_count; i++) {
        const struct entry *e = &p->log[i];

        if (e->crc) {
            snprintf(text, sizeof(text), "crc %u %u 0x%08llx", e->output,
                     e->sequence, (unsigned long long)e->value);
        } else {
            snprintf(text, sizeof(text), "flip %u %u %u %llu", e->output,
                     e->number, e->sequence, (unsigned long long)e->value);
        }
        p->c->line(p->c, text);
    }
}

/* Outputs as 0,1,2 */
static bool take_outputs(struct play *p, const char *text)
{
    unsigned int number;
    int used;

    do {
        if (sscanf(text, "%u%n", &number, &used) != 1 ||
            number >= p->kms->output_count ||
            p->lane_count == KMS_OUTPUTS_MAX) {
            call_fail(p->c, EINVAL, "outputs are numbers with , between");
            return false;
        }
        p->lanes[p->lane_count++].output = &p->kms->outputs[number];
        text += used;
    } while (*text++ == ',');
    return true;
}

static bool take_args(struct play *p)
{
    struct call *c = p->c;
    uint64_t width, height, frames;
    int arg, option;

    p->show = name_file(c, c->argv[1]);
    p->draw = p->show ? name_file(c, c->argv[2]) : NULL;
    p->kms = p->draw ? kms_get(c, p->show) : NULL;
    if (!p->kms || !take_outputs(p, c->argv[3]) ||
        !call_number(c, 4, UINT16_MAX, &width) ||
        !call_number(c, 5, UINT16_MAX, &height) ||
        !call_number(c, 6, FRAMES_MAX, &frames)) {
        return false;
    }
    for (arg = 7; arg < c->argc; arg++) {
        if (!call_choice(c, arg, "crc|async", &option)) {
            return false;
        }
        p->crc |= option == 0;
        p->async |= option == 1;
    }
    p->width = width;
    p->height = height;
    p->frames = frames;
    return true;
}

int cmd_play(struct call *c)
{
    static struct play play;
    struct play *p = &play;
    uint64_t start;
    int error;

    memset(p, 0, sizeof(*p));
    p->c = c;
    if (!take_args(p)) {
        return c->error;
    }
    p->log = calloc(LOG_MAX, sizeof(*p->log));
    if (!p->log) {
        return call_fail(c, ENOMEM, "no memory");
    }
    error = begin(p);
    start = sys_now_ns();
    if (!error) {
        error = play_frames(p);
    }
    call_add(c, "ns=%llu", (unsigned long long)(sys_now_ns() - start));
    if (!error) {
        error = last_crcs(p);
    }
    end(p);
    tell_log(p);
    free(p->log);
    call_add(c, " entries=%u", p->log_count);
    return error ? call_fail(c, -error, "after %u entries", p->log_count) : 0;
}
