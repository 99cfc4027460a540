// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fences of the hardware. Each has its own lock and keeps this module, since
 * user space may hold one longer than the device is there.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "primegpu_compat.h"
#include "primegpu_internal.h"

static const char *primegpu_fence_get_driver_name(struct dma_fence *fence)
{
	return "primegpu";
}

static const char *primegpu_fence_get_timeline_name(struct dma_fence *fence)
{
	return "engine";
}

static void primegpu_fence_release(struct dma_fence *fence)
{
	dma_fence_free(fence);
	module_put(THIS_MODULE);
}

static const struct dma_fence_ops primegpu_fence_ops = {
#ifdef PRIMEGPU_FENCE_OPS_64BIT
	.use_64bit_seqno = true,
#endif
	.get_driver_name = primegpu_fence_get_driver_name,
	.get_timeline_name = primegpu_fence_get_timeline_name,
	.release = primegpu_fence_release,
};

/* Memory for a fence that run_job will initialize */
struct primegpu_fence *primegpu_fence_alloc(void)
{
	return kzalloc(sizeof(struct primegpu_fence), GFP_KERNEL);
}

/* For a fence that was never initialized */
void primegpu_fence_free(struct primegpu_fence *fence)
{
	kfree(fence);
}

void primegpu_fence_init(struct primegpu_fence *fence, u64 context, u64 seqno)
{
	/* base is the first member, so the memory can be freed as a dma_fence */
	BUILD_BUG_ON(offsetof(struct primegpu_fence, base));

	__module_get(THIS_MODULE);
	spin_lock_init(&fence->lock);
	INIT_LIST_HEAD(&fence->link);
	primegpu_fence_init64(&fence->base, &primegpu_fence_ops, &fence->lock,
			      context, seqno);
}
