/* SPDX-License-Identifier: Apache-2.0 */
/* What a training changed: a worked example by hand, who counts, what cells and people must agree on, the table of t. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/rules.h"

/* last: it has a macro named fail */
#include <cmocka.h>

#define MOST 32

static struct arena *arena;

struct person {
    size_t stratum, cluster;
    enum effect_arm arm;
    int before, after;
};

static struct effect_cell cell_of(const struct person *p)
{
    struct effect_cell cell;
    effect_cell_init(&cell);
    cell.stratum = p->stratum;
    cell.cluster = p->cluster;
    cell.arm = p->arm;
    cell.n = 1;
    decimal_set_int(&cell.before, p->before);
    decimal_set_int(&cell.after, p->after);
    decimal_set_int(&cell.squares, (long long)(p->after - p->before) * (p->after - p->before));
    return cell;
}

static void add_cell(struct effect_cell *to, struct effect_cell *from)
{
    to->n += from->n;
    decimal_add(&to->before, &to->before, &from->before);
    decimal_add(&to->after, &to->after, &from->after);
    decimal_add(&to->squares, &to->squares, &from->squares);
    effect_cell_done(from);
}

/* Each person a cell, or all of one stratum, cluster and arm together. */
static void estimate(const struct person *people, size_t n, bool is_summed, struct effect *ret)
{
    struct effect_cell cells[MOST] = {0};
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = used;
        struct effect_cell cell = cell_of(&people[i]);
        for (size_t j = 0; is_summed && j < used; j++)
            if (cells[j].stratum == cell.stratum && cells[j].cluster == cell.cluster && cells[j].arm == cell.arm)
                at = j;
        if (at < used)
            add_cell(&cells[at], &cell);
        else
            cells[used++] = cell;
    }
    effect_estimate(arena, cells, used, ret);
    for (size_t i = 0; i < used; i++)
        effect_cell_done(&cells[i]);
}

static const char *text(const struct decimal *d)
{
    return decimal_format(arena, d, 4, ROUND_HALF_UP);
}

#define P EFFECT_PARTICIPANT
#define C EFFECT_COMPARISON

/* Changes 12, 8, 10 against 3, 5, 4, 4: 10 − 4 = 6; s² 4 and 2/3; √(4/3 + 1/6) = √1.5; ν = 1.5² / ((4/3)²/2 + (1/6)²/3) = 2.50 → 2; t 4.302653. */
static const struct person plain[] = {{0, 0, P, 80, 92}, {0, 1, P, 82, 90}, {0, 2, P, 75, 85}, {0, 3, C, 80, 83},
                                      {0, 4, C, 70, 75}, {0, 5, C, 90, 94}, {0, 6, C, 88, 92}};

static void test_worked_by_hand(void **state)
{
    struct effect e;
    (void)state;
    estimate(plain, ARRAY_LEN(plain), false, &e);
    assert_true(e.has_estimate && e.has_interval && !e.is_clustered);
    assert_string_equal(text(&e.side[P].before), "79.0000");
    assert_string_equal(text(&e.side[P].after), "89.0000");
    assert_string_equal(text(&e.side[C].before), "82.0000");
    assert_string_equal(text(&e.side[C].after), "86.0000");
    assert_string_equal(text(&e.estimate), "6.0000");
    assert_string_equal(text(&e.welch_error), "1.2247");
    assert_string_equal(text(&e.clustered_error), "0.0000");
    assert_int_equal(e.df, 2);
    assert_string_equal(text(&e.lower), "0.7303");
    assert_string_equal(text(&e.upper), "11.2697");
    effect_done(&e);
}

/* Stratum 0: 10 against 4; stratum 1: 2 against 0; stratum 2 has nobody to compare with, stratum 3 no participant.
 * Three of four participants in stratum 0: 3/4 · 6 + 1/4 · 2 = 5. */
static const struct person mixed[] = {{0, 0, P, 0, 10}, {0, 0, P, 0, 10}, {0, 1, P, 0, 10}, {0, 2, C, 0, 4},  {0, 2, C, 0, 4},
                                      {1, 3, P, 0, 2},  {1, 3, C, 0, 1},  {1, 4, C, 0, -1}, {2, 5, P, 0, 99}, {3, 6, C, 0, 99}};

static void test_strata_weigh_as_the_participants_are_spread(void **state)
{
    struct effect e;
    (void)state;
    estimate(mixed, ARRAY_LEN(mixed), false, &e);
    assert_int_equal(e.n_strata, 4);
    assert_int_equal(e.counted, 2);
    assert_int_equal(e.unmatched, 1);
    assert_int_equal(e.side[P].n, 4);
    assert_int_equal(e.side[C].n, 4);
    assert_string_equal(text(&e.side[P].after), "8.0000");
    assert_string_equal(text(&e.side[C].after), "3.0000");
    assert_string_equal(text(&e.estimate), "5.0000");
    effect_done(&e);
}

