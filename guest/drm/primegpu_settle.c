// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Settling: returns when everything that can be released has been released.
 *
 * What is released late: a job's references, by the scheduler's worker; what a
 * flip has replaced, by the helper's; a BO of TTM, by TTM's; a file whose last
 * put came from a worker, by the next tick. One can set off the next, on
 * another device too, so this goes round all devices until a round changes
 * nothing.
 */
#include <linux/anon_inodes.h>
#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>

#include "primegpu_internal.h"

/* More rounds than any chain of releases is long */
#define PRIMEGPU_SETTLE_ROUNDS		64

/* How long a worker may take */
#define PRIMEGPU_SETTLE_WORKER_MS	1000

/* Guards the list of registered devices. */
static DEFINE_MUTEX(primegpu_settle_lock);
static LIST_HEAD(primegpu_settle_devices);

/* Rises with each release. */
static atomic_t primegpu_settle_releases = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(primegpu_settle_released);

/* To be called after each release that settling may wait for. */
void primegpu_settle_note(void)
{
	atomic_inc(&primegpu_settle_releases);
	wake_up_all(&primegpu_settle_released);
}

void primegpu_settle_add(struct primegpu_device *pgpu)
{
	mutex_lock(&primegpu_settle_lock);
	list_add_tail(&pgpu->link, &primegpu_settle_devices);
	mutex_unlock(&primegpu_settle_lock);
}

void primegpu_settle_remove(struct primegpu_device *pgpu)
{
	mutex_lock(&primegpu_settle_lock);
	list_del_init(&pgpu->link);
	mutex_unlock(&primegpu_settle_lock);
}

/* Is there a BO that nothing but a worker keeps? */
static bool primegpu_settle_can_release(struct primegpu_device *pgpu)
{
	struct primegpu_bo *bo;
	bool found = false;

	spin_lock(&pgpu->bo_lock);
	list_for_each_entry(bo, &pgpu->dying, dying_link) {
		if (!bo->live ||
		    dma_resv_test_signaled(bo->gem->resv,
					   DMA_RESV_USAGE_BOOKKEEP)) {
			found = true;
			break;
		}
	}
	spin_unlock(&pgpu->bo_lock);
	return found;
}

static bool primegpu_settle_is_quiet(void)
{
	struct primegpu_device *pgpu;

	lockdep_assert_held(&primegpu_settle_lock);
	list_for_each_entry(pgpu, &primegpu_settle_devices, link) {
		if (atomic_read(&pgpu->engine->unreaped) ||
		    !primegpu_kms_is_quiet(pgpu) ||
		    primegpu_settle_can_release(pgpu))
			return false;
	}
	return true;
}

static bool primegpu_settle_is_idle(void)
{
	struct primegpu_device *pgpu;

	lockdep_assert_held(&primegpu_settle_lock);
	list_for_each_entry(pgpu, &primegpu_settle_devices, link) {
		if (atomic_read(&pgpu->engine->jobs))
			return false;
	}
	return true;
}

static int primegpu_settle_file_release(struct inode *inode, struct file *file)
{
	complete(file->private_data);
	return 0;
}

static const struct file_operations primegpu_settle_fops = {
	.owner = THIS_MODULE,
	.release = primegpu_settle_file_release,
};

/*
 * Waits until files whose last put came from a worker are released. A flush
 * takes those that nobody has begun with. For those that fput()'s worker has
 * taken, a file of ours goes the same way: one work is not run twice at a time.
 */
static void primegpu_settle_files(void)
{
	DECLARE_COMPLETION_ONSTACK(released);
	struct file *file;

	flush_delayed_fput();
	file = anon_inode_getfile("[primegpu-settle]", &primegpu_settle_fops,
				  &released, 0);
	if (IS_ERR(file)) {
		schedule_timeout_uninterruptible(2);
	} else {
		/* As in an interrupt, whose files are left to the worker */
		local_bh_disable();
		fput(file);
		local_bh_enable();
		wait_for_completion(&released);
	}
	flush_delayed_fput();
}

/* One round; 1 if it released something. */
static int primegpu_settle_round(void)
{
	int before = atomic_read(&primegpu_settle_releases);
	struct primegpu_device *pgpu;
	long left;

	/*
	 * A completion whose interrupt is on its way counts as done, and one
	 * that is being handled elsewhere has counted its jobs after this.
	 */
	list_for_each_entry(pgpu, &primegpu_settle_devices, link) {
		primegpu_engine_process(pgpu->engine);
		primegpu_irq_sync(pgpu);
	}
	left = wait_event_interruptible_timeout(primegpu_settle_released,
						primegpu_settle_is_quiet(),
						msecs_to_jiffies(PRIMEGPU_SETTLE_WORKER_MS));
	if (left < 0)
		return left;
	primegpu_settle_files();
	return atomic_read(&primegpu_settle_releases) != before ||
	       !primegpu_settle_is_quiet();
}

/* Waits a while for BOs that only workers keep. */
void primegpu_settle_wait_dying(struct primegpu_device *pgpu)
{
	wait_event_timeout(primegpu_settle_released,
			   list_empty_careful(&pgpu->dying),
			   msecs_to_jiffies(PRIMEGPU_SETTLE_WORKER_MS));
}

/* Waits up to @wait_ms for the jobs of one device, with no new ones coming. */
int primegpu_settle_wait_jobs(struct primegpu_device *pgpu,
			      unsigned int wait_ms)
{
	return wait_event_timeout(primegpu_settle_released,
				  !atomic_read(&pgpu->engine->jobs),
				  msecs_to_jiffies(wait_ms)) ? 0 : -EBUSY;
}

/* Waits up to @wait_ms for jobs that are not done, then settles. */
int primegpu_settle(unsigned int wait_ms)
{
	int ret, rounds = 0;
	long left;

	ret = mutex_lock_interruptible(&primegpu_settle_lock);
	if (ret)
		return ret;
	left = wait_event_interruptible_timeout(primegpu_settle_released,
						primegpu_settle_is_idle(),
						msecs_to_jiffies(wait_ms));
	if (left < 0) {
		ret = left;
		goto out_unlock;
	}
	do {
		ret = primegpu_settle_round();
	} while (ret > 0 && ++rounds < PRIMEGPU_SETTLE_ROUNDS);

out_unlock:
	mutex_unlock(&primegpu_settle_lock);
	return min(ret, 0);
}
