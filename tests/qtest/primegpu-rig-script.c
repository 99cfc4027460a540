/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scripts and the shell: lines for the agent and, with a colon in front, for
 * the rig, each with its reply and the device's view beside it.
 *
 * A script is checked as a whole before a machine is started for it.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "primegpu-rig.h"
#include "hw/display/primegpu/primegpu_agent.h"

/* A person at the shell waits so long, then gets the prompt back. */
#define PG_SHELL_WAIT_MS 3000

typedef struct PGAgentCommand {
    const char *name;
    const char *usage;
    const char *help;
} PGAgentCommand;

#define PG_AGENT_COMMAND_(name, place, usage, help) { #name, usage, help },
static const PGAgentCommand pg_agent_commands[] = {
    PRIMEGPU_AGENT_COMMANDS(PG_AGENT_COMMAND_)
};

typedef struct PGPending {
    unsigned tag;
    char *name;                 /* what the person calls it */
} PGPending;

typedef struct PGConsole {
    PGGuest *g;
    uint64_t since;             /* serial of the first event not yet shown */
    GArray *pending;            /* PGPending */
    bool interactive;
} PGConsole;

static const PGAgentCommand *pg_find_command(const char *word)
{
    g_autofree char *name = g_strdelimit(g_strdup(word), "-", '_');

    for (unsigned i = 0; i < ARRAY_SIZE(pg_agent_commands); i++) {
        if (g_str_equal(pg_agent_commands[i].name, name)) {
            return &pg_agent_commands[i];
        }
    }
    return NULL;
}

/* How many arguments a usage asks for, and how many it allows */
static void pg_count_usage(const char *usage, unsigned *min, unsigned *max)
{
    g_auto(GStrv) words = g_strsplit(usage, " ", -1);
    unsigned depth = 0;

    *min = *max = 0;
    for (unsigned i = 0; words[i]; i++) {
        if (!*words[i]) {
            continue;
        }
        depth += words[i][0] == '[';
        *min += !depth;
        *max += 1;
        depth -= depth && strchr(words[i], ']');
    }
    if (strstr(usage, "...")) {
        *max = UINT_MAX;
    }
}

static bool pg_is_worker(const char *word)
{
    return word && word[0] == 'p' && g_ascii_isdigit(word[1]);
}

/* Returns NULL, or what is wrong with a line for the agent. */
static char *pg_check_agent_line(char **words)
{
    const PGAgentCommand *c;
    unsigned min, max, n;

    words += words[0] && words[0][0] == '@';
    words += pg_is_worker(words[0]);
    if (!words[0]) {
        return g_strdup("the line has no command");
    }
    c = pg_find_command(words[0]);
    if (!c) {
        return g_strdup_printf("there is no command '%s' (:help lists them)",
                               words[0]);
    }
    pg_count_usage(c->usage, &min, &max);
    n = g_strv_length(words + 1);
    if (n < min || n > max) {
        return g_strdup_printf("'%s' has %u arguments; usage: %s %s", words[0],
                               n, words[0], c->usage);
    }
    return NULL;
}

static bool pg_is_switch(const char *word)
{
    return g_str_equal(word, "on") || g_str_equal(word, "off");
}

static bool pg_is_fault(const char *word)
{
    return qapi_enum_parse(&PrimeGPUFault_lookup, word, -1, NULL) >= 0;
}

static char *pg_check_rig_line(char **words)
{
    static const char *const plain[] = {
        ":bos", ":events", ":sharing", ":violations", ":help", ":quit", NULL,
    };
    unsigned n = g_strv_length(words);

    if (g_strv_contains(plain, words[0])) {
        return n == 1 ? NULL : g_strdup_printf("'%s' has no arguments",
                                               words[0]);
    }
    if (g_str_equal(words[0], ":gate")) {
        return n == 3 && pg_is_switch(words[2])
               ? NULL : g_strdup("usage: :gate DEVICE on|off");
    }
    if (g_str_equal(words[0], ":inject")) {
        return (n == 3 || n == 4) && pg_is_fault(words[2])
               ? NULL : g_strdup("usage: :inject DEVICE FAULT [NS]");
    }
    return g_strdup_printf("there is no command '%s' (:help lists them)",
                           words[0]);
}

