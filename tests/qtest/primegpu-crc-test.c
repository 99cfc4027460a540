/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu frames: the CRC of every format and arrangement, compared with one
 * that is worked out from the specification.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu-scene.h"

/* Odd, so that nothing comes out even by luck */
#define WIDTH       61
#define HEIGHT      47
#define SEED        20

static void start(QPrimeGPUScene *scene, QPrimeGPU *g)
{
    qprimegpu_start(g);
    qprimegpu_scene_init(scene, g, WIDTH, HEIGHT, SEED);
}

/* The frame of no plane at all is black. */
static void test_black(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPUScene scene;

    start(&scene, obj);
    qprimegpu_scene_check(&scene);
    qprimegpu_scene_random_color(&scene, PRIMEGPU_COLOR_GAMMA);
    qprimegpu_scene_check(&scene);
    qprimegpu_scene_free(&scene);
}

/* Each format, wherever it lies */
static void test_formats(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPUScene scene;
    uint32_t format, i, place;

    start(&scene, obj);
    for (i = 0; (format = qprimegpu_format_at(i)); i++) {
        for (place = 0; place < QPRIMEGPU_SCENE_PLACES; place++) {
            qprimegpu_scene_plane(&scene, 0, place, format, 64, 48);
            qprimegpu_scene_check(&scene);
        }
    }
    qprimegpu_scene_free(&scene);
}

static void test_encodings(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPUScene scene;
    uint32_t format, i, encoding, range;

    start(&scene, obj);
    for (i = 0; (format = qprimegpu_format_at(i)); i++) {
        struct primegpu_plane *plane;

        if (!qprimegpu_format_is_ycbcr(format)) {
            continue;
        }
        plane = qprimegpu_scene_plane(&scene, 0, QPRIMEGPU_SCENE_PAGES,
                                      format, 64, 48);
        for (encoding = 0; encoding <= PRIMEGPU_ENCODING_BT2020; encoding++) {
            for (range = 0; range <= PRIMEGPU_RANGE_FULL; range++) {
                plane->encoding = encoding;
                plane->range = range;
                qprimegpu_scene_check(&scene);
            }
        }
    }
    qprimegpu_scene_free(&scene);
}

/* Every rotation and reflection, of what is scaled and what is not */
static void test_rotations(void *obj, void *data, QGuestAllocator *alloc)
{
    static const uint32_t few[] = {
        PRIMEGPU_FORMAT_XRGB8888, PRIMEGPU_FORMAT_RGB565,
        PRIMEGPU_FORMAT_YUYV, PRIMEGPU_FORMAT_YUV420,
    };
    QPrimeGPUScene scene;
    uint32_t i, rotate, reflect, scaled;

    start(&scene, obj);
    for (i = 0; i < ARRAY_SIZE(few); i++) {
        for (rotate = PRIMEGPU_ROTATE_0; rotate <= PRIMEGPU_ROTATE_270;
             rotate *= 2) {
            for (reflect = 0; reflect < 4; reflect++) {
                for (scaled = 0; scaled < 2; scaled++) {
                    struct primegpu_plane *plane =
                        qprimegpu_scene_plane(&scene, 0,
                                              QPRIMEGPU_SCENE_SCATTERED,
                                              few[i], 46, 46);

                    plane->rotation = rotate | reflect * PRIMEGPU_REFLECT_X;
                    plane->dst_w = cpu_to_le32(scaled ? 57 : 46);
                    plane->dst_h = cpu_to_le32(scaled ? 31 : 46);
                    qprimegpu_scene_check(&scene);
                }
            }
        }
    }
    qprimegpu_scene_free(&scene);
}

/* From one pixel that fills the frame to a frame that is one pixel */
static void test_scaling(void *obj, void *data, QGuestAllocator *alloc)
{
    static const uint32_t sizes[] = { 1, 2, 3, 46, 47, 48, 93, 94, 95, 4096 };
    QPrimeGPUScene scene;
    uint32_t source, i;

    start(&scene, obj);
    for (source = 1; source <= 94; source += 31) {
        for (i = 0; i < ARRAY_SIZE(sizes); i++) {
            struct primegpu_plane *plane =
                qprimegpu_scene_plane(&scene, 0, QPRIMEGPU_SCENE_PAGES,
                                      PRIMEGPU_FORMAT_XRGB8888, 94, 94);

            plane->src_x = cpu_to_le32(0x8000);
            plane->src_w = cpu_to_le32((source << 16) - 0x8000);
            plane->src_h = cpu_to_le32(source << 16);
            plane->dst_w = cpu_to_le32(sizes[i]);
            plane->dst_h = cpu_to_le32(sizes[ARRAY_SIZE(sizes) - 1 - i]);
            qprimegpu_scene_check(&scene);
            /* Less than a pixel of the source */
            plane->src_w = cpu_to_le32(source);
            qprimegpu_scene_check(&scene);
        }
    }
    qprimegpu_scene_free(&scene);
}

