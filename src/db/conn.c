/* SPDX-License-Identifier: Apache-2.0 */
/* Blocking connections for workers and the command line: connecting, and running prepared statements. */
#include "conn.h"

#include <assert.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "asnd/arena.h"
#include "asnd/log.h"
#include "connect.h"
#include "link.h"
#include "sqlstate.h"

/* ── life ── */

static void forget_prepared(struct db_conn *conn)
{
    if (conn->prepared_cap > 0)
        memset(conn->prepared, 0, conn->prepared_cap);
    conn->n_prepared = 0;
    conn->must_forget = false;
}

/* ── waiting ── */

static bool hears_in_time(struct db_conn *conn, int patience_ms)
{
    struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN};

    while (PQisBusy(conn->pg)) {
        int n = poll(&fd, 1, patience_ms);
        if (n == 0)
            return false;
        if (n > 0 && PQconsumeInput(conn->pg) != 1)
            return true; /* it is lost, which PQgetResult tells */
    }
    return true;
}

PGresult *conn_await(struct db_conn *conn, int was_sent)
{
    int timeout_ms = conn->timeout_ms >= 0 ? conn->timeout_ms : conn->config.statement_timeout_ms;
    int patience_ms = timeout_ms > 0 ? timeout_ms + SILENCE_MARGIN_MS : -1;
    PGresult *last = NULL;

    while (was_sent == 1) {
        if (!hears_in_time(conn, patience_ms)) {
            log_line(LOG_ERROR_, "database-silent", LOG_TEXT("application", conn->config.application_name));
            shutdown(PQsocket(conn->pg), SHUT_RDWR); /* libpq reads the end, and calls the connection lost */
        }
        PGresult *res = PQgetResult(conn->pg);
        if (res == NULL)
            break;
        PQclear(last);
        last = res;
    }
    return last;
}

/* Temporary tables belong to the role that made them, and what lies in them to the caller. */
static enum status tell_units(struct ctx *ctx, struct db_conn *conn)
{
    const char *const values[] = {conn->units ? conn->units : "", conn->units ? "asnd_bound" : "none"};
    enum status st = db_sql(ctx, conn, "DISCARD TEMP");

    if (st != ST_OK)
        return st;
    PGresult *res =
        conn_await(conn, PQsendQueryParams(conn->pg, "SELECT set_config('asnd.units', $1, false), set_config('role', $2, false)", 2, NULL,
                                           values, NULL, NULL, 0));
    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        return conn_fail(ctx, conn, res);
    PQclear(res);
    conn->has_told_units = true;
    return ST_OK;
}

static enum status check_session(struct ctx *ctx, struct db_conn *conn)
{
    forget_prepared(conn);
    conn->has_told_units = conn->units == NULL;
    conn->timeout_ms = conn->config.statement_timeout_ms;
    if (PQstatus(conn->pg) == CONNECTION_OK && PQserverVersion(conn->pg) >= SERVER_VERSION_MIN) {
        conn->config.is_quiet = false;
        return conn->has_told_units ? ST_OK : tell_units(ctx, conn);
    }
    if (!conn->config.is_quiet)
        session_log_failure(conn->pg, conn->config.application_name);
    conn->config.is_quiet = true; /* once for each time that it is away */
    return db_fail(ctx, NULL);
}

enum status db_connect(struct ctx *ctx, const struct db_config *config, struct db_conn **ret)
{
    struct db_conn *conn = calloc(1, sizeof *conn);

    if (conn == NULL)
        die_no_memory();
    conn->config = *config;
    conn->config.conninfo = strdup(config->conninfo);
    conn->config.application_name = strdup(config->application_name ? config->application_name : "asnd");
    if (conn->config.conninfo == NULL || conn->config.application_name == NULL)
        die_no_memory();
    conn->pg = connection_open(&conn->config, PQconnectdbParams);
    enum status st = check_session(ctx, conn);
    if (st != ST_OK) {
        db_disconnect(conn);
        return st;
    }
    *ret = conn;
    return ST_OK;
}

enum status db_connect_beside(struct ctx *ctx, const struct db_conn *conn, struct db_conn **ret)
{
    return db_connect(ctx, &conn->config, ret);
}

void db_disconnect(struct db_conn *conn)
{
    if (conn == NULL)
        return;
    PQfinish(conn->pg);
    free(conn->prepared);
    free(conn->units);
    free(conn->begin);
    free((char *)conn->config.conninfo);
    free((char *)conn->config.application_name);
    free(conn);
}

/* libpq learns of a closed connection only by reading, first the server's farewell, then the end. */
static bool is_alive(PGconn *pg)
{
    struct pollfd fd = {.fd = PQsocket(pg), .events = POLLIN};

    while (PQstatus(pg) == CONNECTION_OK && poll(&fd, 1, 0) > 0)
        if (PQconsumeInput(pg) != 1)
            return false;
    return PQstatus(pg) == CONNECTION_OK;
}

