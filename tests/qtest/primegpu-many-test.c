/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: a great many of one kind: handles, imports, files, mappings,
 * framebuffers, fences of a buffer, points of a timeline.  They are let go one
 * by one, the oldest or the newest first, or all at once by the end of the
 * process.
 */
#include "qemu/osdep.h"
#include "primegpu-guest.h"

/* Time for a line: the guest is slow, and has many of them. */
#define PG_LIMIT_MS 300000

typedef enum PGEnd { PG_OLDEST_FIRST, PG_NEWEST_FIRST, PG_KILL } PGEnd;

static const char *const pg_ends[] = { "oldest-first", "newest-first", "kill" };

/* Calls with ; between them; $N is the number of the one of many. */
typedef struct PGMany {
    const char *name;
    unsigned count;
    const char *before;
    const char *make;
    const char *let_go;
    const char *after;
} PGMany;

#define PG_BUFFER "open f $E; create f b 4096; export b d"

static const PGMany pg_kinds[] = {
    { "handles", 300, "open f $E; open i $I",
      "create f b$N 4096; export b$N d$N; import i d$N h$N",
      "close b$N; close-fd d$N; close h$N" },
    { "files", 100, PG_BUFFER,
      "open i$N $I; import i$N d h$N; open e$N $E; import e$N d b$N",
      "close-file e$N; close-file i$N" },
    { "maps", 200, PG_BUFFER "; open i $I; import i d h",
      "mmap b m$N; mmap h n$N; mmap-fd d o$N 4096",
      "munmap m$N; munmap o$N; munmap n$N", "close b; close h; close-fd d" },
    { "framebuffers", 200, "open f $E card; create f b 65536; export b d; "
      "open i $I card; import i d h",
      "addfb b 128 128 512; addfb h 128 128 512", NULL,
      "close b; close h; close-fd d; close-file i; close-file f" },
    { "fences", 100, PG_BUFFER "; open i $I; import i d h",
      "sw-sync w$N; sw-fence w$N 1 s$N; import-sync d read s$N",
      "sw-inc w$N 1; close-fd w$N; close-fd s$N",
      "bo-wait h write 10000; export-sync d rw x; fence-wait x 10000" },
    { "merged", 100, "sw-sync w0; sw-fence w0 1 m0",
      "sw-sync w$N; sw-fence w$N 1 s$N; merge-sync m$P s$N m$N",
      "sw-inc w$N 1; close-fd m$N; close-fd w$N; close-fd s$N",
      "sw-inc w0 1; fence-wait m0 10000" },
    /* None of them is signalled, so that none is dropped before the end. */
    { "points", 1000, "open f $E; sw-sync w; sw-fence w 1 s; syncobj f y; "
      "syncobj-load y s; syncobj f z",
      "syncobj-transfer z:$N y", NULL,
      "syncobj-destroy z; syncobj-destroy y; close-fd s; close-fd w" },
    { "syncobjs", 300, "open f $E",
      "syncobj f y$N; syncobj-export y$N k$N; syncobj-import f k$N z$N",
      "syncobj-destroy y$N; close-fd k$N; syncobj-destroy z$N" },
    { "jobs", 300, PG_BUFFER "; open i $I; import i d h; create i t 4096",
      "fill b 0 4096 $N out=s$N; copy t 0 h 0 4096 out=t$N",
      "close-fd s$N; close-fd t$N", "bo-wait t write 10000" },
};

typedef struct PGManyCase {
    const PGMany *many;
    const char *exporter, *importer;
    PGEnd end;
} PGManyCase;

static void pg_many_send(PGGuest *g, GArray *tags, const PGManyCase *c,
                         const char *lines, unsigned n)
{
    g_autoptr(GString) s = g_string_new(lines);
    g_auto(GStrv) line = NULL;
    g_autofree char *number = g_strdup_printf("%u", n);
    g_autofree char *previous = g_strdup_printf("%u", n ? n - 1 : 0);

    g_string_replace(s, "$E", c->exporter, 0);
    g_string_replace(s, "$I", c->importer, 0);
    g_string_replace(s, "$N", number, 0);
    g_string_replace(s, "$P", previous, 0);
    line = g_strsplit(s->str, "; ", -1);
    for (unsigned i = 0; line[i]; i++) {
        unsigned tag = pg_send(g, "%s", line[i]);

        g_array_append_val(tags, tag);
    }
}

static void pg_many_await(PGGuest *g, GArray *tags)
{
    for (unsigned i = 0; i < tags->len; i++) {
        unsigned tag = g_array_index(tags, unsigned, i);

        if (!pg_wait(g, tag, PG_LIMIT_MS * pg_slow())) {
            pg_show_tasks(g);
            pg_fail(g, "a call does not end");
        }
        pg_expect_ok(g, tag);
    }
    g_array_set_size(tags, 0);
}

static void pg_many_let_go(PGGuest *g, GArray *tags, const PGManyCase *c)
{
    for (unsigned i = 1; c->many->let_go && i <= c->many->count; i++) {
        pg_many_send(g, tags, c, c->many->let_go,
                     c->end == PG_OLDEST_FIRST ? i : c->many->count + 1 - i);
        if (tags->len > 100) {
            pg_many_await(g, tags);
        }
    }
    if (c->many->after) {
        pg_many_send(g, tags, c, c->many->after, 0);
    }
    pg_many_await(g, tags);
}

static void pg_test_many(const void *data)
{
    const PGManyCase *c = data;
    PGGuest *g = pg_start(NULL);
    g_autoptr(GArray) tags = g_array_new(false, false, sizeof(unsigned));

    pg_many_send(g, tags, c, c->many->before, 0);
    for (unsigned i = 1; i <= c->many->count; i++) {
        pg_many_send(g, tags, c, c->many->make, i);
        if (tags->len > 100) {
            pg_many_await(g, tags);
        }
    }
    pg_many_await(g, tags);
    if (c->end != PG_KILL) {
        pg_many_let_go(g, tags, c);
    }
    pg_do(g, "kill p1");
    pg_do(g, "settle 10000");
    pg_assert_table(g, 0);
    pg_stop(g);
}

int main(int argc, char **argv)
{
    static PGManyCase cases[ARRAY_SIZE(pg_kinds)][ARRAY_SIZE(pg_ends)];

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_kinds); i++) {
        for (PGEnd end = 0; end < ARRAY_SIZE(pg_ends); end++) {
            bool swap = (i + end) % 2;
            g_autofree char *path = g_strconcat("many/", pg_kinds[i].name, "/",
                                                pg_ends[end], NULL);

            cases[i][end] = (PGManyCase) {
                .many = &pg_kinds[i],
                .exporter = swap ? "discrete" : "integrated",
                .importer = swap ? "integrated" : "discrete",
                .end = end,
            };
            pg_add_case(path, pg_test_many, &cases[i][end]);
        }
    }
    return g_test_run();
}
