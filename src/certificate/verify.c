/* SPDX-License-Identifier: Apache-2.0 */
/* verifyCertificate: what a code proves. The signature comes before the look-up, so that guessing costs the guesser more than us. */
#include "asnd/certificate.h"

#include <string.h>

#include <sodium.h>

#include "asnd/arena.h"

static enum status not_ours(struct ctx *ctx)
{
    return fail(ctx, ST_NOT_FOUND, "not-found", "No certificate was issued with this code: it was mistyped, or changed.",
                "Tidak ada sertifikat yang diterbitkan dengan kode ini: salah ketik, atau diubah.");
}

static bool public_key_of(const PGresult *res, uint8_t ret[CERTIFICATE_PUBLIC_LEN])
{
    const char *hex = PQntuples(res) == 1 ? PQgetvalue(res, 0, 0) : "";
    size_t n = 0;
    return sodium_hex2bin(ret, CERTIFICATE_PUBLIC_LEN, hex, strlen(hex), NULL, &n, NULL) == 0 && n == CERTIFICATE_PUBLIC_LEN;
}

enum status cmd_verify_certificate(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    const char *code = params_text(in, "code");
    uint8_t public_key[CERTIFICATE_PUBLIC_LEN];
    struct certificate_claim claim;
    PGresult *res;
    enum status st;
    if (!certificate_read(code, strlen(code), &claim))
        return not_ours(ctx);
    params_derive(ctx, in, "key_id", arena_strdup(ctx->arena, claim.key_id));
    params_derive(ctx, in, "claimed_id", arena_strdup(ctx->arena, claim.id));
    params_derive(ctx, in, "claimed_edition", arena_printf(ctx->arena, "%d", claim.edition));
    st = command_query(ctx, engine, txn, in, "verifyCertificate.key", false, &res);
    if (st != ST_OK)
        return st;
    if (!public_key_of(res, public_key) || !certificate_is_signed(code, strlen(code), public_key))
        return not_ours(ctx);
    st = command_reply(ctx, engine, txn, in, "verifyCertificate.show", out);
    return st == ST_NOT_FOUND ? not_ours(ctx) : st;
}
