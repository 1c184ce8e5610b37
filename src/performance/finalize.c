/* SPDX-License-Identifier: Apache-2.0 */
/* The three commands on an evaluation: work out, finalise, verify. All run the same rule on the same columns; they differ in where the rows come
 * from and in what becomes of the result. */
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

enum status cmd_verify_evaluation(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    struct evaluated evaluated;
    enum status st = work_out(ctx, engine, txn, in, "verifyEvaluation.evaluation", "verifyEvaluation.inputs", &evaluated);
    if (st != ST_OK)
        return st;
    problem_clear(ctx); /* inputs that were tampered with show as different */
    return command_reply(ctx, engine, txn, in, "verifyEvaluation.reply", out);
}
