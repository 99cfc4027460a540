/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu outputs: modes, commits, vertical blanks and what is shown.
 * Section 8 of the hardware specification.
 */
#ifndef HW_DISPLAY_PRIMEGPU_OUTPUT_H
#define HW_DISPLAY_PRIMEGPU_OUTPUT_H

#include "color.h"

/* Limits of properties, in mHz */
#define PRIMEGPU_REFRESH_RATE_MIN   1000
#define PRIMEGPU_REFRESH_RATE_MAX   500000

/* Memory planes of a format */
#define PRIMEGPU_PLANE_KEYS     3

/* Timings, in host order and checked; all zero when the output is off */
typedef struct PrimeGPUMode {
    uint32_t clock;             /* kHz */
    uint32_t hdisplay;
    uint32_t htotal;
    uint32_t vdisplay;
    uint32_t vtotal;
} PrimeGPUMode;

/* Pixels of a framebuffer, the last ones not included */
typedef struct PrimeGPUDamage {
    uint32_t x1;
    uint32_t y1;
    uint32_t x2;
    uint32_t y2;
} PrimeGPUDamage;

/* The state of a plane, in host order and checked; key[0] is 0 when off */
typedef struct PrimeGPUPlane {
    /* migrated */
    uint64_t key[PRIMEGPU_PLANE_KEYS];
    uint32_t offset[PRIMEGPU_PLANE_KEYS];
    uint32_t stride[PRIMEGPU_PLANE_KEYS];
    uint32_t format;
    uint32_t width;
    uint32_t height;
    uint32_t src_x;             /* these four 16.16 */
    uint32_t src_y;
    uint32_t src_w;
    uint32_t src_h;
    int32_t dst_x;
    int32_t dst_y;
    uint32_t dst_w;
    uint32_t dst_h;
    PrimeGPUDamage damage;      /* since what was latched before it */
    uint16_t alpha;
    uint8_t zpos;
    uint8_t blend;
    uint8_t encoding;
    uint8_t range;
    uint8_t rotation;
    bool moved;                 /* was off, or its geometry is new */
    bool explicit_sync;
    uint64_t seqno;             /* of the commit that brought it */
    uint64_t fetched;           /* jobs of the machine fetched before it */

    /* derived */
    PrimeGPUBuffer *bo[PRIMEGPU_PLANE_KEYS];    /* stay while shown */
} PrimeGPUPlane;

/* Where a frame is to be written; key is 0 when there is nothing to do. */
typedef struct PrimeGPUWriteBack {
    /* migrated */
    uint64_t key;
    uint32_t offset;
    uint32_t stride;
    uint32_t format;

    /* derived */
    PrimeGPUBuffer *bo;
} PrimeGPUWriteBack;

/* What waits for its latch: only what is named here is new. */
typedef struct PrimeGPUPending {
    bool any;
    bool has_color;
    uint32_t planes;            /* mask of indexes */
    uint64_t seqno;
    PrimeGPUPlane plane[PRIMEGPU_PLANE_MAX];
    PrimeGPUColor color;
    PrimeGPUWriteBack writeback;
} PrimeGPUPending;

/* A COMMIT, decoded and not yet checked */
typedef struct PrimeGPUCommit {
    uint64_t seqno;
    uint16_t flags;
    uint32_t plane_count;
    uint8_t index[PRIMEGPU_PLANE_MAX];
    PrimeGPUPlane plane[PRIMEGPU_PLANE_MAX];
    PrimeGPUColor color;
    PrimeGPUWriteBack writeback;
} PrimeGPUCommit;

typedef struct PrimeGPUConsole PrimeGPUConsole;
typedef struct PrimeGPUFrame PrimeGPUFrame;

/* Private to the block and to frame and console, except for the queries. */
typedef struct PrimeGPUOutput {
    PrimeGPUState *s;
    uint32_t index;

    /* migrated: registers */
    uint32_t irq_status;
    uint32_t irq_enable;
    uint32_t control;
    uint32_t route;             /* the pipe that the connector shows */
    uint64_t flip_seq;
    uint32_t crc;
    uint32_t crc_frame;
    uint32_t kept_time_hi;      /* for the next read of a pair */
    uint32_t kept_flip_hi;
    uint32_t kept_crc;

    /* migrated: the display behind the connector */
    bool connected;
    uint32_t xres;
    uint32_t yres;
    uint32_t refresh_rate;      /* mHz */

    /* migrated: time */
    PrimeGPUMode mode;
    int64_t start_ns;           /* T0 of the mode */
    uint64_t frame;             /* since then, the last one dealt with */
    uint32_t count_base;        /* VBLANK_COUNT at T0 */

    /* migrated: what is shown and what is to be */
    PrimeGPUPlane plane[PRIMEGPU_PLANE_MAX];
    PrimeGPUColor color;
    PrimeGPUPending pending;
    PrimeGPUOutputCounters counters;

    /* derived */
    uint64_t frame_ns;
    QEMUTimer *timer;           /* runs only while somebody needs it */
    uint8_t edid[PRIMEGPU_EDID_SIZE];
    PrimeGPUConsole *console;
    PrimeGPUFrame *frame_work;  /* room for composing; the block frame's */
} PrimeGPUOutput;

void primegpu_output_init(PrimeGPUState *s);
void primegpu_output_finalize(PrimeGPUState *s);
/* All outputs off, as after power-on; what is plugged in stays. */
void primegpu_output_reset(PrimeGPUState *s);

/* NULL when there is no such output */
PrimeGPUOutput *primegpu_output_find(PrimeGPUState *s, uint32_t index);

/* Registers of an output; the offsets are in its block and exist. */
uint32_t primegpu_output_read(PrimeGPUOutput *o,
                              enum primegpu_output_reg reg);
void primegpu_output_write(PrimeGPUOutput *o, enum primegpu_output_reg reg,
                           uint32_t value);
/* 32 bits of the EDID data of all outputs, from PRIMEGPU_EDID(0) on */
uint32_t primegpu_output_read_edid(PrimeGPUState *s, uint32_t offset);

/* The commands; each returns a status and changes nothing on an error. */
uint32_t primegpu_output_set_mode(PrimeGPUState *s, uint32_t index,
                                  const PrimeGPUMode *mode);
uint32_t primegpu_output_commit(PrimeGPUState *s, uint32_t index,
                                PrimeGPUCommit *commit);

/* Whether a frame was written back since the last time: that takes long. */
bool primegpu_output_take_written(PrimeGPUState *s);

/*
 * Catch up: deal with the vertical blanks that have begun by now, so that all
 * that comes after is as if the host were never late.  Everything that looks
 * at an output from outside calls it first.
 */
void primegpu_output_sync(PrimeGPUOutput *o);
/*
 * A display is plugged in, with this preferred mode, or out.  The refresh
 * rate is in mHz; a number that is 0 stays as it is, others are clamped.
 */
void primegpu_output_set_display(PrimeGPUOutput *o, bool connected,
                                 uint32_t xres, uint32_t yres,
                                 uint32_t refresh_rate);
/* The view from outside; the caller frees it. */
PrimeGPUOutputInfoList *primegpu_output_query(PrimeGPUState *s);

extern const VMStateDescription primegpu_vmstate_output;
/* After load: check it and work out what is derived. */
bool primegpu_output_loaded(PrimeGPUState *s);
/* The machine runs again. */
void primegpu_output_kick(PrimeGPUState *s);

#endif /* HW_DISPLAY_PRIMEGPU_OUTPUT_H */
