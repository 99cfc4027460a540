/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu fences: the sequence number of the last complete job, in registers
 * and in the guest's memory.
 */
#ifndef HW_DISPLAY_PRIMEGPU_FENCE_H
#define HW_DISPLAY_PRIMEGPU_FENCE_H

/* Private to the block; all of it is migrated. */
typedef struct PrimeGPUFence {
    uint64_t seqno;
    uint64_t wb_addr;
} PrimeGPUFence;

/* Returns false when the number could not be written back. */
bool primegpu_fence_signal(PrimeGPUState *s, uint64_t seqno);
void primegpu_fence_reset(PrimeGPUState *s);

#endif /* HW_DISPLAY_PRIMEGPU_FENCE_H */
