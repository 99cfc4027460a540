// SPDX-License-Identifier: GPL-2.0-or-later
/* The wire format of the display's commands. */
#include <linux/dma-mapping.h>

#include <drm/drm_blend.h>
#include <drm/drm_color_mgmt.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_modes.h>

#include "primegpu_cmd.h"
#include "primegpu_display.h"
#include "primegpu_trace.h"

/**
 * struct primegpu_cmd_tables - what a COMMIT points to
 */
struct primegpu_cmd_tables {
	/** @planes: new states */
	struct primegpu_plane planes[PRIMEGPU_PLANE_MAX];
	/** @color: new colours */
	struct primegpu_color color;
};

static const u8 primegpu_cmd_blends[] = {
	[DRM_MODE_BLEND_PREMULTI] = PRIMEGPU_BLEND_PREMULTIPLIED,
	[DRM_MODE_BLEND_COVERAGE] = PRIMEGPU_BLEND_COVERAGE,
	[DRM_MODE_BLEND_PIXEL_NONE] = PRIMEGPU_BLEND_NONE,
};

static const u8 primegpu_cmd_encodings[] = {
	[DRM_COLOR_YCBCR_BT601] = PRIMEGPU_ENCODING_BT601,
	[DRM_COLOR_YCBCR_BT709] = PRIMEGPU_ENCODING_BT709,
	[DRM_COLOR_YCBCR_BT2020] = PRIMEGPU_ENCODING_BT2020,
};

static const u8 primegpu_cmd_ranges[] = {
	[DRM_COLOR_YCBCR_LIMITED_RANGE] = PRIMEGPU_RANGE_LIMITED,
	[DRM_COLOR_YCBCR_FULL_RANGE] = PRIMEGPU_RANGE_FULL,
};

/* Rotation has the same bits. */
static_assert(PRIMEGPU_ROTATE_0 == DRM_MODE_ROTATE_0);
static_assert(PRIMEGPU_ROTATE_90 == DRM_MODE_ROTATE_90);
static_assert(PRIMEGPU_ROTATE_180 == DRM_MODE_ROTATE_180);
static_assert(PRIMEGPU_ROTATE_270 == DRM_MODE_ROTATE_270);
static_assert(PRIMEGPU_REFLECT_X == DRM_MODE_REFLECT_X);
static_assert(PRIMEGPU_REFLECT_Y == DRM_MODE_REFLECT_Y);

int primegpu_cmd_display_init(struct primegpu_device *pgpu)
{
	struct primegpu_ring *ring = pgpu->ctrl;

	ring->tables = dmam_alloc_coherent(pgpu->drm.dev,
					   sizeof(struct primegpu_cmd_tables),
					   &ring->tables_dma, GFP_KERNEL);
	return ring->tables ? 0 : -ENOMEM;
}

/* Turns the output on with @mode, or off with NULL. */
int primegpu_cmd_mode(struct primegpu_output *output,
		      const struct drm_display_mode *mode)
{
	struct primegpu_device *pgpu = output->pgpu;
	struct primegpu_cmd_mode *cmd;
	int idx, ret;

	if (!drm_dev_enter(&pgpu->drm, &idx))
		return -ENODEV;
	spin_lock(&pgpu->ctrl->lock);
	cmd = primegpu_cmd_begin(pgpu, PRIMEGPU_OP_MODE, 0, 0);
	cmd->output = cpu_to_le32(output->index);
	if (mode) {
		cmd->clock = cpu_to_le32(mode->clock);
		cmd->hdisplay = cpu_to_le16(mode->hdisplay);
		cmd->htotal = cpu_to_le16(mode->htotal);
		cmd->vdisplay = cpu_to_le16(mode->vdisplay);
		cmd->vtotal = cpu_to_le16(mode->vtotal);
	}
	memset(output->shown, 0, sizeof(output->shown));
	ret = primegpu_cmd_run(pgpu);
	spin_unlock(&pgpu->ctrl->lock);
	drm_dev_exit(idx);
	return ret;
}

static u64 primegpu_cmd_fb_key(const struct drm_framebuffer *fb, int plane)
{
	return to_primegpu_bo(fb->obj[plane])->key;
}

static bool primegpu_cmd_plane_is_on(const struct drm_plane_state *state)
{
	return state && state->visible;
}

