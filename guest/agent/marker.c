/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells the devices the number of the step, with one store to the marker page
 * of each.  The pages stay mapped: a marker is to cost no system call.  They
 * hold no reference on their device; when one has gone, the store faults, and
 * the devices are looked for again.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gpu.h"
#include "primegpu_abi.h"

static uint32_t *pages[GPUS_MAX];
static int page_count = -1;
static unsigned int page_version;   /* of the list of GPUs */

static void marker_forget(void)
{
    while (page_count > 0) {
        munmap(pages[--page_count], PRIMEGPU_PAGE_SIZE);
    }
    page_count = -1;
}

static void marker_find(void)
{
    const struct gpu *gpus;
    int i, fd, n;

    page_version = gpu_list(&gpus, &n);
    page_count = 0;
    for (i = 0; i < n; i++) {
        char path[PATH_MAX];
        void *page;

        if (!gpus[i].primegpu) {
            continue;
        }
        snprintf(path, sizeof(path), "%s/resource%d", gpus[i].path,
                 PRIMEGPU_BAR_REGS);
        fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
        if (fd < 0) {
            continue;
        }
        page = mmap(NULL, PRIMEGPU_PAGE_SIZE, PROT_READ | PROT_WRITE,
                    MAP_SHARED, fd, PRIMEGPU_REG_MARKER);
        close(fd);
        if (page != MAP_FAILED) {
            pages[page_count++] = page;
        }
    }
}

static bool marker_store(uint32_t marker)
{
    int i;

    for (i = 0; i < page_count; i++) {
        if (!guard_store32(pages[i], marker)) {
            return false;
        }
    }
    return true;
}

void marker_prepare(void)
{
    if (page_count <= 0) {
        marker_find();
    }
}

int marker_write(uint32_t marker, bool look)
{
    const struct gpu *gpus;
    int n;

    if (look && gpu_list(&gpus, &n) != page_version) {
        marker_forget();
    }
    marker_prepare();
    if (!marker_store(marker)) {
        marker_forget();
        marker_find();
        marker_store(marker);
    }
    return page_count;
}
