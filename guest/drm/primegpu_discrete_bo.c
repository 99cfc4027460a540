// SPDX-License-Identifier: GPL-2.0-or-later
/* GEM objects of the discrete GPU, on TTM. */
#include <linux/dma-buf.h>
#include <linux/slab.h>

#include <drm/drm_gem_ttm_helper.h>
#include <drm/drm_prime.h>
#include <drm/ttm/ttm_tt.h>

#include "primegpu_abi.h"
#include "primegpu_compat.h"
#include "primegpu_discrete.h"

/*
 * Moves the BO, whose reservation is held, to where it may be. One that may be
 * in VRAM goes there, even if others have to leave; pages are the way out.
 */
int primegpu_discrete_bo_validate(struct primegpu_discrete_bo *bo,
				  u32 placements)
{
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct ttm_placement placement = {};
	struct ttm_place places[2] = {};
	unsigned int count = 0;

	/* A pinned BO stays, and an import is where its exporter says. */
	if (bo->ttm.pin_count || bo->core.imported)
		return 0;
	if (placements & PRIMEGPU_PLACE_VRAM)
		places[count++].mem_type = TTM_PL_VRAM;
	if (placements & PRIMEGPU_PLACE_PAGES) {
		if (count)
			places[count].flags = TTM_PL_FLAG_FALLBACK;
		places[count++].mem_type = TTM_PL_TT;
	}
	placement.placement = places;
	placement.num_placement = count;
	return ttm_bo_validate(&bo->ttm, &placement, &ctx);
}

static int primegpu_discrete_gem_validate(struct drm_gem_object *gem)
{
	struct primegpu_discrete_bo *bo = gem_to_primegpu_discrete_bo(gem);
	u32 placements = bo->core.placements;

	if (placements & PRIMEGPU_PLACE_PAGES &&
	    primegpu_discrete_export_needs_pages(bo))
		placements = PRIMEGPU_PLACE_PAGES;
	return primegpu_discrete_bo_validate(bo, placements);
}

/* Called with the reservation */
bool primegpu_discrete_bo_has_backing(const struct primegpu_discrete_bo *bo)
{
	return bo->ttm.resource && bo->ttm.resource->mem_type != TTM_PL_SYSTEM;
}

/*
 * A static importer will want pages, so a BO without backing gets them now;
 * one in VRAM stays there until somebody attaches.
 */
static int primegpu_discrete_export_begin(struct drm_gem_object *gem)
{
	struct primegpu_discrete_bo *bo = gem_to_primegpu_discrete_bo(gem);
	int ret;

	ret = dma_resv_lock_interruptible(gem->resv, NULL);
	if (ret)
		return ret;
	if (!primegpu_discrete_bo_has_backing(bo))
		ret = primegpu_discrete_bo_validate(bo, PRIMEGPU_PLACE_PAGES);
	dma_resv_unlock(gem->resv);
	return ret;
}

static int primegpu_discrete_gem_place(struct drm_gem_object *gem,
				       u32 placements)
{
	struct primegpu_discrete_bo *bo = gem_to_primegpu_discrete_bo(gem);
	int ret;

	ret = dma_resv_lock_interruptible(gem->resv, NULL);
	if (ret)
		return ret;
	if (bo->ttm.pin_count && !(placements & PRIMEGPU_PLACE_PAGES))
		ret = -EBUSY;
	else
		ret = primegpu_discrete_bo_validate(bo, placements);
	if (!ret)
		bo->core.placements = placements;
	dma_resv_unlock(gem->resv);
	/* The only room that can be short is VRAM. */
	if (ret == -ENOMEM && placements == PRIMEGPU_PLACE_VRAM)
		return -ENOSPC;
	return ret;
}

static u32 primegpu_discrete_gem_placement(struct drm_gem_object *gem)
{
	struct primegpu_discrete_bo *bo = gem_to_primegpu_discrete_bo(gem);

	if (bo->ttm.resource && bo->ttm.resource->mem_type == TTM_PL_VRAM)
		return PRIMEGPU_PLACE_VRAM;
	return bo->core.attached ? PRIMEGPU_PLACE_PAGES : 0;
}

static void primegpu_discrete_gem_free(struct drm_gem_object *gem)
{
	primegpu_ttm_bo_release(&gem_to_primegpu_discrete_bo(gem)->ttm);
}

