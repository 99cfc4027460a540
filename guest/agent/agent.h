/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu agent: what its files share.
 *
 * The agent is one process that owns the port (main), and worker processes,
 * each with a SOCK_SEQPACKET socket to main.  Main gives workers packets of
 * request lines, without tags; a worker gives main one packet for each reply,
 * in order, so main finds the tag by position.  A line that brings an fd
 * (fork, and the receiving end of send) is alone in its packet.
 *
 * Nothing here has threads but the command storm, which ends its own.  Each
 * process has its own copy of all state.
 */
#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "primegpu_agent.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* p0, the one for commands about the machine, and p1 to p16 */
#define SLOTS           (PRIMEGPU_AGENT_WORKERS + 1)
#define PACKET_MAX      32768
#define ARGS_MAX        32

/* First byte of a packet from a worker to main */
enum packet {
    PACKET_REPLY = 'R',     /* text of the reply to the oldest request */
    PACKET_LINE  = '|',     /* a line of a listing */
    PACKET_HELLO = 'H',     /* pid, from a fork's parent and child */
    PACKET_SEND  = 'S',     /* "pM KIND NAME" and an fd: pM shall answer */
    PACKET_EXIT  = 'X',     /* the worker leaves */
};

enum place { PLACE_MAIN, PLACE_ADMIN, PLACE_WORKER };

struct call;

/* A row of the command table; handlers return 0 or an errno */
struct command {
    const char *name;       /* with _ for - */
    enum place place;
    const char *usage;
    const char *help;
    int (*run)(struct call *c);
};

/*
 * One command that runs.  A handler that fails sets the error with one of the
 * call_ functions; what it added to the reply is dropped then.
 */
struct call {
    const struct command *command;
    int argc;
    char *argv[ARGS_MAX + 1];   /* argv[0] is the command's name */
    const char *tag;        /* in main only */
    int fd;                 /* that came with the line, or -1 */
    bool deferred;          /* somebody else replies */
    int error;
    size_t length;
    char text[PRIMEGPU_AGENT_LINE_MAX];
    void (*line)(struct call *c, const char *text);
};

/* line.c: words and numbers */
int line_split(char *line, char **words, int max);
bool line_number(const char *text, uint64_t *value);
int line_worker(const char *text);
bool line_name_ok(const char *name);
bool line_text_ok(const char *line, size_t length);
bool line_take_marker(char **line, bool *present, uint32_t *marker);

/* call.c: arguments and replies of a command that runs */
void call_init(struct call *c);
const char *call_errno_name(int error);
int call_fail(struct call *c, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int call_usage(struct call *c);
void call_add(struct call *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
size_t call_reply(const struct call *c, char *buf, size_t size);
bool call_number(struct call *c, int arg, uint64_t max, uint64_t *value);
bool call_choice(struct call *c, int arg, const char *choices, int *index);
void call_run(struct call *c, char *line);
/*
 * Run the command that begins at word n, one that a worker can run.  If it
 * fails, that is error= in the reply.  0, or an errno if there is none.
 */
int call_run_rest(struct call *c, int n);

/* The handlers, one for each command of the protocol, and the internal ones */
#define AGENT_HANDLER_(name, place, usage, help) int cmd_##name(struct call *c);
PRIMEGPU_AGENT_COMMANDS(AGENT_HANDLER_)
int cmd_recv_fd(struct call *c);
int cmd_recv_file(struct call *c);

/* table.c */
const struct command *command_find(const char *name);
const struct command *command_at(size_t index);
bool command_is(const char *word, const char *name);
bool command_arity_ok(const struct command *command, int args);
const char *command_spell(const char *name, char *buf, size_t size);

/* guard.c: accesses that may fault; false after a SIGBUS or SIGSEGV */
void guard_init(void);
bool guard_copy(void *dst, const void *src, size_t length);
bool guard_store32(uint32_t *dst, uint32_t value);

/*
 * cmd-fail.c: around a system call that a fault is meant for; errno stays.
 * Other calls of the agent, for itself, do not count.
 */
void fault_on(void);
void fault_off(void);

/* cmd-unwritable.c: the argument of an ioctl, or a copy to be used instead */
void *unwritable_arg(unsigned long request, void *arg);

/* sys.c: small things around files and clocks */
uint64_t sys_now_ns(void);
int sys_read_text(const char *path, char *buf, size_t size);
int sys_write_text(const char *path, const char *text);
/* The number that an fd made now would get, or -errno */
int sys_lowest_free_fd(void);
int sys_send_fd(int sock, const char *data, size_t length, int fd, int flags);
int sys_recv_fd(int sock, char *data, size_t size, int *fd);
int sys_ioctl_number(int fd, unsigned long request, void *arg);
int sys_ioctl(int fd, unsigned long request, void *arg);

/* marker.c: the number of devices that were told; look: for new ones */
int marker_write(uint32_t marker, bool look);
/* Map what the first marker of this process would. */
void marker_prepare(void);

/* init.c: what process 1 does for the machine */
void init_mounts(void);
void init_poweroff(void);
void init_console(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* port.c: the lines to and from the host */
bool port_open(bool stdio);
int port_fd(void);
int port_read(void (*line)(char *line, size_t length));
bool port_ended(void);
void port_write(const char *tag, const char *sep, const char *text);
void port_flush(void);
void port_drain(int timeout_ms);

/* worker.c; the name is what ps and the tracepoints show */
void worker_name(int n);
void worker_main(int sock) __attribute__((noreturn));
void worker_send(char type, const char *text, int fd);

#endif /* AGENT_H */
