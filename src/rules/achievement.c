/* SPDX-License-Identifier: Apache-2.0 */
/* Achievement of an indicator in percent, exact: nothing is rounded here. Formulas and sources: docs/rules.md. */
#include "asnd/rules.h"

#include <string.h>

#define REFUSE(code, en, id) ((struct refusal){(code), (en), (id)})
#define FINE                 ((struct refusal){NULL, NULL, NULL})

static const char *const direction_texts[] = {"maximize", "minimize", "minimize_inverse", "range"};

bool direction_parse(const char *text, enum direction *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(direction_texts); i++) {
        if (strcmp(direction_texts[i], text) == 0) {
            *ret = (enum direction)i;
            return true;
        }
    }
    return false;
}

static struct refusal zero_target(void)
{
    return REFUSE("indicator-target-zero", "with a target of 0 this achievement is undefined",
                  "dengan target 0 capaian ini tidak terdefinisi");
}

/* a / b · 100; false when b is 0. */
static bool percent(struct decimal *ret, const struct decimal *a, const struct decimal *b)
{
    struct decimal hundred;
    bool fine = decimal_div(ret, a, b);
    decimal_init(&hundred);
    decimal_set_int(&hundred, 100);
    if (fine)
        decimal_mul(ret, ret, &hundred);
    decimal_done(&hundred);
    return fine;
}

static struct refusal maximize(const struct indicator *in, struct decimal *ret)
{
    if (decimal_sign(in->target) == 0 && in->zero_target_reached) {
        decimal_set_int(ret, decimal_sign(in->actual) >= 0 ? 100 : 0);
        return FINE;
    }
    return percent(ret, in->actual, in->target) ? FINE : zero_target();
}

/* (1 + (1 − R/T)) · 100 = (2T − R)/T · 100 (Permenpan RB 8/2021, annex: the special formula). */
static struct refusal minimize(const struct indicator *in, struct decimal *ret)
{
    struct decimal top;
    bool fine;
    decimal_init(&top);
    decimal_add(&top, in->target, in->target);
    decimal_sub(&top, &top, in->actual);
    fine = percent(ret, &top, in->target);
    decimal_done(&top);
    return fine ? FINE : zero_target();
}

static struct refusal minimize_inverse(const struct indicator *in, struct decimal *ret)
{
    if (percent(ret, in->target, in->actual))
        return FINE;
    return REFUSE("indicator-actual-zero", "with an actual value of 0 this achievement is undefined",
                  "dengan realisasi 0 capaian ini tidak terdefinisi");
}

/* Inside the bounds 100; outside, the nearer bound is the target (Permenpan RB 8/2021, annex). */
static struct refusal range(const struct indicator *in, struct decimal *ret)
{
    if (!in->target_high || decimal_compare(in->target, in->target_high) > 0)
        return REFUSE("indicator-range", "a range needs a lower and an upper bound, in this order",
                      "rentang memerlukan batas bawah dan batas atas, berurutan");
    if (decimal_compare(in->actual, in->target) < 0)
        return percent(ret, in->actual, in->target) ? FINE : zero_target();
    if (decimal_compare(in->actual, in->target_high) > 0)
        return percent(ret, in->actual, in->target_high) ? FINE : zero_target();
    decimal_set_int(ret, 100);
    return FINE;
}

struct refusal achievement_compute(const struct indicator *in, struct decimal *ret_uncapped, struct decimal *ret_capped)
{
    static struct refusal (*const formulas[])(const struct indicator *, struct decimal *) = {maximize, minimize, minimize_inverse, range};
    struct decimal value;
    struct refusal refusal;
    decimal_init(&value);
    refusal = formulas[in->direction](in, &value);
    if (!refusal.code) {
        if (decimal_sign(&value) < 0)
            decimal_set_int(&value, 0);
        decimal_set(ret_uncapped, &value);
        decimal_set(ret_capped, in->cap && decimal_compare(&value, in->cap) > 0 ? in->cap : &value);
    }
    decimal_done(&value);
    return refusal;
}

struct refusal achievement_total(const struct decimal *weights, const struct decimal *values, size_t n, struct decimal *ret)
{
    struct decimal sum, weight, product;
    struct refusal refusal = FINE;
    decimal_init(&sum);
    decimal_init(&weight);
    decimal_init(&product);
    for (size_t i = 0; i < n && !refusal.code; i++) {
        if (decimal_sign(&weights[i]) <= 0)
            refusal = REFUSE("indicator-weight", "weights must be more than 0", "bobot harus lebih dari 0");
        decimal_mul(&product, &weights[i], &values[i]);
        decimal_add(&sum, &sum, &product);
        decimal_add(&weight, &weight, &weights[i]);
    }
    if (!refusal.code && !decimal_div(ret, &sum, &weight))
        refusal = REFUSE("indicator-none", "there is no indicator to compute from", "tidak ada indikator untuk dihitung");
    decimal_done(&sum);
    decimal_done(&weight);
    decimal_done(&product);
    return refusal;
}
