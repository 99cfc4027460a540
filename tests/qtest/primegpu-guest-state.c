/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest rig: saved guests.  Owns the files in $PRIMEGPU_STATE.
 *
 * Two levels: "booted" has the agent waiting and no DRM modules, "loaded" has
 * the modules of one archive inserted, and its memory in a file of its own,
 * which resumed guests map instead of reading it.  A file's name is a hash of
 * all that the guest was made of, so a stale one is never found.  Files are
 * written under another name and renamed, under a lock of their name, so that
 * test processes may run side by side and be interrupted at any time.
 */
#include "qemu/osdep.h"
#include <sys/file.h>
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "primegpu-guest-priv.h"

/* Raise it when the meaning of a saved guest changes. */
#define PG_STATE_VERSION 5

/* Files that are kept; those that were used last stay. */
#define PG_STATE_KEEP 60

/*
 * Size of the disk that holds an archive.  All have the same size, as a
 * guest that was booted with one archive is resumed with another.
 */
#define PG_DISK_SIZE (256 * MiB)

#define PG_BOOT_LIMIT_S 180

/*
 * The guest measures its clocks when it boots.  If the host is very busy just
 * then, its second processor may get no timer ever after, of which the kernel
 * complains.  Nothing has been tested by then, so it is booted again.
 */
#define PG_BOOT_TRIES 3
#define PG_BOOT_STALLED "detected stalls on CPUs"

static void pg_hash_file(GChecksum *sum, const char *path)
{
    g_autofree char *text = NULL;
    struct stat st;

    if (stat(path, &st) < 0) {
        pg_skip("%s: %s", path, strerror(errno));
    }
    text = g_strdup_printf("%s %" PRIu64 " %" PRIu64 " %" PRIu64 ".%09ld\n",
                           path, (uint64_t)st.st_ino, (uint64_t)st.st_size,
                           (uint64_t)st.st_mtime, (long)st.st_mtim.tv_nsec);
    g_checksum_update(sum, (const guchar *)text, -1);
}

static const char *pg_modules(const PGMachine *m)
{
    return m->modules ?: pg_env("PRIMEGPU_MODULES");
}

static const char *pg_state_dir(void)
{
    const char *dir = g_getenv("PRIMEGPU_STATE");

    if (!dir) {
        pg_skip("PRIMEGPU_STATE is not set");
    }
    if (g_mkdir_with_parents(dir, 0777) < 0) {
        pg_fail(NULL, "%s: %s", dir, strerror(errno));
    }
    return dir;
}

/* The file that has what @sum has seen, in the folder of saved guests */
static char *pg_state_path(const char *kind, GChecksum *sum)
{
    g_autofree char *name =
        g_strdup_printf("%s-%.24s", kind, g_checksum_get_string(sum));

    return g_build_filename(pg_state_dir(), name, NULL);
}

static char *pg_booted_path(const PGMachine *m)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *options = pg_machine_options(m);
    g_autofree char *head = g_strdup_printf("%d\n", PG_STATE_VERSION);

    g_checksum_update(sum, (const guchar *)head, -1);
    g_checksum_update(sum, (const guchar *)options, -1);
    pg_hash_file(sum, pg_env("QTEST_QEMU_BINARY"));
    pg_hash_file(sum, m->kernel ?: pg_env("PRIMEGPU_KERNEL"));
    pg_hash_file(sum, pg_env("PRIMEGPU_INITRD"));
    if (pg_has_primegpu(m)) {
        g_autofree char *config =
            g_build_filename(pg_env("PRIMEGPU_CONFIG_DIR"),
                             m->config ?: "primegpu-pair.cfg", NULL);

        pg_hash_file(sum, config);
    }
    return pg_state_path("booted", sum);
}

static char *pg_memory_path(const char *loaded)
{
    return g_strconcat(loaded, ".memory", NULL);
}

static char *pg_loaded_path(const PGMachine *m, const char *booted)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    g_checksum_update(sum, (const guchar *)booted, -1);
    g_checksum_update(sum, (const guchar *)(m->untraced ? "" : "traced"), -1);
    pg_hash_file(sum, pg_modules(m));
    return pg_state_path("loaded", sum);
}

