/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events that the kernel tells user space of devices.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "names.h"

#define UEVENT_GROUP    1
#define UEVENT_MAX      2048

/* An fd that hears all of them from now on */
int cmd_uevents(struct call *c)
{
    struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups = UEVENT_GROUP,
    };
    struct fd *fd = name_new_fd(c, c->argv[1]);

    if (!fd) {
        return c->error;
    }
    fd->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
                    NETLINK_KOBJECT_UEVENT);
    if (fd->fd < 0 ||
        bind(fd->fd, (struct sockaddr *)&address, sizeof(address))) {
        int error = errno;

        if (fd->fd >= 0) {
            close(fd->fd);
        }
        name_drop(fd);
        return call_fail(c, error, "netlink");
    }
    return 0;
}

/* Has the event, KEY=VALUE with a NUL after each, these? */
static bool uevent_is(const char *text, size_t size, char *const *keys, int n)
{
    const char *p;
    int i;

    for (i = 0; i < n; i++) {
        for (p = text; p < text + size; p += strlen(p) + 1) {
            if (!strcmp(p, keys[i])) {
                break;
            }
        }
        if (p >= text + size) {
            return false;
        }
    }
    return true;
}

/* Wait for one that has all of these lines; those before it are dropped. */
int cmd_uevent(struct call *c)
{
    struct fd *fd = name_fd(c, c->argv[1]);
    char text[UEVENT_MAX];
    uint64_t timeout, end;
    const char *p;
    ssize_t n;

    if (!fd || !call_number(c, 2, INT_MAX, &timeout)) {
        return c->error;
    }
    end = sys_now_ns() + timeout * 1000000;
    do {
        struct pollfd pfd = { .fd = fd->fd, .events = POLLIN };
        uint64_t now = sys_now_ns();
        int left_ms = now < end ? (end - now + 999999) / 1000000 : 0;

        if (poll(&pfd, 1, left_ms) <= 0) {
            return call_fail(c, ETIME, "no such event");
        }
        n = recv(fd->fd, text, sizeof(text) - 1, 0);
        if (n < 0) {
            return call_fail(c, errno, "recv");
        }
        text[n] = '\0';
    } while (!uevent_is(text, n, &c->argv[3], c->argc - 3));
    for (p = text; p < text + n; p += strlen(p) + 1) {
        c->line(c, p);
    }
    return 0;
}
