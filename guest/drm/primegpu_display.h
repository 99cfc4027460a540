/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the display share with each other. */
#ifndef PRIMEGPU_DISPLAY_H
#define PRIMEGPU_DISPLAY_H

#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_atomic.h>
#include <drm/drm_connector.h>
#include <drm/drm_crtc.h>
#include <drm/drm_encoder.h>
#include <drm/drm_plane.h>
#include <drm/drm_writeback.h>

#include "primegpu_compat.h"
#include "primegpu_internal.h"

/* Memory planes of a format */
#define PRIMEGPU_KEYS_MAX	3

struct primegpu_retired;

/**
 * struct primegpu_commit_plane - new state of a plane in a COMMIT
 */
struct primegpu_commit_plane {
	/** @state: of the plane, NULL to turn it off */
	const struct drm_plane_state *state;
	/** @index: of the plane in its output */
	u8 index;
	/** @damage: what has changed in the framebuffer, may be empty */
	struct drm_rect damage;
};

/**
 * struct primegpu_commit - a COMMIT in the making
 */
struct primegpu_commit {
	/** @output: number of the output */
	u32 output;
	/** @async: do not wait for the vertical blank */
	bool async;
	/** @explicit_sync: user space orders one of the planes itself */
	bool explicit_sync;
	/** @plane_count: number of @planes */
	u32 plane_count;
	/** @planes: those with new state */
	struct primegpu_commit_plane planes[PRIMEGPU_PLANE_MAX];
	/** @color: has new colours, or NULL */
	const struct drm_crtc_state *color;
	/** @writeback: where the frame is written to, or NULL */
	struct drm_framebuffer *writeback;
	/** @event: to be sent, with its vblank reference, at the latch, or NULL */
	struct drm_pending_vblank_event *event;
	/** @retired: to be released at the latch, or NULL */
	struct primegpu_retired *retired;
};

/**
 * struct primegpu_output - an output: CRTC, its planes, and connectors
 */
struct primegpu_output {
	/** @pgpu: the device */
	struct primegpu_device *pgpu;
	/** @index: number of the output */
	u32 index;
	/** @crtc: composes, corrects colours, has a timing */
	struct drm_crtc crtc;
	/** @encoder: between a CRTC of the device and @connector */
	struct drm_encoder encoder;
	/** @connector: where displays are plugged in */
	struct drm_connector connector;
	/** @writeback: writes frames of @crtc to memory */
	struct drm_writeback_connector writeback;
	/** @commit: of the atomic commit that is being sent */
	struct primegpu_commit commit;
	/**
	 * @lock: orders an update that is latched at once and commits that wait
	 * for the vertical blank
	 */
	struct mutex lock;
	/** @flip_wait: woken up when a commit is latched */
	wait_queue_head_t flip_wait;
	/**
	 * @shown: keys in the hardware's planes by the newest commit. This and
	 * @latched are under the ring's lock.
	 */
	__le64 shown[PRIMEGPU_PLANE_MAX][PRIMEGPU_KEYS_MAX];
	/** @latched: those it shows as long as that commit waits */
	__le64 latched[PRIMEGPU_PLANE_MAX][PRIMEGPU_KEYS_MAX];
	/** @hotplug_work: tells user space that a display came or went */
	struct work_struct hotplug_work;
	/** @retire_work: releases what is in @released */
	struct work_struct retire_work;
	/** @crc: the hardware computes CRCs; under &drm_crtc_crc's mutex */
	bool crc;

	/**
	 * @event: to be sent when COMMIT @event_seqno is latched, or NULL.
	 * This and all that follows is under &drm_device.event_lock.
	 */
	struct drm_pending_vblank_event *event;
	/** @event_seqno: number of that command */
	u64 event_seqno;
	/** @writeback_pending: a queued writeback job is at the hardware */
	bool writeback_pending;
	/** @retired: framebuffers that a COMMIT will replace, in their order */
	struct list_head retired;
	/** @released: those that were replaced */
	struct list_head released;
};

/**
 * struct primegpu_plane_state - state of a plane
 */
struct primegpu_plane_state {
	/** @base: the helper's part */
	struct drm_plane_state base;
	/** @explicit_sync: user space gave a fence to wait for */
	bool explicit_sync;
};

/**
 * struct primegpu_display - the outputs of a device
 */
struct primegpu_display {
	/**
	 * @finishing: flips whose event was sent, and retired framebuffers that
	 * were replaced, but not all released yet
	 */
	atomic_t finishing;
	/** @has_route: a connector can show the frame of any output's CRTC */
	bool has_route;
	/** @output_count: number of @outputs */
	unsigned int output_count;
	/** @outputs: by number */
	struct primegpu_output outputs[] __counted_by(output_count);
};

