// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Planes. All can do the same, but for the formats: position, scaling,
 * rotation, alpha and order. What they show is read where it is.
 */
#include <linux/dma-resv.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_atomic_state_helper.h>
#include <drm/drm_blend.h>
#include <drm/drm_color_mgmt.h>
#include <drm/drm_damage_helper.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem_atomic_helper.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_print.h>

#include "primegpu_display.h"

#define PRIMEGPU_PLANE_FORMAT(name, ...)	DRM_FORMAT_##name,

static const u32 primegpu_plane_formats[] = {
	PRIMEGPU_FORMATS(PRIMEGPU_PLANE_FORMAT)
};

static const u32 primegpu_plane_cursor_formats[] = {
	DRM_FORMAT_ARGB8888,
	DRM_FORMAT_XRGB8888,
};

static const u64 primegpu_plane_modifiers[] = {
	DRM_FORMAT_MOD_LINEAR,
	DRM_FORMAT_MOD_INVALID
};

/**
 * struct primegpu_kms_plane - a plane
 */
struct primegpu_kms_plane {
	/** @base: the plane */
	struct drm_plane base;
	/** @output: where it is shown */
	struct primegpu_output *output;
	/** @index: its number there */
	u8 index;
};

static struct primegpu_kms_plane *to_primegpu_kms_plane(struct drm_plane *plane)
{
	return container_of(plane, struct primegpu_kms_plane, base);
}

static void primegpu_plane_reset(struct drm_plane *plane)
{
	struct primegpu_plane_state *state;

	if (plane->state) {
		__drm_atomic_helper_plane_destroy_state(plane->state);
		kfree(to_primegpu_plane_state(plane->state));
		plane->state = NULL;
	}
	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (state)
		__drm_atomic_helper_plane_reset(plane, &state->base);
}

static struct drm_plane_state *
primegpu_plane_duplicate_state(struct drm_plane *plane)
{
	struct primegpu_plane_state *state;

	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return NULL;
	__drm_atomic_helper_plane_duplicate_state(plane, &state->base);
	return &state->base;
}

static void primegpu_plane_destroy_state(struct drm_plane *plane,
					 struct drm_plane_state *state)
{
	__drm_atomic_helper_plane_destroy_state(state);
	kfree(to_primegpu_plane_state(state));
}

static const struct drm_plane_funcs primegpu_plane_funcs = {
	.update_plane = drm_atomic_helper_update_plane,
	.disable_plane = drm_atomic_helper_disable_plane,
	.reset = primegpu_plane_reset,
	.atomic_duplicate_state = primegpu_plane_duplicate_state,
	.atomic_destroy_state = primegpu_plane_destroy_state,
};

/* Can the hardware address the elements of the framebuffer? */
static bool primegpu_plane_fb_aligned(const struct drm_framebuffer *fb)
{
	const struct drm_format_info *format = fb->format;
	int i;

	if (fb->width % format->hsub || fb->height % format->vsub)
		return false;
	for (i = 0; i < format->num_planes; i++) {
		/* A packed YCbCr element is two pixels. */
		u32 size = format->cpp[i];

		if (format->is_yuv && format->num_planes == 1)
			size *= format->hsub;
		if (fb->offsets[i] % size || fb->pitches[i] % size)
			return false;
	}
	return true;
}

static int primegpu_plane_atomic_check(struct drm_plane *plane,
				       struct drm_atomic_state *state)
{
	struct drm_plane_state *new =
		drm_atomic_get_new_plane_state(state, plane);
	struct drm_crtc_state *crtc_state = NULL;
	int ret;

	if (new->crtc)
		crtc_state = drm_atomic_get_new_crtc_state(state, new->crtc);
	/* Any scale will do. A plane without framebuffer is not visible. */
	ret = drm_atomic_helper_check_plane_state(new, crtc_state, 1, INT_MAX,
						  true, true);
	if (ret || !new->visible)
		return ret;
	if (new->crtc_w > PRIMEGPU_MODE_SIZE_MAX ||
	    new->crtc_h > PRIMEGPU_MODE_SIZE_MAX)
		return -ERANGE;
	return primegpu_plane_fb_aligned(new->fb) ? 0 : -EINVAL;
}

static int primegpu_plane_prepare_fb(struct drm_plane *plane,
				     struct drm_plane_state *state)
{
	int ret;

	if (!state->fb)
		return 0;
	/* So far the fence can only be user space's. */
	to_primegpu_plane_state(state)->explicit_sync = state->fence;
	ret = primegpu_fb_pin(state->fb);
	if (ret)
		return ret;
	ret = drm_gem_plane_helper_prepare_fb(plane, state);
	if (ret)
		primegpu_fb_unpin(state->fb);
	return ret;
}

