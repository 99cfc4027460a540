/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu outputs: migration state
 *
 * Nothing that is loaded is trusted: it goes through the checks of commands.
 * A mode goes on where it was, as the virtual clock does; the timer is armed
 * when the machine starts.
 */
#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "output-internal.h"
#include "console.h"
#include "output-check.h"

/* Far from what a sum of times may not reach */
#define PRIMEGPU_OUTPUT_TIME_MAX    (INT64_MAX / 4)

static const VMStateDescription primegpu_vmstate_mode = {
    .name = "primegpu/output/mode",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(clock, PrimeGPUMode),
        VMSTATE_UINT32(hdisplay, PrimeGPUMode),
        VMSTATE_UINT32(htotal, PrimeGPUMode),
        VMSTATE_UINT32(vdisplay, PrimeGPUMode),
        VMSTATE_UINT32(vtotal, PrimeGPUMode),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription primegpu_vmstate_plane = {
    .name = "primegpu/output/plane",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64_ARRAY(key, PrimeGPUPlane, PRIMEGPU_PLANE_KEYS),
        VMSTATE_UINT32_ARRAY(offset, PrimeGPUPlane, PRIMEGPU_PLANE_KEYS),
        VMSTATE_UINT32_ARRAY(stride, PrimeGPUPlane, PRIMEGPU_PLANE_KEYS),
        VMSTATE_UINT32(format, PrimeGPUPlane),
        VMSTATE_UINT32(width, PrimeGPUPlane),
        VMSTATE_UINT32(height, PrimeGPUPlane),
        VMSTATE_UINT32(src_x, PrimeGPUPlane),
        VMSTATE_UINT32(src_y, PrimeGPUPlane),
        VMSTATE_UINT32(src_w, PrimeGPUPlane),
        VMSTATE_UINT32(src_h, PrimeGPUPlane),
        VMSTATE_INT32(dst_x, PrimeGPUPlane),
        VMSTATE_INT32(dst_y, PrimeGPUPlane),
        VMSTATE_UINT32(dst_w, PrimeGPUPlane),
        VMSTATE_UINT32(dst_h, PrimeGPUPlane),
        VMSTATE_UINT32(damage.x1, PrimeGPUPlane),
        VMSTATE_UINT32(damage.y1, PrimeGPUPlane),
        VMSTATE_UINT32(damage.x2, PrimeGPUPlane),
        VMSTATE_UINT32(damage.y2, PrimeGPUPlane),
        VMSTATE_UINT16(alpha, PrimeGPUPlane),
        VMSTATE_UINT8(zpos, PrimeGPUPlane),
        VMSTATE_UINT8(blend, PrimeGPUPlane),
        VMSTATE_UINT8(encoding, PrimeGPUPlane),
        VMSTATE_UINT8(range, PrimeGPUPlane),
        VMSTATE_UINT8(rotation, PrimeGPUPlane),
        VMSTATE_BOOL(moved, PrimeGPUPlane),
        VMSTATE_BOOL(explicit_sync, PrimeGPUPlane),
        VMSTATE_UINT64(seqno, PrimeGPUPlane),
        VMSTATE_UINT64(fetched, PrimeGPUPlane),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription primegpu_vmstate_color = {
    .name = "primegpu/output/color",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(flags, PrimeGPUColor),
        VMSTATE_UINT64_ARRAY(ctm, PrimeGPUColor, 9),
        VMSTATE_UINT16_2DARRAY(degamma, PrimeGPUColor, 3, PRIMEGPU_LUT_SIZE),
        VMSTATE_UINT16_2DARRAY(gamma, PrimeGPUColor, 3, PRIMEGPU_LUT_SIZE),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription primegpu_vmstate_pending = {
    .name = "primegpu/output/pending",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(any, PrimeGPUPending),
        VMSTATE_BOOL(has_color, PrimeGPUPending),
        VMSTATE_UINT32(planes, PrimeGPUPending),
        VMSTATE_UINT64(seqno, PrimeGPUPending),
        VMSTATE_STRUCT_ARRAY(plane, PrimeGPUPending, PRIMEGPU_PLANE_MAX, 1,
                             primegpu_vmstate_plane, PrimeGPUPlane),
        VMSTATE_STRUCT(color, PrimeGPUPending, 1, primegpu_vmstate_color,
                       PrimeGPUColor),
        VMSTATE_UINT64(writeback.key, PrimeGPUPending),
        VMSTATE_UINT32(writeback.offset, PrimeGPUPending),
        VMSTATE_UINT32(writeback.stride, PrimeGPUPending),
        VMSTATE_UINT32(writeback.format, PrimeGPUPending),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription primegpu_vmstate_output_counters = {
    .name = "primegpu/output/counters",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(commits, PrimeGPUOutputCounters),
        VMSTATE_UINT64(flips, PrimeGPUOutputCounters),
        VMSTATE_UINT64(late, PrimeGPUOutputCounters),
        VMSTATE_UINT64(frames, PrimeGPUOutputCounters),
        VMSTATE_UINT64(frame_bytes, PrimeGPUOutputCounters),
        VMSTATE_UINT64(writebacks, PrimeGPUOutputCounters),
        VMSTATE_UINT64(console_frames, PrimeGPUOutputCounters),
        VMSTATE_UINT64(console_bytes, PrimeGPUOutputCounters),
        VMSTATE_UINT64(scan_faults, PrimeGPUOutputCounters),
        VMSTATE_END_OF_LIST()
    }
};

static bool primegpu_vmstate_route_needed(void *opaque)
{
    const PrimeGPUOutput *o = opaque;

    return o->route != o->index;
}

static const VMStateDescription primegpu_vmstate_route = {
    .name = "primegpu/output/route",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = primegpu_vmstate_route_needed,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(route, PrimeGPUOutput),
        VMSTATE_END_OF_LIST()
    }
};

const VMStateDescription primegpu_vmstate_output = {
    .name = "primegpu/output",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(irq_status, PrimeGPUOutput),
        VMSTATE_UINT32(irq_enable, PrimeGPUOutput),
        VMSTATE_UINT32(control, PrimeGPUOutput),
        VMSTATE_UINT64(flip_seq, PrimeGPUOutput),
        VMSTATE_UINT32(crc, PrimeGPUOutput),
        VMSTATE_UINT32(crc_frame, PrimeGPUOutput),
        VMSTATE_UINT32(kept_time_hi, PrimeGPUOutput),
        VMSTATE_UINT32(kept_flip_hi, PrimeGPUOutput),
        VMSTATE_UINT32(kept_crc, PrimeGPUOutput),
        VMSTATE_BOOL(connected, PrimeGPUOutput),
        VMSTATE_UINT32(xres, PrimeGPUOutput),
        VMSTATE_UINT32(yres, PrimeGPUOutput),
        VMSTATE_UINT32(refresh_rate, PrimeGPUOutput),
        VMSTATE_STRUCT(mode, PrimeGPUOutput, 1, primegpu_vmstate_mode,
                       PrimeGPUMode),
        VMSTATE_INT64(start_ns, PrimeGPUOutput),
        VMSTATE_UINT64(frame, PrimeGPUOutput),
        VMSTATE_UINT32(count_base, PrimeGPUOutput),
        VMSTATE_STRUCT_ARRAY(plane, PrimeGPUOutput, PRIMEGPU_PLANE_MAX, 1,
                             primegpu_vmstate_plane, PrimeGPUPlane),
        VMSTATE_STRUCT(color, PrimeGPUOutput, 1, primegpu_vmstate_color,
                       PrimeGPUColor),
        VMSTATE_STRUCT(pending, PrimeGPUOutput, 1, primegpu_vmstate_pending,
                       PrimeGPUPending),
        VMSTATE_STRUCT(counters, PrimeGPUOutput, 1,
                       primegpu_vmstate_output_counters,
                       PrimeGPUOutputCounters),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription * const []) {
        &primegpu_vmstate_route,
        NULL
    }
};

static bool primegpu_output_loaded_plane(PrimeGPUState *s,
                                         PrimeGPUPlane *plane)
{
    if (!primegpu_engine_restore_fetched(plane->fetched)) {
        return false;
    }
    if (!plane->key[0]) {
        return true;
    }
    if (!primegpu_output_plane_is_valid(plane) ||
        primegpu_output_find_plane_bos(s, plane) != PRIMEGPU_ST_OK) {
        memset(plane, 0, sizeof(*plane));
        return false;
    }
    primegpu_output_show_plane(plane);
    return true;
}

static bool primegpu_output_loaded_writeback(PrimeGPUOutput *o,
                                             PrimeGPUWriteBack *writeback)
{
    if (!writeback->key) {
        return true;
    }
    if (!primegpu_output_writeback_is_valid(&o->mode, writeback) ||
        primegpu_output_find_writeback_bo(o, writeback) != PRIMEGPU_ST_OK) {
        memset(writeback, 0, sizeof(*writeback));
        return false;
    }
    primegpu_output_show(writeback->bo);
    return true;
}

static bool primegpu_output_loaded_pending(PrimeGPUOutput *o)
{
    PrimeGPUPending *pending = &o->pending;
    uint32_t all = (1u << PRIMEGPU_PLANE_MAX) - 1;
    uint32_t planes = pending->planes & all;
    unsigned i;

    /* A commit waits only while there is a mode. */
    if (pending->planes != planes || (pending->any && !o->mode.clock) ||
        (!pending->any && (planes || pending->writeback.key))) {
        pending->planes = 0;
        return false;
    }
    pending->planes = 0;
    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        if (planes & (1u << i)) {
            if (!primegpu_output_loaded_plane(o->s, &pending->plane[i])) {
                return false;
            }
            pending->planes |= 1u << i;
        }
    }
    return primegpu_output_color_is_valid(&pending->color) &&
           primegpu_output_loaded_writeback(o, &pending->writeback);
}

