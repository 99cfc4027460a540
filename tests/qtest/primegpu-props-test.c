/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu properties: help, first and last values, and wrong ones.
 */
#include "qemu/osdep.h"
#include "libqtest.h"
#include "qemu/bswap.h"
#include "primegpu-pair.h"

typedef struct Property {
    const char *option;
    /* What QEMU says; NULL when the value is good */
    const char *sentence;
} Property;

#define BO_MAX      "property 'bo-max' must be between 1 and 16777216"
#define BYTES_MAX   "property 'bytes-max' must be between 4 KiB and 64 GiB"
#define LATENCY     "property 'engine-latency-ns' must be at most 60000000000"
#define VRAM_SIZE   "property 'vram-size' must be a power of two between " \
                    "1 MiB and 16 GiB"
#define OUTPUTS     "property 'max-outputs' must be at most 4"
#define RESOLUTION  "properties 'xres' and 'yres' must be between 1 and 4096"
#define RATE        "property 'refresh-rate' must be between 1000 and 500000"

static const Property common[] = {
    { "bo-max=1", NULL },
    { "bo-max=16777216", NULL },
    { "bo-max=0", BO_MAX },
    { "bo-max=16777217", BO_MAX },
    { "bytes-max=4K", NULL },
    { "bytes-max=64G", NULL },
    { "bytes-max=4095", BYTES_MAX },
    { "bytes-max=65G", BYTES_MAX },
    { "engine-latency-ns=0", NULL },
    { "engine-latency-ns=60000000000", NULL },
    { "engine-latency-ns=60000000001", LATENCY },
    { "engine-latency-ns=18446744073709551615", LATENCY },
    { "max-outputs=0", NULL },
    { "max-outputs=4", NULL },
    { "max-outputs=5", OUTPUTS },
    { "max-outputs=4294967295", OUTPUTS },
    { "xres=1,yres=1", NULL },
    { "xres=4096,yres=4096", NULL },
    { "xres=0", RESOLUTION },
    { "yres=0", RESOLUTION },
    { "xres=4097", RESOLUTION },
    { "yres=4097", RESOLUTION },
    { "refresh-rate=1000", NULL },
    { "refresh-rate=500000", NULL },
    { "refresh-rate=999", RATE },
    { "refresh-rate=500001", RATE },
    { "bo-max=many", "many" },
    { "nonsense=1", "nonsense" },
};

static const Property vram[] = {
    { "vram-size=1M", NULL },
    { "vram-size=256M", NULL },
    { "vram-size=0", VRAM_SIZE },
    { "vram-size=512K", VRAM_SIZE },
    { "vram-size=3M", VRAM_SIZE },
    { "vram-size=32G", VRAM_SIZE },
};

/* Run QEMU until it ends; returns its output, and whether it succeeded. */
static char *run_qemu(const char *options, bool *success)
{
    g_autofree char *command = NULL;
    char *out = NULL;
    g_autofree char *err = NULL;
    char *all;
    int status;

    command = g_strdup_printf("%s -machine q35 -nodefaults -display none "
                              "-accel qtest %s", getenv("QTEST_QEMU_BINARY"),
                              options);
    g_assert_true(g_spawn_command_line_sync(command, &out, &err, &status,
                                            NULL));
    *success = WIFEXITED(status) && !WEXITSTATUS(status);
    /* Refused with a status, not with a signal */
    g_assert_true(WIFEXITED(status));
    all = g_strconcat(out, err, NULL);
    g_free(out);
    return all;
}

static void check_good(const char *model, const char *option)
{
    QTestState *qts = qtest_initf("-machine q35 -nodefaults -device %s,%s",
                                  model, option);

    qtest_quit(qts);
}

static void check_bad(const char *model, const Property *property)
{
    g_autofree char *options = g_strdup_printf("-device %s,%s", model,
                                               property->option);
    g_autofree char *output = NULL;
    bool success;

    output = run_qemu(options, &success);
    g_test_message("%s", output);
    g_assert_false(success);
    g_assert_nonnull(strstr(output, property->sentence));
}

static void check_list(const char *model, const Property *list, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        g_test_message("%s,%s", model, list[i].option);
        if (list[i].sentence) {
            check_bad(model, &list[i]);
        } else {
            check_good(model, list[i].option);
        }
    }
}

static void test_integrated(void)
{
    static const Property none = { "vram-size=16M", "vram-size" };

    check_list("primegpu-integrated", common, ARRAY_SIZE(common));
    check_bad("primegpu-integrated", &none);
}

static void test_discrete(void)
{
    check_list("primegpu-discrete", common, ARRAY_SIZE(common));
    check_list("primegpu-discrete", vram, ARRAY_SIZE(vram));
}

static void check_help(const char *model, bool has_vram)
{
    static const char *const properties[] = {
        "bo-max=<uint32>", "bytes-max=<size>", "engine-latency-ns=<uint64>",
        "max-outputs=<uint32>", "xres=<uint32>", "yres=<uint32>",
        "refresh-rate=<uint32>",
    };
    g_autofree char *options = g_strdup_printf("-device %s,help", model);
    g_autofree char *output = NULL;
    bool success;
    size_t i;

    output = run_qemu(options, &success);
    g_assert_true(success);
    for (i = 0; i < ARRAY_SIZE(properties); i++) {
        const char *line = strstr(output, properties[i]);

        /* Each says what it is. */
        g_assert_nonnull(line);
        line += strlen(properties[i]);
        g_assert_true(g_str_has_prefix(g_strchug((char *)line), "- "));
    }
    g_assert_cmpint(!!strstr(output, "vram-size=<size>"), ==, has_vram);
}

