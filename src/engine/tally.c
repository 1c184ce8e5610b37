/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the rows of a list show something sensitive of, and the entries that say so. Of up to a thousand people an entry has all ids; of more it has
 * ranges of numbers, which the database knows by the ids, or where a row has none, by the NIPs. */
#include "tally.h"

#include <string.h>

#include "asnd/vault.h"

#define PEOPLE_MAX  1000  /* of whom an entry has all ids: as in audit_read_all() */
#define PEOPLE_PART 20000 /* in an entry */

/* PostgreSQL's binary format of uuid[]: dimensions, whether one is null, type, how many, the first one's index; then each with its length. */
enum { ARRAY_HEAD = 20, UUID_BYTES = 16, UUID_OID = 2950 };

struct tally {
    const struct projection *projection;
    bool *met;                       /* by column */
    int64_t n;                       /* rows that show something sensitive */
    int64_t n_people;                /* those of them that say whose they are */
    bool is_told;                    /* a row itself said so */
    bool has_ids;                    /* a row has its person's id */
    struct buf nips;                 /* with commas between; where there are ids, of the first PEOPLE_MAX */
    struct buf ids;                  /* uuid[] of all, but for the head */
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
    tally->is_told = false;
    tally->nips.len = 0;
    tally->ids.len = ARRAY_HEAD;
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
    buf_init(&tally->ids, NULL, 64);
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
    tally->is_told |= any;
    for (int i = 0; i < plan->n_columns; i++) {
        if (!plan->columns[i].is_sensitive || !shown[i] || tally->projection->masked[i] || !is_there(res, row, i))
            continue;
        tally->met[i] = true;
        any = true;
    }
    return any;
}

static void put_nip(struct buf *out, const char *text, size_t len)
{
    if (out->len)
        buf_putc(out, ',');
    buf_put(out, text, len);
}

static void put_u32(uint8_t *at, size_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint8_t digit_of(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static void put_id(struct buf *out, const char *text)
{
    uint8_t bytes[4 + UUID_BYTES];
    put_u32(bytes, UUID_BYTES);
    for (size_t i = 0; i < UUID_BYTES; i++) {
        text += *text == '-';
        bytes[4 + i] = (uint8_t)(digit_of(text[0]) << 4 | digit_of(text[1]));
        text += 2;
    }
    buf_put(out, bytes, sizeof bytes);
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
        put_nip(&tally->nips, nip, len);
    if (tally->has_ids)
        put_id(&tally->ids, PQgetvalue(res, row, plan->id));
}

bool tally_is_full(const struct tally *tally)
{
    return tally->n_people >= PEOPLE_PART;
}

/* All of the entry but who they were, if they are told by ids. */
static struct reading *reading_of(struct ctx *ctx, const struct call *call, struct tally *tally)
{
    const struct plan *plan = tally->projection->plan;
    uint8_t hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof hash + 1];
    struct reading *reading;
    struct buf members;
    buf_init(&members, ctx->arena, 64);
    for (int i = 0; i < plan->n_columns; i++)
        if (tally->met[i])
            buf_printf(&members, "%s%s", members.len ? "," : "", plan->columns[i].name);
    reading = audit_reading_of(ctx, call, buf_cstr(&members), NULL);
    crypto_hash_sha256_final(&tally->digest, hash);
    hex_encode(hash, sizeof hash, hex);
    reading->n = arena_printf(ctx->arena, "%lld", (long long)tally->n);
    reading->is_told = tally->is_told;
    reading->digest = tally->n > 1 ? arena_strdup(ctx->arena, hex) : NULL;
    return reading;
}

static const char *nips_of(struct arena *arena, const struct tally *tally)
{
    struct buf out;
    buf_init(&out, arena, tally->nips.len + 3);
    buf_putc(&out, '{');
    buf_put(&out, tally->nips.data, tally->nips.len);
    buf_putc(&out, '}');
    return buf_cstr(&out);
}

static bool is_crowd(const struct tally *tally)
{
    return tally->has_ids && tally->n_people > PEOPLE_MAX;
}

struct reading *tally_take(struct ctx *ctx, const struct call *call, struct tally *tally)
{
    struct reading *reading;
    if (tally->n == 0)
        return NULL;
    reading = reading_of(ctx, call, tally);
    if (tally->nips.len)
        reading->nips = nips_of(ctx->arena, tally);
    empty(tally);
    return reading;
}

/* ── while the list is being read ── */

static void put_head(uint8_t *head, size_t n)
{
    put_u32(head, 1);
    put_u32(head + 4, 0);
    put_u32(head + 8, UUID_OID);
    put_u32(head + 12, n);
    put_u32(head + 16, 1);
}

static enum status send_entry(struct ctx *ctx, const struct call *call, struct db_conn *conn, struct tally *tally)
{
    const struct variant *variant = statement_variant(sql_set_find(call->engine->set, "audit.readCrowd"), 0, 0, VARIANT_PLAIN);
    const char *values[2] = {NULL};
    int lengths[2] = {0};
    enum status st;
    struct buf out;
    bool has_ids = is_crowd(tally);
    struct reading *reading = reading_of(ctx, call, tally);
    if (!has_ids && tally->nips.len)
        reading->nips = nips_of(ctx->arena, tally);
    buf_init(&out, ctx->arena, 4096);
    buf_putc(&out, '[');
    audit_put_reading(&out, audit_facts(ctx, call), reading);
    buf_putc(&out, ']');
    values[0] = buf_cstr(&out);
    if (has_ids) {
        put_head((uint8_t *)tally->ids.data, (tally->ids.len - ARRAY_HEAD) / (4 + UUID_BYTES));
        values[1] = tally->ids.data;
        lengths[1] = (int)tally->ids.len;
    }
    st = db_send(ctx, conn, variant, values, lengths);
    empty(tally);
    return st;
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
        st = send_entry(&own, noter->call, noter->conn, tally);
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

enum status tally_write(struct ctx *ctx, const struct call *call, struct db_conn *conn, struct tally *tally)
{
    struct ctx own = *ctx;
    enum status st;
    if (!is_crowd(tally))
        return audit_write_alone(ctx, call, conn, tally_take(ctx, call, tally));
    st = send_entry(&own, call, conn, tally);
    if (st == ST_OK)
        st = db_settle(&own, conn);
    return st == ST_OK ? ST_OK : audit_not_noted(ctx);
}
