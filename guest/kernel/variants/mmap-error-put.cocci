// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_gem_shmem_helper.c
// fix upstream: 24013314be6e ("drm/shmem-helper: Remove errant put in error path"), 2022
//
// A refused mmap() drops a reference that belongs to the caller, who drops it
// as well: the object is freed while its handle is open.

@put@
identifier shmem, vma, obj;
@@
 drm_gem_shmem_mmap(struct drm_gem_shmem_object *shmem,
                    struct vm_area_struct *vma)
 {
 ...
 struct drm_gem_object *obj = &shmem->base;
 <+...
 if (is_cow_mapping(vma->vm_flags))
-	return -EINVAL;
+{
+	drm_gem_object_put(obj);
+	return -EINVAL;
+}
 ...+>
 }
