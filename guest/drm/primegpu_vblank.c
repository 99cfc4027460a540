// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupts of the outputs, and what waits for them: vertical blanks, the
 * event of the commit that is at the hardware, the writeback job and CRCs.
 *
 * A commit's event waits from before the doorbell on, so that the interrupt of
 * the latch finds it.
 */
#include <linux/bitfield.h>
#include <linux/interrupt.h>
#include <linux/pci.h>

#include <drm/drm_drv.h>
#include <drm/drm_vblank.h>

#include "primegpu_display.h"
#include "primegpu_trace.h"

/* All but the vertical blank, which comes when somebody wants it */
#define PRIMEGPU_VBLANK_IRQS	(PRIMEGPU_OUTPUT_IRQ_ALL & \
				 ~PRIMEGPU_OUTPUT_IRQ_VBLANK)

int primegpu_vblank_enable(struct drm_crtc *crtc)
{
	struct primegpu_output *output = crtc_to_primegpu_output(crtc);
	int idx;

	if (!drm_dev_enter(crtc->dev, &idx))
		return -ENODEV;
	/* One that nobody wanted is none. */
	primegpu_output_write(output, PRIMEGPU_OUTPUT_REG_IRQ_STATUS,
			      PRIMEGPU_OUTPUT_IRQ_VBLANK);
	primegpu_output_write(output, PRIMEGPU_OUTPUT_REG_IRQ_ENABLE,
			      PRIMEGPU_OUTPUT_IRQ_ALL);
	drm_dev_exit(idx);
	return 0;
}

void primegpu_vblank_disable(struct drm_crtc *crtc)
{
	int idx;

	if (!drm_dev_enter(crtc->dev, &idx))
		return;
	primegpu_output_write(crtc_to_primegpu_output(crtc),
			      PRIMEGPU_OUTPUT_REG_IRQ_ENABLE,
			      PRIMEGPU_VBLANK_IRQS);
	drm_dev_exit(idx);
}

u32 primegpu_vblank_counter(struct drm_crtc *crtc)
{
	u32 count = 0;
	int idx;

	if (drm_dev_enter(crtc->dev, &idx)) {
		count = primegpu_output_read(crtc_to_primegpu_output(crtc),
					     PRIMEGPU_OUTPUT_REG_VBLANK_COUNT);
		drm_dev_exit(idx);
	}
	return count;
}

/* Lines of the vertical blank count up to the first line that is shown. */
bool primegpu_vblank_scanout_position(struct drm_crtc *crtc, bool in_irq,
				      int *vpos, int *hpos, ktime_t *stime,
				      ktime_t *etime,
				      const struct drm_display_mode *mode)
{
	u32 position;
	int idx;

	if (!drm_dev_enter(crtc->dev, &idx))
		return false;
	*stime = ktime_get();
	position = primegpu_output_read(crtc_to_primegpu_output(crtc),
					PRIMEGPU_OUTPUT_REG_SCANPOS);
	*etime = ktime_get();
	drm_dev_exit(idx);

	*hpos = FIELD_GET(PRIMEGPU_SCANPOS_PIXEL, position);
	*vpos = FIELD_GET(PRIMEGPU_SCANPOS_LINE, position);
	if (*vpos >= mode->vdisplay)
		*vpos -= mode->vtotal;
	return true;
}

/*
 * The core asks for the deadline of a commit that has to wait until another one
 * has turned the CRTC on; the helper would warn that there is no mode yet.
 */
bool primegpu_vblank_timestamp(struct drm_crtc *crtc, int *max_error,
			       ktime_t *time, bool in_irq)
{
	if (!drm_crtc_vblank_crtc(crtc)->hwmode.crtc_clock)
		return false;
	return drm_crtc_vblank_helper_get_vblank_timestamp(crtc, max_error,
							   time, in_irq);
}

/*
 * Waits until the frame that is being shown has ended, and no longer than two
 * frames last: a device that is taken away has no more of them, which
 * drm_crtc_wait_one_vblank() would warn of.
 */
void primegpu_vblank_wait_frame(struct primegpu_output *output)
{
	struct drm_crtc *crtc = &output->crtc;
	u64 frame_ns = drm_crtc_vblank_crtc(crtc)->framedur_ns;
	u64 last;

	if (drm_dev_is_unplugged(crtc->dev) || drm_crtc_vblank_get(crtc))
		return;
	last = drm_crtc_vblank_count(crtc);
	wait_event_timeout(*drm_crtc_vblank_waitqueue(crtc),
			   drm_crtc_vblank_count(crtc) != last,
			   nsecs_to_jiffies(2 * frame_ns) + 1);
	drm_crtc_vblank_put(crtc);
}

/* The event's vblank reference goes with it. */
static void primegpu_vblank_send(struct primegpu_output *output)
{
	struct drm_crtc *crtc = &output->crtc;

	lockdep_assert_held(&crtc->dev->event_lock);
	drm_crtc_send_vblank_event(crtc, output->event);
	drm_crtc_vblank_put(crtc);
	output->event = NULL;
	atomic_inc(&output->pgpu->display->finishing);
	wake_up_all(&output->flip_wait);
}

