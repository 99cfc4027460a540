/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu consoles: the picture that a person sees is the frame, and costs
 * nothing while nobody looks.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu-scene.h"

#define DEVICE      "primegpu0"
#define WIDTH       61
#define HEIGHT      47
#define SEED        7
#define ROW_BYTES   (WIDTH * sizeof(uint32_t))

static void start(QPrimeGPUScene *scene, QPrimeGPU *g)
{
    qprimegpu_start(g);
    qprimegpu_scene_init(scene, g, WIDTH, HEIGHT, SEED);
}

static uint64_t counter(QPrimeGPU *g, uint32_t output, const char *name)
{
    return qprimegpu_output_counter(g->qts, 1, output, name);
}

static void check_picture(QPrimeGPUScene *scene, uint32_t output)
{
    g_assert_true(qprimegpu_scene_is_shown(scene, output));
}

/* Write to a BO as a CPU does; in its first page if pages are in no order. */
static void poke(QPrimeGPUScene *scene, uint32_t bo, uint32_t offset,
                 uint32_t size)
{
    uint32_t i;

    for (i = 0; i < size; i++) {
        scene->bytes[bo][offset + i] ^= 0x3c;
    }
    qtest_memwrite(scene->g->qts, scene->addr[bo] + offset,
                   scene->bytes[bo] + offset, size);
}

static uint32_t first_bo(enum qprimegpu_scene_place place)
{
    return place * QPRIMEGPU_PLANE_KEYS;
}

/* All of the frame, row after row from the start of the BO */
static void cover(QPrimeGPUScene *scene, enum qprimegpu_scene_place place)
{
    struct primegpu_plane *plane =
        qprimegpu_scene_plane(scene, 0, place, PRIMEGPU_FORMAT_XRGB8888,
                              WIDTH, HEIGHT);

    plane->offset[0] = 0;
    plane->stride[0] = cpu_to_le32(ROW_BYTES);
}

/* A corner of it is covered by another one. */
static void cover_corner(QPrimeGPUScene *scene,
                         enum qprimegpu_scene_place place)
{
    struct primegpu_plane *plane =
        qprimegpu_scene_plane(scene, 1, place, PRIMEGPU_FORMAT_ARGB8888, 8, 8);

    plane->blend = PRIMEGPU_BLEND_COVERAGE;
    plane->offset[0] = cpu_to_le32(15 * PRIMEGPU_PAGE_SIZE);
}

static void test_composed(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPUScene scene;
    uint32_t round, i;

    start(&scene, obj);
    check_picture(&scene, 0);
    for (round = 0; round < 60; round++) {
        for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
            qprimegpu_scene_random_plane(&scene, i);
        }
        if (round % 8 == 7) {
            qprimegpu_scene_random_color(&scene, round / 8);
        }
        qprimegpu_scene_check(&scene);
        check_picture(&scene, 0);
    }
    qprimegpu_scene_free(&scene);
}

/* A plane moves, changes its look, goes: old and new place are right. */
static void test_moves(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPUScene scene;
    struct primegpu_plane *plane;
    int32_t at;

    start(&scene, obj);
    cover(&scene, QPRIMEGPU_SCENE_VRAM);
    cover_corner(&scene, QPRIMEGPU_SCENE_VRAM);
    plane = &scene.plane[1].plane;
    for (at = -9; at < HEIGHT + 9; at += 3) {
        plane->dst_x = cpu_to_le32(at);
        plane->dst_y = cpu_to_le32(at);
        qprimegpu_scene_show(&scene);
        check_picture(&scene, 0);
        /* What is not new is not damaged. */
        scene.plane[0].plane.damage_x2 = 0;
        scene.plane[0].plane.damage_y2 = 0;
    }
    plane->dst_x = cpu_to_le32(9);
    plane->dst_y = cpu_to_le32(9);
    qprimegpu_scene_show(&scene);
    plane->damage_x2 = 0;
    plane->damage_y2 = 0;
    plane->blend = PRIMEGPU_BLEND_NONE;
    qprimegpu_scene_show(&scene);
    check_picture(&scene, 0);
    plane->alpha = cpu_to_le16(0x1234);
    qprimegpu_scene_show(&scene);
    check_picture(&scene, 0);
    scene.plane[0].plane.zpos = 2;
    qprimegpu_scene_show(&scene);
    check_picture(&scene, 0);
    qprimegpu_scene_random_color(&scene, PRIMEGPU_COLOR_CTM);
    qprimegpu_scene_show(&scene);
    check_picture(&scene, 0);
    qprimegpu_scene_plane_off(&scene, 0);
    qprimegpu_scene_show(&scene);
    check_picture(&scene, 0);
    qprimegpu_scene_free(&scene);
}

