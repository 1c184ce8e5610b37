/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of certificates: made, read, checked. No I/O, so that the same lines check a code in the daemon and far away from it. */
#include "asnd/certificate.h"

#include <string.h>

#include <sodium.h>

#define FORM       1
#define CLAIM_LEN  23 /* form, key, certificate, edition */
#define SIGNED_LEN (CLAIM_LEN + crypto_sign_BYTES)

/* Stands before what is signed: these keys' signatures mean nothing elsewhere. */
static const char context[] = "asnd certificate 1";

_Static_assert(SIGNED_LEN % 3 == 0 && SIGNED_LEN / 3 * 4 == CERTIFICATE_CODE_LEN, "every letter counts");

static void message(const uint8_t claim[CLAIM_LEN], uint8_t ret[sizeof context + CLAIM_LEN])
{
    memcpy(ret, context, sizeof context);
    memcpy(ret + sizeof context, claim, CLAIM_LEN);
}

static void key_id_bytes(const uint8_t public_key[CERTIFICATE_PUBLIC_LEN], uint8_t ret[4])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, public_key, CERTIFICATE_PUBLIC_LEN);
    memcpy(ret, hash, 4);
}

void certificate_key_id(const uint8_t public_key[CERTIFICATE_PUBLIC_LEN], char ret[CERTIFICATE_KEY_ID_SIZE])
{
    uint8_t id[4];
    key_id_bytes(public_key, id);
    sodium_bin2hex(ret, CERTIFICATE_KEY_ID_SIZE, id, sizeof id);
}

void certificate_public_key(const uint8_t seed[CERTIFICATE_SEED_LEN], uint8_t ret[CERTIFICATE_PUBLIC_LEN])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    crypto_sign_seed_keypair(ret, secret, seed);
    sodium_memzero(secret, sizeof secret);
}

void certificate_sign(const uint8_t seed[CERTIFICATE_SEED_LEN], const char *id, int edition, char ret[CERTIFICATE_CODE_LEN + 1])
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES], code[SIGNED_LEN], what[sizeof context + CLAIM_LEN];
    crypto_sign_seed_keypair(public_key, secret, seed);
    code[0] = FORM;
    key_id_bytes(public_key, code + 1);
    sodium_hex2bin(code + 5, 16, id, strlen(id), "-", NULL, NULL);
    code[21] = (uint8_t)(edition >> 8);
    code[22] = (uint8_t)edition;
    message(code, what);
    crypto_sign_detached(code + CLAIM_LEN, NULL, what, sizeof what, secret);
    sodium_memzero(secret, sizeof secret);
    sodium_bin2base64(ret, CERTIFICATE_CODE_LEN + 1, code, sizeof code, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static bool decode(const char *code, size_t len, uint8_t ret[SIGNED_LEN])
{
    size_t n = 0;
    return len == CERTIFICATE_CODE_LEN &&
           sodium_base642bin(ret, SIGNED_LEN, code, len, NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
           n == SIGNED_LEN && ret[0] == FORM;
}

bool certificate_read(const char *code, size_t len, struct certificate_claim *ret)
{
    static const int dashes[] = {8, 13, 18, 23};
    uint8_t bytes[SIGNED_LEN];
    if (!decode(code, len, bytes))
        return false;
    sodium_bin2hex(ret->key_id, sizeof ret->key_id, bytes + 1, 4);
    sodium_bin2hex(ret->id, sizeof ret->id, bytes + 5, 16);
    for (size_t i = 0; i < ARRAY_LEN(dashes); i++) {
        memmove(ret->id + dashes[i] + 1, ret->id + dashes[i], strlen(ret->id + dashes[i]) + 1);
        ret->id[dashes[i]] = '-';
    }
    ret->edition = bytes[21] << 8 | bytes[22];
    return ret->edition > 0;
}

bool certificate_is_signed(const char *code, size_t len, const uint8_t public_key[CERTIFICATE_PUBLIC_LEN])
{
    uint8_t bytes[SIGNED_LEN], what[sizeof context + CLAIM_LEN], id[4];
    if (!decode(code, len, bytes))
        return false;
    key_id_bytes(public_key, id);
    message(bytes, what);
    return memcmp(id, bytes + 1, sizeof id) == 0 && crypto_sign_verify_detached(bytes + CLAIM_LEN, what, sizeof what, public_key) == 0;
}
