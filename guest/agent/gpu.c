/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds GPUs in sysfs: PCI display devices, bound or not, then the DRM
 * devices of other buses (vgem, vkms).  Card numbers say nothing: they come
 * in the order of binding.
 *
 * A look at all of sysfs takes as long as ten other calls.  Whatever comes,
 * goes, is bound or unbound makes the kernel count an event: as long as the
 * number is the same, so is the list.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpu.h"
#include "primegpu_abi.h"

#define PCI_DEVICES         "/sys/bus/pci/devices"
#define DRM_CLASS           "/sys/class/drm"
#define PCI_BASE_DISPLAY    0x03
#define EVENT_NUMBER        "/sys/kernel/uevent_seqnum"

static const struct {
    unsigned int device;
    const char *name;
} models[] = {
    { PRIMEGPU_PCI_DEVICE_INTEGRATED, "integrated" },
    { PRIMEGPU_PCI_DEVICE_DISCRETE,   "discrete" },
};

static bool read_hex(const char *dir, const char *file, unsigned int *value)
{
    char path[PATH_MAX + 32], text[32];

    snprintf(path, sizeof(path), "%s/%s", dir, file);
    return sys_read_text(path, text, sizeof(text)) > 0 &&
           sscanf(text, "0x%x", value) == 1;
}

/* The last part of where the link dir/file points, or an empty string */
static void read_link_name(const char *dir, const char *file, char *buf,
                           size_t size)
{
    char path[PATH_MAX + 32], target[PATH_MAX];
    ssize_t n;

    snprintf(path, sizeof(path), "%s/%s", dir, file);
    n = readlink(path, target, sizeof(target) - 1);
    target[n < 0 ? 0 : n] = '\0';
    snprintf(buf, size, "%.*s", (int)size - 1, basename(target));
}

static bool real_path(const char *path, char *buf)
{
    char full[PATH_MAX];

    if (!realpath(path, full) || strlen(full) >= GPU_PATH_MAX) {
        return false;
    }
    strcpy(buf, full);
    return true;
}

static struct gpu *gpu_add(struct gpu *gpus, int *count, int max)
{
    struct gpu *gpu;

    if (*count == max) {
        return NULL;
    }
    gpu = &gpus[(*count)++];
    memset(gpu, 0, sizeof(*gpu));
    gpu->card = -1;
    gpu->render = -1;
    return gpu;
}

static bool pci_probe(struct gpu *gpu, const char *address)
{
    char path[PATH_MAX];
    unsigned int class, vendor, device;
    size_t i;

    snprintf(path, sizeof(path), PCI_DEVICES "/%s", address);
    if (!read_hex(path, "class", &class) || class >> 16 != PCI_BASE_DISPLAY ||
        !read_hex(path, "vendor", &vendor) ||
        !read_hex(path, "device", &device) || !real_path(path, gpu->path)) {
        return false;
    }
    snprintf(gpu->address, sizeof(gpu->address), "%.15s", address);
    read_link_name(path, "driver", gpu->driver, sizeof(gpu->driver));
    for (i = 0; i < ARRAY_SIZE(models); i++) {
        if (vendor == PRIMEGPU_PCI_VENDOR_ID && device == models[i].device) {
            gpu->primegpu = true;
            strcpy(gpu->name, models[i].name);
            return true;
        }
    }
    /* virtio-pci is virtio; whatever has no driver is other */
    snprintf(gpu->name, sizeof(gpu->name), "%.*s",
             (int)strcspn(gpu->driver, "-_"), gpu->driver);
    if (!gpu->name[0]) {
        strcpy(gpu->name, "other");
    }
    return true;
}

static void pci_scan(struct gpu *gpus, int *count, int max)
{
    struct dirent **entries;
    int i, n = scandir(PCI_DEVICES, &entries, NULL, alphasort);

    for (i = 0; i < n; i++) {
        struct gpu *gpu = NULL;

        if (entries[i]->d_name[0] != '.') {
            gpu = gpu_add(gpus, count, max);
        }
        if (gpu && !pci_probe(gpu, entries[i]->d_name)) {
            (*count)--;
        }
        free(entries[i]);
    }
    if (n >= 0) {
        free(entries);
    }
}

