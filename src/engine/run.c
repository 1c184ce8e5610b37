/* SPDX-License-Identifier: Apache-2.0 */
/* Executing a call on the loop: one statement on the pipelined connections, its first result rendered at once. What needs more than one
 * statement, a key that outlives the request, or a body of unknown length goes to a worker. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/uuid.h"
#include "door.h"
#include "standby.h"

enum status call_variant(struct ctx *ctx, const struct call *call, const struct variant **ret)
{
    const enum variant_shape shape = call->page.has_cursor ? VARIANT_AFTER_CURSOR : VARIANT_PLAIN;
    const unsigned options = call_options(call), asked = options & ~VARIANT_USUAL_LIMIT;
    if (!call->op->statement)
        return fail(ctx, ST_INTERNAL, "internal", "No statement.", "Tanpa pernyataan.");
    if (call->op->search && call->form == FORM_JSON && asked && !(asked & ~call->op->search_takes))
        *ret = statement_variant(call->op->search, options & VARIANT_USUAL_LIMIT, call->page.sort, VARIANT_PLAIN);
    else
        *ret = statement_variant(call->op->statement, options, call->page.sort, shape);
    return ST_OK;
}

void call_refuse_outcome(struct call *call, enum db_outcome outcome, const PGresult *res)
{
    if (outcome != DB_FAILED && !db_loop_is_up(call->loop->db)) /* otherwise one connection of several went, or the queue is full */
        outage_refused(&call->loop->outage);
    if (db_fail(call->ctx, outcome == DB_FAILED ? res : NULL) == ST_RETRY)
        fail(call->ctx, ST_UNAVAILABLE, "unavailable", "Too many at once wanted the same record; try again.",
             "Terlalu banyak yang mengubah data yang sama; coba lagi.");
    if (call->ctx->problem.status == ST_UNAVAILABLE && !call->ctx->problem.retry_after_s)
        call->ctx->problem.retry_after_s = 1;
    call_refuse(call, call->ctx);
}

static void statement_done(struct db_request *db, enum db_outcome outcome, PGresult *res)
{
    struct call *call = db->cls;
    struct outcome out = {0};
    const char *link = NULL;
    struct plan *plan;
    metric_add(call->is_at_standby ? call->engine->reads.at_standby : call->engine->reads.at_primary,
               outcome == DB_OK && !call->op->is_write);
    if (!call->is_over) {
        plan = outcome == DB_OK ? plan_of(call->variant, call->op, res) : NULL;
        if (!plan)
            call_refuse_outcome(call, outcome, res);
        else if (render_reply(call->ctx, call, plan, res, &out, &link) != ST_OK)
            call_refuse(call, call->ctx);
        else if (audit_is_due(call, &out))
            audit_then_answer(call, &out, link);
        else if (!wait_enter(call, plan, res, &out))
            call_answer(call, &out, link);
    }
    call_release(call);
}

/* What took its time there would take it again. */
static bool is_for_primary(enum db_outcome outcome, const PGresult *res)
{
    const char *sqlstate = outcome == DB_FAILED ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
    return outcome != DB_OK && !(sqlstate && sqlstate_status(sqlstate) == ST_TIMEOUT);
}

/* Whatever failed at a standby (a conflict with replay, a lost connection, a function that writes) is run once more on the primary. */
static void standby_told(struct db_request *db, enum db_outcome outcome, PGresult *res)
{
    struct call *call = db->cls;
    if (call->is_over || !is_for_primary(outcome, res)) {
        call->at_standby(db, outcome, res);
        return;
    }
    metric_add(call->engine->reads.passed_over[PASSED_FAILED], 1);
    call->has_failed_there = true;
    call_submit(call, db->variant, call->at_standby);
    call_release(call);
}

/* Where the call's statement runs. */
static struct db_loop *server_for(struct call *call)
{
    enum passed_over why;
    struct db_loop *standby;
    call->is_at_standby = false;
    if (!call->has_position || call->has_failed_there || !replicas_wanted(call->loop->replicas))
        return call->loop->db;
    standby = replica_for(call->loop->replicas, call->position, &why);
    if (!standby)
        metric_add(call->engine->reads.passed_over[why], 1);
    call->is_at_standby = standby != NULL;
    return standby ? standby : call->loop->db;
}

void call_submit(struct call *call, const struct variant *variant, void (*done)(struct db_request *, enum db_outcome, PGresult *))
{
    struct db_loop *server = server_for(call);
    call->db = (struct db_request){.variant = variant,
                                   .values = call_values(call->ctx, call, variant),
                                   .units = arena_strdup(call->ctx->arena, call_units(call)), /* the actor may be gone before the answer */
                                   .timeout_ms = call->op->timeout_ms,
                                   .is_write = call->op->is_write || call->op->info->is_write,
                                   .run_again = call->op->contract->retry_safe || !call->op->is_write,
                                   .done = done,
                                   .cls = call};
    if (call->db.is_write)
        audit_ahead(&call->db, call);
    if (call->is_at_standby) {
        call->at_standby = done;
        call->db.done = standby_told;
        call->db.run_again = false;
    }
    call_hold(call);
    db_loop_submit(server, &call->db);
}

static void submit_statement(struct call *call)
{
    if (call_variant(call->ctx, call, &call->variant) != ST_OK)
        call_refuse(call, call->ctx);
    else
        call_submit(call, call->variant, statement_done);
}

void call_again(struct call *call)
{
    door_enter(call);
    call_submit(call, call->variant, statement_done);
}

bool call_wants_count(const struct call *call)
{
    return call->op->count_param >= 0 && call->in.values[call->op->count_param].is_present && call->form == FORM_JSON;
}

/* Counts, and reads that the contract gives more time than others (x-timeout-ms): on a loop everybody would wait behind them. */
bool call_is_long(const struct call *call)
{
    return call_wants_count(call) || (!call->op->is_write && call->op->timeout_ms > call->engine->settings->statement_timeout_ms);
}

static bool needs_worker(const struct call *call)
{
    return call->op->kind == OP_COMMAND || call->op->kind == OP_STREAM || call->dry_run || call->idempotency_key || call_is_long(call) ||
           (call->form != FORM_JSON && reply_is_exportable(call->op->contract));
}

static void run_now(struct call *call)
{
    if (needs_worker(call)) {
        door_leave(call);
        call_to_worker(call);
        return;
    }
    submit_statement(call);
}

void call_run(struct call *call)
{
    char id[UUID_TEXT_SIZE];
    const struct binding *binding = call->op->binding;
    if (call->op->kind == OP_BUILTIN) {
        call->op->builtin(call->engine, call->rq);
        return;
    }
    if (call->op->is_write) {
        uuid_new_v7(id);
        call->new_id = arena_strdup(call->ctx->arena, id);
    }
    if (binding && binding->check && binding->check(call->ctx, &call->in) != ST_OK) {
        call_refuse(call, call->ctx);
        return;
    }
    if (call->op->kind == OP_QUERY)
        door_enter(call);
    refer_run(call, run_now);
}
