/* SPDX-License-Identifier: Apache-2.0 */
/* What a training changed: the change of those who took part, less the change of those like them who did not. Sums are exact; only the root of the variance
 * and the quantile of t are not. Sources: Welch 1947 and Satterthwaite 1946 (unequal variances), Bertrand, Duflo and Mullainathan 2004 (one change a
 * person, so that its years are not counted as if they were independent; clusters). Formulas: docs/training-effect.md. */
#include "asnd/rules.h"

#include "asnd/arena.h"

#define ROOT_DIGITS 12
#define MILLIONTHS  1000000

static const long quantiles[] = {
    /* of 1, 2 … 100 degrees of freedom */
    12706205, 4302653, 3182447, 2776446, 2570582, 2446912, 2364625, 2306005, 2262158, 2228139, 2200986, 2178813, 2160369, 2144787, 2131450,
    2119906,  2109816, 2100923, 2093025, 2085964, 2079614, 2073874, 2068658, 2063899, 2059539, 2055530, 2051831, 2048408, 2045230, 2042273,
    2039514,  2036934, 2034516, 2032245, 2030108, 2028095, 2026193, 2024395, 2022691, 2021076, 2019541, 2018082, 2016693, 2015368, 2014104,
    2012896,  2011741, 2010635, 2009576, 2008560, 2007584, 2006647, 2005746, 2004880, 2004045, 2003241, 2002466, 2001718, 2000996, 2000298,
    1999624,  1998972, 1998341, 1997730, 1997138, 1996565, 1996009, 1995469, 1994946, 1994438, 1993944, 1993464, 1992998, 1992544, 1992103,
    1991673,  1991255, 1990848, 1990451, 1990064, 1989687, 1989319, 1988960, 1988610, 1988268, 1987935, 1987609, 1987290, 1986979, 1986675,
    1986378,  1986087, 1985802, 1985524, 1985252, 1984985, 1984724, 1984468, 1984217, 1983972,
};
static const struct {
    long long df;
    long quantile;
} further[] = {{120, 1979931}, {150, 1975906}, {200, 1971897}, {300, 1967904}, {500, 1964720}, {1000, 1962340}, {10000, 1960202}};

long effect_quantile(long long df)
{
    long found = quantiles[ARRAY_LEN(quantiles) - 1];
    if (df <= (long long)ARRAY_LEN(quantiles))
        return quantiles[df - 1];
    for (size_t i = 0; i < ARRAY_LEN(further) && further[i].df <= df; i++)
        found = further[i].quantile;
    return found;
}

/* ── numbers ── */

static void side_init(struct effect_side *side)
{
    side->n = 0;
    side->clusters = 0;
    decimal_init(&side->before);
    decimal_init(&side->after);
    decimal_init(&side->squares);
}

static void side_done(struct effect_side *side)
{
    decimal_done(&side->before);
    decimal_done(&side->after);
    decimal_done(&side->squares);
}

void effect_cell_init(struct effect_cell *cell)
{
    *cell = (struct effect_cell){0};
    decimal_init(&cell->before);
    decimal_init(&cell->after);
    decimal_init(&cell->squares);
}

void effect_cell_done(struct effect_cell *cell)
{
    decimal_done(&cell->before);
    decimal_done(&cell->after);
    decimal_done(&cell->squares);
}

/* ret += value · above / below */
static void add_share(struct decimal *ret, const struct decimal *value, long long above, long long below)
{
    struct decimal part, factor;
    decimal_init(&part);
    decimal_init(&factor);
    mpq_set_si(factor.q, (long)above, (unsigned long)below);
    mpq_canonicalize(factor.q);
    decimal_mul(&part, value, &factor);
    decimal_add(ret, ret, &part);
    decimal_done(&part);
    decimal_done(&factor);
}