static void test_nobody_looks(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;
    uint32_t i;

    start(&scene, g);
    for (i = 0; i < 30; i++) {
        cover(&scene, i % QPRIMEGPU_SCENE_PLACES);
        poke(&scene, first_bo(QPRIMEGPU_SCENE_PAGES), 0, 64);
        qprimegpu_scene_check(&scene);
    }
    g_assert_cmpuint(counter(g, 0, "console-bytes"), ==, 0);
    g_assert_cmpuint(counter(g, 0, "console-frames"), ==, 0);
    g_assert_cmpuint(counter(g, 0, "flips"), ==, 30);
    check_picture(&scene, 0);
    g_assert_cmpuint(counter(g, 0, "console-frames"), ==, 1);
    qprimegpu_scene_free(&scene);
}

/* VRAM that is the frame is not copied for the picture. */
static void test_in_place(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;
    uint32_t i;

    start(&scene, g);
    for (i = 0; i < 20; i++) {
        struct primegpu_plane *plane =
            qprimegpu_scene_plane(&scene, 0, QPRIMEGPU_SCENE_VRAM,
                                  PRIMEGPU_FORMAT_XRGB8888, 70, 50);

        plane->offset[0] = cpu_to_le32(i * sizeof(uint32_t));
        plane->src_x = cpu_to_le32(i % 9 << 16);
        plane->src_y = cpu_to_le32(i % 3 << 16);
        plane->src_w = cpu_to_le32(WIDTH << 16);
        plane->src_h = cpu_to_le32(HEIGHT << 16);
        plane->dst_w = cpu_to_le32(WIDTH);
        plane->dst_h = cpu_to_le32(HEIGHT);
        qprimegpu_scene_check(&scene);
        check_picture(&scene, 0);
        poke(&scene, first_bo(QPRIMEGPU_SCENE_VRAM), i, 20000);
        check_picture(&scene, 0);
    }
    g_assert_cmpuint(counter(g, 0, "console-bytes"), ==, 0);
    g_assert_cmpuint(counter(g, 0, "console-frames"), ==, 40);
    /* Nothing is new. */
    check_picture(&scene, 0);
    g_assert_cmpuint(counter(g, 0, "console-frames"), ==, 40);
    qprimegpu_scene_free(&scene);
}

