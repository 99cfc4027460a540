/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: the machine sleeps and wakes.
 */
#ifndef PRIMEGPU_SLEEP_H
#define PRIMEGPU_SLEEP_H

#include "primegpu-guest-look.h"

#define PG_POWER "/sys/power/"

/* How far the kernel goes; then it wakes by itself, but from the last. */
#define PG_SLEEP_LEVELS 3
extern const char *const pg_sleep_levels[PG_SLEEP_LEVELS];

/* Skip the case with a kernel that cannot sleep. */
void pg_sleep_needs_kernel(PGGuest *g);
/* How often it slept, or another number of the kernel's statistics */
unsigned pg_sleep_count(PGGuest *g, const char *name);
/* Sleep so deeply, and wake. */
void pg_sleep(PGGuest *g, const char *level);

#endif /* PRIMEGPU_SLEEP_H */
