/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of this room know of each other. One server per loop owns connections; a connection has at most one request at a time. */
#include <gnutls/abstract.h>
#include <microhttpd.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/http.h"
#include "asnd/metrics.h"
#include "frame.h"

/* ── deadline.c ── */
enum deadline_kind {
    DL_HEAD,
    DL_IDLE,
    DL_BODY,
    DL_REPLY,
    DL_PARKED,
    DL_PARTING,         /* the server drains, and who has just come or been answered may be about to ask */
    DL_TIMED,           /* the kinds above strike by the clock; those below are due at once, before or after the library's next run */
    DL_PART = DL_TIMED, /* a reply came between two pieces of a body */
    DL_ENDING,          /* the library has said goodbye and must let go in the same run */
    DL_KINDS
};

struct deadline {
    struct deadline *prev, *next; /* NULL: in no list */
    uint64_t due_ms;
    enum deadline_kind kind;
};

/* Each kind has one constant time-out, so a list to whose end is appended stays ordered by due time. */
struct deadlines {
    struct deadline lists[DL_KINDS]; /* sentinels */
    uint64_t timeout_ms[DL_KINDS];   /* 0 for the untimed */
};

void deadlines_init(struct deadlines *all, const struct http_config *config);
void deadline_set(struct deadlines *all, struct deadline *dl, enum deadline_kind kind, uint64_t now_ms);
void deadline_clear(struct deadline *dl);
/* When it was set; 0 when none is. */
uint64_t deadline_since_ms(const struct deadlines *all, const struct deadline *dl);
/* The earliest of a kind that is due, taken out of its list; NULL if none. */
struct deadline *deadline_take_due(struct deadlines *all, enum deadline_kind kind, uint64_t now_ms);

/* ── connections ── */
struct conn {
    struct http_server *server;
    struct MHD_Connection *mhd;
    struct request *rq; /* from its request line to its end */
    struct conn *prev, *next;
    struct deadline deadline;
    int fd;
    uint64_t acked_marked; /* what the client had taken when the reply's deadline was last due */
    bool served;           /* at least one request has been answered */
    bool closing;          /* nothing more is to be said: the last reply is out or on its way */
    bool suspended;        /* out of the library's hands until conn_wake */
    bool parked;           /* waits for its reply without being suspended: the library asks again in each run */
    bool cut;              /* answered behind the library's back, or to be dropped: whatever it brings is refused */
    bool linger;           /* the client may still be sending: close gently */
};

/* Waits for what the handler decides; conn_wake ends that. */
void conn_suspend(struct conn *conn);
/* The same where all has been read and only the reply is missing. Suspending costs four system calls (a fifth of a request that is answered
 * at once), so the wait begins without: the library asks again in every run, which costs next to nothing while few wait and not for long. */
void conn_park(struct conn *conn);
void conn_wake(struct conn *conn);

/* ── linger.c ── */
struct parting;
/* Writes bytes (copied) past the library, ends our direction, and reads on for a while, since closing a socket that still has unread
 * input makes the kernel send a reset that may overtake the reply. Works on a duplicate of fd. False when nothing could be sent. */
bool linger_start(struct http_server *server, int fd, const char *bytes, size_t len);
void linger_tick(struct http_server *server, uint64_t now_ms);
void linger_end_all(struct http_server *server);

/* ── the server ── */
enum reject {
#define REJECT(name, code) RJ_##name,
#include "reject.def"
#undef REJECT
    RJ_KINDS
};

#define SPARE_ARENAS 256

