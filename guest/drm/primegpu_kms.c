// SPDX-License-Identifier: GPL-2.0-or-later
/* Mode setting: framebuffers only, until the hardware has a display. */
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_mode_config.h>

#include "primegpu_internal.h"

#define PRIMEGPU_FB_MAX		16384

static const struct drm_mode_config_funcs primegpu_kms_funcs = {
	.fb_create = drm_gem_fb_create,
};

int primegpu_kms_init(struct primegpu_device *pgpu)
{
	struct drm_mode_config *config = &pgpu->drm.mode_config;
	int ret;

	ret = drmm_mode_config_init(&pgpu->drm);
	if (ret)
		return ret;
	config->max_width = PRIMEGPU_FB_MAX;
	config->max_height = PRIMEGPU_FB_MAX;
	config->funcs = &primegpu_kms_funcs;
	return 0;
}
