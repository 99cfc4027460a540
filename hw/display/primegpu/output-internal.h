/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu outputs: what the parts of the block share
 */
#ifndef HW_DISPLAY_PRIMEGPU_OUTPUT_INTERNAL_H
#define HW_DISPLAY_PRIMEGPU_OUTPUT_INTERNAL_H

#include "device.h"

/* Time */
/* Let the timer run when somebody waits for it. */
void primegpu_output_arm(PrimeGPUOutput *o);
/* These events have occurred. */
void primegpu_output_raise(PrimeGPUOutput *o, uint32_t events);
uint32_t primegpu_output_vblank_count(const PrimeGPUOutput *o);
bool primegpu_output_mode_is_valid(const PrimeGPUMode *mode);
/* How long a frame takes; 0 when the output is off */
uint64_t primegpu_output_mode_ns(const PrimeGPUMode *mode);

/* Whether ROUTE can have this value */
bool primegpu_output_route_is_valid(const PrimeGPUOutput *o, uint32_t route);

/* Commits */
/* Latch what is pending, if anything is; returns the events of that. */
uint32_t primegpu_output_latch(PrimeGPUOutput *o);
/* Forget what is pending. */
void primegpu_output_drop_pending(PrimeGPUOutput *o);
/* All planes and the colours are off; nothing is pending. */
void primegpu_output_hide_all(PrimeGPUOutput *o);

/* Count a place that names these BOs. */
void primegpu_output_show(PrimeGPUBuffer *bo);
void primegpu_output_show_plane(const PrimeGPUPlane *plane);

/* Display */
/* A display is there, as the properties say; nobody is told. */
void primegpu_output_plug(PrimeGPUOutput *o);
bool primegpu_output_display_is_valid(uint32_t xres, uint32_t yres,
                                      uint32_t refresh_rate);
/* Make the EDID of what is there. */
void primegpu_output_make_edid(PrimeGPUOutput *o);

#endif /* HW_DISPLAY_PRIMEGPU_OUTPUT_INTERNAL_H */
