/* SPDX-License-Identifier: Apache-2.0 */
/* Satisfaction of the public: index of a survey from counted answers, its category, several surveys as one, and how many must answer.
 * Sources: Permenpan RB 14/2017 (elements, weights, conversion, categories); Krejcie and Morgan 1970. The weight is exactly 1/n: with the printed
 * 0.111 nine perfect elements would give 99.90. Formulas: docs/service.md. */
#include "asnd/rules.h"

#define CONVERSION      25
#define CONVERTED_SCALE 2

long long satisfaction_answers(const struct satisfaction_element *element)
{
    long long n = 0;
    for (int i = 0; i < SATISFACTION_ANSWERS; i++)
        n += element->counts[i];
    return n;
}

/* sum / n; false when n is 0. */
static bool quotient(const struct decimal *sum, long long n, struct decimal *ret)
{
    struct decimal by;
    bool is_defined;
    decimal_init(&by);
    decimal_set_int(&by, n);
    is_defined = decimal_div(ret, sum, &by);
    decimal_done(&by);
    return is_defined;
}

bool satisfaction_mean(const struct satisfaction_element *element, struct decimal *ret)
{
    struct decimal sum;
    long long points = 0;
    bool is_defined;
    for (int i = 0; i < SATISFACTION_ANSWERS; i++)
        points += (i + 1) * element->counts[i];
    decimal_init(&sum);
    decimal_set_int(&sum, points);
    is_defined = quotient(&sum, satisfaction_answers(element), ret);
    decimal_done(&sum);
    return is_defined;
}

bool satisfaction_index(const struct satisfaction_element *elements, size_t n, struct decimal *ret)
{
    struct decimal sum, mean;
    bool is_defined = true;
    decimal_init(&sum);
    decimal_init(&mean);
    for (size_t i = 0; i < n && is_defined; i++) {
        is_defined = satisfaction_mean(&elements[i], &mean);
        decimal_add(&sum, &sum, &mean);
    }
    is_defined = is_defined && quotient(&sum, (long long)n, ret);
    decimal_done(&sum);
    decimal_done(&mean);
    return is_defined;
}

void satisfaction_convert(const struct decimal *index, struct decimal *ret)
{
    struct decimal factor;
    decimal_init(&factor);
    decimal_set_int(&factor, CONVERSION);
    decimal_mul(ret, index, &factor);
    decimal_round(ret, CONVERTED_SCALE, ROUND_HALF_UP);
    decimal_done(&factor);
}

int satisfaction_category(const struct decimal *converted, const struct decimal *lower_bounds, size_t n)
{
    int best = -1;
    for (size_t i = 0; i < n; i++)
        if (decimal_compare(&lower_bounds[i], converted) <= 0 && (best < 0 || decimal_compare(&lower_bounds[best], &lower_bounds[i]) < 0))
            best = (int)i;
    return best;
}

bool satisfaction_pool(const long long *respondents, const struct decimal *indices, size_t n, struct decimal *ret)
{
    struct decimal sum, part, weight;
    long long all = 0;
    bool is_defined;
    decimal_init(&sum);
    decimal_init(&part);
    decimal_init(&weight);
    for (size_t i = 0; i < n; i++) {
        decimal_set_int(&weight, respondents[i]);
        decimal_mul(&part, &weight, &indices[i]);
        decimal_add(&sum, &sum, &part);
        all += respondents[i];
    }
    is_defined = quotient(&sum, all, ret);
    decimal_done(&sum);
    decimal_done(&part);
    decimal_done(&weight);
    return is_defined;
}

/* S = X²·N·P(1−P) / (d²(N−1) + X²·P(1−P)), both sides times 100,000. From about 5 million on it stays 384. */
long long sample_target(long long population)
{
    long long above, below;
    if (population <= 0)
        return 0;
    if (population > 1000000000)
        population = 1000000000;
    above = 96025 * population;
    below = 250 * population + 95775;
    return (2 * above + below) / (2 * below);
}
