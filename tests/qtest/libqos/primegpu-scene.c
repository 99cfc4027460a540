/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scene on one output of a primegpu.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "../libqtest.h"
#include "primegpu-scene.h"

#define SCENE_PAGES     (QPRIMEGPU_SCENE_BO_SIZE / PRIMEGPU_PAGE_SIZE)

uint32_t qprimegpu_scene_random(QPrimeGPUScene *scene, uint32_t end)
{
    return g_rand_int(scene->rand) % end;
}

/* Pages that are attached in the order in which they were dealt */
static uint64_t scene_scatter(QPrimeGPUScene *scene, uint64_t key,
                              const uint8_t *bytes)
{
    struct primegpu_sg sg[SCENE_PAGES];
    uint64_t page[SCENE_PAGES];
    uint64_t addr = qprimegpu_alloc_pages(scene->g, SCENE_PAGES);
    uint32_t i, other;

    for (i = 0; i < SCENE_PAGES; i++) {
        page[i] = addr + i * PRIMEGPU_PAGE_SIZE;
    }
    for (i = SCENE_PAGES - 1; i > 0; i--) {
        uint64_t last = page[i];

        other = qprimegpu_scene_random(scene, i + 1);
        page[i] = page[other];
        page[other] = last;
    }
    for (i = 0; i < SCENE_PAGES; i++) {
        sg[i].addr = cpu_to_le64(page[i]);
        sg[i].length = cpu_to_le64(PRIMEGPU_PAGE_SIZE);
        qtest_memwrite(scene->g->qts, page[i], bytes + i * PRIMEGPU_PAGE_SIZE,
                       PRIMEGPU_PAGE_SIZE);
    }
    qprimegpu_assert_status(
        qprimegpu_attach_sg(scene->g, key, 0, sg, SCENE_PAGES),
        PRIMEGPU_ST_OK);
    return page[0];
}

static uint64_t scene_place(QPrimeGPUScene *scene, uint32_t i)
{
    uint64_t vram_offset = i * QPRIMEGPU_SCENE_BO_SIZE;

    qprimegpu_assert_status(
        qprimegpu_place(scene->g, scene->key[i], PRIMEGPU_LOCATION_VRAM,
                        vram_offset), PRIMEGPU_ST_OK);
    qtest_memwrite(scene->g->qts, scene->g->vram.addr + vram_offset,
                   scene->bytes[i], QPRIMEGPU_SCENE_BO_SIZE);
    return scene->g->vram.addr + vram_offset;
}

static void scene_new_bo(QPrimeGPUScene *scene, uint32_t i)
{
    uint64_t size = QPRIMEGPU_SCENE_BO_SIZE;
    uint64_t b;

    scene->bytes[i] = g_malloc(size);
    for (b = 0; b < size; b++) {
        scene->bytes[i][b] = g_rand_int(scene->rand) >> 8;
    }
    switch (i / QPRIMEGPU_PLANE_KEYS) {
    case QPRIMEGPU_SCENE_PAGES:
        scene->key[i] = qprimegpu_new_bo_pages(scene->g, size,
                                               &scene->addr[i]);
        qtest_memwrite(scene->g->qts, scene->addr[i], scene->bytes[i], size);
        return;
    case QPRIMEGPU_SCENE_VRAM:
        if (scene->g->discrete) {
            scene->key[i] = qprimegpu_new_bo(scene->g, size);
            scene->addr[i] = scene_place(scene, i);
            return;
        }
        /* fall through */
    default:
        scene->key[i] = qprimegpu_new_bo(scene->g, size);
        scene->addr[i] = scene_scatter(scene, scene->key[i], scene->bytes[i]);
        return;
    }
}

void qprimegpu_scene_init(QPrimeGPUScene *scene, QPrimeGPU *g, uint32_t width,
                          uint32_t height, uint32_t seed)
{
    uint32_t i;

    memset(scene, 0, sizeof(*scene));
    scene->g = g;
    scene->rand = g_rand_new_with_seed(seed);
    scene->width = width;
    scene->height = height;
    for (i = 0; i < QPRIMEGPU_SCENE_BOS; i++) {
        scene_new_bo(scene, i);
    }
    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        scene->plane[i].plane.index = i;
    }
    scene->frame_ns = qprimegpu_set_mode(g, QPRIMEGPU_SCENE_OUTPUT, width,
                                         height);
    qprimegpu_output_writel(g, QPRIMEGPU_SCENE_OUTPUT,
                            PRIMEGPU_OUTPUT_REG_CONTROL,
                            PRIMEGPU_OUTPUT_CONTROL_CRC);
}

