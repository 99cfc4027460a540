/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu frames: the frame of an output, made from what its BOs hold now.
 */
#ifndef HW_DISPLAY_PRIMEGPU_FRAME_H
#define HW_DISPLAY_PRIMEGPU_FRAME_H

#include "compose.h"

/* The CRC of the frame (section 8.6); the output is on. */
uint32_t primegpu_frame_crc(PrimeGPUOutput *o);
/*
 * Write the frame to a BO (section 8.4), which was checked; bytes that DMA
 * does not reach are left out.  The output is on.
 */
void primegpu_frame_write_back(PrimeGPUOutput *o,
                               const PrimeGPUWriteBack *wb);
/* Free what the functions above keep from one frame to the next. */
void primegpu_frame_finalize(PrimeGPUOutput *o);

/*
 * Row by row: all rows of one frame within one RCU critical section and one
 * hold of the BQL.  The composition can be asked where rows come from.
 */
PrimeGPUCompose *primegpu_frame_begin(PrimeGPUOutput *o);

#endif /* HW_DISPLAY_PRIMEGPU_FRAME_H */
