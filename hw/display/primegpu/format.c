/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu pixel formats
 *
 * Owns the table of formats and their unpackers.  Knows nothing of devices,
 * buffers or guests.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "format.h"

/* Of @bits bits, the ones from @shift on, as 16 bits: rounded, halves up */
#define PRIMEGPU_CHANNEL(word, shift, bits)                             \
    (((((word) >> (shift)) & ((1u << (bits)) - 1)) * 65535u +           \
      ((1u << (bits)) - 1) / 2) / ((1u << (bits)) - 1))

/* RGB in one little-endian word: r, g, b, a are where a channel begins */
#define PRIMEGPU_UNPACK_RGB(name, load, size, rgb_bits, g_bits, r_, g_, b_, \
                            alpha)                                          \
    static void primegpu_unpack_##name(const uint8_t *const *row,           \
                                       const uint16_t *columns,             \
                                       uint32_t count,                      \
                                       const PrimeGPUYCbCr *ycbcr,          \
                                       PrimeGPUPixel *out)                  \
    {                                                                       \
        uint32_t i;                                                         \
                                                                            \
        for (i = 0; i < count; i++) {                                       \
            uint32_t word = load(row[0] + columns[i] * (size));             \
                                                                            \
            out[i].r = PRIMEGPU_CHANNEL(word, r_, rgb_bits);                \
            out[i].g = PRIMEGPU_CHANNEL(word, g_, g_bits);                  \
            out[i].b = PRIMEGPU_CHANNEL(word, b_, rgb_bits);                \
            out[i].a = alpha;                                               \
        }                                                                   \
    }

#define PRIMEGPU_OPAQUE UINT16_MAX

PRIMEGPU_UNPACK_RGB(xrgb8888, ldl_le_p, 4, 8, 8, 16, 8, 0, PRIMEGPU_OPAQUE)
PRIMEGPU_UNPACK_RGB(argb8888, ldl_le_p, 4, 8, 8, 16, 8, 0,
                    PRIMEGPU_CHANNEL(word, 24, 8))
PRIMEGPU_UNPACK_RGB(xbgr8888, ldl_le_p, 4, 8, 8, 0, 8, 16, PRIMEGPU_OPAQUE)
PRIMEGPU_UNPACK_RGB(abgr8888, ldl_le_p, 4, 8, 8, 0, 8, 16,
                    PRIMEGPU_CHANNEL(word, 24, 8))
PRIMEGPU_UNPACK_RGB(xrgb2101010, ldl_le_p, 4, 10, 10, 20, 10, 0,
                    PRIMEGPU_OPAQUE)
PRIMEGPU_UNPACK_RGB(argb2101010, ldl_le_p, 4, 10, 10, 20, 10, 0,
                    PRIMEGPU_CHANNEL(word, 30, 2))
PRIMEGPU_UNPACK_RGB(rgb565, lduw_le_p, 2, 5, 6, 11, 5, 0, PRIMEGPU_OPAQUE)
PRIMEGPU_UNPACK_RGB(xrgb1555, lduw_le_p, 2, 5, 5, 10, 5, 0, PRIMEGPU_OPAQUE)
PRIMEGPU_UNPACK_RGB(argb1555, lduw_le_p, 2, 5, 5, 10, 5, 0,
                    PRIMEGPU_CHANNEL(word, 15, 1))

/*
 * What a byte adds to a channel, in units of 1 / 65535 and with this many
 * bits behind the point.  Exact sums have denominators below 2^36, so sums of
 * three entries, each less than 2^-42 too small, are rounded as the exact one
 * is, and exact halves go up.
 */
#define PRIMEGPU_YCBCR_FRACTION 42
#define PRIMEGPU_YCBCR_ROUND    ((1ll << (PRIMEGPU_YCBCR_FRACTION - 1)) + 4)

struct PrimeGPUYCbCr {
    int64_t y[256];
    int64_t r_cr[256];
    int64_t g_cb[256];
    int64_t g_cr[256];
    int64_t b_cb[256];
};

