/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers: growth, integers, JSON strings (RFC 8259), CSV fields (RFC 4180). */
#include "testing.h"

#include <jansson.h>

#include "asnd/arena.h"
#include "asnd/buf.h"

static void grows_alike_with_and_without_an_arena(void **state)
{
    struct arena *arena = arena_new(0);
    struct arena *const owners[] = {NULL, arena};
    (void)state;
    for (size_t o = 0; o < ARRAY_LEN(owners); o++) {
        struct buf buf;
        buf_init(&buf, owners[o], 0);
        assert_null(buf.data);
        for (int i = 0; i < 3000; i++) {
            buf_putc(&buf, (char)('a' + i % 26));
            BUF_LIT(&buf, "-");
        }
        assert_int_equal(buf.len, 6000);
        for (int i = 0; i < 3000; i++)
            assert_true(buf.data[2 * i] == 'a' + i % 26 && buf.data[2 * i + 1] == '-');
        buf_done(&buf);
        assert_true(buf.data == NULL && buf.len == 0 && buf.cap == 0);
        buf_puts(&buf, "again");
        assert_string_equal(buf_cstr(&buf), "again");
        buf_done(&buf);
    }
    arena_free(arena);
}

static void a_c_string_ends_without_counting_its_nul(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, NULL, 0);
    assert_string_equal(buf_cstr(&buf), "");
    for (size_t i = 0; i < 64; i++)
        buf_putc(&buf, 'x'); /* just full */
    assert_int_equal(strlen(buf_cstr(&buf)), 64);
    assert_int_equal(buf.len, 64);
    buf_put(&buf, NULL, 0);
    buf_printf(&buf, "%s", "");
    assert_int_equal(buf.len, 64);
    buf_done(&buf);
}

static void formats_of_any_length(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, NULL, 1);
    buf_printf(&buf, "%d|%*d|", 7, 5000, 1);
    assert_int_equal(buf.len, 2 + 5000 + 1);
    assert_true(buf.data[buf.len - 1] == '|' && buf.data[buf.len - 2] == '1');
    buf_done(&buf);
}

static void integers_to_both_limits(void **state)
{
    static const int64_t values[] = {0, 1, -1, 9, 10, -10, 1234567890, INT64_MAX, INT64_MIN};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct buf buf;
        char expected[24];
        buf_init(&buf, NULL, 0);
        buf_put_i64(&buf, values[i]);
        snprintf(expected, sizeof expected, "%lld", (long long)values[i]);
        assert_string_equal(buf_cstr(&buf), expected);
        buf_done(&buf);
    }
}

#define BAD "\xef\xbf\xbd"

static void json_strings(void **state)
{
    static const struct {
        const char *in;
        size_t len;
        const char *out;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain", 5, "\"plain\""},
        {"a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\""},
        {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
        {"\0\x01\x1f\x20\x7f", 5, "\"\\u0000\\u0001\\u001f \x7f\""},
        {"é漢😀", 9, "\"é漢😀\""},
        {"\xe2\x80\xa8\xe2\x80\xa9", 6, "\"\xe2\x80\xa8\xe2\x80\xa9\""},                                  /* U+2028, U+2029 stay */
        {"\xc0\x80", 2, "\"" BAD BAD "\""},                                                               /* overlong NUL */
        {"\xc1\xbf", 2, "\"" BAD BAD "\""},                                                               /* overlong */
        {"\xe0\x9f\xbf", 3, "\"" BAD BAD BAD "\""},                                                       /* overlong in three */
        {"\xf0\x8f\xbf\xbf", 4, "\"" BAD BAD BAD BAD "\""},                                               /* overlong in four */
        {"\xed\xa0\x80", 3, "\"" BAD BAD BAD "\""},                                                       /* surrogate */
        {"\xf4\x90\x80\x80", 4, "\"" BAD BAD BAD BAD "\""},                                               /* beyond U+10FFFF */
        {"\xf5", 1, "\"" BAD "\""},                                                                       /* never a lead byte */
        {"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", 10, "\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\""}, /* the neighbours are fine */
        {"a\x80z", 3, "\"a" BAD "z\""},                                                                   /* stray continuation */
        {"abc\xe6\xbc", 5, "\"abc" BAD BAD "\""},                                                         /* cut at the end */
        {"\xe6\"x", 3, "\"" BAD "\\\"x\""}, /* a lead byte must not swallow the quote */
        {"\xf0\x9f\x98\n", 4, "\"" BAD BAD BAD "\\n\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf buf;
        buf_init(&buf, NULL, 0);
        buf_json_string(&buf, cases[i].in, cases[i].len);
        assert_string_equal(buf_cstr(&buf), cases[i].out);
        buf_done(&buf);
    }
}

static void json_string_of_nothing(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, NULL, 0);
    buf_json_string(&buf, NULL, 0);
    assert_string_equal(buf_cstr(&buf), "\"\"");
    buf_done(&buf);
}

/* What is escaped, and where it stands in a word of eight, must not depend on each other: every byte at every place. */
static void every_byte_at_every_place_reads_back(void **state)
{
    (void)state;
    for (size_t at = 0; at < 20; at++) {
        for (int byte = 1; byte < 256; byte++) {
            char in[20];
            struct buf buf;
            json_t *back;
            memset(in, 'k', sizeof in);
            in[at] = (char)byte;
            buf_init(&buf, NULL, 0);
            buf_json_string(&buf, in, sizeof in);
            back = json_loadb(buf.data, buf.len, JSON_DECODE_ANY, NULL);
            assert_non_null(back);
            if (byte < 0x80) {
                assert_int_equal(json_string_length(back), sizeof in);
                assert_memory_equal(json_string_value(back), in, sizeof in);
            } else {
                assert_int_equal(json_string_length(back), sizeof in + 2);
                assert_memory_equal(json_string_value(back) + at, BAD "k", at == 19 ? 3 : 4);
            }
            json_decref(back);
            buf_done(&buf);
        }
    }
}

static void csv_fields(void **state)
{
    static const struct {
        const char *in;
        char delimiter;
        const char *out;
    } cases[] = {
        {"", ',', ""},
        {"plain text", ',', "plain text"},
        {"a,b", ',', "\"a,b\""},
        {"a,b", ';', "a,b"},
        {"a;b", ';', "\"a;b\""},
        {"say \"hi\"", ',', "\"say \"\"hi\"\"\""},
        {"two\nlines", ',', "\"two\nlines\""},
        {"cr\r", ',', "\"cr\r\""},
        {"\"", ',', "\"\"\"\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf buf;
        buf_init(&buf, NULL, 0);
        buf_csv_field(&buf, cases[i].in, strlen(cases[i].in), cases[i].delimiter);
        assert_string_equal(buf_cstr(&buf), cases[i].out);
        buf_done(&buf);
    }
}

static void grow_too_far(void)
{
    struct buf buf;
    buf_init(&buf, NULL, 8);
    buf_reserve(&buf, SIZE_MAX - 4);
}

static void impossible_growth_aborts(void **state)
{
    (void)state;
    assert_int_equal(signal_of(grow_too_far), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_alike_with_and_without_an_arena),
        cmocka_unit_test(a_c_string_ends_without_counting_its_nul),
        cmocka_unit_test(formats_of_any_length),
        cmocka_unit_test(integers_to_both_limits),
        cmocka_unit_test(json_strings),
        cmocka_unit_test(json_string_of_nothing),
        cmocka_unit_test(every_byte_at_every_place_reads_back),
        cmocka_unit_test(csv_fields),
        cmocka_unit_test(impossible_growth_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
