/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu agent: what the files of the command storm share.
 *
 * Threads guess handles and framebuffers, and take fds from slots that all of
 * them share, so that one closes what another one is about to use.  Nobody
 * looks at what comes of a call: afterwards the host looks at what is left.
 */
#ifndef AGENT_STORM_H
#define AGENT_STORM_H

#include <pthread.h>
#include <stdatomic.h>

#include "drm-calls.h"

#define STORM_FILES_MAX     8
#define STORM_SYNCS         4
/* Slots: dma-bufs, fences and syncobjs, DRM files, framebuffers of a file */
#define STORM_BUFS          8
#define STORM_FENCES        8
#define STORM_FDS           (STORM_BUFS + STORM_FENCES)
#define STORM_OPENED        3
#define STORM_FBS           4
/* A frame is so wide and high, and a BO has a frame or a page. */
#define STORM_SIDE          64
#define STORM_FRAME_SIZE    (STORM_SIDE * STORM_SIDE * 4)
#define STORM_PAGE_SIZE     4096

struct storm_file {
    struct file file;
    uint32_t crtc, connector;   /* 0: not shown on */
    atomic_uint fbs[STORM_FBS];
};

struct storm {
    struct storm_file files[STORM_FILES_MAX];
    unsigned int file_count;
    atomic_int fds[STORM_FDS];
    atomic_int opened[STORM_OPENED];
    int timeline;               /* of sw_sync */
    atomic_uint now;            /* where it is */
    int zeros;
    atomic_uint running;
    uint64_t count;
    /* Handles are guessed from 1 on; one above that is closed at once. */
    uint64_t handles;
};

struct storm_thread {
    pthread_t id;
    struct storm *storm;
    uint64_t seed, drawn;
    void *map;                  /* the last one stays for a while */
    size_t map_size;
    uint64_t ok;
};

/* A random call; returns 0 or -errno. */
struct storm_op {
    int (*run)(struct storm_thread *t);
    unsigned int weight;
};

/* Each ends with a NULL. */
extern const struct storm_op storm_bo_ops[];
extern const struct storm_op storm_sync_ops[];
extern const struct storm_op storm_kms_ops[];

/* storm.c: below the limit */
uint32_t rnd(struct storm_thread *t, uint32_t limit);
struct storm_file *any_file(struct storm_thread *t);
uint32_t any_handle(struct storm_thread *t);
uint32_t any_sync(struct storm_thread *t);
/* A slot of the kind that is wanted, and sometimes one of the other */
atomic_int *any_slot(struct storm_thread *t, bool fence);
int any_buf(struct storm_thread *t);
int any_fence(struct storm_thread *t);
/* What was there is closed: each fd has one that takes it out. */
int keep_fd(atomic_int *slot, int fd);
/* One that nobody would guess is closed at once. */
int keep_handle(struct storm_thread *t, int file, uint32_t handle);
/* An ioctl, once; 0 or -errno */
int try(int fd, unsigned long request, void *arg);

/* storm-kms.c: what the file can show frames on, and the end of it */
void storm_find_output(struct storm_file *f);
void storm_hide(struct storm_file *f);

#endif /* AGENT_STORM_H */
