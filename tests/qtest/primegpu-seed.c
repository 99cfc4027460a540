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

/* Buffers that are imported after each round of the scenario */
#define PG_SEED_PER_ROUND 5

typedef struct PGLater {
    unsigned create, import;    /* tags */
    unsigned step;              /* of the import */
} PGLater;

/*
 * The importer's BO may be released some time after its handle was closed, and
 * the scenario needs it gone before the exporter's handle is closed.
 */
static void pg_seed_round(PGGuest *g)
{
    unsigned tag = 0;

    for (unsigned i = 0; i < PG_SEED_STEPS; i++) {
        pg_send(g, "%s", pg_seed_steps[i].line);
        tag = pg_settle_send(g);
    }
    pg_expect_ok(g, tag);
}

/*
 * A stale entry shows when a dma-buf is allocated where the one it names was.
 * So the buffers are made and get their pages first: between the end of the
 * scenario and the exports nothing is allocated that could take that place.
 */
static void pg_seed_send_later(PGGuest *g, PGLater *later, unsigned first,
                               unsigned end)
{
    for (unsigned i = first; i < end; i++) {
        later[i].create = pg_send(g, "create fi later%u " PG_SEED_SIZE, i);
        pg_send(g, "place later%u pages", i);
    }
    pg_seed_round(g);
    for (unsigned i = first; i < end; i++) {
        pg_send(g, "export later%u d-later%u", i, i);
    }
    for (unsigned i = first; i < end; i++) {
        later[i].import = pg_send(g, "import fe d-later%u i-later%u", i, i);
        later[i].step = pg_step(g);
    }
}

static unsigned pg_seed_check_later(PGGuest *g, const PGLater *later,
                                    unsigned first, unsigned end, char **why)
{
    unsigned wrong = 0;

    for (unsigned i = first; i < end; i++) {
        uint64_t exporter = pg_u64(g, pg_expect_ok(g, later[i].create), "key");
        const PGReply *r = pg_recv(g, later[i].import);
        char *text = pg_seed_check_import(g, r, later[i].step, exporter);

        wrong += text != NULL;
        if (text && !*why) {
            *why = text;
        } else {
            g_free(text);
        }
    }
    return wrong;
}

static void pg_seed_close_later(PGGuest *g, unsigned n)
{
    unsigned tag = 0;

    for (unsigned i = 0; i < n; i++) {
        pg_send(g, "close-fd d-later%u", i);
        tag = pg_send(g, "close later%u", i);
    }
    pg_expect_ok(g, tag);
    pg_settle(g);
}

unsigned pg_seed_import_later(PGGuest *g, const PGSeed *seed, unsigned n,
                              char **why)
{
    g_autofree PGLater *later = g_new(PGLater, n);
    unsigned wrong = 0;

    *why = NULL;
    for (unsigned i = 0; i < n; i += PG_SEED_PER_ROUND) {
        unsigned end = MIN(i + PG_SEED_PER_ROUND, n);

        pg_seed_send_later(g, later, i, end);
        wrong += pg_seed_check_later(g, later, i, end, why);
        /* The buffers stay, so that the next round is elsewhere in memory. */
        pg_close_file(g, "fe");
        pg_open(g, "fe", seed->exporter);
    }
    pg_seed_close_later(g, n);
    return wrong;
}
