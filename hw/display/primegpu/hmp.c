/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu: "info primegpu" for people, from the answers of QMP.
 */
#include "qemu/osdep.h"
#include "monitor/hmp.h"
#include "monitor/monitor.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-primegpu.h"

#define PRIMEGPU_HMP_NS_PER_US 1000

static void primegpu_hmp_devices(Monitor *mon)
{
    g_autoptr(PrimeGPUInfoList) list = qmp_query_primegpu(&error_abort);
    PrimeGPUInfoList *item;

    if (!list) {
        monitor_printf(mon, "No primegpu in this machine.\n");
        return;
    }
    monitor_printf(mon, "%-14s %4s %-10s %-3s %8s %12s %12s %5s %-6s %10s\n",
                   "device", "id", "model", "on", "BOs", "bytes", "VRAM used",
                   "jobs", "gate", "seqno");
    for (item = list; item; item = item->next) {
        const PrimeGPUInfo *info = item->value;

        monitor_printf(mon, "%-14s %4u %-10s %-3s %8" PRIu32 " %12" PRIu64
                       " %12" PRIu64 " %5" PRIu32 " %-6s %10" PRIu64 "\n",
                       info->device, info->device_id,
                       PrimeGPUModel_str(info->model),
                       info->enabled ? "yes" : "no", info->bos, info->bytes,
                       info->vram_used, info->jobs,
                       info->gate_closed ? "closed" : "open",
                       info->completed_seqno);
    }
}

static char *primegpu_hmp_planes(const PrimeGPUPlaneInfoList *list)
{
    GString *text = g_string_new(NULL);

    for (; list; list = list->next) {
        g_string_append_printf(text, "%s%" PRIu32 ":0x%" PRIx64 "(%s)",
                               text->len ? " " : "", list->value->index,
                               list->value->keys->value, list->value->format);
    }
    return g_string_free(text, !text->len) ?: g_strdup("-");
}

static void primegpu_hmp_output(Monitor *mon, const char *device,
                                const PrimeGPUOutputInfo *info)
{
    g_autofree char *mode = g_strdup_printf("%" PRIu32 "x%" PRIu32,
                                            info->width, info->height);
    g_autofree char *planes = primegpu_hmp_planes(info->planes);
    g_autofree char *route = info->has_route
        ? g_strdup_printf("%" PRIu32, info->route) : g_strdup("-");

    monitor_printf(mon, "%-14s %6" PRIu32 " %-7s %-5s %-9s %10" PRIu32
                   " %10" PRIu64 " %10" PRIu64 " %-7s %s\n", device,
                   info->index, info->connected ? "yes" : "no", route,
                   info->on ? mode : "off", info->vblank_count,
                   info->counters->flips, info->flip_seq,
                   info->pending ? "yes" : "no", planes);
}

static void primegpu_hmp_outputs(Monitor *mon)
{
    g_autoptr(PrimeGPUInfoList) list = qmp_query_primegpu(&error_abort);
    PrimeGPUInfoList *item;
    PrimeGPUOutputInfoList *output;
    bool any = false;

    for (item = list; item; item = item->next) {
        for (output = item->value->outputs; output; output = output->next) {
            if (!any) {
                monitor_printf(mon, "\n%-14s %6s %-7s %-5s %-9s %10s %10s "
                               "%10s %-7s %s\n", "device", "output",
                               "display", "shows", "mode", "vblanks", "flips",
                               "shown seq", "pending", "planes");
                any = true;
            }
            primegpu_hmp_output(mon, item->value->device, output->value);
        }
    }
}

static char *primegpu_hmp_clients(const PrimeGPUClientRefList *list)
{
    GString *text = g_string_new(NULL);

    for (; list; list = list->next) {
        g_string_append_printf(text, "%s%" PRIu32, text->len ? "," : "",
                               list->value->client);
        if (list->value->handles > 1) {
            g_string_append_printf(text, "(x%" PRIu32 ")",
                                   list->value->handles);
        }
    }
    return g_string_free(text, !text->len) ?: g_strdup("-");
}

static char *primegpu_hmp_import(const PrimeGPUBo *bo)
{
    if (bo->has_exporter) {
        return g_strdup_printf("0x%" PRIx64, bo->exporter);
    }
    return g_strdup(bo->foreign ? "foreign" : "-");
}

