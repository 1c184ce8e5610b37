/* SPDX-License-Identifier: Apache-2.0 */
/* YAML as the contract is written in: scalars of the core schema, lines of nodes, and everything that is refused with its line. */
#include "testing.h"

#include "internal.h"

static char *nested(const char *open, const char *middle, const char *close, int n)
{
    char *text = calloc(1, (strlen(open) + strlen(close)) * (size_t)n + strlen(middle) + 1), *p = text;
    assert_non_null(text);
    for (int i = 0; i < n; i++)
        p = stpcpy(p, open);
    p = stpcpy(p, middle);
    for (int i = 0; i < n; i++)
        p = stpcpy(p, close);
    return text;
}

static void scalars_follow_the_core_schema(void **state)
{
    static const struct {
        const char *yaml, *json;
    } cases[] = {
        {"", "null"},
        {"~", "null"},
        {"null", "null"},
        {"Null", "null"},
        {"NULL", "null"},
        {"nULL", "\"nULL\""},
        {"true", "true"},
        {"True", "true"},
        {"TRUE", "true"},
        {"false", "false"},
        {"False", "false"},
        {"FALSE", "false"},
        {"yes", "\"yes\""}, /* YAML 1.1, gone since */
        {"no", "\"no\""},
        {"on", "\"on\""},
        {"0", "0"},
        {"7", "7"},
        {"-7", "-7"},
        {"+7", "7"},
        {"-0", "0"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"0.5", "0.5"},
        {".5", "0.5"},
        {"1.", "1.0"},
        {"1e3", "1000.0"},
        {"-1.5E-3", "-0.0015"},
        {"0.1", "0.1"},
        {"1e", "\"1e\""},
        {"1e+", "\"1e+\""},
        {"e1", "\"e1\""},
        {".", "\".\""},
        {"+", "\"+\""},
        {"--5", "\"--5\""},
        {"+-5", "\"+-5\""},
        {"1.2.3", "\"1.2.3\""},
        {"3.1.0", "\"3.1.0\""},
        {"2026-01-31", "\"2026-01-31\""},
        {"1_000", "\"1_000\""},
        {"0x10", "\"0x10\""},
        {".inf", "\".inf\""},
        {".nan", "\".nan\""},
        {"\"7\"", "\"7\""},
        {"'true'", "\"true\""},
        {"!!str 7", "\"7\""},
        {"! 007", "\"007\""},
        {"\"\"", "\"\""},
        {"\"a\\u00e9\\n\"", "\"a\xc3\xa9\\n\""},
        {"|\n    two\n    lines\n", "\"two\\nlines\\n\""},
        {">-\n    one\n    line\n", "\"one line\""},
        {"[1, [a], {b: c}]", "[1,[\"a\"],{\"b\":\"c\"}]"},
        {"&name anchored", "\"anchored\""}, /* harmless as long as nobody refers to it */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(0);
        struct node_map *places;
        char *yaml = arena_printf(arena, "v: %s\n", cases[i].yaml), *json;
        json_t *root = yaml_parse(yaml, strlen(yaml), "t", stderr, arena, &places);
        if (!root)
            fail_msg("not read: %s", yaml);
        json = json_dumps(json_object_get(root, "v"), JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        if (cases[i].json && strcmp(json, cases[i].json) != 0)
            fail_msg("%s is read as %s", yaml, json);
        free(json);
        json_decref(root);
        arena_free(arena);
    }
}

static void nodes_have_their_lines(void **state)
{
    static const char yaml[] = "# comment\n"
                               "a: one\n"
                               "b:\n"
                               "  - x\n"
                               "  - y: z\n"
                               "c: {d: 4}\n"
                               "e: null\n";
    struct arena *arena = arena_new(0);
    struct node_map *places;
    json_t *root = yaml_parse(yaml, strlen(yaml), "t", stderr, arena, &places), *b;
    (void)state;
    assert_non_null(root);
    b = json_object_get(root, "b");
    assert_int_equal(places_line(places, root), 2);
    assert_int_equal(places_line(places, json_object_get(root, "a")), 2);
    assert_int_equal(places_line(places, b), 4);
    assert_int_equal(places_line(places, json_array_get(b, 1)), 5);
    assert_int_equal(places_line(places, json_object_get(json_array_get(b, 1), "y")), 5);
    assert_int_equal(places_line(places, json_object_get(json_object_get(root, "c"), "d")), 6);
    assert_int_equal(places_line(places, json_object_get(root, "e")), 0); /* null is one node for all */
    assert_int_equal(places_line(NULL, root), 0);
    json_decref(root);
    arena_free(arena);
}

static void many_nodes_keep_their_lines(void **state)
{
    struct arena *arena = arena_new(0);
    struct node_map *places;
    struct buf yaml;
    json_t *root;
    (void)state;
    buf_init(&yaml, arena, 1 << 17);
    for (int i = 0; i < 9000; i++)
        buf_printf(&yaml, "k%d: v%d\n", i, i);
    root = yaml_parse(yaml.data, yaml.len, "t", stderr, arena, &places);
    assert_non_null(root);
    for (int i = 0; i < 9000; i++)
        assert_int_equal(places_line(places, json_object_get(root, arena_printf(arena, "k%d", i))), i + 1);
    json_decref(root);
    arena_free(arena);
}

static void refused(const char *yaml, size_t len, const char *expected)
{
    struct arena *arena = arena_new(0);
    struct node_map *places;
    struct heard heard;
    json_t *root = yaml_parse(yaml, len, "t", hear(&heard)->file, arena, &places);
    const char *said = heard_text(&heard);
    if (root)
        fail_msg("read though it should not be: %s", yaml);
    if (strncmp(said, expected, strlen(expected)) != 0 || !*said || strchr(said, '\n') != said + strlen(said) - 1)
        fail_msg("%s\nsays: %snot: %s", yaml, said, expected);
    heard_done(&heard);
    arena_free(arena);
}

static void faults_are_told_with_their_line(void **state)
{
    static const struct {
        const char *yaml, *said;
    } cases[] = {
        {"a: 1\na: 2\n", "t:2: the key \"a\" stands twice\n"},
        {"a: 1\n\"a\": 2\n", "t:2: the key \"a\" stands twice\n"},
        {"x:\n  b: {c: 1, c: 2}\n", "t:2: the key \"c\" stands twice\n"},
        {"a: &x 1\nb: *x\n", "t:2: aliases are not understood here\n"},
        {"a: &x {b: 1}\nc:\n  <<: *x\n", "t:3: aliases are not understood here\n"},
        {"a: 1\n*x : 2\n", "t:2: a key must be a scalar\n"},
        {"? [1, 2]\n: 3\n", "t:1: a key must be a scalar\n"},
        {"a: 1\nb: !!int \"3\"\n", "t:2: tags are not understood here\n"},
        {"a: 007\n", "t:1: a number must not begin with 0; quote it if it is a text\n"},
        {"a: -08\n", "t:1: a number must not begin with 0; quote it if it is a text\n"},
        {"a:\n- 9223372036854775808\n", "t:2: this number has too many digits; quote it if it is a text\n"},
        {"a:\n- 1e999\n", "t:2: this number has too many digits or too large an exponent\n"},
        {"a: \"x\\0y\"\n", "t:1: a text must not hold NUL\n"},
        {"\"x\\0y\": a\n", "t:1: a key must not hold NUL\n"},
        {"a: 0.1234567890123456\n", "t:1: this number has too many digits or too large an exponent\n"}, /* a double would round it */
        {"", "t:1: there is nothing in it\n"},
        {"# only words\n", "t:2: there is nothing in it\n"},
        {"a: 1\n---\nb: 2\n", "t:2: there must be one document only\n"},
        {"a: 1\n...\nb: 2\n", "t:3: "},
        {"a: [1, 2\n", "t:2: "},
        {"a: {b: 1\nc\n", "t:"},
        {"a: 'open\n", "t:2: "},
        {"a: b\n c: d\n", "t:2: "},
        {"a: \"\\q\"\n", "t:1: "},
        {"\ta: 1\n", "t:1: "},
        {"a: \xff\n", "t:"},
        {"a: \xc0\xaf\n", "t:"},
        {"a: \x01\n", "t:"},
        {"%YAML 9.9\n---\na: 1\n", "t:"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        refused(cases[i].yaml, strlen(cases[i].yaml), cases[i].said);
    refused("a: x\0y\n", 7, "t:");
    refused("\xff\xfe"
            "a\0:\0",
            6, "t:"); /* UTF-16 is not asked for */
}

static void depth_is_bounded(void **state)
{
    char *deepest = nested("[", "1", "]", 98), *deeper = nested("[", "1", "]", 99), *hostile = nested("{a: ", "1", "}", 50000);
    struct arena *arena = arena_new(0);
    struct node_map *places;
    char *yaml = arena_printf(arena, "a: %s\n", deepest);
    json_t *root = yaml_parse(yaml, strlen(yaml), "t", stderr, arena, &places);
    (void)state;
    assert_non_null(root); /* the mapping, 98 lists and the number: 100 */
    json_decref(root);
    yaml = arena_printf(arena, "a: %s\n", deeper);
    refused(yaml, strlen(yaml), "t:1: this is nested too deep\n");
    refused(hostile, strlen(hostile), "t:1: this is nested too deep\n");
    free(deepest);
    free(deeper);
    free(hostile);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_follow_the_core_schema),
        cmocka_unit_test(nodes_have_their_lines),
        cmocka_unit_test(many_nodes_keep_their_lines),
        cmocka_unit_test(faults_are_told_with_their_line),
        cmocka_unit_test(depth_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
