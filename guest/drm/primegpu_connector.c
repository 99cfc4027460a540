// SPDX-License-Identifier: GPL-2.0-or-later
/* Connectors: whether there is a display, and its EDID. */
#include <drm/drm_atomic_state_helper.h>
#include <drm/drm_edid.h>
#include <drm/drm_encoder.h>
#include <drm/drm_managed.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_probe_helper.h>

#include "primegpu_display.h"

#define PRIMEGPU_CONNECTOR_WIDTH	1024
#define PRIMEGPU_CONNECTOR_HEIGHT	768

static struct primegpu_output *
connector_to_primegpu_output(struct drm_connector *connector)
{
	return container_of(connector, struct primegpu_output, connector);
}

static enum drm_connector_status
primegpu_connector_detect(struct drm_connector *connector, bool force)
{
	u32 status = 0;
	int idx;

	if (drm_dev_enter(connector->dev, &idx)) {
		status = primegpu_output_read(connector_to_primegpu_output(connector),
					      PRIMEGPU_OUTPUT_REG_STATUS);
		drm_dev_exit(idx);
	}
	return status & PRIMEGPU_OUTPUT_CONNECTED ?
	       connector_status_connected : connector_status_disconnected;
}

static int primegpu_connector_read_block(void *data, u8 *buf,
					 unsigned int block, size_t length)
{
	struct primegpu_output *output = data;
	size_t offset = block * EDID_LENGTH, i;
	int idx;

	if (offset + length > PRIMEGPU_EDID_SIZE)
		return -EINVAL;
	if (!drm_dev_enter(&output->pgpu->drm, &idx))
		return -ENODEV;
	for (i = 0; i < length; i += sizeof(u32)) {
		__le32 word = cpu_to_le32(readl(output->pgpu->regs +
						PRIMEGPU_EDID(output->index) +
						offset + i));

		memcpy(buf + i, &word, min(sizeof(word), length - i));
	}
	drm_dev_exit(idx);
	return 0;
}

static int primegpu_connector_get_modes(struct drm_connector *connector)
{
	const struct drm_edid *edid;
	int count;

	edid = drm_edid_read_custom(connector, primegpu_connector_read_block,
				    connector_to_primegpu_output(connector));
	drm_edid_connector_update(connector, edid);
	count = drm_edid_connector_add_modes(connector);
	drm_edid_free(edid);
	if (count)
		return count;

	count = drm_add_modes_noedid(connector, PRIMEGPU_MODE_SIZE_MAX,
				     PRIMEGPU_MODE_SIZE_MAX);
	drm_set_preferred_mode(connector, PRIMEGPU_CONNECTOR_WIDTH,
			       PRIMEGPU_CONNECTOR_HEIGHT);
	return count;
}

static const struct drm_connector_helper_funcs
primegpu_connector_helper_funcs = {
	.get_modes = primegpu_connector_get_modes,
};

static const struct drm_connector_funcs primegpu_connector_funcs = {
	.detect = primegpu_connector_detect,
	.fill_modes = drm_helper_probe_single_connector_modes,
	.reset = drm_atomic_helper_connector_reset,
	.atomic_duplicate_state = drm_atomic_helper_connector_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_connector_destroy_state,
};

/* The EDID may be new while a display stays connected. */
void primegpu_connector_hotplug(struct work_struct *work)
{
	struct primegpu_output *output =
		container_of(work, struct primegpu_output, hotplug_work);

	if (!drm_connector_helper_hpd_irq_event(&output->connector))
		drm_kms_helper_connector_hotplug_event(&output->connector);
}

int primegpu_connector_init(struct primegpu_output *output)
{
	struct drm_device *drm = &output->pgpu->drm;
	int ret;

	INIT_WORK(&output->hotplug_work, primegpu_connector_hotplug);
	ret = drmm_encoder_init(drm, &output->encoder, NULL,
				DRM_MODE_ENCODER_VIRTUAL, NULL);
	if (ret)
		return ret;
	output->encoder.possible_crtcs = drm_crtc_mask(&output->crtc);

	ret = drmm_connector_init(drm, &output->connector,
				  &primegpu_connector_funcs,
				  DRM_MODE_CONNECTOR_VIRTUAL, NULL);
	if (ret)
		return ret;
	drm_connector_helper_add(&output->connector,
				 &primegpu_connector_helper_funcs);
	drm_connector_attach_edid_property(&output->connector);
	output->connector.polled = DRM_CONNECTOR_POLL_HPD;
	return drm_connector_attach_encoder(&output->connector,
					    &output->encoder);
}
