/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu engine
 *
 * Owns the queue of jobs, the gate and the timer.  A job starts when the one
 * before it is complete; all that it does happens engine-latency-ns of virtual
 * time after its start and while the gate is open.  One run of the timer moves
 * a bounded number of bytes, so a guest cannot hold the main loop.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "system/runstate.h"
#include "device.h"
#include "race.h"
#include "trace.h"

/* Bytes that one run of the timer moves */
#define PRIMEGPU_ENGINE_SLICE       (16 * MiB)
/* What starting a job costs of them */
#define PRIMEGPU_ENGINE_JOB_COST    (4 * KiB)
/* Operations that may be fetched ahead, which bounds the memory of the queue */
#define PRIMEGPU_ENGINE_OPS_MAX     (8 * PRIMEGPU_JOB_OPS_MAX)

/*
 * All serials of a machine are saved, in jobs and in what waits for its latch.
 */
#define PRIMEGPU_ENGINE_SERIAL_MAX  INT64_MAX

static uint64_t primegpu_engine_serial;

uint64_t primegpu_engine_fetched(void)
{
    return primegpu_engine_serial;
}

bool primegpu_engine_restore_fetched(uint64_t serial)
{
    primegpu_engine_serial = MAX(primegpu_engine_serial,
                                 MIN(serial, PRIMEGPU_ENGINE_SERIAL_MAX));
    return serial <= PRIMEGPU_ENGINE_SERIAL_MAX;
}

