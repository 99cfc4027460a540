/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest rig: a QMP monitor of its own.  libqtest reads its monitor byte by
 * byte, which takes longer than most of what a query is about.
 */
#include "qemu/osdep.h"
#include <sys/socket.h>
#include "libqmp.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "primegpu-guest-priv.h"

/* The next line that is no event; NULL: QEMU has ended */
static QDict *pg_monitor_receive(PGGuest *g)
{
    char buf[64 * KiB];

    for (;;) {
        char *end = memchr(g->monitor->str, '\n', g->monitor->len);
        ssize_t n;

        if (end) {
            QObject *obj;

            *end = '\0';
            obj = qobject_from_json(g->monitor->str, NULL);
            g_string_erase(g->monitor, 0, end + 1 - g->monitor->str);
            if (obj && !qdict_haskey(qobject_to(QDict, obj), "event")) {
                return qobject_to(QDict, obj);
            }
            qobject_unref(obj);
            continue;
        }
        n = RETRY_ON_EINTR(recv(g->monitor_fd, buf, sizeof(buf), 0));
        if (n <= 0) {
            return NULL;
        }
        g_string_append_len(g->monitor, buf, n);
    }
}

QDict *pg_query(PGGuest *g, const char *fmt, ...)
{
    QDict *rsp;
    va_list ap;

    va_start(ap, fmt);
    qmp_fd_vsend(g->monitor_fd, fmt, ap);
    va_end(ap);
    rsp = pg_monitor_receive(g);
    if (!rsp) {
        /* libqtest knows what to do when QEMU is gone. */
        rsp = qtest_qmp(g->qts, "{ 'execute': 'query-status' }");
    }
    return rsp;
}

void pg_monitor_start(PGGuest *g)
{
    QDict *greeting = pg_monitor_receive(g);

    g_assert(greeting && qdict_haskey(greeting, "QMP"));
    qobject_unref(greeting);
    qobject_unref(pg_query(g, "{ 'execute': 'qmp_capabilities' }"));
}
