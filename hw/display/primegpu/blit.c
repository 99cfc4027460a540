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

uint64_t primegpu_blit_rows_end(const PrimeGPUBlitRows *rows)
{
    return rows->start + rows->stride * (rows->height - 1) + rows->row_bytes;
}

/* Number of the first row that ends behind @offset; may be the height */
static uint64_t primegpu_blit_rows_at(const PrimeGPUBlitRows *rows,
                                      uint64_t offset)
{
    if (offset < rows->start + rows->row_bytes) {
        return 0;
    }
    return MIN((offset - rows->start - rows->row_bytes) / rows->stride + 1,
               rows->height);
}

/* Whether a byte of [@first, @end) is in the rectangle, and which one */
static bool primegpu_blit_rows_have(const PrimeGPUBlitRows *rows,
                                    uint64_t first, uint64_t end,
                                    uint64_t *offset)
{
    uint64_t n = primegpu_blit_rows_at(rows, first);

    *offset = MAX(rows->start + rows->stride * n, first);
    return n < rows->height && *offset < end;
}

bool primegpu_blit_rows_meet(const PrimeGPUBlitRows *a,
                             const PrimeGPUBlitRows *b,
                             const PrimeGPUBlitWindow *window,
                             uint32_t *budget, uint64_t *a_offset)
{
    uint64_t end = window->a + window->length;
    uint64_t n = primegpu_blit_rows_at(a, window->a);

    for (; n < a->height && *budget; n++, --*budget) {
        uint64_t row = a->start + a->stride * n;
        uint64_t row_first = MAX(row, window->a) - window->a + window->b;
        uint64_t row_end = MIN(row + a->row_bytes, end) - window->a +
                           window->b;
        uint64_t offset;

        if (row >= end) {
            return false;
        }
        if (primegpu_blit_rows_have(b, row_first, row_end, &offset)) {
            *a_offset = offset - window->b + window->a;
            return true;
        }
    }
    return false;
}
