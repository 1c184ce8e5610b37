/* SPDX-License-Identifier: Apache-2.0 */
/* The commands on an evaluation: work out, finalise, verify, decide an objection, name what is to be improved. All run the same rule on the same columns; they differ in where
 * the rows come from and in what becomes of the result. */
#include "asnd/performance.h"

#include "evaluate.h"

/* Reads with two statements and works out; ctx holds no fault afterwards unless something is missing. */
static enum status work_out(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                            const char *evaluation_statement, const char *inputs_statement, struct evaluated *ret)
{
    PGresult *evaluation, *inputs;
    enum status st = command_query(ctx, engine, txn, in, evaluation_statement, true, &evaluation);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, inputs_statement, false, &inputs);
    if (st == ST_OK)
        st = evaluation_work_out(ctx, evaluation, inputs, ret);
    if (st == ST_OK)
        evaluated_derive(ctx, in, ret);
    return st;
}

enum status cmd_compute_evaluation(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    struct evaluated evaluated;
    enum status st = work_out(ctx, engine, txn, in, "computeEvaluation.evaluation", "computeEvaluation.inputs", &evaluated);
    if (st != ST_OK)
        return st;
    problem_clear(ctx); /* what is still missing is null here, not a fault */
    return command_reply(ctx, engine, txn, in, "computeEvaluation.reply", out);
}

enum status cmd_suggest_evaluation(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    struct evaluated evaluated;
    enum status st = work_out(ctx, engine, txn, in, "computeEvaluation.evaluation", "computeEvaluation.inputs", &evaluated);
    if (st != ST_OK)
        return st;
    problem_clear(ctx); /* the reply names what is missing */
    return command_reply(ctx, engine, txn, in, "suggestEvaluation.reply", out);
}

enum status cmd_finalize_evaluation(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    struct evaluated evaluated;
    enum status st = work_out(ctx, engine, txn, in, "finalizeEvaluation.evaluation", "computeEvaluation.inputs", &evaluated);
    if (st != ST_OK)
        return st;
    if (!evaluated.is_whole)
        return fail(ctx, ST_CONFLICT, "evaluation-incomplete", "The evaluation cannot be finalised yet.",
                    "Penilaian belum dapat difinalkan.");
    return command_reply(ctx, engine, txn, in, "finalizeEvaluation.store", out);
}

/* The new version that a change made is finalised by the rule of any other. */
static enum status finalize_changed(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                    const char *evaluation_id)
{
    struct evaluated evaluated;
    PGresult *stored;
    enum status st;
    params_derive(ctx, in, "evaluation_id", evaluation_id);
    st = work_out(ctx, engine, txn, in, "decideObjection.evaluation", "computeEvaluation.inputs", &evaluated);
    if (st != ST_OK)
        return st;
    if (!evaluated.is_whole)
        return fail(ctx, ST_CONFLICT, "evaluation-incomplete", "The evaluation cannot be finalised yet.",
                    "Penilaian belum dapat difinalkan.");
    return command_query(ctx, engine, txn, in, "finalizeEvaluation.store", true, &stored);
}

enum status cmd_decide_objection(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    PGresult *acted;
    int made;
    enum status st = command_query(ctx, engine, txn, in, "decideObjection.act", true, &acted);
    if (st != ST_OK)
        return st;
    made = PQfnumber(acted, "new_evaluation_id");
    if (!PQgetisnull(acted, 0, made))
        st = finalize_changed(ctx, engine, txn, in, PQgetvalue(acted, 0, made));
    return st == ST_OK ? command_reply(ctx, engine, txn, in, "decideObjection.reply", out) : st;
}

enum status cmd_verify_evaluation(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    struct evaluated evaluated;
    enum status st = work_out(ctx, engine, txn, in, "verifyEvaluation.evaluation", "verifyEvaluation.inputs", &evaluated);
    if (st != ST_OK)
        return st;
    problem_clear(ctx); /* inputs that were tampered with show as different */
    return command_reply(ctx, engine, txn, in, "verifyEvaluation.reply", out);
}

/* A person without an evaluation has areas too: those of other sources. */
enum status cmd_get_areas_to_improve(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    struct evaluated evaluated;
    PGresult *evaluation, *inputs;
    int id;
    enum status st = command_query(ctx, engine, txn, in, "getAreasToImprove.evaluation", true, &evaluation);
    if (st != ST_OK)
        return st;
    id = PQfnumber(evaluation, "id");
    params_derive(ctx, in, "evaluation_id", PQgetisnull(evaluation, 0, id) ? NULL : PQgetvalue(evaluation, 0, id));
    st = command_query(ctx, engine, txn, in, "getAreasToImprove.inputs", false, &inputs);
    if (st == ST_OK)
        st = evaluation_work_out(ctx, evaluation, inputs, &evaluated);
    if (st != ST_OK)
        return st;
    params_derive(ctx, in, "indicators", evaluated.indicators);
    problem_clear(ctx);
    return command_reply(ctx, engine, txn, in, "getAreasToImprove.reply", out);
}
