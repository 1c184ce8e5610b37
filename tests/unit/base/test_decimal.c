/* SPDX-License-Identifier: Apache-2.0 */
/* Exact numbers: what is read, that nothing is lost, and each rounding at its boundary. */
#include "testing.h"

#include "asnd/arena.h"
#include "asnd/decimal.h"

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void set(struct decimal *d, const char *text)
{
    if (!decimal_parse(d, text, strlen(text)))
        fail_msg("%s was not read", text);
}

static void texts_that_are_and_are_not_numbers(void **state)
{
    static const struct {
        const char *text, *value; /* NULL: refused; else with four decimals */
    } cases[] = {
        {"0", "0.0000"},
        {"-0", "0.0000"},
        {"0.0", "0.0000"},
        {"12", "12.0000"},
        {"-12.5", "-12.5000"},
        {"1e3", "1000.0000"},
        {"1E+3", "1000.0000"},
        {"125e-2", "1.2500"},
        {"1.25e1", "12.5000"},
        {"-0.0001", "-0.0001"},
        {"0e400", "0.0000"},
        {"1e-400", "0.0000"},
        {"1e0000001", "10.0000"},
        {"0.10", "0.1000"},
        {"", NULL},
        {"-", NULL},
        {"+1", NULL},
        {"01", NULL},
        {"-01", NULL},
        {"00", NULL},
        {".5", NULL},
        {"5.", NULL},
        {"1.e2", NULL},
        {"1e", NULL},
        {"1e+", NULL},
        {"1e+-1", NULL},
        {"1e401", NULL},
        {"1e-401", NULL},
        {"1e99999999999999999999", NULL},
        {" 1", NULL},
        {"1 ", NULL},
        {"1,5", NULL},
        {"0x10", NULL},
        {"NaN", NULL},
        {"Infinity", NULL},
        {"1.2.3", NULL},
        {"--1", NULL},
        {"1_000", NULL},
    };
    struct decimal d;
    (void)state;
    decimal_init(&d);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        decimal_set_int(&d, 77);
        if (decimal_parse(&d, cases[i].text, strlen(cases[i].text)) != (cases[i].value != NULL))
            fail_msg("\"%s\" should be %s", cases[i].text, cases[i].value ? "read" : "refused");
        assert_string_equal(decimal_format(arena, &d, 4, ROUND_DOWN), cases[i].value ? cases[i].value : "77.0000");
    }
    assert_true(decimal_parse(&d, "12345", 2)); /* no NUL is looked for */
    assert_string_equal(decimal_format(arena, &d, 0, ROUND_DOWN), "12");
    decimal_done(&d);
}

static void four_hundred_characters_and_no_more(void **state)
{
    char text[402];
    struct decimal d;
    (void)state;
    decimal_init(&d);
    memset(text, '7', sizeof text);
    assert_true(decimal_parse(&d, text, 400));
    text[400] = '\0';
    assert_string_equal(decimal_format(arena, &d, 0, ROUND_HALF_EVEN), text);
    text[400] = '7';
    assert_false(decimal_parse(&d, text, 401));
    text[1] = '.';
    assert_true(decimal_parse(&d, text, 400));
    text[400] = '\0';
    assert_string_equal(decimal_format(arena, &d, 398, ROUND_DOWN), text);
    memcpy(text + 395, "e-400", 5);
    assert_true(decimal_parse(&d, text, 400));
    assert_int_equal(decimal_sign(&d), 1);
    decimal_done(&d);
}

static void tenths_add_up(void **state)
{
    struct decimal sum, tenth, expected;
    (void)state;
    decimal_init(&sum);
    decimal_init(&tenth);
    decimal_init(&expected);
    set(&tenth, "0.1");
    for (int i = 0; i < 1000; i++)
        decimal_add(&sum, &sum, &tenth);
    decimal_set_int(&expected, 100);
    assert_int_equal(decimal_compare(&sum, &expected), 0);
    assert_true(decimal_is_integer(&sum));
    decimal_done(&sum);
    decimal_done(&tenth);
    decimal_done(&expected);
}

static void a_third_three_times_is_one(void **state)
{
    struct decimal a, b, c;
    (void)state;
    decimal_init(&a);
    decimal_init(&b);
    decimal_init(&c);
    decimal_set_int(&a, 1);
    decimal_set_int(&b, 3);
    assert_true(decimal_div(&c, &a, &b));
    assert_false(decimal_is_integer(&c));
    decimal_mul(&c, &c, &b);
    assert_int_equal(decimal_compare(&c, &a), 0);
    decimal_sub(&c, &c, &a);
    assert_int_equal(decimal_sign(&c), 0);
    decimal_set_int(&a, 5);
    assert_false(decimal_div(&a, &b, &c)); /* by zero: untouched */
    assert_string_equal(decimal_format(arena, &a, 0, ROUND_DOWN), "5");
    decimal_done(&a);
    decimal_done(&b);
    decimal_done(&c);
}

