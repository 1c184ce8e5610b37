/* SPDX-License-Identifier: Apache-2.0 */
/* asnd documents check [--remove-orphans]: exit status 0 only if everything is there and as it was. */
#include "cli.h"

#include <string.h>

#include "asnd/document.h"

static int check(struct session *session, bool with_removal)
{
    struct document_report report = {0};
    if (!session_load_statements(session) || !session_connect_database(session))
        return 1;
    if (documents_check(&session->ctx, session->conn, session->set, with_removal, stdout, &report) != ST_OK)
        return session_complain(session);
    printf("%lld documents (%lld erased), %lld contents, %lld bytes: %lld faults", (long long)report.documents, (long long)report.erased,
           (long long)report.contents, (long long)report.bytes, (long long)report.faults);
    if (with_removal)
        printf(", %lld orphans removed", (long long)report.removed);
    putchar('\n');
    return report.faults ? 1 : 0;
}

int cli_documents(int argc, char **argv)
{
    struct session session;
    int status = 2;
    if (session_open(&session, &argc, argv)) {
        bool with_removal = argc == 2 && strcmp(argv[1], "--remove-orphans") == 0;
        if (argc < 1 || strcmp(argv[0], "check") != 0 || argc > 1 + with_removal)
            fprintf(stderr, "usage: asnd documents check [--remove-orphans]\n");
        else
            status = check(&session, with_removal);
    }
    session_close(&session);
    return status;
}
