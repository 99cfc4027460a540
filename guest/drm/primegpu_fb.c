// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is shown has bytes, and they stay where they are: in VRAM, in pages, or
 * where the exporter of an import has pinned them. Nothing is copied.
 */
#include <linux/dma-resv.h>

#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>

#include "primegpu_display.h"

static int primegpu_fb_pin_gem(struct drm_gem_object *gem)
{
	const struct primegpu_backend *backend =
		to_primegpu_device(gem->dev)->backend;
	struct primegpu_bo *bo = to_primegpu_bo(gem);
	int ret;

	if (!bo->imported && backend->populate) {
		ret = backend->populate(gem);
		if (ret || !backend->pin)
			return ret;
	}
	dma_resv_lock(gem->resv, NULL);
	if (bo->imported)
		ret = primegpu_import_pin(bo);
	else
		ret = backend->pin(gem);
	dma_resv_unlock(gem->resv);
	return ret;
}

static void primegpu_fb_unpin_gem(struct drm_gem_object *gem)
{
	const struct primegpu_backend *backend =
		to_primegpu_device(gem->dev)->backend;
	struct primegpu_bo *bo = to_primegpu_bo(gem);

	if (!bo->imported && !backend->unpin)
		return;
	dma_resv_lock(gem->resv, NULL);
	if (bo->imported)
		primegpu_import_unpin(bo);
	else
		backend->unpin(gem);
	dma_resv_unlock(gem->resv);
}

/* A BO that has several planes of a format is pinned as often. */
int primegpu_fb_pin(struct drm_framebuffer *fb)
{
	int i, ret;

	for (i = 0; i < fb->format->num_planes; i++) {
		ret = primegpu_fb_pin_gem(fb->obj[i]);
		if (ret)
			goto err_unpin;
	}
	return 0;

err_unpin:
	while (i--)
		primegpu_fb_unpin_gem(fb->obj[i]);
	return ret;
}

void primegpu_fb_unpin(struct drm_framebuffer *fb)
{
	int i;

	for (i = 0; i < fb->format->num_planes; i++)
		primegpu_fb_unpin_gem(fb->obj[i]);
}
