// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_prime.c
// fix upstream: 0ff926c7d4f0 ("drm/prime: add exported buffers to current fprivs imported buffer list (v2)"), 2012
//
// PRIME_HANDLE_TO_FD adds no cache entry: importing it into the same file gives a
// second handle to the object.

@add@
identifier ret;
@@
 drm_gem_prime_handle_to_dmabuf(...)
 {
 <+...
-ret = drm_prime_add_buf_handle(...);
 ...+>
 }
