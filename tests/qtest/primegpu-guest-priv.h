/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest rig: what its files share.  One thread, one guest in a process.
 */
#ifndef PRIMEGPU_GUEST_PRIV_H
#define PRIMEGPU_GUEST_PRIV_H

#include "primegpu-guest.h"
#include "primegpu-rig-report.h"

/* To the step at the same place in step_lines */
typedef struct PGAnswer {
    unsigned tag;               /* 0: nothing was sent */
    char *reply;                /* NULL: not yet */
    unsigned until;             /* step at which it came */
} PGAnswer;

struct PGGuest {
    /* machine */
    PGMachine machine;
    QTestState *qts;
    char *command;              /* QEMU's command line */
    int stderr_fd;              /* memfd with what QEMU said */
    int64_t start_us;
    bool dead;                  /* QEMU is gone: no QMP any more */
    bool failing;               /* pg_fail() is under way */
    unsigned limit_ms;          /* of one call */

    /* console */
    int console_fd;
    GString *console;
    size_t console_scanned;

    /* agent */
    int agent_fd;
    GString *input;             /* not yet a whole line */
    unsigned next_tag;
    GHashTable *replies;        /* tag to PGReply, not yet received */
    GPtrArray *kept;            /* PGReply, received */
    GPtrArray *step_lines;      /* line of step N at N - 1 */
    GArray *answers;            /* PGAnswer */
    GString *script;            /* what `run` would replay */
    bool ready;                 /* the agent has said so */
    PGTextFn *text;             /* where lines go that are no replies */

    /* monitor */
    int monitor_fd;
    GString *monitor;           /* not yet a whole line */

    /* device view */
    GArray *events;             /* PGEvent */
    uint64_t next_serial;
};

/* machine */
/* The file that is the guest's memory */
typedef struct PGMemory {
    const char *path;
    bool kept;                  /* what the guest writes gets into the file */
} PGMemory;

/* @incoming: a saved guest, or NULL; @memory: NULL for QEMU's own */
PGGuest *pg_machine_spawn(const PGMachine *m, const char *disk,
                          const char *incoming, const PGMemory *memory);
char *pg_machine_options(const PGMachine *m);
void pg_machine_quit(PGGuest *g);
bool pg_has_primegpu(const PGMachine *m);

/* other kernels and machines */
/* The variable's value; "" when it is not set */
const char *pg_wish(const char *name);
/* Is the case that is added next to be run?  Ask once for each. */
bool pg_is_wanted(const char *path);
/* Is this line of the console a complaint about drivers that aren't tested? */
bool pg_is_known(const char *line);
/* Does the guest's kernel know of a leak?  If it can tell. */
void pg_assert_no_leaks(PGGuest *g);

/* leaks: note what is allocated; has that grown when all processes are gone? */
void pg_mark_allocated(PGGuest *g);
void pg_assert_nothing_allocated(PGGuest *g);

/* saved guests */
PGGuest *pg_state_start(const PGMachine *m);

/* agent */
void pg_agent_init(PGGuest *g);
void pg_agent_input(PGGuest *g, const char *data, size_t len);
/* Wait for anything from the guest; false when @until_us has passed. */
bool pg_pump(PGGuest *g, int64_t until_us);
unsigned pg_agent_send(PGGuest *g, const char *line);
void pg_log_line(PGGuest *g, const char *line);

/* console */
void pg_console_input(PGGuest *g, const char *data, size_t len);

/* case */
const char *pg_case_name(void);
/* A failure leaves a folder. */
bool pg_in_case(void);
/* From now on an abort of libqtest is a failure of @g; NULL: no guest. */
void pg_watch_abort(PGGuest *g);

/* report */
void pg_report_new_step(PGGuest *g);
void pg_report_sent(PGGuest *g, unsigned tag);
void pg_report_answered(PGGuest *g, unsigned tag, const char *reply);
/* Record the guest's tracepoints, with call chains or without. */
void pg_report_trace_on(PGGuest *g, bool stacks);
/* Write what a picture can show of a failure. */
void pg_report_folder(PGGuest *g, const char *dir, const char *name,
                      const char *reason);

/* monitor */
void pg_monitor_start(PGGuest *g);

/* view */
void pg_view_json(PGGuest *g, GString *s);

#endif /* PRIMEGPU_GUEST_PRIV_H */
