/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest rig: the agent and the console.  Owns tags, steps and the script.
 *
 * Each line that goes to the agent is a step and carries its number as marker,
 * so that each event of the ledger says in which step it happened.
 */
#include "qemu/osdep.h"
#include <poll.h>
#include <sys/socket.h>
#include "qemu/cutils.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "primegpu-guest-priv.h"
#include "hw/display/primegpu/primegpu_agent.h"

/* What the guest's kernel says when something is wrong */
static const char *const pg_complaints[] = {
    "Kernel panic", "BUG:", "Oops", "WARNING:", "UBSAN:", "KASAN:",
    "general protection fault", "refcount_t:", "blocked for more than",
    "self-detected stall", "list_add corruption", "list_del corruption",
    "BUG kmalloc-", "BUG drm_", "ODEBUG:", "DMA-API:",
    "INFO: trying to register non-static key",
};

static void pg_reply_free(gpointer data)
{
    PGReply *r = data;

    g_free(r->error);
    g_free(r->text);
    g_free(r);
}

static void pg_answer_clear(gpointer data)
{
    PGAnswer *a = data;

    g_free(a->reply);
}

void pg_agent_init(PGGuest *g)
{
    g->input = g_string_new(NULL);
    g->script = g_string_new(NULL);
    g->next_tag = 1;
    g->next_serial = 1;
    g->replies = g_hash_table_new_full(NULL, NULL, NULL, pg_reply_free);
    g->kept = g_ptr_array_new_with_free_func(pg_reply_free);
    g->step_lines = g_ptr_array_new_with_free_func(g_free);
    g->answers = g_array_new(FALSE, TRUE, sizeof(PGAnswer));
    g_array_set_clear_func(g->answers, pg_answer_clear);
    g->events = g_array_new(FALSE, TRUE, sizeof(PGEvent));
}

static void pg_gone(PGGuest *g)
{
    g->dead = true;
    pg_fail(g, "QEMU ended while the guest was running");
}

/* The text after a complaint is the stack: take it in before failing. */
static void pg_complain(PGGuest *g, const char *line)
{
    int64_t until = g_get_monotonic_time() + G_USEC_PER_SEC / 2;

    if (g->failing) {
        return;
    }
    g->failing = true;
    while (pg_pump(g, until)) {
        /* pg_console_input() keeps it */
    }
    g->failing = false;
    pg_fail(g, "the guest's kernel says: %s", line);
}

static void pg_console_line(PGGuest *g, const char *line)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pg_complaints); i++) {
        if (strstr(line, pg_complaints[i]) &&
            (i == 0 || !g->machine.tolerate) && !pg_is_known(line)) {
            pg_complain(g, line);
        }
    }
}

void pg_console_input(PGGuest *g, const char *data, size_t len)
{
    const char *end;

    g_string_append_len(g->console, data, len);
    if (g->failing) {
        return;
    }
    while ((end = strchr(g->console->str + g->console_scanned, '\n'))) {
        const char *start = g->console->str + g->console_scanned;
        g_autofree char *line = g_strndup(start, end - start);

        g->console_scanned = end + 1 - g->console->str;
        pg_console_line(g, g_strchomp(line));
    }
}

static PGReply *pg_reply_parse(PGGuest *g, const char *line, const char *body)
{
    PGReply *r = g_new0(PGReply, 1);

    if (g_str_equal(body, "ok") || g_str_has_prefix(body, "ok ")) {
        r->ok = true;
        r->text = g_strdup(body[2] ? body + 3 : "");
    } else if (g_str_has_prefix(body, "err ")) {
        const char *name = body + strlen("err ");
        const char *space = strchrnul(name, ' ');

        r->error = g_strndup(name, space - name);
        r->text = g_strdup(*space ? space + 1 : "");
    } else {
        pg_reply_free(r);
        pg_fail(g, "the agent sent a line that is no reply: %s", line);
    }
    return r;
}

static void pg_agent_line(PGGuest *g, const char *line)
{
    const char *body;
    unsigned long tag;

    if (line[0] == '@') {
        if (qemu_strtoul(line + 1, &body, 10, &tag) < 0) {
            pg_fail(g, "the agent sent a line without a tag: %s", line);
        }
        while (*body == ' ') {
            body++;
        }
        if (*body == '|') {
            if (g->text) {
                g->text(body);
            }
            return;
        }
        pg_report_answered(g, tag, body);
        g_hash_table_insert(g->replies, GUINT_TO_POINTER(tag),
                            pg_reply_parse(g, line, body));
    } else if (g_str_has_prefix(line, "! fatal")) {
        pg_fail(g, "the agent says: %s", line + 2);
    } else if (g_str_has_prefix(line, "! ready")) {
        g->ready = true;
    } else if (g->text) {
        g->text(line);
    }
}

void pg_agent_input(PGGuest *g, const char *data, size_t len)
{
    char *end;

    g_string_append_len(g->input, data, len);
    while ((end = memchr(g->input->str, '\n', g->input->len))) {
        g_autofree char *line = g_strndup(g->input->str, end - g->input->str);

        g_string_erase(g->input, 0, end + 1 - g->input->str);
        pg_agent_line(g, g_strchomp(line));
    }
}

