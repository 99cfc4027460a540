/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu faults on purpose: which ones are armed, and when they come.
 */
#ifndef HW_DISPLAY_PRIMEGPU_INJECT_H
#define HW_DISPLAY_PRIMEGPU_INJECT_H

/* Faults of one device, those that have come included */
#define PRIMEGPU_INJECT_MAX         32
#define PRIMEGPU_INJECT_NS_LIMIT    (60 * NANOSECONDS_PER_SECOND)

typedef struct PrimeGPUInjection {
    /* migrated */
    uint8_t fault;              /* PrimeGPUFault */
    bool keep;
    uint32_t wait;              /* chances to let go by before it comes */
    uint32_t count;             /* how often it is still to come */
    uint32_t fired;
    uint32_t status;
    uint64_t ns;
} PrimeGPUInjection;

/* Private to the block, except for the queries. */
typedef struct PrimeGPUInject {
    /* migrated */
    uint32_t used;
    PrimeGPUInjection list[PRIMEGPU_INJECT_MAX];

    /* derived */
    uint32_t armed;             /* a bit for each fault that is still to come */
} PrimeGPUInject;

/*
 * Arm one; its count is not 0.  Those that have come make room for it.
 * Returns false when there is none.
 */
bool primegpu_inject_arm(PrimeGPUState *s, const PrimeGPUInjection *injection);
/* A reset of the machine, or the monitor: forget all. */
void primegpu_inject_clear(PrimeGPUState *s);
/* The driver resets the device. */
void primegpu_inject_reset(PrimeGPUState *s);
bool primegpu_inject_loaded(PrimeGPUState *s);

/*
 * The places at which a fault may come.  With nothing armed, a test of one
 * bit each.  A command's status is OK when it is to be executed.
 */
uint32_t primegpu_inject_command(PrimeGPUState *s, PrimeGPUFault fault,
                                 uint64_t key);
bool primegpu_inject_lost_interrupt(PrimeGPUState *s);
/* A job was fetched. */
void primegpu_inject_job(PrimeGPUState *s, PrimeGPUJob *job);

#endif /* HW_DISPLAY_PRIMEGPU_INJECT_H */
