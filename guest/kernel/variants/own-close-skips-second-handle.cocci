// SPDX-License-Identifier: GPL-2.0-or-later
// target: guest/drm/primegpu_gem.c
// fix upstream: none; a mistake of a driver's author
//
// Only the last handle of a client closes the buffer in the hardware: the
// openings of its other handles stay.

@skip_close@
symbol bo, client, true;
@@
 if (!client->handles && client->jobs && !client->close_pending)
 	client->close_pending = true;
-else
+else if (!client->handles)
 	primegpu_cmd_bo_close(bo, client->id);
