/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and what stands around them: the first line is a token as a client sends it, the second claims, the third a client certificate's header, the fourth a
 * network; what is left is a key set. */
#include "../../src/auth/internal.h"

#include "fuzz.h"

static const char *const audiences[] = {"asnd"};
static const char *const scopes[] = {"asn.read"};
static const struct role roles[] = {{"r", scopes, 1}};
static const struct claims_rule rule = {.issuer = "i",
                                        .audiences = audiences,
                                        .n_audiences = 1,
                                        .skew_s = 60,
                                        .max_age_s = 3600,
                                        .name_at = "/name",
                                        .nip_at = "/nip",
                                        .roles_at = "/r/~0~1",
                                        .units_at = "/units",
                                        .roles = roles,
                                        .n_roles = 1};

static void try_token(struct arena *arena, struct slice text, const struct jwks *set)
{
    struct ctx ctx = {.arena = arena};
    struct token token;
    enum status st = token_parse(&ctx, text, &token);
    require_problem(&ctx, st);
    if (st != ST_OK)
        return;
    REQUIRE(token.algorithm < ALG_KINDS && token.kid && *token.kid && json_is_object(token.claims));
    REQUIRE(token.signed_part.data == text.data && token.signed_part.len < text.len);
    if (set && jwks_find(set, token.kid))
        token_is_signed(&token, jwks_find(set, token.kid));
}

static void try_claims(struct arena *arena, struct slice text)
{
    struct ctx ctx = {.arena = arena};
    struct token_claims claims;
    json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    enum status st = claims_check(&ctx, &rule, root, INT64_C(1500) * 1000000, &claims);
    require_problem(&ctx, st);
    if (st == ST_OK) {
        REQUIRE(claims.expires_us >= INT64_C(1500) * 1000000 &&
                claims.expires_us <= INT64_C(5220) * 1000000 /* now, skew, longest life, skew */);
        REQUIRE(strcmp(claims.scopes, "{}") == 0 || strcmp(claims.scopes, "{asn.read}") == 0);
        REQUIRE(!claims.nip || strlen(claims.nip) == 18);
        REQUIRE(*claims.subject && *claims.jti && !strchr(claims.subject, '\n'));
    }
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = input(data, size), token = take_until(&rest, '\n'), claims = take_until(&rest, '\n');
    struct slice certificate = take_until(&rest, '\n'), network = take_until(&rest, '\n');
    struct arena *arena = arena_new(0);
    char hex[KEY_HASH_HEX_SIZE];
    struct network parsed;
    const char *why;
    struct jwks *set = jwks_parse(rest.data, rest.len, (1U << ALG_KINDS) - 1, &why);
    REQUIRE((set == NULL) == (why != NULL));
    try_token(arena, token, set);
    try_claims(arena, claims);
    if (client_certificate_hash(arena, arena_strndup(arena, certificate.data, certificate.len), hex))
        REQUIRE(strlen(hex) == KEY_HASH_HEX_SIZE - 1 && strspn(hex, "0123456789abcdef") == KEY_HASH_HEX_SIZE - 1);
    if (network_parse(network.data, network.len, &parsed))
        REQUIRE(parsed.bits <= 128);
    jwks_unref(set);
    arena_free(arena);
    return 0;
}
