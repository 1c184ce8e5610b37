/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations against a real server, each test in a database of its own. */
#include "testing.h"

#include <pthread.h>

#define M(n, sql)                                                                                                                          \
    {                                                                                                                                      \
        n, #n "_m.sql", sql, sizeof(sql) - 1                                                                                               \
    }

static const struct migration good[] = {M(1, "CREATE TABLE a (n int)"), M(2, "CREATE TABLE b (n int); INSERT INTO b VALUES (1)"),
                                        M(3, "ALTER TABLE a ADD m int")};

static struct ctx ctx;
static struct db_conn *conn;
static char *told;
static size_t told_len;
static FILE *out;

static void admin(const char *sql)
{
    PGconn *pg = PQconnectdb(test_database());
    PGresult *res = PQexec(pg, sql);

    if (PQresultStatus(res) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(res));
    PQclear(res);
    PQfinish(pg);
}

static struct db_conn *connect_to_ours(struct ctx *c)
{
    struct db_config config = {.application_name = "asnd-migrate-test"};
    struct db_conn *ret;

    config.conninfo = arena_printf(c->arena, "%s&dbname=migrate_test", test_database());
    assert_int_equal(db_connect(c, &config, &ret), ST_OK);
    return ret;
}

static int before_each(void **state UNUSED)
{
    ctx = (struct ctx){.arena = arena_new(0), .lang = LANG_EN};
    admin("DROP DATABASE IF EXISTS migrate_test");
    admin("CREATE DATABASE migrate_test");
    conn = connect_to_ours(&ctx);
    out = open_memstream(&told, &told_len);
    return 0;
}

static int after_each(void **state UNUSED)
{
    db_disconnect(conn);
    arena_free(ctx.arena);
    fclose(out);
    free(told);
    return 0;
}

static const char *told_so_far(void)
{
    fflush(out);
    return told;
}

static const char *value(const char *sql)
{
    PGresult *res = PQexec(db_raw(conn), sql);

    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(res));
    const char *text = arena_strdup(ctx.arena, PQgetvalue(res, 0, 0));
    PQclear(res);
    return text;
}

