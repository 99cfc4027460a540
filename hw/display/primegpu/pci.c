/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu PCI glue
 *
 * Owns the PCI function: BARs, capabilities, properties, and the order in
 * which the blocks come and go.  The models only bring a table.
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#include "pci.h"
#include "regs.h"
#include "trace.h"
#include "vmstate.h"

static bool primegpu_pci_check_conf(PrimeGPUState *s, Error **errp)
{
    if (!s->conf.bo_max || s->conf.bo_max > PRIMEGPU_BO_MAX_LIMIT) {
        error_setg(errp, "property 'bo-max' must be between 1 and %" PRIu64,
                   (uint64_t)PRIMEGPU_BO_MAX_LIMIT);
        return false;
    }
    if (s->conf.bytes_max < PRIMEGPU_PAGE_SIZE ||
        s->conf.bytes_max > PRIMEGPU_BYTES_MAX_LIMIT) {
        error_setg(errp, "property 'bytes-max' must be between 4 KiB and "
                   "64 GiB");
        return false;
    }
    if (s->conf.engine_latency_ns > PRIMEGPU_ENGINE_LATENCY_LIMIT) {
        error_setg(errp, "property 'engine-latency-ns' must be at most %"
                   PRIu64 " (a minute)",
                   (uint64_t)PRIMEGPU_ENGINE_LATENCY_LIMIT);
        return false;
    }
    if ((PRIMEGPU_GET_CLASS(s)->info->caps & PRIMEGPU_CAPS_VRAM) &&
        (!is_power_of_2(s->conf.vram_size) ||
         s->conf.vram_size < PRIMEGPU_VRAM_MIN ||
         s->conf.vram_size > PRIMEGPU_VRAM_LIMIT)) {
        error_setg(errp, "property 'vram-size' must be a power of two between "
                   "1 MiB and 16 GiB");
        return false;
    }
    return true;
}

static bool primegpu_pci_check_display(PrimeGPUState *s, Error **errp)
{
    if (s->conf.max_outputs > PRIMEGPU_OUTPUT_MAX) {
        error_setg(errp, "property 'max-outputs' must be at most %d",
                   PRIMEGPU_OUTPUT_MAX);
        return false;
    }
    if (!s->conf.xres || s->conf.xres > PRIMEGPU_MODE_SIZE_MAX ||
        !s->conf.yres || s->conf.yres > PRIMEGPU_MODE_SIZE_MAX) {
        error_setg(errp, "properties 'xres' and 'yres' must be between 1 "
                   "and %d", PRIMEGPU_MODE_SIZE_MAX);
        return false;
    }
    if (s->conf.refresh_rate < PRIMEGPU_REFRESH_RATE_MIN ||
        s->conf.refresh_rate > PRIMEGPU_REFRESH_RATE_MAX) {
        error_setg(errp, "property 'refresh-rate' must be between %d and %d "
                   "(millihertz)", PRIMEGPU_REFRESH_RATE_MIN,
                   PRIMEGPU_REFRESH_RATE_MAX);
        return false;
    }
    return true;
}

static void primegpu_pci_add_bars(PrimeGPUState *s)
{
    PCIDevice *pdev = PCI_DEVICE(s);

    memory_region_init_io(&s->regs_mr, OBJECT(s), &primegpu_regs_ops, s,
                          "primegpu.regs", PRIMEGPU_BAR_REGS_SIZE);
    pci_register_bar(pdev, PRIMEGPU_BAR_REGS,
                     PCI_BASE_ADDRESS_SPACE_MEMORY |
                     PCI_BASE_ADDRESS_MEM_TYPE_64, &s->regs_mr);
    if (s->conf.vram_size) {
        pci_register_bar(pdev, PRIMEGPU_BAR_VRAM,
                         PCI_BASE_ADDRESS_SPACE_MEMORY |
                         PCI_BASE_ADDRESS_MEM_TYPE_64 |
                         PCI_BASE_ADDRESS_MEM_PREFETCH, &s->mem.vram);
    }
}

static bool primegpu_pci_add_caps(PCIDevice *pdev, Error **errp)
{
    int i;

    if (pci_bus_is_express(pci_get_bus(pdev)) &&
        pcie_endpoint_cap_init(pdev, 0) < 0) {
        error_setg(errp, "no room for the PCI Express capability");
        return false;
    }
    if (msix_init_exclusive_bar(pdev, PRIMEGPU_VECTOR_COUNT, PRIMEGPU_BAR_MSIX,
                                errp) < 0) {
        return false;
    }
    for (i = 0; i < PRIMEGPU_VECTOR_COUNT; i++) {
        msix_vector_use(pdev, i);
    }
    return true;
}

static void primegpu_pci_remove_caps(PCIDevice *pdev)
{
    msix_uninit_exclusive_bar(pdev);
    if (pci_bus_is_express(pci_get_bus(pdev))) {
        pcie_cap_exit(pdev);
    }
}

static void primegpu_pci_realize(PCIDevice *pdev, Error **errp)
{
    PrimeGPUState *s = PRIMEGPU(pdev);

    if (!primegpu_pci_check_conf(s, errp) ||
        !primegpu_pci_check_display(s, errp) || !primegpu_mem_init(s, errp)) {
        return;
    }
    if (!primegpu_pci_add_caps(pdev, errp)) {
        primegpu_mem_finalize(s);
        return;
    }
    s->name = pdev->qdev.id ? g_strdup(pdev->qdev.id)
                            : object_get_canonical_path(OBJECT(s));
    s->ledger.name = s->name;
    s->ledger.opaque = s;
    if (!primegpu_ledger_add_device(&s->ledger, errp)) {
        g_clear_pointer(&s->name, g_free);
        primegpu_pci_remove_caps(pdev);
        primegpu_mem_finalize(s);
        return;
    }
    primegpu_pci_add_bars(s);
    primegpu_bo_init(s);
    primegpu_ring_init(s);
    primegpu_output_init(s);
    primegpu_vmstate_init(s);
    trace_primegpu_pci_realize(s->name, s->ledger.id, s->conf.vram_size);
}

