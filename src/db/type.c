/* SPDX-License-Identifier: Apache-2.0 */
/* Column types: how PostgreSQL's text form becomes JSON and plain text, and what a contract may say of each. Built-in types by their
 * fixed OIDs; everything else (enums, ltree, domains are resolved by the server) is rendered as a string. */
#include <string.h>

#include "asnd/buf.h"
#include "asnd/db.h"
#include "asnd/text.h"

/* What a contract may call a value of the type. */
enum family {
    FAMILY_TEXT,
    FAMILY_INTEGER,
    FAMILY_NUMBER,
    FAMILY_DECIMAL,
    FAMILY_BOOL,
    FAMILY_DATE,
    FAMILY_INSTANT,
    FAMILY_UUID,
    FAMILY_JSON
};

static const struct type {
    Oid oid, array_oid;
    const char *name;
    enum render_kind kind;
    enum family family;
} types[] = {
    {16, 1000, "boolean", RENDER_BOOL, FAMILY_BOOL},
    {17, 1001, "bytea", RENDER_STRING, FAMILY_TEXT},
    {18, 1002, "\"char\"", RENDER_STRING, FAMILY_TEXT},
    {19, 1003, "name", RENDER_STRING, FAMILY_TEXT},
    {20, 1016, "bigint", RENDER_RAW, FAMILY_INTEGER},
    {21, 1005, "smallint", RENDER_RAW, FAMILY_INTEGER},
    {23, 1007, "integer", RENDER_RAW, FAMILY_INTEGER},
    {25, 1009, "text", RENDER_STRING, FAMILY_TEXT},
    {26, 1028, "oid", RENDER_RAW, FAMILY_INTEGER},
    {114, 199, "json", RENDER_RAW, FAMILY_JSON},
    {142, 143, "xml", RENDER_STRING, FAMILY_TEXT},
    {650, 651, "cidr", RENDER_STRING, FAMILY_TEXT},
    {700, 1021, "real", RENDER_NUMERIC, FAMILY_NUMBER},
    {701, 1022, "double precision", RENDER_NUMERIC, FAMILY_NUMBER},
    {705, 0, "unknown", RENDER_STRING, FAMILY_TEXT},
    {790, 791, "money", RENDER_STRING, FAMILY_TEXT},
    {829, 1040, "macaddr", RENDER_STRING, FAMILY_TEXT},
    {869, 1041, "inet", RENDER_STRING, FAMILY_TEXT},
    {1042, 1014, "character", RENDER_STRING, FAMILY_TEXT},
    {1043, 1015, "character varying", RENDER_STRING, FAMILY_TEXT},
    {1082, 1182, "date", RENDER_STRING, FAMILY_DATE},
    {1083, 1183, "time", RENDER_STRING, FAMILY_TEXT},
    {1114, 1115, "timestamp", RENDER_INSTANT, FAMILY_INSTANT},
    {1184, 1185, "timestamp with time zone", RENDER_INSTANT, FAMILY_INSTANT},
    {1186, 1187, "interval", RENDER_STRING, FAMILY_TEXT},
    {1266, 1270, "time with time zone", RENDER_STRING, FAMILY_TEXT},
    {1560, 1561, "bit", RENDER_STRING, FAMILY_TEXT},
    {1562, 1563, "bit varying", RENDER_STRING, FAMILY_TEXT},
    {1700, 1231, "numeric", RENDER_NUMERIC, FAMILY_DECIMAL},
    {2950, 2951, "uuid", RENDER_STRING, FAMILY_UUID},
    {3614, 3643, "tsvector", RENDER_STRING, FAMILY_TEXT},
    {3802, 3807, "jsonb", RENDER_RAW, FAMILY_JSON},
    {3904, 3905, "int4range", RENDER_STRING, FAMILY_TEXT},
    {3906, 3907, "numrange", RENDER_STRING, FAMILY_TEXT},
    {3908, 3909, "tsrange", RENDER_STRING, FAMILY_TEXT},
    {3910, 3911, "tstzrange", RENDER_STRING, FAMILY_TEXT},
    {3912, 3913, "daterange", RENDER_STRING, FAMILY_TEXT},
    {3926, 3927, "int8range", RENDER_STRING, FAMILY_TEXT},
};

static const struct type *type_find(Oid oid, bool *ret_is_array)
{
    *ret_is_array = false;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].oid == oid || (oid != 0 && types[i].array_oid == oid)) {
            *ret_is_array = types[i].oid != oid;
            return &types[i];
        }
    return NULL;
}

