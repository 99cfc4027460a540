/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames that one GPU draws and another shows: what the test thinks a frame
 * looks like, what the device shows, and what a person would see.
 */
#ifndef PRIMEGPU_DISPLAY_H
#define PRIMEGPU_DISPLAY_H

#include "primegpu-guest-look.h"

/* Who draws and who shows */
typedef struct PGDisplayPair {
    const char *name;
    const char *draw;           /* GPU */
    const char *show;
    const char *draw_id;        /* device */
    const char *show_id;
} PGDisplayPair;

extern const PGDisplayPair pg_display_pairs[2];

/*
 * The two of before, and vkms: it reads what is shown with the CPU, and is no
 * device that a test can look into (show_id is NULL).
 */
extern const PGDisplayPair pg_display_showers[4];

/* A test whose data is a PGDisplayPair */
typedef struct PGDisplayTest {
    const char *name;
    PGCaseFn fn;
} PGDisplayTest;

/* Add PREFIX/TEST/PAIR for each test and both pairs. */
void pg_add_display_tests(const char *prefix, const PGDisplayTest *tests,
                          unsigned count);

/* The same for all showers */
void pg_add_shower_tests(const char *prefix, const PGDisplayTest *tests,
                         unsigned count);

/* XRGB8888, without gaps; the fourth byte is 0 */
typedef struct PGPicture {
    unsigned width;
    unsigned height;
    uint32_t *pixels;
} PGPicture;

PGPicture *pg_picture_new(unsigned width, unsigned height);
void pg_picture_free(PGPicture *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PGPicture, pg_picture_free)
void pg_picture_fill(PGPicture *p, unsigned x, unsigned y, unsigned width,
                     unsigned height, uint32_t color);
/* Of the frame, as section 8.6 of the specification has it */
uint32_t pg_picture_crc(const PGPicture *p);
/* A step of CRC-32, without what is done before the first and after the last */
uint32_t pg_crc_bytes(uint32_t crc, const uint8_t *bytes, unsigned count);
/* The CRC of a frame of one colour */
uint32_t pg_color_crc(unsigned width, unsigned height, uint32_t color);
/* What QEMU's console of an output shows, brought up to date */
PGPicture *pg_screendump(PGGuest *g, const char *device, unsigned output);
void pg_assert_picture(PGGuest *g, const char *what, const PGPicture *got,
                       const PGPicture *want);

/* A rectangle by a fill job in worker p1, and in the picture */
void pg_draw(PGGuest *g, const char *bo, PGPicture *p, unsigned x, unsigned y,
             unsigned width, unsigned height, uint32_t color);
/* Bars and a frame around them: no two rows or columns of it are alike. */
void pg_draw_test_card(PGGuest *g, const char *bo, PGPicture *p);

/* What the device says of an output */
typedef struct PGOutput {
    bool connected;
    unsigned route;             /* UINT32_MAX: none */
    bool on;
    bool pending;
    unsigned width;
    unsigned height;
    uint64_t frame_ns;
    uint32_t vblank_count;
    uint64_t flip_seq;
    uint32_t crc;
    uint32_t crc_frame;
    uint64_t key;               /* of the lowest plane that is on, or 0 */
    uint64_t keys[4];           /* of the plane of this number, or 0 */
    PrimeGPUOutputCounters counters;
} PGOutput;

PGOutput pg_output(PGGuest *g, const char *device, unsigned output);
/* Bytes that the engines of all devices have copied */
uint64_t pg_bytes_copied(PGGuest *g);
/* Plug a display with this preferred mode, or pull it when width is 0. */
void pg_set_display(PGGuest *g, const char *device, unsigned output,
                    unsigned width, unsigned height);

/*
 * Frames in flight between two GPUs.  Worker p1 has the files d and s of the
 * GPUs that draw and show; frame N is BO dN of the first, sN of the second,
 * with a framebuffer on it and no fd left.
 */
#define PG_SHOW_WIDTH   320
#define PG_SHOW_HEIGHT  240
#define PG_SHOW_SIZE    (PG_SHOW_WIDTH * PG_SHOW_HEIGHT * 4)
#define PG_SHOW_FRAMES  2

typedef struct PGShow {
    PGGuest *g;
    const PGDisplayPair *pair;
    unsigned width;
    unsigned height;
    uint64_t draw_key[PG_SHOW_FRAMES];
    uint64_t show_key[PG_SHOW_FRAMES];
    unsigned fb[PG_SHOW_FRAMES];
} PGShow;

/* Make the files and frames; show the first one when @on. */
void pg_show_begin(PGShow *s, PGGuest *g, const PGDisplayPair *pair, bool on);
/* The frame that the output shows, by its BO */
void pg_show_assert(PGShow *s, const char *what, unsigned frame);
/* Close all; nothing is left, and nothing was violated. */
void pg_show_end(PGShow *s);

/*
 * The same in any worker, and on any shower, with a third frame of the size of
 * a cursor.
 */
#define PG_SCREEN_FRAMES    3
#define PG_SCREEN_CURSOR    2
#define PG_CURSOR_SIZE      64

typedef struct PGScreen {
    PGGuest *g;
    const PGDisplayPair *pair;
    const char *worker;         /* p1 ... */
    uint64_t draw_key[PG_SCREEN_FRAMES];
    uint64_t show_key[PG_SCREEN_FRAMES];    /* 0: the shower has none */
    unsigned fb[PG_SCREEN_FRAMES];
} PGScreen;

/* Make the files and frames. */
void pg_screen_begin(PGScreen *s);
/* A line in its worker */
const PGReply *pg_screen_do(PGScreen *s, const char *fmt, ...)
    G_GNUC_PRINTF(2, 3);
/*
 * Wait until the BOs of one side are released, which must not be before step
 * @from, nor after step @to.
 */
void pg_screen_assert_shown_gone(PGScreen *s, unsigned from, unsigned to);
void pg_screen_assert_drawn_gone(PGScreen *s, unsigned from, unsigned to);

#endif /* PRIMEGPU_DISPLAY_H */
