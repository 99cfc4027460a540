/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test: plays a sequence in a guest.  The model says what each step must
 * come to before it is sent; steps of one worker go in one batch, replies are
 * compared when the batch is answered, and what the devices saw when enough
 * steps have come together.
 *
 * A step of another worker waits for the batch before it: the marker is one for
 * the whole machine.
 */
#include "primegpu-model-run.h"

/*
 * The devices are asked when so many steps have been answered, while the guest
 * has others to do: it is not left idle; so many are sent at most.
 */
#define PGM_WINDOW 64
#define PGM_BATCH  96

static void pgm_differ(PGMDrive *d, const PGMExpect *x, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4) G_GNUC_NORETURN;

static void pgm_differ(PGMDrive *d, const PGMExpect *x, const char *fmt, ...)
{
    g_autofree char *line = pgm_op_line(&x->op);
    g_autofree char *what = NULL;
    va_list ap;

    va_start(ap, fmt);
    what = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    pg_fail(d->g, "%s; in step %u: %s", what, d->base + x->step, line);
}

static void pgm_check_key(PGMDrive *d, const PGMExpect *x, const PGReply *r)
{
    PGMObj *obj = x->obj, *other;
    uint64_t key;

    if (!pgm_is_gpu(obj->dev)) {
        return;
    }
    if (!strstr(r->text, "key=")) {
        pgm_differ(d, x, "dead handle: '%s', and it is to name 0x%" PRIx64
                   " (made in step %u)", r->text, obj->key,
                   d->base + obj->born);
    }
    key = pg_u64(d->g, r, "key");
    other = g_hash_table_lookup(d->keys, &key);
    if (!obj->key && !other) {
        obj->key = key;
        g_hash_table_insert(d->keys, &obj->key, obj);
    } else if (obj->key != key) {
        pgm_differ(d, x, "wrong BO: the handle names 0x%" PRIx64
                   " (made in step %u) and not %s0x%" PRIx64
                   " (made in step %u)", key,
                   other ? d->base + other->born : 0,
                   obj->key ? "" : "a new one, ", obj->key,
                   d->base + obj->born);
    }
}

static void pgm_check_number(PGMDrive *d, const PGMExpect *x, const PGReply *r,
                             const char *name, uint64_t want)
{
    uint64_t is = pg_u64(d->g, r, name);

    if (is != want) {
        pgm_differ(d, x, "%s is 0x%" PRIx64 " and not 0x%" PRIx64, name, is,
                   want);
    }
}

static void pgm_check_reply(PGMDrive *d, const PGMExpect *x, const PGReply *r)
{
    const char *got = r->ok ? "ok" : r->error;

    d->report->ops++;
    d->report->errors += !r->ok;
    d->report->kinds[x->op.kind]++;
    if (!r->ok && x->maybe && g_str_equal(r->error, x->maybe)) {
        return;
    }
    if (!g_str_equal(got, x->error ?: "ok")) {
        pgm_differ(d, x, "the reply is '%s%s%s' and not '%s'", got,
                   r->ok ? "" : " ", r->ok ? "" : r->text, x->error ?: "ok");
    }
    if (!r->ok) {
        return;
    }
    if (x->obj) {
        /* The key first: it tells more. */
        pgm_check_key(d, x, r);
        pgm_check_number(d, x, r, "handle", x->handle);
        /* GETFB alone does not tell it. */
        if (pgm_is_gpu(x->obj->dev) || strstr(r->text, "size=")) {
            pgm_check_number(d, x, r, "size", x->obj->size);
        }
    }
    if (x->flink) {
        pgm_check_number(d, x, r, "name", x->flink);
    }
    if (x->fb) {
        pgm_check_number(d, x, r, "fb", x->fb);
    }
    if (x->sync_handle) {
        pgm_check_number(d, x, r, "handle", x->sync_handle);
    }
    if (x->has_submitted) {
        pgm_check_number(d, x, r, "submitted", x->submitted);
        if (x->signalled) {
            pgm_check_number(d, x, r, "signalled", x->submitted);
        }
    }
    if (x->has_checksum) {
        pgm_check_number(d, x, r, "checksum", x->checksum);
    }
}

static void pgm_check_answered(PGMDrive *d)
{
    pgm_check_events(d, d->answered);
    if (d->answered) {
        g_array_remove_range(d->steps, 0, d->answered);
        d->answered = 0;
    }
}

/* Wait for the batch. */
static void pgm_flush(PGMDrive *d)
{
    if (d->answered >= PGM_WINDOW) {
        pgm_check_answered(d);
    }
    for (; d->answered < d->steps->len; d->answered++) {
        PGMSent *sent = &g_array_index(d->steps, PGMSent, d->answered);

        if (sent->tag && !sent->x.waits) {
            pgm_check_reply(d, &sent->x, pg_recv(d->g, sent->tag));
        }
    }
}

static void pgm_clear_sent(gpointer data)
{
    pgm_expect_clear(&((PGMSent *)data)->x);
}

/* The gate of a device; what waits for it goes on when it opens. */
static void pgm_send_gate(PGMDrive *d, const char *device, bool closed)
{
    PGMSent *waiting = &d->waiting;

    if (waiting->tag && pg_wait(d->g, waiting->tag, 0)) {
        const PGReply *r = pg_recv(d->g, waiting->tag);

        pgm_differ(d, &waiting->x, "the call did not wait for a job; its reply "
                   "is '%s%s%s'", r->ok ? "ok" : r->error, *r->text ? " " : "",
                   r->text);
    }
    pg_gate(d->g, device, closed);
    if (waiting->tag) {
        pgm_check_reply(d, &waiting->x, pg_recv(d->g, waiting->tag));
        waiting->tag = 0;
    }
}

