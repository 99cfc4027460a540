/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Property blobs: tables of colours, matrices, clips of damage.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "kms.h"

#define LUT_MAX     4096
#define CLIPS_MAX   6

static int make_blob(struct call *c, struct file *file, const void *data,
                     uint32_t size)
{
    uint32_t id;
    int error = kms_blob(file->fd, data, size, &id);

    if (error) {
        return call_fail(c, -error, "MODE_CREATEPROPBLOB");
    }
    call_add(c, "blob=%u", id);
    return 0;
}

int cmd_blob_lut(struct call *c)
{
    static struct drm_color_lut lut[LUT_MAX];
    struct file *file = name_file(c, c->argv[1]);
    uint64_t size = 256, i, value;
    int kind;

    if (!file || !call_choice(c, 2, "linear|invert|zero|square", &kind) ||
        (c->argc > 3 && !call_number(c, 3, LUT_MAX, &size))) {
        return c->error;
    }
    if (size < 2) {
        return call_usage(c);
    }
    for (i = 0; i < size; i++) {
        value = i * UINT16_MAX / (size - 1);
        if (kind == 1) {
            value = UINT16_MAX - value;
        } else if (kind == 2) {
            value = 0;
        } else if (kind == 3) {
            value = value * value / UINT16_MAX;
        }
        lut[i] = (struct drm_color_lut) { value, value, value, 0 };
    }
    return make_blob(c, file, lut, size * sizeof(lut[0]));
}

/* Nine numbers, row by row: sign and magnitude with 32 fractional bits */
int cmd_blob_ctm(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    struct drm_color_ctm ctm = { 0 };
    char *end;
    double v;
    int i;

    if (!file) {
        return c->error;
    }
    for (i = 0; i < 9; i++) {
        v = strtod(c->argv[2 + i], &end);
        if (*end || end == c->argv[2 + i] || !(v > -65536 && v < 65536)) {
            return call_usage(c);
        }
        ctm.matrix[i] = (uint64_t)((v < 0 ? -v : v) * 4294967296.0);
        ctm.matrix[i] |= v < 0 ? 1ull << 63 : 0;
    }
    return make_blob(c, file, &ctm, sizeof(ctm));
}

int cmd_blob_clips(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    struct drm_mode_rect clips[CLIPS_MAX];
    int arg, count = 0;

    if (!file) {
        return c->error;
    }
    for (arg = 2; arg < c->argc && count < CLIPS_MAX; arg++, count++) {
        struct drm_mode_rect *r = &clips[count];

        if (sscanf(c->argv[arg], "%d,%d,%d,%d", &r->x1, &r->y1, &r->x2,
                   &r->y2) != 4) {
            return call_usage(c);
        }
    }
    if (arg < c->argc) {
        return call_fail(c, E2BIG, "at most %d clips", CLIPS_MAX);
    }
    return make_blob(c, file, clips, count * sizeof(clips[0]));
}

int cmd_blob_free(struct call *c)
{
    struct file *file = name_file(c, c->argv[1]);
    uint64_t id;
    int error;

    if (!file || !call_number(c, 2, UINT32_MAX, &id)) {
        return c->error;
    }
    error = kms_blob_free(file->fd, id);
    return error ? call_fail(c, -error, "MODE_DESTROYPROPBLOB") : 0;
}
