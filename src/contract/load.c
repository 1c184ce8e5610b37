/* SPDX-License-Identifier: Apache-2.0 */
/* openapi.yaml → operations. Whatever the engine cannot keep (a parameter style, a missing schema, a reference into nothing) is told with its
 * line; nothing is quietly left aside. */
#include "load.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/log.h"

const json_t *deref(struct loader *l, const json_t *node)
{
    for (int i = 0; i < 10; i++) {
        const char *ref = text_of(node, "$ref");
        if (!ref)
            return node;
        node = resolve_ref(l->contract->root, ref);
    }
    return NULL;
}

const char *text_of(const json_t *node, const char *name)
{
    return json_string_value(json_object_get(node, name));
}

void check_keys(struct loader *l, const json_t *node, const char *at, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (!known[i] && strncmp(key, "x-", 2) != 0)
            compiler_fault(&l->c, places_line(l->c.places, value) ? value : node, at, "unsupported keyword \"%s\"", key);
    }
}

/* ── security ── */

static void check_scheme(struct loader *l)
{
    const json_t *schemes = json_object_get(json_object_get(l->contract->root, "components"), "securitySchemes");
    const json_t *scheme = json_object_get(schemes, "apiKey");
    const char *type = text_of(scheme, "type"), *how = text_of(scheme, "scheme");
    if (!type || strcmp(type, "http") != 0 || !how || strcmp(how, "bearer") != 0)
        compiler_fault(&l->c, schemes, "/components/securitySchemes", "there must be `apiKey` of type http, scheme bearer");
}

static const char *const *take_scopes(struct loader *l, const struct operation *op, const json_t *list, size_t *ret_n)
{
    const char **names = arena_zalloc_array(l->c.arena, json_array_size(list) + 1, sizeof *names);
    size_t i, n = 0;
    const json_t *scope;
    json_array_foreach(list, i, scope)
    {
        if (json_is_string(scope))
            names[n++] = compiler_keep_text(&l->c, json_string_value(scope));
        else
            compiler_fault(&l->c, op->raw, l->at, "a scope must be a text");
    }
    *ret_n = n;
    return names;
}

/* One requirement, `- apiKey: [scopes]`, or the root's; `[]` makes the operation public. */
static void take_security(struct loader *l, struct operation *op)
{
    const json_t *own = json_object_get(op->raw, "security"), *list = own ? own : json_object_get(l->contract->root, "security");
    const json_t *scopes = json_object_get(json_array_get(list, 0), "apiKey");
    if (!json_is_array(list)) {
        compiler_fault(&l->c, op->raw, l->at, "an operation needs `security` (`[]` for a public one)");
        return;
    }
    op->is_public = json_array_size(list) == 0;
    if (op->is_public)
        return;
    if (json_array_size(list) != 1 || !json_is_array(scopes) || json_object_size(json_array_get(list, 0)) != 1) {
        compiler_fault(&l->c, op->raw, l->at, "`security` must be one `apiKey` with its scopes, or []");
        return;
    }
    op->scopes = take_scopes(l, op, scopes, &op->n_scopes);
    op->more_scopes = take_scopes(l, op, json_object_get(op->raw, "x-more-scopes"), &op->n_more_scopes);
}

/* ── operations ── */

/* An extension that is a whole number from 1 on; 0 if it is not there. */
static int64_t take_number(struct loader *l, const struct operation *op, const char *name, int64_t max)
{
    const json_t *node = json_object_get(op->raw, name);
    int64_t number = json_integer_value(node);
    if (node && (!json_is_integer(node) || number < 1 || number > max))
        compiler_fault(&l->c, node, l->at, "%s must be a whole number from 1 to %lld", name, (long long)max);
    return number;
}

static void take_extensions(struct loader *l, struct operation *op)
{
    const json_t *retry = json_object_get(op->raw, "x-retry"), *location = json_object_get(op->raw, "x-location");
    const json_t *setting = json_object_get(op->raw, "x-body-limit-setting");
    op->timeout_ms = (int)take_number(l, op, "x-timeout-ms", 3600000);
    op->body_limit = take_number(l, op, "x-body-limit", INT64_C(1) << 40);
    op->body_limit_setting = compiler_keep_text(&l->c, json_string_value(setting));
    op->retry_safe = json_is_true(retry);
    op->location = compiler_keep_text(&l->c, json_string_value(location));
    if (setting && (!op->body_limit_setting || op->body_limit))
        compiler_fault(&l->c, setting, l->at, "x-body-limit-setting must be the name of a setting, without x-body-limit beside it");
    if (retry && !json_is_boolean(retry))
        compiler_fault(&l->c, retry, l->at, "x-retry must be true or false");
    if (location && (!op->location || op->location[0] != '/'))
        compiler_fault(&l->c, location, l->at, "x-location must be a path");
}

