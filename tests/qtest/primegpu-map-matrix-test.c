/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: each way to map, of each thing that can be mapped.  A mapping
 * shows the bytes; one that is refused is refused each time, and leaves what
 * was to be mapped as it was: alive, with its bytes, and of use for jobs.  It
 * goes with its last name, and not before.
 */
#include "qemu/osdep.h"
#include "primegpu-guest-look.h"

#define PG_SIZE 65536
#define PG_TIMES 3

typedef enum PGWill { PG_REFUSED, PG_DONE, PG_WHO_KNOWS } PGWill;

/* What is mapped: b through its file, or the dma-buf d */
typedef struct PGThing {
    const char *name;
    const char *lines;          /* that make it */
    bool by_fd;
    const char *job;            /* BO that a job writes, and the thing shows */
    const char *ends;           /* lines; the last one lets it go */
    PGWill shared;              /* may it be mapped at all */
    PGWill private;
    const char *extra;
} PGThing;

#define PG_OWN(gpu, place) \
    "open f " gpu "; create f b 65536 " place "; place b " place
#define PG_IMPORT(from, place, to) \
    "open e " from "; create e x 65536" place "; export x d; " \
    "open f " to "; import f d b; "
#define PG_FOREIGN(gpu) \
    "open g " gpu "; import g d j"
#define PG_VIRTIO "-device virtio-gpu-pci,addr=0x1a"

static const PGThing pg_things[] = {
    { "integrated-file", PG_OWN("integrated", "pages"), false, "b",
      "close b", PG_DONE },
    { "integrated-fd", PG_OWN("integrated", "pages") "; export b d", true, "b",
      "close b; close-fd d", PG_DONE },
    { "discrete-pages-file", PG_OWN("discrete", "pages"), false, "b",
      "close b", PG_DONE },
    { "discrete-pages-fd", PG_OWN("discrete", "pages") "; export b d", true,
      "b", "close b; close-fd d", PG_DONE },
    { "discrete-vram-file", PG_OWN("discrete", "vram"), false, "b",
      "close b", PG_DONE },
    { "discrete-vram-fd", PG_OWN("discrete", "vram") "; export b d", true,
      "b", "close b; close-fd d", PG_DONE },
    { "imported-by-discrete",
      PG_IMPORT("integrated", " pages", "discrete") "close x; close-fd d",
      false, "b", "close b", PG_DONE },
    { "imported-by-integrated",
      PG_IMPORT("discrete", " any", "integrated") "close x; close-fd d",
      false, "b", "close b", PG_DONE },
    { "imported-by-vgem", PG_IMPORT("discrete", " any", "vgem") "close-fd d",
      false, "x", "close x; close b", PG_REFUSED },
    { "imported-by-vkms", PG_IMPORT("integrated", " pages", "vkms")
      "close-fd d", false, "x", "close x; close b", PG_REFUSED },
    { "vgem-file", "open f vgem; create f b 65536; export b d; "
      PG_FOREIGN("discrete") "; close-fd d", false, "j", "close j; close b",
      PG_DONE },
    { "vgem-fd", "open f vgem; create f b 65536; export b d; "
      PG_FOREIGN("integrated"), true, "j", "close j; close b; close-fd d",
      PG_DONE },
    { "vkms-file", "open f vkms; create f b 65536; export b d; "
      PG_FOREIGN("integrated") "; close-fd d", false, "j", "close j; close b",
      PG_DONE },
    { "vkms-fd", "open f vkms; create f b 65536; export b d; "
      PG_FOREIGN("discrete"), true, "j", "close j; close b; close-fd d",
      PG_DONE },
    { "vgem-imported-by-integrated",
      PG_IMPORT("vgem", "", "integrated") "close x; close-fd d", false, "b",
      "close b", PG_DONE },
    { "vgem-imported-by-discrete",
      PG_IMPORT("vgem", "", "discrete") "close x; close-fd d", false, "b",
      "close b", PG_DONE },
    { "udmabuf-fd", "udmabuf d 65536; " PG_FOREIGN("discrete"), true, "j",
      "close j; close-fd d", PG_DONE },
    { "udmabuf-imported-by-integrated",
      "udmabuf d 65536; open f integrated; import f d b; close-fd d", false,
      "b", "close b", PG_DONE },
    { "udmabuf-imported-by-discrete",
      "udmabuf d 65536; open f discrete; import f d b; close-fd d", false,
      "b", "close b", PG_DONE },
    /* The heap does not look whether a mapping is private. */
    { "heap-fd", "heap d 65536; " PG_FOREIGN("integrated"), true, "j",
      "close j; close-fd d", PG_DONE, PG_WHO_KNOWS },
    { "heap-imported-by-integrated",
      "heap d 65536; open f integrated; import f d b; close-fd d", false,
      "b", "close b", PG_DONE, PG_WHO_KNOWS },
    { "heap-imported-by-discrete",
      "heap d 65536; open f discrete; import f d b; close-fd d", false,
      "b", "close b", PG_DONE, PG_WHO_KNOWS },
    { "virtio-file", "open f virtio; create f b 65536; export b d; "
      PG_FOREIGN("discrete") "; close-fd d", false, "j", "close j; close b",
      PG_DONE, .extra = PG_VIRTIO },
    { "virtio-fd", "open f virtio; create f b 65536; export b d; "
      PG_FOREIGN("integrated"), true, "j", "close j; close b; close-fd d",
      PG_DONE, .extra = PG_VIRTIO },
};

/*
 * Which part of it.  A DRM file has each thing at one offset, for mappings of
 * its start; a dma-buf can be mapped from any page on.
 */
