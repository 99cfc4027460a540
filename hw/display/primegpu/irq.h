/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu interrupts: IRQ_STATUS, IRQ_ENABLE and MSI-X.  The only block that
 * sends an interrupt.
 */
#ifndef HW_DISPLAY_PRIMEGPU_IRQ_H
#define HW_DISPLAY_PRIMEGPU_IRQ_H

/* Private to the block; all of it is migrated. */
typedef struct PrimeGPUIRQ {
    uint32_t status;
    uint32_t enable;
} PrimeGPUIRQ;

void primegpu_irq_raise(PrimeGPUState *s, uint32_t bits);
void primegpu_irq_ack(PrimeGPUState *s, uint32_t bits);
void primegpu_irq_set_enable(PrimeGPUState *s, uint32_t bits);
void primegpu_irq_reset(PrimeGPUState *s);

#endif /* HW_DISPLAY_PRIMEGPU_IRQ_H */