/* TTM's last call: the BO has neither pages nor VRAM any more. */
void primegpu_discrete_bo_destroy(struct ttm_buffer_object *ttm)
{
	struct primegpu_discrete_bo *bo = ttm_to_primegpu_discrete_bo(ttm);
	struct drm_gem_object *gem = &ttm->base;

	if (gem->import_attach)
		drm_prime_gem_destroy(gem, ttm->sg);
	if (bo->core.orphaned)
		dma_buf_put(bo->core.orphaned);
	/* Settling goes on to the exporter when it sees that this is done. */
	primegpu_core_bo_fini(&bo->core);
	drm_gem_object_release(gem);
	kfree(bo);
}

/*
 * Who reserves a BO as any other object, and not by TTM's own calls, has to
 * tell TTM that it cannot be evicted, or can be again.
 */
static void primegpu_discrete_bo_pin(struct primegpu_discrete_bo *bo)
{
	ttm_bo_pin(&bo->ttm);
	ttm_bo_move_to_lru_tail_unlocked(&bo->ttm);
}

static void primegpu_discrete_gem_unpin(struct drm_gem_object *gem)
{
	struct primegpu_discrete_bo *bo = gem_to_primegpu_discrete_bo(gem);

	ttm_bo_unpin(&bo->ttm);
	ttm_bo_move_to_lru_tail_unlocked(&bo->ttm);
}

/*
 * Static importers need pages that stay. A BO that is shown from VRAM cannot
 * have them meanwhile. Called with the reservation.
 */
static int primegpu_discrete_gem_pin(struct drm_gem_object *gem)
{
	struct primegpu_discrete_bo *bo = gem_to_primegpu_discrete_bo(gem);
	int ret;

	ret = primegpu_discrete_bo_validate(bo, PRIMEGPU_PLACE_PAGES);
	if (ret)
		return ret;
	if (bo->ttm.resource->mem_type == TTM_PL_VRAM)
		return -EBUSY;
	primegpu_discrete_bo_pin(bo);
	return 0;
}

/* The BO stays where it may be, for those who can use it anywhere. */
int primegpu_discrete_gem_pin_here(struct drm_gem_object *gem)
{
	struct primegpu_discrete_bo *bo = gem_to_primegpu_discrete_bo(gem);
	int ret;

	ret = primegpu_discrete_gem_validate(gem);
	if (!ret)
		primegpu_discrete_bo_pin(bo);
	return ret;
}

static struct sg_table *
primegpu_discrete_gem_get_sg_table(struct drm_gem_object *gem)
{
	struct ttm_tt *tt = gem_to_primegpu_discrete_bo(gem)->ttm.ttm;

	return drm_prime_pages_to_sg(gem->dev, tt->pages, tt->num_pages);
}

/* The kernel maps VRAM as I/O memory, but only what has to be there. */
static int primegpu_discrete_gem_pin_cpu(struct drm_gem_object *gem)
{
	struct primegpu_discrete_bo *bo = gem_to_primegpu_discrete_bo(gem);

	if (!bo->ttm.pin_count)
		return primegpu_discrete_gem_pin(gem);
	primegpu_discrete_bo_pin(bo);
	return 0;
}

static int primegpu_discrete_gem_vmap(struct drm_gem_object *gem,
				      struct iosys_map *map)
{
	int ret;

	if (gem->import_attach)
		return dma_buf_vmap(gem->import_attach->dmabuf, map);
	if (gem_to_primegpu_discrete_bo(gem)->core.imported)
		return -ENODEV;
	ret = primegpu_discrete_gem_pin_cpu(gem);
	if (ret)
		return ret;
	ret = drm_gem_ttm_vmap(gem, map);
	if (ret)
		primegpu_discrete_gem_unpin(gem);
	return ret;
}

static void primegpu_discrete_gem_vunmap(struct drm_gem_object *gem,
					 struct iosys_map *map)
{
	if (gem->import_attach) {
		dma_buf_vunmap(gem->import_attach->dmabuf, map);
		return;
	}
	drm_gem_ttm_vunmap(gem, map);
	primegpu_discrete_gem_unpin(gem);
}

static int primegpu_discrete_gem_mmap(struct drm_gem_object *gem,
				      struct vm_area_struct *vma)
{
	int idx, ret;

	if (!gem_to_primegpu_discrete_bo(gem)->core.imported)
		return drm_gem_ttm_mmap(gem, vma);
	if (!drm_dev_enter(gem->dev, &idx))
		return -ENODEV;

