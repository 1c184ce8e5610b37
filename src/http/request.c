/* SPDX-License-Identifier: Apache-2.0 */
/* One request: made when its request line is there, driven by the library's calls through its phases, ended once. A handler may answer from
 * inside a callback or later; either way nothing is finished under its feet: what it decided is carried out when it has returned. */
#include <arpa/inet.h>
#include <string.h>

#include "asnd/log.h"
#include "asnd/uuid.h"
#include "socket.h"
#include "internal.h"

/* What the library needs for one header in its pool, and room for the head of a reply. */
#define RECORD_BYTES     64
#define REPLY_HEAD_BYTES 1024
/* A body up to this size is stored in one piece of the arena. */
#define SMALL_BODY 16384

/* ── making and ending ── */

static struct arena *take_arena(struct http_server *server)
{
    return server->n_spare > 0 ? server->spare[--server->n_spare] : arena_new(0);
}

static void give_arena(struct http_server *server, struct arena *arena)
{
    if (!server || server->n_spare == SPARE_ARENAS) {
        arena_free(arena);
        return;
    }
    arena_reset(arena);
    server->spare[server->n_spare++] = arena;
}

struct request *request_new(struct conn *conn, const char *raw_target)
{
    struct arena *arena = take_arena(conn->server);
    struct request *rq = arena_zalloc(arena, sizeof(*rq));
    size_t len = raw_target ? strlen(raw_target) : 0;

    rq->ctx.arena = arena;
    rq->ctx.lang = LANG_ID;
    rq->server = conn->server;
    rq->conn = conn;
    rq->handler_cls = conn->server->handler.cls;
    rq->started_us = (int64_t)(uv_hrtime() / 1000);
    rq->head.target = (struct slice){arena_strndup(arena, raw_target ? raw_target : "", len), len};
    conn->rq = rq;
    return rq;
}

static void make_request_id(struct request *rq)
{
    const char *given = frame_first(&rq->head, "X-Request-Id", NULL);
    char *made;

    if (given && frame_is_request_id(given)) {
        rq->ctx.request_id = given;
        return;
    }
    made = arena_alloc(rq->ctx.arena, UUID_TEXT_SIZE);
    uuid_new_v7(made);
    rq->ctx.request_id = made;
}

void request_finish(struct request *rq, bool aborted)
{
    struct http_server *server = rq->server;
    struct conn *conn = rq->conn;

    if (rq->holds > 0)
        request_peer(rq);
    conn->rq = NULL;
    deadline_clear(&conn->deadline);
    if (rq->phase >= PH_HEAD) {
        server->n_active--;
        metric_add(server->m_active, -1);
    }
    rq->phase = PH_DONE;
    rq->holds++;
    if (rq->handler_saw && server->handler.on_done)
        server->handler.on_done(rq, aborted);
    rq->conn = NULL;
    if (--rq->holds == 0)
        give_arena(server, rq->ctx.arena);
    else
        rq->server = NULL; /* whoever holds it may outlive the server */
}

void request_hold(struct request *rq)
{
    rq->holds++;
}

void request_release(struct request *rq)
{
    if (--rq->holds == 0 && rq->phase == PH_DONE)
        give_arena(rq->server, rq->ctx.arena);
}

bool request_client_left(const struct request *rq)
{
    return rq->conn && (socket_peer_left(rq->conn->fd) || (rq->server->speaks_tls && socket_peer_ended(rq->conn->fd)));
}

void request_reject(struct request *rq)
{
    server_count_reject(rq->server, rq->ctx.problem.code);
    if (!rq->ctx.request_id)
        make_request_id(rq);
    reply_set_problem(rq);
    reply_part(rq);
}

/* ── the head ── */

/* The library has left no room in its pool for the head of a reply: it would close without a word. */
static bool is_pool_full(const struct request *rq, size_t head_bytes)
{
    const char *cookie = frame_first(&rq->head, "Cookie", NULL);
    size_t used = head_bytes + rq->head.n_headers * RECORD_BYTES;

    if (cookie) {
        used += strlen(cookie);
        for (const char *c = cookie; c; c = strchr(c + 1, ';'))
            used += RECORD_BYTES;
    }
    return used + REPLY_HEAD_BYTES > rq->server->pool_bytes;
}

