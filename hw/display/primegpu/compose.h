/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu composition: from planes to the rows of a frame.  Section 8.5 of
 * the hardware specification.  Pure code, which knows pointers and sizes.
 */
#ifndef HW_DISPLAY_PRIMEGPU_COMPOSE_H
#define HW_DISPLAY_PRIMEGPU_COMPOSE_H

#include "color.h"

/* What counts of a plane that is on; it was checked. */
typedef struct PrimeGPUComposePlane {
    const PrimeGPUFormat *format;
    uint32_t src_x;             /* these four 16.16 */
    uint32_t src_y;
    uint32_t src_w;
    uint32_t src_h;
    int32_t dst_x;
    int32_t dst_y;
    uint32_t dst_w;
    uint32_t dst_h;
    uint16_t alpha;
    uint8_t zpos;
    uint8_t blend;
    uint8_t encoding;
    uint8_t range;
    uint8_t rotation;
} PrimeGPUComposePlane;

/*
 * @length bytes, not 0, from byte @first of row @y in memory plane @memory of
 * plane @plane; they stay good until the next call for the same memory plane.
 * NULL when they cannot be reached: the pixels are then black.
 */
typedef const uint8_t *PrimeGPUComposeRowFunc(void *opaque, unsigned plane,
                                              unsigned memory, uint32_t y,
                                              uint32_t first,
                                              uint32_t length);

/* Room for the work, and what is worked out once for a frame */
typedef struct PrimeGPUCompose PrimeGPUCompose;

PrimeGPUCompose *primegpu_compose_new(void);
void primegpu_compose_free(PrimeGPUCompose *c);

/*
 * Begin a frame of @width x @height pixels with the planes that @planes, a
 * mask, names; what @plane and @stages point to stays until it is done.
 * @stages may be NULL.
 */
void primegpu_compose_begin(PrimeGPUCompose *c, uint32_t width,
                            uint32_t height,
                            const PrimeGPUComposePlane *plane,
                            uint32_t planes,
                            const PrimeGPUColorStages *stages,
                            PrimeGPUComposeRowFunc *row, void *opaque);
/*
 * Pixels x1 to x2, the last one not included, of row @y as XRGB8888 words of
 * the host, the fourth byte zero.  @out is where pixel x1 goes.
 */
void primegpu_compose_row(PrimeGPUCompose *c, uint32_t y, uint32_t x1,
                          uint32_t x2, uint32_t *out);
/*
 * The plane whose pixels, in XRGB8888, are the frame as they are; and which of
 * them is the first.  -1 when there is none.
 */
int primegpu_compose_single(PrimeGPUCompose *c, uint32_t *x, uint32_t *y);
/*
 * Rows of the framebuffer from which row @y of the frame is made by @plane:
 * the first and one past the last; false when there are none.
 */
bool primegpu_compose_source_rows(PrimeGPUCompose *c, unsigned plane,
                                  uint32_t y, uint32_t *first,
                                  uint32_t *end);

#endif /* HW_DISPLAY_PRIMEGPU_COMPOSE_H */
