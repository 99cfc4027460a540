/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a frame of a primegpu must be.
 *
 * Follows the text of section 8.5 and nothing else, in fractions of whole
 * numbers, so that it has no rounding of its own.  Has nothing in common with
 * the device's code, and is slow.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "primegpu-frame.h"

#define ONE             65535
#define FIXED_ONE       65536
#define CTM_ONE         (1ll << 32)
#define CTM_SIGN        (1ull << 63)
#define CRC_POLYNOMIAL  0xedb88320u

typedef struct Rgba {
    int64_t r, g, b, a;
} Rgba;

/* To the nearest integer, halves up; d > 0 */
static int64_t ratio(int64_t n, int64_t d)
{
    int64_t twice = 2 * n + d;
    int64_t q = twice / (2 * d);

    return twice % (2 * d) < 0 ? q - 1 : q;
}

static int64_t clamp(int64_t value)
{
    return value < 0 ? 0 : value > ONE ? ONE : value;
}

static const struct {
    uint32_t format;
    const char *name;
} formats[] = {
#define FORMAT(name, a, b, c, d) { PRIMEGPU_FORMAT_##name, #name },
    PRIMEGPU_FORMATS(FORMAT)
};

uint32_t qprimegpu_format_count(void)
{
    return ARRAY_SIZE(formats);
}

uint32_t qprimegpu_format_at(uint32_t i)
{
    return i < ARRAY_SIZE(formats) ? formats[i].format : 0;
}

const char *qprimegpu_format_name(uint32_t format)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(formats); i++) {
        if (formats[i].format == format) {
            return formats[i].name;
        }
    }
    return "none";
}

bool qprimegpu_format_has_alpha(uint32_t format)
{
    return format == PRIMEGPU_FORMAT_ARGB8888 ||
           format == PRIMEGPU_FORMAT_ABGR8888 ||
           format == PRIMEGPU_FORMAT_ARGB2101010 ||
           format == PRIMEGPU_FORMAT_ARGB1555;
}

bool qprimegpu_format_is_ycbcr(uint32_t format)
{
    return qprimegpu_format_hsub(format) == 2;
}

uint32_t qprimegpu_format_planes(uint32_t format)
{
    switch (format) {
    case PRIMEGPU_FORMAT_YUV420:
        return 3;
    case PRIMEGPU_FORMAT_NV12:
    case PRIMEGPU_FORMAT_NV21:
        return 2;
    default:
        return 1;
    }
}

uint32_t qprimegpu_format_vsub(uint32_t format)
{
    return qprimegpu_format_planes(format) > 1 ? 2 : 1;
}

uint32_t qprimegpu_format_hsub(uint32_t format)
{
    return format == PRIMEGPU_FORMAT_YUYV || format == PRIMEGPU_FORMAT_UYVY ||
           qprimegpu_format_planes(format) > 1 ? 2 : 1;
}

uint32_t qprimegpu_format_element(uint32_t format, uint32_t m)
{
    switch (format) {
    case PRIMEGPU_FORMAT_RGB565:
    case PRIMEGPU_FORMAT_XRGB1555:
    case PRIMEGPU_FORMAT_ARGB1555:
        return 2;
    case PRIMEGPU_FORMAT_NV12:
    case PRIMEGPU_FORMAT_NV21:
        return m ? 2 : 1;
    case PRIMEGPU_FORMAT_YUV420:
        return 1;
    default:
        return 4;
    }
}

uint32_t qprimegpu_format_row_bytes(uint32_t format, uint32_t m,
                                    uint32_t width)
{
    bool halved = m || (qprimegpu_format_is_ycbcr(format) &&
                        qprimegpu_format_planes(format) == 1);

    return (halved ? width / 2 : width) * qprimegpu_format_element(format, m);
}

uint32_t qprimegpu_format_rows(uint32_t format, uint32_t m, uint32_t height)
{
    return m ? height / 2 : height;
}

static const uint8_t *element(const QPrimeGPUFramePlane *p, uint32_t m,
                              uint32_t index, uint32_t row)
{
    uint32_t format = le32_to_cpu(p->plane.format);

    return p->bytes[m] + le32_to_cpu(p->plane.offset[m]) +
           (uint64_t)row * le32_to_cpu(p->plane.stride[m]) +
           index * qprimegpu_format_element(format, m);
}

