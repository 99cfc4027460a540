// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine ring: hands jobs to the hardware and completes their fences. The
 * scheduler never has more jobs in flight than there are slots.
 */
#include <linux/iopoll.h>

#include <drm/drm_managed.h>

#include "primegpu_internal.h"
#include "primegpu_trace.h"

static void *primegpu_engine_entry(struct primegpu_engine *engine, u32 index)
{
	return engine->entries + index * PRIMEGPU_RING_ENTRY_SIZE;
}

static u32 primegpu_engine_after(u32 index)
{
	return (index + 1) & (PRIMEGPU_ENGINE_SLOTS - 1);
}

static int primegpu_engine_errno(u32 status)
{
	switch (status) {
	case PRIMEGPU_ST_OK:
		return 0;
	case PRIMEGPU_ST_CANCELLED:
		return -ECANCELED;
	default:
		return -EIO;
	}
}

/* Takes the oldest job out of the ring; its fence goes on the list. */
static void primegpu_engine_retire(struct primegpu_engine *engine, int error,
				   struct list_head *done)
{
	struct primegpu_slot *slot = &engine->slots[engine->head];

	lockdep_assert_held(&engine->lock);
	dma_unmap_single(engine->pgpu->drm.dev, slot->dma, slot->size,
			 DMA_TO_DEVICE);
	if (error)
		dma_fence_set_error(&slot->fence->base, error);
	list_add_tail(&slot->fence->link, done);
	slot->fence = NULL;
	engine->head = primegpu_engine_after(engine->head);
}

/* Signals without the engine's lock: callbacks are other people's code. */
static void primegpu_engine_signal(struct list_head *done)
{
	struct primegpu_fence *fence, *next;

	list_for_each_entry_safe(fence, next, done, link) {
		list_del_init(&fence->link);
		dma_fence_signal(&fence->base);
		dma_fence_put(&fence->base);
	}
}

static void primegpu_engine_collect(struct primegpu_engine *engine,
				    struct list_head *done)
{
	u64 seqno;

	lockdep_assert_held(&engine->lock);
	/* Without jobs the device may be gone, and its memory with it. */
	if (engine->head == engine->tail)
		return;
	seqno = le64_to_cpu(READ_ONCE(*engine->writeback));
	dma_rmb();
	while (engine->head != engine->tail) {
		struct primegpu_slot *slot = &engine->slots[engine->head];
		u32 status;

		if (slot->fence->base.seqno > seqno)
			break;
		status = primegpu_cmd_status(primegpu_engine_entry(engine,
								   engine->head));
		trace_primegpu_job_complete(engine->pgpu->device_id,
					    slot->fence->base.seqno, status);
		primegpu_engine_retire(engine, primegpu_engine_errno(status),
				       done);
	}
}

/* Completes what the hardware has written back. */
void primegpu_engine_process(struct primegpu_engine *engine)
{
	unsigned long flags;
	LIST_HEAD(done);

	spin_lock_irqsave(&engine->lock, flags);
	primegpu_engine_collect(engine, &done);
	spin_unlock_irqrestore(&engine->lock, flags);
	primegpu_engine_signal(&done);
}

static bool primegpu_engine_is_idle(struct primegpu_engine *engine)
{
	primegpu_engine_process(engine);
	return READ_ONCE(engine->head) == READ_ONCE(engine->tail);
}

/* Waits for the jobs that the hardware has; nobody may add one. */
int primegpu_engine_wait_idle(struct primegpu_engine *engine,
			      unsigned int timeout_ms)
{
	bool idle;

	return read_poll_timeout(primegpu_engine_is_idle, idle, idle,
				 USEC_PER_MSEC, timeout_ms * USEC_PER_MSEC,
				 false, engine) ? -EBUSY : 0;
}

/* Completes every job; the hardware must not run any of them any more. */
void primegpu_engine_cancel(struct primegpu_engine *engine, int error)
{
	unsigned long flags;
	LIST_HEAD(done);

	spin_lock_irqsave(&engine->lock, flags);
	primegpu_engine_collect(engine, &done);
	while (engine->head != engine->tail)
		primegpu_engine_retire(engine, error, &done);
	spin_unlock_irqrestore(&engine->lock, flags);
	primegpu_engine_signal(&done);
}

