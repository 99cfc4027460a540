/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu agent: DRM calls that several commands make.  Each returns 0 or
 * -errno; none touches a name.
 */
#ifndef AGENT_DRM_CALLS_H
#define AGENT_DRM_CALLS_H

#include <fcntl.h>
/* The kernel's own headers, before they are installed, have this mark. */
#ifndef __user
#define __user
#endif
#include <drm/drm.h>
#include <drm/drm_mode.h>

#include "primegpu_drm.h"
#include "names.h"

/* GEM_CREATE, or for other drivers a dumb buffer of this size */
int drm_create(const struct file *file, uint64_t size, uint32_t placement,
               struct bo *bo);
int drm_close(int fd, uint32_t handle);
int drm_export(int fd, uint32_t handle, uint32_t flags, int *prime);
int drm_import(int fd, int prime, uint32_t *handle);
int drm_map_offset(const struct bo *bo, uint64_t *offset);

/* GEM_INFO; -ENOTTY for files of other drivers */
int drm_info(const struct file *file, uint32_t handle,
             struct drm_primegpu_gem_info *info);

/* SUBMIT of so many operations */
int drm_submit(const struct file *file, struct drm_primegpu_submit *submit,
               const struct drm_primegpu_op *ops, uint32_t count);

/* A CLOCK_MONOTONIC time that many ms away, as fence waits take it */
int64_t drm_deadline(uint64_t timeout_ms);

#endif /* AGENT_DRM_CALLS_H */
