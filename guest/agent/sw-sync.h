/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu agent: the ioctls of sw_sync, for which the kernel has no header
 * (drivers/dma-buf/sw_sync.c).
 */
#ifndef AGENT_SW_SYNC_H
#define AGENT_SW_SYNC_H

#include <linux/ioctl.h>
#include <stdint.h>

#define SW_SYNC "/sys/kernel/debug/sync/sw_sync"

struct sw_sync_create_fence {
    uint32_t value;
    char name[32];
    int32_t fence;
};

#define SW_SYNC_CREATE_FENCE _IOWR('W', 0, struct sw_sync_create_fence)
#define SW_SYNC_INC _IOW('W', 1, uint32_t)

#endif /* AGENT_SW_SYNC_H */
