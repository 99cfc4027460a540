/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: random sequences of calls that make, merge, attach and take
 * fences.  Sync_files, dma-bufs with their readers and writers, and syncobjs
 * with their points must tell, at any time, what the model says.
 */
#include "qemu/osdep.h"
#include "primegpu-fences.h"

#define PG_OPS      400
#define PG_SOON_S   10

static const char *const pg_gpus[PG_BUFFERS] = { "integrated", "discrete" };

static unsigned pg_fence_free(PGModel *m)
{
    unsigned f = pg_any(m, PG_FENCES);

    if (m->fence[f].used) {
        pg_ask(m, "ok", "close-fd s%u", f);
    }
    m->fence[f] = (PGFence) { .used = true };
    return f;
}

/* One that is open; the first one is made before all else. */
static unsigned pg_fence_used(PGModel *m)
{
    unsigned f;

    do {
        f = pg_any(m, PG_FENCES);
    } while (!m->fence[f].used);
    return f;
}

static void pg_op_fence(PGModel *m)
{
    unsigned f = pg_fence_free(m), t = pg_any(m, PG_TIMELINES);

    m->last[t] = MAX(m->last[t], m->now[t]) + 1;
    m->fence[f].set.at[t] = m->last[t];
    pg_ask(m, "ok", "sw-fence t%u %u s%u", t, m->last[t], f);
}

static void pg_op_signal(PGModel *m)
{
    unsigned t = pg_any(m, PG_TIMELINES);

    m->now[t]++;
    pg_ask(m, "ok", "sw-inc t%u 1", t);
}

static void pg_op_merge(PGModel *m)
{
    unsigned a = pg_fence_used(m), b = pg_fence_used(m);
    PGSet set = pg_set_union(m->fence[a].set, m->fence[b].set);
    unsigned f;

    /* The new one takes a place that neither has. */
    do {
        f = pg_any(m, PG_FENCES);
    } while (f == a || f == b);
    if (m->fence[f].used) {
        pg_ask(m, "ok", "close-fd s%u", f);
    }
    m->fence[f] = (PGFence) { .used = true, .set = set };
    pg_ask(m, "ok", "merge-sync s%u s%u s%u", a, b, f);
}

static void pg_op_import(PGModel *m)
{
    unsigned f = pg_fence_used(m), b = pg_any(m, PG_BUFFERS);
    bool write = pg_any(m, 2);
    PGSet *to = write ? &m->buffer[b].writers : &m->buffer[b].readers;

    *to = pg_set_union(*to, m->fence[f].set);
    pg_ask(m, "ok", "import-sync d%u %s s%u", b, write ? "write" : "read", f);
}

static void pg_op_export(PGModel *m)
{
    unsigned f = pg_fence_free(m), b = pg_any(m, PG_BUFFERS);
    bool write = pg_any(m, 2);

    m->fence[f].set = write ? pg_set_of(&m->buffer[b]) : m->buffer[b].writers;
    pg_ask(m, "ok", "export-sync d%u %s s%u", b, write ? "write" : "read", f);
}

/* A fence that has come is one that an eventfd waits for. */
static void pg_syncobj_changed(PGModel *m, unsigned k)
{
    for (unsigned e = 0; e < PG_EVENTS; e++) {
        PGWatch *w = &m->watch[e];

        if (w->used && !w->taken && w->syncobj == k) {
            w->taken = pg_set_find(&m->syncobj[k], w->point, &w->set);
        }
    }
}

static bool pg_is_watched(const PGModel *m, unsigned k)
{
    for (unsigned e = 0; e < PG_EVENTS; e++) {
        const PGWatch *w = &m->watch[e];

        if (w->used && !w->taken && w->syncobj == k) {
            return true;
        }
    }
    return false;
}

static void pg_op_load(PGModel *m)
{
    unsigned f = pg_fence_used(m), k = pg_any(m, PG_SYNCOBJS);

    if (m->fence[f].points && pg_is_watched(m, k)) {
        return;
    }
    m->syncobj[k] = (PGSyncobj) {
        .has = true,
        .points = m->fence[f].points,
        .binary = m->fence[f].set,
    };
    pg_ask(m, "ok", "syncobj-load k%u s%u", k, f);
    pg_syncobj_changed(m, k);
}

static void pg_op_reset(PGModel *m)
{
    unsigned k = pg_any(m, PG_SYNCOBJS);

    m->syncobj[k] = (PGSyncobj) { 0 };
    pg_ask(m, "ok", "syncobj-reset k%u", k);
}

