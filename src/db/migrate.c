/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: numbered files, each in its own transaction together with the row that records it. The checksum makes an edit of a
 * released migration visible; an advisory lock lets several daemons start at once. */
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/text.h"
#include "conn.h"
#include "sqlstate.h"

/* Any number that nothing else in this database locks: "asndmigr". */
#define MIGRATION_LOCK         "7021800431892982642"
#define CHECKSUM_LEN           (2 * crypto_hash_sha256_BYTES + 1)
#define MIGRATIONS_PER_ANALYZE 8

static const char create_table[] =
    "CREATE TABLE IF NOT EXISTS schema_migration (number int CONSTRAINT schema_migration_pk PRIMARY KEY, name text NOT NULL,"
    " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
    "COMMENT ON TABLE schema_migration IS 'Migrations that this schema has gone through; written by asnd migrate';"
    "COMMENT ON COLUMN schema_migration.number IS 'Order of application, from 1 without gaps';"
    "COMMENT ON COLUMN schema_migration.name IS 'File name';"
    "COMMENT ON COLUMN schema_migration.checksum IS 'SHA-256 of the file, hexadecimal: a released migration is never edited';"
    "COMMENT ON COLUMN schema_migration.applied_at IS 'When it was applied'";

struct applied {
    int number;
    const char *name, *checksum, *applied_at;
};

struct run {
    const struct migration *migrations;
    size_t n;
    FILE *out;
    const struct applied *applied;
    size_t n_applied;
    size_t next; /* the migration being applied */
    bool dry_run;
};

static void checksum_of(const struct migration *m, char ret[CHECKSUM_LEN])
{
    uint8_t hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, (const unsigned char *)m->text, m->len);
    hex_encode(hash, sizeof hash, ret);
    ret[CHECKSUM_LEN - 1] = '\0';
}

PRINTF_LIKE(2, 4) PRINTF_LIKE(3, 4) static enum status refuse(struct ctx *ctx, const char *en, const char *id, ...)
{
    struct arena *arena = ctx->arena;
    va_list ap;

    va_start(ap, id);
    char *text = arena_vprintf(arena, ctx->lang == LANG_EN ? en : id, ap);
    va_end(ap);
    return fail(ctx, ST_UNAVAILABLE, "unavailable", "%s", "%s", text);
}

/* ── what the database has ── */

static enum status query(struct ctx *ctx, struct db_conn *conn, const char *sql, PGresult **ret)
{
    PGresult *res = PQexec(conn->pg, sql);

    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        return conn_fail(ctx, conn, res);
    *ret = res;
    return ST_OK;
}

/* An empty list when the table is not there yet. */
static enum status applied_load(struct ctx *ctx, struct db_conn *conn, struct run *run)
{
    PGresult *res = NULL;
    enum status st = query(ctx, conn, "SELECT to_regclass('schema_migration') IS NOT NULL", &res);

    if (st != ST_OK)
        return st;
    bool is_there = PQgetvalue(res, 0, 0)[0] == 't';
    PQclear(res);
    if (!is_there)
        return ST_OK;
    st = query(ctx, conn,
               "SELECT number, name, checksum, to_char(applied_at, 'YYYY-MM-DD HH24:MI:SS') FROM schema_migration ORDER BY number", &res);
    if (st != ST_OK)
        return st;
    size_t n = (size_t)PQntuples(res);
    struct applied *rows = arena_zalloc_array(ctx->arena, n + 1, sizeof *rows);
    for (int i = 0; i < (int)n; i++)
        rows[i] = (struct applied){atoi(PQgetvalue(res, i, 0)), arena_strdup(ctx->arena, PQgetvalue(res, i, 1)),
                                   arena_strdup(ctx->arena, PQgetvalue(res, i, 2)), arena_strdup(ctx->arena, PQgetvalue(res, i, 3))};
    PQclear(res);
    run->applied = rows;
    run->n_applied = n;
    return ST_OK;
}

/* The program's own list: 1, 2, 3 … */
static enum status check_numbers(struct ctx *ctx, const struct migration *migrations, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (migrations[i].number != (int)i + 1)
            return refuse(ctx, "Migration %zu is missing: %s follows.", "Migrasi %zu tidak ada: berikutnya %s.", i + 1, migrations[i].name);
    return ST_OK;
}

