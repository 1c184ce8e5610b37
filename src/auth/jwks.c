/* SPDX-License-Identifier: Apache-2.0 */
/* The provider's keys (RFC 7517). Only public keys that make signatures of ours are taken, each for the algorithms of its kind: what a token says of
 * its algorithm never decides how a key is used. Shared secrets (oct) are no keys here at all. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "asnd/arena.h"
#include "asnd/log.h"
#include "internal.h"

#define KID_MAX 200

uint8_t *base64url_decode(struct arena *arena, const char *text, size_t len, size_t *ret_len)
{
    uint8_t *bytes = arena_alloc(arena, len + 1);
    if (sodium_base642bin(bytes, len + 1, text, len, NULL, ret_len, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return NULL;
    return bytes;
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static struct bytes number_of(struct arena *arena, const json_t *jwk, const char *name)
{
    const char *text = text_of(jwk, name);
    struct bytes number = {0};
    number.data = text ? base64url_decode(arena, text, strlen(text), &number.len) : NULL;
    return number.data ? number : (struct bytes){(const uint8_t *)"", 0};
}

static bool is_of(const json_t *jwk, const char *kty, const char *crv)
{
    const char *type = text_of(jwk, "kty"), *curve = text_of(jwk, "crv");
    return type && strcmp(type, kty) == 0 && (!crv || (curve && strcmp(curve, crv) == 0));
}

static struct public_key *import_key(struct arena *arena, const json_t *jwk)
{
    if (is_of(jwk, "RSA", NULL))
        return public_key_rsa(number_of(arena, jwk, "n"), number_of(arena, jwk, "e"));
    if (is_of(jwk, "EC", "P-256"))
        return public_key_p256(number_of(arena, jwk, "x"), number_of(arena, jwk, "y"));
    return is_of(jwk, "OKP", "Ed25519") ? public_key_ed25519(number_of(arena, jwk, "x")) : NULL;
}

/* Published for signatures, by whoever may know it: one with its private half (d) in it is nobody's secret any more. */
static bool is_for_signatures(const json_t *jwk)
{
    const char *use = text_of(jwk, "use");
    const json_t *ops = json_object_get(jwk, "key_ops"), *op;
    size_t i;
    bool verifies = !ops;
    json_array_foreach(ops, i, op)
    {
        verifies = verifies || (json_is_string(op) && strcmp(json_string_value(op), "verify") == 0);
    }
    return verifies && (!use || strcmp(use, "sig") == 0) && !json_object_get(jwk, "d");
}

/* `alg` of the key, if it has one, leaves just that. */
static unsigned own_algorithm(const json_t *jwk)
{
    const json_t *alg = json_object_get(jwk, "alg");
    if (!alg)
        return ~0U;
    return json_is_string(alg) ? (1U << algorithm_find(json_string_value(alg), json_string_length(alg))) & ((1U << ALG_KINDS) - 1) : 0;
}

static bool key_take(struct jwks *set, const json_t *jwk, unsigned algorithms)
{
    struct jwk *key = &set->keys[set->n];
    const char *kid = text_of(jwk, "kid");
    if (!kid || !*kid || strlen(kid) > KID_MAX || !is_for_signatures(jwk) || !(key->key = import_key(set->arena, jwk)))
        return false;
    key->algorithms = public_key_algorithms(key->key) & own_algorithm(jwk) & algorithms;
    if (!key->algorithms) {
        public_key_free(key->key);
        return false;
    }
    key->kid = arena_strdup(set->arena, kid);
    set->n++;
    return true;
}

const struct jwk *jwks_find(const struct jwks *keys, const char *kid)
{
    for (size_t i = 0; i < keys->n; i++)
        if (strcmp(keys->keys[i].kid, kid) == 0)
            return &keys->keys[i];
    return NULL;
}

static const char *take_all(struct jwks *set, const json_t *list, unsigned algorithms)
{
    size_t i;
    const json_t *jwk;
    if (!json_is_array(list))
        return "it is no JWKS";
    if (json_array_size(list) > JWKS_KEYS_MAX)
        return "it has too many keys";
    json_array_foreach(list, i, jwk)
    {
        const char *kid = text_of(jwk, "kid");
        bool is_double = kid && jwks_find(set, kid);
        if (!key_take(set, jwk, algorithms))
            set->ignored++;
        else if (is_double)
            return "two keys have one kid";
    }
    return set->n > 0 ? NULL : "no key in it is of use";
}

struct jwks *jwks_parse(const char *text, size_t len, unsigned algorithms, const char **ret_why)
{
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    struct arena *arena = arena_new(4096);
    struct jwks *set = arena_zalloc(arena, sizeof *set);
    set->arena = arena;
    set->keys = arena_zalloc_array(arena, JWKS_KEYS_MAX, sizeof *set->keys);
    atomic_init(&set->refs, 1);
    *ret_why = root ? take_all(set, json_object_get(root, "keys"), algorithms) : "it is not JSON, or names a member twice";
    json_decref(root);
    if (*ret_why) {
        jwks_unref(set);
        return NULL;
    }
    return set;
}

void jwks_unref(struct jwks *keys)
{
    if (!keys || atomic_fetch_sub(&keys->refs, 1) != 1)
        return;
    for (size_t i = 0; i < keys->n; i++)
        public_key_free(keys->keys[i].key);
    arena_free(keys->arena);
}