enum status db_ensure(struct ctx *ctx, struct db_conn *conn)
{
    if (is_alive(conn->pg))
        return ST_OK;
    if (conn->in_transaction)
        return db_fail(ctx, NULL);
    PQreset(conn->pg);
    return check_session(ctx, conn);
}

enum status db_see(struct ctx *ctx, struct db_conn *conn, const char *units)
{
    if (!conn->config.holds_units || (units != NULL && strcmp(units, DB_EVERYTHING) == 0))
        units = NULL;
    else if (units == NULL)
        units = "{}";
    if (conn->has_told_units && (units == NULL ? conn->units == NULL : conn->units != NULL && strcmp(conn->units, units) == 0))
        return ST_OK;
    free(conn->units);
    conn->units = units ? strdup(units) : NULL;
    if (units != NULL && conn->units == NULL)
        die_no_memory();
    conn->has_told_units = false;
    return tell_units(ctx, conn);
}

PGconn *db_raw(struct db_conn *conn)
{
    return conn->pg;
}

enum status conn_fail(struct ctx *ctx, struct db_conn *conn, PGresult *res)
{
    conn->must_forget |= result_is_stale_plan(res);
    enum status st = db_fail(ctx, PQstatus(conn->pg) == CONNECTION_OK ? res : NULL);
    PQclear(res);
    return st;
}

/* ── statements ── */

enum status db_sql(struct ctx *ctx, struct db_conn *conn, const char *sql)
{
    PGresult *res = conn_await(conn, PQsendQuery(conn->pg, sql));
    ExecStatusType status = PQresultStatus(res);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
        return conn_fail(ctx, conn, res);
    PQclear(res);
    return ST_OK;
}

void db_bound(struct db_conn *conn, int timeout_ms)
{
    conn->is_bounded = timeout_ms >= 0;
    conn->bound_ms = timeout_ms;
}

enum status conn_set_timeout(struct ctx *ctx, struct db_conn *conn, const struct variant *variant)
{
    int own_ms = statement_info(variant->statement)->timeout_ms;
    int ms = own_ms > 0 ? own_ms : conn->is_bounded ? conn->bound_ms : conn->config.statement_timeout_ms;
    char sql[64];

    if (ms == conn->timeout_ms)
        return ST_OK;
    snprintf(sql, sizeof sql, "SET statement_timeout = %d", ms);
    enum status st = db_sql(ctx, conn, sql);
    if (st == ST_OK)
        conn->timeout_ms = ms;
    return st;
}

static enum sight sight_of(const struct db_conn *conn)
{
    return conn->units ? SIGHT_BOUND : SIGHT_ALL;
}

static const char *name_of(const struct db_conn *conn, const struct variant *variant)
{
    return conn->units ? variant->bound_name : variant->prepared_name;
}

static void prepared_note(struct db_conn *conn, unsigned id)
{
    if (id >= conn->prepared_cap) {
        size_t cap = (id + 256U) & ~255U;
        uint8_t *prepared = realloc(conn->prepared, cap);
        if (prepared == NULL)
            die_no_memory();
        memset(prepared + conn->prepared_cap, 0, cap - conn->prepared_cap);
        conn->prepared = prepared;
        conn->prepared_cap = cap;
    }
    conn->prepared[id] |= (uint8_t)sight_of(conn);
    conn->n_prepared++;
}

enum status conn_prepare(struct ctx *ctx, struct db_conn *conn, const struct variant *variant)
{
    enum status st = conn_set_timeout(ctx, conn, variant);

    if (st == ST_OK && (conn->must_forget || conn->n_prepared >= PREPARED_MAX)) {
        st = db_sql(ctx, conn, "DEALLOCATE ALL");
        if (st == ST_OK)
            forget_prepared(conn);
    }
    if (st != ST_OK || (variant->id < conn->prepared_cap && (conn->prepared[variant->id] & sight_of(conn))))
        return st;
    PGresult *res = conn_await(conn, PQsendPrepare(conn->pg, name_of(conn, variant), variant->sql, 0, NULL));
    if (PQresultStatus(res) != PGRES_COMMAND_OK)
        return conn_fail(ctx, conn, res);
    PQclear(res);
    prepared_note(conn, variant->id);
    return ST_OK;
}

static void clear_result(void *res)
{
    PQclear(res);
}

static PGresult *run_prepared(struct db_conn *conn, const struct variant *variant, const char *const *values)
{
    return conn_await(conn, PQsendQueryPrepared(conn->pg, name_of(conn, variant), (int)variant->n_binds, values, NULL, NULL, 0));
}

