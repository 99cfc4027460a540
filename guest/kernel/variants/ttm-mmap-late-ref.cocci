// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_prime.c
// fix upstream: 9786b65bc61a ("drm/ttm: fix mmap refcounting"), 2019
//
// mmap() of a dma-buf takes its reference on the object after the driver has
// dropped it, which may have been the last one.

@late@
identifier obj, vma, ret;
@@
 drm_gem_prime_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
 {
 <+...
-drm_gem_object_get(obj);
 ret = obj->funcs->mmap(obj, vma);
 if (ret) {
-drm_gem_object_put(obj);
 return ret;
 }
+drm_gem_object_get(obj);
 ...+>
 }
