// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TTM's view of the discrete GPU: VRAM, pages that the hardware knows (TT),
 * and pages or nothing that it does not (SYSTEM).
 *
 * The order of each change: the hardware leaves a place before TTM may give
 * it to others, and learns of a new one before a job can use it.
 */
#include <linux/workqueue.h>

#include <drm/drm_managed.h>
#include <drm/drm_prime.h>
#include <drm/ttm/ttm_range_manager.h>
#include <drm/ttm/ttm_tt.h>

#include "primegpu_compat.h"
#include "primegpu_discrete.h"

/**
 * struct primegpu_discrete_tt - pages of a BO
 */
struct primegpu_discrete_tt {
	/** @base: TTM's part */
	struct ttm_tt base;
	/** @bo: the BO, which lives longer */
	struct primegpu_discrete_bo *bo;
	/**
	 * @sgt: the pages, mapped for the device while the BO is attached, or
	 * NULL; not for imports. Not left to TTM's pool, which would keep the
	 * mapping when the device goes and the pages have to stay.
	 */
	struct sg_table *sgt;
};

static struct primegpu_discrete_tt *to_primegpu_discrete_tt(struct ttm_tt *tt)
{
	return container_of(tt, struct primegpu_discrete_tt, base);
}

static struct ttm_tt *
primegpu_discrete_tt_create(struct ttm_buffer_object *ttm, u32 page_flags)
{
	struct primegpu_discrete_tt *tt;

	tt = kzalloc(sizeof(*tt), GFP_KERNEL);
	if (!tt)
		return NULL;
	tt->bo = ttm_to_primegpu_discrete_bo(ttm);
	if (ttm_tt_init(&tt->base, ttm, page_flags, ttm_cached, 0)) {
		kfree(tt);
		return NULL;
	}
	return &tt->base;
}

static void primegpu_discrete_tt_destroy(struct ttm_device *bdev,
					 struct ttm_tt *tt)
{
	ttm_tt_fini(tt);
	kfree(to_primegpu_discrete_tt(tt));
}

static int primegpu_discrete_tt_populate(struct ttm_device *bdev,
					 struct ttm_tt *tt,
					 struct ttm_operation_ctx *ctx)
{
	/* A static import's table was mapped when it was imported. */
	if (tt->page_flags & TTM_TT_FLAG_EXTERNAL)
		return 0;
	return ttm_pool_alloc(&bdev->pool, tt, ctx);
}

static void primegpu_discrete_tt_unmap_sgt(struct primegpu_discrete_tt *tt)
{
	if (!tt->sgt)
		return;
	dma_unmap_sgtable(tt->bo->ttm.base.dev->dev, tt->sgt,
			  DMA_BIDIRECTIONAL, 0);
	sg_free_table(tt->sgt);
	kfree(tt->sgt);
	tt->sgt = NULL;
}

/* The hardware must not know the pages any more. */
void primegpu_discrete_tt_unmap(struct primegpu_discrete_bo *bo)
{
	if (bo->ttm.ttm)
		primegpu_discrete_tt_unmap_sgt(to_primegpu_discrete_tt(bo->ttm.ttm));
}

static void primegpu_discrete_tt_unpopulate(struct ttm_device *bdev,
					    struct ttm_tt *tt)
{
	/* The hardware lets go of the pages before the kernel gets them. */
	primegpu_core_bo_detach(&to_primegpu_discrete_tt(tt)->bo->core);
	primegpu_discrete_tt_unmap_sgt(to_primegpu_discrete_tt(tt));
	if (!(tt->page_flags & TTM_TT_FLAG_EXTERNAL))
		ttm_pool_free(&bdev->pool, tt);
}

static void primegpu_discrete_evict_flags(struct ttm_buffer_object *ttm,
					  struct ttm_placement *placement)
{
	static const struct ttm_place pages = { .mem_type = TTM_PL_TT };
	static const struct ttm_place system = { .mem_type = TTM_PL_SYSTEM };

	placement->num_placement = 1;
	placement->placement = ttm->resource->mem_type == TTM_PL_VRAM ?
			       &pages : &system;
}

static struct sg_table *primegpu_discrete_tt_map(struct primegpu_discrete_tt *tt)
{
	struct drm_device *drm = tt->bo->ttm.base.dev;
	struct sg_table *sgt;
	int ret;

	sgt = drm_prime_pages_to_sg(drm, tt->base.pages, tt->base.num_pages);
	if (IS_ERR(sgt))
		return sgt;
	ret = dma_map_sgtable(drm->dev, sgt, DMA_BIDIRECTIONAL, 0);
	if (ret) {
		sg_free_table(sgt);
		kfree(sgt);
		return ERR_PTR(ret);
	}
	return sgt;
}

