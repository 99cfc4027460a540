/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu outputs: registers, modes and vertical blanks
 *
 * Owns the time of an output.  What a vertical blank does is due at an exact
 * time of the virtual clock, but nothing of it can be seen before somebody
 * looks.  So each look catches up first, and the timer runs only while
 * somebody waits: for an interrupt, a pending commit or a CRC.  An output
 * that nobody looks at costs nothing.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "qemu/timer.h"
#include "system/runstate.h"
#include "output-internal.h"
#include "console.h"
#include "frame.h"
#include "trace.h"

/* Pixels in 1 / kHz are this many nanoseconds. */
#define PRIMEGPU_OUTPUT_NS_PER_MS   (NANOSECONDS_PER_SECOND / 1000)

static int64_t primegpu_output_now(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

uint32_t primegpu_output_vblank_count(const PrimeGPUOutput *o)
{
    return o->count_base + (uint32_t)o->frame;
}

static int64_t primegpu_output_frame_start(const PrimeGPUOutput *o,
                                           uint64_t frame)
{
    return o->start_ns + (int64_t)(frame * o->frame_ns);
}

/* The frame that runs now; it never goes back. */
static uint64_t primegpu_output_frame_now(const PrimeGPUOutput *o)
{
    int64_t elapsed = primegpu_output_now() - o->start_ns;
    uint64_t frame = elapsed < 0 ? 0 : elapsed / o->frame_ns;

    return MAX(frame, o->frame);
}

/* Whether somebody waits for the next vertical blank */
static bool primegpu_output_is_awaited(const PrimeGPUOutput *o)
{
    return o->frame_ns &&
           (o->pending.any || (o->irq_enable & PRIMEGPU_OUTPUT_IRQ_VBLANK) ||
            (o->control & PRIMEGPU_OUTPUT_CONTROL_CRC));
}

void primegpu_output_arm(PrimeGPUOutput *o)
{
    if (!primegpu_output_is_awaited(o)) {
        timer_del(o->timer);
        return;
    }
    /* When composing takes longer than a frame, others get their turn. */
    timer_mod(o->timer, primegpu_output_frame_start(
                  o, primegpu_output_frame_now(o) + 1));
}

void primegpu_output_raise(PrimeGPUOutput *o, uint32_t events)
{
    uint32_t before = o->irq_status & o->irq_enable;

    o->irq_status |= events;
    if (o->irq_status & o->irq_enable & ~before) {
        primegpu_irq_raise(o->s, PRIMEGPU_IRQ_DISPLAY);
    }
}

static void primegpu_output_update_crc(PrimeGPUOutput *o)
{
    o->crc = primegpu_frame_crc(o);
    o->crc_frame = primegpu_output_vblank_count(o);
}

static void primegpu_output_vblank(PrimeGPUOutput *o, uint64_t frame)
{
    uint32_t events = PRIMEGPU_OUTPUT_IRQ_VBLANK;

    if (primegpu_output_is_awaited(o)) {
        o->counters.late += frame - o->frame - 1;
    }
    o->frame = frame;
    trace_primegpu_output_vblank(o->s->name, o->index,
                                 primegpu_output_vblank_count(o));
    primegpu_engine_begin(o->s);
    events |= primegpu_output_latch(o);
    if (o->control & PRIMEGPU_OUTPUT_CONTROL_CRC) {
        primegpu_output_update_crc(o);
        events |= PRIMEGPU_OUTPUT_IRQ_CRC;
    }
    primegpu_output_raise(o, events);
    primegpu_output_arm(o);
}

void primegpu_output_sync(PrimeGPUOutput *o)
{
    uint64_t frame;

    /* Time stands still, and what is loaded may not be complete. */
    if (!o->frame_ns || !runstate_is_running()) {
        return;
    }
    frame = primegpu_output_frame_now(o);
    if (frame != o->frame) {
        primegpu_output_vblank(o, frame);
    }
}

static void primegpu_output_timer(void *opaque)
{
    PrimeGPUOutput *o = opaque;

    primegpu_output_sync(o);
    primegpu_output_arm(o);
}

PrimeGPUOutput *primegpu_output_find(PrimeGPUState *s, uint32_t index)
{
    return index < s->conf.max_outputs ? &s->outputs[index] : NULL;
}

bool primegpu_output_route_is_valid(const PrimeGPUOutput *o, uint32_t route)
{
    return route == PRIMEGPU_OUTPUT_ROUTE_NONE ||
           primegpu_output_find(o->s, route);
}

static void primegpu_output_set_route(PrimeGPUOutput *o, uint32_t route)
{
    if (!primegpu_output_route_is_valid(o, route)) {
        qemu_log_mask(LOG_GUEST_ERROR, "primegpu %s: output %u cannot show "
                      "pipe %u\n", o->s->name, o->index, route);
        trace_primegpu_err_output_set_route(o->s->name, o->index, route);
        return;
    }
    if (route != o->route) {
        trace_primegpu_output_set_route(o->s->name, o->index, route);
        o->route = route;
        primegpu_console_route(o);
    }
}

uint64_t primegpu_output_mode_ns(const PrimeGPUMode *mode)
{
    uint64_t pixels = (uint64_t)mode->htotal * mode->vtotal;

    return mode->clock ? pixels * PRIMEGPU_OUTPUT_NS_PER_MS / mode->clock : 0;
}

bool primegpu_output_mode_is_valid(const PrimeGPUMode *mode)
{
    uint64_t ns = primegpu_output_mode_ns(mode);

    if (!mode->clock) {
        return !mode->hdisplay && !mode->htotal && !mode->vdisplay &&
               !mode->vtotal;
    }
    return mode->hdisplay && mode->hdisplay <= PRIMEGPU_MODE_SIZE_MAX &&
           mode->vdisplay && mode->vdisplay <= PRIMEGPU_MODE_SIZE_MAX &&
           mode->htotal > mode->hdisplay && mode->htotal <= UINT16_MAX &&
           mode->vtotal > mode->vdisplay && mode->vtotal <= UINT16_MAX &&
           ns >= PRIMEGPU_MODE_FRAME_NS_MIN &&
           ns <= PRIMEGPU_MODE_FRAME_NS_MAX;
}

static void primegpu_output_start_mode(PrimeGPUOutput *o,
                                       const PrimeGPUMode *mode)
{
    o->count_base = primegpu_output_vblank_count(o);
    o->frame = 0;
    o->mode = *mode;
    o->frame_ns = primegpu_output_mode_ns(mode);
    o->start_ns = primegpu_output_now();
    primegpu_output_arm(o);
    primegpu_console_mode(o);
}

uint32_t primegpu_output_set_mode(PrimeGPUState *s, uint32_t index,
                                  const PrimeGPUMode *mode)
{
    PrimeGPUOutput *o = primegpu_output_find(s, index);
    uint32_t events;

    if (!o) {
        return PRIMEGPU_ST_UNSUPPORTED;
    }
    if (!primegpu_output_mode_is_valid(mode)) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    primegpu_output_sync(o);
    trace_primegpu_output_set_mode(s->name, index, mode->clock,
                                   mode->hdisplay, mode->vdisplay);
    events = primegpu_output_latch(o);
    primegpu_output_hide_all(o);
    primegpu_output_start_mode(o, mode);
    primegpu_output_raise(o, events);
    return PRIMEGPU_ST_OK;
}

static uint32_t primegpu_output_status(const PrimeGPUOutput *o)
{
    return (o->connected ? PRIMEGPU_OUTPUT_CONNECTED : 0) |
           (o->frame_ns ? PRIMEGPU_OUTPUT_ON : 0) |
           (o->pending.any ? PRIMEGPU_OUTPUT_PENDING : 0);
}

/* A frame begins with the vertical blank. */
static uint32_t primegpu_output_scanpos(const PrimeGPUOutput *o)
{
    const PrimeGPUMode *mode = &o->mode;
    int64_t elapsed;
    uint64_t pixel;

    if (!o->frame_ns) {
        return 0;
    }
    elapsed = primegpu_output_now() - primegpu_output_frame_start(o, o->frame);
    elapsed = MIN(MAX(elapsed, 0), (int64_t)o->frame_ns - 1);
    pixel = (uint64_t)elapsed * mode->htotal * mode->vtotal / o->frame_ns;
    return (mode->vdisplay + pixel / mode->htotal) % mode->vtotal *
           (PRIMEGPU_SCANPOS_PIXEL + 1) + pixel % mode->htotal;
}

static uint32_t primegpu_output_read_pair(uint64_t value, uint32_t *hi)
{
    *hi = extract64(value, 32, 32);
    return extract64(value, 0, 32);
}

uint32_t primegpu_output_read(PrimeGPUOutput *o, enum primegpu_output_reg reg)
{
    primegpu_output_sync(o);
    switch (reg) {
    case PRIMEGPU_OUTPUT_REG_STATUS:
        return primegpu_output_status(o);
    case PRIMEGPU_OUTPUT_REG_IRQ_STATUS:
        return o->irq_status;
    case PRIMEGPU_OUTPUT_REG_IRQ_ENABLE:
        return o->irq_enable;
    case PRIMEGPU_OUTPUT_REG_CONTROL:
        return o->control;
    case PRIMEGPU_OUTPUT_REG_VBLANK_COUNT:
        return primegpu_output_vblank_count(o);
    case PRIMEGPU_OUTPUT_REG_SCANPOS:
        return primegpu_output_scanpos(o);
    case PRIMEGPU_OUTPUT_REG_VBLANK_TIME_LO:
        return primegpu_output_read_pair(
            o->frame_ns ? primegpu_output_frame_start(o, o->frame) : 0,
            &o->kept_time_hi);
    case PRIMEGPU_OUTPUT_REG_VBLANK_TIME_HI:
        return o->kept_time_hi;
    case PRIMEGPU_OUTPUT_REG_FLIP_SEQ_LO:
        return primegpu_output_read_pair(o->flip_seq, &o->kept_flip_hi);
    case PRIMEGPU_OUTPUT_REG_FLIP_SEQ_HI:
        return o->kept_flip_hi;
    case PRIMEGPU_OUTPUT_REG_CRC_FRAME:
        o->kept_crc = o->crc;
        return o->crc_frame;
    case PRIMEGPU_OUTPUT_REG_CRC:
        return o->kept_crc;
    case PRIMEGPU_OUTPUT_REG_ROUTE:
        return o->route;
    }
    g_assert_not_reached();
}

void primegpu_output_write(PrimeGPUOutput *o, enum primegpu_output_reg reg,
                           uint32_t value)
{
    primegpu_output_sync(o);
    switch (reg) {
    case PRIMEGPU_OUTPUT_REG_IRQ_STATUS:
        o->irq_status &= ~value;
        break;
    case PRIMEGPU_OUTPUT_REG_IRQ_ENABLE: {
        uint32_t before = o->irq_status & o->irq_enable;

        o->irq_enable = value & PRIMEGPU_OUTPUT_IRQ_ALL;
        if (o->irq_status & o->irq_enable & ~before) {
            primegpu_irq_raise(o->s, PRIMEGPU_IRQ_DISPLAY);
        }
        break;
    }
    case PRIMEGPU_OUTPUT_REG_CONTROL:
        o->control = value & PRIMEGPU_OUTPUT_CONTROL_CRC;
        break;
    case PRIMEGPU_OUTPUT_REG_ROUTE:
        primegpu_output_set_route(o, value);
        break;
    default:
        g_assert_not_reached();
    }
    primegpu_output_arm(o);
}

static void primegpu_output_reset_one(PrimeGPUOutput *o)
{
    const PrimeGPUMode off = { };

    primegpu_output_drop_pending(o);
    primegpu_output_hide_all(o);
    o->irq_status = 0;
    o->irq_enable = 0;
    o->control = 0;
    o->flip_seq = 0;
    o->crc = 0;
    o->crc_frame = 0;
    o->kept_time_hi = 0;
    o->kept_flip_hi = 0;
    o->kept_crc = 0;
    primegpu_output_start_mode(o, &off);
    o->count_base = 0;
    primegpu_output_set_route(o, o->index);
}

void primegpu_output_reset(PrimeGPUState *s)
{
    uint32_t i;

    for (i = 0; i < s->conf.max_outputs; i++) {
        primegpu_output_reset_one(&s->outputs[i]);
    }
}

void primegpu_output_kick(PrimeGPUState *s)
{
    uint32_t i;

    for (i = 0; i < s->conf.max_outputs; i++) {
        primegpu_output_arm(&s->outputs[i]);
    }
}

void primegpu_output_init(PrimeGPUState *s)
{
    uint32_t i;

    for (i = 0; i < s->conf.max_outputs; i++) {
        PrimeGPUOutput *o = &s->outputs[i];

        o->s = s;
        o->index = i;
        o->route = i;
        o->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, primegpu_output_timer, o);
        primegpu_console_init(o);
        primegpu_output_plug(o);
    }
}

void primegpu_output_finalize(PrimeGPUState *s)
{
    uint32_t i;

    for (i = 0; i < s->conf.max_outputs; i++) {
        primegpu_console_finalize(&s->outputs[i]);
        primegpu_frame_finalize(&s->outputs[i]);
        g_clear_pointer(&s->outputs[i].timer, timer_free);
    }
}
