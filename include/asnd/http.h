/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* HTTP/1.1 for one event loop: libmicrohttpd behind a stricter door. Nothing here knows the contract: a handler decides.
 * All functions are called on the loop's thread unless they say otherwise. */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "asnd/macros.h"
#include "asnd/status.h"
#include "asnd/text.h"

struct http_server;
struct request;

/* Life of a request:
 *   on_head   the head is complete and its framing sound. The handler must call exactly one of
 *               request_read_body (the body, if any, is collected up to a limit; then on_body),
 *               request_stream_body (chunks come through on_chunk; then on_body with no bytes),
 *               reply_* at once (a body that is still to come is not read, the connection closes),
 *             now or later: a request that got none of them is suspended until it does (so authentication may ask the database).
 *   on_body   all of the body is there: request_body(). The handler replies now or later (suspended meanwhile).
 *   on_chunk  one chunk of a streamed body. Returns how many bytes were taken; fewer than len suspends the request until
 *             request_continue(). The rest is offered again.
 *   on_done   the reply has been sent, or the client has gone, or a deadline struck: the last call for this request. Its arena is freed
 *             after it returns. `aborted` is true unless the reply was sent whole.
 * A fault that http itself finds (framing, limits, deadlines) is answered by http, and the handler sees only on_done, if it saw on_head. */
struct http_handler {
    void (*on_head)(struct request *rq);
    void (*on_body)(struct request *rq);
    size_t (*on_chunk)(struct request *rq, const char *bytes, size_t len);
    void (*on_done)(struct request *rq, bool aborted);
    void *cls;
};

struct http_config {
    const char *listen;
    int port;
    bool reuse_port; /* several loops share the address */
    int inherited; /* a listening socket that whoever started the program has opened, which stays open behind us; 0: `listen` and `port` count */
    int max_connections;
    size_t head_limit, target_limit;
    int head_timeout_ms, idle_timeout_ms, body_timeout_ms, reply_timeout_ms;
    const char *tls_certificate, *tls_key; /* files (PEM) with which the server itself speaks HTTPS; NULL or "": it does not */
    int least_rate;                        /* bytes a second, on average over its time-out, of a streamed body and of any reply */
};

/* The certificate (with its chain) and key that all servers of the process show, from files in PEM: read by the first one that is to speak HTTPS, and by whoever
 * wants another shown at the handshakes from then on. NULL, and why, when they are no pair. Thread-safe, but for tls_forget: when all servers are closed. */
struct tls_pair;
struct tls_pair *tls_pair_read(const char *certificate_file, const char *key_file, const char **ret_why);
void tls_pair_use(struct tls_pair *pair);
void tls_pair_drop(struct tls_pair *pair); /* NULL is fine */
void tls_forget(void);

/* Listens; who connects waits until http_server_open. NULL with a sentence on the log when the address cannot be bound. */
struct http_server *http_server_new(uv_loop_t *loop, const struct http_config *config, const struct http_handler *handler);
void http_server_open(struct http_server *server);
int http_server_port(const struct http_server *server);
int http_server_active(const struct http_server *server); /* requests between head and done */
/* Replies say Connection: close from now on, so that clients come again, to a successor if there is one; all are still served. */
void http_server_send_away(struct http_server *server);
/* Stops accepting, lets requests end (replies say Connection: close), closes connections as soon as they have been idle for a moment. */
void http_server_drain(struct http_server *server);
/* Cuts what is left, and calls `closed` when every handle is closed and memory freed. */
void http_server_close(struct http_server *server, void (*closed)(void *cls), void *cls);

/* ── what came ── valid until on_done returns */
struct ctx *request_ctx(struct request *rq); /* arena, language from Accept-Language, request id (X-Request-Id if sane, else new) */
const char *request_method(const struct request *rq);
struct slice request_target(const struct request *rq); /* raw, as sent; origin-form (absolute-form was reduced to it) */
struct slice request_path(const struct request *rq);   /* raw, up to `?` */
struct slice request_query(const struct request *rq);  /* raw, behind `?`; data NULL when there is none */
/* The value of a header, NULL if absent. A list may have come in several lines: they are joined by `, `. What has one value by its nature and
 * decides something (Authorization, Content-Type, Idempotency-Key) came once, or the request was refused at the door. */
const char *request_header(struct request *rq, const char *name);
bool request_has_body(const struct request *rq);          /* Content-Length > 0 or chunked */
int64_t request_content_length(const struct request *rq); /* -1 when chunked */
struct slice request_body(const struct request *rq);
int64_t request_started_us(const struct request *rq); /* monotonic, at the end of the head */
const char *request_peer(struct request *rq);         /* numeric address */
void *request_cls(const struct request *rq);
void request_set_cls(struct request *rq, void *cls);
struct http_server *request_server(const struct request *rq);
void *request_handler_cls(const struct request *rq);

/* Whether the client has closed its end of the connection while its request waits; the library does not look as long as a request is suspended. */
bool request_client_left(const struct request *rq);

/* Keeps the request's memory (struct, arena, headers already read, body) past on_done until released: for a worker thread that still
 * reads from it when the client has gone. Both on the loop's thread. */
void request_hold(struct request *rq);
void request_release(struct request *rq);

/* ── what the handler may do ── */
/* Over the limit: answered with 413 by http. */
void request_read_body(struct request *rq, size_t limit);
void request_stream_body(struct request *rq, size_t limit);
void request_continue(struct request *rq);
/* The reply will not come soon: the library need not look for it in each of its runs. */
void request_wait_long(struct request *rq);

/* Adds a header to the coming reply (copied). Common ones (X-Request-Id, Content-Type, Vary, security headers) come by themselves. */
void reply_header(struct request *rq, const char *name, const char *value);
/* The reply; `bytes` must live in the request's arena or for ever. HEAD sends the head only. 204 and 304 have no body;
 * for 304 give the bytes that a 200 would have had, their length is announced. A reply while a streamed body still comes ends the connection. */
void reply_bytes(struct request *rq, int http_status, const char *content_type, const char *bytes, size_t len);
/* The problem in ctx as application/problem+json, with Retry-After, Allow, WWW-Authenticate where they belong: the only place that
 * answers with an error. Safe to call after any failure; a second reply to one request is ignored and logged. */
void reply_problem(struct request *rq);

/* A reply of unknown length. `pull` is called on the loop when the connection can take more: writes up to cap bytes to dst and returns
 * how many, PULL_WAIT to be called again after reply_stream_wake, PULL_END at the end, PULL_FAIL to cut the connection so that the
 * client sees that it is not whole. */
#define PULL_WAIT ((ptrdiff_t)0)
#define PULL_END  ((ptrdiff_t)-1)
#define PULL_FAIL ((ptrdiff_t)-2)
void reply_stream(struct request *rq, int http_status, const char *content_type, ptrdiff_t (*pull)(void *cls, char *dst, size_t cap),
                  void *cls);
/* The same of `len` bytes: less is not whole and cuts the connection. HEAD and 304 announce the length and send nothing. */
void reply_stream_sized(struct request *rq, int http_status, const char *content_type, int64_t len,
                        ptrdiff_t (*pull)(void *cls, char *dst, size_t cap), void *cls);
void reply_stream_wake(struct request *rq);
int reply_status(const struct request *rq);     /* HTTP status that was queued, 0 before */
int64_t reply_length(const struct request *rq); /* body bytes queued; -1 for a stream of unknown length */
