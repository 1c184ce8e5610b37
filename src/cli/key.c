/* SPDX-License-Identifier: Apache-2.0 */
/* asnd key create | list | revoke: bearer keys. The key itself is shown once, at creation; the database has its hash. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/auth.h"
#include "asnd/buf.h"
#include "asnd/date.h"
#include "asnd/uuid.h"

static int usage(void)
{
    fprintf(stderr,
            "usage: asnd key create --name NAME [--scope SCOPE]… [--unit CODE]… [--expires WHEN]\n"
            "       asnd key list\n"
            "       asnd key revoke ID\n"
            "Without --unit the key sees every unit, without --scope it may do nothing. The scope `admin` holds all others; the\n"
            "contract names them. WHEN is the last day of the key (YYYY-MM-DD, by the clock of utc_offset_minutes), or the moment at\n"
            "which it ends (such as 2027-12-31T17:00:00+08:00).\n");
    return 2;
}

/* Values of a repeated option, joined by commas; NULL when it was not given. */
static const char *collect(struct arena *arena, int argc, char **argv, const char *option)
{
    struct buf out;
    buf_init(&out, arena, 64);
    for (int i = 0; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], option) != 0)
            continue;
        if (out.len)
            buf_putc(&out, ',');
        buf_puts(&out, argv[i + 1]);
    }
    return out.len ? buf_cstr(&out) : NULL;
}

static bool options_are_known(int argc, char **argv)
{
    static const char *const known[] = {"--name", "--scope", "--unit", "--expires"};
    for (int i = 0; i < argc; i += 2) {
        bool found = false;
        for (size_t k = 0; k < ARRAY_LEN(known); k++)
            found |= strcmp(argv[i], known[k]) == 0;
        if (!found || i + 1 >= argc)
            return false;
    }
    return true;
}

static bool is_among(const char *const *scopes, size_t n, const char *scope, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(scopes[i]) == len && strncmp(scopes[i], scope, len) == 0)
            return true;
    return false;
}

/* Every scope that some operation asks for or heeds, and `admin`. */
static bool scope_is_known(const struct contract *contract, const char *scope, size_t len)
{
    size_t n;
    const struct operation *operations = contract_operations(contract, &n);
    if (len == 5 && strncmp(scope, "admin", len) == 0)
        return true;
    for (size_t i = 0; i < n; i++) {
        if (is_among(operations[i].scopes, operations[i].n_scopes, scope, len) ||
            is_among(operations[i].more_scopes, operations[i].n_more_scopes, scope, len))
            return true;
        for (size_t m = 0; m < operations[i].n_reply_members; m++) {
            const char *own = operations[i].reply_members[m].scope;
            if (own && strlen(own) == len && strncmp(own, scope, len) == 0)
                return true;
        }
    }
    return false;
}

static bool scopes_are_known(struct session *session, const char *scopes)
{
    while (scopes && *scopes) {
        size_t len = strcspn(scopes, ",");
        if (!scope_is_known(session->contract, scopes, len)) {
            fprintf(stderr, "asnd key: no operation knows the scope \"%.*s\".\n", (int)len, scopes);
            return false;
        }
        scopes += len + (scopes[len] == ',');
    }
    return true;
}

/* The moment at which a key ends, with its offset spelled out: an instant as it was given, or the end of a local day. 24:00 needs no
 * calendar and holds for the last day of year 9999 too. NULL: neither. */
static const char *end_of_key(struct session *session, const char *when)
{
    int offset = (int)session->settings.utc_offset_minutes, minutes = abs(offset);
    struct date day;
    if (instant_is_valid(when, strlen(when)))
        return when;
    if (!date_parse(when, strlen(when), &day))
        return NULL;
    return arena_printf(session->ctx.arena, "%sT24:00:00%c%02d:%02d", when, offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

/* The fault that auth.createKey names, on stderr; false if there is none. */
static bool is_refused(const PGresult *res, const char *units, const char *expires)
{
    const char *fault = PQgetvalue(res, 0, PQfnumber(res, "fault"));
    if (strcmp(fault, "expires") == 0)
        fprintf(stderr, "asnd key: --expires %s lies in the past.\n", expires);
    else if (strcmp(fault, "units") == 0)
        fprintf(stderr, "asnd key: one of the units %s does not exist.\n", units);
    return *fault != '\0';
}

static int create(struct session *session, int argc, char **argv)
{
    struct arena *arena = session->ctx.arena;
    const char *name = collect(arena, argc, argv, "--name"), *scopes = collect(arena, argc, argv, "--scope");
    const char *units = collect(arena, argc, argv, "--unit"), *expires = collect(arena, argc, argv, "--expires");
    const char *user = getenv("USER"), *end = expires ? end_of_key(session, expires) : NULL;
    char key[KEY_TEXT_LEN + 1], hash[KEY_HASH_HEX_SIZE], id[UUID_TEXT_SIZE];
    PGresult *res;
    if (!name || !options_are_known(argc, argv))
        return usage();
    if (expires && !end)
        return fprintf(stderr, "asnd key: --expires takes a day such as 2027-12-31, or a moment such as 2027-12-31T17:00:00+08:00.\n"), 2;
    if (!session_load_contract(session) || !scopes_are_known(session, scopes))
        return 2;
    key_new(key);
    key_hash(key, strlen(key), hash);
    uuid_new_v7(id);
    if (db_query(&session->ctx, session->conn, session->set, "auth.createKey", &res, "key_id", id, "name", name, "key_hash", hash, "scopes",
                 scopes ? scopes : "", "unit_codes", units, "created_by", user ? user : "", "expires", end, NULL) != ST_OK)
        return session_complain(session);
    if (is_refused(res, units, expires))
        return 1;
    fprintf(stderr, "Key %s for %s%s%s. It is shown this once:\n", id, name, end ? ", until " : "", end ? end : "");
    printf("%s\n", key);
    return 0;
}

static int list(struct session *session)
{
    PGresult *res;
    if (db_query(&session->ctx, session->conn, session->set, "auth.listKeys", &res, NULL) != ST_OK)
        return session_complain(session);
    for (int i = 0; i < PQnfields(res); i++)
        printf("%s%s", i ? "\t" : "", PQfname(res, i));
    putchar('\n');
    for (int row = 0; row < PQntuples(res); row++) {
        for (int i = 0; i < PQnfields(res); i++)
            printf("%s%s", i ? "\t" : "", PQgetvalue(res, row, i));
        putchar('\n');
    }
    return 0;
}

static int revoke_key(struct session *session, const char *id)
{
    PGresult *res;
    if (db_query(&session->ctx, session->conn, session->set, "auth.revokeKey", &res, "key_id", id, NULL) != ST_OK)
        return session_complain(session);
    if (PQntuples(res) == 0)
        return fprintf(stderr, "asnd key: there is no live key %s.\n", id), 1;
    fprintf(stderr, "Key %s is revoked; it stops working within key_cache_ms.\n", id);
    return 0;
}

int cli_key(int argc, char **argv)
{
    struct session session;
    int status = 1;
    if (!session_open(&session, &argc, argv))
        status = 2;
    else if (argc < 1)
        status = usage();
    else if (!session_load_statements(&session) || !session_connect_database(&session))
        status = 1;
    else if (strcmp(argv[0], "create") == 0)
        status = create(&session, argc - 1, argv + 1);
    else if (strcmp(argv[0], "list") == 0 && argc == 1)
        status = list(&session);
    else if (strcmp(argv[0], "revoke") == 0 && argc == 2)
        status = revoke_key(&session, argv[1]);
    else
        status = usage();
    session_close(&session);
    return status;
}
