/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libqos driver for the primegpu devices: nodes, registers, rings.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/module.h"
#include "hw/pci/pci_regs.h"
#include "../libqtest.h"
#include "primegpu.h"

#define QPRIMEGPU_DEVFN         QPCI_DEVFN(4, 0)

#define QPRIMEGPU_PAGES(count)  ((uint64_t)(count) * PRIMEGPU_PAGE_SIZE)

/* Room for the biggest scatter list, then for the biggest list of operations */
#define QPRIMEGPU_SG_BYTES \
    (PRIMEGPU_SG_MAX * sizeof(struct primegpu_sg))
#define QPRIMEGPU_OPS_BYTES \
    (PRIMEGPU_JOB_OPS_MAX * sizeof(struct primegpu_job_op))

/* One step of the clock, and how many of them a job may take */
#define QPRIMEGPU_STEP_NS       100000
#define QPRIMEGPU_STEPS         10000

static void *qprimegpu_get_driver(void *obj, const char *interface)
{
    QPrimeGPU *g = obj;

    if (!g_strcmp0(interface, "pci-device")) {
        return &g->dev;
    }
    if (g_str_has_prefix(interface, "primegpu-")) {
        return g;
    }
    fprintf(stderr, "%s not present in primegpu\n", interface);
    g_assert_not_reached();
}

static void qprimegpu_start_hw(QOSGraphObject *obj)
{
    qprimegpu_map(container_of(obj, QPrimeGPU, obj));
}

void qprimegpu_init(QPrimeGPU *g, QPCIBus *bus, int devfn,
                    QGuestAllocator *alloc)
{
    g->dev.bus = bus;
    g->dev.devfn = devfn;
    g->qts = bus->qts;
    g->alloc = alloc;
    g->discrete = qpci_config_readw(&g->dev, PCI_DEVICE_ID) ==
                  PRIMEGPU_PCI_DEVICE_DISCRETE;
}

void qprimegpu_map(QPrimeGPU *g)
{
    qpci_device_enable(&g->dev);
    g->regs = qpci_iomap(&g->dev, PRIMEGPU_BAR_REGS, NULL);
    if (g->discrete) {
        g->vram = qpci_iomap(&g->dev, PRIMEGPU_BAR_VRAM, NULL);
    }
}

uint32_t qprimegpu_readl(QPrimeGPU *g, enum primegpu_reg reg)
{
    return qpci_io_readl(&g->dev, g->regs, reg);
}

void qprimegpu_writel(QPrimeGPU *g, enum primegpu_reg reg, uint32_t value)
{
    qpci_io_writel(&g->dev, g->regs, reg, value);
}

uint64_t qprimegpu_readq(QPrimeGPU *g, enum primegpu_reg lo)
{
    uint64_t low = qprimegpu_readl(g, lo);
    uint64_t high = qprimegpu_readl(g, lo + sizeof(uint32_t));

    return high << 32 | low;
}

void qprimegpu_writeq(QPrimeGPU *g, enum primegpu_reg lo, uint64_t value)
{
    qprimegpu_writel(g, lo, value);
    qprimegpu_writel(g, lo + sizeof(uint32_t), value >> 32);
}

static void qprimegpu_ring_alloc(QPrimeGPU *g, QPrimeGPURing *ring,
                                 uint32_t order)
{
    size_t size = PRIMEGPU_RING_ENTRY_SIZE << order;

    ring->order = order;
    ring->tail = 0;
    if (!ring->base) {
        ring->base = guest_alloc(g->alloc, size);
    }
    qtest_memset(g->qts, ring->base, 0, size);
}

void qprimegpu_setup_rings(QPrimeGPU *g)
{
    qprimegpu_ring_alloc(g, &g->ctrl, QPRIMEGPU_CTRL_ORDER);
    qprimegpu_ring_alloc(g, &g->engine, QPRIMEGPU_ENGINE_ORDER);
    if (!g->wb) {
        g->wb = guest_alloc(g->alloc, sizeof(uint64_t));
        g->scratch = guest_alloc(g->alloc,
                                 QPRIMEGPU_SG_BYTES + QPRIMEGPU_OPS_BYTES);
    }
    qtest_memset(g->qts, g->wb, 0, sizeof(uint64_t));
    qprimegpu_writeq(g, PRIMEGPU_REG_CTRL_BASE_LO, g->ctrl.base);
    qprimegpu_writel(g, PRIMEGPU_REG_CTRL_ORDER, g->ctrl.order);
    qprimegpu_writeq(g, PRIMEGPU_REG_ENGINE_BASE_LO, g->engine.base);
    qprimegpu_writel(g, PRIMEGPU_REG_ENGINE_ORDER, g->engine.order);
    qprimegpu_writeq(g, PRIMEGPU_REG_ENGINE_WB_LO, g->wb);
}

