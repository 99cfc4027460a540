/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu registers: the register BAR.  Section 3 of the hardware
 * specification.
 */
#ifndef HW_DISPLAY_PRIMEGPU_REGS_H
#define HW_DISPLAY_PRIMEGPU_REGS_H

extern const MemoryRegionOps primegpu_regs_ops;

#endif /* HW_DISPLAY_PRIMEGPU_REGS_H */
