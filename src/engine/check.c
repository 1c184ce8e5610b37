/* SPDX-License-Identifier: Apache-2.0 */
/* Holding the four sides of every operation against each other: contract, bindings, statements, database. Each mismatch is one line that names
 * its place, so that a wrong column never waits for the first user to find it. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

struct check {
    struct engine engine;
    const struct binding *bindings;
    struct db_conn *conn;
    bool all_variants;
    FILE *err;
    int faults;
};

static void PRINTF_LIKE(3, 4) fault(struct check *c, const char *place, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(c->err, "%s: ", place);
    vfprintf(c->err, fmt, ap);
    fputc('\n', c->err);
    va_end(ap);
    c->faults++;
}

static char kind_letter(enum json_kind kind)
{
    static const char letters[] = {'*', 's', 'i', 'n', 'b', 'a', 'o'};
    return letters[kind];
}

/* ── contract ↔ bindings ── */

static const char *derives_of(const struct op *op)
{
    return op->binding ? op->binding->derives : NULL;
}

static void check_bindings(struct check *c)
{
    for (const struct binding *b = c->bindings; b->operation_id; b++) {
        const struct operation *operation = contract_find(c->engine.contract, b->operation_id);
        if (!operation)
            fault(c, "bindings.c", "binding \"%s\" has no operationId in the contract", b->operation_id);
        if (b->command && b->stream)
            fault(c, "bindings.c", "binding \"%s\" is a command and a stream at once", b->operation_id);
    }
}

/* A block whose name has no dot is an operation's. */
static void check_block_name(void *cls, const struct statement *statement)
{
    struct check *c = cls;
    const struct statement_info *info = statement_info(statement);
    if (!strchr(info->name, '.') && !contract_find(c->engine.contract, info->name))
        fault(c, info->place, "statement \"%s\" has no operationId in the contract (helpers of a command have a dot in their name)",
              info->name);
}

/* ── contract ↔ statement, without a database ── */

/* The `enum` of a query parameter (of its items when it is an array), or NULL. */
static const json_t *param_enum(const struct check *c, int param, const struct op *op)
{
    const json_t *schema = schema_source(op->contract->params[param].type.schema);
    const json_t *items = contract_keyword(c->engine.contract, schema, "items");
    return contract_keyword(c->engine.contract, items ? items : schema, "enum");
}

static bool enum_has(const json_t *values, const char *text)
{
    size_t i;
    const json_t *value;
    json_array_foreach(values, i, value)
    {
        if (json_is_string(value) && strcmp(json_string_value(value), text) == 0)
            return true;
    }
    return false;
}

static bool has_sort(const struct op *op, const char *name)
{
    for (size_t i = 0; i < op->info->n_sorts; i++)
        if (strcmp(op->info->sorts[i].name, name) == 0)
            return true;
    return false;
}

static void check_sorts(struct check *c, const struct op *op)
{
    const json_t *declared = op->sort_param >= 0 ? param_enum(c, op->sort_param, op) : NULL;
    size_t i;
    const json_t *value;
    if (op->info->n_sorts > 1 && !declared)
        fault(c, op->info->place, "statement \"%s\" has sort orders, but the contract declares no `sort` enum", op->info->name);
    json_array_foreach(declared, i, value)
    {
        if (!has_sort(op, json_string_value(value)))
            fault(c, op->info->place, "statement \"%s\" lacks the sort order \"%s\" of the contract", op->info->name,
                  json_string_value(value));
    }
    for (i = 0; declared && i < op->info->n_sorts; i++)
        if (!enum_has(declared, op->info->sorts[i].name))
            fault(c, op->info->place, "sort order \"%s\" is not in the contract's enum", op->info->sorts[i].name);
}

static void check_shape(struct check *c, const struct op *op)
{
    const struct operation *operation = op->contract;
    if (operation->is_list && operation->method == HTTP_GET && op->cursor_param >= 0 && !op->info->has_page)
        fault(c, op->info->place, "statement \"%s\" is a paged list in the contract, but has no page marker", op->info->name);
    if (op->info->has_page && (op->limit_param < 0 || op->cursor_param < 0))
        fault(c, operation->place, "operation \"%s\" pages, but declares no `limit` and `cursor`", operation->id);
    for (size_t i = 0; i < op->info->n_options; i++)
        if ((op->options[i].from > BIND_DERIVED && op->options[i].from != BIND_ACTOR_UNITS))
            fault(c, op->info->place, "optional part \"%s\" is no parameter or member of the operation", op->info->options[i]);
    check_sorts(c, op);
}

