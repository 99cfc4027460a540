/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu blits
 *
 * Knows nothing of devices, buffers or guests.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "blit.h"

/* Enough to copy from it again and again at the speed of memcpy */
#define PRIMEGPU_BLIT_SEED 4096

void primegpu_blit_fill(uint8_t *dst, uint64_t length, uint32_t value,
                        uint32_t cpp)
{
    uint32_t word = cpu_to_le32(value);
    uint64_t seed = MIN(length, PRIMEGPU_BLIT_SEED);
    uint64_t i;

    if (cpp == 1) {
        memset(dst, value & UINT8_MAX, length);
        return;
    }
    for (i = 0; i < seed; i += cpp) {
        memcpy(dst + i, &word, cpp);
    }
    for (; i < length; i += seed) {
        memcpy(dst + i, dst, MIN(seed, length - i));
    }
}

void primegpu_blit_copy(uint8_t *dst, const uint8_t *src, uint64_t length)
{
    memmove(dst, src, length);
}

bool primegpu_blit_extent(uint64_t offset, uint64_t row_bytes, uint32_t height,
                          uint32_t stride, uint64_t *end)
{
    uint64_t last = 0;

    if (height > 1) {
        if (stride < row_bytes) {
            return false;
        }
        last = (uint64_t)stride * (height - 1);
    }
    /* Both factors have 32 bits, so this fits. */
    if (offset > UINT64_MAX - last - row_bytes) {
        return false;
    }
    *end = offset + last + row_bytes;
    return true;
}
