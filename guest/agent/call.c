/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command that runs: its arguments, its reply, and how it is found and
 * started.  The same for main and workers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"

void call_init(struct call *c)
{
    memset(c, 0, offsetof(struct call, text));
    c->text[0] = '\0';
    c->fd = -1;
}

/* EINVAL and so on: strerror() would be a text for people */
const char *call_errno_name(int error)
{
    const char *name = strerrorname_np(error);

    return name ? name : "EUNKNOWN";
}

int call_fail(struct call *c, int error, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(c->text, sizeof(c->text), fmt, ap);
    va_end(ap);
    c->length = n < 0 ? 0 : (size_t)n < sizeof(c->text) ? (size_t)n
                                                        : sizeof(c->text) - 1;
    c->error = error ? error : EIO;
    return c->error;
}

int call_usage(struct call *c)
{
    char name[PRIMEGPU_AGENT_NAME_MAX];

    return call_fail(c, EINVAL, "usage: %s %s",
                     command_spell(c->command->name, name, sizeof(name)),
                     c->command->usage);
}

void call_add(struct call *c, const char *fmt, ...)
{
    size_t room = sizeof(c->text) - c->length;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(c->text + c->length, room, fmt, ap);
    va_end(ap);
    if (n > 0) {
        c->length += (size_t)n < room ? (size_t)n : room - 1;
    }
}

/* The reply as it goes to the host, without the tag */
size_t call_reply(const struct call *c, char *buf, size_t size)
{
    int n;

    if (!c->error) {
        n = snprintf(buf, size, "ok%s%s", c->length && c->text[0] != ' ' ?
                     " " : "", c->text);
    } else {
        n = snprintf(buf, size, "err %s %s", call_errno_name(c->error),
                     c->text);
    }
    return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

bool call_number(struct call *c, int arg, uint64_t max, uint64_t *value)
{
    if (arg >= c->argc || !line_number(c->argv[arg], value)) {
        call_usage(c);
        return false;
    }
    if (*value > max) {
        call_fail(c, EINVAL, "%s is above %llu", c->argv[arg],
                  (unsigned long long)max);
        return false;
    }
    return true;
}

/* Which of a|b|c the argument is */
bool call_choice(struct call *c, int arg, const char *choices, int *index)
{
    const char *p = choices;
    int i;

    for (i = 0; arg < c->argc && *p; i++) {
        size_t n = strcspn(p, "|");

        if (strlen(c->argv[arg]) == n && !memcmp(c->argv[arg], p, n)) {
            *index = i;
            return true;
        }
        p += n;
        p += *p == '|';
    }
    call_usage(c);
    return false;
}

static void call_dispatch(struct call *c, char *line)
{
    c->argc = line_split(line, c->argv, ARGS_MAX);
    if (c->argc < 0) {
        call_fail(c, EINVAL, "more than %d words", ARGS_MAX);
        return;
    }
    if (!c->argc) {
        call_fail(c, EINVAL, "no command");
        return;
    }
    c->command = command_find(c->argv[0]);
    if (!c->command) {
        call_fail(c, EINVAL, "no command '%.40s'; help lists them",
                  c->argv[0]);
        return;
    }
    if (!command_arity_ok(c->command, c->argc - 1)) {
        call_usage(c);
        return;
    }
    c->error = c->command->run(c);
}

int call_run_rest(struct call *c, int n)
{
    const struct command *command = command_find(c->argv[n]);

    if (!command || command->place == PLACE_MAIN || command == c->command ||
        !command_arity_ok(command, c->argc - n - 1)) {
        return call_usage(c);
    }
    c->command = command;
    c->argc -= n;
    memmove(c->argv, c->argv + n, c->argc * sizeof(*c->argv));
    c->error = c->command->run(c);
    if (c->error) {
        c->length = 0;
        call_add(c, "error=%s", call_errno_name(c->error));
        c->error = 0;
    }
    return 0;
}

/* Run a line: [#N] COMMAND [ARGUMENT...].  The line is cut to pieces. */
void call_run(struct call *c, char *line)
{
    uint32_t marker = 0;
    bool present;

    if (!line_take_marker(&line, &present, &marker)) {
        call_fail(c, EINVAL, "#N wants a number of 32 bits");
        return;
    }
    if (present) {
        marker_write(marker, false);
    }
    call_dispatch(c, line);
}
