/* SPDX-License-Identifier: Apache-2.0 */
/* NIK: the worked examples B1 … B10, the edges of its days, and that every valid number is read as it was made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "asnd/rules.h"

/* last: it has a macro named fail */
#include <cmocka.h>

static const char *read_as(const char *text, size_t len)
{
    static char line[64];
    struct nik nik;
    struct refusal refusal = nik_parse(text, len, &nik);
    if (refusal.code) {
        assert_true(refusal.en && *refusal.en && refusal.id && *refusal.id);
        return refusal.code;
    }
    snprintf(line, sizeof line, "%.6s %02d-%02d-%02d %c %d", nik.digits, nik.day, nik.month, nik.year_in_century, nik.sex, nik.sequence);
    return line;
}

static const struct {
    const char *id;
    const char *number;
    const char *expected;
} numbers[] = {
    {"B1", "7602011501909999", "760201 15-01-90 M 9999"},
    {"B2", "7602015501909999", "760201 15-01-90 F 9999"},
    {"B3", "7602017112859999", "760201 31-12-85 F 9999"},
    {"B4", "7602013501909999", "nik-day"},
    {"B5", "7602017201909999", "nik-day"},
    {"B6", "7602011513909999", "nik-month"},
    {"B7", "7602011501900000", "nik-sequence"},
    {"B8", "7602051501909999", "760205 15-01-90 M 9999"},
    {"B10", "3171011501909999", "317101 15-01-90 M 9999"},
    {"day 00", "7602010001909999", "nik-day"},
    {"day 40", "7602014001909999", "nik-day"},
    {"day 41", "7602014101909999", "760201 01-01-90 F 9999"},
    {"day 31 of January", "7602013101909999", "760201 31-01-90 M 9999"},
    {"day 31 of April", "7602013104909999", "nik-day"},
    {"a woman's 31 April", "7602017104909999", "nik-day"},
    {"30 February", "7602013002909999", "nik-day"},
    {"29 February 1990 or 2090", "7602012902909999", "nik-day"},
    {"29 February 1996", "7602012902969999", "760201 29-02-96 M 9999"},
    {"29 February 2000, the century being open", "7602012902000001", "760201 29-02-00 M 1"},
    {"month 00", "7602011500909999", "nik-month"},
    {"spaces of paper", "7602 0115 0190 9999", "760201 15-01-90 M 9999"},
    {"15 digits", "760201150190999", "nik-length"},
    {"17 digits", "76020115019099999", "nik-length"},
    {"nothing", "", "nik-length"},
    {"a letter", "760201150190999X", "nik-digits"},
    {"a sign", "-760201150190999", "nik-digits"},
};

static void numbers_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        print_message("%s\n", numbers[i].id);
        assert_string_equal(read_as(numbers[i].number, strlen(numbers[i].number)), numbers[i].expected);
    }
}

static void a_refused_number_leaves_the_result_alone(void **state)
{
    struct nik nik, before;
    (void)state;
    memset(&nik, 'x', sizeof nik);
    before = nik;
    assert_non_null(nik_parse("7602011501900000", 16, &nik).code);
    assert_memory_equal(&nik, &before, sizeof nik);
}

static const struct {
    const char *id;
    const char *number;
    struct date birth;
    char sex;
    const char *expected;
} records[] = {
    {"B9: a woman's NIK beside the NIP of a man", "7602015501909999", {1990, 1, 15}, 'M', "NIK_SEX"},
    {"all agrees", "7602015501909999", {1990, 1, 15}, 'F', ""},
    {"another century is no contradiction", "7602015501909999", {2090, 1, 15}, 'F', ""},
    {"another day", "7602015501909999", {1990, 1, 16}, 'F', "NIK_BIRTH"},
    {"another month", "7602015501909999", {1990, 2, 15}, 'F', "NIK_BIRTH"},
    {"another year", "7602015501909999", {1991, 1, 15}, 'F', "NIK_BIRTH"},
    {"both", "7602015501909999", {1991, 1, 15}, 'M', "NIK_BIRTH NIK_SEX"},
    {"nothing is known", "7602015501909999", {0, 0, 0}, 0, ""},
};

static void what_contradicts_the_number_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        struct nik nik;
        struct refusal warnings[2];
        char codes[64] = "";
        size_t n;
        print_message("%s\n", records[i].id);
        assert_null(nik_parse(records[i].number, strlen(records[i].number), &nik).code);
        n = nik_warnings(&nik, records[i].birth, records[i].sex, warnings);
        for (size_t w = 0; w < n; w++)
            snprintf(codes + strlen(codes), sizeof codes - strlen(codes), "%s%s", w ? " " : "", warnings[w].code);
        assert_string_equal(codes, records[i].expected);
    }
}

static void every_day_of_two_centuries_is_read_as_it_was_made(void **state)
{
    static const struct date first = {1901, 1, 1}, last = {2100, 12, 31};
    (void)state;
    for (int64_t day = date_to_days(first); day <= date_to_days(last); day++) {
        struct date birth = date_from_days(day);
        bool is_female = day % 3 == 0;
        struct nik nik;
        struct refusal warnings[2];
        char digits[32];
        snprintf(digits, sizeof digits, "317101%02d%02d%02d%04d", birth.day + (is_female ? 40 : 0), birth.month, birth.year % 100,
                 (int)(1 + (day + 1000000) % 9999));
        assert_null(nik_parse(digits, 16, &nik).code);
        assert_string_equal(nik.digits, digits);
        assert_int_equal(nik_warnings(&nik, birth, is_female ? 'F' : 'M', warnings), 0);
        assert_int_equal(nik_warnings(&nik, date_from_days(day + 1), is_female ? 'M' : 'F', warnings), 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(a_refused_number_leaves_the_result_alone),
        cmocka_unit_test(what_contradicts_the_number_is_named),
        cmocka_unit_test(every_day_of_two_centuries_is_read_as_it_was_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
