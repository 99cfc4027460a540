/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest rig: the machine.  Owns QEMU's command line, its start and its end.
 *
 * Agent and console are socket pairs that QEMU inherits, so there is no path
 * to clean up, and the end of QEMU is an end of file here.
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "primegpu-guest-priv.h"
#include "hw/display/primegpu/primegpu_agent.h"

/*
 * A model without the Zen feature, so that peer-to-peer is decided by the
 * topology and not by the processor.
 */
#define PG_CPU "Nehalem"

/*
 * The TSC is measured at boot.  On a busy host that goes wrong by a factor, and
 * each resumed guest would keep it: time is the HPET's.
 */
#define PG_CMDLINE \
    "console=ttyS0 loglevel=5 panic=-1 tsc=reliable clocksource=hpet " \
    "no_timer_check random.trust_cpu=1 "

/* What is freed is filled with a pattern, so that its use shows. */
#define PG_CMDLINE_TRACED "slab_debug=FP,kmalloc-*,drm_sched_fence"

/* A measurement is of the drivers, not of what watches them. */
#define PG_CMDLINE_UNTRACED "sysctl.vm.mem_profiling=0"

const char *pg_env(const char *name)
{
    const char *value = g_getenv(name);

    if (!value || !*value) {
        pg_skip("%s is not set", name);
    }
    if (value[0] == '/' && access(value, F_OK) < 0) {
        pg_skip("%s: %s does not exist", name, value);
    }
    return value;
}

void pg_machine_variant(PGMachine *m, const char *variant)
{
    const char *dir = pg_env("PRIMEGPU_VARIANTS");
    char *modules = g_build_filename(dir, variant, "modules.img", NULL);
    char *kernel = g_build_filename(dir, variant, "vmlinux", NULL);

    if (access(modules, R_OK) < 0) {
        pg_skip("kernel variant %s was not built: no %s", variant, modules);
    }
    m->modules = modules;
    if (access(kernel, R_OK) == 0) {
        m->kernel = kernel;
    } else {
        g_free(kernel);
    }
}

bool pg_has_primegpu(const PGMachine *m)
{
    return !m->config || *m->config;
}

/*
 * Some sandboxes have a /dev/kvm that does not run every instruction; there
 * the processor does not show hardware virtualization.
 */
static const char *pg_accel(void)
{
    static const char *accel;
    const char *wish = g_getenv("PRIMEGPU_ACCEL");
    g_autofree char *cpuinfo = NULL;

    if (accel) {
        return accel;
    }
    if (wish && *wish) {
        accel = g_strdup_printf("-accel %s", wish);
    } else if (access("/dev/kvm", R_OK | W_OK) == 0 &&
               g_file_get_contents("/proc/cpuinfo", &cpuinfo, NULL, NULL) &&
               (strstr(cpuinfo, " vmx ") || strstr(cpuinfo, " svm "))) {
        accel = "-accel kvm -accel tcg";
    } else {
        accel = "-accel tcg";
    }
    return accel;
}

static const char *pg_memory_size(void)
{
    const char *size = pg_wish("PRIMEGPU_MEMORY");

    return *size ? size : "256M";
}

/*
 * A guest that is going to be saved has its memory in a file as it runs.  The
 * guests that are resumed map that, and copy the pages that they write to;
 * migration is told that it is shared, and leaves it as it is.  The object has
 * the name of the memory that the machine would make itself.
 */
static void pg_memory_options(const PGMemory *memory, GString *s)
{
    g_string_append_printf(s, " -object memory-backend-file,id=pc.ram,size=%s,"
                           "mem-path=%s,share=%s -machine memory-backend=pc.ram",
                           pg_memory_size(), memory->path,
                           memory->kept ? "on" : "off");
}

static void pg_machine_resume(PGGuest *g, const char *path, bool has_memory)
{
    g_autofree char *uri = g_strconcat("file:", path, NULL);

    qtest_qmp_assert_success(g->qts,
        "{ 'execute': 'migrate-set-capabilities', 'arguments': {"
        "  'capabilities': [ { 'capability': 'x-ignore-shared',"
        "    'state': %i } ] } }", has_memory);
    qtest_qmp_assert_success(g->qts,
        "{ 'execute': 'migrate-incoming', 'arguments': { 'uri': %s } }", uri);
}

