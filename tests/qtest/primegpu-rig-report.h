/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Report: one HTML page with the timeline of every buffer.
 *
 * What is known is gathered in a PGReport, from a guest or by hand in a test;
 * pg_report_page() makes the page of it and asks nobody.  All text in it may
 * come from the guest and is not trusted.
 */
#ifndef PRIMEGPU_RIG_REPORT_H
#define PRIMEGPU_RIG_REPORT_H

#include "primegpu-guest.h"
#include "qobject/qdict.h"

/* A page shows no more than this; the rest is counted. */
#define PG_REPORT_STEPS      48
#define PG_REPORT_LANES      40
#define PG_REPORT_VIOLATIONS 50
/* Newest events of the ledger that are looked at */
#define PG_REPORT_EVENTS     8192

/* A line that went to the agent; step N is at N - 1. */
typedef struct PGReportStep {
    char *line;
    char *reply;                /* NULL: none has come */
    bool failed;                /* the reply is an error */
    unsigned until;             /* step that was current when it came */
} PGReportStep;

/* Strings are interned; 0 and NULL mean that there is none. */
typedef struct PGReportEvent {
    uint64_t serial;
    const char *kind;
    const char *device;
    uint64_t key;
    unsigned step;
    uint64_t ns;
    uint64_t size;
    uint64_t other;
    bool has_other;
    uint64_t seqno;
    const char *status;
    const char *violation;
    const char *fault;
    int trace;                  /* in PGReport.traces, -1: none */
} PGReportEvent;

typedef struct PGReportViolation {
    const char *kind;
    const char *device;
    uint64_t key;
    uint64_t other;
    uint64_t seqno;
    uint64_t other_seqno;
    uint64_t serial;
    uint64_t count;
    unsigned step;
    uint64_t ns;
    int trace;
} PGReportViolation;

/* A tracepoint of the guest's driver */
typedef struct PGReportTrace {
    char *task;                 /* name-pid */
    char *time;                 /* seconds of the guest */
    char *name;                 /* primegpu_cmd ... */
    unsigned device;
    uint64_t seqno;
    unsigned opcode;
    uint64_t key;
    unsigned client;
    GString *stack;             /* a line for each caller, innermost first */
} PGReportTrace;

typedef struct PGReport {
    char *title;
    char *reason;               /* why the case failed, NULL: it did not */
    char *note;                 /* what is missing and why, or NULL */
    GArray *steps;              /* PGReportStep */
    GPtrArray *devices;         /* interned names, in their order */
    GArray *events;             /* PGReportEvent */
    GArray *violations;         /* PGReportViolation */
    GArray *traces;             /* PGReportTrace */
    GArray *alive;              /* keys of the BOs that are alive */
    uint64_t violations_total;
    uint64_t lost;              /* older events that nobody has any more */
} PGReport;

PGReport *pg_report_new(const char *title, const char *reason);
void pg_report_free(PGReport *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PGReport, pg_report_free)

void pg_report_add_step(PGReport *r, const char *line, const char *reply,
                        bool failed, unsigned until);
void pg_report_add_device(PGReport *r, const char *device);
/* What the queries return */
void pg_report_add_events(PGReport *r, const QDict *events);
void pg_report_add_violations(PGReport *r, const QDict *violations);
/* A BO that is alive, when the events have been added */
void pg_report_add_bo(PGReport *r, const QDict *bo);
/* A line of the kernel's trace file */
void pg_report_add_trace(PGReport *r, const char *line);
/* When all is added: which tracepoint belongs to which event */
void pg_report_join(PGReport *r);

/* The page; free with g_string_free. */
GString *pg_report_page(const PGReport *r);

