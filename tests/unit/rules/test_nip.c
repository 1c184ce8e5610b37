/* SPDX-License-Identifier: Apache-2.0 */
/* NIP and NI PPPK: the worked examples A1 … A21, the layouts' edges, and that every valid number is read as it was made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "asnd/rules.h"

/* last: it has a macro named fail */
#include <cmocka.h>

/* What a number says, in one line: kind birth year-month×count sex sequence; or the code of the refusal. */
static const char *read_as(const char *text, size_t len, enum asn_kind declared)
{
    static char line[96];
    struct nip nip;
    struct refusal refusal = nip_parse(text, len, declared, &nip);
    char birth[DATE_TEXT_SIZE];
    if (refusal.code) {
        assert_true(refusal.en && *refusal.en && refusal.id && *refusal.id);
        return refusal.code;
    }
    date_format(nip.birth, birth);
    snprintf(line, sizeof line, "%s %s %d-%d x%d %c %d", asn_kind_text(nip.kind), birth, nip.appointed_year, nip.appointed_month,
             nip.appointment_count, nip.sex, nip.sequence);
    return line;
}

static const struct {
    const char *id;
    const char *number;
    enum asn_kind declared;
    const char *expected;
} numbers[] = {
    {"A1", "199001152015031999", ASN_PNS, "PNS 1990-01-15 2015-3 x0 M 999"},
    {"A2", "198512312010012998", ASN_PNS, "PNS 1985-12-31 2010-1 x0 F 998"},
    {"A3", "19900115 201503 1 999", ASN_PNS, "PNS 1990-01-15 2015-3 x0 M 999"},
    {"A4", "199505202024211997", ASN_PPPK, "PPPK 1995-05-20 2024-0 x1 M 997"},
    {"A5", "200001012025222996", ASN_PPPK, "PPPK 2000-01-01 2025-0 x2 F 996"},
    {"A6", "199505202024211997", ASN_PNS, "nip-month"},
    {"A7", "199001152015031999", ASN_PPPK, "nip-kind"},
    {"A8", "199002302015031999", ASN_PNS, "nip-birth"},
    {"A9", "199001152015131999", ASN_PNS, "nip-month"},
    {"A9 as PPPK", "199001152015131999", ASN_PPPK, "nip-kind"},
    {"A10", "199001152015033999", ASN_PNS, "nip-sex"},
    {"A11", "19900115201503199", ASN_PNS, "nip-length"},
    {"A12", "199001152015031000", ASN_PNS, "nip-sequence"},
    {"A13", "19900115201503199A", ASN_PNS, "nip-digits"},
    {"A14", "200002292020121999", ASN_PNS, "PNS 2000-02-29 2020-12 x0 M 999"},
    {"A15", "190002292020121999", ASN_PNS, "nip-birth"},
    {"A16", "199505202024201997", ASN_PPPK, "nip-appointment"},
    {"A17", "200012312024211001", ASN_PPPK, "PPPK 2000-12-31 2024-0 x1 M 1"},
    {"A18 of A1", "199001152015031999", ASN_UNKNOWN, "PNS 1990-01-15 2015-3 x0 M 999"},
    {"A18 of A4", "199505202024211997", ASN_UNKNOWN, "PPPK 1995-05-20 2024-0 x1 M 997"},
    {"A18 of A9", "199001152015131999", ASN_UNKNOWN, "nip-month"},
    {"a candidate has a PNS's number", "199001152015031999", ASN_CPNS, "CPNS 1990-01-15 2015-3 x0 M 999"},
    {"month 00", "199001152015001999", ASN_PNS, "nip-month"},
    {"month 00, kind unknown", "199001152015001999", ASN_UNKNOWN, "nip-month"},
    {"month 12", "199001152015121999", ASN_UNKNOWN, "PNS 1990-01-15 2015-12 x0 M 999"},
    {"digit 13 of neither kind", "199001152015311999", ASN_UNKNOWN, "nip-kind"},
    {"PPPK's sequence 000", "199505202024211000", ASN_PPPK, "nip-sequence"},
    {"PPPK's sex 0", "199505202024210997", ASN_PPPK, "nip-sex"},
    {"PPPK for the ninth time", "199505202024291997", ASN_PPPK, "PPPK 1995-05-20 2024-0 x9 M 997"},
    {"year 0000", "199001150000031999", ASN_PNS, "nip-year"},
    {"19 digits", "1990011520150319990", ASN_PNS, "nip-length"},
    {"40 digits", "1990011520150319991990011520150319991990", ASN_PNS, "nip-length"},
    {"nothing", "", ASN_PNS, "nip-length"},
    {"spaces alone", "   ", ASN_UNKNOWN, "nip-length"},
    {"a tab is no space", "19900115\t201503 1 999", ASN_PNS, "nip-digits"},
    {"a point", "19900115.201503.1.999", ASN_PNS, "nip-digits"},
    {"digits of another script",
     "\xd9\xa1"
     "9900115201503199",
     ASN_PNS, "nip-digits"},
    {"born in 1899", "189912312015031999", ASN_PNS, "nip-birth"},
    {"month of birth 00", "199000152015031999", ASN_PNS, "nip-birth"},
    {"part-time: length, birth date and sex alone", "199505202025991000", ASN_PPPK_PART_TIME, "PPPK_PARUH_WAKTU 1995-05-20 0-0 x0 M 0"},
    {"part-time: 30 February", "199502302025991000", ASN_PPPK_PART_TIME, "nip-birth"},
    {"part-time: sex 3", "199505202025993000", ASN_PPPK_PART_TIME, "nip-sex"},
    {"part-time: 17 digits", "19950520202599100", ASN_PPPK_PART_TIME, "nip-length"},
};

