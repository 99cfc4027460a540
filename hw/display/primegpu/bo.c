/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu buffer objects
 *
 * Owns the table of BOs.  It is a tree by key, so that a command costs the
 * same with a hundred thousand BOs alive, and so that it can be migrated.  It
 * never touches the bytes of a BO.  Everything that changes here is told to
 * the ledger.
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "device.h"
#include "trace.h"

/* Keys are kept in the pointers of the tree. */
QEMU_BUILD_BUG_ON(sizeof(uintptr_t) < sizeof(uint64_t));

static gpointer primegpu_bo_tree_key(uint64_t key)
{
    return (gpointer)(uintptr_t)key;
}

static gint primegpu_bo_compare(gconstpointer a, gconstpointer b,
                                gpointer opaque)
{
    uintptr_t ka = (uintptr_t)a;
    uintptr_t kb = (uintptr_t)b;

    return (ka > kb) - (ka < kb);
}

static void primegpu_bo_free(gpointer opaque)
{
    PrimeGPUBuffer *bo = opaque;

    /* Outputs let go of theirs first. */
    g_assert(!bo->shown);
    g_free(bo->segments);
    g_free(bo->clients);
    g_free(bo);
}

void primegpu_bo_init(PrimeGPUState *s)
{
    s->bos.tree = g_tree_new_full(primegpu_bo_compare, NULL, NULL,
                                  primegpu_bo_free);
}

void primegpu_bo_finalize(PrimeGPUState *s)
{
    g_clear_pointer(&s->bos.tree, g_tree_destroy);
}

PrimeGPUBuffer *primegpu_bo_find(PrimeGPUState *s, uint64_t key)
{
    return g_tree_lookup(s->bos.tree, primegpu_bo_tree_key(key));
}

PrimeGPUBuffer *primegpu_bo_named(PrimeGPUState *s, uint64_t key)
{
    PrimeGPUBuffer *bo = primegpu_bo_find(s, key);

    if (!bo) {
        trace_primegpu_err_bo_unknown(s->name, key);
        primegpu_ledger_violation(&s->ledger,
                                  PRIME_GPU_VIOLATION_KIND_UNKNOWN_BO, key, 0);
    }
    return bo;
}

uint64_t primegpu_bo_next_key(PrimeGPUState *s)
{
    return s->ledger.id * (PRIMEGPU_KEY_SERIAL + 1) + s->bos.last_serial + 1;
}

static bool primegpu_bo_key_is_new(PrimeGPUState *s, uint64_t key)
{
    uint64_t device = s->ledger.id * (PRIMEGPU_KEY_SERIAL + 1);

    return (key & PRIMEGPU_KEY_DEVICE) == device &&
           (key & PRIMEGPU_KEY_SERIAL) > s->bos.last_serial;
}

uint32_t primegpu_bo_create(PrimeGPUState *s, uint64_t key, uint64_t size,
                            bool imported, uint64_t exporter_key)
{
    PrimeGPUBuffer *bo;
    uint32_t status;

    if (!size || !QEMU_IS_ALIGNED(size, PRIMEGPU_PAGE_SIZE) ||
        (exporter_key && !imported)) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    if (!primegpu_bo_key_is_new(s, key)) {
        return PRIMEGPU_ST_INVALID_KEY;
    }
    if (g_tree_nnodes(s->bos.tree) >= s->conf.bo_max ||
        size > s->conf.bytes_max - s->bos.bytes) {
        return PRIMEGPU_ST_LIMIT;
    }
    status = primegpu_inject_command(s, PRIME_GPU_FAULT_CREATE, key);
    if (status != PRIMEGPU_ST_OK) {
        return status;
    }
    bo = g_try_new0(PrimeGPUBuffer, 1);
    if (!bo) {
        return PRIMEGPU_ST_NO_MEMORY;
    }
    if (!primegpu_ledger_create(&s->ledger, key, size, imported,
                                exporter_key)) {
        g_free(bo);
        return PRIMEGPU_ST_EXPORTER;
    }
    bo->key = key;
    bo->size = size;
    bo->imported = imported;
    bo->exporter_key = exporter_key;
    bo->created_step = primegpu_ledger_marker();
    bo->created_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    g_tree_insert(s->bos.tree, primegpu_bo_tree_key(key), bo);
    s->bos.last_serial = key & PRIMEGPU_KEY_SERIAL;
    s->bos.bytes += size;
    s->counters.created++;
    trace_primegpu_bo_create(s->name, key, size, imported, exporter_key);
    return PRIMEGPU_ST_OK;
}

