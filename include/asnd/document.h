/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Documents: taking files in, giving them out, checking that all are there. Their metadata are document.sql alone. */
#include "asnd/engine.h"

/* ── what a file is, by its bytes ── pure, fed in pieces of any size */
#define SCAN_HEAD  8
#define SCAN_TAIL  1024 /* where the end of a PDF must be marked (ISO 32000, annex H) */
#define SCAN_TOKEN 8    /* "/Encrypt" */
struct document_scan {
    const char *type; /* what is said: application/pdf, image/jpeg or image/png */
    char head[SCAN_HEAD];
    char tail[SCAN_TAIL];
    size_t head_len, tail_len;
    size_t matched; /* of "/Encrypt", across pieces */
    bool is_encrypted;
};
void document_scan_begin(struct document_scan *scan, const char *type);
void document_scan_feed(struct document_scan *scan, const char *bytes, size_t len);
/* The media type that the first bytes show; NULL: none of ours. */
const char *document_scan_type(const struct document_scan *scan);
/* At the end: what is odd, as a text[] literal: {}, {pdf-encrypted}, {no-end}, {pdf-encrypted,no-end}. */
const char *document_scan_warnings(const struct document_scan *scan);
/* A value of Content-Disposition for this name: letters, digits and a few marks in ASCII, the name itself by RFC 8187 beside it. */
const char *document_disposition(struct arena *arena, const char *name, const char *media_type);

/* uploadDocument: the body is the file. ST_UNSUPPORTED_MEDIA_TYPE "document-form" where the bytes are not what Content-Type says; what is wrong with
 * the metadata is said before anything is read. */
NODISCARD enum status stream_upload_document(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                             struct stream_io *io);
/* getDocumentContent: the file, or a part of it. */
NODISCARD enum status stream_document_content(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                              struct stream_io *io);

/* ── is all there ── */
struct document_report {
    int64_t documents, erased, contents, bytes;
    int64_t faults;  /* told */
    int64_t removed; /* orphans */
};
/* Tells each fault as a line of `out`: `missing` and `differs` of documents, `incomplete`, `altered`, `stray` and `orphan` of contents. With removal contents
 * that no document has are removed first, and are no fault then. */
NODISCARD enum status documents_check(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, bool with_removal, FILE *out,
                                      struct document_report *ret);
