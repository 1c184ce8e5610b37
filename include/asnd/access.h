/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Keys, given and taken over the API: what needs C is their secret, which is shown once and never reaches the database. And why somebody may. */
#include "asnd/engine.h"

NODISCARD enum status cmd_create_api_key(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                         struct outcome *out);
NODISCARD enum status cmd_update_api_key(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                         struct outcome *out);
NODISCARD enum status cmd_rotate_api_key(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                         struct outcome *out);
NODISCARD enum status cmd_explain_access(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                         struct outcome *out);
