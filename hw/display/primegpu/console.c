/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu consoles
 *
 * A console is brought up to date when QEMU's display asks for it, so nothing
 * is done while nobody looks.  When the frame is one plane that lies in VRAM,
 * the surface is that VRAM; else the frame is composed into a surface of its
 * own, the rows that may have changed, of which only the pixels that did are
 * passed on.
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "device.h"
#include "console-internal.h"
#include "frame.h"
#include "trace.h"

static void primegpu_console_send(PrimeGPUConsole *c, PrimeGPUConsoleBox box)
{
    if (!primegpu_console_box_empty(&box)) {
        trace_primegpu_console_send(c->o->s->name, c->o->index, box.x1, box.y1,
                                    box.x2, box.y2);
        dpy_gfx_update(c->con, box.x1, box.y1, box.x2 - box.x1,
                       box.y2 - box.y1);
    }
}

/*
 * Surfaces.  Who shows one may keep its pixels after another has come in its
 * stead, and a GPU may be unplugged while another shows its VRAM, so what is
 * shown in place holds a reference to the VRAM, and by that to its device.
 */

static void primegpu_console_unref(pixman_image_t *image, void *mr)
{
    memory_region_unref(mr);
}

static void primegpu_console_own_surface(PrimeGPUConsole *c)
{
    PrimeGPUMode *mode = &c->pipe->mode;

    dpy_gfx_replace_surface(c->con, qemu_create_displaysurface(mode->hdisplay,
                                                               mode->vdisplay));
    c->in_place = NULL;
    primegpu_console_damage_all(c);
}

static void primegpu_console_surface_at(PrimeGPUConsole *c,
                                        PrimeGPUState *owner, uint64_t offset,
                                        uint32_t stride)
{
    PrimeGPUMode *mode = &c->pipe->mode;
    DisplaySurface *surface;

    surface = qemu_create_displaysurface_from(mode->hdisplay, mode->vdisplay,
                                              PIXMAN_LE_x8r8g8b8, stride,
                                              owner->mem.vram_host + offset);
    memory_region_ref(&owner->mem.vram);
    pixman_image_set_destroy_function(surface->image, primegpu_console_unref,
                                      &owner->mem.vram);
    dpy_gfx_replace_surface(c->con, surface);
    c->in_place = owner;
    c->surface_offset = offset;
    c->surface_stride = stride;
    trace_primegpu_console_surface_at(c->o->s->name, c->o->index, owner->name,
                                      offset);
}

/*
 * Refreshing.
 */

static uint32_t *primegpu_console_surface_row(PrimeGPUConsole *c, uint32_t y)
{
    DisplaySurface *surface = qemu_console_surface(c->con);

    return (uint32_t *)((uint8_t *)surface_data(surface) +
                        (size_t)y * surface_stride(surface));
}

/* Pixels x1 to x2 of a row are damaged: put them into the surface. */
static void primegpu_console_compose(PrimeGPUConsole *c,
                                     PrimeGPUCompose *compose, uint32_t y,
                                     uint32_t x1, uint32_t x2,
                                     PrimeGPUConsoleBox *box)
{
    primegpu_compose_row(compose, y, x1, x2,
                         primegpu_console_surface_row(c, y) + x1);
    c->o->counters.console_bytes += (x2 - x1) * sizeof(uint32_t);
    primegpu_console_box_add(box, (PrimeGPUConsoleBox) { x1, y, x2, y + 1 });
}

/* They may have changed: put only those into it that have. */
static void primegpu_console_compare(PrimeGPUConsole *c,
                                     PrimeGPUCompose *compose, uint32_t y,
                                     uint32_t x1, uint32_t x2,
                                     PrimeGPUConsoleBox *box)
{
    uint32_t *old = primegpu_console_surface_row(c, y);
    size_t bytes = (x2 - x1) * sizeof(*old);

    primegpu_compose_row(compose, y, x1, x2, c->row + x1);
    c->o->counters.console_bytes += bytes;
    if (!memcmp(old + x1, c->row + x1, bytes)) {
        return;
    }
    while (old[x1] == c->row[x1]) {
        x1++;
    }
    while (old[x2 - 1] == c->row[x2 - 1]) {
        x2--;
    }
    memcpy(old + x1, c->row + x1, (x2 - x1) * sizeof(*old));
    primegpu_console_box_add(box, (PrimeGPUConsoleBox) { x1, y, x2, y + 1 });
}

