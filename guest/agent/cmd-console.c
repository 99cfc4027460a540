/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program on a terminal, for a person at the guest's screen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

#define RESTART_S   1

static char *const environment[] = {
    "PATH=/bin:/sbin:/usr/bin", "HOME=/", "TERM=linux", NULL,
};

/* The program has the terminal for itself, and nothing of the agent's. */
static void run_program(int tty, char **argv)
{
    sigset_t none;
    int fd;

    setsid();
    ioctl(tty, TIOCSCTTY, 0);
    for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        dup2(tty, fd);
    }
    close_range(STDERR_FILENO + 1, ~0u, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    execve(argv[0], argv, environment);
    _exit(127);
}

/* It is started again whenever it ends. */
static void keep_running(const char *path, char **argv)
{
    for (;;) {
        int tty = open(path, O_RDWR | O_NOCTTY);
        pid_t pid = tty < 0 ? -1 : fork();

        if (!pid) {
            run_program(tty, argv);
        }
        close(tty);
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
            continue;
        }
        sleep(RESTART_S);
    }
}

int cmd_console(struct call *c)
{
    pid_t pid;

    if (access(c->argv[1], R_OK | W_OK) || access(c->argv[2], X_OK)) {
        return call_fail(c, errno, "%s or %s", c->argv[1], c->argv[2]);
    }
    c->argv[c->argc] = NULL;
    pid = fork();
    if (!pid) {
        keep_running(c->argv[1], &c->argv[2]);
    }
    if (pid < 0) {
        return call_fail(c, errno, "fork");
    }
    call_add(c, "pid=%d", pid);
    return 0;
}
