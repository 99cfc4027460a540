// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The integrated GPU: no memory of its own. GEM objects are on the shmem
 * helper; an object's pages stay, and stay attached, until it is freed.
 */
#include <linux/dma-buf.h>
#include <linux/module.h>
#include <linux/pci.h>

#include <drm/drm_fbdev_shmem.h>
#include <drm/drm_gem_shmem_helper.h>

#include "primegpu_abi.h"
#include "primegpu_compat.h"
#include "primegpu_core.h"

static bool dynamic;
module_param(dynamic, bool, 0644);
MODULE_PARM_DESC(dynamic, "Make dynamic imports from now on; exports are static");

static bool p2p = true;
module_param(p2p, bool, 0644);
MODULE_PARM_DESC(p2p,
		 "Let dynamic imports from now on use the VRAM of others in place");

/**
 * struct primegpu_integrated_bo - a GEM object
 */
struct primegpu_integrated_bo {
	/** @shmem: the helper's part; first, since the helper frees it */
	struct drm_gem_shmem_object shmem;
	/** @core: the core's part */
	struct primegpu_bo core;
};

static struct primegpu_integrated_bo *
to_primegpu_integrated_bo(struct drm_gem_object *gem)
{
	return container_of(gem, struct primegpu_integrated_bo, shmem.base);
}

static struct primegpu_bo *primegpu_integrated_to_bo(struct drm_gem_object *gem)
{
	return &to_primegpu_integrated_bo(gem)->core;
}

/* Gets the pages, if it has none, and gives them to the hardware. */
static int primegpu_integrated_populate(struct drm_gem_object *gem)
{
	struct primegpu_integrated_bo *bo = to_primegpu_integrated_bo(gem);
	struct sg_table *sgt;
	int idx, ret;

	if (bo->core.imported || READ_ONCE(bo->core.attached))
		return 0;
	/* Pages stay when the device goes, and may still be mapped. */
	if (!drm_dev_enter(gem->dev, &idx))
		return READ_ONCE(bo->shmem.pages) ? 0 : -ENODEV;
	sgt = drm_gem_shmem_get_pages_sgt(&bo->shmem);
	ret = PTR_ERR_OR_ZERO(sgt);
	if (!ret)
		ret = dma_resv_lock_interruptible(gem->resv, NULL);
	if (!ret) {
		ret = primegpu_core_bo_attach_sgt(&bo->core, sgt);
		dma_resv_unlock(gem->resv);
	}
	drm_dev_exit(idx);
	return ret;
}

static int primegpu_integrated_place(struct drm_gem_object *gem, u32 placements)
{
	return primegpu_integrated_populate(gem);
}

static u32 primegpu_integrated_placement(struct drm_gem_object *gem)
{
	return to_primegpu_integrated_bo(gem)->core.attached ?
		PRIMEGPU_PLACE_PAGES : 0;
}

static void primegpu_integrated_gem_free(struct drm_gem_object *gem)
{
	struct primegpu_integrated_bo *bo = to_primegpu_integrated_bo(gem);
	struct dma_buf *orphaned = bo->core.orphaned;

	/* The exporter may want to move the bytes right now. */
	if (gem->import_attach) {
		dma_resv_lock(gem->resv, NULL);
		primegpu_core_import_unmap(&bo->core);
		dma_resv_unlock(gem->resv);
	}
	/* The hardware lets go of the pages before the kernel gets them. */
	primegpu_core_bo_fini(&bo->core);
	drm_gem_shmem_free(&bo->shmem);
	if (orphaned)
		dma_buf_put(orphaned);
}

static int primegpu_integrated_gem_mmap(struct drm_gem_object *gem,
					struct vm_area_struct *vma)
{
	struct primegpu_integrated_bo *bo = to_primegpu_integrated_bo(gem);
	int idx, ret;

