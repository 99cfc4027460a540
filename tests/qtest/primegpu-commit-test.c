/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu commits: every field out of its range, and what is refused leaves
 * nothing behind.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/primegpu.h"

#define WIDTH   64
#define HEIGHT  32
#define STRIDE  (WIDTH * 4)
#define SIZE    (WIDTH * HEIGHT * 4)

#define HOLE    0xd0000000ull

/* A field of a struct that is little-endian, and a value for it */
typedef struct Field {
    const char *name;
    size_t offset;
    size_t size;
    uint64_t value;
    uint32_t status;
} Field;

#define FIELD(type, field, value, status) \
    { #field " = " #value, offsetof(struct type, field), \
      sizeof(((struct type *)NULL)->field), (value), \
      PRIMEGPU_ST_##status }

static void poke(void *object, const Field *field)
{
    uint64_t value = cpu_to_le64(field->value);

    g_test_message("%s", field->name);
    memcpy((uint8_t *)object + field->offset, &value, field->size);
}

#define PLANE(field, value, status) \
    FIELD(primegpu_plane, field, value, status)

/* One change to a plane that shows all of an XRGB8888 framebuffer */
static const Field plane_fields[] = {
    PLANE(key[0], 1, UNKNOWN_BO),
    PLANE(key[0], UINT64_MAX, UNKNOWN_BO),
    PLANE(key[1], 1, INVALID_FIELD),
    PLANE(key[2], 1, INVALID_FIELD),
    PLANE(offset[0], 4, RANGE),
    PLANE(offset[0], 2, INVALID_FIELD),
    PLANE(offset[0], UINT32_MAX - 3, RANGE),
    PLANE(offset[1], 4, INVALID_FIELD),
    PLANE(offset[2], 4, INVALID_FIELD),
    PLANE(stride[0], STRIDE - 4, INVALID_FIELD),
    PLANE(stride[0], STRIDE + 2, INVALID_FIELD),
    PLANE(stride[0], STRIDE + 4, RANGE),
    PLANE(stride[0], 0, INVALID_FIELD),
    PLANE(stride[0], UINT32_MAX - 3, RANGE),
    PLANE(stride[1], STRIDE, INVALID_FIELD),
    PLANE(stride[2], STRIDE, INVALID_FIELD),
    PLANE(format, 0, INVALID_FIELD),
    PLANE(format, UINT32_MAX, INVALID_FIELD),
    PLANE(format, PRIMEGPU_FORMAT_ARGB8888, OK),
    PLANE(format, PRIMEGPU_FORMAT_RGB565, OK),
    /* It has a second memory plane. */
    PLANE(format, PRIMEGPU_FORMAT_NV12, INVALID_FIELD),
    PLANE(width, 0, INVALID_FIELD),
    PLANE(width, WIDTH + 1, INVALID_FIELD),
    PLANE(width, WIDTH - 1, INVALID_FIELD),
    PLANE(width, PRIMEGPU_FB_SIZE_MAX + 1, INVALID_FIELD),
    PLANE(width, UINT32_MAX, INVALID_FIELD),
    PLANE(height, 0, INVALID_FIELD),
    PLANE(height, HEIGHT + 1, RANGE),
    PLANE(height, HEIGHT - 1, INVALID_FIELD),
    PLANE(height, PRIMEGPU_FB_SIZE_MAX, RANGE),
    PLANE(height, PRIMEGPU_FB_SIZE_MAX + 1, INVALID_FIELD),
    PLANE(height, UINT32_MAX, INVALID_FIELD),
    PLANE(src_x, 1, INVALID_FIELD),
    PLANE(src_x, UINT32_MAX, INVALID_FIELD),
    PLANE(src_y, 1, INVALID_FIELD),
    PLANE(src_y, UINT32_MAX, INVALID_FIELD),
    PLANE(src_w, 0, INVALID_FIELD),
    PLANE(src_w, 1, OK),
    PLANE(src_w, (WIDTH << 16) + 1, INVALID_FIELD),
    PLANE(src_w, UINT32_MAX, INVALID_FIELD),
    PLANE(src_h, 0, INVALID_FIELD),
    PLANE(src_h, 1, OK),
    PLANE(src_h, (HEIGHT << 16) + 1, INVALID_FIELD),
    PLANE(dst_x, (uint32_t)PRIMEGPU_DST_MIN, OK),
    PLANE(dst_x, (uint32_t)PRIMEGPU_DST_MIN - 1, INVALID_FIELD),
    PLANE(dst_x, PRIMEGPU_DST_MAX, OK),
    PLANE(dst_x, PRIMEGPU_DST_MAX + 1, INVALID_FIELD),
    PLANE(dst_x, INT32_MAX, INVALID_FIELD),
    PLANE(dst_y, (uint32_t)PRIMEGPU_DST_MIN, OK),
    PLANE(dst_y, (uint32_t)PRIMEGPU_DST_MIN - 1, INVALID_FIELD),
    PLANE(dst_y, PRIMEGPU_DST_MAX, OK),
    PLANE(dst_y, PRIMEGPU_DST_MAX + 1, INVALID_FIELD),
    PLANE(dst_w, 0, INVALID_FIELD),
    PLANE(dst_w, PRIMEGPU_MODE_SIZE_MAX, OK),
    PLANE(dst_w, PRIMEGPU_MODE_SIZE_MAX + 1, INVALID_FIELD),
    PLANE(dst_w, UINT32_MAX, INVALID_FIELD),
    PLANE(dst_h, 0, INVALID_FIELD),
    PLANE(dst_h, PRIMEGPU_MODE_SIZE_MAX, OK),
    PLANE(dst_h, PRIMEGPU_MODE_SIZE_MAX + 1, INVALID_FIELD),
    PLANE(damage_x1, WIDTH - 1, OK),
    PLANE(damage_x1, WIDTH, INVALID_FIELD),
    PLANE(damage_y1, HEIGHT - 1, OK),
    PLANE(damage_y1, HEIGHT, INVALID_FIELD),
    PLANE(damage_x2, 0, INVALID_FIELD),
    PLANE(damage_x2, WIDTH + 1, INVALID_FIELD),
    PLANE(damage_y2, 0, INVALID_FIELD),
    PLANE(damage_y2, HEIGHT + 1, INVALID_FIELD),
    PLANE(alpha, 0, OK),
    PLANE(index, PRIMEGPU_PLANE_MAX - 1, OK),
    PLANE(index, PRIMEGPU_PLANE_MAX, INVALID_FIELD),
    PLANE(index, UINT8_MAX, INVALID_FIELD),
    PLANE(zpos, UINT8_MAX, OK),
    PLANE(blend, PRIMEGPU_BLEND_COVERAGE, OK),
    PLANE(blend, PRIMEGPU_BLEND_COVERAGE + 1, INVALID_FIELD),
    PLANE(encoding, PRIMEGPU_ENCODING_BT2020, OK),
    PLANE(encoding, PRIMEGPU_ENCODING_BT2020 + 1, INVALID_FIELD),
    PLANE(range, PRIMEGPU_RANGE_FULL, OK),
    PLANE(range, PRIMEGPU_RANGE_FULL + 1, INVALID_FIELD),
    PLANE(rotation, 0, INVALID_FIELD),
    PLANE(rotation, PRIMEGPU_ROTATE_270 | PRIMEGPU_REFLECT_X |
                    PRIMEGPU_REFLECT_Y, OK),
    PLANE(rotation, PRIMEGPU_ROTATE_0 | PRIMEGPU_ROTATE_90, INVALID_FIELD),
    PLANE(rotation, PRIMEGPU_REFLECT_X, INVALID_FIELD),
    PLANE(rotation, PRIMEGPU_ROTATE_0 | PRIMEGPU_REFLECT_Y << 1,
          INVALID_FIELD),
    PLANE(rsvd74, 1, INVALID_FIELD),
    PLANE(rsvd78, 1ull << 63, INVALID_FIELD),
};

#define COMMIT(field, value, status) \
    FIELD(primegpu_cmd_commit, field, value, status)

/* One change to a commit of one plane, with colours and a write-back */
static const Field commit_fields[] = {
    COMMIT(hdr.flags, 0, INVALID_FIELD),
    COMMIT(hdr.flags, PRIMEGPU_COMMIT_COLOR, INVALID_FIELD),
    COMMIT(hdr.flags, PRIMEGPU_COMMIT_WRITEBACK, INVALID_FIELD),
    COMMIT(hdr.flags, PRIMEGPU_COMMIT_COLOR | PRIMEGPU_COMMIT_WRITEBACK |
                      PRIMEGPU_COMMIT_EXPLICIT_SYNC << 1, INVALID_FIELD),
    COMMIT(output, QPRIMEGPU_OUTPUTS, UNSUPPORTED),
    COMMIT(output, UINT32_MAX, UNSUPPORTED),
    COMMIT(plane_count, 0, OK),
    COMMIT(plane_count, PRIMEGPU_PLANE_MAX + 1, INVALID_FIELD),
    COMMIT(plane_count, UINT32_MAX, INVALID_FIELD),
    COMMIT(planes_addr, 4, INVALID_FIELD),
    COMMIT(planes_addr, HOLE, DMA),
    COMMIT(planes_addr, UINT64_MAX - 7, DMA),
    COMMIT(color_addr, 4, INVALID_FIELD),
    COMMIT(color_addr, HOLE, DMA),
    COMMIT(color_addr, UINT64_MAX - 7, DMA),
    COMMIT(wb_key, 0, INVALID_FIELD),
    COMMIT(wb_key, 1, UNKNOWN_BO),
    COMMIT(wb_offset, 2, INVALID_FIELD),
    COMMIT(wb_offset, 4, RANGE),
    COMMIT(wb_offset, UINT32_MAX - 3, RANGE),
    COMMIT(wb_stride, 0, INVALID_FIELD),
    COMMIT(wb_stride, STRIDE - 4, INVALID_FIELD),
    COMMIT(wb_stride, STRIDE + 2, INVALID_FIELD),
    COMMIT(wb_stride, STRIDE + 4, RANGE),
    COMMIT(wb_stride, UINT32_MAX - 3, RANGE),
    COMMIT(wb_format, 0, INVALID_FIELD),
    COMMIT(wb_format, PRIMEGPU_FORMAT_RGB565, INVALID_FIELD),
    COMMIT(wb_format, PRIMEGPU_FORMAT_NV12, INVALID_FIELD),
    COMMIT(wb_format, PRIMEGPU_FORMAT_XRGB2101010, INVALID_FIELD),
    COMMIT(wb_format, PRIMEGPU_FORMAT_ABGR8888, OK),
    COMMIT(rsvd3c, 1, INVALID_FIELD),
};

static const Field color_fields[] = {
    FIELD(primegpu_color, flags, PRIMEGPU_COLOR_GAMMA << 1, INVALID_FIELD),
    FIELD(primegpu_color, flags, UINT32_MAX, INVALID_FIELD),
    FIELD(primegpu_color, rsvd4, 1, INVALID_FIELD),
    FIELD(primegpu_color, degamma[0].rsvd6, 1, INVALID_FIELD),
    FIELD(primegpu_color, gamma[PRIMEGPU_LUT_SIZE - 1].rsvd6, 1,
          INVALID_FIELD),
    FIELD(primegpu_color, ctm[8], UINT64_MAX, OK),
    FIELD(primegpu_color, flags, PRIMEGPU_COLOR_GAMMA | PRIMEGPU_COLOR_CTM |
                                 PRIMEGPU_COLOR_DEGAMMA, OK),
};

typedef struct Fixture {
    uint64_t fb;
    uint64_t wb;
    uint64_t wb_addr;
} Fixture;

static Fixture setup(QPrimeGPU *g)
{
    Fixture f;
    uint64_t addr;

    qprimegpu_start(g);
    f.fb = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    f.wb = qprimegpu_new_fb(g, WIDTH, HEIGHT, &f.wb_addr);
    qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    return f;
}

/* Nothing of a commit that was refused is there; all of one that was not. */
static void check_taken(QPrimeGPU *g, const Fixture *f, uint32_t status,
                        uint64_t seqno)
{
    bool taken = status == PRIMEGPU_ST_OK;

    g_assert_cmpint(!!(qprimegpu_output_status(g, 0) &
                       PRIMEGPU_OUTPUT_PENDING), ==, taken);
    if (!taken) {
        g_assert_cmpuint(qprimegpu_shown(g->qts, f->fb), ==, 0);
        g_assert_cmpuint(qprimegpu_shown(g->qts, f->wb), ==, 0);
        g_assert_cmpuint(qprimegpu_flip_seq(g, 0), !=, seqno);
        return;
    }
    /* This latches it, and turns all planes off. */
    qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    g_assert_cmpuint(qprimegpu_flip_seq(g, 0), ==, seqno);
    g_assert_cmpuint(qprimegpu_shown(g->qts, f->fb), ==, 0);
    g_assert_cmpuint(qprimegpu_shown(g->qts, f->wb), ==, 0);
}

static void test_plane_fields(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    Fixture f = setup(g);
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(plane_fields); i++) {
        struct primegpu_plane plane = qprimegpu_plane(0, f.fb, WIDTH, HEIGHT);

        poke(&plane, &plane_fields[i]);
        qprimegpu_assert_status(qprimegpu_commit(g, 0, &plane, 1, 0),
                                plane_fields[i].status);
        check_taken(g, &f, plane_fields[i].status, g->ctrl.seqno);
    }
}

