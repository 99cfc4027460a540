// SPDX-License-Identifier: GPL-2.0-or-later
// target: guest/drm/primegpu_ioctl.c
// fix upstream: none; a mistake of a driver's author
//
// When the handle of a new buffer cannot be made, the buffer's first reference
// is forgotten.

@keep_on_error@
symbol ret;
expression gem;
@@
 primegpu_ioctl_new_bo(...)
 {
 ...
 ret = drm_gem_handle_create(...);
+if (ret)
+	return ret;
 drm_gem_object_put(gem);
 ...
 }
