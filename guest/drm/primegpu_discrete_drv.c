// SPDX-License-Identifier: GPL-2.0-or-later
/* The discrete GPU: PCI and DRM glue. */
#include <linux/module.h>
#include <linux/pci.h>

#include <drm/drm_fbdev_ttm.h>

#include "primegpu_abi.h"
#include "primegpu_compat.h"
#include "primegpu_discrete.h"

static const struct file_operations primegpu_discrete_fops = {
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

static const struct drm_driver primegpu_discrete_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER | DRIVER_MODESET |
			   DRIVER_ATOMIC | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE,
	.open = primegpu_core_open,
	.postclose = primegpu_core_postclose,
	.gem_prime_import = primegpu_discrete_prime_import,
	.gem_prime_import_sg_table = primegpu_discrete_prime_import_sg_table,
	.dumb_create = primegpu_core_dumb_create,
	.debugfs_init = primegpu_core_debugfs_init,
	PRIMEGPU_FBDEV_TTM_OPS
	.ioctls = primegpu_core_ioctls,
	.num_ioctls = PRIMEGPU_CORE_IOCTL_COUNT,
	.fops = &primegpu_discrete_fops,
	.name = "primegpu-discrete",
	.desc = "primegpu virtual GPU with VRAM",
	.major = 0,
	.minor = 1,
	.patchlevel = 0,
};

static int primegpu_discrete_map_vram(struct primegpu_discrete *discrete)
{
	struct pci_dev *pdev = to_pci_dev(discrete->core.drm.dev);
	int ret;

	ret = pcim_request_region(pdev, PRIMEGPU_BAR_VRAM, dev_name(&pdev->dev));
	if (ret)
		return ret;
	if (discrete->core.vram_size > pci_resource_len(pdev, PRIMEGPU_BAR_VRAM))
		return -ENODEV;
	discrete->vram_base = pci_resource_start(pdev, PRIMEGPU_BAR_VRAM);
	ret = devm_arch_io_reserve_memtype_wc(&pdev->dev, discrete->vram_base,
					      discrete->core.vram_size);
	if (ret)
		return ret;
	discrete->vram = devm_ioremap_wc(&pdev->dev, discrete->vram_base,
					 discrete->core.vram_size);
	return discrete->vram ? 0 : -ENOMEM;
}

static int primegpu_discrete_probe(struct pci_dev *pdev,
				   const struct pci_device_id *id)
{
	struct primegpu_discrete *discrete;
	int ret;

	discrete = devm_drm_dev_alloc(&pdev->dev, &primegpu_discrete_driver,
				      struct primegpu_discrete, core.drm);
	if (IS_ERR(discrete))
		return PTR_ERR(discrete);
	ret = primegpu_core_init(&discrete->core, &primegpu_discrete_backend);
	if (ret)
		return ret;
	ret = primegpu_discrete_map_vram(discrete);
	if (ret)
		return ret;
	ret = primegpu_discrete_ttm_init(discrete);
	if (ret)
		return ret;
	ret = primegpu_core_register(&discrete->core);
	if (ret)
		return ret;
	if (discrete->core.display)
		primegpu_fbdev_ttm_setup(&discrete->core.drm);
	return 0;
}

static void primegpu_discrete_remove(struct pci_dev *pdev)
{
	primegpu_core_remove(pci_get_drvdata(pdev));
}

static void primegpu_discrete_shutdown(struct pci_dev *pdev)
{
	primegpu_core_shutdown(pci_get_drvdata(pdev));
}

static const struct pci_device_id primegpu_discrete_ids[] = {
	{ PCI_DEVICE(PRIMEGPU_PCI_VENDOR_ID, PRIMEGPU_PCI_DEVICE_DISCRETE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, primegpu_discrete_ids);

static struct pci_driver primegpu_discrete_pci_driver = {
	.name = "primegpu-discrete",
	.id_table = primegpu_discrete_ids,
	.probe = primegpu_discrete_probe,
	.remove = primegpu_discrete_remove,
	.shutdown = primegpu_discrete_shutdown,
	.driver.pm = pm_sleep_ptr(&primegpu_core_pm_ops),
};
module_pci_driver(primegpu_discrete_pci_driver);

PRIMEGPU_IMPORT_DMA_BUF_NS;
MODULE_DESCRIPTION("primegpu virtual GPU with VRAM");
MODULE_LICENSE("GPL");
