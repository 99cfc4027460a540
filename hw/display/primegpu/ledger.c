/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu ledger: devices and BO records.
 *
 * Owns one record for each BO of the machine and the links from an import to
 * its exporter.  It never changes what a device does, and never touches the
 * guest's memory.  One for the machine; guarded by the BQL.
 */
#include "qemu/osdep.h"
#include "qemu/xxhash.h"
#include "qapi/error.h"
#include "ledger-internal.h"

PrimeGPULedger primegpu_ledger;

static guint primegpu_ledger_key_hash(gconstpointer key)
{
    return qemu_xxhash2(*(const uint64_t *)key);
}

static void primegpu_ledger_init(PrimeGPULedger *ledger)
{
    if (ledger->bos) {
        return;
    }
    ledger->next_id = 1;
    ledger->names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    ledger->bos = g_hash_table_new(primegpu_ledger_key_hash, g_int64_equal);
    QLIST_INIT(&ledger->unlinked);
    primegpu_ledger_bytes_init(ledger);
    primegpu_ledger_log_init(&ledger->log);
}

static gint primegpu_ledger_device_compare(gconstpointer a, gconstpointer b)
{
    const PrimeGPULedgerDevice *da = a;
    const PrimeGPULedgerDevice *db = b;

    return (int)da->id - (int)db->id;
}

static void primegpu_ledger_enlist(PrimeGPULedgerDevice *dev, uint16_t id)
{
    PrimeGPULedger *ledger = &primegpu_ledger;

    dev->id = id;
    g_hash_table_replace(ledger->names, GUINT_TO_POINTER(id),
                         g_strdup(dev->name));
    ledger->devices = g_slist_insert_sorted(ledger->devices, dev,
                                            primegpu_ledger_device_compare);
}

bool primegpu_ledger_add_device(PrimeGPULedgerDevice *dev, Error **errp)
{
    PrimeGPULedger *ledger = &primegpu_ledger;

    primegpu_ledger_init(ledger);
    if (ledger->next_id > UINT16_MAX) {
        error_setg(errp, "no more than %u primegpu devices can be added to "
                   "one machine, removed ones included", UINT16_MAX);
        return false;
    }
    QTAILQ_INIT(&dev->bos);
    dev->foreign = 0;
    dev->id_loaded = false;
    dev->restoring = false;
    if (!ledger->devices) {
        primegpu_ledger_vmstate_register();
    }
    primegpu_ledger_enlist(dev, ledger->next_id++);
    return true;
}

static bool primegpu_ledger_is_foreign(const PrimeGPULedgerBO *bo)
{
    return bo->imported && !bo->exporter_key;
}

/* Take the record out of everything but the history. */
static void primegpu_ledger_forget(PrimeGPULedgerBO *bo)
{
    PrimeGPULedgerBO *import, *tmp;

    primegpu_ledger_bytes_put_pages(bo);
    primegpu_ledger_bytes_put(&bo->vram);
    QLIST_FOREACH_SAFE(import, &bo->imports, import_next, tmp) {
        QLIST_REMOVE(import, import_next);
        import->exporter = NULL;
    }
    if (bo->exporter) {
        bo->exporter->peers -= bo->exporter->dev != bo->dev;
    }
    if (primegpu_ledger_is_foreign(bo)) {
        bo->dev->foreign--;
        primegpu_ledger.foreign--;
    }
    /* Linked to its exporter, or waiting for it. */
    QLIST_SAFE_REMOVE(bo, import_next);
    QTAILQ_REMOVE(&bo->dev->bos, bo, next);
    g_hash_table_remove(primegpu_ledger.bos, &bo->key);
    g_free(bo);
}

static void primegpu_ledger_forget_all(PrimeGPULedgerDevice *dev)
{
    PrimeGPULedgerBO *bo, *tmp, *import, *tmp_import;

    QTAILQ_FOREACH_SAFE(bo, &dev->bos, next, tmp) {
        /* The importers' devices may be restored already: link them again. */
        QLIST_FOREACH_SAFE(import, &bo->imports, import_next, tmp_import) {
            QLIST_REMOVE(import, import_next);
            import->exporter = NULL;
            QLIST_INSERT_HEAD(&primegpu_ledger.unlinked, import, import_next);
        }
        primegpu_ledger_forget(bo);
    }
}

