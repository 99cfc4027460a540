/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu consoles: what a person sees of an output.
 */
#ifndef HW_DISPLAY_PRIMEGPU_CONSOLE_H
#define HW_DISPLAY_PRIMEGPU_CONSOLE_H

/* Make o->console, and take it away. */
void primegpu_console_init(PrimeGPUOutput *o);
void primegpu_console_finalize(PrimeGPUOutput *o);
/* The mode is new, or everything is, after a reset or a load. */
void primegpu_console_mode(PrimeGPUOutput *o);
/* A commit was latched: these planes, a mask, are new, and the colours. */
void primegpu_console_latch(PrimeGPUOutput *o, uint32_t planes, bool color);

#endif /* HW_DISPLAY_PRIMEGPU_CONSOLE_H */
