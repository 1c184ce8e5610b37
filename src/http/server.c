/* SPDX-License-Identifier: Apache-2.0 */
/* The library's life on our loop: its epoll descriptor is polled by libuv, it runs when that stirs or when a request has been woken, and one
 * coarse timer strikes deadlines. Every call of the library happens on the loop's thread, none inside another. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "asnd/log.h"
#include "internal.h"
#include "socket.h"

#define TICK_MS 50
/* How often in a row the library may ask to be run at once without anything having happened; see run_library. */
#define IDLE_RUNS_MAX        4
#define IDLE_RUNS_MAX_PARKED 2
/* More than these are suspended at once. */
#define PARKED_MAX 256

/* ── connections ── */

void conn_suspend(struct conn *conn)
{
    MHD_suspend_connection(conn->mhd);
    conn->suspended = true;
}

static void conn_unpark(struct conn *conn)
{
    if (!conn->parked)
        return;
    conn->parked = false;
    conn->server->n_parked--;
    deadline_clear(&conn->deadline);
}

void conn_park(struct conn *conn)
{
    struct http_server *server = conn->server;

    if (conn->parked)
        return;
    if (server->n_parked == PARKED_MAX) {
        conn_suspend(conn);
        return;
    }
    conn->parked = true;
    server->n_parked++;
    deadline_set(&server->deadlines, &conn->deadline, DL_PARKED, server_now_ms(server));
}

void conn_wake(struct conn *conn)
{
    if (conn->parked) {
        conn_unpark(conn);
        server_run_soon(conn->server);
    }
    if (!conn->suspended)
        return;
    conn->suspended = false;
    MHD_resume_connection(conn->mhd);
    server_run_soon(conn->server);
}

/* The library watches every connection that is not suspended, sees this at once and lets go. */
static void conn_drop(struct conn *conn)
{
    conn->cut = true;
    conn->closing = true;
    shutdown(conn->fd, SHUT_RDWR);
}

static void conn_open(struct http_server *server, struct MHD_Connection *mhd, void **socket_context)
{
    struct conn *conn = calloc(1, sizeof(*conn));

    if (!conn)
        die_no_memory();
    conn->server = server;
    conn->mhd = mhd;
    conn->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    conn->next = server->conns;
    if (server->conns)
        server->conns->prev = conn;
    server->conns = conn;
    *socket_context = conn;
    deadline_set(&server->deadlines, &conn->deadline, DL_HEAD, server_now_ms(server));
    if (server->n_conns++ == 0)
        uv_timer_again(&server->timer);
    metric_add(server->m_connections, 1);
}

/* The library ends a connection without a word when the first line is no request line at all. */
static void answer_garbage(struct conn *conn)
{
    struct ctx *ctx = &request_new(conn, NULL)->ctx;

    fail(ctx, ST_BAD_REQUEST, "bad-framing", "What came is not an HTTP/1.1 request.", "Yang datang bukan permintaan HTTP/1.1.");
    request_reject(conn->rq);
}

static void conn_close(struct http_server *server, void **socket_context)
{
    struct conn *conn = *socket_context;

    if (!conn->closing && !conn->rq && !server->closing && !server->speaks_tls && !socket_peer_left(conn->fd))
        answer_garbage(conn); /* a session of TLS is over by now: what ends it is no request, but no garbage either */
    else if (conn->linger && !conn->cut && !server->closing)
        linger_start(server, conn->fd, NULL, 0);
    deadline_clear(&conn->deadline);
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        server->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    server->n_conns--;
    metric_add(server->m_connections, -1);
    free(conn);
    *socket_context = NULL;
    server_run_soon(server); /* at a limit of connections or descriptors the library looks for the next one only when run again */
}

/* ── the library's callbacks ── */

static void on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context, enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = cls;

    server->idle_runs = 0;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        conn_open(server, mhd, socket_context);
    else if (*socket_context)
        conn_close(server, socket_context);
}

/* Comes when the request line is there, with the target as it was sent; what is returned comes along as *con_cls. */
static void *on_request_line(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    struct http_server *server = cls;
    struct conn *conn = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    char *query = uri ? strchr(uri, '?') : NULL;

    server->idle_runs = 0;
    if (conn->cut)
        return conn;
    request_new(conn, uri);
    /* The library would now record every argument of the query in its pool; 0.9.75 mishandles a pool that is full by then (it goes on
     * reading a request it has answered, and spins). The text is in its own buffer, and we have our copy: an empty query ends that. */
    if (query)
        query[1] = '\0';
    return conn;
}