/* The root of a value that is not negative, cut after ROOT_DIGITS. */
static void root(const struct decimal *value, struct decimal *ret)
{
    mpz_t scaled, shift;
    mpz_inits(scaled, shift, NULL);
    mpz_ui_pow_ui(shift, 10, 2 * ROOT_DIGITS);
    mpz_mul(scaled, mpq_numref(value->q), shift);
    mpz_fdiv_q(scaled, scaled, mpq_denref(value->q));
    mpz_sqrt(scaled, scaled);
    mpz_ui_pow_ui(shift, 10, ROOT_DIGITS);
    mpq_set_num(ret->q, scaled);
    mpq_set_den(ret->q, shift);
    mpq_canonicalize(ret->q);
    mpz_clears(scaled, shift, NULL);
}

/* ── strata ── */

static bool counts(const struct effect_side stratum[EFFECT_ARMS])
{
    return stratum[EFFECT_PARTICIPANT].n > 0 && stratum[EFFECT_COMPARISON].n > 0;
}

static void gather(struct arena *arena, const struct effect_cell *cells, size_t n, struct effect *ret)
{
    ret->n_strata = 0;
    for (size_t i = 0; i < n; i++)
        if (cells[i].stratum >= ret->n_strata)
            ret->n_strata = cells[i].stratum + 1;
    ret->strata = arena_zalloc_array(arena, ret->n_strata + 1, sizeof *ret->strata);
    for (size_t s = 0; s < ret->n_strata; s++)
        for (int arm = 0; arm < EFFECT_ARMS; arm++)
            side_init(&ret->strata[s][arm]);
    for (size_t i = 0; i < n; i++) {
        struct effect_side *side = &ret->strata[cells[i].stratum][cells[i].arm];
        side->n += cells[i].n;
        decimal_add(&side->before, &side->before, &cells[i].before);
        decimal_add(&side->after, &side->after, &cells[i].after);
        decimal_add(&side->squares, &side->squares, &cells[i].squares);
    }
}

static void count_sides(struct effect *ret)
{
    for (size_t s = 0; s < ret->n_strata; s++) {
        if (counts(ret->strata[s])) {
            ret->counted++;
            for (int arm = 0; arm < EFFECT_ARMS; arm++)
                ret->side[arm].n += ret->strata[s][arm].n;
        } else {
            ret->unmatched += ret->strata[s][EFFECT_PARTICIPANT].n;
        }
    }
}

/* Means: of each arm Σ share of the participants in the stratum · mean of the arm there. */
static void compare(struct effect *ret)
{
    struct decimal change[EFFECT_ARMS];
    long long all = ret->side[EFFECT_PARTICIPANT].n;
    for (int arm = 0; arm < EFFECT_ARMS; arm++) {
        struct effect_side *whole = &ret->side[arm];
        decimal_init(&change[arm]);
        for (size_t s = 0; s < ret->n_strata; s++) {
            const struct effect_side *stratum = ret->strata[s];
            if (!counts(stratum))
                continue;
            add_share(&whole->before, &stratum[arm].before, stratum[EFFECT_PARTICIPANT].n, all * stratum[arm].n);
            add_share(&whole->after, &stratum[arm].after, stratum[EFFECT_PARTICIPANT].n, all * stratum[arm].n);
        }
        decimal_sub(&change[arm], &whole->after, &whole->before);
    }
    decimal_sub(&ret->estimate, &change[EFFECT_PARTICIPANT], &change[EFFECT_COMPARISON]);
    for (int arm = 0; arm < EFFECT_ARMS; arm++)
        decimal_done(&change[arm]);
}

/* ── the error ── */

/* The variance of an arm's mean change: s² · Σ share² / n, with s² pooled over the strata. */
static void arm_variance(const struct effect *effect, enum effect_arm arm, struct decimal *ret)
{
    struct decimal within, spread, sum, square;
    long long all = effect->side[EFFECT_PARTICIPANT].n;
    decimal_init(&within);
    decimal_init(&spread);
    decimal_init(&sum);
    decimal_init(&square);
    for (size_t s = 0; s < effect->n_strata; s++) {
        const struct effect_side *side = &effect->strata[s][arm];
        long long n = effect->strata[s][EFFECT_PARTICIPANT].n;
        if (!counts(effect->strata[s]))
            continue;
        decimal_sub(&sum, &side->after, &side->before);
        decimal_mul(&square, &sum, &sum);
        decimal_add(&within, &within, &side->squares);
        add_share(&within, &square, -1, side->n);
        decimal_set_int(&square, n);
        decimal_mul(&square, &square, &square);
        add_share(&spread, &square, 1, all * all * side->n);
    }
    add_share(ret, &within, 1, effect->side[arm].n - (long long)effect->counted);
    decimal_mul(ret, ret, &spread);
    decimal_done(&within);
    decimal_done(&spread);
    decimal_done(&sum);
    decimal_done(&square);
}

