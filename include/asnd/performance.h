/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Performance: working out, finalising and verifying evaluations. Everything else about them is performance.sql. */
#include "asnd/engine.h"
#include "asnd/stream.h"

/* Changes whenever a rule gives another result for the same inputs; stored with every final evaluation. */
#define PERFORMANCE_RULE_VERSION "2026.1"

/* computeEvaluation: what the rules give now; nothing is stored. ST_CONFLICT "achievement-undefined" where a formula has no value. */
NODISCARD enum status cmd_compute_evaluation(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                             struct outcome *out);
/* suggestEvaluation: what achievement and assessors suggest, with the arithmetic; no rating is written. ST_CONFLICT "achievement-undefined". */
NODISCARD enum status cmd_suggest_evaluation(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                             struct outcome *out);
/* finalizeEvaluation: ST_CONFLICT "evaluation-incomplete" names everything that is missing, at once; "evaluation-final" when it is closed already. */
NODISCARD enum status cmd_finalize_evaluation(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                              struct outcome *out);
/* verifyEvaluation: works a final evaluation out again from what was stored with it. ST_CONFLICT "evaluation-draft" when it is none. */
NODISCARD enum status cmd_verify_evaluation(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                            struct outcome *out);
/* decideObjection: what the decision changes becomes a new final version of the evaluation, in the same transaction (PP 30/2019 Art. 59). ST_CONFLICT
 * "objection-state", "objection-same"; ST_PRECONDITION when another version of it was seen. */
NODISCARD enum status cmd_decide_objection(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                           struct outcome *out);

/* getAreasToImprove: the achievements of the last yearly evaluation by the rule that finalised it, as :indicators; what is an area to improve, follow.sql says. */
NODISCARD enum status cmd_get_areas_to_improve(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                               struct outcome *out);

/* workOutRegime: a record of a regime before 2022 from what its decree lists; derives :regime_skp, :regime_behaviour, :regime_value, :regime_predicate,
 * :regime_parts. ST_INVALID names what is missing or has no value. */
NODISCARD enum status check_work_out_regime(struct ctx *ctx, struct params *in);
/* getHistoryRegime: which predicates the rule of its regime gives the value of a row of the histories. */
NODISCARD enum status cmd_get_history_regime(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                             struct outcome *out);

/* importPresence: days at work of people by the month. */
extern const struct import_kind import_presence;

/* ── all of them ── */
struct evaluation_report {
    int64_t evaluations; /* final ones that were looked at */
    int64_t older;       /* of these, finalised under another version of the rules */
    int64_t differing;   /* of these, with a difference */
    int64_t differences; /* told */
};
/* Works every final evaluation (of a period, unless period_id is NULL) out again from the inputs stored with it, one after the other in constant memory,
 * and tells what differs from what is stored as lines of `out`. */
NODISCARD enum status evaluations_verify(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const char *period_id, FILE *out,
                                         struct evaluation_report *ret);