static size_t keep_escapes(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls;
    (void)mhd;
    return strlen(text);
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
                                 const char *data, size_t *size, void **con_cls)
{
    struct http_server *server = cls;
    struct conn *conn = *con_cls;

    (void)mhd;
    if (!conn || !conn->parked)
        server->idle_runs = 0;
    if (!conn || conn->cut || !conn->rq)
        return MHD_NO;
    return request_step(conn->rq, url, method, version, data, size);
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls, enum MHD_RequestTerminationCode code)
{
    struct http_server *server = cls;
    struct conn *conn = *con_cls;
    bool whole;

    (void)mhd;
    server->idle_runs = 0;
    *con_cls = NULL;
    if (!conn)
        return;
    conn_unpark(conn);
    if (conn->rq) {
        whole = code == MHD_REQUEST_TERMINATED_COMPLETED_OK && conn->rq->phase == PH_REPLY;
        request_finish(conn->rq, !whole);
        if (!whole)
            conn->closing = true;
    }
    conn->served = true;
    conn->suspended = false;
    if (conn->closing)
        deadline_set(&server->deadlines, &conn->deadline, DL_ENDING, 0);
    else
        deadline_set(&server->deadlines, &conn->deadline, DL_IDLE, server_now_ms(server));
}

/* ── turns of the loop ── */

static void noop(uv_idle_t *handle)
{
    (void)handle;
}

static void close_now(struct http_server *server);

static struct conn *conn_of(struct deadline *dl)
{
    return (struct conn *)((char *)dl - offsetof(struct conn, deadline));
}

static void part_due(struct http_server *server)
{
    struct deadline *due;

    while ((due = deadline_take_due(&server->deadlines, DL_PART, 0)))
        reply_part(conn_of(due)->rq);
}

/* On some paths (a stream that ends or fails at once, a broken header line) the library marks a connection closed and then forgets it,
 * with its descriptor. Suspended and resumed, it is looked at again and freed. */
static void free_forgotten(struct http_server *server)
{
    struct deadline *due;

    while ((due = deadline_take_due(&server->deadlines, DL_ENDING, 0))) {
        deadline_set(&server->deadlines, due, DL_IDLE, server_now_ms(server)); /* should it live on after all */
        MHD_suspend_connection(conn_of(due)->mhd);
        MHD_resume_connection(conn_of(due)->mhd);
        server->must_run = true;
    }
}

static bool wants_run(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
    int limit = server->n_parked > 0 ? IDLE_RUNS_MAX_PARKED : IDLE_RUNS_MAX;

    if (server->must_run)
        return true;
    return server->idle_runs < limit && MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES && timeout_ms == 0;
}

/* Runs the library, and again when that queued replies, which it sends in the next run. When it has more to do it says so by a time-out of
 * zero, and the loop must not sleep. But it says so too while anyone is parked, and for ever while its buffer is full of a chunk size line
 * that does not end: when nothing has happened in some runs, the next waits for a socket, a wake or the tick. */
static void run_library(struct http_server *server)
{
    if (!server->is_open || server->in_run || server->closing)
        return;
    server->in_run = true;
    server->must_run = false;
    part_due(server);
    server->idle_runs++;
    server->has_queued = false;
    MHD_run(server->daemon);
    if (server->has_queued)
        MHD_run(server->daemon);
    free_forgotten(server);
    server->in_run = false;
    if (server->close_wanted) {
        close_now(server);
        return;
    }
    if (wants_run(server))
        uv_idle_start(&server->idle, noop);
    else
        uv_idle_stop(&server->idle);
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    struct http_server *server = handle->data;

    (void)status;
    (void)events;
    server->idle_runs = 0;
    run_library(server);
}

/* Before the loop sleeps: one run for all that was woken in this turn. */
static void on_prepare(uv_prepare_t *handle)
{
    struct http_server *server = handle->data;

    if (server->must_run || uv_is_active((uv_handle_t *)&server->idle))
        run_library(server);
}

void server_run_soon(struct http_server *server)
{
    server->must_run = true;
    /* Called from outside a turn that ends with on_prepare (before uv_run, say), the loop must still not sleep. */
    if (!server->in_run && !server->closing)
        uv_idle_start(&server->idle, noop);
}

void server_count_reject(struct http_server *server, const char *code)
{
    static const char *const codes[] = {
#define REJECT(name, c) c,
#include "reject.def"
#undef REJECT
    };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (strcmp(codes[i], code) == 0)
            metric_add(server->m_rejects[i], 1);
}

/* ── deadlines ── */

