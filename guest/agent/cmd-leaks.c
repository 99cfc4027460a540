/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel has allocated and not freed, by the line of source that did
 * it; and what was written after it was freed, which the kernel complains of.
 * Main takes the account, as it outlives all workers.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"

#define ALLOCINFO "/proc/allocinfo"
#define SLABS_DIR "/sys/kernel/slab"
#define SHRINK "/proc/sys/vm/drop_caches"

/*
 * Say nothing of it from now on; then: page cache and what can be made again.
 * That has processors put pages on lists, too, which they keep until then.  No
 * value does both.
 */
static const char *const shrink[] = { "4", "3" };

/* Of the file in all; it has some 4000 lines */
#define TEXT_MAX (4u << 20)

/* Lines that are told; more of them would tell no more */
#define TOLD_MAX 30

/* A line of source: FILE:LINE [MODULE] func:FUNCTION */
struct site {
    const char *where;
    long long bytes;
    long long calls;
};

struct account {
    char *text;
    struct site *sites;
    size_t count;
};

/* The latest mark, and the one that was made before all others */
static struct account latest, first;

/*
 * What DRM users can make: sites of the tested code, and those that allocate
 * for it.  Others are the rest of the kernel's own affair.
 */
static const char *const wanted[] = {
    "drivers/dma-buf/", "drivers/gpu/", "fs/eventfd.c:", "fs/file_table.c:",
    "include/drm/", "include/linux/dma-fence", "kernel/pid.c:",
    "lib/scatterlist.c:", "mm/shmem.c:", "mm/util.c:",
};

static const char ours[] = " [primegpu_";

/* Kept for later use, or for a display that has more modes now */
static const char *const caches[] = {
    "drm/drm_edid", "drm/drm_modes.c:", "func:kstrdup",
};

/* Pages that are kept for a while, and given back when memory is short */
static const char *const pooled[] = {
    "func:ttm_pool_alloc_page", "func:shmem_alloc_folio",
};

static bool is_one_of(const char *const *parts, size_t count,
                      const char *where)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (strstr(where, parts[i])) {
            return true;
        }
    }
    return false;
}

static bool is_cache(const char *where)
{
    return is_one_of(caches, ARRAY_SIZE(caches), where);
}

static bool is_wanted(const char *where)
{
    const char *module = strchr(where, ' ');
    size_t i;

    for (i = 0; i < ARRAY_SIZE(wanted); i++) {
        if (!strncmp(where, wanted[i], strlen(wanted[i]))) {
            return !is_cache(where);
        }
    }
    return module && !strncmp(module, ours, strlen(ours)) && !is_cache(where);
}

static const char *skip_counts(const char *line)
{
    static const char counts[] = " 0123456789";

    return line + strspn(line, counts);
}

static int site_compare(const void *a, const void *b)
{
    const struct site *x = a, *y = b;

    return strcmp(x->where, y->where);
}

static void account_free(struct account *a)
{
    free(a->text);
    free(a->sites);
    *a = (struct account) { 0 };
}

/* 0 or -errno */
static int account_read(struct account *a)
{
    size_t n = 0;
    ssize_t got = -1;
    int fd = open(ALLOCINFO, O_RDONLY | O_CLOEXEC);
    int error;

    if (fd < 0) {
        return -errno;
    }
    a->text = malloc(TEXT_MAX);
    while (a->text && (got = read(fd, a->text + n, TEXT_MAX - 1 - n)) > 0) {
        n += got;
    }
    error = got < 0 ? -errno : 0;
    close(fd);
    if (a->text) {
        a->text[n] = '\0';
    }
    return error;
}

/* Each thread has a pid, and threads of the kernel come and go. */
static long long count_threads(void)
{
    char text[64] = "";
    long long n = 0;

    sys_read_text("/proc/loadavg", text, sizeof(text));
    sscanf(text, "%*s %*s %*s %*d/%lld", &n);
    return n;
}

/* Expansions of one macro have one name: add them up. */
static void account_merge(struct account *a)
{
    size_t i, n = 0;

    qsort(a->sites, a->count, sizeof(*a->sites), site_compare);
    for (i = 0; i < a->count; i++) {
        if (n && !strcmp(a->sites[n - 1].where, a->sites[i].where)) {
            a->sites[n - 1].bytes += a->sites[i].bytes;
            a->sites[n - 1].calls += a->sites[i].calls;
        } else {
            a->sites[n++] = a->sites[i];
        }
    }
    a->count = n;
}

