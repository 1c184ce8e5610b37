/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the parts of the importer share: header.c (which column is what), row.c (cells to values), rejects.c (refused rows out), import.c. */
#include "asnd/buf.h"
#include "asnd/stream.h"

#include <jansson.h>

#define ROW_LIMIT 65536 /* bytes of a row or line */

struct import_fault {
    const char *column, *code, *value, *suggestion;
    const char *en, *id;
    const char *told; /* behind the wording, or NULL */
    struct import_fault *next;
};

/* A row as it came. */
struct import_raw {
    struct slice line; /* NDJSON; data NULL for CSV */
    const struct slice *cells;
    const bool *was_quoted;
    size_t n_cells;
};

extern const struct import_sender import_operator; /* the command line */

/* ── header.c ── */

/* Letters and digits of a head or word, lower case: "NIP BARU", "nip_baru" and "Nip-Baru" are one. False when it is longer than any of ours. */
#define FOLDED_MAX 64
bool import_fold(struct slice text, char ret[FOLDED_MAX]);

enum { COLUMN_UNKNOWN = -1, COLUMN_OURS = -2 /* asnd_line …, of a refused row sent again */ };

struct import_header {
    size_t n_columns;
    int *field_of; /* index of a field, or one of the above */
    const char **names;
    bool *was_quoted;
};

/* The field that this head names (or COLUMN_…), and how far behind the better names for it this one stands. */
int import_field_named(const struct import_kind *kind, struct slice head, size_t *ret_rank);
/* ST_BAD_REQUEST naming what is missing or twice. Lives in ctx's arena. Unused columns are noted in ctx's list of faults. */
NODISCARD enum status import_header_read(struct ctx *ctx, const struct import_kind *kind, const struct csv_row *row,
                                         struct import_header *ret);

/* ── words.c ── */

/* Gives each field with a list the words that its list has just now; what is made lives in ctx's arena. */
/* The code that may have been meant by a text that is none of these words: that of the word which shares most of its pairs of letters, if these are at
 * least half and no word of another code shares as many. NULL: none. */
const char *import_word_meant(const struct import_word *words, const char *text);
NODISCARD enum status import_words_load(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, struct import_kind *kind);

/* ── row.c ── */

struct import_row *import_row_new(struct arena *arena, const struct import_kind *kind, int64_t line);
/* Mends one cell and checks it by its field's form. */
void import_row_cell(const struct import_kind *kind, struct import_row *row, size_t field, struct slice cell);
/* Needs, and the kind's own check. */
void import_row_check(const struct import_kind *kind, struct import_row *row);
/* What is wrong with a row that cannot be read at all: a code of the readers, or "columns-missing" and the like. */
void import_row_broken(struct import_row *row, const char *code, const char *value);
/* Its line of COPY into the stage. */
void import_row_stage(const struct import_kind *kind, const struct import_row *row, struct buf *out);

/* ── merge.c ── */

NODISCARD enum status import_merge(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct import_kind *kind,
                                   const struct import_sender *sender, struct import_merged *ret);

/* ── rejects.c ── */

struct reject_fault {
    const char *column, *code, *value, *detail, *suggestion;
};

struct rejects {
    bool to_json;
    char delimiter;
    struct import_header columns; /* of the CSV file, or the kind's fields for NDJSON */
    write_fn write;
    void *cls;
    struct buf out;
};

void rejects_init(struct rejects *r, bool to_json, char delimiter, const struct import_header *columns, write_fn write, void *cls);
void rejects_done(struct rejects *r);
void rejects_head(struct rejects *r); /* of CSV; nothing for NDJSON */
void rejects_put(struct rejects *r, const struct import_raw *raw, int64_t line, const struct reject_fault *faults, size_t n_faults);
/* False when the reader has gone. */
NODISCARD bool rejects_flush(struct rejects *r);

/* The row as it is kept: CSV without our own columns, or the line. */
void raw_put(struct buf *out, const struct import_raw *raw, const struct import_header *columns, char delimiter);
/* The kind's fields as columns, for NDJSON. */
void columns_of_kind(struct arena *arena, const struct import_kind *kind, struct import_header *ret);
