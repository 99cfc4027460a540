// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_prime.c drivers/gpu/drm/drm_gem.c
// fix upstream: none; what 219b47339ced ("drm/prime: keep a reference from the handle to exported dma-buf") would do with a forgotten entry
//
// GEM_CLOSE leaves the handle's cache entry, with its reference on the dma-buf,
// behind; the entries are drained when the DRM file is closed.

@drain@
iterator name rbtree_postorder_for_each_entry_safe;
identifier prime_fpriv;
@@
 drm_prime_destroy_file_private(struct drm_prime_file_private *prime_fpriv)
 {
-WARN_ON(...);
+struct drm_prime_member *member;
+struct drm_prime_member *next;
+
+rbtree_postorder_for_each_entry_safe(member, next, &prime_fpriv->handles,
+				     handle_rb) {
+	dma_buf_put(member->dma_buf);
+	kfree(member);
+}
 }

@remove@
@@
 drm_gem_object_release_handle(...)
 {
 ...
-drm_prime_remove_buf_handle(...);
 ...
 }
