/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Public service: what of it needs C. Everything else is service.sql, survey.sql and complaint.sql. */
#include "asnd/engine.h"

/* Fewer answers than this are not shown: somebody could be told from them. The database has the same number in survey_groups(). */
#define SMALL_GROUP 5

/* getSurveyResult: index, category and means from the counted answers, as of now. */
NODISCARD enum status cmd_get_survey_result(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                            struct outcome *out);
/* publishSurvey: the same of a closed survey, stored with it for good. ST_CONFLICT "survey-not-closed", "survey-too-few". */
NODISCARD enum status cmd_publish_survey(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                         struct outcome *out);
/* getUnitSatisfaction: the surveys of a unit as one (pooled by respondents), and beside it the mean of their values. */
NODISCARD enum status cmd_get_unit_satisfaction(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                                struct outcome *out);
/* getUnitServiceFigures: tickets, satisfaction, complaints and predicates of a unit with all below it, all answers pooled. */
NODISCARD enum status cmd_get_unit_service_figures(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                                   struct outcome *out);
/* computeWorkingDays: the last day of a limit, by the holidays of the reference list. */
NODISCARD enum status cmd_compute_working_days(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                               struct outcome *out);

/* getTicketQr, getSurveyQr: the link by which it is answered as an image (SVG). ST_CONFLICT "service-address" while no setting says where it leads. */
NODISCARD enum status cmd_get_ticket_qr(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                        struct outcome *out);
NODISCARD enum status cmd_get_survey_qr(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                        struct outcome *out);

/* Tickets of another queue system, by service, day and number (src/service/import_ticket.c). */
extern const struct import_kind import_tickets;
/* Answers on paper, by survey and number of the form (src/service/import_answer.c). */
extern const struct import_kind import_survey_answers;
