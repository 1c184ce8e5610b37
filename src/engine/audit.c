/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine tells the audit. Who acts is told to the database once a transaction, by a session variable, and triggers note what is done (docs/audit.md). What
 * is read is known only here: a reply with something sensitive in it leaves when its entry is committed, and not otherwise. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/log.h"
#include "asnd/vault.h"

/* ── who acts ── */

#define REASON_MAX 500

static void put_member(struct buf *out, const char *name, const char *text, size_t len)
{
    if (!text)
        return;
    buf_printf(out, ",\"%s\":", name);
    buf_json_string(out, text, len);
}

static void put_word(struct buf *out, const char *name, const char *text)
{
    put_member(out, name, text, text ? strlen(text) : 0);
}

/* Cut where a character ends. */
static size_t cut(const char *text, size_t most)
{
    size_t len = strlen(text);
    if (len <= most)
        return len;
    for (len = most; len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80;)
        len--;
    return len;
}

/* Actor, operation, and these with all else as members of an entry, with tabs between: audit_facts() in the database reads it. The order of the members
 * is part of what is sealed. */
static const char *facts(struct arena *arena, const char *actor, const char *operation, const char *kind, const char *name,
                         struct slice client, const char *request_id, const struct params *in)
{
    const char *reason = in ? params_text(in, "reason") : NULL, *purpose = in ? params_text(in, "purpose") : NULL;
    struct buf out;
    buf_init(&out, arena, 256);
    buf_printf(&out, "%s\t%s\t", actor, operation);
    put_word(&out, "actor", actor);
    put_word(&out, "operation", operation);
    put_word(&out, "kind", kind);
    put_word(&out, "name", name);
    put_member(&out, "client", client.data, client.len);
    put_word(&out, "request", request_id);
    put_member(&out, "reason", reason, reason ? cut(reason, REASON_MAX) : 0);
    put_word(&out, "purpose", purpose);
    return buf_cstr(&out);
}

/* Whoever calls without a key stays unknown: answers to surveys are anonymous. A fourth part says that restrictions bind this caller: restriction_guard(). */
const char *audit_facts(struct ctx *ctx, const struct call *call)
{
    const char *operation = call->op->contract->id, *told;
    struct slice client;
    if (!call->actor)
        return facts(ctx->arena, "public", operation, "public", NULL, (struct slice){0}, ctx->request_id, &call->in);
    client = limit_client(request_peer(call->rq), request_header(call->rq, "X-Forwarded-For"), call->engine->settings->trusted_proxies);
    told = facts(ctx->arena, call->actor->key_id, operation, "key", call->actor->name, client, ctx->request_id, &call->in);
    return actor_has_scope(call->actor, "privacy.restrict") ? told : arena_printf(ctx->arena, "%s\tbound", told);
}

static void set_ahead(struct db_request *db, const struct engine *engine, struct arena *arena, const char *text)
{
    const char **values = arena_alloc(arena, sizeof *values);
    values[0] = text;
    db->ahead = statement_variant(sql_set_find(engine->set, "audit.enter"), 0, 0, VARIANT_PLAIN);
    db->ahead_values = values;
}

void audit_ahead(struct db_request *db, struct call *call)
{
    set_ahead(db, call->engine, call->ctx->arena, audit_facts(call->ctx, call));
}

void audit_ahead_daemon(struct db_request *db, const struct engine *engine, struct arena *arena)
{
    const char *operation = statement_info(db->variant->statement)->name;
    set_ahead(db, engine, arena, facts(arena, "daemon", operation, "daemon", NULL, (struct slice){0}, NULL, NULL));
}

/* ── what is read ── */

/* A search by a number may be one by a NIK: with keys, only what they make of it is kept, and not what a secret of the database makes of it. */
static const char *sought(struct ctx *ctx, const char *q)
{
    char hex[65];
    if (!vault_is_set() || q[strspn(q, "0123456789 ")] != '\0')
        return q;
    vault_hash(q, strlen(q), hex);
    return arena_strdup(ctx->arena, hex);
}

/* Which parameters chose the rows, as JSON. */
static const char *filter_of(struct ctx *ctx, const struct call *call)
{
    const struct operation *operation = call->op->contract;
    struct buf out;
    buf_init(&out, ctx->arena, 128);
    for (size_t i = 0; i < operation->n_params; i++) {
        const struct value *v = &call->in.values[i];
        if (operation->params[i].in != IN_QUERY || !v->is_present || v->is_default || !v->text ||
            strcmp(operation->params[i].name, "cursor") == 0)
            continue;
        put_word(&out, operation->params[i].bind_name, strcmp(operation->params[i].name, "q") == 0 ? sought(ctx, v->text) : v->text);
    }
    if (out.len == 0)
        return NULL;
    out.data[0] = '{';
    buf_putc(&out, '}');
    return buf_cstr(&out);
}

/* The record that the address names. A person's NIP stands for the person instead. */
static void put_subject(const struct call *call, struct reading *reading)
{
    const struct operation *operation = call->op->contract;
    const char *nip = params_text(&call->in, "nip");
    for (size_t i = 0; !nip && i < operation->n_params; i++) {
        if (operation->params[i].in != IN_PATH)
            continue;
        reading->what = operation->params[i].bind_name;
        reading->which = call->in.values[i].text;
    }
    if (nip && !reading->nips)
        reading->nips = nip;
}

struct reading *audit_reading_of(struct ctx *ctx, const struct call *call, const char *members, const char *nips)
{
    struct reading *reading = arena_zalloc(ctx->arena, sizeof *reading);
    reading->nips = nips;
    put_subject(call, reading);
    reading->members = arena_printf(ctx->arena, "{%s}", members);
    reading->nips = reading->nips ? arena_printf(ctx->arena, "{%s}", reading->nips) : NULL;
    reading->filter = filter_of(ctx, call);
    return reading;
}

