/* SPDX-License-Identifier: Apache-2.0 */
/* Blocking connections against a real server: statements by name, transactions with retry and dry run, COPY, streams, and what errors
 * become. */
#include "testing.h"

#include <fcntl.h>
#include <unistd.h>

static const char statements[] =
    "-- name: add\nSELECT :a::int + :b::int /*? c */ + :c::int /*? */ AS sum\n"
    "-- name: insert\nINSERT INTO conn_row (n, name, parent) VALUES (:n::int, :name, :parent::int) RETURNING n\n"
    "-- name: delete\nDELETE FROM conn_row WHERE n = :n::int RETURNING n\n"
    "-- name: raise\n-- write: true\nSELECT conn_raise(:name)\n"
    "-- name: cast\nSELECT (:text::text)::int AS n\n"
    "-- name: flaky\n-- write: true\nSELECT conn_flaky(:times::int) AS tries\n"
    "-- name: sleep\nSELECT pg_sleep(:s::float8)::text AS slept\n"
    "-- name: sleepShort\n-- timeout: 50\nSELECT pg_sleep(5)::text AS slept\n"
    "-- name: settings\nSELECT current_setting('DateStyle') || '|' || current_setting('TimeZone') || '|' || "
    "current_setting('IntervalStyle')"
    " || '|' || current_setting('client_encoding') || '|' || current_setting('statement_timeout') || '|' || "
    "current_setting('application_name')"
    " || '|' || current_setting('work_mem') AS all\n"
    "-- name: seen\nSELECT concat_ws(' ', current_user = session_user, current_setting('asnd.units', true)) AS who\n"
    "-- name: timeout\nSELECT current_setting('statement_timeout') AS ms\n"
    "-- name: wide\nSELECT v FROM conn_wide\n"
    "-- name: series\nSELECT g AS n, 'row number ' || g AS text FROM generate_series(1, :n::int) g\n"
    "-- name: heavy\nSELECT repeat('x', 1000000) AS text FROM generate_series(1, :n::int) g\n"
    "-- name: late\nSELECT 10 / (g - 5000) AS n FROM generate_series(1, 10000) g\n";

static const char schema[] =
    "SET client_min_messages = error;"
    "DROP TABLE IF EXISTS conn_row, conn_wide, conn_copy;"
    "CREATE TABLE conn_row (n int CONSTRAINT conn_row_pk PRIMARY KEY, name text CONSTRAINT conn_row_name CHECK (name <> ''),"
    " parent int CONSTRAINT conn_row_parent REFERENCES conn_row DEFERRABLE INITIALLY DEFERRED);"
    "CREATE TABLE conn_copy (a text, b text);"
    "CREATE TABLE conn_wide (v int); INSERT INTO conn_wide VALUES (7);"
    "DROP SEQUENCE IF EXISTS conn_try; CREATE SEQUENCE conn_try;"
    "CREATE OR REPLACE FUNCTION conn_flaky(times int) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE n bigint := nextval('conn_try'); BEGIN"
    "  IF n <= times THEN RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'again'; END IF; RETURN n; END $$;"
    "DO $$ BEGIN CREATE ROLE asnd_bound NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
    "CREATE OR REPLACE FUNCTION conn_raise(name text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN"
    "  RAISE EXCEPTION USING ERRCODE = 'P0001', CONSTRAINT = name, MESSAGE = 'a secret of the schema'; END $$";

/* ── the stage ── */

static struct sql_set *set;
static struct db_conn *conn;
static struct ctx ctx;

static struct db_config config_of(int timeout_ms)
{
    return (struct db_config){.conninfo = test_database(), .statement_timeout_ms = timeout_ms, .application_name = "asnd-conn-test"};
}

