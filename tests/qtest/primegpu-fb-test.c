/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: framebuffers.  One keeps its BO alive like a handle does, until
 * it is removed or its file closed; a refused one keeps nothing; and whatever
 * happens to the handles, a BO that has a framebuffer has one dma-buf.
 *
 * The GPUs have framebuffers and no display; what has to be shown is shown by
 * vkms, which imports it.
 */
#include "qemu/osdep.h"
#include "primegpu-guest.h"
#include "primegpu-guest-look.h"

/* 128 x 128 pixels of 4 bytes */
#define PG_SIZE     65536
#define PG_GEOMETRY "128 128 512"
/* What vkms shows: 1024 x 768 */
#define PG_SCREEN_SIZE      (1024 * 768 * 4)
#define PG_SCREEN_GEOMETRY  "1024 768 4096"

typedef struct PGFbCase {
    const char *name;
    const char *gpu;
    const char *other;
} PGFbCase;

static const PGFbCase pg_gpus[] = {
    { "integrated", "integrated", "discrete" },
    { "discrete", "discrete", "integrated" },
};

static const uint64_t pg_end;   /* of a table's keys */

/* Settle, and the step before must have left exactly these BOs. */
#define PG_LEAVES(g, ...)                       \
    do {                                        \
        pg_settle(g);                           \
        pg_assert_table(g, __VA_ARGS__);        \
    } while (0)

static PGGuest *pg_fb_start(const PGFbCase *c)
{
    PGGuest *g = pg_start(NULL);

    pg_do(g, "open f %s card", c->gpu);
    return g;
}

static unsigned pg_addfb(PGGuest *g, const char *bo)
{
    return pg_u64(g, pg_do(g, "addfb %s " PG_GEOMETRY, bo), "fb");
}

static uint64_t pg_inode(PGGuest *g, const char *bo, const char *fd)
{
    return pg_u64(g, pg_do(g, "export %s %s", bo, fd), "inode");
}

static void pg_assert_one(PGGuest *g, const char *what, uint64_t now,
                          uint64_t before)
{
    if (now != before) {
        pg_fail(g, "one object has two of these: %s 0x%" PRIx64
                " was 0x%" PRIx64 " before, at: %s", what, now, before,
                pg_step_line(g, pg_step(g)));
    }
}

static void pg_test_keeps(const void *data)
{
    PGGuest *g = pg_fb_start(data);
    uint64_t key = pg_create(g, "f", "b", PG_SIZE);
    unsigned fb = pg_addfb(g, "b");

    pg_close(g, "b");
    PG_LEAVES(g, key, pg_end);
    pg_do(g, "rmfb f %u", fb);
    PG_LEAVES(g, pg_end);
    pg_err(g, "ENOENT", "rmfb f %u", fb);
    pg_stop(g);
}

