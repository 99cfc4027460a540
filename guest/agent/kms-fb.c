/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sizes of the framebuffers that this worker has made, the newest ones: for
 * others, src= and dst= tell what to show.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "kms.h"

static struct {
    int fd;
    struct kms_fb fb;
} fbs[KMS_FBS_MAX];
static unsigned int next_fb;

void kms_fb_add(int fd, const struct kms_fb *fb)
{
    fbs[next_fb].fd = fd;
    fbs[next_fb].fb = *fb;
    next_fb = (next_fb + 1) % KMS_FBS_MAX;
}

void kms_fb_forget(int fd)
{
    unsigned int i;

    for (i = 0; i < KMS_FBS_MAX; i++) {
        if (fbs[i].fd == fd) {
            fbs[i].fb.id = 0;
        }
    }
}

/* From the newest on, as numbers are used again; 0 is any */
static const struct kms_fb *find(int fd, uint32_t id, uint32_t handle)
{
    unsigned int i, k;

    for (i = 0; i < KMS_FBS_MAX; i++) {
        k = (next_fb + KMS_FBS_MAX - 1 - i) % KMS_FBS_MAX;
        if (fbs[k].fd == fd && fbs[k].fb.id &&
            (!id || fbs[k].fb.id == id) &&
            (!handle || fbs[k].fb.handle == handle)) {
            return &fbs[k].fb;
        }
    }
    return NULL;
}

const struct kms_fb *kms_fb(int fd, uint32_t id)
{
    return id ? find(fd, id, 0) : NULL;
}

const struct kms_fb *kms_fb_of_handle(int fd, uint32_t handle)
{
    return handle ? find(fd, 0, handle) : NULL;
}

bool kms_fb_arg(struct call *c, int fd, const char *word, uint32_t *id)
{
    const struct kms_fb *fb;
    uint64_t number = 0;
    struct bo *bo;

    if (!strcmp(word, "off") || line_number(word, &number)) {
        if (number > UINT32_MAX) {
            call_usage(c);
            return false;
        }
        *id = number;
        return true;
    }
    bo = name_bo(c, word);
    if (!bo) {
        return false;
    }
    fb = bo->file->fd == fd ? kms_fb_of_handle(fd, bo->handle) : NULL;
    if (!fb) {
        call_fail(c, ENOENT, "'%s' has no framebuffer in this file", word);
        return false;
    }
    *id = fb->id;
    return true;
}
