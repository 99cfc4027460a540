/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu commands
 *
 * Owns the decoding of ring entries, which are private copies by now.  The
 * table says what may come in on which ring; a handler decodes its entry and
 * calls the block that does the work.  It keeps no state.
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/log.h"
#include "cmd.h"
#include "trace.h"

#define PRIMEGPU_CMD_COMMIT_FLAGS \
    (PRIMEGPU_COMMIT_ASYNC | PRIMEGPU_COMMIT_COLOR | \
     PRIMEGPU_COMMIT_WRITEBACK | PRIMEGPU_COMMIT_EXPLICIT_SYNC)

bool primegpu_cmd_is_zero(const primegpu_le64 *words, size_t count)
{
    return buffer_is_zero(words, count * sizeof(*words));
}

static uint32_t primegpu_cmd_bo_create(PrimeGPUState *s,
                                       const PrimeGPUEntry *entry)
{
    const struct primegpu_cmd_bo_create *cmd = &entry->bo_create;
    uint16_t flags = le16_to_cpu(cmd->hdr.flags);

    if (!primegpu_cmd_is_zero(cmd->rsvd28, ARRAY_SIZE(cmd->rsvd28))) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    return primegpu_bo_create(s, le64_to_cpu(cmd->key),
                              le64_to_cpu(cmd->size),
                              flags & PRIMEGPU_BO_CREATE_IMPORT,
                              le64_to_cpu(cmd->exporter_key));
}

static bool primegpu_cmd_client_valid(const struct primegpu_cmd_bo_client *cmd)
{
    return !cmd->rsvd1c &&
           primegpu_cmd_is_zero(cmd->rsvd20, ARRAY_SIZE(cmd->rsvd20));
}

static uint32_t primegpu_cmd_bo_open(PrimeGPUState *s,
                                     const PrimeGPUEntry *entry)
{
    const struct primegpu_cmd_bo_client *cmd = &entry->bo_client;

    if (!primegpu_cmd_client_valid(cmd)) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    return primegpu_bo_open(s, le64_to_cpu(cmd->key),
                            le32_to_cpu(cmd->client));
}

static uint32_t primegpu_cmd_bo_close(PrimeGPUState *s,
                                      const PrimeGPUEntry *entry)
{
    const struct primegpu_cmd_bo_client *cmd = &entry->bo_client;

    if (!primegpu_cmd_client_valid(cmd)) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    return primegpu_bo_close(s, le64_to_cpu(cmd->key),
                             le32_to_cpu(cmd->client));
}

static uint32_t primegpu_cmd_bo_attach(PrimeGPUState *s,
                                       const PrimeGPUEntry *entry)
{
    const struct primegpu_cmd_bo_attach *cmd = &entry->bo_attach;
    uint64_t addr = le64_to_cpu(cmd->sg_addr);
    uint32_t count = le32_to_cpu(cmd->sg_count);
    struct primegpu_sg wire[PRIMEGPU_SG_MAX];
    PrimeGPUSegment list[PRIMEGPU_SG_MAX];
    uint32_t i;

    if (cmd->rsvd2c ||
        !primegpu_cmd_is_zero(cmd->rsvd30, ARRAY_SIZE(cmd->rsvd30)) ||
        !count || count > PRIMEGPU_SG_MAX ||
        !QEMU_IS_ALIGNED(addr, sizeof(uint64_t))) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    if (!primegpu_mem_read(s, addr, wire, count * sizeof(wire[0]))) {
        return PRIMEGPU_ST_DMA;
    }
    for (i = 0; i < count; i++) {
        list[i].addr = le64_to_cpu(wire[i].addr);
        list[i].length = le64_to_cpu(wire[i].length);
    }
    return primegpu_bo_attach(s, le64_to_cpu(cmd->key),
                              le64_to_cpu(cmd->offset), list, count);
}

static uint32_t primegpu_cmd_bo_detach(PrimeGPUState *s,
                                       const PrimeGPUEntry *entry)
{
    const struct primegpu_cmd_bo *cmd = &entry->bo;

    if (!primegpu_cmd_is_zero(cmd->rsvd18, ARRAY_SIZE(cmd->rsvd18))) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    return primegpu_bo_detach(s, le64_to_cpu(cmd->key));
}

static uint32_t primegpu_cmd_bo_place(PrimeGPUState *s,
                                      const PrimeGPUEntry *entry)
{
    const struct primegpu_cmd_bo_place *cmd = &entry->bo_place;
    uint64_t key = le64_to_cpu(cmd->key);
    uint64_t vram_offset = le64_to_cpu(cmd->vram_offset);

    if (cmd->rsvd24 ||
        !primegpu_cmd_is_zero(cmd->rsvd28, ARRAY_SIZE(cmd->rsvd28))) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    switch (le32_to_cpu(cmd->location)) {
    case PRIMEGPU_LOCATION_PAGES:
        return vram_offset ? PRIMEGPU_ST_INVALID_FIELD
                           : primegpu_bo_place_pages(s, key);
    case PRIMEGPU_LOCATION_VRAM:
        return s->conf.vram_size ? primegpu_bo_place_vram(s, key, vram_offset)
                                 : PRIMEGPU_ST_UNSUPPORTED;
    default:
        return PRIMEGPU_ST_INVALID_FIELD;
    }
}

