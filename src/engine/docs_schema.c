/* SPDX-License-Identifier: Apache-2.0 */
/* What a value may be, in words and signs for the reading page: type, enumeration, limits, form, default; and what is inside it. */
#include "docs.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 3

void docs_escaped(struct buf *out, const char *text)
{
    static const struct {
        char c;
        const char *entity;
    } special[] = {{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}};
    for (; text && *text; text++) {
        const char *entity = NULL;
        for (size_t i = 0; i < ARRAY_LEN(special); i++)
            if (*text == special[i].c)
                entity = special[i].entity;
        if (entity)
            buf_puts(out, entity);
        else
            buf_putc(out, *text);
    }
}

static const json_t *keyword(const struct docs *d, const json_t *schema, const char *name)
{
    return contract_keyword(d->contract, schema, name);
}

/* A text as it is, anything else as JSON. */
static void constant(struct docs *d, const json_t *value)
{
    char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    BUF_LIT(d->out, "<code>");
    docs_escaped(d->out, text ? text : json_string_value(value));
    BUF_LIT(d->out, "</code>");
    free(text);
}

/* ── type ── */

static void type_words(struct docs *d, const json_t *schema)
{
    const json_t *type = keyword(d, schema, "type"), *one;
    const char *format = json_string_value(keyword(d, schema, "format"));
    size_t i;
    if (json_is_string(type))
        buf_puts(d->out, json_string_value(type));
    else if (!type)
        buf_puts(d->out, keyword(d, schema, "enum") || keyword(d, schema, "const") ? "constant" : "any");
    json_array_foreach(type, i, one) buf_printf(d->out, "%s%s", i ? " or " : "", json_string_value(one));
    if (format)
        buf_printf(d->out, " (%s)", format);
    if (keyword(d, schema, "items")) {
        BUF_LIT(d->out, " of ");
        type_words(d, keyword(d, schema, "items"));
    }
}

/* ── what is allowed ── */

static void begin(struct docs *d, size_t start)
{
    if (d->out->len > start)
        BUF_LIT(d->out, "; ");
}

static void enumeration(struct docs *d, const json_t *schema, size_t start)
{
    const json_t *values = keyword(d, schema, "enum"), *only = keyword(d, schema, "const"), *value;
    size_t i;
    if (values || only)
        begin(d, start);
    if (only)
        constant(d, only);
    json_array_foreach(values, i, value)
    {
        if (i)
            BUF_LIT(d->out, ", ");
        constant(d, value);
    }
}

static void bounds(struct docs *d, const json_t *schema, size_t start)
{
    static const struct {
        const char *keyword, *sign;
    } all[] = {{"minimum", "≥ "},
               {"exclusiveMinimum", "&gt; "},
               {"maximum", "≤ "},
               {"exclusiveMaximum", "&lt; "},
               {"multipleOf", "a multiple of "}};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const json_t *bound = keyword(d, schema, all[i].keyword);
        if (!bound)
            continue;
        begin(d, start);
        buf_puts(d->out, all[i].sign);
        constant(d, bound);
    }
}

/* "3 to 64 characters", "at most 5 items" */
static void count(struct docs *d, const json_t *schema, const char *min_keyword, const char *max_keyword, const char *what, size_t start)
{
    const json_t *least = keyword(d, schema, min_keyword), *most = keyword(d, schema, max_keyword);
    const long long min = json_integer_value(least), max = json_integer_value(most);
    if (!least && !most)
        return;
    begin(d, start);
    if (!most)
        buf_printf(d->out, "at least %lld %s", min, what);
    else if (!least)
        buf_printf(d->out, "at most %lld %s", max, what);
    else if (min == max)
        buf_printf(d->out, "%lld %s", max, what);
    else
        buf_printf(d->out, "%lld to %lld %s", min, max, what);
}

