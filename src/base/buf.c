/* SPDX-License-Identifier: Apache-2.0 */
/* Growing bytes, and the two writers on the hot path: JSON strings and integers. */
#include "asnd/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "asnd/arena.h"
#include "asnd/log.h"

void buf_init(struct buf *buf, struct arena *arena, size_t first_cap)
{
    *buf = (struct buf){.arena = arena};
    if (first_cap)
        buf_grow(buf, first_cap);
}

void buf_done(struct buf *buf)
{
    if (!buf->arena)
        free(buf->data);
    *buf = (struct buf){.arena = buf->arena};
}

void buf_grow(struct buf *buf, size_t more)
{
    size_t cap = buf->cap ? buf->cap * 2 : 64;
    char *data;
    if (more > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4)
        die_no_memory();
    while (cap < buf->len + more)
        cap *= 2;
    if (buf->arena) {
        data = arena_alloc(buf->arena, cap);
        if (buf->len)
            memcpy(data, buf->data, buf->len);
    } else {
        data = realloc(buf->data, cap);
        if (!data)
            die_no_memory();
    }
    buf->data = data;
    buf->cap = cap;
}

void buf_vprintf(struct buf *buf, const char *fmt, va_list ap)
{
    va_list again;
    int len;
    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len <= 0)
        return;
    buf_reserve(buf, (size_t)len + 1);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, ap);
    buf->len += (size_t)len;
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(buf, fmt, ap);
    va_end(ap);
}

void buf_put_i64(struct buf *buf, int64_t value)
{
    char digits[20], *p = digits + sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        *--p = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        buf_putc(buf, '-');
    buf_put(buf, p, (size_t)(digits + sizeof digits - p));
}

/* What a byte means inside a JSON string: itself, something to escape, or the beginning of a longer character. */
enum { PLAIN, ESCAPE, LEAD2, LEAD3, LEAD4, BAD };
static const uint8_t byte_class[256] = {
    [0x00 ... 0x1f] = ESCAPE, ['"'] = ESCAPE,          ['\\'] = ESCAPE,         [0x80 ... 0xc1] = BAD,
    [0xc2 ... 0xdf] = LEAD2,  [0xe0 ... 0xef] = LEAD3, [0xf0 ... 0xf4] = LEAD4, [0xf5 ... 0xff] = BAD,
};

/* Bytes of the well-formed character at p (RFC 3629), or 0. */
static size_t character(const uint8_t *p, size_t left)
{
    static const uint8_t lengths[] = {[LEAD2] = 2, [LEAD3] = 3, [LEAD4] = 4};
    uint8_t class = byte_class[*p];
    size_t n = class >= LEAD2 && class <= LEAD4 ? lengths[class] : 0;
    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

static void escape(struct buf *buf, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    static const char shorts[] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    if (c == '"' || c == '\\') {
        char two[2] = {'\\', (char)c};
        buf_put(buf, two, 2);
    } else if (c < sizeof shorts && shorts[c]) {
        char two[2] = {'\\', shorts[c]};
        buf_put(buf, two, 2);
    } else {
        char six[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        buf_put(buf, six, 6);
    }
}

/* Past the plain bytes at p, eight at a time: a byte is not plain if it has the high bit, is below 0x20, or becomes 0 when XORed with
 * a quote or backslash. A borrow can only mark bytes above a true hit, so the loop stops no later than it must; the table decides. */
static inline bool has_eight_plain(const uint8_t *p)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t eight, quote, backslash;
    memcpy(&eight, p, sizeof eight);
    quote = eight ^ (ones * '"');
    backslash = eight ^ (ones * '\\');
    return ((eight | (eight - ones * 0x20) | (quote - ones) | (backslash - ones)) & high) == 0;
}

static const uint8_t *skip_plain(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *start = p;
    while (end - p >= 8 && has_eight_plain(p))
        p += 8;
    if (end - p < 8 && end - start >= 8 && has_eight_plain(end - 8)) /* the rest of a longer run, with some of it once more */
        return end;
    while (p < end && byte_class[*p] == PLAIN)
        p++;
    return p;
}

void buf_json_string(struct buf *buf, const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)(len ? text : ""), *end = p + len, *run = p;
    buf_reserve(buf, len + 2);
    p = skip_plain(p, end);
    buf->data[buf->len++] = '"';
    if (p == end) { /* as most are */
        memcpy(buf->data + buf->len, run, len);
        buf->len += len;
        buf->data[buf->len++] = '"';
        return;
    }
    for (; (p = skip_plain(p, end)) < end;) {
        size_t n;
        n = byte_class[*p] == ESCAPE ? 0 : character(p, (size_t)(end - p));
        if (n) {
            p += n;
            continue;
        }
        buf_put(buf, run, (size_t)(p - run));
        if (byte_class[*p] == ESCAPE)
            escape(buf, *p);
        else
            BUF_LIT(buf, "\xef\xbf\xbd"); /* U+FFFD */
        run = ++p;
    }
    buf_put(buf, run, (size_t)(p - run));
    buf_putc(buf, '"');
}

bool csv_is_formula(const char *text, size_t len)
{
    return len > 0 && text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
}

void buf_csv_field(struct buf *buf, const char *text, size_t len, char delimiter)
{
    bool quote = false;
    for (size_t i = 0; i < len && !quote; i++)
        quote = text[i] == delimiter || text[i] == '"' || text[i] == '\r' || text[i] == '\n';
    if (!quote) {
        buf_put(buf, text, len);
        return;
    }
    buf_reserve(buf, len + 2);
    buf_putc(buf, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            buf_putc(buf, '"');
        buf_putc(buf, text[i]);
    }
    buf_putc(buf, '"');
}

const char *buf_cstr(struct buf *buf)
{
    buf_reserve(buf, 1);
    buf->data[buf->len] = '\0';
    return buf->data;
}
