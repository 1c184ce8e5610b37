/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A blocking connection, shared by conn.c (statements), transaction.c (transactions, COPY, streams) and migrate.c. */
#include "asnd/db.h"

struct db_conn {
    PGconn *pg;
    struct db_config config; /* texts are owned */
    uint8_t *prepared;       /* by variant id: bits of enum sight */
    size_t prepared_cap;
    int n_prepared;
    bool must_forget;    /* the prepared statements no longer fit the schema */
    int timeout_ms;      /* statement_timeout as it stands now; -1: not known (a rollback may have undone it) */
    bool in_transaction; /* db_transaction is at work */
    bool is_bounded;     /* bound_ms is in force: db_bound */
    int bound_ms;
    char *units;         /* whose rows the session is to meet; NULL: everybody's */
    bool has_told_units; /* and does */
    bool has_sent;       /* by db_send, and db_settle has not asked yet */
    char *begin;         /* BEGIN, and what db_begin_with adds to it; NULL: nothing */
};

/* The last result of what PQsend… has sent, which it says by 1. A server that is silent for longer than its statement may last is as good as gone: the connection is lost then, and
 * the result NULL or an error. */
PGresult *conn_await(struct db_conn *conn, int was_sent);
/* The failed result or, when the connection went, that: a problem in ctx. Clears res. */
enum status conn_fail(struct ctx *ctx, struct db_conn *conn, PGresult *res);
/* Makes the variant's time-out the session's. */
NODISCARD enum status conn_set_timeout(struct ctx *ctx, struct db_conn *conn, const struct variant *variant);
/* The same, and makes the variant known to the server. */
NODISCARD enum status conn_prepare(struct ctx *ctx, struct db_conn *conn, const struct variant *variant);