static int set_up(void **state UNUSED)
{
    static const struct problem_entry problems[] = {
        {"number-taken", ST_CONFLICT, "The number is taken", "Nomor sudah dipakai"},
        {"seats-full", ST_CONFLICT, "All seats are taken", "Semua kursi terisi"},
    };
    static const struct constraint_entry constraints[] = {
        {"conn_row_pk", "number-taken", "/n"}, {"conn_row_name", "invalid", "/name"}, {"no_seat", "seats-full", ""}};

    for (size_t i = 0; i < ARRAY_LEN(problems); i++)
        assert_true(problem_register(&problems[i]));
    for (size_t i = 0; i < ARRAY_LEN(constraints); i++)
        assert_true(problem_register_constraint(&constraints[i]));
    set = parse_ok("statements", "", statements);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    sql_set_free(set);
    return 0;
}

static int before_each(void **state UNUSED)
{
    struct db_config config = config_of(5000);

    ctx = (struct ctx){.arena = arena_new(0), .lang = LANG_EN};
    assert_int_equal(db_connect(&ctx, &config, &conn), ST_OK);
    assert_int_equal(db_sql(&ctx, conn, schema), ST_OK);
    return 0;
}

static int after_each(void **state UNUSED)
{
    db_disconnect(conn);
    arena_free(ctx.arena);
    return 0;
}

static int count(const char *from)
{
    char *sql = arena_printf(ctx.arena, "SELECT count(*) FROM %s", from);
    PGresult *res = PQexec(db_raw(conn), sql);
    int n = atoi(PQgetvalue(res, 0, 0));

    PQclear(res);
    return n;
}

static void kill_backend(struct db_conn *victim)
{
    PGconn *killer = PQconnectdb(test_database());
    char sql[80];

    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d, 5000)", PQbackendPID(db_raw(victim)));
    PQclear(PQexec(killer, sql));
    PQfinish(killer);
}

/* ── statements ── */

static void a_statement_runs_by_name(void **state UNUSED)
{
    PGresult *res;

    assert_int_equal(db_query(&ctx, conn, set, "add", &res, "a", "2", "b", "3", NULL), ST_OK);
    assert_string_equal(PQgetvalue(res, 0, 0), "5");
    assert_int_equal(db_query(&ctx, conn, set, "add", &res, "b", "3", "a", "2", "c", "10", NULL), ST_OK);
    assert_string_equal(PQgetvalue(res, 0, 0), "15");
    assert_int_equal(db_query(&ctx, conn, set, "add", &res, "a", "2", "b", "3", "c", NULL, NULL), ST_OK);
    assert_string_equal(PQgetvalue(res, 0, 0), "5");
    assert_int_equal(db_query(&ctx, conn, set, "add", &res, "a", NULL, "b", "3", NULL), ST_OK);
    assert_true(PQgetisnull(res, 0, 0));
}

static void a_session_is_set_up(void **state UNUSED)
{
    struct db_config config = config_of(1234);
    struct db_conn *other;
    PGresult *res;

    /* The operator's own options hold where they are not ours. */
    config.conninfo = arena_printf(ctx.arena, "%s&options=-c%%20work_mem%%3D7MB%%20-c%%20TimeZone%%3DAsia/Jakarta", test_database());
    assert_int_equal(db_connect(&ctx, &config, &other), ST_OK);
    assert_int_equal(db_query(&ctx, other, set, "settings", &res, NULL), ST_OK);
    assert_string_equal(PQgetvalue(res, 0, 0), "ISO, YMD|UTC|iso_8601|UTF8|1234ms|asnd-conn-test|7MB");
    db_disconnect(other);
}

static void an_unreachable_server_is_unavailable(void **state UNUSED)
{
    struct db_config config = config_of(1000);
    struct db_conn *other = NULL;

    config.conninfo = "host=/nonexistent dbname=x";
    assert_int_equal(db_connect(&ctx, &config, &other), ST_UNAVAILABLE);
    assert_null(other);
    assert_string_equal(ctx.problem.code, "unavailable");
}

