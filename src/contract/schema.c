/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling JSON Schema (draft 2020-12): each schema node once, patterns by PCRE2, numbers exact. A keyword that is not understood stops the
 * compilation with its place, so that the contract never promises what nobody checks. */
#include "internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/log.h"

void compiler_init(struct compiler *c, struct arena *arena, const json_t *root, const char *name, const struct places *places, FILE *err)
{
    *c = (struct compiler){.arena = arena, .root = root, .name = name, .places = places, .err = err, .seen = json_object()};
}

void compiler_done(struct compiler *c)
{
    json_decref(c->seen);
    free(c->made);
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

/* Only `#` and `#/…` within this document. */
const json_t *resolve_ref(const json_t *root, const char *ref)
{
    const json_t *at = root;
    char token[256];
    if (ref[0] != '#')
        return NULL;
    for (const char *p = ref + 1; *p && at;) {
        size_t n = 0;
        if (*p++ != '/')
            return NULL;
        for (; *p && *p != '/'; p++) {
            char ch = *p;
            if (ch == '~' && (p[1] == '0' || p[1] == '1'))
                ch = *++p == '0' ? '~' : '/';
            else if (ch == '%' && p[1] && p[2]) {
                char hex[3] = {p[1], p[2], '\0'};
                ch = (char)strtol(hex, NULL, 16);
                p += 2;
            }
            if (n + 1 >= sizeof token)
                return NULL;
            token[n++] = ch;
        }
        token[n] = '\0';
        if (json_is_array(at))
            at = json_array_get(at, strtoul(token, NULL, 10));
        else
            at = json_object_get(at, token);
    }
    return at;
}

static void free_code(void *code)
{
    pcre2_code_free(code);
}

static const pcre2_code *compile_pattern(struct compiler *c, const json_t *node, const char *at, const char *text)
{
    int error;
    PCRE2_SIZE offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_DOLLAR_ENDONLY, &error, &offset, NULL);
    if (!code) {
        compiler_fault(c, node, at, "the pattern is not valid at character %zu", offset);
        return NULL;
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    arena_on_free(c->arena, free_code, code);
    return code;
}

static const char *below(struct compiler *c, const char *at, const char *token)
{
    struct buf_like {
        char *text;
    } out = {arena_alloc(c->arena, strlen(at) + 2 * strlen(token) + 2)};
    char *p = out.text + strlen(at);
    strcpy(out.text, at);
    *p++ = '/';
    for (; *token; token++) {
        if (*token == '~' || *token == '/') {
            *p++ = '~';
            *p++ = *token == '~' ? '0' : '1';
        } else {
            *p++ = *token;
        }
    }
    *p = '\0';
    return out.text;
}

static void free_bound(void *bound)
{
    decimal_done(&((struct bound *)bound)->value);
}

static void take_bound(struct compiler *c, const json_t *source, const char *keyword, const char *at, struct bound *ret)
{
    const json_t *node = json_object_get(source, keyword);
    if (!node)
        return;
    decimal_init(&ret->value);
    arena_on_free(c->arena, free_bound, ret);
    ret->is_set = json_number_decimal(NULL, node, &ret->value);
    ret->text = json_number_text(c->arena, NULL, node);
    if (!ret->is_set)
        compiler_fault(c, source, below(c, at, keyword), "this must be a number");
}

static int64_t take_count(struct compiler *c, const json_t *source, const char *keyword, const char *at)
{
    const json_t *node = json_object_get(source, keyword);
    struct decimal d;
    int64_t n = -1;
    if (!node)
        return -1;
    decimal_init(&d);
    if (json_number_decimal(NULL, node, &d) && decimal_is_integer(&d) && decimal_sign(&d) >= 0 && mpz_fits_slong_p(mpq_numref(d.q)))
        n = mpz_get_si(mpq_numref(d.q));
    decimal_done(&d);
    if (n < 0)
        compiler_fault(c, source, below(c, at, keyword), "this must be a whole number from 0 on");
    return n;
}

static const struct {
    const char *name;
    unsigned bit;
} type_names[] = {{"null", TYPE_NULL},     {"boolean", TYPE_BOOLEAN}, {"integer", TYPE_INTEGER}, {"number", TYPE_NUMBER},
                  {"string", TYPE_STRING}, {"array", TYPE_ARRAY},     {"object", TYPE_OBJECT}};

static unsigned type_bit(struct compiler *c, const json_t *source, const char *at, const json_t *name)
{
    for (size_t i = 0; json_is_string(name) && i < ARRAY_LEN(type_names); i++)
        if (strcmp(type_names[i].name, json_string_value(name)) == 0)
            return type_names[i].bit;
    compiler_fault(c, source, below(c, at, "type"), "unknown type");
    return 0;
}

static unsigned take_types(struct compiler *c, const json_t *source, const char *at)
{
    const json_t *node = json_object_get(source, "type"), *name;
    unsigned types = 0;
    size_t i;
    if (json_is_array(node))
        json_array_foreach(node, i, name) types |= type_bit(c, source, at, name);
    else if (node)
        types = type_bit(c, source, at, node);
    return types;
}

static const struct schema *take(struct compiler *c, const json_t *source, const char *keyword, const char *at)
{
    const json_t *node = json_object_get(source, keyword);
    return node ? schema_make(c, node, below(c, at, keyword)) : NULL;
}

static const struct schema *const *take_list(struct compiler *c, const json_t *source, const char *keyword, const char *at, size_t *ret_n)
{
    const json_t *list = json_object_get(source, keyword), *node;
    const struct schema **made = arena_zalloc_array(c->arena, json_array_size(list) + 1, sizeof *made);
    size_t i;
    json_array_foreach(list, i, node)
    {
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        made[i] = schema_make(c, node, below(c, below(c, at, keyword), index));
    }
    *ret_n = json_array_size(list);
    return made;
}

static const struct named_schema *take_map(struct compiler *c, const json_t *source, const char *keyword, const char *at, bool patterns,
                                           size_t *ret_n)
{
    json_t *map = json_object_get(source, keyword), *node;
    struct named_schema *made = arena_zalloc_array(c->arena, json_object_size(map) + 1, sizeof *made);
    const char *name;
    size_t n = 0;
    json_object_foreach(map, name, node)
    {
        const char *here = below(c, below(c, at, keyword), name);
        made[n].name = arena_strdup(c->arena, name);
        made[n].pattern = patterns ? compile_pattern(c, source, here, name) : NULL;
        made[n++].schema = schema_make(c, node, here);
    }
    *ret_n = n;
    return made;
}

static const char *const *take_required(struct compiler *c, const json_t *source, size_t *ret_n)
{
    const json_t *list = json_object_get(source, "required"), *name;
    const char **names = arena_zalloc_array(c->arena, json_array_size(list) + 1, sizeof *names);
    size_t i;
    json_array_foreach(list, i, name) names[i] = json_string_value(name);
    *ret_n = json_array_size(list);
    return names;
}

/* What is looked at, and what only tells the reader something. Anything else is a fault. */
static const char *const understood[] = {
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "required",
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "dependentRequired",
    "dependentSchemas",
    "items",
    "prefixItems",
    "contains",
    "minContains",
    "maxContains",
    "minItems",
    "maxItems",
    "uniqueItems",
    "unevaluatedItems",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "$ref",
    "$defs",
    "title",
    "description",
    "default",
    "example",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
    "$schema",
};

static void check_keywords(struct compiler *c, const json_t *source, const char *at)
{
    const char *keyword;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)source, keyword, value)
    {
        bool known = strncmp(keyword, "x-", 2) == 0;
        for (size_t i = 0; !known && i < ARRAY_LEN(understood); i++)
            known = strcmp(understood[i], keyword) == 0;
        if (!known)
            compiler_fault(c, json_is_null(value) || json_is_boolean(value) ? source : value, at, "unsupported keyword \"%s\"", keyword);
    }
}

