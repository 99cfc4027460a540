/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu agent: main's side of the workers.
 */
#ifndef AGENT_POOL_H
#define AGENT_POOL_H

#include <sys/types.h>

#include "agent.h"

void pool_init(int epoll);
bool pool_exists(int n);

/* Start a fresh worker; 0 or -errno */
int pool_spawn(int n);

/* A place for a worker that somebody forks: its end of the socket or -errno */
int pool_reserve(int n);

/* SIGKILL; the request of this tag is answered when it is gone; 0 or -errno */
int pool_kill(int n, const char *tag);

/* Queue a line, and an fd that the pool closes, or -1; 0 or -errno */
int pool_request(int n, const char *tag, const char *line, int fd);

/* Send what is queued; called once for many requests */
void pool_flush(void);

/* The socket of worker n can be read or written. */
void pool_event(int n);

/* Some children have gone. */
void pool_reap(void);

/* Does any worker owe a reply? */
bool pool_busy(void);

/* dispatch.c: a line from the host; its end is cut if it was too long */
void dispatch_line(char *line, size_t length);

#endif /* AGENT_POOL_H */
