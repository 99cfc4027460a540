// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Imports of dma-bufs. A static one is made by DRM core's helper and keeps its
 * exporter's pages pinned. A dynamic one, made here, is mapped when a job uses
 * it and gives its mapping up when the exporter moves the bytes.
 *
 * A dynamic mapping, and what the hardware knows of it, are under the
 * reservation lock that importer and exporter have in common.
 */
#include <linux/dma-buf.h>

#include <drm/drm_prime.h>

#include "primegpu_compat.h"
#include "primegpu_internal.h"

/* The primegpu object that a dma-buf exports, or NULL */
static struct drm_gem_object *primegpu_import_ours(struct dma_buf *dmabuf)
{
	struct drm_gem_object *gem;

	/* Whoever uses this helper exports a GEM object. */
	if (dmabuf->ops->mmap != drm_gem_dmabuf_mmap)
		return NULL;
	gem = dmabuf->priv;
	return gem->dev->driver->open == primegpu_core_open ? gem : NULL;
}

/* Key of the BO that a dma-buf exports, 0 if it is none of ours */
u64 primegpu_import_exporter_key(struct dma_buf *dmabuf)
{
	struct drm_gem_object *gem = primegpu_import_ours(dmabuf);

	return gem ? to_primegpu_bo(gem)->key : 0;
}

/*
 * Gives a dynamic import its bytes, where they are now, until the exporter
 * moves them. Static imports have theirs. Called with the reservation.
 */
int primegpu_import_map(struct primegpu_bo *bo)
{
	struct dma_buf_attachment *attach = bo->gem->import_attach;
	struct sg_table *sgt;
	int idx, ret;

	/* An attachment without operations is static. */
	if (!attach->importer_ops || bo->import_sgt)
		return 0;
	if (!drm_dev_enter(bo->gem->dev, &idx))
		return -ENODEV;
	sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	ret = PTR_ERR_OR_ZERO(sgt);
	if (!ret) {
		ret = primegpu_core_bo_attach_sgt(bo, sgt);
		if (ret)
			dma_buf_unmap_attachment(attach, sgt,
						 DMA_BIDIRECTIONAL);
		else
			bo->import_sgt = sgt;
	}
	drm_dev_exit(idx);
	return ret;
}

/*
 * Makes an import stay where it is, with its bytes, to be shown. Called with
 * the reservation.
 */
int primegpu_import_pin(struct primegpu_bo *bo)
{
	struct dma_buf_attachment *attach = bo->gem->import_attach;
	int ret;

	/* The device was unplugged. */
	if (!attach)
		return -ENODEV;
	/* What is static was pinned when it was attached. */
	if (!attach->importer_ops)
		return 0;
	ret = dma_buf_pin(attach);
	if (ret)
		return ret;
	ret = primegpu_import_map(bo);
	if (ret)
		dma_buf_unpin(attach);
	return ret;
}

void primegpu_import_unpin(struct primegpu_bo *bo)
{
	struct dma_buf_attachment *attach = bo->gem->import_attach;

	if (attach && attach->importer_ops)
		dma_buf_unpin(attach);
}

/**
 * primegpu_core_import_unmap - give the mapping of a dynamic import up
 * @bo: the BO, idle, its reservation lock held; any BO
 */
void primegpu_core_import_unmap(struct primegpu_bo *bo)
{
	if (!bo->import_sgt)
		return;
	/* The hardware lets go of the bytes before the exporter gets them. */
	primegpu_core_bo_detach(bo);
	dma_buf_unmap_attachment(bo->gem->import_attach, bo->import_sgt,
				 DMA_BIDIRECTIONAL);
	bo->import_sgt = NULL;
}
EXPORT_SYMBOL_GPL(primegpu_core_import_unmap);

/**
 * primegpu_core_import_orphan - free the attachment of an import
 * @bo: an import of a device that was unplugged
 * @sgt: its table if it is static, or NULL; of no use any more
 *
 * The object lives on with its dma-buf, and is not attached any more. Whoever
 * looks at &drm_gem_object.import_attach has entered the device before.
 */