	/* The exporter maps its own pages; it may set these, or may not. */
	vma->vm_private_data = NULL;
	vma->vm_ops = NULL;
	/* Not gem->dma_buf: that goes with the last handle. */
	ret = dma_buf_mmap(gem->import_attach->dmabuf, vma, 0);
	drm_dev_exit(idx);
	/* The mapping holds the dma-buf and not this object. */
	if (!ret)
		drm_gem_object_put(gem);
	return ret;
}

static vm_fault_t primegpu_discrete_fault_backed(struct vm_fault *vmf,
						 struct primegpu_discrete_bo *bo)
{
	int ret = 0;

	if (!primegpu_discrete_bo_has_backing(bo))
		ret = primegpu_discrete_gem_validate(&bo->ttm.base);
	switch (ret) {
	case 0:
		return ttm_bo_vm_fault_reserved(vmf, vmf->vma->vm_page_prot,
						TTM_BO_VM_NUM_PREFAULT);
	case -EBUSY:
	case -EINTR:
	case -ERESTARTSYS:
		return VM_FAULT_NOPAGE;
	case -ENOMEM:
		return VM_FAULT_OOM;
	default:
		return VM_FAULT_SIGBUS;
	}
}

static vm_fault_t primegpu_discrete_fault(struct vm_fault *vmf)
{
	struct ttm_buffer_object *ttm = vmf->vma->vm_private_data;
	vm_fault_t ret;
	int idx;

	ret = ttm_bo_vm_reserve(ttm, vmf);
	if (ret)
		return ret;
	if (drm_dev_enter(ttm->base.dev, &idx)) {
		ret = primegpu_discrete_fault_backed(vmf,
						     ttm_to_primegpu_discrete_bo(ttm));
		drm_dev_exit(idx);
	} else {
		ret = ttm_bo_vm_dummy_page(vmf, vmf->vma->vm_page_prot);
	}
	/* TTM has given the lock back in this case. */
	if (ret == VM_FAULT_RETRY && !(vmf->flags & FAULT_FLAG_RETRY_NOWAIT))
		return ret;
	dma_resv_unlock(ttm->base.resv);
	return ret;
}

/* For debuggers, which may look at VRAM only as long as it is there */
static int primegpu_discrete_access(struct vm_area_struct *vma,
				    unsigned long addr, void *buf, int len,
				    int write)
{
	struct ttm_buffer_object *ttm = vma->vm_private_data;
	int idx, ret;

	if (!drm_dev_enter(ttm->base.dev, &idx))
		return -ENODEV;
	ret = ttm_bo_vm_access(vma, addr, buf, len, write);
	drm_dev_exit(idx);
	return ret;
}

static const struct vm_operations_struct primegpu_discrete_vm_ops = {
	.fault = primegpu_discrete_fault,
	.open = ttm_bo_vm_open,
	.close = ttm_bo_vm_close,
	.access = primegpu_discrete_access,
};

static const struct drm_gem_object_funcs primegpu_discrete_gem_funcs = {
	.free = primegpu_discrete_gem_free,
	.open = primegpu_core_gem_open,
	.close = primegpu_core_gem_close,
	.print_info = drm_gem_ttm_print_info,
	.export = primegpu_discrete_export,
	.pin = primegpu_discrete_gem_pin,
	.unpin = primegpu_discrete_gem_unpin,
	.get_sg_table = primegpu_discrete_gem_get_sg_table,
	.vmap = primegpu_discrete_gem_vmap,
	.vunmap = primegpu_discrete_gem_vunmap,
	.mmap = primegpu_discrete_gem_mmap,
	.vm_ops = &primegpu_discrete_vm_ops,
};

/* The object before TTM has it */
static struct primegpu_discrete_bo *
primegpu_discrete_bo_alloc(struct drm_device *drm, size_t size,
			   struct dma_buf *import)
{
	struct primegpu_discrete_bo *bo;
	int ret;

	bo = kzalloc(sizeof(*bo), GFP_KERNEL);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->ttm.base.funcs = &primegpu_discrete_gem_funcs;
	drm_gem_private_object_init(drm, &bo->ttm.base, size);
	ret = primegpu_core_bo_init(&bo->core, &bo->ttm.base, import);
	if (ret) {
		drm_gem_private_object_fini(&bo->ttm.base);
		kfree(bo);
		return ERR_PTR(ret);
	}
	return bo;
}

