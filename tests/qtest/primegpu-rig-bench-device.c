/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures of the device alone, through its registers and rings: the copy
 * engine against memcpy, the BO table when it is full against when it is almost
 * empty, and a flip.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "primegpu-pair.h"
#include "primegpu-guest.h"
#include "primegpu-rig-bench.h"

#define COPY_BYTES  (16 * MiB)
#define ROUNDS      7
#define BATCH       PRIMEGPU_CTRL_BATCH_MAX
#define FEW         100
#define MANY        100000

/* libqtest prints the command line as a comment of a test's output. */
static void no_print(const char *text)
{
}

void primegpu_bench_boot(PrimeGPUPair *pair, const char *extra)
{
    GPrintFunc print = g_set_print_handler(no_print);
    g_autofree char *firmware = pg_firmware_options();
    g_autofree char *options = g_strconcat(firmware, " ", extra, NULL);

    primegpu_pair_boot(pair, options);
    qprimegpu_map(&pair->integrated);
    qprimegpu_start(&pair->integrated);
    g_set_print_handler(print);
}

static int compare_double(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

double primegpu_bench_median(double *values, unsigned n)
{
    qsort(values, n, sizeof(*values), compare_double);
    return values[n / 2];
}

/* Milliseconds for all pieces, as one job after the other */
static double engine_ms(QPrimeGPU *g, uint64_t dst, uint64_t src,
                        uint64_t piece)
{
    g_autofree struct primegpu_job_op *ops =
        g_new(struct primegpu_job_op, PRIMEGPU_JOB_OPS_MAX);
    int64_t us = 0;

    for (uint64_t done = 0; done < COPY_BYTES;) {
        unsigned count = 0;
        uint64_t entry;
        int64_t start;

        for (; count < PRIMEGPU_JOB_OPS_MAX && done < COPY_BYTES; count++) {
            ops[count] = qprimegpu_op_copy(dst, done, src, done, piece);
            done += piece;
        }
        entry = qprimegpu_submit(g, ops, count);
        start = g_get_monotonic_time();
        qprimegpu_assert_status(qprimegpu_wait(g, entry), PRIMEGPU_ST_OK);
        us += g_get_monotonic_time() - start;
    }
    return us / 1000.0;
}

static double memcpy_ms(uint8_t *dst, const uint8_t *src, uint64_t piece)
{
    int64_t start = g_get_monotonic_time();

    for (uint64_t done = 0; done < COPY_BYTES; done += piece) {
        memcpy(dst + done, src + done, piece);
        /* The copy must not be left out. */
        __asm__ volatile("" : : "r"(dst) : "memory");
    }
    return (g_get_monotonic_time() - start) / 1000.0;
}

static void bench_copy_piece(QPrimeGPU *g, const uint64_t keys[2],
                             uint8_t *const host[2], uint64_t piece,
                             const char *what, const char *goal)
{
    double engine[ROUNDS], host_ms[ROUNDS];
    double ours, theirs;

    for (unsigned i = 0; i < ROUNDS; i++) {
        engine[i] = engine_ms(g, keys[1], keys[0], piece);
        host_ms[i] = memcpy_ms(host[1], host[0], piece);
    }
    ours = COPY_BYTES / MiB / primegpu_bench_median(engine, ROUNDS) * 1000;
    theirs = COPY_BYTES / MiB / primegpu_bench_median(host_ms, ROUNDS) * 1000;
    primegpu_bench_line(what, "MiB/s", ours, theirs, ours / theirs, goal);
}

void primegpu_bench_copy(void)
{
    PrimeGPUPair pair;
    uint64_t keys[2], addr;
    uint8_t *host[2];

    primegpu_bench_boot(&pair, "");
    for (unsigned i = 0; i < 2; i++) {
        keys[i] = qprimegpu_new_bo_pages(&pair.integrated, COPY_BYTES, &addr);
        qprimegpu_memset(&pair.integrated, addr, i + 1, COPY_BYTES);
        host[i] = g_malloc(COPY_BYTES);
        memset(host[i], i + 1, COPY_BYTES);
    }
    bench_copy_piece(&pair.integrated, keys, host, 64 * KiB,
                     "copy engine, 16 MiB in 64 KiB pieces : memcpy on host",
                     ">= 0.8");
    bench_copy_piece(&pair.integrated, keys, host, 4 * KiB,
                     "  the same in 4 KiB pieces", "shown");
    g_free(host[0]);
    g_free(host[1]);
    primegpu_pair_quit(&pair);
}

/* Microseconds of the doorbell that runs a whole batch */
static double batch_us(QPrimeGPU *g, enum primegpu_opcode opcode,
                       const uint64_t *keys)
{
    int64_t start;

    for (unsigned i = 0; i < BATCH; i++) {
        struct primegpu_cmd_bo_create c = {
            .hdr.opcode = cpu_to_le16(opcode),
            .key = cpu_to_le64(keys[i]),
        };

        if (opcode == PRIMEGPU_OP_BO_CREATE) {
            c.size = cpu_to_le64(PRIMEGPU_PAGE_SIZE);
        }
        qprimegpu_ring_put(g, &g->ctrl, &c);
    }
    start = g_get_monotonic_time();
    qprimegpu_ctrl_kick(g);
    return g_get_monotonic_time() - start;
}

static void fill_table(QPrimeGPU *g, unsigned n, uint64_t *next)
{
    for (unsigned i = 0; i < n; i += BATCH) {
        uint64_t keys[BATCH];

        for (unsigned k = 0; k < BATCH; k++) {
            keys[k] = (*next)++;
        }
        batch_us(g, PRIMEGPU_OP_BO_CREATE, keys);
    }
}

/* Nanoseconds of one create and one destroy */
static double table_ns(QPrimeGPU *g, uint64_t *next)
{
    enum { TIMES = 201 };
    double us[TIMES];

    for (unsigned t = 0; t < TIMES; t++) {
        uint64_t keys[BATCH];

        for (unsigned k = 0; k < BATCH; k++) {
            keys[k] = (*next)++;
        }
        us[t] = batch_us(g, PRIMEGPU_OP_BO_CREATE, keys);
        us[t] += batch_us(g, PRIMEGPU_OP_BO_DESTROY, keys);
    }
    return primegpu_bench_median(us, TIMES) * 1000 / BATCH / 2;
}

#define WIDTH   1920
#define HEIGHT  1080

/* Nanoseconds of one commit that is latched at once */
static double flip_ns(QPrimeGPU *g, const uint64_t keys[2])
{
    enum { TIMES = 201 };
    double us[TIMES];

    for (unsigned t = 0; t < TIMES; t++) {
        struct primegpu_plane plane = qprimegpu_plane(0, keys[t % 2], WIDTH,
                                                      HEIGHT);
        struct primegpu_cmd_commit commit = qprimegpu_commit_cmd(
            g, 0, &plane, 1, NULL);
        int64_t start;

        commit.hdr.flags = cpu_to_le16(PRIMEGPU_COMMIT_ASYNC);
        for (unsigned i = 0; i < BATCH; i++) {
            qprimegpu_ring_put(g, &g->ctrl, &commit);
        }
        start = g_get_monotonic_time();
        qprimegpu_ctrl_kick(g);
        us[t] = g_get_monotonic_time() - start;
    }
    return primegpu_bench_median(us, TIMES) * 1000 / BATCH;
}

void primegpu_bench_flip(void)
{
    PrimeGPUPair pair;
    QPrimeGPU *g = &pair.integrated;
    uint64_t keys[2], addr, next;
    double flip, table;

    primegpu_bench_boot(&pair, "");
    next = qprimegpu_key_next(g);
    table = table_ns(g, &next);
    keys[0] = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    keys[1] = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
    qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    flip = flip_ns(g, keys);
    g_assert_cmpuint(qprimegpu_output_counter(pair.qts, 1, 0, "flips"), >=,
                     BATCH);
    primegpu_bench_line("one flip, 1920x1080, nobody looks : one BO created",
                        "ns", flip, table, flip / table, "shown");
    primegpu_pair_quit(&pair);
}

void primegpu_bench_table(void)
{
    PrimeGPUPair pair;
    QPrimeGPU *g = &pair.integrated;
    uint64_t next;
    double few, many;

    primegpu_bench_boot(&pair, "");
    next = qprimegpu_key_next(g);
    fill_table(g, FEW, &next);
    few = table_ns(g, &next);
    fill_table(g, MANY - FEW, &next);
    many = table_ns(g, &next);
    primegpu_bench_line("one create or destroy, 100,000 BOs alive : 100 alive",
                        "ns", many, few, many / few, "<= 1.5");
    primegpu_pair_quit(&pair);
}