/* (A + B)² / (A² / a + B² / b), cut to a whole number, at least 1. */
static long long freedom(const struct decimal variance[EFFECT_ARMS], const long long degrees[EFFECT_ARMS])
{
    struct decimal sum, parts, square;
    mpz_t whole;
    long long ret = degrees[EFFECT_COMPARISON] + degrees[EFFECT_PARTICIPANT];
    decimal_init(&sum);
    decimal_init(&parts);
    decimal_init(&square);
    mpz_init(whole);
    for (int arm = 0; arm < EFFECT_ARMS; arm++) {
        decimal_add(&sum, &sum, &variance[arm]);
        decimal_mul(&square, &variance[arm], &variance[arm]);
        add_share(&parts, &square, 1, degrees[arm]);
    }
    decimal_mul(&sum, &sum, &sum);
    if (decimal_div(&square, &sum, &parts)) {
        mpz_fdiv_q(whole, mpq_numref(square.q), mpq_denref(square.q));
        ret = mpz_get_si(whole);
    }
    mpz_clear(whole);
    decimal_done(&sum);
    decimal_done(&parts);
    decimal_done(&square);
    return ret < 1 ? 1 : ret;
}

/* What of each cluster is left beside the means of its strata, with its weight in the estimate. */
static void residuals(const struct effect *effect, const struct effect_cell *cells, size_t n, struct decimal *ret)
{
    struct decimal left;
    long long all = effect->side[EFFECT_PARTICIPANT].n;
    decimal_init(&left);
    for (size_t i = 0; i < n; i++) {
        const struct effect_side *stratum = effect->strata[cells[i].stratum], *side = &stratum[cells[i].arm];
        long long sign = cells[i].arm == EFFECT_PARTICIPANT ? 1 : -1;
        if (!counts(stratum))
            continue;
        decimal_sub(&left, &cells[i].after, &cells[i].before);
        add_share(&left, &side->after, -cells[i].n, side->n);
        add_share(&left, &side->before, cells[i].n, side->n);
        add_share(&ret[cells[i].cluster], &left, sign * stratum[EFFECT_PARTICIPANT].n, all * side->n);
    }
    decimal_done(&left);
}

/* How many clusters count, in all and of each arm. */
static size_t count_clusters(struct arena *arena, const struct effect_cell *cells, size_t n, size_t n_clusters, struct effect *ret)
{
    bool(*seen)[EFFECT_ARMS] = arena_zalloc_array(arena, n_clusters + 1, sizeof *seen);
    size_t all = 0;
    for (size_t i = 0; i < n; i++)
        if (counts(ret->strata[cells[i].stratum]))
            seen[cells[i].cluster][cells[i].arm] = true;
    for (size_t c = 0; c < n_clusters; c++) {
        all += seen[c][EFFECT_COMPARISON] || seen[c][EFFECT_PARTICIPANT];
        for (int arm = 0; arm < EFFECT_ARMS; arm++)
            ret->side[arm].clusters += seen[c][arm];
    }
    return all;
}

/* G / (G − 1) · Σ (a cluster's residual)²; 0 where no cluster holds more than one. */
static void clustered_variance(struct arena *arena, const struct effect_cell *cells, size_t n, struct effect *effect, struct decimal *ret)
{
    struct decimal *left, square;
    size_t n_clusters = 0, all;
    for (size_t i = 0; i < n; i++)
        if (cells[i].cluster >= n_clusters)
            n_clusters = cells[i].cluster + 1;
    all = count_clusters(arena, cells, n, n_clusters, effect);
    if (all < 2 || (long long)all >= effect->side[EFFECT_COMPARISON].n + effect->side[EFFECT_PARTICIPANT].n)
        return;
    left = arena_alloc(arena, n_clusters * sizeof *left);
    for (size_t c = 0; c < n_clusters; c++)
        decimal_init(&left[c]);
    residuals(effect, cells, n, left);
    decimal_init(&square);
    for (size_t c = 0; c < n_clusters; c++) {
        decimal_mul(&square, &left[c], &left[c]);
        add_share(ret, &square, (long long)all, (long long)all - 1);
        decimal_done(&left[c]);
    }
    decimal_done(&square);
}

