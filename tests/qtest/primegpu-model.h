/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test: random sequences of the agent's commands, played in a guest and
 * in a reference model of DRM, and compared step by step.
 *
 * The model knows nothing of the rig: a PGMOp goes in, what must be seen comes
 * out.  It keeps references exactly as an unchanged kernel does, so the handle
 * numbers, the errors, the BOs alive and the bytes in them all follow.  Any
 * subsequence of a sequence is a sequence again: an op whose names have gone
 * is an error that the model foresees, and one whose outcome cannot be known
 * is left out.
 */
#ifndef PRIMEGPU_MODEL_H
#define PRIMEGPU_MODEL_H

#include "qemu/osdep.h"

#define PGM_WORKERS 5           /* p1 to p4; 0 is not used */
#define PGM_FILES   4           /* names of each kind in a worker */
#define PGM_BOS     8
#define PGM_FDS     6
#define PGM_MAPS    4
#define PGM_SYNCS   3
#define PGM_HANDLES 64          /* of a file */
#define PGM_FLINKS  64          /* of a device */
#define PGM_FBS     16          /* of a device */
#define PGM_SYNCOBJS 16         /* of a file */
#define PGM_BINDS   3           /* of a device to its driver */
#define PGM_SCREEN  32          /* width and height of what is shown */
#define PGM_PAGE    4096

typedef enum PGMDevice {
    PGM_INTEGRATED, PGM_DISCRETE, PGM_VGEM, PGM_VKMS, PGM_DEVICES,
} PGMDevice;

typedef enum PGMKind {
    PGM_OPEN, PGM_CLOSE_FILE, PGM_CREATE, PGM_DUMB, PGM_INFO, PGM_CLOSE,
    PGM_EXPORT, PGM_IMPORT, PGM_FLINK, PGM_GEM_OPEN, PGM_PLACE, PGM_EVICT,
    PGM_BO_WAIT, PGM_CLOSE_FD, PGM_DUP, PGM_SEND, PGM_SEND_FILE, PGM_SPAWN,
    PGM_FORK, PGM_KILL, PGM_EXIT, PGM_EXPORT_SYNC, PGM_SYNC, PGM_MMAP,
    PGM_MMAP_FD, PGM_MUNMAP, PGM_WRITE, PGM_CHECKSUM, PGM_FILL, PGM_COPY,
    PGM_SETTLE, PGM_GATE, PGM_ADDFB, PGM_RMFB, PGM_GETFB, PGM_INJECT,
    PGM_UNBIND, PGM_BIND, PGM_SHOW, PGM_HIDE, PGM_POWER, PGM_FLIP, PGM_EVENT,
    PGM_MASTER, PGM_CURSOR_SET, PGM_CURSOR_MOVE,
    PGM_AWAIT_RMFB,
    PGM_MERGE_SYNC, PGM_IMPORT_SYNC, PGM_FENCE_WAIT, PGM_SET_NAME, PGM_SYNCOBJ,
    PGM_SYNCOBJ_DESTROY, PGM_SYNCOBJ_SIGNAL, PGM_SYNCOBJ_RESET,
    PGM_SYNCOBJ_WAIT, PGM_SYNCOBJ_EXPORT, PGM_SYNCOBJ_IMPORT, PGM_SYNCOBJ_LOAD,
    PGM_SYNCOBJ_TRANSFER, PGM_SYNCOBJ_QUERY,
    PGM_KINDS
} PGMKind;

typedef enum PGMMapMode { PGM_MAP_RW, PGM_MAP_RO, PGM_MAP_PRIVATE } PGMMapMode;

/* Faults of a device, each for the next that it can come to */
typedef enum PGMFault {
    PGM_FAULT_NONE,
    PGM_FAULT_CREATE,           /* a BO is refused */
    PGM_FAULT_JOB,              /* a job does nothing, and ends with an error */
    PGM_FAULT_DELAY,            /* a job is late */
} PGMFault;

