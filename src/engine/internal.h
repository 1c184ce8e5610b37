/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The engine's own parts: the compiled operation table, one call, and what the files of this room share. */
#include <pthread.h>
#include <stddef.h>
#include <stdatomic.h>

#include <sodium.h>
#include <uv.h>

#include "asnd/arena.h"
#include "asnd/auth.h"
#include "asnd/buf.h"
#include "asnd/contract.h"
#include "asnd/db.h"
#include "asnd/engine.h"
#include "asnd/http.h"
#include "asnd/metrics.h"
#include "asnd/status.h"

enum op_kind { OP_QUERY, OP_COMMAND, OP_STREAM, OP_BUILTIN /* answered by the engine itself */ };

/* Where a bind's text comes from; found once, at start, so that no name is looked up per request. */
enum bind_from {
    BIND_PARAM,   /* params.values[index] */
    BIND_MEMBER,  /* params.members[index] */
    BIND_DERIVED, /* params_text by name */
    BIND_BODY,
    BIND_IF_MATCH,
    BIND_ACTOR_UNITS,
    BIND_ACTOR_SCOPES,
    BIND_ACTOR_KEY,
    BIND_ACTOR_NAME,
    BIND_TODAY,
    BIND_REQUEST_ID,
    BIND_NEW_ID,
    BIND_PAGE_LIMIT,
    BIND_PAGE_CURSOR, /* page.keys[index] */
    BIND_UNKNOWN,
};
struct bind_source {
    enum bind_from from;
    unsigned index;
};

#define XLSX_TYPE "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
enum reply_form { FORM_JSON, FORM_CSV, FORM_NDJSON, FORM_XLSX, FORM_OTHER };

/* One operation, ready to run. */
struct op {
    const struct operation *contract;
    const struct binding *binding; /* NULL without C */
    enum op_kind kind;
    const struct statement *statement; /* of the same name; NULL for commands and streams that have none */
    const struct statement_info *info;
    struct bind_source options[STATEMENT_OPTIONS_MAX];                    /* what switches optional part i */
    int sort_param, cursor_param, limit_param, fields_param, count_param; /* indices into params, -1: not declared */
    int wait_param, sealed_param;                                         /* likewise; the one with x-sealed */
    bool tells_changes;                                                   /* its reply declares the header Changes-After */
    bool is_write;
    int timeout_ms;
    struct metric *requests[6]; /* by status class */
    struct metric *seconds;
    void (*builtin)(struct engine *engine, struct request *rq); /* OP_BUILTIN */
};

/* How one result's columns become JSON; made from the first result of a variant and kept in variant->plan. */
struct column {
    const char *name;
    const char *prefix; /* `"name":` */
    size_t prefix_len;
    enum render_kind kind;
    bool is_hidden;
    const char *scope;  /* shown only with it */
    const char *sealed; /* shown as a token of this sort */
};
struct plan {
    struct column *columns;
    int n_columns;
    int version, problem, pointer, value; /* special columns, -1: none */
    int idle, mark, sealed;               /* of replies that can wait; the last one sealed */
};

/* A time without the database, as one loop or worker lives through it: told when it begins and when it is over, not for every request. */
struct outage {
    const char *who; /* "loop", "worker" */
    int number;
    int64_t refused; /* requests, so far; 0: there is no outage */
    int64_t since_us;
};

/* The calls of one loop that wait until there is something to tell them. */
struct waiters {
    struct call *first;
    bool is_asking; /* a question to the database is under way */
};

struct loop_task;
struct engine_loop {
    struct engine *engine;
    int number;
    pthread_t thread;
    uv_loop_t uv;
    struct http_server *server;
    struct db_loop *db;
    struct actor_cache *actors;
    uv_async_t wake; /* other threads have put something into `inbox`, or asked for a phase */
    pthread_mutex_t inbox_lock;
    struct loop_task *inbox, **inbox_last;
    _Atomic int wanted; /* enum loop_phase that the main thread asks for */
    _Atomic int phase;
    _Atomic bool db_is_up;
    struct outage outage;
    _Atomic int active; /* requests between head and end, as of the last turn */
    uv_timer_t tick;
    struct waiters waiters;
};
enum loop_phase { PHASE_RUN, PHASE_DRAIN, PHASE_CUT, PHASE_END };

/* Something that another thread wants run on the loop. */
struct loop_task {
    struct loop_task *next;
    _Atomic bool is_queued; /* posting twice before it ran is the same as once */
    void (*run)(struct loop_task *task);
};
/* Tasks run in the order of posting. Thread-safe. */
void loop_post(struct engine_loop *loop, struct loop_task *task);

struct engine {
    const struct settings *settings;
    struct contract *contract;
    const struct sql_set *set;
    struct arena *arena;
    struct op *ops;
    size_t n_ops;
    uint8_t cursor_secret[32];
    struct engine_loop *loops;
    int n_loops;
    struct worker_pool *workers;
    _Atomic bool is_stopping;
    int listening;
    const char *docs_html;
    size_t docs_len;
    int port;
};

