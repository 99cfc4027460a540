// SPDX-License-Identifier: GPL-2.0-or-later
// target: guest/drm/primegpu_discrete_ttm.c
// fix upstream: none; a mistake of a driver's author
//
// A move waits for those who write to the buffer, and not for those who read.

@wait_for_writers_only@
symbol ret;
expression ttm, ctx;
@@
 primegpu_discrete_move(...)
 {
 <+...
-ret = ttm_bo_wait_ctx(ttm, ctx);
+ret = dma_resv_wait_timeout(ttm->base.resv, DMA_RESV_USAGE_WRITE, false,
+			    MAX_SCHEDULE_TIMEOUT) < 0;
 ...+>
 }
