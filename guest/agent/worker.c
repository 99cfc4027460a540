/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A worker process: runs the lines of each packet in order and answers each
 * one at once, so that a command that hangs is the first one unanswered.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

static int worker_sock = -1;

static void worker_send_on(int sock, char type, const char *text, int fd)
{
    char packet[PRIMEGPU_AGENT_LINE_MAX + 64];
    int n = snprintf(packet, sizeof(packet), "%c%s", type, text);

    if ((size_t)n >= sizeof(packet)) {
        n = sizeof(packet) - 1;
    }
    sys_send_fd(sock, packet, n, fd, 0);
}

void worker_send(char type, const char *text, int fd)
{
    worker_send_on(worker_sock, type, text, fd);
}

static void worker_line(struct call *c, const char *text)
{
    (void)c;
    worker_send(PACKET_LINE, text, -1);
}

static void worker_run(char *line, int fd)
{
    static struct call c;
    char text[PRIMEGPU_AGENT_LINE_MAX + 32];

    call_init(&c);
    c.fd = fd;
    c.line = worker_line;
    call_run(&c, line);
    if (c.fd >= 0) {
        close(c.fd);
    }
    if (!c.deferred || c.error) {
        call_reply(&c, text, sizeof(text));
        worker_send(PACKET_REPLY, text, -1);
    }
}

void worker_name(int n)
{
    char name[16];

    snprintf(name, sizeof(name), "agent-p%d", n);
    prctl(PR_SET_NAME, name);
}

void worker_main(int sock)
{
    static char packet[PACKET_MAX + 1];

    worker_sock = sock;
    guard_init();
    for (;;) {
        int fd;
        int n = sys_recv_fd(sock, packet, PACKET_MAX, &fd);
        char *line = packet;

        if (n <= 0) {
            _exit(0);
        }
        packet[n] = '\0';
        while (*line) {
            char *end = strchrnul(line, '\n');
            char *next = *end ? end + 1 : end;

            *end = '\0';
            worker_run(line, fd);
            fd = -1;
            line = next;
        }
    }
}

static void worker_hello(int sock, pid_t pid)
{
    char text[24];

    snprintf(text, sizeof(text), "%d", pid);
    worker_send_on(sock, PACKET_HELLO, text, -1);
}

/*
 * The child is main's child too, and has what its parent has, but for the
 * socket.  Both tell its pid, so that main knows it when the parent answers,
 * and when the child is gone before that.
 */
int cmd_fork(struct call *c)
{
    long pid;

    if (line_worker(c->argv[1]) < 0) {
        return call_usage(c);
    }
    if (c->fd < 0) {
        return call_fail(c, EMFILE, "no socket for %s", c->argv[1]);
    }
    pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (pid < 0) {
        return call_fail(c, errno, "clone");
    }
    if (!pid) {
        dup2(c->fd, worker_sock);
        close(c->fd);
        worker_hello(worker_sock, getpid());
        worker_name(line_worker(c->argv[1]));
        worker_main(worker_sock);
    }
    worker_hello(c->fd, pid);
    return 0;
}

int cmd_cpu(struct call *c)
{
    bool any = !strcmp(c->argv[1], "any");
    uint64_t cpu;
    cpu_set_t cpus;

    memset(&cpus, any ? 0xff : 0, sizeof(cpus));
    if (!any) {
        if (!call_number(c, 1, CPU_SETSIZE - 1, &cpu)) {
            return c->error;
        }
        CPU_SET(cpu, &cpus);
    }
    if (sched_setaffinity(0, sizeof(cpus), &cpus)) {
        return call_fail(c, errno, "CPU %s", c->argv[1]);
    }
    return 0;
}

int cmd_uid(struct call *c)
{
    uint64_t uid;

    if (!call_number(c, 1, UINT32_MAX, &uid)) {
        return c->error;
    }
    return setresuid(uid, uid, uid) ? call_fail(c, errno, "setresuid") : 0;
}

int cmd_exit(struct call *c)
{
    (void)c;
    worker_send(PACKET_EXIT, "", -1);
    _exit(0);
}
