/* SPDX-License-Identifier: Apache-2.0 */
/* The performance regimes before 2022: PP 46/2011, Permenpan RB 8/2021, PP 30/2019. Exact rationals; docs/rules.md, section 9, tells the sources. */
#include "asnd/rules.h"

#include <string.h>

#define LEAST_ELEMENTS 5 /* of behaviour: orientasi pelayanan, integritas, komitmen, disiplin, kerja sama */
#define MOST_ELEMENTS  6 /* and kepemimpinan */

static const struct refusal zero_target = {"indicator-target-zero", "This formula has no value for a target of 0.",
                                           "Rumus ini tidak memiliki nilai untuk target 0."};
static const struct refusal negative_target = {"indicator-target-negative", "A target may not be below 0.",
                                               "Target tidak boleh kurang dari 0."};
static const struct refusal no_range = {"indicator-range", "A range needs an upper bound that is not below the lower one.",
                                        "Rentang memerlukan batas atas yang tidak di bawah batas bawah."};
static const struct refusal no_value = {"indicator-none", "There is nothing to take the mean of.", "Tidak ada yang dapat dirata-ratakan."};
static const struct refusal no_elements = {"regime-behaviours", "Behaviour has 5 elements, or 6 of who leads.",
                                           "Perilaku memiliki 5 unsur, atau 6 bagi yang memimpin."};
static const struct refusal no_total = {"regime-value", "The value lies outside of the regime's scale.",
                                        "Nilai berada di luar skala peraturan ini."};
static const struct refusal nothing = {0};

/* One step of a table: a value that reaches `from` has this predicate. */
struct step {
    int from;
    const char *predicate;
};

bool aspect_parse(const char *text, enum aspect *ret)
{
    static const char *const names[] = {
        [ASPECT_QUANTITY] = "kuantitas", [ASPECT_QUALITY] = "kualitas", [ASPECT_TIME] = "waktu", [ASPECT_COST] = "biaya"};
    for (enum aspect aspect = ASPECT_QUANTITY; aspect <= ASPECT_COST; aspect++)
        if (strcmp(text, names[aspect]) == 0) {
            *ret = aspect;
            return true;
        }
    return false;
}

/* ret = (ret · by + plus) / per, with per above 0. */
static void scale(struct decimal *ret, long by, long plus, long per)
{
    struct decimal d;
    decimal_init(&d);
    decimal_set_int(&d, by);
    decimal_mul(ret, ret, &d);
    decimal_set_int(&d, plus);
    decimal_add(ret, ret, &d);
    decimal_set_int(&d, per);
    if (!decimal_div(ret, ret, &d)) /* cannot be */
        decimal_set_int(ret, 0);
    decimal_done(&d);
}

static int compare_int(const struct decimal *value, long to)
{
    struct decimal d;
    int order;
    decimal_init(&d);
    decimal_set_int(&d, to);
    order = decimal_compare(value, &d);
    decimal_done(&d);
    return order;
}

static void not_below_zero(struct decimal *value)
{
    if (decimal_sign(value) < 0)
        decimal_set_int(value, 0);
}

static const char *step_of(const struct decimal *value, const struct step *steps)
{
    while (compare_int(value, steps->from) < 0)
        steps++;
    return steps->predicate;
}

struct refusal regime_mean(const struct decimal *values, size_t n, struct decimal *ret)
{
    struct decimal sum;
    if (n == 0)
        return no_value;
    decimal_init(&sum);
    for (size_t i = 0; i < n; i++)
        decimal_add(&sum, &sum, &values[i]);
    scale(&sum, 1, 0, (long)n);
    decimal_set(ret, &sum);
    decimal_done(&sum);
    return nothing;
}

void regime_total(const struct decimal *skp, const struct decimal *behaviour, int weight, struct decimal *ret)
{
    struct decimal a, b;
    decimal_init(&a);
    decimal_init(&b);
    decimal_set(&a, skp);
    decimal_set(&b, behaviour);
    scale(&a, weight, 0, 100);
    scale(&b, 100 - weight, 0, 100);
    decimal_add(ret, &a, &b);
    decimal_done(&a);
    decimal_done(&b);
}

/* ── PP 46/2011 ── */

/* With x = R/T in percent the efficiency is 100 − x. Up to 24 %: 176 − x. Beyond: 76 − ((176 − x) − 100) = x. */
static void by_efficiency(struct decimal *ret)
{
    if (compare_int(ret, 76) >= 0)
        scale(ret, -1, 176, 1);
}

