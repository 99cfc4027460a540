/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu agent: calls about the machine that several commands make.
 */
#ifndef AGENT_ADMIN_H
#define AGENT_ADMIN_H

#include "gpu.h"

/*
 * Wait at most so long for jobs, then until all primegpus have released what
 * they can; the number of devices, or -1 with the call's error set.  One that
 * goes meanwhile does not count.
 */
int admin_settle(struct call *c, unsigned int jobs_ms);

/*
 * Wait for what is freed only when no other CPU can look at it any more; the
 * same.
 */
int admin_free_late(struct call *c);

/* For jobs that are nearly done, as what settle waits without a number */
#define ADMIN_SETTLE_MS 1

#endif /* AGENT_ADMIN_H */
