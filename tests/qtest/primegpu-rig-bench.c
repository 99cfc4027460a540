/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures, as ratios of two things measured in the same run, so that a slow or
 * busy machine changes both.  Each is the median of a few rounds.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "primegpu-rig.h"
#include "primegpu-rig-bench.h"
#include "primegpu-display.h"
#include "primegpu-seed.h"

#define ROUNDS 5
#define CREATES 2000
#define SHARES 500
#define FLIPS 1000
#define FLIP_ARGS "1024 768 " stringify(FLIPS)

static const PGSeed pg_bench_seed = { "integrated", "discrete" };

void primegpu_bench_line(const char *what, const char *unit, double ours,
                         double theirs, double ratio, const char *goal)
{
    printf("%-60s %10.5g %10.5g %-6s %8.2f  %s\n", what, ours, theirs, unit,
           ratio, goal);
}

/* To the verdict; returns the seconds that the calls took. */
static double pg_bench_play(PGGuest *g)
{
    int64_t start = g_get_monotonic_time();
    double calls;

    pg_seed_open(g, &pg_bench_seed);
    for (unsigned i = 0; i < PG_SEED_STEPS; i++) {
        pg_do(g, "%s", pg_seed_steps[i].line);
        pg_settle(g);
    }
    calls = (g_get_monotonic_time() - start) / 1e6;
    pg_assert_table(g, (uint64_t)0);
    pg_assert_no_violations(g);
    return calls;
}

static void pg_bench_start(const void *data)
{
    PGMachine bare = {
        .start = PG_START_COLD_BARE, .config = "", .untraced = true,
    };
    PGMachine cold = { .start = PG_START_COLD, .untraced = true };
    PGMachine saved = { .untraced = true };
    double bare_s[ROUNDS], cold_s[ROUNDS], case_s[ROUNDS], calls_s[ROUNDS];
    double a, b;

    for (unsigned i = 0; i < ROUNDS; i++) {
        PGGuest *g = pg_start(&bare);

        bare_s[i] = pg_elapsed_us(g) / 1e6;
        pg_stop(g);
        g = pg_start(&cold);
        pg_bench_play(g);
        cold_s[i] = pg_elapsed_us(g) / 1e6;
        pg_stop(g);
        g = pg_start(&saved);
        calls_s[i] = pg_bench_play(g);
        case_s[i] = pg_elapsed_us(g) / 1e6 - calls_s[i];
        pg_stop(g);
    }
    a = primegpu_bench_median(cold_s, ROUNDS);
    b = primegpu_bench_median(bare_s, ROUNDS);
    primegpu_bench_line("cold start to the seed's verdict : bare boot to init",
                        "s", a, b, a / b, "<= 1.5");
    a = primegpu_bench_median(case_s, ROUNDS);
    b = primegpu_bench_median(calls_s, ROUNDS);
    primegpu_bench_line("saved guest: start to verdict, over its calls : calls",
                        "s", a, b, a / b, "<= 0.2 s over");
}

static double pg_per_second(PGGuest *g, unsigned n, const char *line)
{
    const PGReply *r = pg_do(g, "%s", line);
    g_autofree char *settle = pg_str(r, "settle-ns");
    double ns = pg_u64(g, r, "ns");

    if (settle) {
        ns += pg_u64(g, r, "settle-ns");
    }
    return n / ns * 1e9;
}

static void pg_bench_pair(PGGuest *g, unsigned n, const char *what,
                          const char *ours, const char *theirs,
                          const char *goal)
{
    double a[ROUNDS], b[ROUNDS], x, y;

    for (unsigned i = 0; i < ROUNDS; i++) {
        a[i] = pg_per_second(g, n, ours);
        b[i] = pg_per_second(g, n, theirs);
    }
    x = primegpu_bench_median(a, ROUNDS);
    y = primegpu_bench_median(b, ROUNDS);
    primegpu_bench_line(what, "1/s", x, y, x / y, goal);
}

