/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then 12 bits that count within one millisecond and thread (method 1 of section 6.2), then
 * 62 random bits. */
#include "asnd/uuid.h"

#include <stdint.h>
#include <string.h>

#include <sodium.h>
#include <uuid/uuid.h>

#include "asnd/date.h"

/* Random bytes by the system call, a page's worth of ids at a time: one is made for every request. Never handed out twice. */
static void random_bytes(void *ret, size_t len)
{
    static _Thread_local unsigned char pool[512];
    static _Thread_local size_t left;
    if (left < len) {
        randombytes_buf(pool, sizeof pool);
        left = sizeof pool;
    }
    left -= len;
    memcpy(ret, pool + left, len);
    sodium_memzero(pool + left, len);
}

void uuid_new_v7(char ret[UUID_TEXT_SIZE])
{
    static _Thread_local uint64_t last_ms;
    static _Thread_local unsigned counter;
    uint64_t now = (uint64_t)clock_wall_us() / 1000;
    uuid_t raw;
    if (now > last_ms) {
        last_ms = now;
        random_bytes(raw, 2);
        counter = ((unsigned)raw[0] << 8 | raw[1]) & 0x7ff; /* the upper half is room to count in */
    } else if (++counter > 0xfff) {
        last_ms++;
        counter = 0;
    }
    for (int i = 0; i < 6; i++)
        raw[i] = (unsigned char)(last_ms >> (8 * (5 - i)));
    random_bytes(raw + 8, 8);
    raw[6] = (unsigned char)(0x70 | counter >> 8);
    raw[7] = (unsigned char)(counter & 0xff);
    raw[8] = (unsigned char)(0x80 | (raw[8] & 0x3f));
    uuid_unparse_lower(raw, ret);
}

bool uuid_is_valid(const char *text, size_t len)
{
    char copy[UUID_TEXT_SIZE];
    uuid_t raw;
    if (len != UUID_TEXT_SIZE - 1 || memchr(text, '\0', len))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return uuid_parse(copy, raw) == 0;
}
