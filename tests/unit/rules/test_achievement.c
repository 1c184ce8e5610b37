/* SPDX-License-Identifier: Apache-2.0 */
/* Achievements: the worked examples J1 … J8 and those of the annex for ranges, what has no value, and what holds for all numbers. */
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

struct row {
    const char *id;
    enum direction direction;
    const char *target;
    const char *target_high;
    const char *actual;
    const char *cap;
    bool zero_target_reached;
    const char *uncapped; /* two decimals, half up; or the code of the refusal */
    const char *capped;
};

static const struct row rows[] = {
    {"J1", MAXIMIZE, "50", NULL, "45", "120", false, "90.00", "90.00"},
    {"J2", MAXIMIZE, "50", NULL, "70", "120", false, "140.00", "120.00"},
    {"J3", MINIMIZE, "8", NULL, "6", "120", false, "125.00", "120.00"},
    {"J4", MINIMIZE, "8", NULL, "10", "120", false, "75.00", "75.00"},
    {"J5 at twice the target", MINIMIZE, "8", NULL, "16", "120", false, "0.00", "0.00"},
    {"J5 beyond", MINIMIZE, "8", NULL, "20", "120", false, "0.00", "0.00"},
    {"J6", MINIMIZE_INVERSE, "8", NULL, "10", "120", false, "80.00", "80.00"},
    {"J7", MAXIMIZE, "0", NULL, "0", "120", false, "indicator-target-zero", NULL},
    {"J7 declared as reached", MAXIMIZE, "0", NULL, "0", "120", true, "100.00", "100.00"},
    {"J8, first", MAXIMIZE, "50", NULL, "70", "120", false, "140.00", "120.00"},
    {"J8, second", MAXIMIZE, "100", NULL, "80", "120", false, "80.00", "80.00"},
    {"I13", RANGE, "80", "90", "70", NULL, false, "87.50", "87.50"},
    {"I14", RANGE, "80", "90", "92", NULL, false, "102.22", "102.22"},
    {"I11: less is better, below the bound of 7", MINIMIZE, "7", NULL, "6.5", NULL, false, "107.14", "107.14"},
    {"I12: less is better, above the bound of 8", MINIMIZE, "8", NULL, "9", NULL, false, "87.50", "87.50"},
    {"on the lower bound", RANGE, "80", "90", "80", NULL, false, "100.00", "100.00"},
    {"on the upper bound", RANGE, "80", "90", "90", NULL, false, "100.00", "100.00"},
    {"within the bounds, cap below 100", RANGE, "80", "90", "85", "99.5", false, "100.00", "99.50"},
    {"both bounds in one", RANGE, "80", "80", "88", "105", false, "110.00", "105.00"},
    {"both bounds 0, and met", RANGE, "0", "0", "0", NULL, false, "100.00", "100.00"},
    {"both bounds 0, and passed", RANGE, "0", "0", "1", NULL, false, "indicator-target-zero", NULL},
    {"lower bound 0", RANGE, "0", "5", "0", NULL, false, "100.00", "100.00"},
    {"below a lower bound of 0", RANGE, "0", "5", "-1", NULL, false, "indicator-target-zero", NULL},
    {"no upper bound", RANGE, "80", NULL, "85", NULL, false, "indicator-range", NULL},
    {"bounds upside down", RANGE, "90", "80", "85", NULL, false, "indicator-range", NULL},
    {"no cap", MAXIMIZE, "1", NULL, "1000", NULL, false, "100000.00", "100000.00"},
    {"the cap itself", MAXIMIZE, "50", NULL, "60", "120", false, "120.00", "120.00"},
    {"a third", MAXIMIZE, "3", NULL, "1", "120", false, "33.33", "33.33"},
    {"half up", MAXIMIZE, "200", NULL, "0.25", "120", false, "0.13", "0.13"},
    {"a loss", MAXIMIZE, "50", NULL, "-5", "120", false, "0.00", "0.00"},
    {"target 0 passed, not declared", MAXIMIZE, "0", NULL, "3", "120", false, "indicator-target-zero", NULL},
    {"target 0 passed, declared", MAXIMIZE, "0", NULL, "3", "120", true, "100.00", "100.00"},
    {"target 0 missed, declared", MAXIMIZE, "0", NULL, "-1", "120", true, "0.00", "0.00"},
    {"declared, with a target", MAXIMIZE, "50", NULL, "45", "120", true, "90.00", "90.00"},
    {"minimize to 0", MINIMIZE, "0", NULL, "0", "120", true, "indicator-target-zero", NULL},
    {"minimize, nothing happened", MINIMIZE, "8", NULL, "0", NULL, false, "200.00", "200.00"},
    {"inverse, nothing happened", MINIMIZE_INVERSE, "8", NULL, "0", "120", false, "indicator-actual", NULL},
    {"inverse, below nothing", MINIMIZE_INVERSE, "8", NULL, "-1", "120", false, "indicator-actual", NULL},
    {"inverse to 0", MINIMIZE_INVERSE, "0", NULL, "4", "120", false, "0.00", "0.00"},
    {"inverse to 0, nothing happened", MINIMIZE_INVERSE, "0", NULL, "0", "120", false, "indicator-actual", NULL},
    {"a target below 0", MAXIMIZE, "-50", NULL, "-45", "120", false, "indicator-target-negative", NULL},
    {"a cap of 0", MAXIMIZE, "50", NULL, "45", "0", false, "indicator-cap", NULL},
    {"a cap below 0", MAXIMIZE, "50", NULL, "45", "-1", false, "indicator-cap", NULL},
    {"more digits than a double has", MAXIMIZE, "1000000000000", NULL, "999999999999.9999", NULL, false, "100.00", "100.00"},
};

