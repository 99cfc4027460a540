// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The wire format of BOs and jobs, and how commands are sent: nobody else but
 * the display's commands knows the layout of ring entries, scatter tables and
 * operations.
 *
 * A control command is run before the doorbell write returns; a batch larger
 * than the hardware's bound is not sent. So no command sleeps, and all of them
 * may be sent under a reservation lock.
 */
#include <linux/delay.h>
#include <linux/scatterlist.h>

#include "primegpu_cmd.h"
#include "primegpu_trace.h"

/* How long a command that is not run at once may take */
#define PRIMEGPU_CMD_TIMEOUT_US		(1000 * USEC_PER_MSEC)

static const int primegpu_cmd_errnos[] = {
	[PRIMEGPU_ST_NONE] = -ETIMEDOUT,
	[PRIMEGPU_ST_OK] = 0,
	[PRIMEGPU_ST_INVALID_OPCODE] = -EOPNOTSUPP,
	[PRIMEGPU_ST_INVALID_FIELD] = -EINVAL,
	[PRIMEGPU_ST_INVALID_KEY] = -EIO,
	[PRIMEGPU_ST_UNKNOWN_BO] = -EIO,
	[PRIMEGPU_ST_LIMIT] = -ENOSPC,
	[PRIMEGPU_ST_BUSY] = -EBUSY,
	[PRIMEGPU_ST_STILL_OPEN] = -EIO,
	[PRIMEGPU_ST_NOT_OPEN] = -EIO,
	[PRIMEGPU_ST_NOT_ATTACHED] = -EIO,
	[PRIMEGPU_ST_ATTACHED] = -EIO,
	[PRIMEGPU_ST_RANGE] = -EINVAL,
	[PRIMEGPU_ST_DMA] = -EFAULT,
	[PRIMEGPU_ST_OVERLAP] = -EIO,
	[PRIMEGPU_ST_EXPORTER] = -EIO,
	[PRIMEGPU_ST_CANCELLED] = -ECANCELED,
	[PRIMEGPU_ST_NO_MEMORY] = -ENOMEM,
	[PRIMEGPU_ST_UNSUPPORTED] = -EOPNOTSUPP,
};

static const u16 primegpu_cmd_op_kinds[] = {
	[PRIMEGPU_OP_KIND_FILL] = PRIMEGPU_JOB_OP_FILL,
	[PRIMEGPU_OP_KIND_COPY] = PRIMEGPU_JOB_OP_COPY,
};

static int primegpu_cmd_errno(u32 status)
{
	if (status >= ARRAY_SIZE(primegpu_cmd_errnos))
		return -EIO;
	return primegpu_cmd_errnos[status];
}

/* Status of a ring entry, PRIMEGPU_ST_NONE while the device has not run it */
u32 primegpu_cmd_status(const void *entry)
{
	const struct primegpu_cmd_hdr *hdr = entry;

	return le32_to_cpu(READ_ONCE(hdr->status));
}

/* A zeroed entry but for its head, and the key if it is not 0 */
void *primegpu_cmd_begin(struct primegpu_device *pgpu,
			 enum primegpu_opcode opcode, u64 key, u32 client)
{
	struct primegpu_ring *ring = pgpu->ctrl;
	struct primegpu_cmd_bo *cmd = primegpu_ring_next(ring);

	/* Every control command of a BO has its key in the same place. */
	cmd->hdr.opcode = cpu_to_le16(opcode);
	cmd->hdr.seqno = cpu_to_le64(++ring->seqno);
	cmd->key = cpu_to_le64(key);
	trace_primegpu_cmd(pgpu->device_id, ring->seqno, opcode, key, client);
	return cmd;
}