	if (!bo->core.imported) {
		ret = primegpu_integrated_populate(gem);
		if (ret)
			return ret;
		return drm_gem_shmem_mmap(&bo->shmem, vma);
	}
	if (!drm_dev_enter(gem->dev, &idx))
		return -ENODEV;
	/*
	 * The helper maps gem->dma_buf, which goes with the last handle while
	 * the lock is not held: another thread may close it right now.
	 */
	mutex_lock(&gem->dev->object_name_lock);
	ret = gem->dma_buf ? drm_gem_shmem_mmap(&bo->shmem, vma) : -EACCES;
	mutex_unlock(&gem->dev->object_name_lock);
	drm_dev_exit(idx);
	return ret;
}

static const struct drm_gem_object_funcs primegpu_integrated_gem_funcs = {
	.free = primegpu_integrated_gem_free,
	.open = primegpu_core_gem_open,
	.close = primegpu_core_gem_close,
	.print_info = drm_gem_shmem_object_print_info,
	.export = primegpu_core_gem_export,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = primegpu_integrated_gem_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

static struct drm_gem_object *
primegpu_integrated_gem_create_object(struct drm_device *drm, size_t size)
{
	struct primegpu_integrated_bo *bo;

	bo = kzalloc(sizeof(*bo), GFP_KERNEL);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->shmem.base.funcs = &primegpu_integrated_gem_funcs;
	bo->shmem.pages_mark_dirty_on_put = true;
	return &bo->shmem.base;
}

static struct drm_gem_object *
primegpu_integrated_gem_create(struct primegpu_device *pgpu, size_t size,
			       u32 placements)
{
	struct drm_gem_shmem_object *shmem;
	struct primegpu_integrated_bo *bo;
	int ret;

	shmem = drm_gem_shmem_create(&pgpu->drm, size);
	if (IS_ERR(shmem))
		return ERR_CAST(shmem);
	bo = to_primegpu_integrated_bo(&shmem->base);
	ret = primegpu_core_bo_init(&bo->core, &shmem->base, NULL);
	if (ret) {
		drm_gem_object_put(&shmem->base);
		return ERR_PTR(ret);
	}
	return &shmem->base;
}

/* Nothing is known to use the pages; they stay as long as the object. */
static void primegpu_integrated_gem_unplug(struct drm_gem_object *gem)
{
	struct primegpu_integrated_bo *bo = to_primegpu_integrated_bo(gem);
	struct sg_table *sgt = bo->shmem.sgt;

	if (bo->core.imported) {
		bo->shmem.sgt = NULL;
		primegpu_core_import_orphan(&bo->core, sgt);
		return;
	}
	dma_resv_lock(gem->resv, NULL);
	primegpu_core_bo_detach(&bo->core);
	if (sgt) {
		/* What drm_gem_shmem_free() would do too late */
		dma_unmap_sgtable(gem->dev->dev, sgt, DMA_BIDIRECTIONAL, 0);
		sg_free_table(sgt);
		kfree(sgt);
		bo->shmem.sgt = NULL;
	}
	dma_resv_unlock(gem->resv);
}

/* A dynamic import comes without a table. */
static struct drm_gem_object *
primegpu_integrated_prime_import_sg_table(struct drm_device *drm,
					  struct dma_buf_attachment *attach,
					  struct sg_table *sgt)
{
	struct primegpu_integrated_bo *bo;
	struct drm_gem_object *gem;
	int ret;

	gem = drm_gem_shmem_prime_import_sg_table(drm, attach, sgt);
	if (IS_ERR(gem))
		return gem;
	bo = to_primegpu_integrated_bo(gem);
	ret = primegpu_core_bo_init(&bo->core, gem, attach->dmabuf);
	if (!ret && sgt)
		ret = primegpu_core_bo_attach_sgt(&bo->core, sgt);
	if (ret) {
		/* On an error the table stays the caller's. */
		bo->shmem.sgt = NULL;
		drm_gem_object_put(gem);
		return ERR_PTR(ret);
	}
	return gem;
}

static struct drm_gem_object *
primegpu_integrated_prime_import(struct drm_device *drm, struct dma_buf *dmabuf)
{
	return primegpu_core_prime_import(drm, dmabuf, READ_ONCE(dynamic),
					  READ_ONCE(p2p));
}

static struct iosys_map primegpu_integrated_panic_map(struct drm_gem_object *gem,
						      u64 page)
{
	struct drm_gem_shmem_object *shmem = &to_primegpu_integrated_bo(gem)->shmem;
	struct iosys_map map = {};

	if (shmem->pages)
		iosys_map_set_vaddr(&map, page_address(shmem->pages[page]));
	return map;
}

static const struct primegpu_backend primegpu_integrated_backend = {
	.placements = PRIMEGPU_PLACE_PAGES,
	.gem_create = primegpu_integrated_gem_create,
	.to_bo = primegpu_integrated_to_bo,
	.populate = primegpu_integrated_populate,
	.export_begin = primegpu_integrated_populate,
	.place = primegpu_integrated_place,
	.placement = primegpu_integrated_placement,
	.unplug = primegpu_integrated_gem_unplug,
	.panic_map = primegpu_integrated_panic_map,
};

static const struct file_operations primegpu_integrated_fops = {
	.owner = THIS_MODULE,
	.open = drm_open,
	.release = drm_release,
	.unlocked_ioctl = primegpu_core_ioctl,
	.compat_ioctl = drm_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = drm_gem_mmap,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

static const struct drm_driver primegpu_integrated_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER | DRIVER_MODESET |
			   DRIVER_ATOMIC | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE,
	.open = primegpu_core_open,
	.postclose = primegpu_core_postclose,
	.gem_create_object = primegpu_integrated_gem_create_object,
	.gem_prime_import = primegpu_integrated_prime_import,
	.gem_prime_import_sg_table = primegpu_integrated_prime_import_sg_table,
	.dumb_create = primegpu_core_dumb_create,
	.debugfs_init = primegpu_core_debugfs_init,
	PRIMEGPU_FBDEV_SHMEM_OPS
	.ioctls = primegpu_core_ioctls,
	.num_ioctls = PRIMEGPU_CORE_IOCTL_COUNT,
	.fops = &primegpu_integrated_fops,
	.name = "primegpu-integrated",
	.desc = "primegpu virtual GPU without memory of its own",
	.major = 0,
	.minor = 1,
	.patchlevel = 0,
};

static int primegpu_integrated_probe(struct pci_dev *pdev,
				     const struct pci_device_id *id)
{
	struct primegpu_device *pgpu;
	int ret;

	pgpu = devm_drm_dev_alloc(&pdev->dev, &primegpu_integrated_driver,
				  struct primegpu_device, drm);
	if (IS_ERR(pgpu))
		return PTR_ERR(pgpu);
	ret = primegpu_core_init(pgpu, &primegpu_integrated_backend);
	if (ret)
		return ret;
	ret = primegpu_core_register(pgpu);
	if (ret)
		return ret;
	if (pgpu->display)
		primegpu_fbdev_shmem_setup(&pgpu->drm);
	return 0;
}

static void primegpu_integrated_remove(struct pci_dev *pdev)
{
	primegpu_core_remove(pci_get_drvdata(pdev));
}

static void primegpu_integrated_shutdown(struct pci_dev *pdev)
{
	primegpu_core_shutdown(pci_get_drvdata(pdev));
}

static const struct pci_device_id primegpu_integrated_ids[] = {
	{ PCI_DEVICE(PRIMEGPU_PCI_VENDOR_ID, PRIMEGPU_PCI_DEVICE_INTEGRATED) },
	{ }
};
MODULE_DEVICE_TABLE(pci, primegpu_integrated_ids);

static struct pci_driver primegpu_integrated_pci_driver = {
	.name = "primegpu-integrated",
	.id_table = primegpu_integrated_ids,
	.probe = primegpu_integrated_probe,
	.remove = primegpu_integrated_remove,
	.shutdown = primegpu_integrated_shutdown,
	.driver.pm = pm_sleep_ptr(&primegpu_core_pm_ops),
};
module_pci_driver(primegpu_integrated_pci_driver);

PRIMEGPU_IMPORT_DMA_BUF_NS;
MODULE_DESCRIPTION("primegpu virtual GPU without memory of its own");
MODULE_LICENSE("GPL");