static struct arena *arena;

static struct decimal *number(const char *text)
{
    struct decimal *d;
    if (!text)
        return NULL;
    d = arena_alloc(arena, sizeof *d);
    decimal_init(d);
    assert_true(decimal_parse(d, text, strlen(text)));
    return d;
}

static void done(struct decimal *d)
{
    if (d)
        decimal_done(d);
}

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

static struct refusal compute(const struct row *row, struct decimal *ret_uncapped, struct decimal *ret_capped)
{
    struct decimal *target = number(row->target), *high = number(row->target_high), *actual = number(row->actual), *cap = number(row->cap);
    struct indicator in = {row->direction, target, high, actual, cap, row->zero_target_reached};
    struct refusal refusal = achievement_compute(&in, ret_uncapped, ret_capped);
    done(target);
    done(high);
    done(actual);
    done(cap);
    return refusal;
}

static void achievements(void **state)
{
    struct decimal uncapped, capped;
    (void)state;
    decimal_init(&uncapped);
    decimal_init(&capped);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct refusal refusal;
        print_message("%s\n", rows[i].id);
        decimal_set_int(&uncapped, -7);
        decimal_set_int(&capped, -7);
        refusal = compute(&rows[i], &uncapped, &capped);
        if (!rows[i].capped) {
            assert_non_null(refusal.code);
            assert_string_equal(refusal.code, rows[i].uncapped);
            assert_true(*refusal.en && *refusal.id);
            assert_string_equal(decimal_format(arena, &uncapped, 0, ROUND_HALF_UP), "-7");
            assert_string_equal(decimal_format(arena, &capped, 0, ROUND_HALF_UP), "-7");
            continue;
        }
        assert_null(refusal.code);
        assert_string_equal(decimal_format(arena, &uncapped, 2, ROUND_HALF_UP), rows[i].uncapped);
        assert_string_equal(decimal_format(arena, &capped, 2, ROUND_HALF_UP), rows[i].capped);
    }
    decimal_done(&uncapped);
    decimal_done(&capped);
}

static void nothing_is_rounded(void **state)
{
    const struct row row = {"", MAXIMIZE, "1000000000000", NULL, "999999999999.9999", NULL, false, NULL, NULL};
    struct decimal uncapped, capped;
    (void)state;
    decimal_init(&uncapped);
    decimal_init(&capped);
    assert_null(compute(&row, &uncapped, &capped).code);
    assert_string_equal(decimal_format(arena, &uncapped, 14, ROUND_DOWN), "99.99999999999999");
    assert_string_equal(decimal_format(arena, &uncapped, 20, ROUND_DOWN), "99.99999999999999000000");
    decimal_done(&uncapped);
    decimal_done(&capped);
}

