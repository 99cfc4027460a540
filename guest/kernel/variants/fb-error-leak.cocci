// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_gem_framebuffer_helper.c
// fix upstream: a63f393dd7e1, 2021
//
// A framebuffer that is refused because its buffer is too small keeps a
// reference on the buffer for good.

@refused@
expression O, S;
@@
 drm_gem_fb_init_with_funcs(...)
 {
 <+...
 if (O->size < S) {
 ...
-drm_gem_object_put(O);
 ...
 }
 ...+>
 }
