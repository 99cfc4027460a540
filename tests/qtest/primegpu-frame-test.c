/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu frames: write-back, BOs to their last byte, and BOs that DMA does
 * not reach.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "hw/pci/pci_regs.h"
#include "libqos/primegpu-scene.h"

#define WIDTH       61
#define HEIGHT      47
#define SEED        4
#define OUTPUT      QPRIMEGPU_SCENE_OUTPUT

/* Bytes of the frame that are not to be touched */
#define UNTOUCHED   0x5a

static void start(QPrimeGPUScene *scene, QPrimeGPU *g)
{
    qprimegpu_start(g);
    qprimegpu_scene_init(scene, g, WIDTH, HEIGHT, SEED);
}

/* Something of everything */
static void arrange(QPrimeGPUScene *scene)
{
    uint32_t i;

    qprimegpu_scene_plane(scene, 0, QPRIMEGPU_SCENE_SCATTERED,
                          PRIMEGPU_FORMAT_RGB565, 60, 40);
    for (i = 1; i < PRIMEGPU_PLANE_MAX; i++) {
        qprimegpu_scene_random_plane(scene, i);
    }
    qprimegpu_scene_random_color(scene, PRIMEGPU_COLOR_GAMMA);
}

static uint32_t wanted_word(uint32_t pixel, uint32_t format)
{
    if (format == PRIMEGPU_FORMAT_XBGR8888 ||
        format == PRIMEGPU_FORMAT_ABGR8888) {
        pixel = (pixel & 0xff) << 16 | (pixel & 0xff00) | pixel >> 16;
    }
    return 0xff000000 | pixel;
}

static void check_words(const QPrimeGPUScene *scene, const uint8_t *bytes,
                        uint32_t size, uint32_t offset, uint32_t stride,
                        uint32_t format, const uint32_t *frame)
{
    uint32_t row_bytes = WIDTH * sizeof(uint32_t);
    uint32_t b;

    for (b = 0; b < size; b++) {
        int64_t at = (int64_t)b - offset;

        if (at >= 0 && at / stride < HEIGHT && at % stride < row_bytes) {
            uint32_t pixel = frame[at / stride * WIDTH + at % stride / 4];
            uint32_t word = wanted_word(pixel, format);

            g_assert_cmphex(bytes[b], ==, (word >> (at % 4 * 8)) & 0xff);
        } else {
            g_assert_cmphex(bytes[b], ==, UNTOUCHED);
        }
    }
}

static void check_writeback(QPrimeGPUScene *scene, uint32_t format)
{
    QPrimeGPU *g = scene->g;
    g_autofree uint32_t *frame = qprimegpu_scene_frame(scene);
    g_autofree uint8_t *bytes = g_malloc(QPRIMEGPU_SCENE_BO_SIZE);
    uint32_t offset = 52, stride = 300;
    struct primegpu_plane planes[PRIMEGPU_PLANE_MAX];
    struct primegpu_cmd_commit commit;
    uint64_t key, addr;
    uint32_t i;

    key = qprimegpu_new_bo_pages(g, QPRIMEGPU_SCENE_BO_SIZE, &addr);
    qprimegpu_memset(g, addr, UNTOUCHED, QPRIMEGPU_SCENE_BO_SIZE);
    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        planes[i] = scene->plane[i].plane;
    }
    commit = qprimegpu_commit_cmd(g, OUTPUT, planes, PRIMEGPU_PLANE_MAX,
                                  &scene->color);
    commit.hdr.flags |= cpu_to_le16(PRIMEGPU_COMMIT_WRITEBACK);
    commit.wb_key = cpu_to_le64(key);
    commit.wb_offset = cpu_to_le32(offset);
    commit.wb_stride = cpu_to_le32(stride);
    commit.wb_format = cpu_to_le32(format);
    qprimegpu_output_take_irqs(g, OUTPUT);
    qprimegpu_assert_status(qprimegpu_ctrl(g, &commit), PRIMEGPU_ST_OK);
    g_assert_true(qprimegpu_is_filled(g, addr, UNTOUCHED,
                                      QPRIMEGPU_SCENE_BO_SIZE));
    qtest_clock_step(g->qts, scene->frame_ns);
    g_assert_cmphex(qprimegpu_output_take_irqs(g, OUTPUT) &
                    PRIMEGPU_OUTPUT_IRQ_WRITEBACK, !=, 0);
    qtest_memread(g->qts, addr, bytes, QPRIMEGPU_SCENE_BO_SIZE);
    check_words(scene, bytes, QPRIMEGPU_SCENE_BO_SIZE, offset, stride, format,
                frame);
    qprimegpu_free_bo(g, key);
}

