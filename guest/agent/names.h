/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu agent: what a worker has open, by the names that the host gave.
 */
#ifndef AGENT_NAMES_H
#define AGENT_NAMES_H

#include "agent.h"

enum kind { KIND_FILE, KIND_BO, KIND_FD, KIND_MAP, KIND_SYNC, KINDS };

struct kms;

/* First member of each of the structs below */
struct name {
    struct name *next;
    enum kind kind;
    char name[PRIMEGPU_AGENT_NAME_MAX];
};

struct file {
    struct name n;
    int fd;
    bool primegpu;          /* has our ioctls */
    struct kms *kms;        /* NULL: not yet asked for */
    char driver[PRIMEGPU_AGENT_NAME_MAX];
};

struct bo {
    struct name n;
    struct file *file;
    uint32_t handle;
    uint64_t size;
};

struct fd {
    struct name n;
    int fd;
};

struct map {
    struct name n;
    uint8_t *addr;
    size_t size;
};

struct sync {
    struct name n;
    struct file *file;
    uint32_t handle;
};

/* Look up; NULL with the call's error set to ESRCH */
struct file *name_file(struct call *c, const char *name);
struct bo *name_bo(struct call *c, const char *name);
struct fd *name_fd(struct call *c, const char *name);
struct map *name_map(struct call *c, const char *name);
struct sync *name_sync(struct call *c, const char *name);

/* Make a zeroed one; NULL with the call's error set (EEXIST, EINVAL, ENOMEM) */
struct file *name_new_file(struct call *c, const char *name);
struct bo *name_new_bo(struct call *c, const char *name);
struct fd *name_new_fd(struct call *c, const char *name);
struct map *name_new_map(struct call *c, const char *name);
struct sync *name_new_sync(struct call *c, const char *name);

/* Forget one (a pointer to any of the structs); closes nothing */
void name_drop(void *entry);

/* Forget the BOs and syncobjs of a file */
void name_drop_of_file(const struct file *file);

unsigned int name_count(enum kind kind);

#endif /* AGENT_NAMES_H */