/* ── statement ↔ database ── */

/* What the contract says of a bind, for holding it against the type that PostgreSQL inferred. */
static bool bind_fits(const struct op *op, const char *name, Oid type)
{
    struct bind_source source = bind_find(op->contract, name, derives_of(op));
    const struct property_spec *spec = source.from == BIND_PARAM    ? &op->contract->params[source.index].type
                                       : source.from == BIND_MEMBER ? &op->contract->body_members[source.index]
                                                                    : NULL;
    if (!spec || spec->kind == KIND_ANY)
        return true;
    return type_fits(type, kind_letter(spec->kind), kind_letter(spec->item_kind), spec->format);
}

static void check_binds(struct check *c, const struct op *op, const struct variant *variant, const PGresult *described)
{
    for (size_t i = 0; i < variant->n_binds; i++) {
        const char *name = variant->binds[i];
        if (op && bind_find(op->contract, name, derives_of(op)).from == BIND_UNKNOWN)
            fault(c, statement_info(variant->statement)->place, "parameter \":%s\" of \"%s\" is known to neither contract nor engine", name,
                  op->contract->id);
        else if (op && described && !bind_fits(op, name, PQparamtype(described, (int)i)))
            fault(c, statement_info(variant->statement)->place,
                  "parameter \":%s\" of \"%s\" is %s in the database, which the contract's type does not fit", name, op->contract->id,
                  type_name(PQparamtype(described, (int)i)));
    }
}

static const struct property_spec *reply_member(const struct operation *operation, const char *name)
{
    for (size_t i = 0; i < operation->n_reply_members; i++)
        if (strcmp(operation->reply_members[i].name, name) == 0)
            return &operation->reply_members[i];
    return NULL;
}

static void check_columns(struct check *c, const struct op *op, const struct variant *variant, const PGresult *described)
{
    const struct operation *operation = op->contract;
    const char *place = statement_info(variant->statement)->place;
    for (int i = 0; i < PQnfields(described); i++) {
        const char *name = PQfname(described, i);
        const struct property_spec *member = reply_member(operation, name);
        if (name[0] == '_')
            continue;
        if (!member)
            fault(c, place, "column \"%s\" of \"%s\" is not in the reply's schema", name, operation->id);
        else if (!type_fits(PQftype(described, i), kind_letter(member->kind), kind_letter(member->item_kind), member->format))
            fault(c, place, "column \"%s\" of \"%s\" is %s, which the reply's schema does not fit", name, operation->id,
                  type_name(PQftype(described, i)));
    }
    for (size_t i = 0; i < operation->n_reply_members; i++)
        if (operation->reply_members[i].required &&
            PQfnumber(described, arena_printf(c->engine.arena, "\"%s\"", operation->reply_members[i].name)) < 0)
            fault(c, place, "\"%s\" does not give the required member \"%s\"", operation->id, operation->reply_members[i].name);
}

static void check_sort_columns(struct check *c, const struct op *op, const PGresult *described)
{
    for (size_t s = 0; s < op->info->n_sorts; s++)
        for (size_t k = 0; k < op->info->sorts[s].n_keys; k++)
            if (PQfnumber(described, arena_printf(c->engine.arena, "\"%s\"", op->info->sorts[s].keys[k].column)) < 0)
                fault(c, op->info->place, "sort key column \"%s\" is not in the result of \"%s\"", op->info->sorts[s].keys[k].column,
                      op->info->name);
}

static void check_fields(struct check *c, const struct op *op, const PGresult *described)
{
    const json_t *declared = op->fields_param >= 0 ? param_enum(c, op->fields_param, op) : NULL;
    size_t i;
    const json_t *value;
    json_array_foreach(declared, i, value)
    {
        if (PQfnumber(described, arena_printf(c->engine.arena, "\"%s\"", json_string_value(value))) < 0)
            fault(c, op->info->place, "field \"%s\" of the contract is no column of \"%s\"", json_string_value(value), op->info->name);
    }
}

