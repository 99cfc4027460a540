/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The discrete GPU: what its files share. */
#ifndef PRIMEGPU_DISCRETE_H
#define PRIMEGPU_DISCRETE_H

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_placement.h>

#include "primegpu_core.h"

/**
 * struct primegpu_discrete - the discrete GPU
 */
struct primegpu_discrete {
	/** @core: the core's part; first, so that both have one address */
	struct primegpu_device core;
	/** @ttm: the memory manager */
	struct ttm_device ttm;
	/** @vram_base: bus address of the VRAM BAR */
	resource_size_t vram_base;
	/** @vram: VRAM, as the kernel reaches it while the driver is bound */
	void __iomem *vram;
};

/**
 * struct primegpu_discrete_bo - a GEM object
 */
struct primegpu_discrete_bo {
	/** @ttm: TTM's part */
	struct ttm_buffer_object ttm;
	/** @core: the core's part */
	struct primegpu_bo core;
	/**
	 * @exported: the dynamic dma-buf of this BO, or NULL; no reference,
	 * under the reservation lock. &drm_gem_object.dma_buf is gone when the
	 * last handle is, which importers may survive.
	 */
	struct dma_buf *exported;
};

static inline struct primegpu_discrete *
to_primegpu_discrete(struct drm_device *drm)
{
	return container_of(drm, struct primegpu_discrete, core.drm);
}

static inline struct primegpu_discrete_bo *
ttm_to_primegpu_discrete_bo(struct ttm_buffer_object *ttm)
{
	return container_of(ttm, struct primegpu_discrete_bo, ttm);
}

static inline struct primegpu_discrete_bo *
gem_to_primegpu_discrete_bo(struct drm_gem_object *gem)
{
	return container_of(gem, struct primegpu_discrete_bo, ttm.base);
}

/* Memory manager */
void primegpu_discrete_tt_unmap(struct primegpu_discrete_bo *bo);
resource_size_t primegpu_discrete_vram_phys(const struct primegpu_discrete_bo *bo);
struct iosys_map primegpu_discrete_panic_map(struct drm_gem_object *gem,
					     u64 page);
int primegpu_discrete_ttm_init(struct primegpu_discrete *discrete);
int primegpu_discrete_ttm_evict(struct primegpu_device *pgpu);

/* GEM objects */
void primegpu_discrete_bo_destroy(struct ttm_buffer_object *ttm);
int primegpu_discrete_bo_validate(struct primegpu_discrete_bo *bo,
				  u32 placements);
struct drm_gem_object *
primegpu_discrete_prime_import_sg_table(struct drm_device *drm,
					struct dma_buf_attachment *attach,
					struct sg_table *sgt);

int primegpu_discrete_gem_pin_here(struct drm_gem_object *gem);
bool primegpu_discrete_bo_has_backing(const struct primegpu_discrete_bo *bo);

/* Dynamic exports, and imports */
struct dma_buf *primegpu_discrete_export(struct drm_gem_object *gem, int flags);
void primegpu_discrete_export_notify(struct primegpu_discrete_bo *bo);
bool primegpu_discrete_export_needs_pages(struct primegpu_discrete_bo *bo);
struct drm_gem_object *primegpu_discrete_prime_import(struct drm_device *drm,
						      struct dma_buf *dmabuf);

extern const struct primegpu_backend primegpu_discrete_backend;

#endif /* PRIMEGPU_DISCRETE_H */
