/* SPDX-License-Identifier: Apache-2.0 */
/* The exact text of JSON reals. jansson keeps them as doubles, so the source is lexed once more for its real numbers; they come in the same
 * order as a walk through the tree (objects keep their order of insertion, duplicate members were refused). */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/decimal.h"

struct slot {
    const json_t *node;
    const char *text;
};

struct json_numbers {
    struct slot *slots; /* open addressing; at most half full */
    size_t mask;
    const char *at, *end; /* while lexing */
};

/* The next token with a point or exponent outside strings; NULL at the end. */
static const char *next_real(struct json_numbers *n, size_t *ret_len)
{
    while (n->at < n->end) {
        const char *start = n->at;
        bool real = false;
        if (*start == '"') {
            for (n->at++; n->at < n->end && *n->at != '"'; n->at++)
                if (*n->at == '\\')
                    n->at++;
            n->at++;
            continue;
        }
        if (*start != '-' && (*start < '0' || *start > '9')) {
            n->at++;
            continue;
        }
        while (n->at < n->end && strchr("+-.eE0123456789", *n->at) && *n->at) {
            real |= *n->at == '.' || *n->at == 'e' || *n->at == 'E';
            n->at++;
        }
        if (real) {
            *ret_len = (size_t)(n->at - start);
            return start;
        }
    }
    return NULL;
}

static size_t count_reals(struct json_numbers n)
{
    size_t count = 0, len;
    while (next_real(&n, &len))
        count++;
    return count;
}

static size_t home(const struct json_numbers *n, const json_t *node)
{
    return (size_t)(((uintptr_t)node >> 4) * 0x9e3779b97f4a7c15u >> 20) & n->mask;
}

static void put(struct json_numbers *n, const json_t *node, const char *text)
{
    size_t i = home(n, node);
    while (n->slots[i].node)
        i = (i + 1) & n->mask;
    n->slots[i] = (struct slot){node, text};
}

static void walk(struct arena *arena, struct json_numbers *n, const json_t *node)
{
    if (json_is_real(node)) {
        size_t len;
        const char *text = next_real(n, &len);
        if (text)
            put(n, node, arena_strndup(arena, text, len));
    } else if (json_is_array(node)) {
        size_t i;
        json_t *item;
        json_array_foreach(node, i, item) walk(arena, n, item);
    } else if (json_is_object(node)) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)node, key, value) walk(arena, n, value);
    }
}

struct json_numbers *json_numbers_new(struct arena *arena, const char *text, size_t len, const json_t *root)
{
    struct json_numbers *n = arena_zalloc(arena, sizeof *n);
    size_t cap = 4, reals;
    n->at = text;
    n->end = text + len;
    reals = count_reals(*n);
    while (cap < reals * 2)
        cap *= 2;
    n->mask = cap - 1;
    n->slots = arena_zalloc_array(arena, cap, sizeof *n->slots);
    if (reals)
        walk(arena, n, root);
    return n;
}

static const char *known_text(const struct json_numbers *n, const json_t *node)
{
    if (!n)
        return NULL;
    for (size_t i = home(n, node); n->slots[i].node; i = (i + 1) & n->mask)
        if (n->slots[i].node == node)
            return n->slots[i].text;
    return NULL;
}

#define SHORT_TEXT 40

/* The shortest text that reads back as this double. */
static void shortest(double value, char ret[SHORT_TEXT])
{
    for (int precision = 1; precision <= 17; precision++) {
        double back;
        snprintf(ret, SHORT_TEXT, "%.*g", precision, value);
        if (sscanf(ret, "%lf", &back) == 1 && back == value)
            return;
    }
}

static bool write_number(const struct json_numbers *numbers, const json_t *node, char scratch[SHORT_TEXT], const char **ret)
{
    const char *known = known_text(numbers, node);
    *ret = known ? known : scratch;
    if (known)
        return true;
    if (json_is_integer(node))
        snprintf(scratch, SHORT_TEXT, "%" JSON_INTEGER_FORMAT, json_integer_value(node));
    else if (json_is_real(node))
        shortest(json_real_value(node), scratch);
    else
        return false;
    return true;
}

const char *json_number_text(struct arena *arena, const struct json_numbers *numbers, const json_t *node)
{
    char scratch[SHORT_TEXT];
    const char *text;
    if (!write_number(numbers, node, scratch, &text))
        return "";
    return text == scratch ? arena_strdup(arena, text) : text;
}

bool json_number_decimal(const struct json_numbers *numbers, const json_t *node, struct decimal *ret)
{
    char scratch[SHORT_TEXT];
    const char *text;
    return write_number(numbers, node, scratch, &text) && decimal_parse(ret, text, strlen(text));
}