static bool primegpu_output_loaded_time(PrimeGPUOutput *o)
{
    if (!primegpu_output_mode_is_valid(&o->mode) || o->start_ns < 0 ||
        o->start_ns > PRIMEGPU_OUTPUT_TIME_MAX) {
        return false;
    }
    return o->frame <= PRIMEGPU_OUTPUT_TIME_MAX /
                       MAX(primegpu_output_mode_ns(&o->mode), 1);
}

static bool primegpu_output_loaded_one(PrimeGPUOutput *o)
{
    unsigned i;

    if (((o->irq_status | o->irq_enable) & ~PRIMEGPU_OUTPUT_IRQ_ALL) ||
        (o->control & ~PRIMEGPU_OUTPUT_CONTROL_CRC) ||
        !primegpu_output_route_is_valid(o, o->route) ||
        !primegpu_output_display_is_valid(o->xres, o->yres,
                                          o->refresh_rate) ||
        !primegpu_output_loaded_time(o) ||
        !primegpu_output_color_is_valid(&o->color)) {
        return false;
    }
    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        if (!primegpu_output_loaded_plane(o->s, &o->plane[i])) {
            return false;
        }
    }
    if (!primegpu_output_loaded_pending(o)) {
        return false;
    }
    /* From here on the output may be looked at. */
    o->frame_ns = primegpu_output_mode_ns(&o->mode);
    primegpu_output_make_edid(o);
    primegpu_console_route(o);
    primegpu_console_mode(o);
    return true;
}

bool primegpu_output_loaded(PrimeGPUState *s)
{
    uint32_t i;

    for (i = 0; i < s->conf.max_outputs; i++) {
        if (!primegpu_output_loaded_one(&s->outputs[i])) {
            return false;
        }
    }
    return true;
}
