/* SPDX-License-Identifier: Apache-2.0 */
/* Why somebody may or may not: the grant and the rule that the engine goes by, told instead of acted upon. */
#include "asnd/access.h"

#include <string.h>

#include "asnd/arena.h"
#include "asnd/auth.h"
#include "asnd/buf.h"
#include "asnd/uuid.h"

#define NIP_LEN 18

struct explanation {
    const struct matrix *matrix;
    const struct operation *operation;
    const struct matrix_row *row;
    const struct actor *actor; /* who would do it */
    struct actor *holder;      /* the same, made for this; NULL: the asker himself, whom the loop counts */
    const char *subject;
    struct grant grant;
    struct standing standing;
    bool is_known; /* there is such a subject */
    enum access_rule rule;
};

/* ── what is asked ── */

static enum status refuse_parameter(struct ctx *ctx, const char *name, const char *code, const char *en, const char *id)
{
    const char *words = ctx->lang == LANG_EN ? en : id;
    fault_add(ctx, AT_PARAMETER, name, code, "%s", "%s", words);
    return fail(ctx, ST_INVALID, code, "%s", "%s", words);
}

static enum status find_operation(struct ctx *ctx, const struct engine *engine, const char *id, struct explanation *e)
{
    e->matrix = engine_matrix(engine);
    e->operation = contract_find(engine_contract(engine), id);
    if (!e->operation)
        return refuse_parameter(ctx, "operation", "reference-missing", "No operation has this name.", "Tidak ada operasi dengan nama ini.");
    e->row = matrix_row(e->matrix, e->operation);
    return ST_OK;
}

static enum status find_subject(struct ctx *ctx, const char *text, struct explanation *e)
{
    bool is_person = e->row->subject_kind && strcmp(e->row->subject_kind, "person") == 0;
    e->subject = text;
    if (!text)
        return ST_OK;
    if (!e->row->subject_kind)
        return refuse_parameter(ctx, "subject", "invalid", "This operation is about nobody in particular.",
                                "Operasi ini tidak menyangkut seseorang tertentu.");
    if (is_person ? strlen(text) != NIP_LEN || strspn(text, "0123456789") != NIP_LEN : !uuid_is_valid(text, strlen(text)))
        return refuse_parameter(ctx, "subject", "invalid", "The operation takes a NIP or an id here, and this is none.",
                                "Operasi ini menerima NIP atau id, dan ini bukan.");
    return ST_OK;
}

/* ── who would do it ── */

static struct actor *holder(const struct actor *asker, const struct explanation *e, const char *role, const char *nip, const char *units,
                            const char *agency)
{
    size_t len = strlen(role);
    char literal[80];
    snprintf(literal, sizeof literal, "{%.*s}", (int)len, role);
    return actor_new(&(struct actor_facts){.key_id = asker->key_id,
                                           .name = asker->name,
                                           .units = units,
                                           .agency = agency,
                                           .scopes_literal = "{}",
                                           .roles_literal = literal,
                                           .roles = UINT32_C(1) << matrix_role_find(e->matrix, role, len),
                                           .nip = nip});
}

/* Somebody else: the person with the subtree of his own unit, or, without one, whoever has the asker's units. */
static enum status find_holder(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct explanation *e)
{
    const char *role = params_text(in, "role"), *nip = params_text(in, "nip");
    PGresult *res;
    enum status st;
    if (!actor_has_scope(ctx->actor, "access.read"))
        return fail(ctx, ST_FORBIDDEN, "forbidden", "This key lacks the scope %s.", "Kunci ini tidak memiliki cakupan %s.", "access.read");
    if (matrix_role_find(e->matrix, role, strlen(role)) < 0)
        return refuse_parameter(ctx, "role", "reference-missing", "There is no such role.", "Tidak ada peran itu.");
    if (!nip) {
        e->actor = e->holder = holder(ctx->actor, e, role, NULL, ctx->actor->units, ctx->actor->agency);
        return ST_OK;
    }
    st = command_query(ctx, engine, txn, in, "explainAccess.person", false, &res);
    if (st == ST_OK && PQntuples(res) == 0)
        return refuse_parameter(ctx, "nip", "reference-missing", "There is nobody with this NIP.", "Tidak ada pegawai dengan NIP ini.");
    if (st == ST_OK)
        e->actor = e->holder = holder(ctx->actor, e, role, PQgetvalue(res, 0, 0), PQgetvalue(res, 0, 1), PQgetvalue(res, 0, 2));
    return st;
}

