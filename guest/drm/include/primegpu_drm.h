/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu DRM ioctls.  Both drivers offer the same set.
 *
 * Driver ioctls 0x00 to 0x1f are left to the numbers of virtgpu_drm.h.
 */
#ifndef PRIMEGPU_DRM_H
#define PRIMEGPU_DRM_H

#ifdef __KERNEL__
#include <drm/drm.h>
#else
#include <sys/ioctl.h>
#include <linux/types.h>
#ifndef DRM_COMMAND_BASE
#include <drm/drm.h>
#endif
#endif

#if defined(__cplusplus)
extern "C" {
#endif

#define DRM_PRIMEGPU_GETPARAM       0x20
#define DRM_PRIMEGPU_GEM_CREATE     0x21
#define DRM_PRIMEGPU_GEM_INFO       0x22
#define DRM_PRIMEGPU_GEM_MMAP       0x23
#define DRM_PRIMEGPU_GEM_PLACE      0x24
#define DRM_PRIMEGPU_GEM_WAIT       0x25
#define DRM_PRIMEGPU_SUBMIT         0x26

/* GETPARAM: what a device is and can do */
#define PRIMEGPU_PARAM_CAPS         0   /* PRIMEGPU_CAPS_* of the hardware */
#define PRIMEGPU_PARAM_DEVICE_ID    1   /* upper 16 bits of the device's BO keys */
#define PRIMEGPU_PARAM_VRAM_SIZE    2   /* bytes, 0 without VRAM */
#define PRIMEGPU_PARAM_CLIENT_ID    3   /* the hardware's client id of this file */

struct drm_primegpu_getparam {
	__u32 param;
	__u32 pad;
	__u64 value;
};

/* Placements that a BO may have; VRAM needs PRIMEGPU_CAPS_VRAM. */
#define PRIMEGPU_PLACE_PAGES        0x1
#define PRIMEGPU_PLACE_VRAM         0x2

/**
 * struct drm_primegpu_gem_create - make a BO and a handle to it
 * @size: in bytes; rounded up to pages, the size that was made comes back
 * @placement: PRIMEGPU_PLACE_* that are allowed, 0 for the device's default
 * @handle: comes back
 *
 * Errors: EINVAL size 0, unknown or impossible placement; ENOSPC a limit of
 * the device; ENOMEM.
 */
struct drm_primegpu_gem_create {
	__u64 size;
	__u32 placement;
	__u32 handle;
};

/**
 * struct drm_primegpu_gem_info - what is known of a handle's BO
 * @handle: the handle
 * @placement: where the BO is now, one of PRIMEGPU_PLACE_*, 0 while it has no pages
 * @size: in bytes
 * @key: the BO's key in the hardware
 * @imported: 1 when the BO is an import of a dma-buf
 */
struct drm_primegpu_gem_info {
	__u32 handle;
	__u32 placement;
	__u64 size;
	__u64 key;
	__u32 imported;
	__u32 pad;
};

/* GEM_MMAP: the offset to give to mmap() on the DRM file */
struct drm_primegpu_gem_mmap {
	__u32 handle;
	__u32 pad;
	__u64 offset;
};

/**
 * struct drm_primegpu_gem_place - change what placements a BO may have, and move it
 * @handle: the handle
 * @placement: PRIMEGPU_PLACE_*
 *
 * Errors: EINVAL impossible placement, or an imported BO; ENOSPC no room in VRAM.
 */
struct drm_primegpu_gem_place {
	__u32 handle;
	__u32 placement;
};

#define PRIMEGPU_WAIT_WRITE         0x1 /* wait as a writer would, for readers too */

/**
 * struct drm_primegpu_gem_wait - wait for the implicit fences of a BO
 * @handle: the handle
 * @flags: PRIMEGPU_WAIT_*
 * @timeout_ns: absolute CLOCK_MONOTONIC time in ns, as drm_syncobj takes it
 *
 * Errors: ETIME not idle by then.
 */
struct drm_primegpu_gem_wait {
	__u32 handle;
	__u32 flags;
	__s64 timeout_ns;
};

#define PRIMEGPU_OP_KIND_FILL       1
#define PRIMEGPU_OP_KIND_COPY       2

/**
 * struct drm_primegpu_op - one operation of a job
 * @kind: PRIMEGPU_OP_KIND_*
 * @value: fill: the low @cpp bytes are written
 * @dst_handle: written
 * @src_handle: copy: read; else 0
 * @dst_offset: of the first row, in bytes
 * @src_offset: of the first row, in bytes
 * @dst_stride: bytes from row to row
 * @src_stride: bytes from row to row
 * @width: elements in a row
 * @height: rows
 * @cpp: bytes in an element: 1, 2, 4 or 8 (fill: 1, 2 or 4)
 * @pad: zero
 */
struct drm_primegpu_op {
	__u32 kind;
	__u32 value;
	__u32 dst_handle;
	__u32 src_handle;
	__u64 dst_offset;
	__u64 src_offset;
	__u32 dst_stride;
	__u32 src_stride;
	__u32 width;
	__u32 height;
	__u32 cpp;
	__u32 pad;
};

/* One syncobj of a job; point 0 is a binary one */
struct drm_primegpu_sync {
	__u32 handle;
	__u32 flags;
	__u64 point;
};

#define PRIMEGPU_SUBMIT_EXPLICIT_SYNC   0x1 /* neither wait for nor add implicit fences of other writers */
#define PRIMEGPU_SUBMIT_FENCE_FD_IN     0x2 /* wait for the sync_file in_fence_fd */
#define PRIMEGPU_SUBMIT_FENCE_FD_OUT    0x4 /* out_fence_fd comes back as a sync_file */

/**
 * struct drm_primegpu_submit - queue a job
 * @flags: PRIMEGPU_SUBMIT_*
 * @op_count: number of operations, 1 to 1024
 * @ops: pointer to struct drm_primegpu_op
 * @in_syncs: pointer to struct drm_primegpu_sync, waited for
 * @out_syncs: pointer to struct drm_primegpu_sync, signalled
 * @in_sync_count: number of @in_syncs
 * @out_sync_count: number of @out_syncs
 * @in_fence_fd: with FENCE_FD_IN
 * @out_fence_fd: with FENCE_FD_OUT, comes back
 * @seqno: 0 comes back: the job gets the hardware's number when the scheduler
 * hands it on, which the call does not wait for; tracepoints tell it
 *
 * Errors: ENOENT an unknown handle; EINVAL flags, counts, or an operation that
 * leaves its BOs; ENODEV the device is gone.
 */
struct drm_primegpu_submit {
	__u32 flags;
	__u32 op_count;
	__u64 ops;
	__u64 in_syncs;
	__u64 out_syncs;
	__u32 in_sync_count;
	__u32 out_sync_count;
	__s32 in_fence_fd;
	__s32 out_fence_fd;
	__u64 seqno;
};

#define DRM_IOCTL_PRIMEGPU_GETPARAM \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_PRIMEGPU_GETPARAM, struct drm_primegpu_getparam)
#define DRM_IOCTL_PRIMEGPU_GEM_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_PRIMEGPU_GEM_CREATE, struct drm_primegpu_gem_create)
#define DRM_IOCTL_PRIMEGPU_GEM_INFO \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_PRIMEGPU_GEM_INFO, struct drm_primegpu_gem_info)
#define DRM_IOCTL_PRIMEGPU_GEM_MMAP \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_PRIMEGPU_GEM_MMAP, struct drm_primegpu_gem_mmap)
#define DRM_IOCTL_PRIMEGPU_GEM_PLACE \
	DRM_IOW(DRM_COMMAND_BASE + DRM_PRIMEGPU_GEM_PLACE, struct drm_primegpu_gem_place)
#define DRM_IOCTL_PRIMEGPU_GEM_WAIT \
	DRM_IOW(DRM_COMMAND_BASE + DRM_PRIMEGPU_GEM_WAIT, struct drm_primegpu_gem_wait)
#define DRM_IOCTL_PRIMEGPU_SUBMIT \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_PRIMEGPU_SUBMIT, struct drm_primegpu_submit)

#if defined(__cplusplus)
}
#endif

#endif /* PRIMEGPU_DRM_H */
