/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What mend.c and mend_date.c share. */
#include "asnd/stream.h"

struct mended mend_none(const char *value);
struct mended mend_repaired(const char *code, const char *value);
struct mended mend_named(const char *cell, const char *code, const char *suggestion, const char *en, const char *id);
/* The first look at any cell: blanks, empty words, error words, what marks a cell as text. */
struct mended mend_start(struct arena *arena, struct slice cell, bool is_text);
