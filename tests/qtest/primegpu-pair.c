/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A q35 machine with one primegpu of each model, for tests of their own.
 */
#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/malloc-pc.h"
#include "libqos/pci-pc.h"
#include "primegpu-pair.h"

#define INTEGRATED_SLOT 4
#define DISCRETE_SLOT   5

char *primegpu_pair_options(const char *extra)
{
    return g_strdup_printf("-machine q35 -nodefaults "
                           "-device primegpu-integrated,id=integrated0,"
                           "bus=pcie.0,addr=%x,%s "
                           "-device primegpu-discrete,id=discrete0,"
                           "bus=pcie.0,addr=%x,%s,%s %s",
                           INTEGRATED_SLOT, QPRIMEGPU_LATENCY_OPT,
                           DISCRETE_SLOT, QPRIMEGPU_LATENCY_OPT,
                           QPRIMEGPU_VRAM_OPT, extra);
}

void primegpu_pair_boot(PrimeGPUPair *pair, const char *extra)
{
    g_autofree char *options = primegpu_pair_options(extra);

    memset(pair, 0, sizeof(*pair));
    pair->extra = extra;
    pair->qts = qtest_init(options);
    pc_alloc_init(&pair->alloc, pair->qts, 0);
    pair->bus = qpci_new_pc(pair->qts, &pair->alloc);
    qprimegpu_init(&pair->integrated, pair->bus,
                   QPCI_DEVFN(INTEGRATED_SLOT, 0), &pair->alloc);
    qprimegpu_init(&pair->discrete, pair->bus, QPCI_DEVFN(DISCRETE_SLOT, 0),
                   &pair->alloc);
    g_assert_false(pair->integrated.discrete);
    g_assert_true(pair->discrete.discrete);
}

void primegpu_pair_start(PrimeGPUPair *pair)
{
    primegpu_pair_boot(pair, "");
    qprimegpu_map(&pair->integrated);
    qprimegpu_map(&pair->discrete);
    qprimegpu_start(&pair->integrated);
    qprimegpu_start(&pair->discrete);
}

void primegpu_pair_moved_to(PrimeGPUPair *pair, QTestState *qts)
{
    pair->qts = qts;
    pair->bus->qts = qts;
    pair->integrated.qts = qts;
    pair->discrete.qts = qts;
}

void primegpu_pair_quit(PrimeGPUPair *pair)
{
    qpci_free_pc(pair->bus);
    alloc_destroy(&pair->alloc);
    qtest_quit(pair->qts);
}
