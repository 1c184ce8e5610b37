/* SPDX-License-Identifier: Apache-2.0 */
/* The validator: the first line is a JSON Schema, the rest an instance. Told in full or asked for yes or no, the answer is the same. */
#include "asnd/contract.h"
#include "asnd/decimal.h"

#include "json.h"

static void validate(const struct schema *schema, struct slice text)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = text.len % 2 ? LANG_EN : LANG_ID};
    json_t *instance = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    if (instance) {
        const struct json_numbers *numbers = json_numbers_new(ctx.arena, text.data, text.len, instance);
        bool is_valid = schema_validate(&ctx, schema, instance, numbers, "");
        REQUIRE(is_valid == (ctx.problem.n_faults == 0));
        REQUIRE(schema_validate(NULL, schema, instance, numbers, "") == is_valid);
        if (!is_valid)
            require_problem(&ctx, fail(&ctx, ST_INVALID, "invalid", "%s", "%s", ""));
        require_problem_is_json(&ctx);
        json_decref(instance);
    }
    arena_free(ctx.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = input(data, size), text = take_until(&rest, '\n');
    struct arena *arena = arena_new(0);
    json_t *source = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    const struct schema *schema = source ? schema_compile(arena, source, "schema", nowhere()) : NULL;
    if (schema)
        validate(schema, rest);
    arena_free(arena);
    json_decref(source);
    return 0;
}
