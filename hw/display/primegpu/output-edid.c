/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu outputs: the display behind the connector
 *
 * Owns what is plugged in, and its EDID.  Properties say what is there at the
 * start; the user changes it by the monitor or by the size of a window.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/display/edid.h"
#include "output-internal.h"
#include "trace.h"

bool primegpu_output_display_is_valid(uint32_t xres, uint32_t yres,
                                      uint32_t refresh_rate)
{
    return xres && xres <= PRIMEGPU_MODE_SIZE_MAX &&
           yres && yres <= PRIMEGPU_MODE_SIZE_MAX &&
           refresh_rate >= PRIMEGPU_REFRESH_RATE_MIN &&
           refresh_rate <= PRIMEGPU_REFRESH_RATE_MAX;
}

void primegpu_output_make_edid(PrimeGPUOutput *o)
{
    g_autofree char *name = g_strdup_printf("primegpu %u", o->index);
    g_autofree char *serial = g_strdup_printf(
        "%u", o->s->ledger.id * PRIMEGPU_OUTPUT_MAX + o->index);
    qemu_edid_info info = {
        .name = name,
        .serial = serial,
        .prefx = o->xres,
        .prefy = o->yres,
        .maxx = PRIMEGPU_MODE_SIZE_MAX,
        .maxy = PRIMEGPU_MODE_SIZE_MAX,
        .refresh_rate = o->refresh_rate,
    };

    memset(o->edid, 0, sizeof(o->edid));
    if (o->connected) {
        qemu_edid_generate(o->edid, sizeof(o->edid), &info);
        memset(o->edid + qemu_edid_size(o->edid), 0,
               sizeof(o->edid) - qemu_edid_size(o->edid));
    }
}

uint32_t primegpu_output_read_edid(PrimeGPUState *s, uint32_t offset)
{
    PrimeGPUOutput *o = primegpu_output_find(s, offset / PRIMEGPU_EDID_SIZE);

    return o ? ldl_le_p(o->edid + offset % PRIMEGPU_EDID_SIZE) : 0;
}

void primegpu_output_plug(PrimeGPUOutput *o)
{
    o->connected = true;
    o->xres = o->s->conf.xres;
    o->yres = o->s->conf.yres;
    o->refresh_rate = o->s->conf.refresh_rate;
    primegpu_output_make_edid(o);
}

void primegpu_output_set_display(PrimeGPUOutput *o, bool connected,
                                 uint32_t xres, uint32_t yres,
                                 uint32_t refresh_rate)
{
    xres = MIN(xres ?: o->xres, PRIMEGPU_MODE_SIZE_MAX);
    yres = MIN(yres ?: o->yres, PRIMEGPU_MODE_SIZE_MAX);
    refresh_rate = refresh_rate ?: o->refresh_rate;
    refresh_rate = MIN(MAX(refresh_rate, PRIMEGPU_REFRESH_RATE_MIN),
                       PRIMEGPU_REFRESH_RATE_MAX);
    if (o->connected == connected && o->xres == xres && o->yres == yres &&
        o->refresh_rate == refresh_rate) {
        return;
    }
    trace_primegpu_output_set_display(o->s->name, o->index, connected, xres,
                                      yres, refresh_rate);
    o->connected = connected;
    o->xres = xres;
    o->yres = yres;
    o->refresh_rate = refresh_rate;
    primegpu_output_make_edid(o);
    primegpu_output_raise(o, PRIMEGPU_OUTPUT_IRQ_HOTPLUG);
}