struct http_server {
    uv_loop_t *loop;
    struct http_config config;
    struct http_handler handler;
    struct MHD_Daemon *daemon;
    bool speaks_tls;
    int listen_fd, port;
    size_t pool_bytes;
    size_t body_step, reply_step; /* bytes that must move within the body's and the reply's time-out for it to begin anew */
    uv_poll_t poll;
    uv_prepare_t prepare;
    uv_idle_t idle;
    uv_timer_t timer;
    int open_handles;
    bool has_queued; /* a reply, in this run */
    int idle_runs;   /* in a row without a callback */
    bool is_open, must_run, in_run, sends_away, draining, closing, close_wanted;
    struct conn *conns;
    int n_conns, n_active, n_parked;
    struct deadlines deadlines;
    struct parting *partings;
    struct arena *spare[SPARE_ARENAS];
    int n_spare;
    struct metric *m_connections, *m_active, *m_requests, *m_rejects[RJ_KINDS];
    void (*closed)(void *cls);
    void *closed_cls;
};

static inline uint64_t server_now_ms(const struct http_server *server)
{
    return uv_now(server->loop);
}
/* The loop's next turn runs the library, even if no socket stirs. */
void server_run_soon(struct http_server *server);
void server_count_reject(struct http_server *server, const char *code);

/* ── request.c ── */
enum phase {
    PH_LINE,  /* the request line is there */
    PH_HEAD,  /* the head is sound; the handler decides */
    PH_BODY,  /* the body comes */
    PH_WHOLE, /* all is there; the reply is awaited */
    PH_REPLY, /* the reply is with the library */
    PH_DONE,
};
enum body_mode { BODY_UNDECIDED, BODY_COLLECT, BODY_STREAM };

struct reply {
    int status; /* 0: none yet */
    const char *content_type;
    const char *bytes;
    size_t len;
    ptrdiff_t (*pull)(void *cls, char *dst, size_t cap); /* a stream if set */
    void *pull_cls;
    int64_t pull_len; /* -1: unknown */
    struct header *headers;
    size_t n_headers, cap_headers;
    bool waits; /* the stream said PULL_WAIT */
    bool woken; /* … and was woken before it could be suspended */
};

struct request {
    struct ctx ctx;
    struct http_server *server;
    struct conn *conn; /* NULL once done */
    enum phase phase;
    enum body_mode mode;
    bool handler_saw, whole_told, continued;
    bool is_behind_head, waits_long;
    bool swallows; /* what comes of the body is of no use: the reply is there, and waits for its end */
    int holds;
    void *handler_cls;
    struct head head;
    struct buf body;
    size_t body_limit, body_seen, body_marked;
    int64_t started_us;
    const char *peer;
    void *cls;
    struct reply reply;
};

struct request *request_new(struct conn *conn, const char *raw_target);
/* Tells the handler, forgets the request and frees its memory unless it is held. */
void request_finish(struct request *rq, bool aborted);
/* One call of the library's access handler. */
enum MHD_Result request_step(struct request *rq, const char *url, const char *method, const char *version, const char *data, size_t *size);
/* The problem in ctx leaves past the library and the connection ends. */
void request_reject(struct request *rq);

/* ── reply.c ── */
/* Gives the reply to the library. */
enum MHD_Result reply_queue(struct request *rq);
/* Sends a reply of fixed length past the library and finishes the request: in places where the library takes no reply. */
void reply_part(struct request *rq);
/* The problem in ctx becomes the reply, without sending it. */
void reply_set_problem(struct request *rq);

/* ── tls.c ── */
/* Reads certificate and key, if the configuration names them; false, logged, when they are of no use. */
bool tls_load(struct http_server *server);
/* What the library asks at each handshake. */
int tls_show_pair(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities, const gnutls_pk_algorithm_t *algorithms,
                  int n_algorithms, gnutls_pcert_st **ret_chain, unsigned *ret_n, gnutls_privkey_t *ret_key);
/* As linger_start, through the connection's session. On failure the connection is cut. */
bool tls_part(struct conn *conn, const char *bytes, size_t len);

/* ── library_pages.c ── */
/* The library's own MHD_queue_response. */
enum MHD_Result library_queue_response(struct MHD_Connection *mhd, unsigned int status, struct MHD_Response *response);
