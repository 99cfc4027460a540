/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fences that vgem attaches to its BOs for a client, which signals them.
 */
#include <errno.h>

#include "drm-calls.h"
#include <drm/vgem_drm.h>

int cmd_vgem_attach(struct call *c)
{
    struct bo *bo = name_bo(c, c->argv[1]);
    struct drm_vgem_fence_attach attach = { 0 };
    int write;

    if (!bo || !call_choice(c, 2, "read|write", &write)) {
        return c->error;
    }
    attach.handle = bo->handle;
    attach.flags = write ? VGEM_FENCE_WRITE : 0;
    if (sys_ioctl(bo->file->fd, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach)) {
        return call_fail(c, errno, "VGEM_FENCE_ATTACH");
    }
    call_add(c, "fence=%u", attach.out_fence);
    return 0;
}

int cmd_vgem_signal(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    struct drm_vgem_fence_signal args = { 0 };
    uint64_t fence;

    if (!file || !call_number(c, 2, UINT32_MAX, &fence)) {
        return c->error;
    }
    args.fence = fence;
    if (sys_ioctl(file->fd, DRM_IOCTL_VGEM_FENCE_SIGNAL, &args)) {
        return call_fail(c, errno, "VGEM_FENCE_SIGNAL");
    }
    return 0;
}
