/* SPDX-License-Identifier: Apache-2.0 */
/* Accept, Content-Type, Prefer and entity tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "internal.h"

/* last: it has a macro named fail */
#include <cmocka.h>

static void accept_picks_the_best_form(void **state)
{
    static const char *const types[] = {"application/json", "text/csv", "application/x-ndjson"};
    static const struct {
        const char *accept, *expected;
    } cases[] = {
        {NULL, "application/json"},
        {"", "application/json"},
        {"*/*", "application/json"},
        {"text/csv", "text/csv"},
        {"TEXT/CSV", "text/csv"},
        {"text/*", "text/csv"},
        {"application/json;q=0.5, text/csv", "text/csv"},
        {"application/json;q=0, */*", "text/csv"},
        {"text/html, application/xhtml+xml, */*;q=0.8", "application/json"},
        {"application/x-ndjson; charset=utf-8", "application/x-ndjson"},
        {"image/png", NULL},
        {"text/csv;q=0", NULL},
        {"application/jso", NULL},
        {"application/json ; q=0.3 , text/csv ; q=0.4", "text/csv"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *got = negotiate(cases[i].accept, types, ARRAY_LEN(types));
        if (!cases[i].expected)
            assert_null(got);
        else
            assert_string_equal(got, cases[i].expected);
    }
}

static void media_types_ignore_case_and_parameters(void **state)
{
    (void)state;
    assert_true(media_type_is("application/json", "application/json"));
    assert_true(media_type_is("Application/JSON; charset=utf-8", "application/json"));
    assert_true(media_type_is(" text/csv ;header=present", "text/csv"));
    assert_false(media_type_is("application/jsonx", "application/json"));
    assert_false(media_type_is("", "application/json"));
}

static void prefer_finds_a_token_among_others(void **state)
{
    (void)state;
    assert_true(prefer_has("dry-run", "dry-run"));
    assert_true(prefer_has("respond-async, dry-run; x=1", "dry-run"));
    assert_true(prefer_has("DRY-RUN", "dry-run"));
    assert_false(prefer_has("dry-running", "dry-run"));
    assert_false(prefer_has("foo=\"dry-run, x\"", "dry-run"));
    assert_false(prefer_has(NULL, "dry-run"));
}

static void if_none_match_compares_weakly(void **state)
{
    (void)state;
    assert_true(etag_matches("\"7-ab\"", "\"7-ab\""));
    assert_true(etag_matches("W/\"7-ab\"", "\"7-ab\""));
    assert_true(etag_matches("\"1-x\", \"7-ab\"", "\"7-ab\""));
    assert_true(etag_matches("*", "\"7-ab\""));
    assert_false(etag_matches("\"8-ab\"", "\"7-ab\""));
    assert_false(etag_matches("7-ab", "\"7-ab\""));
    assert_false(etag_matches("", "\"7-ab\""));
    assert_true(etag_matches("\"\\\", \"7-ab\"", "\"7-ab\"")); /* a backslash hides no quote */
}

static void if_match_names_a_set_of_versions(void **state)
{
    static const struct {
        const char *header, *versions;
    } cases[] = {
        {"\"12-0123456789abcdef\"", "{[12,12]}"},
        {"\"12\"", "{[12,12]}"},
        {"\"0\"", "{[0,0]}"},
        {" \"3\" ", "{[3,3]}"},
        {"*", "{(,)}"},
        {" * ", "{(,)}"},
        {"\"12\", \"13-0123456789abcdef\"", "{[12,12],[13,13]}"},
        {",\"12\",,\t\"13\" ,", "{[12,12],[13,13]}"},
        {"W/\"12\", \"13\"", "{[13,13]}"},
        {"\"*\"", "{}"},
        {"W/\"12-0123456789abcdef\"", "{}"},
        {"\"0001\"", "{}"},
        {"\"00\"", "{}"},
        {"\"\"", "{}"},
        {"\"x-1\"", "{}"},
        {"\"12x\"", "{}"},
        {"\"12-\"", "{}"},
        {"\"12-0123456789abcde\"", "{}"},
        {"\"12-0123456789abcdef0\"", "{}"},
        {"\"12-0123456789ABCDEF\"", "{}"},
        {"\"-5\"", "{}"},
        {"\"+5\"", "{}"},
        {"\"123456789012345678\"", "{[123456789012345678,123456789012345678]}"},
        {"\"1234567890123456789\"", "{}"},
        {"\"\\\", \"7\"", "{[7,7]}"}, /* a backslash hides no quote */
        {"12", "{}"},
        {"\"12", "{}"},
        {"", "{}"},
    };
    struct arena *arena = arena_new(0);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(if_match_versions(arena, cases[i].header), cases[i].versions);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_picks_the_best_form),        cmocka_unit_test(media_types_ignore_case_and_parameters),
        cmocka_unit_test(prefer_finds_a_token_among_others), cmocka_unit_test(if_none_match_compares_weakly),
        cmocka_unit_test(if_match_names_a_set_of_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
