/* SPDX-License-Identifier: Apache-2.0 */
/* approveChangeRequest: lock, rule, write, decide. What is proposed becomes true by the ways and rules of a client's own write. */
#include "asnd/asn.h"

#include "asnd/arena.h"
#include "asnd/vault.h"
#include "person.h"

static const char *cell(const PGresult *row, const char *name)
{
    int column = PQfnumber(row, name);
    return PQgetisnull(row, 0, column) ? NULL : PQgetvalue(row, 0, column);
}

static bool is_true(const PGresult *row, const char *name)
{
    const char *text = cell(row, name);
    return text && text[0] == 't';
}

static enum status write_record(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const PGresult *locked)
{
    const char *nik;
    if (!vault_clear(ctx->arena, cell(locked, "nik"), &nik))
        return vault_refuse(ctx);
    const struct person person = {.nip = cell(locked, "nip"),
                                  .kind = cell(locked, "kind"),
                                  .birth_date = cell(locked, "birth_date"),
                                  .sex = cell(locked, "sex"),
                                  .appointed_on = cell(locked, "appointed_on"),
                                  .nik = nik};
    const char *warnings;
    struct nip nip;
    PGresult *res;
    enum status st = person_check(ctx, &person, is_true(locked, "gives_kind") ? "/kind" : NULL,
                                  is_true(locked, "gives_nik") ? "/nik" : NULL, &nip, &warnings);
    if (st != ST_OK)
        return st;
    params_derive(ctx, in, "warnings", warnings);
    params_derive(ctx, in, "held_nik", vault_seal_nik(ctx->arena, nik, cell(locked, "id")));
    return command_query(ctx, engine, txn, in, "approveChangeRequest.record", true, &res);
}

enum status cmd_approve_change_request(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    PGresult *locked, *res;
    enum status st = command_query(ctx, engine, txn, in, "approveChangeRequest.locked", true, &locked);
    if (st != ST_OK)
        return st;
    if (cell(locked, "request_kind")[0] == 'r')
        st = write_record(ctx, engine, txn, in, locked);
    else
        st = command_query(ctx, engine, txn, in, "approveChangeRequest.history", true, &res);
    if (st != ST_OK)
        return st;
    return command_reply(ctx, engine, txn, in, "approveChangeRequest.store", out);
}
