/* SPDX-License-Identifier: Apache-2.0 */
/* asnd evaluate --verify [--period ID]: exit status 0 only if every final evaluation is what its inputs give. */
#include "cli.h"

#include <string.h>

#include "asnd/performance.h"
#include "asnd/uuid.h"

static int verify(struct session *session, const char *period_id)
{
    struct evaluation_report report;
    /* The contract, because it names the problems that the rule may tell. */
    if (!session_load_contract(session) || !session_load_statements(session) || !session_connect_database(session))
        return 1;
    if (evaluations_verify(&session->ctx, session->conn, session->set, period_id, stdout, &report) != ST_OK)
        return session_complain(session);
    printf("%lld final evaluations verified (%lld of another version of the rules): %lld differ, in %lld places\n",
           (long long)report.evaluations, (long long)report.older, (long long)report.differing, (long long)report.differences);
    return report.differing ? 1 : 0;
}

int cli_evaluate(int argc, char **argv)
{
    struct session session;
    int status = 2;
    if (session_open(&session, &argc, argv)) {
        bool has_period = argc == 3 && strcmp(argv[1], "--period") == 0;
        if (argc < 1 || strcmp(argv[0], "--verify") != 0 || (argc > 1 && !has_period))
            fprintf(stderr, "usage: asnd evaluate --verify [--period ID]\n");
        else if (has_period && !uuid_is_valid(argv[2], strlen(argv[2])))
            fprintf(stderr, "asnd: a period is named by its id, a UUID.\n");
        else
            status = verify(&session, has_period ? argv[2] : NULL);
    }
    session_close(&session);
    return status;
}
