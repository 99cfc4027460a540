/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu consoles
 */
#include "qemu/osdep.h"
#include "device.h"
#include "output.h"
#include "console.h"

void primegpu_console_init(PrimeGPUOutput *o)
{
}

void primegpu_console_finalize(PrimeGPUOutput *o)
{
}

void primegpu_console_mode(PrimeGPUOutput *o)
{
}

void primegpu_console_latch(PrimeGPUOutput *o, uint32_t planes, bool color)
{
}
