/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu ledger: the history and the violations.
 *
 * Owns two rings of bounded size and the marker that stamps their entries.
 * Serial numbers have no gaps, so a reader knows what it has missed.  It
 * decides nothing: others tell it what happened.
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "qapi/qapi-events-primegpu.h"
#include "ledger-internal.h"

void primegpu_ledger_log_init(PrimeGPULedgerLog *log)
{
    log->next = 1;
    log->offences_next = 1;
    log->events = g_new0(PrimeGPULedgerRecord, PRIMEGPU_LEDGER_EVENTS_SIZE);
    log->offences = g_new0(PrimeGPULedgerOffence,
                           PRIMEGPU_LEDGER_VIOLATIONS_SIZE);
}

void primegpu_ledger_set_marker(uint32_t step)
{
    primegpu_ledger.log.step = step;
}

uint32_t primegpu_ledger_marker(void)
{
    return primegpu_ledger.log.step;
}

char *primegpu_ledger_device_name(uint16_t id)
{
    const char *name = g_hash_table_lookup(primegpu_ledger.names,
                                           GUINT_TO_POINTER(id));

    /* Removed before the machine was saved. */
    return name ? g_strdup(name) : g_strdup_printf("removed-%u", id);
}

static PrimeGPULedgerRecord *primegpu_ledger_log_event(uint64_t serial)
{
    return &primegpu_ledger.log.events[(serial - 1) %
                                       PRIMEGPU_LEDGER_EVENTS_SIZE];
}

static PrimeGPULedgerOffence *primegpu_ledger_log_offence(uint64_t serial)
{
    return &primegpu_ledger.log.offences[(serial - 1) %
                                         PRIMEGPU_LEDGER_VIOLATIONS_SIZE];
}

static PrimeGPULedgerEvent *primegpu_ledger_log_to_event(uint64_t serial)
{
    const PrimeGPULedgerRecord *record = primegpu_ledger_log_event(serial);
    PrimeGPULedgerEvent *event = g_new0(PrimeGPULedgerEvent, 1);

    event->serial = serial;
    event->kind = record->kind;
    event->device = primegpu_ledger_device_name(record->device);
    event->key = record->key;
    event->step = record->step;
    event->ns = record->ns;
    event->has_size = record->has_size;
    event->size = record->size;
    event->has_other = record->has_other;
    event->other = record->other;
    return event;
}

static PrimeGPUViolation *primegpu_ledger_log_to_violation(uint64_t serial)
{
    const PrimeGPULedgerOffence *offence = primegpu_ledger_log_offence(serial);
    PrimeGPUViolation *violation = g_new0(PrimeGPUViolation, 1);

    violation->kind = offence->kind;
    violation->device = primegpu_ledger_device_name(offence->device);
    violation->key = offence->key;
    violation->has_other = offence->other != 0;
    violation->other = offence->other;
    violation->step = offence->step;
    violation->ns = offence->ns;
    violation->count = offence->count;
    return violation;
}

static PrimeGPULedgerRecord *primegpu_ledger_log_add(
    const PrimeGPULedgerDevice *dev, uint64_t key, PrimeGPULedgerEventKind kind)
{
    PrimeGPULedgerLog *log = &primegpu_ledger.log;
    PrimeGPULedgerRecord *record = primegpu_ledger_log_event(log->next++);

    *record = (PrimeGPULedgerRecord) {
        .kind = kind,
        .device = dev->id,
        .key = key,
        .step = log->step,
        .ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL),
    };
    return record;
}

static bool primegpu_ledger_log_has_size(PrimeGPULedgerEventKind kind)
{
    return kind == PRIME_GPU_LEDGER_EVENT_KIND_CREATE ||
           kind == PRIME_GPU_LEDGER_EVENT_KIND_RELEASE ||
           kind == PRIME_GPU_LEDGER_EVENT_KIND_DROP;
}

static PrimeGPULedgerRecord *primegpu_ledger_log_bo(
    const PrimeGPULedgerBO *bo, PrimeGPULedgerEventKind kind)
{
    PrimeGPULedgerRecord *record;

    if (bo->dev->restoring) {
        return NULL;
    }
    record = primegpu_ledger_log_add(bo->dev, bo->key, kind);
    if (primegpu_ledger_log_has_size(kind)) {
        record->has_size = true;
        record->size = bo->size;
    }
    return record;
}