static bool is_true(const json_t *source, const char *keyword)
{
    return json_is_true(json_object_get(source, keyword));
}

static void fill_values(struct compiler *c, struct schema *s, const json_t *source, const char *at)
{
    const json_t *pattern = json_object_get(source, "pattern"), *format = json_object_get(source, "format");
    s->types = take_types(c, source, at);
    s->constant = json_object_get(source, "const");
    s->enumeration = json_object_get(source, "enum");
    take_bound(c, source, "minimum", at, &s->minimum);
    take_bound(c, source, "maximum", at, &s->maximum);
    take_bound(c, source, "exclusiveMinimum", at, &s->exclusive_minimum);
    take_bound(c, source, "exclusiveMaximum", at, &s->exclusive_maximum);
    take_bound(c, source, "multipleOf", at, &s->multiple_of);
    s->min_length = take_count(c, source, "minLength", at);
    s->max_length = take_count(c, source, "maxLength", at);
    if (json_is_string(pattern)) {
        s->pattern_text = json_string_value(pattern);
        s->pattern = compile_pattern(c, source, below(c, at, "pattern"), s->pattern_text);
    }
    if (json_is_string(format)) {
        s->format = json_string_value(format);
        s->check = format_find(s->format);
        if (!s->check && !format_is_known(s->format))
            compiler_fault(c, source, below(c, at, "format"), "unsupported format \"%s\"", s->format);
    }
    s->is_secret = is_true(source, "writeOnly") || is_true(source, "x-sensitive");
}

