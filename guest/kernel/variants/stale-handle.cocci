// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_gem.c
// fix upstream: none; what 219b47339ced ("drm/prime: keep a reference from the handle to exported dma-buf") would do without the removal by handle id
//
// GEM_CLOSE leaves the handle's cache entry behind for good: the buffer is never
// released, and the entry is found again when the id is used for another one.

@remove@
@@
 drm_gem_object_release_handle(...)
 {
 ...
-drm_prime_remove_buf_handle(...);
 ...
 }
