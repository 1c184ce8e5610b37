/* SPDX-License-Identifier: Apache-2.0 */
/* Contents as rows of PostgreSQL, in pieces of CHUNK bytes. Bytes go both ways in binary form and past the arena, which would keep them all until
 * the end: what an upload or download holds at a time is one piece. */
#include "asnd/store.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "asnd/arena.h"
#include "asnd/db.h"
#include "asnd/log.h"
#include "asnd/text.h"

#define CHUNK 262144 /* as document_chunk_bytes_length has it */

struct store_writer {
    struct ctx *ctx;
    struct db_conn *txn;
    const struct sql_set *set;
    crypto_hash_sha256_state hash;
    char id[UUID_TEXT_SIZE];
    char *piece;
    size_t len; /* of the piece */
    uint32_t seq;
    int64_t size;
};

/* ── one statement with bytes in it ── */

struct bind {
    const char *name, *value;
    int len, is_binary;
};

/* The caller clears the result. */
static enum status execute(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const char *name, const struct bind *binds,
                           size_t n, PGresult **ret)
{
    const struct statement *statement = sql_set_find(set, name);
    const struct variant *variant = statement ? statement_variant(statement, 0, 0, VARIANT_PLAIN) : NULL;
    const char *values[4] = {0};
    int lengths[4] = {0}, formats[4] = {0};
    PGresult *res;
    enum status st;
    if (!variant || variant->n_binds > ARRAY_LEN(values)) {
        log_line(LOG_ERROR_, "statement-missing", LOG_TEXT("name", name));
        return fail(ctx, ST_INTERNAL, "internal", "A statement is missing.", "Sebuah pernyataan tidak ada.");
    }
    for (size_t i = 0; i < variant->n_binds; i++)
        for (size_t k = 0; k < n; k++)
            if (strcmp(variant->binds[i], binds[k].name) == 0) {
                values[i] = binds[k].value;
                lengths[i] = binds[k].len;
                formats[i] = binds[k].is_binary;
            }
    res = PQexecParams(db_raw(conn), variant->sql, (int)variant->n_binds, NULL, values, lengths, formats, 1);
    if (PQresultStatus(res) == PGRES_TUPLES_OK || PQresultStatus(res) == PGRES_COMMAND_OK) {
        *ret = res;
        return ST_OK;
    }
    st = db_fail(ctx, PQstatus(db_raw(conn)) == CONNECTION_OK ? res : NULL);
    PQclear(res);
    return st;
}

/* ── writing ── */

struct store_writer *store_begin(struct ctx *ctx, struct db_conn *txn, const struct sql_set *set)
{
    struct store_writer *w = arena_zalloc(ctx->arena, sizeof *w);
    w->ctx = ctx;
    w->txn = txn;
    w->set = set;
    w->piece = malloc(CHUNK);
    if (!w->piece)
        die_no_memory();
    arena_on_free(ctx->arena, free, w->piece);
    crypto_hash_sha256_init(&w->hash);
    uuid_new_v7(w->id);
    return w;
}

static enum status send_piece(struct store_writer *w)
{
    uint32_t seq = htonl(w->seq);
    const struct bind binds[] = {
        {"content_id", w->id, 0, 0}, {"seq", (const char *)&seq, sizeof seq, 1}, {"bytes", w->piece, (int)w->len, 1}};
    PGresult *res = NULL;
    enum status st = execute(w->ctx, w->txn, w->set, "store.put", binds, ARRAY_LEN(binds), &res);
    PQclear(res);
    w->seq++;
    w->len = 0;
    return st;
}

enum status store_put(struct store_writer *w, const char *bytes, size_t len)
{
    enum status st = ST_OK;
    crypto_hash_sha256_update(&w->hash, (const uint8_t *)bytes, len);
    w->size += (int64_t)len;
    while (len && st == ST_OK) {
        size_t n = len < CHUNK - w->len ? len : CHUNK - w->len;
        memcpy(w->piece + w->len, bytes, n);
        w->len += n;
        bytes += n;
        len -= n;
        if (w->len == CHUNK)
            st = send_piece(w);
    }
    return st;
}

