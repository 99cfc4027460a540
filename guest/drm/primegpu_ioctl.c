// SPDX-License-Identifier: GPL-2.0-or-later
/* The drivers' own ioctls, but for submit, and dumb buffers. */
#include <linux/dma-resv.h>

#include <drm/drm_fourcc.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_utils.h>
#include <drm/drm_vma_manager.h>

#include "primegpu_internal.h"

static int primegpu_ioctl_getparam(struct drm_device *drm, void *data,
				   struct drm_file *file)
{
	struct primegpu_device *pgpu = to_primegpu_device(drm);
	struct primegpu_file *priv = file->driver_priv;
	struct drm_primegpu_getparam *args = data;

	if (args->pad)
		return -EINVAL;
	switch (args->param) {
	case PRIMEGPU_PARAM_CAPS:
		args->value = pgpu->caps;
		return 0;
	case PRIMEGPU_PARAM_DEVICE_ID:
		args->value = pgpu->device_id;
		return 0;
	case PRIMEGPU_PARAM_VRAM_SIZE:
		args->value = pgpu->vram_size;
		return 0;
	case PRIMEGPU_PARAM_CLIENT_ID:
		args->value = priv->client;
		return 0;
	default:
		return -EINVAL;
	}
}

/* Makes a BO and a handle to it; *size is rounded up to pages. */
static int primegpu_ioctl_new_bo(struct primegpu_device *pgpu,
				 struct drm_file *file, u64 *size,
				 u32 placements, u32 *handle)
{
	u32 possible = pgpu->backend->placements;
	struct drm_gem_object *gem;
	int ret;

	if (!*size || placements & ~possible)
		return -EINVAL;
	if (*size > pgpu->bytes_max || *size > SIZE_MAX - PAGE_SIZE)
		return -ENOSPC;
	gem = pgpu->backend->gem_create(pgpu, PAGE_ALIGN(*size),
					placements ?: possible);
	if (IS_ERR(gem))
		return PTR_ERR(gem);
	*size = gem->size;
	ret = drm_gem_handle_create(file, gem, handle);
	drm_gem_object_put(gem);
	return ret;
}

static int primegpu_ioctl_gem_create(struct drm_device *drm, void *data,
				     struct drm_file *file)
{
	struct drm_primegpu_gem_create *args = data;

	return primegpu_ioctl_new_bo(to_primegpu_device(drm), file, &args->size,
				     args->placement, &args->handle);
}

/**
 * primegpu_core_dumb_create - &drm_driver.dumb_create of both drivers
 * @file: the file
 * @drm: the device
 * @args: of the ioctl, checked for overflow by DRM core
 *
 * Returns: 0 or an error.
 */
int primegpu_core_dumb_create(struct drm_file *file, struct drm_device *drm,
			      struct drm_mode_create_dumb *args)
{
	u64 pitch = DIV_ROUND_UP_ULL((u64)args->width * args->bpp, 8);

	if (pitch > U32_MAX)
		return -EINVAL;
	args->pitch = pitch;
	args->size = pitch * args->height;
	return primegpu_ioctl_new_bo(to_primegpu_device(drm), file, &args->size,
				     0, &args->handle);
}
EXPORT_SYMBOL_GPL(primegpu_core_dumb_create);

static int primegpu_ioctl_gem_info(struct drm_device *drm, void *data,
				   struct drm_file *file)
{
	struct primegpu_device *pgpu = to_primegpu_device(drm);
	struct drm_primegpu_gem_info *args = data;
	struct drm_gem_object *gem;
	struct primegpu_bo *bo;

	gem = drm_gem_object_lookup(file, args->handle);
	if (!gem)
		return -ENOENT;
	bo = to_primegpu_bo(gem);
	dma_resv_lock(gem->resv, NULL);
	args->placement = pgpu->backend->placement(gem);
	dma_resv_unlock(gem->resv);
	args->size = gem->size;
	args->key = bo->key;
	args->imported = bo->imported;
	args->pad = 0;
	drm_gem_object_put(gem);
	return 0;
}

