/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What parser (sqlfile.c) and variants (statement.c) share. */
#include "asnd/arena.h"
#include "asnd/db.h"
#include "asnd/text.h"

enum piece_kind { PIECE_TEXT, PIECE_BIND, PIECE_PAGE };

#define NO_OPTION (-1)

struct piece {
    enum piece_kind kind;
    int option;        /* kept only with this option; NO_OPTION: always */
    struct slice text; /* SQL, or the bind's name */
};

struct pieces {
    struct piece *items;
    size_t n, cap;
};

struct variant_entry; /* statement.c */

#define VARIANT_BUCKETS 32

struct statement {
    struct statement_info info;
    struct pieces body;
    struct pieces (*keys)[SORT_KEYS_MAX]; /* [sort][key]: the expressions of info.sorts, cut at their binds */
    struct sql_set *set;
    struct variant_entry *_Atomic buckets[VARIANT_BUCKETS];
};

/* Parses one file into statements appended by `add`. False after faults, which were written to err. */
typedef void (*statement_add_fn)(void *cls, struct statement *statement, int line);
bool sqlfile_parse(struct arena *arena, const struct sql_file *file, FILE *err, statement_add_fn add, void *cls);