static void assert_refused(enum status st, const char *words)
{
    assert_int_equal(st, ST_UNAVAILABLE);
    if (strstr(ctx.problem.detail, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", ctx.problem.detail, words);
}

static void what_is_missing_is_applied_once(void **state UNUSED)
{
    struct migrate_report report;

    assert_int_equal(migrate_run(&ctx, conn, good, 2, false, out, &report), ST_OK);
    assert_int_equal(report.applied_before, 0);
    assert_int_equal(report.applied_now, 2);
    assert_int_equal(migrate_run(&ctx, conn, good, 3, false, out, &report), ST_OK);
    assert_int_equal(report.applied_before, 2);
    assert_int_equal(report.applied_now, 1);
    assert_int_equal(report.newest, 3);
    assert_int_equal(migrate_run(&ctx, conn, good, 3, false, out, &report), ST_OK);
    assert_int_equal(report.applied_now, 0);
    assert_string_equal(value("SELECT count(*) FROM b"), "1");
    assert_string_equal(value("SELECT count(*) FROM schema_migration"), "3");
    assert_string_equal(value("SELECT checksum FROM schema_migration WHERE number = 1"),
                        value("SELECT encode(sha256('CREATE TABLE a (n int)'), 'hex')"));
    assert_string_equal(told_so_far(), "1_m.sql: applied\n2_m.sql: applied\n3_m.sql: applied\n");
    assert_int_equal(migrate_check(&ctx, conn, good, 3), ST_OK);
}

static void the_bookkeeping_is_commented(void **state UNUSED)
{
    struct migrate_report report;

    assert_int_equal(migrate_run(&ctx, conn, good, 1, false, out, &report), ST_OK);
    assert_string_equal(value("SELECT count(*) FROM pg_description WHERE objoid = 'schema_migration'::regclass"), "5");
}

static void a_dry_run_stores_nothing(void **state UNUSED)
{
    struct migrate_report report;

    assert_int_equal(migrate_run(&ctx, conn, good, 3, true, out, &report), ST_OK);
    assert_int_equal(report.applied_now, 3);
    assert_string_equal(value("SELECT count(*) FROM pg_class WHERE relname IN ('a', 'b', 'schema_migration')"), "0");
    assert_string_equal(told_so_far(), "1_m.sql: would be applied\n2_m.sql: would be applied\n3_m.sql: would be applied\n");
}

static void a_failure_keeps_what_came_before_it(void **state UNUSED)
{
    static const struct migration bad[] = {M(1, "CREATE TABLE a (n int)"), M(2, "CREATE TABLE b (n int);\nINSERT INTO c VALUES (1)")};
    struct migrate_report report = {.newest = -1};

    assert_int_equal(migrate_run(&ctx, conn, bad, 2, false, out, &report), ST_INTERNAL);
    assert_int_equal(report.newest, -1);
    assert_string_equal(value("SELECT count(*) FROM schema_migration"), "1");
    assert_string_equal(value("SELECT count(*) FROM pg_class WHERE relname IN ('a', 'b')"), "1");
    assert_non_null(strstr(told_so_far(), "2_m.sql:2: relation \"c\" does not exist (SQLSTATE 42P01)"));
    assert_string_equal(value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0");
    assert_int_equal(migrate_run(&ctx, conn, good, 3, false, out, &report), ST_OK);
}

static void a_migration_may_not_end_its_transaction(void **state UNUSED)
{
    static const struct migration bad[] = {M(1, "CREATE TABLE a (n int); COMMIT; CREATE TABLE b (n int)")};
    struct migrate_report report;

    assert_refused(migrate_run(&ctx, conn, bad, 1, false, out, &report), "ends its transaction itself");
}

static void a_changed_checksum_is_refused(void **state UNUSED)
{
    static const struct migration edited[] = {M(1, "CREATE TABLE a (n int)"), M(2, "CREATE TABLE b (n bigint)")};
    struct migrate_report report;

    assert_int_equal(migrate_run(&ctx, conn, good, 2, false, out, &report), ST_OK);
    assert_refused(migrate_run(&ctx, conn, edited, 2, false, out, &report), "2 (2_m.sql) is not the one that was applied");
    assert_refused(migrate_run(&ctx, conn, edited, 2, true, out, &report), "checksum has changed");
    assert_refused(migrate_check(&ctx, conn, edited, 2), "checksum has changed");
}

static void a_newer_database_is_refused(void **state UNUSED)
{
    struct migrate_report report;

    assert_int_equal(migrate_run(&ctx, conn, good, 3, false, out, &report), ST_OK);
    assert_refused(migrate_run(&ctx, conn, good, 2, false, out, &report), "The database is newer than the program");
    assert_refused(migrate_check(&ctx, conn, good, 2), "The database is newer than the program");
}

static void gaps_are_refused(void **state UNUSED)
{
    static const struct migration gap[] = {M(1, "SELECT 1"), M(3, "SELECT 1")};
    struct migrate_report report;

    assert_refused(migrate_run(&ctx, conn, gap, 2, false, out, &report), "Migration 2 is missing: 3_m.sql follows");
    assert_int_equal(migrate_run(&ctx, conn, good, 3, false, out, &report), ST_OK);
    assert_int_equal(db_sql(&ctx, conn, "DELETE FROM schema_migration WHERE number = 2"), ST_OK);
    assert_refused(migrate_run(&ctx, conn, good, 3, false, out, &report), "lacks migration 2 although it has 3");
}

static void an_older_database_is_told(void **state UNUSED)
{
    struct migrate_report report;

    assert_refused(migrate_check(&ctx, conn, good, 3), "0 of 3 migrations are applied");
    assert_string_equal(value("SELECT to_regclass('schema_migration') IS NULL"), "t"); /* looking changes nothing */
    assert_int_equal(migrate_run(&ctx, conn, good, 2, false, out, &report), ST_OK);
    assert_refused(migrate_check(&ctx, conn, good, 3), "2 of 3 migrations are applied");
}

static void the_status_lists_both(void **state UNUSED)
{
    struct migrate_report report;

    assert_int_equal(migrate_run(&ctx, conn, good, 1, false, out, &report), ST_OK);
    assert_int_equal(migrate_status(&ctx, conn, good, 2, out), ST_OK);
    assert_non_null(strstr(told_so_far(), "0001  2"));
    assert_non_null(strstr(told_so_far(), "  1_m.sql\n0002  not applied          2_m.sql\n"));
}

static void *migrate_in_a_thread(void *cls UNUSED)
{
    struct ctx own = {.arena = arena_new(0), .lang = LANG_EN};
    struct db_conn *c = connect_to_ours(&own);
    struct migrate_report report = {0};
    FILE *nowhere = fopen("/dev/null", "w");
    enum status st = migrate_run(&own, c, good, 3, false, nowhere, &report);

    fclose(nowhere);
    db_disconnect(c);
    arena_free(own.arena);
    return (void *)(intptr_t)(st == ST_OK ? report.applied_now : -1);
}

static void several_at_once_take_turns(void **state UNUSED)
{
    pthread_t threads[4];
    intptr_t applied = 0;

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, migrate_in_a_thread, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *ret;
        pthread_join(threads[i], &ret);
        assert_true((intptr_t)ret >= 0);
        applied += (intptr_t)ret;
    }
    assert_int_equal(applied, 3);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before_each, after_each)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_missing_is_applied_once),
        CASE(the_bookkeeping_is_commented),
        CASE(a_dry_run_stores_nothing),
        CASE(a_failure_keeps_what_came_before_it),
        CASE(a_migration_may_not_end_its_transaction),
        CASE(a_changed_checksum_is_refused),
        CASE(a_newer_database_is_refused),
        CASE(gaps_are_refused),
        CASE(an_older_database_is_told),
        CASE(the_status_lists_both),
        CASE(several_at_once_take_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