static int primegpu_ioctl_gem_mmap(struct drm_device *drm, void *data,
				   struct drm_file *file)
{
	struct drm_primegpu_gem_mmap *args = data;
	struct drm_gem_object *gem;
	int ret;

	if (args->pad)
		return -EINVAL;
	gem = drm_gem_object_lookup(file, args->handle);
	if (!gem)
		return -ENOENT;
	ret = drm_gem_create_mmap_offset(gem);
	if (!ret)
		args->offset = drm_vma_node_offset_addr(&gem->vma_node);
	drm_gem_object_put(gem);
	return ret;
}

static int primegpu_ioctl_gem_place(struct drm_device *drm, void *data,
				    struct drm_file *file)
{
	struct primegpu_device *pgpu = to_primegpu_device(drm);
	struct drm_primegpu_gem_place *args = data;
	struct drm_gem_object *gem;
	int ret = -EINVAL;

	if (!args->placement || args->placement & ~pgpu->backend->placements)
		return -EINVAL;
	gem = drm_gem_object_lookup(file, args->handle);
	if (!gem)
		return -ENOENT;
	if (!to_primegpu_bo(gem)->imported)
		ret = pgpu->backend->place(gem, args->placement);
	drm_gem_object_put(gem);
	return ret;
}

static int primegpu_ioctl_gem_wait(struct drm_device *drm, void *data,
				   struct drm_file *file)
{
	struct drm_primegpu_gem_wait *args = data;
	bool write = args->flags & PRIMEGPU_WAIT_WRITE;
	struct drm_gem_object *gem;
	long ret;

	if (args->flags & ~PRIMEGPU_WAIT_WRITE)
		return -EINVAL;
	gem = drm_gem_object_lookup(file, args->handle);
	if (!gem)
		return -ENOENT;
	ret = dma_resv_wait_timeout(gem->resv, dma_resv_usage_rw(write), true,
				    drm_timeout_abs_to_jiffies(args->timeout_ns));
	drm_gem_object_put(gem);
	if (!ret)
		return -ETIME;
	return ret < 0 ? ret : 0;
}

/**
 * primegpu_core_ioctl - &file_operations.unlocked_ioctl of both drivers
 * @filp: an open DRM file
 * @cmd: number of the call
 * @arg: its argument
 *
 * Exporting an import reads its attachment, which goes with the device.
 *
 * Returns: what drm_ioctl() returns.
 */
long primegpu_core_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct drm_file *file = filp->private_data;
	long ret;
	int idx;

	if (_IOC_NR(cmd) != _IOC_NR(DRM_IOCTL_PRIME_HANDLE_TO_FD))
		return drm_ioctl(filp, cmd, arg);
	if (!drm_dev_enter(file->minor->dev, &idx))
		return -ENODEV;
	ret = drm_ioctl(filp, cmd, arg);
	drm_dev_exit(idx);
	return ret;
}
EXPORT_SYMBOL_GPL(primegpu_core_ioctl);

/* &drm_driver.ioctls of both drivers */
const struct drm_ioctl_desc primegpu_core_ioctls[PRIMEGPU_CORE_IOCTL_COUNT] = {
	DRM_IOCTL_DEF_DRV(PRIMEGPU_GETPARAM, primegpu_ioctl_getparam,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(PRIMEGPU_GEM_CREATE, primegpu_ioctl_gem_create,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(PRIMEGPU_GEM_INFO, primegpu_ioctl_gem_info,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(PRIMEGPU_GEM_MMAP, primegpu_ioctl_gem_mmap,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(PRIMEGPU_GEM_PLACE, primegpu_ioctl_gem_place,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(PRIMEGPU_GEM_WAIT, primegpu_ioctl_gem_wait,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(PRIMEGPU_SUBMIT, primegpu_ioctl_submit,
			  DRM_RENDER_ALLOW),
};
EXPORT_SYMBOL_GPL(primegpu_core_ioctls);