static struct primegpu_cmd_commit full_commit(QPrimeGPU *g, const Fixture *f,
                                              const struct primegpu_color *c)
{
    struct primegpu_plane plane = qprimegpu_plane(0, f->fb, WIDTH, HEIGHT);
    struct primegpu_cmd_commit commit = qprimegpu_commit_cmd(g, 0, &plane, 1,
                                                             c);

    commit.hdr.flags = cpu_to_le16(PRIMEGPU_COMMIT_COLOR |
                                   PRIMEGPU_COMMIT_WRITEBACK);
    commit.wb_key = cpu_to_le64(f->wb);
    commit.wb_stride = cpu_to_le32(STRIDE);
    commit.wb_format = cpu_to_le32(PRIMEGPU_FORMAT_XRGB8888);
    return commit;
}

static void test_commit_fields(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    Fixture f = setup(g);
    struct primegpu_color color = { };
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(commit_fields); i++) {
        struct primegpu_cmd_commit commit = full_commit(g, &f, &color);

        poke(&commit, &commit_fields[i]);
        qprimegpu_assert_status(qprimegpu_ctrl(g, &commit),
                                commit_fields[i].status);
        check_taken(g, &f, commit_fields[i].status, g->ctrl.seqno);
    }
}

static void test_color_fields(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    Fixture f = setup(g);
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(color_fields); i++) {
        struct primegpu_color color = { };
        struct primegpu_cmd_commit commit;

        poke(&color, &color_fields[i]);
        commit = full_commit(g, &f, &color);
        qprimegpu_assert_status(qprimegpu_ctrl(g, &commit),
                                color_fields[i].status);
        check_taken(g, &f, color_fields[i].status, g->ctrl.seqno);
    }
}

