/* SPDX-License-Identifier: Apache-2.0 */
/* Issuing: wait for whoever issues in this year, see what is still to be issued, sign, store. A number is given in the transaction that keeps it. */
#include "asnd/certificate.h"

#include <sodium.h>
#include <stdlib.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/uuid.h"

/* Ids and codes for the enrolments of `found`, as array literals that belong together row by row. */
static void derive(struct ctx *ctx, struct params *in, const uint8_t seed[CERTIFICATE_SEED_LEN], const PGresult *found)
{
    int column = PQfnumber(found, "enrolment_id");
    struct buf enrolments, ids, codes;
    buf_init(&enrolments, ctx->arena, 256);
    buf_init(&ids, ctx->arena, 256);
    buf_init(&codes, ctx->arena, 512);
    for (int row = 0; row < PQntuples(found); row++) {
        const char *comma = row ? "," : "{";
        char id[UUID_TEXT_SIZE], code[CERTIFICATE_CODE_LEN + 1];
        uuid_new_v7(id);
        certificate_sign(seed, id, 1, code);
        buf_printf(&enrolments, "%s%s", comma, PQgetvalue(found, row, column));
        buf_printf(&ids, "%s%s", comma, id);
        buf_printf(&codes, "%s%s", comma, code);
    }
    buf_puts(&enrolments, PQntuples(found) ? "}" : "{}");
    buf_puts(&ids, PQntuples(found) ? "}" : "{}");
    buf_puts(&codes, PQntuples(found) ? "}" : "{}");
    params_derive(ctx, in, "enrolments", buf_cstr(&enrolments));
    params_derive(ctx, in, "ids", buf_cstr(&ids));
    params_derive(ctx, in, "codes", buf_cstr(&codes));
}

static enum status issue(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const char *find, bool must_exist,
                         const char *store)
{
    uint8_t seed[CERTIFICATE_SEED_LEN];
    PGresult *found, *res;
    enum status st = certificate_signer(ctx, txn, engine_statements(engine), seed);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, "certificate.wait", true, &res);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, find, must_exist, &found);
    if (st == ST_OK)
        derive(ctx, in, seed, found);
    sodium_memzero(seed, sizeof seed);
    return st == ST_OK ? command_query(ctx, engine, txn, in, store, true, &res) : st;
}

enum status cmd_issue_certificate(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    enum status st = issue(ctx, engine, txn, in, "issueCertificate.find", true, "issueCertificate.store");
    return st == ST_OK ? command_reply(ctx, engine, txn, in, "issueCertificate.reply", out) : st;
}

enum status cmd_issue_certificates(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    PGresult *res;
    enum status st = command_query(ctx, engine, txn, in, "issueCertificates.session", true, &res);
    if (st == ST_OK)
        st = issue(ctx, engine, txn, in, "issueCertificates.find", false, "issueCertificates.store");
    return st == ST_OK ? command_reply(ctx, engine, txn, in, "issueCertificates.reply", out) : st;
}

static enum status next_edition(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, int edition)
{
    uint8_t seed[CERTIFICATE_SEED_LEN];
    char code[CERTIFICATE_CODE_LEN + 1];
    PGresult *res;
    enum status st = certificate_signer(ctx, txn, engine_statements(engine), seed);
    if (st == ST_OK) {
        certificate_sign(seed, params_text(in, "certificate_id"), edition, code);
        params_derive(ctx, in, "code", arena_strdup(ctx->arena, code));
    }
    sodium_memzero(seed, sizeof seed);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, "reissueCertificate.revoke", true, &res);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, "reissueCertificate.raise", true, &res);
    return st == ST_OK ? command_query(ctx, engine, txn, in, "reissueCertificate.print", true, &res) : st;
}

enum status cmd_reissue_certificate(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    PGresult *found;
    enum status st = command_query(ctx, engine, txn, in, "reissueCertificate.locked", true, &found);
    if (st == ST_OK)
        st = command_query(ctx, engine, txn, in, "reissueCertificate.find", true, &found);
    if (st == ST_OK)
        st = next_edition(ctx, engine, txn, in, (int)strtol(PQgetvalue(found, 0, PQfnumber(found, "edition")), NULL, 10));
    return st == ST_OK ? command_reply(ctx, engine, txn, in, "reissueCertificate.reply", out) : st;
}
