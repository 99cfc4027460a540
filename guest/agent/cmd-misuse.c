/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ioctls with one thing wrong: each field in turn has each value that is wrong
 * in it, while the others are right.  All of them must be refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kms.h"
#include "misuse.h"
#include <drm/drm_fourcc.h>

#define SIDE        32u
#define NOTHING     0x7ffffff0u /* no handle, no id, no fd */

static const struct misuse *const tables[] = {
    misuse_bo, misuse_sync, misuse_kms,
};

/* What is wrong in a field of this kind; a list ends with VALUES. */
static const uint8_t wrong[MISUSE_KINDS][16] = {
    [ANY] = { VALUES },
    [HANDLE] = { V_ZERO, V_OLD_HANDLE, V_NOTHING, V_ALL, VALUES },
    [HANDLE_OR_0] = { V_OLD_HANDLE, V_NOTHING, V_ALL, VALUES },
    [FD] = { V_ALL, V_CLOSED_FD, V_FILE_FD, V_NULL_FD, VALUES },
    [ID] = { V_ZERO, V_NOTHING, V_TOP_BIT, V_ALL, VALUES },
    [SYNC] = { V_ZERO, V_OLD_SYNC, V_NOTHING, V_ALL, VALUES },
    [FLAGS] = { V_TOP_BIT, V_ALL, VALUES },
    [MUST_BE_0] = { V_ONE, V_TOP_BIT, V_ALL, VALUES },
    [NOT_0] = { V_ZERO, VALUES },
    [COUNT] = { V_ZERO, V_ALL, VALUES },
    [POINTER] = { V_NO_ADDRESS, V_KERNEL_ADDRESS, VALUES },
    [CRTC_ID] = { V_ZERO, V_NOTHING, V_TOP_BIT, V_ALL, V_CONNECTOR, V_PLANE,
                  V_FB, V_FB_PROP, VALUES },
    [CONNECTOR_ID] = { V_ZERO, V_NOTHING, V_TOP_BIT, V_ALL, V_CRTC, V_PLANE,
                       V_FB, V_FB_PROP, VALUES },
    [PLANE_ID] = { V_ZERO, V_NOTHING, V_TOP_BIT, V_ALL, V_CRTC, V_CONNECTOR,
                   V_FB, V_FB_PROP, VALUES },
    [FB_ID] = { V_ZERO, V_NOTHING, V_TOP_BIT, V_ALL, V_CRTC, V_CONNECTOR,
                V_PLANE, V_FB_PROP, VALUES },
    [FB_ID_OR_0] = { V_NOTHING, V_TOP_BIT, V_ALL, V_CRTC, V_CONNECTOR, V_PLANE,
                     V_FB_PROP, VALUES },
    [PROP_ID] = { V_ZERO, V_NOTHING, V_TOP_BIT, V_ALL, V_CRTC, V_CONNECTOR,
                  V_PLANE, V_FB, VALUES },
    [OTHER_ID] = { V_ZERO, V_NOTHING, V_TOP_BIT, V_ALL, V_CRTC, V_CONNECTOR,
                   V_PLANE, V_FB, V_FB_PROP, VALUES },
    [NO_PROPS_ID] = { V_ZERO, V_NOTHING, V_TOP_BIT, V_ALL, V_FB, V_FB_PROP,
                      VALUES },
    [SYNC_LIST] = { V_ZERO, V_NO_ADDRESS, V_KERNEL_ADDRESS, V_OLD_SYNCS,
                    VALUES },
    [OBJECT_LIST] = { V_ZERO, V_NO_ADDRESS, V_KERNEL_ADDRESS, V_NO_OBJECTS,
                      V_FBS, VALUES },
    [PLANE_LIST] = { V_ZERO, V_NO_ADDRESS, V_KERNEL_ADDRESS, V_NO_PLANES,
                     V_FBS, VALUES },
    [FB_LIST] = { V_ZERO, V_NO_ADDRESS, V_KERNEL_ADDRESS, V_NO_FBS, VALUES },
    [OPS] = { V_ZERO, V_NO_ADDRESS, V_KERNEL_ADDRESS, V_BAD_OP, V_BAD_OP + 1,
              V_BAD_OP + 2, V_BAD_OP + 3, V_BAD_OP + 4, V_BAD_OP + 5,
              V_BAD_OP + 6, V_BAD_OP + 7, V_BAD_OP + 8, V_BAD_OP + 9,
              V_BAD_OP_LAST, VALUES },
    [IN_SYNCS] = { V_ZERO, V_NO_ADDRESS, V_KERNEL_ADDRESS, V_OLD_IN_SYNC,
                   VALUES },
};

