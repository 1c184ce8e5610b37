/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Bulk data in constant memory: CSV and NDJSON readers, repair of spreadsheet damage, and the importer that all domains share. Runs on
 * worker threads and in the command line, with blocking reads and writes. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "asnd/macros.h"
#include "asnd/status.h"
#include "asnd/text.h"

struct arena;
struct buf;
struct db_conn;
struct sql_set;
struct params;

/* Blocking byte source: bytes read, 0 at the end, -1 when it broke off (the import must then leave nothing). */
typedef ptrdiff_t (*read_fn)(void *cls, char *dst, size_t cap);
/* Blocking byte sink: false when the reader has gone. */
typedef bool (*write_fn)(void *cls, const char *bytes, size_t len);

/* ── CSV ── push parser by RFC 4180 and what spreadsheets make of it: delimiter , ; or tab (found from the first line, outside quotes),
 * BOM skipped, CRLF or LF or CR, quoted newlines and doubled quotes, blank lines skipped. */
struct csv_row {
    const struct slice *fields; /* unquoted, valid during the callback */
    const bool *was_quoted;
    size_t n_fields;
    int64_t line;      /* where the row begins, from 1 */
    const char *fault; /* NULL, or why the row cannot be read: "quote-open", "quote-text", "row-too-long", "not-utf8" */
};
typedef enum status (*csv_row_fn)(void *cls, const struct csv_row *row);
struct csv_reader;
struct csv_reader *csv_reader_new(size_t row_limit, csv_row_fn on_row, void *cls);
void csv_reader_free(struct csv_reader *reader);
NODISCARD enum status csv_feed(struct csv_reader *reader, const char *bytes, size_t len);
NODISCARD enum status csv_finish(struct csv_reader *reader);
char csv_delimiter(const struct csv_reader *reader); /* once the first row came */

/* ── NDJSON ── one JSON value a line; the callback gets the raw line. Lines over the limit are reported with fault set. */
typedef enum status (*line_fn)(void *cls, struct slice line, int64_t number, const char *fault);
struct line_reader;
struct line_reader *line_reader_new(size_t line_limit, line_fn on_line, void *cls);
void line_reader_free(struct line_reader *reader);
NODISCARD enum status line_feed(struct line_reader *reader, const char *bytes, size_t len);
NODISCARD enum status line_finish(struct line_reader *reader);

/* ── damage ── what spreadsheets do to values; each either repairs to the only possible reading or names the damage. Pure.
 * Codes: "apostrophe", "text-formula", "trailing-point-zero", "grouped", "leading-zero-lost", "inner-space", "date-form", "date-serial" are
 * repaired where one reading is left; "spreadsheet-number", "digits-lost", "digits-missing", "two-digit-year", "date-form",
 * "date-impossible", "date-range", "spreadsheet-error", "lost-character" are named where none or several are. */
enum damage { DAMAGE_NONE, DAMAGE_REPAIRED, DAMAGE_NAMED };
struct mended {
    enum damage damage;
    const char *code;       /* NULL for NONE */
    const char *value;      /* as it is stored (arena): repaired, or what was meant all along (a national DD-MM-YYYY is no damage);
                             * NULL when the cell counts as empty ("null", "-"); for NAMED the cell itself */
    const char *suggestion; /* for DAMAGE_NAMED: the likely value, or NULL */
    const char *en, *id;    /* for DAMAGE_NAMED: what is wrong and what to do, static */
};
struct mended mend_digits(struct arena *arena, struct slice cell,
                          size_t want_digits); /* NIP (18), NIK (16): 1.98703E+17 cannot be repaired */
/* 1990-12-31, 31-12-1990 (national), 31/12/1990, 31 Des 1990, serial 33238 of the 1900 system. Day first unless that is no date; years
 * 1900 to 2099. */
struct mended mend_date(struct arena *arena, struct slice cell);
struct mended mend_text(struct arena *arena, struct slice cell); /* "null", "-", "N/A" as text → empty; spaces and line ends → one space */
struct mended mend_phone(struct arena *arena, struct slice cell); /* separators and + go; 812… → 0812… */
/* A code of `width` digits whose leading zeros a spreadsheet dropped ("5" for "05"); words stay as they are. */
struct mended mend_code(struct arena *arena, struct slice cell, size_t width);

/* ── import: what a domain tells of its files ── */
struct import_word {
    const char *word; /* lower-case letters and digits only; the cell is compared in that form */
    const char *code; /* what is stored */
};

enum import_form {
    IMPORT_TEXT,   /* mend_text, at most `size` characters */
    IMPORT_DIGITS, /* mend_digits, `size` digits wanted */
    IMPORT_DATE,   /* mend_date */
    IMPORT_PHONE,  /* mend_phone */
    IMPORT_WORD,   /* one of `words`; a code of `size` digits may have lost its zeros (0: no code) */
};

struct import_field {
    const char *name;           /* the API's member; also what faults call the column */
    const char *const *aliases; /* other heads of the column, folded like words, NULL at the end; the first one found wins */
    enum import_form form;
    size_t size;
    const struct import_word *words; /* ended by a NULL word */
    const char *unknown;             /* code of the fault when the word is none of them */
    const char *need;                /* of all fields with this word, one must have a column and a value; NULL: optional */
    bool is_derived;                 /* an empty cell says nothing, instead of: empty it */
    const char *scope;               /* only a sender with this scope may give it; NULL: everybody */
    const char *list;                /* the reference list that gives the words, read when the import begins; NULL: `words` */
};

