/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls: from the text behind `Bearer` to an actor. A key is looked up by its hash. A token is judged here (signature, claims) and then looked up too,
 * by whom it speaks of, since it may have been denied. What was found is remembered by the loop for key_cache_ms. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/date.h"
#include "asnd/uuid.h"
#include "door.h"

/* Last use is worth a write at most once a minute and key. */
#define NOTE_EVERY_MS 60000

/* ── last use ── */

static void note_use_done(struct db_request *db, enum db_outcome outcome, PGresult *res)
{
    (void)outcome;
    (void)res;
    arena_free(db->cls);
}

static const char *note_value(struct arena *arena, const struct actor *actor, const char *name)
{
    if (strcmp(name, "key_id") == 0)
        return arena_strdup(arena, actor->key_id);
    return actor->is_previous ? "true" : "false";
}

static void note_use(struct call *call)
{
    int64_t now = clock_mono_ms();
    struct arena *arena;
    struct db_request *db;
    const struct variant *variant;
    const char **values;
    if (call->actor->used_noted_ms && now - call->actor->used_noted_ms < NOTE_EVERY_MS)
        return;
    call->actor->used_noted_ms = now;
    arena = arena_new(512);
    db = arena_zalloc(arena, sizeof *db);
    variant = statement_variant(sql_set_find(call->engine->set, "auth.noteUse"), 0, 0, VARIANT_PLAIN);
    values = arena_alloc(arena, (variant->n_binds + 1) * sizeof *values);
    for (size_t i = 0; i < variant->n_binds; i++)
        values[i] = note_value(arena, call->actor, variant->binds[i]);
    *db = (struct db_request){
        .variant = variant, .values = values, .units = DB_EVERYTHING, .is_write = true, .done = note_use_done, .cls = arena};
    db_loop_submit(call->loop->db, db);
}

/* ── what became of it ── */

