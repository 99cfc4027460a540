/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu device: the state of one GPU, made of one struct for each block,
 * and the read-only view of it that the queries use.
 *
 * Everything here is guarded by the BQL.
 */
#ifndef HW_DISPLAY_PRIMEGPU_DEVICE_H
#define HW_DISPLAY_PRIMEGPU_DEVICE_H

#include "qemu/units.h"
#include "hw/display/primegpu/primegpu_abi.h"
#include "hw/pci/pci_device.h"
#include "qapi/qapi-types-primegpu.h"
#include "qom/object.h"

#define TYPE_PRIMEGPU "primegpu"
OBJECT_DECLARE_TYPE(PrimeGPUState, PrimeGPUClass, PRIMEGPU)

#include "ledger.h"
#include "irq.h"
#include "mem.h"
#include "fence.h"
#include "bo.h"
#include "engine.h"
#include "output.h"
#include "inject.h"
#include "ring.h"

/* Properties that the user sets; constant once the device is realized. */
typedef struct PrimeGPUConf {
    uint32_t bo_max;
    uint64_t bytes_max;
    uint64_t vram_size;
    uint64_t engine_latency_ns;
    uint32_t max_outputs;
    uint32_t xres;
    uint32_t yres;
    uint32_t refresh_rate;      /* mHz */
} PrimeGPUConf;

/* What makes one model differ from another. */
typedef struct PrimeGPUModelInfo {
    PrimeGPUModel model;
    uint16_t pci_device_id;
    uint32_t caps;
    const char *desc;
} PrimeGPUModelInfo;

struct PrimeGPUState {
    PCIDevice parent_obj;
    PrimeGPUConf conf;

    /* pci: made at realize, not migrated */
    MemoryRegion regs_mr;
    PrimeGPULedgerDevice ledger;
    char *name;
    VMChangeStateEntry *vmstate;

    /* vmstate */
    bool loading;                       /* a load has begun and not ended */
    bool restored;                      /* loaded, ledger not yet complete */
    uint16_t loaded_id;                 /* what ledger.id is to be; migrated */

    /* regs: migrated */
    uint32_t control;
    uint32_t kept_clock_hi;     /* for the next read of CLOCK_HI */

    /* blocks: each says what of it is migrated */
    PrimeGPUIRQ irq;
    PrimeGPUMem mem;
    PrimeGPUFence fence;
    PrimeGPUBOTable bos;
    PrimeGPUEngine engine;
    PrimeGPURing rings[PRIMEGPU_RING_COUNT];
    QEMUBH *ctrl_bh;                    /* ring: not migrated, kicked */
    PrimeGPUInject inject;
    PrimeGPUOutput outputs[PRIMEGPU_OUTPUT_MAX];    /* conf.max_outputs */
    bool frame_written;                 /* output: not migrated */

    PrimeGPUCounters counters;          /* migrated */
};

struct PrimeGPUClass {
    PCIDeviceClass parent_class;

    const PrimeGPUModelInfo *info;
};

/* CAPS, by the model and the properties */
static inline uint32_t primegpu_caps(const PrimeGPUState *s)
{
    return PRIMEGPU_GET_CLASS(s)->info->caps |
           (s->conf.max_outputs ? PRIMEGPU_CAPS_DISPLAY : 0);
}

/* Back to the state after power-on; BOs are dropped, keys rise on. */
void primegpu_reset(PrimeGPUState *s);

/*
 * The view from outside.  The caller frees what is returned.
 */
PrimeGPUInfo *primegpu_query_info(PrimeGPUState *s);
/* BOs alive, in the order of their keys */
PrimeGPUBoList *primegpu_query_bos(PrimeGPUState *s);
/* Faults armed, those that have come included */
PrimeGPUFaultInfoList *primegpu_query_faults(PrimeGPUState *s);
/* Close the gate: jobs are fetched and do not complete; or open it. */
void primegpu_set_gate(PrimeGPUState *s, bool closed);

#endif /* HW_DISPLAY_PRIMEGPU_DEVICE_H */
