/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command that gets no answers: the kernel can read the arguments of its
 * ioctls, and cannot write to them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "agent.h"

/* No argument of an ioctl is larger: its number has 14 bits for the size. */
#define SEALED_SIZE (1u << 14)

static void *sealed;

void *unwritable_arg(unsigned long request, void *arg)
{
    if (!sealed || !(_IOC_DIR(request) & _IOC_READ)) {
        return arg;
    }
    mprotect(sealed, SEALED_SIZE, PROT_READ | PROT_WRITE);
    memcpy(sealed, arg, _IOC_SIZE(request));
    mprotect(sealed, SEALED_SIZE, PROT_READ);
    return sealed;
}

int cmd_unwritable(struct call *c)
{
    void *pages = mmap(NULL, SEALED_SIZE, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int error;

    if (pages == MAP_FAILED) {
        return call_fail(c, errno, "mmap");
    }
    sealed = pages;
    error = call_run_rest(c, 1);
    sealed = NULL;
    munmap(pages, SEALED_SIZE);
    return error;
}
