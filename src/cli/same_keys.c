/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the keys of columns are those that the database was written under. The table column_key has what each is told again by; of a key that stands there
 * not yet, values that are sealed under its number say it, and where there are none either, it is new. */
#include "cli.h"

#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/vault.h"

struct comparison {
    const struct sql_set *set;
    const struct vault *vault;
    bool opened, hash_fits; /* some sealed value; and the hash of one that was */
    struct buf wrong;
};

static void put_wrong(struct comparison *c, const char *name)
{
    buf_printf(&c->wrong, "%s%s", c->wrong.len ? ", " : "", name);
}

/* Whether values that are sealed under the number can be opened; true if there are none. One may have been changed behind the daemon's back, so several are
 * tried. */
static enum status try_values(struct ctx *ctx, struct db_conn *conn, struct comparison *c, const char *number, bool *ret)
{
    PGresult *res;
    enum status st = db_query(ctx, conn, c->set, "columnKeys.samples", &res, "number", number, NULL);
    if (st != ST_OK)
        return st;
    *ret = PQntuples(res) == 0;
    for (int row = 0; row < PQntuples(res); row++) {
        bool hash_fits;
        if (!vault_opens(c->vault, PQgetvalue(res, row, 0), (size_t)PQgetlength(res, row, 0), &hash_fits))
            continue;
        *ret = c->opened = true;
        c->hash_fits |= hash_fits;
    }
    return ST_OK;
}

/* Whether the i-th is known, and if so, whether it is the same. */
static enum status look_up(struct ctx *ctx, struct db_conn *conn, struct comparison *c, size_t i, bool *ret_is_known)
{
    char says[VAULT_SAYS_SIZE];
    PGresult *res;
    enum status st = db_query(ctx, conn, c->set, "columnKeys.says", &res, "number", vault_name(c->vault, i), NULL);
    if (st != ST_OK)
        return st;
    vault_says(c->vault, i, says);
    *ret_is_known = PQntuples(res) > 0;
    if (*ret_is_known && strcmp(PQgetvalue(res, 0, 0), says) != 0)
        put_wrong(c, vault_name(c->vault, i));
    return ST_OK;
}

static enum status compare(struct ctx *ctx, struct db_conn *conn, struct comparison *c, size_t i)
{
    const char *name = vault_name(c->vault, i);
    bool is_known, is_same = true;
    enum status st = look_up(ctx, conn, c, i, &is_known);
    if (st != ST_OK || is_known)
        return st;
    if (strcmp(name, VAULT_SEARCH) == 0) /* the last one: values have been tried by now */
        is_same = !c->opened || c->hash_fits;
    else
        st = try_values(ctx, conn, c, name, &is_same);
    if (!is_same)
        put_wrong(c, name);
    return st;
}

static enum status note(struct ctx *ctx, struct db_conn *conn, struct comparison *c, size_t i)
{
    char says[VAULT_SAYS_SIZE];
    bool is_known;
    PGresult *res;
    enum status st = look_up(ctx, conn, c, i, &is_known);
    if (st != ST_OK || is_known)
        return st;
    vault_says(c->vault, i, says);
    st = db_query(ctx, conn, c->set, "columnKeys.note", &res, "number", vault_name(c->vault, i), "says", says, NULL);
    if (st != ST_OK) { /* a database that is only read: whoever writes to it notes it */
        problem_clear(ctx);
        return ST_OK;
    }
    return look_up(ctx, conn, c, i, &is_known); /* another daemon may have been quicker, with another key */
}

enum status same_keys(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct vault *vault, bool notes,
                      const char **ret_wrong)
{
    struct comparison c = {.set = set, .vault = vault};
    enum status st = ST_OK;
    buf_init(&c.wrong, ctx->arena, 64);
    for (size_t i = 0; vault && st == ST_OK && vault_name(vault, i); i++)
        st = compare(ctx, conn, &c, i);
    for (size_t i = 0; notes && vault && st == ST_OK && c.wrong.len == 0 && vault_name(vault, i); i++)
        st = note(ctx, conn, &c, i);
    *ret_wrong = c.wrong.len ? buf_cstr(&c.wrong) : NULL;
    return st;
}

bool session_same_keys(struct session *session, bool notes)
{
    const char *wrong;
    if (same_keys(&session->ctx, session->conn, session->set, vault_installed(), notes, &wrong) != ST_OK) {
        session_complain(session);
        return false;
    }
    if (wrong)
        fprintf(stderr, SAME_KEYS_REFUSAL, wrong);
    return !wrong;
}