/* The client was too slow to send: it is told so if it has begun, else the connection just ends. */
static void strike_request(struct conn *conn)
{
    struct ctx *ctx;

    if (!conn->rq && (conn->served || !socket_has_received(conn->fd))) {
        conn_drop(conn);
        return;
    }
    if (conn->rq && conn->rq->swallows) { /* it has its answer */
        reply_part(conn->rq);
        return;
    }
    ctx = conn->rq ? &conn->rq->ctx : &request_new(conn, NULL)->ctx;
    problem_clear(ctx);
    fail(ctx, ST_REQUEST_TIMEOUT, "request-timeout", "The request was not complete in time.", "Permintaan tidak lengkap pada waktunya.");
    request_reject(conn->rq);
}

/* Whether the client has taken a step's worth of the reply since this was asked last. What the kernel still holds does not count, and its
 * buffers may be much larger than a step: so the kernel is asked. A connection's first time also sees what earlier replies brought. */
static bool reply_moves(struct conn *conn)
{
    uint64_t taken = socket_bytes_taken(conn->fd), before = conn->acked_marked;

    conn->acked_marked = taken;
    return taken - before >= conn->server->reply_step;
}

static void strike_reply(struct conn *conn)
{
    if (reply_moves(conn)) {
        deadline_set(&conn->server->deadlines, &conn->deadline, DL_REPLY, server_now_ms(conn->server));
        return;
    }
    socket_reset_on_close(conn->fd); /* or the kernel would go on offering what the client does not take */
    conn_drop(conn);
}

static void strike(struct conn *conn, enum deadline_kind kind)
{
    if (kind == DL_PARKED) {
        conn_unpark(conn);
        conn_suspend(conn);
        return;
    }
    if (kind == DL_PARTING && socket_has_unread(conn->fd))
        deadline_set(&conn->server->deadlines, &conn->deadline, DL_PARTING, server_now_ms(conn->server));
    else if (kind == DL_REPLY)
        strike_reply(conn);
    else
        strike_request(conn);
}

static void on_tick(uv_timer_t *timer)
{
    struct http_server *server = timer->data;
    struct deadline *due;

    for (int kind = 0; kind < DL_TIMED; kind++)
        while ((due = deadline_take_due(&server->deadlines, (enum deadline_kind)kind, server_now_ms(server))))
            strike(conn_of(due), (enum deadline_kind)kind);
    linger_tick(server, server_now_ms(server));
    if (server->idle_runs >= IDLE_RUNS_MAX_PARKED) {
        server->idle_runs = IDLE_RUNS_MAX_PARKED - 1;
        run_library(server);
    }
    if (server->n_conns == 0 && !server->partings)
        uv_timer_stop(timer);
}

/* ── opening ── */

/* TLS 1.2 and 1.3 with authenticated encryption and forward secrecy alone. */
#define TLS_PRIORITIES                                                                                                                     \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:%SERVER_PRECEDENCE"

static struct MHD_Daemon *start_library(struct http_server *server)
{
    const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO | (server->speaks_tls ? (unsigned)MHD_USE_TLS : 0U);
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)tls_show_pair},
                                   {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
                                   {MHD_OPTION_END, 0, NULL}};

    if (!server->speaks_tls)
        tls[0].option = MHD_OPTION_END;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_access, server, MHD_OPTION_LISTEN_SOCKET, server->listen_fd,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)server->config.max_connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            server->pool_bytes, MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, server,
                            MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, server, MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_ARRAY, tls,
                            MHD_OPTION_END);
}

static void make_metrics(struct http_server *server)
{
    static const char *const labels[] = {
#define REJECT(name, code) "code=\"" code "\"",
#include "reject.def"
#undef REJECT
    };

    server->m_connections = metric_new(METRIC_GAUGE, "asnd_http_connections", "", "open client connections");
    server->m_active = metric_new(METRIC_GAUGE, "asnd_http_requests_in_flight", "", "requests between head and end");
    server->m_requests = metric_new(METRIC_COUNTER, "asnd_http_requests_total", "", "request heads received");
    for (int i = 0; i < RJ_KINDS; i++)
        server->m_rejects[i] =
            metric_new(METRIC_COUNTER, "asnd_http_rejects_total", labels[i], "requests refused by framing, limits and deadlines");
}

static void open_handles(struct http_server *server)
{
    int fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;

    uv_poll_init(server->loop, &server->poll, fd);
    uv_prepare_init(server->loop, &server->prepare);
    uv_idle_init(server->loop, &server->idle);
    uv_timer_init(server->loop, &server->timer);
    server->poll.data = server->prepare.data = server->idle.data = server->timer.data = server;
    server->open_handles = 4;
}

/* What the least rate brings within a time-out. */
static size_t step_of(const struct http_config *config, int timeout_ms)
{
    return (size_t)((int64_t)config->least_rate * timeout_ms / 1000) + 1;
}

