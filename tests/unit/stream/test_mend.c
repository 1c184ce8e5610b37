/* SPDX-License-Identifier: Apache-2.0 */
/* Damage that spreadsheets do: repaired where one reading is left, named where not, everything else left alone. */
#include "testing.h"

struct expected {
    const char *label;
    const char *cell;
    enum damage damage;
    const char *code;       /* NULL for NONE */
    const char *value;      /* NULL: counts as empty */
    const char *suggestion; /* NULL: none */
};

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void hold(const struct expected *e, struct mended m)
{
    if (m.damage != e->damage || !same(m.code, e->code) || !same(m.value, e->value) || !same(m.suggestion, e->suggestion))
        fail_msg("%s (%s): damage %d, code %s, value %s, suggestion %s", e->label, e->cell, (int)m.damage, m.code ? m.code : "-",
                 m.value ? m.value : "(empty)", m.suggestion ? m.suggestion : "-");
    assert_true((m.damage == DAMAGE_NAMED) == (m.en != NULL && m.id != NULL));
}

#define NIP "199001152015031999"

static void numbers_of_employees(void **state UNUSED)
{
    static const struct expected cases[] = {
        {"as it should be", NIP, DAMAGE_NONE, NULL, NIP, NULL},
        {"blanks around", " " NIP "\t", DAMAGE_NONE, NULL, NIP, NULL},
        {"empty", "", DAMAGE_NONE, NULL, NULL, NULL},
        {"a dash", "-", DAMAGE_NONE, NULL, NULL, NULL},
        {"apostrophe", "'" NIP, DAMAGE_REPAIRED, "apostrophe", NIP, NULL},
        {"typographic apostrophe", "\xe2\x80\x99" NIP, DAMAGE_REPAIRED, "apostrophe", NIP, NULL},
        {"formula", "=\"" NIP "\"", DAMAGE_REPAIRED, "text-formula", NIP, NULL},
        {"apostrophe twice", "\xe2\x80\x98'" NIP, DAMAGE_REPAIRED, "apostrophe", NIP, NULL},
        {"apostrophe within a formula", "=\"'" NIP " \"", DAMAGE_REPAIRED, "apostrophe", NIP, NULL},
        {"a blank behind the apostrophe", "' " NIP, DAMAGE_REPAIRED, "apostrophe", NIP, NULL},
        {"an error behind the apostrophe", "'#REF!", DAMAGE_NAMED, "spreadsheet-error", "#REF!", NULL},
        {"scientific, and fifteen digits left", "1.99001152015031000E+17", DAMAGE_NAMED, "spreadsheet-number", "1.99001152015031000E+17",
         NULL},
        {"as on paper", "19900115 201503 1 999", DAMAGE_REPAIRED, "grouped", NIP, NULL},
        {"no-break spaces",
         "19900115\xc2\xa0"
         "201503\xc2\xa0"
         "1\xc2\xa0"
         "999",
         DAMAGE_REPAIRED, "grouped", NIP, NULL},
        {"dashes", "19900115-201503-1-999", DAMAGE_REPAIRED, "grouped", NIP, NULL},
        {"point zero that no double made", NIP ".0", DAMAGE_REPAIRED, "trailing-point-zero", NIP, NULL},
        {"point zero that a double may have made", "199001152015032000.0", DAMAGE_NAMED, "spreadsheet-number", "199001152015032000.0",
         NULL},
        {"scientific", "1.98703E+17", DAMAGE_NAMED, "spreadsheet-number", "1.98703E+17", NULL},
        {"scientific with comma", "1,98703E+17", DAMAGE_NAMED, "spreadsheet-number", "1,98703E+17", NULL},
        {"scientific, small e", "1.9870315201001101e+17", DAMAGE_NAMED, "spreadsheet-number", "1.9870315201001101e+17", NULL},
        {"fifteen digits left", "199001152015031000", DAMAGE_NAMED, "digits-lost", "199001152015031000", NULL},
        {"fifteen digits left, grouped", "199,001,152,015,031,000", DAMAGE_NAMED, "digits-lost", "199,001,152,015,031,000", NULL},
        {"one digit short", "19900115201503199", DAMAGE_NAMED, "digits-missing", "19900115201503199", NULL},
        {"far too short", "123", DAMAGE_NONE, NULL, "123", NULL},
        {"far too long", "444444444444444444441.0", DAMAGE_NAMED, "spreadsheet-number", "444444444444444444441.0", NULL},
        {"letters", "NIP" NIP, DAMAGE_NONE, NULL, "NIP" NIP, NULL},
        {"a column that was too narrow", "########", DAMAGE_NAMED, "spreadsheet-error", "########", NULL},
        {"a formula's error", "#REF!", DAMAGE_NAMED, "spreadsheet-error", "#REF!", NULL},
    };
    struct arena *arena = arena_new(0);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        hold(&cases[i], mend_digits(arena, slice_of(cases[i].cell), 18));
    arena_free(arena);
}

