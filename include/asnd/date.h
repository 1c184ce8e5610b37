/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Calendar dates (proleptic Gregorian, no zone) and instants. "Today" is that of the regency: WITA, UTC+8 (setting `utc_offset_minutes`). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asnd/macros.h"

struct date {
    int year; /* 1..9999 */
    int month;
    int day;
};

#define DATE_TEXT_SIZE    11 /* YYYY-MM-DD and NUL */
#define INSTANT_TEXT_SIZE 30 /* YYYY-MM-DDTHH:MM:SS.mmmZ and NUL, with room */

bool date_is_valid(struct date d);
/* Exactly YYYY-MM-DD (RFC 3339 full-date); false on anything else, also on 30 February. */
NODISCARD bool date_parse(const char *text, size_t len, struct date *ret);
void date_format(struct date d, char ret[DATE_TEXT_SIZE]);
/* Days since 1970-01-01 and back. */
int64_t date_to_days(struct date d);
struct date date_from_days(int64_t days);
int date_compare(struct date a, struct date b);
/* An RFC 3339 date-time with a mandatory offset (second 60 is allowed where a leap second can be: at the end of a
 * month in UTC); false otherwise, and when the UTC date has no year 1 to 9999. */
NODISCARD bool instant_is_valid(const char *text, size_t len);

/* Wall clock: microseconds since the epoch; UTC text with milliseconds. */
int64_t clock_wall_us(void);
void instant_format(int64_t wall_us, char ret[INSTANT_TEXT_SIZE]);
/* Monotonic milliseconds and microseconds: for deadlines and durations. */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
/* The civil date `offset_minutes` east of UTC at that moment. */
struct date date_of_instant(int64_t wall_us, int offset_minutes);
