/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling JSON Schema (draft 2020-12): each schema node once, patterns to machine code, numbers exact. A keyword that is not understood stops
 * the compilation with its place, so that the contract never promises what nobody checks. docs/json-schema.md lists what is understood. */
#include "internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/log.h"

void compiler_init(struct compiler *c, struct arena *arena, struct arena *scratch, const json_t *root, const char *name,
                   const struct node_map *places, FILE *err)
{
    *c = (struct compiler){.arena = arena,
                           .scratch = scratch,
                           .root = root,
                           .name = name,
                           .places = places,
                           .err = err,
                           .seen = node_map_new(scratch),
                           .limits = pattern_limits(arena)};
}

void compiler_done(struct compiler *c)
{
    free(c->made);
    free(c->patterns);
}

void compiler_fault(struct compiler *c, const json_t *node, const char *at, const char *fmt, ...)
{
    va_list ap;
    int line = places_line(c->places, node);
    if (line)
        fprintf(c->err, "%s:%d: #%s: ", c->name, line, at);
    else
        fprintf(c->err, "%s: #%s: ", c->name, at);
    va_start(ap, fmt);
    vfprintf(c->err, fmt, ap);
    va_end(ap);
    fputc('\n', c->err);
    c->faults++;
}

const char *compiler_keep_text(struct compiler *c, const char *text)
{
    return text ? arena_strdup(c->arena, text) : NULL;
}

static void drop_json(void *node)
{
    json_decref(node);
}

const json_t *compiler_keep_node(struct compiler *c, const json_t *node)
{
    if (node)
        arena_on_free(c->arena, drop_json, json_incref((json_t *)(uintptr_t)node));
    return node;
}

/* ── the form of each keyword's value ── */

enum form { ANYTHING, TEXT, FLAG, COUNT, NUMBER, POSITIVE, TYPE, NAMES, LIST, SCHEMA, SCHEMAS, SCHEMA_MAP, NAMES_MAP };

/* What is looked at, and (last) what only tells the reader something. Anything else is a fault; names that begin with x- are notes. */
static const struct {
    const char *name;
    enum form form;
} keywords[] = {
    {"type", TYPE},
    {"enum", LIST},
    {"const", ANYTHING},
    {"minimum", NUMBER},
    {"maximum", NUMBER},
    {"exclusiveMinimum", NUMBER},
    {"exclusiveMaximum", NUMBER},
    {"multipleOf", POSITIVE},
    {"minLength", COUNT},
    {"maxLength", COUNT},
    {"pattern", TEXT},
    {"format", TEXT},
    {"required", NAMES},
    {"properties", SCHEMA_MAP},
    {"patternProperties", SCHEMA_MAP},
    {"additionalProperties", SCHEMA},
    {"unevaluatedProperties", SCHEMA},
    {"propertyNames", SCHEMA},
    {"minProperties", COUNT},
    {"maxProperties", COUNT},
    {"dependentRequired", NAMES_MAP},
    {"dependentSchemas", SCHEMA_MAP},
    {"items", SCHEMA},
    {"prefixItems", SCHEMAS},
    {"contains", SCHEMA},
    {"minContains", COUNT},
    {"maxContains", COUNT},
    {"minItems", COUNT},
    {"maxItems", COUNT},
    {"uniqueItems", FLAG},
    {"unevaluatedItems", SCHEMA},
    {"allOf", SCHEMAS},
    {"anyOf", SCHEMAS},
    {"oneOf", SCHEMAS},
    {"not", SCHEMA},
    {"if", SCHEMA},
    {"then", SCHEMA},
    {"else", SCHEMA},
    {"$ref", TEXT},
    {"$defs", SCHEMA_MAP},
    {"title", TEXT},
    {"description", TEXT},
    {"default", ANYTHING},
    {"example", ANYTHING},
    {"examples", LIST},
    {"deprecated", FLAG},
    {"readOnly", FLAG},
    {"writeOnly", FLAG},
    {"$comment", TEXT},
    {"$schema", TEXT},
};

static const struct {
    const char *name;
    unsigned bit;
} type_names[] = {{"null", TYPE_NULL},     {"boolean", TYPE_BOOLEAN}, {"integer", TYPE_INTEGER}, {"number", TYPE_NUMBER},
                  {"string", TYPE_STRING}, {"array", TYPE_ARRAY},     {"object", TYPE_OBJECT}};

