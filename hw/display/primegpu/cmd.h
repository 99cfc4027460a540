/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu commands: from a ring entry to a call of the block that does it.
 * The only block that knows the structs of ring entries and of the tables that
 * they point to.  Section 5 of the
 * hardware specification.
 */
#ifndef HW_DISPLAY_PRIMEGPU_CMD_H
#define HW_DISPLAY_PRIMEGPU_CMD_H

#include "device.h"

/* A private copy of a ring entry */
typedef union PrimeGPUEntry {
    struct primegpu_cmd_hdr hdr;
    struct primegpu_cmd_bo_create bo_create;
    struct primegpu_cmd_bo_client bo_client;
    struct primegpu_cmd_bo_attach bo_attach;
    struct primegpu_cmd_bo bo;
    struct primegpu_cmd_bo_place bo_place;
    struct primegpu_cmd_job job;
    struct primegpu_cmd_mode mode;
    struct primegpu_cmd_commit commit;
} PrimeGPUEntry;
QEMU_BUILD_BUG_ON(sizeof(PrimeGPUEntry) != PRIMEGPU_RING_ENTRY_SIZE);

bool primegpu_cmd_is_zero(const primegpu_le64 *words, size_t count);
/* The handlers of the display's commands */
uint32_t primegpu_cmd_mode(PrimeGPUState *s, const PrimeGPUEntry *entry);
uint32_t primegpu_cmd_commit(PrimeGPUState *s, const PrimeGPUEntry *entry);

/* Run a control command and return its status. */
uint32_t primegpu_cmd_control(PrimeGPUState *s, const PrimeGPUEntry *entry);
/* Make a job of an engine entry, NULL when there is no memory for it. */
PrimeGPUJob *primegpu_cmd_engine(PrimeGPUState *s, const PrimeGPUEntry *entry,
                                 uint32_t slot);

#endif /* HW_DISPLAY_PRIMEGPU_CMD_H */