/* Where the fence of a job goes; a mask */
typedef enum PGMFenceOut {
    PGM_OUT_FD = 1, PGM_OUT_SYNCOBJ = 2,
} PGMFenceOut;

typedef enum PGMSync { PGM_SYNC_READ, PGM_SYNC_RW, PGM_SYNC_END } PGMSync;

/* Placements of create and place; the default is for create only. */
typedef enum PGMPlacement {
    PGM_PLACE_DEFAULT, PGM_PLACE_PAGES, PGM_PLACE_VRAM, PGM_PLACE_ANY,
} PGMPlacement;

/* Planes of an output; vkms has no overlay. */
typedef enum PGMPlane {
    PGM_PRIMARY, PGM_OVERLAY, PGM_CURSOR, PGM_PLANES,
} PGMPlane;

/* One op; a kind uses the members that its line has (pgm_op_line()). */
typedef struct PGMOp {
    uint8_t kind;
    uint8_t worker;
    uint8_t other;              /* worker: of send, spawn, fork, kill */
    uint8_t file, bo, fd, map, sync; /* names */
    uint8_t fd2;                /* a second one, which is read */
    uint8_t to;                 /* new name, or the source of a copy */
    uint8_t device;             /* open, evict, gate, inject, unbind, bind */
    /*
     * Node, placement, map mode, access, on, fault, plane; rmfb and getfb:
     * which of two calls; of kill and settle: if needed; of jobs: PGMFenceOut;
     * of cursor: show it
     */
    uint8_t mode;
    bool wait;                  /* for jobs to be done, however long */
    uint32_t offset, offset2, length;
    uint32_t value;             /* seed, fill, flink name, framebuffer, point */
} PGMOp;

typedef struct PGMDmabuf PGMDmabuf;
typedef struct PGMFile PGMFile;
typedef struct PGMFence PGMFence;
typedef struct PGMSyncobj PGMSyncobj;

/* A GEM object; stays known after its death */
typedef struct PGMObj {
    unsigned id;
    PGMDevice dev;
    uint32_t size;
    unsigned refs;
    unsigned handles;
    unsigned fbs;
    unsigned flink;
    PGMDmabuf *dmabuf;          /* kept while there are handles */
    PGMDmabuf *import;          /* NULL: the object has bytes of its own */
    unsigned born, dead;        /* steps; dead is 0 while it is alive */
    unsigned gone;              /* step in which its device was unbound */
    /* Bytes, of an object that is no import */
    uint8_t *bytes;
    bool unknown;               /* a cancelled job may have written or not */
    unsigned writers, readers;  /* jobs that may not be done */
    bool placed;                /* discrete: where its jobs want it */
    PGMPlacement where;         /* the default: nobody knows */
    unsigned jobs;              /* operands of jobs, ever */
    bool lost_jobs;             /* some of them were cancelled, maybe */
    PGMFence *imported;         /* that jobs on the bytes wait for as well */
    /* What the device and the guest said; the model does not look at it. */
    uint64_t key;
    bool seen_create;
    unsigned seen_release;      /* step */
    int seen_handles;
    unsigned seen_jobs;
} PGMObj;

struct PGMDmabuf {
    unsigned refs;
    PGMObj *obj;                /* the exporter's */
    bool read_only;
    unsigned imports;           /* objects attached */
    bool was_import;            /* one has gone since it was settled */
};

typedef struct PGMHandle {
    PGMObj *obj;
    PGMDmabuf *cached;          /* the file's PRIME entry of this handle */
} PGMHandle;

/* An open DRM file, shared by all processes that have it */
struct PGMFile {
    unsigned refs;
    PGMDevice dev;
    unsigned bind;              /* which one of the device */
    bool gone;                  /* the device was unbound since */
    bool render;
    PGMHandle handles[PGM_HANDLES];     /* by number; 0 is not used */
    PGMSyncobj *syncobjs[PGM_SYNCOBJS]; /* the same */
    unsigned jobs;              /* that may not be done */
    unsigned late_jobs;         /* and may not be on the hardware either */
    bool waits;                 /* one of them waits for another GPU */
};

