/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu frames that cross: one GPU shows what lies in the other one, where
 * it lies; and the other one goes away.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/libqos-pc.h"
#include "libqos/pci-pc.h"
#include "hw/pci/pci_regs.h"
#include "libqos/primegpu-frame.h"
#include "primegpu-pair.h"

#define PAGE        PRIMEGPU_PAGE_SIZE
/* A row is no number of pages and goes over their borders. */
#define WIDTH       100
#define HEIGHT      60
#define PIXELS      (WIDTH * HEIGHT)
#define SIZE        (6 * PAGE)
#define VRAM_OFFSET (3 * PAGE)

/* What one GPU shows of the other */
typedef struct Share {
    QPrimeGPU *exporter;
    QPrimeGPU *importer;
    uint64_t frame_ns;
    uint64_t export_key;
    uint64_t import_key;
    uint64_t addr;              /* where a CPU writes to it */
    uint32_t pixels[PIXELS];
} Share;

static void paint(Share *s, uint32_t seed)
{
    uint32_t words[PIXELS];
    uint32_t i;

    for (i = 0; i < PIXELS; i++) {
        s->pixels[i] = (i + seed) * 2654435761u >> 8;
        words[i] = cpu_to_le32(s->pixels[i] | 0xab000000u);
    }
    qtest_memwrite(s->exporter->qts, s->addr, words, sizeof(words));
}

static void attach_import(Share *s, uint64_t addr)
{
    s->import_key = qprimegpu_new_import(s->importer, SIZE, s->export_key);
    qprimegpu_assert_status(
        qprimegpu_attach(s->importer, s->import_key, addr, SIZE),
        PRIMEGPU_ST_OK);
}

static void show(Share *s)
{
    s->frame_ns = qprimegpu_set_mode(s->importer, 0, WIDTH, HEIGHT);
    qprimegpu_output_writel(s->importer, 0, PRIMEGPU_OUTPUT_REG_CONTROL,
                            PRIMEGPU_OUTPUT_CONTROL_CRC);
    qprimegpu_assert_status(
        qprimegpu_flip(s->importer, 0, s->import_key, WIDTH, HEIGHT),
        PRIMEGPU_ST_OK);
}

/* A BO in VRAM, shown by a GPU that reads it through the BAR */
static void share_vram(Share *s, QPrimeGPU *discrete, QPrimeGPU *integrated)
{
    s->exporter = discrete;
    s->importer = integrated;
    s->export_key = qprimegpu_new_bo(discrete, SIZE);
    qprimegpu_assert_status(
        qprimegpu_place(discrete, s->export_key, PRIMEGPU_LOCATION_VRAM,
                        VRAM_OFFSET), PRIMEGPU_ST_OK);
    s->addr = discrete->vram.addr + VRAM_OFFSET;
    attach_import(s, s->addr);
    paint(s, 1);
    show(s);
}

static void check_crc(Share *s, const uint32_t *pixels)
{
    QPrimeGPU *g = s->importer;

    qtest_clock_step(g->qts, s->frame_ns);
    g_assert_cmphex(
        qprimegpu_output_readl(g, 0, PRIMEGPU_OUTPUT_REG_CRC_FRAME), ==,
        qprimegpu_output_readl(g, 0, PRIMEGPU_OUTPUT_REG_VBLANK_COUNT));
    g_assert_cmphex(qprimegpu_output_readl(g, 0, PRIMEGPU_OUTPUT_REG_CRC), ==,
                    qprimegpu_frame_crc(pixels, WIDTH, HEIGHT));
}

static void check_picture(Share *s, const char *device,
                          const uint32_t *pixels)
{
    g_autofree uint32_t *got = NULL;
    uint32_t width, height;

    got = qprimegpu_screendump(s->importer->qts, device, 0, &width, &height);
    g_assert_cmpuint(width, ==, WIDTH);
    g_assert_cmpuint(height, ==, HEIGHT);
    g_assert_cmpmem(got, sizeof(s->pixels), pixels, sizeof(s->pixels));
}

