/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test: compares the devices' events with the model.
 *
 * Made: in the step that made it, with its exporter.  Released: not before the
 * step in which the last that kept it went, and not after the next settled
 * step, at which table, handles and jobs are exactly the model's.
 */
#include "primegpu-model-run.h"

static const char *pgm_line(PGMDrive *d, unsigned step)
{
    return pg_step_line(d->g, d->base + step);
}

static void pgm_check_create(PGMDrive *d, PGMObj *obj, const PGEvent *e)
{
    PGMObj *root = pgm_root(obj);
    uint64_t exporter = root == obj ? 0 : root->key;

    if (obj->seen_create || e->step != d->base + obj->born ||
        e->size != obj->size ||
        !g_str_has_prefix(e->device, pgm_device_name(obj->dev))) {
        pg_fail(d->g, "a BO was made otherwise than by step %u (%s): 0x%"
                PRIx64 " of %s, %" PRIu64 " bytes, in step %u (%s)",
                d->base + obj->born, pgm_line(d, obj->born), e->key,
                e->device, e->size, e->step, pg_step_line(d->g, e->step));
    }
    if (e->other != exporter) {
        pg_fail(d->g, "wrong exporter: BO 0x%" PRIx64 " imports 0x%" PRIx64
                " and not 0x%" PRIx64 ", in step %u (%s)", e->key, e->other,
                exporter, e->step, pg_step_line(d->g, e->step));
    }
    obj->seen_create = true;
}

static void pgm_check_release(PGMDrive *d, PGMObj *obj, const PGEvent *e)
{
    unsigned due = obj->gone ?: obj->dead;

    if (!due || e->step < d->base + due) {
        pg_fail(d->g, "released too early: BO 0x%" PRIx64
                " (made in step %u: %s), in step %u (%s); it is in use until "
                "step %u (%s)", e->key, d->base + obj->born,
                pgm_line(d, obj->born), e->step, pg_step_line(d->g, e->step),
                due ? d->base + due : 0,
                due ? pgm_line(d, due) : "after this one");
    }
    obj->seen_release = e->step;
}

static bool pgm_is_about_life(PrimeGPULedgerEventKind kind)
{
    return kind == PRIME_GPU_LEDGER_EVENT_KIND_CREATE ||
           kind == PRIME_GPU_LEDGER_EVENT_KIND_OPEN ||
           kind == PRIME_GPU_LEDGER_EVENT_KIND_CLOSE ||
           kind == PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT ||
           kind == PRIME_GPU_LEDGER_EVENT_KIND_RELEASE ||
           kind == PRIME_GPU_LEDGER_EVENT_KIND_DROP;
}

static void pgm_check_event(PGMDrive *d, const PGEvent *e)
{
    PGMObj *obj = g_hash_table_lookup(d->keys, &e->key);

    if (e->kind == PRIME_GPU_LEDGER_EVENT_KIND_VIOLATION) {
        g_autoptr(GString) s = g_string_new(NULL);

        pg_print_violations(d->g, s);
        pg_fail(d->g, "the device saw a violation: %.*s",
                (int)strcspn(s->str, "\n"), s->str);
    }
    if (!pgm_is_about_life(e->kind)) {
        return;
    }
    if (!obj) {
        pg_fail(d->g, "%s of a BO that no reply names: 0x%" PRIx64
                " of %s, in step %u (%s)", PrimeGPULedgerEventKind_str(e->kind),
                e->key, e->device, e->step, pg_step_line(d->g, e->step));
    }
    switch (e->kind) {
    case PRIME_GPU_LEDGER_EVENT_KIND_CREATE:
        pgm_check_create(d, obj, e);
        break;
    case PRIME_GPU_LEDGER_EVENT_KIND_OPEN:
        obj->seen_handles++;
        break;
    case PRIME_GPU_LEDGER_EVENT_KIND_CLOSE:
        obj->seen_handles--;
        break;
    case PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT:
        obj->seen_jobs++;
        g_array_append_val(d->submits, obj->key);
        break;
    default:
        pgm_check_release(d, obj, e);
        break;
    }
}