static void numbers_are_read_by_their_kinds_layout(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        print_message("%s\n", numbers[i].id);
        assert_string_equal(read_as(numbers[i].number, strlen(numbers[i].number), numbers[i].declared), numbers[i].expected);
    }
}

static void the_digits_are_kept_without_spaces(void **state)
{
    struct nip nip;
    (void)state;
    assert_null(nip_parse("19900115 201503 1 999", 21, ASN_PNS, &nip).code);
    assert_string_equal(nip.digits, "199001152015031999");
}

static void a_nul_is_no_digit_and_what_follows_the_length_is_not_read(void **state)
{
    (void)state;
    assert_string_equal(read_as("199001152015031999\0", 19, ASN_PNS), "nip-digits");
    assert_string_equal(read_as("199001152015031999123", 18, ASN_PNS), "PNS 1990-01-15 2015-3 x0 M 999");
}

static void a_refused_number_leaves_the_result_alone(void **state)
{
    struct nip nip, before;
    (void)state;
    memset(&nip, 'x', sizeof nip);
    before = nip;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (strncmp(numbers[i].expected, "nip-", 4) == 0) {
            assert_non_null(nip_parse(numbers[i].number, strlen(numbers[i].number), numbers[i].declared, &nip).code);
            assert_memory_equal(&nip, &before, sizeof nip);
        }
}

static const struct {
    const char *id;
    const char *number;
    enum asn_kind kind;
    struct nip_record record;
    const char *expected;
} records[] = {
    {"A19", "199001152015031999", ASN_PNS, {.appointed = {2015, 4, 1}}, "CON_1"},
    {"A20", "199505202024211997", ASN_PPPK, {.appointed = {2023, 3, 1}}, "CON_4"},
    {"A21", "199001152015031999", ASN_PNS, {.sex = 'F'}, "CON_3"},
    {"born on another day", "199001152015031999", ASN_PNS, {.birth = {1990, 1, 16}}, "CON_2"},
    {"nothing is known", "199001152015031999", ASN_PNS, {.sex = 0}, ""},
    {"all agrees", "199001152015031999", ASN_PNS, {{1990, 1, 15}, 'M', {2015, 3, 1}}, ""},
    {"the day of appointment is not in the number", "199001152015031999", ASN_PNS, {.appointed = {2015, 3, 31}}, ""},
    {"same month of another year", "199001152015031999", ASN_PNS, {.appointed = {2016, 3, 1}}, "CON_1"},
    {"a candidate's month", "199001152015031999", ASN_CPNS, {.appointed = {2015, 4, 1}}, "CON_1"},
    {"a contract in any month of its year", "199505202024211997", ASN_PPPK, {.appointed = {2024, 11, 1}}, ""},
    {"a PNS wrong in everything", "199001152015031999", ASN_PNS, {{1991, 1, 15}, 'F', {2014, 3, 1}}, "CON_1 CON_2 CON_3"},
    {"a PPPK wrong in everything", "199505202024211997", ASN_PPPK, {{1991, 1, 15}, 'F', {2014, 3, 1}}, "CON_2 CON_3 CON_4"},
    {"part-time: the year's place is not known", "199505202024211997", ASN_PPPK_PART_TIME, {{1995, 5, 20}, 'M', {2014, 3, 1}}, ""},
};