void qprimegpu_start(QPrimeGPU *g)
{
    qprimegpu_setup_rings(g);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_ENABLE);
}

uint64_t qprimegpu_alloc_pages(QPrimeGPU *g, uint32_t pages)
{
    return guest_alloc(g->alloc, QPRIMEGPU_PAGES(pages));
}

void qprimegpu_memset(QPrimeGPU *g, uint64_t addr, uint8_t value, uint64_t size)
{
    qtest_memset(g->qts, addr, value, size);
}

bool qprimegpu_is_filled(QPrimeGPU *g, uint64_t addr, uint8_t value,
                         uint64_t size)
{
    g_autofree uint8_t *bytes = g_malloc(size);
    uint64_t i;

    qtest_bufread(g->qts, addr, bytes, size);
    for (i = 0; i < size; i++) {
        if (bytes[i] != value) {
            g_test_message("byte %" PRIu64 " is 0x%02x", i, bytes[i]);
            return false;
        }
    }
    return true;
}

uint64_t qprimegpu_ring_slot(const QPrimeGPURing *ring, uint32_t index)
{
    uint32_t mask = (1u << ring->order) - 1;

    return ring->base + (uint64_t)(index & mask) * PRIMEGPU_RING_ENTRY_SIZE;
}

uint64_t qprimegpu_ring_put(QPrimeGPU *g, QPrimeGPURing *ring,
                            const void *entry)
{
    uint8_t slot[PRIMEGPU_RING_ENTRY_SIZE];
    struct primegpu_cmd_hdr hdr;
    uint64_t addr = qprimegpu_ring_slot(ring, ring->tail);

    memcpy(slot, entry, sizeof(slot));
    memcpy(&hdr, entry, sizeof(hdr));
    hdr.status = cpu_to_le32(PRIMEGPU_ST_NONE);
    hdr.seqno = cpu_to_le64(++ring->seqno);
    memcpy(slot, &hdr, sizeof(hdr));
    qtest_memwrite(g->qts, addr, slot, sizeof(slot));
    ring->tail = (ring->tail + 1) & ((1u << ring->order) - 1);
    return addr;
}

void qprimegpu_ctrl_kick(QPrimeGPU *g)
{
    qprimegpu_writel(g, PRIMEGPU_REG_CTRL_TAIL, g->ctrl.tail);
}

void qprimegpu_engine_kick(QPrimeGPU *g)
{
    qprimegpu_writel(g, PRIMEGPU_REG_ENGINE_TAIL, g->engine.tail);
}

uint32_t qprimegpu_entry_status(QPrimeGPU *g, uint64_t entry)
{
    uint32_t status;

    qtest_memread(g->qts, entry + offsetof(struct primegpu_cmd_hdr, status),
                  &status, sizeof(status));
    return le32_to_cpu(status);
}

const char *qprimegpu_status_name(uint32_t status)
{
    static const struct {
        uint32_t value;
        const char *name;
    } names[] = {
#define QPRIMEGPU_STATUS_NAME(name, value) { (value), #name },
        PRIMEGPU_STATUSES(QPRIMEGPU_STATUS_NAME)
#undef QPRIMEGPU_STATUS_NAME
    };
    size_t i;

    for (i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i].value == status) {
            return names[i].name;
        }
    }
    return "not a status";
}

uint32_t qprimegpu_ctrl(QPrimeGPU *g, const void *command)
{
    uint64_t entry = qprimegpu_ring_put(g, &g->ctrl, command);

    qprimegpu_ctrl_kick(g);
    return qprimegpu_entry_status(g, entry);
}

uint64_t qprimegpu_submit_flags(QPrimeGPU *g,
                                const struct primegpu_job_op *ops,
                                uint32_t count, uint32_t client,
                                uint16_t flags)
{
    /* Each slot has its part, so that queued jobs keep their operations. */
    uint64_t room = QPRIMEGPU_OPS_BYTES >> QPRIMEGPU_ENGINE_ORDER;
    uint64_t addr = g->scratch + QPRIMEGPU_SG_BYTES + g->engine.tail * room;
    struct primegpu_cmd_job job = {
        .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_JOB),
        .hdr.flags = cpu_to_le16(flags),
        .op_count = cpu_to_le32(count),
        .client = cpu_to_le32(client),
    };
    uint64_t entry;

    if (count * sizeof(*ops) > room) {
        addr = g->scratch + QPRIMEGPU_SG_BYTES;
    }
    job.ops_addr = cpu_to_le64(addr);
    qtest_memwrite(g->qts, addr, ops, count * sizeof(*ops));
    entry = qprimegpu_ring_put(g, &g->engine, &job);
    qprimegpu_engine_kick(g);
    return entry;
}