static struct drm_gem_object *
primegpu_discrete_gem_create(struct primegpu_device *pgpu, size_t size,
			     u32 placements)
{
	/* No pages: they come with the first use. */
	struct ttm_place place = { .mem_type = TTM_PL_SYSTEM };
	struct ttm_placement placement = {
		.num_placement = 1,
		.placement = &place,
	};
	struct primegpu_discrete_bo *bo;
	int ret;

	if (placements == PRIMEGPU_PLACE_VRAM && size > pgpu->vram_size)
		return ERR_PTR(-ENOSPC);
	bo = primegpu_discrete_bo_alloc(&pgpu->drm, size, NULL);
	if (IS_ERR(bo))
		return ERR_CAST(bo);
	bo->core.placements = placements;
	/* On an error TTM has called destroy. */
	ret = ttm_bo_init_validate(&to_primegpu_discrete(&pgpu->drm)->ttm,
				   &bo->ttm, ttm_bo_type_device, &placement, 0,
				   true, NULL, NULL,
				   primegpu_discrete_bo_destroy);
	return ret ? ERR_PTR(ret) : &bo->ttm.base;
}

/*
 * The bytes of a static import come with it, in @sgt. Those of a dynamic one
 * come and go, and are the core's concern: for TTM it has none.
 */
struct drm_gem_object *
primegpu_discrete_prime_import_sg_table(struct drm_device *drm,
					struct dma_buf_attachment *attach,
					struct sg_table *sgt)
{
	struct ttm_place place = {
		.mem_type = sgt ? TTM_PL_TT : TTM_PL_SYSTEM,
	};
	struct ttm_placement placement = {
		.num_placement = 1,
		.placement = &place,
	};
	struct dma_resv *resv = attach->dmabuf->resv;
	struct primegpu_discrete_bo *bo;
	int ret;

	bo = primegpu_discrete_bo_alloc(drm, PAGE_ALIGN(attach->dmabuf->size),
					attach->dmabuf);
	if (IS_ERR(bo))
		return ERR_CAST(bo);
	bo->core.placements = PRIMEGPU_PLACE_PAGES;
	dma_resv_lock(resv, NULL);
	ret = ttm_bo_init_validate(&to_primegpu_discrete(drm)->ttm, &bo->ttm,
				   ttm_bo_type_sg, &placement, 0, true, sgt,
				   resv, primegpu_discrete_bo_destroy);
	if (ret) {
		/* TTM destroys it later, when it gets the lock. */
		get_dma_buf(attach->dmabuf);
		bo->core.orphaned = attach->dmabuf;
	}
	dma_resv_unlock(resv);
	return ret ? ERR_PTR(ret) : &bo->ttm.base;
}

/* What the CPU has mapped is unmapped by DRM core, faults get a dummy page. */
static void primegpu_discrete_gem_unplug(struct drm_gem_object *gem)
{
	struct primegpu_discrete_bo *bo = gem_to_primegpu_discrete_bo(gem);

	if (bo->core.imported) {
		primegpu_core_import_orphan(&bo->core, bo->ttm.sg);
		return;
	}
	dma_resv_lock(gem->resv, NULL);
	primegpu_core_bo_detach(&bo->core);
	if (bo->ttm.resource && bo->ttm.resource->mem_type == TTM_PL_VRAM)
		primegpu_discrete_export_notify(bo);
	primegpu_discrete_tt_unmap(bo);
	dma_resv_unlock(gem->resv);
}

static struct primegpu_bo *primegpu_discrete_to_bo(struct drm_gem_object *gem)
{
	return &gem_to_primegpu_discrete_bo(gem)->core;
}

const struct primegpu_backend primegpu_discrete_backend = {
	.placements = PRIMEGPU_PLACE_VRAM | PRIMEGPU_PLACE_PAGES,
	.required_caps = PRIMEGPU_CAPS_VRAM,
	.gem_create = primegpu_discrete_gem_create,
	.to_bo = primegpu_discrete_to_bo,
	.validate = primegpu_discrete_gem_validate,
	.export_begin = primegpu_discrete_export_begin,
	.place = primegpu_discrete_gem_place,
	.placement = primegpu_discrete_gem_placement,
	.unplug = primegpu_discrete_gem_unplug,
	.evict = primegpu_discrete_ttm_evict,
	.pin = primegpu_discrete_gem_pin_here,
	.unpin = primegpu_discrete_gem_unpin,
	.panic_map = primegpu_discrete_panic_map,
};
