/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu faults on purpose
 *
 * Owns the list of faults that the monitor armed.  A block asks at the place
 * at which a fault may come, and does itself what the fault is.  The guest
 * can do nothing here but make a fault come.
 */
#include "qemu/osdep.h"
#include "device.h"
#include "trace.h"

/* The status of the ABI and that of QMP are the same numbers. */
#define PRIMEGPU_INJECT_SAME(name, value) \
    QEMU_BUILD_BUG_ON((int)PRIME_GPU_STATUS_##name != (value));
PRIMEGPU_STATUSES(PRIMEGPU_INJECT_SAME)
QEMU_BUILD_BUG_ON((int)PRIME_GPU_STATUS__MAX != PRIMEGPU_ST_UNSUPPORTED + 1);

static void primegpu_inject_update(PrimeGPUState *s)
{
    uint32_t i;

    s->inject.armed = 0;
    for (i = 0; i < s->inject.used; i++) {
        if (s->inject.list[i].count) {
            s->inject.armed |= 1u << s->inject.list[i].fault;
        }
    }
}

static bool primegpu_inject_has_come(const PrimeGPUInjection *injection)
{
    return !injection->count;
}

static bool primegpu_inject_is_short(const PrimeGPUInjection *injection)
{
    return !injection->keep;
}

static void primegpu_inject_remove(PrimeGPUState *s,
                                   bool (*which)(const PrimeGPUInjection *))
{
    uint32_t i, left = 0;

    for (i = 0; i < s->inject.used; i++) {
        if (!which(&s->inject.list[i])) {
            s->inject.list[left++] = s->inject.list[i];
        }
    }
    s->inject.used = left;
    primegpu_inject_update(s);
}

bool primegpu_inject_arm(PrimeGPUState *s, const PrimeGPUInjection *injection)
{
    if (s->inject.used == PRIMEGPU_INJECT_MAX) {
        primegpu_inject_remove(s, primegpu_inject_has_come);
    }
    if (s->inject.used == PRIMEGPU_INJECT_MAX) {
        return false;
    }
    s->inject.list[s->inject.used++] = *injection;
    primegpu_inject_update(s);
    trace_primegpu_inject_arm(s->name, PrimeGPUFault_str(injection->fault),
                              injection->wait, injection->count);
    return true;
}

void primegpu_inject_clear(PrimeGPUState *s)
{
    s->inject.used = 0;
    s->inject.armed = 0;
    primegpu_engine_unhang(s);
}

void primegpu_inject_reset(PrimeGPUState *s)
{
    primegpu_inject_remove(s, primegpu_inject_is_short);
}

bool primegpu_inject_loaded(PrimeGPUState *s)
{
    uint32_t i;

    for (i = 0; i < s->inject.used; i++) {
        const PrimeGPUInjection *injection = &s->inject.list[i];

        if (injection->fault >= PRIME_GPU_FAULT__MAX ||
            injection->status >= PRIME_GPU_STATUS__MAX ||
            injection->ns > PRIMEGPU_INJECT_NS_LIMIT) {
            s->inject.used = 0;
            return false;
        }
    }
    primegpu_inject_update(s);
    return true;
}

/*
 * A chance for @fault to come: all that are armed count it, and the first
 * that is due comes.
 */
static PrimeGPUInjection *primegpu_inject_chance(PrimeGPUState *s,
                                                 PrimeGPUFault fault,
                                                 uint64_t key, uint64_t seqno)
{
    PrimeGPUInjection *due = NULL;
    uint32_t i;

    if (likely(!(s->inject.armed & (1u << fault)))) {
        return NULL;
    }
    for (i = 0; i < s->inject.used; i++) {
        PrimeGPUInjection *injection = &s->inject.list[i];

        if (injection->fault != fault || !injection->count) {
            continue;
        }
        if (injection->wait) {
            injection->wait--;
        } else if (!due) {
            due = injection;
        }
    }
    if (due) {
        due->count--;
        due->fired++;
        primegpu_inject_update(s);
        trace_primegpu_inject_fire(s->name, PrimeGPUFault_str(fault), key,
                                   seqno);
        primegpu_ledger_fault(&s->ledger, fault, key, seqno);
    }
    return due;
}

uint32_t primegpu_inject_command(PrimeGPUState *s, PrimeGPUFault fault,
                                 uint64_t key)
{
    PrimeGPUInjection *due = primegpu_inject_chance(s, fault, key, 0);

    return due ? due->status : PRIMEGPU_ST_OK;
}

bool primegpu_inject_lost_interrupt(PrimeGPUState *s)
{
    return primegpu_inject_chance(s, PRIME_GPU_FAULT_INTERRUPT, 0,
                                  s->fence.seqno);
}

void primegpu_inject_job(PrimeGPUState *s, PrimeGPUJob *job)
{
    PrimeGPUInjection *due;

    job->hangs = primegpu_inject_chance(s, PRIME_GPU_FAULT_HANG, 0,
                                        job->seqno);
    due = primegpu_inject_chance(s, PRIME_GPU_FAULT_JOB, 0, job->seqno);
    job->fault_status = due ? due->status : PRIMEGPU_ST_NONE;
    due = primegpu_inject_chance(s, PRIME_GPU_FAULT_DELAY, 0, job->seqno);
    job->delay_ns = due ? due->ns : 0;
}
