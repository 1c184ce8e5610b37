/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Civil servants: the C that their operations need. Everything else about them is asn.sql. */
#include "asnd/engine.h"

/* createAsn: reads the NIP by the kind's layout (422 at /nip) and the NIK (422 at /nik), derives :nip_birth_date, :nip_sex,
 * :nip_appointed_on (null for PPPK, whose number has no month) and :warnings (a text[] literal). */
NODISCARD enum status check_create_asn(struct ctx *ctx, struct params *in);

/* updateAsn: the same rule on the record as it would become, under its lock. A command because what the patch leaves out is in the database. */
NODISCARD enum status cmd_update_asn(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out);

/* What the importer takes in: people and units (src/asn/import.c, import_units.c). */
extern const struct import_kind import_asn, import_units;

/* importAsn, importUnits: the body is the file; the reply is the report, or the refused rows when text/csv or application/x-ndjson is accepted.
 * getImportRejects: the refused rows that an import kept. */
NODISCARD enum status stream_import_asn(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                        struct stream_io *io);
NODISCARD enum status stream_import_units(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                          struct stream_io *io);
NODISCARD enum status stream_import_rejects(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                            struct stream_io *io);
