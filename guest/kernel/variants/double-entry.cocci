// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_prime.c
// fix upstream: b83e8fe4fae9, 2025
//
// PRIME_HANDLE_TO_FD does not notice that the handle has a cache entry, and adds
// another one. GEM_CLOSE removes one of them.

@lookup@
identifier dmabuf;
@@
 drm_gem_prime_handle_to_dmabuf(...)
 {
 ...
 dmabuf = drm_prime_lookup_buf_by_handle(...);
-if (dmabuf) { ... }
 ...
 }