static int primegpu_cmd_result(struct primegpu_device *pgpu, const void *entry)
{
	const struct primegpu_cmd_bo *cmd = entry;
	unsigned int waited_us = 0;
	u32 status;

	while ((status = primegpu_cmd_status(entry)) == PRIMEGPU_ST_NONE) {
		if (pgpu->ctrl->broken)
			break;
		if (waited_us++ == PRIMEGPU_CMD_TIMEOUT_US) {
			drm_err(&pgpu->drm, "the control ring does not answer\n");
			pgpu->ctrl->broken = true;
		}
		udelay(1);
	}
	if (status != PRIMEGPU_ST_OK)
		trace_primegpu_cmd_err(pgpu->device_id,
				       le64_to_cpu(cmd->hdr.seqno),
				       le16_to_cpu(cmd->hdr.opcode),
				       le64_to_cpu(cmd->key), status);
	return primegpu_cmd_errno(status);
}

/* Rings the doorbell; the error of the first command that failed, or 0. */
int primegpu_cmd_run(struct primegpu_device *pgpu)
{
	struct primegpu_ring *ring = pgpu->ctrl;
	const void *entry;
	int ret = 0;

	WARN_ON_ONCE(primegpu_ring_pending(ring) > PRIMEGPU_CTRL_BATCH_MAX);
	if (ring->broken) {
		while (primegpu_ring_reap(ring))
			;
		return -EIO;
	}
	dma_wmb();
	primegpu_write(pgpu, PRIMEGPU_REG_CTRL_TAIL, ring->tail);
	while ((entry = primegpu_ring_reap(ring))) {
		int err = primegpu_cmd_result(pgpu, entry);

		if (err && !ret)
			ret = err;
	}
	return ret;
}

/*
 * Of commands that take something from the hardware: they have to reach it as
 * long as it runs, also when the device counts as unplugged already, since what
 * they take is given to others next. False when it is stopped.
 */
static bool primegpu_cmd_lock_running(struct primegpu_device *pgpu)
{
	spin_lock(&pgpu->ctrl->lock);
	if (!pgpu->ctrl->stopped)
		return true;
	spin_unlock(&pgpu->ctrl->lock);
	return false;
}

/* The key of the new BO; 0 with an error in *err. */
u64 primegpu_cmd_bo_create(struct primegpu_device *pgpu, size_t size,
			   bool import, u64 exporter_key, int *err)
{
	struct primegpu_cmd_bo_create *cmd;
	u64 key;
	int idx;

	*err = -ENODEV;
	if (!drm_dev_enter(&pgpu->drm, &idx))
		return 0;
	spin_lock(&pgpu->ctrl->lock);
	/* Keys rise in the order of the commands, refused ones included. */
	key = pgpu->ctrl->next_key++;
	cmd = primegpu_cmd_begin(pgpu, PRIMEGPU_OP_BO_CREATE, key, 0);
	if (import)
		cmd->hdr.flags = cpu_to_le16(PRIMEGPU_BO_CREATE_IMPORT);
	cmd->size = cpu_to_le64(size);
	cmd->exporter_key = cpu_to_le64(exporter_key);
	*err = primegpu_cmd_run(pgpu);
	spin_unlock(&pgpu->ctrl->lock);
	drm_dev_exit(idx);
	return *err ? 0 : key;
}

static int primegpu_cmd_bo_client(struct primegpu_bo *bo,
				  enum primegpu_opcode opcode, u32 client)
{
	struct primegpu_device *pgpu = to_primegpu_device(bo->gem->dev);
	struct primegpu_cmd_bo_client *cmd;
	int ret;

	if (!primegpu_cmd_lock_running(pgpu))
		return -ENODEV;
	cmd = primegpu_cmd_begin(pgpu, opcode, bo->key, client);
	cmd->client = cpu_to_le32(client);
	ret = primegpu_cmd_run(pgpu);
	spin_unlock(&pgpu->ctrl->lock);
	return ret;
}

int primegpu_cmd_bo_open(struct primegpu_bo *bo, u32 client)
{
	return primegpu_cmd_bo_client(bo, PRIMEGPU_OP_BO_OPEN, client);
}

