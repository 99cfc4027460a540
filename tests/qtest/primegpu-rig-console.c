/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A console for a person: a shell on the screen of the first GPU, which a VNC
 * viewer or a window shows, and the agent's commands at the terminal.
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "primegpu-rig.h"

#define PG_DISPLAYS_MAX 99

static bool pg_is_vnc(const char *backend)
{
    return g_str_equal(backend, "vnc");
}

static char *pg_display_options(const char *backend)
{
    if (pg_is_vnc(backend)) {
        return g_strdup_printf("-vnc 127.0.0.1:0,to=%u", PG_DISPLAYS_MAX);
    }
    return g_strdup_printf("-display %s", backend);
}

static void pg_say_where(PGGuest *g)
{
    QDict *rsp = qtest_qmp(pg_qts(g), "{ 'execute': 'query-vnc' }");
    QDict *ret = qdict_get_qdict(rsp, "return");

    if (!ret || !qdict_haskey(ret, "service")) {
        pg_fail(g, "QEMU has no VNC server");
    }
    printf("The screen of " PG_INTEGRATED ": vncviewer 127.0.0.1::%s\n",
           qdict_get_str(ret, "service"));
    qobject_unref(rsp);
}

int primegpu_rig_console(void)
{
    const char *wish = g_getenv("DISPLAY_BACKEND");
    const char *backend = wish && *wish ? wish : "vnc";
    g_autofree char *options = pg_display_options(backend);
    /* The kernel's own console commits at any time, which is no leak. */
    PGMachine m = {
        .start = PG_START_COLD, .extra = options, .tolerate = true,
        .untraced = true,
    };
    PGGuest *g = pg_start(&m);

    pg_do(g, "console /dev/tty1 /bin/sh -l");
    if (pg_is_vnc(backend)) {
        pg_say_where(g);
    }
    return primegpu_rig_shell_on(g);
}