/* 0 or -errno, and then it is empty */
static int account_take(struct account *a)
{
    size_t room = 0;
    char *line, *end;
    int error;

    *a = (struct account) { 0 };
    error = account_read(a);

    for (line = a->text; !error && line && *line; line = end) {
        struct site site;

        end = strchr(line, '\n');
        if (end) {
            *end++ = '\0';
        }
        /* Some hundred of them: the cheap question first */
        site.where = skip_counts(line);
        if (!is_wanted(site.where) ||
            sscanf(line, "%lld %lld", &site.bytes, &site.calls) != 2) {
            continue;
        }
        if (strstr(site.where, "func:alloc_pid")) {
            site.calls -= count_threads();
        }
        if (a->count == room) {
            struct site *more;

            room = room ? room * 2 : 256;
            more = realloc(a->sites, room * sizeof(*more));
            if (!more) {
                error = -ENOMEM;
                break;
            }
            a->sites = more;
        }
        a->sites[a->count++] = site;
    }
    if (error) {
        account_free(a);
        return error;
    }
    account_merge(a);
    return 0;
}

/* What this site has more of than when the account was marked */
static struct site site_growth(const struct site *site,
                               const struct account *marked)
{
    const struct site *old = bsearch(site, marked->sites, marked->count,
                                     sizeof(*site), site_compare);
    struct site more = *site;

    if (old) {
        more.bytes -= old->bytes;
        more.calls -= old->calls;
    }
    return more;
}

static bool pools_have_grown(const struct account *now,
                             const struct account *marked)
{
    size_t i;

    for (i = 0; i < now->count; i++) {
        if (is_one_of(pooled, ARRAY_SIZE(pooled), now->sites[i].where) &&
            site_growth(&now->sites[i], marked).calls > 0) {
            return true;
        }
    }
    return false;
}

static int account_told(struct call *c, const struct account *now,
                        const struct account *marked)
{
    char text[256];
    size_t i;
    int n = 0;

    for (i = 0; i < now->count; i++) {
        struct site more = site_growth(&now->sites[i], marked);

        if (more.calls > 0 && n++ < TOLD_MAX) {
            snprintf(text, sizeof(text), "%lld more, %lld bytes: %s",
                     more.calls, more.bytes, more.where);
            c->line(c, text);
        }
    }
    return n;
}

/* 0, or an error that the reply has */
static int give_back(struct call *c)
{
    int error = 0;
    size_t i;

    for (i = 0; !error && i < ARRAY_SIZE(shrink); i++) {
        error = sys_write_text(SHRINK, shrink[i]);
    }
    return error ? call_fail(c, -error, SHRINK) : 0;
}

/*
 * The allocator finds what was written to a free object when it gives it out
 * again: it is asked to look at all of them now.  Nothing is asked of a kernel
 * that does not fill what is freed with a pattern.
 */
static void check_freed(void)
{
    DIR *dir = opendir(SLABS_DIR);
    struct dirent *entry;
    char path[sizeof(SLABS_DIR "//validate") + NAME_MAX];

    while (dir && (entry = readdir(dir))) {
        if (!strncmp(entry->d_name, "kmalloc-", strlen("kmalloc-")) ||
            !strncmp(entry->d_name, "drm_", strlen("drm_"))) {
            snprintf(path, sizeof(path), SLABS_DIR "/%s/validate",
                     entry->d_name);
            sys_write_text(path, "1");
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static int leaks_mark(struct call *c)
{
    int error;

    account_free(&latest);
    /* What goes later than this would make up for what is kept then. */
    if (give_back(c)) {
        return c->error;
    }
    error = account_take(&latest);
    if (!error && !first.text) {
        error = account_take(&first);
    }
    if (error) {
        return call_fail(c, -error, ALLOCINFO);
    }
    call_add(c, "sites=%zu", latest.count);
    return 0;
}

static int leaks_tell(struct call *c, const struct account *marked)
{
    struct account now;
    int error = account_take(&now);

    if (!error && pools_have_grown(&now, marked)) {
        account_free(&now);
        if (give_back(c)) {
            return c->error;
        }
        error = account_take(&now);
    }
    if (error) {
        return call_fail(c, -error, ALLOCINFO);
    }
    check_freed();
    call_add(c, "sites=%zu grown=%d", now.count,
             account_told(c, &now, marked));
    account_free(&now);
    return 0;
}

int cmd_leaks(struct call *c)
{
    enum { MARK, FIRST };
    int choice = -1;

    if (!c->tag) {
        return call_fail(c, EINVAL, "the agent itself runs this");
    }
    if (c->argc > 1 && !call_choice(c, 1, "mark|first", &choice)) {
        return c->error;
    }
    if (choice != MARK && !first.text) {
        return call_fail(c, ENODATA, "nothing was marked");
    }
    marker_prepare();
    if (admin_free_late(c) < 0) {
        return c->error;
    }
    return choice == MARK ? leaks_mark(c) :
           leaks_tell(c, choice == FIRST ? &first : &latest);
}
