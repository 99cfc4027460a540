/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: frames on a display of any driver, in any process.
 */
#include "qemu/osdep.h"
#include "primegpu-display.h"

const PGReply *pg_screen_do(PGScreen *s, const char *fmt, ...)
{
    g_autofree char *line = NULL;
    va_list ap;

    va_start(ap, fmt);
    line = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    return pg_do(s->g, "%s %s", s->worker, line);
}

static void pg_screen_make(PGScreen *s, unsigned i)
{
    bool cursor = i == PG_SCREEN_CURSOR;
    unsigned width = cursor ? PG_CURSOR_SIZE : PG_SHOW_WIDTH;
    unsigned height = cursor ? PG_CURSOR_SIZE : PG_SHOW_HEIGHT;
    const PGReply *r;

    r = pg_screen_do(s, "create d d%u %u", i, width * height * 4);
    s->draw_key[i] = pg_u64(s->g, r, "key");
    pg_screen_do(s, "export d%u x", i);
    r = pg_screen_do(s, "import s x s%u", i);
    s->show_key[i] = s->pair->show_id ? pg_u64(s->g, r, "key") : 0;
    pg_screen_do(s, "close-fd x");
    r = pg_screen_do(s, "addfb s%u %u %u %u%s", i, width, height, width * 4,
                     cursor ? " AR24" : "");
    s->fb[i] = pg_u64(s->g, r, "fb");
}

void pg_screen_begin(PGScreen *s)
{
    pg_screen_do(s, "open d %s", s->pair->draw);
    pg_screen_do(s, "open s %s card", s->pair->show);
    for (unsigned i = 0; i < PG_SCREEN_FRAMES; i++) {
        pg_screen_make(s, i);
    }
}

/* The step in which a BO was released, or dropped with its device; else 0 */
static unsigned pg_gone_step(PGGuest *g, uint64_t key)
{
    const GArray *events = pg_events(g);

    for (unsigned i = 0; i < events->len; i++) {
        const PGEvent *e = &g_array_index(events, PGEvent, i);

        if (e->key == key && (e->kind == PRIME_GPU_LEDGER_EVENT_KIND_RELEASE ||
                              e->kind == PRIME_GPU_LEDGER_EVENT_KIND_DROP)) {
            return e->step;
        }
    }
    return 0;
}

static unsigned pg_await_gone(PGGuest *g, uint64_t key)
{
    int64_t until = g_get_monotonic_time() + PG_SOON_MS * INT64_C(1000);
    unsigned step;

    while (!(step = pg_gone_step(g, key))) {
        if (g_get_monotonic_time() > until) {
            pg_fail(g, "not released: BO 0x%" PRIx64 ", after: %s", key,
                    pg_step_line(g, pg_step(g)));
        }
        g_usleep(1000);
    }
    return step;
}

static void pg_screen_assert_gone(PGScreen *s, const uint64_t *keys,
                                  unsigned from, unsigned to)
{
    for (unsigned i = 0; i < PG_SCREEN_FRAMES; i++) {
        unsigned step;

        if (!keys[i]) {
            continue;
        }
        step = pg_await_gone(s->g, keys[i]);
        if (step < from || step > to) {
            pg_fail(s->g, "frame %u, BO 0x%" PRIx64 ", was released at: %s; "
                    "and not at: %s", i, keys[i], pg_step_line(s->g, step),
                    pg_step_line(s->g, to));
        }
    }
}

void pg_screen_assert_shown_gone(PGScreen *s, unsigned from, unsigned to)
{
    pg_screen_assert_gone(s, s->show_key, from, to);
}

void pg_screen_assert_drawn_gone(PGScreen *s, unsigned from, unsigned to)
{
    pg_screen_assert_gone(s, s->draw_key, from, to);
}
