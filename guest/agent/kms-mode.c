/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modes of a connector, and those that it does not have.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kms.h"

/* Blanking of a mode that is made up */
#define MADE_BLANK_X    80
#define MADE_BLANK_Y    20
#define MADE_REFRESH    60

int kms_modes(int fd, uint32_t connector, struct drm_mode_modeinfo *modes,
              uint32_t *status)
{
    struct drm_mode_get_connector args = { .connector_id = connector };
    uint32_t count;

    /* Without room for modes the kernel looks at the display anew */
    if (sys_ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &args)) {
        return -errno;
    }
    count = args.count_modes < KMS_MODES_MAX ? args.count_modes
                                             : KMS_MODES_MAX;
    *status = args.connection;
    if (!count) {
        return 0;
    }
    args = (struct drm_mode_get_connector) {
        .connector_id = connector,
        .modes_ptr = (uintptr_t)modes,
        .count_modes = args.count_modes > KMS_MODES_MAX ? KMS_MODES_MAX
                                                        : args.count_modes,
    };
    if (sys_ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &args)) {
        return -errno;
    }
    return count;
}

static void make_mode(unsigned int width, unsigned int height,
                      unsigned int refresh, struct drm_mode_modeinfo *mode)
{
    *mode = (struct drm_mode_modeinfo) {
        .hdisplay = width,
        .hsync_start = width + MADE_BLANK_X / 4,
        .hsync_end = width + MADE_BLANK_X / 2,
        .htotal = width + MADE_BLANK_X,
        .vdisplay = height,
        .vsync_start = height + MADE_BLANK_Y / 4,
        .vsync_end = height + MADE_BLANK_Y / 2,
        .vtotal = height + MADE_BLANK_Y,
        .vrefresh = refresh,
        .type = DRM_MODE_TYPE_USERDEF,
    };
    mode->clock = (uint64_t)mode->htotal * mode->vtotal * refresh / 1000;
    snprintf(mode->name, sizeof(mode->name), "%ux%u", width, height);
}

static int find_preferred(const struct drm_mode_modeinfo *modes, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        if (modes[i].type & DRM_MODE_TYPE_PREFERRED) {
            return i;
        }
    }
    return 0;
}

int kms_find_mode(int fd, uint32_t connector, const char *word,
                  struct drm_mode_modeinfo *mode)
{
    static struct drm_mode_modeinfo modes[KMS_MODES_MAX];
    unsigned int width, height, refresh = 0;
    uint32_t status;
    int i, end = 0, count = kms_modes(fd, connector, modes, &status);

    if (count < 0) {
        return count;
    }
    if (!strcmp(word, "preferred")) {
        if (!count) {
            return -ENODEV;
        }
        *mode = modes[find_preferred(modes, count)];
        return 0;
    }
    if (sscanf(word, "%ux%u%n", &width, &height, &end) != 2 ||
        (word[end] && sscanf(word + end, "@%u", &refresh) != 1) ||
        !width || !height || width > UINT16_MAX - MADE_BLANK_X ||
        height > UINT16_MAX - MADE_BLANK_Y || refresh > 1000) {
        return -EINVAL;
    }
    for (i = 0; i < count; i++) {
        if (modes[i].hdisplay == width && modes[i].vdisplay == height &&
            (!refresh || modes[i].vrefresh == refresh)) {
            *mode = modes[i];
            return 0;
        }
    }
    make_mode(width, height, refresh ? refresh : MADE_REFRESH, mode);
    return 0;
}