struct page {
    int64_t limit; /* rows wanted */
    size_t sort;
    bool has_cursor;
    const char *keys[SORT_KEYS_MAX];
};

/* One request on its way through the engine. In the request's arena. */
struct call {
    struct engine *engine;
    struct engine_loop *loop;
    struct request *rq;
    struct ctx *ctx; /* the request's; a job has its own */
    const struct op *op;
    struct route route;
    struct params in;
    struct actor *actor; /* one reference */
    enum reply_form form;
    const char *reply_type; /* of the contract's, the one that Accept chose */
    const char *body_type;  /* of the contract's, the one that Content-Type named; NULL without a body */
    const char *idempotency_key;
    bool dry_run;
    struct page page;
    const char *count_text; /* page.count, once counted */
    const char *new_id;
    const struct variant *variant;
    struct db_request db;
    char key_hash[KEY_HASH_HEX_SIZE];
    struct job *job; /* while a worker has it */
    const char *trace_id;
    int64_t started_us;
    bool is_over;                        /* the request is done: nobody waits for an answer */
    struct call *wait_next, **wait_slot; /* among the loop's waiters; wait_slot NULL: it is not */
    const char *wait_mark;               /* how far the feed could be read when there was nothing to tell */
    struct outcome wait_answer;          /* what it gets when its time is up */
};

/* ── operation.c ── */
bool ops_compile(struct engine *engine, const struct binding *bindings, FILE *err);
struct bind_source bind_find(const struct operation *operation, const char *name, const char *derives);
bool bind_is_engines(const char *name);
bool reply_is_exportable(const struct operation *operation);

/* ── bind.c ── */
/* Chooses the variant for what was given and collects its texts (arena). */
unsigned call_options(const struct call *call);
const char *const *call_values(struct ctx *ctx, const struct call *call, const struct variant *variant);
const char *call_bind_text(struct ctx *ctx, const struct call *call, const char *name);

/* ── render.c ── */
struct plan *plan_of(const struct variant *variant, const struct op *op, const PGresult *res);
/* A refusal that the row names, or ST_OK. */
enum status row_refusal(struct ctx *ctx, const struct plan *plan, const PGresult *res, int row);
struct projection {
    const struct plan *plan;
    const bool *shown; /* per column */
    struct arena *arena;
    const uint8_t *secret; /* for what is shown sealed */
};
struct projection projection_of(struct ctx *ctx, const struct plan *plan, const struct call *call);
void render_row(struct buf *out, const struct projection *p, const PGresult *res, int row);
void render_csv_head(struct buf *out, const struct projection *p);
void render_csv_row(struct buf *out, const struct projection *p, const PGresult *res, int row);
/* The whole reply of a result: object or list with page; etag, location and link go to the outcome. */
enum status render_reply(struct ctx *ctx, const struct call *call, const struct plan *plan, const PGresult *res, struct outcome *out,
                         const char **ret_link);

/* ── page.c ── */
enum status page_parse(struct ctx *ctx, struct call *call);
const char *page_seal_cursor(struct arena *arena, const uint8_t secret[32], const char *operation, const char *filters, size_t sort,
                             const char *const *keys, size_t n_keys);
/* ST_BAD_REQUEST "cursor-invalid" unless sealed by us for this operation, filter and sort. */
enum status page_open_cursor(struct ctx *ctx, const uint8_t secret[32], const char *operation, const char *filters, size_t sort,
                             const char *cursor, const char **ret_keys, size_t n_keys);
const char *page_filters(struct arena *arena, const struct call *call);
/* A text that a client keeps for us: sealed like a cursor, good for every operation that takes tokens of this sort. */
const char *token_seal(struct arena *arena, const uint8_t secret[32], const char *sort, const char *text);
/* Replaces the token in the call's sealed parameter, if it was given, by the text that was sealed. */
enum status token_open(struct ctx *ctx, struct call *call);

/* ── negotiate.c ── */
/* Picks one of the operation's reply types for an Accept header; NULL when none fits. */
const char *negotiate(const char *accept, const char *const *types, size_t n);
bool media_type_is(const char *header, const char *type);
bool prefer_has(const char *prefer, const char *token);
/* If-None-Match (RFC 9110, 13.1.2): whether `*` or any tag of the list is this one; W/ does not matter. */
bool etag_matches(const char *if_none_match, const char *etag);
/* If-Match (13.1.1): the versions that its strong tags name, as PostgreSQL reads an int8multirange. `*` is every version, so that one comparison
 * in SQL, `:if_match::int8multirange @> version`, does for one tag, a list and `*`. */
const char *if_match_versions(struct arena *arena, const char *if_match);
#define ETAG_HASH_DIGITS 16 /* of the hash behind the version */

/* ── call.c ── */
extern const struct http_handler engine_http_handler;
void call_answer(struct call *call, const struct outcome *out, const char *link);
/* Copies the problem of another ctx (whose arena outlives the reply) and answers with it. */
void call_refuse(struct call *call, const struct ctx *from);
/* Runs a statement's result through refusal and rendering: shared by loop and workers. */
enum status call_variant(struct ctx *ctx, const struct call *call, const struct variant **ret);