static int64_t channel(uint32_t word, uint32_t shift, uint32_t bits)
{
    int64_t most = (1 << bits) - 1;

    return ratio(((word >> shift) & most) * ONE, most);
}

static Rgba rgb_pixel(uint32_t format, uint32_t word)
{
    Rgba p = { .a = ONE };

    switch (format) {
    case PRIMEGPU_FORMAT_ARGB8888:
        p.a = channel(word, 24, 8);
        /* fall through */
    case PRIMEGPU_FORMAT_XRGB8888:
        p.r = channel(word, 16, 8);
        p.g = channel(word, 8, 8);
        p.b = channel(word, 0, 8);
        break;
    case PRIMEGPU_FORMAT_ABGR8888:
        p.a = channel(word, 24, 8);
        /* fall through */
    case PRIMEGPU_FORMAT_XBGR8888:
        p.b = channel(word, 16, 8);
        p.g = channel(word, 8, 8);
        p.r = channel(word, 0, 8);
        break;
    case PRIMEGPU_FORMAT_ARGB2101010:
        p.a = channel(word, 30, 2);
        /* fall through */
    case PRIMEGPU_FORMAT_XRGB2101010:
        p.r = channel(word, 20, 10);
        p.g = channel(word, 10, 10);
        p.b = channel(word, 0, 10);
        break;
    case PRIMEGPU_FORMAT_RGB565:
        p.r = channel(word, 11, 5);
        p.g = channel(word, 5, 6);
        p.b = channel(word, 0, 5);
        break;
    case PRIMEGPU_FORMAT_ARGB1555:
        p.a = channel(word, 15, 1);
        /* fall through */
    case PRIMEGPU_FORMAT_XRGB1555:
        p.r = channel(word, 10, 5);
        p.g = channel(word, 5, 5);
        p.b = channel(word, 0, 5);
        break;
    default:
        g_assert_not_reached();
    }
    return p;
}

/* kr and kb in 1 / 10000 */
static void weights(uint8_t encoding, int64_t *kr, int64_t *kb)
{
    switch (encoding) {
    case PRIMEGPU_ENCODING_BT601:
        *kr = 2990;
        *kb = 1140;
        break;
    case PRIMEGPU_ENCODING_BT709:
        *kr = 2126;
        *kb = 722;
        break;
    default:
        *kr = 2627;
        *kb = 593;
        break;
    }
}

static Rgba ycbcr_pixel(const struct primegpu_plane *plane, int64_t luma,
                        int64_t cb, int64_t cr)
{
    bool full = plane->range == PRIMEGPU_RANGE_FULL;
    const int64_t k1 = 10000;
    int64_t yn = full ? luma : luma - 16, yd = full ? 255 : 219;
    int64_t un = cb - 128, vn = cr - 128, cd = full ? 255 : 224;
    int64_t kr, kb, kg;
    Rgba p = { .a = ONE };

    weights(plane->encoding, &kr, &kb);
    kg = k1 - kr - kb;
    /* y = yn / yd, u = un / cd, v = vn / cd */
    p.r = clamp(ratio(ONE * (yn * cd * k1 + 2 * (k1 - kr) * vn * yd),
                      yd * cd * k1));
    p.b = clamp(ratio(ONE * (yn * cd * k1 + 2 * (k1 - kb) * un * yd),
                      yd * cd * k1));
    p.g = clamp(ratio(ONE * (yn * cd * k1 * kg -
                             2 * (kb * (k1 - kb) * un +
                                  kr * (k1 - kr) * vn) * yd),
                      yd * cd * k1 * kg));
    return p;
}

