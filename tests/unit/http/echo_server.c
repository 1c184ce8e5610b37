/* SPDX-License-Identifier: Apache-2.0 */
/* A server with a route for everything that the HTTP room can do, for tests/raw/test_http_raw.py and for measuring. Settings come as
 * name=value; the port is printed. SIGTERM drains and ends when the last request has, SIGINT ends at once. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/http.h"
#include "asnd/metrics.h"

static uv_loop_t loop;
static struct http_server *server;
static uv_signal_t on_term, on_int;
static int n_done, n_aborted, n_held;

/* One request's memory of what it waits for. */
struct job {
    struct request *rq;
    uv_timer_t timer;
    void (*then)(struct job *job);
    bool over;
    size_t left, seen, refuse_at;
    bool waits, fails, stalls;
};

static void job_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void job_fire(uv_timer_t *timer)
{
    struct job *job = timer->data;

    if (job->over) {
        uv_close((uv_handle_t *)timer, job_closed);
        return;
    }
    job->then(job);
}

static struct job *job_new(struct request *rq)
{
    struct job *job = calloc(1, sizeof(*job));

    job->rq = rq;
    uv_timer_init(&loop, &job->timer);
    job->timer.data = job;
    request_set_cls(rq, job);
    return job;
}

static void job_after(struct job *job, unsigned ms, void (*then)(struct job *job))
{
    job->then = then;
    uv_timer_start(&job->timer, job_fire, ms, 0);
}

/* ── replies ── */

static long query_number(struct request *rq, const char *name, long otherwise)
{
    struct slice q = request_query(rq);
    char text[256], key[32];
    const char *at;

    if (!q.data)
        return otherwise;
    snprintf(text, sizeof(text), "&%.*s", (int)q.len, q.data);
    snprintf(key, sizeof(key), "&%s=", name);
    at = strstr(text, key);
    return at ? strtol(at + strlen(key), NULL, 10) : otherwise;
}

static void reply_fixed(struct request *rq, size_t len)
{
    char *bytes = arena_alloc(request_ctx(rq)->arena, len + 1);

    memset(bytes, 'x', len);
    reply_bytes(rq, 200, "text/plain", bytes, len);
}

static void reply_whole(struct job *job)
{
    reply_fixed(job->rq, 100);
}

static void reply_after_head(struct job *job)
{
    request_read_body(job->rq, 1000);
}

/* What arrived, as text lines. */
static void reply_seen(struct request *rq)
{
    struct buf out;
    const char *x = request_header(rq, "X-Test");
    struct slice path = request_path(rq), query = request_query(rq), target = request_target(rq);

    buf_init(&out, request_ctx(rq)->arena, 256);
    buf_printf(&out, "method=%s\ntarget=%.*s\npath=%.*s\nquery=%.*s\nx=%s\npeer=%s\n", request_method(rq), (int)target.len, target.data,
               (int)path.len, path.data, (int)query.len, query.data ? query.data : "", x ? x : "-", request_peer(rq));
    reply_bytes(rq, 200, "text/plain", out.data, out.len);
}

static void reply_stats(struct request *rq)
{
    struct buf out;

    buf_init(&out, request_ctx(rq)->arena, 256);
    buf_printf(&out, "active=%d done=%d aborted=%d held=%d\n", http_server_active(server), n_done, n_aborted, n_held);
    reply_bytes(rq, 200, "text/plain", out.data, out.len);
}

static void reply_metrics(struct request *rq)
{
    struct buf out;

    buf_init(&out, request_ctx(rq)->arena, 4096);
    metrics_write(&out);
    reply_bytes(rq, 200, "text/plain", out.data, out.len);
}

static void reply_failure(struct request *rq, long http)
{
    struct ctx *ctx = request_ctx(rq);

    reply_header(rq, "Vary", "Accept");
    switch (http) {
    case 401:
        fail(ctx, ST_UNAUTHENTICATED, "unauthenticated", "No key.", "Tanpa kunci.");
        break;
    case 405:
        fail(ctx, ST_METHOD_NOT_ALLOWED, "method-not-allowed", "Not that.", "Bukan itu.");
        ctx->problem.allow = "GET, HEAD";
        break;
    case 429:
        fail(ctx, ST_TOO_MANY_REQUESTS, "too-many-requests", "Slower.", "Pelan-pelan.");
        ctx->problem.retry_after_s = 7;
        break;
    default:
        fail(ctx, ST_NOT_FOUND, "not-found", "Nothing here.", "Tidak ada apa-apa.");
        break;
    }
    reply_problem(rq);
}