/* RFC 6750, 3.1: a client that gets this asks its provider for another token. */
static void refuse_token(struct call *call)
{
    metric_add(call->engine->tokens_refused, 1);
    reply_header(call->rq, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
}

static enum status refuse_unknown(struct call *call)
{
    if (!call->token.data) {
        limit_wrong(call);
        return fail(call->ctx, ST_UNAUTHENTICATED, "unauthenticated", "This key is unknown, revoked or expired.",
                    "Kunci ini tidak dikenal, dicabut, atau kedaluwarsa.");
    }
    refuse_token(call);
    return fail(call->ctx, ST_UNAUTHENTICATED, "unauthenticated", "This token was taken back.", "Token ini sudah ditarik kembali.");
}

/* A certificate that somebody else than a proxy of ours hands on is anybody's claim. */
static const char *certificate_header(struct call *call)
{
    const struct settings *s = call->engine->settings;
    if (!*s->client_cert_header || !limit_is_trusted(request_peer(call->rq), s->trusted_proxies))
        return NULL;
    return request_header(call->rq, s->client_cert_header);
}

static enum status require_place(struct call *call)
{
    struct slice client =
        limit_client(request_peer(call->rq), request_header(call->rq, "X-Forwarded-For"), call->engine->settings->trusted_proxies);
    return auth_require_place(call->ctx, call->actor, client, call->actor->certificate ? certificate_header(call) : NULL);
}

static void on_actor(struct call *call)
{
    enum status st = ST_OK;
    if (!call->actor) {
        st = refuse_unknown(call);
    } else if (call->actor->expires_us && call->actor->expires_us <= clock_wall_us()) {
        if (call->token.data)
            refuse_token(call);
        st = fail(call->ctx, ST_UNAUTHENTICATED, "unauthenticated", "This key has expired.", "Kunci ini sudah kedaluwarsa.");
    } else {
        st = require_place(call);
    }
    if (st != ST_OK) {
        call_refuse(call, call->ctx);
        return;
    }
    note_use(call);
    call_known(call);
}

/* ── the database ── */

static const char *column(const PGresult *res, const char *name)
{
    int i = PQfnumber(res, name);
    return PQgetisnull(res, 0, i) ? NULL : PQgetvalue(res, 0, i);
}

static struct actor *actor_of(const struct engine *engine, const PGresult *res)
{
    return actor_new(&(struct actor_facts){.key_id = column(res, "id"),
                                           .name = column(res, "name"),
                                           .units = column(res, "units"),
                                           .agency = column(res, "agency"),
                                           .roles_literal = column(res, "roles"),
                                           .roles = roles_of_literal(engine->matrix, column(res, "roles")),
                                           .scopes_literal = column(res, "scopes"),
                                           .nip = column(res, "nip"),
                                           .allow_from = column(res, "allow_from"),
                                           .certificate = column(res, "certificate"),
                                           .expires_us = strtoll(column(res, "expires_us"), NULL, 10),
                                           .is_previous = *column(res, "is_previous") == 't'});
}

static void lookup_done(struct db_request *db, enum db_outcome outcome, PGresult *res)
{
    struct call *call = db->cls;
    if (outcome == DB_OK) {
        call->actor = PQntuples(res) == 1 ? actor_of(call->engine, res) : NULL;
        actor_cache_store(call->loop->actors, call->key_hash, clock_mono_ms(), call->actor);
        if (call->actor)
            account_know(call->engine->accounts, call->key_hash);
    }
    if (call->is_over)
        actor_unref(call->actor);
    else if (outcome == DB_OK)
        on_actor(call);
    else
        call_refuse_outcome(call, outcome, res);
    call_release(call);
}

static const char *new_id(struct arena *arena)
{
    char id[UUID_TEXT_SIZE];
    uuid_new_v7(id);
    return arena_strdup(arena, id);
}

/* Binds of auth.lookupKey and auth.lookupToken, by name. */
static const char *lookup_value(const struct call *call, const char *name)
{
    struct arena *arena = call->ctx->arena;
    const struct token_claims *claims = &call->claims;
    const struct {
        const char *name, *value;
    } of_token[] = {{"key_hash", claims->caller_hash},
                    {"name", claims->name},
                    {"issuer", claims->issuer},
                    {"subject", claims->subject},
                    {"jti", claims->jti},
                    {"nip", claims->nip},
                    {"scopes", claims->scopes},
                    {"roles", claims->roles},
                    {"unit_codes", claims->unit_codes},
                    {"units_else", call->engine->settings->oidc_units_else},
                    {"certificate", claims->certificate}};
    if (!call->token.data)
        return call->key_hash;
    for (size_t i = 0; i < ARRAY_LEN(of_token); i++)
        if (strcmp(of_token[i].name, name) == 0)
            return of_token[i].value;
    return strcmp(name, "key_id") == 0 ? new_id(arena) : arena_printf(arena, "%lld", (long long)claims->expires_us);
}

static void look_up(struct call *call)
{
    const char *name = call->token.data ? "auth.lookupToken" : "auth.lookupKey";
    const struct statement *statement = sql_set_find(call->engine->set, name);
    const struct variant *variant = statement_variant(statement, 0, 0, VARIANT_PLAIN);
    const char **values = arena_alloc(call->ctx->arena, (variant->n_binds + 1) * sizeof *values);
    for (size_t i = 0; i < variant->n_binds; i++)
        values[i] = lookup_value(call, variant->binds[i]);
    call->db = (struct db_request){.variant = variant,
                                   .values = values,
                                   .units = DB_EVERYTHING,
                                   .is_write = statement_info(statement)->is_write,
                                   .run_again = true,
                                   .done = lookup_done,
                                   .cls = call};
    call_hold(call);
    db_loop_submit(call->loop->db, &call->db);
}

/* ── tokens ── */

static enum status judge_token(struct call *call);

static void on_keys_ready(struct loop_task *task)
{
    struct call *call = (struct call *)(void *)((char *)task - offsetof(struct call, keys_ready));
    if (!call->is_over && judge_token(call) != ST_OK)
        call_refuse(call, call->ctx);
    call_release(call);
}

/* On the provider's thread. */
static void on_keys_fetched(struct key_waiter *waiter)
{
    struct call *call = (struct call *)(void *)((char *)waiter - offsetof(struct call, key_waiter));
    loop_post(call->loop, &call->keys_ready);
}

static enum status await_keys(struct call *call)
{
    enum status st;
    if (!call->has_awaited_keys) {
        call->has_awaited_keys = true;
        call->key_waiter.ready = on_keys_fetched;
        call->keys_ready.run = on_keys_ready;
        call_hold(call);
        if (provider_await(call->engine->provider, &call->key_waiter))
            return ST_OK;
        call_release(call);
    }
    st = provider_refuse_unknown(call->ctx, call->engine->provider);
    if (st == ST_UNAUTHENTICATED) {
        limit_wrong(call);
        refuse_token(call);
    }
    return st;
}

static enum status judge_token(struct call *call)
{
    switch (provider_verify(call->ctx, call->engine->provider, call->token, clock_wall_us(), &call->claims)) {
    case TOKEN_GOOD:
        look_up(call);
        return ST_OK;
    case TOKEN_KEY_UNKNOWN:
        return await_keys(call);
    case TOKEN_FORGED:
        limit_wrong(call);
        break;
    case TOKEN_REFUSED:
        break;
    }
    refuse_token(call);
    return call->ctx->problem.status;
}

/* What is no credential at all is a wrong one too, once somebody has sent it. */
static enum status refuse_bearer(struct call *call, enum status st)
{
    if (!request_header(call->rq, "Authorization"))
        return st;
    if (limit_guess(call) != ST_OK)
        return ST_TOO_MANY_REQUESTS;
    limit_wrong(call);
    return st;
}

enum status caller_find(struct call *call)
{
    enum bearer kind;
    enum actor_known known;
    struct slice text;
    enum status st = auth_bearer(call->ctx, request_header(call->rq, "Authorization"), call->engine->provider != NULL, &text, &kind);
    if (st != ST_OK)
        return refuse_bearer(call, st);
    if (kind == BEARER_TOKEN)
        call->token = text;
    key_hash(text.data, text.len, call->key_hash);
    known = actor_cache_find(call->loop->actors, call->key_hash, clock_mono_ms(), &call->actor);
    if (known != ACTOR_GOOD && (st = limit_guess(call)) != ST_OK)
        return st;
    if (known != ACTOR_UNKNOWN)
        on_actor(call);
    else if (kind == BEARER_TOKEN)
        return judge_token(call);
    else
        look_up(call);
    return ST_OK;
}
