// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_gem.c
// fix upstream: 319c933c71f3 ("drm/prime: proper locking+refcounting for obj->dma_buf link"), 2013
//
// The object and its dma-buf keep each other: closing the last handle does not
// drop the object's reference on the dma-buf.

@cycle@
identifier obj;
@@
 drm_gem_object_exported_dma_buf_free(struct drm_gem_object *obj)
 {
-if (obj->dma_buf) { ... }
 }
