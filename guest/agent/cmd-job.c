/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs: fill and copy, of bytes and of rectangles, with their options.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "drm-calls.h"

#define SYNCS_MAX   8
#define OPS_MAX     8

/* A job on its way: the arguments of the ioctl, and what the options want */
struct job {
    struct file *file;
    struct drm_primegpu_submit submit;
    struct drm_primegpu_op op;
    struct drm_primegpu_sync in[SYNCS_MAX];
    struct drm_primegpu_sync out[SYNCS_MAX];
    const char *out_name;       /* of the fd, or NULL */
    bool wait;
    bool more;                  /* the next call is of the same job */
};

/* The operations of a job, until the last of them has come */
static struct {
    struct file *file;
    struct drm_primegpu_op ops[OPS_MAX];
    uint32_t count;
} kept;

static bool add_sync(struct call *c, struct job *job, char *word,
                     struct drm_primegpu_sync *syncs, uint32_t *count)
{
    char *colon = strchr(word, ':');
    uint64_t point = 0;
    struct sync *sync;

    if (colon) {
        *colon = '\0';
        if (!line_number(colon + 1, &point)) {
            call_usage(c);
            return false;
        }
    }
    sync = name_sync(c, word);
    if (!sync) {
        return false;
    }
    if (sync->file != job->file) {
        call_fail(c, EXDEV, "'%s' is of another file", word);
        return false;
    }
    if (*count == SYNCS_MAX) {
        call_fail(c, E2BIG, "at most %d syncobjs", SYNCS_MAX);
        return false;
    }
    syncs[*count].handle = sync->handle;
    syncs[*count].point = point;
    (*count)++;
    return true;
}

static bool add_option(struct call *c, struct job *job, char *word)
{
    struct drm_primegpu_submit *submit = &job->submit;
    struct fd *fd;

    if (!strcmp(word, "explicit")) {
        submit->flags |= PRIMEGPU_SUBMIT_EXPLICIT_SYNC;
    } else if (!strcmp(word, "more")) {
        job->more = true;
    } else if (!strcmp(word, "wait")) {
        submit->flags |= PRIMEGPU_SUBMIT_FENCE_FD_OUT;
        job->wait = true;
    } else if (!strncmp(word, "in=", 3)) {
        fd = name_fd(c, word + 3);
        if (!fd) {
            return false;
        }
        submit->flags |= PRIMEGPU_SUBMIT_FENCE_FD_IN;
        submit->in_fence_fd = fd->fd;
    } else if (!strncmp(word, "out=", 4)) {
        submit->flags |= PRIMEGPU_SUBMIT_FENCE_FD_OUT;
        job->out_name = word + 4;
    } else if (!strncmp(word, "insync=", 7)) {
        return add_sync(c, job, word + 7, job->in, &submit->in_sync_count);
    } else if (!strncmp(word, "outsync=", 8)) {
        return add_sync(c, job, word + 8, job->out, &submit->out_sync_count);
    } else {
        call_fail(c, EINVAL, "no option '%.40s': explicit more wait in=FD "
                  "out=FD insync=SYNC[:POINT] outsync=SYNC[:POINT]", word);
        return false;
    }
    return true;
}

static bool job_options(struct call *c, struct job *job, int arg)
{
    for (; arg < c->argc; arg++) {
        if (!add_option(c, job, c->argv[arg])) {
            return false;
        }
    }
    job->submit.in_syncs = (uintptr_t)job->in;
    job->submit.out_syncs = (uintptr_t)job->out;
    return true;
}

/* Keep the fence under its name, wait for it, or both */
static int job_fence(struct call *c, struct job *job, struct fd *out)
{
    struct pollfd pfd = { .fd = job->submit.out_fence_fd, .events = POLLIN };
    int ret = 0;

    if (job->wait) {
        do {
            ret = poll(&pfd, 1, -1);
        } while (ret < 0 && errno == EINTR);
    }
    if (out) {
        out->fd = job->submit.out_fence_fd;
    } else {
        close(job->submit.out_fence_fd);
    }
    return ret < 0 ? call_fail(c, errno, "poll") : 0;
}

static bool job_keep(struct call *c, struct job *job)
{
    if (kept.count && kept.file != job->file) {
        kept.count = 0;
        call_fail(c, EXDEV, "the job's other operations are of another file");
        return false;
    }
    if (kept.count == OPS_MAX) {
        kept.count = 0;
        call_fail(c, E2BIG, "at most %d operations", OPS_MAX);
        return false;
    }
    kept.file = job->file;
    kept.ops[kept.count++] = job->op;
    return true;
}