void primegpu_ledger_remove_device(PrimeGPULedgerDevice *dev)
{
    PrimeGPULedger *ledger = &primegpu_ledger;
    PrimeGPULedgerBO *bo, *tmp;

    QTAILQ_FOREACH_SAFE(bo, &dev->bos, next, tmp) {
        if (bo->attached || bo->vram.region) {
            primegpu_ledger_violation(dev, PRIME_GPU_VIOLATION_KIND_LEFT_BEHIND,
                                      bo->key, 0);
        }
        primegpu_ledger_drop(dev, bo->key);
    }
    ledger->devices = g_slist_remove(ledger->devices, dev);
    if (!ledger->devices) {
        primegpu_ledger_vmstate_unregister();
    }
}

bool primegpu_ledger_set_device_id(PrimeGPULedgerDevice *dev, uint16_t id)
{
    PrimeGPULedger *ledger = &primegpu_ledger;
    uint16_t old_id = dev->id;
    PrimeGPULedgerDevice *other = NULL;
    GSList *item;

    if (!id) {
        return false;
    }
    for (item = ledger->devices; item; item = item->next) {
        PrimeGPULedgerDevice *candidate = item->data;

        if (candidate != dev && candidate->id == id) {
            other = candidate;
        }
    }
    if (other && other->id_loaded) {
        return false;
    }
    primegpu_ledger_forget_all(dev);
    ledger->devices = g_slist_remove(ledger->devices, dev);
    if (other) {
        primegpu_ledger_forget_all(other);
        ledger->devices = g_slist_remove(ledger->devices, other);
        primegpu_ledger_enlist(other, old_id);
    }
    primegpu_ledger_enlist(dev, id);
    dev->id_loaded = true;
    ledger->next_id = MAX(ledger->next_id, id + 1u);
    return true;
}

PrimeGPULedgerDevice *primegpu_ledger_find_device(const char *name)
{
    GSList *item;

    for (item = primegpu_ledger.devices; item; item = item->next) {
        PrimeGPULedgerDevice *dev = item->data;

        if (g_str_equal(dev->name, name)) {
            return dev;
        }
    }
    return NULL;
}

GSList *primegpu_ledger_devices(void)
{
    return primegpu_ledger.devices;
}

PrimeGPULedgerBO *primegpu_ledger_find_bo(uint64_t key)
{
    return primegpu_ledger.bos ? g_hash_table_lookup(primegpu_ledger.bos, &key)
                               : NULL;
}

/* The BO if it belongs to @dev. */
static PrimeGPULedgerBO *primegpu_ledger_own_bo(PrimeGPULedgerDevice *dev,
                                                uint64_t key)
{
    PrimeGPULedgerBO *bo = primegpu_ledger_find_bo(key);

    return bo && bo->dev == dev ? bo : NULL;
}

static bool primegpu_ledger_can_export(const PrimeGPULedgerBO *exporter,
                                       uint64_t size)
{
    return exporter && !exporter->imported && exporter->size == size;
}

static void primegpu_ledger_link(PrimeGPULedgerBO *bo,
                                 PrimeGPULedgerBO *exporter)
{
    bo->exporter = exporter;
    exporter->peers += exporter->dev != bo->dev;
    QLIST_INSERT_HEAD(&exporter->imports, bo, import_next);
}

static void primegpu_ledger_add_bo(PrimeGPULedgerDevice *dev, uint64_t key,
                                   uint64_t size, bool imported,
                                   uint64_t exporter, PrimeGPULedgerBO *from)
{
    PrimeGPULedgerBO *bo = g_new0(PrimeGPULedgerBO, 1);

    bo->dev = dev;
    bo->key = key;
    bo->size = size;
    bo->imported = imported;
    bo->exporter_key = exporter;
    bo->root = imported ? exporter : key;
    QLIST_INIT(&bo->imports);
    QTAILQ_INIT(&bo->pages);
    if (from) {
        primegpu_ledger_link(bo, from);
    } else if (exporter) {
        QLIST_INSERT_HEAD(&primegpu_ledger.unlinked, bo, import_next);
    }
    if (primegpu_ledger_is_foreign(bo)) {
        dev->foreign++;
        primegpu_ledger.foreign++;
    }
    QTAILQ_INSERT_TAIL(&dev->bos, bo, next);
    g_hash_table_insert(primegpu_ledger.bos, &bo->key, bo);
    if (exporter) {
        primegpu_ledger_log_other(bo, PRIME_GPU_LEDGER_EVENT_KIND_CREATE,
                                  exporter);
    } else {
        primegpu_ledger_log(bo, PRIME_GPU_LEDGER_EVENT_KIND_CREATE);
    }
}

