/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures: what was measured, against what, and the goal.
 */
#ifndef PRIMEGPU_RIG_BENCH_H
#define PRIMEGPU_RIG_BENCH_H

/* One line: @ours and @theirs are numbers of @unit. */
void primegpu_bench_line(const char *what, const char *unit, double ours,
                         double theirs, double ratio, const char *goal);

/* Without a guest: registers and rings only */
void primegpu_bench_copy(void);
void primegpu_bench_table(void);
void primegpu_bench_flip(void);

#endif /* PRIMEGPU_RIG_BENCH_H */
