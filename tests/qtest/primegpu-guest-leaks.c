/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest rig: what is left in the guest's kernel at the end of a case.
 *
 * The agent notes how much each line of DRM, dma-buf and the drivers has
 * allocated before the guest is saved.  When a case is over, all of the guest's
 * processes are killed, and what a display has kept of its last commit is
 * reset: whatever is still allocated has leaked.
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "primegpu-guest-priv.h"
#include "hw/display/primegpu/primegpu_agent.h"

/* Processes that wait for a job that never ends die later than this. */
#define PG_KILL_LIMIT_MS 2000

/* What workers of the kernel have yet to free */
#define PG_LEAK_TRIES 10
#define PG_LEAK_PAUSE_MS 100

/* Each part of a display keeps its last commit, which others may share. */
static const char *const pg_display_keeps[] = {
    "func:drm_atomic_helper_setup_commit", "func:crtc_or_fake_commit", NULL,
};

/* One thread, one guest in a process */
static GString *pg_grown;
static bool pg_shown;           /* there may be displays that are not reset */
static const char *pg_expected; /* part of a line that is not counted */

static bool pg_display_may_keep(const char *line)
{
    for (unsigned i = 0; pg_shown && pg_display_keeps[i]; i++) {
        if (strstr(line, pg_display_keeps[i])) {
            return true;
        }
    }
    return false;
}

void pg_expect_leaks(const char *text)
{
    pg_expected = text;
}

static void pg_grown_line(const char *line)
{
    if (g_str_has_prefix(line, "| ") && !pg_display_may_keep(line) &&
        !(pg_expected && strstr(line, pg_expected))) {
        g_string_append_printf(pg_grown, "%s\n", line + 2);
    }
}

void pg_mark_allocated(PGGuest *g)
{
    /*
     * p0 is not killed: clients in the kernel have its name, as it inserted
     * their modules.  What its first marker maps is there from now on.
     */
    pg_recv(g, pg_agent_send(g, "marker 0"));
    pg_recv(g, pg_agent_send(g, "blank"));
    /* A kernel of somebody else's may not tell: then nothing is compared. */
    pg_recv(g, pg_agent_send(g, "leaks mark"));
}

static void pg_open_gates(PGGuest *g)
{
    g_auto(GStrv) devices = pg_devices(g);

    for (unsigned i = 0; devices[i]; i++) {
        qtest_qmp_assert_success(g->qts,
                                 "{ 'execute': 'primegpu-gate', 'arguments': "
                                 "  { 'device': %s, 'closed': false } }",
                                 devices[i]);
    }
    qtest_qmp_assert_success(g->qts,
                             "{ 'execute': 'primegpu-inject-clear' }");
}

/* False if there is one that does not die. */
static bool pg_kill_workers(PGGuest *g)
{
    unsigned tags[PRIMEGPU_AGENT_WORKERS + 1];
    bool dead = true;

    for (unsigned n = 1; n <= PRIMEGPU_AGENT_WORKERS; n++) {
        g_autofree char *line = g_strdup_printf("kill p%u", n);

        tags[n] = pg_agent_send(g, line);
    }
    for (unsigned n = 1; dead && n <= PRIMEGPU_AGENT_WORKERS; n++) {
        dead = pg_wait(g, tags[n], PG_KILL_LIMIT_MS * pg_slow());
    }
    return dead;
}

/* What has grown, or NULL if the guest cannot tell */
static const char *pg_ask_grown(PGGuest *g, const char *line)
{
    PGTextFn *before = g->text;
    bool ok;

    pg_recv(g, pg_agent_send(g, "settle 1000"));
    g_string_truncate(pg_grown, 0);
    pg_on_text(g, pg_grown_line);
    ok = pg_recv(g, pg_agent_send(g, line))->ok;
    pg_on_text(g, before);
    return ok ? pg_grown->str : NULL;
}

/* @line asks; what displays keep is reset if @blank. */
static char *pg_await_grown(PGGuest *g, const char *line, bool blank)
{
    const char *grown;

    pg_grown = g_string_new(NULL);
    pg_shown = !blank;
    for (unsigned i = 0; i < PG_LEAK_TRIES; i++) {
        grown = pg_ask_grown(g, line);
        if (!grown || !*grown) {
            break;
        }
        if (blank) {
            /* A driver of somebody else's may refuse. */
            pg_recv(g, pg_agent_send(g, "blank"));
            blank = false;
        } else {
            g_usleep(PG_LEAK_PAUSE_MS * 1000);
        }
    }
    return g_string_free(pg_grown, !grown);
}

char *pg_grown_now(PGGuest *g)
{
    return pg_await_grown(g, "leaks", false);
}

/* The first output that interrupts at each vertical blank, or NULL */
static char *pg_vblank_irq(PGGuest *g)
{
    QDict *rsp = pg_query(g, "{ 'execute': 'query-primegpu' }");
    const QListEntry *e, *k;
    char *name = NULL;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        const QDict *d = qobject_to(QDict, qlist_entry_obj(e));

        QLIST_FOREACH_ENTRY(qdict_get_qlist(d, "outputs"), k) {
            const QDict *output = qobject_to(QDict, qlist_entry_obj(k));

            if (!name && qdict_get_bool(output, "vblank-irq")) {
                name = g_strdup_printf("output %" PRId64 " of %s",
                                       qdict_get_int(output, "index"),
                                       qdict_get_str(d, "device"));
            }
        }
    }
    qobject_unref(rsp);
    return name;
}

void pg_assert_no_vblank_irq(PGGuest *g, const char *when)
{
    for (unsigned i = 0;; i++) {
        g_autofree char *name = pg_vblank_irq(g);

        if (!name) {
            return;
        }
        if (i == PG_LEAK_TRIES * pg_slow()) {
            pg_fail(g, "%s interrupts at each vertical blank: %s", name, when);
        }
        g_usleep(PG_LEAK_PAUSE_MS * 1000);
    }
}

void pg_assert_nothing_allocated(PGGuest *g)
{
    g_autofree char *grown = NULL;

    if (g->machine.untraced) {
        return;
    }
    if (pg_has_primegpu(&g->machine)) {
        pg_open_gates(g);
    }
    if (!pg_kill_workers(g)) {
        return;
    }
    if (pg_has_primegpu(&g->machine)) {
        pg_assert_no_vblank_irq(g, "all processes are gone");
    }
    grown = pg_await_grown(g, "leaks first", true);
    if (grown && *grown) {
        g_string_append_printf(g->console, "Not freed:\n%s", grown);
        pg_fail(g, "not freed when all processes were gone: %.*s",
                (int)strcspn(grown, "\n"), grown);
    }
}