char *pg_firmware_options(void)
{
    const char *firmware = g_getenv("PRIMEGPU_FIRMWARE");
    g_auto(GStrv) dirs = g_strsplit(firmware ?: "", ":", -1);
    GString *s = g_string_new(NULL);

    for (unsigned i = 0; dirs[i]; i++) {
        g_autofree char *dir = g_shell_quote(dirs[i]);

        if (*dirs[i]) {
            g_string_append_printf(s, " -L %s", dir);
        }
    }
    return g_string_free(s, FALSE);
}

/* What belongs to a saved guest: no file descriptors, no disk. */
char *pg_machine_options(const PGMachine *m)
{
    g_autofree char *firmware = pg_firmware_options();
    g_autofree char *initrd = g_shell_quote(pg_env("PRIMEGPU_INITRD"));
    g_autofree char *kernel =
        g_shell_quote(m->kernel ?: pg_env("PRIMEGPU_KERNEL"));
    GString *s = g_string_new(NULL);

    g_string_printf(s, "-machine q35 -nodefaults -no-user-config "
                    "%s -cpu " PG_CPU " -m %s -smp 1 "
                    "-action panic=pause -action reboot=shutdown "
                    "-kernel %s -initrd %s -append '" PG_CMDLINE "%s %s' %s "
                    "-device pvpanic-pci,addr=0x1b "
                    "-device virtio-serial-pci,id=serial,addr=0x1c "
                    "-device virtserialport,chardev=agent,name="
                    PRIMEGPU_AGENT_PORT " "
                    "-device isa-serial,chardev=console "
                    "-device virtio-blk-pci,drive=modules,addr=0x1d",
                    pg_accel(), pg_memory_size(), kernel, initrd,
                    m->untraced ? PG_CMDLINE_UNTRACED : PG_CMDLINE_TRACED,
                    pg_wish("PRIMEGPU_APPEND"), pg_wish("PRIMEGPU_EXTRA"));
    g_string_append(s, firmware);
    if (pg_has_primegpu(m)) {
        g_autofree char *path =
            g_build_filename(pg_env("PRIMEGPU_CONFIG_DIR"),
                             m->config ?: "primegpu-pair.cfg", NULL);
        g_autofree char *config = g_shell_quote(path);

        g_string_append_printf(s, " -readconfig %s", config);
    }
    if (m->extra) {
        g_string_append_printf(s, " %s", m->extra);
    }
    return g_string_free(s, FALSE);
}

/*
 * libqtest waits a long time for a QEMU that does not connect.  When it has
 * ended instead, say so at once.
 */
static PGGuest *pg_starting;

static void pg_start_ended(int signo)
{
    siginfo_t info = { 0 };

    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid != 0 && pg_starting) {
        PGGuest *g = pg_starting;

        pg_starting = NULL;
        g->dead = true;
        pg_fail(g, "QEMU ended before it had started");
    }
}

/* libqtest prints the command line; keep it for the failure folder. */
static void pg_start_print(const char *text)
{
    const char *command = strstr(text, "exec ");

    if (command && pg_starting) {
        g_free(pg_starting->command);
        pg_starting->command = g_strchomp(g_strdup(command + strlen("exec ")));
    }
}

static void pg_start_options(const PGGuest *g, GString *s)
{
    const char *trace = g_getenv("PRIMEGPU_TRACE");

    if (g_getenv("GDB")) {
        g_string_append(s, " -S -gdb tcp:127.0.0.1:1234");
    }
    if (trace && *trace) {
        g_string_append_printf(s, " -trace 'primegpu_*' -D %s", trace);
    }
    g_string_append_printf(s, " 2>>/dev/fd/%d", g->stderr_fd);
}

static void pg_say_gdb(const PGGuest *g)
{
    fprintf(stderr,
            "The guest is stopped. Attach with:\n"
            "  gdb %s -ex 'target remote 127.0.0.1:1234' -ex continue\n",
            g->machine.kernel ?: g_getenv("PRIMEGPU_KERNEL"));
}

static void pg_pair(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0) {
        pg_fail(NULL, "socketpair: %s", strerror(errno));
    }
    qemu_set_cloexec(fds[0]);
}

