/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The reading page in two files: docs.c has the page and its sections, docs_schema.c what a value may be. */
#include "internal.h"

struct docs {
    const struct contract *contract;
    struct buf *out;
};

/* ── docs_schema.c ── */
void docs_escaped(struct buf *out, const char *text); /* NULL is nothing */
/* Three cells: type, what is allowed, what it means (`description`, or else the schema's own). */
void docs_value_cells(struct docs *d, const json_t *schema, const char *description);
/* A row for a reply's member, and rows for what is inside it. */
void docs_member_rows(struct docs *d, const char *above, const char *name, const json_t *schema, int depth);
/* The table of patterns to which the cells refer. */
void docs_forms(struct docs *d);