static bool is_masked(const struct call *call, const struct property_spec *member)
{
    return call->op->contract->is_list && member->mask.is_set && !call_fields(call);
}

/* Before it is known what a reply shows: everything that it may. NULL: nothing of it is sensitive to this caller. */
struct reading *audit_reading_ahead(struct ctx *ctx, const struct call *call)
{
    const struct operation *operation = call->op->contract;
    struct buf members;
    buf_init(&members, ctx->arena, 64);
    for (size_t i = 0; i < operation->n_reply_members; i++) {
        const struct property_spec *member = &operation->reply_members[i];
        if (member->is_sensitive && !is_masked(call, member) &&
            (!member->scope || (call->actor && actor_has_scope(call->actor, member->scope))))
            buf_printf(&members, "%s%s", members.len ? "," : "", member->name);
    }
    if (members.len == 0 && !call->op->is_sensitive)
        return NULL;
    return audit_reading_of(ctx, call, members.len ? buf_cstr(&members) : "", NULL);
}

/* ── what for ── */

/* A header that the operation declares; whatever else a member of that name would be. */
static bool declares_purpose(const struct operation *operation)
{
    for (size_t i = 0; i < operation->n_params; i++)
        if (operation->params[i].in == IN_HEADER && strcmp(operation->params[i].bind_name, "purpose") == 0)
            return true;
    return false;
}

/* Whether this caller may be shown something sensitive here: its members, or rows that are so as a whole, which scopes of its own open. */
static bool may_be_shown(struct ctx *ctx, const struct call *call)
{
    const struct operation *operation = call->op->contract;
    bool has_members = false, is_opened = operation->n_more_scopes == 0;
    if (audit_reading_ahead(ctx, call))
        return true;
    for (size_t i = 0; i < operation->n_reply_members; i++)
        has_members |= operation->reply_members[i].is_sensitive;
    for (size_t i = 0; i < operation->n_more_scopes; i++)
        is_opened |= actor_has_scope(call->actor, operation->more_scopes[i]);
    return !has_members && is_opened;
}

enum status audit_purpose(struct ctx *ctx, const struct call *call)
{
    const char *wanted = call->engine->settings->purpose_required;
    if (strcmp(wanted, "off") == 0 || !call->actor || !declares_purpose(call->op->contract) || params_text(&call->in, "purpose") ||
        !may_be_shown(ctx, call))
        return ST_OK;
    if (strcmp(wanted, "warn") == 0) {
        log_line(LOG_WARNING_, "purpose-missing", LOG_TEXT("request_id", ctx->request_id), LOG_TEXT("operation", call->op->contract->id),
                 LOG_TEXT("key", call->actor->key_id));
        return ST_OK;
    }
    return fail(ctx, ST_BAD_REQUEST, "purpose-required", "This may show sensitive data of people: say in the header Purpose what for.",
                "Ini dapat menampilkan data sensitif: sebutkan tujuannya di header Purpose.");
}

/* ── its entry ── */

static const char *reading_bind(const struct reading *reading, const char *name)
{
    const struct {
        const char *name, *value;
    } binds[] = {{"what", reading->what}, {"which", reading->which},   {"members", reading->members}, {"nips", reading->nips},
                 {"people", reading->n},  {"digest", reading->digest}, {"filter", reading->filter}};
    for (size_t i = 0; i < ARRAY_LEN(binds); i++)
        if (strcmp(binds[i].name, name) == 0)
            return binds[i].value;
    return NULL;
}

static const char *const *reading_values(struct arena *arena, const struct variant *variant, const struct reading *reading)
{
    const char **values = arena_zalloc_array(arena, variant->n_binds + 1, sizeof *values);
    for (size_t i = 0; i < variant->n_binds; i++)
        values[i] = reading_bind(reading, variant->binds[i]);
    return values;
}

static const struct variant *reading_variant(const struct call *call)
{
    return statement_variant(sql_set_find(call->engine->set, "audit.read"), 0, 0, VARIANT_PLAIN);
}

/* Whatever kept the entry from being written, what was to be read stays here. */
enum status audit_not_noted(struct ctx *ctx)
{
    problem_clear(ctx);
    ctx->problem.retry_after_s = 1;
    return fail(ctx, ST_UNAVAILABLE, "unavailable", "That this is read could not be noted, so it is not given; try again in a moment.",
                "Pembacaan ini tidak dapat dicatat, jadi tidak diberikan; coba lagi sebentar lagi.");
}

bool audit_is_due(const struct call *call, const struct outcome *answer)
{
    bool is_given = call->op->is_write && answer->http_status == 201; /* what was just made was given by the caller, and has its entry */
    return answer->reading && (answer->reading->is_told || !is_given);
}

enum status audit_write(struct ctx *ctx, const struct call *call, struct db_conn *txn, const struct reading *reading)
{
    const struct variant *variant = reading_variant(call);
    PGresult *res;
    enum status st = db_execute(ctx, txn, variant, reading_values(ctx->arena, variant, reading), &res);
    return st == ST_OK || st == ST_RETRY ? st : audit_not_noted(ctx);
}

struct alone {
    const struct call *call;
    const struct reading *reading;
};

static enum status write_alone(struct ctx *ctx, struct db_conn *txn, void *cls)
{
    const struct alone *alone = cls;
    return audit_write(ctx, alone->call, txn, alone->reading);
}

enum status audit_write_alone(struct ctx *ctx, const struct call *call, struct db_conn *conn, const struct reading *reading)
{
    struct alone alone = {call, reading};
    return reading ? db_transaction(ctx, conn, false, write_alone, &alone) : ST_OK;
}
