/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command table, made from the protocol's list.  Names and numbers of
 * arguments follow from the list, so nothing is written twice.
 */
#define _GNU_SOURCE
#include <string.h>

#include "agent.h"

#define ROW_(name, place, usage, help) \
    { #name, PLACE_##place, usage, help, cmd_##name },
static const struct command commands[] = {
    PRIMEGPU_AGENT_COMMANDS(ROW_)
};

bool command_is(const char *word, const char *name)
{
    for (; *name; name++, word++) {
        if (*word != (*name == '_' ? '-' : *name)) {
            return false;
        }
    }
    return !*word;
}

/* What main asks of workers; they come with an fd and not from the host. */
static const struct command internal[] = {
    { "recv_fd",   PLACE_WORKER, "NEW-FD",   "", cmd_recv_fd },
    { "recv_file", PLACE_WORKER, "NEW-FILE", "", cmd_recv_file },
};

const struct command *command_find(const char *name)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(commands); i++) {
        if (command_is(name, commands[i].name)) {
            return &commands[i];
        }
    }
    for (i = 0; i < ARRAY_SIZE(internal); i++) {
        if (command_is(name, internal[i].name)) {
            return &internal[i];
        }
    }
    return NULL;
}

const struct command *command_at(size_t index)
{
    return index < ARRAY_SIZE(commands) ? &commands[index] : NULL;
}

const char *command_spell(const char *name, char *buf, size_t size)
{
    size_t i;

    for (i = 0; name[i] && i + 1 < size; i++) {
        buf[i] = name[i] == '_' ? '-' : name[i];
    }
    buf[i] = '\0';
    return buf;
}

/* Words outside of brackets must be there, those inside may, ... is any. */
bool command_arity_ok(const struct command *command, int args)
{
    const char *p = command->usage;
    int least = 0, most = 0;
    bool optional = false;

    while (*p) {
        size_t n = strcspn(p, " ");

        /* SYNC[:POINT] is one word that must be there */
        optional |= p[0] == '[';
        most++;
        least += !optional;
        if (n >= 3 && memmem(p, n, "...", 3)) {
            most = ARGS_MAX;
        }
        if (optional && p[n - 1] == ']') {
            optional = false;
        }
        p += n;
        p += strspn(p, " ");
    }
    return args >= least && args <= most;
}
