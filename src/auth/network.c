/* SPDX-License-Identifier: Apache-2.0 */
/* Networks that a key may be used from. All are compared as IPv6 sees them, so that an IPv4 client on a dual-stack socket is the same one. */
#include <arpa/inet.h>
#include <string.h>

#include "internal.h"

#define V4_PREFIX_BITS 96

static bool address_parse(struct slice text, uint8_t ret[16], unsigned *ret_bits)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr four;
    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *ret_bits = 128;
    if (inet_pton(AF_INET6, copy, ret) == 1)
        return true;
    if (inet_pton(AF_INET, copy, &four) != 1)
        return false;
    memset(ret, 0, 10);
    memset(ret + 10, 0xff, 2);
    memcpy(ret + 12, &four, sizeof four);
    *ret_bits = 32;
    return true;
}

static bool equal_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

/* One to three digits. */
static bool bits_parse(struct slice text, unsigned *ret)
{
    unsigned bits = 0;
    if (text.len == 0 || text.len > 3)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        bits = bits * 10 + (unsigned)(text.data[i] - '0');
    }
    *ret = bits;
    return true;
}

static bool nothing_behind(const struct network *network)
{
    for (unsigned bit = network->bits; bit < 128; bit++)
        if (network->address[bit / 8] & (0x80U >> bit % 8))
            return false;
    return true;
}

bool network_parse(const char *text, size_t len, struct network *ret)
{
    const char *slash = memchr(text, '/', len);
    size_t address_len = slash ? (size_t)(slash - text) : len;
    unsigned family_bits, bits;
    if (!address_parse((struct slice){text, address_len}, ret->address, &family_bits))
        return false;
    bits = family_bits;
    if (slash && (!bits_parse((struct slice){slash + 1, len - address_len - 1}, &bits) || bits > family_bits))
        return false;
    ret->bits = family_bits == 32 ? V4_PREFIX_BITS + bits : bits;
    return nothing_behind(ret);
}

bool network_any_holds(const struct network *networks, size_t n, struct slice address)
{
    uint8_t bytes[16];
    unsigned bits;
    if (!address_parse(address, bytes, &bits))
        return false;
    for (size_t i = 0; i < n; i++)
        if (networks[i].bits <= 128 && equal_bits(networks[i].address, bytes, networks[i].bits))
            return true;
    return false;
}
