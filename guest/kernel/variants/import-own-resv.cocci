// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_prime.c
// fix upstream: 3d50e61a17b6, 2025
//
// An imported object keeps its own reservation object, so its user does not see
// the fences of the exporter's jobs, nor the exporter those of the importer's.

@import@
identifier obj, dma_buf;
@@
 drm_gem_prime_import_dev(...)
 {
 ...
-obj->resv = dma_buf->resv;
 ...
 }
