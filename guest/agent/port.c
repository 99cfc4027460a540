/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines to and from the host, over the virtio-serial port, or over
 * standard input and output for a person.
 *
 * The port of a machine without a host reads as ended; that is no end here,
 * since a host may come (again): a resumed guest sees just this.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

#define PORTS_DIR   "/sys/class/virtio-ports"
#define IN_MAX      (128u << 10)
#define OUT_MAX     (4u << 20)

static struct {
    int in;
    int out;
    bool stdio;
    bool ended;             /* of stdin */
    bool skip;              /* rest of a line that is too long */
    size_t in_used;
    size_t out_used;
} port = { .in = -1, .out = -1 };

/* Apart from the above, so that they take no room in the program's file */
static char in_buf[IN_MAX];
static char out_buf[OUT_MAX];

/* The device file of the port, once the kernel has found it */
static bool port_find(char *path, size_t size)
{
    DIR *dir = opendir(PORTS_DIR);
    struct dirent *entry;
    bool found = false;

    while (dir && !found && (entry = readdir(dir))) {
        char name[sizeof(PORTS_DIR) + NAME_MAX + 8], text[64];

        snprintf(name, sizeof(name), PORTS_DIR "/%s/name", entry->d_name);
        if (entry->d_name[0] != '.' &&
            sys_read_text(name, text, sizeof(text)) > 0 &&
            !strcmp(text, PRIMEGPU_AGENT_PORT)) {
            snprintf(path, size, "/dev/%s", entry->d_name);
            found = true;
        }
    }
    if (dir) {
        closedir(dir);
    }
    return found;
}

bool port_open(bool stdio)
{
    char path[NAME_MAX + 8];

    port.stdio = stdio;
    if (stdio) {
        port.in = STDIN_FILENO;
        port.out = STDOUT_FILENO;
        return true;
    }
    if (port.in >= 0) {
        close(port.in);
        port.in = -1;
    }
    if (port_find(path, sizeof(path))) {
        port.in = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        port.out = port.in;
    }
    return port.in >= 0;
}

int port_fd(void)
{
    return port.in;
}

bool port_ended(void)
{
    return port.ended;
}

/* Hand out the whole lines that are there; keep the rest. */
static void port_lines(void (*line)(char *line, size_t length))
{
    char *start = in_buf;
    char *end = in_buf + port.in_used;
    char *newline;

    while ((newline = memchr(start, '\n', end - start))) {
        *newline = '\0';
        if (!port.skip) {
            line(start, newline - start);
        }
        port.skip = false;
        start = newline + 1;
    }
    port.in_used = end - start;
    memmove(in_buf, start, port.in_used);
    if (port.in_used >= PRIMEGPU_AGENT_LINE_MAX) {
        if (!port.skip) {
            line(in_buf, PRIMEGPU_AGENT_LINE_MAX);
        }
        port.skip = true;
        port.in_used = 0;
    }
}

/*
 * Read what there is and hand out its lines; a line that is too long is handed
 * out as PRIMEGPU_AGENT_LINE_MAX bytes.  0, or -errno if the port is broken.
 */
int port_read(void (*line)(char *line, size_t length))
{
    ssize_t n;

    do {
        n = read(port.in, in_buf + port.in_used,
                 sizeof(in_buf) - 1 - port.in_used);
        if (n > 0) {
            port.in_used += n;
            port_lines(line);
        }
    } while ((n > 0 && !port.stdio) || (n < 0 && errno == EINTR));
    if (n < 0 && errno != EAGAIN) {
        return -errno;
    }
    if (!n) {
        port.in_used = 0;
        port.skip = false;
        port.ended = port.stdio;
    }
    return 0;
}

void port_flush(void)
{
    size_t done = 0;
    ssize_t n = 0;

    while (done < port.out_used) {
        n = write(port.out, out_buf + done, port.out_used - done);
        if (n < 0 && errno != EINTR) {
            break;
        }
        done += n > 0 ? n : 0;
    }
    port.out_used -= done;
    memmove(out_buf, out_buf + done, port.out_used);
}

/* Flush, and wait for a host that is slow */
void port_drain(int timeout_ms)
{
    struct pollfd pfd = { .fd = port.out, .events = POLLOUT };
    uint64_t end = sys_now_ns() + timeout_ms * 1000000ull;

    port_flush();
    while (port.out_used && sys_now_ns() < end) {
        poll(&pfd, 1, 10);
        port_flush();
    }
}

/* Queue a line: [@TAG ][SEP ]TEXT */
void port_write(const char *tag, const char *sep, const char *text)
{
    size_t room = sizeof(out_buf) - port.out_used;
    int n;

    if (room < 2 * PRIMEGPU_AGENT_LINE_MAX) {
        port_drain(1000);
        room = sizeof(out_buf) - port.out_used;
    }
    n = snprintf(out_buf + port.out_used, room, "%s%s%s%s\n",
                 tag[0] ? tag : "", tag[0] ? " " : "", sep, text);
    if (n > 0 && (size_t)n < room) {
        port.out_used += n;
    }
}
