/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libqos driver for the primegpu devices.
 *
 * Nodes primegpu-integrated and primegpu-discrete, both of which produce the
 * interfaces primegpu-BLOCK.  Section numbers refer to docs/specs/primegpu.rst.
 */
#ifndef QGRAPH_PRIMEGPU_H
#define QGRAPH_PRIMEGPU_H

#include "hw/display/primegpu/primegpu_abi.h"
#include "libqos-malloc.h"
#include "pci.h"
#include "qgraph.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"

/* Ring orders that qprimegpu_start() uses */
#define QPRIMEGPU_CTRL_ORDER    8
#define QPRIMEGPU_ENGINE_ORDER  5

/* How the nodes are configured; a test of its own machine does the same. */
#define QPRIMEGPU_VRAM_SIZE     (16 * 1024 * 1024)
#define QPRIMEGPU_VRAM_OPT      "vram-size=16M"
#define QPRIMEGPU_LATENCY_NS    20000
#define QPRIMEGPU_LATENCY_OPT   "engine-latency-ns=" \
                                stringify(QPRIMEGPU_LATENCY_NS)

#define QPRIMEGPU_OUTPUTS       3
#define QPRIMEGPU_OUTPUTS_OPT   "max-outputs=" stringify(QPRIMEGPU_OUTPUTS)
/* Frames a second of the modes that qprimegpu_mode() makes */
#define QPRIMEGPU_RATE          100

/* A client that is not the kernel */
#define QPRIMEGPU_CLIENT        7

typedef struct QPrimeGPURing {
    uint64_t base;
    uint32_t order;
    uint32_t tail;
    uint64_t seqno;             /* of the entry that was written last */
} QPrimeGPURing;

typedef struct QPrimeGPU {
    QOSGraphObject obj;
    QPCIDevice dev;
    QTestState *qts;
    QGuestAllocator *alloc;
    QPCIBar regs;
    QPCIBar vram;
    bool discrete;
    QPrimeGPURing ctrl;
    QPrimeGPURing engine;
    uint64_t wb;                /* where the engine writes its seqno */
    uint64_t scratch;           /* pages for tables that commands read */
    uint64_t tables;            /* the same for commits, of each output */
} QPrimeGPU;

/*
 * Add a test of both models, or of the one with VRAM.  Each runs in a process
 * and a machine of its own: what the ledger keeps outlives a machine's reset.
 */
void qprimegpu_add_test(const char *name, QOSTestFunc test);
void qprimegpu_add_vram_test(const char *name, QOSTestFunc test);

/* For tests with machines of their own: what the nodes do. */
void qprimegpu_init(QPrimeGPU *g, QPCIBus *bus, int devfn,
                    QGuestAllocator *alloc);
/* Map the BARs. */
void qprimegpu_map(QPrimeGPU *g);
/* Set up both rings and enable the device. */
void qprimegpu_start(QPrimeGPU *g);
/* Set up both rings again after a reset of the device; enables nothing. */
void qprimegpu_setup_rings(QPrimeGPU *g);

/* Registers (section 3) */
uint32_t qprimegpu_readl(QPrimeGPU *g, enum primegpu_reg reg);
void qprimegpu_writel(QPrimeGPU *g, enum primegpu_reg reg, uint32_t value);
/* A LO and HI pair, named by its LO */
uint64_t qprimegpu_readq(QPrimeGPU *g, enum primegpu_reg lo);
void qprimegpu_writeq(QPrimeGPU *g, enum primegpu_reg lo, uint64_t value);

/* Guest memory */
uint64_t qprimegpu_alloc_pages(QPrimeGPU *g, uint32_t pages);
void qprimegpu_memset(QPrimeGPU *g, uint64_t addr, uint8_t value,
                      uint64_t size);
/* Whether all bytes of [@addr, +@size) have this value */
bool qprimegpu_is_filled(QPrimeGPU *g, uint64_t addr, uint8_t value,
                         uint64_t size);

/* Rings (section 5): write an entry, move the tail, ring the doorbell. */
uint64_t qprimegpu_ring_slot(const QPrimeGPURing *ring, uint32_t index);
/* Returns the address of the entry. */
uint64_t qprimegpu_ring_put(QPrimeGPU *g, QPrimeGPURing *ring,
                            const void *entry);
