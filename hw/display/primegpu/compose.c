/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu composition
 *
 * A row of the frame is cut where a plane begins or ends.  In each piece only
 * the highest opaque plane and those above it count; where that is one plane
 * with 8 bits a channel, its pixels are copied, and everywhere else they are
 * added up with 16 bits.
 */
#include "qemu/osdep.h"
#include "compose.h"

/* Pixels that are added up at a time, so that they stay in the cache */
#define PRIMEGPU_COMPOSE_CHUNK  512
/* Rows of a plane turned by 90 or 270 degrees that are read together */
#define PRIMEGPU_COMPOSE_BAND   16

#define PRIMEGPU_OPAQUE         UINT16_MAX

/* A plane that covers some of the frame */
typedef struct PrimeGPULayer {
    const PrimeGPUComposePlane *p;
    unsigned index;
    const PrimeGPUYCbCr *ycbcr;
    uint32_t x1;                /* what it covers */
    uint32_t y1;
    uint32_t x2;
    uint32_t y2;
    bool opaque;
    bool swapped;               /* columns of the source are rows here */
    bool in_order;              /* columns of the source follow each other */

    /*
     * Where pixels come from, by their place in what is covered.  Columns
     * count from @base, the first one that is read; when swapped, from 0.
     */
    uint32_t base;
    uint32_t columns;           /* that are read from there on */
    uint16_t column[PRIMEGPU_MODE_SIZE_MAX];
    uint16_t line[PRIMEGPU_MODE_SIZE_MAX];

    /* The row of the source that was read last; not when swapped */
    bool has_row;
    bool reached;
    uint32_t row_line;
    const uint8_t *row[PRIMEGPU_FORMAT_PLANES_MAX];

    /* Rows of the frame from band_y on, when swapped */
    uint32_t band_y;
    uint32_t band_rows;
    PrimeGPUPixel *band;
} PrimeGPULayer;

struct PrimeGPUCompose {
    uint32_t width;
    uint32_t height;
    const PrimeGPUColorStages *stages;
    PrimeGPUComposeRowFunc *row_func;
    void *opaque;
    unsigned count;
    PrimeGPULayer *order[PRIMEGPU_PLANE_MAX];   /* lowest first */
    PrimeGPULayer layer[PRIMEGPU_PLANE_MAX];    /* by plane */
    PrimeGPUPixel sum[PRIMEGPU_COMPOSE_CHUNK];
    PrimeGPUPixel source[PRIMEGPU_COMPOSE_CHUNK];
};

PrimeGPUCompose *primegpu_compose_new(void)
{
    return g_new0(PrimeGPUCompose, 1);
}

void primegpu_compose_free(PrimeGPUCompose *c)
{
    unsigned i;

    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        g_free(c->layer[i].band);
    }
    g_free(c);
}

/*
 * For k from @first on, "k of n" of the specification: the column or row of
 * a source that begins at @start and has @size, both 16.16.
 */
static void primegpu_compose_axis(uint16_t *out, uint32_t count,
                                  uint32_t first, uint32_t n, uint32_t start,
                                  uint32_t size, bool flip)
{
    uint32_t k = flip ? n - first - count : first;
    uint64_t product = (2 * (uint64_t)k + 1) * size;
    uint64_t quotient = product / (2 * n);
    uint64_t rest = product % (2 * n);
    uint32_t i;

    for (i = 0; i < count; i++) {
        out[flip ? count - 1 - i : i] = (start + quotient) >> 16;
        quotient += size / n;
        rest += 2 * (size % n);
        if (rest >= 2 * n) {
            rest -= 2 * n;
            quotient++;
        }
    }
}

static bool primegpu_compose_clip(int64_t start, uint32_t size, uint32_t limit,
                                  uint32_t *first, uint32_t *end)
{
    *first = MIN(MAX(start, 0), limit);
    *end = MIN(MAX(start + size, 0), limit);
    return *first < *end;
}

static void primegpu_layer_map_straight(PrimeGPULayer *l)
{
    const PrimeGPUComposePlane *p = l->p;
    bool turned = p->rotation & PRIMEGPU_ROTATE_180;
    bool flip_x = turned != !!(p->rotation & PRIMEGPU_REFLECT_X);
    bool flip_y = turned != !!(p->rotation & PRIMEGPU_REFLECT_Y);
    uint32_t width = l->x2 - l->x1;
    uint32_t low, high, i;

    primegpu_compose_axis(l->column, width, l->x1 - p->dst_x, p->dst_w,
                          p->src_x, p->src_w, flip_x);
    primegpu_compose_axis(l->line, l->y2 - l->y1, l->y1 - p->dst_y, p->dst_h,
                          p->src_y, p->src_h, flip_y);
    l->in_order = !flip_x && p->src_w == (uint64_t)p->dst_w << 16;
    low = l->column[flip_x ? width - 1 : 0];
    high = l->column[flip_x ? 0 : width - 1];
    l->base = QEMU_ALIGN_DOWN(low, p->format->hsub);
    l->columns = high + 1 - l->base;
    for (i = 0; i < width; i++) {
        l->column[i] -= l->base;
    }
}

