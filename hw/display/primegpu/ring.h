/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu rings: the control ring, whose commands run before the doorbell
 * write returns, and the engine ring, whose jobs run later.  Section 5 of the
 * hardware specification.
 */
#ifndef HW_DISPLAY_PRIMEGPU_RING_H
#define HW_DISPLAY_PRIMEGPU_RING_H

typedef enum PrimeGPURingId {
    PRIMEGPU_RING_CTRL,
    PRIMEGPU_RING_ENGINE,
    PRIMEGPU_RING_COUNT,
} PrimeGPURingId;

/* Private to the block, except for registers; all of it is migrated. */
typedef struct PrimeGPURing {
    uint64_t base;
    uint32_t order;
    uint32_t head;              /* first slot that is not done */
    uint32_t fetch;             /* first slot that is not fetched */
    uint32_t tail;              /* first slot that is not filled */
    bool fault;
} PrimeGPURing;

void primegpu_ring_init(PrimeGPUState *s);
void primegpu_ring_finalize(PrimeGPUState *s);
/* The guest's driver enables or disables the device. */
void primegpu_ring_enable(PrimeGPUState *s);
void primegpu_ring_disable(PrimeGPUState *s);
void primegpu_ring_doorbell(PrimeGPUState *s, PrimeGPURingId id,
                            uint32_t tail);
/* Cancel all jobs and go on. */
void primegpu_ring_reset_engine(PrimeGPUState *s);
void primegpu_ring_reset(PrimeGPUState *s);
/* The machine runs again. */
void primegpu_ring_kick(PrimeGPUState *s);
bool primegpu_ring_loaded(PrimeGPUState *s);
uint32_t primegpu_ring_status(PrimeGPUState *s);

#endif /* HW_DISPLAY_PRIMEGPU_RING_H */