static void primegpu_hmp_bos(Monitor *mon)
{
    g_autoptr(PrimeGPUBoList) list = qmp_query_primegpu_bos(NULL, &error_abort);
    PrimeGPUBoList *item;

    if (!list) {
        return;
    }
    monitor_printf(mon, "\n%-14s %-18s %12s %-8s %12s %-18s %5s %5s %6s %s\n",
                   "device", "BO", "size", "where", "attached", "import of",
                   "jobs", "shown", "step", "clients");
    for (item = list; item; item = item->next) {
        const PrimeGPUBo *bo = item->value;
        g_autofree char *import = primegpu_hmp_import(bo);
        g_autofree char *clients = primegpu_hmp_clients(bo->clients);

        monitor_printf(mon, "%-14s 0x%-16" PRIx64 " %12" PRIu64 " %-8s %12"
                       PRIu64 " %-18s %5" PRIu32 " %5" PRIu32 " %6" PRIu32
                       " %s\n",
                       bo->device, bo->key, bo->size,
                       PrimeGPULocation_str(bo->location), bo->attached,
                       import, bo->jobs, bo->shown, bo->created_step,
                       clients);
    }
}

static void primegpu_hmp_sharing(Monitor *mon)
{
    g_autoptr(PrimeGPUSharing) sharing =
        qmp_query_primegpu_sharing(&error_abort);
    PrimeGPUShareList *item;

    if (!sharing->pairs) {
        return;
    }
    monitor_printf(mon, "\n%-18s %-18s %12s\n", "exporter's BO",
                   "importer's BO", "bytes shared");
    for (item = sharing->pairs; item; item = item->next) {
        monitor_printf(mon, "0x%-16" PRIx64 " 0x%-16" PRIx64 " %12" PRIu64 "\n",
                       item->value->exporter, item->value->importer,
                       item->value->bytes);
    }
    if (sharing->capped) {
        monitor_printf(mon, "(more are not shown)\n");
    }
}

static void primegpu_hmp_violation(Monitor *mon, const PrimeGPUViolation *v)
{
    g_autofree char *other = v->has_other
        ? g_strdup_printf("0x%" PRIx64, v->other) : g_strdup("-");

    monitor_printf(mon, "%-18s %-14s 0x%-16" PRIx64 " %-18s %6" PRIu32 " %12"
                   PRIu64 " %6" PRIu64, PrimeGPUViolationKind_str(v->kind),
                   v->device, v->key, other, v->step,
                   v->ns / PRIMEGPU_HMP_NS_PER_US, v->count);
    if (v->has_seqno) {
        monitor_printf(mon, " job %" PRIu64 " and %s's %" PRIu64, v->seqno,
                       v->other_device, v->other_seqno);
    }
    monitor_printf(mon, "\n");
}

static void primegpu_hmp_violations(Monitor *mon)
{
    g_autoptr(PrimeGPUViolations) violations =
        qmp_query_primegpu_violations(&error_abort);
    PrimeGPUViolationList *item;

    monitor_printf(mon, "\nviolations: %" PRIu64 "\n", violations->total);
    if (violations->violations) {
        monitor_printf(mon, "%-18s %-14s %-18s %-18s %6s %12s %6s\n", "kind",
                       "device", "BO", "other BO", "step", "us", "times");
    }
    for (item = violations->violations; item; item = item->next) {
        primegpu_hmp_violation(mon, item->value);
    }
    if (violations->client_races) {
        monitor_printf(mon, "races left to user space: %" PRIu64 "\n",
                       violations->client_races);
    }
    if (violations->races_unchecked) {
        monitor_printf(mon, "jobs not compared with all: %" PRIu64 "\n",
                       violations->races_unchecked);
    }
}

static void primegpu_hmp_faults(Monitor *mon)
{
    g_autoptr(PrimeGPUFaultInfoList) list =
        qmp_query_primegpu_faults(&error_abort);
    PrimeGPUFaultInfoList *item;

    if (!list) {
        return;
    }
    monitor_printf(mon, "\n%-14s %-10s %10s %6s %6s\n", "device", "fault",
                   "comes in", "times", "came");
    for (item = list; item; item = item->next) {
        const PrimeGPUFaultInfo *info = item->value;

        monitor_printf(mon, "%-14s %-10s %10" PRIu32 " %6" PRIu32 " %6" PRIu32
                       "\n", info->device, PrimeGPUFault_str(info->fault),
                       info->at, info->count, info->fired);
    }
}

void hmp_info_primegpu(Monitor *mon, const QDict *qdict)
{
    primegpu_hmp_devices(mon);
    primegpu_hmp_outputs(mon);
    primegpu_hmp_bos(mon);
    primegpu_hmp_sharing(mon);
    primegpu_hmp_violations(mon);
    primegpu_hmp_faults(mon);
}
