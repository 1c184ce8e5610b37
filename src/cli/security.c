/* SPDX-License-Identifier: Apache-2.0 */
/* asnd check --security: settings, files, keys and database that work and are weak. Each has a name that stays, and a sentence that says what to do. */
#include "cli.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asnd/engine.h"
#include "asnd/text.h"
#include "asnd/vault.h"

struct findings {
    const struct settings *settings;
    int n;
};

static PRINTF_LIKE(3, 4) void weak(struct findings *f, const char *name, const char *format, ...)
{
    va_list args;
    printf("weak %s: ", name);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    f->n++;
}

/* ── settings ── */

static bool is_this_machine(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
}

static void look_at_door(struct findings *f)
{
    const struct settings *s = f->settings;
    if (!is_this_machine(s->listen) && !*s->tls_certificate)
        weak(f, "plain-http", "keys cross the network unencrypted: %s is not this machine alone, and there is no tls_certificate.",
             s->listen);
    if (strncmp(s->public_url, "http:", 5) == 0)
        weak(f, "public-url", "public_url leads the public to plain HTTP; make it https.");
    if (*s->client_cert_header && !*s->trusted_proxies)
        weak(f, "certificate-header",
             "client_cert_header is believed from trusted_proxies alone, which is empty: keys bound to a certificate cannot be used.");
}

static bool is_address(struct slice text)
{
    char copy[INET6_ADDRSTRLEN];
    uint8_t bytes[sizeof(struct in6_addr)];
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return inet_pton(AF_INET, copy, bytes) == 1 || inet_pton(AF_INET6, copy, bytes) == 1;
}

static void look_at_proxies(struct findings *f)
{
    for (const char *p = f->settings->trusted_proxies; *p; p += *p == ',') {
        size_t n = strcspn(p, ",");
        struct slice one = slice_trim((struct slice){p, n});
        if (!is_address(one))
            weak(f, "trusted-proxies", "\"%.*s\" is no address: networks and names are not taken, name each proxy by its own address.",
                 (int)one.len, one.data);
        p += n;
    }
}

static void look_at_tokens(struct findings *f)
{
    const struct settings *s = f->settings;
    if (*s->oidc_issuer && strcmp(s->oidc_units_else, "all") == 0)
        weak(f, "tokens-see-all", "oidc_units_else is all: a token that says nothing of units sees everybody.");
    if (*s->oidc_issuer && strncmp(s->oidc_issuer, "https://", 8) != 0)
        weak(f, "issuer-plain", "oidc_issuer is no https address: whoever stands between can bring keys of his own.");
}

static void look_at_running(struct findings *f)
{
    const struct settings *s = f->settings;
    if (strcmp(s->log_level, "debug") == 0)
        weak(f, "log-debug", "log_level is debug, which is for looking for a fault and not for every day.");
    if (!s->log_requests)
        weak(f, "log-requests", "log_requests is false: an attack leaves no line in the log.");
    if (s->core_dumps)
        weak(f, "core-dumps", "core_dumps is true: a crash writes keys and personal data to disk.");
    if (*s->sql || *s->contract)
        weak(f, "replaced",
             "contract or statements come from files (contract, sql) and not from the program: whoever writes there writes the rules.");
    if (geteuid() == 0)
        weak(f, "root", "this runs as root; give it a user of its own that owns nothing else.");
}

/* ── files ── */

static void look_at_file(struct findings *f, const char *name, const char *path, const char *what)
{
    struct stat info;
    if (path && *path && stat(path, &info) == 0 && info.st_mode & (S_IWGRP | S_IRWXO))
        weak(f, name, "%s holds %s and is open to others than its owner and group (mode %03o): chmod 640.", path, what,
             info.st_mode & 0777U);
}

/* ── the database ── */

static const char *option(const PQconninfoOption *options, const char *keyword)
{
    while (options->keyword && strcmp(options->keyword, keyword) != 0)
        options++;
    return options->keyword && options->val ? options->val : "";
}

