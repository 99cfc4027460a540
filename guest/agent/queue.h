/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu agent: requests that wait for their replies, oldest first.
 */
#ifndef AGENT_QUEUE_H
#define AGENT_QUEUE_H

#include "agent.h"

struct request {
    struct request *next;
    int fd;
    char tag[PRIMEGPU_AGENT_TAG_MAX];
    char line[];
};

struct queue {
    struct request *head;
    struct request **tail;
};

void queue_init(struct queue *q);

/* Add at the end; NULL without memory */
struct request *queue_add(struct queue *q, const char *tag, const char *line,
                          int fd);

/* Take the head off; the caller frees it, and owns its fd. */
struct request *queue_take(struct queue *q);

#endif /* AGENT_QUEUE_H */