enum status store_end(struct store_writer *w, struct stored *ret)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    PGresult *res;
    enum status st = w->len ? send_piece(w) : ST_OK;
    if (st != ST_OK)
        return st;
    crypto_hash_sha256_final(&w->hash, hash);
    hex_encode(hash, sizeof hash, ret->sha256);
    ret->size = w->size;
    st = db_query(w->ctx, w->txn, w->set, "store.settle", &res, "content_id", w->id, "sha256", ret->sha256, "size",
                  arena_printf(w->ctx->arena, "%lld", (long long)w->size), NULL);
    if (st == ST_OK)
        ret->id = arena_strdup(w->ctx->arena, PQgetvalue(res, 0, 0));
    return st;
}

/* ── reading ── */

static enum status not_whole(struct ctx *ctx, const char *id)
{
    log_line(LOG_ERROR_, "content-incomplete", LOG_TEXT("content", id), LOG_TEXT("request_id", ctx->request_id));
    return fail(ctx, ST_INTERNAL, "internal", "The content is not whole.", "Isi dokumen tidak utuh.");
}

/* Bytes from `from` on of one piece, `most` at most; *ret_n says how many there were. */
static enum status read_piece(struct ctx *ctx, struct db_conn *txn, const struct sql_set *set, const char *id, uint32_t number, size_t from,
                              size_t most, store_sink sink, void *cls, size_t *ret_n)
{
    uint32_t seq = htonl(number);
    const struct bind binds[] = {{"content_id", id, 0, 0}, {"seq", (const char *)&seq, sizeof seq, 1}};
    PGresult *res = NULL;
    enum status st = execute(ctx, txn, set, "store.get", binds, ARRAY_LEN(binds), &res);
    size_t len = st == ST_OK && PQntuples(res) == 1 ? (size_t)PQgetlength(res, 0, 0) : 0;
    if (st == ST_OK && len <= from) {
        st = not_whole(ctx, id);
    } else if (st == ST_OK) {
        *ret_n = len - from < most ? len - from : most;
        if (!sink(cls, PQgetvalue(res, 0, 0) + from, *ret_n))
            st = fail(ctx, ST_UNAVAILABLE, "unavailable", "The reader has gone.", "Pembaca sudah pergi.");
    }
    PQclear(res);
    return st;
}

enum status store_read(struct ctx *ctx, struct db_conn *txn, const struct sql_set *set, const char *id, int64_t first, int64_t len,
                       store_sink sink, void *cls)
{
    enum status st = ST_OK;
    while (len > 0 && st == ST_OK) {
        size_t n = 0;
        st = read_piece(ctx, txn, set, id, (uint32_t)(first / CHUNK), (size_t)(first % CHUNK), (size_t)len, sink, cls, &n);
        if (st == ST_OK && len > (int64_t)n && (first + (int64_t)n) % CHUNK != 0)
            st = not_whole(ctx, id);
        first += (int64_t)n;
        len -= (int64_t)n;
    }
    return st;
}

/* ── checking ── */

struct verify {
    store_fault tell;
    void *cls;
    int64_t contents, bytes;
};

static enum status verify_rows(struct ctx *ctx, void *cls, const PGresult *rows)
{
    struct verify *v = cls;
    (void)ctx;
    for (int i = 0; i < PQntuples(rows); i++) {
        v->contents++;
        v->bytes += strtoll(PQgetvalue(rows, i, 2), NULL, 10);
        if (!PQgetisnull(rows, i, 1))
            v->tell(v->cls, PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1));
    }
    return ST_OK;
}

enum status store_verify(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, store_fault tell, void *cls,
                         int64_t *ret_contents, int64_t *ret_bytes)
{
    struct verify v = {.tell = tell, .cls = cls};
    const struct variant *all = statement_variant(sql_set_find(set, "store.verify"), 0, 0, VARIANT_PLAIN);
    PGresult *res;
    enum status st = db_stream(ctx, conn, all, NULL, verify_rows, &v);
    if (st == ST_OK)
        st = db_query(ctx, conn, set, "store.strays", &res, NULL);
    for (int i = 0; st == ST_OK && i < PQntuples(res); i++)
        tell(cls, PQgetvalue(res, i, 0), PQgetvalue(res, i, 1));
    if (ret_contents)
        *ret_contents = v.contents;
    if (ret_bytes)
        *ret_bytes = v.bytes;
    return st;
}

enum status store_sweep(struct ctx *ctx, struct db_conn *txn, const struct sql_set *set)
{
    PGresult *res;
    return db_query(ctx, txn, set, "store.removeStrays", &res, NULL);
}