static PGresult *describe(struct check *c, const struct variant *variant)
{
    PGconn *raw = db_raw(c->conn);
    PGresult *res = PQprepare(raw, "", variant->sql, 0, NULL);
    bool fine = PQresultStatus(res) == PGRES_COMMAND_OK;
    if (!fine) {
        const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
        fault(c, statement_info(variant->statement)->place, "statement \"%s\" does not prepare: %s",
              statement_info(variant->statement)->name, message ? message : "no connection");
    }
    PQclear(res);
    return fine ? PQdescribePrepared(raw, "") : NULL;
}

static bool check_variant(struct check *c, const struct op *op, const struct statement *statement, unsigned options, size_t sort,
                          enum variant_shape shape)
{
    const struct variant *variant = statement_variant(statement, options, sort, shape);
    PGresult *described = c->conn ? describe(c, variant) : NULL;
    bool fine = !c->conn || described;
    check_binds(c, op, variant, described);
    if (described && op && shape != VARIANT_COUNT && options == 0 && sort == 0 && shape == VARIANT_PLAIN && op->kind == OP_QUERY) {
        check_columns(c, op, variant, described);
        check_sort_columns(c, op, described);
        check_fields(c, op, described);
    }
    PQclear(described);
    return fine;
}

/* None, each alone, all together (a fault in one part shows there); or every combination. Stops at the first that does not prepare. */
static void check_options(struct check *c, const struct op *op, const struct statement *statement, size_t sort, enum variant_shape shape)
{
    const struct statement_info *info = statement_info(statement);
    unsigned all = (1u << info->n_options) - 1;
    if (c->all_variants) {
        for (unsigned mask = 0; mask <= all; mask++)
            if (!check_variant(c, op, statement, mask, sort, shape))
                return;
        return;
    }
    if (!check_variant(c, op, statement, 0, sort, shape))
        return;
    for (size_t i = 0; i < info->n_options && sort == 0 && shape == VARIANT_PLAIN; i++)
        if (!check_variant(c, op, statement, 1u << i, sort, shape))
            return;
    if (info->n_options > 1)
        check_variant(c, op, statement, all, sort, shape);
}

static const struct op *op_of(struct check *c, const char *name)
{
    for (size_t i = 0; i < c->engine.n_ops; i++)
        if (strcmp(c->engine.ops[i].contract->id, name) == 0)
            return &c->engine.ops[i];
    return NULL;
}

static void check_statement(void *cls, const struct statement *statement)
{
    struct check *c = cls;
    const struct statement_info *info = statement_info(statement);
    const struct op *op = op_of(c, info->name);
    if (op)
        check_shape(c, op);
    check_options(c, op, statement, 0, VARIANT_PLAIN);
    if (!info->has_page)
        return;
    check_options(c, op, statement, 0, VARIANT_COUNT);
    check_variant(c, op, statement, VARIANT_USUAL_LIMIT, 0, VARIANT_PLAIN);
    for (size_t sort = 0; sort < info->n_sorts; sort++)
        check_variant(c, op, statement, 0, sort, VARIANT_AFTER_CURSOR);
}

/* Blocks named `….stage` make temporary tables that others read: they are run first, for this connection alone. */
static void make_stage(void *cls, const struct statement *statement)
{
    struct check *c = cls;
    const struct statement_info *info = statement_info(statement);
    size_t len = strlen(info->name);
    PGresult *res;
    if (len < 6 || strcmp(info->name + len - 6, ".stage") != 0)
        return;
    res = PQexec(db_raw(c->conn), statement_variant(statement, 0, 0, VARIANT_PLAIN)->sql);
    if (PQresultStatus(res) != PGRES_COMMAND_OK)
        fault(c, info->place, "statement \"%s\" does not run: %s", info->name, PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY));
    PQclear(res);
}

bool engine_check(const struct contract *contract, const struct sql_set *set, const struct binding *bindings, struct db_conn *conn,
                  bool all_variants, FILE *err)
{
    struct check c = {.bindings = bindings, .conn = conn, .all_variants = all_variants, .err = err};
    c.engine.contract = (struct contract *)(uintptr_t)contract;
    c.engine.set = set;
    c.engine.arena = arena_new(16384);
    if (!ops_compile(&c.engine, bindings, err))
        c.faults++;
    check_bindings(&c);
    sql_set_each(set, check_block_name, &c);
    if (conn)
        sql_set_each(set, make_stage, &c);
    sql_set_each(set, check_statement, &c);
    arena_free(c.engine.arena);
    return c.faults == 0;
}
