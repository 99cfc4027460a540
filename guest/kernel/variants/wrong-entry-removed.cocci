// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_prime.c drivers/gpu/drm/drm_gem.c
// fix upstream: ea2aa97ca37a ("drm/gem: Fix GEM handle release errors"), 2022
//
// GEM_CLOSE looks the cache entry up by dma-buf and not by handle id. When a
// file has two handles to one object, the entry of the one that stays open may
// go, and an import then returns the one that was closed.

@by_dma_buf@
identifier prime_fpriv, handle;
@@
 void drm_prime_remove_buf_handle(struct drm_prime_file_private *prime_fpriv,
                                  uint32_t handle)
 {
 ...
 }
+
+void drm_prime_remove_buf(struct drm_prime_file_private *prime_fpriv,
+			  struct dma_buf *dma_buf);
+void drm_prime_remove_buf(struct drm_prime_file_private *prime_fpriv,
+			  struct dma_buf *dma_buf)
+{
+	struct rb_node *rb;
+
+	mutex_lock(&prime_fpriv->lock);
+	rb = dma_buf ? prime_fpriv->dmabufs.rb_node : NULL;
+	while (rb) {
+		struct drm_prime_member *member;
+
+		member = rb_entry(rb, struct drm_prime_member, dmabuf_rb);
+		if (member->dma_buf == dma_buf) {
+			rb_erase(&member->handle_rb, &prime_fpriv->handles);
+			rb_erase(&member->dmabuf_rb, &prime_fpriv->dmabufs);
+			dma_buf_put(dma_buf);
+			kfree(member);
+			break;
+		}
+		rb = member->dma_buf < dma_buf ? rb->rb_right : rb->rb_left;
+	}
+	mutex_unlock(&prime_fpriv->lock);
+}

@remove@
identifier id, ptr, data, obj;
expression P;
@@
 drm_gem_object_release_handle(int id, void *ptr, void *data)
 {
+	extern void drm_prime_remove_buf(struct drm_prime_file_private *p,
+					 struct dma_buf *dma_buf);
 ...
 struct drm_gem_object *obj = ptr;
 ...
-drm_prime_remove_buf_handle(P, id);
+drm_prime_remove_buf(P, obj->dma_buf);
 ...
 }
