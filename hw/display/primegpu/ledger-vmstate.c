/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu ledger: saved state.
 *
 * The marker, the history, the violations and the ids already used belong to
 * the machine and not to one device, so they are a section of their own, which
 * is there while the machine has a primegpu.  It is loaded before any device.
 * BO records are not in it: each device restores its own.
 */
#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "ledger-internal.h"

static bool primegpu_ledger_vmstate_events_fit(void *opaque, int version_id)
{
    PrimeGPULedger *ledger = opaque;

    return ledger->next_id && ledger->next_id <= UINT16_MAX + 1u &&
           ledger->log.next &&
           ledger->log.event_slots == MIN(ledger->log.next - 1,
                                          PRIMEGPU_LEDGER_EVENTS_SIZE);
}

static bool primegpu_ledger_vmstate_offences_fit(void *opaque, int version_id)
{
    PrimeGPULedger *ledger = opaque;

    return ledger->log.offences_next &&
           ledger->log.offence_slots == MIN(ledger->log.offences_next - 1,
                                            PRIMEGPU_LEDGER_VIOLATIONS_SIZE);
}

static int primegpu_ledger_vmstate_pre_save(void *opaque)
{
    PrimeGPULedger *ledger = opaque;
    PrimeGPULedgerLog *log = &ledger->log;

    log->event_slots = MIN(log->next - 1, PRIMEGPU_LEDGER_EVENTS_SIZE);
    log->offence_slots = MIN(log->offences_next - 1,
                             PRIMEGPU_LEDGER_VIOLATIONS_SIZE);
    return 0;
}

static int primegpu_ledger_vmstate_pre_load(void *opaque)
{
    PrimeGPULedger *ledger = opaque;
    GSList *item;

    for (item = ledger->devices; item; item = item->next) {
        PrimeGPULedgerDevice *dev = item->data;

        dev->id_loaded = false;
    }
    return 0;
}

static int primegpu_ledger_vmstate_post_load(void *opaque, int version_id)
{
    PrimeGPULedger *ledger = opaque;
    PrimeGPULedgerLog *log = &ledger->log;
    GSList *last = g_slist_last(ledger->devices);
    uint32_t i;

    for (i = 0; i < log->event_slots; i++) {
        if (!primegpu_ledger_log_is_valid(&log->events[i])) {
            return -EINVAL;
        }
    }
    for (i = 0; i < log->offence_slots; i++) {
        if (log->offences[i].kind >= PRIME_GPU_VIOLATION_KIND__MAX) {
            return -EINVAL;
        }
    }
    if (last) {
        const PrimeGPULedgerDevice *dev = last->data;

        ledger->next_id = MAX(ledger->next_id, dev->id + 1u);
    }
    return 0;
}

static const VMStateDescription vmstate_primegpu_ledger_record = {
    .name = "primegpu-ledger/event",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(kind, PrimeGPULedgerRecord),
        VMSTATE_UINT8(has, PrimeGPULedgerRecord),
        VMSTATE_UINT8(detail, PrimeGPULedgerRecord),
        VMSTATE_UINT16(device, PrimeGPULedgerRecord),
        VMSTATE_UINT32(step, PrimeGPULedgerRecord),
        VMSTATE_INT64(ns, PrimeGPULedgerRecord),
        VMSTATE_UINT64(key, PrimeGPULedgerRecord),
        VMSTATE_UINT64(size, PrimeGPULedgerRecord),
        VMSTATE_UINT64(other, PrimeGPULedgerRecord),
        VMSTATE_UINT64(seqno, PrimeGPULedgerRecord),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_primegpu_ledger_offence = {
    .name = "primegpu-ledger/violation",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(kind, PrimeGPULedgerOffence),
        VMSTATE_UINT16(device, PrimeGPULedgerOffence),
        VMSTATE_UINT32(step, PrimeGPULedgerOffence),
        VMSTATE_INT64(ns, PrimeGPULedgerOffence),
        VMSTATE_UINT64(key, PrimeGPULedgerOffence),
        VMSTATE_UINT64(other, PrimeGPULedgerOffence),
        VMSTATE_UINT64(seqno, PrimeGPULedgerOffence),
        VMSTATE_UINT64(other_seqno, PrimeGPULedgerOffence),
        VMSTATE_UINT64(offset, PrimeGPULedgerOffence),
        VMSTATE_UINT64(serial, PrimeGPULedgerOffence),
        VMSTATE_UINT64(count, PrimeGPULedgerOffence),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_primegpu_ledger = {
    .name = "primegpu-ledger",
    .version_id = 1,
    .minimum_version_id = 1,
    .priority = MIG_PRI_PCI_BUS,
    .pre_save = primegpu_ledger_vmstate_pre_save,
    .pre_load = primegpu_ledger_vmstate_pre_load,
    .post_load = primegpu_ledger_vmstate_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(next_id, PrimeGPULedger),
        VMSTATE_UINT32(log.step, PrimeGPULedger),
        VMSTATE_UINT64(log.next, PrimeGPULedger),
        VMSTATE_UINT32(log.event_slots, PrimeGPULedger),
        VMSTATE_VALIDATE("number of events",
                         primegpu_ledger_vmstate_events_fit),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(log.events, PrimeGPULedger,
                                             log.event_slots,
                                             vmstate_primegpu_ledger_record,
                                             PrimeGPULedgerRecord),
        VMSTATE_UINT64(log.violations, PrimeGPULedger),
        VMSTATE_UINT64(log.client_races, PrimeGPULedger),
        VMSTATE_UINT64(log.races_unchecked, PrimeGPULedger),
        VMSTATE_UINT64(log.offences_next, PrimeGPULedger),
        VMSTATE_UINT32(log.offence_slots, PrimeGPULedger),
        VMSTATE_VALIDATE("number of violations",
                         primegpu_ledger_vmstate_offences_fit),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(log.offences, PrimeGPULedger,
                                             log.offence_slots,
                                             vmstate_primegpu_ledger_offence,
                                             PrimeGPULedgerOffence),
        VMSTATE_END_OF_LIST()
    }
};

void primegpu_ledger_vmstate_register(void)
{
    vmstate_register(NULL, 0, &vmstate_primegpu_ledger, &primegpu_ledger);
}

void primegpu_ledger_vmstate_unregister(void)
{
    vmstate_unregister(NULL, &vmstate_primegpu_ledger, &primegpu_ledger);
}
