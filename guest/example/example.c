// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The smallest driver that can be the other partner of a share: a platform
 * device without hardware, whose buffers are the shmem helper's. It exports
 * them and imports others'.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_shmem_helper.h>

DEFINE_DRM_GEM_FOPS(example_fops);

static const struct drm_driver example_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &example_fops,
	.name = "example",
	.desc = "a driver of your own",
	.major = 1,
	DRM_GEM_SHMEM_DRIVER_OPS,
};

static struct platform_device *example_device;
static struct drm_device *example_drm;

static int __init example_init(void)
{
	int ret;

	example_device = platform_device_register_simple("example", -1, NULL, 0);
	if (IS_ERR(example_device))
		return PTR_ERR(example_device);
	ret = dma_coerce_mask_and_coherent(&example_device->dev,
					   DMA_BIT_MASK(64));
	if (ret)
		goto err_device;
	example_drm = drm_dev_alloc(&example_driver, &example_device->dev);
	if (IS_ERR(example_drm)) {
		ret = PTR_ERR(example_drm);
		goto err_device;
	}
	ret = drm_dev_register(example_drm, 0);
	if (ret)
		goto err_drm;
	return 0;

err_drm:
	drm_dev_put(example_drm);
err_device:
	platform_device_unregister(example_device);
	return ret;
}
module_init(example_init);

static void __exit example_exit(void)
{
	drm_dev_unregister(example_drm);
	drm_dev_put(example_drm);
	platform_device_unregister(example_device);
}
module_exit(example_exit);

MODULE_DESCRIPTION("Example of a module for EXTRA_MODULES");
MODULE_LICENSE("GPL");
