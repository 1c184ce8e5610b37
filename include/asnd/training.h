/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Training: what of it needs C: learning hours worked out a second time, what a training changed, files of standards, assessments and questionnaires. Everything
 * else about training is SQL. */
#include "asnd/engine.h"

/* recountLearningHours: the rules of asnd/rules.h on the trainings themselves, beside what the ledger has. */
NODISCARD enum status cmd_recount_learning_hours(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                                 struct outcome *out);

/* Competency standards, by what they are of, competency and first day (src/training/import_standard.c). */
extern const struct import_kind import_competency_standards;
/* Assessments of competencies, by person, day, method and source (src/training/import_assessment.c). */
extern const struct import_kind import_competency_assessments;

/* Questionnaires on paper, in batches that are counted once (src/training/import_questionnaire.c). */
extern const struct import_kind import_questionnaires;

/* getTrainingEffectPeople, getTrainingEffectUnits: the change of those who took part less that of those like them who did not, by effect_estimate of
 * asnd/rules.h. Refuses "effect-periods". */
NODISCARD enum status cmd_get_training_effect_people(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                                     struct outcome *out);
NODISCARD enum status cmd_get_training_effect_units(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                                    struct outcome *out);