static bool pgm_submitted(const PGMDrive *d, const PGMObj *obj)
{
    for (unsigned i = 0; i < d->submits->len; i++) {
        if (g_array_index(d->submits, uint64_t, i) == obj->key) {
            return true;
        }
    }
    return false;
}

/* A job that was waited for named these BOs, and no others. */
static void pgm_check_job(PGMDrive *d, const PGMExpect *x)
{
    unsigned bos = 1 + (x->src && x->src != x->dst);

    if (!pgm_submitted(d, x->dst) || (x->src && !pgm_submitted(d, x->src)) ||
        (!x->other_jobs && d->submits->len != bos)) {
        pg_fail(d->g, "wrong BO in a job: it is to name 0x%" PRIx64 " and 0x%"
                PRIx64 ", and names %u BOs, the first of them 0x%" PRIx64
                ", in step %u (%s)", x->dst->key, x->src ? x->src->key : 0,
                d->submits->len, d->submits->len ?
                g_array_index(d->submits, uint64_t, 0) : 0,
                d->base + x->step, pgm_line(d, x->step));
    }
}

static void pgm_check_dead(PGMDrive *d, const PGMExpect *x)
{
    for (unsigned i = 0; i < d->m->objs->len; i++) {
        const PGMObj *obj = g_ptr_array_index(d->m->objs, i);

        unsigned due = obj->gone ?: obj->dead;

        if (obj->key && due && due <= x->step && !obj->seen_release) {
            pg_fail(d->g, "not released: BO 0x%" PRIx64 " (made in step %u: "
                    "%s), due in step %u (%s), alive after step %u (%s)",
                    obj->key, d->base + obj->born, pgm_line(d, obj->born),
                    d->base + due, pgm_line(d, due),
                    d->base + x->step, pgm_line(d, x->step));
        }
    }
}

static void pgm_check_alive(PGMDrive *d, const PGMExpect *x,
                            const PGMAlive *alive)
{
    const PGMObj *obj = alive->obj;

    if (obj->seen_handles != (int)alive->handles) {
        pg_fail(d->g, "BO 0x%" PRIx64 " (made in step %u: %s) has %d handles "
                "and not %u, after step %u (%s)", obj->key,
                d->base + obj->born, pgm_line(d, obj->born),
                obj->seen_handles, alive->handles, d->base + x->step,
                pgm_line(d, x->step));
    }
    if (obj->seen_jobs != alive->jobs && !obj->lost_jobs) {
        pg_fail(d->g, "BO 0x%" PRIx64 " (made in step %u: %s) was named by %u "
                "jobs and not by %u, after step %u (%s)", obj->key,
                d->base + obj->born, pgm_line(d, obj->born), obj->seen_jobs,
                alive->jobs, d->base + x->step, pgm_line(d, x->step));
    }
}

static void pgm_check_settled(PGMDrive *d, const PGMExpect *x)
{
    pgm_check_dead(d, x);
    for (unsigned i = 0; i < x->alive->len; i++) {
        pgm_check_alive(d, x, &g_array_index(x->alive, PGMAlive, i));
    }
}

static void pgm_check_step(PGMDrive *d, const PGMExpect *x)
{
    if (x->birth && pgm_is_gpu(x->obj->dev) && !x->obj->seen_create) {
        pg_fail(d->g, "no BO was made, in step %u (%s)", d->base + x->step,
                pgm_line(d, x->step));
    }
    if (x->dst) {
        pgm_check_job(d, x);
    }
    if (x->settled) {
        pgm_check_settled(d, x);
    }
}

void pgm_check_events(PGMDrive *d, unsigned steps)
{
    const GArray *events = pg_events(d->g);

    d->report->events = events->len;
    for (unsigned i = 0; i < steps; i++) {
        const PGMExpect *x = &g_array_index(d->steps, PGMSent, i).x;

        g_array_set_size(d->submits, 0);
        while (d->event < events->len) {
            const PGEvent *e = &g_array_index(events, PGEvent, d->event);

            if (e->step > d->base + x->step) {
                break;
            }
            pgm_check_event(d, e);
            d->event++;
        }
        pgm_check_step(d, x);
    }
}