/**
 * struct primegpu_atomic_state - an atomic update
 */
struct primegpu_atomic_state {
	/** @base: the helper's part */
	struct drm_atomic_state base;
	/** @flips: its part of &primegpu_display.finishing */
	unsigned int flips;
};

static inline struct primegpu_output *
crtc_to_primegpu_output(struct drm_crtc *crtc)
{
	return container_of(crtc, struct primegpu_output, crtc);
}

static inline struct primegpu_atomic_state *
to_primegpu_atomic_state(struct drm_atomic_state *state)
{
	return container_of(state, struct primegpu_atomic_state, base);
}

static inline struct primegpu_plane_state *
to_primegpu_plane_state(struct drm_plane_state *state)
{
	return container_of(state, struct primegpu_plane_state, base);
}

static inline u32 primegpu_output_read(struct primegpu_output *output,
				       enum primegpu_output_reg reg)
{
	return readl(output->pgpu->regs + PRIMEGPU_OUTPUT(output->index) + reg);
}

static inline void primegpu_output_write(struct primegpu_output *output,
					 enum primegpu_output_reg reg, u32 value)
{
	writel(value, output->pgpu->regs + PRIMEGPU_OUTPUT(output->index) + reg);
}

/* Wire format */
int primegpu_cmd_display_init(struct primegpu_device *pgpu);
int primegpu_cmd_mode(struct primegpu_output *output,
		      const struct drm_display_mode *mode);
int primegpu_cmd_commit(struct primegpu_device *pgpu,
			const struct primegpu_commit *commit);
void primegpu_cmd_commit_panic(struct primegpu_device *pgpu,
			       const struct primegpu_commit *commit);

/* Interrupts of the outputs, and what waits for them */
int primegpu_vblank_init(struct primegpu_device *pgpu);
int primegpu_vblank_enable(struct drm_crtc *crtc);
void primegpu_vblank_disable(struct drm_crtc *crtc);
u32 primegpu_vblank_counter(struct drm_crtc *crtc);
bool primegpu_vblank_timestamp(struct drm_crtc *crtc, int *max_error,
			       ktime_t *time, bool in_irq);
bool primegpu_vblank_scanout_position(struct drm_crtc *crtc, bool in_irq,
				      int *vpos, int *hpos, ktime_t *stime,
				      ktime_t *etime,
				      const struct drm_display_mode *mode);
void primegpu_vblank_arm(struct primegpu_output *output,
			 struct drm_pending_vblank_event *event, u64 seqno);
void primegpu_vblank_wait_frame(struct primegpu_output *output);
void primegpu_vblank_cancel(struct primegpu_output *output);
bool primegpu_vblank_flip_pending(struct primegpu_output *output);

/* Objects of mode setting */
int primegpu_crtc_init(struct primegpu_output *output);
struct drm_plane *primegpu_plane_create(struct primegpu_output *output,
					unsigned int index,
					enum drm_plane_type type);
int primegpu_connector_init(struct primegpu_output *output);
void primegpu_connector_hotplug(struct work_struct *work);
int primegpu_writeback_init(struct primegpu_output *output);
void primegpu_writeback_done(struct primegpu_output *output, int error);

/* Framebuffers */
int primegpu_fb_pin(struct drm_framebuffer *fb);
void primegpu_fb_unpin(struct drm_framebuffer *fb);

/* Framebuffers that are replaced later */
struct primegpu_retired *primegpu_retire_begin(struct drm_framebuffer *fb);
void primegpu_retire_end(struct primegpu_retired *retired);
void primegpu_retire_arm(struct primegpu_output *output,
			 struct primegpu_retired *retired, u64 seqno);
void primegpu_retire_latched(struct primegpu_output *output, u64 seqno);
void primegpu_retire_init(struct primegpu_output *output);

/* Panic screen */
struct drm_scanout_buffer;

int primegpu_panic_scanout_buffer(struct drm_plane *plane,
				  struct drm_scanout_buffer *sb);

/* CRCs of frames */
const char *const *primegpu_crc_sources(struct drm_crtc *crtc, size_t *count);
int primegpu_crc_verify(struct drm_crtc *crtc, const char *source,
			size_t *values);
int primegpu_crc_set(struct drm_crtc *crtc, const char *source);
void primegpu_crc_report(struct primegpu_output *output);

#endif /* PRIMEGPU_DISPLAY_H */
