/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu outputs: what a commit must keep to.  Section 8.4 of the hardware
 * specification.
 */
#ifndef HW_DISPLAY_PRIMEGPU_OUTPUT_CHECK_H
#define HW_DISPLAY_PRIMEGPU_OUTPUT_CHECK_H

#include "device.h"

/* Check a commit to @o and find its BOs; changes nothing else. */
uint32_t primegpu_output_check_commit(PrimeGPUOutput *o,
                                      PrimeGPUCommit *commit);
/* The fields of a plane alone, without the BOs */
bool primegpu_output_plane_is_valid(const PrimeGPUPlane *plane);
bool primegpu_output_color_is_valid(const PrimeGPUColor *color);
bool primegpu_output_writeback_is_valid(const PrimeGPUMode *mode,
                                        const PrimeGPUWriteBack *writeback);
/* Whether BOs that have bytes, and are long enough, are there; finds them. */
uint32_t primegpu_output_find_plane_bos(PrimeGPUState *s,
                                        PrimeGPUPlane *plane);
uint32_t primegpu_output_find_writeback_bo(PrimeGPUOutput *o,
                                           PrimeGPUWriteBack *writeback);

#endif /* HW_DISPLAY_PRIMEGPU_OUTPUT_CHECK_H */
