// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_framebuffer.c
// fix upstream: 5307dce878d4 ("drm/gem: Acquire references on GEM handles for framebuffers"), f6bfc9afc751 ("drm/framebuffer: Acquire internal references on GEM handles"), 2025
//
// A framebuffer holds its object, but no handle of it. When the last handle is
// closed, the object loses its dma-buf, and the next export makes another one.

@init@
identifier exists;
@@
 drm_framebuffer_init(...)
 {
 <+...
-exists = drm_gem_object_handle_get_if_exists_unlocked(...);
+exists = false;
 ...+>
 }
