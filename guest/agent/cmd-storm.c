/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that make random calls on the same DRM files at the same time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "storm.h"
#include "sw-sync.h"

#define COUNT_MAX   1000000
#define THREADS_MAX 16
#define HANDLES_MAX 1000
/* Fences of the timeline come by themselves, after so long. */
#define TICK_NS     500000

static const struct storm_op *const all_ops[] = {
    storm_bo_ops, storm_sync_ops, storm_kms_ops,
};

/* The op that has its weight at this place of all weights */
static const struct storm_op *op_at(unsigned int at)
{
    const struct storm_op *op;
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(all_ops); i++) {
        for (op = all_ops[i]; op->run; op++) {
            if (at < op->weight) {
                return op;
            }
            at -= op->weight;
        }
    }
    return NULL;
}

static unsigned int total_weight(void)
{
    const struct storm_op *op;
    unsigned int total = 0, i;

    for (i = 0; i < ARRAY_SIZE(all_ops); i++) {
        for (op = all_ops[i]; op->run; op++) {
            total += op->weight;
        }
    }
    return total;
}

static void *run_thread(void *data)
{
    struct storm_thread *t = data;
    unsigned int total = total_weight();
    uint64_t i;

    for (i = 0; i < t->storm->count; i++) {
        t->ok += !op_at(rnd(t, total))->run(t);
    }
    if (t->map) {
        munmap(t->map, t->map_size);
    }
    atomic_fetch_sub(&t->storm->running, 1);
    return NULL;
}

/* Signal the fences as time goes on, or threads would wait for each other. */
static void tick(struct storm *s)
{
    static const struct timespec pause = { .tv_nsec = TICK_NS };
    uint32_t one = 1;

    atomic_fetch_add(&s->now, 1);
    try(s->timeline, SW_SYNC_INC, &one);
    nanosleep(&pause, NULL);
}

static int storm_begin(struct call *c, struct storm *s)
{
    int i;

    for (i = 5; i < c->argc; i++) {
        struct file *file = name_file(c, c->argv[i]);

        if (!file) {
            return c->error;
        }
        if (s->file_count == STORM_FILES_MAX) {
            return call_usage(c);
        }
        /* Another thread, or process, can be the one that reads an event. */
        if (fcntl(file->fd, F_SETFL, O_NONBLOCK)) {
            return call_fail(c, errno, "F_SETFL");
        }
        s->files[s->file_count].file = *file;
        storm_find_output(&s->files[s->file_count++]);
    }
    for (i = 0; i < STORM_FDS; i++) {
        s->fds[i] = -1;
    }
    for (i = 0; i < STORM_OPENED; i++) {
        s->opened[i] = -1;
    }
    s->zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    if (s->zeros < 0) {
        return call_fail(c, errno, "/dev/zero");
    }
    s->timeline = open(SW_SYNC, O_RDWR | O_CLOEXEC);
    if (s->timeline < 0) {
        close(s->zeros);
        return call_fail(c, errno, SW_SYNC);
    }
    return 0;
}

/* The slots, and the framebuffers; handles stay with the files. */
static void storm_end(struct storm *s)
{
    unsigned int i;

    close(s->timeline);
    close(s->zeros);
    for (i = 0; i < STORM_FDS; i++) {
        keep_fd(&s->fds[i], -1);
    }
    for (i = 0; i < STORM_OPENED; i++) {
        keep_fd(&s->opened[i], -1);
    }
    for (i = 0; i < s->file_count; i++) {
        storm_hide(&s->files[i]);
    }
}

int cmd_storm(struct call *c)
{
    static struct storm_thread threads[THREADS_MAX];
    static struct storm s;
    uint64_t seed, number, i, ok = 0;
    int error;

    memset(&s, 0, sizeof(s));
    if (!call_number(c, 1, UINT64_MAX, &seed) ||
        !call_number(c, 2, COUNT_MAX, &s.count) ||
        !call_number(c, 3, THREADS_MAX, &number) ||
        !call_number(c, 4, HANDLES_MAX, &s.handles)) {
        return c->error;
    }
    if (!s.handles) {
        return call_usage(c);
    }
    if (storm_begin(c, &s)) {
        return c->error;
    }
    s.running = number;
    for (i = 0; i < number; i++) {
        threads[i] = (struct storm_thread) {
            .storm = &s,
            .seed = seed * THREADS_MAX + i,
        };
        error = pthread_create(&threads[i].id, NULL, run_thread, &threads[i]);
        if (error) {
            call_fail(c, error, "thread %llu", (unsigned long long)i);
            atomic_fetch_sub(&s.running, number - i);
            number = i;
        }
    }
    while (s.running) {
        tick(&s);
    }
    for (i = 0; i < number; i++) {
        pthread_join(threads[i].id, NULL);
        ok += threads[i].ok;
    }
    storm_end(&s);
    if (!c->error) {
        call_add(c, "ok=%llu", (unsigned long long)ok);
    }
    return c->error;
}
