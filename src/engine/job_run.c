/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker does for one call: a command or a single statement inside a transaction (with its Idempotency-Key, or as a dry run), or a stream. Blocking,
 * straight-line C; it touches the loop's side only through the pipes and the last line of job_run. */
#include "internal.h"

#include <string.h>

ptrdiff_t job_read_upload(void *cls, char *dst, size_t cap)
{
    struct job *job = cls;
    ptrdiff_t n = job->upload ? pipe_read(job->upload, dst, cap) : 0;
    if (n > 0 && job->call->idempotency_key)
        crypto_hash_sha256_update(&job->upload_hash, (const uint8_t *)dst, (unsigned long long)n);
    return n;
}

static bool write_download(void *cls, const char *bytes, size_t len)
{
    return pipe_write(((struct job *)cls)->download, bytes, len);
}

static enum status run_stream(struct job *job, struct db_conn *txn)
{
    struct call *call = job->call;
    const char *type = request_header(call->rq, "Content-Type");
    struct stream_io io = {.read = job_read_upload,
                           .write = write_download,
                           .cls = job,
                           .content_type = type,
                           .accept = call->reply_type,
                           .dry_run = call->dry_run,
                           .is_head = strcmp(request_method(call->rq), "HEAD") == 0,
                           .import = call->op->binding->import,
                           .outcome = &job->out};
    enum status st = call->op->binding->stream(&job->ctx, call->engine, txn, &call->in, &io);
    if (st == ST_RETRY) /* the input is gone: it cannot be run again */
        st = fail(&job->ctx, ST_UNAVAILABLE, "unavailable", "Another writer was in the way; send it again.",
                  "Ada penulis lain; kirim sekali lagi.");
    return st;
}

static enum status count_rows(struct job *job, struct db_conn *txn)
{
    struct call *call = job->call;
    const struct variant *variant = statement_variant(call->op->statement, call_options(call), call->page.sort, VARIANT_COUNT);
    PGresult *res;
    enum status st = db_execute(&job->ctx, txn, variant, call_values(&job->ctx, call, variant), &res);
    if (st == ST_OK)
        call->count_text = arena_strdup(job->ctx.arena, PQgetvalue(res, 0, 0));
    return st;
}

static enum status run_statement(struct job *job, struct db_conn *txn)
{
    struct call *call = job->call;
    const struct variant *variant;
    PGresult *res;
    enum status st = call_variant(&job->ctx, call, &variant);
    if (st == ST_OK && call_wants_count(call))
        st = count_rows(job, txn);
    if (st == ST_OK)
        st = db_execute(&job->ctx, txn, variant, call_values(&job->ctx, call, variant), &res);
    if (st == ST_OK)
        st = render_reply(&job->ctx, call, plan_of(variant, call->op, res), res, &job->out, &job->link);
    return st;
}

/* What a command draws itself is not looked through: it shows what its operation says. */
static enum status run_command(struct job *job, struct db_conn *txn)
{
    struct call *call = job->call;
    enum status st = call->op->binding->command(&job->ctx, call->engine, txn, &call->in, &job->out);
    if (st == ST_OK && call->op->is_sensitive && !job->out.reading)
        job->out.reading = audit_reading_ahead(&job->ctx, call);
    return st;
}

static bool has_own_timeout(const struct op *op)
{
    return op->timeout_ms || op->kind == OP_STREAM;
}

static enum status run_operation(struct job *job, struct db_conn *txn)
{
    struct call *call = job->call;
    enum status st;
    job->out = (struct outcome){0};
    job->link = NULL;
    if (has_own_timeout(call->op)) {
        st = db_sql(&job->ctx, txn, arena_printf(job->ctx.arena, "SET LOCAL statement_timeout = %d", call->op->timeout_ms));
        if (st != ST_OK)
            return st;
    }
    if (call->op->kind == OP_STREAM)
        return run_stream(job, txn);
    return call->op->kind == OP_COMMAND ? run_command(job, txn) : run_statement(job, txn);
}

