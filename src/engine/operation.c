/* SPDX-License-Identifier: Apache-2.0 */
/* The operation table: each operationId of the contract joined with its statement, its C (if any) and its metrics, once, at start. */
#include "internal.h"

#include <string.h>

static const struct {
    const char *name;
    enum bind_from from;
} engine_binds[] = {
    {"actor_units", BIND_ACTOR_UNITS},
    {"actor_scopes", BIND_ACTOR_SCOPES},
    {"actor_key", BIND_ACTOR_KEY},
    {"actor_name", BIND_ACTOR_NAME},
    {"actor_nip", BIND_ACTOR_NIP},
    {"actor_roles", BIND_ACTOR_ROLES},
    {"actor_covers", BIND_ACTOR_COVERS},
    {"access_matrix", BIND_ACCESS_MATRIX},
    {"today", BIND_TODAY},
    {"request_id", BIND_REQUEST_ID},
    {"new_id", BIND_NEW_ID},
    {"body", BIND_BODY},
    {"page_sort", BIND_PAGE_SORT},
    {"page_after", BIND_PAGE_AFTER},
    {"page_limit", BIND_PAGE_LIMIT},
    {BIND_LIMIT, BIND_PAGE_LIMIT},
    {"given", BIND_GIVEN},
    {"given_lists", BIND_GIVEN_LISTS},
    {"q" SOUGHT_SUFFIX, BIND_SOUGHT},
};

bool bind_is_engines(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(engine_binds); i++)
        if (strcmp(engine_binds[i].name, name) == 0)
            return true;
    return strncmp(name, BIND_CURSOR, strlen(BIND_CURSOR)) == 0;
}

static bool word_in(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = words; p && (p = strstr(p, word)) != NULL; p += len)
        if ((p == words || p[-1] == ' ') && (p[len] == '\0' || p[len] == ' '))
            return true;
    return false;
}

struct bind_source bind_find(const struct operation *operation, const char *name, const char *derives)
{
    if (word_in(derives, name))
        return (struct bind_source){BIND_DERIVED, 0};
    for (size_t i = 0; i < operation->n_params; i++)
        if (strcmp(operation->params[i].bind_name, name) == 0)
            return (struct bind_source){strcmp(name, "if_match") == 0 ? BIND_IF_MATCH : BIND_PARAM, (unsigned)i};
    for (size_t i = 0; i < operation->n_body_members; i++)
        if (strcmp(operation->body_members[i].name, name) == 0)
            return (struct bind_source){BIND_MEMBER, (unsigned)i};
    for (size_t i = 0; i < ARRAY_LEN(engine_binds); i++)
        if (strcmp(engine_binds[i].name, name) == 0)
            return (struct bind_source){engine_binds[i].from, 0};
    if (strncmp(name, BIND_CURSOR, strlen(BIND_CURSOR)) == 0)
        return (struct bind_source){BIND_PAGE_CURSOR, (unsigned)(name[strlen(BIND_CURSOR)] - '0')};
    return (struct bind_source){BIND_UNKNOWN, 0};
}

static int param_index(const struct operation *operation, const char *name)
{
    for (size_t i = 0; i < operation->n_params; i++)
        if (strcmp(operation->params[i].name, name) == 0 && operation->params[i].in == IN_QUERY)
            return (int)i;
    return -1;
}

static int sealed_param(const struct operation *operation)
{
    for (size_t i = 0; i < operation->n_params; i++)
        if (operation->params[i].type.sealed)
            return (int)i;
    return -1;
}

/* Whether the contract lets its successful reply have this header. */
static bool declares_header(const struct engine *engine, const struct operation *operation, const char *name)
{
    char status[12];
    snprintf(status, sizeof status, "%d", operation->success);
    const json_t *response = json_object_get(json_object_get(operation->raw, "responses"), status);
    const json_t *headers = contract_keyword(engine->contract, response, "headers");
    return json_object_get(headers, name) != NULL;
}

static void op_metrics(struct op *op)
{
    static const char *const classes[6] = {"0", "1xx", "2xx", "3xx", "4xx", "5xx"};
    char labels[160];
    for (int i = 0; i < 6; i++) {
        snprintf(labels, sizeof labels, "operation=\"%s\",status=\"%s\"", op->contract->id, classes[i]);
        op->requests[i] = metric_new(METRIC_COUNTER, "asnd_requests_total", labels, "Requests by operation and status class (0: cut off)");
    }
    snprintf(labels, sizeof labels, "operation=\"%s\"", op->contract->id);
    op->seconds = metric_new(METRIC_HISTOGRAM, "asnd_request_seconds", labels, "Time from the end of the head to the end of the reply");
}

