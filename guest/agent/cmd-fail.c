/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command whose Nth allocation fails: the kernel's fault injection counts
 * them for one thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

#define FAIL_NTH "/proc/thread-self/fail-nth"

/* Allocations that are left to count until one fails; 0: none is to fail */
static int left;
static int fault_fd = -1;

void fault_on(void)
{
    char text[16];

    if (left) {
        fault_fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
        snprintf(text, sizeof(text), "%d", left);
        if (pwrite(fault_fd, text, strlen(text), 0) < 0) {
            close(fault_fd);
            fault_fd = -1;
        }
    }
}

void fault_off(void)
{
    char text[16] = "";
    int error = errno;

    if (fault_fd >= 0) {
        if (pread(fault_fd, text, sizeof(text) - 1, 0) > 0) {
            left = atoi(text);
        }
        pwrite(fault_fd, "0", 1, 0);
        close(fault_fd);
        fault_fd = -1;
    }
    errno = error;
}

int cmd_fail(struct call *c)
{
    const struct command *command;
    bool failed;
    uint64_t n;

    if (!call_number(c, 1, INT_MAX, &n)) {
        return c->error;
    }
    command = command_find(c->argv[2]);
    if (!command || command->place != PLACE_WORKER || command == c->command ||
        !command_arity_ok(command, c->argc - 3)) {
        return call_usage(c);
    }
    if (access(FAIL_NTH, W_OK)) {
        return call_fail(c, errno, FAIL_NTH);
    }
    c->command = command;
    c->argc -= 2;
    memmove(c->argv, c->argv + 2, c->argc * sizeof(*c->argv));
    left = n;
    c->error = command->run(c);
    failed = n && !left;
    left = 0;
    if (c->error) {
        c->length = 0;
        call_add(c, "error=%s", call_errno_name(c->error));
        c->error = 0;
    }
    call_add(c, " failed=%d", failed);
    return 0;
}
