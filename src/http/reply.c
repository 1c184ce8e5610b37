/* SPDX-License-Identifier: Apache-2.0 */
/* Replies, and the only place that turns a status into a problem. What is to be sent is noted in the request; it goes out through the library
 * (reply_queue) or, where the library takes no reply, past it (reply_part). */
#include <string.h>
#include <strings.h>
#include <time.h>

#include "asnd/log.h"
#include "internal.h"
#include "socket.h"

#define STREAM_BLOCK 8192
#define PROBLEM_TYPE "application/problem+json"

/* ── noting ── */

static const char *noted_header(const struct request *rq, const char *name)
{
    for (size_t i = 0; i < rq->reply.n_headers; i++)
        if (strcasecmp(rq->reply.headers[i].name, name) == 0)
            return rq->reply.headers[i].value;
    return NULL;
}

static void note_header(struct request *rq, const char *name, const char *value)
{
    struct reply *reply = &rq->reply;

    if (reply->n_headers == reply->cap_headers) {
        size_t cap = reply->cap_headers ? reply->cap_headers * 2 : 8;
        struct header *grown = arena_zalloc_array(rq->ctx.arena, cap, sizeof(*grown));

        if (reply->n_headers > 0)
            memcpy(grown, reply->headers, reply->n_headers * sizeof(*grown));
        reply->headers = grown;
        reply->cap_headers = cap;
    }
    reply->headers[reply->n_headers++] = (struct header){name, value};
}

/* A line break in a value would let whoever chose it write headers of his own. */
static bool is_header_value(const char *value)
{
    for (; *value; value++)
        if (((unsigned char)*value < 0x20 && *value != '\t') || *value == 0x7f)
            return false;
    return true;
}

void reply_header(struct request *rq, const char *name, const char *value)
{
    if (!rq->conn)
        return;
    if (*value == '\0' || !is_header_value(value)) {
        log_line(LOG_ERROR_, "reply-header-dropped", LOG_TEXT("name", name), LOG_TEXT("request_id", rq->ctx.request_id));
        return;
    }
    note_header(rq, arena_strdup(rq->ctx.arena, name), arena_strdup(rq->ctx.arena, value));
}

/* False for a second reply, and when the request is over. */
static bool may_reply(struct request *rq, int http_status)
{
    if (!rq->conn)
        return false;
    if (rq->reply.status == 0)
        return true;
    log_line(LOG_ERROR_, "second-reply-ignored", LOG_NUM("sent", rq->reply.status), LOG_NUM("ignored", http_status),
             LOG_TEXT("request_id", rq->ctx.request_id));
    return false;
}

/* The reply is noted: let it go, if nothing else will ask for it. */
static void reply_ready(struct request *rq)
{
    struct conn *conn = rq->conn;

    if (rq->phase == PH_BODY && !rq->reply.pull && !conn->suspended) {
        deadline_set(&conn->server->deadlines, &conn->deadline, DL_PART, 0);
        server_run_soon(conn->server);
    }
    conn_wake(conn);
}

void reply_bytes(struct request *rq, int http_status, const char *content_type, const char *bytes, size_t len)
{
    if (!may_reply(rq, http_status))
        return;
    rq->reply.status = http_status;
    rq->reply.content_type = content_type;
    rq->reply.bytes = bytes ? bytes : "";
    rq->reply.len = http_status == 204 ? 0 : len;
    reply_ready(rq);
}

void reply_stream_sized(struct request *rq, int http_status, const char *content_type, int64_t len,
                        ptrdiff_t (*pull)(void *cls, char *dst, size_t cap), void *cls)
{
    if (!may_reply(rq, http_status))
        return;
    rq->reply.status = http_status;
    rq->reply.content_type = content_type;
    rq->reply.pull = pull;
    rq->reply.pull_cls = cls;
    rq->reply.pull_len = len;
    reply_ready(rq);
}

void reply_stream(struct request *rq, int http_status, const char *content_type, ptrdiff_t (*pull)(void *cls, char *dst, size_t cap),
                  void *cls)
{
    reply_stream_sized(rq, http_status, content_type, -1, pull, cls);
}

