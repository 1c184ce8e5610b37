/* SPDX-License-Identifier: Apache-2.0 */
/* What a blocking connection does over several statements: transactions with retry and dry run, COPY, reading in constant memory. */
#include "conn.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/log.h"

#define RETRIES_MAX 3

/* ── transactions ── */

/* COMMIT of a transaction that failed inside answers ROLLBACK and calls that success. */
static enum status commit(struct ctx *ctx, struct db_conn *conn)
{
    PGresult *res = conn_await(conn, PQsendQuery(conn->pg, "COMMIT"));

    if (PQresultStatus(res) != PGRES_COMMAND_OK)
        return conn_fail(ctx, conn, res);
    bool is_committed = strcmp(PQcmdStatus(res), "COMMIT") == 0;
    PQclear(res);
    if (is_committed)
        return ST_OK;
    log_line(LOG_ERROR_, "commit-of-failed-transaction");
    return fail(ctx, ST_INTERNAL, "internal", "Something went wrong on our side; nothing was stored.",
                "Terjadi kesalahan di sisi kami; tidak ada yang disimpan.");
}

/* Leaves no trace in ctx: what failed before has been worded already. (PQexec ends a COPY that was given up, and drops unread rows.) */
static void roll_back(struct db_conn *conn)
{
    if (PQstatus(conn->pg) == CONNECTION_OK && PQtransactionStatus(conn->pg) != PQTRANS_IDLE)
        PQclear(PQexec(conn->pg, "ROLLBACK"));
    conn->timeout_ms = -1; /* a SET inside the transaction has been undone */
}

void db_begin_with(struct db_conn *conn, const char *variable, const char *text)
{
    char *value = PQescapeLiteral(conn->pg, text, strlen(text));
    struct buf sql;

    free(conn->begin);
    conn->begin = NULL;
    if (value != NULL) {
        buf_init(&sql, NULL, 256);
        buf_printf(&sql, "BEGIN; SET LOCAL %s = %s", variable, value); /* no query, so that the transaction's level may still be told */
        conn->begin = strdup(buf_cstr(&sql));
        buf_done(&sql);
    }
    PQfreemem(value);
}

static enum status transaction_once(struct ctx *ctx, struct db_conn *conn, bool rollback_only, db_txn_fn fn, void *cls)
{
    enum status st = db_sql(ctx, conn, conn->begin ? conn->begin : "BEGIN");

    if (st == ST_OK)
        st = fn(ctx, conn, cls);
    if (st == ST_OK && rollback_only)
        st = db_sql(ctx, conn, "SET CONSTRAINTS ALL IMMEDIATE");
    else if (st == ST_OK)
        st = commit(ctx, conn);
    if (st != ST_OK || rollback_only)
        roll_back(conn);
    return st;
}

/* Two that collided must not meet again at the same moment. */
static void pause_before(int try)
{
    struct timespec pause = {.tv_nsec = (long)(2 + randombytes_uniform(20U << try)) * 1000000};

    nanosleep(&pause, NULL);
}

enum status db_transaction(struct ctx *ctx, struct db_conn *conn, bool rollback_only, db_txn_fn fn, void *cls)
{
    enum status st = db_ensure(ctx, conn);

    assert(!conn->in_transaction);
    if (st != ST_OK)
        return st;
    conn->in_transaction = true;
    for (int retry = 0;; retry++) {
        st = transaction_once(ctx, conn, rollback_only, fn, cls);
        if (st != ST_RETRY || retry == RETRIES_MAX)
            break;
        problem_clear(ctx);
        pause_before(retry);
    }
    conn->in_transaction = false;
    if (st != ST_RETRY)
        return st;
    st = fail(ctx, ST_UNAVAILABLE, "unavailable", "Others changed the same data again and again; try again in a moment.",
              "Data yang sama terus diubah pihak lain; coba lagi sebentar lagi.");
    ctx->problem.retry_after_s = 1;
    return st;
}

/* ── COPY ── */

enum status db_copy_begin(struct ctx *ctx, struct db_conn *conn, const char *copy_sql)
{
    PGresult *res = PQexec(conn->pg, copy_sql);

    if (PQresultStatus(res) != PGRES_COPY_IN)
        return conn_fail(ctx, conn, res);
    PQclear(res);
    return ST_OK;
}

enum status db_copy_put(struct ctx *ctx, struct db_conn *conn, const char *bytes, size_t len)
{
    const size_t most = 1 << 20; /* libpq counts in int */

    while (len > 0) {
        size_t n = len < most ? len : most;
        if (PQputCopyData(conn->pg, bytes, (int)n) != 1)
            return db_copy_end(ctx, conn); /* which says why */
        bytes += n;
        len -= n;
    }
    return ST_OK;
}

enum status db_copy_end(struct ctx *ctx, struct db_conn *conn)
{
    enum status st = ST_OK;

    if (PQputCopyEnd(conn->pg, NULL) != 1 && PQstatus(conn->pg) != CONNECTION_OK)
        return db_fail(ctx, NULL);
    for (PGresult *res; (res = PQgetResult(conn->pg)) != NULL;) {
        if (PQresultStatus(res) == PGRES_COMMAND_OK || st != ST_OK)
            PQclear(res);
        else
            st = conn_fail(ctx, conn, res);
        if (PQstatus(conn->pg) != CONNECTION_OK)
            break;
    }
    return st == ST_OK && PQstatus(conn->pg) != CONNECTION_OK ? db_fail(ctx, NULL) : st;
}