/* At every edge, over it by one, just outside, and as far away as can be */
static void test_outside(void *obj, void *data, QGuestAllocator *alloc)
{
    static const int32_t places[][2] = {
        { 0, 0 }, { -1, -1 }, { -31, -20 }, { -32, 0 }, { 0, -21 },
        { WIDTH - 32, HEIGHT - 21 }, { WIDTH - 31, HEIGHT - 20 },
        { WIDTH - 1, HEIGHT - 1 }, { WIDTH, 0 }, { 0, HEIGHT },
        { -32768, 3 }, { 3, -32768 }, { 32767, 32767 },
    };
    QPrimeGPUScene scene;
    uint32_t i, rotate;

    start(&scene, obj);
    qprimegpu_scene_plane(&scene, 0, QPRIMEGPU_SCENE_PAGES,
                          PRIMEGPU_FORMAT_RGB565, 61, 30);
    for (i = 0; i < ARRAY_SIZE(places); i++) {
        for (rotate = PRIMEGPU_ROTATE_0; rotate <= PRIMEGPU_ROTATE_270;
             rotate *= 2) {
            struct primegpu_plane *plane =
                qprimegpu_scene_plane(&scene, 1, QPRIMEGPU_SCENE_VRAM,
                                      PRIMEGPU_FORMAT_XBGR8888, 32, 21);

            plane->rotation = rotate;
            plane->dst_x = cpu_to_le32(places[i][0]);
            plane->dst_y = cpu_to_le32(places[i][1]);
            qprimegpu_scene_check(&scene);
        }
    }
    qprimegpu_scene_free(&scene);
}

/* Each blend mode and some alphas, of formats with alpha and without */
static void test_blending(void *obj, void *data, QGuestAllocator *alloc)
{
    static const uint16_t alphas[] = { 0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff };
    QPrimeGPUScene scene;
    uint32_t format, i, blend, a;

    start(&scene, obj);
    qprimegpu_scene_plane(&scene, 0, QPRIMEGPU_SCENE_PAGES,
                          PRIMEGPU_FORMAT_XRGB2101010, 60, 40);
    for (i = 0; (format = qprimegpu_format_at(i)); i++) {
        for (blend = 0; blend <= PRIMEGPU_BLEND_COVERAGE; blend++) {
            for (a = 0; a < ARRAY_SIZE(alphas); a++) {
                struct primegpu_plane *plane =
                    qprimegpu_scene_plane(&scene, 1, QPRIMEGPU_SCENE_SCATTERED,
                                          format, 40, 44);

                plane->blend = blend;
                plane->alpha = cpu_to_le16(alphas[a]);
                plane->dst_x = cpu_to_le32(10);
                qprimegpu_scene_check(&scene);
            }
        }
    }
    qprimegpu_scene_free(&scene);
}

/* Four planes that cover each other in part, in every order of two */
static void test_stacking(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPUScene scene;
    uint32_t first, second, i;

    start(&scene, obj);
    for (first = 0; first < PRIMEGPU_PLANE_MAX; first++) {
        for (second = 0; second < PRIMEGPU_PLANE_MAX; second++) {
            for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
                struct primegpu_plane *plane =
                    qprimegpu_scene_plane(&scene, i, QPRIMEGPU_SCENE_PAGES,
                                          PRIMEGPU_FORMAT_XRGB8888, 30, 30);

                plane->dst_x = cpu_to_le32(i * 7);
                plane->dst_y = cpu_to_le32(i * 5);
                plane->zpos = i == first ? UINT8_MAX : i == second ? 9 : 8;
            }
            qprimegpu_scene_check(&scene);
        }
    }
    qprimegpu_scene_free(&scene);
}

/* Each stage alone and all together; the same with a straight line */
static void test_colors(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPUScene scene;
    uint32_t flags, i;

    start(&scene, obj);
    for (flags = 0; flags < 8; flags++) {
        qprimegpu_scene_plane(&scene, 0, QPRIMEGPU_SCENE_VRAM,
                              PRIMEGPU_FORMAT_XRGB2101010, 60, 40);
        qprimegpu_scene_random_color(&scene, flags);
        qprimegpu_scene_check(&scene);
    }
    for (i = 0; i < PRIMEGPU_LUT_SIZE; i++) {
        uint16_t straight = cpu_to_le16(i * 257);

        scene.color.gamma[i] = (struct primegpu_lut) {
            straight, straight, straight
        };
    }
    scene.color.flags = cpu_to_le32(PRIMEGPU_COLOR_GAMMA);
    qprimegpu_scene_check(&scene);
    /* All but straight */
    scene.color.gamma[128].blue = cpu_to_le16(128 * 257 + 200);
    qprimegpu_scene_check(&scene);
    qprimegpu_scene_free(&scene);
}

static void test_random(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPUScene scene;
    uint32_t round, i;

    start(&scene, obj);
    for (round = 0; round < 400; round++) {
        for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
            qprimegpu_scene_random_plane(&scene, i);
        }
        if (round % 4 == 3) {
            qprimegpu_scene_random_color(&scene,
                                         qprimegpu_scene_random(&scene, 8));
        }
        g_test_message("round %u", round);
        qprimegpu_scene_check(&scene);
    }
    qprimegpu_scene_free(&scene);
}

static void register_primegpu_crc_test(void)
{
    qprimegpu_add_test("crc/black", test_black);
    qprimegpu_add_test("crc/formats", test_formats);
    qprimegpu_add_test("crc/encodings", test_encodings);
    qprimegpu_add_test("crc/rotations", test_rotations);
    qprimegpu_add_test("crc/scaling", test_scaling);
    qprimegpu_add_test("crc/outside", test_outside);
    qprimegpu_add_test("crc/blending", test_blending);
    qprimegpu_add_test("crc/stacking", test_stacking);
    qprimegpu_add_test("crc/colors", test_colors);
    qprimegpu_add_test("crc/random", test_random);
}

libqos_init(register_primegpu_crc_test);
