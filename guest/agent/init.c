/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What process 1 owes the machine: file systems, a console, the power switch.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

static const struct {
    const char *type;
    const char *dir;
} mounts[] = {
    { "proc",     "/proc" },
    { "sysfs",    "/sys" },
    { "devtmpfs", "/dev" },
    { "debugfs",  "/sys/kernel/debug" },
    { "tmpfs",    "/tmp" },
};

static void init_stdio(void)
{
    int fd;

    do {
        fd = open("/dev/console", O_RDWR | O_NOCTTY);
        if (fd < 0) {
            fd = open("/dev/null", O_RDWR);
        }
    } while (fd >= 0 && fd < 2);
    if (fd > 2) {
        close(fd);
    }
}

void init_mounts(void)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(mounts); i++) {
        mkdir(mounts[i].dir, 0755);
        if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0, NULL) &&
            errno != EBUSY) {
            init_console("cannot mount %s on %s: %s", mounts[i].type,
                         mounts[i].dir, strerror(errno));
        }
    }
    init_stdio();
}

void init_poweroff(void)
{
    sync();
    reboot(RB_POWER_OFF);
}

/* A line on the console, in one write */
void init_console(const char *fmt, ...)
{
    char text[256] = "primegpu-agent: ";
    size_t n = strlen(text);
    va_list ap;
    int got;

    va_start(ap, fmt);
    got = vsnprintf(text + n, sizeof(text) - n - 1, fmt, ap);
    va_end(ap);
    n = got < 0 ? n : strlen(text);
    text[n++] = '\n';
    if (write(STDERR_FILENO, text, n) < 0) {
        return;     /* there is nobody left to tell */
    }
}
