// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_prime.c
// fix upstream: none; what 219b47339ced ("drm/prime: keep a reference from the handle to exported dma-buf") would do without the put
//
// GEM_CLOSE removes the handle's cache entry, but not the reference that the
// entry has on the dma-buf: the buffer is never released.

@forget@
identifier prime_fpriv, handle;
expression E;
@@
 drm_prime_remove_buf_handle(struct drm_prime_file_private *prime_fpriv,
                             uint32_t handle)
 {
 <...
-dma_buf_put(E);
 ...>
 }