static void what_contradicts_the_number_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        struct nip nip;
        struct refusal warnings[4];
        char codes[64] = "";
        size_t n;
        print_message("%s\n", records[i].id);
        assert_null(nip_parse(records[i].number, strlen(records[i].number), records[i].kind, &nip).code);
        n = nip_warnings(&nip, &records[i].record, warnings);
        for (size_t w = 0; w < n; w++) {
            snprintf(codes + strlen(codes), sizeof codes - strlen(codes), "%s%s", w ? " " : "", warnings[w].code);
            assert_true(*warnings[w].en && *warnings[w].id);
        }
        assert_string_equal(codes, records[i].expected);
    }
}

static void kinds_have_their_texts(void **state)
{
    enum asn_kind kind = ASN_UNKNOWN;
    (void)state;
    for (enum asn_kind k = ASN_PNS; k <= ASN_PPPK_PART_TIME; k++) {
        assert_true(asn_kind_parse(asn_kind_text(k), &kind));
        assert_int_equal(kind, k);
    }
    kind = ASN_CPNS;
    assert_false(asn_kind_parse("", &kind));
    assert_false(asn_kind_parse("pns", &kind));
    assert_false(asn_kind_parse("PNS ", &kind));
    assert_false(asn_kind_parse(NULL, &kind));
    assert_int_equal(kind, ASN_CPNS);
}

/* Numerical Recipes' linear congruential generator: the same numbers on every machine. */
static int up_to(uint32_t *seed, int n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (int)((*seed >> 8) % (uint32_t)n);
}

static void make(uint32_t *seed, struct nip *nip, char digits[19])
{
    char birth[DATE_TEXT_SIZE];
    static const struct date first = {1900, 1, 1};
    nip->kind = up_to(seed, 2) ? ASN_PPPK : ASN_PNS;
    nip->birth = date_from_days(date_to_days(first) + up_to(seed, 73000));
    nip->appointed_year = 1 + up_to(seed, 9999);
    nip->appointed_month = nip->kind == ASN_PNS ? 1 + up_to(seed, 12) : 0;
    nip->appointment_count = nip->kind == ASN_PPPK ? 1 + up_to(seed, 9) : 0;
    nip->sex = up_to(seed, 2) ? 'M' : 'F';
    nip->sequence = 1 + up_to(seed, 999);
    date_format(nip->birth, birth);
    snprintf(digits, 19, "%.4s%.2s%.2s%04u%02u%c%03u", birth, birth + 5, birth + 8, (unsigned)nip->appointed_year % 10000,
             (unsigned)(nip->appointed_month ? nip->appointed_month : 20 + nip->appointment_count) % 100, nip->sex == 'M' ? '1' : '2',
             (unsigned)nip->sequence % 1000);
}

static void every_valid_number_is_read_as_it_was_made(void **state)
{
    uint32_t seed = 20260301;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct nip made = {0}, declared, detected;
        make(&seed, &made, made.digits);
        assert_null(nip_parse(made.digits, 18, made.kind, &declared).code);
        assert_null(nip_parse(made.digits, 18, ASN_UNKNOWN, &detected).code);
        assert_string_equal(declared.digits, made.digits);
        assert_int_equal(date_compare(declared.birth, made.birth), 0);
        assert_int_equal(declared.appointed_year, made.appointed_year);
        assert_int_equal(declared.appointed_month, made.appointed_month);
        assert_int_equal(declared.appointment_count, made.appointment_count);
        assert_int_equal(declared.sex, made.sex);
        assert_int_equal(declared.sequence, made.sequence);
        assert_int_equal(detected.kind, made.kind);
    }
}

static void a_valid_number_is_never_valid_for_the_other_kind(void **state)
{
    uint32_t seed = 7;
    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct nip made = {0}, other;
        make(&seed, &made, made.digits);
        assert_non_null(nip_parse(made.digits, 18, made.kind == ASN_PNS ? ASN_PPPK : ASN_PNS, &other).code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_by_their_kinds_layout),
        cmocka_unit_test(the_digits_are_kept_without_spaces),
        cmocka_unit_test(a_nul_is_no_digit_and_what_follows_the_length_is_not_read),
        cmocka_unit_test(a_refused_number_leaves_the_result_alone),
        cmocka_unit_test(what_contradicts_the_number_is_named),
        cmocka_unit_test(kinds_have_their_texts),
        cmocka_unit_test(every_valid_number_is_read_as_it_was_made),
        cmocka_unit_test(a_valid_number_is_never_valid_for_the_other_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
