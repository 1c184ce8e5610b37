/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and instants: the calendar's corners, offsets, leap seconds, the regency's day. */
#include "testing.h"

#include "asnd/date.h"

static void dates_that_are_and_are_not(void **state)
{
    static const struct {
        const char *text;
        bool is_valid;
    } cases[] = {
        {"2024-02-29", true},   {"2023-02-29", false},  {"2000-02-29", true},  {"1900-02-29", false}, {"2100-02-29", false},
        {"2024-02-30", false},  {"0001-01-01", true},   {"9999-12-31", true},  {"0000-01-01", false}, {"2024-00-10", false},
        {"2024-13-01", false},  {"2024-04-31", false},  {"2024-12-31", true},  {"2024-12-32", false}, {"2024-01-00", false},
        {"2024-1-01", false},   {"24-01-01", false},    {"2024-01-1", false},  {"2024/01/01", false}, {"2024-01-01 ", false},
        {" 2024-01-01", false}, {"10000-01-01", false}, {"-024-01-01", false}, {"2024-+1-01", false}, {"2024-01-0x", false},
        {"20240101", false},    {"2024-W01-1", false},  {"", false},           {"+999-01-01", false}, {"2024-01-01T", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct date d = {1, 2, 3};
        char text[DATE_TEXT_SIZE];
        assert_int_equal(date_parse(cases[i].text, strlen(cases[i].text), &d), cases[i].is_valid);
        if (cases[i].is_valid) {
            date_format(d, text);
            assert_string_equal(text, cases[i].text);
        } else {
            assert_true(d.year == 1 && d.month == 2 && d.day == 3); /* written on success only */
        }
    }
    assert_true(date_is_valid((struct date){2024, 2, 29}));
    assert_false(date_is_valid((struct date){10000, 1, 1}));
    assert_false(date_is_valid((struct date){2024, -1, 1}));
}

static void days_count_from_1970(void **state)
{
    static const struct {
        struct date date;
        int64_t days;
    } cases[] = {
        {{1970, 1, 1}, 0},      {{1969, 12, 31}, -1}, {{2000, 2, 29}, 11016},    {{2000, 3, 1}, 11017},
        {{2024, 2, 29}, 19782}, {{1, 1, 1}, -719162}, {{9999, 12, 31}, 2932896}, {{1900, 3, 1}, -25508},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(date_to_days(cases[i].date), cases[i].days);
        assert_int_equal(date_compare(date_from_days(cases[i].days), cases[i].date), 0);
    }
}

/* Every day of four centuries and of the first and last years follows the one before by the calendar's own rule. */
static void each_day_follows_the_one_before(void **state)
{
    static const int64_t ranges[][2] = {{-719162, -718000}, {-60000, 90000}, {2932000, 2932896}};
    (void)state;
    for (size_t r = 0; r < ARRAY_LEN(ranges); r++) {
        struct date before = date_from_days(ranges[r][0]);
        for (int64_t day = ranges[r][0] + 1; day <= ranges[r][1]; day++) {
            struct date d = date_from_days(day), next = {before.year, before.month, before.day + 1};
            if (!date_is_valid(next))
                next = (struct date){before.year, before.month + 1, 1};
            if (!date_is_valid(next))
                next = (struct date){before.year + 1, 1, 1};
            if (d.year != next.year || d.month != next.month || d.day != next.day || date_to_days(d) != day)
                fail_msg("day %lld is %d-%d-%d", (long long)day, d.year, d.month, d.day);
            before = d;
        }
    }
}

static void dates_compare(void **state)
{
    (void)state;
    assert_int_equal(date_compare((struct date){2024, 1, 31}, (struct date){2024, 2, 1}), -1);
    assert_int_equal(date_compare((struct date){2025, 1, 1}, (struct date){2024, 12, 31}), 1);
    assert_int_equal(date_compare((struct date){2024, 5, 5}, (struct date){2024, 5, 5}), 0);
}

static void instants_that_are_and_are_not(void **state)
{
    static const struct {
        const char *text;
        bool is_valid;
    } cases[] = {
        {"2024-02-29T12:30:45Z", true},
        {"2024-02-29t12:30:45z", true}, /* RFC 3339 lets both be small */
        {"2024-02-29T12:30:45.1Z", true},
        {"2024-02-29T12:30:45.123456789+08:00", true},
        {"2024-02-29T12:30:45-23:59", true},
        {"2024-02-29T12:30:45-00:00", true},
        {"2024-02-29T00:00:00+00:00", true},
        {"2024-02-29T12:30:45", false}, /* where? */
        {"2024-02-29 12:30:45Z", false},
        {"2023-02-29T12:30:45Z", false},
        {"2024-02-29T24:00:00Z", false},
        {"2024-02-29T12:60:00Z", false},
        {"2024-02-29T12:30:61Z", false},
        {"2024-02-29T12:30:45.Z", false},
        {"2024-02-29T12:30:45,5Z", false},
        {"2024-02-29T12:30:45+24:00", false},
        {"2024-02-29T12:30:45+08:60", false},
        {"2024-02-29T12:30:45+0800", false},
        {"2024-02-29T12:30:45+08", false},
        {"2024-02-29T12:30:45+8:00", false},
        {"2024-02-29T12:30:45ZZ", false},
        {"2024-02-29T12:30:45Z ", false},
        {"2024-02-29T1:30:45Z", false},
        {"2024-02-29T-1:30:45Z", false},
        {"2024-02-29T12:30Z", false},
        {"2024-02-29", false},
        {"", false},
        {"1998-12-31T23:59:60Z", true}, /* leap seconds end a month in UTC */
        {"1990-12-31T15:59:60-08:00", true},
        {"2017-01-01T07:59:60+08:00", true},
        {"2016-12-31T23:59:60.5Z", true},
        {"2016-12-31T23:59:61Z", false},
        {"2016-12-31T23:58:60Z", false},
        {"2016-12-31T22:59:60Z", false},
        {"2016-12-30T23:59:60Z", false},
        {"2016-12-31T23:59:60+08:00", false},
        {"2017-01-01T08:59:60+08:00", false},
        {"0001-01-01T00:00:00Z", true}, /* a year of four digits in UTC, too */
        {"0001-01-01T07:59:59+08:00", false},
        {"0001-01-01T08:00:00+08:00", true},
        {"9999-12-31T23:59:59Z", true},
        {"9999-12-31T23:59:59-00:01", false},
        {"9999-12-31T23:59:59+08:00", true},
        {"0000-12-31T23:59:59-08:00", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (instant_is_valid(cases[i].text, strlen(cases[i].text)) != cases[i].is_valid)
            fail_msg("%s should be %s", cases[i].text, cases[i].is_valid ? "valid" : "refused");
}

static void instants_written(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},           {1709210096123456, "2024-02-29T12:34:56.123Z"}, {-1, "1969-12-31T23:59:59.999Z"},
        {86399999999, "1970-01-01T23:59:59.999Z"}, {86400000000, "1970-01-02T00:00:00.000Z"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[INSTANT_TEXT_SIZE];
        instant_format(cases[i].us, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void the_regencys_day_begins_eight_hours_before_utc(void **state)
{
    const int64_t hour = 3600000000;
    struct date d = {0};
    (void)state;
    d = date_of_instant(16 * hour - 1, 480);
    assert_int_equal(date_compare(d, (struct date){1970, 1, 1}), 0);
    d = date_of_instant(16 * hour, 480);
    assert_int_equal(date_compare(d, (struct date){1970, 1, 2}), 0);
    d = date_of_instant(-8 * hour - 1, 480);
    assert_int_equal(date_compare(d, (struct date){1969, 12, 31}), 0);
    d = date_of_instant(0, -60);
    assert_int_equal(date_compare(d, (struct date){1969, 12, 31}), 0);
}

static void clocks_agree_on_their_unit(void **state)
{
    int64_t us = clock_mono_us(), ms = clock_mono_ms(), later = clock_mono_us();
    (void)state;
    assert_in_range(ms, us / 1000, later / 1000);
    assert_true(clock_wall_us() > 1700000000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_that_are_and_are_not),
        cmocka_unit_test(days_count_from_1970),
        cmocka_unit_test(each_day_follows_the_one_before),
        cmocka_unit_test(dates_compare),
        cmocka_unit_test(instants_that_are_and_are_not),
        cmocka_unit_test(instants_written),
        cmocka_unit_test(the_regencys_day_begins_eight_hours_before_utc),
        cmocka_unit_test(clocks_agree_on_their_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