static void timeouts_are_kept(void **state UNUSED)
{
    struct db_config config = config_of(60);
    struct db_conn *other;
    PGresult *res;

    assert_int_equal(db_connect(&ctx, &config, &other), ST_OK);
    assert_int_equal(db_query(&ctx, other, set, "sleep", &res, "s", "5", NULL), ST_TIMEOUT);
    assert_string_equal(ctx.problem.code, "timeout");
    db_disconnect(other);
    assert_int_equal(db_query(&ctx, conn, set, "sleepShort", &res, NULL), ST_TIMEOUT);
    assert_int_equal(db_query(&ctx, conn, set, "timeout", &res, NULL), ST_OK);
    assert_string_equal(PQgetvalue(res, 0, 0), "5s");
}

static enum status tell_timeout(struct ctx *ctx_, struct db_conn *txn, void *cls)
{
    PGresult *res;
    enum status st = db_query(ctx_, txn, set, "timeout", &res, NULL);

    if (st == ST_OK)
        *(const char **)cls = PQgetvalue(res, 0, 0);
    return st;
}

/* Also after a rollback, which may have undone what was set. */
static void an_operation_may_have_its_own_timeout(void **state UNUSED)
{
    const char *told;
    PGresult *res;

    for (int is_dry = 1; is_dry >= 0; is_dry--) {
        db_bound(conn, 7000);
        assert_int_equal(db_transaction(&ctx, conn, is_dry, tell_timeout, &told), ST_OK);
        assert_string_equal(told, "7s");
    }
    assert_int_equal(db_query(&ctx, conn, set, "sleepShort", &res, NULL), ST_TIMEOUT);
    db_bound(conn, 0);
    assert_int_equal(db_query(&ctx, conn, set, "timeout", &res, NULL), ST_OK);
    assert_string_equal(PQgetvalue(res, 0, 0), "0");
    db_bound(conn, -1);
    assert_int_equal(db_query(&ctx, conn, set, "timeout", &res, NULL), ST_OK);
    assert_string_equal(PQgetvalue(res, 0, 0), "5s");
}

static void a_changed_schema_is_prepared_again(void **state UNUSED)
{
    PGresult *res;

    assert_int_equal(db_query(&ctx, conn, set, "wide", &res, NULL), ST_OK);
    assert_int_equal(db_sql(&ctx, conn, "ALTER TABLE conn_wide ALTER v TYPE text USING v || '!'"), ST_OK);
    assert_int_equal(db_query(&ctx, conn, set, "wide", &res, NULL), ST_OK);
    assert_string_equal(PQgetvalue(res, 0, 0), "7!");
}

static void expect_seen(struct db_conn *by, const char *who)
{
    PGresult *res;

    assert_int_equal(db_query(&ctx, by, set, "seen", &res, NULL), ST_OK);
    assert_string_equal(PQgetvalue(res, 0, 0), who);
}

static enum status see_in_transaction(struct ctx *c UNUSED, struct db_conn *txn, void *cls)
{
    expect_seen(txn, cls);
    return ST_OK;
}

static void a_session_meets_the_rows_of_given_units(void **state UNUSED)
{
    struct db_config config = config_of(5000);
    struct db_conn *held;

    assert_int_equal(db_see(&ctx, conn, "{a}"), ST_OK); /* of a connection that does not hold units this means nothing */
    expect_seen(conn, "t");
    config.holds_units = true;
    assert_int_equal(db_connect(&ctx, &config, &held), ST_OK);
    expect_seen(held, "t");
    assert_int_equal(db_see(&ctx, held, "{a}"), ST_OK);
    assert_int_equal(db_sql(&ctx, held, "CREATE TEMP TABLE conn_staged AS SELECT 1"), ST_OK);
    expect_seen(held, "f {a}");
    assert_int_equal(db_see(&ctx, held, "{a}"), ST_OK);
    assert_int_equal(db_sql(&ctx, held, "TABLE conn_staged"), ST_OK);
    kill_backend(held);
    assert_int_equal(db_transaction(&ctx, held, false, see_in_transaction, "f {a}"), ST_OK);
    assert_int_equal(db_sql(&ctx, held, "CREATE TEMP TABLE conn_staged AS SELECT 1"), ST_OK);
    assert_int_equal(db_see(&ctx, held, NULL), ST_OK);
    expect_seen(held, "f {}");
    assert_int_equal(db_see(&ctx, held, DB_EVERYTHING), ST_OK);
    expect_seen(held, "t ");
    assert_int_equal(db_sql(&ctx, held, "CREATE TEMP TABLE conn_staged AS SELECT 1"), ST_OK); /* what another had staged is gone */
    db_disconnect(held);
}

