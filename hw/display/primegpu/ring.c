/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu rings
 *
 * Owns both rings: where they are, what is fetched, what is done.  Each entry
 * is copied in once.  It knows nothing of what the entries mean.
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "system/runstate.h"
#include "cmd.h"
#include "device.h"
#include "trace.h"

static const struct {
    const char *name;
    uint32_t fault;             /* bit of STATUS */
} primegpu_ring_info[PRIMEGPU_RING_COUNT] = {
    [PRIMEGPU_RING_CTRL] = { "control", PRIMEGPU_STATUS_CTRL_FAULT },
    [PRIMEGPU_RING_ENGINE] = { "engine", PRIMEGPU_STATUS_ENGINE_FAULT },
};

static uint32_t primegpu_ring_next(const PrimeGPURing *ring, uint32_t slot)
{
    return (slot + 1) & ((1u << ring->order) - 1);
}

static uint64_t primegpu_ring_addr(const PrimeGPURing *ring, uint32_t slot)
{
    return ring->base + (uint64_t)slot * PRIMEGPU_RING_ENTRY_SIZE;
}

/* A ring that the device may use; the sum of base and size fits. */
static bool primegpu_ring_valid(const PrimeGPURing *ring)
{
    return ring->order >= PRIMEGPU_RING_ORDER_MIN &&
           ring->order <= PRIMEGPU_RING_ORDER_MAX &&
           QEMU_IS_ALIGNED(ring->base, PRIMEGPU_RING_ENTRY_SIZE) &&
           primegpu_ring_addr(ring, 1u << ring->order) > ring->base;
}

static void primegpu_ring_fault(PrimeGPUState *s, PrimeGPURingId id,
                                const char *why)
{
    PrimeGPURing *ring = &s->rings[id];

    qemu_log_mask(LOG_GUEST_ERROR, "primegpu %s: %s ring stopped: %s\n",
                  s->name, primegpu_ring_info[id].name, why);
    trace_primegpu_err_ring_fault(s->name, primegpu_ring_info[id].name, why,
                                  ring->fetch, ring->tail);
    ring->fault = true;
    primegpu_irq_raise(s, PRIMEGPU_IRQ_FAULT);
}

static bool primegpu_ring_read(PrimeGPUState *s, PrimeGPURingId id,
                               PrimeGPUEntry *entry)
{
    PrimeGPURing *ring = &s->rings[id];

    if (!primegpu_mem_read(s, primegpu_ring_addr(ring, ring->fetch), entry,
                           sizeof(*entry))) {
        primegpu_ring_fault(s, id, "no DMA from an entry");
        return false;
    }
    trace_primegpu_ring_fetch(s->name, primegpu_ring_info[id].name,
                              ring->fetch, le16_to_cpu(entry->hdr.opcode),
                              le64_to_cpu(entry->hdr.seqno));
    return true;
}

/* The entry in slot head is done: say so, and free the slot. */
static bool primegpu_ring_finish(PrimeGPUState *s, PrimeGPURingId id,
                                 uint32_t status)
{
    PrimeGPURing *ring = &s->rings[id];
    uint64_t addr = primegpu_ring_addr(ring, ring->head) +
                    offsetof(struct primegpu_cmd_hdr, status);
    uint32_t word = cpu_to_le32(status);

    ring->head = primegpu_ring_next(ring, ring->head);
    if (!primegpu_mem_write(s, addr, &word, sizeof(word))) {
        primegpu_ring_fault(s, id, "no DMA to an entry");
        return false;
    }
    return true;
}

