/* SPDX-License-Identifier: Apache-2.0 */
/* The pipelined connections of a loop against a real server: each request is answered exactly once, with its own result, whatever its
 * neighbours, the server or the network do. */
#include "testing.h"

#include <signal.h>
#include <time.h>

static const char statements[] = "-- name: echo\nSELECT :text::text AS text\n"
                                 "-- name: divide\nSELECT 10 / :n::int AS n\n"
                                 "-- name: moment\nSELECT now()::text AS at\n"
                                 "-- name: begun\n-- write: true\nSELECT now()::text AS at\n"
                                 "-- name: sleep\nSELECT pg_sleep(:s::float8)::text AS slept\n"
                                 "-- name: sleepShort\n-- timeout: 50\nSELECT pg_sleep(5)::text AS slept\n"
                                 "-- name: timeout\nSELECT current_setting('statement_timeout') AS ms\n"
                                 "-- name: insert\nINSERT INTO loop_row (n) VALUES (:n::int) RETURNING n\n"
                                 "-- name: touch\nUPDATE loop_row SET n = n WHERE n = :n::int RETURNING n\n"
                                 "-- name: late\nSELECT n FROM loop_late\n"
                                 "-- name: wide\nSELECT v FROM loop_wide\n"
                                 "-- name: flaky\n-- write: true\nSELECT loop_flaky(:times::int) AS tries\n"
                                 "-- name: both\n-- write: true\nSELECT loop_both(:first::int, :second::int) AS done\n"
                                 "-- name: pid\nSELECT pg_backend_pid()::text AS pid\n"
                                 "-- name: seen\nSELECT concat_ws(' ', current_user, current_setting('asnd.units', true), 10 / :n::int)\n"
                                 "-- name: seenWriting\n-- write: true\n"
                                 "SELECT concat_ws(' ', current_user, current_setting('asnd.units', true), 10 / :n::int)\n"
                                 "-- name: unprepare\nDEALLOCATE units\n"
                                 "-- name: prepared\nSELECT count(*) AS n FROM pg_prepared_statements\n"
                                 "-- name: many\nSELECT 1 AS one\n"
                                 "/*? a */ , :a::int /*? */ /*? b */ , :b::int /*? */ /*? c */ , :c::int /*? */ /*? d */ , :d::int /*? */\n"
                                 "/*? e */ , :e::int /*? */ /*? f */ , :f::int /*? */ /*? g */ , :g::int /*? */ /*? h */ , :h::int /*? */\n"
                                 "/*? i */ , :i::int /*? */ /*? j */ , :j::int /*? */ /*? k */ , :k::int /*? */\n";

static const char schema[] =
    "DROP TABLE IF EXISTS loop_row, loop_late, loop_wide, loop_pair;"
    "CREATE TABLE loop_row (n int CONSTRAINT loop_row_n UNIQUE DEFERRABLE INITIALLY DEFERRED);"
    "CREATE TABLE loop_wide (v int); INSERT INTO loop_wide VALUES (7);"
    "CREATE TABLE loop_pair (id int PRIMARY KEY, n int); INSERT INTO loop_pair VALUES (1, 0), (2, 0);"
    "DROP SEQUENCE IF EXISTS loop_try; CREATE SEQUENCE loop_try;"
    "CREATE OR REPLACE FUNCTION loop_flaky(times int) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE n bigint := nextval('loop_try'); BEGIN"
    "  IF n <= times THEN RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'again'; END IF; RETURN n; END $$;"
    "CREATE OR REPLACE FUNCTION loop_both(a int, b int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN"
    "  UPDATE loop_pair SET n = n + 1 WHERE id = a; PERFORM pg_sleep(0.2); UPDATE loop_pair SET n = n + 1 WHERE id = b;"
    "  RETURN true; END $$;"
    "DO $$ BEGIN CREATE ROLE asnd_bound NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;";

/* ── the stage ── */

static uv_loop_t uv;
static struct sql_set *set;
static struct db_loop *db;
static PGconn *other; /* looks at the database from outside */
static int pending;   /* requests not yet answered */
static bool is_submitting, has_closed;

struct call {
    struct db_request request;
    const char *values[4];
    enum db_outcome outcome;
    char sqlstate[6], text[64];
    int answers, order;
    void (*then)(struct call *call);
};