static void a_lost_connection_comes_back(void **state UNUSED)
{
    PGresult *res;

    assert_int_equal(db_query(&ctx, conn, set, "add", &res, "a", "1", "b", "1", NULL), ST_OK);
    kill_backend(conn);
    assert_int_equal(db_ensure(&ctx, conn), ST_OK);
    assert_int_equal(db_query(&ctx, conn, set, "add", &res, "a", "1", "b", "1", NULL), ST_OK);
    kill_backend(conn);
    assert_int_equal(db_query(&ctx, conn, set, "add", &res, "a", "1", "b", "1", NULL), ST_UNAVAILABLE);
    assert_int_equal(ctx.problem.retry_after_s, 1);
    assert_int_equal(db_ensure(&ctx, conn), ST_OK);
}

/* ── errors ── */

static void constraints_choose_the_problem(void **state UNUSED)
{
    static const struct {
        const char *label, *statement, *binds[6];
        enum status status;
        const char *code, *pointer;
    } cases[] = {
        {"unique", "insert", {"n", "1", "name", "x", "parent", NULL}, ST_CONFLICT, "number-taken", "/n"},
        {"check", "insert", {"n", "9", "name", "", "parent", NULL}, ST_INVALID, "invalid", "/name"},
        {"reference", "insert", {"n", "9", "name", "x", "parent", "77"}, ST_INVALID, "reference-missing", NULL},
        {"still referenced", "delete", {"n", "1"}, ST_CONFLICT, "in-use", NULL},
        {"raised with a name", "raise", {"name", "no_seat"}, ST_CONFLICT, "seats-full", NULL},
        {"raised with an unknown name", "raise", {"name", "nobody_knows"}, ST_INTERNAL, "internal", NULL},
        {"a value", "cast", {"text", "Budi Santoso"}, ST_INVALID, "invalid", NULL},
    };
    PGresult *res;

    assert_int_equal(db_query(&ctx, conn, set, "insert", &res, "n", "1", "name", "x", "parent", NULL, NULL), ST_OK);
    assert_int_equal(db_query(&ctx, conn, set, "insert", &res, "n", "2", "name", "y", "parent", "1", NULL), ST_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const *b = cases[i].binds;
        enum status st = strcmp(cases[i].statement, "insert") == 0
                             ? db_query(&ctx, conn, set, "insert", &res, b[0], b[1], b[2], b[3], b[4], b[5], NULL)
                             : db_query(&ctx, conn, set, cases[i].statement, &res, b[0], b[1], NULL);
        const struct fault *fault = ctx.problem.first_fault;
        if (st != cases[i].status || strcmp(ctx.problem.code, cases[i].code) != 0)
            fail_msg("%s: %s, %s", cases[i].label, status_name(st), ctx.problem.code);
        if ((fault != NULL) != (cases[i].pointer != NULL) || (fault && strcmp(fault->where, cases[i].pointer) != 0))
            fail_msg("%s: points at %s", cases[i].label, fault ? fault->where : "nothing");
        if (strstr(ctx.problem.detail, "secret") || strstr(ctx.problem.detail, "Budi"))
            fail_msg("%s: tells the server's words: %s", cases[i].label, ctx.problem.detail);
        problem_clear(&ctx);
    }
}

