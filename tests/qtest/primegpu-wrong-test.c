/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: calls that name the wrong object.  Each fd where another kind of
 * fd belongs, a BO through a file that has no handle to it, framebuffers of
 * others, ioctls with one thing wrong: all are refused, and nothing is kept.
 */
#include "qemu/osdep.h"
#include "primegpu-guest-look.h"

#define PG_SIZE 65536

static const char *const pg_gpus[] = { "integrated", "discrete" };

/* The fds: dma-buf, sync_file, syncobj, timeline, eventfd, socket */
static const char *const pg_fds[] = { "d", "s", "k", "t", "e", "u" };

/* A call with an fd, and those that belong there */
typedef struct PGWrong {
    const char *line;
    const char *right;
} PGWrong;

static const PGWrong pg_calls[] = {
    { "import f %s x", "d" },
    { "mmap-fd %s m 4096", "d" },
    { "set-name %s name", "d" },
    { "sync-start %s rw", "d" },
    { "sync-end %s rw", "d" },
    { "export-sync %s rw x", "d" },
    { "import-sync %s rw s", "d" },
    { "import-sync d rw %s", "s" },
    { "merge-sync %s s x", "s" },
    { "merge-sync s %s x", "s" },
    { "fence-wait %s 0", "s" },
    { "syncobj-import f %s x", "k" },
    { "syncobj-load y %s", "s" },
    { "fill b 0 4096 1 in=%s", "s" },
    { "sw-fence %s 1 x", "t" },
};

static void pg_make_fds(PGGuest *g)
{
    pg_do(g, "create f b %u", PG_SIZE);
    pg_do(g, "export b d");
    pg_do(g, "fill b 0 4096 1 out=s");
    pg_do(g, "syncobj f y");
    pg_do(g, "syncobj-export y k");
    pg_do(g, "sw-sync t");
    pg_do(g, "syncobj-eventfd y:1 e");
    pg_do(g, "socketpair u u2");
}

static void pg_test_fds(const void *data)
{
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open f %s", (const char *)data);
    pg_make_fds(g);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_calls); i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(pg_fds); k++) {
            g_auto(GStrv) parts = g_strsplit(pg_calls[i].line, "%s", -1);
            g_autofree char *line = g_strjoinv(pg_fds[k], parts);

            if (g_str_equal(pg_fds[k], pg_calls[i].right)) {
                continue;
            }
            if (pg_call(g, "%s", line)->ok) {
                pg_fail(g, "it was not refused: %s", line);
            }
        }
    }
    pg_stop(g);
}

/* A file may map what it has a handle to, for as long as it has it. */
static void pg_test_access(const void *data)
{
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open f %s", (const char *)data);
    pg_do(g, "open other %s", (const char *)data);
    pg_do(g, "create f b %u", PG_SIZE);
    pg_do(g, "export b d");
    pg_err(g, "EACCES", "mmap-via b other m");
    pg_do(g, "import other d c");
    pg_do(g, "mmap-via b other m");
    pg_do(g, "munmap m");
    pg_do(g, "close c");
    pg_err(g, "EACCES", "mmap-via b other m");
    pg_do(g, "mmap-via b f m");
    pg_stop(g);
}

static void pg_test_fb(const void *data)
{
    PGGuest *g = pg_start(NULL);
    uint64_t fb;

    pg_do(g, "open f %s card", (const char *)data);
    pg_do(g, "open other %s card", (const char *)data);
    pg_do(g, "create f b %u", PG_SIZE);
    fb = pg_u64(g, pg_do(g, "addfb b 128 128 512"), "fb");
    pg_err(g, "ENOENT", "rmfb other %" PRIu64, fb);
    pg_err(g, "ENOENT", "closefb other %" PRIu64, fb);
    pg_do(g, "rmfb f %" PRIu64, fb);
    pg_err(g, "ENOENT", "rmfb f %" PRIu64, fb);
    pg_stop(g);
}

