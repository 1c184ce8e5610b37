/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker does for one call: a command or a single statement inside a transaction (with its Idempotency-Key, or as a dry run), or a stream.
 * A job has its own arena, because the loop goes on using the request's; it is freed when both worker and request are done with it. */
#include "internal.h"

#include <string.h>

#define PIPE_BYTES 262144

/* ── on the loop ── */

static void job_free(struct job *job)
{
    struct call *call = job->call;
    struct arena *arena = job->ctx.arena;
    struct request *rq = call->rq;
    actor_unref(call->actor);
    pipe_free(job->upload);
    pipe_free(job->download);
    arena_free(arena);
    request_release(rq);
}

static void answer(struct job *job)
{
    struct call *call = job->call;
    if (job->status != ST_OK) {
        call_refuse(call, &job->ctx);
        return;
    }
    if (job->is_replayed)
        reply_header(call->rq, "Idempotency-Replayed", "true");
    call_answer(call, &job->out, job->link);
}

/* The body that the worker did not want must still be taken before a reply can be given. */
static bool upload_is_open(const struct job *job)
{
    return job->upload && !job->has_upload_ended;
}

static void on_finished(struct loop_task *task)
{
    struct job *job = (struct job *)((char *)task - offsetof(struct job, finished));
    job->is_finished = true;
    if (job->is_orphan) {
        job_free(job);
        return;
    }
    if (job->has_head) {
        if (job->status == ST_OK)
            pipe_end(job->download);
        else
            pipe_break(job->download);
        reply_stream_wake(job->call->rq);
    } else if (upload_is_open(job)) {
        pipe_break(job->upload);
        request_continue(job->call->rq);
    } else {
        answer(job);
    }
}

size_t job_chunk(struct job *job, const char *bytes, size_t len)
{
    return job->is_finished || !job->upload ? len : pipe_offer(job->upload, bytes, len);
}

void job_upload_end(struct job *job)
{
    job->has_upload_ended = true;
    if (job->upload)
        pipe_end(job->upload);
    if (job->is_finished && !job->has_head)
        answer(job);
}

/* Whoever only closed the half that sends, which HTTP does not know as a way to go on, is told to come again. */
void job_give_up(struct job *job)
{
    job->ctx.problem.retry_after_s = 1;
    job->status = fail(&job->ctx, ST_UNAVAILABLE, "unavailable", "The connection was closed before a worker was free.",
                       "Koneksi ditutup sebelum ada pekerja yang bebas.");
    on_finished(&job->finished);
}

/* One that still waits for a worker is given up and leaves its place to others: nothing of it has begun, so that to its client, who got no answer,
 * it is as if it had never arrived. One that has begun goes on to its end: half of it may be confirmed by the database any moment. */
void job_orphan(struct job *job)
{
    job->is_orphan = true;
    if (job->is_finished || worker_pool_withdraw(job->call->engine->workers, job)) {
        job_free(job);
        return;
    }
    if (job->upload && !job->has_upload_ended)
        pipe_break(job->upload);
    if (job->download)
        pipe_break(job->download);
}

static void on_upload_wake(struct loop_task *task)
{
    struct job *job = (struct job *)((char *)task - offsetof(struct job, upload_wake));
    if (!job->is_orphan)
        request_continue(job->call->rq);
}

static ptrdiff_t pull(void *cls, char *dst, size_t cap)
{
    return pipe_take(((struct job *)cls)->download, dst, cap);
}

static void on_download_wake(struct loop_task *task)
{
    struct job *job = (struct job *)((char *)task - offsetof(struct job, download_wake));
    if (job->is_orphan)
        return;
    if (job->has_head) {
        reply_stream_wake(job->call->rq);
        return;
    }
    job->has_head = true;
    reply_stream(job->call->rq, job->call->op->contract->success, job->call->reply_type, pull, job);
}

/* On the worker: */
static void wake_upload(void *cls)
{
    struct job *job = cls;
    loop_post(job->call->loop, &job->upload_wake);
}

static void wake_download(void *cls)
{
    struct job *job = cls;
    loop_post(job->call->loop, &job->download_wake);
}

void call_to_worker(struct call *call)
{
    struct arena *arena = arena_new(0);
    struct job *job = arena_zalloc(arena, sizeof *job);
    job->call = call;
    job->ctx = (struct ctx){.arena = arena, .lang = call->ctx->lang, .request_id = call->ctx->request_id, .actor = call->actor};
    job->is_export = call->op->kind != OP_STREAM && call->form != FORM_JSON && reply_is_exportable(call->op->contract);
    job->is_stream = call->op->kind == OP_STREAM || job->is_export;
    job->finished.run = on_finished;
    job->upload_wake.run = on_upload_wake;
    job->download_wake.run = on_download_wake;
    call->job = job;
    request_hold(call->rq);
    if (call->op->kind == OP_STREAM && call->op->contract->has_body)
        job->upload = pipe_new(PIPE_BYTES, false, wake_upload, job);
    if (job->is_stream)
        job->download = pipe_new(PIPE_BYTES, true, wake_download, job);
    if (worker_pool_submit(call->engine->workers, job))
        return;
    call->job = NULL;
    pipe_free(job->upload);
    pipe_free(job->download);
    arena_free(arena);
    request_release(call->rq);
    call->ctx->problem.retry_after_s = 2;
    fail(call->ctx, ST_UNAVAILABLE, "overloaded", "Too much waits for a worker; try again in a moment.",
         "Terlalu banyak yang menunggu; coba lagi sebentar lagi.");
    call_refuse(call, call->ctx);
}

/* ── on the worker ── */

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
                           .outcome = &job->out};
    enum status st = call->op->binding->stream(&job->ctx, call->engine, txn, &call->in, &io);
    if (st == ST_RETRY) /* the input is gone: it cannot be run again */
        st = fail(&job->ctx, ST_UNAVAILABLE, "unavailable", "Another writer was in the way; send it again.",
                  "Ada penulis lain; kirim sekali lagi.");
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
