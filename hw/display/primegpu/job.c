/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu jobs
 *
 * Owns the operations of a job: they are copied in once, checked once, and
 * then run from the copy.  It never looks at the queue or the ring.
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "blit.h"
#include "device.h"
#include "trace.h"

/* What a piece costs of the budget at the least */
#define PRIMEGPU_JOB_PIECE_COST     512

static const struct PrimeGPUJobOpInfo {
    const char *name;
    uint32_t cpps;              /* the sum of those allowed */
    bool has_source;
} primegpu_job_ops[] = {
    [PRIMEGPU_JOB_OP_FILL] = { "fill", 1 | 2 | 4, false },
    [PRIMEGPU_JOB_OP_COPY] = { "copy", 1 | 2 | 4 | 8, true },
};

PrimeGPUJob *primegpu_job_new(PrimeGPUState *s, uint64_t seqno, uint32_t slot)
{
    PrimeGPUJob *job = g_try_new0(PrimeGPUJob, 1);

    if (job) {
        job->seqno = seqno;
        job->slot = slot;
    }
    return job;
}

void primegpu_job_free(PrimeGPUJob *job)
{
    g_free(job->ops);
    g_free(job);
}

static bool primegpu_job_decode(const struct primegpu_job_op *wire,
                                PrimeGPUJobOp *op)
{
    op->opcode = le16_to_cpu(wire->opcode);
    op->value = le32_to_cpu(wire->value);
    op->dst_key = le64_to_cpu(wire->dst_key);
    op->dst_offset = le64_to_cpu(wire->dst_offset);
    op->src_key = le64_to_cpu(wire->src_key);
    op->src_offset = le64_to_cpu(wire->src_offset);
    op->dst_stride = le32_to_cpu(wire->dst_stride);
    op->src_stride = le32_to_cpu(wire->src_stride);
    op->width = le32_to_cpu(wire->width);
    op->height = le32_to_cpu(wire->height);
    op->cpp = le32_to_cpu(wire->cpp);
    return !wire->flags && !wire->rsvd3c;
}

/* The fields alone, without the BOs */
static uint32_t primegpu_job_check_fields(const PrimeGPUJobOp *op)
{
    const struct PrimeGPUJobOpInfo *info;

    if (op->opcode >= ARRAY_SIZE(primegpu_job_ops) ||
        !primegpu_job_ops[op->opcode].name) {
        return PRIMEGPU_ST_INVALID_OPCODE;
    }
    info = &primegpu_job_ops[op->opcode];
    if (!is_power_of_2(op->cpp) || !(op->cpp & info->cpps) ||
        !op->width || !op->height) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    if (info->has_source ? op->value
        : op->src_key || op->src_offset || op->src_stride) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    return PRIMEGPU_ST_OK;
}

static uint64_t primegpu_job_row_bytes(const PrimeGPUJobOp *op)
{
    return (uint64_t)op->width * op->cpp;
}

/* The one check of a rectangle against a BO */
static uint32_t primegpu_job_check_rect(const PrimeGPUJobOp *op,
                                        const PrimeGPUBuffer *bo,
                                        uint64_t offset, uint32_t stride)
{
    uint64_t row_bytes = primegpu_job_row_bytes(op);
    uint64_t end;

    if (!QEMU_IS_ALIGNED(offset, op->cpp) ||
        (op->height > 1 && (!QEMU_IS_ALIGNED(stride, op->cpp) ||
                            stride < row_bytes))) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    if (!primegpu_blit_extent(offset, row_bytes, op->height, stride, &end) ||
        end > bo->size) {
        return PRIMEGPU_ST_RANGE;
    }
    return PRIMEGPU_ST_OK;
}

/* The one check of a BO that a job names */
static uint32_t primegpu_job_check_bo(PrimeGPUState *s, const PrimeGPUJob *job,
                                      uint32_t client, uint64_t key,
                                      PrimeGPUBuffer **pbo)
{
    PrimeGPUBuffer *bo = primegpu_bo_named(s, key);

    if (!bo) {
        return PRIMEGPU_ST_UNKNOWN_BO;
    }
    if (!primegpu_bo_is_open(bo, client)) {
        trace_primegpu_err_job_not_open(s->name, job->seqno, key, client);
        primegpu_ledger_violation(&s->ledger,
                                  PRIME_GPU_VIOLATION_KIND_NOT_OPEN, key, 0);
        return PRIMEGPU_ST_NOT_OPEN;
    }
    if (primegpu_bo_location(bo) == PRIME_GPU_LOCATION_NONE) {
        trace_primegpu_err_job_not_attached(s->name, job->seqno, key);
        primegpu_ledger_violation(&s->ledger,
                                  PRIME_GPU_VIOLATION_KIND_NOT_ATTACHED,
                                  key, 0);
        return PRIMEGPU_ST_NOT_ATTACHED;
    }
    *pbo = bo;
    return PRIMEGPU_ST_OK;
}

