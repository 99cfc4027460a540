/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tracepoints of the drivers: who made each command of the rings.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

#define TRACING "/sys/kernel/debug/tracing/"

/* For each CPU; listed as text it is about four times as much. */
#define TRACE_KIB "512"

enum { TRACE_OFF, TRACE_ON, TRACE_STACKS, TRACE_LIST };

static int trace_set(struct call *c, const char *path, const char *value)
{
    int error = -sys_write_text(path, value);

    return error ? call_fail(c, error, "%s", path) : 0;
}

/* The newest that the buffer has; what comes meanwhile is not recorded. */
static int trace_list(struct call *c)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    FILE *f;

    if (trace_set(c, TRACING "tracing_on", "0")) {
        return c->error;
    }
    f = fopen(TRACING "trace", "re");
    if (!f) {
        return call_fail(c, errno, TRACING "trace");
    }
    while ((length = getline(&line, &size, f)) > 0) {
        if (line[0] != '#') {
            line[length - (line[length - 1] == '\n')] = '\0';
            c->line(c, line);
        }
    }
    free(line);
    fclose(f);
    return trace_set(c, TRACING "tracing_on", "1");
}

int cmd_trace(struct call *c)
{
    int what;

    if (!call_choice(c, 1, "off|on|stacks|list", &what)) {
        return c->error;
    }
    if (what == TRACE_LIST) {
        return trace_list(c);
    }
    if (what != TRACE_OFF &&
        (trace_set(c, TRACING "buffer_size_kb", TRACE_KIB) ||
         trace_set(c, TRACING "options/stacktrace",
                   what == TRACE_STACKS ? "1" : "0"))) {
        return c->error;
    }
    return trace_set(c, TRACING "events/primegpu/enable",
                     what == TRACE_OFF ? "0" : "1");
}
