/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: a scene, call by call, with each of them failing at each of its
 * allocations.
 */
#include "qemu/osdep.h"
#include "primegpu-nomem.h"

#define PG_SETTLE_MS 5000

/* No call has so many places. */
#define PG_PLACES_MAX 400

typedef struct PGWalker {
    PGGuest *g;
    const PGScene *scene;
    char *taken;                /* what $1 is */
    char *handle;               /* of the first try that worked */
    const char *leaks;          /* of a call before */
} PGWalker;

static char *pg_filled_in(const PGWalker *w, const char *line)
{
    const char *values[][2] = {
        { "$E", w->scene->exporter ?: "" },
        { "$I", w->scene->importer ?: "" },
        { "$1", w->taken ?: "0" },
    };
    char *s = g_strdup(line);

    for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
        g_auto(GStrv) parts = g_strsplit(s, values[i][0], -1);

        g_free(s);
        s = g_strjoinv(values[i][1], parts);
    }
    return s;
}

static void pg_take(PGWalker *w, const PGWalk *walk, const PGReply *r)
{
    if (walk->take && r->ok) {
        char *value = pg_str(r, walk->take);

        if (value) {
            g_free(w->taken);
            w->taken = value;
        }
    }
}

/* An id that a failed try has used up is not free any more. */
static void pg_same_handle(PGWalker *w, const char *text, const PGReply *r)
{
    g_autofree char *handle = pg_str(r, "handle");

    if (w->handle && handle && !g_str_equal(w->handle, handle)) {
        pg_fail(w->g, "the handle is %s, and was %s before others failed: %s",
                handle, w->handle, text);
    }
    if (!w->handle) {
        w->handle = g_steal_pointer(&handle);
    }
}

static void pg_walk_do(PGWalker *w, const PGWalk *walk, const char *lines)
{
    g_autofree char *text = lines ? pg_filled_in(w, lines) : g_strdup("");
    g_auto(GStrv) line = g_strsplit(text, "; ", -1);

    for (unsigned i = 0; line[i]; i++) {
        if (line[i][0]) {
            pg_take(w, walk, pg_do(w->g, "%s", line[i]));
        }
    }
}

/*
 * The call with its Nth place failing, and all that come after it if @on; false
 * if it has not so many that can be tried.
 */
static bool pg_walk_try(PGWalker *w, const PGWalk *walk, unsigned n, bool on)
{
    g_autofree char *text = NULL;
    g_autofree char *error = NULL;
    const PGReply *r;
    bool failed;

    pg_walk_do(w, walk, walk->before);
    text = pg_filled_in(w, walk->line);
    r = pg_do(w->g, "fail %u%s %s", n, on ? "+" : "", text);
    failed = pg_u64(w->g, r, "failed");
    error = pg_str(r, "error");
    if (error && !failed && !walk->fails) {
        pg_fail(w->g, "it did not run out of memory, and failed: %s: %s",
                text, error);
    }
    if (error && !walk->after && pg_u64(w->g, r, "fds")) {
        pg_fail(w->g, "it failed, and has taken an fd: %s", text);
    }
    pg_take(w, walk, r);
    pg_same_handle(w, text, r);
    if (error && walk->before && !walk->after) {
        /* What was to be closed may be, or not. */
        pg_call(w->g, "%s", text);
    } else if (!error || !walk->fails) {
        if (error) {
            /* It has changed nothing, so it can be made again. */
            r = pg_do(w->g, "%s", text);
            pg_take(w, walk, r);
            pg_same_handle(w, text, r);
        }
        pg_walk_do(w, walk, walk->undo);
    }
    pg_walk_do(w, walk, walk->after);
    return failed && (error || !walk->begins);
}

static void pg_walk(PGWalker *w, const PGWalk *walk)
{
    g_autofree char *grown = NULL;
    unsigned n = 1;

    if (walk->keep && !walk->undo) {
        pg_walk_do(w, walk, walk->line);
        return;
    }
    g_clear_pointer(&w->handle, g_free);
    pg_walk_try(w, walk, 0, false);
    pg_settle(w->g);
    pg_do(w->g, "leaks mark");
    while (pg_walk_try(w, walk, n, false) &&
           (walk->maps || walk->begins || pg_walk_try(w, walk, n, true))) {
        if (++n > PG_PLACES_MAX) {
            pg_fail(w->g, "%s has more than %u places", walk->line,
                    PG_PLACES_MAX);
        }
    }
    pg_expect_leaks(walk->leaks);
    grown = pg_grown_now(w->g);
    pg_expect_leaks(NULL);
    w->leaks = walk->leaks ?: w->leaks;
    if (grown && *grown) {
        pg_fail(w->g, "not freed when \"%s\" had run out of memory at each of "
                "%u places: %.*s", walk->line, n - 1,
                (int)strcspn(grown, "\n"), grown);
    }
    g_test_message("%s: %u places", walk->line, n - 1);
    if (walk->keep) {
        pg_walk_do(w, walk, walk->line);
    }
}

static void pg_allow_faults(PGGuest *g)
{
    static const char *const settings[] = {
        "failslab/ignore-gfp-wait N", "failslab/verbose 0",
        "fail_page_alloc/ignore-gfp-wait N",
        "fail_page_alloc/ignore-gfp-highmem N",
        "fail_page_alloc/min-order 0", "fail_page_alloc/verbose 0",
        /* For a thread that asks for it: all of them */
        "failslab/task-filter Y", "failslab/times -1",
        "failslab/probability 100",
        "fail_page_alloc/task-filter Y", "fail_page_alloc/times -1",
        "fail_page_alloc/probability 100",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(settings); i++) {
        const PGReply *r = pg_call(g, "set /sys/kernel/debug/%s", settings[i]);

        if (!r->ok) {
            pg_skip("the guest's kernel has no fault injection: %s", r->text);
        }
    }
}

/* What still counts as in use keeps its module. */
static void pg_end(PGWalker *w)
{
    pg_do(w->g, "settle %u", PG_SETTLE_MS);
    pg_do(w->g, "kill p1");
    pg_expect_leaks(w->leaks);
    pg_finish(w->g);
}

void pg_nomem_test_scene(const void *data)
{
    const PGScene *scene = data;
    const PGMachine machine = { .extra = scene->extra };
    PGWalker w = { .g = pg_start(&machine), .scene = scene };

    if (scene->needs) {
        scene->needs(w.g);
    }
    pg_allow_faults(w.g);
    /* The first marker of p1 maps files that stay. */
    pg_do(w.g, "p1 names");
    for (unsigned i = 0; scene->first && scene->first[i].line; i++) {
        pg_walk(&w, &scene->first[i]);
    }
    for (unsigned i = 0; scene->walks[i].line; i++) {
        pg_walk(&w, &scene->walks[i]);
    }
    pg_end(&w);
}
