/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties of mode setting objects, by their names.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kms.h"

#define PROPS_MAX   64
#define ENUMS_MAX   32

static char plain(char ch)
{
    return ch == '_' ? ' ' : tolower((unsigned char)ch);
}

bool kms_same(const char *a, const char *b, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++) {
        if (!b[i] || plain(a[i]) != plain(b[i])) {
            return false;
        }
    }
    return !b[length];
}

/* Numbers and values of an object's properties; how many, or -errno */
static int object_values(int fd, const struct kms_object *object,
                         uint32_t *ids, uint64_t *values)
{
    struct drm_mode_obj_get_properties args = {
        .props_ptr = (uintptr_t)ids,
        .prop_values_ptr = (uintptr_t)values,
        .count_props = PROPS_MAX,
        .obj_id = object->id,
        .obj_type = object->type,
    };

    if (sys_ioctl(fd, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &args)) {
        return -errno;
    }
    return args.count_props < PROPS_MAX ? args.count_props : PROPS_MAX;
}

static bool load_props(int fd, struct kms_object *object)
{
    uint32_t ids[PROPS_MAX];
    uint64_t values[PROPS_MAX];
    int i, count = object->props ? 0 : object_values(fd, object, ids, values);

    if (object->props || count < 0) {
        return object->props;
    }
    object->props = calloc(count ? count : 1, sizeof(*object->props));
    for (i = 0; object->props && i < count; i++) {
        struct drm_mode_get_property args = { .prop_id = ids[i] };

        sys_ioctl(fd, DRM_IOCTL_MODE_GETPROPERTY, &args);
        object->props[i].id = ids[i];
        object->props[i].flags = args.flags;
        memcpy(object->props[i].name, args.name, DRM_PROP_NAME_LEN);
        object->prop_count = i + 1;
    }
    return object->props;
}

const struct kms_prop *kms_prop(const struct kms *kms,
                                struct kms_object *object, const char *name)
{
    unsigned int i;

    if (!object->id || !load_props(kms->fd, object)) {
        return NULL;
    }
    for (i = 0; i < object->prop_count; i++) {
        if (kms_same(name, object->props[i].name, strlen(name))) {
            return &object->props[i];
        }
    }
    return NULL;
}

bool kms_value(const struct kms *kms, struct kms_object *object,
               const char *name, uint64_t *value)
{
    const struct kms_prop *prop = kms_prop(kms, object, name);
    uint32_t ids[PROPS_MAX];
    uint64_t values[PROPS_MAX];
    int i, count;

    count = prop ? object_values(kms->fd, object, ids, values) : 0;
    for (i = 0; i < count; i++) {
        if (ids[i] == prop->id) {
            *value = values[i];
            return true;
        }
    }
    return false;
}

bool kms_parse(const struct kms *kms, const struct kms_prop *prop,
               const char *text, uint64_t *value)
{
    struct drm_mode_property_enum enums[ENUMS_MAX] = { 0 };
    struct drm_mode_get_property args = {
        .enum_blob_ptr = (uintptr_t)enums,
        .count_enum_blobs = ENUMS_MAX,
        .prop_id = prop->id,
    };
    bool mask = prop->flags & DRM_MODE_PROP_BITMASK;
    size_t length;
    unsigned int i;

    if (line_number(text, value)) {
        return true;
    }
    if (!(prop->flags & (DRM_MODE_PROP_ENUM | DRM_MODE_PROP_BITMASK)) ||
        sys_ioctl(kms->fd, DRM_IOCTL_MODE_GETPROPERTY, &args)) {
        return false;
    }
    for (*value = 0; *text; text += length + !!text[length]) {
        length = strcspn(text, "+");
        for (i = 0; i < ENUMS_MAX && i < args.count_enum_blobs; i++) {
            if (kms_same(text, enums[i].name, length)) {
                break;
            }
        }
        if (i == ENUMS_MAX || i == args.count_enum_blobs) {
            return false;
        }
        *value |= mask ? 1ull << enums[i].value : enums[i].value;
    }
    return true;
}
