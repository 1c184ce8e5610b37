/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines: each kind in order, none lost, none struck early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "internal.h"

#include <cmocka.h> /* last: its macro fail hides ours */

static void make(struct deadlines *all)
{
    deadlines_init(all, &(struct http_config){.head_timeout_ms = 10, .idle_timeout_ms = 20, .body_timeout_ms = 30, .reply_timeout_ms = 40});
}

static void deadlines_come_due_in_their_order(void **state)
{
    struct deadlines all;
    struct deadline a = {0}, b = {0}, c = {0};

    (void)state;
    make(&all);
    deadline_set(&all, &a, DL_HEAD, 100);
    deadline_set(&all, &b, DL_HEAD, 101);
    deadline_set(&all, &c, DL_IDLE, 100);
    assert_null(deadline_take_due(&all, DL_HEAD, 109));
    assert_ptr_equal(deadline_take_due(&all, DL_HEAD, 110), &a);
    assert_null(deadline_take_due(&all, DL_HEAD, 110));
    assert_ptr_equal(deadline_take_due(&all, DL_HEAD, 500), &b);
    assert_null(deadline_take_due(&all, DL_HEAD, 500));
    assert_ptr_equal(deadline_take_due(&all, DL_IDLE, 120), &c);
}

static void set_again_a_deadline_moves_to_the_end(void **state)
{
    struct deadlines all;
    struct deadline a = {0}, b = {0};

    (void)state;
    make(&all);
    deadline_set(&all, &a, DL_BODY, 100);
    deadline_set(&all, &b, DL_BODY, 101);
    deadline_set(&all, &a, DL_BODY, 102);
    assert_null(deadline_take_due(&all, DL_BODY, 130));
    assert_ptr_equal(deadline_take_due(&all, DL_BODY, 500), &b);
    assert_ptr_equal(deadline_take_due(&all, DL_BODY, 500), &a);
}

static void cleared_deadline_never_strikes(void **state)
{
    struct deadlines all;
    struct deadline a = {0}, b = {0};

    (void)state;
    make(&all);
    deadline_set(&all, &a, DL_REPLY, 100);
    deadline_set(&all, &b, DL_REPLY, 100);
    deadline_clear(&a);
    deadline_clear(&a);
    assert_ptr_equal(deadline_take_due(&all, DL_REPLY, 500), &b);
    deadline_clear(&b);
    assert_null(deadline_take_due(&all, DL_REPLY, 500));
}

static void untimed_kinds_are_due_at_once(void **state)
{
    struct deadlines all;
    struct deadline a = {0};

    (void)state;
    make(&all);
    deadline_set(&all, &a, DL_PART, 0);
    assert_ptr_equal(deadline_take_due(&all, DL_PART, 0), &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines_come_due_in_their_order),
        cmocka_unit_test(set_again_a_deadline_moves_to_the_end),
        cmocka_unit_test(cleared_deadline_never_strikes),
        cmocka_unit_test(untimed_kinds_are_due_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
