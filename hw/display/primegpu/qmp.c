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
