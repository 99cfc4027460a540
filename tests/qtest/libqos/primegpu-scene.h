/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scene on one output of a primegpu: BOs full of random bytes, and planes
 * that show parts of them.  What the device makes of it is compared with what
 * the specification says.
 */
#ifndef QGRAPH_PRIMEGPU_SCENE_H
#define QGRAPH_PRIMEGPU_SCENE_H

#include "primegpu.h"
#include "primegpu-frame.h"

#define QPRIMEGPU_SCENE_OUTPUT  0

/* Where the BOs of a scene lie: in each place as many as a format needs */
enum qprimegpu_scene_place {
    QPRIMEGPU_SCENE_PAGES,      /* pages one after the other */
    QPRIMEGPU_SCENE_SCATTERED,  /* pages in no order */
    QPRIMEGPU_SCENE_VRAM,       /* the same as SCATTERED when there is none */
    QPRIMEGPU_SCENE_PLACES,
};
#define QPRIMEGPU_SCENE_BOS     (QPRIMEGPU_SCENE_PLACES * QPRIMEGPU_PLANE_KEYS)
#define QPRIMEGPU_SCENE_BO_SIZE (16 * PRIMEGPU_PAGE_SIZE)
/* Any format has room for this many pixels in both directions. */
#define QPRIMEGPU_SCENE_FB_MAX  96

typedef struct QPrimeGPUScene {
    QPrimeGPU *g;
    GRand *rand;
    uint32_t width;
    uint32_t height;
    uint64_t frame_ns;
    uint64_t key[QPRIMEGPU_SCENE_BOS];
    uint64_t addr[QPRIMEGPU_SCENE_BOS]; /* of VRAM, or of the first page */
    uint8_t *bytes[QPRIMEGPU_SCENE_BOS];
    QPrimeGPUFramePlane plane[PRIMEGPU_PLANE_MAX];
    bool has_color;
    struct primegpu_color color;
} QPrimeGPUScene;

/* The device has been started. */
void qprimegpu_scene_init(QPrimeGPUScene *scene, QPrimeGPU *g, uint32_t width,
                          uint32_t height, uint32_t seed);
void qprimegpu_scene_free(QPrimeGPUScene *scene);
/* From 0 to @end, which is not included */
uint32_t qprimegpu_scene_random(QPrimeGPUScene *scene, uint32_t end);

/*
 * Plane @index shows @width x @height pixels of this format, at the upper left
 * of the frame; change what is returned before it is committed.
 */
struct primegpu_plane *qprimegpu_scene_plane(QPrimeGPUScene *scene,
                                             uint32_t index,
                                             enum qprimegpu_scene_place place,
                                             uint32_t format, uint32_t width,
                                             uint32_t height);
void qprimegpu_scene_plane_off(QPrimeGPUScene *scene, uint32_t index);
/* Anything goes. */
void qprimegpu_scene_random_plane(QPrimeGPUScene *scene, uint32_t index);
void qprimegpu_scene_random_color(QPrimeGPUScene *scene, uint32_t flags);

/* Commit all planes, and wait for the frame. */
void qprimegpu_scene_show(QPrimeGPUScene *scene);
/* What the frame must be; the caller frees it. */
uint32_t *qprimegpu_scene_frame(QPrimeGPUScene *scene);
/* The CRC of the frame that comes next, from the device */
uint32_t qprimegpu_scene_crc(QPrimeGPUScene *scene);
/* Show it; the CRC must be the one of what the specification says. */
void qprimegpu_scene_check(QPrimeGPUScene *scene);
/* Whether it is what a person sees at the connector of an output */
bool qprimegpu_scene_is_shown(QPrimeGPUScene *scene, uint32_t output);

#endif /* QGRAPH_PRIMEGPU_SCENE_H */
