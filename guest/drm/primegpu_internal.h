/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the core share with each other and with nobody else. */
#ifndef PRIMEGPU_INTERNAL_H
#define PRIMEGPU_INTERNAL_H

#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>
#include <drm/gpu_scheduler.h>

#include "primegpu_abi.h"
#include "primegpu_core.h"

#define PRIMEGPU_CTRL_ORDER	8
#define PRIMEGPU_ENGINE_ORDER	6
#define PRIMEGPU_ENGINE_SLOTS	(1 << PRIMEGPU_ENGINE_ORDER)

/**
 * struct primegpu_ring - the control ring
 *
 * Commands are run before the doorbell write returns, so every user takes
 * @lock, writes, rings and reads the results before it lets go.
 */
struct primegpu_ring {
	/** @lock: guards all members; nests inside every other lock */
	spinlock_t lock;
	/** @entries: the ring's memory */
	void *entries;
	/** @dma: bus address of @entries */
	dma_addr_t dma;
	/** @sg: scatter table of the BO_ATTACH that is being run */
	void *sg;
	/** @sg_dma: bus address of @sg */
	dma_addr_t sg_dma;
	/** @tables: of the COMMIT that is being run; NULL without display */
	void *tables;
	/** @tables_dma: bus address of @tables */
	dma_addr_t tables_dma;
	/** @first: the first entry whose result was not looked at yet */
	u32 first;
	/** @tail: the next entry to write */
	u32 tail;
	/** @seqno: of the last entry */
	u64 seqno;
	/** @next_key: of the next BO */
	u64 next_key;
	/** @broken: the device did not answer; no further commands */
	bool broken;
	/** @stopped: the device was reset for good, and has forgotten all BOs */
	bool stopped;
};

/**
 * struct primegpu_slot - a job that the hardware has
 */
struct primegpu_slot {
	/** @fence: signalled when the job is done; a reference */
	struct primegpu_fence *fence;
	/** @dma: bus address of its operations */
	dma_addr_t dma;
	/** @size: of the operations */
	size_t size;
};

/**
 * struct primegpu_engine - the engine ring and its scheduler
 */
struct primegpu_engine {
	/** @pgpu: the device */
	struct primegpu_device *pgpu;
	/** @lock: guards the ring; taken in interrupts */
	spinlock_t lock;
	/** @entries: the ring's memory */
	void *entries;
	/** @dma: bus address of @entries */
	dma_addr_t dma;
	/** @writeback: the device's last completed sequence number */
	__le64 *writeback;
	/** @writeback_dma: bus address of @writeback */
	dma_addr_t writeback_dma;
	/** @head: the oldest job that is not done */
	u32 head;
	/** @tail: the next entry to write */
	u32 tail;
	/** @seqno: of the last job */
	u64 seqno;
	/** @slots: the jobs between @head and @tail */
	struct primegpu_slot slots[PRIMEGPU_ENGINE_SLOTS];
	/** @fence_context: of the hardware fences */
	u64 fence_context;
	/** @sched: feeds the ring */
	struct drm_gpu_scheduler sched;
	/** @jobs: jobs that were pushed and not freed yet */
	atomic_t jobs;
	/** @unreaped: those of @jobs that are finished */
	atomic_t unreaped;
};

/**
 * struct primegpu_fence - a job's fence of the hardware
 */
struct primegpu_fence {
	/** @base: the fence */
	struct dma_fence base;
	/** @lock: of the fence, which may outlive its device */
	spinlock_t lock;
	/** @link: while it waits to be signalled */
	struct list_head link;
};

/**
 * struct primegpu_file - an open DRM file
 */
struct primegpu_file {
	/** @client: the hardware's id of this file, never 0, never used again */
	u32 client;
	/** @entity: the file's queue of jobs */
	struct drm_sched_entity entity;
};

