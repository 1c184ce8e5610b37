/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of bytes between the event loop, which never blocks, and a worker, which does. One side writes, the other reads; whoever of the two
 * is the loop learns by `wake` (called on the worker's thread) that it is worth trying again. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/log.h"

struct pipe {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char *data;
    size_t cap, start, len;
    bool is_ended, is_broken;
    bool loop_waits; /* the loop was told "not now" */
    size_t wants;    /* room that the worker waits for; 0: it does not */
    void (*wake)(void *cls);
    void *cls;
};

struct pipe *pipe_new(size_t cap, bool loop_waits, void (*wake)(void *cls), void *cls)
{
    struct pipe *pipe = calloc(1, sizeof *pipe);
    if (!pipe || !(pipe->data = malloc(cap)))
        die_no_memory();
    pipe->cap = cap;
    pipe->loop_waits = loop_waits;
    pipe->wake = wake;
    pipe->cls = cls;
    pthread_mutex_init(&pipe->lock, NULL);
    pthread_cond_init(&pipe->changed, NULL);
    return pipe;
}

void pipe_free(struct pipe *pipe)
{
    if (!pipe)
        return;
    pthread_cond_destroy(&pipe->changed);
    pthread_mutex_destroy(&pipe->lock);
    free(pipe->data);
    free(pipe);
}

static size_t put(struct pipe *pipe, const char *bytes, size_t len)
{
    size_t room = pipe->cap - pipe->len, end = (pipe->start + pipe->len) % pipe->cap, first;
    if (len > room)
        len = room;
    first = len < pipe->cap - end ? len : pipe->cap - end;
    memcpy(pipe->data + end, bytes, first);
    memcpy(pipe->data, bytes + first, len - first);
    pipe->len += len;
    return len;
}

static size_t get(struct pipe *pipe, char *dst, size_t cap)
{
    size_t len = pipe->len < cap ? pipe->len : cap;
    size_t first = len < pipe->cap - pipe->start ? len : pipe->cap - pipe->start;
    memcpy(dst, pipe->data + pipe->start, first);
    memcpy(dst + first, pipe->data, len - first);
    pipe->start = (pipe->start + len) % pipe->cap;
    pipe->len -= len;
    return len;
}

/* Ends the critical section of the worker's side: wakes the loop if it was waiting. */
static void worker_leaves(struct pipe *pipe)
{
    bool wake = pipe->loop_waits;
    pipe->loop_waits = false;
    pthread_mutex_unlock(&pipe->lock);
    if (wake)
        pipe->wake(pipe->cls);
}

size_t pipe_offer(struct pipe *pipe, const char *bytes, size_t len)
{
    size_t taken;
    pthread_mutex_lock(&pipe->lock);
    taken = pipe->is_broken ? len : put(pipe, bytes, len); /* nobody reads any more: swallow */
    pipe->loop_waits = taken < len;
    pthread_cond_signal(&pipe->changed);
    pthread_mutex_unlock(&pipe->lock);
    return taken;
}

ptrdiff_t pipe_take(struct pipe *pipe, char *dst, size_t cap)
{
    ptrdiff_t got;
    pthread_mutex_lock(&pipe->lock);
    if (pipe->is_broken)
        got = PULL_FAIL;
    else if (pipe->len)
        got = (ptrdiff_t)get(pipe, dst, cap);
    else
        got = pipe->is_ended ? PULL_END : PULL_WAIT;
    pipe->loop_waits = got == PULL_WAIT;
    if (pipe->wants && pipe->cap - pipe->len >= pipe->wants)
        pthread_cond_signal(&pipe->changed);
    pthread_mutex_unlock(&pipe->lock);
    return got;
}

ptrdiff_t pipe_read(struct pipe *pipe, char *dst, size_t cap)
{
    ptrdiff_t got;
    pthread_mutex_lock(&pipe->lock);
    while (!pipe->len && !pipe->is_ended && !pipe->is_broken)
        pthread_cond_wait(&pipe->changed, &pipe->lock);
    got = pipe->is_broken ? -1 : (ptrdiff_t)get(pipe, dst, cap);
    worker_leaves(pipe);
    return got;
}

/* Until there is room for all of it, or for half of what the pipe holds: not woken for each little piece that the loop takes. */
static void wait_for_room(struct pipe *pipe, size_t len)
{
    size_t half = pipe->cap / 2;
    pipe->wants = len < half ? len : half;
    while (!pipe->is_broken && pipe->cap - pipe->len < pipe->wants)
        pthread_cond_wait(&pipe->changed, &pipe->lock);
    pipe->wants = 0;
}

bool pipe_write(struct pipe *pipe, const char *bytes, size_t len)
{
    bool whole;
    pthread_mutex_lock(&pipe->lock);
    while (len && !pipe->is_broken) {
        size_t n = put(pipe, bytes, len);
        bytes += n;
        len -= n;
        if (len) {
            if (pipe->loop_waits) {
                worker_leaves(pipe);
                pthread_mutex_lock(&pipe->lock);
                continue;
            }
            wait_for_room(pipe, len);
        }
    }
    whole = !pipe->is_broken;
    worker_leaves(pipe);
    return whole;
}

static void mark(struct pipe *pipe, bool *flag)
{
    pthread_mutex_lock(&pipe->lock);
    *flag = true;
    pthread_cond_signal(&pipe->changed);
    pthread_mutex_unlock(&pipe->lock);
}

void pipe_end(struct pipe *pipe)
{
    mark(pipe, &pipe->is_ended);
}

void pipe_break(struct pipe *pipe)
{
    mark(pipe, &pipe->is_broken);
}