/* A list may be exported whole (CSV, NDJSON) by a worker, whatever kind it is otherwise. */
bool reply_is_exportable(const struct operation *operation)
{
    return operation->is_list && operation->n_reply_types > 1;
}

/* By its own name, or as what is looked for. */
static bool is_option(const char *bind, const char *option)
{
    size_t len = strlen(option);
    return strncmp(bind, option, len) == 0 && (bind[len] == '\0' || strcmp(bind + len, SOUGHT_SUFFIX) == 0);
}

/* `listAsn.search` gives the page of `listAsn` when it knows all that was asked for, as it is the one to find the way to a page. */
static void take_search(struct op *op, const struct engine *engine)
{
    const struct variant *variant;
    op->search = sql_set_find(engine->set, arena_printf(engine->arena, "%s" SEARCH_SUFFIX, op->contract->id));
    if (!op->search)
        return;
    variant = statement_variant(op->search, 0, 0, VARIANT_PLAIN);
    for (size_t i = 0; i < op->info->n_options; i++)
        for (size_t k = 0; k < variant->n_binds; k++)
            if (is_option(variant->binds[k], op->info->options[i]))
                op->search_takes |= 1u << i;
}

static bool op_compile(struct op *op, const struct engine *engine, const struct operation *operation, const struct binding *binding,
                       FILE *err)
{
    op->contract = operation;
    op->binding = binding;
    op->statement = sql_set_find(engine->set, operation->id);
    op->info = op->statement ? statement_info(op->statement) : NULL;
    op->sort_param = param_index(operation, "sort");
    op->cursor_param = param_index(operation, "cursor");
    op->limit_param = param_index(operation, "limit");
    op->fields_param = param_index(operation, "fields");
    op->count_param = param_index(operation, "count");
    op->wait_param = param_index(operation, "wait");
    op->sealed_param = sealed_param(operation);
    op->tells_changes = declares_header(engine, operation, "Changes-After");
    op->limits_client = limit_counts(op, "client");
    op->limits_token = limit_counts(op, "token");
    op->is_sensitive = json_is_true(json_object_get(operation->raw, "x-sensitive"));
    op->timeout_ms = operation->timeout_ms;
    op->body_limit = operation->body_limit;
    op->is_write = operation->method != HTTP_GET;
    op->builtin = builtin_find(operation->id);
    op_metrics(op);
    op->kind = op->builtin ? OP_BUILTIN : binding && binding->command ? OP_COMMAND : binding && binding->stream ? OP_STREAM : OP_QUERY;
    if (operation->body_limit_setting && !settings_number(engine->settings, operation->body_limit_setting, &op->body_limit)) {
        fprintf(err, "%s: there is no setting \"%s\" for the size of \"%s\"\n", operation->place, operation->body_limit_setting,
                operation->id);
        return false;
    }
    if (op->kind == OP_QUERY && !op->statement) {
        fprintf(err, "%s: operationId \"%s\" has no binding: no statement of that name in any SQL file and no function\n", operation->place,
                operation->id);
        return false;
    }
    for (size_t i = 0; op->info && i < op->info->n_options; i++)
        op->options[i] = bind_find(operation, op->info->options[i], binding ? binding->derives : NULL);
    if (op->info && op->info->has_page)
        take_search(op, engine);
    return refer_compile(op, engine, err) && gate_compile(op, engine, err);
}

static const struct binding *binding_find(const struct binding *bindings, const char *operation_id)
{
    for (const struct binding *b = bindings; b->operation_id; b++)
        if (strcmp(b->operation_id, operation_id) == 0)
            return b;
    return NULL;
}

bool ops_compile(struct engine *engine, const struct binding *bindings, FILE *err)
{
    size_t n;
    const struct operation *operations = contract_operations(engine->contract, &n);
    bool fine = true;
    engine->ops = arena_zalloc_array(engine->arena, n, sizeof *engine->ops);
    engine->n_ops = n;
    for (size_t i = 0; i < n; i++)
        fine &= op_compile(&engine->ops[i], engine, &operations[i], binding_find(bindings, operations[i].id), err);
    return fine;
}