static void numbers_of_population(void **state UNUSED)
{
    static const struct expected cases[] = {
        {"as it should be", "7602011501909999", DAMAGE_NONE, NULL, "7602011501909999", NULL},
        {"sixteen digits fit into a double", "7602011501909999.0", DAMAGE_REPAIRED, "trailing-point-zero", "7602011501909999", NULL},
        {"all digits in the mantissa", "7.602011501909999E+15", DAMAGE_REPAIRED, "spreadsheet-number", "7602011501909999", NULL},
        {"digits lost", "7.60201E+15", DAMAGE_NAMED, "spreadsheet-number", "7.60201E+15", NULL},
        {"one digit short", "602011501909999", DAMAGE_NAMED, "digits-missing", "602011501909999", NULL},
        {"null", "null", DAMAGE_NONE, NULL, NULL, NULL},
        {"apostrophe and nothing", "'", DAMAGE_NONE, NULL, NULL, NULL},
    };
    struct arena *arena = arena_new(0);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        hold(&cases[i], mend_digits(arena, slice_of(cases[i].cell), 16));
    arena_free(arena);
}

static void dates(void **state UNUSED)
{
    static const struct expected cases[] = {
        {"as it should be", "1990-12-31", DAMAGE_NONE, NULL, "1990-12-31", NULL},
        {"national", "31-12-1990", DAMAGE_NONE, NULL, "1990-12-31", NULL},
        {"national, day below 13", "05-01-1990", DAMAGE_NONE, NULL, "1990-01-05", NULL},
        {"SIASN's none", "01-01-0001", DAMAGE_NONE, NULL, NULL, NULL},
        {"SIASN's way to say none, as text", "'01-01-0001", DAMAGE_NONE, NULL, NULL, NULL},
        {"N/A", "N/A", DAMAGE_NONE, NULL, NULL, NULL},
        {"slashes", "31/12/1990", DAMAGE_REPAIRED, "date-form", "1990-12-31", NULL},
        {"slashes are day first", "5/1/1990", DAMAGE_REPAIRED, "date-form", "1990-01-05", NULL},
        {"month first is the only reading", "12/31/1990", DAMAGE_REPAIRED, "date-form", "1990-12-31", NULL},
        {"points", "31.12.1990", DAMAGE_REPAIRED, "date-form", "1990-12-31", NULL},
        {"one digit", "5-1-1990", DAMAGE_REPAIRED, "date-form", "1990-01-05", NULL},
        {"year first with slashes", "1990/12/31", DAMAGE_REPAIRED, "date-form", "1990-12-31", NULL},
        {"midnight", "1990-12-31 00:00:00", DAMAGE_REPAIRED, "date-form", "1990-12-31", NULL},
        {"midnight with T", "1990-12-31T00:00:00Z", DAMAGE_REPAIRED, "date-form", "1990-12-31", NULL},
        {"Indonesian month", "31 Agustus 1990", DAMAGE_REPAIRED, "date-form", "1990-08-31", NULL},
        {"Indonesian short month", "31-Des-1990", DAMAGE_REPAIRED, "date-form", "1990-12-31", NULL},
        {"English short month", "01-May-1990", DAMAGE_REPAIRED, "date-form", "1990-05-01", NULL},
        {"apostrophe", "'31-12-1990", DAMAGE_REPAIRED, "apostrophe", "1990-12-31", NULL},
        {"serial", "33238", DAMAGE_REPAIRED, "date-serial", "1990-12-31", NULL},
        {"serial with point zero", "33238.0", DAMAGE_REPAIRED, "date-serial", "1990-12-31", NULL},
        {"first serial believed", "10959", DAMAGE_REPAIRED, "date-serial", "1930-01-01", NULL},
        {"last serial believed", "55152", DAMAGE_REPAIRED, "date-serial", "2050-12-30", NULL},
        {"serial of a leap day", "36585", DAMAGE_REPAIRED, "date-serial", "2000-02-29", NULL},
        {"serial too small", "10958", DAMAGE_NAMED, "date-form", "10958", NULL},
        {"eight digits", "19901231", DAMAGE_REPAIRED, "date-form", "1990-12-31", NULL},
        {"eight digits, day first", "31121990", DAMAGE_REPAIRED, "date-form", "1990-12-31", NULL},
        {"eight digits, neither", "19901331", DAMAGE_NAMED, "date-form", "19901331", NULL},
        {"a year alone", "1990", DAMAGE_NAMED, "date-form", "1990", NULL},
        {"two digits of a year", "31/12/90", DAMAGE_NAMED, "two-digit-year", "31/12/90", "1990-12-31"},
        {"two digits of a year, month in words", "1-Mei-05", DAMAGE_NAMED, "two-digit-year", "1-Mei-05", "2005-05-01"},
        {"no such day", "30-02-1990", DAMAGE_NAMED, "date-impossible", "30-02-1990", NULL},
        {"no such month", "1990-13-01", DAMAGE_NAMED, "date-impossible", "1990-13-01", NULL},
        {"long ago", "01-01-1800", DAMAGE_NAMED, "date-range", "01-01-1800", NULL},
        {"a time", "1990-12-31 08:30:00", DAMAGE_NAMED, "date-form", "1990-12-31 08:30:00", NULL},
        {"mixed separators", "31-12/1990", DAMAGE_NAMED, "date-form", "31-12/1990", NULL},
        {"words", "besok", DAMAGE_NAMED, "date-form", "besok", NULL},
        {"five digits of a year", "31-12-19900", DAMAGE_NAMED, "date-form", "31-12-19900", NULL},
    };
    struct arena *arena = arena_new(0);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        hold(&cases[i], mend_date(arena, slice_of(cases[i].cell)));
    arena_free(arena);
}