static void test_writeback(void *obj, void *data, QGuestAllocator *alloc)
{
    static const uint32_t formats[] = {
        PRIMEGPU_FORMAT_XRGB8888, PRIMEGPU_FORMAT_ARGB8888,
        PRIMEGPU_FORMAT_XBGR8888, PRIMEGPU_FORMAT_ABGR8888,
    };
    QPrimeGPUScene scene;
    uint32_t i;

    start(&scene, obj);
    for (i = 0; i < ARRAY_SIZE(formats); i++) {
        arrange(&scene);
        check_writeback(&scene, formats[i]);
    }
    qprimegpu_scene_free(&scene);
}

/* Into VRAM, and into pages in no order with a stride that is no page's */
static void test_writeback_places(void *obj, void *data,
                                  QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    uint32_t place;
    QPrimeGPUScene scene;

    start(&scene, g);
    for (place = 0; place < QPRIMEGPU_SCENE_PLACES; place++) {
        uint32_t bo = place * QPRIMEGPU_PLANE_KEYS;
        struct primegpu_plane off = { .index = 0 };
        struct primegpu_plane *plane;
        struct primegpu_cmd_commit commit;
        g_autofree uint32_t *frame = NULL;
        uint32_t x;

        plane = qprimegpu_scene_plane(&scene, 0, QPRIMEGPU_SCENE_PAGES,
                                      PRIMEGPU_FORMAT_XRGB8888, 61, 47);
        plane->key[0] = cpu_to_le64(scene.key[1]);
        scene.plane[0].bytes[0] = scene.bytes[1];
        frame = qprimegpu_scene_frame(&scene);
        commit = qprimegpu_commit_cmd(g, OUTPUT, plane, 1, NULL);
        commit.hdr.flags |= cpu_to_le16(PRIMEGPU_COMMIT_WRITEBACK);
        commit.wb_key = cpu_to_le64(scene.key[bo]);
        commit.wb_stride = cpu_to_le32(WIDTH * 4 + 16);
        commit.wb_format = cpu_to_le32(PRIMEGPU_FORMAT_XRGB8888);
        qprimegpu_assert_status(qprimegpu_ctrl(g, &commit), PRIMEGPU_ST_OK);
        qtest_clock_step(g->qts, scene.frame_ns);
        /* Now it is shown: what was written is what is read. */
        qprimegpu_assert_status(qprimegpu_commit(g, OUTPUT, &off, 1, 0),
                                PRIMEGPU_ST_OK);
        plane->key[0] = cpu_to_le64(scene.key[bo]);
        plane->offset[0] = 0;
        plane->stride[0] = commit.wb_stride;
        qprimegpu_scene_show(&scene);
        g_assert_cmphex(qprimegpu_scene_crc(&scene), ==,
                        qprimegpu_frame_crc(frame, WIDTH, HEIGHT));
        /* The next one finds out if this had been a look at old bytes. */
        for (x = 0; x < QPRIMEGPU_SCENE_BO_SIZE; x++) {
            scene.bytes[1][x] ^= 0xa5;
        }
        qtest_memwrite(g->qts, scene.addr[1], scene.bytes[1],
                       QPRIMEGPU_SCENE_BO_SIZE);
    }
    qprimegpu_scene_free(&scene);
}

static void expect(QPrimeGPUScene *scene, uint32_t status)
{
    qprimegpu_assert_status(
        qprimegpu_commit(scene->g, OUTPUT, &scene->plane[0].plane, 1, 0),
        status);
}

