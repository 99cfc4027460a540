// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory and indices of the control ring. What stands in the entries is none
 * of its business.
 */
#include <linux/bitfield.h>

#include <drm/drm_managed.h>

#include "primegpu_internal.h"

#define PRIMEGPU_CTRL_ENTRIES	(1 << PRIMEGPU_CTRL_ORDER)

/* Each doorbell is followed by a look at the results, so the ring never fills. */
static_assert(PRIMEGPU_CTRL_BATCH_MAX < PRIMEGPU_CTRL_ENTRIES);

static void *primegpu_ring_entry(struct primegpu_ring *ring, u32 index)
{
	return ring->entries + index * PRIMEGPU_RING_ENTRY_SIZE;
}

static u32 primegpu_ring_after(u32 index)
{
	return (index + 1) & (PRIMEGPU_CTRL_ENTRIES - 1);
}

/* The next entry to write, zeroed */
void *primegpu_ring_next(struct primegpu_ring *ring)
{
	void *entry = primegpu_ring_entry(ring, ring->tail);

	lockdep_assert_held(&ring->lock);
	memset(entry, 0, PRIMEGPU_RING_ENTRY_SIZE);
	ring->tail = primegpu_ring_after(ring->tail);
	return entry;
}

/* Number of entries whose result was not looked at */
u32 primegpu_ring_pending(const struct primegpu_ring *ring)
{
	return (ring->tail - ring->first) & (PRIMEGPU_CTRL_ENTRIES - 1);
}

/* The oldest entry whose result was not looked at, or NULL */
void *primegpu_ring_reap(struct primegpu_ring *ring)
{
	void *entry;

	lockdep_assert_held(&ring->lock);
	if (ring->first == ring->tail)
		return NULL;
	entry = primegpu_ring_entry(ring, ring->first);
	ring->first = primegpu_ring_after(ring->first);
	return entry;
}

int primegpu_ring_init(struct primegpu_device *pgpu)
{
	struct primegpu_ring *ring;
	u64 serial;

	ring = drmm_kzalloc(&pgpu->drm, sizeof(*ring), GFP_KERNEL);
	if (!ring)
		return -ENOMEM;
	spin_lock_init(&ring->lock);
	ring->entries = dmam_alloc_coherent(pgpu->drm.dev,
					    PRIMEGPU_CTRL_ENTRIES *
					    PRIMEGPU_RING_ENTRY_SIZE,
					    &ring->dma, GFP_KERNEL);
	if (!ring->entries)
		return -ENOMEM;
	ring->sg = dmam_alloc_coherent(pgpu->drm.dev,
				       PRIMEGPU_SG_MAX *
				       sizeof(struct primegpu_sg),
				       &ring->sg_dma, GFP_KERNEL);
	if (!ring->sg)
		return -ENOMEM;

	primegpu_write64(pgpu, PRIMEGPU_REG_CTRL_BASE_LO,
			 PRIMEGPU_REG_CTRL_BASE_HI, ring->dma);
	primegpu_write(pgpu, PRIMEGPU_REG_CTRL_ORDER, PRIMEGPU_CTRL_ORDER);
	serial = primegpu_read64(pgpu, PRIMEGPU_REG_KEY_NEXT_LO,
				 PRIMEGPU_REG_KEY_NEXT_HI);
	ring->next_key = FIELD_PREP(PRIMEGPU_KEY_DEVICE, pgpu->device_id) |
			 FIELD_PREP(PRIMEGPU_KEY_SERIAL,
				    serial & PRIMEGPU_KEY_SERIAL);
	pgpu->ctrl = ring;
	return 0;
}
