/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Misuse of ioctls on handles, on dma-bufs, and of our own ones.
 */
#include <linux/dma-buf.h>

#include "misuse.h"
#include <drm/vgem_drm.h>

#define F MISUSE_FIELD

const struct misuse misuse_bo[] = {
    { "GEM_CLOSE", DRM_IOCTL_GEM_CLOSE, ON_FILE, {
        F(drm_gem_close, handle, V_NOTHING, HANDLE) } },
    { "GEM_FLINK", DRM_IOCTL_GEM_FLINK, ON_FILE, {
        F(drm_gem_flink, handle, V_NOTHING, HANDLE) } },
    { "GEM_OPEN", DRM_IOCTL_GEM_OPEN, ON_FILE, {
        F(drm_gem_open, name, V_ALL, ID) } },
    { "PRIME_HANDLE_TO_FD", DRM_IOCTL_PRIME_HANDLE_TO_FD, ON_FILE, {
        F(drm_prime_handle, handle, V_HANDLE, HANDLE),
        F(drm_prime_handle, flags, V_ZERO, FLAGS) } },
    { "PRIME_FD_TO_HANDLE", DRM_IOCTL_PRIME_FD_TO_HANDLE, ON_FILE, {
        F(drm_prime_handle, fd, V_CLOSED_FD, FD) } },
    { "MODE_CREATE_DUMB", DRM_IOCTL_MODE_CREATE_DUMB, ON_FILE, {
        F(drm_mode_create_dumb, width, V_WIDTH, COUNT),
        F(drm_mode_create_dumb, height, V_WIDTH, COUNT),
        F(drm_mode_create_dumb, bpp, V_BPP, COUNT) } },
    { "MODE_MAP_DUMB", DRM_IOCTL_MODE_MAP_DUMB, ON_FILE, {
        F(drm_mode_map_dumb, handle, V_NOTHING, HANDLE) } },
    { "MODE_DESTROY_DUMB", DRM_IOCTL_MODE_DESTROY_DUMB, ON_FILE, {
        F(drm_mode_destroy_dumb, handle, V_NOTHING, HANDLE) } },
    { "VGEM_FENCE_ATTACH", DRM_IOCTL_VGEM_FENCE_ATTACH, ON_FILE, {
        F(drm_vgem_fence_attach, handle, V_HANDLE, HANDLE),
        F(drm_vgem_fence_attach, flags, V_ZERO, FLAGS),
        F(drm_vgem_fence_attach, pad, V_ZERO, MUST_BE_0) } },
    { "VGEM_FENCE_SIGNAL", DRM_IOCTL_VGEM_FENCE_SIGNAL, ON_FILE, {
        F(drm_vgem_fence_signal, fence, V_ALL, ID),
        F(drm_vgem_fence_signal, flags, V_ZERO, FLAGS) } },
    { "PRIMEGPU_GETPARAM", DRM_IOCTL_PRIMEGPU_GETPARAM, ON_FILE, {
        F(drm_primegpu_getparam, param, V_ALL, FLAGS) } },
    { "PRIMEGPU_GEM_CREATE", DRM_IOCTL_PRIMEGPU_GEM_CREATE, ON_FILE, {
        F(drm_primegpu_gem_create, size, V_PAGE, COUNT),
        F(drm_primegpu_gem_create, placement, V_ZERO, FLAGS) } },
    { "PRIMEGPU_GEM_INFO", DRM_IOCTL_PRIMEGPU_GEM_INFO, ON_FILE, {
        F(drm_primegpu_gem_info, handle, V_NOTHING, HANDLE) } },
    { "PRIMEGPU_GEM_MMAP", DRM_IOCTL_PRIMEGPU_GEM_MMAP, ON_FILE, {
        F(drm_primegpu_gem_mmap, handle, V_NOTHING, HANDLE) } },
    { "PRIMEGPU_GEM_PLACE", DRM_IOCTL_PRIMEGPU_GEM_PLACE, ON_FILE, {
        F(drm_primegpu_gem_place, handle, V_HANDLE, HANDLE),
        F(drm_primegpu_gem_place, placement, V_ONE, FLAGS),
        F(drm_primegpu_gem_place, placement, V_ONE, NOT_0) } },
    { "PRIMEGPU_GEM_WAIT", DRM_IOCTL_PRIMEGPU_GEM_WAIT, ON_FILE, {
        F(drm_primegpu_gem_wait, handle, V_HANDLE, HANDLE),
        F(drm_primegpu_gem_wait, flags, V_ZERO, FLAGS) } },
    { "PRIMEGPU_SUBMIT", DRM_IOCTL_PRIMEGPU_SUBMIT, ON_FILE, {
        F(drm_primegpu_submit, flags, V_ZERO, FLAGS),
        F(drm_primegpu_submit, op_count, V_ONE, COUNT),
        F(drm_primegpu_submit, ops, V_OP, OPS) } },
    { "PRIMEGPU_SUBMIT-of-fences", DRM_IOCTL_PRIMEGPU_SUBMIT, ON_FILE, {
        F(drm_primegpu_submit, flags, V_IN_FENCE, ANY),
        F(drm_primegpu_submit, op_count, V_ONE, ANY),
        F(drm_primegpu_submit, ops, V_OP, ANY),
        F(drm_primegpu_submit, in_syncs, V_IN_SYNC, IN_SYNCS),
        F(drm_primegpu_submit, out_syncs, V_IN_SYNC, IN_SYNCS),
        F(drm_primegpu_submit, in_sync_count, V_ONE, ANY),
        F(drm_primegpu_submit, out_sync_count, V_ONE, ANY),
        F(drm_primegpu_submit, in_fence_fd, V_FENCE, FD) } },
    { "DMA_BUF_SYNC", DMA_BUF_IOCTL_SYNC, ON_DMABUF, {
        F(dma_buf_sync, flags, V_ONE, FLAGS),
        F(dma_buf_sync, flags, V_ONE, NOT_0) } },
    { "DMA_BUF_EXPORT_SYNC_FILE", DMA_BUF_IOCTL_EXPORT_SYNC_FILE, ON_DMABUF, {
        F(dma_buf_export_sync_file, flags, V_ONE, FLAGS),
        F(dma_buf_export_sync_file, flags, V_ONE, NOT_0) } },
    { "DMA_BUF_IMPORT_SYNC_FILE", DMA_BUF_IOCTL_IMPORT_SYNC_FILE, ON_DMABUF, {
        F(dma_buf_import_sync_file, flags, V_ONE, FLAGS),
        F(dma_buf_import_sync_file, flags, V_ONE, NOT_0),
        F(dma_buf_import_sync_file, fd, V_FENCE, FD) } },
    { NULL }
};
