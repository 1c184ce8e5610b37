/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One evaluation worked out from its rows, wherever they came from: the tables, or the inputs stored when it was finalised. */
#include <libpq-fe.h>

#include "asnd/buf.h"
#include "asnd/contract.h"
#include "asnd/rules.h"
#include "asnd/status.h"

/* Texts in ctx's arena. Percents have two decimals, rounded half up only here. */
struct evaluated {
    const char *achievement; /* NULL: there are no indicators, or an actual value is missing */
    const char *achievement_uncapped;
    const char *predicate; /* NULL: a rating is missing */
    const char *predicate_number;
    const char *arithmetic; /* of the achievement; NULL like that */
    const char *indicators; /* JSON array */
    bool is_whole;          /* nothing is missing; otherwise each missing thing is a fault of ctx, at its pointer */
};

/* `evaluation` has one row (results_rating, behaviour_rating), `inputs` one an indicator, in order. ST_CONFLICT "achievement-undefined" where a
 * formula has no value for its numbers. */
NODISCARD enum status evaluation_work_out(struct ctx *ctx, const PGresult *evaluation, const PGresult *inputs, struct evaluated *ret);

/* As binds: achievement, achievement_uncapped, arithmetic, predicate, predicate_number, indicators, rule_version. */
void evaluated_derive(struct ctx *ctx, struct params *in, const struct evaluated *evaluated);

/* ── arithmetic.c ── */
/* An indicator's numbers, and the same as they are stored; target_high and cap may be NULL. */
struct told_indicator {
    const struct indicator *numbers;
    const char *target, *target_high, *actual, *cap;
};
/* "min(120, 130 / 100 × 100) = 120.00": of an indicator that has a value, `achievement` as it is told. */
const char *arithmetic_of_indicator(struct arena *arena, const struct told_indicator *in, const struct decimal *uncapped,
                                    const char *achievement);
/* "(70 × 95.00 + 30 × 80.00) / (70 + 30) = 90.50"; n > 0. What is multiplied is exact, though told with two decimals. */
const char *arithmetic_of_mean(struct arena *arena, const char *const *weights, const char *const *achievements, size_t n,
                               const char *mean);