/* Append untrusted text to a page: escaped, and nothing that hides. */
void pg_report_text(GString *s, const char *text);
void pg_report_printf(GString *s, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* 2:1f for 0x200000000001f */
char *pg_report_key(uint64_t key);
/* What an event says beyond its kind, as plain text */
char *pg_report_event_text(const PGReportEvent *e);
const char *pg_report_opcode(const PGReportTrace *t);

/* From a guest.  What QEMU or the guest does not answer is left out. */
PGReport *pg_report_gather(PGGuest *g, const char *title, const char *reason);
/* The tracepoints that the guest has recorded, NULL if it does not answer */
char *pg_report_guest_trace(PGGuest *g);

/*
 * Layout.  Lanes are BOs from top to bottom, columns are steps from left to
 * right; steps that are left out share one column.
 */
typedef enum PGReportState {
    PG_REPORT_NONE,             /* not made yet, or released */
    PG_REPORT_OPEN,
    PG_REPORT_KEPT,             /* alive with no handle */
    PG_REPORT_BUSY,             /* jobs in flight */
} PGReportState;

typedef enum PGReportPlace {
    PG_REPORT_NOWHERE,
    PG_REPORT_PAGES,
    PG_REPORT_VRAM,
    PG_REPORT_PEER,             /* VRAM of the exporter's device */
} PGReportPlace;

typedef struct PGReportLane {
    uint64_t key;
    const char *device;
    char *name;                 /* that the script has for it, or NULL */
    uint64_t size;
    bool imported;
    uint64_t exporter;          /* 0: none, or no primegpu */
    unsigned made;              /* step; 0: before any call */
    unsigned released;          /* step, when it is gone */
    bool gone;
    bool dropped;               /* by a reset, not by its driver */
    bool blamed;                /* by a violation or the reason */
    int rank;
    GArray *events;             /* indices of PGReport.events */
    unsigned rows;              /* of jobs */
    double y;                   /* -1: not shown */
    double height;
} PGReportLane;

typedef struct PGReportColumn {
    unsigned first;             /* step */
    unsigned last;              /* beyond @first: these are left out */
    unsigned events;
    double x;
    double width;
} PGReportColumn;

typedef struct PGReportLayout {
    const PGReport *r;
    GPtrArray *lanes;           /* PGReportLane, as they are shown */
    GPtrArray *workers;         /* interned names */
    GArray *columns;            /* PGReportColumn */
    double *event_x;            /* of each event */
    double width;
    double height;
    unsigned lanes_left_out;
    unsigned steps_left_out;
} PGReportLayout;

/* Sizes of the picture, in pixels */
#define PG_REPORT_LABEL_W  232
#define PG_REPORT_HEAD_H   26
#define PG_REPORT_WORKER_H 46
#define PG_REPORT_DEVICE_H 26
#define PG_REPORT_LANE_H   46
#define PG_REPORT_JOB_H    11
#define PG_REPORT_FOOT_H   28
/* Right of the last step: what is alive ends here, and says so */
#define PG_REPORT_TAIL_W   90
/* Characters of a call's arguments that fit in its box */
#define PG_REPORT_ARGS     16

GPtrArray *pg_report_choose_lanes(const PGReport *r, unsigned *left_out);
PGReportLane *pg_report_find(GPtrArray *lanes, uint64_t key);
PGReportLayout *pg_report_layout(const PGReport *r);
void pg_report_layout_free(PGReportLayout *l);
PGReportLane *pg_report_lane(const PGReportLayout *l, uint64_t key);
const PGReportColumn *pg_report_column(const PGReportLayout *l, unsigned step);
/* Has the step a row in the table, where links can lead? */
bool pg_report_has_row(const PGReportLayout *l, unsigned step);
/* Worker of a line (p1), and where the rest of the line begins */
const char *pg_report_worker(const char *line, const char **rest);

/* The picture: labels at the left, and what scrolls */
void pg_report_labels_svg(const PGReportLayout *l, GString *s);
void pg_report_svg(const PGReportLayout *l, GString *s);
void pg_report_lane_svg(const PGReportLayout *l, const PGReportLane *lane,
                        GString *s);

/* Tables below it */
void pg_report_tables(const PGReportLayout *l, GString *s);

#endif /* PRIMEGPU_RIG_REPORT_H */
