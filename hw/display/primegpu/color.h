/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu colours: tables and matrix that correct a frame.  Section 8.5 of
 * the hardware specification.  Pure code.
 */
#ifndef HW_DISPLAY_PRIMEGPU_COLOR_H
#define HW_DISPLAY_PRIMEGPU_COLOR_H

#include "format.h"

/* The colour stages, in host order and checked */
typedef struct PrimeGPUColor {
    uint32_t flags;
    uint64_t ctm[9];
    uint16_t degamma[3][PRIMEGPU_LUT_SIZE];     /* red, green, blue */
    uint16_t gamma[3][PRIMEGPU_LUT_SIZE];
} PrimeGPUColor;

/* The same, worked out so that it costs little for a pixel */
typedef struct PrimeGPUColorStages PrimeGPUColorStages;

/* NULL when the stages change no pixel */
PrimeGPUColorStages *primegpu_color_prepare(const PrimeGPUColor *color);
void primegpu_color_free(PrimeGPUColorStages *stages);
void primegpu_color_apply(const PrimeGPUColorStages *stages,
                          PrimeGPUPixel *pixels, uint32_t count);

#endif /* HW_DISPLAY_PRIMEGPU_COLOR_H */