/* What is applied must be the beginning of what the program has, unchanged. */
static enum status check_history(struct ctx *ctx, const struct run *run)
{
    char checksum[CHECKSUM_LEN];

    for (size_t i = 0; i < run->n_applied; i++) {
        const struct applied *a = &run->applied[i];
        if (a->number != (int)i + 1)
            return refuse(ctx, "The database lacks migration %zu although it has %d (%s).",
                          "Basis data tidak memiliki migrasi %zu padahal memiliki %d (%s).", i + 1, a->number, a->name);
        if (i >= run->n)
            return refuse(ctx, "The database is newer than the program: it has migration %d (%s), the program ends with %zu.",
                          "Basis data lebih baru daripada program: memiliki migrasi %d (%s), program berakhir pada %zu.", a->number,
                          a->name, run->n);
        checksum_of(&run->migrations[i], checksum);
        if (strcmp(a->checksum, checksum) != 0)
            return refuse(ctx, "Migration %d (%s) is not the one that was applied: its checksum has changed.",
                          "Migrasi %d (%s) bukan yang pernah diterapkan: checksum-nya berubah.", a->number, a->name);
    }
    return ST_OK;
}

static enum status load_and_check(struct ctx *ctx, struct db_conn *conn, struct run *run)
{
    enum status st = check_numbers(ctx, run->migrations, run->n);

    if (st == ST_OK)
        st = db_ensure(ctx, conn);
    if (st == ST_OK)
        st = applied_load(ctx, conn, run);
    return st == ST_OK ? check_history(ctx, run) : st;
}

/* ── applying ── */

/* The operator who runs this needs the server's words and the line; they quote the migration, nobody's data. */
static void tell_failure(const struct run *run, const struct migration *m, const char *text, const PGresult *res)
{
    const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY), *position = PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION);
    const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    long characters = position ? strtol(position, NULL, 10) : 0;
    int line = 1;

    for (const char *p = text; *p != '\0' && characters > 1; p++) {
        line += *p == '\n';
        characters -= ((unsigned char)*p & 0xc0) != 0x80;
    }
    if (position != NULL)
        fprintf(run->out, "%s:%d: %s (SQLSTATE %s)\n", m->name, line, message ? message : "failed", sqlstate ? sqlstate : "-");
    else
        fprintf(run->out, "%s: %s (SQLSTATE %s)\n", m->name, message ? message : "failed", sqlstate ? sqlstate : "-");
}

static enum status record(struct ctx *ctx, struct db_conn *conn, const struct migration *m)
{
    char number[12], checksum[CHECKSUM_LEN];
    const char *values[] = {number, m->name, checksum};

    snprintf(number, sizeof number, "%d", m->number);
    checksum_of(m, checksum);
    PGresult *res =
        PQexecParams(conn->pg, "INSERT INTO schema_migration (number, name, checksum) VALUES ($1, $2, $3)", 3, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(res) != PGRES_COMMAND_OK)
        return conn_fail(ctx, conn, res);
    PQclear(res);
    return ST_OK;
}

/* Inside a transaction: one migration and its record. */
static enum status apply(struct ctx *ctx, struct db_conn *conn, const struct run *run, const struct migration *m)
{
    char *text = arena_strndup(ctx->arena, m->text, m->len);
    PGresult *res = PQexec(conn->pg, text);
    ExecStatusType status = PQresultStatus(res);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
        tell_failure(run, m, text, res);
        return conn_fail(ctx, conn, res);
    }
    PQclear(res);
    if (PQtransactionStatus(conn->pg) != PQTRANS_INTRANS)
        return refuse(ctx, "%s ends its transaction itself (COMMIT or ROLLBACK).",
                      "%s mengakhiri transaksinya sendiri (COMMIT atau ROLLBACK).", m->name);
    enum status st = record(ctx, conn, m);
    if (st == ST_OK)
        fprintf(run->out, "%s: %s\n", m->name, run->dry_run ? "would be applied" : "applied");
    return st;
}

static enum status apply_next(struct ctx *ctx, struct db_conn *conn, void *cls)
{
    struct run *run = cls;

    return apply(ctx, conn, run, &run->migrations[run->next]);
}

