/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: the first line is `METHOD target`, the others are headers `Name: value`. From the raw target to the values that are bound. */
#include "contract.h"

struct headers {
    struct arena *arena;
    struct slice lines;
};

static const char *header(void *cls, const char *name, size_t *ret_count)
{
    const struct headers *headers = cls;
    struct slice lines = headers->lines;
    const char *first = NULL;
    *ret_count = 0;
    while (lines.len > 0) {
        struct slice value = take_until(&lines, '\n'), own = take_until(&value, ':');
        if (!slice_is_nocase(own, name) || memchr(value.data, '\0', value.len))
            continue;
        value = slice_trim(value);
        if (!first)
            first = arena_strndup(headers->arena, value.data, value.len);
        ++*ret_count;
    }
    return first;
}

static void parse(struct ctx *ctx, const struct route *route, struct slice query, struct headers *headers)
{
    const struct operation *operation = route->operation;
    struct params params;
    enum status st = params_parse(ctx, operation, route, query, header, headers, &params);
    require_problem(ctx, st);
    if (st != ST_OK) {
        REQUIRE(st == ST_BAD_REQUEST || st == ST_NOT_FOUND || st == ST_PRECONDITION_REQUIRED);
        return;
    }
    for (size_t i = 0; i < operation->n_params; i++) {
        const struct value *v = &params.values[i];
        if (operation->params[i].required)
            REQUIRE(v->is_present);
        if (!v->is_present)
            continue;
        REQUIRE(v->text && strlen(v->text) == v->len && utf8_is_valid(v->text, v->len, false));
        REQUIRE(params_find(&params, operation->params[i].bind_name) == v);
    }
}

static void decode(struct arena *arena, struct slice raw)
{
    for (int plus_is_space = 0; plus_is_space < 2; plus_is_space++) {
        const char *text;
        size_t len;
        if (!percent_decode(arena, raw, plus_is_space, &text, &len))
            continue;
        REQUIRE(len <= raw.len && strlen(text) == len && utf8_is_valid(text, len, false));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = size % 2 ? LANG_EN : LANG_ID};
    struct headers headers = {ctx.arena, input(data, size)};
    struct slice query = take_until(&headers.lines, '\n'), method = take_until(&query, ' '), path = take_until(&query, '?');
    struct route route = {0};
    enum http_method m = http_method_parse(arena_strndup(ctx.arena, method.data, method.len));
    bool is_known = contract_route(the_contract(), m, path, &route);
    REQUIRE(is_known == (route.allow != NULL));
    if (is_known && route.operation) {
        REQUIRE(route.n_path_values <= ROUTE_PARAMS_MAX);
        parse(&ctx, &route, query, &headers);
        require_problem_is_json(&ctx);
    }
    decode(ctx.arena, path);
    decode(ctx.arena, query);
    arena_free(ctx.arena);
    return 0;
}
