/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu engine: jobs that run later, one after the other.  Section 6 of the
 * hardware specification.
 */
#ifndef HW_DISPLAY_PRIMEGPU_ENGINE_H
#define HW_DISPLAY_PRIMEGPU_ENGINE_H

#include "qemu/queue.h"

#define PRIMEGPU_ENGINE_LATENCY_LIMIT   (60 * NANOSECONDS_PER_SECOND)

/* One operation, in host order and checked */
typedef struct PrimeGPUJobOp {
    /* migrated */
    uint16_t opcode;
    uint32_t value;
    uint64_t dst_key;
    uint64_t dst_offset;
    uint64_t src_key;
    uint64_t src_offset;
    uint32_t dst_stride;
    uint32_t src_stride;
    uint32_t width;
    uint32_t height;
    uint32_t cpp;

    /* derived */
    PrimeGPUBuffer *dst;        /* stays alive while the job is queued */
    PrimeGPUBuffer *src;
    bool backward;              /* last byte first, because of overlap */
} PrimeGPUJobOp;

typedef struct PrimeGPUJob {
    /* migrated */
    uint64_t seqno;
    uint64_t serial;            /* by which jobs of the machine are fetched */
    uint32_t slot;              /* of the engine ring */
    uint32_t client;
    uint32_t status;            /* NONE, or what the checks found */
    uint16_t flags;
    uint32_t op_index;          /* what is done so far */
    uint32_t row;
    uint64_t column;            /* bytes of the row */
    int32_t op_count;
    PrimeGPUJobOp *ops;
    bool hangs;                 /* these three by a fault that was armed */
    uint32_t fault_status;      /* NONE, or how it ends without running */
    uint64_t delay_ns;

    /* derived */
    bool counted;               /* its BOs know of it */
    uint64_t raced;             /* the job it was last found to race with */
    QTAILQ_ENTRY(PrimeGPUJob) next;
} PrimeGPUJob;

typedef void PrimeGPUEngineDoneFunc(PrimeGPUState *s, const PrimeGPUJob *job,
                                    uint32_t status);

/* Private to the block, except for the queries. */
typedef struct PrimeGPUEngine {
    /* migrated */
    QTAILQ_HEAD(, PrimeGPUJob) jobs;
    QEMUTimer *timer;
    int64_t start_ns;           /* when the first job started */
    bool gate_closed;

    /* derived */
    QEMUBH *bh;                 /* goes on with a long job */
    uint32_t job_count;
    uint32_t op_count;
    uint64_t mark;              /* of the job that counted its BOs last */
    uint32_t race_budget;       /* comparisons left in this run */
    PrimeGPUEngineDoneFunc *done;
} PrimeGPUEngine;

/* @done is called for each job, in order; it may submit more. */
void primegpu_engine_init(PrimeGPUState *s, PrimeGPUEngineDoneFunc *done);
void primegpu_engine_finalize(PrimeGPUState *s);
/* Whether the look-ahead has room for one more job */
bool primegpu_engine_has_room(PrimeGPUState *s);
/* Takes @job over. */
void primegpu_engine_submit(PrimeGPUState *s, PrimeGPUJob *job);
/* Drop all jobs; they are done with status CANCELLED when @tell. */
void primegpu_engine_cancel(PrimeGPUState *s, bool tell);
/* Jobs that hang go on. */
void primegpu_engine_unhang(PrimeGPUState *s);
void primegpu_engine_set_gate(PrimeGPUState *s, bool closed);
/* Jobs fetched so far, on all devices: the serial of the last one */
uint64_t primegpu_engine_fetched(void);
/* A serial that was saved: those to come are higher. */
bool primegpu_engine_restore_fetched(uint64_t serial);
/* The machine runs again. */
void primegpu_engine_kick(PrimeGPUState *s);
/* A run of the engine or of its ring begins, after which others have a turn. */
void primegpu_engine_begin(PrimeGPUState *s);
bool primegpu_engine_loaded(PrimeGPUState *s);

/*
 * Jobs on their own: fetch the operations and check them.  The result is a job
 * with status NONE, or with the error that it will end with; NULL when there
 * is no memory for it.
 */
PrimeGPUJob *primegpu_job_new(PrimeGPUState *s, uint64_t seqno, uint32_t slot);
void primegpu_job_fetch(PrimeGPUState *s, PrimeGPUJob *job, uint64_t addr,
                        uint32_t op_count);
bool primegpu_job_loaded(PrimeGPUState *s, PrimeGPUJob *job);
void primegpu_job_free(PrimeGPUJob *job);
/*
 * Run some more of a job, up to about *budget bytes, which are taken off it.
 * Returns NONE when there is more to do, else how the job ended.
 */
uint32_t primegpu_job_run(PrimeGPUState *s, PrimeGPUJob *job,
                          uint64_t *budget);

#endif /* HW_DISPLAY_PRIMEGPU_ENGINE_H */