struct http_server *http_server_new(uv_loop_t *loop, const struct http_config *config, const struct http_handler *handler)
{
    struct http_server *server = calloc(1, sizeof(*server));

    if (!server)
        die_no_memory();
    server->loop = loop;
    server->config = *config;
    server->handler = *handler;
    server->pool_bytes = config->head_limit + 1024;
    server->body_step = step_of(config, config->body_timeout_ms);
    server->reply_step = step_of(config, config->reply_timeout_ms);
    deadlines_init(&server->deadlines, config);
    server->listen_fd = config->inherited > 0 ? socket_inherit(config->inherited, &server->port)
                                              : socket_listen(config->listen, config->port, config->reuse_port, &server->port);
    if (server->listen_fd < 0) {
        log_line(LOG_ERROR_, "cannot-listen", LOG_TEXT("address", config->listen), LOG_NUM("port", config->port),
                 LOG_TEXT("reason", strerror(errno)));
        free(server);
        return NULL;
    }
    make_metrics(server);
    server->daemon = tls_load(server) ? start_library(server) : NULL;
    if (!server->daemon) {
        log_line(LOG_ERROR_, "cannot-listen", LOG_TEXT("address", config->listen), LOG_TEXT("reason", "the HTTP library did not start"));
        close(server->listen_fd);
        free(server);
        return NULL;
    }
    open_handles(server);
    return server;
}

void http_server_open(struct http_server *server)
{
    if (server->is_open || server->closing)
        return;
    server->is_open = true;
    uv_poll_start(&server->poll, UV_READABLE, on_readable);
    uv_prepare_start(&server->prepare, on_prepare);
    uv_timer_start(&server->timer, on_tick, TICK_MS, TICK_MS);
    server_run_soon(server); /* the first run puts the listener into the library's epoll set */
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

int http_server_active(const struct http_server *server)
{
    return server->draining ? server->n_conns : server->n_active;
}

/* ── closing ── */

/* Nothing asked, nothing under way: neither in the library nor in the socket. */
static bool is_idle(const struct conn *conn)
{
    if (conn->rq || conn->cut)
        return false;
    return conn->served ? !socket_has_unread(conn->fd) : !socket_has_received(conn->fd);
}

void http_server_send_away(struct http_server *server)
{
    server->sends_away = true;
}

/* A connection that was idle for long is closed; one that has just come, or has just been answered, may already have sent what is not here yet:
 * closing it would cost that request its answer. */
static void part_with(struct conn *conn)
{
    struct deadlines *all = &conn->server->deadlines;
    uint64_t now_ms = server_now_ms(conn->server);

    if (is_idle(conn) && now_ms - deadline_since_ms(all, &conn->deadline) >= all->timeout_ms[DL_PARTING])
        conn_drop(conn);
    else if (!conn->rq && !conn->cut)
        deadline_set(all, &conn->deadline, DL_PARTING, now_ms);
}

void http_server_drain(struct http_server *server)
{
    if (server->draining || server->closing)
        return;
    server->draining = server->sends_away = true;
    MHD_quiesce_daemon(server->daemon);
    close(server->listen_fd);
    http_server_open(server); /* for nobody, but so that it turns */
    for (struct conn *conn = server->conns; conn; conn = conn->next)
        part_with(conn);
    server_run_soon(server);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct http_server *server = handle->data;

    if (--server->open_handles > 0)
        return;
    while (server->n_spare > 0)
        arena_free(server->spare[--server->n_spare]);
    if (server->closed)
        server->closed(server->closed_cls);
    free(server);
}

/* The library may not be stopped while connections are suspended: each is woken, finds itself cut, and is let go. */
static void close_now(struct http_server *server)
{
    server->in_run = true;
    server->closing = true;
    for (struct conn *conn = server->conns; conn; conn = conn->next) {
        conn->cut = true;
        if (conn->suspended)
            MHD_resume_connection(conn->mhd);
        conn->suspended = false;
    }
    MHD_run(server->daemon);
    linger_end_all(server);
    uv_poll_stop(&server->poll);
    MHD_stop_daemon(server->daemon); /* closes the listener too, unless drained */
    uv_close((uv_handle_t *)&server->poll, on_handle_closed);
    uv_close((uv_handle_t *)&server->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&server->idle, on_handle_closed);
    uv_close((uv_handle_t *)&server->timer, on_handle_closed);
}

void http_server_close(struct http_server *server, void (*closed)(void *cls), void *cls)
{
    server->closed = closed;
    server->closed_cls = cls;
    if (server->in_run)
        server->close_wanted = true; /* from inside a callback: when the library has returned */
    else if (!server->closing)
        close_now(server);
}