/* The name of a BO goes with its last handle. */
static void pg_test_name(const void *data)
{
    PGGuest *g = pg_start(NULL);
    uint64_t name;

    pg_do(g, "open f %s card", (const char *)data);
    pg_do(g, "open other %s card", (const char *)data);
    pg_do(g, "create f b %u", PG_SIZE);
    pg_do(g, "export b d");
    name = pg_u64(g, pg_do(g, "flink b"), "name");
    pg_do(g, "gem-open other %" PRIu64 " c", name);
    pg_close(g, "b");
    pg_do(g, "gem-open f %" PRIu64 " b", name);
    pg_close(g, "b");
    pg_close(g, "c");
    pg_err(g, "ENOENT", "gem-open f %" PRIu64 " b", name);
    pg_do(g, "import f d b");
    pg_err(g, "ENOENT", "gem-open f %" PRIu64 " c", name);
    pg_stop(g);
}

/* A new BO does not show what another one has left. */
static void pg_test_fresh(const void *data)
{
    static const char *const places[] = { "vram", "pages" };
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open f %s", (const char *)data);
    for (unsigned i = 0; i < 4; i++) {
        const char *place = g_str_equal(data, "discrete") ? places[i % 2]
                                                          : "pages";

        pg_do(g, "create f b %u %s", PG_SIZE, place);
        pg_assert_u64(g, "contents of a new BO", pg_bo_sum(g, "b"),
                      pg_sum_words(PG_SIZE, 0, PG_SIZE, 0));
        pg_do(g, "fill b 0 %u 0xdeadbeef wait", PG_SIZE);
        pg_close(g, "b");
        pg_settle(g);
        /* The next one's first use is a job and not the CPU. */
        pg_do(g, "create f b %u %s", PG_SIZE, place);
        pg_do(g, "fill b 0 4 1 wait");
        pg_assert_u64(g, "contents of a new BO", pg_bo_sum(g, "b"),
                      pg_sum_words(PG_SIZE, 1, 4, 0));
        pg_close(g, "b");
        pg_settle(g);
    }
    pg_stop(g);
}

/* Whose files: handles, dma-buf and syncobj are of the same one. */
typedef struct PGMisuse {
    const char *name;
    const char *gpu;
    const char *node;
    bool fb;                    /* has framebuffers */
    bool syncobjs;
} PGMisuse;

static const PGMisuse pg_misused[] = {
    { "integrated-card", "integrated", "card", true, true },
    { "integrated-render", "integrated", "render", false, true },
    { "discrete-card", "discrete", "card", true, true },
    { "discrete-render", "discrete", "render", false, true },
    { "vgem", "vgem", "card", false },
    { "vkms", "vkms", "card", true },
};

/* No ioctl that has one thing wrong takes anything, or lets go of it. */
static void pg_test_misuse(const void *data)
{
    const PGMisuse *w = data;
    PGGuest *g = pg_start(NULL);
    g_autoptr(GArray) keys = NULL;
    uint64_t fb = 0, sum;
    const PGReply *r;

    pg_do(g, "open f %s %s", w->gpu, w->node);
    pg_do(g, "create f b %u", PG_SIZE);
    if (w->fb) {
        fb = pg_u64(g, pg_do(g, "addfb b 32 32 128"), "fb");
    }
    pg_do(g, "export b d");
    pg_do(g, "open j discrete");
    pg_do(g, "syncobj %s y", w->syncobjs ? "f" : "j");
    pg_do(g, "import j d i");
    pg_do(g, "fill i 0 %u 0x1234 out=s wait", PG_SIZE);
    sum = pg_sum_words(PG_SIZE, 0x1234, PG_SIZE, 0);
    pg_settle(g);
    keys = pg_keys(g);
    for (unsigned n = 0;; n++) {
        r = pg_call(g, "misuse f b d s y %" PRIu64 " %u", fb, n);
        if (!r->ok && g_str_equal(r->error, "ERANGE")) {
            break;
        } else if (!r->ok) {
            pg_fail(g, "%s %s", r->error, r->text);
        }
        pg_assert_keys(g, keys);
        pg_assert_u64(g, "contents", pg_bo_sum(g, "b"), sum);
    }
    pg_do(g, "close i");
    pg_do(g, "close b");
    pg_do(g, "close-fd d");
    pg_do(g, "close-fd s");
    pg_do(g, "syncobj-destroy y");
    if (fb) {
        pg_do(g, "rmfb f %" PRIu64, fb);
    }
    pg_assert_nothing_left(g, "all names were let go of");
    pg_stop(g);
}