bool pg_pump(PGGuest *g, int64_t until_us)
{
    char buf[16 * KiB];
    struct pollfd fds[] = {
        { .fd = g->agent_fd, .events = POLLIN },
        { .fd = g->console_fd, .events = POLLIN },
    };
    int64_t left_us = until_us - g_get_monotonic_time();
    int ms = MIN(MAX(left_us, 0) / 1000 + (left_us > 0), INT_MAX);
    ssize_t len;

    if (g->dead || RETRY_ON_EINTR(poll(fds, ARRAY_SIZE(fds), ms)) <= 0) {
        return false;
    }
    /* The console first: it tells why the agent has gone. */
    for (int i = ARRAY_SIZE(fds) - 1; i >= 0; i--) {
        if (!fds[i].revents) {
            continue;
        }
        len = RETRY_ON_EINTR(recv(fds[i].fd, buf, sizeof(buf), 0));
        if (len <= 0) {
            if (g->failing) {
                return false;
            }
            pg_gone(g);
        } else if (fds[i].fd == g->agent_fd) {
            pg_agent_input(g, buf, len);
        } else {
            pg_console_input(g, buf, len);
        }
    }
    return true;
}

static void pg_agent_write(PGGuest *g, const GString *s)
{
    size_t done = 0;

    while (done < s->len) {
        ssize_t n = RETRY_ON_EINTR(send(g->agent_fd, s->str + done,
                                        s->len - done, MSG_NOSIGNAL));

        if (n <= 0) {
            pg_gone(g);
        }
        done += n;
    }
}

/* Without a step */
unsigned pg_agent_send(PGGuest *g, const char *line)
{
    g_autoptr(GString) s = g_string_new(NULL);
    unsigned tag = g->next_tag++;

    g_string_printf(s, "@%u %s\n", tag, line);
    pg_agent_write(g, s);
    return tag;
}

void pg_log_line(PGGuest *g, const char *line)
{
    g_string_append_printf(g->script, "%s\n", line);
}

static void pg_new_step(PGGuest *g, const char *line)
{
    g_ptr_array_add(g->step_lines, g_strdup(line));
    pg_report_new_step(g);
    pg_log_line(g, line);
}

static unsigned G_GNUC_PRINTF(2, 0)
pg_vsend(PGGuest *g, const char *fmt, va_list ap)
{
    g_autofree char *line = g_strdup_vprintf(fmt, ap);
    g_autofree char *marked = NULL;
    unsigned tag;

    pg_new_step(g, line);
    marked = g_strdup_printf("#%u %s", pg_step(g), line);
    tag = pg_agent_send(g, pg_has_primegpu(&g->machine) ? marked : line);
    pg_report_sent(g, tag);
    return tag;
}

unsigned pg_send(PGGuest *g, const char *fmt, ...)
{
    va_list ap;
    unsigned tag;

    va_start(ap, fmt);
    tag = pg_vsend(g, fmt, ap);
    va_end(ap);
    return tag;
}

bool pg_wait(PGGuest *g, unsigned tag, unsigned ms)
{
    int64_t until = g_get_monotonic_time() + ms * INT64_C(1000);

    while (!g_hash_table_contains(g->replies, GUINT_TO_POINTER(tag))) {
        if (!pg_pump(g, until)) {
            return false;
        }
    }
    return true;
}

const PGReply *pg_recv(PGGuest *g, unsigned tag)
{
    gpointer reply;

    if (!pg_wait(g, tag, g->limit_ms)) {
        pg_show_tasks(g);
        pg_fail(g, "no reply from the guest within %u s after: %s",
                g->limit_ms / 1000, pg_step_line(g, pg_step(g)));
    }
    g_hash_table_steal_extended(g->replies, GUINT_TO_POINTER(tag), NULL,
                                &reply);
    g_ptr_array_add(g->kept, reply);
    return reply;
}

const PGReply *pg_call(PGGuest *g, const char *fmt, ...)
{
    va_list ap;
    unsigned tag;

    va_start(ap, fmt);
    tag = pg_vsend(g, fmt, ap);
    va_end(ap);
    return pg_recv(g, tag);
}

const PGReply *pg_expect_ok(PGGuest *g, unsigned tag)
{
    const PGReply *r = pg_recv(g, tag);

    if (!r->ok) {
        pg_fail(g, "a call failed: %s %s; last call: %s", r->error, r->text,
                pg_step_line(g, pg_step(g)));
    }
    return r;
}

const PGReply *pg_do(PGGuest *g, const char *fmt, ...)
{
    va_list ap;
    unsigned tag;

    va_start(ap, fmt);
    tag = pg_vsend(g, fmt, ap);
    va_end(ap);
    return pg_expect_ok(g, tag);
}

void pg_do_lines(PGGuest *g, const char *lines)
{
    g_auto(GStrv) line = g_strsplit(lines, "; ", -1);

    for (unsigned i = 0; line[i]; i++) {
        pg_do(g, "%s", line[i]);
    }
}