void qprimegpu_scene_free(QPrimeGPUScene *scene)
{
    uint32_t i;

    for (i = 0; i < QPRIMEGPU_SCENE_BOS; i++) {
        g_free(scene->bytes[i]);
    }
    g_rand_free(scene->rand);
}

void qprimegpu_scene_plane_off(QPrimeGPUScene *scene, uint32_t index)
{
    memset(&scene->plane[index], 0, sizeof(scene->plane[index]));
    scene->plane[index].plane.index = index;
}

/* Somewhere in its BO, with a stride that may have bytes to spare */
static void scene_memory_plane(QPrimeGPUScene *scene, QPrimeGPUFramePlane *p,
                               uint32_t m, uint32_t bo)
{
    uint32_t format = le32_to_cpu(p->plane.format);
    uint32_t element = qprimegpu_format_element(format, m);
    uint32_t row = qprimegpu_format_row_bytes(format, m,
                                              le32_to_cpu(p->plane.width));
    uint32_t rows = qprimegpu_format_rows(format, m,
                                          le32_to_cpu(p->plane.height));
    uint32_t stride = row + element * qprimegpu_scene_random(scene, 20);
    uint32_t size = stride * (rows - 1) + row;
    uint32_t spare = (QPRIMEGPU_SCENE_BO_SIZE - size) / element;

    g_assert_cmpuint(size, <=, QPRIMEGPU_SCENE_BO_SIZE);
    p->plane.key[m] = cpu_to_le64(scene->key[bo]);
    p->plane.stride[m] = cpu_to_le32(stride);
    p->plane.offset[m] = cpu_to_le32(
        element * qprimegpu_scene_random(scene, spare + 1));
    p->bytes[m] = scene->bytes[bo];
}

struct primegpu_plane *qprimegpu_scene_plane(QPrimeGPUScene *scene,
                                             uint32_t index,
                                             enum qprimegpu_scene_place place,
                                             uint32_t format, uint32_t width,
                                             uint32_t height)
{
    QPrimeGPUFramePlane *p = &scene->plane[index];
    uint32_t m;

    memset(p, 0, sizeof(*p));
    p->plane = qprimegpu_plane(index, scene->key[0], width, height);
    p->plane.format = cpu_to_le32(format);
    p->plane.zpos = index;
    for (m = 0; m < qprimegpu_format_planes(format); m++) {
        scene_memory_plane(scene, p, m, place * QPRIMEGPU_PLANE_KEYS + m);
    }
    return &p->plane;
}

/* Of a source or destination: often all, often odd */
static uint32_t scene_random_size(QPrimeGPUScene *scene, uint32_t most)
{
    return qprimegpu_scene_random(scene, 3) ?
           1 + qprimegpu_scene_random(scene, most) : most;
}

static void scene_random_source(QPrimeGPUScene *scene, uint32_t size,
                                uint32_t *start, uint32_t *length)
{
    uint32_t all = size << 16;
    uint32_t from = 0, count = all;

    switch (qprimegpu_scene_random(scene, 3)) {
    case 0:
        break;
    case 1:
        from = qprimegpu_scene_random(scene, size) << 16;
        count = (1 + qprimegpu_scene_random(scene, size - (from >> 16))) << 16;
        break;
    default:
        from = qprimegpu_scene_random(scene, all);
        count = 1 + qprimegpu_scene_random(scene, all - from);
        break;
    }
    *start = cpu_to_le32(from);
    *length = cpu_to_le32(count);
}

static int32_t scene_random_place(QPrimeGPUScene *scene, uint32_t frame,
                                  uint32_t size)
{
    /* Wholly inside, over an edge, and now and then wholly outside */
    return (int32_t)qprimegpu_scene_random(scene, frame + size + 9) -
           (int32_t)size - 4;
}