/* An event that could not be read is not lost. */
static void pg_test_read(const void *data)
{
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open f %s card", (const char *)data);
    pg_do(g, "create f b 307200");
    pg_do(g, "addfb b 320 240 1280");
    pg_do(g, "atomic f 0 mode=320x240 fb=b");
    for (unsigned user = 1; user <= 2; user++) {
        pg_do(g, "queue-sequence f 0 1 %u", user);
        pg_do(g, "vblank f 0 2");
    }
    for (uint64_t user = 1; user <= 2; user++) {
        pg_assert_u64(g, "bytes of an event that does not fit",
                      pg_u64(g, pg_do(g, "misread f short"), "bytes"), 0);
        pg_err(g, "EFAULT", "misread f nowhere");
        pg_assert_u64(g, "the event after it",
                      pg_u64(g, pg_do(g, "event f 1000"), "user"), user);
    }
    pg_stop(g);
}

/* What a file has given out is worth nothing once it is closed. */
static void pg_test_outlived(const void *data)
{
    PGGuest *g = pg_start(NULL);
    uint64_t magic, fb, name;

    pg_do(g, "open f %s card", (const char *)data);
    for (unsigned i = 0; i < 4; i++) {
        pg_do(g, "open x %s card", (const char *)data);
        pg_do(g, "create x b %u", PG_SIZE);
        magic = pg_u64(g, pg_do(g, "magic x"), "magic");
        fb = pg_u64(g, pg_do(g, "addfb b 128 128 512"), "fb");
        name = pg_u64(g, pg_do(g, "flink b"), "name");
        if (i % 2) {
            pg_do(g, "auth f %" PRIu64, magic);
            pg_err(g, "EINVAL", "auth f %" PRIu64, magic);
        }
        pg_do(g, "close-file x");
        pg_err(g, "EINVAL", "auth f %" PRIu64, magic);
        pg_err(g, "ENOENT", "getfb f %" PRIu64 " c", fb);
        pg_err(g, "ENOENT", "rmfb f %" PRIu64, fb);
        pg_err(g, "ENOENT", "gem-open f %" PRIu64 " c", name);
        pg_assert_nothing_left(g, "its file was closed");
    }
    pg_stop(g);
}

/*
 * Commits with one thing wrong: a blob of another kind ($lut, $ctm, $clips), an
 * object that is not there, a rectangle that does not fit, with fences and
 * events that must not come of it.
 */
static const char *const pg_commits[] = {
    "crtc GAMMA_LUT=$ctm", "crtc CTM=$lut", "crtc DEGAMMA_LUT=$clips",
    "crtc MODE_ID=$lut modeset", "primary FB_DAMAGE_CLIPS=$ctm",
    "crtc GAMMA_LUT=99999", "crtc MODE_ID=99999 modeset",
    "connector CRTC_ID=99999 modeset", "primary CRTC_ID=99999",
    "primary FB_ID=99999", "primary FB_ID=$ctm", "primary CRTC_ID=$lut",
    "overlay fb=off CRTC_ID=99999", "writeback CRTC_ID=99999",
    "fb=c src=0,0,9999,9999", "fb=c src=0,0,9999,9999 out=o",
    "fb=c src=0,0,9999,9999 out=o event nonblock",
    "fb=c out=o connector CRTC_ID=99999 modeset",
    "fb=c out=o event nonblock crtc CTM=$lut",
    "fb=c in=s out=o crtc CTM=$lut",
    "fb=c src=0,0,9999,9999 writeback wb=c wb-out=o",
    "writeback wb=c wb-out=o crtc CTM=$lut",
    "overlay fb=c src=0,0,9999,9999 primary fb=c",
    "fb=c out=o event test",
};