/*
 * A copy within the same bytes is done as if the source was read as a whole
 * first.  With one stride it is enough to go through it in the right order.
 */
static uint32_t primegpu_job_check_overlap(PrimeGPUJobOp *op)
{
    uint64_t row_bytes = primegpu_job_row_bytes(op);
    uint64_t dst_end, src_end;

    if (!primegpu_bo_same_bytes(op->dst, op->src)) {
        return PRIMEGPU_ST_OK;
    }
    primegpu_blit_extent(op->dst_offset, row_bytes, op->height, op->dst_stride,
                         &dst_end);
    primegpu_blit_extent(op->src_offset, row_bytes, op->height, op->src_stride,
                         &src_end);
    if (op->dst_offset >= src_end || op->src_offset >= dst_end) {
        return PRIMEGPU_ST_OK;
    }
    if (op->height > 1 && op->dst_stride != op->src_stride) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    op->backward = op->dst_offset > op->src_offset;
    return PRIMEGPU_ST_OK;
}

static uint32_t primegpu_job_check_op(PrimeGPUState *s, const PrimeGPUJob *job,
                                      uint32_t client, PrimeGPUJobOp *op)
{
    uint32_t status = primegpu_job_check_fields(op);

    if (status != PRIMEGPU_ST_OK) {
        return status;
    }
    status = primegpu_job_check_bo(s, job, client, op->dst_key, &op->dst);
    if (status == PRIMEGPU_ST_OK) {
        status = primegpu_job_check_rect(op, op->dst, op->dst_offset,
                                         op->dst_stride);
    }
    if (status != PRIMEGPU_ST_OK || !primegpu_job_ops[op->opcode].has_source) {
        return status;
    }
    status = primegpu_job_check_bo(s, job, client, op->src_key, &op->src);
    if (status == PRIMEGPU_ST_OK) {
        status = primegpu_job_check_rect(op, op->src, op->src_offset,
                                         op->src_stride);
    }
    return status == PRIMEGPU_ST_OK ? primegpu_job_check_overlap(op) : status;
}

static uint32_t primegpu_job_read_ops(PrimeGPUState *s, PrimeGPUJob *job,
                                      uint64_t addr, uint32_t op_count)
{
    g_autofree struct primegpu_job_op *wire = NULL;
    uint32_t i;

    if (op_count > PRIMEGPU_JOB_OPS_MAX ||
        !QEMU_IS_ALIGNED(addr, sizeof(uint64_t))) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    wire = g_try_new(struct primegpu_job_op, op_count);
    job->ops = g_try_new0(PrimeGPUJobOp, op_count);
    if (op_count && (!wire || !job->ops)) {
        return PRIMEGPU_ST_NO_MEMORY;
    }
    if (!primegpu_mem_read(s, addr, wire, op_count * sizeof(*wire))) {
        return PRIMEGPU_ST_DMA;
    }
    for (i = 0; i < op_count; i++) {
        if (!primegpu_job_decode(&wire[i], &job->ops[i])) {
            return PRIMEGPU_ST_INVALID_FIELD;
        }
    }
    job->op_count = op_count;
    return PRIMEGPU_ST_OK;
}

static uint32_t primegpu_job_check(PrimeGPUState *s, PrimeGPUJob *job,
                                   uint32_t client)
{
    int32_t i;

    for (i = 0; i < job->op_count; i++) {
        uint32_t status = primegpu_job_check_op(s, job, client,
                                                &job->ops[i]);

        if (status != PRIMEGPU_ST_OK) {
            return status;
        }
    }
    return PRIMEGPU_ST_OK;
}

void primegpu_job_fetch(PrimeGPUState *s, PrimeGPUJob *job, uint64_t addr,
                        uint32_t op_count)
{
    uint32_t status = primegpu_job_read_ops(s, job, addr, op_count);

    if (status == PRIMEGPU_ST_OK) {
        status = primegpu_job_check(s, job, job->client);
    }
    if (status == PRIMEGPU_ST_OK) {
        return;
    }
    job->status = status;
    job->op_count = 0;
    g_clear_pointer(&job->ops, g_free);
}

bool primegpu_job_loaded(PrimeGPUState *s, PrimeGPUJob *job)
{
    const PrimeGPUJobOp *op;

    if (job->delay_ns > PRIMEGPU_INJECT_NS_LIMIT ||
        job->fault_status >= PRIME_GPU_STATUS__MAX) {
        return false;
    }
    if (job->status != PRIMEGPU_ST_NONE) {
        return !job->op_count;
    }
    /* Its client may have closed the BOs since the job was fetched. */
    if (primegpu_job_check(s, job, PRIMEGPU_CLIENT_KERNEL) != PRIMEGPU_ST_OK) {
        return false;
    }
    if (job->op_index >= job->op_count) {
        return job->op_index == job->op_count && !job->row && !job->column;
    }
    op = &job->ops[job->op_index];
    return job->row < op->height && job->column < primegpu_job_row_bytes(op);
}

