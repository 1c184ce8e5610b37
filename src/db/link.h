/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One pipelined connection (link.c: its life; pipeline.c: what travels on it) and what it needs of its loop (loop.c). */
#include "asnd/db.h"

/* Requests that one connection carries at a time: more would only wait in the server's socket, where they cannot move to another. */
#define LINK_IN_FLIGHT_MAX 64
/* A write may wait for a lock: what stood behind it would wait along, though another connection is free. */
#define LINK_WRITES_MAX 1
/* Reads that share one Sync. The server sends nothing before the Sync, so a slow read holds back its neighbours. */
#define SEGMENT_READS_MAX 32
#define PREPARED_MAX      1000

/* Who travels on a link. Without connections for writes all go as reads do. */
enum traffic { TRAFFIC_READS, TRAFFIC_WRITES, TRAFFIC_KINDS };

enum link_state { LINK_WAITING /* for the back-off to pass */, LINK_CONNECTING, LINK_UP, LINK_CLOSED };

/* What was sent and has not been answered, in order. */
enum step_kind {
    STEP_QUERY,
    STEP_PREPARE,
    STEP_PREPARE_AHEAD,
    STEP_PREPARE_UNITS,
    STEP_UNITS,
    STEP_TIMEOUT,
    STEP_AHEAD,
    STEP_FORGET,
    STEP_SYNC
};
struct step {
    enum step_kind kind;
    bool has_result;
    struct db_request *request; /* NULL: nobody waits for it (any more) */
};

/* db_request.state */
#define REQUEST_ALONE    1 /* runs in a segment of its own from now on */
#define REQUEST_PREPARED 2 /* was sent back once because the server did not know its prepared statement */

struct link {
    struct db_loop *db;
    int number;
    enum traffic traffic;
    enum link_state state;
    PGconn *pg;
    uv_poll_t *poll; /* a new one for each socket */
    int events;
    uv_timer_t timer; /* WAITING: back-off; CONNECTING: limit; UP: guard against silence */
    int backoff_ms;
    bool is_broken; /* to be given up at the next safe moment */

    struct step *steps; /* ring */
    size_t head, n_steps, cap;
    int in_flight;           /* requests sent and not answered */
    int segment_reads;       /* sent since the last Sync */
    bool is_open;            /* something was sent since the last Sync */
    char *units;             /* whose rows the open segment meets, when it is a bound caller's; else NULL */
    bool has_units;          /* the server knows how that is told */
    bool has_sent;           /* since the last flush */
    uint64_t heard_ms;       /* when the server last said something, or work began */
    struct db_request *held; /* a write whose Sync is awaited, and its result so far */
    PGresult *held_result;

    uint8_t *prepared; /* by variant id: bits of enum sight */
    size_t prepared_cap;
    int n_prepared;
    bool must_forget; /* the prepared statements no longer fit the schema */
};

/* For whom a statement was prepared: the server plans it with the policies of the role that runs it. */
enum sight { SIGHT_ALL = 1, SIGHT_BOUND = 2 };

struct request_queue {
    struct db_request *first, **end;
    int n;
};

struct db_loop {
    uv_loop_t *uv;
    struct db_config config; /* texts are owned */
    struct link *links;
    int n_links;
    struct request_queue queues[TRAFFIC_KINDS]; /* to be sent */
    struct request_queue refused;               /* to be answered DB_UNAVAILABLE from the loop */
    struct request_queue later;                 /* to be run again after a moment */
    uv_prepare_t prepare;
    uv_idle_t wake; /* active: the loop must not wait before the next turn */
    uv_timer_t again;
    int depth;
    unsigned connects; /* made so far */
    int handles;       /* not yet closed */
    bool is_closing, has_closed_all;
    void (*closed)(void *cls);
    void *closed_cls;
};

/* link.c */
void link_init(struct link *l, struct db_loop *db, int number, enum traffic traffic);
void link_connect(struct link *l);
void link_connect_later(struct link *l, int ms);
void link_close(struct link *l);
/* Gives the connection up: answers DB_LOST to all that it carries and comes back later. */
void link_lost(struct link *l);
void link_flush(struct link *l);
void link_done(struct link *l); /* frees memory; all handles are closed */

/* pipeline.c */
/* False if the request was not taken because the connection is broken (is_broken is set then). */
bool link_send(struct link *l, struct db_request *request);
void link_sync(struct link *l);  /* ends the open segment */
void link_drain(struct link *l); /* handles all results that are there */
int link_patience_ms(const struct link *l);
int request_timeout_ms(const struct db_loop *db, const struct db_request *request); /* 0: the session's */

/* loop.c */
void loop_wake(struct db_loop *db);
void loop_answer(struct db_loop *db, struct db_request *request, enum db_outcome outcome, PGresult *res); /* clears res */
void loop_run_alone(struct db_loop *db, struct db_request *request);                                      /* at the head of the queue */
void loop_run_later(struct db_loop *db, struct db_request *request);
void loop_handle_closed(uv_handle_t *handle); /* handle->data is the db_loop */
void queue_put(struct request_queue *queue, struct db_request *request);
