/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu agent: the GPUs of the guest, which may be plugged, unplugged,
 * bound and unbound at any time.
 */
#ifndef AGENT_GPU_H
#define AGENT_GPU_H

#include "agent.h"

#define GPUS_MAX        64
#define GPU_PATH_MAX    256

struct gpu {
    char name[PRIMEGPU_AGENT_NAME_MAX];     /* integrated, vgem ... */
    unsigned int index;                     /* among those of its name */
    bool primegpu;
    char path[GPU_PATH_MAX];                /* in sysfs, real */
    char address[16];                       /* of PCI, or empty */
    char driver[PRIMEGPU_AGENT_NAME_MAX];   /* or empty */
    int card;                               /* minor numbers, or -1 */
    int render;
};

/*
 * All GPUs, PCI ones first, in the order of addresses; the list is good until
 * the next call.  Returns a number that rises when the list is made anew.
 */
unsigned int gpu_list(const struct gpu **list, int *count);

/* The GPU that an argument names, or NULL with the call's error set */
bool call_gpu(struct call *c, int arg, struct gpu *gpu);

#endif /* AGENT_GPU_H */
