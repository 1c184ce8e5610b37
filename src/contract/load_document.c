/* SPDX-License-Identifier: Apache-2.0 */
/* What concerns the contract as a whole: its version, that every reference leads somewhere, that what it shows fits what it says, and the
 * problems and constraints that it brings to the catalogue. */
#include "load.h"

#include <string.h>

/* ── references ── */

static bool is_among(const char *key, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(key, *names) == 0)
            return true;
    return false;
}

/* Values, which hold no references, and schemas, which look after their own. */
static const char *const left_aside[] = {"example", "default", "enum", "const", "value", "schema", "schemas", NULL};
/* Their keys are names, whatever they look like. */
static const char *const maps[] = {"responses", "examples", "headers", "parameters", "paths", "requestBodies", "callbacks", NULL};

static void check_refs(struct loader *l, json_t *node, const char *at, bool is_map)
{
    const char *key, *ref = is_map ? NULL : text_of(node, "$ref");
    json_t *child;
    size_t i;
    if (ref && !deref(l, node))
        compiler_fault(&l->c, node, at, "\"%s\" points at nothing in this document", ref);
    json_array_foreach(node, i, child) check_refs(l, child, pointer_below(l->c.scratch, at, arena_printf(l->c.scratch, "%zu", i)), false);
    json_object_foreach(node, key, child)
    {
        if (is_map || (!is_among(key, left_aside) && strncmp(key, "x-", 2) != 0))
            check_refs(l, child, pointer_below(l->c.scratch, at, key), !is_map && is_among(key, maps));
    }
}

void check_document(struct loader *l)
{
    static const char *const keys[] = {"openapi",  "info", "jsonSchemaDialect", "servers", "paths", "components",
                                       "security", "tags", "externalDocs",      NULL};
    const char *version = text_of(l->contract->root, "openapi"), *name;
    json_t *schemas = json_object_get(json_object_get(l->contract->root, "components"), "schemas"), *schema;
    check_keys(l, l->contract->root, "", keys);
    if (!version || strncmp(version, "3.1.", 4) != 0)
        compiler_fault(&l->c, l->contract->root, "/openapi", "the contract must be OpenAPI 3.1");
    check_refs(l, l->contract->root, "", false);
    json_object_foreach(schemas, name, schema) schema_make(&l->c, schema, pointer_below(l->c.scratch, "/components/schemas", name));
}

/* ── examples and defaults ── */

static void check_shown(struct loader *l, const json_t *value, const struct schema *schema, const char *at)
{
    struct ctx ctx = {.arena = l->c.scratch, .lang = LANG_EN};
    if (schema_validate(&ctx, schema, value, NULL, ""))
        return;
    for (const struct fault *f = ctx.problem.first_fault; f; f = f->next)
        compiler_fault(&l->c, value, at, "does not fit its schema: %s%s%s", f->where, *f->where ? ": " : "", f->detail);
}

void check_shown_values(struct loader *l)
{
    for (const struct shown_value *one = l->shown; one; one = one->next)
        check_shown(l, one->value, one->schema, one->at);
    for (size_t k = 0; k < l->c.n_made; k++) {
        const struct schema *s = l->c.made[k];
        const json_t *usual = json_object_get(s->source, "default"), *example = json_object_get(s->source, "example"), *value;
        size_t i;
        if (usual)
            check_shown(l, usual, s, "/…/default");
        if (example)
            check_shown(l, example, s, "/…/example");
        json_array_foreach(json_object_get(s->source, "examples"), i, value) check_shown(l, value, s, "/…/examples");
    }
}

/* ── problems and constraints ── */

/* The catalogue outlives every contract (a second load must find the first one's words alive), so what it holds stays for good. */
static const char *for_good(const char *text)
{
    static struct arena *words;
    if (!words)
        words = arena_new(0);
    return arena_strdup(words, text);
}

static void take_problem(struct loader *l, const char *code, const json_t *node, bool is_registered)
{
    const char *at = pointer_below(l->c.scratch, "/x-problems", code);
    const json_t *title = json_object_get(node, "title"), *status = json_object_get(node, "status");
    struct problem_entry entry = {code, status_from_http((int)json_integer_value(status)), text_of(title, "en"), text_of(title, "id")};
    const struct problem_entry *known = problem_find(code);
    if (!entry.title_en || !entry.title_id || status_http(entry.status) != (int)json_integer_value(status)) {
        compiler_fault(&l->c, node, at, "a problem needs a status that problems can have, and title.en and title.id");
    } else if (known && known->status != entry.status) {
        compiler_fault(&l->c, node, at, "this problem is there already with another status");
    } else if (is_registered) {
        entry = (struct problem_entry){for_good(code), entry.status, for_good(entry.title_en), for_good(entry.title_id)};
        problem_register(&entry);
    }
}

static void take_constraint(struct loader *l, const char *name, const json_t *node, bool is_registered)
{
    const char *at = pointer_below(l->c.scratch, "/x-constraints", name), *code = text_of(node, "code"),
               *pointer = text_of(node, "pointer");
    const json_t *own = json_object_get(l->contract->root, "x-problems");
    if (!code || (!problem_find(code) && !json_object_get(own, code))) {
        compiler_fault(&l->c, node, at, "a constraint needs the code of a problem");
    } else if (pointer && *pointer && *pointer != '/') {
        compiler_fault(&l->c, node, at, "pointer must be a JSON Pointer");
    } else if (is_registered) {
        struct constraint_entry entry = {for_good(name), for_good(code), pointer ? for_good(pointer) : ""};
        problem_register_constraint(&entry);
    }
}

static void each_problem(struct loader *l, bool is_registered)
{
    json_t *problems = json_object_get(l->contract->root, "x-problems"), *constraints = json_object_get(l->contract->root, "x-constraints"),
           *node;
    const char *name;
    json_object_foreach(problems, name, node) take_problem(l, name, node, is_registered);
    json_object_foreach(constraints, name, node) take_constraint(l, name, node, is_registered);
}

/* Looked through first, registered only when the whole contract is sound. */
void take_problems(struct loader *l)
{
    each_problem(l, false);
    if (!l->c.faults)
        each_problem(l, true);
}