static unsigned type_bit(const json_t *name)
{
    for (size_t i = 0; json_is_string(name) && i < ARRAY_LEN(type_names); i++)
        if (strcmp(type_names[i].name, json_string_value(name)) == 0)
            return type_names[i].bit;
    return 0;
}

/* 0 if it names no type, or one that there is not. */
static unsigned type_bits(const json_t *node)
{
    unsigned types = 0;
    size_t i;
    const json_t *name;
    if (!json_is_array(node))
        return type_bit(node);
    json_array_foreach(node, i, name)
    {
        if (!type_bit(name))
            return 0;
        types |= type_bit(name);
    }
    return types;
}

/* A whole number from 0 on, which may be written 2.0; else -1. */
static int64_t count_of(const json_t *node)
{
    struct decimal d;
    int64_t n = -1;
    decimal_init(&d);
    if (json_is_number(node) && json_number_decimal(NULL, node, &d) && decimal_is_integer(&d) && decimal_sign(&d) >= 0 &&
        mpz_fits_slong_p(mpq_numref(d.q)))
        n = mpz_get_si(mpq_numref(d.q));
    decimal_done(&d);
    return n;
}

static bool are_names(const json_t *list)
{
    size_t i;
    const json_t *name;
    if (!json_is_array(list))
        return false;
    json_array_foreach(list, i, name)
    {
        if (!json_is_string(name))
            return false;
    }
    return true;
}

static bool are_all_names(const json_t *map)
{
    const char *key;
    json_t *list;
    if (!json_is_object(map))
        return false;
    json_object_foreach((json_t *)(uintptr_t)map, key, list)
    {
        if (!are_names(list))
            return false;
    }
    return true;
}

/* NULL if the value has the form, else what it must be. */
static const char *lacks_form(enum form form, const json_t *value)
{
    switch (form) {
    case TEXT:
        return json_is_string(value) ? NULL : "a text";
    case FLAG:
        return json_is_boolean(value) ? NULL : "true or false";
    case COUNT:
        return count_of(value) >= 0 ? NULL : "a whole number from 0 on";
    case NUMBER:
        return json_is_number(value) ? NULL : "a number";
    case POSITIVE:
        return json_is_number(value) && json_number_value(value) > 0 ? NULL : "a number above 0";
    case TYPE:
        return type_bits(value) ? NULL : "a type of JSON Schema, or a list of them";
    case NAMES:
        return are_names(value) ? NULL : "a list of names";
    case LIST:
        return json_is_array(value) ? NULL : "a list";
    case SCHEMAS:
        return json_array_size(value) > 0 ? NULL : "a list of at least one schema";
    case SCHEMA_MAP:
        return json_is_object(value) ? NULL : "a mapping of names to schemas";
    case NAMES_MAP:
        return are_all_names(value) ? NULL : "a mapping of names to lists of names";
    case SCHEMA: /* schema_make looks itself */
    case ANYTHING:
        break;
    }
    return NULL;
}

static bool check_keywords(struct compiler *c, const json_t *source, const char *at)
{
    const char *keyword;
    json_t *value;
    int before = c->faults;
    json_object_foreach((json_t *)(uintptr_t)source, keyword, value)
    {
        size_t i = 0;
        const json_t *place = places_line(c->places, value) ? value : source;
        const char *must_be;
        while (i < ARRAY_LEN(keywords) && strcmp(keywords[i].name, keyword) != 0)
            i++;
        if (i < ARRAY_LEN(keywords) && (must_be = lacks_form(keywords[i].form, value)))
            compiler_fault(c, place, pointer_below(c->scratch, at, keyword), "this must be %s", must_be);
        else if (i == ARRAY_LEN(keywords) && strncmp(keyword, "x-", 2) != 0)
            compiler_fault(c, place, at, "unsupported keyword \"%s\"", keyword);
    }
    return c->faults == before;
}

/* ── taking keywords, whose form is right by now ── */

static void free_bound(void *bound)
{
    decimal_done(&((struct bound *)bound)->value);
}

static void take_bound(struct compiler *c, const json_t *source, const char *keyword, struct bound *ret)
{
    const json_t *node = json_object_get(source, keyword);
    if (!node)
        return;
    decimal_init(&ret->value);
    arena_on_free(c->arena, free_bound, ret);
    ret->is_set = json_number_decimal(NULL, node, &ret->value);
    ret->text = json_number_text(c->arena, NULL, node);
    ret->is_small = json_is_integer(node);
    ret->small = json_integer_value(node);
    if (!ret->is_set)
        compiler_fault(c, source, "", "%s: %s is beyond the numbers that can be compared", keyword, ret->text);
}