int primegpu_cmd_bo_close(struct primegpu_bo *bo, u32 client)
{
	return primegpu_cmd_bo_client(bo, PRIMEGPU_OP_BO_CLOSE, client);
}

/* A BO_ATTACH in the making, under the ring's lock */
struct primegpu_cmd_attach {
	struct primegpu_device *pgpu;
	u64 key;
	u64 offset;	/* bytes that were sent */
	u64 addr;	/* the entry that may still grow */
	u64 length;
	u64 bytes;	/* in the table */
	u32 count;	/* entries in the table */
};

static int primegpu_cmd_attach_send(struct primegpu_cmd_attach *attach)
{
	struct primegpu_cmd_bo_attach *cmd;
	int ret;

	if (!attach->count)
		return 0;
	cmd = primegpu_cmd_begin(attach->pgpu, PRIMEGPU_OP_BO_ATTACH,
				 attach->key, 0);
	cmd->offset = cpu_to_le64(attach->offset);
	cmd->sg_addr = cpu_to_le64(attach->pgpu->ctrl->sg_dma);
	cmd->sg_count = cpu_to_le32(attach->count);
	ret = primegpu_cmd_run(attach->pgpu);
	if (!ret)
		attach->offset += attach->bytes;
	attach->bytes = 0;
	attach->count = 0;
	return ret;
}

static int primegpu_cmd_attach_flush(struct primegpu_cmd_attach *attach)
{
	struct primegpu_sg *sg = attach->pgpu->ctrl->sg;

	if (!attach->length)
		return 0;
	sg[attach->count].addr = cpu_to_le64(attach->addr);
	sg[attach->count].length = cpu_to_le64(attach->length);
	attach->count++;
	attach->bytes += attach->length;
	attach->length = 0;
	return attach->count == PRIMEGPU_SG_MAX ?
		primegpu_cmd_attach_send(attach) : 0;
}

static int primegpu_cmd_attach_add(struct primegpu_cmd_attach *attach,
				   u64 addr, u64 length)
{
	int ret;

	if (attach->length && attach->addr + attach->length == addr) {
		attach->length += length;
		return 0;
	}
	ret = primegpu_cmd_attach_flush(attach);
	attach->addr = addr;
	attach->length = length;
	return ret;
}

static int primegpu_cmd_attach_end(struct primegpu_cmd_attach *attach, int ret)
{
	if (!ret)
		ret = primegpu_cmd_attach_flush(attach);
	if (!ret)
		ret = primegpu_cmd_attach_send(attach);
	if (ret && attach->offset) {
		primegpu_cmd_begin(attach->pgpu, PRIMEGPU_OP_BO_DETACH,
				   attach->key, 0);
		primegpu_cmd_run(attach->pgpu);
	}
	return ret;
}

/* Attaches the bus addresses of a mapped table, all or nothing. */
int primegpu_cmd_bo_attach_sgt(struct primegpu_bo *bo, struct sg_table *sgt)
{
	struct primegpu_cmd_attach attach = {
		.pgpu = to_primegpu_device(bo->gem->dev),
		.key = bo->key,
	};
	u64 left = bo->gem->size;
	struct scatterlist *sg;
	int i, idx, ret = 0;

	if (!drm_dev_enter(&attach.pgpu->drm, &idx))
		return -ENODEV;
	spin_lock(&attach.pgpu->ctrl->lock);
	for_each_sgtable_dma_sg(sgt, sg, i) {
		u64 length = min_t(u64, sg_dma_len(sg), left);

		if (ret || !length)
			break;
		ret = primegpu_cmd_attach_add(&attach, sg_dma_address(sg),
					      length);
		left -= length;
	}
	ret = primegpu_cmd_attach_end(&attach, ret);
	spin_unlock(&attach.pgpu->ctrl->lock);
	drm_dev_exit(idx);
	return ret;
}

