/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of JWS (RFC 7518, 8037): each key verifies the algorithms of its kind and no other, whatever a token says. */
#include "signature.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "asnd/log.h"

#define RSA_BITS_MIN  2048
#define RSA_BITS_MAX  8192
#define RSA_E_LEN_MAX 8
#define P256_LEN      32
#define ED25519_LEN   32

struct public_key {
    gnutls_pubkey_t key;
    unsigned algorithms;
};

enum algorithm algorithm_find(const char *name, size_t len)
{
    static const char *const names[ALG_KINDS] = {"RS256", "PS256", "ES256", "EdDSA"};
    int i = 0;
    while (i < ALG_KINDS && (strlen(names[i]) != len || memcmp(names[i], name, len) != 0))
        i++;
    return (enum algorithm)i;
}

static gnutls_datum_t datum(struct bytes bytes)
{
    return (gnutls_datum_t){(uint8_t *)(uintptr_t)bytes.data, (unsigned)bytes.len};
}

/* ── keys ── */

static struct public_key *key_new(unsigned algorithms)
{
    struct public_key *key = calloc(1, sizeof *key);
    if (!key || gnutls_pubkey_init(&key->key) != 0)
        die_no_memory();
    key->algorithms = algorithms;
    return key;
}

static struct public_key *key_if(struct public_key *key, bool is_good)
{
    if (is_good)
        return key;
    public_key_free(key);
    return NULL;
}

/* How many bits a big-endian number has. */
static size_t bits_of(struct bytes number)
{
    size_t at = 0, bits = 8;
    while (at < number.len && number.data[at] == 0)
        at++;
    if (at == number.len)
        return 0;
    while (!(number.data[at] & (1U << (bits - 1))))
        bits--;
    return (number.len - at - 1) * 8 + bits;
}

struct public_key *public_key_rsa(struct bytes n, struct bytes e)
{
    gnutls_datum_t modulus = datum(n), exponent = datum(e);
    struct public_key *key;
    if (bits_of(n) < RSA_BITS_MIN || bits_of(n) > RSA_BITS_MAX || e.len > RSA_E_LEN_MAX || bits_of(e) < 2 || !(e.data[e.len - 1] & 1))
        return NULL;
    key = key_new(1U << ALG_RS256 | 1U << ALG_PS256);
    return key_if(key, gnutls_pubkey_import_rsa_raw(key->key, &modulus, &exponent) == 0);
}

struct public_key *public_key_p256(struct bytes x, struct bytes y)
{
    gnutls_datum_t at_x = datum(x), at_y = datum(y);
    struct public_key *key;
    if (x.len != P256_LEN || y.len != P256_LEN)
        return NULL;
    key = key_new(1U << ALG_ES256);
    return key_if(key, gnutls_pubkey_import_ecc_raw(key->key, GNUTLS_ECC_CURVE_SECP256R1, &at_x, &at_y) == 0);
}

struct public_key *public_key_ed25519(struct bytes x)
{
    gnutls_datum_t at_x = datum(x);
    struct public_key *key;
    if (x.len != ED25519_LEN)
        return NULL;
    key = key_new(1U << ALG_EDDSA);
    return key_if(key, gnutls_pubkey_import_ecc_raw(key->key, GNUTLS_ECC_CURVE_ED25519, &at_x, NULL) == 0);
}

void public_key_free(struct public_key *key)
{
    if (!key)
        return;
    gnutls_pubkey_deinit(key->key);
    free(key);
}

unsigned public_key_algorithms(const struct public_key *key)
{
    return key->algorithms;
}

/* ── signatures ── */

/* r and s of 32 bytes each (RFC 7518, 3.4), which GnuTLS takes as DER; DER in a token is refused by its length. */
static bool verify_es256(const struct public_key *key, const gnutls_datum_t *text, struct bytes signature)
{
    gnutls_datum_t r = datum((struct bytes){signature.data, P256_LEN}), s, der;
    bool is_good;
    if (signature.len != 2 * P256_LEN)
        return false;
    s = datum((struct bytes){signature.data + P256_LEN, P256_LEN});
    if (gnutls_encode_rs_value(&der, &r, &s) != 0)
        return false;
    is_good = gnutls_pubkey_verify_data2(key->key, GNUTLS_SIGN_ECDSA_SHA256, 0, text, &der) >= 0;
    gnutls_free(der.data);
    return is_good;
}

bool signature_is_good(const struct public_key *key, enum algorithm algorithm, struct bytes text, struct bytes signature)
{
    static const gnutls_sign_algorithm_t algorithms[ALG_KINDS] = {GNUTLS_SIGN_RSA_SHA256, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256,
                                                                  GNUTLS_SIGN_ECDSA_SHA256, GNUTLS_SIGN_EDDSA_ED25519};
    gnutls_datum_t signed_text = datum(text), value = datum(signature);
    if (algorithm >= ALG_KINDS || !(key->algorithms & 1U << algorithm))
        return false;
    if (algorithm == ALG_ES256)
        return verify_es256(key, &signed_text, signature);
    return gnutls_pubkey_verify_data2(key->key, algorithms[algorithm], 0, &signed_text, &value) >= 0;
}