static const struct bounds *take_bounds(struct compiler *c, const json_t *source)
{
    static const char *const names[] = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"};
    struct bounds *bounds;
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        n += json_object_get(source, names[i]) != NULL;
    if (!n)
        return NULL;
    bounds = arena_zalloc(c->arena, sizeof *bounds);
    take_bound(c, source, names[0], &bounds->minimum);
    take_bound(c, source, names[1], &bounds->maximum);
    take_bound(c, source, names[2], &bounds->exclusive_minimum);
    take_bound(c, source, names[3], &bounds->exclusive_maximum);
    take_bound(c, source, names[4], &bounds->multiple_of);
    return bounds;
}

static int64_t take_count(const json_t *source, const char *keyword)
{
    const json_t *node = json_object_get(source, keyword);
    return node ? count_of(node) : -1;
}

static struct schema *take(struct compiler *c, const json_t *source, const char *keyword, const char *at)
{
    const json_t *node = json_object_get(source, keyword);
    return node ? schema_make(c, node, pointer_below(c->scratch, at, keyword)) : NULL;
}

static struct schema_list take_list(struct compiler *c, const json_t *source, const char *keyword, const char *at)
{
    const json_t *list = json_object_get(source, keyword), *node;
    struct schema_list made = {NULL, json_array_size(list)};
    size_t i;
    if (made.n)
        made.rows = arena_zalloc_array(c->arena, made.n, sizeof(struct schema *));
    json_array_foreach(list, i, node)
    {
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        made.rows[i] = schema_make(c, node, pointer_below(c->scratch, pointer_below(c->scratch, at, keyword), index));
    }
    return made;
}

static void keep_pattern(struct compiler *c, struct regex regex)
{
    if (c->n_patterns == c->cap_patterns) {
        c->cap_patterns = c->cap_patterns ? c->cap_patterns * 2 : 64;
        c->patterns = realloc(c->patterns, c->cap_patterns * sizeof *c->patterns);
        if (!c->patterns)
            die_no_memory();
    }
    c->patterns[c->n_patterns++] = regex;
}

static struct regex take_pattern(struct compiler *c, const json_t *source, const char *text, const char *at)
{
    struct regex regex = {0};
    size_t offset = 0;
    for (size_t i = 0; i < c->n_patterns; i++)
        if (strcmp(c->patterns[i].text, text) == 0)
            return c->patterns[i];
    if (pattern_compile(c->arena, compiler_keep_text(c, text), c->limits, &regex, &offset))
        keep_pattern(c, regex);
    else
        compiler_fault(c, source, at, "the pattern cannot be read at character %zu", offset + 1);
    return regex;
}

/* A pattern in words: as `x-patterns` has it in both languages, or else what the schema says of itself. */
static void take_form(struct compiler *c, struct schema *s, const json_t *source)
{
    const json_t *words = json_object_get(json_object_get(c->root, "x-patterns"), s->pattern.text);
    const char *title = json_string_value(json_object_get(source, "title"));
    const char *description = title ? title : json_string_value(json_object_get(source, "description"));
    const char *en = json_string_value(json_object_get(words, "en")), *id = json_string_value(json_object_get(words, "id"));
    const char *example = json_string_value(json_array_get(json_object_get(source, "examples"), 0));
    s->form_en = compiler_keep_text(c, en ? en : description);
    s->form_id = compiler_keep_text(c, id ? id : description);
    s->form_example = compiler_keep_text(c, example ? example : json_string_value(json_object_get(source, "example")));
}

static struct schema_map take_map(struct compiler *c, const json_t *source, const char *keyword, const char *at)
{
    json_t *map = json_object_get(source, keyword), *node;
    struct schema_map made = {0};
    const char *name;
    if (json_object_size(map))
        made.rows = arena_zalloc_array(c->arena, json_object_size(map), sizeof *made.rows);
    json_object_foreach(map, name, node)
    {
        const char *here = pointer_below(c->scratch, pointer_below(c->scratch, at, keyword), name);
        struct named_schema *row = &made.rows[made.n++];
        row->name = arena_strdup(c->arena, name);
        if (strcmp(keyword, "patternProperties") == 0)
            row->pattern = take_pattern(c, source, row->name, here);
        row->schema = schema_make(c, node, here);
    }
    return made;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named_schema *)a)->name, ((const struct named_schema *)b)->name);
}