static enum status find_actor(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct explanation *e)
{
    if (params_text(in, "role"))
        return find_holder(ctx, engine, txn, in, e);
    if (params_text(in, "nip"))
        return refuse_parameter(ctx, "nip", "invalid", "Only with a role that this person would hold.",
                                "Hanya bersama peran yang akan dipegang pegawai ini.");
    e->actor = ctx->actor;
    return ST_OK;
}

/* ── the decision ── */

/* As the gate asks: of everybody, since a role may reach beyond the asker's units. What is told of it is held to them below. */
static enum status stand(struct ctx *ctx, struct engine *engine, struct db_conn *txn, const char *today, const char *units,
                         const struct explanation *e, struct standing *ret, bool *ret_is_known)
{
    const char *block = arena_printf(ctx->arena, "subject.%s", e->row->subject_kind);
    PGresult *res;
    enum status st = db_see(ctx, txn, DB_EVERYTHING);
    if (st == ST_OK)
        st = db_query(ctx, txn, engine_statements(engine), block, &res, "given", e->subject, "today", today, "actor_nip", e->actor->nip,
                      "actor_units", units, NULL);
    if (st == ST_OK)
        st = db_see(ctx, txn, strcmp(ctx->actor->units, ACTOR_UNITS_ALL) == 0 ? DB_EVERYTHING : ctx->actor->units);
    if (st != ST_OK)
        return st;
    *ret_is_known = PQntuples(res) > 0;
    if (*ret_is_known)
        *ret = standing_of(ctx->arena, res);
    return ST_OK;
}

/* Whoever asks for somebody else learns of people in his own units alone. */
static enum status decide(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct explanation *e)
{
    struct standing to_asker = {0};
    bool is_somebody_else = params_text(in, "role") != NULL;
    const char *today = command_text(ctx, in, "today");
    enum status st = ST_OK;
    e->grant = grant_of(e->matrix, e->operation, e->actor);
    if (e->subject)
        st = stand(ctx, engine, txn, today, grant_units(&e->grant, e->actor), e, &e->standing, &e->is_known);
    if (st == ST_OK && e->is_known && is_somebody_else)
        st = stand(ctx, engine, txn, today, ctx->actor->units, e, &to_asker, &e->is_known);
    if (is_somebody_else && !to_asker.is_within)
        e->is_known = false;
    e->rule = grant_rule(e->row, &e->grant, e->is_known ? &e->standing : NULL, e->subject != NULL);
    return st;
}

/* ── the words ── */

static const char *names_of(struct ctx *ctx, const struct explanation *e, uint32_t held)
{
    size_t n;
    const struct matrix_role *roles = matrix_roles(e->matrix, &n);
    struct buf out;
    buf_init(&out, ctx->arena, 64);
    buf_putc(&out, '{');
    for (size_t i = 0; i < n; i++)
        if (held & UINT32_C(1) << i)
            buf_printf(&out, "%s%s", out.len > 1 ? "," : "", roles[i].name);
    buf_putc(&out, '}');
    return buf_cstr(&out);
}

static bool is_personal_rule(enum access_rule rule)
{
    return rule >= RULE_SELF && rule <= RULE_COLLEAGUES;
}

/* Roles that gave something: of the wide rows, and of the subject's standing. */
static uint32_t giving_roles(const struct explanation *e)
{
    uint32_t giving = e->rule == RULE_ROLE || e->rule == RULE_SCOPES ? e->grant.roles : 0;
    for (int rows = ROWS_SELF; access_rule_gives(e->rule) && e->is_known && rows <= ROWS_PERSONAL; rows++)
        if (e->standing.is[rows])
            giving |= e->grant.personal[rows];
    return giving;
}

static uint32_t held_roles(const struct explanation *e, size_t role)
{
    size_t n;
    const struct matrix_role *roles = matrix_roles(e->matrix, &n);
    return e->actor->roles & (UINT32_C(1) << role | (roles[role].held_with >= 0 ? UINT32_C(1) << roles[role].held_with : 0));
}

