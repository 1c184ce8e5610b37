/* SPDX-License-Identifier: Apache-2.0 */
/* What a schema says of members, seen through references and allOf: kinds, formats, who may see them. */
#include "load.h"

#include <string.h>

#define DEPTH_MAX 20

static enum json_kind kind_of_types(unsigned types)
{
    switch (types & ~(unsigned)TYPE_NULL) {
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
        return KIND_ANY;
    }
}

/* Without a type, constants tell: all texts, or all whole numbers. */
static enum json_kind kind_of_constants(const struct schema *s, bool *ret_nullable)
{
    size_t n = json_array_size(s->enumeration), texts = 0, wholes = 0, nulls = 0;
    size_t i;
    const json_t *value;
    if (s->constant)
        return json_is_string(s->constant) ? KIND_STRING : json_is_integer(s->constant) ? KIND_INTEGER : KIND_ANY;
    json_array_foreach(s->enumeration, i, value)
    {
        texts += json_is_string(value);
        wholes += json_is_integer(value);
        nulls += json_is_null(value);
    }
    *ret_nullable |= nulls > 0;
    return n > nulls && texts + nulls == n ? KIND_STRING : n > nulls && wholes + nulls == n ? KIND_INTEGER : KIND_ANY;
}

static void describe(const struct schema *s, struct property_spec *p, int depth);

/* Of several branches, null apart, the kind on which they agree. */
static void describe_branches(const struct schema_list *branches, struct property_spec *p, int depth)
{
    struct property_spec merged = {0};
    bool first = true;
    for (size_t i = 0; i < branches->n; i++) {
        struct property_spec one = {0};
        describe(branches->rows[i], &one, depth + 1);
        p->nullable |= one.nullable;
        if (one.nullable && one.kind == KIND_ANY)
            continue; /* `type: null` */
        if (first)
            merged = one;
        else if (merged.kind != one.kind)
            merged.kind = KIND_ANY;
        if (merged.item_kind != one.item_kind)
            merged.item_kind = KIND_ANY;
        if (merged.format && (!one.format || strcmp(merged.format, one.format) != 0))
            merged.format = NULL;
        first = false;
    }
    if (p->kind == KIND_ANY)
        p->kind = merged.kind;
    if (p->item_kind == KIND_ANY)
        p->item_kind = merged.item_kind;
    if (!p->format)
        p->format = merged.format;
}

/* What stands nearest wins. */
static void describe(const struct schema *s, struct property_spec *p, int depth)
{
    if (!s || depth > DEPTH_MAX)
        return;
    p->nullable |= (s->types & TYPE_NULL) != 0;
    p->read_only |= s->read_only;
    p->is_sensitive |= s->is_sensitive;
    if (!p->scope)
        p->scope = s->scope;
    if (!p->sealed)
        p->sealed = s->sealed;
    if (!p->mask.is_set)
        p->mask = s->mask;
    if (!p->format)
        p->format = s->format;
    if (p->kind == KIND_ANY)
        p->kind = kind_of_types(s->types);
    if (p->kind == KIND_ANY && !s->types)
        p->kind = kind_of_constants(s, &p->nullable);
    if (p->item_kind == KIND_ANY && s->items) {
        struct property_spec item = {0};
        describe(s->items, &item, depth + 1);
        p->item_kind = item.kind;
    }
    describe(s->ref, p, depth + 1);
    for (size_t i = 0; i < s->all_of.n; i++)
        describe(s->all_of.rows[i], p, depth + 1);
    describe_branches(&s->any_of, p, depth);
    describe_branches(&s->one_of, p, depth);
}

struct property_spec property_of(const char *name, const struct schema *schema, bool required)
{
    struct property_spec p = {0};
    describe(schema, &p, 0);
    p.name = name;
    p.schema = schema;
    p.required = required;
    return p;
}

struct members {
    struct property_spec *list; /* in the scratch arena until all are known */
    size_t n, cap;
};

static struct property_spec *find_member(const struct members *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->list[i].name, name) == 0)
            return &m->list[i];
    return NULL;
}

static void add_member(struct members *m, struct arena *scratch, struct property_spec spec)
{
    if (m->n == m->cap) {
        struct property_spec *bigger;
        m->cap = m->cap ? m->cap * 2 : 16;
        bigger = arena_zalloc_array(scratch, m->cap, sizeof *bigger);
        if (m->n)
            memcpy(bigger, m->list, m->n * sizeof *bigger);
        m->list = bigger;
    }
    m->list[m->n++] = spec;
}