static struct schema_map sorted(struct arena *arena, struct schema_map map)
{
    struct schema_map copy = {NULL, map.n};
    if (!map.n)
        return copy;
    copy.rows = arena_zalloc_array(arena, map.n, sizeof *copy.rows);
    memcpy(copy.rows, map.rows, map.n * sizeof *copy.rows);
    qsort(copy.rows, copy.n, sizeof *copy.rows, by_name);
    return copy;
}

static void take_required(struct compiler *c, struct schema *s, const json_t *source)
{
    const json_t *list = json_object_get(source, "required"), *name;
    const char **names;
    size_t i;
    if (!json_array_size(list))
        return;
    names = arena_zalloc_array(c->arena, json_array_size(list), sizeof *names);
    json_array_foreach(list, i, name) names[i] = compiler_keep_text(c, json_string_value(name));
    s->required = names;
    s->n_required = json_array_size(list);
}

static struct mask mask_of(const json_t *source)
{
    return (struct mask){.is_set = source != NULL,
                         .first = (short)json_integer_value(json_object_get(source, "first")),
                         .last = (short)json_integer_value(json_object_get(source, "last"))};
}

static void fill_values(struct compiler *c, struct schema *s, const json_t *source, const char *at)
{
    const char *pattern = json_string_value(json_object_get(source, "pattern"));
    s->types = type_bits(json_object_get(source, "type"));
    s->constant = compiler_keep_node(c, json_object_get(source, "const"));
    s->enumeration = compiler_keep_node(c, json_object_get(source, "enum"));
    s->bounds = take_bounds(c, source);
    s->min_length = take_count(source, "minLength");
    s->max_length = take_count(source, "maxLength");
    if (pattern) {
        s->pattern = take_pattern(c, source, pattern, pointer_below(c->scratch, at, "pattern"));
        take_form(c, s, source);
    }
    s->format = compiler_keep_text(c, json_string_value(json_object_get(source, "format")));
    if (s->format) {
        s->check = format_find(s->format);
        s->format_code = arena_printf(c->arena, "format-%s", s->format);
        if (!format_is_known(s->format))
            compiler_fault(c, source, pointer_below(c->scratch, at, "format"), "unsupported format \"%s\"", s->format);
    }
    s->is_sensitive = json_is_true(json_object_get(source, "x-sensitive"));
    s->is_secret = json_is_true(json_object_get(source, "writeOnly")) || s->is_sensitive;
    s->read_only = json_is_true(json_object_get(source, "readOnly"));
    s->scope = compiler_keep_text(c, json_string_value(json_object_get(source, "x-scope")));
    s->sealed = compiler_keep_text(c, json_string_value(json_object_get(source, "x-sealed")));
    s->mask = mask_of(json_object_get(source, "x-mask"));
}

static void fill_objects(struct compiler *c, struct schema *s, const json_t *source, const char *at)
{
    take_required(c, s, source);
    s->properties = take_map(c, source, "properties", at);
    s->sorted = sorted(c->arena, s->properties);
    s->pattern_properties = take_map(c, source, "patternProperties", at);
    s->dependent_schemas = take_map(c, source, "dependentSchemas", at);
    s->dependent_required = compiler_keep_node(c, json_object_get(source, "dependentRequired"));
    s->additional = take(c, source, "additionalProperties", at);
    s->unevaluated_properties = take(c, source, "unevaluatedProperties", at);
    s->property_names = take(c, source, "propertyNames", at);
    s->min_properties = take_count(source, "minProperties");
    s->max_properties = take_count(source, "maxProperties");
    take_map(c, source, "$defs", at); /* looked through even where nothing points at them */
}

static void fill_arrays(struct compiler *c, struct schema *s, const json_t *source, const char *at)
{
    s->prefix = take_list(c, source, "prefixItems", at);
    s->items = take(c, source, "items", at);
    s->contains = take(c, source, "contains", at);
    s->min_contains = take_count(source, "minContains");
    s->max_contains = take_count(source, "maxContains");
    s->unevaluated_items = take(c, source, "unevaluatedItems", at);
    s->min_items = take_count(source, "minItems");
    s->max_items = take_count(source, "maxItems");
    s->unique_items = json_is_true(json_object_get(source, "uniqueItems"));
}

