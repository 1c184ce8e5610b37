/* SPDX-License-Identifier: Apache-2.0 */
/* The exact text of JSON reals, whatever stands around them in the document. */
#include "testing.h"

#include "asnd/arena.h"
#include "asnd/decimal.h"

/* The texts of all numbers of a document in its order, with spaces between. */
static void collect(struct arena *arena, const struct json_numbers *numbers, const json_t *node, char *out)
{
    const char *key;
    json_t *value;
    size_t i;
    if (json_is_number(node)) {
        if (*out)
            strcat(out, " ");
        strcat(out, json_number_text(arena, numbers, node));
    }
    json_array_foreach(node, i, value) collect(arena, numbers, value, out);
    json_object_foreach((json_t *)(uintptr_t)node, key, value) collect(arena, numbers, value, out);
}

static void reals_keep_their_text(void **state)
{
    static const struct {
        const char *json, *texts;
    } cases[] = {
        {"[]", ""},
        {"1.50", "1.50"},
        {"-0.0", "-0.0"},
        {"[1, 2.0, 3]", "1 2.0 3"},
        {"[0.1,0.10,1e2,1E+2,1.0e-7]", "0.1 0.10 1e2 1E+2 1.0e-7"},
        {"[12345678901234567.1234567890123]", "12345678901234567.1234567890123"},
        {"{\"z\":1.10,\"a\":{\"m\":2.20,\"b\":[3.30,{\"x\":4.40}]},\"k\":5.50}", "1.10 2.20 3.30 4.40 5.50"},
        {"{\"1.5\":2.5,\"3e7\":[\"4.5\",\"-6.5e1\"],\"x\":7.5}", "2.5 7.5"},               /* digits in names and strings */
        {"[\"a\\\"1.5\", 2.50, \"\\\\\", 3.50, \"\\\\\\\"4.5\", 5.50]", "2.50 3.50 5.50"}, /* escaped quotes, escaped backslashes */
        {"[\"\\u0022 1.5\", 2.50]", "2.50"},
        {" [ true , false , null , 1.50 ] ", "1.50"}, /* an e in a word is no exponent */
        {"[-1,-1.0,0,-0.5]", "-1 -1.0 0 -0.5"},
        {"\n{\"a\"\t:\r\n1.50}\n", "1.50"},
        {"[[[[1.10]]],[[2.20],3.30],[]]", "1.10 2.20 3.30"},
        {"[9223372036854775807,-9223372036854775808,1.0]", "9223372036854775807 -9223372036854775808 1.0"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(0);
        size_t len = strlen(cases[i].json);
        json_t *root = json_loadb(cases[i].json, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        char out[512] = "";
        assert_non_null(root);
        collect(arena, json_numbers_new(arena, cases[i].json, len, root), root, out);
        assert_string_equal(out, cases[i].texts);
        json_decref(root);
        arena_free(arena);
    }
}

static void ten_thousand_reals_are_all_found(void **state)
{
    struct arena *arena = arena_new(0);
    char *json = arena_alloc(arena, 10000 * 16), *p = json;
    const struct json_numbers *numbers;
    json_t *root, *node;
    size_t i;
    (void)state;
    *p++ = '[';
    for (int n = 0; n < 10000; n++)
        p += sprintf(p, "%s%d.%04d0", n ? "," : "", n / 7, n);
    *p++ = ']';
    root = json_loadb(json, (size_t)(p - json), 0, NULL);
    numbers = json_numbers_new(arena, json, (size_t)(p - json), root);
    json_array_foreach(root, i, node)
    {
        char expected[48];
        snprintf(expected, sizeof expected, "%zu.%04zu0", i / 7, i);
        assert_string_equal(json_number_text(arena, numbers, node), expected);
    }
    json_decref(root);
    arena_free(arena);
}

static void values_are_exact(void **state)
{
    static const char json[] = "[0.1, 0.2, 0.3, 1.005, 3, \"4\", 1e-400]";
    struct arena *arena = arena_new(0);
    json_t *root = json_loads(json, 0, NULL);
    const struct json_numbers *numbers = json_numbers_new(arena, json, sizeof json - 1, root);
    struct decimal a, b, c;
    (void)state;
    decimal_init(&a);
    decimal_init(&b);
    decimal_init(&c);
    assert_true(json_number_decimal(numbers, json_array_get(root, 0), &a));
    assert_true(json_number_decimal(numbers, json_array_get(root, 1), &b));
    assert_true(json_number_decimal(numbers, json_array_get(root, 2), &c));
    decimal_add(&a, &a, &b);
    assert_int_equal(decimal_compare(&a, &c), 0); /* 0.1 + 0.2 = 0.3 */
    assert_true(json_number_decimal(numbers, json_array_get(root, 3), &a));
    assert_string_equal(decimal_format(arena, &a, 2, ROUND_HALF_UP), "1.01");
    assert_true(json_number_decimal(numbers, json_array_get(root, 4), &a));
    assert_string_equal(decimal_format(arena, &a, 0, ROUND_DOWN), "3");
    assert_false(json_number_decimal(numbers, json_array_get(root, 5), &a));
    assert_true(json_number_decimal(numbers, json_array_get(root, 6), &a)); /* a double would be 0 */
    assert_int_equal(decimal_sign(&a), 1);
    decimal_done(&a);
    decimal_done(&b);
    decimal_done(&c);
    json_decref(root);
    arena_free(arena);
}

static void numbers_beyond_the_bounds_are_refused(void **state)
{
    char json[500];
    struct arena *arena = arena_new(0);
    const struct json_numbers *numbers;
    struct decimal d;
    json_t *root;
    (void)state;
    decimal_init(&d);
    snprintf(json, sizeof json, "[0.%0*d]", 420, 1);
    root = json_loads(json, 0, NULL);
    assert_non_null(root);
    numbers = json_numbers_new(arena, json, strlen(json), root);
    assert_false(json_number_decimal(numbers, json_array_get(root, 0), &d));
    assert_int_equal(strlen(json_number_text(arena, numbers, json_array_get(root, 0))), 422);
    json_decref(root);
    decimal_done(&d);
    arena_free(arena);
}

static void nodes_of_no_document_are_read_by_their_shortest_text(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.1, "0.1"}, {2.5, "2.5"}, {1.0 / 3, "0.3333333333333333"}, {5.0, "5"}, {1e21, "1e+21"}, {-0.25, "-0.25"}};
    struct arena *arena = arena_new(0);
    json_t *other = json_loads("[9.90]", 0, NULL), *number = json_integer(42), *text = json_string("x");
    const struct json_numbers *numbers = json_numbers_new(arena, "[9.90]", 6, other);
    struct decimal d;
    (void)state;
    decimal_init(&d);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        json_t *real = json_real(cases[i].value);
        assert_string_equal(json_number_text(arena, NULL, real), cases[i].text);
        assert_string_equal(json_number_text(arena, numbers, real), cases[i].text);
        assert_true(json_number_decimal(numbers, real, &d));
        json_decref(real);
    }
    assert_string_equal(json_number_text(arena, NULL, number), "42");
    assert_string_equal(json_number_text(arena, numbers, text), "");
    json_decref(other);
    json_decref(number);
    json_decref(text);
    decimal_done(&d);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reals_keep_their_text),
        cmocka_unit_test(ten_thousand_reals_are_all_found),
        cmocka_unit_test(values_are_exact),
        cmocka_unit_test(numbers_beyond_the_bounds_are_refused),
        cmocka_unit_test(nodes_of_no_document_are_read_by_their_shortest_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