/* A member that stands twice is what the nearer place says, which narrows the other. */
static void collect(struct members *m, struct arena *scratch, const struct schema *s, int depth)
{
    if (!s || depth > DEPTH_MAX)
        return;
    for (size_t i = 0; i < s->properties.n; i++) {
        const struct named_schema *row = &s->properties.rows[i];
        if (!find_member(m, row->name))
            add_member(m, scratch, property_of(row->name, row->schema, false));
    }
    collect(m, scratch, s->ref, depth + 1);
    for (size_t i = 0; i < s->all_of.n; i++)
        collect(m, scratch, s->all_of.rows[i], depth + 1);
}

/* After all members are known: `required` may stand in another branch than its member. */
static void require(struct members *m, const struct schema *s, int depth)
{
    if (!s || depth > DEPTH_MAX)
        return;
    for (size_t i = 0; i < s->n_required; i++) {
        struct property_spec *member = find_member(m, s->required[i]);
        if (member)
            member->required = true;
    }
    require(m, s->ref, depth + 1);
    for (size_t i = 0; i < s->all_of.n; i++)
        require(m, s->all_of.rows[i], depth + 1);
}

/* Looked through once for each schema: many operations reply with the same. */
static void look_through(struct loader *l, struct schema *s)
{
    struct members m = {0};
    struct property_spec *list;
    collect(&m, l->c.scratch, s, 0);
    require(&m, s, 0);
    list = arena_zalloc_array(l->c.arena, m.n + 1, sizeof *list);
    if (m.n)
        memcpy(list, m.list, m.n * sizeof *list);
    s->members = list;
    s->n_members = m.n;
}

const struct property_spec *members_of(struct loader *l, const struct schema *s, size_t *ret_n)
{
    struct schema *own = (struct schema *)(uintptr_t)s;
    *ret_n = 0;
    if (!own)
        return NULL;
    if (!own->members)
        look_through(l, own);
    *ret_n = own->n_members;
    return own->n_members ? own->members : NULL;
}

static const struct schema *items_below(const struct schema *s, int depth)
{
    const struct schema *found;
    if (!s || depth > DEPTH_MAX)
        return NULL;
    found = s->items ? s->items : items_below(s->ref, depth + 1);
    for (size_t i = 0; !found && i < s->all_of.n; i++)
        found = items_below(s->all_of.rows[i], depth + 1);
    return found;
}

const struct schema *items_of(const struct schema *s)
{
    return items_below(s, 0);
}

static const json_t *default_below(const struct schema *s, int depth)
{
    const json_t *found;
    if (!s || depth > DEPTH_MAX)
        return NULL;
    found = json_object_get(s->source, "default");
    if (!found)
        found = default_below(s->ref, depth + 1);
    for (size_t i = 0; !found && i < s->all_of.n; i++)
        found = default_below(s->all_of.rows[i], depth + 1);
    return found;
}

const json_t *default_of(const struct schema *s)
{
    return default_below(s, 0);
}

/* ── for those who describe ── */

const json_t *schema_source(const struct schema *schema)
{
    return schema ? schema->source : NULL;
}

/* Of two branches of which one is `type: null`, the other; else NULL. */
static const json_t *besides_null(const json_t *branches)
{
    const char *first = text_of(json_array_get(branches, 0), "type"), *second = text_of(json_array_get(branches, 1), "type");
    if (json_array_size(branches) != 2)
        return NULL;
    if (first && strcmp(first, "null") == 0)
        return json_array_get(branches, 1);
    return second && strcmp(second, "null") == 0 ? json_array_get(branches, 0) : NULL;
}

static const json_t *keyword_of(const json_t *root, const json_t *schema, const char *keyword, int depth)
{
    const json_t *found = json_object_get(schema, keyword), *branch;
    const char *ref = text_of(schema, "$ref");
    size_t i;
    if (found || !schema || depth > DEPTH_MAX)
        return found;
    if (ref && (found = keyword_of(root, resolve_ref(root, ref), keyword, depth + 1)))
        return found;
    json_array_foreach(json_object_get(schema, "allOf"), i, branch)
    {
        if ((found = keyword_of(root, branch, keyword, depth + 1)))
            return found;
    }
    found = keyword_of(root, besides_null(json_object_get(schema, "anyOf")), keyword, depth + 1);
    return found ? found : keyword_of(root, besides_null(json_object_get(schema, "oneOf")), keyword, depth + 1);
}

const json_t *contract_keyword(const struct contract *contract, const json_t *schema, const char *keyword)
{
    return keyword_of(contract->root, schema, keyword, 0);
}
