/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Exact numbers: rationals by GMP, so that nothing official ever passes through binary floating point. Rounding happens once, where
 * the rule says so, and its mode is named. */
#include <stdbool.h>
#include <stddef.h>

#include <gmp.h>
#include <jansson.h>

#include "asnd/macros.h"

struct arena;

struct decimal {
    mpq_t q;
};

enum rounding { ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN };

void decimal_init(struct decimal *d); /* 0 */
void decimal_done(struct decimal *d);
/* A JSON number's text (RFC 8259 grammar, no leading plus), at most 400 characters and |exponent| ≤ 400; false otherwise. */
NODISCARD bool decimal_parse(struct decimal *d, const char *text, size_t len);
void decimal_set_int(struct decimal *d, long long value);
void decimal_set(struct decimal *d, const struct decimal *from);
int decimal_compare(const struct decimal *a, const struct decimal *b);
int decimal_sign(const struct decimal *d);
void decimal_add(struct decimal *ret, const struct decimal *a, const struct decimal *b);
void decimal_sub(struct decimal *ret, const struct decimal *a, const struct decimal *b);
void decimal_mul(struct decimal *ret, const struct decimal *a, const struct decimal *b);
/* False when b is 0 (ret untouched). */
NODISCARD bool decimal_div(struct decimal *ret, const struct decimal *a, const struct decimal *b);
bool decimal_is_integer(const struct decimal *d);
/* Text with exactly `scale` digits after the point, rounded by `mode`. */
const char *decimal_format(struct arena *arena, const struct decimal *d, int scale, enum rounding mode);
/* Rounds in place. */
void decimal_round(struct decimal *d, int scale, enum rounding mode);

/* jansson keeps reals as doubles. `json_numbers` holds the exact text of every real of one document, found by lexing the source
 * once more; nodes it does not know are read by their shortest round-trip text. */
struct json_numbers;
/* `text` must be the very bytes that `root` was parsed from (duplicate members refused, so that orders agree). */
struct json_numbers *json_numbers_new(struct arena *arena, const char *text, size_t len, const json_t *root);
/* The text of a JSON number node; integers too. In the arena. numbers may be NULL. */
const char *json_number_text(struct arena *arena, const struct json_numbers *numbers, const json_t *node);
/* The node's exact value; false only if it is not a number or out of the bounds of decimal_parse. */
NODISCARD bool json_number_decimal(const struct json_numbers *numbers, const json_t *node, struct decimal *ret);