static uint32_t primegpu_cmd_bo_destroy(PrimeGPUState *s,
                                        const PrimeGPUEntry *entry)
{
    const struct primegpu_cmd_bo *cmd = &entry->bo;

    if (!primegpu_cmd_is_zero(cmd->rsvd18, ARRAY_SIZE(cmd->rsvd18))) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    return primegpu_bo_destroy(s, le64_to_cpu(cmd->key));
}

typedef uint32_t PrimeGPUCmdFunc(PrimeGPUState *s, const PrimeGPUEntry *entry);

static const struct PrimeGPUCmdInfo {
    const char *name;
    PrimeGPUCmdFunc *run;
    uint16_t flags;             /* those that are known */
    uint32_t caps;              /* those that the device must have */
} primegpu_cmds[] = {
    [PRIMEGPU_OP_BO_CREATE] = { "bo-create", primegpu_cmd_bo_create,
                                .flags = PRIMEGPU_BO_CREATE_IMPORT },
    [PRIMEGPU_OP_BO_OPEN] = { "bo-open", primegpu_cmd_bo_open },
    [PRIMEGPU_OP_BO_CLOSE] = { "bo-close", primegpu_cmd_bo_close },
    [PRIMEGPU_OP_BO_ATTACH] = { "bo-attach", primegpu_cmd_bo_attach },
    [PRIMEGPU_OP_BO_DETACH] = { "bo-detach", primegpu_cmd_bo_detach },
    [PRIMEGPU_OP_BO_PLACE] = { "bo-place", primegpu_cmd_bo_place },
    [PRIMEGPU_OP_BO_DESTROY] = { "bo-destroy", primegpu_cmd_bo_destroy },
    [PRIMEGPU_OP_MODE] = { "mode", primegpu_cmd_mode,
                           .caps = PRIMEGPU_CAPS_DISPLAY },
    [PRIMEGPU_OP_COMMIT] = { "commit", primegpu_cmd_commit,
                             .flags = PRIMEGPU_CMD_COMMIT_FLAGS,
                             .caps = PRIMEGPU_CAPS_DISPLAY },
};

static uint32_t primegpu_cmd_dispatch(PrimeGPUState *s,
                                      const PrimeGPUEntry *entry)
{
    uint16_t opcode = le16_to_cpu(entry->hdr.opcode);
    const struct PrimeGPUCmdInfo *info;

    if (opcode >= ARRAY_SIZE(primegpu_cmds) || !primegpu_cmds[opcode].run) {
        return PRIMEGPU_ST_INVALID_OPCODE;
    }
    info = &primegpu_cmds[opcode];
    if (info->caps & ~primegpu_caps(s)) {
        return PRIMEGPU_ST_UNSUPPORTED;
    }
    if ((le16_to_cpu(entry->hdr.flags) & ~info->flags) || entry->hdr.status) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    return info->run(s, entry);
}

/* Every error of a command or job that its decoding or running found */
static void primegpu_cmd_log_error(PrimeGPUState *s,
                                   const PrimeGPUEntry *entry, uint32_t status)
{
    uint16_t opcode = le16_to_cpu(entry->hdr.opcode);
    uint64_t seqno = le64_to_cpu(entry->hdr.seqno);

    qemu_log_mask(LOG_GUEST_ERROR, "primegpu %s: command %u, seqno %" PRIu64
                  ", ends with status %u\n", s->name, opcode, seqno, status);
    trace_primegpu_err_cmd(s->name, opcode, seqno, status);
}

uint32_t primegpu_cmd_control(PrimeGPUState *s, const PrimeGPUEntry *entry)
{
    uint32_t status = primegpu_cmd_dispatch(s, entry);

    s->counters.commands++;
    if (status != PRIMEGPU_ST_OK) {
        s->counters.command_errors++;
        primegpu_cmd_log_error(s, entry, status);
    }
    return status;
}

static uint32_t primegpu_cmd_check_job(const PrimeGPUEntry *entry)
{
    const struct primegpu_cmd_job *cmd = &entry->job;

    if (le16_to_cpu(cmd->hdr.opcode) != PRIMEGPU_OP_JOB) {
        return PRIMEGPU_ST_INVALID_OPCODE;
    }
    if ((le16_to_cpu(cmd->hdr.flags) & ~PRIMEGPU_JOB_EXPLICIT_SYNC) ||
        cmd->hdr.status ||
        !primegpu_cmd_is_zero(cmd->rsvd20, ARRAY_SIZE(cmd->rsvd20))) {
        return PRIMEGPU_ST_INVALID_FIELD;
    }
    return PRIMEGPU_ST_NONE;
}

PrimeGPUJob *primegpu_cmd_engine(PrimeGPUState *s, const PrimeGPUEntry *entry,
                                 uint32_t slot)
{
    const struct primegpu_cmd_job *cmd = &entry->job;
    PrimeGPUJob *job = primegpu_job_new(s, le64_to_cpu(cmd->hdr.seqno), slot);

    if (!job) {
        return NULL;
    }
    job->client = le32_to_cpu(cmd->client);
    job->flags = le16_to_cpu(cmd->hdr.flags);
    job->status = primegpu_cmd_check_job(entry);
    if (job->status == PRIMEGPU_ST_NONE) {
        primegpu_job_fetch(s, job, le64_to_cpu(cmd->ops_addr),
                           le32_to_cpu(cmd->op_count));
    }
    if (job->status != PRIMEGPU_ST_NONE) {
        primegpu_cmd_log_error(s, entry, job->status);
    }
    return job;
}