static void primegpu_layer_map_swapped(PrimeGPULayer *l)
{
    const PrimeGPUComposePlane *p = l->p;
    bool left = p->rotation & PRIMEGPU_ROTATE_90;
    bool flip_x = left != !!(p->rotation & PRIMEGPU_REFLECT_X);
    bool flip_y = !left != !!(p->rotation & PRIMEGPU_REFLECT_Y);

    primegpu_compose_axis(l->column, l->y2 - l->y1, l->y1 - p->dst_y,
                          p->dst_h, p->src_x, p->src_w, flip_x);
    primegpu_compose_axis(l->line, l->x2 - l->x1, l->x1 - p->dst_x, p->dst_w,
                          p->src_y, p->src_h, flip_y);
    l->band_rows = 0;
    l->band = g_renew(PrimeGPUPixel, l->band,
                      PRIMEGPU_COMPOSE_BAND * (l->x2 - l->x1));
}

/* False when it changes nothing in the frame */
static bool primegpu_layer_begin(PrimeGPUCompose *c, PrimeGPULayer *l,
                                 const PrimeGPUComposePlane *p)
{
    if (!primegpu_compose_clip(p->dst_x, p->dst_w, c->width, &l->x1,
                               &l->x2) ||
        !primegpu_compose_clip(p->dst_y, p->dst_h, c->height, &l->y1, &l->y2) ||
        !p->alpha) {
        return false;
    }
    l->p = p;
    l->ycbcr = primegpu_format_ycbcr(p->format, p->encoding, p->range);
    l->opaque = p->alpha == PRIMEGPU_OPAQUE &&
                (!p->format->has_alpha || p->blend == PRIMEGPU_BLEND_NONE);
    l->swapped = p->rotation & (PRIMEGPU_ROTATE_90 | PRIMEGPU_ROTATE_270);
    l->has_row = false;
    if (l->swapped) {
        primegpu_layer_map_swapped(l);
    } else {
        primegpu_layer_map_straight(l);
    }
    return true;
}

void primegpu_compose_begin(PrimeGPUCompose *c, uint32_t width,
                            uint32_t height,
                            const PrimeGPUComposePlane *plane,
                            uint32_t planes,
                            const PrimeGPUColorStages *stages,
                            PrimeGPUComposeRowFunc *row, void *opaque)
{
    unsigned i, n;

    c->width = width;
    c->height = height;
    c->stages = stages;
    c->row_func = row;
    c->opaque = opaque;
    c->count = 0;
    for (i = 0; i < PRIMEGPU_PLANE_MAX; i++) {
        PrimeGPULayer *l = &c->layer[i];

        l->index = i;
        l->p = NULL;
        if (!(planes & (1u << i)) ||
            !primegpu_layer_begin(c, l, &plane[i])) {
            continue;
        }
        for (n = c->count++; n && c->order[n - 1]->p->zpos > l->p->zpos; n--) {
            c->order[n] = c->order[n - 1];
        }
        c->order[n] = l;
    }
}

/*
 * Point at the elements of columns from @base on, @count of them, in row
 * @line of the source.
 */
static bool primegpu_layer_reach(PrimeGPUCompose *c, const PrimeGPULayer *l,
                                 uint32_t line, uint32_t base, uint32_t count,
                                 const uint8_t **row)
{
    const PrimeGPUFormat *format = l->p->format;
    unsigned m;

    for (m = 0; m < format->planes; m++) {
        const PrimeGPUFormatPlane *fp = &format->plane[m];

        row[m] = c->row_func(c->opaque, l->index, m, line / fp->vsub,
                             base / fp->hsub * fp->bytes,
                             primegpu_format_row_bytes(format, m, count));
        if (!row[m]) {
            return false;
        }
    }
    return true;
}

static bool primegpu_layer_read(PrimeGPUCompose *c, PrimeGPULayer *l,
                                uint32_t y)
{
    uint32_t line = l->line[y - l->y1];

    if (!l->has_row || l->row_line != line) {
        l->reached = primegpu_layer_reach(c, l, line, l->base, l->columns,
                                          l->row);
        l->row_line = line;
        l->has_row = true;
    }
    return l->reached;
}

