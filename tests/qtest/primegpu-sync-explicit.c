/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: explicit fences between two GPUs, by sync_file, syncobj and
 * timeline, and between them and the implicit ones of a dma-buf.
 */
#include "qemu/osdep.h"
#include "primegpu-sync.h"

#define PG_LINK_LINES 5

/* How the second job comes to know of the first */
typedef struct PGLink {
    const char *name;
    PGAccess first;
    const char *first_options;
    const char *lines[PG_LINK_LINES];   /* between the two jobs */
    PGAccess second;
    const char *second_options;
    bool starts;                /* nothing links them: no wait */
} PGLink;

static const PGLink pg_links[] = {
    { "sync-file", PG_WRITE, "explicit out=s", { NULL },
      PG_READ, "explicit in=s" },
    { "sync-file-dup", PG_WRITE, "explicit out=t",
      { "dup t s", "close-fd t" }, PG_READ, "explicit in=s" },
    { "sync-file-read", PG_READ, "explicit out=s", { NULL },
      PG_WRITE, "explicit in=s" },
    { "sync-file-implicit", PG_READ, "out=s", { NULL },
      PG_READ, "in=s" },
    { "syncobj-sync-file", PG_WRITE, "explicit outsync=k1",
      { "syncobj-export k1 s sync-file" }, PG_READ, "explicit in=s" },
    { "syncobj", PG_WRITE, "explicit outsync=k1",
      { "syncobj-export k1 s", "syncobj-import f2 s k2" },
      PG_READ, "explicit insync=k2" },
    { "syncobj-outlived", PG_WRITE, "explicit outsync=k1",
      { "syncobj-export k1 s", "syncobj-import f2 s k2", "syncobj-destroy k1" },
      PG_READ, "explicit insync=k2" },
    { "timeline", PG_WRITE, "explicit outsync=k1:3",
      { "syncobj-export k1 s", "syncobj-import f2 s k2" },
      PG_READ, "explicit insync=k2:3" },
    { "timeline-covered", PG_WRITE, "explicit outsync=k1:7",
      { "syncobj-export k1 s", "syncobj-import f2 s k2" },
      PG_READ, "explicit insync=k2:5" },
    { "timeline-second-point", PG_WRITE, "explicit outsync=k1:2",
      { "syncobj-export k1 s", "syncobj-import f2 s k2",
        "syncobj-signal k1:4" },
      PG_READ, "explicit insync=k2:4" },
    { "syncobj-load", PG_WRITE, "explicit out=s",
      { "syncobj f2 k2", "syncobj-load k2 s" },
      PG_READ, "explicit insync=k2" },
    { "syncobj-transfer", PG_WRITE, "explicit outsync=k1",
      { "syncobj f1 k3", "syncobj-transfer k3:5 k1", "syncobj-export k3 s",
        "syncobj-import f2 s k2", "syncobj-reset k1" },
      PG_READ, "explicit insync=k2:5" },
    { "timeline-to-binary", PG_WRITE, "explicit outsync=k1:4",
      { "syncobj f1 k3", "syncobj-transfer k3 k1:4", "syncobj-query k1",
        "syncobj-export k3 s sync-file", "syncobj-destroy k1" },
      PG_READ, "explicit in=s" },
    { "merge", PG_WRITE, "explicit out=t",
      { "export-sync d rw w", "merge-sync w t s", "close-fd w", "close-fd t" },
      PG_READ, "explicit in=s" },
    { "both", PG_WRITE, "explicit out=s outsync=k1",
      { "syncobj-export k1 t", "syncobj-import f2 t k2" },
      PG_READ, "explicit in=s insync=k2" },
    { "export-write", PG_WRITE, "", { "export-sync d read s" },
      PG_READ, "explicit in=s" },
    { "export-write-rw", PG_WRITE, "", { "export-sync d rw s" },
      PG_WRITE, "explicit in=s" },
    { "export-read-rw", PG_READ, "", { "export-sync d write s" },
      PG_WRITE, "explicit in=s" },
    { "export-read-read", PG_READ, "", { "export-sync d read s" },
      PG_READ, "explicit in=s", true },
    { "import-write-read", PG_WRITE, "explicit out=s",
      { "import-sync d write s" }, PG_READ, "" },
    { "import-write-write", PG_WRITE, "explicit out=s",
      { "import-sync d rw s" }, PG_WRITE, "" },
    { "import-read-write", PG_READ, "explicit out=s",
      { "import-sync d read s" }, PG_WRITE, "" },
    { "import-read-read", PG_READ, "explicit out=s",
      { "import-sync d read s" }, PG_READ, "", true },
    { "explicit-read-read", PG_READ, "explicit", { NULL },
      PG_READ, "explicit", true },
    { "explicit-after-implicit", PG_WRITE, "", { NULL },
      PG_READ, "explicit", true },
};

static void pg_link_check(PGSync *s, const PGLink *link)
{
    PGGuest *g = s->g;

    if (!link->starts) {
        pg_sync_assert_held(s, link->name);
        pg_err(g, "ETIME", "fence-wait x 5");
        pg_sync_open(s);
    }
    pg_assert_u64(g, "status of the second job's fence",
                  pg_u64(g, pg_do(g, "fence-wait x %u", PG_SOON_MS), "status"),
                  1);
    if (link->starts) {
        pg_sync_open(s);
        pg_do(g, "settle %u", PG_SOON_MS);
    } else {
        pg_assert_after(g, s->key[1], s->key[2]);
        pg_sync_assert_bytes(s, link->first, link->second);
    }
    pg_close_fd(g, "x");
}

static bool pg_link_uses(const PGLink *link, const char *word)
{
    bool uses = strstr(link->first_options, word) ||
                strstr(link->second_options, word);

    for (unsigned i = 0; i < PG_LINK_LINES && link->lines[i]; i++) {
        uses |= strstr(link->lines[i], word) != NULL;
    }
    return uses;
}

/*
 * Syncobjs are left to the end of their file, and sync_files to the end of the
 * round: a fence keeps no buffer.
 */
static void pg_link_play(PGSync *s, const PGLink *link)
{
    g_autofree char *options = g_strconcat(link->second_options, " out=x",
                                           NULL);
    PGGuest *g = s->g;

    pg_sync_begin(s);
    if (pg_link_uses(link, "k1")) {
        pg_do(g, "syncobj f1 k1");
    }
    pg_sync_first(s, link->first, link->first_options);
    for (unsigned i = 0; i < PG_LINK_LINES && link->lines[i]; i++) {
        pg_do(g, "%s", link->lines[i]);
    }
    pg_sync_job(s, 2, link->second, options);
    pg_link_check(s, link);
    pg_sync_end(s);
    /* Not every link has them. */
    pg_call(g, "close-fd s");
    pg_call(g, "close-fd t");
}

static void pg_test_link(const void *data)
{
    const PGLink *link = data;
    PGGuest *g = pg_sync_start();

    for (unsigned i = 0; i < 4; i++) {
        PGSync s = {
            .g = g,
            .pair = &pg_sync_pairs[i / 2],
            .importer_first = i % 2,
        };

        pg_link_play(&s, link);
    }
    pg_finish(g);
}

void pg_sync_add_explicit(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pg_links); i++) {
        g_autofree char *path =
            g_strconcat("sync/explicit/", pg_links[i].name, NULL);

        pg_add_case(path, pg_test_link, &pg_links[i]);
    }
}
