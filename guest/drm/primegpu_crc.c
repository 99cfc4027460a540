// SPDX-License-Identifier: GPL-2.0-or-later
/* CRCs of frames, for tests: the hardware computes one for each frame. */
#include <linux/string.h>

#include <drm/drm_vblank.h>

#include "primegpu_display.h"

static const char *const primegpu_crc_names[] = { "auto" };

const char *const *primegpu_crc_sources(struct drm_crtc *crtc, size_t *count)
{
	*count = ARRAY_SIZE(primegpu_crc_names);
	return primegpu_crc_names;
}

int primegpu_crc_verify(struct drm_crtc *crtc, const char *source,
			size_t *values)
{
	if (source && strcmp(source, primegpu_crc_names[0]))
		return -EINVAL;
	*values = 1;
	return 0;
}

/* Frames are numbered by vertical blanks, which are counted meanwhile. */
int primegpu_crc_set(struct drm_crtc *crtc, const char *source)
{
	struct primegpu_output *output = crtc_to_primegpu_output(crtc);
	size_t values;
	int idx, ret;

	ret = primegpu_crc_verify(crtc, source, &values);
	if (ret || output->crc == !!source)
		return ret;
	if (source) {
		ret = drm_crtc_vblank_get(crtc);
		if (ret)
			return ret;
	}
	if (drm_dev_enter(crtc->dev, &idx)) {
		primegpu_output_write(output, PRIMEGPU_OUTPUT_REG_CONTROL,
				      source ? PRIMEGPU_OUTPUT_CONTROL_CRC : 0);
		drm_dev_exit(idx);
	}
	output->crc = source;
	if (!source)
		drm_crtc_vblank_put(crtc);
	return 0;
}

/* After the vertical blank was counted */
void primegpu_crc_report(struct primegpu_output *output)
{
	struct drm_crtc *crtc = &output->crtc;
	u64 count = drm_crtc_vblank_count(crtc);
	u32 last = READ_ONCE(drm_crtc_vblank_crtc(crtc)->last);
	u32 frame = primegpu_output_read(output, PRIMEGPU_OUTPUT_REG_CRC_FRAME);
	u32 crc = primegpu_output_read(output, PRIMEGPU_OUTPUT_REG_CRC);

	drm_crtc_add_crc_entry(crtc, true, count + (s32)(frame - last), &crc);
}
