/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A q35 machine with one primegpu of each model, for tests of their own.
 */
#ifndef TESTS_PRIMEGPU_PAIR_H
#define TESTS_PRIMEGPU_PAIR_H

#include "libqos/primegpu.h"

typedef struct PrimeGPUPair {
    const char *extra;          /* options of the machine */
    QTestState *qts;
    QPCIBus *bus;
    QGuestAllocator alloc;
    QPrimeGPU integrated;
    QPrimeGPU discrete;
} PrimeGPUPair;

/* Start QEMU with @extra options; the GPUs are integrated0 and discrete0. */
void primegpu_pair_boot(PrimeGPUPair *pair, const char *extra);
/* Boot, map the BARs, start the rings. */
void primegpu_pair_start(PrimeGPUPair *pair);
/* The same guest goes on in another QEMU. */
void primegpu_pair_moved_to(PrimeGPUPair *pair, QTestState *qts);
void primegpu_pair_quit(PrimeGPUPair *pair);

/* Options of the machine, for a second QEMU like it; g_free() it. */
char *primegpu_pair_options(const char *extra);

#endif /* TESTS_PRIMEGPU_PAIR_H */