static void span(struct effect *ret)
{
    struct decimal width;
    const struct decimal *error = ret->is_clustered ? &ret->clustered_error : &ret->welch_error;
    decimal_init(&width);
    decimal_set_int(&ret->quantile, 0);
    decimal_set_int(&width, 1);
    add_share(&ret->quantile, &width, effect_quantile(ret->df), MILLIONTHS);
    decimal_mul(&width, &ret->quantile, error);
    decimal_sub(&ret->lower, &ret->estimate, &width);
    decimal_add(&ret->upper, &ret->estimate, &width);
    decimal_done(&width);
}

static void interval(struct arena *arena, const struct effect_cell *cells, size_t n, struct effect *ret)
{
    struct decimal variance[EFFECT_ARMS], all;
    long long degrees[EFFECT_ARMS], fewest;
    decimal_init(&all);
    for (int arm = 0; arm < EFFECT_ARMS; arm++) {
        decimal_init(&variance[arm]);
        degrees[arm] = ret->side[arm].n - (long long)ret->counted;
    }
    for (int arm = 0; arm < EFFECT_ARMS; arm++)
        arm_variance(ret, (enum effect_arm)arm, &variance[arm]);
    decimal_add(&all, &variance[EFFECT_COMPARISON], &variance[EFFECT_PARTICIPANT]);
    root(&all, &ret->welch_error);
    ret->df = freedom(variance, degrees);
    decimal_set_int(&all, 0);
    clustered_variance(arena, cells, n, ret, &all);
    root(&all, &ret->clustered_error);
    ret->is_clustered = decimal_compare(&ret->clustered_error, &ret->welch_error) > 0;
    fewest = (long long)(ret->side[EFFECT_COMPARISON].clusters < ret->side[EFFECT_PARTICIPANT].clusters
                             ? ret->side[EFFECT_COMPARISON].clusters
                             : ret->side[EFFECT_PARTICIPANT].clusters);
    if (ret->is_clustered && fewest - 1 < ret->df)
        ret->df = fewest > 2 ? fewest - 1 : 1;
    span(ret);
    for (int arm = 0; arm < EFFECT_ARMS; arm++)
        decimal_done(&variance[arm]);
    decimal_done(&all);
}

void effect_estimate(struct arena *arena, const struct effect_cell *cells, size_t n, struct effect *ret)
{
    *ret = (struct effect){0};
    for (int arm = 0; arm < EFFECT_ARMS; arm++)
        side_init(&ret->side[arm]);
    decimal_init(&ret->estimate);
    decimal_init(&ret->welch_error);
    decimal_init(&ret->clustered_error);
    decimal_init(&ret->quantile);
    decimal_init(&ret->lower);
    decimal_init(&ret->upper);
    gather(arena, cells, n, ret);
    count_sides(ret);
    ret->has_estimate = ret->counted > 0;
    if (!ret->has_estimate)
        return;
    compare(ret);
    ret->has_interval =
        ret->side[EFFECT_COMPARISON].n > (long long)ret->counted && ret->side[EFFECT_PARTICIPANT].n > (long long)ret->counted;
    if (ret->has_interval)
        interval(arena, cells, n, ret);
}

void effect_done(struct effect *effect)
{
    for (size_t s = 0; s < effect->n_strata; s++)
        for (int arm = 0; arm < EFFECT_ARMS; arm++)
            side_done(&effect->strata[s][arm]);
    for (int arm = 0; arm < EFFECT_ARMS; arm++)
        side_done(&effect->side[arm]);
    decimal_done(&effect->estimate);
    decimal_done(&effect->welch_error);
    decimal_done(&effect->clustered_error);
    decimal_done(&effect->quantile);
    decimal_done(&effect->lower);
    decimal_done(&effect->upper);
}
