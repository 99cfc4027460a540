// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CRTCs. An atomic commit is one COMMIT for each CRTC: its planes add
 * themselves to it, and the flush sends it.
 */
#include <drm/drm_atomic_helper.h>
#include <drm/drm_atomic_state_helper.h>
#include <drm/drm_color_mgmt.h>
#include <drm/drm_modes.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_print.h>
#include <drm/drm_vblank.h>

#include "primegpu_display.h"

static enum drm_mode_status
primegpu_crtc_mode_valid(struct drm_crtc *crtc,
			 const struct drm_display_mode *mode)
{
	u64 pixels = (u64)mode->htotal * mode->vtotal;
	u64 frame_ns;

	if (mode->flags & (DRM_MODE_FLAG_INTERLACE | DRM_MODE_FLAG_DBLSCAN))
		return MODE_NO_INTERLACE;
	if (mode->hdisplay > PRIMEGPU_MODE_SIZE_MAX)
		return MODE_BAD_HVALUE;
	if (mode->vdisplay > PRIMEGPU_MODE_SIZE_MAX)
		return MODE_BAD_VVALUE;
	if (mode->htotal <= mode->hdisplay)
		return MODE_H_ILLEGAL;
	if (mode->vtotal <= mode->vdisplay)
		return MODE_V_ILLEGAL;
	if (mode->clock <= 0)
		return MODE_CLOCK_LOW;
	frame_ns = div_u64(pixels * USEC_PER_SEC, mode->clock);
	if (frame_ns > PRIMEGPU_MODE_FRAME_NS_MAX)
		return MODE_CLOCK_LOW;
	if (frame_ns < PRIMEGPU_MODE_FRAME_NS_MIN)
		return MODE_CLOCK_HIGH;
	return MODE_OK;
}

static bool primegpu_crtc_lut_fits(const struct drm_property_blob *lut)
{
	return !lut || drm_color_lut_size(lut) == PRIMEGPU_LUT_SIZE;
}

static int primegpu_crtc_atomic_check(struct drm_crtc *crtc,
				      struct drm_atomic_state *state)
{
	struct drm_crtc_state *new =
		drm_atomic_get_new_crtc_state(state, crtc);

	if (!primegpu_crtc_lut_fits(new->degamma_lut) ||
	    !primegpu_crtc_lut_fits(new->gamma_lut))
		return -EINVAL;
	return 0;
}

static void primegpu_crtc_set_mode(struct drm_crtc *crtc,
				   const struct drm_display_mode *mode)
{
	int ret = primegpu_cmd_mode(crtc_to_primegpu_output(crtc), mode);

	if (ret && ret != -ENODEV)
		drm_err(crtc->dev, "%s: mode: %d\n", crtc->name, ret);
}

static void primegpu_crtc_atomic_enable(struct drm_crtc *crtc,
					struct drm_atomic_state *state)
{
	const struct drm_crtc_state *new =
		drm_atomic_get_new_crtc_state(state, crtc);

	primegpu_crtc_set_mode(crtc, &new->adjusted_mode);
	drm_crtc_vblank_on(crtc);
}

static void primegpu_crtc_send_event(struct drm_crtc *crtc,
				     struct drm_pending_vblank_event *event)
{
	spin_lock_irq(&crtc->dev->event_lock);
	drm_crtc_send_vblank_event(crtc, event);
	spin_unlock_irq(&crtc->dev->event_lock);
}

static void primegpu_crtc_atomic_disable(struct drm_crtc *crtc,
					 struct drm_atomic_state *state)
{
	struct drm_crtc_state *new = drm_atomic_get_new_crtc_state(state, crtc);
	struct primegpu_output *output = crtc_to_primegpu_output(crtc);

	/* Those who wait for the event hear when the last frame has ended. */
	if (!new->active)
		primegpu_vblank_wait_frame(output);
	drm_crtc_vblank_off(crtc);
	primegpu_crtc_set_mode(crtc, NULL);
	primegpu_vblank_cancel(output);
	/* If it goes on with another mode, the flush takes care of it. */
	if (!new->event || new->active)
		return;
	primegpu_crtc_send_event(crtc, new->event);
	new->event = NULL;
}

static void primegpu_crtc_atomic_begin(struct drm_crtc *crtc,
				       struct drm_atomic_state *state)
{
	const struct drm_crtc_state *new =
		drm_atomic_get_new_crtc_state(state, crtc);
	struct primegpu_output *output = crtc_to_primegpu_output(crtc);
	struct drm_framebuffer *writeback = output->commit.writeback;

