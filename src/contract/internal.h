/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of this room share: the YAML tree with its places, and the compiled schema. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "asnd/arena.h"
#include "asnd/contract.h"
#include "asnd/decimal.h"

/* ── yaml.c ── */
struct places; /* node → line */
json_t *yaml_parse(const char *text, size_t len, const char *name, FILE *err, struct arena *arena, struct places **ret_places);
/* Line where the node begins, or 0. */
int places_line(const struct places *places, const json_t *node);

/* ── schema.c ── */
enum {
    TYPE_NULL = 1,
    TYPE_BOOLEAN = 2,
    TYPE_INTEGER = 4,
    TYPE_NUMBER = 8,
    TYPE_STRING = 16,
    TYPE_ARRAY = 32,
    TYPE_OBJECT = 64,
};

struct bound {
    bool is_set;
    struct decimal value;
    const char *text; /* as the contract writes it */
};

struct named_schema {
    const char *name;
    const pcre2_code *pattern; /* of patternProperties */
    const struct schema *schema;
};

struct schema {
    const json_t *source;
    bool is_false;  /* the schema `false` */
    bool is_secret; /* writeOnly or x-sensitive: values are never echoed */
    unsigned types; /* 0: any */
    const json_t *constant, *enumeration;
    struct bound minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of;
    int64_t min_length, max_length, min_items, max_items, min_properties, max_properties; /* -1: none */
    bool unique_items;
    const pcre2_code *pattern;
    const char *pattern_text;
    const char *format;
    format_check check;
    const char *const *required;
    size_t n_required;
    const struct named_schema *properties, *pattern_properties;
    size_t n_properties, n_pattern_properties;
    const struct schema *additional, *unevaluated_properties, *unevaluated_items, *items, *contains, *property_names, *negated, *ref;
    const struct schema *const *prefix;
    size_t n_prefix;
    const struct schema *const *all_of, *const *any_of, *const *one_of;
    size_t n_all_of, n_any_of, n_one_of;
    int64_t min_contains, max_contains;
    const struct schema *if_, *then_, *else_;
    const struct named_schema *dependent_schemas;
    size_t n_dependent_schemas;
    const json_t *dependent_required;
};

struct compiler {
    struct arena *arena;
    const json_t *root;
    const char *name;
    const struct places *places;
    FILE *err;
    int faults;
    json_t *seen; /* source pointer as text → index into `made` */
    struct schema **made;
    size_t n_made, cap_made;
};
void compiler_init(struct compiler *c, struct arena *arena, const json_t *root, const char *name, const struct places *places, FILE *err);
void compiler_done(struct compiler *c);
/* NULL after a fault (said on err). `at` is the node's JSON Pointer. */
const struct schema *schema_make(struct compiler *c, const json_t *source, const char *at);
const json_t *resolve_ref(const json_t *root, const char *ref);
void compiler_fault(struct compiler *c, const json_t *node, const char *at, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* ── format.c ── */
format_check format_find(const char *name);
bool format_is_known(const char *name);

/* ── value.c ── numbers may be NULL */
unsigned value_types(const struct json_numbers *numbers, const json_t *node); /* TYPE_… bits; 1.0 is an integer too */
bool value_equal(const struct json_numbers *numbers, const json_t *a, const json_t *b);
uint64_t value_hash(const struct json_numbers *numbers, const json_t *node); /* equal values have equal hashes */

/* ── match.c ── */
bool pattern_matches(const pcre2_code *pattern, const char *text, size_t len);

/* ── load.c ── */
struct template_part {
    struct slice literal; /* data NULL: a parameter */
};
struct path_entry {
    const char *path;
    struct template_part *parts;
    size_t n_parts, n_params;
    const struct operation *operations[HTTP_METHOD_UNKNOWN];
    const char *allow;
};
struct contract {
    struct arena *arena;
    json_t *root;
    struct slice yaml, json;
    struct operation *operations;
    size_t n_operations;
    struct path_entry *paths;
    size_t n_paths;
    struct places *places;
};
bool route_compile(struct contract *contract);