/* What was mapped before stays mapped with the pages. */
static int primegpu_discrete_attach(struct primegpu_discrete_bo *bo)
{
	struct primegpu_discrete_tt *tt = to_primegpu_discrete_tt(bo->ttm.ttm);
	struct sg_table *sgt = tt->base.sg ?: tt->sgt;

	if (!sgt) {
		sgt = primegpu_discrete_tt_map(tt);
		if (IS_ERR(sgt))
			return PTR_ERR(sgt);
		tt->sgt = sgt;
	}
	return primegpu_core_bo_attach_sgt(&bo->core, sgt);
}

static u64 primegpu_discrete_vram_offset(const struct ttm_resource *res)
{
	return (u64)res->start << PAGE_SHIFT;
}

/* Where the VRAM of a BO is in the BAR */
resource_size_t primegpu_discrete_vram_phys(const struct primegpu_discrete_bo *bo)
{
	return to_primegpu_discrete(bo->ttm.base.dev)->vram_base +
	       primegpu_discrete_vram_offset(bo->ttm.resource);
}

struct iosys_map primegpu_discrete_panic_map(struct drm_gem_object *gem,
					     u64 page)
{
	struct primegpu_discrete_bo *bo = gem_to_primegpu_discrete_bo(gem);
	struct primegpu_discrete *discrete = to_primegpu_discrete(gem->dev);
	const struct ttm_resource *res = bo->ttm.resource;
	struct iosys_map map = {};

	if (res && res->mem_type == TTM_PL_VRAM)
		iosys_map_set_vaddr_iomem(&map, discrete->vram +
					  primegpu_discrete_vram_offset(res) +
					  (page << PAGE_SHIFT));
	else if (bo->ttm.ttm && ttm_tt_is_populated(bo->ttm.ttm))
		iosys_map_set_vaddr(&map, page_address(bo->ttm.ttm->pages[page]));
	return map;
}

/* Tells the hardware that the idle BO is in @res from now on. */
static int primegpu_discrete_enter(struct primegpu_discrete_bo *bo,
				   const struct ttm_resource *res)
{
	const struct ttm_resource *old = bo->ttm.resource;
	bool was_vram = old && old->mem_type == TTM_PL_VRAM;
	int ret;

	switch (res->mem_type) {
	case TTM_PL_VRAM:
		return primegpu_core_bo_place_vram(&bo->core,
						   primegpu_discrete_vram_offset(res));
	case TTM_PL_TT:
		ret = primegpu_discrete_attach(bo);
		if (ret)
			return ret;
		return was_vram ? primegpu_core_bo_place_pages(&bo->core) : 0;
	default:
		return 0;
	}
}

/* Takes the last change back, after the bytes could not be moved. */
static void primegpu_discrete_leave(struct primegpu_discrete_bo *bo,
				    const struct ttm_resource *res)
{
	const struct ttm_resource *old = bo->ttm.resource;

	if (old->mem_type == TTM_PL_VRAM)
		primegpu_core_bo_place_vram(&bo->core,
					    primegpu_discrete_vram_offset(old));
	else if (res->mem_type == TTM_PL_VRAM)
		primegpu_core_bo_place_pages(&bo->core);
}

static int primegpu_discrete_move_bytes(struct ttm_buffer_object *ttm,
					struct ttm_operation_ctx *ctx,
					struct ttm_resource *res)
{
	if (ttm->resource->mem_type != TTM_PL_VRAM &&
	    res->mem_type != TTM_PL_VRAM) {
		/* The pages stay. */
		ttm_bo_move_null(ttm, res);
		return 0;
	}
	return ttm_bo_move_memcpy(ttm, ctx, res);
}

static int primegpu_discrete_move(struct ttm_buffer_object *ttm, bool evict,
				  struct ttm_operation_ctx *ctx,
				  struct ttm_resource *res,
				  struct ttm_place *hop)
{
	struct primegpu_discrete_bo *bo = ttm_to_primegpu_discrete_bo(ttm);
	bool moves_vram = res->mem_type == TTM_PL_VRAM || (ttm->resource &&
			  ttm->resource->mem_type == TTM_PL_VRAM);
	int idx, ret;

	/* The hop is made by ttm_bo_handle_move_mem(): pages it knows first. */
	if (ttm->resource && ttm->resource->mem_type == TTM_PL_VRAM &&
	    res->mem_type == TTM_PL_SYSTEM) {
		*hop = (struct ttm_place) { .mem_type = TTM_PL_TT };
		return -EMULTIHOP;
	}
	if (!ttm->resource && res->mem_type == TTM_PL_SYSTEM) {
		ttm_bo_move_null(ttm, res);
		return 0;
	}
	/*
	 * What has no bytes yet is in no job of ours; the fences of an import
	 * may be jobs of the exporter, which do not keep it from being mapped.
	 * But VRAM is cleared by the CPU, and TTM wants a BO idle for that: a
	 * fence of somebody else's may have come with its dma-buf.
	 */
	if (ttm->resource && (ttm->resource->mem_type != TTM_PL_SYSTEM ||
			      res->mem_type == TTM_PL_VRAM)) {
		ret = ttm_bo_wait_ctx(ttm, ctx);
		if (ret)
			return ret;
	}
	/* From TT to SYSTEM too: pages that are there may be swapped out. */
	primegpu_discrete_export_notify(bo);

