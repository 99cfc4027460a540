// SPDX-License-Identifier: GPL-2.0-or-later
// target: guest/drm/primegpu_gem.c
// fix upstream: none; a mistake of a driver's author
//
// An importer detaches when its handle is closed, and not when its jobs that
// use the exporter's bytes are done.

@detach_on_close@
symbol bo;
@@
 primegpu_core_gem_close(...)
 {
 ...
+if (bo->imported)
+	primegpu_core_bo_detach(bo);
 spin_lock(&bo->client_lock);
 ...
 }
