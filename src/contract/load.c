/* SPDX-License-Identifier: Apache-2.0 */
/* openapi.yaml → operations. Whatever the engine cannot keep (a parameter style, a missing schema, a reference into nothing) is told with its line. */
#include "internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/log.h"

struct loader {
    struct compiler c;
    struct contract *contract;
    const char *at; /* JSON Pointer of the operation */
};

static const json_t *deref(struct loader *l, const json_t *node)
{
    const char *ref = json_string_value(json_object_get(node, "$ref"));
    const json_t *target = ref ? resolve_ref(l->contract->root, ref) : node;
    if (!target)
        compiler_fault(&l->c, node, l->at, "\"%s\" points at nothing in this document", ref);
    return target;
}

static const char *text_of(const json_t *node, const char *name)
{
    return json_string_value(json_object_get(node, name));
}

static int64_t int_of(const json_t *node, const char *name)
{
    return json_integer_value(json_object_get(node, name));
}

/* ── properties ── */

static const struct schema *through_refs(const struct schema *s)
{
    for (int i = 0; s && s->ref && !s->types && !s->n_properties && i < 20; i++)
        s = s->ref;
    return s;
}

/* The schema that says the type: behind references, and the one branch that is not null. */
static const struct schema *typed(const struct schema *s, bool *ret_nullable)
{
    s = through_refs(s);
    for (int depth = 0; s && depth < 20; depth++) {
        const struct schema *const *branches = s->n_any_of ? s->any_of : s->one_of;
        size_t n = s->n_any_of ? s->n_any_of : s->n_one_of;
        const struct schema *next = NULL;
        if (s->types & TYPE_NULL)
            *ret_nullable = true;
        if (s->types & ~(unsigned)TYPE_NULL)
            return s;
        for (size_t i = 0; i < n; i++) {
            const struct schema *b = through_refs(branches[i]);
            if (b && b->types == TYPE_NULL)
                *ret_nullable = true;
            else if (!next)
                next = b;
        }
        if (!next && s->n_all_of)
            next = through_refs(s->all_of[0]);
        if (!next)
            return s;
        s = next;
    }
    return s;
}

static enum json_kind kind_of(const struct schema *s)
{
    switch (s ? s->types & ~(unsigned)TYPE_NULL : 0) {
    case TYPE_STRING:
        return KIND_STRING;
    case TYPE_INTEGER:
        return KIND_INTEGER;
    case TYPE_NUMBER:
    case TYPE_NUMBER | TYPE_INTEGER:
        return KIND_NUMBER;
    case TYPE_BOOLEAN:
        return KIND_BOOLEAN;
    case TYPE_ARRAY:
        return KIND_ARRAY;
    case TYPE_OBJECT:
        return KIND_OBJECT;
    default:
        return s && (s->constant || s->enumeration) && json_is_string(s->constant ? s->constant : json_array_get(s->enumeration, 0))
                   ? KIND_STRING
                   : KIND_ANY;
    }
}

static struct property_spec property_of(const char *name, const struct schema *schema, bool required)
{
    struct property_spec p = {.name = name, .schema = schema, .required = required};
    const struct schema *s = typed(schema, &p.nullable);
    bool ignored = false;
    p.kind = kind_of(s);
    if (s && p.kind == KIND_ARRAY)
        p.item_kind = kind_of(typed(s->items, &ignored));
    p.format = s ? s->format : NULL;
    for (const struct schema *at = schema; at; at = at->ref) { /* annotations may stand beside a reference, or behind it */
        p.read_only |= json_is_true(json_object_get(at->source, "readOnly"));
        if (!p.scope)
            p.scope = text_of(at->source, "x-scope");
    }
    return p;
}

/* Members of an object schema, through references and allOf. */
struct members {
    struct property_spec *list;
    size_t n, cap;
};

static bool in_required(const struct schema *s, const char *name)
{
    for (size_t i = 0; i < s->n_required; i++)
        if (strcmp(s->required[i], name) == 0)
            return true;
    return false;
}

