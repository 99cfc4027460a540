/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest rig: what a test looks at beside the table of BOs: one BO, who shares
 * its bytes, the jobs that the device has fetched, files of the guest.
 */
#ifndef PRIMEGPU_GUEST_LOOK_H
#define PRIMEGPU_GUEST_LOOK_H

#include "primegpu-guest.h"

/* Milliseconds that a thing which must come may take */
#define PG_SOON_MS 10000

/* Fail the case unless @got is @want. */
void pg_assert_u64(PGGuest *g, const char *what, uint64_t got, uint64_t want);

/* A BO that must be alive */
PGBo pg_look_bo(PGGuest *g, uint64_t key);
/* Bytes that two BOs have in common now, by the ledger */
uint64_t pg_look_shared(PGGuest *g, uint64_t exporter, uint64_t importer);

/* Events of a kind about a BO since pg_forget() */
unsigned pg_count_events(PGGuest *g, PrimeGPULedgerEventKind kind,
                         uint64_t key);
/* Wait until there are so many of them. */
void pg_await_events(PGGuest *g, PrimeGPULedgerEventKind kind, uint64_t key,
                     unsigned n);
/* Wait until the devices know a step's number, whatever its call waits for. */
void pg_await_step(PGGuest *g, unsigned step);
/* Fail unless all jobs of @first were complete when one of @then was fetched */
void pg_assert_after(PGGuest *g, uint64_t first, uint64_t then);

/* Text of a file of the guest, to be freed; NULL if it can't be read */
char *pg_guest_file(PGGuest *g, const char *path);
/* Write a module's parameter. */
void pg_set_param(PGGuest *g, const char *module, const char *name,
                  unsigned value);
/* How long a job may take before it counts as a hang; 0: for ever */
void pg_set_job_timeout(PGGuest *g, unsigned ms);
/* Users of a module, as it counts them itself */
unsigned pg_module_users(PGGuest *g, const char *module);

/*
 * Remove every module that was inserted: one that something keeps, or whose
 * caches have objects left, fails the case.
 */
void pg_unload_all(PGGuest *g);
/* pg_stop() for a guest in which nothing is open: unload all first. */
void pg_finish(PGGuest *g);

/*
 * Settle; then no BO is in a device, and no dma-buf is in the guest.  @what
 * names the step for the failure.
 */
void pg_assert_nothing_left(PGGuest *g, const char *what);

/* The usual machine, each GPU with two outputs */
extern const PGMachine pg_two_outputs;

/* Keys of the BOs that are alive now; free with g_array_unref. */
GArray *pg_keys(PGGuest *g);
/* Settle; then exactly these are. */
void pg_assert_keys(PGGuest *g, const GArray *keys);

/* Checksum of @size bytes: 32-bit words @first, from byte @at on @second */
uint64_t pg_sum_words(size_t size, uint32_t first, size_t at,
                      uint32_t second);
/* Checksum of a BO's bytes as the CPU sees them in worker p1 */
uint64_t pg_bo_sum(PGGuest *g, const char *bo);

#endif /* PRIMEGPU_GUEST_LOOK_H */