uint64_t qprimegpu_submit_client(QPrimeGPU *g,
                                 const struct primegpu_job_op *ops,
                                 uint32_t count, uint32_t client)
{
    return qprimegpu_submit_flags(g, ops, count, client, 0);
}

uint64_t qprimegpu_submit(QPrimeGPU *g, const struct primegpu_job_op *ops,
                          uint32_t count)
{
    return qprimegpu_submit_client(g, ops, count, PRIMEGPU_CLIENT_KERNEL);
}

uint32_t qprimegpu_wait(QPrimeGPU *g, uint64_t entry)
{
    uint32_t status = PRIMEGPU_ST_NONE;
    uint32_t step;

    for (step = 0; step < QPRIMEGPU_STEPS; step++) {
        status = qprimegpu_entry_status(g, entry);
        if (status != PRIMEGPU_ST_NONE) {
            break;
        }
        qtest_clock_step(g->qts, QPRIMEGPU_STEP_NS);
    }
    return status;
}

uint32_t qprimegpu_run(QPrimeGPU *g, struct primegpu_job_op op)
{
    return qprimegpu_wait(g, qprimegpu_submit(g, &op, 1));
}

uint64_t qprimegpu_written_back(QPrimeGPU *g)
{
    uint64_t seqno;

    qtest_memread(g->qts, g->wb, &seqno, sizeof(seqno));
    return le64_to_cpu(seqno);
}

static void qprimegpu_add(const char *name, const char *interface,
                          QOSTestFunc test)
{
    QOSGraphTestOptions opts = { .subprocess = true };

    qos_add_test(name, interface, test, &opts);
}

/*
 * Each block, which is the first word of a name, has an interface of its own:
 * QEMU's search keeps all tests of one on a stack, which has its limit.
 */
void qprimegpu_add_test(const char *name, QOSTestFunc test)
{
    static GHashTable *known;
    g_autofree char *interface = g_strdup_printf(
        "primegpu-%.*s", (int)strcspn(name, "/"), name);

    if (!known) {
        known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    }
    if (g_hash_table_add(known, g_strdup(interface))) {
        qos_node_produces("primegpu-integrated", interface);
        qos_node_produces("primegpu-discrete", interface);
    }
    qprimegpu_add(name, interface, test);
}

void qprimegpu_add_vram_test(const char *name, QOSTestFunc test)
{
    qprimegpu_add(name, "primegpu-discrete", test);
}

static void *qprimegpu_create_node(void *pci_bus, QGuestAllocator *alloc,
                                   void *addr)
{
    QPrimeGPU *g = g_new0(QPrimeGPU, 1);
    QPCIBus *bus = pci_bus;

    qpci_device_init(&g->dev, bus, addr);
    qprimegpu_init(g, bus, g->dev.devfn, alloc);
    g->obj.get_driver = qprimegpu_get_driver;
    g->obj.start_hw = qprimegpu_start_hw;
    return &g->obj;
}

static void qprimegpu_register_node(const char *name, uint16_t device_id,
                                    const char *options)
{
    QOSGraphEdgeOptions opts = { .extra_device_opts = options };
    QPCIAddress addr = {
        .devfn = QPRIMEGPU_DEVFN,
        .vendor_id = PRIMEGPU_PCI_VENDOR_ID,
        .device_id = device_id,
    };

    add_qpci_address(&opts, &addr);
    qos_node_create_driver(name, qprimegpu_create_node);
    qos_node_consumes(name, "pci-bus", &opts);
    qos_node_produces(name, "pci-device");
}

static void qprimegpu_register_nodes(void)
{
    qprimegpu_register_node("primegpu-integrated",
                            PRIMEGPU_PCI_DEVICE_INTEGRATED,
                            "id=primegpu0,addr=04.0," QPRIMEGPU_LATENCY_OPT
                            "," QPRIMEGPU_OUTPUTS_OPT);
    qprimegpu_register_node("primegpu-discrete", PRIMEGPU_PCI_DEVICE_DISCRETE,
                            "id=primegpu0,addr=04.0," QPRIMEGPU_LATENCY_OPT
                            "," QPRIMEGPU_OUTPUTS_OPT
                            "," QPRIMEGPU_VRAM_OPT);
}

libqos_init(qprimegpu_register_nodes);
