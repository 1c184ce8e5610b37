/* SPDX-License-Identifier: Apache-2.0 */
/* Callers told apart, and credentials that were good once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "door.h"
#include "internal.h"

/* last: it has a macro named fail */
#include <cmocka.h>

static void each_caller_has_one(void **state)
{
    struct accounts *accounts = accounts_new();
    struct account *one = account_of(accounts, "one", 3);
    int shared = 0;
    (void)state;
    assert_ptr_equal(one, account_of(accounts, "one", 3));
    for (int i = 0; i < 100; i++) {
        char who[16];
        int len = snprintf(who, sizeof who, "caller %d", i);
        shared += account_of(accounts, who, (size_t)len) == one;
    }
    assert_in_range(shared, 0, 3); /* by chance, one in 65536 */
    accounts_free(accounts);
}

static void what_was_good_is_known_until_another_takes_its_place(void **state)
{
    struct accounts *accounts = accounts_new();
    (void)state;
    assert_false(account_is_known(accounts, "a"));
    assert_false(account_is_known(accounts, ""));
    account_know(accounts, "a");
    assert_true(account_is_known(accounts, "a"));
    assert_false(account_is_known(accounts, "b"));
    accounts_free(accounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_caller_has_one),
        cmocka_unit_test(what_was_good_is_known_until_another_takes_its_place),
    };
    return cmocka_run_group_tests_name("engine.account", tests, NULL, NULL);
}
