/* SPDX-License-Identifier: Apache-2.0 */
/* asnd audit verify [--file FILE|-] [--seal NUMBER:HASH] | seal | latest. With a file no database is needed. */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "asnd/audit.h"

static int usage(void)
{
    fprintf(stderr, "usage: asnd audit verify [--file FILE|-] [--seal NUMBER:HASH]\n"
                    "       asnd audit seal\n"
                    "       asnd audit latest\n"
                    "FILE is what GET /v1/audit/chain answers as NDJSON; without one the database is read. NUMBER:HASH is a seal that was "
                    "kept elsewhere, as\n"
                    "`asnd audit latest` and GET /v1/audit/seals/latest tell it: only with one is a chain that was cut off found. Exit "
                    "status 0 only if\n"
                    "everything is as it was sealed.\n");
    return 2;
}

static int tell(const struct audit_report *r)
{
    printf("%" PRId64 " entries in %" PRId64 " seals: %" PRId64 " faults", r->entries, r->seals, r->faults);
    if (r->unsealed)
        printf("; %" PRId64 " entries are not sealed yet", r->unsealed);
    if (r->redactions)
        printf("; %" PRId64 " entries were redacted, as %" PRId64 " others tell", r->redacted, r->redactions);
    putchar('\n');
    if (r->seals)
        printf("last seal: %" PRId64 ":%s\n", r->last_number, r->last_hash);
    return r->faults ? 1 : 0;
}

static int verify_file(const char *path, const struct audit_known *known)
{
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    struct audit_report report;
    bool fine;
    if (!in)
        return fprintf(stderr, "asnd audit: cannot open %s: %s.\n", path, strerror(errno)), 1;
    fine = audit_verify_file(in, stdout, known, &report);
    if (in != stdin)
        fclose(in);
    if (fine && report.entries == 0) {
        printf("there is no place of a chain in it: what is empty proves nothing\n");
        report.faults++;
    }
    return tell(&report) || !fine;
}

static bool has_database(struct session *session)
{
    return session_load_statements(session) && session_connect_database(session);
}

static int verify(struct session *session, const struct audit_known *known)
{
    struct audit_report report;
    if (!has_database(session))
        return 1;
    if (audit_verify(&session->ctx, session->conn, session->set, stdout, known, &report) != ST_OK)
        return session_complain(session);
    return tell(&report);
}

static int seal(struct session *session)
{
    int64_t n;
    if (!has_database(session))
        return 1;
    if (audit_seal_all(&session->ctx, session->conn, session->set, &n) != ST_OK)
        return session_complain(session);
    printf("%" PRId64 " entries sealed\n", n);
    return 0;
}

static int latest(struct session *session)
{
    PGresult *res;
    if (!has_database(session))
        return 1;
    if (db_query(&session->ctx, session->conn, session->set, "audit.latest", &res, NULL) != ST_OK)
        return session_complain(session);
    if (PQntuples(res) == 0)
        return fprintf(stderr, "asnd audit: nothing is sealed yet.\n"), 1;
    printf("%s:%s\n", PQgetvalue(res, 0, 0), PQgetvalue(res, 0, 1));
    return 0;
}

static int run(struct session *session, int argc, char **argv)
{
    struct audit_known known = {0};
    const char *file = NULL;
    if (argc == 1 && strcmp(argv[0], "seal") == 0)
        return seal(session);
    if (argc == 1 && strcmp(argv[0], "latest") == 0)
        return latest(session);
    if (argc < 1 || strcmp(argv[0], "verify") != 0)
        return usage();
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--file") == 0)
            file = argv[i + 1];
        else if (i + 1 >= argc || strcmp(argv[i], "--seal") != 0 || !audit_known_parse(argv[i + 1], &known))
            return usage();
    }
    return file ? verify_file(file, &known) : verify(session, &known);
}

int cli_audit(int argc, char **argv)
{
    struct session session;
    int status = session_open(&session, &argc, argv) ? run(&session, argc, argv) : 2;
    session_close(&session);
    return status;
}
