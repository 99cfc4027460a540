/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu consoles: what their two files have in common.
 */
#ifndef HW_DISPLAY_PRIMEGPU_CONSOLE_INTERNAL_H
#define HW_DISPLAY_PRIMEGPU_CONSOLE_INTERNAL_H

#include "ui/console.h"
#include "compose.h"
#include "output.h"
#include "console.h"

/* Pixels of the frame, the last ones not included; may be empty */
typedef struct PrimeGPUConsoleBox {
    uint32_t x1;
    uint32_t y1;
    uint32_t x2;
    uint32_t y2;
} PrimeGPUConsoleBox;

/* A memory plane that lies in VRAM, this GPU's or another's, as a whole */
typedef struct PrimeGPUConsoleSource {
    PrimeGPUState *owner;       /* NULL: nobody tells what changes */
    uint32_t owner_id;          /* is never used again, as its address is */
    uint64_t vram_offset;       /* of the first row */
    uint64_t seen;              /* changes up to here are on the surface */
    uint64_t found;             /* changes up to here are known */
} PrimeGPUConsoleSource;

/* Not migrated */
struct PrimeGPUConsole {
    PrimeGPUOutput *o;          /* its connector */
    PrimeGPUOutput *pipe;       /* whose frame it shows; NULL: nobody's */
    QemuConsole *con;

    /* what may have changed */
    PrimeGPUConsoleBox damage;
    PrimeGPUPlane plane[PRIMEGPU_PLANE_MAX];    /* as it was latched last */
    PrimeGPUConsoleSource source[PRIMEGPU_PLANE_MAX][PRIMEGPU_PLANE_KEYS];

    /* the surface */
    bool on;                    /* it has the size of the mode */
    PrimeGPUState *in_place;    /* whose VRAM it is; NULL: its own memory */
    uint64_t surface_offset;
    uint32_t surface_stride;

    uint32_t row[PRIMEGPU_MODE_SIZE_MAX];
};

bool primegpu_console_box_empty(const PrimeGPUConsoleBox *box);
void primegpu_console_box_add(PrimeGPUConsoleBox *box,
                              PrimeGPUConsoleBox more);

/* Everything is to be looked at, */
void primegpu_console_damage_all(PrimeGPUConsole *c);
/* or what differs between these two states of a plane. */
void primegpu_console_damage_plane(PrimeGPUConsole *c,
                                   const PrimeGPUPlane *old,
                                   const PrimeGPUPlane *p);

/* Find out where planes lie; within an RCU critical section. */
void primegpu_console_find_sources(PrimeGPUConsole *c);
/* Find out what has changed there; then it is on the surface. */
void primegpu_console_sync_sources(PrimeGPUConsole *c);
void primegpu_console_seen_sources(PrimeGPUConsole *c);
/* Whether a row of the frame may have changed without a commit */
bool primegpu_console_row_changed(PrimeGPUConsole *c,
                                  PrimeGPUCompose *compose, uint32_t y);

#endif /* HW_DISPLAY_PRIMEGPU_CONSOLE_INTERNAL_H */