/* VRAM that is not the frame as it is cannot be the picture. */
static void test_not_in_place(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;
    struct primegpu_plane *plane = &scene.plane[0].plane;
    uint32_t look;

    start(&scene, g);
    for (look = 0; look < 11; look++) {
        uint64_t before;

        cover(&scene, QPRIMEGPU_SCENE_VRAM);
        qprimegpu_scene_plane_off(&scene, 1);
        qprimegpu_scene_show(&scene);
        check_picture(&scene, 0);
        before = counter(g, 0, "console-bytes");
        switch (look) {
        case 0:
            cover_corner(&scene, QPRIMEGPU_SCENE_VRAM);
            break;
        case 1:
            plane->format = cpu_to_le32(PRIMEGPU_FORMAT_XBGR8888);
            break;
        case 2:
            plane->alpha = cpu_to_le16(0xfff0);
            break;
        case 3:
            plane->format = cpu_to_le32(PRIMEGPU_FORMAT_ARGB8888);
            plane->blend = PRIMEGPU_BLEND_PREMULTIPLIED;
            break;
        case 4:
            plane->rotation = PRIMEGPU_ROTATE_0 | PRIMEGPU_REFLECT_Y;
            break;
        case 5:
            plane->rotation = PRIMEGPU_ROTATE_0 | PRIMEGPU_REFLECT_X;
            break;
        case 6:
            plane->dst_x = cpu_to_le32(1);
            break;
        case 7:
            plane->dst_y = cpu_to_le32(-1);
            break;
        case 8:
            plane->src_w = cpu_to_le32((WIDTH << 16) - 1);
            break;
        case 9:
            plane->src_h = cpu_to_le32((HEIGHT - 1) << 16);
            break;
        default:
            qprimegpu_scene_random_color(&scene, PRIMEGPU_COLOR_DEGAMMA);
            break;
        }
        g_test_message("look %u", look);
        qprimegpu_scene_show(&scene);
        check_picture(&scene, 0);
        g_assert_cmpuint(counter(g, 0, "console-bytes"), >, before);
    }
    qprimegpu_scene_free(&scene);
}

/* In place and not, in turn; the VRAM is used for something else at once. */
static void test_leave_place(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;
    uint32_t vram = first_bo(QPRIMEGPU_SCENE_VRAM);
    uint64_t bytes = 0;
    uint32_t i;

    start(&scene, g);
    for (i = 0; i < 4; i++) {
        cover(&scene, QPRIMEGPU_SCENE_VRAM);
        qprimegpu_scene_plane_off(&scene, 1);
        qprimegpu_scene_show(&scene);
        check_picture(&scene, 0);
        g_assert_cmpuint(counter(g, 0, "console-bytes"), ==, bytes);
        cover(&scene, QPRIMEGPU_SCENE_PAGES);
        qprimegpu_scene_show(&scene);
        /* Without a look in between, this VRAM is not shown any more. */
        bytes += HEIGHT * ROW_BYTES;
        g_assert_cmpuint(counter(g, 0, "console-bytes"), ==, bytes);
        poke(&scene, vram, 0, QPRIMEGPU_SCENE_BO_SIZE);
        check_picture(&scene, 0);
        bytes += HEIGHT * ROW_BYTES;
        g_assert_cmpuint(counter(g, 0, "console-bytes"), ==, bytes);
        qprimegpu_assert_status(
            qprimegpu_place(g, scene.key[vram], PRIMEGPU_LOCATION_VRAM,
                            vram * QPRIMEGPU_SCENE_BO_SIZE), PRIMEGPU_ST_OK);
    }
    qprimegpu_scene_free(&scene);
}

/* In VRAM only pages that were written are looked at. */
static void test_vram_changes(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;
    uint32_t vram = first_bo(QPRIMEGPU_SCENE_VRAM);
    uint64_t rows_of_page = PRIMEGPU_PAGE_SIZE / ROW_BYTES + 2;
    uint64_t bytes, before;

    start(&scene, g);
    cover(&scene, QPRIMEGPU_SCENE_VRAM);
    cover_corner(&scene, QPRIMEGPU_SCENE_VRAM);
    qprimegpu_scene_show(&scene);
    check_picture(&scene, 0);
    before = counter(g, 0, "console-bytes");
    g_assert_cmpuint(before, ==, HEIGHT * ROW_BYTES);
    check_picture(&scene, 0);
    g_assert_cmpuint(counter(g, 0, "console-bytes"), ==, before);

    /* Row 30 and the page around it */
    poke(&scene, vram, 30 * ROW_BYTES + 8, 4);
    check_picture(&scene, 0);
    bytes = counter(g, 0, "console-bytes") - before;
    g_assert_cmpuint(bytes, >, 0);
    g_assert_cmpuint(bytes, <=, rows_of_page * ROW_BYTES);
    g_assert_cmpuint(counter(g, 0, "console-frames"), ==, 2);

    /* The device's own writes are seen as well. */
    before = counter(g, 0, "console-bytes");
    qprimegpu_assert_status(
        qprimegpu_run(g, qprimegpu_op_fill(scene.key[vram], 2 * ROW_BYTES,
                                           ROW_BYTES, 0x77)), PRIMEGPU_ST_OK);
    memset(scene.bytes[vram] + 2 * ROW_BYTES, 0x77, ROW_BYTES);
    check_picture(&scene, 0);
    bytes = counter(g, 0, "console-bytes") - before;
    g_assert_cmpuint(bytes, >, 0);
    g_assert_cmpuint(bytes, <=, 2 * rows_of_page * ROW_BYTES);
    qprimegpu_scene_free(&scene);
}

