/* SPDX-License-Identifier: Apache-2.0 */
/* putAsn, putAsnByExternal, putHistoryByRemote: told whole by the name that the other side knows, made if it is not there. 201 and 200 tell which. */
#include "asnd/asn.h"

#include <string.h>

#include "asnd/arena.h"
#include "asnd/vault.h"
#include "person.h"

static const char *cell(const PGresult *row, const char *name)
{
    int column = PQfnumber(row, name);
    return PQgetisnull(row, 0, column) ? NULL : PQgetvalue(row, 0, column);
}

/* If-Match names a version of something that is not there. */
static enum status refuse_absent(struct ctx *ctx, const struct params *in)
{
    if (!params_text(in, "if_match"))
        return ST_OK;
    return fail(ctx, ST_PRECONDITION_FAILED, "version-stale", "There is nothing of which this would be a version.",
                "Tidak ada data yang memiliki versi itu.");
}

/* The reply shows the row with the id that was derived; made: 201, and where it is. */
static enum status show(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const char *statement,
                        const char *made_at, struct outcome *out)
{
    enum status st = command_reply(ctx, engine, txn, in, statement, out);
    if (st == ST_OK && made_at) {
        out->http_status = 201;
        out->location = made_at;
    }
    return st;
}

/* ── people ── */

static enum status make_person(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in)
{
    PGresult *made;
    enum status st = refuse_absent(ctx, in);
    if (st == ST_OK)
        st = check_create_asn(ctx, in);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, "createAsn", true, &made);
    if (st == ST_OK)
        params_derive(ctx, in, "asn_id", arena_strdup(ctx->arena, cell(made, "id")));
    return st;
}

static enum status replace_person(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const PGresult *found)
{
    const char *nik;
    if (!vault_clear(ctx->arena, cell(found, "nik"), &nik))
        return vault_refuse(ctx);
    const struct person person = {.nip = cell(found, "nip"),
                                  .kind = params_text(in, "kind"),
                                  .birth_date = cell(found, "birth_date"),
                                  .sex = cell(found, "sex"),
                                  .appointed_on = cell(found, "appointed_on"),
                                  .nik = nik};
    const char *warnings;
    struct nip nip;
    PGresult *res;
    enum status st = person_check(ctx, &person, "/kind", params_text(in, "nik") ? "/nik" : NULL, &nip, &warnings);
    if (st != ST_OK)
        return st;
    params_derive(ctx, in, "warnings", warnings);
    params_derive(ctx, in, "asn_id", cell(found, "id"));
    return command_query(ctx, engine, txn, in, "putAsn.store", false, &res);
}

static enum status put_person(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const char *operation,
                              struct outcome *out)
{
    PGresult *res, *found = NULL;
    bool by_external = strcmp(operation, "putAsnByExternal") == 0;
    enum status st = command_query(ctx, engine, txn, in, arena_printf(ctx->arena, "%s.lock", operation), true, &res);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, arena_printf(ctx->arena, "%s.found", operation), false, &found);
    if (st != ST_OK)
        return st;
    bool is_new = PQntuples(found) == 0;
    st = is_new ? make_person(ctx, engine, txn, in) : replace_person(ctx, engine, txn, in, found);
    if (st == ST_OK && by_external)
        st = command_query(ctx, engine, txn, in, "putAsnByExternal.name", false, &res);
    if (st != ST_OK)
        return st;
    return show(ctx, engine, txn, in, "putAsn.shown", is_new ? arena_printf(ctx->arena, "/v1/asn/%s", params_text(in, "nip")) : NULL, out);
}

enum status cmd_put_asn(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    return put_person(ctx, engine, txn, in, "putAsn", out);
}

enum status cmd_put_asn_by_external(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    return put_person(ctx, engine, txn, in, "putAsnByExternal", out);
}

/* ── histories ── */

enum status cmd_put_history_by_remote(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    PGresult *found, *made;
    const char *where = NULL;
    enum status st = command_query(ctx, engine, txn, in, "putHistoryByRemote.found", true, &found);
    if (st != ST_OK)
        return st;
    const char *id = cell(found, "id"), *is_same = cell(found, "is_same");
    if (!id) {
        st = command_query(ctx, engine, txn, in, "putHistoryByRemote.make", true, &made);
        if (st != ST_OK)
            return st;
        id = cell(made, "id");
        where = arena_printf(ctx->arena, "/v1/asn/%s/history/%s", cell(made, "nip"), id);
    }
    params_derive(ctx, in, "history_id", id);
    if (!where && !(is_same && *is_same == 't'))
        st = command_query(ctx, engine, txn, in, "putHistoryByRemote.replace", true, &made);
    return st == ST_OK ? show(ctx, engine, txn, in, "putHistoryByRemote.shown", where, out) : st;
}
