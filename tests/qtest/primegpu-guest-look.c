/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest rig: looks at one BO, at jobs, and at files of the guest.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "primegpu-guest-look.h"
#include "hw/display/primegpu/primegpu_agent.h"

const PGMachine pg_two_outputs = {
    .extra = "-global primegpu-integrated.max-outputs=2 "
             "-global primegpu-discrete.max-outputs=2",
};

#define PG_BUFINFO "/sys/kernel/debug/dma_buf/bufinfo"

void pg_assert_u64(PGGuest *g, const char *what, uint64_t got, uint64_t want)
{
    if (got != want) {
        pg_fail(g, "%s: 0x%" PRIx64 " and not 0x%" PRIx64 ", at: %s", what,
                got, want, pg_step_line(g, pg_step(g)));
    }
}

PGBo pg_look_bo(PGGuest *g, uint64_t key)
{
    g_autoptr(GArray) bos = pg_bos(g, NULL);

    for (unsigned i = 0; i < bos->len; i++) {
        const PGBo *bo = &g_array_index(bos, PGBo, i);

        if (bo->key == key) {
            return *bo;
        }
    }
    pg_assert_alive(g, key);
    g_assert_not_reached();
}

uint64_t pg_look_shared(PGGuest *g, uint64_t exporter, uint64_t importer)
{
    QDict *rsp = pg_query(g, "{ 'execute': 'query-primegpu-sharing' }");
    QDict *ret = qdict_get_qdict(rsp, "return");
    uint64_t bytes = 0;
    const QListEntry *e;

    if (!ret) {
        pg_fail(g, "query-primegpu-sharing failed");
    }
    QLIST_FOREACH_ENTRY(qdict_get_qlist(ret, "pairs"), e) {
        const QDict *d = qobject_to(QDict, qlist_entry_obj(e));

        if ((uint64_t)qdict_get_int(d, "exporter") == exporter &&
            (uint64_t)qdict_get_int(d, "importer") == importer) {
            bytes = qdict_get_int(d, "bytes");
        }
    }
    qobject_unref(rsp);
    return bytes;
}

unsigned pg_count_events(PGGuest *g, PrimeGPULedgerEventKind kind,
                         uint64_t key)
{
    const GArray *events = pg_events(g);
    unsigned n = 0;

    for (unsigned i = 0; i < events->len; i++) {
        const PGEvent *e = &g_array_index(events, PGEvent, i);

        n += e->kind == kind && e->key == key;
    }
    return n;
}

void pg_await_events(PGGuest *g, PrimeGPULedgerEventKind kind, uint64_t key,
                     unsigned n)
{
    int64_t until = g_get_monotonic_time() + PG_SOON_MS * INT64_C(1000);

    while (pg_count_events(g, kind, key) < n) {
        if (g_get_monotonic_time() > until) {
            pg_fail(g, "%u events %s of BO 0x%" PRIx64 " and not %u, after: %s",
                    pg_count_events(g, kind, key),
                    PrimeGPULedgerEventKind_str(kind), key, n,
                    pg_step_line(g, pg_step(g)));
        }
        g_usleep(1000);
    }
}

static bool pg_step_begun(PGGuest *g, unsigned step)
{
    const GArray *events = pg_events(g);

    for (unsigned i = events->len; i-- > 0;) {
        const PGEvent *e = &g_array_index(events, PGEvent, i);

        if (e->kind == PRIME_GPU_LEDGER_EVENT_KIND_MARKER && e->step == step) {
            return true;
        }
    }
    return false;
}

void pg_await_step(PGGuest *g, unsigned step)
{
    int64_t until = g_get_monotonic_time() + PG_SOON_MS * INT64_C(1000);

    while (!pg_step_begun(g, step)) {
        if (g_get_monotonic_time() > until) {
            pg_fail(g, "not begun: %s", pg_step_line(g, step));
        }
        g_usleep(1000);
    }
}

void pg_assert_after(PGGuest *g, uint64_t first, uint64_t then)
{
    const GArray *events = pg_events(g);
    unsigned busy = 0;

    for (unsigned i = 0; i < events->len; i++) {
        const PGEvent *e = &g_array_index(events, PGEvent, i);

        if (e->key == first) {
            busy += e->kind == PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT;
            busy -= e->kind == PRIME_GPU_LEDGER_EVENT_KIND_COMPLETE;
        } else if (e->key == then && busy &&
                   e->kind == PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT) {
            pg_fail(g, "started too early: a job on BO 0x%" PRIx64 ", in step "
                    "%u (%s), while a job on BO 0x%" PRIx64 " was not done",
                    then, e->step, pg_step_line(g, e->step), first);
        }
    }
}