/* The pixel in column @x, row @y of the framebuffer */
static Rgba source_pixel(const QPrimeGPUFramePlane *p, uint32_t x, uint32_t y)
{
    uint32_t format = le32_to_cpu(p->plane.format);
    const uint8_t *e = element(p, 0, x, y);

    switch (format) {
    case PRIMEGPU_FORMAT_YUYV:
        e = element(p, 0, x / 2, y);
        return ycbcr_pixel(&p->plane, e[x % 2 ? 2 : 0], e[1], e[3]);
    case PRIMEGPU_FORMAT_UYVY:
        e = element(p, 0, x / 2, y);
        return ycbcr_pixel(&p->plane, e[x % 2 ? 3 : 1], e[0], e[2]);
    case PRIMEGPU_FORMAT_NV12:
        return ycbcr_pixel(&p->plane, *e, element(p, 1, x / 2, y / 2)[0],
                           element(p, 1, x / 2, y / 2)[1]);
    case PRIMEGPU_FORMAT_NV21:
        return ycbcr_pixel(&p->plane, *e, element(p, 1, x / 2, y / 2)[1],
                           element(p, 1, x / 2, y / 2)[0]);
    case PRIMEGPU_FORMAT_YUV420:
        return ycbcr_pixel(&p->plane, *e, *element(p, 1, x / 2, y / 2),
                           *element(p, 2, x / 2, y / 2));
    default:
        return rgb_pixel(format, qprimegpu_format_element(format, 0) == 2 ?
                         lduw_le_p(e) : ldl_le_p(e));
    }
}

static uint32_t position(bool reflect, int64_t k, int64_t n, uint32_t start,
                         uint32_t size)
{
    if (reflect) {
        k = n - 1 - k;
    }
    return (start + (2 * k + 1) * size / (2 * n)) / FIXED_ONE;
}

/* Pixel (i, j) of the destination */
static Rgba plane_pixel(const QPrimeGPUFramePlane *p, int64_t i, int64_t j)
{
    const struct primegpu_plane *plane = &p->plane;
    int64_t w = le32_to_cpu(plane->dst_w), h = le32_to_cpu(plane->dst_h);
    int64_t xk, xn, yk, yn;

    switch (plane->rotation & ~(PRIMEGPU_REFLECT_X | PRIMEGPU_REFLECT_Y)) {
    case PRIMEGPU_ROTATE_0:
        xk = i, xn = w, yk = j, yn = h;
        break;
    case PRIMEGPU_ROTATE_90:
        xk = h - 1 - j, xn = h, yk = i, yn = w;
        break;
    case PRIMEGPU_ROTATE_180:
        xk = w - 1 - i, xn = w, yk = h - 1 - j, yn = h;
        break;
    default:
        xk = j, xn = h, yk = w - 1 - i, yn = w;
        break;
    }
    return source_pixel(p,
        position(plane->rotation & PRIMEGPU_REFLECT_X, xk, xn,
                 le32_to_cpu(plane->src_x), le32_to_cpu(plane->src_w)),
        position(plane->rotation & PRIMEGPU_REFLECT_Y, yk, yn,
                 le32_to_cpu(plane->src_y), le32_to_cpu(plane->src_h)));
}

static int64_t blend_channel(int64_t f, int64_t source, int64_t a,
                             int64_t below)
{
    return MIN(ratio(f * source + (ONE - a) * below, ONE), ONE);
}

static Rgba blend(const struct primegpu_plane *plane, Rgba source, Rgba below)
{
    int64_t alpha = le16_to_cpu(plane->alpha);
    int64_t p = plane->blend == PRIMEGPU_BLEND_NONE ? ONE : source.a;
    int64_t a = ratio(alpha * p, ONE);
    int64_t f = plane->blend == PRIMEGPU_BLEND_COVERAGE ? a : alpha;

    return (Rgba) {
        .r = blend_channel(f, source.r, a, below.r),
        .g = blend_channel(f, source.g, a, below.g),
        .b = blend_channel(f, source.b, a, below.b),
    };
}

static int64_t look_up(const struct primegpu_lut *lut, int which, int64_t c)
{
    int64_t n = c * (PRIMEGPU_LUT_SIZE - 1);
    int64_t q = n / ONE, r = n % ONE;
    int64_t next = MIN(q + 1, PRIMEGPU_LUT_SIZE - 1);
    const struct primegpu_lut *one = &lut[q], *other = &lut[next];
    int64_t t0, t1;

    t0 = le16_to_cpu(which == 0 ? one->red :
                     which == 1 ? one->green : one->blue);
    t1 = le16_to_cpu(which == 0 ? other->red :
                     which == 1 ? other->green : other->blue);
    return ratio(t0 * (ONE - r) + t1 * r, ONE);
}