/* Nobody tells of changes in pages: they are found. */
static void test_pages_changes(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;
    uint32_t bo = first_bo(QPRIMEGPU_SCENE_PAGES);

    start(&scene, g);
    cover(&scene, QPRIMEGPU_SCENE_PAGES);
    qprimegpu_scene_show(&scene);
    check_picture(&scene, 0);
    g_assert_cmpuint(counter(g, 0, "console-frames"), ==, 1);
    check_picture(&scene, 0);
    g_assert_cmpuint(counter(g, 0, "console-frames"), ==, 1);
    poke(&scene, bo, ROW_BYTES * (HEIGHT - 1) + ROW_BYTES - 2, 1);
    check_picture(&scene, 0);
    g_assert_cmpuint(counter(g, 0, "console-frames"), ==, 2);
    qprimegpu_scene_free(&scene);
}

/* What a CPU writes in a row that a commit damages as well */
static void test_beside_damage(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPUScene scene;
    uint32_t place, x;

    start(&scene, obj);
    for (place = 0; place < QPRIMEGPU_SCENE_PLACES; place++) {
        cover(&scene, place);
        cover_corner(&scene, place);
        qprimegpu_scene_show(&scene);
        check_picture(&scene, 0);
        scene.plane[0].plane.damage_x2 = 0;
        scene.plane[0].plane.damage_y2 = 0;
        for (x = 8; x < WIDTH - 8; x += 11) {
            /* Left and right of it, in the first of its rows */
            poke(&scene, first_bo(place), 0, 4);
            poke(&scene, first_bo(place), ROW_BYTES - 4, 4);
            scene.plane[1].plane.dst_x = cpu_to_le32(x);
            qprimegpu_scene_show(&scene);
            check_picture(&scene, 0);
        }
    }
    qprimegpu_scene_free(&scene);
}

/* One BO on two outputs: a change is for both, whoever looks first. */
static void test_two_outputs(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;
    struct primegpu_plane planes[2];
    uint32_t round;

    start(&scene, g);
    qprimegpu_set_mode(g, 1, WIDTH, HEIGHT);
    cover(&scene, QPRIMEGPU_SCENE_VRAM);
    cover_corner(&scene, QPRIMEGPU_SCENE_VRAM);
    planes[0] = scene.plane[0].plane;
    planes[1] = scene.plane[1].plane;
    qprimegpu_assert_status(qprimegpu_commit(g, 1, planes, 2, 0),
                            PRIMEGPU_ST_OK);
    qprimegpu_scene_show(&scene);
    for (round = 0; round < 6; round++) {
        check_picture(&scene, round % 2);
        check_picture(&scene, !(round % 2));
        poke(&scene, first_bo(QPRIMEGPU_SCENE_VRAM), round * 999, 5);
    }
    g_assert_cmpuint(counter(g, 0, "console-frames"), ==, 6);
    g_assert_cmpuint(counter(g, 1, "console-frames"), ==, 6);
    qprimegpu_scene_free(&scene);
}

