/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How commands are sent, for the files that speak the wire format. */
#ifndef PRIMEGPU_CMD_H
#define PRIMEGPU_CMD_H

#include "primegpu_internal.h"

void *primegpu_cmd_begin(struct primegpu_device *pgpu,
			 enum primegpu_opcode opcode, u64 key, u32 client);
int primegpu_cmd_run(struct primegpu_device *pgpu);

#endif /* PRIMEGPU_CMD_H */
