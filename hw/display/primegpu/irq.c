/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu interrupts
 *
 * Owns IRQ_STATUS and IRQ_ENABLE.  One message goes out for each bit of
 * (IRQ_STATUS & IRQ_ENABLE) that rises, on the vector of that bit, so a
 * handler that clears the bits it has seen cannot lose a later one.
 */
#include "qemu/osdep.h"
#include "hw/pci/msix.h"
#include "device.h"
#include "trace.h"

static const struct {
    uint32_t bit;
    enum primegpu_vector vector;
} primegpu_irq_map[] = {
    { PRIMEGPU_IRQ_CTRL_DONE,   PRIMEGPU_VECTOR_CONTROL },
    { PRIMEGPU_IRQ_FAULT,       PRIMEGPU_VECTOR_CONTROL },
    { PRIMEGPU_IRQ_ENGINE_DONE, PRIMEGPU_VECTOR_ENGINE },
    { PRIMEGPU_IRQ_DISPLAY,     PRIMEGPU_VECTOR_DISPLAY },
    { PRIMEGPU_IRQ_3D,          PRIMEGPU_VECTOR_3D },
};

static void primegpu_irq_send(PrimeGPUState *s, uint32_t risen)
{
    PCIDevice *pdev = PCI_DEVICE(s);
    size_t i;

    if (!risen || !msix_enabled(pdev)) {
        return;
    }
    for (i = 0; i < ARRAY_SIZE(primegpu_irq_map); i++) {
        if (risen & primegpu_irq_map[i].bit) {
            if (primegpu_irq_map[i].bit == PRIMEGPU_IRQ_ENGINE_DONE &&
                primegpu_inject_lost_interrupt(s)) {
                continue;
            }
            trace_primegpu_irq_send(s->name, primegpu_irq_map[i].vector);
            s->counters.interrupts++;
            msix_notify(pdev, primegpu_irq_map[i].vector);
        }
    }
}

void primegpu_irq_raise(PrimeGPUState *s, uint32_t bits)
{
    uint32_t before = s->irq.status & s->irq.enable;

    s->irq.status |= bits;
    trace_primegpu_irq_raise(s->name, bits, s->irq.status);
    primegpu_irq_send(s, s->irq.status & s->irq.enable & ~before);
}

void primegpu_irq_ack(PrimeGPUState *s, uint32_t bits)
{
    s->irq.status &= ~bits;
}

void primegpu_irq_set_enable(PrimeGPUState *s, uint32_t bits)
{
    uint32_t before = s->irq.status & s->irq.enable;

    s->irq.enable = bits & PRIMEGPU_IRQ_ALL;
    primegpu_irq_send(s, s->irq.status & s->irq.enable & ~before);
}

void primegpu_irq_reset(PrimeGPUState *s)
{
    s->irq.status = 0;
    s->irq.enable = 0;
}
