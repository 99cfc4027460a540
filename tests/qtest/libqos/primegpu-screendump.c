/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person sees of a primegpu.
 */
#include "qemu/osdep.h"
#include <glib/gstdio.h>
#include "primegpu-frame.h"

uint32_t *qprimegpu_screendump(QTestState *qts, const char *device,
                               uint32_t head, uint32_t *width,
                               uint32_t *height)
{
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    uint32_t *frame;
    uint8_t *bytes;
    gsize size, pitch, x, y;
    int skip = 0;
    int fd;

    fd = g_file_open_tmp("primegpu-XXXXXX.ppm", &path, &error);
    g_assert_no_error(error);
    close(fd);
    qtest_qmp_assert_success(qts, "{ 'execute': 'screendump', 'arguments': "
                             "{ 'filename': %s, 'device': %s, 'head': %u } }",
                             path, device, head);
    g_file_get_contents(path, &text, &size, &error);
    g_assert_no_error(error);
    g_unlink(path);
    g_assert_cmpint(sscanf(text, "P6 %u %u 255%n", width, height, &skip), ==,
                    2);
    skip++;
    /* QEMU writes rows with the padding that they have in memory. */
    pitch = ROUND_UP((gsize)*width * 3, sizeof(uint32_t));
    g_assert_cmpuint(size - skip, ==, pitch * *height);
    bytes = (uint8_t *)text + skip;
    frame = g_new(uint32_t, (gsize)*width * *height);
    for (y = 0; y < *height; y++) {
        for (x = 0; x < *width; x++) {
            const uint8_t *pixel = bytes + y * pitch + x * 3;

            frame[y * *width + x] = pixel[0] << 16 | pixel[1] << 8 | pixel[2];
        }
    }
    return frame;
}
