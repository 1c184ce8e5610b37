/* SPDX-License-Identifier: Apache-2.0 */
/* When two JSON values are the same: numbers by exact value (1 is 1.0), objects without regard to order. Duplicates in a list are found by sorting
 * canonical texts: n log n whatever a hostile client sends, where hashes can be made to collide. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/buf.h"

static bool same_numbers(const struct json_numbers *numbers, const json_t *a, const json_t *b)
{
    struct decimal x, y;
    bool same;
    if (json_is_integer(a) && json_is_integer(b))
        return json_integer_value(a) == json_integer_value(b);
    decimal_init(&x);
    decimal_init(&y);
    same = json_number_decimal(numbers, a, &x) && json_number_decimal(numbers, b, &y) && decimal_compare(&x, &y) == 0;
    decimal_done(&x);
    decimal_done(&y);
    return same;
}

static bool same_arrays(const struct json_numbers *numbers, const json_t *a, const json_t *b)
{
    size_t n = json_array_size(a);
    if (n != json_array_size(b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!json_same(numbers, json_array_get(a, i), json_array_get(b, i)))
            return false;
    return true;
}

static bool same_objects(const struct json_numbers *numbers, const json_t *a, const json_t *b)
{
    const char *key;
    json_t *value;
    if (json_object_size(a) != json_object_size(b))
        return false;
    json_object_foreach((json_t *)(uintptr_t)a, key, value)
    {
        const json_t *other = json_object_get(b, key);
        if (!other || !json_same(numbers, value, other))
            return false;
    }
    return true;
}

bool json_same(const struct json_numbers *numbers, const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return same_numbers(numbers, a, b);
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_array(a))
        return same_arrays(numbers, a, b);
    if (json_is_object(a))
        return same_objects(numbers, a, b);
    return json_equal(a, b);
}

/* ── canonical texts ── */

struct canon {
    struct arena *arena;
    const struct json_numbers *numbers;
    struct buf out;
};

static void canonical(struct canon *c, const json_t *node);

#define EXPONENT_MAX 1000000000L

/* Digits without zeros at either end, and a power of ten: 100, 1e2 and 100.0 are all `1e2`. */
static void canonical_number(struct canon *c, const char *text)
{
    const char *mark = text + strcspn(text, "eE");
    const char *point = memchr(text, '.', (size_t)(mark - text));
    long exponent = *mark ? strtol(mark + 1, NULL, 10) : 0;
    size_t start = c->out.len, digits;
    if (exponent < -EXPONENT_MAX) /* no number that is valid has such a one (decimal.h); and the sums below must not overflow */
        exponent = -EXPONENT_MAX;
    if (point)
        exponent -= (long)(mark - point) - 1;
    for (const char *p = text; p < mark; p++)
        if (*p >= '0' && *p <= '9' && (*p != '0' || c->out.len > start))
            buf_putc(&c->out, *p);
    while (c->out.len > start && c->out.data[c->out.len - 1] == '0') {
        c->out.len--;
        exponent++;
    }
    digits = c->out.len - start;
    if (digits)
        buf_printf(&c->out, "%se%ld", text[0] == '-' ? "-" : "", exponent);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void canonical_text(struct canon *c, const char *text, size_t len)
{
    buf_printf(&c->out, "%zu:", len);
    buf_put(&c->out, text, len);
}

static void canonical_object(struct canon *c, const json_t *node)
{
    const char **keys = arena_alloc(c->arena, (json_object_size(node) + 1) * sizeof *keys), *key;
    json_t *value;
    size_t n = 0;
    json_object_foreach((json_t *)(uintptr_t)node, key, value) keys[n++] = key;
    qsort(keys, n, sizeof *keys, by_key);
    for (size_t i = 0; i < n; i++) {
        canonical_text(c, keys[i], strlen(keys[i]));
        canonical(c, json_object_get(node, keys[i]));
    }
}

static void canonical(struct canon *c, const json_t *node)
{
    size_t i;
    const json_t *item;
    buf_putc(&c->out, "oasnntfz"[json_typeof(node)]); /* one letter for both kinds of number */
    switch (json_typeof(node)) {
    case JSON_OBJECT:
        canonical_object(c, node);
        break;
    case JSON_ARRAY:
        json_array_foreach(node, i, item) canonical(c, item);
        break;
    case JSON_STRING:
        canonical_text(c, json_string_value(node), json_string_length(node));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        canonical_number(c, json_number_text(c->arena, c->numbers, node));
        break;
    default:
        break;
    }
    buf_putc(&c->out, ';');
}

struct item {
    struct slice text;
    size_t index;
};

static int by_text(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = x->text.len != y->text.len ? (x->text.len < y->text.len ? -1 : 1) : memcmp(x->text.data, y->text.data, x->text.len);
    return order ? order : x->index < y->index ? -1 : 1;
}

bool find_duplicate(struct arena *arena, const struct json_numbers *numbers, const json_t *list, size_t *ret_first, size_t *ret_second)
{
    struct canon c = {.arena = arena, .numbers = numbers};
    size_t n = json_array_size(list);
    struct item *items;
    size_t *ends;
    if (n < 2)
        return false;
    items = arena_alloc(arena, n * sizeof *items);
    ends = arena_alloc(arena, n * sizeof *ends);
    buf_init(&c.out, arena, n * 16);
    for (size_t i = 0; i < n; i++) {
        canonical(&c, json_array_get(list, i));
        ends[i] = c.out.len;
    }
    for (size_t i = 0; i < n; i++) { /* only now, as the buffer has stopped moving */
        size_t start = i ? ends[i - 1] : 0;
        items[i] = (struct item){{c.out.data + start, ends[i] - start}, i};
    }
    qsort(items, n, sizeof *items, by_text);
    for (size_t i = 1; i < n; i++) {
        if (items[i].text.len == items[i - 1].text.len && memcmp(items[i].text.data, items[i - 1].text.data, items[i].text.len) == 0) {
            *ret_first = items[i - 1].index;
            *ret_second = items[i].index;
            return true;
        }
    }
    return false;
}
