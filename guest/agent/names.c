/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One hash table for the names of all kinds.  It owns the entries and never
 * what they stand for: the commands close that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

#define BUCKETS     4096
#define NAMES_MAX   (1u << 20)

static const struct {
    const char *word;
    size_t size;
} kinds[KINDS] = {
    [KIND_FILE] = { "file",    sizeof(struct file) },
    [KIND_BO]   = { "BO",      sizeof(struct bo) },
    [KIND_FD]   = { "fd",      sizeof(struct fd) },
    [KIND_MAP]  = { "map",     sizeof(struct map) },
    [KIND_SYNC] = { "syncobj", sizeof(struct sync) },
};

static struct name *buckets[BUCKETS];
static unsigned int counts[KINDS];

static struct name **bucket_of(enum kind kind, const char *name)
{
    return &buckets[primegpu_agent_checksum(kind, name, strlen(name)) %
                    BUCKETS];
}

static struct name *name_find(enum kind kind, const char *name)
{
    struct name *n;

    for (n = *bucket_of(kind, name); n; n = n->next) {
        if (n->kind == kind && !strcmp(n->name, name)) {
            return n;
        }
    }
    return NULL;
}

static void *name_get(struct call *c, enum kind kind, const char *name)
{
    struct name *n = name_find(kind, name);

    if (!n) {
        call_fail(c, ESRCH, "no %s '%.40s'", kinds[kind].word, name);
    }
    return n;
}

static void *name_new(struct call *c, enum kind kind, const char *name)
{
    struct name **bucket = bucket_of(kind, name);
    struct name *n;

    if (!line_name_ok(name)) {
        call_fail(c, EINVAL, "'%.40s' is no name: a-z, 0-9 and - after a-z",
                  name);
        return NULL;
    }
    if (name_find(kind, name)) {
        call_fail(c, EEXIST, "there is a %s '%s'", kinds[kind].word, name);
        return NULL;
    }
    n = counts[kind] < NAMES_MAX ? calloc(1, kinds[kind].size) : NULL;
    if (!n) {
        call_fail(c, ENOMEM, "too many names");
        return NULL;
    }
    n->kind = kind;
    strcpy(n->name, name);
    n->next = *bucket;
    *bucket = n;
    counts[kind]++;
    return n;
}

void name_drop(void *entry)
{
    struct name *n = entry;
    struct name **p = bucket_of(n->kind, n->name);

    while (*p != n) {
        p = &(*p)->next;
    }
    *p = n->next;
    counts[n->kind]--;
    free(n);
}

static const struct file *name_file_of(const struct name *n)
{
    switch (n->kind) {
    case KIND_BO:
        return ((const struct bo *)n)->file;
    case KIND_SYNC:
        return ((const struct sync *)n)->file;
    default:
        return NULL;
    }
}

void name_drop_of_file(const struct file *file)
{
    size_t i;

    if (!counts[KIND_BO] && !counts[KIND_SYNC]) {
        return;
    }
    for (i = 0; i < BUCKETS; i++) {
        struct name *n = buckets[i];

        while (n) {
            struct name *next = n->next;

            if (name_file_of(n) == file) {
                name_drop(n);
            }
            n = next;
        }
    }
}

unsigned int name_count(enum kind kind)
{
    return counts[kind];
}

struct file *name_file(struct call *c, const char *name)
{
    return name_get(c, KIND_FILE, name);
}

struct bo *name_bo(struct call *c, const char *name)
{
    return name_get(c, KIND_BO, name);
}

struct fd *name_fd(struct call *c, const char *name)
{
    return name_get(c, KIND_FD, name);
}

struct map *name_map(struct call *c, const char *name)
{
    return name_get(c, KIND_MAP, name);
}

struct sync *name_sync(struct call *c, const char *name)
{
    return name_get(c, KIND_SYNC, name);
}

struct file *name_new_file(struct call *c, const char *name)
{
    return name_new(c, KIND_FILE, name);
}

struct bo *name_new_bo(struct call *c, const char *name)
{
    return name_new(c, KIND_BO, name);
}

struct fd *name_new_fd(struct call *c, const char *name)
{
    return name_new(c, KIND_FD, name);
}

struct map *name_new_map(struct call *c, const char *name)
{
    return name_new(c, KIND_MAP, name);
}

struct sync *name_new_sync(struct call *c, const char *name)
{
    return name_new(c, KIND_SYNC, name);
}
