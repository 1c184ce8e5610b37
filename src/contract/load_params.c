/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of an operation: its own and those of its path, in the order in which the router finds values for them. */
#include "load.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

static const char *bind_name(struct arena *arena, const char *name)
{
    char *text = arena_strdup(arena, name);
    for (char *p = text; *p; p++)
        *p = *p == '-' ? '_' : (char)tolower((unsigned char)*p);
    return text;
}

static int place_of(const char *in)
{
    static const char *const places[] = {[IN_PATH] = "path", [IN_QUERY] = "query", [IN_HEADER] = "header"};
    for (size_t i = 0; in && i < ARRAY_LEN(places); i++)
        if (strcmp(places[i], in) == 0)
            return (int)i;
    return -1;
}

/* What is wrong with its outside, or NULL. */
static const char *fault_of(const json_t *node, int in)
{
    const char *name = text_of(node, "name"), *style = text_of(node, "style");
    const bool required = json_is_true(json_object_get(node, "required"));
    static const char *const taken[] = {"Accept", "Content-Type", "Authorization"};
    if (!name || !*name || !json_object_get(node, "schema"))
        return "a parameter needs name, in and schema";
    if (in < 0)
        return "a parameter must be in path, query or header";
    if (in == IN_PATH && !required)
        return "a path parameter must be `required: true`";
    if (style && strcmp(style, in == IN_QUERY ? "form" : "simple") != 0)
        return "this parameter style is not supported (query: form, else simple)";
    for (size_t i = 0; in == IN_HEADER && i < ARRAY_LEN(taken); i++)
        if (strcasecmp(taken[i], name) == 0)
            return "OpenAPI leaves Accept, Content-Type and Authorization aside: they are no parameters";
    return NULL;
}

static const char *fault_of_type(const struct param_spec *p)
{
    if (p->type.kind == KIND_OBJECT ||
        (p->type.kind == KIND_ARRAY && (p->type.item_kind == KIND_OBJECT || p->type.item_kind == KIND_ARRAY)))
        return "a parameter that is an object, or a list of lists or objects, is not supported";
    if (p->type.kind == KIND_ARRAY && p->in == IN_PATH)
        return "a path parameter that is a list is not supported";
    if (p->required && p->default_text)
        return "a required parameter has no use for a default";
    return NULL;
}

static bool take_param(struct loader *l, const json_t *node, struct param_spec *ret)
{
    static const char *const keys[] = {"name",  "in",      "description", "required", "deprecated", "schema",
                                       "style", "explode", "example",     "examples", NULL};
    const json_t *explode = json_object_get(node, "explode");
    const char *name = text_of(node, "name"), *at, *why;
    const int in = place_of(text_of(node, "in"));
    const struct schema *schema;
    at = pointer_below(l->c.scratch, pointer_below(l->c.scratch, l->at, "parameters"), name ? name : "?");
    check_keys(l, node, at, keys);
    if ((why = fault_of(node, in))) {
        compiler_fault(&l->c, node, at, "%s", why);
        return false;
    }
    schema = schema_make(&l->c, json_object_get(node, "schema"), pointer_below(l->c.scratch, at, "schema"));
    *ret = (struct param_spec){.name = compiler_keep_text(&l->c, name),
                               .bind_name = bind_name(l->c.arena, name),
                               .in = (enum param_in)in,
                               .description = text_of(node, "description"),
                               .required = json_is_true(json_object_get(node, "required")),
                               .explode = in == IN_QUERY && !json_is_false(explode)}; /* a list of style simple has its commas either way */
    ret->type = property_of(ret->name, schema, ret->required);
    if (default_of(schema))
        ret->default_text =
            compiler_keep_text(&l->c, literal_of(l->c.scratch, NULL, default_of(schema), ret->type.kind, ret->type.item_kind));
    if ((why = fault_of_type(ret)))
        compiler_fault(&l->c, node, at, "%s", why);
    show_examples(l, node, schema, at);
    return true;
}

static bool is_same(const struct param_spec *a, const struct param_spec *b)
{
    return a->in == b->in && strcmp(a->bind_name, b->bind_name) == 0;
}

/* Adds a list of parameters; one of the operation takes the place of the path's. */
static size_t add_params(struct loader *l, const json_t *list, struct param_spec *params, size_t n, size_t n_shared)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(list, i, entry)
    {
        const json_t *node = deref(l, entry);
        size_t k = 0;
        if (!node || !take_param(l, node, &params[n]))
            continue;
        while (k < n && !is_same(&params[k], &params[n]))
            k++;
        if (k < n_shared)
            params[k] = params[n];
        else if (k < n)
            compiler_fault(&l->c, entry, l->at, "the parameter \"%s\" stands twice", params[n].name);
        else
            n++;
    }
    return n;
}

/* Where {name} stands in the path; behind all of them for other parameters; -1 if it is not there. */
static int position(const char *path, const struct param_spec *p)
{
    const size_t len = strlen(p->name);
    if (p->in != IN_PATH)
        return INT_MAX;
    for (const char *at = strchr(path, '{'); at; at = strchr(at + 1, '{'))
        if (strncmp(at + 1, p->name, len) == 0 && at[1 + len] == '}')
            return (int)(at - path);
    return -1;
}

static void check_path_params(struct loader *l, const struct operation *op)
{
    for (const char *at = strchr(op->path, '{'); at; at = strchr(at + 1, '{')) {
        const struct slice name = {at + 1, strcspn(at + 1, "}")};
        bool found = false;
        for (size_t i = 0; i < op->n_params; i++)
            found |= op->params[i].in == IN_PATH && slice_is(name, op->params[i].name);
        if (!found)
            compiler_fault(&l->c, op->raw, l->at, "the path parameter {%.*s} is not declared", (int)name.len, name.data);
    }
    for (size_t i = 0; i < op->n_params; i++) {
        if (position(op->path, &op->params[i]) < 0)
            compiler_fault(&l->c, op->raw, l->at, "the path parameter \"%s\" is not in the path", op->params[i].name);
        for (size_t k = 0; k < i; k++)
            if (strcmp(op->params[k].bind_name, op->params[i].bind_name) == 0)
                compiler_fault(&l->c, op->raw, l->at, "two parameters would both be :%s in a statement", op->params[i].bind_name);
    }
}

void take_params(struct loader *l, struct operation *op, const json_t *shared)
{
    const json_t *own = json_object_get(op->raw, "parameters");
    struct param_spec *params = arena_zalloc_array(l->c.arena, json_array_size(shared) + json_array_size(own) + 1, sizeof *params);
    size_t n = add_params(l, shared, params, 0, 0);
    n = add_params(l, own, params, n, n);
    for (size_t i = 1; i < n; i++) {
        for (size_t k = i; k > 0 && position(op->path, &params[k]) < position(op->path, &params[k - 1]); k--) {
            struct param_spec swap = params[k];
            params[k] = params[k - 1];
            params[k - 1] = swap;
        }
    }
    op->params = params;
    op->n_params = n;
    check_path_params(l, op);
}
