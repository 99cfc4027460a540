/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses to memory that may go away: a mapped buffer of a GPU that is gone,
 * a register page after unplug, a mapping past the end of its object.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "agent.h"

static sigjmp_buf guard_env;
/* volatile: shared with a signal handler */
static volatile sig_atomic_t guard_active;

static void guard_handler(int sig)
{
    if (guard_active) {
        guard_active = 0;
        siglongjmp(guard_env, 1);
    }
    /* the access is tried again, and ends the process as it should */
    signal(sig, SIG_DFL);
}

void guard_init(void)
{
    struct sigaction sa = {
        .sa_handler = guard_handler,
        .sa_flags = SA_NODEFER,
    };

    sigaction(SIGBUS, &sa, NULL);
    sigaction(SIGSEGV, &sa, NULL);
}

bool guard_copy(void *dst, const void *src, size_t length)
{
    bool ok = !sigsetjmp(guard_env, 0);

    if (ok) {
        fault_on();
        guard_active = 1;
        atomic_signal_fence(memory_order_seq_cst);
        memcpy(dst, src, length);
        atomic_signal_fence(memory_order_seq_cst);
        guard_active = 0;
    }
    fault_off();
    return ok;
}

bool guard_store32(uint32_t *dst, uint32_t value)
{
    if (sigsetjmp(guard_env, 0)) {
        return false;
    }
    guard_active = 1;
    atomic_signal_fence(memory_order_seq_cst);
    /* volatile: a register, which wants one access of 32 bits */
    *(volatile uint32_t *)dst = value;
    atomic_signal_fence(memory_order_seq_cst);
    guard_active = 0;
    return true;
}
