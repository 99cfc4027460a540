/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu PCI glue, for the models
 */
#ifndef HW_DISPLAY_PRIMEGPU_PCI_H
#define HW_DISPLAY_PRIMEGPU_PCI_H

#include "compat.h"
#include "device.h"

/* Fill in the class of a model. */
void primegpu_pci_class_set_model(ObjectClass *klass,
                                  const PrimeGPUModelInfo *info);

#endif /* HW_DISPLAY_PRIMEGPU_PCI_H */
