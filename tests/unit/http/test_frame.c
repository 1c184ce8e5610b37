/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts of the door: header lines, targets, what headers mean together, languages, request ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "asnd/arena.h"
#include "frame.h"

#include <cmocka.h> /* last: its macro fail hides ours */

struct world {
    struct ctx ctx;
    struct head head;
};

static struct world *world_new(void)
{
    struct arena *arena = arena_new(0);
    struct world *w = arena_zalloc(arena, sizeof(*w));

    w->ctx.arena = arena;
    w->ctx.lang = LANG_EN;
    w->head.method = "GET";
    return w;
}

static void world_free(struct world *w)
{
    arena_free(w->ctx.arena);
}

/* Reads a block given as a literal, its last NUL not counted. */
#define READ(w, literal) read_block((w), literal, sizeof(literal) - 1)

static enum status read_block(struct world *w, const char *bytes, size_t len)
{
    return frame_read_headers(&w->ctx, arena_strndup(w->ctx.arena, bytes, len), len, &w->head);
}

/* ── header lines ── */

static void header_lines_are_read_and_trimmed(void **state)
{
    struct world *w = world_new();
    size_t count;

    (void)state;
    assert_int_equal(READ(w, "\0\0Host\0 a\0\0X-Empty\0\0\0X-Two\0  1\t \0\0x-two\0\xc3\xa9\0\0\0\0"), ST_OK);
    assert_int_equal(w->head.n_headers, 4);
    assert_string_equal(frame_first(&w->head, "host", NULL), "a");
    assert_string_equal(frame_first(&w->head, "X-Empty", NULL), "");
    assert_string_equal(frame_first(&w->head, "X-TWO", &count), "1");
    assert_int_equal(count, 2);
    assert_null(frame_first(&w->head, "X-Three", &count));
    assert_int_equal(count, 0);
    world_free(w);
}

static void lines_of_one_name_are_joined_once(void **state)
{
    struct world *w = world_new();
    const char *joined;

    (void)state;
    assert_int_equal(READ(w, "\0\0A\0 1\0\0B\0x\0\0a\0 \0\0C\0y\0\0A\0 2;q=0, 3\0\0b\0z\0\0\0\0"), ST_OK);
    joined = frame_header(w->ctx.arena, &w->head, "a");
    assert_string_equal(joined, "1, , 2;q=0, 3");
    assert_ptr_equal(frame_header(w->ctx.arena, &w->head, "A"), joined);
    assert_int_equal(w->head.n_headers, 4);
    assert_string_equal(frame_header(w->ctx.arena, &w->head, "C"), "y");
    assert_string_equal(frame_header(w->ctx.arena, &w->head, "B"), "x, z");
    assert_null(frame_header(w->ctx.arena, &w->head, "D"));
    assert_int_equal(w->head.n_headers, 3);
    world_free(w);
}

static void head_without_headers_is_read(void **state)
{
    struct world *w = world_new();

    (void)state;
    assert_int_equal(READ(w, "\0\0\0\0"), ST_OK);
    assert_int_equal(w->head.n_headers, 0);
    world_free(w);
}

struct bytes {
    const char *label, *data;
    size_t len;
};
#define BYTES(label, literal)                                                                                                              \
    {                                                                                                                                      \
        label, literal, sizeof(literal) - 1                                                                                                \
    }

