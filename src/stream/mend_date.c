/* SPDX-License-Identifier: Apache-2.0 */
/* Dates as national exports (DD-MM-YYYY), spreadsheets and people write them. Day first is the reading of the national export, and of what
 * a month-first spreadsheet makes of it: that one turns 05-01 into its 1 May and shows it as 5/1 again, and leaves 31-12 alone. */
#include "mend.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "asnd/arena.h"
#include "asnd/date.h"

#define YEAR_MIN 1900
#define YEAR_MAX 2099

/* The 1900 system counts 1900-01-01 as 1 and has a 29 February 1900 as 60, so from 61 on day 0 is 1899-12-30. Only serials of 1930 to 2050
 * are believed; smaller numbers may be years, larger ones anything. */
#define SERIAL_EPOCH ((struct date){1899, 12, 30})
#define SERIAL_MIN   10959
#define SERIAL_MAX   55152

struct parts {
    int n[3];
    size_t digits[3]; /* how many digits each was written with; 0: the name of a month */
    char separator;
    bool has_time;
};

/* Indonesian and English months agree in their first three letters but for five. */
static int month_named(const char *text, size_t len)
{
    static const char names[][2][10] = {{"januari", "january"}, {"februari", "february"}, {"maret", "march"},
                                        {"april", "april"},     {"mei", "may"},           {"juni", "june"},
                                        {"juli", "july"},       {"agustus", "august"},    {"september", "sept"},
                                        {"oktober", "october"}, {"november", "nopember"}, {"desember", "december"}};

    if (len < 3)
        return 0;
    if (len == 3 && strncasecmp(text, "ags", 3) == 0)
        return 8;
    for (int month = 1; month <= 12; month++)
        for (int language = 0; language < 2; language++)
            if (len <= strlen(names[month - 1][language]) && strncasecmp(text, names[month - 1][language], len) == 0)
                return month;
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* " 00:00:00", "T00:00" … behind a date: midnight says nothing; another time is not a date's. */
static bool is_midnight(const char *text)
{
    return (*text == ' ' || *text == 'T') && strlen(text) >= 5 && strspn(text + 1, "0:.Z") == strlen(text + 1);
}

static bool split(const char *text, struct parts *ret)
{
    *ret = (struct parts){0};
    for (size_t i = 0; i < 3; i++) {
        const char *start = text;
        if (is_digit(*text)) {
            while (is_digit(*text))
                text++;
            ret->digits[i] = (size_t)(text - start);
            if (ret->digits[i] > 4)
                return false;
            ret->n[i] = atoi(start);
        } else {
            while (is_letter(*text))
                text++;
            ret->n[i] = month_named(start, (size_t)(text - start));
            if (i != 1 || ret->n[i] == 0)
                return false;
        }
        if (i == 2)
            break;
        if (*text == '\0' || strchr("-/. ", *text) == NULL || (i == 1 && *text != ret->separator))
            return false;
        ret->separator = *text++;
    }
    ret->has_time = is_midnight(text);
    return *text == '\0' || ret->has_time;
}

static const char *format(struct arena *arena, struct date d)
{
    char text[DATE_TEXT_SIZE];

    date_format(d, text);
    return arena_strdup(arena, text);
}

static struct mended unreadable(const char *cell)
{
    return mend_named(cell, "date-form", NULL, "This is no date that can be read; write YYYY-MM-DD.",
                      "Tanggal ini tidak terbaca; tulis TTTT-BB-HH.");
}

static struct mended judged(struct arena *arena, const char *cell, struct date d, bool is_damage)
{
    if (!date_is_valid(d))
        return mend_named(cell, "date-impossible", NULL, "There is no such day.", "Tanggal ini tidak ada.");
    if (d.year < YEAR_MIN || d.year > YEAR_MAX)
        return mend_named(cell, "date-range", NULL, "The year must lie between 1900 and 2099.", "Tahun harus antara 1900 dan 2099.");
    return is_damage ? mend_repaired("date-form", format(arena, d)) : mend_none(format(arena, d));
}

/* A year of two digits could belong to two centuries; the likely one is only suggested. */
static struct mended short_year(struct arena *arena, const char *cell, const struct parts *p)
{
    struct date d = {p->n[2] + (p->n[2] > 50 ? 1900 : 2000), p->n[1], p->n[0]};

    return mend_named(cell, "two-digit-year", date_is_valid(d) ? format(arena, d) : NULL, "The year needs four digits.",
                      "Tahun harus ditulis empat angka.");
}

static struct mended from_parts(struct arena *arena, const char *cell, const struct parts *p)
{
    bool is_plain = p->separator == '-' && !p->has_time && p->digits[1] == 2;

    if (p->digits[0] == 4 && p->digits[2] <= 2)
        return judged(arena, cell, (struct date){p->n[0], p->n[1], p->n[2]}, !is_plain || p->digits[2] != 2);
    if (p->digits[0] > 2 || p->digits[1] > 2)
        return unreadable(cell);
    if (p->digits[2] == 2)
        return short_year(arena, cell, p);
    if (p->digits[2] != 4)
        return unreadable(cell);
    struct date day_first = {p->n[2], p->n[1], p->n[0]}, month_first = {p->n[2], p->n[0], p->n[1]};
    if (day_first.year == 1 && day_first.month == 1 && day_first.day == 1)
        return mend_none(NULL); /* 01-01-0001 is SIASN's way to say: none */
    bool only_month_first = p->digits[1] > 0 && day_first.month > 12 && date_is_valid(month_first);
    return judged(arena, cell, only_month_first ? month_first : day_first, only_month_first || !is_plain || p->digits[0] != 2);
}

static struct mended from_serial(struct arena *arena, const char *cell, const char *digits)
{
    long serial = atol(digits);

    if (serial < SERIAL_MIN || serial > SERIAL_MAX)
        return unreadable(cell);
    return mend_repaired("date-serial", format(arena, date_from_days(date_to_days(SERIAL_EPOCH) + serial)));
}

/* 19901231 or 31121990; never both, as 19 and 20 are no months. */
static struct mended from_eight(struct arena *arena, const char *cell, const char *digits)
{
    long n = atol(digits);
    struct date year_first = {(int)(n / 10000), (int)(n / 100 % 100), (int)(n % 100)};
    struct date day_first = {(int)(n % 10000), (int)(n / 10000 % 100), (int)(n / 1000000)};
    bool a = date_is_valid(year_first) && year_first.year >= YEAR_MIN && year_first.year <= YEAR_MAX;
    bool b = date_is_valid(day_first) && day_first.year >= YEAR_MIN && day_first.year <= YEAR_MAX;

    return !a && !b ? unreadable(cell) : mend_repaired("date-form", format(arena, a ? year_first : day_first));
}

struct mended mend_date(struct arena *arena, struct slice cell)
{
    struct mended m = mend_start(arena, cell, false);
    struct parts parts;

    if (m.value == NULL || m.damage == DAMAGE_NAMED)
        return m;
    const char *text = m.value;
    size_t digits = strspn(text, "0123456789");
    struct mended read;
    if (split(text, &parts))
        read = from_parts(arena, text, &parts);
    else if (digits == 5 &&
             (text[5] == '\0' || ((text[5] == '.' || text[5] == ',') && text[6] && strspn(text + 6, "0") == strlen(text + 6))))
        read = from_serial(arena, text, text);
    else if (digits == 8 && text[8] == '\0')
        read = from_eight(arena, text, text);
    else
        return unreadable(text);
    return read.damage == DAMAGE_NONE && read.value && m.damage == DAMAGE_REPAIRED ? mend_repaired(m.code, read.value) : read;
}