/* A worker's calls come one after the other. */
static struct {
    uint64_t values[VALUES];
    uint8_t data[4096];
    uint32_t syncs[1], old_syncs[1], objects[3], no_objects[3], planes[1],
             no_planes[1], fb_props[1];
    uint64_t fbs[2], no_fbs[1], ones[1]; /* fbs: three ids as well, two are 0 */
    struct drm_primegpu_op op, bad_ops[MISUSE_BAD_OPS];
    struct drm_primegpu_sync in_sync, old_in_sync;
} m;

/* Operations with one thing wrong; those that copy read the same BO. */
static void set_ops(uint32_t handle, uint32_t old)
{
    struct drm_primegpu_op *bad = m.bad_ops;
    size_t i;

    m.op = (struct drm_primegpu_op) {
        .kind = PRIMEGPU_OP_KIND_FILL,
        .dst_handle = handle,
        .width = SIDE,
        .height = 1,
        .cpp = 4,
    };
    for (i = 0; i < ARRAY_SIZE(m.bad_ops); i++) {
        bad[i] = m.op;
        m.values[V_BAD_OP + i] = (uintptr_t)&bad[i];
    }
    bad[0].kind = 0;
    bad[1].kind = UINT32_MAX;
    bad[2].dst_handle = 0;
    bad[3].dst_handle = old;
    bad[4].dst_offset = UINT64_MAX - 63;
    bad[5].dst_offset = 1ull << 40;
    bad[6].width = UINT32_MAX;
    bad[7].cpp = 3;
    bad[8].pad = 1;
    bad[9].kind = PRIMEGPU_OP_KIND_COPY;
    bad[9].src_handle = old;
    bad[10].kind = PRIMEGPU_OP_KIND_COPY;
    bad[10].src_handle = handle;
    bad[10].src_offset = 1ull << 40;
}

static void set_numbers(void)
{
    uint64_t *v = m.values;

    v[V_ONE] = m.ones[0] = 1;
    v[V_THREE] = 3;
    v[V_TOP_BIT] = 0x8000000080000000ull;
    v[V_ALL] = UINT64_MAX;
    v[V_PAGE] = sizeof(m.data);
    v[V_WIDTH] = SIDE;
    v[V_PITCH] = SIDE * 4;
    v[V_DEPTH] = 24;
    v[V_BPP] = 32;
    v[V_FORMAT] = DRM_FORMAT_XRGB8888;
    v[V_NOTHING] = m.no_planes[0] = m.no_fbs[0] = NOTHING;
    v[V_NO_ADDRESS] = 4096;
    v[V_KERNEL_ADDRESS] = 0xffff800000000000ull;
    v[V_CLOSED_FD] = NOTHING;
    v[V_IN_FENCE] = PRIMEGPU_SUBMIT_FENCE_FD_IN;
    v[V_CURSOR_BO] = DRM_MODE_CURSOR_BO;
    v[V_FB_MODIFIERS] = DRM_MODE_FB_MODIFIERS;
    v[V_TEST_ONLY] = DRM_MODE_ATOMIC_TEST_ONLY;
}

static void set_addresses(void)
{
    uint64_t *v = m.values;

    m.syncs[0] = m.in_sync.handle = v[V_SYNC];
    m.old_syncs[0] = m.old_in_sync.handle = v[V_OLD_SYNC];
    /* A point has something allocated before the handle is looked at. */
    m.old_in_sync.point = 1;
    m.fbs[0] = v[V_FB];
    m.planes[0] = v[V_PLANE];
    m.fb_props[0] = v[V_FB_PROP];
    m.objects[0] = v[V_CONNECTOR];
    m.objects[1] = v[V_CRTC];
    m.objects[2] = v[V_PLANE];
    memset(m.no_objects, 0xff, sizeof(m.no_objects));
    v[V_DATA] = (uintptr_t)m.data;
    v[V_SYNCS] = (uintptr_t)m.syncs;
    v[V_OLD_SYNCS] = (uintptr_t)m.old_syncs;
    v[V_OBJECTS] = (uintptr_t)m.objects;
    v[V_NO_OBJECTS] = (uintptr_t)m.no_objects;
    v[V_PLANES] = (uintptr_t)m.planes;
    v[V_NO_PLANES] = (uintptr_t)m.no_planes;
    v[V_FB_PROPS] = (uintptr_t)m.fb_props;
    v[V_FBS] = (uintptr_t)m.fbs;
    v[V_NO_FBS] = (uintptr_t)m.no_fbs;
    v[V_ONES] = (uintptr_t)m.ones;
    v[V_OP] = (uintptr_t)&m.op;
    v[V_IN_SYNC] = (uintptr_t)&m.in_sync;
    v[V_OLD_IN_SYNC] = (uintptr_t)&m.old_in_sync;
}

