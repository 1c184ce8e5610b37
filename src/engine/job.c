/* SPDX-License-Identifier: Apache-2.0 */
/* A job as the loop sees it: handed to a worker, fed with what is uploaded, emptied of what it sends, answered when it is finished. It has its own
 * arena, because the loop goes on using the request's; it is freed when both worker and request are done with it. */
#include "internal.h"

#include "door.h"
#include "standby.h"

#define PIPE_BYTES 262144

/* What the worker posts to the loop; each below, where a request meets it. */
static void on_upload_wake(struct loop_task *task);
static void on_download_wake(struct loop_task *task);
static void on_finished(struct loop_task *task);

/* ── it is handed over ── */

/* On the worker's thread: there is room for more of the upload. */
static void wake_upload(void *cls)
{
    struct job *job = cls;
    loop_post(job->call->loop, &job->upload_wake);
}

/* On the worker's thread: there is something to send. */
static void wake_download(void *cls)
{
    struct job *job = cls;
    loop_post(job->call->loop, &job->download_wake);
}

static enum status fail_overloaded(struct ctx *ctx)
{
    return fail(ctx, ST_UNAVAILABLE, "overloaded", "Too much waits for a worker; try again in a moment.",
                "Terlalu banyak yang menunggu; coba lagi sebentar lagi.");
}

/* The queue did not take the job: the call goes on without it. */
static void refuse_job(struct job *job, enum submitted why)
{
    struct call *call = job->call;
    call->job = NULL;
    pipe_free(job->upload);
    pipe_free(job->download);
    arena_free(job->ctx.arena);
    call_release(call);
    call->ctx->problem.retry_after_s = 2;
    if (why == SUBMIT_CALLER_FULL)
        account_refuse(call, call->engine->settings->caller_jobs);
    else
        fail_overloaded(call->ctx);
    call_refuse(call, call->ctx);
}

/* Hands a call on to whichever worker is free next. */
void call_to_worker(struct call *call)
{
    struct arena *arena = arena_new(0);
    struct job *job = arena_zalloc(arena, sizeof *job);
    enum submitted submitted;
    job->call = call;
    job->ctx = (struct ctx){.arena = arena, .lang = call->ctx->lang, .request_id = call->ctx->request_id, .actor = call->actor};
    job->is_export = call->op->kind != OP_STREAM && call->form != FORM_JSON && reply_is_exportable(call->op->contract);
    job->is_stream = call->op->kind == OP_STREAM || job->is_export;
    job->is_long = job->is_stream || call_is_long(call);
    job->finished.run = on_finished;
    job->upload_wake.run = on_upload_wake;
    job->download_wake.run = on_download_wake;
    call->job = job;
    call_hold(call);
    if (call->op->kind == OP_STREAM && call->op->contract->has_body)
        job->upload = pipe_new(PIPE_BYTES, false, wake_upload, job);
    if (job->is_stream)
        job->download = pipe_new(PIPE_BYTES, true, wake_download, job);
    submitted = worker_pool_submit(call->engine->workers, job);
    if (submitted != SUBMIT_TAKEN)
        refuse_job(job, submitted);
}

/* ── its upload comes ── */

size_t job_chunk(struct job *job, const char *bytes, size_t len)
{
    return job->is_finished || !job->upload ? len : pipe_offer(job->upload, bytes, len);
}

static void on_upload_wake(struct loop_task *task)
{
    struct job *job = (struct job *)((char *)task - offsetof(struct job, upload_wake));
    if (!job->is_orphan)
        request_continue(job->call->rq);
}

/* ── its reply goes, as a stream ── */

static void tell_changes(const struct job *job)
{
    if (job->changes_after)
        reply_header(job->call->rq, "Changes-After", job->changes_after);
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
    tell_changes(job);
    if (job->call->op->is_write && replicas_wanted(job->call->loop->replicas)) /* it is not committed yet */
        placed_tell(job->call, POSITION_BEYOND);
    if (job->out.length) {
        if (job->out.etag)
            reply_header(job->call->rq, "ETag", job->out.etag);
        call_headers(job->call, &job->out);
        reply_stream_sized(job->call->rq, job->out.http_status, job->out.content_type, job->out.length, pull, job);
        return;
    }
    reply_stream(job->call->rq, job->call->op->contract->success, job->call->reply_type, pull, job);
}

/* ── it is finished ── */

static void job_free(struct job *job)
{
    struct call *call = job->call;
    struct arena *arena = job->ctx.arena;
    actor_unref(call->actor);
    pipe_free(job->upload);
    pipe_free(job->download);
    arena_free(arena);
    call_release(call);
}

static void answer(struct job *job)
{
    struct call *call = job->call;
    if (job->status != ST_OK) {
        call_headers(call, &job->out);
        call_refuse(call, &job->ctx);
        return;
    }
    if (job->is_replayed)
        reply_header(call->rq, "Idempotency-Replayed", "true");
    tell_changes(job);
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

void job_upload_end(struct job *job)
{
    job->has_upload_ended = true;
    if (job->upload)
        pipe_end(job->upload);
    if (job->is_finished && !job->has_head)
        answer(job);
}

/* ── or nobody waits for it any more ── */

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
