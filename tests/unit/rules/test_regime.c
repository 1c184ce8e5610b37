/* SPDX-License-Identifier: Apache-2.0 */
/* The regimes before 2022: the worked examples I1 … I20, both ways where the sources leave one open, and what holds for all numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/rules.h"

/* last: it has a macro named fail */
#include <cmocka.h>

#define MANY 6

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void load(struct decimal *ret, const char *text)
{
    decimal_init(ret);
    assert_true(decimal_parse(ret, text, strlen(text)));
}

static const char *shown(const struct decimal *d)
{
    return decimal_format(arena, d, 2, ROUND_HALF_UP);
}

static void expect(const char *id, struct refusal refusal, const struct decimal *value, const char *expected)
{
    const char *told = refusal.code ? refusal.code : shown(value);
    if (strcmp(told, expected) != 0)
        fail_msg("%s: %s instead of %s", id, told, expected);
}

static void aspects(void **state)
{
    static const struct {
        const char *id;
        enum aspect aspect;
        const char *target, *actual, *expected;
    } rows[] = {
        {"I1 quantity", ASPECT_QUANTITY, "1", "1", "100.00"},
        {"I1 quality", ASPECT_QUALITY, "100", "90", "90.00"},
        {"I1 time", ASPECT_TIME, "12", "12", "76.00"},
        {"I1 cost", ASPECT_COST, "5000000", "5000000", "76.00"},
        {"I2", ASPECT_TIME, "12", "11", "84.33"},
        {"I3", ASPECT_TIME, "12", "10", "92.67"},
        {"I4", ASPECT_TIME, "12", "9", "75.00"},
        {"I5", ASPECT_TIME, "12", "13", "67.67"},
        {"an efficiency of 24 % has the first formula", ASPECT_COST, "100", "76", "100.00"},
        {"and of a little more the second", ASPECT_COST, "100", "75.99", "75.99"},
        {"so late that nothing is left", ASPECT_TIME, "12", "30", "0.00"},
        {"nothing was spent", ASPECT_COST, "12", "0", "0.00"},
        {"more than planned", ASPECT_QUANTITY, "10", "12", "120.00"},
        {"a target of 0", ASPECT_TIME, "0", "1", "indicator-target-zero"},
        {"a target below 0", ASPECT_QUANTITY, "-1", "1", "indicator-target-negative"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decimal target, actual, value;
        load(&target, rows[i].target);
        load(&actual, rows[i].actual);
        decimal_init(&value);
        expect(rows[i].id, pp46_aspect(rows[i].aspect, &target, &actual, &value), &value, rows[i].expected);
        decimal_done(&target);
        decimal_done(&actual);
        decimal_done(&value);
    }
}

static void means(void **state)
{
    static const struct {
        const char *id;
        bool is_behaviour;
        const char *values[MANY + 1];
        const char *expected;
    } rows[] = {
        {"I1", false, {"100", "90", "76", "76"}, "85.50"},
        {"I10", true, {"84", "82", "80", "82", "82"}, "82.00"},
        {"of who leads", true, {"84", "82", "80", "82", "82", "88"}, "83.00"},
        {"four elements", true, {"84", "82", "80", "82"}, "regime-behaviours"},
        {"seven elements", true, {"1", "2", "3", "4", "5", "6", "7"}, "regime-behaviours"},
        {"none", false, {NULL}, "indicator-none"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decimal values[MANY + 1], value;
        size_t n = 0;
        while (n <= MANY && rows[i].values[n]) {
            load(&values[n], rows[i].values[n]);
            n++;
        }
        decimal_init(&value);
        expect(rows[i].id, rows[i].is_behaviour ? pp46_behaviour(values, n, &value) : regime_mean(values, n, &value), &value,
               rows[i].expected);
        for (size_t k = 0; k < n; k++)
            decimal_done(&values[k]);
        decimal_done(&value);
    }
}

static void totals(void **state)
{
    static const struct {
        const char *id, *skp, *behaviour;
        int weight;
        const char *total;
    } rows[] = {
        {"I6", "85.50", "82", PP46_SKP_WEIGHT, "84.10"},         {"I7", "90", "93", PP46_SKP_WEIGHT, "91.20"},
        {"I8", "91", "90.5", PP46_SKP_WEIGHT, "90.80"},          {"I9", "60", "62", PP46_SKP_WEIGHT, "60.80"},
        {"I20, 70/30", "110", "100", PP30_SKP_WEIGHT, "107.00"}, {"I20, 60/40", "110", "100", PP30_SKP_WEIGHT_WITH_PEERS, "106.00"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decimal skp, behaviour, total;
        load(&skp, rows[i].skp);
        load(&behaviour, rows[i].behaviour);
        decimal_init(&total);
        regime_total(&skp, &behaviour, rows[i].weight, &total);
        expect(rows[i].id, (struct refusal){0}, &total, rows[i].total);
        decimal_done(&skp);
        decimal_done(&behaviour);
        decimal_done(&total);
    }
}

static void predicates_of_pp46(void **state)
{
    static const struct {
        const char *id, *total, *rounded, *strict;
    } rows[] = {
        {"I6", "84.10", "baik", "baik"},
        {"I7", "91.20", "sangat_baik", "sangat_baik"},
        {"I8", "90.80", "sangat_baik", "baik"},
        {"I9", "60.80", "cukup", "kurang"},
        {"half", "90.5", "sangat_baik", "baik"},
        {"less than half", "90.49", "baik", "baik"},
        {"91", "91", "sangat_baik", "sangat_baik"},
        {"75.5", "75.5", "baik", "cukup"},
        {"76", "76", "baik", "baik"},
        {"61", "61", "cukup", "cukup"},
        {"50.5", "50.5", "kurang", "buruk"},
        {"51", "51", "kurang", "kurang"},
        {"50", "50", "buruk", "buruk"},
        {"0", "0", "buruk", "buruk"},
        {"100", "100", "sangat_baik", "sangat_baik"},
        {"beyond", "100.01", "regime-value", "regime-value"},
        {"below", "-1", "regime-value", "regime-value"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decimal total;
        load(&total, rows[i].total);
        for (enum cut cut = CUT_ROUND; cut <= CUT_STRICT; cut++) {
            const char *told = NULL, *expected = cut == CUT_ROUND ? rows[i].rounded : rows[i].strict;
            struct refusal refusal = pp46_predicate(&total, cut, &told);
            print_message("%s\n", rows[i].id);
            assert_string_equal(refusal.code ? refusal.code : told, expected);
        }
        decimal_done(&total);
    }
}

static void achievements_of_p8(void **state)
{
    static const struct {
        const char *id, *low, *high, *actual;
        bool is_less_better;
        const char *expected;
    } rows[] = {
        {"I11", "7", "8", "6.5", true, "107.14"},
        {"I12", "7", "8", "9", true, "87.50"},
        {"I13", "80", "90", "70", false, "87.50"},
        {"I14 (the annex's 113 is a misprint)", "80", "90", "92", false, "102.22"},
        {"within", "80", "90", "85", false, "100.00"},
        {"on a bound, less is better", "7", "8", "7", true, "100.00"},
        {"no range", "50", NULL, "45", false, "90.00"},
        {"no range, less is better", "8", NULL, "6", true, "125.00"},
        {"met, no range", "8", NULL, "8", true, "100.00"},
        {"twice as much, less is better", "8", NULL, "17", true, "0.00"},
        {"bounds upside down", "9", "8", "7", true, "indicator-range"},
        {"a target of 0", "0", NULL, "7", false, "indicator-target-zero"},
        {"a target below 0", "-2", "-1", "7", false, "indicator-target-negative"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decimal low, high, actual, value;
        struct p8_target in = {&low, rows[i].high ? &high : NULL, &actual, rows[i].is_less_better};
        load(&low, rows[i].low);
        load(&high, rows[i].high ? rows[i].high : "0");
        load(&actual, rows[i].actual);
        decimal_init(&value);
        expect(rows[i].id, p8_achievement(&in, &value), &value, rows[i].expected);
        decimal_done(&low);
        decimal_done(&high);
        decimal_done(&actual);
        decimal_done(&value);
    }
}

static void values_of_p8(void **state)
{
    static const struct {
        const char *id, *achievement;
        bool is_ceiling;
        const char *interpolated, *rounded;
        bool is_gap;
    } rows[] = {
        {"I15", "100", false, "109.00", "109.00", false},
        {"I15", "98", false, "88.00", "88.00", false},
        {"I16", "120", false, "120.00", "120.00", false},
        {"I16", "111", false, "120.00", "120.00", false},
        {"I16", "110", false, "120.00", "120.00", false},
        {"I16", "105", false, "114.44", "114.44", false},
        {"I16", "101", false, "110.00", "110.00", false},
        {"I17", "90", false, "80.00", "80.00", false},
        {"I17", "87.5", false, "77.50", "77.50", false},
        {"I17", "70", false, "60.00", "60.00", false},
        {"I17", "60", false, "50.00", "50.00", false},
        {"I17", "50", false, "41.53", "41.53", false},
        {"99", "99", false, "89.00", "89.00", false},
        {"between 99 and 100", "99.5", false, "99.00", "109.00", true},
        {"nearer to 99", "99.4", false, "97.00", "89.00", true},
        {"between 100 and 101", "100.25", false, "109.25", "109.00", true},
        {"between 79 and 80", "79.5", false, "69.50", "70.00", true},
        {"80", "80", false, "70.00", "70.00", false},
        {"79", "79", false, "69.00", "69.00", false},
        {"nothing", "0", false, "0.00", "0.00", false},
        {"less than nothing", "-5", false, "0.00", "0.00", false},
        {"cannot be exceeded, and met", "100", true, "120.00", "120.00", false},
        {"cannot be exceeded, and not met", "98", true, "88.00", "88.00", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decimal achievement, value;
        bool is_gap;
        load(&achievement, rows[i].achievement);
        decimal_init(&value);
        p8_value(&achievement, rows[i].is_ceiling, GAP_INTERPOLATE, &value, &is_gap);
        expect(rows[i].id, (struct refusal){0}, &value, rows[i].interpolated);
        assert_int_equal(is_gap, rows[i].is_gap);
        p8_value(&achievement, rows[i].is_ceiling, GAP_ROUND, &value, &is_gap);
        expect(rows[i].id, (struct refusal){0}, &value, rows[i].rounded);
        assert_int_equal(is_gap, rows[i].is_gap);
        decimal_done(&achievement);
        decimal_done(&value);
    }
}

static void predicates_of_pp30(void **state)
{
    static const struct {
        const char *id, *total, *with_idea, *without;
    } rows[] = {
        {"I18", "115", "sangat_baik", "baik"},
        {"I19", "90", "baik", "baik"},
        {"I19", "89.99", "cukup", "cukup"},
        {"I19", "70", "cukup", "cukup"},
        {"I20, 70/30", "107", "baik", "baik"},
        {"110", "110", "sangat_baik", "baik"},
        {"109.99", "109.99", "baik", "baik"},
        {"69.99", "69.99", "kurang", "kurang"},
        {"50", "50", "kurang", "kurang"},
        {"49.99", "49.99", "sangat_kurang", "sangat_kurang"},
        {"120", "120", "sangat_baik", "baik"},
        {"beyond", "120.01", "regime-value", "regime-value"},
        {"below", "-0.01", "regime-value", "regime-value"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decimal total;
        load(&total, rows[i].total);
        for (int has_idea = 0; has_idea <= 1; has_idea++) {
            const char *told = NULL;
            struct refusal refusal = pp30_predicate(&total, has_idea, &told);
            print_message("%s\n", rows[i].id);
            assert_string_equal(refusal.code ? refusal.code : told, has_idea ? rows[i].with_idea : rows[i].without);
        }
        decimal_done(&total);
    }
}

static void aspects_have_their_texts(void **state)
{
    enum aspect aspect = ASPECT_COST;
    (void)state;
    assert_true(aspect_parse("waktu", &aspect));
    assert_int_equal(aspect, ASPECT_TIME);
    assert_false(aspect_parse("mutu", &aspect));
    assert_int_equal(aspect, ASPECT_TIME);
}

/* Numerical Recipes' linear congruential generator: the same numbers on every machine. */
static int up_to(uint32_t *seed, int n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (int)((*seed >> 8) % (uint32_t)n);
}

/* at_least … at_least + 150, in hundredths. */
static void random_number(uint32_t *seed, struct decimal *ret, int at_least)
{
    struct decimal by;
    decimal_init(&by);
    decimal_set_int(&by, 100);
    decimal_set_int(ret, 100 * at_least + up_to(seed, 15000));
    assert_true(decimal_div(ret, ret, &by));
    decimal_done(&by);
}

/* How good a predicate is; the better the smaller. */
static int place(const char *predicate)
{
    static const char *const order[] = {"sangat_baik", "baik", "cukup", "kurang", "buruk", "sangat_kurang"};
    int i = 0;
    while (strcmp(order[i], predicate) != 0)
        i++;
    return i;
}

enum { LOW, MORE, MOST, TARGET, VALUE, VALUE_2, N_NUMBERS };

static void more_is_never_worse(void **state)
{
    struct decimal d[N_NUMBERS];
    uint32_t seed = 20260305;
    (void)state;
    for (size_t i = 0; i < N_NUMBERS; i++)
        decimal_init(&d[i]);
    decimal_set_int(&d[MOST], 120);
    for (int round = 0; round < 20000; round++) {
        enum gap gap = (enum gap)up_to(&seed, 2);
        bool is_gap, is_ceiling = up_to(&seed, 4) == 0;
        const char *first = "", *second = "";
        random_number(&seed, &d[LOW], 0);
        random_number(&seed, &d[MORE], 0);
        random_number(&seed, &d[TARGET], 1);
        if (decimal_compare(&d[LOW], &d[MORE]) > 0)
            continue;
        assert_null(pp46_aspect(ASPECT_QUANTITY, &d[TARGET], &d[LOW], &d[VALUE]).code);
        assert_null(pp46_aspect(ASPECT_QUANTITY, &d[TARGET], &d[MORE], &d[VALUE_2]).code);
        assert_true(decimal_compare(&d[VALUE], &d[VALUE_2]) <= 0);
        p8_value(&d[LOW], is_ceiling, gap, &d[VALUE], &is_gap);
        p8_value(&d[MORE], is_ceiling, gap, &d[VALUE_2], &is_gap);
        assert_true(decimal_compare(&d[VALUE], &d[VALUE_2]) <= 0);
        assert_true(decimal_sign(&d[VALUE]) >= 0 && decimal_compare(&d[VALUE_2], &d[MOST]) <= 0);
        if (!pp30_predicate(&d[MORE], is_ceiling, &second).code) {
            assert_null(pp30_predicate(&d[LOW], is_ceiling, &first).code);
            assert_true(place(first) >= place(second));
        }
        for (enum cut cut = CUT_ROUND; cut <= CUT_STRICT; cut++)
            if (!pp46_predicate(&d[MORE], cut, &second).code) {
                assert_null(pp46_predicate(&d[LOW], cut, &first).code);
                assert_true(place(first) >= place(second));
            }
        arena_reset(arena);
    }
    for (size_t i = 0; i < N_NUMBERS; i++)
        decimal_done(&d[i]);
}

/* Of time and cost less is better down to 24 % below the target, and then worse: the second formula is there to doubt the target. */
static void efficiency_rises_and_falls(void **state)
{
    struct decimal target, actual, value, before;
    (void)state;
    load(&target, "100");
    decimal_init(&actual);
    decimal_init(&value);
    decimal_init(&before);
    for (int r = 300; r >= 0; r--) {
        decimal_set_int(&actual, r);
        assert_null(pp46_aspect(ASPECT_TIME, &target, &actual, &value).code);
        if (r < 300 && r != 75)
            assert_true(r > 75 ? decimal_compare(&value, &before) >= 0 : decimal_compare(&value, &before) < 0);
        decimal_set(&before, &value);
    }
    decimal_done(&target);
    decimal_done(&actual);
    decimal_done(&value);
    decimal_done(&before);
}

/* The rounding cut never gives less than the strict one. */
static void the_cuts_differ_by_half_a_point_alone(void **state)
{
    struct decimal total, by;
    (void)state;
    decimal_init(&total);
    load(&by, "100");
    for (int i = 0; i <= 10000; i++) {
        const char *rounded, *strict;
        decimal_set_int(&total, i);
        assert_true(decimal_div(&total, &total, &by));
        assert_null(pp46_predicate(&total, CUT_ROUND, &rounded).code);
        assert_null(pp46_predicate(&total, CUT_STRICT, &strict).code);
        assert_true(place(rounded) == place(strict) || (place(rounded) == place(strict) - 1 && i % 100 >= 50));
    }
    decimal_done(&total);
    decimal_done(&by);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aspects),
        cmocka_unit_test(means),
        cmocka_unit_test(totals),
        cmocka_unit_test(predicates_of_pp46),
        cmocka_unit_test(achievements_of_p8),
        cmocka_unit_test(values_of_p8),
        cmocka_unit_test(predicates_of_pp30),
        cmocka_unit_test(aspects_have_their_texts),
        cmocka_unit_test(more_is_never_worse),
        cmocka_unit_test(efficiency_rises_and_falls),
        cmocka_unit_test(the_cuts_differ_by_half_a_point_alone),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
