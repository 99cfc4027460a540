/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The workers as main sees them: a slot for each, with its process, its socket
 * and its queue of requests.  A worker answers in order, so each reply belongs
 * to the head of its queue.
 *
 * A slot is taken from spawn or reserve until its process has been reaped.
 * Main is the parent of forked workers too (CLONE_PARENT).
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
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pool.h"
#include "queue.h"

#define WORKER_SOCKET   3
#define SOCKET_BUFFER   (1 << 20)

struct slot {
    bool used;
    bool leaving;           /* exit was called, the head is its request */
    bool killed;
    int sock;               /* -1 once it has ended */
    pid_t pid;              /* 0 while a fork has not told it */
    unsigned int count;
    struct queue queue;
    struct request *unsent; /* where in the queue to go on sending */
    struct queue kills;
};

static struct slot slots[SLOTS];
static int pool_epoll = -1;

static struct request *slot_take(struct slot *s)
{
    struct request *r = queue_take(&s->queue);

    if (r) {
        s->count--;
        if (s->unsent == r) {
            s->unsent = r->next;
        }
    }
    return r;
}

void pool_init(int epoll)
{
    int i;

    pool_epoll = epoll;
    for (i = 0; i < SLOTS; i++) {
        slots[i].sock = -1;
    }
}

bool pool_exists(int n)
{
    return slots[n].used;
}

bool pool_busy(void)
{
    int i;

    for (i = 0; i < SLOTS; i++) {
        if (slots[i].queue.head || slots[i].kills.head) {
            return true;
        }
    }
    return false;
}

static void slot_watch(int n, int op, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.u32 = n };

    epoll_ctl(pool_epoll, op, slots[n].sock, &event);
}