static void texts(void **state UNUSED)
{
    static const struct expected cases[] = {
        {"a name", "Nur'aini Abdullah", DAMAGE_NONE, NULL, "Nur'aini Abdullah", NULL},
        {"an apostrophe of its own", "'Aisyah", DAMAGE_NONE, NULL, "'Aisyah", NULL},
        {"an apostrophe before digits", "'8302.01", DAMAGE_REPAIRED, "apostrophe", "8302.01", NULL},
        {"an apostrophe before what a spreadsheet would run", "'=SUM(A1)", DAMAGE_REPAIRED, "apostrophe", "=SUM(A1)", NULL},
        {"before a sign", "'-2+3", DAMAGE_REPAIRED, "apostrophe", "-2+3", NULL},
        {"before an at", "'@A1", DAMAGE_REPAIRED, "apostrophe", "@A1", NULL},
        {"before a tab", "'\tS-1", DAMAGE_REPAIRED, "apostrophe", "S-1", NULL},
        {"before a formula for text", "'=\"S.Kom.\"", DAMAGE_REPAIRED, "text-formula", "S.Kom.", NULL},
        {"before a dash for nothing", "'-", DAMAGE_NONE, NULL, NULL, NULL},
        {"before nothing", "'\t", DAMAGE_NONE, NULL, NULL, NULL},
        {"blanks around", "  Budi \r\n", DAMAGE_NONE, NULL, "Budi", NULL},
        {"null", "NULL", DAMAGE_NONE, NULL, NULL, NULL},
        {"blank", " \xc2\xa0 ", DAMAGE_NONE, NULL, NULL, NULL},
        {"not available", "#N/A", DAMAGE_NONE, NULL, NULL, NULL},
        {"a name that looks empty", "Nullah", DAMAGE_NONE, NULL, "Nullah", NULL},
        {"two spaces", "Budi  Santoso", DAMAGE_REPAIRED, "inner-space", "Budi Santoso", NULL},
        {"a line end", "Budi\r\nSantoso", DAMAGE_REPAIRED, "inner-space", "Budi Santoso", NULL},
        {"a no-break space", "Budi\xc2\xa0Santoso", DAMAGE_REPAIRED, "inner-space", "Budi Santoso", NULL},
        {"a character that was lost", "Jos\xef\xbf\xbd", DAMAGE_NAMED, "lost-character", "Jos\xef\xbf\xbd", NULL},
        {"error", "#NAME?", DAMAGE_NAMED, "spreadsheet-error", "#NAME?", NULL},
    };
    struct arena *arena = arena_new(0);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        hold(&cases[i], mend_text(arena, slice_of(cases[i].cell)));
    arena_free(arena);
}

