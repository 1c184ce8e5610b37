/* SPDX-License-Identifier: Apache-2.0 */
/* A list as CSV, NDJSON or XLSX: one statement, one snapshot, constant memory, the same projection and rights as the JSON list. Without `limit`
 * it is the whole list. */
#include "tally.h"

#define FLUSH_BYTES 32768

struct export
{
    struct job *job;
    struct db_conn *conn; /* which reads */
    const struct variant *variant;
    struct buf out;
    struct projection projection;
    struct sheet *sheet; /* of XLSX */
    struct tally *tally;
    struct noter noter; /* of more people than one entry tells */
    bool has_head;
};

static enum status flush(struct ctx *ctx, struct export *e)
{
    bool whole = e->out.len == 0 || pipe_write(e->job->download, e->out.data, e->out.len);
    e->out.len = 0;
    return whole ? ST_OK : fail(ctx, ST_UNAVAILABLE, "unavailable", "The reader has gone.", "Pembaca sudah pergi.");
}

static enum status head(struct ctx *ctx, struct export *e, const PGresult *chunk)
{
    const struct call *call = e->job->call;
    e->projection = projection_of(ctx, plan_of(e->variant, call->op, chunk), call);
    e->has_head = true;
    e->tally = tally_new(ctx->arena, &e->projection);
    if (call->form == FORM_CSV)
        render_csv_head(&e->out, &e->projection);
    return call->form == FORM_XLSX ? sheet_open(ctx, &e->projection, &e->sheet) : ST_OK;
}

static enum status rows(struct ctx *ctx, void *cls, const PGresult *chunk)
{
    struct export *e = cls;
    const struct call *call = e->job->call;
    enum status st = e->has_head ? ST_OK : head(ctx, e, chunk);
    for (int row = 0; st == ST_OK && row < PQntuples(chunk); row++) {
        tally_row(e->tally, chunk, row);
        if (tally_is_full(e->tally))
            st = noter_note(ctx, &e->noter, e->conn, e->tally);
    }
    if (call->form == FORM_XLSX) {
        for (int row = 0; st == ST_OK && row < PQntuples(chunk); row++)
            st = sheet_row(ctx, e->sheet, chunk, row);
        return st == ST_OK ? projection_ends(ctx, &e->projection) : st;
    }
    for (int row = 0; st == ST_OK && row < PQntuples(chunk); row++) {
        if (call->form == FORM_CSV) {
            render_csv_row(&e->out, &e->projection, chunk, row);
        } else {
            render_row(&e->out, &e->projection, chunk, row);
            buf_putc(&e->out, '\n');
        }
    }
    st = st == ST_OK ? projection_ends(ctx, &e->projection) : st;
    return st == ST_OK && e->out.len >= FLUSH_BYTES ? flush(ctx, e) : st;
}

/* Where the feed goes on behind this list. Asked for before the list's snapshot is taken: all that the feed has up to there is in the list. What comes
 * in between is in both, which does no harm. */
static enum status note_position(struct job *job, struct db_conn *conn)
{
    const struct engine *engine = job->call->engine;
    PGresult *res;
    enum status st = db_query(&job->ctx, conn, engine->set, "changes.mark", &res, NULL);
    if (st == ST_OK)
        job->changes_after = token_seal(job->ctx.arena, engine->cursor_secret, "changes", PQgetvalue(res, 0, PQfnumber(res, "next")));
    return st;
}

/* Whom the last rows showed, and that it is stored whom all others did. */
static enum status note_rest(struct export *e, enum status st)
{
    struct ctx *ctx = &e->job->ctx, unheard = *ctx;
    enum status noted = noter_end(st == ST_OK ? ctx : &unheard, &e->noter);
    if (st != ST_OK || noted != ST_OK || !e->tally)
        return st == ST_OK ? noted : st;
    return tally_write(ctx, e->job->call, e->conn, e->tally);
}

enum status export_list(struct job *job, struct db_conn *conn)
{
    struct call *call = job->call;
    struct export e = {.job = job, .conn = conn, .noter = {.call = call}};
    enum status st = call_variant(&job->ctx, call, &e.variant);
    buf_init(&e.out, NULL, 2 * FLUSH_BYTES);
    if (st == ST_OK && call->op->tells_changes)
        st = note_position(job, conn);
    if (st == ST_OK) /* rows leave while they are read: that somebody reads them is noted before, and whose they were at the end */
        st = audit_write_alone(&job->ctx, call, conn, audit_reading_ahead(&job->ctx, call));
    if (st == ST_OK)
        st = db_stream(&job->ctx, conn, e.variant, call_values(&job->ctx, call, e.variant), rows, &e);
    st = note_rest(&e, st);
    if (st == ST_OK)
        st = e.sheet ? sheet_send(&job->ctx, e.sheet, job->download) : flush(&job->ctx, &e);
    sheet_done(e.sheet);
    buf_done(&e.out);
    job->out.http_status = call->op->contract->success;
    job->out.content_type = call->reply_type;
    return st;
}
