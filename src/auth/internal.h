/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of this room know of each other: networks, the provider's keys, tokens and their claims. */
#include <stdatomic.h>

#include <jansson.h>

#include "asnd/auth.h"
#include "asnd/settings.h"
#include "signature.h"

#define NETWORK_NOWHERE 255 /* bits of a network that holds no address */

/* ── jwks.c ── */
/* A set of verified, public keys; never changed, counted, shared by all threads. */
struct jwk {
    const char *kid;
    unsigned algorithms; /* bits of enum algorithm: of its kind, its own `alg`, and the settings */
    struct public_key *key;
};
struct jwks {
    struct arena *arena;
    struct jwk *keys;
    size_t n;
    size_t ignored; /* members that are no keys for signatures of ours */
    atomic_int refs;
};
#define JWKS_KEYS_MAX 32
/* NULL with words in *ret_why: no JWKS, no key of use in it, two of one kid, too many. */
struct jwks *jwks_parse(const char *text, size_t len, unsigned algorithms, const char **ret_why);
void jwks_unref(struct jwks *keys); /* NULL is fine */
const struct jwk *jwks_find(const struct jwks *keys, const char *kid);
/* base64url without padding, strictly; NULL for anything else. */
uint8_t *base64url_decode(struct arena *arena, const char *text, size_t len, size_t *ret_len);

/* ── token.c ── */
#define TOKEN_MAX 16384
struct token {
    struct slice signed_part; /* header.payload as they came */
    enum algorithm algorithm;
    const char *kid;
    const uint8_t *signature;
    size_t signature_len;
    const json_t *claims; /* owned by the arena */
};
/* Shape alone: three parts of base64url, header and claims JSON objects without doubled members. ST_UNAUTHENTICATED. */
NODISCARD enum status token_parse(struct ctx *ctx, struct slice text, struct token *ret);
/* Whether the key's owner signed it; false too when the algorithm is not the key's. */
bool token_is_signed(const struct token *token, const struct jwk *key);
enum status token_refuse(struct ctx *ctx, const char *en, const char *id);

/* ── claims.c ── */
#define CLAIMS_ROLE "role:" /* before a role of ours among the scopes that a provider's role is mapped to */
bool claims_is_role(const char *word);
struct role {
    const char *name;
    const char *const *scopes; /* and roles */
    size_t n_scopes;
};
/* How claims are read, from the settings; never changed. */
struct claims_rule {
    const char *issuer;
    const char *const *audiences;
    size_t n_audiences;
    int64_t skew_s, max_age_s;
    const char *name_at, *nip_at, *roles_at, *units_at;
    const struct role *roles;
    size_t n_roles;
};
bool claims_rule_read(struct arena *arena, const struct settings *settings, const struct contract *contract, const struct matrix *matrix,
                      struct claims_rule *ret, FILE *err);
NODISCARD enum status claims_check(struct ctx *ctx, const struct claims_rule *rule, const json_t *claims, int64_t now_us,
                                   struct token_claims *ret);

/* ── fetch.c ── blocking; for the provider's thread ── */
struct fetch {
    const struct settings *settings;
    const atomic_bool *is_stopping;
};
/* What is to be read of this set or URL is allowed: HTTPS, or HTTP on this machine. */
bool fetch_url_is_safe(const char *url);
/* The JWKS's text (free() it) from file, URL or discovery, or NULL with words in *ret_why. */
char *fetch_jwks(const struct fetch *fetch, size_t *ret_len, const char **ret_why);