static void pgm_send_op(PGMDrive *d, PGMSent *sent)
{
    const PGMOp *op = &sent->x.op;
    g_autofree char *line = pgm_op_line(op);

    if (op->kind == PGM_GATE || op->kind == PGM_INJECT) {
        g_autofree char *device =
            g_strdup_printf("%s0", pgm_device_name(op->device));

        if (op->kind == PGM_GATE) {
            pgm_send_gate(d, device, op->mode);
        } else {
            pg_inject(d->g, device, pgm_fault_name(op->mode),
                      pgm_fault_ns(op->mode));
        }
        d->report->ops++;
        d->report->kinds[op->kind]++;
    } else {
        sent->tag = pg_send(d->g, "%s", line);
    }
    if (sent->x.waits) {
        d->waiting = *sent;
        /* What others do meanwhile belongs to later steps. */
        pg_await_step(d->g, d->base + sent->x.step);
    }
}

static void pgm_play(PGMDrive *d, const PGMOp *op)
{
    bool alone = pgm_kinds[op->kind].alone;
    PGMSent sent = { 0 };

    if (!pgm_step(d->m, op, &sent.x)) {
        return;
    }
    if (alone || op->worker != d->worker) {
        pgm_flush(d);
    }
    d->worker = op->worker;
    pgm_send_op(d, &sent);
    g_array_append_val(d->steps, sent);
    if (alone) {
        pgm_flush(d);
    }
    if (d->steps->len - d->answered >= PGM_BATCH) {
        pgm_flush(d);
    }
}

/* The number that a device's next framebuffer gets; 0 if it has none */
static unsigned pgm_probe_fb(PGGuest *g, PGMDevice dev)
{
    const PGReply *r;
    unsigned fb;

    pg_do(g, "open probe %s card", pgm_device_name(dev));
    pg_do(g, "create probe probe %u", PGM_PAGE);
    r = pg_call(g, "addfb probe %u %u %u", PGM_SCREEN, PGM_SCREEN,
                PGM_SCREEN * 4);
    fb = r->ok ? pg_u64(g, r, "fb") : 0;
    pg_do(g, "close-file probe");
    return fb;
}

/*
 * The same of a driver that was bound again: nobody has asked a display yet for
 * its EDID, which has a number as well.
 */
static unsigned pgm_probe_rebound(PGGuest *g, PGMDevice dev, unsigned fb)
{
    pg_do(g, "open probe %s card", pgm_device_name(dev));
    for (unsigned i = 0; fb; i++) {
        const PGReply *r = pg_call(g, "props probe %u connector EDID", i);
        unsigned edid;

        if (!r->ok) {
            break;
        }
        edid = pg_u64(g, r, "value");
        fb = edid ? MIN(fb, edid) : fb;
    }
    pg_do(g, "close-file probe");
    return fb;
}

/* A mode takes a number, too. */
static void pgm_learn(PGGuest *g, bool dynamic, PGMLearned *learned)
{
    g_auto(GStrv) setup = pgm_setup_lines(dynamic);

    *learned = (PGMLearned) { .dynamic = dynamic };
    for (unsigned dev = 0; dev < PGM_DEVICES; dev++) {
        unsigned fb = dev == PGM_VGEM ? 0 : pgm_probe_fb(g, dev);

        learned->fb_base[dev][0] = fb;
        for (unsigned bind = 1; pgm_is_gpu(dev) && bind < PGM_BINDS; bind++) {
            learned->fb_base[dev][bind] = pgm_probe_rebound(g, dev, fb);
        }
    }
    pg_restart_script(g);
    for (unsigned i = 0; setup[i]; i++) {
        pg_call(g, "%s", setup[i]);
    }
    for (unsigned dev = 0; dev < PGM_DEVICES; dev++) {
        unsigned fb = learned->fb_base[dev][0] ? pgm_probe_fb(g, dev) : 0;

        /* A mode that was refused has taken none. */
        learned->output[dev] = fb != learned->fb_base[dev][0];
        learned->fb_base[dev][0] = fb;
    }
    pg_settle(g);
    pg_forget(g);
}

void pgm_run(const void *data)
{
    const PGMRun *run = data;
    g_autoptr(GArray) end = g_array_new(FALSE, TRUE, sizeof(PGMOp));
    int64_t start;
    PGMDrive d = {
        .g = pg_start(NULL), .report = run->report,
        .steps = g_array_new(FALSE, TRUE, sizeof(PGMSent)),
        .keys = g_hash_table_new(g_int64_hash, g_int64_equal),
        .submits = g_array_new(FALSE, FALSE, sizeof(uint64_t)),
    };

    g_array_set_clear_func(d.steps, pgm_clear_sent);
    pgm_learn(d.g, run->dynamic, &d.report->learned);
    d.m = pgm_new(&d.report->learned);
    d.base = pg_step(d.g);
    start = g_get_monotonic_time();
    pgm_epilogue(end);
    for (unsigned i = 0; i < run->ops->len; i++) {
        d.report->last = i;
        pgm_play(&d, &g_array_index(run->ops, PGMOp, i));
    }
    d.report->last = run->ops->len;
    for (unsigned i = 0; i < end->len; i++) {
        pgm_play(&d, &g_array_index(end, PGMOp, i));
    }
    pgm_flush(&d);
    pgm_check_answered(&d);
    pg_assert_table_is(d.g, NULL, 0);
    d.report->us = g_get_monotonic_time() - start;
    pg_stop(d.g);
}
