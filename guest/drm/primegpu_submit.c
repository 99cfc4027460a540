// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The submit call, in stages: load the job, give its BOs their pages, lock
 * them, collect what to wait for, arm, publish the fence, queue.
 */
#include <drm/drm_exec.h>

#include "primegpu_internal.h"

#define PRIMEGPU_SUBMIT_FLAGS	(PRIMEGPU_SUBMIT_EXPLICIT_SYNC | \
				 PRIMEGPU_SUBMIT_FENCE_FD_IN | \
				 PRIMEGPU_SUBMIT_FENCE_FD_OUT)

static int primegpu_submit_populate(struct primegpu_job *job)
{
	const struct primegpu_backend *backend = job->pgpu->backend;
	int ret = 0;
	u32 i;

	if (!backend->populate)
		return 0;
	for (i = 0; i < job->bo_count && !ret; i++)
		ret = backend->populate(job->bos[i].gem);
	return ret;
}

static int primegpu_submit_lock(struct primegpu_job *job, struct drm_exec *exec)
{
	int ret;
	u32 i;

	drm_exec_until_all_locked(exec) {
		for (i = 0; i < job->bo_count; i++) {
			ret = drm_exec_lock_obj(exec, job->bos[i].gem);
			drm_exec_retry_on_contention(exec);
			if (ret)
				return ret;
		}
	}
	return 0;
}

static int primegpu_submit_validate(struct primegpu_job *job)
{
	const struct primegpu_backend *backend = job->pgpu->backend;
	int ret = 0;
	u32 i;

	for (i = 0; i < job->bo_count && !ret; i++) {
		struct drm_gem_object *gem = job->bos[i].gem;

		if (to_primegpu_bo(gem)->imported)
			ret = primegpu_import_map(to_primegpu_bo(gem));
		else if (backend->validate)
			ret = backend->validate(gem);
		if (!ret)
			ret = dma_resv_reserve_fences(gem->resv, 1);
	}
	return ret;
}

/* Moves by the kernel are waited for even by explicitly synchronised jobs. */
static int primegpu_submit_add_waits(struct primegpu_job *job)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < job->bo_count && !ret; i++) {
		const struct primegpu_job_bo *jbo = &job->bos[i];
		enum dma_resv_usage usage = job->explicit_sync ?
			DMA_RESV_USAGE_KERNEL : dma_resv_usage_rw(jbo->write);

		ret = drm_sched_job_add_resv_dependencies(&job->base,
							  jbo->gem->resv,
							  usage);
	}
	return ret;
}

static void primegpu_submit_publish(struct primegpu_job *job,
				    struct dma_fence *fence)
{
	u32 i;

	for (i = 0; i < job->bo_count; i++) {
		const struct primegpu_job_bo *jbo = &job->bos[i];
		enum dma_resv_usage usage = DMA_RESV_USAGE_BOOKKEEP;

		if (!job->explicit_sync)
			usage = jbo->write ? DMA_RESV_USAGE_WRITE :
					     DMA_RESV_USAGE_READ;
		dma_resv_add_fence(jbo->gem->resv, fence, usage);
	}
}

static void primegpu_submit_finished(struct dma_fence *fence,
				     struct dma_fence_cb *cb)
{
	struct primegpu_job *job = container_of(cb, struct primegpu_job,
						finished);

	atomic_inc(&job->pgpu->engine->unreaped);
}

/* Nothing fails from here on. */
static void primegpu_submit_push(struct primegpu_job *job)
{
	struct primegpu_engine *engine = job->pgpu->engine;

	WRITE_ONCE(engine->sched.timeout, primegpu_sched_timeout());
	atomic_inc(&engine->jobs);
	dma_fence_add_callback(&job->base.s_fence->finished, &job->finished,
			       primegpu_submit_finished);
	drm_sched_entity_push_job(&job->base);
}

static int primegpu_submit_queue(struct primegpu_job *job,
				 struct primegpu_sync *sync,
				 struct drm_primegpu_submit *args)
{
	struct dma_fence *fence;
	struct drm_exec exec;
	int ret;

	drm_exec_init(&exec, DRM_EXEC_INTERRUPTIBLE_WAIT |
		      DRM_EXEC_IGNORE_DUPLICATES, job->bo_count);
	ret = primegpu_submit_lock(job, &exec);
	if (ret)
		goto out_unlock;
	ret = primegpu_submit_validate(job);
	if (ret)
		goto out_unlock;
	ret = primegpu_submit_add_waits(job);
	if (ret)
		goto out_unlock;

	drm_sched_job_arm(&job->base);
	fence = dma_fence_get(&job->base.s_fence->finished);
	primegpu_submit_publish(job, fence);
	primegpu_submit_push(job);
	drm_exec_fini(&exec);
	ret = primegpu_sync_signal(sync, fence, args);
	dma_fence_put(fence);
	return ret;

out_unlock:
	drm_exec_fini(&exec);
	drm_sched_job_cleanup(&job->base);
	primegpu_job_free(job);
	return ret;
}

static int primegpu_submit_job(struct primegpu_device *pgpu,
			       struct drm_file *file,
			       struct primegpu_sync *sync,
			       struct drm_primegpu_submit *args)
{
	struct primegpu_file *priv = file->driver_priv;
	struct primegpu_job *job;
	int ret;

	job = primegpu_job_create(pgpu, file, args);
	if (IS_ERR(job))
		return PTR_ERR(job);
	ret = primegpu_job_load(job, file, args);
	if (ret)
		goto err_free_job;
	ret = primegpu_submit_populate(job);
	if (ret)
		goto err_free_job;
	ret = drm_sched_job_init(&job->base, &priv->entity, 1, priv,
				 file->client_id);
	if (ret)
		goto err_free_job;
	ret = primegpu_sync_add_waits(sync, job);
	if (ret)
		goto err_cleanup_sched;
	return primegpu_submit_queue(job, sync, args);

err_cleanup_sched:
	drm_sched_job_cleanup(&job->base);
err_free_job:
	primegpu_job_free(job);
	return ret;
}

int primegpu_ioctl_submit(struct drm_device *drm, void *data,
			  struct drm_file *file)
{
	struct drm_primegpu_submit *args = data;
	struct primegpu_sync *sync;
	int ret;

	if (args->flags & ~PRIMEGPU_SUBMIT_FLAGS)
		return -EINVAL;
	if (!args->op_count || args->op_count > PRIMEGPU_JOB_OPS_MAX)
		return -EINVAL;
	sync = primegpu_sync_create(file, args);
	if (IS_ERR(sync))
		return PTR_ERR(sync);
	ret = primegpu_submit_job(to_primegpu_device(drm), file, sync, args);
	args->seqno = 0;
	primegpu_sync_free(sync);
	return ret;
}