/* Commands up to the tail, but not more than a batch; true: there are more */
static bool primegpu_ring_run_control(PrimeGPUState *s)
{
    PrimeGPURing *ring = &s->rings[PRIMEGPU_RING_CTRL];
    unsigned budget = PRIMEGPU_CTRL_BATCH_MAX;
    PrimeGPUEntry entry;

    if (ring->fault || ring->head == ring->tail) {
        return false;
    }
    primegpu_engine_begin(s);
    primegpu_output_take_written(s);
    while (!ring->fault && ring->head != ring->tail) {
        if (!budget--) {
            return true;
        }
        if (primegpu_ring_read(s, PRIMEGPU_RING_CTRL, &entry)) {
            ring->fetch = primegpu_ring_next(ring, ring->fetch);
            primegpu_ring_finish(s, PRIMEGPU_RING_CTRL,
                                 primegpu_cmd_control(s, &entry));
        }
        if (primegpu_output_take_written(s)) {
            budget = 0;
        }
    }
    if (!ring->fault) {
        primegpu_irq_raise(s, PRIMEGPU_IRQ_CTRL_DONE);
    }
    return false;
}

static void primegpu_ring_bh(void *opaque)
{
    PrimeGPUState *s = opaque;

    /* A bottom half runs while the machine is stopped, too. */
    if (runstate_is_running() && primegpu_ring_run_control(s)) {
        qemu_bh_schedule(s->ctrl_bh);
    }
}

static void primegpu_ring_fetch_jobs(PrimeGPUState *s)
{
    PrimeGPURing *ring = &s->rings[PRIMEGPU_RING_ENGINE];
    PrimeGPUEntry entry;

    while (!ring->fault && ring->fetch != ring->tail &&
           primegpu_engine_has_room(s)) {
        PrimeGPUJob *job;

        if (!primegpu_ring_read(s, PRIMEGPU_RING_ENGINE, &entry)) {
            return;
        }
        job = primegpu_cmd_engine(s, &entry, ring->fetch);
        if (!job) {
            primegpu_ring_fault(s, PRIMEGPU_RING_ENGINE, "no memory");
            return;
        }
        ring->fetch = primegpu_ring_next(ring, ring->fetch);
        primegpu_engine_submit(s, job);
    }
}

static void primegpu_ring_job_done(PrimeGPUState *s, uint64_t seqno,
                                   uint32_t status)
{
    if (!primegpu_ring_finish(s, PRIMEGPU_RING_ENGINE, status)) {
        return;
    }
    if (!primegpu_fence_signal(s, seqno)) {
        primegpu_ring_fault(s, PRIMEGPU_RING_ENGINE, "no DMA to ENGINE_WB");
    }
    primegpu_irq_raise(s, PRIMEGPU_IRQ_ENGINE_DONE);
}

static void primegpu_ring_engine_done(PrimeGPUState *s, const PrimeGPUJob *job,
                                      uint32_t status)
{
    g_assert(job->slot == s->rings[PRIMEGPU_RING_ENGINE].head);
    primegpu_ring_job_done(s, job->seqno, status);
    if (status != PRIMEGPU_ST_CANCELLED) {
        primegpu_ring_fetch_jobs(s);
    }
}

void primegpu_ring_reset_engine(PrimeGPUState *s)
{
    PrimeGPURing *ring = &s->rings[PRIMEGPU_RING_ENGINE];
    PrimeGPUEntry entry;

    trace_primegpu_ring_reset_engine(s->name, ring->head, ring->tail);
    primegpu_ledger_event(&s->ledger,
                          PRIME_GPU_LEDGER_EVENT_KIND_ENGINE_RESET);
    primegpu_engine_cancel(s, true);
    while (!ring->fault && ring->fetch != ring->tail) {
        if (primegpu_ring_read(s, PRIMEGPU_RING_ENGINE, &entry)) {
            ring->fetch = primegpu_ring_next(ring, ring->fetch);
            primegpu_ring_job_done(s, le64_to_cpu(entry.hdr.seqno),
                                   PRIMEGPU_ST_CANCELLED);
        }
    }
    ring->head = ring->tail;
    ring->fetch = ring->tail;
    ring->fault = false;
}