static void primegpu_vblank_flip(struct primegpu_output *output)
{
	struct drm_device *drm = output->crtc.dev;
	unsigned long flags;
	u64 seqno;

	seqno = primegpu_output_read(output, PRIMEGPU_OUTPUT_REG_FLIP_SEQ_LO);
	seqno |= (u64)primegpu_output_read(output,
					   PRIMEGPU_OUTPUT_REG_FLIP_SEQ_HI) << 32;
	trace_primegpu_flip_done(output->pgpu->device_id, seqno, output->index,
				 drm_crtc_vblank_count(&output->crtc));

	spin_lock_irqsave(&drm->event_lock, flags);
	if (output->event && output->event_seqno <= seqno)
		primegpu_vblank_send(output);
	primegpu_retire_latched(output, seqno);
	spin_unlock_irqrestore(&drm->event_lock, flags);
}

/*
 * Makes @event, and a reference to the vblank, wait for COMMIT @seqno, which is
 * about to be sent.
 */
void primegpu_vblank_arm(struct primegpu_output *output,
			 struct drm_pending_vblank_event *event, u64 seqno)
{
	struct drm_device *drm = output->crtc.dev;
	unsigned long flags;

	spin_lock_irqsave(&drm->event_lock, flags);
	drm_WARN_ON(drm, output->event);
	output->event = event;
	output->event_seqno = seqno;
	spin_unlock_irqrestore(&drm->event_lock, flags);
}

/* Sends what waits, since the hardware will not tell. */
void primegpu_vblank_cancel(struct primegpu_output *output)
{
	struct drm_device *drm = output->crtc.dev;

	spin_lock_irq(&drm->event_lock);
	if (output->event)
		primegpu_vblank_send(output);
	primegpu_retire_latched(output, U64_MAX);
	spin_unlock_irq(&drm->event_lock);
	primegpu_writeback_done(output, -EIO);
}

bool primegpu_vblank_flip_pending(struct primegpu_output *output)
{
	return READ_ONCE(output->event);
}

static irqreturn_t primegpu_vblank_output_irq(struct primegpu_output *output)
{
	u32 status = primegpu_output_read(output,
					  PRIMEGPU_OUTPUT_REG_IRQ_STATUS);

	if (!status)
		return IRQ_NONE;
	primegpu_output_write(output, PRIMEGPU_OUTPUT_REG_IRQ_STATUS, status);
	/* First, so that the event of a flip has the new count. */
	if (status & (PRIMEGPU_OUTPUT_IRQ_VBLANK | PRIMEGPU_OUTPUT_IRQ_FLIP))
		drm_crtc_handle_vblank(&output->crtc);
	if (status & PRIMEGPU_OUTPUT_IRQ_FLIP)
		primegpu_vblank_flip(output);
	if (status & PRIMEGPU_OUTPUT_IRQ_WRITEBACK)
		primegpu_writeback_done(output, 0);
	if (status & PRIMEGPU_OUTPUT_IRQ_CRC)
		primegpu_crc_report(output);
	if (status & PRIMEGPU_OUTPUT_IRQ_HOTPLUG)
		schedule_work(&output->hotplug_work);
	return IRQ_HANDLED;
}

static irqreturn_t primegpu_vblank_irq(int irq, void *data)
{
	struct primegpu_device *pgpu = data;
	struct primegpu_display *display = pgpu->display;
	irqreturn_t ret = IRQ_NONE;
	unsigned int i;
	int idx;

	/* Nothing is scheduled any more when the device is unplugged. */
	if (!drm_dev_enter(&pgpu->drm, &idx))
		return IRQ_NONE;
	primegpu_write(pgpu, PRIMEGPU_REG_IRQ_STATUS, PRIMEGPU_IRQ_DISPLAY);
	for (i = 0; i < display->output_count; i++)
		ret |= primegpu_vblank_output_irq(&display->outputs[i]);
	drm_dev_exit(idx);
	return ret;
}

/* After the outputs */
int primegpu_vblank_init(struct primegpu_device *pgpu)
{
	struct primegpu_display *display = pgpu->display;
	struct pci_dev *pdev = to_pci_dev(pgpu->drm.dev);
	unsigned int i;
	int ret;

	ret = drm_vblank_init(&pgpu->drm, display->output_count);
	if (ret)
		return ret;
	pgpu->drm.max_vblank_count = U32_MAX;
	/* Counter and time stamps are the hardware's. */
	pgpu->drm.vblank_disable_immediate = true;
	ret = devm_request_irq(&pdev->dev,
			       pci_irq_vector(pdev, PRIMEGPU_VECTOR_DISPLAY),
			       primegpu_vblank_irq, 0, dev_name(&pdev->dev),
			       pgpu);
	if (ret)
		return ret;
	for (i = 0; i < display->output_count; i++)
		primegpu_output_write(&display->outputs[i],
				      PRIMEGPU_OUTPUT_REG_IRQ_ENABLE,
				      PRIMEGPU_VBLANK_IRQS);
	primegpu_write(pgpu, PRIMEGPU_REG_IRQ_ENABLE,
		       primegpu_read(pgpu, PRIMEGPU_REG_IRQ_ENABLE) |
		       PRIMEGPU_IRQ_DISPLAY);
	return 0;
}