static void collect(struct loader *l, const struct schema *s, struct members *m, int depth)
{
    if (!s || depth > 20)
        return;
    for (size_t i = 0; i < s->n_properties; i++) {
        size_t k = 0;
        while (k < m->n && strcmp(m->list[k].name, s->properties[i].name) != 0)
            k++;
        if (k == m->cap) {
            struct property_spec *bigger;
            m->cap = m->cap ? m->cap * 2 : 16;
            bigger = arena_zalloc_array(l->c.arena, m->cap, sizeof *bigger);
            if (m->n)
                memcpy(bigger, m->list, m->n * sizeof *bigger);
            m->list = bigger;
        }
        m->list[k] = property_of(s->properties[i].name, s->properties[i].schema, in_required(s, s->properties[i].name));
        m->n += k == m->n;
    }
    collect(l, s->ref, m, depth + 1);
    for (size_t i = 0; i < s->n_all_of; i++)
        collect(l, s->all_of[i], m, depth + 1);
    for (size_t i = 0; i < m->n; i++)
        m->list[i].required |= in_required(s, m->list[i].name);
}

/* ── parameters ── */

static const char *bind_name(struct arena *arena, const char *name)
{
    char *text = arena_strdup(arena, name);
    for (char *p = text; *p; p++)
        *p = *p == '-' ? '_' : (char)tolower((unsigned char)*p);
    return text;
}

static const char *default_text(struct arena *arena, const struct schema *schema)
{
    const json_t *value = NULL;
    for (const struct schema *s = schema; s && !value; s = s->ref)
        value = json_object_get(s->source, "default");
    if (!value)
        return NULL;
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_number(value))
        return json_number_text(arena, NULL, value);
    return json_is_true(value) ? "true" : json_is_false(value) ? "false" : NULL;
}

static bool take_param(struct loader *l, const json_t *node, struct param_spec *ret)
{
    const char *name = text_of(node, "name"), *in = text_of(node, "in"), *style = text_of(node, "style");
    const json_t *schema = json_object_get(node, "schema"), *explode = json_object_get(node, "explode");
    const struct schema *made;
    if (!name || !in || !schema) {
        compiler_fault(&l->c, node, l->at, "a parameter needs name, in and schema");
        return false;
    }
    if (strcmp(in, "path") != 0 && strcmp(in, "query") != 0 && strcmp(in, "header") != 0) {
        compiler_fault(&l->c, node, l->at, "parameters in \"%s\" are not supported", in);
        return false;
    }
    if (style && strcmp(style, strcmp(in, "query") == 0 ? "form" : "simple") != 0) {
        compiler_fault(&l->c, node, l->at, "the parameter style \"%s\" is not supported", style);
        return false;
    }
    made = schema_make(&l->c, schema, arena_printf(l->c.arena, "%s/parameters/%s/schema", l->at, name));
    *ret = (struct param_spec){.name = name,
                               .bind_name = bind_name(l->c.arena, name),
                               .in = in[0] == 'p'   ? IN_PATH
                                     : in[0] == 'q' ? IN_QUERY
                                                    : IN_HEADER,
                               .required = json_is_true(json_object_get(node, "required")),
                               .explode = explode ? json_is_true(explode) : in[0] == 'q',
                               .type = property_of(name, made, json_is_true(json_object_get(node, "required"))),
                               .default_text = default_text(l->c.arena, made)};
    if (ret->type.kind == KIND_OBJECT)
        compiler_fault(&l->c, node, l->at, "the parameter \"%s\" is an object, which is not supported", name);
    return true;
}

static void add_params(struct loader *l, const json_t *list, struct param_spec *params, size_t *n)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(list, i, entry)
    {
        const json_t *node = deref(l, entry);
        if (node && take_param(l, node, &params[*n]))
            (*n)++;
    }
}

static void check_path_params(struct loader *l, const struct operation *op)
{
    for (const char *p = strchr(op->path, '{'); p; p = strchr(p + 1, '{')) {
        struct slice name = {p + 1, strcspn(p + 1, "}")};
        bool found = false;
        for (size_t i = 0; i < op->n_params; i++)
            found |= op->params[i].in == IN_PATH && slice_is(name, op->params[i].name);
        if (!found)
            compiler_fault(&l->c, op->raw, l->at, "the path parameter {%.*s} is not declared", (int)name.len, name.data);
    }
    for (size_t i = 0; i < op->n_params; i++)
        if (op->params[i].in == IN_PATH && !strstr(op->path, arena_printf(l->c.arena, "{%s}", op->params[i].name)))
            compiler_fault(&l->c, op->raw, l->at, "the path parameter \"%s\" is not in the path", op->params[i].name);
}

