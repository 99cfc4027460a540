/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu-discrete: the model with VRAM
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "pci.h"

#define TYPE_PRIMEGPU_DISCRETE "primegpu-discrete"

static const PrimeGPUModelInfo primegpu_discrete_info = {
    .model = PRIME_GPU_MODEL_DISCRETE,
    .pci_device_id = PRIMEGPU_PCI_DEVICE_DISCRETE,
    .caps = PRIMEGPU_CAPS_VRAM,
    .desc = "primegpu GPU with VRAM of its own",
};

static const Property primegpu_discrete_properties[] = {
    DEFINE_PROP_SIZE("vram-size", PrimeGPUState, conf.vram_size, 64 * MiB),
};

static void primegpu_discrete_class_init(ObjectClass *klass,
                                         PrimeGPUClassData *data)
{
    primegpu_pci_class_set_model(klass, &primegpu_discrete_info);
    device_class_set_props(DEVICE_CLASS(klass), primegpu_discrete_properties);
    object_class_property_set_description(klass, "vram-size",
        "Size of the VRAM (a power of two from 1 MiB to 16 GiB)");
}

static const TypeInfo primegpu_discrete_types[] = {
    {
        .name = TYPE_PRIMEGPU_DISCRETE,
        .parent = TYPE_PRIMEGPU,
        .class_init = primegpu_discrete_class_init,
    },
};
DEFINE_TYPES(primegpu_discrete_types)
