/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu routes: a connector shows the frame of any pipe, or none; several
 * show that of one.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu-scene.h"

#define WIDTH       61
#define HEIGHT      47
#define SEED        11

/* Of the frame of another pipe: one colour */
#define OTHER_WIDTH     40
#define OTHER_HEIGHT    24
#define OTHER_BYTE      0x5a

#define PIPE    QPRIMEGPU_SCENE_OUTPUT
#define OTHER   2
#define NONE    PRIMEGPU_OUTPUT_ROUTE_NONE

static void start(QPrimeGPUScene *scene, QPrimeGPU *g)
{
    qprimegpu_start(g);
    qprimegpu_scene_init(scene, g, WIDTH, HEIGHT, SEED);
}

static void set_route(QPrimeGPU *g, uint32_t output, uint32_t pipe)
{
    qprimegpu_output_writel(g, output, PRIMEGPU_OUTPUT_REG_ROUTE, pipe);
}

static uint32_t route(QPrimeGPU *g, uint32_t output)
{
    return qprimegpu_output_readl(g, output, PRIMEGPU_OUTPUT_REG_ROUTE);
}

static uint64_t counter(QPrimeGPU *g, uint32_t output, const char *name)
{
    return qprimegpu_output_counter(g->qts, 1, output, name);
}

/* Which connectors show the scene: a mask */
static void check_shown(QPrimeGPUScene *scene, uint32_t connectors)
{
    uint32_t n;

    for (n = 0; n < QPRIMEGPU_OUTPUTS; n++) {
        g_test_message("connector %u", n);
        g_assert_cmpint(qprimegpu_scene_is_shown(scene, n), ==,
                        connectors >> n & 1);
    }
}

/* Whether a connector shows a frame of this size and colour */
static bool shows(QPrimeGPU *g, uint32_t output, uint32_t width,
                  uint32_t height, uint8_t byte)
{
    g_autofree uint32_t *got = NULL;
    uint32_t w, h, i;

    got = qprimegpu_screendump(g->qts, "primegpu0", output, &w, &h);
    for (i = 0; i < w * h && got[i] == byte * 0x010101u; i++) {
        /* as it must be */
    }
    return w == width && h == height && i == w * h;
}

static bool shows_other(QPrimeGPU *g, uint32_t output)
{
    return shows(g, output, OTHER_WIDTH, OTHER_HEIGHT, OTHER_BYTE);
}

/* The pipe of another output shows a frame, too. */
static void show_other(QPrimeGPU *g)
{
    uint64_t addr, frame;
    uint64_t key = qprimegpu_new_fb(g, OTHER_WIDTH, OTHER_HEIGHT, &addr);

    qprimegpu_memset(g, addr, OTHER_BYTE, OTHER_WIDTH * OTHER_HEIGHT * 4);
    frame = qprimegpu_set_mode(g, OTHER, OTHER_WIDTH, OTHER_HEIGHT);
    qprimegpu_flip(g, OTHER, key, OTHER_WIDTH, OTHER_HEIGHT);
    qtest_clock_step(g->qts, frame);
}

static void cover(QPrimeGPUScene *scene, enum qprimegpu_scene_place place)
{
    struct primegpu_plane *plane =
        qprimegpu_scene_plane(scene, 0, place, PRIMEGPU_FORMAT_XRGB8888,
                              WIDTH, HEIGHT);

    plane->offset[0] = 0;
    plane->stride[0] = cpu_to_le32(WIDTH * sizeof(uint32_t));
}

/* Write to the BO of a plane as a CPU does. */
static void poke(QPrimeGPUScene *scene, enum qprimegpu_scene_place place,
                 uint32_t offset, uint32_t size)
{
    uint32_t bo = place * QPRIMEGPU_PLANE_KEYS;
    uint32_t i;

    for (i = 0; i < size; i++) {
        scene->bytes[bo][offset + i] ^= 0x69;
    }
    qtest_memwrite(scene->g->qts, scene->addr[bo] + offset,
                   scene->bytes[bo] + offset, size);
}

static void check_told(QPrimeGPU *g, uint32_t output, uint32_t pipe)
{
    QDict *info = qprimegpu_query_output(g->qts, 1, output);

    g_assert_cmphex(route(g, output), ==, pipe);
    g_assert_cmpint(qdict_haskey(info, "route"), ==, pipe != NONE);
    if (pipe != NONE) {
        g_assert_cmpint(qdict_get_int(info, "route"), ==, pipe);
    }
    qobject_unref(info);
}

static void check_reset_values(QPrimeGPU *g)
{
    uint32_t n;

    for (n = 0; n < QPRIMEGPU_OUTPUTS; n++) {
        check_told(g, n, n);
    }
}

