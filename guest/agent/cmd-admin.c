/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands about the machine and its drivers.  They may block, so they run in
 * a worker like all others.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "admin.h"

#define PCI_BUS "/sys/bus/pci"

int cmd_marker(struct call *c)
{
    uint64_t marker;

    if (!call_number(c, 1, UINT32_MAX, &marker)) {
        return c->error;
    }
    call_add(c, "devices=%d", marker_write(marker, true));
    return 0;
}

static bool gpu_has_driver(const struct gpu *gpu)
{
    return gpu->primegpu && (gpu->card >= 0 || gpu->render >= 0);
}

/* Write a number to a debugfs file of the driver; 0 or an errno */
static int debugfs_trigger(const struct gpu *gpu, const char *name,
                           unsigned int value)
{
    int minor = gpu->card >= 0 ? gpu->card : gpu->render;
    char path[PATH_MAX], text[16];

    snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%d/%s", minor, name);
    snprintf(text, sizeof(text), "%u", value);
    return -sys_write_text(path, text);
}

/*
 * One device's file does it for all of them.  That of a device that is being
 * unbound is gone (ENOENT), or is going (EIO), before the device is.
 */
static int trigger_any(struct call *c, const char *name, unsigned int value)
{
    const struct gpu *gpus;
    int i, n, error, devices = 0;

    gpu_list(&gpus, &n);
    for (i = 0; i < n; i++) {
        if (!gpu_has_driver(&gpus[i])) {
            continue;
        }
        error = devices ? 0 : debugfs_trigger(&gpus[i], name, value);
        if (error && error != ENOENT && error != EIO) {
            call_fail(c, error, "%s of %s", name, gpus[i].name);
            return -1;
        }
        devices += !error;
    }
    return devices;
}

int admin_settle(struct call *c, unsigned int jobs_ms)
{
    return trigger_any(c, "settle", jobs_ms);
}

int admin_free_late(struct call *c)
{
    return trigger_any(c, "free_late", 1);
}

int cmd_settle(struct call *c)
{
    uint64_t start = sys_now_ns(), jobs_ms = ADMIN_SETTLE_MS;
    int devices;

    if (c->argc > 1 && !call_number(c, 1, INT_MAX, &jobs_ms)) {
        return c->error;
    }
    devices = admin_settle(c, jobs_ms);
    if (devices < 0) {
        return c->error;
    }
    call_add(c, "devices=%d ns=%llu", devices,
             (unsigned long long)(sys_now_ns() - start));
    return 0;
}

int cmd_evict(struct call *c)
{
    struct gpu gpu;
    int error;

    if (!call_gpu(c, 1, &gpu)) {
        return c->error;
    }
    if (!gpu_has_driver(&gpu)) {
        return call_fail(c, ENODEV, "%s has no driver of ours", c->argv[1]);
    }
    error = debugfs_trigger(&gpu, "evict", 1);
    return error ? call_fail(c, error, "evict %s", c->argv[1]) : 0;
}

int cmd_unbind(struct call *c)
{
    struct gpu gpu;
    char path[PATH_MAX];
    int error;

    if (!call_gpu(c, 1, &gpu)) {
        return c->error;
    }
    if (!gpu.address[0]) {
        return call_fail(c, EINVAL, "%s is no PCI device", c->argv[1]);
    }
    if (!gpu.driver[0]) {
        return call_fail(c, ENOENT, "%s has no driver", gpu.address);
    }
    snprintf(path, sizeof(path), "%s/driver/unbind", gpu.path);
    error = -sys_write_text(path, gpu.address);
    return error ? call_fail(c, error, "%s", path) : 0;
}

int cmd_bind(struct call *c)
{
    struct gpu gpu;
    char path[PATH_MAX];
    int error;

    if (!call_gpu(c, 1, &gpu)) {
        return c->error;
    }
    if (!gpu.address[0]) {
        return call_fail(c, EINVAL, "%s is no PCI device", c->argv[1]);
    }
    if (gpu.driver[0]) {
        return call_fail(c, EBUSY, "%s has driver %s", gpu.address,
                         gpu.driver);
    }
    error = -sys_write_text(PCI_BUS "/drivers_probe", gpu.address);
    if (error) {
        return call_fail(c, error, "drivers_probe");
    }
    snprintf(path, sizeof(path), "%s/driver", gpu.path);
    if (access(path, F_OK)) {
        return call_fail(c, ENODEV, "no driver took %s", gpu.address);
    }
    return 0;
}

int cmd_gpus(struct call *c)
{
    const struct gpu *gpus;
    int i, n;

    gpu_list(&gpus, &n);
    for (i = 0; i < n; i++) {
        const struct gpu *g = &gpus[i];
        char text[PRIMEGPU_AGENT_LINE_MAX], index[16] = "";
        char card[32] = "-", render[32] = "-";

        if (g->index) {
            snprintf(index, sizeof(index), "%u", g->index);
        }
        if (g->card >= 0) {
            snprintf(card, sizeof(card), "/dev/dri/card%d", g->card);
        }
        if (g->render >= 0) {
            snprintf(render, sizeof(render), "/dev/dri/renderD%d", g->render);
        }
        snprintf(text, sizeof(text), "%s%s pci=%s driver=%s card=%s render=%s",
                 g->name, index, g->address[0] ? g->address : "-",
                 g->driver[0] ? g->driver : "-", card, render);
        c->line(c, text);
    }
    call_add(c, "count=%d", n);
    return 0;
}

int cmd_rmmod(struct call *c)
{
    if (syscall(SYS_delete_module, c->argv[1], O_NONBLOCK)) {
        return call_fail(c, errno, "%s", c->argv[1]);
    }
    return 0;
}

int cmd_get(struct call *c)
{
    static char text[65536];
    char *line = text, *end;
    int n = sys_read_text(c->argv[1], text, sizeof(text));

    if (n < 0) {
        return call_fail(c, -n, "%s", c->argv[1]);
    }
    while (n && line) {
        end = strchr(line, '\n');
        if (end) {
            *end = '\0';
        }
        c->line(c, line);
        line = end ? end + 1 : NULL;
    }
    return 0;
}

int cmd_set(struct call *c)
{
    char text[PRIMEGPU_AGENT_LINE_MAX] = "";
    int i, error;

    for (i = 2; i < c->argc; i++) {
        size_t used = strlen(text);

        snprintf(text + used, sizeof(text) - used, "%s%s", i > 2 ? " " : "",
                 c->argv[i]);
    }
    error = -sys_write_text(c->argv[1], text);
    return error ? call_fail(c, error, "%s", c->argv[1]) : 0;
}
