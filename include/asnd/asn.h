/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Civil servants: the C that their operations need. Everything else about them is asn.sql. */
#include "asnd/engine.h"

/* createAsn: reads the NIP by the kind's layout (422 at /nip) and the NIK (422 at /nik), derives :nip_birth_date, :nip_sex,
 * :nip_appointed_on (null for PPPK, whose number has no month) and :warnings (a text[] literal). */
NODISCARD enum status check_create_asn(struct ctx *ctx, struct params *in);

/* updateAsn: the same rule on the record as it would become, under its lock. A command because what the patch leaves out is in the database. */
NODISCARD enum status cmd_update_asn(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out);

/* reconcileAsnFile: a list of people of any length, as an import takes one, against ours; how they differ as NDJSON. */
NODISCARD enum status stream_reconcile_asn(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                           struct stream_io *io);

/* putAsn, putAsnByExternal: the record whole, by NIP or by another system's id; made (201) by the rule of createAsn if it is not there, else replaced
 * (200) by that of updateAsn. putHistoryByRemote: a row likewise. Commands, because which of the two it is stands in the database. */
NODISCARD enum status cmd_put_asn(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out);
NODISCARD enum status cmd_put_asn_by_external(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                              struct outcome *out);
NODISCARD enum status cmd_put_history_by_remote(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                                struct outcome *out);

/* approveChangeRequest: the proposed change under the rules of updateAsn or createHistory, and the decision, in one transaction. Faults point into
 * what was proposed (`record` or `history` of the request). */
NODISCARD enum status cmd_approve_change_request(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                                 struct outcome *out);

/* What the importer takes in: people, units, and histories of all kinds (src/asn/import.c, import_units.c, import_history.c). The check of
 * histories looks in the contract, which the import's options bring as cls. */
extern const struct import_kind import_asn, import_units, import_history;
