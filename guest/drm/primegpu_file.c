// SPDX-License-Identifier: GPL-2.0-or-later
/* An open DRM file: a client of the hardware and a queue of jobs. */
#include <linux/slab.h>

#include "primegpu_internal.h"

/* Ids are not used again: after 2^32 - 1 opens there are no more. */
static int primegpu_file_new_client(struct primegpu_device *pgpu, u32 *client)
{
	int last = atomic_read(&pgpu->last_client);

	do {
		if (last == -1)
			return -ENOSPC;
	} while (!atomic_try_cmpxchg(&pgpu->last_client, &last, last + 1));
	*client = (u32)last + 1;
	return 0;
}

/**
 * primegpu_core_open - &drm_driver.open of both drivers
 * @drm: the device
 * @file: the file
 *
 * Returns: 0 or an error.
 */
int primegpu_core_open(struct drm_device *drm, struct drm_file *file)
{
	struct primegpu_device *pgpu = to_primegpu_device(drm);
	struct drm_gpu_scheduler *sched = &pgpu->engine->sched;
	struct primegpu_file *priv;
	int ret;

	priv = kzalloc(sizeof(*priv), GFP_KERNEL);
	if (!priv)
		return -ENOMEM;
	ret = primegpu_file_new_client(pgpu, &priv->client);
	if (ret)
		goto err_free_priv;
	ret = drm_sched_entity_init(&priv->entity, DRM_SCHED_PRIORITY_NORMAL,
				    &sched, 1, NULL);
	if (ret)
		goto err_free_priv;
	file->driver_priv = priv;
	return 0;

err_free_priv:
	kfree(priv);
	return ret;
}
EXPORT_SYMBOL_GPL(primegpu_core_open);

/**
 * primegpu_core_postclose - &drm_driver.postclose of both drivers
 * @drm: the device
 * @file: the file, whose handles are closed by now
 *
 * Jobs that the hardware has go on; their references end when they are done.
 */
void primegpu_core_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct primegpu_file *priv = file->driver_priv;

	drm_sched_entity_destroy(&priv->entity);
	kfree(priv);
}
EXPORT_SYMBOL_GPL(primegpu_core_postclose);
