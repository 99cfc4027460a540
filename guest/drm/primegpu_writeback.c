// SPDX-License-Identifier: GPL-2.0-or-later
/* Writeback connectors: the frame of a commit is written to a framebuffer. */
#include <linux/dma-resv.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_atomic_state_helper.h>
#include <drm/drm_edid.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_probe_helper.h>

#include "primegpu_display.h"

static const u32 primegpu_writeback_formats[] = {
	DRM_FORMAT_XRGB8888,
	DRM_FORMAT_ARGB8888,
	DRM_FORMAT_XBGR8888,
	DRM_FORMAT_ABGR8888,
};

static int primegpu_writeback_get_modes(struct drm_connector *connector)
{
	return drm_add_modes_noedid(connector, PRIMEGPU_MODE_SIZE_MAX,
				    PRIMEGPU_MODE_SIZE_MAX);
}

static int primegpu_writeback_atomic_check(struct drm_connector *connector,
					   struct drm_atomic_state *state)
{
	struct drm_connector_state *new =
		drm_atomic_get_new_connector_state(state, connector);
	const struct drm_crtc_state *crtc_state;
	const struct drm_framebuffer *fb;

	if (!new->crtc || !new->writeback_job || !new->writeback_job->fb)
		return 0;
	fb = new->writeback_job->fb;
	crtc_state = drm_atomic_get_new_crtc_state(state, new->crtc);
	if (fb->width != crtc_state->mode.hdisplay ||
	    fb->height != crtc_state->mode.vdisplay)
		return -EINVAL;
	if (fb->offsets[0] % fb->format->cpp[0] ||
	    fb->pitches[0] % fb->format->cpp[0])
		return -EINVAL;
	return drm_atomic_helper_check_wb_connector_state(connector, state);
}

static int primegpu_writeback_prepare(struct drm_writeback_connector *writeback,
				      struct drm_writeback_job *job)
{
	return job->fb ? primegpu_fb_pin(job->fb) : 0;
}

static void primegpu_writeback_cleanup(struct drm_writeback_connector *writeback,
				       struct drm_writeback_job *job)
{
	if (job->fb)
		primegpu_fb_unpin(job->fb);
}

/* The flush that follows sends it. */
static void primegpu_writeback_atomic_commit(struct drm_connector *connector,
					     struct drm_atomic_state *state)
{
	struct drm_connector_state *new =
		drm_atomic_get_new_connector_state(state, connector);
	struct drm_writeback_connector *writeback =
		drm_connector_to_writeback(connector);
	struct primegpu_output *output =
		container_of(writeback, struct primegpu_output, writeback);
	struct drm_framebuffer *fb = new->writeback_job->fb;

	/* Nobody else may use what is about to be overwritten. */
	dma_resv_wait_timeout(fb->obj[0]->resv, DMA_RESV_USAGE_READ, false,
			      MAX_SCHEDULE_TIMEOUT);
	drm_writeback_queue_job(writeback, new);
	spin_lock_irq(&connector->dev->event_lock);
	output->writeback_pending = true;
	spin_unlock_irq(&connector->dev->event_lock);
	output->commit.writeback = fb;
}

/* Ends the job that is at the hardware, if there is one. */
void primegpu_writeback_done(struct primegpu_output *output, int error)
{
	struct drm_device *drm = output->crtc.dev;
	unsigned long flags;
	bool pending;

	spin_lock_irqsave(&drm->event_lock, flags);
	pending = output->writeback_pending;
	output->writeback_pending = false;
	spin_unlock_irqrestore(&drm->event_lock, flags);
	if (pending)
		drm_writeback_signal_completion(&output->writeback, error);
}

static const struct drm_connector_helper_funcs
primegpu_writeback_helper_funcs = {
	.get_modes = primegpu_writeback_get_modes,
	.atomic_check = primegpu_writeback_atomic_check,
	.atomic_commit = primegpu_writeback_atomic_commit,
	.prepare_writeback_job = primegpu_writeback_prepare,
	.cleanup_writeback_job = primegpu_writeback_cleanup,
};

static const struct drm_connector_funcs primegpu_writeback_funcs = {
	.fill_modes = drm_helper_probe_single_connector_modes,
	.destroy = drm_connector_cleanup,
	.reset = drm_atomic_helper_connector_reset,
	.atomic_duplicate_state = drm_atomic_helper_connector_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_connector_destroy_state,
};

int primegpu_writeback_init(struct primegpu_output *output)
{
	int ret;

	ret = drm_writeback_connector_init(&output->pgpu->drm,
					   &output->writeback,
					   &primegpu_writeback_funcs, NULL,
					   primegpu_writeback_formats,
					   ARRAY_SIZE(primegpu_writeback_formats),
					   drm_crtc_mask(&output->crtc));
	if (ret)
		return ret;
	drm_connector_helper_add(&output->writeback.base,
				 &primegpu_writeback_helper_funcs);
	return 0;
}