void qprimegpu_ctrl_kick(QPrimeGPU *g);
void qprimegpu_engine_kick(QPrimeGPU *g);
uint32_t qprimegpu_entry_status(QPrimeGPU *g, uint64_t entry);
const char *qprimegpu_status_name(uint32_t status);

#define qprimegpu_assert_status(status, expected)                   \
    g_assert_cmpstr(qprimegpu_status_name(status), ==,              \
                    qprimegpu_status_name(expected))

/* Run one control command; returns its status. */
uint32_t qprimegpu_ctrl(QPrimeGPU *g, const void *command);

/* BOs (section 4); all but key_next return a status. */
uint64_t qprimegpu_key_next(QPrimeGPU *g);
uint32_t qprimegpu_create(QPrimeGPU *g, uint64_t key, uint64_t size,
                          uint16_t flags, uint64_t exporter);
uint32_t qprimegpu_open(QPrimeGPU *g, uint64_t key, uint32_t client);
uint32_t qprimegpu_close(QPrimeGPU *g, uint64_t key, uint32_t client);
uint32_t qprimegpu_attach_sg(QPrimeGPU *g, uint64_t key, uint64_t offset,
                             const struct primegpu_sg *sg, uint32_t count);
uint32_t qprimegpu_attach(QPrimeGPU *g, uint64_t key, uint64_t addr,
                          uint64_t size);
uint32_t qprimegpu_detach(QPrimeGPU *g, uint64_t key);
uint32_t qprimegpu_place(QPrimeGPU *g, uint64_t key,
                         enum primegpu_location location, uint64_t offset);
uint32_t qprimegpu_destroy(QPrimeGPU *g, uint64_t key);

/* The same, which must succeed: returns the key of a fresh BO ... */
uint64_t qprimegpu_new_bo(QPrimeGPU *g, uint64_t size);
uint64_t qprimegpu_new_import(QPrimeGPU *g, uint64_t size, uint64_t exporter);
/* ... with fresh pages attached, whose address is stored */
uint64_t qprimegpu_new_bo_pages(QPrimeGPU *g, uint64_t size, uint64_t *addr);
/* Detach and destroy. */
void qprimegpu_free_bo(QPrimeGPU *g, uint64_t key);

/* Engine jobs (section 6) */
struct primegpu_job_op qprimegpu_op_fill(uint64_t key, uint64_t offset,
                                         uint64_t size, uint8_t value);
struct primegpu_job_op qprimegpu_op_copy(uint64_t dst, uint64_t dst_offset,
                                         uint64_t src, uint64_t src_offset,
                                         uint64_t size);
/* Queue a job of the kernel; returns the address of its entry. */
uint64_t qprimegpu_submit(QPrimeGPU *g, const struct primegpu_job_op *ops,
                          uint32_t count);
uint64_t qprimegpu_submit_client(QPrimeGPU *g,
                                 const struct primegpu_job_op *ops,
                                 uint32_t count, uint32_t client);
/* The same with the flags of its entry */
uint64_t qprimegpu_submit_flags(QPrimeGPU *g,
                                const struct primegpu_job_op *ops,
                                uint32_t count, uint32_t client,
                                uint16_t flags);
/* Step the clock until the entry has a status, under a limit; returns it. */
uint32_t qprimegpu_wait(QPrimeGPU *g, uint64_t entry);
/* Queue a job of one operation and wait for it. */
uint32_t qprimegpu_run(QPrimeGPU *g, struct primegpu_job_op op);
uint64_t qprimegpu_written_back(QPrimeGPU *g);

/* Outputs (section 8) */
uint32_t qprimegpu_output_readl(QPrimeGPU *g, uint32_t output,
                                enum primegpu_output_reg reg);
void qprimegpu_output_writel(QPrimeGPU *g, uint32_t output,
                             enum primegpu_output_reg reg, uint32_t value);
uint64_t qprimegpu_output_readq(QPrimeGPU *g, uint32_t output,
                                enum primegpu_output_reg lo);
