// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_prime.c
// fix upstream: a4fce9cb782a ("drm/prime: Take a ref on the drm_dev when exporting a dma_buf"), 2016
//
// A dma-buf does not keep the DRM device of its object, which may go before it.

@get@
expression D;
@@
 drm_gem_dmabuf_export(...)
 {
 ...
-drm_dev_get(D);
 ...
 }

@put@
identifier dma_buf;
expression D;
@@
 drm_gem_dmabuf_release(struct dma_buf *dma_buf)
 {
 ...
-drm_dev_put(D);
 }
