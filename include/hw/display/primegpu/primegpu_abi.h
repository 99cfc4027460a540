/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu hardware ABI: registers, ring entries and status codes.
 *
 * One file for the device model, the guest drivers and the register-level
 * tests, so that no number is written twice.  Everything in memory is
 * little-endian and naturally aligned; reserved fields must be zero.  Section
 * numbers refer to docs/specs/primegpu.rst.
 */
#ifndef PRIMEGPU_ABI_H
#define PRIMEGPU_ABI_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/build_bug.h>
typedef __le16 primegpu_le16;
typedef __le32 primegpu_le32;
typedef __le64 primegpu_le64;
#else
#include <stdint.h>
typedef uint16_t primegpu_le16;
typedef uint32_t primegpu_le32;
typedef uint64_t primegpu_le64;
#endif

/* Builds the check and its text from the type's name. */
#define PRIMEGPU_ASSERT_SIZE(type, size) \
    _Static_assert(sizeof(type) == (size), #type " is not " #size " bytes")

/* PCI identity (section 2) */
#define PRIMEGPU_PCI_VENDOR_ID          0x1af4
#define PRIMEGPU_PCI_DEVICE_INTEGRATED  0x10f0
#define PRIMEGPU_PCI_DEVICE_DISCRETE    0x10f1
#define PRIMEGPU_PCI_REVISION           0x01

#define PRIMEGPU_BAR_REGS               0
#define PRIMEGPU_BAR_VRAM               2
#define PRIMEGPU_BAR_MSIX               4
#define PRIMEGPU_BAR_REGS_SIZE          0x4000

/* Pages of BOs, scatter lists and VRAM ranges are counted in this unit. */
#define PRIMEGPU_PAGE_SIZE              4096

/* MSI-X vectors (section 3.3) */
enum primegpu_vector {
    PRIMEGPU_VECTOR_CONTROL = 0,
    PRIMEGPU_VECTOR_ENGINE  = 1,
    PRIMEGPU_VECTOR_DISPLAY = 2,
    PRIMEGPU_VECTOR_3D      = 3,
    PRIMEGPU_VECTOR_COUNT   = 4,
};

/*
 * Registers (section 3): name, offset in the register BAR, access, reset
 * value.  All are 32 bits wide; 64-bit values are a LO and HI pair.
 * Access: RO read only, RW read and write, W1C write one to clear, WO write
 * only (reads as zero).  Reset values marked 0 of RO registers are filled in
 * from the device's properties.
 *
 * 0x400 to 0x7ff are reserved for the display, 0x800 to 0xbff for 3D.
 * 0x1000 to 0x1fff is a page of its own, with nothing but the marker, so that
 * a guest may map it into a user process.
 */
#define PRIMEGPU_REGISTERS(X)                     \
    X(ID,             0x0000, RO,  0x55504750)    \
    X(VERSION,        0x0004, RO,  0x00000001)    \
    X(CAPS,           0x0008, RO,  0)             \
    X(DEVICE_ID,      0x000c, RO,  0)             \
    X(CONTROL,        0x0010, RW,  0)             \
    X(STATUS,         0x0014, RO,  0)             \
    X(IRQ_STATUS,     0x0018, W1C, 0)             \
    X(IRQ_ENABLE,     0x001c, RW,  0)             \
    X(KEY_NEXT_LO,    0x0020, RO,  0)             \
    X(KEY_NEXT_HI,    0x0024, RO,  0)             \
    X(VRAM_SIZE_LO,   0x0028, RO,  0)             \
    X(VRAM_SIZE_HI,   0x002c, RO,  0)             \
    X(BO_MAX,         0x0030, RO,  0)             \
    X(BYTES_MAX_LO,   0x0038, RO,  0)             \
    X(BYTES_MAX_HI,   0x003c, RO,  0)             \
    X(CTRL_BASE_LO,   0x0100, RW,  0)             \
    X(CTRL_BASE_HI,   0x0104, RW,  0)             \
    X(CTRL_ORDER,     0x0108, RW,  0)             \
    X(CTRL_HEAD,      0x010c, RO,  0)             \
    X(CTRL_TAIL,      0x0110, RW,  0)             \
    X(ENGINE_BASE_LO, 0x0140, RW,  0)             \
    X(ENGINE_BASE_HI, 0x0144, RW,  0)             \
    X(ENGINE_ORDER,   0x0148, RW,  0)             \
    X(ENGINE_HEAD,    0x014c, RO,  0)             \
    X(ENGINE_TAIL,    0x0150, RW,  0)             \
    X(ENGINE_SEQ_LO,  0x0154, RO,  0)             \
    X(ENGINE_SEQ_HI,  0x0158, RO,  0)             \
    X(ENGINE_WB_LO,   0x0160, RW,  0)             \
    X(ENGINE_WB_HI,   0x0164, RW,  0)             \
    X(MARKER,         0x1000, RW,  0)

#define PRIMEGPU_REG_ENUM_(name, offset, access, reset) \
    PRIMEGPU_REG_##name = (offset),
enum primegpu_reg {
    PRIMEGPU_REGISTERS(PRIMEGPU_REG_ENUM_)
};

#define PRIMEGPU_ID_VALUE               0x55504750u /* "PGPU" */
#define PRIMEGPU_VERSION_MAJOR          0xffff0000u
#define PRIMEGPU_VERSION_MINOR          0x0000ffffu

/* CAPS (section 3.1) */
#define PRIMEGPU_CAPS_VRAM              0x00000001u
#define PRIMEGPU_CAPS_DISPLAY           0x00000002u
#define PRIMEGPU_CAPS_3D                0x00000004u

/* CONTROL (section 3.2): the reset bits act once and read as zero */
#define PRIMEGPU_CONTROL_ENABLE         0x00000001u
#define PRIMEGPU_CONTROL_DEVICE_RESET   0x00000002u
#define PRIMEGPU_CONTROL_ENGINE_RESET   0x00000004u

/* STATUS (section 3.2) */
#define PRIMEGPU_STATUS_CTRL_FAULT      0x00000001u
#define PRIMEGPU_STATUS_ENGINE_FAULT    0x00000002u
#define PRIMEGPU_STATUS_ENGINE_BUSY     0x00000004u

/* IRQ_STATUS and IRQ_ENABLE (section 3.3) */
#define PRIMEGPU_IRQ_CTRL_DONE          0x00000001u
#define PRIMEGPU_IRQ_FAULT              0x00000002u
#define PRIMEGPU_IRQ_ENGINE_DONE        0x00000004u
#define PRIMEGPU_IRQ_DISPLAY            0x00000008u
#define PRIMEGPU_IRQ_3D                 0x00000010u
#define PRIMEGPU_IRQ_ALL                0x0000001fu

/*
 * BO keys (section 4.1): the upper 16 bits are DEVICE_ID, the lower 48 rise
 * with each BO_CREATE of that device and are never used again in a boot.
 */
#define PRIMEGPU_KEY_DEVICE             0xffff000000000000ull
#define PRIMEGPU_KEY_SERIAL             0x0000ffffffffffffull

/* Rings (section 5): 2^order entries, a power of two in this range */
#define PRIMEGPU_RING_ORDER_MIN         1
#define PRIMEGPU_RING_ORDER_MAX         12
#define PRIMEGPU_RING_ENTRY_SIZE        64

/* Control commands that one doorbell write runs before it returns */
#define PRIMEGPU_CTRL_BATCH_MAX         64

/* Operations in one engine job, scatter entries in one BO_ATTACH */
#define PRIMEGPU_JOB_OPS_MAX            1024
#define PRIMEGPU_SG_MAX                 256

/* The client that may name every BO: the guest kernel itself */
#define PRIMEGPU_CLIENT_KERNEL          0

/* Status of a command or job (section 5.3): name, value */
#define PRIMEGPU_STATUSES(X) \
    X(NONE,           0)     \
    X(OK,             1)     \
    X(INVALID_OPCODE, 2)     \
    X(INVALID_FIELD,  3)     \
    X(INVALID_KEY,    4)     \
    X(UNKNOWN_BO,     5)     \
    X(LIMIT,          6)     \
    X(BUSY,           7)     \
    X(STILL_OPEN,     8)     \
    X(NOT_OPEN,       9)     \
    X(NOT_ATTACHED,  10)     \
    X(ATTACHED,      11)     \
    X(RANGE,         12)     \
    X(DMA,           13)     \
    X(OVERLAP,       14)     \
    X(EXPORTER,      15)     \
    X(CANCELLED,     16)     \
    X(NO_MEMORY,     17)     \
    X(UNSUPPORTED,   18)

#define PRIMEGPU_ST_ENUM_(name, value) PRIMEGPU_ST_##name = (value),
enum primegpu_status {
    PRIMEGPU_STATUSES(PRIMEGPU_ST_ENUM_)
};

/*
 * Opcodes: name, value.  0x40 to 0x5f of the control ring are reserved for
 * the display, 0x60 to 0x7f for 3D.
 */
#define PRIMEGPU_CTRL_OPCODES(X) \
    X(BO_CREATE,  0x01)          \
    X(BO_OPEN,    0x02)          \
    X(BO_CLOSE,   0x03)          \
    X(BO_ATTACH,  0x04)          \
    X(BO_DETACH,  0x05)          \
    X(BO_PLACE,   0x06)          \
    X(BO_DESTROY, 0x07)

#define PRIMEGPU_ENGINE_OPCODES(X) \
    X(JOB,        0x80)

#define PRIMEGPU_JOB_OPS(X) \
    X(FILL,       0x01)     \
    X(COPY,       0x02)

#define PRIMEGPU_OP_ENUM_(name, value) PRIMEGPU_OP_##name = (value),
enum primegpu_opcode {
    PRIMEGPU_CTRL_OPCODES(PRIMEGPU_OP_ENUM_)
    PRIMEGPU_ENGINE_OPCODES(PRIMEGPU_OP_ENUM_)
};

#define PRIMEGPU_JOB_OP_ENUM_(name, value) PRIMEGPU_JOB_OP_##name = (value),
enum primegpu_job_opcode {
    PRIMEGPU_JOB_OPS(PRIMEGPU_JOB_OP_ENUM_)
};

/* Where the bytes of a BO are (section 4.3) */
enum primegpu_location {
    PRIMEGPU_LOCATION_PAGES = 1,
    PRIMEGPU_LOCATION_VRAM  = 2,
};

/*
 * Head of every ring entry (section 5.2).  The driver writes status NONE; the
 * device writes the result there and nothing else.  seqno is the driver's
 * number for the entry, rising from one entry of a ring to the next.
 */
struct primegpu_cmd_hdr {
    primegpu_le16 opcode;
    primegpu_le16 flags;
    primegpu_le32 status;
    primegpu_le64 seqno;
};
PRIMEGPU_ASSERT_SIZE(struct primegpu_cmd_hdr, 16);

#define PRIMEGPU_BO_CREATE_IMPORT       0x0001u

/*
 * BO_CREATE (section 5.4).  size in bytes, a multiple of the page size.
 * Flag IMPORT: the bytes belong to a dma-buf of another exporter;
 * exporter_key names its BO, or is 0 when it is not a primegpu.
 */
struct primegpu_cmd_bo_create {
    struct primegpu_cmd_hdr hdr;
    primegpu_le64 key;
    primegpu_le64 size;
    primegpu_le64 exporter_key;
    primegpu_le64 rsvd28[3];
};
PRIMEGPU_ASSERT_SIZE(struct primegpu_cmd_bo_create, 64);

/* BO_OPEN and BO_CLOSE (section 5.5): one handle of one client more or less */
struct primegpu_cmd_bo_client {
    struct primegpu_cmd_hdr hdr;
    primegpu_le64 key;
    primegpu_le32 client;
    primegpu_le32 rsvd1c;
    primegpu_le64 rsvd20[4];
};
PRIMEGPU_ASSERT_SIZE(struct primegpu_cmd_bo_client, 64);

/*
 * BO_ATTACH (section 5.6): append sg_count entries of the table at bus address
 * sg_addr to the pages of the BO.  offset in bytes is what is attached so far.
 */
struct primegpu_cmd_bo_attach {
    struct primegpu_cmd_hdr hdr;
    primegpu_le64 key;
    primegpu_le64 offset;
    primegpu_le64 sg_addr;
    primegpu_le32 sg_count;
    primegpu_le32 rsvd2c;
    primegpu_le64 rsvd30[2];
};
PRIMEGPU_ASSERT_SIZE(struct primegpu_cmd_bo_attach, 64);

/* Bus address and length in bytes, both multiples of the page size */
struct primegpu_sg {
    primegpu_le64 addr;
    primegpu_le64 length;
};
PRIMEGPU_ASSERT_SIZE(struct primegpu_sg, 16);

/* BO_DETACH and BO_DESTROY (sections 5.7 and 5.9) */
struct primegpu_cmd_bo {
    struct primegpu_cmd_hdr hdr;
    primegpu_le64 key;
    primegpu_le64 rsvd18[5];
};
PRIMEGPU_ASSERT_SIZE(struct primegpu_cmd_bo, 64);

/*
 * BO_PLACE (section 5.8): jobs use the pages from now on, and the BO has no
 * VRAM; or jobs use the VRAM range that starts at vram_offset bytes.
 */
struct primegpu_cmd_bo_place {
    struct primegpu_cmd_hdr hdr;
    primegpu_le64 key;
    primegpu_le64 vram_offset;
    primegpu_le32 location;
    primegpu_le32 rsvd24;
    primegpu_le64 rsvd28[3];
};
PRIMEGPU_ASSERT_SIZE(struct primegpu_cmd_bo_place, 64);

#define PRIMEGPU_JOB_EXPLICIT_SYNC      0x0001u

/*
 * JOB (section 6.1): run op_count operations of the table at bus address
 * ops_addr in order.  hdr.seqno is written back on completion.  Flag
 * EXPLICIT_SYNC: user space orders this job itself.
 */
struct primegpu_cmd_job {
    struct primegpu_cmd_hdr hdr;
    primegpu_le64 ops_addr;
    primegpu_le32 op_count;
    primegpu_le32 client;
    primegpu_le64 rsvd20[4];
};
PRIMEGPU_ASSERT_SIZE(struct primegpu_cmd_job, 64);

/*
 * One operation of a job (section 6.2).  A rectangle of width x height
 * elements of cpp bytes (1, 2, 4 or 8; a fill: 1, 2 or 4), rows stride bytes
 * apart, the first one offset bytes into the BO.  Plain bytes are one row of
 * cpp 1.  FILL has no source and writes the low cpp bytes of value.
 */
struct primegpu_job_op {
    primegpu_le16 opcode;
    primegpu_le16 flags;
    primegpu_le32 value;
    primegpu_le64 dst_key;
    primegpu_le64 dst_offset;
    primegpu_le64 src_key;
    primegpu_le64 src_offset;
    primegpu_le32 dst_stride;
    primegpu_le32 src_stride;
    primegpu_le32 width;
    primegpu_le32 height;
    primegpu_le32 cpp;
    primegpu_le32 rsvd3c;
};
PRIMEGPU_ASSERT_SIZE(struct primegpu_job_op, 64);

#endif /* PRIMEGPU_ABI_H */
