/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu memory
 *
 * Owns the VRAM and every translation of a bus address.  Nothing else maps
 * guest memory, and no host pointer leaves a critical section.  As only RAM is
 * reached, DMA can never come back to a register of this or another device.
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "migration/vmstate.h"
#include "device.h"
#include "trace.h"

bool primegpu_mem_init(PrimeGPUState *s, Error **errp)
{
    if (!s->conf.vram_size) {
        return true;
    }
    if (!memory_region_init_ram(&s->mem.vram, OBJECT(s), "primegpu.vram",
                                s->conf.vram_size, errp)) {
        return false;
    }
    s->mem.vram_host = memory_region_get_ram_ptr(&s->mem.vram);
    memory_region_set_log(&s->mem.vram, true, DIRTY_MEMORY_VGA);
    return true;
}

void primegpu_mem_window_init(PrimeGPUMemWindow *window)
{
    window->start = 0;
    window->size = 0;
    window->write_count = 0;
}

void primegpu_mem_finalize(PrimeGPUState *s)
{
    /*
     * A peer may hold the VRAM for a while after the device is gone; another
     * device in the same slot needs the name.
     */
    if (s->mem.vram_host) {
        g_clear_pointer(&s->mem.changed, g_free);
        vmstate_unregister_ram(&s->mem.vram, DEVICE(s));
        s->mem.vram_host = NULL;
    }
}

/* Called within an RCU critical section. */
static bool primegpu_mem_translate(PrimeGPUState *s, PrimeGPUMemWindow *window,
                                   uint64_t addr, bool is_write)
{
    AddressSpace *as = pci_get_address_space(PCI_DEVICE(s));
    hwaddr length = UINT64_MAX - addr;
    hwaddr offset;
    MemoryRegion *mr;

    mr = address_space_translate(as, addr, &offset, &length, is_write,
                                 MEMTXATTRS_UNSPECIFIED);
    if (!length || mr == &s->mem.vram ||
        !memory_access_is_direct(mr, is_write, MEMTXATTRS_UNSPECIFIED)) {
        trace_primegpu_err_mem_translate(s->name, addr, is_write);
        window->size = 0;
        return false;
    }
    window->start = addr;
    window->size = length;
    window->mr = mr;
    window->mr_offset = offset;
    window->host = (uint8_t *)memory_region_get_ram_ptr(mr) + offset;
    return true;
}

bool primegpu_mem_map(PrimeGPUState *s, PrimeGPUMemWindow *window,
                      uint64_t addr, uint64_t length, bool is_write,
                      PrimeGPUMemSpan *span)
{
    uint64_t skip;

    if (addr < window->start || addr - window->start >= window->size) {
        if (!primegpu_mem_translate(s, window, addr, is_write)) {
            return false;
        }
    }
    skip = addr - window->start;
    span->mr = window->mr;
    span->mr_offset = window->mr_offset + skip;
    span->host = window->host + skip;
    span->length = MIN(length, window->size - skip);
    return true;
}

void primegpu_mem_map_vram(PrimeGPUState *s, uint64_t offset, uint64_t length,
                           PrimeGPUMemSpan *span)
{
    g_assert(offset <= s->conf.vram_size &&
             length <= s->conf.vram_size - offset);
    span->mr = &s->mem.vram;
    span->mr_offset = offset;
    span->host = s->mem.vram_host + offset;
    span->length = length;
}

void primegpu_mem_flush(PrimeGPUState *s, PrimeGPUMemWindow *window)
{
    AddressSpace *as = pci_get_address_space(PCI_DEVICE(s));
    unsigned i;

    for (i = 0; i < window->write_count; i++) {
        const PrimeGPUMemSpan *span = &window->writes[i];

        /*
         * A page from which the guest has run code may be hit, so setting
         * dirty bits is not enough.  The end of a mapping does all that is
         * needed, and gives back the reference that a mapping takes.
         */
        memory_region_ref(span->mr);
        address_space_unmap(as, span->host, span->length, true, span->length);
    }
    window->write_count = 0;
}

void primegpu_mem_written(PrimeGPUState *s, PrimeGPUMemWindow *window,
                          const PrimeGPUMemSpan *span, uint64_t length)
{
    PrimeGPUMemSpan *last = window->writes + window->write_count - 1;

    if (window->write_count && last->mr == span->mr &&
        last->host + last->length == span->host) {
        last->length += length;
        return;
    }
    if (window->write_count == PRIMEGPU_MEM_WRITES) {
        primegpu_mem_flush(s, window);
    }
    last = &window->writes[window->write_count++];
    *last = *span;
    last->length = length;
}

bool primegpu_mem_has_iommu(PrimeGPUState *s)
{
    return pci_device_iommu_address_space(PCI_DEVICE(s)) !=
           &address_space_memory;
}

bool primegpu_mem_walk(PrimeGPUState *s, uint64_t addr, uint64_t length,
                       PrimeGPUMemSpanFunc *func, void *opaque)
{
    PrimeGPUMemWindow window;
    PrimeGPUMemSpan span;

    RCU_READ_LOCK_GUARD();

    primegpu_mem_window_init(&window);
    if (length > UINT64_MAX - addr) {
        return false;
    }
    while (length) {
        if (!primegpu_mem_map(s, &window, addr, length, true, &span)) {
            return false;
        }
        if (func) {
            func(s, &span, opaque);
        }
        addr += span.length;
        length -= span.length;
    }
    return true;
}

static bool primegpu_mem_rw(PrimeGPUState *s, uint64_t addr, uint8_t *buf,
                            uint64_t length, bool is_write)
{
    PrimeGPUMemWindow window;
    PrimeGPUMemSpan span;

    RCU_READ_LOCK_GUARD();

    primegpu_mem_window_init(&window);
    if (length > UINT64_MAX - addr) {
        return false;
    }
    while (length) {
        if (!primegpu_mem_map(s, &window, addr, length, is_write, &span)) {
            break;
        }
        if (is_write) {
            memcpy(span.host, buf, span.length);
            primegpu_mem_written(s, &window, &span, span.length);
        } else {
            memcpy(buf, span.host, span.length);
        }
        buf += span.length;
        addr += span.length;
        length -= span.length;
    }
    primegpu_mem_flush(s, &window);
    return !length;
}

bool primegpu_mem_read(PrimeGPUState *s, uint64_t addr, void *buf,
                       uint64_t length)
{
    return primegpu_mem_rw(s, addr, buf, length, false);
}

bool primegpu_mem_write(PrimeGPUState *s, uint64_t addr, const void *buf,
                        uint64_t length)
{
    return primegpu_mem_rw(s, addr, (uint8_t *)buf, length, true);
}
