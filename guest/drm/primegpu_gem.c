// SPDX-License-Identifier: GPL-2.0-or-later
/* BOs in clients: handles open them, jobs keep them open. */
#include <linux/slab.h>

#include "primegpu_internal.h"

static struct primegpu_client *primegpu_client_find(struct primegpu_bo *bo,
						    u32 id)
{
	struct primegpu_client *client;

	lockdep_assert_held(&bo->client_lock);
	list_for_each_entry(client, &bo->clients, link)
		if (client->id == id)
			return client;
	return NULL;
}

/* Takes an unused client from the list; the caller frees it. */
static struct primegpu_client *
primegpu_client_unused(struct primegpu_client *client)
{
	if (client->handles || client->jobs)
		return NULL;
	list_del(&client->link);
	return client;
}

/**
 * primegpu_core_gem_open - &drm_gem_object_funcs.open of both drivers
 * @gem: the object
 * @file: gets a handle to it
 *
 * Returns: 0 or an error.
 */
int primegpu_core_gem_open(struct drm_gem_object *gem, struct drm_file *file)
{
	struct primegpu_file *priv = file->driver_priv;
	struct primegpu_bo *bo = to_primegpu_bo(gem);
	struct primegpu_client *client, *spare;
	int ret;

	spare = kzalloc(sizeof(*spare), GFP_KERNEL);
	if (!spare)
		return -ENOMEM;
	spare->id = priv->client;

	spin_lock(&bo->client_lock);
	ret = primegpu_cmd_bo_open(bo, priv->client);
	if (!ret) {
		client = primegpu_client_find(bo, priv->client);
		if (!client) {
			client = spare;
			spare = NULL;
			list_add(&client->link, &bo->clients);
		}
		client->handles++;
	}
	spin_unlock(&bo->client_lock);
	kfree(spare);
	return ret;
}
EXPORT_SYMBOL_GPL(primegpu_core_gem_open);

/**
 * primegpu_core_gem_close - &drm_gem_object_funcs.close of both drivers
 * @gem: the object
 * @file: loses a handle to it
 */
void primegpu_core_gem_close(struct drm_gem_object *gem, struct drm_file *file)
{
	struct primegpu_file *priv = file->driver_priv;
	struct primegpu_bo *bo = to_primegpu_bo(gem);
	struct primegpu_client *client;

	spin_lock(&bo->client_lock);
	client = primegpu_client_find(bo, priv->client);
	if (WARN_ON(!client)) {
		spin_unlock(&bo->client_lock);
		return;
	}
	client->handles--;
	/* One opening stays as long as jobs need it. */
	if (!client->handles && client->jobs && !client->close_pending)
		client->close_pending = true;
	else
		primegpu_cmd_bo_close(bo, client->id);
	client = primegpu_client_unused(client);
	spin_unlock(&bo->client_lock);
	kfree(client);
}
EXPORT_SYMBOL_GPL(primegpu_core_gem_close);

/* Keeps a BO open for a job; NULL if it is not open any more. */
struct primegpu_client *primegpu_bo_job_get(struct primegpu_bo *bo, u32 id)
{
	struct primegpu_client *client;

	spin_lock(&bo->client_lock);
	client = primegpu_client_find(bo, id);
	if (client && client->handles)
		client->jobs++;
	else
		client = NULL;
	spin_unlock(&bo->client_lock);
	return client;
}

void primegpu_bo_job_put(struct primegpu_bo *bo, struct primegpu_client *client)
{
	spin_lock(&bo->client_lock);
	client->jobs--;
	if (!client->jobs && client->close_pending) {
		client->close_pending = false;
		primegpu_cmd_bo_close(bo, client->id);
	}
	client = primegpu_client_unused(client);
	spin_unlock(&bo->client_lock);
	kfree(client);
}