static enum status collide(struct ctx *c, struct db_conn *txn, void *cls UNUSED)
{
    PGresult *res;

    return db_query(c, txn, set, "cast", &res, "text", "Siti \"Aminah\" o'Neil", NULL);
}

/* What reaches standard error while fn runs. */
static char *log_of(enum status (*fn)(struct ctx *c, struct db_conn *txn, void *cls))
{
    char path[] = "/tmp/asnd-test-XXXXXX", *text = calloc(1, 4096);
    int file = mkstemp(path), saved = dup(STDERR_FILENO);

    unlink(path);
    dup2(file, STDERR_FILENO);
    (void)fn(&ctx, conn, NULL);
    dup2(saved, STDERR_FILENO);
    assert_true(pread(file, text, 4095, 0) >= 0);
    close(file);
    close(saved);
    return text;
}

static void the_log_keeps_values_out(void **state UNUSED)
{
    char *log = log_of(collide);

    assert_non_null(strstr(log, "22P02"));
    assert_non_null(strstr(log, "invalid input syntax for type integer"));
    assert_null(strstr(log, "Siti"));
    assert_null(strstr(log, "Aminah"));
    assert_null(strstr(log, "Neil"));
    free(log);
}

/* ── transactions ── */

static enum status insert_one(struct ctx *c, struct db_conn *txn, void *cls)
{
    PGresult *res;

    return db_query(c, txn, set, "insert", &res, "n", (const char *)cls, "name", "x", "parent", NULL, NULL);
}

static enum status insert_orphan(struct ctx *c, struct db_conn *txn, void *cls UNUSED)
{
    PGresult *res;

    return db_query(c, txn, set, "insert", &res, "n", "5", "name", "x", "parent", "99", NULL); /* noticed when it commits */
}

static enum status insert_and_refuse(struct ctx *c, struct db_conn *txn, void *cls)
{
    enum status st = insert_one(c, txn, cls);

    return st == ST_OK ? fail(c, ST_FORBIDDEN, "forbidden", "no", "tidak") : st;
}

static enum status ignore_an_error(struct ctx *c, struct db_conn *txn, void *cls)
{
    PGresult *res;
    enum status st = insert_one(c, txn, cls);

    if (db_query(c, txn, set, "cast", &res, "text", "x", NULL) == ST_OK)
        return ST_INTERNAL;
    return st;
}

static enum status flaky(struct ctx *c, struct db_conn *txn, void *cls)
{
    PGresult *res;

    assert_null(c->problem.code); /* each run begins from a clean slot */
    return db_query(c, txn, set, "flaky", &res, "times", (const char *)cls, NULL);
}

static enum status lose_connection(struct ctx *c, struct db_conn *txn, void *cls)
{
    enum status st = insert_one(c, txn, cls);

    kill_backend(txn);
    return st;
}

static void transactions_end_as_they_should(void **state UNUSED)
{
    static const struct {
        const char *label;
        db_txn_fn fn;
        const char *cls;
        bool rollback_only;
        enum status status;
        int rows;
    } cases[] = {
        {"commit", insert_one, "1", false, ST_OK, 1},
        {"refusal rolls back", insert_and_refuse, "2", false, ST_FORBIDDEN, 1},
        {"dry run", insert_one, "3", true, ST_OK, 1},
        {"dry run that fails", insert_one, "1", true, ST_CONFLICT, 1},
        {"deferred constraint", insert_orphan, NULL, false, ST_INVALID, 1},
        {"deferred constraint in a dry run", insert_orphan, NULL, true, ST_INVALID, 1},
        {"an ignored error commits nothing", ignore_an_error, "4", false, ST_INTERNAL, 1},
        {"three retries", flaky, "3", false, ST_OK, 1},
        {"four are too many", flaky, "8", false, ST_UNAVAILABLE, 1},
        {"a lost connection", lose_connection, "6", false, ST_UNAVAILABLE, 1},
        {"and one after it", insert_one, "7", false, ST_OK, 2},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        problem_clear(&ctx);
        enum status st = db_transaction(&ctx, conn, cases[i].rollback_only, cases[i].fn, (void *)cases[i].cls);
        if (st != cases[i].status)
            fail_msg("%s: %s", cases[i].label, status_name(st));
        if (PQtransactionStatus(db_raw(conn)) != PQTRANS_IDLE && PQstatus(db_raw(conn)) == CONNECTION_OK)
            fail_msg("%s: left a transaction open", cases[i].label);
        if (PQstatus(db_raw(conn)) == CONNECTION_OK && count("conn_row") != cases[i].rows)
            fail_msg("%s: %d rows", cases[i].label, count("conn_row"));
    }
}

