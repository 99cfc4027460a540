/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu: the QMP commands in a QEMU without the devices.  Queries answer
 * as in a machine that has none.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-primegpu.h"

static void primegpu_stub_error(Error **errp)
{
    error_setg(errp, "this QEMU was built without the primegpu devices");
}

PrimeGPUInfoList *qmp_query_primegpu(Error **errp)
{
    return NULL;
}

PrimeGPUBoList *qmp_query_primegpu_bos(const char *device, Error **errp)
{
    if (device) {
        primegpu_stub_error(errp);
    }
    return NULL;
}

PrimeGPUSharing *qmp_query_primegpu_sharing(Error **errp)
{
    return g_new0(PrimeGPUSharing, 1);
}

PrimeGPUViolations *qmp_query_primegpu_violations(Error **errp)
{
    return g_new0(PrimeGPUViolations, 1);
}

PrimeGPULedgerEvents *qmp_query_primegpu_events(bool has_since, uint64_t since,
                                                bool has_max, uint32_t max,
                                                Error **errp)
{
    PrimeGPULedgerEvents *events = g_new0(PrimeGPULedgerEvents, 1);

    events->next = 1;
    return events;
}

void qmp_primegpu_gate(const char *device, bool closed, Error **errp)
{
    primegpu_stub_error(errp);
}

void qmp_primegpu_inject(const char *device, PrimeGPUFault fault, bool has_at,
                         uint32_t at, bool has_count, uint32_t count,
                         bool has_status, PrimeGPUStatus status, bool has_ns,
                         uint64_t ns, bool has_keep, bool keep, Error **errp)
{
    primegpu_stub_error(errp);
}

void qmp_primegpu_inject_clear(const char *device, Error **errp)
{
    if (device) {
        primegpu_stub_error(errp);
    }
}

PrimeGPUFaultInfoList *qmp_query_primegpu_faults(Error **errp)
{
    return NULL;
}

void qmp_primegpu_set_output(const char *device, uint32_t output,
                             bool connected, bool has_width, uint32_t width,
                             bool has_height, uint32_t height,
                             bool has_refresh_rate, uint32_t refresh_rate,
                             Error **errp)
{
    primegpu_stub_error(errp);
}

void qmp_primegpu_set_events(bool has_release, bool release,
                             bool has_violation, bool violation, Error **errp)
{
    primegpu_stub_error(errp);
}
