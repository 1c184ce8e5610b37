/* SPDX-License-Identifier: Apache-2.0 */
/* Range by RFC 9110: which part, the whole, or none; and the head that follows from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "internal.h"

/* last: it has a macro named fail */
#include <cmocka.h>

static void a_header_means_a_part_the_whole_or_nothing(void **state)
{
    static const struct {
        const char *header;
        int64_t size;
        enum range_wish wish;
        int64_t first, len;
    } cases[] = {
        {"bytes=0-499", 10000, RANGE_PART, 0, 500}, /* the examples of RFC 9110, 14.1.2 */
        {"bytes=500-999", 10000, RANGE_PART, 500, 500},
        {"bytes=-500", 10000, RANGE_PART, 9500, 500},
        {"bytes=9500-", 10000, RANGE_PART, 9500, 500},
        {"bytes=0-0", 10000, RANGE_PART, 0, 1},
        {"bytes=0-0,-1", 10000, RANGE_WHOLE, 0, 0}, /* several: whoever asks so takes the whole as well */
        {"bytes= 0-999, 4500-5499, -1000", 10000, RANGE_WHOLE, 0, 0},
        {"bytes=0-9", 5, RANGE_PART, 0, 5},
        {"bytes=4-4", 5, RANGE_PART, 4, 1},
        {"bytes=4-", 5, RANGE_PART, 4, 1},
        {"bytes=5-", 5, RANGE_NONE, 0, 0},
        {"bytes=5-9", 5, RANGE_NONE, 0, 0},
        {"bytes=-5", 5, RANGE_PART, 0, 5},
        {"bytes=-6", 5, RANGE_PART, 0, 5},
        {"bytes=-0", 5, RANGE_NONE, 0, 0},
        {"bytes=-00", 5, RANGE_NONE, 0, 0},
        {"bytes=000-001", 5, RANGE_PART, 0, 2},
        {"bytes=0-9223372036854775807", 5, RANGE_PART, 0, 5},
        {"bytes=0-99999999999999999999999999", 5, RANGE_PART, 0, 5},
        {"bytes=99999999999999999999999999-", 5, RANGE_NONE, 0, 0},
        {"bytes=-99999999999999999999999999", 5, RANGE_PART, 0, 5},
        {"BYTES=1-2", 5, RANGE_PART, 1, 2},
        {"bytes=,, 1-2 ,", 5, RANGE_PART, 1, 2}, /* empty elements of a list say nothing (5.6.1) */
        {"bytes=2-1", 5, RANGE_WHOLE, 0, 0},
        {"bytes=", 5, RANGE_WHOLE, 0, 0},
        {"bytes=-", 5, RANGE_WHOLE, 0, 0},
        {"bytes=,", 5, RANGE_WHOLE, 0, 0},
        {"bytes=1", 5, RANGE_WHOLE, 0, 0},
        {"bytes=1-2-3", 5, RANGE_WHOLE, 0, 0},
        {"bytes=+1-2", 5, RANGE_WHOLE, 0, 0},
        {"bytes=1 -2", 5, RANGE_WHOLE, 0, 0},
        {"bytes=0x1-2", 5, RANGE_WHOLE, 0, 0},
        {"bytes", 5, RANGE_WHOLE, 0, 0},
        {"bytes:1-2", 5, RANGE_WHOLE, 0, 0},
        {"chars=1-2", 5, RANGE_WHOLE, 0, 0},
        {"", 5, RANGE_WHOLE, 0, 0},
        {NULL, 5, RANGE_WHOLE, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct range range = {0, 0};
        enum range_wish wish = range_read(cases[i].header, cases[i].size, &range);
        if (wish != cases[i].wish || range.first != cases[i].first || range.len != cases[i].len)
            print_error("%s of %lld: %d %lld+%lld\n", cases[i].header, (long long)cases[i].size, (int)wish, (long long)range.first,
                        (long long)range.len);
        assert_int_equal(wish, cases[i].wish);
        assert_int_equal(range.first, cases[i].first);
        assert_int_equal(range.len, cases[i].len);
    }
}

static const char *header_of(const struct outcome *out, const char *name)
{
    for (const struct outcome_header *h = out->headers; h; h = h->next)
        if (strcmp(h->name, name) == 0)
            return h->value;
    return NULL;
}

static void conditions_come_before_the_range(void **state)
{
    static const struct {
        const char *range, *if_range, *none_match;
        bool is_head;
        int http;
        int64_t length, sent;
        const char *content_range;
    } cases[] = {
        {NULL, NULL, NULL, false, 200, 100, 100, NULL},
        {"bytes=10-19", NULL, NULL, false, 206, 10, 10, "bytes 10-19/100"},
        {"bytes=10-19", "\"t\"", NULL, false, 206, 10, 10, "bytes 10-19/100"},
        {"bytes=10-19", " \"t\" ", NULL, false, 206, 10, 10, "bytes 10-19/100"},
        {"bytes=10-19", "W/\"t\"", NULL, false, 200, 100, 100, NULL},
        {"bytes=10-19", "\"u\"", NULL, false, 200, 100, 100, NULL},
        {"bytes=100-", "\"u\"", NULL, false, 200, 100, 100, NULL},
        {"bytes=10-19", NULL, "\"u\"", false, 206, 10, 10, "bytes 10-19/100"},
        {"bytes=10-19", NULL, "\"t\"", false, 200, 100, 0, NULL}, /* the engine makes it a 304 */
        {"bytes=100-", NULL, "W/\"t\"", false, 200, 100, 0, NULL},
        {"bytes=10-19", NULL, NULL, true, 200, 100, 0, NULL},
        {"bytes=100-", NULL, NULL, true, 200, 100, 0, NULL},
        {"bytes=100-", NULL, NULL, false, 0, 0, 0, "bytes */100"},
    };
    static const char *const names[] = {"range", "if_range", "if_none_match"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
        const struct operation operation = {.id = "x"};
        struct params in = {.operation = &operation};
        struct outcome out = {0};
        struct stream_io io = {.is_head = cases[i].is_head, .outcome = &out};
        const char *const texts[] = {cases[i].range, cases[i].if_range, cases[i].none_match};
        struct range range;
        enum status st;
        for (size_t k = 0; k < ARRAY_LEN(names); k++)
            params_derive(&ctx, &in, names[k], texts[k]);
        st = stream_head(&ctx, &in, &io, "\"t\"", "image/png", 100, &range);
        assert_int_equal(st, cases[i].http ? ST_OK : ST_RANGE_NOT_SATISFIABLE);
        assert_int_equal(out.http_status, cases[i].http);
        assert_int_equal(out.length, cases[i].length);
        if (st == ST_OK)
            assert_int_equal(range.len, cases[i].sent);
        if (cases[i].content_range)
            assert_string_equal(header_of(&out, "Content-Range"), cases[i].content_range);
        else
            assert_null(header_of(&out, "Content-Range"));
        arena_free(ctx.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_means_a_part_the_whole_or_nothing),
        cmocka_unit_test(conditions_come_before_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