bool primegpu_ledger_create(PrimeGPULedgerDevice *dev, uint64_t key,
                            uint64_t size, bool imported, uint64_t exporter)
{
    PrimeGPULedgerBO *from = NULL;

    if (exporter) {
        from = primegpu_ledger_find_bo(exporter);
        if (!primegpu_ledger_can_export(from, size)) {
            return false;
        }
    }
    if (primegpu_ledger_find_bo(key)) {
        return false;
    }
    primegpu_ledger_add_bo(dev, key, size, imported, exporter, from);
    return true;
}

void primegpu_ledger_restore_begin(PrimeGPULedgerDevice *dev)
{
    primegpu_ledger_forget_all(dev);
    dev->restoring = true;
}

bool primegpu_ledger_restore(PrimeGPULedgerDevice *dev, uint64_t key,
                             uint64_t size, bool imported, uint64_t exporter)
{
    if (primegpu_ledger_find_bo(key)) {
        return false;
    }
    primegpu_ledger_add_bo(dev, key, size, imported, exporter, NULL);
    return true;
}

void primegpu_ledger_restore_end(PrimeGPULedgerDevice *dev)
{
    PrimeGPULedgerBO *bo, *tmp;

    dev->restoring = false;
    QLIST_FOREACH_SAFE(bo, &primegpu_ledger.unlinked, import_next, tmp) {
        PrimeGPULedgerBO *from = primegpu_ledger_find_bo(bo->exporter_key);

        QLIST_REMOVE(bo, import_next);
        if (primegpu_ledger_can_export(from, bo->size)) {
            primegpu_ledger_link(bo, from);
        }
    }
}

void primegpu_ledger_open(PrimeGPULedgerDevice *dev, uint64_t key,
                          uint32_t client)
{
    PrimeGPULedgerBO *bo = primegpu_ledger_own_bo(dev, key);

    if (bo) {
        primegpu_ledger_log_other(bo, PRIME_GPU_LEDGER_EVENT_KIND_OPEN, client);
    }
}

void primegpu_ledger_close(PrimeGPULedgerDevice *dev, uint64_t key,
                           uint32_t client)
{
    PrimeGPULedgerBO *bo = primegpu_ledger_own_bo(dev, key);

    if (bo) {
        primegpu_ledger_log_other(bo, PRIME_GPU_LEDGER_EVENT_KIND_CLOSE,
                                  client);
    }
}

void primegpu_ledger_release(PrimeGPULedgerDevice *dev, uint64_t key)
{
    PrimeGPULedgerBO *bo = primegpu_ledger_own_bo(dev, key);
    PrimeGPULedgerBO *import;

    if (!bo) {
        return;
    }
    QLIST_FOREACH(import, &bo->imports, import_next) {
        primegpu_ledger_violation(dev, PRIME_GPU_VIOLATION_KIND_EXPORTER_GONE,
                                  key, import->key);
    }
    primegpu_ledger_log(bo, PRIME_GPU_LEDGER_EVENT_KIND_RELEASE);
    primegpu_ledger_forget(bo);
}

void primegpu_ledger_drop(PrimeGPULedgerDevice *dev, uint64_t key)
{
    PrimeGPULedgerBO *bo = primegpu_ledger_own_bo(dev, key);

    if (bo) {
        primegpu_ledger_log(bo, PRIME_GPU_LEDGER_EVENT_KIND_DROP);
        primegpu_ledger_forget(bo);
    }
}

bool primegpu_ledger_is_shared(PrimeGPULedgerDevice *dev, uint64_t key)
{
    PrimeGPULedgerBO *bo = primegpu_ledger_own_bo(dev, key);

    if (!bo) {
        return false;
    }
    if (primegpu_ledger_is_foreign(bo)) {
        return primegpu_ledger.foreign > dev->foreign;
    }
    return bo->imported || bo->peers;
}
