/* SPDX-License-Identifier: Apache-2.0 */
/* The imports as operations: file in, report or refused rows out. */
#include "internal.h"

#include <string.h>

#include "asnd/arena.h"
#include "asnd/auth.h"
#include "asnd/buf.h"

static bool is_type(const char *content_type, const char *wanted)
{
    size_t n = strlen(wanted);

    return content_type && slice_is_nocase((struct slice){content_type, strnlen(content_type, n)}, wanted) &&
           strchr("; \t", content_type[n]) != NULL;
}

bool media_is_ndjson(const char *content_type)
{
    return is_type(content_type, "application/x-ndjson");
}

static bool sender_has_scope(const struct ctx *ctx, const char *scope)
{
    return actor_has_scope(ctx->actor, scope);
}

/* The engine's own binds tell who it is. */
enum status import_find_sender(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct import_sender *ret)
{
    PGresult *res;
    enum status st = command_query(ctx, engine, txn, in, "import.sender", true, &res);

    if (st == ST_OK)
        *ret = (struct import_sender){.key_id = PQgetvalue(res, 0, 0),
                                      .name = PQgetvalue(res, 0, 1),
                                      .nip = PQgetisnull(res, 0, 4) ? NULL : PQgetvalue(res, 0, 4),
                                      .units = PQgetvalue(res, 0, 2),
                                      .scopes = PQgetvalue(res, 0, 3),
                                      .has_scope = sender_has_scope};
    return st;
}

static void put_text(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, ",\"%s\":", name);
    if (value)
        buf_json_string(out, value, strlen(value));
    else
        BUF_LIT(out, "null");
}

static void put_faults(struct buf *out, const struct ctx *ctx)
{
    BUF_LIT(out, ",\"faults\":[");
    for (const struct fault *fault = ctx->problem.first_fault; fault; fault = fault->next) {
        buf_printf(out, "%s{\"line\":%lld", fault == ctx->problem.first_fault ? "" : ",", (long long)fault->line);
        put_text(out, "column", fault->where);
        put_text(out, "code", fault->code);
        put_text(out, "value", fault->value);
        put_text(out, "detail", fault->detail);
        put_text(out, "suggestion", fault->suggestion);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

static struct buf *render(struct ctx *ctx, const struct import_report *r)
{
    struct buf *out = arena_alloc(ctx->arena, sizeof *out);

    buf_init(out, ctx->arena, 4096);
    BUF_LIT(out, "{\"dry_run\":");
    buf_puts(out, r->id[0] ? "false" : "true");
    put_text(out, "id", r->id[0] ? r->id : NULL);
    buf_printf(out,
               ",\"rows\":%lld,\"created\":%lld,\"updated\":%lld,\"unchanged\":%lld,\"refused\":%lld,\"repaired\":%lld,\"warnings\":%lld",
               (long long)r->rows, (long long)r->created, (long long)r->updated, (long long)r->unchanged, (long long)r->refused,
               (long long)r->repaired, (long long)r->warnings);
    put_faults(out, ctx);
    put_text(out, "rejects", r->id[0] && r->refused ? arena_printf(ctx->arena, "/v1/imports/%s/rejects", r->id) : NULL);
    buf_putc(out, '}');
    return out;
}

enum status stream_import(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct stream_io *io)
{
    const struct import_kind *kind = io->import;
    bool wants_rows = is_type(io->accept, "text/csv") || is_type(io->accept, "application/x-ndjson");
    struct import_sender sender;
    struct import_report report;
    enum status st = import_find_sender(ctx, engine, txn, in, &sender);

    if (st != ST_OK)
        return st;
    /* A client may send its whole file before it reads a byte, so the rows wait in import_reject until the file has ended. (The engine rolls
     * a dry run back, and them with it.) */
    const struct import_options options = {.dry_run = io->dry_run && !wants_rows,
                                           .is_ndjson = media_is_ndjson(io->content_type),
                                           .file_name = params_text(in, "file_name"),
                                           .sender = &sender,
                                           .cls = engine->contract};
    st = import_run(ctx, txn, engine_statements(engine), kind, &options, io->read, io->cls, &report);
    if (st != ST_OK)
        return st;
    io->outcome->content_type = "application/json"; /* also what an Idempotency-Key keeps when the answer is the rows */
    io->outcome->body = render(ctx, &report);
    return wants_rows ? import_send_rejects(ctx, txn, engine_statements(engine), kind, report.id, io->accept, io->write, io->cls) : ST_OK;
}

/* The rows of others hold what the records hold, so they ask for what the records ask for. */
static enum status may_read_rows(struct ctx *ctx, const struct import_kind *kind)
{
    for (const char *const *scope = kind->reader_scopes; *scope; scope++)
        if (!actor_has_scope(ctx->actor, *scope))
            return fail(ctx, ST_FORBIDDEN, "forbidden", "This file was sent with another key; its rows need the scope %s.",
                        "Berkas ini dikirim dengan kunci lain; barisnya memerlukan cakupan %s.", *scope);
    return ST_OK;
}

static const struct import_kind *kind_named(const struct engine *engine, const char *name)
{
    for (size_t i = 0; i < engine->n_ops; i++) {
        const struct binding *binding = engine->ops[i].binding;
        if (binding && binding->import && strcmp(binding->import->name, name) == 0)
            return binding->import;
    }
    return NULL;
}

enum status stream_import_rejects(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct stream_io *io)
{
    PGresult *res;
    enum status st = command_query(ctx, engine, txn, in, "import.kind", true, &res);

    if (st != ST_OK)
        return st;
    const struct import_kind *kind = kind_named(engine, PQgetvalue(res, 0, 0));
    if (!kind)
        return fail(ctx, ST_NOT_FOUND, "not-found", "Files of this sort are no longer taken in.", "Berkas jenis ini tidak lagi diterima.");
    if (*PQgetvalue(res, 0, 1) != 't' && (st = may_read_rows(ctx, kind)) != ST_OK)
        return st;
    return import_send_rejects(ctx, txn, engine_statements(engine), kind, params_text(in, "import_id"), io->accept, io->write, io->cls);
}

enum status cmd_undo_import(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    struct import_sender by;
    enum status st = import_find_sender(ctx, engine, txn, in, &by);

    if (st == ST_OK)
        st = import_undo(ctx, txn, engine_statements(engine), params_text(in, "import_id"), params_text(in, "reason"), &by);
    return st == ST_OK ? command_reply(ctx, engine, txn, in, "getImport", out) : st;
}