static void test_values(void *obj, void *data, QGuestAllocator *alloc)
{
    static const uint32_t bad[] = {
        QPRIMEGPU_OUTPUTS, PRIMEGPU_OUTPUT_MAX, 0x100, 0x80000000, NONE - 1,
    };
    QPrimeGPU *g = obj;
    uint32_t n, pipe, i;

    check_reset_values(g);
    for (n = 0; n < QPRIMEGPU_OUTPUTS; n++) {
        for (pipe = 0; pipe < QPRIMEGPU_OUTPUTS; pipe++) {
            set_route(g, n, pipe);
            check_told(g, n, pipe);
            for (i = 0; i < ARRAY_SIZE(bad); i++) {
                set_route(g, n, bad[i]);
                check_told(g, n, pipe);
            }
        }
        set_route(g, n, NONE);
        check_told(g, n, NONE);
    }
    /* A reset of the engine and of the rings is none of the outputs. */
    qprimegpu_start(g);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_ENGINE_RESET);
    check_told(g, 0, NONE);
    set_route(g, 1, 0);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    check_reset_values(g);
}

/* Where the frame is shown makes no difference to it, nor to its pipe. */
static void test_everywhere(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPUScene scene;
    uint32_t round, i;

    start(&scene, obj);
    for (round = 0; round < 64; round++) {
        uint32_t mask = round % (1u << QPRIMEGPU_OUTPUTS);

        for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
            qprimegpu_scene_random_plane(&scene, i);
        }
        for (i = 0; i < QPRIMEGPU_OUTPUTS; i++) {
            set_route(obj, i, mask & 1u << i ? PIPE : NONE);
        }
        qprimegpu_scene_check(&scene);
        check_shown(&scene, mask);
    }
    qprimegpu_scene_free(&scene);
}

/* Each connector shows the other's pipe, with its mode; and back */
static void test_swap(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;
    uint32_t round;

    start(&scene, g);
    cover(&scene, QPRIMEGPU_SCENE_PAGES);
    qprimegpu_scene_show(&scene);
    show_other(g);
    for (round = 0; round < 4; round++) {
        bool swapped = round & 1;

        set_route(g, PIPE, swapped ? OTHER : PIPE);
        set_route(g, OTHER, swapped ? PIPE : OTHER);
        check_shown(&scene, 1u << (swapped ? OTHER : PIPE));
        g_assert_true(shows_other(g, swapped ? PIPE : OTHER));
    }
    /* The mode of a pipe is what it is wherever it is shown. */
    qprimegpu_set_mode(g, OTHER, 3 * OTHER_WIDTH, 2 * OTHER_HEIGHT);
    g_assert_true(shows(g, PIPE, 3 * OTHER_WIDTH, 2 * OTHER_HEIGHT, 0));
    show_other(g);
    g_assert_true(shows_other(g, PIPE));
    qprimegpu_set_mode_off(g, OTHER);
    g_assert_false(shows_other(g, PIPE));
    check_shown(&scene, 1u << OTHER);
    qprimegpu_set_mode_off(g, PIPE);
    check_shown(&scene, 0);
    show_other(g);
    g_assert_true(shows_other(g, PIPE));
    qprimegpu_scene_free(&scene);
}

/* Only what changes is damaged, at each connector, whoever looks when. */
static void test_damage(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;
    struct primegpu_plane *plane = &scene.plane[1].plane;
    static const uint32_t looks[] = { 9, 3 };
    uint64_t bytes[ARRAY_SIZE(looks)];
    uint32_t round, n;

    start(&scene, g);
    cover(&scene, QPRIMEGPU_SCENE_VRAM);
    plane = qprimegpu_scene_plane(&scene, 1, QPRIMEGPU_SCENE_VRAM,
                                  PRIMEGPU_FORMAT_ARGB8888, 8, 8);
    plane->blend = PRIMEGPU_BLEND_COVERAGE;
    set_route(g, 1, PIPE);
    qprimegpu_scene_show(&scene);
    check_shown(&scene, 3);
    scene.plane[0].plane.damage_x2 = 0;
    scene.plane[0].plane.damage_y2 = 0;
    for (n = 0; n < ARRAY_SIZE(looks); n++) {
        bytes[n] = counter(g, n, "console-bytes");
    }
    for (round = 0; round < looks[0]; round++) {
        plane->dst_x = cpu_to_le32(round * 5);
        plane->dst_y = cpu_to_le32(round * 4);
        qprimegpu_scene_show(&scene);
        /* One connector is looked at each time, the other now and then. */
        g_assert_true(qprimegpu_scene_is_shown(&scene, 0));
        if (round % looks[1] == looks[1] - 1) {
            g_assert_true(qprimegpu_scene_is_shown(&scene, 1));
        }
    }
    for (n = 0; n < ARRAY_SIZE(looks) && g->discrete; n++) {
        bytes[n] = counter(g, n, "console-bytes") - bytes[n];
        g_assert_cmpuint(bytes[n], >, 0);
        g_assert_cmpuint(bytes[n], <,
                         looks[n] * WIDTH * HEIGHT * sizeof(uint32_t) / 2);
    }
    qprimegpu_scene_free(&scene);
}

