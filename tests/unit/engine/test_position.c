/* SPDX-License-Identifier: Apache-2.0 */
/* Positions are read strictly, compare over timelines, and have an age. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "asnd/arena.h"
#include "asnd/macros.h"
#include "position.h"

static void reads_what_it_writes(void **state)
{
    static const char *const good[] = {"0:0/0", "1:0/16B3748", "12:AB/CDEF0123", "4294967295:FFFFFFFF/FFFFFFFF"};
    struct arena *arena = arena_new(256);
    struct position position;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(position_parse(good[i], &position));
        assert_string_equal(position_text(arena, position), good[i]);
    }
    assert_true(position_parse("3:a/b0", &position));
    assert_int_equal(position.timeline, 3);
    assert_true(position.at == 0xA000000B0);
    arena_free(arena);
}

static void refuses_what_is_none(void **state)
{
    static const char *const bad[] = {"",        "0/0",     ":0/0",  "1:",     "1:0",           "1:/0",          "1:0/",
                                      "1:0/0 ",  " 1:0/0",  "A:0/0", "1:G/0",  "-1:0/0",        "1:0/-1",        "4294967296:0/0",
                                      "1:0x1/0", "1:0/0/0", "1;0/0", "1:0/0,", "1:123456789/0", "1:0/123456789", "00000000001:0/0"};
    struct position position;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(position_parse(bad[i], &position));
}

static void has(struct position server, struct position wanted, bool is)
{
    assert_int_equal(position_has(server, wanted), is);
}

static void compares(void **state)
{
    (void)state;
    has((struct position){2, 100}, (struct position){0, 0}, true);
    has((struct position){2, 100}, (struct position){2, 100}, true);
    has((struct position){2, 100}, (struct position){2, 101}, false);
    has((struct position){2, 100}, (struct position){1, 100}, true);
    has((struct position){2, 100}, (struct position){3, 50}, false);
    has((struct position){2, 100}, POSITION_BEYOND, false);
}

static void marks_tell_the_age(void **state)
{
    struct marks marks = {0};
    (void)state;
    assert_int_equal(marks_time(&marks, 5), 0);
    marks_put(&marks, 100, 1);
    marks_put(&marks, 200, 2);
    assert_int_equal(marks_time(&marks, 99), 0);
    assert_int_equal(marks_time(&marks, 100), 1);
    assert_int_equal(marks_time(&marks, 199), 1);
    assert_int_equal(marks_time(&marks, 200), 2);
    marks_put(&marks, 200, 3); /* nothing written since: who has that is as new as that */
    assert_int_equal(marks_time(&marks, 500), 3);
    assert_int_equal(marks_time(&marks, 199), 1);
}

static void marks_forget_the_oldest(void **state)
{
    struct marks marks = {0};
    (void)state;
    for (unsigned i = 1; i <= 3 * MARKS; i++)
        marks_put(&marks, i * 10, i);
    assert_int_equal(marks_time(&marks, 2 * MARKS * 10), 0);
    assert_int_equal(marks_time(&marks, (2 * MARKS + 1) * 10), 2 * MARKS + 1);
    assert_int_equal(marks_time(&marks, 3 * MARKS * 10), 3 * MARKS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_writes), cmocka_unit_test(refuses_what_is_none),    cmocka_unit_test(compares),
        cmocka_unit_test(marks_tell_the_age),   cmocka_unit_test(marks_forget_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
