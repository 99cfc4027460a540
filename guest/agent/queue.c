/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue of requests.  Each has its own copy of the tag and the line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue.h"

void queue_init(struct queue *q)
{
    q->head = NULL;
    q->tail = &q->head;
}

struct request *queue_add(struct queue *q, const char *tag, const char *line,
                          int fd)
{
    size_t length = strnlen(line, PRIMEGPU_AGENT_LINE_MAX) + 1;
    struct request *r = malloc(sizeof(*r) + length);

    if (!r) {
        return NULL;
    }
    r->next = NULL;
    r->fd = fd;
    snprintf(r->tag, sizeof(r->tag), "%s", tag);
    snprintf(r->line, length, "%s", line);
    *q->tail = r;
    q->tail = &r->next;
    return r;
}

struct request *queue_take(struct queue *q)
{
    struct request *r = q->head;

    if (r) {
        q->head = r->next;
        if (!q->head) {
            q->tail = &q->head;
        }
    }
    return r;
}
