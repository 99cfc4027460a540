/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between the kernels that the drivers are built for. The build
 * sets PRIMEGPU_LINUX to 6012 for Linux 6.12.
 */
#ifndef PRIMEGPU_COMPAT_H
#define PRIMEGPU_COMPAT_H

#include <linux/dma-fence.h>
#include <linux/module.h>

#include <drm/gpu_scheduler.h>

#if PRIMEGPU_LINUX >= 6013
#define PRIMEGPU_IMPORT_DMA_BUF_NS	MODULE_IMPORT_NS("DMA_BUF")
#define primegpu_sched_start(sched)	drm_sched_start(sched, 0)
#else
#define PRIMEGPU_IMPORT_DMA_BUF_NS	MODULE_IMPORT_NS(DMA_BUF)
#define primegpu_sched_start(sched)	drm_sched_start(sched)
#endif

/* Framebuffer console */
#if PRIMEGPU_LINUX >= 6013
#include <drm/clients/drm_client_setup.h>
#define PRIMEGPU_FBDEV_SHMEM_OPS	DRM_FBDEV_SHMEM_DRIVER_OPS,
#define PRIMEGPU_FBDEV_TTM_OPS		DRM_FBDEV_TTM_DRIVER_OPS,
#define primegpu_fbdev_shmem_setup(drm)	drm_client_setup(drm, NULL)
#define primegpu_fbdev_ttm_setup(drm)	drm_client_setup(drm, NULL)
#else
#define PRIMEGPU_FBDEV_SHMEM_OPS
#define PRIMEGPU_FBDEV_TTM_OPS
#define primegpu_fbdev_shmem_setup(drm)	drm_fbdev_shmem_setup(drm, 0)
#define primegpu_fbdev_ttm_setup(drm)	drm_fbdev_ttm_setup(drm, 0)
#endif

#if PRIMEGPU_LINUX >= 6016
/* Planes are asked whether they can be flipped, too. */
#define PRIMEGPU_ASYNC_CHECK_FLIP	1
#endif

#if PRIMEGPU_LINUX >= 6017
#define PRIMEGPU_SCHED_STAT_RESET	DRM_GPU_SCHED_STAT_RESET
#else
#define PRIMEGPU_SCHED_STAT_RESET	DRM_GPU_SCHED_STAT_NOMINAL
#endif

#if PRIMEGPU_LINUX >= 6016
#define primegpu_fence_init64		dma_fence_init64
#else
#define primegpu_fence_init64		dma_fence_init
#define PRIMEGPU_FENCE_OPS_64BIT	1
#endif

#if PRIMEGPU_LINUX >= 6018
#define primegpu_ttm_bo_release		ttm_bo_fini
#else
#define primegpu_ttm_bo_release		ttm_bo_put
#endif

/* With the pool's default behaviour */
#if PRIMEGPU_LINUX >= 6019
#define primegpu_ttm_device_init(bdev, funcs, dev, mapping, vma_manager) \
	ttm_device_init(bdev, funcs, dev, mapping, vma_manager, 0)
#else
#define primegpu_ttm_device_init(bdev, funcs, dev, mapping, vma_manager) \
	ttm_device_init(bdev, funcs, dev, mapping, vma_manager, false, false)
#endif

#if PRIMEGPU_LINUX >= 7001
#define primegpu_move_notify		invalidate_mappings
#define primegpu_dma_buf_move_notify	dma_buf_invalidate_mappings
#else
#define primegpu_move_notify		move_notify
#define primegpu_dma_buf_move_notify	dma_buf_move_notify
#endif

#if PRIMEGPU_LINUX >= 7002
#define drm_atomic_state		drm_atomic_commit
#define drm_atomic_state_init		drm_atomic_commit_init
#define drm_atomic_state_default_clear	drm_atomic_commit_default_clear
#define drm_atomic_state_default_release \
	drm_atomic_commit_default_release
#endif

#endif /* PRIMEGPU_COMPAT_H */
