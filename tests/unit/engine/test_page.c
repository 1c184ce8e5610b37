/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors: opened only as they were sealed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "internal.h"

/* last: it has a macro named fail */
#include <cmocka.h>

static const uint8_t secret[32] = "a secret of thirty-two bytes....";

static struct ctx new_ctx(void)
{
    return (struct ctx){.arena = arena_new(0), .lang = LANG_EN};
}

static void keys_survive_sealing(void **state)
{
    struct ctx ctx = new_ctx();
    const char *const keys[] = {"o'brien, \xc3\xa9lise", "199001152015031999"};
    const char *got[2];
    const char *cursor = page_seal_cursor(ctx.arena, secret, "listAsn", "kind=PNS", 1, keys, 2);
    (void)state;
    assert_int_equal(page_open_cursor(&ctx, secret, "listAsn", "kind=PNS", 1, cursor, got, 2), ST_OK);
    assert_string_equal(got[0], keys[0]);
    assert_string_equal(got[1], keys[1]);
    arena_free(ctx.arena);
}

static void a_cursor_is_bound_to_operation_filter_and_sort(void **state)
{
    struct ctx ctx = new_ctx();
    const char *const keys[] = {"x"};
    const char *got[1];
    const char *cursor = page_seal_cursor(ctx.arena, secret, "listAsn", "kind=PNS", 1, keys, 1);
    static const uint8_t other_secret[32] = "another secret of thirty-two....";
    (void)state;
    assert_int_equal(page_open_cursor(&ctx, secret, "listUnits", "kind=PNS", 1, cursor, got, 1), ST_BAD_REQUEST);
    assert_int_equal(page_open_cursor(&ctx, secret, "listAsn", "kind=PPPK", 1, cursor, got, 1), ST_BAD_REQUEST);
    assert_int_equal(page_open_cursor(&ctx, secret, "listAsn", "kind=PNS", 0, cursor, got, 1), ST_BAD_REQUEST);
    assert_int_equal(page_open_cursor(&ctx, secret, "listAsn", "kind=PNS", 1, cursor, got, 2), ST_BAD_REQUEST);
    assert_int_equal(page_open_cursor(&ctx, other_secret, "listAsn", "kind=PNS", 1, cursor, got, 1), ST_BAD_REQUEST);
    assert_string_equal(ctx.problem.code, "cursor-invalid");
    arena_free(ctx.arena);
}

static void every_changed_letter_is_noticed(void **state)
{
    struct ctx ctx = new_ctx();
    const char *const keys[] = {"name", "199001152015031999"};
    const char *got[2];
    char *cursor = arena_strdup(ctx.arena, page_seal_cursor(ctx.arena, secret, "listAsn", "", 0, keys, 2));
    (void)state;
    for (size_t i = 0; cursor[i]; i++) {
        char was = cursor[i];
        cursor[i] = was == 'A' ? 'B' : 'A';
        /* the last letter may carry unused bits only */
        if (page_open_cursor(&ctx, secret, "listAsn", "", 0, cursor, got, 2) == ST_OK)
            assert_int_equal(cursor[i + 1], '\0');
        cursor[i] = was;
    }
    assert_int_equal(page_open_cursor(&ctx, secret, "listAsn", "", 0, "", got, 2), ST_BAD_REQUEST);
    assert_int_equal(page_open_cursor(&ctx, secret, "listAsn", "", 0, "%%%", got, 2), ST_BAD_REQUEST);
    arena_free(ctx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_survive_sealing),
        cmocka_unit_test(a_cursor_is_bound_to_operation_filter_and_sort),
        cmocka_unit_test(every_changed_letter_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
