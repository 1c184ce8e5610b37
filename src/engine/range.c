/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a reply (RFC 9110, 14): which bytes a Range header means, and the head of a reply that can be given in parts. */
#include "internal.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

void outcome_header(struct ctx *ctx, struct outcome *out, const char *name, const char *value)
{
    struct outcome_header **slot = &out->headers;
    while (*slot)
        slot = &(*slot)->next;
    *slot = arena_zalloc(ctx->arena, sizeof **slot);
    **slot = (struct outcome_header){name, value, NULL};
}

/* ── what is meant ── */

/* Digits, however many: what would not fit is more than any size. False without a digit. */
static bool take_number(const char **text, int64_t *ret)
{
    const char *p = *text;
    int64_t n = 0;
    for (; isdigit((unsigned char)*p); p++)
        n = n > INT64_MAX / 10 - 1 ? INT64_MAX / 10 : n * 10 + (*p - '0');
    if (p == *text)
        return false;
    *text = p;
    *ret = n;
    return true;
}

/* `first-last`, `first-` or `-length`, to its end; what is not said stays as it is. */
static bool take_spec(const char **text, int64_t *first, int64_t *last)
{
    bool has_first = take_number(text, first), has_last;
    if (**text != '-')
        return false;
    ++*text;
    has_last = take_number(text, last);
    return (has_first || has_last) && !(has_first && has_last && *last < *first);
}

static const char *skip_list(const char *text)
{
    return text + strspn(text, " \t,");
}

enum range_wish range_read(const char *header, int64_t size, struct range *ret)
{
    int64_t first = -1, last = -1;
    const char *p = header;
    if (!p || strncasecmp(p, "bytes=", 6) != 0)
        return RANGE_WHOLE;
    p = skip_list(p + 6);
    if (!take_spec(&p, &first, &last) || *skip_list(p)) /* a second one: the whole is as good an answer */
        return RANGE_WHOLE;
    if (first < 0) {
        last = last < size ? last : size;
        if (last == 0)
            return RANGE_NONE;
        *ret = (struct range){size - last, last};
        return RANGE_PART;
    }
    if (first >= size)
        return RANGE_NONE;
    last = last < 0 || last >= size ? size - 1 : last;
    *ret = (struct range){first, last - first + 1};
    return RANGE_PART;
}

/* If-Range (13.1.5) compares strongly; a date names nothing, since nothing here has one. */
static bool is_still(const char *if_range, const char *etag)
{
    return !if_range || slice_is(slice_trim(slice_of(if_range)), etag);
}

/* ── the head ── */

static enum status refuse(struct ctx *ctx, struct outcome *out, int64_t size)
{
    outcome_header(ctx, out, "Content-Range", arena_printf(ctx->arena, "bytes */%lld", (long long)size));
    return fail(ctx, ST_RANGE_NOT_SATISFIABLE, "range-not-satisfiable", "It has %lld bytes.", "Panjangnya %lld bita.", (long long)size);
}

enum status stream_head(struct ctx *ctx, const struct params *in, struct stream_io *io, const char *etag, const char *content_type,
                        int64_t size, struct range *ret)
{
    struct outcome *out = io->outcome;
    const char *none_match = params_text(in, "if_none_match");
    bool is_known = none_match && etag_matches(none_match, etag);
    enum range_wish wish = RANGE_WHOLE;
    *ret = (struct range){0, size};
    if (!io->is_head && !is_known && is_still(params_text(in, "if_range"), etag)) /* Range is for GET alone, and after the conditions */
        wish = range_read(params_text(in, "range"), size, ret);
    if (wish == RANGE_NONE)
        return refuse(ctx, out, size);
    outcome_header(ctx, out, "Accept-Ranges", "bytes");
    if (wish == RANGE_PART)
        outcome_header(ctx, out, "Content-Range",
                       arena_printf(ctx->arena, "bytes %lld-%lld/%lld", (long long)ret->first, (long long)(ret->first + ret->len - 1),
                                    (long long)size));
    out->http_status = wish == RANGE_PART ? 206 : 200;
    out->content_type = content_type;
    out->etag = etag;
    out->length = ret->len;
    if (io->is_head || is_known)
        ret->len = 0;
    return ST_OK;
}