static int answered; /* in all */

static void on_done(struct db_request *request, enum db_outcome outcome, PGresult *res)
{
    struct call *call = request->cls;

    if (is_submitting)
        fail_msg("answered from inside submit");
    call->answers++;
    call->order = answered++;
    call->outcome = outcome;
    call->text[0] = call->sqlstate[0] = '\0';
    if (outcome == DB_OK && PQntuples(res) > 0)
        snprintf(call->text, sizeof call->text, "%s", PQgetvalue(res, 0, 0));
    if (outcome == DB_FAILED)
        snprintf(call->sqlstate, sizeof call->sqlstate, "%s", PQresultErrorField(res, PG_DIAG_SQLSTATE));
    if ((res == NULL) != (outcome == DB_LOST || outcome == DB_UNAVAILABLE))
        fail_msg("a result without an answer or an answer without its result");
    pending--;
    if (call->then)
        call->then(call);
}

static void submit(struct call *call)
{
    bool was_submitting = is_submitting;

    pending++;
    is_submitting = true;
    db_loop_submit(db, &call->request);
    is_submitting = was_submitting;
}

static void prepare(struct call *call, const char *name, const char *value)
{
    const struct statement *statement = sql_set_find(set, name);

    assert_non_null(statement);
    *call = (struct call){.values = {value}};
    call->request = (struct db_request){.variant = statement_variant(statement, 0, 0, VARIANT_PLAIN),
                                        .values = call->values,
                                        .is_write = statement_info(statement)->is_write,
                                        .done = on_done,
                                        .cls = call};
}

