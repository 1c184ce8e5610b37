/* SPDX-License-Identifier: Apache-2.0 */
/* Idempotency-Key: the answer is kept in the same transaction as the effect, so that after a crash either both are there or neither. The same
 * key and request get the first answer again; another request under that key is refused; one that still runs is told so (the lock is
 * taken for the transaction, and a dead server's locks die with it). */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "asnd/vault.h"

/* The text and its NUL, so that no two parts can be divided otherwise. */
static void hash_text(crypto_hash_sha256_state *state, const char *text)
{
    if (text)
        crypto_hash_sha256_update(state, (const uint8_t *)text, strlen(text) + 1);
    else
        crypto_hash_sha256_update(state, (const uint8_t *)"\x01", 2); /* absent is not empty */
}

/* What makes two requests the same is what effect and answer hang on: method and target, the body and the type as which it is read, the form
 * that Accept chose, the versions that If-Match admits. The last two are hashed as what they came to, not as they were spelled, since whoever
 * repeats a request may send it through another library. Not in it: Prefer, as a dry run neither asks for a kept answer nor keeps one and nothing
 * else that may stand there is honoured; Accept-Language, which words problems, and those are not kept; the caller, who is in the
 * key already. */
static const char *request_hash(struct ctx *ctx, const struct job *job)
{
    const struct call *call = job->call;
    crypto_hash_sha256_state state, upload = job->upload_hash;
    uint8_t hash[crypto_hash_sha256_BYTES];
    char *hex = arena_alloc(ctx->arena, 2 * sizeof hash + 1);
    struct slice target = request_target(call->rq);
    crypto_hash_sha256_init(&state);
    hash_text(&state, request_method(call->rq));
    hash_text(&state, arena_strndup(ctx->arena, target.data, target.len));
    hash_text(&state, call->body_type);
    hash_text(&state, call->reply_type);
    hash_text(&state, call_bind_text(ctx, call, "if_match"));
    if (job->upload) { /* of which only the hash is left */
        crypto_hash_sha256_final(&upload, hash);
        crypto_hash_sha256_update(&state, hash, sizeof hash);
    } else if (call->in.raw_body.len) {
        crypto_hash_sha256_update(&state, (const uint8_t *)call->in.raw_body.data, call->in.raw_body.len);
    }
    crypto_hash_sha256_final(&state, hash);
    if (vault_is_set()) /* a body may be short enough to be guessed */
        vault_hash(hash, sizeof hash, hex);
    else
        hex_encode(hash, sizeof hash, hex);
    return hex;
}

/* What the caller may see and of whom: the kept answer was made for that. */
static const char *grant_hash(struct ctx *ctx, const struct call *call)
{
    const struct actor *actor = call->actor;
    crypto_hash_sha256_state state;
    uint8_t hash[crypto_hash_sha256_BYTES];
    char *hex = arena_alloc(ctx->arena, 2 * sizeof hash + 1);
    crypto_hash_sha256_init(&state);
    hash_text(&state, actor->scopes_literal);
    hash_text(&state, actor->units);
    hash_text(&state, actor->nip);
    crypto_hash_sha256_final(&state, hash);
    hex_encode(hash, sizeof hash, hex);
    return hex;
}

/* Before an upload can be compared it must be read. */
static enum status read_all(struct ctx *ctx, struct job *job)
{
    char chunk[16384];
    ptrdiff_t n;
    while ((n = job_read_upload(job, chunk, sizeof chunk)) > 0)
        continue;
    return n == 0 ? ST_OK : fail(ctx, ST_BAD_REQUEST, "bad-request", "The upload broke off.", "Kiriman terputus.");
}

static const char *column_text(struct ctx *ctx, const PGresult *res, int column)
{
    return PQgetisnull(res, 0, column) ? NULL : arena_strdup(ctx->arena, PQgetvalue(res, 0, column));
}

/* What the answer is sealed for. */
static const char *context_of(struct ctx *ctx, const struct call *call)
{
    return arena_printf(ctx->arena, "answer %s %s", call->actor->key_id, call->idempotency_key);
}

static bool column_is(const PGresult *res, int column, const char *text)
{
    return !PQgetisnull(res, 0, column) && strcmp(PQgetvalue(res, 0, column), text) == 0;
}

