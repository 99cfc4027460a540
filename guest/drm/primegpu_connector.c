// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connectors: whether there is a display, its EDID, and whose frame it shows.
 *
 * A connector can be on any CRTC. While it is on none it shows nothing, even
 * when the CRTC of its own output is on.
 */
#include <linux/bits.h>

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

static void primegpu_connector_route(struct primegpu_output *output, u32 pipe)
{
	struct primegpu_device *pgpu = output->pgpu;
	int idx;

	if (!pgpu->display->has_route || !drm_dev_enter(&pgpu->drm, &idx))
		return;
	primegpu_output_write(output, PRIMEGPU_OUTPUT_REG_ROUTE, pipe);
	drm_dev_exit(idx);
}

static struct primegpu_output *
encoder_to_primegpu_output(struct drm_encoder *encoder)
{
	return container_of(encoder, struct primegpu_output, encoder);
}

/* The CRTC has its mode by now, and shows no plane yet. */
static void primegpu_encoder_atomic_enable(struct drm_encoder *encoder,
					   struct drm_atomic_state *state)
{
	struct primegpu_output *output = encoder_to_primegpu_output(encoder);
	const struct drm_connector_state *new =
		drm_atomic_get_new_connector_state(state, &output->connector);

	primegpu_connector_route(output,
				 crtc_to_primegpu_output(new->crtc)->index);
}

/* The CRTC is still on. */
static void primegpu_encoder_atomic_disable(struct drm_encoder *encoder,
					    struct drm_atomic_state *state)
{
	primegpu_connector_route(encoder_to_primegpu_output(encoder),
				 PRIMEGPU_OUTPUT_ROUTE_NONE);
}

static const struct drm_encoder_helper_funcs primegpu_encoder_helper_funcs = {
	.atomic_enable = primegpu_encoder_atomic_enable,
	.atomic_disable = primegpu_encoder_atomic_disable,
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
	const struct primegpu_display *display = output->pgpu->display;
	struct drm_device *drm = &output->pgpu->drm;
	int ret;

	INIT_WORK(&output->hotplug_work, primegpu_connector_hotplug);
	ret = drmm_encoder_init(drm, &output->encoder, NULL,
				DRM_MODE_ENCODER_VIRTUAL, NULL);
	if (ret)
		return ret;
	drm_encoder_helper_add(&output->encoder,
			       &primegpu_encoder_helper_funcs);
	output->encoder.possible_crtcs =
		display->has_route ? GENMASK(display->output_count - 1, 0) :
				     drm_crtc_mask(&output->crtc);
	primegpu_connector_route(output, PRIMEGPU_OUTPUT_ROUTE_NONE);

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