/* Words of a line; none when it is blank or a comment */
static char **pg_split(const char *line)
{
    g_autofree char *text = g_strstrip(g_strdup(line));
    g_auto(GStrv) all = g_strsplit_set(*text == '#' ? "" : text, " \t", -1);
    GPtrArray *words = g_ptr_array_new();

    for (unsigned i = 0; all[i]; i++) {
        if (*all[i]) {
            g_ptr_array_add(words, g_strdup(all[i]));
        }
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

static char *pg_check_line(char **words)
{
    if (!words[0]) {
        return NULL;
    }
    return words[0][0] == ':' ? pg_check_rig_line(words)
                              : pg_check_agent_line(words);
}

static void pg_help(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pg_agent_commands); i++) {
        const PGAgentCommand *c = &pg_agent_commands[i];
        g_autofree char *name = g_strdelimit(g_strdup(c->name), "_", '-');
        g_autofree char *call = g_strdup_printf("%s %s", name, c->usage);

        printf("  %-44s %s\n", call, c->help);
    }
    printf("  pN in front of a command names a worker process, @TAG a call "
           "that is not waited for\n"
           "  %-44s %s\n  %-44s %s\n  %-44s %s\n  %-44s %s\n",
           ":bos :events :sharing "
           ":violations", "what the devices see", ":gate DEVICE on|off",
           "on: jobs of the device do not complete",
           ":inject DEVICE FAULT [NS]",
           "the next that it can come to has it", ":quit", "end");
}

static void pg_show_view(PGConsole *c)
{
    g_auto(GStrv) devices = pg_devices(c->g);
    const GArray *events = pg_events(c->g);

    printf("      alive:");
    for (unsigned i = 0; devices[i]; i++) {
        printf(" %s %u", devices[i], pg_bo_count(c->g, devices[i]));
    }
    for (unsigned i = 0; i < events->len; i++) {
        const PGEvent *e = &g_array_index(events, PGEvent, i);

        if (e->serial >= c->since &&
            e->kind == PRIME_GPU_LEDGER_EVENT_KIND_RELEASE) {
            printf("; released: %s 0x%" PRIx64 " (%" PRIu64 " KiB)",
                   e->device, e->key, e->size / KiB);
        }
        c->since = MAX(c->since, e->serial + 1);
    }
    printf("\n");
}

static void pg_show_reply(const PGReply *r, const char *name)
{
    printf("      %s%s%s %s\n", name ?: "", name ? " " : "",
           r->ok ? "ok" : r->error, r->text);
}

static void pg_show_text(const char *line)
{
    printf("      %s\n", line);
}

/* Show the replies that have come of calls that nobody waits for. */
static void pg_show_pending(PGConsole *c, unsigned wait_ms)
{
    for (unsigned i = 0; i < c->pending->len;) {
        PGPending *p = &g_array_index(c->pending, PGPending, i);

        if (pg_wait(c->g, p->tag, wait_ms)) {
            pg_show_reply(pg_recv(c->g, p->tag), p->name);
            g_free(p->name);
            g_array_remove_index(c->pending, i);
        } else {
            i++;
        }
    }
}

/* :gate or :inject */
static void pg_run_device_line(PGConsole *c, char **words)
{
    g_auto(GStrv) devices = pg_devices(c->g);

    if (!g_strv_contains((const char *const *)devices, words[1])) {
        g_autofree char *list = g_strjoinv(", ", devices);

        printf("      there is no device '%s'; there are: %s\n", words[1],
               list);
    } else if (g_str_equal(words[0], ":gate")) {
        pg_gate(c->g, words[1], g_str_equal(words[2], "on"));
    } else {
        pg_inject(c->g, words[1], words[2], words[3] ? atoi(words[3]) : 0);
    }
}

static bool pg_is_device_line(char **words)
{
    return g_str_equal(words[0], ":gate") || g_str_equal(words[0], ":inject");
}

static void pg_run_rig_line(PGConsole *c, char **words)
{
    g_autoptr(GString) s = g_string_new(NULL);

    if (g_str_equal(words[0], ":bos")) {
        pg_print_bos(c->g, s);
    } else if (g_str_equal(words[0], ":events")) {
        pg_print_events(c->g, 1, s);
    } else if (g_str_equal(words[0], ":sharing")) {
        pg_print_sharing(c->g, s);
    } else if (g_str_equal(words[0], ":violations")) {
        pg_print_violations(c->g, s);
    } else if (pg_is_device_line(words)) {
        pg_run_device_line(c, words);
    } else if (g_str_equal(words[0], ":help")) {
        pg_help();
    }
    fputs(s->str, stdout);
}

