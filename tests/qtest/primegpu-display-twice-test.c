/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: one BO is shown more than once, by two planes, on two outputs, or
 * by three devices at the same time.  All show its bytes, and it goes with the
 * last of all that keep it, in whatever order they let go.
 */
#include "qemu/osdep.h"
#include "primegpu-display.h"

#define PG_GEOMETRY "320 240 1280"
#define PG_MODE     "320x240@200"

/* Things that keep a BO, each with the line that lets go */
#define PG_KEEPERS 4
#define PG_ORDERS  24

/* The Nth order of PG_KEEPERS numbers */
static void pg_order(unsigned n, unsigned *order)
{
    unsigned left[PG_KEEPERS] = { 0, 1, 2, 3 };

    for (unsigned i = 0, of = PG_ORDERS; i < PG_KEEPERS; i++) {
        unsigned count = PG_KEEPERS - i, k;

        of /= count;
        k = n / of % count;
        order[i] = left[k];
        memmove(&left[k], &left[k + 1], (count - 1 - k) * sizeof(*left));
    }
}

/* What vkms computes: of 16 bits for each of alpha, red, green and blue */
static uint32_t pg_vkms_crc(const PGPicture *p)
{
    uint32_t crc = 0;

    for (size_t i = 0; i < (size_t)p->width * p->height; i++) {
        uint8_t bytes[8] = { 0xff, 0xff };

        for (unsigned c = 0; c < 3; c++) {
            bytes[2 + 2 * c] = p->pixels[i] >> (16 - 8 * c);
            bytes[3 + 2 * c] = bytes[2 + 2 * c];
        }
        crc = pg_crc_bytes(crc, bytes, sizeof(bytes));
    }
    return crc;
}

static void pg_assert_shown(PGGuest *g, const char *file, bool vkms,
                            const PGPicture *p)
{
    uint32_t crc = pg_u64(g, pg_do(g, "crc %s 0 2", file), "crc");
    g_autofree char *what = g_strdup_printf("CRC of what %s shows", file);

    pg_assert_u64(g, what, crc, vkms ? pg_vkms_crc(p) : pg_picture_crc(p));
}

/* Two framebuffers of one import, in two planes or on two outputs */
typedef struct PGTwice {
    PGGuest *g;
    const PGDisplayPair *pair;
    bool outputs;
    PGPicture *p;               /* in the BO */
    uint64_t drawn;
    uint64_t shown;
    unsigned fb[2];
} PGTwice;

static void pg_twice_begin(PGTwice *t)
{
    PGGuest *g = t->g;
    const PGReply *r;

    pg_restart_script(g);
    pg_forget(g);
    pg_open(g, "d", t->pair->draw);
    pg_do(g, "open s %s card", t->pair->show);
    t->drawn = pg_create(g, "d", "b", PG_SHOW_SIZE);
    pg_draw_test_card(g, "b", t->p);
    pg_export(g, "b", "x");
    r = pg_do(g, "import s x h");
    t->shown = t->pair->show_id ? pg_u64(g, r, "key") : 0;
    pg_close_fd(g, "x");
    for (unsigned i = 0; i < 2; i++) {
        t->fb[i] = pg_u64(g, pg_do(g, "addfb h " PG_GEOMETRY), "fb");
    }
    if (t->outputs) {
        pg_do(g, "atomic s 0 mode=" PG_MODE " fb=%u output=1 mode=" PG_MODE
              " fb=%u", t->fb[0], t->fb[1]);
    } else {
        pg_do(g, "atomic s 0 mode=" PG_MODE " fb=%u cursor fb=%u "
              "src=8,16,64,32 dst=100,120,64,32", t->fb[0], t->fb[1]);
    }
}

static void pg_twice_contents(PGTwice *t)
{
    g_autoptr(PGPicture) seen = pg_picture_new(t->p->width, t->p->height);
    PGGuest *g = t->g;
    bool vkms = !t->pair->show_id;

    memcpy(seen->pixels, t->p->pixels, PG_SHOW_SIZE);
    for (unsigned y = 0; !t->outputs && y < 32; y++) {
        memcpy(&seen->pixels[(120 + y) * PG_SHOW_WIDTH + 100],
               &t->p->pixels[(16 + y) * PG_SHOW_WIDTH + 8], 64 * 4);
    }
    pg_assert_shown(g, "s", vkms, seen);
    if (t->outputs) {
        pg_assert_u64(g, "CRC of the other output",
                      pg_u64(g, pg_do(g, "crc s 1"), "crc"),
                      pg_picture_crc(seen));
    }
}

/* From one framebuffer to the other and back, a BO that stays the same */
static void pg_twice_flip(PGTwice *t)
{
    for (unsigned i = 1; i <= 4; i++) {
        pg_do(t->g, "flip s %u 0", t->fb[i % 2]);
    }
    pg_settle(t->g);
    pg_assert_alive(t->g, t->drawn);
}

