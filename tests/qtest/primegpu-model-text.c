/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model test: ops as lines for the agent and for the rig.
 */
#include "primegpu-model.h"

/* So long may the guest take for jobs where all of them can be done, in ms */
#define PGM_WAIT_MS 20000
/* By how much a job is late that has this fault, in ns */
#define PGM_LATE_NS 2000000

static const char *const pgm_device_names[PGM_DEVICES] = {
    "integrated", "discrete", "vgem", "vkms",
};

static const char *const pgm_placements[] = { "", " pages", " vram", " any" };
static const char *const pgm_map_modes[] = { "", " ro", " private" };
static const char *const pgm_fault_names[] = { "", "create", "job", "delay" };
static const char *const pgm_planes[PGM_PLANES] = {
    "primary", "overlay", "cursor",
};
static const char *const pgm_sync_modes[] = {
    "sync-start", "sync-start", "sync-end",
};

const char *pgm_device_name(PGMDevice dev)
{
    return pgm_device_names[dev];
}

const char *pgm_fault_name(PGMFault fault)
{
    return pgm_fault_names[fault];
}

unsigned pgm_fault_ns(PGMFault fault)
{
    return fault == PGM_FAULT_DELAY ? PGM_LATE_NS : 0;
}

const PGMKindInfo pgm_kinds[PGM_KINDS] = {
    [PGM_OPEN] = { "open", 8, false },
    [PGM_CLOSE_FILE] = { "close-file", 4, false },
    [PGM_CREATE] = { "create", 40, false },
    [PGM_DUMB] = { "dumb", 4, false },
    [PGM_INFO] = { "info", 10, false },
    [PGM_CLOSE] = { "close", 50, false },
    [PGM_EXPORT] = { "export", 45, false },
    [PGM_IMPORT] = { "import", 75, false },
    [PGM_FLINK] = { "flink", 12, false },
    [PGM_GEM_OPEN] = { "gem-open", 24, false },
    [PGM_PLACE] = { "place", 24, false },
    [PGM_EVICT] = { "evict", 1, false },
    [PGM_BO_WAIT] = { "bo-wait", 8, false },
    [PGM_CLOSE_FD] = { "close-fd", 40, false },
    [PGM_DUP] = { "dup", 6, false },
    [PGM_SEND] = { "send", 14, true },
    [PGM_SEND_FILE] = { "send-file", 5, true },
    [PGM_SPAWN] = { "spawn", 3, true },
    [PGM_FORK] = { "fork", 2, true },
    [PGM_KILL] = { "kill", 1, true },
    [PGM_EXIT] = { "exit", 1, true },
    [PGM_EXPORT_SYNC] = { "export-sync", 4, false },
    [PGM_SYNC] = { "sync", 5, false },
    [PGM_MMAP] = { "mmap", 20, false },
    [PGM_MMAP_FD] = { "mmap-fd", 15, false },
    [PGM_MUNMAP] = { "munmap", 22, false },
    [PGM_WRITE] = { "write", 20, false },
    [PGM_CHECKSUM] = { "checksum", 22, false },
    [PGM_FILL] = { "fill", 28, false },
    [PGM_COPY] = { "copy", 34, false },
    [PGM_SETTLE] = { "settle", 10, false },
    [PGM_GATE] = { "gate", 8, true },
    [PGM_ADDFB] = { "addfb", 14, false },
    [PGM_RMFB] = { "rmfb", 8, false },
    [PGM_GETFB] = { "getfb", 8, false },
    [PGM_INJECT] = { "inject", 3, true },
    [PGM_UNBIND] = { "unbind", 2, true },
    [PGM_BIND] = { "bind", 1, true },
    [PGM_SHOW] = { "show", 14, false },
    [PGM_HIDE] = { "hide", 3, false },
    [PGM_POWER] = { "power", 2, false },
    [PGM_FLIP] = { "flip", 5, false },
    [PGM_EVENT] = { "event", 0, false },
    [PGM_MASTER] = { "master", 3, false },
    [PGM_CURSOR_SET] = { "cursor", 6, false },
    [PGM_CURSOR_MOVE] = { "cursor-move", 2, false },
    [PGM_AWAIT_RMFB] = { "await-rmfb", 0, false },
    [PGM_MERGE_SYNC] = { "merge-sync", 3, false },
    [PGM_IMPORT_SYNC] = { "import-sync", 3, false },
    [PGM_FENCE_WAIT] = { "fence-wait", 5, false },
    [PGM_SET_NAME] = { "set-name", 2, false },
    [PGM_SYNCOBJ] = { "syncobj", 6, false },
    [PGM_SYNCOBJ_DESTROY] = { "syncobj-destroy", 4, false },
    [PGM_SYNCOBJ_SIGNAL] = { "syncobj-signal", 4, false },
    [PGM_SYNCOBJ_RESET] = { "syncobj-reset", 1, false },
    [PGM_SYNCOBJ_WAIT] = { "syncobj-wait", 5, false },
    [PGM_SYNCOBJ_EXPORT] = { "syncobj-export", 4, false },
    [PGM_SYNCOBJ_IMPORT] = { "syncobj-import", 4, false },
    [PGM_SYNCOBJ_LOAD] = { "syncobj-load", 3, false },
    [PGM_SYNCOBJ_TRANSFER] = { "syncobj-transfer", 3, false },
    [PGM_SYNCOBJ_QUERY] = { "syncobj-query", 3, false },
};