static void scene_random_look(QPrimeGPUScene *scene,
                              struct primegpu_plane *plane)
{
    static const uint16_t alphas[] = { 0, 1, 0x7fff, 0x8000, 0xfffe };
    uint32_t kind = qprimegpu_scene_random(scene, 2 * ARRAY_SIZE(alphas));

    plane->alpha = cpu_to_le16(kind < ARRAY_SIZE(alphas) ? alphas[kind] :
                               kind & 1 ? UINT16_MAX :
                               qprimegpu_scene_random(scene, UINT16_MAX + 1));
    plane->blend = qprimegpu_scene_random(scene, 3);
    plane->encoding = qprimegpu_scene_random(scene, 3);
    plane->range = qprimegpu_scene_random(scene, 2);
    plane->zpos = qprimegpu_scene_random(scene, 3);
    plane->rotation = PRIMEGPU_ROTATE_0 << qprimegpu_scene_random(scene, 4);
    if (qprimegpu_scene_random(scene, 3) == 0) {
        plane->rotation |= PRIMEGPU_REFLECT_X;
    }
    if (qprimegpu_scene_random(scene, 3) == 0) {
        plane->rotation |= PRIMEGPU_REFLECT_Y;
    }
}

void qprimegpu_scene_random_plane(QPrimeGPUScene *scene, uint32_t index)
{
    uint32_t format = qprimegpu_format_at(
        qprimegpu_scene_random(scene, qprimegpu_format_count()));
    uint32_t width = scene_random_size(scene, QPRIMEGPU_SCENE_FB_MAX);
    uint32_t height = scene_random_size(scene, QPRIMEGPU_SCENE_FB_MAX);
    uint32_t dst_w = scene_random_size(scene, 2 * scene->width);
    uint32_t dst_h = scene_random_size(scene, 2 * scene->height);
    struct primegpu_plane *plane;

    if (qprimegpu_scene_random(scene, 5) == 0) {
        qprimegpu_scene_plane_off(scene, index);
        return;
    }
    width = ROUND_UP(width, qprimegpu_format_hsub(format));
    height = ROUND_UP(height, qprimegpu_format_vsub(format));
    plane = qprimegpu_scene_plane(
        scene, index, qprimegpu_scene_random(scene, QPRIMEGPU_SCENE_PLACES),
        format, width, height);
    scene_random_look(scene, plane);
    scene_random_source(scene, width, &plane->src_x, &plane->src_w);
    scene_random_source(scene, height, &plane->src_y, &plane->src_h);
    /* Not scaled in half of the cases, where the source allows that */
    if (qprimegpu_scene_random(scene, 2)) {
        dst_w = MAX(le32_to_cpu(plane->src_w) >> 16, 1);
        dst_h = MAX(le32_to_cpu(plane->src_h) >> 16, 1);
    }
    plane->dst_w = cpu_to_le32(dst_w);
    plane->dst_h = cpu_to_le32(dst_h);
    plane->dst_x = cpu_to_le32(scene_random_place(scene, scene->width, dst_w));
    plane->dst_y = cpu_to_le32(scene_random_place(scene, scene->height,
                                                  dst_h));
}

static uint16_t scene_random_entry(QPrimeGPUScene *scene)
{
    return cpu_to_le16(qprimegpu_scene_random(scene, UINT16_MAX + 1));
}

void qprimegpu_scene_random_color(QPrimeGPUScene *scene, uint32_t flags)
{
    struct primegpu_color *color = &scene->color;
    int i;

    scene->has_color = true;
    memset(color, 0, sizeof(*color));
    color->flags = cpu_to_le32(flags);
    for (i = 0; i < PRIMEGPU_LUT_SIZE; i++) {
        color->degamma[i].red = scene_random_entry(scene);
        color->degamma[i].green = scene_random_entry(scene);
        color->degamma[i].blue = scene_random_entry(scene);
        color->gamma[i].red = scene_random_entry(scene);
        color->gamma[i].green = scene_random_entry(scene);
        color->gamma[i].blue = scene_random_entry(scene);
    }
    for (i = 0; i < ARRAY_SIZE(color->ctm); i++) {
        /* Up to 2, and now and then beyond what counts */
        uint64_t size = (uint64_t)g_rand_int(scene->rand) << 1;

        if (qprimegpu_scene_random(scene, 20) == 0) {
            size <<= 20;
        }
        if (qprimegpu_scene_random(scene, 2)) {
            size |= 1ull << 63;
        }
        color->ctm[i] = cpu_to_le64(size);
    }
}

