/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mode setting objects of a DRM file: which there are, and which belong to an
 * output.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kms.h"

static const uint64_t caps[] = {
    DRM_CLIENT_CAP_UNIVERSAL_PLANES,
    DRM_CLIENT_CAP_ATOMIC,
    DRM_CLIENT_CAP_WRITEBACK_CONNECTORS,
};

static void object_init(struct kms_object *object, uint32_t id, uint32_t type)
{
    object->id = id;
    object->type = type;
}

/* The outputs that a connector can be on, by its first encoder */
static uint32_t connector_outputs(int fd, uint32_t id, uint32_t *type)
{
    struct drm_mode_modeinfo mode;
    uint32_t encoders[KMS_OUTPUTS_MAX] = { 0 };
    /* With room for a mode the kernel does not look at the display anew */
    struct drm_mode_get_connector args = {
        .connector_id = id,
        .modes_ptr = (uintptr_t)&mode,
        .count_modes = 1,
        .encoders_ptr = (uintptr_t)encoders,
        .count_encoders = KMS_OUTPUTS_MAX,
    };
    struct drm_mode_get_encoder encoder = { 0 };

    *type = DRM_MODE_CONNECTOR_Unknown;
    if (sys_ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &args)) {
        return 0;
    }
    *type = args.connector_type;
    encoder.encoder_id = encoders[0];
    return sys_ioctl(fd, DRM_IOCTL_MODE_GETENCODER, &encoder) ?
           0 : encoder.possible_crtcs;
}

static void add_connector(struct kms *kms, uint32_t id, unsigned int *number)
{
    uint32_t type, mask = connector_outputs(kms->fd, id, &type);
    unsigned int i;

    if (type != DRM_MODE_CONNECTOR_WRITEBACK) {
        if (*number < kms->output_count) {
            object_init(&kms->outputs[(*number)++].connector, id,
                        DRM_MODE_OBJECT_CONNECTOR);
        }
        return;
    }
    for (i = 0; i < kms->output_count; i++) {
        if (mask & (1u << i) && !kms->outputs[i].writeback.id) {
            object_init(&kms->outputs[i].writeback, id,
                        DRM_MODE_OBJECT_CONNECTOR);
            return;
        }
    }
}

static int find_outputs(struct kms *kms)
{
    uint32_t crtcs[KMS_OUTPUTS_MAX], connectors[4 * KMS_OUTPUTS_MAX];
    struct drm_mode_card_res res = {
        .crtc_id_ptr = (uintptr_t)crtcs,
        .count_crtcs = KMS_OUTPUTS_MAX,
        .connector_id_ptr = (uintptr_t)connectors,
        .count_connectors = ARRAY_SIZE(connectors),
    };
    unsigned int i, number = 0;

    if (sys_ioctl(kms->fd, DRM_IOCTL_MODE_GETRESOURCES, &res)) {
        return -errno;
    }
    if (!res.count_crtcs || res.count_crtcs > KMS_OUTPUTS_MAX ||
        res.count_connectors > ARRAY_SIZE(connectors)) {
        return -ENODEV;
    }
    kms->output_count = res.count_crtcs;
    for (i = 0; i < res.count_crtcs; i++) {
        object_init(&kms->outputs[i].crtc, crtcs[i], DRM_MODE_OBJECT_CRTC);
    }
    for (i = 0; i < res.count_connectors; i++) {
        add_connector(kms, connectors[i], &number);
    }
    return 0;
}

static int find_planes(struct kms *kms)
{
    uint32_t ids[KMS_PLANES_MAX];
    struct drm_mode_get_plane_res res = {
        .plane_id_ptr = (uintptr_t)ids,
        .count_planes = KMS_PLANES_MAX,
    };
    unsigned int i;

    if (sys_ioctl(kms->fd, DRM_IOCTL_MODE_GETPLANERESOURCES, &res)) {
        return -errno;
    }
    for (i = 0; i < res.count_planes && i < KMS_PLANES_MAX; i++) {
        struct drm_mode_get_plane args = { .plane_id = ids[i] };
        struct kms_plane *plane = &kms->planes[kms->plane_count++];

        if (sys_ioctl(kms->fd, DRM_IOCTL_MODE_GETPLANE, &args)) {
            return -errno;
        }
        object_init(&plane->object, ids[i], DRM_MODE_OBJECT_PLANE);
        plane->crtcs = args.possible_crtcs;
        kms_value(kms, &plane->object, "type", &plane->type);
    }
    return 0;
}

