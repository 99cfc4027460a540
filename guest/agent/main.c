/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu agent: the guest's init, which does what the host asks.
 *
 * Main only moves lines: it never opens a GPU and never waits for a device, so
 * it can always answer.  It runs as SCHED_BATCH: a worker's reply does not
 * preempt the worker, and replies leave in bunches.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "pool.h"

#define EVENT_PORT      SLOTS
#define EVENT_SIGNAL    (SLOTS + 1)
#define EVENTS          (SLOTS + 2)

/* How often a port without a host is looked at, should an event be missed */
#define RETRY_MS        50

static int epoll_set = -1;

static int watch(int fd, uint32_t id, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.u32 = id };

    return epoll_ctl(epoll_set, EPOLL_CTL_ADD, fd, &event);
}

static void fatal(const char *what)
{
    char text[128];

    snprintf(text, sizeof(text), "fatal %s: %s", what, strerror(errno));
    init_console("%s", text);
    if (port_fd() >= 0) {
        port_write("", "! ", text);
        port_drain(1000);
    }
    if (getpid() == 1) {
        init_poweroff();
    }
    exit(1);
}

static void wait_for_port(void)
{
    unsigned int tries = 0;

    while (!port_open(false)) {
        usleep(2000);
        if (++tries == 2500) {
            init_console("no port %s so far", PRIMEGPU_AGENT_PORT);
        }
    }
}

/*
 * Main and all workers share a CPU until told otherwise: with one emulated CPU
 * to wake another, an answer takes ten times as long.
 */
static void share_cpu(void)
{
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    CPU_SET(0, &cpus);
    sched_setaffinity(0, sizeof(cpus), &cpus);
}

static int watch_children(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void read_port(bool stdio)
{
    if (!port_read(dispatch_line)) {
        return;
    }
    if (stdio) {
        exit(1);
    }
    /* the device has gone: the host may plug another */
    wait_for_port();
    watch(port_fd(), EVENT_PORT, EPOLLIN | EPOLLET);
}

static void handle(uint32_t id, int signals, bool stdio)
{
    struct signalfd_siginfo info;

    if (id == EVENT_PORT) {
        read_port(stdio);
    } else if (id == EVENT_SIGNAL) {
        while (read(signals, &info, sizeof(info)) > 0) {
            continue;
        }
        pool_reap();
    } else {
        pool_event(id);
    }
}

static void loop(int signals, bool stdio)
{
    struct epoll_event events[EVENTS];
    int i, n, wait;

    /* a regular file can't be watched, and can always be read */
    bool plain = watch(port_fd(), EVENT_PORT, stdio ? EPOLLIN
                                                    : EPOLLIN | EPOLLET);
    bool unwatched = false;

    for (;;) {
        wait = stdio && !plain ? -1 : RETRY_MS;
        n = epoll_wait(epoll_set, events, EVENTS,
                       plain && !port_ended() ? 0 : wait);
        for (i = 0; i < n; i++) {
            handle(events[i].data.u32, signals, stdio);
        }
        if ((plain && !port_ended()) || (!n && !stdio)) {
            read_port(stdio);
        }
        pool_flush();
        port_flush();
        if (!port_ended()) {
            continue;
        }
        if (!unwatched) {
            epoll_ctl(epoll_set, EPOLL_CTL_DEL, port_fd(), NULL);
            unwatched = true;
        }
        if (!pool_busy()) {
            return;
        }
    }
}

int main(int argc, char **argv)
{
    bool stdio = argc == 2 && !strcmp(argv[1], "--stdio");
    struct sched_param param = { 0 };
    int signals, i;

    if (!stdio && getpid() != 1) {
        fprintf(stderr, "usage: %s --stdio\n"
                "As process 1 of a guest it takes no options.\n", argv[0]);
        return 2;
    }
    if (!stdio) {
        init_mounts();
        share_cpu();
    }
    guard_init();
    epoll_set = epoll_create1(EPOLL_CLOEXEC);
    signals = watch_children();
    if (epoll_set < 0 || signals < 0 ||
        watch(signals, EVENT_SIGNAL, EPOLLIN)) {
        fatal("epoll");
    }
    pool_init(epoll_set);
    for (i = 0; i <= 1; i++) {
        errno = -pool_spawn(i);
        if (errno) {
            fatal("fork");
        }
    }
    sched_setscheduler(0, SCHED_BATCH, &param);
    if (stdio) {
        port_open(true);
    } else {
        wait_for_port();
    }
    port_write("", "! ", "ready");
    loop(signals, stdio);
    return 0;
}