typedef struct PGMFb {
    PGMFile *file;              /* that has it in its list, or NULL */
    PGMObj *obj;                /* NULL: the number is free */
    bool cursor;                /* of another format */
} PGMFb;

/* An output of a device, its first */
typedef struct PGMOutput {
    bool mode;                  /* it has one */
    bool active;
    PGMFb *planes[PGM_PLANES];  /* what they show, or NULL */
    PGMFile *master;            /* of the device; NULL: the next to open it */
    PGMFile *event;             /* that a flip's event is to come to */
    bool held;                  /* a flip, until a gate opens */
    PGMFb *old;                 /* what it will replace */
    bool late;                  /* a worker is to let go of one, some time: */
    unsigned late_fb;           /* that of this number */
} PGMOutput;

/* What a run learns of the guest before the first op */
typedef struct PGMLearned {
    /* Number of the first framebuffer; 0: has none */
    unsigned fb_base[PGM_DEVICES][PGM_BINDS];
    bool output[PGM_DEVICES];   /* has one, with a mode */
    bool dynamic;               /* the integrated GPU imports dynamically */
} PGMLearned;

typedef struct PGMBoName {
    bool used;
    uint8_t file;
    uint32_t handle;
    uint32_t size;
} PGMBoName;

typedef struct PGMFdName {
    bool used;
    /* One of these */
    PGMDmabuf *dmabuf;
    PGMFence *fence;            /* of a sync_file */
    PGMSyncobj *syncobj;
} PGMFdName;

typedef struct PGMSyncName {
    bool used;
    uint8_t file;
    uint8_t handle;
} PGMSyncName;

typedef struct PGMMapName {
    bool used;
    PGMMapMode mode;
    uint32_t size;
    PGMObj *obj;                /* whose bytes are mapped */
    PGMFile *file;              /* what the mapping keeps open: this */
    PGMDmabuf *dmabuf;          /* or this */
} PGMMapName;

typedef struct PGMWorker {
    bool exists;
    PGMFile *files[PGM_FILES];
    PGMBoName bos[PGM_BOS];
    PGMFdName fds[PGM_FDS];
    PGMMapName maps[PGM_MAPS];
    PGMSyncName syncs[PGM_SYNCS];
} PGMWorker;

/* A job that may not be done.  Only one behind a gate keeps its BOs. */
typedef struct PGMJob {
    unsigned id;
    PGMFile *file;              /* NULL once it is closed */
    PGMDevice dev;
    PGMObj *dst, *src;          /* src may be NULL */
    bool blocked;               /* for certain: by a closed gate */
    bool waits;                 /* for another GPU, or for a job that does */
    bool on_hardware;
} PGMJob;

/* A BO that must be in the table at a settled step */
typedef struct PGMAlive {
    PGMObj *obj;
    unsigned handles;
    unsigned jobs;
} PGMAlive;

/* What must be seen of a step */
typedef struct PGMExpect {
    PGMOp op;                   /* with the numbers that its line has */
    unsigned step;              /* 0: the op is left out */
    const char *error;          /* NULL: ok */
    const char *maybe;          /* this error is right as well */
    PGMObj *obj;                /* the BO that the reply names */
    uint32_t handle;
    bool birth;                 /* obj is new */
    uint32_t flink;
    uint32_t fb;
    uint32_t sync_handle;
    bool has_submitted;         /* points of a syncobj */
    uint64_t submitted;
    bool signalled;             /* as far as that */
    bool has_checksum;
    uint64_t checksum;
    bool waits;                 /* the call, until a gate opens */
    PGMObj *dst, *src;          /* of a job that is waited for */
    bool other_jobs;            /* may be submitted in this step, too */
    GArray *alive;              /* PGMAlive; of a settled step */
    bool settled;               /* the table is exactly that */
} PGMExpect;

