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

#include "position.h"

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
    BIND_ACTOR_NIP,
    BIND_ACTOR_ROLES,
    BIND_ACTOR_COVERS, /* the roles that the caller may give and take */
    BIND_ACCESS_MATRIX,
    BIND_TODAY,
    BIND_REQUEST_ID,
    BIND_NEW_ID,
    BIND_PAGE_LIMIT,
    BIND_PAGE_SORT,   /* name of the order */
    BIND_PAGE_AFTER,  /* page.keys as a text[], null on the first page */
    BIND_PAGE_CURSOR, /* page.keys[index] */
    BIND_GIVEN,       /* what the call's present reference was given, of codes an array */
    BIND_GIVEN_LISTS,
    BIND_SOUGHT, /* the parameter q, marked where it may be a NIK */
    BIND_UNKNOWN,
};
struct bind_source {
    enum bind_from from;
    unsigned index;
};

#define XLSX_TYPE "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
enum reply_form { FORM_JSON, FORM_CSV, FORM_NDJSON, FORM_XLSX, FORM_OTHER };

#define SEARCH_SUFFIX ".search"
#define SOUGHT_SUFFIX "_sought"

/* A parameter that refers to something (x-references). */
struct reference {
    unsigned param;
    const struct statement *statement; /* a row, if it is there; of codes a row for each that is not */
    const char *lists;                 /* of codes: the lists that may hold them, as a text[]; NULL: see list_param */
    int list_param;                    /* of codes: the parameter that names the list; -1: none */
    bool is_code;
};

/* One operation, ready to run. */
struct op {
    const struct operation *contract;
    const struct binding *binding; /* NULL without C */
    enum op_kind kind;
    const struct statement *statement; /* of the same name; NULL for commands and streams that have none */
    const struct statement_info *info;
    struct bind_source options[STATEMENT_OPTIONS_MAX]; /* what switches optional part i */
    const struct reference *references;                /* asked before the statement */
    size_t n_references;
    const struct matrix_row *row;    /* who may it */
    const struct statement *subject; /* leads from the row's subject to a person; NULL: about nobody */
    struct bind_source subject_at;
    const struct statement *search;                                       /* `….search`, or NULL */
    unsigned search_takes;                                                /* the optional parts whose parameters it knows */
    int sort_param, cursor_param, limit_param, fields_param, count_param; /* indices into params, -1: not declared */
    int wait_param, sealed_param;                                         /* likewise; the one with x-sealed */
    bool tells_changes;                                                   /* its reply declares the header Changes-After */
    bool limits_client, limits_token;                                     /* x-rate-limit */
    bool is_sensitive; /* x-sensitive, of a stream or drawing: whoever takes it leaves an entry */
    bool is_write;
    int timeout_ms;
    int64_t body_limit;         /* 0: the setting body_limit */
    struct metric *requests[6]; /* by status class */
    struct metric *seconds;
    void (*builtin)(struct engine *engine, struct request *rq); /* OP_BUILTIN */
};

