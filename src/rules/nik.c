/* SPDX-License-Identifier: Apache-2.0 */
/* NIK: population number. The region is that of first registration and is required to be nowhere; the century comes from elsewhere. */
#include "asnd/rules.h"

#include <string.h>

#define REFUSE(code, en, id) ((struct refusal){(code), (en), (id)})
#define FINE                 ((struct refusal){NULL, NULL, NULL})

/* A woman's day of birth is written with this added. */
#define WOMAN_DAY 40

static int number(const char *digits, size_t at, size_t n)
{
    int value = 0;
    for (size_t i = at; i < at + n; i++)
        value = value * 10 + (digits[i] - '0');
    return value;
}

static bool is_day_of_month(int day, int month)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}; /* 29 February: the century is not known here */
    return day >= 1 && day <= days[month - 1];
}

static struct refusal take_digits(const char *text, size_t len, struct nik *nik)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == ' ')
            continue;
        if (text[i] < '0' || text[i] > '9')
            return REFUSE("nik-digits", "a NIK has digits only", "NIK hanya terdiri atas angka");
        if (n < 16)
            nik->digits[n] = text[i];
        n++;
    }
    if (n != 16)
        return REFUSE("nik-length", "a NIK has 16 digits", "NIK terdiri atas 16 angka");
    nik->digits[16] = '\0';
    return FINE;
}

struct refusal nik_parse(const char *text, size_t len, struct nik *ret)
{
    struct nik nik = {.sex = 'M'};
    struct refusal refusal = take_digits(text, len, &nik);
    if (refusal.code)
        return refusal;
    nik.day = number(nik.digits, 6, 2);
    nik.month = number(nik.digits, 8, 2);
    nik.year_in_century = number(nik.digits, 10, 2);
    nik.sequence = number(nik.digits, 12, 4);
    if (nik.day > WOMAN_DAY) {
        nik.day -= WOMAN_DAY;
        nik.sex = 'F';
    }
    if (nik.month < 1 || nik.month > 12)
        return REFUSE("nik-month", "digits 9 and 10 of the NIK are no month", "angka 9–10 NIK bukan bulan");
    if (!is_day_of_month(nik.day, nik.month))
        return REFUSE("nik-day", "digits 7 and 8 of the NIK are no day (a woman's has 40 added)",
                      "angka 7–8 NIK bukan tanggal (wanita ditambah 40)");
    if (nik.sequence == 0)
        return REFUSE("nik-sequence", "the last four digits of the NIK begin at 0001", "empat angka terakhir NIK mulai dari 0001");
    *ret = nik;
    return FINE;
}

size_t nik_warnings(const struct nik *nik, struct date birth, char sex, struct refusal ret[2])
{
    size_t n = 0;
    if (birth.year && (birth.day != nik->day || birth.month != nik->month || birth.year % 100 != nik->year_in_century))
        ret[n++] = REFUSE("nik-birth", "the date of birth does not fit the NIK", "tanggal lahir tidak sesuai dengan NIK");
    if (sex && sex != nik->sex)
        ret[n++] = REFUSE("nik-sex", "the sex does not fit the NIK", "jenis kelamin tidak sesuai dengan NIK");
    return n;
}