/* ── COPY ── */

static enum status copy_rows(struct ctx *c, struct db_conn *txn, void *cls)
{
    struct buf row;
    enum status st = db_copy_begin(c, txn, "COPY conn_copy (a, b) FROM STDIN");

    buf_init(&row, c->arena, 0);
    for (int i = 0; st == ST_OK && i < 1000; i++) {
        row.len = 0;
        db_copy_field(&row, "tab\tnew\nline\rback\\slash", 23);
        buf_putc(&row, '\t');
        db_copy_field(&row, i % 2 ? NULL : "", 0);
        BUF_LIT(&row, "\n");
        st = db_copy_put(c, txn, row.data, row.len);
    }
    if (st == ST_OK && cls != NULL)
        return fail(c, ST_BAD_REQUEST, "bad-request", "given up", "dihentikan"); /* in the middle of the COPY */
    return st == ST_OK ? db_copy_end(c, txn) : st;
}

static void copied_fields_arrive_as_they_were(void **state UNUSED)
{
    assert_int_equal(db_transaction(&ctx, conn, false, copy_rows, NULL), ST_OK);
    assert_int_equal(count("conn_copy WHERE a = E'tab\\tnew\\nline\\rback\\\\slash'"), 1000);
    assert_int_equal(count("conn_copy WHERE b IS NULL"), 500);
    assert_int_equal(count("conn_copy WHERE b = ''"), 500);
}

static void a_copy_given_up_leaves_nothing(void **state UNUSED)
{
    assert_int_equal(db_transaction(&ctx, conn, false, copy_rows, "stop"), ST_BAD_REQUEST);
    assert_int_equal(count("conn_copy"), 0);
}

static void a_bad_copy_tells_why(void **state UNUSED)
{
    assert_int_equal(db_copy_begin(&ctx, conn, "COPY conn_row (n) FROM STDIN"), ST_OK);
    assert_int_equal(db_copy_put(&ctx, conn, "abc\n", 4), ST_OK);
    assert_int_equal(db_copy_end(&ctx, conn), ST_INVALID);
    assert_int_equal(db_copy_begin(&ctx, conn, "COPY no_such (n) FROM STDIN"), ST_INTERNAL);
    assert_int_equal(count("conn_row"), 0);
}

/* ── streams ── */

struct seen {
    int64_t rows, sum, stop_at;
    size_t largest; /* bytes of a chunk */
};

static enum status look(struct ctx *c, void *cls, const PGresult *chunk)
{
    struct seen *seen = cls;

    for (int i = 0; i < PQntuples(chunk); i++)
        seen->sum += atoll(PQgetvalue(chunk, i, 0));
    seen->rows += PQntuples(chunk);
    if (PQresultMemorySize(chunk) > seen->largest)
        seen->largest = PQresultMemorySize(chunk);
    if (seen->stop_at > 0 && seen->rows >= seen->stop_at)
        return fail(c, ST_BAD_REQUEST, "bad-request", "the reader has gone", "pembaca pergi");
    return ST_OK;
}