void primegpu_core_import_orphan(struct primegpu_bo *bo, struct sg_table *sgt)
{
	struct drm_gem_object *gem = bo->gem;

	dma_resv_lock(gem->resv, NULL);
	primegpu_core_bo_detach(bo);
	primegpu_core_import_unmap(bo);
	dma_resv_unlock(gem->resv);
	if (!gem->import_attach)
		return;
	bo->orphaned = gem->import_attach->dmabuf;
	get_dma_buf(bo->orphaned);
	drm_prime_gem_destroy(gem, sgt);
	gem->import_attach = NULL;
}
EXPORT_SYMBOL_GPL(primegpu_core_import_orphan);

/* The exporter is about to move the bytes; it holds the reservation. */
static void primegpu_import_move_notify(struct dma_buf_attachment *attach)
{
	struct primegpu_bo *bo = attach->importer_priv;

	/* What is not an object yet is not mapped. */
	if (!bo)
		return;
	/* An exporter may have left it to us to wait for our jobs. */
	dma_resv_wait_timeout(attach->dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP,
			      false, MAX_SCHEDULE_TIMEOUT);
	primegpu_cmd_hide(bo);
	primegpu_core_import_unmap(bo);
}

static const struct dma_buf_attach_ops primegpu_import_ops = {
	.primegpu_move_notify = primegpu_import_move_notify,
};

static const struct dma_buf_attach_ops primegpu_import_peer_ops = {
	.allow_peer2peer = true,
	.primegpu_move_notify = primegpu_import_move_notify,
};

/* From here on the object frees the attachment. */
static int primegpu_import_adopt(struct drm_gem_object *gem,
				 struct dma_buf_attachment *attach)
{
	struct primegpu_bo *bo = to_primegpu_bo(gem);
	int ret = 0;

	gem->import_attach = attach;
	gem->resv = attach->dmabuf->resv;
	dma_resv_lock(gem->resv, NULL);
	attach->importer_priv = bo;
	/* What a static exporter has mapped for us stays. */
	if (!dma_buf_is_dynamic(attach->dmabuf))
		ret = primegpu_import_map(bo);
	dma_resv_unlock(gem->resv);
	return ret;
}

static struct drm_gem_object *
primegpu_import_dynamic(struct drm_device *drm, struct dma_buf *dmabuf,
			const struct dma_buf_attach_ops *ops)
{
	struct dma_buf_attachment *attach;
	struct drm_gem_object *gem;
	int ret;

	attach = dma_buf_dynamic_attach(dmabuf, drm->dev, ops, NULL);
	if (IS_ERR(attach))
		return ERR_CAST(attach);
	get_dma_buf(dmabuf);
	gem = drm->driver->gem_prime_import_sg_table(drm, attach, NULL);
	if (IS_ERR(gem)) {
		dma_buf_detach(dmabuf, attach);
		dma_buf_put(dmabuf);
		return gem;
	}
	ret = primegpu_import_adopt(gem, attach);
	if (ret) {
		drm_gem_object_put(gem);
		return ERR_PTR(ret);
	}
	return gem;
}

/**
 * primegpu_core_prime_import - &drm_driver.gem_prime_import of both drivers
 * @drm: the device
 * @dmabuf: what to import
 * @dynamic: let the exporter move the bytes while they are not in use
 * @peer: let the exporter offer memory of its own; not if static
 *
 * Dynamic imports use &drm_driver.gem_prime_import_sg_table too, without a
 * table: such an object gets its bytes later.
 *
 * Returns: the object or an error.
 */
struct drm_gem_object *primegpu_core_prime_import(struct drm_device *drm,
						  struct dma_buf *dmabuf,
						  bool dynamic, bool peer)
{
	struct drm_gem_object *gem = primegpu_import_ours(dmabuf);
	bool own = gem && gem->dev == drm;
	int idx;

	/* The helper knows no exports but its own, which are static. */
	if (own && dma_buf_is_dynamic(dmabuf)) {
		drm_gem_object_get(gem);
		return gem;
	}
	if (!drm_dev_enter(drm, &idx))
		return ERR_PTR(-ENODEV);
	if (own || !dynamic)
		gem = drm_gem_prime_import(drm, dmabuf);
	else
		gem = primegpu_import_dynamic(drm, dmabuf, peer ?
					      &primegpu_import_peer_ops :
					      &primegpu_import_ops);
	drm_dev_exit(idx);
	return gem;
}
EXPORT_SYMBOL_GPL(primegpu_core_prime_import);