/* ── streams down ── */

static void stream_goes_on(struct job *job)
{
    reply_stream_wake(job->rq);
}

static ptrdiff_t pull(void *cls, char *dst, size_t cap)
{
    struct job *job = cls;
    size_t n = job->left < cap ? job->left : cap;

    if (job->left == 0)
        return job->fails ? PULL_FAIL : PULL_END;
    if (job->waits && !job->stalls) {
        job->stalls = true;
        job_after(job, 2, stream_goes_on);
        return PULL_WAIT;
    }
    job->stalls = false;
    if (job->waits && n > 1000)
        n = 1000;
    memset(dst, 's', n);
    job->left -= n;
    return (ptrdiff_t)n;
}

static void reply_streamed(struct request *rq)
{
    struct job *job = request_cls(rq) ? request_cls(rq) : job_new(rq);

    job->left = (size_t)query_number(rq, "n", 1000);
    job->waits = query_number(rq, "wait", 0) != 0;
    job->stalls = false;
    job->fails = query_number(rq, "fail", 0) != 0;
    reply_stream(rq, 200, "application/x-ndjson", pull, job);
}

/* ── streams up ── */

static void upload_goes_on(struct job *job)
{
    request_continue(job->rq);
}

static void upload_refused(struct job *job)
{
    reply_failure(job->rq, 404);
}

static size_t on_chunk(struct request *rq, const char *bytes, size_t len)
{
    struct job *job = request_cls(rq);
    size_t taken = job->waits && len > 1000 ? 1000 : len;

    (void)bytes;
    job->seen += taken;
    if (job->refuse_at && job->seen >= job->refuse_at) {
        if (query_number(rq, "later", 0))
            job_after(job, 2, upload_refused);
        else if (query_number(rq, "stream", 0))
            reply_streamed(rq);
        else
            reply_failure(rq, 404);
        job->refuse_at = 0;
        return taken;
    }
    if (taken < len)
        job_after(job, 1, upload_goes_on);
    return taken;
}

static void begin_upload(struct request *rq)
{
    struct job *job = job_new(rq);

    job->waits = query_number(rq, "wait", 0) != 0;
    job->refuse_at = (size_t)query_number(rq, "refuse", 0);
    request_stream_body(rq, (size_t)query_number(rq, "limit", 100000000));
}

/* ── routes ── */

static void release(struct job *job)
{
    n_held--;
    job->over = true;
    request_release(job->rq);
    uv_close((uv_handle_t *)&job->timer, job_closed);
}

static bool is_path(struct request *rq, const char *path)
{
    return slice_is(request_path(rq), path);
}

static void on_head(struct request *rq)
{
    if (is_path(rq, "/upload"))
        begin_upload(rq);
    else if (is_path(rq, "/denied"))
        reply_failure(rq, query_number(rq, "status", 401));
    else if (is_path(rq, "/ask"))
        job_after(job_new(rq), (unsigned)query_number(rq, "ms", 5), reply_after_head);
    else if (is_path(rq, "/now"))
        reply_fixed(rq, 10);
    else
        request_read_body(rq, (size_t)query_number(rq, "limit", 1000000));
}

static void on_body_slow(struct request *rq)
{
    struct job *job = request_cls(rq) ? request_cls(rq) : job_new(rq);

    if (is_path(rq, "/hold")) {
        n_held++;
        request_hold(rq);
        job_after(job, (unsigned)query_number(rq, "ms", 50), release);
        reply_seen(rq);
        return;
    }
    job_after(job, (unsigned)query_number(rq, "ms", 5), reply_whole);
}

