/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the core offers to the two drivers, and what it asks of them.
 *
 * The core owns the rings, BO keys, clients, jobs, ioctls and display; a
 * driver owns its memory manager. A driver never talks to the hardware itself.
 */
#ifndef PRIMEGPU_CORE_H
#define PRIMEGPU_CORE_H

#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/pm.h>
#include <linux/spinlock.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include <primegpu_drm.h>

struct dma_buf;
struct drm_file;
struct drm_minor;
struct drm_mode_create_dumb;
struct file;
struct pci_dev;
struct primegpu_bo;
struct primegpu_device;
struct primegpu_display;
struct primegpu_engine;
struct primegpu_ring;
struct sg_table;

/**
 * struct primegpu_backend - a driver's memory manager, as the core uses it
 */
struct primegpu_backend {
	/** @placements: PRIMEGPU_PLACE_* that the device has */
	u32 placements;

	/** @required_caps: PRIMEGPU_CAPS_* that the hardware must announce */
	u32 required_caps;

	/** @gem_create: make an object without pages, its core part initialized */
	struct drm_gem_object *(*gem_create)(struct primegpu_device *pgpu,
					     size_t size, u32 placements);

	/** @to_bo: the core's part of a GEM object of this driver */
	struct primegpu_bo *(*to_bo)(struct drm_gem_object *gem);

	/**
	 * @populate: make sure that an object has backing that stays attached.
	 * Called without locks; optional if @validate does it.
	 */
	int (*populate)(struct drm_gem_object *gem);

	/**
	 * @validate: make sure that an object has backing where it may be.
	 * Called with the reservation lock; optional if @populate does it.
	 */
	int (*validate)(struct drm_gem_object *gem);

	/**
	 * @export_begin: called without the reservation lock before an object
	 * becomes a dma-buf, so that it has its pages from then on
	 */
	int (*export_begin)(struct drm_gem_object *gem);

	/** @place: change the placements that are allowed, and move the object */
	int (*place)(struct drm_gem_object *gem, u32 placements);

	/** @placement: where the object is, one of PRIMEGPU_PLACE_*, or 0 */
	u32 (*placement)(struct drm_gem_object *gem);

	/**
	 * @unplug: the hardware has gone: undo the DMA mapping of an object,
	 * whose pages stay, and let importers leave VRAM. An import is given to
	 * primegpu_core_import_orphan(). Called without locks.
	 */
	void (*unplug)(struct drm_gem_object *gem);

	/** @evict: move everything out of VRAM; optional */
	int (*evict)(struct primegpu_device *pgpu);

	/**
	 * @pin: make sure that an object, no import, has backing where it may
	 * be and stays there, to be shown. Called with the reservation lock;
	 * optional if @populate does it.
	 */
	int (*pin)(struct drm_gem_object *gem);

	/** @unpin: undo @pin; the same lock */
	void (*unpin)(struct drm_gem_object *gem);

	/**
	 * @panic_map: where the CPU reaches a page of an object that is shown;
	 * a NULL map if it does not. Takes no locks.
	 */
	struct iosys_map (*panic_map)(struct drm_gem_object *gem, u64 page);
};

/**
 * struct primegpu_device - a GPU
 */
struct primegpu_device {
	/** @drm: the DRM device; first, so that both have one address */
	struct drm_device drm;

	/** @backend: the memory manager of the driver */
	const struct primegpu_backend *backend;

	/** @regs: the register BAR */
	void __iomem *regs;

	/** @caps: PRIMEGPU_CAPS_* */
	u32 caps;

	/** @device_id: upper 16 bits of the keys of this device's BOs */
	u32 device_id;

	/** @vram_size: in bytes, 0 without VRAM */
	u64 vram_size;

	/** @bytes_max: limit of the hardware on the bytes of all BOs */
	u64 bytes_max;

	/** @ctrl: the control ring */
	struct primegpu_ring *ctrl;

	/** @engine: the engine ring, its jobs and scheduler */
	struct primegpu_engine *engine;

	/** @display: the outputs, NULL if there are none */
	struct primegpu_display *display;

	/** @last_client: the client id that was given out last */
	atomic_t last_client;

	/** @link: in the core's list of devices, under the list's mutex */
	struct list_head link;

	/** @bo_lock: guards @bos and @dying */
	spinlock_t bo_lock;

