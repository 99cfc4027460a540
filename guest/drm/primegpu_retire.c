// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Framebuffers that a cursor has replaced while a flip waits for the vertical
 * blank: the hardware shows them until it latches both.
 */
#include <linux/slab.h>

#include <drm/drm_framebuffer.h>

#include "primegpu_display.h"

struct primegpu_retired {
	/** @link: in &primegpu_output.retired or .released */
	struct list_head link;
	/** @fb: pinned, with a reference */
	struct drm_framebuffer *fb;
	/** @seqno: of the COMMIT that replaces it */
	u64 seqno;
};

/* Returns NULL when @fb cannot be kept. */
struct primegpu_retired *primegpu_retire_begin(struct drm_framebuffer *fb)
{
	struct primegpu_retired *retired = kzalloc(sizeof(*retired), GFP_KERNEL);

	if (!retired)
		return NULL;
	if (primegpu_fb_pin(fb)) {
		kfree(retired);
		return NULL;
	}
	drm_framebuffer_get(fb);
	retired->fb = fb;
	return retired;
}

/* For one that does not wait for a COMMIT */
void primegpu_retire_end(struct primegpu_retired *retired)
{
	primegpu_fb_unpin(retired->fb);
	drm_framebuffer_put(retired->fb);
	kfree(retired);
}

/* Waits for COMMIT @seqno, which is about to be sent. */
void primegpu_retire_arm(struct primegpu_output *output,
			 struct primegpu_retired *retired, u64 seqno)
{
	struct drm_device *drm = output->crtc.dev;
	unsigned long flags;

	retired->seqno = seqno;
	spin_lock_irqsave(&drm->event_lock, flags);
	list_add_tail(&retired->link, &output->retired);
	spin_unlock_irqrestore(&drm->event_lock, flags);
}

/* The hardware has latched all up to COMMIT @seqno. */
void primegpu_retire_latched(struct primegpu_output *output, u64 seqno)
{
	struct primegpu_retired *retired, *next;

	lockdep_assert_held(&output->crtc.dev->event_lock);
	list_for_each_entry_safe(retired, next, &output->retired, link) {
		if (retired->seqno > seqno)
			break;
		list_move_tail(&retired->link, &output->released);
		atomic_inc(&output->pgpu->display->finishing);
		schedule_work(&output->retire_work);
	}
}

static void primegpu_retire_work(struct work_struct *work)
{
	struct primegpu_output *output =
		container_of(work, struct primegpu_output, retire_work);
	struct primegpu_retired *retired, *next;
	LIST_HEAD(released);

	spin_lock_irq(&output->crtc.dev->event_lock);
	list_splice_init(&output->released, &released);
	spin_unlock_irq(&output->crtc.dev->event_lock);

	list_for_each_entry_safe(retired, next, &released, link) {
		primegpu_retire_end(retired);
		atomic_dec(&output->pgpu->display->finishing);
		primegpu_settle_note();
	}
}

void primegpu_retire_init(struct primegpu_output *output)
{
	INIT_LIST_HEAD(&output->retired);
	INIT_LIST_HEAD(&output->released);
	INIT_WORK(&output->retire_work, primegpu_retire_work);
}
