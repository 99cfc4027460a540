/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small things around system calls: whole-file reads and writes, fds passed
 * through sockets, the clock.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

uint64_t sys_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* The start of a file, without the last newline; its length or -errno */
int sys_read_text(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t got = 1;
    int ret;

    if (fd < 0) {
        return -errno;
    }
    while (got > 0 && n < size - 1) {
        got = read(fd, buf + n, size - 1 - n);
        if (got < 0 && errno == EINTR) {
            got = 1;
            continue;
        }
        n += got > 0 ? (size_t)got : 0;
    }
    ret = got < 0 ? -errno : 0;
    close(fd);
    if (n && buf[n - 1] == '\n') {
        n--;
    }
    buf[n] = '\0';
    return ret ? ret : (int)n;
}

/* One write of the whole text; 0 or -errno */
int sys_write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int ret = 0;

    if (fd < 0) {
        return -errno;
    }
    fault_on();
    if (write(fd, text, strlen(text)) < 0) {
        ret = -errno;
    }
    fault_off();
    close(fd);
    return ret;
}

int sys_lowest_free_fd(void)
{
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

    if (fd < 0) {
        return -errno;
    }
    close(fd);
    return fd;
}

/* A packet, with fd unless that is -1; 0 or -errno */
int sys_send_fd(int sock, const char *data, size_t length, int fd, int flags)
{
    union {
        struct cmsghdr hdr;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec iov = { (void *)data, length };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct cmsghdr *cmsg;
    ssize_t n;

    if (fd >= 0) {
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
    }
    do {
        n = sendmsg(sock, &msg, flags | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

/* A packet and its fd or -1; its length, 0 at the end, -errno */
int sys_recv_fd(int sock, char *data, size_t size, int *fd)
{
    union {
        struct cmsghdr hdr;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = { data, size };
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    struct cmsghdr *cmsg;
    ssize_t n;

    *fd = -1;
    do {
        n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return -errno;
    }
    cmsg = CMSG_FIRSTHDR(&msg);
    if (cmsg && cmsg->cmsg_type == SCM_RIGHTS) {
        memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
    }
    return n;
}

/* Of a request that returns a number; -1 with errno */
int sys_ioctl_number(int fd, unsigned long request, void *arg)
{
    int ret;

    do {
        fault_on();
        ret = ioctl(fd, request, unwritable_arg(request, arg));
        fault_off();
    } while (ret < 0 && errno == EINTR);
    return ret;
}

/* 0, or -1 with errno */
int sys_ioctl(int fd, unsigned long request, void *arg)
{
    return sys_ioctl_number(fd, request, arg) < 0 ? -1 : 0;
}
