/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu registers
 *
 * Decodes accesses to the register BAR by the list of the ABI: what is not in
 * the lists, or not 32 bits wide and aligned, reads as zero and is a mistake of
 * the guest.  It keeps nothing but CONTROL and half of CLOCK; every other
 * register belongs to a block.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "qemu/timer.h"
#include "device.h"
#include "regs.h"
#include "trace.h"

typedef enum PrimeGPURegAccess {
    PRIMEGPU_ACCESS_RO,
    PRIMEGPU_ACCESS_RW,
    PRIMEGPU_ACCESS_W1C,
    PRIMEGPU_ACCESS_WO,
} PrimeGPURegAccess;

typedef struct PrimeGPURegInfo {
    const char *name;
    uint32_t offset;
    PrimeGPURegAccess access;
    uint32_t reset;
} PrimeGPURegInfo;

#define PRIMEGPU_REG_INFO_(name, offset, access, reset) \
    { #name, (offset), PRIMEGPU_ACCESS_##access, (reset) },

/* By offset, as the list of the ABI is */
static const PrimeGPURegInfo primegpu_regs[] = {
    PRIMEGPU_REGISTERS(PRIMEGPU_REG_INFO_)
};

/* The block of one output */
static const PrimeGPURegInfo primegpu_output_regs[] = {
    PRIMEGPU_OUTPUT_REGISTERS(PRIMEGPU_REG_INFO_)
};

/* Where an access goes; only one of reg and is_edid is set. */
typedef struct PrimeGPURegPlace {
    const PrimeGPURegInfo *reg;
    PrimeGPUOutput *output;     /* NULL: a register of the device */
    bool is_edid;
    uint32_t offset;            /* of the EDID data */
} PrimeGPURegPlace;

static int primegpu_regs_compare(const void *key, const void *item)
{
    const uint32_t *offset = key;
    const PrimeGPURegInfo *reg = item;

    return (*offset > reg->offset) - (*offset < reg->offset);
}

static const PrimeGPURegInfo *primegpu_regs_search(const PrimeGPURegInfo *list,
                                                   size_t count,
                                                   uint32_t offset)
{
    return bsearch(&offset, list, count, sizeof(list[0]),
                   primegpu_regs_compare);
}

/* False when there is nothing at that offset */
static bool primegpu_regs_locate(PrimeGPUState *s, uint32_t offset,
                                 PrimeGPURegPlace *place)
{
    const uint32_t block = PRIMEGPU_OUTPUT(1) - PRIMEGPU_OUTPUT(0);
    uint32_t outputs = s->conf.max_outputs;

    *place = (PrimeGPURegPlace) { };
    if (offset >= PRIMEGPU_OUTPUT(0) && offset < PRIMEGPU_OUTPUT(outputs)) {
        offset -= PRIMEGPU_OUTPUT(0);
        place->output = &s->outputs[offset / block];
        place->reg = primegpu_regs_search(primegpu_output_regs,
                                          ARRAY_SIZE(primegpu_output_regs),
                                          offset % block);
    } else if (offset >= PRIMEGPU_EDID(0) && offset < PRIMEGPU_EDID(outputs)) {
        place->is_edid = true;
        place->offset = offset - PRIMEGPU_EDID(0);
    } else {
        place->reg = primegpu_regs_search(primegpu_regs,
                                          ARRAY_SIZE(primegpu_regs), offset);
    }
    return place->reg || place->is_edid;
}

static bool primegpu_regs_allow(const PrimeGPURegPlace *place, bool is_write)
{
    PrimeGPURegAccess access = place->is_edid ? PRIMEGPU_ACCESS_RO
                                              : place->reg->access;

    return access != (is_write ? PRIMEGPU_ACCESS_RO : PRIMEGPU_ACCESS_WO);
}

/* What an access means; false when it means nothing */
static bool primegpu_regs_find(PrimeGPUState *s, hwaddr addr, unsigned size,
                               bool is_write, PrimeGPURegPlace *place)
{
    if (size == sizeof(uint32_t) && QEMU_IS_ALIGNED(addr, size) &&
        primegpu_regs_locate(s, addr, place) &&
        primegpu_regs_allow(place, is_write)) {
        return true;
    }
    qemu_log_mask(LOG_GUEST_ERROR, "primegpu %s: bad %s of %u bytes at "
                  "register offset 0x%" HWADDR_PRIx "\n", s->name,
                  is_write ? "write" : "read", size, addr);
    trace_primegpu_err_regs_access(s->name, addr, size, is_write);
    return false;
}

static uint32_t primegpu_regs_lo(uint64_t value)
{
    return extract64(value, 0, 32);
}

static uint32_t primegpu_regs_hi(uint64_t value)
{
    return extract64(value, 32, 32);
}

static uint32_t primegpu_regs_get(PrimeGPUState *s, const PrimeGPURegInfo *reg)
{
    const PrimeGPURing *ctrl = &s->rings[PRIMEGPU_RING_CTRL];
    const PrimeGPURing *engine = &s->rings[PRIMEGPU_RING_ENGINE];
    uint64_t now;

    switch (reg->offset) {
    case PRIMEGPU_REG_CAPS:
        return primegpu_caps(s);
    case PRIMEGPU_REG_DEVICE_ID:
        return s->ledger.id;
    case PRIMEGPU_REG_CONTROL:
        return s->control;
    case PRIMEGPU_REG_STATUS:
        return primegpu_ring_status(s);
    case PRIMEGPU_REG_IRQ_STATUS:
        return s->irq.status;
    case PRIMEGPU_REG_IRQ_ENABLE:
        return s->irq.enable;
    case PRIMEGPU_REG_KEY_NEXT_LO:
        return primegpu_regs_lo(primegpu_bo_next_key(s));
    case PRIMEGPU_REG_KEY_NEXT_HI:
        return primegpu_regs_hi(primegpu_bo_next_key(s));
    case PRIMEGPU_REG_VRAM_SIZE_LO:
        return primegpu_regs_lo(s->conf.vram_size);
    case PRIMEGPU_REG_VRAM_SIZE_HI:
        return primegpu_regs_hi(s->conf.vram_size);
    case PRIMEGPU_REG_BO_MAX:
        return s->conf.bo_max;
    case PRIMEGPU_REG_BYTES_MAX_LO:
        return primegpu_regs_lo(s->conf.bytes_max);
    case PRIMEGPU_REG_BYTES_MAX_HI:
        return primegpu_regs_hi(s->conf.bytes_max);
    case PRIMEGPU_REG_OUTPUTS:
        return s->conf.max_outputs;
    case PRIMEGPU_REG_CLOCK_LO:
        now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
        s->kept_clock_hi = primegpu_regs_hi(now);
        return primegpu_regs_lo(now);
    case PRIMEGPU_REG_CLOCK_HI:
        return s->kept_clock_hi;
    case PRIMEGPU_REG_CTRL_BASE_LO:
        return primegpu_regs_lo(ctrl->base);
    case PRIMEGPU_REG_CTRL_BASE_HI:
        return primegpu_regs_hi(ctrl->base);
    case PRIMEGPU_REG_CTRL_ORDER:
        return ctrl->order;
    case PRIMEGPU_REG_CTRL_HEAD:
        return ctrl->head;
    case PRIMEGPU_REG_CTRL_TAIL:
        return ctrl->tail;
    case PRIMEGPU_REG_ENGINE_BASE_LO:
        return primegpu_regs_lo(engine->base);
    case PRIMEGPU_REG_ENGINE_BASE_HI:
        return primegpu_regs_hi(engine->base);
    case PRIMEGPU_REG_ENGINE_ORDER:
        return engine->order;
    case PRIMEGPU_REG_ENGINE_HEAD:
        return engine->head;
    case PRIMEGPU_REG_ENGINE_TAIL:
        return engine->tail;
    case PRIMEGPU_REG_ENGINE_SEQ_LO:
        return primegpu_regs_lo(s->fence.seqno);
    case PRIMEGPU_REG_ENGINE_SEQ_HI:
        return primegpu_regs_hi(s->fence.seqno);
    case PRIMEGPU_REG_ENGINE_WB_LO:
        return primegpu_regs_lo(s->fence.wb_addr);
    case PRIMEGPU_REG_ENGINE_WB_HI:
        return primegpu_regs_hi(s->fence.wb_addr);
    case PRIMEGPU_REG_MARKER:
        return primegpu_ledger_marker();
    default:
        return reg->reset;
    }
}

static void primegpu_regs_set_control(PrimeGPUState *s, uint32_t value)
{
    bool was_enabled = s->control & PRIMEGPU_CONTROL_ENABLE;
    bool enable = value & PRIMEGPU_CONTROL_ENABLE;

    if (value & PRIMEGPU_CONTROL_DEVICE_RESET) {
        primegpu_reset(s);
        was_enabled = false;
    } else if (value & PRIMEGPU_CONTROL_ENGINE_RESET) {
        primegpu_ring_reset_engine(s);
    }
    if (enable == was_enabled) {
        return;
    }
    trace_primegpu_regs_enable(s->name, enable);
    if (enable) {
        primegpu_ring_enable(s);
        s->control |= PRIMEGPU_CONTROL_ENABLE;
    } else {
        primegpu_ring_disable(s);
        s->control &= ~PRIMEGPU_CONTROL_ENABLE;
    }
}

/* Where the rings are must not change under the device. */
static bool primegpu_regs_is_locked(PrimeGPUState *s, uint32_t offset)
{
    switch (offset) {
    case PRIMEGPU_REG_CTRL_BASE_LO:
    case PRIMEGPU_REG_CTRL_BASE_HI:
    case PRIMEGPU_REG_CTRL_ORDER:
    case PRIMEGPU_REG_ENGINE_BASE_LO:
    case PRIMEGPU_REG_ENGINE_BASE_HI:
    case PRIMEGPU_REG_ENGINE_ORDER:
    case PRIMEGPU_REG_ENGINE_WB_LO:
    case PRIMEGPU_REG_ENGINE_WB_HI:
        return s->control & PRIMEGPU_CONTROL_ENABLE;
    default:
        return false;
    }
}

static void primegpu_regs_set_lo(uint64_t *field, uint32_t value)
{
    *field = deposit64(*field, 0, 32, value);
}

static void primegpu_regs_set_hi(uint64_t *field, uint32_t value)
{
    *field = deposit64(*field, 32, 32, value);
}

static void primegpu_regs_set(PrimeGPUState *s, const PrimeGPURegInfo *reg,
                              uint32_t value)
{
    PrimeGPURing *ctrl = &s->rings[PRIMEGPU_RING_CTRL];
    PrimeGPURing *engine = &s->rings[PRIMEGPU_RING_ENGINE];

    switch (reg->offset) {
    case PRIMEGPU_REG_CONTROL:
        primegpu_regs_set_control(s, value);
        break;
    case PRIMEGPU_REG_IRQ_STATUS:
        primegpu_irq_ack(s, value);
        break;
    case PRIMEGPU_REG_IRQ_ENABLE:
        primegpu_irq_set_enable(s, value);
        break;
    case PRIMEGPU_REG_CTRL_BASE_LO:
        primegpu_regs_set_lo(&ctrl->base, value);
        break;
    case PRIMEGPU_REG_CTRL_BASE_HI:
        primegpu_regs_set_hi(&ctrl->base, value);
        break;
    case PRIMEGPU_REG_CTRL_ORDER:
        ctrl->order = value;
        break;
    case PRIMEGPU_REG_CTRL_TAIL:
        primegpu_ring_doorbell(s, PRIMEGPU_RING_CTRL, value);
        break;
    case PRIMEGPU_REG_ENGINE_BASE_LO:
        primegpu_regs_set_lo(&engine->base, value);
        break;
    case PRIMEGPU_REG_ENGINE_BASE_HI:
        primegpu_regs_set_hi(&engine->base, value);
        break;
    case PRIMEGPU_REG_ENGINE_ORDER:
        engine->order = value;
        break;
    case PRIMEGPU_REG_ENGINE_TAIL:
        primegpu_ring_doorbell(s, PRIMEGPU_RING_ENGINE, value);
        break;
    case PRIMEGPU_REG_ENGINE_WB_LO:
        primegpu_regs_set_lo(&s->fence.wb_addr, value);
        break;
    case PRIMEGPU_REG_ENGINE_WB_HI:
        primegpu_regs_set_hi(&s->fence.wb_addr, value);
        break;
    case PRIMEGPU_REG_MARKER:
        primegpu_ledger_set_marker(&s->ledger, value);
        break;
    default:
        g_assert_not_reached();
    }
}

static uint64_t primegpu_regs_read(void *opaque, hwaddr addr, unsigned size)
{
    PrimeGPUState *s = opaque;
    PrimeGPURegPlace place;
    uint32_t value;

    if (!primegpu_regs_find(s, addr, size, false, &place)) {
        return 0;
    }
    if (place.is_edid) {
        return primegpu_output_read_edid(s, place.offset);
    }
    if (place.output) {
        value = primegpu_output_read(place.output, place.reg->offset);
        trace_primegpu_regs_read_output(s->name, place.output->index,
                                        place.reg->name, value);
        return value;
    }
    value = primegpu_regs_get(s, place.reg);
    trace_primegpu_regs_read(s->name, place.reg->name, value);
    return value;
}

static void primegpu_regs_write(void *opaque, hwaddr addr, uint64_t value,
                                unsigned size)
{
    PrimeGPUState *s = opaque;
    PrimeGPURegPlace place;

    if (!primegpu_regs_find(s, addr, size, true, &place)) {
        return;
    }
    if (place.output) {
        trace_primegpu_regs_write_output(s->name, place.output->index,
                                         place.reg->name, value);
        primegpu_output_write(place.output, place.reg->offset, value);
        return;
    }
    trace_primegpu_regs_write(s->name, place.reg->name, value);
    if (primegpu_regs_is_locked(s, place.reg->offset)) {
        qemu_log_mask(LOG_GUEST_ERROR, "primegpu %s: write of %s while the "
                      "device is enabled\n", s->name, place.reg->name);
        trace_primegpu_err_regs_locked(s->name, place.reg->name);
        return;
    }
    primegpu_regs_set(s, place.reg, value);
}

/* Every access comes here, also those that are refused. */
const MemoryRegionOps primegpu_regs_ops = {
    .read = primegpu_regs_read,
    .write = primegpu_regs_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};