/**
 * struct primegpu_client - a BO in a client
 *
 * The hardware refuses a job that names a BO that is not open in the job's
 * client. So the last BO_CLOSE is put off until the client's jobs that name
 * the BO are done.
 */
struct primegpu_client {
	/** @link: in &primegpu_bo.clients */
	struct list_head link;
	/** @id: of the client */
	u32 id;
	/** @handles: the client's handles to the BO */
	u32 handles;
	/** @jobs: jobs in flight that name the BO */
	u32 jobs;
	/** @close_pending: one BO_CLOSE waits for the jobs */
	bool close_pending;
};

/**
 * struct primegpu_job_bo - a BO that a job names
 */
struct primegpu_job_bo {
	/** @gem: a reference */
	struct drm_gem_object *gem;
	/** @client: keeps the BO open */
	struct primegpu_client *client;
	/** @handle: by which the job named it */
	u32 handle;
	/** @write: the job writes to it */
	bool write;
};

/**
 * struct primegpu_job - a job from submit until it is freed
 */
struct primegpu_job {
	/** @base: the scheduler's part; initialized last */
	struct drm_sched_job base;
	/** @pgpu: the device */
	struct primegpu_device *pgpu;
	/** @fence: allocated at submit, since run_job must not allocate */
	struct primegpu_fence *fence;
	/** @ops: in the hardware's format */
	void *ops;
	/** @op_count: number of @ops */
	u32 op_count;
	/** @client: the hardware's id of the file */
	u32 client;
	/** @explicit_sync: user space orders the job */
	bool explicit_sync;
	/** @bos: what the job names, each object's handle once */
	struct primegpu_job_bo *bos;
	/** @bo_count: number of @bos */
	u32 bo_count;
	/** @finished: counts the job as unreaped */
	struct dma_fence_cb finished;
};

static inline u32 primegpu_read(struct primegpu_device *pgpu,
				enum primegpu_reg reg)
{
	return readl(pgpu->regs + reg);
}

static inline void primegpu_write(struct primegpu_device *pgpu,
				  enum primegpu_reg reg, u32 value)
{
	writel(value, pgpu->regs + reg);
}

static inline u64 primegpu_read64(struct primegpu_device *pgpu,
				  enum primegpu_reg lo, enum primegpu_reg hi)
{
	return primegpu_read(pgpu, lo) | (u64)primegpu_read(pgpu, hi) << 32;
}

static inline void primegpu_write64(struct primegpu_device *pgpu,
				    enum primegpu_reg lo, enum primegpu_reg hi,
				    u64 value)
{
	primegpu_write(pgpu, lo, lower_32_bits(value));
	primegpu_write(pgpu, hi, upper_32_bits(value));
}

static inline struct primegpu_bo *to_primegpu_bo(struct drm_gem_object *gem)
{
	return to_primegpu_device(gem->dev)->backend->to_bo(gem);
}

/* Control ring */
int primegpu_ring_init(struct primegpu_device *pgpu);
void *primegpu_ring_next(struct primegpu_ring *ring);
u32 primegpu_ring_pending(const struct primegpu_ring *ring);
void *primegpu_ring_reap(struct primegpu_ring *ring);

/* Wire format */
u64 primegpu_cmd_bo_create(struct primegpu_device *pgpu, size_t size,
			   bool import, u64 exporter_key, int *err);
int primegpu_cmd_bo_open(struct primegpu_bo *bo, u32 client);
int primegpu_cmd_bo_close(struct primegpu_bo *bo, u32 client);
int primegpu_cmd_bo_attach_sgt(struct primegpu_bo *bo, struct sg_table *sgt);
int primegpu_cmd_bo_detach(struct primegpu_bo *bo);
int primegpu_cmd_bo_place(struct primegpu_bo *bo,
			  enum primegpu_location location, u64 offset);
int primegpu_cmd_bo_destroy(struct primegpu_bo *bo);
size_t primegpu_cmd_ops_size(u32 count);
void primegpu_cmd_pack_op(void *ops, u32 index,
			  const struct drm_primegpu_op *op,
			  u64 dst_key, u64 src_key);
