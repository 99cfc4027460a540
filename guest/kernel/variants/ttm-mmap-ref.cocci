// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_gem_ttm_helper.c
// fix upstream: 8244a3bc27b3, 2021
//
// A mapping has two references on the object, the caller's and TTM's own, and
// gives back one.

@leak@
identifier gem, vma;
@@
 drm_gem_ttm_mmap(struct drm_gem_object *gem, struct vm_area_struct *vma)
 {
 ...
-drm_gem_object_put(gem);
 ...
 }