static enum status head_too_large(struct request *rq)
{
    return fail(&rq->ctx, ST_HEAD_TOO_LARGE, "head-too-large", "The head of a request may have at most %zu bytes.",
                "Kepala permintaan paling banyak %zu bita.", rq->server->config.head_limit);
}

/* Reads the head from the library's buffer: `method` is its first byte, and its last stands before what has been read of the body. */
static enum status read_head(struct request *rq, const char *url, const char *method, const char *version)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(rq->conn->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    size_t head_bytes = info ? info->header_size : 0;
    size_t line_bytes = (size_t)(version + strlen("HTTP/1.1") - method);
    struct ctx *ctx = &rq->ctx;
    struct slice raw = rq->head.target;
    bool is_full;
    enum status st;
    char *block;

    if (head_bytes > rq->server->config.head_limit)
        return head_too_large(rq);
    if (head_bytes <= line_bytes || url != method + strlen(method) + 1 || url + raw.len + 1 != version)
        return fail(ctx, ST_BAD_REQUEST, "bad-framing", "The request line is not `METHOD target HTTP/1.1` with single blanks.",
                    "Baris permintaan bukan `METODE alamat HTTP/1.1` dengan satu spasi.");
    block = arena_strndup(ctx->arena, version + strlen("HTTP/1.1"), head_bytes - line_bytes);
    rq->head.is_http10 = strcmp(version, "HTTP/1.0") == 0;
    st = frame_read_headers(ctx, block, head_bytes - line_bytes, &rq->head);
    if (st != ST_OK)
        return st;
    is_full = raw.len <= rq->server->config.target_limit && is_pool_full(rq, head_bytes); /* counts lines: before any are joined */
    ctx->lang = frame_language(frame_header(ctx->arena, &rq->head, "Accept-Language"));
    make_request_id(rq);
    if (is_full)
        return head_too_large(rq);
    st = frame_read_method(ctx, method, &rq->head);
    if (st == ST_OK)
        st = frame_read_target(ctx, raw, rq->server->config.target_limit, &rq->head);
    return st == ST_OK ? frame_check(ctx, &rq->head) : st;
}

