/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL's text forms as JSON and as plain text, and which types a contract may name. */
#include "testing.h"

static const struct {
    Oid type;
    const char *text, *json, *plain;
} values[] = {
    {16, "t", "true", "true"},
    {16, "f", "false", "false"},
    {21, "-7", "-7", "-7"},
    {20, "9223372036854775807", "9223372036854775807", "9223372036854775807"},
    {701, "1.5e-07", "1.5e-07", "1.5e-07"},
    {701, "NaN", "null", ""},
    {700, "-Infinity", "null", ""},
    {1700, "123456789012345678901234567890.10", "123456789012345678901234567890.10", "123456789012345678901234567890.10"},
    {1700, "NaN", "null", ""},
    {25, "say \"hi\"\n", "\"say \\\"hi\\\"\\n\"", "say \"hi\"\n"},
    {25, "", "\"\"", ""},
    {1082, "2026-11-25", "\"2026-11-25\"", "2026-11-25"},
    {1184, "2026-11-25 01:02:03.4+00", "\"2026-11-25T01:02:03.4+00:00\"", "2026-11-25T01:02:03.4+00:00"},
    {1184, "2026-11-25 01:02:03-09:30", "\"2026-11-25T01:02:03-09:30\"", "2026-11-25T01:02:03-09:30"},
    {1184, "infinity", "\"infinity\"", "infinity"},
    {1184, "0044-03-15 00:00:00+00 BC", "\"0044-03-15 00:00:00+00 BC\"", "0044-03-15 00:00:00+00 BC"},
    {1114, "2026-11-25 01:02:03", "\"2026-11-25T01:02:03\"", "2026-11-25T01:02:03"},
    {1266, "01:02:03+00", "\"01:02:03+00\"", "01:02:03+00"},
    {1186, "P1DT2H", "\"P1DT2H\"", "P1DT2H"},
    {17, "\\x00ff", "\"\\\\x00ff\"", "\\x00ff"},
    {114, "{\"a\": [1]}", "{\"a\": [1]}", "{\"a\": [1]}"},
    {3802, "null", "null", "null"},
    {2950, "018f4e3a-0000-7000-8000-000000000001", "\"018f4e3a-0000-7000-8000-000000000001\"", "018f4e3a-0000-7000-8000-000000000001"},
    {123456, "root.a.b", "\"root.a.b\"", "root.a.b"}, /* an extension's type */
    {1007, "{1,2,NULL}", "[1,2,null]", "1;2;"},
    {1007, "{}", "[]", ""},
    {1007, "{{1,2},{3,4}}", "[[1,2],[3,4]]", "1;2;3;4"},
    {1007, "[0:1]={5,6}", "[5,6]", "5;6"},
    {1009, "{a,\"b, \\\"c\\\"\",\"\",\"NULL\",NULL,\"\\\\\"}", "[\"a\",\"b, \\\"c\\\"\",\"\",\"NULL\",null,\"\\\\\"]",
     "a;b, \"c\";;NULL;;\\"},
    {1009, "{\"{}\",\"}\"}", "[\"{}\",\"}\"]", "{};}"},
    {1000, "{t,f,NULL}", "[true,false,null]", "true;false;"},
    {1231, "{1.50,NaN}", "[1.50,null]", "1.50;"},
    {1185, "{\"2026-11-25 01:02:03+00\"}", "[\"2026-11-25T01:02:03+00:00\"]", "2026-11-25T01:02:03+00:00"},
    {3807, "{\"{\\\"a\\\": 1}\",NULL}", "[{\"a\": 1},null]", "{\"a\": 1};"},
};

static void values_are_rendered_by_type(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct buf json, plain;
        enum render_kind kind = render_kind_of(values[i].type);
        buf_init(&json, NULL, 0);
        buf_init(&plain, NULL, 0);
        render_json(&json, kind, values[i].text, strlen(values[i].text));
        render_plain(&plain, kind, values[i].text, strlen(values[i].text));
        if (strcmp(buf_cstr(&json), values[i].json) != 0)
            fail_msg("%s of %s: %s, not %s", values[i].text, type_name(values[i].type), json.data, values[i].json);
        if (strcmp(buf_cstr(&plain), values[i].plain) != 0)
            fail_msg("%s of %s: %s, not %s", values[i].text, type_name(values[i].type), plain.data, values[i].plain);
        buf_done(&json);
        buf_done(&plain);
    }
}

/* An array that breaks off cannot come from PostgreSQL; reading it must end all the same. */
static void broken_arrays_end(void **state UNUSED)
{
    static const char *const texts[] = {"{", "{\"a", "{\"a\\", "[1:2", "[1:2]=", "{1,", "}{"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        size_t len = strlen(texts[i]);
        char *exact = malloc(len);
        struct buf out;
        memcpy(exact, texts[i], len); /* without a NUL, so that a step too far is seen */
        buf_init(&out, NULL, 0);
        render_json(&out, RENDER_ARRAY_STRING, exact, len);
        assert_true(out.len < 20);
        buf_done(&out);
        free(exact);
    }
}

static const struct {
    Oid type;
    char kind, item;
    const char *format;
    bool fits;
} fittings[] = {
    {25, 's', 0, NULL, true},      {25, 's', 0, "date", true},    {25, 'i', 0, NULL, false},         {1082, 's', 0, "date", true},
    {1082, 's', 0, NULL, true},    {1082, 's', 0, "uuid", false}, {1184, 's', 0, "date-time", true}, {1184, 's', 0, "date", false},
    {2950, 's', 0, "uuid", true},  {2950, 's', 0, "nip", false},  {23, 'i', 0, NULL, true},          {23, 'n', 0, NULL, true},
    {23, 's', 0, NULL, false},     {1700, 'n', 0, NULL, true},    {1700, 'i', 0, NULL, true},        {701, 'i', 0, NULL, false},
    {16, 'b', 0, NULL, true},      {16, 's', 0, NULL, false},     {3802, 'o', 0, NULL, true},        {3802, 'a', 's', NULL, true},
    {1009, 'a', 's', NULL, true},  {1009, 'a', 'i', NULL, false}, {1009, 's', 0, NULL, false},       {1007, 'a', 'i', NULL, true},
    {1007, 'a', 'a', NULL, true},  {1007, 'a', 0, NULL, true},    {25, 'a', 's', NULL, false},       {123456, 's', 0, NULL, true},
    {123456, 'o', 0, NULL, false}, {25, '*', 0, NULL, true},      {1000, '*', 0, NULL, true},        {25, 'o', 0, NULL, false},
};

static void types_fit_the_contract_or_not(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(fittings); i++)
        if (type_fits(fittings[i].type, fittings[i].kind, fittings[i].item, fittings[i].format) != fittings[i].fits)
            fail_msg("%s as %c/%c (%s)", type_name(fittings[i].type), fittings[i].kind, fittings[i].item ? fittings[i].item : '-',
                     fittings[i].format ? fittings[i].format : "-");
}

static void types_have_names(void **state UNUSED)
{
    assert_string_equal(type_name(20), "bigint");
    assert_string_equal(type_name(1009), "text[]");
    assert_string_equal(type_name(123456), "type 123456");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_rendered_by_type),
        cmocka_unit_test(broken_arrays_end),
        cmocka_unit_test(types_fit_the_contract_or_not),
        cmocka_unit_test(types_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
