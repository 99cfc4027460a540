// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dynamic exports of the discrete GPU: importers that can be told of a move do
 * not pin, and those that can reach it use VRAM in place, through the BAR.
 * Static exports are DRM core's.
 */
#include <linux/dma-buf.h>
#include <linux/module.h>
#include <linux/pci-p2pdma.h>
#include <linux/sizes.h>

#include <drm/drm_prime.h>

#include "primegpu_compat.h"
#include "primegpu_discrete.h"

/* Length of an entry of a scatter table, whose type has 32 bits */
#define PRIMEGPU_DISCRETE_SG_BYTES	SZ_1G

static bool dynamic = true;
module_param(dynamic, bool, 0644);
MODULE_PARM_DESC(dynamic, "Make dynamic exports and imports from now on");

static bool p2p = true;
module_param(p2p, bool, 0644);
MODULE_PARM_DESC(p2p,
		 "Let importers that attach from now on use VRAM in place, and imports the VRAM of others; dynamic ones only");

static int primegpu_discrete_export_attach(struct dma_buf *dmabuf,
					   struct dma_buf_attachment *attach)
{
	struct drm_gem_object *gem = dmabuf->priv;
	struct pci_dev *pdev = to_pci_dev(gem->dev->dev);

	if (!attach->peer2peer)
		return 0;
	attach->peer2peer = READ_ONCE(p2p) &&
			    pci_p2pdma_distance(pdev, attach->dev, false) >= 0;
	return 0;
}

/* In VRAM too, if all importers can reach it */
static int primegpu_discrete_export_pin(struct dma_buf_attachment *attach)
{
	struct drm_gem_object *gem = attach->dmabuf->priv;

	if (primegpu_discrete_export_needs_pages(gem_to_primegpu_discrete_bo(gem)))
		return gem->funcs->pin(gem);
	return primegpu_discrete_gem_pin_here(gem);
}

static void primegpu_discrete_export_unpin(struct dma_buf_attachment *attach)
{
	struct drm_gem_object *gem = attach->dmabuf->priv;

	gem->funcs->unpin(gem);
}

/* One range of bus addresses, in as many entries as it needs */
static int primegpu_discrete_export_fill(struct sg_table *sgt, dma_addr_t addr,
					 u64 size)
{
	struct scatterlist *sg;
	int i, ret;

	ret = sg_alloc_table(sgt,
			     DIV_ROUND_UP_ULL(size, PRIMEGPU_DISCRETE_SG_BYTES),
			     GFP_KERNEL);
	if (ret)
		return ret;
	for_each_sgtable_sg(sgt, sg, i) {
		u64 length = min_t(u64, size, PRIMEGPU_DISCRETE_SG_BYTES);

		/* There are no pages, only bus addresses. */
		sg_set_page(sg, NULL, length, 0);
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = length;
		addr += length;
		size -= length;
	}
	return 0;
}

static struct sg_table *
primegpu_discrete_export_map_vram(struct dma_buf_attachment *attach,
				  enum dma_data_direction dir)
{
	struct drm_gem_object *gem = attach->dmabuf->priv;
	struct primegpu_discrete_bo *bo = gem_to_primegpu_discrete_bo(gem);
	struct sg_table *sgt;
	dma_addr_t addr;
	int ret;

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	addr = dma_map_resource(attach->dev, primegpu_discrete_vram_phys(bo),
				gem->size, dir, DMA_ATTR_SKIP_CPU_SYNC);
	ret = dma_mapping_error(attach->dev, addr);
	if (ret)
		goto err_free_sgt;
	ret = primegpu_discrete_export_fill(sgt, addr, gem->size);
	if (ret)
		goto err_unmap;
	return sgt;

err_unmap:
	dma_unmap_resource(attach->dev, addr, gem->size, dir,
			   DMA_ATTR_SKIP_CPU_SYNC);
err_free_sgt:
	kfree(sgt);
	return ERR_PTR(ret);
}

/* Called with the reservation, as are pin and unmap */
static struct sg_table *
primegpu_discrete_export_map(struct dma_buf_attachment *attach,
			     enum dma_data_direction dir)
{
	struct drm_gem_object *gem = attach->dmabuf->priv;
	struct primegpu_discrete_bo *bo = gem_to_primegpu_discrete_bo(gem);
	struct sg_table *sgt = ERR_PTR(-ENODEV);
	int idx, ret = 0;