static uint64_t copied(QTestState *qts)
{
    uint64_t bytes = 0;
    uint16_t id;

    for (id = 1; id <= 2; id++) {
        QDict *info = qprimegpu_query(qts, id);
        QDict *counters = qdict_get_qdict(info, "counters");

        bytes += qdict_get_int(counters, "bytes-copied");
        bytes += qdict_get_int(counters, "bytes-filled");
        qobject_unref(info);
    }
    return bytes;
}

static void test_import_vram(void)
{
    PrimeGPUPair p;
    Share s = { };
    uint32_t seed;

    primegpu_pair_start(&p);
    share_vram(&s, &p.discrete, &p.integrated);
    for (seed = 2; seed < 8; seed++) {
        check_crc(&s, s.pixels);
        check_picture(&s, "integrated0", s.pixels);
        paint(&s, seed);
    }
    g_assert_cmpuint(copied(p.qts), ==, 0);
    /* The picture is the VRAM itself. */
    g_assert_cmpuint(
        qprimegpu_output_counter(p.qts, 1, 0, "console-bytes"), ==, 0);
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 0);
    primegpu_pair_quit(&p);
}

static void test_import_pages(void)
{
    PrimeGPUPair p;
    Share s = { };

    primegpu_pair_start(&p);
    s.exporter = &p.integrated;
    s.importer = &p.discrete;
    s.export_key = qprimegpu_new_bo_pages(&p.integrated, SIZE, &s.addr);
    attach_import(&s, s.addr);
    paint(&s, 1);
    show(&s);
    check_crc(&s, s.pixels);
    check_picture(&s, "discrete0", s.pixels);
    paint(&s, 2);
    check_picture(&s, "discrete0", s.pixels);
    check_crc(&s, s.pixels);
    g_assert_cmpuint(copied(p.qts), ==, 0);
    g_assert_cmpuint(qprimegpu_violations(p.qts), ==, 0);
    primegpu_pair_quit(&p);
}

static void set_memory(QPrimeGPU *g, bool on)
{
    uint16_t command = qpci_config_readw(&g->dev, PCI_COMMAND);

    command &= ~PCI_COMMAND_MEMORY;
    qpci_config_writew(&g->dev, PCI_COMMAND,
                       command | (on ? PCI_COMMAND_MEMORY : 0));
}

/* The BAR cannot be reached for a while, with the picture in it. */
static void test_bar_off(void)
{
    uint32_t black[PIXELS] = { 0 };
    PrimeGPUPair p;
    Share s = { };

    primegpu_pair_start(&p);
    share_vram(&s, &p.discrete, &p.integrated);
    check_crc(&s, s.pixels);
    check_picture(&s, "integrated0", s.pixels);
    set_memory(&p.discrete, false);
    check_crc(&s, black);
    check_picture(&s, "integrated0", black);
    g_assert_cmpuint(
        qprimegpu_output_counter(p.qts, 1, 0, "scan-faults"), >, 0);
    set_memory(&p.discrete, true);
    check_crc(&s, s.pixels);
    check_picture(&s, "integrated0", s.pixels);
    primegpu_pair_quit(&p);
}

#define IMPORTER_SLOT   4
#define EXPORTER_SLOT   5
/* Where the firmware of the machine says that a slot may go */
#define ACPI_EJECT      0xae08

static QOSState *boot_hotplug(QPrimeGPU *discrete, QPrimeGPU *integrated)
{
    QOSState *qs = qtest_pc_boot("-machine pc -nodefaults "
                                 "-device primegpu-integrated,id=integrated0,"
                                 "addr=%x "
                                 "-device primegpu-discrete,id=discrete0,"
                                 "addr=%x,%s", IMPORTER_SLOT, EXPORTER_SLOT,
                                 QPRIMEGPU_VRAM_OPT);

    qprimegpu_init(integrated, qs->pcibus, QPCI_DEVFN(IMPORTER_SLOT, 0),
                   &qs->alloc);
    qprimegpu_init(discrete, qs->pcibus, QPCI_DEVFN(EXPORTER_SLOT, 0),
                   &qs->alloc);
    qprimegpu_map(integrated);
    qprimegpu_map(discrete);
    qprimegpu_start(integrated);
    qprimegpu_start(discrete);
    return qs;
}