typedef struct PGModel {
    unsigned step;
    unsigned settled;           /* the last step that settled */
    PGMWorker workers[PGM_WORKERS];
    GPtrArray *objs;            /* PGMObj, by id */
    GPtrArray *files, *dmabufs; /* all, ever: owned here */
    GPtrArray *fences, *syncobjs;
    PGMObj *flinks[PGM_DEVICES][PGM_FLINKS];
    PGMFb fbs[PGM_DEVICES][PGM_BINDS][PGM_FBS];
    PGMOutput outputs[PGM_DEVICES];
    PGMLearned learned;
    bool flipped;               /* since it settled: what is left is unknown */
    GArray *jobs;               /* PGMJob */
    unsigned job_ids;
    bool gate[PGM_DEVICES];     /* closed */
    unsigned mover;             /* worker whose call waits for a gate, or 0 */
    PGMObj *moved;              /* what it is to move, and keeps */
    PGMFault fault[PGM_DEVICES]; /* to come */
    bool unbound[PGM_DEVICES];
    unsigned binds[PGM_DEVICES];
} PGModel;

/* The model */
PGModel *pgm_new(const PGMLearned *learned);
void pgm_free(PGModel *m);
/*
 * Take the next step.  When the outcome can't be known, returns false and
 * leaves the model as it was.
 */
bool pgm_step(PGModel *m, const PGMOp *op, PGMExpect *x);
void pgm_expect_clear(PGMExpect *x);

/* DRM core's part */
PGMObj *pgm_obj_new(PGModel *m, PGMDevice dev, uint32_t size);
void pgm_obj_get(PGMObj *obj);
void pgm_obj_put(PGModel *m, PGMObj *obj);
/* The object that has the bytes */
PGMObj *pgm_root(PGMObj *obj);
void pgm_dmabuf_get(PGMDmabuf *d);
void pgm_dmabuf_put(PGModel *m, PGMDmabuf *d);
PGMFile *pgm_file_new(PGModel *m, PGMDevice dev, bool render);
void pgm_file_put(PGModel *m, PGMFile *f);
PGMObj *pgm_lookup(PGMFile *f, uint32_t handle);
/* 0: the file is full */
uint32_t pgm_handle_create(PGMFile *f, PGMObj *obj);
bool pgm_handle_delete(PGModel *m, PGMFile *f, uint32_t handle);
/* A handle or framebuffer of the object has gone: it may have been the last. */
void pgm_handles_dropped(PGModel *m, PGMObj *obj);
/* A new handle, which the op names; false: the file is full */
bool pgm_name_handle(PGModel *m, const PGMOp *op, PGMExpect *x, PGMFile *f,
                     PGMObj *obj);
/* Has the device a fault of this kind?  Then it has come. */
bool pgm_fault_comes(PGModel *m, PGMDevice dev, PGMFault fault);
void pgm_fbs_of_file(PGModel *m, PGMFile *f);
/* The framebuffer of this number; NULL if there is none */
PGMFb *pgm_fb(PGModel *m, const PGMFile *f, unsigned slot);
/* The lowest number that is free; PGM_FBS: none, or no framebuffers at all */
unsigned pgm_fb_slot(const PGModel *m, const PGMFile *f);
/* A framebuffer of this number; a cursor's is in no file's list. */
PGMFb *pgm_fb_new(PGModel *m, PGMFile *f, unsigned slot, PGMObj *obj,
                  bool cursor);