/* A good plane beside a bad one is not taken over either. */
static void test_whole(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    Fixture f = setup(g);
    struct primegpu_plane planes[PRIMEGPU_PLANE_MAX];
    unsigned int i;

    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        planes[i] = qprimegpu_plane(i, f.fb, WIDTH, HEIGHT);
    }
    planes[3].key[0] = cpu_to_le64(UINT64_MAX);
    qprimegpu_assert_status(qprimegpu_commit(g, 0, planes, 4, 0),
                            PRIMEGPU_ST_UNKNOWN_BO);
    check_taken(g, &f, PRIMEGPU_ST_UNKNOWN_BO, g->ctrl.seqno);
    qprimegpu_assert_violation(g->qts, "unknown-bo", UINT64_MAX, 0);
    /* An index may come once, also of a plane that goes off. */
    planes[3] = qprimegpu_plane(2, 0, WIDTH, HEIGHT);
    qprimegpu_assert_status(qprimegpu_commit(g, 0, planes, 4, 0),
                            PRIMEGPU_ST_INVALID_FIELD);
    check_taken(g, &f, PRIMEGPU_ST_INVALID_FIELD, g->ctrl.seqno);
    planes[3].index = PRIMEGPU_PLANE_MAX;
    qprimegpu_assert_status(qprimegpu_commit(g, 0, planes, 4, 0),
                            PRIMEGPU_ST_INVALID_FIELD);
    planes[3].index = 3;
    qprimegpu_assert_status(qprimegpu_commit(g, 0, planes, 4, 0),
                            PRIMEGPU_ST_OK);
    g_assert_cmpuint(qprimegpu_shown(g->qts, f.fb), ==, 3);
    check_taken(g, &f, PRIMEGPU_ST_OK, g->ctrl.seqno);
}

