/* SPDX-License-Identifier: Apache-2.0 */
/* Calendar arithmetic on days since 1970-01-01 (Gregorian, extended backwards), and the two clocks. */
#include "asnd/date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

bool date_is_valid(struct date d)
{
    return d.year >= 1 && d.year <= 9999 && d.month >= 1 && d.month <= 12 && d.day >= 1 && d.day <= days_in_month(d.year, d.month);
}

/* n decimal digits, or -1. */
static int digits(const char *text, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

bool date_parse(const char *text, size_t len, struct date *ret)
{
    struct date d;
    if (len != 10 || text[4] != '-' || text[7] != '-')
        return false;
    d = (struct date){digits(text, 4), digits(text + 5, 2), digits(text + 8, 2)};
    if (!date_is_valid(d))
        return false;
    *ret = d;
    return true;
}

void date_format(struct date d, char ret[DATE_TEXT_SIZE])
{
    snprintf(ret, DATE_TEXT_SIZE, "%04u-%02u-%02u", (unsigned)d.year % 10000, (unsigned)d.month % 100, (unsigned)d.day % 100);
}

/* Years are counted from March, so that the leap day is the last of its year. */
int64_t date_to_days(struct date d)
{
    int64_t year = d.month <= 2 ? d.year - 1 : d.year;
    int64_t month = d.month <= 2 ? d.month + 9 : d.month - 3;
    int64_t day_of_year = (153 * month + 2) / 5 + d.day - 1;
    return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

struct date date_from_days(int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t in_era = z - era * 146097;
    int64_t year_of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t day_of_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    struct date d;
    d.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    d.month = (int)(month < 10 ? month + 3 : month - 9);
    d.year = (int)(year_of_era + era * 400 + (d.month <= 2));
    return d;
}

int date_compare(struct date a, struct date b)
{
    int64_t x = date_to_days(a), y = date_to_days(b);
    return x < y ? -1 : x > y;
}

/* Z, or ±HH:MM. Minutes east of UTC to *ret. */
static bool offset_parse(const char *text, size_t len, int *ret)
{
    int hours, minutes;
    if (len == 1 && (text[0] == 'Z' || text[0] == 'z')) {
        *ret = 0;
        return true;
    }
    if (len != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
        return false;
    hours = digits(text + 1, 2);
    minutes = digits(text + 4, 2);
    *ret = (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
    return hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59;
}

/* RFC 3339, 5.6 and appendix D. `utc_minute` counts from 1970-01-01T00:00Z: a leap second ends a month in UTC, wherever its clock
 * reading is; and an instant whose UTC date has no year of four digits could not be written back. */
static bool fits_utc(int64_t utc_minute, int second)
{
    int64_t days = utc_minute / 1440 - (utc_minute % 1440 < 0);
    bool ends_month = utc_minute - days * 1440 == 1439 && date_from_days(days + 1).day == 1;
    return date_is_valid(date_from_days(days)) && (second <= 59 || (second == 60 && ends_month));
}

bool instant_is_valid(const char *text, size_t len)
{
    struct date d;
    int hour, minute, second, offset;
    size_t at = 19;
    if (len < 20 || !date_parse(text, 10, &d) || (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':')
        return false;
    hour = digits(text + 11, 2);
    minute = digits(text + 14, 2);
    second = digits(text + 17, 2);
    if (text[at] == '.') {
        size_t first = ++at;
        while (at < len && text[at] >= '0' && text[at] <= '9')
            at++;
        if (at == first)
            return false;
    }
    if (!offset_parse(text + at, len - at, &offset))
        return false;
    return hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 &&
           fits_utc(date_to_days(d) * 1440 + hour * 60 + minute - offset, second);
}

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

int64_t clock_mono_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

void instant_format(int64_t wall_us, char ret[INSTANT_TEXT_SIZE])
{
    int64_t days = floor_div(wall_us, 86400000000);
    int64_t ms = (wall_us - days * 86400000000) / 1000;
    char date[DATE_TEXT_SIZE];
    date_format(date_from_days(days), date);
    snprintf(ret, INSTANT_TEXT_SIZE, "%sT%02u:%02u:%02u.%03uZ", date, (unsigned)(ms / 3600000) % 24, (unsigned)(ms / 60000 % 60),
             (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
}

struct date date_of_instant(int64_t wall_us, int offset_minutes)
{
    return date_from_days(floor_div(wall_us + (int64_t)offset_minutes * 60000000, 86400000000));
}