/* It ends, unless it is in its file's list or on a plane. */
void pgm_fb_unused(PGModel *m, PGMDevice dev, PGMFb *fb);
/* Turn the planes off that show it. */
void pgm_kms_remove(PGModel *m, PGMDevice dev, const PGMFb *fb);
bool pgm_kms_shows(const PGModel *m, PGMDevice dev, const PGMFb *fb);
/* Does a flip that a gate holds go to it? A job may come late, and race. */
bool pgm_kms_flips_to(const PGModel *m, const PGMObj *root);
/* Do planes of the device show these bytes? */
bool pgm_kms_shows_root(const PGModel *m, PGMDevice dev, const PGMObj *root);
/* Would the planes, when some are turned off, wait for a gate? */
bool pgm_kms_waits(PGModel *m, PGMDevice dev);
void pgm_kms_opened(PGModel *m, PGMFile *f);
void pgm_kms_closed(PGModel *m, PGMFile *f);
/* May the file be closed?  Else nobody knows what comes of it. */
bool pgm_kms_may_close(PGModel *m, const PGMFile *f);
void pgm_kms_gate_open(PGModel *m);
/* Has a worker to let go of a framebuffer first?  Only that is waited for. */
bool pgm_kms_late(const PGModel *m);
/* The output whose event is the next thing to be asked for; NULL: none */
const PGMOutput *pgm_kms_due(const PGModel *m);
/* The driver goes; false: nobody knows what comes of it. */
bool pgm_kms_unbind(PGModel *m, PGMDevice dev);
PGMDmabuf *pgm_export(PGModel *m, PGMFile *f, uint32_t handle, bool read_only);
/* How many handles of the file a dma-buf has; one of them in *handle */
unsigned pgm_find_cached(PGMFile *f, PGMDmabuf *d, uint32_t *handle);
/* Import what the file has not; *birth tells whether an object was made. */
uint32_t pgm_import(PGModel *m, PGMFile *f, PGMDmabuf *d, bool *birth);
/* 0: no more names */
unsigned pgm_flink(PGModel *m, PGMObj *obj);

/* Jobs and bytes */
bool pgm_any_gate(const PGModel *m);
/* Would the op wait for the call that moves a buffer, or get in its way? */
bool pgm_meets_mover(PGModel *m, const PGMOp *op);
bool pgm_steps_move(PGModel *m, const PGMOp *op, PGMExpect *x);
/* May a call or a job move it, to where it is wanted? */
bool pgm_moves(PGModel *m, const PGMObj *obj);
/* A gate has opened: the call ends. */
void pgm_move_done(PGModel *m);
/* Something may move the buffer that the model does not follow. */
void pgm_move_lost(PGMObj *root);
bool pgm_job_blocked(PGModel *m, PGMFile *f, PGMObj *dst, PGMObj *src);
unsigned pgm_job_add(PGModel *m, PGMFile *f, PGMObj *dst, PGMObj *src,
                     bool blocked);