/* Up to the last byte of the BO, each memory plane, and one element more */
static void test_last_byte(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPUScene scene;
    uint32_t format, i, m, rotate;

    start(&scene, obj);
    for (i = 0; (format = qprimegpu_format_at(i)); i++) {
        struct primegpu_plane *plane =
            qprimegpu_scene_plane(&scene, 0, QPRIMEGPU_SCENE_VRAM, format,
                                  58, 46);

        for (m = 0; m < qprimegpu_format_planes(format); m++) {
            uint32_t rows = qprimegpu_format_rows(format, m, 46);
            uint32_t row = qprimegpu_format_row_bytes(format, m, 58);
            uint32_t last = QPRIMEGPU_SCENE_BO_SIZE - row -
                            (rows - 1) * le32_to_cpu(plane->stride[m]);
            uint32_t element = qprimegpu_format_element(format, m);

            last -= last % element;
            plane->offset[m] = cpu_to_le32(last + element);
            expect(&scene, PRIMEGPU_ST_RANGE);
            plane->offset[m] = cpu_to_le32(UINT32_MAX - UINT32_MAX % element);
            expect(&scene, PRIMEGPU_ST_RANGE);
            plane->offset[m] = cpu_to_le32(last);
        }
        for (rotate = PRIMEGPU_ROTATE_0; rotate <= PRIMEGPU_ROTATE_270;
             rotate *= 2) {
            plane->rotation = rotate;
            qprimegpu_scene_check(&scene);
        }
    }
    qprimegpu_scene_free(&scene);
}

static void set_master(QPrimeGPU *g, bool on)
{
    uint16_t command = qpci_config_readw(&g->dev, PCI_COMMAND);

    command &= ~PCI_COMMAND_MASTER;
    qpci_config_writew(&g->dev, PCI_COMMAND,
                       command | (on ? PCI_COMMAND_MASTER : 0));
}

static uint64_t faults(QPrimeGPU *g)
{
    return qprimegpu_output_counter(g->qts, 1, OUTPUT, "scan-faults");
}

/* What DMA does not reach is black; VRAM needs no DMA. */
static void test_unreachable(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;
    uint32_t black[WIDTH * HEIGHT] = { 0 };
    uint32_t crc = qprimegpu_frame_crc(black, WIDTH, HEIGHT);
    uint64_t before;
    uint32_t rotate;

    start(&scene, g);
    for (rotate = PRIMEGPU_ROTATE_0; rotate <= PRIMEGPU_ROTATE_270;
         rotate *= 2) {
        struct primegpu_plane *plane =
            qprimegpu_scene_plane(&scene, 0, QPRIMEGPU_SCENE_SCATTERED,
                                  PRIMEGPU_FORMAT_NV12, 60, 46);

        plane->rotation = rotate;
        plane->dst_w = cpu_to_le32(WIDTH);
        plane->dst_h = cpu_to_le32(HEIGHT);
        qprimegpu_scene_check(&scene);
        before = faults(g);
        set_master(g, false);
        qtest_clock_step(g->qts, scene.frame_ns);
        g_assert_cmphex(qprimegpu_scene_crc(&scene), ==, crc);
        g_assert_cmpuint(faults(g), >, before);
        set_master(g, true);
        qprimegpu_scene_check(&scene);
    }
    qprimegpu_scene_free(&scene);
}

static void test_vram_needs_no_dma(void *obj, void *data,
                                   QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    QPrimeGPUScene scene;
    uint32_t crc;

    start(&scene, g);
    qprimegpu_scene_plane(&scene, 0, QPRIMEGPU_SCENE_VRAM,
                          PRIMEGPU_FORMAT_XBGR8888, 60, 46);
    qprimegpu_scene_check(&scene);
    crc = qprimegpu_scene_crc(&scene);
    set_master(g, false);
    qtest_clock_step(g->qts, scene.frame_ns);
    g_assert_cmphex(qprimegpu_scene_crc(&scene), ==, crc);
    g_assert_cmpuint(faults(g), ==, 0);
    set_master(g, true);
    qprimegpu_scene_free(&scene);
}

static void register_primegpu_frame_test(void)
{
    qprimegpu_add_test("frame/writeback", test_writeback);
    qprimegpu_add_test("frame/writeback-places", test_writeback_places);
    qprimegpu_add_test("frame/last-byte", test_last_byte);
    qprimegpu_add_test("frame/unreachable", test_unreachable);
    qprimegpu_add_vram_test("frame/vram-needs-no-dma", test_vram_needs_no_dma);
}

libqos_init(register_primegpu_frame_test);
