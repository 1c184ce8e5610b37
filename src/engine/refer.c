/* SPDX-License-Identifier: Apache-2.0 */
/* What the parameters of a list or report refer to (x-references) is looked for before the list is: an id that nothing has would else give a list
 * of nobody. Which block looks for it the contract says by the parameter's name, so that every list answers alike. */
#include "internal.h"

#include <string.h>

#define BLOCK_PREFIX "refers."
#define BLOCK_CODES  BLOCK_PREFIX "codes"

static void next(struct call *call);

/* ── at start ── */

static const json_t *entry_of(const struct engine *engine, const struct op *op, const struct param_spec *param)
{
    const json_t *table = json_object_get(contract_root(engine->contract), "x-references");
    const json_t *own = json_object_get(table, arena_printf(engine->arena, "%s.%s", op->contract->id, param->name));
    return own ? own : json_object_get(table, param->name);
}

static int param_named(const struct op *op, const char *name)
{
    for (size_t i = 0; name && i < op->contract->n_params; i++)
        if (strcmp(op->contract->params[i].name, name) == 0)
            return (int)i;
    return -1;
}

static const char *lists_of(struct arena *arena, const json_t *names)
{
    struct buf out;
    size_t i;
    const json_t *name;
    buf_init(&out, arena, 64);
    buf_putc(&out, '{');
    json_array_foreach(names, i, name) buf_printf(&out, "%s%s", i == 0 ? "" : ",", json_string_value(name));
    buf_putc(&out, '}');
    return buf_cstr(&out);
}

static bool reference_compile(struct reference *ret, const struct op *op, const struct engine *engine, unsigned param, const json_t *entry)
{
    *ret = (struct reference){.param = param, .is_code = json_is_object(entry), .list_param = -1};
    if (!ret->is_code) {
        const char *block = json_string_value(entry);
        ret->statement = block ? sql_set_find(engine->set, arena_printf(engine->arena, BLOCK_PREFIX "%s", block)) : NULL;
        return ret->statement != NULL;
    }
    ret->statement = sql_set_find(engine->set, BLOCK_CODES);
    ret->list_param = param_named(op, json_string_value(json_object_get(entry, "list_of")));
    if (json_array_size(json_object_get(entry, "list")) > 0)
        ret->lists = lists_of(engine->arena, json_object_get(entry, "list"));
    return ret->statement && (ret->lists || ret->list_param >= 0);
}

/* Replies that are made of rows, which may be none; of a single thing it is its statement that says that it is not there. */
static bool is_list(const struct op *op)
{
    return op->contract->method == HTTP_GET && op->contract->is_list && op->kind == OP_QUERY;
}

bool refer_compile(struct op *op, const struct engine *engine, FILE *err)
{
    const struct operation *operation = op->contract;
    struct reference *references = arena_zalloc_array(engine->arena, operation->n_params + 1, sizeof *references);
    for (unsigned i = 0; i < operation->n_params && is_list(op); i++) {
        const struct param_spec *param = &operation->params[i];
        const json_t *entry = param->in == IN_HEADER ? NULL : entry_of(engine, op, param);
        if (!entry || json_is_null(entry))
            continue;
        if (!reference_compile(&references[op->n_references++], op, engine, i, entry)) {
            fprintf(err, "%s: x-references of \"%s\" names neither a block " BLOCK_PREFIX "… nor lists\n", operation->place, param->name);
            return false;
        }
    }
    op->references = references;
    return true;
}

static bool is_used(const struct engine *engine, const char *name)
{
    const char *dot = strchr(name, '.');
    for (size_t i = 0; i < engine->n_ops; i++)
        for (size_t k = 0; k < engine->ops[i].n_references; k++) {
            const struct operation *operation = engine->ops[i].contract;
            const char *param = operation->params[engine->ops[i].references[k].param].name;
            if (strcmp(param, dot ? dot + 1 : name) == 0 && (!dot || strncmp(operation->id, name, (size_t)(dot - name)) == 0))
                return true;
        }
    return false;
}

int refer_check(const struct engine *engine, FILE *err)
{
    int faults = 0;
    const char *name;
    json_t *entry;
    json_object_foreach(json_object_get(contract_root(engine->contract), "x-references"), name, entry)
    {
        if (json_is_null(entry) || is_used(engine, name))
            continue;
        fprintf(err, "x-references: no list has a parameter \"%s\"\n", name);
        faults++;
    }
    return faults;
}

/* ── a call ── */

static void miss(struct call *call, const char *code, const char *value, const char *suggestion)
{
    const struct param_spec *param = &call->op->contract->params[call->reference->param];
    const struct problem_entry *entry = problem_find(code);
    struct fault *fault;
    if (param->in == IN_PATH) {
        fail(call->ctx, ST_NOT_FOUND, "not-found", "There is nothing here with this %s.", "Tidak ada data dengan %s ini.", param->name);
        return;
    }
    fault =
        fault_add(call->ctx, AT_PARAMETER, param->name, code, "%s.", "%s.", call->ctx->lang == LANG_EN ? entry->title_en : entry->title_id);
    if (fault) {
        fault->value = arena_strdup(call->ctx->arena, value);
        fault->suggestion = suggestion ? arena_strdup(call->ctx->arena, suggestion) : NULL;
    }
    if (!call->ctx->problem.code)
        fail(call->ctx, entry->status, code, "%s.", "%s.", call->ctx->lang == LANG_EN ? entry->title_en : entry->title_id);
}

static void take(struct call *call, const PGresult *res)
{
    if (!call->reference->is_code && PQntuples(res) == 0)
        miss(call, "reference-missing", call->in.values[call->reference->param].text, NULL);
    for (int i = 0; call->reference->is_code && i < PQntuples(res); i++)
        miss(call, "code-unknown", PQgetvalue(res, i, 0), PQgetisnull(res, i, 1) ? NULL : PQgetvalue(res, i, 1));
}

static void found(struct db_request *db, enum db_outcome outcome, PGresult *res)
{
    struct call *call = db->cls;
    if (!call->is_over && outcome != DB_OK) {
        call_refuse_outcome(call, outcome, res);
    } else if (!call->is_over) {
        take(call, res);
        call->reference++;
        next(call);
    }
    call_release(call);
}

/* A path that leads nowhere is told at once; of the query all that is missing. */
static void next(struct call *call)
{
    const struct reference *end = call->op->references + call->op->n_references;
    while (call->reference < end && !call->in.values[call->reference->param].text)
        call->reference++;
    if (call->ctx->problem.code && (call->reference == end || call->ctx->problem.status == ST_NOT_FOUND))
        call_refuse(call, call->ctx);
    else if (call->reference < end)
        call_submit(call, statement_variant(call->reference->statement, 0, 0, VARIANT_PLAIN), found);
    else
        call->go_on(call);
}

/* Behind a cursor it was asked for already. */
void refer_run(struct call *call, void (*go_on)(struct call *call))
{
    call->go_on = go_on;
    call->reference = call->page.has_cursor ? call->op->references + call->op->n_references : call->op->references;
    next(call);
}
