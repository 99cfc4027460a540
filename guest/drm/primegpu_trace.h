/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trace events. Keys and sequence numbers are the ones of the device's own
 * trace, so that both can be joined.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM primegpu

#if !defined(PRIMEGPU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PRIMEGPU_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(primegpu_cmd,
	TP_PROTO(u32 device, u64 seqno, u32 opcode, u64 key, u32 client),
	TP_ARGS(device, seqno, opcode, key, client),
	TP_STRUCT__entry(
		__field(u32, device)
		__field(u64, seqno)
		__field(u32, opcode)
		__field(u64, key)
		__field(u32, client)
	),
	TP_fast_assign(
		__entry->device = device;
		__entry->seqno = seqno;
		__entry->opcode = opcode;
		__entry->key = key;
		__entry->client = client;
	),
	TP_printk("device=%u seqno=%llu opcode=0x%x key=0x%llx client=%u",
		  __entry->device, __entry->seqno, __entry->opcode,
		  __entry->key, __entry->client)
);

TRACE_EVENT(primegpu_cmd_err,
	TP_PROTO(u32 device, u64 seqno, u32 opcode, u64 key, u32 status),
	TP_ARGS(device, seqno, opcode, key, status),
	TP_STRUCT__entry(
		__field(u32, device)
		__field(u64, seqno)
		__field(u32, opcode)
		__field(u64, key)
		__field(u32, status)
	),
	TP_fast_assign(
		__entry->device = device;
		__entry->seqno = seqno;
		__entry->opcode = opcode;
		__entry->key = key;
		__entry->status = status;
	),
	TP_printk("device=%u seqno=%llu opcode=0x%x key=0x%llx status=%u",
		  __entry->device, __entry->seqno, __entry->opcode,
		  __entry->key, __entry->status)
);

TRACE_EVENT(primegpu_job_submit,
	TP_PROTO(u32 device, u64 seqno, u32 client, u32 op_count),
	TP_ARGS(device, seqno, client, op_count),
	TP_STRUCT__entry(
		__field(u32, device)
		__field(u64, seqno)
		__field(u32, client)
		__field(u32, op_count)
	),
	TP_fast_assign(
		__entry->device = device;
		__entry->seqno = seqno;
		__entry->client = client;
		__entry->op_count = op_count;
	),
	TP_printk("device=%u seqno=%llu client=%u op_count=%u",
		  __entry->device, __entry->seqno, __entry->client,
		  __entry->op_count)
);

TRACE_EVENT(primegpu_job_complete,
	TP_PROTO(u32 device, u64 seqno, u32 status),
	TP_ARGS(device, seqno, status),
	TP_STRUCT__entry(
		__field(u32, device)
		__field(u64, seqno)
		__field(u32, status)
	),
	TP_fast_assign(
		__entry->device = device;
		__entry->seqno = seqno;
		__entry->status = status;
	),
	TP_printk("device=%u seqno=%llu status=%u",
		  __entry->device, __entry->seqno, __entry->status)
);

TRACE_EVENT(primegpu_engine_reset,
	TP_PROTO(u32 device, u64 done, u64 last),
	TP_ARGS(device, done, last),
	TP_STRUCT__entry(
		__field(u32, device)
		__field(u64, done)
		__field(u64, last)
	),
	TP_fast_assign(
		__entry->device = device;
		__entry->done = done;
		__entry->last = last;
	),
	TP_printk("device=%u done=%llu last=%llu",
		  __entry->device, __entry->done, __entry->last)
);

TRACE_EVENT(primegpu_flip,
	TP_PROTO(u32 device, u64 seqno, u32 output, u32 plane, u64 key,
		 u32 flags),
	TP_ARGS(device, seqno, output, plane, key, flags),
	TP_STRUCT__entry(
		__field(u32, device)
		__field(u64, seqno)
		__field(u32, output)
		__field(u32, plane)
		__field(u64, key)
		__field(u32, flags)
	),
	TP_fast_assign(
		__entry->device = device;
		__entry->seqno = seqno;
		__entry->output = output;
		__entry->plane = plane;
		__entry->key = key;
		__entry->flags = flags;
	),
	TP_printk("device=%u seqno=%llu output=%u plane=%u key=0x%llx flags=0x%x",
		  __entry->device, __entry->seqno, __entry->output,
		  __entry->plane, __entry->key, __entry->flags)
);

TRACE_EVENT(primegpu_flip_done,
	TP_PROTO(u32 device, u64 seqno, u32 output, u64 vblank),
	TP_ARGS(device, seqno, output, vblank),
	TP_STRUCT__entry(
		__field(u32, device)
		__field(u64, seqno)
		__field(u32, output)
		__field(u64, vblank)
	),
	TP_fast_assign(
		__entry->device = device;
		__entry->seqno = seqno;
		__entry->output = output;
		__entry->vblank = vblank;
	),
	TP_printk("device=%u seqno=%llu output=%u vblank=%llu",
		  __entry->device, __entry->seqno, __entry->output,
		  __entry->vblank)
);

#endif /* PRIMEGPU_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE primegpu_trace
#include <trace/define_trace.h>