void pgm_job_done(PGModel *m, PGMObj *root, bool readers);
bool pgm_root_blocked(PGModel *m, const PGMObj *root, bool write);
void pgm_gate_open(PGModel *m, PGMDevice dev);
void pgm_file_lost(PGModel *m, PGMFile *f, bool killed);
/* Fences, which are jobs */
typedef enum PGMFenceState {
    PGM_FENCE_DONE,
    PGM_FENCE_HELD,             /* for certain not done */
    PGM_FENCE_OPEN,             /* nobody knows */
} PGMFenceState;
PGMFence *pgm_fence_new(PGModel *m);
void pgm_fence_add_job(PGMFence *fence, unsigned id);
/* A GPU is unbound; nobody asks for the name of a fence from before. */
void pgm_fences_lose_names(PGModel *m);
bool pgm_fence_has(const PGMFence *fence, unsigned id);
void pgm_fence_free(gpointer data);
void pgm_syncobj_free(gpointer data);
PGMFenceState pgm_fence_state(const PGModel *m, const PGMFence *fence);
/* Somebody has waited for it. */
void pgm_fence_done(PGModel *m, const PGMFence *fence);
/* What a reader, or a writer, of these bytes would wait for */
PGMFence *pgm_fence_of_root(PGModel *m, const PGMObj *root, bool read);
/* What a name stands for; NULL if there is none */
PGMSyncobj *pgm_syncobj(const PGMWorker *w, unsigned name);
void pgm_syncobj_set(PGMSyncobj *sync, PGMFence *fence);
bool pgm_steps_fd(PGModel *m, const PGMOp *op, PGMExpect *x);
bool pgm_steps_sync(PGModel *m, const PGMOp *op, PGMExpect *x);
bool pgm_steps_job(PGModel *m, const PGMOp *op, PGMExpect *x);
bool pgm_steps_cpu(PGModel *m, const PGMOp *op, PGMExpect *x);
bool pgm_steps_process(PGModel *m, const PGMOp *op, PGMExpect *x);
bool pgm_steps_fb(PGModel *m, const PGMOp *op, PGMExpect *x);
bool pgm_steps_bind(PGModel *m, const PGMOp *op, PGMExpect *x);
bool pgm_steps_kms(PGModel *m, const PGMOp *op, PGMExpect *x);
/* Does the op need what went with a device?  Then nobody knows the outcome. */
bool pgm_is_gone(PGModel *m, const PGMOp *op);
/* The BO that a name stands for; NULL and an error in *x if there is none */
PGMObj *pgm_bo(PGModel *m, const PGMOp *op, uint8_t name, PGMFile **f,
               PGMExpect *x, const char *gone);

/* Ops as text, and made up */
char *pgm_op_line(const PGMOp *op);
/*
 * An op that has to be alone changes processes, or passes through a second
 * one, and is not ordered with the rest of a batch.
 */
typedef struct PGMKindInfo {
    const char *name;
    unsigned weight;            /* for the generator */
    bool alone;
} PGMKindInfo;

extern const PGMKindInfo pgm_kinds[PGM_KINDS];
const char *pgm_device_name(PGMDevice dev);
/* A device of ours: its BOs, jobs and commits are seen. */
static inline bool pgm_is_gpu(PGMDevice dev)
{
    return dev == PGM_INTEGRATED || dev == PGM_DISCRETE;
}
/* As primegpu-inject calls it */
const char *pgm_fault_name(PGMFault fault);
unsigned pgm_fault_ns(PGMFault fault);
/* Does a sequence run with dynamic imports of the integrated GPU? */
bool pgm_seed_dynamic(uint64_t seed);
GArray *pgm_generate(uint64_t seed, unsigned n);
/* Ops that lead to an interesting situation */
GArray *pgm_plan(const PGModel *m, unsigned worker, uint64_t random);
/* What ends a sequence: opens the gates, ends all workers, shows nothing. */
void pgm_epilogue(GArray *ops);

/* What a run tells, in memory that is shared with the process that runs it */
typedef struct PGMReport {
    unsigned ops;               /* checked */
    unsigned errors;            /* of them, that had to fail */
    unsigned events;
    unsigned last;              /* op that was sent last */
    int64_t us;                 /* without the start of the guest */
    unsigned kinds[PGM_KINDS];
    PGMLearned learned;
} PGMReport;

typedef struct PGMRun {
    const char *name;           /* of the case */
    GArray *ops;
    PGMReport *report;
    bool dynamic;               /* the integrated GPU imports dynamically */
} PGMRun;

/* Lines that come first: parameters of the drivers, modes of the outputs */
char **pgm_setup_lines(bool dynamic);
/* The lines that a run comes to */
char *pgm_script(const PGMRun *run, unsigned *lines);
/* Play the ops in a guest; a difference ends the case: a PGCaseFn. */
void pgm_run(const void *data);
/* Fewer ops that still fail, in at most so many seconds */
GArray *pgm_shrink(const PGMRun *run, unsigned seconds, char **reason);

#endif /* PRIMEGPU_MODEL_H */