/* Stops a hung engine: jobs that it has not done are cancelled. */
void primegpu_engine_reset(struct primegpu_engine *engine)
{
	struct primegpu_device *pgpu = engine->pgpu;
	unsigned long flags;
	LIST_HEAD(done);
	int idx;

	if (!drm_dev_enter(&pgpu->drm, &idx))
		return;
	spin_lock_irqsave(&engine->lock, flags);
	trace_primegpu_engine_reset(pgpu->device_id,
				    le64_to_cpu(READ_ONCE(*engine->writeback)),
				    engine->seqno);
	primegpu_engine_collect(engine, &done);
	primegpu_write(pgpu, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_ENABLE |
		       PRIMEGPU_CONTROL_ENGINE_RESET);
	/* The hardware has cancelled all, and its head is at the tail now. */
	primegpu_engine_collect(engine, &done);
	while (engine->head != engine->tail)
		primegpu_engine_retire(engine, -ECANCELED, &done);
	spin_unlock_irqrestore(&engine->lock, flags);
	drm_dev_exit(idx);
	primegpu_engine_signal(&done);
}

/* Gives a job to the hardware; a new reference to its fence, or an error. */
struct dma_fence *primegpu_engine_run(struct primegpu_engine *engine,
				      struct primegpu_job *job)
{
	struct primegpu_device *pgpu = engine->pgpu;
	size_t size = primegpu_cmd_ops_size(job->op_count);
	struct dma_fence *fence;
	struct primegpu_slot *slot;
	unsigned long flags;
	dma_addr_t dma;
	int idx;

	if (!drm_dev_enter(&pgpu->drm, &idx))
		return ERR_PTR(-ENODEV);
	dma = dma_map_single(pgpu->drm.dev, job->ops, size, DMA_TO_DEVICE);
	if (dma_mapping_error(pgpu->drm.dev, dma)) {
		drm_dev_exit(idx);
		return ERR_PTR(-ENOMEM);
	}

	spin_lock_irqsave(&engine->lock, flags);
	slot = &engine->slots[engine->tail];
	primegpu_fence_init(job->fence, engine->fence_context, ++engine->seqno);
	fence = dma_fence_get(&job->fence->base);
	slot->fence = job->fence;
	slot->dma = dma;
	slot->size = size;
	job->fence = NULL;
	primegpu_cmd_pack_job(primegpu_engine_entry(engine, engine->tail), job,
			      engine->seqno, dma);
	engine->tail = primegpu_engine_after(engine->tail);
	trace_primegpu_job_submit(pgpu->device_id, engine->seqno, job->client,
				  job->op_count);
	dma_wmb();
	primegpu_write(pgpu, PRIMEGPU_REG_ENGINE_TAIL, engine->tail);
	spin_unlock_irqrestore(&engine->lock, flags);
	drm_dev_exit(idx);
	return fence;
}

int primegpu_engine_init(struct primegpu_device *pgpu)
{
	struct device *dev = pgpu->drm.dev;
	struct primegpu_engine *engine;

	engine = drmm_kzalloc(&pgpu->drm, sizeof(*engine), GFP_KERNEL);
	if (!engine)
		return -ENOMEM;
	engine->pgpu = pgpu;
	spin_lock_init(&engine->lock);
	engine->fence_context = dma_fence_context_alloc(1);
	engine->entries = dmam_alloc_coherent(dev, PRIMEGPU_ENGINE_SLOTS *
					      PRIMEGPU_RING_ENTRY_SIZE,
					      &engine->dma, GFP_KERNEL);
	if (!engine->entries)
		return -ENOMEM;
	engine->writeback = dmam_alloc_coherent(dev, sizeof(*engine->writeback),
						&engine->writeback_dma,
						GFP_KERNEL);
	if (!engine->writeback)
		return -ENOMEM;

	primegpu_write64(pgpu, PRIMEGPU_REG_ENGINE_BASE_LO,
			 PRIMEGPU_REG_ENGINE_BASE_HI, engine->dma);
	primegpu_write(pgpu, PRIMEGPU_REG_ENGINE_ORDER, PRIMEGPU_ENGINE_ORDER);
	primegpu_write64(pgpu, PRIMEGPU_REG_ENGINE_WB_LO,
			 PRIMEGPU_REG_ENGINE_WB_HI, engine->writeback_dma);
	pgpu->engine = engine;
	return primegpu_sched_init(pgpu);
}