int reply_status(const struct request *rq)
{
    return rq->reply.status;
}

int64_t reply_length(const struct request *rq)
{
    return rq->reply.pull ? rq->reply.pull_len : (int64_t)rq->reply.len;
}

/* ── problems ── */

/* Titles and details follow the language, so caches must keep both; what the handler varies by comes along. */
static void vary_by_language(struct request *rq)
{
    for (size_t i = 0; i < rq->reply.n_headers; i++) {
        struct header *h = &rq->reply.headers[i];

        if (strcasecmp(h->name, "Vary") != 0)
            continue;
        h->value = arena_printf(rq->ctx.arena, "Accept-Language, %s", h->value);
        return;
    }
    note_header(rq, "Vary", "Accept-Language");
}

void reply_set_problem(struct request *rq)
{
    struct ctx *ctx = &rq->ctx;
    struct slice path = rq->head.path;
    struct buf body;
    int http;

    if (ctx->problem.status == ST_OK)
        fail(ctx, ST_INTERNAL, "internal", "The server failed without a reason.", "Peladen gagal tanpa sebab.");
    http = status_http(ctx->problem.status);
    buf_init(&body, ctx->arena, 512);
    problem_write(&body, ctx, path.len > 0 ? arena_strndup(ctx->arena, path.data, path.len) : NULL);
    note_header(rq, "Content-Language", ctx->lang == LANG_EN ? "en" : "id");
    vary_by_language(rq);
    if (ctx->problem.retry_after_s > 0)
        note_header(rq, "Retry-After", arena_printf(ctx->arena, "%d", ctx->problem.retry_after_s));
    if (http == 405 && ctx->problem.allow && !noted_header(rq, "Allow"))
        reply_header(rq, "Allow", ctx->problem.allow);
    if (http == 401 && !noted_header(rq, "WWW-Authenticate"))
        note_header(rq, "WWW-Authenticate", "Bearer");
    rq->reply.status = http;
    rq->reply.content_type = PROBLEM_TYPE;
    rq->reply.bytes = body.data;
    rq->reply.len = body.len;
}

void reply_problem(struct request *rq)
{
    if (!may_reply(rq, status_http(rq->ctx.problem.status)))
        return;
    reply_set_problem(rq);
    reply_ready(rq);
}

/* ── through the library ── */

/* The headers of every reply, to one of two sinks. */
struct sink {
    struct MHD_Response *response; /* or NULL */
    struct buf *raw;
};

static void put_header(struct sink *sink, const char *name, const char *value)
{
    if (sink->response) {
        (void)MHD_add_response_header(sink->response, name, value);
        return;
    }
    buf_puts(sink->raw, name);
    BUF_LIT(sink->raw, ": ");
    buf_puts(sink->raw, value);
    BUF_LIT(sink->raw, "\r\n");
}

static void put_headers(struct request *rq, struct sink *sink)
{
    const struct reply *reply = &rq->reply;
    bool has_cache_control = false;

    if (reply->content_type && reply->status != 204 && reply->status != 304)
        put_header(sink, "Content-Type", reply->content_type);
    if (rq->ctx.request_id)
        put_header(sink, "X-Request-Id", rq->ctx.request_id);
    for (size_t i = 0; i < reply->n_headers; i++) {
        has_cache_control = has_cache_control || strcasecmp(reply->headers[i].name, "Cache-Control") == 0;
        put_header(sink, reply->headers[i].name, reply->headers[i].value);
    }
    if (!has_cache_control)
        put_header(sink, "Cache-Control", "no-store");
    put_header(sink, "X-Content-Type-Options", "nosniff");
}

static bool is_head_method(const struct request *rq)
{
    return rq->head.method && strcmp(rq->head.method, "HEAD") == 0;
}

