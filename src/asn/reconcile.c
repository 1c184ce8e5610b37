/* SPDX-License-Identifier: Apache-2.0 */
/* reconcileAsnFile: a list of any length held against ours. It is read as an import reads one, into a temporary table, and when it has ended one statement
 * compares it, in one snapshot; neither is ever in memory as a whole. */
#include "asnd/asn.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/vault.h"

#define FLUSH_BYTES 32768

/* ── theirs ── */

/* What the row tells, as the record would show it; an empty cell that says something says null. The first field is the NIP. */
static void check(struct import_row *row)
{
    struct buf out;

    buf_init(&out, row->arena, 512);
    buf_putc(&out, '{');
    for (size_t f = 1; f < import_asn.n_fields; f++) {
        const char *name = import_asn.fields[f].name, *value = row->values[f];
        if (strcmp(name, "nik") == 0)
            row->values[f] = value = vault_seal_nik(row->arena, value, VAULT_NOBODY);
        if (!value)
            continue;
        buf_printf(&out, "%s\"%s\":", out.len > 1 ? "," : "", name);
        if (*value)
            buf_json_string(&out, value, strlen(value));
        else
            BUF_LIT(&out, "null");
    }
    buf_putc(&out, '}');
    row->extras[0] = buf_cstr(&out);
}

static enum status keep(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct import_sender *sender,
                        struct import_merged *ret)
{
    (void)sender;
    enum status st = db_query(ctx, conn, set, "reconcileAsnFile.keep", &ret->faults, NULL);
    ret->n_faults = 0;
    return st;
}

/* The people's columns and words, of which only the NIP is needed. */
static struct import_kind kind_of(struct ctx *ctx)
{
    static const char *const stages[] = {"import.stage", "reconcileAsnFile.stage", "reconcileAsnFileList.stage", NULL};
    struct import_field *fields = arena_alloc(ctx->arena, import_asn.n_fields * sizeof *fields);
    struct import_kind kind = import_asn;

    memcpy(fields, import_asn.fields, import_asn.n_fields * sizeof *fields);
    for (size_t f = 1; f < kind.n_fields; f++)
        fields[f].need = NULL;
    kind.fields = fields;
    kind.n_extras = 1;
    kind.check = check;
    kind.stages = stages;
    kind.table = "reconcile_stage_asn";
    kind.merge = keep;
    return kind;
}

static bool flag(const struct params *in, const char *name)
{
    const char *text = params_text(in, name);
    return text && text[0] == 't';
}

/* ── ours ── */

struct answer {
    struct stream_io *io;
    struct buf out;
    bool with_same;
    int64_t same, different, only_there, only_here;
};

static enum status flush(struct ctx *ctx, struct answer *a)
{
    bool whole = a->out.len == 0 || a->io->write(a->io->cls, a->out.data, a->out.len);

    a->out.len = 0;
    return whole ? ST_OK : fail(ctx, ST_UNAVAILABLE, "unavailable", "The reader has gone.", "Pembaca sudah pergi.");
}

static enum status put_rows(struct ctx *ctx, void *cls, const PGresult *chunk)
{
    struct answer *a = cls;

    for (int row = 0; row < PQntuples(chunk); row++) {
        const char *result = PQgetvalue(chunk, row, 0);
        struct slice told;
        bool is_same = strcmp(result, "same") == 0;
        int64_t *n = is_same                             ? &a->same
                     : strcmp(result, "different") == 0  ? &a->different
                     : strcmp(result, "only_there") == 0 ? &a->only_there
                                                         : &a->only_here;
        ++*n;
        if (is_same && !a->with_same)
            continue;
        if (!vault_open_text(ctx->arena, slice_of(PQgetvalue(chunk, row, 1)), &told))
            return vault_refuse(ctx);
        buf_put(&a->out, told.data, told.len);
        buf_putc(&a->out, '\n');
    }
    return a->out.len >= FLUSH_BYTES ? flush(ctx, a) : ST_OK;
}

static void put_member(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, ",\"%s\":", name);
    if (value)
        buf_json_string(out, value, strlen(value));
    else
        BUF_LIT(out, "null");
}

/* Rows that could not be read, or not well enough to be compared: the first hundred. */
static void put_refused(struct answer *a, const struct ctx *ctx)
{
    for (const struct fault *fault = ctx->problem.first_fault; fault; fault = fault->next) {
        buf_printf(&a->out, "{\"result\":\"%s\",\"line\":%lld", strcmp(fault->code, "columns-ignored") == 0 ? "note" : "refused",
                   (long long)fault->line);
        put_member(&a->out, "column", fault->where);
        put_member(&a->out, "code", fault->code);
        put_member(&a->out, "value", fault->value);
        put_member(&a->out, "detail", fault->detail);
        put_member(&a->out, "suggestion", fault->suggestion);
        BUF_LIT(&a->out, "}\n");
    }
}

static enum status compare(struct ctx *ctx, struct engine *engine, struct db_conn *txn, const struct import_sender *sender,
                           const char *is_whole, struct answer *a)
{
    const struct variant *variant =
        statement_variant(sql_set_find(engine_statements(engine), "reconcileAsnFile.compare"), 0, 0, VARIANT_PLAIN);
    const char **values = arena_alloc(ctx->arena, variant->n_binds * sizeof *values);

    for (size_t i = 0; i < variant->n_binds; i++)
        values[i] = strcmp(variant->binds[i], "actor_units") == 0 ? sender->units : is_whole;
    return db_stream(ctx, txn, variant, values, put_rows, a);
}

enum status stream_reconcile_asn(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct stream_io *io)
{
    struct answer a = {.io = io, .with_same = flag(in, "with_same")};
    struct import_kind kind = kind_of(ctx);
    struct import_sender sender;
    struct import_report report;
    enum status st = import_find_sender(ctx, engine, txn, in, &sender);

    if (st != ST_OK)
        return st;
    const struct import_options options = {.dry_run = true, .is_ndjson = media_is_ndjson(io->content_type), .sender = &sender, .cls = NULL};
    st = import_run(ctx, txn, engine_statements(engine), &kind, &options, io->read, io->cls, &report);
    if (st == ST_OK)
        st = db_sql(ctx, txn, "ANALYZE reconcile_list; SET LOCAL enable_seqscan = on");
    if (st != ST_OK)
        return st;
    buf_init(&a.out, NULL, 2 * FLUSH_BYTES);
    put_refused(&a, ctx);
    st = compare(ctx, engine, txn, &sender, flag(in, "is_whole") ? "true" : "false", &a);
    buf_printf(&a.out,
               "{\"result\":\"summary\",\"rows\":%lld,\"same\":%lld,\"different\":%lld,\"only_there\":%lld,\"only_here\":%lld,"
               "\"refused\":%lld}\n",
               (long long)report.rows, (long long)a.same, (long long)a.different, (long long)a.only_there, (long long)a.only_here,
               (long long)report.refused);
    if (st == ST_OK)
        st = flush(ctx, &a);
    buf_done(&a.out);
    return st;
}