/* Bring a row of the surface up to date; returns what is new in it. */
static PrimeGPUConsoleBox primegpu_console_refresh_row(
    PrimeGPUConsole *c, PrimeGPUCompose *compose, uint32_t y)
{
    uint32_t width = c->pipe->mode.hdisplay;
    PrimeGPUConsoleBox box = { };
    uint32_t x1 = 0;
    uint32_t x2 = 0;

    if (y >= c->damage.y1 && y < c->damage.y2) {
        x1 = c->damage.x1;
        x2 = c->damage.x2;
    }
    if (c->in_place) {
        if (x1 < x2 || primegpu_console_row_changed(c, compose, y)) {
            box = (PrimeGPUConsoleBox) { 0, y, width, y + 1 };
        }
        return box;
    }
    if (x1 < x2) {
        primegpu_console_compose(c, compose, y, x1, x2, &box);
    }
    if (x2 - x1 < width && primegpu_console_row_changed(c, compose, y)) {
        primegpu_console_compare(c, compose, y, 0, x1, &box);
        primegpu_console_compare(c, compose, y, x2, width, &box);
    }
    return box;
}

/* Rows that follow each other are passed on together. */
static bool primegpu_console_refresh_rows(PrimeGPUConsole *c,
                                          PrimeGPUCompose *compose)
{
    PrimeGPUConsoleBox box = { };
    bool any = false;
    uint32_t y;

    for (y = 0; y < c->pipe->mode.vdisplay; y++) {
        PrimeGPUConsoleBox row = primegpu_console_refresh_row(c, compose, y);

        if (primegpu_console_box_empty(&row)) {
            primegpu_console_send(c, box);
            box = row;
        } else {
            any = true;
            primegpu_console_box_add(&box, row);
        }
    }
    primegpu_console_send(c, box);
    return any;
}

/* Whether the surface can be the memory of a plane, and which */
static bool primegpu_console_find_place(PrimeGPUConsole *c,
                                        PrimeGPUCompose *compose,
                                        PrimeGPUState **owner,
                                        uint64_t *offset, uint32_t *stride)
{
    const PrimeGPUPlane *p;
    uint32_t x, y;
    int i = primegpu_compose_single(compose, &x, &y);

    if (i < 0 || !c->source[i][0].owner) {
        return false;
    }
    p = &c->pipe->plane[i];
    *owner = c->source[i][0].owner;
    *offset = c->source[i][0].vram_offset + (uint64_t)y * p->stride[0] + x * 4;
    *stride = p->stride[0];
    /* Displays count the bytes of a surface in an int. */
    return (uint64_t)p->stride[0] * c->pipe->mode.vdisplay <= INT32_MAX &&
           QEMU_IS_ALIGNED(*offset, sizeof(uint32_t));
}

/* Make the surface what it has to be. */
static void primegpu_console_choose_surface(PrimeGPUConsole *c,
                                            PrimeGPUCompose *compose)
{
    PrimeGPUState *owner;
    uint64_t offset;
    uint32_t stride;

    if (primegpu_console_find_place(c, compose, &owner, &offset, &stride)) {
        if (owner != c->in_place || offset != c->surface_offset ||
            stride != c->surface_stride || !c->on) {
            primegpu_console_surface_at(c, owner, offset, stride);
            primegpu_console_damage_all(c);
        }
    } else if (c->in_place || !c->on) {
        primegpu_console_own_surface(c);
    }
    c->on = true;
}

static void primegpu_console_off(PrimeGPUConsole *c)
{
    if (c->on) {
        dpy_gfx_replace_surface(c->con, NULL);
        c->in_place = NULL;
        c->on = false;
    }
}

/* Returns what the frame is made with; within an RCU critical section. */
static PrimeGPUCompose *primegpu_console_begin(PrimeGPUConsole *c)
{
    PrimeGPUCompose *compose = primegpu_frame_begin(c->pipe);

    primegpu_console_find_sources(c);
    primegpu_console_choose_surface(c, compose);
    return compose;
}

