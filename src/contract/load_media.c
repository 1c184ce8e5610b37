/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies and replies of an operation. */
#include "load.h"

#include <stdlib.h>
#include <string.h>

static bool is_json(const char *type)
{
    size_t len = strlen(type);
    return strcmp(type, "application/json") == 0 || (len > 5 && strcmp(type + len - 5, "+json") == 0);
}

static void show(struct loader *l, const json_t *value, const struct schema *schema, const char *at)
{
    struct shown_value *one;
    for (one = l->shown; one; one = one->next)
        if (one->value == value && one->schema == schema)
            return; /* shared by several operations */
    one = arena_zalloc(l->c.scratch, sizeof *one);
    *one = (struct shown_value){l->shown, value, schema, at};
    l->shown = one;
}

void show_examples(struct loader *l, const json_t *node, const struct schema *schema, const char *at)
{
    const json_t *example = json_object_get(node, "example");
    json_t *named = json_object_get(node, "examples"), *entry;
    const char *name;
    if (example)
        show(l, example, schema, pointer_below(l->c.scratch, at, "example"));
    json_object_foreach(named, name, entry)
    {
        const json_t *value = json_object_get(deref(l, entry), "value");
        if (value)
            show(l, value, schema, pointer_below(l->c.scratch, pointer_below(l->c.scratch, at, "examples"), name));
    }
}

/* Schema of one media type, its examples noted; NULL if it is no JSON. */
static const struct schema *take_media(struct loader *l, const char *type, const json_t *media, const char *at)
{
    static const char *const keys[] = {"schema", "example", "examples", NULL};
    const json_t *schema = json_object_get(media, "schema");
    const struct schema *made;
    at = pointer_below(l->c.scratch, pointer_below(l->c.scratch, at, "content"), type);
    check_keys(l, media, at, keys);
    if (!is_json(type))
        return NULL;
    if (!schema) {
        compiler_fault(&l->c, media, at, "JSON needs a schema");
        return NULL;
    }
    made = schema_make(&l->c, schema, pointer_below(l->c.scratch, at, "schema"));
    show_examples(l, media, made, at);
    return made;
}

void take_body(struct loader *l, struct operation *op)
{
    const json_t *body = deref(l, json_object_get(op->raw, "requestBody"));
    json_t *content = json_object_get(body, "content"), *media;
    const char *at = pointer_below(l->c.scratch, l->at, "requestBody"), *type;
    struct media_spec *bodies;
    if (!body)
        return;
    bodies = arena_zalloc_array(l->c.arena, json_object_size(content) + 1, sizeof *bodies);
    json_object_foreach(content, type, media)
    {
        struct media_spec *one = &bodies[op->n_bodies++];
        one->type = arena_strdup(l->c.arena, type);
        one->schema = take_media(l, one->type, media, at);
        if (one->schema && !op->body_members)
            op->body_members = members_of(l, one->schema, &op->n_body_members);
    }
    op->has_body = true;
    op->body_required = json_is_true(json_object_get(body, "required"));
    op->bodies = bodies;
    if (!op->n_bodies)
        compiler_fault(&l->c, body, at, "a body needs content");
}

static const struct property_spec *find(const struct property_spec *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

/* {data: […], page: {next}} is a list, and its rows are the items of data. */
static void take_reply_schema(struct loader *l, struct operation *op)
{
    size_t n, n_page = 0;
    const struct property_spec *members = members_of(l, op->reply_schema, &n), *data = find(members, n, "data"), *page, *inside;
    const struct schema *items = data && data->kind == KIND_ARRAY ? items_of(data->schema) : NULL;
    op->is_list = items != NULL;
    op->reply_members = items ? members_of(l, items, &op->n_reply_members) : members;
    if (!items) {
        op->n_reply_members = n;
        return;
    }
    page = find(members, n, "page");
    inside = page ? members_of(l, page->schema, &n_page) : NULL;
    page = inside ? find(inside, n_page, "next") : NULL;
    if (!page || page->kind != KIND_STRING || !page->nullable)
        compiler_fault(&l->c, op->raw, l->at, "the reply of a list needs `page` with `next`, a text or null");
}

static void take_success(struct loader *l, struct operation *op, const json_t *response)
{
    json_t *content = json_object_get(response, "content"), *media;
    const char *type, **types = arena_zalloc_array(l->c.arena, json_object_size(content) + 1, sizeof *types);
    json_object_foreach(content, type, media)
    {
        types[op->n_reply_types++] = arena_strdup(l->c.arena, type);
        if (strcmp(type, "application/json") == 0 && json_object_get(media, "schema"))
            op->reply_schema = schema_make(&l->c, json_object_get(media, "schema"), l->at);
    }
    op->reply_types = types;
    if (op->reply_schema)
        take_reply_schema(l, op);
}

static bool is_status(const char *code)
{
    return strspn(code, "0123456789") == 3 && code[3] == '\0' && code[0] >= '1' && code[0] <= '5';
}

void take_replies(struct loader *l, struct operation *op)
{
    const char *at = pointer_below(l->c.scratch, l->at, "responses"), *code, *type;
    json_t *entry, *media;
    const json_t *success = NULL;
    json_object_foreach(json_object_get(op->raw, "responses"), code, entry)
    {
        const json_t *response = deref(l, entry);
        const char *here = pointer_below(l->c.scratch, at, code);
        const int number = atoi(code);
        if (!is_status(code) && strcmp(code, "default") != 0)
            compiler_fault(&l->c, entry, here, "a response is a status of three digits, or default");
        json_object_foreach(json_object_get(response, "content"), type, media) take_media(l, type, media, here);
        if (number >= 200 && number <= 299 && (!op->success || number < op->success)) {
            op->success = number;
            success = response;
        }
    }
    if (op->success)
        take_success(l, op, success);
    else
        compiler_fault(&l->c, op->raw, l->at, "an operation needs a 2xx response");
}
