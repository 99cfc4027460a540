// SPDX-License-Identifier: GPL-2.0-or-later
/* How the DRM scheduler runs, times out and frees jobs. */
#include <linux/module.h>

#include <drm/drm_managed.h>

#include "primegpu_compat.h"
#include "primegpu_internal.h"

static uint job_timeout_ms = 2000;
module_param(job_timeout_ms, uint, 0644);
MODULE_PARM_DESC(job_timeout_ms,
		 "Time that a job may take before the engine is reset; 0: for ever");

unsigned long primegpu_sched_timeout(void)
{
	uint ms = READ_ONCE(job_timeout_ms);

	return ms ? msecs_to_jiffies(ms) : MAX_SCHEDULE_TIMEOUT;
}

static struct primegpu_job *to_primegpu_job(struct drm_sched_job *base)
{
	return container_of(base, struct primegpu_job, base);
}

static struct dma_fence *primegpu_sched_run_job(struct drm_sched_job *base)
{
	struct primegpu_job *job = to_primegpu_job(base);

	if (base->s_fence->finished.error)
		return NULL;
	return primegpu_engine_run(job->pgpu->engine, job);
}

static enum drm_gpu_sched_stat
primegpu_sched_timedout_job(struct drm_sched_job *base)
{
	struct primegpu_job *job = to_primegpu_job(base);
	struct primegpu_engine *engine = job->pgpu->engine;

	/*
	 * An interrupt may have been lost. Stopping gives the job back to the
	 * scheduler in any case; one that is done is freed by it then.
	 */
	primegpu_irq_poll(job->pgpu);
	drm_sched_stop(&engine->sched, base);
	if (!dma_fence_is_signaled(&base->s_fence->finished)) {
		drm_err(&job->pgpu->drm,
			"a job of client %u hangs, engine reset\n",
			job->client);
		drm_sched_increase_karma(base);
		primegpu_engine_reset(engine);
	}
	primegpu_sched_start(&engine->sched);
	return PRIMEGPU_SCHED_STAT_RESET;
}

static void primegpu_sched_free_job(struct drm_sched_job *base)
{
	struct primegpu_job *job = to_primegpu_job(base);
	struct primegpu_engine *engine = job->pgpu->engine;
	bool counted;

	/* The fence may still be running callbacks; this waits for ours. */
	counted = !dma_fence_remove_callback(&base->s_fence->finished,
					     &job->finished);
	drm_sched_job_cleanup(base);
	primegpu_job_free(job);
	if (counted)
		atomic_dec(&engine->unreaped);
	atomic_dec(&engine->jobs);
	primegpu_settle_note();
}

static const struct drm_sched_backend_ops primegpu_sched_ops = {
	.run_job = primegpu_sched_run_job,
	.timedout_job = primegpu_sched_timedout_job,
	.free_job = primegpu_sched_free_job,
};

static void primegpu_sched_fini(struct drm_device *drm, void *data)
{
	drm_sched_fini(data);
}

int primegpu_sched_init(struct primegpu_device *pgpu)
{
	const struct drm_sched_init_args args = {
		.ops = &primegpu_sched_ops,
		.num_rqs = DRM_SCHED_PRIORITY_COUNT,
		/* A ring that is full cannot be told from an empty one. */
		.credit_limit = PRIMEGPU_ENGINE_SLOTS - 1,
		.timeout = primegpu_sched_timeout(),
		.name = dev_name(pgpu->drm.dev),
		.dev = pgpu->drm.dev,
	};
	struct drm_gpu_scheduler *sched = &pgpu->engine->sched;
	int ret;

	ret = drm_sched_init(sched, &args);
	if (ret)
		return ret;
	return drmm_add_action_or_reset(&pgpu->drm, primegpu_sched_fini, sched);
}
