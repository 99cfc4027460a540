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
 * 0x400 to 0x7ff belong to the outputs (below), 0x800 to 0xbff are reserved for
 * 3D.  0x1000 to 0x1fff is a page of its own, with nothing but the marker, so
 * that a guest may map it into a user process.  EDID data are at 0x2000.
 */
#define PRIMEGPU_REGISTERS(X)                     \
    X(ID,             0x0000, RO,  0x55504750)    \
    X(VERSION,        0x0004, RO,  0x00000002)    \
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
    X(OUTPUTS,        0x0040, RO,  0)             \
    X(CLOCK_LO,       0x0048, RO,  0)             \
    X(CLOCK_HI,       0x004c, RO,  0)             \
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

/*
 * Registers of one output (section 8.1): name, offset in its block, access,
 * reset value.  Output n has the block at PRIMEGPU_OUTPUT(n), and after a reset
 * its ROUTE is n.
 */
#define PRIMEGPU_OUTPUT_REGISTERS(X)              \
    X(STATUS,         0x0000, RO,  0)             \
    X(IRQ_STATUS,     0x0004, W1C, 0)             \
    X(IRQ_ENABLE,     0x0008, RW,  0)             \
    X(CONTROL,        0x000c, RW,  0)             \
    X(VBLANK_COUNT,   0x0010, RO,  0)             \
    X(SCANPOS,        0x0014, RO,  0)             \
    X(VBLANK_TIME_LO, 0x0018, RO,  0)             \
    X(VBLANK_TIME_HI, 0x001c, RO,  0)             \
    X(FLIP_SEQ_LO,    0x0020, RO,  0)             \
    X(FLIP_SEQ_HI,    0x0024, RO,  0)             \
    X(CRC_FRAME,      0x0028, RO,  0)             \
    X(CRC,            0x002c, RO,  0)             \
    X(ROUTE,          0x0030, RW,  0)

#define PRIMEGPU_OUTPUT_REG_ENUM_(name, offset, access, reset) \
    PRIMEGPU_OUTPUT_REG_##name = (offset),
enum primegpu_output_reg {
    PRIMEGPU_OUTPUT_REGISTERS(PRIMEGPU_OUTPUT_REG_ENUM_)
};

#define PRIMEGPU_OUTPUT_MAX             4
#define PRIMEGPU_OUTPUT(n)              (0x0400 + (n) * 0x0100)

/* EDID data of output n, read as 32-bit words (section 8.2) */
#define PRIMEGPU_EDID(n)                (0x2000 + (n) * 0x0400)
#define PRIMEGPU_EDID_SIZE              0x0400

#define PRIMEGPU_ID_VALUE               0x55504750u /* "PGPU" */
#define PRIMEGPU_VERSION_MAJOR          0xffff0000u
#define PRIMEGPU_VERSION_MINOR          0x0000ffffu
/* The first minor version that has ROUTE (section 8.7) */
#define PRIMEGPU_VERSION_MINOR_ROUTE    2

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

/* STATUS of an output (section 8.1) */
#define PRIMEGPU_OUTPUT_CONNECTED       0x00000001u
#define PRIMEGPU_OUTPUT_ON              0x00000002u
#define PRIMEGPU_OUTPUT_PENDING         0x00000004u

/* IRQ_STATUS and IRQ_ENABLE of an output (section 8.1) */
#define PRIMEGPU_OUTPUT_IRQ_VBLANK      0x00000001u
#define PRIMEGPU_OUTPUT_IRQ_FLIP        0x00000002u
#define PRIMEGPU_OUTPUT_IRQ_HOTPLUG     0x00000004u
#define PRIMEGPU_OUTPUT_IRQ_WRITEBACK   0x00000008u
#define PRIMEGPU_OUTPUT_IRQ_CRC         0x00000010u
#define PRIMEGPU_OUTPUT_IRQ_ALL         0x0000001fu

/* CONTROL of an output (section 8.6) */
#define PRIMEGPU_OUTPUT_CONTROL_CRC     0x00000001u

/* ROUTE of an output (section 8.7): the number of a pipe, or */
#define PRIMEGPU_OUTPUT_ROUTE_NONE      0xffffffffu

