// SPDX-License-Identifier: GPL-2.0-or-later
// target: guest/drm/primegpu_submit.c
// fix upstream: none; a mistake of a driver's author
//
// A job that is refused after its buffers were looked up is forgotten with its
// references to them.

@keep_on_error@
expression job, file, args;
identifier label, ret;
@@
 ret = primegpu_job_load(job, file, args);
 if (ret)
-	goto label;
+	return ret;
