/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a request: the first line is a raw target, the rest is header lines, which are also read as Accept, Prefer, If-None-Match and
 * Range. */
#include "../../src/engine/internal.h"
#include "../../src/http/frame.h"

#include "fuzz.h"

/* As the library leaves its buffer: CR LF, line feed alone and the colon behind a name are NUL bytes. */
static void lay_out(char *block, size_t len)
{
    bool in_name = true;
    for (size_t i = 0; i < len; i++) {
        bool is_end = block[i] == '\n' || (block[i] == '\r' && i + 1 < len && block[i + 1] == '\n');
        if (is_end && block[i] == '\r')
            block[i++] = '\0';
        if (is_end || (in_name && block[i] == ':')) {
            block[i] = '\0';
            in_name = is_end;
        }
    }
}

static void read_head(struct ctx *ctx, struct slice target, struct slice lines)
{
    struct head head = {.method = "GET"};
    char *block = malloc(lines.len + 1); /* of its own, so that a step beyond it is seen */
    enum status st = frame_read_target(ctx, target, 8192, &head);
    REQUIRE(block);
    require_problem(ctx, st);
    if (st == ST_OK && !head.is_asterisk)
        REQUIRE(head.path.len > 0 && head.path.data[0] == '/' && head.path.len <= target.len);
    problem_clear(ctx);
    if (lines.len)
        memcpy(block, lines.data, lines.len);
    lay_out(block, lines.len);
    st = frame_read_headers(ctx, block, lines.len, &head);
    if (st == ST_OK) {
        REQUIRE(head.n_headers <= FRAME_HEADERS_MAX);
        for (size_t i = 0; i < head.n_headers; i++)
            REQUIRE(*head.headers[i].name && frame_first(&head, head.headers[i].name, NULL));
        st = frame_check(ctx, &head);
        if (st == ST_OK)
            REQUIRE(head.content_length >= -1);
        for (size_t i = 0; i < head.n_headers; i++) {
            const char *name = head.headers[i].name;
            size_t count;
            REQUIRE(frame_header(ctx->arena, &head, name) == head.headers[i].value);
            frame_first(&head, name, &count);
            REQUIRE(count == 1);
        }
    }
    require_problem(ctx, st);
    free(block);
}

/* Whatever it says, a part lies within. */
static void read_range(const char *value)
{
    static const int64_t sizes[] = {1, 5, 262144, INT64_C(268435456)};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct range range = {0};
        if (range_read(value, sizes[i], &range) == RANGE_PART)
            REQUIRE(range.first >= 0 && range.len > 0 && range.first + range.len <= sizes[i]);
    }
}

static void read_values(struct arena *arena, struct slice lines)
{
    static const char *const types[] = {"application/json", "text/csv", "application/x-ndjson"};
    while (lines.len > 0) {
        struct slice line = take_until(&lines, '\n');
        const char *value = arena_strndup(arena, line.data, line.len), *chosen = negotiate(value, types, ARRAY_LEN(types));
        bool is_one = chosen == NULL;
        for (size_t i = 0; i < ARRAY_LEN(types); i++)
            is_one |= chosen == types[i];
        REQUIRE(is_one);
        media_type_is(value, "application/json");
        prefer_has(value, "dry-run");
        etag_matches(value, "\"7\"");
        read_range(value);
        REQUIRE(!frame_is_request_id(value) || strlen(value) <= 64);
        frame_language(value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = size % 2 ? LANG_EN : LANG_ID};
    struct slice lines = input(data, size), target = take_until(&lines, '\n');
    read_head(&ctx, target, lines);
    read_values(ctx.arena, lines);
    arena_free(ctx.arena);
    return 0;
}