/* The server's own answer to `OPTIONS *`. */
static void answer_asterisk(struct request *rq)
{
    reply_header(rq, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    reply_bytes(rq, 204, NULL, NULL, 0);
}

static enum MHD_Result begin(struct request *rq, const char *url, const char *method, const char *version)
{
    struct http_server *server = rq->server;

    rq->phase = PH_HEAD;
    rq->started_us = (int64_t)(uv_hrtime() / 1000);
    deadline_clear(&rq->conn->deadline);
    server->n_active++;
    metric_add(server->m_active, 1);
    metric_add(server->m_requests, 1);
    if (read_head(rq, url, method, version) != ST_OK) {
        request_reject(rq);
        return MHD_NO;
    }
    if (rq->head.is_asterisk) {
        answer_asterisk(rq);
        return MHD_YES;
    }
    rq->handler_saw = true;
    server->handler.on_head(rq);
    return MHD_YES;
}

/* ── the library's calls, phase by phase ── */

/* Whoever is told to come again shall not have to connect again for it: a body that is small, and on its way, is read to its end. */
static bool may_swallow(const struct request *rq)
{
    const struct head *head = &rq->head;

    return (rq->reply.status == 429 || rq->reply.status == 503) && !rq->reply.pull && head->content_length > 0 &&
           head->content_length <= SMALL_BODY && !head->wants_close && !frame_first(head, "Expect", NULL);
}

static void await_reply(struct request *rq)
{
    if (rq->waits_long)
        conn_suspend(rq->conn);
    else
        conn_park(rq->conn);
}

static enum MHD_Result step_whole(struct request *rq);

static enum MHD_Result step_head(struct request *rq)
{
    struct conn *conn = rq->conn;

    rq->swallows = may_swallow(rq);
    if (rq->reply.status != 0 && rq->head.has_body && !rq->swallows) { /* queued now, the library reads no body and closes */
        conn->linger = true;
        return reply_queue(rq);
    }
    if (rq->reply.status == 0 && rq->mode == BODY_UNDECIDED) {
        if (rq->head.has_body)
            conn_suspend(conn);
        else
            await_reply(rq);
        rq->is_behind_head = !conn->suspended; /* else the library's next call is its first again */
        return MHD_YES;
    }
    if (!rq->head.has_body && rq->is_behind_head)
        return step_whole(rq);
    /* A reply that is queued during the library's first call closes the connection: it is queued during the next, which comes at once. */
    rq->phase = rq->head.has_body ? PH_BODY : PH_WHOLE;
    if (rq->head.has_body)
        deadline_set(&rq->server->deadlines, &conn->deadline, DL_BODY, server_now_ms(rq->server));
    return MHD_YES;
}

static enum MHD_Result body_too_large(struct request *rq)
{
    fail(&rq->ctx, ST_BODY_TOO_LARGE, "body-too-large", "The body may have at most %zu bytes.", "Isi paling banyak %zu bita.",
         rq->body_limit);
    request_reject(rq);
    return MHD_NO;
}

/* From now on a streamed body has the body's time-out to bring the next step. */
static void begin_body_window(struct request *rq)
{
    rq->body_marked = rq->body_seen;
    deadline_set(&rq->server->deadlines, &rq->conn->deadline, DL_BODY, server_now_ms(rq->server));
}

static void offer_chunk(struct request *rq, const char *data, size_t *size)
{
    struct http_server *server = rq->server;

    do {
        size_t taken;

        rq->continued = false;
        taken = server->handler.on_chunk(rq, data, *size);
        data += taken;
        *size -= taken;
        rq->body_seen += taken;
    } while (*size > 0 && rq->continued && rq->reply.status == 0);
    if (rq->body_seen - rq->body_marked >= server->body_step)
        begin_body_window(rq);
    if (*size > 0 && rq->reply.status == 0) {
        deadline_clear(&rq->conn->deadline);
        conn_suspend(rq->conn);
    }
}

static enum MHD_Result step_body(struct request *rq, const char *data, size_t *size)
{
    if (rq->swallows) {
        *size = 0;
        return MHD_YES;
    }
    if (*size > rq->body_limit - rq->body_seen && rq->reply.status == 0)
        return body_too_large(rq);
    if (rq->reply.status == 0 && rq->mode == BODY_STREAM) {
        offer_chunk(rq, data, size);
    } else if (rq->reply.status == 0) {
        buf_put(&rq->body, data, *size);
        rq->body_seen += *size;
        *size = 0;
    }
    if (rq->reply.status == 0)
        return MHD_YES;
    if (!rq->reply.pull) { /* the library takes no reply between two pieces of a body */
        reply_part(rq);
        return MHD_NO;
    }
    *size = 0; /* a streamed reply waits for the end of the body, within the body's deadline */
    return MHD_YES;
}

static enum MHD_Result step_whole(struct request *rq)
{
    rq->phase = PH_WHOLE;
    if (!rq->whole_told) {
        rq->whole_told = true;
        deadline_clear(&rq->conn->deadline);
        if (rq->handler_saw && rq->reply.status == 0)
            rq->server->handler.on_body(rq);
    }
    if (rq->reply.status != 0)
        return reply_queue(rq);
    await_reply(rq);
    return MHD_YES;
}

enum MHD_Result request_step(struct request *rq, const char *url, const char *method, const char *version, const char *data, size_t *size)
{
    switch (rq->phase) {
    case PH_LINE:
        if (begin(rq, url, method, version) == MHD_NO)
            return MHD_NO;
        return step_head(rq);
    case PH_HEAD:
        return step_head(rq);
    case PH_BODY:
        return *size > 0 ? step_body(rq, data, size) : step_whole(rq);
    case PH_WHOLE:
        return step_whole(rq);
    default:
        return MHD_NO;
    }
}

/* ── what the handler decides ── */

static bool may_choose_body(struct request *rq, size_t limit)
{
    if (rq->phase != PH_HEAD || rq->reply.status != 0)
        return false;
    rq->body_limit = limit;
    if (rq->head.content_length <= 0 || (uint64_t)rq->head.content_length <= limit)
        return true;
    fail(&rq->ctx, ST_BODY_TOO_LARGE, "body-too-large", "The body has %lld bytes; at most %zu are taken.",
         "Isi berukuran %lld bita; paling banyak %zu yang diterima.", (long long)rq->head.content_length, limit);
    server_count_reject(rq->server, "body-too-large");
    reply_problem(rq);
    return false;
}

static void buf_done_cb(void *buf)
{
    buf_done(buf);
}

void request_read_body(struct request *rq, size_t limit)
{
    if (!may_choose_body(rq, limit))
        return;
    rq->mode = BODY_COLLECT;
    if (rq->head.content_length > 0 && rq->head.content_length <= SMALL_BODY) {
        buf_init(&rq->body, rq->ctx.arena, (size_t)rq->head.content_length);
    } else if (rq->head.has_body) { /* grows with what really comes, and in place */
        buf_init(&rq->body, NULL, SMALL_BODY);
        arena_on_free(rq->ctx.arena, buf_done_cb, &rq->body);
    }
    conn_wake(rq->conn);
}

void request_stream_body(struct request *rq, size_t limit)
{
    if (!may_choose_body(rq, limit))
        return;
    rq->mode = BODY_STREAM;
    conn_wake(rq->conn);
}

void request_continue(struct request *rq)
{
    rq->continued = true;
    if (rq->phase != PH_BODY || !rq->conn->suspended)
        return;
    begin_body_window(rq);
    conn_wake(rq->conn);
}

void request_wait_long(struct request *rq)
{
    rq->waits_long = true;
}

/* ── what came ── */

struct ctx *request_ctx(struct request *rq)
{
    return &rq->ctx;
}

const char *request_method(const struct request *rq)
{
    return rq->head.method ? rq->head.method : "";
}

struct slice request_target(const struct request *rq)
{
    return rq->head.target;
}

struct slice request_path(const struct request *rq)
{
    return rq->head.path;
}

struct slice request_query(const struct request *rq)
{
    return rq->head.query;
}

const char *request_header(struct request *rq, const char *name)
{
    return frame_header(rq->ctx.arena, &rq->head, name);
}

bool request_has_body(const struct request *rq)
{
    return rq->head.has_body;
}

int64_t request_content_length(const struct request *rq)
{
    return rq->head.content_length;
}

struct slice request_body(const struct request *rq)
{
    return (struct slice){rq->body.data ? rq->body.data : "", rq->body.len};
}

int64_t request_started_us(const struct request *rq)
{
    return rq->started_us;
}

const char *request_peer(struct request *rq)
{
    const union MHD_ConnectionInfo *info;
    char text[INET6_ADDRSTRLEN] = "";
    const char *shown = text;

    if (rq->peer || !rq->conn)
        return rq->peer ? rq->peer : "";
    info = MHD_get_connection_info(rq->conn->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info && info->client_addr->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)info->client_addr)->sin_addr, text, sizeof(text));
    else if (info && info->client_addr->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)info->client_addr)->sin6_addr, text, sizeof(text));
    if (strncmp(text, "::ffff:", 7) == 0 && strchr(text, '.'))
        shown += 7;
    rq->peer = arena_strdup(rq->ctx.arena, shown);
    return rq->peer;
}

void *request_cls(const struct request *rq)
{
    return rq->cls;
}

void request_set_cls(struct request *rq, void *cls)
{
    rq->cls = cls;
}

struct http_server *request_server(const struct request *rq)
{
    return rq->server;
}

void *request_handler_cls(const struct request *rq)
{
    return rq->handler_cls;
}
