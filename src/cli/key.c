/* SPDX-License-Identifier: Apache-2.0 */
/* asnd key create | list | rotate | revoke | deny-token: bearer keys. A key is shown once, when it is made; the database has its hash. */
#include "cli.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/auth.h"
#include "asnd/buf.h"
#include "asnd/date.h"
#include "asnd/uuid.h"

static int usage(void)
{
    fprintf(stderr, "usage: asnd key create --name NAME [--owner OWNER] [--scope SCOPE]… [--role ROLE]… [--unit CODE]…\n"
                    "                       [--allow-from NETWORK]… [--certificate SHA256] [--expires WHEN]\n"
                    "       asnd key list\n"
                    "       asnd key rotate ID [--overlap-hours HOURS]\n"
                    "       asnd key revoke ID\n"
                    "       asnd key deny-token JTI --reason REASON\n"
                    "Without --unit the key sees every unit, without --scope and --role it may do nothing. The scope `admin` holds all\n"
                    "others; the contract names them, and `asnd access` the roles. WHEN is the last day of the key (YYYY-MM-DD, by the "
                    "clock of utc_offset_minutes), or the moment at\n"
                    "which it ends (such as 2027-12-31T17:00:00+08:00). NETWORK is such as 10.20.0.0/16. SHA256 is the fingerprint of the\n"
                    "client certificate that the key is bound to. HOURS (24) is how long the secret before a rotation still holds.\n");
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

/* `known` ends with a NULL; each option has a value. */
static bool options_are_known(int argc, char **argv, const char *const *known)
{
    for (int i = 0; i < argc; i += 2) {
        bool found = false;
        for (size_t k = 0; known[k]; k++)
            found |= strcmp(argv[i], known[k]) == 0;
        if (!found || i + 1 >= argc)
            return false;
    }
    return true;
}

static bool scopes_are_known(struct session *session, const char *scopes)
{
    while (scopes && *scopes) {
        size_t len = strcspn(scopes, ",");
        if (!auth_scope_is_known(session->contract, scopes, len)) {
            fprintf(stderr, "asnd key: no operation knows the scope \"%.*s\".\n", (int)len, scopes);
            return false;
        }
        scopes += len + (scopes[len] == ',');
    }
    return true;
}

/* What somebody has as a person comes with a token that says who he is. */
static bool roles_are_known(struct session *session, const char *roles)
{
    size_t n;
    const struct matrix_role *all = matrix_roles(session->matrix, &n);
    while (roles && *roles) {
        size_t len = strcspn(roles, ",");
        int role = matrix_role_find(session->matrix, roles, len);
        if (role < 0 || all[role].n_gives == 0 || all[role].is_personal) {
            fprintf(stderr, "asnd key: \"%.*s\" is no role that a key can hold.\n", (int)len, roles);
            return false;
        }
        roles += len + (roles[len] == ',');
    }
    return true;
}

static bool networks_are_fine(const char *list)
{
    struct network network;
    while (list && *list) {
        size_t len = strcspn(list, ",");
        if (!network_parse(list, len, &network)) {
            fprintf(stderr,
                    "asnd key: \"%.*s\" is no network: 10.1.0.0/16, 10.1.2.3 or 2001:db8::/32, with nothing set behind the prefix.\n",
                    (int)len, list);
            return false;
        }
        list += len + (list[len] == ',');
    }
    return true;
}

/* As openssl prints it (AB:CD:…) or plain; NULL: it is no SHA-256. */
static const char *fingerprint(struct arena *arena, const char *text)
{
    char *hex = arena_zalloc(arena, strlen(text) + 1);
    size_t n = 0;
    for (; *text; text++)
        if (*text != ':')
            hex[n++] = (char)tolower((unsigned char)*text);
    return n == KEY_HASH_HEX_SIZE - 1 && strspn(hex, "0123456789abcdef") == n ? hex : NULL;
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

/* What `asnd key create` was told. */
struct wish {
    const char *name, *owner, *scopes, *roles, *units, *allow_from, *certificate, *expires, *end;
};

static int read_wish(struct session *session, int argc, char **argv, struct wish *ret)
{
    static const char *const known[] = {"--name",       "--owner",       "--scope",   "--role", "--unit",
                                        "--allow-from", "--certificate", "--expires", NULL};
    struct arena *arena = session->ctx.arena;
    const char *certificate = collect(arena, argc, argv, "--certificate");
    *ret = (struct wish){.name = collect(arena, argc, argv, "--name"),
                         .owner = collect(arena, argc, argv, "--owner"),
                         .scopes = collect(arena, argc, argv, "--scope"),
                         .roles = collect(arena, argc, argv, "--role"),
                         .units = collect(arena, argc, argv, "--unit"),
                         .allow_from = collect(arena, argc, argv, "--allow-from"),
                         .certificate = certificate ? fingerprint(arena, certificate) : NULL,
                         .expires = collect(arena, argc, argv, "--expires")};
    ret->end = ret->expires ? end_of_key(session, ret->expires) : NULL;
    if (!ret->name || !options_are_known(argc, argv, known))
        return usage();
    if (ret->expires && !ret->end)
        return fprintf(stderr, "asnd key: --expires takes a day such as 2027-12-31, or a moment such as 2027-12-31T17:00:00+08:00.\n"), 2;
    if (certificate && !ret->certificate)
        return fprintf(stderr, "asnd key: --certificate takes the SHA-256 fingerprint of a certificate, 64 hexadecimal digits.\n"), 2;
    return networks_are_fine(ret->allow_from) && session_load_contract(session) && scopes_are_known(session, ret->scopes) &&
                   roles_are_known(session, ret->roles)
               ? 0
               : 2;
}

static int create(struct session *session, int argc, char **argv)
{
    const char *user = getenv("USER");
    char key[KEY_TEXT_LEN + 1], hash[KEY_HASH_HEX_SIZE], id[UUID_TEXT_SIZE];
    struct wish w;
    PGresult *res;
    int status = read_wish(session, argc, argv, &w);
    if (status != 0)
        return status;
    key_new(key);
    key_hash(key, strlen(key), hash);
    uuid_new_v7(id);
    if (db_query(&session->ctx, session->conn, session->set, "auth.createKey", &res, "key_id", id, "name", w.name, "owner", w.owner,
                 "key_hash", hash, "scopes", w.scopes ? w.scopes : "", "roles", w.roles, "unit_codes", w.units, "created_by",
                 user ? user : "", "expires", w.end, "allow_from", w.allow_from, "certificate", w.certificate, NULL) != ST_OK)
        return session_complain(session);
    if (is_refused(res, w.units, w.expires))
        return 1;
    fprintf(stderr, "Key %s for %s%s%s. It is shown this once:\n", id, w.name, w.end ? ", until " : "", w.end ? w.end : "");
    printf("%s\n", key);
    return 0;
}

static int rotate(struct session *session, int argc, char **argv)
{
    static const char *const known[] = {"--overlap-hours", NULL};
    const char *hours = collect(session->ctx.arena, argc - 1, argv + 1, "--overlap-hours");
    char key[KEY_TEXT_LEN + 1], hash[KEY_HASH_HEX_SIZE], *end = NULL;
    long overlap = hours ? strtol(hours, &end, 10) : 24;
    PGresult *res;
    if (!options_are_known(argc - 1, argv + 1, known))
        return usage();
    if (hours && (end == hours || *end || overlap < 0 || overlap > 8760))
        return fprintf(stderr, "asnd key: --overlap-hours takes a whole number from 0 to 8760.\n"), 2;
    key_new(key);
    key_hash(key, strlen(key), hash);
    if (db_query(&session->ctx, session->conn, session->set, "auth.rotateKey", &res, "key_id", argv[0], "key_hash", hash, "overlap_hours",
                 hours ? hours : "24", NULL) != ST_OK)
        return session_complain(session);
    if (PQntuples(res) == 0)
        return fprintf(stderr, "asnd key: there is no live key %s.\n", argv[0]), 1;
    fprintf(stderr, "Key %s for %s has a new secret; the one before holds for %ld more hours. It is shown this once:\n",
            PQgetvalue(res, 0, 0), PQgetvalue(res, 0, 1), overlap);
    printf("%s\n", key);
    return 0;
}

static int deny_token(struct session *session, int argc, char **argv)
{
    static const char *const known[] = {"--reason", NULL};
    const char *reason = collect(session->ctx.arena, argc - 1, argv + 1, "--reason");
    PGresult *res;
    if (!reason || !options_are_known(argc - 1, argv + 1, known))
        return usage();
    if (db_query(&session->ctx, session->conn, session->set, "auth.denyToken", &res, "jti", argv[0], "reason", reason, NULL) != ST_OK)
        return session_complain(session);
    fprintf(stderr, "The token is %sdenied; it stops working within key_cache_ms.\n", PQntuples(res) == 0 ? "already " : "");
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

/* Wrong use is said before a database is looked for. */
static bool is_known(const char *word)
{
    static const char *const words[] = {"create", "list", "rotate", "revoke", "deny-token"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

int cli_key(int argc, char **argv)
{
    struct session session;
    int status = 1;
    if (!session_open(&session, &argc, argv))
        status = 2;
    else if (argc < 1 || !is_known(argv[0]))
        status = usage();
    else if (!session_load_statements(&session) || !session_connect_database(&session))
        status = 1;
    else if (strcmp(argv[0], "create") == 0)
        status = create(&session, argc - 1, argv + 1);
    else if (strcmp(argv[0], "list") == 0 && argc == 1)
        status = list(&session);
    else if (strcmp(argv[0], "rotate") == 0 && argc >= 2)
        status = rotate(&session, argc - 1, argv + 1);
    else if (strcmp(argv[0], "deny-token") == 0 && argc >= 2)
        status = deny_token(&session, argc - 1, argv + 1);
    else if (strcmp(argv[0], "revoke") == 0 && argc == 2)
        status = revoke_key(&session, argv[1]);
    else
        status = usage();
    session_close(&session);
    return status;
}