/* n / d with the fraction's bits, rounded down */
static int64_t primegpu_ycbcr_divide(int64_t n, int64_t d)
{
    int64_t quotient = n / d;
    int64_t rest = n % d;
    int i;

    if (rest < 0) {
        quotient--;
        rest += d;
    }
    for (i = 0; i < PRIMEGPU_YCBCR_FRACTION; i++) {
        quotient *= 2;
        rest *= 2;
        if (rest >= d) {
            quotient++;
            rest -= d;
        }
    }
    return quotient;
}

/* kr and kb in 1 / 10000 */
static void primegpu_ycbcr_fill(PrimeGPUYCbCr *t, int64_t kr, int64_t kb,
                                bool full)
{
    const int64_t one = 10000;
    int64_t kg = one - kr - kb;
    int64_t luma = full ? 255 : 219;
    int64_t chroma = full ? 255 : 224;
    int i;

    for (i = 0; i < 256; i++) {
        int64_t y = UINT16_MAX * (int64_t)(full ? i : i - 16);
        int64_t c = UINT16_MAX * (int64_t)(i - 128);

        t->y[i] = primegpu_ycbcr_divide(y, luma);
        t->r_cr[i] = primegpu_ycbcr_divide(2 * (one - kr) * c, one * chroma);
        t->b_cb[i] = primegpu_ycbcr_divide(2 * (one - kb) * c, one * chroma);
        t->g_cb[i] = primegpu_ycbcr_divide(-2 * kb * (one - kb) * c,
                                           one * kg * chroma);
        t->g_cr[i] = primegpu_ycbcr_divide(-2 * kr * (one - kr) * c,
                                           one * kg * chroma);
    }
}

const PrimeGPUYCbCr *primegpu_format_ycbcr(const PrimeGPUFormat *format,
                                           uint8_t encoding, uint8_t range)
{
    static const struct {
        uint16_t kr;
        uint16_t kb;
    } weights[] = {
        [PRIMEGPU_ENCODING_BT601] = { 2990, 1140 },
        [PRIMEGPU_ENCODING_BT709] = { 2126, 722 },
        [PRIMEGPU_ENCODING_BT2020] = { 2627, 593 },
    };
    /* Worked out when they are first used; guarded by the BQL */
    static PrimeGPUYCbCr *tables[ARRAY_SIZE(weights)][2];
    bool full = range == PRIMEGPU_RANGE_FULL;

    if (!format->is_ycbcr) {
        return NULL;
    }
    g_assert(encoding < ARRAY_SIZE(weights));
    if (!tables[encoding][full]) {
        PrimeGPUYCbCr *table = g_new(PrimeGPUYCbCr, 1);

        primegpu_ycbcr_fill(table, weights[encoding].kr, weights[encoding].kb,
                            full);
        tables[encoding][full] = table;
    }
    return tables[encoding][full];
}

static uint16_t primegpu_ycbcr_round(int64_t sum)
{
    int64_t value = (sum + PRIMEGPU_YCBCR_ROUND) >> PRIMEGPU_YCBCR_FRACTION;

    return MIN(MAX(value, 0), UINT16_MAX);
}

static void primegpu_ycbcr_pixel(const PrimeGPUYCbCr *t, uint8_t y, uint8_t cb,
                                 uint8_t cr, PrimeGPUPixel *out)
{
    out->r = primegpu_ycbcr_round(t->y[y] + t->r_cr[cr]);
    out->g = primegpu_ycbcr_round(t->y[y] + t->g_cb[cb] + t->g_cr[cr]);
    out->b = primegpu_ycbcr_round(t->y[y] + t->b_cb[cb]);
    out->a = PRIMEGPU_OPAQUE;
}