static void primegpu_pci_exit(PCIDevice *pdev)
{
    PrimeGPUState *s = PRIMEGPU(pdev);

    trace_primegpu_pci_exit(s->name);
    primegpu_vmstate_finalize(s);
    primegpu_output_reset(s);
    primegpu_output_finalize(s);
    primegpu_ring_reset(s);
    primegpu_ring_finalize(s);
    /* What is still there is left behind; the ledger sees that. */
    primegpu_ledger_remove_device(&s->ledger);
    primegpu_bo_drop_all(s, false);
    primegpu_bo_finalize(s);
    primegpu_pci_remove_caps(pdev);
    primegpu_mem_finalize(s);
    g_clear_pointer(&s->name, g_free);
}

void primegpu_reset(PrimeGPUState *s)
{
    trace_primegpu_reset(s->name, g_tree_nnodes(s->bos.tree));
    if (s->control & PRIMEGPU_CONTROL_ENABLE) {
        primegpu_ledger_event(&s->ledger,
                              PRIME_GPU_LEDGER_EVENT_KIND_DEVICE_RESET);
    }
    s->control = 0;
    s->kept_clock_hi = 0;
    primegpu_output_reset(s);
    primegpu_ring_reset(s);
    primegpu_bo_drop_all(s, true);
    primegpu_fence_reset(s);
    primegpu_irq_reset(s);
    primegpu_inject_reset(s);
}

static void primegpu_pci_reset_hold(Object *obj, ResetType type)
{
    PrimeGPUState *s = PRIMEGPU(obj);

    primegpu_reset(s);
    primegpu_inject_clear(s);
    if (s->restored) {
        primegpu_ledger_restore_end(&s->ledger);
        s->restored = false;
    }
}

static const Property primegpu_pci_properties[] = {
    DEFINE_PROP_UINT32("bo-max", PrimeGPUState, conf.bo_max, 256 * KiB),
    DEFINE_PROP_SIZE("bytes-max", PrimeGPUState, conf.bytes_max, 16 * GiB),
    DEFINE_PROP_UINT64("engine-latency-ns", PrimeGPUState,
                       conf.engine_latency_ns, 0),
    DEFINE_PROP_UINT32("max-outputs", PrimeGPUState, conf.max_outputs, 1),
    DEFINE_PROP_UINT32("xres", PrimeGPUState, conf.xres, 1280),
    DEFINE_PROP_UINT32("yres", PrimeGPUState, conf.yres, 800),
    DEFINE_PROP_UINT32("refresh-rate", PrimeGPUState, conf.refresh_rate,
                       60000),
};

static void primegpu_pci_class_init(ObjectClass *klass,
                                    PrimeGPUClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    pc->realize = primegpu_pci_realize;
    pc->exit = primegpu_pci_exit;
    pc->vendor_id = PRIMEGPU_PCI_VENDOR_ID;
    pc->revision = PRIMEGPU_PCI_REVISION;
    pc->class_id = PCI_CLASS_DISPLAY_OTHER;
    rc->phases.hold = primegpu_pci_reset_hold;
    dc->vmsd = &primegpu_vmstate;
    set_bit(DEVICE_CATEGORY_DISPLAY, dc->categories);
    device_class_set_props(dc, primegpu_pci_properties);
    object_class_property_set_description(klass, "bo-max",
        "Buffer objects that may be alive at a time (1 to 16777216)");
    object_class_property_set_description(klass, "bytes-max",
        "Sum of the sizes of buffer objects alive (4 KiB to 64 GiB)");
    object_class_property_set_description(klass, "engine-latency-ns",
        "Virtual time from the start of a job to its completion "
        "(at most a minute)");
    object_class_property_set_description(klass, "max-outputs",
        "Outputs, each with a display connected (0 to 4)");
    object_class_property_set_description(klass, "xres",
        "Width of the displays' preferred mode (1 to 4096)");
    object_class_property_set_description(klass, "yres",
        "Height of the displays' preferred mode (1 to 4096)");
    object_class_property_set_description(klass, "refresh-rate",
        "Refresh rate of the displays' preferred mode in millihertz "
        "(1000 to 500000)");
}

void primegpu_pci_class_set_model(ObjectClass *klass,
                                  const PrimeGPUModelInfo *info)
{
    PRIMEGPU_CLASS(klass)->info = info;
    PCI_DEVICE_CLASS(klass)->device_id = info->pci_device_id;
    DEVICE_CLASS(klass)->desc = info->desc;
}

static void primegpu_pci_instance_init(Object *obj)
{
    /* An endpoint has PCI Express whatever the user says; see QEMU's xHCI. */
    PCI_DEVICE(obj)->cap_present |= QEMU_PCI_CAP_EXPRESS;
}

static const TypeInfo primegpu_pci_types[] = {
    {
        .name = TYPE_PRIMEGPU,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PrimeGPUState),
        .instance_init = primegpu_pci_instance_init,
        .class_size = sizeof(PrimeGPUClass),
        .class_init = primegpu_pci_class_init,
        .abstract = true,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { INTERFACE_CONVENTIONAL_PCI_DEVICE },
            { },
        },
    },
};
DEFINE_TYPES(primegpu_pci_types)
