/* SPDX-License-Identifier: Apache-2.0 */
/* Slices, UTF-8, percent decoding and its traps, likeness of names. */
#include "testing.h"

#include "asnd/arena.h"
#include "asnd/text.h"

static void slices(void **state)
{
    struct slice nothing = {NULL, 0};
    (void)state;
    assert_true(slice_is(SLICE_LIT("abc"), "abc"));
    assert_false(slice_is(SLICE_LIT("abc"), "ab"));
    assert_false(slice_is(SLICE_LIT("ab"), "abc"));
    assert_false(slice_is(SLICE_LIT("ABC"), "abc"));
    assert_true(slice_is_nocase(SLICE_LIT("Content-TYPE"), "content-type"));
    assert_false(slice_is_nocase(SLICE_LIT("content-typ"), "content-type"));
    assert_true(slice_is(nothing, "") && slice_is_nocase(nothing, ""));
    assert_true(slice_is(slice_trim(slice_of(" \t\r\n a b \r\n")), "a b"));
    assert_true(slice_is(slice_trim(slice_of(" \t ")), ""));
    assert_int_equal(slice_trim(nothing).len, 0);
}

static void utf8(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool is_valid;
    } cases[] = {
        {"", 0, true},
        {"Kabupaten", 9, true},
        {"é漢😀", 9, true},
        {"\x7f", 1, true},
        {"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 18, true}, /* the first and last of each length */
        {"\xed\x9f\xbf\xee\x80\x80", 6, true},                                                  /* around the surrogates */
        {"\x80", 1, false},
        {"\xc0\xaf", 2, false},
        {"\xc1\xbf", 2, false},
        {"\xe0\x9f\xbf", 3, false},
        {"\xed\xa0\x80", 3, false},
        {"\xed\xbf\xbf", 3, false},
        {"\xf0\x8f\xbf\xbf", 4, false},
        {"\xf4\x90\x80\x80", 4, false},
        {"\xf5\x80\x80\x80", 4, false},
        {"\xff", 1, false},
        {"\xc3", 1, false},
        {"\xe6\xbc", 2, false},
        {"\xf0\x9f\x98", 3, false},
        {"\xc3\x28", 2, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(utf8_is_valid(cases[i].bytes, cases[i].len, true), cases[i].is_valid);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) { /* behind and before text that is taken eight bytes at a time */
        for (size_t before = 0; before < 17; before++) {
            char text[64];
            size_t len = before + cases[i].len;
            memset(text, 'k', sizeof text);
            memcpy(text + before, cases[i].bytes, cases[i].len);
            assert_int_equal(utf8_is_valid(text, len, false), cases[i].is_valid);
            assert_int_equal(utf8_is_valid(text, len + 9, false), cases[i].is_valid);
            text[before + cases[i].len + 3] = '\0';
            assert_false(utf8_is_valid(text, len + 9, false));
            assert_int_equal(utf8_is_valid(text, len + 9, true), cases[i].is_valid);
        }
    }
    assert_true(utf8_is_valid(NULL, 0, false));
    assert_true(utf8_is_valid("a\0b", 3, true));
    assert_false(utf8_is_valid("a\0b", 3, false));
    assert_int_equal(utf8_length("é漢😀a", 10), 4);
}

static void windows_1252(void **state)
{
    char out[4] = "";
    int n_chars = 0;
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        size_t n = utf8_of_windows_1252((unsigned char)byte, out);
        assert_true(n == 0 || (utf8_is_valid(out, n, false) && utf8_length(out, n) == 1));
        n_chars += n > 0;
    }
    assert_int_equal(n_chars, 128 - 5); /* 81, 8D, 8F, 90 and 9D are none */
    assert_int_equal(utf8_of_windows_1252(0xe9, out), 2);
    assert_memory_equal(out, "é", 2);
    assert_int_equal(utf8_of_windows_1252(0x92, out), 3);
    assert_memory_equal(out, "’", 3);
    assert_int_equal(utf8_of_windows_1252(0x80, out), 3);
    assert_memory_equal(out, "€", 3);
    assert_int_equal(utf8_length("", 0), 0);
}

static void percent_decoding(void **state)
{
    static const struct {
        const char *in;
        bool plus;
        const char *out; /* NULL: refused */
    } cases[] = {
        {"", false, ""},
        {"plain", false, "plain"},
        {"a%20b", false, "a b"},
        {"a+b", false, "a+b"},
        {"a+b%2Bc", true, "a b+c"},
        {"%2F", false, "/"},
        {"%2f", false, "/"},
        {"%2e%2e%2f", false, "../"},
        {"%C3%A9", false, "é"},
        {"%F0%9F%98%80", false, "😀"},
        {"%2525", false, "%25"}, /* once, not twice */
        {"%", false, NULL},
        {"%4", false, NULL},
        {"abc%", false, NULL},
        {"abc%4", false, NULL},
        {"%4g", false, NULL},
        {"%g4", false, NULL},
        {"% 4", false, NULL},
        {"%+4", true, NULL},
        {"%u0041", false, NULL},
        {"%00", false, NULL},
        {"a%00b", false, NULL},
        {"%c0%af", false, NULL},       /* overlong slash */
        {"%c0%80", false, NULL},       /* overlong NUL */
        {"%e0%80%af", false, NULL},    /* overlong slash in three */
        {"%ed%a0%80", false, NULL},    /* surrogate */
        {"%f4%90%80%80", false, NULL}, /* beyond U+10FFFF */
        {"%ff", false, NULL},
        {"%c3", false, NULL}, /* cut */
        {"\xff", false, NULL},
    };
    struct arena *arena = arena_new(0);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *text = "untouched";
        size_t len = 99;
        bool fine = percent_decode(arena, slice_of(cases[i].in), cases[i].plus, &text, &len);
        assert_int_equal(fine, cases[i].out != NULL);
        assert_string_equal(text, fine ? cases[i].out : "untouched");
        assert_int_equal(len, fine ? strlen(cases[i].out) : 99);
    }
    arena_free(arena);
}

