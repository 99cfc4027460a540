// SPDX-License-Identifier: GPL-2.0-or-later
/* Start and end of a device. */
#include <linux/module.h>
#include <linux/pci.h>

#include "primegpu_internal.h"

/* From power-on to rings that run; the device forgets what it knew before. */
static int primegpu_device_start(struct primegpu_device *pgpu)
{
	int ret;

	primegpu_write(pgpu, PRIMEGPU_REG_CONTROL,
		       PRIMEGPU_CONTROL_DEVICE_RESET);
	ret = primegpu_ring_init(pgpu);
	if (ret)
		return ret;
	ret = primegpu_engine_init(pgpu);
	if (ret)
		return ret;
	ret = primegpu_irq_init(pgpu);
	if (ret)
		return ret;
	primegpu_write(pgpu, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_ENABLE);
	return 0;
}

static void primegpu_device_stop(struct primegpu_device *pgpu)
{
	spin_lock(&pgpu->ctrl->lock);
	pgpu->ctrl->stopped = true;
	primegpu_write(pgpu, PRIMEGPU_REG_CONTROL,
		       PRIMEGPU_CONTROL_DEVICE_RESET);
	spin_unlock(&pgpu->ctrl->lock);
	pci_clear_master(to_pci_dev(pgpu->drm.dev));
}

static int primegpu_device_identify(struct primegpu_device *pgpu)
{
	u32 version;

	if (primegpu_read(pgpu, PRIMEGPU_REG_ID) != PRIMEGPU_ID_VALUE)
		return -ENODEV;
	version = primegpu_read(pgpu, PRIMEGPU_REG_VERSION);
	if (version & PRIMEGPU_VERSION_MAJOR) {
		drm_err(&pgpu->drm, "hardware version 0x%x is not known\n",
			version);
		return -ENODEV;
	}
	pgpu->caps = primegpu_read(pgpu, PRIMEGPU_REG_CAPS);
	if (pgpu->backend->required_caps & ~pgpu->caps)
		return -ENODEV;
	pgpu->device_id = primegpu_read(pgpu, PRIMEGPU_REG_DEVICE_ID);
	pgpu->vram_size = primegpu_read64(pgpu, PRIMEGPU_REG_VRAM_SIZE_LO,
					  PRIMEGPU_REG_VRAM_SIZE_HI);
	pgpu->bytes_max = primegpu_read64(pgpu, PRIMEGPU_REG_BYTES_MAX_LO,
					  PRIMEGPU_REG_BYTES_MAX_HI);
	return 0;
}

/**
 * primegpu_core_init - bring the hardware up
 * @pgpu: allocated with devm_drm_dev_alloc() for a PCI device
 * @backend: the memory manager, which may be initialized after this
 *
 * Returns: 0 or an error.
 */
int primegpu_core_init(struct primegpu_device *pgpu,
		       const struct primegpu_backend *backend)
{
	struct pci_dev *pdev = to_pci_dev(pgpu->drm.dev);
	int ret;

	pgpu->backend = backend;
	spin_lock_init(&pgpu->bo_lock);
	INIT_LIST_HEAD(&pgpu->bos);
	INIT_LIST_HEAD(&pgpu->dying);
	INIT_LIST_HEAD(&pgpu->link);

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	pgpu->regs = pcim_iomap_region(pdev, PRIMEGPU_BAR_REGS,
				       dev_name(&pdev->dev));
	if (IS_ERR(pgpu->regs))
		return PTR_ERR(pgpu->regs);
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	pci_set_master(pdev);
	pci_set_drvdata(pdev, pgpu);

	ret = primegpu_device_identify(pgpu);
	if (ret)
		return ret;
	ret = primegpu_device_start(pgpu);
	if (ret)
		return ret;
	return primegpu_kms_init(pgpu);
}
EXPORT_SYMBOL_GPL(primegpu_core_init);

/**
 * primegpu_core_register - let user space see the device
 * @pgpu: completely initialized
 *
 * Returns: 0 or an error.
 */
int primegpu_core_register(struct primegpu_device *pgpu)
{
	int ret;

	ret = drm_dev_register(&pgpu->drm, 0);
	if (ret)
		return ret;
	primegpu_settle_add(pgpu);
	return 0;
}
EXPORT_SYMBOL_GPL(primegpu_core_register);

/**
 * primegpu_core_shutdown - make the hardware forget everything
 * @pgpu: the device
 *
 * No DMA is done after this.
 */
void primegpu_core_shutdown(struct primegpu_device *pgpu)
{
	primegpu_kms_shutdown(pgpu);
	primegpu_device_stop(pgpu);
}
EXPORT_SYMBOL_GPL(primegpu_core_shutdown);

/**
 * primegpu_core_remove - take the device from user space and from the driver
 * @pgpu: registered
 *
 * Objects and files may live on; they do not touch the hardware any more. Jobs
 * end with an error.
 */
void primegpu_core_remove(struct primegpu_device *pgpu)
{
	primegpu_settle_remove(pgpu);
	/* In good order, in case that the hardware is still there. */
	primegpu_kms_shutdown(pgpu);
	drm_dev_unplug(&pgpu->drm);
	primegpu_device_stop(pgpu);
	primegpu_engine_cancel(pgpu->engine, -ENODEV);
	primegpu_kms_unplug(pgpu);
	primegpu_bo_unplug_all(pgpu);
}
EXPORT_SYMBOL_GPL(primegpu_core_remove);

MODULE_DESCRIPTION("primegpu virtual GPUs: what both models share");
MODULE_LICENSE("GPL");