static void primegpu_compose_black(PrimeGPUPixel *out, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        out[i] = (PrimeGPUPixel) { .a = PRIMEGPU_OPAQUE };
    }
}

/* One row of the source gives one column of the band. */
static void primegpu_layer_read_band(PrimeGPUCompose *c, PrimeGPULayer *l,
                                     uint32_t y)
{
    PrimeGPUPixel pixel[PRIMEGPU_COMPOSE_BAND];
    uint16_t column[PRIMEGPU_COMPOSE_BAND];
    const uint16_t *wanted = l->column + (y - l->y1);
    uint32_t rows = MIN(PRIMEGPU_COMPOSE_BAND, l->y2 - y);
    uint32_t width = l->x2 - l->x1;
    uint32_t base, columns, x, i;

    /* They rise or fall. */
    base = MIN(wanted[0], wanted[rows - 1]);
    base = QEMU_ALIGN_DOWN(base, l->p->format->hsub);
    columns = MAX(wanted[0], wanted[rows - 1]) + 1 - base;
    for (i = 0; i < rows; i++) {
        column[i] = wanted[i] - base;
    }
    for (x = 0; x < width; x++) {
        if (x && l->line[x] == l->line[x - 1]) {
            /* Enlarged: the same again */
        } else if (primegpu_layer_reach(c, l, l->line[x], base, columns,
                                        l->row)) {
            l->p->format->unpack(l->row, column, rows, l->ycbcr, pixel);
        } else {
            primegpu_compose_black(pixel, rows);
        }
        for (i = 0; i < rows; i++) {
            l->band[i * width + x] = pixel[i];
        }
    }
    l->band_y = y;
    l->band_rows = rows;
}

/* Pixels of row @y from @x on, with 16 bits a channel */
static void primegpu_layer_unpack(PrimeGPUCompose *c, PrimeGPULayer *l,
                                  uint32_t y, uint32_t x, uint32_t count,
                                  PrimeGPUPixel *out)
{
    if (l->swapped) {
        if (y - l->band_y >= l->band_rows) {
            primegpu_layer_read_band(c, l, y);
        }
        memcpy(out, l->band + (y - l->band_y) * (l->x2 - l->x1) + x - l->x1,
               count * sizeof(*out));
    } else if (primegpu_layer_read(c, l, y)) {
        l->p->format->unpack(l->row, l->column + (x - l->x1), count, l->ycbcr,
                             out);
    } else {
        primegpu_compose_black(out, count);
    }
}

/* Whether its pixels can go into the frame as they are */
static bool primegpu_layer_is_plain(const PrimeGPULayer *l)
{
    return l->opaque && !l->swapped && l->p->format->copy8;
}

static void primegpu_layer_copy(PrimeGPUCompose *c, PrimeGPULayer *l,
                                uint32_t y, uint32_t x, uint32_t count,
                                uint32_t *out)
{
    const uint16_t *column = l->column + (x - l->x1);

    if (!primegpu_layer_read(c, l, y)) {
        memset(out, 0, count * sizeof(*out));
    } else if (l->in_order) {
        l->p->format->copy8(l->row[0], column[0], count, out);
    } else {
        l->p->format->unpack8(l->row[0], column, count, out);
    }
}

static uint16_t primegpu_compose_add(uint32_t f, uint16_t source, uint32_t rest,
                                     uint16_t below)
{
    uint64_t sum = (uint64_t)f * source + (uint64_t)rest * below;

    return MIN((sum + UINT16_MAX / 2) / UINT16_MAX, UINT16_MAX);
}

static void primegpu_layer_blend(const PrimeGPULayer *l,
                                 const PrimeGPUPixel *source, uint32_t count,
                                 PrimeGPUPixel *sum)
{
    bool has_alpha = l->p->format->has_alpha &&
                     l->p->blend != PRIMEGPU_BLEND_NONE;
    bool coverage = l->p->blend == PRIMEGPU_BLEND_COVERAGE;
    uint32_t plane_alpha = l->p->alpha;
    uint32_t i;

    for (i = 0; i < count; i++) {
        uint32_t a = plane_alpha;
        uint32_t f;

        if (has_alpha) {
            a = ((uint64_t)plane_alpha * source[i].a + UINT16_MAX / 2) /
                UINT16_MAX;
        }
        f = coverage ? a : plane_alpha;
        sum[i].r = primegpu_compose_add(f, source[i].r, UINT16_MAX - a,
                                        sum[i].r);
        sum[i].g = primegpu_compose_add(f, source[i].g, UINT16_MAX - a,
                                        sum[i].g);
        sum[i].b = primegpu_compose_add(f, source[i].b, UINT16_MAX - a,
                                        sum[i].b);
    }
}