/* BOs must have bytes; a write-back needs a mode. */
static void test_bytes(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    Fixture f = setup(g);
    struct primegpu_cmd_commit commit;
    struct primegpu_color color = { };
    uint64_t key = qprimegpu_new_bo(g, SIZE);
    uint64_t addr = qprimegpu_alloc_pages(g, SIZE / PRIMEGPU_PAGE_SIZE);

    qprimegpu_assert_status(qprimegpu_flip(g, 0, key, WIDTH, HEIGHT),
                            PRIMEGPU_ST_NOT_ATTACHED);
    qprimegpu_attach(g, key, addr, PRIMEGPU_PAGE_SIZE);
    qprimegpu_assert_status(qprimegpu_flip(g, 0, key, WIDTH, HEIGHT),
                            PRIMEGPU_ST_NOT_ATTACHED);
    commit = full_commit(g, &f, &color);
    commit.wb_key = cpu_to_le64(key);
    qprimegpu_assert_status(qprimegpu_ctrl(g, &commit),
                            PRIMEGPU_ST_NOT_ATTACHED);
    check_taken(g, &f, PRIMEGPU_ST_NOT_ATTACHED, g->ctrl.seqno);
    qprimegpu_set_mode_off(g, 0);
    commit = full_commit(g, &f, &color);
    qprimegpu_assert_status(qprimegpu_ctrl(g, &commit),
                            PRIMEGPU_ST_INVALID_FIELD);
}