static char *pgm_create_text(const PGMOp *op)
{
    if (op->kind == PGM_DUMB) {
        return g_strdup_printf("dumb f%u b%u 1024 %u 32", op->file, op->to,
                               op->length / PGM_PAGE);
    }
    return g_strdup_printf("create f%u b%u %u%s", op->file, op->to, op->length,
                           pgm_placements[op->mode]);
}

static char *pgm_fd_text(const PGMOp *op)
{
    switch (op->kind) {
    case PGM_EXPORT:
        return g_strdup_printf("export b%u d%u%s", op->bo, op->fd,
                               op->mode ? " ro" : "");
    case PGM_IMPORT:
        return g_strdup_printf("import f%u d%u b%u", op->file, op->fd, op->to);
    case PGM_CLOSE_FD:
        return g_strdup_printf("close-fd d%u", op->fd);
    case PGM_DUP:
        return g_strdup_printf("dup d%u d%u", op->fd, op->to);
    case PGM_SEND:
        return g_strdup_printf("send d%u p%u d%u", op->fd, op->other, op->to);
    case PGM_SEND_FILE:
        return g_strdup_printf("send-file f%u p%u f%u", op->file, op->other,
                               op->to);
    case PGM_EXPORT_SYNC:
        return g_strdup_printf("export-sync d%u %s d%u", op->fd,
                               op->mode ? "read" : "rw", op->to);
    case PGM_MERGE_SYNC:
        return g_strdup_printf("merge-sync d%u d%u d%u", op->fd, op->fd2,
                               op->to);
    case PGM_IMPORT_SYNC:
        return g_strdup_printf("import-sync d%u %s d%u", op->fd,
                               op->mode ? "write" : "rw", op->fd2);
    case PGM_FENCE_WAIT:
        return g_strdup_printf("fence-wait d%u %u", op->fd,
                               op->wait ? PGM_WAIT_MS : 1);
    case PGM_SET_NAME:
        return g_strdup_printf("set-name d%u n%u", op->fd, op->value);
    default:
        return g_strdup_printf("%s d%u %s", pgm_sync_modes[op->mode], op->fd,
                               op->mode == PGM_SYNC_READ ? "read" : "rw");
    }
}

static char *pgm_job_options(const PGMOp *op)
{
    g_autofree char *fd = op->mode & PGM_OUT_FD ?
                          g_strdup_printf(" out=d%u", op->fd) : NULL;
    g_autofree char *sync = op->mode & PGM_OUT_SYNCOBJ ?
                            g_strdup_printf(" outsync=s%u", op->sync) : NULL;

    return g_strdup_printf("%s%s%s", op->wait ? " wait" : "", fd ?: "",
                           sync ?: "");
}