static void fill_combinations(struct compiler *c, struct schema *s, const json_t *source, const char *at)
{
    const char *ref = json_string_value(json_object_get(source, "$ref"));
    const json_t *target = ref ? resolve_ref(c->root, ref) : NULL;
    s->all_of = take_list(c, source, "allOf", at);
    s->any_of = take_list(c, source, "anyOf", at);
    s->one_of = take_list(c, source, "oneOf", at);
    s->negated = take(c, source, "not", at);
    s->if_ = take(c, source, "if", at);
    s->then_ = take(c, source, "then", at);
    s->else_ = take(c, source, "else", at);
    if (target)
        s->ref = schema_make(c, target, ref + 1);
    else if (ref)
        compiler_fault(c, source, pointer_below(c->scratch, at, "$ref"), "\"%s\" points at nothing in this document", ref);
}

/* ── each node once ── */

static struct schema *known(const struct compiler *c, const json_t *source)
{
    int index = node_map_get(c->seen, source, -1);
    return index >= 0 ? c->made[index] : NULL;
}

static void remember(struct compiler *c, struct schema *s)
{
    if (c->n_made == c->cap_made) {
        c->cap_made = c->cap_made ? c->cap_made * 2 : 256;
        c->made = realloc(c->made, c->cap_made * sizeof(struct schema *));
        if (!c->made)
            die_no_memory();
    }
    node_map_put(c->seen, s->source, (int)c->n_made);
    c->made[c->n_made++] = s;
}

struct schema *schema_make(struct compiler *c, const json_t *source, const char *at)
{
    struct schema *s;
    if (json_is_object(source) && (s = known(c, source)))
        return s;
    s = arena_zalloc(c->arena, sizeof *s);
    s->source = source;
    s->min_length = s->max_length = s->min_items = s->max_items = s->min_properties = s->max_properties = s->min_contains =
        s->max_contains = -1;
    if (json_is_boolean(source)) {
        s->is_false = json_is_false(source);
        return s;
    }
    if (!json_is_object(source)) {
        compiler_fault(c, source, at, "a schema must be an object, true or false");
        return s;
    }
    remember(c, s); /* before what is inside, which may point back here */
    if (!check_keywords(c, source, at))
        return s;
    fill_values(c, s, source, at);
    fill_objects(c, s, source, at);
    fill_arrays(c, s, source, at);
    fill_combinations(c, s, source, at);
    return s;
}

/* ── schemas that apply to the same value ── */

static bool visit(struct schema *s);

static bool visit_list(struct schema *s, const struct schema_list *list)
{
    bool fine = true;
    for (size_t i = 0; i < list->n; i++) {
        fine &= visit(list->rows[i]);
        s->is_secret |= list->rows[i]->is_secret;
    }
    return fine;
}

/* Depth first. False when the way leads back to where it is: such a schema would never come to an end. What is composed of something secret is
 * secret. */
static bool visit(struct schema *s)
{
    struct schema *const single[] = {s->ref, s->negated, s->if_, s->then_, s->else_};
    bool fine = true;
    if (s->visit != UNVISITED)
        return s->visit == VISITED;
    s->visit = VISITING;
    for (size_t i = 0; i < ARRAY_LEN(single); i++) {
        if (single[i]) {
            fine &= visit(single[i]);
            s->is_secret |= single[i]->is_secret;
        }
    }
    fine &= visit_list(s, &s->all_of);
    fine &= visit_list(s, &s->any_of);
    fine &= visit_list(s, &s->one_of);
    for (size_t i = 0; i < s->dependent_schemas.n; i++)
        fine &= visit(s->dependent_schemas.rows[i].schema);
    s->visit = VISITED;
    return fine;
}

void compiler_finish(struct compiler *c)
{
    for (size_t i = 0; i < c->n_made; i++)
        if (!visit(c->made[i]))
            compiler_fault(c, c->made[i]->source, "", "this schema applies itself to the same value, without end");
}

struct schema *schema_compile(struct arena *arena, const json_t *schema, const char *name, FILE *err)
{
    struct compiler c;
    struct arena *scratch = arena_new(0);
    struct schema *made;
    int faults;
    compiler_init(&c, arena, scratch, schema, name, NULL, err);
    made = schema_make(&c, schema, "");
    compiler_finish(&c);
    faults = c.faults;
    compiler_done(&c);
    arena_free(scratch);
    return faults ? NULL : made;
}