/* A pattern that has words of its own stands once, in the table of forms. */
static void form(struct docs *d, const json_t *schema, size_t start)
{
    const json_t *pattern = keyword(d, schema, "pattern"), *words = json_object_get(contract_root(d->contract), "x-patterns"), *row;
    const char *text;
    int number = 0;
    if (!pattern)
        return;
    begin(d, start);
    json_object_foreach((json_t *)(uintptr_t)words, text, row)
    {
        number++;
        if (strcmp(text, json_string_value(pattern)) != 0)
            continue;
        buf_printf(d->out, "<a href=\"#form-%d\">", number);
        docs_escaped(d->out, json_string_value(json_object_get(row, "en")));
        BUF_LIT(d->out, "</a>");
        return;
    }
    constant(d, pattern);
}

static void allowed(struct docs *d, const json_t *schema)
{
    const size_t start = d->out->len;
    const json_t *standard = keyword(d, schema, "default"), *items = keyword(d, schema, "items");
    const char *scope = json_string_value(keyword(d, schema, "x-scope"));
    enumeration(d, schema, start);
    bounds(d, schema, start);
    count(d, schema, "minLength", "maxLength", "characters", start);
    count(d, schema, "minItems", "maxItems", "items", start);
    form(d, schema, start);
    if (items && !keyword(d, items, "properties")) {
        begin(d, start);
        allowed(d, items);
    }
    if (standard) {
        begin(d, start);
        BUF_LIT(d->out, "default ");
        constant(d, standard);
    }
    if (scope) {
        begin(d, start);
        buf_printf(d->out, "only with <code>%s</code>", scope);
    }
}

void docs_value_cells(struct docs *d, const json_t *schema, const char *description)
{
    BUF_LIT(d->out, "<td>");
    type_words(d, schema);
    BUF_LIT(d->out, "</td><td>");
    allowed(d, schema);
    BUF_LIT(d->out, "</td><td>");
    docs_escaped(d->out, description ? description : json_string_value(keyword(d, schema, "description")));
    BUF_LIT(d->out, "</td>");
}

void docs_member_rows(struct docs *d, const char *above, const char *name, const json_t *schema, int depth)
{
    const json_t *items = keyword(d, schema, "items"), *inside = keyword(d, items ? items : schema, "properties");
    struct arena *arena = d->out->arena;
    const char *path = arena_printf(arena, "%s%s", above, name), *member;
    json_t *value;
    BUF_LIT(d->out, "<tr><td><code>");
    docs_escaped(d->out, path);
    BUF_LIT(d->out, "</code></td>");
    docs_value_cells(d, schema, NULL);
    BUF_LIT(d->out, "</tr>\n");
    if (depth == DEPTH_MAX)
        return;
    json_object_foreach((json_t *)(uintptr_t)inside, member, value)
        docs_member_rows(d, arena_printf(arena, "%s%s.", path, items ? "[]" : ""), member, value, depth + 1);
}

void docs_forms(struct docs *d)
{
    const json_t *words = json_object_get(contract_root(d->contract), "x-patterns"), *row;
    const char *pattern;
    int number = 0;
    if (!json_object_size(words))
        return;
    BUF_LIT(d->out, "<h2 id=\"forms\">Forms of texts</h2><table><tr><th>English</th><th>Indonesia</th><th>Regular expression</th></tr>\n");
    json_object_foreach((json_t *)(uintptr_t)words, pattern, row)
    {
        buf_printf(d->out, "<tr id=\"form-%d\"><td>", ++number);
        docs_escaped(d->out, json_string_value(json_object_get(row, "en")));
        BUF_LIT(d->out, "</td><td lang=\"id\">");
        docs_escaped(d->out, json_string_value(json_object_get(row, "id")));
        BUF_LIT(d->out, "</td><td><code>");
        docs_escaped(d->out, pattern);
        BUF_LIT(d->out, "</code></td></tr>\n");
    }
    BUF_LIT(d->out, "</table>\n");
}