/* One row under check. values: NULL = the file does not say, "" = it says: empty. */
struct import_row {
    struct arena *arena; /* as long as the row */
    const char **values; /* one a field */
    const char **extras; /* the kind's own columns, set by its check */
    int64_t place;       /* among the rows, from 0 */
    int64_t line;
    int n_repaired, n_warnings;
    struct import_fault *first_fault, *last_fault;
    struct import_raw *raw;
    const void *cls; /* of the options */
};
/* Refuses the row; one a fault. Texts other than value and suggestion are not copied. column NULL: the row as a whole. */
void import_fault(struct import_row *row, const char *column, const char *code, const char *value, const char *suggestion, const char *en,
                  const char *id);
bool import_has_fault(const struct import_row *row, const char *column);
/* The file says something of this field, and not that it is empty. */
bool import_has_value(const struct import_row *row, size_t field);
/* A new UUIDv7, for a kind whose rows may become records; lives as long as the row. */
const char *import_new_id(const struct import_row *row);

/* What a merge found: `faults` has the columns place, column, code, value, told ("see line 7" and the like, put behind the wording). */
struct import_merged {
    PGresult *faults;
    int n_faults;    /* its first rows */
    PGresult *known; /* faults that were found before it, all rows of the same columns; or NULL */
    int64_t created, updated;
    bool has_more; /* records moved under some rows, which are still staged: merge again */
};
struct import_wording {
    const char *code, *en, *id;
};

/* Who sends a file. */
struct import_sender {
    const char *key_id; /* UUID, or NULL: the command line */
    const char *name;
    const char *nip;                                             /* who it is, NULL: nobody in person */
    const char *units;                                           /* ltree[] literal */
    const char *scopes;                                          /* text[] literal; what an undo asks for */
    bool (*has_scope)(const struct ctx *ctx, const char *scope); /* NULL: has them all */
};

struct import_kind {
    const char *name;                 /* import.kind */
    const char *const *reader_scopes; /* what the rows of another sender's file ask for, NULL at the end */
    const struct import_field *fields;
    size_t n_fields;
    size_t n_extras;
    void (*check)(struct import_row *row); /* across the fields, by rules; may set extras; called for refused rows too */
    const char *const *stages;             /* statements that make the temporary tables, NULL at the end */
    const char *table;                     /* the stage: place, line, is_refused, the fields, the extras; all fields are text */
    size_t batch_rows, batch_bytes;        /* what is merged at a time */
    /* Judges the staged rows against the database and stores those without fault; refused rows are staged so that all their faults come. Statements, run
     * in this order, which may ask for actor_units, actor_key, actor_name and actor_nip; the last one gives the faults, and a row behind them with the numbers of created
     * and updated rows. Or, where that does not do, a function. */
    const char *const *merges;
    enum status (*merge)(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct import_sender *sender,
                         struct import_merged *ret);
    const struct import_wording *wordings; /* of merge's codes, ended by a NULL code */
};

/* ── import ── */
struct import_options {
    bool dry_run;
    bool is_ndjson;
    const char *file_name;              /* for the record, or NULL */
    const struct import_sender *sender; /* NULL: the command line, which sees everything */
    const char *rejects_type;           /* "text/csv" or "application/x-ndjson": form of the refused rows */
    write_fn rejects;                   /* gets the refused rows as they are found, or NULL */
    void *rejects_cls;
    const void *cls; /* what the kind's check looks things up in, or NULL */
};

struct import_report {
    char id[37]; /* "" for a dry run */
    int64_t rows, created, updated, unchanged, refused, repaired, warnings;
};

/* Reads everything, checks row by row, stages by COPY and merges set-wise, all inside the transaction that is open on `conn`. The same
 * file again changes nothing. A refused row never hides another's fault. Refused rows are also kept under the import's id (unless dry
 * run). ST_BAD_REQUEST when the header cannot be understood at all (names the columns missing). The first PROBLEM_FAULTS_MAX row faults are
 * left in ctx->problem's list (AT_ROW) although the status is ST_OK; columns that are not used are one of them ("columns-ignored"). */
NODISCARD enum status import_run(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct import_kind *kind,
                                 const struct import_options *options, read_fn read, void *read_cls, struct import_report *ret);

/* Takes an import back, inside the transaction that is open on `conn`: what it made goes, what it changed is as it was. `by` NULL: the command
 * line. ST_NOT_FOUND: the sender sees no such import; ST_CONFLICT "import-undone", "import-forgotten", "import-kept" (its kind cannot be undone), or
 * "import-depends" with a fault for each sort of thing that hangs on it: how many, and some of them. */
NODISCARD enum status import_undo(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const char *import_id,
                                  const char *reason, const struct import_sender *by);

/* What they are sealed for, where there are column keys (vault.h): the import. */
#define IMPORT_REJECT_CONTEXT "reject %s"

/* The refused rows that an import kept, as text/csv or application/x-ndjson. CSV rows come back with their own columns, order and delimiter,
 * and behind them asnd_line, asnd_column, asnd_code, asnd_value, asnd_suggestion; NDJSON objects with a member asnd_faults. Both may be
 * sent again as they are: the additions are passed over. */
NODISCARD enum status import_send_rejects(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct import_kind *kind,
                                          const char *import_id, const char *type, write_fn write, void *write_cls);
