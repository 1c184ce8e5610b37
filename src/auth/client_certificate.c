/* SPDX-License-Identifier: Apache-2.0 */
/* The client's certificate, as the proxy that checked it hands it on. Only its hash is of interest: the proxy has judged it. */
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "asnd/arena.h"
#include "internal.h"

#define CERTIFICATE_MAX 16384
#define PEM_BEGIN       "-----BEGIN CERTIFICATE-----"
#define PEM_END         "-----END CERTIFICATE-----"

static bool hash_base64(struct arena *arena, const char *text, size_t len, char ret_hex[KEY_HASH_HEX_SIZE])
{
    uint8_t *der = arena_alloc(arena, len + 1);
    size_t n;
    if (sodium_base642bin(der, len + 1, text, len, "\r\n", &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 || n == 0)
        return false;
    key_hash((const char *)der, n, ret_hex);
    return true;
}

static bool hash_pem(struct arena *arena, const char *text, char ret_hex[KEY_HASH_HEX_SIZE])
{
    const char *begin = strstr(text, PEM_BEGIN), *end;
    if (begin != text)
        return false;
    begin += strlen(PEM_BEGIN);
    end = strstr(begin, PEM_END);
    return end && hash_base64(arena, begin, (size_t)(end - begin), ret_hex);
}

bool client_certificate_hash(struct arena *arena, const char *header, char ret_hex[KEY_HASH_HEX_SIZE])
{
    size_t len = strlen(header), decoded_len;
    const char *decoded;
    if (len < 2 || len > CERTIFICATE_MAX)
        return false;
    if (header[0] == ':' && header[len - 1] == ':')
        return hash_base64(arena, header + 1, len - 2, ret_hex);
    if (len == KEY_HASH_HEX_SIZE - 1 && strspn(header, "0123456789abcdefABCDEF") == len) {
        for (size_t i = 0; i <= len; i++)
            ret_hex[i] = (char)(header[i] >= 'A' && header[i] <= 'F' ? header[i] + ('a' - 'A') : header[i]);
        return true;
    }
    return percent_decode(arena, (struct slice){header, len}, false, &decoded, &decoded_len) && hash_pem(arena, decoded, ret_hex);
}
