/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest rig: resume a saved guest, drive its agent, and look at the device
 * from outside.
 *
 * A case runs in a child process of its own, with a machine of its own, so
 * that whatever dies in it (guest, QEMU, libqtest) is the failure of that case
 * and of no other.  Every function that waits has a limit; whatever goes wrong
 * ends in pg_fail(), which leaves a folder with what is known.
 */
#ifndef PRIMEGPU_GUEST_H
#define PRIMEGPU_GUEST_H

#include "libqtest.h"
#include "qapi/qapi-types-primegpu.h"

typedef struct PGGuest PGGuest;

/* How far the guest has come when it is handed over */
typedef enum PGStart {
    PG_START_LOADED,            /* resumed, modules of the archive inserted */
    PG_START_BOOTED,            /* resumed, no DRM modules yet */
    PG_START_COLD,              /* booted now, modules inserted */
    PG_START_COLD_BARE,         /* booted now, no modules */
} PGStart;

typedef struct PGMachine {
    PGStart start;
    const char *modules;        /* archive; NULL: $PRIMEGPU_MODULES */
    const char *kernel;         /* NULL: $PRIMEGPU_KERNEL */
    const char *config;         /* in $PRIMEGPU_CONFIG_DIR; NULL: the pair */
    const char *extra;          /* more options for QEMU */
    bool tolerate;              /* the guest kernel's warnings are no failure */
    /*
     * Clients draw into what they show, after the flip has looked for fences:
     * a scanout-race is theirs.
     */
    bool draws_shown;
    /* No tracepoints, no account of allocations, no pattern in what is freed */
    bool untraced;
} PGMachine;

/* Calls that wait for the guest fail after this time. */
#define PG_CALL_LIMIT_S 30
/* By how much all limits of time are longer than usual */
unsigned pg_slow(void);

/*
 * Environment.  pg_env() skips the case, with the reason, when @name is not
 * set or, for a path, does not exist.
 */
const char *pg_env(const char *name);
/* -L for each folder of $PRIMEGPU_FIRMWARE, which has : between them */
char *pg_firmware_options(void);
/*
 * Fill in modules and kernel of a kernel variant.  Skips the case when the
 * variant was not built.
 */
void pg_machine_variant(PGMachine *m, const char *variant);