/* ── outage.c ── */
void outage_refused(struct outage *outage);
void outage_over(struct outage *outage); /* may be called when there was none */

/* ── run.c ── */
/* What every failed outcome of the loop's database becomes: the words are db_fail's. */
void call_refuse_outcome(struct call *call, enum db_outcome outcome, const PGresult *res);
void call_run(struct call *call); /* everything is checked: execute */

/* ── wait.c ── a reply that has nothing to tell yet waits for `wait` seconds, without a connection ── */
/* Takes the call in, if it may wait and the row says `_idle`; it is then answered later. */
bool wait_enter(struct call *call, const struct plan *plan, const PGresult *res, const struct outcome *answer);
void wait_leave(struct call *call); /* may be called for any call */
void wait_tick(struct engine_loop *loop);
void call_again(struct call *call); /* run.c: its statement once more */

/* ── pipe.c ── a ring between the loop (never blocks) and a worker (blocks) ── */
struct pipe;
struct pipe *pipe_new(size_t cap, bool loop_waits, void (*wake)(void *cls), void *cls);
void pipe_free(struct pipe *pipe);
size_t pipe_offer(struct pipe *pipe, const char *bytes, size_t len); /* loop: how many fitted; fewer: wake comes when there is room */
ptrdiff_t pipe_take(struct pipe *pipe, char *dst, size_t cap);       /* loop: bytes, PULL_WAIT (wake comes), PULL_END or PULL_FAIL */
ptrdiff_t pipe_read(struct pipe *pipe, char *dst, size_t cap);       /* worker: bytes, 0 at the end, -1 broken */
bool pipe_write(struct pipe *pipe, const char *bytes, size_t len);   /* worker: false when broken */
void pipe_end(struct pipe *pipe);
void pipe_break(struct pipe *pipe);

/* ── sheet.c ── */
struct sheet;
/* *ret is set on failure too: sheet_done() takes it whatever came before. The projection must outlive it. */
enum status sheet_open(struct ctx *ctx, const struct projection *projection, struct sheet **ret);
enum status sheet_row(struct ctx *ctx, struct sheet *sheet, const PGresult *res, int row);
enum status sheet_send(struct ctx *ctx, struct sheet *sheet, struct pipe *pipe);
void sheet_done(struct sheet *sheet);

/* ── worker.c ── */
struct worker_pool *worker_pool_new(const struct engine *engine);
bool worker_pool_submit(struct worker_pool *pool, struct job *job); /* false: too many wait */
/* Takes a job out of the queue that has not begun; false if it has, or has ended. */
bool worker_pool_withdraw(struct worker_pool *pool, struct job *job);
/* The same for all of this loop's jobs whose client has gone; linked by `next`. */
struct job *worker_pool_take_gone(struct worker_pool *pool, const struct engine_loop *loop);
void worker_pool_stop(struct worker_pool *pool); /* lets queued jobs end, joins */
void worker_pool_free(struct worker_pool *pool); /* when no loop can ask for it any more */

/* ── job.c, job_run.c ── one call in a worker's hands, as the loop sees it and as the worker does it ── */
struct job {
    struct job *next;
    struct call *call;
    struct ctx ctx; /* its own arena: the loop may use the request's meanwhile */
    enum status status;
    struct outcome out;
    const char *link;
    const char *changes_after; /* sealed; where the feed goes on behind what is exported */
    bool is_stream;
    bool is_export; /* a list as CSV or NDJSON */
    bool is_replayed;
    bool is_finished; /* the loop knows that the worker is done */
    bool is_orphan;   /* the request is over */
    bool has_head;    /* the reply's head has been sent */
    bool has_upload_ended;
    struct pipe *upload, *download;
    crypto_hash_sha256_state upload_hash; /* of all that was read so far; kept when there is an Idempotency-Key */
    struct loop_task finished, upload_wake, download_wake;
};
void call_to_worker(struct call *call);
size_t job_chunk(struct job *job, const char *bytes, size_t len);
void job_upload_end(struct job *job);
/* The job has been taken out of the queue: its client is refused, should it listen after all. */
void job_give_up(struct job *job);
void job_orphan(struct job *job); /* the request is over, whether the worker is or not */
/* On the worker, job_run.c: */
void job_run(struct job *job, struct db_conn *conn);
/* Bytes of the upload, 0 at its end, -1 when it broke off. */
ptrdiff_t job_read_upload(void *job, char *dst, size_t cap);

/* ── export.c ── */
enum status export_list(struct job *job, struct db_conn *conn);

/* ── idempotency.c ── inside the job's transaction ── */
enum status idempotency_begin(struct job *job, struct db_conn *txn);
enum status idempotency_store(struct job *job, struct db_conn *txn);

/* ── builtin.c, docs.c ── */
typedef void (*builtin_fn)(struct engine *engine, struct request *rq);
builtin_fn builtin_find(const char *operation_id);
void docs_make(struct engine *engine);