static void pg_run_agent_line(PGConsole *c, char **words)
{
    const char *name = words[0][0] == '@' ? words[0] : NULL;
    g_autofree char *line = g_strjoinv(" ", words + (name != NULL));
    bool is_settle = !name && g_str_has_suffix(line, "settle");
    unsigned tag;

    if (name) {
        PGPending p = { pg_send(c->g, "%s", line), g_strdup(name) };

        g_array_append_val(c->pending, p);
        return;
    }
    /* As in the tests: part of the step before it */
    tag = is_settle ? pg_settle_send(c->g) : pg_send(c->g, "%s", line);
    if (c->interactive && !pg_wait(c->g, tag, PG_SHELL_WAIT_MS)) {
        PGPending p = { tag, g_strdup(line) };

        g_array_append_val(c->pending, p);
        printf("      no reply yet; it is shown when it comes\n");
        return;
    }
    pg_show_reply(pg_recv(c->g, tag), NULL);
}

/* Returns false to end. */
static bool pg_run_line(PGConsole *c, char **words)
{
    if (!words[0]) {
        return true;
    }
    if (g_str_equal(words[0], ":quit")) {
        return false;
    }
    if (words[0][0] == ':') {
        pg_run_rig_line(c, words);
    } else {
        pg_run_agent_line(c, words);
    }
    pg_show_pending(c, 0);
    if (words[0][0] != ':' || pg_is_device_line(words)) {
        pg_show_view(c);
    }
    return true;
}

static PGGuest *pg_script_guest(bool tolerate)
{
    const char *variant = g_getenv("PRIMEGPU_VARIANT");
    PGMachine m = { .tolerate = tolerate };

    if (variant && *variant) {
        pg_machine_variant(&m, variant);
    }
    return pg_start(&m);
}

static void pg_console_start(PGConsole *c, PGGuest *g, bool interactive)
{
    *c = (PGConsole) { .g = g, .since = 1, .interactive = interactive };
    c->pending = g_array_new(FALSE, FALSE, sizeof(PGPending));
    pg_on_text(c->g, pg_show_text);
}

static bool pg_check_script(const char *path, char **lines)
{
    bool good = true;

    for (unsigned i = 0; lines[i]; i++) {
        g_auto(GStrv) words = pg_split(lines[i]);
        g_autofree char *wrong = pg_check_line(words);

        if (wrong) {
            fprintf(stderr, "%s:%u: %s\n", path, i + 1, wrong);
            good = false;
        }
    }
    return good;
}

int primegpu_rig_replay(const char *path, bool tolerate,
                        void (*begin)(PGGuest *g), void (*end)(PGGuest *g))
{
    g_autoptr(GError) err = NULL;
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    PGConsole c;

    if (!g_file_get_contents(path, &text, NULL, &err)) {
        fprintf(stderr, "primegpu-rig: %s\n", err->message);
        return 2;
    }
    lines = g_strsplit(text, "\n", -1);
    if (!pg_check_script(path, lines)) {
        return 2;
    }
    pg_console_start(&c, pg_script_guest(tolerate), false);
    if (begin) {
        begin(c.g);
    }
    for (unsigned i = 0; lines[i]; i++) {
        g_auto(GStrv) words = pg_split(lines[i]);

        if (*lines[i]) {
            printf("%4u  %s\n", i + 1, lines[i]);
        }
        if (!pg_run_line(&c, words)) {
            break;
        }
    }
    pg_show_pending(&c, PG_CALL_LIMIT_S * 1000);
    end(c.g);
    return 0;
}

int primegpu_rig_run(const char *path)
{
    return primegpu_rig_replay(path, false, NULL, pg_stop);
}

int primegpu_rig_shell_on(PGGuest *g)
{
    bool prompt = isatty(STDIN_FILENO);
    g_autofree char *line = NULL;
    size_t size = 0;
    PGConsole c;
    bool more = true;

    pg_console_start(&c, g, true);
    if (prompt) {
        printf("The guest is there. :help lists the commands, :quit ends.\n");
    }
    while (more) {
        g_auto(GStrv) words = NULL;
        g_autofree char *wrong = NULL;

        if (prompt) {
            printf("primegpu> ");
            fflush(stdout);
        }
        if (getline(&line, &size, stdin) < 0) {
            break;
        }
        words = pg_split(line);
        wrong = pg_check_line(words);
        if (wrong) {
            printf("      %s\n", wrong);
        } else {
            more = pg_run_line(&c, words);
        }
    }
    pg_show_pending(&c, prompt ? 0 : PG_SHELL_WAIT_MS);
    pg_stop(c.g);
    return 0;
}

int primegpu_rig_shell(void)
{
    return primegpu_rig_shell_on(pg_script_guest(true));
}
