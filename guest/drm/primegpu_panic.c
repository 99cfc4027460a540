// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panic screen is drawn, pixel by pixel, to what a primary plane shows,
 * wherever that is. Framebuffers that are imported belong to another driver.
 */
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_panic.h>

#include "primegpu_display.h"

/*
 * What is drawn to. One panic at a time: the screens of all devices are drawn
 * one after the other.
 */
static const struct drm_framebuffer *primegpu_panic_fb;

/* An element does not cross a page, since lines and elements are aligned. */
static void primegpu_panic_set_pixel(struct drm_scanout_buffer *sb,
				     unsigned int x, unsigned int y, u32 color)
{
	const struct drm_framebuffer *fb = primegpu_panic_fb;
	struct drm_gem_object *gem = fb->obj[0];
	u64 offset = fb->offsets[0] + (u64)y * fb->pitches[0] +
		     x * fb->format->cpp[0];
	struct iosys_map map =
		to_primegpu_device(gem->dev)->backend->panic_map(gem,
								 offset >> PAGE_SHIFT);

	if (iosys_map_is_null(&map))
		return;
	switch (fb->format->cpp[0]) {
	case 2:
		iosys_map_wr(&map, offset_in_page(offset), u16, color);
		break;
	case 4:
		iosys_map_wr(&map, offset_in_page(offset), u32, color);
		break;
	}
}

int primegpu_panic_scanout_buffer(struct drm_plane *plane,
				  struct drm_scanout_buffer *sb)
{
	const struct drm_plane_state *state = plane->state;
	const struct drm_framebuffer *fb;

	if (!state || !state->fb || !state->visible)
		return -ENODEV;
	fb = state->fb;
	if (to_primegpu_bo(fb->obj[0])->imported || drm_dev_is_unplugged(fb->dev))
		return -ENODEV;
	primegpu_panic_fb = fb;
	sb->format = fb->format;
	sb->width = fb->width;
	sb->height = fb->height;
	sb->pitch[0] = fb->pitches[0];
	sb->set_pixel = primegpu_panic_set_pixel;
	return 0;
}
