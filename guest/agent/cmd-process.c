/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process does to its fds beside using them: limits, sockets that they
 * travel through, exec.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sync_file.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "names.h"

int cmd_limit_fds(struct call *c)
{
    struct rlimit limit;
    uint64_t more;
    int lowest;

    if (getrlimit(RLIMIT_NOFILE, &limit)) {
        return call_fail(c, errno, "getrlimit");
    }
    limit.rlim_cur = limit.rlim_max;
    if (strcmp(c->argv[1], "off")) {
        if (!call_number(c, 1, INT16_MAX, &more)) {
            return c->error;
        }
        lowest = sys_lowest_free_fd();
        if (lowest < 0) {
            return call_fail(c, -lowest, "no fd is free");
        }
        limit.rlim_cur = lowest + more;
    }
    if (setrlimit(RLIMIT_NOFILE, &limit)) {
        return call_fail(c, errno, "setrlimit");
    }
    call_add(c, "limit=%llu", (unsigned long long)limit.rlim_cur);
    return 0;
}

int cmd_socketpair(struct call *c)
{
    struct fd *in = name_new_fd(c, c->argv[1]);
    struct fd *out = in ? name_new_fd(c, c->argv[2]) : NULL;
    int ends[2];

    if (!out) {
        if (in) {
            name_drop(in);
        }
        return c->error;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
        name_drop(in);
        name_drop(out);
        return call_fail(c, errno, "socketpair");
    }
    in->fd = ends[0];
    out->fd = ends[1];
    return 0;
}

int cmd_flight(struct call *c)
{
    struct fd *fd = name_fd(c, c->argv[1]);
    struct fd *in = fd ? name_fd(c, c->argv[2]) : NULL;
    int ret;

    if (!in) {
        return c->error;
    }
    ret = sys_send_fd(in->fd, "", 1, fd->fd, MSG_DONTWAIT);
    return ret < 0 ? call_fail(c, -ret, "sendmsg") : 0;
}

int cmd_land(struct call *c)
{
    struct fd *out = name_fd(c, c->argv[1]);
    struct fd *fd = out ? name_new_fd(c, c->argv[2]) : NULL;
    char byte;
    int ret;

    if (!fd) {
        return c->error;
    }
    ret = sys_recv_fd(out->fd, &byte, sizeof(byte), &fd->fd);
    if (ret < 0 || fd->fd < 0) {
        name_drop(fd);
        return call_fail(c, ret < 0 ? -ret : ENODATA, "recvmsg");
    }
    return 0;
}

/* What is CLOEXEC ends here, and so does this process, soon after. */
int cmd_exec(struct call *c)
{
    (void)c;
    worker_send(PACKET_EXIT, "", -1);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    execl("/proc/self/exe", "init", "--help", NULL);
    _exit(127);
}

int cmd_merge_sync(struct call *c)
{
    struct fd *a = name_fd(c, c->argv[1]);
    struct fd *b = a ? name_fd(c, c->argv[2]) : NULL;
    struct fd *both = b ? name_new_fd(c, c->argv[3]) : NULL;
    struct sync_merge_data args = { .name = "primegpu", .fence = -1 };

    if (!both) {
        return c->error;
    }
    args.fd2 = b->fd;
    if (sys_ioctl(a->fd, SYNC_IOC_MERGE, &args)) {
        name_drop(both);
        return call_fail(c, errno, "SYNC_IOC_MERGE");
    }
    both->fd = args.fence;
    return 0;
}