static bool pg_add_point(PGModel *m, unsigned k, PGSet set, uint64_t *point)
{
    PGSyncobj *s = &m->syncobj[k];
    PGSet before = { 0 };

    if (s->count == PG_POINTS || s->points) {
        return false;
    }
    pg_set_find(s, 0, &before);
    *point = (s->count ? s->point[s->count - 1] : 0) + 1 + pg_any(m, 3);
    s->has = true;
    s->point[s->count] = *point;
    s->upto[s->count++] = pg_set_union(before, set);
    return true;
}

static void pg_op_point(PGModel *m)
{
    unsigned k = pg_any(m, PG_SYNCOBJS), from = pg_any(m, PG_SYNCOBJS);
    PGSet set = { 0 };
    uint64_t point;

    if (pg_any(m, 4) == 0) {
        if (pg_add_point(m, k, set, &point)) {
            pg_ask(m, "ok", "syncobj-signal k%u:%" PRIu64, k, point);
        }
    } else if (k != from && pg_set_find(&m->syncobj[from], 0, &set) &&
               pg_add_point(m, k, set, &point)) {
        pg_ask(m, "ok", "syncobj-transfer k%u:%" PRIu64 " k%u", k, point,
               from);
    }
    pg_syncobj_changed(m, k);
}

/* A syncobj's whole fence, or that of a point, becomes a sync_file. */
static void pg_op_take(PGModel *m)
{
    unsigned k = pg_any(m, PG_SYNCOBJS), f;
    PGSet set;

    if (pg_set_find(&m->syncobj[k], 0, &set)) {
        f = pg_fence_free(m);
        m->fence[f].set = set;
        m->fence[f].points = m->syncobj[k].points || m->syncobj[k].count;
        pg_ask(m, "ok", "syncobj-export k%u s%u sync-file", k, f);
    }
}

static void pg_op_point_to_binary(PGModel *m)
{
    unsigned k = pg_any(m, PG_SYNCOBJS), from = pg_any(m, PG_SYNCOBJS);
    const PGSyncobj *s = &m->syncobj[from];
    uint64_t point = s->count ? 1 + pg_any(m, s->point[s->count - 1]) : 0;
    PGSet set;

    if (k != from && point && pg_set_find(s, point, &set) &&
        !pg_is_watched(m, k)) {
        m->syncobj[k] = (PGSyncobj) {
            .has = true, .points = true, .binary = set,
        };
        pg_ask(m, "ok", "syncobj-transfer k%u k%u:%" PRIu64, k, from, point);
        pg_syncobj_changed(m, k);
    }
}

static void pg_op_watch(PGModel *m)
{
    unsigned e = pg_any(m, PG_EVENTS), k = pg_any(m, PG_SYNCOBJS);
    const PGSyncobj *s = &m->syncobj[k];
    PGWatch *w = &m->watch[e];

    if (s->points) {
        return;
    }
    if (w->used) {
        pg_ask(m, "ok", "close-fd e%u", e);
    }
    *w = (PGWatch) {
        .used = true,
        .syncobj = k,
        .point = 1 + pg_any(m, s->count ? s->point[s->count - 1] + 2 : 3),
        .available = pg_any(m, 2),
    };
    pg_ask(m, "ok", "syncobj-eventfd k%u:%" PRIu64 " e%u%s", k, w->point, e,
           w->available ? " available" : "");
    pg_syncobj_changed(m, k);
}

/* A job of a GPU waits for two fences, and for the jobs before it. */
static void pg_op_job(PGModel *m)
{
    unsigned a = pg_fence_used(m), b = pg_fence_used(m);
    bool done;

    m->jobs = pg_set_union(m->jobs, pg_set_union(m->fence[a].set,
                                                 m->fence[b].set));
    done = pg_set_signalled(m, &m->jobs);
    pg_ask(m, "ok", "syncobj-load job s%u", b);
    pg_ask(m, "ok", "fill o 0 4096 1 explicit in=s%u insync=job out=done", a);
    pg_ask(m, done ? "status=1" : "ETIME", "fence-wait done %u",
           done ? PG_SOON_S * 1000 : 0);
    pg_ask(m, "ok", "close-fd done");
}

