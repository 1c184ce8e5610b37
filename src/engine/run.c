/* SPDX-License-Identifier: Apache-2.0 */
/* Executing a call on the loop: one statement on the pipelined connections, its first result rendered at once. What needs more than one
 * statement, a key that outlives the request, or a body of unknown length goes to a worker. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/uuid.h"

static void submit_statement(struct call *call);

enum status call_variant(struct ctx *ctx, const struct call *call, const struct variant **ret)
{
    enum variant_shape shape = call->page.has_cursor ? VARIANT_AFTER_CURSOR : VARIANT_PLAIN;
    if (!call->op->statement)
        return fail(ctx, ST_INTERNAL, "internal", "No statement.", "Tanpa pernyataan.");
    *ret = statement_variant(call->op->statement, call_options(call), call->page.sort, shape);
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
    if (!call->is_over) {
        plan = outcome == DB_OK ? plan_of(call->variant, call->op, res) : NULL;
        if (!plan)
            call_refuse_outcome(call, outcome, res);
        else if (render_reply(call->ctx, call, plan, res, &out, &link) != ST_OK)
            call_refuse(call, call->ctx);
        else if (!wait_enter(call, plan, res, &out))
            call_answer(call, &out, link);
    }
    request_release(call->rq);
}

static void submit(struct call *call, const struct variant *variant, void (*done)(struct db_request *, enum db_outcome, PGresult *))
{
    call->db = (struct db_request){.variant = variant,
                                   .values = call_values(call->ctx, call, variant),
                                   .timeout_ms = call->op->timeout_ms,
                                   .is_write = call->op->is_write || call->op->info->is_write,
                                   .run_again = call->op->contract->retry_safe || !call->op->is_write,
                                   .done = done,
                                   .cls = call};
    request_hold(call->rq);
    db_loop_submit(call->loop->db, &call->db);
}

static void count_done(struct db_request *db, enum db_outcome outcome, PGresult *res)
{
    struct call *call = db->cls;
    if (!call->is_over) {
        if (outcome != DB_OK) {
            call_refuse_outcome(call, outcome, res);
        } else {
            call->count_text = arena_strdup(call->ctx->arena, PQgetvalue(res, 0, 0));
            submit_statement(call);
        }
    }
    request_release(call->rq);
}

static void submit_statement(struct call *call)
{
    if (call_variant(call->ctx, call, &call->variant) != ST_OK)
        call_refuse(call, call->ctx);
    else
        submit(call, call->variant, statement_done);
}

void call_again(struct call *call)
{
    submit(call, call->variant, statement_done);
}

static bool needs_worker(const struct call *call)
{
    return call->op->kind == OP_COMMAND || call->op->kind == OP_STREAM || call->dry_run || call->idempotency_key ||
           (call->form != FORM_JSON && reply_is_exportable(call->op->contract));
}

static bool wants_count(const struct call *call)
{
    return call->op->count_param >= 0 && call->in.values[call->op->count_param].is_present && call->form == FORM_JSON;
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
    if (needs_worker(call))
        call_to_worker(call);
    else if (wants_count(call))
        submit(call, statement_variant(call->op->statement, call_options(call), call->page.sort, VARIANT_COUNT), count_done);
    else
        submit_statement(call);
}