/* How one result's columns become JSON; made from the first result of a variant and kept in variant->plan. */
struct column {
    const char *name;
    const char *prefix; /* `,"name":` */
    size_t prefix_len;
    enum render_kind kind;
    bool is_hidden;
    bool is_sensitive;    /* showing it leaves an entry in the audit */
    const char *scope;    /* shown only with it */
    const char *sealed;   /* shown as a token of this sort */
    struct mask mask;     /* of a list: unless the caller names it */
    bool is_nik, is_json; /* where sealed values may stand */
    bool is_plain;        /* it is none of these: shown as it is, unless it is masked */
};
struct plan {
    struct column *columns;
    int n_columns;
    int version, problem, pointer, value, suggestion; /* special columns, -1: none */
    int words[2];                                     /* of a refusal, by language */
    int idle, mark, sealed;                           /* of replies that can wait; the last one sealed */
    int nip, sensitive;                               /* whose row it is; whether the row itself is sensitive */
    int id, nik;                                      /* which record it is; of a person, where it has a NIK */
    int restricted;                                   /* whether its processing is restricted */
    bool shows_sensitive;
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

/* What a loop has given to the database, reads and writes each for themselves: door.c. */
struct lane {
    int under_way;
    int64_t most;        /* that can be under way for nobody to wait too long, as of the last crowd */
    uint64_t crowded_ms; /* since when there is a crowd, if there is one */
    uint64_t since_ms;   /* since when answers are counted */
    int64_t answered;
};

/* Who was told to come again, or is about to be. */
struct refusals {
    struct call *first, **end; /* those to be told in a moment; `end` means nothing without them */
    int64_t left;              /* that may be told at once */
    uint64_t filled_ms, second_ms;
    int64_t n, logged, unlogged; /* the latter two since second_ms */
};

/* Whose "not found" leaves at the next whole step: even.c. */
struct even {
    struct call *first; /* in any order */
    int fd;             /* timerfd */
    int64_t due_us;     /* when it rings; INT64_MAX: it is not set */
    uv_poll_t poll;
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
    bool is_open;         /* takes connections */
    int64_t open_at_mono; /* ms: when it does so even without a database */
    struct outage outage;
    _Atomic int active;      /* requests between head and end, as of the last turn */
    _Atomic bool has_turned; /* since engine_turns last asked */
    uv_timer_t tick;
    unsigned chore_turn;   /* turns in which chores were asked for */
    unsigned brisk_chores; /* of those with a time of their own, how many are under way */
    bool is_brisk_turn;    /* none were when this turn began */
    struct waiters waiters;
    struct lane lanes[2]; /* by is_write */
    struct refusals refusals;
    struct even even;
    struct {
        struct call *first, *last; /* that have an answer, and wait for its entry to be sent */
        int in_flight;             /* groups */
    } readings;
    struct replicas *replicas;
    struct {
        struct call *waiting, *asking; /* writes that are done, and will be told where they stand; linked by held.next */
        struct db_request ask;
    } placed;
    _Atomic int64_t replica_as_of_us; /* of the freshest standby, or since when there has been none; 0: none is wanted */
    _Atomic bool replica_is_used;
};
enum loop_phase { PHASE_RUN, PHASE_LEAVE, PHASE_DRAIN, PHASE_CUT, PHASE_END };

/* Something that another thread wants run on the loop. */
struct loop_task {
    struct loop_task *next;
    _Atomic bool is_queued; /* posting twice before it ran is the same as once */
    void (*run)(struct loop_task *task);
};
/* Tasks run in the order of posting. Thread-safe. */
void loop_post(struct engine_loop *loop, struct loop_task *task);

/* The page at /docs, made when it is first asked for. */
struct docs_page {
    pthread_mutex_t lock;
    struct arena *arena; /* NULL: not made yet */
    struct slice html;
};

/* What is done from time to time: a statement `chore.…`. */
struct duty {
    const struct statement *statement;
    const struct duty *next;
};

/* Why the primary answers a read that a standby might have answered; the later ones are nearer to it. */
enum passed_over { PASSED_AWAY, PASSED_STALE, PASSED_BEHIND, PASSED_FAILED, PASSED_KINDS };

struct engine {
    const struct settings *_Atomic settings; /* others after a reload; those before stay as long as the process */
    struct contract *contract;
    const struct matrix *matrix;
    const char *matrix_json;    /* for listAccessMatrix */
    const char *personal_roles; /* names with commas between */
    const struct sql_set *set;
    const struct duty *duties;
    struct arena *arena;
    struct op *ops;
    size_t n_ops;
    uint8_t cursor_secret[32];
    uint64_t tag_seed; /* of entity tags: the same in all daemons of one database, and nobody outside makes two bodies of one tag */
    bool holds_units;  /* a second time, by row security */
    struct engine_loop *loops;
    int n_loops;
    struct worker_pool *workers;
    _Atomic bool is_stopping;
    int listening;
    struct docs_page docs;
    int port;
    int inherited; /* listening socket, 0 without */
    pthread_mutex_t open_lock;
    pthread_cond_t open_signal;
    int open_loops; /* take connections */
    struct limiter *limiter;
    struct accounts *accounts;
    struct metric *limited;    /* requests that came too often, or too many at once */
    struct metric *overloaded; /* … when too much waited already */
    struct metric *waiting;    /* for changes */
    struct metric *databases_up;
    struct provider *provider; /* of tokens; NULL: keys alone */
    struct metric *tokens_refused;
    struct metric *readings_held; /* replies that wait for their entry in the audit */
    struct {
        struct metric *at_primary, *at_standby, *passed_over[PASSED_KINDS], *lag_ms, *loops;
    } reads;
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
    struct actor *actor;     /* one reference */
    struct account *account; /* what its caller has under way */
    bool is_counted;         /* there */
    int holds;               /* of the request, by what works for this call */
    struct grant grant;      /* what its roles and scopes give here */
    bool is_gated;           /* the grant is still to be settled: gate.c */
    enum reply_form form;
    const char *reply_type; /* of the contract's, the one that Accept chose */
    const char *body_type;  /* of the contract's, the one that Content-Type named; NULL without a body */
    const char *idempotency_key;
    bool dry_run;
    struct page page;
    const char *count_text; /* page.count, once counted */
    const char *new_id;
    const struct reference *reference; /* that is being asked for */
    const struct variant *variant;
    struct db_request db;
    char key_hash[KEY_HASH_HEX_SIZE]; /* of the key or token that it came with */
    struct slice token;               /* data NULL: it came with a key */
    struct token_claims claims;
    struct key_waiter key_waiter; /* while the provider's keys are fetched */
    struct loop_task keys_ready;
    bool has_awaited_keys;
    struct job *job; /* while a worker has it */
    const char *trace_id;
    int64_t started_us;
    struct position position; /* what a standby must have to answer it */
    bool has_position;        /* it may be one */
    bool is_at_standby;       /* its statement is, or was */
    bool has_failed_there;
    void (*at_standby)(struct db_request *, enum db_outcome, PGresult *); /* what takes its result */
    bool is_placed;                                                       /* a write: its position stands in the reply's head */
    bool is_over;                                                         /* the request is done: nobody waits for an answer */
    void (*go_on)(struct call *call);                                     /* after the references */
    enum status (*after_gate)(struct call *call);
    struct call *wait_next, **wait_slot; /* among the loop's waiters; wait_slot NULL: it is not */
    const char *wait_mark;               /* how far the feed could be read when there was nothing to tell */
    struct outcome wait_answer;          /* what it gets when its time is up */
    bool is_inside;                      /* in its lane */
    struct {
        struct call *next, **slot; /* slot NULL: it is not held */
        uint64_t since_ms;
        bool is_refused; /* told, or to be told, to come again */
    } refused;
    struct {
        struct call *next, **slot; /* slot NULL: it is not held */
        int64_t due_us;
    } even;
    struct {
        struct outcome answer;
        const char *link;
        struct call *next;
    } held; /* the answer, until its entry in the audit is committed */
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
/* Whose rows the call's statements may meet; who calls without a key has no units, and is held by the statement alone. */
const char *call_units(const struct call *call);
const char *call_bind_text(struct ctx *ctx, const struct call *call, const char *name);

/* ── render.c ── */
struct plan *plan_of(const struct variant *variant, const struct op *op, const PGresult *res);
/* The refusal that the row and those after it name, or ST_OK. */
enum status row_refusal(struct ctx *ctx, const struct plan *plan, const PGresult *res, int row);
struct projection {
    const struct plan *plan;
    const bool *shown;  /* per column */
    const bool *masked; /* per column: of what is shown, what is shown in part */
    const bool *open;   /* per column: what is shown of a person whose data are restricted */
    const char *own;    /* NIP of the caller, whom nothing is kept from; NULL: of nobody */
    struct arena *arena;
    const uint8_t *secret; /* for what is shown sealed */
    bool *fails;           /* set when a value cannot be opened: the reply must not go out */
};
/* What is shown of this row: less of one that says `restricted`, but to the personnel office and the person. */
const bool *row_shown(const struct projection *p, const PGresult *res, int row);
/* The members that the caller names, as a text[]; NULL: all. */
const char *call_fields(const struct call *call);
#define MASKED_MAX 64
/* A value that is not null, as this caller is shown it. `room` takes what is masked. */
const char *projected(const struct projection *p, const PGresult *res, int row, int i, char room[MASKED_MAX], size_t *ret_len);
struct projection projection_of(struct ctx *ctx, const struct plan *plan, const struct call *call);
/* Whether all that was shown so far could be opened, else the refusal. */
enum status projection_ends(struct ctx *ctx, const struct projection *p);
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
/* If-Match (13.1.1): the versions that its strong tags name, as PostgreSQL reads an int8multirange. `*` is every version, so that one comparison
 * in SQL, `:if_match::int8multirange @> version`, does for one tag, a list and `*`. */
const char *if_match_versions(struct arena *arena, const char *if_match);
#define ETAG_HASH_DIGITS 16 /* of the hash behind the version */

/* ── call.c ── */
extern const struct http_handler engine_http_handler;
void call_answer(struct call *call, const struct outcome *out, const char *link);
/* The headers that an outcome brings along, whatever the answer is. */
void call_headers(struct call *call, const struct outcome *out);
/* Copies the problem of another ctx (whose arena outlives the reply) and answers with it. */
void call_refuse(struct call *call, const struct ctx *from);
/* Runs a statement's result through refusal and rendering: shared by loop and workers. */
enum status call_variant(struct ctx *ctx, const struct call *call, const struct variant **ret);

/* Who calls is known and may call from there. */
void call_known(struct call *call);
/* The request stays, and counts as its caller's, until all that works for it has let go. */
void call_hold(struct call *call);
void call_release(struct call *call);

/* ── caller.c ── */
/* Finds the call's actor, at once or later, and then goes on with call_known, or refuses. */
NODISCARD enum status caller_find(struct call *call);

/* ── gate.c ── what a caller with roles may here, and whether the subject is his to see ── */
/* ST_FORBIDDEN unless scopes or roles give something. */
NODISCARD enum status gate_open(struct call *call);
/* Asks for the subject, if that is needed and it is known by now, makes the call's actor what the operation gives it, and goes on with `then`, at once or later. With
 * the body still to come (`has_all` false) a subject in the body is left for the second time. */
NODISCARD enum status gate_pass(struct call *call, bool has_all, enum status (*then)(struct call *call));
bool gate_compile(struct op *op, const struct engine *engine, FILE *err);

/* ── limit.c ── how often somebody may call ── */
struct limited {
    bool is_taken;
    int64_t quota, left;       /* a minute; of these */
    int64_t wait_us, reset_us; /* until one is left again, when there is none; until all are */
};
struct limiter *limiter_new(void);
void limiter_free(struct limiter *limiter);
/* One of `quota` a minute; a minute's worth may come at once. Thread-safe. */
struct limited limiter_take(struct limiter *limiter, const void *who, size_t len, int64_t quota, int64_t now_us);
#define LIMIT_ADDRESS_MAX 64
/* Who calls, by X-Forwarded-For (NULL: none) if the peer is one of the trusted proxies, with commas between. Points into its arguments. */
struct slice limit_client(const char *peer, const char *forwarded, const char *trusted);
/* Whether that is the address of one of our own proxies. */
bool limit_is_trusted(const char *peer, const char *trusted);
/* What of an address is counted as one: four or eight bytes, or the text. */
size_t limit_address(struct slice client, uint8_t ret[LIMIT_ADDRESS_MAX]);
/* Whether none of `quota` a minute is left, and how long until one is. Takes nothing. */
bool limiter_is_empty(struct limiter *limiter, const void *who, size_t len, int64_t quota, int64_t now_us, int64_t *ret_wait_us);
bool limit_counts(const struct op *op, const char *what);
/* ST_TOO_MANY_REQUESTS when the contract limits the operation and this was one too many. The second one: once the token is opened. */
enum status limit_client_of(struct call *call);
enum status limit_token_of(struct call *call);
/* The same for whoever has a key or token: key_rate, and caller_requests at once. */
enum status limit_caller(struct call *call);
/* Before a credential is judged: ST_TOO_MANY_REQUESTS when too many wrong ones came from there lately, unless this one was good before. */
enum status limit_guess(struct call *call);
void limit_wrong(struct call *call); /* it was a wrong one */

/* ── outage.c ── */
void outage_refused(struct outage *outage);
void outage_over(struct outage *outage); /* may be called when there was none */

/* ── run.c ── */
/* What every failed outcome of the loop's database becomes: the words are db_fail's. */
void call_refuse_outcome(struct call *call, enum db_outcome outcome, const PGresult *res);
void call_run(struct call *call); /* everything is checked: execute */
bool call_wants_count(const struct call *call);
bool call_is_long(const struct call *call); /* it can last: for a worker */
void call_submit(struct call *call, const struct variant *variant, void (*done)(struct db_request *, enum db_outcome, PGresult *));

/* ── refer.c ── what a list's parameters refer to must be there ── */
bool refer_compile(struct op *op, const struct engine *engine, FILE *err);
/* Asks for each of them that was given, then calls `go_on`, or refuses. */
void refer_run(struct call *call, void (*go_on)(struct call *call));
/* Names in x-references that are no parameter of any list, one line each. How many. */
int refer_check(const struct engine *engine, FILE *err);

/* ── audit.c ── */
/* What a reply shows of what is sensitive, as texts for the statement audit.read. */
struct reading {
    const char *what, *which; /* the record that the address names */
    const char *members;      /* text[] literal */
    const char *nips;         /* likewise; NULL: not known, or told otherwise */
    const char *n, *digest;   /* of people */
    const char *filter;       /* JSON */
    bool is_told;             /* the row itself says that it shows something: also what was just made, of which the caller gave the rest */
};
const char *audit_facts(struct ctx *ctx, const struct call *call);
/* Lets the transaction of this write say who acts: the caller, or the daemon itself. */
void audit_ahead(struct db_request *db, struct call *call);
void audit_ahead_daemon(struct db_request *db, const struct engine *engine, struct arena *arena);
/* Members and NIPs with commas between; NULL: not known. */
struct reading *audit_reading_of(struct ctx *ctx, const struct call *call, const char *members, const char *nips);
struct reading *audit_reading_ahead(struct ctx *ctx, const struct call *call);
/* ST_BAD_REQUEST where the setting purpose_required asks for the header Purpose, and it is not there. */
NODISCARD enum status audit_purpose(struct ctx *ctx, const struct call *call);
/* Whether the answer must wait for an entry of its own. */
bool audit_is_due(const struct call *call, const struct outcome *answer);
enum status audit_not_noted(struct ctx *ctx);
enum status audit_write(struct ctx *ctx, const struct call *call, struct db_conn *txn, const struct reading *reading);
/* In a transaction of its own; nothing to do without a reading. */
enum status audit_write_alone(struct ctx *ctx, const struct call *call, struct db_conn *conn, const struct reading *reading);

/* ── readings.c ── */
/* The answer leaves when its entry is committed, and not otherwise: 503. */
void audit_then_answer(struct call *call, const struct outcome *answer, const char *link);
/* The reading as audit_read_all() takes it: a JSON object. */
void audit_put_reading(struct buf *out, const char *facts, const struct reading *reading);

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
enum submitted { SUBMIT_TAKEN, SUBMIT_FULL /* too many wait */, SUBMIT_CALLER_FULL /* too many of this caller's */ };
enum submitted worker_pool_submit(struct worker_pool *pool, struct job *job);
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
    bool is_long;                      /* it can last */
    bool is_export;                    /* a list as CSV or NDJSON */
    bool is_replayed, shows_sensitive; /* the latter of a replayed one */
    bool is_finished;                  /* the loop knows that the worker is done */
    bool is_orphan;                    /* the request is over */
    bool has_head;                     /* the reply's head has been sent */
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
/* By any thread; whoever asks while it is being made waits for it, some milliseconds. */
struct slice docs_html(struct docs_page *page, const struct contract *contract);