static void primegpu_plane_cleanup_fb(struct drm_plane *plane,
				      struct drm_plane_state *state)
{
	if (state->fb)
		primegpu_fb_unpin(state->fb);
}

static void primegpu_plane_add(struct primegpu_commit *commit,
			       struct drm_plane *plane,
			       struct drm_plane_state *old,
			       struct drm_plane_state *new)
{
	struct primegpu_commit_plane *entry =
		&commit->planes[commit->plane_count++];

	entry->state = new;
	entry->index = to_primegpu_kms_plane(plane)->index;
	if (!drm_atomic_helper_damage_merged(old, new, &entry->damage))
		drm_rect_init(&entry->damage, 0, 0, 0, 0);
	if (new->visible && to_primegpu_plane_state(new)->explicit_sync)
		commit->explicit_sync = true;
}

static void primegpu_plane_atomic_update(struct drm_plane *plane,
					 struct drm_atomic_state *state)
{
	struct primegpu_output *output = to_primegpu_kms_plane(plane)->output;

	primegpu_plane_add(&output->commit, plane,
			   drm_atomic_get_old_plane_state(state, plane),
			   drm_atomic_get_new_plane_state(state, plane));
}

/* Fences of the new framebuffer are not waited for by an async update. */
static bool primegpu_plane_fb_idle(const struct drm_framebuffer *fb)
{
	int i;

	for (i = 0; i < fb->format->num_planes; i++)
		if (!dma_resv_test_signaled(fb->obj[i]->resv,
					    DMA_RESV_USAGE_WRITE))
			return false;
	return true;
}

static int primegpu_plane_atomic_async_check(struct drm_plane *plane,
					     struct drm_atomic_state *state)
{
	const struct drm_plane_state *new =
		drm_atomic_get_new_plane_state(state, plane);
	const struct drm_crtc_state *crtc_state =
		drm_atomic_get_new_crtc_state(state, new->crtc);

	if (!crtc_state->active)
		return -EINVAL;
	if (new->fb == plane->state->fb)
		return 0;
	return primegpu_plane_fb_idle(new->fb) ? 0 : -EBUSY;
}

/* Page flips are commits of their own, which any plane can do. */
#ifdef PRIMEGPU_ASYNC_CHECK_FLIP
static int primegpu_plane_async_check(struct drm_plane *plane,
				      struct drm_atomic_state *state, bool flip)
{
	return flip ? 0 : primegpu_plane_atomic_async_check(plane, state);
}
#else
#define primegpu_plane_async_check	primegpu_plane_atomic_async_check
#endif

/* The helper cleans the framebuffer up that is in the state of the update. */
static void primegpu_plane_take_over(struct drm_plane_state *current_state,
				     struct drm_plane_state *new)
{
	swap(current_state->fb, new->fb);
	current_state->crtc_x = new->crtc_x;
	current_state->crtc_y = new->crtc_y;
	current_state->crtc_w = new->crtc_w;
	current_state->crtc_h = new->crtc_h;
	current_state->src_x = new->src_x;
	current_state->src_y = new->src_y;
	current_state->src_w = new->src_w;
	current_state->src_h = new->src_h;
	current_state->alpha = new->alpha;
	current_state->pixel_blend_mode = new->pixel_blend_mode;
	current_state->rotation = new->rotation;
	current_state->src = new->src;
	current_state->dst = new->dst;
	current_state->visible = new->visible;
}

/*
 * What is latched at once takes a commit along that waits for the vertical
 * blank. So if there is one, the plane goes with it; what it has shown is in
 * use until then, and without memory to remember that, the latch is waited for.
 */
static void primegpu_plane_atomic_async_update(struct drm_plane *plane,
					       struct drm_atomic_state *state)
{
	struct drm_plane_state *new =
		drm_atomic_get_new_plane_state(state, plane);
	struct primegpu_output *output = to_primegpu_kms_plane(plane)->output;
	struct primegpu_commit commit = { .output = output->index };
	int ret;

	primegpu_plane_add(&commit, plane, plane->state, new);
	mutex_lock(&output->lock);
	if (new->fb != plane->state->fb &&
	    primegpu_vblank_flip_pending(output)) {
		commit.retired = primegpu_retire_begin(plane->state->fb);
		if (!commit.retired)
			wait_event_timeout(output->flip_wait,
					   !primegpu_vblank_flip_pending(output),
					   HZ);
	}
	commit.async = !primegpu_vblank_flip_pending(output);
	ret = primegpu_cmd_commit(output->pgpu, &commit);
	mutex_unlock(&output->lock);
	if (ret == -ENODEV && commit.retired)
		primegpu_retire_end(commit.retired);
	if (ret && ret != -ENODEV)
		drm_err(plane->dev, "%s: async commit: %d\n", plane->name, ret);
	primegpu_plane_take_over(plane->state, new);
}

