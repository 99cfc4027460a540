/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest rig: cases and their failures.
 *
 * A case runs in a forked child, which tells its outcome by its exit status
 * and the reason through a pipe.  libqtest aborts when QEMU dies under it: the
 * hook for that writes the folder as well, without asking QEMU.
 */
#include "qemu/osdep.h"
#include <sys/resource.h>
#include <sys/wait.h>
#include <glib/gstdio.h>
#include "primegpu-guest-priv.h"

#define PG_EXIT_FAIL 1
#define PG_EXIT_SKIP 77

/* A case that takes longer is killed. */
#define PG_CASE_LIMIT_S 600

/* The guest's kernel prints the stacks of all tasks. */
#define PG_TASKS_MS 5000

static struct {
    const char *name;
    int reason_fd;              /* 0: not in a child */
} pg_case;

bool pg_in_case(void)
{
    return pg_case.reason_fd && g_getenv("PRIMEGPU_FAILURES");
}

const char *pg_case_name(void)
{
    return pg_case.name ?: "";
}

static void pg_case_end(const char *reason)
{
    if (pg_case.reason_fd) {
        ssize_t n = write(pg_case.reason_fd, reason, strlen(reason));

        (void)n;
    } else {
        fprintf(stderr, "%s: %s\n", g_get_prgname() ?: "primegpu", reason);
    }
    fflush(NULL);
}

void pg_skip(const char *fmt, ...)
{
    g_autofree char *reason = NULL;
    va_list ap;

    va_start(ap, fmt);
    reason = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    pg_case_end(reason);
    _exit(PG_EXIT_SKIP);
}

static void pg_put(const char *dir, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    if (text && *text) {
        g_file_set_contents(path, text, -1, NULL);
    }
}

static char *pg_qemu_stderr(const PGGuest *g)
{
    off_t len = lseek(g->stderr_fd, 0, SEEK_END);
    char *text = g_malloc0(MAX(len, 0) + 1);

    if (len <= 0 || pread(g->stderr_fd, text, len, 0) != len) {
        text[0] = '\0';
    }
    return text;
}

static void pg_put_device(PGGuest *g, const char *dir)
{
    g_autoptr(GString) json = g_string_new(NULL);
    g_autoptr(GString) table = g_string_new("BOs alive:\n");

    pg_view_json(g, json);
    pg_put(dir, "device.json", json->str);
    pg_print_bos(g, table);
    g_string_append(table, "\nViolations:\n");
    pg_print_violations(g, table);
    g_string_append(table, "\nEvents:\n");
    pg_print_events(g, 1, table);
    pg_put(dir, "device.txt", table->str);
}

static char *pg_case_dir(void)
{
    const char *failures = g_getenv("PRIMEGPU_FAILURES");
    g_autofree char *name =
        g_strdelimit(g_strdup(pg_case.name ?: "rig"), "/", '-');
    char *dir;

    if (!failures) {
        return NULL;
    }
    dir = g_build_filename(failures, name, NULL);
    if (g_mkdir_with_parents(dir, 0777) < 0) {
        g_free(dir);
        return NULL;
    }
    return dir;
}

/* What is known without asking QEMU; returns the folder's path. */
static char *pg_write_folder(PGGuest *g, const char *reason)
{
    g_autofree char *err = g ? pg_qemu_stderr(g) : NULL;
    char *dir = pg_case_dir();

    if (!dir) {
        return NULL;
    }
    pg_put(dir, "reason.txt", reason);
    if (g) {
        pg_put(dir, "script.txt", g->script->str);
        pg_put(dir, "console.log", g->console->str);
        pg_put(dir, "qemu-command.txt", g->command);
        pg_put(dir, "qemu-stderr.txt", err);
    }
    return dir;
}

static void pg_report(PGGuest *g, const char *reason)
{
    g_autoptr(GString) s = g_string_new(reason);
    g_autofree char *dir = NULL;

    if (g) {
        g_autofree char *err = pg_qemu_stderr(g);

        g->failing = true;
        if (*err && g->dead) {
            g_string_append_printf(s, ": %.*s", (int)strcspn(err, "\n"), err);
        }
    }
    dir = pg_write_folder(g, s->str);
    if (dir) {
        g_string_append_printf(s, "\n  what is known: %s", dir);
        if (g && g->script->len) {
            g_string_append_printf(s, "\n  replay: make run "
                                   "SCRIPT=%s/script.txt"
                                   "\n  picture: %s/report.html, of a replay: "
                                   "make report SCRIPT=%s/script.txt",
                                   dir, dir, dir);
        }
    }
    if (pg_case.name && pg_case.reason_fd) {
        const char *target = pg_wish("PRIMEGPU_TARGET");

        g_string_append_printf(s, "\n  again: make %s CASE=%s",
                               *target ? target : "check-guest", pg_case.name);
    }
    pg_case_end(s->str);
    /* Last, as QEMU may not answer any more */
    if (dir && g && !g->dead && pg_has_primegpu(&g->machine)) {
        pg_put_device(g, dir);
    }
    if (g) {
        pg_report_folder(g, dir, pg_case.name ?: "primegpu", s->str);
    }
}

/* libqtest is about to abort: QEMU is gone, or broke its protocol. */
static PGGuest *pg_current;

