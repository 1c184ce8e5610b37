/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies: the first line names an operation of openapi.yaml (or picks one), the rest is what a client sends. */
#include "contract.h"

static const struct operation *pick(struct slice name)
{
    size_t n, n_bodies = 0, wanted;
    const struct operation *all = contract_operations(the_contract(), &n);
    for (size_t i = 0; i < n; i++) {
        if (all[i].has_body && slice_is(name, all[i].id))
            return &all[i];
        n_bodies += all[i].has_body;
    }
    wanted = hash_of(name) % n_bodies;
    for (size_t i = 0; i < n; i++)
        if (all[i].has_body && wanted-- == 0)
            return &all[i];
    return NULL;
}

/* What is bound is text that PostgreSQL can be given. */
static void require_members(const struct operation *operation, const struct params *params)
{
    for (size_t i = 0; i < operation->n_body_members; i++) {
        const struct value *v = &params->members[i];
        if (!v->text)
            continue;
        REQUIRE(v->is_present && !v->is_null);
        REQUIRE(strlen(v->text) == v->len);
        REQUIRE(utf8_is_valid(v->text, v->len, false));
        REQUIRE(params_find(params, operation->body_members[i].name) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = input(data, size);
    const struct operation *operation = pick(take_until(&rest, '\n'));
    struct ctx ctx = {.arena = arena_new(0), .lang = size % 2 ? LANG_EN : LANG_ID};
    struct params params = {.operation = operation,
                            .values = arena_zalloc_array(ctx.arena, operation->n_params + 1, sizeof(struct value)),
                            .members = arena_zalloc_array(ctx.arena, operation->n_body_members + 1, sizeof(struct value))};
    enum status st = params_parse_body(&ctx, rest, &params);
    require_problem(&ctx, st);
    if (st == ST_OK)
        require_members(operation, &params);
    else
        REQUIRE(st == ST_BAD_REQUEST || st == ST_INVALID);
    require_problem_is_json(&ctx);
    arena_free(ctx.arena);
    return 0;
}