static ssize_t on_pull(void *cls, uint64_t pos, char *dst, size_t cap)
{
    struct request *rq = cls;
    struct reply *reply = &rq->reply;
    struct conn *conn = rq->conn;
    ptrdiff_t n;

    (void)pos;
    if (!conn || conn->cut)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    rq->server->idle_runs = 0;
    do {
        reply->woken = false;
        n = reply->pull(reply->pull_cls, dst, cap);
    } while (n == PULL_WAIT && reply->woken);
    if (n > 0)
        return (ssize_t)n;
    if (n == PULL_END)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (n == PULL_WAIT) {
        reply->waits = true;
        deadline_clear(&conn->deadline); /* our own slowness is not the client's */
        conn_suspend(conn);
        return 0;
    }
    conn->closing = true;
    if (rq->head.is_http10) /* its stream ends with the connection: only a reset tells a whole one from one that was cut */
        socket_reset_on_close(conn->fd);
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

void reply_stream_wake(struct request *rq)
{
    struct reply *reply = &rq->reply;

    reply->woken = true;
    if (!reply->waits || !rq->conn)
        return;
    reply->waits = false;
    deadline_set(&rq->server->deadlines, &rq->conn->deadline, DL_REPLY, server_now_ms(rq->server));
    conn_wake(rq->conn);
}

static struct MHD_Response *make_response(struct request *rq)
{
    const struct reply *reply = &rq->reply;
    struct MHD_Response *response;

    if (!reply->pull)
        return MHD_create_response_from_buffer(reply->len, (void *)(uintptr_t)reply->bytes, MHD_RESPMEM_PERSISTENT);
    if (reply->pull_len >= 0)
        return MHD_create_response_from_callback((uint64_t)reply->pull_len, STREAM_BLOCK, on_pull, rq, NULL);
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_pull, rq, NULL);
    /* The library would end the head of a chunked reply to HEAD with a last chunk; so such a reply ends with the connection. */
    if (response && is_head_method(rq))
        (void)MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return response;
}

enum MHD_Result reply_queue(struct request *rq)
{
    struct conn *conn = rq->conn;
    struct MHD_Response *response = make_response(rq);
    struct sink sink = {response, NULL};
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    put_headers(rq, &sink);
    conn->closing = rq->head.wants_close || rq->server->sends_away || conn->linger ||
                    (rq->reply.pull && rq->reply.pull_len < 0 && (is_head_method(rq) || rq->head.is_http10));
    if (rq->server->sends_away)
        put_header(&sink, "Connection", "close");
    rq->phase = PH_REPLY;
    rq->server->has_queued = true;
    deadline_set(&rq->server->deadlines, &conn->deadline, DL_REPLY, server_now_ms(rq->server));
    result = library_queue_response(conn->mhd, (unsigned)rq->reply.status, response);
    MHD_destroy_response(response);
    return result;
}

/* ── past the library ── */

static void put_date(struct buf *raw)
{
    time_t now = time(NULL);
    struct tm tm;
    char text[64];

    gmtime_r(&now, &tm);
    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    buf_printf(raw, "Date: %s\r\n", text);
}

void reply_part(struct request *rq)
{
    const struct reply *reply = &rq->reply;
    struct conn *conn = rq->conn;
    struct buf raw;
    struct sink sink = {NULL, &raw};
    bool sent;

    buf_init(&raw, rq->ctx.arena, reply->len + 512);
    buf_printf(&raw, "HTTP/1.1 %d %s\r\n", reply->status, MHD_get_reason_phrase_for((unsigned)reply->status));
    put_date(&raw);
    put_headers(rq, &sink);
    put_header(&sink, "Connection", "close");
    if (reply->status != 204)
        buf_printf(&raw, "Content-Length: %zu\r\n", reply->len);
    BUF_LIT(&raw, "\r\n");
    if (!is_head_method(rq))
        buf_put(&raw, reply->bytes, reply->len);
    conn->cut = true;
    conn->closing = true;
    sent = rq->server->speaks_tls ? tls_part(conn, raw.data, raw.len) : linger_start(rq->server, conn->fd, raw.data, raw.len);
    request_finish(rq, !sent);
}
