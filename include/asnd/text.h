/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Small things about text: UTF-8, percent decoding, likeness, slices. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asnd/macros.h"

struct arena;

/* Bytes that belong to somebody else; not NUL-terminated. */
struct slice {
    const char *data;
    size_t len;
};
#define SLICE_LIT(s) ((struct slice){"" s, sizeof(s) - 1})
struct slice slice_of(const char *text);
bool slice_is(struct slice s, const char *text);
bool slice_is_nocase(struct slice s, const char *text); /* ASCII */
struct slice slice_trim(struct slice s);                /* spaces, tabs, CR, LF */

/* Strict UTF-8 (no surrogates, no overlong forms); NUL is refused when allow_nul is false. */
bool utf8_is_valid(const char *bytes, size_t len, bool allow_nul);
/* A byte of 0x80 and above as Windows-1252 has it, in UTF-8: its length. 0: that code page has no such character. */
size_t utf8_of_windows_1252(unsigned char byte, char ret[3]);
/* Code points in valid UTF-8. */
size_t utf8_length(const char *bytes, size_t len);

/* Percent decoding, strict: false on a bad escape, on %00 and on a result that is not UTF-8. `plus_is_space` for query strings.
 * The copy is NUL-terminated and in the arena. */
NODISCARD bool percent_decode(struct arena *arena, struct slice in, bool plus_is_space, const char **ret_text, size_t *ret_len);

/* Edit distance (Damerau, ASCII case folded), stops counting above `limit`. */
size_t text_distance(const char *a, const char *b, size_t limit);
/* The nearest of `names` if it is near enough to be meant (one slip in a short word, at most three), else the only one that `name`
 * abbreviates, else NULL. */
const char *text_nearest(const char *name, const char *const *names, size_t n);

/* Dotted versions, number by number; what follows the numbers ("-beta") does not count: 10.42 is at least 10.9. */
bool version_is_at_least(const char *version, const char *least);

/* Hex, lower case; `ret` has room for 2*len+1. */
void hex_encode(const uint8_t *bytes, size_t len, char *ret);