	if (!drm_dev_enter(ttm->base.dev, &idx)) {
		if (moves_vram)
			return -ENODEV;
		ttm_bo_move_null(ttm, res);
		return 0;
	}
	ret = primegpu_discrete_enter(bo, res);
	if (!ret) {
		if (!ttm->resource)
			ttm_bo_move_null(ttm, res);
		else
			ret = primegpu_discrete_move_bytes(ttm, ctx, res);
		if (ret)
			primegpu_discrete_leave(bo, res);
	}
	drm_dev_exit(idx);
	return ret;
}

/* Nobody has the BO any more, neither a handle nor a mapping. */
static void primegpu_discrete_release_notify(struct ttm_buffer_object *ttm)
{
	if (ttm->destroy == primegpu_discrete_bo_destroy)
		primegpu_core_bo_dying(&ttm_to_primegpu_discrete_bo(ttm)->core);
}

/* The BO, reserved and idle, is about to lose its pages or VRAM for good. */
static void primegpu_discrete_delete_mem_notify(struct ttm_buffer_object *ttm)
{
	struct primegpu_bo *bo = &ttm_to_primegpu_discrete_bo(ttm)->core;

	if (ttm->destroy != primegpu_discrete_bo_destroy)
		return;
	primegpu_core_bo_release(bo);
	primegpu_core_import_unmap(bo);
}

static int primegpu_discrete_io_mem_reserve(struct ttm_device *bdev,
					    struct ttm_resource *res)
{
	struct primegpu_discrete *discrete =
		container_of(bdev, struct primegpu_discrete, ttm);

	if (res->mem_type != TTM_PL_VRAM)
		return 0;
	res->bus.offset = discrete->vram_base +
			  primegpu_discrete_vram_offset(res);
	res->bus.is_iomem = true;
	res->bus.caching = ttm_write_combined;
	return 0;
}

static struct ttm_device_funcs primegpu_discrete_ttm_funcs = {
	.ttm_tt_create = primegpu_discrete_tt_create,
	.ttm_tt_populate = primegpu_discrete_tt_populate,
	.ttm_tt_unpopulate = primegpu_discrete_tt_unpopulate,
	.ttm_tt_destroy = primegpu_discrete_tt_destroy,
	.eviction_valuable = ttm_bo_eviction_valuable,
	.evict_flags = primegpu_discrete_evict_flags,
	.move = primegpu_discrete_move,
	.release_notify = primegpu_discrete_release_notify,
	.delete_mem_notify = primegpu_discrete_delete_mem_notify,
	.io_mem_reserve = primegpu_discrete_io_mem_reserve,
};

int primegpu_discrete_ttm_evict(struct primegpu_device *pgpu)
{
	struct primegpu_discrete *discrete = to_primegpu_discrete(&pgpu->drm);

	return ttm_resource_manager_evict_all(&discrete->ttm,
					      ttm_manager_type(&discrete->ttm,
							       TTM_PL_VRAM));
}

static void primegpu_discrete_ttm_fini(struct drm_device *drm, void *data)
{
	ttm_device_fini(data);
}

static void primegpu_discrete_vram_fini(struct drm_device *drm, void *data)
{
	ttm_range_man_fini(data, TTM_PL_VRAM);
}

static void primegpu_discrete_tt_fini(struct drm_device *drm, void *data)
{
	struct ttm_device *bdev = data;

	/* Imports are freed by a worker; the managers must be empty. */
	drain_workqueue(bdev->wq);
	ttm_range_man_fini(bdev, TTM_PL_TT);
}

int primegpu_discrete_ttm_init(struct primegpu_discrete *discrete)
{
	struct drm_device *drm = &discrete->core.drm;
	struct ttm_device *bdev = &discrete->ttm;
	int ret;

	ret = primegpu_ttm_device_init(bdev, &primegpu_discrete_ttm_funcs,
				       drm->dev, drm->anon_inode->i_mapping,
				       drm->vma_offset_manager);
	if (ret)
		return ret;
	ret = drmm_add_action_or_reset(drm, primegpu_discrete_ttm_fini, bdev);
	if (ret)
		return ret;

	ret = ttm_range_man_init(bdev, TTM_PL_VRAM, false,
				 discrete->core.vram_size >> PAGE_SHIFT);
	if (ret)
		return ret;
	ret = drmm_add_action_or_reset(drm, primegpu_discrete_vram_fini, bdev);
	if (ret)
		return ret;

	/* The hardware has no table of pages that could run full. */
	ret = ttm_range_man_init(bdev, TTM_PL_TT, true,
				 discrete->core.bytes_max >> PAGE_SHIFT);
	if (ret)
		return ret;
	return drmm_add_action_or_reset(drm, primegpu_discrete_tt_fini, bdev);
}