/* A statement's :name means one thing: a parameter or a member of the body. */
static void check_bind_names(struct loader *l, const struct operation *op)
{
    for (size_t i = 0; i < op->n_params; i++)
        for (size_t k = 0; k < op->n_body_members; k++)
            if (strcmp(op->params[i].bind_name, op->body_members[k].name) == 0)
                compiler_fault(&l->c, op->raw, l->at, "a parameter and a member of the body would both be :%s in a statement",
                               op->params[i].bind_name);
}

static void take_operation(struct loader *l, struct operation *op, const json_t *item)
{
    static const char *const keys[] = {"tags",        "summary",   "description", "externalDocs", "operationId", "parameters",
                                       "requestBody", "responses", "deprecated",  "security",     "servers",     NULL};
    const char *why;
    op->id = compiler_keep_text(&l->c, text_of(op->raw, "operationId"));
    op->summary = compiler_keep_text(&l->c, text_of(op->raw, "summary"));
    op->place = arena_printf(l->c.arena, "%s:%d", l->c.name, places_line(l->c.places, op->raw));
    check_keys(l, op->raw, l->at, keys);
    if (!op->id) {
        compiler_fault(&l->c, op->raw, l->at, "an operation needs an operationId");
        op->id = "";
    }
    for (size_t i = 0; *op->id && i < op->index; i++)
        if (strcmp(l->contract->operations[i].id, op->id) == 0)
            compiler_fault(&l->c, op->raw, l->at, "the operationId \"%s\" stands at %s already", op->id, l->contract->operations[i].place);
    take_params(l, op, json_object_get(item, "parameters"));
    take_body(l, op);
    check_bind_names(l, op);
    take_replies(l, op);
    take_security(l, op);
    take_extensions(l, op);
    if (!route_add(l->contract, op, &why))
        compiler_fault(&l->c, op->raw, l->at, "%s", why);
}

/* GET … OPTIONS of a path item; HTTP_METHOD_UNKNOWN for its other keys. */
static enum http_method method_of(const char *key)
{
    char upper[16];
    size_t len = strlen(key);
    if (len >= sizeof upper || strspn(key, "abcdefghijklmnopqrstuvwxyz") != len)
        return HTTP_METHOD_UNKNOWN;
    for (size_t i = 0; i <= len; i++)
        upper[i] = (char)toupper((unsigned char)key[i]);
    return http_method_parse(upper);
}

static void take_path(struct loader *l, const char *path, json_t *item)
{
    static const char *const keys[] = {"summary", "description", "servers", "parameters", "get",     "head",
                                       "post",    "put",         "patch",   "delete",     "options", NULL};
    const char *at = pointer_below(l->c.scratch, "/paths", path), *key;
    json_t *raw;
    check_keys(l, item, at, keys);
    json_object_foreach(item, key, raw)
    {
        enum http_method method = method_of(key);
        struct operation *op = &l->contract->operations[l->contract->n_operations];
        if (method == HTTP_METHOD_UNKNOWN)
            continue;
        *op = (struct operation){.index = l->contract->n_operations++, .method = method, .path = path, .raw = raw};
        l->at = pointer_below(l->c.scratch, at, key);
        take_operation(l, op, item);
    }
}

static void take_paths(struct loader *l)
{
    struct contract *contract = l->contract;
    json_t *paths = json_object_get(contract->root, "paths"), *item;
    const char *path;
    size_t n = 0;
    json_object_foreach(paths, path, item) n += json_object_size(item);
    contract->operations = arena_zalloc_array(contract->arena, n + 1, sizeof *contract->operations);
    json_object_foreach(paths, path, item) take_path(l, arena_strdup(contract->arena, path), item);
    if (!contract->n_operations)
        compiler_fault(&l->c, contract->root, "/paths", "there are no operations");
    else if (contract->routes)
        route_finish(contract);
}

/* ── the whole ── */

static bool read_document(struct contract *contract, FILE *err, struct arena *scratch, struct node_map **ret_places)
{
    contract->root = yaml_parse(contract->yaml.data, contract->yaml.len, contract->name, err, scratch, ret_places);
    if (!contract->root)
        return false;
    if (!json_is_object(contract->root)) {
        fprintf(err, "%s:1: the contract must be a mapping\n", contract->name);
        return false;
    }
    return true;
}