static void primegpu_cmd_pack_plane(struct primegpu_plane *wire,
				    const struct primegpu_commit_plane *plane)
{
	const struct drm_plane_state *state = plane->state;
	const struct drm_framebuffer *fb;
	int i;

	*wire = (struct primegpu_plane) { .index = plane->index };
	if (!primegpu_cmd_plane_is_on(state))
		return;
	fb = state->fb;
	for (i = 0; i < fb->format->num_planes; i++) {
		wire->key[i] = cpu_to_le64(primegpu_cmd_fb_key(fb, i));
		wire->offset[i] = cpu_to_le32(fb->offsets[i]);
		wire->stride[i] = cpu_to_le32(fb->pitches[i]);
	}
	wire->format = cpu_to_le32(fb->format->format);
	wire->width = cpu_to_le32(fb->width);
	wire->height = cpu_to_le32(fb->height);
	/* Not the helper's rectangles: the hardware clips without rounding. */
	wire->src_x = cpu_to_le32(state->src_x);
	wire->src_y = cpu_to_le32(state->src_y);
	wire->src_w = cpu_to_le32(state->src_w);
	wire->src_h = cpu_to_le32(state->src_h);
	wire->dst_x = cpu_to_le32(state->crtc_x);
	wire->dst_y = cpu_to_le32(state->crtc_y);
	wire->dst_w = cpu_to_le32(state->crtc_w);
	wire->dst_h = cpu_to_le32(state->crtc_h);
	wire->damage_x1 = cpu_to_le32(plane->damage.x1);
	wire->damage_y1 = cpu_to_le32(plane->damage.y1);
	wire->damage_x2 = cpu_to_le32(plane->damage.x2);
	wire->damage_y2 = cpu_to_le32(plane->damage.y2);
	wire->alpha = cpu_to_le16(state->alpha);
	wire->zpos = state->normalized_zpos;
	wire->blend = primegpu_cmd_blends[state->pixel_blend_mode];
	wire->encoding = primegpu_cmd_encodings[state->color_encoding];
	wire->range = primegpu_cmd_ranges[state->color_range];
	wire->rotation = state->rotation;
}

static void primegpu_cmd_pack_lut(struct primegpu_lut *wire,
				  const struct drm_property_blob *blob)
{
	const struct drm_color_lut *lut = blob->data;
	int i;

	for (i = 0; i < PRIMEGPU_LUT_SIZE; i++) {
		wire[i].red = cpu_to_le16(lut[i].red);
		wire[i].green = cpu_to_le16(lut[i].green);
		wire[i].blue = cpu_to_le16(lut[i].blue);
	}
}

static void primegpu_cmd_pack_color(struct primegpu_color *wire,
				    const struct drm_crtc_state *state)
{
	u32 flags = 0;
	int i;

	memset(wire, 0, sizeof(*wire));
	if (state->degamma_lut) {
		flags |= PRIMEGPU_COLOR_DEGAMMA;
		primegpu_cmd_pack_lut(wire->degamma, state->degamma_lut);
	}
	if (state->ctm) {
		const struct drm_color_ctm *ctm = state->ctm->data;

		flags |= PRIMEGPU_COLOR_CTM;
		for (i = 0; i < ARRAY_SIZE(wire->ctm); i++)
			wire->ctm[i] = cpu_to_le64(ctm->matrix[i]);
	}
	if (state->gamma_lut) {
		flags |= PRIMEGPU_COLOR_GAMMA;
		primegpu_cmd_pack_lut(wire->gamma, state->gamma_lut);
	}
	wire->flags = cpu_to_le32(flags);
}

static u16 primegpu_cmd_commit_flags(const struct primegpu_commit *commit)
{
	return (commit->async ? PRIMEGPU_COMMIT_ASYNC : 0) |
	       (commit->color ? PRIMEGPU_COMMIT_COLOR : 0) |
	       (commit->writeback ? PRIMEGPU_COMMIT_WRITEBACK : 0) |
	       (commit->explicit_sync ? PRIMEGPU_COMMIT_EXPLICIT_SYNC : 0);
}

static void primegpu_cmd_trace_commit(struct primegpu_device *pgpu,
				      const struct primegpu_commit *commit)
{
	u32 i;

	for (i = 0; i < commit->plane_count; i++) {
		const struct drm_plane_state *state = commit->planes[i].state;

		trace_primegpu_flip(pgpu->device_id, pgpu->ctrl->seqno,
				    commit->output, commit->planes[i].index,
				    primegpu_cmd_plane_is_on(state) ?
				    primegpu_cmd_fb_key(state->fb, 0) : 0,
				    primegpu_cmd_commit_flags(commit));
	}
}

/* Does a commit wait for the vertical blank? */
static bool primegpu_cmd_is_pending(struct primegpu_output *output)
{
	return primegpu_output_read(output, PRIMEGPU_OUTPUT_REG_STATUS) &
	       PRIMEGPU_OUTPUT_PENDING;
}