	output->commit = (struct primegpu_commit) {
		.output = output->index,
		.async = new->async_flip,
		.writeback = writeback,
	};
	if (new->color_mgmt_changed || drm_atomic_crtc_needs_modeset(new))
		output->commit.color = new;
}

/* Its event, if it has one, is sent in any case. */
static void primegpu_crtc_send(struct primegpu_output *output,
			       const struct primegpu_commit *commit)
{
	int ret = primegpu_cmd_commit(output->pgpu, commit);

	if (!ret)
		return;
	if (ret != -ENODEV)
		drm_err(&output->pgpu->drm, "%s: commit: %d\n",
			output->crtc.name, ret);
	else if (commit->event)
		primegpu_vblank_arm(output, commit->event, 0);
	primegpu_vblank_cancel(output);
}

static void primegpu_crtc_atomic_flush(struct drm_crtc *crtc,
				       struct drm_atomic_state *state)
{
	struct drm_crtc_state *new = drm_atomic_get_new_crtc_state(state, crtc);
	struct primegpu_output *output = crtc_to_primegpu_output(crtc);

	mutex_lock(&output->lock);
	if (new->event) {
		/* Without vertical blanks the device is gone. */
		if (drm_crtc_vblank_get(crtc)) {
			primegpu_crtc_send_event(crtc, new->event);
		} else {
			to_primegpu_atomic_state(state)->flips++;
			output->commit.event = new->event;
		}
		new->event = NULL;
	}
	primegpu_crtc_send(output, &output->commit);
	mutex_unlock(&output->lock);
	output->commit.writeback = NULL;
}

static const struct drm_crtc_helper_funcs primegpu_crtc_helper_funcs = {
	.mode_valid = primegpu_crtc_mode_valid,
	.atomic_check = primegpu_crtc_atomic_check,
	.atomic_begin = primegpu_crtc_atomic_begin,
	.atomic_flush = primegpu_crtc_atomic_flush,
	.atomic_enable = primegpu_crtc_atomic_enable,
	.atomic_disable = primegpu_crtc_atomic_disable,
	.get_scanout_position = primegpu_vblank_scanout_position,
};

static const struct drm_crtc_funcs primegpu_crtc_funcs = {
	.reset = drm_atomic_helper_crtc_reset,
	.set_config = drm_atomic_helper_set_config,
	.page_flip = drm_atomic_helper_page_flip,
	.atomic_duplicate_state = drm_atomic_helper_crtc_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_crtc_destroy_state,
	.enable_vblank = primegpu_vblank_enable,
	.disable_vblank = primegpu_vblank_disable,
	.get_vblank_counter = primegpu_vblank_counter,
	.get_vblank_timestamp = primegpu_vblank_timestamp,
	.get_crc_sources = primegpu_crc_sources,
	.verify_crc_source = primegpu_crc_verify,
	.set_crc_source = primegpu_crc_set,
};

/* The CRTC of an output and its planes, lowest first */
int primegpu_crtc_init(struct primegpu_output *output)
{
	struct drm_device *drm = &output->pgpu->drm;
	struct drm_plane *primary, *overlay, *cursor;
	int ret;

	primary = primegpu_plane_create(output, 0, DRM_PLANE_TYPE_PRIMARY);
	if (IS_ERR(primary))
		return PTR_ERR(primary);
	overlay = primegpu_plane_create(output, 1, DRM_PLANE_TYPE_OVERLAY);
	if (IS_ERR(overlay))
		return PTR_ERR(overlay);
	cursor = primegpu_plane_create(output, 2, DRM_PLANE_TYPE_CURSOR);
	if (IS_ERR(cursor))
		return PTR_ERR(cursor);

	ret = drmm_crtc_init_with_planes(drm, &output->crtc, primary, cursor,
					 &primegpu_crtc_funcs, NULL);
	if (ret)
		return ret;
	drm_crtc_helper_add(&output->crtc, &primegpu_crtc_helper_funcs);
	ret = drm_mode_crtc_set_gamma_size(&output->crtc, PRIMEGPU_LUT_SIZE);
	if (ret)
		return ret;
	drm_crtc_enable_color_mgmt(&output->crtc, PRIMEGPU_LUT_SIZE, true,
				   PRIMEGPU_LUT_SIZE);
	return 0;
}