static enum status stream(const char *name, const char *n, struct seen *seen)
{
    const struct variant *variant = statement_variant(sql_set_find(set, name), 0, 0, VARIANT_PLAIN);

    return db_stream(&ctx, conn, variant, &n, look, seen);
}

static void a_million_rows_take_no_memory(void **state UNUSED)
{
    struct seen seen = {0};
    size_t before = arena_used(ctx.arena);

    assert_int_equal(stream("series", "1000000", &seen), ST_OK);
    assert_int_equal(seen.rows, 1000000);
    assert_int_equal(seen.sum, 500000500000);
    assert_true(seen.largest < 1024 * 1024);
    assert_true(arena_used(ctx.arena) - before < 10000);
    assert_int_equal(PQtransactionStatus(db_raw(conn)), PQTRANS_IDLE);
}

static void heavy_rows_come_in_small_chunks(void **state UNUSED)
{
    struct seen seen = {0};

    assert_int_equal(stream("heavy", "200", &seen), ST_OK);
    assert_int_equal(seen.rows, 200);
    assert_true(seen.largest < 70 * 1024 * 1024); /* the first chunk is sent for before a row's weight is known */
}

static void streams_of_any_length_end(void **state UNUSED)
{
    static const char *const lengths[] = {"0", "1", "63", "64", "65", "4064", "8128"};

    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct seen seen = {0};
        assert_int_equal(stream("series", lengths[i], &seen), ST_OK);
        assert_int_equal(seen.rows, atoi(lengths[i]));
    }
}

static void a_stream_stops_when_told(void **state UNUSED)
{
    struct seen seen = {.stop_at = 1000};

    assert_int_equal(stream("series", "1000000", &seen), ST_BAD_REQUEST);
    assert_true(seen.rows < 10000);
    assert_int_equal(PQtransactionStatus(db_raw(conn)), PQTRANS_IDLE);
    assert_int_equal(count("conn_row"), 0);
}

static void an_error_in_a_stream_ends_it(void **state UNUSED)
{
    struct seen seen = {0};
    const struct variant *variant = statement_variant(sql_set_find(set, "late"), 0, 0, VARIANT_PLAIN);

    assert_int_equal(db_stream(&ctx, conn, variant, NULL, look, &seen), ST_INVALID);
    assert_true(seen.rows < 5000);
    assert_int_equal(count("conn_row"), 0);
}

static enum status stream_twice(struct ctx *c UNUSED, struct db_conn *txn UNUSED, void *cls)
{
    struct seen *seen = cls;
    enum status st = stream("series", "100", seen);

    return st == ST_OK ? stream("series", "100", seen) : st;
}

static void streams_run_inside_a_transaction(void **state UNUSED)
{
    struct seen seen = {0};

    assert_int_equal(db_transaction(&ctx, conn, false, stream_twice, &seen), ST_OK);
    assert_int_equal(seen.rows, 200);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before_each, after_each)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_statement_runs_by_name),
        CASE(a_session_is_set_up),
        CASE(an_unreachable_server_is_unavailable),
        CASE(timeouts_are_kept),
        CASE(an_operation_may_have_its_own_timeout),
        CASE(a_changed_schema_is_prepared_again),
        CASE(a_session_meets_the_rows_of_given_units),
        CASE(a_lost_connection_comes_back),
        CASE(constraints_choose_the_problem),
        CASE(the_log_keeps_values_out),
        CASE(transactions_end_as_they_should),
        CASE(copied_fields_arrive_as_they_were),
        CASE(a_copy_given_up_leaves_nothing),
        CASE(a_bad_copy_tells_why),
        CASE(a_million_rows_take_no_memory),
        CASE(heavy_rows_come_in_small_chunks),
        CASE(streams_of_any_length_end),
        CASE(a_stream_stops_when_told),
        CASE(an_error_in_a_stream_ends_it),
        CASE(streams_run_inside_a_transaction),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
