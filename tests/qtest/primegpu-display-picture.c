/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: pictures, as the test draws them and as QEMU's console shows
 * them.
 */
#include "qemu/osdep.h"
#include "primegpu-display.h"

#define PG_CRC_POLYNOMIAL 0xedb88320u

PGPicture *pg_picture_new(unsigned width, unsigned height)
{
    PGPicture *p = g_new0(PGPicture, 1);

    p->width = width;
    p->height = height;
    p->pixels = g_new0(uint32_t, (size_t)width * height);
    return p;
}

void pg_picture_free(PGPicture *p)
{
    g_free(p->pixels);
    g_free(p);
}

void pg_picture_fill(PGPicture *p, unsigned x, unsigned y, unsigned width,
                     unsigned height, uint32_t color)
{
    for (unsigned j = y; j < y + height; j++) {
        for (unsigned i = x; i < x + width; i++) {
            p->pixels[(size_t)j * p->width + i] = color & 0xffffff;
        }
    }
}

/* CRC-32 of Ethernet and zlib */
uint32_t pg_crc_bytes(uint32_t crc, const uint8_t *bytes, unsigned count)
{
    static uint32_t table[256];

    if (!table[1]) {
        for (unsigned i = 0; i < 256; i++) {
            uint32_t c = i;

            for (unsigned bit = 0; bit < 8; bit++) {
                c = c & 1 ? c >> 1 ^ PG_CRC_POLYNOMIAL : c >> 1;
            }
            table[i] = c;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
    }
    return crc;
}

static uint32_t pg_crc_pixel(uint32_t crc, uint32_t pixel)
{
    const uint8_t bytes[] = { pixel, pixel >> 8, pixel >> 16, pixel >> 24 };

    return pg_crc_bytes(crc, bytes, sizeof(bytes));
}

uint32_t pg_picture_crc(const PGPicture *p)
{
    size_t n = (size_t)p->width * p->height;
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        crc = pg_crc_pixel(crc, p->pixels[i]);
    }
    return ~crc;
}

uint32_t pg_color_crc(unsigned width, unsigned height, uint32_t color)
{
    size_t n = (size_t)width * height;
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        crc = pg_crc_pixel(crc, color & 0xffffff);
    }
    return ~crc;
}

/*
 * Three bytes a pixel, after a head of a few lines of text.  QEMU's rows are
 * padded to four bytes, so widths are multiples of 4 here.
 */
static PGPicture *pg_parse_ppm(PGGuest *g, const char *data, size_t length)
{
    unsigned width, height, max;
    int head = 0;
    PGPicture *p;

    if (sscanf(data, "P6 %u %u %u%n", &width, &height, &max, &head) != 3 ||
        max != 255 || length != head + 1 + (size_t)width * height * 3) {
        pg_fail(g, "the screendump is no PPM of 8 bits: %zu bytes", length);
    }
    p = pg_picture_new(width, height);
    data += head + 1;
    for (size_t i = 0; i < (size_t)width * height; i++) {
        const uint8_t *rgb = (const uint8_t *)data + 3 * i;

        p->pixels[i] = rgb[0] << 16 | rgb[1] << 8 | rgb[2];
    }
    return p;
}

PGPicture *pg_screendump(PGGuest *g, const char *device, unsigned output)
{
    g_autofree char *path = NULL;
    g_autofree char *data = NULL;
    g_autoptr(GError) err = NULL;
    int fd = g_file_open_tmp("primegpu-XXXXXX.ppm", &path, &err);
    gsize length;
    bool read;

    if (fd < 0) {
        pg_fail(g, "%s", err->message);
    }
    close(fd);
    qtest_qmp_assert_success(pg_qts(g), "{ 'execute': 'screendump',"
        "  'arguments': { 'filename': %s, 'device': %s, 'head': %u } }",
        path, device, output);
    read = g_file_get_contents(path, &data, &length, &err);
    unlink(path);
    if (!read) {
        pg_fail(g, "%s", err->message);
    }
    return pg_parse_ppm(g, data, length);
}

void pg_assert_picture(PGGuest *g, const char *what, const PGPicture *got,
                       const PGPicture *want)
{
    if (got->width != want->width || got->height != want->height) {
        pg_fail(g, "%s is %u x %u pixels and not %u x %u", what, got->width,
                got->height, want->width, want->height);
    }
    for (size_t i = 0; i < (size_t)got->width * got->height; i++) {
        if (got->pixels[i] != want->pixels[i]) {
            pg_fail(g, "%s: pixel (%zu, %zu) is 0x%06x and not 0x%06x", what,
                    i % got->width, i / got->width, got->pixels[i],
                    want->pixels[i]);
        }
    }
}

void pg_draw(PGGuest *g, const char *bo, PGPicture *p, unsigned x, unsigned y,
             unsigned width, unsigned height, uint32_t color)
{
    pg_do(g, "fill-rect %s %u %u %u %u 4 0x%x", bo, (y * p->width + x) * 4,
          p->width * 4, width, height, color);
    pg_picture_fill(p, x, y, width, height, color);
}

void pg_draw_test_card(PGGuest *g, const char *bo, PGPicture *p)
{
    static const uint32_t colors[] = {
        0xc0c0c0, 0xc0c000, 0x00c0c0, 0x00c000, 0xc000c0, 0xc00000, 0x0000c0,
    };
    unsigned n = ARRAY_SIZE(colors);

    pg_draw(g, bo, p, 0, 0, p->width, p->height, 0x101010);
    for (unsigned i = 0; i < n; i++) {
        unsigned x = 4 + i * (p->width - 8) / n;
        unsigned next = 4 + (i + 1) * (p->width - 8) / n;

        pg_draw(g, bo, p, x, 4 + i, next - x, p->height - 8 - 2 * i,
                colors[i]);
    }
    for (unsigned i = 0; i < 16; i++) {
        pg_draw(g, bo, p, 8 + i * (i + 1) / 2, p->height / 2 + i, 3 + i, 1,
                0x0f0f0f * i | 0x010000);
    }
    pg_draw(g, bo, p, p->width - 1, p->height - 1, 1, 1, 0xfedcba);
}