static void broken_header_blocks_are_refused(void **state)
{
    static const struct bytes cases[] = {
        BYTES("nothing", ""),
        BYTES("one byte", "\0"),
        BYTES("no end", "\0\0"),
        BYTES("half an end", "\0\0\0"),
        BYTES("line feed after the request line", "\0Host\0a\0\0\0\0"),
        BYTES("line feed after a header", "\0\0Host\0a\0\0\0"),
        BYTES("line feed between headers", "\0\0Host\0a\0X\0b\0\0\0\0"),
        BYTES("bytes behind the end", "\0\0Host\0a\0\0\0\0x"),
        BYTES("value without end", "\0\0Host\0a"),
        BYTES("name without value", "\0\0Host"),
        BYTES("name and colon at the very end", "\0\0Host\0"),
        BYTES("no name", "\0\0:\0a\0\0\0\0"),
        BYTES("folded", "\0\0Host\0a\0\0 b\0\0\0\0"),
        BYTES("blank before the colon", "\0\0Host \0a\0\0\0\0"),
        BYTES("carriage return in value", "\0\0Host\0a\rb\0\0\0\0"),
        BYTES("control byte in value", "\0\0Host\0a\x01\0\0\0\0"),
        BYTES("delete in value", "\0\0Host\0a\x7f\0\0\0\0"),
        BYTES("NUL in value", "\0\0Host\0a\0b\0\0\0\0"),
        BYTES("high byte in name", "\0\0H\xf6st\0a\0\0\0\0"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = world_new();

        if (read_block(w, cases[i].data, cases[i].len) != ST_BAD_REQUEST)
            fail_msg("let through: %s", cases[i].label);
        assert_string_equal(w->ctx.problem.code, "bad-framing");
        world_free(w);
    }
}

static void one_header_too_many_is_refused(void **state)
{
    char block[2 + (FRAME_HEADERS_MAX + 1) * 5 + 2] = {0};

    (void)state;
    for (size_t n = FRAME_HEADERS_MAX; n <= FRAME_HEADERS_MAX + 1; n++) {
        struct world *w = world_new();

        for (size_t i = 0; i < n; i++)
            memcpy(block + 2 + i * 5, "a\0b\0\0", 5);
        assert_int_equal(read_block(w, block, 2 + n * 5 + 2), n > FRAME_HEADERS_MAX ? ST_HEAD_TOO_LARGE : ST_OK);
        world_free(w);
    }
}

/* ── targets ── */

static void targets_are_split_raw(void **state)
{
    static const struct {
        const char *raw, *path, *query;
    } cases[] = {
        {"/", "/", NULL},
        {"/a%2Fb/../c", "/a%2Fb/../c", NULL},
        {"/a?", "/a", ""},
        {"/a?b=c?d", "/a", "b=c?d"},
        {"http://h/a?b", "/a", "b"},
        {"HTTPS://h:1", "/", NULL},
        {"http://[::1]?q", "/", "q"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = world_new();

        assert_int_equal(frame_read_target(&w->ctx, slice_of(cases[i].raw), 100, &w->head), ST_OK);
        assert_true(slice_is(w->head.path, cases[i].path));
        assert_int_equal(w->head.query.data == NULL, cases[i].query == NULL);
        assert_true(!cases[i].query || slice_is(w->head.query, cases[i].query));
        world_free(w);
    }
}

static void bad_targets_are_refused(void **state)
{
    static const char *const cases[] = {"",
                                        "a",
                                        "*",
                                        "/a b",
                                        "/a%",
                                        "/a%4",
                                        "/%zz",
                                        "/%0",
                                        "/%00",
                                        "/a?%00",
                                        "/#",
                                        "/\\",
                                        "/\xc3\xa9",
                                        "/\x7f",
                                        "//\x01",
                                        "http://",
                                        "http:///a",
                                        "http:/a",
                                        "ftp://h",
                                        "h:80",
                                        "http://u@h",
                                        "http://h:p/",
                                        "http://h:123456/",
                                        "http://[::1",
                                        "http://[]/",
                                        "http://h%41/"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = world_new();

        if (frame_read_target(&w->ctx, slice_of(cases[i]), 100, &w->head) != ST_BAD_REQUEST)
            fail_msg("let through: %s", cases[i]);
        assert_string_equal(w->ctx.problem.code, "bad-target");
        world_free(w);
    }
}

static void target_at_its_limit_is_taken(void **state)
{
    struct world *w = world_new();

    (void)state;
    assert_int_equal(frame_read_target(&w->ctx, SLICE_LIT("/1234"), 5, &w->head), ST_OK);
    assert_int_equal(frame_read_target(&w->ctx, SLICE_LIT("/12345"), 5, &w->head), ST_TARGET_TOO_LONG);
    world_free(w);
}

static void asterisk_is_for_options_alone(void **state)
{
    struct world *w = world_new();

    (void)state;
    w->head.method = "OPTIONS";
    assert_int_equal(frame_read_target(&w->ctx, SLICE_LIT("*"), 5, &w->head), ST_OK);
    assert_true(w->head.is_asterisk);
    world_free(w);
}

static void any_token_is_a_method(void **state)
{
    static const struct {
        const char *name;
        enum status st;
    } cases[] = {
        {"GET", ST_OK},
        {"TRACE", ST_OK},
        {"PROPFIND", ST_OK},
        {"CONNECT", ST_OK},
        {"get", ST_OK},
        {"M-SEARCH", ST_OK},
        {"!#$%&'*+-.^_`|~09azAZ", ST_OK},
        {"12345678901234567890123456789012", ST_OK},
        {"123456789012345678901234567890123", ST_NOT_IMPLEMENTED},
        {"", ST_BAD_REQUEST},
        {"G(T", ST_BAD_REQUEST},
        {"G\tT", ST_BAD_REQUEST},
        {"G\xc3\x8bT", ST_BAD_REQUEST},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = world_new();

        if (frame_read_method(&w->ctx, cases[i].name, &w->head) != cases[i].st)
            fail_msg("not the expected status: %s", cases[i].name);
        assert_string_equal(w->head.method, cases[i].st == ST_OK ? cases[i].name : "GET");
        world_free(w);
    }
}

static void no_tunnel_is_opened(void **state)
{
    static const struct {
        const char *target;
        enum status st;
    } cases[] = {
        {"a.test:80", ST_NOT_IMPLEMENTED}, {"[::1]:443", ST_NOT_IMPLEMENTED}, {"/a", ST_OK}, {"*", ST_BAD_REQUEST}, {"", ST_BAD_REQUEST}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = world_new();

        w->head.method = "CONNECT";
        if (frame_read_target(&w->ctx, slice_of(cases[i].target), 100, &w->head) != cases[i].st)
            fail_msg("not the expected status: %s", cases[i].target);
        world_free(w);
    }
}

/* ── headers together ── */

static void headers_mean_what_they_mean_together(void **state)
{
    static const struct {
        const char *label, *headers; /* name|value|name|value… */
        bool is_http10;
        enum status st;
        int64_t length;
        bool wants_close;
    } cases[] = {
        {"no body", "Host|a", false, ST_OK, 0, false},
        {"length", "Host|a|Content-Length|10", false, ST_OK, 10, false},
        {"length zero", "Host|a|Content-Length|000", false, ST_OK, 0, false},
        {"largest length", "Host|a|Content-Length|999999999999999999", false, ST_OK, 999999999999999999, false},
        {"larger length", "Host|a|Content-Length|1000000000000000000", false, ST_BODY_TOO_LARGE, 0, false},
        {"chunked", "Host|a|Transfer-Encoding|Chunked", false, ST_OK, -1, false},
        {"two lengths", "Host|a|Content-Length|1|content-length|1", false, ST_BAD_REQUEST, 0, false},
        {"both", "Host|a|Content-Length|1|Transfer-Encoding|chunked", false, ST_BAD_REQUEST, 0, false},
        {"coding in 1.0", "Transfer-Encoding|chunked", true, ST_BAD_REQUEST, 0, true},
        {"two codings", "Host|a|Transfer-Encoding|chunked|Transfer-Encoding|chunked", false, ST_NOT_IMPLEMENTED, 0, false},
        {"no host", "X|a", false, ST_BAD_REQUEST, 0, false},
        {"no host in 1.0", "X|a", true, ST_OK, 0, true},
        {"kept in 1.0", "Connection|Keep-Alive", true, ST_OK, 0, false},
        {"close", "Host|a|Connection|x,close", false, ST_OK, 0, true},
        {"close on a second line", "Host|a|Connection|x|Connection|close", false, ST_OK, 0, true},
        {"not quite close", "Host|a|Connection|closed", false, ST_OK, 0, false},
        {"expectation", "Host|a|Expect|100-Continue", false, ST_OK, 0, false},
        {"expectation unknown", "Host|a|Expect|100-continue, x", false, ST_EXPECTATION_FAILED, 0, false},
        {"expectation in 1.0", "Expect|x", true, ST_OK, 0, true},
        {"two lists", "Host|a|Accept|x|accept|y|If-Match|1|If-Match|2", false, ST_OK, 0, false},
        {"two authorizations", "Host|a|Authorization|x|authorization|x", false, ST_BAD_REQUEST, 0, false},
        {"two types", "Host|a|Content-Type|x|CONTENT-TYPE|y", false, ST_BAD_REQUEST, 0, false},
        {"two keys", "Host|a|Idempotency-Key|x|Idempotency-Key|", false, ST_BAD_REQUEST, 0, false},
        {"two keys in 1.0", "Idempotency-Key|x|Idempotency-Key|x", true, ST_BAD_REQUEST, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = world_new();
        char *text = arena_strdup(w->ctx.arena, cases[i].headers), *rest = text;
        struct header headers[8];

        for (char *name; (name = strsep(&rest, "|"));)
            headers[w->head.n_headers++] = (struct header){name, strsep(&rest, "|")};
        w->head.headers = headers;
        w->head.is_http10 = cases[i].is_http10;
        if (frame_check(&w->ctx, &w->head) != cases[i].st)
            fail_msg("%s: not the expected status", cases[i].label);
        assert_int_equal(w->head.wants_close, cases[i].wants_close);
        if (cases[i].st == ST_OK) {
            assert_int_equal(w->head.content_length, cases[i].length);
            assert_int_equal(w->head.has_body, cases[i].length != 0);
        }
        world_free(w);
    }
}

/* ── language, request id ── */

static void liked_language_is_found(void **state)
{
    static const struct {
        const char *header;
        enum lang lang;
    } cases[] = {
        {NULL, LANG_ID},          {"", LANG_ID},           {"en", LANG_EN},
        {"EN-us", LANG_EN},       {"id, en", LANG_ID},     {"id;q=0.999, en", LANG_EN},
        {"fr", LANG_ID},          {"*", LANG_ID},          {"en;q=0", LANG_ID},
        {"id;q=0, *", LANG_EN},   {"en;q=0.001", LANG_EN}, {"en;q=1.001", LANG_ID},
        {"en;q=0.1234", LANG_ID}, {"en;q=x", LANG_ID},     {"en;level=1", LANG_ID},
        {",,;;,en", LANG_EN},     {"english", LANG_ID},    {"en ; q=0.5 , id ; q=0.4", LANG_EN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (frame_language(cases[i].header) != cases[i].lang)
            fail_msg("wrong language for: %s", cases[i].header);
}

static void sane_request_ids_are_kept(void **state)
{
    char longest[66];

    (void)state;
    memset(longest, 'a', 65);
    longest[65] = '\0';
    assert_false(frame_is_request_id(longest));
    assert_true(frame_is_request_id(longest + 1));
    assert_true(frame_is_request_id("A.b_c-9"));
    assert_false(frame_is_request_id(""));
    assert_false(frame_is_request_id("a b"));
    assert_false(frame_is_request_id("a\"b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_lines_are_read_and_trimmed),
        cmocka_unit_test(lines_of_one_name_are_joined_once),
        cmocka_unit_test(head_without_headers_is_read),
        cmocka_unit_test(broken_header_blocks_are_refused),
        cmocka_unit_test(one_header_too_many_is_refused),
        cmocka_unit_test(targets_are_split_raw),
        cmocka_unit_test(bad_targets_are_refused),
        cmocka_unit_test(target_at_its_limit_is_taken),
        cmocka_unit_test(asterisk_is_for_options_alone),
        cmocka_unit_test(any_token_is_a_method),
        cmocka_unit_test(no_tunnel_is_opened),
        cmocka_unit_test(headers_mean_what_they_mean_together),
        cmocka_unit_test(liked_language_is_found),
        cmocka_unit_test(sane_request_ids_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
