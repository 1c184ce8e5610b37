/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzzing found in the validator, each with the smallest schema and instance that showed it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/contract.h"

/* last: it has a macro named fail */
#include <cmocka.h>

/* The code of the only fault; "" if the instance is valid. */
static const char *fault_of(const char *schema_text, const char *instance_text)
{
    static char code[64];
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    json_t *source = json_loads(schema_text, JSON_DECODE_ANY, NULL), *instance = json_loads(instance_text, JSON_DECODE_ANY, NULL);
    const struct schema *schema = schema_compile(ctx.arena, source, "schema", stderr);
    bool is_valid;
    assert_non_null(schema);
    is_valid = schema_validate(&ctx, schema, instance, NULL, "");
    assert_int_equal(ctx.problem.n_faults, !is_valid);
    snprintf(code, sizeof code, "%s", is_valid ? "" : ctx.problem.first_fault->code);
    arena_free(ctx.arena);
    json_decref(instance);
    json_decref(source);
    return code;
}

static void an_enumeration_may_hold_a_text_too_long_to_be_shown(void **state)
{
    char schema[400], text[300];
    (void)state;
    memset(text, 'v', 250);
    text[250] = '\0';
    snprintf(schema, sizeof schema, "{\"enum\":[\"%s\",\"y\"]}", text);
    assert_string_equal(fault_of(schema, "\"z\""), "enum");
    assert_string_equal(fault_of(schema, "\"y\""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_enumeration_may_hold_a_text_too_long_to_be_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