#define MANY 4

struct mean {
    const char *id;
    const char *weights[MANY];
    const char *values[MANY];
    const char *expected; /* or the code of the refusal */
};

static const struct mean means[] = {
    {"J8, capped first, then weighted", {"60", "40"}, {"120", "80"}, "104.00"},
    {"J8 without caps", {"60", "40"}, {"140", "80"}, "116.00"},
    {"weights that make 1", {"0.6", "0.4"}, {"120", "80"}, "104.00"},
    {"one alone", {"0.0001"}, {"33.33"}, "33.33"},
    {"thirds", {"1", "1", "1"}, {"100", "100", "99.995"}, "100.00"},
    {"none", {NULL}, {NULL}, "indicator-none"},
    {"a weight of 0", {"1", "0"}, {"100", "100"}, "indicator-weight"},
    {"weights that cancel out", {"1", "-1"}, {"100", "100"}, "indicator-weight"},
};

static size_t load(const char *const texts[MANY], struct decimal ret[MANY])
{
    size_t n = 0;
    for (; n < MANY && texts[n]; n++) {
        decimal_init(&ret[n]);
        assert_true(decimal_parse(&ret[n], texts[n], strlen(texts[n])));
    }
    return n;
}

static void unload(struct decimal *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        decimal_done(&numbers[i]);
}

static void totals(void **state)
{
    struct decimal weights[MANY], values[MANY], total;
    (void)state;
    decimal_init(&total);
    for (size_t i = 0; i < ARRAY_LEN(means); i++) {
        size_t n = load(means[i].weights, weights);
        struct refusal refusal;
        load(means[i].values, values);
        print_message("%s\n", means[i].id);
        decimal_set_int(&total, -7);
        refusal = achievement_total(weights, values, n, &total);
        if (refusal.code) {
            assert_string_equal(refusal.code, means[i].expected);
            assert_string_equal(decimal_format(arena, &total, 2, ROUND_HALF_UP), "-7.00");
        } else
            assert_string_equal(decimal_format(arena, &total, 2, ROUND_HALF_UP), means[i].expected);
        unload(weights, n);
        unload(values, n);
    }
    decimal_done(&total);
}

static void directions_have_their_texts(void **state)
{
    static const char *const texts[] = {"maximize", "minimize", "minimize_inverse", "range"};
    enum direction direction = RANGE;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_true(direction_parse(texts[i], &direction));
        assert_int_equal(direction, i);
    }
    direction = MINIMIZE;
    assert_false(direction_parse("", &direction));
    assert_false(direction_parse("Maximize", &direction));
    assert_false(direction_parse("minimize_", &direction));
    assert_int_equal(direction, MINIMIZE);
}

/* Numerical Recipes' linear congruential generator: the same numbers on every machine. */
static int up_to(uint32_t *seed, int n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (int)((*seed >> 8) % (uint32_t)n);
}

/* Up to 1000, of at most four decimals, often a round number. */
static void random_number(uint32_t *seed, struct decimal *ret, int at_least)
{
    static const int scales[] = {1, 10, 100, 10000};
    struct decimal by;
    int scale = scales[up_to(seed, 4)];
    decimal_init(&by);
    decimal_set_int(&by, scale);
    decimal_set_int(ret, at_least + up_to(seed, 1000 * scale));
    assert_true(decimal_div(ret, ret, &by));
    decimal_done(&by);
}

enum { TARGET, HIGH, ACTUAL, CAP, BETTER, UNCAPPED, CAPPED, UNCAPPED_2, CAPPED_2, N_NUMBERS };

/* An indicator with a value, and a second result above its own. */
static struct indicator random_indicator(uint32_t *seed, struct decimal *d)
{
    struct indicator in = {.direction = (enum direction)up_to(seed, 4), .target = &d[TARGET], .actual = &d[ACTUAL], .cap = &d[CAP]};
    random_number(seed, &d[TARGET], 1);
    random_number(seed, &d[HIGH], 0);
    decimal_add(&d[HIGH], &d[HIGH], &d[TARGET]);
    random_number(seed, &d[ACTUAL], 1);
    random_number(seed, &d[CAP], 1);
    random_number(seed, &d[BETTER], 0);
    decimal_add(&d[BETTER], &d[BETTER], &d[ACTUAL]);
    if (in.direction == RANGE)
        in.target_high = &d[HIGH];
    return in;
}