static void fill_objects(struct compiler *c, struct schema *s, const json_t *source, const char *at)
{
    s->required = take_required(c, source, &s->n_required);
    s->properties = take_map(c, source, "properties", at, false, &s->n_properties);
    s->pattern_properties = take_map(c, source, "patternProperties", at, true, &s->n_pattern_properties);
    s->dependent_schemas = take_map(c, source, "dependentSchemas", at, false, &s->n_dependent_schemas);
    s->dependent_required = json_object_get(source, "dependentRequired");
    s->additional = take(c, source, "additionalProperties", at);
    s->unevaluated_properties = take(c, source, "unevaluatedProperties", at);
    s->property_names = take(c, source, "propertyNames", at);
    s->min_properties = take_count(c, source, "minProperties", at);
    s->max_properties = take_count(c, source, "maxProperties", at);
}

static void fill_arrays(struct compiler *c, struct schema *s, const json_t *source, const char *at)
{
    s->prefix = take_list(c, source, "prefixItems", at, &s->n_prefix);
    s->items = take(c, source, "items", at);
    s->contains = take(c, source, "contains", at);
    s->min_contains = take_count(c, source, "minContains", at);
    s->max_contains = take_count(c, source, "maxContains", at);
    s->unevaluated_items = take(c, source, "unevaluatedItems", at);
    s->min_items = take_count(c, source, "minItems", at);
    s->max_items = take_count(c, source, "maxItems", at);
    s->unique_items = is_true(source, "uniqueItems");
}

static void fill_combinations(struct compiler *c, struct schema *s, const json_t *source, const char *at)
{
    const json_t *ref = json_object_get(source, "$ref");
    s->all_of = take_list(c, source, "allOf", at, &s->n_all_of);
    s->any_of = take_list(c, source, "anyOf", at, &s->n_any_of);
    s->one_of = take_list(c, source, "oneOf", at, &s->n_one_of);
    s->negated = take(c, source, "not", at);
    s->if_ = take(c, source, "if", at);
    s->then_ = take(c, source, "then", at);
    s->else_ = take(c, source, "else", at);
    if (ref) {
        const json_t *target = json_is_string(ref) ? resolve_ref(c->root, json_string_value(ref)) : NULL;
        if (target)
            s->ref = schema_make(c, target, json_string_value(ref) + 1);
        else
            compiler_fault(c, source, below(c, at, "$ref"), "\"%s\" points at nothing in this document",
                           json_is_string(ref) ? json_string_value(ref) : "");
    }
}

static struct schema *known(struct compiler *c, const json_t *source, char key[32])
{
    const json_t *index;
    snprintf(key, 32, "%" PRIxPTR, (uintptr_t)source);
    index = json_object_get(c->seen, key);
    return index ? c->made[json_integer_value(index)] : NULL;
}

static void remember(struct compiler *c, const char *key, struct schema *s)
{
    if (c->n_made == c->cap_made) {
        c->cap_made = c->cap_made ? c->cap_made * 2 : 256;
        c->made = realloc(c->made, c->cap_made * sizeof(struct schema *));
        if (!c->made)
            die_no_memory();
    }
    json_object_set_new(c->seen, key, json_integer((json_int_t)c->n_made));
    c->made[c->n_made++] = s;
}

const struct schema *schema_make(struct compiler *c, const json_t *source, const char *at)
{
    char key[32];
    struct schema *s;
    if (json_is_object(source) && (s = known(c, source, key)))
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
    remember(c, key, s); /* before what is inside, which may point back here */
    check_keywords(c, source, at);
    fill_values(c, s, source, at);
    fill_objects(c, s, source, at);
    fill_arrays(c, s, source, at);
    fill_combinations(c, s, source, at);
    return s;
}

struct schema *schema_compile(struct arena *arena, const json_t *schema, const char *name, FILE *err)
{
    struct compiler c;
    const struct schema *made;
    int faults;
    compiler_init(&c, arena, schema, name, NULL, err);
    made = schema_make(&c, schema, "");
    faults = c.faults;
    compiler_done(&c);
    return faults ? NULL : (struct schema *)(uintptr_t)made;
}
