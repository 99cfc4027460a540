/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a frame of a primegpu must be, worked out from the text of its
 * specification (section 8.5), pixel by pixel.
 */
#ifndef QGRAPH_PRIMEGPU_FRAME_H
#define QGRAPH_PRIMEGPU_FRAME_H

#include "hw/display/primegpu/primegpu_abi.h"
#include "../libqtest.h"

/* Memory planes of a format */
#define QPRIMEGPU_PLANE_KEYS    3

/* A plane as it is committed, and the BOs that it names */
typedef struct QPrimeGPUFramePlane {
    struct primegpu_plane plane;
    const uint8_t *bytes[QPRIMEGPU_PLANE_KEYS];
} QPrimeGPUFramePlane;

/*
 * Each pixel is 0x00RRGGBB; the caller frees them.  @color may be NULL, and
 * planes that are off may be among the @count ones.
 */
uint32_t *qprimegpu_frame(uint32_t width, uint32_t height,
                          const QPrimeGPUFramePlane *planes, uint32_t count,
                          const struct primegpu_color *color);
/* Its CRC (section 8.6) */
uint32_t qprimegpu_frame_crc(const uint32_t *frame, uint32_t width,
                             uint32_t height);

/*
 * What a person sees: QEMU's picture of an output, in the same form; the caller
 * frees it.
 */
uint32_t *qprimegpu_screendump(QTestState *qts, const char *device,
                               uint32_t head, uint32_t *width,
                               uint32_t *height);

/* All of PRIMEGPU_FORMATS, one after the other; 0 after the last one */
uint32_t qprimegpu_format_at(uint32_t i);
uint32_t qprimegpu_format_count(void);
const char *qprimegpu_format_name(uint32_t format);
bool qprimegpu_format_has_alpha(uint32_t format);
bool qprimegpu_format_is_ycbcr(uint32_t format);
/* How many memory planes; the subsampling, 1 or 2, in each direction */
uint32_t qprimegpu_format_planes(uint32_t format);
uint32_t qprimegpu_format_hsub(uint32_t format);
uint32_t qprimegpu_format_vsub(uint32_t format);
/* Of memory plane @m: bytes of an element, of a row, number of rows */
uint32_t qprimegpu_format_element(uint32_t format, uint32_t m);
uint32_t qprimegpu_format_row_bytes(uint32_t format, uint32_t m,
                                    uint32_t width);
uint32_t qprimegpu_format_rows(uint32_t format, uint32_t m, uint32_t height);

#endif /* QGRAPH_PRIMEGPU_FRAME_H */