/* Path parameters stand in the order of the template, so that the router's values fall into place. */
static int path_order(const char *path, const struct param_spec *p, struct arena *arena)
{
    const char *at = p->in == IN_PATH ? strstr(path, arena_printf(arena, "{%s}", p->name)) : NULL;
    return at ? (int)(at - path) : 100000;
}

static void take_params(struct loader *l, struct operation *op, const json_t *item)
{
    const json_t *shared = json_object_get(item, "parameters"), *own = json_object_get(op->raw, "parameters");
    struct param_spec *params = arena_zalloc_array(l->c.arena, json_array_size(shared) + json_array_size(own) + 1, sizeof *params);
    size_t n = 0;
    add_params(l, shared, params, &n);
    add_params(l, own, params, &n);
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && path_order(op->path, &params[k], l->c.arena) < path_order(op->path, &params[k - 1], l->c.arena); k--) {
            struct param_spec swap = params[k];
            params[k] = params[k - 1];
            params[k - 1] = swap;
        }
    op->params = params;
    op->n_params = n;
    check_path_params(l, op);
}

/* ── bodies and replies ── */

static bool is_json(const char *type)
{
    size_t len = strlen(type);
    return strcmp(type, "application/json") == 0 || (len > 5 && strcmp(type + len - 5, "+json") == 0);
}

static void check_examples(struct loader *l, const json_t *media, const struct schema *schema, const char *what)
{
    const json_t *example = json_object_get(media, "example"), *named = json_object_get(media, "examples");
    const char *name;
    json_t *entry;
    struct ctx ctx = {.arena = l->c.arena, .lang = LANG_EN};
    if (example && !schema_validate(&ctx, schema, example, NULL, ""))
        compiler_fault(&l->c, example, l->at, "the example of the %s does not fit its schema: %s %s", what, ctx.problem.first_fault->where,
                       ctx.problem.first_fault->detail);
    json_object_foreach((json_t *)(uintptr_t)named, name, entry)
    {
        const json_t *node = deref(l, entry), *value = json_object_get(node, "value");
        problem_clear(&ctx);
        if (value && !schema_validate(&ctx, schema, value, NULL, ""))
            compiler_fault(&l->c, value, l->at, "the example \"%s\" of the %s does not fit its schema: %s %s", name, what,
                           ctx.problem.first_fault->where, ctx.problem.first_fault->detail);
    }
}

static void take_body(struct loader *l, struct operation *op)
{
    const json_t *entry = json_object_get(op->raw, "requestBody"), *body = entry ? deref(l, entry) : NULL;
    json_t *content = json_object_get(body, "content"), *media;
    const char *type;
    struct media_spec *bodies;
    struct members members = {0};
    if (!body)
        return;
    bodies = arena_zalloc_array(l->c.arena, json_object_size(content) + 1, sizeof *bodies);
    json_object_foreach(content, type, media)
    {
        const json_t *schema = json_object_get(media, "schema");
        bodies[op->n_bodies].type = arena_strdup(l->c.arena, type);
        if (schema && is_json(type)) {
            const struct schema *made =
                schema_make(&l->c, schema, arena_printf(l->c.arena, "%s/requestBody/content/%s/schema", l->at, type));
            bodies[op->n_bodies].schema = made;
            if (!members.n)
                collect(l, made, &members, 0);
            if (!l->c.faults)
                check_examples(l, media, made, "body");
        }
        op->n_bodies++;
    }
    op->has_body = true;
    op->body_required = json_is_true(json_object_get(body, "required"));
    op->bodies = bodies;
    op->body_members = members.list;
    op->n_body_members = members.n;
    op->body_limit = int_of(op->raw, "x-body-limit");
    if (!op->n_bodies)
        compiler_fault(&l->c, body, l->at, "a body needs content");
}

/* `data` an array of objects: a list; its rows are the items. */
static const struct schema *list_items(const struct schema *schema)
{
    bool ignored = false;
    const struct schema *s = through_refs(schema);
    for (size_t i = 0; s && i < s->n_properties; i++) {
        const struct schema *data = strcmp(s->properties[i].name, "data") == 0 ? typed(s->properties[i].schema, &ignored) : NULL;
        if (data && data->types & TYPE_ARRAY && data->items)
            return data->items;
    }
    for (size_t i = 0; s && i < s->n_all_of; i++) {
        const struct schema *items = list_items(s->all_of[i]);
        if (items)
            return items;
    }
    return NULL;
}

