/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu queries
 *
 * Reads across the blocks, for the monitor.  It changes nothing but the gate.
 */
#include "qemu/osdep.h"
#include "device.h"

PrimeGPUInfo *primegpu_query_info(PrimeGPUState *s)
{
    PrimeGPUInfo *info = g_new0(PrimeGPUInfo, 1);

    info->device = g_strdup(s->name);
    info->device_id = s->ledger.id;
    info->model = PRIMEGPU_GET_CLASS(s)->info->model;
    info->enabled = s->control & PRIMEGPU_CONTROL_ENABLE;
    info->bos = g_tree_nnodes(s->bos.tree);
    info->bytes = s->bos.bytes;
    info->bos_max = s->conf.bo_max;
    info->bytes_max = s->conf.bytes_max;
    info->vram_size = s->conf.vram_size;
    info->vram_used = s->bos.vram_used;
    info->jobs = s->engine.job_count;
    info->gate_closed = s->engine.gate_closed;
    info->completed_seqno = s->fence.seqno;
    info->outputs = primegpu_output_query(s);
    info->counters = g_memdup2(&s->counters, sizeof(s->counters));
    return info;
}

static PrimeGPUBo *primegpu_query_bo(PrimeGPUState *s,
                                     const PrimeGPUBuffer *bo)
{
    PrimeGPUBo *info = g_new0(PrimeGPUBo, 1);
    PrimeGPUClientRefList **tail = &info->clients;
    int32_t i;

    info->device = g_strdup(s->name);
    info->key = bo->key;
    info->size = bo->size;
    info->imported = bo->imported;
    info->has_exporter = bo->exporter_key;
    info->exporter = bo->exporter_key;
    info->foreign = bo->imported && !bo->exporter_key;
    info->location = primegpu_bo_location(bo);
    info->attached = bo->attached;
    info->has_vram_offset = bo->placed;
    info->vram_offset = bo->vram_offset;
    info->jobs = bo->jobs;
    info->shown = bo->shown;
    info->created_step = bo->created_step;
    info->created_ns = bo->created_ns;
    for (i = 0; i < bo->client_count; i++) {
        PrimeGPUClientRef *ref = g_new0(PrimeGPUClientRef, 1);

        ref->client = bo->clients[i].client;
        ref->handles = bo->clients[i].count;
        QAPI_LIST_APPEND(tail, ref);
    }
    return info;
}

typedef struct PrimeGPUQuery {
    PrimeGPUState *s;
    PrimeGPUBoList **tail;
} PrimeGPUQuery;

static gboolean primegpu_query_add_bo(gpointer key, gpointer value,
                                      gpointer opaque)
{
    PrimeGPUQuery *query = opaque;

    QAPI_LIST_APPEND(query->tail, primegpu_query_bo(query->s, value));
    return false;
}

PrimeGPUBoList *primegpu_query_bos(PrimeGPUState *s)
{
    PrimeGPUBoList *list = NULL;
    PrimeGPUQuery query = { .s = s, .tail = &list };

    g_tree_foreach(s->bos.tree, primegpu_query_add_bo, &query);
    return list;
}

static PrimeGPUFaultInfo *primegpu_query_fault(
    PrimeGPUState *s, const PrimeGPUInjection *injection)
{
    PrimeGPUFaultInfo *info = g_new0(PrimeGPUFaultInfo, 1);

    info->device = g_strdup(s->name);
    info->fault = injection->fault;
    info->at = injection->count ? (uint64_t)injection->wait + 1 : 0;
    info->count = injection->count;
    info->fired = injection->fired;
    info->has_status = injection->status != PRIMEGPU_ST_NONE;
    info->status = injection->status;
    info->has_ns = injection->fault == PRIME_GPU_FAULT_DELAY;
    info->ns = injection->ns;
    info->keep = injection->keep;
    return info;
}

PrimeGPUFaultInfoList *primegpu_query_faults(PrimeGPUState *s)
{
    PrimeGPUFaultInfoList *list = NULL, **tail = &list;
    uint32_t i;

    for (i = 0; i < s->inject.used; i++) {
        QAPI_LIST_APPEND(tail, primegpu_query_fault(s, &s->inject.list[i]));
    }
    return list;
}

void primegpu_set_gate(PrimeGPUState *s, bool closed)
{
    primegpu_engine_set_gate(s, closed);
}