void primegpu_ledger_log(const PrimeGPULedgerBO *bo,
                         PrimeGPULedgerEventKind kind)
{
    PrimeGPULedgerLog *log = &primegpu_ledger.log;

    if (primegpu_ledger_log_bo(bo, kind) && log->send_release &&
        kind == PRIME_GPU_LEDGER_EVENT_KIND_RELEASE) {
        g_autoptr(PrimeGPULedgerEvent) event =
            primegpu_ledger_log_to_event(log->next - 1);

        qapi_event_send_primegpu_release(event);
    }
}

void primegpu_ledger_log_other(const PrimeGPULedgerBO *bo,
                               PrimeGPULedgerEventKind kind, uint64_t other)
{
    PrimeGPULedgerRecord *record = primegpu_ledger_log_bo(bo, kind);

    if (record) {
        record->has_other = true;
        record->other = other;
    }
}

/* The newest offence, if it is the same again in the same step. */
static PrimeGPULedgerOffence *primegpu_ledger_log_repeated(
    const PrimeGPULedgerOffence *offence)
{
    PrimeGPULedgerLog *log = &primegpu_ledger.log;
    PrimeGPULedgerOffence *newest;

    if (log->offences_next == 1) {
        return NULL;
    }
    newest = primegpu_ledger_log_offence(log->offences_next - 1);
    if (newest->kind == offence->kind && newest->device == offence->device &&
        newest->key == offence->key && newest->other == offence->other &&
        newest->step == offence->step) {
        return newest;
    }
    return NULL;
}

void primegpu_ledger_violation(PrimeGPULedgerDevice *dev,
                               PrimeGPUViolationKind kind, uint64_t key,
                               uint64_t other)
{
    PrimeGPULedgerLog *log = &primegpu_ledger.log;
    PrimeGPULedgerRecord *record;
    PrimeGPULedgerOffence offence, *repeated;

    if (dev->restoring) {
        return;
    }
    record = primegpu_ledger_log_add(dev, key,
                                     PRIME_GPU_LEDGER_EVENT_KIND_VIOLATION);
    record->has_other = other != 0;
    record->other = other;
    offence = (PrimeGPULedgerOffence) {
        .kind = kind,
        .device = dev->id,
        .key = key,
        .other = other,
        .step = record->step,
        .ns = record->ns,
        .count = 1,
    };
    log->violations++;
    repeated = primegpu_ledger_log_repeated(&offence);
    if (repeated) {
        repeated->count++;
        return;
    }
    *primegpu_ledger_log_offence(log->offences_next++) = offence;
    if (log->send_violation) {
        g_autoptr(PrimeGPUViolation) violation =
            primegpu_ledger_log_to_violation(log->offences_next - 1);

        qapi_event_send_primegpu_violation(violation);
    }
}

/* Serial of the oldest of the @slots newest entries. */
static uint64_t primegpu_ledger_log_oldest(uint64_t next, uint64_t slots)
{
    return next > slots ? next - slots : 1;
}

PrimeGPULedgerEvents *primegpu_ledger_log_events(uint64_t since, uint32_t max)
{
    PrimeGPULedgerLog *log = &primegpu_ledger.log;
    PrimeGPULedgerEvents *events = g_new0(PrimeGPULedgerEvents, 1);
    PrimeGPULedgerEventList **tail = &events->events;
    uint64_t oldest, serial;

    /* The machine has no primegpu and never had one. */
    events->next = log->events ? log->next : 1;
    oldest = primegpu_ledger_log_oldest(events->next,
                                        PRIMEGPU_LEDGER_EVENTS_SIZE);
    serial = MAX(since, 1);
    events->lost = serial < oldest ? oldest - serial : 0;
    for (serial = MAX(serial, oldest); serial < events->next && max;
         serial++, max--) {
        QAPI_LIST_APPEND(tail, primegpu_ledger_log_to_event(serial));
    }
    return events;
}

PrimeGPUViolations *primegpu_ledger_log_violations(void)
{
    PrimeGPULedgerLog *log = &primegpu_ledger.log;
    PrimeGPUViolations *violations = g_new0(PrimeGPUViolations, 1);
    PrimeGPUViolationList **tail = &violations->violations;
    uint64_t serial;

    violations->total = log->violations;
    for (serial = primegpu_ledger_log_oldest(log->offences_next,
                                             PRIMEGPU_LEDGER_VIOLATIONS_SIZE);
         serial < log->offences_next; serial++) {
        QAPI_LIST_APPEND(tail, primegpu_ledger_log_to_violation(serial));
    }
    return violations;
}
