/* SPDX-License-Identifier: Apache-2.0 */
/* The operations that need C. Every other operationId of the contract is the statement of its name, and nothing else. */
#include "asnd/asn.h"
#include "asnd/performance.h"
#include "asnd/reference.h"

#define EVALUATED "achievement achievement_uncapped predicate predicate_number indicators rule_version"

const struct binding asnd_bindings[] = {
    {.operation_id = "createAsn", .derives = "nip_birth_date nip_sex nip_appointed_on warnings", .check = check_create_asn},
    {.operation_id = "updateAsn", .derives = "warnings", .command = cmd_update_asn},
    {.operation_id = "approveChangeRequest", .derives = "warnings", .command = cmd_approve_change_request},
    {.operation_id = "computeEvaluation", .derives = EVALUATED, .command = cmd_compute_evaluation},
    {.operation_id = "finalizeEvaluation", .derives = EVALUATED, .command = cmd_finalize_evaluation},
    {.operation_id = "verifyEvaluation", .derives = EVALUATED, .command = cmd_verify_evaluation},
    {.operation_id = "importAsn", .stream = stream_import, .import = &import_asn},
    {.operation_id = "importUnits", .stream = stream_import, .import = &import_units},
    {.operation_id = "importHistory", .stream = stream_import, .import = &import_history},
    {.operation_id = "importReferences", .stream = stream_import, .import = &import_references},
    {.operation_id = "getImportRejects", .stream = stream_import_rejects},
    {0},
};
