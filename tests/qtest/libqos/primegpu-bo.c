/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libqos driver for the primegpu devices: the commands and operations.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "../libqtest.h"
#include "primegpu.h"

uint64_t qprimegpu_key_next(QPrimeGPU *g)
{
    return qprimegpu_readq(g, PRIMEGPU_REG_KEY_NEXT_LO);
}

uint32_t qprimegpu_create(QPrimeGPU *g, uint64_t key, uint64_t size,
                          uint16_t flags, uint64_t exporter)
{
    struct primegpu_cmd_bo_create command = {
        .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_BO_CREATE),
        .hdr.flags = cpu_to_le16(flags),
        .key = cpu_to_le64(key),
        .size = cpu_to_le64(size),
        .exporter_key = cpu_to_le64(exporter),
    };

    return qprimegpu_ctrl(g, &command);
}

static uint32_t qprimegpu_client(QPrimeGPU *g, enum primegpu_opcode opcode,
                                 uint64_t key, uint32_t client)
{
    struct primegpu_cmd_bo_client command = {
        .hdr.opcode = cpu_to_le16(opcode),
        .key = cpu_to_le64(key),
        .client = cpu_to_le32(client),
    };

    return qprimegpu_ctrl(g, &command);
}

uint32_t qprimegpu_open(QPrimeGPU *g, uint64_t key, uint32_t client)
{
    return qprimegpu_client(g, PRIMEGPU_OP_BO_OPEN, key, client);
}

uint32_t qprimegpu_close(QPrimeGPU *g, uint64_t key, uint32_t client)
{
    return qprimegpu_client(g, PRIMEGPU_OP_BO_CLOSE, key, client);
}

uint32_t qprimegpu_attach_sg(QPrimeGPU *g, uint64_t key, uint64_t offset,
                             const struct primegpu_sg *sg, uint32_t count)
{
    struct primegpu_cmd_bo_attach command = {
        .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_BO_ATTACH),
        .key = cpu_to_le64(key),
        .offset = cpu_to_le64(offset),
        .sg_addr = cpu_to_le64(g->scratch),
        .sg_count = cpu_to_le32(count),
    };

    qtest_memwrite(g->qts, g->scratch, sg, count * sizeof(*sg));
    return qprimegpu_ctrl(g, &command);
}

uint32_t qprimegpu_attach(QPrimeGPU *g, uint64_t key, uint64_t addr,
                          uint64_t size)
{
    struct primegpu_sg sg = {
        .addr = cpu_to_le64(addr),
        .length = cpu_to_le64(size),
    };

    return qprimegpu_attach_sg(g, key, 0, &sg, 1);
}

static uint32_t qprimegpu_bo(QPrimeGPU *g, enum primegpu_opcode opcode,
                             uint64_t key)
{
    struct primegpu_cmd_bo command = {
        .hdr.opcode = cpu_to_le16(opcode),
        .key = cpu_to_le64(key),
    };

    return qprimegpu_ctrl(g, &command);
}

uint32_t qprimegpu_detach(QPrimeGPU *g, uint64_t key)
{
    return qprimegpu_bo(g, PRIMEGPU_OP_BO_DETACH, key);
}

uint32_t qprimegpu_place(QPrimeGPU *g, uint64_t key,
                         enum primegpu_location location, uint64_t offset)
{
    struct primegpu_cmd_bo_place command = {
        .hdr.opcode = cpu_to_le16(PRIMEGPU_OP_BO_PLACE),
        .key = cpu_to_le64(key),
        .vram_offset = cpu_to_le64(offset),
        .location = cpu_to_le32(location),
    };

    return qprimegpu_ctrl(g, &command);
}

uint32_t qprimegpu_destroy(QPrimeGPU *g, uint64_t key)
{
    return qprimegpu_bo(g, PRIMEGPU_OP_BO_DESTROY, key);
}

uint64_t qprimegpu_new_bo(QPrimeGPU *g, uint64_t size)
{
    uint64_t key = qprimegpu_key_next(g);

    qprimegpu_assert_status(qprimegpu_create(g, key, size, 0, 0),
                            PRIMEGPU_ST_OK);
    return key;
}

uint64_t qprimegpu_new_import(QPrimeGPU *g, uint64_t size, uint64_t exporter)
{
    uint64_t key = qprimegpu_key_next(g);

    qprimegpu_assert_status(qprimegpu_create(g, key, size,
                                             PRIMEGPU_BO_CREATE_IMPORT,
                                             exporter),
                            PRIMEGPU_ST_OK);
    return key;
}

uint64_t qprimegpu_new_bo_pages(QPrimeGPU *g, uint64_t size, uint64_t *addr)
{
    uint64_t key = qprimegpu_new_bo(g, size);

    *addr = qprimegpu_alloc_pages(g, size / PRIMEGPU_PAGE_SIZE);
    qprimegpu_assert_status(qprimegpu_attach(g, key, *addr, size),
                            PRIMEGPU_ST_OK);
    return key;
}

void qprimegpu_free_bo(QPrimeGPU *g, uint64_t key)
{
    qprimegpu_assert_status(qprimegpu_detach(g, key), PRIMEGPU_ST_OK);
    qprimegpu_assert_status(qprimegpu_destroy(g, key), PRIMEGPU_ST_OK);
}

struct primegpu_job_op qprimegpu_op_fill(uint64_t key, uint64_t offset,
                                         uint64_t size, uint8_t value)
{
    return (struct primegpu_job_op) {
        .opcode = cpu_to_le16(PRIMEGPU_JOB_OP_FILL),
        .value = cpu_to_le32(value),
        .dst_key = cpu_to_le64(key),
        .dst_offset = cpu_to_le64(offset),
        .dst_stride = cpu_to_le32(size),
        .width = cpu_to_le32(size),
        .height = cpu_to_le32(1),
        .cpp = cpu_to_le32(1),
    };
}

struct primegpu_job_op qprimegpu_op_copy(uint64_t dst, uint64_t dst_offset,
                                         uint64_t src, uint64_t src_offset,
                                         uint64_t size)
{
    return (struct primegpu_job_op) {
        .opcode = cpu_to_le16(PRIMEGPU_JOB_OP_COPY),
        .dst_key = cpu_to_le64(dst),
        .dst_offset = cpu_to_le64(dst_offset),
        .src_key = cpu_to_le64(src),
        .src_offset = cpu_to_le64(src_offset),
        .dst_stride = cpu_to_le32(size),
        .src_stride = cpu_to_le32(size),
        .width = cpu_to_le32(size),
        .height = cpu_to_le32(1),
        .cpp = cpu_to_le32(1),
    };
}
