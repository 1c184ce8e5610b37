/* SPDX-License-Identifier: Apache-2.0 */
/* Who comes when more is asked than can be answered. What a loop has given to the database is measured: how many answers come in a tenth of a
 * second; so it is known how long whoever comes now would wait, and where that is too long he is told to come again before anything is done for him.
 * Telling so costs as well. A client who asks again at once could buy with it what others need, so beyond some a second the telling waits for a moment. */
#include "internal.h"

#include "asnd/log.h"
#include "door.h"

/* From MANY on there is a crowd, until half of them are gone. As many as ALWAYS may be under way whatever it takes, for a few slow ones are no crowd; the difference is what one
 * caller leaves to others. And more than fill the connections' pipelines twice over gain nothing by being let in. */
#define MANY    100
#define ALWAYS  125
#define MOST    256
#define LOOK_MS 100
/* A burst that has just come is let in, for it may be over before anybody waits for long. */
#define BURST_MS 25
/* What is told at once, in a millisecond and as a store of what was not used; and how long the others wait for it at most. */
#define TOLD_A_MS 2
#define TOLD_MAX  200
#define HOLD_MS   500
/* Lines of refusals that the log gets in a second from one loop; the rest is counted. */
#define LINES_A_S 20

static struct lane *lane_of(const struct call *call)
{
    return &call->loop->lanes[call->op->is_write];
}

static uint64_t now_ms(const struct call *call)
{
    return uv_now(&call->loop->uv);
}

/* How many may be under way for the last of them to wait `patience_ms`: as many as are answered in it. */
static void look(struct lane *lane, uint64_t now, int64_t patience_ms)
{
    int64_t most;
    if (now - lane->since_ms < LOOK_MS)
        return;
    most = lane->answered * patience_ms / (int64_t)(now - lane->since_ms);
    lane->most = most < MOST ? most : MOST;
    lane->since_ms = now;
    lane->answered = 0;
}

static bool is_open(struct lane *lane, uint64_t now, int64_t patience_ms)
{
    if (lane->under_way < ALWAYS)
        return true;
    look(lane, now, patience_ms);
    return lane->under_way < lane->most || now - lane->crowded_ms < BURST_MS;
}

/* Reads do not wait behind writes, which may be waiting for a lock. But where too much is read there are no processors left, and what writes takes more of them: it is refused
 * as often as what reads. */
enum status door_check(struct call *call)
{
    const int64_t patience_ms = call->engine->settings->wait_limit_ms;
    struct lane *lanes = call->loop->lanes;
    if (call->op->kind == OP_BUILTIN ||
        (is_open(&lanes[false], now_ms(call), patience_ms) && (!call->op->is_write || is_open(&lanes[true], now_ms(call), patience_ms))))
        return ST_OK;
    metric_add(call->engine->overloaded, 1);
    call->ctx->problem.retry_after_s = 1 + (int)(call->engine->settings->wait_limit_ms / 1000) + (int)(call->loop->refusals.n++ % 2);
    return fail(call->ctx, ST_UNAVAILABLE, "overloaded", "More is waiting than can be answered soon; try again in a moment.",
                "Yang menunggu lebih banyak daripada yang dapat segera dijawab; coba lagi sebentar lagi.");
}

int64_t door_share(const struct call *call)
{
    const struct lane *lane = lane_of(call);
    if (!lane->crowded_ms)
        return INT64_MAX;
    return (lane->most > ALWAYS ? lane->most : ALWAYS) * 3 / 4 * call->engine->n_loops;
}

void door_enter(struct call *call)
{
    struct lane *lane = lane_of(call);
    call->is_inside = true;
    if (++lane->under_way < MANY || lane->crowded_ms)
        return;
    lane->crowded_ms = lane->since_ms = now_ms(call);
    lane->answered = 0;
}

void door_leave(struct call *call)
{
    struct lane *lane;
    if (!call->is_inside)
        return;
    call->is_inside = false;
    lane = lane_of(call);
    lane->answered++;
    if (--lane->under_way < MANY / 2)
        lane->crowded_ms = 0;
}

/* ── telling ── */

static void unlink_held(struct call *call)
{
    struct refusals *all = &call->loop->refusals;
    *call->refused.slot = call->refused.next;
    if (call->refused.next)
        call->refused.next->refused.slot = call->refused.slot;
    else
        all->end = call->refused.slot;
    call->refused.slot = NULL;
}

static void refill(struct refusals *all, uint64_t now)
{
    int64_t more = (int64_t)(now - all->filled_ms) * TOLD_A_MS;
    all->filled_ms = now;
    all->left = more > TOLD_MAX - all->left ? TOLD_MAX : all->left + more;
}

void door_refuse(struct call *call)
{
    struct refusals *all = &call->loop->refusals;
    refill(all, now_ms(call));
    call->refused.is_refused = true;
    if (all->left > 0 && !all->first) {
        all->left--;
        reply_problem(call->rq);
        return;
    }
    request_wait_long(call->rq);
    call->refused.since_ms = now_ms(call);
    call->refused.next = NULL;
    call->refused.slot = all->first ? all->end : &all->first;
    *call->refused.slot = call;
    all->end = &call->refused.next;
}

void door_forget(struct call *call)
{
    if (call->refused.slot)
        unlink_held(call);
}

void door_tick(struct engine_loop *loop)
{
    struct refusals *all = &loop->refusals;
    uint64_t now = uv_now(&loop->uv);
    struct call *call;
    refill(all, now);
    while ((call = all->first) && (all->left > 0 || now - call->refused.since_ms >= HOLD_MS)) {
        all->left -= all->left > 0;
        unlink_held(call);
        reply_problem(call->rq);
    }
    if (now - all->second_ms < 1000)
        return;
    if (all->unlogged > 0)
        log_line(LOG_WARNING_, "refusals-not-logged", LOG_NUM("loop", loop->number), LOG_NUM("count", all->unlogged));
    all->second_ms = now;
    all->logged = all->unlogged = 0;
}

bool door_logs(struct call *call)
{
    struct refusals *all = &call->loop->refusals;
    if (!call->refused.is_refused || all->logged++ < LINES_A_S)
        return true;
    all->unlogged++;
    return false;
}
