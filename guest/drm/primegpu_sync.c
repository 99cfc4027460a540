// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Explicit synchronisation of a submit call: syncobjs and sync_files in both
 * directions. All but a sync_file is allocated before the job is armed.
 */
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/sync_file.h>

#include <drm/drm_syncobj.h>

#include "primegpu_internal.h"

/* A bound on what user space makes us allocate */
#define PRIMEGPU_SYNC_MAX	1024

/* A syncobj that the job will signal */
struct primegpu_sync_out {
	struct drm_syncobj *syncobj;
	struct dma_fence_chain *chain;
	u64 point;
};

struct primegpu_sync {
	struct drm_file *file;
	struct drm_primegpu_sync *waits;
	u32 wait_count;
	struct dma_fence *wait_fence;
	struct primegpu_sync_out *outs;
	u32 out_count;
	bool want_fd;
	int fd;
};

static struct drm_primegpu_sync *primegpu_sync_copy(u64 from, u32 count)
{
	struct drm_primegpu_sync *syncs;
	u32 i;

	if (!count)
		return NULL;
	if (count > PRIMEGPU_SYNC_MAX)
		return ERR_PTR(-EINVAL);
	syncs = memdup_array_user(u64_to_user_ptr(from), count, sizeof(*syncs));
	if (IS_ERR(syncs))
		return syncs;
	for (i = 0; i < count; i++) {
		if (syncs[i].flags) {
			kfree(syncs);
			return ERR_PTR(-EINVAL);
		}
	}
	return syncs;
}

static int primegpu_sync_load_out(struct primegpu_sync *sync,
				  const struct drm_primegpu_sync *from)
{
	struct primegpu_sync_out *out = &sync->outs[sync->out_count];

	out->point = from->point;
	if (out->point) {
		out->chain = dma_fence_chain_alloc();
		if (!out->chain)
			return -ENOMEM;
	}
	out->syncobj = drm_syncobj_find(sync->file, from->handle);
	if (!out->syncobj) {
		dma_fence_chain_free(out->chain);
		return -ENOENT;
	}
	sync->out_count++;
	return 0;
}

static int primegpu_sync_load_outs(struct primegpu_sync *sync,
				   const struct drm_primegpu_submit *args)
{
	struct drm_primegpu_sync *from;
	int ret = 0;
	u32 i;

	from = primegpu_sync_copy(args->out_syncs, args->out_sync_count);
	if (IS_ERR_OR_NULL(from))
		return PTR_ERR_OR_ZERO(from);
	sync->outs = kcalloc(args->out_sync_count, sizeof(*sync->outs),
			     GFP_KERNEL);
	if (!sync->outs)
		ret = -ENOMEM;
	for (i = 0; i < args->out_sync_count && !ret; i++)
		ret = primegpu_sync_load_out(sync, &from[i]);
	kfree(from);
	return ret;
}

static int primegpu_sync_load(struct primegpu_sync *sync,
			      const struct drm_primegpu_submit *args)
{
	int ret;

	sync->waits = primegpu_sync_copy(args->in_syncs, args->in_sync_count);
	if (IS_ERR(sync->waits)) {
		ret = PTR_ERR(sync->waits);
		sync->waits = NULL;
		return ret;
	}
	sync->wait_count = args->in_sync_count;

	ret = primegpu_sync_load_outs(sync, args);
	if (ret)
		return ret;

	if (args->flags & PRIMEGPU_SUBMIT_FENCE_FD_IN) {
		sync->wait_fence = sync_file_get_fence(args->in_fence_fd);
		if (!sync->wait_fence)
			return -EINVAL;
	}
	sync->want_fd = args->flags & PRIMEGPU_SUBMIT_FENCE_FD_OUT;
	if (sync->want_fd) {
		sync->fd = get_unused_fd_flags(O_CLOEXEC);
		if (sync->fd < 0)
			return sync->fd;
	}
	return 0;
}

struct primegpu_sync *primegpu_sync_create(struct drm_file *file,
					   const struct drm_primegpu_submit *args)
{
	struct primegpu_sync *sync;
	int ret;

	sync = kzalloc(sizeof(*sync), GFP_KERNEL);
	if (!sync)
		return ERR_PTR(-ENOMEM);
	sync->file = file;
	sync->fd = -1;
	ret = primegpu_sync_load(sync, args);
	if (ret) {
		primegpu_sync_free(sync);
		return ERR_PTR(ret);
	}
	return sync;
}

void primegpu_sync_free(struct primegpu_sync *sync)
{
	u32 i;

	for (i = 0; i < sync->out_count; i++) {
		drm_syncobj_put(sync->outs[i].syncobj);
		dma_fence_chain_free(sync->outs[i].chain);
	}
	kfree(sync->outs);
	kfree(sync->waits);
	dma_fence_put(sync->wait_fence);
	if (sync->fd >= 0)
		put_unused_fd(sync->fd);
	kfree(sync);
}

int primegpu_sync_add_waits(struct primegpu_sync *sync,
			    struct primegpu_job *job)
{
	struct dma_fence *fence;
	int ret;
	u32 i;

	for (i = 0; i < sync->wait_count; i++) {
		ret = drm_syncobj_find_fence(sync->file, sync->waits[i].handle,
					     sync->waits[i].point, 0, &fence);
		if (ret)
			return ret;
		ret = drm_sched_job_add_dependency(&job->base, fence);
		if (ret)
			return ret;
	}
	fence = sync->wait_fence;
	sync->wait_fence = NULL;
	return drm_sched_job_add_dependency(&job->base, fence);
}

/*
 * Hands the fence of the armed job to user space. A sync_file cannot be made
 * sooner; without memory for it the job runs all the same.
 */
int primegpu_sync_signal(struct primegpu_sync *sync, struct dma_fence *fence,
			 struct drm_primegpu_submit *args)
{
	struct sync_file *sync_file;
	u32 i;

	for (i = 0; i < sync->out_count; i++) {
		struct primegpu_sync_out *out = &sync->outs[i];

		if (out->chain) {
			drm_syncobj_add_point(out->syncobj, out->chain, fence,
					      out->point);
			out->chain = NULL;
		} else {
			drm_syncobj_replace_fence(out->syncobj, fence);
		}
	}
	if (!sync->want_fd)
		return 0;
	sync_file = sync_file_create(fence);
	if (!sync_file)
		return -ENOMEM;
	args->out_fence_fd = sync->fd;
	fd_install(sync->fd, sync_file->file);
	sync->fd = -1;
	return 0;
}
