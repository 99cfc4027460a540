/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures: what was measured, against what, and the goal.
 */
#ifndef PRIMEGPU_RIG_BENCH_H
#define PRIMEGPU_RIG_BENCH_H

#include "primegpu-pair.h"

/* One line: @ours and @theirs are numbers of @unit. */
void primegpu_bench_line(const char *what, const char *unit, double ours,
                         double theirs, double ratio, const char *goal);

/* Sorts @values. */
double primegpu_bench_median(double *values, unsigned n);

/* Without a guest: registers and rings only; the integrated GPU is started. */
void primegpu_bench_boot(PrimeGPUPair *pair, const char *extra);
void primegpu_bench_copy(void);
void primegpu_bench_table(void);
void primegpu_bench_flip(void);
void primegpu_bench_display(void);

#endif /* PRIMEGPU_RIG_BENCH_H */