enum render_kind render_kind_of(Oid oid)
{
    static const enum render_kind arrays[] = {
        [RENDER_STRING] = RENDER_ARRAY_STRING,   [RENDER_RAW] = RENDER_ARRAY_RAW,         [RENDER_BOOL] = RENDER_ARRAY_BOOL,
        [RENDER_INSTANT] = RENDER_ARRAY_INSTANT, [RENDER_NUMERIC] = RENDER_ARRAY_NUMERIC,
    };
    bool is_array;
    const struct type *type = type_find(oid, &is_array);

    if (type == NULL)
        return RENDER_STRING;
    return is_array ? arrays[type->kind] : type->kind;
}

const char *type_name(Oid oid)
{
    static _Thread_local char texts[4][64]; /* so that one message may name several */
    static _Thread_local unsigned turn;
    bool is_array;
    const struct type *type = type_find(oid, &is_array);

    if (type != NULL && !is_array)
        return type->name;
    char *text = texts[turn++ % ARRAY_LEN(texts)];
    if (type != NULL)
        snprintf(text, sizeof texts[0], "%s[]", type->name);
    else
        snprintf(text, sizeof texts[0], "type %u", oid);
    return text;
}

/* ── one value ── */

/* 2026-11-25 01:02:03.4+00 → 2026-11-25T01:02:03.4+00:00; false for infinity and years before our era, which RFC 3339 cannot say. */
static bool put_instant(struct buf *out, const char *text, size_t len)
{
    const char *gap;

    if (len >= 22 && text[10] == ' ' && memcmp(text + len - 3, "+00", 3) == 0) { /* as every connection has it, of years with four digits */
        buf_put(out, text, len);
        out->data[out->len - len + 10] = 'T';
        BUF_LIT(out, ":00");
        return true;
    }
    gap = memchr(text, ' ', len);
    if (gap == NULL || text[len - 1] == 'C')
        return false;
    const char *clock = gap + 1, *end = text + len, *sign = end;
    for (const char *p = clock; p < end; p++)
        if (*p == '+' || *p == '-')
            sign = p;
    buf_put(out, text, (size_t)(gap - text));
    buf_putc(out, 'T');
    buf_put(out, clock, (size_t)(end - clock));
    if (end - sign == 3) /* hours alone */
        BUF_LIT(out, ":00");
    return true;
}

static bool is_finite(const char *text, size_t len)
{
    return len > 0 && text[len - 1] >= '0' && text[len - 1] <= '9'; /* not NaN, Infinity, -Infinity */
}

static void put_json_scalar(struct buf *out, enum render_kind kind, const char *text, size_t len)
{
    switch (kind) {
    case RENDER_BOOL:
        buf_puts(out, len > 0 && *text == 't' ? "true" : "false");
        return;
    case RENDER_RAW:
        buf_put(out, text, len);
        return;
    case RENDER_NUMERIC:
        if (is_finite(text, len))
            buf_put(out, text, len);
        else
            BUF_LIT(out, "null");
        return;
    case RENDER_INSTANT:
        buf_putc(out, '"');
        if (!put_instant(out, text, len))
            buf_put(out, text, len); /* needs no escapes */
        buf_putc(out, '"');
        return;
    default:
        buf_json_string(out, text, len);
    }
}

static void put_plain_scalar(struct buf *out, enum render_kind kind, const char *text, size_t len)
{
    if (kind == RENDER_BOOL)
        buf_puts(out, len > 0 && *text == 't' ? "true" : "false");
    else if ((kind == RENDER_INSTANT && put_instant(out, text, len)) || (kind == RENDER_NUMERIC && !is_finite(text, len)))
        return;
    else
        buf_put(out, text, len);
}

/* ── arrays ── {a,"b \"c\"",NULL,{…}} and, with bounds of its own, [0:1]={…} */

struct array_reader {
    const char *at, *end;
    struct buf item; /* the last item, unescaped */
    bool is_null;
};

enum array_token { ARRAY_OPEN, ARRAY_CLOSE, ARRAY_ITEM, ARRAY_END };

static void read_quoted(struct array_reader *r)
{
    for (r->at++; r->at < r->end && *r->at != '"'; r->at++) {
        if (*r->at == '\\' && r->at + 1 < r->end)
            r->at++;
        buf_putc(&r->item, *r->at);
    }
    r->at++;
}

static enum array_token array_next(struct array_reader *r)
{
    while (r->at < r->end && *r->at == ',')
        r->at++;
    if (r->at >= r->end)
        return ARRAY_END;
    if (*r->at == '{' || *r->at == '}')
        return *r->at++ == '{' ? ARRAY_OPEN : ARRAY_CLOSE;
    r->item.len = 0;
    r->is_null = false;
    if (*r->at == '"') {
        read_quoted(r);
        return ARRAY_ITEM;
    }
    const char *from = r->at;
    while (r->at < r->end && *r->at != ',' && *r->at != '}')
        r->at++;
    buf_put(&r->item, from, (size_t)(r->at - from));
    r->is_null = r->item.len == 4 && memcmp(from, "NULL", 4) == 0; /* the text NULL would be quoted */
    return ARRAY_ITEM;
}

