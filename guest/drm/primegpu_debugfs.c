// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of a device in debugfs:
 *   settle  read: settle all devices, then tell what this one still has;
 *           write: the same, after a wait of so many ms for jobs to be done
 *   evict   write: move everything out of VRAM
 *   bos     the driver's own view of its BOs
 *   free_late
 *           write: wait for what is freed after a grace period of RCU
 */
#include <linux/debugfs.h>
#include <linux/dma-buf.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>

#include "primegpu_internal.h"

static int primegpu_debugfs_settle_show(struct seq_file *m, void *data)
{
	struct primegpu_device *pgpu = m->private;
	int ret;

	ret = primegpu_settle(0);
	if (ret)
		return ret;
	spin_lock(&pgpu->bo_lock);
	seq_printf(m, "jobs=%d bos=%zu dying=%zu\n",
		   atomic_read(&pgpu->engine->jobs),
		   list_count_nodes(&pgpu->bos),
		   list_count_nodes(&pgpu->dying));
	spin_unlock(&pgpu->bo_lock);
	return 0;
}

static ssize_t primegpu_debugfs_settle_write(struct file *file,
					     const char __user *buf,
					     size_t count, loff_t *pos)
{
	unsigned int wait_ms;
	int ret;

	ret = kstrtouint_from_user(buf, count, 0, &wait_ms);
	if (ret)
		return ret;
	ret = primegpu_settle(wait_ms);
	return ret ?: count;
}
DEFINE_SHOW_STORE_ATTRIBUTE(primegpu_debugfs_settle);

static int primegpu_debugfs_evict_set(void *data, u64 value)
{
	struct primegpu_device *pgpu = data;

	if (!pgpu->backend->evict)
		return 0;
	return pgpu->backend->evict(pgpu);
}
DEFINE_DEBUGFS_ATTRIBUTE(primegpu_debugfs_evict_fops, NULL,
			 primegpu_debugfs_evict_set, "%llu\n");

static int primegpu_debugfs_free_late_set(void *data, u64 value)
{
	rcu_barrier();
	kvfree_rcu_barrier();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(primegpu_debugfs_free_late_fops, NULL,
			 primegpu_debugfs_free_late_set, "%llu\n");

static void primegpu_debugfs_show_import(struct seq_file *m,
					 const struct primegpu_bo *bo)
{
	const struct dma_buf_attachment *attach = bo->gem->import_attach;

	seq_printf(m, " exporter=0x%llx", bo->exporter_key);
	/* One that is dying may have no attachment any more. */
	if (!list_empty(&bo->dying_link) || !attach || !attach->importer_ops)
		return;
	seq_puts(m, " dynamic");
	if (attach->peer2peer)
		seq_puts(m, " p2p");
	if (READ_ONCE(bo->import_sgt))
		seq_puts(m, " mapped");
}

static void primegpu_debugfs_show_bo(struct seq_file *m, struct primegpu_bo *bo)
{
	const struct primegpu_client *client;

	seq_printf(m, "key=0x%llx size=%zu attached=%d", bo->key, bo->gem->size,
		   READ_ONCE(bo->attached));
	if (bo->imported)
		primegpu_debugfs_show_import(m, bo);
	if (!list_empty(&bo->dying_link))
		seq_puts(m, " dying");
	spin_lock(&bo->client_lock);
	list_for_each_entry(client, &bo->clients, link)
		seq_printf(m, " client=%u:%u handles,%u jobs", client->id,
			   client->handles, client->jobs);
	spin_unlock(&bo->client_lock);
	seq_putc(m, '\n');
}

static int primegpu_debugfs_bos_show(struct seq_file *m, void *data)
{
	struct primegpu_device *pgpu = m->private;
	struct primegpu_bo *bo;

	spin_lock(&pgpu->bo_lock);
	list_for_each_entry(bo, &pgpu->bos, link)
		primegpu_debugfs_show_bo(m, bo);
	spin_unlock(&pgpu->bo_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(primegpu_debugfs_bos);

/**
 * primegpu_core_debugfs_init - &drm_driver.debugfs_init of both drivers
 * @minor: whose folder gets the files
 */
void primegpu_core_debugfs_init(struct drm_minor *minor)
{
	struct primegpu_device *pgpu = to_primegpu_device(minor->dev);
	struct dentry *root = minor->debugfs_root;

	debugfs_create_file("settle", 0600, root, pgpu,
			    &primegpu_debugfs_settle_fops);
	debugfs_create_file_unsafe("evict", 0200, root, pgpu,
				   &primegpu_debugfs_evict_fops);
	debugfs_create_file_unsafe("free_late", 0200, root, pgpu,
				   &primegpu_debugfs_free_late_fops);
	debugfs_create_file("bos", 0400, root, pgpu,
			    &primegpu_debugfs_bos_fops);
}
EXPORT_SYMBOL_GPL(primegpu_core_debugfs_init);