static int pg_lock(const char *path)
{
    g_autofree char *name = g_strconcat(path, ".lock", NULL);
    int fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0666);

    if (fd < 0 || RETRY_ON_EINTR(flock(fd, LOCK_EX)) < 0) {
        pg_fail(NULL, "%s: %s", name, strerror(errno));
    }
    return fd;
}

static bool pg_exists(const char *path)
{
    /* For the pruning: it was used now. */
    return utimensat(AT_FDCWD, path, NULL, 0) == 0;
}

static gint pg_newer_first(gconstpointer a, gconstpointer b)
{
    const char *const *name_a = a, *const *name_b = b;
    struct stat st_a = { 0 }, st_b = { 0 };

    stat(*name_a, &st_a);
    stat(*name_b, &st_b);
    return (st_a.st_mtime < st_b.st_mtime) - (st_a.st_mtime > st_b.st_mtime);
}

/* A file that a resuming QEMU has open stays readable to it. */
static void pg_prune(const char *dir)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
    const char *name;

    while (d && (name = g_dir_read_name(d))) {
        if (!g_str_has_suffix(name, ".lock")) {
            g_ptr_array_add(paths, g_build_filename(dir, name, NULL));
        }
    }
    g_ptr_array_sort(paths, pg_newer_first);
    for (unsigned i = PG_STATE_KEEP; i < paths->len; i++) {
        g_autofree char *lock =
            g_strconcat(g_ptr_array_index(paths, i), ".lock", NULL);

        unlink(g_ptr_array_index(paths, i));
        unlink(lock);
    }
}

/* A copy of the archive, as large as every disk */
static char *pg_disk(const char *archive)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(GError) err = NULL;
    g_autofree char *data = NULL;
    g_autofree char *temp = NULL;
    char *path;
    gsize len;
    int lock;

    pg_hash_file(sum, archive);
    path = pg_state_path("disk", sum);
    if (pg_exists(path)) {
        return path;
    }
    lock = pg_lock(path);
    temp = g_strconcat(path, ".new", NULL);
    if (!g_file_get_contents(archive, &data, &len, &err)) {
        pg_skip("%s", err->message);
    }
    if (len > PG_DISK_SIZE) {
        pg_fail(NULL, "%s has %zu bytes, the disk for it has %" PRIu64,
                archive, len, (uint64_t)PG_DISK_SIZE);
    }
    if (!g_file_set_contents(temp, data, len, &err)) {
        pg_fail(NULL, "%s", err->message);
    }
    if (truncate(temp, PG_DISK_SIZE) < 0 || rename(temp, path) < 0) {
        pg_fail(NULL, "%s: %s", temp, strerror(errno));
    }
    close(lock);
    return path;
}

/* False if its clocks do not work */
static bool pg_wait_ready(PGGuest *g)
{
    int limit_s = PG_BOOT_LIMIT_S * pg_slow();
    int64_t until = g_get_monotonic_time() + (int64_t)limit_s * G_USEC_PER_SEC;

    while (!g->ready) {
        if (strstr(g->console->str, PG_BOOT_STALLED)) {
            return false;
        }
        if (!pg_pump(g, until)) {
            pg_fail(g, "the guest did not boot within %d s", limit_s);
        }
    }
    return true;
}

static void pg_insmod(PGGuest *g)
{
    pg_log_line(g, "insmod");
    pg_expect_ok(g, pg_agent_send(g, "insmod"));
    pg_log_line(g, "settle");
    if (pg_has_primegpu(&g->machine)) {
        pg_expect_ok(g, pg_agent_send(g, "settle"));
    }
    pg_mark_allocated(g);
    if (!g->machine.untraced) {
        pg_report_trace_on(g, false);
    }
}

static PGGuest *pg_boot(const PGMachine *m, const char *disk)
{
    for (unsigned i = 1; ; i++) {
        PGGuest *g = pg_machine_spawn(m, disk, NULL, NULL);

        if (pg_wait_ready(g)) {
            pg_expect_ok(g, pg_agent_send(g, "ping"));
            return g;
        }
        if (i == PG_BOOT_TRIES) {
            pg_fail(g, "a processor of the guest got no timer, %u times", i);
        }
        pg_machine_quit(g);
    }
}

