/* SPDX-License-Identifier: Apache-2.0 */
/* Achievement of an indicator in percent, and the weighted mean of several: exact rationals, nothing is rounded here.
 * Sources: the annex of Permenpan RB 8/2021 (normal and special formula, the nearer bound of a range), as practised under Permenpan RB
 * 6/2022; caps and the order of capping and weighting are settings of practice. Formulas: docs/rules.md, section 3. */
#include "asnd/rules.h"

#include <string.h>

static const struct refusal zero_target = {"indicator-target-zero", "This formula has no value for a target of 0.",
                                           "Rumus ini tidak memiliki nilai untuk target 0."};
static const struct refusal negative_target = {"indicator-target-negative", "A target may not be below 0.",
                                               "Target tidak boleh kurang dari 0."};
static const struct refusal no_actual = {"indicator-actual", "This formula has a value only for a result above 0.",
                                         "Rumus ini hanya memiliki nilai untuk realisasi di atas 0."};
static const struct refusal no_range = {"indicator-range", "A range needs an upper bound that is not below the lower one.",
                                        "Rentang memerlukan batas atas yang tidak di bawah batas bawah."};
static const struct refusal no_cap = {"indicator-cap", "A cap must be above 0.", "Batas capaian harus di atas 0."};
static const struct refusal no_weight = {"indicator-weight", "Every weight must be above 0.", "Setiap bobot harus di atas 0."};
static const struct refusal no_indicator = {"indicator-none", "There is nothing to take the mean of.",
                                            "Tidak ada yang dapat dirata-ratakan."};
static const struct refusal nothing = {0};

bool direction_parse(const char *text, enum direction *ret)
{
    static const char *const names[] = {
        [MAXIMIZE] = "maximize", [MINIMIZE] = "minimize", [MINIMIZE_INVERSE] = "minimize_inverse", [RANGE] = "range"};
    for (enum direction direction = MAXIMIZE; direction <= RANGE; direction++)
        if (strcmp(text, names[direction]) == 0) {
            *ret = direction;
            return true;
        }
    return false;
}

/* of / by as percent; false when by is 0. */
static bool percent_of(const struct decimal *of, const struct decimal *by, struct decimal *ret)
{
    struct decimal hundred;
    bool is_defined = decimal_div(ret, of, by);
    if (!is_defined)
        return false;
    decimal_init(&hundred);
    decimal_set_int(&hundred, 100);
    decimal_mul(ret, ret, &hundred);
    decimal_done(&hundred);
    return true;
}

static struct refusal maximize(const struct indicator *in, struct decimal *ret)
{
    if (percent_of(in->actual, in->target, ret))
        return nothing;
    if (!in->zero_target_reached)
        return zero_target;
    decimal_set_int(ret, decimal_sign(in->actual) < 0 ? 0 : 100);
    return nothing;
}

static struct refusal minimize(const struct indicator *in, struct decimal *ret)
{
    decimal_add(ret, in->target, in->target);
    decimal_sub(ret, ret, in->actual);
    return percent_of(ret, in->target, ret) ? nothing : zero_target;
}

/* A result below 0 would turn the order around: the smallest would count as nothing. */
static struct refusal minimize_inverse(const struct indicator *in, struct decimal *ret)
{
    if (decimal_sign(in->actual) <= 0)
        return no_actual;
    return percent_of(in->target, in->actual, ret) ? nothing : no_actual;
}

static struct refusal range(const struct indicator *in, struct decimal *ret)
{
    const struct decimal *bound;
    if (!in->target_high || decimal_compare(in->target, in->target_high) > 0)
        return no_range;
    if (decimal_compare(in->actual, in->target) < 0)
        bound = in->target;
    else if (decimal_compare(in->actual, in->target_high) > 0)
        bound = in->target_high;
    else {
        decimal_set_int(ret, 100);
        return nothing;
    }
    return percent_of(in->actual, bound, ret) ? nothing : zero_target;
}

static struct refusal by_direction(const struct indicator *in, struct decimal *ret)
{
    switch (in->direction) {
    case MAXIMIZE:
        return maximize(in, ret);
    case MINIMIZE:
        return minimize(in, ret);
    case MINIMIZE_INVERSE:
        return minimize_inverse(in, ret);
    case RANGE:
        return range(in, ret);
    }
    __builtin_unreachable();
}

struct refusal achievement_compute(const struct indicator *in, struct decimal *ret_uncapped, struct decimal *ret_capped)
{
    struct decimal value;
    struct refusal refusal;
    if (decimal_sign(in->target) < 0)
        return negative_target;
    if (in->cap && decimal_sign(in->cap) <= 0)
        return no_cap;
    decimal_init(&value);
    refusal = by_direction(in, &value);
    if (!refusal.code) {
        if (decimal_sign(&value) < 0)
            decimal_set_int(&value, 0);
        decimal_set(ret_uncapped, &value);
        decimal_set(ret_capped, in->cap && decimal_compare(&value, in->cap) > 0 ? in->cap : &value);
    }
    decimal_done(&value);
    return refusal;
}

static struct refusal check_weights(const struct decimal *weights, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (decimal_sign(&weights[i]) <= 0)
            return no_weight;
    return n > 0 ? nothing : no_indicator;
}

struct refusal achievement_total(const struct decimal *weights, const struct decimal *values, size_t n, struct decimal *ret)
{
    struct decimal sum, weight, part;
    struct refusal refusal = check_weights(weights, n);
    if (refusal.code)
        return refusal;
    decimal_init(&sum);
    decimal_init(&weight);
    decimal_init(&part);
    for (size_t i = 0; i < n; i++) {
        decimal_mul(&part, &weights[i], &values[i]);
        decimal_add(&sum, &sum, &part);
        decimal_add(&weight, &weight, &weights[i]);
    }
    if (!decimal_div(ret, &sum, &weight)) /* cannot be: every weight is above 0 */
        refusal = no_weight;
    decimal_done(&sum);
    decimal_done(&weight);
    decimal_done(&part);
    return refusal;
}
