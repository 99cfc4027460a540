// SPDX-License-Identifier: GPL-2.0-or-later
// target: guest/drm/primegpu_gem.c
// fix upstream: none; a mistake of a driver's author
//
// The last handle's close takes the buffer from the hardware, though jobs that
// name it may still be queued.

@destroy_on_last_close@
symbol bo, client, gem;
@@
 primegpu_core_gem_close(...)
 {
 ... when exists
 client = primegpu_client_unused(client);
 spin_unlock(&bo->client_lock);
 kfree(client);
+if (gem->handle_count == 1 && !gem->dma_buf)
+	primegpu_core_bo_release(bo);
 }
