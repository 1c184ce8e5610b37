/* SPDX-License-Identifier: Apache-2.0 */
/* Minutes to learning hours: the worked example K7 and the edges of 45. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "asnd/rules.h"

/* last: it has a macro named fail */
#include <cmocka.h>

static const struct {
    const char *id;
    int minutes;
    int hours;
} lengths[] = {
    {"K7, 900 minutes", 900, 20},         {"K7, 960 minutes", 960, 21},
    {"K7, 899 minutes", 899, 19},         {"nothing", 0, 0},
    {"one short of one", 44, 0},          {"one", 45, 1},
    {"one, and one short of two", 89, 1}, {"below nothing", -1, 0},
    {"far below nothing", INT_MIN, 0},    {"the longest", INT_MAX, 47721858},
};

static void what_does_not_fill_an_hour_is_dropped(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        print_message("%s\n", lengths[i].id);
        assert_int_equal(hours_from_minutes(lengths[i].minutes), lengths[i].hours);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_does_not_fill_an_hour_is_dropped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