uint32_t qprimegpu_output_status(QPrimeGPU *g, uint32_t output);
uint32_t qprimegpu_vblank_count(QPrimeGPU *g, uint32_t output);
uint64_t qprimegpu_vblank_time(QPrimeGPU *g, uint32_t output);
uint64_t qprimegpu_flip_seq(QPrimeGPU *g, uint32_t output);
uint64_t qprimegpu_clock(QPrimeGPU *g);
/* Read IRQ_STATUS and clear what was set. */
uint32_t qprimegpu_output_take_irqs(QPrimeGPU *g, uint32_t output);
/* A mode of about QPRIMEGPU_RATE frames a second, and how long a frame takes */
struct primegpu_cmd_mode qprimegpu_mode(uint32_t output, uint32_t width,
                                        uint32_t height);
uint64_t qprimegpu_mode_ns(const struct primegpu_cmd_mode *mode);
/* Such a mode, which must be taken; returns how long a frame takes. */
uint64_t qprimegpu_set_mode(QPrimeGPU *g, uint32_t output, uint32_t width,
                            uint32_t height);
void qprimegpu_set_mode_off(QPrimeGPU *g, uint32_t output);
/* An XRGB8888 plane at the upper left, as big as its BO; key 0: off */
struct primegpu_plane qprimegpu_plane(uint32_t index, uint64_t key,
                                      uint32_t width, uint32_t height);
/* Write the tables and make the command of them; @color may be NULL. */
struct primegpu_cmd_commit qprimegpu_commit_cmd(
    QPrimeGPU *g, uint32_t output, const struct primegpu_plane *planes,
    uint32_t count, const struct primegpu_color *color);
/* Run such a command, with these flags; returns its status. */
uint32_t qprimegpu_commit(QPrimeGPU *g, uint32_t output,
                          const struct primegpu_plane *planes, uint32_t count,
                          uint16_t flags);
/* The same for plane 0 alone */
uint32_t qprimegpu_flip(QPrimeGPU *g, uint32_t output, uint64_t key,
                        uint32_t width, uint32_t height);
/* A BO for such a plane, with pages */
uint64_t qprimegpu_new_fb(QPrimeGPU *g, uint32_t width, uint32_t height,
                          uint64_t *addr);
/* In how many places of outputs a BO is named, by the outside view */
uint32_t qprimegpu_shown(QTestState *qts, uint64_t key);
QDict *qprimegpu_query_output(QTestState *qts, uint16_t device_id,
                              uint32_t output);
uint64_t qprimegpu_output_counter(QTestState *qts, uint16_t device_id,
                                  uint32_t output, const char *name);

/* The outside view; the caller unrefs what is returned. */
QDict *qprimegpu_query(QTestState *qts, uint16_t device_id);
QList *qprimegpu_query_bos(QTestState *qts);
/* NULL when no BO has this key */
QDict *qprimegpu_query_bo(QTestState *qts, uint64_t key);
uint64_t qprimegpu_bo_count(QTestState *qts);
/* All that were recorded, and how many of them are of this kind */
uint64_t qprimegpu_violations(QTestState *qts);
uint64_t qprimegpu_violations_of(QTestState *qts, const char *kind);
/* Bytes that the pair shares, -1 when the pair is not listed */
int64_t qprimegpu_shared(QTestState *qts, uint64_t exporter,
                         uint64_t importer);
/* The newest violation must be this one. */
void qprimegpu_assert_violation(QTestState *qts, const char *kind,
                                uint64_t key, uint64_t other);
void qprimegpu_set_gate(QTestState *qts, const char *device, bool closed);
/* Arm a fault of @device for the @at-th time, then @count times in a row. */
void qprimegpu_inject(QTestState *qts, const char *device, const char *fault,
                      uint32_t at, uint32_t count);
/* How often the faults that were armed have come, all devices together */
uint64_t qprimegpu_faults_fired(QTestState *qts);
/* A number that query-primegpu-violations tells, the newest violation's */
uint64_t qprimegpu_violation_number(QTestState *qts, const char *name);
/* A number of the answer itself: total, client-races, races-unchecked */
uint64_t qprimegpu_violations_number(QTestState *qts, const char *name);
/* Next serial of the history */
uint64_t qprimegpu_history_next(QTestState *qts);
/* Kinds of the events from @since on, joined by blanks; g_free() it. */
char *qprimegpu_history(QTestState *qts, uint64_t since);

#endif /* QGRAPH_PRIMEGPU_H */
