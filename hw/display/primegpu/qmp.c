/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu: the outside view.
 *
 * Puts together what the ledger and the devices tell, for QMP.  No block of
 * the device calls this.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-primegpu.h"
#include "device.h"
#include "ledger-internal.h"

/* Limits on one answer of query-primegpu-sharing */
#define PRIMEGPU_QMP_PAIRS_MAX  4096
#define PRIMEGPU_QMP_RANGES_MAX (1024 * 1024)

#define PRIMEGPU_QMP_EVENTS_DEFAULT 1024

static PrimeGPULedgerDevice *primegpu_qmp_find(const char *name, Error **errp)
{
    PrimeGPULedgerDevice *dev = primegpu_ledger_find_device(name);

    if (!dev) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND,
                  "no primegpu has the id or QOM path '%s'", name);
    }
    return dev;
}

PrimeGPUInfoList *qmp_query_primegpu(Error **errp)
{
    PrimeGPUInfoList *list = NULL, **tail = &list;
    GSList *item;

    for (item = primegpu_ledger_devices(); item; item = item->next) {
        PrimeGPULedgerDevice *dev = item->data;

        QAPI_LIST_APPEND(tail, primegpu_query_info(dev->opaque));
    }
    return list;
}

PrimeGPUBoList *qmp_query_primegpu_bos(const char *device, Error **errp)
{
    PrimeGPUBoList *list = NULL, **tail = &list;
    PrimeGPULedgerDevice *only = NULL;
    GSList *item;

    if (device) {
        only = primegpu_qmp_find(device, errp);
        if (!only) {
            return NULL;
        }
    }
    for (item = primegpu_ledger_devices(); item; item = item->next) {
        PrimeGPULedgerDevice *dev = item->data;

        if (!only || dev == only) {
            *tail = primegpu_query_bos(dev->opaque);
            while (*tail) {
                tail = &(*tail)->next;
            }
        }
    }
    return list;
}

/* Returns false when there is no room for the pair. */
static bool primegpu_qmp_add_pair(PrimeGPUShareList ***tail,
                                  const PrimeGPULedgerBO *importer,
                                  uint32_t *pairs, uint32_t *ranges)
{
    PrimeGPUShare *share;

    if (!*pairs || !*ranges) {
        return false;
    }
    --*pairs;
    share = g_new0(PrimeGPUShare, 1);
    share->exporter = importer->exporter->key;
    share->importer = importer->key;
    share->bytes = primegpu_ledger_bytes_common(importer, ranges);
    QAPI_LIST_APPEND(*tail, share);
    return true;
}

PrimeGPUSharing *qmp_query_primegpu_sharing(Error **errp)
{
    PrimeGPUSharing *sharing = g_new0(PrimeGPUSharing, 1);
    PrimeGPUShareList **tail = &sharing->pairs;
    uint32_t pairs = PRIMEGPU_QMP_PAIRS_MAX;
    uint32_t ranges = PRIMEGPU_QMP_RANGES_MAX;
    GSList *item;

    for (item = primegpu_ledger_devices(); item; item = item->next) {
        PrimeGPULedgerDevice *dev = item->data;
        const PrimeGPULedgerBO *bo;

        QTAILQ_FOREACH(bo, &dev->bos, next) {
            if (bo->exporter &&
                !primegpu_qmp_add_pair(&tail, bo, &pairs, &ranges)) {
                sharing->capped = true;
                return sharing;
            }
        }
    }
    /* The last pair may have been cut short. */
    sharing->capped = !ranges;
    return sharing;
}

PrimeGPUViolations *qmp_query_primegpu_violations(Error **errp)
{
    return primegpu_ledger_log_violations();
}

PrimeGPULedgerEvents *qmp_query_primegpu_events(bool has_since, uint64_t since,
                                                bool has_max, uint32_t max,
                                                Error **errp)
{
    return primegpu_ledger_log_events(has_since ? since : 1,
                                      has_max ? max
                                              : PRIMEGPU_QMP_EVENTS_DEFAULT);
}

void qmp_primegpu_gate(const char *device, bool closed, Error **errp)
{
    PrimeGPULedgerDevice *dev = primegpu_qmp_find(device, errp);

    if (dev) {
        primegpu_set_gate(dev->opaque, closed);
    }
}

typedef struct PrimeGPUFaultRule {
    bool takes_status;
    bool takes_ns;
    PrimeGPUStatus status;      /* when none is given */
    uint64_t ns;
} PrimeGPUFaultRule;

static const PrimeGPUFaultRule primegpu_qmp_faults[PRIME_GPU_FAULT__MAX] = {
    [PRIME_GPU_FAULT_CREATE] = {
        .takes_status = true,
        .status = PRIME_GPU_STATUS_NO_MEMORY,
    },
    [PRIME_GPU_FAULT_ATTACH] = {
        .takes_status = true,
        .status = PRIME_GPU_STATUS_DMA,
    },
    [PRIME_GPU_FAULT_JOB] = {
        .takes_status = true,
        .status = PRIME_GPU_STATUS_DMA,
    },
    [PRIME_GPU_FAULT_DELAY] = {
        .takes_ns = true,
        .ns = NANOSECONDS_PER_SECOND / 10,
    },
};

