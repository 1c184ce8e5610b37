/* SPDX-License-Identifier: Apache-2.0 */
/* asnd migrate [--status | --dry-run]: bring the schema to this program's version. */
#include "cli.h"

#include <string.h>

static int migrate(struct session *session, const char *mode)
{
    size_t n;
    const struct migration *migrations = session_migrations(&n);
    struct migrate_report report;
    enum status st;
    if (*session->settings.owner_database_url)
        session->settings.database_url = session->settings.owner_database_url;
    if (!session_connect_database(session))
        return 1;
    if (mode && strcmp(mode, "--status") == 0)
        st = migrate_status(&session->ctx, session->conn, migrations, n, stdout);
    else
        st = migrate_run(&session->ctx, session->conn, migrations, n, mode != NULL, stdout, &report);
    if (st == ST_OK && !mode) /* what migrations made after it, and roles that were missing when they ran */
        st = db_sql(&session->ctx, session->conn, "SELECT row_security_attach() WHERE EXISTS (SELECT FROM row_security_faults())");
    return st == ST_OK ? 0 : session_complain(session);
}

int cli_migrate(int argc, char **argv)
{
    struct session session;
    int status = 2;
    if (session_open(&session, &argc, argv)) {
        if (argc > 1 || (argc == 1 && strcmp(argv[0], "--status") != 0 && strcmp(argv[0], "--dry-run") != 0))
            fprintf(stderr, "usage: asnd migrate [--status | --dry-run]\n");
        else
            status = migrate(&session, argc == 1 ? argv[0] : NULL);
    }
    session_close(&session);
    return status;
}
