/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: who may set modes.  Lessor and lessee end in all orders, with a
 * lease that is revoked or on its way through a socket, and masters take turns,
 * while frames of both are shown.  A frame goes with the file that has made it,
 * and with nothing else.
 */
#include "qemu/osdep.h"
#include "primegpu-display-lease.h"

/* What a lessee sees, and what is no lease */
static void pg_test_view(const void *data)
{
    static const struct {
        const char *error;
        const char *line;
    } refused[] = {
        { "EINVAL", "lease l 0 no" },           /* a lease of a lease */
        { "EBUSY", "lease s $O no" },           /* leased already */
        { "EINVAL", "lease s $O no crtc" },
        { "EINVAL", "lease s $O no crtc connector" },
        { "EINVAL", "lease s $O no connector primary" },
        { "ENOSPC", "lease s $O no crtc connector primary crtc" },
        { "ENOENT", "lease s $O no crtc connector primary 99999" },
        { "EINVAL", "lease s $O no crtc connector primary $F" },
        { "EACCES", "lease other $O no" },
        { "EACCES", "revoke other $L" },
        { "EINVAL", "master l drop" },
        { "EBUSY", "master other set" },
        { "ENOENT", "revoke s 77" },
        { "EINVAL", "auth s 12345" },
    };
    PGLease l = { .g = pg_start(&pg_two_outputs), .pair = data };
    g_autofree char *output = NULL, *fb = NULL, *id = NULL;
    PGGuest *g = l.g;

    pg_lease_begin(&l);
    pg_lease_show(&l);
    pg_do(g, "open other %s card", l.pair->show);
    pg_do(g, "uevents u");
    pg_assert_u64(g, "outputs of the lessee",
                  pg_u64(g, pg_do(g, "kms l"), "outputs"), 1);
    pg_lease_assert(&l, "p1", "l", false);
    output = g_strdup_printf("%u", l.output);
    id = g_strdup_printf("%u", l.id);
    fb = g_strdup_printf("%" PRIu64,
                         pg_u64(g, pg_do(g, "addfb leased 64 64 256"), "fb"));
    for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
        g_autoptr(GString) line = g_string_new(refused[i].line);

        g_string_replace(line, "$O", output, 0);
        g_string_replace(line, "$L", id, 0);
        g_string_replace(line, "$F", fb, 0);
        pg_err(g, refused[i].error, "%s", line->str);
    }
    pg_assert_u64(g, "lessees",
                  pg_u64(g, pg_do(g, "lessees s"), "lessees"), 1);
    pg_lease_assert_on(&l, "BO that is shown after what was refused");
    pg_close_file(g, "other");
    pg_close_file(g, "l");
    pg_frame_assert(g, &l.frame, false);
    pg_do(g, "uevent u %u LEASE=1", PG_SOON_MS);
    pg_close_fd(g, "u");
    pg_assert_u64(g, "lessees",
                  pg_u64(g, pg_do(g, "lessees s"), "lessees"), 0);
    pg_lease_again(&l, "s", l.id);
    pg_do(g, "lease s %u l", l.output);
    pg_lease_show(&l);
    pg_lease_end(&l, "all files were closed");
    pg_finish(g);
}

/* The lessor's line, then the lessee's; the frame goes with the last word. */
typedef struct PGLeaseOrder {
    const char *name;
    const char *lines[4];
    unsigned last;              /* line with which the frame goes */
} PGLeaseOrder;

static const PGLeaseOrder pg_orders[] = {
    { "lessee, lessor", { "L close-file l", "S close-file s" }, 0 },
    { "lessor, lessee", { "S close-file s", "L close-file l" }, 1 },
    { "revoke, lessee", { "S revoke", "L close-file l", "S close-file s" }, 1 },
    { "revoke, framebuffer", { "S revoke", "L rmfb",
      "L close-file l" }, 1 },
    { "revoke twice, lessor", { "S revoke", "S revoke", "S close-file s",
      "L close-file l" }, 3 },
    { "framebuffer, revoke", { "L rmfb", "S revoke", "L close-file l"
      }, 0 },
    { "master drops", { "S master s drop", "S close-file s", "L close-file l" },
      2 },
};

static void pg_lease_line(PGLease *l, const char *text)
{
    const char *worker = text[0] == 'S' ? l->lessor : l->lessee;

    if (g_str_equal(text, "S revoke")) {
        pg_do(l->g, "%s revoke s %u", worker, l->id);
        if (!l->ended) {
            pg_lease_again(l, "s", l->id + 1);
        }
        l->ended = true;
    } else if (g_str_equal(text, "S close-file s")) {
        pg_do(l->g, "%s close-file s", worker);
        pg_lease_by_next(l);
        l->ended = true;
    } else if (g_str_equal(text, "L rmfb")) {
        pg_do(l->g, "%s rmfb l %u", worker, l->frame.fb);
    } else {
        pg_do(l->g, "%s %s", worker, text + 2);
    }
}

