/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu migration state
 *
 * Reads and writes the state of all blocks.  Nothing that is loaded is
 * trusted: counts are checked before memory is taken for them, and each block
 * checks the rest.  What is derived is worked out again.  The ledger hears of
 * BOs when they are loaded, and of their bytes when the machine starts, as
 * the BARs of a peer may be loaded later than this device.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "system/runstate.h"
#include "hw/pci/msix.h"
#include "device.h"
#include "vmstate.h"

static bool primegpu_vmstate_segments_fit(void *opaque, int version_id)
{
    const PrimeGPUBuffer *bo = opaque;

    return bo->size && bo->size <= PRIMEGPU_BYTES_MAX_LIMIT &&
           QEMU_IS_ALIGNED(bo->size, PRIMEGPU_PAGE_SIZE) &&
           bo->segment_count >= 0 &&
           bo->segment_count <= bo->size / PRIMEGPU_PAGE_SIZE;
}

static bool primegpu_vmstate_clients_fit(void *opaque, int version_id)
{
    const PrimeGPUBuffer *bo = opaque;

    return bo->client_count >= 0 &&
           bo->client_count <= PRIMEGPU_BO_MAX_LIMIT *
                               PRIMEGPU_BO_CLIENTS_PER_BO;
}

static int primegpu_vmstate_bo_post_load(void *opaque, int version_id)
{
    const PrimeGPUBuffer *bo = opaque;
    int32_t i;

    for (i = 0; i < bo->client_count; i++) {
        if (!bo->clients[i].count ||
            bo->clients[i].client == PRIMEGPU_CLIENT_KERNEL ||
            (i && bo->clients[i].client <= bo->clients[i - 1].client)) {
            return -EINVAL;
        }
    }
    return bo->exporter_key && !bo->imported ? -EINVAL : 0;
}

