/* SPDX-License-Identifier: Apache-2.0 */
/* The key that signs codes. Its secret is a row of instance_secret, made by the database; here is worked out what is public of it. */
#include "asnd/certificate.h"

#include <string.h>

#include <sodium.h>

#include "asnd/arena.h"

static enum status no_key(struct ctx *ctx)
{
    return fail(ctx, ST_INTERNAL, "internal", "There is no usable key to sign certificates with.",
                "Tidak ada kunci untuk menandatangani sertifikat.");
}

static bool seed_of(const PGresult *res, uint8_t ret[CERTIFICATE_SEED_LEN])
{
    const char *hex = PQntuples(res) == 1 ? PQgetvalue(res, 0, PQfnumber(res, "seed")) : "";
    size_t n = 0;
    return sodium_hex2bin(ret, CERTIFICATE_SEED_LEN, hex, strlen(hex), NULL, &n, NULL) == 0 && n == CERTIFICATE_SEED_LEN;
}

/* The secret and the row of the public half go together: a rotation that commits between two statements is seen whole by the one that reads both. */
static enum status find(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, uint8_t ret_seed[CERTIFICATE_SEED_LEN],
                        bool *ret_found)
{
    uint8_t public_key[CERTIFICATE_PUBLIC_LEN];
    char id[CERTIFICATE_KEY_ID_SIZE];
    PGresult *res;
    enum status st = db_query(ctx, conn, set, "certificate.signer", &res, NULL);
    if (st != ST_OK)
        return st;
    *ret_found = PQntuples(res) == 1;
    if (!*ret_found)
        return ST_OK;
    if (!seed_of(res, ret_seed))
        return no_key(ctx);
    certificate_public_key(ret_seed, public_key);
    certificate_key_id(public_key, id);
    return strcmp(id, PQgetvalue(res, 0, 0)) == 0 ? ST_OK : no_key(ctx);
}

static enum status make(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, uint8_t ret_seed[CERTIFICATE_SEED_LEN],
                        char ret_key_id[CERTIFICATE_KEY_ID_SIZE])
{
    uint8_t public_key[CERTIFICATE_PUBLIC_LEN];
    char hex[2 * CERTIFICATE_PUBLIC_LEN + 1];
    PGresult *res;
    enum status st = db_query(ctx, conn, set, "certificate.retireKey", &res, NULL);
    if (st == ST_OK)
        st = db_query(ctx, conn, set, "certificate.newSeed", &res, NULL);
    if (st != ST_OK)
        return st;
    if (!seed_of(res, ret_seed))
        return no_key(ctx);
    certificate_public_key(ret_seed, public_key);
    certificate_key_id(public_key, ret_key_id);
    sodium_bin2hex(hex, sizeof hex, public_key, sizeof public_key);
    return db_query(ctx, conn, set, "certificate.addKey", &res, "key_id", ret_key_id, "public_key", hex, NULL);
}

enum status certificate_signer(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, uint8_t ret_seed[CERTIFICATE_SEED_LEN])
{
    char id[CERTIFICATE_KEY_ID_SIZE];
    bool found;
    PGresult *res;
    enum status st = find(ctx, conn, set, ret_seed, &found);
    if (st != ST_OK || found)
        return st;
    st = db_query(ctx, conn, set, "certificate.lockKeys", &res, NULL);
    if (st == ST_OK)
        st = find(ctx, conn, set, ret_seed, &found);
    return st == ST_OK && !found ? make(ctx, conn, set, ret_seed, id) : st;
}

enum status certificate_rotate(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, char ret_key_id[CERTIFICATE_KEY_ID_SIZE])
{
    uint8_t seed[CERTIFICATE_SEED_LEN];
    PGresult *res;
    enum status st = db_query(ctx, conn, set, "certificate.lockKeys", &res, NULL);
    if (st == ST_OK)
        st = make(ctx, conn, set, seed, ret_key_id);
    sodium_memzero(seed, sizeof seed);
    return st;
}