static void primegpu_cmd_pack_commit(struct primegpu_device *pgpu,
				     const struct primegpu_commit *commit)
{
	struct primegpu_output *output = &pgpu->display->outputs[commit->output];
	struct primegpu_cmd_tables *tables = pgpu->ctrl->tables;
	dma_addr_t dma = pgpu->ctrl->tables_dma;
	const struct drm_framebuffer *fb = commit->writeback;
	struct primegpu_cmd_commit *cmd;
	u32 i;

	if (!primegpu_cmd_is_pending(output))
		memcpy(output->latched, output->shown, sizeof(output->latched));
	for (i = 0; i < commit->plane_count; i++) {
		primegpu_cmd_pack_plane(&tables->planes[i], &commit->planes[i]);
		memcpy(output->shown[commit->planes[i].index],
		       tables->planes[i].key, sizeof(tables->planes[i].key));
	}
	cmd = primegpu_cmd_begin(pgpu, PRIMEGPU_OP_COMMIT, 0, 0);
	cmd->hdr.flags = cpu_to_le16(primegpu_cmd_commit_flags(commit));
	cmd->output = cpu_to_le32(commit->output);
	cmd->plane_count = cpu_to_le32(commit->plane_count);
	if (commit->plane_count)
		cmd->planes_addr = cpu_to_le64(dma + offsetof(typeof(*tables),
							      planes));
	if (commit->color) {
		primegpu_cmd_pack_color(&tables->color, commit->color);
		cmd->color_addr = cpu_to_le64(dma + offsetof(typeof(*tables),
							     color));
	}
	if (fb) {
		cmd->wb_key = cpu_to_le64(primegpu_cmd_fb_key(fb, 0));
		cmd->wb_offset = cpu_to_le32(fb->offsets[0]);
		cmd->wb_stride = cpu_to_le32(fb->pitches[0]);
		cmd->wb_format = cpu_to_le32(fb->format->format);
	}
}

/*
 * After -ENODEV nothing was sent, and neither the commit's event nor what it
 * retires is armed.
 */
int primegpu_cmd_commit(struct primegpu_device *pgpu,
			const struct primegpu_commit *commit)
{
	int idx, ret;

	if (!drm_dev_enter(&pgpu->drm, &idx))
		return -ENODEV;
	spin_lock(&pgpu->ctrl->lock);
	primegpu_cmd_pack_commit(pgpu, commit);
	if (commit->event)
		primegpu_vblank_arm(&pgpu->display->outputs[commit->output],
				    commit->event, pgpu->ctrl->seqno);
	if (commit->retired)
		primegpu_retire_arm(&pgpu->display->outputs[commit->output],
				    commit->retired, pgpu->ctrl->seqno);
	primegpu_cmd_trace_commit(pgpu, commit);
	ret = primegpu_cmd_run(pgpu);
	spin_unlock(&pgpu->ctrl->lock);
	drm_dev_exit(idx);
	return ret;
}

static bool primegpu_cmd_has_key(const __le64 *keys, u64 key)
{
	int i;

	for (i = 0; i < PRIMEGPU_KEYS_MAX; i++)
		if (le64_to_cpu(keys[i]) == key)
			return true;
	return false;
}

static void primegpu_cmd_hide_output(struct primegpu_output *output, u64 key)
{
	struct primegpu_commit commit = {
		.output = output->index,
		.async = true,
	};
	bool pending = primegpu_cmd_is_pending(output);
	bool latched = false;
	int i;

	for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
		if (primegpu_cmd_has_key(output->shown[i], key))
			commit.planes[commit.plane_count++].index = i;
		else if (pending)
			latched |= primegpu_cmd_has_key(output->latched[i],
							key);
	}
	if (!commit.plane_count && !latched)
		return;
	primegpu_cmd_pack_commit(output->pgpu, &commit);
	primegpu_cmd_trace_commit(output->pgpu, &commit);
	primegpu_cmd_run(output->pgpu);
}

/*
 * Turns planes that show a BO off, at once, and has what replaces it latched
 * now: its bytes go although they were pinned, as they do when their device is
 * unplugged. For the helpers the planes stay on.
 */
void primegpu_cmd_hide(struct primegpu_bo *bo)
{
	struct primegpu_device *pgpu = to_primegpu_device(bo->gem->dev);
	struct primegpu_display *display = pgpu->display;
	unsigned int i;
	int idx;

	if (!display || !drm_dev_enter(&pgpu->drm, &idx))
		return;
	spin_lock(&pgpu->ctrl->lock);
	for (i = 0; i < display->output_count; i++)
		primegpu_cmd_hide_output(&display->outputs[i], bo->key);
	spin_unlock(&pgpu->ctrl->lock);
	drm_dev_exit(idx);
}

/* Without waiting for anybody, as nobody else may run any more */
void primegpu_cmd_commit_panic(struct primegpu_device *pgpu,
			       const struct primegpu_commit *commit)
{
	if (!spin_trylock(&pgpu->ctrl->lock))
		return;
	primegpu_cmd_pack_commit(pgpu, commit);
	primegpu_cmd_run(pgpu);
	spin_unlock(&pgpu->ctrl->lock);
}
