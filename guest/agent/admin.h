/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu agent: calls about the machine that several commands make.
 */
#ifndef AGENT_ADMIN_H
#define AGENT_ADMIN_H

#include "gpu.h"

/*
 * Wait until each primegpu (or just the one) has released what it can; the
 * number of devices, or -1 with the call's error set.
 */
int admin_settle(struct call *c, const struct gpu *only);

#endif /* AGENT_ADMIN_H */