int primegpu_cmd_bo_detach(struct primegpu_bo *bo)
{
	struct primegpu_device *pgpu = to_primegpu_device(bo->gem->dev);
	int ret;

	if (!primegpu_cmd_lock_running(pgpu))
		return -ENODEV;
	primegpu_cmd_begin(pgpu, PRIMEGPU_OP_BO_DETACH, bo->key, 0);
	ret = primegpu_cmd_run(pgpu);
	spin_unlock(&pgpu->ctrl->lock);
	return ret;
}

/* Detaches the pages, if there are any, and destroys, by one doorbell. */
int primegpu_cmd_bo_destroy(struct primegpu_bo *bo)
{
	struct primegpu_device *pgpu = to_primegpu_device(bo->gem->dev);
	int ret;

	if (!primegpu_cmd_lock_running(pgpu))
		return -ENODEV;
	if (bo->attached)
		primegpu_cmd_begin(pgpu, PRIMEGPU_OP_BO_DETACH, bo->key, 0);
	primegpu_cmd_begin(pgpu, PRIMEGPU_OP_BO_DESTROY, bo->key, 0);
	ret = primegpu_cmd_run(pgpu);
	spin_unlock(&pgpu->ctrl->lock);
	return ret;
}

int primegpu_cmd_bo_place(struct primegpu_bo *bo,
			  enum primegpu_location location, u64 offset)
{
	struct primegpu_device *pgpu = to_primegpu_device(bo->gem->dev);
	struct primegpu_cmd_bo_place *cmd;
	int idx, ret;

	if (!drm_dev_enter(&pgpu->drm, &idx))
		return -ENODEV;
	spin_lock(&pgpu->ctrl->lock);
	cmd = primegpu_cmd_begin(pgpu, PRIMEGPU_OP_BO_PLACE, bo->key, 0);
	cmd->location = cpu_to_le32(location);
	cmd->vram_offset = cpu_to_le64(offset);
	ret = primegpu_cmd_run(pgpu);
	spin_unlock(&pgpu->ctrl->lock);
	drm_dev_exit(idx);
	return ret;
}

size_t primegpu_cmd_ops_size(u32 count)
{
	return count * sizeof(struct primegpu_job_op);
}

/* @op has been checked. */
void primegpu_cmd_pack_op(void *ops, u32 index,
			  const struct drm_primegpu_op *op,
			  u64 dst_key, u64 src_key)
{
	struct primegpu_job_op *wire = (struct primegpu_job_op *)ops + index;

	*wire = (struct primegpu_job_op) {
		.opcode = cpu_to_le16(primegpu_cmd_op_kinds[op->kind]),
		.value = cpu_to_le32(op->value),
		.dst_key = cpu_to_le64(dst_key),
		.dst_offset = cpu_to_le64(op->dst_offset),
		.src_key = cpu_to_le64(src_key),
		.src_offset = cpu_to_le64(op->src_offset),
		.dst_stride = cpu_to_le32(op->dst_stride),
		.src_stride = cpu_to_le32(op->src_stride),
		.width = cpu_to_le32(op->width),
		.height = cpu_to_le32(op->height),
		.cpp = cpu_to_le32(op->cpp),
	};
}

void primegpu_cmd_pack_job(void *entry, const struct primegpu_job *job,
			   u64 seqno, dma_addr_t ops)
{
	struct primegpu_cmd_job *cmd = entry;

	*cmd = (struct primegpu_cmd_job) {
		.hdr.opcode = cpu_to_le16(PRIMEGPU_OP_JOB),
		.hdr.flags = cpu_to_le16(job->explicit_sync ?
					 PRIMEGPU_JOB_EXPLICIT_SYNC : 0),
		.hdr.seqno = cpu_to_le64(seqno),
		.ops_addr = cpu_to_le64(ops),
		.op_count = cpu_to_le32(job->op_count),
		.client = cpu_to_le32(job->client),
	};
}
