/* SPDX-License-Identifier: Apache-2.0 */
/* asnd column-keys new FILE | status | apply: keys under which NIKs are sealed, what stands under which, and sealing all under the newest, a batch a
 * transaction. What was stopped goes on where it is not done yet; the daemon may serve meanwhile. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/stream.h"
#include "asnd/vault.h"

#define BATCH      100
#define BATCH_TEXT "100"

/* Tables, and whether it is whole texts that are sealed there. */
static const struct place {
    const char *name;
    bool is_text;
} places[] = {{"asn", false}, {"change_request", false}, {"asn_merge", false}, {"import_row", false}, {"import_reject", true}};

struct batch {
    const struct sql_set *set;
    const struct place *place;
    const char *after, *last;
    struct arena *arena; /* as long as a batch */
    int n;
    long done;
};

static bool renewed(struct batch *batch, const char *text, const char *holder, const char **ret)
{
    struct arena *arena = batch->arena;
    struct slice plain;
    const char *nik;
    if (batch->place->is_text) {
        const char *context = arena_printf(arena, IMPORT_REJECT_CONTEXT, holder);
        if (!vault_open_blob(arena, slice_of(text), context, &plain))
            return false;
        *ret = vault_seal_blob(arena, plain, context);
        return true;
    }
    if (*text == '{')
        return vault_renew_json(arena, slice_of(text), holder, ret);
    if (!vault_clear(arena, text, &nik))
        return false;
    *ret = vault_seal_nik(arena, nik, holder);
    return true;
}

static void put_item(struct buf *out, const char *text)
{
    buf_putc(out, out->len ? ',' : '{');
    if (!text) {
        BUF_LIT(out, "NULL");
        return;
    }
    buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

/* The value in two columns beginning at `column`, renewed. */
static bool put_value(struct batch *batch, struct buf *out, const PGresult *res, int row, int column)
{
    const char *text = NULL;
    if (!PQgetisnull(res, row, column) && !renewed(batch, PQgetvalue(res, row, column), PQgetvalue(res, row, column + 1), &text))
        return false;
    put_item(out, text);
    return true;
}

static const char *ended(struct buf *out)
{
    buf_putc(out, '}');
    return buf_cstr(out);
}

static enum status store(struct ctx *ctx, struct db_conn *txn, struct batch *batch, const PGresult *due)
{
    struct buf keys, firsts, seconds;
    PGresult *res;
    buf_init(&keys, batch->arena, 32768);
    buf_init(&firsts, batch->arena, 131072);
    buf_init(&seconds, batch->arena, 4096);
    for (int row = 0; row < PQntuples(due); row++) {
        put_item(&keys, PQgetvalue(due, row, 0));
        if (!put_value(batch, &firsts, due, row, 1) || !put_value(batch, &seconds, due, row, 3))
            return fail(ctx, ST_UNAVAILABLE, "column-key-missing", "%s %s is sealed under a key that the file lacks, or was changed",
                        "%s %s disegel dengan kunci yang tidak ada dalam berkas, atau diubah", batch->place->name, PQgetvalue(due, row, 0));
    }
    return db_query(ctx, txn, batch->set, arena_printf(ctx->arena, "columnKeysStored.%s", batch->place->name), &res, "keys", ended(&keys),
                    "firsts", ended(&firsts), "seconds", ended(&seconds), NULL);
}

static enum status apply_batch(struct ctx *ctx, struct db_conn *txn, void *cls)
{
    struct batch *batch = cls;
    PGresult *res, *due;
    enum status st = db_query(ctx, txn, batch->set, "columnKeys.begin", &res, NULL);
    if (st == ST_OK)
        st = db_query(ctx, txn, batch->set, arena_printf(ctx->arena, "columnKeys.%s", batch->place->name), &due, "after", batch->after,
                      "newest", vault_newest(), "most", BATCH_TEXT, NULL);
    if (st != ST_OK)
        return st;
    batch->n = PQntuples(due);
    if (batch->n > 0)
        batch->last = arena_strdup(ctx->arena, PQgetvalue(due, batch->n - 1, 0));
    return batch->n > 0 ? store(ctx, txn, batch, due) : ST_OK;
}

static int apply_place(struct session *session, const struct place *place)
{
    struct batch batch = {.set = session->set, .place = place, .after = "", .arena = arena_new(1 << 18)};
    int status = 0;
    do {
        if (db_transaction(&session->ctx, session->conn, false, apply_batch, &batch) != ST_OK) {
            status = session_complain(session);
            break;
        }
        batch.after = batch.last; /* a transaction that was tried again began where it did before */
        batch.done += batch.n;
        arena_reset(batch.arena);
    } while (batch.n == BATCH);
    if (batch.done)
        printf("%s: %ld sealed under %s\n", place->name, batch.done, vault_newest());
    arena_free(batch.arena);
    return status;
}

static int apply(struct session *session)
{
    int status = 0;
    if (!vault_is_set()) {
        fprintf(stderr, "asnd column-keys: there are no keys: set column_keys_file (`asnd column-keys new FILE` makes one).\n");
        return 1;
    }
    if (!session_same_keys(session, true))
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(places) && status == 0; i++)
        status = apply_place(session, &places[i]);
    return status;
}

static int tell(struct session *session)
{
    PGresult *res;
    const char *wrong;
    int lost = 0;
    if (same_keys(&session->ctx, session->conn, session->set, vault_installed(), false, &wrong) != ST_OK ||
        db_query(&session->ctx, session->conn, session->set, "columnKeys.status", &res, NULL) != ST_OK)
        return session_complain(session);
    printf("key that seals: %s\n", vault_is_set() ? vault_newest() : "none");
    for (int row = 0; row < PQntuples(res); row++) {
        const char *key = PQgetvalue(res, row, 1);
        bool is_lost = *key && !vault_has_key(key);
        printf("%-15s %-11s %s%s\n", PQgetvalue(res, row, 0), *key ? key : "not sealed", PQgetvalue(res, row, 2),
               is_lost ? "  KEY MISSING" : "");
        lost += is_lost;
    }
    if (wrong)
        printf("WRONG KEY: %s: another one of that name than the database was written under\n", wrong);
    return lost > 0 || wrong;
}

static int run(struct session *session, bool applies)
{
    /* The contract, because it names the refusals of the database. */
    if (!session_load_contract(session) || !session_load_statements(session) || !session_connect_database(session))
        return 1;
    return applies ? apply(session) : tell(session);
}

static int add(const char *path)
{
    if (!vault_add_key(path, stderr))
        return 1;
    printf("%s has a new key. Keep a copy of the file apart from the backups of the database; then SIGHUP, and `asnd column-keys apply`.\n",
           path);
    return 0;
}

int cli_column_keys(int argc, char **argv)
{
    struct session session;
    int status = 2;
    if (argc == 2 && strcmp(argv[0], "new") == 0)
        return add(argv[1]);
    if (session_open(&session, &argc, argv)) {
        if (argc == 1 && (strcmp(argv[0], "apply") == 0 || strcmp(argv[0], "status") == 0))
            status = run(&session, strcmp(argv[0], "apply") == 0);
        else
            fprintf(stderr, "usage: asnd column-keys new FILE | status | apply\n");
    }
    session_close(&session);
    return status;
}