/* A handle and a syncobj that have just been closed */
static void set_old(struct file *file)
{
    struct drm_syncobj_create create = { 0 };
    struct drm_syncobj_destroy destroy = { 0 };
    struct bo bo = { .file = file };

    m.values[V_OLD_HANDLE] = m.values[V_OLD_SYNC] = NOTHING;
    if (!drm_create(file, sizeof(m.data), 0, &bo)) {
        drm_close(file->fd, bo.handle);
        m.values[V_OLD_HANDLE] = bo.handle;
    }
    if (!sys_ioctl(file->fd, DRM_IOCTL_SYNCOBJ_CREATE, &create)) {
        destroy.handle = create.handle;
        sys_ioctl(file->fd, DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
        m.values[V_OLD_SYNC] = create.handle;
    }
}

/* A file that cannot have outputs names none. */
static void set_display(struct call *c, struct file *file)
{
    struct kms *kms = kms_get(c, file);
    struct kms_plane *plane;
    const struct kms_prop *prop;

    if (!kms) {
        c->error = 0;
        c->length = 0;
        return;
    }
    plane = kms_plane(kms, &kms->outputs[0], "primary");
    prop = plane ? kms_prop(kms, &plane->object, "FB_ID") : NULL;
    m.values[V_CRTC] = kms->outputs[0].crtc.id;
    m.values[V_CONNECTOR] = kms->outputs[0].connector.id;
    m.values[V_PLANE] = plane ? plane->object.id : 0;
    m.values[V_FB_PROP] = prop ? prop->id : 0;
}

/* Call it with a wrong value in one of its fields. */
static bool misuse_one(struct call *c, const struct misuse *u, uint8_t target,
                       size_t field, uint8_t value)
{
    uint8_t arg[MISUSE_ARG_MAX] = { 0 };
    const struct misuse_field *f;

    for (f = u->fields; f < u->fields + MISUSE_FIELDS_MAX && f->size; f++) {
        memcpy(arg + f->offset, &m.values[f->right], f->size);
    }
    f = &u->fields[field];
    memcpy(arg + f->offset, &m.values[value], f->size);
    if (sys_ioctl_number(m.values[target], u->request, arg) >= 0) {
        call_fail(c, EPROTO, "%s is not refused with 0x%llx in field %zu",
                  u->name, (unsigned long long)m.values[value], field);
        return false;
    }
    return true;
}

static void misuse_all(struct call *c, const struct misuse *u)
{
    static const uint8_t targets[] = {
        [ON_FILE] = V_FILE_FD, [ON_DMABUF] = V_DMABUF, [ON_FENCE] = V_FENCE,
    };
    static const uint8_t no_targets[] = { V_NULL_FD, V_CLOSED_FD };
    unsigned int refused = 0;
    const uint8_t *value;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(no_targets); i++, refused++) {
        if (!misuse_one(c, u, no_targets[i], 0, u->fields[0].right)) {
            return;
        }
    }
    for (i = 0; i < MISUSE_FIELDS_MAX && u->fields[i].size; i++) {
        for (value = wrong[u->fields[i].kind]; *value != VALUES; value++) {
            if (!misuse_one(c, u, targets[u->target], i, *value)) {
                return;
            }
            refused++;
        }
    }
    call_add(c, "call=%s refused=%u", u->name, refused);
}

/* The names that are arguments */
static bool set_names(struct call *c, struct file *file)
{
    struct bo *bo = name_bo(c, c->argv[2]);
    struct fd *dmabuf = bo ? name_fd(c, c->argv[3]) : NULL;
    struct fd *fence = dmabuf ? name_fd(c, c->argv[4]) : NULL;
    struct sync *sync = fence ? name_sync(c, c->argv[5]) : NULL;
    uint32_t fb;

    if (!sync || !kms_fb_arg(c, file->fd, c->argv[6], &fb)) {
        return false;
    }
    memset(&m, 0, sizeof(m));
    set_numbers();
    m.values[V_HANDLE] = bo->handle;
    m.values[V_DMABUF] = dmabuf->fd;
    m.values[V_FENCE] = fence->fd;
    m.values[V_SYNC] = sync->handle;
    m.values[V_FB] = fb;
    m.values[V_FILE_FD] = file->fd;
    set_old(file);
    set_display(c, file);
    set_addresses();
    set_ops(bo->handle, m.values[V_OLD_HANDLE]);
    return true;
}

static const struct misuse *misuse_at(uint64_t number)
{
    const struct misuse *u;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(tables); i++) {
        for (u = tables[i]; u->name; u++) {
            if (!number--) {
                return u;
            }
        }
    }
    return NULL;
}

int cmd_misuse(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    const struct misuse *u;
    uint64_t number;
    int null;

    if (!file || !call_number(c, 7, UINT64_MAX, &number)) {
        return c->error;
    }
    u = misuse_at(number);
    if (!u) {
        return call_fail(c, ERANGE, "no ioctl has this number");
    }
    if (!set_names(c, file)) {
        return c->error;
    }
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) {
        return call_fail(c, errno, "/dev/null");
    }
    m.values[V_NULL_FD] = null;
    misuse_all(c, u);
    close(null);
    return c->error;
}