static void pg_bench_guest(const void *data)
{
    PGMachine m = {
        .extra = "-device virtio-gpu-pci,addr=0x1a", .untraced = true,
    };
    PGGuest *g = pg_start(&m);
    const char *const creates = stringify(CREATES);
    const char *const shares = stringify(SHARES);
    g_autofree char *fi = g_strdup_printf("bench-create fi 65536 %s", creates);
    g_autofree char *fd = g_strdup_printf("bench-create fd 65536 %s", creates);
    g_autofree char *fv = g_strdup_printf("bench-create fv 65536 %s", creates);
    g_autofree char *fi_use = g_strconcat(fi, " touch", NULL);
    g_autofree char *fv_use = g_strconcat(fv, " touch", NULL);
    g_autofree char *ab = g_strdup_printf("bench-share fi fd 65536 %s", shares);
    g_autofree char *ba = g_strdup_printf("bench-share fd fi 65536 %s", shares);
    g_autofree char *gk = g_strdup_printf("bench-share fg fk 65536 %s", shares);

    pg_open(g, "fi", "integrated");
    pg_open(g, "fd", "discrete");
    pg_open(g, "fv", "virtio");
    pg_open(g, "fg", "vgem");
    pg_open(g, "fk", "vkms");
    pg_bench_pair(g, CREATES, "create and close 64 KiB, integrated : "
                  "virtio-gpu", fi, fv, ">= 4");
    pg_bench_pair(g, CREATES, "create and close 64 KiB, discrete : virtio-gpu",
                  fd, fv, ">= 4");
    pg_bench_pair(g, CREATES, "create, touch, close, integrated : virtio-gpu",
                  fi_use, fv_use, ">= 1");
    pg_bench_pair(g, SHARES, "share cycle, integrated to discrete : vgem to "
                  "vkms", ab, gk, ">= 1");
    pg_bench_pair(g, SHARES, "share cycle, discrete to integrated : vgem to "
                  "vkms", ba, gk, ">= 1");
    pg_stop(g);
}

/* The guest's CPU time of one flip, and flips in a second */
static void pg_flip_once(PGGuest *g, const char *line, double *us,
                         double *rate)
{
    const PGReply *r = pg_do(g, "%s " FLIP_ARGS, line);

    *us = pg_u64(g, r, "cpu-ns") / 1e3 / FLIPS;
    *rate = FLIPS / (pg_u64(g, r, "ns") / 1e9);
}

/*
 * Draw on one GPU, show on the other; by jobs, and by the CPU for vgem.  Time
 * in the guest is the number of its instructions, one a nanosecond, so that a
 * busy host changes nothing.
 */
static void pg_bench_flip(const void *data)
{
    static const struct {
        const char *what, *ours;
    } pairs[] = {
        { "CPU time of a flip, discrete to integrated : vgem to vkms",
          "bench-flip si fd" },
        { "CPU time of a flip, integrated to discrete : vgem to vkms",
          "bench-flip sd fi" },
    };
    PGMachine m = {
        .extra = "-icount shift=0,sleep=off",
        .untraced = true,
    };
    PGGuest *g = pg_start(&m);
    uint64_t copied = pg_bytes_copied(g);

    pg_open(g, "fi", "integrated");
    pg_open(g, "fd", "discrete");
    pg_open(g, "fg", "vgem");
    pg_do(g, "open si integrated card");
    pg_do(g, "open sd discrete card");
    pg_do(g, "open sk vkms card");
    for (unsigned p = 0; p < ARRAY_SIZE(pairs); p++) {
        double a, b, rate_a, rate_b;

        pg_flip_once(g, pairs[p].ours, &a, &rate_a);
        pg_flip_once(g, "bench-flip sk fg", &b, &rate_b);
        primegpu_bench_line(pairs[p].what, "us", a, b, a / b, "<= 1");
        primegpu_bench_line("  frames per second, 1024 x 768 at 60 Hz", "1/s",
                            rate_a, rate_b, rate_a / rate_b, "shown");
    }
    primegpu_bench_line("bytes copied for all of these flips", "B",
                        pg_bytes_copied(g) - copied, 0, 0, "0");
    pg_stop(g);
}

static void pg_bench_device(const void *data)
{
    primegpu_bench_copy();
    primegpu_bench_table();
    primegpu_bench_flip();
}

static void pg_bench_display(const void *data)
{
    primegpu_bench_display();
}

int primegpu_rig_bench(void)
{
    static const struct {
        const char *name;
        PGCaseFn fn;
    } parts[] = {
        { "bench/device", pg_bench_device },
        { "bench/display", pg_bench_display },
        { "bench/start", pg_bench_start },
        { "bench/guest", pg_bench_guest },
        { "bench/flip", pg_bench_flip },
    };
    int status = 0;

    printf("%-60s %10s %10s %-6s %8s  %s\n", "what : against what", "ours",
           "theirs", "unit", "ratio", "goal");
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
        PGResult result;

        pg_run_case(parts[i].name, parts[i].fn, NULL, &result);
        if (result.outcome != PG_PASS) {
            fprintf(stderr, "%s: %s\n", parts[i].name, result.reason);
            status = 1;
        }
    }
    return status;
}