static void take_reply_schema(struct loader *l, struct operation *op, const json_t *media)
{
    const json_t *schema = json_object_get(media, "schema");
    struct members members = {0};
    const struct schema *items;
    if (!schema)
        return;
    op->reply_schema = schema_make(&l->c, schema, arena_printf(l->c.arena, "%s/responses/%d/schema", l->at, op->success));
    items = list_items(op->reply_schema);
    op->is_list = items != NULL;
    collect(l, items ? items : op->reply_schema, &members, 0);
    op->reply_members = members.list;
    op->n_reply_members = members.n;
    if (!l->c.faults)
        check_examples(l, media, op->reply_schema, "reply");
}

static void take_reply(struct loader *l, struct operation *op)
{
    json_t *responses = json_object_get(op->raw, "responses"), *entry, *content, *media;
    const json_t *success = NULL;
    const char *code, *type, **types;
    json_object_foreach(responses, code, entry)
    {
        int number = atoi(code);
        const json_t *response = deref(l, entry);
        if (number >= 200 && number <= 299 && (!op->success || number < op->success)) {
            op->success = number;
            success = response;
        }
    }
    if (!op->success) {
        compiler_fault(&l->c, op->raw, l->at, "an operation needs a 2xx response");
        return;
    }
    content = json_object_get(success, "content");
    types = arena_zalloc_array(l->c.arena, json_object_size(content) + 1, sizeof *types);
    json_object_foreach(content, type, media)
    {
        types[op->n_reply_types++] = arena_strdup(l->c.arena, type);
        if (strcmp(type, "application/json") == 0)
            take_reply_schema(l, op, media);
    }
    op->reply_types = types;
    op->location = text_of(op->raw, "x-location");
}

/* ── security ── */

/* One requirement, `- apiKey: [scopes]`; `[]` makes the operation public. */
static void take_security(struct loader *l, struct operation *op)
{
    const json_t *own = json_object_get(op->raw, "security"), *list = own ? own : json_object_get(l->contract->root, "security");
    const json_t *scopes = json_object_get(json_array_get(list, 0), "apiKey"), *scope;
    const char **names;
    size_t i;
    if (!list) {
        compiler_fault(&l->c, op->raw, l->at, "an operation needs `security` (`[]` for a public one)");
        return;
    }
    op->is_public = json_array_size(list) == 0;
    if (op->is_public)
        return;
    if (json_array_size(list) != 1 || !json_is_array(scopes)) {
        compiler_fault(&l->c, op->raw, l->at, "`security` must be one `apiKey` with its scopes");
        return;
    }
    names = arena_zalloc_array(l->c.arena, json_array_size(scopes) + 1, sizeof *names);
    json_array_foreach(scopes, i, scope) names[i] = json_string_value(scope);
    op->scopes = names;
    op->n_scopes = json_array_size(scopes);
}

/* ── all operations ── */

static void take_operation(struct loader *l, struct operation *op, const char *path, enum http_method method, const json_t *item,
                           const json_t *raw)
{
    op->id = text_of(raw, "operationId");
    op->method = method;
    op->path = path;
    op->raw = raw;
    op->summary = text_of(raw, "summary");
    op->place = arena_printf(l->c.arena, "%s:%d", l->c.name, places_line(l->contract->places, raw));
    l->at = arena_printf(l->c.arena, "/paths/%s/%s", path, http_method_name(method));
    if (!op->id) {
        compiler_fault(&l->c, raw, l->at, "an operation needs an operationId");
        op->id = "";
    }
    take_params(l, op, item);
    take_body(l, op);
    take_reply(l, op);
    take_security(l, op);
    op->timeout_ms = (int)int_of(raw, "x-timeout-ms");
    op->retry_safe = json_is_true(json_object_get(raw, "x-retry"));
}

static enum http_method method_of(const char *key)
{
    char upper[16];
    size_t len = strlen(key);
    if (len >= sizeof upper)
        return HTTP_METHOD_UNKNOWN;
    for (size_t i = 0; i <= len; i++)
        upper[i] = (char)toupper((unsigned char)key[i]);
    return http_method_parse(upper);
}