static bool primegpu_qmp_check_fault(const PrimeGPUInjection *injection,
                                     bool has_status, bool has_ns,
                                     Error **errp)
{
    const PrimeGPUFaultRule *rule = &primegpu_qmp_faults[injection->fault];
    const char *name = PrimeGPUFault_str(injection->fault);

    if ((has_status && !rule->takes_status) || (has_ns && !rule->takes_ns)) {
        error_setg(errp, "fault '%s' takes no '%s'", name,
                   has_status && !rule->takes_status ? "status" : "ns");
        return false;
    }
    if (has_status && injection->status <= PRIME_GPU_STATUS_OK) {
        error_setg(errp, "'status' must be an error");
        return false;
    }
    if (injection->ns > PRIMEGPU_INJECT_NS_LIMIT) {
        error_setg(errp, "'ns' must be at most %" PRIu64 " (a minute)",
                   (uint64_t)PRIMEGPU_INJECT_NS_LIMIT);
        return false;
    }
    return true;
}

void qmp_primegpu_inject(const char *device, PrimeGPUFault fault, bool has_at,
                         uint32_t at, bool has_count, uint32_t count,
                         bool has_status, PrimeGPUStatus status, bool has_ns,
                         uint64_t ns, bool has_keep, bool keep, Error **errp)
{
    const PrimeGPUFaultRule *rule = &primegpu_qmp_faults[fault];
    PrimeGPULedgerDevice *dev = primegpu_qmp_find(device, errp);
    PrimeGPUInjection injection = {
        .fault = fault,
        .keep = has_keep && keep,
        .wait = has_at ? at - 1 : 0,
        .count = has_count ? count : 1,
        .status = has_status ? status : rule->status,
        .ns = has_ns ? ns : rule->ns,
    };

    if (!dev) {
        return;
    }
    if ((has_at && !at) || !injection.count) {
        error_setg(errp, "'at' and 'count' must not be 0");
        return;
    }
    if (primegpu_qmp_check_fault(&injection, has_status, has_ns, errp) &&
        !primegpu_inject_arm(dev->opaque, &injection)) {
        error_setg(errp, "%u faults of '%s' are armed already",
                   PRIMEGPU_INJECT_MAX, device);
    }
}

void qmp_primegpu_inject_clear(const char *device, Error **errp)
{
    PrimeGPULedgerDevice *only = NULL;
    GSList *item;

    if (device) {
        only = primegpu_qmp_find(device, errp);
        if (!only) {
            return;
        }
    }
    for (item = primegpu_ledger_devices(); item; item = item->next) {
        PrimeGPULedgerDevice *dev = item->data;

        if (!only || dev == only) {
            primegpu_inject_clear(dev->opaque);
        }
    }
}

PrimeGPUFaultInfoList *qmp_query_primegpu_faults(Error **errp)
{
    PrimeGPUFaultInfoList *list = NULL, **tail = &list;
    GSList *item;

    for (item = primegpu_ledger_devices(); item; item = item->next) {
        PrimeGPULedgerDevice *dev = item->data;

        *tail = primegpu_query_faults(dev->opaque);
        while (*tail) {
            tail = &(*tail)->next;
        }
    }
    return list;
}

static bool primegpu_qmp_in_range(const char *name, bool has, uint32_t value,
                                  uint32_t min, uint32_t max, Error **errp)
{
    if (has && (value < min || value > max)) {
        error_setg(errp, "'%s' must be between %" PRIu32 " and %" PRIu32, name,
                   min, max);
        return false;
    }
    return true;
}

void qmp_primegpu_set_output(const char *device, uint32_t output,
                             bool connected, bool has_width, uint32_t width,
                             bool has_height, uint32_t height,
                             bool has_refresh_rate, uint32_t refresh_rate,
                             Error **errp)
{
    PrimeGPULedgerDevice *dev = primegpu_qmp_find(device, errp);
    PrimeGPUOutput *o;

    if (!dev) {
        return;
    }
    o = primegpu_output_find(dev->opaque, output);
    if (!o) {
        error_setg(errp, "'%s' has no output %" PRIu32, device, output);
        return;
    }
    if (primegpu_qmp_in_range("width", has_width, width, 1,
                              PRIMEGPU_MODE_SIZE_MAX, errp) &&
        primegpu_qmp_in_range("height", has_height, height, 1,
                              PRIMEGPU_MODE_SIZE_MAX, errp) &&
        primegpu_qmp_in_range("refresh-rate", has_refresh_rate, refresh_rate,
                              PRIMEGPU_REFRESH_RATE_MIN,
                              PRIMEGPU_REFRESH_RATE_MAX, errp)) {
        primegpu_output_set_display(o, connected, width, height,
                                    refresh_rate);
    }
}

void qmp_primegpu_set_events(bool has_release, bool release,
                             bool has_violation, bool violation, Error **errp)
{
    PrimeGPULedgerLog *log = &primegpu_ledger.log;

    if (has_release) {
        log->send_release = release;
    }
    if (has_violation) {
        log->send_violation = violation;
    }
}
