/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model of what fences wait for, and what the guest must tell of it.
 */
#include "qemu/osdep.h"
#include "primegpu-fences.h"

/* Calls that are sent before their replies are looked at */
#define PG_BATCH 64

typedef struct PGAsked {
    unsigned tag;
    char *line;
    const char *want;
} PGAsked;

void pg_fences_init(PGModel *m, PGGuest *g, unsigned seed)
{
    *m = (PGModel) {
        .g = g,
        .rand = g_rand_new_with_seed(seed),
        .asked = g_array_new(FALSE, FALSE, sizeof(PGAsked)),
    };
}

void pg_fences_fini(PGModel *m)
{
    g_array_free(m->asked, TRUE);
    g_rand_free(m->rand);
}

unsigned pg_any(PGModel *m, unsigned n)
{
    return g_rand_int_range(m->rand, 0, n);
}

PGSet pg_set_union(PGSet a, PGSet b)
{
    for (unsigned i = 0; i < PG_TIMELINES; i++) {
        a.at[i] = MAX(a.at[i], b.at[i]);
    }
    return a;
}

bool pg_set_signalled(const PGModel *m, const PGSet *set)
{
    for (unsigned i = 0; i < PG_TIMELINES; i++) {
        if (set->at[i] > m->now[i]) {
            return false;
        }
    }
    return true;
}

PGSet pg_set_of(const PGBuffer *b)
{
    return pg_set_union(b->readers, b->writers);
}

bool pg_set_find(const PGSyncobj *k, uint64_t point, PGSet *set)
{
    if (!k->has) {
        return false;
    }
    if (!point) {
        *set = k->count ? k->upto[k->count - 1] : k->binary;
        return true;
    }
    for (unsigned i = 0; i < k->count; i++) {
        if (k->point[i] >= point) {
            *set = k->upto[i];
            return true;
        }
    }
    return false;
}

/* Replies */

static bool pg_is(const PGReply *r, const char *want)
{
    return g_str_equal(want, "ok") ? r->ok :
           strchr(want, '=') ? r->ok && strstr(r->text, want)
                             : !r->ok && g_str_equal(r->error, want);
}

void pg_look_asked(PGModel *m)
{
    for (unsigned i = 0; i < m->asked->len; i++) {
        PGAsked *a = &g_array_index(m->asked, PGAsked, i);
        const PGReply *r = pg_recv(m->g, a->tag);

        if (!pg_is(r, a->want)) {
            pg_fail(m->g, "the model says %s, and the guest says %s %s, at: %s",
                    a->want, r->ok ? "ok" : r->error, r->text, a->line);
        }
        g_free(a->line);
    }
    g_array_set_size(m->asked, 0);
    pg_forget(m->g);
}

void pg_ask(PGModel *m, const char *want, const char *fmt, ...)
{
    PGAsked a = { .want = want };
    va_list ap;

    va_start(ap, fmt);
    a.line = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    a.tag = pg_send(m->g, "%s", a.line);
    g_array_append_val(m->asked, a);
    if (m->asked->len == PG_BATCH) {
        pg_look_asked(m);
    }
}

/* What can be seen */

void pg_fences_see_fence(PGModel *m, unsigned f)
{
    bool done = pg_set_signalled(m, &m->fence[f].set);

    pg_ask(m, done ? "status=1" : "ETIME", "fence-wait s%u 0", f);
}

void pg_fences_see_buffer(PGModel *m, unsigned b)
{
    PGSet all = pg_set_of(&m->buffer[b]);
    bool can_read = pg_set_signalled(m, &m->buffer[b].writers);
    bool can_write = pg_set_signalled(m, &all);

    pg_ask(m, can_read ? "ready=1" : "ready=0", "poll d%u in 0", b);
    pg_ask(m, can_write ? "ready=1" : "ready=0", "poll d%u out 0", b);
    pg_ask(m, can_read ? "ok" : "ETIME", "bo-wait b%u read 0", b);
    pg_ask(m, can_write ? "ok" : "ETIME", "bo-wait i%u write 0", b);
    if (can_read) {
        pg_ask(m, "ok", "sync-start d%u read", b);
        pg_ask(m, "ok", "sync-end d%u read", b);
    }
}

static void pg_see_syncobj(PGModel *m, unsigned k)
{
    const PGSyncobj *s = &m->syncobj[k];
    uint64_t point = s->count ? pg_any(m, s->point[s->count - 1] + 2) : 0;
    PGSet set;
    bool has = pg_set_find(s, point, &set);
    g_autofree char *name = point ? g_strdup_printf("k%u:%" PRIu64, k, point)
                                  : g_strdup_printf("k%u", k);

    pg_ask(m, has && pg_set_signalled(m, &set) ? "ok" : "ETIME",
           "syncobj-wait %s 0", name);
    pg_ask(m, has ? "ok" : "ETIME", "syncobj-wait %s 0 available", name);
}

void pg_fences_see_watch(PGModel *m, unsigned e)
{
    const PGWatch *w = &m->watch[e];
    bool ready = w->taken && (w->available || pg_set_signalled(m, &w->set));

    pg_ask(m, ready ? "ready=1" : "ready=0", "poll e%u in 0", e);
}

void pg_fences_see_some(PGModel *m)
{
    unsigned f = pg_any(m, PG_FENCES), e = pg_any(m, PG_EVENTS);

    if (m->fence[f].used) {
        pg_fences_see_fence(m, f);
    }
    if (m->watch[e].used) {
        pg_fences_see_watch(m, e);
    }
    pg_fences_see_buffer(m, pg_any(m, PG_BUFFERS));
    pg_see_syncobj(m, pg_any(m, PG_SYNCOBJS));
}
