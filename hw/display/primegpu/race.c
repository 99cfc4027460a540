/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu races
 *
 * Owns nothing: the jobs that have not written back their sequence number are
 * the ones in the queues of the engines, so a job that is fetched is compared
 * with those of the other GPUs.  Bytes are compared by memory region and
 * offset, rectangle by rectangle, translated anew for each comparison.  A job
 * whose BOs nobody shares, or that comes while the other GPUs are idle, costs
 * next to nothing; what the others cost is bounded by a budget.
 *
 * Jobs of one GPU are ordered by its ring and are never compared.  No ring
 * orders what an output shows: at its latch it is compared with the writes of
 * all jobs, this GPU's too, that were there when the commit came.
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "blit.h"
#include "device.h"
#include "format.h"
#include "race.h"
#include "trace.h"

/* What one operation does with one BO, or what an output shows of it */
typedef struct PrimeGPURaceUse {
    PrimeGPUState *s;
    PrimeGPUBuffer *bo;
    PrimeGPUBlitRows rows;
    bool is_write;
    bool is_scanout;
    bool explicit_sync;
    uint64_t seqno;             /* of the job, or of the commit */
} PrimeGPURaceUse;

/* A piece of a BO, where it lies now */
typedef struct PrimeGPURaceSpan {
    MemoryRegion *mr;
    uint64_t mr_offset;
    uint64_t length;
    uint64_t bo_offset;
} PrimeGPURaceSpan;

typedef struct PrimeGPURaceCheck {
    uint32_t *budget;
    uint64_t mark;              /* this check, in the jobs found */
} PrimeGPURaceCheck;

/* Only told from the marks of other checks; nothing to migrate */
static uint64_t primegpu_race_mark(void)
{
    static uint64_t checks;

    return ++checks;
}

static bool primegpu_race_pay(const PrimeGPURaceCheck *check)
{
    if (!*check->budget) {
        return false;
    }
    --*check->budget;
    return true;
}

static PrimeGPURaceUse primegpu_race_use(PrimeGPUState *s,
                                         const PrimeGPUJob *job,
                                         const PrimeGPUJobOp *op,
                                         bool is_write)
{
    uint64_t row_bytes = (uint64_t)op->width * op->cpp;
    uint32_t stride = is_write ? op->dst_stride : op->src_stride;

    return (PrimeGPURaceUse) {
        .s = s,
        .bo = is_write ? op->dst : op->src,
        .rows = {
            .start = is_write ? op->dst_offset : op->src_offset,
            .row_bytes = row_bytes,
            .stride = op->height > 1 ? stride : row_bytes,
            .height = op->height,
        },
        .is_write = is_write,
        .explicit_sync = job->flags & PRIMEGPU_JOB_EXPLICIT_SYNC,
        .seqno = job->seqno,
    };
}

/*
 * BOs that may have bytes in common by right have the same number; those of
 * foreign buffers cannot be told apart.  Others are an overlap, not a race.
 */
static uint64_t primegpu_race_root(const PrimeGPUBuffer *bo)
{
    return bo->imported ? bo->exporter_key : bo->key;
}

static void primegpu_race_add_span(GArray *spans, const PrimeGPUMemSpan *span,
                                   uint64_t bo_offset)
{
    PrimeGPURaceSpan new = {
        .mr = span->mr,
        .mr_offset = span->mr_offset,
        .length = span->length,
        .bo_offset = bo_offset,
    };

    if (spans->len) {
        PrimeGPURaceSpan *last = &g_array_index(spans, PrimeGPURaceSpan,
                                                spans->len - 1);

        if (last->mr == new.mr && last->bo_offset + last->length == bo_offset &&
            last->mr_offset + last->length == new.mr_offset) {
            last->length += new.length;
            return;
        }
    }
    g_array_append_val(spans, new);
}

static gint primegpu_race_compare_spans(gconstpointer a, gconstpointer b)
{
    const PrimeGPURaceSpan *sa = a;
    const PrimeGPURaceSpan *sb = b;

    if (sa->mr != sb->mr) {
        return (uintptr_t)sa->mr < (uintptr_t)sb->mr ? -1 : 1;
    }
    return (sa->mr_offset > sb->mr_offset) - (sa->mr_offset < sb->mr_offset);
}