struct refusal pp46_aspect(enum aspect aspect, const struct decimal *target, const struct decimal *actual, struct decimal *ret)
{
    struct decimal value;
    if (decimal_sign(target) < 0)
        return negative_target;
    if (decimal_sign(target) == 0)
        return zero_target;
    decimal_init(&value);
    if (!decimal_div(&value, actual, target)) /* cannot be */
        decimal_set_int(&value, 0);
    scale(&value, 100, 0, 1);
    if (aspect == ASPECT_TIME || aspect == ASPECT_COST)
        by_efficiency(&value);
    not_below_zero(&value);
    decimal_set(ret, &value);
    decimal_done(&value);
    return nothing;
}

struct refusal pp46_behaviour(const struct decimal *elements, size_t n, struct decimal *ret)
{
    return n < LEAST_ELEMENTS || n > MOST_ELEMENTS ? no_elements : regime_mean(elements, n, ret);
}

struct refusal pp46_predicate(const struct decimal *total, enum cut cut, const char **ret)
{
    static const struct step steps[] = {{91, "sangat_baik"}, {76, "baik"}, {61, "cukup"}, {51, "kurang"}, {0, "buruk"}};
    struct decimal value;
    if (decimal_sign(total) < 0 || compare_int(total, 100) > 0)
        return no_total;
    decimal_init(&value);
    decimal_set(&value, total);
    if (cut == CUT_ROUND)
        decimal_round(&value, 0, ROUND_HALF_UP);
    *ret = step_of(&value, steps);
    decimal_done(&value);
    return nothing;
}

/* ── Permenpan RB 8/2021 ── */

struct refusal p8_achievement(const struct p8_target *in, struct decimal *ret)
{
    const struct decimal *high = in->high ? in->high : in->low;
    const struct decimal *bound = decimal_compare(in->actual, high) > 0 ? high : in->low;
    struct indicator indicator = {.direction = in->is_less_better ? MINIMIZE : MAXIMIZE, .target = bound, .actual = in->actual};
    struct refusal refusal;
    struct decimal capped;
    if (decimal_compare(in->low, high) > 0)
        return no_range;
    if (in->high && decimal_compare(in->actual, in->low) >= 0 && decimal_compare(in->actual, high) <= 0)
        return decimal_set_int(ret, 100), nothing;
    decimal_init(&capped);
    refusal = achievement_compute(&indicator, ret, &capped);
    decimal_done(&capped);
    return refusal;
}

static bool is_between(const struct decimal *value, long low)
{
    return compare_int(value, low) > 0 && compare_int(value, low + 1) < 0;
}

/* The annex's table; between its rows the line that joins them. C is the achievement, in *c. */
static void annex_value(struct decimal *c)
{
    if (compare_int(c, 110) > 0)
        decimal_set_int(c, 120);
    else if (compare_int(c, 101) >= 0)
        scale(c, 10, -20, 9); /* 110 + (10/9)(C − 101) */
    else if (compare_int(c, 100) >= 0)
        scale(c, 1, 9, 1); /* 109 … 110 */
    else if (compare_int(c, 99) > 0)
        scale(c, 20, -1891, 1); /* 89 … 109 */
    else if (compare_int(c, 60) >= 0)
        scale(c, 1, -10, 1); /* 70 + (C − 80), and 50 + (C − 60) */
    else
        scale(c, 49, 0, 59);
}

void p8_value(const struct decimal *achievement, bool is_ceiling, enum gap gap, struct decimal *ret, bool *ret_is_gap)
{
    struct decimal c;
    decimal_init(&c);
    decimal_set(&c, achievement);
    not_below_zero(&c);
    *ret_is_gap = is_between(&c, 79) || is_between(&c, 99) || is_between(&c, 100);
    if (*ret_is_gap && gap == GAP_ROUND)
        decimal_round(&c, 0, ROUND_HALF_UP);
    if (is_ceiling && compare_int(&c, 100) >= 0) {
        decimal_set_int(&c, 120);
        *ret_is_gap = compare_int(achievement, 100) < 0; /* met only as a whole number */
    } else
        annex_value(&c);
    decimal_set(ret, &c);
    decimal_done(&c);
}

/* ── PP 30/2019 ── */

struct refusal pp30_predicate(const struct decimal *total, bool has_new_idea, const char **ret)
{
    static const struct step steps[] = {{110, "sangat_baik"}, {90, "baik"}, {70, "cukup"}, {50, "kurang"}, {0, "sangat_kurang"}};
    if (decimal_sign(total) < 0 || compare_int(total, 120) > 0)
        return no_total;
    *ret = step_of(total, has_new_idea ? steps : steps + 1);
    return nothing;
}
