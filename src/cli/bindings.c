/* SPDX-License-Identifier: Apache-2.0 */
/* The operations that need C. Every other operationId of the contract is the statement of its name, and nothing else. */
#include "asnd/access.h"
#include "asnd/asn.h"
#include "asnd/audit.h"
#include "asnd/certificate.h"
#include "asnd/document.h"
#include "asnd/performance.h"
#include "asnd/privacy.h"
#include "asnd/reference.h"
#include "asnd/service.h"
#include "asnd/training.h"

#define EVALUATED "achievement achievement_uncapped arithmetic predicate predicate_number indicators rule_version"
#define SURVEYED  "index converted category elements lowest sample_target rule_version"
#define EFFECT    "trained participants comparison estimate interval is_told_apart trend strata warnings conclusion rule_version"
#define EXPLAINED                                                                                                                          \
    "explained_roles explained_nip is_allowed http_status rule by_roles by_scopes rows scope_missing fields_shown fields_hidden "          \
    "subject_units offers"
#define ROLLED_UP "first_month last_month tree_day members unseen sums index converted category elements lowest rule_version"
#define POOLED    "respondents pooled_index pooled pooled_category mean surveys rule_version"

const struct binding asnd_bindings[] = {
    {.operation_id = "createAsn", .derives = "nip_birth_date nip_sex nip_appointed_on warnings", .check = check_create_asn},
    {.operation_id = "updateAsn", .derives = "warnings asn_id", .command = cmd_update_asn},
    {.operation_id = "putAsn", .derives = "nip_birth_date nip_sex nip_appointed_on warnings asn_id", .command = cmd_put_asn},
    {.operation_id = "putAsnByExternal",
     .derives = "nip_birth_date nip_sex nip_appointed_on warnings asn_id",
     .command = cmd_put_asn_by_external},
    {.operation_id = "putHistoryByRemote", .derives = "history_id", .command = cmd_put_history_by_remote},
    {.operation_id = "approveChangeRequest", .derives = "warnings held_nik", .command = cmd_approve_change_request},
    {.operation_id = "computeEvaluation", .derives = EVALUATED, .command = cmd_compute_evaluation},
    {.operation_id = "finalizeEvaluation", .derives = EVALUATED, .command = cmd_finalize_evaluation},
    {.operation_id = "suggestEvaluation", .derives = EVALUATED, .command = cmd_suggest_evaluation},
    {.operation_id = "verifyEvaluation", .derives = EVALUATED, .command = cmd_verify_evaluation},
    {.operation_id = "decideObjection", .derives = EVALUATED " evaluation_id", .command = cmd_decide_objection},
    {.operation_id = "getAreasToImprove", .derives = "evaluation_id indicators", .command = cmd_get_areas_to_improve},
    {.operation_id = "recountLearningHours",
     .derives = "from until total_jp counted_jp short_jp above_jp ledger_jp",
     .command = cmd_recount_learning_hours},
    {.operation_id = "getTrainingEffectPeople", .derives = EFFECT, .command = cmd_get_training_effect_people},
    {.operation_id = "getTrainingEffectUnits", .derives = EFFECT, .command = cmd_get_training_effect_units},
    {.operation_id = "getSurveyResult", .derives = SURVEYED, .command = cmd_get_survey_result},
    {.operation_id = "publishSurvey", .derives = SURVEYED, .command = cmd_publish_survey},
    {.operation_id = "getUnitSatisfaction", .derives = POOLED, .command = cmd_get_unit_satisfaction},
    {.operation_id = "getUnitServiceFigures", .derives = ROLLED_UP, .command = cmd_get_unit_service_figures},
    {.operation_id = "computeWorkingDays", .derives = "until is_workday", .command = cmd_compute_working_days},
    {.operation_id = "workOutRegime",
     .derives = "regime_skp regime_behaviour regime_value regime_predicate regime_parts",
     .check = check_work_out_regime},
    {.operation_id = "getHistoryRegime", .derives = "regime_readings", .command = cmd_get_history_regime},
    {.operation_id = "importAsn", .stream = stream_import, .import = &import_asn},
    {.operation_id = "importUnits", .stream = stream_import, .import = &import_units},
    {.operation_id = "importHistory", .stream = stream_import, .import = &import_history},
    {.operation_id = "importReferences", .stream = stream_import, .import = &import_references},
    {.operation_id = "reconcileAsnFile", .stream = stream_reconcile_asn},
    {.operation_id = "getTicketQr", .command = cmd_get_ticket_qr},
    {.operation_id = "getSurveyQr", .command = cmd_get_survey_qr},
    {.operation_id = "importTickets", .stream = stream_import, .import = &import_tickets},
    {.operation_id = "importSurveyAnswers", .stream = stream_import, .import = &import_survey_answers},
    {.operation_id = "importPresence", .stream = stream_import, .import = &import_presence},
    {.operation_id = "importCompetencyStandards", .stream = stream_import, .import = &import_competency_standards},
    {.operation_id = "importCompetencyAssessments", .stream = stream_import, .import = &import_competency_assessments},
    {.operation_id = "importQuestionnaires", .stream = stream_import, .import = &import_questionnaires},
    {.operation_id = "getImportRejects", .stream = stream_import_rejects},
    {.operation_id = "uploadDocument", .derives = "media_type warnings content_id sha256 size stored_id", .stream = stream_upload_document},
    {.operation_id = "getDocumentContent", .stream = stream_document_content},
    {.operation_id = "undoImport", .command = cmd_undo_import},
    {.operation_id = "issueCertificate", .derives = "enrolments ids codes", .command = cmd_issue_certificate},
    {.operation_id = "issueCertificates", .derives = "enrolments ids codes", .command = cmd_issue_certificates},
    {.operation_id = "reissueCertificate", .derives = "code", .command = cmd_reissue_certificate},
    {.operation_id = "verifyCertificate", .derives = "key_id claimed_id claimed_edition", .command = cmd_verify_certificate},
    {.operation_id = "listAuditEntries", .check = check_list_audit_entries},
    {.operation_id = "explainAccess", .derives = EXPLAINED, .command = cmd_explain_access},
    {.operation_id = "createApiKey", .derives = "key_hash", .command = cmd_create_api_key},
    {.operation_id = "updateApiKey", .command = cmd_update_api_key},
    {.operation_id = "rotateApiKey", .derives = "key_hash", .command = cmd_rotate_api_key},
    {.operation_id = "getCertificatePdf", .command = cmd_certificate_pdf},
    {.operation_id = "getPersonalDataPdf", .command = cmd_personal_data_pdf},
    {0},
};