/* Memory planes: each has its own BO, offset and stride. */
static void test_memory_planes(void *obj, void *data, QGuestAllocator *alloc)
{
    QPrimeGPU *g = obj;
    Fixture f = setup(g);
    struct primegpu_plane good = qprimegpu_plane(0, f.fb, WIDTH, HEIGHT);
    struct primegpu_plane plane;

    good.format = cpu_to_le32(PRIMEGPU_FORMAT_NV12);
    good.stride[0] = cpu_to_le32(WIDTH);
    good.key[1] = cpu_to_le64(f.wb);
    good.stride[1] = cpu_to_le32(WIDTH);
    /* The last row ends with the BO. */
    good.offset[1] = cpu_to_le32(SIZE - WIDTH * HEIGHT / 2);
    qprimegpu_assert_status(qprimegpu_commit(g, 0, &good, 1, 0),
                            PRIMEGPU_ST_OK);
    g_assert_cmpuint(qprimegpu_shown(g->qts, f.wb), ==, 1);
    check_taken(g, &f, PRIMEGPU_ST_OK, g->ctrl.seqno);

    plane = good;
    plane.offset[1] = cpu_to_le32(SIZE - WIDTH * HEIGHT / 2 + 2);
    qprimegpu_assert_status(qprimegpu_commit(g, 0, &plane, 1, 0),
                            PRIMEGPU_ST_RANGE);
    plane.offset[1] = cpu_to_le32(1);
    qprimegpu_assert_status(qprimegpu_commit(g, 0, &plane, 1, 0),
                            PRIMEGPU_ST_INVALID_FIELD);
    plane = good;
    plane.stride[1] = cpu_to_le32(WIDTH - 2);
    qprimegpu_assert_status(qprimegpu_commit(g, 0, &plane, 1, 0),
                            PRIMEGPU_ST_INVALID_FIELD);
    plane = good;
    plane.key[1] = 0;
    qprimegpu_assert_status(qprimegpu_commit(g, 0, &plane, 1, 0),
                            PRIMEGPU_ST_INVALID_FIELD);
    plane = good;
    plane.key[2] = cpu_to_le64(f.wb);
    qprimegpu_assert_status(qprimegpu_commit(g, 0, &plane, 1, 0),
                            PRIMEGPU_ST_INVALID_FIELD);
    /* Sides are multiples of the chroma samples. */
    plane = good;
    plane.height = cpu_to_le32(HEIGHT + 1);
    qprimegpu_assert_status(qprimegpu_commit(g, 0, &plane, 1, 0),
                            PRIMEGPU_ST_INVALID_FIELD);
    plane = good;
    plane.width = cpu_to_le32(WIDTH + 1);
    plane.stride[0] = cpu_to_le32(WIDTH + 2);
    qprimegpu_assert_status(qprimegpu_commit(g, 0, &plane, 1, 0),
                            PRIMEGPU_ST_INVALID_FIELD);
    check_taken(g, &f, PRIMEGPU_ST_INVALID_FIELD, g->ctrl.seqno);
}

static void register_tests(void)
{
    qprimegpu_add_test("commit/plane-fields", test_plane_fields);
    qprimegpu_add_test("commit/commit-fields", test_commit_fields);
    qprimegpu_add_test("commit/color-fields", test_color_fields);
    qprimegpu_add_test("commit/whole", test_whole);
    qprimegpu_add_test("commit/bytes", test_bytes);
    qprimegpu_add_test("commit/memory-planes", test_memory_planes);
}

libqos_init(register_tests);