static void pg_twice_let_go(PGTwice *t, unsigned n)
{
    unsigned order[PG_KEEPERS];
    PGGuest *g = t->g;
    bool shown = true;

    pg_order(n, order);
    for (unsigned i = 0; i < PG_KEEPERS; i++) {
        /* The framebuffers and the handle in s; the handle in d */
        bool last = i == PG_KEEPERS - 1 ||
                    (i == PG_KEEPERS - 2 && order[PG_KEEPERS - 1] == 3);

        if (order[i] < 2) {
            pg_do(g, "rmfb s %u", t->fb[order[i]]);
        } else {
            pg_do(g, order[i] == 2 ? "close h" : "close b");
        }
        pg_settle(g);
        if (t->shown && last && shown) {
            pg_assert_released(g, t->shown, pg_step(g));
            shown = false;
        } else if (t->shown && shown) {
            pg_assert_alive(g, t->shown);
        }
        if (i < PG_KEEPERS - 1) {
            pg_assert_alive(g, t->drawn);
        }
    }
    pg_await_events(g, PRIME_GPU_LEDGER_EVENT_KIND_RELEASE, t->drawn, 1);
    pg_assert_released(g, t->drawn, pg_step(g));
    pg_close_file(g, "s");
    pg_close_file(g, "d");
    pg_assert_nothing_left(g, "both files were closed");
    pg_assert_no_violations(g);
}

static void pg_twice(const void *data, bool outputs)
{
    g_autoptr(PGPicture) p = pg_picture_new(PG_SHOW_WIDTH, PG_SHOW_HEIGHT);
    PGTwice t = {
        .g = pg_start(outputs ? &pg_two_outputs : NULL), .pair = data,
        .outputs = outputs, .p = p,
    };

    for (unsigned n = 0; n < PG_ORDERS; n++) {
        pg_twice_begin(&t);
        if (!n) {
            pg_twice_contents(&t);
        }
        pg_twice_flip(&t);
        pg_twice_let_go(&t, n);
    }
    pg_finish(t.g);
}

static void pg_test_planes(const void *data)
{
    pg_twice(data, false);
}

static void pg_test_outputs(const void *data)
{
    pg_twice(data, true);
}

/* Its own GPU shows it, the other one, and vkms; and there is an fd of it. */
typedef struct PGThree {
    PGGuest *g;
    const PGDisplayPair *pair;  /* show is the other one */
    PGPicture *p;
    uint64_t own;
    uint64_t other;
} PGThree;

static void pg_three_begin(PGThree *t)
{
    PGGuest *g = t->g;

    pg_restart_script(g);
    pg_forget(g);
    pg_do(g, "open e %s card", t->pair->draw);
    pg_do(g, "open o %s card", t->pair->show);
    pg_do(g, "open v vkms");
    t->own = pg_create(g, "e", "b", PG_SHOW_SIZE);
    pg_draw_test_card(g, "b", t->p);
    pg_export(g, "b", "x");
    t->other = pg_import(g, "o", "x", "ob");
    pg_do(g, "import v x vb");
    pg_do(g, "addfb b " PG_GEOMETRY);
    pg_do(g, "addfb ob " PG_GEOMETRY);
    pg_do(g, "addfb vb " PG_GEOMETRY);
    pg_do(g, "atomic e 0 mode=" PG_MODE " fb=b");
    pg_do(g, "atomic o 0 mode=" PG_MODE " fb=ob");
    pg_do(g, "atomic v 0 mode=" PG_MODE " fb=vb");
}

static void pg_three_let_go(PGThree *t, unsigned n)
{
    static const char *const lines[PG_KEEPERS] = {
        "close-file e", "close-file o", "close-file v", "close-fd x",
    };
    static const char *const files[PG_KEEPERS] = { "e", "o", "v" };
    unsigned order[PG_KEEPERS];
    PGGuest *g = t->g;

    pg_order(n, order);
    for (unsigned i = 0; i < PG_KEEPERS; i++) {
        pg_do(g, "%s", lines[order[i]]);
        if (order[i] == 1) {
            pg_settle(g);
            pg_assert_released(g, t->other, pg_step(g));
        }
        if (i == PG_KEEPERS - 1) {
            break;
        }
        pg_settle(g);
        pg_assert_alive(g, t->own);
        /* The next one that will go shows it still, if it is a file. */
        if (n % 3 == 0 && files[order[i + 1]]) {
            pg_assert_shown(g, files[order[i + 1]], order[i + 1] == 2, t->p);
        }
    }
    pg_settle(g);
    pg_await_events(g, PRIME_GPU_LEDGER_EVENT_KIND_RELEASE, t->own, 1);
    pg_assert_released(g, t->own, pg_step(g));
    pg_assert_nothing_left(g, "all files were closed");
    pg_assert_no_violations(g);
}

static void pg_test_three(const void *data)
{
    g_autoptr(PGPicture) p = pg_picture_new(PG_SHOW_WIDTH, PG_SHOW_HEIGHT);
    PGThree t = { .g = pg_start(NULL), .pair = data, .p = p };

    for (unsigned n = 0; n < PG_ORDERS; n++) {
        pg_three_begin(&t);
        pg_three_let_go(&t, n);
    }
    pg_finish(t.g);
}

static const PGDisplayTest pg_tests[] = {
    { "outputs", pg_test_outputs },
    { "three", pg_test_three },
};

static const PGDisplayTest pg_shower_tests[] = {
    { "planes", pg_test_planes },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    pg_add_display_tests("display-twice", pg_tests, ARRAY_SIZE(pg_tests));
    pg_add_shower_tests("display-twice", pg_shower_tests,
                        ARRAY_SIZE(pg_shower_tests));
    return g_test_run();
}
