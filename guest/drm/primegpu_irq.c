// SPDX-License-Identifier: GPL-2.0-or-later
/* MSI-X vectors. A status bit is cleared before memory is looked at. */
#include <linux/interrupt.h>
#include <linux/pci.h>

#include "primegpu_internal.h"

static irqreturn_t primegpu_irq_control(int irq, void *data)
{
	struct primegpu_device *pgpu = data;
	u32 mask = PRIMEGPU_IRQ_CTRL_DONE | PRIMEGPU_IRQ_FAULT;
	u32 status = primegpu_read(pgpu, PRIMEGPU_REG_IRQ_STATUS) & mask;

	if (!status)
		return IRQ_NONE;
	primegpu_write(pgpu, PRIMEGPU_REG_IRQ_STATUS, status);
	if (status & PRIMEGPU_IRQ_FAULT) {
		u32 faults = primegpu_read(pgpu, PRIMEGPU_REG_STATUS);

		drm_err_ratelimited(&pgpu->drm, "device fault, status 0x%x\n",
				    faults);
		if (faults & PRIMEGPU_STATUS_ENGINE_FAULT)
			drm_sched_fault(&pgpu->engine->sched);
	}
	return IRQ_HANDLED;
}

static irqreturn_t primegpu_irq_engine(int irq, void *data)
{
	struct primegpu_device *pgpu = data;

	primegpu_write(pgpu, PRIMEGPU_REG_IRQ_STATUS, PRIMEGPU_IRQ_ENGINE_DONE);
	primegpu_engine_process(pgpu->engine);
	return IRQ_HANDLED;
}

/*
 * What the handler of the engine would do, in case its message was lost: as
 * long as the bit is set, no other is sent.
 */
void primegpu_irq_poll(struct primegpu_device *pgpu)
{
	int idx;

	if (drm_dev_enter(&pgpu->drm, &idx)) {
		primegpu_write(pgpu, PRIMEGPU_REG_IRQ_STATUS,
			       PRIMEGPU_IRQ_ENGINE_DONE);
		drm_dev_exit(idx);
	}
	primegpu_engine_process(pgpu->engine);
}

/* Returns when no handler runs that was running before. */
void primegpu_irq_sync(struct primegpu_device *pgpu)
{
	synchronize_irq(pci_irq_vector(to_pci_dev(pgpu->drm.dev),
				       PRIMEGPU_VECTOR_ENGINE));
}

int primegpu_irq_init(struct primegpu_device *pgpu)
{
	struct pci_dev *pdev = to_pci_dev(pgpu->drm.dev);
	const char *name = dev_name(&pdev->dev);
	int ret;

	ret = pci_alloc_irq_vectors(pdev, PRIMEGPU_VECTOR_COUNT,
				    PRIMEGPU_VECTOR_COUNT, PCI_IRQ_MSIX);
	if (ret < 0)
		return ret;
	ret = devm_request_irq(&pdev->dev,
			       pci_irq_vector(pdev, PRIMEGPU_VECTOR_CONTROL),
			       primegpu_irq_control, 0, name, pgpu);
	if (ret)
		return ret;
	ret = devm_request_irq(&pdev->dev,
			       pci_irq_vector(pdev, PRIMEGPU_VECTOR_ENGINE),
			       primegpu_irq_engine, 0, name, pgpu);
	if (ret)
		return ret;
	primegpu_write(pgpu, PRIMEGPU_REG_IRQ_ENABLE,
		       PRIMEGPU_IRQ_FAULT | PRIMEGPU_IRQ_ENGINE_DONE);
	return 0;
}