	if (!attach->peer2peer)
		ret = primegpu_discrete_bo_validate(bo, PRIMEGPU_PLACE_PAGES);
	else if (!primegpu_discrete_bo_has_backing(bo))
		ret = primegpu_discrete_bo_validate(bo, bo->core.placements);
	if (ret)
		return ERR_PTR(ret);
	if (bo->ttm.resource->mem_type != TTM_PL_VRAM)
		return drm_gem_map_dma_buf(attach, dir);
	/* It is shown from there. */
	if (!attach->peer2peer)
		return ERR_PTR(-EBUSY);

	/* VRAM goes with its device, pages do not. */
	if (drm_dev_enter(gem->dev, &idx)) {
		sgt = primegpu_discrete_export_map_vram(attach, dir);
		drm_dev_exit(idx);
	}
	return sgt;
}

static void primegpu_discrete_export_unmap(struct dma_buf_attachment *attach,
					   struct sg_table *sgt,
					   enum dma_data_direction dir)
{
	/* By what it was when it was mapped, not by where the BO is now */
	if (sg_page(sgt->sgl)) {
		drm_gem_unmap_dma_buf(attach, sgt, dir);
		return;
	}
	dma_unmap_resource(attach->dev, sg_dma_address(sgt->sgl),
			   attach->dmabuf->size, dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(sgt);
	kfree(sgt);
}

static void primegpu_discrete_export_release(struct dma_buf *dmabuf)
{
	struct drm_gem_object *gem = dmabuf->priv;
	struct primegpu_discrete_bo *bo = gem_to_primegpu_discrete_bo(gem);

	dma_resv_lock(gem->resv, NULL);
	if (bo->exported == dmabuf)
		bo->exported = NULL;
	dma_resv_unlock(gem->resv);
	drm_gem_dmabuf_release(dmabuf);
}

/* Memory is coherent, and dma-buf waits for fences: no CPU access hooks. */
static const struct dma_buf_ops primegpu_discrete_export_ops = {
	.attach = primegpu_discrete_export_attach,
	.pin = primegpu_discrete_export_pin,
	.unpin = primegpu_discrete_export_unpin,
	.map_dma_buf = primegpu_discrete_export_map,
	.unmap_dma_buf = primegpu_discrete_export_unmap,
	.release = primegpu_discrete_export_release,
	.mmap = drm_gem_dmabuf_mmap,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
};

/* &drm_gem_object_funcs.export */
struct dma_buf *primegpu_discrete_export(struct drm_gem_object *gem, int flags)
{
	struct primegpu_discrete_bo *bo = gem_to_primegpu_discrete_bo(gem);
	struct dma_buf_export_info info = {
		.exp_name = KBUILD_MODNAME,
		.owner = gem->dev->driver->fops->owner,
		.ops = &primegpu_discrete_export_ops,
		.size = gem->size,
		.flags = flags,
		.priv = gem,
		.resv = gem->resv,
	};
	struct dma_buf *dmabuf;

	if (!READ_ONCE(dynamic))
		return primegpu_core_gem_export(gem, flags);
	dmabuf = drm_gem_dmabuf_export(gem->dev, &info);
	if (!IS_ERR(dmabuf)) {
		dma_resv_lock(gem->resv, NULL);
		bo->exported = dmabuf;
		dma_resv_unlock(gem->resv);
	}
	return dmabuf;
}

/* Tells importers that the bytes will move. Called with the reservation. */
void primegpu_discrete_export_notify(struct primegpu_discrete_bo *bo)
{
	if (bo->exported)
		primegpu_dma_buf_move_notify(bo->exported);
}

/*
 * Does an importer need pages? One that cannot reach VRAM would take the BO
 * out of it with each use. Called with the reservation.
 */
bool primegpu_discrete_export_needs_pages(struct primegpu_discrete_bo *bo)
{
	struct dma_buf_attachment *attach;

	if (!bo->exported)
		return false;
	list_for_each_entry(attach, &bo->exported->attachments, node)
		if (!attach->peer2peer)
			return true;
	return false;
}

/* &drm_driver.gem_prime_import */
struct drm_gem_object *primegpu_discrete_prime_import(struct drm_device *drm,
						      struct dma_buf *dmabuf)
{
	return primegpu_core_prime_import(drm, dmabuf, READ_ONCE(dynamic),
					  READ_ONCE(p2p));
}