/* Whether this caller would be shown today what the kept answer shows. Who is restricted since is not known to be in it: it is enough that somebody is. */
static bool may_be_shown(struct ctx *ctx, const struct call *call, const PGresult *res)
{
    if (!column_is(res, 6, grant_hash(ctx, call)))
        return false;
    return !column_is(res, 7, "t") || !column_is(res, 8, "t") || actor_has_scope(call->actor, "privacy.restrict");
}

static enum status replay(struct job *job, const PGresult *res)
{
    struct ctx *ctx = &job->ctx;
    struct buf *body = arena_zalloc(ctx->arena, sizeof *body);
    struct slice kept = {PQgetvalue(res, 0, 5), (size_t)PQgetlength(res, 0, 5)};
    buf_init(body, ctx->arena, 256);
    if (!vault_open_blob(ctx->arena, kept, context_of(ctx, job->call), &kept))
        return vault_refuse(ctx);
    buf_put(body, kept.data, kept.len);
    job->out = (struct outcome){.http_status = atoi(PQgetvalue(res, 0, 1)),
                                .content_type = column_text(ctx, res, 2),
                                .etag = column_text(ctx, res, 3),
                                .location = column_text(ctx, res, 4),
                                .body = body};
    job->is_replayed = true;
    job->shows_sensitive = column_is(res, 7, "t");
    return ST_OK;
}

enum status idempotency_begin(struct job *job, struct db_conn *txn)
{
    struct ctx *ctx = &job->ctx;
    const struct call *call = job->call;
    PGresult *res;
    enum status st =
        db_query(ctx, txn, call->engine->set, "idempotency.lock", &res, "caller", call->actor->key_id, "key", call->idempotency_key, NULL);
    if (st != ST_OK)
        return st;
    if (*PQgetvalue(res, 0, 0) != 't') {
        ctx->problem.retry_after_s = 1;
        return fail(ctx, ST_CONFLICT, "idempotency-running", "The first request with this key has not ended yet.",
                    "Permintaan pertama dengan kunci ini belum selesai.");
    }
    st = db_query(ctx, txn, call->engine->set, "idempotency.find", &res, "caller", call->actor->key_id, "key", call->idempotency_key, NULL);
    crypto_hash_sha256_init(&job->upload_hash);
    if (st != ST_OK || PQntuples(res) == 0 || (st = read_all(ctx, job)) != ST_OK)
        return st;
    if (strcmp(PQgetvalue(res, 0, 0), request_hash(ctx, job)) != 0)
        return fail(ctx, ST_INVALID, "idempotency-mismatch", "This Idempotency-Key was used for another request; take a new one.",
                    "Idempotency-Key ini sudah dipakai untuk permintaan lain; pakai yang baru.");
    if (!may_be_shown(ctx, call, res))
        return fail(ctx, ST_CONFLICT, "idempotency-unseen",
                    "This was done when it was first asked for. What you may see has changed since, so that answer is not given again: "
                    "read the record.",
                    "Ini sudah dilakukan pada permintaan pertama. Hak melihat Anda telah berubah, jadi jawabannya tidak diberikan lagi: "
                    "baca datanya.");
    return replay(job, res);
}

enum status idempotency_store(struct job *job, struct db_conn *txn)
{
    struct ctx *ctx = &job->ctx;
    const struct call *call = job->call;
    int http = job->out.http_status ? job->out.http_status : call->op->contract->success;
    PGresult *res;
    return db_query(
        ctx, txn, call->engine->set, "idempotency.store", &res, "caller", call->actor->key_id, "key", call->idempotency_key, "operation",
        call->op->contract->id, "request_hash", request_hash(ctx, job), "grant_hash", grant_hash(ctx, call), "shows_sensitive",
        job->out.reading ? "t" : "f", "status", arena_printf(ctx->arena, "%d", http), "content_type", job->out.content_type, "etag",
        job->out.etag, "location", job->out.location, "body",
        vault_seal_blob(ctx->arena, job->out.body ? slice_of(buf_cstr(job->out.body)) : (struct slice){"", 0}, context_of(ctx, call)),
        NULL);
}
