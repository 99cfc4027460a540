/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What there is to see of mode setting: objects, modes, properties, events,
 * vertical blanks, CRCs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kms.h"

#define CRC_LIMIT_MS    10000
#define CRCS_MAX        100000
#define TEXT_MAX        256

static const char *const plane_types[] = {
    [KMS_PLANE_OVERLAY] = "overlay",
    [KMS_PLANE_PRIMARY] = "primary",
    [KMS_PLANE_CURSOR]  = "cursor",
};

static void tell_planes(struct kms *kms, unsigned int index, char *text)
{
    unsigned int i;
    size_t n = 0;

    text[0] = '\0';
    for (i = 0; i < kms->plane_count && n < TEXT_MAX; i++) {
        struct kms_plane *plane = &kms->planes[i];
        uint64_t fb = 0;

        if (!(plane->crtcs & (1u << index))) {
            continue;
        }
        kms_value(kms, &plane->object, "FB_ID", &fb);
        n += snprintf(text + n, TEXT_MAX - n, " %s=%u",
                      plane->type < ARRAY_SIZE(plane_types) ?
                      plane_types[plane->type] : "plane", plane->object.id);
        if (fb && n < TEXT_MAX) {
            n += snprintf(text + n, TEXT_MAX - n, "(fb %llu)",
                          (unsigned long long)fb);
        }
    }
}

int cmd_kms(struct call *c)
{
    static const char *const statuses[] = {
        "?", "connected", "disconnected", "unknown",
    };
    static struct drm_mode_modeinfo modes[KMS_MODES_MAX];
    struct file *file = name_file(c, c->argv[1]);
    struct kms *kms = file ? kms_get(c, file) : NULL;
    char planes[TEXT_MAX], text[2 * TEXT_MAX];
    unsigned int i;

    if (!kms) {
        return c->error;
    }
    for (i = 0; i < kms->output_count; i++) {
        struct kms_output *output = &kms->outputs[i];
        uint64_t active = 0;
        uint32_t status = 0;
        int count = kms_modes(file->fd, output->connector.id, modes, &status);

        kms_value(kms, &output->crtc, "ACTIVE", &active);
        tell_planes(kms, i, planes);
        snprintf(text, sizeof(text), "output %u %s modes=%d active=%llu "
                 "crtc=%u connector=%u writeback=%u%s", i,
                 statuses[status < ARRAY_SIZE(statuses) ? status : 0],
                 count < 0 ? 0 : count, (unsigned long long)active,
                 output->crtc.id, output->connector.id, output->writeback.id,
                 planes);
        c->line(c, text);
    }
    call_add(c, "outputs=%u", kms->output_count);
    return 0;
}

int cmd_modes(struct call *c)
{
    static struct drm_mode_modeinfo modes[KMS_MODES_MAX];
    struct file *file;
    struct kms *kms;
    struct kms_output *output = kms_args(c, &file, &kms);
    struct drm_mode_modeinfo *preferred = NULL;
    char text[TEXT_MAX];
    uint32_t status;
    int i, count;

    if (!output) {
        return c->error;
    }
    count = kms_modes(file->fd, output->connector.id, modes, &status);
    if (count < 0) {
        return call_fail(c, -count, "MODE_GETCONNECTOR");
    }
    for (i = 0; i < count; i++) {
        bool first = modes[i].type & DRM_MODE_TYPE_PREFERRED && !preferred;

        snprintf(text, sizeof(text), "%ux%u@%u %u kHz%s", modes[i].hdisplay,
                 modes[i].vdisplay, modes[i].vrefresh, modes[i].clock,
                 first ? " preferred" : "");
        c->line(c, text);
        preferred = first ? &modes[i] : preferred;
    }
    call_add(c, "connected=%d modes=%d", status == 1, count);
    if (preferred) {
        call_add(c, " width=%u height=%u refresh=%u", preferred->hdisplay,
                 preferred->vdisplay, preferred->vrefresh);
    }
    return 0;
}

/* The object of an output that a word names */
static struct kms_object *object_arg(struct call *c, struct kms *kms,
                                     struct kms_output *output, int arg)
{
    const char *word = c->argv[arg];
    struct kms_plane *plane = kms_plane(kms, output, word);
    struct kms_object *object =
        plane ? &plane->object :
        !strcmp(word, "crtc") ? &output->crtc :
        !strcmp(word, "connector") ? &output->connector :
        !strcmp(word, "writeback") ? &output->writeback : NULL;

    if (!object || !object->id) {
        call_fail(c, ENODEV, "the output has no '%.40s'", word);
        return NULL;
    }
    return object;
}

int cmd_props(struct call *c)
{
    struct file *file;
    struct kms *kms;
    struct kms_output *output = kms_args(c, &file, &kms);
    struct kms_object *object = output ? object_arg(c, kms, output, 3) : NULL;
    char text[TEXT_MAX];
    uint64_t value = 0;
    unsigned int i;

    if (!object) {
        return c->error;
    }
    if (c->argc > 4) {
        if (!kms_value(kms, object, c->argv[4], &value)) {
            return call_fail(c, ENOENT, "no property '%.40s'", c->argv[4]);
        }
        call_add(c, "value=%llu", (unsigned long long)value);
        return 0;
    }
    kms_prop(kms, object, "");
    for (i = 0; i < object->prop_count; i++) {
        kms_value(kms, object, object->props[i].name, &value);
        snprintf(text, sizeof(text), "%s=%llu", object->props[i].name,
                 (unsigned long long)value);
        c->line(c, text);
    }
    call_add(c, "object=%u properties=%u", object->id, object->prop_count);
    return 0;
}

static int next_crc(int fd, uint32_t *frame, uint32_t *crc)
{
    struct pollfd pfd = { .fd = fd, .events = POLLIN };
    int ready = poll(&pfd, 1, CRC_LIMIT_MS);

    if (ready <= 0) {
        return ready ? -errno : -ETIME;
    }
    return kms_crc_read(fd, frame, crc);
}

int cmd_crc(struct call *c)
{
    struct file *file;
    struct kms *kms;
    struct kms_output *output = kms_args(c, &file, &kms);
    uint32_t frame = 0, crc = 0;
    uint64_t i, count = 1;
    char text[TEXT_MAX];
    int fd, error = 0;

    if (!output || (c->argc > 3 && !call_number(c, 3, CRCS_MAX, &count))) {
        return c->error;
    }
    fd = kms_crc_open(file->fd, kms_index(kms, output));
    if (fd < 0) {
        return call_fail(c, -fd, "no CRCs");
    }
    for (i = 0; i < count && !error; i++) {
        error = next_crc(fd, &frame, &crc);
        if (!error && count > 1) {
            snprintf(text, sizeof(text), "frame=%u crc=0x%08x", frame, crc);
            c->line(c, text);
        }
    }
    close(fd);
    if (error) {
        return call_fail(c, -error, "the CRC of frame %llu",
                         (unsigned long long)i);
    }
    call_add(c, "frame=%u crc=0x%08x", frame, crc);
    return 0;
}

/* CRCs that nobody reads, until it is closed */
int cmd_crc_open(struct call *c)
{
    struct file *file;
    struct kms *kms;
    struct kms_output *output = kms_args(c, &file, &kms);
    struct fd *fd = output ? name_new_fd(c, c->argv[3]) : NULL;

    if (!fd) {
        return c->error;
    }
    fd->fd = kms_crc_open(file->fd, kms_index(kms, output));
    if (fd->fd < 0) {
        int error = -fd->fd;

        name_drop(fd);
        return call_fail(c, error, "no CRCs");
    }
    return 0;
}