static enum status apply_rest(struct ctx *ctx, struct db_conn *conn, void *cls)
{
    struct run *run = cls;
    enum status st = db_sql(ctx, conn, create_table);

    for (size_t i = run->n_applied; st == ST_OK && i < run->n; i++)
        st = apply(ctx, conn, run, &run->migrations[i]);
    return st;
}

/* Migrations ask the catalog about every table. A schema that is being made has no statistics of it, since nothing ran long enough for autovacuum
 * to come by, and by the plans without them a new schema takes half as long again. Who is not the database's owner is warned, and skipped. */
static enum status analyze_catalog(struct ctx *ctx, struct db_conn *conn)
{
    return db_sql(ctx, conn,
                  "SET client_min_messages = error; "
                  "ANALYZE pg_catalog.pg_class, pg_catalog.pg_attribute, pg_catalog.pg_attrdef, pg_catalog.pg_type, pg_catalog.pg_proc, "
                  "pg_catalog.pg_constraint, pg_catalog.pg_index, pg_catalog.pg_trigger, pg_catalog.pg_policy, pg_catalog.pg_depend, "
                  "pg_catalog.pg_description, pg_catalog.pg_rewrite; RESET client_min_messages");
}

static enum status apply_missing(struct ctx *ctx, struct db_conn *conn, struct run *run)
{
    enum status st = load_and_check(ctx, conn, run);

    if (st != ST_OK)
        return st;
    if (run->dry_run)
        return db_transaction(ctx, conn, true, apply_rest, run);
    if (run->n_applied == 0)
        st = db_sql(ctx, conn, create_table);
    for (run->next = run->n_applied; st == ST_OK && run->next < run->n; run->next++) {
        st = db_transaction(ctx, conn, false, apply_next, run);
        if (st == ST_OK && (run->next - run->n_applied) % MIGRATIONS_PER_ANALYZE == MIGRATIONS_PER_ANALYZE - 1)
            st = analyze_catalog(ctx, conn);
    }
    return st;
}

enum status migrate_run(struct ctx *ctx, struct db_conn *conn, const struct migration *migrations, size_t n, bool dry_run, FILE *out,
                        struct migrate_report *ret)
{
    struct run run = {.migrations = migrations, .n = n, .out = out, .dry_run = dry_run};
    enum status st = db_ensure(ctx, conn);

    if (st == ST_OK)
        st = db_sql(ctx, conn, "SELECT pg_advisory_lock(" MIGRATION_LOCK ")");
    if (st != ST_OK)
        return st;
    st = apply_missing(ctx, conn, &run);
    if (PQstatus(conn->pg) == CONNECTION_OK)
        PQclear(PQexec(conn->pg, "SELECT pg_advisory_unlock(" MIGRATION_LOCK ")"));
    if (st == ST_OK)
        *ret = (struct migrate_report){.applied_before = (int)run.n_applied, .applied_now = (int)(n - run.n_applied), .newest = (int)n};
    return st;
}

/* ── looking ── */

enum status migrate_status(struct ctx *ctx, struct db_conn *conn, const struct migration *migrations, size_t n, FILE *out)
{
    struct run run = {.migrations = migrations, .n = n, .out = out};
    enum status st = load_and_check(ctx, conn, &run);

    for (size_t i = 0; i < run.n_applied; i++)
        fprintf(out, "%04d  %s  %s\n", run.applied[i].number, run.applied[i].applied_at, run.applied[i].name);
    for (size_t i = run.n_applied; i < n; i++)
        fprintf(out, "%04d  %-19s  %s\n", migrations[i].number, "not applied", migrations[i].name);
    return st;
}

enum status migrate_check(struct ctx *ctx, struct db_conn *conn, const struct migration *migrations, size_t n)
{
    struct run run = {.migrations = migrations, .n = n};
    enum status st = load_and_check(ctx, conn, &run);

    if (st != ST_OK || run.n_applied == n)
        return st;
    return refuse(ctx, "The database is behind the program: %zu of %zu migrations are applied; run `asnd migrate`.",
                  "Basis data tertinggal dari program: %zu dari %zu migrasi diterapkan; jalankan `asnd migrate`.", run.n_applied, n);
}
