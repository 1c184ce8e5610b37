/* SPDX-License-Identifier: Apache-2.0 */
/* Exact rationals on GMP; decimal text in, decimal text of a named rounding out. */
#include "asnd/decimal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"

#define TEXT_MAX     400
#define EXPONENT_MAX 400

void decimal_init(struct decimal *d)
{
    mpq_init(d->q);
}

void decimal_done(struct decimal *d)
{
    mpq_clear(d->q);
}

static void power_of_ten(mpz_t ret, unsigned long exponent)
{
    mpz_ui_pow_ui(ret, 10, exponent);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The parts of a JSON number (RFC 8259, section 6). Digits of integer and fraction are collected in `digits`. */
struct parts {
    bool negative;
    char digits[TEXT_MAX + 1];
    size_t n;
    long exponent;
};

static const char *integer_part(const char *p, const char *end, struct parts *parts)
{
    if (p < end && *p == '-') {
        parts->negative = true;
        p++;
    }
    if (p == end || !is_digit(*p) || (*p == '0' && p + 1 < end && is_digit(p[1])))
        return NULL;
    for (; p < end && is_digit(*p); p++)
        parts->digits[parts->n++] = *p;
    return p;
}

static const char *fraction_part(const char *p, const char *end, struct parts *parts)
{
    const char *first;
    if (p == end || *p != '.')
        return p;
    for (first = ++p; p < end && is_digit(*p); p++) {
        parts->digits[parts->n++] = *p;
        parts->exponent--;
    }
    return p == first ? NULL : p;
}

static const char *exponent_part(const char *p, const char *end, struct parts *parts)
{
    long exponent = 0;
    bool negative;
    const char *first;
    if (p == end || (*p != 'e' && *p != 'E'))
        return p;
    p++;
    negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    for (first = p; p < end && is_digit(*p); p++) {
        exponent = exponent * 10 + (*p - '0');
        if (exponent > EXPONENT_MAX)
            return NULL;
    }
    parts->exponent += negative ? -exponent : exponent;
    return p == first ? NULL : p;
}

bool decimal_parse(struct decimal *d, const char *text, size_t len)
{
    struct parts parts = {0};
    const char *end = text + len, *p;
    mpz_t scale;
    if (len > TEXT_MAX || !(p = integer_part(text, end, &parts)) || !(p = fraction_part(p, end, &parts)) ||
        !(p = exponent_part(p, end, &parts)) || p != end)
        return false;
    parts.digits[parts.n] = '\0';
    mpz_set_str(mpq_numref(d->q), parts.digits, 10);
    mpz_set_ui(mpq_denref(d->q), 1);
    mpz_init(scale);
    power_of_ten(scale, (unsigned long)labs(parts.exponent));
    if (parts.exponent >= 0)
        mpz_mul(mpq_numref(d->q), mpq_numref(d->q), scale);
    else
        mpz_set(mpq_denref(d->q), scale);
    mpz_clear(scale);
    if (parts.negative)
        mpz_neg(mpq_numref(d->q), mpq_numref(d->q));
    mpq_canonicalize(d->q);
    return true;
}

void decimal_set_int(struct decimal *d, long long value)
{
    mpq_set_si(d->q, (long)value, 1);
}

void decimal_set(struct decimal *d, const struct decimal *from)
{
    mpq_set(d->q, from->q);
}

int decimal_compare(const struct decimal *a, const struct decimal *b)
{
    int c = mpq_cmp(a->q, b->q);
    return c < 0 ? -1 : c > 0;
}

int decimal_sign(const struct decimal *d)
{
    return mpq_sgn(d->q);
}

void decimal_add(struct decimal *ret, const struct decimal *a, const struct decimal *b)
{
    mpq_add(ret->q, a->q, b->q);
}

void decimal_sub(struct decimal *ret, const struct decimal *a, const struct decimal *b)
{
    mpq_sub(ret->q, a->q, b->q);
}

void decimal_mul(struct decimal *ret, const struct decimal *a, const struct decimal *b)
{
    mpq_mul(ret->q, a->q, b->q);
}

bool decimal_div(struct decimal *ret, const struct decimal *a, const struct decimal *b)
{
    if (mpq_sgn(b->q) == 0)
        return false;
    mpq_div(ret->q, a->q, b->q);
    return true;
}

bool decimal_is_integer(const struct decimal *d)
{
    return mpz_cmp_ui(mpq_denref(d->q), 1) == 0;
}

/* d·10^scale as a whole number, rounded by mode. */
static void scaled(mpz_t ret, const struct decimal *d, int scale, enum rounding mode)
{
    mpz_t factor, num, rest, twice;
    int c;
    assert(scale >= 0);
    mpz_inits(factor, num, rest, twice, NULL);
    power_of_ten(factor, (unsigned long)scale);
    mpz_mul(num, mpq_numref(d->q), factor);
    mpz_tdiv_qr(ret, rest, num, mpq_denref(d->q));
    mpz_mul_2exp(twice, rest, 1);
    c = mpz_cmpabs(twice, mpq_denref(d->q));
    if (mode != ROUND_DOWN && (c > 0 || (c == 0 && (mode == ROUND_HALF_UP || mpz_odd_p(ret))))) {
        if (mpq_sgn(d->q) < 0)
            mpz_sub_ui(ret, ret, 1);
        else
            mpz_add_ui(ret, ret, 1);
    }
    mpz_clears(factor, num, rest, twice, NULL);
}

const char *decimal_format(struct arena *arena, const struct decimal *d, int scale, enum rounding mode)
{
    mpz_t whole;
    size_t len;
    char *digits, *out, *p;
    bool negative;
    mpz_init(whole);
    scaled(whole, d, scale, mode);
    negative = mpz_sgn(whole) < 0;
    mpz_abs(whole, whole);
    digits = arena_alloc(arena, mpz_sizeinbase(whole, 10) + 2);
    mpz_get_str(digits, 10, whole);
    mpz_clear(whole);
    len = strlen(digits);
    p = out = arena_alloc(arena, len + (size_t)scale + 4);
    if (negative)
        *p++ = '-';
    for (size_t i = len <= (size_t)scale ? (size_t)scale + 1 : len; i > 0; i--) { /* i: digits still to come, zeros in front included */
        if (i == (size_t)scale)
            *p++ = '.';
        *p++ = i > len ? '0' : digits[len - i];
    }
    *p = '\0';
    return out;
}

void decimal_round(struct decimal *d, int scale, enum rounding mode)
{
    mpz_t whole;
    mpz_init(whole);
    scaled(whole, d, scale, mode);
    mpz_set(mpq_numref(d->q), whole);
    power_of_ten(mpq_denref(d->q), (unsigned long)scale);
    mpq_canonicalize(d->q);
    mpz_clear(whole);
}