static void pg_lease_order(PGLease *l, const PGLeaseOrder *o)
{
    pg_lease_begin(l);
    pg_lease_show(l);
    pg_do(l->g, "%s close leased", l->lessee);
    for (unsigned i = 0; i < ARRAY_SIZE(o->lines) && o->lines[i]; i++) {
        pg_lease_line(l, o->lines[i]);
        if (i < o->last) {
            pg_lease_assert_on(l, "BO of a lessee that has lost its lease");
        } else if (i == o->last) {
            pg_frame_assert(l->g, &l->frame, false);
        }
        if (i < o->last) {
            pg_lease_assert(l, l->lessee, "l", l->ended);
        }
    }
    pg_lease_end(l, o->name);
}

static void pg_test_orders(const void *data)
{
    PGGuest *g = pg_start(&pg_two_outputs);

    for (unsigned i = 0; i < ARRAY_SIZE(pg_orders); i++) {
        PGLease one = { .g = g, .pair = data };
        PGLease two = {
            .g = g, .pair = data, .lessor = "p2", .lessee = "p3",
        };

        pg_lease_order(&one, &pg_orders[i]);
        pg_do(g, "spawn p2");
        pg_do(g, "spawn p3");
        pg_lease_order(&two, &pg_orders[i]);
        pg_do(g, "kill p2");
        pg_do(g, "kill p3");
    }
    pg_finish(g);
}

/* Lessor or lessee is killed, with a flip that has yet to come */
static void pg_test_killed(const void *data)
{
    PGGuest *g = pg_start(&pg_two_outputs);

    for (unsigned lessor_first = 0; lessor_first < 2; lessor_first++) {
        PGLease l = {
            .g = g, .pair = data, .lessor = "p2", .lessee = "p3",
        };

        pg_do(g, "spawn p2");
        pg_do(g, "spawn p3");
        pg_lease_begin(&l);
        pg_lease_show(&l);
        pg_do(g, "p3 queue-vblank l 0 100000");
        pg_do(g, "p3 atomic l 0 fb=leased nonblock event out=o");
        if (lessor_first) {
            pg_do(g, "kill p2");
            pg_lease_assert_on(&l, "BO of a lessee whose lessor was killed");
            pg_lease_assert(&l, "p3", "l", true);
        }
        pg_do(g, "kill p3");
        pg_frame_assert(g, &l.frame, false);
        pg_call(g, "kill p2");
        pg_lease_end(&l, "both processes were killed");
    }
    pg_finish(g);
}

/* A lessor that has two lessees, where there are two outputs, goes. */
static void pg_test_lessor(const void *data)
{
    static const char *const ends[] = {
        "p2 close-file s", "p2 exit", "p2 exec", "kill p2",
        "p2 master s drop; p2 close-file s",
        "p2 master s drop; p2 master s set; kill p2",
    };
    PGGuest *g = pg_start(&pg_two_outputs);

    for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
        g_auto(GStrv) lines = g_strsplit(ends[i], "; ", -1);
        PGLease l = {
            .g = g, .pair = data, .lessor = "p2", .lessee = "p3",
        };
        bool two = pg_lease_has_two(&l);

        pg_do(g, "spawn p2");
        pg_do(g, "spawn p3");
        pg_lease_begin(&l);
        pg_lease_show(&l);
        if (two) {
            pg_do(g, "p2 lease s 0 k");
            pg_do(g, "p2 send-file k p3 k");
            pg_do(g, "p2 close-file k");
        }
        for (unsigned k = 0; lines[k]; k++) {
            pg_lease_assert(&l, "p3", "l", false);
            if (two) {
                pg_lease_assert(&l, "p3", "k", false);
            }
            pg_do(g, "%s", lines[k]);
        }
        pg_lease_assert(&l, "p3", "l", true);
        if (two) {
            pg_lease_assert(&l, "p3", "k", true);
        }
        pg_call(g, "spawn p2");
        pg_lease_by_next(&l);
        pg_do(g, "kill p2");
        pg_lease_assert_on(&l, "BO of a lessee whose lessor has gone");
        pg_do(g, "kill p3");
        pg_frame_assert(g, &l.frame, false);
        pg_lease_end(&l, ends[i]);
    }
    pg_finish(g);
}

/* The device goes under lessor and lessee, who close in both orders. */
static void pg_test_unbound(const void *data)
{
    const PGDisplayPair *pair = data;
    PGGuest *g = pg_start(&pg_two_outputs);

    for (unsigned i = 0; i < 2; i++) {
        PGLease l = {
            .g = g, .pair = data, .lessor = "p2", .lessee = "p3",
        };

        pg_do(g, "spawn p2");
        pg_do(g, "spawn p3");
        pg_lease_begin(&l);
        pg_lease_show(&l);
        pg_do(g, "p0 unbind %s", pair->show);
        pg_err(g, "ENODEV", "p3 leased l");
        pg_err(g, "ENODEV", "p2 lessees s");
        pg_err(g, "ENODEV", "p2 revoke s %u", l.id);
        pg_err(g, "ENODEV", "p2 lease s 0 k");
        pg_do(g, "kill %s", i ? "p2" : "p3");
        pg_settle(g);
        pg_do(g, "kill %s", i ? "p3" : "p2");
        pg_settle(g);
        pg_assert_table(g, UINT64_C(0));
        pg_do(g, "p0 bind %s", pair->show);
        pg_do(g, "spawn p2");
        pg_lease_by_next(&l);
        pg_do(g, "kill p2");
        pg_assert_nothing_left(g, "all files of a device that was gone");
    }
    pg_finish(g);
}