static void pg_aborted(void *opaque)
{
    if (pg_current && !pg_current->failing) {
        pg_current->dead = true;
        pg_report(pg_current, "QEMU ended, or the test aborted");
    }
}

void pg_watch_abort(PGGuest *g)
{
    pg_current = g;
    qtest_remove_abrt_handler(&pg_current);
    if (g) {
        qtest_add_abrt_handler(pg_aborted, &pg_current);
    }
}

void pg_fail(PGGuest *g, const char *fmt, ...)
{
    g_autofree char *reason = NULL;
    va_list ap;

    va_start(ap, fmt);
    reason = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    pg_report(g, reason);
    /* QEMU gets SIGKILL when its parent ends. */
    _exit(PG_EXIT_FAIL);
}

void pg_show_tasks(PGGuest *g)
{
    if (!pg_in_case()) {
        return;
    }
    /* A stack that is printed now is no complaint. */
    g->failing = true;
    pg_agent_send(g, "p0 set /proc/sys/kernel/printk 8");
    pg_wait(g, pg_agent_send(g, "p0 set /proc/sysrq-trigger t"),
            PG_TASKS_MS * pg_slow());
}

static void pg_case_child(const char *name, PGCaseFn fn, const void *data,
                          int reason_fd) G_GNUC_NORETURN;

static void pg_case_child(const char *name, PGCaseFn fn, const void *data,
                          int reason_fd)
{
    struct rlimit no_core = { 0 };

    setrlimit(RLIMIT_CORE, &no_core);
    pg_case.name = name;
    pg_case.reason_fd = reason_fd;
    if (!g_getenv("GDB")) {
        alarm(PG_CASE_LIMIT_S * pg_slow());
    }
    fn(data);
    fflush(NULL);
    _exit(0);
}

static void pg_case_outcome(int status, PGResult *result)
{
    size_t len = strlen(result->reason);

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        result->outcome = PG_PASS;
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == PG_EXIT_SKIP) {
        result->outcome = PG_SKIP;
    } else {
        result->outcome = PG_FAIL;
        if (!len && WIFSIGNALED(status)) {
            g_snprintf(result->reason, sizeof(result->reason), "%s",
                       WTERMSIG(status) == SIGALRM
                       ? "the case took too long"
                       : strsignal(WTERMSIG(status)));
        }
    }
}

void pg_run_case(const char *name, PGCaseFn fn, const void *data,
                 PGResult *result)
{
    size_t len = 0;
    int fds[2];
    int status;
    ssize_t n;
    pid_t pid;

    *result = (PGResult) { 0 };
    if (pipe(fds) < 0) {
        g_error("pipe: %s", strerror(errno));
    }
    qemu_set_cloexec(fds[0]);
    qemu_set_cloexec(fds[1]);
    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        g_error("fork: %s", strerror(errno));
    }
    if (pid == 0) {
        close(fds[0]);
        pg_case_child(name, fn, data, fds[1]);
    }
    close(fds[1]);
    while ((n = RETRY_ON_EINTR(read(fds[0], result->reason + len,
                                    sizeof(result->reason) - 1 - len))) > 0) {
        len += n;
    }
    close(fds[0]);
    if (RETRY_ON_EINTR(waitpid(pid, &status, 0)) < 0) {
        g_error("waitpid: %s", strerror(errno));
    }
    pg_case_outcome(status, result);
}

void pg_run_red(const char *name, PGCaseFn fn, const void *data,
                const char *const *reasons)
{
    PGResult result;

    /* The failure is no failure: leave no folder. */
    g_unsetenv("PRIMEGPU_FAILURES");
    pg_run_case(name, fn, data, &result);
    if (result.outcome == PG_SKIP) {
        pg_skip("%s", result.reason);
    }
    if (result.outcome == PG_PASS) {
        pg_fail(NULL, "the variant was not noticed: %s passed", name);
    }
    for (unsigned i = 0; reasons[i]; i++) {
        if (strstr(result.reason, reasons[i])) {
            return;
        }
    }
    pg_fail(NULL, "%s failed, but not for the variant: %s", name,
            result.reason);
}

typedef struct PGCase {
    const char *path;
    PGCaseFn fn;
    const void *data;
} PGCase;

static void pg_glib_case(gconstpointer data)
{
    const PGCase *c = data;
    PGResult result;

    pg_run_case(c->path, c->fn, c->data, &result);
    if (result.outcome == PG_SKIP) {
        g_test_skip(result.reason);
    } else if (result.outcome == PG_FAIL) {
        g_test_message("%s: %s", c->path, result.reason);
        g_test_fail();
    }
}

void pg_add_case(const char *path, PGCaseFn fn, const void *data)
{
    /* Reachable until the end, with the data of each: no leak */
    static GPtrArray *kept;
    g_autofree char *full = g_strconcat("/primegpu/", path, NULL);
    PGCase *c;

    if (!pg_is_wanted(full)) {
        return;
    }
    c = g_new(PGCase, 1);
    *c = (PGCase) { g_strdup(path), fn, data };
    kept = kept ?: g_ptr_array_new();
    g_ptr_array_add(kept, c);
    g_test_add_data_func(full, c, pg_glib_case);
}

void pg_add_func(const char *path, GTestDataFunc fn, const void *data)
{
    g_autofree char *full = g_strconcat("/primegpu/", path, NULL);

    if (pg_is_wanted(full)) {
        g_test_add_data_func(full, data, fn);
    }
}