struct kms *kms_get(struct call *c, struct file *file)
{
    struct kms *kms;
    size_t i;
    int error;

    if (file->kms) {
        return file->kms;
    }
    for (i = 0; i < ARRAY_SIZE(caps); i++) {
        struct drm_set_client_cap cap = { .capability = caps[i], .value = 1 };

        /* Not all drivers write back */
        if (sys_ioctl(file->fd, DRM_IOCTL_SET_CLIENT_CAP, &cap) &&
            caps[i] != DRM_CLIENT_CAP_WRITEBACK_CONNECTORS) {
            call_fail(c, errno, "the driver has no atomic mode setting");
            return NULL;
        }
    }
    kms = calloc(1, sizeof(*kms));
    if (!kms) {
        call_fail(c, ENOMEM, "no memory");
        return NULL;
    }
    kms->fd = file->fd;
    error = find_outputs(kms);
    if (!error) {
        error = find_planes(kms);
    }
    if (error) {
        kms_free(kms);
        call_fail(c, -error, "the file has no outputs");
        return NULL;
    }
    file->kms = kms;
    return kms;
}

void kms_free(struct kms *kms)
{
    unsigned int i;

    if (!kms) {
        return;
    }
    for (i = 0; i < kms->output_count; i++) {
        free(kms->outputs[i].crtc.props);
        free(kms->outputs[i].connector.props);
        free(kms->outputs[i].writeback.props);
    }
    for (i = 0; i < kms->plane_count; i++) {
        free(kms->planes[i].object.props);
    }
    free(kms);
}

struct kms_output *kms_output(struct call *c, struct kms *kms, int arg)
{
    uint64_t number;

    if (!call_number(c, arg, UINT32_MAX, &number)) {
        return NULL;
    }
    if (number >= kms->output_count) {
        call_fail(c, ENODEV, "there are %u outputs", kms->output_count);
        return NULL;
    }
    return &kms->outputs[number];
}

struct kms_output *kms_args(struct call *c, struct file **file,
                            struct kms **kms)
{
    *file = name_file(c, c->argv[1]);
    *kms = *file ? kms_get(c, *file) : NULL;
    return *kms ? kms_output(c, *kms, 2) : NULL;
}

unsigned int kms_index(const struct kms *kms, const struct kms_output *output)
{
    return output - kms->outputs;
}

struct kms_plane *kms_plane(struct kms *kms, const struct kms_output *output,
                            const char *word)
{
    static const struct {
        const char *word;
        uint64_t type;
    } types[] = {
        { "primary", KMS_PLANE_PRIMARY },
        { "overlay", KMS_PLANE_OVERLAY },
        { "cursor", KMS_PLANE_CURSOR },
        { "plane", UINT64_MAX },    /* any, by its id */
    };
    uint32_t mask = 1u << kms_index(kms, output);
    uint64_t number = 0;
    size_t t, length;
    unsigned int i;

    for (t = 0; t < ARRAY_SIZE(types); t++) {
        length = strlen(types[t].word);
        if (!strncmp(word, types[t].word, length)) {
            break;
        }
    }
    if (t == ARRAY_SIZE(types) ||
        (word[length] && !line_number(word + length, &number))) {
        return NULL;
    }
    for (i = 0; i < kms->plane_count; i++) {
        struct kms_plane *plane = &kms->planes[i];

        if (types[t].type == UINT64_MAX ? plane->object.id == number :
            plane->type == types[t].type && plane->crtcs & mask && !number--) {
            return plane;
        }
    }
    return NULL;
}

int kms_blob(int fd, const void *data, uint32_t size, uint32_t *id)
{
    struct drm_mode_create_blob args = {
        .data = (uintptr_t)data,
        .length = size,
    };

    if (sys_ioctl(fd, DRM_IOCTL_MODE_CREATEPROPBLOB, &args)) {
        return -errno;
    }
    *id = args.blob_id;
    return 0;
}

int kms_blob_free(int fd, uint32_t id)
{
    struct drm_mode_destroy_blob args = { .blob_id = id };

    return sys_ioctl(fd, DRM_IOCTL_MODE_DESTROYPROPBLOB, &args) ? -errno : 0;
}