static void phones_and_codes(void **state UNUSED)
{
    static const struct expected phones[] = {
        {"as it should be", "081234567890", DAMAGE_NONE, NULL, "081234567890", NULL},
        {"with separators", "0812-3456 7890", DAMAGE_NONE, NULL, "081234567890", NULL},
        {"international", "+62 812 3456 7890", DAMAGE_NONE, NULL, "6281234567890", NULL},
        {"lost zero", "81234567890", DAMAGE_REPAIRED, "leading-zero-lost", "081234567890", NULL},
        {"lost zero, point zero", "81234567890.0", DAMAGE_REPAIRED, "leading-zero-lost", "081234567890", NULL},
        {"apostrophe", "'081234567890", DAMAGE_REPAIRED, "apostrophe", "081234567890", NULL},
        {"scientific", "8.12346E+10", DAMAGE_NAMED, "spreadsheet-number", "8.12346E+10", NULL},
        {"words", "tidak ada", DAMAGE_NONE, NULL, "tidak ada", NULL},
    };
    static const struct expected codes[] = {
        {"as it should be", "05", DAMAGE_NONE, NULL, "05", NULL},
        {"lost zero", "5", DAMAGE_REPAIRED, "leading-zero-lost", "05", NULL},
        {"point zero", "40.0", DAMAGE_REPAIRED, "trailing-point-zero", "40", NULL},
        {"both", "5.0", DAMAGE_REPAIRED, "leading-zero-lost", "05", NULL},
        {"a word", "S-1", DAMAGE_NONE, NULL, "S-1", NULL},
        {"empty", "-", DAMAGE_NONE, NULL, NULL, NULL},
    };
    struct arena *arena = arena_new(0);

    for (size_t i = 0; i < ARRAY_LEN(phones); i++)
        hold(&phones[i], mend_phone(arena, slice_of(phones[i].cell)));
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        hold(&codes[i], mend_code(arena, slice_of(codes[i].cell), 2));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_employees), cmocka_unit_test(numbers_of_population), cmocka_unit_test(dates), cmocka_unit_test(texts),
        cmocka_unit_test(phones_and_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
