// SPDX-License-Identifier: GPL-2.0-or-later
// target: guest/drm/primegpu_engine.c
// fix upstream: none; a mistake of a driver's author
//
// A job's fence is signalled when the hardware gets the job, before it has
// written anything.

@signal_at_start@
symbol fence;
identifier idx;
@@
 primegpu_engine_run(...)
 {
 ...
 drm_dev_exit(idx);
+dma_fence_signal(fence);
 return fence;
 }
