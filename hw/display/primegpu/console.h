/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu consoles: what a person sees at the connector of an output.
 */
#ifndef HW_DISPLAY_PRIMEGPU_CONSOLE_H
#define HW_DISPLAY_PRIMEGPU_CONSOLE_H

/* Make o->console, and take it away. */
void primegpu_console_init(PrimeGPUOutput *o);
void primegpu_console_finalize(PrimeGPUOutput *o);
/* The console shows another pipe, or none. */
void primegpu_console_route(PrimeGPUOutput *o);

/*
 * The mode of the pipe is new, or everything is, after a reset or a load.  This
 * and the next is for all consoles that show it.
 */
void primegpu_console_mode(PrimeGPUOutput *o);
/* A commit was latched: these planes, a mask, are new, and the colours. */
void primegpu_console_latch(PrimeGPUOutput *o, uint32_t planes, bool color);

#endif /* HW_DISPLAY_PRIMEGPU_CONSOLE_H */
