/* SPDX-License-Identifier: Apache-2.0 */
/* What is another's is answered "not found", like what was never there, and in the same bytes. It takes longer to find, though: its row is read
 * before the caller's units shut it out, some 10 % of the reply's time, which who asks a few hundred times can tell (tests/attack/test_timing.py).
 * So the answer leaves at the next whole step since the request came: within a step all take alike, whatever was read. */
#include "internal.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include "asnd/date.h"
#include "door.h"

/* Far above what a statement of one thing takes (0.3 to 0.8 ms), far below what anybody notices. */
#define STEP_US 5000

static void set_alarm(struct even *even, int64_t due_us)
{
    struct itimerspec at = {.it_value = {.tv_sec = due_us / 1000000, .tv_nsec = due_us % 1000000 * 1000}};
    even->due_us = due_us;
    timerfd_settime(even->fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void unlink_held(struct call *call)
{
    *call->even.slot = call->even.next;
    if (call->even.next)
        call->even.next->even.slot = call->even.slot;
    call->even.slot = NULL;
}

static void answer_due(struct even *even)
{
    int64_t now = clock_mono_us(), next_us = INT64_MAX;
    struct call *next;
    for (struct call *call = even->first; call; call = next) {
        next = call->even.next;
        if (call->even.due_us > now) {
            next_us = call->even.due_us < next_us ? call->even.due_us : next_us;
            continue;
        }
        unlink_held(call);
        reply_problem(call->rq);
    }
    if (next_us < INT64_MAX)
        set_alarm(even, next_us);
    else
        even->due_us = INT64_MAX;
}

static void on_alarm(uv_poll_t *poll, int status, int events)
{
    struct engine_loop *loop = poll->data;
    uint64_t expirations;
    (void)status, (void)events;
    if (read(loop->even.fd, &expirations, sizeof expirations) > 0)
        answer_due(&loop->even);
}

bool even_open(struct engine_loop *loop)
{
    struct even *even = &loop->even;
    even->due_us = INT64_MAX;
    even->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (even->fd < 0 || uv_poll_init(&loop->uv, &even->poll, even->fd) != 0)
        return false;
    even->poll.data = loop;
    return uv_poll_start(&even->poll, UV_READABLE, on_alarm) == 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct engine_loop *loop = handle->data;
    close(loop->even.fd);
}

void even_close(struct engine_loop *loop)
{
    uv_close((uv_handle_t *)&loop->even.poll, on_closed);
}

void even_refuse(struct call *call)
{
    struct even *even = &call->loop->even;
    int64_t took = clock_mono_us() - call->started_us;
    call->even.due_us = call->started_us + (took / STEP_US + 1) * STEP_US;
    call->even.next = even->first;
    call->even.slot = &even->first;
    if (even->first)
        even->first->even.slot = &call->even.next;
    even->first = call;
    if (call->even.due_us < even->due_us)
        set_alarm(even, call->even.due_us);
}

void even_forget(struct call *call)
{
    if (call->even.slot)
        unlink_held(call);
}