static enum render_kind item_kind_of(enum render_kind kind)
{
    switch (kind) {
    case RENDER_ARRAY_STRING:
        return RENDER_STRING;
    case RENDER_ARRAY_RAW:
        return RENDER_RAW;
    case RENDER_ARRAY_BOOL:
        return RENDER_BOOL;
    case RENDER_ARRAY_INSTANT:
        return RENDER_INSTANT;
    case RENDER_ARRAY_NUMERIC:
        return RENDER_NUMERIC;
    default:
        return kind;
    }
}

static struct array_reader array_reader(const char *text, size_t len)
{
    struct array_reader r = {.at = text, .end = text + len};

    if (len > 0 && *text == '[') {
        const char *equals = memchr(text, '=', len);
        r.at = equals ? equals + 1 : r.end;
    }
    buf_init(&r.item, NULL, 64);
    return r;
}

static void put_json_array(struct buf *out, enum render_kind item_kind, const char *text, size_t len)
{
    struct array_reader r = array_reader(text, len);
    bool is_first = true;

    for (enum array_token token; (token = array_next(&r)) != ARRAY_END;) {
        if (token != ARRAY_CLOSE && !is_first)
            buf_putc(out, ',');
        is_first = token == ARRAY_OPEN;
        if (token != ARRAY_ITEM)
            buf_putc(out, token == ARRAY_OPEN ? '[' : ']');
        else if (r.is_null)
            BUF_LIT(out, "null");
        else
            put_json_scalar(out, item_kind, buf_cstr(&r.item), r.item.len);
    }
    buf_done(&r.item);
}

static void put_plain_array(struct buf *out, enum render_kind item_kind, const char *text, size_t len)
{
    struct array_reader r = array_reader(text, len);
    bool is_first = true;

    for (enum array_token token; (token = array_next(&r)) != ARRAY_END;) {
        if (token != ARRAY_ITEM)
            continue;
        if (!is_first)
            buf_putc(out, ';');
        is_first = false;
        if (!r.is_null)
            put_plain_scalar(out, item_kind, buf_cstr(&r.item), r.item.len);
    }
    buf_done(&r.item);
}

void render_json(struct buf *out, enum render_kind kind, const char *text, size_t len)
{
    enum render_kind item_kind = item_kind_of(kind);

    if (item_kind == kind)
        put_json_scalar(out, kind, text, len);
    else
        put_json_array(out, item_kind, text, len);
}

void render_plain(struct buf *out, enum render_kind kind, const char *text, size_t len)
{
    enum render_kind item_kind = item_kind_of(kind);

    if (item_kind == kind)
        put_plain_scalar(out, kind, text, len);
    else
        put_plain_array(out, item_kind, text, len);
}

/* ── fitting a contract ── */

static bool format_fits(enum family family, const char *format)
{
    if (family == FAMILY_TEXT || format == NULL)
        return true;
    if (family == FAMILY_DATE)
        return strcmp(format, "date") == 0;
    if (family == FAMILY_INSTANT)
        return strcmp(format, "date-time") == 0;
    return strcmp(format, "uuid") == 0;
}

static bool family_fits(enum family family, char kind, const char *format)
{
    switch (kind) {
    case 's':
        return (family == FAMILY_TEXT || family == FAMILY_DATE || family == FAMILY_INSTANT || family == FAMILY_UUID) &&
               format_fits(family, format);
    case 'i':
        return family == FAMILY_INTEGER || family == FAMILY_DECIMAL; /* sum(bigint) is numeric */
    case 'n':
        return family == FAMILY_INTEGER || family == FAMILY_DECIMAL || family == FAMILY_NUMBER;
    case 'b':
        return family == FAMILY_BOOL;
    default:
        return false;
    }
}

bool type_fits(Oid oid, char kind, char item_kind, const char *format)
{
    bool is_array, is_any_item = item_kind == '*' || item_kind == '\0' || item_kind == 'a';
    const struct type *type = type_find(oid, &is_array);
    enum family family = type ? type->family : FAMILY_TEXT;

    if (kind == '*' || (family == FAMILY_JSON && !is_array))
        return true;
    if (is_array)
        return kind == 'a' && (is_any_item || family == FAMILY_JSON || family_fits(family, item_kind, NULL));
    return family_fits(family, kind, format);
}