/* Take slot n with a new socket; the other end, or -errno */
static int slot_take_place(int n)
{
    struct slot *s = &slots[n];
    int size = SOCKET_BUFFER;
    int ends[2];

    if (s->used) {
        return -EEXIST;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
        return -errno;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    memset(s, 0, sizeof(*s));
    s->used = true;
    s->sock = ends[0];
    queue_init(&s->queue);
    queue_init(&s->kills);
    slot_watch(n, EPOLL_CTL_ADD, EPOLLIN);
    return ends[1];
}

static void slot_release(int n)
{
    struct slot *s = &slots[n];

    if (s->sock >= 0) {
        close(s->sock);
        s->sock = -1;
    }
    s->used = false;
}

/* In the child: keep nothing of main's. */
static void child_main(int n, int sock)
{
    struct sched_param param = { 0 };
    sigset_t none;
    int null;

    dup2(sock, WORKER_SOCKET);
    close_range(WORKER_SOCKET + 1, ~0u, 0);
    null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        close(null);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    sched_setscheduler(0, SCHED_OTHER, &param);
    worker_name(n);
    worker_main(WORKER_SOCKET);
}

int pool_spawn(int n)
{
    int end = slot_take_place(n);
    pid_t pid;

    if (end < 0) {
        return end;
    }
    pid = fork();
    if (!pid) {
        child_main(n, end);
    }
    if (pid < 0) {
        int error = -errno;

        close(end);
        slot_release(n);
        return error;
    }
    close(end);
    slots[n].pid = pid;
    return 0;
}

int pool_reserve(int n)
{
    return slot_take_place(n);
}

int pool_kill(int n, const char *tag)
{
    struct slot *s = &slots[n];

    if (!s->used || !s->pid) {
        return -ESRCH;
    }
    if (!queue_add(&s->kills, tag, "", -1)) {
        return -ENOMEM;
    }
    s->killed = true;
    kill(s->pid, SIGKILL);
    return 0;
}

int pool_request(int n, const char *tag, const char *line, int fd)
{
    struct slot *s = &slots[n];
    struct request *r = NULL;
    int error = 0;

    if (!s->used) {
        error = -ESRCH;
    } else if (s->killed || s->leaving || s->sock < 0) {
        error = -EOWNERDEAD;
    } else if (s->count >= PRIMEGPU_AGENT_QUEUE_MAX) {
        error = -ENOBUFS;
    } else {
        r = queue_add(&s->queue, tag, line, fd);
        error = r ? 0 : -ENOMEM;
    }
    if (error) {
        if (fd >= 0) {
            close(fd);
        }
        return error;
    }
    s->count++;
    if (!s->unsent) {
        s->unsent = r;
    }
    return 0;
}

/* Pack lines from the first unsent one; the request after the last packed. */
static struct request *slot_pack(struct slot *s, char *buf, size_t *length)
{
    struct request *r = s->unsent;

    *length = 0;
    do {
        size_t n = strlen(r->line);

        if (*length + n + 1 > PACKET_MAX) {
            break;
        }
        memcpy(buf + *length, r->line, n);
        buf[*length + n] = '\n';
        *length += n + 1;
        if (r->fd >= 0) {
            return r->next;
        }
        r = r->next;
    } while (r && r->fd < 0);
    return r;
}

static void slot_flush(int n)
{
    static char buf[PACKET_MAX];
    struct slot *s = &slots[n];
    int ret = 0;

    while (s->unsent && s->sock >= 0 && !ret) {
        size_t length;
        struct request *next = slot_pack(s, buf, &length);

        ret = sys_send_fd(s->sock, buf, length, s->unsent->fd, MSG_DONTWAIT);
        if (!ret) {
            if (s->unsent->fd >= 0) {
                close(s->unsent->fd);
                s->unsent->fd = -1;
            }
            s->unsent = next;
        }
    }
    if (s->sock >= 0) {
        slot_watch(n, EPOLL_CTL_MOD,
                   ret == -EAGAIN ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
}

void pool_flush(void)
{
    int i;

    for (i = 0; i < SLOTS; i++) {
        if (slots[i].used && slots[i].unsent) {
            slot_flush(i);
        }
    }
}

static void reply_error(const char *tag, int error, int n)
{
    char text[80];

    snprintf(text, sizeof(text), "err %s p%d %s", call_errno_name(error), n,
             error == EOWNERDEAD ? "has died" :
             error == ESRCH ? "does not exist" : "can't take the request");
    port_write(tag, "", text);
}

/* "pM KIND NAME" and an fd: let pM answer the request at the head. */
static void slot_pass(struct slot *s, char *text, int fd)
{
    struct request *r = slot_take(s);
    char line[PRIMEGPU_AGENT_LINE_MAX];
    char *rest = strchr(text, ' ');
    int n, error;

    if (!r || !rest) {
        close(fd);
        free(r);
        return;
    }
    *rest++ = '\0';
    n = line_worker(text);
    snprintf(line, sizeof(line), "recv-%s", rest);
    error = pool_request(n, r->tag, line, fd);
    if (error) {
        reply_error(r->tag, -error, n);
    }
    free(r);
}

static void slot_packet(struct slot *s, char *text, int fd)
{
    struct request *r;

    switch (text[0]) {
    case PACKET_HELLO:
        s->pid = atoi(text + 1);
        break;
    case PACKET_LINE:
        port_write(s->queue.head ? s->queue.head->tag : "", "| ", text + 1);
        break;
    case PACKET_EXIT:
        s->leaving = true;
        break;
    case PACKET_SEND:
        slot_pass(s, text + 1, fd);
        return;
    case PACKET_REPLY:
        r = slot_take(s);
        if (r) {
            port_write(r->tag, "", text + 1);
            free(r);
        }
        break;
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void slot_fail_queue(int n)
{
    struct request *r;

    while ((r = slot_take(&slots[n]))) {
        if (r->fd >= 0) {
            close(r->fd);
        }
        reply_error(r->tag, EOWNERDEAD, n);
        free(r);
    }
}

/* Read what the worker said; at the end of its socket stop listening. */
static void slot_read(int n)
{
    static char buf[PACKET_MAX + 1];
    struct slot *s = &slots[n];
    int got = 1, fd;

    while (s->sock >= 0 && got > 0) {
        got = sys_recv_fd(s->sock, buf, PACKET_MAX, &fd);
        if (got > 0) {
            buf[got] = '\0';
            slot_packet(s, buf, fd);
        }
    }
    if (s->sock < 0 || got == -EAGAIN) {
        return;
    }
    close(s->sock);
    s->sock = -1;
    if (!s->pid) {
        /* nobody was forked */
        slot_fail_queue(n);
        slot_release(n);
    }
}

void pool_event(int n)
{
    if (slots[n].used) {
        slot_read(n);
        if (slots[n].used && slots[n].unsent) {
            slot_flush(n);
        }
    }
}

static void slot_finish(int n, int status)
{
    struct slot *s = &slots[n];
    struct queue kills = s->kills;
    struct request *r;
    char how[32], text[64];

    if (WIFSIGNALED(status)) {
        snprintf(how, sizeof(how), "status=SIG%s",
                 sigabbrev_np(WTERMSIG(status)));
    } else {
        snprintf(how, sizeof(how), "status=%d", WEXITSTATUS(status));
    }
    snprintf(text, sizeof(text), "exit p%d %s", n, how);
    port_write("", "! ", text);
    snprintf(text, sizeof(text), "ok %s", how);
    if (s->leaving && s->queue.head) {
        r = slot_take(s);
        port_write(r->tag, "", text);
        free(r);
    }
    slot_fail_queue(n);
    slot_release(n);
    if (n <= 1) {
        pool_spawn(n);
    }
    while ((r = queue_take(&kills))) {
        port_write(r->tag, "", text);
        free(r);
    }
}

static int slot_of(pid_t pid)
{
    int i;

    for (i = 0; i < SLOTS; i++) {
        if (slots[i].used && slots[i].pid == pid) {
            return i;
        }
    }
    return -1;
}

void pool_reap(void)
{
    int status, n, i;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        n = slot_of(pid);
        for (i = 0; n < 0 && i < SLOTS; i++) {
            if (slots[i].used && !slots[i].pid) {
                slot_read(i);
            }
        }
        n = slot_of(pid);
        if (n >= 0) {
            slot_read(n);
            slot_finish(n, status);
        }
    }
}
