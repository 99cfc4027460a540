// SPDX-License-Identifier: GPL-2.0-or-later
/* A job's operations: copied from user space once, checked, and translated. */
#include <linux/slab.h>

#include "primegpu_internal.h"

/* A rectangle of rows in a BO */
struct primegpu_job_rect {
	u64 offset;
	u32 stride;
	u32 width;
	u32 height;
	u32 cpp;
};

struct primegpu_job *primegpu_job_create(struct primegpu_device *pgpu,
					 struct drm_file *file,
					 const struct drm_primegpu_submit *args)
{
	struct primegpu_file *priv = file->driver_priv;
	struct primegpu_job *job;

	job = kzalloc(sizeof(*job), GFP_KERNEL);
	if (!job)
		return ERR_PTR(-ENOMEM);
	job->pgpu = pgpu;
	job->client = priv->client;
	job->op_count = args->op_count;
	job->explicit_sync = args->flags & PRIMEGPU_SUBMIT_EXPLICIT_SYNC;
	job->fence = primegpu_fence_alloc();
	job->ops = kmalloc(primegpu_cmd_ops_size(job->op_count), GFP_KERNEL);
	job->bos = kvmalloc_array(2 * job->op_count, sizeof(*job->bos),
				  GFP_KERNEL);
	if (!job->fence || !job->ops || !job->bos) {
		primegpu_job_free(job);
		return ERR_PTR(-ENOMEM);
	}
	return job;
}

/* Everything but the scheduler's part */
void primegpu_job_free(struct primegpu_job *job)
{
	u32 i;

	for (i = 0; i < job->bo_count; i++) {
		struct drm_gem_object *gem = job->bos[i].gem;

		primegpu_bo_job_put(to_primegpu_bo(gem), job->bos[i].client);
		drm_gem_object_put(gem);
	}
	kvfree(job->bos);
	kfree(job->ops);
	primegpu_fence_free(job->fence);
	kfree(job);
}

/* The job's entry for a handle, which is made if there is none */
static struct primegpu_job_bo *primegpu_job_bo(struct primegpu_job *job,
					       struct drm_file *file,
					       u32 handle)
{
	struct primegpu_job_bo *jbo;
	u32 i;

	/* Operations one after the other often name the same BOs. */
	for (i = job->bo_count; i-- > 0;)
		if (job->bos[i].handle == handle)
			return &job->bos[i];

	jbo = &job->bos[job->bo_count];
	jbo->handle = handle;
	jbo->write = false;
	jbo->gem = drm_gem_object_lookup(file, handle);
	if (!jbo->gem)
		return ERR_PTR(-ENOENT);
	jbo->client = primegpu_bo_job_get(to_primegpu_bo(jbo->gem),
					  job->client);
	if (!jbo->client) {
		/* Another thread has just closed the handle. */
		drm_gem_object_put(jbo->gem);
		return ERR_PTR(-ENOENT);
	}
	job->bo_count++;
	return jbo;
}

/* The one check of a range in a BO; sums in 64 bits, each of them bounded */
static bool primegpu_job_rect_fits(const struct primegpu_job_rect *rect,
				   u64 size)
{
	u64 row = (u64)rect->width * rect->cpp;
	u64 bytes;

	if (rect->offset % rect->cpp)
		return false;
	if (rect->height == 1) {
		bytes = row;
	} else {
		if (rect->stride < row || rect->stride % rect->cpp)
			return false;
		/* Below 2^64: both factors are below 2^32, row <= stride. */
		bytes = (u64)(rect->height - 1) * rect->stride + row;
	}
	return bytes <= size && rect->offset <= size - bytes;
}

static bool primegpu_job_op_valid(const struct drm_primegpu_op *op)
{
	if (!op->width || !op->height || op->pad)
		return false;
	switch (op->kind) {
	case PRIMEGPU_OP_KIND_FILL:
		if (op->src_handle || op->src_offset || op->src_stride)
			return false;
		return op->cpp == 1 || op->cpp == 2 || op->cpp == 4;
	case PRIMEGPU_OP_KIND_COPY:
		if (op->value)
			return false;
		return op->cpp == 1 || op->cpp == 2 || op->cpp == 4 ||
		       op->cpp == 8;
	default:
		return false;
	}
}

static int primegpu_job_load_op(struct primegpu_job *job, struct drm_file *file,
				u32 index, const struct drm_primegpu_op *op)
{
	struct primegpu_job_rect rect = {
		.offset = op->dst_offset,
		.stride = op->dst_stride,
		.width = op->width,
		.height = op->height,
		.cpp = op->cpp,
	};
	struct primegpu_job_bo *jbo;
	u64 dst_key, src_key = 0;

	if (!primegpu_job_op_valid(op))
		return -EINVAL;

	jbo = primegpu_job_bo(job, file, op->dst_handle);
	if (IS_ERR(jbo))
		return PTR_ERR(jbo);
	if (!primegpu_job_rect_fits(&rect, jbo->gem->size))
		return -EINVAL;
	jbo->write = true;
	dst_key = to_primegpu_bo(jbo->gem)->key;

	if (op->kind == PRIMEGPU_OP_KIND_COPY) {
		rect.offset = op->src_offset;
		rect.stride = op->src_stride;
		jbo = primegpu_job_bo(job, file, op->src_handle);
		if (IS_ERR(jbo))
			return PTR_ERR(jbo);
		if (!primegpu_job_rect_fits(&rect, jbo->gem->size))
			return -EINVAL;
		src_key = to_primegpu_bo(jbo->gem)->key;
	}
	primegpu_cmd_pack_op(job->ops, index, op, dst_key, src_key);
	return 0;
}

int primegpu_job_load(struct primegpu_job *job, struct drm_file *file,
		      const struct drm_primegpu_submit *args)
{
	struct drm_primegpu_op *ops;
	int ret = 0;
	u32 i;

	ops = memdup_array_user(u64_to_user_ptr(args->ops), job->op_count,
				sizeof(*ops));
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	for (i = 0; i < job->op_count && !ret; i++)
		ret = primegpu_job_load_op(job, file, i, &ops[i]);
	kfree(ops);
	return ret;
}