/* A lease is in the queue of a socket, and nowhere else. */
static void pg_test_flight(const void *data)
{
    static const char *const ends[] = {
        "p2 land out back; p2 close-fd back; p2 close-fd out; p2 close-fd in",
        "p2 close-fd in; p2 close-fd out", "p2 close-fd out; p2 close-fd in",
        "kill p2",
    };
    PGGuest *g = pg_start(&pg_two_outputs);

    for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
        g_auto(GStrv) lines = g_strsplit(ends[i], "; ", -1);
        PGLease l = { .g = g, .pair = data, .lessee = "p2" };

        pg_do(g, "spawn p2");
        pg_lease_begin(&l);
        pg_lease_show(&l);
        pg_do(g, "p2 socketpair in out");
        pg_do(g, "p2 file-fd l f");
        pg_do(g, "p2 flight f in");
        pg_do(g, "p2 close-fd f");
        pg_do(g, "p2 close-file l");
        if (i & 1) {
            pg_do(g, "revoke s %u", l.id);
        }
        pg_lease_assert_on(&l, "BO of a lessee in a socket");
        for (unsigned k = 0; lines[k]; k++) {
            pg_do(g, "%s", lines[k]);
        }
        pg_settle(g);
        pg_await_events(g, PRIME_GPU_LEDGER_EVENT_KIND_RELEASE, l.frame.drawn,
                        1);
        pg_assert_u64(g, "lessees",
                      pg_u64(g, pg_do(g, "lessees s"), "lessees"), 0);
        pg_call(g, "kill p2");
        pg_lease_end(&l, ends[i]);
    }
    pg_finish(g);
}

/* Two masters in turn; each has its frame, and shows it when it may. */
static void pg_test_masters(const void *data)
{
    const PGDisplayPair *pair = data;
    PGGuest *g = pg_start(NULL);

    for (unsigned i = 0; i < 4; i++) {
        const char *first = i & 1 ? "b" : "a", *then = i & 1 ? "a" : "b";
        PGLease l = { .g = g, .pair = pair };
        PGFrame a, b;

        pg_restart_script(g);
        pg_forget(g);
        pg_open(g, "d", pair->draw);
        pg_do(g, "open a %s card", pair->show);
        pg_do(g, "open b %s card", pair->show);
        pg_do(g, "auth a %" PRIu64, pg_u64(g, pg_do(g, "magic b"), "magic"));
        a = pg_frame(g, pair, "p1", "a", "fa");
        b = pg_frame(g, pair, "p1", "b", "fb");
        pg_do(g, "atomic a 0 mode=320x240 fb=fa");
        pg_err(g, "EACCES", "atomic b 0 fb=fb");
        pg_err(g, "EACCES", "auth b 1");
        pg_do(g, "lease a 0 l");
        pg_do(g, "master a drop");
        pg_lease_assert(&l, "p1", "l", false);
        pg_err(g, "EACCES", "atomic a 0 fb=fa");
        pg_err(g, "EACCES", "atomic b 0 fb=fb");
        pg_do(g, "master b set");
        pg_err(g, "EBUSY", "master a set");
        pg_err(g, "EACCES", "atomic l 0 fb=off");
        pg_do(g, "atomic b 0 fb=fb wait");
        pg_do(g, "close fa");
        pg_frame_assert(g, &a, true);
        if (i & 2) {
            pg_do(g, "master b drop");
            pg_do(g, "master a set");
            pg_do(g, "atomic a 0 fb=off");
            pg_do(g, "atomic l 0 fb=off");
        }
        pg_lease_assert(&l, "p1", "l", false);
        pg_close_file(g, first);
        pg_frame_assert(g, i & 1 ? &b : &a, false);
        pg_frame_assert(g, i & 1 ? &a : &b, true);
        pg_close_file(g, then);
        pg_frame_assert(g, i & 1 ? &a : &b, false);
        pg_lease_assert(&l, "p1", "l", true);
        pg_close_file(g, "l");
        pg_close_file(g, "d");
        pg_assert_nothing_left(g, "both masters were closed");
        pg_do(g, "blank");
    }
    pg_finish(g);
}

static const PGDisplayTest pg_tests[] = {
    { "view", pg_test_view },
    { "orders", pg_test_orders },
    { "killed", pg_test_killed },
    { "lessor", pg_test_lessor },
    { "flight", pg_test_flight },
    { "masters", pg_test_masters },
};

static const PGDisplayTest pg_unbound[] = {
    { "unbound", pg_test_unbound },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    pg_add_shower_tests("display-lease", pg_tests, ARRAY_SIZE(pg_tests));
    /* The agent unbinds what is on PCI. */
    pg_add_display_tests("display-lease", pg_unbound, ARRAY_SIZE(pg_unbound));
    return g_test_run();
}