/* A process that waits goes on when the last fence is signalled. */
static void pg_op_wait(PGModel *m)
{
    static const char *const waits[] = {
        "fence-wait s%u", "poll d%u in", "poll d%u out", "bo-wait b%u read",
        "bo-wait i%u write", "syncobj-wait k%u",
    };
    unsigned what = pg_any(m, ARRAY_SIZE(waits));
    unsigned n = what == 0 ? pg_fence_used(m) : what == 5
                 ? pg_any(m, PG_SYNCOBJS) : pg_any(m, PG_BUFFERS);
    const PGBuffer *b = &m->buffer[n % PG_BUFFERS];
    PGSet set = what == 0 ? m->fence[n].set :
                what == 1 || what == 3 ? b->writers : pg_set_of(b);
    g_autofree char *line = NULL;
    unsigned tag;

    if (what == 5 && !pg_set_find(&m->syncobj[n], 0, &set)) {
        return;
    }
    line = g_strdup_printf(waits[what], n);
    pg_ask(m, "ok", "fork p2");
    pg_look_asked(m);
    tag = pg_send(m->g, "p2 %s %u", line, PG_SOON_S * 1000);
    for (unsigned t = 0; t < PG_TIMELINES; t++) {
        while (m->now[t] < set.at[t]) {
            if (pg_wait(m->g, tag, 2)) {
                pg_fail(m->g, "it did not wait: %s", line);
            }
            m->now[t]++;
            pg_do(m->g, "sw-inc t%u 1", t);
        }
    }
    if (!pg_wait(m->g, tag, PG_SOON_S * 1000)) {
        pg_fail(m->g, "it waits though all fences are signalled: %s", line);
    }
    pg_expect_ok(m->g, tag);
    pg_do(m->g, "p2 exit");
}

static void pg_begin(PGModel *m)
{
    for (unsigned t = 0; t < PG_TIMELINES; t++) {
        pg_do(m->g, "sw-sync t%u", t);
    }
    for (unsigned b = 0; b < PG_BUFFERS; b++) {
        pg_do(m->g, "open f%u %s", b, pg_gpus[b]);
    }
    for (unsigned b = 0; b < PG_BUFFERS; b++) {
        pg_do(m->g, "create f%u b%u 4096", b, b);
        pg_do(m->g, "export b%u d%u", b, b);
        pg_do(m->g, "import f%u d%u i%u", !b, b, b);
    }
    for (unsigned k = 0; k < PG_SYNCOBJS; k++) {
        pg_do(m->g, "syncobj f0 k%u", k);
    }
    pg_do(m->g, "syncobj f0 job");
    pg_do(m->g, "create f0 o 4096");
    pg_op_fence(m);
}

/* Nothing waits for a fence any more when it is freed. */
static void pg_end(PGModel *m)
{
    for (unsigned f = 0; f < PG_FENCES; f++) {
        if (m->fence[f].used) {
            pg_fences_see_fence(m, f);
        }
    }
    pg_look_asked(m);
    for (unsigned t = 0; t < PG_TIMELINES; t++) {
        m->now[t] += 1000;
        pg_do(m->g, "sw-inc t%u 1000", t);
    }
    for (unsigned b = 0; b < PG_BUFFERS; b++) {
        pg_fences_see_buffer(m, b);
    }
    for (unsigned e = 0; e < PG_EVENTS; e++) {
        if (m->watch[e].used) {
            pg_fences_see_watch(m, e);
        }
    }
    pg_look_asked(m);
}

static void pg_test_seed(const void *data)
{
    static void (*const ops[])(PGModel *m) = {
        pg_op_fence, pg_op_fence, pg_op_fence, pg_op_signal, pg_op_signal,
        pg_op_merge, pg_op_merge, pg_op_import, pg_op_import, pg_op_import,
        pg_op_export, pg_op_export, pg_op_load, pg_op_reset, pg_op_point,
        pg_op_point, pg_op_point, pg_op_take, pg_op_point_to_binary,
        pg_op_watch, pg_op_job,
    };
    PGModel m;

    pg_fences_init(&m, pg_start(NULL), GPOINTER_TO_UINT(data));
    pg_begin(&m);
    for (unsigned i = 0; i < PG_OPS; i++) {
        if (pg_any(&m, 25) == 0) {
            pg_op_wait(&m);
        } else {
            ops[pg_any(&m, ARRAY_SIZE(ops))](&m);
        }
        pg_fences_see_some(&m);
    }
    pg_end(&m);
    pg_fences_fini(&m);
    pg_stop(m.g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned seed = 1; seed <= 4; seed++) {
        g_autofree char *path = g_strdup_printf("fences/seed-%u", seed);

        pg_add_case(path, pg_test_seed, GUINT_TO_POINTER(seed));
    }
    return g_test_run();
}