void primegpu_cmd_pack_job(void *entry, const struct primegpu_job *job,
			   u64 seqno, dma_addr_t ops);
u32 primegpu_cmd_status(const void *entry);

/* BOs in clients */
struct primegpu_client *primegpu_bo_job_get(struct primegpu_bo *bo, u32 client);
void primegpu_bo_job_put(struct primegpu_bo *bo, struct primegpu_client *client);
void primegpu_bo_unplug_all(struct primegpu_device *pgpu);

/* Imports */
u64 primegpu_import_exporter_key(struct dma_buf *dmabuf);
int primegpu_import_map(struct primegpu_bo *bo);
int primegpu_import_pin(struct primegpu_bo *bo);
void primegpu_import_unpin(struct primegpu_bo *bo);

/* Engine */
int primegpu_engine_init(struct primegpu_device *pgpu);
struct dma_fence *primegpu_engine_run(struct primegpu_engine *engine,
				      struct primegpu_job *job);
void primegpu_engine_process(struct primegpu_engine *engine);
int primegpu_engine_wait_idle(struct primegpu_engine *engine,
			      unsigned int timeout_ms);
void primegpu_engine_cancel(struct primegpu_engine *engine, int error);
void primegpu_engine_reset(struct primegpu_engine *engine);

struct primegpu_fence *primegpu_fence_alloc(void);
void primegpu_fence_init(struct primegpu_fence *fence, u64 context, u64 seqno);
void primegpu_fence_free(struct primegpu_fence *fence);

int primegpu_sched_init(struct primegpu_device *pgpu);
unsigned long primegpu_sched_timeout(void);

/* Jobs */
struct primegpu_job *primegpu_job_create(struct primegpu_device *pgpu,
					 struct drm_file *file,
					 const struct drm_primegpu_submit *args);
void primegpu_job_free(struct primegpu_job *job);
int primegpu_job_load(struct primegpu_job *job, struct drm_file *file,
		      const struct drm_primegpu_submit *args);

/* Explicit synchronisation of a submit call */
struct primegpu_sync;

struct primegpu_sync *primegpu_sync_create(struct drm_file *file,
					   const struct drm_primegpu_submit *args);
void primegpu_sync_free(struct primegpu_sync *sync);
int primegpu_sync_add_waits(struct primegpu_sync *sync,
			    struct primegpu_job *job);
int primegpu_sync_signal(struct primegpu_sync *sync, struct dma_fence *fence,
			 struct drm_primegpu_submit *args);

/* Device */
int primegpu_irq_init(struct primegpu_device *pgpu);
void primegpu_irq_poll(struct primegpu_device *pgpu);
void primegpu_irq_sync(struct primegpu_device *pgpu);
void primegpu_cmd_hide(struct primegpu_bo *bo);
int primegpu_kms_init(struct primegpu_device *pgpu);
void primegpu_kms_shutdown(struct primegpu_device *pgpu);
void primegpu_kms_unplug(struct primegpu_device *pgpu);
int primegpu_kms_suspend(struct primegpu_device *pgpu);
void primegpu_kms_resume(struct primegpu_device *pgpu);
bool primegpu_kms_is_quiet(struct primegpu_device *pgpu);
int primegpu_settle(unsigned int wait_ms);
int primegpu_settle_wait_jobs(struct primegpu_device *pgpu,
			      unsigned int wait_ms);
void primegpu_settle_note(void);
void primegpu_settle_wait_dying(struct primegpu_device *pgpu);
void primegpu_settle_add(struct primegpu_device *pgpu);
void primegpu_settle_remove(struct primegpu_device *pgpu);

/* Ioctls and debugfs */
int primegpu_ioctl_submit(struct drm_device *drm, void *data,
			  struct drm_file *file);

#endif /* PRIMEGPU_INTERNAL_H */
