/* SPDX-License-Identifier: Apache-2.0 */
/* asnd check [--all]: does everything agree? Exit status 0 only if it does. */
#include "cli.h"

#include <string.h>

#include "asnd/engine.h"

static int check(struct session *session, bool all)
{
    size_t n;
    const struct migration *migrations = session_migrations(&n);
    bool fine = session_load_contract(session);
    fine = session_load_statements(session) && fine;
    if (!fine || !session_connect_database(session))
        return 1;
    if (migrate_check(&session->ctx, session->conn, migrations, n) != ST_OK)
        return session_complain(session);
    if (!engine_check(session->contract, session->set, asnd_bindings, session->conn, all, stderr))
        return 1;
    contract_operations(session->contract, &n);
    printf("%zu operations agree with contract, bindings, statements (%zu variants prepared) and schema.\n", n, variant_count());
    return 0;
}

int cli_check(int argc, char **argv)
{
    struct session session;
    int status = 2;
    if (session_open(&session, &argc, argv)) {
        bool all = argc == 1 && strcmp(argv[0], "--all") == 0;
        if (argc > 0 && !all)
            fprintf(stderr, "usage: asnd check [--all] [--contract FILE] [--sql DIRECTORY]\n");
        else
            status = check(&session, all);
    }
    session_close(&session);
    return status;
}
