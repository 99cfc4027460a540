/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu colours
 *
 * Works the stages out once, with an entry for each value of a channel, so
 * that a pixel costs a look into the tables and nine products.  Knows nothing
 * of devices or guests.
 */
#include "qemu/osdep.h"
#include "color.h"

#define PRIMEGPU_COLOR_CHANNELS     3
#define PRIMEGPU_COLOR_VALUES       (UINT16_MAX + 1)
#define PRIMEGPU_CTM_SIGN           (1ull << 63)
#define PRIMEGPU_CTM_FRACTION       32
#define PRIMEGPU_CTM_ONE            (1ll << PRIMEGPU_CTM_FRACTION)
/* Keeps sums of three products in 64 bits */
#define PRIMEGPU_CTM_LIMIT          (256 * PRIMEGPU_CTM_ONE)

typedef struct PrimeGPUColorTable {
    uint16_t value[PRIMEGPU_COLOR_CHANNELS][PRIMEGPU_COLOR_VALUES];
} PrimeGPUColorTable;

struct PrimeGPUColorStages {
    PrimeGPUColorTable *degamma;    /* NULL: changes nothing */
    PrimeGPUColorTable *gamma;
    bool has_ctm;
    int64_t ctm[9];
};

/* The straight line, which interpolation gives back exactly */
static bool primegpu_color_is_linear(const uint16_t lut[][PRIMEGPU_LUT_SIZE])
{
    uint32_t c, i;

    for (c = 0; c < PRIMEGPU_COLOR_CHANNELS; c++) {
        for (i = 0; i < PRIMEGPU_LUT_SIZE; i++) {
            if (lut[c][i] != i * (UINT16_MAX / (PRIMEGPU_LUT_SIZE - 1))) {
                return false;
            }
        }
    }
    return true;
}

static uint16_t primegpu_color_interpolate(const uint16_t *lut, uint32_t c)
{
    uint64_t n = (uint64_t)c * (PRIMEGPU_LUT_SIZE - 1);
    uint64_t q = n / UINT16_MAX;
    uint64_t r = n % UINT16_MAX;
    uint64_t next = MIN(q + 1, PRIMEGPU_LUT_SIZE - 1);

    return (lut[q] * (UINT16_MAX - r) + lut[next] * r + UINT16_MAX / 2) /
           UINT16_MAX;
}

static PrimeGPUColorTable *
primegpu_color_table(const uint16_t lut[][PRIMEGPU_LUT_SIZE])
{
    PrimeGPUColorTable *table;
    uint32_t c, i;

    if (primegpu_color_is_linear(lut)) {
        return NULL;
    }
    table = g_new(PrimeGPUColorTable, 1);
    for (c = 0; c < PRIMEGPU_COLOR_CHANNELS; c++) {
        for (i = 0; i < PRIMEGPU_COLOR_VALUES; i++) {
            table->value[c][i] = primegpu_color_interpolate(lut[c], i);
        }
    }
    return table;
}

static void primegpu_color_set_ctm(PrimeGPUColorStages *stages,
                                   const uint64_t *ctm)
{
    uint32_t i;

    for (i = 0; i < ARRAY_SIZE(stages->ctm); i++) {
        int64_t size = MIN(ctm[i] & ~PRIMEGPU_CTM_SIGN, PRIMEGPU_CTM_LIMIT);

        stages->ctm[i] = ctm[i] & PRIMEGPU_CTM_SIGN ? -size : size;
        if (stages->ctm[i] != (i % 4 ? 0 : PRIMEGPU_CTM_ONE)) {
            stages->has_ctm = true;
        }
    }
}

PrimeGPUColorStages *primegpu_color_prepare(const PrimeGPUColor *color)
{
    PrimeGPUColorStages *stages = g_new0(PrimeGPUColorStages, 1);

    if (color->flags & PRIMEGPU_COLOR_DEGAMMA) {
        stages->degamma = primegpu_color_table(color->degamma);
    }
    if (color->flags & PRIMEGPU_COLOR_CTM) {
        primegpu_color_set_ctm(stages, color->ctm);
    }
    if (color->flags & PRIMEGPU_COLOR_GAMMA) {
        stages->gamma = primegpu_color_table(color->gamma);
    }
    if (!stages->degamma && !stages->has_ctm && !stages->gamma) {
        g_clear_pointer(&stages, primegpu_color_free);
    }
    return stages;
}

void primegpu_color_free(PrimeGPUColorStages *stages)
{
    if (stages) {
        g_free(stages->degamma);
        g_free(stages->gamma);
        g_free(stages);
    }
}

static void primegpu_color_look_up(const PrimeGPUColorTable *table,
                                   PrimeGPUPixel *pixels, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        pixels[i].r = table->value[0][pixels[i].r];
        pixels[i].g = table->value[1][pixels[i].g];
        pixels[i].b = table->value[2][pixels[i].b];
    }
}

static uint16_t primegpu_color_product(const int64_t *row, PrimeGPUPixel p)
{
    int64_t sum = row[0] * p.r + row[1] * p.g + row[2] * p.b +
                  PRIMEGPU_CTM_ONE / 2;

    return MIN(MAX(sum >> PRIMEGPU_CTM_FRACTION, 0), UINT16_MAX);
}

void primegpu_color_apply(const PrimeGPUColorStages *stages,
                          PrimeGPUPixel *pixels, uint32_t count)
{
    uint32_t i;

    if (stages->degamma) {
        primegpu_color_look_up(stages->degamma, pixels, count);
    }
    for (i = 0; stages->has_ctm && i < count; i++) {
        PrimeGPUPixel p = pixels[i];

        pixels[i].r = primegpu_color_product(stages->ctm, p);
        pixels[i].g = primegpu_color_product(stages->ctm + 3, p);
        pixels[i].b = primegpu_color_product(stages->ctm + 6, p);
    }
    if (stages->gamma) {
        primegpu_color_look_up(stages->gamma, pixels, count);
    }
}