static char *pgm_bo_text(const PGMOp *op)
{
    g_autofree char *options = pgm_job_options(op);

    switch (op->kind) {
    case PGM_INFO:
        return g_strdup_printf("info b%u", op->bo);
    case PGM_CLOSE:
        return g_strdup_printf("close b%u", op->bo);
    case PGM_FLINK:
        return g_strdup_printf("flink b%u", op->bo);
    case PGM_GEM_OPEN:
        return g_strdup_printf("gem-open f%u %u b%u", op->file, op->value,
                               op->to);
    case PGM_PLACE:
        return g_strdup_printf("place b%u%s", op->bo,
                               pgm_placements[op->mode]);
    case PGM_BO_WAIT:
        return g_strdup_printf("bo-wait b%u %s %u", op->bo,
                               op->mode ? "write" : "read",
                               op->wait ? PGM_WAIT_MS : 1);
    case PGM_FILL:
        return g_strdup_printf("fill b%u %u %u 0x%x%s", op->bo, op->offset,
                               op->length, op->value, options);
    default:
        return g_strdup_printf("copy b%u %u b%u %u %u%s", op->bo, op->offset,
                               op->to, op->offset2, op->length, options);
    }
}

static char *pgm_fb_text(const PGMOp *op)
{
    if (op->kind == PGM_ADDFB) {
        return g_strdup_printf("addfb b%u %u %u %u", op->bo, PGM_SCREEN,
                               op->length / (PGM_SCREEN * 4),
                               PGM_SCREEN * 4);
    }
    if (op->kind == PGM_RMFB) {
        return g_strdup_printf("%s f%u %u", op->mode ? "closefb" : "rmfb",
                               op->file, op->value);
    }
    return g_strdup_printf("%s f%u %u b%u", op->mode ? "getfb2" : "getfb",
                           op->file, op->value, op->to);
}

static char *pgm_point_text(uint32_t point)
{
    return point ? g_strdup_printf(":%u", point) : g_strdup("");
}

static char *pgm_sync_text(const PGMOp *op)
{
    const char *name = pgm_kinds[op->kind].name;
    g_autofree char *point = pgm_point_text(op->value);

    switch (op->kind) {
    case PGM_SYNCOBJ:
        return g_strdup_printf("%s f%u s%u", name, op->file, op->sync);
    case PGM_SYNCOBJ_SIGNAL:
        return g_strdup_printf("%s s%u%s", name, op->sync, point);
    case PGM_SYNCOBJ_WAIT:
        return g_strdup_printf("%s s%u%s %u", name, op->sync, point,
                               op->wait ? PGM_WAIT_MS : 1);
    case PGM_SYNCOBJ_EXPORT:
        return g_strdup_printf("%s s%u d%u%s", name, op->sync, op->fd,
                               op->mode ? " sync-file" : "");
    case PGM_SYNCOBJ_IMPORT:
        return g_strdup_printf("%s f%u d%u s%u", name, op->file, op->fd,
                               op->sync);
    case PGM_SYNCOBJ_LOAD:
        return g_strdup_printf("%s s%u d%u", name, op->sync, op->fd);
    case PGM_SYNCOBJ_TRANSFER:
        return g_strdup_printf("%s s%u%s s%u", name, op->sync, point, op->to);
    default:
        return g_strdup_printf("%s s%u", name, op->sync);
    }
}

