/* SPDX-License-Identifier: Apache-2.0 */
/* A caller with roles at one operation: what it gives him (auth's grant), and for rows of a person where the subject stands to him. What is not his is as if it were not
 * there. Then the call goes on as a caller of just these scopes and units, so that no statement needs to know of roles. */
#include "internal.h"

#include <string.h>

#include "asnd/date.h"

#define BLOCK_PREFIX "subject."

/* ── at start ── */

bool gate_compile(struct op *op, const struct engine *engine, FILE *err)
{
    op->row = matrix_row(engine->matrix, op->contract);
    if (!op->row->subject_kind)
        return true;
    op->subject = sql_set_find(engine->set, arena_printf(engine->arena, BLOCK_PREFIX "%s", op->row->subject_kind));
    op->subject_at = bind_find(op->contract, op->row->subject_name, NULL);
    if (op->subject && !(op->kind == OP_STREAM && op->subject_at.from == BIND_MEMBER))
        return true;
    fprintf(err, "%s: the subject of \"%s\" needs a block " BLOCK_PREFIX "%s, and of a stream to be a parameter\n", op->contract->place,
            op->contract->id, op->row->subject_kind);
    return false;
}

/* ── whether there is anything ── */

static enum status refuse_grant(struct call *call)
{
    const char *missing = call->grant.missing;
    if (call->actor->roles)
        return fail(call->ctx, ST_FORBIDDEN, "forbidden", "None of your roles may do this, and you lack the scope %s.",
                    "Tidak satu pun peran Anda boleh melakukannya, dan Anda tidak memiliki cakupan %s.", missing);
    return fail(call->ctx, ST_FORBIDDEN, "forbidden", "This key lacks the scope %s.", "Kunci ini tidak memiliki cakupan %s.", missing);
}

enum status gate_open(struct call *call)
{
    const struct operation *operation = call->op->contract;
    if (!call->actor->roles && !(call->actor->nip && call->op->row->never_own))
        return auth_require_scopes(call->ctx, call->actor, operation);
    if (operation->n_scopes == 0)
        return ST_OK;
    call->grant = grant_of(call->engine->matrix, operation, call->actor);
    if (call->grant.rows == ROWS_NONE && !grant_is_personal(&call->grant))
        return refuse_grant(call);
    call->is_gated = true;
    return ST_OK;
}

/* ── whose record it is ── */

static const char *subject_of(const struct call *call)
{
    const struct bind_source at = call->op->subject_at;
    if (!call->op->subject)
        return NULL;
    if (at.from == BIND_MEMBER)
        return call->in.members ? call->in.members[at.index].text : NULL;
    return call->in.values[at.index].text;
}

static void take_actor(struct call *call, const struct standing *standing)
{
    struct actor *narrow;
    if (!call->actor->roles) /* nothing but its scopes */
        return;
    narrow = grant_narrow(call->engine->matrix, call->op->contract, call->actor, &call->grant, standing);
    if (!narrow)
        return;
    actor_unref(call->actor);
    call->actor = narrow;
    call->ctx->actor = narrow;
}

static bool is_in_path(const struct call *call)
{
    const struct bind_source at = call->op->subject_at;
    return at.from == BIND_PARAM && call->op->contract->params[at.index].in == IN_PATH;
}

/* What is beyond both his units and his people is as if it were not there. Of a filter or a body it is for the statement to say so, with the pointer; but not to
 * a caller who sees nobody whoever it is about. */
static enum status out_of_reach(struct call *call)
{
    if (call->actor->roles && (call->grant.rows == ROWS_NONE || is_in_path(call)))
        return fail(call->ctx, ST_NOT_FOUND, "not-found", "There is nothing here, or it is not yours to see.",
                    "Tidak ada, atau bukan hak Anda untuk melihatnya.");
    take_actor(call, NULL);
    return ST_OK;
}

/* `standing` NULL: nobody was asked about, or there is no such subject. */
static enum status settle(struct call *call, const struct standing *standing, bool was_asked)
{
    call->is_gated = false;
    switch (grant_rule(call->op->row, &call->grant, standing, was_asked)) {
    case RULE_OWN_RECORD:
        return fail(call->ctx, ST_FORBIDDEN, "own-record", "Nobody does this for his own record.",
                    "Tidak seorang pun melakukan ini untuk datanya sendiri.");
    case RULE_OUT_OF_REACH:
        return out_of_reach(call);
    case RULE_SUBJECT_WANTED:
    case RULE_SCOPE_MISSING:
        return fail(call->ctx, ST_FORBIDDEN, "forbidden", "Your roles give this of one person at a time: name him by %s.",
                    "Peran Anda memberi ini untuk satu orang saja: sebutkan dengan %s.", call->op->row->subject_name);
    default:
        take_actor(call, standing);
        return ST_OK;
    }
}

static bool is_true(const PGresult *res, const char *name)
{
    return *PQgetvalue(res, 0, PQfnumber(res, name)) == 't';
}

static enum status take_standing(struct call *call, const PGresult *res)
{
    struct standing standing;
    if (PQntuples(res) == 0)
        return settle(call, NULL, true);
    standing = standing_of(call->ctx->arena, res);
    return settle(call, &standing, true);
}

struct standing standing_of(struct arena *arena, const PGresult *res)
{
    return (struct standing){.path = arena_strdup(arena, PQgetvalue(res, 0, PQfnumber(res, "path"))),
                             .is = {[ROWS_SELF] = is_true(res, "is_self"),
                                    [ROWS_REPORTS] = is_true(res, "is_led"),
                                    [ROWS_ASSESSED] = is_true(res, "is_assessed"),
                                    [ROWS_COLLEAGUES] = is_true(res, "is_colleague")},
                             .is_within = is_true(res, "is_within")};
}

static void asked(struct db_request *db, enum db_outcome outcome, PGresult *res)
{
    struct call *call = db->cls;
    if (!call->is_over && outcome != DB_OK) {
        call_refuse_outcome(call, outcome, res);
    } else if (!call->is_over) {
        enum status st = take_standing(call, res);
        if (st == ST_OK)
            st = call->after_gate(call);
        if (st != ST_OK)
            call_refuse(call, call->ctx);
    }
    call_release(call);
}

static const char *gate_value(const struct call *call, const char *name, const char *given)
{
    if (strcmp(name, "given") == 0)
        return given;
    if (strcmp(name, "today") == 0)
        return call_bind_text(call->ctx, call, name);
    return strcmp(name, "actor_nip") == 0 ? call->actor->nip : grant_units(&call->grant, call->actor);
}

static void ask(struct call *call, const char *given)
{
    const struct variant *variant = statement_variant(call->op->subject, 0, 0, VARIANT_PLAIN);
    const char **values = arena_alloc(call->ctx->arena, (variant->n_binds + 1) * sizeof *values);
    for (size_t i = 0; i < variant->n_binds; i++)
        values[i] = gate_value(call, variant->binds[i], given);
    call->db =
        (struct db_request){.variant = variant, .values = values, .units = DB_EVERYTHING, .run_again = true, .done = asked, .cls = call};
    call_hold(call);
    db_loop_submit(call->loop->db, &call->db);
}

enum status gate_pass(struct call *call, bool has_all, enum status (*then)(struct call *call))
{
    const char *given;
    enum status st;
    if (!call->is_gated || (!has_all && call->op->subject && call->op->subject_at.from == BIND_MEMBER))
        return then(call);
    given = subject_of(call);
    if (given) {
        call->after_gate = then;
        ask(call, given);
        return ST_OK;
    }
    st = settle(call, NULL, false);
    return st == ST_OK ? then(call) : st;
}
