// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mode setting as a whole. A device without outputs has framebuffers only.
 *
 * Of what a flip releases, the helpers release some in a worker after the
 * event is sent; it is counted, for those who settle.
 */
#include <linux/slab.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_managed.h>
#include <drm/drm_mode_config.h>
#include <drm/drm_modeset_helper.h>
#include <drm/drm_modeset_helper_vtables.h>

#include "primegpu_display.h"

#define PRIMEGPU_FB_MAX			8192
#define PRIMEGPU_CURSOR_MAX		512

static struct drm_atomic_state *
primegpu_kms_atomic_state_alloc(struct drm_device *drm)
{
	struct primegpu_atomic_state *state;

	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return NULL;
	if (drm_atomic_state_init(drm, &state->base)) {
		kfree(state);
		return NULL;
	}
	return &state->base;
}

/* Framebuffers that the update has replaced are released by now. */
static void primegpu_kms_atomic_state_free(struct drm_atomic_state *base)
{
	struct primegpu_atomic_state *state = to_primegpu_atomic_state(base);
	struct primegpu_device *pgpu = to_primegpu_device(base->dev);

	if (state->flips) {
		atomic_sub(state->flips, &pgpu->display->finishing);
		primegpu_settle_note();
	}
	drm_atomic_state_default_release(base);
	kfree(state);
}

/*
 * Cursors that cannot move at once are waited for like all else: what they
 * have shown before is in use until then.
 */
static int primegpu_kms_atomic_check(struct drm_device *drm,
				     struct drm_atomic_state *state)
{
	int ret = drm_atomic_helper_check(drm, state);

	if (!state->async_update)
		state->legacy_cursor_update = false;
	return ret;
}

/* A mode turns all planes off, so it comes first. */
static void primegpu_kms_atomic_commit_tail(struct drm_atomic_state *state)
{
	struct drm_device *drm = state->dev;

	drm_atomic_helper_commit_modeset_disables(drm, state);
	drm_atomic_helper_commit_modeset_enables(drm, state);
	drm_atomic_helper_commit_planes(drm, state,
					DRM_PLANE_COMMIT_ACTIVE_ONLY);
	drm_atomic_helper_commit_hw_done(state);
	drm_atomic_helper_wait_for_flip_done(drm, state);
	drm_atomic_helper_cleanup_planes(drm, state);
}

static const struct drm_mode_config_funcs primegpu_kms_fb_funcs = {
	.fb_create = drm_gem_fb_create,
};

static const struct drm_mode_config_funcs primegpu_kms_funcs = {
	.fb_create = drm_gem_fb_create_with_dirty,
	.atomic_check = primegpu_kms_atomic_check,
	.atomic_commit = drm_atomic_helper_commit,
	.atomic_state_alloc = primegpu_kms_atomic_state_alloc,
	.atomic_state_clear = drm_atomic_state_default_clear,
	.atomic_state_free = primegpu_kms_atomic_state_free,
};

static const struct drm_mode_config_helper_funcs primegpu_kms_helper_funcs = {
	.atomic_commit_tail = primegpu_kms_atomic_commit_tail,
};

/* Only framebuffers, for others to show */
static int primegpu_kms_init_fb(struct drm_device *drm)
{
	int ret;

	drm->driver_features &= ~DRIVER_ATOMIC;
	ret = drmm_mode_config_init(drm);
	if (ret)
		return ret;
	drm->mode_config.max_width = PRIMEGPU_FB_MAX;
	drm->mode_config.max_height = PRIMEGPU_FB_MAX;
	drm->mode_config.funcs = &primegpu_kms_fb_funcs;
	return 0;
}

static int primegpu_kms_init_config(struct drm_device *drm)
{
	struct drm_mode_config *config = &drm->mode_config;
	int ret;

	ret = drmm_mode_config_init(drm);
	if (ret)
		return ret;
	config->max_width = PRIMEGPU_FB_MAX;
	config->max_height = PRIMEGPU_FB_MAX;
	config->cursor_width = PRIMEGPU_CURSOR_MAX;
	config->cursor_height = PRIMEGPU_CURSOR_MAX;
	config->preferred_depth = 24;
	config->async_page_flip = true;
	config->normalize_zpos = true;
	config->funcs = &primegpu_kms_funcs;
	config->helper_private = &primegpu_kms_helper_funcs;
	return 0;
}

