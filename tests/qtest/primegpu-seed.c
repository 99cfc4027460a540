/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seed's scenario: Linux commit 219b47339ced, "drm/prime: keep a reference
 * from the handle to exported dma-buf".
 *
 * Without that reference an entry {dma-buf, handle} stayed in the exporter's
 * file when the handle was closed last.  A later dma-buf at the same address
 * then found it, and its import returned a dead handle, or that of another
 * buffer.
 */
#include "qemu/osdep.h"
#include "primegpu-seed.h"

#define PG_SEED_SIZE "65536"

const PGSeedStep pg_seed_steps[PG_SEED_STEPS] = {
    { "create fe e1 " PG_SEED_SIZE, "creates a buffer", false, true, false },
    { "export e1 d1", "exports it", false, true, false },
    { "import fi d1 i1", "imports it", true, true, true },
    { "close-fd d1", "closes the dma-buf's fd", false, true, true },
    { "close i1", "closes its handle", true, true, false },
    { "close e1", "closes its handle", false, false, false },
};

void pg_seed_open(PGGuest *g, const PGSeed *seed)
{
    pg_open(g, "fe", seed->exporter);
    pg_open(g, "fi", seed->importer);
}

/* Returns NULL when the import made a BO of its own, of the right buffer. */
static char *pg_seed_check_import(PGGuest *g, const PGReply *r,
                                  unsigned step, uint64_t exporter)
{
    const GArray *events = pg_events(g);
    g_autofree char *has_key = pg_str(r, "key");
    uint64_t key;

    /* The agent asks for the key by the handle; a dead one has none. */
    if (!has_key) {
        return g_strdup_printf("import of BO 0x%" PRIx64 " made no BO, and "
                               "returned a dead handle: %s", exporter,
                               r->text);
    }
    key = pg_u64(g, r, "key");
    for (unsigned i = 0; i < events->len; i++) {
        const PGEvent *e = &g_array_index(events, PGEvent, i);

        if (e->step != step || e->key != key ||
            e->kind != PRIME_GPU_LEDGER_EVENT_KIND_CREATE) {
            continue;
        }
        if (e->other == exporter) {
            return NULL;
        }
        return g_strdup_printf("import of BO 0x%" PRIx64
                               " made an import of BO 0x%" PRIx64,
                               exporter, e->other);
    }
    return g_strdup_printf("import of BO 0x%" PRIx64 " made no BO, and "
                           "returned a handle to BO 0x%" PRIx64,
                           exporter, key);
}

static char *pg_seed_import_once(PGGuest *g)
{
    uint64_t exporter = pg_create(g, "fi", "later", 65536);
    const PGReply *r;
    char *why;

    pg_export(g, "later", "d-later");
    r = pg_call(g, "import fe d-later i-later");
    why = pg_seed_check_import(g, r, pg_step(g), exporter);
    if (r->ok) {
        /* A wrong handle may not be there to be closed. */
        pg_call(g, "close i-later");
    }
    pg_close_fd(g, "d-later");
    pg_close(g, "later");
    pg_settle(g);
    return why;
}

unsigned pg_seed_import_later(PGGuest *g, unsigned n, char **why)
{
    unsigned wrong = 0;

    *why = NULL;
    for (unsigned i = 0; i < n; i++) {
        char *text = pg_seed_import_once(g);

        if (text && !wrong++) {
            *why = text;
        } else {
            g_free(text);
        }
    }
    return wrong;
}