static void primegpu_console_refresh(PrimeGPUConsole *c)
{
    PrimeGPUCompose *compose;

    if (!c->pipe || !c->pipe->frame_ns) {
        primegpu_console_off(c);
        return;
    }

    RCU_READ_LOCK_GUARD();

    compose = primegpu_console_begin(c);
    /* What is written after this is found the next time. */
    primegpu_console_sync_sources(c);
    if (primegpu_console_refresh_rows(c, compose)) {
        c->o->counters.console_frames++;
    }
    primegpu_console_seen_sources(c);
    c->damage = (PrimeGPUConsoleBox) { };
}

/*
 * The BO that the surface is may not be shown any more, and may be gone soon.
 * If the surface cannot be another one, it is composed at once, so that nobody
 * sees it empty.
 */
static void primegpu_console_leave_place(PrimeGPUConsole *c)
{
    RCU_READ_LOCK_GUARD();

    primegpu_console_begin(c);
    if (!c->in_place) {
        primegpu_console_refresh(c);
    }
}

/*
 * What QEMU's displays call.
 */

static void primegpu_console_update(void *opaque)
{
    PrimeGPUConsole *c = opaque;

    if (c->pipe) {
        primegpu_output_sync(c->pipe);
    }
    primegpu_console_refresh(c);
}

static void primegpu_console_invalidate(void *opaque)
{
    primegpu_console_damage_all(opaque);
}

static void primegpu_console_ui_info(void *opaque, uint32_t head,
                                     QemuUIInfo *info)
{
    PrimeGPUConsole *c = opaque;

    /* A window that is not there wants no size. */
    primegpu_output_set_display(c->o, info->width && info->height,
                                info->width, info->height,
                                info->refresh_rate);
}

static const GraphicHwOps primegpu_console_ops = {
    .invalidate = primegpu_console_invalidate,
    .gfx_update = primegpu_console_update,
    .ui_info = primegpu_console_ui_info,
};

/*
 * What the output calls.
 */

static void primegpu_console_latch_planes(PrimeGPUConsole *c, uint32_t planes,
                                          bool color)
{
    unsigned i;

    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        if (planes & (1u << i)) {
            primegpu_console_damage_plane(c, &c->plane[i], &c->pipe->plane[i]);
            c->plane[i] = c->pipe->plane[i];
        }
    }
    if (color) {
        primegpu_console_damage_all(c);
    }
    if (c->in_place) {
        primegpu_console_leave_place(c);
    }
}

/* Nothing that it has shown goes on. */
static void primegpu_console_restart(PrimeGPUConsole *c)
{
    primegpu_console_off(c);
    memset(c->source, 0, sizeof(c->source));
    if (c->pipe) {
        memcpy(c->plane, c->pipe->plane, sizeof(c->plane));
        primegpu_console_damage_all(c);
    }
}

void primegpu_console_latch(PrimeGPUOutput *o, uint32_t planes, bool color)
{
    uint32_t i;

    for (i = 0; i < o->s->conf.max_outputs; i++) {
        PrimeGPUConsole *c = o->s->outputs[i].console;

        if (c->pipe == o) {
            primegpu_console_latch_planes(c, planes, color);
        }
    }
}

void primegpu_console_mode(PrimeGPUOutput *o)
{
    uint32_t i;

    for (i = 0; i < o->s->conf.max_outputs; i++) {
        PrimeGPUConsole *c = o->s->outputs[i].console;

        if (c->pipe == o) {
            primegpu_console_restart(c);
        }
    }
}

void primegpu_console_route(PrimeGPUOutput *o)
{
    PrimeGPUConsole *c = o->console;

    c->pipe = primegpu_output_find(o->s, o->route);
    primegpu_console_restart(c);
}

void primegpu_console_init(PrimeGPUOutput *o)
{
    PrimeGPUConsole *c = g_new0(PrimeGPUConsole, 1);

    c->o = o;
    c->pipe = o;
    c->con = graphic_console_init(DEVICE(o->s), o->index,
                                  &primegpu_console_ops, c);
    o->console = c;
}

void primegpu_console_finalize(PrimeGPUOutput *o)
{
    primegpu_console_off(o->console);
    graphic_console_close(o->console->con);
    g_clear_pointer(&o->console, g_free);
}
