/* SPDX-License-Identifier: Apache-2.0 */
/* A token's shape and signature (RFC 7515, compact form; RFC 8725). Of its header only alg, kid, typ and crit are read: jwk, jku, x5u and x5c, by which
 * whoever made a token could bring a key of his own, are not looked at. */
#include <string.h>
#include <strings.h>

#include "asnd/arena.h"
#include "internal.h"

#define KID_MAX 200

enum status token_refuse(struct ctx *ctx, const char *en, const char *id)
{
    return fail(ctx, ST_UNAUTHENTICATED, "unauthenticated", "%s", "%s", ctx->lang == LANG_EN ? en : id);
}

static enum status no_token_at_all(struct ctx *ctx)
{
    return token_refuse(ctx, "This is neither a key of ours nor a token.", "Ini bukan kunci kami dan bukan token.");
}

static void decref_cb(void *root)
{
    json_decref(root);
}

/* A JSON object in base64url, without doubled members; NULL for anything else. */
static const json_t *object_of(struct arena *arena, struct slice part)
{
    size_t len;
    const uint8_t *bytes = base64url_decode(arena, part.data, part.len, &len);
    json_t *root = bytes ? json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (!root)
        return NULL;
    arena_on_free(arena, decref_cb, root);
    return json_is_object(root) ? root : NULL;
}

/* The three parts; false when there are more or fewer, or one is empty. */
static bool split(struct slice text, struct slice parts[3])
{
    for (int i = 0; i < 3; i++) {
        const char *dot = text.len ? memchr(text.data, '.', text.len) : NULL;
        size_t len = dot ? (size_t)(dot - text.data) : text.len;
        if (len == 0 || (dot != NULL) != (i < 2))
            return false;
        parts[i] = (struct slice){text.data, len};
        text.data += len + (dot != NULL);
        text.len -= len + (dot != NULL);
    }
    return true;
}

static bool type_is_fine(const json_t *header)
{
    const json_t *typ = json_object_get(header, "typ");
    const char *text = json_string_value(typ);
    if (!typ)
        return true;
    if (text && strncasecmp(text, "application/", 12) == 0)
        text += 12;
    return text && (strcasecmp(text, "JWT") == 0 || strcasecmp(text, "at+jwt") == 0);
}

static enum status read_header(struct ctx *ctx, const json_t *header, struct token *ret)
{
    const json_t *alg = json_object_get(header, "alg"), *kid = json_object_get(header, "kid");
    ret->algorithm = json_is_string(alg) ? algorithm_find(json_string_value(alg), json_string_length(alg)) : ALG_KINDS;
    if (ret->algorithm == ALG_KINDS)
        return token_refuse(ctx, "Tokens with this algorithm are not taken.", "Token dengan algoritma ini tidak diterima.");
    if (json_object_get(header, "crit") || !type_is_fine(header))
        return token_refuse(ctx, "The token's header asks for what is not known here.",
                            "Kepala token meminta hal yang tidak dikenal di sini.");
    ret->kid = json_string_value(kid);
    if (!ret->kid || json_string_length(kid) == 0 || json_string_length(kid) > KID_MAX)
        return token_refuse(ctx, "The token does not name its key (kid).", "Token tidak menyebut kuncinya (kid).");
    return ST_OK;
}

enum status token_parse(struct ctx *ctx, struct slice text, struct token *ret)
{
    struct slice parts[3];
    const json_t *header;
    if (text.len > TOKEN_MAX || !split(text, parts))
        return no_token_at_all(ctx);
    *ret = (struct token){.signed_part = {text.data, parts[0].len + 1 + parts[1].len}};
    header = object_of(ctx->arena, parts[0]);
    ret->claims = header ? object_of(ctx->arena, parts[1]) : NULL;
    ret->signature = ret->claims ? base64url_decode(ctx->arena, parts[2].data, parts[2].len, &ret->signature_len) : NULL;
    return ret->signature ? read_header(ctx, header, ret) : no_token_at_all(ctx);
}

bool token_is_signed(const struct token *token, const struct jwk *key)
{
    struct bytes text = {(const uint8_t *)token->signed_part.data, token->signed_part.len};
    return key->algorithms & 1U << token->algorithm &&
           signature_is_good(key->key, token->algorithm, text, (struct bytes){token->signature, token->signature_len});
}
