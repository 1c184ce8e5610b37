/* SPDX-License-Identifier: Apache-2.0 */
/* API keys: 256 random bits with a checksum that tells a typing error from a wrong key; only their hash is ever stored. */
#include "asnd/auth.h"

#include <string.h>

#include <sodium.h>

#define KEY_PREFIX   "asnd_"
#define PREFIX_LEN   5
#define SECRET_LEN   43 /* base64url of 32 bytes without padding */
#define CHECKSUM_LEN 6  /* base64url of 4 bytes without padding */

static void checksum(const char *text, char ret[CHECKSUM_LEN + 1])
{
    uint8_t sum[16];
    crypto_generichash(sum, sizeof sum, (const uint8_t *)text, PREFIX_LEN + SECRET_LEN, NULL, 0);
    sodium_bin2base64(ret, CHECKSUM_LEN + 1, sum, 4, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void key_new(char ret_key[KEY_TEXT_LEN + 1])
{
    uint8_t secret[32];
    randombytes_buf(secret, sizeof secret);
    memcpy(ret_key, KEY_PREFIX, PREFIX_LEN);
    sodium_bin2base64(ret_key + PREFIX_LEN, SECRET_LEN + 1, secret, sizeof secret, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    checksum(ret_key, ret_key + PREFIX_LEN + SECRET_LEN);
    sodium_memzero(secret, sizeof secret);
}

bool key_is_wellformed(const char *text, size_t len)
{
    char sum[CHECKSUM_LEN + 1];
    if (len != KEY_TEXT_LEN || memcmp(text, KEY_PREFIX, PREFIX_LEN) != 0)
        return false;
    checksum(text, sum);
    return sodium_memcmp(sum, text + PREFIX_LEN + SECRET_LEN, CHECKSUM_LEN) == 0;
}

void key_hash(const char *text, size_t len, char ret_hex[KEY_HASH_HEX_SIZE])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const uint8_t *)text, len);
    sodium_bin2hex(ret_hex, KEY_HASH_HEX_SIZE, hash, sizeof hash);
}