/* SCANPOS of an output (section 8.3) */
#define PRIMEGPU_SCANPOS_LINE           0xffff0000u
#define PRIMEGPU_SCANPOS_PIXEL          0x0000ffffu

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
 * Opcodes: name, value.  0x40 to 0x5f of the control ring belong to the display,
 * 0x60 to 0x7f are reserved for 3D.
 */
#define PRIMEGPU_CTRL_OPCODES(X) \
    X(BO_CREATE,  0x01)          \
    X(BO_OPEN,    0x02)          \
    X(BO_CLOSE,   0x03)          \
    X(BO_ATTACH,  0x04)          \
    X(BO_DETACH,  0x05)          \
    X(BO_PLACE,   0x06)          \
    X(BO_DESTROY, 0x07)          \
    X(MODE,       0x40)          \
    X(COMMIT,     0x41)

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

/*
 * MODE (section 8.3): turn an output on with these timings, or off when clock
 * is 0 (and all that follows).  clock in kHz, the others in pixels and lines.
 */
struct primegpu_cmd_mode {
    struct primegpu_cmd_hdr hdr;
    primegpu_le32 output;
    primegpu_le32 clock;
    primegpu_le16 hdisplay;
    primegpu_le16 htotal;
    primegpu_le16 vdisplay;
    primegpu_le16 vtotal;
    primegpu_le64 rsvd20[4];
};
PRIMEGPU_ASSERT_SIZE(struct primegpu_cmd_mode, 64);

#define PRIMEGPU_MODE_SIZE_MAX          4096
#define PRIMEGPU_MODE_FRAME_NS_MIN      1000000
#define PRIMEGPU_MODE_FRAME_NS_MAX      1000000000

#define PRIMEGPU_COMMIT_ASYNC           0x0001u
#define PRIMEGPU_COMMIT_COLOR           0x0002u
#define PRIMEGPU_COMMIT_WRITEBACK       0x0004u
#define PRIMEGPU_COMMIT_EXPLICIT_SYNC   0x0008u

/*
 * COMMIT (section 8.4): new state for plane_count planes of an output, from the
 * table at bus address planes_addr; with flag COLOR for its colours, from the
 * table at color_addr; with flag WRITEBACK the frame is written to a BO.
 */
struct primegpu_cmd_commit {
    struct primegpu_cmd_hdr hdr;
    primegpu_le32 output;
    primegpu_le32 plane_count;
    primegpu_le64 planes_addr;
    primegpu_le64 color_addr;
    primegpu_le64 wb_key;
    primegpu_le32 wb_offset;
    primegpu_le32 wb_stride;
    primegpu_le32 wb_format;
    primegpu_le32 rsvd3c;
};
PRIMEGPU_ASSERT_SIZE(struct primegpu_cmd_commit, 64);

/* Planes of one output, numbered from 0; any plane can do anything */
#define PRIMEGPU_PLANE_MAX              4

/* Limits of a plane: sides of its framebuffer, its place in the frame */
#define PRIMEGPU_FB_SIZE_MAX            8192
#define PRIMEGPU_DST_MIN                (-32768)
#define PRIMEGPU_DST_MAX                32767

/*
 * Pixel formats: name, fourcc, as in the kernel's drm_fourcc.h, where their
 * layouts are defined (section 8.5).
 */
#define PRIMEGPU_FORMATS(X)         \
    X(XRGB8888,    'X','R','2','4') \
    X(ARGB8888,    'A','R','2','4') \
    X(XBGR8888,    'X','B','2','4') \
    X(ABGR8888,    'A','B','2','4') \
    X(XRGB2101010, 'X','R','3','0') \
    X(ARGB2101010, 'A','R','3','0') \
    X(RGB565,      'R','G','1','6') \
    X(XRGB1555,    'X','R','1','5') \
    X(ARGB1555,    'A','R','1','5') \
    X(YUYV,        'Y','U','Y','V') \
    X(UYVY,        'U','Y','V','Y') \
    X(NV12,        'N','V','1','2') \
    X(NV21,        'N','V','2','1') \
    X(YUV420,      'Y','U','1','2')