/* Two pixels in four bytes */
#define PRIMEGPU_UNPACK_PACKED(name, y_, cb_, cr_)                          \
    static void primegpu_unpack_##name(const uint8_t *const *row,           \
                                       const uint16_t *columns,             \
                                       uint32_t count,                      \
                                       const PrimeGPUYCbCr *ycbcr,          \
                                       PrimeGPUPixel *out)                  \
    {                                                                       \
        uint32_t i;                                                         \
                                                                            \
        for (i = 0; i < count; i++) {                                       \
            const uint8_t *pair = row[0] + columns[i] / 2 * 4;              \
                                                                            \
            primegpu_ycbcr_pixel(ycbcr, pair[columns[i] % 2 * 2 + (y_)],    \
                                 pair[cb_], pair[cr_], &out[i]);            \
        }                                                                   \
    }

PRIMEGPU_UNPACK_PACKED(yuyv, 0, 1, 3)
PRIMEGPU_UNPACK_PACKED(uyvy, 1, 0, 2)

/* Luma on its own, and chroma in one memory plane or two */
#define PRIMEGPU_UNPACK_PLANAR(name, cb_, cr_)                              \
    static void primegpu_unpack_##name(const uint8_t *const *row,           \
                                       const uint16_t *columns,             \
                                       uint32_t count,                      \
                                       const PrimeGPUYCbCr *ycbcr,          \
                                       PrimeGPUPixel *out)                  \
    {                                                                       \
        uint32_t i;                                                         \
                                                                            \
        for (i = 0; i < count; i++) {                                       \
            uint32_t half = columns[i] / 2;                                 \
                                                                            \
            primegpu_ycbcr_pixel(ycbcr, row[0][columns[i]], cb_, cr_,       \
                                 &out[i]);                                  \
        }                                                                   \
    }

PRIMEGPU_UNPACK_PLANAR(nv12, row[1][half * 2], row[1][half * 2 + 1])
PRIMEGPU_UNPACK_PLANAR(nv21, row[1][half * 2 + 1], row[1][half * 2])
PRIMEGPU_UNPACK_PLANAR(yuv420, row[1][half], row[2][half])

static void primegpu_unpack8_rgb(const uint8_t *row, const uint16_t *columns,
                                 uint32_t count, uint32_t *out)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        out[i] = ldl_le_p(row + columns[i] * 4) & 0xffffff;
    }
}

static uint32_t primegpu_swap_red_blue(uint32_t word)
{
    return (word & 0xff) << 16 | (word & 0xff00) | ((word >> 16) & 0xff);
}

static void primegpu_unpack8_bgr(const uint8_t *row, const uint16_t *columns,
                                 uint32_t count, uint32_t *out)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        out[i] = primegpu_swap_red_blue(ldl_le_p(row + columns[i] * 4));
    }
}

/* Compilers make vectors of a loop whose length they know. */
#define PRIMEGPU_COPY_BLOCK 16

#define PRIMEGPU_COPY8(name, convert)                                       \
    static void primegpu_copy8_##name(const uint8_t *row, uint32_t column,  \
                                      uint32_t count, uint32_t *out)        \
    {                                                                       \
        const uint8_t *from = row + column * 4;                             \
        uint32_t i;                                                         \
                                                                            \
        for (; count >= PRIMEGPU_COPY_BLOCK; count -= PRIMEGPU_COPY_BLOCK) { \
            for (i = 0; i < PRIMEGPU_COPY_BLOCK; i++) {                     \
                out[i] = convert(ldl_le_p(from + i * 4));                   \
            }                                                               \
            out += PRIMEGPU_COPY_BLOCK;                                     \
            from += PRIMEGPU_COPY_BLOCK * 4;                                \
        }                                                                   \
        for (i = 0; i < count; i++) {                                       \
            out[i] = convert(ldl_le_p(from + i * 4));                       \
        }                                                                   \
    }

#define PRIMEGPU_WITHOUT_ALPHA(word) ((word) & 0xffffff)

PRIMEGPU_COPY8(rgb, PRIMEGPU_WITHOUT_ALPHA)
PRIMEGPU_COPY8(bgr, primegpu_swap_red_blue)

#define PRIMEGPU_FORMAT_RGB(NAME, lower, size)                  \
    .fourcc = PRIMEGPU_FORMAT_##NAME, .name = #NAME,            \
    .planes = 1, .hsub = 1, .vsub = 1,                          \
    .plane = { { .bytes = (size), .hsub = 1, .vsub = 1 } },     \
    .unpack = primegpu_unpack_##lower