void pg_err(PGGuest *g, const char *error, const char *fmt, ...)
{
    const PGReply *r;
    va_list ap;
    unsigned tag;

    va_start(ap, fmt);
    tag = pg_vsend(g, fmt, ap);
    va_end(ap);
    r = pg_recv(g, tag);
    if (r->ok || !g_str_equal(r->error, error)) {
        pg_fail(g, "'%s' was to fail with %s; the reply: %s %s",
                pg_step_line(g, pg_step(g)), error, r->ok ? "ok" : r->error,
                r->text);
    }
}

void pg_on_text(PGGuest *g, PGTextFn *fn)
{
    g->text = fn;
}

char *pg_str(const PGReply *r, const char *name)
{
    g_auto(GStrv) words = g_strsplit(r->text, " ", -1);
    size_t len = strlen(name);

    for (unsigned i = 0; words[i]; i++) {
        if (!strncmp(words[i], name, len) && words[i][len] == '=') {
            return g_strdup(words[i] + len + 1);
        }
    }
    return NULL;
}

uint64_t pg_u64(PGGuest *g, const PGReply *r, const char *name)
{
    g_autofree char *value = pg_str(r, name);
    uint64_t number;

    if (!value || qemu_strtou64(value, NULL, 0, &number) < 0) {
        pg_fail(g, "no number %s= in the reply: %s", name, r->text);
    }
    return number;
}

void pg_forget(PGGuest *g)
{
    g_ptr_array_set_size(g->kept, 0);
    if (pg_has_primegpu(&g->machine)) {
        pg_events(g);
    }
    g_array_set_size(g->events, 0);
}

void pg_restart_script(PGGuest *g)
{
    g_string_truncate(g->script, 0);
}

unsigned pg_step(const PGGuest *g)
{
    return g->step_lines->len;
}

const char *pg_step_line(const PGGuest *g, unsigned step)
{
    return step && step <= g->step_lines->len
           ? g_ptr_array_index(g->step_lines, step - 1) : "(before any call)";
}

unsigned pg_settle_send(PGGuest *g)
{
    pg_log_line(g, "p1 settle");
    return pg_agent_send(g, "p1 settle");
}

void pg_settle(PGGuest *g)
{
    pg_expect_ok(g, pg_settle_send(g));
}

/* A step that the rig itself does, when all that was sent to p1 is done */
static void pg_rig_step(PGGuest *g, const char *line)
{
    g_autofree char *marker = NULL;

    pg_new_step(g, line);
    marker = g_strdup_printf("p1 marker %u", pg_step(g));
    pg_expect_ok(g, pg_agent_send(g, marker));
}

void pg_gate(PGGuest *g, const char *device, bool closed)
{
    g_autofree char *line =
        g_strdup_printf(":gate %s %s", device, closed ? "on" : "off");

    pg_rig_step(g, line);
    qtest_qmp_assert_success(g->qts,
                             "{ 'execute': 'primegpu-gate',"
                             "  'arguments': { 'device': %s, 'closed': %i } }",
                             device, closed);
}

void pg_inject(PGGuest *g, const char *device, const char *fault, unsigned ns)
{
    g_autofree char *line = g_strdup_printf(":inject %s %s", device, fault);
    QDict *args = qdict_new();

    qdict_put_str(args, "device", device);
    qdict_put_str(args, "fault", fault);
    qdict_put_int(args, "at", 1);
    if (ns) {
        g_autofree char *shorter = line;

        line = g_strdup_printf("%s %u", shorter, ns);
        qdict_put_int(args, "ns", ns);
    }
    pg_rig_step(g, line);
    qtest_qmp_assert_success(g->qts, "{ 'execute': 'primegpu-inject',"
                             "  'arguments': %p }", args);
}

void pg_open(PGGuest *g, const char *file, const char *gpu)
{
    pg_do(g, "open %s %s", file, gpu);
}

uint64_t pg_create(PGGuest *g, const char *file, const char *bo, uint64_t size)
{
    return pg_u64(g, pg_do(g, "create %s %s %" PRIu64, file, bo, size), "key");
}

void pg_export(PGGuest *g, const char *bo, const char *fd)
{
    pg_do(g, "export %s %s", bo, fd);
}

uint64_t pg_import(PGGuest *g, const char *file, const char *fd,
                   const char *bo)
{
    return pg_u64(g, pg_do(g, "import %s %s %s", file, fd, bo), "key");
}

void pg_close(PGGuest *g, const char *bo)
{
    pg_do(g, "close %s", bo);
}

void pg_close_fd(PGGuest *g, const char *fd)
{
    pg_do(g, "close-fd %s", fd);
}

void pg_close_file(PGGuest *g, const char *file)
{
    pg_do(g, "close-file %s", file);
}

uint64_t pg_checksum(PGGuest *g, const char *map)
{
    return pg_u64(g, pg_do(g, "checksum %s", map), "checksum");
}