/* Where the next piece of the operation starts in a rectangle */
static uint64_t primegpu_job_position(const PrimeGPUJob *job,
                                      const PrimeGPUJobOp *op,
                                      uint64_t offset, uint32_t stride,
                                      uint64_t length)
{
    if (op->backward) {
        return offset + (uint64_t)stride * (op->height - 1 - job->row) +
               primegpu_job_row_bytes(op) - job->column - length;
    }
    return offset + (uint64_t)stride * job->row + job->column;
}

/*
 * Backwards a piece is looked up by its first byte as well, so it must lie in
 * one page on both sides.
 */
static uint64_t primegpu_job_backward_piece(const PrimeGPUJob *job,
                                            const PrimeGPUJobOp *op,
                                            uint64_t length)
{
    uint64_t dst_end = primegpu_job_position(job, op, op->dst_offset,
                                             op->dst_stride, 0);
    uint64_t src_end = primegpu_job_position(job, op, op->src_offset,
                                             op->src_stride, 0);

    length = MIN(length, (dst_end - 1) % PRIMEGPU_PAGE_SIZE + 1);
    return MIN(length, (src_end - 1) % PRIMEGPU_PAGE_SIZE + 1);
}

typedef struct PrimeGPUJobWindows {
    PrimeGPUMemWindow dst;
    PrimeGPUMemWindow src;
} PrimeGPUJobWindows;

/* Returns how many of up to @length bytes were moved, 0 when DMA failed. */
static uint64_t primegpu_job_piece(PrimeGPUState *s, const PrimeGPUJob *job,
                                   const PrimeGPUJobOp *op, uint64_t length,
                                   PrimeGPUJobWindows *windows)
{
    PrimeGPUMemSpan dst, src;

    if (op->backward) {
        length = primegpu_job_backward_piece(job, op, length);
    }
    if (!primegpu_bo_map(s, op->dst, &windows->dst,
                         primegpu_job_position(job, op, op->dst_offset,
                                               op->dst_stride, length),
                         length, true, &dst)) {
        return 0;
    }
    if (!op->src) {
        primegpu_blit_fill(dst.host, dst.length, op->value, op->cpp);
        s->counters.bytes_filled += dst.length;
        primegpu_mem_written(s, &windows->dst, &dst, dst.length);
        return dst.length;
    }
    if (!primegpu_bo_map(s, op->src, &windows->src,
                         primegpu_job_position(job, op, op->src_offset,
                                               op->src_stride, length),
                         dst.length, false, &src)) {
        return 0;
    }
    primegpu_blit_copy(dst.host, src.host, src.length);
    s->counters.bytes_copied += src.length;
    primegpu_mem_written(s, &windows->dst, &dst, src.length);
    return src.length;
}

static void primegpu_job_advance(PrimeGPUJob *job, const PrimeGPUJobOp *op,
                                 uint64_t length)
{
    job->column += length;
    if (job->column < primegpu_job_row_bytes(op)) {
        return;
    }
    job->column = 0;
    if (++job->row < op->height) {
        return;
    }
    job->row = 0;
    job->op_index++;
}

static uint32_t primegpu_job_run_pieces(PrimeGPUState *s, PrimeGPUJob *job,
                                        uint64_t *budget,
                                        PrimeGPUJobWindows *windows)
{
    while (job->op_index < job->op_count) {
        const PrimeGPUJobOp *op = &job->ops[job->op_index];
        uint64_t left = primegpu_job_row_bytes(op) - job->column;
        uint64_t length;

        if (!*budget) {
            return PRIMEGPU_ST_NONE;
        }
        /* A piece of a fill ends between two elements. */
        left = MIN(left, ROUND_UP(*budget, PRIMEGPU_PAGE_SIZE));
        length = primegpu_job_piece(s, job, op, left, windows);
        if (!length) {
            return PRIMEGPU_ST_DMA;
        }
        *budget -= MIN(*budget, MAX(length, PRIMEGPU_JOB_PIECE_COST));
        primegpu_job_advance(job, op, length);
    }
    return PRIMEGPU_ST_OK;
}

uint32_t primegpu_job_run(PrimeGPUState *s, PrimeGPUJob *job,
                          uint64_t *budget)
{
    PrimeGPUJobWindows windows;
    uint32_t status;

    RCU_READ_LOCK_GUARD();

    primegpu_mem_window_init(&windows.dst);
    primegpu_mem_window_init(&windows.src);
    status = primegpu_job_run_pieces(s, job, budget, &windows);
    primegpu_mem_flush(s, &windows.dst);
    return status;
}