/* Those that are only tested are right, and nothing comes of them either. */
static const char *const pg_tested[] = {
    "fb=c test", "fb=c in=s test", "fb=c out=o test",
    "fb=c writeback wb=c test", "fb=c writeback wb=c wb-out=o test",
    "mode=off test modeset", "crtc GAMMA_LUT=$lut CTM=$ctm test",
};

static char *pg_with_blobs(const char *text, const char *const *names,
                           const uint64_t *blobs)
{
    g_autoptr(GString) s = g_string_new(text);

    for (unsigned i = 0; names[i]; i++) {
        g_autofree char *number = g_strdup_printf("%" PRIu64, blobs[i]);

        g_string_replace(s, names[i], number, 0);
    }
    return g_string_free(g_steal_pointer(&s), FALSE);
}

static void pg_test_commit(const void *data)
{
    static const char *const names[] = { "$lut", "$ctm", "$clips", NULL };
    PGGuest *g = pg_start(NULL);
    uint64_t blobs[3];

    pg_do(g, "open f %s card", (const char *)data);
    pg_do(g, "create f b 307200");
    pg_do(g, "create f c 307200");
    pg_do(g, "addfb b 320 240 1280");
    pg_do(g, "addfb c 320 240 1280");
    pg_do(g, "atomic f 0 mode=320x240 fb=b");
    pg_do(g, "sw-sync w");
    pg_do(g, "sw-fence w 1 s");
    blobs[0] = pg_u64(g, pg_do(g, "blob-lut f linear"), "blob");
    blobs[1] = pg_u64(g, pg_do(g, "blob-ctm f 1 0 0 0 1 0 0 0 1"), "blob");
    blobs[2] = pg_u64(g, pg_do(g, "blob-clips f 0,0,8,8"), "blob");
    for (unsigned i = 0; i < ARRAY_SIZE(pg_commits); i++) {
        g_autofree char *words = pg_with_blobs(pg_commits[i], names, blobs);

        if (pg_call(g, "atomic f 0 %s", words)->ok) {
            pg_fail(g, "it was not refused: %s", pg_commits[i]);
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(pg_tested); i++) {
        g_autofree char *words = pg_with_blobs(pg_tested[i], names, blobs);

        pg_do(g, "atomic f 0 %s", words);
    }
    pg_err(g, "ENODATA", "misread f short");
    /* A blob is its file's. */
    pg_do(g, "open other %s card", (const char *)data);
    pg_err(g, "EPERM", "blob-free other %" PRIu64, blobs[0]);
    pg_close_file(g, "other");
    /* What was shown is shown, and goes with its file, as the other does. */
    pg_do(g, "atomic f 0 fb=b wait");
    pg_do(g, "close c");
    pg_close_file(g, "f");
    pg_assert_nothing_left(g, "the file was closed");
    pg_stop(g);
}

/* A lessee has nothing but what is leased: no other CRTC, no implicit plane. */
static void pg_test_leased(const void *data)
{
    PGGuest *g = pg_start(&pg_two_outputs);
    uint64_t crtc;

    pg_do(g, "open f %s card", (const char *)data);
    pg_do(g, "create f b 307200");
    pg_do(g, "addfb b 320 240 1280");
    pg_do(g, "atomic f 1 mode=320x240 fb=b");
    crtc = pg_u64(g, pg_do(g, "props f 1 primary CRTC_ID"), "value");
    pg_do(g, "atomic f 1 mode=off fb=off");
    pg_do(g, "atomic f 0 mode=320x240 fb=b");

    pg_do(g, "lease f 0 l");
    pg_err(g, "EACCES", "atomic l 0 overlay fb=off CRTC_ID=%" PRIu64, crtc);
    pg_err(g, "EACCES", "atomic l 0 primary CRTC_ID=%" PRIu64, crtc);
    pg_err(g, "EACCES", "atomic l 0 connector CRTC_ID=%" PRIu64 " modeset",
           crtc);
    pg_close_file(g, "l");

    pg_do(g, "lease f 0 l crtc connector overlay");
    pg_do(g, "create l c 307200");
    pg_do(g, "addfb c 320 240 1280");
    pg_err(g, "EACCES", "setcrtc l c 0");
    pg_err(g, "EACCES", "flip l c 0 nowait");
    pg_err(g, "EACCES", "cursor l 0 c 64 64");
    pg_stop(g);
}

/* Who is neither master nor root gets no handle of what is shown. */
static void pg_test_rights(const void *data)
{
    PGGuest *g = pg_start(NULL);
    uint64_t fb;

    pg_do(g, "open f %s card", (const char *)data);
    pg_do(g, "create f b %u", PG_SIZE);
    fb = pg_u64(g, pg_do(g, "addfb b 128 128 512"), "fb");
    pg_do(g, "open x %s card", (const char *)data);
    pg_do(g, "getfb x %" PRIu64 " c", fb);
    pg_close(g, "c");
    pg_do(g, "fork p2");
    pg_do(g, "p2 uid 1000");
    pg_assert_u64(g, "handle of another's framebuffer",
                  pg_u64(g, pg_do(g, "p2 getfb x %" PRIu64 " c", fb),
                         "handle"), 0);
    if (!pg_u64(g, pg_do(g, "p2 getfb f %" PRIu64 " d", fb), "handle")) {
        pg_fail(g, "the master gets no handle of its own framebuffer");
    }
    if (pg_call(g, "p2 master x set")->ok) {
        pg_fail(g, "anybody can be master");
    }
    pg_stop(g);
}

/* A memfd whose pages could go, or may not be written to, is not shared. */
static void pg_test_udmabuf(const void *data)
{
    static const char *const kinds[] = {
        "unsealed", "write-sealed", "future-sealed", "second-unsealed",
    };
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open f %s", (const char *)data);
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        pg_err(g, "EINVAL", "udmabuf u %u %s", PG_SIZE, kinds[i]);
    }
    pg_do(g, "udmabuf u %u two", PG_SIZE);
    pg_do(g, "import f u b");
    pg_do(g, "fill b 0 %u 0x1234 wait", PG_SIZE);
    pg_assert_u64(g, "contents of the pages of two memfds", pg_bo_sum(g, "b"),
                  pg_sum_words(PG_SIZE, 0x1234, PG_SIZE, 0));
    pg_stop(g);
}

