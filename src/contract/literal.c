/* SPDX-License-Identifier: Apache-2.0 */
/* JSON → the text that PostgreSQL reads: scalars as they are, numbers exactly as they were written, lists of scalars as array literals,
 * everything else as JSON. */
#include "internal.h"

#include <string.h>

#include "asnd/buf.h"

void literal_begin(struct buf *out, struct arena *arena)
{
    buf_init(out, arena, 64);
    buf_putc(out, '{');
}

static void next_item(struct buf *out)
{
    if (out->len > 1)
        buf_putc(out, ',');
}

void literal_item(struct buf *out, const char *text, size_t len)
{
    next_item(out);
    buf_putc(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, text[i]);
    }
    buf_putc(out, '"');
}

const char *literal_end(struct buf *out)
{
    buf_putc(out, '}');
    return buf_cstr(out);
}

/* ── JSON with exact numbers ── */

static void write_json(struct buf *out, struct arena *arena, const struct json_numbers *numbers, const json_t *node)
{
    const char *key;
    json_t *value;
    size_t i;
    switch (json_typeof(node)) {
    case JSON_OBJECT:
        buf_putc(out, '{');
        json_object_foreach((json_t *)(uintptr_t)node, key, value)
        {
            if (out->data[out->len - 1] != '{')
                buf_putc(out, ',');
            buf_json_string(out, key, strlen(key));
            buf_putc(out, ':');
            write_json(out, arena, numbers, value);
        }
        buf_putc(out, '}');
        break;
    case JSON_ARRAY:
        buf_putc(out, '[');
        json_array_foreach(node, i, value)
        {
            if (i)
                buf_putc(out, ',');
            write_json(out, arena, numbers, value);
        }
        buf_putc(out, ']');
        break;
    case JSON_STRING:
        buf_json_string(out, json_string_value(node), json_string_length(node));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        buf_puts(out, json_number_text(arena, numbers, node));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        buf_puts(out, json_is_true(node) ? "true" : "false");
        break;
    case JSON_NULL:
        BUF_LIT(out, "null");
        break;
    }
}

static const char *json_text(struct arena *arena, const struct json_numbers *numbers, const json_t *node)
{
    struct buf out;
    buf_init(&out, arena, 128);
    write_json(&out, arena, numbers, node);
    return buf_cstr(&out);
}

/* ── whole numbers ── */

/* 100.0 and 1e2 are integers to JSON Schema; PostgreSQL's take digits only. */
static const char *whole_text(struct arena *arena, const struct json_numbers *numbers, const json_t *real)
{
    struct decimal d;
    const char *text = NULL;
    decimal_init(&d);
    if (json_number_decimal(numbers, real, &d) && decimal_is_integer(&d))
        text = decimal_format(arena, &d, 0, ROUND_DOWN);
    decimal_done(&d);
    return text ? text : json_number_text(arena, numbers, real);
}

/* ── lists ── */

static bool is_scalar(enum json_kind kind)
{
    return kind == KIND_STRING || kind == KIND_INTEGER || kind == KIND_NUMBER || kind == KIND_BOOLEAN;
}

static const char *list_text(struct arena *arena, const struct json_numbers *numbers, const json_t *list, enum json_kind item_kind)
{
    struct buf out;
    size_t i;
    const json_t *item;
    literal_begin(&out, arena);
    json_array_foreach(list, i, item)
    {
        const char *text = literal_of(arena, numbers, item, item_kind, KIND_ANY);
        if (text) {
            literal_item(&out, text, strlen(text));
        } else {
            next_item(&out);
            BUF_LIT(&out, "NULL");
        }
    }
    return literal_end(&out);
}

const char *literal_of(struct arena *arena, const struct json_numbers *numbers, const json_t *node, enum json_kind kind,
                       enum json_kind item_kind)
{
    switch (json_typeof(node)) {
    case JSON_STRING:
        return json_string_value(node);
    case JSON_INTEGER:
        return json_number_text(arena, numbers, node);
    case JSON_REAL:
        return kind == KIND_INTEGER ? whole_text(arena, numbers, node) : json_number_text(arena, numbers, node);
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_ARRAY: /* by the contract, not by what came: an empty list of objects is [], an empty list of texts {} */
        return is_scalar(item_kind) ? list_text(arena, numbers, node, item_kind) : json_text(arena, numbers, node);
    case JSON_OBJECT:
        return json_text(arena, numbers, node);
    case JSON_NULL:
        break;
    }
    return NULL;
}
