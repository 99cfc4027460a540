/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu-integrated: the model without memory of its own
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "pci.h"

#define TYPE_PRIMEGPU_INTEGRATED "primegpu-integrated"

static const PrimeGPUModelInfo primegpu_integrated_info = {
    .model = PRIME_GPU_MODEL_INTEGRATED,
    .pci_device_id = PRIMEGPU_PCI_DEVICE_INTEGRATED,
    .desc = "primegpu GPU whose buffers live in guest memory",
};

static void primegpu_integrated_class_init(ObjectClass *klass,
                                           PrimeGPUClassData *data)
{
    primegpu_pci_class_set_model(klass, &primegpu_integrated_info);
}

static const TypeInfo primegpu_integrated_types[] = {
    {
        .name = TYPE_PRIMEGPU_INTEGRATED,
        .parent = TYPE_PRIMEGPU,
        .class_init = primegpu_integrated_class_init,
    },
};
DEFINE_TYPES(primegpu_integrated_types)
