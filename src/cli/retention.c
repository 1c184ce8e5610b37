/* SPDX-License-Identifier: Apache-2.0 */
/* asnd retention --dry-run|--apply [--as-of DATE]: what is due by each rule, and doing it, a batch a transaction. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/audit.h"
#include "asnd/date.h"

#define BATCH_TEXT "50"

struct batch {
    const struct sql_set *set;
    const char *rule, *day;
    long done, failed;
    const char *told; /* of what failed, the first */
};

static enum status apply_batch(struct ctx *ctx, struct db_conn *txn, void *cls)
{
    struct batch *batch = cls;
    PGresult *res;
    enum status st =
        db_query(ctx, txn, batch->set, "retention.apply", &res, "rule", batch->rule, "at", batch->day, "most", BATCH_TEXT, NULL);
    if (st == ST_OK) {
        batch->done = strtol(PQgetvalue(res, 0, 0), NULL, 10);
        batch->failed = strtol(PQgetvalue(res, 0, 1), NULL, 10);
        batch->told = arena_strdup(ctx->arena, PQgetvalue(res, 0, 2));
    }
    return st;
}

/* Until nothing is due but what cannot be done: whatever stops it in between has done whole batches. */
static int apply_rule(struct session *session, const char *rule, const char *day)
{
    struct batch batch = {.set = session->set, .rule = rule, .day = day};
    long total = 0;
    int status = 0;
    do {
        batch.done = batch.failed = 0;
        if (db_transaction(&session->ctx, session->conn, false, apply_batch, &batch) != ST_OK) {
            fprintf(stderr, "asnd retention: the rule %s could not be done to its end.\n", rule);
            status = session_complain(session);
            problem_clear(&session->ctx);
            break;
        }
        total += batch.done;
    } while (batch.done > 0);
    if (batch.failed) {
        fprintf(stderr, "asnd retention: by the rule %s %ld could not be done; the first: %s\n", rule, batch.failed, batch.told);
        status = 1;
    }
    if (total)
        printf("%s: %ld done\n", rule, total);
    return status;
}

static void tell(const PGresult *res, int row)
{
    const char *rule = PQgetvalue(res, row, 0), *action = PQgetvalue(res, row, 2);
    if (strcmp(action, "keep") == 0) {
        printf("%-15s keep\n", rule);
        return;
    }
    printf("%-15s %s %s years after: %s; %s due, %s held", rule, action, PQgetvalue(res, row, 3), PQgetvalue(res, row, 4),
           PQgetvalue(res, row, 5), PQgetvalue(res, row, 6));
    if (!PQgetisnull(res, row, 7))
        printf(" (%s)", PQgetvalue(res, row, 7));
    putchar('\n');
}

/* Entries of before may have lost their values: that this is no tampering is known once what tells of it is sealed. */
static int seal(struct session *session)
{
    int64_t n;
    return audit_seal_all(&session->ctx, session->conn, session->set, &n) == ST_OK ? 0 : session_complain(session);
}

static int run(struct session *session, bool applies, const char *day)
{
    PGresult *res;
    int status = 0;
    /* The contract, because it names the refusals of the database. */
    if (!session_load_contract(session) || !session_load_statements(session) || !session_connect_database(session))
        return 1;
    if (db_query(&session->ctx, session->conn, session->set, "retention.due", &res, "at", day, NULL) != ST_OK)
        return session_complain(session);
    for (int row = 0; row < PQntuples(res); row++)
        tell(res, row);
    for (int row = 0; applies && row < PQntuples(res); row++) /* whatever one of them meets, the others are done */
        if (strcmp(PQgetvalue(res, row, 2), "keep") != 0)
            status |= apply_rule(session, arena_strdup(session->ctx.arena, PQgetvalue(res, row, 0)), day);
    return applies ? seal(session) | status : status;
}

int cli_retention(int argc, char **argv)
{
    struct session session;
    struct date day;
    int status = 2;
    if (session_open(&session, &argc, argv)) {
        bool applies = argc > 0 && strcmp(argv[0], "--apply") == 0, tries = argc > 0 && strcmp(argv[0], "--dry-run") == 0;
        bool has_day = argc == 3 && strcmp(argv[1], "--as-of") == 0;
        if ((!applies && !tries) || (argc > 1 && !has_day))
            fprintf(stderr, "usage: asnd retention --dry-run|--apply [--as-of DATE]\n");
        else if (has_day && !date_parse(argv[2], strlen(argv[2]), &day))
            fprintf(stderr, "asnd retention: a day is written 2026-12-31.\n");
        else
            status = run(&session, applies, has_day ? argv[2] : NULL);
    }
    session_close(&session);
    return status;
}