static void take_info(struct loader *l)
{
    const json_t *info = json_object_get(l->contract->root, "info");
    l->contract->title = compiler_keep_text(&l->c, text_of(info, "title"));
    l->contract->version = compiler_keep_text(&l->c, text_of(info, "version"));
}

static void take_schemas(struct loader *l)
{
    l->contract->schemas = arena_zalloc_array(l->c.arena, l->c.n_made + 1, sizeof(struct schema *));
    l->contract->n_schemas = l->c.n_made;
    for (size_t i = 0; i < l->c.n_made; i++)
        l->contract->schemas[i] = l->c.made[i];
}

/* `is_first`: its problems go into the catalogue, which another thread must not be reading. */
static bool load(struct contract *contract, FILE *err, struct arena *scratch, const struct node_map *places, bool is_first)
{
    struct loader l = {.contract = contract, .at = ""};
    compiler_init(&l.c, contract->arena, scratch, contract->root, contract->name, places, err);
    take_info(&l);
    check_document(&l);
    check_scheme(&l);
    take_paths(&l);
    l.at = "";
    compiler_finish(&l.c);
    if (!l.c.faults)
        check_shown_values(&l);
    if (is_first)
        take_problems(&l);
    take_schemas(&l);
    compiler_done(&l.c);
    return l.c.faults == 0;
}

static struct contract *read_and_load(struct slice yaml, const char *name, FILE *err, bool is_first)
{
    struct arena *arena = arena_new(1 << 16), *scratch = arena_new(1 << 16);
    struct contract *contract = arena_zalloc(arena, sizeof *contract);
    struct node_map *places;
    bool fine;
    contract->arena = arena;
    contract->name = arena_strdup(arena, name);
    contract->yaml = yaml;
    pthread_mutex_init(&contract->json_lock, NULL);
    fine = read_document(contract, err, scratch, &places) && load(contract, err, scratch, places, is_first);
    arena_free(scratch);
    if (fine)
        return contract;
    contract_free(contract);
    return NULL;
}

struct contract *contract_load(const char *yaml, size_t len, const char *name, FILE *err)
{
    return read_and_load((struct slice){yaml, len}, name, err, true);
}

struct contract *contract_reload(const struct contract *contract)
{
    return read_and_load(contract->yaml, contract->name, stderr, false);
}

void contract_forget_document(struct contract *contract)
{
    for (size_t i = 0; i < contract->n_schemas; i++)
        contract->schemas[i]->source = NULL;
    for (size_t i = 0; i < contract->n_operations; i++) {
        struct operation *op = &contract->operations[i];
        op->raw = NULL;
        for (size_t k = 0; k < op->n_params; k++)
            ((struct param_spec *)(uintptr_t)op->params)[k].description = NULL;
    }
    json_decref(contract->root);
    contract->root = NULL;
}

void contract_free(struct contract *contract)
{
    if (!contract)
        return;
    json_decref(contract->root);
    pthread_mutex_destroy(&contract->json_lock);
    free(contract->json);
    arena_free(contract->arena);
}

/* ── asking ── */

const struct operation *contract_operations(const struct contract *contract, size_t *ret_n)
{
    *ret_n = contract->n_operations;
    return contract->operations;
}

const struct operation *contract_find(const struct contract *contract, const char *operation_id)
{
    for (size_t i = 0; i < contract->n_operations; i++)
        if (strcmp(contract->operations[i].id, operation_id) == 0)
            return &contract->operations[i];
    return NULL;
}

struct slice contract_yaml(const struct contract *contract)
{
    return contract->yaml;
}

static char *make_json(const struct contract *contract)
{
    struct arena *scratch = arena_new(1 << 16);
    struct contract again = {.name = contract->name, .yaml = contract->yaml};
    struct node_map *places;
    char *json;
    if (!read_document(&again, stderr, scratch, &places))
        die_no_memory();                                                   /* the same text has been read once */
    json = json_dumps(again.root, JSON_COMPACT | JSON_REAL_PRECISION(15)); /* yaml.c takes no number that this would round */
    json_decref(again.root);
    arena_free(scratch);
    return json;
}

struct slice contract_json(struct contract *contract)
{
    pthread_mutex_lock(&contract->json_lock);
    if (!contract->json)
        contract->json = make_json(contract);
    pthread_mutex_unlock(&contract->json_lock);
    return slice_of(contract->json);
}

const char *contract_title(const struct contract *contract)
{
    return contract->title;
}

const char *contract_version(const struct contract *contract)
{
    return contract->version;
}

const json_t *contract_root(const struct contract *contract)
{
    return contract->root;
}