static void pg_test_handle_is_last(const void *data)
{
    PGGuest *g = pg_fb_start(data);
    uint64_t key = pg_create(g, "f", "b", PG_SIZE);
    unsigned fb = pg_addfb(g, "b");

    pg_do(g, "rmfb f %u", fb);
    PG_LEAVES(g, key, pg_end);
    pg_close(g, "b");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

static void pg_test_closefb(const void *data)
{
    PGGuest *g = pg_fb_start(data);
    uint64_t key = pg_create(g, "f", "b", PG_SIZE);
    unsigned fb = pg_addfb(g, "b");

    pg_close(g, "b");
    PG_LEAVES(g, key, pg_end);
    pg_do(g, "closefb f %u", fb);
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

static void pg_test_two(const void *data)
{
    PGGuest *g = pg_fb_start(data);
    uint64_t key = pg_create(g, "f", "b", PG_SIZE);
    unsigned first = pg_addfb(g, "b");
    unsigned second = pg_addfb(g, "b");

    pg_close(g, "b");
    pg_do(g, "rmfb f %u", first);
    PG_LEAVES(g, key, pg_end);
    pg_do(g, "rmfb f %u", second);
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

static void pg_test_file_close(const void *data)
{
    PGGuest *g = pg_fb_start(data);
    uint64_t key = pg_create(g, "f", "b", PG_SIZE);

    pg_create(g, "f", "open", PG_SIZE);
    pg_addfb(g, "b");
    pg_addfb(g, "open");
    pg_close(g, "b");
    pg_assert_alive(g, key);
    pg_close_file(g, "f");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

static void pg_test_killed(const void *data)
{
    const PGFbCase *c = data;
    PGGuest *g = pg_start(NULL);
    uint64_t key;

    pg_do(g, "spawn p2");
    pg_do(g, "p2 open f %s card", c->gpu);
    key = pg_u64(g, pg_do(g, "p2 create f b %u", PG_SIZE), "key");
    pg_do(g, "p2 addfb b " PG_GEOMETRY);
    pg_do(g, "p2 close b");
    PG_LEAVES(g, key, pg_end);
    pg_do(g, "kill p2");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* A framebuffer that is refused, for whatever reason, keeps nothing. */
static void pg_test_refused(const void *data)
{
    static const struct {
        const char *error;
        const char *args;
    } bad[] = {
        { "EINVAL", "128 129 512" },            /* a line too many */
        { "EINVAL", "128 128 516" },            /* the last line too long */
        { "EINVAL", "128 128 508" },            /* less than a line */
        { "EINVAL", "0 128 512" },
        { "EINVAL", "128 0 512" },
        { "EINVAL", "20000 1 80000" },          /* wider than the GPU can */
        { "EINVAL", "128 128 512 ZZZZ" },       /* no such format */
        { "EINVAL", "256 256 256 NV12" },       /* no room for plane 1 */
        { "EINVAL", "256 512 256 NV12" },       /* nor for plane 0 */
    };
    PGGuest *g = pg_fb_start(data);

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        uint64_t key;

        pg_restart_script(g);
        key = pg_create(g, "f", "b", PG_SIZE);
        pg_err(g, bad[i].error, "addfb b %s", bad[i].args);
        PG_LEAVES(g, key, pg_end);
        pg_close(g, "b");
        PG_LEAVES(g, pg_end);
    }
    pg_close_file(g, "f");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

static void pg_test_refused_imported(const void *data)
{
    const PGFbCase *c = data;
    PGGuest *g = pg_fb_start(c);
    uint64_t exporter, importer;

    pg_open(g, "o", c->other);
    exporter = pg_create(g, "o", "e", PG_SIZE);
    pg_export(g, "e", "d");
    importer = pg_import(g, "f", "d", "b");
    pg_err(g, "EINVAL", "addfb b 128 129 512");
    pg_close_fd(g, "d");
    pg_close(g, "e");
    PG_LEAVES(g, exporter, importer, pg_end);
    pg_close(g, "b");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* Two planes in one BO: two references */
static void pg_test_planes(const void *data)
{
    PGGuest *g = pg_fb_start(data);
    uint64_t key = pg_create(g, "f", "b", PG_SIZE);
    unsigned fb =
        pg_u64(g, pg_do(g, "addfb b 128 128 128 NV12"), "fb");

    pg_close(g, "b");
    PG_LEAVES(g, key, pg_end);
    pg_do(g, "rmfb f %u", fb);
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* A plane in each of two BOs: both are kept, and both go, refused or not. */
static void pg_test_two_bos(const void *data)
{
    PGGuest *g = pg_fb_start(data);
    uint64_t luma = pg_create(g, "f", "b1", PG_SIZE), chroma;
    unsigned fb;

    /* Plane 1 is too large for the second BO. */
    pg_create(g, "f", "b2", 4096);
    pg_err(g, "EINVAL", "addfb b1,b2 128 128 128 NV12");
    pg_close(g, "b2");
    PG_LEAVES(g, luma, pg_end);

    chroma = pg_create(g, "f", "b2", PG_SIZE);
    fb = pg_u64(g, pg_do(g, "addfb b1,b2 128 128 128 NV12"), "fb");
    pg_close(g, "b1");
    PG_LEAVES(g, luma, chroma, pg_end);
    pg_close(g, "b2");
    PG_LEAVES(g, luma, chroma, pg_end);
    pg_do(g, "getfb2 f %u c1,c2", fb);
    pg_do(g, "rmfb f %u", fb);
    PG_LEAVES(g, luma, chroma, pg_end);
    pg_close(g, "c1");
    PG_LEAVES(g, chroma, pg_end);
    pg_close(g, "c2");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* Each GETFB makes a handle of its own. */
static void pg_test_getfb(const void *data)
{
    PGGuest *g = pg_fb_start(data);
    uint64_t key = pg_create(g, "f", "b", PG_SIZE);
    unsigned fb = pg_addfb(g, "b");

    pg_close(g, "b");
    pg_assert_one(g, "key",
                  pg_u64(g, pg_do(g, "getfb f %u b1", fb), "key"), key);
    pg_assert_one(g, "key",
                  pg_u64(g, pg_do(g, "getfb2 f %u b2", fb), "key"), key);
    pg_do(g, "rmfb f %u", fb);
    PG_LEAVES(g, key, pg_end);
    pg_close(g, "b1");
    PG_LEAVES(g, key, pg_end);
    pg_close(g, "b2");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* A dma-buf keeps the BO when the framebuffer has gone, and the other way. */
static void pg_test_with_dma_buf(const void *data)
{
    PGGuest *g = pg_fb_start(data);

    for (unsigned fd_first = 0; fd_first < 2; fd_first++) {
        uint64_t key = pg_create(g, "f", "b", PG_SIZE);
        unsigned fb = pg_addfb(g, "b");

        pg_export(g, "b", "d");
        pg_close(g, "b");
        PG_LEAVES(g, key, pg_end);
        if (fd_first) {
            pg_close_fd(g, "d");
            PG_LEAVES(g, key, pg_end);
        }
        pg_do(g, "rmfb f %u", fb);
        if (!fd_first) {
            PG_LEAVES(g, key, pg_end);
            pg_close_fd(g, "d");
        }
        PG_LEAVES(g, pg_end);
    }
    pg_stop(g);
}

/*
 * The last handle is closed while a framebuffer and an importer are there: a
 * handle that GETFB makes must export the dma-buf that the importer has.
 */
static void pg_test_one_dma_buf(const void *data)
{
    const PGFbCase *c = data;
    PGGuest *g = pg_fb_start(c);
    uint64_t key = pg_create(g, "f", "b", PG_SIZE);
    uint64_t inode, importer;
    unsigned fb;

    pg_open(g, "o", c->other);
    inode = pg_inode(g, "b", "d");
    importer = pg_import(g, "o", "d", "i");
    fb = pg_addfb(g, "b");
    pg_close_fd(g, "d");
    pg_close(g, "b");
    PG_LEAVES(g, key, importer, pg_end);

    pg_do(g, "getfb2 f %u again", fb);
    pg_assert_one(g, "dma-buf", pg_inode(g, "again", "d2"), inode);
    pg_assert_one(g, "key", pg_import(g, "o", "d2", "i2"), importer);
    pg_close_fd(g, "d2");
    pg_close(g, "again");
    pg_do(g, "rmfb f %u", fb);
    PG_LEAVES(g, key, importer, pg_end);
    /* The same dma-buf, so the same handle */
    pg_close(g, "i");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

static void pg_test_imported(const void *data)
{
    const PGFbCase *c = data;
    PGGuest *g = pg_fb_start(c);
    uint64_t exporter, importer, inode;
    unsigned fb;

    pg_open(g, "o", c->other);
    exporter = pg_create(g, "o", "e", PG_SIZE);
    inode = pg_inode(g, "e", "d");
    importer = pg_import(g, "f", "d", "b");
    fb = pg_addfb(g, "b");
    pg_close_fd(g, "d");
    pg_close(g, "b");
    pg_close(g, "e");
    PG_LEAVES(g, exporter, importer, pg_end);

    /* What it exports is what was imported. */
    pg_assert_one(g, "key",
                  pg_u64(g, pg_do(g, "getfb2 f %u b2", fb), "key"), importer);
    pg_assert_one(g, "dma-buf", pg_inode(g, "b2", "d2"), inode);
    pg_close_fd(g, "d2");
    pg_close(g, "b2");
    PG_LEAVES(g, exporter, importer, pg_end);
    pg_do(g, "rmfb f %u", fb);
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

/* vkms: import, framebuffer, and no handle left here; returns its number */
static unsigned pg_vkms_fb(PGGuest *g, const char *bo, uint64_t *key,
                           uint64_t *inode)
{
    unsigned fb;

    *key = pg_create(g, "o", bo, PG_SCREEN_SIZE);
    *inode = pg_inode(g, bo, "d");
    pg_do(g, "import v d shown");
    fb = pg_u64(g, pg_do(g, "addfb shown " PG_SCREEN_GEOMETRY), "fb");
    pg_close_fd(g, "d");
    pg_close(g, "shown");
    pg_close(g, bo);
    return fb;
}

static void pg_test_shown(const void *data)
{
    const PGFbCase *c = data;
    PGGuest *g = pg_start(NULL);
    uint64_t first, second, inode1, inode2;
    unsigned fb1, fb2;

    pg_open(g, "o", c->gpu);
    pg_do(g, "open v vkms");
    fb1 = pg_vkms_fb(g, "b1", &first, &inode1);
    fb2 = pg_vkms_fb(g, "b2", &second, &inode2);
    PG_LEAVES(g, first, second, pg_end);

    pg_do(g, "setcrtc v %u", fb1);
    pg_do(g, "flip v %u", fb2);
    pg_do(g, "flip v %u", fb1);
    /* Out of the list, but on the screen until the next flip */
    pg_do(g, "closefb v %u", fb1);
    PG_LEAVES(g, first, second, pg_end);
    pg_do(g, "flip v %u", fb2);
    /* The worker of vkms drops it, after the flip is done. */
    pg_do(g, "await-rmfb vkms %u %u", fb1, PG_SOON_MS);
    PG_LEAVES(g, second, pg_end);

    pg_do(g, "getfb2 v %u again", fb2);
    pg_assert_one(g, "dma-buf", pg_inode(g, "again", "d"), inode2);
    pg_assert_one(g, "key", pg_import(g, "o", "d", "back"), second);
    pg_close_fd(g, "d");
    pg_close(g, "again");
    pg_close(g, "back");
    PG_LEAVES(g, second, pg_end);

    /* RMFB of what is shown turns the screen off. */
    pg_do(g, "rmfb v %u", fb2);
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

static void pg_test_shown_until_close(const void *data)
{
    const PGFbCase *c = data;
    PGGuest *g = pg_start(NULL);
    uint64_t key, inode;
    unsigned fb;

    pg_open(g, "o", c->gpu);
    pg_do(g, "open v vkms");
    fb = pg_vkms_fb(g, "b", &key, &inode);
    pg_do(g, "setcrtc v %u", fb);
    pg_close_file(g, "o");
    PG_LEAVES(g, key, pg_end);
    pg_close_file(g, "v");
    PG_LEAVES(g, pg_end);
    pg_stop(g);
}

static const struct {
    const char *name;
    PGCaseFn fn;
} pg_tests[] = {
    { "keeps", pg_test_keeps },
    { "handle-is-last", pg_test_handle_is_last },
    { "closefb", pg_test_closefb },
    { "two", pg_test_two },
    { "file-close", pg_test_file_close },
    { "killed", pg_test_killed },
    { "refused", pg_test_refused },
    { "refused-imported", pg_test_refused_imported },
    { "planes", pg_test_planes },
    { "two-bos", pg_test_two_bos },
    { "getfb", pg_test_getfb },
    { "with-dma-buf", pg_test_with_dma_buf },
    { "one-dma-buf", pg_test_one_dma_buf },
    { "imported", pg_test_imported },
    { "shown", pg_test_shown },
    { "shown-until-close", pg_test_shown_until_close },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(pg_tests); i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(pg_gpus); k++) {
            g_autofree char *path =
                g_strdup_printf("fb/%s/%s", pg_tests[i].name, pg_gpus[k].name);

            pg_add_case(path, pg_tests[i].fn, &pg_gpus[k]);
        }
    }
    return g_test_run();
}
