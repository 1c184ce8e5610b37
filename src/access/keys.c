/* SPDX-License-Identifier: Apache-2.0 */
/* Keys over the API. A secret is made here, its hash goes to the database, and the secret itself into this one reply: it is never a statement's parameter,
 * which a server may write to its log. */
#include "asnd/access.h"

#include <string.h>

#include <sodium.h>

#include "asnd/arena.h"
#include "asnd/auth.h"
#include "asnd/buf.h"

/* ── what the body may hold ── */

static enum status check_scopes(struct ctx *ctx, const struct engine *engine, const json_t *body)
{
    const json_t *one;
    size_t i;
    json_array_foreach(json_object_get(body, "scopes"), i, one)
    {
        const char *scope = json_string_value(one);
        if (scope && !auth_scope_is_known(engine_contract(engine), scope, json_string_length(one)))
            fault_add(ctx, AT_BODY, arena_printf(ctx->arena, "/scopes/%zu", i), "invalid", "No operation knows this scope.",
                      "Tidak ada operasi yang mengenal cakupan ini.");
    }
    return ctx->problem.n_faults ? ST_INVALID : ST_OK;
}

/* What somebody has as a person comes with a token that says who he is. */
static enum status check_roles(struct ctx *ctx, const struct engine *engine, const json_t *body)
{
    const json_t *one;
    size_t i, n;
    const struct matrix_role *roles = matrix_roles(engine_matrix(engine), &n);
    json_array_foreach(json_object_get(body, "roles"), i, one)
    {
        const char *name = json_string_value(one);
        int role = name ? matrix_role_find(engine_matrix(engine), name, json_string_length(one)) : -1;
        if (name && (role < 0 || roles[role].is_personal || roles[role].n_gives == 0))
            fault_add(ctx, AT_BODY, arena_printf(ctx->arena, "/roles/%zu", i), "invalid", "This is no role that a key can hold.",
                      "Ini bukan peran yang dapat dipegang sebuah kunci.");
    }
    return ctx->problem.n_faults ? ST_INVALID : ST_OK;
}

static enum status check_networks(struct ctx *ctx, const json_t *body)
{
    const json_t *one;
    struct network network;
    size_t i;
    json_array_foreach(json_object_get(body, "allow_from"), i, one)
    {
        const char *text = json_string_value(one);
        if (text && !network_parse(text, json_string_length(one), &network))
            fault_add(ctx, AT_BODY, arena_printf(ctx->arena, "/allow_from/%zu", i), "invalid",
                      "This is no network: 10.1.0.0/16, 10.1.2.3 or 2001:db8::/32, with nothing set behind the prefix.",
                      "Ini bukan jaringan: 10.1.0.0/16, 10.1.2.3 atau 2001:db8::/32, tanpa bit di belakang prefiks.");
    }
    return ctx->problem.n_faults ? ST_INVALID : ST_OK;
}

static enum status check_body(struct ctx *ctx, const struct engine *engine, const struct params *in)
{
    enum status scopes = check_scopes(ctx, engine, in->body), roles = check_roles(ctx, engine, in->body),
                networks = check_networks(ctx, in->body);
    if (scopes == ST_OK && roles == ST_OK && networks == ST_OK)
        return ST_OK;
    return fail(ctx, ST_INVALID, "invalid", "The key cannot be as it is asked for.", "Kunci tidak dapat dibuat seperti yang diminta.");
}

/* ── the secret ── */

/* The reply is an object: the secret becomes its last member. */
static void show_secret(struct outcome *out, const char *key)
{
    out->body->len--;
    buf_printf(out->body, ",\"secret\":\"%s\"}", key);
}

static enum status with_secret(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const char *statement,
                               struct outcome *out)
{
    char key[KEY_TEXT_LEN + 1];
    char *hash = arena_alloc(ctx->arena, KEY_HASH_HEX_SIZE);
    enum status st;
    key_new(key);
    key_hash(key, KEY_TEXT_LEN, hash);
    params_derive(ctx, in, "key_hash", hash);
    st = command_reply(ctx, engine, txn, in, statement, out);
    if (st == ST_OK)
        show_secret(out, key);
    sodium_memzero(key, sizeof key);
    return st;
}

enum status cmd_create_api_key(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    enum status st = check_body(ctx, engine, in);
    return st == ST_OK ? with_secret(ctx, engine, txn, in, "createApiKey.store", out) : st;
}

enum status cmd_update_api_key(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    enum status st = check_body(ctx, engine, in);
    return st == ST_OK ? command_reply(ctx, engine, txn, in, "updateApiKey.store", out) : st;
}

enum status cmd_rotate_api_key(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    return with_secret(ctx, engine, txn, in, "rotateApiKey.store", out);
}