static int64_t primegpu_engine_now(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

/* When the job in front may have its effect, if nothing else holds it */
static int64_t primegpu_engine_due_ns(PrimeGPUState *s, const PrimeGPUJob *job)
{
    return s->engine.start_ns + (int64_t)s->conf.engine_latency_ns +
           (int64_t)job->delay_ns;
}

static bool primegpu_engine_is_held(PrimeGPUState *s, const PrimeGPUJob *job)
{
    return s->engine.gate_closed || job->hangs;
}

static void primegpu_engine_arm(PrimeGPUState *s)
{
    PrimeGPUJob *job = QTAILQ_FIRST(&s->engine.jobs);

    if (!job || primegpu_engine_is_held(s, job)) {
        timer_del(s->engine.timer);
        return;
    }
    timer_mod(s->engine.timer,
              MAX(primegpu_engine_due_ns(s, job), primegpu_engine_now()));
}

void primegpu_engine_begin(PrimeGPUState *s)
{
    s->engine.race_budget = PRIMEGPU_RACE_BUDGET;
}

static void primegpu_engine_start_next(PrimeGPUState *s)
{
    s->engine.start_ns = primegpu_engine_now();
    primegpu_engine_arm(s);
}

bool primegpu_engine_has_room(PrimeGPUState *s)
{
    return s->engine.op_count <=
           PRIMEGPU_ENGINE_OPS_MAX - PRIMEGPU_JOB_OPS_MAX;
}

static bool primegpu_engine_mark_bo(PrimeGPUState *s, PrimeGPUBuffer *bo)
{
    if (!bo || bo->job_mark == s->engine.mark) {
        return false;
    }
    bo->job_mark = s->engine.mark;
    return true;
}

static void primegpu_engine_add_bo(PrimeGPUState *s, const PrimeGPUJob *job,
                                   PrimeGPUBuffer *bo)
{
    if (primegpu_engine_mark_bo(s, bo)) {
        bo->jobs++;
        primegpu_ledger_submit(&s->ledger, bo->key, job->seqno);
    }
}

static void primegpu_engine_remove_bo(PrimeGPUState *s, const PrimeGPUJob *job,
                                      PrimeGPUBuffer *bo, uint32_t status)
{
    if (primegpu_engine_mark_bo(s, bo)) {
        g_assert(bo->jobs);
        bo->jobs--;
        primegpu_ledger_complete(&s->ledger, bo->key, job->seqno,
                                 s->engine.start_ns, status);
    }
}

/* Each BO counts a job once, however often the job names it. */
static void primegpu_engine_queue(PrimeGPUState *s, PrimeGPUJob *job)
{
    int32_t i;

    job->counted = true;
    s->engine.job_count++;
    s->engine.op_count += job->op_count;
    s->engine.mark++;
    for (i = 0; i < job->op_count; i++) {
        primegpu_engine_add_bo(s, job, job->ops[i].dst);
        primegpu_engine_add_bo(s, job, job->ops[i].src);
    }
    if (!job->op_count) {
        primegpu_ledger_submit(&s->ledger, 0, job->seqno);
    }
}

static void primegpu_engine_refresh(PrimeGPUState *s, const PrimeGPUJob *job)
{
    int32_t i;

    if (!primegpu_mem_has_iommu(s)) {
        return;
    }
    s->engine.mark++;
    for (i = 0; i < job->op_count; i++) {
        if (primegpu_engine_mark_bo(s, job->ops[i].dst)) {
            primegpu_bo_refresh(s, job->ops[i].dst);
        }
        if (primegpu_engine_mark_bo(s, job->ops[i].src)) {
            primegpu_bo_refresh(s, job->ops[i].src);
        }
    }
}

void primegpu_engine_submit(PrimeGPUState *s, PrimeGPUJob *job)
{
    bool idle = QTAILQ_EMPTY(&s->engine.jobs);

    job->serial = ++primegpu_engine_serial;
    QTAILQ_INSERT_TAIL(&s->engine.jobs, job, next);
    primegpu_engine_queue(s, job);
    primegpu_engine_refresh(s, job);
    primegpu_race_check(s, job);
    primegpu_inject_job(s, job);
    trace_primegpu_engine_submit(s->name, job->seqno, job->client,
                                 job->op_count);
    if (idle) {
        primegpu_engine_start_next(s);
    }
}

static void primegpu_engine_remove(PrimeGPUState *s, PrimeGPUJob *job,
                                   uint32_t status)
{
    int32_t i;

    QTAILQ_REMOVE(&s->engine.jobs, job, next);
    /* A load may have failed before it came to this one. */
    if (!job->counted) {
        return;
    }
    s->engine.job_count--;
    s->engine.op_count -= job->op_count;
    s->engine.mark++;
    for (i = 0; i < job->op_count; i++) {
        primegpu_engine_remove_bo(s, job, job->ops[i].dst, status);
        primegpu_engine_remove_bo(s, job, job->ops[i].src, status);
    }
    if (!job->op_count) {
        primegpu_ledger_complete(&s->ledger, 0, job->seqno,
                                 s->engine.start_ns, status);
    }
}

/* @status may be an error that came up while the job ran. */
static void primegpu_engine_complete(PrimeGPUState *s, PrimeGPUJob *job,
                                     uint32_t status)
{
    primegpu_engine_remove(s, job, status);
    s->counters.jobs++;
    if (status == PRIMEGPU_ST_OK) {
        trace_primegpu_engine_complete(s->name, job->seqno);
    } else {
        s->counters.job_errors++;
        trace_primegpu_err_engine_complete(s->name, job->seqno, status);
    }
    s->engine.start_ns = primegpu_engine_now();
    s->engine.done(s, job, status);
    primegpu_job_free(job);
}

/* The job that may have its effect now */
static PrimeGPUJob *primegpu_engine_due(PrimeGPUState *s)
{
    PrimeGPUJob *job = QTAILQ_FIRST(&s->engine.jobs);

    if (!job || primegpu_engine_is_held(s, job) ||
        primegpu_engine_due_ns(s, job) > primegpu_engine_now()) {
        return NULL;
    }
    return job;
}

static uint32_t primegpu_engine_run_job(PrimeGPUState *s, PrimeGPUJob *job,
                                        uint64_t *budget)
{
    if (job->status != PRIMEGPU_ST_NONE) {
        return job->status;
    }
    if (job->fault_status != PRIMEGPU_ST_NONE) {
        return job->fault_status;
    }
    return primegpu_job_run(s, job, budget);
}

static void primegpu_engine_run(void *opaque)
{
    PrimeGPUState *s = opaque;
    uint64_t budget = PRIMEGPU_ENGINE_SLICE;
    PrimeGPUJob *job;

    /* A bottom half runs while the machine is stopped, too. */
    if (!runstate_is_running()) {
        return;
    }
    primegpu_engine_begin(s);
    while (budget && (job = primegpu_engine_due(s))) {
        uint32_t status;

        budget -= MIN(budget, PRIMEGPU_ENGINE_JOB_COST);
        status = primegpu_engine_run_job(s, job, &budget);
        if (status != PRIMEGPU_ST_NONE) {
            primegpu_engine_complete(s, job, status);
        }
    }
    if (primegpu_engine_due(s)) {
        /* A timer may come again before anything else has had its turn. */
        timer_del(s->engine.timer);
        qemu_bh_schedule(s->engine.bh);
    } else {
        primegpu_engine_arm(s);
    }
}

void primegpu_engine_cancel(PrimeGPUState *s, bool tell)
{
    PrimeGPUJob *job;

    timer_del(s->engine.timer);
    qemu_bh_cancel(s->engine.bh);
    while ((job = QTAILQ_FIRST(&s->engine.jobs))) {
        if (tell) {
            primegpu_engine_complete(s, job, PRIMEGPU_ST_CANCELLED);
        } else {
            primegpu_engine_remove(s, job, PRIMEGPU_ST_CANCELLED);
            primegpu_job_free(job);
        }
    }
}

void primegpu_engine_set_gate(PrimeGPUState *s, bool closed)
{
    if (closed != s->engine.gate_closed) {
        primegpu_ledger_event(&s->ledger,
                              closed ? PRIME_GPU_LEDGER_EVENT_KIND_GATE_CLOSE
                                     : PRIME_GPU_LEDGER_EVENT_KIND_GATE_OPEN);
    }
    trace_primegpu_engine_set_gate(s->name, closed);
    s->engine.gate_closed = closed;
    primegpu_engine_arm(s);
}

void primegpu_engine_unhang(PrimeGPUState *s)
{
    PrimeGPUJob *job;

    QTAILQ_FOREACH(job, &s->engine.jobs, next) {
        job->hangs = false;
    }
    primegpu_engine_arm(s);
}

void primegpu_engine_kick(PrimeGPUState *s)
{
    primegpu_engine_arm(s);
}

void primegpu_engine_init(PrimeGPUState *s, PrimeGPUEngineDoneFunc *done)
{
    QTAILQ_INIT(&s->engine.jobs);
    s->engine.timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, primegpu_engine_run, s);
    s->engine.bh = qemu_bh_new_guarded(primegpu_engine_run, s,
                                       &DEVICE(s)->mem_reentrancy_guard);
    s->engine.done = done;
}

void primegpu_engine_finalize(PrimeGPUState *s)
{
    g_clear_pointer(&s->engine.timer, timer_free);
    g_clear_pointer(&s->engine.bh, qemu_bh_delete);
}

bool primegpu_engine_loaded(PrimeGPUState *s)
{
    PrimeGPUJob *job;

    s->engine.job_count = 0;
    s->engine.op_count = 0;
    QTAILQ_FOREACH(job, &s->engine.jobs, next) {
        if (s->engine.op_count > PRIMEGPU_ENGINE_OPS_MAX ||
            !primegpu_engine_restore_fetched(job->serial) ||
            !primegpu_job_loaded(s, job)) {
            return false;
        }
        primegpu_engine_queue(s, job);
    }
    return true;
}