static void on_body(struct request *rq)
{
    struct slice body = request_body(rq);
    struct job *job = request_cls(rq);

    if (is_path(rq, "/echo") || is_path(rq, "/ask"))
        reply_bytes(rq, 200, "application/octet-stream", body.data, body.len);
    else if (is_path(rq, "/fixed"))
        reply_fixed(rq, (size_t)query_number(rq, "n", 900));
    else if (is_path(rq, "/slow") || is_path(rq, "/hold"))
        on_body_slow(rq);
    else if (is_path(rq, "/stream"))
        reply_streamed(rq);
    else if (is_path(rq, "/upload"))
        reply_bytes(rq, 200, "text/plain", arena_printf(request_ctx(rq)->arena, "%12zu", job->seen), 12);
    else if (is_path(rq, "/stats"))
        reply_stats(rq);
    else if (is_path(rq, "/metrics"))
        reply_metrics(rq);
    else if (is_path(rq, "/problem"))
        reply_failure(rq, query_number(rq, "status", 404));
    else if (is_path(rq, "/empty"))
        reply_bytes(rq, (int)query_number(rq, "status", 204), "text/plain", "0123456789", 10);
    else if (is_path(rq, "/inject"))
        reply_header(rq, "X-Bad", "a\r\nX-Evil: 1"), reply_fixed(rq, 10);
    else if (is_path(rq, "/twice"))
        reply_fixed(rq, 10), reply_failure(rq, 404);
    else
        reply_seen(rq);
}

static void on_done(struct request *rq, bool aborted)
{
    struct job *job = request_cls(rq);

    n_done++;
    n_aborted += aborted;
    if (!job || is_path(rq, "/hold"))
        return;
    job->over = true;
    uv_timer_start(&job->timer, job_fire, 0, 0);
}

/* ── life ── */

static void on_closed(void *cls)
{
    (void)cls;
    uv_close((uv_handle_t *)&on_term, NULL);
    uv_close((uv_handle_t *)&on_int, NULL);
}

static uv_timer_t drain_timer;

static void drain_tick(uv_timer_t *timer)
{
    if (http_server_active(server) > 0)
        return;
    uv_close((uv_handle_t *)timer, NULL);
    http_server_close(server, on_closed, NULL);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    (void)handle;
    if (signum == SIGINT) {
        http_server_close(server, on_closed, NULL);
        return;
    }
    http_server_drain(server);
    uv_timer_init(&loop, &drain_timer);
    uv_timer_start(&drain_timer, drain_tick, 10, 10);
}

static void set(struct http_config *config, const char *name, int value)
{
    struct {
        const char *name;
        int *at;
    } ints[] = {
        {"port", &config->port},
        {"max_connections", &config->max_connections},
        {"head_timeout_ms", &config->head_timeout_ms},
        {"idle_timeout_ms", &config->idle_timeout_ms},
        {"body_timeout_ms", &config->body_timeout_ms},
        {"reply_timeout_ms", &config->reply_timeout_ms},
        {"least_rate", &config->least_rate},
    };

    for (size_t i = 0; i < ARRAY_LEN(ints); i++)
        if (strcmp(ints[i].name, name) == 0)
            *ints[i].at = value;
    if (strcmp(name, "head_limit") == 0)
        config->head_limit = (size_t)value;
    if (strcmp(name, "target_limit") == 0)
        config->target_limit = (size_t)value;
}

static void show_open(uv_handle_t *handle, void *cls)
{
    (void)cls;
    fprintf(stderr, "still open: %s%s\n", uv_handle_type_name(uv_handle_get_type(handle)), uv_is_active(handle) ? ", active" : "");
}

int main(int argc, char **argv)
{
    struct http_config config = {"127.0.0.1", 0, false, 0, 20000, 8192, 4000, 10000, 75000, 30000, 30000, NULL, NULL, 4096};
    struct http_handler handler = {on_head, on_body, on_chunk, on_done, NULL};

    for (int i = 1; i < argc; i++) {
        char name[32] = "";
        const char *value = strchr(argv[i], '=');

        if (!value)
            return 2;
        snprintf(name, sizeof(name), "%.*s", (int)(value - argv[i]), argv[i]);
        if (strcmp(name, "listen") == 0)
            config.listen = value + 1;
        else
            set(&config, name, atoi(value + 1));
    }
    uv_loop_init(&loop);
    server = http_server_new(&loop, &config, &handler);
    if (!server)
        return 1;
    http_server_open(server);
    uv_signal_init(&loop, &on_term);
    uv_signal_init(&loop, &on_int);
    uv_signal_start(&on_term, on_signal, SIGTERM);
    uv_signal_start(&on_int, on_signal, SIGINT);
    printf("%d\n", http_server_port(server));
    fflush(stdout);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_walk(&loop, show_open, NULL);
    return uv_loop_close(&loop) == 0 ? 0 : 3;
}
