/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where the content of documents lies. Whoever wants it elsewhere than in PostgreSQL writes these functions anew: nothing else knows. Why it is there:
 * docs/decisions/0010-content-of-documents.md. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asnd/macros.h"
#include "asnd/status.h"
#include "asnd/uuid.h"

struct db_conn;
struct sql_set;

/* ── writing ── a content is there when the transaction is committed, and not before */
struct store_writer;
struct stored {
    const char *id;
    char sha256[65]; /* hexadecimal */
    int64_t size;
};
/* Begins a content; lives as long as ctx's arena. */
struct store_writer *store_begin(struct ctx *ctx, struct db_conn *txn, const struct sql_set *set);
NODISCARD enum status store_put(struct store_writer *writer, const char *bytes, size_t len);
/* All bytes (at least one) are put. The same bytes have the same id, whoever brings them. ret->id is in ctx's arena. */
NODISCARD enum status store_end(struct store_writer *writer, struct stored *ret);

/* ── reading ── */
/* Gives `len` bytes of a content from `first` on, in pieces; a sink that takes no more ends it with ST_UNAVAILABLE. Bytes that are not there are our fault:
 * ST_INTERNAL. */
typedef bool (*store_sink)(void *cls, const char *bytes, size_t len);
NODISCARD enum status store_read(struct ctx *ctx, struct db_conn *txn, const struct sql_set *set, const char *id, int64_t first,
                                 int64_t len, store_sink sink, void *cls);

/* ── checking ── */
/* Hashes every content and tells what is wrong: `incomplete` (another size than it should have), `altered` (another hash), `stray` (pieces of a
 * content that is not there). Any of the counts may be NULL. */
typedef void (*store_fault)(void *cls, const char *id, const char *fault);
NODISCARD enum status store_verify(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, store_fault tell, void *cls,
                                   int64_t *ret_contents, int64_t *ret_bytes);
/* Removes what belongs to no content. */
NODISCARD enum status store_sweep(struct ctx *ctx, struct db_conn *txn, const struct sql_set *set);