void db_copy_field(struct buf *out, const char *text, size_t len)
{
    if (text == NULL) {
        BUF_LIT(out, "\\N");
        return;
    }
    for (size_t i = 0; i < len; i++) {
        switch (text[i]) {
        case '\\':
            BUF_LIT(out, "\\\\");
            break;
        case '\t':
            BUF_LIT(out, "\\t");
            break;
        case '\n':
            BUF_LIT(out, "\\n");
            break;
        case '\r':
            BUF_LIT(out, "\\r");
            break;
        default:
            buf_putc(out, text[i]);
        }
    }
}

/* ── streams ── */

/* A cursor instead of single-row mode: the time-out counts for each chunk and not for the slowest reader's whole download, and rows come
 * without a result each. The chunk's size follows the rows' so that memory stays flat whatever they weigh. */
#define STREAM_CURSOR      "asnd_stream"
#define STREAM_FIRST_ROWS  64
#define STREAM_MOST_ROWS   4000
#define STREAM_CHUNK_BYTES (256 * 1024)

struct stream {
    struct ctx *ctx;
    struct db_conn *conn;
    const struct variant *variant;
    const char *const *values;
    db_rows_fn rows;
    void *cls;
    int chunk_rows;
};

static bool send_fetch(const struct stream *s)
{
    char sql[64];

    snprintf(sql, sizeof sql, "FETCH FORWARD %d FROM " STREAM_CURSOR, s->chunk_rows);
    return PQsendQuery(s->conn->pg, sql) == 1;
}

static void drop_results(PGconn *pg)
{
    for (PGresult *res; (res = PQgetResult(pg)) != NULL;)
        PQclear(res);
}

/* The result of the FETCH under way; the connection is idle afterwards. */
static enum status take_fetch(struct stream *s, PGresult **ret)
{
    PGresult *res = PQgetResult(s->conn->pg);

    if (PQresultStatus(res) != PGRES_TUPLES_OK) {
        enum status st = conn_fail(s->ctx, s->conn, res);
        drop_results(s->conn->pg);
        return st;
    }
    drop_results(s->conn->pg);
    if (PQntuples(res) > 0) {
        size_t row_bytes = PQresultMemorySize(res) / (size_t)PQntuples(res) + 1;
        size_t fitting = STREAM_CHUNK_BYTES / row_bytes + 1;
        s->chunk_rows = fitting < STREAM_MOST_ROWS ? (int)fitting : STREAM_MOST_ROWS;
    }
    *ret = res;
    return ST_OK;
}

static enum status open_cursor(struct stream *s)
{
    const struct variant *v = s->variant;
    char *sql = arena_printf(s->ctx->arena, "DECLARE " STREAM_CURSOR " NO SCROLL CURSOR FOR %s", v->sql);
    enum status st = db_sql(s->ctx, s->conn, "SET LOCAL cursor_tuple_fraction = 1"); /* everything will be read */

    if (st != ST_OK)
        return st;
    PGresult *res = PQexecParams(s->conn->pg, sql, (int)v->n_binds, NULL, s->values, NULL, NULL, 0);
    if (PQresultStatus(res) != PGRES_COMMAND_OK)
        return conn_fail(s->ctx, s->conn, res);
    PQclear(res);
    return ST_OK;
}

/* The server fetches the next chunk while rows() works on this one. */
static enum status read_cursor(struct stream *s)
{
    enum status st = ST_OK;
    bool is_first = true, is_last = false;

    if (!send_fetch(s))
        return db_fail(s->ctx, NULL);
    while (st == ST_OK && !is_last) {
        int asked = s->chunk_rows;
        PGresult *chunk = NULL;

        st = take_fetch(s, &chunk);
        if (st != ST_OK)
            return st;
        is_last = PQntuples(chunk) < asked;
        if (!is_last && !send_fetch(s))
            st = db_fail(s->ctx, NULL);
        if (st == ST_OK && (is_first || PQntuples(chunk) > 0))
            st = s->rows(s->ctx, s->cls, chunk);
        is_first = false;
        PQclear(chunk);
    }
    drop_results(s->conn->pg);
    return st;
}

static enum status stream_all(struct ctx *ctx, struct db_conn *conn, struct stream *s)
{
    enum status st = conn_set_timeout(ctx, conn, s->variant);

    if (st == ST_OK)
        st = open_cursor(s);
    return st == ST_OK ? read_cursor(s) : st;
}

enum status db_stream(struct ctx *ctx, struct db_conn *conn, const struct variant *variant, const char *const *values, db_rows_fn rows,
                      void *cls)
{
    struct stream s = {
        .ctx = ctx, .conn = conn, .variant = variant, .values = values, .rows = rows, .cls = cls, .chunk_rows = STREAM_FIRST_ROWS};
    enum status st;

    if (PQtransactionStatus(conn->pg) == PQTRANS_IDLE) {
        /* Not db_transaction: rows that have been handed on cannot be handed on again. */
        st = db_sql(ctx, conn, "BEGIN READ ONLY");
        if (st == ST_OK)
            st = stream_all(ctx, conn, &s);
        roll_back(conn);
        return st;
    }
    st = stream_all(ctx, conn, &s);
    if (PQtransactionStatus(conn->pg) == PQTRANS_INTRANS)
        PQclear(PQexec(conn->pg, "CLOSE " STREAM_CURSOR));
    return st;
}
