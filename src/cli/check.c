/* SPDX-License-Identifier: Apache-2.0 */
/* asnd check [--all | --sums]: does everything agree? asnd check --security: is anything weak? Exit status 0 only if all is well. */
#include "cli.h"

#include <string.h>

#include "asnd/engine.h"

static int check(struct session *session, bool all)
{
    size_t n;
    const struct migration *migrations = session_migrations(&n);
    struct checked checked;
    bool was_checked, fine = session_load_contract(session);
    fine = session_load_statements(session) && fine;
    if (!fine || !session_connect_database(session))
        return 1;
    if (migrate_check(&session->ctx, session->conn, migrations, n) != ST_OK)
        return session_complain(session);
    was_checked = session_find_checked(session, &checked);
    if (!session_check(session, all ? CHECK_ALL : CHECK_PARTS))
        return 1;
    if (!was_checked)
        session_note_checked(session, &checked);
    contract_operations(session->contract, &n);
    printf("%zu operations agree with contract, bindings, statements (%zu variants prepared) and schema.\n", n, variant_count());
    return 0;
}

/* Kept sums against a recount of every record. */
static int check_sums(struct session *session)
{
    PGresult *res;
    int n;
    if (!session_load_statements(session) || !session_connect_database(session))
        return 1;
    if (db_query(&session->ctx, session->conn, session->set, "sums.differences", &res, NULL) != ST_OK)
        return session_complain(session);
    n = PQntuples(res);
    for (int row = 0; row < n; row++)
        printf("%s: kept %s, counted %s\n", PQgetvalue(res, row, 0), PQgetvalue(res, row, 1), PQgetvalue(res, row, 2));
    printf("%d sums are not those of a recount.\n", n);
    return n ? 1 : 0;
}

int cli_check(int argc, char **argv)
{
    struct session session;
    int status = 2;
    if (session_open(&session, &argc, argv)) {
        bool all = argc == 1 && strcmp(argv[0], "--all") == 0, sums = argc == 1 && strcmp(argv[0], "--sums") == 0;
        if (argc == 1 && strcmp(argv[0], "--security") == 0)
            status = security_check(&session);
        else if (argc > 0 && !all && !sums)
            fprintf(stderr, "usage: asnd check [--all | --sums | --security] [--contract FILE] [--sql DIRECTORY]\n");
        else
            status = sums ? check_sums(&session) : check(&session, all);
    }
    session_close(&session);
    return status;
}
