/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rig's program, for people: the demo, the agent's commands typed by hand
 * or read from a file, and the figures.
 */
#include "qemu/osdep.h"
#include "primegpu-rig.h"

static void usage(FILE *f)
{
    fprintf(f,
            "usage: primegpu-rig demo      play the seed's scenario on three "
            "kernels\n"
            "       primegpu-rig demo-display PPM\n"
            "                              draw on one GPU, show on the other\n"
            "       primegpu-rig console   a shell on a GPU's screen\n"
            "       primegpu-rig shell     type the agent's commands\n"
            "       primegpu-rig run FILE  replay a file of them\n"
            "       primegpu-rig report FILE [-o PAGE]\n"
            "                              replay it, and draw what the GPUs "
            "saw\n"
            "       primegpu-rig bench     measure\n");
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";

    g_set_prgname("primegpu-rig");
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (g_str_equal(command, "demo") && argc == 2) {
        return primegpu_rig_demo();
    } else if (g_str_equal(command, "demo-display") && argc == 3) {
        return primegpu_rig_demo_display(argv[2]);
    } else if (g_str_equal(command, "console") && argc == 2) {
        return primegpu_rig_console();
    } else if (g_str_equal(command, "shell") && argc == 2) {
        return primegpu_rig_shell();
    } else if (g_str_equal(command, "run") && argc == 3) {
        return primegpu_rig_run(argv[2]);
    } else if (g_str_equal(command, "report") && argc == 3) {
        return primegpu_rig_report(argv[2], NULL);
    } else if (g_str_equal(command, "report") && argc == 5 &&
               g_str_equal(argv[3], "-o")) {
        return primegpu_rig_report(argv[2], argv[4]);
    } else if (g_str_equal(command, "bench") && argc == 2) {
        return primegpu_rig_bench();
    } else if (g_str_equal(command, "--help")) {
        usage(stdout);
        return 0;
    }
    usage(stderr);
    return 2;
}
