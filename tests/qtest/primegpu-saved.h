/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pair of primegpus that is saved to a file and goes on in another QEMU, and
 * files that lie.
 */
#ifndef TESTS_PRIMEGPU_SAVED_H
#define TESTS_PRIMEGPU_SAVED_H

#include "primegpu-pair.h"

/* Save the machine, which stops; returns the path of the file. */
char *primegpu_saved_new(PrimeGPUPair *pair);
void primegpu_saved_free(char *path);
/* The guest goes on in a second QEMU, which takes the place of the first. */
void primegpu_saved_restore(PrimeGPUPair *pair, const char *path);

/* "completed" or "failed", or NULL when it takes too long */
const char *primegpu_saved_wait(QTestState *qts);

/* Where the bytes stand in the file; they must. */
size_t primegpu_saved_find(const char *path, const void *bytes, size_t length);
/*
 * Load it again and again with one byte changed, every @stride bytes from
 * @start to @end: QEMU must refuse that or live with it.  Returns how many were
 * refused.
 */
unsigned int primegpu_saved_lie(const char *path, size_t start, size_t end,
                                size_t stride);
/* Load the first @length bytes; returns whether that was refused. */
bool primegpu_saved_cut(const char *path, size_t length);

#endif /* TESTS_PRIMEGPU_SAVED_H */
