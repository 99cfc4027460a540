// SPDX-License-Identifier: GPL-2.0-or-later
// target: guest/drm/primegpu_import.c
// fix upstream: none; a mistake of a driver's author
//
// An import that fails after it has attached forgets its reference to the
// dma-buf, so the exporter's buffer is never released.

@keep_on_error@
expression dmabuf, attach;
@@
 primegpu_import_dynamic(...)
 {
 ... when exists
 dma_buf_detach(dmabuf, attach);
-dma_buf_put(dmabuf);
 ... when exists
 }