static int primegpu_kms_init_output(struct primegpu_output *output)
{
	int ret;

	mutex_init(&output->lock);
	init_waitqueue_head(&output->flip_wait);
	primegpu_retire_init(output);
	ret = primegpu_crtc_init(output);
	if (ret)
		return ret;
	ret = primegpu_connector_init(output);
	if (ret)
		return ret;
	return primegpu_writeback_init(output);
}

/* The outputs, which live longer than what mode setting cleans up last */
static int primegpu_kms_alloc(struct primegpu_device *pgpu)
{
	unsigned int i, count = primegpu_read(pgpu, PRIMEGPU_REG_OUTPUTS);
	struct primegpu_display *display;

	if (!count || count > PRIMEGPU_OUTPUT_MAX)
		return -ENODEV;
	display = drmm_kzalloc(&pgpu->drm, struct_size(display, outputs, count),
			       GFP_KERNEL);
	if (!display)
		return -ENOMEM;
	display->has_route = (primegpu_read(pgpu, PRIMEGPU_REG_VERSION) &
			      PRIMEGPU_VERSION_MINOR) >=
			     PRIMEGPU_VERSION_MINOR_ROUTE;
	display->output_count = count;
	for (i = 0; i < count; i++) {
		display->outputs[i].pgpu = pgpu;
		display->outputs[i].index = i;
	}
	pgpu->display = display;
	return primegpu_cmd_display_init(pgpu);
}

/*
 * Any number of connectors can show the frame of a CRTC, which can be written
 * back at the same time.
 */
static void primegpu_kms_init_clones(struct drm_device *drm)
{
	struct drm_encoder *encoder, *other;

	drm_for_each_encoder(encoder, drm)
		drm_for_each_encoder(other, drm)
			if (encoder->possible_crtcs & other->possible_crtcs)
				encoder->possible_clones |=
					drm_encoder_mask(other);
}

int primegpu_kms_init(struct primegpu_device *pgpu)
{
	struct drm_device *drm = &pgpu->drm;
	unsigned int i;
	int ret;

	if (!(pgpu->caps & PRIMEGPU_CAPS_DISPLAY))
		return primegpu_kms_init_fb(drm);
	ret = primegpu_kms_alloc(pgpu);
	if (ret)
		return ret;
	ret = primegpu_kms_init_config(drm);
	if (ret)
		return ret;
	for (i = 0; i < pgpu->display->output_count; i++) {
		ret = primegpu_kms_init_output(&pgpu->display->outputs[i]);
		if (ret)
			return ret;
	}
	primegpu_kms_init_clones(drm);
	ret = primegpu_vblank_init(pgpu);
	if (ret)
		return ret;
	drm_mode_config_reset(drm);
	return 0;
}

/* Turns everything off. */
void primegpu_kms_shutdown(struct primegpu_device *pgpu)
{
	if (pgpu->display)
		drm_atomic_helper_shutdown(&pgpu->drm);
}

/*
 * The hardware shows nothing any more. Commits that wait for it, and those
 * that come, end at once.
 */
void primegpu_kms_unplug(struct primegpu_device *pgpu)
{
	unsigned int i;

	if (!pgpu->display)
		return;
	for (i = 0; i < pgpu->display->output_count; i++) {
		primegpu_vblank_cancel(&pgpu->display->outputs[i]);
		cancel_work_sync(&pgpu->display->outputs[i].hotplug_work);
	}
	drm_atomic_helper_shutdown(&pgpu->drm);
	for (i = 0; i < pgpu->display->output_count; i++)
		flush_work(&pgpu->display->outputs[i].retire_work);
}

int primegpu_kms_suspend(struct primegpu_device *pgpu)
{
	return pgpu->display ? drm_mode_config_helper_suspend(&pgpu->drm) : 0;
}

void primegpu_kms_resume(struct primegpu_device *pgpu)
{
	if (pgpu->display)
		drm_mode_config_helper_resume(&pgpu->drm);
}

/* Is there nothing that a worker is about to release? */
bool primegpu_kms_is_quiet(struct primegpu_device *pgpu)
{
	return !pgpu->display || !atomic_read(&pgpu->display->finishing);
}
