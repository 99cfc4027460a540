/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu migration state
 */
#ifndef HW_DISPLAY_PRIMEGPU_VMSTATE_H
#define HW_DISPLAY_PRIMEGPU_VMSTATE_H

#include "migration/vmstate.h"

extern const VMStateDescription primegpu_vmstate;

void primegpu_vmstate_init(PrimeGPUState *s);
void primegpu_vmstate_finalize(PrimeGPUState *s);

#endif /* HW_DISPLAY_PRIMEGPU_VMSTATE_H */