/* Is path the device's own, or one of a virtio device on it? */
static bool is_below(const char *path, const char *device)
{
    size_t n = strlen(device);

    return !strncmp(path, device, n) && (!path[n] || path[n] == '/');
}

static void drm_node(struct gpu *gpus, int *count, int max, const char *node)
{
    char link[PATH_MAX], path[GPU_PATH_MAX];
    struct gpu *gpu = NULL;
    int card = -1, render = -1, end = 0, i;

    if (sscanf(node, "card%d%n", &card, &end) != 1 || node[end]) {
        card = -1;
        if (sscanf(node, "renderD%d%n", &render, &end) != 1 || node[end]) {
            return;
        }
    }
    snprintf(link, sizeof(link), DRM_CLASS "/%s/device", node);
    if (!real_path(link, path)) {
        return;
    }
    for (i = 0; i < *count && !gpu; i++) {
        gpu = is_below(path, gpus[i].path) ? &gpus[i] : NULL;
    }
    if (!gpu) {
        gpu = gpu_add(gpus, count, max);
        if (!gpu) {
            return;
        }
        strcpy(gpu->path, path);
        snprintf(gpu->name, sizeof(gpu->name), "%.31s", basename(path));
        snprintf(gpu->driver, sizeof(gpu->driver), "%s", gpu->name);
    }
    if (card >= 0) {
        gpu->card = card;
    } else {
        gpu->render = render;
    }
}

static void drm_scan(struct gpu *gpus, int *count, int max)
{
    struct dirent **entries;
    int i, n = scandir(DRM_CLASS, &entries, NULL, alphasort);

    for (i = 0; i < n; i++) {
        drm_node(gpus, count, max, entries[i]->d_name);
        free(entries[i]);
    }
    if (n >= 0) {
        free(entries);
    }
}

static int gpu_scan(struct gpu *gpus, int max)
{
    int count = 0, i, k;

    pci_scan(gpus, &count, max);
    drm_scan(gpus, &count, max);
    for (i = 0; i < count; i++) {
        for (k = 0; k < i; k++) {
            gpus[i].index += !strcmp(gpus[i].name, gpus[k].name);
        }
    }
    return count;
}

unsigned int gpu_list(const struct gpu **list, int *count)
{
    static struct gpu gpus[GPUS_MAX];
    static char before[24];
    static unsigned int version;
    static int known;
    char now[sizeof(before)] = "";

    /* Before the scan: what happens during it is a reason for the next */
    if (sys_read_text(EVENT_NUMBER, now, sizeof(now)) <= 0 ||
        strcmp(now, before)) {
        known = gpu_scan(gpus, GPUS_MAX);
        strcpy(before, now);
        version++;
    }
    *list = gpus;
    *count = known;
    return version;
}

static bool gpu_is(const struct gpu *gpu, const char *word)
{
    size_t n = strlen(gpu->name);
    uint64_t index = 0;

    if (!strncmp(word, "pci:", 4)) {
        return gpu->address[0] && !strcmp(word + 4, gpu->address);
    }
    if (strncmp(word, gpu->name, n)) {
        return false;
    }
    return (!word[n] || line_number(word + n, &index)) && index == gpu->index;
}

bool call_gpu(struct call *c, int arg, struct gpu *gpu)
{
    const struct gpu *gpus;
    int i, n;

    gpu_list(&gpus, &n);
    for (i = 0; i < n; i++) {
        if (gpu_is(&gpus[i], c->argv[arg])) {
            *gpu = gpus[i];
            return true;
        }
    }
    call_fail(c, ENODEV, "no GPU '%.40s'; gpus lists them", c->argv[arg]);
    return false;
}
