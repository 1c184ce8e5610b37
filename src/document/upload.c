/* SPDX-License-Identifier: Apache-2.0 */
/* uploadDocument: metadata are judged first, then the file goes to the store while it comes, and at its end the document is made in the same transaction.
 * So a client that leaves in the middle leaves nothing, and what was answered is stored. */
#include "asnd/document.h"

#include <string.h>

#include "asnd/arena.h"
#include "asnd/store.h"

#define READ_BYTES 65536

/* A refusal that a row names; ST_OK if it names none. Metadata are parameters here. */
static enum status refused(struct ctx *ctx, const PGresult *res)
{
    const char *place = PQgetvalue(res, 0, 1), *value = PQgetvalue(res, 0, 2);
    const struct problem_entry *entry;
    const char *title;
    struct fault *fault;
    if (PQgetisnull(res, 0, 0))
        return ST_OK;
    entry = problem_find(PQgetvalue(res, 0, 0));
    if (!entry)
        return fail(ctx, ST_INTERNAL, "internal", "An unexpected refusal.", "Penolakan yang tidak terduga.");
    title = ctx->lang == LANG_EN ? entry->title_en : entry->title_id;
    fault = fault_add(ctx, *place ? AT_PARAMETER : AT_BODY, place, entry->code, "%s.", "%s.", title);
    if (fault)
        fault->value = arena_strdup(ctx->arena, value);
    return fail(ctx, entry->status, entry->code, "%s.", "%s.", title);
}

static enum status ask(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in)
{
    PGresult *res;
    enum status st = command_query(ctx, engine, txn, in, "uploadDocument.ask", true, &res);
    return st == ST_OK ? refused(ctx, res) : st;
}

/* The contract's name of the type that Content-Type says; parameters of it say nothing here. */
static const char *type_said(const struct operation *operation, const char *content_type)
{
    size_t len = content_type ? strcspn(content_type, "; \t") : 0;
    for (size_t i = 0; i < operation->n_bodies; i++)
        if (slice_is_nocase((struct slice){content_type, len}, operation->bodies[i].type))
            return operation->bodies[i].type;
    return "";
}

static enum status other_form(struct ctx *ctx, const char *said, const char *found)
{
    if (found)
        return fail(ctx, ST_UNSUPPORTED_MEDIA_TYPE, "document-form", "Content-Type says %s, but the file begins as %s does.",
                    "Content-Type menyebut %s, tetapi awal berkas adalah %s.", said, found);
    return fail(ctx, ST_UNSUPPORTED_MEDIA_TYPE, "document-form", "Content-Type says %s, but the file does not begin as one.",
                "Content-Type menyebut %s, tetapi awal berkas bukan itu.", said);
}

static enum status judge_form(struct ctx *ctx, const struct document_scan *scan)
{
    const char *found = document_scan_type(scan);
    return found && strcmp(found, scan->type) == 0 ? ST_OK : other_form(ctx, scan->type, found);
}

/* To the end of the body. The form is judged before anything of it is stored. */
static enum status take(struct ctx *ctx, struct stream_io *io, struct store_writer *writer, struct document_scan *scan)
{
    char *piece = arena_alloc(ctx->arena, READ_BYTES);
    bool is_judged = false;
    size_t held = 0;
    ptrdiff_t n;
    enum status st = ST_OK;
    while (st == ST_OK && (n = io->read(io->cls, piece + held, READ_BYTES - held)) != 0) {
        if (n < 0)
            return fail(ctx, ST_BAD_REQUEST, "bad-request", "The upload broke off.", "Kiriman terputus.");
        document_scan_feed(scan, piece + held, (size_t)n);
        held += (size_t)n;
        if (!is_judged && held < SCAN_HEAD)
            continue;
        if (!is_judged)
            st = judge_form(ctx, scan);
        is_judged = true;
        if (st == ST_OK)
            st = store_put(writer, piece, held);
        held = 0;
    }
    if (st == ST_OK && !scan->head_len)
        return fail(ctx, ST_BAD_REQUEST, "bad-request", "The body is empty: send the file itself (curl: --data-binary @FILE).",
                    "Isi permintaan kosong: kirim berkasnya (curl: --data-binary @BERKAS).");
    return st == ST_OK && !is_judged ? other_form(ctx, scan->type, NULL) : st; /* shorter than any of them */
}

static void derive(struct ctx *ctx, struct params *in, const struct document_scan *scan, const struct stored *stored)
{
    params_derive(ctx, in, "media_type", scan->type);
    params_derive(ctx, in, "warnings", document_scan_warnings(scan));
    params_derive(ctx, in, "content_id", stored->id);
    params_derive(ctx, in, "sha256", arena_strdup(ctx->arena, stored->sha256));
    params_derive(ctx, in, "size", arena_printf(ctx->arena, "%lld", (long long)stored->size));
}

static enum status answer(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    PGresult *res;
    enum status st = command_query(ctx, engine, txn, in, "uploadDocument.store", true, &res);
    if (st == ST_OK)
        st = refused(ctx, res);
    if (st != ST_OK)
        return st;
    params_derive(ctx, in, "stored_id", arena_strdup(ctx->arena, PQgetvalue(res, 0, 4)));
    st = command_reply(ctx, engine, txn, in, "uploadDocument.reply", out);
    if (st == ST_OK && *PQgetvalue(res, 0, 3) == 't')
        out->http_status = 201;
    else
        out->location = NULL;
    return st;
}

enum status stream_upload_document(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct stream_io *io)
{
    struct store_writer *writer;
    struct document_scan scan;
    struct stored stored;
    enum status st = ask(ctx, engine, txn, in);
    if (st != ST_OK)
        return st;
    document_scan_begin(&scan, type_said(in->operation, io->content_type));
    writer = store_begin(ctx, txn, engine_statements(engine));
    st = take(ctx, io, writer, &scan);
    if (st == ST_OK)
        st = store_end(writer, &stored);
    if (st != ST_OK)
        return st;
    derive(ctx, in, &scan, &stored);
    return answer(ctx, engine, txn, in, io->outcome);
}