static void start(struct call *call, const char *name, const char *value)
{
    prepare(call, name, value);
    submit(call);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Turns the loop until the condition holds; far too long is a failure. */
#define RUN_UNTIL(condition)                                                                                                               \
    do {                                                                                                                                   \
        int64_t limit_ms = now_ms() + 20000;                                                                                               \
        while (!(condition)) {                                                                                                             \
            uv_run(&uv, UV_RUN_ONCE);                                                                                                      \
            if (now_ms() > limit_ms)                                                                                                       \
                fail_msg("waited 20 s for: %s", #condition);                                                                               \
        }                                                                                                                                  \
    } while (0)

static void on_closed(void *cls)
{
    *(bool *)cls = true;
}

static int write_connections; /* of loops that are opened from now on */
static bool holds_units;

static void open_loop_at(const char *conninfo, int connections, int queue_limit, int timeout_ms)
{
    struct db_config config = {.conninfo = conninfo,
                               .connections = connections,
                               .write_connections = write_connections,
                               .holds_units = holds_units,
                               .queue_limit = queue_limit,
                               .statement_timeout_ms = timeout_ms,
                               .application_name = "asnd-loop-test"};

    assert_int_equal(uv_loop_init(&uv), 0);
    db = db_loop_new(&uv, &config);
    has_closed = false;
    pending = answered = 0;
}

static void on_tick(uv_timer_t *tick UNUSED)
{
}

static bool all_up(int connections)
{
    PGresult *res = PQexec(other, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'asnd-loop-test' AND state = 'idle'");
    bool is = atoi(PQgetvalue(res, 0, 0)) == connections;

    PQclear(res);
    return is && db_loop_is_up(db);
}

static void open_loop(int connections, int queue_limit, int timeout_ms)
{
    uv_timer_t tick; /* the condition looks at the server, which wakes no loop of ours */

    open_loop_at(test_database(), connections, queue_limit, timeout_ms);
    uv_timer_init(&uv, &tick);
    uv_timer_start(&tick, on_tick, 1, 1);
    RUN_UNTIL(all_up(connections + write_connections));
    for (struct call warm[16], *c = warm; c < warm + connections; c++) { /* libpq's last step of connecting is ours to wait for, too */
        start(c, "echo", "warm");
        RUN_UNTIL(pending == 0);
    }
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&uv, UV_RUN_NOWAIT);
    answered = 0;
}

static void close_loop(void)
{
    db_loop_close(db, on_closed, &has_closed);
    RUN_UNTIL(has_closed);
    while (uv_run(&uv, UV_RUN_NOWAIT) != 0)
        continue;
    assert_int_equal(uv_loop_close(&uv), 0);
}

static void sql(const char *text)
{
    PGresult *res = PQexec(other, text);

    if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", text, PQresultErrorMessage(res));
    PQclear(res);
}

static int sql_int(const char *text)
{
    PGresult *res = PQexec(other, text);

    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", text, PQresultErrorMessage(res));
    int n = atoi(PQgetvalue(res, 0, 0));
    PQclear(res);
    return n;
}

static int set_up(void **state UNUSED)
{
    set = parse_ok("statements", "", statements);
    other = PQconnectdb(test_database());
    sql("SET client_min_messages = error");
    sql(schema);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    PQfinish(other);
    sql_set_free(set);
    return 0;
}

static void expect(const struct call *call, enum db_outcome outcome, const char *text_or_sqlstate)
{
    const char *actual = call->outcome == DB_FAILED ? call->sqlstate : call->text;

    assert_int_equal(call->answers, 1);
    if (call->outcome != outcome || (text_or_sqlstate && strcmp(actual, text_or_sqlstate) != 0))
        fail_msg("outcome %d \"%s\" instead of %d \"%s\"", call->outcome, actual, outcome, text_or_sqlstate ? text_or_sqlstate : "");
}

/* ── answers ── */

static void results_come_in_order_and_to_the_right_request(void **state UNUSED)
{
    static struct call calls[500];
    char texts[ARRAY_LEN(calls)][12];

    open_loop(1, 1000, 5000);
    for (int i = 0; i < (int)ARRAY_LEN(calls); i++) {
        snprintf(texts[i], sizeof texts[i], "%d", i);
        start(&calls[i], "echo", texts[i]);
    }
    assert_int_equal(db_loop_depth(db), ARRAY_LEN(calls));
    RUN_UNTIL(pending == 0);
    for (int i = 0; i < (int)ARRAY_LEN(calls); i++) {
        expect(&calls[i], DB_OK, texts[i]);
        assert_int_equal(calls[i].order, i);
    }
    assert_int_equal(db_loop_depth(db), 0);
    close_loop();
}

static void nulls_are_bound_as_nulls(void **state UNUSED)
{
    struct call call;

    open_loop(1, 10, 5000);
    start(&call, "echo", NULL);
    RUN_UNTIL(pending == 0);
    expect(&call, DB_OK, "");
    close_loop();
}

static void large_values_flow_both_ways(void **state UNUSED)
{
    static struct call calls[40];
    size_t len = 1 << 20;
    char *big = malloc(len + 1);

    memset(big, 'x', len);
    big[len] = '\0';
    open_loop(1, 1000, 5000);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        start(&calls[i], "echo", big);
    RUN_UNTIL(pending == 0);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        expect(&calls[i], DB_OK, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    close_loop();
    free(big);
}

static struct call chained;

static void submit_chained(struct call *call UNUSED)
{
    start(&chained, "echo", "second");
}

static void done_may_submit(void **state UNUSED)
{
    struct call first;

    open_loop(1, 10, 5000);
    prepare(&first, "echo", "first");
    first.then = submit_chained;
    submit(&first);
    RUN_UNTIL(pending == 0);
    expect(&first, DB_OK, "first");
    expect(&chained, DB_OK, "second");
    close_loop();
}

/* ── segments ── */

static void reads_of_a_turn_share_a_transaction_and_writes_do_not(void **state UNUSED)
{
    struct call first, a, b, write, c, d;

    open_loop(1, 100, 5000);
    start(&first, "moment", NULL); /* goes at once: nothing was in flight */
    start(&a, "moment", NULL);
    start(&b, "moment", NULL);
    start(&write, "begun", NULL);
    start(&c, "moment", NULL);
    start(&d, "moment", NULL);
    RUN_UNTIL(pending == 0);
    /* The first use prepares, in segments of its own; the second time all is as it will be. */
    start(&first, "moment", NULL);
    start(&a, "moment", NULL);
    start(&b, "moment", NULL);
    start(&write, "begun", NULL);
    start(&c, "moment", NULL);
    start(&d, "moment", NULL);
    RUN_UNTIL(pending == 0);
    assert_string_not_equal(first.text, a.text);
    assert_string_equal(a.text, b.text);
    assert_string_not_equal(b.text, write.text);
    assert_string_not_equal(write.text, c.text);
    assert_string_equal(c.text, d.text);
    close_loop();
}

static void an_error_spares_its_neighbours(void **state UNUSED)
{
    static struct call calls[30];

    open_loop(1, 100, 5000);
    for (int i = 0; i < (int)ARRAY_LEN(calls); i++)
        start(&calls[i], "divide", i % 7 == 3 ? "0" : "5");
    RUN_UNTIL(pending == 0);
    for (int i = 0; i < (int)ARRAY_LEN(calls); i++)
        expect(&calls[i], i % 7 == 3 ? DB_FAILED : DB_OK, i % 7 == 3 ? "22012" : "2");
    close_loop();
}

static void start_seeing(struct call *call, const char *name, const char *units, const char *n)
{
    prepare(call, name, n);
    call->request.units = units;
    submit(call);
}

static void units_are_told_for_their_segment_alone(void **state UNUSED)
{
    static const struct {
        const char *name, *units, *n, *text;
    } cases[] = {
        {"seen", "{a}", "1", "asnd_bound {a} 10"},
        {"seen", "{a}", "2", "asnd_bound {a} 5"},
        {"seen", "{b}", "1", "asnd_bound {b} 10"},
        {"seen", DB_EVERYTHING, "1", NULL},
        {"seen", "{a}", "0", "22012"},
        {"seen", "{a}", "1", "asnd_bound {a} 10"},
        {"seenWriting", "{b}", "5", "asnd_bound {b} 2"},
        {"seen", DB_EVERYTHING, "1", NULL},
        {"seen", NULL, "1", "asnd_bound {} 10"},
        {"seenWriting", DB_EVERYTHING, "1", NULL},
        {"seenWriting", NULL, "1", "asnd_bound {} 10"},
        {"seenWriting", "{a}", "0", "22012"},
        {"seen", DB_EVERYTHING, "0", "22012"},
        {"seen", "{a}", "5", "asnd_bound {a} 2"},
    };
    static struct call calls[3 * ARRAY_LEN(cases)];

    holds_units = true;
    open_loop(1, 100, 5000);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        start_seeing(&calls[i], cases[i % ARRAY_LEN(cases)].name, cases[i % ARRAY_LEN(cases)].units, cases[i % ARRAY_LEN(cases)].n);
    RUN_UNTIL(pending == 0);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        const char *text = cases[i % ARRAY_LEN(cases)].text;
        bool has_failed = text != NULL && strlen(text) == 5;
        expect(&calls[i], has_failed ? DB_FAILED : DB_OK, text);
        assert_true(text != NULL || strstr(calls[i].text, "asnd_bound") == NULL);
    }
    close_loop();
    holds_units = false;
}

static void a_telling_that_the_server_forgot_is_made_again(void **state UNUSED)
{
    struct call forget, a, b, write;

    holds_units = true;
    open_loop(1, 100, 5000);
    start_seeing(&a, "seen", "{a}", "1");
    RUN_UNTIL(pending == 0);
    for (int turn = 0; turn < 2; turn++) {
        start_seeing(&forget, "unprepare", DB_EVERYTHING, NULL);
        if (turn == 0) {
            start_seeing(&a, "seen", "{a}", "1");
            start_seeing(&b, "seen", "{a}", "2");
        }
        start_seeing(&write, "seenWriting", "{b}", "1");
        RUN_UNTIL(pending == 0);
        expect(&a, DB_OK, "asnd_bound {a} 10");
        expect(&b, DB_OK, "asnd_bound {a} 5");
        expect(&write, DB_OK, "asnd_bound {b} 10");
    }
    close_loop();
    holds_units = false;
}

static void units_are_not_told_where_they_are_not_held(void **state UNUSED)
{
    struct call call;

    open_loop(1, 100, 5000);
    start_seeing(&call, "seen", "{a}", "1");
    RUN_UNTIL(pending == 0);
    assert_null(strstr(call.text, "asnd_bound"));
    close_loop();
}

static void see_from_outside(struct call *call)
{
    char query[80];

    snprintf(query, sizeof query, "SELECT count(*) FROM loop_row WHERE n = %s", call->values[0]);
    snprintf(call->text, sizeof call->text, "%d", sql_int(query));
}

static void a_write_is_answered_after_its_commit(void **state UNUSED)
{
    static struct call calls[20];
    char numbers[ARRAY_LEN(calls)][12];

    open_loop(2, 100, 5000);
    for (int i = 0; i < (int)ARRAY_LEN(calls); i++) {
        snprintf(numbers[i], sizeof numbers[i], "%d", 100 + i);
        prepare(&calls[i], "insert", numbers[i]);
        calls[i].then = see_from_outside;
        submit(&calls[i]);
    }
    RUN_UNTIL(pending == 0);
    for (int i = 0; i < (int)ARRAY_LEN(calls); i++)
        expect(&calls[i], DB_OK, "1");
    close_loop();
}

static void a_commit_that_fails_is_the_writes_error(void **state UNUSED)
{
    struct call first, twin, read, next;

    open_loop(1, 100, 5000);
    start(&first, "insert", "1");
    start(&twin, "insert", "1"); /* the constraint is deferred */
    start(&read, "echo", "neighbour");
    start(&next, "insert", "2");
    RUN_UNTIL(pending == 0);
    expect(&first, DB_OK, "1");
    expect(&twin, DB_FAILED, "23505");
    expect(&read, DB_OK, "neighbour");
    expect(&next, DB_OK, "2");
    assert_int_equal(sql_int("SELECT count(*) FROM loop_row WHERE n IN (1, 2)"), 2);
    close_loop();
}

/* ── preparing ── */

static void a_prepare_that_fails_is_not_remembered(void **state UNUSED)
{
    struct call a, b, neighbour;

    open_loop(1, 100, 5000);
    start(&a, "late", NULL);
    start(&b, "late", NULL);
    start(&neighbour, "echo", "neighbour");
    RUN_UNTIL(pending == 0);
    expect(&a, DB_FAILED, "42P01");
    expect(&b, DB_FAILED, "42P01");
    expect(&neighbour, DB_OK, "neighbour");
    sql("CREATE TABLE loop_late AS SELECT 3 AS n");
    start(&a, "late", NULL);
    start(&b, "late", NULL);
    RUN_UNTIL(pending == 0);
    expect(&a, DB_OK, "3");
    expect(&b, DB_OK, "3");
    close_loop();
}

static void a_changed_schema_is_prepared_again(void **state UNUSED)
{
    struct call before, after[3];

    open_loop(1, 100, 5000);
    start(&before, "wide", NULL);
    RUN_UNTIL(pending == 0);
    expect(&before, DB_OK, "7");
    sql("ALTER TABLE loop_wide ALTER v TYPE text USING v || '!'");
    for (size_t i = 0; i < ARRAY_LEN(after); i++)
        start(&after[i], "wide", NULL);
    RUN_UNTIL(pending == 0);
    for (size_t i = 0; i < ARRAY_LEN(after); i++)
        expect(&after[i], DB_OK, "7!");
    close_loop();
}

static void prepared_statements_are_bounded(void **state UNUSED)
{
    static struct call calls[1500];
    static const char *const ones[] = {"1", "1", "1", "1", "1", "1", "1", "1", "1", "1", "1"};
    const struct statement *many = sql_set_find(set, "many");
    struct call count;

    open_loop(1, 2000, 5000);
    for (unsigned i = 0; i < ARRAY_LEN(calls); i++) {
        prepare(&calls[i], "many", NULL);
        calls[i].request.variant = statement_variant(many, i, 0, VARIANT_PLAIN);
        calls[i].request.values = ones;
        submit(&calls[i]);
    }
    RUN_UNTIL(pending == 0);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        expect(&calls[i], DB_OK, "1");
    start(&count, "prepared", NULL);
    RUN_UNTIL(pending == 0);
    assert_in_range(atoi(count.text), 400, 1000);
    close_loop();
}

/* ── time-outs and retries ── */

static void a_request_may_have_its_own_timeout(void **state UNUSED)
{
    struct call own, statements_own, neighbour, setting, longer;

    open_loop(1, 100, 5000);
    prepare(&own, "sleep", "5");
    own.request.timeout_ms = 50;
    submit(&own);
    start(&statements_own, "sleepShort", NULL);
    prepare(&longer, "timeout", NULL);
    longer.request.timeout_ms = 7000;
    submit(&longer);
    start(&neighbour, "echo", "neighbour");
    start(&setting, "timeout", NULL);
    RUN_UNTIL(pending == 0);
    expect(&own, DB_FAILED, "57014");
    expect(&statements_own, DB_FAILED, "57014");
    expect(&longer, DB_OK, "7s");
    expect(&neighbour, DB_OK, "neighbour");
    expect(&setting, DB_OK, "5s");
    close_loop();
}

static void serialization_failures_are_run_again_three_times(void **state UNUSED)
{
    static const struct {
        const char *times;
        bool run_again;
        enum db_outcome outcome;
        const char *expected;
    } cases[] = {{"3", true, DB_OK, "4"}, {"4", true, DB_FAILED, "40001"}, {"1", false, DB_FAILED, "40001"}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct call call;
        sql("SELECT setval('loop_try', 1, false)");
        open_loop(1, 100, 5000);
        prepare(&call, "flaky", cases[i].times);
        call.request.run_again = cases[i].run_again;
        submit(&call);
        RUN_UNTIL(pending == 0);
        expect(&call, cases[i].outcome, cases[i].expected);
        close_loop();
    }
}

static void a_deadlock_ends_well_for_both(void **state UNUSED)
{
    struct call calls[2];

    open_loop(2, 100, 5000);
    for (int i = 0; i < 2; i++) {
        prepare(&calls[i], "both", i ? "2" : "1");
        calls[i].values[1] = i ? "1" : "2";
        calls[i].request.run_again = true;
        submit(&calls[i]);
    }
    RUN_UNTIL(pending == 0);
    expect(&calls[0], DB_OK, "t");
    expect(&calls[1], DB_OK, "t");
    assert_int_equal(sql_int("SELECT sum(n) FROM loop_pair"), 4);
    close_loop();
}

static void nothing_queues_behind_a_slow_statement(void **state UNUSED)
{
    static struct call calls[60];
    struct call slow;

    open_loop(2, 100, 5000);
    start(&slow, "sleep", "1");
    uint64_t begun = uv_now(&uv);
    uv_timer_t tick;
    uv_timer_init(&uv, &tick);
    uv_timer_start(&tick, on_tick, 1, 1);
    RUN_UNTIL(uv_now(&uv) > begun + 30); /* by now it is known as slow */
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        start(&calls[i], "echo", "quick");
    RUN_UNTIL(pending == 0);
    uv_close((uv_handle_t *)&tick, NULL);
    expect(&slow, DB_OK, "");
    assert_int_equal(slow.order, ARRAY_LEN(calls));
    close_loop();
}

/* ── losses ── */

static int to_come, ok, lost;
static struct call storm[100], *parked[ARRAY_LEN(storm)];
static size_t n_parked;

/* Each call is submitted again and again; while no connection is up it is put by. */
static void count_and_submit_again(struct call *call)
{
    ok += call->outcome == DB_OK;
    lost += call->outcome == DB_LOST;
    if (call->outcome == DB_OK && call->values[0] != NULL && strcmp(call->text, call->values[0]) != 0)
        fail_msg("%s got the answer of %s", call->values[0], call->text);
    if (call->outcome == DB_FAILED)
        fail_msg("an error of the server: %s", call->sqlstate);
    if (to_come-- <= 0)
        return;
    assert_int_equal(call->answers, 1);
    call->answers = 0;
    if (call->outcome == DB_UNAVAILABLE)
        parked[n_parked++] = call;
    else
        submit(call);
}

static void submit_parked(void)
{
    while (n_parked > 0 && db_loop_is_up(db))
        submit(parked[--n_parked]);
}

/* Two writes wait for a lock that somebody else holds: on connections of their own, so that reads and a third write pass them. */
static void nobody_waits_behind_a_write_that_waits(void **state UNUSED)
{
    struct call waiting[2], reads[8], passing;

    write_connections = 3;
    open_loop(1, 1000, 20000);
    sql("TRUNCATE loop_row; INSERT INTO loop_row VALUES (7000), (7001)");
    sql("BEGIN");
    sql("SELECT FROM loop_row WHERE n = 7000 FOR UPDATE");
    for (int i = 0; i < 2; i++)
        start(&waiting[i], "touch", "7000");
    for (int i = 0; i < 8; i++)
        start(&reads[i], "echo", "quick");
    start(&passing, "touch", "7001");
    RUN_UNTIL(pending == 2);
    expect(&passing, DB_OK, "7001");
    for (int i = 0; i < 8; i++)
        expect(&reads[i], DB_OK, "quick");
    sql("COMMIT");
    RUN_UNTIL(pending == 0);
    for (int i = 0; i < 2; i++)
        expect(&waiting[i], DB_OK, "7000");
    close_loop();
    write_connections = 0;
}

static void every_request_is_answered_while_backends_die(void **state UNUSED)
{
    static const char kill_two[] = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'asnd-loop-test'"
                                   " ORDER BY random() LIMIT 2";
    char numbers[ARRAY_LEN(storm)][12];
    int kills = 0;

    open_loop(3, 1000, 5000);
    to_come = 20000;
    ok = lost = 0;
    for (int i = 0; i < (int)ARRAY_LEN(storm); i++) {
        snprintf(numbers[i], sizeof numbers[i], "%d", 1000 + i);
        prepare(&storm[i], i % 10 == 0 ? "begun" : "echo", i % 10 == 0 ? NULL : numbers[i]);
        storm[i].then = count_and_submit_again;
        submit(&storm[i]);
    }
    while (pending > 0 || n_parked > 0) {
        RUN_UNTIL(n_parked > 0 ? db_loop_is_up(db) : pending == 0 || ok >= (kills + 1) * 1000);
        submit_parked();
        if (ok >= (kills + 1) * 1000 && kills++ < 15)
            sql(kill_two);
    }
    for (size_t i = 0; i < ARRAY_LEN(storm); i++)
        assert_int_equal(storm[i].answers, 1);
    assert_int_equal(answered, 20000 + (int)ARRAY_LEN(storm));
    assert_int_equal(db_loop_depth(db), 0);
    assert_true(kills >= 15 && lost > 15 && ok > 15000);
    close_loop();
}

static void a_loss_answers_what_runs_and_the_loop_comes_back(void **state UNUSED)
{
    struct call running, queued, after;

    open_loop(1, 100, 5000);
    start(&running, "sleep", "5");
    start(&queued, "echo", "queued");
    RUN_UNTIL(sql_int("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'asnd-loop-test' AND state = 'active'") == 1 ||
              pending == 0);
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'asnd-loop-test'");
    RUN_UNTIL(pending == 0);
    expect(&running, DB_LOST, NULL);
    assert_true(queued.outcome == DB_LOST || queued.outcome == DB_UNAVAILABLE);
    RUN_UNTIL(db_loop_is_up(db));
    start(&after, "echo", "after");
    RUN_UNTIL(pending == 0);
    expect(&after, DB_OK, "after");
    close_loop();
}

static void connections_may_be_given_up_and_are_counted(void **state UNUSED)
{
    struct call running, after;

    open_loop(1, 100, 5000);
    RUN_UNTIL(db_loop_is_up(db));
    unsigned before = db_loop_connects(db);
    start(&running, "sleep", "5");
    RUN_UNTIL(sql_int("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'asnd-loop-test' AND state = 'active'") == 1 ||
              pending == 0);
    assert_int_equal(db_loop_connects(db), before);
    db_loop_reconnect(db);
    assert_false(db_loop_is_up(db));
    RUN_UNTIL(pending == 0);
    expect(&running, DB_LOST, NULL);
    RUN_UNTIL(db_loop_is_up(db));
    assert_int_equal(db_loop_connects(db), before + 1);
    start(&after, "echo", "after");
    RUN_UNTIL(pending == 0);
    expect(&after, DB_OK, "after");
    close_loop();
}

/* A stopped backend stands for a machine that has gone without a word. */
static void a_silent_server_is_given_up(void **state UNUSED)
{
    struct call pid, silent, after;

    open_loop(1, 100, 100);
    start(&pid, "pid", NULL);
    RUN_UNTIL(pending == 0);
    int64_t begun = now_ms();
    assert_int_equal(kill(atoi(pid.text), SIGSTOP), 0);
    start(&silent, "echo", "hello?");
    RUN_UNTIL(pending == 0);
    kill(atoi(pid.text), SIGCONT);
    expect(&silent, DB_LOST, NULL);
    assert_in_range(now_ms() - begun, 5000, 8000);
    RUN_UNTIL(db_loop_is_up(db));
    start(&after, "echo", "after");
    RUN_UNTIL(pending == 0);
    expect(&after, DB_OK, "after");
    close_loop();
}

static void what_is_over_the_limit_is_refused(void **state UNUSED)
{
    static struct call calls[20];
    int refused = 0;

    open_loop(1, 5, 5000);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        start(&calls[i], "echo", "x");
    RUN_UNTIL(pending == 0);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        expect(&calls[i], i < 6 ? DB_OK : DB_UNAVAILABLE, NULL); /* one went at once, five waited for the turn */
        refused += calls[i].outcome == DB_UNAVAILABLE;
    }
    assert_int_equal(refused, 14);
    close_loop();
}

static void without_a_server_everything_is_refused_at_once(void **state UNUSED)
{
    struct call call;

    open_loop_at("host=/nonexistent dbname=x", 2, 10, 5000);
    assert_false(db_loop_is_up(db));
    start(&call, "echo", "x");
    RUN_UNTIL(pending == 0);
    expect(&call, DB_UNAVAILABLE, NULL);
    close_loop();
}

static void closing_finishes_what_runs(void **state UNUSED)
{
    struct call running, late;

    open_loop(1, 100, 5000);
    start(&running, "sleep", "0.2");
    db_loop_close(db, on_closed, &has_closed);
    start(&late, "echo", "late");
    RUN_UNTIL(has_closed);
    expect(&running, DB_OK, "");
    expect(&late, DB_UNAVAILABLE, NULL);
    while (uv_run(&uv, UV_RUN_NOWAIT) != 0)
        continue;
    assert_int_equal(uv_loop_close(&uv), 0);
}

static void closing_while_connecting_is_fine(void **state UNUSED)
{
    open_loop_at(test_database(), 4, 100, 5000);
    close_loop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_come_in_order_and_to_the_right_request),
        cmocka_unit_test(nulls_are_bound_as_nulls),
        cmocka_unit_test(large_values_flow_both_ways),
        cmocka_unit_test(done_may_submit),
        cmocka_unit_test(reads_of_a_turn_share_a_transaction_and_writes_do_not),
        cmocka_unit_test(an_error_spares_its_neighbours),
        cmocka_unit_test(units_are_told_for_their_segment_alone),
        cmocka_unit_test(a_telling_that_the_server_forgot_is_made_again),
        cmocka_unit_test(units_are_not_told_where_they_are_not_held),
        cmocka_unit_test(a_write_is_answered_after_its_commit),
        cmocka_unit_test(a_commit_that_fails_is_the_writes_error),
        cmocka_unit_test(a_prepare_that_fails_is_not_remembered),
        cmocka_unit_test(a_changed_schema_is_prepared_again),
        cmocka_unit_test(prepared_statements_are_bounded),
        cmocka_unit_test(a_request_may_have_its_own_timeout),
        cmocka_unit_test(serialization_failures_are_run_again_three_times),
        cmocka_unit_test(a_deadlock_ends_well_for_both),
        cmocka_unit_test(nothing_queues_behind_a_slow_statement),
        cmocka_unit_test(nobody_waits_behind_a_write_that_waits),
        cmocka_unit_test(every_request_is_answered_while_backends_die),
        cmocka_unit_test(a_loss_answers_what_runs_and_the_loop_comes_back),
        cmocka_unit_test(connections_may_be_given_up_and_are_counted),
        cmocka_unit_test(a_silent_server_is_given_up),
        cmocka_unit_test(what_is_over_the_limit_is_refused),
        cmocka_unit_test(without_a_server_everything_is_refused_at_once),
        cmocka_unit_test(closing_finishes_what_runs),
        cmocka_unit_test(closing_while_connecting_is_fine),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
