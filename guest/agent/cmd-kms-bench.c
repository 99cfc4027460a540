/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flips between two GPUs, measured from inside: what they cost the guest's
 * processors, and how many there are in a second.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kms.h"

#define BUFFERS         2
#define ROUNDS_MAX      100000
#define EVENT_LIMIT_MS  10000

struct bench {
    struct file *show;
    struct file *draw;
    struct kms_output *output;
    uint32_t width;
    uint32_t height;
    struct kms_buffer buffers[BUFFERS];
    void *maps[BUFFERS];        /* of a file that has no jobs */
};

/* Time that the processors were idle since boot; 0 if it can't be told */
static uint64_t idle_ns(void)
{
    char text[64];
    double up, idle;

    if (sys_read_text("/proc/uptime", text, sizeof(text)) < 0 ||
        sscanf(text, "%lf %lf", &up, &idle) != 2) {
        return 0;
    }
    return idle * 1e9;
}

static int map_buffer(struct bench *b, unsigned int i)
{
    uint64_t offset;
    int error = drm_map_offset(&b->buffers[i].drawn, &offset);

    if (error) {
        return error;
    }
    b->maps[i] = mmap(NULL, b->buffers[i].drawn.size, PROT_READ | PROT_WRITE,
                      MAP_SHARED, b->draw->fd, offset);
    if (b->maps[i] == MAP_FAILED) {
        b->maps[i] = NULL;
        return -errno;
    }
    return 0;
}

/* By a job, or by the CPU where there are none */
static int draw(struct bench *b, unsigned int i, uint32_t value)
{
    if (b->draw->primegpu) {
        return kms_buffer_fill(&b->buffers[i], b->width * b->height, value);
    }
    memset(b->maps[i], value, (size_t)b->width * b->height * 4);
    return 0;
}

static int flip(struct bench *b, unsigned int i)
{
    struct drm_mode_crtc_page_flip args = {
        .crtc_id = b->output->crtc.id,
        .fb_id = b->buffers[i].fb,
        .flags = DRM_MODE_PAGE_FLIP_EVENT,
    };
    union kms_event event;

    if (sys_ioctl(b->show->fd, DRM_IOCTL_MODE_PAGE_FLIP, &args)) {
        return -errno;
    }
    return kms_read_event(b->show->fd, EVENT_LIMIT_MS, &event);
}

static int begin(struct bench *b)
{
    struct drm_mode_modeinfo mode;
    struct drm_mode_crtc crtc = {
        .crtc_id = b->output->crtc.id,
        .set_connectors_ptr = (uintptr_t)&b->output->connector.id,
        .count_connectors = 1,
        .mode_valid = 1,
    };
    char word[32];
    unsigned int i;
    int error = 0;

    for (i = 0; i < BUFFERS && !error; i++) {
        error = kms_buffer_make(b->show, b->draw, b->width, b->height,
                                &b->buffers[i]);
        if (!error && !b->draw->primegpu) {
            error = map_buffer(b, i);
        }
    }
    snprintf(word, sizeof(word), "%ux%u", b->width, b->height);
    if (!error) {
        error = kms_find_mode(b->show->fd, b->output->connector.id, word,
                              &mode);
    }
    if (error) {
        return error;
    }
    crtc.mode = mode;
    crtc.fb_id = b->buffers[0].fb;
    return sys_ioctl(b->show->fd, DRM_IOCTL_MODE_SETCRTC, &crtc) ? -errno : 0;
}

static void end(struct bench *b)
{
    unsigned int i;

    for (i = 0; i < BUFFERS; i++) {
        if (b->maps[i]) {
            munmap(b->maps[i], b->buffers[i].drawn.size);
        }
        kms_buffer_drop(b->show, &b->buffers[i]);
    }
}

int cmd_bench_flip(struct call *c)
{
    struct bench b = { .show = name_file(c, c->argv[1]) };
    uint64_t width, height, count, i, start, idle;
    struct kms *kms;
    int error;

    b.draw = b.show ? name_file(c, c->argv[2]) : NULL;
    kms = b.draw ? kms_get(c, b.show) : NULL;
    if (!kms || !call_number(c, 3, UINT16_MAX, &width) ||
        !call_number(c, 4, UINT16_MAX, &height) ||
        !call_number(c, 5, ROUNDS_MAX, &count)) {
        return c->error;
    }
    b.output = &kms->outputs[0];
    b.width = width;
    b.height = height;
    error = begin(&b);
    start = sys_now_ns();
    idle = idle_ns();
    for (i = 0; i < count && !error; i++) {
        error = draw(&b, (i + 1) % BUFFERS, i);
        if (!error) {
            error = flip(&b, (i + 1) % BUFFERS);
        }
    }
    start = sys_now_ns() - start;
    idle = idle_ns() - idle;
    end(&b);
    if (error) {
        return call_fail(c, -error, "in round %llu", (unsigned long long)i);
    }
    call_add(c, "ns=%llu cpu-ns=%llu", (unsigned long long)start,
             (unsigned long long)(start > idle ? start - idle : 0));
    return 0;
}