static void take_paths(struct loader *l)
{
    struct contract *contract = l->contract;
    json_t *paths = json_object_get(contract->root, "paths"), *item, *raw;
    const char *path, *key;
    size_t n = 0;
    json_object_foreach(paths, path, item) n += json_object_size(item);
    contract->operations = arena_zalloc_array(contract->arena, n + 1, sizeof *contract->operations);
    json_object_foreach(paths, path, item)
    {
        const char *kept = arena_strdup(contract->arena, path);
        json_object_foreach(item, key, raw)
        {
            enum http_method method = method_of(key);
            struct operation *op = &contract->operations[contract->n_operations];
            if (method == HTTP_METHOD_UNKNOWN)
                continue;
            op->index = contract->n_operations++;
            take_operation(l, op, kept, method, item, raw);
            for (size_t i = 0; i < op->index; i++)
                if (strcmp(contract->operations[i].id, op->id) == 0)
                    compiler_fault(&l->c, raw, l->at, "the operationId \"%s\" stands twice", op->id);
        }
    }
    l->at = "";
    if (!contract->n_operations)
        compiler_fault(&l->c, contract->root, "/paths", "there are no operations");
}

/* ── problems ── */

static void take_problems(struct loader *l)
{
    json_t *problems = json_object_get(l->contract->root, "x-problems"), *node;
    const char *code;
    json_object_foreach(problems, code, node)
    {
        const json_t *title = json_object_get(node, "title");
        struct problem_entry entry = {arena_strdup(l->c.arena, code), status_from_http((int)int_of(node, "status")), text_of(title, "en"),
                                      text_of(title, "id")};
        if (!entry.title_en || !entry.title_id || status_http(entry.status) != (int)int_of(node, "status"))
            compiler_fault(&l->c, node, "/x-problems", "the problem \"%s\" needs a status that problems have, and title.en and title.id",
                           code);
        else if (!problem_register(&entry))
            compiler_fault(&l->c, node, "/x-problems", "the problem \"%s\" is there already with another status", code);
    }
}

static void take_constraints(struct loader *l)
{
    json_t *constraints = json_object_get(l->contract->root, "x-constraints"), *node;
    const char *name;
    json_object_foreach(constraints, name, node)
    {
        struct constraint_entry entry = {arena_strdup(l->c.arena, name), text_of(node, "code"), text_of(node, "pointer")};
        if (!entry.pointer)
            entry.pointer = "";
        if (!entry.code || !problem_find(entry.code))
            compiler_fault(&l->c, node, "/x-constraints", "the constraint \"%s\" names no known problem code", name);
        else
            problem_register_constraint(&entry);
    }
}

/* ── the whole ── */

static void free_text(void *text)
{
    free(text);
}

static void drop_json(void *root)
{
    json_decref(root);
}

static struct contract *load(struct arena *arena, const char *yaml, size_t len, const char *name, FILE *err)
{
    struct contract *contract = arena_zalloc(arena, sizeof *contract);
    struct loader l = {.contract = contract, .at = ""};
    char *json;
    int faults;
    contract->arena = arena;
    contract->yaml = (struct slice){yaml, len};
    contract->root = yaml_parse(yaml, len, name, err, arena, &contract->places);
    if (!contract->root)
        return NULL;
    arena_on_free(arena, drop_json, contract->root);
    json = json_dumps(contract->root, JSON_COMPACT | JSON_REAL_PRECISION(15));
    arena_on_free(arena, free_text, json);
    contract->json = slice_of(json);
    compiler_init(&l.c, arena, contract->root, arena_strdup(arena, name), contract->places, err);
    take_problems(&l);
    take_constraints(&l);
    take_paths(&l);
    faults = l.c.faults;
    compiler_done(&l.c);
    return faults == 0 && route_compile(contract) ? contract : NULL;
}

struct contract *contract_load(const char *yaml, size_t len, const char *name, FILE *err)
{
    struct arena *arena = arena_new(1 << 16);
    struct contract *contract = load(arena, yaml, len, name, err);
    if (!contract)
        arena_free(arena);
    return contract;
}

void contract_free(struct contract *contract)
{
    if (contract)
        arena_free(contract->arena);
}

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

struct slice contract_json(const struct contract *contract)
{
    return contract->json;
}

const json_t *contract_root(const struct contract *contract)
{
    return contract->root;
}