static char *pgm_kms_text(const PGMOp *op)
{
    switch (op->kind) {
    case PGM_SHOW:
        return g_strdup_printf("atomic f%u 0 %s fb=%u src=0,0,%u,%u "
                               "dst=0,0,%u,%u", op->file,
                               pgm_planes[op->mode], op->value, PGM_SCREEN,
                               PGM_SCREEN, PGM_SCREEN, PGM_SCREEN);
    case PGM_HIDE:
        return g_strdup_printf("atomic f%u 0 %s fb=off", op->file,
                               pgm_planes[op->mode]);
    case PGM_POWER:
        return g_strdup_printf("atomic f%u 0 crtc active=%u modeset", op->file,
                               op->mode);
    case PGM_FLIP:
        return g_strdup_printf("flip f%u %u 0%s", op->file, op->value,
                               op->mode ? " nowait" : "");
    case PGM_EVENT:
        return g_strdup_printf("event f%u %u", op->file, PGM_WAIT_MS);
    case PGM_CURSOR_SET:
        return op->mode ? g_strdup_printf("cursor f%u 0 b%u %u %u", op->file,
                                          op->bo, PGM_SCREEN, PGM_SCREEN)
                        : g_strdup_printf("cursor f%u 0 off", op->file);
    case PGM_AWAIT_RMFB:
        return g_strdup_printf("await-rmfb %s %u %u",
                               pgm_device_names[op->device], op->value,
                               PGM_WAIT_MS);
    case PGM_CURSOR_MOVE:
        return g_strdup_printf("cursor-move f%u 0 %u %u", op->file, op->offset,
                               op->offset2);
    default:
        return g_strdup_printf("master f%u %s", op->file,
                               op->mode ? "set" : "drop");
    }
}

static char *pgm_map_text(const PGMOp *op)
{
    switch (op->kind) {
    case PGM_MMAP:
        return g_strdup_printf("mmap b%u m%u%s", op->bo, op->map,
                               pgm_map_modes[op->mode]);
    case PGM_MMAP_FD:
        return g_strdup_printf("mmap-fd d%u m%u %u%s", op->fd, op->map,
                               op->length, pgm_map_modes[op->mode]);
    case PGM_MUNMAP:
        return g_strdup_printf("munmap m%u", op->map);
    case PGM_WRITE:
        return g_strdup_printf("write m%u %u %u %u", op->map, op->offset,
                               op->length, op->value);
    default:
        return g_strdup_printf("checksum m%u %u %u", op->map, op->offset,
                               op->length);
    }
}

static char *pgm_worker_text(const PGMOp *op)
{
    switch (op->kind) {
    case PGM_OPEN:
        return g_strdup_printf("open f%u %s %s", op->file,
                               pgm_device_names[op->device],
                               op->mode ? "render" : "card");
    case PGM_CLOSE_FILE:
        return g_strdup_printf("close-file f%u", op->file);
    case PGM_EVICT:
        return g_strdup_printf("evict %s", pgm_device_names[op->device]);
    case PGM_FORK:
        return g_strdup_printf("fork p%u", op->other);
    case PGM_EXIT:
        return g_strdup("exit");
    case PGM_SETTLE:
        return g_strdup_printf("settle %u", op->wait ? PGM_WAIT_MS : 1);
    case PGM_CREATE:
    case PGM_DUMB:
        return pgm_create_text(op);
    case PGM_MMAP:
    case PGM_MMAP_FD:
    case PGM_MUNMAP:
    case PGM_WRITE:
    case PGM_CHECKSUM:
        return pgm_map_text(op);
    case PGM_EXPORT:
    case PGM_IMPORT:
    case PGM_CLOSE_FD:
    case PGM_DUP:
    case PGM_SEND:
    case PGM_SEND_FILE:
    case PGM_EXPORT_SYNC:
    case PGM_SYNC:
    case PGM_MERGE_SYNC:
    case PGM_IMPORT_SYNC:
    case PGM_FENCE_WAIT:
    case PGM_SET_NAME:
        return pgm_fd_text(op);
    case PGM_SYNCOBJ:
    case PGM_SYNCOBJ_DESTROY:
    case PGM_SYNCOBJ_SIGNAL:
    case PGM_SYNCOBJ_RESET:
    case PGM_SYNCOBJ_WAIT:
    case PGM_SYNCOBJ_EXPORT:
    case PGM_SYNCOBJ_IMPORT:
    case PGM_SYNCOBJ_LOAD:
    case PGM_SYNCOBJ_TRANSFER:
    case PGM_SYNCOBJ_QUERY:
        return pgm_sync_text(op);
    case PGM_ADDFB:
    case PGM_RMFB:
    case PGM_GETFB:
        return pgm_fb_text(op);
    case PGM_SHOW:
    case PGM_HIDE:
    case PGM_POWER:
    case PGM_FLIP:
    case PGM_EVENT:
    case PGM_MASTER:
    case PGM_CURSOR_SET:
    case PGM_CURSOR_MOVE:
    case PGM_AWAIT_RMFB:
        return pgm_kms_text(op);
    default:
        return pgm_bo_text(op);
    }
}