static PGGuest *pg_resume(const PGMachine *m, const char *disk,
                          const char *path, const PGMemory *memory)
{
    PGGuest *g = pg_machine_spawn(m, disk, path, memory);

    pg_expect_ok(g, pg_agent_send(g, "ping"));
    return g;
}

static void pg_migrated(PGGuest *g)
{
    for (;;) {
        QDict *event = qtest_qmp_eventwait_ref(g->qts, "MIGRATION");
        const char *status =
            qdict_get_str(qdict_get_qdict(event, "data"), "status");
        bool completed = g_str_equal(status, "completed");
        bool failed = g_str_equal(status, "failed");

        qobject_unref(event);
        if (failed) {
            pg_fail(g, "the guest could not be saved in %s (disk full?)",
                    pg_state_dir());
        }
        if (completed) {
            return;
        }
    }
}

/* Where its memory is a file, that has it. */
static void pg_save(PGGuest *g, const char *path, bool has_memory)
{
    g_autofree char *temp = g_strconcat(path, ".new", NULL);
    g_autofree char *uri = g_strconcat("file:", temp, NULL);

    /* Running, so that it runs when it is resumed */
    qtest_qmp_assert_success(g->qts,
        "{ 'execute': 'migrate-set-capabilities', 'arguments': {"
        "  'capabilities': [ { 'capability': 'events', 'state': true },"
        "    { 'capability': 'x-ignore-shared', 'state': %i } ] } }",
        has_memory);
    qtest_qmp_assert_success(g->qts,
        "{ 'execute': 'migrate-set-parameters', 'arguments': {"
        "  'max-bandwidth': 17179869184 } }");
    qtest_qmp_assert_success(g->qts,
        "{ 'execute': 'migrate', 'arguments': { 'uri': %s } }", uri);
    pg_migrated(g);
    if (rename(temp, path) < 0) {
        pg_fail(g, "%s: %s", temp, strerror(errno));
    }
}

static void pg_make_booted(const PGMachine *m, const char *disk,
                           const char *path)
{
    int lock = pg_lock(path);

    if (!pg_exists(path)) {
        PGGuest *g = pg_boot(m, disk);

        pg_save(g, path, false);
        pg_machine_quit(g);
        pg_prune(pg_state_dir());
    }
    close(lock);
}

static void pg_make_loaded(const PGMachine *m, const char *disk,
                           const char *booted, const char *path,
                           const char *memory)
{
    int lock = pg_lock(path);

    if (!pg_exists(path) || !pg_exists(memory)) {
        g_autofree char *temp = g_strconcat(memory, ".new", NULL);
        PGGuest *g;

        pg_make_booted(m, disk, booted);
        unlink(temp);
        /* It belongs to a memory that is gone; the new one is there first. */
        unlink(path);
        g = pg_resume(m, disk, booted, &(PGMemory) { temp, true });
        pg_insmod(g);
        if (rename(temp, memory) < 0) {
            pg_fail(g, "%s: %s", temp, strerror(errno));
        }
        pg_save(g, path, true);
        pg_machine_quit(g);
        pg_prune(pg_state_dir());
    }
    close(lock);
}

PGGuest *pg_state_start(const PGMachine *m)
{
    g_autofree char *disk = pg_disk(pg_modules(m));
    g_autofree char *booted = NULL;
    g_autofree char *loaded = NULL;
    g_autofree char *memory = NULL;
    PGGuest *g;

    if (m->start == PG_START_COLD || m->start == PG_START_COLD_BARE) {
        g = pg_boot(m, disk);
        if (m->start == PG_START_COLD) {
            pg_insmod(g);
        }
        return g;
    }
    booted = pg_booted_path(m);
    if (m->start == PG_START_BOOTED) {
        if (!pg_exists(booted)) {
            pg_make_booted(m, disk, booted);
        }
        return pg_resume(m, disk, booted, NULL);
    }
    loaded = pg_loaded_path(m, booted);
    memory = pg_memory_path(loaded);
    if (!pg_exists(loaded) || !pg_exists(memory)) {
        pg_make_loaded(m, disk, booted, loaded, memory);
    }
    g = pg_resume(m, disk, loaded, &(PGMemory) { memory, false });
    if (pg_has_primegpu(m)) {
        pg_events(g);
        pg_forget(g);
    }
    return g;
}