/* Outside a transaction a plan that no longer fits is simply made anew; inside one, the transaction is run again. */
static enum status retry_stale(struct ctx *ctx, struct db_conn *conn, const struct variant *variant, const char *const *values,
                               PGresult **ret)
{
    if (conn->in_transaction || PQtransactionStatus(conn->pg) != PQTRANS_IDLE)
        return fail(ctx, ST_RETRY, "unavailable", "The schema has just changed; try again.", "Skema baru saja berubah; coba lagi.");
    enum status st = conn_prepare(ctx, conn, variant);
    if (st == ST_OK)
        *ret = run_prepared(conn, variant, values);
    return st;
}

enum status db_execute(struct ctx *ctx, struct db_conn *conn, const struct variant *variant, const char *const *values, PGresult **ret)
{
    enum status st = conn_prepare(ctx, conn, variant);

    if (st != ST_OK)
        return st;
    PGresult *res = run_prepared(conn, variant, values);
    if (result_is_stale_plan(res)) {
        PQclear(res);
        conn->must_forget = true;
        st = retry_stale(ctx, conn, variant, values, &res);
        if (st != ST_OK)
            return st;
    }
    if (PQresultStatus(res) != PGRES_TUPLES_OK && PQresultStatus(res) != PGRES_COMMAND_OK)
        return conn_fail(ctx, conn, res);
    arena_on_free(ctx->arena, clear_result, res);
    *ret = res;
    return ST_OK;
}

enum status db_send(struct ctx *ctx, struct db_conn *conn, const struct variant *variant, const char *const *values, const int *lengths)
{
    enum status st = conn_prepare(ctx, conn, variant);
    int *formats = arena_zalloc_array(ctx->arena, variant->n_binds + 1, sizeof *formats);

    if (st != ST_OK)
        return st;
    for (size_t i = 0; lengths != NULL && i < variant->n_binds; i++)
        formats[i] = lengths[i] > 0;
    if (PQsendQueryPrepared(conn->pg, name_of(conn, variant), (int)variant->n_binds, values, lengths, formats, 0) != 1)
        return db_fail(ctx, NULL);
    conn->has_sent = true;
    return ST_OK;
}

enum status db_settle(struct ctx *ctx, struct db_conn *conn)
{
    if (!conn->has_sent)
        return ST_OK;
    PGresult *res = conn_await(conn, 1);
    conn->has_sent = false;
    if (PQresultStatus(res) != PGRES_TUPLES_OK && PQresultStatus(res) != PGRES_COMMAND_OK)
        return conn_fail(ctx, conn, res);
    PQclear(res);
    return ST_OK;
}

/* ── by name ── */

#define QUERY_BINDS_MAX 64

struct named {
    const char *name, *value;
    bool is_used;
};

static enum status misuse(struct ctx *ctx, const char *statement, const char *what)
{
    log_line(LOG_ERROR_, "statement-misused", LOG_TEXT("statement", statement), LOG_TEXT("name", what));
    assert(false && "db_query: the names given are not those of the statement");
    return fail(ctx, ST_INTERNAL, "internal", "Something went wrong on our side.", "Terjadi kesalahan di sisi kami.");
}

static struct named *named_find(struct named *named, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(named[i].name, name) == 0)
            return &named[i];
    return NULL;
}

/* The optional parts whose parameter was given a value. */
static unsigned named_options(const struct statement_info *info, struct named *named, size_t n)
{
    unsigned options = 0;

    for (size_t i = 0; i < info->n_options; i++) {
        struct named *given = named_find(named, n, info->options[i]);
        if (given == NULL)
            continue;
        given->is_used = true;
        if (given->value != NULL)
            options |= 1U << i;
    }
    return options;
}

static enum status query_named(struct ctx *ctx, struct db_conn *conn, const struct statement *statement, struct named *named, size_t n,
                               PGresult **ret)
{
    const struct statement_info *info = statement_info(statement);
    const struct variant *variant = statement_variant(statement, named_options(info, named, n), 0, VARIANT_PLAIN);
    const char **values = arena_zalloc_array(ctx->arena, variant->n_binds + 1, sizeof *values);

    for (size_t i = 0; i < variant->n_binds; i++) {
        struct named *given = named_find(named, n, variant->binds[i]);
        if (given == NULL)
            return misuse(ctx, info->name, variant->binds[i]);
        given->is_used = true;
        values[i] = given->value;
    }
    for (size_t i = 0; i < n; i++)
        if (!named[i].is_used)
            return misuse(ctx, info->name, named[i].name);
    return db_execute(ctx, conn, variant, values, ret);
}

enum status db_query(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const char *name, PGresult **ret, ...)
{
    const struct statement *statement = sql_set_find(set, name);
    struct named named[QUERY_BINDS_MAX];
    size_t n = 0;
    va_list ap;

    if (statement == NULL)
        return misuse(ctx, name, "(no such statement)");
    va_start(ap, ret);
    for (const char *bind; n < QUERY_BINDS_MAX && (bind = va_arg(ap, const char *)) != NULL; n++)
        named[n] = (struct named){.name = bind, .value = va_arg(ap, const char *)};
    va_end(ap);
    return query_named(ctx, conn, statement, named, n, ret);
}