/* Where the bytes from the first to the last of a rectangle lie, sorted */
static GArray *primegpu_race_spans(const PrimeGPURaceCheck *check,
                                   const PrimeGPURaceUse *use)
{
    GArray *spans = g_array_new(false, false, sizeof(PrimeGPURaceSpan));
    uint64_t offset = use->rows.start;
    uint64_t end = primegpu_blit_rows_end(&use->rows);
    PrimeGPUMemWindow window;
    PrimeGPUMemSpan span;

    primegpu_mem_window_init(&window);
    while (offset < end && primegpu_race_pay(check)) {
        if (primegpu_bo_map(use->s, use->bo, &window, offset, end - offset,
                            use->is_write, &span)) {
            primegpu_race_add_span(spans, &span, offset);
            offset += span.length;
        } else {
            /* A page that DMA does not reach */
            offset = ROUND_UP(offset + 1, PRIMEGPU_PAGE_SIZE);
        }
    }
    g_array_sort(spans, primegpu_race_compare_spans);
    return spans;
}

/* The bytes that two spans have in common, as parts of both BOs */
static bool primegpu_race_common(const PrimeGPURaceSpan *a,
                                 const PrimeGPURaceSpan *b,
                                 PrimeGPUBlitWindow *window)
{
    uint64_t first = MAX(a->mr_offset, b->mr_offset);
    uint64_t end = MIN(a->mr_offset + a->length, b->mr_offset + b->length);

    if (a->mr != b->mr || first >= end) {
        return false;
    }
    window->a = a->bo_offset + (first - a->mr_offset);
    window->b = b->bo_offset + (first - b->mr_offset);
    window->length = end - first;
    return true;
}

static bool primegpu_race_is_before(const PrimeGPURaceSpan *a,
                                    const PrimeGPURaceSpan *b)
{
    return a->mr == b->mr ? a->mr_offset + a->length <= b->mr_offset
                          : (uintptr_t)a->mr < (uintptr_t)b->mr;
}

static bool primegpu_race_spans_meet(const PrimeGPURaceCheck *check,
                                     const PrimeGPURaceUse *a,
                                     const GArray *a_spans,
                                     const PrimeGPURaceUse *b,
                                     const GArray *b_spans, uint64_t *offset)
{
    guint i, j, first = 0;

    for (i = 0; i < a_spans->len; i++) {
        const PrimeGPURaceSpan *sa = &g_array_index(a_spans, PrimeGPURaceSpan,
                                                    i);

        for (j = first; j < b_spans->len; j++) {
            const PrimeGPURaceSpan *sb = &g_array_index(b_spans,
                                                        PrimeGPURaceSpan, j);
            PrimeGPUBlitWindow window;

            if (primegpu_race_is_before(sa, sb) || !primegpu_race_pay(check)) {
                break;
            }
            if (primegpu_race_is_before(sb, sa)) {
                first += first == j;
            } else if (primegpu_race_common(sa, sb, &window) &&
                       primegpu_blit_rows_meet(&a->rows, &b->rows, &window,
                                               check->budget, offset)) {
                return true;
            }
        }
    }
    return false;
}

static bool primegpu_race_meet(const PrimeGPURaceCheck *check,
                               const PrimeGPURaceUse *a,
                               const PrimeGPURaceUse *b, uint64_t *offset)
{
    g_autoptr(GArray) a_spans = primegpu_race_spans(check, a);
    g_autoptr(GArray) b_spans = primegpu_race_spans(check, b);

    return primegpu_race_spans_meet(check, a, a_spans, b, b_spans, offset);
}