/* Queue the job; its options start at argument arg */
static int job_run(struct call *c, struct job *job, int arg)
{
    struct fd *out = NULL;
    uint32_t count;
    int error;

    if (!job_options(c, job, arg) || !job_keep(c, job) || job->more) {
        return c->error;
    }
    count = kept.count;
    kept.count = 0;
    if (job->out_name) {
        out = name_new_fd(c, job->out_name);
        if (!out) {
            return c->error;
        }
    }
    error = drm_submit(job->file, &job->submit, kept.ops, count);
    if (error) {
        if (out) {
            name_drop(out);
        }
        return call_fail(c, -error, "SUBMIT");
    }
    if (job->submit.flags & PRIMEGPU_SUBMIT_FENCE_FD_OUT) {
        return job_fence(c, job, out);
    }
    return 0;
}

/* Numbers from argument arg on; each has a place and the largest it may be */
static bool take_number(struct call *c, int arg, uint32_t *value)
{
    uint64_t number;

    if (!call_number(c, arg, UINT32_MAX, &number)) {
        return false;
    }
    *value = number;
    return true;
}

static bool take_offset(struct call *c, int arg, __u64 *value)
{
    uint64_t number;

    if (!call_number(c, arg, UINT64_MAX, &number)) {
        return false;
    }
    *value = number;
    return true;
}

static bool job_dst(struct call *c, struct job *job)
{
    struct bo *bo = name_bo(c, c->argv[1]);

    if (!bo || !take_offset(c, 2, &job->op.dst_offset)) {
        return false;
    }
    job->file = bo->file;
    job->op.dst_handle = bo->handle;
    return true;
}

static bool job_src(struct call *c, struct job *job, int arg)
{
    struct bo *bo = name_bo(c, c->argv[arg]);

    if (!bo || !take_offset(c, arg + 1, &job->op.src_offset)) {
        return false;
    }
    if (bo->file != job->file) {
        call_fail(c, EXDEV, "the BOs are of two files");
        return false;
    }
    job->op.src_handle = bo->handle;
    return true;
}

/* One row of so many elements: the stride is not used then */
static bool job_row(struct call *c, struct job *job, int arg, uint32_t cpp)
{
    uint64_t length;

    if (!call_number(c, arg, (uint64_t)UINT32_MAX * cpp, &length)) {
        return false;
    }
    if (length % cpp) {
        call_fail(c, EINVAL, "the length must be a multiple of %u", cpp);
        return false;
    }
    job->op.width = length / cpp;
    job->op.height = 1;
    job->op.cpp = cpp;
    return true;
}

int cmd_fill(struct call *c)
{
    struct job job = { .op.kind = PRIMEGPU_OP_KIND_FILL };

    if (!job_dst(c, &job) || !job_row(c, &job, 3, 4) ||
        !take_number(c, 4, &job.op.value)) {
        return c->error;
    }
    return job_run(c, &job, 5);
}

int cmd_copy(struct call *c)
{
    struct job job = { .op.kind = PRIMEGPU_OP_KIND_COPY };

    if (!job_dst(c, &job) || !job_src(c, &job, 3) ||
        !job_row(c, &job, 5, 1)) {
        return c->error;
    }
    return job_run(c, &job, 6);
}

static bool job_rect(struct call *c, struct job *job, int arg)
{
    return take_number(c, arg, &job->op.width) &&
           take_number(c, arg + 1, &job->op.height) &&
           take_number(c, arg + 2, &job->op.cpp);
}

int cmd_fill_rect(struct call *c)
{
    struct job job = { .op.kind = PRIMEGPU_OP_KIND_FILL };

    if (!job_dst(c, &job) || !take_number(c, 3, &job.op.dst_stride) ||
        !job_rect(c, &job, 4) || !take_number(c, 7, &job.op.value)) {
        return c->error;
    }
    return job_run(c, &job, 8);
}

int cmd_copy_rect(struct call *c)
{
    struct job job = { .op.kind = PRIMEGPU_OP_KIND_COPY };

    if (!job_dst(c, &job) || !take_number(c, 3, &job.op.dst_stride) ||
        !job_src(c, &job, 4) || !take_number(c, 6, &job.op.src_stride) ||
        !job_rect(c, &job, 7)) {
        return c->error;
    }
    return job_run(c, &job, 10);
}