static void look_at_connection(struct findings *f, PGconn *conn)
{
    const char *host = PQhost(conn) ? PQhost(conn) : "";
    PQconninfoOption *options = PQconninfo(conn);
    const char *mode = options ? option(options, "sslmode") : "";
    if (*host != '\0' && *host != '/' && !is_this_machine(host)) {
        if (!PQsslInUse(conn))
            weak(f, "database-plain", "the connection to PostgreSQL at %s is not encrypted: set sslmode=verify-full.", host);
        else if (strcmp(mode, "verify-full") != 0 && strcmp(mode, "verify-ca") != 0)
            weak(f, "database-unverified", "PostgreSQL at %s is not asked who it is (sslmode=%s): set sslmode=verify-full.", host, mode);
    }
    PQconninfoFree(options);
}

static const char *words_of(const char *fault)
{
    if (strcmp(fault, "key-admin") == 0)
        return "may everything and was used within 30 days: give it the scopes that it needs";
    if (strcmp(fault, "key-unused") == 0)
        return "was not used for a year: revoke it";
    return "is older than a year and never expires: rotate it, and give it an end";
}

/* What stands in the database as it is, under another key than the newest, or under one that is not here. */
static bool look_at_column_keys(struct findings *f, struct session *session)
{
    PGresult *res;
    const char *wrong;
    bool is_left = false;
    if (same_keys(&session->ctx, session->conn, session->set, vault_installed(), false, &wrong) != ST_OK)
        return false;
    if (wrong)
        weak(f, "column-key-wrong", "column_keys_file is not the one that this database was written under (%s): put the right one back.",
             wrong);
    if (db_query(&session->ctx, session->conn, session->set, "columnKeys.status", &res, NULL) != ST_OK)
        return false;
    for (int i = 0; i < PQntuples(res); i++) {
        const char *key = PQgetvalue(res, i, 1);
        if (*key && !vault_has_key(key))
            weak(f, "column-key-missing",
                 "%s values of %s are encrypted under the key %s, which column_keys_file does not have: put it back.",
                 PQgetvalue(res, i, 2), PQgetvalue(res, i, 0), key);
        is_left |= strcmp(key, vault_newest()) != 0 && strcmp(PQgetvalue(res, i, 0), "idempotency") != 0;
    }
    if (!vault_is_set())
        weak(f, "column-keys", "NIKs stand in the database as they are: make keys (asnd column-keys new FILE), and set column_keys_file.");
    else if (is_left)
        weak(f, "column-keys-left", "not all is encrypted under the newest key: asnd column-keys apply.");
    return true;
}

static bool look_at_database(struct findings *f, struct session *session)
{
    PGresult *res;
    look_at_connection(f, db_raw(session->conn));
    if (db_query(&session->ctx, session->conn, session->set, "auth.weakRole", &res, NULL) != ST_OK)
        return false;
    if (PQntuples(res) > 0)
        weak(f, "database-superuser", "the role %s is a superuser: no privilege and no row policy holds for it.", PQgetvalue(res, 0, 0));
    if (db_query(&session->ctx, session->conn, session->set, "auth.weakKeys", &res, NULL) != ST_OK)
        return false;
    for (int i = 0; i < PQntuples(res); i++)
        weak(f, PQgetvalue(res, i, 0), "the key %s (%s) %s.", PQgetvalue(res, i, 1), PQgetvalue(res, i, 2),
             words_of(PQgetvalue(res, i, 0)));
    return true;
}

int security_check(struct session *session)
{
    struct findings found = {.settings = &session->settings};
    if (!session_load_statements(session) || !session_connect_database(session))
        return 1;
    look_at_door(&found);
    look_at_proxies(&found);
    look_at_tokens(&found);
    look_at_running(&found);
    look_at_file(&found, "settings-file", settings_file_with_secret(), "a secret");
    look_at_file(&found, "tls-key-file", session->settings.tls_key, "the private key of HTTPS");
    if (!look_at_database(&found, session) || !look_at_column_keys(&found, session))
        return session_complain(session);
    if (found.n == 0)
        printf("Nothing weak was found.\n");
    return found.n > 0;
}
