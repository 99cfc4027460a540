// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Life of a BO in the hardware: created with its GEM object, open in a client
 * for each handle, attached while it has pages, destroyed with the object.
 */
#include <linux/dma-buf.h>
#include <linux/slab.h>

#include <drm/drm_prime.h>

#include "primegpu_compat.h"
#include "primegpu_internal.h"

/**
 * primegpu_core_bo_init - make the BO of a GEM object
 * @bo: zeroed
 * @gem: the object; its device and size are set
 * @import: the dma-buf that the object imports, or NULL
 *
 * Returns: 0, -ENOSPC when a limit of the hardware is reached, or an error.
 */
int primegpu_core_bo_init(struct primegpu_bo *bo, struct drm_gem_object *gem,
			  struct dma_buf *import)
{
	struct primegpu_device *pgpu = to_primegpu_device(gem->dev);
	int ret;

	bo->gem = gem;
	bo->imported = import;
	bo->exporter_key = import ? primegpu_import_exporter_key(import) : 0;
	spin_lock_init(&bo->client_lock);
	INIT_LIST_HEAD(&bo->clients);
	INIT_LIST_HEAD(&bo->link);
	INIT_LIST_HEAD(&bo->dying_link);

	bo->key = primegpu_cmd_bo_create(pgpu, gem->size, bo->imported,
					 bo->exporter_key, &ret);
	if (ret)
		return ret;
	bo->live = true;
	spin_lock(&pgpu->bo_lock);
	list_add_tail(&bo->link, &pgpu->bos);
	spin_unlock(&pgpu->bo_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(primegpu_core_bo_init);

/**
 * primegpu_core_bo_dying - note that a BO's last reference is gone
 * @bo: the BO
 *
 * For a memory manager that puts a release off: settling waits for it.
 */
void primegpu_core_bo_dying(struct primegpu_bo *bo)
{
	struct primegpu_device *pgpu = to_primegpu_device(bo->gem->dev);

	spin_lock(&pgpu->bo_lock);
	list_add_tail(&bo->dying_link, &pgpu->dying);
	spin_unlock(&pgpu->bo_lock);
}
EXPORT_SYMBOL_GPL(primegpu_core_bo_dying);

/**
 * primegpu_core_bo_release - take a BO from the hardware
 * @bo: the BO, idle and without handles
 *
 * Must come before the pages or the VRAM of the BO are given to others. Does
 * nothing the second time, or if primegpu_core_bo_init() failed.
 */
void primegpu_core_bo_release(struct primegpu_bo *bo)
{
	struct primegpu_device *pgpu = to_primegpu_device(bo->gem->dev);
	bool was_live;
	int ret;

	spin_lock(&pgpu->bo_lock);
	was_live = bo->live;
	bo->live = false;
	spin_unlock(&pgpu->bo_lock);
	if (!was_live)
		return;
	WARN_ON(!list_empty(&bo->clients));
	ret = primegpu_cmd_bo_destroy(bo);
	if (ret && ret != -ENODEV)
		drm_err_ratelimited(bo->gem->dev, "BO 0x%llx: destroy: %d\n",
				    bo->key, ret);
	bo->attached = false;
}
EXPORT_SYMBOL_GPL(primegpu_core_bo_release);

/**
 * primegpu_core_bo_fini - forget a BO
 * @bo: the BO; may have failed to initialize
 */
void primegpu_core_bo_fini(struct primegpu_bo *bo)
{
	struct primegpu_device *pgpu;

	if (!bo->gem)
		return;
	primegpu_core_bo_release(bo);
	pgpu = to_primegpu_device(bo->gem->dev);
	spin_lock(&pgpu->bo_lock);
	list_del_init(&bo->link);
	list_del_init(&bo->dying_link);
	spin_unlock(&pgpu->bo_lock);
	primegpu_settle_note();
}
EXPORT_SYMBOL_GPL(primegpu_core_bo_fini);

/**
 * primegpu_core_bo_attach_sgt - give a BO its pages
 * @bo: the BO, its reservation lock held or not yet shared
 * @sgt: mapped for the device
 *
 * Returns: 0, also when the BO has pages; else nothing is attached.
 */
int primegpu_core_bo_attach_sgt(struct primegpu_bo *bo, struct sg_table *sgt)
{
	int ret;

	if (bo->attached)
		return 0;
	ret = primegpu_cmd_bo_attach_sgt(bo, sgt);
	bo->attached = !ret;
	return ret;
}
EXPORT_SYMBOL_GPL(primegpu_core_bo_attach_sgt);

/**
 * primegpu_core_bo_detach - take a BO's pages back
 * @bo: the BO, idle; may have no pages
 *
 * When this returns the hardware does not touch the pages any more.
 */
void primegpu_core_bo_detach(struct primegpu_bo *bo)
{
	int ret;

	if (!bo->attached)
		return;
	ret = primegpu_cmd_bo_detach(bo);
	if (ret && ret != -ENODEV)
		drm_err_ratelimited(bo->gem->dev, "BO 0x%llx: detach: %d\n",
				    bo->key, ret);
	bo->attached = false;
}
EXPORT_SYMBOL_GPL(primegpu_core_bo_detach);

/**
 * primegpu_core_bo_place_vram - let jobs use a range of VRAM
 * @bo: the BO, idle
 * @offset: of the range in VRAM, in bytes
 *
 * Returns: 0 or an error.
 */
int primegpu_core_bo_place_vram(struct primegpu_bo *bo, u64 offset)
{
	return primegpu_cmd_bo_place(bo, PRIMEGPU_LOCATION_VRAM, offset);
}
EXPORT_SYMBOL_GPL(primegpu_core_bo_place_vram);

/**
 * primegpu_core_bo_place_pages - let jobs use the pages, and leave VRAM
 * @bo: the BO, idle
 *
 * Returns: 0 or an error.
 */
int primegpu_core_bo_place_pages(struct primegpu_bo *bo)
{
	return primegpu_cmd_bo_place(bo, PRIMEGPU_LOCATION_PAGES, 0);
}
EXPORT_SYMBOL_GPL(primegpu_core_bo_place_pages);

/*
 * Undoes the DMA mappings of all BOs of a device that is unplugged: they must
 * not outlive the driver's hold on the device, as objects and dma-bufs may.
 */
void primegpu_bo_unplug_all(struct primegpu_device *pgpu)
{
	struct primegpu_bo *bo;
	LIST_HEAD(done);

	spin_lock(&pgpu->bo_lock);
	while ((bo = list_first_entry_or_null(&pgpu->bos, struct primegpu_bo,
					      link))) {
		list_move_tail(&bo->link, &done);
		/* One that is about to be freed takes care of itself. */
		if (!kref_get_unless_zero(&bo->gem->refcount))
			continue;
		spin_unlock(&pgpu->bo_lock);
		pgpu->backend->unplug(bo->gem);
		drm_gem_object_put(bo->gem);
		spin_lock(&pgpu->bo_lock);
	}
	list_splice(&done, &pgpu->bos);
	spin_unlock(&pgpu->bo_lock);
	primegpu_settle_wait_dying(pgpu);
}

/**
 * primegpu_core_gem_export - &drm_gem_object_funcs.export, static
 * @gem: the object
 * @flags: of the file
 *
 * Returns: the dma-buf or an error.
 */
struct dma_buf *primegpu_core_gem_export(struct drm_gem_object *gem, int flags)
{
	struct primegpu_device *pgpu = to_primegpu_device(gem->dev);
	int ret;

	ret = pgpu->backend->export_begin(gem);
	if (ret)
		return ERR_PTR(ret);
	return drm_gem_prime_export(gem, flags);
}
EXPORT_SYMBOL_GPL(primegpu_core_gem_export);

PRIMEGPU_IMPORT_DMA_BUF_NS;
