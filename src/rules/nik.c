/* SPDX-License-Identifier: Apache-2.0 */
/* NIK, the population number: region of first registration, birth date with 40 added to a woman's day, sequence.
 * Source: the number's layout as published by population checkers (two independent ones); docs/rules.md, section 2. */
#include "asnd/rules.h"

#include <stdint.h>

#include "digits.h"

#define NIK_DIGITS   16
#define FEMALE_SHIFT 40

static const struct refusal not_digits = {"nik-digits", "The number may hold digits and spaces only.",
                                          "Nomor hanya boleh berisi angka dan spasi."};
static const struct refusal wrong_length = {"nik-length", "The number must have 16 digits.", "Nomor harus terdiri atas 16 angka."};
static const struct refusal no_day = {"nik-day", "Digits 7 and 8 are no day of that month (a woman's day has 40 added).",
                                      "Angka ke-7 dan ke-8 bukan tanggal pada bulan itu (tanggal perempuan ditambah 40)."};
static const struct refusal no_month = {"nik-month", "Digits 9 and 10 are no month (01 to 12).",
                                        "Angka ke-9 dan ke-10 bukan bulan (01 sampai 12)."};
static const struct refusal no_sequence = {"nik-sequence", "Digits 13 to 16 count from 0001.",
                                           "Angka ke-13 sampai ke-16 dihitung mulai dari 0001."};
static const struct refusal nothing = {0};

/* The number does not tell the century. 2000 had a 29 February where 1900 had none, so 2000 + yy allows all that either allows. */
static bool is_day(const struct nik *nik)
{
    return date_is_valid((struct date){2000 + nik->year_in_century, nik->month, nik->day});
}

struct refusal nik_parse(const char *text, size_t len, struct nik *ret)
{
    struct nik nik;
    size_t n = digits_collect(text, len, nik.digits, sizeof nik.digits);
    if (n == SIZE_MAX)
        return not_digits;
    if (n != NIK_DIGITS)
        return wrong_length;
    nik.day = digits_value(nik.digits, 7, 2);
    nik.month = digits_value(nik.digits, 9, 2);
    nik.year_in_century = digits_value(nik.digits, 11, 2);
    nik.sequence = digits_value(nik.digits, 13, 4);
    nik.sex = nik.day > FEMALE_SHIFT ? 'F' : 'M';
    if (nik.sex == 'F')
        nik.day -= FEMALE_SHIFT;
    if (nik.month < 1 || nik.month > 12)
        return no_month;
    if (!is_day(&nik))
        return no_day;
    if (nik.sequence == 0)
        return no_sequence;
    *ret = nik;
    return nothing;
}

size_t nik_warnings(const struct nik *nik, struct date birth, char sex, struct refusal ret[2])
{
    static const struct refusal birth_differs = {"NIK_BIRTH", "Born on another day than the NIK says.",
                                                 "Tanggal lahir berbeda dengan NIK."};
    static const struct refusal sex_differs = {"NIK_SEX", "Of another sex than the NIK says.", "Jenis kelamin berbeda dengan NIK."};
    size_t n = 0;
    if (birth.year && (birth.day != nik->day || birth.month != nik->month || birth.year % 100 != nik->year_in_century))
        ret[n++] = birth_differs;
    if (sex && sex != nik->sex)
        ret[n++] = sex_differs;
    return n;
}