#define PRIMEGPU_FORMAT_EIGHT(order)                            \
    .unpack8 = primegpu_unpack8_##order, .copy8 = primegpu_copy8_##order

#define PRIMEGPU_FORMAT_YCBCR(NAME, lower, count, vertical)     \
    .fourcc = PRIMEGPU_FORMAT_##NAME, .name = #NAME,            \
    .planes = (count), .is_ycbcr = true,                        \
    .hsub = 2, .vsub = (vertical), .unpack = primegpu_unpack_##lower

#define PRIMEGPU_FORMAT_LUMA { .bytes = 1, .hsub = 1, .vsub = 1 }

static const PrimeGPUFormat primegpu_formats[] = {
    { PRIMEGPU_FORMAT_RGB(XRGB8888, xrgb8888, 4), PRIMEGPU_FORMAT_EIGHT(rgb),
      .is_xrgb = true },
    { PRIMEGPU_FORMAT_RGB(ARGB8888, argb8888, 4), PRIMEGPU_FORMAT_EIGHT(rgb),
      .is_xrgb = true, .has_alpha = true },
    { PRIMEGPU_FORMAT_RGB(XBGR8888, xbgr8888, 4), PRIMEGPU_FORMAT_EIGHT(bgr) },
    { PRIMEGPU_FORMAT_RGB(ABGR8888, abgr8888, 4), PRIMEGPU_FORMAT_EIGHT(bgr),
      .has_alpha = true },
    { PRIMEGPU_FORMAT_RGB(XRGB2101010, xrgb2101010, 4) },
    { PRIMEGPU_FORMAT_RGB(ARGB2101010, argb2101010, 4), .has_alpha = true },
    { PRIMEGPU_FORMAT_RGB(RGB565, rgb565, 2) },
    { PRIMEGPU_FORMAT_RGB(XRGB1555, xrgb1555, 2) },
    { PRIMEGPU_FORMAT_RGB(ARGB1555, argb1555, 2), .has_alpha = true },
    { PRIMEGPU_FORMAT_YCBCR(YUYV, yuyv, 1, 1),
      .plane = { { .bytes = 4, .hsub = 2, .vsub = 1 } } },
    { PRIMEGPU_FORMAT_YCBCR(UYVY, uyvy, 1, 1),
      .plane = { { .bytes = 4, .hsub = 2, .vsub = 1 } } },
    { PRIMEGPU_FORMAT_YCBCR(NV12, nv12, 2, 2),
      .plane = { PRIMEGPU_FORMAT_LUMA,
                 { .bytes = 2, .hsub = 2, .vsub = 2 } } },
    { PRIMEGPU_FORMAT_YCBCR(NV21, nv21, 2, 2),
      .plane = { PRIMEGPU_FORMAT_LUMA,
                 { .bytes = 2, .hsub = 2, .vsub = 2 } } },
    { PRIMEGPU_FORMAT_YCBCR(YUV420, yuv420, 3, 2),
      .plane = { PRIMEGPU_FORMAT_LUMA,
                 { .bytes = 1, .hsub = 2, .vsub = 2 },
                 { .bytes = 1, .hsub = 2, .vsub = 2 } } },
};

const PrimeGPUFormat *primegpu_format_find(uint32_t fourcc)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(primegpu_formats); i++) {
        if (primegpu_formats[i].fourcc == fourcc) {
            return &primegpu_formats[i];
        }
    }
    return NULL;
}

uint64_t primegpu_format_row_bytes(const PrimeGPUFormat *format,
                                   unsigned plane, uint32_t width)
{
    const PrimeGPUFormatPlane *p = &format->plane[plane];

    return DIV_ROUND_UP((uint64_t)width, p->hsub) * p->bytes;
}

uint32_t primegpu_format_rows(const PrimeGPUFormat *format, unsigned plane,
                              uint32_t height)
{
    return DIV_ROUND_UP(height, format->plane[plane].vsub);
}