/* Shows what was written to the framebuffer behind everybody's back. */
static void primegpu_plane_panic_flush(struct drm_plane *plane)
{
	struct primegpu_output *output = to_primegpu_kms_plane(plane)->output;
	struct drm_framebuffer *fb = plane->state->fb;
	struct primegpu_commit commit = {
		.output = output->index,
		.async = true,
		.explicit_sync = true,
		.plane_count = 1,
	};

	commit.planes[0].state = plane->state;
	commit.planes[0].index = to_primegpu_kms_plane(plane)->index;
	drm_rect_init(&commit.planes[0].damage, 0, 0, fb->width, fb->height);
	primegpu_cmd_commit_panic(output->pgpu, &commit);
}

#define PRIMEGPU_PLANE_HELPER_FUNCS					\
	.atomic_check = primegpu_plane_atomic_check,			\
	.atomic_update = primegpu_plane_atomic_update,			\
	.atomic_async_check = primegpu_plane_async_check,		\
	.atomic_async_update = primegpu_plane_atomic_async_update,	\
	.prepare_fb = primegpu_plane_prepare_fb,			\
	.cleanup_fb = primegpu_plane_cleanup_fb

static const struct drm_plane_helper_funcs primegpu_plane_helper_funcs = {
	PRIMEGPU_PLANE_HELPER_FUNCS,
};

static const struct drm_plane_helper_funcs primegpu_plane_primary_funcs = {
	PRIMEGPU_PLANE_HELPER_FUNCS,
	.get_scanout_buffer = primegpu_panic_scanout_buffer,
	.panic_flush = primegpu_plane_panic_flush,
};

static int primegpu_plane_create_properties(struct drm_plane *plane,
					    unsigned int index)
{
	int ret;

	ret = drm_plane_create_zpos_property(plane, index, 0,
					     PRIMEGPU_PLANE_MAX - 1);
	if (ret)
		return ret;
	ret = drm_plane_create_alpha_property(plane);
	if (ret)
		return ret;
	ret = drm_plane_create_blend_mode_property(plane,
						   BIT(DRM_MODE_BLEND_PREMULTI) |
						   BIT(DRM_MODE_BLEND_COVERAGE) |
						   BIT(DRM_MODE_BLEND_PIXEL_NONE));
	if (ret)
		return ret;
	ret = drm_plane_create_rotation_property(plane, DRM_MODE_ROTATE_0,
						 DRM_MODE_ROTATE_MASK |
						 DRM_MODE_REFLECT_MASK);
	if (ret || plane->type == DRM_PLANE_TYPE_CURSOR)
		return ret;
	return drm_plane_create_color_properties(plane,
						 BIT(DRM_COLOR_YCBCR_BT601) |
						 BIT(DRM_COLOR_YCBCR_BT709) |
						 BIT(DRM_COLOR_YCBCR_BT2020),
						 BIT(DRM_COLOR_YCBCR_LIMITED_RANGE) |
						 BIT(DRM_COLOR_YCBCR_FULL_RANGE),
						 DRM_COLOR_YCBCR_BT601,
						 DRM_COLOR_YCBCR_LIMITED_RANGE);
}

struct drm_plane *primegpu_plane_create(struct primegpu_output *output,
					unsigned int index,
					enum drm_plane_type type)
{
	bool cursor = type == DRM_PLANE_TYPE_CURSOR;
	struct primegpu_kms_plane *plane;
	int ret;

	plane = drmm_universal_plane_alloc(&output->pgpu->drm,
					   struct primegpu_kms_plane, base,
					   BIT(output->index),
					   &primegpu_plane_funcs,
					   cursor ? primegpu_plane_cursor_formats :
						    primegpu_plane_formats,
					   cursor ? ARRAY_SIZE(primegpu_plane_cursor_formats) :
						    ARRAY_SIZE(primegpu_plane_formats),
					   primegpu_plane_modifiers, type, NULL);
	if (IS_ERR(plane))
		return ERR_CAST(plane);
	plane->output = output;
	plane->index = index;
	/* Primary planes show the panic screen. */
	drm_plane_helper_add(&plane->base, type == DRM_PLANE_TYPE_PRIMARY ?
			     &primegpu_plane_primary_funcs :
			     &primegpu_plane_helper_funcs);
	drm_plane_enable_fb_damage_clips(&plane->base);
	ret = primegpu_plane_create_properties(&plane->base, index);
	return ret ? ERR_PTR(ret) : &plane->base;
}
