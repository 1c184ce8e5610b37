/* SPDX-License-Identifier: Apache-2.0 */
/* Working days: Monday to Friday but for national holidays and joint leave, which are data. The day from which a limit runs does not count. The
 * database has the same rule as workday_after() in migrations/0025_service.sql; tests/api/test_workdays.py holds both equal. */
#include "asnd/rules.h"

#define DAYS_A_WEEK 7

/* 1970-01-01 was a Thursday. Monday is 0. */
static int weekday(int64_t day)
{
    return (int)(((day + 3) % DAYS_A_WEEK + DAYS_A_WEEK) % DAYS_A_WEEK);
}

/* The first holiday that is not before the day. */
static size_t holiday_from(const struct workdays *calendar, int64_t day)
{
    size_t low = 0, high = calendar->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (calendar->holidays[middle] < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool workday_is(const struct workdays *calendar, int64_t day)
{
    size_t at = holiday_from(calendar, day);
    return weekday(day) < 5 && !(at < calendar->n && calendar->holidays[at] == day);
}

int64_t workday_after(const struct workdays *calendar, int64_t day, int count)
{
    while (count > 0)
        if (workday_is(calendar, ++day))
            count--;
    return day;
}

int64_t workdays_between(const struct workdays *calendar, int64_t from, int64_t to)
{
    int64_t n = 0;
    for (int64_t day = from + 1; day <= to; day++)
        n += workday_is(calendar, day);
    return n;
}
