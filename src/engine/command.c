/* SPDX-License-Identifier: Apache-2.0 */
/* What commands call: named statements with binds found by name, and the reply made from their row. */
#include "internal.h"

#include "asnd/log.h"

/* A command's params are always those of a call. */
static struct call *call_of(struct params *in)
{
    return (struct call *)(void *)((char *)in - offsetof(struct call, in));
}

static enum status execute(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const char *name,
                           const struct variant **ret_variant, PGresult **ret)
{
    const struct call *call = call_of(in);
    const struct statement *statement = sql_set_find(engine->set, name);
    const struct variant *variant;
    const char **values;
    if (!statement) {
        log_line(LOG_ERROR_, "statement-missing", LOG_TEXT("name", name));
        return fail(ctx, ST_INTERNAL, "internal", "A statement is missing.", "Sebuah pernyataan tidak ada.");
    }
    variant = statement_variant(statement, 0, 0, VARIANT_PLAIN);
    values = arena_alloc(ctx->arena, (variant->n_binds + 1) * sizeof *values);
    for (size_t i = 0; i < variant->n_binds; i++)
        values[i] = call_bind_text(ctx, call, variant->binds[i]);
    *ret_variant = variant;
    return db_execute(ctx, txn, variant, values, ret);
}

const char *command_text(struct ctx *ctx, struct params *in, const char *name)
{
    return call_bind_text(ctx, call_of(in), name);
}

enum status command_query(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const char *statement,
                          bool must_exist, PGresult **ret)
{
    const struct variant *variant;
    PGresult *res;
    enum status st = execute(ctx, engine, txn, in, statement, &variant, &res);
    if (st == ST_OK && PQntuples(res) > 0)
        st = row_refusal(ctx, plan_of(variant, NULL, res), res, 0);
    else if (st == ST_OK && must_exist)
        st = fail(ctx, ST_NOT_FOUND, "not-found", "There is nothing here, or it is not yours to see.",
                  "Tidak ada, atau bukan hak Anda untuk melihatnya.");
    if (st == ST_OK)
        *ret = res;
    return st;
}

enum status command_reply(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in, const char *statement,
                          struct outcome *out)
{
    const struct call *call = call_of(in);
    const struct variant *variant;
    const char *link = NULL;
    PGresult *res;
    enum status st = execute(ctx, engine, txn, in, statement, &variant, &res);
    if (st != ST_OK)
        return st;
    return render_reply(ctx, call, plan_of(variant, call->op, res), res, out, &link);
}

const struct sql_set *engine_statements(const struct engine *engine)
{
    return engine->set;
}

const struct settings *engine_settings(const struct engine *engine)
{
    return engine->settings;
}