static const struct {
    const char *words;
    PGWill file, fd;
} pg_parts[] = {
    { "", PG_DONE, PG_DONE },
    { "size=0", PG_REFUSED, PG_REFUSED },
    { "size=4096", PG_DONE, PG_DONE },
    { "size=65535", PG_DONE, PG_DONE },
    { "size=65537", PG_REFUSED, PG_REFUSED },
    { "size=0x4000000000", PG_REFUSED, PG_REFUSED },
    { "at=1", PG_REFUSED, PG_REFUSED },
    { "at=4096", PG_REFUSED, PG_REFUSED },
    { "at=4096 size=4096", PG_REFUSED, PG_DONE },
    { "at=65536 size=4096", PG_REFUSED, PG_REFUSED },
    { "at=0x7ffffffffffff000 size=4096", PG_REFUSED, PG_REFUSED },
};

static const char *const pg_ways[] = {
    "private", "private ro", "", "ro", "wo", "none", "private wo",
    "private none",
};

/* A kernel of somebody else's may not have the first one's driver. */
static void pg_make(PGGuest *g, const PGThing *t)
{
    g_auto(GStrv) line = g_strsplit(t->lines, "; ", -1);

    for (unsigned i = 0; line[i]; i++) {
        const PGReply *r = pg_call(g, "%s", line[i]);

        if (!i && !r->ok && (g_str_equal(r->error, "ENODEV") ||
                             g_str_equal(r->error, "ENOENT"))) {
            pg_skip("the guest's kernel has no %s", t->name);
        }
        if (!r->ok) {
            pg_fail(g, "%s %s: %s", r->error, r->text, line[i]);
        }
    }
}

static PGWill pg_will(const PGThing *t, unsigned part, const char *way)
{
    PGWill will = t->by_fd ? pg_parts[part].fd : pg_parts[part].file;

    if (t->shared == PG_REFUSED || will == PG_REFUSED) {
        return PG_REFUSED;
    }
    return g_str_has_prefix(way, "private") ? t->private : will;
}

/* All of it shows what the last job wrote, unless it cannot be read. */
static void pg_map_once(PGGuest *g, const PGThing *t, unsigned part,
                        const char *way, uint64_t sum, PGWill *will)
{
    const char *words = pg_parts[part].words;
    const PGReply *r = t->by_fd
        ? pg_call(g, "mmap-fd d m %u %s %s", PG_SIZE, words, way)
        : pg_call(g, "mmap b m %s %s", words, way);

    if (*will == PG_WHO_KNOWS) {
        *will = r->ok ? PG_DONE : PG_REFUSED;
    }
    if (r->ok != (*will == PG_DONE)) {
        pg_fail(g, "the reply is '%s %s', and %s: %s", r->ok ? "ok" : r->error,
                r->text, r->ok ? "it was to be refused" : "it was to work",
                pg_step_line(g, pg_step(g)));
    }
    if (r->ok) {
        if (!*words && !strstr(way, "wo") && !strstr(way, "none")) {
            pg_assert_u64(g, "contents of the mapping", pg_checksum(g, "m"),
                          sum);
        }
        pg_do(g, "munmap m");
    }
}

/* Each way to map a part, which a job has filled with a word of its own */
static void pg_map_part(PGGuest *g, const PGThing *t, unsigned part,
                        const GArray *keys)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pg_ways); i++) {
        uint32_t value = 1 + part * ARRAY_SIZE(pg_ways) + i;
        uint64_t sum = pg_sum_words(PG_SIZE, value, PG_SIZE, 0);
        PGWill will = pg_will(t, part, pg_ways[i]);

        pg_do(g, "fill %s 0 %u %u wait", t->job, PG_SIZE, value);
        for (unsigned n = 0; n < PG_TIMES; n++) {
            pg_map_once(g, t, part, pg_ways[i], sum, &will);
        }
        /* Too early needs no settling, too late has until the end. */
        pg_assert_table_is(g, (const uint64_t *)keys->data, keys->len);
    }
    pg_assert_keys(g, keys);
}

/* One name after the other goes; what is left of them is mapped again. */
static void pg_map_end(PGGuest *g, const PGThing *t, const GArray *keys)
{
    uint64_t sum = pg_sum_words(PG_SIZE, 0x600d, PG_SIZE, 0);
    g_auto(GStrv) line = g_strsplit(t->ends, "; ", -1);
    bool all = true;

    pg_do(g, "fill %s 0 %u 0x600d wait", t->job, PG_SIZE);
    for (unsigned i = 0; line[i]; i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(pg_ways); k++) {
            PGWill will = pg_will(t, 0, pg_ways[k]);

            pg_map_once(g, t, 0, pg_ways[k], sum, &will);
        }
        /* The import that was for jobs only goes with its name. */
        if (all) {
            pg_assert_keys(g, keys);
        }
        pg_do(g, "%s", line[i]);
        all &= !g_str_equal(line[i], "close j");
    }
    pg_assert_nothing_left(g, t->ends);
}

static void pg_test_matrix(const void *data)
{
    const PGThing *t = data;
    const PGMachine machine = { .extra = t->extra };
    PGGuest *g = pg_start(&machine);
    g_autoptr(GArray) keys = NULL;

    pg_make(g, t);
    pg_settle(g);
    keys = pg_keys(g);
    for (unsigned part = 0; part < ARRAY_SIZE(pg_parts); part++) {
        pg_map_part(g, t, part, keys);
    }
    pg_map_end(g, t, keys);
    pg_stop(g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_things); i++) {
        g_autofree char *path =
            g_strdup_printf("map/matrix/%s", pg_things[i].name);

        pg_add_case(path, pg_test_matrix, &pg_things[i]);
    }
    return g_test_run();
}
