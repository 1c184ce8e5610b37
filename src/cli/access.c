/* SPDX-License-Identifier: Apache-2.0 */
/* asnd access: the matrix of access.yaml as a table, held against the contract; no database is needed. */
#include "cli.h"

int cli_access(int argc, char **argv)
{
    struct session session;
    int status = 2;
    if (session_open(&session, &argc, argv)) {
        if (argc > 0)
            fprintf(stderr, "usage: asnd access [--contract FILE] [--access FILE]\n");
        else if (!session_load_contract(&session) || matrix_faults(session.matrix) > 0)
            status = 1;
        else
            status = (matrix_print_markdown(session.matrix, stdout), 0);
    }
    session_close(&session);
    return status;
}