static const char *offers_of(struct ctx *ctx, const struct explanation *e)
{
    size_t n;
    const struct matrix_role *roles = matrix_roles(e->matrix, &n);
    uint32_t giving = giving_roles(e);
    struct buf out;
    buf_init(&out, ctx->arena, 256);
    buf_putc(&out, '[');
    for (size_t i = 0; i < n; i++)
        if (e->row->rows[i])
            buf_printf(&out, "%s{\"role\":\"%s\",\"rows\":\"%s\",\"is_held\":%s,\"applies\":%s}", out.len > 1 ? "," : "", roles[i].name,
                       row_scope_name((enum row_scope)e->row->rows[i]), held_roles(e, i) ? "true" : "false",
                       giving & UINT32_C(1) << i ? "true" : "false");
    buf_putc(&out, ']');
    return buf_cstr(&out);
}

static void tell_fields(struct ctx *ctx, struct params *in, const struct explanation *e, const struct actor *narrow)
{
    size_t n;
    const char *const *fields = operation_fields(ctx->arena, e->operation, &n);
    struct buf shown, hidden;
    buf_init(&shown, ctx->arena, 64);
    buf_init(&hidden, ctx->arena, 64);
    for (size_t i = 0; i < n; i++) {
        struct buf *out = narrow && actor_has_scope(narrow, fields[i]) ? &shown : &hidden;
        buf_printf(out, "%s%s", out->len ? "," : "{", fields[i]);
    }
    params_derive(ctx, in, "fields_shown", shown.len ? (buf_putc(&shown, '}'), buf_cstr(&shown)) : "{}");
    params_derive(ctx, in, "fields_hidden", hidden.len ? (buf_putc(&hidden, '}'), buf_cstr(&hidden)) : "{}");
}

static const char *rows_of(const struct explanation *e)
{
    if (is_personal_rule(e->rule))
        return row_scope_name((enum row_scope)(ROWS_SELF + e->rule - RULE_SELF));
    return e->rule <= RULE_ROLE ? row_scope_name(e->grant.rows) : NULL;
}

static const char *status_of(const struct explanation *e)
{
    return access_rule_gives(e->rule) ? "200" : e->rule == RULE_OUT_OF_REACH ? "404" : "403";
}

/* Operations without scopes take anybody, those without `security` everybody. */
static const char *rule_of(const struct explanation *e)
{
    return e->operation->is_public ? "public" : e->operation->n_scopes == 0 ? "anybody" : access_rule_name(e->rule);
}

static void tell(struct ctx *ctx, struct params *in, const struct explanation *e)
{
    bool is_open = e->operation->is_public || e->operation->n_scopes == 0, gives = is_open || access_rule_gives(e->rule);
    const struct standing *standing = e->is_known ? &e->standing : NULL;
    struct actor *narrow =
        gives && !is_open && e->actor->roles ? grant_narrow(e->matrix, e->operation, e->actor, &e->grant, standing) : NULL;
    const struct actor *as = narrow ? narrow : gives ? e->actor : NULL;
    params_derive(ctx, in, "explained_roles", names_of(ctx, e, e->actor->roles));
    params_derive(ctx, in, "explained_nip", e->actor->nip ? arena_strdup(ctx->arena, e->actor->nip) : NULL);
    params_derive(ctx, in, "is_allowed", gives ? "true" : "false");
    params_derive(ctx, in, "http_status", gives ? "200" : status_of(e));
    params_derive(ctx, in, "rule", rule_of(e));
    params_derive(ctx, in, "by_roles", is_open ? "{}" : names_of(ctx, e, giving_roles(e)));
    params_derive(ctx, in, "by_scopes", !is_open && e->rule == RULE_SCOPES ? "true" : "false");
    params_derive(ctx, in, "rows", is_open ? "all" : rows_of(e));
    params_derive(ctx, in, "scope_missing", e->grant.missing);
    params_derive(ctx, in, "subject_units", as && !is_open ? arena_strdup(ctx->arena, as->units) : "{}");
    params_derive(ctx, in, "offers", offers_of(ctx, e));
    tell_fields(ctx, in, e, as);
    actor_unref(narrow);
}

enum status cmd_explain_access(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, struct outcome *out)
{
    struct explanation e = {0};
    enum status st = find_operation(ctx, engine, params_text(in, "operation"), &e);
    if (st == ST_OK)
        st = find_subject(ctx, params_text(in, "subject"), &e);
    if (st == ST_OK)
        st = find_actor(ctx, engine, txn, in, &e);
    if (st == ST_OK)
        st = decide(ctx, engine, txn, in, &e);
    if (st == ST_OK)
        tell(ctx, in, &e);
    actor_unref(e.holder);
    return st == ST_OK ? command_reply(ctx, engine, txn, in, "explainAccess.reply", out) : st;
}