/* round(c * 255 / 65535): 65535 is 255 times 257 */
static uint32_t primegpu_compose_narrow(uint16_t c)
{
    return (c + 128u) / 257;
}

static void primegpu_compose_pack(const PrimeGPUPixel *p, uint32_t count,
                                  uint32_t *out)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        out[i] = primegpu_compose_narrow(p[i].r) << 16 |
                 primegpu_compose_narrow(p[i].g) << 8 |
                 primegpu_compose_narrow(p[i].b);
    }
}

/* Layers in @layer, @n of them, cover all of these pixels; lowest first. */
static void primegpu_compose_chunk(PrimeGPUCompose *c, PrimeGPULayer **layer,
                                   unsigned n, uint32_t y, uint32_t x,
                                   uint32_t count, uint32_t *out)
{
    unsigned i = 0;

    if (n && layer[0]->opaque) {
        primegpu_layer_unpack(c, layer[0], y, x, count, c->sum);
        i = 1;
    } else {
        primegpu_compose_black(c->sum, count);
    }
    for (; i < n; i++) {
        primegpu_layer_unpack(c, layer[i], y, x, count, c->source);
        primegpu_layer_blend(layer[i], c->source, count, c->sum);
    }
    if (c->stages) {
        primegpu_color_apply(c->stages, c->sum, count);
    }
    primegpu_compose_pack(c->sum, count, out);
}

static void primegpu_compose_piece(PrimeGPUCompose *c, PrimeGPULayer **layer,
                                   unsigned n, uint32_t y, uint32_t x,
                                   uint32_t end, uint32_t *out)
{
    if (!c->stages && !n) {
        memset(out, 0, (end - x) * sizeof(*out));
        return;
    }
    if (!c->stages && n == 1 && primegpu_layer_is_plain(layer[0])) {
        primegpu_layer_copy(c, layer[0], y, x, end - x, out);
        return;
    }
    while (x < end) {
        uint32_t count = MIN(end - x, PRIMEGPU_COMPOSE_CHUNK);

        primegpu_compose_chunk(c, layer, n, y, x, count, out);
        x += count;
        out += count;
    }
}

/*
 * The layers that count at pixel @x of row @y; moves *@end to where another
 * one begins or one ends.
 */
static unsigned primegpu_compose_layers_at(PrimeGPUCompose *c, uint32_t y,
                                           uint32_t x, uint32_t *end,
                                           PrimeGPULayer **layer)
{
    unsigned n = 0;
    unsigned i;

    for (i = 0; i < c->count; i++) {
        PrimeGPULayer *l = c->order[i];

        if (y < l->y1 || y >= l->y2 || x >= l->x2) {
            continue;
        }
        if (x < l->x1) {
            *end = MIN(*end, l->x1);
            continue;
        }
        *end = MIN(*end, l->x2);
        if (l->opaque) {
            n = 0;
        }
        layer[n++] = l;
    }
    return n;
}

void primegpu_compose_row(PrimeGPUCompose *c, uint32_t y, uint32_t x1,
                          uint32_t x2, uint32_t *out)
{
    PrimeGPULayer *layer[PRIMEGPU_PLANE_MAX];

    while (x1 < x2) {
        uint32_t end = x2;
        unsigned n = primegpu_compose_layers_at(c, y, x1, &end, layer);

        primegpu_compose_piece(c, layer, n, y, x1, end, out);
        out += end - x1;
        x1 = end;
    }
}

int primegpu_compose_single(PrimeGPUCompose *c, uint32_t *x, uint32_t *y)
{
    const PrimeGPULayer *l = c->count ? c->order[c->count - 1] : NULL;

    if (c->stages || !l || !primegpu_layer_is_plain(l) || !l->in_order ||
        !l->p->format->is_xrgb ||
        l->x1 || l->y1 || l->x2 != c->width || l->y2 != c->height ||
        l->p->src_h != (uint64_t)l->p->dst_h << 16 ||
        (l->y2 > 1 && l->line[0] > l->line[1])) {
        return -1;
    }
    *x = l->base + l->column[0];
    *y = l->line[0];
    return l->index;
}

bool primegpu_compose_source_rows(PrimeGPUCompose *c, unsigned plane,
                                  uint32_t y, uint32_t *first, uint32_t *end)
{
    const PrimeGPULayer *l = &c->layer[plane];
    uint16_t one, other;

    if (!l->p || y < l->y1 || y >= l->y2) {
        return false;
    }
    one = l->line[l->swapped ? 0 : y - l->y1];
    other = l->line[l->swapped ? l->x2 - l->x1 - 1 : y - l->y1];
    *first = MIN(one, other);
    *end = MAX(one, other) + 1;
    return true;
}
