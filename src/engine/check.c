/* SPDX-License-Identifier: Apache-2.0 */
/* Holding the four sides of every operation against each other: contract, bindings, statements, database. Each mismatch is one line that names
 * its place, so that a wrong column never waits for the first user to find it. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/log.h"

#define COMBINED_MAX 12 /* optional parts of which every combination is prepared */

/* A variant to be prepared. Of a group, the ones behind the first that does not prepare are passed over: they would say the same. */
struct item {
    const struct op *op; /* NULL: of a statement that is no operation's */
    const struct variant *variant;
    size_t group;
    struct db_conn *conn;
    bool is_first; /* its columns are held against the reply's schema */
};

struct check {
    struct engine engine;
    const struct binding *bindings;
    struct db_conn *const *conns;
    size_t n_conns;
    bool all_variants;
    FILE *err;
    int faults;
    struct item *items;
    size_t n_items, cap_items, group, broken_group;
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

/* A contract that leaves out some of what the program can do says so; in any other, a missing operationId is a slip. */
static bool is_partial(const struct check *c)
{
    return json_is_true(json_object_get(contract_root(c->engine.contract), "x-partial"));
}

static void check_bindings(struct check *c)
{
    const bool may_lack = is_partial(c);
    for (const struct binding *b = c->bindings; b->operation_id; b++) {
        const struct operation *operation = contract_find(c->engine.contract, b->operation_id);
        if (!operation && !may_lack)
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

/* ── preparing ── on pipelines: at a start, waiting for each answer would take as long as all the work. The connections share the groups, so
 * that two backends work at once; the answers are taken in order, whichever of them is ahead, so that the faults come in order too. ── */

#define IN_FLIGHT 128

static void prepare_fault(struct check *c, const struct item *item, const PGresult *res)
{
    const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    const struct statement_info *info = statement_info(item->variant->statement);
    if (item->group != c->broken_group)
        fault(c, info->place, "statement \"%s\" does not prepare: %s", info->name, message ? message : "no connection");
    c->broken_group = item->group;
}

static void take_described(struct check *c, const struct item *item, const PGresult *described)
{
    if (item->group == c->broken_group)
        return;
    check_binds(c, item->op, item->variant, described);
    if (item->op && item->is_first) {
        check_columns(c, item->op, item->variant, described);
        check_sort_columns(c, item->op, described);
        check_fields(c, item->op, described);
    }
}

static bool send_item(const struct item *item)
{
    PGconn *raw = db_raw(item->conn);
    return PQsendPrepare(raw, "", item->variant->sql, 0, NULL) == 1 && PQsendDescribePrepared(raw, "") == 1 && PQpipelineSync(raw) == 1;
}

/* The answers of one item: prepared, described, synchronised; after each of the first two comes a NULL. */
static void take_item(struct check *c, const struct item *item)
{
    PGconn *raw = db_raw(item->conn);
    PGresult *prepared = PQgetResult(raw), *end = PQgetResult(raw), *described = PQgetResult(raw);
    if (PQresultStatus(prepared) != PGRES_COMMAND_OK)
        prepare_fault(c, item, prepared);
    else if (PQresultStatus(described) == PGRES_COMMAND_OK)
        take_described(c, item, described);
    PQclear(prepared);
    PQclear(end);
    PQclear(described);
    PQclear(PQgetResult(raw));
    PQclear(PQgetResult(raw));
}

static bool enter_pipelines(struct check *c)
{
    for (size_t i = 0; i < c->n_conns; i++) {
        if (PQenterPipelineMode(db_raw(c->conns[i])) == 1)
            continue;
        fault(c, "database", "no connection");
        return false;
    }
    return true;
}

static void prepare_items(struct check *c)
{
    size_t sent = 0, taken = 0;
    if (!enter_pipelines(c))
        return;
    while (taken < c->n_items) {
        if (sent < c->n_items && sent - taken < IN_FLIGHT) {
            if (!send_item(&c->items[sent++])) {
                prepare_fault(c, &c->items[taken], NULL);
                return;
            }
        } else {
            take_item(c, &c->items[taken++]);
        }
    }
    for (size_t i = 0; i < c->n_conns; i++)
        PQexitPipelineMode(db_raw(c->conns[i]));
}

static void check_variant(struct check *c, const struct op *op, const struct statement *statement, unsigned options, size_t sort,
                          enum variant_shape shape)
{
    const struct variant *variant = statement_variant(statement, options, sort, shape);
    if (!c->n_conns) {
        check_binds(c, op, variant, NULL);
        return;
    }
    if (c->n_items == c->cap_items) {
        c->cap_items = c->cap_items ? c->cap_items * 2 : 512;
        c->items = realloc(c->items, c->cap_items * sizeof *c->items);
        if (!c->items)
            die_no_memory();
    }
    c->items[c->n_items++] = (struct item){op, variant, c->group, c->conns[c->group % c->n_conns],
                                           op && options == 0 && sort == 0 && shape == VARIANT_PLAIN && op->kind == OP_QUERY};
}

/* Parts that disturb each other do so two by two; of more than a dozen there are too many combinations. */
static void check_pairs(struct check *c, const struct op *op, const struct statement *statement, size_t sort, enum variant_shape shape)
{
    const size_t n = statement_info(statement)->n_options;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            check_variant(c, op, statement, 1u << i | 1u << k, sort, shape);
}

/* None, each alone, all together (a fault in one part shows there); or every combination. Told is the first that does not prepare. */
static void check_options(struct check *c, const struct op *op, const struct statement *statement, size_t sort, enum variant_shape shape)
{
    const struct statement_info *info = statement_info(statement);
    const unsigned all = (1u << info->n_options) - 1;
    c->group++;
    if (c->all_variants && info->n_options <= COMBINED_MAX) {
        for (unsigned mask = 0; mask <= all; mask++)
            check_variant(c, op, statement, mask, sort, shape);
        return;
    }
    check_variant(c, op, statement, 0, sort, shape);
    for (size_t i = 0; i < info->n_options && sort == 0 && shape == VARIANT_PLAIN; i++)
        check_variant(c, op, statement, 1u << i, sort, shape);
    if (info->n_options > 1)
        check_variant(c, op, statement, all, sort, shape);
    if (c->all_variants)
        check_pairs(c, op, statement, sort, shape);
}

static const struct op *op_of(struct check *c, const char *name)
{
    for (size_t i = 0; i < c->engine.n_ops; i++)
        if (strcmp(c->engine.ops[i].contract->id, name) == 0)
            return &c->engine.ops[i];
    return NULL;
}

/* A search gives pages in another statement's place, so it must give them in the same orders. */
static void check_search(struct check *c, const struct op *op)
{
    const struct statement_info *info = statement_info(op->search);
    bool same = info->n_sorts == op->info->n_sorts;
    for (size_t i = 0; same && i < info->n_sorts; i++)
        same = strcmp(info->sorts[i].name, op->info->sorts[i].name) == 0 && info->sorts[i].n_keys == op->info->sorts[i].n_keys;
    if (!same)
        fault(c, info->place, "the sort orders of \"%s\" are not those of \"%s\"", info->name, op->info->name);
    c->group++;
    check_variant(c, op, op->search, 0, 0, VARIANT_PLAIN);
}

static void check_statement(void *cls, const struct statement *statement)
{
    struct check *c = cls;
    const struct statement_info *info = statement_info(statement);
    const struct op *op = op_of(c, info->name);
    if (op)
        check_shape(c, op);
    if (op && op->search)
        check_search(c, op);
    check_options(c, op, statement, 0, VARIANT_PLAIN);
    if (!info->has_page)
        return;
    check_options(c, op, statement, 0, VARIANT_COUNT);
    c->group++;
    check_variant(c, op, statement, VARIANT_USUAL_LIMIT, 0, VARIANT_PLAIN);
    for (size_t sort = 0; sort < info->n_sorts; sort++)
        check_variant(c, op, statement, 0, sort, VARIANT_AFTER_CURSOR);
}

/* ── temporary tables that others read: blocks named `….stage` are run first, for each connection, all in one transaction ── */

struct staging {
    struct check *check;
    PGconn *raw;
};

static void make_stage(void *cls, const struct statement *statement)
{
    const struct staging *staging = cls;
    const struct statement_info *info = statement_info(statement);
    size_t len = strlen(info->name);
    PGresult *res;
    if (len < 6 || strcmp(info->name + len - 6, ".stage") != 0)
        return;
    PQclear(PQexec(staging->raw, "SAVEPOINT stage"));
    res = PQexec(staging->raw, statement_variant(statement, 0, 0, VARIANT_PLAIN)->sql);
    if (PQresultStatus(res) != PGRES_COMMAND_OK) {
        fault(staging->check, info->place, "statement \"%s\" does not run: %s", info->name,
              PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY));
        PQclear(PQexec(staging->raw, "ROLLBACK TO stage"));
    }
    PQclear(res);
}

static void make_stages(struct check *c)
{
    for (size_t i = 0; i < c->n_conns; i++) {
        struct staging staging = {c, db_raw(c->conns[i])};
        PQclear(PQexec(staging.raw, "BEGIN"));
        sql_set_each(c->engine.set, make_stage, &staging);
        PQclear(PQexec(staging.raw, "COMMIT"));
    }
}

/* ── matrix ── */

static void check_roles(struct check *c)
{
    size_t n;
    const struct matrix_role *roles = matrix_roles(c->engine.matrix, &n);
    c->faults += matrix_faults(c->engine.matrix);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < roles[i].n_gives; k++)
            if (!auth_scope_is_known(c->engine.contract, roles[i].gives[k], strlen(roles[i].gives[k])) && !is_partial(c))
                fault(c, "roles", "the role \"%s\" gives \"%s\", which no operation knows", roles[i].name, roles[i].gives[k]);
}

bool engine_check(const struct contract *contract, const struct matrix *matrix, const struct sql_set *set, const struct binding *bindings,
                  struct db_conn *const conns[], size_t n_conns, bool all_variants, FILE *err)
{
    struct check c = {.bindings = bindings, .conns = conns, .n_conns = n_conns, .all_variants = all_variants, .err = err};
    c.engine.contract = (struct contract *)(uintptr_t)contract;
    c.engine.matrix = matrix;
    c.engine.set = set;
    c.engine.arena = arena_new(16384);
    if (!ops_compile(&c.engine, bindings, err))
        c.faults++;
    check_bindings(&c);
    check_roles(&c);
    c.faults += refer_check(&c.engine, c.err);
    sql_set_each(set, check_block_name, &c);
    make_stages(&c);
    sql_set_each(set, check_statement, &c);
    prepare_items(&c);
    free(c.items);
    arena_free(c.engine.arena);
    return c.faults == 0;
}