/* A kept answer is not read again: it may show all that its operation may, or what its row said it does. */
static enum status note_replay(struct job *job, struct db_conn *txn)
{
    const struct reading *reading = audit_reading_ahead(&job->ctx, job->call);
    if (!reading && job->shows_sensitive)
        reading = audit_reading_of(&job->ctx, job->call, "", NULL);
    return reading ? audit_write(&job->ctx, job->call, txn, reading) : ST_OK;
}

static bool write_nothing(void *cls, const char *bytes, size_t len)
{
    (void)cls, (void)bytes, (void)len;
    return true;
}

/* Whether there is something to read here, and its entry if so. */
static enum status note_stream(struct ctx *ctx, struct db_conn *txn, void *cls)
{
    struct job *job = cls;
    struct call *call = job->call;
    struct outcome thrown_away = {0};
    struct stream_io io = {
        .read = job_read_upload, .write = write_nothing, .cls = job, .accept = call->reply_type, .is_head = true, .outcome = &thrown_away};
    enum status st = call->op->binding->stream(ctx, call->engine, txn, &call->in, &io);
    return st == ST_OK ? audit_write(ctx, call, txn, audit_reading_ahead(ctx, call)) : st;
}

static enum status in_transaction(struct ctx *ctx, struct db_conn *txn, void *cls)
{
    struct job *job = cls;
    struct call *call = job->call;
    enum status st = ST_OK;
    if (call->idempotency_key && !call->dry_run) {
        st = idempotency_begin(job, txn);
        if (st == ST_OK && job->is_replayed)
            return note_replay(job, txn);
        if (st != ST_OK)
            return st;
    }
    st = run_operation(job, txn);
    if (st == ST_OK && !call->dry_run && audit_is_due(call, &job->out))
        st = audit_write(ctx, call, txn, job->out.reading);
    if (st == ST_OK && call->idempotency_key && !call->dry_run)
        st = idempotency_store(job, txn);
    if (st == ST_RETRY && !call->op->contract->retry_safe)
        st = fail(ctx, ST_UNAVAILABLE, "unavailable", "Too many at once wanted the same record; try again.",
                  "Terlalu banyak yang mengubah data yang sama; coba lagi.");
    return st;
}

/* Bytes of a stream leave before its transaction ends, so what is sensitive has its entry in one before. */
static enum status run_call(struct job *job, struct db_conn *conn)
{
    struct call *call = job->call;
    enum status st = ST_OK;
    if (call->op->is_sensitive && call->op->kind == OP_STREAM && !call->op->is_write)
        st = db_transaction(&job->ctx, conn, false, note_stream, job);
    if (st == ST_OK)
        st = db_transaction(&job->ctx, conn, call->dry_run, in_transaction, job);
    if (st == ST_OK && call->dry_run) /* which leaves no trace but that the caller saw it */
        st = audit_write_alone(&job->ctx, call, conn, job->out.reading);
    return st;
}

void job_run(struct job *job, struct db_conn *conn)
{
    if (conn)
        db_bound(conn, has_own_timeout(job->call->op) ? job->call->op->timeout_ms : -1);
    if (conn)
        db_begin_with(conn, "asnd.audit", audit_facts(&job->ctx, job->call));
    if (conn)
        job->status = db_see(&job->ctx, conn, call_units(job->call));
    if (conn && job->status == ST_OK)
        job->status = job->is_export ? export_list(job, conn) : run_call(job, conn);
    if (conn)
        db_bound(conn, -1);
    if (job->status == ST_OK && !job->is_export && !job->out.http_status)
        job->out.http_status = job->call->op->contract->success;
    if (job->status == ST_UNAVAILABLE && !job->ctx.problem.retry_after_s)
        job->ctx.problem.retry_after_s = 1;
    loop_post(job->call->loop, &job->finished);
}