static const VMStateDescription primegpu_vmstate_segment = {
    .name = "primegpu/bo/segment",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(addr, PrimeGPUSegment),
        VMSTATE_UINT64(length, PrimeGPUSegment),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription primegpu_vmstate_handles = {
    .name = "primegpu/bo/handles",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(client, PrimeGPUHandles),
        VMSTATE_UINT32(count, PrimeGPUHandles),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription primegpu_vmstate_bo = {
    .name = "primegpu/bo",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = primegpu_vmstate_bo_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(key, PrimeGPUBuffer),
        VMSTATE_UINT64(size, PrimeGPUBuffer),
        VMSTATE_UINT64(exporter_key, PrimeGPUBuffer),
        VMSTATE_BOOL(imported, PrimeGPUBuffer),
        VMSTATE_BOOL(placed, PrimeGPUBuffer),
        VMSTATE_UINT64(vram_offset, PrimeGPUBuffer),
        VMSTATE_UINT32(created_step, PrimeGPUBuffer),
        VMSTATE_INT64(created_ns, PrimeGPUBuffer),
        VMSTATE_INT32(segment_count, PrimeGPUBuffer),
        VMSTATE_VALIDATE("segments fit", primegpu_vmstate_segments_fit),
        VMSTATE_STRUCT_VARRAY_ALLOC(segments, PrimeGPUBuffer, segment_count, 0,
                                    primegpu_vmstate_segment,
                                    PrimeGPUSegment),
        VMSTATE_INT32(client_count, PrimeGPUBuffer),
        VMSTATE_VALIDATE("clients fit", primegpu_vmstate_clients_fit),
        VMSTATE_STRUCT_VARRAY_ALLOC(clients, PrimeGPUBuffer, client_count, 0,
                                    primegpu_vmstate_handles,
                                    PrimeGPUHandles),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription primegpu_vmstate_bos = {
    .name = "primegpu/bos",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(last_serial, PrimeGPUBOTable),
        VMSTATE_GTREE_DIRECT_KEY_V(tree, PrimeGPUBOTable, 1,
                                   &primegpu_vmstate_bo, PrimeGPUBuffer),
        VMSTATE_END_OF_LIST()
    }
};

static int primegpu_vmstate_op_pre_load(void *opaque)
{
    memset(opaque, 0, sizeof(PrimeGPUJobOp));
    return 0;
}

static const VMStateDescription primegpu_vmstate_op = {
    .name = "primegpu/job/op",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = primegpu_vmstate_op_pre_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(opcode, PrimeGPUJobOp),
        VMSTATE_UINT32(value, PrimeGPUJobOp),
        VMSTATE_UINT64(dst_key, PrimeGPUJobOp),
        VMSTATE_UINT64(dst_offset, PrimeGPUJobOp),
        VMSTATE_UINT64(src_key, PrimeGPUJobOp),
        VMSTATE_UINT64(src_offset, PrimeGPUJobOp),
        VMSTATE_UINT32(dst_stride, PrimeGPUJobOp),
        VMSTATE_UINT32(src_stride, PrimeGPUJobOp),
        VMSTATE_UINT32(width, PrimeGPUJobOp),
        VMSTATE_UINT32(height, PrimeGPUJobOp),
        VMSTATE_UINT32(cpp, PrimeGPUJobOp),
        VMSTATE_END_OF_LIST()
    }
};

/* The memory of an element of a queue comes as it is. */
static int primegpu_vmstate_job_pre_load(void *opaque)
{
    memset(opaque, 0, sizeof(PrimeGPUJob));
    return 0;
}

static bool primegpu_vmstate_ops_fit(void *opaque, int version_id)
{
    const PrimeGPUJob *job = opaque;

    return job->op_count >= 0 && job->op_count <= PRIMEGPU_JOB_OPS_MAX;
}

static const VMStateDescription primegpu_vmstate_job = {
    .name = "primegpu/job",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = primegpu_vmstate_job_pre_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(seqno, PrimeGPUJob),
        VMSTATE_UINT64(serial, PrimeGPUJob),
        VMSTATE_UINT32(slot, PrimeGPUJob),
        VMSTATE_UINT32(client, PrimeGPUJob),
        VMSTATE_UINT32(status, PrimeGPUJob),
        VMSTATE_UINT16(flags, PrimeGPUJob),
        VMSTATE_UINT32(op_index, PrimeGPUJob),
        VMSTATE_UINT32(row, PrimeGPUJob),
        VMSTATE_UINT64(column, PrimeGPUJob),
        VMSTATE_INT32(op_count, PrimeGPUJob),
        VMSTATE_VALIDATE("operations fit", primegpu_vmstate_ops_fit),
        VMSTATE_STRUCT_VARRAY_ALLOC(ops, PrimeGPUJob, op_count, 0,
                                    primegpu_vmstate_op, PrimeGPUJobOp),
        VMSTATE_BOOL(hangs, PrimeGPUJob),
        VMSTATE_UINT32(fault_status, PrimeGPUJob),
        VMSTATE_UINT64(delay_ns, PrimeGPUJob),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription primegpu_vmstate_engine = {
    .name = "primegpu/engine",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_QTAILQ_V(jobs, PrimeGPUEngine, 1, primegpu_vmstate_job,
                         PrimeGPUJob, next),
        VMSTATE_TIMER_PTR(timer, PrimeGPUEngine),
        VMSTATE_INT64(start_ns, PrimeGPUEngine),
        VMSTATE_BOOL(gate_closed, PrimeGPUEngine),
        VMSTATE_END_OF_LIST()
    }
};

static bool primegpu_vmstate_faults_fit(void *opaque, int version_id)
{
    PrimeGPUState *s = opaque;

    if (s->inject.used > PRIMEGPU_INJECT_MAX) {
        /* The load ends here, and nothing is to look at the list. */
        s->inject.used = 0;
        return false;
    }
    return true;
}

static const VMStateDescription primegpu_vmstate_injection = {
    .name = "primegpu/fault",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(fault, PrimeGPUInjection),
        VMSTATE_BOOL(keep, PrimeGPUInjection),
        VMSTATE_UINT32(wait, PrimeGPUInjection),
        VMSTATE_UINT32(count, PrimeGPUInjection),
        VMSTATE_UINT32(fired, PrimeGPUInjection),
        VMSTATE_UINT32(status, PrimeGPUInjection),
        VMSTATE_UINT64(ns, PrimeGPUInjection),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription primegpu_vmstate_ring = {
    .name = "primegpu/ring",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(base, PrimeGPURing),
        VMSTATE_UINT32(order, PrimeGPURing),
        VMSTATE_UINT32(head, PrimeGPURing),
        VMSTATE_UINT32(fetch, PrimeGPURing),
        VMSTATE_UINT32(tail, PrimeGPURing),
        VMSTATE_BOOL(fault, PrimeGPURing),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription primegpu_vmstate_counters = {
    .name = "primegpu/counters",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(created, PrimeGPUCounters),
        VMSTATE_UINT64(released, PrimeGPUCounters),
        VMSTATE_UINT64(dropped, PrimeGPUCounters),
        VMSTATE_UINT64(opened, PrimeGPUCounters),
        VMSTATE_UINT64(closed, PrimeGPUCounters),
        VMSTATE_UINT64(attached, PrimeGPUCounters),
        VMSTATE_UINT64(detached, PrimeGPUCounters),
        VMSTATE_UINT64(commands, PrimeGPUCounters),
        VMSTATE_UINT64(command_errors, PrimeGPUCounters),
        VMSTATE_UINT64(jobs, PrimeGPUCounters),
        VMSTATE_UINT64(job_errors, PrimeGPUCounters),
        VMSTATE_UINT64(doorbells, PrimeGPUCounters),
        VMSTATE_UINT64(interrupts, PrimeGPUCounters),
        VMSTATE_UINT64(bytes_filled, PrimeGPUCounters),
        VMSTATE_UINT64(bytes_copied, PrimeGPUCounters),
        VMSTATE_END_OF_LIST()
    }
};

/* Leave nothing of what was before. */
static void primegpu_vmstate_empty(PrimeGPUState *s)
{
    s->control = 0;
    primegpu_output_reset(s);
    primegpu_ring_reset(s);
    s->engine.job_count = 0;
    s->engine.op_count = 0;
    primegpu_inject_clear(s);
    primegpu_bo_drop_all(s, false);
    primegpu_ledger_restore_begin(&s->ledger);
}

/* The same after a load that failed */
static void primegpu_vmstate_discard(PrimeGPUState *s)
{
    primegpu_vmstate_empty(s);
    primegpu_ledger_restore_end(&s->ledger);
    s->restored = false;
}

static int primegpu_vmstate_pre_load(void *opaque)
{
    PrimeGPUState *s = opaque;

    primegpu_vmstate_empty(s);
    s->loading = true;
    return 0;
}

static const char *primegpu_vmstate_check(PrimeGPUState *s)
{
    if (!primegpu_ledger_set_device_id(&s->ledger, s->loaded_id)) {
        return "its id";
    }
    if (s->control & ~PRIMEGPU_CONTROL_ENABLE) {
        return "CONTROL";
    }
    if ((s->irq.status | s->irq.enable) & ~PRIMEGPU_IRQ_ALL) {
        return "IRQ_STATUS or IRQ_ENABLE";
    }
    if (!primegpu_bo_table_loaded(s)) {
        return "the table of BOs";
    }
    primegpu_ledger_restore_begin(&s->ledger);
    s->restored = true;
    if (!primegpu_bo_restore(s)) {
        return "the ledger's record of a BO";
    }
    if (!primegpu_engine_loaded(s)) {
        return "the queue of jobs";
    }
    if (!primegpu_ring_loaded(s)) {
        return "a ring";
    }
    if (!primegpu_inject_loaded(s)) {
        return "a fault";
    }
    if (!primegpu_output_loaded(s)) {
        return "an output";
    }
    return NULL;
}

static int primegpu_vmstate_pre_save(void *opaque)
{
    PrimeGPUState *s = opaque;

    s->loaded_id = s->ledger.id;
    return 0;
}

static int primegpu_vmstate_post_load(void *opaque, int version_id)
{
    PrimeGPUState *s = opaque;
    const char *what = primegpu_vmstate_check(s);

    s->loading = false;
    if (what) {
        error_report("primegpu %s: bad value of %s in the saved state",
                     s->name, what);
        primegpu_vmstate_discard(s);
        return -EINVAL;
    }
    return 0;
}

const VMStateDescription primegpu_vmstate = {
    .name = "primegpu",
    .version_id = 2,
    .minimum_version_id = 2,
    .pre_save = primegpu_vmstate_pre_save,
    .pre_load = primegpu_vmstate_pre_load,
    .post_load = primegpu_vmstate_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, PrimeGPUState),
        VMSTATE_MSIX(parent_obj, PrimeGPUState),
        VMSTATE_UINT16(loaded_id, PrimeGPUState),
        VMSTATE_UINT32(control, PrimeGPUState),
        VMSTATE_UINT32(kept_clock_hi, PrimeGPUState),
        VMSTATE_UINT32(irq.status, PrimeGPUState),
        VMSTATE_UINT32(irq.enable, PrimeGPUState),
        VMSTATE_UINT64(fence.seqno, PrimeGPUState),
        VMSTATE_UINT64(fence.wb_addr, PrimeGPUState),
        VMSTATE_STRUCT_ARRAY(rings, PrimeGPUState, PRIMEGPU_RING_COUNT, 1,
                             primegpu_vmstate_ring, PrimeGPURing),
        VMSTATE_STRUCT(bos, PrimeGPUState, 1, primegpu_vmstate_bos,
                       PrimeGPUBOTable),
        VMSTATE_STRUCT(engine, PrimeGPUState, 1, primegpu_vmstate_engine,
                       PrimeGPUEngine),
        VMSTATE_STRUCT(counters, PrimeGPUState, 1, primegpu_vmstate_counters,
                       PrimeGPUCounters),
        VMSTATE_UINT32(inject.used, PrimeGPUState),
        VMSTATE_VALIDATE("faults fit", primegpu_vmstate_faults_fit),
        VMSTATE_STRUCT_VARRAY_UINT32(inject.list, PrimeGPUState, inject.used,
                                     1, primegpu_vmstate_injection,
                                     PrimeGPUInjection),
        VMSTATE_UINT32_EQUAL(conf.max_outputs, PrimeGPUState,
                             "'max-outputs' is not what it was"),
        VMSTATE_STRUCT_VARRAY_UINT32(outputs, PrimeGPUState, conf.max_outputs,
                                     1, primegpu_vmstate_output,
                                     PrimeGPUOutput),
        VMSTATE_END_OF_LIST()
    }
};

static void primegpu_vmstate_change(void *opaque, bool running, RunState state)
{
    PrimeGPUState *s = opaque;

    if (!running) {
        return;
    }
    if (s->loading) {
        primegpu_vmstate_discard(s);
        s->loading = false;
    }
    if (s->restored) {
        primegpu_bo_restore_bytes(s);
        primegpu_ledger_restore_end(&s->ledger);
        s->restored = false;
    }
    primegpu_ring_kick(s);
    primegpu_output_kick(s);
}

void primegpu_vmstate_init(PrimeGPUState *s)
{
    s->vmstate = qdev_add_vm_change_state_handler(DEVICE(s),
                                                  primegpu_vmstate_change, s);
}

void primegpu_vmstate_finalize(PrimeGPUState *s)
{
    g_clear_pointer(&s->vmstate, qemu_del_vm_change_state_handler);
}
