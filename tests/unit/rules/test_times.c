/* SPDX-License-Identifier: Apache-2.0 */
/* Working days and percentiles: the worked examples E1 … E3, ends of months and years, leap days, and what holds for all days. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/rules.h"

/* last: it has a macro named fail */
#include <cmocka.h>

static int64_t day(const char *text)
{
    struct date d;
    assert_true(date_parse(text, strlen(text), &d));
    return date_to_days(d);
}

static const struct {
    const char *id, *from;
    int count;
    const char *to;
    const char *holidays[6];
} limits[] = {
    {"E2 verify", "2025-07-07", 3, "2025-07-10", {NULL}},
    {"E2 normative", "2025-07-07", 5, "2025-07-14", {NULL}},
    {"E2 without supervision", "2025-07-07", 14, "2025-07-25", {NULL}},
    {"E2 with supervision", "2025-07-07", 60, "2025-09-29", {NULL}},
    {"E3 closed without reply", "2025-07-11", 10, "2025-07-25", {NULL}},
    {"two holidays on the way", "2025-07-07", 60, "2025-10-01", {"2025-08-18", "2025-09-05"}},
    {"a holiday on a Sunday costs nothing", "2025-08-15", 1, "2025-08-18", {"2025-08-17"}},
    {"the day after it is free too", "2025-08-15", 1, "2025-08-19", {"2025-08-17", "2025-08-18"}},
    {"none: the day itself", "2025-07-12", 0, "2025-07-12", {NULL}},
    {"from a Friday", "2025-07-11", 1, "2025-07-14", {NULL}},
    {"from a Saturday", "2025-07-12", 1, "2025-07-14", {NULL}},
    {"from a Sunday", "2025-07-13", 1, "2025-07-14", {NULL}},
    {"from a holiday", "2025-08-18", 1, "2025-08-19", {"2025-08-18"}},
    {"over a leap day", "2024-02-28", 2, "2024-03-01", {NULL}},
    {"onto a leap day", "2024-02-28", 1, "2024-02-29", {NULL}},
    {"from a leap day", "2024-02-29", 1, "2024-03-01", {NULL}},
    {"no leap day in 2025", "2025-02-28", 1, "2025-03-03", {NULL}},
    {"over the year's end", "2025-12-31", 1, "2026-01-02", {"2026-01-01"}},
    {"a week of joint leave",
     "2025-03-27",
     1,
     "2025-04-08",
     {"2025-03-28", "2025-03-31", "2025-04-01", "2025-04-02", "2025-04-03", "2025-04-04"}},
};

static void limits_end_on_their_day(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        int64_t holidays[7];
        struct workdays calendar = {holidays, 0};
        while (calendar.n < 6 && limits[i].holidays[calendar.n]) {
            holidays[calendar.n] = day(limits[i].holidays[calendar.n]);
            calendar.n++;
        }
        if (strcmp(limits[i].id, "a week of joint leave") == 0)
            holidays[calendar.n++] = day("2025-04-07");
        print_message("%s\n", limits[i].id);
        assert_int_equal(workday_after(&calendar, day(limits[i].from), limits[i].count), day(limits[i].to));
    }
}

/* A limit ends on a working day, as many behind its first day as were asked for; more days never end earlier. */
static void properties_of_all_limits(void **state)
{
    int64_t holidays[60], from = day("2023-12-20");
    struct workdays calendar = {holidays, ARRAY_LEN(holidays)};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(holidays); i++)
        holidays[i] = from + (int64_t)i * 9 + 3;
    for (int64_t start = from; start < from + 500; start++)
        for (int count = 1; count < 40; count += 3) {
            int64_t end = workday_after(&calendar, start, count);
            assert_true(workday_is(&calendar, end));
            assert_int_equal(workdays_between(&calendar, start, end), count);
            assert_true(end <= workday_after(&calendar, start + 1, count));
            assert_int_equal(workday_after(&calendar, workday_after(&calendar, start, count), 2),
                             workday_after(&calendar, start, count + 2));
        }
    assert_int_equal(workdays_between(&calendar, from, from), 0);
}

static void days_before_the_epoch_have_their_weekday(void **state)
{
    struct workdays none = {NULL, 0};
    (void)state;
    assert_true(workday_is(&none, day("1969-12-31")));  /* Wednesday */
    assert_false(workday_is(&none, day("1945-08-18"))); /* Saturday */
    assert_false(workday_is(&none, day("1945-08-19")));
    assert_true(workday_is(&none, day("1945-08-20")));
}

static void percentiles_of_the_example(void **state)
{
    static const long long waits[] = {3, 4, 5, 6, 8, 9, 12, 15, 20, 30};
    long long got;
    (void)state;
    assert_true(percentile_hundredths(waits, 10, 50, &got)); /* E1 */
    assert_int_equal(got, 850);
    assert_true(percentile_hundredths(waits, 10, 90, &got));
    assert_int_equal(got, 2100);
    assert_true(percentile_hundredths(waits, 10, 0, &got));
    assert_int_equal(got, 300);
    assert_true(percentile_hundredths(waits, 10, 100, &got));
    assert_int_equal(got, 3000);
    assert_true(percentile_hundredths(waits, 1, 90, &got));
    assert_int_equal(got, 300);
    assert_true(percentile_hundredths(waits, 3, 90, &got)); /* 4 + 0.8 */
    assert_int_equal(got, 480);
    assert_false(percentile_hundredths(waits, 0, 50, &got));
}

static int ascending(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;
    return (x > y) - (x < y);
}

/* Within the values, never falling with the percentage, and half of all values lie on either side of the median. */
static void properties_of_all_percentiles(void **state)
{
    uint32_t seed = 9;
    (void)state;
    for (size_t n = 1; n < 200; n++) {
        long long values[200], before = 0, got;
        size_t below = 0, above = 0;
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            values[i] = seed >> 20;
        }
        qsort(values, n, sizeof *values, ascending);
        for (int percent = 0; percent <= 100; percent++) {
            assert_true(percentile_hundredths(values, n, percent, &got));
            assert_true(got >= before && got >= values[0] * 100 && got <= values[n - 1] * 100);
            before = got;
        }
        assert_true(percentile_hundredths(values, n, 50, &got));
        for (size_t i = 0; i < n; i++) {
            below += values[i] * 100 < got;
            above += values[i] * 100 > got;
        }
        assert_true(below * 2 <= n && above * 2 <= n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_end_on_their_day),
        cmocka_unit_test(properties_of_all_limits),
        cmocka_unit_test(days_before_the_epoch_have_their_weekday),
        cmocka_unit_test(percentiles_of_the_example),
        cmocka_unit_test(properties_of_all_percentiles),
    };
    return cmocka_run_group_tests_name("rules.times", tests, NULL, NULL);
}
