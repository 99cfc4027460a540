/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: a lessor and its lessee.  The lease ends when it is revoked and
 * when the lessor's file is closed, by whatever; the frame stays until the
 * lessee lets go of it.
 */
#include "qemu/osdep.h"
#include "primegpu-display-lease.h"

PGFrame pg_frame(PGGuest *g, const PGDisplayPair *pair, const char *worker,
                 const char *file, const char *bo)
{
    PGFrame f = { 0 };
    const PGReply *r;

    r = pg_do(g, "%s create d %s-d %u", worker, bo, PG_SHOW_SIZE);
    f.drawn = pg_u64(g, r, "key");
    pg_do(g, "%s export %s-d x", worker, bo);
    r = pg_do(g, "%s import %s x %s", worker, file, bo);
    f.shown = pair->show_id ? pg_u64(g, r, "key") : 0;
    pg_do(g, "%s close-fd x", worker);
    pg_do(g, "%s close %s-d", worker, bo);
    r = pg_do(g, "%s addfb %s %u %u %u", worker, bo, PG_SHOW_WIDTH,
              PG_SHOW_HEIGHT, PG_SHOW_WIDTH * 4);
    f.fb = pg_u64(g, r, "fb");
    return f;
}

void pg_frame_assert(PGGuest *g, const PGFrame *f, bool alive)
{
    pg_settle(g);
    if (alive) {
        pg_assert_alive(g, f->drawn);
    } else {
        if (f->shown) {
            pg_assert_released(g, f->shown, pg_step(g));
        }
        pg_await_events(g, PRIME_GPU_LEDGER_EVENT_KIND_RELEASE, f->drawn, 1);
        pg_assert_released(g, f->drawn, pg_step(g));
    }
}

bool pg_lease_has_two(const PGLease *l)
{
    return l->pair->show_id;
}

void pg_lease_assert_on(PGLease *l, const char *what)
{
    pg_frame_assert(l->g, &l->frame, true);
    if (l->pair->show_id) {
        pg_assert_u64(l->g, what,
                      pg_output(l->g, l->pair->show_id, l->output).key,
                      l->frame.shown);
    }
}

void pg_lease_begin(PGLease *l)
{
    PGGuest *g = l->g;

    pg_restart_script(g);
    pg_forget(g);
    l->lessor = l->lessor ?: "p1";
    l->lessee = l->lessee ?: "p1";
    l->output = pg_lease_has_two(l);
    pg_do(g, "%s open d %s", l->lessor, l->pair->draw);
    pg_do(g, "%s open s %s card", l->lessor, l->pair->show);
    if (pg_lease_has_two(l)) {
        l->own = pg_frame(g, l->pair, l->lessor, "s", "own");
        pg_do(g, "%s atomic s 0 mode=320x240 fb=own", l->lessor);
    }
    l->id = pg_u64(g, pg_do(g, "%s lease s %u l", l->lessor, l->output),
                   "lessee");
    if (!g_str_equal(l->lessor, l->lessee)) {
        pg_do(g, "%s send-file l %s l", l->lessor, l->lessee);
        pg_do(g, "%s close-file l", l->lessor);
        pg_do(g, "%s open d %s", l->lessee, l->pair->draw);
    }
}

void pg_lease_show(PGLease *l)
{
    l->frame = pg_frame(l->g, l->pair, l->lessee, "l", "leased");
    pg_do(l->g, "%s atomic l 0 mode=320x240 fb=leased", l->lessee);
    pg_lease_assert_on(l, "BO that the lessee shows");
}

/* CRTC, connector and planes */
static unsigned pg_lease_objects(const PGLease *l)
{
    return l->pair->show_id ? 5 : 4;
}

void pg_lease_assert(const PGLease *l, const char *worker, const char *file,
                     bool ended)
{
    PGGuest *g = l->g;
    const PGReply *r = pg_call(g, "%s leased %s", worker, file);

    /* Where the lessor is master; what can be seen does not ask for that. */
    if (r->ok) {
        pg_assert_u64(g, ended ? "objects of a lease that has ended"
                               : "objects of the lessee",
                      pg_u64(g, r, "objects"),
                      ended ? 0 : pg_lease_objects(l));
    }
    r = pg_call(g, "%s modes %s 0", worker, file);
    if (!ended && !r->ok) {
        pg_fail(g, "a lessee does not see its connector: %s", r->error);
    }
    if (!ended) {
        return;
    }
    if (r->ok || !g_str_equal(r->error, "ENOENT")) {
        pg_fail(g, "a lessee without a lease sees a connector: %s",
                r->ok ? "ok" : r->error);
    }
    if (pg_call(g, "%s atomic %s 0 fb=off", worker, file)->ok) {
        pg_fail(g, "a lessee without a lease has turned a plane off");
    }
}

void pg_lease_again(const PGLease *l, const char *master, unsigned id)
{
    PGGuest *g = l->g;
    uint64_t lessees =
        pg_u64(g, pg_do(g, "%s lessees %s", l->lessor, master), "lessees");

    pg_assert_u64(g, "number of the new lessee",
                  pg_u64(g, pg_do(g, "%s lease %s %u k", l->lessor, master,
                                  l->output), "lessee"), id);
    pg_lease_assert(l, l->lessor, "k", false);
    pg_assert_u64(g, "lessees",
                  pg_u64(g, pg_do(g, "%s lessees %s", l->lessor, master),
                         "lessees"), lessees + 1);
    pg_do(g, "%s close-file k", l->lessor);
    pg_assert_u64(g, "lessees",
                  pg_u64(g, pg_do(g, "%s lessees %s", l->lessor, master),
                         "lessees"), lessees);
    pg_err(g, "ENOENT", "%s revoke %s %u", l->lessor, master, id);
}

void pg_lease_by_next(const PGLease *l)
{
    pg_do(l->g, "%s open n %s card", l->lessor, l->pair->show);
    pg_lease_again(l, "n", 1);
    pg_do(l->g, "%s close-file n", l->lessor);
}

void pg_lease_end(PGLease *l, const char *what)
{
    static const char *const files[] = { "l", "s", "d" };

    for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
        pg_call(l->g, "%s close-file %s", l->lessor, files[i]);
        pg_call(l->g, "%s close-file %s", l->lessee, files[i]);
    }
    pg_assert_nothing_left(l->g, what);
    pg_assert_no_violations(l->g);
    /* A display that nobody has turned off is on without planes. */
    pg_do(l->g, "blank");
}
