/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All displays off, with nothing left of what was set: then what the kernel
 * keeps for a display is the same as it was for one that was blank before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gpu.h"
#include "kms.h"

#define PROPS_MAX 512

struct blank {
    struct kms *kms;
    uint32_t count;
    uint32_t objects[PROPS_MAX];
    uint32_t counts[PROPS_MAX];
    uint32_t props[PROPS_MAX];
    uint64_t values[PROPS_MAX];
};

/* Properties that are objects, or refer to them */
static const char *const names[] = {
    "CRTC_ID", "FB_ID", "MODE_ID", "ACTIVE", "GAMMA_LUT", "DEGAMMA_LUT", "CTM",
};

static void blank_object(struct blank *b, struct kms_object *object)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(names) && b->count < PROPS_MAX; i++) {
        const struct kms_prop *prop = kms_prop(b->kms, object, names[i]);

        if (prop) {
            b->objects[b->count] = object->id;
            b->counts[b->count] = 1;
            b->props[b->count] = prop->id;
            b->values[b->count] = 0;
            b->count++;
        }
    }
}

/* Modes and EDID are looked up as well, for each connector. */
static void blank_all(struct blank *b)
{
    static struct drm_mode_modeinfo modes[KMS_MODES_MAX];
    uint32_t status;
    unsigned int i;

    for (i = 0; i < b->kms->output_count; i++) {
        struct kms_output *output = &b->kms->outputs[i];

        blank_object(b, &output->crtc);
        blank_object(b, &output->connector);
        blank_object(b, &output->writeback);
        kms_modes(b->kms->fd, output->connector.id, modes, &status);
    }
    for (i = 0; i < b->kms->plane_count; i++) {
        blank_object(b, &b->kms->planes[i].object);
    }
}

/* What is kept of a commit that turned something off goes with the next. */
static int blank_commit(const struct blank *b)
{
    struct drm_mode_atomic args = {
        .flags = DRM_MODE_ATOMIC_ALLOW_MODESET,
        .count_objs = b->count,
        .objs_ptr = (uintptr_t)b->objects,
        .count_props_ptr = (uintptr_t)b->counts,
        .props_ptr = (uintptr_t)b->props,
        .prop_values_ptr = (uintptr_t)b->values,
    };

    return sys_ioctl(b->kms->fd, DRM_IOCTL_MODE_ATOMIC, &args) ||
           sys_ioctl(b->kms->fd, DRM_IOCTL_MODE_ATOMIC, &args) ? -errno : 0;
}

/* 1, 0 when it has no displays, -errno */
static int blank_card(int card)
{
    static struct blank blank;
    struct file file = { 0 };
    struct call c;
    char path[64];
    int error = 0;

    snprintf(path, sizeof(path), "/dev/dri/card%d", card);
    file.fd = open(path, O_RDWR | O_CLOEXEC);
    if (file.fd < 0) {
        return -errno;
    }
    call_init(&c);
    memset(&blank, 0, sizeof(blank));
    blank.kms = kms_get(&c, &file);
    if (blank.kms) {
        blank_all(&blank);
        error = blank_commit(&blank);
    }
    kms_free(file.kms);
    close(file.fd);
    return error ? error : !!blank.kms;
}

int cmd_blank(struct call *c)
{
    const struct gpu *gpus;
    int i, n, ret, cards = 0;

    gpu_list(&gpus, &n);
    for (i = 0; i < n; i++) {
        ret = gpus[i].card < 0 ? 0 : blank_card(gpus[i].card);
        if (ret < 0) {
            return call_fail(c, -ret, "card%d", gpus[i].card);
        }
        cards += ret;
    }
    call_add(c, "cards=%d", cards);
    return 0;
}