/* The guest.  pg_stop() looks for violations and warnings first. */
PGGuest *pg_start(const PGMachine *m);
void pg_stop(PGGuest *g);
/* Start to now, in microseconds */
int64_t pg_elapsed_us(const PGGuest *g);
QTestState *pg_qts(PGGuest *g);
/* As qtest_qmp(), and much faster when the response is long */
QDict *pg_query(PGGuest *g, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* At the keyboard of the guest's console */
void pg_type(PGGuest *g, const char *text);

/*
 * Agent.  A line is what a person would type: [pN] COMMAND [ARGUMENT...].
 * Each line is one step: it has the number pg_step() afterwards, and the
 * devices know that number before the command runs.  The agent's header tells
 * the commands.
 */
typedef struct PGReply {
    bool ok;
    char *error;                /* errno name when !ok */
    char *text;                 /* the rest of the line */
} PGReply;

/* Send and do not wait; the tag is for pg_recv(). */
unsigned pg_send(PGGuest *g, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* Wait for the reply; it lives until pg_forget(). */
const PGReply *pg_recv(PGGuest *g, unsigned tag);
/* Wait so many milliseconds at the most; has the reply come? */
bool pg_wait(PGGuest *g, unsigned tag, unsigned ms);
const PGReply *pg_call(PGGuest *g, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* As pg_call(), but must succeed. */
const PGReply *pg_do(PGGuest *g, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* Lines with "; " between them, each as by pg_do() */
void pg_do_lines(PGGuest *g, const char *lines);
/* As pg_call(), but must fail with the errno named @error. */
void pg_err(PGGuest *g, const char *error, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);
/* pg_recv() that must succeed */
const PGReply *pg_expect_ok(PGGuest *g, unsigned tag);
/* A number of a reply; fails the case when it isn't there. */
uint64_t pg_u64(PGGuest *g, const PGReply *r, const char *name);
char *pg_str(const PGReply *r, const char *name);
/* Where lines go that are no replies: lists and notices; NULL: nowhere */
typedef void PGTextFn(const char *line);
void pg_on_text(PGGuest *g, PGTextFn *fn);
/* Drop all replies and events that were kept so far. */
void pg_forget(PGGuest *g);

/* What comes now can be replayed without what came before. */
void pg_restart_script(PGGuest *g);

unsigned pg_step(const PGGuest *g);
const char *pg_step_line(const PGGuest *g, unsigned step);

/*
 * Part of the step before it, so no step of its own.  It runs in p1, after
 * all that was sent to p1 before.
 */
void pg_settle(PGGuest *g);
unsigned pg_settle_send(PGGuest *g);
/*
 * Close (hold jobs) or open the gate of the device with this id, when all that
 * was sent to p1 is done: a step.
 */
void pg_gate(PGGuest *g, const char *device, bool closed);
/*
 * The same for a fault, which the next that it can come to will have; @ns is by
 * how much a job is late, 0 for the default.
 */
void pg_inject(PGGuest *g, const char *device, const char *fault, unsigned ns);

/* Typed wrappers; they run in worker p1. Keys are the devices' BO keys. */
void pg_open(PGGuest *g, const char *file, const char *gpu);
uint64_t pg_create(PGGuest *g, const char *file, const char *bo, uint64_t size);
void pg_export(PGGuest *g, const char *bo, const char *fd);
uint64_t pg_import(PGGuest *g, const char *file, const char *fd,
                   const char *bo);
void pg_close(PGGuest *g, const char *bo);
void pg_close_fd(PGGuest *g, const char *fd);
void pg_close_file(PGGuest *g, const char *file);
uint64_t pg_checksum(PGGuest *g, const char *map);

/* Device view */
typedef struct PGBo {
    const char *device;         /* interned */
    uint64_t key;
    uint64_t size;
    bool imported;
    bool foreign;
    uint64_t exporter;          /* 0: none */
    unsigned handles;           /* in all clients */
    unsigned jobs;
    unsigned created_step;
    PrimeGPULocation location;
    uint64_t attached;          /* bytes of pages */
} PGBo;

typedef struct PGEvent {
    uint64_t serial;
    PrimeGPULedgerEventKind kind;
    const char *device;         /* interned */
    uint64_t key;
    unsigned step;
    uint64_t size;
    uint64_t other;
} PGEvent;

/* BOs alive now, by key; NULL means all devices.  Free with g_array_unref. */
GArray *pg_bos(PGGuest *g, const char *device);
/* Ids of the devices, ends with NULL; free with g_strfreev */
char **pg_devices(PGGuest *g);
unsigned pg_bo_count(PGGuest *g, const char *device);
bool pg_is_alive(PGGuest *g, uint64_t key);
/* All events since pg_forget(), fetched anew; belongs to the guest. */
const GArray *pg_events(PGGuest *g);
/* Step of the release of @key, 0 while there is none; pg_events() first */
unsigned pg_release_step(const PGGuest *g, uint64_t key);
uint64_t pg_violations(PGGuest *g);
/* The device's view as text */
void pg_print_bos(PGGuest *g, GString *s);
void pg_print_event(const PGEvent *e, GString *s);
void pg_print_events(PGGuest *g, uint64_t since, GString *s);
void pg_print_violations(PGGuest *g, GString *s);
void pg_print_sharing(PGGuest *g, GString *s);

void pg_assert_alive(PGGuest *g, uint64_t key);
/* Released, and exactly in this step */
void pg_assert_released(PGGuest *g, uint64_t key, unsigned step);
/* The table of all devices is these keys and no others; ends with 0. */
void pg_assert_table(PGGuest *g, ...);
void pg_assert_table_is(PGGuest *g, const uint64_t *keys, unsigned n);
void pg_assert_no_violations(PGGuest *g);

/*
 * What the guest's kernel has allocated since "leaks mark" and not freed, a
 * line for each line of source; NULL if it cannot tell.
 */
char *pg_grown_now(PGGuest *g);

/*
 * From now on, lines with this text are a fault of the kernel as it is, and are
 * not counted; NULL ends it.
 */
void pg_expect_leaks(const char *text);

/*
 * No output interrupts at each vertical blank once the next one has come, as
 * nobody waits for them.  @when is for the message.
 */
void pg_assert_no_vblank_irq(PGGuest *g, const char *when);

/* Cases */
typedef void (*PGCaseFn)(const void *data);

typedef enum PGOutcome { PG_PASS, PG_FAIL, PG_SKIP } PGOutcome;

typedef struct PGResult {
    PGOutcome outcome;
    char reason[4096];
} PGResult;

/* Add a GLib test /primegpu/@path that runs @fn in a child process. */
void pg_add_case(const char *path, PGCaseFn fn, const void *data);
/* The same, of a function that needs no process of its own. */
void pg_add_func(const char *path, GTestDataFunc fn, const void *data);
/* Run @fn in a child process; the failure folder is named after @name. */
void pg_run_case(const char *name, PGCaseFn fn, const void *data,
                 PGResult *result);
/*
 * Run @fn as a case that must fail, and for the right reason: one of the
 * words in @reasons, which ends with NULL, has to be in it.
 */
void pg_run_red(const char *name, PGCaseFn fn, const void *data,
                const char *const *reasons);
/* End the case. */
void pg_fail(PGGuest *g, const char *fmt, ...)
    G_GNUC_PRINTF(2, 3) G_GNUC_NORETURN;
/* Before pg_fail() for a call that hangs: the console tells where tasks are. */
void pg_show_tasks(PGGuest *g);
void pg_skip(const char *fmt, ...) G_GNUC_PRINTF(1, 2) G_GNUC_NORETURN;

#endif /* PRIMEGPU_GUEST_H */
