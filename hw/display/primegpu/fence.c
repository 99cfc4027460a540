/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu fences
 *
 * Owns ENGINE_SEQ and ENGINE_WB.  The register always has the number; the
 * word in memory has it when ENGINE_WB is not 0.
 */
#include "qemu/osdep.h"
#include "device.h"
#include "trace.h"

bool primegpu_fence_signal(PrimeGPUState *s, uint64_t seqno)
{
    uint64_t word = cpu_to_le64(seqno);

    trace_primegpu_fence_signal(s->name, seqno);
    s->fence.seqno = seqno;
    if (!s->fence.wb_addr) {
        return true;
    }
    if (!QEMU_IS_ALIGNED(s->fence.wb_addr, sizeof(word)) ||
        !primegpu_mem_write(s, s->fence.wb_addr, &word, sizeof(word))) {
        trace_primegpu_err_fence_signal(s->name, s->fence.wb_addr, seqno);
        return false;
    }
    return true;
}

void primegpu_fence_reset(PrimeGPUState *s)
{
    s->fence.seqno = 0;
    s->fence.wb_addr = 0;
}