/* A connector without a pipe: nothing is composed for it. */
static void test_none(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;
    uint64_t frames;

    start(&scene, g);
    cover(&scene, QPRIMEGPU_SCENE_PAGES);
    qprimegpu_scene_show(&scene);
    check_shown(&scene, 1u << PIPE);
    frames = counter(g, PIPE, "console-frames");
    set_route(g, PIPE, NONE);
    check_shown(&scene, 0);
    poke(&scene, QPRIMEGPU_SCENE_PAGES, 0, 64);
    qprimegpu_scene_check(&scene);
    check_shown(&scene, 0);
    g_assert_cmpuint(counter(g, PIPE, "console-frames"), ==, frames);
    set_route(g, PIPE, PIPE);
    check_shown(&scene, 1u << PIPE);

    set_route(g, PIPE, NONE);
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    qprimegpu_scene_free(&scene);
    start(&scene, g);
    cover(&scene, QPRIMEGPU_SCENE_PAGES);
    qprimegpu_scene_show(&scene);
    check_shown(&scene, 1u << PIPE);
    qprimegpu_scene_free(&scene);
}

/* A reset while connectors show other pipes leaves nothing of that. */
static void test_reset(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;

    start(&scene, g);
    cover(&scene, QPRIMEGPU_SCENE_VRAM);
    set_route(g, 1, PIPE);
    set_route(g, PIPE, OTHER);
    set_route(g, OTHER, PIPE);
    qprimegpu_scene_show(&scene);
    show_other(g);
    check_shown(&scene, 1u << 1 | 1u << OTHER);
    g_assert_true(shows_other(g, PIPE));
    qprimegpu_writel(g, PRIMEGPU_REG_CONTROL, PRIMEGPU_CONTROL_DEVICE_RESET);
    check_reset_values(g);
    g_assert_cmpuint(qprimegpu_bo_count(g->qts), ==, 0);
    check_shown(&scene, 0);
    g_assert_false(shows_other(g, PIPE));
    qprimegpu_scene_free(&scene);
    start(&scene, g);
    cover(&scene, QPRIMEGPU_SCENE_VRAM);
    qprimegpu_scene_show(&scene);
    show_other(g);
    check_shown(&scene, 1u << PIPE);
    g_assert_true(shows_other(g, OTHER));
    g_assert_cmpuint(qprimegpu_violations(g->qts), ==, 0);
    qprimegpu_scene_free(&scene);
}

/* What is plugged in is the connector's own. */
static void test_display(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;

    qprimegpu_start(g);
    qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    set_route(g, 0, 1);
    set_route(g, 1, 0);
    qtest_qmp_assert_success(g->qts, "{ 'execute': 'primegpu-set-output',"
                             " 'arguments': { 'device': 'primegpu0',"
                             " 'output': 1, 'connected': false } }");
    g_assert_cmphex(qprimegpu_output_status(g, 0), ==,
                    PRIMEGPU_OUTPUT_CONNECTED | PRIMEGPU_OUTPUT_ON);
    g_assert_cmphex(qprimegpu_output_status(g, 1), ==, 0);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 0), ==, 0);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, 1), ==,
                    PRIMEGPU_OUTPUT_IRQ_HOTPLUG);
}

/* VRAM that is the frame is the picture at both connectors while it is. */
static void test_in_place(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;
    uint32_t round, n;

    start(&scene, g);
    set_route(g, 1, PIPE);
    for (round = 0; round < 4; round++) {
        cover(&scene, QPRIMEGPU_SCENE_VRAM);
        qprimegpu_scene_show(&scene);
        check_shown(&scene, 3);
        poke(&scene, QPRIMEGPU_SCENE_VRAM, round * 999, 5);
        check_shown(&scene, 3);
        for (n = 0; n < 2; n++) {
            g_assert_cmpuint(counter(g, n, "console-bytes"), ==,
                             round * WIDTH * HEIGHT * sizeof(uint32_t));
        }
        /* Both leave it with the commit: nobody reads it after that. */
        cover(&scene, QPRIMEGPU_SCENE_SCATTERED);
        qprimegpu_scene_show(&scene);
        for (n = 0; n < 2; n++) {
            g_assert_cmpuint(counter(g, n, "console-bytes"), ==,
                             (round + 1) * WIDTH * HEIGHT * sizeof(uint32_t));
        }
        poke(&scene, QPRIMEGPU_SCENE_VRAM, 0, WIDTH * HEIGHT * 4);
    }
    qprimegpu_scene_free(&scene);
}

static void register_tests(void)
{
    qprimegpu_add_test("route/values", test_values);
    qprimegpu_add_test("route/everywhere", test_everywhere);
    qprimegpu_add_test("route/swap", test_swap);
    qprimegpu_add_test("route/damage", test_damage);
    qprimegpu_add_test("route/none", test_none);
    qprimegpu_add_test("route/reset", test_reset);
    qprimegpu_add_test("route/display", test_display);
    qprimegpu_add_vram_test("route/in-place", test_in_place);
}

libqos_init(register_tests);