static void rounding_at_its_boundaries(void **state)
{
    static const struct {
        const char *text;
        int scale;
        const char *half_up, *half_even, *down;
    } cases[] = {
        {"0.5", 0, "1", "0", "0"},
        {"1.5", 0, "2", "2", "1"},
        {"2.5", 0, "3", "2", "2"},
        {"-0.5", 0, "-1", "0", "0"},
        {"-1.5", 0, "-2", "-2", "-1"},
        {"-2.5", 0, "-3", "-2", "-2"},
        {"2.4999999999999999999", 0, "2", "2", "2"},
        {"2.5000000000000000001", 0, "3", "3", "2"},
        {"-2.5000000000000000001", 0, "-3", "-3", "-2"},
        {"1.005", 2, "1.01", "1.00", "1.00"}, /* what a double gets wrong */
        {"2.675", 2, "2.68", "2.68", "2.67"},
        {"2.665", 2, "2.67", "2.66", "2.66"},
        {"-1.005", 2, "-1.01", "-1.00", "-1.00"},
        {"99.995", 2, "100.00", "100.00", "99.99"},
        {"-99.995", 2, "-100.00", "-100.00", "-99.99"},
        {"0.004", 2, "0.00", "0.00", "0.00"},
        {"-0.004", 2, "0.00", "0.00", "0.00"}, /* never "-0.00" */
        {"0.05", 2, "0.05", "0.05", "0.05"},
        {"-0.05", 2, "-0.05", "-0.05", "-0.05"},
        {"7", 3, "7.000", "7.000", "7.000"},
        {"0", 0, "0", "0", "0"},
        {"90071992547409930000.5", 0, "90071992547409930001", "90071992547409930000", "90071992547409930000"},
    };
    struct decimal d;
    (void)state;
    decimal_init(&d);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const expected[] = {
            [ROUND_HALF_UP] = cases[i].half_up, [ROUND_HALF_EVEN] = cases[i].half_even, [ROUND_DOWN] = cases[i].down};
        for (int mode = ROUND_HALF_UP; mode <= ROUND_DOWN; mode++) {
            set(&d, cases[i].text);
            assert_string_equal(decimal_format(arena, &d, cases[i].scale, (enum rounding)mode), expected[mode]);
            decimal_round(&d, cases[i].scale, (enum rounding)mode);
            assert_string_equal(decimal_format(arena, &d, cases[i].scale, ROUND_DOWN), expected[mode]);
        }
    }
    decimal_done(&d);
}

static void rounding_changes_the_value_and_not_only_its_text(void **state)
{
    struct decimal d, expected;
    (void)state;
    decimal_init(&d);
    decimal_init(&expected);
    set(&d, "66.666666");
    decimal_round(&d, 2, ROUND_HALF_UP);
    set(&expected, "66.67");
    assert_int_equal(decimal_compare(&d, &expected), 0);
    set(&d, "-0.004");
    decimal_round(&d, 2, ROUND_HALF_EVEN);
    assert_int_equal(decimal_sign(&d), 0);
    assert_true(decimal_is_integer(&d));
    decimal_done(&d);
    decimal_done(&expected);
}

static void comparison_and_copies(void **state)
{
    struct decimal a, b;
    (void)state;
    decimal_init(&a);
    decimal_init(&b);
    set(&a, "0.30");
    set(&b, "3e-1");
    assert_int_equal(decimal_compare(&a, &b), 0);
    set(&b, "0.3000000000000000000000000000001");
    assert_int_equal(decimal_compare(&a, &b), -1);
    assert_int_equal(decimal_compare(&b, &a), 1);
    decimal_set(&a, &b);
    assert_int_equal(decimal_compare(&a, &b), 0);
    decimal_set_int(&a, INT64_MIN);
    assert_string_equal(decimal_format(arena, &a, 0, ROUND_DOWN), "-9223372036854775808");
    assert_int_equal(decimal_sign(&a), -1);
    decimal_done(&a);
    decimal_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_are_and_are_not_numbers),
        cmocka_unit_test(four_hundred_characters_and_no_more),
        cmocka_unit_test(tenths_add_up),
        cmocka_unit_test(a_third_three_times_is_one),
        cmocka_unit_test(rounding_at_its_boundaries),
        cmocka_unit_test(rounding_changes_the_value_and_not_only_its_text),
        cmocka_unit_test(comparison_and_copies),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