PGGuest *pg_machine_spawn(const PGMachine *m, const char *disk,
                          const char *incoming, const PGMemory *memory)
{
    g_autofree char *options = pg_machine_options(m);
    g_autoptr(GString) args = g_string_new(NULL);
    PGGuest *g = g_new0(PGGuest, 1);
    int agent[2], console[2], monitor[2];
    GPrintFunc print;
    struct sigaction ended = { .sa_handler = pg_start_ended };
    struct sigaction before;

    pg_env("QTEST_QEMU_BINARY");
    g->machine = *m;
    g->limit_ms = PG_CALL_LIMIT_S * 1000 * pg_slow();
    g->console = g_string_new(NULL);
    pg_agent_init(g);
    pg_pair(agent);
    pg_pair(console);
    pg_pair(monitor);
    g->agent_fd = agent[0];
    g->console_fd = console[0];
    g->monitor_fd = monitor[0];
    g->monitor = g_string_new(NULL);
    g->stderr_fd = memfd_create("qemu-stderr", 0);

    g_string_printf(args, "-chardev socket,id=agent,fd=%d "
                    "-chardev socket,id=console,fd=%d "
                    "-chardev socket,id=monitor,fd=%d "
                    "-mon chardev=monitor,mode=control "
                    "-drive if=none,id=modules,format=raw,readonly=on,file=%s "
                    "%s", agent[1], console[1], monitor[1], disk, options);
    if (memory) {
        pg_memory_options(memory, args);
    }
    if (incoming) {
        g_string_append(args, " -incoming defer");
    }
    pg_start_options(g, args);

    g->start_us = g_get_monotonic_time();
    pg_starting = g;
    print = g_set_print_handler(pg_start_print);
    sigaction(SIGCHLD, &ended, &before);
    g->qts = qtest_init(args->str);
    sigaction(SIGCHLD, &before, NULL);
    g_set_print_handler(print);
    pg_starting = NULL;
    pg_watch_abort(g);
    close(agent[1]);
    close(console[1]);
    close(monitor[1]);
    pg_monitor_start(g);
    if (incoming) {
        pg_machine_resume(g, incoming, memory && !memory->kept);
    }
    if (g_getenv("GDB")) {
        g->limit_ms = INT_MAX;
        pg_say_gdb(g);
    }
    return g;
}

/* Wait for QEMU's end before libqtest looks, as it would look and sleep. */
void pg_machine_quit(PGGuest *g)
{
    siginfo_t info;

    if (!g->dead) {
        pg_watch_abort(NULL);
        qtest_qmp_assert_success(g->qts, "{ 'execute': 'quit' }");
        waitid(P_PID, qtest_pid(g->qts), &info, WEXITED | WNOWAIT);
        qtest_quit(g->qts);
    }
    close(g->agent_fd);
    close(g->console_fd);
    close(g->monitor_fd);
    close(g->stderr_fd);
    g_string_free(g->console, TRUE);
    g_string_free(g->monitor, TRUE);
    g_string_free(g->input, TRUE);
    g_string_free(g->script, TRUE);
    g_hash_table_unref(g->replies);
    g_ptr_array_unref(g->kept);
    g_ptr_array_unref(g->step_lines);
    g_array_unref(g->answers);
    g_array_unref(g->events);
    g_free(g->command);
    g_free(g);
}

PGGuest *pg_start(const PGMachine *m)
{
    PGMachine plain = { 0 };

    return pg_state_start(m ?: &plain);
}

void pg_stop(PGGuest *g)
{
    while (pg_pump(g, 0)) {
        /* what the console has said so far */
    }
    if (pg_has_primegpu(&g->machine)) {
        pg_assert_no_violations(g);
    }
    pg_assert_no_leaks(g);
    pg_assert_nothing_allocated(g);
    pg_machine_quit(g);
}

int64_t pg_elapsed_us(const PGGuest *g)
{
    return g_get_monotonic_time() - g->start_us;
}

QTestState *pg_qts(PGGuest *g)
{
    return g->qts;
}

void pg_type(PGGuest *g, const char *text)
{
    size_t len = strlen(text);

    if (RETRY_ON_EINTR(send(g->console_fd, text, len, MSG_NOSIGNAL)) !=
        (ssize_t)len) {
        pg_fail(g, "the guest's console takes no keys: %s", strerror(errno));
    }
}
