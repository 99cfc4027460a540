/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may set modes: master, those that it vouches for, and leases.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kms.h"

#define LESSEES_MAX 32
#define LEASED_MAX  64

int cmd_master(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    int choice;

    if (!file || !call_choice(c, 2, "set|drop", &choice)) {
        return c->error;
    }
    if (sys_ioctl(file->fd, choice ? DRM_IOCTL_DROP_MASTER
                                   : DRM_IOCTL_SET_MASTER, NULL)) {
        return call_fail(c, errno, "%s_MASTER", choice ? "DROP" : "SET");
    }
    return 0;
}

int cmd_magic(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    struct drm_auth args = { 0 };

    if (!file) {
        return c->error;
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_GET_MAGIC, &args)) {
        return call_fail(c, errno, "GET_MAGIC");
    }
    call_add(c, "magic=%u", args.magic);
    return 0;
}

int cmd_auth(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    struct drm_auth args = { 0 };
    uint64_t magic;

    if (!file || !call_number(c, 2, UINT32_MAX, &magic)) {
        return c->error;
    }
    args.magic = magic;
    if (sys_ioctl(file->fd, DRM_IOCTL_AUTH_MAGIC, &args)) {
        return call_fail(c, errno, "AUTH_MAGIC");
    }
    return 0;
}

/* CRTC, connector and planes of an output */
static uint32_t lease_output(struct kms *kms, const struct kms_output *output,
                             uint32_t *ids)
{
    uint32_t count = 0;
    unsigned int i;

    ids[count++] = output->crtc.id;
    ids[count++] = output->connector.id;
    for (i = 0; i < kms->plane_count; i++) {
        if (kms->planes[i].crtcs & (1u << kms_index(kms, output))) {
            ids[count++] = kms->planes[i].object.id;
        }
    }
    return count;
}

/* Those that words name, or numbers, which may be of no object */
static bool lease_words(struct call *c, struct kms *kms,
                        struct kms_output *output, uint32_t *ids,
                        uint32_t *count)
{
    int arg;

    for (arg = 4; arg < c->argc; arg++) {
        struct kms_plane *plane = kms_plane(kms, output, c->argv[arg]);
        uint64_t id = plane ? plane->object.id :
                      !strcmp(c->argv[arg], "crtc") ? output->crtc.id :
                      !strcmp(c->argv[arg], "connector") ?
                      output->connector.id :
                      !strcmp(c->argv[arg], "writeback") ?
                      output->writeback.id : 0;

        if (!id && !call_number(c, arg, UINT32_MAX, &id)) {
            return false;
        }
        ids[(*count)++] = id;
    }
    return true;
}

int cmd_lease(struct call *c)
{
    struct file *file, *lessee;
    struct kms *kms;
    struct kms_output *output = kms_args(c, &file, &kms);
    uint32_t ids[2 + KMS_PLANES_MAX + ARGS_MAX];
    struct drm_mode_create_lease args = {
        .object_ids = (uintptr_t)ids,
        .flags = O_CLOEXEC,
    };

    lessee = output ? name_new_file(c, c->argv[3]) : NULL;
    if (!lessee) {
        return c->error;
    }
    if (c->argc > 4) {
        if (!lease_words(c, kms, output, ids, &args.object_count)) {
            name_drop(lessee);
            return c->error;
        }
    } else {
        args.object_count = lease_output(kms, output, ids);
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_CREATE_LEASE, &args)) {
        name_drop(lessee);
        return call_fail(c, errno, "MODE_CREATE_LEASE");
    }
    lessee->fd = args.fd;
    lessee->primegpu = file->primegpu;
    memcpy(lessee->driver, file->driver, sizeof(lessee->driver));
    call_add(c, "lessee=%u", args.lessee_id);
    return 0;
}

int cmd_lessees(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    uint32_t ids[LESSEES_MAX];
    struct drm_mode_list_lessees args = {
        .count_lessees = LESSEES_MAX,
        .lessees_ptr = (uintptr_t)ids,
    };

    if (!file) {
        return c->error;
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_LIST_LESSEES, &args)) {
        return call_fail(c, errno, "MODE_LIST_LESSEES");
    }
    call_add(c, "lessees=%u", args.count_lessees);
    return 0;
}

int cmd_leased(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    uint32_t ids[LEASED_MAX];
    struct drm_mode_get_lease args = {
        .count_objects = LEASED_MAX,
        .objects_ptr = (uintptr_t)ids,
    };

    if (!file) {
        return c->error;
    }
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_GET_LEASE, &args)) {
        return call_fail(c, errno, "MODE_GET_LEASE");
    }
    call_add(c, "objects=%u", args.count_objects);
    return 0;
}

int cmd_revoke(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    struct drm_mode_revoke_lease args = { 0 };
    uint64_t id;

    if (!file || !call_number(c, 2, UINT32_MAX, &id)) {
        return c->error;
    }
    args.lessee_id = id;
    if (sys_ioctl(file->fd, DRM_IOCTL_MODE_REVOKE_LEASE, &args)) {
        return call_fail(c, errno, "MODE_REVOKE_LEASE");
    }
    return 0;
}