/*
 * The GPU goes in whose VRAM the picture is.  Nobody looks any more, and it
 * must be gone all the same once the import is.
 */
static void test_exporter_unplugged(void)
{
    uint32_t black[PIXELS] = { 0 };
    QPrimeGPU discrete = { }, integrated = { };
    QOSState *qs = boot_hotplug(&discrete, &integrated);
    Share s = { };

    share_vram(&s, &discrete, &integrated);
    check_crc(&s, s.pixels);
    check_picture(&s, "integrated0", s.pixels);
    qtest_qmp_device_del_send(qs->qts, "discrete0");
    qtest_outl(qs->qts, ACPI_EJECT, 1 << EXPORTER_SLOT);
    check_crc(&s, black);
    qprimegpu_assert_status(qprimegpu_flip(&integrated, 0, 0, 0, 0),
                            PRIMEGPU_ST_OK);
    qtest_clock_step(qs->qts, s.frame_ns);
    qprimegpu_free_bo(&integrated, s.import_key);
    qtest_qmp_eventwait(qs->qts, "DEVICE_DELETED");
    check_picture(&s, "integrated0", black);
    qtest_shutdown(qs);
}

/* The GPU goes that shows it, and another one comes. */
static void test_importer_unplugged(void)
{
    QPrimeGPU discrete = { }, integrated = { };
    QOSState *qs = boot_hotplug(&discrete, &integrated);
    Share s = { };

    share_vram(&s, &discrete, &integrated);
    check_crc(&s, s.pixels);
    check_picture(&s, "integrated0", s.pixels);
    qpci_unplug_acpi_device_test(qs->qts, "integrated0", IMPORTER_SLOT);
    paint(&s, 2);
    qtest_qmp_device_add(qs->qts, "primegpu-integrated", "integrated1",
                         "{ 'addr': %s }", stringify(IMPORTER_SLOT));
    g_free(qprimegpu_screendump(qs->qts, "integrated1", 0,
                                &(uint32_t) { 0 }, &(uint32_t) { 0 }));
    qpci_unplug_acpi_device_test(qs->qts, "discrete0", EXPORTER_SLOT);
    qtest_shutdown(qs);
}

/* The GPU goes whose own VRAM the picture is. */
static void test_own_unplugged(void)
{
    QPrimeGPU discrete = { }, integrated = { };
    QOSState *qs = boot_hotplug(&discrete, &integrated);
    Share s = { .exporter = &discrete, .importer = &discrete };

    s.import_key = qprimegpu_new_bo(&discrete, SIZE);
    qprimegpu_assert_status(
        qprimegpu_place(&discrete, s.import_key, PRIMEGPU_LOCATION_VRAM, 0),
        PRIMEGPU_ST_OK);
    s.addr = discrete.vram.addr;
    paint(&s, 1);
    show(&s);
    check_crc(&s, s.pixels);
    check_picture(&s, "discrete0", s.pixels);
    qpci_unplug_acpi_device_test(qs->qts, "discrete0", EXPORTER_SLOT);
    qtest_shutdown(qs);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("primegpu/show/import-vram", test_import_vram);
    qtest_add_func("primegpu/show/import-pages", test_import_pages);
    qtest_add_func("primegpu/show/bar-off", test_bar_off);
    qtest_add_func("primegpu/show/exporter-unplugged",
                   test_exporter_unplugged);
    qtest_add_func("primegpu/show/importer-unplugged",
                   test_importer_unplugged);
    qtest_add_func("primegpu/show/own-unplugged", test_own_unplugged);
    return g_test_run();
}
