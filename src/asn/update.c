/* SPDX-License-Identifier: Apache-2.0 */
/* updateAsn: lock, merge, rule, store. */
#include "asnd/asn.h"

#include "asnd/arena.h"
#include "asnd/vault.h"
#include "person.h"

static const char *cell(const PGresult *row, const char *name)
{
    int column = PQfnumber(row, name);
    return PQgetisnull(row, 0, column) ? NULL : PQgetvalue(row, 0, column);
}

static bool is_given(const struct params *in, const char *name)
{
    const struct value *value = params_find(in, name);
    return value && value->is_present;
}

enum status cmd_update_asn(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    struct person person;
    struct nip nip;
    const char *warnings, *nik;
    PGresult *merged;
    enum status st = command_query(ctx, engine, txn, in, "updateAsn.merged", true, &merged);
    if (st != ST_OK)
        return st;
    if (!vault_clear(ctx->arena, cell(merged, "nik"), &nik))
        return vault_refuse(ctx);
    person = (struct person){.nip = params_text(in, "nip"),
                             .kind = cell(merged, "kind"),
                             .birth_date = cell(merged, "birth_date"),
                             .sex = cell(merged, "sex"),
                             .appointed_on = cell(merged, "appointed_on"),
                             .nik = nik};
    st = person_check(ctx, &person, is_given(in, "kind") ? "/kind" : NULL, is_given(in, "nik") ? "/nik" : NULL, &nip, &warnings);
    if (st != ST_OK)
        return st;
    params_derive(ctx, in, "warnings", warnings);
    params_derive(ctx, in, "asn_id", arena_strdup(ctx->arena, cell(merged, "id")));
    return command_reply(ctx, engine, txn, in, "updateAsn.store", out);
}