/* Two BOs that are near to each other, each on an output of its own */
static void test_neighbours(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;
    struct primegpu_plane planes[2];
    uint32_t bo = first_bo(QPRIMEGPU_SCENE_VRAM);
    uint32_t round;

    start(&scene, g);
    qprimegpu_set_mode(g, 1, WIDTH, HEIGHT);
    cover(&scene, QPRIMEGPU_SCENE_VRAM);
    cover_corner(&scene, QPRIMEGPU_SCENE_VRAM);
    planes[0] = scene.plane[0].plane;
    planes[1] = scene.plane[1].plane;
    planes[0].key[0] = cpu_to_le64(scene.key[bo + 1]);
    planes[1].key[0] = cpu_to_le64(scene.key[bo + 2]);
    qprimegpu_assert_status(qprimegpu_commit(g, 1, planes, 2, 0),
                            PRIMEGPU_ST_OK);
    qprimegpu_scene_show(&scene);
    for (round = 0; round < 3; round++) {
        uint32_t width, height;

        /* A look at one of them must not lose what is new in the other. */
        g_free(qprimegpu_screendump(g->qts, DEVICE, 1, &width, &height));
        check_picture(&scene, 0);
        poke(&scene, bo, 999, 5);
    }
    g_assert_cmpuint(counter(g, 0, "console-frames"), ==, 3);
    qprimegpu_scene_free(&scene);
}

static bool is_black(QPrimeGPU *g, uint32_t width, uint32_t height)
{
    g_autofree uint32_t *black = g_new0(uint32_t, width * height);
    g_autofree uint32_t *got = NULL;
    uint32_t w, h;

    got = qprimegpu_screendump(g->qts, DEVICE, 0, &w, &h);
    g_assert_cmpuint(w, ==, width);
    g_assert_cmpuint(h, ==, height);
    return !memcmp(got, black, w * h * sizeof(*got));
}

/* A new mode, off and on, and a reset leave nothing of the old picture. */
static void test_modes(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;

    start(&scene, g);
    cover(&scene, QPRIMEGPU_SCENE_VRAM);
    qprimegpu_scene_show(&scene);
    check_picture(&scene, 0);
    qprimegpu_set_mode(g, 0, 100, 80);
    g_assert_true(is_black(g, 100, 80));
    qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    qprimegpu_scene_show(&scene);
    check_picture(&scene, 0);
    qprimegpu_set_mode_off(g, 0);
    poke(&scene, first_bo(QPRIMEGPU_SCENE_VRAM), 0, PRIMEGPU_PAGE_SIZE);
    g_free(qprimegpu_screendump(g->qts, DEVICE, 0, &scene.width,
                                &scene.height));
    g_assert_cmpuint(scene.width, ==, WIDTH);
    qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    g_assert_true(is_black(g, WIDTH, HEIGHT));
    qprimegpu_scene_show(&scene);
    check_picture(&scene, 0);

    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    qprimegpu_setup_rings(g);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_ENABLE);
    qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    g_assert_true(is_black(g, WIDTH, HEIGHT));
    qprimegpu_scene_free(&scene);
}

static void register_primegpu_console_test(void)
{
    qprimegpu_add_test("console/composed", test_composed);
    qprimegpu_add_test("console/moves", test_moves);
    qprimegpu_add_test("console/nobody-looks", test_nobody_looks);
    qprimegpu_add_test("console/pages-changes", test_pages_changes);
    qprimegpu_add_test("console/beside-damage", test_beside_damage);
    qprimegpu_add_test("console/two-outputs", test_two_outputs);
    qprimegpu_add_test("console/modes", test_modes);
    qprimegpu_add_vram_test("console/in-place", test_in_place);
    qprimegpu_add_vram_test("console/not-in-place", test_not_in_place);
    qprimegpu_add_vram_test("console/neighbours", test_neighbours);
    qprimegpu_add_vram_test("console/leave-place", test_leave_place);
    qprimegpu_add_vram_test("console/vram-changes", test_vram_changes);
}

libqos_init(register_primegpu_console_test);
