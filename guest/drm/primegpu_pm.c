// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Suspend to idle, in which the device keeps power and all that it knows. A
 * deeper sleep would reset it: BOs would be lost, and their keys are used once.
 */
#include <linux/pci.h>
#include <linux/pm.h>
#include <linux/suspend.h>

#include "primegpu_compat.h"
#include "primegpu_internal.h"

/* How long jobs may take that were there when user space was stopped */
#define PRIMEGPU_PM_IDLE_MS	1000

/*
 * All devices are awake: jobs that wait for another's can still be done, and
 * importers on others can be told of moves. TTM would wait much longer for a
 * job that hangs.
 */
static int primegpu_pm_prepare(struct device *dev)
{
	struct primegpu_device *pgpu = dev_get_drvdata(dev);
	int ret;

	if (pm_suspend_via_firmware()) {
		drm_warn(&pgpu->drm, "only suspend to idle is possible\n");
		return -EOPNOTSUPP;
	}
	ret = primegpu_settle_wait_jobs(pgpu, PRIMEGPU_PM_IDLE_MS);
	if (ret)
		return ret;
	/* What is shown could not leave VRAM. */
	ret = primegpu_kms_suspend(pgpu);
	if (ret || !pgpu->backend->evict)
		return ret;
	ret = pgpu->backend->evict(pgpu);
	if (ret)
		primegpu_kms_resume(pgpu);
	return ret;
}

static void primegpu_pm_complete(struct device *dev)
{
	primegpu_kms_resume(dev_get_drvdata(dev));
}

static int primegpu_pm_suspend(struct device *dev)
{
	struct primegpu_device *pgpu = dev_get_drvdata(dev);
	struct drm_gpu_scheduler *sched = &pgpu->engine->sched;
	int ret;

	drm_sched_wqueue_stop(sched);
	ret = primegpu_engine_wait_idle(pgpu->engine, PRIMEGPU_PM_IDLE_MS);
	if (ret) {
		drm_sched_wqueue_start(sched);
		return ret;
	}
	/* The PCI core leaves the power state of a saved device alone. */
	return pci_save_state(to_pci_dev(dev));
}

static int primegpu_pm_resume(struct device *dev)
{
	struct primegpu_device *pgpu = dev_get_drvdata(dev);

	if (!(primegpu_read(pgpu, PRIMEGPU_REG_CONTROL) &
	      PRIMEGPU_CONTROL_ENABLE)) {
		drm_err(&pgpu->drm, "the hardware was reset while asleep\n");
		pgpu->ctrl->broken = true;
	}
	drm_sched_wqueue_start(&pgpu->engine->sched);
	return 0;
}

/* &device_driver.pm of both drivers */
const struct dev_pm_ops primegpu_core_pm_ops = {
	.prepare = pm_sleep_ptr(primegpu_pm_prepare),
	.complete = pm_sleep_ptr(primegpu_pm_complete),
	SYSTEM_SLEEP_PM_OPS(primegpu_pm_suspend, primegpu_pm_resume)
};
EXPORT_SYMBOL_GPL(primegpu_core_pm_ops);