static void primegpu_race_tell(const PrimeGPURaceUse *use,
                               const PrimeGPURaceUse *other, uint64_t offset)
{
    PrimeGPULedgerRace race = {
        .key = use->bo->key,
        .seqno = use->seqno,
        .other = other->bo->key,
        .other_seqno = other->seqno,
        .offset = offset,
        .client = use->explicit_sync || other->explicit_sync,
        .scanout = use->is_scanout,
    };

    trace_primegpu_race(use->s->name, race.seqno, race.key, other->s->name,
                        race.other_seqno, race.other, race.client);
    primegpu_ledger_race(&use->s->ledger, &race);
}

/* Returns whether the two meet; the ledger knows of it then. */
static bool primegpu_race_check_pair(const PrimeGPURaceCheck *check,
                                     const PrimeGPURaceUse *use,
                                     const PrimeGPURaceUse *other)
{
    uint64_t offset;

    if (!other->bo || !(use->is_write || other->is_write) ||
        primegpu_race_root(use->bo) != primegpu_race_root(other->bo) ||
        !primegpu_race_meet(check, use, other, &offset)) {
        return false;
    }
    primegpu_race_tell(use, other, offset);
    return true;
}

static void primegpu_race_check_job(const PrimeGPURaceCheck *check,
                                    const PrimeGPURaceUse *use,
                                    PrimeGPUState *peer, PrimeGPUJob *job)
{
    int32_t i;

    /* Two jobs are told of once. */
    if (job->raced == check->mark) {
        return;
    }
    for (i = 0; i < job->op_count && primegpu_race_pay(check); i++) {
        const PrimeGPUJobOp *op = &job->ops[i];
        PrimeGPURaceUse write = primegpu_race_use(peer, job, op, true);
        PrimeGPURaceUse read = primegpu_race_use(peer, job, op, false);

        if (primegpu_race_check_pair(check, use, &write) ||
            primegpu_race_check_pair(check, use, &read)) {
            job->raced = check->mark;
            return;
        }
    }
}

static void primegpu_race_check_use(const PrimeGPURaceCheck *check,
                                    const PrimeGPURaceUse *use)
{
    GSList *item;

    for (item = primegpu_ledger_devices(); item; item = item->next) {
        const PrimeGPULedgerDevice *dev = item->data;
        PrimeGPUState *peer = dev->opaque;
        PrimeGPUJob *job;

        if (peer == use->s) {
            continue;
        }
        QTAILQ_FOREACH(job, &peer->engine.jobs, next) {
            if (!primegpu_race_pay(check)) {
                return;
            }
            primegpu_race_check_job(check, use, peer, job);
        }
    }
}

static bool primegpu_race_peers_busy(PrimeGPUState *s)
{
    GSList *item;

    for (item = primegpu_ledger_devices(); item; item = item->next) {
        const PrimeGPULedgerDevice *dev = item->data;
        const PrimeGPUState *peer = dev->opaque;

        if (peer != s && peer->engine.job_count) {
            return true;
        }
    }
    return false;
}

/* Most operations of a job name the BO that the one before it named. */
typedef struct PrimeGPURaceShared {
    const PrimeGPUBuffer *bo;
    bool is_shared;
} PrimeGPURaceShared;

static bool primegpu_race_is_shared(PrimeGPUState *s, PrimeGPURaceShared *last,
                                    const PrimeGPUBuffer *bo)
{
    if (bo && bo != last->bo) {
        last->bo = bo;
        last->is_shared = primegpu_ledger_is_shared(&s->ledger, bo->key);
    }
    return bo && last->is_shared;
}

void primegpu_race_check(PrimeGPUState *s, const PrimeGPUJob *job)
{
    PrimeGPURaceCheck check = { .budget = &s->engine.race_budget };
    PrimeGPURaceShared dst = { }, src = { };
    int32_t i;

    if (!job->op_count || !primegpu_race_peers_busy(s)) {
        return;
    }
    RCU_READ_LOCK_GUARD();

    check.mark = primegpu_race_mark();
    for (i = 0; i < job->op_count; i++) {
        const PrimeGPUJobOp *op = &job->ops[i];

        if (primegpu_race_is_shared(s, &dst, op->dst)) {
            PrimeGPURaceUse use = primegpu_race_use(s, job, op, true);

            primegpu_race_check_use(&check, &use);
        }
        if (primegpu_race_is_shared(s, &src, op->src)) {
            PrimeGPURaceUse use = primegpu_race_use(s, job, op, false);

            primegpu_race_check_use(&check, &use);
        }
    }
    if (!*check.budget) {
        trace_primegpu_race_unchecked(s->name, job->seqno);
        primegpu_ledger_race_unchecked();
    }
}

