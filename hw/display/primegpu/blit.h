/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu blits: pure code on pointers and sizes.
 */
#ifndef HW_DISPLAY_PRIMEGPU_BLIT_H
#define HW_DISPLAY_PRIMEGPU_BLIT_H

/*
 * Write the low @cpp bytes of @value, little-endian, over and over; @cpp is 1,
 * 2 or 4 and @length a multiple of it.
 */
void primegpu_blit_fill(uint8_t *dst, uint64_t length, uint32_t value,
                        uint32_t cpp);
/* The two may overlap. */
void primegpu_blit_copy(uint8_t *dst, const uint8_t *src, uint64_t length);

/*
 * A rectangle of height rows of row_bytes, rows stride apart, the first one at
 * offset: bytes from its first to one past its last.  False when the rows
 * overlap or the sum does not fit 64 bits.
 */
bool primegpu_blit_extent(uint64_t offset, uint64_t row_bytes, uint32_t height,
                          uint32_t stride, uint64_t *end);

/* Such a rectangle, which is not empty; the stride is no less than a row. */
typedef struct PrimeGPUBlitRows {
    uint64_t start;
    uint64_t row_bytes;
    uint64_t stride;
    uint32_t height;
} PrimeGPUBlitRows;

/* The same bytes, as the part of one buffer and as the part of another one */
typedef struct PrimeGPUBlitWindow {
    uint64_t a;
    uint64_t b;
    uint64_t length;
} PrimeGPUBlitWindow;

/* One past the last byte */
uint64_t primegpu_blit_rows_end(const PrimeGPUBlitRows *rows);
/*
 * Whether two rectangles have a byte of the window in common; *a_offset is
 * then such a byte of the first buffer.  Takes one off *budget for each row
 * that it looks at and gives up at 0.
 */
bool primegpu_blit_rows_meet(const PrimeGPUBlitRows *a,
                             const PrimeGPUBlitRows *b,
                             const PrimeGPUBlitWindow *window,
                             uint32_t *budget, uint64_t *a_offset);

#endif /* HW_DISPLAY_PRIMEGPU_BLIT_H */