/* An import is mapped through its exporter's dma-buf, not as a dumb buffer. */
static void pg_test_dumb(const void *data)
{
    static const char *const importers[] = { "vkms", "vgem" };
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open f %s", (const char *)data);
    pg_do(g, "create f b %u", PG_SIZE);
    pg_do(g, "export b d");
    for (unsigned i = 0; i < ARRAY_SIZE(importers); i++) {
        pg_do(g, "open i %s card", importers[i]);
        pg_do(g, "import i d c");
        pg_err(g, "EINVAL", "mmap c m");
        pg_do(g, "close-file i");
    }
    pg_stop(g);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        PGCaseFn fn;
    } tests[] = {
        { "fds", pg_test_fds },
        { "access", pg_test_access },
        { "framebuffer", pg_test_fb },
        { "name", pg_test_name },
        { "fresh", pg_test_fresh },
        { "read", pg_test_read },
        { "outlived", pg_test_outlived },
        { "commit", pg_test_commit },
        { "leased", pg_test_leased },
        { "rights", pg_test_rights },
        { "udmabuf", pg_test_udmabuf },
        { "dumb", pg_test_dumb },
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(tests); i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(pg_gpus); k++) {
            g_autofree char *path =
                g_strdup_printf("wrong/%s/%s", tests[i].name, pg_gpus[k]);

            pg_add_case(path, tests[i].fn, pg_gpus[k]);
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(pg_misused); i++) {
        g_autofree char *path =
            g_strdup_printf("wrong/misuse/%s", pg_misused[i].name);

        pg_add_case(path, pg_test_misuse, &pg_misused[i]);
    }
    return g_test_run();
}
