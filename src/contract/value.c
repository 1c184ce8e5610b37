/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values as JSON Schema sees them: their types, equality (1 is 1.0) and a hash that agrees with it. */
#include "internal.h"

#include <string.h>

unsigned value_types(const struct json_numbers *numbers, const json_t *node)
{
    struct decimal d;
    unsigned types = TYPE_NUMBER;
    switch (json_typeof(node)) {
    case JSON_OBJECT:
        return TYPE_OBJECT;
    case JSON_ARRAY:
        return TYPE_ARRAY;
    case JSON_STRING:
        return TYPE_STRING;
    case JSON_INTEGER:
        return TYPE_INTEGER | TYPE_NUMBER;
    case JSON_REAL:
        decimal_init(&d);
        if (json_number_decimal(numbers, node, &d) && decimal_is_integer(&d))
            types |= TYPE_INTEGER;
        decimal_done(&d);
        return types;
    case JSON_TRUE:
    case JSON_FALSE:
        return TYPE_BOOLEAN;
    case JSON_NULL:
        break;
    }
    return TYPE_NULL;
}

static bool equal_numbers(const struct json_numbers *numbers, const json_t *a, const json_t *b)
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

bool value_equal(const struct json_numbers *numbers, const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return equal_numbers(numbers, a, b);
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_array(a)) {
        if (json_array_size(a) != json_array_size(b))
            return false;
        for (size_t i = 0; i < json_array_size(a); i++)
            if (!value_equal(numbers, json_array_get(a, i), json_array_get(b, i)))
                return false;
        return true;
    }
    if (json_is_object(a)) {
        const char *key;
        json_t *value;
        if (json_object_size(a) != json_object_size(b))
            return false;
        json_object_foreach((json_t *)(uintptr_t)a, key, value)
        {
            const json_t *other = json_object_get(b, key);
            if (!other || !value_equal(numbers, value, other))
                return false;
        }
        return true;
    }
    return json_equal(a, b);
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    return (h ^ v) * 0x100000001b3u;
}

/* Equal values have equal hashes: numbers by their reduced fraction, objects without regard to order. */
uint64_t value_hash(const struct json_numbers *numbers, const json_t *node)
{
    uint64_t h = mix(0xcbf29ce484222325u, json_is_number(node) ? JSON_INTEGER : (uint64_t)json_typeof(node));
    if (json_is_number(node)) {
        struct decimal d;
        decimal_init(&d);
        if (json_number_decimal(numbers, node, &d)) {
            h = mix(h, mpz_get_ui(mpq_numref(d.q)));
            h = mix(h, mpz_get_ui(mpq_denref(d.q)) + (uint64_t)(mpq_sgn(d.q) + 1));
        }
        decimal_done(&d);
    } else if (json_is_string(node)) {
        for (size_t i = 0; i < json_string_length(node); i++)
            h = mix(h, (unsigned char)json_string_value(node)[i]);
    } else if (json_is_array(node)) {
        for (size_t i = 0; i < json_array_size(node); i++)
            h = mix(h, value_hash(numbers, json_array_get(node, i)));
    } else if (json_is_object(node)) {
        const char *key;
        json_t *value;
        uint64_t sum = 0;
        json_object_foreach((json_t *)(uintptr_t)node, key, value)
        {
            uint64_t one = value_hash(numbers, value);
            for (const char *c = key; *c; c++)
                one = mix(one, (unsigned char)*c);
            sum += one;
        }
        h = mix(h, sum);
    }
    return h;
}
