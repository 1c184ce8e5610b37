/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the rows of a list show something sensitive of, and the entries that say so. Of up to a thousand people an entry has all ids; of more it has
 * ranges of numbers, which the database knows by the ids, or where a row has none, by the NIPs. */
#include "tally.h"

#include <string.h>

#include "asnd/vault.h"

#define PEOPLE_MAX  1000  /* of whom an entry has all ids: as in audit_read_all() */
#define PEOPLE_PART 20000 /* in an entry */

struct tally {
    const struct projection *projection;
    bool *met;        /* by column */
    int64_t n;        /* rows that show something sensitive */
    int64_t n_people; /* those of them that say whose they are */
    struct buf nips,
        ids; /* with commas between: the NIPs of all; or, where a row has its person's id, of the first PEOPLE_MAX, and the ids of all */
    bool has_ids;
    crypto_hash_sha256_state digest; /* of the NIPs, each with a line feed */
};

static void done(void *buf)
{
    buf_done(buf);
}

static void empty(struct tally *tally)
{
    memset(tally->met, 0, (size_t)tally->projection->plan->n_columns * sizeof *tally->met);
    tally->n = tally->n_people = 0;
    tally->nips.len = tally->ids.len = 0;
    crypto_hash_sha256_init(&tally->digest);
}

struct tally *tally_new(struct arena *arena, const struct projection *projection)
{
    struct tally *tally = arena_zalloc(arena, sizeof *tally);
    const struct plan *plan = projection->plan;
    tally->projection = projection;
    tally->met = arena_zalloc_array(arena, (size_t)plan->n_columns + 1, sizeof *tally->met);
    tally->has_ids = plan->nik >= 0 && plan->id >= 0; /* a NIK is sealed for the id beside it, which is the person's */
    buf_init(&tally->nips, NULL, 0);
    buf_init(&tally->ids, NULL, 0);
    arena_on_free(arena, done, &tally->nips);
    arena_on_free(arena, done, &tally->ids);
    empty(tally);
    return tally;
}

static bool is_there(const PGresult *res, int row, int column)
{
    return !PQgetisnull(res, row, column) && strcmp(PQgetvalue(res, row, column), "{}") != 0;
}

static bool shows(struct tally *tally, const PGresult *res, int row)
{
    const struct plan *plan = tally->projection->plan;
    const bool *shown = row_shown(tally->projection, res, row);
    bool any = plan->sensitive >= 0 && strcmp(PQgetvalue(res, row, plan->sensitive), "t") == 0;
    for (int i = 0; i < plan->n_columns; i++) {
        if (!plan->columns[i].is_sensitive || !shown[i] || tally->projection->masked[i] || !is_there(res, row, i))
            continue;
        tally->met[i] = true;
        any = true;
    }
    return any;
}

static void put_person(struct buf *out, const char *text, size_t len)
{
    if (out->len)
        buf_putc(out, ',');
    buf_put(out, text, len);
}

void tally_row(struct tally *tally, const PGresult *res, int row)
{
    const struct plan *plan = tally->projection->plan;
    const char *nip;
    size_t len;
    if (!plan->shows_sensitive || !shows(tally, res, row))
        return;
    tally->n++;
    if (plan->nip < 0 || PQgetisnull(res, row, plan->nip))
        return;
    nip = PQgetvalue(res, row, plan->nip);
    len = (size_t)PQgetlength(res, row, plan->nip);
    crypto_hash_sha256_update(&tally->digest, (const uint8_t *)nip, len);
    crypto_hash_sha256_update(&tally->digest, (const uint8_t *)"\n", 1);
    if (++tally->n_people <= PEOPLE_MAX || !tally->has_ids)
        put_person(&tally->nips, nip, len);
    if (tally->has_ids)
        put_person(&tally->ids, PQgetvalue(res, row, plan->id), (size_t)PQgetlength(res, row, plan->id));
}

bool tally_is_full(const struct tally *tally)
{
    return tally->n_people >= PEOPLE_PART;
}

/* Those whom the reading is of: NULL without any. */
static const char *literal(struct arena *arena, struct buf *people)
{
    return people->len ? arena_printf(arena, "{%s}", buf_cstr(people)) : NULL;
}

struct reading *tally_take(struct ctx *ctx, const struct call *call, struct tally *tally)
{
    const struct plan *plan = tally->projection->plan;
    bool has_many = tally->n_people > PEOPLE_MAX;
    uint8_t hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof hash + 1];
    struct reading *reading;
    struct buf members;
    if (tally->n == 0)
        return NULL;
    buf_init(&members, ctx->arena, 64);
    for (int i = 0; i < plan->n_columns; i++)
        if (tally->met[i])
            buf_printf(&members, "%s%s", members.len ? "," : "", plan->columns[i].name);
    reading = audit_reading_of(ctx, call, buf_cstr(&members), NULL);
    if (has_many && tally->has_ids)
        reading->ids = literal(ctx->arena, &tally->ids);
    else if (tally->n_people > 0)
        reading->nips = literal(ctx->arena, &tally->nips);
    crypto_hash_sha256_final(&tally->digest, hash);
    hex_encode(hash, sizeof hash, hex);
    reading->n = arena_printf(ctx->arena, "%lld", (long long)tally->n);
    reading->digest = tally->n > 1 ? arena_strdup(ctx->arena, hex) : NULL;
    empty(tally);
    return reading;
}

/* ── while the list is being read ── */

static enum status send_entry(struct ctx *ctx, struct noter *noter, struct tally *tally)
{
    const struct call *call = noter->call;
    const char **values = arena_alloc(ctx->arena, sizeof *values);
    struct buf out;
    buf_init(&out, ctx->arena, 1 << 20);
    buf_putc(&out, '[');
    audit_put_reading(&out, audit_facts(ctx, call), tally_take(ctx, call, tally));
    buf_putc(&out, ']');
    values[0] = buf_cstr(&out);
    return db_send(ctx, noter->conn, statement_variant(sql_set_find(call->engine->set, "audit.readAll"), 0, 0, VARIANT_PLAIN), values);
}

/* The connection's own context: what it says of a fault has been logged, and the caller is told that it was not noted. */
static struct ctx inner(const struct ctx *ctx, const struct noter *noter)
{
    return (struct ctx){.arena = noter->arena, .lang = ctx->lang, .request_id = ctx->request_id, .actor = ctx->actor};
}

enum status noter_note(struct ctx *ctx, struct noter *noter, const struct db_conn *reader, struct tally *tally)
{
    enum status st = ST_OK;
    struct ctx own;
    if (!noter->arena)
        noter->arena = arena_new(0);
    own = inner(ctx, noter);
    if (!noter->conn)
        st = db_connect_beside(&own, reader, &noter->conn);
    if (st == ST_OK)
        st = db_settle(&own, noter->conn);
    if (st == ST_OK) {
        arena_reset(noter->arena);
        st = send_entry(&own, noter, tally);
    }
    return st == ST_OK ? ST_OK : audit_not_noted(ctx);
}

enum status noter_end(struct ctx *ctx, struct noter *noter)
{
    enum status st = ST_OK;
    struct ctx own;
    if (!noter->arena)
        return ST_OK;
    own = inner(ctx, noter);
    if (noter->conn)
        st = db_settle(&own, noter->conn);
    db_disconnect(noter->conn);
    arena_free(noter->arena);
    *noter = (struct noter){.call = noter->call};
    return st == ST_OK ? ST_OK : audit_not_noted(ctx);
}
