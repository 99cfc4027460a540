// SPDX-License-Identifier: GPL-2.0-or-later
// target: drivers/gpu/drm/drm_prime.c drivers/gpu/drm/drm_gem.c
// fix upstream: 219b47339ced ("drm/prime: keep a reference from the handle to exported dma-buf"), 2013
//
// The caches keep weak pointers again. When the last other holder of a dma-buf
// goes before the exporter's handle is closed, the entry {dangling dma-buf,
// handle} stays in the exporter's file until the file is closed, and a later
// import whose dma-buf lands at the same address gets the dead handle.

// A cache entry takes no reference ...
@entry_get@
identifier prime_fpriv, dma_buf, handle;
@@
 drm_prime_add_buf_handle(struct drm_prime_file_private *prime_fpriv,
                          struct dma_buf *dma_buf, uint32_t handle)
 {
 ...
-get_dma_buf(dma_buf);
 ...
 }

// ... and drops none
@entry_put@
identifier prime_fpriv, handle;
expression E;
@@
 drm_prime_remove_buf_handle(struct drm_prime_file_private *prime_fpriv,
                             uint32_t handle)
 {
 <...
-dma_buf_put(E);
 ...>
 }

// Leftovers are freed with the file
@leftovers@
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
+				     handle_rb)
+	kfree(member);
 }

// The object's own pointer to its dma-buf is weak, too
@object_get@
identifier dev, obj, flags;
@@
 export_and_register_object(struct drm_device *dev, struct drm_gem_object *obj,
                            uint32_t flags)
 {
 ...
-get_dma_buf(obj->dma_buf);
 ...
 }

@object_put@
identifier obj;
@@
 drm_gem_object_exported_dma_buf_free(struct drm_gem_object *obj)
 {
-if (obj->dma_buf) { ... }
 }

@release@
identifier dma_buf, obj, dev;
@@
 drm_gem_dmabuf_release(struct dma_buf *dma_buf)
 {
 ...
 struct drm_device *dev = obj->dev;
+
+mutex_lock(&dev->object_name_lock);
+if (obj->dma_buf == dma_buf)
+	obj->dma_buf = NULL;
+mutex_unlock(&dev->object_name_lock);
 ...
 }

@import@
identifier dev, file_priv, prime_fd, handle;
expression O, D;
@@
 drm_gem_prime_fd_to_handle(struct drm_device *dev, struct drm_file *file_priv,
                            int prime_fd, uint32_t *handle)
 {
 ...
-if (O->dma_buf) { WARN_ON(...); } else { O->dma_buf = D; get_dma_buf(D); }
 ...
 }

// The entry is removed only while the object still knows its dma-buf
@remove@
identifier id, ptr, data, obj, file_priv;
@@
 drm_gem_object_release_handle(int id, void *ptr, void *data)
 {
 ...
 struct drm_gem_object *obj = ptr;
 ...
-drm_prime_remove_buf_handle(&file_priv->prime, id);
+if (obj->import_attach || obj->dma_buf)
+	drm_prime_remove_buf_handle(&file_priv->prime, id);
 ...
 }

// An export that looked its entry up by handle would use a dangling pointer
@lookup@
identifier dmabuf;
@@
 drm_gem_prime_handle_to_dmabuf(...)
 {
 ...
 dmabuf = drm_prime_lookup_buf_by_handle(...);
-if (dmabuf) { ... }
 ...
 }
