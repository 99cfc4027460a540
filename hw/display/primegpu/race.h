/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu races: jobs of two GPUs on the same bytes that nobody ordered.
 */
#ifndef HW_DISPLAY_PRIMEGPU_RACE_H
#define HW_DISPLAY_PRIMEGPU_RACE_H

/*
 * Comparisons in one run of the engine or one doorbell: a few milliseconds.
 * Far above what a guest needs that waits for its fences.
 */
#define PRIMEGPU_RACE_BUDGET    65536

/*
 * @job was fetched: compare it with the jobs of all other GPUs that are not
 * complete, and tell the ledger where two meet.
 */
void primegpu_race_check(PrimeGPUState *s, const PrimeGPUJob *job);
/*
 * @plane is latched: compare what it reads with what jobs write that were
 * fetched before its commit and are not complete.
 */
void primegpu_race_check_plane(PrimeGPUState *s, const PrimeGPUPlane *plane);

#endif /* HW_DISPLAY_PRIMEGPU_RACE_H */