/* Elements of a row, or rows, from the first to the last that is read */
typedef struct PrimeGPURaceRun {
    uint32_t first;
    uint32_t count;
} PrimeGPURaceRun;

/* @start and @length are 16.16, an element stands for @sub pixels. */
static PrimeGPURaceRun primegpu_race_run(uint32_t start, uint32_t length,
                                         uint32_t sub)
{
    uint64_t last = ((uint64_t)start + length - 1) >> 16;
    uint32_t first = (start >> 16) / sub;

    return (PrimeGPURaceRun) { first, last / sub - first + 1 };
}

/* The bytes of the rows from which the source rectangle is read */
static PrimeGPURaceUse primegpu_race_use_plane(PrimeGPUState *s,
                                               const PrimeGPUPlane *plane,
                                               const PrimeGPUFormat *format,
                                               unsigned i)
{
    const PrimeGPUFormatPlane *memory = &format->plane[i];
    PrimeGPURaceRun x = primegpu_race_run(plane->src_x, plane->src_w,
                                          memory->hsub);
    PrimeGPURaceRun y = primegpu_race_run(plane->src_y, plane->src_h,
                                          memory->vsub);

    return (PrimeGPURaceUse) {
        .s = s,
        .bo = plane->bo[i],
        .rows = {
            .start = plane->offset[i] +
                     (uint64_t)y.first * plane->stride[i] +
                     (uint64_t)x.first * memory->bytes,
            .row_bytes = (uint64_t)x.count * memory->bytes,
            .stride = plane->stride[i],
            .height = y.count,
        },
        .is_scanout = true,
        .explicit_sync = plane->explicit_sync,
        .seqno = plane->seqno,
    };
}

static void primegpu_race_check_scanout(const PrimeGPURaceCheck *check,
                                        const PrimeGPURaceUse *use,
                                        uint64_t fetched)
{
    GSList *item;

    for (item = primegpu_ledger_devices(); item; item = item->next) {
        const PrimeGPULedgerDevice *dev = item->data;
        PrimeGPUState *peer = dev->opaque;
        PrimeGPUJob *job;

        QTAILQ_FOREACH(job, &peer->engine.jobs, next) {
            if (job->serial > fetched || !primegpu_race_pay(check)) {
                break;
            }
            primegpu_race_check_job(check, use, peer, job);
        }
    }
}

/* Whether a job that was fetched by then is not complete */
static bool primegpu_race_any_job(uint64_t fetched)
{
    GSList *item;

    for (item = primegpu_ledger_devices(); item; item = item->next) {
        const PrimeGPULedgerDevice *dev = item->data;
        const PrimeGPUState *peer = dev->opaque;
        const PrimeGPUJob *job = QTAILQ_FIRST(&peer->engine.jobs);

        if (job && job->serial <= fetched) {
            return true;
        }
    }
    return false;
}

void primegpu_race_check_plane(PrimeGPUState *s, const PrimeGPUPlane *plane)
{
    PrimeGPURaceCheck check = { .budget = &s->engine.race_budget };
    const PrimeGPUFormat *format;
    unsigned i;

    if (!plane->key[0] || !primegpu_race_any_job(plane->fetched)) {
        return;
    }
    RCU_READ_LOCK_GUARD();

    check.mark = primegpu_race_mark();
    format = primegpu_format_find(plane->format);
    for (i = 0; i < format->planes; i++) {
        PrimeGPURaceUse use = primegpu_race_use_plane(s, plane, format, i);

        primegpu_race_check_scanout(&check, &use, plane->fetched);
    }
    if (!*check.budget) {
        trace_primegpu_race_unchecked(s->name, plane->seqno);
        primegpu_ledger_race_unchecked();
    }
}