static void test_help(void)
{
    check_help("primegpu-integrated", false);
    check_help("primegpu-discrete", true);
}

/* The limits are obeyed: registers show them, commands meet them. */
static void test_defaults(void)
{
    QTestState *qts = qtest_init("-machine q35 -nodefaults "
                                 "-device primegpu-discrete");
    QDict *info = qprimegpu_query(qts, 1);

    g_assert_cmpint(qdict_get_int(info, "bos-max"), ==, 262144);
    g_assert_cmpint(qdict_get_int(info, "bytes-max"), ==, 16ull << 30);
    g_assert_cmpint(qdict_get_int(info, "vram-size"), ==, 64ull << 20);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(info, "outputs")), ==, 1);
    /* A device without an id is named by its path. */
    g_assert_true(g_str_has_prefix(qdict_get_str(info, "device"),
                                   "/machine/peripheral-anon/"));
    qobject_unref(info);
    qtest_quit(qts);
}

/* What a display says that it is comes from the properties. */
static void test_display(void)
{
    QTestState *qts = qtest_init("-machine q35 -nodefaults "
                                 "-device primegpu-discrete,max-outputs=2,"
                                 "xres=640,yres=480,refresh-rate=75000");
    QDict *info;
    uint32_t n;

    for (n = 0; n < 2; n++) {
        info = qprimegpu_query_output(qts, 1, n);
        g_assert_true(qdict_get_bool(info, "connected"));
        g_assert_false(qdict_get_bool(info, "on"));
        g_assert_cmpint(qdict_get_int(info, "xres"), ==, 640);
        g_assert_cmpint(qdict_get_int(info, "yres"), ==, 480);
        g_assert_cmpint(qdict_get_int(info, "refresh-rate"), ==, 75000);
        qobject_unref(info);
    }
    qtest_quit(qts);
}

/* A GPU without outputs has no display at all. */
static void test_no_outputs(void)
{
    PrimeGPUPair p;
    QPrimeGPU *g = &p.integrated;
    struct primegpu_cmd_mode mode = qprimegpu_mode(0, 64, 32);

    primegpu_pair_boot(&p, "-global primegpu-integrated.max-outputs=0");
    qprimegpu_map(g);
    qprimegpu_start(g);
    g_assert_cmphex(qprimegpu_readl(g, PRIMEGPU_REG_CAPS), ==, 0);
    g_assert_cmpuint(qprimegpu_readl(g, PRIMEGPU_REG_OUTPUTS), ==, 0);
    qprimegpu_assert_status(qprimegpu_ctrl(g, &mode),
                            PRIMEGPU_ST_UNSUPPORTED);
    qprimegpu_assert_status(qprimegpu_commit(g, 0, NULL, 0, 0),
                            PRIMEGPU_ST_UNSUPPORTED);
    qprimegpu_output_writel(g, 0, PRIMEGPU_OUTPUT_REG_IRQ_ENABLE, UINT32_MAX);
    g_assert_cmphex(qprimegpu_output_readl(g, 0,
                                           PRIMEGPU_OUTPUT_REG_IRQ_ENABLE),
                    ==, 0);
    g_assert_cmphex(qpci_io_readl(&g->dev, g->regs, PRIMEGPU_EDID(0)), ==, 0);
    primegpu_pair_quit(&p);
}

/* The machines that the docs offer, from their files */
static void test_configs(void)
{
    static const char *const files[] = {
        "primegpu-pair.cfg", "primegpu-pair-noswitch.cfg",
    };
    const char *folder = getenv("PRIMEGPU_CONFIG_DIR");
    size_t i;

    if (!folder) {
        g_test_skip("PRIMEGPU_CONFIG_DIR does not name docs/config");
        return;
    }
    for (i = 0; i < ARRAY_SIZE(files); i++) {
        QTestState *qts = qtest_initf("-machine q35 -nodefaults "
                                      "-readconfig %s/%s", folder, files[i]);
        QDict *info = qprimegpu_query(qts, 1);

        g_assert_cmpstr(qdict_get_str(info, "device"), ==, "integrated0");
        qobject_unref(info);
        info = qprimegpu_query(qts, 2);
        g_assert_cmpstr(qdict_get_str(info, "device"), ==, "discrete0");
        qobject_unref(info);
        qtest_quit(qts);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("primegpu/props/integrated", test_integrated);
    qtest_add_func("primegpu/props/discrete", test_discrete);
    qtest_add_func("primegpu/props/help", test_help);
    qtest_add_func("primegpu/props/defaults", test_defaults);
    qtest_add_func("primegpu/props/display", test_display);
    qtest_add_func("primegpu/props/no-outputs", test_no_outputs);
    qtest_add_func("primegpu/props/configs", test_configs);
    return g_test_run();
}
