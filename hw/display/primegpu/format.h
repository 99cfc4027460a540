/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu pixel formats: how a framebuffer lies in memory, and what its
 * pixels mean.  Section 8.5 of the hardware specification.  Pure code.
 */
#ifndef HW_DISPLAY_PRIMEGPU_FORMAT_H
#define HW_DISPLAY_PRIMEGPU_FORMAT_H

#include "hw/display/primegpu/primegpu_abi.h"

#define PRIMEGPU_FORMAT_PLANES_MAX  3

/* A pixel with 16 bits a channel; 65535 is 1 */
typedef struct PrimeGPUPixel {
    uint16_t r;
    uint16_t g;
    uint16_t b;
    uint16_t a;
} PrimeGPUPixel;

/* How one memory plane lies: elements that stand for hsub x vsub pixels */
typedef struct PrimeGPUFormatPlane {
    uint8_t bytes;              /* of an element */
    uint8_t hsub;
    uint8_t vsub;
} PrimeGPUFormatPlane;

/* What the unpackers of YCbCr formats add up; private to the block */
typedef struct PrimeGPUYCbCr PrimeGPUYCbCr;

/*
 * Unpack @count pixels: out[i] is the one in column columns[i] of the row
 * whose elements begin at @row, one pointer for each memory plane.
 */
typedef void PrimeGPUUnpackFunc(const uint8_t *const *row,
                                const uint16_t *columns, uint32_t count,
                                const PrimeGPUYCbCr *ycbcr,
                                PrimeGPUPixel *out);
/*
 * The same for opaque pixels of formats with 8 bits a channel, as XRGB8888
 * with a fourth byte of zero; copy is for columns that follow each other, from
 * @column on.
 */
typedef void PrimeGPUUnpack8Func(const uint8_t *row, const uint16_t *columns,
                                 uint32_t count, uint32_t *out);
typedef void PrimeGPUCopy8Func(const uint8_t *row, uint32_t column,
                               uint32_t count, uint32_t *out);

typedef struct PrimeGPUFormat {
    uint32_t fourcc;
    const char *name;
    uint8_t planes;             /* memory planes */
    bool has_alpha;
    bool is_ycbcr;
    bool is_xrgb;               /* XRGB8888, but for the fourth byte */
    /* The size of a framebuffer is a multiple of these. */
    uint8_t hsub;
    uint8_t vsub;
    PrimeGPUFormatPlane plane[PRIMEGPU_FORMAT_PLANES_MAX];
    PrimeGPUUnpackFunc *unpack;
    PrimeGPUUnpack8Func *unpack8;       /* NULL unless 8 bits a channel */
    PrimeGPUCopy8Func *copy8;
} PrimeGPUFormat;

/* NULL when there is no such format */
const PrimeGPUFormat *primegpu_format_find(uint32_t fourcc);
/* Bytes of a row of @width pixels in memory plane @plane */
uint64_t primegpu_format_row_bytes(const PrimeGPUFormat *format,
                                   unsigned plane, uint32_t width);
/* Rows of a framebuffer of @height pixels in memory plane @plane */
uint32_t primegpu_format_rows(const PrimeGPUFormat *format, unsigned plane,
                              uint32_t height);
/* NULL for RGB formats; encoding and range are valid */
const PrimeGPUYCbCr *primegpu_format_ycbcr(const PrimeGPUFormat *format,
                                           uint8_t encoding, uint8_t range);

#endif /* HW_DISPLAY_PRIMEGPU_FORMAT_H */
