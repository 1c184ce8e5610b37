/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker does for one call: a command or a single statement inside a transaction (with its Idempotency-Key, or as a dry run), or a stream. Blocking,
 * straight-line C; it touches the loop's side only through the pipes and the last line of job_run. */
#include "internal.h"

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
                           .import = call->op->binding->import,
                           .outcome = &job->out};
    enum status st = call->op->binding->stream(&job->ctx, call->engine, txn, &call->in, &io);
    if (st == ST_RETRY) /* the input is gone: it cannot be run again */
        st = fail(&job->ctx, ST_UNAVAILABLE, "unavailable", "Another writer was in the way; send it again.",
                  "Ada penulis lain; kirim sekali lagi.");
    return st;
}

static enum status run_statement(struct job *job, struct db_conn *txn)
{
    struct call *call = job->call;
    const struct variant *variant;
    PGresult *res;
    enum status st = call_variant(&job->ctx, call, &variant);
    if (st == ST_OK)
        st = db_execute(&job->ctx, txn, variant, call_values(&job->ctx, call, variant), &res);
    if (st == ST_OK)
        st = render_reply(&job->ctx, call, plan_of(variant, call->op, res), res, &job->out, &job->link);
    return st;
}

static enum status run_operation(struct job *job, struct db_conn *txn)
{
    struct call *call = job->call;
    enum status st;
    job->out = (struct outcome){0};
    job->link = NULL;
    if (call->op->timeout_ms || call->op->kind == OP_STREAM) {
        st = db_sql(&job->ctx, txn, arena_printf(job->ctx.arena, "SET LOCAL statement_timeout = %d", call->op->timeout_ms));
        if (st != ST_OK)
            return st;
    }
    if (call->op->kind == OP_STREAM)
        return run_stream(job, txn);
    if (call->op->kind == OP_COMMAND)
        return call->op->binding->command(&job->ctx, call->engine, txn, &call->in, &job->out);
    return run_statement(job, txn);
}

static enum status in_transaction(struct ctx *ctx, struct db_conn *txn, void *cls)
{
    struct job *job = cls;
    struct call *call = job->call;
    enum status st = ST_OK;
    if (call->idempotency_key && !call->dry_run) {
        st = idempotency_begin(job, txn);
        if (st != ST_OK || job->is_replayed)
            return st;
    }
    st = run_operation(job, txn);
    if (st == ST_OK && call->idempotency_key && !call->dry_run)
        st = idempotency_store(job, txn);
    if (st == ST_RETRY && !call->op->contract->retry_safe)
        st = fail(ctx, ST_UNAVAILABLE, "unavailable", "Too many at once wanted the same record; try again.",
                  "Terlalu banyak yang mengubah data yang sama; coba lagi.");
    return st;
}

void job_run(struct job *job, struct db_conn *conn)
{
    if (conn && job->is_export)
        job->status = export_list(job, conn);
    else if (conn)
        job->status = db_transaction(&job->ctx, conn, job->call->dry_run, in_transaction, job);
    if (job->status == ST_OK && !job->is_export && !job->out.http_status)
        job->out.http_status = job->call->op->contract->success;
    if (job->status == ST_UNAVAILABLE && !job->ctx.problem.retry_after_s)
        job->ctx.problem.retry_after_s = 1;
    loop_post(job->call->loop, &job->finished);
}
