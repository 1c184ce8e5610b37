/* SPDX-License-Identifier: Apache-2.0 */
/* What the client will take and what it sends: Accept, Content-Type, Prefer, entity tags (RFC 9110, RFC 7240). */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The next comma-separated element outside quotes, trimmed; false at the end. */
static bool next_element(const char **cursor, struct slice *ret)
{
    const char *p = *cursor;
    const char *start;
    bool quoted = false;
    while (*p == ',' || *p == ' ' || *p == '\t')
        p++;
    if (!*p)
        return false;
    start = p;
    for (; *p && (quoted || *p != ','); p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (*p == '\\' && quoted && p[1])
            p++;
    }
    *ret = slice_trim((struct slice){start, (size_t)(p - start)});
    *cursor = p;
    return true;
}

/* q in thousandths; 1000 without one, 0 for what is no number. */
static int quality(struct slice element)
{
    for (size_t i = 0; i + 3 < element.len; i++) {
        struct slice rest = slice_trim((struct slice){element.data + i + 1, element.len - i - 1});
        if (element.data[i] == ';' && rest.len >= 3 && strncasecmp(rest.data, "q=", 2) == 0) {
            double q = strtod(rest.data + 2, NULL); /* the header is NUL-terminated behind the slice */
            return q >= 1 ? 1000 : q > 0 ? (int)(q * 1000) : 0;
        }
    }
    return 1000;
}

/* How closely a media range names a type: 3 exact, 2 type / *, 1 * / *, 0 not at all. */
static int closeness(struct slice element, const char *type)
{
    const char *slash = strchr(type, '/');
    struct slice range = {element.data, 0};
    while (range.len < element.len && element.data[range.len] != ';')
        range.len++;
    range = slice_trim(range);
    if (slice_is_nocase(range, type))
        return 3;
    if (slice_is(range, "*/*"))
        return 1;
    if (slash && range.len == (size_t)(slash - type) + 2 && strncasecmp(range.data, type, range.len - 1) == 0 &&
        range.data[range.len - 1] == '*')
        return 2;
    return 0;
}

const char *negotiate(const char *accept, const char *const *types, size_t n)
{
    const char *best = NULL;
    int best_quality = 0;
    if (n == 0)
        return "";
    if (!accept || !*accept)
        return types[0];
    for (size_t i = 0; i < n; i++) {
        const char *cursor = accept;
        struct slice element;
        int close = 0, q = 0;
        while (next_element(&cursor, &element)) {
            int c = closeness(element, types[i]);
            if (c > close) {
                close = c;
                q = quality(element);
            }
        }
        if (q > best_quality) {
            best = types[i];
            best_quality = q;
        }
    }
    return best;
}

bool media_type_is(const char *header, const char *type)
{
    struct slice value = slice_of(header);
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] == ';')
            value.len = i;
    return slice_is_nocase(slice_trim(value), type);
}

bool prefer_has(const char *prefer, const char *token)
{
    struct slice element;
    while (prefer && next_element(&prefer, &element)) {
        size_t n = 0;
        while (n < element.len && element.data[n] != ';')
            n++;
        if (slice_is_nocase(slice_trim((struct slice){element.data, n}), token))
            return true;
    }
    return false;
}

/* ── entity tags ── */

struct tag {
    bool is_weak;
    struct slice text; /* with its quotes */
};

/* The next tag of a list; false at the end, or where no tag stands. A backslash in a tag is a backslash. */
static bool next_tag(const char **cursor, struct tag *ret)
{
    const char *start = *cursor + strspn(*cursor, ", \t"), *end;
    ret->is_weak = strncmp(start, "W/", 2) == 0;
    start += ret->is_weak ? 2 : 0;
    end = *start == '"' ? strchr(start + 1, '"') : NULL;
    if (!end)
        return false;
    ret->text = (struct slice){start, (size_t)(end - start) + 1};
    *cursor = end + 1;
    return true;
}

static bool is_any(const char *header)
{
    return slice_is(slice_trim(slice_of(header)), "*");
}

bool etag_matches(const char *if_none_match, const char *etag)
{
    struct tag tag;
    if (is_any(if_none_match))
        return true;
    while (next_tag(&if_none_match, &tag))
        if (slice_is(tag.text, etag))
            return true;
    return false;
}

/* "12-5f3c…" as render.c makes them, or "12" alone: the digits of the version, none for what we never gave. No leading zero, and not so many
 * that they would not fit: the number goes into SQL. */
static struct slice version_of(struct slice tag)
{
    const char *digits = tag.data + 1, *rest;
    size_t n = strspn(digits, "0123456789");
    const struct slice none = {digits, 0};
    if (n == 0 || n > 18 || (n > 1 && *digits == '0'))
        return none;
    rest = digits + n;
    if (*rest == '-' && strspn(rest + 1, "0123456789abcdef") == ETAG_HASH_DIGITS)
        rest += 1 + ETAG_HASH_DIGITS;
    return *rest == '"' ? (struct slice){digits, n} : none;
}

const char *if_match_versions(struct arena *arena, const char *if_match)
{
    struct buf set;
    struct tag tag;
    if (is_any(if_match))
        return "{(,)}";
    buf_init(&set, arena, 64);
    buf_putc(&set, '{');
    while (next_tag(&if_match, &tag)) {
        struct slice version = version_of(tag.text);
        if (tag.is_weak || !version.len)
            continue;
        buf_printf(&set, "%s[%.*s,%.*s]", set.len > 1 ? "," : "", (int)version.len, version.data, (int)version.len, version.data);
    }
    buf_putc(&set, '}');
    return buf_cstr(&set);
}