/* The place of @client in the sorted list, or where it would be. */
static int32_t primegpu_bo_client_index(const PrimeGPUBuffer *bo,
                                        uint32_t client)
{
    int32_t low = 0;
    int32_t high = bo->client_count;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;

        if (bo->clients[middle].client < client) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static PrimeGPUHandles *primegpu_bo_client(const PrimeGPUBuffer *bo,
                                           uint32_t client)
{
    int32_t i = primegpu_bo_client_index(bo, client);

    if (i < bo->client_count && bo->clients[i].client == client) {
        return &bo->clients[i];
    }
    return NULL;
}

bool primegpu_bo_is_busy(const PrimeGPUBuffer *bo)
{
    return bo->jobs || bo->shown;
}

bool primegpu_bo_is_open(const PrimeGPUBuffer *bo, uint32_t client)
{
    return client == PRIMEGPU_CLIENT_KERNEL || primegpu_bo_client(bo, client);
}

static uint32_t primegpu_bo_add_client(PrimeGPUState *s, PrimeGPUBuffer *bo,
                                       uint32_t client)
{
    int32_t i = primegpu_bo_client_index(bo, client);
    PrimeGPUHandles *clients;

    if (s->bos.client_count >=
        (uint64_t)s->conf.bo_max * PRIMEGPU_BO_CLIENTS_PER_BO) {
        return PRIMEGPU_ST_LIMIT;
    }
    clients = g_try_renew(PrimeGPUHandles, bo->clients, bo->client_count + 1);
    if (!clients) {
        return PRIMEGPU_ST_NO_MEMORY;
    }
    memmove(clients + i + 1, clients + i,
            (bo->client_count - i) * sizeof(*clients));
    clients[i].client = client;
    clients[i].count = 1;
    bo->clients = clients;
    bo->client_count++;
    s->bos.client_count++;
    return PRIMEGPU_ST_OK;
}

uint32_t primegpu_bo_open(PrimeGPUState *s, uint64_t key, uint32_t client)
{
    PrimeGPUBuffer *bo;
    PrimeGPUHandles *handles;

    if (client == PRIMEGPU_CLIENT_KERNEL) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    bo = primegpu_bo_named(s, key);
    if (!bo) {
        return PRIMEGPU_ST_UNKNOWN_BO;
    }
    handles = primegpu_bo_client(bo, client);
    if (handles) {
        if (handles->count == UINT32_MAX) {
            return PRIMEGPU_ST_LIMIT;
        }
        handles->count++;
    } else {
        uint32_t status = primegpu_bo_add_client(s, bo, client);

        if (status != PRIMEGPU_ST_OK) {
            return status;
        }
    }
    s->counters.opened++;
    trace_primegpu_bo_open(s->name, key, client);
    primegpu_ledger_open(&s->ledger, key, client);
    return PRIMEGPU_ST_OK;
}

uint32_t primegpu_bo_close(PrimeGPUState *s, uint64_t key, uint32_t client)
{
    PrimeGPUBuffer *bo;
    PrimeGPUHandles *handles;

    if (client == PRIMEGPU_CLIENT_KERNEL) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    bo = primegpu_bo_named(s, key);
    if (!bo) {
        return PRIMEGPU_ST_UNKNOWN_BO;
    }
    handles = primegpu_bo_client(bo, client);
    if (!handles) {
        return PRIMEGPU_ST_NOT_OPEN;
    }
    if (--handles->count == 0) {
        int32_t after = bo->clients + bo->client_count - (handles + 1);

        memmove(handles, handles + 1, after * sizeof(*handles));
        bo->client_count--;
        s->bos.client_count--;
    }
    s->counters.closed++;
    trace_primegpu_bo_close(s->name, key, client);
    primegpu_ledger_close(&s->ledger, key, client);
    return PRIMEGPU_ST_OK;
}

/* Everything but the tree's node and the ledger's record */
static void primegpu_bo_forget(PrimeGPUState *s, PrimeGPUBuffer *bo)
{
    primegpu_bo_unplace(s, bo);
    s->bos.bytes -= bo->size;
    s->bos.client_count -= bo->client_count;
}

uint32_t primegpu_bo_destroy(PrimeGPUState *s, uint64_t key)
{
    PrimeGPUBuffer *bo = primegpu_bo_named(s, key);

    if (!bo) {
        return PRIMEGPU_ST_UNKNOWN_BO;
    }
    if (bo->client_count) {
        trace_primegpu_err_bo_destroy_open(s->name, key, bo->client_count);
        primegpu_ledger_violation(&s->ledger,
                                  PRIME_GPU_VIOLATION_KIND_DESTROY_OPEN,
                                  key, 0);
        return PRIMEGPU_ST_STILL_OPEN;
    }
    if (primegpu_bo_is_busy(bo)) {
        trace_primegpu_err_bo_destroy_busy(s->name, key, bo->jobs, bo->shown);
        primegpu_ledger_violation(&s->ledger,
                                  PRIME_GPU_VIOLATION_KIND_DESTROY_BUSY,
                                  key, 0);
        return PRIMEGPU_ST_BUSY;
    }
    primegpu_bo_forget(s, bo);
    g_tree_remove(s->bos.tree, primegpu_bo_tree_key(key));
    s->counters.released++;
    trace_primegpu_bo_destroy(s->name, key);
    primegpu_ledger_release(&s->ledger, key);
    return PRIMEGPU_ST_OK;
}

static gboolean primegpu_bo_drop(gpointer key, gpointer value, gpointer opaque)
{
    PrimeGPUState *s = opaque;
    PrimeGPUBuffer *bo = value;

    trace_primegpu_bo_drop(s->name, bo->key);
    s->counters.dropped++;
    primegpu_ledger_drop(&s->ledger, bo->key);
    return false;
}

void primegpu_bo_drop_all(PrimeGPUState *s, bool tell)
{
    if (tell) {
        g_tree_foreach(s->bos.tree, primegpu_bo_drop, s);
    }
    /* Destroying takes no reference to the table away when one was added. */
    g_tree_ref(s->bos.tree);
    g_tree_destroy(s->bos.tree);
    memset(&s->bos.vram, 0, sizeof(s->bos.vram));
    s->bos.bytes = 0;
    s->bos.vram_used = 0;
    s->bos.client_count = 0;
}