static int64_t coefficient(const struct primegpu_color *color, int i)
{
    uint64_t raw = le64_to_cpu(color->ctm[i]);
    int64_t size = MIN(raw & ~CTM_SIGN, 256 * CTM_ONE);

    return raw & CTM_SIGN ? -size : size;
}

static int64_t matrix_row(const struct primegpu_color *color, int row, Rgba p)
{
    return clamp(ratio(coefficient(color, row * 3) * p.r +
                       coefficient(color, row * 3 + 1) * p.g +
                       coefficient(color, row * 3 + 2) * p.b, CTM_ONE));
}

static Rgba correct(const struct primegpu_color *color, Rgba p)
{
    uint32_t flags = color ? le32_to_cpu(color->flags) : 0;

    if (flags & PRIMEGPU_COLOR_DEGAMMA) {
        p.r = look_up(color->degamma, 0, p.r);
        p.g = look_up(color->degamma, 1, p.g);
        p.b = look_up(color->degamma, 2, p.b);
    }
    if (flags & PRIMEGPU_COLOR_CTM) {
        p = (Rgba) {
            .r = matrix_row(color, 0, p),
            .g = matrix_row(color, 1, p),
            .b = matrix_row(color, 2, p),
        };
    }
    if (flags & PRIMEGPU_COLOR_GAMMA) {
        p.r = look_up(color->gamma, 0, p.r);
        p.g = look_up(color->gamma, 1, p.g);
        p.b = look_up(color->gamma, 2, p.b);
    }
    return p;
}

/* Indexes of the planes, the lowest first; returns how many are on. */
static uint32_t stack(const QPrimeGPUFramePlane *planes, uint32_t count,
                      uint32_t *order)
{
    uint32_t n = 0, zpos, index, i;

    for (zpos = 0; zpos <= UINT8_MAX; zpos++) {
        for (index = 0; index < PRIMEGPU_PLANE_MAX; index++) {
            for (i = 0; i < count; i++) {
                const struct primegpu_plane *plane = &planes[i].plane;

                if (plane->key[0] && plane->zpos == zpos &&
                    plane->index == index) {
                    order[n++] = i;
                }
            }
        }
    }
    return n;
}

static Rgba frame_pixel(const QPrimeGPUFramePlane *planes,
                        const uint32_t *order, uint32_t n, int64_t x,
                        int64_t y)
{
    Rgba p = { 0 };
    uint32_t k;

    for (k = 0; k < n; k++) {
        const struct primegpu_plane *plane = &planes[order[k]].plane;
        int64_t i = x - (int32_t)le32_to_cpu(plane->dst_x);
        int64_t j = y - (int32_t)le32_to_cpu(plane->dst_y);

        if (i >= 0 && i < le32_to_cpu(plane->dst_w) && j >= 0 &&
            j < le32_to_cpu(plane->dst_h)) {
            p = blend(plane, plane_pixel(&planes[order[k]], i, j), p);
        }
    }
    return p;
}

uint32_t *qprimegpu_frame(uint32_t width, uint32_t height,
                          const QPrimeGPUFramePlane *planes, uint32_t count,
                          const struct primegpu_color *color)
{
    uint32_t *frame = g_new(uint32_t, (size_t)width * height);
    uint32_t order[PRIMEGPU_PLANE_MAX];
    uint32_t n = stack(planes, count, order);
    uint32_t x, y;

    for (y = 0; y < height; y++) {
        for (x = 0; x < width; x++) {
            Rgba p = correct(color, frame_pixel(planes, order, n, x, y));

            frame[(size_t)y * width + x] = ratio(p.r * 255, ONE) << 16 |
                                           ratio(p.g * 255, ONE) << 8 |
                                           ratio(p.b * 255, ONE);
        }
    }
    return frame;
}

uint32_t qprimegpu_frame_crc(const uint32_t *frame, uint32_t width,
                             uint32_t height)
{
    uint32_t crc = UINT32_MAX;
    size_t i;
    int bit;

    for (i = 0; i < (size_t)width * height * sizeof(*frame); i++) {
        crc ^= (frame[i / 4] >> (i % 4 * 8)) & 0xff;
        for (bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? CRC_POLYNOMIAL : 0);
        }
    }
    return ~crc;
}