char *pgm_op_line(const PGMOp *op)
{
    g_autofree char *text = NULL;

    switch (op->kind) {
    case PGM_SPAWN:
        return g_strdup_printf("spawn p%u", op->other);
    case PGM_KILL:
        return g_strdup_printf("kill p%u", op->other);
    case PGM_GATE:
        return g_strdup_printf(":gate %s0 %s", pgm_device_names[op->device],
                               op->mode ? "on" : "off");
    case PGM_UNBIND:
    case PGM_BIND:
        return g_strdup_printf("p0 %s %s", pgm_kinds[op->kind].name,
                               pgm_device_names[op->device]);
    case PGM_INJECT:
        return op->mode == PGM_FAULT_DELAY
               ? g_strdup_printf(":inject %s0 %s %u",
                                 pgm_device_names[op->device],
                                 pgm_fault_names[op->mode], PGM_LATE_NS)
               : g_strdup_printf(":inject %s0 %s", pgm_device_names[op->device],
                                 pgm_fault_names[op->mode]);
    default:
        text = pgm_worker_text(op);
        return g_strdup_printf("p%u %s", op->worker, text);
    }
}

/* Frames follow one another as fast as the device lets them; vkms is slower. */
char **pgm_setup_lines(bool dynamic)
{
    GPtrArray *lines = g_ptr_array_new();

    g_ptr_array_add(lines, g_strdup("p0 set /sys/module/primegpu_core/"
                                    "parameters/job_timeout_ms 0"));
    if (dynamic) {
        g_ptr_array_add(lines, g_strdup("p0 set /sys/module/"
                                        "primegpu_integrated/parameters/"
                                        "dynamic 1"));
    }
    for (unsigned dev = 0; dev < PGM_DEVICES; dev++) {
        if (dev == PGM_VGEM) {
            continue;
        }
        g_ptr_array_add(lines, g_strdup_printf("p1 open probe %s card",
                                               pgm_device_name(dev)));
        g_ptr_array_add(lines, g_strdup_printf("p1 atomic probe 0 mode=%ux%u"
                                               "@%u", PGM_SCREEN, PGM_SCREEN,
                                               pgm_is_gpu(dev) ? 1000 : 250));
        g_ptr_array_add(lines, g_strdup("p1 close-file probe"));
    }
    g_ptr_array_add(lines, NULL);
    return (char **)g_ptr_array_free(lines, FALSE);
}

char *pgm_script(const PGMRun *run, unsigned *lines)
{
    GString *s = g_string_new(NULL);
    PGModel *m = pgm_new(&run->report->learned);
    g_auto(GStrv) setup = pgm_setup_lines(run->dynamic);

    for (unsigned i = 0; setup[i]; i++) {
        g_string_append_printf(s, "%s\n", setup[i]);
    }
    *lines = 0;
    for (unsigned i = 0; i < run->ops->len; i++) {
        const PGMOp *op = &g_array_index(run->ops, PGMOp, i);
        PGMExpect x;

        if (pgm_step(m, op, &x)) {
            g_autofree char *line = pgm_op_line(&x.op);

            g_string_append_printf(s, "%s\n", line);
            *lines += 1;
        }
        pgm_expect_clear(&x);
    }
    pgm_free(m);
    return g_string_free(s, FALSE);
}
