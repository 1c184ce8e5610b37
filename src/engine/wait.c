/* SPDX-License-Identifier: Apache-2.0 */
/* Long polls. A call whose statement has nothing to tell (`_idle`) is set aside with the answer that it will get in the end. While anybody waits,
 * the loop asks five times a second how far the feed can be read: one small statement, however many wait. Whoever was last told less runs again. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/date.h"
#include "asnd/log.h"
#include "door.h"

#define ASK_MS 200

/* ── in and out ── */

static int64_t wait_until_us(const struct call *call)
{
    const char *seconds = call->op->wait_param < 0 ? NULL : call->in.values[call->op->wait_param].text;
    return seconds ? call->started_us + 1000000 * strtoll(seconds, NULL, 10) : 0;
}

static void put_in(struct waiters *waiters, struct call *call)
{
    call->wait_next = waiters->first;
    call->wait_slot = &waiters->first;
    if (call->wait_next)
        call->wait_next->wait_slot = &call->wait_next;
    waiters->first = call;
}

void wait_leave(struct call *call)
{
    if (!call->wait_slot)
        return;
    *call->wait_slot = call->wait_next;
    if (call->wait_next)
        call->wait_next->wait_slot = call->wait_slot;
    call->wait_slot = NULL;
    metric_add(call->engine->waiting, -1);
}

/* What was looked through in vain is not looked through again. */
static void go_on_from(struct call *call, const char *text)
{
    struct value *after = &call->in.values[call->op->sealed_param];
    after->text = arena_strdup(call->ctx->arena, text);
    after->len = strlen(after->text);
    after->is_present = true;
}

bool wait_enter(struct call *call, const struct plan *plan, const PGresult *res, const struct outcome *answer)
{
    if (plan->idle < 0 || strcmp(PQgetvalue(res, 0, plan->idle), "t") != 0 || clock_mono_us() >= wait_until_us(call) ||
        atomic_load(&call->engine->is_stopping))
        return false;
    call->wait_answer = *answer;
    call->wait_mark = arena_strdup(call->ctx->arena, PQgetvalue(res, 0, plan->mark));
    if (call->op->sealed_param >= 0 && plan->sealed >= 0)
        go_on_from(call, PQgetvalue(res, 0, plan->sealed));
    put_in(&call->loop->waiters, call);
    account_leave(call); /* who waits is in nobody's way */
    door_leave(call);
    metric_add(call->engine->waiting, 1);
    return true;
}

/* ── while they wait ── */

/* Those who need not wait any more, as time is up, we stop, or nobody is there. */
static void answer_due(struct engine_loop *loop)
{
    struct call *next;
    int64_t now = clock_mono_us();
    bool all = atomic_load(&loop->engine->is_stopping);
    for (struct call *call = loop->waiters.first; call; call = next) {
        next = call->wait_next;
        if (!all && now < wait_until_us(call) && !request_client_left(call->rq))
            continue;
        wait_leave(call);
        call_answer(call, &call->wait_answer, NULL);
    }
}

static void asked(struct db_request *db, enum db_outcome outcome, PGresult *res)
{
    struct engine_loop *loop = db->cls;
    struct call *next;
    loop->waiters.is_asking = false;
    for (struct call *call = outcome == DB_OK ? loop->waiters.first : NULL; call; call = next) {
        next = call->wait_next;
        if (strcmp(call->wait_mark, PQgetvalue(res, 0, 0)) == 0)
            continue;
        wait_leave(call);
        call_again(call);
    }
    free(db);
}

static void ask(struct engine_loop *loop)
{
    struct db_request *db = calloc(1, sizeof *db);
    if (!db)
        die_no_memory();
    db->variant = statement_variant(sql_set_find(loop->engine->set, "changes.mark"), 0, 0, VARIANT_PLAIN);
    db->units = DB_EVERYTHING;
    db->done = asked;
    db->cls = loop;
    loop->waiters.is_asking = true;
    db_loop_submit(loop->db, db);
}

void wait_tick(struct engine_loop *loop)
{
    static _Thread_local int64_t asked_us;
    int64_t now = clock_mono_us();
    if (!loop->waiters.first)
        return;
    answer_due(loop);
    if (!loop->waiters.first || loop->waiters.is_asking || loop->phase >= PHASE_END || now - asked_us < ASK_MS * 1000)
        return;
    asked_us = now;
    ask(loop);
}