	/** @bos: every BO, oldest first */
	struct list_head bos;

	/** @dying: BOs without references whose release waits for something */
	struct list_head dying;
};

/**
 * struct primegpu_bo - the core's part of a GEM object
 */
struct primegpu_bo {
	/** @gem: the object */
	struct drm_gem_object *gem;

	/** @key: the BO's key in the hardware */
	u64 key;

	/** @exporter_key: key of the exporter's BO, 0 if it is none of ours */
	u64 exporter_key;

	/** @imported: the bytes belong to a dma-buf of another exporter */
	bool imported;

	/**
	 * @import_sgt: the mapping of a dynamic import, or NULL; under the
	 * reservation lock
	 */
	struct sg_table *import_sgt;

	/**
	 * @live: the hardware knows the BO; cleared once, by its release, under
	 * &primegpu_device.bo_lock. The reservation of an import may go then.
	 */
	bool live;

	/** @attached: the hardware has the pages; under the reservation lock */
	bool attached;

	/**
	 * @orphaned: the dma-buf of an import without attachment; a reference,
	 * since its reservation is the object's too
	 */
	struct dma_buf *orphaned;

	/** @placements: PRIMEGPU_PLACE_* that are allowed; same lock */
	u32 placements;

	/** @client_lock: guards @clients */
	spinlock_t client_lock;

	/** @clients: clients in which the BO is open */
	struct list_head clients;

	/** @link: in &primegpu_device.bos */
	struct list_head link;

	/** @dying_link: in &primegpu_device.dying */
	struct list_head dying_link;
};

static inline struct primegpu_device *to_primegpu_device(struct drm_device *drm)
{
	return container_of(drm, struct primegpu_device, drm);
}

/* Device */
int primegpu_core_init(struct primegpu_device *pgpu,
		       const struct primegpu_backend *backend);
int primegpu_core_register(struct primegpu_device *pgpu);
void primegpu_core_remove(struct primegpu_device *pgpu);
void primegpu_core_shutdown(struct primegpu_device *pgpu);

/* Life of a BO */
int primegpu_core_bo_init(struct primegpu_bo *bo, struct drm_gem_object *gem,
			  struct dma_buf *import);
void primegpu_core_bo_dying(struct primegpu_bo *bo);
void primegpu_core_bo_release(struct primegpu_bo *bo);
void primegpu_core_bo_fini(struct primegpu_bo *bo);
int primegpu_core_bo_attach_sgt(struct primegpu_bo *bo, struct sg_table *sgt);
void primegpu_core_bo_detach(struct primegpu_bo *bo);
int primegpu_core_bo_place_vram(struct primegpu_bo *bo, u64 offset);
int primegpu_core_bo_place_pages(struct primegpu_bo *bo);

/* &drm_gem_object_funcs that both drivers share */
int primegpu_core_gem_open(struct drm_gem_object *gem, struct drm_file *file);
void primegpu_core_gem_close(struct drm_gem_object *gem, struct drm_file *file);
struct dma_buf *primegpu_core_gem_export(struct drm_gem_object *gem, int flags);

/* Imports */
struct drm_gem_object *primegpu_core_prime_import(struct drm_device *drm,
						  struct dma_buf *dmabuf,
						  bool dynamic, bool peer);
void primegpu_core_import_unmap(struct primegpu_bo *bo);
void primegpu_core_import_orphan(struct primegpu_bo *bo, struct sg_table *sgt);

/* &drm_driver hooks that both drivers share */
extern const struct dev_pm_ops primegpu_core_pm_ops;
extern const struct drm_ioctl_desc primegpu_core_ioctls[];
#define PRIMEGPU_CORE_IOCTL_COUNT (DRM_PRIMEGPU_SUBMIT + 1)

long primegpu_core_ioctl(struct file *filp, unsigned int cmd,
			 unsigned long arg);
int primegpu_core_open(struct drm_device *drm, struct drm_file *file);
void primegpu_core_postclose(struct drm_device *drm, struct drm_file *file);
int primegpu_core_dumb_create(struct drm_file *file, struct drm_device *drm,
			      struct drm_mode_create_dumb *args);
void primegpu_core_debugfs_init(struct drm_minor *minor);

#endif /* PRIMEGPU_CORE_H */