static void percent_decoding_stays_inside_its_slice(void **state)
{
    struct arena *arena = arena_new(0);
    const char *text;
    size_t len;
    (void)state;
    assert_false(percent_decode(arena, (struct slice){"%41", 2}, false, &text, &len));
    assert_true(percent_decode(arena, (struct slice){"%41%42", 3}, false, &text, &len));
    assert_string_equal(text, "A");
    assert_false(percent_decode(arena, (struct slice){"a\0b", 3}, false, &text, &len));
    assert_true(percent_decode(arena, (struct slice){NULL, 0}, false, &text, &len));
    assert_string_equal(text, "");
    arena_free(arena);
}

static void distances(void **state)
{
    static const struct {
        const char *a, *b;
        size_t limit, distance;
    } cases[] = {
        {"", "", 5, 0},
        {"abc", "abc", 5, 0},
        {"abc", "ABC", 5, 0},
        {"abc", "abd", 5, 1},
        {"abc", "ab", 5, 1},
        {"abc", "xabc", 5, 1},
        {"nip", "npi", 5, 1},
        {"kitten", "sitting", 5, 3},
        {"", "abcd", 5, 4},
        {"ca", "abc", 5, 3}, /* optimal alignment, not the unrestricted form */
        {"abcdef", "uvwxyz", 2, 3},
        {"a", "abcdef", 2, 3},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(text_distance(cases[i].a, cases[i].b, cases[i].limit), cases[i].distance);
        assert_int_equal(text_distance(cases[i].b, cases[i].a, cases[i].limit), cases[i].distance);
    }
}

static void distance_of_long_names_stops_at_once(void **state)
{
    char a[200], b[200];
    (void)state;
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    a[64] = b[65] = '\0';
    assert_int_equal(text_distance(a, b, 3), 4);
    a[64] = 'a';
    a[199] = b[199] = '\0';
    assert_int_equal(text_distance(a, b, 3), 4);
    b[64] = a[64] = '\0';
    assert_int_equal(text_distance(a, b, 3), 0);
}

static void nearest_names(void **state)
{
    static const char *const names[] = {"nip",          "unit",       "status",     "birth_date", "log_level",
                                        "log_requests", "head_limit", "body_limit", "page_size"};
    static const struct {
        const char *name, *nearest;
    } cases[] = {
        {"nip", "nip"},
        {"NIP", "nip"},
        {"npi", "nip"},
        {"nik", "nip"},
        {"jp", NULL},
        {"birthDate", "birth_date"},
        {"birth-date", "birth_date"},
        {"birhtdate", "birth_date"},
        {"statsu", "status"},
        {"stat", "status"}, /* abbreviates one name */
        {"log", NULL},      /* abbreviates two */
        {"log_levels", "log_level"},
        {"hed_limit", "head_limit"},
        {"bod_limit", "body_limit"},
        {"pagesize", "page_size"},
        {"colour", NULL},
        {"st", NULL}, /* too short to abbreviate */
        {"x", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *found = text_nearest(cases[i].name, names, ARRAY_LEN(names));
        assert_int_equal(found != NULL, cases[i].nearest != NULL);
        if (found)
            assert_string_equal(found, cases[i].nearest);
    }
    assert_null(text_nearest("nip", NULL, 0));
}

static void among_equals_the_longer_common_beginning_wins(void **state)
{
    static const char *const names[] = {"xody", "bodi"};
    (void)state;
    assert_string_equal(text_nearest("body", names, 2), "bodi");
}

static void hex(void **state)
{
    static const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    char text[9];
    (void)state;
    hex_encode(bytes, sizeof bytes, text);
    assert_string_equal(text, "000fa5ff");
    hex_encode(bytes, 0, text);
    assert_string_equal(text, "");
}

static void versions(void **state)
{
    (void)state;
    assert_true(version_is_at_least("0.9.75", "0.9.75"));
    assert_true(version_is_at_least("10.42 2022-12-11", "10.9"));
    assert_true(version_is_at_least("2.14", "2.8.1"));
    assert_true(version_is_at_least("15.18", "15"));
    assert_true(version_is_at_least("1.44.2-dev", "1.44.2"));
    assert_false(version_is_at_least("2.5", "2.8"));
    assert_false(version_is_at_least("15", "15.1"));
    assert_false(version_is_at_least("0.9.9", "0.9.71"));
    assert_false(version_is_at_least("", "1"));
    assert_false(version_is_at_least("unknown", "0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices),
        cmocka_unit_test(utf8),
        cmocka_unit_test(windows_1252),
        cmocka_unit_test(percent_decoding),
        cmocka_unit_test(percent_decoding_stays_inside_its_slice),
        cmocka_unit_test(distances),
        cmocka_unit_test(distance_of_long_names_stops_at_once),
        cmocka_unit_test(nearest_names),
        cmocka_unit_test(among_equals_the_longer_common_beginning_wins),
        cmocka_unit_test(hex),
        cmocka_unit_test(versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
