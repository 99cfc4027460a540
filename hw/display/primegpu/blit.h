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

#endif /* HW_DISPLAY_PRIMEGPU_BLIT_H */
