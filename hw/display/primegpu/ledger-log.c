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
#include "hw/display/primegpu/primegpu_abi.h"
#include "ledger-internal.h"

void primegpu_ledger_log_init(PrimeGPULedgerLog *log)
{
    log->next = 1;
    log->offences_next = 1;
    log->events = g_new0(PrimeGPULedgerRecord, PRIMEGPU_LEDGER_EVENTS_SIZE);
    log->offences = g_new0(PrimeGPULedgerOffence,
                           PRIMEGPU_LEDGER_VIOLATIONS_SIZE);
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

static void primegpu_ledger_log_add_detail(PrimeGPULedgerEvent *event,
                                           const PrimeGPULedgerRecord *record)
{
    switch (record->kind) {
    case PRIME_GPU_LEDGER_EVENT_KIND_COMPLETE:
        event->has_status = true;
        event->status = record->detail;
        break;
    case PRIME_GPU_LEDGER_EVENT_KIND_VIOLATION:
        event->has_violation = true;
        event->violation = record->detail;
        break;
    case PRIME_GPU_LEDGER_EVENT_KIND_FAULT:
        event->has_fault = true;
        event->fault = record->detail;
        break;
    default:
        break;
    }
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
    event->has_size = record->has & PRIMEGPU_LEDGER_HAS_SIZE;
    event->size = record->size;
    event->has_other = record->has & PRIMEGPU_LEDGER_HAS_OTHER;
    event->other = record->other;
    event->has_seqno = record->has & PRIMEGPU_LEDGER_HAS_SEQNO;
    event->seqno = record->seqno;
    event->has_other_seqno = record->has & PRIMEGPU_LEDGER_HAS_OTHER_SEQNO;
    event->other_seqno = record->size;
    event->has_start_ns = record->has & PRIMEGPU_LEDGER_HAS_START;
    event->start_ns = record->size;
    primegpu_ledger_log_add_detail(event, record);
    return event;
}

bool primegpu_ledger_log_is_valid(const PrimeGPULedgerRecord *record)
{
    switch (record->kind) {
    case PRIME_GPU_LEDGER_EVENT_KIND_COMPLETE:
        return record->detail < PRIME_GPU_STATUS__MAX;
    case PRIME_GPU_LEDGER_EVENT_KIND_VIOLATION:
        return record->detail < PRIME_GPU_VIOLATION_KIND__MAX;
    case PRIME_GPU_LEDGER_EVENT_KIND_FAULT:
        return record->detail < PRIME_GPU_FAULT__MAX;
    default:
        return record->kind < PRIME_GPU_LEDGER_EVENT_KIND__MAX;
    }
}

static uint16_t primegpu_ledger_log_device_of(uint64_t key)
{
    return key / (PRIMEGPU_KEY_SERIAL + 1);
}

static PrimeGPUViolation *primegpu_ledger_log_to_violation(uint64_t serial)
{
    const PrimeGPULedgerOffence *offence = primegpu_ledger_log_offence(serial);
    PrimeGPUViolation *violation = g_new0(PrimeGPUViolation, 1);
    bool race = offence->kind == PRIME_GPU_VIOLATION_KIND_RACE ||
                offence->kind == PRIME_GPU_VIOLATION_KIND_SCANOUT_RACE;

    violation->kind = offence->kind;
    violation->device = primegpu_ledger_device_name(offence->device);
    violation->key = offence->key;
    violation->has_other = offence->other != 0;
    violation->other = offence->other;
    if (offence->other) {
        violation->other_device = primegpu_ledger_device_name(
            primegpu_ledger_log_device_of(offence->other));
    }
    violation->has_seqno = race;
    violation->seqno = offence->seqno;
    violation->has_other_seqno = race;
    violation->other_seqno = offence->other_seqno;
    violation->has_offset = race;
    violation->offset = offence->offset;
    violation->serial = offence->serial;
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

static void primegpu_ledger_log_set_other(PrimeGPULedgerRecord *record,
                                          uint64_t other)
{
    record->has |= PRIMEGPU_LEDGER_HAS_OTHER;
    record->other = other;
}

static void primegpu_ledger_log_set_seqno(PrimeGPULedgerRecord *record,
                                          uint64_t seqno)
{
    record->has |= PRIMEGPU_LEDGER_HAS_SEQNO;
    record->seqno = seqno;
}

/* The field that an event has besides; there is one at the most. */
static void primegpu_ledger_log_set_size(PrimeGPULedgerRecord *record,
                                         uint8_t has, uint64_t size)
{
    record->has |= has;
    record->size = size;
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
        primegpu_ledger_log_set_size(record, PRIMEGPU_LEDGER_HAS_SIZE,
                                     bo->size);
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
        primegpu_ledger_log_set_other(record, other);
    }
}

void primegpu_ledger_event(PrimeGPULedgerDevice *dev,
                           PrimeGPULedgerEventKind kind)
{
    if (!dev->restoring) {
        primegpu_ledger_log_add(dev, 0, kind);
    }
}

void primegpu_ledger_set_marker(PrimeGPULedgerDevice *dev, uint32_t step)
{
    PrimeGPULedgerLog *log = &primegpu_ledger.log;
    PrimeGPULedgerRecord *record;

    if (step == log->step) {
        return;
    }
    log->step = step;
    record = primegpu_ledger_log_add(dev, 0,
                                     PRIME_GPU_LEDGER_EVENT_KIND_MARKER);
    primegpu_ledger_log_set_other(record, step);
}

void primegpu_ledger_fault(PrimeGPULedgerDevice *dev, PrimeGPUFault fault,
                           uint64_t key, uint64_t seqno)
{
    PrimeGPULedgerRecord *record;

    record = primegpu_ledger_log_add(dev, key,
                                     PRIME_GPU_LEDGER_EVENT_KIND_FAULT);
    record->detail = fault;
    if (seqno) {
        primegpu_ledger_log_set_seqno(record, seqno);
    }
}

static PrimeGPULedgerRecord *primegpu_ledger_log_job(
    const PrimeGPULedgerDevice *dev, uint64_t key, PrimeGPULedgerEventKind kind,
    uint64_t seqno)
{
    PrimeGPULedgerRecord *record = primegpu_ledger_log_add(dev, key, kind);

    primegpu_ledger_log_set_other(record, seqno);
    primegpu_ledger_log_set_seqno(record, seqno);
    return record;
}

void primegpu_ledger_submit(PrimeGPULedgerDevice *dev, uint64_t key,
                            uint64_t seqno)
{
    if (!dev->restoring) {
        primegpu_ledger_log_job(dev, key, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT,
                                seqno);
    }
}

void primegpu_ledger_complete(PrimeGPULedgerDevice *dev, uint64_t key,
                              uint64_t seqno, int64_t start_ns,
                              uint32_t status)
{
    PrimeGPULedgerRecord *record;

    if (dev->restoring) {
        return;
    }
    record = primegpu_ledger_log_job(dev, key,
                                     PRIME_GPU_LEDGER_EVENT_KIND_COMPLETE,
                                     seqno);
    record->detail = status;
    primegpu_ledger_log_set_size(record, PRIMEGPU_LEDGER_HAS_START, start_ns);
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

/* The newest event, @record, tells of the offence already. */
static void primegpu_ledger_log_add_offence(const PrimeGPULedgerRecord *record,
                                            PrimeGPULedgerOffence offence)
{
    PrimeGPULedgerLog *log = &primegpu_ledger.log;
    PrimeGPULedgerOffence *repeated;

    offence.device = record->device;
    offence.step = record->step;
    offence.ns = record->ns;
    offence.serial = log->next - 1;
    offence.count = 1;
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

void primegpu_ledger_violation(PrimeGPULedgerDevice *dev,
                               PrimeGPUViolationKind kind, uint64_t key,
                               uint64_t other)
{
    PrimeGPULedgerRecord *record;

    if (dev->restoring) {
        return;
    }
    record = primegpu_ledger_log_add(dev, key,
                                     PRIME_GPU_LEDGER_EVENT_KIND_VIOLATION);
    record->detail = kind;
    if (other) {
        primegpu_ledger_log_set_other(record, other);
    }
    primegpu_ledger_log_add_offence(record, (PrimeGPULedgerOffence) {
        .kind = kind,
        .key = key,
        .other = other,
    });
}

void primegpu_ledger_race(PrimeGPULedgerDevice *dev,
                          const PrimeGPULedgerRace *race)
{
    PrimeGPULedgerRecord *record;

    record = primegpu_ledger_log_add(
        dev, race->key, race->client ? PRIME_GPU_LEDGER_EVENT_KIND_CLIENT_RACE
                                     : PRIME_GPU_LEDGER_EVENT_KIND_VIOLATION);
    primegpu_ledger_log_set_other(record, race->other);
    primegpu_ledger_log_set_seqno(record, race->seqno);
    primegpu_ledger_log_set_size(record, PRIMEGPU_LEDGER_HAS_OTHER_SEQNO,
                                 race->other_seqno);
    if (race->client) {
        primegpu_ledger.log.client_races++;
        return;
    }
    record->detail = race->scanout ? PRIME_GPU_VIOLATION_KIND_SCANOUT_RACE
                                   : PRIME_GPU_VIOLATION_KIND_RACE;
    primegpu_ledger_log_add_offence(record, (PrimeGPULedgerOffence) {
        .kind = record->detail,
        .key = race->key,
        .other = race->other,
        .seqno = race->seqno,
        .other_seqno = race->other_seqno,
        .offset = race->offset,
    });
}

void primegpu_ledger_race_unchecked(void)
{
    primegpu_ledger.log.races_unchecked++;
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
    violations->client_races = log->client_races;
    violations->races_unchecked = log->races_unchecked;
    for (serial = primegpu_ledger_log_oldest(log->offences_next,
                                             PRIMEGPU_LEDGER_VIOLATIONS_SIZE);
         serial < log->offences_next; serial++) {
        QAPI_LIST_APPEND(tail, primegpu_ledger_log_to_violation(serial));
    }
    return violations;
}
