/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command whose Nth allocation fails, or all from the Nth on: the kernel's
 * fault injection counts them for one thread.
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
#define FAIL_ALL "/proc/thread-self/make-it-fail"

/* Far from what a command would get */
#define FAULT_FD_MIN 200

/* Allocations that are left to count until one fails; 0: none is to fail */
static int left;
/* When there are none left, the next one fails, too, and all others. */
static bool on;
static int nth_fd = -1, all_fd = -1;

/* The command is to get the number that it would get without this one. */
static int open_high(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    int high = fcntl(fd, F_DUPFD_CLOEXEC, FAULT_FD_MIN);

    close(fd);
    return high;
}

void fault_on(void)
{
    char text[16];

    if (!left) {
        return;
    }
    /* There is no memory for that when it is to end. */
    nth_fd = open_high(FAIL_NTH);
    all_fd = open_high(FAIL_ALL);
    snprintf(text, sizeof(text), "%d", left);
    if (on) {
        pwrite(all_fd, "1", 1, 0);
    }
    pwrite(nth_fd, text, strlen(text), 0);
}

void fault_off(void)
{
    char text[16] = "";
    int error = errno;

    if (nth_fd >= 0) {
        pwrite(all_fd, "0", 1, 0);
        if (pread(nth_fd, text, sizeof(text) - 1, 0) > 0) {
            left = atoi(text);
        }
        pwrite(nth_fd, "0", 1, 0);
        close(nth_fd);
        close(all_fd);
        nth_fd = all_fd = -1;
    }
    errno = error;
}

int cmd_fail(struct call *c)
{
    int error, failed, fd;
    uint64_t n;

    on = *c->argv[1] && c->argv[1][strlen(c->argv[1]) - 1] == '+';
    if (on) {
        c->argv[1][strlen(c->argv[1]) - 1] = '\0';
    }
    if (!call_number(c, 1, INT_MAX, &n)) {
        return c->error;
    }
    if (access(FAIL_NTH, W_OK) || access(FAIL_ALL, W_OK)) {
        return call_fail(c, errno, FAIL_NTH);
    }
    fd = sys_lowest_free_fd();
    left = n;
    error = call_run_rest(c, 2);
    failed = n && !left;
    left = 0;
    if (!error) {
        call_add(c, " failed=%d fds=%d", failed, sys_lowest_free_fd() - fd);
    }
    return error;
}
