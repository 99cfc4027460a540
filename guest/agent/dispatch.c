/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a line from the host goes: main's own commands run here, all others in
 * a worker.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pool.h"

/* A line without its prefixes */
struct order {
    char tag[PRIMEGPU_AGENT_TAG_MAX];
    char marker[24];
    int worker;             /* -1 if none is named */
    char *text;
};

static void reply(const char *tag, int error, const char *text)
{
    char line[PRIMEGPU_AGENT_LINE_MAX];

    snprintf(line, sizeof(line), "err %s %s", call_errno_name(error), text);
    port_write(tag, "", line);
}

static bool is_comment(const char *text)
{
    return text[0] == '#' && !isdigit((unsigned char)text[1]);
}

/* Take the prefixes off, in any order; false after an error reply. */
static bool parse_prefixes(char *line, struct order *o)
{
    for (;;) {
        char word[PRIMEGPU_AGENT_TAG_MAX];
        size_t n;

        line += strspn(line, " \t\r");
        n = strcspn(line, " \t\r");
        if (n >= sizeof(word)) {
            if (line[0] == '@' || line[0] == '#') {
                reply(o->tag, EINVAL, "a prefix is too long");
                return false;
            }
            break;
        }
        memcpy(word, line, n);
        word[n] = '\0';
        if (word[0] == '@' && !o->tag[0]) {
            strcpy(o->tag, word);
        } else if (word[0] == '#' && !o->marker[0] &&
                   n < sizeof(o->marker)) {
            strcpy(o->marker, word);
        } else if (line_worker(word) >= 0 && o->worker < 0) {
            o->worker = line_worker(word);
        } else {
            break;
        }
        line += n;
    }
    o->text = line;
    return true;
}

static void main_line(struct call *c, const char *text)
{
    port_write(c->tag, "| ", text);
}

static void run_here(const struct order *o, char *line)
{
    static struct call c;
    char text[PRIMEGPU_AGENT_LINE_MAX + 32];

    call_init(&c);
    c.tag = o->tag;
    c.line = main_line;
    call_run(&c, line);
    if (!c.deferred || c.error) {
        call_reply(&c, text, sizeof(text));
        port_write(o->tag, "", text);
    }
}

/* The socket that the child of "fork pM" gets, -1 for other commands */
static int fork_socket(const char *text)
{
    char copy[PRIMEGPU_AGENT_LINE_MAX];
    char *words[3];
    int n;

    snprintf(copy, sizeof(copy), "%s", text);
    n = line_split(copy, words, ARRAY_SIZE(words));
    if (n != 2 || strcmp(words[0], "fork") || line_worker(words[1]) < 0) {
        return -1;
    }
    return pool_reserve(line_worker(words[1]));
}

static void run_order(struct order *o)
{
    char line[PRIMEGPU_AGENT_LINE_MAX], word[PRIMEGPU_AGENT_NAME_MAX];
    const struct command *command;
    int fd = -1, error;

    snprintf(word, sizeof(word), "%.*s", (int)strcspn(o->text, " \t\r"),
             o->text);
    snprintf(line, sizeof(line), "%s%s%s", o->marker, o->marker[0] ? " " : "",
             o->text);
    command = command_find(word);
    if (o->worker < 0 && command && command->place == PLACE_MAIN) {
        run_here(o, line);
        return;
    }
    if (o->worker < 0) {
        o->worker = command && command->place == PLACE_ADMIN ? 0 : 1;
    }
    if (!strcmp(word, "fork")) {
        fd = fork_socket(o->text);
        if (fd == -EEXIST) {
            reply(o->tag, EEXIST, "the worker exists");
            return;
        }
    }
    error = pool_request(o->worker, o->tag, line, fd < 0 ? -1 : fd);
    if (error) {
        reply(o->tag, -error, error == -ESRCH ? "no such worker" :
              error == -EOWNERDEAD ? "the worker is leaving" :
              "the worker can't take the request");
    }
}

void dispatch_line(char *line, size_t length)
{
    struct order o = { .worker = -1 };
    bool too_long = length >= PRIMEGPU_AGENT_LINE_MAX;
    bool text_ok = line_text_ok(line, length);

    line[too_long ? PRIMEGPU_AGENT_LINE_MAX - 1 : length] = '\0';
    line += strspn(line, " \t\r");
    if (!line[0] || is_comment(line)) {
        return;
    }
    if (!parse_prefixes(line, &o)) {
        return;
    }
    if (too_long) {
        reply(o.tag, EINVAL, "the line is too long");
    } else if (!text_ok) {
        reply(o.tag, EINVAL, "the line has control characters");
    } else {
        run_order(&o);
    }
}

static int here_only(struct call *c)
{
    return call_fail(c, EINVAL, "the agent itself runs this: name no worker");
}

int cmd_ping(struct call *c)
{
    return c->error;
}

int cmd_help(struct call *c)
{
    const struct command *command;
    char text[256], name[PRIMEGPU_AGENT_NAME_MAX];
    size_t i;

    for (i = 0; (command = command_at(i)); i++) {
        command_spell(command->name, name, sizeof(name));
        snprintf(text, sizeof(text), "%s%s%s: %s", name,
                 command->usage[0] ? " " : "", command->usage, command->help);
        c->line(c, text);
    }
    return 0;
}

int cmd_spawn(struct call *c)
{
    int n = line_worker(c->argv[1]);
    int error;

    if (!c->tag) {
        return here_only(c);
    }
    if (n < 0) {
        return call_usage(c);
    }
    error = pool_spawn(n);
    return error ? call_fail(c, -error, "%s", c->argv[1]) : 0;
}

int cmd_kill(struct call *c)
{
    int n = line_worker(c->argv[1]);
    int error;

    if (!c->tag) {
        return here_only(c);
    }
    if (n < 0) {
        return call_usage(c);
    }
    error = pool_kill(n, c->tag);
    c->deferred = !error;
    return error ? call_fail(c, -error, "%s", c->argv[1]) : 0;
}

int cmd_poweroff(struct call *c)
{
    if (!c->tag) {
        return here_only(c);
    }
    if (getpid() != 1) {
        return call_fail(c, EPERM, "this agent is not the guest's init");
    }
    port_write(c->tag, "", "ok");
    port_drain(1000);
    init_poweroff();
    return call_fail(c, errno, "reboot");
}