static void more_is_never_worse_and_no_cap_is_passed(void **state)
{
    struct decimal d[N_NUMBERS];
    uint32_t seed = 20260302;
    (void)state;
    for (size_t i = 0; i < N_NUMBERS; i++)
        decimal_init(&d[i]);
    for (int i = 0; i < 20000; i++) {
        struct indicator in = random_indicator(&seed, d), then = in;
        bool is_more_better = in.direction == MAXIMIZE || in.direction == RANGE;
        const struct decimal *low = is_more_better ? &d[UNCAPPED] : &d[UNCAPPED_2], *high = is_more_better ? &d[UNCAPPED_2] : &d[UNCAPPED];
        then.actual = &d[BETTER];
        assert_null(achievement_compute(&in, &d[UNCAPPED], &d[CAPPED]).code);
        assert_null(achievement_compute(&then, &d[UNCAPPED_2], &d[CAPPED_2]).code);
        assert_true(decimal_compare(low, high) <= 0);
        assert_true(decimal_sign(&d[UNCAPPED]) >= 0);
        assert_true(decimal_compare(&d[CAPPED], &d[CAP]) <= 0);
        assert_true(decimal_compare(&d[CAPPED], &d[UNCAPPED]) == 0 || decimal_compare(&d[CAPPED], &d[CAP]) == 0);
        in.cap = NULL;
        assert_null(achievement_compute(&in, &d[UNCAPPED_2], &d[CAPPED_2]).code);
        assert_int_equal(decimal_compare(&d[UNCAPPED_2], &d[UNCAPPED]), 0);
        assert_int_equal(decimal_compare(&d[CAPPED_2], &d[UNCAPPED]), 0);
    }
    unload(d, N_NUMBERS);
}

#define ITEMS 6

static void a_total_is_a_mean_whatever_the_weights_scale(void **state)
{
    struct decimal weights[ITEMS], scaled[ITEMS], values[ITEMS], factor, total, again;
    uint32_t seed = 20260303;
    (void)state;
    decimal_init(&factor);
    decimal_init(&total);
    decimal_init(&again);
    for (size_t i = 0; i < ITEMS; i++) {
        decimal_init(&weights[i]);
        decimal_init(&scaled[i]);
        decimal_init(&values[i]);
    }
    for (int round = 0; round < 5000; round++) {
        size_t n = 1 + (size_t)up_to(&seed, ITEMS);
        const struct decimal *least = values, *most = values;
        random_number(&seed, &factor, 1);
        for (size_t i = 0; i < n; i++) {
            random_number(&seed, &weights[i], 1);
            random_number(&seed, &values[i], 0);
            decimal_mul(&scaled[i], &weights[i], &factor);
            least = decimal_compare(&values[i], least) < 0 ? &values[i] : least;
            most = decimal_compare(&values[i], most) > 0 ? &values[i] : most;
        }
        assert_null(achievement_total(weights, values, n, &total).code);
        assert_null(achievement_total(scaled, values, n, &again).code);
        assert_int_equal(decimal_compare(&total, &again), 0);
        assert_true(decimal_compare(least, &total) <= 0 && decimal_compare(&total, most) <= 0);
        assert_null(achievement_total(weights, values, 1, &again).code);
        assert_int_equal(decimal_compare(&again, &values[0]), 0);
    }
    unload(weights, ITEMS);
    unload(scaled, ITEMS);
    unload(values, ITEMS);
    decimal_done(&factor);
    decimal_done(&total);
    decimal_done(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(achievements),
        cmocka_unit_test(nothing_is_rounded),
        cmocka_unit_test(totals),
        cmocka_unit_test(directions_have_their_texts),
        cmocka_unit_test(more_is_never_worse_and_no_cap_is_passed),
        cmocka_unit_test(a_total_is_a_mean_whatever_the_weights_scale),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
