/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Performance: working out, finalising and verifying evaluations. Everything else about them is performance.sql. */
#include "asnd/engine.h"

/* Changes whenever a rule gives another result for the same inputs; stored with every final evaluation. */
#define PERFORMANCE_RULE_VERSION "2026.1"

/* computeEvaluation: what the rules give now; nothing is stored. ST_CONFLICT "achievement-undefined" where a formula has no value. */
NODISCARD enum status cmd_compute_evaluation(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                             struct outcome *out);
/* finalizeEvaluation: ST_CONFLICT "evaluation-incomplete" names everything that is missing, at once; "evaluation-final" when it is closed already. */
NODISCARD enum status cmd_finalize_evaluation(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                              struct outcome *out);
/* verifyEvaluation: works a final evaluation out again from what was stored with it. ST_CONFLICT "evaluation-draft" when it is none. */
NODISCARD enum status cmd_verify_evaluation(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                            struct outcome *out);