/* Units move as one: twice two people of the same change are two observations, not four. */
static const struct person shared[] = {{0, 0, P, 0, 9}, {0, 0, P, 0, 9}, {0, 1, P, 0, 3}, {0, 1, P, 0, 3},
                                       {0, 2, C, 0, 1}, {0, 2, C, 0, 1}, {0, 3, C, 0, 5}, {0, 3, C, 0, 5}};

static void test_who_shares_a_unit_widens_the_interval(void **state)
{
    struct effect e;
    (void)state;
    estimate(shared, ARRAY_LEN(shared), false, &e);
    assert_string_equal(text(&e.estimate), "3.0000");
    assert_string_equal(text(&e.welch_error), "2.0817");     /* √(12/4 + (16/3)/4) */
    assert_string_equal(text(&e.clustered_error), "2.9439"); /* residuals ±1.5, ±1: √(4/3 · 6.5) */
    assert_true(e.is_clustered);
    assert_int_equal(e.df, 1);
    effect_done(&e);
}

static void test_cells_and_people_agree(void **state)
{
    static const struct {
        const struct person *people;
        size_t n;
    } cases[] = {{plain, ARRAY_LEN(plain)}, {mixed, ARRAY_LEN(mixed)}, {shared, ARRAY_LEN(shared)}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct effect one, other;
        estimate(cases[i].people, cases[i].n, false, &one);
        estimate(cases[i].people, cases[i].n, true, &other);
        assert_int_equal(one.df, other.df);
        assert_int_equal(decimal_compare(&one.estimate, &other.estimate), 0);
        assert_int_equal(decimal_compare(&one.welch_error, &other.welch_error), 0);
        assert_int_equal(decimal_compare(&one.clustered_error, &other.clustered_error), 0);
        assert_int_equal(decimal_compare(&one.upper, &other.upper), 0);
        effect_done(&one);
        effect_done(&other);
    }
}

static void test_too_few_have_no_interval(void **state)
{
    static const struct person alone[] = {{0, 0, P, 1, 5}, {0, 1, C, 1, 2}, {0, 2, C, 1, 3}};
    static const struct person apart[] = {{0, 0, P, 1, 5}, {1, 1, C, 1, 2}};
    struct effect e;
    (void)state;
    estimate(alone, ARRAY_LEN(alone), false, &e);
    assert_true(e.has_estimate && !e.has_interval);
    assert_string_equal(text(&e.estimate), "2.5000");
    effect_done(&e);
    estimate(apart, ARRAY_LEN(apart), false, &e);
    assert_true(!e.has_estimate && !e.has_interval);
    assert_int_equal(e.unmatched, 1);
    effect_done(&e);
    estimate(apart, 0, false, &e);
    assert_false(e.has_estimate);
    effect_done(&e);
}

/* Everybody changed alike: there is no spread, and the interval is a point. */
static void test_no_spread(void **state)
{
    static const struct person same[] = {{0, 0, P, 1, 5}, {0, 1, P, 2, 6}, {0, 2, C, 1, 2}, {0, 3, C, 5, 6}};
    struct effect e;
    (void)state;
    estimate(same, ARRAY_LEN(same), false, &e);
    assert_true(e.has_interval);
    assert_int_equal(decimal_compare(&e.lower, &e.upper), 0);
    assert_string_equal(text(&e.lower), "3.0000");
    assert_int_equal(e.df, 2);
    effect_done(&e);
}

static void test_quantiles(void **state)
{
    (void)state;
    assert_int_equal(effect_quantile(1), 12706205);
    assert_int_equal(effect_quantile(10), 2228139);
    assert_int_equal(effect_quantile(100), 1983972);
    assert_int_equal(effect_quantile(119), 1983972);
    assert_int_equal(effect_quantile(120), 1979931);
    assert_int_equal(effect_quantile(1000000000), 1960202);
    for (long long df = 1; df < 20000; df++)
        assert_true(effect_quantile(df + 1) <= effect_quantile(df));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worked_by_hand),
        cmocka_unit_test(test_strata_weigh_as_the_participants_are_spread),
        cmocka_unit_test(test_who_shares_a_unit_widens_the_interval),
        cmocka_unit_test(test_cells_and_people_agree),
        cmocka_unit_test(test_too_few_have_no_interval),
        cmocka_unit_test(test_no_spread),
        cmocka_unit_test(test_quantiles),
    };
    int failures;
    arena = arena_new(0);
    failures = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failures;
}