/* One thread, one guest in a process */
static GString *pg_listing;

static void pg_take_line(const char *line)
{
    if (g_str_has_prefix(line, "| ")) {
        g_string_append_printf(pg_listing, "%s\n", line + 2);
    } else if (line[0] == '|') {
        g_string_append_c(pg_listing, '\n');
    }
}

char *pg_guest_file(PGGuest *g, const char *path)
{
    const PGReply *r;

    pg_listing = g_string_new(NULL);
    pg_on_text(g, pg_take_line);
    r = pg_call(g, "p1 get %s", path);
    pg_on_text(g, NULL);
    return g_string_free(pg_listing, !r->ok);
}

void pg_set_param(PGGuest *g, const char *module, const char *name,
                  unsigned value)
{
    pg_do(g, "p1 set /sys/module/%s/parameters/%s %u", module, name, value);
}

void pg_set_job_timeout(PGGuest *g, unsigned ms)
{
    pg_set_param(g, "primegpu_core", "job_timeout_ms", ms);
}

unsigned pg_module_users(PGGuest *g, const char *module)
{
    g_autofree char *path = g_strdup_printf("/sys/module/%s/refcnt", module);
    g_autofree char *text = pg_guest_file(g, path);

    if (!text) {
        pg_fail(g, "%s cannot be read in the guest", path);
    }
    return atoi(text);
}

/* Returns how many modules are left, and whether one was removed. */
static unsigned pg_unload_round(PGGuest *g, bool *removed)
{
    g_autofree char *text = pg_guest_file(g, "/proc/modules");
    g_auto(GStrv) lines = g_strsplit(text ?: "", "\n", -1);
    unsigned left = 0;

    *removed = false;
    for (unsigned i = 0; lines[i]; i++) {
        char name[64];
        unsigned users;

        if (sscanf(lines[i], "%63s %*u %u", name, &users) != 2) {
            continue;
        }
        if (!users && pg_call(g, "p1 rmmod %s", name)->ok) {
            *removed = true;
        } else {
            left++;
        }
    }
    return left;
}

void pg_unload_all(PGGuest *g)
{
    unsigned left;
    bool removed;

    do {
        left = pg_unload_round(g, &removed);
    } while (left && removed);
    if (left) {
        g_autofree char *text = pg_guest_file(g, "/proc/modules");

        pg_fail(g, "%u modules are still in use: %s", left, text);
    }
}

void pg_finish(PGGuest *g)
{
    pg_assert_no_violations(g);
    pg_unload_all(g);
    pg_stop(g);
}

void pg_assert_nothing_left(PGGuest *g, const char *what)
{
    g_autofree char *info = NULL;
    const char *total;
    unsigned dmabufs;

    pg_settle(g);
    pg_assert_table(g, UINT64_C(0));
    info = pg_guest_file(g, PG_BUFINFO);
    total = info ? strstr(info, "Total ") : NULL;
    if (!total || sscanf(total, "Total %u objects", &dmabufs) != 1) {
        pg_fail(g, "%s does not tell how many dma-bufs there are", PG_BUFINFO);
    }
    if (dmabufs) {
        pg_fail(g, "not released: %u dma-bufs are in the guest after %s",
                dmabufs, what);
    }
}

GArray *pg_keys(PGGuest *g)
{
    g_autoptr(GArray) bos = pg_bos(g, NULL);
    GArray *keys = g_array_new(FALSE, FALSE, sizeof(uint64_t));

    for (unsigned i = 0; i < bos->len; i++) {
        g_array_append_val(keys, g_array_index(bos, PGBo, i).key);
    }
    return keys;
}

void pg_assert_keys(PGGuest *g, const GArray *keys)
{
    pg_settle(g);
    pg_assert_table_is(g, (const uint64_t *)keys->data, keys->len);
}

uint64_t pg_sum_words(size_t size, uint32_t first, size_t at, uint32_t second)
{
    g_autofree uint32_t *words = g_malloc(size);

    for (size_t i = 0; i < size / sizeof(*words); i++) {
        words[i] = cpu_to_le32(i * sizeof(*words) < at ? first : second);
    }
    return primegpu_agent_checksum(PRIMEGPU_AGENT_CHECKSUM_INIT, words, size);
}

uint64_t pg_bo_sum(PGGuest *g, const char *bo)
{
    uint64_t sum;

    pg_do(g, "mmap %s pg-look", bo);
    sum = pg_checksum(g, "pg-look");
    pg_do(g, "munmap pg-look");
    return sum;
}