void qprimegpu_scene_show(QPrimeGPUScene *scene)
{
    struct primegpu_plane planes[PRIMEGPU_PLANE_MAX];
    struct primegpu_cmd_commit commit;
    uint32_t i;

    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        planes[i] = scene->plane[i].plane;
    }
    commit = qprimegpu_commit_cmd(scene->g, QPRIMEGPU_SCENE_OUTPUT, planes,
                                  PRIMEGPU_PLANE_MAX,
                                  scene->has_color ? &scene->color : NULL);
    qprimegpu_assert_status(qprimegpu_ctrl(scene->g, &commit),
                            PRIMEGPU_ST_OK);
    qtest_clock_step(scene->g->qts, scene->frame_ns);
}

uint32_t *qprimegpu_scene_frame(QPrimeGPUScene *scene)
{
    return qprimegpu_frame(scene->width, scene->height, scene->plane,
                           PRIMEGPU_PLANE_MAX,
                           scene->has_color ? &scene->color : NULL);
}

uint32_t qprimegpu_scene_crc(QPrimeGPUScene *scene)
{
    QPrimeGPU *g = scene->g;
    uint32_t output = QPRIMEGPU_SCENE_OUTPUT;
    uint32_t count = qprimegpu_output_readl(g, output,
                                            PRIMEGPU_OUTPUT_REG_VBLANK_COUNT);

    g_assert_cmpuint(qprimegpu_output_readl(g, output,
                                            PRIMEGPU_OUTPUT_REG_CRC_FRAME), ==,
                     count);
    return qprimegpu_output_readl(g, output, PRIMEGPU_OUTPUT_REG_CRC);
}

static void scene_tell(const struct primegpu_plane *p)
{
    g_test_message("plane %u: %s %ux%u, source %g,%g %gx%g, "
                   "destination %d,%d %ux%u, alpha %u, zpos %u, blend %u, "
                   "encoding %u, range %u, rotation 0x%x", p->index,
                   p->key[0] ? qprimegpu_format_name(le32_to_cpu(p->format))
                             : "off",
                   le32_to_cpu(p->width), le32_to_cpu(p->height),
                   le32_to_cpu(p->src_x) / 65536.0,
                   le32_to_cpu(p->src_y) / 65536.0,
                   le32_to_cpu(p->src_w) / 65536.0,
                   le32_to_cpu(p->src_h) / 65536.0,
                   (int32_t)le32_to_cpu(p->dst_x),
                   (int32_t)le32_to_cpu(p->dst_y), le32_to_cpu(p->dst_w),
                   le32_to_cpu(p->dst_h), le16_to_cpu(p->alpha), p->zpos,
                   p->blend, p->encoding, p->range, p->rotation);
}

void qprimegpu_scene_check(QPrimeGPUScene *scene)
{
    g_autofree uint32_t *frame = qprimegpu_scene_frame(scene);
    uint32_t wanted = qprimegpu_frame_crc(frame, scene->width, scene->height);
    uint32_t got;
    uint32_t i;

    qprimegpu_scene_show(scene);
    got = qprimegpu_scene_crc(scene);
    if (got != wanted) {
        for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
            scene_tell(&scene->plane[i].plane);
        }
        g_test_message("colour stages 0x%x", scene->has_color ?
                       le32_to_cpu(scene->color.flags) : 0);
    }
    g_assert_cmphex(got, ==, wanted);
}

bool qprimegpu_scene_is_shown(QPrimeGPUScene *scene, uint32_t output)
{
    g_autofree uint32_t *wanted = qprimegpu_scene_frame(scene);
    g_autofree uint32_t *got = NULL;
    uint32_t width, height;

    got = qprimegpu_screendump(scene->g->qts, "primegpu0", output, &width,
                               &height);
    return width == scene->width && height == scene->height &&
           !memcmp(got, wanted, width * height * sizeof(*got));
}