void primegpu_ring_doorbell(PrimeGPUState *s, PrimeGPURingId id, uint32_t tail)
{
    PrimeGPURing *ring = &s->rings[id];

    s->counters.doorbells++;
    trace_primegpu_ring_doorbell(s->name, primegpu_ring_info[id].name,
                                 ring->tail, tail);
    if (ring->fault || !(s->control & PRIMEGPU_CONTROL_ENABLE)) {
        qemu_log_mask(LOG_GUEST_ERROR,
                      "primegpu %s: doorbell of a stopped %s ring\n", s->name,
                      primegpu_ring_info[id].name);
        trace_primegpu_err_ring_doorbell(s->name, primegpu_ring_info[id].name,
                                         tail);
        return;
    }
    if (!primegpu_ring_valid(ring)) {
        primegpu_ring_fault(s, id, "bad base or order");
        return;
    }
    if (tail >> ring->order) {
        primegpu_ring_fault(s, id, "tail out of range");
        return;
    }
    ring->tail = tail;
    if (id == PRIMEGPU_RING_ENGINE) {
        primegpu_engine_begin(s);
        primegpu_ring_fetch_jobs(s);
    } else if (primegpu_ring_run_control(s)) {
        qemu_bh_schedule(s->ctrl_bh);
    }
}

void primegpu_ring_enable(PrimeGPUState *s)
{
    int i;

    for (i = 0; i < PRIMEGPU_RING_COUNT; i++) {
        s->rings[i].head = 0;
        s->rings[i].fetch = 0;
        s->rings[i].tail = 0;
        s->rings[i].fault = false;
    }
}

void primegpu_ring_disable(PrimeGPUState *s)
{
    qemu_bh_cancel(s->ctrl_bh);
    primegpu_ring_reset_engine(s);
}

void primegpu_ring_reset(PrimeGPUState *s)
{
    qemu_bh_cancel(s->ctrl_bh);
    primegpu_engine_cancel(s, false);
    memset(s->rings, 0, sizeof(s->rings));
}

void primegpu_ring_kick(PrimeGPUState *s)
{
    if (s->control & PRIMEGPU_CONTROL_ENABLE) {
        qemu_bh_schedule(s->ctrl_bh);
        primegpu_engine_begin(s);
        primegpu_ring_fetch_jobs(s);
    }
    primegpu_engine_kick(s);
}

uint32_t primegpu_ring_status(PrimeGPUState *s)
{
    uint32_t status = 0;
    int i;

    for (i = 0; i < PRIMEGPU_RING_COUNT; i++) {
        if (s->rings[i].fault) {
            status |= primegpu_ring_info[i].fault;
        }
    }
    if (s->engine.job_count) {
        status |= PRIMEGPU_STATUS_ENGINE_BUSY;
    }
    return status;
}

static bool primegpu_ring_loaded_one(const PrimeGPURing *ring)
{
    uint32_t mask;

    if (!primegpu_ring_valid(ring)) {
        return !ring->head && !ring->fetch && !ring->tail;
    }
    mask = (1u << ring->order) - 1;
    return ring->head <= mask && ring->fetch <= mask && ring->tail <= mask &&
           ((ring->fetch - ring->head) & mask) <=
               ((ring->tail - ring->head) & mask);
}

bool primegpu_ring_loaded(PrimeGPUState *s)
{
    const PrimeGPURing *ctrl = &s->rings[PRIMEGPU_RING_CTRL];
    const PrimeGPURing *ring = &s->rings[PRIMEGPU_RING_ENGINE];
    const PrimeGPUJob *job;
    uint32_t slot = ring->head;

    if (!primegpu_ring_loaded_one(ctrl) || ctrl->fetch != ctrl->head ||
        !primegpu_ring_loaded_one(ring)) {
        return false;
    }
    /* The jobs queued are the entries from head to fetch. */
    QTAILQ_FOREACH(job, &s->engine.jobs, next) {
        if (slot == ring->fetch || job->slot != slot) {
            return false;
        }
        slot = primegpu_ring_next(ring, slot);
    }
    return slot == ring->fetch;
}

void primegpu_ring_init(PrimeGPUState *s)
{
    s->ctrl_bh = qemu_bh_new_guarded(primegpu_ring_bh, s,
                                     &DEVICE(s)->mem_reentrancy_guard);
    primegpu_engine_init(s, primegpu_ring_engine_done);
}

void primegpu_ring_finalize(PrimeGPUState *s)
{
    g_clear_pointer(&s->ctrl_bh, qemu_bh_delete);
    primegpu_engine_finalize(s);
}
