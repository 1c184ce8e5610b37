/* SPDX-License-Identifier: Apache-2.0 */
/* Small things about text. */
#include "asnd/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "asnd/arena.h"

struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

bool slice_is(struct slice s, const char *text)
{
    return strlen(text) == s.len && (s.len == 0 || memcmp(s.data, text, s.len) == 0);
}

bool slice_is_nocase(struct slice s, const char *text)
{
    return strlen(text) == s.len && (s.len == 0 || strncasecmp(s.data, text, s.len) == 0);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
    while (s.len && is_blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len && is_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

/* Length of the well-formed character at p (RFC 3629), 0 if there is none. */
static size_t character(const unsigned char *p, size_t left)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;
    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

bool utf8_is_valid(const char *bytes, size_t len, bool allow_nul)
{
    const unsigned char *p = (const unsigned char *)(len ? bytes : ""), *end = p + len;
    if (!allow_nul && len && memchr(p, '\0', len))
        return false;
    while (p < end) {
        uint64_t eight = UINT64_MAX;
        size_t n;
        if (end - p >= 8)
            memcpy(&eight, p, sizeof eight);
        n = eight & 0x8080808080808080u ? character(p, (size_t)(end - p)) : 8; /* most text is ASCII */
        if (n == 0)
            return false;
        p += n;
    }
    return true;
}

size_t utf8_of_windows_1252(unsigned char byte, char ret[3])
{
    static const uint16_t low[32] = {0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
                                     0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
                                     0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};
    unsigned c = byte < 0xa0 ? low[byte & 0x1f] : byte;
    if (byte < 0x80 || c == 0)
        return 0;
    if (c < 0x800) {
        ret[0] = (char)(0xc0 | c >> 6);
        ret[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    ret[0] = (char)(0xe0 | c >> 12);
    ret[1] = (char)(0x80 | (c >> 6 & 0x3f));
    ret[2] = (char)(0x80 | (c & 0x3f));
    return 3;
}

size_t utf8_length(const char *bytes, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)bytes[i] & 0xc0) != 0x80;
    return n;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool percent_decode(struct arena *arena, struct slice in, bool plus_is_space, const char **ret_text, size_t *ret_len)
{
    char *out = arena_alloc(arena, in.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < in.len; i++) {
        char c = in.data[i];
        if (c == '%') {
            int high = in.len - i > 2 ? hex_digit(in.data[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(in.data[i + 2]) : -1;
            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        out[n++] = c;
    }
    out[n] = '\0';
    if (!utf8_is_valid(out, n, false))
        return false;
    *ret_text = out;
    *ret_len = n;
    return true;
}

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Optimal string alignment over three rows; rows are short (names). */
size_t text_distance(const char *a, const char *b, size_t limit)
{
    size_t rows[3][65];
    size_t *two = rows[0], *one = rows[1], *now = rows[2];
    size_t la = strlen(a), lb = strlen(b);
    if (la > 64 || lb > 64 || (la > lb ? la - lb : lb - la) > limit)
        return limit + 1;
    for (size_t j = 0; j <= lb; j++)
        one[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t best = now[0] = i, *spare;
        for (size_t j = 1; j <= lb; j++) {
            size_t change = one[j - 1] + (folded(a[i - 1]) != folded(b[j - 1]));
            size_t least = one[j] + 1 < now[j - 1] + 1 ? one[j] + 1 : now[j - 1] + 1;
            if (change < least)
                least = change;
            if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) && folded(a[i - 2]) == folded(b[j - 1]) && two[j - 2] + 1 < least)
                least = two[j - 2] + 1;
            now[j] = least;
            best = least < best ? least : best;
        }
        if (best > limit)
            return limit + 1;
        spare = two;
        two = one;
        one = now;
        now = spare;
    }
    return one[lb];
}

static size_t common_prefix(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] && folded(a[n]) == folded(b[n]))
        n++;
    return n;
}

/* The one name that `name` abbreviates ("stat" for "status"), from three letters up; NULL if there are several. */
static const char *abbreviated(const char *name, const char *const *names, size_t n)
{
    size_t len = strlen(name);
    const char *found = NULL;
    for (size_t i = 0; i < n && len >= 3; i++) {
        if (common_prefix(name, names[i]) < len)
            continue;
        if (found)
            return NULL;
        found = names[i];
    }
    return found;
}

/* One mistake in five letters is a slip; two in a short word make another word. */
static size_t slips_allowed(size_t len)
{
    return len < 2 ? 0 : len < 6 ? 1 : len < 12 ? 2 : 3;
}

const char *text_nearest(const char *name, const char *const *names, size_t n)
{
    size_t limit = slips_allowed(strlen(name)), best = limit + 1, best_prefix = 0;
    const char *found = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t d = text_distance(name, names[i], limit), prefix = common_prefix(name, names[i]);
        if (d < best || (d == best && d <= limit && prefix > best_prefix)) {
            best = d;
            best_prefix = prefix;
            found = names[i];
        }
    }
    return found ? found : abbreviated(name, names, n);
}

bool version_is_at_least(const char *version, const char *least)
{
    while (*least >= '0' && *least <= '9') {
        char *end, *least_end;
        unsigned long has = strtoul(version, &end, 10), wants = strtoul(least, &least_end, 10);
        if (end == version || has != wants)
            return end != version && has > wants;
        version = end + (*end == '.');
        least = least_end + (*least_end == '.');
    }
    return true;
}

void hex_encode(const uint8_t *bytes, size_t len, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *ret++ = digits[bytes[i] >> 4];
        *ret++ = digits[bytes[i] & 15];
    }
    *ret = '\0';
}