#define PRIMEGPU_FORMAT_ENUM_(name, a, b, c, d) \
    PRIMEGPU_FORMAT_##name = (a) | (b) << 8 | (c) << 16 | (d) << 24,
enum primegpu_format {
    PRIMEGPU_FORMATS(PRIMEGPU_FORMAT_ENUM_)
};

/* rotation: one ROTATE bit, and any REFLECT bits, which come first */
#define PRIMEGPU_ROTATE_0               0x01u
#define PRIMEGPU_ROTATE_90              0x02u
#define PRIMEGPU_ROTATE_180             0x04u
#define PRIMEGPU_ROTATE_270             0x08u
#define PRIMEGPU_REFLECT_X              0x10u
#define PRIMEGPU_REFLECT_Y              0x20u

enum primegpu_blend {
    PRIMEGPU_BLEND_NONE          = 0,
    PRIMEGPU_BLEND_PREMULTIPLIED = 1,
    PRIMEGPU_BLEND_COVERAGE      = 2,
};

enum primegpu_encoding {
    PRIMEGPU_ENCODING_BT601  = 0,
    PRIMEGPU_ENCODING_BT709  = 1,
    PRIMEGPU_ENCODING_BT2020 = 2,
};

enum primegpu_range {
    PRIMEGPU_RANGE_LIMITED = 0,
    PRIMEGPU_RANGE_FULL    = 1,
};

/*
 * New state of one plane (section 8.4).  key, offset and stride in bytes are
 * those of the format's memory planes; key[0] is 0 when the plane is off, and
 * then only index counts.  width and height are the framebuffer's, in pixels.
 * src_* are in the framebuffer, 16.16; dst_* in the frame, in pixels.
 * damage_* are the pixels of the framebuffer that differ from what the plane
 * showed before, x2 and y2 not included.
 */
struct primegpu_plane {
    primegpu_le64 key[3];
    primegpu_le32 offset[3];
    primegpu_le32 stride[3];
    primegpu_le32 format;
    primegpu_le32 width;
    primegpu_le32 height;
    primegpu_le32 src_x;
    primegpu_le32 src_y;
    primegpu_le32 src_w;
    primegpu_le32 src_h;
    primegpu_le32 dst_x;        /* two's complement, as dst_y */
    primegpu_le32 dst_y;
    primegpu_le32 dst_w;
    primegpu_le32 dst_h;
    primegpu_le32 damage_x1;
    primegpu_le32 damage_y1;
    primegpu_le32 damage_x2;
    primegpu_le32 damage_y2;
    primegpu_le16 alpha;        /* of the whole plane, 0xffff is opaque */
    uint8_t index;
    uint8_t zpos;               /* higher covers lower, then index does */
    uint8_t blend;
    uint8_t encoding;
    uint8_t range;
    uint8_t rotation;
    primegpu_le32 rsvd74;
    primegpu_le64 rsvd78;
};
PRIMEGPU_ASSERT_SIZE(struct primegpu_plane, 128);

struct primegpu_lut {
    primegpu_le16 red;
    primegpu_le16 green;
    primegpu_le16 blue;
    primegpu_le16 rsvd6;
};
PRIMEGPU_ASSERT_SIZE(struct primegpu_lut, 8);

#define PRIMEGPU_LUT_SIZE               256

#define PRIMEGPU_COLOR_DEGAMMA          0x0001u
#define PRIMEGPU_COLOR_CTM              0x0002u
#define PRIMEGPU_COLOR_GAMMA            0x0004u

/*
 * Colours of an output (section 8.5): the stages that flags names are on.  ctm
 * is row by row, sign and magnitude with 32 fractional bits.
 */
struct primegpu_color {
    primegpu_le32 flags;
    primegpu_le32 rsvd4;
    primegpu_le64 ctm[9];
    struct primegpu_lut degamma[PRIMEGPU_LUT_SIZE];
    struct primegpu_lut gamma[PRIMEGPU_LUT_SIZE];
};
PRIMEGPU_ASSERT_SIZE(struct primegpu_color, 4176);

#endif /* PRIMEGPU_ABI_H */
